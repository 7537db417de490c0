/* SPDX-License-Identifier: Apache-2.0
 *
 * test_chart.c -- results as pictures.
 *
 * Made-up rows go through write_chart and are compared, in UTF-8 and ASCII and two widths, with
 * tests/shell/golden/chart-NAME.txt.  With CHART_GOLDEN=write in the environment the files are
 * written instead: look at them before they are kept.  Whatever is drawn, no line may be wider than
 * asked for or end in a space, and no control character of the data may get through.
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/unit.h"
#include "shell/cell.h"
#include "shell/local_time.h"
#include "shell/output.h"

#define HOUR INT64_C(3600000000000)
#define DAY (24 * HOUR)
#define START INT64_C(1790812800000000000) /* 2026-10-01T00:00:00Z, a Thursday */

/* ---- rows -------------------------------------------------------------------------- */

enum { COLUMNS = 12 };

struct made {
    struct varve_column_info columns[COLUMNS];
    size_t column_count;
    struct varve_cell *cells;
    size_t count, capacity, given; /* cells */
    enum varve_status end;
};

static void add_column(struct made *made, const char *name, const char *unit,
                       enum varve_cell_type type, int is_key)
{
    made->columns[made->column_count++] =
        (struct varve_column_info){varve_str(name), varve_str(unit), type, is_key};
}

static void add(struct made *made, enum varve_cell_type type, int64_t i)
{
    if (made->count == made->capacity) {
        made->capacity = 2 * made->capacity + 64;
        made->cells = realloc(made->cells, made->capacity * sizeof *made->cells);
        assert_non_null(made->cells);
    }
    made->cells[made->count++] = (struct varve_cell){.type = type, .as.i = i};
}

static void add_float(struct made *made, double value)
{
    add(made, VARVE_CELL_FLOAT, 0);
    made->cells[made->count - 1].as.f = value;
}

static void add_text(struct made *made, const char *text)
{
    add(made, VARVE_CELL_TEXT, 0);
    made->cells[made->count - 1].as.s = varve_str(text);
}

static void add_null(struct made *made)
{
    add(made, VARVE_CELL_NULL, 0);
}

/* A hundred rows at a time, and then their memory is another's: texts must have been copied. */
static enum varve_status
next_made(void *context, const struct varve_cell **cells, size_t *count, struct varve_err *err)
{
    struct made *made = context;
    size_t rows = (made->count - made->given) / made->column_count;
    (void)err;
    if (rows == 0)
        return made->end ? made->end : VARVE_DONE;
    *count = rows > 100 ? 100 : rows;
    *cells = made->cells + made->given;
    made->given += *count * made->column_count;
    return VARVE_OK;
}

/* ---- drawing ----------------------------------------------------------------------- */

static varve_zone *utc; /* for the table, which wants a zone */

static struct style style_of(bool utf8, int width)
{
    return (struct style){
        .mode = MODE_CHART, .pretty = true, .utf8 = utf8, .width = width, .local = utc, .null = ""};
}

/* malloc'd. */
static char *draw(struct made *made, const struct style *style, enum varve_status want)
{
    char *text = NULL;
    size_t size;
    struct varve_err err = {0};
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    made->given = 0;
    struct rows rows = {made->columns, made->column_count, next_made, made};
    assert_int_equal(write_chart(stream, style, &rows, &err), want);
    fclose(stream);
    return text;
}

static void check_lines(const char *text, int width, bool utf8)
{
    for (const char *line = text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        struct varve_str s = {line, (size_t)(end - line)};
        assert_true(s.size == 0 || line[s.size - 1] != ' ');
        if (text_width(s) > width)
            fail_msg("a line of %d columns in %d: %.*s", text_width(s), width, (int)s.size, line);
        for (size_t i = 0; i < s.size; i++) {
            assert_true((unsigned char)line[i] >= 0x20);
            assert_true(utf8 || (unsigned char)line[i] < 0x7f);
        }
    }
}

static char *all_styles(struct made *made)
{
    char *all = NULL;
    size_t size;
    FILE *stream = open_memstream(&all, &size);
    for (int i = 0; i < 4; i++) {
        struct style style = style_of(i % 2 == 0, i < 2 ? 60 : 100);
        char *text = draw(made, &style, VARVE_OK), *again = draw(made, &style, VARVE_OK);
        assert_string_equal(text, again);
        check_lines(text, style.width, style.utf8);
        fprintf(stream, "%s---- %s, %d columns\n%s", i ? "\n" : "", style.utf8 ? "UTF-8" : "ASCII",
                style.width, text);
        free(text);
        free(again);
    }
    fclose(stream);
    return all;
}

static void golden_name(char path[256], const char *name)
{
    const char *source = getenv("VARVE_SRC");
    snprintf(path, 256, "%s/tests/shell/golden/chart-%s.txt", source ? source : ".", name);
}

static char *read_all(FILE *file)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    for (int c; (c = fgetc(file)) != EOF;)
        fputc(c, to);
    fclose(to);
    return text;
}

static void compare(struct made *made, const char *name)
{
    char path[256];
    char *drawn = all_styles(made);
    const char *mode = getenv("CHART_GOLDEN");
    bool is_write = mode && strcmp(mode, "write") == 0;
    golden_name(path, name);
    FILE *file = fopen(path, is_write ? "w" : "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    if (is_write) {
        fputs(drawn, file);
    } else {
        char *wanted = read_all(file);
        if (strcmp(wanted, drawn) != 0)
            fail_msg("%s is another picture than\n%s", path, drawn);
        free(wanted);
    }
    fclose(file);
    free(drawn);
    free(made->cells);
}

/* ---- lines ------------------------------------------------------------------------- */

static void time_column(struct made *made)
{
    add_column(made, "time", "", VARVE_CELL_TIME, 1);
}

static void test_line(void **state)
{
    struct made made = {0};
    (void)state;
    time_column(&made);
    add_column(&made, "usd", "USD", VARVE_CELL_NANO, 0);
    for (int i = 0; i < 7 * 24; i++) {
        add(&made, VARVE_CELL_TIME, START + i * HOUR);
        double wave = 30 - 25 * cos(i % 24 * 3.14159265 / 12) + i * 0.1;
        if (i >= 100 && i < 110)
            add_null(&made);
        else
            add(&made, VARVE_CELL_NANO, llround(wave * 1e4) * 100000);
    }
    compare(&made, "line");
}

static void test_lines(void **state)
{
    struct made made = {0};
    (void)state;
    time_column(&made);
    add_column(&made, "input", "tokens", VARVE_CELL_INT, 0);
    add_column(&made, "output", "tokens", VARVE_CELL_INT, 0);
    add_column(&made, "active", "s", VARVE_CELL_DURATION, 0);
    for (int i = 0; i < 48; i++) {
        add(&made, VARVE_CELL_TIME, START + i * HOUR / 2);
        add(&made, VARVE_CELL_INT, 1000 * (200 + i * i));
        add(&made, VARVE_CELL_INT, 1000 * (1800 - i * 20));
        add(&made, VARVE_CELL_DURATION, (600 + (i * 7919) % 3000) * INT64_C(1000000000));
    }
    compare(&made, "lines");
}

static void by_model(struct made *made, int models, int buckets, bool two_keys)
{
    static const char *const names[] = {"claude-opus-4-6",
                                        "claude-sonnet-4-5",
                                        "claude-haiku-4-5",
                                        "m3",
                                        "m4",
                                        "m5",
                                        "m6",
                                        "m7",
                                        "m8",
                                        "m9",
                                        "m10",
                                        "m11",
                                        "m12",
                                        "m13",
                                        "m14",
                                        "m15"};
    time_column(made);
    add_column(made, "model", "", VARVE_CELL_TEXT, 1);
    if (two_keys)
        add_column(made, "user.email", "", VARVE_CELL_TEXT, 1);
    add_column(made, "usd", "USD", VARVE_CELL_NANO, 0);
    for (int b = 0; b < buckets; b++)
        for (int m = 0; m < models; m++) {
            if ((b + m) % 11 == 3)
                continue;
            add(made, VARVE_CELL_TIME, START + b * 6 * HOUR);
            add_text(made, names[m]);
            if (two_keys)
                add_text(made, m % 2 ? "ann@example.com" : "bo@example.com");
            add(made, VARVE_CELL_NANO,
                (10 + m * 3) * (20 + (b * (m + 3)) % 17) * INT64_C(31250000));
        }
}

static void test_lines_by_key(void **state)
{
    struct made made = {0};
    (void)state;
    by_model(&made, 3, 40, false);
    compare(&made, "lines-by-key");
}

static void test_lines_left_out(void **state)
{
    struct made made = {0};
    (void)state;
    by_model(&made, 11, 20, false);
    compare(&made, "lines-left-out");
}

static void one_number(struct made *made)
{
    time_column(made);
    add_column(made, "value", "", VARVE_CELL_NULL, 0);
}

static void test_one_point(void **state)
{
    struct made made = {0};
    (void)state;
    one_number(&made);
    add(&made, VARVE_CELL_TIME, START + HOUR);
    add(&made, VARVE_CELL_INT, 1234567);
    compare(&made, "one-point");
}

static void test_all_null(void **state)
{
    struct made made = {0};
    (void)state;
    one_number(&made);
    for (int i = 0; i < 5; i++) {
        add(&made, VARVE_CELL_TIME, START + i * HOUR);
        add_null(&made);
    }
    compare(&made, "all-null");
}

static void test_all_zero(void **state)
{
    struct made made = {0};
    (void)state;
    one_number(&made);
    for (int i = 0; i < 25; i++) {
        add(&made, VARVE_CELL_TIME, START + i * HOUR);
        add(&made, VARVE_CELL_INT, 0);
    }
    compare(&made, "all-zero");
}

static void test_negative(void **state)
{
    struct made made = {0};
    (void)state;
    one_number(&made);
    for (int i = 0; i < 60; i++) {
        add(&made, VARVE_CELL_TIME, START + i * HOUR / 60);
        add_float(&made, 40 * sin(i / 6.0) - 5);
    }
    compare(&made, "negative");
}

static void test_far_values(void **state)
{
    static const double values[] = {1e300, -1e300,      5e-324,           1e17,
                                    1e-9,  (double)NAN, (double)INFINITY, 3};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct made made = {0};
        one_number(&made);
        for (int j = 0; j < 8; j++) {
            add(&made, VARVE_CELL_TIME, START + j * DAY / 4);
            double value = i == 0   ? values[j]
                           : i == 1 ? 1e-12 * (j + 1)
                           : i == 2 ? 1e12 + j
                                    : 2.5e15 * j;
            add_float(&made, value);
        }
        compare(&made, i == 0 ? "far" : i == 1 ? "tiny" : i == 2 ? "level" : "huge");
    }
}

static void test_many_buckets(void **state)
{
    struct made made = {0};
    (void)state;
    time_column(&made);
    add_column(&made, "rate", "tokens/s", VARVE_CELL_FLOAT, 0);
    for (int i = 0; i < 10000; i++) {
        add(&made, VARVE_CELL_TIME, START + i * 5 * HOUR / 60);
        add_float(&made, 100 + 40 * sin(i / 500.0) + i % 7);
    }
    compare(&made, "many-buckets");
}

/* ---- other pictures ---------------------------------------------------------------- */

static void days(struct made *made, int count, bool has_zero)
{
    time_column(made);
    add_column(made, "usd", "USD", VARVE_CELL_NANO, 0);
    for (int i = 0; i < count; i++) {
        if (i % 37 == 11)
            continue;
        add(made, VARVE_CELL_TIME, START + i * DAY);
        bool is_weekend = i % 7 == 2 || i % 7 == 3;
        int64_t value = is_weekend && has_zero ? 0 : 1 + (i * INT64_C(7919)) % 97;
        add(made, VARVE_CELL_NANO, value * INT64_C(1234500000));
    }
}

static void test_calendar(void **state)
{
    struct made some = {0}, year = {0}, years = {0};
    (void)state;
    days(&some, 92, true);
    compare(&some, "calendar");
    days(&year, 365, false);
    compare(&year, "calendar-year");
    days(&years, 800, true);
    compare(&years, "calendar-years");
}

static void test_days_are_lines_when_few(void **state)
{
    struct made made = {0};
    (void)state;
    days(&made, 14, true);
    compare(&made, "days");
}

static void test_bars(void **state)
{
    static const char *const names[] = {
        "web/checkout",   "api", "infrastructure-as-code-of-the-group", "mobile", "docs", "",
        "All other repos"};
    static const int64_t values[] = {412345, 250000, 123456, 99999, 1200, 3, 77777};
    struct made made = {0};
    (void)state;
    add_column(&made, "repository", "", VARVE_CELL_TEXT, 1);
    add_column(&made, "usd", "USD", VARVE_CELL_NANO, 0);
    for (int i = 0; i < 7; i++) {
        if (names[i][0])
            add_text(&made, names[i]);
        else
            add_null(&made);
        add(&made, VARVE_CELL_NANO, values[i] * 10000000);
    }
    compare(&made, "bars");
}

static void test_bars_below_zero(void **state)
{
    struct made made = {0};
    (void)state;
    add_column(&made, "team", "", VARVE_CELL_TEXT, 1);
    add_column(&made, "success", "", VARVE_CELL_BOOL, 1);
    add_column(&made, "change", "%", VARVE_CELL_FLOAT, 0);
    for (int i = 0; i < 8; i++) {
        add_text(&made, i < 4 ? "core" : "r\033[31md");
        add(&made, VARVE_CELL_BOOL, i % 2);
        if (i == 6)
            add_null(&made);
        else
            add_float(&made, 33.3 * (i - 3));
    }
    compare(&made, "bars-below-zero");
}

static void test_bars_of_durations(void **state)
{
    static const int64_t seconds[] = {200000, 86399, 5400, 60, 1, 0};
    struct made made = {0};
    (void)state;
    add_column(&made, "user", "", VARVE_CELL_TEXT, 1);
    add_column(&made, "active", "s", VARVE_CELL_NANO, 0);
    for (int i = 0; i < 6; i++) {
        add_text(&made, i % 2 ? "bo" : "ann");
        add(&made, VARVE_CELL_NANO, seconds[i] * 1000000000);
    }
    compare(&made, "bars-durations");
}

static void test_bars_of_zeros(void **state)
{
    struct made made = {0};
    (void)state;
    add_column(&made, "user", "", VARVE_CELL_TEXT, 1);
    add_column(&made, "commits", "{commit}", VARVE_CELL_INT, 0);
    add_text(&made, "ann");
    add(&made, VARVE_CELL_INT, 0);
    add_text(&made, "bo");
    add(&made, VARVE_CELL_INT, 0);
    compare(&made, "bars-zeros");
}

static void test_sparks(void **state)
{
    struct made few = {0}, many = {0};
    (void)state;
    by_model(&few, 16, 28, false);
    compare(&few, "sparks");
    by_model(&many, 9, 300, true);
    compare(&many, "sparks-many");
}

/* ---- no pictures ------------------------------------------------------------------- */

static void compare_table(struct made *made)
{
    struct style style = style_of(true, 60);
    char *table = NULL, *chart = draw(made, &style, VARVE_OK);
    size_t size;
    FILE *stream = open_memstream(&table, &size);
    struct rows rows = {made->columns, made->column_count, next_made, made};
    made->given = 0;
    assert_int_equal(write_table(stream, &style, &rows, NULL), VARVE_OK);
    fclose(stream);
    assert_string_equal(chart, table);
    free(table);
    free(chart);
    free(made->cells);
}

static void test_table(void **state)
{
    struct made made = {0};
    (void)state;
    add_column(&made, "metric", "", VARVE_CELL_TEXT, 0);
    add_column(&made, "points", "", VARVE_CELL_INT, 0);
    add_text(&made, "cost");
    add(&made, VARVE_CELL_INT, 12345);
    compare_table(&made);
}

/* The types do not tell that a value is a text; the values do. */
static void test_table_again(void **state)
{
    struct made made = {0};
    (void)state;
    one_number(&made);
    for (int i = 0; i < 3; i++) {
        add(&made, VARVE_CELL_TIME, START + i * HOUR);
        add_text(&made, i ? "x" : "some text");
    }
    compare_table(&made);
}

static void test_no_rows(void **state)
{
    struct made made = {0};
    struct style style = style_of(true, 0);
    (void)state;
    one_number(&made);
    char *text = draw(&made, &style, VARVE_OK);
    assert_string_equal(text, "no rows\n");
    free(text);
}

static void test_too_many(void **state)
{
    struct made made = {0};
    struct style style = style_of(true, 0);
    (void)state;
    one_number(&made);
    for (int i = 0; i <= 100000; i++) {
        if (i == 100000) {
            char *fits = draw(&made, &style, VARVE_OK);
            free(fits);
        }
        add(&made, VARVE_CELL_TIME, START + i * HOUR);
        add(&made, VARVE_CELL_INT, i);
    }
    char *text = draw(&made, &style, VARVE_LIMIT);
    assert_string_equal(text, "");
    free(text);
    free(made.cells);
}

static void test_failure(void **state)
{
    struct made made = {.end = VARVE_INTERRUPTED};
    struct style style = style_of(true, 0);
    (void)state;
    one_number(&made);
    add(&made, VARVE_CELL_TIME, START);
    add(&made, VARVE_CELL_INT, 1);
    char *text = draw(&made, &style, VARVE_INTERRUPTED);
    assert_string_equal(text, "");
    free(text);
    free(made.cells);
}

/* With its escape sequences taken out, a picture in colour is the one without. */
static void test_colour(void **state)
{
    struct made made = {0};
    struct style plain = style_of(true, 80), colour = plain;
    (void)state;
    colour.colour = true;
    colour.local = NULL; /* UTC too */
    by_model(&made, 3, 40, false);
    char *a = draw(&made, &plain, VARVE_OK), *b = draw(&made, &colour, VARVE_OK), *to = b;
    assert_string_not_equal(a, b);
    for (const char *from = b; (*to = *from) != '\0'; from++)
        if (*from == '\033')
            from = strchr(from, 'm');
        else
            to++;
    assert_string_equal(a, b);
    free(a);
    free(b);
    free(made.cells);
}

/* Midnights of a zone, over a change of its clocks. */
static void test_zone(void **state)
{
    struct made made = {0};
    struct style style = style_of(true, 100);
    varve_zone *zone = NULL;
    (void)state;
    if (varve_zone_open(varve_str("Europe/Berlin"), &zone, NULL))
        skip();
    style.local = zone;
    one_number(&made);
    int64_t midnight = START + 23 * DAY - 2 * HOUR; /* 2026-10-24, the night before the change */
    for (int i = 0; i < 97; i++) {
        add(&made, VARVE_CELL_TIME, midnight + i * HOUR);
        add(&made, VARVE_CELL_INT, i);
    }
    char *text = draw(&made, &style, VARVE_OK);
    assert_non_null(strstr(text, "2026-10-24 00:00 .. 2026-10-27 23:00"));
    for (int day = 24; day <= 27; day++) {
        char label[16];
        snprintf(label, sizeof label, "Oct %d", day);
        assert_non_null(strstr(text, label));
    }
    varve_zone_free(zone);
    free(text);
    free(made.cells);
}

/* To local times and back, for the hours of a year; and a midnight that does not exist. */
static void test_local_time(void **state)
{
    varve_zone *zone = NULL;
    (void)state;
    if (varve_zone_open(varve_str("America/Havana"), &zone, NULL))
        skip();
    for (int64_t t = START; t < START + 400 * DAY; t += HOUR / 2) {
        int64_t back = local_instant(zone, local_split(zone, t));
        assert_true(back == t || back == t - HOUR || back == t + HOUR);
        struct local_time a = local_split(zone, t), b = local_split(zone, back);
        assert_true(local_day(a) == local_day(b) && a.hour == b.hour && a.minute == b.minute);
    }
    /* 2026-03-08: clocks go from 0:00 to 1:00. */
    struct local_time none = {.year = 2026, .month = 3, .day = 8};
    struct local_time one = local_split(zone, local_instant(zone, none));
    assert_int_equal(one.day, 8);
    assert_int_equal(one.hour, 1);
    assert_int_equal(local_weekday(local_day(none)), 6);
    varve_zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_lines_by_key),
        cmocka_unit_test(test_lines_left_out),
        cmocka_unit_test(test_one_point),
        cmocka_unit_test(test_all_null),
        cmocka_unit_test(test_all_zero),
        cmocka_unit_test(test_negative),
        cmocka_unit_test(test_far_values),
        cmocka_unit_test(test_many_buckets),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_days_are_lines_when_few),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_bars_below_zero),
        cmocka_unit_test(test_bars_of_durations),
        cmocka_unit_test(test_bars_of_zeros),
        cmocka_unit_test(test_sparks),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_again),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_local_time),
    };
    if (!setlocale(LC_ALL, "C.UTF-8"))
        return 77;
    if (varve_zone_open(varve_str("UTC"), &utc, NULL))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    varve_zone_free(utc);
    return failed;
}
