/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_order.c -- the order of metrics and runs, and the timelines.
 *
 * Runs are sorted by counting, least significant key first.  Keys of few
 * values are taken together as digits of one number, so that a pass over the
 * runs sorts by several of them.  The sort is stable and starts with the runs of each series in
 * their own order; equal keys all the way up mean the same series.  So where a
 * series came in does not show.
 *
 * Timelines are found by the hash of their times and then compared in full: a collision costs
 * time, never an answer (and cannot be brought about: the seed is secret).  They are numbered as
 * they appear along the runs, hence the numbers of neighbouring runs mostly rise by one.
 */
#include "store/segment_build.h"

#include "base/err.h"
#include "base/hash.h"

#include <string.h>

enum { DIGITS = 2048 }; /* sort by several keys at once while their product stays below */

static int compare_metrics(const struct build *build, uint32_t a, uint32_t b)
{
    const struct rowset *rowset = build->rowset;
    struct varve_str x = intern_text(&rowset->texts, rowset->metrics[build->metrics[a].id].name);
    struct varve_str y = intern_text(&rowset->texts, rowset->metrics[build->metrics[b].id].name);
    return str_compare(x, y);
}

/* By name; insertion, since what comes is a handful. */
static void sort_metrics(const struct build *build, uint32_t *order)
{
    for (uint32_t i = 0; i < build->metric_count; i++) {
        uint32_t at = i;
        for (; at > 0 && compare_metrics(build, order[at - 1], i) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* Finds the metrics, sorts them by name and numbers them so in series and runs. */
static enum varve_status number_metrics(struct build *build, struct varve_err *err)
{
    const struct rowset *rowset = build->rowset;
    size_t all = rowset->metric_count;
    uint32_t *local = build_array(build, all, sizeof *local, err);
    uint32_t *order = build_array(build, all, sizeof *order, err);
    struct build_metric *sorted = build_array(build, all, sizeof *sorted, err);
    build->metrics = build_array(build, all, sizeof *build->metrics, err);
    if (!local || !order || !sorted || !build->metrics)
        return VARVE_NOMEM;
    memset(local, 0xff, all * sizeof *local);
    for (uint32_t s = 0; s < build->series_count; s++) {
        uint32_t id = rowset->series[build->series[s].id].metric;
        if (local[id] == UINT32_MAX) {
            local[id] = build->metric_count;
            build->metrics[build->metric_count++] = (struct build_metric){.id = id};
        }
    }
    if (build->metric_count > UINT16_MAX)
        return fail(err, VARVE_LIMIT, "", "%u metrics in one segment, at most %u are possible",
                    build->metric_count, UINT16_MAX);
    sort_metrics(build, order);
    for (uint32_t m = 0; m < build->metric_count; m++) {
        sorted[m] = build->metrics[order[m]];
        local[sorted[m].id] = m;
    }
    build->metrics = sorted;
    for (uint32_t s = 0; s < build->series_count; s++) {
        struct build_series *series = &build->series[s];
        series->metric = local[rowset->series[series->id].metric];
        build->metrics[series->metric].series++;
    }
    return VARVE_OK;
}

static void count_runs(struct build *build)
{
    for (uint32_t r = 0; r < build->run_count; r++) {
        struct build_run *run = &build->runs[r];
        run->set = build->series[run->series].set;
        run->metric = build->series[run->series].metric;
        struct build_metric *metric = &build->metrics[run->metric];
        enum row_mode mode = segment_class_mode((uint8_t)run->class);
        int type = run->class & CLASS_FLOAT ? 1 : 0;
        metric->runs[type]++;
        metric->rows[type] += run->rows;
        if (mode != ROW_ADJUST && mode != ROW_BASE)
            metric->points += run->rows;
    }
}

/* A counting sort that gathers digits until a pass is worth it. */
struct sorter {
    uint32_t *order, *scratch; /* the runs */
    uint32_t *digit;           /* of each run */
    uint32_t radix;            /* digits are below */
    size_t count;
};

static enum varve_status pass(struct build *build, struct sorter *sorter, struct varve_err *err)
{
    if (sorter->radix == 1)
        return VARVE_OK;
    uint32_t *at = build_array(build, sorter->radix + (size_t)1, sizeof *at, err);
    if (!at)
        return VARVE_NOMEM;
    memset(at, 0, (sorter->radix + (size_t)1) * sizeof *at);
    for (size_t r = 0; r < sorter->count; r++)
        at[sorter->digit[r] + 1]++;
    for (uint32_t d = 0; d < sorter->radix; d++)
        at[d + 1] += at[d];
    for (size_t i = 0; i < sorter->count; i++) {
        uint32_t run = sorter->order[i];
        sorter->scratch[at[sorter->digit[run]]++] = run;
    }
    uint32_t *sorted = sorter->scratch;
    sorter->scratch = sorter->order;
    sorter->order = sorted;
    sorter->radix = 1;
    memset(sorter->digit, 0, sorter->count * sizeof *sorter->digit);
    return VARVE_OK;
}

/* Makes room for a digit of that many values; answers what to multiply it with. */
static enum varve_status next_digit(struct build *build, struct sorter *sorter, uint32_t values,
                                    uint32_t *factor, struct varve_err *err)
{
    if (values > DIGITS / sorter->radix)
        TRY(pass(build, sorter, err));
    *factor = sorter->radix;
    sorter->radix *= values;
    return VARVE_OK;
}

static enum varve_status
sort_by_key(struct build *build, struct sorter *sorter, const struct build_key *key, uint32_t *room,
            struct varve_err *err)
{
    uint32_t factor;
    TRY(next_digit(build, sorter, key->values + 1, &factor, err));
    const uint32_t *dense = build_dense(build, key, room);
    for (uint32_t r = 0; r < build->run_count; r++)
        sorter->digit[r] += dense[build->runs[r].set] * factor;
    return VARVE_OK;
}

static enum varve_status sort_runs(struct build *build, struct varve_err *err)
{
    size_t n = build->run_count;
    uint32_t *room = build_array(build, build->set_count, sizeof *room, err);
    struct sorter sorter = {build_array(build, n, sizeof *sorter.order, err),
                            build_array(build, n, sizeof *sorter.scratch, err),
                            build_array(build, n, sizeof *sorter.digit, err), 1, n};
    if (!room || !sorter.order || !sorter.scratch || !sorter.digit)
        return VARVE_NOMEM;
    memset(sorter.digit, 0, n * sizeof *sorter.digit);
    for (uint32_t r = 0; r < n; r++)
        sorter.order[r] = r;
    for (uint32_t k = build->key_count; k-- > 0;)
        if (build->keys[k].kind == SEGMENT_ROOT)
            TRY(sort_by_key(build, &sorter, &build->keys[k], room, err));
    uint32_t type, metric;
    TRY(next_digit(build, &sorter, 2, &type, err));
    for (uint32_t r = 0; r < n; r++)
        sorter.digit[r] += build->runs[r].class & CLASS_FLOAT ? type : 0;
    TRY(next_digit(build, &sorter, build->metric_count, &metric, err));
    for (uint32_t r = 0; r < n; r++)
        sorter.digit[r] += build->runs[r].metric * metric;
    TRY(pass(build, &sorter, err));
    build->order = sorter.order;
    return VARVE_OK;
}

enum varve_status build_order(struct build *build, struct varve_err *err)
{
    TRY(number_metrics(build, err));
    count_runs(build);
    return build->run_count ? sort_runs(build, err) : VARVE_OK;
}

/* The class of a run's times: the number type is no part of it. */
static uint8_t time_class(const struct build_run *run)
{
    return (uint8_t)(run->class & ~CLASS_FLOAT);
}

static bool
same_times(const struct build *build, const struct build_run *a, const struct build_run *b)
{
    if (a->rows != b->rows || time_class(a) != time_class(b))
        return false;
    const struct item *x = &build->items[a->first], *y = &build->items[b->first];
    for (uint32_t i = 0; i < a->rows; i++)
        if (x[i].end != y[i].end || x[i].start != y[i].start)
            return false;
    return true;
}

static uint32_t find_time(struct build *build, uint32_t run, uint32_t *head)
{
    uint32_t *link = head;
    for (; *link != HASH_NONE; link = &build->times[*link].next)
        if (same_times(build, &build->runs[build->times[*link].run], &build->runs[run]))
            return *link;
    uint32_t time = build->time_count++;
    const struct build_run *r = &build->runs[run];
    const struct item *first = &build->items[r->first];
    build->times[time] = (struct build_time){.run = run,
                                             .next = HASH_NONE,
                                             .rows = r->rows,
                                             .class = r->class,
                                             .first = first->end,
                                             .last = first[r->rows - 1].end,
                                             .start = first->start};
    *link = time;
    return time;
}

enum varve_status build_times(struct build *build, struct varve_err *err)
{
    size_t buckets = 16;
    while (buckets < build->run_count)
        buckets *= 2;
    uint32_t *heads = build_array(build, buckets, sizeof *heads, err);
    build->times = build_array(build, build->run_count, sizeof *build->times, err);
    if (!heads || !build->times)
        return VARVE_NOMEM;
    memset(heads, 0xff, buckets * sizeof *heads);
    for (uint32_t i = 0; i < build->run_count; i++) {
        struct build_run *run = &build->runs[build->order[i]];
        build_run_ahead(build, build->order, i, build->run_count);
        run->time = find_time(build, build->order[i], &heads[run->time & (buckets - 1)]);
    }
    return VARVE_OK;
}
