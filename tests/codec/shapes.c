/* SPDX-License-Identifier: Apache-2.0
 *
 * shapes.c -- makers of test blocks.
 *
 * Each makes one property: regular, narrow, long-tailed, extreme, in steps,
 * with outliers, in runs.  Numbers wrap around where they must.
 */
#include "shapes.h"

uint64_t number_of_bits(struct prng *prng, unsigned bits)
{
    if (bits == 0)
        return 0;
    return (prng_next(prng) | UINT64_C(1) << 63) >> (64 - bits);
}

static int64_t any(struct prng *prng)
{
    return (int64_t)prng_next(prng);
}

static void constant(int64_t *values, size_t n, struct prng *prng)
{
    const int64_t value = (int64_t)number_of_bits(prng, (unsigned)prng_below(prng, 65));
    for (size_t i = 0; i < n; i++)
        values[i] = value;
}

static void ramp(int64_t *values, size_t n, struct prng *prng)
{
    const uint64_t step = (uint64_t)any(prng) >> prng_below(prng, 64);
    uint64_t at = (uint64_t)any(prng);
    for (size_t i = 0; i < n; i++, at += step)
        values[i] = (int64_t)at;
}

static void jitter(int64_t *values, size_t n, struct prng *prng)
{
    uint64_t at = UINT64_C(1790000000000) + prng_below(prng, 1u << 30);
    for (size_t i = 0; i < n; i++, at += 60000 - 128 + prng_below(prng, 256))
        values[i] = (int64_t)(at * 1000000);
}

/* Times of sessions of 20 rows: each starts anew somewhere. */
static void sessions(int64_t *values, size_t n, struct prng *prng)
{
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++, at += 60000 - 50 + prng_below(prng, 100)) {
        if (i % 20 == 0)
            at = UINT64_C(1790000000000) + prng_below(prng, 86400000);
        values[i] = (int64_t)at;
    }
}

static void narrow(int64_t *values, size_t n, struct prng *prng)
{
    const uint64_t base = (uint64_t)any(prng);
    const unsigned bits = (unsigned)prng_below(prng, 65);
    for (size_t i = 0; i < n; i++)
        values[i] = (int64_t)(base + (number_of_bits(prng, 64) >> (64 - bits) % 64));
}

static void heavy_tail(int64_t *values, size_t n, struct prng *prng)
{
    const unsigned least = (unsigned)prng_below(prng, 20);
    for (size_t i = 0; i < n; i++) {
        unsigned bits = least;
        while (bits < 63 && prng_below(prng, 3) == 0)
            bits++;
        values[i] = (int64_t)number_of_bits(prng, bits);
    }
}

static void extremes(int64_t *values, size_t n, struct prng *prng)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT64_MIN + 1, INT64_MAX - 1};
    for (size_t i = 0; i < n; i++)
        values[i] = prng_below(prng, 4) ? ends[prng_below(prng, 7)] : any(prng);
}

static void two_values(int64_t *values, size_t n, struct prng *prng)
{
    const int64_t pair[2] = {any(prng), any(prng)};
    for (size_t i = 0; i < n; i++)
        values[i] = pair[prng_below(prng, 2)];
}

static void multiples(int64_t *values, size_t n, struct prng *prng)
{
    const uint64_t factor = 1 + prng_below(prng, UINT64_C(1) << prng_below(prng, 40));
    const uint64_t base = (uint64_t)any(prng);
    const unsigned bits = (unsigned)prng_below(prng, 24);
    for (size_t i = 0; i < n; i++)
        values[i] = (int64_t)(base + factor * (prng_next(prng) & ((UINT64_C(1) << bits) - 1)));
}

static void with_outliers(int64_t *values, size_t n, struct prng *prng, unsigned sides)
{
    const uint64_t base = UINT64_C(1) << 50;
    const uint64_t factor = prng_below(prng, 2) ? 1 : 4096;
    for (size_t i = 0; i < n; i++) {
        uint64_t offset = prng_below(prng, 1000);
        if (prng_below(prng, 64) == 0) {
            const uint64_t far = number_of_bits(prng, 11 + (unsigned)prng_below(prng, 30));
            const uint64_t up = sides == 3 ? prng_below(prng, 2) : sides == 1;
            offset = up ? offset + far : offset - far;
        }
        values[i] = (int64_t)(base + factor * offset);
    }
}

static void high_outliers(int64_t *values, size_t n, struct prng *prng)
{
    with_outliers(values, n, prng, 1);
}

static void low_outliers(int64_t *values, size_t n, struct prng *prng)
{
    with_outliers(values, n, prng, 2);
}

static void outliers(int64_t *values, size_t n, struct prng *prng)
{
    with_outliers(values, n, prng, 3);
}

/* Far outliers of a crowd in the middle of all there is: distances over 2^63. */
static void far_outliers(int64_t *values, size_t n, struct prng *prng)
{
    for (size_t i = 0; i < n; i++)
        values[i] =
            prng_below(prng, 32) ? 8 * (int64_t)prng_below(prng, 1000) : 8 * (any(prng) / 8);
}

static void runs(int64_t *values, size_t n, struct prng *prng)
{
    const uint64_t longest = 1 + prng_below(prng, 200);
    const unsigned bits = (unsigned)prng_below(prng, 65);
    int64_t value = 0;
    for (size_t i = 0, left = 0; i < n; i++, left--) {
        if (left == 0) {
            left = 1 + prng_below(prng, longest);
            value = (int64_t)number_of_bits(prng, bits);
        }
        values[i] = value;
    }
}

static void sparse(int64_t *values, size_t n, struct prng *prng)
{
    const uint64_t one_in = 1 + prng_below(prng, 100);
    for (size_t i = 0; i < n; i++)
        values[i] = prng_below(prng, one_in) ? 0 : (int64_t)prng_below(prng, 100000);
}

const struct shape shapes[] = {
    {"constant", constant},
    {"ramp", ramp},
    {"jitter", jitter},
    {"sessions", sessions},
    {"narrow", narrow},
    {"heavy_tail", heavy_tail},
    {"extremes", extremes},
    {"two_values", two_values},
    {"multiples", multiples},
    {"high_outliers", high_outliers},
    {"low_outliers", low_outliers},
    {"outliers", outliers},
    {"far_outliers", far_outliers},
    {"runs", runs},
    {"sparse", sparse},
};
const size_t shape_count = sizeof shapes / sizeof *shapes;
