/* SPDX-License-Identifier: Apache-2.0
 *
 * admit_zero.c -- counters that began at zero with their series, at a time nobody knows.
 *
 * A reading's increment depends on the one reading before it only: what it rose by, or all of it
 * where it fell.  So a late reading changes its own row and that of the next reading, and
 * the rows are the same in whatever order readings come.
 *
 * What a counter had read is worked out from its rows again: increments add up from a
 * BASE row, which says what was read.  There is one where a reading fell, and where it is the
 * first of its day and another day has earlier ones.
 *
 * Invariant: the rows of a day determine the readings of that day.  A day whose first reading
 * has no BASE row begins at zero.
 */
#include "store/admit_private.h"

#include "base/clock.h"

/* How many days with data are searched for what came before a reading. */
#define SILENCE_DAYS 7

/* ---- what is known ------------------------------------------------------ */

/* The newest day of the rows before `end`, or INT32_MIN. */
static int32_t newest_day(const struct row_list *rows, int64_t end)
{
    int32_t newest = INT32_MIN;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].end < end && day_of(rows->rows[i].end) > newest)
            newest = day_of(rows->rows[i].end);
    return newest;
}

/* All rows from the newest day on that has one before `before`; if there is none near, from some
 * days before `end` on. */
static enum varve_status collect(struct admit *admit, uint32_t series, int64_t end, int64_t before,
                                 struct row_list *rows, struct varve_err *err)
{
    const struct catalogue *c = admit->catalogue;
    struct h128 hash = admit->head->rows.series[series].hash;
    int32_t day = day_of(end);
    int patience = SILENCE_DAYS;
    TRY(head_collect(admit->head, series, VARVE_FROM_ZERO, rows, err));
    int32_t enough = newest_day(rows, before);
    for (size_t i = c->count; i-- > 0;) {
        const struct day_record *d = &c->days[i];
        if (d->table != 0)
            continue;
        if (d->day < enough || (d->day < day && patience-- == 0))
            break;
        size_t known = rows->count;
        TRY(sealed_collect(admit->sealed, d, hash, VARVE_FROM_ZERO, rows, err));
        if (rows->count > known)
            enough = newest_day(rows, before);
    }
    return VARVE_OK;
}

/* The steps with what was read at each in `base`. */
static enum varve_status load(struct admit *admit, uint32_t series, int64_t end, int64_t before,
                              struct history *history, struct varve_err *err)
{
    *history = (struct history){.rows = {.mem = admit->mem}};
    TRY(collect(admit, series, end, before, &history->rows, err));
    TRY(history_fold(admit, history, err));
    for (size_t i = 0; i < history->count; i++) {
        struct step *s = &history->steps[i];
        bool is_first = i == 0 || day_of(s[-1].end) != day_of(s->end);
        if (!s->has_base)
            s->base = is_first ? s->increment : number_add(s[-1].base, s->increment);
    }
    return VARVE_OK;
}

static enum varve_status
stream_load(struct admit *admit, uint32_t number, int64_t end, struct varve_err *err)
{
    struct stream *stream = &admit->head->streams[number];
    struct history history;
    enum varve_status status = load(admit, stream->series, end, INT64_MAX, &history, err);
    if (status == VARVE_OK && history.count > 0) {
        const struct step *last = &history.steps[history.count - 1];
        stream_set(stream, last->base);
        stream->last_end = last->end;
    }
    history_free(admit, &history);
    return status;
}

/* ---- increments --------------------------------------------------------- */

static struct number rise(struct number from, struct number to)
{
    return number_compare(to, from) >= 0 ? number_sub(to, from) : to;
}

static enum varve_status emit(struct admit *admit, const struct row *row, enum row_mode mode,
                              int64_t end, struct number value, struct varve_err *err)
{
    return admit_emit(admit, row->series, row->start, mode, end, value, err);
}

static enum varve_status
advance(struct admit *admit, struct stream *stream, const struct row *row, struct varve_err *err)
{
    struct number v = number_of(row);
    struct number from = stream->has_reading ? number_of_stream(stream) : number_int(0);
    bool new_day = stream->has_reading && day_of(stream->last_end) != day_of(row->end);
    if (new_day || number_compare(v, from) < 0)
        TRY(emit(admit, row, ROW_BASE, row->end, v, err));
    stream_set(stream, v);
    stream->last_end = row->end;
    admit->appended->points++;
    return emit(admit, row, ROW_CUMULATIVE, row->end, rise(from, v), err);
}

/* The row after a late reading counts from that reading now. */
static enum varve_status correct_next(struct admit *admit, const struct row *row,
                                      const struct step *next, struct varve_err *err)
{
    struct number v = number_of(row), increment = rise(v, next->base);
    bool fell = number_compare(next->base, v) < 0;
    if (number_compare(increment, next->increment) != 0)
        TRY(emit(admit, row, ROW_ADJUST, next->end, number_sub(increment, next->increment), err));
    if (!next->has_base && (fell || day_of(next->end) != day_of(row->end)))
        TRY(emit(admit, row, ROW_BASE, next->end, next->base, err));
    return VARVE_OK;
}

static enum varve_status fit_in(struct admit *admit, struct stream *stream, const struct row *row,
                                const struct history *h, struct varve_err *err)
{
    size_t at = 0;
    struct number v = number_of(row), from = number_int(0);
    while (at < h->count && h->steps[at].end < row->end)
        at++;
    const struct step *before = at > 0 ? &h->steps[at - 1] : NULL;
    const struct step *here = at < h->count && h->steps[at].end == row->end ? &h->steps[at] : NULL;
    at += here != NULL;
    const struct step *next = at < h->count ? &h->steps[at] : NULL;
    if (here && number_compare(v, here->base) <= 0) {
        admit->appended->duplicates++;
        return VARVE_OK;
    }
    const struct step *after = here ? here : next;
    bool new_day = before ? day_of(before->end) != day_of(row->end) : after && after->has_base;
    if (before)
        from = before->base;
    else if (new_day) /* the reading that this one counts from has been forgotten */
        from = number_sub(after->base, after->increment);
    if (new_day || number_compare(v, from) < 0 || (here && here->has_base))
        TRY(emit(admit, row, ROW_BASE, row->end, v, err));
    admit->appended->points++;
    struct number increment = rise(from, v);
    if (here)
        increment = number_sub(increment, here->increment);
    TRY(emit(admit, row, here ? ROW_ADJUST : ROW_CUMULATIVE, row->end, increment, err));
    if (next)
        return correct_next(admit, row, next, err);
    stream_set(stream, v);
    return VARVE_OK;
}

enum varve_status admit_from_zero(struct admit *admit, const struct row *row, struct varve_err *err)
{
    uint32_t number;
    bool fresh;
    TRY(head_stream(admit->head, row->series, row->start, &number, &fresh, err));
    if (fresh)
        TRY(stream_load(admit, number, row->end, err));
    struct stream *stream = &admit->head->streams[number];
    if (row->end > stream->last_end)
        return advance(admit, stream, row, err);
    struct history history;
    enum varve_status status = load(admit, row->series, row->end, row->end, &history, err);
    if (status == VARVE_OK)
        status = fit_in(admit, stream, row, &history, err);
    history_free(admit, &history);
    return status;
}
