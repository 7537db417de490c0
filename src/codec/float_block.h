/* SPDX-License-Identifier: Apache-2.0
 *
 * float_block.h -- up to 1024 doubles, bit for bit.
 *
 * Decimals (2.174) become an integer block of v * 10^e with those that do not
 * come back bit for bit kept as exceptions (the idea of ALP); where that does
 * not pay, each value is XORed with its predecessor and the zeros around the
 * difference are left out (Gorilla); where that does not pay either, raw.
 * NaN payloads, -0.0 and subnormals survive.
 *
 *   byte 0   shape: 0 raw, 1 decimal, 2 XOR
 *   ...      see docs/format-codecs.md
 *
 * Both directions expect the processor to round to nearest, as it does unless
 * told otherwise.  Nothing here allocates; 48 KB of stack are enough.
 */
#ifndef CODEC_FLOAT_BLOCK_H
#define CODEC_FLOAT_BLOCK_H

#include "codec/int_block.h"

/* The most bytes that n (1..1024) values take. */
size_t float_block_bound(size_t n);

/* Encodes n (1..1024) values; answers the bytes written.  dst has float_block_bound(n). */
size_t float_block_encode(uint8_t *dst, const double *values, size_t n);

/* Decodes exactly n values from `size` bytes, which must all be used.  values has room for n.
 * VARVE_CORRUPT is the only failure, after which values holds anything. */
enum varve_status
float_block_decode(double *values, size_t n, const uint8_t *src, size_t size) VARVE_CHECKED;

#endif
