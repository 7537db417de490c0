/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_runs.c -- the runs of a metric: timelines, values, sums.
 *
 * Where the builder left sums out because runs are short, they are made from the values here;
 * who asks does not see the difference.
 *
 * Invariant: the rows of all runs that segment_runs answers are no more than
 * the head of the blob says, so row_at cannot wrap.
 */
#include "base/err.h"
#include "base/fsum.h"
#include "store/segment_view.h"

#include <math.h>
#include <string.h>

static enum varve_status
check_metric(const struct segment *segment, uint32_t metric, struct varve_err *err)
{
    if (metric >= segment->metric_count)
        return fail(err, VARVE_MISUSE, segment->blob.place, "metric %u of %u", metric,
                    segment->metric_count);
    return VARVE_OK;
}

/* The arrays of a struct segment_runs, writable. */
struct run_arrays {
    uint32_t *time, *row_at, *rows;
    uint8_t *mode;
    int64_t *first, *last, *first_start;
};

static enum varve_status
make_arrays(struct arena *arena, size_t n, struct run_arrays *a, struct varve_err *err)
{
    TRY(segment_array(arena, n, sizeof *a->time, &a->time, err));
    TRY(segment_array(arena, n + 1, sizeof *a->row_at, &a->row_at, err));
    TRY(segment_array(arena, n, sizeof *a->rows, &a->rows, err));
    TRY(segment_array(arena, n, sizeof *a->mode, &a->mode, err));
    TRY(segment_array(arena, n, sizeof *a->first, &a->first, err));
    TRY(segment_array(arena, n, sizeof *a->last, &a->last, err));
    return segment_array(arena, n, sizeof *a->first_start, &a->first_start, err);
}

static enum varve_status read_run_times(struct segment *segment, uint32_t from, uint32_t count,
                                        uint32_t *time, struct varve_err *err)
{
    struct column column;
    int64_t block[BLOCK_VALUES];
    TRY(segment_open_ints(segment, SEGMENT_RUN_TIME, 0, segment->run_count, &column, err));
    while (count > 0) {
        uint32_t n = BLOCK_VALUES - from % BLOCK_VALUES;
        n = n < count ? n : count;
        TRY(segment_int_range(&column, from, n, block, err));
        for (uint32_t i = 0; i < n; i++) {
            if ((uint64_t)block[i] >= segment->time_count)
                return segment_damaged(segment, err, "run %u has no timeline", from + i);
            time[i] = (uint32_t)block[i];
        }
        time += n;
        from += n;
        count -= n;
    }
    return VARVE_OK;
}

/* All that the loop needs is copied before it: bytes are stored, which might be anything's. */
static enum varve_status fill_arrays(const struct segment *segment, const struct run_arrays *arrays,
                                     uint32_t ints, uint32_t n, struct varve_err *err)
{
    const struct run_arrays to = *arrays;
    const struct segment_times times = *segment->times;
    const uint64_t most = segment->blob.head.rows;
    uint64_t rows = 0, total = 0;
    for (uint32_t r = 0; r < n; r++) {
        uint32_t t = to.time[r];
        if (r == ints)
            rows = 0;
        to.row_at[r] = (uint32_t)rows;
        to.rows[r] = times.rows[t];
        to.first[r] = times.first[t];
        to.last[r] = times.last[t];
        to.first_start[r] = times.first_start[t];
        to.mode[r] = (uint8_t)segment_class_mode(times.class[t]);
        rows += times.rows[t];
        total += times.rows[t];
        if (total > most)
            return segment_damaged(segment, err, "runs have more rows than the head says");
    }
    to.row_at[n] = (uint32_t)rows;
    return VARVE_OK;
}

enum varve_status segment_runs(struct segment *segment, uint32_t metric, struct arena *arena,
                               struct segment_runs *runs, struct varve_err *err)
{
    TRY(check_metric(segment, metric, err));
    TRY(segment_load_times(segment, err));
    const struct segment_metric *m = &segment->metrics[metric];
    uint32_t n = m->int_runs + m->float_runs;
    struct run_arrays a;
    TRY(make_arrays(arena, n, &a, err));
    TRY(read_run_times(segment, m->first_run, n, a.time, err));
    TRY(fill_arrays(segment, &a, m->int_runs, n, err));
    *runs = (struct segment_runs){metric, n,      m->int_runs, a.time, a.row_at,
                                  a.rows, a.mode, a.first,     a.last, a.first_start};
    return VARVE_OK;
}

static enum varve_status
open_values(struct segment *segment, enum segment_section id, uint32_t metric,
            enum column_type type, struct column *column, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    TRY(blob_section(&segment->blob, (uint16_t)id, (uint16_t)metric, &bytes, &size, err));
    return column_open(column, bytes, size, (uint8_t)type, segment->blob.place, err);
}

enum varve_status
segment_ints(struct segment *segment, uint32_t metric, struct column *column, struct varve_err *err)
{
    TRY(check_metric(segment, metric, err));
    if (segment->metrics[metric].int_runs == 0)
        return VARVE_NOTFOUND;
    return open_values(segment, SEGMENT_INTS, metric, COLUMN_INTS, column, err);
}

enum varve_status segment_floats(struct segment *segment, uint32_t metric, struct column *column,
                                 struct varve_err *err)
{
    TRY(check_metric(segment, metric, err));
    if (segment->metrics[metric].float_runs == 0)
        return VARVE_NOTFOUND;
    return open_values(segment, SEGMENT_FLOATS, metric, COLUMN_FLOATS, column, err);
}

enum varve_status
segment_need(struct segment *segment, enum varve_status status, struct varve_err *err)
{
    if (status == VARVE_NOTFOUND)
        return segment_damaged(segment, err, "the values of its runs are missing");
    return status;
}

static enum varve_status add_up_ints(struct segment *segment, uint32_t metric, struct arena *arena,
                                     int64_t *sums, struct varve_err *err)
{
    struct segment_runs runs;
    struct column column;
    int64_t block[BLOCK_VALUES];
    TRY(segment_runs(segment, metric, arena, &runs, err));
    TRY(segment_need(segment, segment_ints(segment, metric, &column, err), err));
    uint32_t row = 0;
    for (uint32_t r = 0; r < runs.ints; r++) {
        uint64_t sum = 0;
        for (uint32_t left = runs.rows[r]; left > 0; left--, row++) {
            if (row >= column.count)
                return segment_damaged(segment, err, "values of run %u are missing", r);
            if (row % BLOCK_VALUES == 0)
                TRY(column_ints(&column, row / BLOCK_VALUES, block, err));
            sum += (uint64_t)block[row % BLOCK_VALUES];
        }
        sums[r] = (int64_t)sum;
    }
    return VARVE_OK;
}

enum varve_status segment_int_sums(struct segment *segment, uint32_t metric, struct arena *arena,
                                   const int64_t **sums, struct varve_err *err)
{
    TRY(check_metric(segment, metric, err));
    uint32_t runs = segment->metrics[metric].int_runs;
    struct column column;
    int64_t *all;
    TRY(segment_array(arena, runs, sizeof *all, &all, err));
    *sums = all;
    if (runs == 0)
        return VARVE_OK;
    TRY(segment_open_ints(segment, SEGMENT_SUM, metric, runs, &column, err));
    if (column.count == 0)
        return add_up_ints(segment, metric, arena, all, err);
    return column_int_range(&column, 0, runs, all, err);
}

static void split_sum(const double *values, uint32_t count, double *high, double *low)
{
    struct fsum sum;
    fsum_clear(&sum);
    for (uint32_t i = 0; i < count; i++)
        fsum_add(&sum, values[i]);
    if (!fsum_split(&sum, high, low)) {
        *high = (double)NAN;
        *low = 0;
    }
}

static enum varve_status
add_up_floats(struct segment *segment, uint32_t metric, struct arena *arena, double *high,
              double *low, struct varve_err *err)
{
    struct segment_runs runs;
    struct column column;
    TRY(segment_runs(segment, metric, arena, &runs, err));
    TRY(segment_need(segment, segment_floats(segment, metric, &column, err), err));
    double *values;
    TRY(segment_array(arena, column.count, sizeof *values, &values, err));
    TRY(column_float_range(&column, 0, column.count, values, err));
    for (uint32_t r = runs.ints; r < runs.count; r++) {
        if (runs.row_at[r] > column.count || runs.rows[r] > column.count - runs.row_at[r])
            return segment_damaged(segment, err, "values of run %u are missing", r);
        split_sum(values + runs.row_at[r], runs.rows[r], &high[r - runs.ints], &low[r - runs.ints]);
    }
    return VARVE_OK;
}

static enum varve_status
read_sums(struct segment *segment, enum segment_section id, uint32_t metric, uint32_t runs,
          double *sums, struct varve_err *err)
{
    struct column column;
    TRY(open_values(segment, id, metric, COLUMN_FLOATS, &column, err));
    return column_float_range(&column, 0, runs, sums, err);
}

enum varve_status segment_float_sums(struct segment *segment, uint32_t metric, struct arena *arena,
                                     const double **high, const double **low, struct varve_err *err)
{
    TRY(check_metric(segment, metric, err));
    uint32_t runs = segment->metrics[metric].float_runs;
    double *h, *l;
    TRY(segment_array(arena, runs, sizeof *h, &h, err));
    TRY(segment_array(arena, runs, sizeof *l, &l, err));
    *high = h;
    *low = l;
    if (runs == 0)
        return VARVE_OK;
    enum varve_status status = read_sums(segment, SEGMENT_FSUM_HI, metric, runs, h, err);
    if (status == VARVE_NOTFOUND)
        return add_up_floats(segment, metric, arena, h, l, err);
    TRY(status);
    return segment_need(segment, read_sums(segment, SEGMENT_FSUM_LO, metric, runs, l, err), err);
}
