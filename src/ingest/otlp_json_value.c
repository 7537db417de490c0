/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_json_value.c -- the values in a body: texts, numbers, ids, attributes.
 *
 * An AnyValue is an object with one member that says its type; of several the last
 * counts, as in protobuf.  Scalars stay what they are, bytes become base64, lists and maps JSON
 * text: not a copy of what was sent, but the same text that the protobuf door makes.
 *
 * A text of a list or map must be UTF-8, and is checked here; that of scalars is the intake's to
 * check.
 */
#include "ingest/otlp_json_private.h"

#include "ingest/plain.h"

enum { PAIR_KEY, PAIR_VALUE, PAIR_SLOTS };
enum { ANY_TEXT, ANY_INT, ANY_DOUBLE, ANY_BOOL, ANY_LIST, ANY_MAP, ANY_BYTES, ANY_SLOTS };
enum { LIST_VALUES, LIST_SLOTS };

static const struct otlp_field pair_fields[] = {OTLP_VALUE("key", PAIR_KEY),
                                                OTLP_VALUE("value", PAIR_VALUE)};
static const struct otlp_message pair = OTLP_MESSAGE(pair_fields, PAIR_SLOTS);
static const struct otlp_field any_fields[] = {
    OTLP_VALUE("stringValue", ANY_TEXT),   OTLP_VALUE("intValue", ANY_INT),
    OTLP_VALUE("doubleValue", ANY_DOUBLE), OTLP_VALUE("boolValue", ANY_BOOL),
    OTLP_VALUE("arrayValue", ANY_LIST),    OTLP_VALUE("kvlistValue", ANY_MAP),
    OTLP_VALUE("bytesValue", ANY_BYTES),
};
static const struct otlp_message any_message = OTLP_MESSAGE(any_fields, ANY_SLOTS);
static const struct otlp_field list_fields[] = {OTLP_VALUE("values", LIST_VALUES)};
static const struct otlp_message list_message = OTLP_MESSAGE(list_fields, LIST_SLOTS);

enum varve_status
otlp_json_malformed(struct otlp_json *door, enum reject_reason reason, const char *message)
{
    door->reason = reason;
    door->message = message;
    return VARVE_INVALID;
}

/* ---- scalars --------------------------------------------------------------- */

enum varve_status otlp_json_string(struct otlp_json *door, const struct json_value *value,
                                   struct varve_str *text, struct varve_err *err)
{
    *text = (struct varve_str){"", 0};
    if (value->type == JSON_NONE)
        return VARVE_OK;
    if (value->type != JSON_STRING)
        return otlp_json_malformed(door, REJECT_RECORD, "expected a string");
    return json_bytes(value, &door->scratch, text, err);
}

enum varve_status
otlp_json_count(struct otlp_json *door, const struct json_value *value, uint64_t *number)
{
    *number = 0;
    if (value->type == JSON_NONE || json_uint64(value, number))
        return VARVE_OK;
    return otlp_json_malformed(door, REJECT_RECORD, "expected a whole number");
}

enum varve_status
otlp_json_time(struct otlp_json *door, const struct json_value *value, int64_t *time)
{
    uint64_t nanos = 0;
    if (value->type != JSON_NONE && !json_uint64(value, &nanos))
        return otlp_json_malformed(door, REJECT_RECORD, "expected a time in nanoseconds");
    *time = intake_time(nanos);
    return VARVE_OK;
}

enum varve_status
otlp_json_number(struct otlp_json *door, const struct json_value *value, double *number)
{
    *number = 0;
    if (value->type == JSON_NONE || json_double(value, number))
        return VARVE_OK;
    return otlp_json_malformed(door, REJECT_RECORD, "expected a number");
}

/* As in protobuf, an id of a wrong length or all zeros says nothing. */
enum varve_status otlp_json_id(struct otlp_json *door, const struct json_value *value, size_t size,
                               struct varve_str *text, struct varve_err *err)
{
    struct varve_str given;
    bool any = false;
    *text = (struct varve_str){"", 0};
    TRY(otlp_json_string(door, value, &given, err));
    if (given.size == 0)
        return VARVE_OK;
    char *out = arena_copy(&door->scratch, given.data, given.size);
    if (!out)
        return fail_nomem(err, given.size);
    for (size_t i = 0; i < given.size; i++) {
        if (out[i] >= 'A' && out[i] <= 'F')
            out[i] = (char)(out[i] | 0x20);
        if ((out[i] < '0' || out[i] > '9') && (out[i] < 'a' || out[i] > 'f'))
            return otlp_json_malformed(door, REJECT_RECORD, "an id that is not hexadecimal");
        any |= out[i] != '0';
    }
    if (given.size % 2 != 0)
        return otlp_json_malformed(door, REJECT_RECORD, "an id of half bytes");
    if (any && given.size == 2 * size)
        *text = (struct varve_str){out, given.size};
    return VARVE_OK;
}

/* ---- bytes ----------------------------------------------------------------- */

static int six_bits(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Base64 of either alphabet, padded or not, in the one form that plain.h gives it. */
static enum varve_status
write_bytes(struct otlp_json *door, const struct json_value *value, struct varve_err *err)
{
    struct varve_str given;
    size_t size = 0, padding = 0;
    uint32_t bits = 0;
    TRY(otlp_json_string(door, value, &given, err));
    while (given.size > 0 && padding < 2 && given.data[given.size - 1] == '=') {
        given.size--;
        padding++;
    }
    uint8_t *bytes = arena_alloc(&door->scratch, given.size + 1);
    if (!bytes)
        return fail_nomem(err, given.size);
    for (size_t i = 0; i < given.size; i++) {
        int six = six_bits(given.data[i]);
        if (six < 0)
            return otlp_json_malformed(door, REJECT_RECORD, "bytes that are not base64");
        bits = bits << 6 | (uint32_t)six;
        if (i % 4 != 0)
            bytes[size++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    if (given.size % 4 == 1 || (padding > 0 && (given.size + padding) % 4 != 0))
        return otlp_json_malformed(door, REJECT_RECORD, "bytes that are not base64");
    plain_base64(&door->text, bytes, size);
    return VARVE_OK;
}

/* ---- lists and maps as text -------------------------------------------------- */

/* The member of an AnyValue that counts; ANY_SLOTS: none. */
static enum varve_status read_any(struct otlp_json *door, const struct json_value *value,
                                  struct json_value *member, unsigned *which)
{
    const struct otlp_field *field;
    struct json json;
    struct json_value found;
    unsigned next = 0;
    *which = ANY_SLOTS;
    if (value->type == JSON_NONE)
        return VARVE_OK;
    if (value->type != JSON_OBJECT)
        return otlp_json_malformed(door, REJECT_RECORD, "a value that is no object");
    json_start(&json, value->text, value->size);
    (void)json_begin(&json);
    while (otlp_json_field(&json, &any_message, &field, &next)) {
        if (!json_value(&json, &found) || !field || found.type == JSON_NULL)
            continue;
        *member = found;
        *which = field->slot;
    }
    return VARVE_OK;
}

static enum varve_status read_scalar(struct otlp_json *door, const struct json_value *member,
                                     unsigned which, struct varve_value *out, struct varve_err *err)
{
    *out = (struct varve_value){.type = VARVE_NULL};
    switch (which) {
    case ANY_TEXT:
        out->type = VARVE_TEXT;
        return otlp_json_string(door, member, &out->as.s, err);
    case ANY_INT:
        out->type = VARVE_INT;
        if (!json_int64(member, &out->as.i))
            return otlp_json_malformed(door, REJECT_RECORD, "expected a whole number of 64 bits");
        return VARVE_OK;
    case ANY_DOUBLE:
        out->type = VARVE_FLOAT;
        return otlp_json_number(door, member, &out->as.f);
    case ANY_BOOL:
        out->type = VARVE_BOOL;
        out->as.i = member->type == JSON_TRUE;
        if (member->type != JSON_TRUE && member->type != JSON_FALSE)
            return otlp_json_malformed(door, REJECT_RECORD, "expected true or false");
        return VARVE_OK;
    default:
        return VARVE_OK;
    }
}

static enum varve_status write_text(struct otlp_json *door, struct varve_str text)
{
    if (!str_is_utf8(text))
        return otlp_json_malformed(door, REJECT_UTF8, "a text within a list is not UTF-8");
    plain_text(&door->text, text);
    return VARVE_OK;
}

static enum varve_status write_any(struct otlp_json *door, const struct json_value *member,
                                   unsigned which, unsigned depth, struct varve_err *err);

static enum varve_status write_element(struct otlp_json *door, const struct json_value *element,
                                       bool map, unsigned depth, struct varve_err *err)
{
    struct json_value slots[PAIR_SLOTS], member;
    struct varve_str key;
    unsigned which;
    if (map) {
        if (!otlp_json_members(element, &pair, slots))
            return otlp_json_malformed(door, REJECT_RECORD, "a pair of a map that is no object");
        TRY(otlp_json_string(door, &slots[PAIR_KEY], &key, err));
        TRY(write_text(door, key));
        buf_put8(&door->text, ':');
        element = &slots[PAIR_VALUE];
    }
    TRY(read_any(door, element, &member, &which));
    return write_any(door, &member, which, depth, err);
}

/* A list is {"values":[...]}. */
static enum varve_status write_elements(struct otlp_json *door, const struct json_value *list,
                                        bool map, unsigned depth, struct varve_err *err)
{
    struct json_value slots[LIST_SLOTS], element;
    struct json json;
    if (depth > LIMIT_DEPTH)
        return otlp_json_malformed(door, REJECT_DEPTH, "lists within lists within lists");
    if (!otlp_json_members(list, &list_message, slots))
        return otlp_json_malformed(door, REJECT_RECORD, "a list that is no object");
    buf_put8(&door->text, map ? '{' : '[');
    if (slots[LIST_VALUES].type == JSON_ARRAY) {
        json_start(&json, slots[LIST_VALUES].text, slots[LIST_VALUES].size);
        (void)json_begin(&json);
        for (bool first = true; json_element(&json) && json_value(&json, &element); first = false) {
            if (!first)
                buf_put8(&door->text, ',');
            TRY(write_element(door, &element, map, depth, err));
        }
    } else if (slots[LIST_VALUES].type != JSON_NONE) {
        return otlp_json_malformed(door, REJECT_RECORD, "values of a list that are no array");
    }
    buf_put8(&door->text, map ? '}' : ']');
    return VARVE_OK;
}

static enum varve_status write_any(struct otlp_json *door, const struct json_value *member,
                                   unsigned which, unsigned depth, struct varve_err *err)
{
    struct varve_value value;
    if (which == ANY_LIST || which == ANY_MAP)
        return write_elements(door, member, which == ANY_MAP, depth + 1, err);
    if (which == ANY_BYTES) {
        buf_put8(&door->text, '"');
        TRY(write_bytes(door, member, err));
        buf_put8(&door->text, '"');
        return VARVE_OK;
    }
    TRY(read_scalar(door, member, which, &value, err));
    if (value.type == VARVE_TEXT)
        return write_text(door, value.as.s);
    plain_value(&door->text, value);
    return VARVE_OK;
}

/* ---- attributes ---------------------------------------------------------------- */

enum varve_status otlp_json_any(struct otlp_json *door, const struct json_value *value,
                                struct varve_value *out, struct varve_err *err)
{
    struct json_value member;
    unsigned which;
    TRY(read_any(door, value, &member, &which));
    if (which != ANY_LIST && which != ANY_MAP && which != ANY_BYTES)
        return read_scalar(door, &member, which, out, err);
    buf_clear(&door->text);
    if (which == ANY_BYTES)
        TRY(write_bytes(door, &member, err));
    else
        TRY(write_any(door, &member, which, 0, err));
    if (door->text.status == VARVE_LIMIT)
        return otlp_json_malformed(door, REJECT_FIELDS, "lists that are too long as text");
    TRY(buf_status(&door->text, err));
    out->type = VARVE_TEXT;
    out->as.s.size = door->text.size;
    out->as.s.data = arena_copy(&door->scratch, door->text.data, door->text.size);
    return out->as.s.data ? VARVE_OK : fail_nomem(err, door->text.size);
}

enum varve_status otlp_json_attributes(struct otlp_json *door, const struct json_value *array,
                                       size_t most, struct varve_err *err)
{
    struct json json;
    struct json_value slots[PAIR_SLOTS];
    door->field_count = 0;
    if (array->type == JSON_NONE)
        return VARVE_OK;
    if (array->type != JSON_ARRAY)
        return otlp_json_malformed(door, REJECT_RECORD, "attributes that are no array");
    json_start(&json, array->text, array->size);
    (void)json_begin(&json);
    while (json_element(&json)) {
        if (door->field_count == most)
            return otlp_json_malformed(door, REJECT_LABELS,
                                       "more attributes than one record may have");
        struct varve_field *field = &door->fields[door->field_count];
        if (otlp_json_pair(&json, field)) {
            door->field_count++;
            continue;
        }
        if (!otlp_json_read(&json, &pair, slots))
            return otlp_json_malformed(door, REJECT_RECORD, "an attribute that is no object");
        TRY(otlp_json_string(door, &slots[PAIR_KEY], &field->name, err));
        TRY(otlp_json_any(door, &slots[PAIR_VALUE], &field->value, err));
        door->field_count++;
    }
    return VARVE_OK;
}
