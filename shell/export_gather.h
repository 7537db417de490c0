/* SPDX-License-Identifier: Apache-2.0
 *
 * export_gather.h -- the rows of a metric, brought together by series.
 *
 * A scan gives a series in pieces, a day at a time.  Who needs a series as a whole
 * gathers it here, in as many passes over the metric as keep the memory of
 * one pass in bounds: a pass takes the series of one part of the hashes.  A series is
 * always whole in one pass, so a single one that is larger than a pass's share is the
 * limit of the promise.
 */
#ifndef SHELL_EXPORT_GATHER_H
#define SHELL_EXPORT_GATHER_H

#include <stdbool.h>
#include "varve.h"

#define GATHER_BYTES ((uint64_t)64 << 20) /* of one pass, more or less */

struct gathered_row {
    int64_t start, end;
    int64_t value;    /* or the bits of a double */
    uint32_t next;    /* row of the same series; within gather_rows: order of arrival */
    uint8_t form;     /* enum varve_form */
    uint8_t is_float; /* value is the bits of a double */
};

struct gathered_series {
    uint64_t hash;
    uint32_t tag;          /* of the scan it came by */
    const uint32_t *texts; /* one a key: index into gather.texts, 0 where it lacks the label */
    uint32_t first, last, rows;
};

struct gather_segment; /* what the dictionaries of the segment at hand are in here */

struct gather {
    const struct varve_str *keys; /* label keys, ascending */
    size_t key_count;
    size_t le;      /* the key that parts and orders leave out at first; key_count: none */
    unsigned forms; /* 1 << enum varve_form: which rows are taken */
    uint32_t part, parts;

    struct varve_str *texts; /* texts[0] is empty */
    uint64_t *text_hashes;
    struct gathered_series *series; /* after gather_sort: by labels */
    struct gathered_row *rows;
    struct gathered_row *scratch;
    size_t text_count, text_room, series_count, series_room, row_count, row_room, scratch_room;
    uint32_t *text_table, *series_table; /* open addressing, index + 1; sizes are powers of two */
    size_t text_slots, series_slots;
    struct gather_chunk *chunks; /* memory of texts and of series' text numbers */
    struct gather_segment *segment;
};

/* keys must outlive it. */
void gather_init(struct gather *gather, const struct varve_str *keys, size_t key_count,
                 unsigned forms);
void gather_free(struct gather *gather);
/* How many passes keep each within GATHER_BYTES. */
uint32_t gather_parts(const struct gather *gather, uint64_t rows, uint64_t series);
/* Forgets what there is; what follows is of that part. */
void gather_begin(struct gather *gather, uint32_t part, uint32_t parts);
/* Adds the rows of a metric in the range. */
enum varve_status
gather_scan(struct gather *gather, varve_snapshot *snapshot, const struct varve_query *range,
            struct varve_str metric, uint32_t tag, struct varve_err *err) VARVE_CHECKED;
/* Orders the series: by their labels, `le` left out; then by tag; then by `le` as a number. */
void gather_sort(struct gather *gather);
/* Whether two series differ in tag and `le` at most. */
bool gather_akin(const struct gather *gather, const struct gathered_series *a,
                 const struct gathered_series *b);
/* The rows of a series, sorted by start (if asked for), end and arrival; until the next call.
 * NULL: no memory. */
struct gathered_row *
gather_rows(struct gather *gather, const struct gathered_series *series, bool by_start);
static inline struct varve_str
gather_label(const struct gather *gather, const struct gathered_series *series, size_t key)
{
    return gather->texts[series->texts[key]];
}

#endif
