/* SPDX-License-Identifier: Apache-2.0
 *
 * segment.h -- the metric rows of one day (or of one journal entry) as columns.
 *
 * Rows are grouped into runs: one series, one mode, one number type, one start
 * (CUMULATIVE, ADJUST, BASE), ascending ends.  Labels, sums and counts are kept
 * once a run.  Three ideas make it small:
 *
 *  - Samples of one export share their times, so the vector of (start, end) of a
 *    run is a *timeline*, stored once, and runs refer to it.  Five counters of a
 *    session cost the times of one.
 *  - Labels determine each other: a session has one user, a user one address.  A
 *    key whose value follows from another key's -- its *root* -- is kept as a map
 *    from the root's dictionary, once a session and not once a run.
 *  - Runs are sorted by metric, ints before floats, then by the keys that are no
 *    one's map, the one with the fewest values first, so that
 *    neighbours look alike.  A root's dictionary is in the order of what it determines: sessions
 *    of a user stand together, and so do their runs.
 *
 * The sections are listed in segment_format.h, their bytes in docs/format-segments.md.
 *
 * Unknown starts (start == 0) are kept exactly.  What this module does not
 * do: decide what is a duplicate; look at time zones; read more than asked.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "store/blob.h"
#include "store/column.h"
#include "store/rowset.h"

/* Rows of a segment, at most.  What a few hostile bytes can claim is bounded by it. */
#define SEGMENT_ROWS_MOST (UINT32_C(1) << 24)

/* Local numbers for the numbers of a rowset, forgotten all at once by counting `epoch` up. */
struct segment_marks {
    uint64_t *slots; /* epoch << 32 | local */
    size_t capacity;
    uint32_t epoch;
};

struct build_run;

/* What building needs again and again; one a handle, used under its lock. */
struct segment_builder {
    struct mem *mem;
    struct arena scratch;
    struct blob_writer writer;
    struct text_codec *texts;
    struct segment_marks series, sets, words;
    struct build_run *runs;
    size_t run_capacity;
};
enum varve_status segment_builder_init(struct segment_builder *builder, struct mem *mem,
                                       struct varve_err *err) VARVE_CHECKED;
void segment_builder_free(struct segment_builder *builder);

/* Builds a segment of the rows rows[index[0..count)] (all rows if index is NULL) and appends the
 * blob to out.  CUMULATIVE rows of equal (series, start, end) and the ADJUST rows of the same are
 * added up to one where the result is exact: int sums that fit 64 bits, double sums that need no
 * rounding.  The same rows in another order give the same bytes.  VARVE_LIMIT: more than
 * SEGMENT_ROWS_MOST rows. */
enum varve_status
segment_build(struct segment_builder *builder, const struct rowset *rowset, const uint32_t *index,
              size_t count, uint64_t seed, struct buf *out, struct varve_err *err) VARVE_CHECKED;
/* The same of all rows of a rowset that has those of each series together, as extract_rows makes
 * it; the rows are used up. */
enum varve_status
segment_build_extract(struct segment_builder *builder, struct rowset *extract, uint64_t seed,
                      struct buf *out, struct varve_err *err) VARVE_CHECKED;

struct segment_metric {
    struct varve_str name, unit;
    uint8_t kind, scale;
    uint64_t points; /* rows that are points: not ADJUST, not BASE */
    uint32_t series;
    uint32_t first_run, int_runs,
        float_runs; /* runs [first_run, first_run + int_runs + float_runs) */
};

struct segment_key; /* private */
struct segment_times;

struct segment {
    struct blob blob;
    struct arena *arena;
    struct text_codec *texts;
    struct segment_metric *metrics;
    uint32_t metric_count, key_count, run_count, time_count;
    struct varve_str *keys; /* in the order of sorting: fewest values first */
    /* ---- private part ---- */
    const struct varve_str *words;
    struct segment_key *key;
    struct segment_times *times; /* decoded on first use */
};

/* A view over bytes that must outlive it; what it decodes lives in the arena, which must outlive
 * it too. */
enum varve_status
segment_open(struct segment *segment, struct arena *arena, struct text_codec *texts,
             const uint8_t *bytes, size_t size, uint64_t seed, const char *place,
             struct varve_err *err) VARVE_CHECKED;
/* The same for bytes that cannot have changed since: *seen, zero at first, remembers what was
 * verified, so that it is not verified again. */
enum varve_status
segment_open_again(struct segment *segment, struct arena *arena, struct text_codec *texts,
                   const uint8_t *bytes, size_t size, uint64_t seed, const char *place,
                   uint64_t *seen, struct varve_err *err) VARVE_CHECKED;
/* Index of a metric or key, or UINT32_MAX. */
uint32_t segment_find_metric(const struct segment *segment, struct varve_str name);
uint32_t segment_find_key(const struct segment *segment, struct varve_str key);

/* The runs of one metric with what can be known without decoding values.  Arrays have `count`
 * entries (row_at one more) and live in the arena given; ints come before floats. */
struct segment_runs {
    uint32_t metric, count, ints;
    const uint32_t *time; /* timeline of each run */
    const uint32_t
        *row_at; /* first row of each run in INTS or FLOATS; row_at of run `ints` is 0 again */
    const uint32_t *rows; /* rows of each run */
    const uint8_t *mode;
    const int64_t *first, *last, *first_start;
};
enum varve_status segment_runs(struct segment *segment, uint32_t metric, struct arena *arena,
                               struct segment_runs *runs, struct varve_err *err) VARVE_CHECKED;
/* Codes of key k for `count` runs from run `from` (of the whole segment). */
enum varve_status
segment_codes(struct segment *segment, uint32_t key, uint32_t from, uint32_t count, uint32_t *codes,
              struct varve_err *err) VARVE_CHECKED;
/* Distinct values of key k with the empty text in front: texts[code].  count includes it.  Their
 * order is the order of the runs, not that of their bytes. */
enum varve_status segment_dictionary(struct segment *segment, uint32_t key, struct arena *arena,
                                     const struct varve_str **texts, uint32_t *count,
                                     struct varve_err *err) VARVE_CHECKED;
/* Sums of the int runs; in the arena. */
enum varve_status segment_int_sums(struct segment *segment, uint32_t metric, struct arena *arena,
                                   const int64_t **sums, struct varve_err *err) VARVE_CHECKED;
/* Exact sums of the float runs, high + low; high NaN: decode. */
enum varve_status
segment_float_sums(struct segment *segment, uint32_t metric, struct arena *arena,
                   const double **high, const double **low, struct varve_err *err) VARVE_CHECKED;
/* Starts and ends of rows [from, from + count) of a timeline. starts may be NULL.  For GAUGE
 * starts are 0. Cheapest in ascending order of timelines, and of rows within one. */
enum varve_status
segment_times(struct segment *segment, uint32_t time, uint32_t from, uint32_t count,
              int64_t *starts, int64_t *ends, struct varve_err *err) VARVE_CHECKED;
/* The value columns of a metric. VARVE_NOTFOUND: it has no such runs. */
enum varve_status segment_ints(struct segment *segment, uint32_t metric, struct column *column,
                               struct varve_err *err) VARVE_CHECKED;
enum varve_status segment_floats(struct segment *segment, uint32_t metric, struct column *column,
                                 struct varve_err *err) VARVE_CHECKED;

/* Adds every row to a rowset (for rebuilding a day, replaying the journal, export). */
enum varve_status
segment_load(struct segment *segment, struct rowset *rowset, struct varve_err *err) VARVE_CHECKED;
/* Reads everything and checks what the builder promises: order, counts, sums against values,
 * times inside the head. */
enum varve_status segment_verify(struct segment *segment, struct varve_err *err) VARVE_CHECKED;

#endif
