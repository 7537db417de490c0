/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_verify.c -- does a segment say what a builder would have said?
 *
 * Checksums find damaged bytes; this finds wrong ones.  Everything is decoded
 * and held against everything else: dictionaries have no value twice and none
 * unused, runs and timelines are in order, ends ascend, sums and statistics are those of the
 * values, and the counts in the head and the description are the true ones.
 */
#include "base/err.h"
#include "base/fsum.h"
#include "store/segment_view.h"
#include "store/sort.h"

#include <string.h>

struct check {
    struct segment *segment;
    struct arena arena;
    uint64_t rows; /* of all metrics so far */
    int64_t first, last;
    uint32_t next_time; /* timelines that runs have referred to are below */
};

/* ---- names and dictionaries ---------------------------------------------- */

static int compare_texts(const void *context, uint32_t a, uint32_t b)
{
    const struct varve_str *texts = context;
    return str_compare(texts[a], texts[b]);
}

static enum varve_status check_distinct(struct check *check, const struct varve_str *texts,
                                        uint32_t count, struct varve_err *err)
{
    uint32_t *order = NULL;
    TRY(segment_array(&check->arena, count * (size_t)2, sizeof *order, &order, err));
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    sort_numbers(order, order + count, count, compare_texts, texts);
    for (uint32_t i = 1; i < count; i++)
        if (str_equal(texts[order[i - 1]], texts[order[i]]))
            return segment_damaged(check->segment, err,
                                   "two label keys, or two values of one, are equal");
    return VARVE_OK;
}

static enum varve_status check_names(struct check *check, struct varve_err *err)
{
    const struct segment *segment = check->segment;
    for (uint32_t m = 1; m < segment->metric_count; m++)
        if (str_compare(segment->metrics[m - 1].name, segment->metrics[m].name) >= 0)
            return segment_damaged(segment, err, "metric %u is out of order", m);
    for (uint32_t k = 0; k < segment->key_count; k++)
        if (segment->keys[k].size == 0)
            return segment_damaged(segment, err, "label key %u has no name", k);
    for (uint32_t k = 1; k < segment->key_count; k++) {
        uint32_t before = segment->key[k - 1].values, values = segment->key[k].values;
        if (before > values ||
            (before == values && str_compare(segment->keys[k - 1], segment->keys[k]) >= 0))
            return segment_damaged(segment, err, "label key %u is out of order", k);
    }
    for (uint32_t m = 0; m < segment->metric_count; m++)
        if (segment->metrics[m].int_runs + segment->metrics[m].float_runs == 0)
            return segment_damaged(segment, err, "metric %u has no runs", m);
    return VARVE_OK;
}

/* Every code from 1 to `values` must occur, in the runs or in the map. */
static enum varve_status check_used(struct check *check, uint32_t k, struct varve_err *err)
{
    struct segment *segment = check->segment;
    const struct segment_key *key = &segment->key[k];
    uint32_t codes[BLOCK_VALUES], left = key->values;
    uint8_t *used = NULL;
    TRY(segment_array(&check->arena, key->values + (size_t)1, 1, &used, err));
    memset(used, 0, key->values + (size_t)1);
    used[0] = 1;
    for (uint32_t from = 0, n; from < segment->run_count; from += n) {
        n = segment->run_count - from;
        n = n < BLOCK_VALUES ? n : BLOCK_VALUES;
        TRY(segment_codes(segment, k, from, n, codes, err));
        for (uint32_t i = 0; i < n; i++) {
            left -= !used[codes[i]];
            used[codes[i]] = 1;
        }
    }
    if (left > 0)
        return segment_damaged(segment, err, "%u values of label key %u are not used", left, k);
    return VARVE_OK;
}

static enum varve_status check_keys(struct check *check, struct varve_err *err)
{
    struct segment *segment = check->segment;
    TRY(check_names(check, err));
    TRY(check_distinct(check, segment->keys, segment->key_count, err));
    for (uint32_t k = 0; k < segment->key_count; k++) {
        const struct varve_str *texts;
        uint32_t count;
        TRY(segment_dictionary(segment, k, &check->arena, &texts, &count, err));
        TRY(check_distinct(check, texts, count, err));
        TRY(check_used(check, k, err));
        arena_clear(&check->arena);
    }
    return VARVE_OK;
}

/* ---- sections ------------------------------------------------------------- */

static bool belongs(const struct segment *segment, const struct blob_entry *entry)
{
    switch (entry->id) {
    case SEGMENT_DICT:
        return entry->index < segment->key_count &&
               segment->key[entry->index].first_word == UINT32_MAX;
    case SEGMENT_CODES:
        return entry->index < segment->key_count &&
               segment->key[entry->index].kind != SEGMENT_CONSTANT;
    case SEGMENT_SUM:
    case SEGMENT_INTS:
        return entry->index < segment->metric_count && segment->metrics[entry->index].int_runs > 0;
    case SEGMENT_FSUM_HI:
    case SEGMENT_FSUM_LO:
    case SEGMENT_FLOATS:
        return entry->index < segment->metric_count &&
               segment->metrics[entry->index].float_runs > 0;
    default:
        return entry->id >= SEGMENT_META && entry->id <= SEGMENT_TIME_GAP && entry->index == 0;
    }
}

/* Where a section stands: those of a metric together, behind all others. */
static uint64_t place_of(const struct blob_entry *entry)
{
    if (entry->id < SEGMENT_SUM)
        return (uint64_t)entry->id << 32 | entry->index;
    return (uint64_t)SEGMENT_SUM << 32 | (uint64_t)entry->index << 8 | entry->id;
}

static enum varve_status check_sections(const struct segment *segment, struct varve_err *err)
{
    for (uint32_t i = 0; i < segment->blob.sections; i++) {
        const struct blob_entry *entry = &segment->blob.entries[i];
        if (!belongs(segment, entry) || (i > 0 && place_of(entry - 1) >= place_of(entry)))
            return segment_damaged(segment, err, "section %u.%u does not belong where it is",
                                   entry->id, entry->index);
    }
    return VARVE_OK;
}

/* ---- timelines ----------------------------------------------------------- */

static enum varve_status check_time(struct check *check, uint32_t t, struct varve_err *err)
{
    struct segment *segment = check->segment;
    int64_t starts[BLOCK_VALUES], ends[BLOCK_VALUES];
    uint32_t rows = segment->times->rows[t];
    int64_t before = segment->times->first[t];
    for (uint32_t from = 0, n; from < rows; from += n) {
        n = rows - from < BLOCK_VALUES ? rows - from : BLOCK_VALUES;
        TRY(segment_times(segment, t, from, n, starts, ends, err));
        for (uint32_t i = 0; i < n; i++) {
            if (ends[i] < before)
                return segment_damaged(segment, err, "the ends of timeline %u do not ascend", t);
            before = ends[i];
        }
    }
    if (before != segment->times->last[t])
        return segment_damaged(segment, err, "the last end of timeline %u is wrong", t);
    check->first =
        segment->times->first[t] < check->first ? segment->times->first[t] : check->first;
    check->last = before > check->last ? before : check->last;
    return VARVE_OK;
}

static enum varve_status check_times(struct check *check, struct varve_err *err)
{
    const struct segment *segment = check->segment;
    TRY(segment_load_times(check->segment, err));
    for (uint32_t t = 0; t < segment->time_count; t++)
        TRY(check_time(check, t, err));
    if (segment->blob.head.rows > 0 &&
        (check->first != segment->blob.head.first || check->last != segment->blob.head.last))
        return segment_damaged(segment, err, "times are not those of the head");
    return VARVE_OK;
}

/* ---- runs ---------------------------------------------------------------- */

/* How two neighbours compare by what runs are sorted by: their codes, root by root. */
static int compare_codes(const uint32_t *const *codes, uint32_t roots, uint32_t a, uint32_t b)
{
    for (uint32_t k = 0; k < roots; k++)
        if (codes[k][a] != codes[k][b])
            return codes[k][a] < codes[k][b] ? -1 : 1;
    return 0;
}

/* Whether run b may follow run a of the same series. */
static bool may_follow(const struct segment_times *times, const struct segment_runs *runs,
                       uint32_t a, uint32_t b)
{
    uint32_t x = runs->time[a], y = runs->time[b];
    if (times->class[x] != times->class[y])
        return times->class[x] < times->class[y];
    if (segment_mode_grouped(segment_class_mode(times->class[x])) &&
        runs->first_start[a] != runs->first_start[b])
        return runs->first_start[a] < runs->first_start[b];
    return runs->last[a] <= runs->first[b];
}

static enum varve_status
root_codes(struct check *check, const struct segment_metric *metric, uint32_t count,
           const uint32_t ***codes, uint32_t *roots, struct varve_err *err)
{
    struct segment *segment = check->segment;
    TRY(segment_array(&check->arena, segment->key_count, sizeof **codes, codes, err));
    *roots = 0;
    for (uint32_t k = 0; k < segment->key_count; k++) {
        if (segment->key[k].kind != SEGMENT_ROOT)
            continue;
        uint32_t *of_key = NULL;
        TRY(segment_array(&check->arena, count, sizeof *of_key, &of_key, err));
        TRY(segment_codes(segment, k, metric->first_run, count, of_key, err));
        (*codes)[(*roots)++] = of_key;
    }
    return VARVE_OK;
}

static enum varve_status check_order(struct check *check, const struct segment_metric *metric,
                                     const struct segment_runs *runs, struct varve_err *err)
{
    const struct segment *segment = check->segment;
    const uint32_t **codes = NULL;
    uint32_t roots, distinct[2] = {0, 0};
    uint64_t points = 0;
    TRY(root_codes(check, metric, runs->count, &codes, &roots, err));
    for (uint32_t r = 0; r < runs->count; r++) {
        if (runs->time[r] > check->next_time)
            return segment_damaged(segment, err, "timelines are not numbered along the runs");
        check->next_time += runs->time[r] == check->next_time;
        points += runs->mode[r] == ROW_ADJUST || runs->mode[r] == ROW_BASE ? 0 : runs->rows[r];
        int order = r == 0 || r == runs->ints ? -1 : compare_codes(codes, roots, r - 1, r);
        if (order > 0 || (order == 0 && !may_follow(segment->times, runs, r - 1, r)))
            return segment_damaged(segment, err, "run %u of metric %u is out of order", r,
                                   runs->metric);
        distinct[r >= runs->ints] += order != 0;
    }
    uint32_t most = distinct[0] > distinct[1] ? distinct[0] : distinct[1];
    if (metric->series < most || metric->series > distinct[0] + distinct[1])
        return segment_damaged(segment, err, "metric %u claims %u series", runs->metric,
                               metric->series);
    if (metric->points != points)
        return segment_damaged(segment, err, "metric %u claims the wrong number of points",
                               runs->metric);
    return VARVE_OK;
}

/* ---- values -------------------------------------------------------------- */

static enum varve_status check_int_stats(struct check *check, const struct column *column,
                                         const int64_t *values, struct varve_err *err)
{
    for (uint32_t b = 0; b < column->blocks && column->stats; b++) {
        struct block_stats stats;
        const int64_t *v = values + (size_t)b * BLOCK_VALUES;
        int64_t min = v[0], max = v[0];
        i128 sum = 0;
        for (uint32_t i = 0; i < column_block_size(column, b); i++) {
            min = v[i] < min ? v[i] : min;
            max = v[i] > max ? v[i] : max;
            sum += v[i];
        }
        if (column_block_stats(column, b, &stats) != VARVE_OK || stats.min != min ||
            stats.max != max || stats.sum != sum)
            return segment_damaged(check->segment, err, "the statistics of block %u are wrong", b);
    }
    return VARVE_OK;
}

static enum varve_status
check_ints(struct check *check, const struct segment_runs *runs, struct varve_err *err)
{
    struct segment *segment = check->segment;
    struct column column;
    int64_t *values = NULL;
    const int64_t *sums;
    uint32_t rows = 0;
    for (uint32_t r = 0; r < runs->ints; r++)
        rows += runs->rows[r];
    if (runs->ints == 0)
        return VARVE_OK;
    TRY(segment_need(segment, segment_ints(segment, runs->metric, &column, err), err));
    if (column.count != rows)
        return segment_damaged(segment, err, "%u integers of metric %u for %u rows", column.count,
                               runs->metric, rows);
    TRY(segment_array(&check->arena, rows, sizeof *values, &values, err));
    TRY(column_int_range(&column, 0, rows, values, err));
    TRY(check_int_stats(check, &column, values, err));
    TRY(segment_int_sums(segment, runs->metric, &check->arena, &sums, err));
    for (uint32_t r = 0; r < runs->ints; r++) {
        int64_t sum = 0;
        for (uint32_t i = 0; i < runs->rows[r]; i++)
            if (__builtin_add_overflow(sum, values[runs->row_at[r] + i], &sum))
                return segment_damaged(segment, err, "the sum of run %u leaves 64 bits", r);
        if (sum != sums[r])
            return segment_damaged(segment, err, "the sum of run %u is wrong", r);
    }
    check->rows += rows;
    return VARVE_OK;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Statistics and run sums of doubles are made alike: does high + low sum up the values? */
static bool is_sum(const double *values, uint32_t count, double high, double low, bool exact)
{
    struct fsum sum;
    double h, l;
    fsum_clear(&sum);
    for (uint32_t i = 0; i < count; i++)
        fsum_add(&sum, values[i]);
    if (!fsum_split(&sum, &h, &l))
        return !exact;
    return exact ? same_bits(h, high) && same_bits(l, low) : h != h;
}

static enum varve_status check_float_stats(struct check *check, const struct column *column,
                                           const double *values, struct varve_err *err)
{
    for (uint32_t b = 0; b < column->blocks && column->stats; b++) {
        struct block_stats stats;
        const double *v = values + (size_t)b * BLOCK_VALUES;
        uint32_t n = column_block_size(column, b);
        bool good = column_block_stats(column, b, &stats) == VARVE_OK &&
                    is_sum(v, n, stats.fsum_high, stats.fsum_low, stats.fexact);
        for (uint32_t i = 0; i < n && good; i++)
            good = !(v[i] < stats.fmin) && !(v[i] > stats.fmax);
        if (!good)
            return segment_damaged(check->segment, err, "the statistics of block %u are wrong", b);
    }
    return VARVE_OK;
}

static enum varve_status
check_floats(struct check *check, const struct segment_runs *runs, struct varve_err *err)
{
    struct segment *segment = check->segment;
    struct column column;
    double *values = NULL;
    const double *high, *low;
    uint32_t rows = 0;
    for (uint32_t r = runs->ints; r < runs->count; r++)
        rows += runs->rows[r];
    if (runs->ints == runs->count)
        return VARVE_OK;
    TRY(segment_need(segment, segment_floats(segment, runs->metric, &column, err), err));
    if (column.count != rows)
        return segment_damaged(segment, err, "%u doubles of metric %u for %u rows", column.count,
                               runs->metric, rows);
    TRY(segment_array(&check->arena, rows, sizeof *values, &values, err));
    TRY(column_float_range(&column, 0, rows, values, err));
    TRY(check_float_stats(check, &column, values, err));
    TRY(segment_float_sums(segment, runs->metric, &check->arena, &high, &low, err));
    for (uint32_t r = runs->ints; r < runs->count; r++) {
        double h = high[r - runs->ints];
        if (!is_sum(values + runs->row_at[r], runs->rows[r], h, low[r - runs->ints], h == h))
            return segment_damaged(segment, err, "the sum of float run %u is wrong", r);
    }
    check->rows += rows;
    return VARVE_OK;
}

/* ---- all of it ----------------------------------------------------------- */

static enum varve_status check_metrics(struct check *check, struct varve_err *err)
{
    struct segment *segment = check->segment;
    for (uint32_t m = 0; m < segment->metric_count; m++) {
        struct segment_runs runs;
        TRY(segment_runs(segment, m, &check->arena, &runs, err));
        TRY(check_order(check, &segment->metrics[m], &runs, err));
        TRY(check_ints(check, &runs, err));
        TRY(check_floats(check, &runs, err));
        arena_clear(&check->arena);
    }
    if (check->next_time != segment->time_count)
        return segment_damaged(segment, err, "timelines that no run has");
    if (check->rows != segment->blob.head.rows)
        return segment_damaged(segment, err, "%u rows in the head, %llu in the runs",
                               segment->blob.head.rows, (unsigned long long)check->rows);
    return VARVE_OK;
}

enum varve_status segment_verify(struct segment *segment, struct varve_err *err)
{
    TRY(blob_verify(&segment->blob, err));
    struct check check = {.segment = segment, .first = INT64_MAX, .last = INT64_MIN};
    arena_init(&check.arena, segment->arena->mem, segment->arena->chunk);
    enum varve_status status = check_sections(segment, err);
    if (status == VARVE_OK)
        status = check_keys(&check, err);
    if (status == VARVE_OK)
        status = check_times(&check, err);
    if (status == VARVE_OK)
        status = check_metrics(&check, err);
    arena_free(&check.arena);
    return status;
}
