/* SPDX-License-Identifier: Apache-2.0
 *
 * json_scalar.c -- what the strings and numbers of a JSON text say.
 *
 * Integers are read digit by digit and never pass through a double.  Doubles are rounded once:
 * the digits as one integer of 64 bits, multiplied or divided by a power of ten in 128 bits, which
 * leaves the exact quotient and whether there was a rest.  That covers up to 19 digits, which is
 * what programs print; everything else goes to strtod in the C locale.
 *
 * The ranges come from json.c and are known to be well-formed.
 */
#include "ingest/json.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

__extension__ typedef unsigned __int128 u128;

/* ---- texts ------------------------------------------------------------- */

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t put_character(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00 >> size & 0xff) | code);
    return size;
}

/* One character or byte of a string, of 1 to 4 bytes; *p moves behind it. */
static size_t unescape(const char **p, const char *end, char out[4])
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at = *p;
    if (*at != '\\') {
        out[0] = *at;
        *p = at + 1;
        return 1;
    }
    if (at[1] != 'u') {
        const char *known = strchr(from, at[1]);
        out[0] = known ? to[known - from] : at[1];
        *p = at + 2;
        return 1;
    }
    uint32_t code = hex4(at + 2);
    at += 6;
    if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = hex4(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
    }
    *p = at;
    return put_character(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, out);
}

enum varve_status json_bytes(const struct json_value *value, struct arena *arena,
                             struct varve_str *text, struct varve_err *err)
{
    struct varve_str raw = {value->text, value->size};
    if (value->type != JSON_STRING)
        return fail(err, VARVE_INVALID, "", "expected a string");
    if (!value->escaped) {
        *text = raw;
        return VARVE_OK;
    }
    char *copy = arena_copy(arena, raw.data, raw.size), *out = copy;
    if (!copy)
        return fail_nomem(err, raw.size);
    for (const char *p = copy, *end = copy + raw.size; p < end;) {
        char character[4];
        size_t size = unescape(&p, end, character);
        memcpy(out, character, size);
        out += size;
    }
    *text = (struct varve_str){copy, (size_t)(out - copy)};
    return VARVE_OK;
}

enum varve_status json_text(const struct json_value *value, struct arena *arena,
                            struct varve_str *text, struct varve_err *err)
{
    /* Escapes are ASCII and become whole characters: what is UTF-8 with them is so without. */
    if (value->wide && !str_is_utf8((struct varve_str){value->text, value->size}))
        return fail(err, VARVE_INVALID, "", "a string that is not UTF-8");
    return json_bytes(value, arena, text, err);
}

bool json_is(const struct json_value *value, struct varve_str text)
{
    if (value->type != JSON_STRING)
        return false;
    if (!value->escaped)
        return str_equal((struct varve_str){value->text, value->size}, text);
    const char *p = value->text, *end = p + value->size;
    size_t at = 0;
    while (p < end) {
        char character[4];
        size_t size = unescape(&p, end, character);
        if (size > text.size - at || memcmp(character, text.data + at, size) != 0)
            return false;
        at += size;
    }
    return at == text.size;
}

/* ---- numbers ----------------------------------------------------------- */

/* The text of the number in a value; NULL data: none. */
static struct varve_str number_text(const struct json_value *value)
{
    struct json inner;
    struct json_value number;
    struct varve_str text = {value->text, value->size}, none = {0};
    if (value->type == JSON_NUMBER)
        return text;
    if (value->type != JSON_STRING || value->escaped)
        return none;
    json_start(&inner, text.data, text.size);
    if (!json_value(&inner, &number) || number.type != JSON_NUMBER || number.size != text.size)
        return none;
    return text;
}

/* (-1)^negative * digits * 10^exponent.  Not exact: digits that are not zero were left out. */
struct decimal {
    uint64_t digits;
    int exponent;
    bool negative, exact;
};

enum { EXPONENT_CAP = 1000000000 }; /* with the length of any text added it still fits an int */

static int read_exponent(const char *p, const char *end)
{
    int exponent = 0;
    bool negative = *p == '-';
    for (p += *p == '-' || *p == '+'; p < end; p++)
        if (exponent < EXPONENT_CAP / 10)
            exponent = exponent * 10 + (*p - '0');
    return negative ? -exponent : exponent;
}

static struct decimal read_decimal(struct varve_str text)
{
    enum { ROOM = 19 }; /* digits that always fit */
    struct decimal d = {.exact = true, .negative = text.data[0] == '-'};
    const char *p = text.data + d.negative, *end = text.data + text.size;
    unsigned used = 0;
    bool fraction = false;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = true;
        } else if (used < ROOM) {
            d.digits = d.digits * 10 + (uint64_t)(*p - '0');
            used += d.digits != 0;
            d.exponent -= fraction;
        } else {
            d.exact &= *p == '0';
            d.exponent += !fraction;
        }
    }
    if (p < end)
        d.exponent += read_exponent(p + 1, end);
    return d;
}

/* The magnitude of an integer. */
static bool read_magnitude(struct varve_str text, bool *negative, uint64_t *magnitude)
{
    uint64_t v = 0;
    *negative = text.data[0] == '-';
    const char *p = text.data + *negative, *end = text.data + text.size;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            break;
    *magnitude = v;
    if (p == end)
        return true;
    struct decimal d = read_decimal(text);
    if (!d.exact)
        return false;
    for (; d.exponent < 0 && d.digits % 10 == 0 && d.digits; d.exponent++)
        d.digits /= 10;
    for (; d.exponent > 0 && d.digits; d.exponent--)
        if (__builtin_mul_overflow(d.digits, 10u, &d.digits))
            return false;
    *magnitude = d.digits;
    return d.digits == 0 || d.exponent == 0;
}

/* Eight characters as a number of eight digits; false: some of them are none. */
static inline bool eight_digits(const char *p, uint64_t *number)
{
    const uint64_t v = load64(p) ^ UINT64_C(0x3030303030303030);
    /* Neither they nor what is six more may reach into the upper half of a byte. */
    if (((v | (v + UINT64_C(0x0606060606060606))) & UINT64_C(0xf0f0f0f0f0f0f0f0)) != 0)
        return false;
    uint64_t pairs = v * 10 + (v >> 8);
    pairs = ((pairs & UINT64_C(0x000000ff000000ff)) * (100 + (UINT64_C(1000000) << 32)) +
             ((pairs >> 16) & UINT64_C(0x000000ff000000ff)) * (1 + (UINT64_C(10000) << 32))) >>
            32;
    *number = pairs;
    return true;
}

/* Most integers are up to 19 digits and nothing else. */
static inline bool plain_integer(const struct json_value *value, uint64_t *number)
{
    const char *p = value->text, *end = p + value->size;
    uint64_t v = 0, eight;
    if ((value->type != JSON_NUMBER && value->type != JSON_STRING) || value->size == 0 ||
        value->size > 19 || (value->text[0] == '0' && value->size > 1))
        return false;
    for (; end - p >= 8; p += 8) {
        if (!eight_digits(p, &eight))
            return false;
        v = v * 100000000 + eight;
    }
    for (; p < end; p++) {
        unsigned digit = (unsigned)*p - '0';
        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    *number = v;
    return true;
}

bool json_uint64(const struct json_value *value, uint64_t *number)
{
    bool negative;
    uint64_t magnitude;
    if (plain_integer(value, number))
        return true;
    struct varve_str text = number_text(value);
    if (!text.data || !read_magnitude(text, &negative, &magnitude) || (negative && magnitude))
        return false;
    *number = magnitude;
    return true;
}

bool json_int64(const struct json_value *value, int64_t *number)
{
    bool negative = false;
    uint64_t magnitude;
    struct varve_str text = {0};
    if (!plain_integer(value, &magnitude)) {
        text = number_text(value);
        if (!text.data || !read_magnitude(text, &negative, &magnitude))
            return false;
    }
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *number = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

static const uint64_t powers_of_ten[] = {UINT64_C(1),
                                         UINT64_C(10),
                                         UINT64_C(100),
                                         UINT64_C(1000),
                                         UINT64_C(10000),
                                         UINT64_C(100000),
                                         UINT64_C(1000000),
                                         UINT64_C(10000000),
                                         UINT64_C(100000000),
                                         UINT64_C(1000000000),
                                         UINT64_C(10000000000),
                                         UINT64_C(100000000000),
                                         UINT64_C(1000000000000),
                                         UINT64_C(10000000000000),
                                         UINT64_C(100000000000000),
                                         UINT64_C(1000000000000000),
                                         UINT64_C(10000000000000000),
                                         UINT64_C(100000000000000000),
                                         UINT64_C(1000000000000000000),
                                         UINT64_C(10000000000000000000)};

/* As far as doubles have them without rounding. */
static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { POWERS = sizeof powers_of_ten / sizeof *powers_of_ten };

/* v * 2^exponent, and a little more if there is a rest.  The upper 64 bits of v and one bit for
 * everything below them tell how to round to 53. */
static double round_once(u128 v, bool rest, int exponent)
{
    uint64_t high = (uint64_t)(v >> 64);
    if (high) {
        int shift = 64 - __builtin_clzll(high);
        rest |= (v & (((u128)1 << shift) - 1)) != 0;
        v >>= shift;
        exponent += shift;
    }
    return ldexp((double)((uint64_t)v | rest), exponent);
}

static double from_decimal(const struct decimal *d)
{
    /* Two doubles that are exact make a quotient or product that is rounded once. */
    if (d->digits <= UINT64_C(1) << 53 && d->exponent >= -22 && d->exponent <= 22 &&
        FLT_EVAL_METHOD == 0) {
        double power = exact_powers[abs(d->exponent)];
        return d->exponent < 0 ? (double)d->digits / power : (double)d->digits * power;
    }
    if (d->exponent >= 0)
        return round_once((u128)d->digits * powers_of_ten[d->exponent], false, 0);
    u128 numerator = d->digits, divisor = powers_of_ten[-d->exponent];
    int shift = 64 + __builtin_clzll(d->digits);
    numerator <<= shift;
    u128 quotient = numerator / divisor;
    return round_once(quotient, quotient * divisor != numerator, -shift);
}

/* Any number: its digits, as many as can matter, go to strtod. */
static bool by_strtod(struct varve_str text, double *number)
{
    enum { DIGITS = 800 }; /* halfway between two doubles lie numbers of up to 768 */
    char copy[DIGITS + 32];
    size_t size = 0;
    int64_t exponent = 0;
    bool fraction = false, rest = false;
    const char *p = text.data + (text.data[0] == '-'), *end = text.data + text.size;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = true;
        } else if (size < DIGITS) {
            if (size > 0 || *p != '0')
                copy[size++] = *p;
            exponent -= fraction;
        } else {
            rest |= *p != '0';
            exponent += !fraction;
        }
    }
    if (p < end)
        exponent += read_exponent(p + 1, end);
    if (rest) {
        copy[size++] = '1';
        exponent--;
    }
    snprintf(copy + size, sizeof copy - size, size ? "e%lld" : "0", (long long)exponent);
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return false;
    *number = strtod_l(copy, NULL, c);
    freelocale(c);
    return isfinite(*number);
}

bool json_double(const struct json_value *value, double *number)
{
    double magnitude = 0;
    uint64_t whole;
    if (plain_integer(value, &whole)) {
        *number = (double)whole;
        return true;
    }
    struct varve_str text = number_text(value);
    if (!text.data) {
        if (json_is(value, STR("NaN")))
            *number = (double)NAN;
        else if (json_is(value, STR("Infinity")))
            *number = (double)INFINITY;
        else if (json_is(value, STR("-Infinity")))
            *number = -(double)INFINITY;
        else
            return false;
        return true;
    }
    struct decimal d = read_decimal(text);
    if (d.exact && d.digits && d.exponent > -POWERS && d.exponent < POWERS)
        magnitude = from_decimal(&d);
    else if (d.digits && !by_strtod(text, &magnitude))
        return false;
    *number = d.negative ? -magnitude : magnitude;
    return true;
}
