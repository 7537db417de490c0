/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_number.c -- exact sums, and what becomes of them.
 *
 * Integers are added in 128 bits and doubles in an accumulator that rounds nothing, so a sum does
 * not depend on order or grouping (L2).  It is rounded once, at the end: here.
 */
#include <math.h>

#include "exec/measure_private.h"

#define NANOS INT64_C(1000000000)

double number_ratio(i128 a, i128 b)
{
    u128 n = a < 0 ? -(u128)a : (u128)a, d = (u128)b, quotient = n / d, rest = n % d;
    int exponent = 0;
    /* 55 bits: those of a double, the one that rounds it, and one that says whether more follow */
    while (rest && quotient < (u128)1 << 54) {
        rest <<= 1;
        quotient <<= 1;
        exponent--;
        if (rest >= d) {
            rest -= d;
            quotient |= 1;
        }
    }
    double result = ldexp((double)(quotient | (rest != 0)), exponent);
    return a < 0 ? -result : result;
}

static double to_double(i128 ints, int scale)
{
    return scale ? number_ratio(ints, NANOS) : (double)ints;
}

/* An integer as doubles that are exact. */
static void add_int(struct fsum *to, i128 ints)
{
    u128 n = ints < 0 ? -(u128)ints : (u128)ints;
    for (int shift = 0; n; shift += 32, n >>= 32) {
        double part = ldexp((double)(uint32_t)n, shift);
        fsum_add(to, ints < 0 ? -part : part);
    }
}

static double float_sum(i128 ints, const struct fsum *floats, int scale)
{
    struct fsum all = *floats;
    if (scale)
        fsum_add(&all, to_double(ints, scale));
    else
        add_int(&all, ints);
    return fsum_result(&all);
}

struct value number_sum(i128 ints, const struct fsum *floats, int scale)
{
    if (floats)
        return value_float(float_sum(ints, floats, scale));
    if (ints != (int64_t)ints)
        return value_float(to_double(ints, scale));
    return value_int(scale ? TYPE_NANO : TYPE_INT, (int64_t)ints);
}

struct value number_mean(i128 ints, const struct fsum *floats, int scale, uint64_t count)
{
    if (count == 0)
        return value_null();
    if (floats)
        return value_float(float_sum(ints, floats, scale) / (double)count);
    return value_float(number_ratio(ints, (i128)count * (scale ? NANOS : 1)));
}

struct value number_rate(i128 ints, const struct fsum *floats, int scale, int64_t nanos)
{
    i128 per_nano;
    if (nanos <= 0)
        return value_null();
    if (floats)
        return value_float(float_sum(ints, floats, scale) / ((double)nanos / 1e9));
    if (scale)
        return value_float(number_ratio(ints, nanos));
    if (__builtin_mul_overflow(ints, (i128)NANOS, &per_nano))
        return value_float((double)ints / ((double)nanos / 1e9));
    return value_float(number_ratio(per_nano, nanos));
}
