/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_json_records.c -- log records, spans and what happened during spans.
 *
 * Enumerations come as numbers or by their names.  Links between spans are not kept.
 */
#include "ingest/otlp_json_private.h"

enum { TRACE_ID_SIZE = 16, SPAN_ID_SIZE = 8 };
enum { EVENT_TIME, EVENT_NAME, EVENT_ATTRIBUTES, EVENT_SLOTS };
enum { STATUS_CODE, STATUS_MESSAGE, STATUS_SLOTS };

static const struct otlp_field event_fields[] = {
    OTLP_VALUE("timeUnixNano", EVENT_TIME),
    OTLP_VALUE("name", EVENT_NAME),
    OTLP_PAIRS("attributes", EVENT_ATTRIBUTES),
};
static const struct otlp_message event_message = OTLP_MESSAGE(event_fields, EVENT_SLOTS);
static const struct otlp_field status_fields[] = {OTLP_VALUE("code", STATUS_CODE),
                                                  OTLP_VALUE("message", STATUS_MESSAGE)};
static const struct otlp_message status_message = OTLP_MESSAGE(status_fields, STATUS_SLOTS);

/* ---- enumerations ---------------------------------------------------------------- */

struct enumeration {
    struct varve_str prefix;
    const char *const *names; /* from 0 */
    size_t count;
};

static const char *const severity_names[] = {
    "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",        "INFO2",  "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
    "ERROR2",      "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4"};
static const char *const kind_names[] = {"UNSPECIFIED", "INTERNAL", "SERVER",
                                         "CLIENT",      "PRODUCER", "CONSUMER"};
static const char *const code_names[] = {"UNSET", "OK", "ERROR"};

#define ENUMERATION(prefix, names)                                           \
    {                                                                        \
        {prefix, sizeof(prefix) - 1}, names, sizeof(names) / sizeof *(names) \
    }
static const struct enumeration severities = ENUMERATION("SEVERITY_NUMBER_", severity_names);
static const struct enumeration kinds = ENUMERATION("SPAN_KIND_", kind_names);
static const struct enumeration codes = ENUMERATION("STATUS_CODE_", code_names);

static enum varve_status read_enumeration(struct otlp_json *door, const struct json_value *value,
                                          const struct enumeration *enumeration, int64_t *number)
{
    struct varve_str prefix = enumeration->prefix;
    *number = 0;
    if (value->type == JSON_NONE)
        return VARVE_OK;
    if (json_int64(value, number)) {
        if (*number == (int32_t)*number)
            return VARVE_OK;
    } else if (value->type == JSON_STRING && value->size > prefix.size &&
               memcmp(value->text, prefix.data, prefix.size) == 0) {
        struct varve_str name = {value->text + prefix.size, value->size - prefix.size};
        for (size_t i = 0; i < enumeration->count; i++) {
            const char *known = enumeration->names[i];
            *number = (int64_t)i;
            if (str_equal(name, (struct varve_str){known, strlen(known)}))
                return VARVE_OK;
        }
    }
    return otlp_json_malformed(door, REJECT_RECORD, "expected a number or name of an enumeration");
}

/* ---- log records ------------------------------------------------------------------ */

static enum varve_status read_record(struct otlp_json *door, const struct otlp_node *record,
                                     struct intake_event *event, struct varve_err *err)
{
    const struct json_value *slots = record->slots;
    if (record->wrong)
        return otlp_json_malformed(door, REJECT_RECORD, record->wrong);
    TRY(otlp_json_time(door, &slots[LOG_TIME], &event->time));
    TRY(otlp_json_time(door, &slots[LOG_OBSERVED], &event->observed));
    TRY(otlp_json_string(door, &slots[LOG_NAME], &event->name, err));
    TRY(otlp_json_any(door, &slots[LOG_BODY], &event->body, err));
    TRY(otlp_json_string(door, &slots[LOG_SEVERITY], &event->severity, err));
    TRY(read_enumeration(door, &slots[LOG_NUMBER], &severities, &event->severity_number));
    TRY(otlp_json_id(door, &slots[LOG_TRACE], TRACE_ID_SIZE, &event->trace_id, err));
    TRY(otlp_json_id(door, &slots[LOG_SPAN], SPAN_ID_SIZE, &event->span_id, err));
    TRY(otlp_json_attributes(door, &slots[LOG_ATTRIBUTES], LIMIT_FIELDS, err));
    event->attributes = door->fields;
    event->attribute_count = door->field_count;
    return VARVE_OK;
}

enum varve_status
otlp_json_record(struct otlp_json *door, const struct otlp_node *record, struct varve_err *err)
{
    struct intake_event event = {.time = 0};
    bool usable;
    otlp_json_fresh(door);
    TRY(otlp_json_judge(door, read_record(door, record, &event, err), 1, &usable));
    return usable ? intake_event(door->intake, &event, err) : VARVE_OK;
}

/* ---- spans --------------------------------------------------------------------------- */

/* An empty array where there is none. */
static void begin_events(struct json *json, const struct otlp_node *span)
{
    const struct json_value *events = &span->slots[SPAN_EVENTS];
    bool any = !span->wrong && events->type == JSON_ARRAY;
    json_start(json, any ? events->text : "[]", any ? events->size : 2);
    (void)json_begin(json);
}

uint64_t otlp_json_span_records(const struct otlp_node *span)
{
    struct json json;
    struct json_value event;
    uint64_t records = 1;
    for (begin_events(&json, span); json_element(&json) && json_value(&json, &event);)
        records++;
    return records;
}

static enum varve_status read_span(struct otlp_json *door, const struct otlp_node *node,
                                   struct intake_span *span, struct varve_err *err)
{
    const struct json_value *slots = node->slots;
    struct json_value status[STATUS_SLOTS];
    if (node->wrong)
        return otlp_json_malformed(door, REJECT_RECORD, node->wrong);
    TRY(otlp_json_time(door, &slots[SPAN_START], &span->start));
    TRY(otlp_json_time(door, &slots[SPAN_END], &span->end));
    TRY(otlp_json_string(door, &slots[SPAN_NAME], &span->name, err));
    TRY(otlp_json_id(door, &slots[SPAN_TRACE], TRACE_ID_SIZE, &span->trace_id, err));
    TRY(otlp_json_id(door, &slots[SPAN_ID], SPAN_ID_SIZE, &span->span_id, err));
    TRY(otlp_json_id(door, &slots[SPAN_PARENT], SPAN_ID_SIZE, &span->parent_id, err));
    TRY(read_enumeration(door, &slots[SPAN_KIND], &kinds, &span->kind));
    if (slots[SPAN_STATUS].type != JSON_NONE) {
        if (!otlp_json_members(&slots[SPAN_STATUS], &status_message, status))
            return otlp_json_malformed(door, REJECT_RECORD, "a status that is no object");
        TRY(read_enumeration(door, &status[STATUS_CODE], &codes, &span->status_code));
        TRY(otlp_json_string(door, &status[STATUS_MESSAGE], &span->status_message, err));
    }
    if (slots[SPAN_EVENTS].type != JSON_NONE && slots[SPAN_EVENTS].type != JSON_ARRAY)
        return otlp_json_malformed(door, REJECT_RECORD, "events that are no array");
    TRY(otlp_json_attributes(door, &slots[SPAN_ATTRIBUTES], LIMIT_FIELDS, err));
    span->attributes = door->fields;
    span->attribute_count = door->field_count;
    return VARVE_OK;
}

static enum varve_status read_span_event(struct otlp_json *door, const struct json_value *value,
                                         struct intake_span_event *event, struct varve_err *err)
{
    struct json_value slots[EVENT_SLOTS];
    if (!otlp_json_members(value, &event_message, slots))
        return otlp_json_malformed(door, REJECT_RECORD, "an event that is no object");
    TRY(otlp_json_time(door, &slots[EVENT_TIME], &event->time));
    TRY(otlp_json_string(door, &slots[EVENT_NAME], &event->name, err));
    TRY(otlp_json_attributes(door, &slots[EVENT_ATTRIBUTES], LIMIT_FIELDS, err));
    event->attributes = door->fields;
    event->attribute_count = door->field_count;
    return VARVE_OK;
}

enum varve_status
otlp_json_span(struct otlp_json *door, const struct otlp_node *node, struct varve_err *err)
{
    struct intake_span span = {.start = 0};
    struct json json;
    struct json_value value;
    bool usable;
    otlp_json_fresh(door);
    enum varve_status status = read_span(door, node, &span, err);
    uint64_t records = status == VARVE_INVALID ? otlp_json_span_records(node) : 1;
    TRY(otlp_json_judge(door, status, records, &usable));
    if (!usable)
        return VARVE_OK;
    TRY(intake_span(door->intake, &span, err));
    for (begin_events(&json, node); json_element(&json) && json_value(&json, &value);) {
        struct intake_span_event event = {.time = 0};
        otlp_json_fresh(door);
        TRY(otlp_json_judge(door, read_span_event(door, &value, &event, err), 1, &usable));
        if (usable)
            TRY(intake_span_event(door->intake, &event, err));
    }
    return VARVE_OK;
}
