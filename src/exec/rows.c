/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.c -- the operators that pass rows on: VALUES, COMPUTE, PICK, FILTER, LIMIT, NAMED.
 *
 * None of them keeps rows, and none copies a column: they hand on the vectors of their input, with
 * more of them, with fewer, or with a shorter list of the rows that count.  So what they take is a
 * few kilobytes, whatever passes.
 */
#include "exec/exec.h"
#include "exec/term.h"

/* ---- VALUES: one row of no columns ---------------------------------------- */

static enum varve_status values_open(struct op *op, struct varve_err *err)
{
    op->state = arena_zalloc(&op->exec->arena, sizeof(bool));
    return op->state ? VARVE_OK : fail_nomem(err, sizeof(bool));
}

static enum varve_status values_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    bool *is_done = op->state;
    (void)err;
    if (*is_done)
        return VARVE_DONE;
    *is_done = true;
    *batch = (struct batch){.rows = 1};
    return VARVE_OK;
}

static void nothing_to_close(struct op *op)
{
    (void)op;
}

const struct op_kind op_values = {values_open, values_next, nothing_to_close};

/* ---- COMPUTE: columns appended ---------------------------------------- */

struct compute {
    struct vector *columns; /* of the input, then the results */
    struct program **programs;
    uint32_t count;
};

static enum varve_status compute_open(struct op *op, struct varve_err *err)
{
    const struct node *node = op->node;
    uint32_t count = node->as.compute.term_count;
    if (node->column_count != node->inputs[0]->column_count + count)
        return fail(err, VARVE_MISUSE, "plan", "COMPUTE has %u columns, not %u", node->column_count,
                    node->inputs[0]->column_count + count);
    struct arena *arena = &op->exec->arena;
    struct compute *state = arena_zalloc(arena, sizeof *state);
    if (!state)
        return fail_nomem(err, sizeof *state);
    op->state = state;
    state->columns = arena_zalloc(arena, node->column_count * sizeof *state->columns);
    state->programs = arena_zalloc(arena, count * sizeof(struct program *));
    if (!state->columns || !state->programs)
        return fail_nomem(err, node->column_count * sizeof *state->columns);
    for (; state->count < count; state->count++)
        TRY(exec_program(op->exec, node->as.compute.terms[state->count],
                         &state->programs[state->count], err));
    return VARVE_OK;
}

static enum varve_status compute_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct compute *state = op->state;
    TRY(op_next(op->inputs[0], batch, err));
    if (batch->column_count)
        memcpy(state->columns, batch->columns, batch->column_count * sizeof *state->columns);
    batch->columns = state->columns;
    for (uint32_t i = 0; i < state->count; i++) {
        TRY(program_run(state->programs[i], batch, &state->columns[batch->column_count], err));
        batch->column_count++; /* a later term may refer to it */
    }
    return VARVE_OK;
}

static void compute_close(struct op *op)
{
    struct compute *state = op->state;
    for (uint32_t i = 0; state && i < state->count; i++)
        program_free(state->programs[i]);
}

const struct op_kind op_compute = {compute_open, compute_next, compute_close};

/* ---- PICK: some columns ---------------------------------------- */

static enum varve_status pick_open(struct op *op, struct varve_err *err)
{
    const struct node *node = op->node;
    for (uint32_t i = 0; i < node->column_count; i++)
        if (node->as.pick.from[i] >= node->inputs[0]->column_count)
            return fail(err, VARVE_MISUSE, "plan", "PICK asks for column %u of %u",
                        node->as.pick.from[i], node->inputs[0]->column_count);
    op->state = arena_zalloc(&op->exec->arena, node->column_count * sizeof(struct vector));
    return op->state ? VARVE_OK : fail_nomem(err, node->column_count * sizeof(struct vector));
}

static enum varve_status pick_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct vector *columns = op->state;
    TRY(op_next(op->inputs[0], batch, err));
    for (uint32_t i = 0; i < op->node->column_count; i++)
        columns[i] = batch->columns[op->node->as.pick.from[i]];
    batch->columns = columns;
    batch->column_count = op->node->column_count;
    return VARVE_OK;
}

const struct op_kind op_pick = {pick_open, pick_next, nothing_to_close};

/* ---- FILTER ---------------------------------------- */

struct filter {
    struct program *condition;
    uint16_t selected[BATCH_ROWS];
};

static enum varve_status filter_open(struct op *op, struct varve_err *err)
{
    struct filter *state = arena_zalloc(&op->exec->arena, sizeof *state);
    if (!state)
        return fail_nomem(err, sizeof *state);
    op->state = state;
    return exec_program(op->exec, op->node->as.filter.condition, &state->condition, err);
}

static enum varve_status filter_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct filter *state = op->state;
    do {
        uint32_t count = 0;
        TRY(op_next(op->inputs[0], batch, err));
        TRY(program_select(state->condition, batch, state->selected, &count, err));
        batch->selected = state->selected;
        batch->selected_count = count;
    } while (batch->selected_count == 0);
    return VARVE_OK;
}

static void filter_close(struct op *op)
{
    struct filter *state = op->state;
    if (state)
        program_free(state->condition);
}

const struct op_kind op_filter = {filter_open, filter_next, filter_close};

/* ---- LIMIT ---------------------------------------- */

struct limit {
    uint64_t skip, left;
    int64_t given;          /* rows, so far */
    struct vector *columns; /* numbered: of the input, then the numbers */
    int64_t numbers[BATCH_ROWS];
    uint16_t selected[BATCH_ROWS];
};

/* Tells the operators that give as many rows as they get, and a SORT below them, how many rows will
 * be asked for. */
static void tell_bound(struct op *op, uint64_t bound)
{
    for (op = op->inputs[0];; op = op->inputs[0]) {
        op->bound = bound;
        if (op->node->kind != NODE_COMPUTE && op->node->kind != NODE_PICK)
            return;
    }
}

static enum varve_status limit_open(struct op *op, struct varve_err *err)
{
    const struct node *node = op->node;
    uint32_t columns = node->inputs[0]->column_count + node->as.limit.numbered;
    if (node->column_count != columns)
        return fail(err, VARVE_MISUSE, "plan", "LIMIT has %u columns, not %u", node->column_count,
                    columns);
    struct limit *state = arena_zalloc(&op->exec->arena, sizeof *state);
    if (!state)
        return fail_nomem(err, sizeof *state);
    op->state = state;
    state->columns = arena_zalloc(&op->exec->arena, columns * sizeof *state->columns);
    if (!state->columns)
        return fail_nomem(err, columns * sizeof *state->columns);
    state->skip = node->as.limit.skip < 0 ? 0 : (uint64_t)node->as.limit.skip;
    state->left = node->as.limit.count < 0 ? UINT64_MAX : (uint64_t)node->as.limit.count;
    if (node->as.limit.count > 0)
        tell_bound(op, state->skip + state->left);
    return VARVE_OK;
}

/* Which rows of the batch are not skipped and are within the limit. */
static void limit_select(struct limit *state, struct batch *batch)
{
    uint32_t count = batch_count(batch);
    uint32_t skip = state->skip < count ? (uint32_t)state->skip : count;
    uint32_t take = count - skip;
    if (take > state->left)
        take = (uint32_t)state->left;
    state->skip -= skip;
    state->left -= take;
    if (take == count)
        return;
    for (uint32_t i = 0; i < take; i++)
        state->selected[i] = (uint16_t)batch_row(batch, skip + i);
    batch->selected = state->selected;
    batch->selected_count = take;
}

static void limit_number(struct limit *state, struct batch *batch)
{
    uint32_t count = batch_count(batch);
    for (uint32_t i = 0; i < count; i++)
        state->numbers[batch_row(batch, i)] = ++state->given;
    if (batch->column_count)
        memcpy(state->columns, batch->columns, batch->column_count * sizeof *state->columns);
    state->columns[batch->column_count++] =
        (struct vector){.form = VECTOR_INTS, .type = TYPE_INT, .ints = state->numbers};
    batch->columns = state->columns;
}

static enum varve_status limit_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct limit *state = op->state;
    do {
        if (state->left == 0)
            return VARVE_DONE;
        TRY(op_next(op->inputs[0], batch, err));
        limit_select(state, batch);
    } while (batch_count(batch) == 0);
    if (op->node->as.limit.numbered)
        limit_number(state, batch);
    return VARVE_OK;
}

const struct op_kind op_limit = {limit_open, limit_next, nothing_to_close};

/* ---- NAMED: a result made before ---------------------------------------- */

struct named {
    struct relation view;
    bool is_made;
    uint64_t at;
};

static enum varve_status named_open(struct op *op, struct varve_err *err)
{
    if (op->node->as.named.number >= op->exec->plan->named_count)
        return fail(err, VARVE_MISUSE, "plan", "NAMED %u of %u", op->node->as.named.number,
                    op->exec->plan->named_count);
    op->state = arena_zalloc(&op->exec->arena, sizeof(struct named));
    return op->state ? VARVE_OK : fail_nomem(err, sizeof(struct named));
}

static enum varve_status named_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct named *state = op->state;
    if (!state->is_made) {
        uint32_t number = op->node->as.named.number;
        if (!op->exec->named[number])
            return fail(err, VARVE_MISUSE, "plan", "NAMED %u is read before it is made", number);
        relation_view(&state->view, op->exec->mem, op->exec->named[number]);
        state->is_made = true;
    }
    TRY(relation_batch(&state->view, state->at, batch, err));
    state->at += batch->rows;
    return VARVE_OK;
}

static void named_close(struct op *op)
{
    struct named *state = op->state;
    if (state)
        relation_free(&state->view);
}

const struct op_kind op_named = {named_open, named_next, named_close};
