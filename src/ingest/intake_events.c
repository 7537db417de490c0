/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_events.c -- log records, spans and what happens in them become events.
 *
 * A log record's name is its table: Claude Code puts it in an attribute and, longer, into the
 * body; other senders in a field of its own.  A record without a name goes to the table `log`, if
 * there is anything left of it.  A span's table is its name after `span_`; what happens in spans is
 * in the table `span_event`, with the ids by which it finds its span.
 *
 * Names that are free text would make a table each, so spans with such go to one table, `span`.
 */
#include "ingest/intake_private.h"

#include "base/clock.h"

enum { NAME_SIZE = 64 };

static struct varve_value int_value(int64_t number)
{
    return (struct varve_value){.type = VARVE_INT, .as.i = number};
}

/* A letter, then letters, digits, and what stands between them. */
static bool is_name(struct varve_str text)
{
    text = names_table(text);
    if (text.size == 0 || text.size > NAME_SIZE)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-')))
            return false;
    }
    return true;
}

/* The place of a table's attributes; *wanted is false when there is none, or a rule drops it. */
static enum varve_status table_place(struct intake *intake, struct varve_str table, uint32_t *place,
                                     bool *wanted, struct varve_err *err)
{
    uint32_t fact;
    *wanted = false;
    if (table.size == 0 || table.size > EVENT_NAME_MAX) {
        intake_reject(intake, REJECT_NAME, 1,
                      table.size ? "the name of an event is too long" : "an event without a name");
        return VARVE_OK;
    }
    intake_mark(intake);
    intake_fields_begin(intake);
    TRY(facts_find(&intake->facts, FACTS_TABLES, table, &fact, err));
    *place = fact + FACTS_PLACES;
    *wanted = intake->facts.facts[fact].verdict != RULE_DROP;
    intake->counts.dropped += !*wanted;
    return VARVE_OK;
}

static enum varve_status
add_all(struct intake *intake, uint32_t place, const struct varve_field *attributes, size_t count,
        struct varve_err *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(intake_field(intake, place, attributes[i].name, attributes[i].value, err));
    return VARVE_OK;
}

/* ---- log records ---- */

/* What a log record says about itself, in whichever way. */
struct record {
    const struct varve_field *name, *timestamp; /* attributes, or NULL */
    struct varve_str table;
    bool is_nameless, body_is_name;
    int64_t time;
};

static void find_own(const struct intake_event *event, struct record *record)
{
    for (size_t i = 0; i < event->attribute_count; i++) {
        const struct varve_field *field = &event->attributes[i];
        if (field->value.type != VARVE_TEXT)
            continue;
        if (str_equal(field->name, STR("event.name")))
            record->name = field;
        else if (str_equal(field->name, STR("event.timestamp")))
            record->timestamp = field;
    }
}

static void find_name(const struct intake_event *event, struct record *record)
{
    struct varve_str body = STR("");
    if (event->body.type == VARVE_TEXT)
        body = event->body.as.s;
    if (record->name && record->name->value.as.s.size > 0)
        record->table = names_table(record->name->value.as.s);
    else if (event->name.size > 0)
        record->table = names_table(event->name);
    else if (is_name(body))
        record->table = names_table(body);
    else
        record->is_nameless = true;
    record->body_is_name = !record->is_nameless && str_equal(names_table(body), record->table);
    if (record->is_nameless)
        record->table = STR("log");
}

/* The attribute is kept only where it says something else than the record does. */
static void find_time(const struct intake_event *event, struct record *record)
{
    int64_t said = 0;
    const struct varve_field *field = record->timestamp;
    if (field &&
        instant_parse(field->value.as.s.data, field->value.as.s.size, &said, NULL) != VARVE_OK)
        said = 0;
    record->time = event->time ? event->time : event->observed ? event->observed : said;
    if (said == 0 || said / 1000000 != record->time / 1000000)
        record->timestamp = NULL;
}

static enum varve_status
record_fields(struct intake *intake, uint32_t place, const struct intake_event *event,
              const struct record *record, struct varve_err *err)
{
    TRY(intake_held_fields(intake, place, err));
    for (size_t i = 0; i < event->attribute_count; i++) {
        const struct varve_field *field = &event->attributes[i];
        if (field != record->name && field != record->timestamp)
            TRY(intake_field(intake, place, field->name, field->value, err));
    }
    if (!record->body_is_name)
        TRY(intake_field(intake, place, STR("body"), event->body, err));
    TRY(intake_text_field(intake, place, "trace_id", event->trace_id, err));
    return intake_text_field(intake, place, "span_id", event->span_id, err);
}

enum varve_status
intake_event(struct intake *intake, const struct intake_event *event, struct varve_err *err)
{
    struct record record = {0};
    uint32_t place;
    bool wanted;
    find_own(event, &record);
    find_name(event, &record);
    find_time(event, &record);
    TRY(table_place(intake, record.table, &place, &wanted, err));
    if (!wanted)
        return VARVE_OK;
    if (record.time == 0) {
        intake_reject(intake, REJECT_TIME, 1, "an event without a time");
        return VARVE_OK;
    }
    TRY(record_fields(intake, place, event, &record, err));
    if (record.is_nameless && intake->own_field_count == 0) {
        intake_reject(intake, REJECT_NAME, 1,
                      "a log record without a name, and without attributes that are kept");
        return VARVE_OK;
    }
    TRY(intake_text_field(intake, place, "severity", event->severity, err));
    if (event->severity_number != 0)
        TRY(intake_field(intake, place, STR("severity_number"), int_value(event->severity_number),
                         err));
    return intake_fields_end(intake, record.table, record.time, err);
}

/* ---- spans ---- */

/* The table of a span, in `table`, and what of its name is not in there. */
static struct varve_str
span_table(struct varve_str name, char table[NAME_SIZE + 8], struct varve_str *rest)
{
    struct varve_str plain = names_table(name);
    *rest = STR("");
    memcpy(table, "span_", 5);
    if (!is_name(name)) {
        *rest = plain;
        return (struct varve_str){table, 4};
    }
    for (size_t i = 0; i < plain.size; i++)
        table[5 + i] = (char)(plain.data[i] == '.' ? '_' : plain.data[i]);
    return (struct varve_str){table, 5 + plain.size};
}

/* What an event of this span will be told to be part of. */
static enum varve_status remember_span(struct intake *intake, const struct intake_span *span,
                                       struct varve_str table, struct varve_err *err)
{
    struct varve_str without = {table.data + 5, table.size - 5};
    struct varve_str *const to[] = {&intake->span_name, &intake->span_trace_id, &intake->span_id};
    const struct varve_str from[] = {table.size > 5 ? without : table, span->trace_id,
                                     span->span_id};
    arena_clear(&intake->span_texts);
    for (size_t i = 0; i < 3; i++)
        *to[i] = STR("");
    for (size_t i = 0; i < 3; i++) {
        char *copy = arena_copy(&intake->span_texts, from[i].data, from[i].size);
        if (!copy)
            return fail_nomem(err, from[i].size);
        *to[i] = (struct varve_str){copy, from[i].size};
    }
    return VARVE_OK;
}

static enum varve_status span_fields(struct intake *intake, uint32_t place,
                                     const struct intake_span *span, struct varve_err *err)
{
    static const char *const kinds[] = {"", "", "server", "client", "producer", "consumer"};
    static const char *const states[] = {"", "ok", "error"};
    size_t kind = span->kind >= 0 && span->kind <= 5 ? (size_t)span->kind : 0;
    size_t state = span->status_code >= 0 && span->status_code <= 2 ? (size_t)span->status_code : 0;
    TRY(intake_text_field(intake, place, "trace_id", span->trace_id, err));
    TRY(intake_text_field(intake, place, "span_id", span->span_id, err));
    TRY(intake_text_field(intake, place, "parent_span_id", span->parent_id, err));
    if (span->end >= span->start && span->start != 0)
        TRY(intake_field(intake, place, STR("duration_ns"), int_value(span->end - span->start),
                         err));
    TRY(intake_text_field(intake, place, "kind",
                          (struct varve_str){kinds[kind], strlen(kinds[kind])}, err));
    TRY(intake_text_field(intake, place, "status",
                          (struct varve_str){states[state], strlen(states[state])}, err));
    return intake_text_field(intake, place, "status_message", span->status_message, err);
}

enum varve_status
intake_span(struct intake *intake, const struct intake_span *span, struct varve_err *err)
{
    char text[NAME_SIZE + 8];
    struct varve_str rest, table = span_table(span->name, text, &rest);
    uint32_t place;
    bool wanted;
    TRY(remember_span(intake, span, table, err));
    TRY(table_place(intake, table, &place, &wanted, err));
    if (!wanted)
        return VARVE_OK;
    if (span->start == 0 && span->end == 0) {
        intake_reject(intake, REJECT_TIME, 1, "a span without a time");
        return VARVE_OK;
    }
    TRY(intake_held_fields(intake, place, err));
    TRY(add_all(intake, place, span->attributes, span->attribute_count, err));
    TRY(intake_text_field(intake, place, "name", rest, err));
    TRY(span_fields(intake, place, span, err));
    return intake_fields_end(intake, table, span->start ? span->start : span->end, err);
}

enum varve_status intake_span_event(struct intake *intake, const struct intake_span_event *event,
                                    struct varve_err *err)
{
    struct varve_str table = STR("span_event");
    uint32_t place;
    bool wanted;
    TRY(table_place(intake, table, &place, &wanted, err));
    if (!wanted)
        return VARVE_OK;
    if (event->time == 0) {
        intake_reject(intake, REJECT_TIME, 1, "an event of a span without a time");
        return VARVE_OK;
    }
    TRY(add_all(intake, place, event->attributes, event->attribute_count, err));
    TRY(intake_text_field(intake, place, "name", names_table(event->name), err));
    TRY(intake_text_field(intake, place, "span", intake->span_name, err));
    TRY(intake_text_field(intake, place, "trace_id", intake->span_trace_id, err));
    TRY(intake_text_field(intake, place, "span_id", intake->span_id, err));
    return intake_fields_end(intake, table, event->time, err);
}
