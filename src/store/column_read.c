/* SPDX-License-Identifier: Apache-2.0
 *
 * column_read.c -- a view over the bytes of a column.
 *
 * Opening walks the directory once and refuses a column whose blocks do not
 * lie one behind the other, each at least as long as the shortest block there
 * is.  That last rule bounds what a few hostile bytes can claim: 1024 values
 * for every two bytes, and COLUMN_MOST in all.
 *
 * Invariant: after column_open, block_bytes of any block below `blocks` lies
 * within the column.  The writer is column_write.c.
 */
#include "base/err.h"
#include "store/column.h"

#include <string.h>

enum { SHORTEST_BLOCK = 2 };

static enum varve_status
corrupt(const struct column *column, uint32_t block, const char *what, struct varve_err *err)
{
    return fail(err, VARVE_CORRUPT, column->place, "block %u of %u in a column of %u values: %s",
                block, column->blocks, column->count, what);
}

static uint32_t block_end(const struct column *column, uint32_t block)
{
    if (block + 1 < column->blocks)
        return load32(column->directory + (size_t)block * 4);
    return (uint32_t)(column->bytes + column->size - column->data);
}

static struct reader block_bytes(const struct column *column, uint32_t block)
{
    uint32_t start = block ? block_end(column, block - 1) : 0;
    return reader_over(column->data + start, block_end(column, block) - start);
}

static enum varve_status check_directory(const struct column *column, struct varve_err *err)
{
    uint32_t start = 0;
    for (uint32_t b = 0; b < column->blocks; b++) {
        uint32_t end = block_end(column, b);
        if (end < start || end - start < SHORTEST_BLOCK)
            return corrupt(column, b, "the directory is out of order", err);
        start = end;
    }
    return VARVE_OK;
}

enum varve_status column_open(struct column *column, const uint8_t *bytes, size_t size,
                              uint8_t type, const char *place, struct varve_err *err)
{
    struct reader r = reader_over(bytes, size);
    uint64_t head = read_varint(&r), count = head >> 3;
    if (r.bad || count > COLUMN_MOST || size > UINT32_MAX)
        return fail(err, VARVE_CORRUPT, place, "the head of a column is damaged");
    if ((head >> 1 & 3) != type)
        return fail(err, VARVE_CORRUPT, place, "a column of type %u, expected %u",
                    (unsigned)(head >> 1 & 3), type);
    uint32_t blocks = (uint32_t)((count + BLOCK_VALUES - 1) / BLOCK_VALUES);
    size_t directory = blocks > 1 ? (size_t)(blocks - 1) * 4 : 0;
    *column = (struct column){.place = place,
                              .bytes = bytes,
                              .size = size,
                              .count = (uint32_t)count,
                              .blocks = blocks,
                              .type = type,
                              .stats = head & 1,
                              .directory = r.at};
    if (reader_left(&r) < directory)
        return corrupt(column, 0, "the directory is cut off", err);
    column->data = r.at + directory;
    if (blocks == 0 && reader_left(&r) > 0)
        return corrupt(column, 0, "bytes but no values", err);
    return check_directory(column, err);
}

uint32_t column_block_size(const struct column *column, uint32_t block)
{
    uint32_t rest = column->count - block * BLOCK_VALUES;
    return rest < BLOCK_VALUES ? rest : BLOCK_VALUES;
}

static i128 read_wide_varint(struct reader *r)
{
    __extension__ typedef unsigned __int128 u128;
    u128 v = 0;
    for (unsigned shift = 0; shift < 128; shift += 7) {
        uint8_t b = read8(r);
        v |= (u128)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return (i128)(v >> 1) ^ -(i128)(v & 1);
    }
    r->bad = true;
    return 0;
}

static double read_double(struct reader *r)
{
    uint64_t bits = read64(r);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void read_stats(struct reader *r, uint8_t type, struct block_stats *stats)
{
    *stats = (struct block_stats){0};
    if (type == COLUMN_INTS) {
        stats->min = unzigzag(read_varint(r));
        stats->max = (int64_t)((uint64_t)stats->min + read_varint(r));
        stats->sum = read_wide_varint(r);
    } else {
        stats->fmin = read_double(r);
        stats->fmax = read_double(r);
        stats->fsum_high = read_double(r);
        stats->fsum_low = read_double(r);
        stats->fexact = read8(r) != 0;
    }
}

enum varve_status
column_block_stats(const struct column *column, uint32_t block, struct block_stats *stats)
{
    if (!column->stats || block >= column->blocks)
        return VARVE_NOTFOUND;
    struct reader r = block_bytes(column, block);
    read_stats(&r, column->type, stats);
    return r.bad ? VARVE_CORRUPT : VARVE_OK;
}

/* The bytes of a block behind its statistics. */
static enum varve_status
block_values(const struct column *column, uint32_t block, struct reader *r, struct varve_err *err)
{
    if (block >= column->blocks)
        return corrupt(column, block, "there is no such block", err);
    *r = block_bytes(column, block);
    struct block_stats stats;
    if (column->stats)
        read_stats(r, column->type, &stats);
    return r->bad ? corrupt(column, block, "its statistics are damaged", err) : VARVE_OK;
}

enum varve_status
column_ints(const struct column *column, uint32_t block, int64_t *values, struct varve_err *err)
{
    struct reader r;
    TRY(block_values(column, block, &r, err));
    size_t n = column_block_size(column, block);
    if (int_block_decode(values, n, r.at, reader_left(&r)) != VARVE_OK)
        return corrupt(column, block, "its integers cannot be decoded", err);
    return VARVE_OK;
}

enum varve_status
column_floats(const struct column *column, uint32_t block, double *values, struct varve_err *err)
{
    struct reader r;
    TRY(block_values(column, block, &r, err));
    size_t n = column_block_size(column, block);
    if (float_block_decode(values, n, r.at, reader_left(&r)) != VARVE_OK)
        return corrupt(column, block, "its doubles cannot be decoded", err);
    return VARVE_OK;
}

static enum varve_status
check_range(const struct column *column, uint32_t from, uint32_t count, struct varve_err *err)
{
    if (from > column->count || count > column->count - from)
        return fail(err, VARVE_CORRUPT, column->place,
                    "values %u and the %u after it asked of a column of %u", from, count,
                    column->count);
    return VARVE_OK;
}

enum varve_status column_int_range(const struct column *column, uint32_t from, uint32_t count,
                                   int64_t *values, struct varve_err *err)
{
    TRY(check_range(column, from, count, err));
    int64_t block[BLOCK_VALUES];
    while (count > 0) {
        uint32_t b = from / BLOCK_VALUES, skip = from % BLOCK_VALUES;
        uint32_t n = column_block_size(column, b) - skip;
        n = n < count ? n : count;
        int whole = n == BLOCK_VALUES;
        TRY(column_ints(column, b, whole ? values : block, err));
        if (!whole)
            memcpy(values, block + skip, n * sizeof *values);
        values += n;
        from += n;
        count -= n;
    }
    return VARVE_OK;
}

enum varve_status column_float_range(const struct column *column, uint32_t from, uint32_t count,
                                     double *values, struct varve_err *err)
{
    TRY(check_range(column, from, count, err));
    double block[BLOCK_VALUES];
    while (count > 0) {
        uint32_t b = from / BLOCK_VALUES, skip = from % BLOCK_VALUES;
        uint32_t n = column_block_size(column, b) - skip;
        n = n < count ? n : count;
        int whole = n == BLOCK_VALUES;
        TRY(column_floats(column, b, whole ? values : block, err));
        if (!whole)
            memcpy(values, block + skip, n * sizeof *values);
        values += n;
        from += n;
        count -= n;
    }
    return VARVE_OK;
}

/* One part of a block of texts; answers in *used how many texts it had. */
static enum varve_status text_part(struct text_codec *codec, struct reader *r, size_t n,
                                   struct arena *arena, struct varve_str *texts, size_t *used)
{
    uint64_t count = read_varint(r);
    uint64_t size = count < n ? read_varint(r) : reader_left(r);
    if (r->bad || count == 0 || count > n || size > reader_left(r))
        return VARVE_CORRUPT;
    const uint8_t *bytes = read_bytes(r, (size_t)size);
    size_t heap_size;
    TRY(text_block_heap(bytes, (size_t)size, (size_t)count, &heap_size));
    char *heap = arena_alloc(arena, heap_size);
    if (!heap)
        return VARVE_NOMEM;
    *used = (size_t)count;
    return text_block_decode(codec, texts, (size_t)count, heap, heap_size, bytes, (size_t)size);
}

enum varve_status
column_texts(const struct column *column, struct text_codec *codec, uint32_t block,
             struct arena *arena, struct varve_str *texts, struct varve_err *err)
{
    struct reader r;
    TRY(block_values(column, block, &r, err));
    for (size_t n = column_block_size(column, block), used; n > 0; n -= used, texts += used) {
        enum varve_status status = text_part(codec, &r, n, arena, texts, &used);
        if (status == VARVE_NOMEM)
            return fail(err, VARVE_NOMEM, column->place, "no memory for texts");
        if (status != VARVE_OK)
            return corrupt(column, block, "its texts cannot be decoded", err);
    }
    if (reader_left(&r) > 0)
        return corrupt(column, block, "bytes behind its last text", err);
    return VARVE_OK;
}

enum varve_status
column_all_texts(const struct column *column, struct text_codec *codec, struct arena *arena,
                 struct varve_str **texts, struct varve_err *err)
{
    size_t size = mem_array(column->count, sizeof **texts);
    struct varve_str *all = arena_alloc(arena, size);
    if (!all)
        return fail_nomem(err, size);
    for (uint32_t b = 0; b < column->blocks; b++)
        TRY(column_texts(column, codec, b, arena, all + (size_t)b * BLOCK_VALUES, err));
    *texts = all;
    return VARVE_OK;
}

enum varve_status
column_sums(const struct column *column, uint32_t block, int64_t *sums, const uint16_t *ends,
            size_t ranges, size_t first, struct varve_err *err)
{
    struct reader r;
    TRY(block_values(column, block, &r, err));
    size_t n = column_block_size(column, block);
    if (int_block_sums(sums, ends, ranges, first, n, r.at, reader_left(&r)) != VARVE_OK)
        return corrupt(column, block, "its integers cannot be added up", err);
    return VARVE_OK;
}
