/* SPDX-License-Identifier: Apache-2.0
 *
 * bits.h -- bit strings: fields of 0 to 64 bits in a row, lowest bit first.
 *
 * Bit i of a string is bit i % 8 of its byte i / 8; a field's lowest bit comes
 * first.  The unused bits of the last byte are zero, so equal input gives
 * equal bytes.  The reader cannot run past its end: it turns `bad` and answers
 * zeros, as struct reader does.
 */
#ifndef CODEC_BITS_H
#define CODEC_BITS_H

#include "base/bytes.h"

/* How many bits v takes: 0 for 0, 64 for values from 2^63 on. */
static inline unsigned bit_length(uint64_t v)
{
    return 64 - (unsigned)__builtin_clzll(v | 1) - (v == 0);
}

/* A number of `width` (0..64) ones. */
static inline uint64_t bit_mask(unsigned width)
{
    return width ? ~UINT64_C(0) >> (64 - width) : 0;
}

static inline size_t bits_size(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}

struct bit_writer {
    uint8_t *at;
    uint64_t held; /* the bits not yet stored */
    unsigned count;
};

static inline struct bit_writer bit_writer_over(void *dst)
{
    return (struct bit_writer){dst, 0, 0};
}

/* v must be below 2^width. */
static inline void bits_put(struct bit_writer *w, uint64_t v, unsigned width)
{
    w->held |= width ? v << w->count : 0;
    if (w->count + width < 64) {
        w->count += width;
        return;
    }
    store64(w->at, w->held);
    w->at += 8;
    w->held = w->count ? v >> (64 - w->count) : 0;
    w->count = w->count + width - 64;
}

/* Stores what is held; answers the end of the string. */
static inline uint8_t *bits_finish(struct bit_writer *w)
{
    for (; w->count > 0; w->count = w->count > 8 ? w->count - 8 : 0) {
        *w->at++ = (uint8_t)w->held;
        w->held >>= 8;
    }
    return w->at;
}

struct bit_reader {
    const uint8_t *bytes;
    size_t at, end; /* in bits */
    bool bad;
};

static inline struct bit_reader bit_reader_over(const void *bytes, size_t size)
{
    return (struct bit_reader){bytes, 0, size * 8, false};
}

static inline uint64_t bits_get(struct bit_reader *r, unsigned width)
{
    if (r->end - r->at < width) {
        r->at = r->end;
        r->bad = true;
        return 0;
    }
    const uint8_t *p = r->bytes + r->at / 8;
    const unsigned skip = (unsigned)(r->at % 8);
    const size_t left = r->end / 8 - r->at / 8;
    uint64_t v = 0;
    if (left >= 8)
        v = load64(p);
    else
        for (size_t i = 0; i < left; i++)
            v |= (uint64_t)p[i] << (8 * i);
    v >>= skip;
    if (skip + width > 64)
        v |= (uint64_t)p[8] << (64 - skip);
    r->at += width;
    return v & bit_mask(width);
}

#endif
