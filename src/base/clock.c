/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.c -- days, months and instants by arithmetic alone.
 *
 * Years are counted from the first of March, so that the odd day of a leap year
 * is the last of its year: then a day's month and a month's first day follow from
 * one linear formula each, (153 m + 2) / 5.  400 years always have 146,097 days,
 * which makes negative days ordinary ones of an earlier era.
 *
 * No time zones, no leap seconds, no locale; the C library's calendar is not
 * used.  Years before 0000 and after 9999 have no text that instant_parse reads.
 */
#include "base/clock.h"

#include "base/str.h"

#include <stdio.h>
#include <time.h>

enum { DAYS_PER_ERA = 146097, MARCH_1_YEAR_0 = -719468 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int32_t clamp32(int64_t v)
{
    return v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : (int32_t)v;
}

int32_t day_of(int64_t instant)
{
    return (int32_t)floor_div(instant, NS_PER_DAY);
}

int64_t day_start(int32_t day)
{
    int64_t start;
    if (__builtin_mul_overflow((int64_t)day, NS_PER_DAY, &start))
        return day < 0 ? INT64_MIN : INT64_MAX;
    return start;
}

/* month counts from 0 and may lie outside 0 .. 11. */
static int64_t civil_to_day(int64_t year, int64_t month, int64_t mday)
{
    int64_t months = year * 12 + month - 2; /* since March of year 0 */
    year = floor_div(months, 12);
    month = months - year * 12;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * month + 2) / 5 + mday - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era + MARCH_1_YEAR_0;
}

void civil_of_day(int32_t day, int *year, int *month, int *mday)
{
    int64_t days = (int64_t)day - MARCH_1_YEAR_0;
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * day_of_year + 2) / 153;
    *mday = (int)(day_of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (int)(era * 400 + year_of_era + (from_march >= 10));
}

int32_t day_of_civil(int year, int month, int mday)
{
    return clamp32(civil_to_day(year, (int64_t)month - 1, mday));
}

int32_t month_of_day(int32_t day)
{
    int year, month, mday;
    civil_of_day(day, &year, &month, &mday);
    return year * 12 + month - 1;
}

int32_t month_first_day(int32_t month)
{
    return clamp32(civil_to_day(0, month, 1));
}

void day_text(int32_t day, char text[INSTANT_TEXT])
{
    int year, month, mday;
    civil_of_day(day, &year, &month, &mday);
    snprintf(text, INSTANT_TEXT, "%04d-%02d-%02d", year, month, mday);
}

void month_text(int32_t month, char text[INSTANT_TEXT])
{
    int year = (int)floor_div(month, 12);
    snprintf(text, INSTANT_TEXT, "%04d-%02d", year, (int)(month - (int64_t)year * 12) + 1);
}

void instant_text(int64_t instant, char text[INSTANT_TEXT])
{
    int32_t day = day_of(instant);
    int year, month, mday;
    civil_of_day(day, &year, &month, &mday);
    int64_t second = floor_div(instant, NS_PER_SECOND);
    int ns = (int)(instant % NS_PER_SECOND);
    if (ns < 0)
        ns += (int)NS_PER_SECOND;
    int left = (int)(second - (int64_t)day * 86400);
    int length = snprintf(text, INSTANT_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, mday,
                          left / 3600, left / 60 % 60, left % 60);
    size_t room = INSTANT_TEXT - (size_t)length;
    if (ns % 1000000)
        snprintf(text + length, room, ".%09dZ", ns);
    else
        snprintf(text + length, room, ".%03dZ", ns / 1000000);
}

/* ---- parsing ------------------------------------------------------------ */

struct scanner {
    const char *at, *end;
};

static bool next_is(struct scanner *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool next_is_any(struct scanner *s, const char *set)
{
    for (; *set; set++)
        if (next_is(s, *set))
            return true;
    return false;
}

static bool is_digit(const struct scanner *s)
{
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

/* Exactly `count` digits. */
static bool digits(struct scanner *s, int count, int *value)
{
    *value = 0;
    for (; count > 0; count--) {
        if (!is_digit(s))
            return false;
        *value = *value * 10 + (*s->at++ - '0');
    }
    return true;
}

/* ".1" to ".123456789", or nothing. */
static bool fraction(struct scanner *s, int64_t *ns)
{
    *ns = 0;
    if (!next_is(s, '.'))
        return true;
    if (!is_digit(s))
        return false;
    int64_t unit = NS_PER_SECOND;
    while (is_digit(s) && unit > 1) {
        unit /= 10;
        *ns += (*s->at++ - '0') * unit;
    }
    return !is_digit(s);
}

static int days_in_month(int year, int month)
{
    return (int)(civil_to_day(year, month, 1) - civil_to_day(year, month - 1, 1));
}

static bool scan_date(struct scanner *s, int64_t *day)
{
    int year, month, mday;
    if (!digits(s, 4, &year) || !next_is(s, '-') || !digits(s, 2, &month) || !next_is(s, '-') ||
        !digits(s, 2, &mday))
        return false;
    if (month < 1 || month > 12 || mday < 1 || mday > days_in_month(year, month))
        return false;
    *day = civil_to_day(year, month - 1, mday);
    return true;
}

static bool scan_time(struct scanner *s, int *seconds, int64_t *ns)
{
    int hour, minute, second;
    if (!digits(s, 2, &hour) || !next_is(s, ':') || !digits(s, 2, &minute) || !next_is(s, ':') ||
        !digits(s, 2, &second) || !fraction(s, ns))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

static bool scan_offset(struct scanner *s, int *seconds)
{
    *seconds = 0;
    if (next_is_any(s, "Zz"))
        return true;
    int sign = next_is(s, '+') ? 1 : next_is(s, '-') ? -1 : 0;
    int hours, minutes;
    if (!sign || !digits(s, 2, &hours) || !next_is(s, ':') || !digits(s, 2, &minutes))
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static bool scan_date_time(struct scanner *s, int64_t *seconds, int64_t *ns)
{
    int64_t day;
    int time, offset;
    *ns = 0;
    if (!scan_date(s, &day))
        return false;
    *seconds = day * 86400;
    if (s->at == s->end)
        return true;
    if (!next_is_any(s, "Tt ") || !scan_time(s, &time, ns) || !scan_offset(s, &offset))
        return false;
    *seconds += time - offset;
    return s->at == s->end;
}

/* Eleven digits reach past the year 2262 by far; more than that is no time. */
static bool scan_unix(struct scanner *s, int64_t *seconds, int64_t *ns)
{
    bool negative = next_is(s, '-');
    *seconds = 0;
    if (!is_digit(s))
        return false;
    for (int count = 0; is_digit(s) && count < 11; count++)
        *seconds = *seconds * 10 + (*s->at++ - '0');
    if (!fraction(s, ns))
        return false;
    if (negative) {
        *seconds = -*seconds - (*ns > 0);
        *ns = *ns ? NS_PER_SECOND - *ns : 0;
    }
    return s->at == s->end;
}

/* seconds * 1e9 + ns, where only the sum need fit: -9223372037 s is below INT64_MIN. */
static bool join(int64_t seconds, int64_t ns, int64_t *instant)
{
    if (seconds < 0 && ns > 0) {
        seconds++;
        ns -= NS_PER_SECOND;
    }
    return !__builtin_mul_overflow(seconds, NS_PER_SECOND, instant) &&
           !__builtin_add_overflow(*instant, ns, instant);
}

enum varve_status
instant_parse(const char *text, size_t size, int64_t *instant, struct varve_err *err)
{
    struct varve_str shown = {text, size};
    struct scanner s = {text, text + size};
    int64_t seconds, ns, result;
    bool is_date = size >= 5 && text[4] == '-';
    if (is_date ? !scan_date_time(&s, &seconds, &ns) : !scan_unix(&s, &seconds, &ns))
        return fail(err, VARVE_INVALID, "",
                    "'%.*s' is not a time; write 2026-10-08T08:15:18.5Z, 2026-10-08 (UTC) or "
                    "Unix seconds",
                    STR_ARG(shown));
    if (!join(seconds, ns, &result))
        return fail(err, VARVE_INVALID, "",
                    "'%.*s' is out of range; times reach from 1677-09-21 to 2262-04-11",
                    STR_ARG(shown));
    *instant = result;
    return VARVE_OK;
}

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
