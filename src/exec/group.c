/* SPDX-License-Identifier: Apache-2.0
 *
 * group.c -- GROUP: rows in, one row per bucket and keys out, with aggregates.
 *
 * Every row that has a bucket and a group belongs to a cell, numbered in the order in which they
 * are met; the aggregates are arrays by cell.  So the input is read once, batch by batch, in
 * whatever form it comes, and what is kept is the cells, not the rows.
 *
 * The input may come in any order, unless a first or last value is asked for.  The result has no
 * order.
 */
#include "exec/buckets.h"
#include "exec/group_agg.h"
#include "exec/parts.h"
#include "exec/scan_op.h"

struct grouping {
    struct buckets buckets;
    bool has_bucket, is_read;
    bool is_shared, is_alone; /* several threads have read; only one may */
    struct program **keys;    /* NULL: a column */
    struct vector *key_vectors;
    struct group_keys *groups;
    struct accumulator *accumulators;
    struct pair_map cells; /* (group, bucket); without buckets a group is a cell */
    uint32_t cell_count, next;
    /* of the batch at hand */
    uint32_t row_groups[BATCH_ROWS], row_buckets[BATCH_ROWS], row_cells[BATCH_ROWS];
    uint16_t selected[BATCH_ROWS];
    /* the rows given last */
    struct vector *vectors;
    struct value *values; /* column by column */
    struct arena texts;
};

/* ---- opening ------------------------------------------------------------------------ */

static enum varve_status check_node(const struct node *node, struct varve_err *err)
{
    uint32_t columns = node->has_bucket + node->key_count + node->as.group.aggregate_count;
    if (node->column_count != columns)
        return fail(err, VARVE_MISUSE, "plan", "GROUP has %u columns, not %u", node->column_count,
                    columns);
    if (node->has_bucket != (node->as.group.bucket.kind != BUCKET_NONE) ||
        (node->has_bucket && node->as.group.time_column >= node->inputs[0]->column_count))
        return fail(err, VARVE_MISUSE, "plan", "GROUP does not know the time of its buckets");
    return VARVE_OK;
}

static enum varve_status make_buckets(struct op *op, struct varve_err *err)
{
    struct grouping *g = op->state;
    const struct bucket *bucket = &op->node->as.group.bucket;
    const struct zone *zone = NULL;
    g->has_bucket = op->node->has_bucket;
    if (!g->has_bucket)
        return VARVE_OK;
    if (bucket->kind == BUCKET_CALENDAR)
        TRY(exec_zone(op->exec, bucket->zone, &zone, err));
    return buckets_make(bucket, zone, op->node->as.group.range, &op->exec->arena, &g->buckets, err);
}

static enum varve_status make_keys(struct op *op, struct varve_err *err)
{
    struct grouping *g = op->state;
    struct term *const *terms = op->node->as.group.keys;
    for (uint32_t k = 0; k < op->node->key_count; k++)
        if (terms[k]->kind != TERM_COLUMN)
            TRY(exec_program(op->exec, terms[k], &g->keys[k], err));
    return VARVE_OK;
}

static void say_order(struct op *op)
{
    bool matters = false;
    for (uint32_t i = 0; i < op->node->as.group.aggregate_count; i++) {
        enum aggregate_kind kind = op->node->as.group.aggregates[i].kind;
        matters = matters || kind == AGGREGATE_FIRST || kind == AGGREGATE_LAST;
    }
    if (!matters)
        scan_op_any_order(op->inputs[0]);
}

static enum varve_status group_open(struct op *op, struct varve_err *err)
{
    struct arena *arena = &op->exec->arena;
    const struct node *node = op->node;
    struct grouping *g = arena_zalloc(arena, sizeof *g);
    if (!g)
        return fail_nomem(err, sizeof *g);
    op->state = g;
    arena_init(&g->texts, op->exec->mem, 1 << 12);
    pair_map_init(&g->cells, op->exec->mem);
    TRY(check_node(node, err));
    size_t keys = node->key_count + 1u, count = node->as.group.aggregate_count + 1u;
    size_t columns = node->column_count + 1u, cells = mem_array(columns, BATCH_ROWS);
    g->keys = arena_zalloc(arena, mem_array(keys, sizeof(struct program *)));
    g->key_vectors = arena_zalloc(arena, mem_array(keys, sizeof *g->key_vectors));
    g->vectors = arena_zalloc(arena, mem_array(columns, sizeof *g->vectors));
    g->accumulators = arena_zalloc(arena, mem_array(count, sizeof *g->accumulators));
    g->values = mem_alloc(op->exec->mem, mem_array(cells, sizeof *g->values));
    if (!g->keys || !g->key_vectors || !g->vectors || !g->accumulators || !g->values)
        return fail_nomem(err, cells * sizeof *g->values);
    TRY(make_buckets(op, err));
    TRY(make_keys(op, err));
    TRY(accumulators_init(g->accumulators, node, op->exec, err));
    say_order(op);
    return VARVE_OK;
}

static void group_close(struct op *op)
{
    struct grouping *g = op->state;
    if (!g)
        return;
    size_t cells = ((size_t)op->node->column_count + 1) * BATCH_ROWS;
    for (uint32_t k = 0; g->keys && k < op->node->key_count; k++)
        program_free(g->keys[k]);
    if (g->accumulators)
        accumulators_free(g->accumulators, op->node->as.group.aggregate_count);
    group_keys_free(g->groups);
    pair_map_free(&g->cells);
    arena_free(&g->texts);
    mem_free(op->exec->mem, g->values, cells * sizeof *g->values);
}

/* ---- rows to cells --------------------------------------------------------------------- */

/* Leaves out the rows that lie in no bucket. */
static void find_buckets(struct op *op, struct batch *batch)
{
    struct grouping *g = op->state;
    const struct vector *times = &batch->columns[op->node->as.group.time_column];
    uint32_t n = batch_count(batch), kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(batch, i);
        struct value time = vector_value(times, row);
        uint32_t bucket =
            time.type == TYPE_TIME ? buckets_find(&g->buckets, time.as.i) : UINT32_MAX;
        g->row_buckets[row] = bucket;
        g->selected[kept] = (uint16_t)row;
        kept += bucket != UINT32_MAX;
    }
    batch->selected = g->selected;
    batch->selected_count = kept;
}

static enum varve_status find_groups(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct grouping *g = op->state;
    uint32_t kept = 0, n = batch_count(batch);
    for (uint32_t k = 0; k < op->node->key_count; k++)
        if (g->keys[k])
            TRY(program_run(g->keys[k], batch, &g->key_vectors[k], err));
        else
            g->key_vectors[k] = batch->columns[op->node->as.group.keys[k]->index];
    TRY(group_keys_find(g->groups, batch, g->key_vectors, g->row_groups, err));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(batch, i);
        g->selected[kept] = (uint16_t)row;
        kept += g->row_groups[row] != NO_GROUP;
    }
    batch->selected = g->selected;
    batch->selected_count = kept;
    return VARVE_OK;
}

/* Rows of one cell often come one behind the other. */
static enum varve_status find_cells(struct grouping *g, const struct batch *batch,
                                    const uint32_t **cells, struct varve_err *err)
{
    uint32_t group = NO_GROUP, bucket = 0, cell = 0, n = batch_count(batch);
    if (!g->has_bucket) {
        g->cell_count = group_keys_count(g->groups);
        *cells = g->row_groups;
        return VARVE_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(batch, i);
        if (g->row_groups[row] != group || g->row_buckets[row] != bucket) {
            group = g->row_groups[row];
            bucket = g->row_buckets[row];
            TRY(pair_map_number(&g->cells, group, bucket, &cell, err));
        }
        g->row_cells[row] = cell;
    }
    g->cell_count = g->cells.count;
    *cells = g->row_cells;
    return VARVE_OK;
}

/* ---- reading ------------------------------------------------------------------------------- */

static enum varve_status take(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct grouping *g = op->state;
    struct cell_rows rows = {.batch = batch};
    if (g->has_bucket)
        find_buckets(op, batch);
    TRY(find_groups(op, batch, err));
    if (batch_count(batch) == 0)
        return VARVE_OK;
    TRY(find_cells(g, batch, &rows.cells, err));
    rows.cell_count = g->cell_count;
    for (uint32_t i = 0; i < op->node->as.group.aggregate_count; i++)
        if (g->accumulators[i].shares == i)
            TRY(accumulator_take(&g->accumulators[i], &rows, err));
    return VARVE_OK;
}

/* Everything the input has. */
static enum varve_status read_input(struct op *op, struct varve_err *err)
{
    struct batch batch;
    enum varve_status status;
    while ((status = op_next(op->inputs[0], &batch, err)) == VARVE_OK) {
        TRY(exec_check(op->exec, err));
        TRY(take(op, &batch, err));
    }
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status begin(struct op *op, struct varve_err *err)
{
    struct grouping *g = op->state;
    const struct keep *keep = &op->node->as.group.keep;
    const struct relation *kept = keep->is_set ? op->exec->named[keep->named] : NULL;
    return group_keys_new(op->exec->mem, op->node->key_count, keep, kept, &g->groups, err);
}

/* ---- in parts -------------------------------------------------------------------------------- */

static enum varve_status run_part(struct op_part *part, struct varve_err *err)
{
    const struct parts *parts = part->parts;
    TRY(op_make(&part->exec, parts->whole->node, 0, &part->op, err));
    TRY(begin(part->op, err));
    struct op *scan = scan_op_below(part->op->inputs[0]);
    TRY(scan_op_part(scan, parts->scan, part->from, part->until, err));
    return read_input(part->op, err);
}

/* cells[i]: what cell i of the other one is here. */
static enum varve_status merge_cells(struct grouping *g, const struct grouping *from,
                                     const uint32_t *groups, uint32_t *cells, struct varve_err *err)
{
    for (uint32_t i = 0; i < from->cell_count; i++) {
        cells[i] = i < group_keys_count(from->groups) ? groups[i] : 0;
        if (g->has_bucket)
            TRY(pair_map_number(&g->cells, groups[from->cells.pairs[i] >> 32],
                                (uint32_t)from->cells.pairs[i], &cells[i], err));
    }
    g->cell_count = g->has_bucket ? g->cells.count : group_keys_count(g->groups);
    return VARVE_OK;
}

static void adopt(struct op *op, struct grouping *from)
{
    struct grouping *g = op->state, had = *g;
    g->groups = from->groups;
    g->cells = from->cells;
    g->cell_count = from->cell_count;
    from->groups = had.groups;
    from->cells = had.cells;
    for (uint32_t i = 0; i < op->node->as.group.aggregate_count; i++)
        accumulator_adopt(&g->accumulators[i], &from->accumulators[i]);
    group_keys_forget(g->groups);
}

static enum varve_status merge_into(struct op *op, const struct grouping *from, uint32_t *groups,
                                    uint32_t *cells, struct varve_err *err)
{
    struct grouping *g = op->state;
    TRY(group_keys_merge(g->groups, from->groups, groups, err));
    TRY(merge_cells(g, from, groups, cells, err));
    for (uint32_t i = 0; i < op->node->as.group.aggregate_count; i++)
        if (g->accumulators[i].shares == i)
            TRY(accumulator_merge(&g->accumulators[i], &from->accumulators[i], cells,
                                  from->cell_count, g->cell_count, err));
    return VARVE_OK;
}

static enum varve_status merge_part(struct op_part *part, struct varve_err *err)
{
    struct op *op = part->parts->whole;
    struct grouping *g = op->state, *from = part->op->state;
    if (g->cell_count == 0) {
        adopt(op, from);
        return VARVE_OK;
    }
    struct mem *mem = op->exec->mem;
    size_t count = (size_t)group_keys_count(from->groups) + from->cell_count;
    size_t size = (count + 1) * sizeof(uint32_t);
    uint32_t *numbers = mem_alloc(mem, size);
    if (!numbers)
        return fail_nomem(err, size);
    enum varve_status status =
        merge_into(op, from, numbers, numbers + group_keys_count(from->groups), err);
    mem_free(mem, numbers, size);
    return status;
}

static enum varve_status read_in_parts(struct op *op, bool *done, struct varve_err *err)
{
    struct grouping *g = op->state;
    struct parts parts = {.whole = op, .run = run_part, .merge = merge_part};
    struct op *scan = scan_op_below(op->inputs[0]);
    *done = false;
    if (op->exec->options.threads < 2 || g->is_alone || !scan)
        return VARVE_OK;
    TRY(scan_op_begin(scan, &parts.scan, err));
    enum varve_status status = parts_run(&parts, done, err);
    g->is_shared = *done;
    return status;
}

/* ---- reading all ----------------------------------------------------------------------------- */

static enum varve_status read_all(struct op *op, struct varve_err *err)
{
    struct grouping *g = op->state;
    uint32_t count = op->node->as.group.aggregate_count;
    uint64_t bytes = 0;
    bool done;
    TRY(begin(op, err));
    TRY(read_in_parts(op, &done, err));
    if (!done)
        TRY(read_input(op, err));
    if (!g->has_bucket && op->node->key_count == 0)
        g->cell_count = 1;
    for (uint32_t i = 0; i < count; i++) {
        if (g->accumulators[i].shares != i)
            continue;
        TRY(accumulator_finish(&g->accumulators[i], g->cell_count, err));
        bytes += accumulator_bytes(&g->accumulators[i]);
    }
    op_bytes(op, bytes + pair_map_bytes(&g->cells));
    return VARVE_OK;
}

/* Several parts together hold more than one thread does: what they have no memory for it may have.
 * The input has not been asked for anything. */
static enum varve_status begin_alone(struct op *op, struct varve_err *err)
{
    struct grouping *g = op->state;
    if (!g->is_shared)
        return VARVE_NOMEM;
    group_close(op);
    op->state = NULL;
    for (struct op *at = op;; at = at->inputs[0]) {
        op->exec->stats[at->node->number] = (struct node_stats){0};
        if (at->node->input_count == 0)
            break;
    }
    TRY(group_open(op, err));
    g = op->state;
    g->is_alone = true;
    return read_all(op, err);
}

/* ---- the result ------------------------------------------------------------------------------ */

static enum varve_status give_cell(struct op *op, uint32_t row, struct varve_err *err)
{
    struct grouping *g = op->state;
    const struct node *node = op->node;
    uint32_t cell = g->next + row, group = cell;
    struct value *to = g->values + row;
    if (g->has_bucket) {
        group = (uint32_t)(g->cells.pairs[cell] >> 32);
        *to = value_int(TYPE_TIME, g->buckets.starts[(uint32_t)g->cells.pairs[cell]]);
        to += BATCH_ROWS;
    }
    for (uint32_t k = 0; k < node->key_count; k++, to += BATCH_ROWS)
        *to = group_keys_values(g->groups, group)[k];
    for (uint32_t i = 0; i < node->as.group.aggregate_count; i++, to += BATCH_ROWS)
        TRY(accumulator_result(g->accumulators, i, cell, &g->texts, to, err));
    return VARVE_OK;
}

static enum varve_status group_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct grouping *g = op->state;
    if (!g->is_read) {
        enum varve_status status = read_all(op, err);
        if (status == VARVE_NOMEM)
            status = begin_alone(op, err);
        TRY(status);
        g = op->state;
    }
    g->is_read = true;
    TRY(exec_check(op->exec, err));
    uint32_t left = g->cell_count - g->next, rows = left < BATCH_ROWS ? left : BATCH_ROWS;
    if (rows == 0)
        return VARVE_DONE;
    arena_clear(&g->texts);
    for (uint32_t row = 0; row < rows; row++) {
        if (row % 64 == 0)
            TRY(exec_check(op->exec, err));
        TRY(give_cell(op, row, err));
    }
    for (uint32_t c = 0; c < op->node->column_count; c++)
        g->vectors[c] =
            (struct vector){.form = VECTOR_VALUES, .values = g->values + (size_t)c * BATCH_ROWS};
    g->next += rows;
    *batch =
        (struct batch){.rows = rows, .column_count = op->node->column_count, .columns = g->vectors};
    return VARVE_OK;
}

const struct op_kind op_group = {group_open, group_next, group_close};
