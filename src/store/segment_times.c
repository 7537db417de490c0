/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_times.c -- reading timelines.
 *
 * What is known of a timeline as a whole is decoded once, for all of them.  The
 * steps from one end to the next lie in two columns, timeline after
 * timeline; the block decoded last is kept, and so is the last end read, so that
 * going through timelines in order, or through a long one in stretches, decodes
 * every block once.
 *
 * Sums of times wrap around at 64 bits: damaged bytes give wrong times, which
 * segment_verify finds, and nothing worse.
 */
#include "base/err.h"
#include "store/segment_view.h"

#include <string.h>

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static enum varve_status
make_tables(struct segment *segment, struct segment_times *times, struct varve_err *err)
{
    struct arena *arena = segment->arena;
    uint32_t n = segment->time_count;
    *times = (struct segment_times){.at_time = UINT32_MAX};
    TRY(segment_array(arena, n, sizeof *times->class, &times->class, err));
    TRY(segment_array(arena, n, sizeof *times->rows, &times->rows, err));
    TRY(segment_array(arena, n, sizeof *times->first, &times->first, err));
    TRY(segment_array(arena, n, sizeof *times->last, &times->last, err));
    TRY(segment_array(arena, n, sizeof *times->first_start, &times->first_start, err));
    TRY(segment_array(arena, n, sizeof *times->step_at, &times->step_at, err));
    TRY(segment_array(arena, n, sizeof *times->gap_at, &times->gap_at, err));
    TRY(segment_array(arena, BLOCK_VALUES, sizeof(int64_t), &times->step.values, err));
    TRY(segment_array(arena, BLOCK_VALUES, sizeof(int64_t), &times->gap.values, err));
    times->step.block = times->gap.block = UINT32_MAX;
    return VARVE_OK;
}

/* The numbers of up to 1024 timelines, one array a section. */
struct numbers {
    int64_t class[BLOCK_VALUES], rows[BLOCK_VALUES], first[BLOCK_VALUES], span[BLOCK_VALUES],
        start[BLOCK_VALUES];
};

/* All that the loop needs is copied before it: bytes are stored, which might be anything's. */
static enum varve_status
fill(const struct segment *segment, struct segment_times *times, const struct numbers *numbers,
     uint32_t from, uint32_t n, uint64_t *steps, uint64_t *gaps, struct varve_err *err)
{
    const struct segment_times to = *times;
    const uint64_t rows = segment->blob.head.rows;
    const int64_t first = segment->blob.head.first;
    uint64_t step = *steps, gap = *gaps;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t t = from + i;
        uint64_t number = (uint64_t)numbers->class[i], more = (uint64_t)numbers->rows[i];
        if (number >= ROW_MODES << 1 || number == (ROW_GAUGE << 1 | CLASS_NO_START) ||
            more >= rows || step + more >= rows)
            return segment_damaged(segment, err, "timeline %u is damaged", t);
        uint8_t class = (uint8_t)number;
        bool started = segment_class_mode(class) != ROW_GAUGE && !(class & CLASS_NO_START);
        int64_t begin = plus(first, numbers->first[i]);
        to.rows[t] = (uint32_t)more + 1;
        to.first[t] = begin;
        to.last[t] = plus(begin, numbers->span[i]);
        to.first_start[t] = started ? (int64_t)((uint64_t)begin - (uint64_t)numbers->start[i]) : 0;
        to.step_at[t] = (uint32_t)step;
        to.gap_at[t] = (uint32_t)gap;
        to.class[t] = class;
        step += more;
        if (segment_class_gaps(class))
            gap += more;
    }
    *steps = step;
    *gaps = gap;
    return VARVE_OK;
}

static enum varve_status fill_tables(struct segment *segment, struct segment_times *times,
                                     struct numbers *numbers, struct varve_err *err)
{
    struct column columns[5];
    int64_t *to[5] = {numbers->class, numbers->rows, numbers->first, numbers->span, numbers->start};
    for (unsigned i = 0; i < 5; i++)
        TRY(segment_open_ints(segment, (enum segment_section)(SEGMENT_TIME_CLASS + i), 0,
                              segment->time_count, &columns[i], err));
    uint64_t steps = 0, gaps = 0;
    for (uint32_t from = 0; from < segment->time_count; from += BLOCK_VALUES) {
        uint32_t n = segment->time_count - from;
        n = n < BLOCK_VALUES ? n : BLOCK_VALUES;
        for (unsigned i = 0; i < 5; i++)
            TRY(segment_int_range(&columns[i], from, n, to[i], err));
        TRY(fill(segment, times, numbers, from, n, &steps, &gaps, err));
    }
    times->step.count = (uint32_t)steps;
    times->gap.count = (uint32_t)gaps;
    TRY(segment_open_ints(segment, SEGMENT_TIME_STEP, 0, (uint32_t)steps, &times->step.column,
                          err));
    return segment_open_ints(segment, SEGMENT_TIME_GAP, 0, (uint32_t)gaps, &times->gap.column, err);
}

enum varve_status segment_load_times(struct segment *segment, struct varve_err *err)
{
    if (segment->times)
        return VARVE_OK;
    struct segment_times *times;
    struct numbers *numbers;
    TRY(segment_array(segment->arena, 1, sizeof *times, &times, err));
    TRY(segment_array(segment->arena, 1, sizeof *numbers, &numbers, err));
    TRY(make_tables(segment, times, err));
    TRY(fill_tables(segment, times, numbers, err));
    segment->times = times;
    return VARVE_OK;
}

/* The steps from number `at` on, and how many of them lie in the same block. */
static enum varve_status steps_at(struct segment_steps *steps, uint32_t at, const int64_t **values,
                                  uint32_t *count, struct varve_err *err)
{
    static const int64_t zeros[BLOCK_VALUES];
    uint32_t block = at / BLOCK_VALUES, skip = at % BLOCK_VALUES;
    if (steps->column.count == 0) {
        *values = zeros;
        *count = BLOCK_VALUES;
        return VARVE_OK;
    }
    if (steps->block != block) {
        steps->block = UINT32_MAX;
        TRY(column_ints(&steps->column, block, steps->values, err));
        steps->block = block;
    }
    *values = steps->values + skip;
    *count = column_block_size(&steps->column, block) - skip;
    return VARVE_OK;
}

/* The end of a row: where reading stopped last time, or counted from the start. */
static enum varve_status end_of(struct segment_times *times, uint32_t time, uint32_t row,
                                int64_t *end, struct varve_err *err)
{
    *end = times->first[time];
    uint32_t at = 0;
    if (times->at_time == time && times->at_row <= row) {
        at = times->at_row;
        *end = times->at_end;
    }
    while (at < row) {
        const int64_t *step;
        uint32_t n;
        TRY(steps_at(&times->step, times->step_at[time] + at, &step, &n, err));
        n = n < row - at ? n : row - at;
        for (uint32_t i = 0; i < n; i++)
            *end = plus(*end, step[i]);
        at += n;
    }
    return VARVE_OK;
}

static void
fill_starts(const struct segment_times *times, uint32_t time, uint32_t count, int64_t *starts)
{
    for (uint32_t i = 0; i < count; i++)
        starts[i] = times->first_start[time];
}

/* Rows [row, row + count) of a timeline, row > 0, given the end before them. */
static enum varve_status
walk(struct segment_times *times, uint32_t time, uint32_t row, uint32_t count, int64_t end,
     int64_t *starts, int64_t *ends, struct varve_err *err)
{
    while (count > 0) {
        const int64_t *step, *gap;
        uint32_t n, m;
        TRY(steps_at(&times->step, times->step_at[time] + row - 1, &step, &n, err));
        n = n < count ? n : count;
        if (starts) {
            TRY(steps_at(&times->gap, times->gap_at[time] + row - 1, &gap, &m, err));
            n = n < m ? n : m;
            for (uint32_t i = 0; i < n; i++) {
                starts[i] = plus(end, gap[i]);
                ends[i] = end = plus(end, step[i]);
            }
            starts += n;
        } else {
            for (uint32_t i = 0; i < n; i++)
                ends[i] = end = plus(end, step[i]);
        }
        ends += n;
        row += n;
        count -= n;
    }
    return VARVE_OK;
}

enum varve_status
segment_times(struct segment *segment, uint32_t time, uint32_t from, uint32_t count,
              int64_t *starts, int64_t *ends, struct varve_err *err)
{
    TRY(segment_load_times(segment, err));
    struct segment_times *times = segment->times;
    if (time >= segment->time_count || from > times->rows[time] || count > times->rows[time] - from)
        return fail(err, VARVE_MISUSE, segment->blob.place, "rows %u and on of timeline %u", from,
                    time);
    if (count == 0)
        return VARVE_OK;
    bool gaps = segment_class_gaps(times->class[time]);
    if (starts && !gaps)
        fill_starts(times, time, count, starts);
    uint32_t row = from;
    int64_t end;
    if (from == 0) {
        if (starts)
            starts[0] = times->first_start[time];
        ends[0] = end = times->first[time];
        row = 1;
    } else {
        TRY(end_of(times, time, from - 1, &end, err));
    }
    uint32_t done = row - from;
    TRY(walk(times, time, row, count - done, end, starts && gaps ? starts + done : NULL,
             ends + done, err));
    times->at_time = time;
    times->at_row = from + count - 1;
    times->at_end = ends[count - 1];
    return VARVE_OK;
}
