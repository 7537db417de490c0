/* SPDX-License-Identifier: Apache-2.0
 *
 * test_segment.c -- what goes into a metric segment comes out, and queries see it right.
 *
 * The oracle is the rows themselves: settled (readings and adjustments added up)
 * they must be the loaded ones, and what queries ask -- runs, codes, sums, times, values --
 * must be what follows from the loaded rows.
 */
#include "../base/unit.h"
#include "base/fsum.h"
#include "random_rows.h"
#include "store/extract.h"
#include "store/segment.h"
#include "store/text_codec.h"

#include <math.h>
#include <string.h>

enum { SEED = 42, PLACE = 1000 };

/* A store in small: rows, a builder, the bytes, the reader of them. */
struct bench {
    struct mem mem;
    struct rowset set, loaded;
    struct segment_builder builder;
    struct buf bytes, again;
    struct arena arena;
    struct segment segment;
};
static struct bench bench;

static int setup(void **state)
{
    (void)state;
    mem_init(&bench.mem, NULL, 0);
    buf_init(&bench.bytes, &bench.mem, 1 << 30);
    buf_init(&bench.again, &bench.mem, 1 << 30);
    arena_init(&bench.arena, &bench.mem, 1 << 14);
    return rowset_init(&bench.set, &bench.mem, SEED, NULL) != VARVE_OK ||
           rowset_init(&bench.loaded, &bench.mem, SEED, NULL) != VARVE_OK ||
           segment_builder_init(&bench.builder, &bench.mem, NULL) != VARVE_OK;
}

static int teardown(void **state)
{
    (void)state;
    rowset_free(&bench.set);
    rowset_free(&bench.loaded);
    segment_builder_free(&bench.builder);
    buf_free(&bench.bytes);
    buf_free(&bench.again);
    arena_free(&bench.arena);
    return bench.mem.used != 0;
}

static void ok(enum varve_status status, const struct varve_err *err)
{
    if (status != VARVE_OK)
        fail_msg("status %d: %s: %s", status, err->place, err->message);
}

static void clear(void)
{
    assert_int_equal(rowset_clear(&bench.set, NULL), VARVE_OK);
    assert_int_equal(rowset_clear(&bench.loaded, NULL), VARVE_OK);
    buf_clear(&bench.bytes);
    buf_clear(&bench.again);
    arena_clear(&bench.arena);
}

static void build(const struct rowset *rowset, struct buf *bytes)
{
    struct varve_err err = {0};
    ok(segment_build(&bench.builder, rowset, NULL, 0, PLACE, bytes, &err), &err);
}

static void open_bytes(void)
{
    struct varve_err err = {0};
    ok(segment_open(&bench.segment, &bench.arena, bench.builder.texts, bench.bytes.data,
                    bench.bytes.size, PLACE, "day 2026-10-08, metrics", &err),
       &err);
}

/* Builds, opens, verifies and loads. */
static void round_trip(void)
{
    struct varve_err err = {0};
    build(&bench.set, &bench.bytes);
    open_bytes();
    ok(segment_verify(&bench.segment, &err), &err);
    ok(segment_load(&bench.segment, &bench.loaded, &err), &err);
}

/* ---- small ways to make rows ---- */

static struct varve_str text(const char *zero_terminated)
{
    return (struct varve_str){zero_terminated, strlen(zero_terminated)};
}

static uint32_t series_of(const char *metric, const char *user, const char *type)
{
    struct varve_label label[2] = {{STR("user"), text(user)}, {STR("type"), text(type)}};
    uint32_t m, set, series;
    assert_int_equal(rowset_metric(&bench.set, text(metric), STR("n"), 1, 0, &m, NULL), VARVE_OK);
    assert_int_equal(rowset_labels(&bench.set, 0, label, 2, &set, NULL), VARVE_OK);
    assert_int_equal(rowset_series(&bench.set, m, set, &series, NULL), VARVE_OK);
    return series;
}

static void add(uint32_t series, enum row_mode mode, int64_t start, int64_t end, int64_t value)
{
    struct row row = {
        .series = series, .mode = (uint8_t)mode, .start = start, .end = end, .value = value};
    assert_int_equal(rowset_row(&bench.set, &row, NULL), VARVE_OK);
}

static void add_double(uint32_t series, enum row_mode mode, int64_t start, int64_t end, double v)
{
    struct row row = {
        .series = series, .mode = (uint8_t)mode, .is_float = 1, .start = start, .end = end};
    memcpy(&row.value, &v, sizeof v);
    assert_int_equal(rowset_row(&bench.set, &row, NULL), VARVE_OK);
}

/* What a settled row must be. */
static void expect(size_t i, enum row_mode mode, int64_t start, int64_t end, int64_t value)
{
    assert_true(i < bench.loaded.row_count);
    const struct row *row = &bench.loaded.rows[i];
    assert_int_equal(row->mode, mode);
    assert_int_equal(row->start, start);
    assert_int_equal(row->end, end);
    assert_int_equal(row->value, value);
}

/* ---- what queries see ---- */

/* The loaded rows in the order of the runs: a cursor over them. */
static size_t next_row;

static void check_labels(const struct row *row, uint32_t run)
{
    uint32_t set = bench.loaded.series[row->series].set, labels = 0;
    for (uint32_t k = 0; k < bench.segment.key_count; k++) {
        const struct varve_str *texts;
        uint32_t code, count;
        assert_int_equal(segment_codes(&bench.segment, k, run, 1, &code, NULL), VARVE_OK);
        assert_int_equal(segment_dictionary(&bench.segment, k, &bench.arena, &texts, &count, NULL),
                         VARVE_OK);
        assert_true(code < count);
        struct varve_str value = rowset_label(&bench.loaded, set, bench.segment.keys[k]);
        assert_true(str_equal(texts[code], value));
        assert_int_equal(segment_find_key(&bench.segment, bench.segment.keys[k]), k);
        labels += value.size > 0;
    }
    assert_int_equal(labels, bench.loaded.sets[set].count);
}

/* Times read in two stretches, values by the range. */
static void check_rows(const struct segment_runs *runs, uint32_t r, const struct column *column)
{
    int64_t starts[4096], ends[4096], ints[4096];
    double floats[4096];
    uint32_t n = runs->rows[r], half = n / 2, t = runs->time[r];
    assert_true(n <= 4096);
    assert_int_equal(
        segment_times(&bench.segment, t, half, n - half, starts + half, ends + half, NULL),
        VARVE_OK);
    assert_int_equal(segment_times(&bench.segment, t, 0, half, starts, ends, NULL), VARVE_OK);
    assert_int_equal(runs->first[r], ends[0]);
    assert_int_equal(runs->last[r], ends[n - 1]);
    assert_int_equal(runs->first_start[r], starts[0]);
    if (r < runs->ints)
        assert_int_equal(column_int_range(column, runs->row_at[r], n, ints, NULL), VARVE_OK);
    else
        assert_int_equal(column_float_range(column, runs->row_at[r], n, floats, NULL), VARVE_OK);
    for (uint32_t i = 0; i < n; i++) {
        const struct row *row = &bench.loaded.rows[next_row++];
        assert_int_equal(row->mode, runs->mode[r]);
        assert_int_equal(row->is_float, r >= runs->ints);
        assert_int_equal(row->start, starts[i]);
        assert_int_equal(row->end, ends[i]);
        if (r < runs->ints)
            assert_int_equal(row->value, ints[i]);
        else
            assert_memory_equal(&row->value, &floats[i], sizeof floats[i]);
    }
}

static void check_sum(const struct segment_runs *runs, uint32_t r, const int64_t *sums,
                      const double *high, const double *low)
{
    const struct row *rows = &bench.loaded.rows[next_row - runs->rows[r]];
    struct fsum sum;
    uint64_t ints = 0;
    fsum_clear(&sum);
    for (uint32_t i = 0; i < runs->rows[r]; i++) {
        double v;
        memcpy(&v, &rows[i].value, sizeof v);
        if (rows[i].is_float)
            fsum_add(&sum, v);
        ints += (uint64_t)rows[i].value;
    }
    if (r < runs->ints) {
        assert_int_equal(sums[r], (int64_t)ints);
        return;
    }
    double h = high[r - runs->ints];
    if (isnan(h))
        return;
    fsum_add(&sum, -h);
    fsum_add(&sum, -low[r - runs->ints]);
    assert_true(isinf(h) || fsum_result(&sum) == 0);
}

static void check_metric(uint32_t m)
{
    const struct segment_metric *metric = &bench.segment.metrics[m];
    struct segment_runs runs;
    struct column ints, floats;
    const int64_t *sums;
    const double *high, *low;
    uint64_t points = 0;
    assert_int_equal(segment_find_metric(&bench.segment, metric->name), m);
    assert_int_equal(segment_runs(&bench.segment, m, &bench.arena, &runs, NULL), VARVE_OK);
    assert_int_equal(runs.ints, metric->int_runs);
    assert_int_equal(runs.count, metric->int_runs + metric->float_runs);
    assert_int_equal(segment_ints(&bench.segment, m, &ints, NULL),
                     runs.ints ? VARVE_OK : VARVE_NOTFOUND);
    assert_int_equal(segment_floats(&bench.segment, m, &floats, NULL),
                     metric->float_runs ? VARVE_OK : VARVE_NOTFOUND);
    assert_int_equal(segment_int_sums(&bench.segment, m, &bench.arena, &sums, NULL), VARVE_OK);
    assert_int_equal(segment_float_sums(&bench.segment, m, &bench.arena, &high, &low, NULL),
                     VARVE_OK);
    for (uint32_t r = 0; r < runs.count; r++) {
        check_labels(&bench.loaded.rows[next_row], metric->first_run + r);
        check_rows(&runs, r, r < runs.ints ? &ints : &floats);
        check_sum(&runs, r, sums, high, low);
        points += runs.mode[r] == ROW_ADJUST || runs.mode[r] == ROW_BASE ? 0 : runs.rows[r];
    }
    assert_int_equal(metric->points, points);
}

/* The loaded rows stand in the order of the runs. */
static void check_queries(void)
{
    next_row = 0;
    for (uint32_t m = 0; m < bench.segment.metric_count; m++)
        check_metric(m);
    assert_int_equal(next_row, bench.loaded.row_count);
    assert_int_equal(next_row, bench.segment.blob.head.rows);
    assert_int_equal(segment_find_metric(&bench.segment, STR("no such")), UINT32_MAX);
    assert_int_equal(segment_find_key(&bench.segment, STR("no such")), UINT32_MAX);
}

static void settle(void)
{
    settle_rows(&bench.set);
    settle_rows(&bench.loaded);
}

/* ---- tests ---- */

static void test_random(void **state)
{
    (void)state;
    struct prng prng = prng_start(20261008);
    for (int round = 0; round < 120; round++) {
        clear();
        random_rows(&bench.set, &prng, (size_t)1 << prng_below(&prng, 13));
        round_trip();
        check_queries();
        settle();
        assert_true(same_rows(&bench.set, &bench.loaded));
    }
}

static void test_order_does_not_matter(void **state)
{
    (void)state;
    struct prng prng = prng_start(7);
    for (int round = 0; round < 60; round++) {
        clear();
        random_rows(&bench.set, &prng, 2000);
        round_trip();
        shuffle_rows(&bench.set, &prng);
        build(&bench.set, &bench.again);
        assert_int_equal(bench.again.size, bench.bytes.size);
        assert_memory_equal(bench.again.data, bench.bytes.data, bench.bytes.size);
        buf_clear(&bench.again); /* other numbers for texts, sets and series */
        build(&bench.loaded, &bench.again);
        assert_int_equal(bench.again.size, bench.bytes.size);
        assert_memory_equal(bench.again.data, bench.bytes.data, bench.bytes.size);
    }
}

static void test_part_of_a_rowset(void **state)
{
    (void)state;
    struct prng prng = prng_start(3);
    struct varve_err err = {0};
    uint32_t index[512], count = 0;
    clear();
    random_rows(&bench.set, &prng, 5000);
    for (uint32_t i = 0; i < bench.set.row_count && count < 512; i += 1 + i % 3)
        index[count++] = i;
    ok(segment_build(&bench.builder, &bench.set, index, count, PLACE, &bench.bytes, &err), &err);
    open_bytes();
    ok(segment_verify(&bench.segment, &err), &err);
    ok(segment_load(&bench.segment, &bench.loaded, &err), &err);
    for (uint32_t i = 0; i < count; i++)
        bench.set.rows[i] = bench.set.rows[index[i]];
    bench.set.row_count = count;
    settle();
    assert_true(same_rows(&bench.set, &bench.loaded));
}

/* Rows taken out of a rowset make the same bytes as they do where they are. */
static void test_extracts(void **state)
{
    (void)state;
    struct prng prng = prng_start(4);
    struct varve_err err = {0};
    struct extract_maps maps;
    struct arena arena;
    uint32_t index[2048];
    arena_init(&arena, &bench.mem, 1 << 12);
    for (int round = 0; round < 20; round++) {
        clear();
        arena_clear(&arena);
        random_rows(&bench.set, &prng, 2000);
        ok(extract_begin(&maps, &bench.set, &arena, &err), &err);
        for (uint32_t part = 0; part < 3; part++) {
            struct rowset extract;
            uint32_t count = 0;
            for (uint32_t i = part; i < bench.set.row_count && count < 2048; i += 1 + part)
                index[count++] = i;
            if (count == 0)
                continue;
            buf_clear(&bench.bytes);
            buf_clear(&bench.again);
            ok(segment_build(&bench.builder, &bench.set, index, count, PLACE, &bench.bytes, &err),
               &err);
            ok(extract_rows(&maps, &extract, &bench.set, index, count, &arena, &err), &err);
            assert_int_equal(extract.row_count, count);
            for (uint32_t i = 1; i < count; i++)
                assert_in_range(extract.rows[i].series, extract.rows[i - 1].series,
                                extract.rows[i - 1].series + (uint64_t)1);
            ok(segment_build_extract(&bench.builder, &extract, PLACE, &bench.again, &err), &err);
            assert_int_equal(bench.again.size, bench.bytes.size);
            assert_memory_equal(bench.again.data, bench.bytes.data, bench.bytes.size);
            rowset_free(&extract);
        }
    }
    arena_free(&arena);
}

static void test_nothing(void **state)
{
    (void)state;
    clear();
    round_trip();
    check_queries();
    assert_int_equal(bench.loaded.row_count, 0);
    assert_int_equal(bench.segment.metric_count, 0);
}

static void test_readings_and_adjustments(void **state)
{
    (void)state;
    clear();
    uint32_t s = series_of("m", "u", "t");
    add(s, ROW_CUMULATIVE, 100, 200, 50);
    add(s, ROW_ADJUST, 100, 200, -20);
    add(s, ROW_CUMULATIVE, 100, 200, 3);
    add(s, ROW_ADJUST, 100, 300, -7); /* no partner here */
    add(s, ROW_ADJUST, 90, 200, -8);  /* of another count */
    add(s, ROW_CUMULATIVE, 0, 200, 5);
    add(s, ROW_ADJUST, 0, 200, -5); /* nothing is left, but a reading there was */
    add(s, ROW_BASE, 0, 150, 1000);
    add(s, ROW_BASE, 0, 150, 1000);
    round_trip();
    check_queries();
    settle_rows(&bench.loaded);
    assert_int_equal(bench.loaded.row_count, 6);
    expect(0, ROW_BASE, 0, 150, 1000);
    expect(1, ROW_BASE, 0, 150, 1000);
    expect(2, ROW_CUMULATIVE, 0, 200, 0);
    expect(3, ROW_ADJUST, 90, 200, -8);
    expect(4, ROW_CUMULATIVE, 100, 200, 33);
    expect(5, ROW_ADJUST, 100, 300, -7);
    assert_int_equal(bench.segment.metrics[0].points, 2);
    assert_int_equal(bench.segment.metrics[0].series, 1);
}

/* Sums that would not be exact are not made. */
static void test_inexact_merges(void **state)
{
    (void)state;
    clear();
    uint32_t s = series_of("m", "u", "t");
    add_double(s, ROW_CUMULATIVE, 1, 2, 0.5);
    add_double(s, ROW_ADJUST, 1, 2, -0.25);
    add_double(s, ROW_CUMULATIVE, 1, 3, 1e16);
    add_double(s, ROW_ADJUST, 1, 3, -0.5);
    add(s, ROW_CUMULATIVE, 1, 4, INT64_MAX);
    add(s, ROW_CUMULATIVE, 1, 4, INT64_MAX);
    add(s, ROW_CUMULATIVE, 1, 5, INT64_MAX);
    add(s, ROW_CUMULATIVE, 1, 5, 1);
    add(s, ROW_ADJUST, 1, 5, -1);
    round_trip();
    check_queries();
    assert_int_equal(bench.loaded.row_count, 6);
    settle();
    assert_true(same_rows(&bench.set, &bench.loaded));
    expect(0, ROW_CUMULATIVE, 1, 4, INT64_MAX);
    expect(1, ROW_CUMULATIVE, 1, 4, INT64_MAX);
    expect(2, ROW_CUMULATIVE, 1, 5, INT64_MAX);
    double v;
    memcpy(&v, &bench.loaded.rows[3].value, sizeof v);
    assert_true(v == 0.25);
}

/* A run's sum never leaves 64 bits: the run is cut before. */
static void test_sums_do_not_wrap(void **state)
{
    (void)state;
    clear();
    uint32_t s = series_of("m", "u", "t");
    for (int i = 0; i < 20; i++)
        add(s, ROW_DELTA, i, i + 1, i < 10 ? INT64_MAX / 3 : INT64_MIN / 3);
    round_trip();
    check_queries();
    struct segment_runs runs;
    assert_int_equal(segment_runs(&bench.segment, 0, &bench.arena, &runs, NULL), VARVE_OK);
    assert_true(runs.count > 1);
    i128 total = 0;
    const int64_t *sums;
    assert_int_equal(segment_int_sums(&bench.segment, 0, &bench.arena, &sums, NULL), VARVE_OK);
    for (uint32_t r = 0; r < runs.count; r++)
        total += sums[r];
    assert_true(total == (i128)(INT64_MAX / 3) * 10 + (i128)(INT64_MIN / 3) * 10);
}

/* Five counters of a session have the times of one. */
static void test_timelines_are_shared(void **state)
{
    (void)state;
    static const char *const types[] = {"a", "b", "c", "d"};
    clear();
    for (int i = 0; i < 30; i++) {
        int64_t minute = 6000 + i * 60;
        for (int t = 0; t < 4; t++)
            add(series_of("tokens", "u", types[t]), ROW_DELTA, minute - i % 2, minute + 60, i);
        add_double(series_of("cost", "u", "t"), ROW_DELTA, minute - i % 2, minute + 60, i);
        add(series_of("tokens", "v", "a"), ROW_DELTA, minute - (i == 29), minute + 60, i);
    }
    round_trip();
    check_queries();
    assert_int_equal(bench.segment.run_count, 6);
    assert_int_equal(bench.segment.time_count, 2);
}

/* Long timelines cross blocks; reading them in stretches of any length gives the same. */
static void test_stretches(void **state)
{
    (void)state;
    enum { ROWS = 5000 };
    static int64_t starts[ROWS], ends[ROWS], some_starts[ROWS], some_ends[ROWS];
    struct prng prng = prng_start(11);
    clear();
    int64_t at = 1000;
    for (int i = 0; i < ROWS; i++) {
        starts[i] = at - (int64_t)prng_below(&prng, 3);
        ends[i] = at += 1 + (int64_t)prng_below(&prng, 100);
        add(series_of("m", "u", "t"), ROW_DELTA, starts[i], ends[i], i);
        add(series_of("m", "u", "g"), ROW_GAUGE, 0, ends[i] + 5, i);
    }
    round_trip();
    struct segment_runs runs;
    assert_int_equal(segment_runs(&bench.segment, 0, &bench.arena, &runs, NULL), VARVE_OK);
    uint32_t delta = runs.mode[0] == ROW_DELTA ? 0 : 1;
    for (int round = 0; round < 300; round++) {
        uint32_t from = (uint32_t)prng_below(&prng, ROWS);
        uint32_t n = (uint32_t)prng_below(&prng, ROWS - from + 1);
        bool gauge = prng_below(&prng, 4) == 0;
        int64_t *to = prng_below(&prng, 3) ? some_starts : NULL;
        assert_int_equal(segment_times(&bench.segment, runs.time[gauge ? !delta : delta], from, n,
                                       to, some_ends, NULL),
                         VARVE_OK);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(some_ends[i], ends[from + i] + (gauge ? 5 : 0));
            assert_true(!to || some_starts[i] == (gauge ? 0 : starts[from + i]));
        }
    }
    assert_int_equal(segment_times(&bench.segment, 0, ROWS, 1, NULL, some_ends, NULL),
                     VARVE_MISUSE);
    assert_int_equal(segment_times(&bench.segment, 2, 0, 1, NULL, some_ends, NULL), VARVE_MISUSE);
}

/* Labels that follow from others cost nothing a run, whoever has how many values. */
static void test_what_follows_from_what(void **state)
{
    (void)state;
    clear();
    char session[40], user[40], mail[40];
    uint32_t m, set, series;
    assert_int_equal(rowset_metric(&bench.set, STR("m"), STR(""), 1, 0, &m, NULL), VARVE_OK);
    for (int i = 0; i < 4000; i++) {
        int s = i / 4;
        snprintf(session, sizeof session, "s%d", s);
        snprintf(user, sizeof user, "u%d", s * 7919 % 100);
        snprintf(mail, sizeof mail, "%d@x.io", s * 7919 % 100);
        struct varve_label label[] = {{STR("session"), text(session)},
                                      {STR("user"), text(user)},
                                      {STR("mail"), text(mail)},
                                      {STR("org"), STR("one")},
                                      {STR("type"), text(i % 4 ? "in" : "out")},
                                      {STR("n"), text(i % 4 < 2 ? "1" : "2")}};
        assert_int_equal(rowset_labels(&bench.set, 0, label, 6, &set, NULL), VARVE_OK);
        assert_int_equal(rowset_series(&bench.set, m, set, &series, NULL), VARVE_OK);
        add(series, ROW_GAUGE, 0, s, i);
    }
    round_trip();
    settle();
    assert_true(same_rows(&bench.set, &bench.loaded));
    size_t codes = 0;
    for (uint32_t i = 0; i < bench.segment.blob.sections; i++)
        if (bench.segment.blob.entries[i].id == 4)
            codes += bench.segment.blob.entries[i].size;
    assert_true(codes < 1000); /* 4000 runs of five keys that vary */
}

static void test_limits(void **state)
{
    (void)state;
    struct varve_err err = {0};
    clear();
    size_t rows = bench.set.row_count;
    bench.set.row_count = SEGMENT_ROWS_MOST + (size_t)1; /* refused before one is looked at */
    assert_int_equal(segment_build(&bench.builder, &bench.set, NULL, 0, PLACE, &bench.bytes, &err),
                     VARVE_LIMIT);
    bench.set.row_count = rows;
    assert_string_equal(err.message, "16777217 rows in a segment, at most 16777216 are possible");
    buf_free(&bench.again);
    buf_init(&bench.again, &bench.mem, 10);
    add(series_of("m", "u", "t"), ROW_DELTA, 1, 2, 3);
    assert_int_equal(segment_build(&bench.builder, &bench.set, NULL, 0, PLACE, &bench.again, &err),
                     VARVE_LIMIT);
    buf_free(&bench.again);
    buf_init(&bench.again, &bench.mem, 1 << 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_part_of_a_rowset),
        cmocka_unit_test(test_extracts),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_readings_and_adjustments),
        cmocka_unit_test(test_inexact_merges),
        cmocka_unit_test(test_sums_do_not_wrap),
        cmocka_unit_test(test_timelines_are_shared),
        cmocka_unit_test(test_stretches),
        cmocka_unit_test(test_what_follows_from_what),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
