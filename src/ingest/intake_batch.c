/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_batch.c -- when a batch is appended, and how much of it.
 *
 * The store takes a day that comes nearly whole without a detour through its journal, so points
 * that stand for themselves are collected until their day is over, as far as memory allows.  What
 * is there of the next day by then stays for the next batch.  Readings of counters, events and
 * whatever comes slowly have nothing to gain from that, and go earlier.
 *
 * With a batch goes everything that has numbers of it: label sets, metrics, the resource and the
 * scope.
 *
 * Invariant: rows that were kept back are in `kept`, the batch or the store, and after an append
 * that failed intake_flush appends them, too.
 */
#include "ingest/intake_private.h"

#include "base/clock.h"

/* A day is over when a point came that is so much later than its end: senders are late by
 * minutes, sometimes by an hour. */
#define DAY_SETTLES (2 * 3600 * NS_PER_SECOND)

/* What comes later than this goes at once, with all that waited for it. */
#define BATCH_WAITS (10 * NS_PER_SECOND)

/* All that has numbers of the batch in it. */
static void forget_batch(struct intake *intake)
{
    hash_table_clear(&intake->label_table);
    hash_table_clear(&intake->around_table);
    intake->batch_number++;
    intake->labels_known_count = 0;
    hash_table_clear(&intake->metric_table);
    arena_clear(&intake->metric_texts);
    intake->metric_count = 0;
    intake->series = 0;
    intake->has_readings = intake->is_due = false;
    intake->day_over = intake->began = 0;
    intake->newest = INT64_MIN;
    intake->used_before = atomic_load(&intake->mem->used);
    if (intake->session_capacity)
        memset(intake->sessions, 0, intake->session_capacity);
    intake_forget_base(intake);
    intake->resource.count = intake->scope.count = 0;
}

/* Counts the batch's series, if they are others than those of batches before. */
static enum varve_status count_series(struct intake *intake, struct varve_err *err)
{
    enum { AHEAD = 16 };
    const struct rowset *rows = &intake->batch.rows;
    for (; intake->series < rows->series_count; intake->series++) {
        if (intake->series + AHEAD < rows->series_count)
            seen_ahead(&intake->seen, rows->series[intake->series + AHEAD].hash.lo);
        TRY(seen_add(&intake->seen, rows->series[intake->series].hash.lo, err));
    }
    intake->counts.series = intake->seen.count;
    return VARVE_OK;
}

static enum varve_status give(struct intake *intake, struct varve_err *err)
{
    struct write_batch *batch = &intake->batch;
    TRY(count_series(intake, err));
    if (batch->rows.row_count + batch->events.count > 0) {
        TRY(intake->options.append(intake->options.context, batch, &intake->counts.appended, err));
        intake->counts.batches++;
    }
    batch_clear(batch);
    forget_batch(intake);
    return VARVE_OK;
}

/* ---- keeping rows back ----------------------------------------------------- */

static enum varve_status
copy_row(struct rowset *to, const struct rowset *from, struct row row, struct varve_err *err)
{
    TRY(rowset_import(to, from, row.series, &row.series, err));
    return rowset_row(to, &row, err);
}

/* Moves the rows from `since` on out of the batch; the one at `first` is the first of them. */
static enum varve_status
keep_back(struct intake *intake, int64_t since, size_t first, struct varve_err *err)
{
    struct rowset *rows = &intake->batch.rows;
    size_t left = first;
    for (size_t i = first; i < rows->row_count; i++)
        if (rows->rows[i].end >= since)
            TRY(copy_row(&intake->kept, rows, rows->rows[i], err));
    for (size_t i = first; i < rows->row_count; i++)
        if (rows->rows[i].end < since)
            rows->rows[left++] = rows->rows[i];
    rows->row_count = left;
    return VARVE_OK;
}

static enum varve_status copy_kept(struct intake *intake, struct varve_err *err)
{
    const struct rowset *kept = &intake->kept;
    for (size_t i = 0; i < kept->row_count; i++) {
        TRY(copy_row(&intake->batch.rows, kept, kept->rows[i], err));
        intake_note(intake, kept->rows[i].end);
    }
    return VARVE_OK;
}

/* Into the batch, which is empty. */
static enum varve_status bring_back(struct intake *intake, struct varve_err *err)
{
    if (intake->kept.row_count == 0)
        return VARVE_OK;
    enum varve_status status = copy_kept(intake, err);
    if (status != VARVE_OK) {
        batch_clear(&intake->batch);
        return status;
    }
    return rowset_clear(&intake->kept, err);
}

static enum varve_status
flush_before(struct intake *intake, int64_t since, size_t first, struct varve_err *err)
{
    enum varve_status status = keep_back(intake, since, first, err);
    if (status != VARVE_OK) {
        /* The batch still has them all. */
        (void)!rowset_clear(&intake->kept, NULL);
        return status;
    }
    TRY(give(intake, err));
    return bring_back(intake, err);
}

enum varve_status intake_flush(struct intake *intake, struct varve_err *err)
{
    TRY(give(intake, err));
    if (intake->kept.row_count == 0)
        return VARVE_OK;
    TRY(bring_back(intake, err));
    return give(intake, err);
}

/* ---- whether it is time ---------------------------------------------------- */

static int64_t settled_day(const struct intake *intake)
{
    return day_start(day_of(intake->newest - DAY_SETTLES));
}

/* Whether a day has come to its end since the batch began, so that what was before `since` is worth
 * appending: at least as much as stays, and not little.  *first: the first row that stays. */
static bool is_day_over(struct intake *intake, size_t least, int64_t *since, size_t *first)
{
    const struct rowset *rows = &intake->batch.rows;
    if (rows->row_count < least || intake->newest < intake->day_over)
        return false;
    *since = settled_day(intake);
    bool is_begin = intake->day_over == 0;
    intake->day_over = *since + NS_PER_DAY + DAY_SETTLES;
    if (is_begin)
        return false;
    size_t stay = 0;
    *first = rows->row_count;
    for (size_t i = rows->row_count; i-- > 0;) {
        bool stays = rows->rows[i].end >= *since;
        stay += stays;
        *first = stays ? i : *first;
    }
    return rows->row_count - stay >= least && stay <= rows->row_count / 2;
}

static bool is_memory_short(const struct intake *intake)
{
    const struct mem *mem = intake->mem;
    return mem->cap && atomic_load(&mem->used) > mem->cap / 4;
}

/* Few points can have very many and long labels. */
static bool needs_much_memory(const struct intake *intake)
{
    size_t used = atomic_load(&intake->mem->used);
    return used > intake->used_before && used - intake->used_before > LIMIT_BATCH_BYTES;
}

/* Records that were refused leave metrics, label sets and texts behind, which go with the batch. */
static bool is_full(const struct intake *intake, size_t least)
{
    const struct write_batch *batch = &intake->batch;
    size_t rows = batch->rows.row_count + batch->events.count;
    size_t other = batch->rows.texts.count + batch->rows.set_count + batch->events.texts.count +
                   intake->metric_count;
    bool is_large = rows >= least || other / 8 >= least;
    bool waits = !intake->has_readings && batch->events.count < least && !is_memory_short(intake) &&
                 rows < intake->options.batch_rows && other < intake->options.batch_rows;
    return intake->is_due || needs_much_memory(intake) || (is_large && !waits);
}

enum varve_status intake_pause(struct intake *intake, struct varve_err *err)
{
    int64_t since;
    size_t first, least = LIMIT_BATCH_SMALL;
    if (least > intake->options.batch_rows)
        least = intake->options.batch_rows;
    if (is_full(intake, least))
        return intake_flush(intake, err);
    if (is_day_over(intake, least, &since, &first))
        return flush_before(intake, since, first, err);
    return VARVE_OK;
}

void intake_tick(struct intake *intake)
{
    int64_t now = clock_monotonic();
    if (intake->began == 0)
        intake->began = now;
    intake->is_due = now - intake->began > BATCH_WAITS;
}
