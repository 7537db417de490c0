/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_value.c -- KeyValue and AnyValue, read from the wire by hand.
 *
 * An AnyValue is one of text, bool, integer, double, bytes, a list of values or
 * a map of them; the last that is sent counts.  Scalars stay what they are, bytes become
 * base64, lists and maps JSON text.  Only the latter can nest, and the walk through them
 * counts its depth.
 *
 * Text that goes into JSON must be UTF-8, and is checked here; that of scalars is the
 * intake's to check.
 */
#include "ingest/otlp_pb_value.h"

#include <protobuf-c/protobuf-c.h>
#include "ingest/plain.h"
#include "ingest/wire.h"

/* JSON text of one record: what is longer is no attribute.  And how much is worth keeping. */
enum { MOST_TEXT = 16 << 20, KEPT_TEXT = 1 << 20 };

#define NO_TEXT SIZE_MAX

enum any_kind { ANY_SCALAR, ANY_BYTES, ANY_LIST, ANY_MAP };

struct any {
    enum any_kind kind;
    struct varve_value value; /* of a scalar; VARVE_NULL when there is no value */
    const uint8_t *data;      /* of the others */
    size_t size;
};

void values_init(struct values *values, struct mem *mem)
{
    buf_init(&values->text, mem, MOST_TEXT);
    values_clear(values);
}

void values_free(struct values *values)
{
    buf_free(&values->text);
}

void values_clear(struct values *values)
{
    buf_clear(&values->text);
    values->count = 0;
    values->body = (struct varve_value){.type = VARVE_NULL};
    values->text_at[LIMIT_FIELDS] = NO_TEXT;
}

void values_trim(struct values *values)
{
    if (values->text.capacity > KEPT_TEXT)
        buf_free(&values->text);
}

static enum varve_status
refuse(struct values *values, enum reject_reason reason, const char *problem)
{
    values->reason = reason;
    values->problem = problem;
    return VARVE_INVALID;
}

static enum varve_status malformed(struct values *values)
{
    return refuse(values, REJECT_RECORD, "attributes that are not well-formed protobuf");
}

static struct varve_str text_of(const uint8_t *data, size_t size)
{
    return (struct varve_str){(const char *)data, size};
}

/* One field of an AnyValue over what was read before; false: its wire type is wrong. */
static bool any_field(const struct wire_field *field, struct any *any)
{
    static const enum wire_type types[] = {
        [1] = WIRE_LEN, [2] = WIRE_VARINT, [3] = WIRE_VARINT, [4] = WIRE_I64,
        [5] = WIRE_LEN, [6] = WIRE_LEN,    [7] = WIRE_LEN};
    static const enum any_kind kinds[] = {[5] = ANY_LIST, [6] = ANY_MAP, [7] = ANY_BYTES};
    if (field->number >= sizeof types / sizeof *types)
        return true;
    if (field->type != types[field->number])
        return false;
    *any = (struct any){.kind = kinds[field->number], .data = field->data, .size = field->size};
    uint64_t bits;
    switch (field->number) {
    case 1:
        any->value.type = VARVE_TEXT;
        any->value.as.s = text_of(field->data, field->size);
        break;
    case 2:
        any->value.type = VARVE_BOOL;
        any->value.as.i = field->value != 0;
        break;
    case 3:
        any->value.type = VARVE_INT;
        any->value.as.i = (int64_t)field->value;
        break;
    case 4:
        bits = load64(field->data);
        any->value.type = VARVE_FLOAT;
        memcpy(&any->value.as.f, &bits, sizeof bits);
        break;
    default:
        any->data = field->data;
    }
    return true;
}

static bool any_read(const uint8_t *data, size_t size, struct any *any)
{
    struct wire wire = wire_over(data, size);
    struct wire_field field;
    for (;;) {
        switch (wire_next(&wire, &field)) {
        case WIRE_END:
            return true;
        case WIRE_MALFORMED:
            return false;
        case WIRE_FIELD:
            if (!any_field(&field, any))
                return false;
        }
    }
}

static bool pair_read(const uint8_t *data, size_t size, struct varve_str *key, struct any *any)
{
    struct wire wire = wire_over(data, size);
    struct wire_field field;
    *key = (struct varve_str){"", 0};
    *any = (struct any){.kind = ANY_SCALAR};
    for (;;) {
        switch (wire_next(&wire, &field)) {
        case WIRE_END:
            return true;
        case WIRE_MALFORMED:
            return false;
        case WIRE_FIELD:
            if (field.number != 1 && field.number != 2)
                break;
            if (field.type != WIRE_LEN)
                return false;
            if (field.number == 1)
                *key = text_of(field.data, field.size);
            else if (!any_read(field.data, field.size, any))
                return false;
        }
    }
}

/* ---- lists and maps as text ---- */

static enum varve_status write_text(struct values *values, struct varve_str text)
{
    if (!str_is_utf8(text))
        return refuse(values, REJECT_UTF8, "a text within a list is not UTF-8");
    plain_text(&values->text, text);
    return VARVE_OK;
}

static enum varve_status write_any(struct values *values, const struct any *any, unsigned depth);

/* An element of a list, or a pair of a map. */
static enum varve_status
write_element(struct values *values, const struct wire_field *field, bool map, unsigned depth)
{
    struct any any = {.kind = ANY_SCALAR};
    struct varve_str key;
    if (!map) {
        if (!any_read(field->data, field->size, &any))
            return malformed(values);
    } else {
        if (!pair_read(field->data, field->size, &key, &any))
            return malformed(values);
        TRY(write_text(values, key));
        buf_put8(&values->text, ':');
    }
    return write_any(values, &any, depth);
}

static enum varve_status
write_elements(struct values *values, const struct any *any, unsigned depth)
{
    bool map = any->kind == ANY_MAP, first = true;
    struct wire wire = wire_over(any->data, any->size);
    struct wire_field field;
    enum wire_next next;
    if (depth > LIMIT_DEPTH)
        return refuse(values, REJECT_DEPTH, "lists within lists within lists");
    buf_put8(&values->text, map ? '{' : '[');
    while ((next = wire_next(&wire, &field)) == WIRE_FIELD) {
        if (field.number != 1)
            continue;
        if (field.type != WIRE_LEN)
            return malformed(values);
        if (!first)
            buf_put8(&values->text, ',');
        first = false;
        TRY(write_element(values, &field, map, depth));
    }
    buf_put8(&values->text, map ? '}' : ']');
    return next == WIRE_END ? VARVE_OK : malformed(values);
}

static enum varve_status write_any(struct values *values, const struct any *any, unsigned depth)
{
    switch (any->kind) {
    case ANY_SCALAR:
        if (any->value.type == VARVE_TEXT)
            return write_text(values, any->value.as.s);
        plain_value(&values->text, any->value);
        return VARVE_OK;
    case ANY_BYTES:
        buf_put8(&values->text, '"');
        plain_base64(&values->text, any->data, any->size);
        buf_put8(&values->text, '"');
        return VARVE_OK;
    case ANY_LIST:
    case ANY_MAP:
        break;
    }
    return write_elements(values, any, depth + 1);
}

/* ---- values ---- */

/* The value of an AnyValue; its text, if that must be made, is noted as `slot`. */
static enum varve_status take(struct values *values, const struct any *any, size_t slot,
                              struct varve_value *value, struct varve_err *err)
{
    values->text_at[slot] = NO_TEXT;
    *value = any->value;
    if (any->kind == ANY_SCALAR)
        return VARVE_OK;
    size_t from = values->text.size;
    if (any->kind == ANY_BYTES)
        plain_base64(&values->text, any->data, any->size);
    else
        TRY(write_any(values, any, 0));
    if (values->text.status == VARVE_LIMIT)
        return refuse(values, REJECT_FIELDS, "lists that are too long as text");
    TRY(buf_status(&values->text, err));
    values->text_at[slot] = from;
    value->type = VARVE_TEXT;
    value->as.s.size = values->text.size - from;
    return VARVE_OK;
}

enum varve_status
values_body(struct values *values, const ProtobufCBinaryData *bytes, struct varve_err *err)
{
    struct any any = {.kind = ANY_SCALAR};
    if (!any_read(bytes->data, bytes->len, &any))
        return refuse(values, REJECT_RECORD, "a body that is not well-formed protobuf");
    return take(values, &any, LIMIT_FIELDS, &values->body, err);
}

enum varve_status values_attribute(struct values *values, const uint8_t *bytes, size_t size,
                                   size_t most, struct varve_err *err)
{
    struct any any;
    struct varve_field *field = &values->fields[values->count];
    if (values->count >= most)
        return refuse(values, REJECT_LABELS, "more attributes than one record may have");
    if (!pair_read(bytes, size, &field->name, &any))
        return malformed(values);
    TRY(take(values, &any, values->count, &field->value, err));
    values->count++;
    return VARVE_OK;
}

enum varve_status values_attributes(struct values *values, const ProtobufCBinaryData *attributes,
                                    size_t count, size_t most, struct varve_err *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(values_attribute(values, attributes[i].data, attributes[i].len, most, err));
    return VARVE_OK;
}

static void settle(const struct values *values, size_t slot, struct varve_value *value)
{
    if (values->text_at[slot] != NO_TEXT)
        value->as.s.data =
            values->text.size ? (const char *)values->text.data + values->text_at[slot] : "";
}

void values_settle(struct values *values)
{
    for (size_t i = 0; i < values->count; i++)
        settle(values, i, &values->fields[i].value);
    settle(values, LIMIT_FIELDS, &values->body);
}
