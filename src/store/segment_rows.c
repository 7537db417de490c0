/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_rows.c -- rows in any order into runs of one series each.
 *
 * A counting sort brings the rows of each series together; within one they mostly
 * are in order already, which one look at each neighbour finds out, and are sorted if not.
 * The order is total -- class, start of the count, end, start, value -- so what
 * comes out does not depend on what order the rows came in.
 *
 * Readings of a counter and the adjustments to them meet here and are added
 * up, unless the sum would not be exact; then both are kept, since rows that
 * add up to the truth are better than one that nearly is it.
 *
 * A run of ints ends where its sum would leave 64 bits, so run sums never wrap.
 */
#include "store/segment_build.h"

#include "base/err.h"
#include "base/fsum.h"
#include "base/hash.h"

#include <assert.h>
#include <string.h>

enum { CLASS_GONE = 255, HANDFUL = 8 };

static enum varve_status collect(struct build *build, const uint32_t *index, size_t count,
                                 uint32_t *local, struct varve_err *err)
{
    const struct rowset *rowset = build->rowset;
    struct segment_marks *marks = &build->builder->series;
    TRY(marks_begin(marks, build->builder->mem, rowset->series_count, err));
    uint32_t next = 0;
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rowset->rows[index ? index[i] : i];
        assert(row->series < rowset->series_count && row->mode < ROW_MODES);
        uint32_t before = next;
        local[i] = marks_local(marks, row->series, &next);
        if (next != before)
            build->series[before].id = row->series;
    }
    build->series_count = next;
    return VARVE_OK;
}

static struct item item_of(const struct row *row)
{
    enum row_mode mode = (enum row_mode)row->mode;
    int64_t start = mode == ROW_GAUGE ? 0 : row->start;
    uint8_t class = segment_class(mode, row->is_float, start == 0);
    return (struct item){row->end, start, row->value, class};
}

/* Puts the items of each series together; ends[s] is where those of series s end. */
static void scatter(struct build *build, const uint32_t *index, size_t count, const uint32_t *local,
                    uint32_t *ends)
{
    for (size_t i = 0; i < count; i++)
        ends[local[i] + 1]++;
    for (uint32_t s = 0; s < build->series_count; s++)
        ends[s + 1] += ends[s];
    const struct row *rows = build->rowset->rows;
    for (size_t i = 0; i < count; i++)
        build->items[ends[local[i]]++] = item_of(&rows[index ? index[i] : i]);
}

static int compare(const struct item *a, const struct item *b)
{
    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    if (a->start != b->start && segment_mode_grouped(segment_class_mode((uint8_t)a->class)))
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static void insertion(struct item *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct item item = items[i];
        size_t at = i;
        for (; at > 0 && compare(&items[at - 1], &item) > 0; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

/* Top-down merge sort; scratch holds half of the items. */
static void sort(struct item *items, struct item *scratch, size_t count)
{
    if (count <= HANDFUL) {
        insertion(items, count);
        return;
    }
    size_t half = count / 2;
    sort(items, scratch, half);
    sort(items + half, scratch, count - half);
    if (compare(&items[half - 1], &items[half]) <= 0)
        return;
    memcpy(scratch, items, half * sizeof *items);
    size_t left = 0, right = half, to = 0;
    while (left < half && right < count)
        items[to++] =
            compare(&scratch[left], &items[right]) <= 0 ? scratch[left++] : items[right++];
    memcpy(items + to, scratch + left, (half - left) * sizeof *items);
}

/* What sorting the items of a series found out. */
struct findings {
    bool sorted, merge;
};

static struct findings look(const struct item *items, size_t count)
{
    struct findings found = {true, false};
    for (size_t i = 0; i < count; i++) {
        enum row_mode mode = segment_class_mode((uint8_t)items[i].class);
        if (mode == ROW_ADJUST)
            found.merge = true;
        if (i == 0)
            continue;
        found.sorted &= compare(&items[i - 1], &items[i]) <= 0;
        if (mode == ROW_CUMULATIVE && items[i - 1].end == items[i].end)
            found.merge = true;
    }
    return found;
}

static bool same_reading(const struct item *a, const struct item *b)
{
    return a->start == b->start && a->end == b->end &&
           (a->class & CLASS_FLOAT) == (b->class & CLASS_FLOAT);
}

static bool add_ints(const struct item *items, size_t count, i128 *sum)
{
    for (size_t i = 0; i < count; i++)
        *sum += items[i].value;
    return *sum >= INT64_MIN && *sum <= INT64_MAX;
}

static double item_double(const struct item *item)
{
    double v;
    memcpy(&v, &item->value, sizeof v);
    return v;
}

/* Adds up readings and adjustments of one (start, end) into the first reading, if that can be
 * done exactly. */
static void
merge_group(struct item *readings, size_t count, struct item *adjustments, size_t adjustment_count)
{
    if (count + adjustment_count < 2)
        return;
    if (readings->class & CLASS_FLOAT) {
        struct fsum sum;
        double high, low;
        fsum_clear(&sum);
        for (size_t i = 0; i < count; i++)
            fsum_add(&sum, item_double(&readings[i]));
        for (size_t i = 0; i < adjustment_count; i++)
            fsum_add(&sum, item_double(&adjustments[i]));
        if (!fsum_split(&sum, &high, &low) || low != 0 || high - high != 0)
            return;
        memcpy(&readings->value, &high, sizeof high);
    } else {
        i128 sum = 0;
        add_ints(readings, count, &sum);
        if (!add_ints(adjustments, adjustment_count, &sum))
            return;
        readings->value = (int64_t)sum;
    }
    for (size_t i = 1; i < count; i++)
        readings[i].class = CLASS_GONE;
    for (size_t i = 0; i < adjustment_count; i++)
        adjustments[i].class = CLASS_GONE;
}

static size_t find_class(const struct item *items, size_t count, size_t from, unsigned class)
{
    while (from < count && (items[from].class < class || items[from].class == CLASS_GONE))
        from++;
    return from;
}

/* Two fingers over the readings and the adjustments of one class, both by (start, end). */
static void merge_class(struct item *items, size_t count, uint8_t reading, uint8_t adjustment)
{
    size_t r = find_class(items, count, 0, reading);
    size_t a = find_class(items, count, r, adjustment);
    while (r < count && items[r].class == reading) {
        size_t readings = 1, adjustments = 0;
        while (r + readings < count && items[r + readings].class == reading &&
               same_reading(&items[r], &items[r + readings]))
            readings++;
        while (a < count && items[a].class == adjustment &&
               (items[a].start < items[r].start ||
                (items[a].start == items[r].start && items[a].end < items[r].end)))
            a++;
        while (a + adjustments < count && items[a + adjustments].class == adjustment &&
               same_reading(&items[r], &items[a + adjustments]))
            adjustments++;
        merge_group(items + r, readings, items + a, adjustments);
        r += readings;
        a += adjustments;
    }
}

/* Answers how many items are left. */
static size_t merge(struct item *items, size_t count)
{
    for (int is_float = 0; is_float < 2; is_float++)
        for (int no_start = 0; no_start < 2; no_start++)
            merge_class(items, count, segment_class(ROW_CUMULATIVE, is_float, no_start),
                        segment_class(ROW_ADJUST, is_float, no_start));
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        if (items[i].class != CLASS_GONE)
            items[left++] = items[i];
    return left;
}

/* Whether the item goes on the run that ends with the one before it; then its value is added. */
static bool goes_on(struct build_run *run, const struct item *before, const struct item *item)
{
    if (item->class != before->class)
        return false;
    if (item->start != before->start &&
        segment_mode_grouped(segment_class_mode((uint8_t)item->class)))
        return false;
    int64_t sum;
    if (item->class & CLASS_FLOAT)
        return true;
    if (__builtin_add_overflow(run->sum, item->value, &sum))
        return false;
    run->sum = sum;
    return true;
}

/* The times of a run, one after the other, become a hash. */
static uint64_t mix_times(uint64_t hash, uint64_t secret, const struct item *item)
{
    hash_wide x = (hash_wide)(hash ^ (uint64_t)item->end) * (secret ^ (uint64_t)item->start);
    return (uint64_t)x ^ (uint64_t)(x >> 64);
}

static enum varve_status
add_run(struct build *build, struct build_run *run, uint64_t times, struct varve_err *err)
{
    struct segment_builder *builder = build->builder;
    const struct item *items = &build->items[run->first];
    if (build->run_count == builder->run_capacity)
        TRY(mem_grow(builder->mem, (void **)&builder->runs, &builder->run_capacity,
                     build->run_count + (size_t)1, sizeof *builder->runs, err));
    int64_t first = items->end, last = items[run->rows - 1].end;
    build->first = first < build->first ? first : build->first;
    build->last = last > build->last ? last : build->last;
    run->time = (uint32_t)(times ^ times >> 32);
    builder->runs[build->run_count++] = *run;
    return VARVE_OK;
}

static enum varve_status
cut(struct build *build, uint32_t series, uint32_t first, size_t count, struct varve_err *err)
{
    const uint64_t secret = build->rowset->texts.seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    const struct item *items = &build->items[first];
    struct build_run run;
    uint64_t times = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct item *item = &items[i];
        if (i > 0 && goes_on(&run, item - 1, item)) {
            run.rows++;
        } else {
            if (i > 0)
                TRY(add_run(build, &run, times, err));
            run = (struct build_run){.series = series,
                                     .first = first + i,
                                     .rows = 1,
                                     .class = item->class,
                                     .sum = item->value};
            times = secret >> 7 ^ (item->class & ~(uint32_t)CLASS_FLOAT);
        }
        times = mix_times(times, secret, item);
    }
    build->rows += (uint32_t)count;
    return count > 0 ? add_run(build, &run, times, err) : VARVE_OK;
}

/* Whether the items are one run in order, as nearly all are; nothing is to be merged then. */
static bool is_plain(const struct item *items, size_t count)
{
    enum row_mode mode = segment_class_mode((uint8_t)items->class);
    int64_t one_start = segment_mode_grouped(mode) ? -1 : 0, different = 0;
    bool disordered = mode == ROW_ADJUST;
    for (size_t i = 1; i < count; i++) {
        different |= (int64_t)(items[i].class ^ items->class);
        different |= (items[i].start ^ items->start) & one_start;
        disordered |= items[i].end <= items[i - 1].end;
    }
    return different == 0 && !disordered;
}

/* Room for sorting, as much as the largest series so far needed. */
struct sorting {
    struct item *scratch;
    size_t room;
};

/* Sorts and merges the items of a series where that is needed, and makes runs of them. */
static enum varve_status make_runs(struct build *build, uint32_t series, uint32_t first,
                                   size_t count, struct sorting *sorting, struct varve_err *err)
{
    struct item *items = build->items + first;
    if (count > 1 && !is_plain(items, count)) {
        struct findings found = look(items, count);
        if (!found.sorted && count > sorting->room) {
            sorting->room = count * 2;
            sorting->scratch =
                build_array(build, sorting->room / 2 + 1, sizeof *sorting->scratch, err);
            if (!sorting->scratch)
                return VARVE_NOMEM;
        }
        if (!found.sorted) {
            sort(items, sorting->scratch, count);
            found.merge |= look(items, count).merge;
        }
        if (found.merge)
            count = merge(items, count);
    }
    return cut(build, series, first, count, err);
}

static void clear_runs(struct build *build)
{
    build->run_count = build->rows = build->series_count = 0;
    build->first = INT64_MAX;
    build->last = INT64_MIN;
}

/* Rows that stand series by series become items where they are. */
static enum varve_status
take_own(struct build *build, struct row *rows, size_t count, struct varve_err *err)
{
    _Static_assert(sizeof(struct item) <= sizeof(struct row), "an item takes a row's place");
    struct sorting sorting = {NULL, 0};
    build->items = (struct item *)rows;
    for (size_t i = 0, from = 0; i < count; from = i) {
        struct row row = rows[i];
        uint32_t series = row.series;
        assert(series < build->rowset->series_count && row.mode < ROW_MODES);
        do {
            build->items[i] = item_of(&row);
            if (++i < count)
                row = rows[i];
        } while (i < count && row.series == series);
        build->series[build->series_count].id = series;
        TRY(make_runs(build, build->series_count, (uint32_t)from, i - from, &sorting, err));
        build->series_count++;
    }
    return VARVE_OK;
}

/* Items and runs of rows that stand series by series, as those of a batch do; *done: they did. */
static enum varve_status take_grouped(struct build *build, const uint32_t *index, size_t count,
                                      bool *done, struct varve_err *err)
{
    const struct row *rows = build->rowset->rows;
    struct segment_marks *marks = &build->builder->series;
    struct sorting sorting = {NULL, 0};
    *done = false;
    TRY(marks_begin(marks, build->builder->mem, build->rowset->series_count, err));
    for (size_t i = 0, from = 0; i < count; from = i) {
        const struct row *row = &rows[index ? index[i] : i];
        uint32_t series = row->series, before = build->series_count;
        assert(series < build->rowset->series_count);
        marks_local(marks, series, &build->series_count);
        if (build->series_count == before)
            return VARVE_OK;
        build->series[before].id = series;
        do {
            build->items[i] = item_of(row);
            row = ++i < count ? &rows[index ? index[i] : i] : NULL;
        } while (row && row->series == series);
        TRY(make_runs(build, before, (uint32_t)from, i - from, &sorting, err));
    }
    *done = true;
    return VARVE_OK;
}

static enum varve_status
take_any(struct build *build, const uint32_t *index, size_t count, struct varve_err *err)
{
    struct sorting sorting = {NULL, 0};
    uint32_t *local = build_array(build, count, sizeof *local, err);
    if (!local)
        return VARVE_NOMEM;
    TRY(collect(build, index, count, local, err));
    uint32_t *ends = build_array(build, build->series_count + (size_t)1, sizeof *ends, err);
    if (!ends)
        return VARVE_NOMEM;
    memset(ends, 0, (build->series_count + (size_t)1) * sizeof *ends);
    scatter(build, index, count, local, ends);
    for (uint32_t s = 0, first = 0; s < build->series_count; first = ends[s++])
        TRY(make_runs(build, s, first, ends[s] - first, &sorting, err));
    return VARVE_OK;
}

enum varve_status build_rows(struct build *build, const uint32_t *index, size_t count,
                             struct row *own, struct varve_err *err)
{
    size_t most = count < build->rowset->series_count ? count : build->rowset->series_count;
    bool done;
    clear_runs(build);
    build->series = build_array(build, most, sizeof *build->series, err);
    if (!build->series)
        return VARVE_NOMEM;
    if (own)
        return take_own(build, own, count, err);
    build->items = build_array(build, count, sizeof *build->items, err);
    if (!build->items)
        return VARVE_NOMEM;
    TRY(take_grouped(build, index, count, &done, err));
    if (done)
        return VARVE_OK;
    clear_runs(build);
    return take_any(build, index, count, err);
}
