/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_value.c -- the value of an expression in one bucket and group, from nothing but the lists.
 */
#include "naive_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NANOS INT64_C(1000000000)

/* ---- arithmetic ------------------------------------------------------------ */

const struct varve_cell nothing = {.type = VARVE_CELL_NULL};

struct varve_cell cell_of(enum varve_cell_type type, int64_t i)
{
    return (struct varve_cell){.type = type, .as.i = i};
}

static struct varve_cell cell_float(double f)
{
    return (struct varve_cell){.type = VARVE_CELL_FLOAT, .as.f = f};
}

bool is_null(struct varve_cell c)
{
    return c.type == VARVE_CELL_NULL;
}

double number_of(struct varve_cell c)
{
    if (c.type == VARVE_CELL_FLOAT)
        return c.as.f;
    return c.type == VARVE_CELL_NANO ? (double)c.as.i / 1e9 : (double)c.as.i;
}

static int64_t nanos_of(struct varve_cell c)
{
    return c.type == VARVE_CELL_NANO ? c.as.i : c.as.i * NANOS;
}

struct varve_cell calculate(enum expr_kind kind, struct varve_cell a, struct varve_cell b)
{
    bool floats = a.type == VARVE_CELL_FLOAT || b.type == VARVE_CELL_FLOAT;
    bool nanos = a.type == VARVE_CELL_NANO || b.type == VARVE_CELL_NANO;
    int sign = kind == SUBTRACTED ? -1 : 1;
    if (is_null(a) || is_null(b) || (kind == DIVIDED && number_of(b) == 0))
        return nothing;
    if (kind == DIVIDED)
        return cell_float(number_of(a) / number_of(b));
    if (kind == MULTIPLIED && floats)
        return cell_float(number_of(a) * number_of(b));
    if (kind == MULTIPLIED)
        return cell_of(nanos ? VARVE_CELL_NANO : VARVE_CELL_INT, a.as.i * b.as.i);
    if (floats)
        return cell_float(number_of(a) + sign * number_of(b));
    if (nanos)
        return cell_of(VARVE_CELL_NANO, nanos_of(a) + sign * nanos_of(b));
    return cell_of(VARVE_CELL_INT, a.as.i + sign * b.as.i);
}

static struct varve_cell sum_of(const struct varve_cell *cells, size_t count)
{
    struct varve_cell sum = cells[0];
    for (size_t i = 1; i < count; i++)
        sum = calculate(ADDED, sum, cells[i]);
    return sum;
}

/* ---- aggregates ------------------------------------------------------------ */

/* Equal numbers of several types: an integer, a decimal, a double. */
static int compare_typed(struct varve_cell a, struct varve_cell b)
{
    int c = compare_cells(a, b);
    return c ? c : (a.type > b.type) - (a.type < b.type);
}

static int compare_pointed(const void *a, const void *b)
{
    return compare_typed(*(const struct varve_cell *)a, *(const struct varve_cell *)b);
}

static size_t distinct(struct varve_cell *cells, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(cells, count, sizeof *cells, compare_pointed);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare_cells(cells[kept - 1], cells[i]) != 0)
            cells[kept++] = cells[i];
    return kept;
}

static struct varve_cell quantile_of(struct varve_cell *cells, size_t count, double quantile)
{
    qsort(cells, count, sizeof *cells, compare_pointed);
    double at = quantile * (double)(count - 1);
    size_t below = (size_t)at, above = below + 1 < count ? below + 1 : below;
    double low = number_of(cells[below]), high = number_of(cells[above]);
    return cell_float(low + (high - low) * (at - (double)below));
}

static struct varve_cell deviation_of(const struct varve_cell *cells, size_t count)
{
    bool differ = false;
    for (size_t i = 1; i < count; i++)
        differ |= number_of(cells[i]) != number_of(cells[0]);
    if (!differ)
        return cell_float(0);
    long double mean = (long double)number_of(sum_of(cells, count)) / (long double)count, sum = 0;
    for (size_t i = 0; i < count; i++) {
        long double d = (long double)number_of(cells[i]) - mean;
        sum += d * d;
    }
    return cell_float((double)sqrtl(sum / (long double)count));
}

static struct varve_cell list_of(struct varve_cell *cells, size_t count)
{
    static char list[40000];
    char text[VARVE_CELL_TEXT_MAX];
    list[0] = '\0';
    count = distinct(cells, count);
    for (size_t i = 0; i < count; i++) {
        varve_cell_print(&cells[i], text);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? "," : "", text);
    }
    return cell_text(intern(list));
}

/* Of cells that are not NULL, in the order of time. */
static struct varve_cell
aggregate(const struct expr *e, enum aggregate kind, struct varve_cell *cells, size_t count)
{
    if (e->distinct)
        count = distinct(cells, count);
    if (kind == COUNT)
        return cell_of(VARVE_CELL_INT, (int64_t)count);
    if (count == 0)
        return nothing;
    struct varve_cell low = cells[0], high = cells[0];
    for (size_t i = 1; i < count; i++) {
        low = compare_typed(cells[i], low) < 0 ? cells[i] : low;
        high = compare_typed(cells[i], high) > 0 ? cells[i] : high;
    }
    switch (kind) {
    case MIN:
        return low;
    case MAX:
        return high;
    case AVG:
        return cell_float(number_of(sum_of(cells, count)) / (double)count);
    case MEDIAN:
        return quantile_of(cells, count, 0.5);
    case QUANTILE:
        return quantile_of(cells, count, e->quantile);
    case STDDEV:
        return deviation_of(cells, count);
    case LIST:
        return list_of(cells, count);
    case FIRST_ROW:
        return cells[0];
    case LAST_ROW:
        return cells[count - 1];
    default:
        return sum_of(cells, count);
    }
}

/* ---- roll-ups -------------------------------------------------------------- */

/* How often a gauge fell; starts of a counter less one. */
static int64_t resets_of(const struct series_list *list, const struct series *series)
{
    int64_t falls = 0, starts = 0;
    for (size_t i = 0; i < series->count; i++) {
        size_t before = 0;
        while (before < i && series->starts[before] != series->starts[i])
            before++;
        starts += before == i;
        falls += i > 0 && compare_cells(series->values[i], series->values[i - 1]) < 0;
    }
    return list->is_gauge ? falls : list->has_starts ? starts - 1 : 0;
}

static struct varve_cell roll_up(const struct expr *e, const struct series_list *list,
                                 const struct series *series, int64_t nanos)
{
    const struct varve_cell *v = series->values;
    size_t n = series->count;
    struct varve_cell low = v[0], high = v[0];
    struct varve_cell rise = list->is_gauge ? calculate(SUBTRACTED, v[n - 1], v[0]) : sum_of(v, n);
    int64_t changes = 0;
    for (size_t i = 1; i < n; i++) {
        low = compare_cells(v[i], low) < 0 ? v[i] : low;
        high = compare_cells(v[i], high) > 0 ? v[i] : high;
        changes += compare_cells(v[i], v[i - 1]) != 0;
    }
    switch (e->rollup) {
    case FIRST:
        return v[0];
    case LAST:
        return v[n - 1];
    case MIN_OF:
        return low;
    case MAX_OF:
        return high;
    case AVG_OF:
        return cell_float(number_of(sum_of(v, n)) / (double)n);
    case SEEN:
        return cell_of(VARVE_CELL_INT, (int64_t)n);
    case CHANGES:
        return cell_of(VARVE_CELL_INT, changes);
    case RESETS:
        return cell_of(VARVE_CELL_INT, resets_of(list, series));
    case RATE:
        return cell_float(number_of(rise) / ((double)nanos / 1e9));
    default:
        return rise;
    }
}

static enum aggregate natural(const struct expr *e)
{
    if (e->aggregate != NATURAL)
        return e->aggregate;
    return e->rollup == MIN_OF ? MIN : e->rollup == MAX_OF ? MAX : e->rollup == AVG_OF ? AVG : SUM;
}

/* ---- groups ---------------------------------------------------------------- */

bool same_keys(const struct select *s, const struct varve_cell *a, const struct varve_cell *b)
{
    for (size_t k = 0; k < s->key_count; k++)
        if (compare_cells(a[k], b[k]) != 0)
            return false;
    return true;
}

static bool is_kept(const struct work *w, const struct varve_cell *keys)
{
    for (size_t i = 0; w->kept && i < w->kept_count; i++)
        if (same_keys(w->select, keys, w->kept[i].keys))
            return true;
    return !w->kept;
}

/* Of a row of labels or fields; false: it is in no group that is shown. */
bool group_of(const struct work *w, const struct varve_cell *columns, struct group *group)
{
    *group = (struct group){.is_other = false};
    for (size_t k = 0; k < w->select->key_count; k++)
        group->keys[k] = columns[w->select->keys[k]];
    if (is_kept(w, group->keys))
        return true;
    *group = (struct group){.is_other = true};
    group->keys[0] = cell_text(w->other);
    return w->select->has_other;
}

bool same_group(const struct work *w, const struct group *a, const struct group *b)
{
    return a->is_other == b->is_other && same_keys(w->select, a->keys, b->keys);
}

static bool belongs(const struct work *w, const struct varve_cell *columns, const struct group *to)
{
    struct group group;
    return to->is_total || (group_of(w, columns, &group) && same_group(w, &group, to));
}

/* ---- what is measured ------------------------------------------------------ */

struct found {
    bool any;
    size_t count;
    struct varve_cell cells[4000];
};

static void find(struct found *found, struct varve_cell cell)
{
    if (!is_null(cell) && found->count < sizeof found->cells / sizeof *found->cells)
        found->cells[found->count++] = cell;
}

struct span span_of(const struct work *w, const struct expr *e, struct span bucket)
{
    const struct select *s = w->select;
    struct span span = bucket;
    if (e->has_at)
        span = (struct span){e->at - (e->window ? e->window : s->until - s->since), e->at};
    else if (e->window)
        span.from = bucket.to - e->window;
    return (struct span){span.from - e->offset, span.to - e->offset};
}

bool is_counted(const struct work *w, const struct expr *e, const struct point *p)
{
    struct varve_cell labels[LABELS];
    for (int i = 0; i < LABELS; i++)
        labels[i] = is_null(p->labels[i]) ? cell_text(intern("")) : p->labels[i];
    return condition_holds(&e->matcher, labels) == 1 &&
           condition_holds(&w->select->where, p->labels) == 1;
}

/* The next series from *at on. */
bool next_series(const struct series_list *list, struct span span, size_t *at,
                 struct series *series)
{
    while (*at < list->count) {
        series->first = &list->points[*at];
        series->count = 0;
        for (; *at < list->count && list->points[*at].series == series->first->series; ++*at) {
            const struct point *p = &list->points[*at];
            if (p->end < span.from || p->end >= span.to)
                continue;
            series->starts[series->count] = p->start;
            series->values[series->count++] = p->value;
        }
        if (series->count)
            return true;
    }
    return false;
}

static void find_measured(const struct work *w, const struct expr *e, struct span bucket,
                          const struct group *group, struct found *found)
{
    static struct series series;
    const struct series_list *list = &w->world->metrics[e->metric];
    struct span span = span_of(w, e, bucket);
    size_t at = 0;
    while (next_series(list, span, &at, &series)) {
        const struct point *p = series.first;
        if (!is_counted(w, e, p) || !belongs(w, p->labels, group))
            continue;
        found->any = true;
        if (e->filter && condition_holds(e->filter, p->labels) != 1)
            continue;
        if (e->kind == DISTINCT_LABEL)
            find(found, p->labels[e->column]);
        else
            find(found, roll_up(e, list, &series, span.to - span.from));
    }
}

static void find_rows(const struct work *w, const struct expr *e, struct span bucket,
                      const struct group *group, struct found *found)
{
    const struct select *s = w->select;
    for (size_t i = 0; i < s->from->count; i++) {
        const struct varve_cell *row = s->from->cells[i];
        if ((s->from_is_timed && (row[0].as.i < bucket.from || row[0].as.i >= bucket.to)) ||
            condition_holds(&s->where, row) != 1 || !belongs(w, row, group))
            continue;
        found->any = true;
        if (!e->filter || condition_holds(e->filter, row) == 1)
            find(found, e->column < 0 ? cell_of(VARVE_CELL_INT, 1) : row[e->column]);
    }
}

/* Every metric that the statement names, once over. */
static void find_seen(const struct work *w, const struct expr *seen, const struct expr *in,
                      struct span bucket, const struct group *group, struct found *found)
{
    struct expr as = *seen;
    if (!in)
        return;
    find_seen(w, seen, in->a, bucket, group, found);
    find_seen(w, seen, in->b, bucket, group, found);
    if (in->kind != MEASURED || in->has_at)
        return;
    as.metric = in->metric;
    as.matcher = in->matcher;
    as.offset = in->offset;
    find_measured(w, &as, bucket, group, found);
}

static void find_all(const struct work *w, const struct expr *e, struct span bucket,
                     const struct group *group, struct found *found)
{
    const struct select *s = w->select;
    found->any = false;
    found->count = 0;
    if (e->kind == MEASURED)
        find_measured(w, e, bucket, group, found);
    if (e->kind == OF_ROWS)
        find_rows(w, e, bucket, group, found);
    for (size_t i = 0; e->kind == DISTINCT_LABEL && i < s->item_count; i++)
        find_seen(w, e, s->items[i].expr, bucket, group, found);
    if (e->kind == DISTINCT_LABEL)
        find_seen(w, e, s->rank, bucket, group, found);
}

/* ---- expressions ----------------------------------------------------------- */

bool has_buckets(const struct work *w)
{
    return w->select->width.kind != NO_BUCKETS && !w->no_buckets;
}

static struct varve_cell
value_of(const struct work *w, const struct expr *e, struct span bucket, const struct group *group)
{
    static struct found found;
    bool one_row = (!has_buckets(w) || e->has_at) && (group->is_total || w->select->key_count == 0);
    find_all(w, e, bucket, group, &found);
    if (!found.any && !one_row)
        return nothing;
    if (e->kind == DISTINCT_LABEL && e->aggregate == LIST)
        return found.count ? list_of(found.cells, found.count) : nothing;
    if (e->kind == DISTINCT_LABEL)
        return cell_of(VARVE_CELL_INT, (int64_t)distinct(found.cells, found.count));
    return aggregate(e, e->kind == MEASURED ? natural(e) : e->aggregate, found.cells, found.count);
}

struct varve_cell filled(const struct fill *fill, struct varve_cell cell)
{
    if (is_null(cell) && fill->kind == FILL_WITH_NUMBER)
        return cell_of(VARVE_CELL_INT, fill->number);
    return cell;
}

/* Over all groups, and before anything is filled from neighbours; a group alone is itself. */
static struct varve_cell total_of(const struct work *w, const struct expr *e, struct span bucket,
                                  const struct group *group, const struct varve_cell *done)
{
    struct group all = {.is_total = true};
    if (w->select->key_count == 0)
        return evaluate(w, e, bucket, group, done);
    return evaluate(w, e, bucket, &all, NULL);
}

/* done: the items of the row that are known; NULL: they are to be worked out. */
struct varve_cell evaluate(const struct work *w, const struct expr *e, struct span bucket,
                           const struct group *group, const struct varve_cell *done)
{
    struct varve_cell a = nothing, b = nothing;
    switch (e->kind) {
    case NUMBER:
        return cell_of(VARVE_CELL_INT, e->number);
    case ALIAS:
        if (done)
            return done[e->number];
        return filled(&w->select->items[e->number].fill,
                      evaluate(w, w->select->items[e->number].expr, bucket, group, NULL));
    case MEASURED:
    case OF_ROWS:
    case DISTINCT_LABEL:
        return value_of(w, e, bucket, group);
    case TOTAL:
        return total_of(w, e->a, bucket, group, done);
    case SHARE:
        a = evaluate(w, e->a, bucket, group, done);
        return calculate(DIVIDED, a, total_of(w, e->a, bucket, group, done));
    case COALESCED:
        a = evaluate(w, e->a, bucket, group, done);
        return is_null(a) ? cell_of(VARVE_CELL_INT, e->number) : a;
    default:
        a = evaluate(w, e->a, bucket, group, done);
        b = evaluate(w, e->b, bucket, group, done);
        return calculate(e->kind, a, b);
    }
}
