/* SPDX-License-Identifier: Apache-2.0
 *
 * zone_rule.c -- the rule at the end of a TZif file: POSIX' TZ string with the extensions of
 * version 3 (hours from -167 to 167).
 *
 *   CET-1CEST,M3.5.0,M10.5.0/3     names, offsets west of Greenwich, when it changes
 *   <+0330>-3:30                   names that are no letters stand in brackets
 */
#include "base/zone_private.h"

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool number(struct cursor *c, int most, int *value)
{
    const char *from = c->at;
    *value = 0;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && *value <= most)
        *value = *value * 10 + (*c->at++ - '0');
    return c->at > from && *value <= most;
}

static bool name(struct cursor *c, struct varve_str *text)
{
    bool quoted = take(c, '<');
    const char *from = c->at;
    while (c->at < c->end &&
           (quoted ? *c->at != '>'
                   : (*c->at >= 'a' && *c->at <= 'z') || (*c->at >= 'A' && *c->at <= 'Z')))
        c->at++;
    *text = (struct varve_str){from, (size_t)(c->at - from)};
    return text->size >= 3 && (!quoted || take(c, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool clock_time(struct cursor *c, int most_hours, int32_t *seconds)
{
    bool negative = take(c, '-');
    int h, m = 0, s = 0;
    if (!negative)
        take(c, '+');
    if (!number(c, most_hours, &h))
        return false;
    if (take(c, ':') && (!number(c, 59, &m) || (take(c, ':') && !number(c, 59, &s))))
        return false;
    *seconds = (h * 3600 + m * 60 + s) * (negative ? -1 : 1);
    return true;
}

static bool change(struct cursor *c, struct zone_change *change)
{
    bool sound;
    if (take(c, 'M')) {
        change->form = CHANGE_WEEKDAY;
        sound = number(c, 12, &change->month) && change->month > 0 && take(c, '.') &&
                number(c, 5, &change->week) && change->week > 0 && take(c, '.') &&
                number(c, 6, &change->day);
    } else {
        change->form = take(c, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
        sound = number(c, 365, &change->day) && (change->form == CHANGE_DAY || change->day > 0);
    }
    change->time = 2 * 3600;
    return sound && (!take(c, '/') || clock_time(c, 167, &change->time));
}

bool zone_rule_parse(struct varve_str text, struct zone_rule *rule)
{
    struct cursor c = {text.data, text.data + text.size};
    int32_t west;
    *rule = (struct zone_rule){.has_daylight = false};
    if (!name(&c, &rule->standard.abbreviation) || !clock_time(&c, 24, &west))
        return false;
    rule->standard.offset = -west;
    if (c.at == c.end)
        return true;
    rule->has_daylight = true;
    if (!name(&c, &rule->daylight.abbreviation))
        return false;
    rule->daylight.offset = rule->standard.offset + 3600;
    if (c.at < c.end && *c.at != ',') {
        if (!clock_time(&c, 24, &west))
            return false;
        rule->daylight.offset = -west;
    }
    return take(&c, ',') && change(&c, &rule->on) && take(&c, ',') && change(&c, &rule->off) &&
           c.at == c.end;
}
