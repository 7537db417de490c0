/* SPDX-License-Identifier: Apache-2.0
 *
 * column_write.c -- values into blocks, blocks into a column.
 *
 * The number of blocks follows from the number of values, so room for the
 * directory is left before the first block is encoded and filled in as they end.
 * Statistics stand in front of the block they describe and are varints: they
 * cost some ten bytes a block, which a reader saves in not decoding it.
 *
 * A block of texts that are too long for one text block is cut into parts, each
 * with its number of texts, so there is no limit on what 1024 texts weigh.
 *
 * Invariant: equal values give equal bytes.  The reader is column_read.c.
 */
#include "base/err.h"
#include "base/fsum.h"
#include "store/column.h"

#include <math.h>

/* Writes the head and leaves room for the directory; `at` is where that begins. */
static enum varve_status begin(struct buf *out, size_t count, enum column_type type, int stats,
                               size_t *at, struct varve_err *err)
{
    if (count > COLUMN_MOST)
        return fail(err, VARVE_LIMIT, "", "%zu values in a column, at most %u are possible", count,
                    COLUMN_MOST);
    buf_put_varint(out, (uint64_t)count << 3 | (uint64_t)type << 1 | (stats ? 1u : 0u));
    size_t blocks = (count + BLOCK_VALUES - 1) / BLOCK_VALUES;
    size_t directory = blocks > 1 ? (blocks - 1) * 4 : 0;
    *at = out->size;
    if (buf_room(out, directory))
        buf_added(out, directory);
    return buf_status(out, err);
}

/* Notes in the directory where block `block` of a column ended. */
static enum varve_status
end_block(struct buf *out, size_t at, size_t count, size_t block, struct varve_err *err)
{
    TRY(buf_status(out, err));
    size_t blocks = (count + BLOCK_VALUES - 1) / BLOCK_VALUES;
    size_t end = out->size - at - (blocks - 1) * 4;
    if (end > UINT32_MAX)
        return fail(err, VARVE_LIMIT, "", "a column of more than 4 GiB");
    if (block + 1 < blocks)
        store32(out->data + at + block * 4, (uint32_t)end);
    return VARVE_OK;
}

static size_t values_in(size_t count, size_t from)
{
    return count - from < BLOCK_VALUES ? count - from : BLOCK_VALUES;
}

static void put_wide_varint(struct buf *out, i128 v)
{
    __extension__ typedef unsigned __int128 u128;
    u128 rest = (u128)v << 1 ^ (u128)(v >> 127);
    for (; rest >= 0x80; rest >>= 7)
        buf_put8(out, (uint8_t)(rest | 0x80));
    buf_put8(out, (uint8_t)rest);
}

static void put_int_stats(struct buf *out, const int64_t *values, size_t n)
{
    int64_t min = values[0], max = values[0];
    i128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
        sum += values[i];
    }
    buf_put_varint(out, zigzag(min));
    buf_put_varint(out, (uint64_t)max - (uint64_t)min);
    put_wide_varint(out, sum);
}

enum varve_status column_put_ints(struct buf *out, const int64_t *values, size_t count, int stats,
                                  struct varve_err *err)
{
    size_t at = 0;
    TRY(begin(out, count, COLUMN_INTS, stats, &at, err));
    for (size_t from = 0; from < count; from += BLOCK_VALUES) {
        size_t n = values_in(count, from);
        if (stats)
            put_int_stats(out, values + from, n);
        uint8_t *room = buf_room(out, int_block_bound(n));
        if (room)
            buf_added(out, int_block_encode(room, values + from, n));
        TRY(end_block(out, at, count, from / BLOCK_VALUES, err));
    }
    return VARVE_OK;
}

static void put_double(struct buf *out, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    buf_put64(out, bits);
}

static void put_float_stats(struct buf *out, const double *values, size_t n)
{
    struct fsum sum;
    fsum_clear(&sum);
    double min = (double)NAN, max = (double)NAN, high, low;
    for (size_t i = 0; i < n; i++) {
        fsum_add(&sum, values[i]);
        if (!(values[i] >= min))
            min = isnan(values[i]) ? min : values[i];
        if (!(values[i] <= max))
            max = isnan(values[i]) ? max : values[i];
    }
    int exact = fsum_split(&sum, &high, &low);
    put_double(out, min);
    put_double(out, max);
    put_double(out, high);
    put_double(out, low);
    buf_put8(out, (uint8_t)exact);
}

enum varve_status column_put_floats(struct buf *out, const double *values, size_t count, int stats,
                                    struct varve_err *err)
{
    size_t at = 0;
    TRY(begin(out, count, COLUMN_FLOATS, stats, &at, err));
    for (size_t from = 0; from < count; from += BLOCK_VALUES) {
        size_t n = values_in(count, from);
        if (stats)
            put_float_stats(out, values + from, n);
        uint8_t *room = buf_room(out, float_block_bound(n));
        if (room)
            buf_added(out, float_block_encode(room, values + from, n));
        TRY(end_block(out, at, count, from / BLOCK_VALUES, err));
    }
    return VARVE_OK;
}

/* How many of n texts fit into one text block: at least one unless that alone is too long. */
static size_t texts_that_fit(const struct varve_str *texts, size_t n)
{
    size_t bytes = 0, i = 0;
    while (i < n && texts[i].size <= TEXT_BLOCK_MAX - bytes)
        bytes += texts[i++].size;
    return i;
}

/* One part: the number of texts, its size in bytes unless it is the last of the block, the
 * texts. */
static enum varve_status
put_text_part(struct buf *out, struct text_codec *codec, const struct varve_str *texts, size_t n,
              int last, struct varve_err *err)
{
    size_t bound = text_block_bound(texts, n), size = 0;
    buf_put_varint(out, n);
    size_t mark = out->size;
    uint8_t *room = buf_room(out, bound + 5);
    if (!room)
        return buf_status(out, err);
    size_t gap = last ? 0 : 5;
    enum varve_status status = text_block_encode(codec, room + gap, &size, texts, n);
    if (status != VARVE_OK)
        return fail(err, status, "", "texts cannot be compressed: %s", status_text(status));
    buf_added(out, gap + size);
    if (last)
        return VARVE_OK;
    for (size_t i = 0; i < 4; i++)
        out->data[mark + i] = (uint8_t)(size >> 7 * i | 0x80);
    out->data[mark + 4] = (uint8_t)(size >> 28);
    return VARVE_OK;
}

static enum varve_status
put_text_block(struct buf *out, struct text_codec *codec, const struct varve_str *texts, size_t n,
               struct varve_err *err)
{
    while (n > 0) {
        size_t part = texts_that_fit(texts, n);
        if (part == 0)
            return fail(err, VARVE_LIMIT, "", "a text of %zu bytes, at most %u are possible",
                        texts[0].size, TEXT_BLOCK_MAX);
        TRY(put_text_part(out, codec, texts, part, part == n, err));
        texts += part;
        n -= part;
    }
    return VARVE_OK;
}

enum varve_status
column_put_texts(struct buf *out, struct text_codec *codec, const struct varve_str *texts,
                 size_t count, struct varve_err *err)
{
    size_t at = 0;
    TRY(begin(out, count, COLUMN_TEXTS, 0, &at, err));
    for (size_t from = 0; from < count; from += BLOCK_VALUES) {
        TRY(put_text_block(out, codec, texts + from, values_in(count, from), err));
        TRY(end_block(out, at, count, from / BLOCK_VALUES, err));
    }
    return VARVE_OK;
}
