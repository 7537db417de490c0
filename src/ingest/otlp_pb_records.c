/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_records.c -- log records, spans and what happened during spans.
 *
 * Each is one event to the intake.  Ids go on in hexadecimal; one of a wrong
 * length or all zeros says nothing, as OTLP has it, and is left out.  Links between spans are
 * not kept.
 */
#include "ingest/otlp_pb_private.h"

#include "ingest/otlp.pb-c.h"

enum { TRACE_ID = 16, SPAN_ID = 8 };

static struct varve_str str_of(ProtobufCBinaryData bytes)
{
    return (struct varve_str){(const char *)bytes.data, bytes.len};
}

/* An id of `size` bytes in hexadecimal, which `text` has room for. */
static struct varve_str id_text(ProtobufCBinaryData id, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t any = 0;
    if (id.len != size)
        return (struct varve_str){"", 0};
    for (size_t i = 0; i < size; i++) {
        any |= id.data[i];
        text[2 * i] = digits[id.data[i] >> 4];
        text[2 * i + 1] = digits[id.data[i] & 15];
    }
    return (struct varve_str){text, any ? 2 * size : 0};
}

/* The body and the attributes of a log record, in door->values. */
static enum varve_status
read_record(struct otlp_pb *door, const Otlp__LogRecord *record, struct varve_err *err)
{
    values_clear(&door->values);
    TRY(values_body(&door->values, &record->body, err));
    return values_attributes(&door->values, record->attributes, record->n_attributes, LIMIT_FIELDS,
                             err);
}

enum varve_status
otlp_pb_record(struct otlp_pb *door, const Otlp__LogRecord *record, struct varve_err *err)
{
    char trace_id[2 * TRACE_ID], span_id[2 * SPAN_ID];
    bool usable;
    TRY(otlp_pb_judge(door, read_record(door, record, err), 1, &usable));
    if (!usable)
        return VARVE_OK;
    struct intake_event event = {.time = intake_time(record->time),
                                 .observed = intake_time(record->observed),
                                 .name = str_of(record->event_name),
                                 .body = door->values.body,
                                 .severity = str_of(record->severity_text),
                                 .severity_number = record->severity_number,
                                 .trace_id = id_text(record->trace_id, TRACE_ID, trace_id),
                                 .span_id = id_text(record->span_id, SPAN_ID, span_id),
                                 .attributes = door->values.fields,
                                 .attribute_count = door->values.count};
    return intake_event(door->intake, &event, err);
}

static enum varve_status
take_span_event(struct otlp_pb *door, const Otlp__SpanEvent *event, struct varve_err *err)
{
    struct attributes attributes = {event->attributes, event->n_attributes};
    bool usable;
    TRY(otlp_pb_attributes(door, attributes, LIMIT_FIELDS, 1, &usable, err));
    if (!usable)
        return VARVE_OK;
    struct intake_span_event what = {.time = intake_time(event->time),
                                     .name = str_of(event->name),
                                     .attributes = door->values.fields,
                                     .attribute_count = door->values.count};
    return intake_span_event(door->intake, &what, err);
}

enum varve_status otlp_pb_span(struct otlp_pb *door, const Otlp__Span *span, struct varve_err *err)
{
    char trace_id[2 * TRACE_ID], span_id[2 * SPAN_ID], parent_id[2 * SPAN_ID];
    struct attributes attributes = {span->attributes, span->n_attributes};
    bool usable;
    TRY(otlp_pb_attributes(door, attributes, LIMIT_FIELDS, 1 + span->n_events, &usable, err));
    if (!usable)
        return VARVE_OK;
    struct intake_span what = {.start = intake_time(span->start),
                               .end = intake_time(span->end),
                               .name = str_of(span->name),
                               .trace_id = id_text(span->trace_id, TRACE_ID, trace_id),
                               .span_id = id_text(span->span_id, SPAN_ID, span_id),
                               .parent_id = id_text(span->parent_span_id, SPAN_ID, parent_id),
                               .kind = span->kind,
                               .attributes = door->values.fields,
                               .attribute_count = door->values.count};
    if (span->status) {
        what.status_code = span->status->code;
        what.status_message = str_of(span->status->message);
    }
    TRY(intake_span(door->intake, &what, err));
    for (size_t i = 0; i < span->n_events; i++)
        TRY(take_span_event(door, span->events[i], err));
    return VARVE_OK;
}
