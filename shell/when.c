/* SPDX-License-Identifier: Apache-2.0
 *
 * when.c -- reads a point in time.
 *
 *     time     = "now" | relative | date | date "T" clock zone | unix seconds
 *     relative = "-" { digits unit }        unit: s m h d w; -1h30m is 90 minutes ago
 *     clock    = HH ":" MM ":" SS [ "." digits ]
 *     zone     = "Z" | ("+" | "-") HH ":" MM
 *
 * Unix seconds may have a fraction.  Digits beyond the nanosecond are cut.
 * Every sum is checked: what does not fit 64 bits of nanoseconds is no time.
 */
#include "when.h"

#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

int64_t when_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `count` digits at *at, as a number between least and most. */
static bool fixed(const char **at, int count, int least, int most, int *value)
{
    int v = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!is_digit(**at))
            return false;
        v = v * 10 + (**at - '0');
    }
    *value = v;
    return v >= least && v <= most;
}

static bool letter(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* Digits of any number up to 18, so that they fit. */
static bool number(const char **at, int64_t *value)
{
    int64_t v = 0;
    int count = 0;
    for (; is_digit(**at) && count < 18; (*at)++, count++)
        v = v * 10 + (**at - '0');
    *value = v;
    return count > 0 && !is_digit(**at);
}

/* "" or "." and digits, as nanoseconds. */
static bool fraction(const char **at, int64_t *nanos)
{
    *nanos = 0;
    if (!letter(at, '.'))
        return true;
    if (!is_digit(**at))
        return false;
    for (int64_t unit = SECOND / 10; is_digit(**at); (*at)++, unit /= 10)
        *nanos += unit * (**at - '0');
    return true;
}

static bool to_instant(int64_t seconds, int64_t nanos, int64_t *instant)
{
    return !__builtin_mul_overflow(seconds, SECOND, instant) &&
           !__builtin_add_overflow(*instant, nanos, instant);
}

static bool relative(const char *at, int64_t now, int64_t *instant)
{
    static const char units[] = "smhdw";
    static const int64_t seconds[] = {1, 60, 3600, 86400, 604800};
    int64_t sum = 0;
    do {
        int64_t count, nanos;
        if (!number(&at, &count) || *at == '\0')
            return false;
        const char *unit = strchr(units, *at++);
        if (!unit || __builtin_mul_overflow(count, seconds[unit - units] * SECOND, &nanos) ||
            __builtin_add_overflow(sum, nanos, &sum))
            return false;
    } while (*at);
    return !__builtin_sub_overflow(now, sum, instant);
}

static bool zone(const char **at, int *minutes)
{
    *minutes = 0;
    if (letter(at, 'Z'))
        return true;
    int sign = **at == '-' ? -1 : 1, hours, rest;
    if (!letter(at, '+') && !letter(at, '-'))
        return false;
    if (!fixed(at, 2, 0, 23, &hours) || !letter(at, ':') || !fixed(at, 2, 0, 59, &rest))
        return false;
    *minutes = sign * (hours * 60 + rest);
    return true;
}

static bool clock_time(const char **at, struct tm *tm, int64_t *nanos, int *minutes)
{
    return fixed(at, 2, 0, 23, &tm->tm_hour) && letter(at, ':') &&
           fixed(at, 2, 0, 59, &tm->tm_min) && letter(at, ':') &&
           fixed(at, 2, 0, 59, &tm->tm_sec) && fraction(at, nanos) && zone(at, minutes);
}

static bool date(const char *at, int64_t *instant)
{
    struct tm tm = {0};
    int64_t nanos = 0;
    int minutes = 0;
    if (!fixed(&at, 4, 1, 9999, &tm.tm_year) || !letter(&at, '-') ||
        !fixed(&at, 2, 1, 12, &tm.tm_mon) || !letter(&at, '-') ||
        !fixed(&at, 2, 1, 31, &tm.tm_mday))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    struct tm day = tm;
    timegm(&day);
    if (day.tm_mday != tm.tm_mday) /* 30 February turned into March */
        return false;
    if (*at && !(letter(&at, 'T') && clock_time(&at, &tm, &nanos, &minutes) && *at == '\0'))
        return false;
    return to_instant(timegm(&tm) - minutes * INT64_C(60), nanos, instant);
}

bool when_parse(const char *text, int64_t now, int64_t *instant)
{
    int64_t result, seconds, nanos;
    const char *at = text;
    if (strcmp(text, "now") == 0)
        result = now;
    else if (text[0] == '-') {
        if (!relative(text + 1, now, &result))
            return false;
    } else if (strlen(text) >= 10 && text[4] == '-') {
        if (!date(text, &result))
            return false;
    } else if (!number(&at, &seconds) || !fraction(&at, &nanos) || *at ||
               !to_instant(seconds, nanos, &result))
        return false;
    *instant = result;
    return true;
}
