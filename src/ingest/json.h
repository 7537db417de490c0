/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h -- reading JSON where it lies.
 *
 * A struct json walks over a text and hands out values as ranges of its bytes.
 * Nothing is decoded until somebody asks for the text or the number in a value, so
 * a part that nobody asks about costs one look at each of its bytes:
 *
 *     json_start(&json, text, size);
 *     if (json_peek(&json) == JSON_OBJECT && json_begin(&json))
 *         while (json_member(&json, &key))
 *             json_value(&json, &value);
 *     if (!json_end(&json))
 *         return json_fail(&json, place, err);
 *
 * The grammar is that of RFC 8259, at most JSON_DEPTH arrays and objects inside each other.
 * json_value checks what it passes over: a range it has handed out can be walked again and is
 * well-formed.  Whether a string is UTF-8 is found out when its text is asked for.
 */
#ifndef INGEST_JSON_H
#define INGEST_JSON_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/str.h"
#include "ingest/limits.h"

/* A list within a list is four deep in OTLP's JSON, and lies a dozen deep itself. */
enum { JSON_DEPTH = 5 * LIMIT_DEPTH };

enum json_type {
    JSON_NONE, /* no value at all */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* The bytes of a value as they stand: of a string what is between the quotes, of all others
 * everything. */
struct json_value {
    const char *text;
    uint32_t size;
    uint8_t type;
    bool escaped; /* a string with backslashes */
    bool wide;    /* a string with bytes that are not ASCII */
};

struct json {
    const char *start, *at, *end;
    const char *expected; /* at `at`, when it was not there; NULL while all is well */
    enum varve_status status;
    unsigned depth;
    bool fresh; /* nothing of the array or object at hand has been read */
};

/* At most UINT32_MAX bytes. */
void json_start(struct json *json, const char *text, size_t size);
/* To the value that comes next, over the space before it, and its type from its first byte. */
enum json_type json_peek_far(struct json *json);
extern const uint8_t json_types[256];
static inline enum json_type json_peek(struct json *json)
{
    if (!json->expected && json->at < json->end && (unsigned char)*json->at > ' ')
        return (enum json_type)json_types[(unsigned char)*json->at];
    return json_peek_far(json);
}
/* The next value, whole. */
bool json_value(struct json *json, struct json_value *value);
/* The same without a look at it: the caller knows that these bytes are one. */
void json_take(struct json *json, enum json_type type, size_t size, struct json_value *value);
/* Into the array or object that comes next. */
bool json_begin(struct json *json);
/* The next key of the object at hand, up to its value; false: there is none, the object is left. */
bool json_member(struct json *json, struct json_value *key);
/* A key as it mostly stands in a text, with quotes and colon.  Eight bytes can be loaded from it,
 * however short it is. */
struct json_key {
    const char *quoted;
    size_t size;
};
#define JSON_KEY(name)                                \
    {                                                 \
        "\"" name "\":\0\0\0\0\0\0", sizeof(name) + 2 \
    }
/* Whether json_member_is has a chance: a comma comes next, or the object has just begun. */
static inline bool json_may_be(const struct json *json)
{
    return !json->expected && (json->fresh || (json->at < json->end && *json->at == ','));
}
/* As json_member for a key that is likely: passes over it if just these bytes come next, with no
 * space anywhere.  To be asked where json_may_be. */
static inline bool json_member_is(struct json *json, struct json_key key)
{
    const char *p = json->at + !json->fresh;
    if (json->end - p < (ptrdiff_t)(key.size > 8 ? key.size : 8))
        return false;
    uint64_t differ = load64(p) ^ load64(key.quoted);
    if (key.size < 8)
        differ &= (UINT64_C(1) << 8 * key.size) - 1;
    for (size_t i = 8; i < key.size && differ == 0; i += 8) {
        size_t at = i + 8 < key.size ? i : key.size - 8;
        differ = load64(p + at) ^ load64(key.quoted + at);
    }
    if (differ != 0)
        return false;
    json->at = p + key.size;
    json->fresh = false;
    return true;
}
/* Whether the array at hand has one more value; if not, it is left. */
bool json_element(struct json *json);
/* The closing quote of the string whose content begins at p; NULL: it has escapes, or no end. */
const char *json_plain_end(const char *p, const char *end);
/* Whether the text was read to its end and well-formed. */
bool json_end(struct json *json);
/* VARVE_INVALID or VARVE_LIMIT, with the offset and what was expected there. */
enum varve_status
json_fail(const struct json *json, const char *place, struct varve_err *err) VARVE_CHECKED;

/* The text of a string: in place, or with escapes undone in the arena.  Half a surrogate pair
 * becomes U+FFFD: senders cut texts by UTF-16 units.  VARVE_INVALID: not a string, or not UTF-8. */
enum varve_status json_text(const struct json_value *value, struct arena *arena,
                            struct varve_str *text, struct varve_err *err) VARVE_CHECKED;
/* The same, whether it is UTF-8 or not: for those who look later. */
enum varve_status json_bytes(const struct json_value *value, struct arena *arena,
                             struct varve_str *text, struct varve_err *err) VARVE_CHECKED;
/* Whether a string says just this.  Allocates nothing. */
bool json_is(const struct json_value *value, struct varve_str text);

/* The number in a number or in a string that holds nothing else; false: there is none, or it does
 * not fit.  1.0 and 1e3 are integers. */
bool json_int64(const struct json_value *value, int64_t *number);
bool json_uint64(const struct json_value *value, uint64_t *number);
/* Correctly rounded.  "NaN", "Infinity" and "-Infinity" are numbers, too; 1e999 is not.  */
bool json_double(const struct json_value *value, double *number);

#endif
