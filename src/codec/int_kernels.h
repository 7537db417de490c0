/* SPDX-License-Identifier: Apache-2.0
 *
 * int_kernels.h -- the loops over whole rows that the integer blocks consist of.
 *
 * There are two builds of the same source: the scalar one, which is what the
 * compiler makes of plain C, and one for AVX2.  The former is the oracle of
 * the latter.  All sums wrap around at 64 bits.
 */
#ifndef CODEC_INT_KERNELS_H
#define CODEC_INT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define LANES 32
#define LANE_ROWS 32          /* rows of a full block */
#define ROW_BYTES (LANES * 4) /* one word of each lane */

/* Values from the end of the last row on that sum_ranges reads (and ignores). */
#define SUM_SLACK LANES

struct int_kernels {
    const char *name;

    /* rows x LANES fields of `width` (0..32) bits from or to lane_words(rows, width) x ROW_BYTES
     * bytes. */
    void (*unpack)(uint32_t *out, const uint8_t *in, unsigned width, size_t rows);
    void (*pack)(uint8_t *out, const uint32_t *in, unsigned width, size_t rows);

    /* out = base + factor * in; join takes in = high * 2^32 + low. */
    void (*widen)(int64_t *out, const uint32_t *in, size_t rows, uint64_t base, uint64_t factor);
    void (*join)(int64_t *out, const uint32_t *low, const uint32_t *high, size_t rows,
                 uint64_t base, uint64_t factor);

    /* Each value becomes the sum of start and of the values up to it. */
    void (*prefix)(int64_t *values, size_t n, uint64_t start);

    /* sums[r] += base * count + factor * sum, over u[ends[r-1]..ends[r]), each u below 2^width
     * (0..32). u has SUM_SLACK readable values after the last range. */
    void (*sum_ranges)(int64_t *sums, const uint16_t *ends, size_t ranges, size_t first,
                       const uint32_t *u, unsigned width, uint64_t base, uint64_t factor);
    void (*sum_values)(int64_t *sums, const uint16_t *ends, size_t ranges, size_t first,
                       const int64_t *values);

    /* n >= 1. */
    void (*extent)(const int64_t *values, size_t n, int64_t *min, int64_t *max);
    /* How often a value differs from the one before. */
    size_t (*changes)(const int64_t *values, size_t n);
};

extern const struct int_kernels int_kernels_scalar;
/* NULL where the compiler or the machine it compiles for has no AVX2. */
extern const struct int_kernels *const int_kernels_avx2;

/* The kernels in use; see int_block_kernel(). */
const struct int_kernels *int_kernels(void);

/* Words of one lane that holds `rows` fields. */
static inline size_t lane_words(size_t rows, unsigned width)
{
    return (rows * width + 31) / 32;
}

#endif
