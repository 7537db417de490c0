/* SPDX-License-Identifier: Apache-2.0
 *
 * int_block.h -- up to 1024 int64 values as few bytes.
 *
 * The idea: v = base + factor * u with u mostly small (frame of reference;
 * factor is the greatest common divisor of all v - base, so times in whole
 * milliseconds and costs in whole price steps lose their zeros).  u is packed
 * with `width` bits; of the few that do not fit, the rest goes into a list of
 * exceptions (patched).  Where it pays the values are first replaced by their
 * differences, or by (value, length) runs.
 *
 * Packing is interleaved: value i lies in lane i mod 32, row i / 32; a lane is
 * a bit string of 32-bit words, and word k of all lanes stand side by side.
 * The loops over lanes are plain C that vectorises; the same loops are built
 * once more for AVX2 and chosen at run time.  Widths over 32 pack low and high
 * halves apart.  Blocks so short that whole rows would waste more than an
 * eighth use one bit string instead.
 *
 *   byte 0   shape: 0 constant, 1 packed, 2 runs;  bit 4: differences;  bit 5: one bit string
 *   ...      base, factor, width, exceptions -- see docs/format-codecs.md
 *
 * Invariant: equal input gives equal bytes, whichever kernels run.  The
 * decoder reads any bytes without stepping out of bounds and answers
 * VARVE_CORRUPT for what no encoder wrote, or values for what one might have:
 * it is a checksum's business to tell those apart.  Little-endian on all hosts.
 *
 * Nothing here allocates; 40 KB of stack are enough.
 */
#ifndef CODEC_INT_BLOCK_H
#define CODEC_INT_BLOCK_H

#include "base/err.h"

#define BLOCK_VALUES 1024

/* The most bytes that n (1..1024) values take. */
size_t int_block_bound(size_t n);

/* Encodes n (1..1024) values; answers the bytes written.  dst has int_block_bound(n). */
size_t int_block_encode(uint8_t *dst, const int64_t *values, size_t n);

/* Decodes exactly n values from `size` bytes, which must all be used.  values has room for
 * BLOCK_VALUES whatever n is: kernels write whole rows.  On failure values holds anything. */
enum varve_status
int_block_decode(int64_t *values, size_t n, const uint8_t *src, size_t size) VARVE_CHECKED;

/* Adds up stretches of a block without making the values: sums[r] += values
 * [ends[r-1], ends[r]), with ends[-1] = first.  Wraps around at 64 bits; the
 * caller knows that true sums fit.  This is the grouped-sum kernel: blocks that
 * are neither differences nor runs are never widened to 64 bits.
 * VARVE_CORRUPT too if first and ends do not ascend (equal is fine: an empty
 * range) or pass n.  On failure sums holds anything. */
enum varve_status int_block_sums(int64_t *sums, const uint16_t *ends, size_t ranges, size_t first,
                                 size_t n, const uint8_t *src, size_t size) VARVE_CHECKED;

/* Which kernels run: "avx2" or "scalar".  int_block_use_scalar(1) forces the oracle (tests, bench),
 * int_block_use_scalar(0) goes back to the best.  Any thread may call either. */
const char *int_block_kernel(void);
void int_block_use_scalar(int yes);

#endif
