/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_private.h -- what the files of MEASURE share.
 *
 *   measure.c            the operator: what is asked for, by which way, and the rows that come out
 *   measure_input.c      the runs or rows of a metric that pass the filters
 *   measure_series.c     which runs belong to one series
 *   measure_cells.c      sums by unit and bucket
 *   measure_sums.c       the way of what adds up: increase, rate, seen
 *   measure_points.c     the way of what needs the points of a series in order: first, max_of, ...
 *   measure_number.c     exact sums, and what becomes of them
 *   measure_aggregate.c  from the values of the series of a group to one
 *   measure_parts.c      several segments read at once
 *
 * What is added up or collected belongs to a *unit*: a group where increments of all its series
 * add up, else a series, or one value of a label in a group (for count(DISTINCT label)).  Units
 * that are not groups give a value each, which an aggregate makes into one.
 */
#ifndef EXEC_MEASURE_PRIVATE_H
#define EXEC_MEASURE_PRIVATE_H

#include "base/fsum.h"
#include "base/hash.h"
#include "base/regex.h"
#include "exec/buckets.h"
#include "exec/exec.h"
#include "exec/group_key.h"
#include "exec/term.h"
#include "store/scan.h"

__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

/* Times do not leave int64. */
static inline int64_t time_plus(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}
static inline int64_t time_minus(int64_t a, int64_t b)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return b > 0 ? INT64_MIN : INT64_MAX;
    return difference;
}

/* ---- exact sums -------------------------------------------------------------- */

/* a / b as a double, rounded once; b > 0 and below 2^126. */
double number_ratio(i128 a, i128 b);
/* The sum of integers of 10^-scale and of doubles (NULL: none): INT or NANO where it is one that
 * fits, else FLOAT. */
struct value number_sum(i128 ints, const struct fsum *floats, int scale);
/* The same divided by an integer. */
struct value number_mean(i128 ints, const struct fsum *floats, int scale, uint64_t count);
/* The same per second of a stretch of time; NULL for one of no length. */
struct value number_rate(i128 ints, const struct fsum *floats, int scale, int64_t nanos);

/* One value of the values of several series, none of them NULL, which are put in some other order.
 * Texts that are made are in the arena. */
enum varve_status aggregate_values(struct exec *exec, const struct aggregate *aggregate,
                                   struct value *values, size_t count, struct arena *arena,
                                   struct value *result, struct varve_err *err) VARVE_CHECKED;

/* ---- sums by unit and bucket --------------------------------------------------- */

struct sum_cell {
    i128 sum;
    uint64_t points;
    uint32_t floats;       /* number + 1 of its float sum; 0: none */
    uint32_t float_points; /* points and sums that went into it */
};
/* The cells of a unit: from the first of its buckets to the last one. */
struct span {
    size_t at;
    uint32_t first, count, room;
};
struct cells {
    struct mem *mem;
    uint32_t buckets;
    struct sum_cell *cells;
    size_t count, capacity;
    struct span *spans;
    size_t span_count, span_capacity;
    struct fsum *floats;
    size_t float_count, float_capacity;
};

void cells_init(struct cells *cells, struct mem *mem, uint32_t buckets);
void cells_free(struct cells *cells);
/* Makes the cells of a unit reach over the buckets [first, last]. */
enum varve_status cells_reach(struct cells *cells, uint32_t unit, uint32_t first, uint32_t last,
                              struct varve_err *err) VARVE_CHECKED;
/* sign -1 takes the value off again. */
enum varve_status cells_add_float(struct cells *cells, struct sum_cell *cell, double value,
                                  int sign, struct varve_err *err) VARVE_CHECKED;
/* Adds the cells of a unit of another one. */
enum varve_status cells_merge(struct cells *cells, uint32_t unit, const struct cells *from,
                              uint32_t from_unit, struct varve_err *err) VARVE_CHECKED;
/* Cells that hold differences to the bucket before become sums. */
enum varve_status
cells_accumulate(struct cells *cells, uint32_t unit, struct varve_err *err) VARVE_CHECKED;

/* The cell, good until another one is asked for. */
static inline enum varve_status cells_at(struct cells *cells, uint32_t unit, uint32_t bucket,
                                         struct sum_cell **cell, struct varve_err *err)
{
    if (unit >= cells->span_count || bucket - cells->spans[unit].first >= cells->spans[unit].count)
        TRY(cells_reach(cells, unit, bucket, bucket, err));
    const struct span *span = &cells->spans[unit];
    *cell = &cells->cells[span->at + (bucket - span->first)];
    return VARVE_OK;
}
static inline const struct fsum *cell_floats(const struct cells *cells, const struct sum_cell *cell)
{
    return cell->float_points ? &cells->floats[cell->floats - 1] : NULL;
}

/* ---- runs and rows that pass the filters ------------------------------------------ */

/* A label that is read, under the name that the plan knows. */
struct input_label {
    uint32_t column; /* of the scan */
    const struct lookup *lookup;
    uint32_t field;
    /* of the segment at hand, if it is looked up: */
    struct varve_dictionary dictionary;
    struct varve_str *texts;
    size_t capacity;
    uint32_t codes[BATCH_ROWS];
};
/* A filter that the scan cannot decide. */
struct input_filter {
    const struct label_filter *filter;
    struct input_label label;
    struct regex *regex;
    uint8_t *passes; /* by code, of the segment at hand */
    size_t capacity;
    bool passes_missing;
};

struct input {
    struct exec *exec;
    const struct node *node;
    struct arena arena;         /* of the source at hand */
    struct input_label *labels; /* node->as.measure.label_count */
    struct input_filter *filters;
    uint32_t filter_count;
    struct varve_str *columns;
    uint32_t column_count, column_capacity, segment;
    uint32_t serial; /* segments met, of all sources */
    struct program *where;
    struct scan *scan;
    bool is_rows;
    struct varve_runs runs;
    struct varve_rows rows;
    struct vector *vectors;
    const struct varve_column *read; /* the scan's columns of the batch at hand */
    uint16_t selected[BATCH_ROWS];
};

enum varve_status input_init(struct input *input, struct exec *exec, const struct node *node,
                             struct varve_err *err) VARVE_CHECKED;
/* Opens a source over a range of its own times.  all_labels: also reads every label that a series
 * of it can have, as the scan's columns. */
enum varve_status
input_open(struct input *input, const struct metric_source *source, struct time_range range,
           bool is_rows, bool all_labels, struct varve_err *err) VARVE_CHECKED;
/* Some of the sources of an input that is open and has not begun. */
enum varve_status
input_open_part(struct input *input, const struct input *whole, const struct metric_source *source,
                size_t from, size_t until, struct varve_err *err) VARVE_CHECKED;
/* The next runs, those that pass being selected; with is_rows the runs of input->rows, else those
 * of input->runs. */
enum varve_status
input_next(struct input *input, struct batch *batch, struct varve_err *err) VARVE_CHECKED;
void input_close(struct input *input); /* the source; another one may be opened */
void input_free(struct input *input);

/* The names of all labels that series of the metric may have in the range. */
enum varve_status
series_labels(struct snapshot *snapshot, struct varve_str metric, struct time_range range,
              struct arena *arena, struct varve_str **names, uint32_t *count, struct varve_err *err)
    VARVE_CHECKED;

/* What identifies the series of runs: the sum of the hashes of all its labels. */
struct hashed_column {
    struct h128 *by_code; /* of the segment at hand */
    size_t capacity;
};
struct series_hashes {
    struct mem *mem;
    struct hashed_column *columns;
    size_t count, capacity;
    uint32_t serial;
    struct h128 of_run[BATCH_ROWS];
};
enum varve_status series_hash_runs(struct series_hashes *hashes, const struct input *input,
                                   const struct batch *batch, struct varve_err *err) VARVE_CHECKED;
void series_hashes_free(struct series_hashes *hashes);

/* ---- the operator ------------------------------------------------------------------ */

enum unit_kind { UNIT_IS_GROUP, UNIT_IS_SERIES, UNIT_IS_LABEL };

struct unit {
    uint32_t group;
    uint32_t label; /* of UNIT_IS_LABEL, and where `of` is a term: number of the text */
    bool muted;     /* the aggregate's FILTER leaves it out */
};

/* A value on its way into an aggregate. */
struct entry {
    uint32_t group, bucket;
    struct value value;
};

struct points; /* measure_points.c */

struct measure {
    struct op *op;
    struct exec *exec;
    const struct node *node;
    struct buckets buckets, ends; /* the same twice: each remembers where it was */
    struct time_range read;       /* what is read, before any OFFSET */
    struct time_range at_hand;    /* the bucket that was used last, in times of the source */
    uint32_t at_bucket;
    int64_t offset; /* of the source at hand */
    int64_t window; /* of several rows; 0: each bucket is its own */
    int scale;
    bool is_gauge, is_additive, is_muting;
    bool is_folding; /* of the points of a run and bucket few are kept: points_choose */
    enum unit_kind unit_kind;
    struct input input;
    struct group_keys *groups, *labels;
    struct program **keys, *of, *filter;
    struct vector *key_vectors;
    /* of the runs at hand; those not selected have nothing */
    uint32_t row_groups[BATCH_ROWS], row_labels[BATCH_ROWS], row_units[BATCH_ROWS];
    bool row_muted[BATCH_ROWS];
    const uint32_t *run_units; /* NO_GROUP: left out */
    uint16_t unmuted[BATCH_ROWS];
    struct series_hashes hashes;
    struct hash_table unit_table;
    struct unit *units;
    size_t unit_count, unit_capacity;
    struct cells cells;
    struct points *points;
    struct scan_stretch *stretch;
    struct entry *entries;
    size_t entry_count, entry_capacity;
    struct relation result;
    struct arena texts;
    uint64_t given;
    uint64_t worked;     /* since the last question whether to go on */
    uint64_t cells_kept; /* that had something in them */
    bool is_ready, has_scale;
    bool is_shared, is_alone; /* several threads have read; only one may */
};

/* Which buckets the windows of a row's time belong to: [*first, *last]; *first > *last: none. */
void measure_reach(struct measure *m, int64_t time, uint32_t *first, uint32_t *last);
/* Adds the value of a unit in a bucket to what its aggregate is made of, or to the result. */
enum varve_status measure_give(struct measure *m, uint32_t unit, uint32_t bucket,
                               struct value value, struct varve_err *err) VARVE_CHECKED;
/* So much has been done: points, cells or entries. */
enum varve_status
measure_worked(struct measure *m, uint64_t work, struct varve_err *err) VARVE_CHECKED;
/* Makes op->state; of a part, whole is what it is a part of.  op_measure.close frees it, also after
 * a failure. */
enum varve_status
measure_make(struct op *op, const struct measure *whole, struct varve_err *err) VARVE_CHECKED;
/* What reading needs. */
enum varve_status measure_prepare(struct measure *m, struct varve_err *err) VARVE_CHECKED;
/* Reads what the input has been opened for, and closes it. */
enum varve_status measure_read(struct measure *m, struct varve_err *err) VARVE_CHECKED;
/* The number of a unit; series: of one that is a series. */
enum varve_status measure_unit(struct measure *m, struct unit unit, struct h128 series,
                               uint32_t *number, struct varve_err *err) VARVE_CHECKED;
/* The same as measure_read by several threads, if that is worth it: else *done is false. */
enum varve_status measure_in_parts(struct measure *m, const struct metric_source *source,
                                   bool *done, struct varve_err *err) VARVE_CHECKED;
/* How long the bucket or the window is for a rate. */
int64_t measure_length(const struct measure *m, uint32_t bucket);

/* Takes a batch of runs, or of rows; run_units is set. */
enum varve_status
sums_take(struct measure *m, const struct batch *batch, struct varve_err *err) VARVE_CHECKED;
enum varve_status sums_finish(struct measure *m, struct varve_err *err) VARVE_CHECKED;

/* Whether points are folded as they are read. */
enum varve_status points_choose(struct measure *m, struct varve_err *err) VARVE_CHECKED;
enum varve_status points_new(struct measure *m, struct varve_err *err) VARVE_CHECKED;
enum varve_status
points_take(struct measure *m, const struct batch *batch, struct varve_err *err) VARVE_CHECKED;
enum varve_status points_finish(struct measure *m, struct varve_err *err) VARVE_CHECKED;
/* Takes over the points of another one; units[i]: what its unit i is here. */
enum varve_status points_merge(struct measure *m, struct measure *from, const uint32_t *units,
                               struct varve_err *err) VARVE_CHECKED;
void points_free(struct points *points, struct mem *mem);

#endif
