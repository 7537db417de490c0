/* SPDX-License-Identifier: Apache-2.0
 *
 * json_oracle.c -- jansson as a judge.
 *
 * It is stricter in two matters, in which it is silent here: half a surrogate pair, which RFC 8259
 * leaves to the reader, and a zero character in a key.  In one it is not strict enough: a zero byte
 * behind a value is the end of the text to it.
 */
#include "json_oracle.h"

#ifdef HAVE_JANSSON

#include <jansson.h>
#include <stdlib.h>

static void put(struct buf *line, const json_t *value)
{
    const char *key;
    json_t *member;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        oracle_put(line, "{");
        /* The macro has no form for constant objects, and changes nothing. */
        json_object_foreach ((json_t *)(uintptr_t)value, key, member) {
            oracle_put_string(line, key, strlen(key));
            put(line, member);
        }
        oracle_put(line, "}");
        return;
    case JSON_ARRAY:
        oracle_put(line, "[");
        for (size_t i = 0; i < json_array_size(value); i++)
            put(line, json_array_get(value, i));
        oracle_put(line, "]");
        return;
    case JSON_STRING:
        oracle_put_string(line, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        oracle_put_int(line, json_integer_value(value));
        return;
    case JSON_REAL:
        oracle_put_real(line, json_real_value(value));
        return;
    case JSON_TRUE:
        oracle_put(line, "t");
        return;
    case JSON_FALSE:
        oracle_put(line, "f");
        return;
    case JSON_NULL:
        oracle_put(line, "n");
        return;
    }
}

/* A \u escape of half a pair without its other half, wherever it stands. */
static bool has_half_a_pair(const char *text, size_t size)
{
    for (size_t i = 0; i + 6 <= size; i++) {
        char digits[5] = {0};
        if (text[i] != '\\')
            continue;
        if (text[i + 1] != 'u') {
            i++;
            continue;
        }
        memcpy(digits, text + i + 2, 4);
        unsigned long code = strtoul(digits, NULL, 16);
        if (code < 0xd800 || code >= 0xe000)
            continue;
        if (code >= 0xdc00 || i + 12 > size || text[i + 6] != '\\' || text[i + 7] != 'u')
            return true;
        memcpy(digits, text + i + 8, 4);
        code = strtoul(digits, NULL, 16);
        if (code < 0xdc00 || code >= 0xe000)
            return true;
        i += 11;
    }
    return false;
}

enum oracle_answer oracle_ask(const char *text, size_t size, struct buf *line)
{
    json_error_t error;
    if (size > 0 && memchr(text, 0, size))
        return ORACLE_SILENT;
    json_t *value =
        json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    if (value) {
        put(line, value);
        json_decref(value);
        return ORACLE_ACCEPTS;
    }
    if (json_error_code(&error) == json_error_duplicate_key ||
        json_error_code(&error) == json_error_null_byte_in_key || has_half_a_pair(text, size))
        return ORACLE_SILENT;
    return ORACLE_REFUSES;
}

#else

enum oracle_answer oracle_ask(const char *text, size_t size, struct buf *line)
{
    (void)text;
    (void)size;
    (void)line;
    return ORACLE_ABSENT;
}

#endif
