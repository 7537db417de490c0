/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_build.h -- the stages of building a segment, and what they hand on.
 *
 *   segment_rows.c    rows -> runs of one series each, in order of time
 *   segment_labels.c  label sets -> keys, dictionaries, codes; what determines what
 *   segment_dict.c    the order of the dictionaries
 *   segment_order.c   runs -> the order they are stored in; metrics; timelines
 *   segment_write.c   everything -> columns and sections
 *
 * Local numbers count what occurs in this segment from 0, in order of first appearance; nothing
 * of that order may reach the bytes.  All arrays live in the builder's scratch arena.
 */
#ifndef STORE_SEGMENT_BUILD_H
#define STORE_SEGMENT_BUILD_H

#include "store/segment.h"
#include "store/segment_format.h"

struct item {
    int64_t end, start, value;
    uint32_t class;
};
struct build_run {
    uint32_t series, set, metric; /* local */
    uint32_t first, rows;         /* items */
    uint32_t time;                /* before build_times: a hash of the times */
    uint32_t class;
    int64_t sum; /* of ints */
};
struct build_series {
    uint32_t id;          /* in the rowset */
    uint32_t set, metric; /* local */
};
struct build_metric {
    uint32_t id;
    uint64_t points;
    uint32_t series;
    uint32_t runs[2], rows[2]; /* of ints, of floats */
};
struct build_key {
    uint32_t text; /* interned */
    uint32_t
        kind; /* SEGMENT_CONSTANT, SEGMENT_ROOT, or SEGMENT_DERIVED + the key it follows from */
    uint32_t pairs; /* sets that have it */
    uint32_t *code; /* of each of them, counted from 1; in the order of the sets */
    uint32_t *set;  /* which they are; NULL: all there are */
    uint32_t values;
    uint32_t *value; /* interned, in the order of their codes; code 1 is value[0] */
    uint32_t *dense; /* code per set, or NULL; may be `code` */
    uint32_t *map;   /* derived: code per code of the root; NULL: the same code */
};
/* Runs of the same times share one. */
struct build_time {
    uint32_t run;  /* the first that has it */
    uint32_t next; /* of the same hash */
    uint32_t rows, class;
    int64_t first, last; /* ends */
    int64_t start;       /* of the first row */
};

struct build {
    struct segment_builder *builder;
    struct arena *arena;
    const struct rowset *rowset;
    struct item *items;
    struct build_series *series;
    uint32_t *sets; /* their numbers in the rowset */
    struct build_metric *metrics;
    struct build_key *keys; /* fewest values first */
    struct build_run *runs;
    uint32_t *order; /* of the runs */
    struct build_time *times;
    size_t item_count; /* what is left of the rows once they are merged is in the runs */
    uint32_t rows, series_count, set_count, metric_count, key_count, run_count, time_count;
    int64_t first, last;
};

/* An array in the arena, NULL when there is no memory. */
void *build_array(struct build *build, size_t count, size_t size, struct varve_err *err);

/* The local number of `id`, or the one it gets now: *next, which is counted up. */
enum varve_status marks_begin(struct segment_marks *marks, struct mem *mem, size_t ids,
                              struct varve_err *err) VARVE_CHECKED;
static inline uint32_t marks_local(struct segment_marks *marks, uint32_t id, uint32_t *next)
{
    uint64_t *slot = &marks->slots[id];
    if (*slot >> 32 != marks->epoch)
        *slot = (uint64_t)marks->epoch << 32 | (*next)++;
    return (uint32_t)*slot;
}

/* `own`: the rows, to be used up, instead of those that index says. */
enum varve_status build_rows(struct build *build, const uint32_t *index, size_t count,
                             struct row *own, struct varve_err *err) VARVE_CHECKED;
enum varve_status build_labels(struct build *build, struct varve_err *err) VARVE_CHECKED;
enum varve_status build_dictionaries(struct build *build, struct varve_err *err) VARVE_CHECKED;
enum varve_status build_order(struct build *build, struct varve_err *err) VARVE_CHECKED;
enum varve_status build_times(struct build *build, struct varve_err *err) VARVE_CHECKED;

/* Runs are gone through in the order they are stored in, their items lie in the order they came in:
 * those of runs ahead are asked for in time. */
static inline void
build_run_ahead(const struct build *build, const uint32_t *order, size_t at, size_t count)
{
    enum { RUN_AHEAD = 24, ITEMS_AHEAD = 12, LINE = 64, LINES = 5 };
    if (at + RUN_AHEAD < count)
        __builtin_prefetch(&build->runs[order[at + RUN_AHEAD]]);
    if (at + ITEMS_AHEAD >= count)
        return;
    const struct build_run *run = &build->runs[order[at + ITEMS_AHEAD]];
    const char *items = (const char *)&build->items[run->first];
    size_t bytes = run->rows * sizeof *build->items;
    for (size_t i = 0; i < LINES && i * LINE < bytes; i++)
        __builtin_prefetch(items + i * LINE);
}

/* The codes of a key per set; in key->dense if they are there, else filled into `room`. */
const uint32_t *build_dense(const struct build *build, const struct build_key *key, uint32_t *room);

#endif
