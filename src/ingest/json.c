/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c -- walking over JSON text and skipping what nobody wants to know.
 *
 * Most of what comes in is attributes: short strings between a few brackets.  So
 * strings are searched for their end 16 bytes at a time (8 where there is no SSE2), and arrays and
 * objects are skipped in one loop that keeps what is open as the bytes that will close it.
 *
 * Invariant: `at` never lies behind `end`, and no byte at or behind `end` is read.  After the first
 * error `expected` is set, `at` is where it happened, and every function answers false.
 *
 * What strings and numbers say is the business of json_scalar.c.
 */
#include "ingest/json.h"

#include <assert.h>

#include "base/bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static const char *wrong(struct json *json, const char *at, const char *expected)
{
    json->at = at;
    json->expected = expected;
    json->status = VARVE_INVALID;
    return NULL;
}

static const char *too_deep(struct json *json, const char *at)
{
    wrong(json, at, "fewer arrays and objects inside each other");
    json->status = VARVE_LIMIT;
    return NULL;
}

static inline const char *space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* ---- strings and other scalars ----------------------------------------- */

/* How many of the BLOCK bytes at p stand before a quote, a backslash or a control character; *wide
 * is set when one of these is not ASCII. */
#if defined(__SSE2__)
enum { BLOCK = 16 };

static inline unsigned plain_bytes(const char *p, bool *wide)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i special =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
    unsigned found = (unsigned)_mm_movemask_epi8(special) | 1u << BLOCK;
    unsigned high = (unsigned)_mm_movemask_epi8(v);
    unsigned before = found & -found;
    *wide |= (high & (before - 1)) != 0;
    return (unsigned)__builtin_ctz(found);
}
#else
enum { BLOCK = 8 };

#define ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline unsigned plain_bytes(const char *p, bool *wide)
{
    uint64_t v = load64(p);
    uint64_t quote = v ^ ALL('"'), backslash = v ^ ALL('\\');
    /* The lowest bit set is right; higher ones may be there by a borrow. */
    uint64_t found = (((quote - ALL(1)) & ~quote) | ((backslash - ALL(1)) & ~backslash) |
                      ((v - ALL(0x20)) & ~v)) &
                     ALL(0x80);
    uint64_t before = found ? (found & -found) - 1 : UINT64_MAX;
    *wide |= (v & before & ALL(0x80)) != 0;
    return found ? (unsigned)__builtin_ctzll(found) / 8 : BLOCK;
}
#endif

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Past the escape sequence whose backslash is at p. */
static const char *scan_escape(struct json *json, const char *p)
{
    const char *end = json->end;
    if (++p < end && *p == 'u') {
        for (unsigned i = 1; i <= 4; i++)
            if (p + i == end || !is_hex(p[i]))
                return wrong(json, p + i, "four hexadecimal digits");
        return p + 5;
    }
    if (p == end || *p == 0 || !strchr("\"\\/bfnrt", *p))
        return wrong(json, p, "one of \"\\/bfnrtu behind the backslash");
    return p + 1;
}

/* From behind the opening quote to the closing one. */
static inline const char *scan_string(struct json *json, const char *p, struct json_value *value)
{
    const char *end = json->end;
    bool wide = false, escaped = false;
    for (;;) {
        while (end - p >= BLOCK) {
            unsigned n = plain_bytes(p, &wide);
            p += n;
            if (n < BLOCK)
                break;
        }
        while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
            wide |= (unsigned char)*p++ >= 0x80;
        if (p == end)
            return wrong(json, p, "the end of a string");
        if (*p == '"')
            break;
        if (*p != '\\')
            return wrong(json, p, "no control character in a string");
        escaped = true;
        p = scan_escape(json, p);
        if (!p)
            return NULL;
    }
    value->wide = wide;
    value->escaped = escaped;
    return p;
}

static inline const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static const char *scan_number(struct json *json, const char *p)
{
    const char *end = json->end, *from;
    p += *p == '-';
    from = p;
    p = digits(p, end);
    if (p == from)
        return wrong(json, p, "a digit");
    if (*from == '0' && p - from > 1)
        return wrong(json, from + 1, "a number without leading zeros");
    if (p < end && *p == '.') {
        from = ++p;
        p = digits(p, end);
        if (p == from)
            return wrong(json, p, "a digit behind the decimal point");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        from = p;
        p = digits(p, end);
        if (p == from)
            return wrong(json, p, "a digit of the exponent");
    }
    return p;
}

static const char *scan_literal(struct json *json, const char *p, struct varve_str literal)
{
    if ((size_t)(json->end - p) < literal.size || memcmp(p, literal.data, literal.size) != 0)
        return wrong(json, p, "a value");
    return p + literal.size;
}

static enum json_type type_of(char c)
{
    switch (c) {
    case '"':
        return JSON_STRING;
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case 'n':
        return JSON_NULL;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : JSON_NONE;
    }
}

/* The string or other scalar at p. */
static inline const char *scan_scalar(struct json *json, const char *p, struct json_value *value)
{
    const char *from = p;
    if (*p == '"') {
        p = scan_string(json, p + 1, value);
        if (!p)
            return NULL;
        value->type = JSON_STRING;
        value->text = from + 1;
        value->size = (uint32_t)(p - from - 1);
        return p + 1;
    }
    value->type = (uint8_t)type_of(*p);
    if (value->type == JSON_NUMBER)
        p = scan_number(json, p);
    else if (value->type == JSON_NULL)
        p = scan_literal(json, p, STR("null"));
    else if (value->type == JSON_TRUE)
        p = scan_literal(json, p, STR("true"));
    else if (value->type == JSON_FALSE)
        p = scan_literal(json, p, STR("false"));
    else
        return wrong(json, p, "a value");
    value->text = from;
    value->size = p ? (uint32_t)(p - from) : 0;
    return p;
}

/* ---- arrays and objects ------------------------------------------------ */

/* The key at p, and its colon, up to its value. */
static inline const char *scan_key(struct json *json, const char *p, struct json_value *key)
{
    const char *end = json->end;
    if (p == end || *p != '"')
        return wrong(json, p, "a key in quotes");
    p = scan_scalar(json, p, key);
    if (!p)
        return NULL;
    if (p < end && *p == ' ')
        p = space(p, end);
    if (p == end || *p != ':')
        p = space(p, end);
    if (p == end || *p != ':')
        return wrong(json, p, "a colon");
    return space(p + 1, end);
}

/* Past the array or object at p. */
static const char *scan_nested(struct json *json, const char *p)
{
    const char *end = json->end;
    const unsigned most = JSON_DEPTH - json->depth;
    char closing[JSON_DEPTH + 1], close = 0; /* of what is open; `close` of the innermost */
    unsigned depth = 0;
    struct json_value ignored;
    for (;;) {
        if (close == '}') {
            p = scan_key(json, p, &ignored);
            if (!p)
                return NULL;
        }
        if (p == end)
            return wrong(json, p, "a value");
        if (*p == '{' || *p == '[') {
            if (depth == most)
                return too_deep(json, p);
            closing[depth++] = close;
            close = *p == '{' ? '}' : ']';
            p = space(p + 1, end);
            if (p == end || *p != close)
                continue;
        } else {
            p = scan_scalar(json, p, &ignored);
            if (!p)
                return NULL;
            p = space(p, end);
        }
        for (; p < end && *p == close; p = space(p, end)) {
            p++;
            close = closing[--depth];
            if (depth == 0)
                return p;
        }
        if (p == end || *p != ',')
            return wrong(json, p, close == '}' ? "a comma or }" : "a comma or ]");
        p = space(p + 1, end);
    }
}

/* ---- the interface ----------------------------------------------------- */

void json_start(struct json *json, const char *text, size_t size)
{
    assert(size <= UINT32_MAX);
    if (!text)
        text = "";
    *json = (struct json){.start = text, .at = text, .end = text + size, .status = VARVE_OK};
}

enum json_type json_peek(struct json *json)
{
    if (json->expected)
        return JSON_NONE;
    json->at = space(json->at, json->end);
    return json->at < json->end ? type_of(*json->at) : JSON_NONE;
}

bool json_value(struct json *json, struct json_value *value)
{
    enum json_type type = json_peek(json);
    const char *from = json->at, *p = NULL;
    *value = (struct json_value){0};
    if (json->expected)
        return false;
    if (type == JSON_NONE) {
        wrong(json, from, "a value");
        return false;
    }
    json->fresh = false;
    if (type != JSON_ARRAY && type != JSON_OBJECT) {
        p = scan_scalar(json, from, value);
    } else if ((p = scan_nested(json, from)) != NULL) {
        value->type = (uint8_t)type;
        value->text = from;
        value->size = (uint32_t)(p - from);
    }
    if (!p) {
        *value = (struct json_value){0};
        return false;
    }
    json->at = p;
    return true;
}

bool json_begin(struct json *json)
{
    enum json_type type = json_peek(json);
    if (json->expected)
        return false;
    if (type != JSON_ARRAY && type != JSON_OBJECT) {
        wrong(json, json->at, "an array or an object");
        return false;
    }
    if (json->depth == JSON_DEPTH) {
        too_deep(json, json->at);
        return false;
    }
    json->depth++;
    json->fresh = true;
    json->at++;
    return true;
}

/* To the next value or key of what is open, over the comma; false: at `close`, which is passed. */
static bool step(struct json *json, char close, const char *expected)
{
    if (json->expected)
        return false;
    const char *p = space(json->at, json->end);
    if (p < json->end && *p == close) {
        json->at = p + 1;
        json->depth--;
        json->fresh = false;
        return false;
    }
    if (!json->fresh) {
        if (p == json->end || *p != ',') {
            wrong(json, p, expected);
            return false;
        }
        p = space(p + 1, json->end);
    }
    json->fresh = false;
    json->at = p;
    return true;
}

bool json_member(struct json *json, struct json_value *key)
{
    if (!step(json, '}', "a comma or }"))
        return false;
    const char *p = scan_key(json, json->at, key);
    if (!p)
        return false;
    json->at = p;
    return true;
}

bool json_element(struct json *json)
{
    return step(json, ']', "a comma or ]");
}

bool json_end(struct json *json)
{
    if (json->expected)
        return false;
    json->at = space(json->at, json->end);
    if (json->at < json->end || json->depth > 0)
        wrong(json, json->at, "the end of the text");
    return !json->expected;
}

enum varve_status json_fail(const struct json *json, const char *place, struct varve_err *err)
{
    assert(json->expected);
    return fail(err, json->status, place, "byte %zu of the JSON text: expected %s",
                (size_t)(json->at - json->start), json->expected);
}
