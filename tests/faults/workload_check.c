/* SPDX-License-Identifier: Apache-2.0
 *
 * workload_check.c -- reads everything of a store and holds it against what the batches say.
 *
 * Each row names its batch and its place in it by its time.  So one pass over the rows
 * marks what is there and finds at once what is there twice or was never sent; a second pass
 * over the batches finds what is missing.  Sums answered from headers and the lists of metrics,
 * tables, labels and values must agree with what the rows say.
 *
 * Every error the store reports is told from a wrong answer: after damage the one is right, the
 * other never.
 */
#include "workload.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct work {
    varve_snapshot *snapshot;
    uint64_t acked, most;     /* batches that must be there, and that may be */
    uint8_t *points, *events; /* how often each item was seen */
    uint8_t *readings;
    int64_t *increments; /* of the cumulative counter, a slot each */
    uint64_t rows[WORK_METRICS], table_rows[WORK_TABLES];
    int64_t sums[WORK_METRICS];
    enum work_verdict verdict;
    char *text;
    struct varve_err *err;
};

void work_error_text(const char *doing, const struct varve_err *err, char text[GUARD_TEXT])
{
    snprintf(text, GUARD_TEXT, "%.40s: %.30s: %.100s: %.200s", doing,
             varve_status_name(err->status), err->place, err->message);
}

/* The first thing that goes wrong is what is told.  Both answer false. */
static bool wrong(struct work *w, const char *format, ...) VARVE_PRINTF(2, 3);
static bool wrong(struct work *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    w->verdict = WORK_WRONG;
    vsnprintf(w->text, GUARD_TEXT, format, arguments);
    va_end(arguments);
    return false;
}

static bool failed(struct work *w, const char *doing)
{
    w->verdict = WORK_ERROR;
    work_error_text(doing, w->err, w->text);
    return false;
}

/* ---- columns ------------------------------------------------------------------ */

static bool has_cell(const struct varve_column *c, uint32_t i)
{
    return c->type != VARVE_NULL && (!c->present || (c->present[i / 64] >> i % 64 & 1));
}

static bool text_is(const struct varve_column *c, uint32_t i, const char *want)
{
    size_t size = strlen(want);
    if (c->type == VARVE_NULL)
        return size == 0;
    if (c->type != VARVE_TEXT || c->codes[i] >= c->dictionary->count)
        return false;
    struct varve_str text = c->dictionary->texts[c->codes[i]];
    return text.size == size && memcmp(text.data, want, size) == 0;
}

/* ---- points ------------------------------------------------------------------- */

struct row_view {
    const struct varve_rows *rows;
    uint32_t run, row;
};

static bool same_value(const struct row_view *v, const struct work_point *p)
{
    if (p->value.type == VARVE_FLOAT && p->metric != WORK_COST)
        return v->rows->floats && v->rows->floats[v->row] == p->value.as.f;
    return v->rows->ints && v->rows->ints[v->row] == p->stored;
}

static bool take_point(struct work *w, enum work_metric metric, const struct row_view *v)
{
    struct work_point point;
    uint64_t n;
    unsigned k;
    int64_t end = v->rows->end[v->row];
    if (!work_item_of(end, &n, &k) || n > w->most ||
        (metric == WORK_ANCIENT ? k != WORK_ITEMS - 1 : k >= work_points(n)))
        return wrong(w, "%s has a point at %" PRId64 " that was never sent",
                     work_metric_names[metric], end);
    if (metric == WORK_ANCIENT)
        work_ancient(n, &point);
    else
        work_point(n, k, &point);
    if (point.metric != metric || point.end != end ||
        (metric != WORK_LOAD && point.start != v->rows->start[v->row]))
        return wrong(w, "%s: point %u of batch %" PRIu64 " has other times",
                     work_metric_names[metric], k, n);
    if (!same_value(v, &point) || v->rows->run_form[v->run] == VARVE_FORM_ADJUSTMENT)
        return wrong(w, "%s: point %u of batch %" PRIu64 " has another value",
                     work_metric_names[metric], k, n);
    if (!text_is(&v->rows->columns[0], v->run, point.session) ||
        !text_is(&v->rows->columns[1], v->run, point.model))
        return wrong(w, "%s: point %u of batch %" PRIu64 " has other labels",
                     work_metric_names[metric], k, n);
    if (w->points[n * WORK_ITEMS + k]++)
        return wrong(w, "%s: point %u of batch %" PRIu64 " is there twice",
                     work_metric_names[metric], k, n);
    return true;
}

/* An adjustment is no reading; it moves part of an increment from one slot to another. */
static bool take_reading(struct work *w, const struct row_view *v)
{
    uint64_t slot;
    if (!work_slot_of(v->rows->end[v->row], &slot) || slot > w->most || !v->rows->ints)
        return wrong(w, "work.total has a row at %" PRId64 " that was never sent",
                     v->rows->end[v->row]);
    w->increments[slot] += v->rows->ints[v->row];
    if (v->rows->run_form[v->run] != VARVE_FORM_ADJUSTMENT && w->readings[slot]++)
        return wrong(w, "work.total: slot %" PRIu64 " is there twice", slot);
    return true;
}

static bool take_rows(struct work *w, enum work_metric metric, const struct varve_rows *rows)
{
    for (uint32_t run = 0; run < rows->runs; run++)
        for (uint32_t i = rows->run_start[run]; i < rows->run_start[run + 1]; i++) {
            const struct row_view view = {rows, run, i};
            w->rows[metric] += rows->run_form[run] != VARVE_FORM_ADJUSTMENT;
            w->sums[metric] += rows->ints ? rows->ints[i] : 0;
            if (metric == WORK_TOTAL ? !take_reading(w, &view) : !take_point(w, metric, &view))
                return false;
        }
    return true;
}

/* *scan is NULL when the store knows no such metric or table. */
static bool open_scan(struct work *w, const char *source, const struct varve_str *columns,
                      size_t count, varve_scan **scan)
{
    struct varve_query query = {.source = varve_str(source),
                                .since = INT64_MIN,
                                .until = INT64_MAX,
                                .columns = columns,
                                .column_count = count};
    *scan = NULL;
    enum varve_status status = varve_scan_open(w->snapshot, &query, scan, w->err);
    return status == VARVE_OK || status == VARVE_NOTFOUND || failed(w, source);
}

static bool read_points(struct work *w, enum work_metric metric)
{
    const struct varve_str columns[] = {varve_str("session"), varve_str("model")};
    struct varve_rows rows;
    enum varve_status status = VARVE_DONE;
    varve_scan *scan;
    if (!open_scan(w, work_metric_names[metric], columns, 2, &scan))
        return false;
    bool good = true;
    while (good && scan && (status = varve_scan_rows(scan, &rows, w->err)) == VARVE_OK)
        good = take_rows(w, metric, &rows);
    if (good && status != VARVE_DONE)
        good = failed(w, work_metric_names[metric]);
    varve_scan_close(scan);
    return good;
}

/* The sums come from headers here, and must be those of the rows. */
static bool read_sums(struct work *w, enum work_metric metric)
{
    struct varve_runs runs;
    enum varve_status status = VARVE_DONE;
    varve_scan *scan;
    uint64_t points = 0;
    int64_t sum = 0;
    if (!open_scan(w, work_metric_names[metric], NULL, 0, &scan))
        return false;
    while (scan && (status = varve_scan_runs(scan, &runs, w->err)) == VARVE_OK)
        for (uint32_t r = 0; r < runs.runs; r++) {
            points += runs.points[r];
            sum += runs.sums ? runs.sums[r] : 0;
        }
    varve_scan_close(scan);
    if (status != VARVE_DONE)
        return failed(w, work_metric_names[metric]);
    if (points == w->rows[metric] && sum == w->sums[metric])
        return true;
    return wrong(
        w, "%s: rows are %" PRIu64 ", adding up to %" PRId64 ", runs say %" PRIu64 " and %" PRId64,
        work_metric_names[metric], w->rows[metric], w->sums[metric], points, sum);
}

/* ---- events --------------------------------------------------------------------- */

static bool same_event(const struct varve_rows *rows, uint32_t i, const struct work_event *event)
{
    const struct varve_column *number = &rows->columns[0], *body = &rows->columns[1];
    const struct varve_column *ok = &rows->columns[2], *ratio = &rows->columns[3];
    return has_cell(number, i) && number->type == VARVE_INT && number->ints[i] == event->number &&
           text_is(body, i, event->body) && has_cell(ok, i) && ok->type == VARVE_BOOL &&
           ok->ints[i] == event->ok && has_cell(ratio, i) == event->has_ratio &&
           (!event->has_ratio || (ratio->type == VARVE_FLOAT && ratio->floats[i] == event->ratio));
}

static bool take_event(struct work *w, unsigned table, const struct varve_rows *rows, uint32_t i)
{
    struct work_event event;
    uint64_t n;
    unsigned k;
    if (!work_item_of(rows->end[i], &n, &k) || n > w->most || k >= work_events(n))
        return wrong(w, "%s has an event at %" PRId64 " that was never sent",
                     work_table_names[table], rows->end[i]);
    work_event(n, k, &event);
    if (event.table != table || event.time != rows->end[i] || !same_event(rows, i, &event))
        return wrong(w, "%s: event %u of batch %" PRIu64 " is another one", work_table_names[table],
                     k, n);
    if (w->events[n * WORK_ITEMS + k]++)
        return wrong(w, "%s: event %u of batch %" PRIu64 " is there twice", work_table_names[table],
                     k, n);
    return true;
}

static bool read_events(struct work *w, unsigned table)
{
    const struct varve_str columns[] = {varve_str("number"), varve_str("body"), varve_str("ok"),
                                        varve_str("ratio")};
    struct varve_rows rows;
    enum varve_status status = VARVE_DONE;
    varve_scan *scan;
    if (!open_scan(w, work_table_names[table], columns, 4, &scan))
        return false;
    bool good = true;
    while (good && scan && (status = varve_scan_rows(scan, &rows, w->err)) == VARVE_OK) {
        for (uint32_t i = 0; good && i < rows.rows; i++)
            good = take_event(w, table, &rows, i);
        w->table_rows[table] += rows.rows;
    }
    if (good && status != VARVE_DONE)
        good = failed(w, work_table_names[table]);
    varve_scan_close(scan);
    return good;
}

/* ---- lists ---------------------------------------------------------------------- */

static int visit_metric(void *context, const struct varve_metric_info *info)
{
    struct work *w = context;
    for (int m = 0; m < WORK_METRICS; m++) {
        size_t size = strlen(work_metric_names[m]);
        if (info->metric.name.size != size ||
            memcmp(info->metric.name.data, work_metric_names[m], size) != 0)
            continue;
        if (info->points != w->rows[m])
            wrong(w, "the list of metrics has %" PRIu64 " points of %s, there are %" PRIu64,
                  info->points, work_metric_names[m], w->rows[m]);
        return w->verdict != WORK_RIGHT;
    }
    wrong(w, "the list of metrics has a strange one");
    return 1;
}

static int visit_table(void *context, const struct varve_table_info *info)
{
    struct work *w = context;
    for (int t = 0; t < WORK_TABLES; t++) {
        size_t size = strlen(work_table_names[t]);
        if (info->name.size != size || memcmp(info->name.data, work_table_names[t], size) != 0)
            continue;
        if (info->rows != w->table_rows[t])
            wrong(w, "the list of tables has %" PRIu64 " rows of %s, there are %" PRIu64,
                  info->rows, work_table_names[t], w->table_rows[t]);
        return w->verdict != WORK_RIGHT;
    }
    wrong(w, "the list of tables has a strange one");
    return 1;
}

static int count_label(void *context, const struct varve_count_info *info)
{
    *(uint64_t *)context += info->count;
    return 0;
}

/* Every point of the four kinds has a session, so their counts add up to the points. */
static bool read_values(struct work *w, enum work_metric metric)
{
    struct varve_str name = varve_str(work_metric_names[metric]);
    uint64_t labels = 0, points = 0;
    if (w->rows[metric] == 0)
        return true;
    if (varve_visit_labels(w->snapshot, name, count_label, &labels, w->err) != VARVE_OK ||
        varve_visit_values(w->snapshot, name, varve_str("session"), count_label, &points, w->err) !=
            VARVE_OK)
        return failed(w, work_metric_names[metric]);
    return points == w->rows[metric] ||
           wrong(w, "%s: the sessions have %" PRIu64 " points, there are %" PRIu64,
                 work_metric_names[metric], points, w->rows[metric]);
}

static bool read_lists(struct work *w)
{
    if (varve_visit_metrics(w->snapshot, visit_metric, w, w->err) != VARVE_OK)
        return failed(w, "the list of metrics");
    if (varve_visit_tables(w->snapshot, visit_table, w, w->err) != VARVE_OK)
        return failed(w, "the list of tables");
    for (int m = 0; m < WORK_KINDS && w->verdict == WORK_RIGHT; m++)
        read_values(w, (enum work_metric)m);
    return w->verdict == WORK_RIGHT;
}

/* ---- what must be there ------------------------------------------------------------ */

/* Whether anything of the batch is there. */
static bool has_any(const struct work *w, uint64_t n)
{
    for (unsigned k = 0; k < WORK_ITEMS; k++)
        if (w->points[n * WORK_ITEMS + k] || w->events[n * WORK_ITEMS + k])
            return true;
    uint64_t slots[2];
    unsigned count = work_slots(n, slots);
    return count > 0 && w->readings[slots[0]];
}

static bool has_all(struct work *w, uint64_t n)
{
    uint64_t slots[2];
    for (unsigned k = 0; k < work_points(n); k++)
        if (!w->points[n * WORK_ITEMS + k])
            return wrong(w, "point %u of batch %" PRIu64 " is lost", k, n);
    for (unsigned k = 0; k < work_events(n); k++)
        if (!w->events[n * WORK_ITEMS + k])
            return wrong(w, "event %u of batch %" PRIu64 " is lost", k, n);
    unsigned count = work_slots(n, slots);
    for (unsigned i = 0; i < count; i++)
        if (!w->readings[slots[i]])
            return wrong(w, "reading %" PRIu64 " of batch %" PRIu64 " is lost", slots[i], n);
    return true;
}

static bool check_ancient(struct work *w, uint64_t last)
{
    struct work_point point;
    int64_t gone = INT64_MIN, maybe;
    for (uint64_t n = 1; n < w->acked; n++)
        gone = work_floor(n) > gone ? work_floor(n) : gone;
    maybe = work_floor(w->acked) > gone ? work_floor(w->acked) : gone;
    for (uint64_t n = 1; n <= last; n++) {
        bool there = w->points[n * WORK_ITEMS + WORK_ITEMS - 1];
        work_ancient(n, &point);
        if (there && point.end < gone)
            return wrong(w, "the ancient point of batch %" PRIu64 " was forgotten, but is there",
                         n);
        if (!there && point.end >= maybe)
            return wrong(w, "the ancient point of batch %" PRIu64 " is lost", n);
    }
    return true;
}

static bool check_total(struct work *w, uint64_t last)
{
    uint64_t before = 0;
    for (uint64_t slot = 1; slot <= last; slot++) {
        int64_t want = work_slot_value(slot) - work_slot_value(before);
        if (!w->readings[slot] && w->increments[slot] == 0)
            continue;
        if (!w->readings[slot] || w->increments[slot] != want)
            return wrong(w,
                         "work.total: the increment of slot %" PRIu64 " is %" PRId64
                         " instead of %" PRId64,
                         slot, w->increments[slot], want);
        before = slot;
    }
    return true;
}

static bool check_batches(struct work *w, uint64_t *last)
{
    *last = w->most > w->acked && has_any(w, w->most) ? w->most : w->acked;
    for (uint64_t n = 1; n <= *last; n++)
        if (!has_all(w, n))
            return false;
    return check_ancient(w, *last) && check_total(w, *last);
}

static bool read_all(struct work *w, uint64_t *last)
{
    for (int m = 0; m < WORK_METRICS; m++)
        if (!read_points(w, (enum work_metric)m) || !read_sums(w, (enum work_metric)m))
            return false;
    for (unsigned t = 0; t < WORK_TABLES; t++)
        if (!read_events(w, t))
            return false;
    return read_lists(w) && check_batches(w, last);
}

enum work_verdict
work_check(varve *db, uint64_t acked, uint64_t *last, char text[GUARD_TEXT], struct varve_err *err)
{
    struct work w = {.acked = acked, .most = acked + 1, .text = text, .err = err};
    size_t items = (size_t)(acked + 2) * WORK_ITEMS;
    w.points = calloc(items, 1);
    w.events = calloc(items, 1);
    w.readings = calloc(acked + 2, 1);
    w.increments = calloc(acked + 2, sizeof *w.increments);
    if (!w.points || !w.events || !w.readings || !w.increments)
        abort();
    if (varve_snapshot_open(db, &w.snapshot, err) == VARVE_OK) {
        read_all(&w, last);
        varve_snapshot_close(w.snapshot);
    } else {
        failed(&w, "snapshot");
    }
    free(w.points);
    free(w.events);
    free(w.readings);
    free(w.increments);
    return w.verdict;
}

enum work_verdict work_check_store(const char *path, unsigned flags, uint64_t acked, uint64_t *last,
                                   char text[GUARD_TEXT])
{
    struct varve_options options = {.flags = flags};
    struct varve_err err = {0};
    varve *db;
    if (varve_open(path, &options, &db, &err) != VARVE_OK) {
        work_error_text("open", &err, text);
        return WORK_ERROR;
    }
    enum work_verdict verdict = work_check(db, acked, last, text, &err);
    varve_close(db);
    return verdict;
}

static void keep_first(void *context, const struct varve_err *err)
{
    char *text = context;
    if (!text[0])
        work_error_text("verify", err, text);
}

bool work_verify(const char *path, char text[GUARD_TEXT])
{
    struct varve_err err = {0};
    text[0] = 0;
    if (varve_verify(path, keep_first, text, NULL, &err) == VARVE_OK)
        return true;
    if (!text[0])
        work_error_text("verify", &err, text);
    return false;
}
