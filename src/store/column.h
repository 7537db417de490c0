/* SPDX-License-Identifier: Apache-2.0
 *
 * column.h -- a column: any number of values in blocks of 1024, with a
 * directory that finds a block without reading the others.
 *
 *   count, type, stats (varint)
 *   the end of each block but the last, counted from the first one (4 bytes each)
 *   block: [ its min, max and sum ] its values
 *
 * A column of one block thus costs one to three bytes beyond the block.  All of
 * it is drawn in docs/format-segments.md.
 *
 * Writers append to a struct buf.  A struct column is a view over bytes that
 * it does not own; opening one checks that every block lies inside, so
 * decoding later needs no bounds beyond the block's own.
 */
#ifndef STORE_COLUMN_H
#define STORE_COLUMN_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/float_block.h"
#include "codec/int_block.h"
#include "codec/text_block.h"

__extension__ typedef __int128 i128;

enum column_type { COLUMN_INTS = 0, COLUMN_FLOATS = 1, COLUMN_TEXTS = 2 };

/* The most values a column may claim to hold: a claim costs memory before it can be disproved. */
#define COLUMN_MOST (UINT32_C(1) << 26)

struct column {
    const char *place; /* for messages; owned by whoever opened it */
    const uint8_t *bytes;
    size_t size;
    uint32_t count;  /* values */
    uint32_t blocks; /* (count + 1023) / 1024 */
    uint8_t type;    /* enum column_type */
    uint8_t stats;   /* 1: min, max and sum of each block are kept (ints and floats) */
    const uint8_t *directory, *data;
};

struct block_stats {
    int64_t min, max; /* ints */
    i128 sum;
    double fmin, fmax;          /* floats: of those that are numbers; NaN when there are none */
    double fsum_high, fsum_low; /* the sum is high + low exactly when fexact */
    int fexact;
};

/* Writers.  stats: whether to keep block statistics.  VARVE_LIMIT beyond COLUMN_MOST values. */
enum varve_status column_put_ints(struct buf *out, const int64_t *values, size_t count, int stats,
                                  struct varve_err *err) VARVE_CHECKED;
enum varve_status column_put_floats(struct buf *out, const double *values, size_t count, int stats,
                                    struct varve_err *err) VARVE_CHECKED;
/* VARVE_LIMIT: one text is longer than TEXT_BLOCK_MAX. */
enum varve_status
column_put_texts(struct buf *out, struct text_codec *codec, const struct varve_str *texts,
                 size_t count, struct varve_err *err) VARVE_CHECKED;

/* Readers.  place names the column in errors; like the bytes, it must outlive the view. */
enum varve_status column_open(struct column *column, const uint8_t *bytes, size_t size,
                              uint8_t type, const char *place, struct varve_err *err) VARVE_CHECKED;
uint32_t column_block_size(const struct column *column, uint32_t block); /* values in it */
/* values has room for BLOCK_VALUES. */
enum varve_status column_ints(const struct column *column, uint32_t block, int64_t *values,
                              struct varve_err *err) VARVE_CHECKED;
enum varve_status column_floats(const struct column *column, uint32_t block, double *values,
                                struct varve_err *err) VARVE_CHECKED;
/* All values [from, from + count) into values, which needs exactly count entries.  VARVE_CORRUPT
 * when the column ends before: ranges come from other columns of the same segment. */
enum varve_status column_int_range(const struct column *column, uint32_t from, uint32_t count,
                                   int64_t *values, struct varve_err *err) VARVE_CHECKED;
enum varve_status column_float_range(const struct column *column, uint32_t from, uint32_t count,
                                     double *values, struct varve_err *err) VARVE_CHECKED;
/* Texts of one block; their bytes are put into the arena.  texts has room for BLOCK_VALUES. */
enum varve_status
column_texts(const struct column *column, struct text_codec *codec, uint32_t block,
             struct arena *arena, struct varve_str *texts, struct varve_err *err) VARVE_CHECKED;
/* All texts, array and bytes in the arena. */
enum varve_status
column_all_texts(const struct column *column, struct text_codec *codec, struct arena *arena,
                 struct varve_str **texts, struct varve_err *err) VARVE_CHECKED;
/* VARVE_NOTFOUND without stats, VARVE_CORRUPT when they are damaged. */
enum varve_status column_block_stats(const struct column *column, uint32_t block,
                                     struct block_stats *stats) VARVE_CHECKED;
/* int_block_sums over a block: sums[r] += values [ends[r-1], ends[r]), the first from `first`. */
enum varve_status
column_sums(const struct column *column, uint32_t block, int64_t *sums, const uint16_t *ends,
            size_t ranges, size_t first, struct varve_err *err) VARVE_CHECKED;

#endif
