/* SPDX-License-Identifier: Apache-2.0
 *
 * export_events.c -- events and spans as request bodies of OTLP in JSON, one a line.
 *
 * An event is a log record: its table is the attribute event.name, its cells are attributes of the
 * types they came with, and what OTLP has a place for (the ids of a span, severity, body) stands
 * there.  A row of a table span_NAME is a span.  A value that does not look like what its
 * place in OTLP takes stays an attribute, under the name it has here; that comes in again as the
 * same.
 *
 * What happened in spans (the table span_event) knows its span by its ids, not by where it
 * stands, and goes out as log records of that name, which make the same rows again.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "export.h"

enum { RECORDS = 1000 };
#define LINE_BYTES ((uint64_t)8 << 20)
#define STR(literal) ((struct varve_str){literal, sizeof(literal) - 1})

/* Columns with a place of their own, by the order of own_names. */
enum own {
    OWN_TRACE,
    OWN_SPAN,
    OWN_PARENT,
    OWN_DURATION,
    OWN_KIND,
    OWN_STATUS,
    OWN_MESSAGE,
    OWN_NAME,
    OWN_SEVERITY,
    OWN_SEVERITY_NUMBER,
    OWN_BODY,
    OWN_SESSION,
    OWNS
};
static const char *const own_names[OWNS] = {
    "trace_id",       "span_id", "parent_span_id", "duration_ns",     "kind", "status",
    "status_message", "name",    "severity",       "severity_number", "body", "session.id"};

struct records {
    struct out *out;
    const struct export_table *table;
    bool is_span;
    size_t own[OWNS]; /* the columns; SIZE_MAX: the table has none such */
    unsigned count;   /* 0: no line is open */
    uint64_t from;    /* of its bytes */
    uint64_t taken;   /* bit by enum own: what has a place in the record at hand */
    bool any;         /* attributes so far */
};

/* ---- cells ------------------------------------------------------------- */

static bool is_present(const struct varve_column *column, uint32_t row)
{
    if (column->type == VARVE_NULL)
        return false;
    if (column->type == VARVE_TEXT)
        return column->codes[row] != 0;
    return !column->present || (column->present[row / 64] >> (row % 64) & 1);
}

/* A number that is seen as its text, as the number it was. */
static struct varve_value number_of(struct varve_str seen, enum varve_type type)
{
    char text[64] = "";
    memcpy(text, seen.data, seen.size < sizeof text ? seen.size : sizeof text - 1);
    if (type == VARVE_BOOL)
        return varve_bool(text[0] == 't');
    if (type == VARVE_INT)
        return varve_int(strtoll(text, NULL, 10));
    return varve_float(strtod(text, NULL));
}

/* VARVE_NULL: the row has none. */
static struct varve_value value_of(const struct varve_column *column, uint32_t row)
{
    if (!is_present(column, row))
        return (struct varve_value){.type = VARVE_NULL};
    enum varve_type type = column->types ? (enum varve_type)column->types[row] : column->type;
    if (column->type == VARVE_TEXT) {
        struct varve_str text = column->dictionary->texts[column->codes[row]];
        return type == VARVE_TEXT ? varve_text(text) : number_of(text, type);
    }
    if (column->type == VARVE_FLOAT)
        return type == VARVE_BOOL  ? varve_bool(column->floats[row] != 0)
               : type == VARVE_INT ? varve_int((int64_t)column->floats[row])
                                   : varve_float(column->floats[row]);
    return type == VARVE_BOOL ? varve_bool(column->ints[row] != 0) : varve_int(column->ints[row]);
}

static struct varve_value
own_value(const struct records *records, const struct varve_rows *rows, uint32_t row, enum own own)
{
    size_t column = records->own[own];
    if (column == SIZE_MAX)
        return (struct varve_value){.type = VARVE_NULL};
    return value_of(&rows->columns[column], row);
}

static void put_float(struct out *out, double value)
{
    if (isfinite(value))
        out_double(out, value);
    else
        out_text(out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

static void put_value(struct out *out, struct varve_value value)
{
    if (value.type == VARVE_TEXT) {
        out_text(out, "{\"stringValue\":");
        out_json(out, value.as.s);
    } else if (value.type == VARVE_INT) {
        out_text(out, "{\"intValue\":\"");
        out_int(out, value.as.i);
        out_text(out, "\"");
    } else if (value.type == VARVE_BOOL) {
        out_text(out, value.as.i ? "{\"boolValue\":true" : "{\"boolValue\":false");
    } else {
        out_text(out, "{\"doubleValue\":");
        put_float(out, value.as.f);
    }
    out_text(out, "}");
}

static void put_attribute(struct records *records, struct varve_str key, struct varve_value value)
{
    struct out *out = records->out;
    out_text(out, records->any ? ",{\"key\":" : "\"attributes\":[{\"key\":");
    out_json(out, key);
    out_text(out, ",\"value\":");
    put_value(out, value);
    out_text(out, "}");
    records->any = true;
}

/* All cells that have no place of their own. */
static void put_attributes(struct records *records, const struct varve_rows *rows, uint32_t row)
{
    uint64_t taken = records->taken;
    for (size_t c = 0; c < records->table->column_count; c++) {
        struct varve_value value = value_of(&rows->columns[c], row);
        bool is_own = false;
        for (int own = 0; own < OWNS; own++)
            is_own |= records->own[own] == c && (taken >> own & 1);
        if (value.type != VARVE_NULL && !is_own)
            put_attribute(records, records->table->columns[c], value);
    }
    if (records->any)
        out_text(records->out, "],");
}

/* ---- cells with a place ------------------------------------------------ */

/* Lower-case digits, not all of them zero, as many as the id has. */
static bool is_id(struct varve_value value, size_t digits)
{
    bool any = false;
    if (value.type != VARVE_TEXT || value.as.s.size != digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = value.as.s.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        any |= c != '0';
    }
    return any;
}

static void put_id(struct records *records, const struct varve_rows *rows, uint32_t row,
                   enum own own, size_t digits, const char *name)
{
    struct varve_value value = own_value(records, rows, row, own);
    if (!is_id(value, digits))
        return;
    records->taken |= UINT64_C(1) << own;
    out_text(records->out, name);
    out_json(records->out, value.as.s);
    out_text(records->out, ",");
}

static void put_ids(struct records *records, const struct varve_rows *rows, uint32_t row)
{
    put_id(records, rows, row, OWN_TRACE, 32, "\"traceId\":");
    put_id(records, rows, row, OWN_SPAN, 16, "\"spanId\":");
    if (records->is_span)
        put_id(records, rows, row, OWN_PARENT, 16, "\"parentSpanId\":");
}

static void put_time(struct out *out, const char *name, int64_t time)
{
    out_text(out, name);
    out_text(out, "\"");
    out_int(out, time);
    out_text(out, "\",");
}

static bool is_text(struct varve_value value, const char *text)
{
    return value.type == VARVE_TEXT && value.as.s.size == strlen(text) &&
           memcmp(value.as.s.data, text, value.as.s.size) == 0;
}

/* The place of a word in a list, or 0. */
static int64_t place_of(struct varve_value value, const char *const *words, int64_t count)
{
    for (int64_t i = 1; i < count; i++)
        if (words[i][0] && is_text(value, words[i]))
            return i;
    return 0;
}

/* ---- lines ------------------------------------------------------------- */

static void end_line(struct records *records)
{
    if (records->count > 0)
        out_text(records->out, "]}]}]}\n");
    records->count = 0;
}

static void next_record(struct records *records, bool is_ours)
{
    struct out *out = records->out;
    if (records->count == RECORDS || out->flushed + out->used - records->from > LINE_BYTES)
        end_line(records);
    records->taken = 0;
    records->any = false;
    if (records->count++ > 0) {
        out_text(out, ",{");
        return;
    }
    records->from = out->flushed + out->used;
    out_text(out, records->is_span ? "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{"
                                   : "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{");
    if (is_ours)
        out_text(out, records->is_span
                          ? "\"scope\":{\"name\":\"com.anthropic.claude_code.tracing\"},"
                          : "\"scope\":{\"name\":\"com.anthropic.claude_code.events\"},");
    out_text(out, records->is_span ? "\"spans\":[{" : "\"logRecords\":[{");
}

/* ---- log records ------------------------------------------------------- */

static void put_severity(struct records *records, const struct varve_rows *rows, uint32_t row)
{
    struct varve_value text = own_value(records, rows, row, OWN_SEVERITY);
    struct varve_value number = own_value(records, rows, row, OWN_SEVERITY_NUMBER);
    if (number.type == VARVE_INT && number.as.i > 0 && number.as.i <= 24) {
        records->taken |= UINT64_C(1) << OWN_SEVERITY_NUMBER;
        out_text(records->out, "\"severityNumber\":");
        out_int(records->out, number.as.i);
        out_text(records->out, ",");
    }
    if (text.type == VARVE_TEXT && text.as.s.size > 0) {
        records->taken |= UINT64_C(1) << OWN_SEVERITY;
        out_text(records->out, "\"severityText\":");
        out_json(records->out, text.as.s);
        out_text(records->out, ",");
    }
}

/* A body that was the event's name is not kept; Claude Code's always is. */
static void
put_body(struct records *records, const struct varve_rows *rows, uint32_t row, bool is_ours)
{
    struct varve_value body = own_value(records, rows, row, OWN_BODY);
    struct out *out = records->out;
    if (body.type != VARVE_NULL) {
        records->taken |= UINT64_C(1) << OWN_BODY;
        out_text(out, "\"body\":");
        put_value(out, body);
        out_text(out, ",");
    } else if (is_ours) {
        out_text(out, "\"body\":{\"stringValue\":\"claude_code.");
        struct out name;
        out_init(&name, -1);
        out_json(&name, records->table->name);
        out_bytes(out, name.data + 1, name.used ? name.used - 1 : 0);
        out->error = name.error ? name.error : out->error;
        out_free(&name);
        out_text(out, "},");
    }
}

static void put_record(struct records *records, const struct varve_rows *rows, uint32_t row)
{
    struct out *out = records->out;
    bool is_ours = own_value(records, rows, row, OWN_SESSION).type != VARVE_NULL;
    next_record(records, is_ours);
    put_time(out, "\"timeUnixNano\":", rows->end[row]);
    put_ids(records, rows, row);
    put_severity(records, rows, row);
    put_body(records, rows, row, is_ours);
    put_attribute(records, STR("event.name"), varve_text(records->table->name));
    put_attributes(records, rows, row);
    put_time(out, "\"observedTimeUnixNano\":", rows->end[row]);
    out_back(out); /* the comma */
    out_text(out, "}");
}

/* ---- spans ------------------------------------------------------------- */

/* A span without a duration had no start, or ended before it. */
static void put_times(struct records *records, const struct varve_rows *rows, uint32_t row)
{
    struct varve_value duration = own_value(records, rows, row, OWN_DURATION);
    int64_t start = rows->end[row], end;
    bool known = duration.type == VARVE_INT && duration.as.i >= 0 &&
                 !__builtin_add_overflow(start, duration.as.i, &end);
    if (known) {
        records->taken |= UINT64_C(1) << OWN_DURATION;
        put_time(records->out, "\"startTimeUnixNano\":", start);
    }
    put_time(records->out, "\"endTimeUnixNano\":", known ? end : start);
}

static void put_kind(struct records *records, const struct varve_rows *rows, uint32_t row)
{
    static const char *const kinds[] = {"", "", "server", "client", "producer", "consumer"};
    int64_t kind = place_of(own_value(records, rows, row, OWN_KIND), kinds, 6);
    out_text(records->out, "\"kind\":");
    out_int(records->out, kind ? kind : 1);
    out_text(records->out, ",");
    if (kind)
        records->taken |= UINT64_C(1) << OWN_KIND;
}

static void put_status(struct records *records, const struct varve_rows *rows, uint32_t row)
{
    static const char *const states[] = {"", "ok", "error"};
    struct out *out = records->out;
    int64_t code = place_of(own_value(records, rows, row, OWN_STATUS), states, 3);
    struct varve_value message = own_value(records, rows, row, OWN_MESSAGE);
    bool has_message = message.type == VARVE_TEXT && message.as.s.size > 0;
    if (!code && !has_message)
        return;
    out_text(out, "\"status\":{\"code\":");
    out_int(out, code);
    if (code)
        records->taken |= UINT64_C(1) << OWN_STATUS;
    if (has_message) {
        records->taken |= UINT64_C(1) << OWN_MESSAGE;
        out_text(out, ",\"message\":");
        out_json(out, message.as.s);
    }
    out_text(out, "},");
}

/* Whether no receiver would name a table after it. */
static bool is_free_text(struct varve_value name)
{
    for (size_t i = 0; name.type == VARVE_TEXT && i < name.as.s.size; i++) {
        char c = name.as.s.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-')))
            return true;
    }
    return false;
}

/* The table is "span_" and the name, or "span" where the name is free text. */
static void
put_name(struct records *records, const struct varve_rows *rows, uint32_t row, bool is_ours)
{
    struct varve_str table = records->table->name;
    struct out *out = records->out;
    out_text(out, "\"name\":");
    if (table.size > 5) {
        struct out name;
        out_init(&name, -1);
        out_text(&name, is_ours ? "claude_code." : "");
        out_bytes(&name, table.data + 5, table.size - 5);
        out_json(out, (struct varve_str){name.data, name.used});
        out->error = name.error ? name.error : out->error;
        out_free(&name);
    } else {
        struct varve_value name = own_value(records, rows, row, OWN_NAME);
        bool is_taken = is_free_text(name);
        if (is_taken)
            records->taken |= UINT64_C(1) << OWN_NAME;
        out_json(out, is_taken ? name.as.s : STR(""));
    }
    out_text(out, ",");
}

static void put_span(struct records *records, const struct varve_rows *rows, uint32_t row)
{
    struct out *out = records->out;
    bool is_ours = own_value(records, rows, row, OWN_SESSION).type != VARVE_NULL;
    next_record(records, is_ours);
    put_ids(records, rows, row);
    put_name(records, rows, row, is_ours);
    put_kind(records, rows, row);
    put_times(records, rows, row);
    put_status(records, rows, row);
    put_attributes(records, rows, row);
    if (out->used > 0)
        out_back(out); /* the comma */
    out_text(out, "}");
}

/* ---- tables ------------------------------------------------------------ */

static bool is_span_table(struct varve_str name)
{
    if (name.size < 4 || memcmp(name.data, "span", 4) != 0)
        return false;
    if (name.size == 10 && memcmp(name.data, "span_event", 10) == 0)
        return false;
    return name.size == 4 || (name.size > 5 && name.data[4] == '_');
}

static void find_own(struct records *records)
{
    for (int own = 0; own < OWNS; own++) {
        records->own[own] = SIZE_MAX;
        for (size_t c = 0; c < records->table->column_count; c++)
            if (is_text(varve_text(records->table->columns[c]), own_names[own]))
                records->own[own] = c;
    }
}

static enum varve_status
put_table(const struct export *export, const struct export_table *table, struct varve_err *err)
{
    const struct varve_query query = {.source = table->name,
                                      .since = export->since,
                                      .until = export->until,
                                      .columns = table->columns,
                                      .column_count = table->column_count};
    struct records records = {
        .out = export->out, .table = table, .is_span = is_span_table(table->name)};
    struct varve_rows rows;
    varve_scan *scan;
    find_own(&records);
    enum varve_status status = varve_scan_open(export->snapshot, &query, &scan, err);
    if (status != VARVE_OK)
        return status;
    while ((status = varve_scan_rows(scan, &rows, err)) == VARVE_OK) {
        for (uint32_t row = 0; row < rows.rows; row++)
            if (records.is_span)
                put_span(&records, &rows, row);
            else
                put_record(&records, &rows, row);
        status = export_step(export, rows.rows, err);
        if (status != VARVE_OK)
            break;
    }
    end_line(&records);
    export_finished(export, table->rows);
    varve_scan_close(scan);
    return status == VARVE_DONE ? VARVE_OK : status;
}

enum varve_status export_otlp_events(const struct export *export, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    for (int spans = 0; spans < 2; spans++)
        for (size_t i = 0; status == VARVE_OK && i < export->table_count; i++)
            if (is_span_table(export->tables[i].name) == (spans == 1))
                status = put_table(export, &export->tables[i], err);
    return status;
}
