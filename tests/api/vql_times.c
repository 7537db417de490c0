/* SPDX-License-Identifier: Apache-2.0
 *
 * vql_times.c -- random ranges, buckets and comparisons, as text and as instants.
 *
 * The calendar is that of the statement's zone, so EVERY ... TZ is chosen first, then the range,
 * and then a width of which the range does not have too many.
 */
#include <time.h>

#include "vql_grammar.h"

#define MINUTE (60 * SECOND)

const char *const zones[ZONES] = {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"};
static const char *const unit_names[] = {"", "hour", "day", "week", "month", "quarter", "year"};

#define PRINT(to, ...) snprintf((to), sizeof(to), __VA_ARGS__)

static void print_utc(char text[40], int64_t instant)
{
    struct tm tm;
    time_t second = (time_t)(instant / SECOND);
    char date[24];
    gmtime_r(&second, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, 40, "%s.%09lldZ", date, (long long)(instant % SECOND));
}

void say_time(struct gen *g, int64_t instant)
{
    char text[40];
    print_utc(text, instant);
    say(g, "%s", text);
}

static int64_t in_world(struct gen *g)
{
    uint64_t length = (uint64_t)(g->world->until - g->world->since + DAY);
    return g->world->since - DAY / 2 + (int64_t)prng_below(g->prng, length);
}

/* ---- points in time ------------------------------------------------------------------ */

/* A date, or a date and a time of day. */
static int64_t local_date(struct gen *g, const char *zone, char text[60])
{
    struct tm tm;
    char date[24];
    local_fields(zone, in_world(g), &tm);
    tm.tm_sec = 0;
    if (dice(g, 2)) {
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &tm);
        snprintf(text, 60, "'%s'", date);
        return local_instant(zone, tm);
    }
    tm.tm_hour = tm.tm_min = 0;
    strftime(date, sizeof date, "%Y-%m-%d", &tm);
    snprintf(text, 60, dice(g, 2) ? "%s" : "'%s'", date);
    return local_instant(zone, tm);
}

static int64_t when(struct gen *g, const char *zone, char text[60])
{
    int64_t n = 1 + (int64_t)dice(g, 200), next, at;
    unsigned unit;
    switch (dice(g, 5)) {
    case 0:
        snprintf(text, 60, dice(g, 2) ? "%lldm AGO" : "%lldm", (long long)(30 * n));
        return g->now - 30 * n * MINUTE;
    case 1:
        unit = 1 + dice(g, 4);
        at = unit_start(zone, unit, g->now, &next);
        if (dice(g, 2)) {
            snprintf(text, 60, "start of %s", unit_names[unit]);
            return at;
        }
        snprintf(text, 60, "start of %s - %lldh + 1m", unit_names[unit], (long long)n);
        return at - n * HOUR + MINUTE;
    case 2:
        return local_date(g, zone, text);
    case 3:
        snprintf(text, 60, dice(g, 2) ? "now - %lldm30s" : "now-%lldm30s", (long long)(20 * n));
        return g->now - 20 * n * MINUTE - 30 * SECOND;
    default:
        at = in_world(g);
        at -= dice(g, 3) ? at % HOUR : 0;
        print_utc(text, at);
        return at;
    }
}

/* ---- ranges ------------------------------------------------------------------------------- */

static void two_points(struct gen *g, const char *zone)
{
    struct select *s = g->select;
    char a[60], b[60], held[60];
    s->since = when(g, zone, a);
    s->until = when(g, zone, b);
    if (s->since < g->now && dice(g, 6) == 0) {
        s->until = g->now;
        PRINT(g->range, "SINCE %s", a);
        return;
    }
    if (s->since > s->until) {
        int64_t instant = s->since;
        s->since = s->until;
        s->until = instant;
        memcpy(held, a, sizeof a);
        memcpy(a, b, sizeof a);
        memcpy(b, held, sizeof a);
    }
    if (s->since == s->until) {
        s->until = s->since + HOUR;
        print_utc(b, s->until);
    }
    g->range_is_between = dice(g, 3) == 0;
    PRINT(g->range, g->range_is_between ? "BETWEEN %s AND %s" : "SINCE %s UNTIL %s", a, b);
}

/* A period by its name. */
static void named_period(struct gen *g, const char *zone)
{
    struct tm tm;
    char text[40];
    static const int kinds[] = {DAYS, DAYS, MONTHS, QUARTERS, YEARS};
    int64_t at = in_world(g);
    g->period.kind = kinds[dice(g, 5)];
    local_fields(zone, at, &tm);
    int year = 1900 + tm.tm_year, month = 1 + tm.tm_mon;
    if (g->period.kind == QUARTERS)
        PRINT(text, "%d-Q%d", year, (month + 2) / 3);
    else if (g->period.kind == DAYS)
        PRINT(text, "%d-%02d-%02d", year, month, tm.tm_mday);
    else if (g->period.kind == MONTHS)
        PRINT(text, "%d-%02d", year, month);
    else
        PRINT(text, "%d", year);
    PRINT(g->range, "DURING '%s'", text);
    g->period_since = bucket_start(&g->period, at, &g->period_until);
}

static void during(struct gen *g, const char *zone)
{
    struct select *s = g->select;
    bool last = dice(g, 3) == 0;
    unsigned unit = 2 + dice(g, 5);
    g->period.zone = zone;
    if (dice(g, 2)) {
        named_period(g, zone);
    } else {
        g->period.kind = (int)unit;
        g->period_since = bucket_start(&g->period, g->now, &g->period_until);
        if (last)
            g->period_since = bucket_start(&g->period, g->period_since - 1, &g->period_until);
        if (unit == DAYS)
            PRINT(g->range, last ? "DURING yesterday" : "DURING today");
        else
            PRINT(g->range, "DURING %s %s", last ? "last" : "this", unit_names[unit]);
    }
    s->since = g->period_since;
    s->until = g->period_until;
    if (s->since <= g->now && g->now < s->until)
        s->until = g->now;
}

void choose_range(struct gen *g, const char *zone, bool may_be_instant)
{
    struct select *s = g->select;
    char text[60];
    g->period.kind = NO_BUCKETS;
    g->range_is_between = g->is_instant = false;
    g->range[0] = '\0';
    switch (dice(g, 16)) {
    case 0:
        s->since = g->now - DAY;
        s->until = g->now;
        return;
    case 1:
        if (!may_be_instant)
            break;
        g->is_instant = true;
        s->since = s->until = when(g, zone, text);
        PRINT(g->range, "AT %s", text);
        return;
    case 2:
    case 3:
    case 4:
    case 5:
        during(g, zone);
        return;
    default:
        break;
    }
    two_points(g, zone);
}

/* ---- buckets ----------------------------------------------------------------------------- */

/* Not too many; what is short enough for its name to be a number of days is one of the calendar. */
static bool is_wide(const struct select *s, int64_t width)
{
    return (s->until - s->since) / width <= 40;
}

static void fixed_width(struct gen *g)
{
    static const int64_t widths[] = {HOUR, 3 * HOUR, 6 * HOUR, 90 * MINUTE, 12 * HOUR, 25 * MINUTE};
    struct select *s = g->select;
    s->width.kind = FIXED;
    s->width.nanos = widths[dice(g, 6)];
    while (!is_wide(s, s->width.nanos) && s->width.nanos < 12 * HOUR)
        s->width.nanos *= 2;
    if (s->width.nanos >= DAY || !is_wide(s, s->width.nanos)) {
        s->width.kind = is_wide(s, DAY) ? DAYS : MONTHS;
        PRINT(g->every, "EVERY %s", s->width.kind == DAYS ? "24h" : "month");
    } else if (s->width.nanos == HOUR && dice(g, 2)) {
        PRINT(g->every, "EVERY hour");
    } else {
        PRINT(g->every, "EVERY %lldm", (long long)(s->width.nanos / MINUTE));
    }
}

/* zone: of a TZ, or NULL. */
static void choose_width(struct gen *g, const char *zone)
{
    static const int64_t days[] = {
        [DAYS] = 1, [WEEKS] = 7, [MONTHS] = 28, [QUARTERS] = 90, [YEARS] = 365};
    struct select *s = g->select;
    unsigned what = dice(g, 12);
    if (what < 6) {
        fixed_width(g);
    } else if (what == 6 && s->until > s->since) {
        nice_width(&s->width, s->until - s->since);
        PRINT(g->every, "EVERY auto");
    } else {
        s->width.kind = DAYS + (int)dice(g, 5);
        while (!is_wide(s, days[s->width.kind] * DAY))
            s->width.kind++;
        bool by_days = s->width.kind <= WEEKS && dice(g, 3) == 0;
        PRINT(g->every, "EVERY %s",
              !by_days                ? unit_names[s->width.kind]
              : s->width.kind == DAYS ? "1d"
                                      : "7d");
    }
    if (zone)
        snprintf(g->every + strlen(g->every), sizeof g->every - strlen(g->every), " TZ '%s'", zone);
}

void choose_times(struct gen *g, const char *session_zone, bool may_be_instant)
{
    struct select *s = g->select;
    bool has_buckets = dice(g, 2), has_zone = has_buckets && dice(g, 2);
    const char *zone = has_zone ? zones[dice(g, ZONES)] : session_zone;
    s->width = (struct width){.kind = NO_BUCKETS, .zone = zone};
    g->every[0] = '\0';
    if (g->has_own_range)
        choose_range(g, zone, may_be_instant && !has_buckets);
    if (has_buckets)
        choose_width(g, has_zone ? zone : NULL);
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void say_previous(struct gen *g)
{
    struct select *s = g->select;
    say(g, "COMPARE TO previous");
    s->compare_until = s->since;
    s->compare_since = s->since - (s->until - s->since);
    if (g->period.kind == NO_BUCKETS)
        return;
    int64_t next;
    s->compare_since = bucket_start(&g->period, g->period_since - 1, &next);
    if (s->until < g->period_until)
        s->compare_until = width_later(&g->period, s->until, -1);
    if (s->compare_until > s->since)
        s->compare_until = s->since;
}

void say_compare(struct gen *g)
{
    struct select *s = g->select;
    int64_t n = 1 + (int64_t)dice(g, 2);
    if (dice(g, 6))
        return;
    s->has_compare = true;
    switch (dice(g, 3)) {
    case 0:
        if (!g->is_instant) {
            say_previous(g);
            return;
        } /* fall through */
    case 1:
        say(g, "COMPARE TO %lldd AGO", (long long)n);
        s->compare_since = local_later(s->width.zone, s->since, (int)-n, 0);
        s->compare_until = local_later(s->width.zone, s->until, (int)-n, 0);
        return;
    default:
        n = 5 * n + 3;
        say(g, "COMPARE TO %lldh AGO", (long long)n);
        s->compare_since = s->since - n * HOUR;
        s->compare_until = s->until - n * HOUR;
    }
}
