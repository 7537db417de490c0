/* SPDX-License-Identifier: Apache-2.0
 *
 * exec.c -- makes operators of a plan, runs them, and stops them in time.
 *
 * Operators are made from the plan by one table over the kinds of nodes.  Inputs are opened before
 * the operator that reads them and closed after it; what was opened is closed, however far the
 * opening came.  Named results are made in the order of the plan by the first exec_next, each by a
 * tree of its own that is closed as soon as its rows are kept.
 *
 * All rows between two operators pass op_next, so that is where they are counted and timed, where
 * the deadline and the caller's wish to stop are looked at, and where an operator that gives
 * other columns than its node says is caught.
 */
#include "exec/exec.h"

#include <assert.h>
#include "base/clock.h"
#include "base/zone.h"

/* Deeper plans are refused, because each level takes stack. */
enum { DEPTH_MAX = 500, ANY_INPUTS = -1 };

static const struct {
    const char *name;
    const struct op_kind *kind; /* NULL: this build cannot run it */
    int inputs;
} kinds[NODE_KINDS] = {
    [NODE_VALUES] = {"VALUES", &op_values, 0},
    [NODE_MEASURE] = {"MEASURE", &op_measure, 0},
    [NODE_SCAN] = {"SCAN", &op_scan, 0},
    [NODE_GROUP] = {"GROUP", &op_group, 1},
    [NODE_ALIGN] = {"ALIGN", &op_align, ANY_INPUTS},
    [NODE_GRID] = {"GRID", &op_grid, 1},
    [NODE_FILL] = {"FILL", &op_fill, 1},
    [NODE_SHIFT] = {"SHIFT", &op_shift, 1},
    [NODE_COMPUTE] = {"COMPUTE", &op_compute, 1},
    [NODE_PICK] = {"PICK", &op_pick, 1},
    [NODE_FILTER] = {"FILTER", &op_filter, 1},
    [NODE_SORT] = {"SORT", &op_sort, 1},
    [NODE_LIMIT] = {"LIMIT", &op_limit, 1},
    [NODE_DISTINCT] = {"DISTINCT", &op_distinct, 1},
    [NODE_SET] = {"SET", &op_set, 2},
    [NODE_NAMED] = {"NAMED", &op_named, 0},
    [NODE_CATALOGUE] = {"CATALOGUE", &op_catalogue, 0},
};

struct exec_zone {
    struct exec_zone *next;
    struct varve_str name;
    const struct zone *zone;
};

/* ---- making operators ---------------------------------------- */

static enum varve_status
check_node(const struct exec *exec, const struct node *node, unsigned depth, struct varve_err *err)
{
    if (!node || (unsigned)node->kind >= NODE_KINDS || node->number >= exec->plan->node_count)
        return fail(err, VARVE_MISUSE, "plan", "not a node of a plan");
    const char *name = kinds[node->kind].name;
    if (!kinds[node->kind].kind)
        return fail(err, VARVE_MISUSE, "plan", "this build of the library cannot run %s", name);
    if (kinds[node->kind].inputs != ANY_INPUTS &&
        node->input_count != (uint32_t)kinds[node->kind].inputs)
        return fail(err, VARVE_MISUSE, "plan", "%s has %u inputs, not %d", name, node->input_count,
                    kinds[node->kind].inputs);
    if (depth > DEPTH_MAX)
        return fail(err, VARVE_LIMIT, "", "the query nests more than %d steps; split it by WITH",
                    DEPTH_MAX);
    return VARVE_OK;
}

enum varve_status op_make(struct exec *exec, const struct node *node, unsigned depth,
                          struct op **made, struct varve_err *err)
{
    TRY(check_node(exec, node, depth, err));
    struct op *op = arena_zalloc(&exec->arena, sizeof *op);
    if (!op)
        return fail_nomem(err, sizeof *op);
    size_t size = node->input_count * sizeof *op->inputs;
    *op = (struct op){.node = node, .kind = kinds[node->kind].kind, .exec = exec};
    op->inputs = arena_zalloc(&exec->arena, size);
    if (!op->inputs)
        return fail_nomem(err, size);
    *made = op;
    for (uint32_t i = 0; i < node->input_count; i++)
        TRY(op_make(exec, node->inputs[i], depth + 1, &op->inputs[i], err));
    op->is_open = true;
    return op->kind->open(op, err);
}

void op_close(struct op *op)
{
    if (!op)
        return;
    if (op->is_open)
        op->kind->close(op);
    op->is_open = false;
    for (uint32_t i = 0; i < op->node->input_count; i++)
        op_close(op->inputs[i]);
}

/* ---- stopping ---------------------------------------- */

enum varve_status exec_options_check(const struct exec_options *options, struct varve_err *err)
{
    if (options->stop && options->stop(options->stop_context))
        return fail(err, VARVE_INTERRUPTED, "", "the query was stopped");
    if (!options->deadline || clock_monotonic() < options->deadline)
        return VARVE_OK;
    if (!options->timeout)
        return fail(err, VARVE_LIMIT, "", "the query took too long (--timeout)");
    return fail(err, VARVE_LIMIT, "", "the query took longer than %.3g s (--timeout)",
                (double)options->timeout / 1e9);
}

enum varve_status exec_check(struct exec *exec, struct varve_err *err)
{
    exec->checks++;
    return exec_options_check(&exec->options, err);
}

enum varve_status
exec_explain_memory(const struct mem *mem, enum varve_status status, struct varve_err *err)
{
    if (status != VARVE_NOMEM || !mem->cap || !mem->was_refused)
        return status;
    return fail(err, VARVE_LIMIT, "",
                "the query needs more than %.4g MiB of memory; ask for a shorter range or fewer "
                "groups, or allow it more (--max-memory)",
                (double)mem->cap / (1024 * 1024));
}

static enum varve_status count_rows(struct exec *exec, uint32_t rows, struct varve_err *err)
{
    exec->rows_out += rows;
    if (!exec->options.max_rows || exec->rows_out <= exec->options.max_rows)
        return VARVE_OK;
    return fail(err, VARVE_LIMIT, "",
                "the result has more than %llu rows; add a LIMIT or allow more (--max-rows)",
                (unsigned long long)exec->options.max_rows);
}

/* ---- for operators ---------------------------------------- */

enum varve_status op_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    TRY(exec_check(op->exec, err));
    struct node_stats *stats = &op->exec->stats[op->node->number];
    int64_t started = clock_monotonic();
    *batch = (struct batch){0};
    enum varve_status status = op->kind->next(op, batch, err);
    stats->nanos += clock_monotonic() - started;
    if (status != VARVE_OK)
        return status;
    if (batch->column_count != op->node->column_count)
        return fail(err, VARVE_MISUSE, "plan", "%s made %u columns, not %u",
                    kinds[op->node->kind].name, batch->column_count, op->node->column_count);
    stats->batches++;
    stats->rows += batch_count(batch);
    return VARVE_OK;
}

static enum varve_status check_exec(void *context, struct varve_err *err)
{
    return exec_check(context, err);
}

void op_relation(struct op *op, struct relation *relation, uint32_t columns)
{
    relation_init(relation, op->exec->mem, columns);
    relation->check = check_exec;
    relation->check_context = op->exec;
}

enum varve_status op_collect(struct op *input, struct relation *relation, struct varve_err *err)
{
    struct batch batch;
    enum varve_status status;
    op_relation(input, relation, input->node->column_count);
    while ((status = op_next(input, &batch, err)) == VARVE_OK)
        TRY(relation_add_batch(relation, &batch, err));
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* The zone that a term's functions of the calendar name, which is that of one SELECT. */
static struct varve_str zone_name(const struct term *term)
{
    if (term->kind == TERM_CALL && term->value.type == TYPE_TEXT)
        return value_str(term->value);
    struct varve_str name = {0};
    for (uint32_t i = 0; i < term->arg_count && !name.size; i++)
        name = zone_name(term->args[i]);
    return name;
}

enum varve_status exec_program(struct exec *exec, const struct term *term, struct program **program,
                               struct varve_err *err)
{
    const struct zone *zone = exec->zone;
    struct varve_str name = zone_name(term);
    if (name.size)
        TRY(exec_zone(exec, name, &zone, err));
    TRY(program_new(term, zone, exec->mem, program, err));
    program_watch(*program, check_exec, exec);
    return VARVE_OK;
}

void op_bytes(struct op *op, uint64_t bytes)
{
    struct node_stats *stats = &op->exec->stats[op->node->number];
    if (bytes > stats->bytes)
        stats->bytes = bytes;
}

enum varve_status
exec_zone(struct exec *exec, struct varve_str name, const struct zone **zone, struct varve_err *err)
{
    struct exec_zone *known = exec->zones;
    while (known && !str_equal(known->name, name))
        known = known->next;
    if (!known) {
        const struct zone *opened = zone_utc();
        if (name.size)
            TRY(zone_open(name, &exec->arena, &opened, err));
        known = arena_alloc(&exec->arena, sizeof *known);
        if (!known)
            return fail_nomem(err, sizeof *known);
        *known = (struct exec_zone){exec->zones, name, opened};
        exec->zones = known;
    }
    *zone = known->zone;
    return VARVE_OK;
}

/* ---- running ---------------------------------------- */

static enum varve_status make_tables(struct exec *exec, struct varve_err *err)
{
    const struct plan *plan = exec->plan;
    size_t count = plan->named_count;
    exec->stats = arena_zalloc(&exec->arena, mem_array(plan->node_count, sizeof *exec->stats));
    exec->named = arena_zalloc(&exec->arena, mem_array(count, sizeof *exec->named));
    exec->named_ops = arena_zalloc(&exec->arena, mem_array(count, sizeof *exec->named_ops));
    if (!exec->stats || !exec->named || !exec->named_ops)
        return fail_nomem(err, plan->node_count * sizeof *exec->stats);
    return VARVE_OK;
}

static enum varve_status make_ops(struct exec *exec, struct varve_err *err)
{
    TRY(make_tables(exec, err));
    TRY(exec_zone(exec, exec->plan->zone, &exec->zone, err));
    for (uint32_t i = 0; i < exec->plan->named_count; i++)
        if (exec->plan->named[i])
            TRY(op_make(exec, exec->plan->named[i], 0, &exec->named_ops[i], err));
    return op_make(exec, exec->plan->root, 0, &exec->root, err);
}

enum varve_status exec_open(const struct plan *plan, struct snapshot *snapshot,
                            const struct lookups *lookups, const struct exec_options *options,
                            struct mem *mem, struct exec **exec, struct varve_err *err)
{
    struct exec *made = mem_zalloc(mem, sizeof *made);
    if (!made)
        return fail_nomem(err, sizeof *made);
    *made = (struct exec){
        .plan = plan, .snapshot = snapshot, .lookups = lookups, .options = *options, .mem = mem};
    made->started = clock_monotonic();
    arena_init(&made->arena, mem, 4096);
    enum varve_status status = make_ops(made, err);
    if (status != VARVE_OK) {
        exec_close(made);
        return exec_explain_memory(mem, status, err);
    }
    *exec = made;
    return VARVE_OK;
}

enum varve_status exec_share(const struct exec *whole, int (*stop)(void *context), void *context,
                             struct exec *share, struct varve_err *err)
{
    size_t nodes = whole->plan->node_count;
    *share = *whole;
    share->snapshot = NULL;
    share->options.stop = stop;
    share->options.stop_context = context;
    arena_init(&share->arena, whole->mem, 4096);
    share->stats = arena_zalloc(&share->arena, mem_array(nodes, sizeof *share->stats));
    if (!share->stats)
        return fail_nomem(err, nodes * sizeof *share->stats);
    return snapshot_view(whole->snapshot, &share->snapshot, err);
}

void exec_unshare(struct exec *share)
{
    if (!share->mem)
        return;
    snapshot_close(share->snapshot);
    arena_free(&share->arena);
    *share = (struct exec){0};
}

void exec_give(struct exec *exec, uint32_t number, struct relation *relation)
{
    assert(number < exec->plan->named_count && exec->named_count == 0);
    op_close(exec->named_ops[number]);
    exec->named_ops[number] = NULL;
    exec->named[number] = relation;
}

static enum varve_status make_named(struct exec *exec, uint32_t number, struct varve_err *err)
{
    struct op *op = exec->named_ops[number];
    if (!op && !exec->named[number])
        return fail(err, VARVE_MISUSE, "plan", "named result %u was not given", number);
    if (!op)
        return VARVE_OK;
    struct relation *relation = arena_zalloc(&exec->arena, sizeof *relation);
    if (!relation)
        return fail_nomem(err, sizeof *relation);
    enum varve_status status = op_collect(op, relation, err);
    if (status != VARVE_OK) {
        relation_free(relation);
        return status;
    }
    exec->named[number] = relation;
    op_bytes(op, relation_bytes(relation));
    op_close(op);
    return VARVE_OK;
}

static enum varve_status next_rows(struct exec *exec, struct batch *batch, struct varve_err *err)
{
    for (; exec->named_count < exec->plan->named_count; exec->named_count++)
        TRY(make_named(exec, exec->named_count, err));
    TRY(op_next(exec->root, batch, err));
    return count_rows(exec, batch_count(batch), err);
}

enum varve_status exec_next(struct exec *exec, struct batch *batch, struct varve_err *err)
{
    if (exec->status == VARVE_DONE)
        return VARVE_DONE;
    if (exec->status != VARVE_OK)
        return fail(err, exec->status, "", "the query has failed before");
    exec->status = exec_explain_memory(exec->mem, next_rows(exec, batch, err), err);
    return exec->status;
}

void exec_close(struct exec *exec)
{
    if (!exec)
        return;
    op_close(exec->root);
    for (uint32_t i = 0; exec->named_ops && i < exec->plan->named_count; i++) {
        op_close(exec->named_ops[i]);
        if (exec->named_ops[i] && exec->named[i])
            relation_free(exec->named[i]);
    }
    arena_free(&exec->arena);
    mem_free(exec->mem, exec, sizeof *exec);
}
