/* SPDX-License-Identifier: Apache-2.0
 *
 * float_format.h -- what the encoder and the decoder of float blocks agree on.
 *
 *   raw       +----+========+
 *             | 00 | values |
 *             +----+========+
 *
 *   decimal   +----+---+=======+===========+========+==========+
 *             | 01 | e | count | positions | values | integers |
 *             +----+---+=======+===========+========+==========+
 *
 *   XOR       +----+------------+
 *             | 02 | bit string |
 *             +----+------------+
 *
 * Every byte of it is explained in docs/format-codecs.md.
 */
#ifndef CODEC_FLOAT_FORMAT_H
#define CODEC_FLOAT_FORMAT_H

#include "codec/bits.h"

enum float_shape { FLOAT_RAW = 0, FLOAT_DECIMAL = 1, FLOAT_XOR = 2 };

/* The largest power of ten of a decimal block: 15 digits always survive a double. */
#define FLOAT_MAX_POWER 15

static const double float_power_of_ten[FLOAT_MAX_POWER + 1] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
};

static inline uint64_t bits_of_double(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static inline double double_of_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

#endif
