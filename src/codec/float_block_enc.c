/* SPDX-License-Identifier: Apache-2.0
 *
 * float_block_enc.c -- float blocks from doubles: as decimals, XORed or raw.
 *
 * A sample says which power of ten turns the values into small integers that
 * come back bit for bit; it costs little to be wrong, as each value is checked
 * when it is converted and kept as it is if it does not come back.  The XOR
 * coding is measured before it is written.  The smallest of the three is kept.
 *
 *   XOR code   0                                     the same value
 *              1 0 <bits>                            the difference, where the last one lay
 *              1 1 <trailing:6> <width-1:6> <bits>   the difference, somewhere else
 */
#include <assert.h>

#include "codec/float_block.h"
#include "codec/float_format.h"

#define SAMPLES 32

size_t float_block_bound(size_t n)
{
    return 16 + 10 * n + int_block_bound(n);
}

/* ---- decimals --------------------------------------------------------- */

/* Below this, doubles and the sum of one and a half are exact enough to round by. */
#define INTEGER_LIMIT 0x1p52

/* The integer that gives v when divided by power, bit for bit; false if there is none. */
static inline bool to_integer(int64_t *integer, double v, double power)
{
    const double scaled = v * power;
    if (!(scaled > -INTEGER_LIMIT && scaled < INTEGER_LIMIT))
        return false;
    *integer = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    const double back = (double)*integer / power;
    return bits_of_double(back) == bits_of_double(v);
}

struct decimal {
    unsigned power;
    int64_t filler; /* one of the integers, to stand where an exception is */
};

/* Bits that the sample would take with a power; *misses of them do not come back. */
static size_t
sample_cost(struct decimal *d, unsigned power, const double *values, size_t n, size_t *misses)
{
    const size_t count = n < SAMPLES ? n : SAMPLES;
    int64_t min = INT64_MAX, max = INT64_MIN, integer = 0;
    *d = (struct decimal){power, 0};
    *misses = 0;
    for (size_t i = 0; i < count; i++) {
        if (!to_integer(&integer, values[i * n / count], float_power_of_ten[power])) {
            ++*misses;
            continue;
        }
        d->filler = integer;
        min = integer < min ? integer : min;
        max = integer > max ? integer : max;
    }
    if (*misses == count)
        return SIZE_MAX;
    return 80 * *misses + (count - *misses) * bit_length((uint64_t)max - (uint64_t)min);
}

/* The cheapest power; larger ones than the first that brings all back only make integers longer. */
static bool choose_power(struct decimal *best, const double *values, size_t n)
{
    size_t least = SIZE_MAX, misses = 1;
    for (unsigned power = 0; power <= FLOAT_MAX_POWER && misses > 0; power++) {
        struct decimal d;
        const size_t cost = sample_cost(&d, power, values, n, &misses);
        if (cost < least) {
            least = cost;
            *best = d;
        }
    }
    return least < SIZE_MAX;
}

/* Answers the size, or SIZE_MAX if too few values are decimals. */
static size_t encode_decimal(uint8_t *dst, const double *values, size_t n)
{
    int64_t integers[BLOCK_VALUES];
    uint16_t positions[BLOCK_VALUES];
    size_t exceptions = 0;
    struct decimal d;
    if (!choose_power(&d, values, n))
        return SIZE_MAX;
    const double power = float_power_of_ten[d.power];
    for (size_t i = 0; i < n; i++)
        if (!to_integer(&integers[i], values[i], power)) {
            integers[i] = d.filler;
            positions[exceptions++] = (uint16_t)i;
        }
    if (exceptions > n / 4)
        return SIZE_MAX;
    uint8_t *p = dst;
    *p++ = FLOAT_DECIMAL;
    *p++ = (uint8_t)d.power;
    p += varint_put(p, exceptions);
    for (size_t i = 0; i < exceptions; i++, p += 2)
        store16(p, positions[i]);
    for (size_t i = 0; i < exceptions; i++, p += 8)
        store64(p, bits_of_double(values[positions[i]]));
    p += int_block_encode(p, integers, n);
    return (size_t)(p - dst);
}

/* ---- XOR -------------------------------------------------------------- */

struct xor_state {
    uint64_t last;
    unsigned trailing, width; /* where the last difference lay */
};

struct xor_code {
    unsigned control, control_width; /* with trailing and width, if they are new */
    uint64_t bits;
    unsigned width;
};

#define NEW_WINDOW 14 /* control bits of the third code */

static inline struct xor_code xor_next(struct xor_state *s, uint64_t value)
{
    const uint64_t x = value ^ s->last;
    s->last = value;
    if (x == 0)
        return (struct xor_code){0, 1, 0, 0};
    const unsigned trailing = (unsigned)__builtin_ctzll(x);
    const unsigned width = bit_length(x) - trailing;
    const bool fits = trailing >= s->trailing && trailing + width <= s->trailing + s->width;
    if (fits && s->width < width + NEW_WINDOW - 2)
        return (struct xor_code){1, 2, x >> s->trailing, s->width};
    s->trailing = trailing;
    s->width = width;
    return (struct xor_code){3 | trailing << 2 | (width - 1) << 8, NEW_WINDOW, x >> trailing,
                             width};
}

static size_t xor_size(const double *values, size_t n)
{
    struct xor_state s = {.last = bits_of_double(values[0])};
    size_t bits = 64;
    for (size_t i = 1; i < n; i++) {
        const struct xor_code c = xor_next(&s, bits_of_double(values[i]));
        bits += c.control_width + c.width;
    }
    return 1 + (bits + 7) / 8;
}

static size_t encode_xor(uint8_t *dst, const double *values, size_t n)
{
    struct xor_state s = {.last = bits_of_double(values[0])};
    struct bit_writer w = bit_writer_over(dst + 1);
    dst[0] = FLOAT_XOR;
    bits_put(&w, s.last, 64);
    for (size_t i = 1; i < n; i++) {
        const struct xor_code c = xor_next(&s, bits_of_double(values[i]));
        bits_put(&w, c.control, c.control_width);
        bits_put(&w, c.bits, c.width);
    }
    return (size_t)(bits_finish(&w) - dst);
}

/* ---- all of it -------------------------------------------------------- */

static size_t encode_raw(uint8_t *dst, const double *values, size_t n)
{
    dst[0] = FLOAT_RAW;
    for (size_t i = 0; i < n; i++)
        store64(dst + 1 + 8 * i, bits_of_double(values[i]));
    return 1 + 8 * n;
}

size_t float_block_encode(uint8_t *dst, const double *values, size_t n)
{
    assert(n > 0 && n <= BLOCK_VALUES);
    const size_t raw = 1 + 8 * n;
    const size_t xored = xor_size(values, n);
    const size_t decimal = encode_decimal(dst, values, n);
    if (decimal <= xored && decimal <= raw)
        return decimal;
    return xored < raw ? encode_xor(dst, values, n) : encode_raw(dst, values, n);
}
