/* SPDX-License-Identifier: Apache-2.0
 *
 * local_time.c -- the calendar and the clock of a zone.
 *
 * The C library's zones, chosen by TZ.  TZ is set once before a picture is drawn and put back
 * after it, as setting it is not safe while other threads read the clock.  Everything that needs
 * a zone goes through these few routines, so that another source of zones can take their place.
 * Instants are cut to seconds.
 */
#include "local_time.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

static bool is_utc = true;

static bool use_zone(struct local_zone *zone, const char *name)
{
    const char *before = getenv("TZ");
    if (before && !(zone->before = strdup(before)))
        return false;
    if (setenv("TZ", name, 1) != 0)
        return false;
    tzset();
    zone->is_changed = true;
    return true;
}

bool local_begin(struct local_zone *zone, struct varve_str name)
{
    *zone = (struct local_zone){0};
    is_utc = true;
    if (name.size == 0 || (name.size == 3 && memcmp(name.data, "UTC", 3) == 0))
        return true;
    char *text = strndup(name.data, name.size);
    bool done = text && use_zone(zone, text);
    free(text);
    is_utc = !done;
    return done;
}

void local_end(struct local_zone *zone)
{
    if (zone->is_changed) {
        if (zone->before)
            setenv("TZ", zone->before, 1);
        else
            unsetenv("TZ");
        tzset();
    }
    free(zone->before);
    *zone = (struct local_zone){0};
    is_utc = true;
}

struct local_time local_split(int64_t instant)
{
    struct tm tm = {0};
    time_t seconds = (time_t)(instant / SECOND - (instant % SECOND < 0));
    if (is_utc)
        gmtime_r(&seconds, &tm);
    else
        localtime_r(&seconds, &tm);
    return (struct local_time){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                               tm.tm_hour,        tm.tm_min,     tm.tm_sec};
}

int64_t local_instant(struct local_time time)
{
    struct tm tm = {.tm_year = time.year - 1900,
                    .tm_mon = time.month - 1,
                    .tm_mday = time.day,
                    .tm_hour = time.hour,
                    .tm_min = time.minute,
                    .tm_sec = time.second,
                    .tm_isdst = -1};
    int64_t seconds = is_utc ? timegm(&tm) : mktime(&tm), instant;
    if (__builtin_mul_overflow(seconds, SECOND, &instant))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return instant;
}

int64_t local_day(struct local_time time)
{
    struct tm tm = {.tm_year = time.year - 1900, .tm_mon = time.month - 1, .tm_mday = time.day};
    return timegm(&tm) / 86400;
}

struct local_time local_of_day(int64_t day)
{
    struct tm tm = {0};
    time_t seconds = (time_t)(day * 86400);
    gmtime_r(&seconds, &tm);
    return (struct local_time){
        .year = tm.tm_year + 1900, .month = tm.tm_mon + 1, .day = tm.tm_mday};
}

int local_weekday(int64_t day)
{
    return (int)(((day + 3) % 7 + 7) % 7);
}
