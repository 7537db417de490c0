/* SPDX-License-Identifier: Apache-2.0
 *
 * test_prom_text.c -- pages of text, and what the intake is told of them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "base/err.h"
#include "fake_intake.h"
#include "ingest/decimal.h"
#include "ingest/prom_line.h"
#include "ingest/prom_text.h"

#define PAGE_TIME INT64_C(1700000000000000000)

static struct varve_str str(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

/* ---- numbers ---------------------------------------------------------------- */

static void test_decimal_times(void **state)
{
    static const struct {
        const char *text;
        int scale;
        int64_t time;
        bool fits;
    } cases[] = {
        {"1520879607.789", 9, INT64_C(1520879607789000000), true},
        {"1520879607.789123456", 9, INT64_C(1520879607789123456), true},
        {"1520879607.7891234567", 9, INT64_C(1520879607789123456), true},
        {"1.520879607789123456e9", 9, INT64_C(1520879607789123456), true},
        {"1.520879607e+09", 9, INT64_C(1520879607000000000), true},
        {"00001", 9, 1000000000, true},
        {".5", 9, 500000000, true},
        {"5.", 0, 5, true},
        {"-1.5", 0, -2, true},
        {"-0", 9, 0, true},
        {"0e999999999999", 9, 0, true},
        {"1e-999999999999", 9, 0, true},
        {"9223372036854775807", 0, INT64_MAX, true},
        {"9223372036854775808", 0, 0, false},
        {"1e10", 9, 0, false},
        {"1e999999999999", 0, 0, false},
        {"1784000000000", 6, INT64_C(1784000000000000000), true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decimal d;
        int64_t time = 0;
        assert_int_equal(decimal_scan(str(cases[i].text), &d), strlen(cases[i].text));
        assert_int_equal(decimal_scaled(&d, cases[i].scale, &time), cases[i].fits);
        if (cases[i].fits && time != cases[i].time)
            fail_msg("%s: %lld", cases[i].text, (long long)time);
    }
}

static void test_decimal_doubles(void **state)
{
    static const char *const texts[] = {"0.1",
                                        "0.018472600000000002",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "9007199254740993.0000000000000001",
                                        "9223372036854775807",
                                        "18446744073709551615",
                                        "123456789012345678901234567890",
                                        "1.7976931348623157e308",
                                        "4.9e-324",
                                        "2.2250738585072011e-308",
                                        "-0.000477",
                                        "1e22",
                                        "1e23",
                                        "8.5e-19",
                                        "0.00000000000000000000000000000000000001",
                                        "1e400",
                                        "1e-400"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct decimal d;
        assert_int_equal(decimal_scan(str(texts[i]), &d), strlen(texts[i]));
        const double got = decimal_double(&d, str(texts[i])), wanted = strtod(texts[i], NULL);
        if (memcmp(&got, &wanted, sizeof got) != 0)
            fail_msg("%s: %.17g, not %.17g", texts[i], got, wanted);
    }
    static const char *const none[] = {"", "-", ".", "+.", "e5", "x", "-e"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct decimal d;
        assert_int_equal(decimal_scan(str(none[i]), &d), 0);
    }
    struct decimal d;
    assert_int_equal(decimal_scan(str("1e"), &d), 1);
    assert_int_equal(decimal_scan(str("1.2.3"), &d), 3);
}

/* More digits than anyone writes: the last one decides. */
static void test_long_decimals(void **state)
{
    char text[3000];
    struct decimal d;
    (void)state;
    memset(text, '0', sizeof text);
    memcpy(text, "9007199254740993.", 17);
    struct varve_str s = {text, sizeof text};
    assert_int_equal(decimal_scan(s, &d), sizeof text);
    assert_true(decimal_double(&d, s) == 9007199254740992.0);
    text[sizeof text - 1] = '1';
    assert_int_equal(decimal_scan(s, &d), sizeof text);
    assert_true(decimal_double(&d, s) == 9007199254740994.0);
}

/* ---- lines ------------------------------------------------------------------ */

static void test_good_lines(void **state)
{
    static const struct {
        const char *line;
        enum prom_kind kind;
        const char *name, *text, *value, *time;
    } cases[] = {
        {"", PROM_BLANK, "", "", "", ""},
        {" \t ", PROM_BLANK, "", "", "", ""},
        {"#", PROM_BLANK, "", "", "", ""},
        {"# just words", PROM_BLANK, "", "", "", ""},
        {"#TYPE x counter", PROM_BLANK, "", "", "", ""},
        {"# TYPE x counter", PROM_TYPE, "x", "counter", "", ""},
        {"#\tTYPE\tx\tcounter ", PROM_TYPE, "x", "counter", "", ""},
        {"# TYPE \"a.b\" gauge", PROM_TYPE, "a.b", "gauge", "", ""},
        {"# HELP x", PROM_HELP, "x", "", "", ""},
        {"# HELP x some  words", PROM_HELP, "x", "some  words", "", ""},
        {"# UNIT x_seconds seconds", PROM_UNIT, "x_seconds", "seconds", "", ""},
        {"# EOF", PROM_EOF, "", "", "", ""},
        {"x 1", PROM_SAMPLE, "x", "", "1", ""},
        {"  x\t 1 \t 2 ", PROM_SAMPLE, "x", "", "1", "2"},
        {"x{} 1", PROM_SAMPLE, "x", "", "1", ""},
        {"x {}1", PROM_SAMPLE, "x", "", "1", ""},
        {"a:b_c9{d=\"e\"} 1.5e3 1.25", PROM_SAMPLE, "a:b_c9", "d=\"e\"", "1.5e3", "1.25"},
        {"x{ a = \"b\" , c=\"d\" , } +Inf", PROM_SAMPLE, "x", " a = \"b\" , c=\"d\" , ", "+Inf",
         ""},
        {"x{a=\"}\\\"{\"} NaN", PROM_SAMPLE, "x", "a=\"}\\\"{\"", "NaN", ""},
        {"x{a=\"\\\\\"} -inf -5", PROM_SAMPLE, "x", "a=\"\\\\\"", "-inf", "-5"},
        {"x{\"a b\"=\"c\"} 1", PROM_SAMPLE, "x", "\"a b\"=\"c\"", "1", ""},
        {"{\"a.b\"} 1", PROM_SAMPLE, "a.b", "\"a.b\"", "1", ""},
        {"{\"a.b\",c=\"d\"} 1 2", PROM_SAMPLE, "a.b", "\"a.b\",c=\"d\"", "1", "2"},
        {"x_bucket{le=\"1\"} 3 # {t=\"}\"} 0.5 1.0", PROM_SAMPLE, "x_bucket", "le=\"1\"", "3", ""},
        {"x 3 4 # {} 1", PROM_SAMPLE, "x", "", "3", "4"},
        {"claude_code.cost.usage 1", PROM_SAMPLE, "claude_code.cost.usage", "", "1", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prom_line line;
        prom_line_parse(&line, str(cases[i].line));
        if (line.kind != cases[i].kind || !str_equal(line.name, str(cases[i].name)) ||
            !str_equal(line.text, str(cases[i].text)) ||
            !str_equal(line.value, str(cases[i].value)) ||
            !str_equal(line.time, str(cases[i].time)))
            fail_msg("%s: kind %d, name %.*s, text %.*s, value %.*s, time %.*s", cases[i].line,
                     line.kind, STR_ARG(line.name), STR_ARG(line.text), STR_ARG(line.value),
                     STR_ARG(line.time));
    }
}

static void test_bad_lines(void **state)
{
    static const struct {
        const char *line;
        size_t column;
        const char *expected;
    } cases[] = {
        {"x", 2, "a space or '{'"},
        {"x ", 2, "a space or '{'"},
        {"x y", 3, "a value"},
        {"x 1 y", 5, "a time"},
        {"x 1 2 3", 7, "the end of the line"},
        {"x 1,5", 3, "a value"},
        {"x 0x10", 3, "a value"},
        {"x 1 NaN", 5, "a time"},
        {"9x 1", 1, "the name of a metric"},
        {"- 1", 1, "the name of a metric"},
        {"{} 1", 1, "the name of a metric"},
        {"{a=\"b\"} 1", 1, "the name of a metric"},
        {"x{a} 1", 4, "'='"},
        {"x{\"a\"} 1", 6, "'='"},
        {"{\"a\",\"b\"} 1", 9, "'='"},
        {"x{=\"b\"} 1", 3, "the name of a label"},
        {"x{a=b} 1", 5, "a value in quotes"},
        {"x{a=\"b} 1", 10, "a closing quote"},
        {"x{a=\"b\\\"} 1", 12, "a closing quote"},
        {"x{a=\"b\" c=\"d\"} 1", 9, "',' or '}'"},
        {"x{a=\"b\"", 8, "',' or '}'"},
        {"x{a=\"b\",", 9, "'}'"},
        {"x{,} 1", 3, "the name of a label"},
        {"x{a=\"b\"}", 9, "a value"},
        {"x/y 1", 2, "a space or '{'"},
        {"# TYPE", 7, "the name of a metric"},
        {"# TYPE x", 9, "a type"},
        {"# TYPE x-y gauge", 9, "the name of a metric"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prom_line line;
        prom_line_parse(&line, str(cases[i].line));
        if (line.kind != PROM_BAD || line.column != cases[i].column ||
            strcmp(line.expected, cases[i].expected) != 0)
            fail_msg("%s: kind %d, column %zu: expected %s", cases[i].line, line.kind, line.column,
                     line.kind == PROM_BAD ? line.expected : "nothing");
    }
}

/* ---- pages ------------------------------------------------------------------ */

struct page {
    struct mem mem;
    struct intake *intake;
    struct prom_text *door;
};

static void page_open(struct page *page, const struct varve_allocator *allocator)
{
    const struct intake_options options = {.seed = 1};
    mem_init(&page->mem, allocator, 0);
    page->door = NULL;
    assert_int_equal(intake_new(&options, &page->intake, NULL), VARVE_OK);
}

static void page_close(struct page *page)
{
    prom_text_free(page->door);
    intake_free(page->intake);
    assert_int_equal(page->mem.used, 0);
}

static enum varve_status give_lines(struct prom_text *door, const char *text)
{
    while (*text) {
        const size_t size = strcspn(text, "\n");
        TRY(prom_text_line(door, (struct varve_str){text, size}, NULL));
        text += size + (text[size] == '\n');
    }
    return VARVE_OK;
}

static enum varve_status give_page(struct page *page, enum varve_input input, const char *text)
{
    if (!page->door)
        TRY(prom_text_new(&page->mem, 7, page->intake, &page->door, NULL));
    prom_text_begin(page->door, input, "P", PAGE_TIME);
    TRY(give_lines(page->door, text));
    return prom_text_end(page->door, NULL);
}

/* The lines that say something new: of metrics, numbers and refusals. */
static void told(const struct page *page, char *out, size_t room)
{
    size_t used = 0;
    for (const char *at = fake_intake_lines(page->intake); *at;) {
        const size_t size = strcspn(at, "\n") + 1;
        if (strncmp(at, "metric", 6) == 0 || strncmp(at, "number", 6) == 0 ||
            strncmp(at, "reject", 6) == 0 || strncmp(at, "skip", 4) == 0) {
            assert_true(used + size < room);
            memcpy(out + used, at, size);
            used += size;
        }
        at += size;
    }
    out[used] = '\0';
}

static void check(enum varve_input input, const char *text, const char *wanted)
{
    struct page page;
    char out[8192];
    page_open(&page, NULL);
    for (int turn = 0; turn < 2; turn++) { /* the second time all labels are known */
        fake_intake_clear(page.intake);
        assert_int_equal(give_page(&page, input, text), VARVE_OK);
        told(&page, out, sizeof out);
        assert_string_equal(out, wanted);
    }
    page_close(&page);
}

#define CHECK(text, wanted) check(VARVE_INPUT_ANY, text, wanted)

static void test_types(void **state)
{
    (void)state;
    CHECK("# TYPE a counter\na_total 1\n# TYPE b gauge\nb 2.5\n",
          "metric \"a_total\" \"\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 int 1\n"
          "metric \"b\" \"\" gauge\n"
          "number {} 0 1700000000000000000 float 2.5\n");
    CHECK("# TYPE a_total counter\na_total 1\n# TYPE c counter\nc 1\n",
          "metric \"a_total\" \"\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 int 1\n"
          "metric \"c\" \"\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 int 1\n");
    CHECK("# TYPE h histogram\n# UNIT h seconds\nh_bucket{le=\"+Inf\"} 3\nh_sum 1.5\nh_count 3\n",
          "metric \"h_bucket\" \"\" sum cumulative monotonic\n"
          "number {le=\"+Inf\"} 0 1700000000000000000 int 3\n"
          "metric \"h_sum\" \"seconds\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 float 1.5\n"
          "metric \"h_count\" \"\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 int 3\n");
    CHECK("# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns{quantile=\"0.9\"} 1\ns_count 3\n",
          "metric \"s\" \"\" gauge\n"
          "number {quantile=\"0.9\"} 0 1700000000000000000 int 1\n"
          "metric \"s_count\" \"\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 int 3\n");
    CHECK("# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE u unknown\nu_total 1\nu 1\n",
          "metric \"i_info\" \"\" gauge\n"
          "number {v=\"1\"} 0 1700000000000000000 int 1\n"
          "metric \"u_total\" \"\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 int 1\n"
          "metric \"u\" \"\" gauge\n"
          "number {} 0 1700000000000000000 int 1\n");
    CHECK("# TYPE x strange\nx 1\n", "reject LINE 1\nmetric \"x\" \"\" gauge\n"
                                     "number {} 0 1700000000000000000 int 1\n");
    CHECK("# TYPE x gauge\nx 1\n# TYPE x counter\nx 2\n",
          "metric \"x\" \"\" gauge\nnumber {} 0 1700000000000000000 int 1\n"
          "metric \"x\" \"\" sum cumulative monotonic\nnumber {} 0 1700000000000000000 int 2\n");
}

static void test_known_names(void **state)
{
    (void)state;
    CHECK("claude_code_cost_usage_USD_total 1\n",
          "metric \"claude_code_cost_usage_USD_total\" \"USD\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 int 1\n");
    CHECK("claude_code_session_count 1\nsomething 2\n",
          "metric \"claude_code_session_count\" \"\" sum cumulative monotonic\n"
          "number {} 0 1700000000000000000 int 1\n"
          "metric \"something\" \"\" gauge\n"
          "number {} 0 1700000000000000000 int 2\n");
    CHECK("{\"claude_code.token.usage_tokens_total\",type=\"input\"} 5\n",
          "metric \"claude_code.token.usage_tokens_total\" \"tokens\" sum cumulative monotonic\n"
          "number {type=\"input\"} 0 1700000000000000000 int 5\n");
    CHECK("cost 1\n", "metric \"cost\" \"\" gauge\nnumber {} 0 1700000000000000000 int 1\n");
}

static void test_created(void **state)
{
    static const char wanted[] = "metric \"a_total\" \"\" sum cumulative monotonic\n"
                                 "number {x=\"1\", y=\"2\"} 1600000000123456789 "
                                 "1700000000000000000 int 5\n"
                                 "number {x=\"2\"} 0 1700000000000000000 int 6\n";
    (void)state;
    /* behind its sample, before it, with its labels in another order, as a family of its own */
    CHECK("# TYPE a counter\na_total{x=\"1\",y=\"2\"} 5\n"
          "a_created{x=\"1\",y=\"2\"} 1600000000.123456789\na_total{x=\"2\"} 6\n",
          wanted);
    CHECK("# TYPE a counter\na_created{x=\"1\",y=\"2\"} 1600000000.123456789\n"
          "a_total{x=\"1\",y=\"2\"} 5\na_total{x=\"2\"} 6\n",
          wanted);
    CHECK("# TYPE a counter\na_total{x=\"1\",y=\"2\"} 5\na_total{x=\"2\"} 6\n"
          "a_created{ y=\"2\", x=\"1\"} 1.600000000123456789e9 1700000000\n",
          wanted);
    CHECK("# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 5\na_total{x=\"2\"} 6\n"
          "# TYPE a_created gauge\na_created{x=\"1\",y=\"2\"} 1.600000000123456789e+09\n",
          wanted);
    CHECK("a_total{x=\"1\",y=\"2\"} 5\na_total{x=\"2\"} 6\n"
          "a_created{x=\"1\",y=\"2\"} 1.600000000123456789e+09\n",
          wanted);
    /* of a histogram, for all of its parts */
    CHECK("# TYPE h histogram\nh_bucket{q=\"1\",le=\"1\"} 2\nh_count{q=\"1\"} 3\n"
          "h_created{q=\"1\"} 1600000000\n",
          "metric \"h_bucket\" \"\" sum cumulative monotonic\n"
          "number {q=\"1\", le=\"1\"} 1600000000000000000 1700000000000000000 int 2\n"
          "metric \"h_count\" \"\" sum cumulative monotonic\n"
          "number {q=\"1\"} 1600000000000000000 1700000000000000000 int 3\n");
    /* one that belongs to nothing is a metric as any other */
    CHECK("# TYPE g gauge\ng 1\n# TYPE g_created gauge\ng_created 1600000000\n",
          "metric \"g\" \"\" gauge\nnumber {} 0 1700000000000000000 int 1\n"
          "metric \"g_created\" \"\" gauge\nnumber {} 0 1700000000000000000 int 1600000000\n");
    CHECK("# TYPE a counter\na_created xyz\na_created NaN\na_created 1e99\n",
          "reject LINE 1\nreject TIME 1\nreject TIME 1\n");
}

/* A file of several readings of one series, with resets between. */
static void test_created_again(void **state)
{
    (void)state;
    CHECK("# TYPE a counter\n"
          "a_total 5 1600000010\na_created 1600000000 1600000010\n"
          "a_total 7 1600000020\na_created 1600000000 1600000020\n"
          "a_total 1 1600000030\na_created 1600000025 1600000030\n"
          "a_total 9 1599999999\n",
          "metric \"a_total\" \"\" sum cumulative monotonic\n"
          "number {} 1600000000000000000 1600000010000000000 int 5\n"
          "number {} 1600000000000000000 1600000020000000000 int 7\n"
          "number {} 1600000025000000000 1600000030000000000 int 1\n"
          "number {} 0 1599999999000000000 int 9\n");
}

static void test_times_by_format(void **state)
{
    static const struct {
        enum varve_input input;
        const char *time, *wanted;
    } cases[] = {
        {VARVE_INPUT_OPENMETRICS, "1784000000.000000001", "1784000000000000001"},
        {VARVE_INPUT_OPENMETRICS, "1784000000", "1784000000000000000"},
        {VARVE_INPUT_PROMETHEUS, "1784000000123", "1784000000123000000"},
        {VARVE_INPUT_PROMETHEUS, "1784000000", "1784000000000000"},
        {VARVE_INPUT_ANY, "1784000000", "1784000000000000000"},
        {VARVE_INPUT_ANY, "1784000000.5", "1784000000500000000"},
        {VARVE_INPUT_ANY, "1784000000123", "1784000000123000000"},
        {VARVE_INPUT_ANY, "1.784000000123e12", "1784000000123000000"},
        {VARVE_INPUT_ANY, "", "1700000000000000000"},
        {VARVE_INPUT_OPENMETRICS, "17840000000", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char page[100], wanted[200] = "reject TIME 1\n";
        snprintf(page, sizeof page, "x 1 %s\n", cases[i].time);
        if (cases[i].wanted)
            snprintf(wanted, sizeof wanted, "metric \"x\" \"\" gauge\nnumber {} 0 %s int 1\n",
                     cases[i].wanted);
        check(cases[i].input, page, wanted);
    }
}

static void test_values_and_escapes(void **state)
{
    (void)state;
    CHECK("x{a=\"\\\\ \\\" \\n \\t\",\"b c\"=\"\"} 9007199254740993\n",
          "metric \"x\" \"\" gauge\n"
          "number {a=\"\\\\ \\\" \\x0a \\\\t\", \"b c\"=\"\"} 0 1700000000000000000 "
          "int 9007199254740993\n");
    CHECK("x +Inf\ny -1.5\nz 1e3\n{\"q\\\"\\n\"} 1\n",
          "metric \"x\" \"\" gauge\nnumber {} 0 1700000000000000000 float inf\n"
          "metric \"y\" \"\" gauge\nnumber {} 0 1700000000000000000 float -1.5\n"
          "metric \"z\" \"\" gauge\nnumber {} 0 1700000000000000000 float 1000\n"
          "metric \"q\\\"\\x0a\" \"\" gauge\nnumber {} 0 1700000000000000000 int 1\n");
    /* what stands between the braces of one is not between those of another */
    CHECK("{\"x\",a=\"b\"} 1\ny{\"x\",a=\"b\"} 1\n",
          "reject LINE 1\nmetric \"x\" \"\" gauge\n"
          "number {a=\"b\"} 0 1700000000000000000 int 1\n");
}

static void test_good_beside_bad(void **state)
{
    struct page page;
    char out[1000];
    (void)state;
    CHECK("x 1\nx{ 2\nx 3 # {a=\"b\"} 4\nx{a=\"b\"} 5 # {a=\"}\"} 4\n",
          "reject LINE 1\nmetric \"x\" \"\" gauge\n"
          "number {} 0 1700000000000000000 int 1\nnumber {} 0 1700000000000000000 int 3\n"
          "number {a=\"b\"} 0 1700000000000000000 int 5\n");
    page_open(&page, NULL);
    assert_int_equal(give_page(&page, VARVE_INPUT_ANY, "x 1\nx{a=b} 2\n"), VARVE_OK);
    assert_string_equal(fake_intake_message(page.intake),
                        "column 5: expected a value in quotes, found 'b} 2'");
    assert_non_null(strstr(fake_intake_lines(page.intake), "place P, line 2\nreject LINE 1\n"));
    prom_text_begin(page.door, VARVE_INPUT_ANY, "Q", PAGE_TIME);
    prom_text_lost(page.door, "too long");
    assert_non_null(strstr(fake_intake_lines(page.intake), "place Q, line 1\nreject LINE 1\n"));
    fake_intake_clear(page.intake);
    fake_intake_unwanted(page.intake, "x");
    assert_int_equal(give_page(&page, VARVE_INPUT_ANY, "x 1\ny 1\nx 2\n"), VARVE_OK);
    told(&page, out, sizeof out);
    assert_string_equal(out, "metric \"x\" \"\" gauge\nskip 2\nmetric \"y\" \"\" gauge\n"
                             "number {} 0 1700000000000000000 int 1\n");
    page_close(&page);
}

static void test_pages_behind_each_other(void **state)
{
    (void)state;
    CHECK("# TYPE x counter\nx 1\n# EOF\nx 2\n# EOF\n",
          "metric \"x\" \"\" sum cumulative monotonic\nnumber {} 0 1700000000000000000 int 1\n"
          "metric \"x\" \"\" gauge\nnumber {} 0 1700000000000000000 int 2\n");
}

/* Two writers of one series: what bears the same timestamp belongs together. */
static void test_created_of_two(void **state)
{
    (void)state;
    CHECK("# TYPE a counter\n"
          "a_total 5 1600000010\na_created 1600000000 1600000010\n"
          "a_total 1 1600000011\na_created 1600000005 1600000011\n"
          "a_total 7 1600000020\na_created 1600000000 1600000020\n"
          "a_total 2 1600000021\na_created 1600000005 1600000021\n"
          "a_total 3 1600000022\n",
          "metric \"a_total\" \"\" sum cumulative monotonic\n"
          "number {} 1600000000000000000 1600000010000000000 int 5\n"
          "number {} 1600000005000000000 1600000011000000000 int 1\n"
          "number {} 1600000000000000000 1600000020000000000 int 7\n"
          "number {} 1600000005000000000 1600000021000000000 int 2\n"
          "number {} 1600000005000000000 1600000022000000000 int 3\n");
}

/* ---- size -------------------------------------------------------------------- */

/* More series than wait at once: each counter still finds its start, and memory stays flat. */
static void test_long_pages(void **state)
{
    enum { SERIES = 150000, FAMILY = 10000 };
    struct page page;
    size_t starts = 0, samples = 0;
    (void)state;
    page_open(&page, NULL);
    assert_int_equal(prom_text_new(&page.mem, 7, page.intake, &page.door, NULL), VARVE_OK);
    prom_text_begin(page.door, VARVE_INPUT_OPENMETRICS, "P", PAGE_TIME);
    for (int i = 0; i < SERIES; i++) {
        char line[200];
        if (i % FAMILY == 0) {
            snprintf(line, sizeof line, "# TYPE f%d counter", i / FAMILY);
            assert_int_equal(prom_text_line(page.door, str(line), NULL), VARVE_OK);
        }
        snprintf(line, sizeof line, "f%d_total{i=\"%d\"} 1", i / FAMILY, i);
        assert_int_equal(prom_text_line(page.door, str(line), NULL), VARVE_OK);
        if (i % FAMILY != FAMILY - 1)
            continue;
        for (int j = i - FAMILY + 1; j <= i; j++) {
            snprintf(line, sizeof line, "f%d_created{i=\"%d\"} 1.6e9", j / FAMILY, j);
            assert_int_equal(prom_text_line(page.door, str(line), NULL), VARVE_OK);
        }
    }
    assert_int_equal(prom_text_end(page.door, NULL), VARVE_OK);
    for (const char *at = fake_intake_lines(page.intake); at && *at; at = strchr(at, '\n') + 1) {
        samples += *at == 'n';
        starts += *at == 'n' && strncmp(strchr(at, '}'), "} 1600000000000000000 ", 22) == 0;
    }
    assert_int_equal(samples, SERIES);
    assert_int_equal(starts, SERIES);
    assert_true(page.mem.peak < 64 << 20);
    page_close(&page);
}

/* One series behind the other, more than starts are kept of: none loses its start halfway. */
static void test_many_starts(void **state)
{
    enum { SERIES = 140000 };
    struct page page;
    size_t starts = 0;
    (void)state;
    page_open(&page, NULL);
    assert_int_equal(prom_text_new(&page.mem, 7, page.intake, &page.door, NULL), VARVE_OK);
    prom_text_begin(page.door, VARVE_INPUT_OPENMETRICS, "P", PAGE_TIME);
    assert_int_equal(prom_text_line(page.door, str("# TYPE a counter"), NULL), VARVE_OK);
    for (int i = 0; i < SERIES; i++) {
        static const char *const names[] = {"total", "created", "total"};
        static const char *const rests[] = {"1 1700000000", "1.6e9 1700000000", "2 1700000060"};
        for (int part = 0; part < 3; part++) {
            char line[100];
            snprintf(line, sizeof line, "a_%s{i=\"%d\"} %s", names[part], i, rests[part]);
            assert_int_equal(prom_text_line(page.door, str(line), NULL), VARVE_OK);
        }
    }
    assert_int_equal(prom_text_end(page.door, NULL), VARVE_OK);
    for (const char *at = fake_intake_lines(page.intake); at && *at; at = strchr(at, '\n') + 1)
        starts += *at == 'n' && strncmp(strchr(at, '}'), "} 1600000000000000000 ", 22) == 0;
    assert_int_equal(starts, 2 * SERIES);
    page_close(&page);
}

/* ---- failure ------------------------------------------------------------------ */

static const char small_page[] = "# TYPE a counter\n# UNIT a seconds\na_total{x=\"\\n\"} 1\n"
                                 "a_created{x=\"\\n\"} 1.5e9\nb{c=\"d\"} 2\n{\"e\\n\",f=\"g\"} 3\n";

static void test_no_memory(void **state)
{
    struct alloc_fault fault;
    (void)state;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct page page;
        page_open(&page, &fault.allocator);
        enum varve_status status = give_page(&page, VARVE_INPUT_ANY, small_page);
        assert_true(status == VARVE_NOMEM || status == VARVE_OK);
        assert_true((status == VARVE_OK) == (fault.failed == 0));
        page_close(&page);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

static void test_failing_intake(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 100; nth++) {
        struct page page;
        page_open(&page, NULL);
        fake_intake_fail(page.intake, nth, VARVE_FULL);
        const enum varve_status status = give_page(&page, VARVE_INPUT_ANY, small_page);
        page_close(&page);
        if (status == VARVE_OK) {
            assert_true(nth > 9);
            return;
        }
        assert_int_equal(status, VARVE_FULL);
    }
    assert_true(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal_times),   cmocka_unit_test(test_decimal_doubles),
        cmocka_unit_test(test_long_decimals),   cmocka_unit_test(test_good_lines),
        cmocka_unit_test(test_bad_lines),       cmocka_unit_test(test_types),
        cmocka_unit_test(test_known_names),     cmocka_unit_test(test_created),
        cmocka_unit_test(test_created_again),   cmocka_unit_test(test_created_of_two),
        cmocka_unit_test(test_times_by_format), cmocka_unit_test(test_values_and_escapes),
        cmocka_unit_test(test_good_beside_bad), cmocka_unit_test(test_pages_behind_each_other),
        cmocka_unit_test(test_many_starts),     cmocka_unit_test(test_long_pages),
        cmocka_unit_test(test_no_memory),       cmocka_unit_test(test_failing_intake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
