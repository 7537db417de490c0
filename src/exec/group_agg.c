/* SPDX-License-Identifier: Apache-2.0
 *
 * group_agg.c -- taking values in.
 *
 * Integers are added in 128 bits; doubles into a few doubles that are the exact sum together, or
 * into an accumulator as wide as all doubles where these do not do.  Where all values are needed
 * they are kept as doubles, eight bytes each, and accumulators that need the same values share
 * them.  DISTINCT only notes which cell has which value; the distinct values are taken in at the
 * end, once each.
 *
 * A value that is of the wrong sort for a sum (a text, a boolean) does not count, as NULL does not.
 */
#include "exec/group_agg.h"

#include <float.h>
#include <math.h>

#include "exec/long_sort.h"

/* ---- making ---------------------- */

static enum accumulator_kind kind_of(enum aggregate_kind kind)
{
    switch (kind) {
    case AGGREGATE_SUM:
    case AGGREGATE_AVG:
        return ACCUMULATE_SUM;
    case AGGREGATE_COUNT:
        return ACCUMULATE_COUNT;
    case AGGREGATE_MEDIAN:
    case AGGREGATE_QUANTILE:
    case AGGREGATE_STDDEV:
        return ACCUMULATE_ALL;
    case AGGREGATE_LIST:
        return ACCUMULATE_SET;
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
    case AGGREGATE_FIRST:
    case AGGREGATE_LAST:
    case AGGREGATES:
        break;
    }
    return ACCUMULATE_VALUE;
}

static bool term_equal(const struct term *a, const struct term *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind)
        return false;
    if (a->kind == TERM_COLUMN)
        return a->index == b->index;
    if (a->kind == TERM_CONST)
        return a->value.type == b->value.type && value_compare(a->value, b->value) == 0;
    if (a->function != b->function || a->arg_count != b->arg_count)
        return false;
    for (uint32_t i = 0; i < a->arg_count; i++)
        if (!term_equal(a->args[i], b->args[i]))
            return false;
    return true;
}

/* The first accumulator that collects just what this one would. */
static uint32_t find_same(const struct accumulator *accumulators, uint32_t number)
{
    const struct accumulator *a = &accumulators[number];
    for (uint32_t i = 0; i < number && a->kind == ACCUMULATE_ALL; i++) {
        const struct accumulator *b = &accumulators[i];
        if (b->kind == a->kind && b->is_distinct == a->is_distinct &&
            term_equal(a->aggregate->of, b->aggregate->of) &&
            term_equal(a->aggregate->filter, b->aggregate->filter))
            return i;
    }
    return number;
}

static enum varve_status init_one(struct accumulator *a, const struct aggregate *aggregate,
                                  struct exec *exec, struct varve_err *err)
{
    *a = (struct accumulator){.aggregate = aggregate, .kind = kind_of(aggregate->kind)};
    a->mem = exec->mem;
    a->exec = exec;
    arena_init(&a->chunks, exec->mem, 1 << 14);
    pair_map_init(&a->pairs, exec->mem);
    if (!aggregate->of && a->kind != ACCUMULATE_COUNT)
        return fail(err, VARVE_MISUSE, "plan", "an aggregate of nothing");
    /* the least, the greatest, the first of some values is that of the distinct ones */
    a->is_distinct = (aggregate->distinct && aggregate->of && a->kind != ACCUMULATE_VALUE) ||
                     a->kind == ACCUMULATE_SET;
    a->is_duration = aggregate->of && aggregate->of->type == TYPE_DURATION;
    if (aggregate->of && aggregate->of->kind != TERM_COLUMN)
        TRY(exec_program(exec, aggregate->of, &a->of, err));
    if (aggregate->filter)
        TRY(exec_program(exec, aggregate->filter, &a->filter, err));
    if (a->is_distinct || a->kind == ACCUMULATE_VALUE)
        TRY(group_keys_new(exec->mem, 1, NULL, NULL, &a->numbers, err));
    return VARVE_OK;
}

enum varve_status accumulators_init(struct accumulator *accumulators, const struct node *node,
                                    struct exec *exec, struct varve_err *err)
{
    for (uint32_t i = 0; i < node->as.group.aggregate_count; i++) {
        TRY(init_one(&accumulators[i], &node->as.group.aggregates[i], exec, err));
        accumulators[i].shares = find_same(accumulators, i);
    }
    return VARVE_OK;
}

static size_t state_size(const struct accumulator *a)
{
    switch (a->kind) {
    case ACCUMULATE_COUNT:
        return sizeof(uint64_t);
    case ACCUMULATE_SUM:
        return sizeof(struct sum_state);
    case ACCUMULATE_VALUE:
        return sizeof(struct value);
    case ACCUMULATE_ALL:
        return sizeof(struct all_state);
    case ACCUMULATE_SET:
        break;
    }
    return 1;
}

void accumulators_free(struct accumulator *accumulators, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct accumulator *a = &accumulators[i];
        if (!a->mem)
            continue;
        program_free(a->of);
        program_free(a->filter);
        group_keys_free(a->numbers);
        mem_free(a->mem, a->order, a->pairs.count * sizeof *a->order);
        pair_map_free(&a->pairs);
        mem_free(a->mem, a->states, a->capacity * state_size(a));
        mem_free(a->mem, a->floats, a->float_capacity * sizeof *a->floats);
        mem_free(a->mem, a->scratch, a->scratch_capacity * sizeof *a->scratch);
        mem_free(a->mem, a->types, a->type_capacity);
        arena_free(&a->chunks);
    }
}

uint64_t accumulator_bytes(const struct accumulator *a)
{
    return a->capacity * state_size(a) + pair_map_bytes(&a->pairs) + a->type_capacity;
}

/* States of all cells; new ones are zero. */
static enum varve_status reach(struct accumulator *a, uint32_t cells, struct varve_err *err)
{
    size_t had = a->capacity, size = state_size(a);
    if (cells <= had)
        return VARVE_OK;
    TRY(mem_grow(a->mem, &a->states, &a->capacity, cells, size, err));
    memset((char *)a->states + had * size, 0, (a->capacity - had) * size);
    return VARVE_OK;
}

/* ---- one value ---------------------- */

/* Adds to the parts, exactly: what each addition rounds off becomes a part of its own.  false: that
 * takes more parts than there are, and nothing has changed. */
static bool add_part(struct sum_state *state, double x)
{
    double parts[SUM_PARTS + 1];
    uint8_t count = 0;
    for (uint32_t i = 0; i < state->part_count; i++) {
        double y = state->parts[i], sum = x + y, part = sum - x;
        double rest = (x - (sum - part)) + (y - part);
        if (rest != 0)
            parts[count++] = rest;
        x = sum;
    }
    if (x != 0)
        parts[count++] = x;
    /* NaN and infinities, and what might become one; and processors that compute in more digits */
    if (count > SUM_PARTS || !(fabs(x) < 0x1p1000) || FLT_EVAL_METHOD != 0)
        return false;
    memcpy(state->parts, parts, count * sizeof *parts);
    state->part_count = count;
    return true;
}

/* From the parts of a state to an exact sum. */
static enum varve_status
need_floats(struct accumulator *a, struct sum_state *state, struct varve_err *err)
{
    if (state->floats)
        return VARVE_OK;
    TRY(mem_grow(a->mem, (void **)&a->floats, &a->float_capacity, a->float_count + 1,
                 sizeof *a->floats, err));
    struct fsum *sum = &a->floats[a->float_count];
    fsum_clear(sum);
    for (uint32_t i = 0; i < state->part_count; i++)
        fsum_add(sum, state->parts[i]);
    state->floats = (uint32_t)++a->float_count;
    return VARVE_OK;
}

static enum varve_status
add_float(struct accumulator *a, struct sum_state *state, double v, struct varve_err *err)
{
    if (state->floats || !add_part(state, v)) {
        TRY(need_floats(a, state, err));
        fsum_add(&a->floats[state->floats - 1], v);
    }
    state->has_floats = true;
    state->count++;
    return VARVE_OK;
}

static inline void add_int(struct sum_state *state, enum value_type type, int64_t v)
{
    if (type == TYPE_NANO) {
        state->nanos += v;
        state->has_nanos = true;
    } else {
        state->ints += v;
    }
    state->count++;
}

static bool counts(const struct accumulator *a, struct value v)
{
    return a->is_duration ? v.type == TYPE_DURATION : value_is_number(v);
}

static enum varve_status
add_sum(struct accumulator *a, uint32_t cell, struct value v, struct varve_err *err)
{
    struct sum_state *state = (struct sum_state *)a->states + cell;
    if (!counts(a, v))
        return VARVE_OK;
    if (v.type == TYPE_FLOAT)
        return add_float(a, state, v.as.f, err);
    add_int(state, (enum value_type)v.type, v.as.i);
    return VARVE_OK;
}

/* -0 before 0; NaN, whatever its bits, behind all. */
static uint64_t key_of(double v)
{
    uint64_t bits;
    if (isnan(v))
        return UINT64_MAX;
    memcpy(&bits, &v, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static enum varve_status
add_key(struct accumulator *a, uint32_t cell, uint64_t key, struct varve_err *err)
{
    struct all_state *state = (struct all_state *)a->states + cell;
    struct chunk *chunk = state->last;
    if (!chunk || chunk->used == chunk->room) {
        uint32_t room = state->count < 4            ? 4
                        : state->count > CHUNK_MOST ? CHUNK_MOST
                                                    : (uint32_t)state->count;
        struct chunk *next = arena_alloc(&a->chunks, sizeof *next + room * sizeof *next->keys);
        if (!next)
            return fail_nomem(err, room * sizeof *next->keys);
        next->next = chunk;
        next->used = 0;
        next->room = room;
        chunk = state->last = next;
    }
    chunk->keys[chunk->used++] = key;
    state->count++;
    return VARVE_OK;
}

/* Durations are kept in nanoseconds, not in seconds. */
static enum varve_status
add_to_all(struct accumulator *a, uint32_t cell, struct value v, struct varve_err *err)
{
    if (!counts(a, v))
        return VARVE_OK;
    double number = v.type == TYPE_DURATION ? (double)v.as.i : value_double(v);
    return add_key(a, cell, key_of(number), err);
}

/* Values that compare equal but differ are told apart, so that the order in which they come plays
 * no part. */
static int compare_closely(struct value a, struct value b)
{
    int c = value_compare(a, b);
    if (c || a.type != b.type)
        return c ? c : (a.type > b.type) - (a.type < b.type);
    return a.type == TYPE_FLOAT ? !!signbit(b.as.f) - !!signbit(a.as.f) : 0;
}

static bool replaces(const struct accumulator *a, struct value had, struct value v)
{
    if (value_is_null(had))
        return true;
    switch (a->aggregate->kind) {
    case AGGREGATE_MIN:
        return compare_closely(v, had) < 0;
    case AGGREGATE_MAX:
        return compare_closely(v, had) > 0;
    default:
        return a->aggregate->kind == AGGREGATE_LAST;
    }
}

static enum varve_status
add_value(struct accumulator *a, uint32_t cell, struct value v, struct varve_err *err)
{
    switch (a->kind) {
    case ACCUMULATE_COUNT:
        ((uint64_t *)a->states)[cell]++;
        return VARVE_OK;
    case ACCUMULATE_SUM:
        return add_sum(a, cell, v, err);
    case ACCUMULATE_ALL:
        return add_to_all(a, cell, v, err);
    case ACCUMULATE_VALUE:
    case ACCUMULATE_SET:
        break;
    }
    return VARVE_OK;
}

/* ---- a batch ---------------------- */

/* Puts a value of a row into a cell; a text as one that stays. */
static enum varve_status
take_value(struct accumulator *a, const struct batch *batch, const struct vector *vector,
           uint32_t row, uint32_t cell, struct varve_err *err)
{
    struct value v = vector_value(vector, row), *state = (struct value *)a->states + cell;
    if (value_is_null(v) || !replaces(a, *state, v))
        return VARVE_OK;
    if (v.type == TYPE_TEXT) {
        uint32_t numbers[BATCH_ROWS];
        uint16_t selected = (uint16_t)row;
        struct batch one = *batch;
        one.selected = &selected;
        one.selected_count = 1;
        TRY(group_keys_find(a->numbers, &one, vector, numbers, err));
        v = group_keys_values(a->numbers, numbers[row])[0];
    }
    *state = v;
    return VARVE_OK;
}

static enum varve_status
note_type(struct accumulator *a, uint32_t number, uint32_t type, struct varve_err *err)
{
    if (number >= a->type_count) {
        TRY(mem_grow(a->mem, (void **)&a->types, &a->type_capacity, (size_t)number + 1, 1, err));
        memset(a->types + a->type_count, TYPES, number + 1 - a->type_count);
        a->type_count = (size_t)number + 1;
    }
    if (type < a->types[number])
        a->types[number] = (uint8_t)type;
    return VARVE_OK;
}

static enum varve_status take_distinct(struct accumulator *a, const struct cell_rows *rows,
                                       const struct vector *vector, struct varve_err *err)
{
    const struct batch *batch = rows->batch;
    uint32_t numbers[BATCH_ROWS], n = batch_count(batch), pair;
    TRY(group_keys_find(a->numbers, batch, vector, numbers, err));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(batch, i);
        struct value v = vector_value(vector, row);
        if (value_is_null(v))
            continue;
        TRY(note_type(a, numbers[row], v.type, err));
        TRY(pair_map_number(&a->pairs, rows->cells[row], numbers[row], &pair, err));
    }
    return VARVE_OK;
}

static inline bool is_there(const struct vector *v, uint32_t row)
{
    return !v->present || (v->present[row / 64] >> (row % 64) & 1);
}

static void sum_ints(struct accumulator *a, const struct cell_rows *rows, const struct vector *v)
{
    struct sum_state *states = a->states;
    uint32_t n = batch_count(rows->batch);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(rows->batch, i);
        if (is_there(v, row))
            add_int(&states[rows->cells[row]], v->type, v->ints[row]);
    }
}

static void count_rows(struct accumulator *a, const struct cell_rows *rows)
{
    uint64_t *states = a->states;
    uint32_t n = batch_count(rows->batch);
    for (uint32_t i = 0; i < n; i++)
        states[rows->cells[batch_row(rows->batch, i)]]++;
}

static enum varve_status take_vector(struct accumulator *a, const struct cell_rows *rows,
                                     const struct vector *vector, struct varve_err *err)
{
    uint32_t n = batch_count(rows->batch);
    bool is_int = vector->form == VECTOR_INTS;
    if (a->is_distinct)
        return take_distinct(a, rows, vector, err);
    if (a->kind == ACCUMULATE_SUM && is_int && counts(a, value_int(vector->type, 0))) {
        sum_ints(a, rows, vector);
        return VARVE_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(rows->batch, i), cell = rows->cells[row];
        if (a->kind == ACCUMULATE_VALUE) {
            TRY(take_value(a, rows->batch, vector, row, cell, err));
            continue;
        }
        struct value v = vector_value(vector, row);
        if (!value_is_null(v))
            TRY(add_value(a, cell, v, err));
    }
    return VARVE_OK;
}

enum varve_status
accumulator_take(struct accumulator *a, const struct cell_rows *rows, struct varve_err *err)
{
    uint16_t selected[BATCH_ROWS];
    struct batch batch = *rows->batch;
    struct cell_rows filtered = {&batch, rows->cells, rows->cell_count};
    const struct term *of = a->aggregate->of;
    struct vector vector;
    TRY(reach(a, rows->cell_count, err));
    if (a->filter) {
        TRY(program_select(a->filter, &batch, selected, &batch.selected_count, err));
        batch.selected = selected;
    }
    if (!of) {
        count_rows(a, &filtered);
        return VARVE_OK;
    }
    if (a->of)
        TRY(program_run(a->of, &batch, &vector, err));
    else
        vector = batch.columns[of->index];
    return take_vector(a, &filtered, &vector, err);
}

/* ---- those of another one ---------------------- */

void accumulator_adopt(struct accumulator *a, struct accumulator *from)
{
    struct accumulator had = *a;
    *a = *from;
    *from = had;
    from->of = a->of;
    from->filter = a->filter;
    from->exec = a->exec;
    a->of = had.of;
    a->filter = had.filter;
    a->exec = had.exec;
}

static enum varve_status
merge_sum(struct accumulator *a, struct sum_state *state, const struct accumulator *from,
          const struct sum_state *add, struct varve_err *err)
{
    uint64_t count = state->count + add->count;
    for (uint32_t i = 0; !add->floats && i < add->part_count; i++)
        TRY(add_float(a, state, add->parts[i], err));
    if (add->floats) {
        TRY(need_floats(a, state, err));
        fsum_merge(&a->floats[state->floats - 1], &from->floats[add->floats - 1]);
    }
    state->ints += add->ints;
    state->nanos += add->nanos;
    state->count = count;
    state->has_nanos |= add->has_nanos;
    state->has_floats |= add->has_floats;
    return VARVE_OK;
}

static enum varve_status
merge_all(struct accumulator *a, uint32_t cell, const struct all_state *add, struct varve_err *err)
{
    for (const struct chunk *chunk = add->last; chunk; chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->used; i++)
            TRY(add_key(a, cell, chunk->keys[i], err));
    return VARVE_OK;
}

static enum varve_status
merge_value(struct accumulator *a, uint32_t cell, struct value v, struct varve_err *err)
{
    const struct batch one = {.rows = 1};
    const struct vector vector = {.form = VECTOR_CONST, .value = v};
    return take_value(a, &one, &vector, 0, cell, err);
}

static enum varve_status
merge_state(struct accumulator *a, uint32_t cell, const struct accumulator *from, uint32_t number,
            struct varve_err *err)
{
    switch (a->kind) {
    case ACCUMULATE_COUNT:
        ((uint64_t *)a->states)[cell] += ((const uint64_t *)from->states)[number];
        return VARVE_OK;
    case ACCUMULATE_SUM:
        return merge_sum(a, (struct sum_state *)a->states + cell, from,
                         (const struct sum_state *)from->states + number, err);
    case ACCUMULATE_VALUE:
        return merge_value(a, cell, ((const struct value *)from->states)[number], err);
    case ACCUMULATE_ALL:
        return merge_all(a, cell, (const struct all_state *)from->states + number, err);
    case ACCUMULATE_SET:
        break;
    }
    return VARVE_OK;
}

static enum varve_status
merge_pairs(struct accumulator *a, const struct accumulator *from, const uint32_t *cells,
            const uint32_t *numbers, struct varve_err *err)
{
    for (uint32_t i = 0; i < from->pairs.count; i++) {
        uint32_t cell = (uint32_t)(from->pairs.pairs[i] >> 32), pair;
        uint32_t number = (uint32_t)from->pairs.pairs[i];
        TRY(note_type(a, numbers[number], from->types[number], err));
        TRY(pair_map_number(&a->pairs, cells[cell], numbers[number], &pair, err));
        if (i % BATCH_ROWS == 0)
            TRY(exec_check(a->exec, err));
    }
    return VARVE_OK;
}

static enum varve_status merge_distinct(struct accumulator *a, const struct accumulator *from,
                                        const uint32_t *cells, struct varve_err *err)
{
    size_t size = (group_keys_count(from->numbers) + (size_t)1) * sizeof(uint32_t);
    uint32_t *numbers = mem_alloc(a->mem, size);
    if (!numbers)
        return fail_nomem(err, size);
    enum varve_status status = group_keys_merge(a->numbers, from->numbers, numbers, err);
    if (status == VARVE_OK)
        status = merge_pairs(a, from, cells, numbers, err);
    mem_free(a->mem, numbers, size);
    return status;
}

enum varve_status
accumulator_merge(struct accumulator *a, const struct accumulator *from, const uint32_t *cells,
                  uint32_t count, uint32_t cell_count, struct varve_err *err)
{
    TRY(reach(a, cell_count, err));
    if (a->is_distinct)
        return merge_distinct(a, from, cells, err);
    for (uint32_t i = 0; i < count && i < from->capacity; i++) {
        TRY(merge_state(a, cells[i], from, i, err));
        if (i % BATCH_ROWS == 0)
            TRY(exec_check(a->exec, err));
    }
    return VARVE_OK;
}

/* ---- the end ---------------------- */

/* Equal values of several types stand as the least of these, zeros as +0. */
static struct value retype(struct value v, uint8_t type)
{
    if (v.type == TYPE_FLOAT && v.as.f == 0)
        v.as.f = 0;
    if (v.type == type || !value_is_number(v))
        return v;
    if (type == TYPE_INT)
        return value_int(TYPE_INT,
                         v.type == TYPE_NANO ? v.as.i / INT64_C(1000000000) : (int64_t)v.as.f);
    /* 1e-9 is 2^-9 * 5^-9: a double that is a multiple of it is one of 2^-9 */
    return value_int(TYPE_NANO, v.type == TYPE_INT ? v.as.i * INT64_C(1000000000)
                                                   : (int64_t)(v.as.f * 512) * 1953125);
}

struct value accumulator_pair_value(const struct accumulator *a, uint32_t pair)
{
    uint32_t number = (uint32_t)a->pairs.pairs[pair];
    return retype(group_keys_values(a->numbers, number)[0], a->types[number]);
}

static int compare_pairs(const void *context, const void *one, const void *other)
{
    const struct accumulator *a = context;
    uint32_t x = *(const uint32_t *)one, y = *(const uint32_t *)other;
    uint32_t left = (uint32_t)(a->pairs.pairs[x] >> 32);
    uint32_t right = (uint32_t)(a->pairs.pairs[y] >> 32);
    if (left != right)
        return left < right ? -1 : 1;
    return value_compare(accumulator_pair_value(a, x), accumulator_pair_value(a, y));
}

static enum varve_status sort_pairs(struct accumulator *a, struct varve_err *err)
{
    size_t count = a->pairs.count, bytes = count * sizeof *a->order;
    if (count == 0)
        return VARVE_OK;
    a->order = mem_alloc(a->mem, bytes);
    if (!a->order)
        return fail_nomem(err, bytes);
    for (uint32_t i = 0; i < count; i++)
        a->order[i] = i;
    return long_sort(a->exec, a->order, count, sizeof *a->order, compare_pairs, a, err);
}

enum varve_status
accumulator_finish(struct accumulator *a, uint32_t cell_count, struct varve_err *err)
{
    TRY(reach(a, cell_count, err));
    if (a->kind == ACCUMULATE_SET)
        return sort_pairs(a, err);
    for (uint32_t i = 0; a->is_distinct && i < a->pairs.count; i++)
        TRY(add_value(a, (uint32_t)(a->pairs.pairs[i] >> 32), accumulator_pair_value(a, i), err));
    return VARVE_OK;
}
