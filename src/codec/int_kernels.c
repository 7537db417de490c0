/* SPDX-License-Identifier: Apache-2.0
 *
 * int_kernels.c -- the loops over whole rows, written so that compilers vectorise them.
 *
 * Value i lies in lane i % 32, row i / 32.  A lane is a string of 32-bit words
 * in which row r takes bits r * width and up; word k of all 32 lanes stand side
 * by side.  So one step does the same shift for 32 neighbours, and unpacking a
 * row needs no shuffles.  Full blocks have one function per width, in which
 * all shifts are constants and each word is loaded once; other blocks go
 * row by row with shifts computed on the way, which takes twice as long.
 *
 * The inner loops run over a fixed number of lanes and their pointers are
 * `restrict`: that is what gcc needs at -O2.
 *
 * This file is compiled twice: int_kernels_avx2.c includes it under another
 * name for the table at the end, the only thing it exports.
 */
#include "codec/int_kernels.h"

#include <string.h>

#include "codec/bits.h"

#ifndef KERNELS
#define KERNELS int_kernels_scalar
#define KERNELS_NAME "scalar"
#endif

/* A reduction over a loop so short that compilers would rather unroll it, after which they no
 * longer see that it vectorises: that costs a factor of two. */
#if defined(__clang__)
#define AS_VECTORS _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__)
#define AS_VECTORS _Pragma("GCC unroll 1")
#else
#define AS_VECTORS
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* load32 and store32 as compilers recognise them inside loops. */
INLINE uint32_t get_word(const uint8_t *p)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
#else
    return load32(p);
#endif
}

INLINE void put_word(uint8_t *p, uint32_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(p, &v, sizeof v);
#else
    store32(p, v);
#endif
}

/* ---- unpacking -------------------------------------------------------- */

INLINE uint32_t field(const uint8_t *lane, unsigned width, unsigned row)
{
    const unsigned word = row * width / 32;
    const unsigned shift = row * width % 32;
    uint32_t v = get_word(lane + word * ROW_BYTES) >> shift;
    if (shift + width > 32)
        v |= get_word(lane + (word + 1) * ROW_BYTES) << (32 - shift);
    return v & (uint32_t)bit_mask(width);
}

INLINE void unpack_full(uint32_t *restrict out, const uint8_t *restrict in, const unsigned width)
{
/* clang-format off */
#define ROW(r) out[(r) * LANES + lane] = field(in + 4 * lane, width, r);
#define ROWS8(r) ROW(r) ROW(r + 1) ROW(r + 2) ROW(r + 3) ROW(r + 4) ROW(r + 5) ROW(r + 6) ROW(r + 7)
    for (size_t lane = 0; lane < LANES; lane++) {
        ROWS8(0) ROWS8(8) ROWS8(16) ROWS8(24)
    }
/* clang-format on */
#undef ROWS8
#undef ROW
}

/* clang-format off */
#define WIDTHS(X)                                              \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)                    \
    X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)             \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24)            \
    X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)

#define X(w)                                                                        \
    static void unpack_full_##w(uint32_t *restrict out, const uint8_t *restrict in) \
    {                                                                               \
        unpack_full(out, in, w);                                                    \
    }
WIDTHS(X)
#undef X

typedef void unpack_function(uint32_t *restrict out, const uint8_t *restrict in);

static unpack_function *const unpack_full_of[] = {
    NULL,
#define X(w) unpack_full_##w,
    WIDTHS(X)
#undef X
};
/* clang-format on */

static void
unpack_row(uint32_t *restrict out, const uint8_t *restrict in, unsigned width, size_t row)
{
    const size_t word = row * width / 32;
    const unsigned shift = (unsigned)(row * width % 32);
    const uint32_t mask = (uint32_t)bit_mask(width);
    const uint8_t *restrict low = in + word * ROW_BYTES;
    const uint8_t *restrict high = low + ROW_BYTES;
    if (shift + width <= 32)
        for (size_t lane = 0; lane < LANES; lane++)
            out[lane] = (get_word(low + 4 * lane) >> shift) & mask;
    else
        for (size_t lane = 0; lane < LANES; lane++)
            out[lane] =
                (get_word(low + 4 * lane) >> shift | get_word(high + 4 * lane) << (32 - shift)) &
                mask;
}

static void unpack(uint32_t *out, const uint8_t *in, unsigned width, size_t rows)
{
    if (width == 0)
        memset(out, 0, rows * LANES * sizeof *out);
    else if (rows == LANE_ROWS)
        unpack_full_of[width](out, in);
    else
        for (size_t row = 0; row < rows; row++)
            unpack_row(out + row * LANES, in, width, row);
}

/* ---- packing ---------------------------------------------------------- */

static void
pack_row(uint32_t *restrict words, const uint32_t *restrict in, unsigned width, size_t row)
{
    const unsigned shift = (unsigned)(row * width % 32);
    const uint32_t mask = (uint32_t)bit_mask(width);
    uint32_t *restrict low = words + row * width / 32 * LANES;
    uint32_t *restrict high = low + LANES;
    for (size_t lane = 0; lane < LANES; lane++)
        low[lane] |= (in[lane] & mask) << shift;
    if (shift + width > 32)
        for (size_t lane = 0; lane < LANES; lane++)
            high[lane] |= (in[lane] & mask) >> (32 - shift);
}

static void pack(uint8_t *out, const uint32_t *in, unsigned width, size_t rows)
{
    uint32_t words[LANE_ROWS * LANES];
    const size_t count = lane_words(rows, width) * LANES;
    memset(words, 0, count * sizeof *words);
    for (size_t row = 0; width > 0 && row < rows; row++)
        pack_row(words, in + row * LANES, width, row);
    for (size_t i = 0; i < count; i++)
        put_word(out + 4 * i, words[i]);
}

/* ---- values ----------------------------------------------------------- */

INLINE void widen_row(int64_t *restrict out, const uint32_t *restrict in, uint64_t base)
{
    for (size_t lane = 0; lane < LANES; lane++)
        out[lane] = (int64_t)(base + in[lane]);
}

/* The factor comes as an array because gcc sees a 32 x 32 bit product, for which there is an
 * instruction, only in two loaded operands. */
INLINE void scale_row(int64_t *restrict out, const uint32_t *restrict in, uint64_t base,
                      const uint32_t *restrict factors)
{
    for (size_t lane = 0; lane < LANES; lane++)
        out[lane] = (int64_t)(base + (uint64_t)in[lane] * factors[lane]);
}

INLINE void
scale_row_far(int64_t *restrict out, const uint32_t *restrict in, uint64_t base, uint64_t factor)
{
    for (size_t lane = 0; lane < LANES; lane++)
        out[lane] = (int64_t)(base + in[lane] * factor);
}

static void widen(int64_t *out, const uint32_t *in, size_t rows, uint64_t base, uint64_t factor)
{
    const size_t n = rows * LANES;
    uint32_t factors[LANES];
    if (factor == 1) {
        for (size_t i = 0; i < n; i += LANES)
            widen_row(out + i, in + i, base);
    } else if (factor <= UINT32_MAX) {
        for (size_t lane = 0; lane < LANES; lane++)
            factors[lane] = (uint32_t)factor;
        for (size_t i = 0; i < n; i += LANES)
            scale_row(out + i, in + i, base, factors);
    } else {
        for (size_t i = 0; i < n; i += LANES)
            scale_row_far(out + i, in + i, base, factor);
    }
}

INLINE void join_row(int64_t *restrict out, const uint32_t *restrict low,
                     const uint32_t *restrict high, uint64_t base, uint64_t factor)
{
    for (size_t lane = 0; lane < LANES; lane++)
        out[lane] = (int64_t)(base + ((uint64_t)high[lane] << 32 | low[lane]) * factor);
}

static void join(int64_t *out, const uint32_t *low, const uint32_t *high, size_t rows,
                 uint64_t base, uint64_t factor)
{
    for (size_t i = 0; i < rows * LANES; i += LANES)
        join_row(out + i, low + i, high + i, base, factor);
}

static void prefix(int64_t *values, size_t n, uint64_t start)
{
    for (size_t i = 0; i < n; i++) {
        start += (uint64_t)values[i];
        values[i] = (int64_t)start;
    }
}

/* ---- sums ------------------------------------------------------------- */

/* 32 values are added whatever the length of a range, those beyond its end as zeros: a loop of
 * the range's own length would cost a mispredicted branch per range, which is more than the
 * additions do.  The masks for a range of n values start at keep[32 - n]. */
#define Z8 0, 0, 0, 0, 0, 0, 0, 0
#define F8 ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u
static const uint32_t keep[2 * LANES] = {F8, F8, F8, F8, Z8, Z8, Z8, Z8};
#undef F8
#undef Z8

/* 2^5 values below 2^27 do not overflow 32 bits. */
#define NARROW 27

INLINE uint64_t sum_narrow(const uint32_t *restrict u, const uint32_t *restrict mask)
{
    uint32_t sum = 0;
    AS_VECTORS
    for (size_t i = 0; i < 8; i++)
        sum += (u[i] & mask[i]) + (u[i + 8] & mask[i + 8]) + (u[i + 16] & mask[i + 16]) +
               (u[i + 24] & mask[i + 24]);
    return sum;
}

INLINE uint64_t sum_wide(const uint32_t *restrict u, const uint32_t *restrict mask)
{
    uint64_t sum = 0;
    AS_VECTORS
    for (size_t i = 0; i < 8; i++) {
        const uint64_t a = u[i] & mask[i], b = u[i + 8] & mask[i + 8];
        const uint64_t c = u[i + 16] & mask[i + 16], d = u[i + 24] & mask[i + 24];
        sum += (a + b) + (c + d);
    }
    return sum;
}

/* Below this length plain additions are faster. */
#define SHORT_RANGE 5

INLINE void sum_with(uint64_t (*sum32)(const uint32_t *, const uint32_t *), int64_t *restrict sums,
                     const uint16_t *restrict ends, size_t ranges, size_t at,
                     const uint32_t *restrict u, uint64_t base, uint64_t factor)
{
    for (size_t r = 0; r < ranges; r++) {
        const size_t end = ends[r];
        const uint64_t count = end - at;
        uint64_t sum = 0;
        if (count < SHORT_RANGE) {
            for (; at < end; at++)
                sum += u[at];
        } else {
            for (; end - at > LANES; at += LANES)
                sum += sum32(u + at, keep);
            sum += sum32(u + at, keep + LANES - (end - at));
        }
        sums[r] = (int64_t)((uint64_t)sums[r] + factor * sum + base * count);
        at = end;
    }
}

static void sum_ranges(int64_t *sums, const uint16_t *ends, size_t ranges, size_t first,
                       const uint32_t *u, unsigned width, uint64_t base, uint64_t factor)
{
    if (width <= NARROW)
        sum_with(sum_narrow, sums, ends, ranges, first, u, base, factor);
    else
        sum_with(sum_wide, sums, ends, ranges, first, u, base, factor);
}

static void
sum_values(int64_t *sums, const uint16_t *ends, size_t ranges, size_t first, const int64_t *values)
{
    for (size_t r = 0; r < ranges; r++) {
        uint64_t sum = (uint64_t)sums[r];
        for (; first < ends[r]; first++)
            sum += (uint64_t)values[first];
        sums[r] = (int64_t)sum;
    }
}

/* ---- looking at values before they are encoded ------------------------ */

INLINE void extent_row(int64_t *restrict low, int64_t *restrict high, const int64_t *restrict row)
{
    for (size_t lane = 0; lane < LANES; lane++) {
        low[lane] = row[lane] < low[lane] ? row[lane] : low[lane];
        high[lane] = row[lane] > high[lane] ? row[lane] : high[lane];
    }
}

static void extent(const int64_t *values, size_t n, int64_t *min, int64_t *max)
{
    int64_t low[LANES], high[LANES];
    size_t i = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        low[lane] = high[lane] = values[0];
    for (; i + LANES <= n; i += LANES)
        extent_row(low, high, values + i);
    for (size_t lane = 0; i < n; i++, lane++) {
        low[lane] = values[i] < low[lane] ? values[i] : low[lane];
        high[lane] = values[i] > high[lane] ? values[i] : high[lane];
    }
    *min = low[0];
    *max = high[0];
    for (size_t lane = 1; lane < LANES; lane++) {
        *min = low[lane] < *min ? low[lane] : *min;
        *max = high[lane] > *max ? high[lane] : *max;
    }
}

static size_t changes(const int64_t *values, size_t n)
{
    uint64_t count = 0;
    size_t i = 1;
    for (; i + LANES <= n; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            count += values[i + lane] != values[i + lane - 1];
    for (; i < n; i++)
        count += values[i] != values[i - 1];
    return (size_t)count;
}

extern const struct int_kernels KERNELS;
const struct int_kernels KERNELS = {
    KERNELS_NAME, unpack, pack, widen, join, prefix, sum_ranges, sum_values, extent, changes,
};
