/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_view.h -- what the files that read segments share.
 *
 *   segment_read.c    opening; keys, codes, dictionaries
 *   segment_runs.c    runs and their sums, value columns
 *   segment_times.c   timelines
 *   segment_load.c    everything back into a rowset
 *   segment_verify.c  does it say what a builder would have said?
 */
#ifndef STORE_SEGMENT_VIEW_H
#define STORE_SEGMENT_VIEW_H

#include "store/segment.h"
#include "store/segment_format.h"

struct segment_key {
    uint32_t kind;       /* as in META */
    uint32_t values;     /* distinct ones, without "not there" */
    uint32_t first_word; /* in WORDS; UINT32_MAX: in a section of its own */
    bool opened;
    struct column codes; /* opened on first use; no values: all zeros */
    uint32_t *map;       /* of a derived key; NULL: its code is that of the key it follows from */
};

/* A column of steps with the block that was decoded last. */
struct segment_steps {
    struct column column; /* no values: all zeros */
    uint32_t count, block;
    int64_t *values;
};
struct segment_times {
    uint8_t *class;
    uint32_t *rows;
    int64_t *first, *last, *first_start;
    uint32_t *step_at, *gap_at; /* where the timeline's rows begin in the columns */
    struct segment_steps step, gap;
    uint32_t at_time, at_row; /* the row that was read last, and its end */
    int64_t at_end;
};

enum varve_status segment_damaged(const struct segment *segment, struct varve_err *err,
                                  const char *format, ...) VARVE_PRINTF(3, 4);
/* An int column of `count` values, or one without values for all zeros. */
enum varve_status
segment_open_ints(struct segment *segment, enum segment_section id, uint32_t index, uint32_t count,
                  struct column *column, struct varve_err *err) VARVE_CHECKED;
/* Values of such a column. */
enum varve_status segment_int_range(const struct column *column, uint32_t from, uint32_t count,
                                    int64_t *values, struct varve_err *err) VARVE_CHECKED;
/* Decodes the tables of the timelines if that was not done yet. */
enum varve_status segment_load_times(struct segment *segment, struct varve_err *err) VARVE_CHECKED;
/* VARVE_NOTFOUND is an answer of segment_ints, but damage to one who knows of values. */
enum varve_status segment_need(struct segment *segment, enum varve_status status,
                               struct varve_err *err) VARVE_CHECKED;
/* An array in an arena. */
enum varve_status segment_array(struct arena *arena, size_t count, size_t size, void *array,
                                struct varve_err *err) VARVE_CHECKED;

#endif
