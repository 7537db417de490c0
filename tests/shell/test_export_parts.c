/* SPDX-License-Identifier: Apache-2.0
 *
 * test_export_parts.c -- what an export is made of: numbers, texts, names of Prometheus, and
 * readings from increments, series in passes.
 */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/unit.h"
#include "shell/export_gather.h"
#include "shell/export_out.h"
#include "shell/export_promname.h"
#include "shell/export_stream.h"

#define HOUR INT64_C(3600000000000)
#define DAY (24 * HOUR)
#define BEGIN (20000 * DAY)

static void holds(const struct out *out, const char *wanted)
{
    assert_int_equal(out->error, 0);
    assert_int_equal(out->used, strlen(wanted));
    assert_memory_equal(out->data, wanted, out->used);
}

/* ---- numbers and texts -------------------------------------------------- */

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *whole, *nano;
    } cases[] = {{0, "0", "0"},
                 {-1, "-1", "-0.000000001"},
                 {246822750, "246822750", "0.24682275"},
                 {-3000000000, "-3000000000", "-3"},
                 {INT64_MAX, "9223372036854775807", "9223372036.854775807"},
                 {INT64_MIN, "-9223372036854775808", "-9223372036.854775808"}};
    struct out out;
    out_init(&out, -1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        out.used = 0;
        out_int(&out, cases[i].value);
        holds(&out, cases[i].whole);
        out.used = 0;
        out_nano(&out, cases[i].value);
        holds(&out, cases[i].nano);
    }
    out_free(&out);
}

static void test_doubles(void **state)
{
    (void)state;
    static const double values[] = {0.1,     1.0 / 3, 0.1 + 0.2,         1e22, -0.0, DBL_MAX,
                                    DBL_MIN, 5e-324,  9007199254740993.0};
    struct out out;
    out_init(&out, -1);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        out.used = 0;
        out_double(&out, values[i]);
        out_bytes(&out, "", 1);
        double back = strtod(out.data, NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    out.used = 0;
    out_double(&out, 0.1);
    holds(&out, "0.1");
    out.used = 0;
    out_double(&out, -0.0); /* "-0" is an integer to a reader of JSON */
    holds(&out, "-0.0");
    out_free(&out);
}

static void test_texts(void **state)
{
    (void)state;
    struct out out;
    out_init(&out, -1);
    out_json(&out, varve_str("a \"b\" \\ \n\t\x01 \xc3\xa9"));
    holds(&out, "\"a \\\"b\\\" \\\\ \\n\\u0009\\u0001 \xc3\xa9\"");
    out.used = 0;
    promname_escape(&out, varve_str("a \"b\" \\ \n\t"));
    holds(&out, "a \\\"b\\\" \\\\ \\n\t");
    out_free(&out);
}

/* ---- names -------------------------------------------------------------- */

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *metric, *unit;
        enum varve_kind kind;
        const char *family, *word;
    } cases[] = {
        {"claude_code.cost.usage", "USD", VARVE_COUNTER, "claude_code_cost_usage_USD", "USD"},
        {"claude_code.active_time.total", "s", VARVE_COUNTER, "claude_code_active_time_seconds",
         "seconds"},
        {"queue.seconds.spent", "s", VARVE_COUNTER, "queue_seconds_spent", ""},
        {"size.bytes", "By", VARVE_GAUGE, "size_bytes", "bytes"},
        {"jobs.total", "", VARVE_GAUGE, "jobs_total", ""},
        {"99.odd name", "{thing}", VARVE_GAUGE, "_99_odd_name", ""},
        {"total", "", VARVE_COUNTER, "_", ""},
        {"\xc3\xa9", "1", VARVE_GAUGE, "_", ""}};
    struct varve_str word;
    struct out out;
    out_init(&out, -1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        promname_family(&out, varve_str(cases[i].metric), varve_str(cases[i].unit), cases[i].kind,
                        &word);
        holds(&out, cases[i].family);
        assert_int_equal(word.size, strlen(cases[i].word));
        assert_memory_equal(word.data, cases[i].word, word.size);
    }
    promname_label(&out, varve_str("user.email"));
    holds(&out, "user_email");
    promname_label(&out, varve_str("2nd"));
    holds(&out, "_2nd");
    out_free(&out);
}

/* ---- readings ----------------------------------------------------------- */

static struct gathered_row row(enum varve_form form, int64_t start, int64_t end, int64_t value)
{
    return (struct gathered_row){.start = start, .end = end, .value = value, .form = (uint8_t)form};
}
#define CUMULATIVE(start, end, value) row(VARVE_FORM_CUMULATIVE, start, end, value)
#define ADJUSTMENT(start, end, value) row(VARVE_FORM_ADJUSTMENT, start, end, value)
#define BASELINE(start, end, value) row(VARVE_FORM_BASELINE, start, end, value)

static void
reads(const struct gathered_row *rows, size_t count, const int64_t (*wanted)[2], size_t readings)
{
    struct readings got = {0};
    assert_true(stream_readings(rows, count, &got));
    assert_int_equal(got.count, readings);
    for (size_t i = 0; i < readings; i++) {
        assert_int_equal(got.list[i].end, wanted[i][0]);
        assert_false(got.list[i].is_float);
        assert_int_equal(got.list[i].i, wanted[i][1]);
    }
    readings_free(&got);
}
#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define READS(rows, wanted) reads(rows, COUNT(rows), wanted, COUNT(wanted))

static void test_known_start(void **state)
{
    (void)state;
    /* 9 was read at 2 before 5 was at 1: a part of the increment moved. */
    const struct gathered_row rows[] = {CUMULATIVE(7, 1, 5), CUMULATIVE(7, 2, 9),
                                        ADJUSTMENT(7, 2, -5), CUMULATIVE(7, 3, 0)};
    const int64_t wanted[][2] = {{1, 5}, {2, 9}, {3, 9}};
    READS(rows, wanted);
}

static void test_no_start(void **state)
{
    (void)state;
    /* 25 at 2, 40 at 3, then the first reading after all, 20 at 1; at 4 it fell to 10. */
    const struct gathered_row rows[] = {
        BASELINE(0, 1, 20),   BASELINE(0, 2, 25), CUMULATIVE(0, 2, 5), CUMULATIVE(0, 3, 15),
        CUMULATIVE(0, 4, 10), BASELINE(0, 4, 10), CUMULATIVE(0, 5, 1)};
    const int64_t wanted[][2] = {{2, 25}, {1, 20}, {3, 40}, {4, 10}, {5, 11}};
    READS(rows, wanted);
}

static void test_from_zero(void **state)
{
    (void)state;
    const int64_t zero = VARVE_FROM_ZERO;
    /* A day begins with what had been reached, where that is kept; a fall is a new beginning. */
    const struct gathered_row rows[] = {
        CUMULATIVE(zero, HOUR, 5),     CUMULATIVE(zero, 2 * HOUR, 4), CUMULATIVE(zero, DAY, 1),
        BASELINE(zero, DAY, 10),       CUMULATIVE(zero, DAY + 1, 3),  BASELINE(zero, DAY + 1, 3),
        CUMULATIVE(zero, 2 * DAY, 50),
    };
    const int64_t wanted[][2] = {{HOUR, 5}, {2 * HOUR, 9}, {DAY, 10}, {DAY + 1, 3}, {2 * DAY, 50}};
    READS(rows, wanted);
}

/* What a store would subtract is what it has subtracted before. */
static void test_doubles_subtract(void **state)
{
    (void)state;
    const double read[] = {0.1, 0.30000000000000004, 0.7, 1e6 + 0.1, 1e6 + 1.0 / 3};
    struct gathered_row rows[COUNT(read)];
    struct readings got = {0};
    for (size_t i = 0; i < COUNT(read); i++) {
        double rise = i ? read[i] - read[i - 1] : read[0];
        rows[i] = CUMULATIVE(7, (int64_t)i, 0);
        rows[i].is_float = 1;
        memcpy(&rows[i].value, &rise, sizeof rise);
    }
    assert_true(stream_readings(rows, COUNT(rows), &got));
    assert_int_equal(got.count, COUNT(rows));
    for (size_t i = 0; i < got.count; i++) {
        double rise, again = i ? got.list[i].f - got.list[i - 1].f : got.list[0].f;
        memcpy(&rise, &rows[i].value, sizeof rise);
        assert_memory_equal(&again, &rise, sizeof rise);
    }
    readings_free(&got);
}

/* ---- passes ------------------------------------------------------------- */

static struct varve_err err;

/* The readings of 40 series over three days. */
static varve *fill(const char *path)
{
    const struct varve_options options = {.flags = VARVE_CREATE};
    const struct varve_metric metric = {varve_str("m"), varve_str(""), VARVE_COUNTER};
    varve *db;
    varve_batch *batch;
    uint32_t id, set;
    assert_int_equal(varve_open(path, &options, &db, &err), VARVE_OK);
    assert_int_equal(varve_batch_new(db, &batch, &err), VARVE_OK);
    assert_int_equal(varve_batch_metric(batch, &metric, &id, &err), VARVE_OK);
    for (int i = 0; i < 40; i++) {
        char text[16];
        snprintf(text, sizeof text, "s-%d", i);
        const struct varve_label label = {varve_str("session.id"), varve_str(text)};
        assert_int_equal(varve_batch_labels(batch, VARVE_NO_LABELS, &label, 1, &set, &err),
                         VARVE_OK);
        for (int64_t day = 1; day <= 3; day++)
            assert_int_equal(varve_batch_counter(batch, id, set, VARVE_CUMULATIVE, BEGIN,
                                                 BEGIN + day * DAY, varve_int(day * (i + 1)), &err),
                             VARVE_OK);
    }
    assert_int_equal(varve_append(db, batch, NULL, &err), VARVE_OK);
    varve_batch_free(batch);
    return db;
}

/* Every series is met in one pass, and whole. */
static void check_pass(struct gather *gather, bool seen[40])
{
    gather_sort(gather);
    for (size_t i = 0; i < gather->series_count; i++) {
        const struct gathered_series *series = &gather->series[i];
        struct varve_str label = gather_label(gather, series, 0);
        char text[16] = "";
        memcpy(text, label.data, label.size);
        int number = atoi(text + 2);
        assert_in_range(number, 0, 39);
        assert_false(seen[number]);
        seen[number] = true;
        assert_int_equal(series->rows, 3);
        const struct gathered_row *rows = gather_rows(gather, series, true);
        assert_non_null(rows);
        for (int day = 0; day < 3; day++) {
            assert_int_equal(rows[day].end, BEGIN + (day + 1) * DAY);
            assert_int_equal(rows[day].value, number + 1);
        }
    }
}

static void test_passes(void **state)
{
    (void)state;
    char directory[] = "/tmp/export-XXXXXX", command[64];
    const struct varve_str key = varve_str("session.id");
    const struct varve_query range = {.since = INT64_MIN, .until = INT64_MAX};
    varve_snapshot *snapshot;
    struct gather gather;
    assert_non_null(mkdtemp(directory));
    varve *db = fill(directory);
    assert_int_equal(varve_snapshot_open(db, &snapshot, &err), VARVE_OK);
    for (uint32_t parts = 1; parts <= 50; parts += 7) {
        bool seen[40] = {false};
        size_t series = 0;
        gather_init(&gather, &key, 1, 1 << VARVE_FORM_CUMULATIVE);
        for (uint32_t part = 0; part < parts; part++) {
            gather_begin(&gather, part, parts);
            assert_int_equal(gather_scan(&gather, snapshot, &range, varve_str("m"), 0, &err),
                             VARVE_OK);
            series += gather.series_count;
            assert_true(parts == 1 || gather.series_count < 40);
            check_pass(&gather, seen);
        }
        assert_int_equal(series, 40);
        gather_free(&gather);
    }
    varve_snapshot_close(snapshot);
    varve_close(db);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_texts),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_known_start), cmocka_unit_test(test_no_start),
        cmocka_unit_test(test_from_zero),   cmocka_unit_test(test_doubles_subtract),
        cmocka_unit_test(test_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
