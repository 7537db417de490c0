/* SPDX-License-Identifier: Apache-2.0
 *
 * fill.c -- FILL: NULLs of a group get values from the group's neighbours in time.
 *
 * PREV repeats the last value before, exactly and with its type, if it is no older than it may be.
 * LINEAR puts floating point numbers on the line between the last number before and the first one
 * behind; what is there stays as it is, and before the first and behind the last nothing is made
 * up.  Columns without either pass as they are, and if there are none with, so do all batches.
 *
 * All rows are kept, in order of time; each knows the row of its group before it, so that a group
 * can be walked without sorting by group.
 */
#include "exec/exec.h"
#include "exec/row_index.h"

#define NO_PREVIOUS UINT32_MAX

struct fill_state {
    struct relation rows;
    uint32_t *previous; /* of each row: the one of its group before it */
    uint32_t *source;   /* PREV: of each row: the last one with a value, itself or before it */
    size_t links;       /* of both */
    bool is_needed, is_read;
    uint64_t at;
};

static bool fills_column(const struct node *node, uint32_t column)
{
    enum fill_kind kind = node->as.fill.fills[column].kind;
    return column > node->key_count && (kind == FILL_PREV || kind == FILL_LINEAR);
}

static enum varve_status fill_open(struct op *op, struct varve_err *err)
{
    const struct node *node = op->node;
    if (!node->has_bucket || node->column_count != node->inputs[0]->column_count ||
        node->key_count >= node->column_count)
        return fail(err, VARVE_MISUSE, "plan", "FILL needs a column of time and the keys");
    struct fill_state *state = arena_zalloc(&op->exec->arena, sizeof *state);
    if (!state)
        return fail_nomem(err, sizeof *state);
    op->state = state;
    for (uint32_t c = 0; c < node->column_count; c++)
        state->is_needed |= fills_column(node, c);
    return VARVE_OK;
}

static void fill_close(struct op *op)
{
    struct fill_state *state = op->state;
    if (!state)
        return;
    mem_free(op->exec->mem, state->previous, state->links * sizeof(uint32_t));
    mem_free(op->exec->mem, state->source, state->links * sizeof(uint32_t));
    relation_free(&state->rows);
}

static enum varve_status make_links(struct op *op, struct varve_err *err)
{
    struct fill_state *state = op->state;
    if (state->rows.rows >= NO_PREVIOUS)
        return fail(err, VARVE_LIMIT, "", "FILL takes fewer than %u rows; ask for a shorter range",
                    NO_PREVIOUS);
    state->links = (size_t)state->rows.rows;
    size_t size = mem_array(state->links, sizeof(uint32_t));
    state->previous = mem_alloc(op->exec->mem, size);
    state->source = mem_alloc(op->exec->mem, size);
    return state->previous && state->source ? VARVE_OK : fail_nomem(err, size);
}

/* Groups are numbered by the rows in which they come first; last[group]: its last row so far. */
static enum varve_status link_groups(struct fill_state *state, struct row_index *index,
                                     uint32_t *last, struct varve_err *err)
{
    for (uint32_t row = 0; row < state->rows.rows; row++) {
        uint64_t first = row_index_find(index, relation_row(&state->rows, row) + 1);
        state->previous[row] = first == NO_ROW ? NO_PREVIOUS : last[first];
        if (first == NO_ROW)
            TRY(row_index_add(index, first = row, err));
        last[first] = row;
    }
    return VARVE_OK;
}

static bool is_null_at(const struct fill_state *state, uint32_t row, uint32_t column)
{
    return value_is_null(relation_row(&state->rows, row)[column]);
}

/* Nanoseconds from one row to a later one. */
static uint64_t time_between(const struct fill_state *state, uint32_t from, uint32_t to)
{
    return (uint64_t)relation_row(&state->rows, to)->as.i -
           (uint64_t)relation_row(&state->rows, from)->as.i;
}

static void fill_prev(struct fill_state *state, uint32_t column, int64_t within)
{
    for (uint32_t row = 0; row < state->rows.rows; row++) {
        uint32_t previous = state->previous[row];
        uint32_t source = previous == NO_PREVIOUS ? NO_PREVIOUS : state->source[previous];
        if (!is_null_at(state, row, column))
            source = row;
        else if (source != NO_PREVIOUS &&
                 (!within || time_between(state, source, row) <= (uint64_t)within))
            relation_row(&state->rows, row)[column] = relation_row(&state->rows, source)[column];
        state->source[row] = source;
    }
}

/* The NULLs between two rows of a group that have values. */
static void fill_gap(struct fill_state *state, uint32_t column, uint32_t from, uint32_t to)
{
    struct value a = relation_row(&state->rows, from)[column];
    struct value b = relation_row(&state->rows, to)[column];
    double length = (double)time_between(state, from, to);
    if (!value_is_number(a) || !value_is_number(b) || length <= 0)
        return;
    double start = value_double(a), rise = value_double(b) - start;
    for (uint32_t row = state->previous[to]; row != from; row = state->previous[row])
        relation_row(&state->rows, row)[column] =
            value_float(start + rise * ((double)time_between(state, from, row) / length));
}

static void fill_linear(struct fill_state *state, uint32_t column)
{
    for (uint32_t row = 0; row < state->rows.rows; row++) {
        if (is_null_at(state, row, column))
            continue;
        uint32_t from = state->previous[row];
        while (from != NO_PREVIOUS && is_null_at(state, from, column))
            from = state->previous[from];
        if (from != NO_PREVIOUS)
            fill_gap(state, column, from, row);
    }
}

static enum varve_status fill_columns(struct op *op, struct varve_err *err)
{
    struct fill_state *state = op->state;
    struct row_index index;
    TRY(make_links(op, err));
    row_index_init(&index, op->exec->mem, &state->rows, 1, op->node->key_count);
    enum varve_status status = link_groups(state, &index, state->source, err);
    row_index_free(&index);
    for (uint32_t c = 0; c < op->node->column_count && status == VARVE_OK; c++) {
        if (!fills_column(op->node, c))
            continue;
        const struct fill *fill = &op->node->as.fill.fills[c];
        if (fill->kind == FILL_PREV)
            fill_prev(state, c, fill->within);
        else
            fill_linear(state, c);
        status = exec_check(op->exec, err);
    }
    return status;
}

static enum varve_status fill_read(struct op *op, struct varve_err *err)
{
    struct fill_state *state = op->state;
    TRY(op_collect(op->inputs[0], &state->rows, err));
    TRY(relation_sort(&state->rows, NULL, NULL, 0, err));
    op_bytes(op, relation_bytes(&state->rows) + state->rows.rows * 2 * sizeof(uint32_t));
    return state->rows.rows ? fill_columns(op, err) : VARVE_OK;
}

static enum varve_status fill_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct fill_state *state = op->state;
    if (!state->is_needed)
        return op_next(op->inputs[0], batch, err);
    if (!state->is_read)
        TRY(fill_read(op, err));
    state->is_read = true;
    TRY(relation_batch(&state->rows, state->at, batch, err));
    state->at += batch->rows;
    return VARVE_OK;
}

const struct op_kind op_fill = {fill_open, fill_next, fill_close};
