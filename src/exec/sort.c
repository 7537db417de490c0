/* SPDX-License-Identifier: Apache-2.0
 *
 * sort.c -- the operators that answer only when they have seen everything: SORT, DISTINCT, SET.
 *
 * A SORT under a LIMIT keeps the rows that can still be among the first n: up to n and some more
 * are collected, sorted and cut, and from then on what is behind the n-th row is not even copied.
 * So the ten largest of any number of rows take the memory of a thousand.
 *
 * DISTINCT and SET find equal rows by a hash over all columns, where NULL is equal to NULL, and
 * give their result sorted by all columns from the left, because an order by chance would be none
 * (R7).  EXCEPT and INTERSECT are of sets: each row of the left at most once.
 */
#include "exec/exec.h"
#include "exec/row_index.h"

/* How many rows beyond a limit are collected before they are cut, at least. */
enum { SORT_SLACK = 1024 };
/* Texts of rows that were cut take room until there is so much of it. */
enum { WASTE_MIN = 1 << 18 };

/* What all three have: rows to be given on. */
struct sorted {
    struct relation rows, other;
    struct row_index index, other_index;
    bool is_read;
    uint64_t at;
    uint64_t kept_bytes;     /* SORT: of texts, after the last cut */
    bool is_cut;             /* SORT: row bound - 1 is the last that counts */
    struct value *candidate; /* SORT: a row */
};

static enum varve_status sorted_open(struct op *op, struct varve_err *err)
{
    const struct node *node = op->node;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i]->column_count != node->column_count)
            return fail(err, VARVE_INVALID, "", "both sides need the same columns: %u and %u",
                        node->inputs[i]->column_count, node->column_count);
    struct sorted *state = arena_zalloc(&op->exec->arena, sizeof *state);
    if (!state)
        return fail_nomem(err, sizeof *state);
    op->state = state;
    op_relation(op, &state->rows, node->column_count);
    op_relation(op, &state->other, node->column_count);
    row_index_init(&state->index, op->exec->mem, &state->rows, 0, node->column_count);
    row_index_init(&state->other_index, op->exec->mem, &state->other, 0, node->column_count);
    return VARVE_OK;
}

static void sorted_close(struct op *op)
{
    struct sorted *state = op->state;
    if (!state)
        return;
    row_index_free(&state->index);
    row_index_free(&state->other_index);
    relation_free(&state->rows);
    relation_free(&state->other);
}

/* What the operator answers with, once its rows are there. */
static enum varve_status
sorted_next(struct op *op, struct batch *batch,
            enum varve_status (*read)(struct op *, struct varve_err *), struct varve_err *err)
{
    struct sorted *state = op->state;
    if (!state->is_read)
        TRY(read(op, err));
    state->is_read = true;
    op_bytes(op, relation_bytes(&state->rows) + relation_bytes(&state->other));
    TRY(relation_batch(&state->rows, state->at, batch, err));
    state->at += batch->rows;
    return VARVE_OK;
}

/* A row of a batch as values, their texts not copied. */
static void row_of_batch(const struct batch *batch, uint32_t i, struct value *row)
{
    for (uint32_t c = 0; c < batch->column_count; c++)
        row[c] = vector_value(&batch->columns[c], batch_row(batch, i));
}

static enum varve_status
add_row(struct relation *relation, const struct value *values, struct varve_err *err)
{
    struct value *row = relation_add(relation, err);
    if (!row)
        return VARVE_NOMEM;
    for (uint32_t c = 0; c < relation->columns; c++) {
        struct value value = values[c];
        TRY(relation_own(relation, &value, err));
        row[c] = value;
    }
    return VARVE_OK;
}

/* ---- SORT ---------------------------------------- */

static enum varve_status sort_open(struct op *op, struct varve_err *err)
{
    const struct node *node = op->node;
    for (uint32_t i = 0; i < node->as.sort.count; i++)
        if (node->as.sort.by[i] >= node->column_count)
            return fail(err, VARVE_MISUSE, "plan", "SORT by column %u of %u", node->as.sort.by[i],
                        node->column_count);
    TRY(sorted_open(op, err));
    struct sorted *state = op->state;
    size_t size = node->column_count * sizeof *state->candidate;
    state->candidate = arena_alloc(&op->exec->arena, size);
    return state->candidate ? VARVE_OK : fail_nomem(err, size);
}

static enum varve_status sort_rows(struct op *op, struct varve_err *err)
{
    struct sorted *state = op->state;
    return relation_sort(&state->rows, op->node->as.sort.by, op->node->as.sort.descending,
                         op->node->as.sort.count, err);
}

/* The rows once more, without the texts of those that are gone. */
static enum varve_status drop_waste(struct op *op, struct varve_err *err)
{
    struct sorted *state = op->state;
    if (state->rows.text_bytes < WASTE_MIN || state->rows.text_bytes / 2 < state->kept_bytes)
        return VARVE_OK;
    struct relation packed;
    enum varve_status status = VARVE_OK;
    op_relation(op, &packed, state->rows.columns);
    for (uint64_t i = 0; i < state->rows.rows && status == VARVE_OK; i++)
        status = add_row(&packed, relation_row(&state->rows, i), err);
    if (status != VARVE_OK) {
        relation_free(&packed);
        return status;
    }
    relation_free(&state->rows);
    state->rows = packed;
    state->kept_bytes = packed.text_bytes;
    return VARVE_OK;
}

static enum varve_status sort_cut(struct op *op, struct varve_err *err)
{
    struct sorted *state = op->state;
    TRY(sort_rows(op, err));
    relation_cut(&state->rows, op->bound);
    state->is_cut = true;
    return drop_waste(op, err);
}

/* Whether a row, which this puts into `candidate`, comes behind the last one that counts.  Of most
 * rows only the columns of ORDER BY are looked at. */
static bool is_behind(const struct op *op, const struct batch *batch, uint32_t i)
{
    const struct sorted *state = op->state;
    const struct value *last = relation_row(&state->rows, op->bound - 1);
    struct row_order order = {op->node->as.sort.by, op->node->as.sort.descending,
                              op->node->as.sort.count, 0};
    for (uint32_t k = 0; k < order.count; k++)
        state->candidate[order.by[k]] =
            vector_value(&batch->columns[order.by[k]], batch_row(batch, i));
    if (row_compare(&order, state->candidate, last) > 0)
        return true;
    row_of_batch(batch, i, state->candidate);
    order.columns = state->rows.columns;
    return row_compare(&order, state->candidate, last) >= 0;
}

/* The rows of a batch that can be among the first `bound`. */
static enum varve_status
add_bounded(struct op *op, const struct batch *batch, struct varve_err *err)
{
    struct sorted *state = op->state;
    uint64_t slack = op->bound < SORT_SLACK ? SORT_SLACK : op->bound;
    for (uint32_t i = 0; i < batch_count(batch); i++) {
        if (!state->is_cut)
            row_of_batch(batch, i, state->candidate);
        else if (is_behind(op, batch, i))
            continue;
        TRY(add_row(&state->rows, state->candidate, err));
        if (state->rows.rows > op->bound && state->rows.rows - op->bound >= slack)
            TRY(sort_cut(op, err));
    }
    return VARVE_OK;
}

static enum varve_status sort_read(struct op *op, struct varve_err *err)
{
    struct sorted *state = op->state;
    struct batch batch;
    enum varve_status status;
    while ((status = op_next(op->inputs[0], &batch, err)) == VARVE_OK) {
        if (op->bound)
            TRY(add_bounded(op, &batch, err));
        else
            TRY(relation_add_batch(&state->rows, &batch, err));
        op_bytes(op, relation_bytes(&state->rows));
    }
    if (status != VARVE_DONE)
        return status;
    TRY(sort_rows(op, err));
    if (op->bound)
        relation_cut(&state->rows, op->bound);
    return VARVE_OK;
}

static enum varve_status sort_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    return sorted_next(op, batch, sort_read, err);
}

const struct op_kind op_sort = {sort_open, sort_next, sorted_close};

/* ---- DISTINCT and SET ---------------------------------------- */

/* Adds the row if it is a new one; an equal one that is first in the order of types takes the place
 * of the one that is there, so that the result does not depend on the order of the input. */
static enum varve_status
add_distinct(struct sorted *state, const struct value *row, struct varve_err *err)
{
    const struct row_order order = {.columns = state->rows.columns};
    uint64_t at = row_index_find(&state->index, row);
    if (at == NO_ROW) {
        TRY(add_row(&state->rows, row, err));
        return row_index_add(&state->index, state->rows.rows - 1, err);
    }
    struct value *there = relation_row(&state->rows, at);
    if (row_compare(&order, row, there) >= 0)
        return VARVE_OK;
    for (uint32_t c = 0; c < state->rows.columns; c++) {
        struct value value = row[c];
        TRY(relation_own(&state->rows, &value, err));
        there[c] = value;
    }
    return VARVE_OK;
}

/* The distinct rows of an input; `wanted` says which, by whether the other side has them. */
enum wanted { WANT_ALL, WANT_FOUND, WANT_MISSING };
static enum varve_status
read_distinct(struct op *op, struct op *input, enum wanted wanted, struct varve_err *err)
{
    struct sorted *state = op->state;
    size_t size = (op->node->column_count + 1) * sizeof(struct value);
    struct value *row = arena_alloc(&op->exec->arena, size);
    if (!row)
        return fail_nomem(err, size);
    struct batch batch;
    enum varve_status status;
    while ((status = op_next(input, &batch, err)) == VARVE_OK)
        for (uint32_t i = 0; i < batch_count(&batch); i++) {
            row_of_batch(&batch, i, row);
            bool is_found =
                wanted != WANT_ALL && row_index_find(&state->other_index, row) != NO_ROW;
            if (wanted == WANT_ALL || is_found == (wanted == WANT_FOUND))
                TRY(add_distinct(state, row, err));
        }
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status sort_by_all(struct op *op, struct varve_err *err)
{
    struct sorted *state = op->state;
    return relation_sort(&state->rows, NULL, NULL, 0, err);
}

static enum varve_status distinct_read(struct op *op, struct varve_err *err)
{
    TRY(read_distinct(op, op->inputs[0], WANT_ALL, err));
    return sort_by_all(op, err);
}

static enum varve_status distinct_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    return sorted_next(op, batch, distinct_read, err);
}

const struct op_kind op_distinct = {sorted_open, distinct_next, sorted_close};

static enum varve_status read_all(struct op *op, struct op *input, struct varve_err *err)
{
    struct sorted *state = op->state;
    struct batch batch;
    enum varve_status status;
    while ((status = op_next(input, &batch, err)) == VARVE_OK)
        TRY(relation_add_batch(&state->rows, &batch, err));
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status read_beside(struct op *op, enum wanted wanted, struct varve_err *err)
{
    struct sorted *state = op->state;
    TRY(op_collect(op->inputs[1], &state->other, err));
    TRY(row_index_add_all(&state->other_index, err));
    return read_distinct(op, op->inputs[0], wanted, err);
}

static enum varve_status set_read(struct op *op, struct varve_err *err)
{
    switch (op->node->as.set.op) {
    case SET_UNION_ALL:
        TRY(read_all(op, op->inputs[0], err));
        TRY(read_all(op, op->inputs[1], err));
        break;
    case SET_UNION:
        TRY(read_distinct(op, op->inputs[0], WANT_ALL, err));
        TRY(read_distinct(op, op->inputs[1], WANT_ALL, err));
        break;
    case SET_EXCEPT:
        TRY(read_beside(op, WANT_MISSING, err));
        break;
    case SET_INTERSECT:
        TRY(read_beside(op, WANT_FOUND, err));
        break;
    case SET_NONE:
        return fail(err, VARVE_MISUSE, "plan", "SET without an operation");
    }
    return sort_by_all(op, err);
}

static enum varve_status set_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    return sorted_next(op, batch, set_read, err);
}

const struct op_kind op_set = {sorted_open, set_next, sorted_close};
