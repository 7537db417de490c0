/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_runs.c -- runs with their sums over the range.
 *
 * A run inside the range is answered by its header.  A run that the range cuts
 * is decoded and added up.  With VARVE_DECODE nothing is taken from
 * headers: the sums of a whole metric are made block by block with the kernel
 * that adds packed values without unpacking them to memory.
 */
#include "base/fsum.h"
#include "store/scan.h"

/* Sums of all int runs from the values, every block once. */
static enum varve_status sums_by_decoding(struct scan *scan, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    const struct segment_runs *runs = &s->runs;
    int64_t *sums = arena_zalloc(&scan->segment_arena, mem_array(runs->ints + 1, sizeof *sums));
    if (!sums)
        return fail_nomem(err, runs->ints * sizeof *sums);
    for (uint32_t block = 0, run = 0; block < s->ints.blocks && run < runs->ints; block++) {
        uint16_t ends[BLOCK_VALUES];
        uint32_t base = block * BLOCK_VALUES, size = column_block_size(&s->ints, block), ranges = 0,
                 first = run;
        uint32_t done = 0;
        while (run < runs->ints && ranges < BLOCK_VALUES && done < size) {
            uint32_t end = runs->row_at[run] + runs->rows[run] - base;
            done = end < size ? end : size;
            ends[ranges++] = (uint16_t)done;
            if (end > size)
                break; /* it goes on in the next block */
            run++;
        }
        TRY(column_sums(&s->ints, block, sums + first, ends, ranges, 0, err));
        scan->stats.blocks_decoded++;
    }
    s->sums = sums;
    return VARVE_OK;
}

static enum varve_status
enter(struct scan *scan, struct source *source, bool *any, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    TRY(scan_enter_metric(scan, source, any, err));
    if (!*any)
        return VARVE_OK;
    if (s->kept_ints > 0) {
        if (scan->flags & VARVE_DECODE)
            TRY(sums_by_decoding(scan, err));
        else
            TRY(segment_int_sums(&s->segment, s->metric, &scan->segment_arena, &s->sums, err));
    }
    if (s->kept_count > s->kept_ints)
        TRY(segment_float_sums(&s->segment, s->metric, &scan->segment_arena, &s->sums_high,
                               &s->sums_low, err));
    return VARVE_OK;
}

/* What a run adds up to inside the range. */
struct total {
    uint32_t points;
    int64_t first, last, sum;
    double high, low;
    bool is_exact; /* high and low are all of it */
};

struct adding {
    struct fsum floats;
    i128 ints;
};

/* Adds the rows of a stretch that lie in the range. */
static enum varve_status
add_stretch(struct scan *scan, uint32_t run, uint32_t from, uint32_t count, struct adding *adding,
            struct total *total, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    bool is_float = run >= s->runs.ints;
    int64_t ends[BLOCK_VALUES], ints[BLOCK_VALUES];
    double floats[BLOCK_VALUES];
    uint32_t at = s->runs.row_at[run] + from;
    TRY(segment_times(&s->segment, s->runs.time[run], from, count, NULL, ends, err));
    if (ends[count - 1] < scan->since || ends[0] >= scan->until)
        return VARVE_OK;
    if (is_float)
        TRY(scan_floats(scan, at, count, floats, err));
    else
        TRY(scan_ints(scan, at, count, ints, err));
    for (uint32_t i = 0; i < count; i++) {
        if (ends[i] < scan->since || ends[i] >= scan->until)
            continue;
        if (total->points++ == 0)
            total->first = ends[i];
        total->last = ends[i];
        if (is_float)
            fsum_add(&adding->floats, floats[i]);
        else
            adding->ints += ints[i];
    }
    return VARVE_OK;
}

static enum varve_status
add_run(struct scan *scan, uint32_t run, struct total *total, struct varve_err *err)
{
    struct adding adding;
    uint32_t rows = scan->metric.runs.rows[run];
    *total = (struct total){0};
    fsum_clear(&adding.floats);
    adding.ints = 0;
    for (uint32_t from = 0; from < rows; from += BLOCK_VALUES) {
        uint32_t n = rows - from < BLOCK_VALUES ? rows - from : BLOCK_VALUES;
        TRY(add_stretch(scan, run, from, n, &adding, total, err));
    }
    total->sum = (int64_t)adding.ints;
    if (total->sum != adding.ints && scan->metric.runs.mode[run] != ROW_GAUGE)
        return fail(err, VARVE_LIMIT, "scan", "a sum leaves 64 bits: read rows, or another range");
    total->is_exact = fsum_split(&adding.floats, &total->high, &total->low);
    scan_count_rows(scan, total->points);
    return VARVE_OK;
}

static bool is_inside(const struct scan *scan, uint32_t run)
{
    const struct segment_runs *runs = &scan->metric.runs;
    return runs->first[run] >= scan->since && runs->last[run] < scan->until;
}

static enum varve_status
total_of(struct scan *scan, uint32_t run, struct total *total, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    bool is_float = run >= s->runs.ints;
    uint32_t header = is_float ? run - s->runs.ints : run;
    if (!is_inside(scan, run))
        return add_run(scan, run, total, err);
    if (is_float && ((scan->flags & VARVE_DECODE) || s->sums_high[header] != s->sums_high[header]))
        return add_run(scan, run, total, err);
    scan->stats.runs_from_headers += !(scan->flags & VARVE_DECODE);
    *total = (struct total){.points = s->runs.rows[run],
                            .first = s->runs.first[run],
                            .last = s->runs.last[run],
                            .is_exact = true};
    if (is_float) {
        total->high = s->sums_high[header];
        total->low = s->sums_low[header];
    } else {
        total->sum = s->sums[header];
    }
    return VARVE_OK;
}

/* Up to 1024 runs that need no look, lent from the segment's own arrays. */
static void lend(struct scan *scan, uint32_t n, struct varve_runs *runs)
{
    struct scan_segment *s = &scan->metric;
    const struct segment_metric *m = &s->segment.metrics[s->metric];
    for (size_t c = 0; c < scan->column_count; c++) {
        const uint32_t *codes = s->codes[c];
        scan->out_columns[c] =
            (struct varve_column){.type = codes ? VARVE_TEXT : VARVE_NULL,
                                  .codes = codes ? codes + s->at : NULL,
                                  .dictionary = codes ? &scan->dictionaries[c] : NULL};
    }
    *runs = (struct varve_runs){.segment = scan->segment_number,
                                .runs = n,
                                .scale = m->scale,
                                .kind = (enum varve_kind)m->kind,
                                .points = s->runs.rows + s->at,
                                .first = s->runs.first + s->at,
                                .last = s->runs.last + s->at,
                                .sums = s->sums + s->at,
                                .columns = scan->out_columns};
    scan->stats.runs_from_headers += scan->flags & VARVE_DECODE ? 0 : n;
    for (uint32_t i = 0; i < n; i++)
        scan->out->run[i] = s->at + i;
    s->at += n;
}

/* Up to 1024 kept runs, all ints or all floats. */
static enum varve_status fill(struct scan *scan, struct varve_runs *runs, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    struct scan_output *o = scan->out;
    bool is_float = s->at >= s->kept_ints;
    uint32_t end = is_float ? s->kept_count : s->kept_ints, n = 0;
    const struct segment_metric *m = &s->segment.metrics[s->metric];
    if (end - s->at > BLOCK_VALUES)
        end = s->at + BLOCK_VALUES;
    if (s->plain && !is_float) {
        lend(scan, end - s->at, runs);
        return VARVE_OK;
    }
    for (; s->at < end; s->at++) {
        struct total total;
        uint32_t run = scan_run(s, s->at);
        if (s->runs.mode[run] == ROW_BASE)
            continue; /* kept for those who read rows */
        TRY(total_of(scan, run, &total, err));
        if (total.points == 0)
            continue; /* the range lies between two of its points */
        o->run[n] = run;
        o->is_exact[n] = total.is_exact;
        o->points[n] = s->runs.mode[run] == ROW_ADJUST ? 0 : total.points;
        o->start[n] = total.first;
        o->end[n] = total.last;
        o->ints[n] = total.sum;
        o->floats[n] = total.high;
        o->rests[n] = total.low;
        n++;
    }
    scan_put_columns(scan, o->run, n);
    *runs = (struct varve_runs){scan->segment_number,
                                n,
                                m->scale,
                                (enum varve_kind)m->kind,
                                o->points,
                                o->start,
                                o->end,
                                is_float ? NULL : o->ints,
                                is_float ? o->floats : NULL,
                                is_float ? o->rests : NULL,
                                scan->out_columns};
    return VARVE_OK;
}

enum varve_status scan_runs(struct scan *scan, struct varve_runs *runs, struct varve_err *err)
{
    if (scan->table != 0)
        return fail(err, VARVE_MISUSE, "scan", "'%.*s' is a table of events: it has rows, not runs",
                    STR_ARG(scan->name));
    for (;;) {
        if (scan->inside && scan->metric.at == scan->metric.kept_count)
            scan->inside = false;
        if (!scan->inside)
            TRY(scan_next_segment(scan, enter, err));
        TRY(fill(scan, runs, err));
        if (runs->runs > 0)
            return VARVE_OK;
    }
}

enum varve_status scan_run_rows(struct scan *scan, uint32_t number, uint32_t from, bool values,
                                struct scan_stretch *stretch, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    uint32_t run = scan->out->run[number], rows = s->runs.rows[run];
    if (from >= rows)
        return VARVE_DONE;
    stretch->rows = rows - from < BLOCK_VALUES ? rows - from : BLOCK_VALUES;
    stretch->is_float = run >= s->runs.ints;
    TRY(segment_times(&s->segment, s->runs.time[run], from, stretch->rows, NULL, stretch->ends,
                      err));
    scan_count_rows(scan, stretch->rows);
    if (!values)
        return VARVE_OK;
    from += s->runs.row_at[run];
    if (stretch->is_float)
        return scan_floats(scan, from, stretch->rows, stretch->floats, err);
    return scan_ints(scan, from, stretch->rows, stretch->ints, err);
}
