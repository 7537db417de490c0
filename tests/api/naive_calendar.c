/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_calendar.c -- calendars by the C library: local days and what is made of them.
 *
 * Every zone that is used here has midnights, and clocks that change by whole hours.
 */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "naive.h"
#include "small.h"

static void use_zone(const char *zone)
{
    static const char *used;
    if (used == zone)
        return;
    setenv("TZ", zone, 1);
    tzset();
    used = zone;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void local_fields(const char *zone, int64_t instant, struct tm *tm)
{
    time_t second = (time_t)floor_div(instant, SECOND);
    use_zone(zone);
    localtime_r(&second, tm);
}

/* The first instant of a local day. */
static int64_t midnight(struct tm tm)
{
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * SECOND;
}

int64_t bucket_start(const struct width *width, int64_t instant, int64_t *next)
{
    static const int months[] = {[MONTHS] = 1, [QUARTERS] = 3, [YEARS] = 12};
    struct tm tm;
    if (width->kind == FIXED) {
        *next = (floor_div(instant, width->nanos) + 1) * width->nanos;
        return *next - width->nanos;
    }
    local_fields(width->zone, instant, &tm);
    if (width->kind == WEEKS)
        tm.tm_mday -= (tm.tm_wday + 6) % 7;
    if (width->kind >= MONTHS) {
        tm.tm_mday = 1;
        tm.tm_mon -= tm.tm_mon % months[width->kind];
    }
    int64_t start = midnight(tm);
    tm.tm_mday += width->kind == DAYS ? 1 : width->kind == WEEKS ? 7 : 0;
    tm.tm_mon += width->kind >= MONTHS ? months[width->kind] : 0;
    *next = midnight(tm);
    return start;
}

int64_t unit_start(const char *zone, unsigned unit, int64_t instant, int64_t *next)
{
    struct width width = {.kind = (int)unit, .nanos = HOUR, .zone = zone};
    struct tm tm;
    if (unit != FIXED)
        return bucket_start(&width, instant, next);
    local_fields(zone, instant, &tm); /* an hour of the zone's clock */
    int64_t offset = (int64_t)tm.tm_gmtoff % 3600 * SECOND;
    int64_t start = bucket_start(&width, instant + offset, next) - offset;
    *next -= offset;
    return start;
}

/* The first of the instants that have this local time; where the clock jumps over it, that at which
 * it does. */
static int64_t first_of(struct tm tm, bool *exists)
{
    int64_t first = INT64_MAX, times[2];
    for (int is_dst = 0; is_dst < 2; is_dst++) {
        struct tm as = tm, is;
        as.tm_isdst = is_dst;
        time_t second = mktime(&as);
        localtime_r(&second, &is);
        times[is_dst] = (int64_t)second;
        if (is.tm_hour == tm.tm_hour && is.tm_min == tm.tm_min && second < first)
            first = (int64_t)second;
    }
    *exists = first < INT64_MAX;
    if (*exists)
        return first;
    for (time_t at = (time_t)times[1];; at++) {
        struct tm before, behind;
        time_t next = at + 1;
        localtime_r(&at, &before);
        localtime_r(&next, &behind);
        if (before.tm_gmtoff != behind.tm_gmtoff)
            return (int64_t)next;
    }
}

static int days_of_month(int year, int month)
{
    struct tm tm = {.tm_year = year, .tm_mon = month + 1, .tm_mday = 0, .tm_hour = 12};
    time_t second = timegm(&tm);
    gmtime_r(&second, &tm);
    return tm.tm_mday;
}

int64_t local_instant(const char *zone, struct tm tm)
{
    bool exists;
    use_zone(zone);
    return first_of(tm, &exists) * SECOND;
}

int64_t local_later(const char *zone, int64_t instant, int days, int months)
{
    struct tm tm;
    bool exists;
    local_fields(zone, instant, &tm);
    tm.tm_mon += months;
    int most = days_of_month(tm.tm_year, tm.tm_mon);
    if (months && tm.tm_mday > most)
        tm.tm_mday = most;
    tm.tm_mday += days;
    int64_t result = first_of(tm, &exists) * SECOND;
    return result + (exists ? instant - floor_div(instant, SECOND) * SECOND : 0);
}

int64_t width_later(const struct width *width, int64_t instant, int count)
{
    switch (width->kind) {
    case DAYS:
        return local_later(width->zone, instant, count, 0);
    case WEEKS:
        return local_later(width->zone, instant, 7 * count, 0);
    default:
        return local_later(width->zone, instant, 0,
                           count * (width->kind == MONTHS     ? 1
                                    : width->kind == QUARTERS ? 3
                                                              : 12));
    }
}

/* Of the widths that people like, the one of which the range has nearest to a hundred. */
void nice_width(struct width *width, int64_t length)
{
    static const struct {
        int64_t seconds;
        int kind;
    } nice[] = {{1, FIXED},          {2, FIXED},        {5, FIXED},
                {10, FIXED},         {15, FIXED},       {30, FIXED},
                {60, FIXED},         {120, FIXED},      {300, FIXED},
                {600, FIXED},        {900, FIXED},      {1800, FIXED},
                {3600, FIXED},       {7200, FIXED},     {10800, FIXED},
                {21600, FIXED},      {43200, FIXED},    {86400, DAYS},
                {604800, WEEKS},     {2592000, MONTHS}, {91 * 86400, QUARTERS},
                {365 * 86400, YEARS}};
    double best = (double)INFINITY;
    for (size_t i = 0; i < sizeof nice / sizeof *nice; i++) {
        double off = fabs(log((double)length / 1e11 / (double)nice[i].seconds));
        if (off < best - 1e-12) {
            best = off;
            width->kind = nice[i].kind;
            width->nanos = nice[i].seconds * SECOND;
        }
    }
}
