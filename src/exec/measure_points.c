/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_points.c -- the way of what needs the points of a series in order.
 *
 * first, last, min_of, max_of, avg_of, changes, resets, and what a gauge rose by, are functions of
 * the points of one series in one bucket or window.  A series comes in runs of several segments, so
 * points are collected, run behind run, and put together series by series when everything was
 * read.  Mostly they are in order then; where they are not they are sorted by all that a point
 * is, so that the answer does not depend on where rows lay.
 *
 * Most functions need few of the points of a run in a bucket: the first, the last, the least or the
 * greatest; those are picked as the run is read, and the others forgotten.  For a mean they are
 * added up.  Where a window holds points of several buckets, where changes or resets are counted
 * and where there are adjustments, all points are kept.
 *
 * An adjustment takes from the increment of the same (start, end) before anything is measured.
 */

#include "exec/long_sort.h"
#include "exec/measure_private.h"
#include "exec/scan_adjust.h"

struct point {
    int64_t end, start;
    union {
        int64_t i;
        double f;
    } as;
    uint8_t form;
    bool is_float;
};
/* The points of one run. */
struct piece {
    struct point *points;
    uint32_t count, next; /* next + 1 of the unit; 0: none */
};
struct chain {
    uint32_t first, last; /* piece + 1; 0: none */
};
struct points {
    struct arena all;      /* they never move, so that they take no more than their own room */
    struct point *at_hand; /* those of one unit */
    size_t room;
    struct piece *pieces;
    size_t piece_count, piece_capacity;
    struct chain *chains; /* by unit */
    size_t chain_count, chain_capacity;
    struct points *others; /* whose points are in pieces of these */
};

static int64_t form_rank(const struct point *p)
{
    return p->form == VARVE_FORM_ADJUSTMENT ? VARVE_FORM_CUMULATIVE : p->form;
}

static int compare_points(const void *context, const void *left, const void *right)
{
    (void)context;
    const struct point *a = left, *b = right;
    const int64_t x[] = {a->end, a->start, form_rank(a), a->is_float, a->form, a->as.i};
    const int64_t y[] = {b->end, b->start, form_rank(b), b->is_float, b->form, b->as.i};
    size_t i = 0;
    while (i < 5 && x[i] == y[i])
        i++;
    return (x[i] > y[i]) - (x[i] < y[i]);
}

static struct value value_of(const struct measure *m, const struct point *p)
{
    if (p->is_float)
        return value_float(p->as.f);
    return value_int(m->scale ? TYPE_NANO : TYPE_INT, p->as.i);
}

enum varve_status points_new(struct measure *m, struct varve_err *err)
{
    m->points = mem_zalloc(m->exec->mem, sizeof *m->points);
    if (!m->points)
        return fail_nomem(err, sizeof *m->points);
    arena_init(&m->points->all, m->exec->mem, 1 << 16);
    return VARVE_OK;
}

void points_free(struct points *p, struct mem *mem)
{
    if (!p)
        return;
    points_free(p->others, mem);
    arena_free(&p->all);
    mem_free(mem, p->at_hand, p->room * sizeof *p->at_hand);
    mem_free(mem, p->pieces, p->piece_capacity * sizeof *p->pieces);
    mem_free(mem, p->chains, p->chain_capacity * sizeof *p->chains);
    mem_free(mem, p, sizeof *p);
}

/* ---- collecting ------------------------------------------------------------------ */

/* Puts points behind those that the unit has. */
static enum varve_status add_piece(struct measure *m, uint32_t unit, struct point *points,
                                   uint32_t count, struct varve_err *err)
{
    struct points *p = m->points;
    struct mem *mem = m->exec->mem;
    if (p->piece_count >= UINT32_MAX - 1)
        return fail(err, VARVE_LIMIT, "query", "too many runs: take a shorter range");
    TRY(mem_grow(mem, (void **)&p->pieces, &p->piece_capacity, p->piece_count + 1,
                 sizeof *p->pieces, err));
    TRY(mem_grow(mem, (void **)&p->chains, &p->chain_capacity, (size_t)unit + 1, sizeof *p->chains,
                 err));
    while (p->chain_count <= unit)
        p->chains[p->chain_count++] = (struct chain){0, 0};
    p->pieces[p->piece_count++] = (struct piece){points, count, 0};
    struct chain *chain = &p->chains[unit];
    uint32_t number = (uint32_t)p->piece_count;
    if (chain->last)
        p->pieces[chain->last - 1].next = number;
    else
        chain->first = number;
    chain->last = number;
    return VARVE_OK;
}

static struct point point_at(const struct measure *m, uint32_t run, uint32_t row)
{
    const struct varve_rows *rows = &m->input.rows;
    struct point point = {.end = time_plus(rows->end[row], m->offset),
                          .start = rows->start[row],
                          .form = rows->run_form[run],
                          .is_float = rows->floats != NULL};
    if (rows->floats)
        point.as.f = rows->floats[row];
    else
        point.as.i = rows->ints[row];
    return point;
}

static enum varve_status
keep_run(struct measure *m, uint32_t unit, uint32_t run, struct varve_err *err)
{
    const struct varve_rows *rows = &m->input.rows;
    uint32_t from = rows->run_start[run], to = rows->run_start[run + 1];
    struct point *point = arena_alloc(&m->points->all, mem_array(to - from, sizeof *point));
    if (!point)
        return fail_nomem(err, (to - from) * sizeof *point);
    for (uint32_t i = from; i < to; i++)
        point[i - from] = point_at(m, run, i);
    return add_piece(m, unit, point, to - from, err);
}

/* ---- folding --------------------------------------------------------------------- */

enum varve_status points_choose(struct measure *m, struct varve_err *err)
{
    const struct metric_source *source = &m->node->as.measure.sources[0];
    struct varve_query query = {.source = source->name,
                                .since = time_minus(m->read.since, source->offset),
                                .until = time_minus(m->read.until, source->offset)};
    enum rollup f = m->node->as.measure.function;
    bool any = false;
    m->is_folding = m->window == 0 && f != ROLLUP_CHANGES && f != ROLLUP_RESETS;
    if (m->is_folding && !m->is_gauge)
        TRY(scan_adjust_any(m->exec, &query, &any, err));
    m->is_folding = m->is_folding && !any;
    return VARVE_OK;
}

/* The rows [from, to) of a run, which lie in one bucket, are added to its cell. */
static enum varve_status add_rows(struct measure *m, uint32_t unit, uint32_t bucket, uint32_t from,
                                  uint32_t to, struct varve_err *err)
{
    const struct varve_rows *rows = &m->input.rows;
    struct sum_cell *cell;
    TRY(cells_at(&m->cells, unit, bucket, &cell, err));
    cell->points += to - from;
    for (uint32_t i = from; i < to; i++) {
        if (rows->floats)
            TRY(cells_add_float(&m->cells, cell, rows->floats[i], 1, err));
        else
            cell->sum += rows->ints[i];
    }
    return VARVE_OK;
}

/* Whether a row of a run comes before another one of the same end. */
static bool is_before(const struct measure *m, uint32_t run, uint32_t a, uint32_t b)
{
    struct point x = point_at(m, run, a), y = point_at(m, run, b);
    return compare_points(NULL, &x, &y) < 0;
}

/* The row with the least value (sign 1) or the greatest (-1); of equal ones the first. */
static uint32_t
pick_extreme(const struct measure *m, uint32_t run, uint32_t from, uint32_t to, int sign)
{
    const struct varve_rows *rows = &m->input.rows;
    uint32_t best = from;
    for (uint32_t i = from + 1; i < to; i++) {
        int c = rows->ints
                    ? (rows->ints[i] > rows->ints[best]) - (rows->ints[i] < rows->ints[best])
                    : value_compare(value_float(rows->floats[i]), value_float(rows->floats[best]));
        bool is_tie = c == 0 && rows->end[i] <= rows->end[best];
        if (c * sign < 0 ||
            (is_tie && (rows->end[i] < rows->end[best] || is_before(m, run, i, best))))
            best = i;
    }
    return best;
}

/* The first row (sign 1) or the last (-1). */
static uint32_t
pick_edge(const struct measure *m, uint32_t run, uint32_t from, uint32_t to, int sign)
{
    const int64_t *end = m->input.rows.end;
    uint32_t best = from;
    for (uint32_t i = from + 1; i < to; i++) {
        int c = ((end[i] > end[best]) - (end[i] < end[best])) * sign;
        if (c < 0 || (c == 0 && is_before(m, run, i, best) == (sign > 0)))
            best = i;
    }
    return best;
}

/* Of the rows [from, to), which lie in one bucket, those that the function needs: one or two. */
static uint32_t
pick_rows(const struct measure *m, uint32_t run, uint32_t from, uint32_t to, uint32_t picked[2])
{
    switch (m->node->as.measure.function) {
    case ROLLUP_MIN_OF:
        picked[0] = pick_extreme(m, run, from, to, 1);
        return 1;
    case ROLLUP_MAX_OF:
        picked[0] = pick_extreme(m, run, from, to, -1);
        return 1;
    case ROLLUP_LAST:
        picked[0] = pick_edge(m, run, from, to, -1);
        return 1;
    default:
        picked[0] = pick_edge(m, run, from, to, 1);
        picked[1] = pick_edge(m, run, from, to, -1);
        return m->node->as.measure.function == ROLLUP_FIRST || to - from == 1 ? 1 : 2;
    }
}

/* Where the bucket of the run's row `from` ends in the run. */
static uint32_t rows_of_bucket(struct measure *m, uint32_t from, uint32_t until, uint32_t *bucket)
{
    const int64_t *end = m->input.rows.end;
    *bucket = buckets_find(&m->buckets, time_plus(end[from], m->offset));
    int64_t low = time_minus(m->buckets.starts[*bucket], m->offset);
    int64_t high = time_minus(m->buckets.starts[*bucket + 1], m->offset);
    uint32_t to = from + 1;
    while (to < until && end[to] >= low && end[to] < high)
        to++;
    return to;
}

static enum varve_status
fold_run(struct measure *m, uint32_t unit, uint32_t run, struct varve_err *err)
{
    const struct varve_rows *rows = &m->input.rows;
    uint32_t until = rows->run_start[run + 1];
    for (uint32_t from = rows->run_start[run], to; from < until; from = to) {
        uint32_t bucket, picked[2];
        to = rows_of_bucket(m, from, until, &bucket);
        if (m->node->as.measure.function == ROLLUP_AVG_OF) {
            TRY(add_rows(m, unit, bucket, from, to, err));
            continue;
        }
        uint32_t count = pick_rows(m, run, from, to, picked);
        struct point *points = arena_alloc(&m->points->all, count * sizeof *points);
        if (!points)
            return fail_nomem(err, count * sizeof *points);
        for (uint32_t i = 0; i < count; i++)
            points[i] = point_at(m, run, picked[i]);
        TRY(add_piece(m, unit, points, count, err));
    }
    return VARVE_OK;
}

enum varve_status points_take(struct measure *m, const struct batch *batch, struct varve_err *err)
{
    uint32_t n = batch_count(batch);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t run = batch_row(batch, i);
        uint32_t unit = m->run_units[run];
        if (unit != NO_GROUP)
            TRY(m->is_folding ? fold_run(m, unit, run, err) : keep_run(m, unit, run, err));
    }
    return VARVE_OK;
}

enum varve_status
points_merge(struct measure *m, struct measure *from, const uint32_t *units, struct varve_err *err)
{
    struct points *other = from->points;
    for (uint32_t unit = 0; unit < other->chain_count; unit++) {
        TRY(measure_worked(m, 1, err));
        for (uint32_t at = other->chains[unit].first; at; at = other->pieces[at - 1].next) {
            const struct piece *piece = &other->pieces[at - 1];
            TRY(add_piece(m, units[unit], piece->points, piece->count, err));
        }
    }
    for (uint32_t unit = 0; unit < from->cells.span_count; unit++) {
        TRY(measure_worked(m, 1 + from->cells.spans[unit].count, err));
        TRY(cells_merge(&m->cells, units[unit], &from->cells, unit, err));
    }
    other->others = m->points->others;
    m->points->others = other;
    from->points = NULL;
    return VARVE_OK;
}

/* ---- the points of one series in order --------------------------------------------- */

static enum varve_status
gather(struct measure *m, uint32_t unit, size_t *count, struct varve_err *err)
{
    struct points *p = m->points;
    bool in_order = true;
    *count = 0;
    for (uint32_t at = p->chains[unit].first; at; at = p->pieces[at - 1].next) {
        const struct piece *piece = &p->pieces[at - 1];
        TRY(mem_grow(m->exec->mem, (void **)&p->at_hand, &p->room, *count + piece->count,
                     sizeof *p->at_hand, err));
        memcpy(p->at_hand + *count, piece->points, piece->count * sizeof *p->at_hand);
        *count += piece->count;
    }
    for (size_t i = 1; i < *count && in_order; i++)
        in_order = compare_points(NULL, &p->at_hand[i - 1], &p->at_hand[i]) <= 0;
    if (in_order)
        return VARVE_OK;
    return long_sort(m->exec, p->at_hand, *count, sizeof *p->at_hand, compare_points, NULL, err);
}

static void add_point(const struct point *p, i128 *ints, struct fsum *floats)
{
    if (p->is_float)
        fsum_add(floats, p->as.f);
    else
        *ints += p->as.i;
}

/* Rows [from, to) of one (start, end), increments and adjustments, as one; without an increment
 * they are no point. */
static bool merge(const struct point *from, const struct point *to, int scale, struct point *into)
{
    struct fsum floats;
    i128 ints = 0;
    bool has_float = false, is_point = false;
    fsum_clear(&floats);
    for (const struct point *p = from; p < to; p++) {
        add_point(p, &ints, &floats);
        has_float |= p->is_float;
        is_point |= p->form == VARVE_FORM_CUMULATIVE;
    }
    struct value sum = number_sum(ints, has_float ? &floats : NULL, scale);
    struct point result = *from;
    result.form = VARVE_FORM_CUMULATIVE;
    result.is_float = sum.type == TYPE_FLOAT;
    if (result.is_float)
        result.as.f = sum.as.f;
    else
        result.as.i = sum.as.i;
    *into = result;
    return is_point;
}

static size_t settle(struct point *points, size_t count, int scale)
{
    size_t kept = 0;
    for (size_t i = 0, next; i < count; i = next) {
        next = i + 1;
        if (form_rank(&points[i]) != VARVE_FORM_CUMULATIVE) {
            points[kept++] = points[i];
            continue;
        }
        while (next < count && points[next].end == points[i].end &&
               points[next].start == points[i].start &&
               form_rank(&points[next]) == VARVE_FORM_CUMULATIVE)
            next++;
        if (next == i + 1 && points[i].form == VARVE_FORM_CUMULATIVE)
            points[kept++] = points[i];
        else
            kept += merge(&points[i], &points[next], scale, &points[kept]);
    }
    return kept;
}

/* ---- roll-ups ----------------------------------------------------------------------- */

static struct value extreme(const struct measure *m, const struct point *p, size_t n, int sign)
{
    struct value best = value_of(m, p);
    for (size_t i = 1; i < n; i++) {
        struct value v = value_of(m, &p[i]);
        if (value_compare(v, best) * sign > 0)
            best = v;
    }
    return best;
}

static struct value mean(const struct measure *m, const struct point *p, size_t n)
{
    struct fsum floats;
    i128 ints = 0;
    bool has_float = false;
    fsum_clear(&floats);
    for (size_t i = 0; i < n; i++) {
        add_point(&p[i], &ints, &floats);
        has_float |= p[i].is_float;
    }
    return number_mean(ints, has_float ? &floats : NULL, m->scale, n);
}

static int64_t count_changes(const struct measure *m, const struct point *p, size_t n, bool falls)
{
    int64_t changes = 0;
    for (size_t i = 1; i < n; i++) {
        int c = value_compare(value_of(m, &p[i]), value_of(m, &p[i - 1]));
        changes += falls ? c < 0 : c != 0;
    }
    return changes;
}

static int compare_times(const void *context, const void *a, const void *b)
{
    (void)context;
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Distinct starts less one; increments without a memory of what came before begin nothing anew. */
static enum varve_status count_resets(const struct measure *m, const struct point *p, size_t n,
                                      int64_t *resets, struct varve_err *err)
{
    struct mem *mem = m->exec->mem;
    int64_t *starts = mem_alloc(mem, n * sizeof *starts);
    size_t count = 0;
    if (!starts)
        return fail_nomem(err, n * sizeof *starts);
    for (size_t i = 0; i < n; i++)
        if (p[i].form == VARVE_FORM_CUMULATIVE)
            starts[count++] = p[i].start;
    enum varve_status status =
        long_sort(m->exec, starts, count, sizeof *starts, compare_times, NULL, err);
    *resets = 0;
    for (size_t i = 1; i < count; i++)
        *resets += starts[i] != starts[i - 1];
    mem_free(mem, starts, n * sizeof *starts);
    return status;
}

/* Last less first, over a length of time if that is not 0. */
static struct value rise(const struct measure *m, const struct point *p, size_t n, int64_t nanos)
{
    const struct point *a = &p[0], *b = &p[n - 1];
    if (!a->is_float && !b->is_float) {
        i128 difference = (i128)b->as.i - a->as.i;
        return nanos ? number_rate(difference, NULL, m->scale, nanos)
                     : number_sum(difference, NULL, m->scale);
    }
    double difference = value_double(value_of(m, b)) - value_double(value_of(m, a));
    return value_float(nanos ? difference / ((double)nanos / 1e9) : difference);
}

static enum varve_status roll_up(struct measure *m, uint32_t unit, uint32_t bucket,
                                 const struct point *p, size_t n, struct varve_err *err)
{
    struct value value = value_null();
    int64_t count = 0;
    TRY(measure_worked(m, n, err));
    switch (m->node->as.measure.function) {
    case ROLLUP_FIRST:
        value = value_of(m, &p[0]);
        break;
    case ROLLUP_LAST:
        value = value_of(m, &p[n - 1]);
        break;
    case ROLLUP_MIN_OF:
        value = extreme(m, p, n, -1);
        break;
    case ROLLUP_MAX_OF:
        value = extreme(m, p, n, 1);
        break;
    case ROLLUP_AVG_OF:
        value = mean(m, p, n);
        break;
    case ROLLUP_SEEN:
        value = value_int(TYPE_INT, (int64_t)n);
        break;
    case ROLLUP_CHANGES:
        value = value_int(TYPE_INT, count_changes(m, p, n, false));
        break;
    case ROLLUP_RESETS:
        if (m->is_gauge)
            count = count_changes(m, p, n, true);
        else
            TRY(count_resets(m, p, n, &count, err));
        value = value_int(TYPE_INT, count);
        break;
    case ROLLUP_RATE:
        value = rise(m, p, n, measure_length(m, bucket));
        break;
    case ROLLUP_INCREASE:
    case ROLLUP_DELTA:
        value = rise(m, p, n, 0);
        break;
    case ROLLUPS:
        break;
    }
    return measure_give(m, unit, bucket, value, err);
}

/* Each bucket that has points. */
static enum varve_status roll_buckets(struct measure *m, uint32_t unit, const struct point *p,
                                      size_t n, struct varve_err *err)
{
    for (size_t i = 0, next; i < n; i = next) {
        uint32_t bucket = buckets_find(&m->buckets, p[i].end);
        for (next = i + 1; next < n && p[next].end < m->buckets.starts[bucket + 1];)
            next++;
        TRY(roll_up(m, unit, bucket, p + i, next - i, err));
    }
    return VARVE_OK;
}

/* Each bucket whose window has points. */
static enum varve_status roll_windows(struct measure *m, uint32_t unit, const struct point *p,
                                      size_t n, struct varve_err *err)
{
    uint32_t first, first_end, last_begin, last;
    size_t from = 0, to = 0;
    measure_reach(m, p[0].end, &first, &first_end);
    measure_reach(m, p[n - 1].end, &last_begin, &last);
    if (first > first_end) /* no window has the first point, but one right behind may have others */
        first = first_end;
    for (uint32_t b = first; b <= last; b++) {
        int64_t end = buckets_part(&m->buckets, b).until, begin = time_minus(end, m->window);
        while (from < n && p[from].end < begin)
            from++;
        while (to < n && p[to].end < end)
            to++;
        TRY(measure_worked(m, 1, err));
        if (from < to)
            TRY(roll_up(m, unit, b, p + from, to - from, err));
    }
    return VARVE_OK;
}

static enum varve_status give_means(struct measure *m, struct varve_err *err)
{
    for (uint32_t unit = 0; unit < m->cells.span_count; unit++) {
        const struct span *span = &m->cells.spans[unit];
        TRY(measure_worked(m, span->count, err));
        for (uint32_t i = 0; i < span->count; i++) {
            const struct sum_cell *cell = &m->cells.cells[span->at + i];
            if (cell->points == 0)
                continue;
            struct value mean =
                number_mean(cell->sum, cell_floats(&m->cells, cell), m->scale, cell->points);
            m->cells_kept++;
            TRY(measure_give(m, unit, span->first + i, mean, err));
        }
    }
    return VARVE_OK;
}

enum varve_status points_finish(struct measure *m, struct varve_err *err)
{
    TRY(give_means(m, err));
    for (uint32_t unit = 0; unit < m->points->chain_count; unit++) {
        size_t n;
        TRY(exec_check(m->exec, err));
        TRY(gather(m, unit, &n, err));
        n = settle(m->points->at_hand, n, m->scale);
        if (n == 0)
            continue;
        if (m->window)
            TRY(roll_windows(m, unit, m->points->at_hand, n, err));
        else
            TRY(roll_buckets(m, unit, m->points->at_hand, n, err));
    }
    return VARVE_OK;
}
