/* SPDX-License-Identifier: Apache-2.0
 *
 * local_time.c -- the calendar and the clock of a zone, in both directions.
 *
 * From instants to local times is the library's work.  The way back guesses an instant by the
 * offset around it and looks whether the guess reads as it should.  Instants are cut to seconds.
 */
#include "local_time.h"

#include <time.h>

#define SECOND INT64_C(1000000000)

static struct local_time split_utc(int64_t seconds)
{
    struct tm tm = {0};
    time_t time = (time_t)seconds;
    gmtime_r(&time, &tm);
    return (struct local_time){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                               tm.tm_hour,        tm.tm_min,     tm.tm_sec};
}

struct local_time local_split(const varve_zone *zone, int64_t instant)
{
    struct varve_local at;
    if (!zone)
        return split_utc(instant / SECOND - (instant % SECOND < 0));
    varve_zone_local(zone, instant, &at);
    return (struct local_time){at.year, at.month, at.day, at.hour, at.minute, at.second};
}

/* The fields as if they were UTC, in seconds. */
static int64_t plain_seconds(struct local_time time)
{
    struct tm tm = {.tm_year = time.year - 1900,
                    .tm_mon = time.month - 1,
                    .tm_mday = time.day,
                    .tm_hour = time.hour,
                    .tm_min = time.minute,
                    .tm_sec = time.second};
    return timegm(&tm);
}

static int64_t to_instant(int64_t seconds)
{
    int64_t instant;
    if (__builtin_mul_overflow(seconds, SECOND, &instant))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return instant;
}

static int offset_at(const varve_zone *zone, int64_t seconds)
{
    struct varve_local at;
    if (!zone)
        return 0;
    varve_zone_local(zone, to_instant(seconds), &at);
    return at.offset;
}

int64_t local_instant(const varve_zone *zone, struct local_time time)
{
    int64_t plain = plain_seconds(time);
    int64_t first = plain - offset_at(zone, plain);
    int64_t second = plain - offset_at(zone, first);
    if (first == second || second + offset_at(zone, second) == plain)
        return to_instant(second);
    return to_instant(first > second ? first : second);
}

int64_t local_day(struct local_time time)
{
    time.hour = time.minute = time.second = 0;
    return plain_seconds(time) / 86400;
}

struct local_time local_of_day(int64_t day)
{
    return split_utc(day * 86400);
}

int local_weekday(int64_t day)
{
    return (int)(((day + 3) % 7 + 7) % 7);
}
