/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_rows.c -- rows of a metric, up to 1024 at a time.
 */
#include "store/scan.h"

_Static_assert((int)VARVE_FORM_DELTA == ROW_DELTA && (int)VARVE_FORM_CUMULATIVE == ROW_CUMULATIVE &&
                   (int)VARVE_FORM_GAUGE == ROW_GAUGE && (int)VARVE_FORM_ADJUSTMENT == ROW_ADJUST &&
                   (int)VARVE_FORM_BASELINE == ROW_BASE,
               "a form is the mode of its rows");

struct filling {
    uint32_t rows, runs;
    uint32_t used[BLOCK_VALUES]; /* the run behind each run of the batch */
};

/* Copies rows [from, from + count) of a run behind those the batch has, then leaves only those in
 * the range. *past: the run has nothing more in the range. */
static enum varve_status put_rows(struct scan *scan, uint32_t run, uint32_t from, uint32_t count,
                                  uint32_t at, uint32_t *kept, bool *past, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    struct scan_output *o = scan->out;
    bool is_float = run >= s->runs.ints;
    uint32_t skip = 0, end = count;
    TRY(segment_times(&s->segment, s->runs.time[run], from, count, o->start + at, o->end + at,
                      err));
    while (skip < count && o->end[at + skip] < scan->since)
        skip++;
    while (end > skip && o->end[at + end - 1] >= scan->until)
        end--;
    *past = end < count && skip < count;
    *kept = end - skip;
    if (*kept == 0)
        return VARVE_OK;
    if (skip > 0) {
        memmove(o->start + at, o->start + at + skip, *kept * sizeof *o->start);
        memmove(o->end + at, o->end + at + skip, *kept * sizeof *o->end);
    }
    if (is_float)
        return scan_floats(scan, s->runs.row_at[run] + from + skip, *kept, o->floats + at, err);
    return scan_ints(scan, s->runs.row_at[run] + from + skip, *kept, o->ints + at, err);
}

/* Takes as much of the run at hand as fits. */
static enum varve_status take_run(struct scan *scan, struct filling *batch, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    struct scan_output *o = scan->out;
    uint32_t run = scan_run(s, s->at), left = s->runs.rows[run] - s->row, kept;
    uint32_t n = BLOCK_VALUES - batch->rows < left ? BLOCK_VALUES - batch->rows : left;
    bool past;
    TRY(put_rows(scan, run, s->row, n, batch->rows, &kept, &past, err));
    if (kept > 0) {
        batch->used[batch->runs] = run;
        o->run_start[batch->runs] = batch->rows;
        o->form[batch->runs] = s->runs.mode[run];
        batch->runs++;
        batch->rows += kept;
    }
    s->row += n;
    if (past || s->row == s->runs.rows[run]) {
        s->at++;
        s->row = 0;
    }
    return VARVE_OK;
}

static enum varve_status fill(struct scan *scan, struct varve_rows *rows, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    struct scan_output *o = scan->out;
    struct filling batch;
    bool is_float = s->at >= s->kept_ints;
    uint32_t end = is_float ? s->kept_count : s->kept_ints;
    const struct segment_metric *m = &s->segment.metrics[s->metric];
    batch.rows = batch.runs = 0;
    while (s->at < end && batch.rows < BLOCK_VALUES)
        TRY(take_run(scan, &batch, err));
    o->run_start[batch.runs] = batch.rows;
    scan_put_columns(scan, batch.used, batch.runs);
    scan_count_rows(scan, batch.rows);
    *rows = (struct varve_rows){scan->segment_number,
                                batch.rows,
                                batch.runs,
                                m->scale,
                                (enum varve_kind)m->kind,
                                o->run_start,
                                o->form,
                                o->start,
                                o->end,
                                is_float ? NULL : o->ints,
                                is_float ? o->floats : NULL,
                                scan->out_columns};
    return VARVE_OK;
}

enum varve_status scan_rows(struct scan *scan, struct varve_rows *rows, struct varve_err *err)
{
    if (scan->table != 0)
        return scan_event_rows(scan, rows, err);
    for (;;) {
        if (scan->inside && scan->metric.at == scan->metric.kept_count)
            scan->inside = false;
        if (!scan->inside)
            TRY(scan_next_segment(scan, scan_enter_metric, err));
        TRY(fill(scan, rows, err));
        if (rows->rows > 0)
            return VARVE_OK;
    }
}
