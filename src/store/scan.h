/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.h -- reads the segments of a snapshot column by column.
 *
 * A scan goes through the sources that can hold rows of its range, one segment
 * at a time.  In a segment, filters are answered on the dictionaries: a label's
 * distinct values are compared once, and runs are kept or dropped by their
 * codes.  Of the kept runs those wholly inside the range are answered from
 * headers when only sums are asked for; the others are decoded.
 *
 *   scan.c          opening, filters, going from segment to segment
 *   scan_runs.c     runs with sums
 *   scan_rows.c     rows of metrics
 *   scan_events.c   rows of tables
 */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "store/snapshot.h"

struct scan_filter {
    struct varve_str key;
    bool negate;
    struct varve_str *values; /* sorted by bytes */
    size_t count;
};

/* The metric segment at hand. */
struct scan_segment {
    struct segment segment;
    struct segment_runs runs;
    uint32_t metric;
    uint32_t *kept; /* runs that pass, ascending; ints before floats; NULL if plain: all do */
    uint32_t kept_count, kept_ints;
    bool plain; /* every run is kept, inside the range, and none is an adjustment: arrays can be
                   lent as they are */
    const uint32_t **codes; /* per column: codes of all runs, or NULL */
    struct column ints, floats;
    const int64_t *sums;
    const double *sums_high, *sums_low;
    uint32_t at;           /* position in kept */
    uint32_t row;          /* next row of that run */
    uint32_t cached_block; /* decoded into cache; UINT32_MAX: none */
    bool cached_floats;
};

/* The table segment at hand. */
struct scan_events {
    struct table table;
    const int64_t *times;
    struct table_values *values; /* per column; type VARVE_NULL: no such column here */
    uint32_t *kept;
    uint32_t kept_count, at;
};

/* What a batch points into. */
struct scan_output {
    int64_t start[BLOCK_VALUES], end[BLOCK_VALUES], ints[BLOCK_VALUES];
    double floats[BLOCK_VALUES], rests[BLOCK_VALUES];
    uint32_t run_start[BLOCK_VALUES + 1], points[BLOCK_VALUES];
    uint8_t form[BLOCK_VALUES];
    uint32_t run[BLOCK_VALUES];  /* what scan_runs gave, by its number in the segment */
    bool is_exact[BLOCK_VALUES]; /* a run's float sum and rest are all of it */
};
struct column_output {
    uint32_t codes[BLOCK_VALUES];
    int64_t ints[BLOCK_VALUES];
    double floats[BLOCK_VALUES];
    uint64_t present[BLOCK_VALUES / 64];
    uint8_t types[BLOCK_VALUES];
};

struct scan {
    struct snapshot *snapshot;
    struct varve_str name;
    int64_t since, until;
    unsigned flags;
    uint32_t table; /* 0: a metric */
    struct scan_filter *filters;
    size_t filter_count;
    struct varve_str *columns;
    size_t column_count;
    size_t next_source, source_end;
    bool inside; /* a segment is at hand */
    uint32_t segment_number;
    struct scan_segment metric;
    struct scan_events events;
    struct varve_dictionary *dictionaries; /* per column, of the segment at hand */
    struct varve_column *out_columns;
    struct column_output *out_values;
    struct scan_output *out;
    int64_t cache_ints[BLOCK_VALUES];
    double cache_floats[BLOCK_VALUES];
    struct arena arena;         /* of the scan */
    struct arena segment_arena; /* of the segment at hand */
    struct varve_scan_stats stats;
    uint64_t told; /* stats.segments that the snapshot has been told of */
};

enum varve_status scan_open(struct snapshot *snapshot, const struct varve_query *query,
                            struct scan **scan, struct varve_err *err) VARVE_CHECKED;
/* The sources [from, until) of a scan that is open and has not begun, through a view of its
 * snapshot.  The whole scan outlives it. */
enum varve_status
scan_open_part(const struct scan *whole, struct snapshot *view, size_t from, size_t until,
               struct scan **scan, struct varve_err *err) VARVE_CHECKED;
void scan_close(struct scan *scan);
/* What several scans have touched together. */
void scan_stats_add(struct varve_scan_stats *to, const struct varve_scan_stats *from);
enum varve_status
scan_rows(struct scan *scan, struct varve_rows *rows, struct varve_err *err) VARVE_CHECKED;
enum varve_status
scan_runs(struct scan *scan, struct varve_runs *runs, struct varve_err *err) VARVE_CHECKED;

/* Rows of one of the runs that scan_runs gave last, whatever the range: for those who have to cut
 * it.  Filled by scan_run_rows with the rows from `from` on, up to 1024; their values only if
 * wanted.  VARVE_DONE: there are none. */
struct scan_stretch {
    uint32_t rows;
    bool is_float;
    int64_t ends[BLOCK_VALUES], ints[BLOCK_VALUES];
    double floats[BLOCK_VALUES];
};
enum varve_status scan_run_rows(struct scan *scan, uint32_t run, uint32_t from, bool values,
                                struct scan_stretch *stretch, struct varve_err *err) VARVE_CHECKED;
/* Whether sum and rest of a float run that scan_runs gave are the exact sum: two doubles need not
 * hold it.  Its rows always do. */
static inline bool scan_run_is_exact(const struct scan *scan, uint32_t run)
{
    return scan->out->is_exact[run];
}

/* VARVE_NOTFOUND for a name that is neither a metric nor a table, with the nearest there is.
 * Clears
 * the arena. */
enum varve_status scan_unknown(struct snapshot *snapshot, const char *place, struct varve_str name,
                               struct arena *arena, struct varve_err *err) VARVE_CHECKED;

/* ---- between the files of this module ---------------------------------- */

/* The next source that may hold rows, opened by `enter`, which says in *any whether something is to
 * be had of it. */
enum varve_status scan_next_segment(struct scan *scan,
                                    enum varve_status (*enter)(struct scan *, struct source *,
                                                               bool *, struct varve_err *),
                                    struct varve_err *err) VARVE_CHECKED;
enum varve_status scan_enter_metric(struct scan *scan, struct source *source, bool *any,
                                    struct varve_err *err) VARVE_CHECKED;
/* Rows that were read, in the figures of the scan and of the snapshot. */
static inline void scan_count_rows(struct scan *scan, uint64_t rows)
{
    scan->stats.rows += rows;
    scan->snapshot->rows_read += rows;
}
/* Whether a text passes a filter. */
bool scan_filter_passes(const struct scan_filter *filter, struct varve_str text);
/* The run at a position of those kept. */
static inline uint32_t scan_run(const struct scan_segment *segment, uint32_t at)
{
    return segment->plain ? at : segment->kept[at];
}
/* codes and dictionary of the kept runs [from, from + count) into the output columns. */
void scan_put_columns(struct scan *scan, const uint32_t *runs, uint32_t count);
/* Values [from, from + count) of an int or float run, through the cached block. */
enum varve_status scan_ints(struct scan *scan, uint32_t from, uint32_t count, int64_t *values,
                            struct varve_err *err) VARVE_CHECKED;
enum varve_status scan_floats(struct scan *scan, uint32_t from, uint32_t count, double *values,
                              struct varve_err *err) VARVE_CHECKED;
enum varve_status
scan_event_rows(struct scan *scan, struct varve_rows *rows, struct varve_err *err) VARVE_CHECKED;

#endif
