/* SPDX-License-Identifier: Apache-2.0
 *
 * value.c -- order, equality and texts of values.
 *
 * Numbers are compared by what they are worth.  No integer is rounded to compare it with a double:
 * the whole parts are compared as integers, then what is behind the point as integers scaled by
 * the double's own power of two.  So the order is total, and transitive across types.
 *
 * Hashes follow it: a number that is whole hashes as an integer, one that is a whole number of
 * 1e-9 as that number, whatever its type; only what is left hashes as the bits of a double.
 */
#include "lang/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/number.h"

#define NANO INT64_C(1000000000)

typedef value_wide i128;
__extension__ typedef unsigned __int128 u128;

static int compare_ints(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* r * 1e-9 and f, both of them in (-1, 1). */
static int compare_fractions(int64_t r, double f)
{
    if (r == 0 || f == 0 || (r < 0) != (f < 0))
        return (r > 0 ? 1 : r < 0 ? -1 : f > 0 ? -1 : f < 0 ? 1 : 0);
    int exponent;
    int64_t mantissa = (int64_t)ldexp(frexp(fabs(f), &exponent), 53);
    int shift = 53 - exponent; /* |f| = mantissa / 2^shift */
    if (shift > 90)            /* 1e9 * |f| < 1 <= |r| */
        return r > 0 ? 1 : -1;
    i128 left = (i128)(r < 0 ? -r : r) << shift, right = (i128)mantissa * NANO;
    int c = (left > right) - (left < right);
    return r > 0 ? c : -c;
}

/* The worth of an INT or NANO is whole + nanos * 1e-9, both with its sign. */
static int compare_with_double(int64_t whole, int64_t nanos, double d)
{
    if (isnan(d) || d >= 0x1p63)
        return -1;
    if (d < -0x1p63)
        return 1;
    double floating;
    double fraction = modf(d, &floating);
    int c = compare_ints(whole, (int64_t)floating);
    return c ? c : compare_fractions(nanos, fraction);
}

static int compare_doubles(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static int compare_numbers(struct value a, struct value b)
{
    if (a.type == TYPE_FLOAT)
        return b.type == TYPE_FLOAT ? compare_doubles(a.as.f, b.as.f) : -compare_numbers(b, a);
    if (b.type == TYPE_FLOAT) {
        bool is_nano = a.type == TYPE_NANO;
        return compare_with_double(is_nano ? a.as.i / NANO : a.as.i, is_nano ? a.as.i % NANO : 0,
                                   b.as.f);
    }
    if (a.type == b.type)
        return compare_ints(a.as.i, b.as.i);
    i128 left = (i128)a.as.i * (a.type == TYPE_INT ? NANO : 1);
    i128 right = (i128)b.as.i * (b.type == TYPE_INT ? NANO : 1);
    return (left > right) - (left < right);
}

/* The sorts of values, in their order. */
static int sort_of(uint32_t type)
{
    static const int8_t sorts[TYPES] = {
        [TYPE_BOOL] = 0, [TYPE_INT] = 1,      [TYPE_NANO] = 1, [TYPE_FLOAT] = 1,
        [TYPE_TIME] = 2, [TYPE_DURATION] = 3, [TYPE_TEXT] = 4, [TYPE_NULL] = 5,
    };
    return sorts[type];
}

int value_compare(struct value a, struct value b)
{
    if (a.type == b.type && a.type == TYPE_TEXT)
        return str_compare(value_str(a), value_str(b));
    int left = sort_of(a.type), right = sort_of(b.type);
    if (left != right || left == 5)
        return left - right;
    return left == 1 ? compare_numbers(a, b) : compare_ints(a.as.i, b.as.i);
}

static uint64_t hash_word(uint64_t word, unsigned sort)
{
    uint64_t x = word + sort * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

enum { HASH_WHOLE = 1, HASH_NANO, HASH_BITS, HASH_NAN, HASH_OTHER };

static uint64_t hash_double(double d)
{
    if (isnan(d))
        return hash_word(0, HASH_NAN);
    if (d >= -0x1p63 && d < 0x1p63 && d == trunc(d))
        return hash_word((uint64_t)(int64_t)d, HASH_WHOLE);
    /* 1e9 is 2^9 * 5^9: a whole number of 1e-9 is a whole number of 2^-9. */
    double scaled = d * 512;
    if (fabs(d) < 0x1p34 && scaled == trunc(scaled)) {
        i128 nanos = (i128)(int64_t)scaled * 1953125;
        if (nanos == (int64_t)nanos)
            return hash_word((uint64_t)(int64_t)nanos, HASH_NANO);
    }
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return hash_word(bits, HASH_BITS);
}

uint64_t value_hash(struct value v)
{
    switch (v.type) {
    case TYPE_TEXT:
        return hash64(v.as.s, v.size, 0);
    case TYPE_FLOAT:
        return hash_double(v.as.f);
    case TYPE_INT:
        return hash_word((uint64_t)v.as.i, HASH_WHOLE);
    case TYPE_NANO:
        if (v.as.i % NANO == 0)
            return hash_word((uint64_t)(v.as.i / NANO), HASH_WHOLE);
        return hash_word((uint64_t)v.as.i, HASH_NANO);
    case TYPE_NULL:
        return hash_word(0, HASH_OTHER);
    default:
        return hash_word((uint64_t)v.as.i, HASH_OTHER + v.type);
    }
}

/* All digits of the quotient that a double can need, and whether there are more. */
double value_wide_nanos(value_wide nanos)
{
    if (nanos <= (value_wide)1 << 53 && nanos >= -((value_wide)1 << 53))
        return (double)nanos / 1e9;
    u128 size = nanos < 0 ? -(u128)nanos : (u128)nanos;
    int shift = 0;
    while (!(size >> 126))
        size <<= 1, shift++;
    u128 quotient = size / (uint64_t)NANO;
    bool is_exact = size % (uint64_t)NANO == 0;
    double worth = ldexp((double)(quotient | !is_exact), -shift);
    return nanos < 0 ? -worth : worth;
}

double value_double(struct value v)
{
    switch (v.type) {
    case TYPE_FLOAT:
        return v.as.f;
    case TYPE_INT:
    case TYPE_BOOL:
        return (double)v.as.i;
    case TYPE_NANO:
    case TYPE_TIME:
    case TYPE_DURATION:
        return value_wide_nanos(v.as.i);
    default:
        return (double)NAN;
    }
}

static size_t nano_print(int64_t i, char text[VALUE_TEXT_MAX])
{
    uint64_t size = i < 0 ? -(uint64_t)i : (uint64_t)i;
    uint64_t whole = size / (uint64_t)NANO, rest = size % (uint64_t)NANO;
    int length = snprintf(text, VALUE_TEXT_MAX, "%s%" PRIu64, i < 0 ? "-" : "", whole);
    if (rest) {
        length += snprintf(text + length, VALUE_TEXT_MAX - (size_t)length, ".%09" PRIu64, rest);
        while (text[length - 1] == '0')
            text[--length] = 0;
    }
    return (size_t)length;
}

/* A day may have 23 hours, but a duration's has 24. */
static size_t duration_print(int64_t nanos, char text[VALUE_TEXT_MAX])
{
    static const struct {
        const char *name;
        uint64_t nanos;
    } units[] = {{"d", UINT64_C(86400000000000)},
                 {"h", UINT64_C(3600000000000)},
                 {"m", UINT64_C(60000000000)},
                 {"s", UINT64_C(1000000000)},
                 {"ms", 1000000},
                 {"us", 1000},
                 {"ns", 1}};
    uint64_t left = nanos < 0 ? -(uint64_t)nanos : (uint64_t)nanos;
    if (left == 0)
        return (size_t)snprintf(text, VALUE_TEXT_MAX, "0s");
    int length = snprintf(text, VALUE_TEXT_MAX, "%s", nanos < 0 ? "-" : "");
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        uint64_t count = left / units[u].nanos;
        left -= count * units[u].nanos;
        if (count)
            length += snprintf(text + length, VALUE_TEXT_MAX - (size_t)length, "%" PRIu64 "%s",
                               count, units[u].name);
    }
    return (size_t)length;
}

size_t value_print(struct value v, char text[VALUE_TEXT_MAX])
{
    switch (v.type) {
    case TYPE_NULL:
        return (size_t)snprintf(text, VALUE_TEXT_MAX, "NULL");
    case TYPE_BOOL:
        return (size_t)snprintf(text, VALUE_TEXT_MAX, "%s", v.as.i ? "true" : "false");
    case TYPE_INT:
        return (size_t)snprintf(text, VALUE_TEXT_MAX, "%" PRId64, v.as.i);
    case TYPE_NANO:
        return nano_print(v.as.i, text);
    case TYPE_FLOAT:
        return number_print(v.as.f, text);
    case TYPE_TIME:
        instant_text(v.as.i, text);
        return strlen(text);
    case TYPE_DURATION:
        return duration_print(v.as.i, text);
    default:
        text[0] = 0;
        return 0;
    }
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[TYPES] = {
        [TYPE_NULL] = "NULL",         [TYPE_BOOL] = "boolean", [TYPE_INT] = "integer",
        [TYPE_NANO] = "decimal",      [TYPE_FLOAT] = "double", [TYPE_TIME] = "time",
        [TYPE_DURATION] = "duration", [TYPE_TEXT] = "text",
    };
    return names[type];
}
