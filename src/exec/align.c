/* SPDX-License-Identifier: Apache-2.0
 *
 * align.c -- ALIGN: several grouped tables become one, joined on bucket and keys (R1).
 *
 * Inputs that add rows are joined FULL OUTER: each of their rows finds the row of its key, or makes
 * it.  When all keys are known, each of the others is read and gives its values to the rows that
 * match in what it has of the key: a total by bucket to all groups of the bucket, a rank by keys to
 * all buckets of the group.  What no input has is NULL.
 *
 * Keys are equal as value_compare has it, and NULL is a key like any other.  The result is sorted
 * by bucket and keys, so that it does not depend on the order of the inputs' rows (R7).  Without
 * keys and buckets it is one row, also of inputs that are empty.
 */
#include "exec/exec.h"
#include "exec/row_index.h"

struct align {
    struct relation rows, other; /* the result; an input that adds no rows */
    struct row_index index, other_index;
    bool is_read;
    uint64_t at;
};

/* Where the columns of an input are, in it and in the result. */
struct layout {
    uint32_t key_at, key_count; /* of the key, in the result; in the input they come first */
    uint32_t values_at, value_count;
};

static uint32_t key_width(const struct node *node)
{
    return (node->has_bucket ? 1 : 0) + node->key_count;
}

static struct layout layout_of(const struct node *node, uint32_t input)
{
    struct layout layout = {.values_at = key_width(node)};
    for (uint32_t i = 0; i <= input; i++) {
        bool has_bucket = node->has_bucket && node->as.align.inputs[i].has_bucket;
        uint32_t keys = node->as.align.inputs[i].has_keys ? node->key_count : 0;
        layout.values_at += layout.value_count;
        layout.key_at = node->has_bucket && !has_bucket && keys ? 1 : 0;
        layout.key_count = (has_bucket ? 1 : 0) + keys;
        uint32_t columns = node->inputs[i]->column_count;
        layout.value_count = columns > layout.key_count ? columns - layout.key_count : 0;
    }
    return layout;
}

static enum varve_status check_inputs(const struct node *node, struct varve_err *err)
{
    uint32_t columns = key_width(node);
    for (uint32_t i = 0; i < node->input_count; i++) {
        struct layout layout = layout_of(node, i);
        if (node->inputs[i]->column_count < layout.key_count)
            return fail(err, VARVE_MISUSE, "plan", "input %u of ALIGN lacks columns of the key", i);
        if (node->as.align.inputs[i].adds_rows && layout.key_count != key_width(node))
            return fail(err, VARVE_MISUSE, "plan",
                        "input %u of ALIGN adds rows but has a part of the key only", i);
        columns = layout.values_at + layout.value_count;
    }
    if (columns != node->column_count)
        return fail(err, VARVE_MISUSE, "plan", "ALIGN has %u columns, not %u", node->column_count,
                    columns);
    return VARVE_OK;
}

static enum varve_status align_open(struct op *op, struct varve_err *err)
{
    TRY(check_inputs(op->node, err));
    struct align *state = arena_zalloc(&op->exec->arena, sizeof *state);
    if (!state)
        return fail_nomem(err, sizeof *state);
    op->state = state;
    op_relation(op, &state->rows, op->node->column_count);
    row_index_init(&state->index, op->exec->mem, &state->rows, 0, key_width(op->node));
    return VARVE_OK;
}

static void align_close(struct op *op)
{
    struct align *state = op->state;
    if (!state)
        return;
    row_index_free(&state->index);
    row_index_free(&state->other_index);
    relation_free(&state->rows);
    relation_free(&state->other);
}

/* The row of the result that has this key, made if there is none. */
static enum varve_status
row_of_key(struct align *state, const struct value *key, uint64_t *row, struct varve_err *err)
{
    *row = row_index_find(&state->index, key);
    if (*row != NO_ROW)
        return VARVE_OK;
    struct value *made = relation_add(&state->rows, err);
    if (!made)
        return VARVE_NOMEM;
    for (uint32_t c = 0; c < state->index.count; c++) {
        struct value value = key[c];
        TRY(relation_own(&state->rows, &value, err));
        made[c] = value;
    }
    *row = state->rows.rows - 1;
    return row_index_add(&state->index, *row, err);
}

static enum varve_status
add_batch(struct align *state, const struct batch *batch, const struct layout *layout,
          struct value *key, struct varve_err *err)
{
    for (uint32_t i = 0; i < batch_count(batch); i++) {
        uint32_t at = batch_row(batch, i);
        uint64_t row;
        for (uint32_t c = 0; c < layout->key_count; c++)
            key[c] = vector_value(&batch->columns[c], at);
        TRY(row_of_key(state, key, &row, err));
        for (uint32_t c = 0; c < layout->value_count; c++) {
            struct value value = vector_value(&batch->columns[layout->key_count + c], at);
            TRY(relation_own(&state->rows, &value, err));
            relation_row(&state->rows, row)[layout->values_at + c] = value;
        }
    }
    return VARVE_OK;
}

static enum varve_status add_input(struct op *op, uint32_t input, struct varve_err *err)
{
    struct layout layout = layout_of(op->node, input);
    size_t size = (layout.key_count + 1) * sizeof(struct value);
    struct value *key = arena_alloc(&op->exec->arena, size);
    if (!key)
        return fail_nomem(err, size);
    struct batch batch;
    enum varve_status status;
    while ((status = op_next(op->inputs[input], &batch, err)) == VARVE_OK)
        TRY(add_batch(op->state, &batch, &layout, key, err));
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* Gives the values of an input that adds no rows to the rows that are there. */
static enum varve_status look_up_input(struct op *op, uint32_t input, struct varve_err *err)
{
    struct align *state = op->state;
    struct layout layout = layout_of(op->node, input);
    TRY(op_collect(op->inputs[input], &state->other, err));
    row_index_init(&state->other_index, op->exec->mem, &state->other, 0, layout.key_count);
    TRY(row_index_add_all(&state->other_index, err));
    for (uint64_t i = 0; i < state->rows.rows; i++) {
        struct value *row = relation_row(&state->rows, i);
        uint64_t found = row_index_find(&state->other_index, row + layout.key_at);
        for (uint32_t c = 0; found != NO_ROW && c < layout.value_count; c++) {
            struct value value = relation_row(&state->other, found)[layout.key_count + c];
            TRY(relation_own(&state->rows, &value, err));
            row[layout.values_at + c] = value;
        }
        if (i % BATCH_ROWS == 0)
            TRY(exec_check(op->exec, err));
    }
    op_bytes(op, relation_bytes(&state->rows) + relation_bytes(&state->other));
    row_index_free(&state->other_index);
    relation_free(&state->other);
    return VARVE_OK;
}

static enum varve_status align_read(struct op *op, struct varve_err *err)
{
    struct align *state = op->state;
    const struct align_input *inputs = op->node->as.align.inputs;
    uint64_t row;
    if (key_width(op->node) == 0)
        TRY(row_of_key(state, NULL, &row, err));
    for (uint32_t i = 0; i < op->node->input_count; i++)
        if (inputs[i].adds_rows)
            TRY(add_input(op, i, err));
    for (uint32_t i = 0; i < op->node->input_count; i++)
        if (!inputs[i].adds_rows)
            TRY(look_up_input(op, i, err));
    op_bytes(op, relation_bytes(&state->rows));
    row_index_free(&state->index);
    return relation_sort(&state->rows, NULL, NULL, 0, err);
}

static enum varve_status align_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct align *state = op->state;
    if (!state->is_read)
        TRY(align_read(op, err));
    state->is_read = true;
    TRY(relation_batch(&state->rows, state->at, batch, err));
    state->at += batch->rows;
    return VARVE_OK;
}

const struct op_kind op_align = {align_open, align_next, align_close};
