/* SPDX-License-Identifier: Apache-2.0
 *
 * admit.c -- tells new points from known ones and readings from increments.
 *
 * Points in order take a short path: one comparison with what their series or
 * stream has reached.  Late ones gather the stream's rows from the head and
 * from sealed days, and are fitted in between.
 */
#include "store/admit_private.h"

#include <stdlib.h>

#include "base/clock.h"

/* How far back a counter without a start is looked for, in days that have data. */
#define BASE_DAYS 62

/* So many series ahead their places in the head are asked for. */
#define AHEAD 8

enum varve_status
admit_emit(struct admit *admit, uint32_t series, int64_t start, enum row_mode mode, int64_t end,
           struct number value, struct varve_err *err)
{
    struct row row = {.series = series,
                      .mode = (uint8_t)mode,
                      .is_float = value.is_float,
                      .start = start,
                      .end = end,
                      .value = number_bits(value)};
    return head_add_row(admit->head, &row, err);
}

/* ---- a stream's rows, in order ----------------------------------------- */

static int compare_ends(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return (x->end > y->end) - (x->end < y->end);
}

void history_free(struct admit *admit, struct history *history)
{
    mem_free(admit->mem, history->steps, history->rows.count * sizeof *history->steps);
    row_list_free(&history->rows);
}

/* Whether a counter began within what is kept: then its readings count from zero, and the store's
 * rows say all that it has reached. */
static bool is_whole(const struct admit *admit, int64_t start)
{
    return start != 0 && start >= admit->floor;
}

static bool has_base(const struct row_list *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].mode == ROW_BASE)
            return true;
    return false;
}

/* Sealed rows of a stream.  A known start bounds the days from below; without one the newest days
 * are searched, back to the first that has a base when `newest` will do. */
static enum varve_status collect_sealed(struct admit *admit, struct h128 series, int64_t start,
                                        bool newest, struct row_list *rows, struct varve_err *err)
{
    const struct catalogue *c = admit->catalogue;
    size_t from = start ? catalogue_from(c, day_of(start)) : 0;
    int patience = BASE_DAYS;
    for (size_t i = c->count; i-- > from;) {
        const struct day_record *d = &c->days[i];
        if (d->table != 0 || d->last < start)
            continue;
        TRY(sealed_collect(admit->sealed, d, series, start, rows, err));
        if (start == 0 && ((newest && has_base(rows)) || --patience == 0))
            break;
    }
    return VARVE_OK;
}

/* Of several bases at one end the largest counts: the others were readings there before it. */
static void fold_row(struct step *s, const struct row *row)
{
    struct number value = number_of(row);
    if (row->mode == ROW_BASE) {
        if (!s->has_base || number_compare(value, s->base) > 0)
            s->base = value;
        s->has_base = true;
    } else {
        s->has_row |= row->mode == ROW_CUMULATIVE;
        s->increment = number_add(s->increment, value);
    }
}

enum varve_status history_fold(struct admit *admit, struct history *h, struct varve_err *err)
{
    struct row_list *rows = &h->rows;
    if (rows->count == 0)
        return VARVE_OK;
    qsort(rows->rows, rows->count, sizeof *rows->rows, compare_ends);
    h->steps = mem_zalloc(admit->mem, rows->count * sizeof *h->steps);
    if (!h->steps)
        return fail_nomem(err, rows->count * sizeof *h->steps);
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->rows[i];
        if (h->count == 0 || h->steps[h->count - 1].end != row->end)
            h->steps[h->count++] = (struct step){.end = row->end};
        fold_row(&h->steps[h->count - 1], row);
    }
    return VARVE_OK;
}

static enum varve_status history_load(struct admit *admit, uint32_t series, int64_t start,
                                      bool newest, struct history *history, struct varve_err *err)
{
    *history = (struct history){.rows = {.mem = admit->mem}};
    struct row_list *rows = &history->rows;
    TRY(collect_sealed(admit, admit->head->rows.series[series].hash, start, newest, rows, err));
    TRY(head_collect(admit->head, series, start, rows, err));
    return history_fold(admit, history, err);
}

/* What the counter had reached at `end`: the newest base and all increments after it. */
static struct number reading_at(const struct history *h, int64_t end, size_t *next)
{
    struct number reading = number_int(0);
    size_t i = 0;
    for (; i < h->count && h->steps[i].end <= end; i++)
        reading =
            h->steps[i].has_base ? h->steps[i].base : number_add(reading, h->steps[i].increment);
    *next = i;
    return reading;
}

/* A stream met for the first time since the head was made: what do the store's rows say it had
 * reached? */
static enum varve_status stream_load(struct admit *admit, uint32_t number, struct varve_err *err)
{
    struct stream s = admit->head->streams[number];
    struct history history;
    enum varve_status status = history_load(admit, s.series, s.start, true, &history, err);
    if (status == VARVE_OK && history.count > 0) {
        size_t next;
        struct number reading = reading_at(&history, INT64_MAX, &next);
        s.has_reading = is_whole(admit, s.start) || has_base(&history.rows);
        stream_set_reading(&s, reading);
        s.last_end = history.steps[history.count - 1].end;
        admit->head->streams[number] = s;
    }
    history_free(admit, &history);
    return status;
}

/* ---- readings in order ------------------------------------------------- */

static enum varve_status
advance(struct admit *admit, struct stream *stream, const struct row *row, struct varve_err *err)
{
    struct number v = number_of(row), increment = v;
    struct number reached = stream->has_reading ? number_of_stream(stream) : number_int(0);
    stream->last_end = row->end;
    if (!stream->has_reading && !is_whole(admit, stream->start)) {
        admit->appended->baselines++;
        stream_set(stream, v);
        return admit_emit(admit, row->series, row->start, ROW_BASE, row->end, v, err);
    }
    if (number_compare(v, reached) >= 0) {
        increment = number_sub(v, reached);
        stream_set(stream, v);
    } else if (stream->start != 0) {
        admit->appended->ambiguous++;
        increment = number_int(0);
    } else {
        stream_set(stream, v);
        TRY(admit_emit(admit, row->series, row->start, ROW_BASE, row->end, v, err));
    }
    admit->appended->points++;
    return admit_emit(admit, row->series, row->start, ROW_CUMULATIVE, row->end, increment, err);
}

/* ---- late readings ----------------------------------------------------- */

/* Takes `share` from the increments of the steps from `next` on, up to the next reset, and leaves
 * what it did not find.  A base is a reset only where the counter fell; one that a late baseline
 * has overtaken is a point like others. */
static enum varve_status
take_from_later(struct admit *admit, const struct row *row, const struct history *h, size_t next,
                struct number reached, struct number *share, struct varve_err *err)
{
    for (size_t i = next; i < h->count && !number_is_zero(*share); i++) {
        const struct step *step = &h->steps[i];
        struct number part = step->increment;
        if (step->has_base && number_compare(step->base, reached) < 0)
            break;
        reached = step->has_base ? step->base : number_add(reached, part);
        if (number_compare(part, number_int(0)) <= 0)
            continue;
        if (number_compare(part, *share) > 0)
            part = *share;
        struct number minus = number_sub(part.is_float ? number_float(0) : number_int(0), part);
        TRY(admit_emit(admit, row->series, row->start, ROW_ADJUST, step->end, minus, err));
        *share = number_sub(*share, part);
    }
    return VARVE_OK;
}

/* A baseline older than the oldest known: the old one becomes a point. */
static enum varve_status earlier_base(struct admit *admit, const struct row *row,
                                      const struct history *h, struct varve_err *err)
{
    const struct step *first = &h->steps[0];
    struct number v = number_of(row);
    struct number rise = first->base; /* after a reset */
    if (number_compare(first->base, v) >= 0)
        rise = number_sub(first->base, v);
    else if (row->start != 0)
        rise = number_int(0);
    admit->appended->baselines++;
    TRY(admit_emit(admit, row->series, row->start, ROW_BASE, row->end, v, err));
    return admit_emit(admit, row->series, row->start, first->has_row ? ROW_ADJUST : ROW_CUMULATIVE,
                      first->end, rise, err);
}

static bool base_before(const struct history *h, size_t next)
{
    while (next > 0)
        if (h->steps[--next].has_base)
            return true;
    return false;
}

/* Where neither the start nor a base is left, of what a reading had added nothing can be said. */
static enum varve_status fit_in(struct admit *admit, struct stream *stream, const struct row *row,
                                const struct history *h, struct varve_err *err)
{
    size_t next;
    struct number v = number_of(row), reached = reading_at(h, row->end, &next);
    const struct step *here =
        next > 0 && h->steps[next - 1].end == row->end ? &h->steps[next - 1] : NULL;
    bool known = is_whole(admit, stream->start) || base_before(h, next);
    if (!known && next == 0 && h->count > 0 && h->steps[0].has_base)
        return earlier_base(admit, row, h, err);
    int order = known ? number_compare(v, reached) : -1;
    if (here && (here->has_row || here->has_base) && order <= 0) {
        admit->appended->duplicates++;
        return VARVE_OK;
    }
    admit->appended->points++;
    if (order <= 0) {
        admit->appended->ambiguous += order < 0;
        return admit_emit(admit, row->series, row->start, ROW_CUMULATIVE, row->end, number_int(0),
                          err);
    }
    struct number share = number_sub(v, reached);
    TRY(admit_emit(admit, row->series, row->start,
                   here && here->has_row ? ROW_ADJUST : ROW_CUMULATIVE, row->end, share, err));
    TRY(take_from_later(admit, row, h, next, reached, &share, err));
    if (stream->start != 0 && stream->has_reading &&
        number_compare(v, number_of_stream(stream)) > 0)
        stream_set(stream, v);
    return VARVE_OK;
}

/* ---- readings out of order ---------------------------------------------- */

/* They are put off to the end of the batch, with all that comes after them in their streams, and
 * then taken stream by stream: what is known of one is worked out once. */
static enum varve_status
put_off(struct admit *admit, uint32_t number, const struct row *row, struct varve_err *err)
{
    TRY(mem_grow(admit->mem, (void **)&admit->late, &admit->late_capacity, admit->late_count + 1,
                 sizeof *admit->late, err));
    admit->late[admit->late_count] = (struct late_row){number, (uint32_t)admit->late_count, *row};
    admit->late_count++;
    admit->head->streams[number].is_waiting = 1;
    return VARVE_OK;
}

static enum varve_status
admit_reading(struct admit *admit, const struct row *row, struct varve_err *err)
{
    uint32_t number;
    bool fresh;
    TRY(head_stream(admit->head, row->series, row->start, &number, &fresh, err));
    if (fresh)
        TRY(stream_load(admit, number, err));
    struct stream *stream = &admit->head->streams[number];
    if (row->end > stream->last_end && !stream->is_waiting)
        return advance(admit, stream, row, err);
    return put_off(admit, number, row, err);
}

static int compare_late(const void *a, const void *b)
{
    const struct late_row *x = a, *y = b;
    if (x->stream != y->stream)
        return x->stream < y->stream ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

/* The late rows of one stream.  What is known of it holds until one of them is put in. */
static enum varve_status admit_late_stream(struct admit *admit, const struct late_row *late,
                                           size_t count, struct varve_err *err)
{
    struct stream *stream = &admit->head->streams[late->stream];
    struct history history = {.rows = {.mem = admit->mem}};
    enum varve_status status = VARVE_OK;
    bool known = false;
    stream->is_waiting = 0;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        const struct row *row = &late[i].row;
        size_t rows = admit->head->rows.row_count;
        if (row->end > stream->last_end) {
            status = advance(admit, stream, row, err);
        } else {
            if (!known)
                status = history_load(admit, row->series, row->start, false, &history, err);
            known = true;
            if (status == VARVE_OK)
                status = fit_in(admit, stream, row, &history, err);
        }
        if (known && rows != admit->head->rows.row_count) {
            history_free(admit, &history);
            known = false;
        }
    }
    if (known)
        history_free(admit, &history);
    return status;
}

static enum varve_status admit_late(struct admit *admit, struct varve_err *err)
{
    const struct late_row *late = admit->late;
    if (admit->late_count > 1)
        qsort(admit->late, admit->late_count, sizeof *late, compare_late);
    for (size_t i = 0, next; i < admit->late_count; i = next) {
        for (next = i + 1; next < admit->late_count && late[next].stream == late[i].stream;)
            next++;
        TRY(admit_late_stream(admit, late + i, next - i, err));
    }
    return VARVE_OK;
}

/* ---- points that stand for themselves ---------------------------------- */

static const struct day_record *sealed_day(struct admit *admit, int64_t end)
{
    if (end < admit->day_from || end >= admit->day_to) {
        int32_t day = day_of(end);
        admit->day = catalogue_find(admit->catalogue, day, 0);
        admit->day_from = day_start(day);
        admit->day_to = day_start(day + 1);
    }
    return admit->day;
}

static enum varve_status
admit_point(struct admit *admit, const struct row *row, struct varve_err *err)
{
    bool seen;
    TRY(head_has(admit->head, row, &seen, err));
    const struct day_record *day = seen ? NULL : sealed_day(admit, row->end);
    if (day)
        TRY(sealed_has(admit->sealed, day, admit->head->rows.series[row->series].hash, row, &seen,
                       err));
    if (seen) {
        admit->appended->duplicates++;
        return VARVE_OK;
    }
    admit->appended->points++;
    return head_add_row(admit->head, row, err);
}

/* ---- batches ------------------------------------------------------------ */

/* What is worked out of a batch before its rows are looked at. */
struct plan {
    uint32_t *order; /* the rows series by series, those of each in the order they came */
    uint32_t *ends;  /* where those of each series end */
    uint32_t *texts; /* as rowset_import_mapped has them */
    size_t size;
};

static enum varve_status plan_make(struct plan *plan, struct mem *mem, const struct rowset *batch,
                                   const uint32_t *index, size_t count, struct varve_err *err)
{
    size_t series = batch->series_count, texts = batch->texts.count;
    plan->size = mem_array(count + series + 1 + texts, sizeof *plan->order);
    plan->order = mem_alloc(mem, plan->size);
    if (!plan->order)
        return fail_nomem(err, plan->size);
    plan->ends = plan->order + count;
    plan->texts = plan->ends + series + 1;
    memset(plan->texts, 0xff, texts * sizeof *plan->texts);
    rowset_by_series(batch, index, count, plan->ends, plan->order);
    return VARVE_OK;
}

static enum varve_status
admit_row(struct admit *admit, const struct row *row, struct varve_err *err)
{
    if (row->mode != ROW_CUMULATIVE)
        return admit_point(admit, row, err);
    if (row->start == VARVE_FROM_ZERO)
        return admit_from_zero(admit, row, err);
    return admit_reading(admit, row, err);
}

static void ask_for(const struct hash_table *table, struct h128 key)
{
    if (table->capacity)
        __builtin_prefetch(&table->slots[key.lo & (table->capacity - 1)]);
}

/* The tables are large and looked into at random: what will be looked up is asked for in time. */
static void look_ahead(const struct rowset *head, const struct rowset *batch,
                       const struct rowset_series *series)
{
    ask_for(&head->series_table, series->hash);
    ask_for(&head->set_table, batch->sets[series->set].hash);
}

/* Rows of one series stand together in the head, as far as they come together. */
enum varve_status admit_rows(struct admit *admit, const struct rowset *batch, const uint32_t *index,
                             size_t count, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    struct plan plan = {.size = 0};
    if (count == 0)
        return VARVE_OK;
    TRY(plan_make(&plan, admit->mem, batch, index, count, err));
    for (size_t s = 0, i = 0; s < batch->series_count; s++) {
        uint32_t series = HASH_NONE;
        if (s + AHEAD < batch->series_count)
            look_ahead(&admit->head->rows, batch, &batch->series[s + AHEAD]);
        for (; i < plan.ends[s]; i++) {
            struct row row = batch->rows[plan.order[i]];
            if (row.end < admit->floor) {
                admit->appended->expired++;
                continue;
            }
            if (series == HASH_NONE)
                TRYOUT(rowset_import_mapped(&admit->head->rows, batch, (uint32_t)s, plan.texts,
                                            &series, err));
            row.series = series;
            TRYOUT(admit_row(admit, &row, err));
        }
    }
    TRYOUT(admit_late(admit, err));
out:
    mem_free(admit->mem, plan.order, plan.size);
    mem_free(admit->mem, admit->late, admit->late_capacity * sizeof *admit->late);
    admit->late = NULL;
    admit->late_count = admit->late_capacity = 0;
    return status;
}
