/* SPDX-License-Identifier: Apache-2.0
 *
 * proto.c -- OTLP bodies in protobuf, written from the end to the beginning.
 *
 * A message inside another stands behind its own length.  Written backwards,
 * a message is complete, and its length known, when its length is due, so
 * nothing is measured beforehand and nothing is moved.  Fields therefore stand
 * in the code in the reverse of their order on the wire.
 *
 * Times are fixed 64 bit words, counts are varints, and all metric values are
 * doubles, as the program itself sends them.
 */
#include <assert.h>
#include <string.h>
#include "encode.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };
#define TAG(field, wire) ((unsigned char)((field) << 3 | (wire)))

static void put(struct encoder *to, const void *bytes, size_t size)
{
    assert((size_t)(to->at - to->buffer) >= size);
    to->at -= size;
    memcpy(to->at, bytes, size);
}

static void put_byte(struct encoder *to, unsigned char byte)
{
    *--to->at = byte;
}

static void put_varint(struct encoder *to, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (unsigned char)(value | 0x80);
    bytes[size++] = (unsigned char)value;
    put(to, bytes, size);
}

/* Everything since `end` becomes the message in a field. */
static void close_message(struct encoder *to, const unsigned char *end, unsigned field)
{
    size_t size = (size_t)(end - to->at);
    if (size < 0x80)
        put_byte(to, (unsigned char)size);
    else
        put_varint(to, size);
    put_byte(to, TAG(field, WIRE_BYTES));
}

static void put_text(struct encoder *to, unsigned field, const char *text)
{
    const unsigned char *end = to->at;
    put(to, text, strlen(text));
    close_message(to, end, field);
}

static void put_fixed64(struct encoder *to, unsigned field, uint64_t value)
{
    unsigned char bytes[9];
    bytes[0] = TAG(field, WIRE_FIXED64);
    for (int i = 0; i < 8; i++)
        bytes[i + 1] = (unsigned char)(value >> 8 * i);
    put(to, bytes, sizeof bytes);
}

static void put_double(struct encoder *to, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_fixed64(to, field, bits);
}

static void put_number(struct encoder *to, unsigned field, uint64_t value)
{
    put_varint(to, value);
    put_byte(to, TAG(field, WIRE_VARINT));
}

/* ---- attributes ------------------------------------------------------------- */

/* Ends the AnyValue that was begun at `end`, and the KeyValue around it. */
static void
close_attribute(struct encoder *to, const unsigned char *end, unsigned field, const char *key)
{
    close_message(to, end, 2);
    put_text(to, 1, key);
    close_message(to, end, field);
}

static void put_label(struct encoder *to, unsigned field, const char *key, const char *value)
{
    const unsigned char *end = to->at;
    put_text(to, 1, value);
    close_attribute(to, end, field, key);
}

static void
put_labels(struct encoder *to, unsigned field, const struct gen_label *labels, size_t count)
{
    while (count-- > 0)
        put_label(to, field, labels[count].key, labels[count].value);
}

static void put_int(struct encoder *to, unsigned field, const char *key, int64_t value)
{
    const unsigned char *end = to->at;
    put_number(to, 3, (uint64_t)value);
    close_attribute(to, end, field, key);
}

static void put_number_text(struct encoder *to, unsigned field, const char *key, int64_t value)
{
    const unsigned char *end = to->at;
    do
        put_byte(to, (unsigned char)('0' + value % 10));
    while (value /= 10);
    close_message(to, end, 1);
    close_attribute(to, end, field, key);
}

static void put_field(struct encoder *to, unsigned field, const struct gen_field *f)
{
    const unsigned char *end = to->at;
    switch (f->type) {
    case GEN_TEXT:
        put_label(to, field, f->key, f->s);
        return;
    case GEN_INT:
        put_int(to, field, f->key, f->i);
        return;
    case GEN_NUMBER_TEXT:
        put_number_text(to, field, f->key, f->i);
        return;
    case GEN_MONEY:
        put_double(to, 4, f->f);
        break;
    case GEN_BOOL:
        put_number(to, 2, (uint64_t)f->i);
        break;
    case GEN_LIST: /* ArrayValue of one AnyValue */
        put_text(to, 1, f->s);
        close_message(to, end, 1);
        close_message(to, end, 5);
        break;
    }
    close_attribute(to, end, field, f->key);
}

/* ---- bodies ------------------------------------------------------------------ */

static unsigned char *begin(struct encoder *to)
{
    return to->at = to->buffer + ENCODER_ROOM;
}

/* What is around the metrics or records: the scope, the resource, the request. */
static struct body finish(struct encoder *to, const struct gen_export *e, const char *scope)
{
    const unsigned char *end = to->buffer + ENCODER_ROOM, *scope_end = to->at;
    put_text(to, 2, e->session->version);
    put_text(to, 1, scope);
    close_message(to, scope_end, 1);
    close_message(to, end, 2);
    const unsigned char *resource_end = to->at;
    put_labels(to, 1, e->session->resource, e->session->resource_count);
    close_message(to, resource_end, 1);
    close_message(to, end, 1);
    return (struct body){to->at, (size_t)(end - to->at)};
}

static void put_common(struct encoder *to, struct gen_session *s)
{
    if (!s->encoded_size) {
        const unsigned char *end = to->at;
        put_labels(to, 7, s->common, s->common_count);
        s->encoded_size = (size_t)(end - to->at);
        assert(s->encoded_size <= sizeof s->encoded);
        memcpy(s->encoded, to->at, s->encoded_size);
        return;
    }
    put(to, s->encoded, s->encoded_size);
}

static void put_point(struct encoder *to, const struct gen_point *p)
{
    const unsigned char *end = to->at;
    struct gen_label own[GEN_OWN_LABELS];
    put_labels(to, 7, own, gen_point_labels(p, own));
    put_common(to, p->session);
    put_double(to, 4, p->value);
    put_fixed64(to, 3, (uint64_t)p->end);
    put_fixed64(to, 2, (uint64_t)p->start);
    close_message(to, end, 1);
}

static void put_metric(struct encoder *to, const struct gen_export *e, size_t first, size_t past)
{
    const struct gen_metric_info *metric = &gen_metrics[e->points[first].metric];
    const unsigned char *end = to->at;
    put_number(to, 3, 1);
    put_number(to, 2, to->cumulative ? 2 : 1);
    while (past-- > first)
        put_point(to, &e->points[past]);
    close_message(to, end, 7);
    put_text(to, 3, metric->unit);
    put_text(to, 2, metric->description);
    put_text(to, 1, metric->name);
    close_message(to, end, 2);
}

struct body proto_metrics(struct encoder *to, const struct gen_export *e)
{
    size_t starts[GEN_METRICS + 1], count = 0;
    begin(to);
    for (size_t at = 0; at < e->point_count; count++) {
        starts[count] = at;
        next_metric(e, at, &at);
    }
    starts[count] = e->point_count;
    while (count-- > 0)
        put_metric(to, e, starts[count], starts[count + 1]);
    return finish(to, e, METRIC_SCOPE);
}

static void put_record(struct encoder *to, const struct gen_event *event)
{
    const unsigned char *end = to->at, *inner;
    char name[64], timestamp[32];
    size_t size = strlen(event->name);
    memcpy(name, "claude_code.", 12);
    memcpy(name + 12, event->name, size + 1);
    event_timestamp(event->time, timestamp);
    put_fixed64(to, 11, (uint64_t)event->time);
    for (unsigned i = event->count; i-- > 0;)
        put_field(to, 6, &event->fields[i]);
    if (event->prompt)
        put_label(to, 6, "prompt.id", event->prompt);
    put_int(to, 6, "event.sequence", event->sequence);
    put_label(to, 6, "event.timestamp", timestamp);
    put_label(to, 6, "event.name", event->name);
    put_labels(to, 6, event->session->common, event->session->common_count);
    inner = to->at;
    put_text(to, 1, name);
    close_message(to, inner, 5);
    put_fixed64(to, 1, (uint64_t)event->time);
    close_message(to, end, 2);
}

struct body proto_logs(struct encoder *to, const struct gen_export *e, size_t first, size_t count)
{
    begin(to);
    while (count-- > 0)
        put_record(to, &e->events[first + count]);
    return finish(to, e, EVENT_SCOPE);
}
