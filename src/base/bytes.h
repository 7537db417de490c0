/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes.h -- little-endian numbers in memory, whatever the host's order and
 * alignment, and a reader that cannot run past its end.
 *
 * A reader that was asked for more than there is turns `bad` and answers zeros
 * from then on: parse first, look at `bad` once at the end.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t load32(const void *p)
{
    const uint8_t *b = p;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t load64(const void *p)
{
    const uint8_t *b = p;
    return load32(b) | (uint64_t)load32(b + 4) << 32;
}

static inline void store16(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
}

static inline void store32(void *p, uint32_t v)
{
    uint8_t *b = p;
    store16(b, (uint16_t)v);
    store16(b + 2, (uint16_t)(v >> 16));
}

static inline void store64(void *p, uint64_t v)
{
    uint8_t *b = p;
    store32(b, (uint32_t)v);
    store32(b + 4, (uint32_t)(v >> 32));
}

/* Big-endian, for LMDB keys: bytes sort as the numbers do. */
static inline void store64be(void *p, uint64_t v)
{
    uint8_t *b = p;
    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)(v >> (56 - 8 * i));
}

static inline uint64_t load64be(const void *p)
{
    const uint8_t *b = p;
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | b[i];
    return v;
}

/* Signed numbers as unsigned ones, small magnitudes first. */
static inline uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* LEB128.  Writes 1 to 10 bytes, answers how many. */
static inline size_t varint_put(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    while (v >= 0x80) {
        p[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    p[n++] = (uint8_t)v;
    return n;
}

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static inline struct reader reader_over(const void *bytes, size_t size)
{
    return (struct reader){bytes, (const uint8_t *)bytes + size, false};
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* The next n bytes, or NULL (and bad). */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
    if (r->bad || reader_left(r) < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static inline uint8_t read8(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 1);
    return p ? *p : 0;
}

static inline uint16_t read16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? load16(p) : 0;
}

static inline uint32_t read32(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 4);
    return p ? load32(p) : 0;
}

static inline uint64_t read64(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 8);
    return p ? load64(p) : 0;
}

/* A varint that is too long or does not fit 64 bits is bad. */
static inline uint64_t read_varint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = read8(r);
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return r->bad ? 0 : v;
    }
    r->bad = true;
    return 0;
}

#endif
