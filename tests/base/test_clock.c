/* SPDX-License-Identifier: Apache-2.0
 *
 * test_clock.c -- the calendar day by day, and times as texts.
 */
#include "base/clock.h"

#include <string.h>
#include <time.h>

#include "prng.h"
#include "unit.h"

static int month_length(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return lengths[month - 1] + (month == 2 && leap);
}

/* Counts days as one does on a wall, from the year -1000 on. */
static void test_every_day(void **state)
{
    (void)state;
    int year = -1000, month = 1, mday = 1;
    int32_t day = day_of_civil(year, month, mday);
    assert_int_equal(day_of_civil(1970, 1, 1), 0);
    assert_int_equal(day_of_civil(2000, 3, 1), 11017);
    int32_t first = day;
    while (year < 3000) {
        int y, m, d;
        civil_of_day(day, &y, &m, &d);
        assert_true(y == year && m == month && d == mday);
        assert_int_equal(day_of_civil(y, m, d), day);
        assert_int_equal(month_of_day(day), year * 12 + month - 1);
        if (mday == 1)
            first = day;
        assert_int_equal(month_first_day(month_of_day(day)), first);
        day++;
        if (++mday > month_length(year, month)) {
            mday = 1;
            if (++month > 12) {
                month = 1;
                year++;
            }
        }
    }
}

static void test_days_of_instants(void **state)
{
    (void)state;
    assert_int_equal(day_of(0), 0);
    assert_int_equal(day_of(-1), -1);
    assert_int_equal(day_of(NS_PER_DAY - 1), 0);
    assert_int_equal(day_of(NS_PER_DAY), 1);
    assert_int_equal(day_of(-NS_PER_DAY), -1);
    assert_int_equal(day_of(-NS_PER_DAY - 1), -2);
    assert_int_equal(day_of(INT64_MIN), -106752);
    assert_int_equal(day_of(INT64_MAX), 106751);
    assert_int_equal(day_start(-106752), INT64_MIN);
    assert_int_equal(day_start(106752), INT64_MAX);
    assert_int_equal(day_start(106751), 106751 * NS_PER_DAY);
    assert_int_equal(day_start(INT32_MIN), INT64_MIN);
    assert_int_equal(day_start(INT32_MAX), INT64_MAX);
    assert_int_equal(day_start(-1), -NS_PER_DAY);
}

static void test_ends_of_int32(void **state)
{
    (void)state;
    int y, m, d;
    civil_of_day(INT32_MIN, &y, &m, &d);
    assert_int_equal(day_of_civil(y, m, d), INT32_MIN);
    civil_of_day(INT32_MAX, &y, &m, &d);
    assert_int_equal(day_of_civil(y, m, d), INT32_MAX);
    assert_int_equal(month_first_day(INT32_MAX), INT32_MAX);
    assert_int_equal(month_first_day(INT32_MIN), INT32_MIN);
    char text[INSTANT_TEXT];
    day_text(INT32_MIN, text);
    assert_true(strlen(text) < INSTANT_TEXT);
    month_text(INT32_MIN, text);
    assert_string_equal(text, "-178956971-05");
}

static void test_texts(void **state)
{
    (void)state;
    char text[INSTANT_TEXT];
    instant_text(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    instant_text(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
    instant_text(-1000000, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    instant_text(INT64_C(1791447318137000000), text);
    assert_string_equal(text, "2026-10-08T08:15:18.137Z");
    instant_text(INT64_C(1791447318137000001), text);
    assert_string_equal(text, "2026-10-08T08:15:18.137000001Z");
    instant_text(INT64_MIN, text);
    assert_string_equal(text, "1677-09-21T00:12:43.145224192Z");
    instant_text(INT64_MAX, text);
    assert_string_equal(text, "2262-04-11T23:47:16.854775807Z");
    day_text(-1, text);
    assert_string_equal(text, "1969-12-31");
    day_text(20734, text);
    assert_string_equal(text, "2026-10-08");
    month_text(2026 * 12 + 9, text);
    assert_string_equal(text, "2026-10");
    month_text(-1, text);
    assert_string_equal(text, "-001-12");
}

static int64_t parsed(const char *text)
{
    int64_t instant = -77;
    struct varve_err err = {.message = ""};
    enum varve_status status = instant_parse(text, strlen(text), &instant, &err);
    if (status != VARVE_OK)
        fail_msg("%s: %s", text, err.message);
    return instant;
}

static void test_parse(void **state)
{
    (void)state;
    const int64_t s = NS_PER_SECOND, t = INT64_C(1791447318) * s;
    assert_int_equal(parsed("2026-10-08T08:15:18Z"), t);
    assert_int_equal(parsed("2026-10-08t08:15:18z"), t);
    assert_int_equal(parsed("2026-10-08 08:15:18Z"), t);
    assert_int_equal(parsed("2026-10-08T08:15:18.1Z"), t + 100000000);
    assert_int_equal(parsed("2026-10-08T08:15:18.123456789Z"), t + 123456789);
    assert_int_equal(parsed("2026-10-08T10:15:18+02:00"), t);
    assert_int_equal(parsed("2026-10-07T22:45:18-09:30"), t);
    assert_int_equal(parsed("2026-10-09T08:14:18+23:59"), t);
    assert_int_equal(parsed("2026-10-08T08:15:18-00:00"), t);
    assert_int_equal(parsed("2026-10-08"), t - t % NS_PER_DAY);
    assert_int_equal(parsed("2024-02-29"), 19782 * NS_PER_DAY);
    assert_int_equal(parsed("1791447318"), t);
    assert_int_equal(parsed("1791447318.5"), t + s / 2);
    assert_int_equal(parsed("0"), 0);
    assert_int_equal(parsed("-0.25"), -s / 4);
    assert_int_equal(parsed("-1"), -s);
    assert_int_equal(parsed("2026"), 2026 * s);
    assert_int_equal(parsed("9223372036.854775807"), INT64_MAX);
    assert_int_equal(parsed("-9223372036.854775808"), INT64_MIN);
    assert_int_equal(parsed("1677-09-21T00:12:43.145224192Z"), INT64_MIN);
    assert_int_equal(parsed("2262-04-11T23:47:16.854775807Z"), INT64_MAX);
    assert_int_equal(parsed("2262-04-12T00:47:16+01:00"), INT64_C(9223372036) * s);
}

static const char *const wrong[] = {
    "",
    "-",
    "+1",
    ".5",
    "1.",
    "1.1234567891",
    "1e9",
    "0x10",
    " 1",
    "1 ",
    "123456789012345",
    "2026-13-01",
    "2026-00-01",
    "2026-02-29",
    "2100-02-29",
    "2026-04-31",
    "2026-1-01",
    "2026-10-08T",
    "2026-10-08T08:15Z",
    "2026-10-08T08:15:18",
    "2026-10-08T24:00:00Z",
    "2026-10-08T08:60:00Z",
    "2016-12-31T23:59:60Z",
    "2026-10-08T08:15:18.Z",
    "2026-10-08T08:15:18.1234567890Z",
    "2026-10-08T08:15:18,5Z",
    "2026-10-08T08:15:18+0200",
    "2026-10-08T08:15:18+24:00",
    "2026-10-08T08:15:18+02:60",
    "2026-10-08T08:15:18ZZ",
    "2026-10-08T08:15:18Z ",
    "2026-10-08_08:15:18Z",
    "20261-10-08",
    "2026-10-08Z",
    "1677-09-21",
    "1677-09-21T00:12:43.145224191Z",
    "2262-04-11T23:47:16.854775808Z",
    "9223372036.854775808",
    "-9223372036.854775809",
    "-9223372037",
    "99999999999",
    "0000-01-01",
    "9999-12-31T23:59:59Z",
    "2026-10-08T08:15:1\xc3\xa9Z",
};

static void test_parse_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t instant = -77;
        struct varve_err err;
        if (instant_parse(wrong[i], strlen(wrong[i]), &instant, &err) != VARVE_INVALID)
            fail_msg("'%s' was taken for a time", wrong[i]);
        assert_int_equal(instant, -77);
        assert_true(strstr(err.message, "is not a time") || strstr(err.message, "out of range"));
    }
    int64_t instant;
    assert_int_equal(instant_parse("2026-10-08\0", 11, &instant, NULL), VARVE_INVALID);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct prng prng = prng_start(5);
    for (int i = 0; i < 20000; i++) {
        int64_t instant = (int64_t)prng_next(&prng) >> prng_below(&prng, 60);
        if (i % 2)
            instant -= instant % 1000000;
        char text[INSTANT_TEXT], c_text[INSTANT_TEXT];
        instant_text(instant, text);
        assert_int_equal(parsed(text), instant);
        time_t second = (time_t)(instant / NS_PER_SECOND - (instant % NS_PER_SECOND < 0));
        struct tm tm;
        strftime(c_text, sizeof c_text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&second, &tm));
        assert_memory_equal(text, c_text, strlen(c_text));
    }
}

static void test_clocks_run(void **state)
{
    (void)state;
    assert_true(clock_now() > INT64_C(1600000000) * NS_PER_SECOND);
    int64_t before = clock_monotonic();
    assert_true(before > 0 && clock_monotonic() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day),     cmocka_unit_test(test_days_of_instants),
        cmocka_unit_test(test_ends_of_int32), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_parse),         cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
