/* SPDX-License-Identifier: Apache-2.0
 *
 * int_format.h -- what the encoder and the decoder of integer blocks agree on.
 *
 *   constant  +----+======+
 *             | 00 | base |
 *             +----+======+
 *
 *   packed    +----+=======+======+========+-------+=======+======+========+===========+=======+
 *             | x1 | start | base | factor | width | count | high | fields | positions | highs |
 *             +----+=======+======+========+-------+=======+======+========+===========+=======+
 *
 *   runs      +----+======+======+========+=========+
 *             | 02 | runs | size | values | lengths |
 *             +----+======+======+========+=========+
 *
 * Every byte of it is explained in docs/format-codecs.md.
 */
#ifndef CODEC_INT_FORMAT_H
#define CODEC_INT_FORMAT_H

#include <stdbool.h>

#include "codec/bits.h"
#include "codec/int_kernels.h"

enum int_shape { INT_CONSTANT = 0, INT_PACKED = 1, INT_RUNS = 2 };

#define INT_DIFFERENCES 0x10 /* the fields are differences; `start` is there */
#define INT_BIT_STRING 0x20  /* the fields are one bit string, not rows of lanes */

/* The head of a packed block. */
struct int_head {
    bool differences, bit_string;
    uint64_t start, base, factor;
    unsigned width;      /* of a field, 0..64 */
    unsigned high_width; /* of an exception's high part; 0 if there are none */
    size_t exceptions;
};

/* The longest head: shape, start, base, factor, width, count, high width. */
#define INT_HEAD_MAX (1 + 10 + 10 + 10 + 1 + 2 + 1)

static inline size_t int_rows(size_t n)
{
    return (n + LANES - 1) / LANES;
}

/* Bytes of the fields when they are rows of lanes. */
static inline size_t int_rows_size(size_t n, unsigned width)
{
    const size_t rows = int_rows(n);
    if (width <= 32)
        return lane_words(rows, width) * ROW_BYTES;
    return (rows + lane_words(rows, width - 32)) * ROW_BYTES;
}

static inline size_t int_fields_size(size_t n, unsigned width, bool bit_string)
{
    return bit_string ? bits_size(n, width) : int_rows_size(n, width);
}

#endif
