/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_aggregate.c -- from the values of the series of a group to one.
 *
 * All values are at hand, so every aggregate is exact: sums are rounded once, quantiles come from
 * sorted values.  Nothing depends on the order in which values came (L2).
 */
#include <math.h>

#include "exec/long_sort.h"
#include "exec/measure_private.h"

static int compare_values(const void *context, const void *a, const void *b)
{
    (void)context;
    const struct value *x = a, *y = b;
    int c = value_compare(*x, *y);
    return c ? c : (x->type > y->type) - (x->type < y->type);
}

static size_t distinct(struct value *values, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || value_compare(values[kept - 1], values[i]) != 0)
            values[kept++] = values[i];
    return kept;
}

/* ---- sums ----------------------------------------------------------------------- */

#define NANOS INT64_C(1000000000)

struct total {
    i128 ints, nanos;
    struct fsum floats;
    bool has_floats, has_nanos;
};

static void add_up(struct total *t, const struct value *values, size_t count)
{
    t->ints = t->nanos = 0;
    t->has_floats = t->has_nanos = false;
    fsum_clear(&t->floats);
    for (size_t i = 0; i < count; i++) {
        if (values[i].type == TYPE_FLOAT) {
            fsum_add(&t->floats, values[i].as.f);
            t->has_floats = true;
        } else if (values[i].type == TYPE_NANO) {
            t->nanos += values[i].as.i;
            t->has_nanos = true;
        } else if (values[i].type == TYPE_INT) {
            t->ints += values[i].as.i;
        }
    }
    if (t->has_nanos)
        t->nanos += t->ints * NANOS;
}

static struct value sum_of(const struct value *values, size_t count)
{
    struct total t;
    add_up(&t, values, count);
    return number_sum(t.has_nanos ? t.nanos : t.ints, t.has_floats ? &t.floats : NULL,
                      t.has_nanos ? 9 : 0);
}

static struct value mean_of(const struct value *values, size_t count)
{
    struct total t;
    add_up(&t, values, count);
    return number_mean(t.has_nanos ? t.nanos : t.ints, t.has_floats ? &t.floats : NULL,
                       t.has_nanos ? 9 : 0, count);
}

static struct value deviation_of(const struct value *values, size_t count)
{
    double mean = mean_of(values, count).as.f;
    struct fsum squares;
    fsum_clear(&squares);
    for (size_t i = 0; i < count; i++) {
        double d = value_double(values[i]) - mean;
        fsum_add(&squares, d * d);
    }
    return value_float(sqrt(fsum_result(&squares) / (double)count));
}

/* ---- from sorted values ------------------------------------------------------------ */

static struct value quantile_of(const struct value *values, size_t count, double q)
{
    double at = (q > 0 ? q < 1 ? q : 1 : 0) * (double)(count - 1);
    size_t below = (size_t)at;
    double a = value_double(values[below]), part = at - (double)below;
    if (part == 0)
        return value_float(a);
    double b = value_double(values[below + 1]);
    return value_float(a == b ? a : a + (b - a) * part);
}

static struct varve_str text_of(const struct value *value, char text[VALUE_TEXT_MAX])
{
    if (value->type == TYPE_TEXT)
        return value_str(*value);
    return (struct varve_str){text, value_print(*value, text)};
}

static enum varve_status list_of(const struct value *values, size_t count, struct arena *arena,
                                 struct value *result, struct varve_err *err)
{
    char text[VALUE_TEXT_MAX];
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += text_of(&values[i], text).size + (i > 0);
    if (size > UINT32_MAX)
        return fail(err, VARVE_LIMIT, "query", "a list of over 4 GiB");
    char *list = arena_alloc(arena, size + 1), *at = list;
    if (!list)
        return fail_nomem(err, size);
    for (size_t i = 0; i < count; i++) {
        struct varve_str s = text_of(&values[i], text);
        if (i > 0)
            *at++ = ',';
        memcpy(at, s.data, s.size);
        at += s.size;
    }
    *result = value_text((struct varve_str){list, size});
    return VARVE_OK;
}

static bool needs_order(const struct aggregate *a)
{
    return a->distinct || a->kind == AGGREGATE_MEDIAN || a->kind == AGGREGATE_QUANTILE ||
           a->kind == AGGREGATE_LIST;
}

static struct value extreme_of(const struct value *values, size_t count, int sign)
{
    struct value best = values[0];
    for (size_t i = 1; i < count; i++)
        if (compare_values(NULL, &values[i], &best) * sign > 0)
            best = values[i];
    return best;
}

enum varve_status
aggregate_values(struct exec *exec, const struct aggregate *a, struct value *values, size_t count,
                 struct arena *arena, struct value *result, struct varve_err *err)
{
    if (needs_order(a))
        TRY(long_sort(exec, values, count, sizeof *values, compare_values, NULL, err));
    if (count > 0 && (a->distinct || a->kind == AGGREGATE_LIST))
        count = distinct(values, count);
    *result = a->kind == AGGREGATE_COUNT ? value_int(TYPE_INT, (int64_t)count) : value_null();
    if (count == 0)
        return VARVE_OK;
    switch (a->kind) {
    case AGGREGATE_SUM:
        *result = sum_of(values, count);
        break;
    case AGGREGATE_AVG:
        *result = mean_of(values, count);
        break;
    case AGGREGATE_MIN:
        *result = extreme_of(values, count, -1);
        break;
    case AGGREGATE_MAX:
        *result = extreme_of(values, count, 1);
        break;
    case AGGREGATE_MEDIAN:
        *result = quantile_of(values, count, 0.5);
        break;
    case AGGREGATE_QUANTILE:
        *result = quantile_of(values, count, a->quantile);
        break;
    case AGGREGATE_STDDEV:
        *result = deviation_of(values, count);
        break;
    case AGGREGATE_LIST:
        return list_of(values, count, arena, result, err);
    case AGGREGATE_COUNT:
    case AGGREGATE_FIRST:
    case AGGREGATE_LAST:
    case AGGREGATES:
        break;
    }
    return VARVE_OK;
}
