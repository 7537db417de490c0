/* SPDX-License-Identifier: Apache-2.0
 *
 * fsum.h -- sums of doubles that are exact until they are rounded once.
 *
 * A fixed-point accumulator as wide as the range of doubles, in 32-bit digits
 * kept in 64-bit limbs with lazy carries.  The result depends on the values
 * only, not on their order or grouping (law L2).  NaN and infinities are
 * counted beside and decide the result as IEEE 754 addition would.  A sum of
 * nothing, and any sum that is exactly zero, is +0.
 */
#ifndef BASE_FSUM_H
#define BASE_FSUM_H

#include <stdint.h>

#define FSUM_LIMBS 70 /* 2^-1074 .. 2^1023 is 2098 bits = 66 digits, and room for carries */

struct fsum {
    int64_t limbs[FSUM_LIMBS];
    uint32_t pending; /* additions since the carries were last spread */
    uint64_t nans, plus_infs, minus_infs;
};

void fsum_clear(struct fsum *sum);
void fsum_add(struct fsum *sum, double v);
void fsum_merge(struct fsum *sum, const struct fsum *other);
/* The exact sum rounded to nearest even. */
double fsum_result(const struct fsum *sum);
/* The exact sum as *high + *low, high the rounded sum.  Answers 1 if that is all of it, 0 if
 * bits are left over (then *high is still the rounded sum). */
int fsum_split(const struct fsum *sum, double *high, double *low);

#endif
