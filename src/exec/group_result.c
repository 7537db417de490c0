/* SPDX-License-Identifier: Apache-2.0
 *
 * group_result.c -- what an accumulator answers for a cell.
 *
 * Sums are rounded once, here.  Quantiles are exact: of all values, kept as integers in the order
 * of the doubles, the one at the place asked for is found by partitioning, not by sorting.
 * Durations stay durations, to the nanosecond.
 */
#include <math.h>

#include "exec/group_agg.h"
#include "exec/measure_private.h"

#define NANOS INT64_C(1000000000)

/* ---- sums ------------------------------------------------------------------------- */

static struct value duration_of(value_wide nanoseconds)
{
    if (nanoseconds != (int64_t)nanoseconds)
        return value_null();
    return value_int(TYPE_DURATION, (int64_t)nanoseconds);
}

/* Half away from zero. */
static value_wide mean_of_wide(value_wide sum, uint64_t count)
{
    value_wide half = count / 2;
    return sum < 0 ? -((-sum + half) / (value_wide)count) : (sum + half) / (value_wide)count;
}

static const struct fsum *
floats_of(const struct accumulator *a, const struct sum_state *s, struct fsum *made)
{
    if (s->floats || !s->has_floats)
        return s->floats ? &a->floats[s->floats - 1] : NULL;
    fsum_clear(made);
    for (uint32_t i = 0; i < s->part_count; i++)
        fsum_add(made, s->parts[i]);
    return made;
}

static struct value result_of_sum(const struct accumulator *a, uint32_t cell)
{
    const struct sum_state *s = (const struct sum_state *)a->states + cell;
    bool is_mean = a->aggregate->kind == AGGREGATE_AVG;
    struct fsum made;
    if (s->count == 0)
        return value_null();
    if (a->is_duration)
        return duration_of(is_mean ? mean_of_wide(s->ints, s->count) : s->ints);
    const struct fsum *floats = floats_of(a, s, &made);
    value_wide ints = s->has_nanos ? s->nanos + s->ints * NANOS : s->ints;
    int scale = s->has_nanos ? 9 : 0;
    return is_mean ? number_mean(ints, floats, scale, s->count) : number_sum(ints, floats, scale);
}

/* ---- all values --------------------------------------------------------------------- */

static double double_of(uint64_t key)
{
    double v;
    uint64_t bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
    if (key == UINT64_MAX)
        return (double)NAN;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static enum varve_status
gather(struct accumulator *a, const struct all_state *state, struct varve_err *err)
{
    size_t at = 0;
    TRY(mem_grow(a->mem, (void **)&a->scratch, &a->scratch_capacity, state->count,
                 sizeof *a->scratch, err));
    for (const struct chunk *chunk = state->last; chunk; chunk = chunk->next) {
        memcpy(a->scratch + at, chunk->keys, chunk->used * sizeof *chunk->keys);
        at += chunk->used;
    }
    return VARVE_OK;
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t held = *a;
    *a = *b;
    *b = held;
}

/* Puts the key that is at `place` in sorted order there, none above before it and none below behind
 * it.  Pivots are picked at random: no data makes that slow. */
static uint64_t select_key(uint64_t *keys, size_t count, size_t place)
{
    size_t low = 0, high = count; /* the place is in [low, high) */
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
    while (high - low > 1) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint64_t pivot = keys[low + (size_t)(random % (high - low))];
        size_t less = low, same = low, more = high; /* below, as, above the pivot */
        while (same < more) {
            if (keys[same] < pivot)
                swap(&keys[less++], &keys[same++]);
            else if (keys[same] > pivot)
                swap(&keys[--more], &keys[same]);
            else
                same++;
        }
        if (place < less)
            high = less;
        else if (place >= more)
            low = more;
        else
            return pivot;
    }
    return keys[place];
}

static double quantile_of(uint64_t *keys, size_t count, double quantile)
{
    double at = (quantile > 0 ? quantile < 1 ? quantile : 1 : 0) * (double)(count - 1);
    size_t below = (size_t)at;
    double part = at - (double)below, left = double_of(select_key(keys, count, below));
    if (part == 0)
        return left;
    uint64_t next = keys[below + 1];
    for (size_t i = below + 2; i < count; i++)
        next = keys[i] < next ? keys[i] : next;
    double right = double_of(next);
    return left == right ? left : left + (right - left) * part;
}

/* Of the population, around the mean, so that nothing cancels out. */
static double deviation_of(const uint64_t *keys, size_t count)
{
    struct fsum sum;
    fsum_clear(&sum);
    for (size_t i = 0; i < count; i++)
        fsum_add(&sum, double_of(keys[i]));
    double mean = fsum_result(&sum) / (double)count;
    fsum_clear(&sum);
    for (size_t i = 0; i < count; i++) {
        double distance = double_of(keys[i]) - mean;
        fsum_add(&sum, distance * distance);
    }
    return sqrt(fsum_result(&sum) / (double)count);
}

static enum varve_status result_of_all(struct accumulator *a, const struct accumulator *collected,
                                       uint32_t cell, struct value *result, struct varve_err *err)
{
    const struct all_state *state = (const struct all_state *)collected->states + cell;
    size_t count = (size_t)state->count;
    double v;
    *result = value_null();
    if (count == 0)
        return VARVE_OK;
    TRY(gather(a, state, err));
    if (a->aggregate->kind == AGGREGATE_STDDEV)
        v = deviation_of(a->scratch, count);
    else
        v = quantile_of(a->scratch, count,
                        a->aggregate->kind == AGGREGATE_MEDIAN ? 0.5 : a->aggregate->quantile);
    if (!a->is_duration)
        *result = value_float(v);
    else if (fabs(v) < 0x1p63)
        *result = value_int(TYPE_DURATION, (int64_t)round(v));
    return VARVE_OK;
}

/* ---- lists ---------------------------------------------------------------------------- */

static struct varve_str text_at(const struct accumulator *a, uint32_t at, char text[VALUE_TEXT_MAX])
{
    struct value v = accumulator_pair_value(a, a->order[at]);
    if (v.type == TYPE_TEXT)
        return value_str(v);
    return (struct varve_str){text, value_print(v, text)};
}

static uint32_t cell_of(const struct accumulator *a, uint32_t at)
{
    return (uint32_t)(a->pairs.pairs[a->order[at]] >> 32);
}

static enum varve_status result_of_set(struct accumulator *a, uint32_t cell, struct arena *arena,
                                       struct value *result, struct varve_err *err)
{
    char text[VALUE_TEXT_MAX];
    uint32_t from = a->next, end = from;
    size_t size = 0;
    *result = value_null();
    for (; end < a->pairs.count && cell_of(a, end) == cell; end++)
        size += text_at(a, end, text).size + (end > from);
    a->next = end;
    if (end == from)
        return VARVE_OK;
    if (size > UINT32_MAX)
        return fail(err, VARVE_LIMIT, "query", "a list of over 4 GiB");
    char *list = arena_alloc(arena, size + 1), *to = list;
    if (!list)
        return fail_nomem(err, size);
    for (uint32_t i = from; i < end; i++) {
        struct varve_str s = text_at(a, i, text);
        if (i > from)
            *to++ = ',';
        if (s.size)
            memcpy(to, s.data, s.size);
        to += s.size;
    }
    *result = value_text((struct varve_str){list, size});
    return VARVE_OK;
}

enum varve_status
accumulator_result(struct accumulator *all, uint32_t number, uint32_t cell, struct arena *arena,
                   struct value *result, struct varve_err *err)
{
    struct accumulator *a = &all[number];
    switch (a->kind) {
    case ACCUMULATE_COUNT:
        *result = value_int(TYPE_INT, (int64_t)((const uint64_t *)a->states)[cell]);
        return VARVE_OK;
    case ACCUMULATE_SUM:
        *result = result_of_sum(a, cell);
        return VARVE_OK;
    case ACCUMULATE_VALUE:
        *result = ((const struct value *)a->states)[cell];
        return VARVE_OK;
    case ACCUMULATE_ALL:
        return result_of_all(a, &all[a->shares], cell, result, err);
    case ACCUMULATE_SET:
        break;
    }
    return result_of_set(a, cell, arena, result, err);
}
