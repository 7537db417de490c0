/* SPDX-License-Identifier: Apache-2.0
 *
 * calendar.c -- days, weeks, months, quarters and years of a zone.
 *
 * A period begins at the first instant of its first local day.  Where a clock that is set
 * back makes an hour of the day before come again after midnight, that hour belongs
 * to the day that has begun: periods never overlap.
 */
#include "base/zone_private.h"

const char *const calendar_unit_names[CALENDAR_UNITS] = {
    [UNIT_NONE] = "none",   [UNIT_HOUR] = "hour",       [UNIT_DAY] = "day",  [UNIT_WEEK] = "week",
    [UNIT_MONTH] = "month", [UNIT_QUARTER] = "quarter", [UNIT_YEAR] = "year"};

static int32_t local_day(const struct zone *zone, int64_t instant)
{
    int64_t local = seconds_of(instant) + zone_offset(zone, instant, NULL);
    return (int32_t)(local >= 0 ? local / 86400 : (local - 86399) / 86400);
}

static int weekday_of(int32_t day)
{
    return (int)((((int64_t)day + 3) % 7 + 7) % 7) + 1; /* 1970-01-01 was a Thursday */
}

struct zone_time zone_local(const struct zone *zone, int64_t instant)
{
    int64_t second = seconds_of(instant);
    struct zone_time t = {.offset = zone_offset(zone, instant, NULL)};
    int32_t day = local_day(zone, instant);
    int rest = (int)(second + t.offset - (int64_t)day * 86400);
    civil_of_day(day, &t.year, &t.month, &t.day);
    t.hour = rest / 3600;
    t.minute = rest / 60 % 60;
    t.second = rest % 60;
    t.nanosecond = (int)(instant % NS_PER_SECOND);
    t.nanosecond += t.nanosecond < 0 ? (int)NS_PER_SECOND : 0;
    t.weekday = weekday_of(day);
    return t;
}

static int32_t day_of_fields(int year, int month, int day)
{
    int64_t months = (int64_t)year * 12 + month - 1;
    int y = (int)(months >= 0 ? months / 12 : (months - 11) / 12);
    return day_of_civil(y, (int)(months - (int64_t)y * 12) + 1, 1) + day - 1;
}

int64_t zone_instant(const struct zone *zone, int year, int month, int day, int hour, int minute,
                     int second, int nanosecond)
{
    int64_t local = (int64_t)day_of_fields(year, month, day) * 86400 + (int64_t)hour * 3600 +
                    (int64_t)minute * 60 + second;
    int64_t result = second_of_local(zone, local);
    /* In a gap the fraction is gone, too. */
    bool exists = result + type_at(zone, result)->offset == local;
    return instant_of(result) + (exists ? nanosecond : 0);
}

/* ---- periods ---------------------------------------------------------------- */

/* The first day of the period that holds a local day, `count` periods on. */
static int32_t first_day(enum calendar_unit unit, int32_t day, int count)
{
    int year, month, mday;
    if (unit == UNIT_DAY)
        return day + count;
    if (unit == UNIT_WEEK)
        return day - (weekday_of(day) - 1) + 7 * count;
    civil_of_day(day, &year, &month, &mday);
    if (unit == UNIT_MONTH)
        return day_of_fields(year, month + count, 1);
    if (unit == UNIT_QUARTER)
        return day_of_fields(year, (month - 1) / 3 * 3 + 1 + 3 * count, 1);
    return day_of_fields(year + count, 1, 1);
}

static int64_t start_of_day(const struct zone *zone, int32_t day)
{
    return instant_of(second_of_local(zone, (int64_t)day * 86400));
}

static int64_t floor_to(int64_t value, int64_t unit)
{
    int64_t rest = value % unit;
    return value - rest - (rest < 0 ? unit : 0);
}

/* Hours of the local clock, cut where the clock is set. */
static int64_t hour_start(const struct zone *zone, int64_t instant, int64_t *next)
{
    int64_t second = seconds_of(instant);
    int64_t offset = type_at(zone, second)->offset;
    int64_t start = floor_to(second + offset, 3600) - offset;
    int64_t changes = next_transition(zone, start);
    while (changes <= second) {
        start = changes;
        changes = next_transition(zone, start);
    }
    int64_t end = floor_to(second + offset, 3600) - offset + 3600;
    *next = instant_of(changes < end ? changes : end);
    return instant_of(start);
}

static int64_t
find_period(const struct zone *zone, enum calendar_unit unit, int64_t instant, int64_t *next)
{
    if (unit == UNIT_HOUR)
        return hour_start(zone, instant, next);
    int32_t day = first_day(unit, local_day(zone, instant), 0);
    int64_t start = start_of_day(zone, day);
    for (;;) {
        int32_t day_behind = first_day(unit, day, 1);
        *next = start_of_day(zone, day_behind);
        /* A day that a zone leaves out is empty; and an hour may come again. */
        if (instant < *next || *next == INT64_MAX)
            return start;
        day = day_behind;
        start = *next;
    }
}

int64_t period_start(const struct zone *zone, enum calendar_unit unit, int64_t instant)
{
    int64_t next;
    return find_period(zone, unit, instant, &next);
}

int64_t period_next(const struct zone *zone, enum calendar_unit unit, int64_t instant)
{
    int64_t next;
    find_period(zone, unit, instant, &next);
    return next;
}

int64_t period_add(const struct zone *zone, enum calendar_unit unit, int64_t instant, int count)
{
    if (unit == UNIT_HOUR)
        return instant + (int64_t)count * 3600 * NS_PER_SECOND;
    struct zone_time t = zone_local(zone, instant);
    int month = t.month, day = t.day;
    if (unit == UNIT_DAY || unit == UNIT_WEEK) {
        day += count * (unit == UNIT_WEEK ? 7 : 1);
    } else {
        month += count * (unit == UNIT_YEAR ? 12 : unit == UNIT_QUARTER ? 3 : 1);
        int length = day_of_fields(t.year, month + 1, 1) - day_of_fields(t.year, month, 1);
        day = day < length ? day : length;
    }
    return zone_instant(zone, t.year, month, day, t.hour, t.minute, t.second, t.nanosecond);
}
