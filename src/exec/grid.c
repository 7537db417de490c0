/* SPDX-License-Identifier: Apache-2.0
 *
 * grid.c -- GRID and SHIFT: rows and the buckets of a range.
 *
 * GRID gives each group a row in each bucket of the range.  Its input is sorted by bucket and keys,
 * its groups are the distinct keys, sorted; then both are walked together, bucket by bucket, and
 * where the input has no row for a group, a row of NULLs is made up on the way out.  So the memory
 * is that of the input, however many buckets there are.  Rows that are in none of the buckets, or
 * twice in one, come out as they are.  Without keys there is one group, also of an empty input.
 *
 * SHIFT gives the rows of the n-th bucket of one range the time of the n-th of another, by number
 * and not by distance, because months and days of a change of the clock are not equally long.
 */
#include "exec/buckets.h"
#include "exec/exec.h"
#include "exec/row_index.h"

struct grid {
    struct relation rows, groups, out;
    struct buckets buckets;
    uint32_t bucket; /* the walk: the next bucket and group, and the next row of the input */
    uint64_t group, row;
    bool is_read;
};

static enum varve_status
make_buckets(struct op *op, const struct bucket *bucket, struct time_range range,
             struct buckets *buckets, struct varve_err *err)
{
    const struct zone *zone;
    TRY(exec_zone(op->exec, bucket->zone, &zone, err));
    return buckets_make(bucket, zone, range, &op->exec->arena, buckets, err);
}

static enum varve_status check_columns(const struct node *node, struct varve_err *err)
{
    if (node->has_bucket && node->column_count == node->inputs[0]->column_count &&
        node->key_count < node->column_count)
        return VARVE_OK;
    return fail(err, VARVE_MISUSE, "plan", "rows of buckets need a column of time and their keys");
}

static enum varve_status grid_open(struct op *op, struct varve_err *err)
{
    TRY(check_columns(op->node, err));
    struct grid *state = arena_zalloc(&op->exec->arena, sizeof *state);
    if (!state)
        return fail_nomem(err, sizeof *state);
    op->state = state;
    op_relation(op, &state->groups, op->node->key_count);
    op_relation(op, &state->out, op->node->column_count);
    return make_buckets(op, &op->node->as.grid.bucket, op->node->as.grid.range, &state->buckets,
                        err);
}

static void grid_close(struct op *op)
{
    struct grid *state = op->state;
    if (!state)
        return;
    relation_free(&state->rows);
    relation_free(&state->groups);
    relation_free(&state->out);
}

/* The distinct keys of the rows, sorted; their texts are those of the rows. */
static enum varve_status find_groups(struct op *op, struct row_index *index, struct varve_err *err)
{
    struct grid *state = op->state;
    uint32_t keys = op->node->key_count;
    for (uint64_t i = 0; i < state->rows.rows; i++) {
        const struct value *key = relation_row(&state->rows, i) + 1;
        if (row_index_find(index, key) != NO_ROW)
            continue;
        struct value *group = relation_add(&state->groups, err);
        if (!group)
            return VARVE_NOMEM;
        if (keys)
            memcpy(group, key, keys * sizeof *key);
        TRY(row_index_add(index, state->groups.rows - 1, err));
    }
    if (keys == 0 && state->groups.rows == 0 && !relation_add(&state->groups, err))
        return VARVE_NOMEM;
    return relation_sort(&state->groups, NULL, NULL, 0, err);
}

static enum varve_status grid_read(struct op *op, struct varve_err *err)
{
    struct grid *state = op->state;
    struct row_index index;
    TRY(op_collect(op->inputs[0], &state->rows, err));
    TRY(relation_sort(&state->rows, NULL, NULL, 0, err));
    row_index_init(&index, op->exec->mem, &state->groups, 0, op->node->key_count);
    enum varve_status status = find_groups(op, &index, err);
    row_index_free(&index);
    op_bytes(op, relation_bytes(&state->rows) + relation_bytes(&state->groups));
    return status;
}

static bool walk_ended(const struct grid *state)
{
    return state->bucket >= state->buckets.count || state->groups.rows == 0;
}

/* Whether the next row of the input comes before (-1), at (0) or after (1) the walk's place. */
static int compare_place(const struct grid *state)
{
    if (state->row >= state->rows.rows)
        return 1;
    if (walk_ended(state))
        return -1;
    const struct value *row = relation_row(&state->rows, state->row);
    const struct value *key = relation_row(&state->groups, state->group);
    int c = value_compare(row[0], value_int(TYPE_TIME, state->buckets.starts[state->bucket]));
    for (uint32_t i = 0; c == 0 && i < state->groups.columns; i++)
        c = value_compare(row[1 + i], key[i]);
    return c < 0 ? -1 : c > 0;
}

static void walk_on(struct grid *state)
{
    if (++state->group < state->groups.rows)
        return;
    state->group = 0;
    state->bucket++;
}

/* The next row of the result. */
static void grid_row(struct grid *state, struct value *out)
{
    int place = compare_place(state);
    uint32_t keys = state->groups.columns;
    if (place <= 0)
        memcpy(out, relation_row(&state->rows, state->row++), state->rows.columns * sizeof *out);
    if (place > 0) {
        out[0] = value_int(TYPE_TIME, state->buckets.starts[state->bucket]);
        if (keys)
            memcpy(out + 1, relation_row(&state->groups, state->group), keys * sizeof *out);
    }
    if (place >= 0)
        walk_on(state);
}

static enum varve_status grid_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct grid *state = op->state;
    if (!state->is_read)
        TRY(grid_read(op, err));
    state->is_read = true;
    relation_clear(&state->out);
    while (state->out.rows < BATCH_ROWS && (state->row < state->rows.rows || !walk_ended(state))) {
        struct value *out = relation_add(&state->out, err);
        if (!out)
            return VARVE_NOMEM;
        grid_row(state, out);
    }
    return relation_batch(&state->out, 0, batch, err);
}

const struct op_kind op_grid = {grid_open, grid_next, grid_close};

/* ---- SHIFT ---------------------------------------- */

struct shift {
    struct buckets from, to;
    struct vector *columns;
    struct value times[BATCH_ROWS];
    uint16_t selected[BATCH_ROWS];
};

static enum varve_status shift_open(struct op *op, struct varve_err *err)
{
    const struct node *node = op->node;
    TRY(check_columns(node, err));
    struct shift *state = arena_zalloc(&op->exec->arena, sizeof *state);
    if (!state)
        return fail_nomem(err, sizeof *state);
    op->state = state;
    size_t size = node->column_count * sizeof *state->columns;
    state->columns = arena_zalloc(&op->exec->arena, size);
    if (!state->columns)
        return fail_nomem(err, size);
    TRY(make_buckets(op, &node->as.shift.bucket, node->as.shift.from, &state->from, err));
    return make_buckets(op, &node->as.shift.bucket, node->as.shift.to, &state->to, err);
}

/* The bucket in which a time is, also where it is the bucket's start and before the range. */
static uint32_t bucket_of(const struct buckets *buckets, int64_t time)
{
    uint32_t low = 0, high = buckets->count;
    if (!high || time < buckets->starts[0] || time >= buckets->starts[high])
        return UINT32_MAX;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (buckets->starts[middle] <= time)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void shift_batch(struct shift *state, struct batch *batch)
{
    uint32_t count = 0;
    memcpy(state->columns, batch->columns, batch->column_count * sizeof *state->columns);
    for (uint32_t i = 0; i < batch_count(batch); i++) {
        uint32_t row = batch_row(batch, i);
        struct value time = vector_value(&batch->columns[0], row);
        uint32_t bucket = time.type == TYPE_TIME ? bucket_of(&state->from, time.as.i) : UINT32_MAX;
        if (bucket >= state->to.count)
            continue;
        state->times[row] = value_int(TYPE_TIME, state->to.starts[bucket]);
        state->selected[count++] = (uint16_t)row;
    }
    state->columns[0] = (struct vector){.form = VECTOR_VALUES, .values = state->times};
    batch->columns = state->columns;
    batch->selected = state->selected;
    batch->selected_count = count;
}

static enum varve_status shift_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    do {
        TRY(op_next(op->inputs[0], batch, err));
        shift_batch(op->state, batch);
    } while (batch->selected_count == 0);
    return VARVE_OK;
}

static void shift_close(struct op *op)
{
    (void)op; /* all of it is in the arena */
}

const struct op_kind op_shift = {shift_open, shift_next, shift_close};
