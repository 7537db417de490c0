/* SPDX-License-Identifier: Apache-2.0
 *
 * decimal.c -- numbers in text, exactly.
 *
 * Up to 19 digits are an integer of 64 bits.  As long as the power of ten fits 64 bits too, the
 * double follows from one division or multiplication of 128 bits, with what is left over
 * deciding ties: no rounding happens twice.  The rest, which telemetry does not have, goes to
 * strtod with the point that the locale wants.
 */
#include "ingest/decimal.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 u128;

enum { DIGITS = 19, EXPONENT_MAX = 9999, SLOW_TEXT = 1100 };

static const uint64_t powers[] = {1u,
                                  10u,
                                  100u,
                                  1000u,
                                  10000u,
                                  100000u,
                                  1000000u,
                                  10000000u,
                                  100000000u,
                                  1000000000u,
                                  10000000000u,
                                  100000000000u,
                                  1000000000000u,
                                  10000000000000u,
                                  100000000000000u,
                                  1000000000000000u,
                                  10000000000000000u,
                                  100000000000000000u,
                                  1000000000000000000u,
                                  10000000000000000000u};

/* ---- reading -------------------------------------------------------------- */

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes digits from *at; those after the point lower the exponent. */
static size_t
scan_digits(struct varve_str text, size_t *at, unsigned *digits, bool fraction, struct decimal *d)
{
    const size_t begin = *at;
    for (; *at < text.size && is_digit(text.data[*at]); ++*at) {
        const unsigned digit = (unsigned)(text.data[*at] - '0');
        if (*digits < DIGITS) {
            d->mantissa = d->mantissa * 10 + digit;
            *digits += d->mantissa != 0;
            d->exponent -= fraction && d->exponent > -EXPONENT_MAX;
        } else {
            d->more = d->more || digit != 0;
            d->exponent += !fraction && d->exponent < EXPONENT_MAX;
        }
    }
    return *at - begin;
}

/* The length of "e+05" at `at`, added to the exponent; 0: there is none. */
static size_t scan_exponent(struct varve_str text, size_t at, struct decimal *d)
{
    size_t i = at + 1;
    int exponent = 0;
    if (at >= text.size || (text.data[at] | 0x20) != 'e')
        return 0;
    const bool negative = i < text.size && text.data[i] == '-';
    i += i < text.size && (text.data[i] == '-' || text.data[i] == '+');
    const size_t begin = i;
    for (; i < text.size && is_digit(text.data[i]); i++)
        if (exponent <= 2 * EXPONENT_MAX)
            exponent = exponent * 10 + (text.data[i] - '0');
    if (i == begin)
        return 0;
    d->exponent += negative ? -exponent : exponent;
    if (d->exponent > EXPONENT_MAX)
        d->exponent = EXPONENT_MAX;
    if (d->exponent < -EXPONENT_MAX)
        d->exponent = -EXPONENT_MAX;
    return i - at;
}

size_t decimal_scan(struct varve_str text, struct decimal *decimal)
{
    struct decimal d = {.negative = text.size > 0 && text.data[0] == '-'};
    size_t at = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+'), count;
    unsigned digits = 0;
    count = scan_digits(text, &at, &digits, false, &d);
    if (at < text.size && text.data[at] == '.') {
        at++;
        count += scan_digits(text, &at, &digits, true, &d);
    }
    if (count == 0)
        return 0;
    at += scan_exponent(text, at, &d);
    *decimal = d;
    return at;
}

/* ---- as a double ---------------------------------------------------------- */

/* Where something is left over, the last bit of an odd number of over 53 bits says so. */
static double round_wide(u128 value, bool rest, int shift)
{
    int drop = 0;
    while (value >> 64 != 0) {
        rest = rest || (value & 0xff) != 0;
        value >>= 8;
        drop += 8;
    }
    uint64_t v = (uint64_t)value;
    if (v == 0)
        return 0;
    const int lead = __builtin_clzll(v);
    v <<= lead;
    const uint64_t low = v & 0x7ff;
    v >>= 11;
    v += low > 0x400 || (low == 0x400 && (rest || (v & 1)));
    return ldexp((double)v, 11 - lead + drop + shift);
}

static double slow_double(struct varve_str text)
{
    char copy[SLOW_TEXT + 16];
    const struct lconv *local = localeconv();
    const char *point = local->decimal_point && *local->decimal_point ? local->decimal_point : ".";
    size_t size = 0, point_size = strlen(point);
    for (size_t i = 0; i < text.size; i++) {
        if (size + point_size >= SLOW_TEXT)
            break;
        if (text.data[i] == '.') {
            memcpy(copy + size, point, point_size);
            size += point_size;
        } else {
            copy[size++] = text.data[i];
        }
    }
    copy[size] = '\0';
    return strtod(copy, NULL);
}

/* A number of more digits than fit the copy: the first ones and how large they are. */
static double cut_double(const struct decimal *d)
{
    char copy[48];
    size_t size = 0;
    uint64_t m = d->mantissa;
    int exponent = d->exponent;
    char digits[24];
    size_t count = 0;
    for (; m > 0; m /= 10)
        digits[count++] = (char)('0' + m % 10);
    if (d->negative)
        copy[size++] = '-';
    while (count > 0)
        copy[size++] = digits[--count];
    if (d->more) { /* only that there is more can matter, not what */
        copy[size++] = '1';
        exponent--;
    }
    copy[size++] = 'e';
    if (exponent < 0)
        copy[size++] = '-';
    unsigned e = (unsigned)(exponent < 0 ? -exponent : exponent);
    for (unsigned unit = 10000; unit > 0; unit /= 10)
        copy[size++] = (char)('0' + e / unit % 10);
    copy[size] = '\0';
    return strtod(copy, NULL);
}

double decimal_double(const struct decimal *decimal, struct varve_str text)
{
    const struct decimal d = *decimal;
    double value;
    if (d.mantissa == 0) {
        value = 0;
    } else if (d.exponent == 0 && !d.more && d.mantissa <= UINT64_C(1) << 53) {
        value = (double)d.mantissa;
    } else if (d.exponent >= 0 && d.exponent <= DIGITS && !d.more) {
        value = round_wide((u128)d.mantissa * powers[d.exponent], false, 0);
    } else if (d.exponent < 0 && d.exponent >= -DIGITS && !d.more) {
        const int lead = __builtin_clzll(d.mantissa);
        const u128 top = (u128)(d.mantissa << lead) << 63;
        const uint64_t power = powers[-d.exponent];
        value = round_wide(top / power, top % power != 0, -63 - lead);
    } else {
        return text.size < SLOW_TEXT ? slow_double(text) : cut_double(&d);
    }
    return d.negative ? -value : value;
}

/* ---- as an integer -------------------------------------------------------- */

bool decimal_scaled(const struct decimal *decimal, int scale, int64_t *out)
{
    int exponent = decimal->exponent + scale;
    u128 value = decimal->mantissa;
    bool rest = decimal->more;
    for (; exponent > 0 && value != 0; exponent--) {
        value *= 10;
        if (value > INT64_MAX)
            return false;
    }
    if (exponent < 0 && value != 0) {
        const uint64_t power = exponent >= -DIGITS ? powers[-exponent] : 0;
        rest = rest || power == 0 || value % power != 0;
        value = power == 0 ? 0 : value / power;
    }
    if (decimal->negative)
        value += rest;
    if (value > INT64_MAX)
        return false;
    *out = decimal->negative ? -(int64_t)value : (int64_t)value;
    return true;
}
