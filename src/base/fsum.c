/* SPDX-License-Identifier: Apache-2.0
 *
 * fsum.c -- the exact sum of doubles, in fixed point.
 *
 * Every finite double is a whole number of 2^-1074.  The accumulator holds the
 * sum in that unit, 32 bits a limb, lowest first.  Adding touches three limbs
 * and propagates nothing: a limb has 31 bits of head room, and `pending` counts
 * how many additions have used it up.  Spreading the carries brings all limbs but
 * the last into 0 .. 2^32-1; the last keeps the sign (two's complement at large).
 *
 * Invariant: |limb| < (pending + 1) * 2^32, so nothing overflows while pending
 * stays at or below 2 * PENDING_MOST.
 *
 * Rounding looks at the magnitude of the spread number: the bits from the
 * highest one down to the precision of a double there, then half-to-even by
 * the next bit and whether anything is left below it.
 */
#include "base/fsum.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define PENDING_MOST (UINT32_C(1) << 29)
#define LIMB_MASK INT64_C(0xffffffff)
#define FINITE_BITS 2098 /* 2^1024 in units of 2^-1074 */

void fsum_clear(struct fsum *sum)
{
    memset(sum, 0, sizeof *sum);
}

static void spread(struct fsum *sum)
{
    int64_t carry = 0;
    for (int i = 0; i < FSUM_LIMBS - 1; i++) {
        int64_t limb = sum->limbs[i] + carry;
        sum->limbs[i] = limb & LIMB_MASK;
        carry = limb >> 32;
    }
    sum->limbs[FSUM_LIMBS - 1] += carry;
    sum->pending = 0;
}

static void count_special(struct fsum *sum, double v)
{
    if (v != v)
        sum->nans++;
    else if (v > 0)
        sum->plus_infs++;
    else
        sum->minus_infs++;
}

void fsum_add(struct fsum *sum, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    unsigned exponent = (unsigned)(bits >> 52) & 0x7ff;
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    if (exponent == 0x7ff) {
        count_special(sum, v);
        return;
    }
    if (exponent != 0) {
        mantissa |= UINT64_C(1) << 52;
        exponent--;
    }
    unsigned shift = exponent % 32;
    uint64_t low = (mantissa & 0xffffffff) << shift;
    uint64_t high = (mantissa >> 32) << shift;
    int64_t sign = (bits >> 63) ? -1 : 1;
    int64_t *limb = sum->limbs + exponent / 32;
    limb[0] += sign * (int64_t)(low & 0xffffffff);
    limb[1] += sign * (int64_t)((low >> 32) + (high & 0xffffffff));
    limb[2] += sign * (int64_t)(high >> 32);
    if ((sum->pending += 2) >= PENDING_MOST)
        spread(sum);
}

void fsum_merge(struct fsum *sum, const struct fsum *other)
{
    for (int i = 0; i < FSUM_LIMBS; i++)
        sum->limbs[i] += other->limbs[i];
    sum->nans += other->nans;
    sum->plus_infs += other->plus_infs;
    sum->minus_infs += other->minus_infs;
    sum->pending += other->pending + 1;
    if (sum->pending >= PENDING_MOST)
        spread(sum);
}

/* The magnitude of a finite sum with carries spread; answers whether it is negative. */
static bool magnitude(struct fsum *sum)
{
    spread(sum);
    bool negative = sum->limbs[FSUM_LIMBS - 1] < 0;
    if (negative) {
        for (int i = 0; i < FSUM_LIMBS; i++)
            sum->limbs[i] = -sum->limbs[i];
        spread(sum);
    }
    return negative;
}

/* Bits at .. at + 63 of a magnitude; those below 0 are zero. */
static uint64_t bits_at(const struct fsum *sum, int at)
{
    uint64_t bits = 0;
    for (int i = 0; i < 3; i++) {
        int limb = (at < 0 ? -1 : at / 32) + i;
        int offset = limb * 32 - at;
        uint64_t digit = limb < 0 || limb >= FSUM_LIMBS ? 0 : (uint64_t)sum->limbs[limb];
        if (offset < 0)
            bits |= digit >> -offset;
        else if (offset < 64)
            bits |= digit << offset;
    }
    return bits;
}

static bool any_below(const struct fsum *sum, int at)
{
    for (int i = 0; i < at / 32; i++)
        if (sum->limbs[i])
            return true;
    return at % 32 && (sum->limbs[at / 32] & ((INT64_C(1) << at % 32) - 1));
}

static int top_bit(const struct fsum *sum)
{
    int i = FSUM_LIMBS - 1;
    while (i >= 0 && sum->limbs[i] == 0)
        i--;
    return i < 0 ? -1 : i * 32 + 63 - __builtin_clzll((uint64_t)sum->limbs[i]);
}

/* A mantissa that starts at bit `lowest` has the exponent field lowest + 1; its own top bit adds
 * the 1.  So one addition makes subnormals too, and infinity when rounding carries too far. */
static double rounded(const struct fsum *sum, bool negative)
{
    int top = top_bit(sum);
    if (top < 0)
        return 0.0;
    if (top >= FINITE_BITS)
        return negative ? -HUGE_VAL : HUGE_VAL;
    int lowest = top > 52 ? top - 52 : 0;
    uint64_t mantissa = bits_at(sum, lowest) & ((UINT64_C(1) << 53) - 1);
    if (lowest > 0 && bits_at(sum, lowest - 1) & 1 && (mantissa & 1 || any_below(sum, lowest - 1)))
        mantissa++;
    uint64_t bits = ((uint64_t)lowest << 52) + mantissa;
    double v;
    memcpy(&v, &bits, sizeof v);
    return negative ? -v : v;
}

double fsum_result(const struct fsum *sum)
{
    if (sum->nans || (sum->plus_infs && sum->minus_infs))
        return (double)NAN;
    if (sum->plus_infs || sum->minus_infs)
        return sum->plus_infs ? HUGE_VAL : -HUGE_VAL;
    struct fsum copy = *sum;
    bool negative = magnitude(&copy);
    return rounded(&copy, negative);
}

int fsum_split(const struct fsum *sum, double *high, double *low)
{
    *high = fsum_result(sum);
    *low = 0;
    if (sum->nans || sum->plus_infs || sum->minus_infs)
        return 1;
    if (isinf(*high))
        return 0;
    struct fsum rest = *sum;
    fsum_add(&rest, -*high);
    *low = fsum_result(&rest);
    fsum_add(&rest, -*low);
    magnitude(&rest);
    return top_bit(&rest) < 0;
}
