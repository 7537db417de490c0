/* SPDX-License-Identifier: Apache-2.0
 *
 * zone.c -- offsets of a zone: its transitions, the rule after the last of them, and the way from a
 * local time back to an instant.
 *
 * Seconds since 1970 inside, nanoseconds at the surface.  Between two transitions
 * the offset is constant, so everything here walks from one transition to the next; which of
 * them come from the file and which from the rule is known to next_transition() alone.
 *
 *   zone_file.c    reads TZif files
 *   calendar.c     days, weeks, months
 */
#include "base/zone_private.h"

static const struct zone_type utc_type = {0, {"UTC", 3}};
static const struct zone utc = {.types = &utc_type, .type_count = 1};

const struct zone *zone_utc(void)
{
    return &utc;
}

int64_t seconds_of(int64_t instant)
{
    int64_t s = instant / NS_PER_SECOND;
    return s - (s * NS_PER_SECOND > instant);
}

int64_t instant_of(int64_t seconds)
{
    if (seconds > INT64_MAX / NS_PER_SECOND)
        return INT64_MAX;
    return seconds < INT64_MIN / NS_PER_SECOND ? INT64_MIN : seconds * NS_PER_SECOND;
}

/* ---- the rule --------------------------------------------------------------- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The second, in local time before the change, at which a rule's change comes in a year. */
static int64_t rule_second(const struct zone_change *change, int year)
{
    int32_t day;
    if (change->form == CHANGE_JULIAN) {
        /* day 60 is March 1st in every year */
        day = day_of_civil(year, 1, 1) + change->day - 1 + (is_leap(year) && change->day >= 60);
    } else if (change->form == CHANGE_DAY) {
        day = day_of_civil(year, 1, 1) + change->day;
    } else {
        int32_t first = day_of_civil(year, change->month, 1);
        int32_t next = change->month == 12 ? day_of_civil(year + 1, 1, 1)
                                           : day_of_civil(year, change->month + 1, 1);
        int weekday = (int)((((int64_t)first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
        day = first + (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
        while (day >= next)
            day -= 7;
    }
    return (int64_t)day * 86400 + change->time;
}

/* The changes of a year, in order; answers which is the first: 0 to daylight saving time. */
static int rule_changes(const struct zone_rule *rule, int year, int64_t at[2])
{
    int64_t on = rule_second(&rule->on, year) - rule->standard.offset;
    int64_t off = rule_second(&rule->off, year) - rule->daylight.offset;
    at[0] = on < off ? on : off;
    at[1] = on < off ? off : on;
    return on < off ? 0 : 1;
}

static int year_of_second(int64_t second)
{
    int year, month, day;
    civil_of_day(day_of(instant_of(second)), &year, &month, &day);
    return year;
}

static const struct zone_type *rule_type(const struct zone_rule *rule, int64_t second)
{
    if (!rule->has_daylight)
        return &rule->standard;
    int64_t at[2];
    int first = rule_changes(rule, year_of_second(second + rule->standard.offset), at);
    bool between = second >= at[0] && second < at[1];
    return between == (first == 0) ? &rule->daylight : &rule->standard;
}

/* The rule's first change after a second. */
static int64_t rule_next(const struct zone_rule *rule, int64_t second)
{
    if (!rule->has_daylight)
        return INT64_MAX;
    int year = year_of_second(second) - 1;
    for (int i = 0; i < 4; i++) {
        int64_t at[2];
        rule_changes(rule, year + i, at);
        for (int k = 0; k < 2; k++)
            if (at[k] > second)
                return at[k];
    }
    return INT64_MAX;
}

/* ---- transitions -------------------------------------------------------------- */

/* How many transitions of the file are at or before a second. */
static uint32_t transitions_before(const struct zone *zone, int64_t second)
{
    uint32_t low = 0, high = zone->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->at[middle] <= second)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct zone_type *type_at(const struct zone *zone, int64_t second)
{
    uint32_t n = transitions_before(zone, second);
    if (n == zone->count && zone->has_rule)
        return rule_type(&zone->rule, second);
    return &zone->types[n ? zone->type_of[n - 1] : 0];
}

int64_t next_transition(const struct zone *zone, int64_t second)
{
    uint32_t n = transitions_before(zone, second);
    if (n < zone->count)
        return zone->at[n];
    return zone->has_rule ? rule_next(&zone->rule, second) : INT64_MAX;
}

int32_t zone_offset(const struct zone *zone, int64_t instant, struct varve_str *abbreviation)
{
    const struct zone_type *type = type_at(zone, seconds_of(instant));
    if (abbreviation)
        *abbreviation = type->abbreviation;
    return type->offset;
}

/* ---- from local time to an instant ---------------------------------------------- */

/* No offset is larger, and no jump either. */
#define OFFSET_MOST (27 * 3600)

/* Goes through the stretches of one offset that can hold the local second, in their order: the
 * first that has it is the answer; if it falls between two, the clock jumped over it. */
int64_t second_of_local(const struct zone *zone, int64_t local)
{
    int64_t from = local - OFFSET_MOST;
    int64_t offset = type_at(zone, from)->offset;
    for (;;) {
        int64_t until = next_transition(zone, from);
        int64_t second = local - offset;
        if (second < until)
            return second > from ? second : from;
        from = until;
        offset = type_at(zone, from)->offset;
    }
}
