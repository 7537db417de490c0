/* SPDX-License-Identifier: Apache-2.0
 *
 * test_zone.c -- zones against the C library's, and periods against their invariant.
 *
 * Skipped where the machine has no tz database.
 */
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

static const char *const zones[] = {"Europe/Berlin",       "America/New_York",  "Asia/Kolkata",
                                    "Australia/Lord_Howe", "America/Havana",    "America/Sao_Paulo",
                                    "Asia/Beirut",         "Africa/Casablanca", "Pacific/Apia",
                                    "America/St_Johns",    "Asia/Kathmandu",    "America/Asuncion",
                                    "Antarctica/Troll"};

static struct mem mem;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    arena_init(&arena, &mem, 4096);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return mem.used == 0 ? 0 : -1;
}

static const struct zone *open_zone(const char *name)
{
    const struct zone *zone = NULL;
    struct varve_err err = {.message = ""};
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
        skip();
    assert_int_equal(zone_open((struct varve_str){name, strlen(name)}, &arena, &zone, &err),
                     VARVE_OK);
    return zone;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 20;
}

/* A second between 1950 and 2090. */
static int64_t random_second(uint64_t *seed)
{
    return (int64_t)(next_random(seed) % (INT64_C(140) * 365 * 86400)) - INT64_C(20) * 365 * 86400;
}

static void test_offsets(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        const struct zone *zone = open_zone(zones[z]);
        setenv("TZ", zones[z], 1);
        tzset();
        for (int i = 0; i < 4000; i++) {
            time_t second = random_second(&seed);
            struct tm tm;
            localtime_r(&second, &tm);
            struct zone_time t = zone_local(zone, second * NS_PER_SECOND + 7);
            assert_int_equal(t.offset, tm.tm_gmtoff);
            assert_int_equal(t.year, tm.tm_year + 1900);
            assert_int_equal(t.month, tm.tm_mon + 1);
            assert_int_equal(t.day, tm.tm_mday);
            assert_int_equal(t.hour * 60 + t.minute, tm.tm_hour * 60 + tm.tm_min);
            assert_int_equal(t.second, tm.tm_sec);
            assert_int_equal(t.nanosecond, 7);
            assert_int_equal(t.weekday, tm.tm_wday ? tm.tm_wday : 7);
        }
    }
    unsetenv("TZ");
}

/* Every local time that exists comes back to an instant that shows it, the first such one. */
static void test_there_and_back(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        const struct zone *zone = open_zone(zones[z]);
        for (int i = 0; i < 4000; i++) {
            int64_t instant = random_second(&seed) * NS_PER_SECOND;
            struct zone_time t = zone_local(zone, instant);
            int64_t back =
                zone_instant(zone, t.year, t.month, t.day, t.hour, t.minute, t.second, 0);
            struct zone_time again = zone_local(zone, back);
            assert_true(back <= instant && instant - back <= 26 * 3600 * NS_PER_SECOND);
            assert_int_equal(again.day, t.day);
            assert_int_equal(again.hour * 3600 + again.minute * 60 + again.second,
                             t.hour * 3600 + t.minute * 60 + t.second);
        }
    }
}

static void test_periods_cut_time(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        const struct zone *zone = open_zone(zones[z]);
        for (enum calendar_unit unit = UNIT_HOUR; unit < CALENDAR_UNITS; unit++) {
            int64_t before = INT64_MIN;
            for (int i = 0; i < 300; i++) {
                int64_t t = random_second(&seed) * NS_PER_SECOND;
                int64_t start = period_start(zone, unit, t), next = period_next(zone, unit, t);
                assert_true(start <= t && t < next);
                assert_int_equal(period_start(zone, unit, start), start);
                assert_int_equal(period_start(zone, unit, next - 1), start);
                assert_int_equal(period_start(zone, unit, next), next);
                before = before > start ? before : start;
            }
        }
    }
}

static int64_t at(const char *text)
{
    int64_t instant = 0;
    assert_int_equal(instant_parse(text, strlen(text), &instant, NULL), VARVE_OK);
    return instant;
}

static int64_t hours_of_day(const struct zone *zone, const char *text)
{
    int64_t t = at(text);
    return (period_next(zone, UNIT_DAY, t) - period_start(zone, UNIT_DAY, t)) /
           (3600 * NS_PER_SECOND);
}

static void test_days_that_are_not_24_hours(void **state)
{
    (void)state;
    const struct zone *berlin = open_zone("Europe/Berlin");
    const struct zone *york = open_zone("America/New_York");
    assert_int_equal(hours_of_day(berlin, "2026-03-29T12:00:00Z"), 23);
    assert_int_equal(hours_of_day(berlin, "2026-10-25T12:00:00Z"), 25);
    assert_int_equal(hours_of_day(york, "2026-03-08T12:00:00Z"), 23);
    assert_int_equal(hours_of_day(york, "2026-11-01T12:00:00Z"), 25);
    /* after the last transition of the file, by its rule */
    assert_int_equal(hours_of_day(berlin, "2085-03-25T12:00:00Z"), 23);
    assert_int_equal(period_start(berlin, UNIT_MONTH, at("2026-10-25T12:00:00Z")),
                     at("2026-09-30T22:00:00Z"));
    assert_int_equal(period_next(berlin, UNIT_MONTH, at("2026-10-25T12:00:00Z")),
                     at("2026-10-31T23:00:00Z"));
    assert_int_equal(period_start(berlin, UNIT_WEEK, at("2026-10-25T12:00:00Z")),
                     at("2026-10-18T22:00:00Z"));
    assert_int_equal(period_start(berlin, UNIT_QUARTER, at("2026-10-25T12:00:00Z")),
                     at("2026-09-30T22:00:00Z"));
    assert_int_equal(period_start(berlin, UNIT_YEAR, at("2026-10-25T12:00:00Z")),
                     at("2025-12-31T23:00:00Z"));
}

static void test_midnight_that_does_not_exist(void **state)
{
    (void)state;
    /* In Sao Paulo the clock went from 2018-11-03 24:00 to 2018-11-04 01:00. */
    const struct zone *zone = open_zone("America/Sao_Paulo");
    int64_t start = period_start(zone, UNIT_DAY, at("2018-11-04T12:00:00Z"));
    assert_int_equal(start, at("2018-11-04T03:00:00Z"));
    assert_int_equal(zone_local(zone, start).hour, 1);
    assert_int_equal(hours_of_day(zone, "2018-11-04T12:00:00Z"), 23);
    /* Samoa had no 2011-12-30. */
    const struct zone *apia = open_zone("Pacific/Apia");
    int64_t last = at("2011-12-30T09:59:59Z");
    assert_int_equal(zone_local(apia, last).day, 29);
    assert_int_equal(zone_local(apia, period_next(apia, UNIT_DAY, last)).day, 31);
    assert_int_equal(hours_of_day(open_zone("Asia/Kolkata"), "2026-06-01T20:00:00Z"), 24);
    assert_int_equal(period_start(open_zone("Asia/Kolkata"), UNIT_DAY, at("2026-06-01T20:00:00Z")),
                     at("2026-06-01T18:30:00Z"));
}

static void test_adding(void **state)
{
    (void)state;
    const struct zone *berlin = open_zone("Europe/Berlin");
    assert_int_equal(period_add(berlin, UNIT_MONTH, at("2026-01-31T11:00:00Z"), 1),
                     at("2026-02-28T11:00:00Z"));
    assert_int_equal(period_add(berlin, UNIT_DAY, at("2026-03-28T11:00:00Z"), 1),
                     at("2026-03-29T10:00:00Z"));
    assert_int_equal(period_add(berlin, UNIT_QUARTER, at("2026-01-15T11:00:00Z"), -1),
                     at("2025-10-15T10:00:00Z"));
    assert_int_equal(period_add(zone_utc(), UNIT_YEAR, at("2024-02-29T00:00:00Z"), 1),
                     at("2025-02-28T00:00:00Z"));
}

static void test_names(void **state)
{
    (void)state;
    const struct zone *zone = NULL;
    static const char *const bad[] = {"Nowhere/Land",   "../../etc/passwd", "/etc/passwd",
                                      "Europe",         "Europe/../UTC",    "a b",
                                      "Europe/Berlin;", "zone.tab",         "."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct varve_err err;
        enum varve_status status =
            zone_open((struct varve_str){bad[i], strlen(bad[i])}, &arena, &zone, &err);
        assert_true(status == VARVE_NOTFOUND || status == VARVE_CORRUPT);
        assert_true(err.message[0]);
    }
    assert_int_equal(zone_open((struct varve_str){"", 0}, &arena, &zone, NULL), VARVE_OK);
    assert_ptr_equal(zone, zone_utc());
    setenv("TZ", ":Asia/Kolkata", 1);
    assert_true(zone_system_name(&arena).size == strlen("Asia/Kolkata"));
    unsetenv("TZ");
}

/* The first and the last instant there are, and those beside them. */
static void test_ends_of_time(void **state)
{
    (void)state;
    static const struct {
        int64_t instant;
        int year, month, day, hour, minute, second, nanosecond;
    } ends[] = {
        {INT64_MIN, 1677, 9, 21, 0, 12, 43, 145224192},
        {INT64_MIN + 854775808, 1677, 9, 21, 0, 12, 44, 0},
        {INT64_MAX, 2262, 4, 11, 23, 47, 16, 854775807},
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct zone_time t = zone_local(zone_utc(), ends[i].instant);
        assert_int_equal(t.year, ends[i].year);
        assert_int_equal(t.month, ends[i].month);
        assert_int_equal(t.day, ends[i].day);
        assert_int_equal(t.hour, ends[i].hour);
        assert_int_equal(t.minute, ends[i].minute);
        assert_int_equal(t.second, ends[i].second);
        assert_int_equal(t.nanosecond, ends[i].nanosecond);
    }
    static const char *const names[] = {"UTC", "Asia/Kolkata", "America/New_York"};
    for (size_t z = 0; z < sizeof names / sizeof *names; z++) {
        const struct zone *zone = open_zone(names[z]);
        for (int unit = UNIT_HOUR; unit < CALENDAR_UNITS; unit++)
            for (int64_t k = 0; k < 3; k++) {
                assert_true(period_start(zone, (enum calendar_unit)unit, INT64_MIN + k) <=
                            INT64_MIN + k);
                assert_true(period_next(zone, (enum calendar_unit)unit, INT64_MAX - k) >=
                            INT64_MAX - k);
            }
    }
}

/* Damaged files are refused or read as something: never past their end. */
static void test_damaged(void **state)
{
    (void)state;
    open_zone("Europe/Berlin");
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    assert_non_null(file);
    static uint8_t sound[1 << 16];
    size_t size = fread(sound, 1, sizeof sound, file);
    fclose(file);
    uint64_t seed = 4;
    for (int i = 0; i < 3000; i++) {
        size_t n = i % 3 ? size : next_random(&seed) % size;
        uint8_t *bytes = malloc(n + 1);
        memcpy(bytes, sound, n);
        for (int k = 0; n > 0 && k < 3; k++)
            bytes[next_random(&seed) % (k ? n : (n < 60 ? n : 60))] ^= (uint8_t)next_random(&seed);
        const struct zone *zone;
        arena_clear(&arena);
        if (zone_read(bytes, n, &arena, &zone, NULL) == VARVE_OK)
            for (int k = 0; k < 5; k++)
                zone_local(zone, random_second(&seed) * NS_PER_SECOND);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_periods_cut_time),
        cmocka_unit_test(test_days_that_are_not_24_hours),
        cmocka_unit_test(test_midnight_that_does_not_exist),
        cmocka_unit_test(test_adding),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ends_of_time),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
