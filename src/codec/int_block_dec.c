/* SPDX-License-Identifier: Apache-2.0
 *
 * int_block_dec.c -- integer blocks to values or to sums of values.
 *
 * A block is taken apart in three steps: its head and the places of its parts
 * are read and checked; the kernels unpack whole rows of fields; what is left,
 * the few exceptions, is added to what came out.  After the first step nothing
 * in the bytes can be wrong any more: every field is some number.
 *
 * For sums the fields stay 32 bits wide and unscaled.  With base and factor
 * the same for the whole block, a range's sum is
 *
 *     base * count + factor * (sum of its fields + its exceptions' high parts)
 *
 * so the multiplication is done once a range.  Fields of more than 32 bits are
 * two blocks of halves, of which the high one counts 2^32 times as much.
 */
#include <assert.h>

#include "codec/int_block.h"
#include "codec/int_format.h"

struct packed {
    struct int_head head;
    const uint8_t *fields;
    const uint8_t *positions; /* 2 bytes each, ascending */
    const uint8_t *highs;     /* a bit string */
};

/* ---- reading the head ------------------------------------------------- */

static bool ascending(const uint8_t *positions, size_t count, size_t n)
{
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t at = load16(positions + 2 * i);
        if (at < next || at >= n)
            return false;
        next = at + 1;
    }
    return true;
}

/* Reads all of a packed block from the byte after its shape on. */
static enum varve_status read_packed(struct packed *p, struct reader *r, unsigned flags, size_t n)
{
    struct int_head *h = &p->head;
    h->differences = flags & INT_DIFFERENCES;
    h->bit_string = flags & INT_BIT_STRING;
    h->start = h->differences ? (uint64_t)unzigzag(read_varint(r)) : 0;
    h->base = (uint64_t)unzigzag(read_varint(r));
    h->factor = read_varint(r);
    h->width = read8(r);
    const uint64_t exceptions = read_varint(r);
    h->high_width = exceptions ? read8(r) : 0;
    if (r->bad || h->factor == 0 || h->width > 64 || exceptions > n)
        return VARVE_CORRUPT;
    if (exceptions && (h->high_width == 0 || h->high_width > 64 - h->width))
        return VARVE_CORRUPT;
    h->exceptions = (size_t)exceptions;
    p->fields = read_bytes(r, int_fields_size(n, h->width, h->bit_string));
    p->positions = read_bytes(r, 2 * h->exceptions);
    p->highs = read_bytes(r, bits_size(h->exceptions, h->high_width));
    if (r->bad || reader_left(r) > 0 || !ascending(p->positions, h->exceptions, n))
        return VARVE_CORRUPT;
    return VARVE_OK;
}

/* The high part of the next exception, in its place. */
static uint64_t next_high(struct bit_reader *highs, const struct int_head *h)
{
    return (uint64_t)unzigzag(bits_get(highs, h->high_width)) << h->width;
}

/* ---- values ----------------------------------------------------------- */

/* Fields of a bit string of at most 32 bits each. */
static void unpack_string(uint32_t *out, size_t n, const struct packed *p)
{
    struct bit_reader bits = bit_reader_over(p->fields, bits_size(n, p->head.width));
    for (size_t i = 0; i < n; i++)
        out[i] = (uint32_t)bits_get(&bits, p->head.width);
    memset(out + n, 0, (int_rows(n) * LANES - n) * sizeof *out);
}

static void unpack_long_string(int64_t *out, size_t n, const struct packed *p)
{
    struct bit_reader bits = bit_reader_over(p->fields, bits_size(n, p->head.width));
    for (size_t i = 0; i < n; i++)
        out[i] = (int64_t)(p->head.base + p->head.factor * bits_get(&bits, p->head.width));
}

static void decode_fields(int64_t *values, size_t n, const struct packed *p)
{
    const struct int_kernels *kernels = int_kernels();
    const struct int_head *h = &p->head;
    const size_t rows = int_rows(n);
    uint32_t low[BLOCK_VALUES], high[BLOCK_VALUES];
    if (h->width > 32 && h->bit_string) {
        unpack_long_string(values, n, p);
    } else if (h->width > 32) {
        kernels->unpack(low, p->fields, 32, rows);
        kernels->unpack(high, p->fields + rows * ROW_BYTES, h->width - 32, rows);
        kernels->join(values, low, high, rows, h->base, h->factor);
    } else {
        if (h->bit_string)
            unpack_string(low, n, p);
        else
            kernels->unpack(low, p->fields, h->width, rows);
        kernels->widen(values, low, rows, h->base, h->factor);
    }
}

static void decode_packed(int64_t *values, size_t n, const struct packed *p)
{
    const struct int_head *h = &p->head;
    decode_fields(values, n, p);
    struct bit_reader highs = bit_reader_over(p->highs, bits_size(h->exceptions, h->high_width));
    for (size_t i = 0; i < h->exceptions; i++) {
        int64_t *value = values + load16(p->positions + 2 * i);
        *value = (int64_t)((uint64_t)*value + h->factor * next_high(&highs, h));
    }
    if (h->differences)
        int_kernels()->prefix(values, n, h->start);
}

static void fill(int64_t *values, size_t n, int64_t value)
{
    for (size_t i = 0; i < n; i++)
        values[i] = value;
}

/* All shapes but runs, which are made of these. */
static enum varve_status decode_flat(int64_t *values, size_t n, struct reader *r)
{
    const unsigned shape = read8(r);
    struct packed p;
    if (r->bad)
        return VARVE_CORRUPT;
    if (shape == INT_CONSTANT) {
        fill(values, n, unzigzag(read_varint(r)));
        return r->bad || reader_left(r) > 0 ? VARVE_CORRUPT : VARVE_OK;
    }
    if ((shape & ~(unsigned)(INT_DIFFERENCES | INT_BIT_STRING)) != INT_PACKED)
        return VARVE_CORRUPT;
    TRY(read_packed(&p, r, shape, n));
    decode_packed(values, n, &p);
    return VARVE_OK;
}

/* From the byte after the shape on. */
static enum varve_status decode_runs(int64_t *values, size_t n, struct reader *r)
{
    int64_t run_values[BLOCK_VALUES], lengths[BLOCK_VALUES];
    const uint64_t runs = read_varint(r);
    const uint64_t size = read_varint(r);
    if (r->bad || runs == 0 || runs > n || size > reader_left(r))
        return VARVE_CORRUPT;
    struct reader inner = reader_over(read_bytes(r, (size_t)size), (size_t)size);
    TRY(decode_flat(run_values, (size_t)runs, &inner));
    TRY(decode_flat(lengths, (size_t)runs, r));
    size_t at = 0;
    for (size_t i = 0; i < runs; i++) {
        if (lengths[i] <= 0 || (uint64_t)lengths[i] > n - at)
            return VARVE_CORRUPT;
        fill(values + at, (size_t)lengths[i], run_values[i]);
        at += (size_t)lengths[i];
    }
    return at == n ? VARVE_OK : VARVE_CORRUPT;
}

enum varve_status int_block_decode(int64_t *values, size_t n, const uint8_t *src, size_t size)
{
    struct reader r = reader_over(src, size);
    if (n == 0 || n > BLOCK_VALUES || size == 0)
        return VARVE_CORRUPT;
    if (*src != INT_RUNS)
        return decode_flat(values, n, &r);
    read8(&r);
    return decode_runs(values, n, &r);
}

/* ---- sums ------------------------------------------------------------- */

struct ranges {
    int64_t *sums;
    const uint16_t *ends;
    size_t count, first;
};

static bool ranges_fit(const struct ranges *g, size_t n)
{
    size_t at = g->first;
    unsigned wrong = 0;
    for (size_t r = 0; r < g->count; r++) {
        wrong |= g->ends[r] < at;
        at = g->ends[r];
    }
    return !wrong && at <= n;
}

static void sum_constant(const struct ranges *g, uint64_t value)
{
    size_t at = g->first;
    for (size_t r = 0; r < g->count; r++) {
        g->sums[r] = (int64_t)((uint64_t)g->sums[r] + value * (g->ends[r] - at));
        at = g->ends[r];
    }
}

static void sum_exceptions(const struct ranges *g, const struct packed *p)
{
    const struct int_head *h = &p->head;
    struct bit_reader highs = bit_reader_over(p->highs, bits_size(h->exceptions, h->high_width));
    size_t r = 0;
    for (size_t i = 0; i < h->exceptions; i++) {
        const size_t at = load16(p->positions + 2 * i);
        const uint64_t high = next_high(&highs, h);
        while (r < g->count && g->ends[r] <= at)
            r++;
        if (r < g->count && at >= g->first)
            g->sums[r] = (int64_t)((uint64_t)g->sums[r] + h->factor * high);
    }
}

/* Puts the high parts of the exceptions into the fields themselves, which is much faster than to
 * look for the range of each.  False, with nothing changed, when one is negative or a field could
 * grow over 32 bits. */
static bool complete_fields(uint32_t *u, const struct packed *p)
{
    const struct int_head *h = &p->head;
    uint64_t high[BLOCK_VALUES], all = 0;
    if (h->exceptions == 0)
        return true;
    if (h->width + h->high_width - 1 > 32)
        return false;
    struct bit_reader highs = bit_reader_over(p->highs, bits_size(h->exceptions, h->high_width));
    for (size_t i = 0; i < h->exceptions; i++) {
        high[i] = bits_get(&highs, h->high_width);
        all |= high[i];
    }
    if (all & 1) /* the sign, in zigzag */
        return false;
    for (size_t i = 0; i < h->exceptions; i++)
        u[load16(p->positions + 2 * i)] += (uint32_t)(high[i] >> 1 << h->width);
    return true;
}

/* Of a block that is not differences and, if a bit string, at most 32 bits wide. */
static void sum_packed(const struct ranges *g, size_t n, const struct packed *p)
{
    const struct int_kernels *kernels = int_kernels();
    const struct int_head *h = &p->head;
    const size_t rows = int_rows(n);
    const unsigned low_width = h->width < 32 ? h->width : 32;
    uint32_t u[BLOCK_VALUES + SUM_SLACK];
    memset(u + rows * LANES, 0, SUM_SLACK * sizeof *u);
    if (h->bit_string)
        unpack_string(u, n, p);
    else
        kernels->unpack(u, p->fields, low_width, rows);
    const bool complete = complete_fields(u, p);
    const unsigned width = complete && h->exceptions ? h->width + h->high_width - 1 : low_width;
    kernels->sum_ranges(g->sums, g->ends, g->count, g->first, u, width, h->base, h->factor);
    if (h->width > 32) {
        kernels->unpack(u, p->fields + rows * ROW_BYTES, h->width - 32, rows);
        kernels->sum_ranges(g->sums, g->ends, g->count, g->first, u, h->width - 32, 0,
                            h->factor << 32);
    }
    if (!complete)
        sum_exceptions(g, p);
}

static enum varve_status
sum_decoded(const struct ranges *g, size_t n, const uint8_t *src, size_t size)
{
    int64_t values[BLOCK_VALUES];
    TRY(int_block_decode(values, n, src, size));
    int_kernels()->sum_values(g->sums, g->ends, g->count, g->first, values);
    return VARVE_OK;
}

enum varve_status int_block_sums(int64_t *sums, const uint16_t *ends, size_t ranges, size_t first,
                                 size_t n, const uint8_t *src, size_t size)
{
    const struct ranges g = {sums, ends, ranges, first};
    struct reader r = reader_over(src, size);
    struct packed p;
    if (n == 0 || n > BLOCK_VALUES || !ranges_fit(&g, n))
        return VARVE_CORRUPT;
    const unsigned shape = read8(&r);
    if (shape == INT_CONSTANT && !r.bad) {
        const uint64_t value = (uint64_t)unzigzag(read_varint(&r));
        if (r.bad || reader_left(&r) > 0)
            return VARVE_CORRUPT;
        sum_constant(&g, value);
        return VARVE_OK;
    }
    if ((shape & ~(unsigned)INT_BIT_STRING) != INT_PACKED)
        return sum_decoded(&g, n, src, size);
    TRY(read_packed(&p, &r, shape, n));
    if (p.head.bit_string && p.head.width > 32)
        return sum_decoded(&g, n, src, size);
    sum_packed(&g, n, &p);
    return VARVE_OK;
}
