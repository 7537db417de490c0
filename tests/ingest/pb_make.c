/* SPDX-License-Identifier: Apache-2.0
 *
 * pb_make.c -- protobuf written field by field.
 *
 * A message that is begun is written in place; when it ends, what it holds is
 * moved up to make room for its length.  Nothing here knows OTLP but the two
 * shapes everybody needs, AnyValue and KeyValue.
 */
#include "pb_make.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/bytes.h"

static uint8_t *room(struct pb *pb, size_t size)
{
    if (size > pb->capacity - pb->size) {
        pb->capacity = (pb->size + size) * 2;
        pb->data = realloc(pb->data, pb->capacity);
        if (!pb->data) {
            fputs("pb_make: out of memory\n", stderr);
            abort();
        }
    }
    pb->size += size;
    return pb->data + pb->size - size;
}

void pb_free(struct pb *pb)
{
    free(pb->data);
    *pb = (struct pb){0};
}

void pb_clear(struct pb *pb)
{
    pb->size = 0;
    pb->depth = 0;
}

void pb_raw(struct pb *pb, const void *bytes, size_t size)
{
    uint8_t *to = room(pb, size);
    if (size > 0)
        memcpy(to, bytes, size);
}

static void put_varint(struct pb *pb, uint64_t value)
{
    uint8_t bytes[10];
    pb_raw(pb, bytes, varint_put(bytes, value));
}

void pb_tag(struct pb *pb, uint32_t field, unsigned wire_type)
{
    put_varint(pb, (uint64_t)field << 3 | wire_type);
}

void pb_varint(struct pb *pb, uint32_t field, uint64_t value)
{
    pb_tag(pb, field, 0);
    put_varint(pb, value);
}

void pb_fixed64(struct pb *pb, uint32_t field, uint64_t value)
{
    pb_tag(pb, field, 1);
    store64(room(pb, 8), value);
}

void pb_fixed32(struct pb *pb, uint32_t field, uint32_t value)
{
    pb_tag(pb, field, 5);
    store32(room(pb, 4), value);
}

void pb_double(struct pb *pb, uint32_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    pb_fixed64(pb, field, bits);
}

void pb_bytes(struct pb *pb, uint32_t field, const void *bytes, size_t size)
{
    pb_tag(pb, field, 2);
    put_varint(pb, size);
    pb_raw(pb, bytes, size);
}

void pb_text(struct pb *pb, uint32_t field, const char *text)
{
    pb_bytes(pb, field, text, strlen(text));
}

void pb_begin(struct pb *pb, uint32_t field)
{
    pb_tag(pb, field, 2);
    if (pb->depth >= PB_DEPTH)
        abort();
    pb->open[pb->depth++] = pb->size;
}

void pb_end(struct pb *pb)
{
    size_t from = pb->open[--pb->depth], size = pb->size - from;
    uint8_t length[10];
    size_t n = varint_put(length, size);
    room(pb, n);
    memmove(pb->data + from + n, pb->data + from, size);
    memcpy(pb->data + from, length, n);
}

void pb_any(struct pb *pb, uint32_t field, struct varve_value value)
{
    pb_begin(pb, field);
    switch (value.type) {
    case VARVE_NULL:
        break;
    case VARVE_TEXT:
        pb_bytes(pb, 1, value.as.s.data, value.as.s.size);
        break;
    case VARVE_BOOL:
        pb_varint(pb, 2, (uint64_t)value.as.i);
        break;
    case VARVE_INT:
        pb_varint(pb, 3, (uint64_t)value.as.i);
        break;
    case VARVE_FLOAT:
        pb_double(pb, 4, value.as.f);
        break;
    }
    pb_end(pb);
}

void pb_attribute(struct pb *pb, uint32_t field, const char *key, struct varve_value value)
{
    pb_begin(pb, field);
    pb_text(pb, 1, key);
    pb_any(pb, 2, value);
    pb_end(pb);
}

struct varve_value pb_a_text(const char *text)
{
    return (struct varve_value){.type = VARVE_TEXT, .as.s = {text, strlen(text)}};
}

struct varve_value pb_an_int(int64_t value)
{
    return (struct varve_value){.type = VARVE_INT, .as.i = value};
}

struct varve_value pb_a_double(double value)
{
    return (struct varve_value){.type = VARVE_FLOAT, .as.f = value};
}

struct varve_value pb_a_bool(int value)
{
    return (struct varve_value){.type = VARVE_BOOL, .as.i = value != 0};
}

void pb_nested(struct pb *pb, uint32_t field, unsigned depth)
{
    /* From the inside out: list { value { list { ... } } }, each in front of what there is. */
    struct pb inner = {0}, outer = {0};
    pb_text(&inner, 1, "x");
    for (unsigned i = 0; i < depth; i++) {
        pb_clear(&outer);
        pb_begin(&outer, 5);
        pb_bytes(&outer, 1, inner.data, inner.size);
        pb_end(&outer);
        struct pb swap = inner;
        inner = outer;
        outer = swap;
    }
    pb_bytes(pb, field, inner.data, inner.size);
    pb_free(&inner);
    pb_free(&outer);
}
