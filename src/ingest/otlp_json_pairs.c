/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_json_pairs.c -- attributes as nearly all senders write them.
 *
 * {"key":"...","value":{"stringValue":"..."}}, without a space, in this order and without escapes,
 * is told by comparing what stands between the texts as it is.  That it is JSON follows from that,
 * so that an array of such attributes can be passed over in this way, too.
 *
 * Everything else is left where it was, for those who read any JSON.
 */
#include "ingest/otlp_json_private.h"

#include "base/bytes.h"

/* Whether the bytes at p are those of a literal: its size is known here, so that the loop is not
 * there. */
__attribute__((always_inline)) static inline bool
is_text(const char *p, const char *end, const char *text, size_t size)
{
    if ((size_t)(end - p) < size)
        return false;
    uint64_t differ = 0;
    size_t i = 0;
    for (; i + 8 <= size; i += 8)
        differ |= load64(p + i) ^ load64(text + i);
    if (size > 8)
        differ |= load64(p + size - 8) ^ load64(text + size - 8);
    else
        for (; i < size; i++)
            differ |= (uint64_t)(p[i] != text[i]);
    return differ == 0;
}

#define IS_TEXT(p, end, text) is_text(p, end, text, sizeof(text) - 1)
#define BEFORE_KEY "{\"key\":\""
#define BEFORE_TEXT "\",\"value\":{\"stringValue\":\""
#define BEHIND "\"}}"

/* Past the attribute at p; NULL: it is written in another way. */
static const char *
read_pair(const char *p, const char *end, struct varve_str *key, struct varve_str *text)
{
    if (!IS_TEXT(p, end, BEFORE_KEY))
        return NULL;
    p += sizeof BEFORE_KEY - 1;
    const char *quote = json_plain_end(p, end);
    if (!quote || !IS_TEXT(quote, end, BEFORE_TEXT))
        return NULL;
    *key = (struct varve_str){p, (size_t)(quote - p)};
    p = quote + sizeof BEFORE_TEXT - 1;
    quote = json_plain_end(p, end);
    if (!quote || !IS_TEXT(quote, end, BEHIND))
        return NULL;
    *text = (struct varve_str){p, (size_t)(quote - p)};
    return quote + sizeof BEHIND - 1;
}

bool otlp_json_pair(struct json *json, struct varve_field *field)
{
    const char *p = read_pair(json->at, json->end, &field->name, &field->value.as.s);
    if (!p)
        return false;
    field->value.type = VARVE_TEXT;
    json->at = p;
    return true;
}

struct varve_str otlp_json_pair_text(const struct varve_field *field)
{
    const char *from = field->name.data - (sizeof BEFORE_KEY - 1);
    const char *end = field->value.as.s.data + field->value.as.s.size + sizeof BEHIND - 1;
    return (struct varve_str){from, (size_t)(end - from)};
}

bool otlp_json_pairs(struct json *json, struct json_value *value, struct varve_field *fields,
                     size_t *count)
{
    const char *p = json->at, *end = json->end;
    struct varve_field ignored;
    size_t read = 0;
    *count = 0;
    if (json->expected || p == end || *p != '[')
        return false;
    do {
        struct varve_field *field = fields && read < LIMIT_ATTRIBUTES ? &fields[read] : &ignored;
        p = read_pair(p + 1, end, &field->name, &field->value.as.s);
        if (!p || p == end)
            return false;
        field->value.type = VARVE_TEXT;
        read++;
    } while (*p == ',');
    if (*p != ']')
        return false;
    json_take(json, JSON_ARRAY, (size_t)(p + 1 - json->at), value);
    *count = fields && read <= LIMIT_ATTRIBUTES ? read : 0;
    return true;
}
