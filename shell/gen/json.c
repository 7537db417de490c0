/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c -- OTLP bodies in JSON, as the JavaScript SDK writes them.
 *
 * That is: times are strings of digits, intValue is a number (and not the
 * string that protobuf's JSON mapping asks for), doubles are as short as they
 * can be, and whole ones have no decimal point.  The texts here are ours and
 * need no escapes; put_text() asserts it.
 */
#include <assert.h>
#include <string.h>
#include "encode.h"

static void put(struct encoder *to, const char *text, size_t size)
{
    assert((size_t)(to->buffer + ENCODER_ROOM - to->at) >= size);
    memcpy(to->at, text, size);
    to->at += size;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static void put_text(struct encoder *to, const char *text)
{
    assert(!strpbrk(text, "\"\\"));
    PUT(to, "\"");
    put(to, text, strlen(text));
    PUT(to, "\"");
}

static void put_integer(struct encoder *to, int64_t value)
{
    char digits[24], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    put(to, at, (size_t)(digits + sizeof digits - at));
}

static void put_double(struct encoder *to, double value)
{
    char text[40];
    put(to, text, shortest_double(value, text));
}

static void put_time(struct encoder *to, int64_t time)
{
    PUT(to, "\"");
    put_integer(to, time);
    PUT(to, "\"");
}

/* ---- attributes ------------------------------------------------------------- */

static void put_key(struct encoder *to, const char *key)
{
    if (to->at[-1] == '}')
        PUT(to, ",");
    PUT(to, "{\"key\":");
    put_text(to, key);
    PUT(to, ",\"value\":{");
}

static void put_label(struct encoder *to, const char *key, const char *value)
{
    put_key(to, key);
    PUT(to, "\"stringValue\":");
    put_text(to, value);
    PUT(to, "}}");
}

static void put_labels(struct encoder *to, const struct gen_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_label(to, labels[i].key, labels[i].value);
}

static void put_int(struct encoder *to, const char *key, int64_t value)
{
    put_key(to, key);
    PUT(to, "\"intValue\":");
    put_integer(to, value);
    PUT(to, "}}");
}

static void put_field(struct encoder *to, const struct gen_field *f)
{
    switch (f->type) {
    case GEN_TEXT:
        put_label(to, f->key, f->s);
        return;
    case GEN_INT:
        put_int(to, f->key, f->i);
        return;
    case GEN_NUMBER_TEXT:
        put_key(to, f->key);
        PUT(to, "\"stringValue\":");
        put_time(to, f->i);
        break;
    case GEN_MONEY:
        put_key(to, f->key);
        PUT(to, "\"doubleValue\":");
        put_double(to, f->f);
        break;
    case GEN_BOOL:
        put_key(to, f->key);
        PUT(to, "\"boolValue\":");
        put(to, f->i ? "true" : "false", f->i ? 4 : 5);
        break;
    case GEN_LIST:
        put_key(to, f->key);
        PUT(to, "\"arrayValue\":{\"values\":[{\"stringValue\":");
        put_text(to, f->s);
        PUT(to, "}]}");
        break;
    }
    PUT(to, "}}");
}

/* The common labels of a session, first in a list; written once and kept. */
static void put_common(struct encoder *to, struct gen_session *s)
{
    if (!s->encoded_size) {
        const unsigned char *start = to->at;
        put_labels(to, s->common, s->common_count);
        s->encoded_size = (size_t)(to->at - start);
        assert(s->encoded_size <= sizeof s->encoded);
        memcpy(s->encoded, start, s->encoded_size);
        return;
    }
    put(to, (const char *)s->encoded, s->encoded_size);
}

/* ---- bodies ------------------------------------------------------------------ */

static void put_scope(struct encoder *to, const struct gen_export *e, const char *scope)
{
    PUT(to, "\"resource\":{\"attributes\":[");
    put_labels(to, e->session->resource, e->session->resource_count);
    PUT(to, "],\"droppedAttributesCount\":0},");
    put(to, scope[strlen(METRIC_SCOPE)] ? "\"scopeLogs\":" : "\"scopeMetrics\":",
        scope[strlen(METRIC_SCOPE)] ? 12 : 15);
    PUT(to, "[{\"scope\":{\"name\":");
    put_text(to, scope);
    PUT(to, ",\"version\":");
    put_text(to, e->session->version);
    PUT(to, "},");
}

static struct body finish(struct encoder *to)
{
    PUT(to, "]}]}]}\n");
    return (struct body){to->buffer, (size_t)(to->at - to->buffer)};
}

static void put_point(struct encoder *to, const struct gen_point *p)
{
    struct gen_label own[GEN_OWN_LABELS];
    PUT(to, "{\"attributes\":[");
    put_common(to, p->session);
    put_labels(to, own, gen_point_labels(p, own));
    PUT(to, "],\"startTimeUnixNano\":");
    put_time(to, p->start);
    PUT(to, ",\"timeUnixNano\":");
    put_time(to, p->end);
    PUT(to, ",\"asDouble\":");
    put_double(to, p->value);
    PUT(to, "}");
}

static void put_metric(struct encoder *to, const struct gen_export *e, size_t first, size_t end)
{
    const struct gen_metric_info *metric = &gen_metrics[e->points[first].metric];
    PUT(to, "{\"name\":");
    put_text(to, metric->name);
    PUT(to, ",\"description\":");
    put_text(to, metric->description);
    PUT(to, ",\"unit\":");
    put_text(to, metric->unit);
    PUT(to, ",\"sum\":{\"aggregationTemporality\":");
    put(to, to->cumulative ? "2" : "1", 1);
    PUT(to, ",\"isMonotonic\":true,\"dataPoints\":[");
    for (size_t i = first; i < end; i++) {
        if (i > first)
            PUT(to, ",");
        put_point(to, &e->points[i]);
    }
    PUT(to, "]}}");
}

struct body json_metrics(struct encoder *to, const struct gen_export *e)
{
    to->at = to->buffer;
    PUT(to, "{\"resourceMetrics\":[{");
    put_scope(to, e, METRIC_SCOPE);
    PUT(to, "\"metrics\":[");
    for (size_t at = 0, end; at < e->point_count; at = end) {
        next_metric(e, at, &end);
        if (at)
            PUT(to, ",");
        put_metric(to, e, at, end);
    }
    return finish(to);
}

static void put_record(struct encoder *to, const struct gen_event *event)
{
    char timestamp[32];
    event_timestamp(event->time, timestamp);
    PUT(to, "{\"timeUnixNano\":");
    put_time(to, event->time);
    PUT(to, ",\"observedTimeUnixNano\":");
    put_time(to, event->time);
    PUT(to, ",\"body\":{\"stringValue\":\"claude_code.");
    put(to, event->name, strlen(event->name));
    PUT(to, "\"},\"attributes\":[");
    put_common(to, event->session);
    put_label(to, "event.name", event->name);
    put_label(to, "event.timestamp", timestamp);
    put_int(to, "event.sequence", event->sequence);
    if (event->prompt)
        put_label(to, "prompt.id", event->prompt);
    for (unsigned i = 0; i < event->count; i++)
        put_field(to, &event->fields[i]);
    PUT(to, "],\"droppedAttributesCount\":0}");
}

struct body json_logs(struct encoder *to, const struct gen_export *e, size_t first, size_t count)
{
    to->at = to->buffer;
    PUT(to, "{\"resourceLogs\":[{");
    put_scope(to, e, EVENT_SCOPE);
    PUT(to, "\"logRecords\":[");
    for (size_t i = first; i < first + count; i++) {
        if (i > first)
            PUT(to, ",");
        put_record(to, &e->events[i]);
    }
    return finish(to);
}
