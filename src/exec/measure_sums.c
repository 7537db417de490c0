/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_sums.c -- the way of what adds up: increase, rate and seen of counters.
 *
 * The sum of a run is in its header.  A run whose first and last point belong to the same bucket
 * (or to the same windows) adds that sum, and nothing of it is decoded; a run that a border cuts is
 * read and added up point by point.  So wide buckets are answered from headers, narrow ones from
 * points, and everything between from as few points as the borders need.
 */
#include "exec/measure_private.h"

/* What is added to a cell at once. */
struct amount {
    i128 sum;
    double high, low;
    uint64_t points;
    bool is_float;
};

static enum varve_status add_to(struct cells *cells, struct sum_cell *cell,
                                const struct amount *amount, int sign, struct varve_err *err)
{
    cell->points += sign < 0 ? -amount->points : amount->points;
    if (!amount->is_float) {
        cell->sum += sign < 0 ? -amount->sum : amount->sum;
        return VARVE_OK;
    }
    TRY(cells_add_float(cells, cell, amount->high, sign, err));
    return amount->low != 0 ? cells_add_float(cells, cell, amount->low, sign, err) : VARVE_OK;
}

/* To all the buckets from first to last: where windows overlap, as a difference. */
static enum varve_status add(struct measure *m, uint32_t unit, uint32_t first, uint32_t last,
                             const struct amount *amount, struct varve_err *err)
{
    struct sum_cell *cell;
    bool ends = m->window && last + 1 < m->buckets.count;
    if (first > last)
        return VARVE_OK;
    if (m->window) { /* what is not taken off again counts up to the last bucket */
        size_t before = m->cells.count;
        TRY(cells_reach(&m->cells, unit, first, last + ends, err));
        TRY(measure_worked(m, 1 + m->cells.count - before, err));
    }
    TRY(cells_at(&m->cells, unit, first, &cell, err));
    TRY(add_to(&m->cells, cell, amount, 1, err));
    if (!ends)
        return VARVE_OK;
    TRY(cells_at(&m->cells, unit, last + 1, &cell, err));
    return add_to(&m->cells, cell, amount, -1, err);
}

/* The time, of the source, from which on points go to other buckets than [first, last]. */
static int64_t steady_until(const struct measure *m, uint32_t first, uint32_t last)
{
    int64_t until = buckets_part(&m->buckets, first).until, next;
    if (m->window && last + 1 < m->buckets.count) {
        next = time_minus(buckets_part(&m->buckets, last + 1).until, m->window);
        until = next < until ? next : until;
    }
    return time_minus(until, m->offset);
}

/* Points [from, to) as one amount. */
static enum varve_status
add_points(struct measure *m, uint32_t unit, uint32_t from, uint32_t to, bool counts,
           uint32_t first, uint32_t last, struct varve_err *err)
{
    const struct scan_stretch *s = m->stretch;
    struct amount sum = {.points = counts ? to - from : 0};
    if (m->node->as.measure.function == ROLLUP_SEEN)
        return add(m, unit, first, last, &sum, err);
    if (!s->is_float) {
        for (uint32_t i = from; i < to; i++)
            sum.sum += s->ints[i];
        return add(m, unit, first, last, &sum, err);
    }
    sum.is_float = true;
    for (uint32_t i = from; i < to; i++) {
        sum.high = s->floats[i];
        TRY(add(m, unit, first, last, &sum, err));
        sum.points = 0;
    }
    return VARVE_OK;
}

/* The points of a run that are in the range; neighbours that go to the same place together. */
static enum varve_status
add_stretch(struct measure *m, uint32_t unit, bool counts, struct varve_err *err)
{
    const struct scan_stretch *s = m->stretch;
    const struct scan *scan = m->input.scan;
    uint32_t from = 0, to;
    while (from < s->rows && s->ends[from] < scan->since)
        from++;
    for (; from < s->rows && s->ends[from] < scan->until; from = to) {
        uint32_t first, last;
        to = from + 1;
        measure_reach(m, time_plus(s->ends[from], m->offset), &first, &last);
        if (first > last)
            continue;
        int64_t until = steady_until(m, first, last);
        until = until < scan->until ? until : scan->until;
        while (to < s->rows && s->ends[to] < until)
            to++;
        TRY(add_points(m, unit, from, to, counts, first, last, err));
    }
    return VARVE_OK;
}

static enum varve_status
cut_run(struct measure *m, uint32_t unit, uint32_t run, struct varve_err *err)
{
    bool counts = m->input.runs.points[run] > 0; /* else it is adjustments */
    bool values = m->node->as.measure.function != ROLLUP_SEEN;
    for (uint32_t from = 0;; from += BLOCK_VALUES) {
        enum varve_status status = scan_run_rows(m->input.scan, run, from, values, m->stretch, err);
        if (status == VARVE_DONE)
            return VARVE_OK;
        TRY(status);
        TRY(add_stretch(m, unit, counts, err));
    }
}

static enum varve_status
take_run(struct measure *m, uint32_t unit, uint32_t run, struct varve_err *err)
{
    const struct varve_runs *runs = &m->input.runs;
    uint32_t first, last, first_of_last, last_of_last;
    measure_reach(m, time_plus(runs->first[run], m->offset), &first, &last);
    measure_reach(m, time_plus(runs->last[run], m->offset), &first_of_last, &last_of_last);
    if (first != first_of_last || last != last_of_last)
        return cut_run(m, unit, run, err);
    struct amount amount = {.points = runs->points[run]};
    if (m->node->as.measure.function == ROLLUP_SEEN)
        return add(m, unit, first, last, &amount, err);
    if (runs->sums) {
        amount.sum = runs->sums[run];
        return add(m, unit, first, last, &amount, err);
    }
    if (!scan_run_is_exact(m->input.scan, run))
        return cut_run(m, unit, run, err);
    amount.is_float = true;
    amount.high = runs->float_sums[run];
    amount.low = runs->float_rests[run];
    return add(m, unit, first, last, &amount, err);
}

/* Remembers the bucket of a run that was just taken, so that its neighbours find theirs at once. */
static void remember_bucket(struct measure *m, int64_t time)
{
    if (m->window)
        return;
    uint32_t bucket = buckets_find(&m->buckets, time_plus(time, m->offset));
    if (bucket == UINT32_MAX)
        return;
    struct time_range part = buckets_part(&m->buckets, bucket);
    m->at_hand =
        (struct time_range){time_minus(part.since, m->offset), time_minus(part.until, m->offset)};
    m->at_bucket = bucket;
}

/* How many runs from the i-th of the batch on belong to its unit and lie in the bucket at hand;
 * *amount: what they add up to. */
static uint32_t add_neighbours(const struct measure *m, const struct batch *batch, uint32_t i,
                               struct amount *amount)
{
    const struct varve_runs *runs = &m->input.runs;
    const struct time_range inside = m->at_hand;
    uint32_t n = batch_count(batch), at = i, unit = m->run_units[batch_row(batch, i)];
    i128 sum = 0;
    uint64_t points = 0;
    for (; at < n; at++) {
        uint32_t run = batch_row(batch, at);
        if (m->run_units[run] != unit || runs->first[run] < inside.since ||
            runs->last[run] >= inside.until)
            break;
        sum += runs->sums[run];
        points += runs->points[run];
    }
    *amount = (struct amount){.sum = sum, .points = points};
    return at - i;
}

/* Runs of integers: neighbours mostly go to the same cell. */
static enum varve_status
take_ints(struct measure *m, const struct batch *batch, struct varve_err *err)
{
    uint32_t n = batch_count(batch);
    for (uint32_t i = 0; i < n;) {
        uint32_t run = batch_row(batch, i), unit = m->run_units[run], count;
        struct amount amount;
        struct sum_cell *cell;
        if (unit == NO_GROUP) {
            i++;
            continue;
        }
        count = add_neighbours(m, batch, i, &amount);
        i += count;
        if (count == 0) {
            TRY(take_run(m, unit, run, err));
            remember_bucket(m, m->input.runs.first[run]);
            i++;
            continue;
        }
        TRY(cells_at(&m->cells, unit, m->at_bucket, &cell, err));
        TRY(add_to(&m->cells, cell, &amount, 1, err));
    }
    return VARVE_OK;
}

enum varve_status sums_take(struct measure *m, const struct batch *batch, struct varve_err *err)
{
    uint32_t n = batch_count(batch);
    if (m->input.runs.sums)
        return take_ints(m, batch, err);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t run = batch_row(batch, i);
        if (m->run_units[run] != NO_GROUP)
            TRY(take_run(m, m->run_units[run], run, err));
    }
    return VARVE_OK;
}

static struct value
value_of_cell(const struct measure *m, const struct sum_cell *cell, uint32_t bucket)
{
    const struct fsum *floats = cell_floats(&m->cells, cell);
    switch (m->node->as.measure.function) {
    case ROLLUP_SEEN:
        return value_int(TYPE_INT, (int64_t)cell->points);
    case ROLLUP_RATE:
        return number_rate(cell->sum, floats, m->scale, measure_length(m, bucket));
    default:
        return number_sum(cell->sum, floats, m->scale);
    }
}

enum varve_status sums_finish(struct measure *m, struct varve_err *err)
{
    for (uint32_t unit = 0; unit < m->cells.span_count; unit++) {
        const struct span *span = &m->cells.spans[unit];
        TRY(measure_worked(m, span->count, err));
        if (m->window)
            TRY(cells_accumulate(&m->cells, unit, err));
        for (uint32_t i = 0; i < span->count; i++) {
            const struct sum_cell *cell = &m->cells.cells[span->at + i];
            if (cell->points == 0)
                continue;
            uint32_t bucket = span->first + i;
            m->cells_kept++;
            TRY(measure_give(m, unit, bucket, value_of_cell(m, cell, bucket), err));
        }
    }
    return VARVE_OK;
}
