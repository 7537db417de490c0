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

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

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

ALWAYS_INLINE const char *space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* ---- strings and other scalars ----------------------------------------- */

enum { WIDE = 1, ESCAPED = 2 }; /* what is known of a string */

/* Moves *p to the first quote, backslash or control character of the BLOCK bytes there, or behind
 * them all, and answers whether there is one.  WIDE is added to *flags when what was passed is not
 * all ASCII.  (The step over a whole block depends on no loaded byte: the next can begin early.) */
#if defined(__SSE2__)
enum { BLOCK = 16 };

ALWAYS_INLINE bool find_special(const char **p, unsigned *flags)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)*p);
    __m128i special =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
    unsigned found = (unsigned)_mm_movemask_epi8(special);
    unsigned high = (unsigned)_mm_movemask_epi8(v);
    if (found) {
        if (high & (found - 1) & ~found)
            *flags |= WIDE;
        *p += __builtin_ctz(found);
        return true;
    }
    if (high)
        *flags |= WIDE;
    *p += BLOCK;
    return false;
}
#else
enum { BLOCK = 8 };

#define ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

ALWAYS_INLINE bool find_special(const char **p, unsigned *flags)
{
    uint64_t v = load64(*p), high = v & ALL(0x80);
    uint64_t quote = v ^ ALL('"'), backslash = v ^ ALL('\\');
    /* The lowest bit set is right; higher ones may be there by a borrow. */
    uint64_t found = (((quote - ALL(1)) & ~quote) | ((backslash - ALL(1)) & ~backslash) |
                      ((v - ALL(0x20)) & ~v)) &
                     ALL(0x80);
    if (found) {
        if (high & (found - 1) & ~found)
            *flags |= WIDE;
        *p += __builtin_ctzll(found) / 8;
        return true;
    }
    if (high)
        *flags |= WIDE;
    *p += BLOCK;
    return false;
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

/* Goes on in a string to the closing quote, over escapes and close to the end of the text. */
static const char *scan_rest(struct json *json, const char *p, unsigned *flags)
{
    const char *end = json->end;
    for (;;) {
        while (end - p >= BLOCK && !find_special(&p, flags))
            continue;
        for (; p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20; p++)
            if ((unsigned char)*p >= 0x80)
                *flags |= WIDE;
        if (p == end)
            return wrong(json, p, "the end of a string");
        if (*p == '"')
            return p;
        if (*p != '\\')
            return wrong(json, p, "no control character in a string");
        *flags |= ESCAPED;
        p = scan_escape(json, p);
        if (!p)
            return NULL;
    }
}

/* From behind the opening quote to the closing one. */
ALWAYS_INLINE const char *scan_string(struct json *json, const char *p, unsigned *flags)
{
    const char *end = json->end;
    unsigned rest = 0;
    while (end - p >= BLOCK && !find_special(&p, flags))
        continue;
    if (p < end && *p == '"')
        return p;
    p = scan_rest(json, p, &rest);
    *flags |= rest;
    return p;
}

const char *json_plain_end(const char *p, const char *end)
{
    unsigned ignored = 0;
    while (end - p >= BLOCK && !find_special(&p, &ignored))
        continue;
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    return p < end && *p == '"' ? p : NULL;
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

const uint8_t json_types[256] = {
    ['"'] = JSON_STRING, ['{'] = JSON_OBJECT, ['['] = JSON_ARRAY,  ['n'] = JSON_NULL,
    ['t'] = JSON_TRUE,   ['f'] = JSON_FALSE,  ['-'] = JSON_NUMBER, ['0'] = JSON_NUMBER,
    ['1'] = JSON_NUMBER, ['2'] = JSON_NUMBER, ['3'] = JSON_NUMBER, ['4'] = JSON_NUMBER,
    ['5'] = JSON_NUMBER, ['6'] = JSON_NUMBER, ['7'] = JSON_NUMBER, ['8'] = JSON_NUMBER,
    ['9'] = JSON_NUMBER,
};

ALWAYS_INLINE enum json_type type_of(char c)
{
    return (enum json_type)json_types[(unsigned char)c];
}

/* What is at p and no string, array or object. */
static const char *scan_word(struct json *json, const char *p)
{
    switch (type_of(*p)) {
    case JSON_NUMBER:
        return scan_number(json, p);
    case JSON_NULL:
        return scan_literal(json, p, STR("null"));
    case JSON_TRUE:
        return scan_literal(json, p, STR("true"));
    case JSON_FALSE:
        return scan_literal(json, p, STR("false"));
    default:
        return wrong(json, p, "a value");
    }
}

/* A string with its quotes as a value. */
ALWAYS_INLINE const char *scan_text(struct json *json, const char *p, struct json_value *value)
{
    unsigned flags = 0;
    const char *end = scan_string(json, p + 1, &flags);
    if (!end)
        return NULL;
    *value = (struct json_value){.text = p + 1,
                                 .size = (uint32_t)(end - p - 1),
                                 .type = JSON_STRING,
                                 .escaped = (flags & ESCAPED) != 0,
                                 .wide = (flags & WIDE) != 0};
    return end + 1;
}

/* ---- arrays and objects ------------------------------------------------ */

/* From behind a key to its value. */
ALWAYS_INLINE const char *scan_colon(struct json *json, const char *p)
{
    const char *end = json->end;
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
    unsigned depth = 0, ignored = 0;
    for (;;) {
        if (close == '}') {
            if (p == end || *p != '"')
                return wrong(json, p, "a key in quotes");
            p = scan_string(json, p + 1, &ignored);
            p = p ? scan_colon(json, p + 1) : NULL;
            if (!p)
                return NULL;
        }
        if (p == end)
            return wrong(json, p, "a value");
        if (*p == '"') {
            p = scan_string(json, p + 1, &ignored);
            if (!p)
                return NULL;
            p = space(p + 1, end);
        } else if (*p == '{' || *p == '[') {
            if (depth == most)
                return too_deep(json, p);
            closing[depth++] = close;
            close = *p == '{' ? '}' : ']';
            p = space(p + 1, end);
            if (p == end || *p != close)
                continue;
        } else {
            p = scan_word(json, p);
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

enum json_type json_peek_far(struct json *json)
{
    if (json->expected)
        return JSON_NONE;
    json->at = space(json->at, json->end);
    return json->at < json->end ? type_of(*json->at) : JSON_NONE;
}

bool json_value(struct json *json, struct json_value *value)
{
    enum json_type type = json_peek(json);
    const char *from = json->at, *p;
    *value = (struct json_value){0};
    if (json->expected)
        return false;
    json->fresh = false;
    if (type == JSON_STRING) {
        p = scan_text(json, from, value);
    } else {
        if (type == JSON_NONE)
            p = wrong(json, from, "a value");
        else if (type == JSON_ARRAY || type == JSON_OBJECT)
            p = scan_nested(json, from);
        else
            p = scan_word(json, from);
        if (p)
            *value = (struct json_value){
                .text = from, .size = (uint32_t)(p - from), .type = (uint8_t)type};
    }
    if (p)
        json->at = p;
    return p != NULL;
}

void json_take(struct json *json, enum json_type type, size_t size, struct json_value *value)
{
    assert(!json->expected && size <= (size_t)(json->end - json->at));
    *value = (struct json_value){.text = json->at, .size = (uint32_t)size, .type = (uint8_t)type};
    json->at += size;
    json->fresh = false;
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
    const char *p = json->at;
    if (p == json->end || *p != '"')
        p = wrong(json, p, "a key in quotes");
    else
        p = scan_text(json, p, key);
    p = p ? scan_colon(json, p) : NULL;
    if (p)
        json->at = p;
    return p != NULL;
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
