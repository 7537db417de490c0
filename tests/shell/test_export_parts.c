/* SPDX-License-Identifier: Apache-2.0
 *
 * test_export_parts.c -- what an export is made of: numbers, texts, names of Prometheus, and
 * readings from increments.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../base/unit.h"
#include "shell/export_out.h"
#include "shell/export_promname.h"
#include "shell/export_stream.h"

#define HOUR INT64_C(3600000000000)
#define DAY (24 * HOUR)

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_texts),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_known_start), cmocka_unit_test(test_no_start),
        cmocka_unit_test(test_from_zero),   cmocka_unit_test(test_doubles_subtract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
