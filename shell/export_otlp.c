/* SPDX-License-Identifier: Apache-2.0
 *
 * export_otlp.c -- metrics as request bodies of OTLP in JSON, one a line.
 *
 * A line holds points of one metric, all deltas, all readings of a counter or all
 * readings of a gauge, and no more than POINTS of them.  A label is an attribute of its
 * points, whatever it was when it came in: series come out the same.
 *
 * Increments that came as such, and gauges, go out as they are met, in one scan.  Increments of
 * cumulative counters were readings once and become readings again, which takes the whole of a
 * stream: they are gathered, in passes.  A range then shows a part of the readings,
 * but each is what the counter had reached since it began.
 *
 * A start that is not known is left out, and so is that of a counter that began at zero at a time
 * nobody knows, where a receiver finds that out by itself: Claude Code's own counters in a session.
 * Any other counter of that kind goes out as one with a start each time it begins anew, which is
 * when it was first read: totals are kept, but this store would take them for other counters.
 */
#include <stdio.h>
#include <string.h>
#include "export.h"
#include "export_gather.h"
#include "export_stream.h"

enum { POINTS = 1000 };
#define LINE_BYTES ((uint64_t)8 << 20)

/* The line at hand. */
struct line {
    struct out *out;
    const struct export_metric *metric;
    bool cumulative; /* of what is written next */
    unsigned points; /* 0: no line is open */
    bool is_cumulative;
    uint64_t from; /* of its bytes */
    bool told;     /* that its starts are made up */
};

/* ---- lines ------------------------------------------------------------- */

static bool is_ours(const struct export_metric *metric)
{
    static const char prefix[] = "claude_code.";
    return metric->name.size > sizeof prefix - 1 &&
           memcmp(metric->name.data, prefix, sizeof prefix - 1) == 0;
}

static void end_line(struct line *line)
{
    if (line->points > 0)
        out_text(line->out, "]}}]}]}]}\n");
    line->points = 0;
}

static void begin_line(struct line *line)
{
    struct out *out = line->out;
    const struct export_metric *m = line->metric;
    line->from = out->flushed + out->used;
    line->is_cumulative = line->cumulative;
    out_text(out, "{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":[{");
    if (is_ours(m))
        out_text(out, "\"scope\":{\"name\":\"com.anthropic.claude_code\"},");
    out_text(out, "\"metrics\":[{\"name\":");
    out_json(out, m->name);
    if (m->unit.size > 0) {
        out_text(out, ",\"unit\":");
        out_json(out, m->unit);
    }
    if (m->kind == VARVE_GAUGE) {
        out_text(out, ",\"gauge\":{\"dataPoints\":[");
        return;
    }
    out_text(out, line->cumulative ? ",\"sum\":{\"aggregationTemporality\":2"
                                   : ",\"sum\":{\"aggregationTemporality\":1");
    out_text(out, m->kind == VARVE_UPDOWN ? ",\"dataPoints\":["
                                          : ",\"isMonotonic\":true,\"dataPoints\":[");
}

/* What stands before a point. */
static void next_point(struct line *line)
{
    const struct out *out = line->out;
    if (line->points == POINTS || out->flushed + out->used - line->from > LINE_BYTES ||
        line->is_cumulative != line->cumulative)
        end_line(line);
    if (line->points++ == 0)
        begin_line(line);
    else
        out_text(line->out, ",");
}

/* ---- points ------------------------------------------------------------ */

static void put_attribute(struct out *out, struct varve_str key, struct varve_str value)
{
    out_text(out, out->used ? ",{\"key\":" : "{\"attributes\":[{\"key\":");
    out_json(out, key);
    out_text(out, ",\"value\":{\"stringValue\":");
    out_json(out, value);
    out_text(out, "}}");
}

/* labels: what put_attribute collected. */
static void begin_point(struct line *line, const struct out *labels, int64_t start, int64_t end)
{
    struct out *out = line->out;
    next_point(line);
    out_bytes(out, labels->data, labels->used);
    out_text(out, labels->used ? "]," : "{");
    if (start != 0) {
        out_text(out, "\"startTimeUnixNano\":\"");
        out_int(out, start);
        out_text(out, "\",");
    }
    out_text(out, "\"timeUnixNano\":\"");
    out_int(out, end);
}

static void put_whole(struct out *out, int64_t value, int scale)
{
    out_text(out, scale ? "\",\"asDouble\":" : "\",\"asInt\":\"");
    if (scale)
        out_nano(out, value);
    else
        out_int(out, value);
    out_text(out, scale ? "}" : "\"}");
}

static void put_broken(struct out *out, double value, int scale)
{
    out_text(out, "\",\"asDouble\":");
    out_double(out, scale ? value / 1e9 : value);
    out_text(out, "}");
}

/* ---- what goes out as it is met ---------------------------------------- */

static bool is_direct(uint8_t form)
{
    return form == VARVE_FORM_DELTA || form == VARVE_FORM_GAUGE;
}

static void
put_run(struct line *line, const struct varve_rows *rows, uint32_t run, const struct out *labels)
{
    for (uint32_t r = rows->run_start[run]; r < rows->run_start[run + 1]; r++) {
        begin_point(line, labels, rows->start[r], rows->end[r]);
        if (rows->floats)
            put_broken(line->out, rows->floats[r], 0);
        else
            put_whole(line->out, rows->ints[r], rows->scale);
    }
}

/* *others counts the rows that are not for here. */
static void
put_rows(struct line *line, const struct varve_rows *rows, struct out *labels, uint64_t *others)
{
    for (uint32_t run = 0; run < rows->runs; run++) {
        if (!is_direct(rows->run_form[run])) {
            *others += rows->run_start[run + 1] - rows->run_start[run];
            continue;
        }
        labels->used = 0;
        for (size_t k = 0; k < line->metric->key_count; k++) {
            const struct varve_column *column = &rows->columns[k];
            if (column->type == VARVE_TEXT && column->codes[run] != 0)
                put_attribute(labels, line->metric->keys[k],
                              column->dictionary->texts[column->codes[run]]);
        }
        put_run(line, rows, run, labels);
    }
}

static enum varve_status put_direct(const struct export *export, struct line *line,
                                    struct out *labels, uint64_t *others, struct varve_err *err)
{
    const struct export_metric *m = line->metric;
    const struct varve_query query = {.source = m->name,
                                      .since = export->since,
                                      .until = export->until,
                                      .columns = m->keys,
                                      .column_count = m->key_count,
                                      .flags = VARVE_BASELINES};
    struct varve_rows rows;
    varve_scan *scan;
    line->cumulative = false;
    enum varve_status status = varve_scan_open(export->snapshot, &query, &scan, err);
    if (status != VARVE_OK)
        return status;
    while ((status = varve_scan_rows(scan, &rows, err)) == VARVE_OK) {
        put_rows(line, &rows, labels, others);
        if (labels->error)
            status = export_no_memory(err);
        else
            status = export_step(export, rows.rows, err);
        if (status != VARVE_OK)
            break;
    }
    varve_scan_close(scan);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* ---- readings ---------------------------------------------------------- */

/* Whether a receiver knows that the series counts from zero. */
static bool is_session(const struct line *line, const struct gather *gather,
                       const struct gathered_series *series)
{
    for (size_t k = 0; is_ours(line->metric) && k < gather->key_count; k++)
        if (series->texts[k] != 0 && gather->keys[k].size == 10 &&
            memcmp(gather->keys[k].data, "session.id", 10) == 0)
            return true;
    return false;
}

static bool has_fallen(const struct reading *from, const struct reading *to)
{
    return !from->is_float && !to->is_float ? to->i < from->i : to->f < from->f;
}

/* renewed: with a start of its own after each fall. */
static void put_readings(const struct export *export, struct line *line, const struct out *labels,
                         int64_t start, bool renewed, const struct readings *readings)
{
    for (size_t i = 0; i < readings->count; i++) {
        const struct reading *r = &readings->list[i];
        if (renewed && (i == 0 || has_fallen(r - 1, r)))
            start = r->end;
        if (r->end < export->since || r->end >= export->until)
            continue;
        begin_point(line, labels, start, r->end);
        if (r->is_float)
            put_broken(line->out, r->f, line->metric->scale);
        else
            put_whole(line->out, r->i, line->metric->scale);
    }
}

static void put_stream(const struct export *export, struct line *line, const struct out *labels,
                       int64_t start, bool in_session, const struct readings *readings)
{
    bool from_zero = start == VARVE_FROM_ZERO;
    if (from_zero && !in_session && !line->told)
        fprintf(
            stderr,
            "note: %.*s counts from zero at unknown times, which OTLP cannot say: it is written "
            "with starts of its own, and this store would count it again\n",
            (int)line->metric->name.size, line->metric->name.data);
    line->told |= from_zero && !in_session;
    put_readings(export, line, labels, from_zero ? 0 : start, from_zero && !in_session, readings);
}

/* All streams of a series, by their starts. */
static enum varve_status
put_series(const struct export *export, struct line *line, struct gather *gather,
           const struct gathered_series *series, struct out *labels, struct readings *readings,
           struct varve_err *err)
{
    const struct gathered_row *rows = gather_rows(gather, series, true);
    labels->used = 0;
    for (size_t k = 0; k < gather->key_count; k++)
        if (series->texts[k] != 0)
            put_attribute(labels, gather->keys[k], gather_label(gather, series, k));
    if (!rows || labels->error)
        return export_no_memory(err);
    for (uint32_t from = 0, to; from < series->rows; from = to) {
        for (to = from; to < series->rows && rows[to].start == rows[from].start;)
            to++;
        if (!stream_readings(rows + from, to - from, readings))
            return export_no_memory(err);
        put_stream(export, line, labels, rows[from].start, is_session(line, gather, series),
                   readings);
    }
    return export_step(export, series->rows, err);
}

static enum varve_status
put_part(const struct export *export, struct line *line, struct gather *gather, struct out *labels,
         struct readings *readings, struct varve_err *err)
{
    const struct varve_query range = {.since = INT64_MIN, .until = export->until};
    enum varve_status status =
        gather_scan(gather, export->snapshot, &range, line->metric->name, 0, err);
    if (status == VARVE_OK)
        gather_sort(gather);
    for (size_t i = 0; status == VARVE_OK && i < gather->series_count; i++)
        status = put_series(export, line, gather, &gather->series[i], labels, readings, err);
    return status;
}

static enum varve_status put_cumulative(const struct export *export, struct line *line,
                                        uint64_t rows, struct out *labels, struct varve_err *err)
{
    const struct export_metric *m = line->metric;
    struct readings readings = {0};
    struct gather gather;
    enum varve_status status = VARVE_OK;
    gather_init(&gather, m->keys, m->key_count,
                1 << VARVE_FORM_CUMULATIVE | 1 << VARVE_FORM_ADJUSTMENT | 1 << VARVE_FORM_BASELINE);
    uint32_t parts = gather_parts(&gather, rows, m->series < rows ? m->series : rows);
    line->cumulative = true;
    for (uint32_t part = 0; status == VARVE_OK && part < parts; part++) {
        gather_begin(&gather, part, parts);
        status = put_part(export, line, &gather, labels, &readings, err);
    }
    gather_free(&gather);
    readings_free(&readings);
    return status;
}

enum varve_status export_otlp_metrics(const struct export *export, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    struct out labels;
    out_init(&labels, -1);
    for (size_t i = 0; status == VARVE_OK && i < export->metric_count; i++) {
        const struct export_metric *m = &export->metrics[i];
        struct line line = {.out = export->out, .metric = m};
        uint64_t others = 0;
        status = put_direct(export, &line, &labels, &others, err);
        if (export->narrowed && others > 0 && others < m->rows)
            others = m->rows;
        if (status == VARVE_OK && others > 0)
            status = put_cumulative(export, &line, others, &labels, err);
        end_line(&line);
        export_finished(export, 2 * m->rows);
    }
    out_free(&labels);
    return status;
}
