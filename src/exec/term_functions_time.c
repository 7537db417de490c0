/* SPDX-License-Identifier: Apache-2.0
 *
 * term_functions_time.c -- instants in the calendar of the statement's zone.
 */
#include <stdio.h>
#include <strings.h>

#include "exec/term_private.h"

static enum calendar_unit unit_of(struct varve_str name)
{
    for (int unit = UNIT_NONE + 1; unit < CALENDAR_UNITS; unit++)
        if (name.size == strlen(calendar_unit_names[unit]) &&
            strncasecmp(name.data, calendar_unit_names[unit], name.size) == 0)
            return (enum calendar_unit)unit;
    return UNIT_NONE;
}

enum varve_status term_start_of(struct call *call, const struct value *args, struct value *result)
{
    *result = value_null();
    if (args[0].type != TYPE_TEXT || args[1].type != TYPE_TIME)
        return VARVE_OK;
    enum calendar_unit unit = unit_of(value_str(args[0]));
    if (unit != UNIT_NONE)
        *result = value_int(TYPE_TIME, period_start(call->zone, unit, args[1].as.i));
    return VARVE_OK;
}

#define PART(name, part)                                                                      \
    enum varve_status name(struct call *call, const struct value *args, struct value *result) \
    {                                                                                         \
        *result = value_null();                                                               \
        if (args[0].type == TYPE_TIME)                                                        \
            *result = value_int(TYPE_INT, zone_local(call->zone, args[0].as.i).part);         \
        return VARVE_OK;                                                                      \
    }
PART(term_hour, hour)
PART(term_minute, minute)
PART(term_weekday, weekday)
PART(term_day, day)
PART(term_month, month)
PART(term_year, year)
#undef PART

enum varve_status term_seconds(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = value_null();
    if (args[0].type == TYPE_TIME || args[0].type == TYPE_DURATION)
        *result = value_float(value_double(args[0]));
    return VARVE_OK;
}

/* ---- format_time ------------------------------------------------------------------ */

static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                   "Friday", "Saturday", "Sunday"};
static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

#define PIECE_MAX 40

static int day_of_year(const struct zone_time *t)
{
    return day_of_civil(t->year, t->month, t->day) - day_of_civil(t->year, 1, 1) + 1;
}

static int print_offset(int32_t offset, char text[PIECE_MAX])
{
    int size = offset < 0 ? -offset : offset;
    return snprintf(text, PIECE_MAX, "%c%02d%02d", offset < 0 ? '-' : '+', size / 3600,
                    size / 60 % 60);
}

/* What one letter behind a % stands for; -1: nothing. */
static int
print_piece(char letter, const struct zone_time *t, struct varve_str zone, char text[PIECE_MAX])
{
    switch (letter) {
    case 'Y':
        return snprintf(text, PIECE_MAX, "%04d", t->year);
    case 'y':
        return snprintf(text, PIECE_MAX, "%02d", t->year % 100);
    case 'm':
        return snprintf(text, PIECE_MAX, "%02d", t->month);
    case 'd':
        return snprintf(text, PIECE_MAX, "%02d", t->day);
    case 'e':
        return snprintf(text, PIECE_MAX, "%2d", t->day);
    case 'H':
        return snprintf(text, PIECE_MAX, "%02d", t->hour);
    case 'M':
        return snprintf(text, PIECE_MAX, "%02d", t->minute);
    case 'S':
        return snprintf(text, PIECE_MAX, "%02d", t->second);
    case 'f':
        return snprintf(text, PIECE_MAX, "%09d", t->nanosecond);
    case 'j':
        return snprintf(text, PIECE_MAX, "%03d", day_of_year(t));
    case 'u':
        return snprintf(text, PIECE_MAX, "%d", t->weekday);
    case 'A':
    case 'a':
        return snprintf(text, PIECE_MAX, "%.*s", letter == 'A' ? 9 : 3, days[t->weekday - 1]);
    case 'B':
    case 'b':
        return snprintf(text, PIECE_MAX, "%.*s", letter == 'B' ? 9 : 3, months[t->month - 1]);
    case 'F':
        return snprintf(text, PIECE_MAX, "%04d-%02d-%02d", t->year, t->month, t->day);
    case 'T':
        return snprintf(text, PIECE_MAX, "%02d:%02d:%02d", t->hour, t->minute, t->second);
    case 'z':
        return print_offset(t->offset, text);
    case 'Z':
        return snprintf(text, PIECE_MAX, "%.*s", (int)str_cut(zone, PIECE_MAX - 1), zone.data);
    case '%':
        return snprintf(text, PIECE_MAX, "%%");
    default:
        return -1;
    }
}

/* Letters that mean nothing stay as they are. */
enum varve_status term_format(struct call *call, const struct value *args, struct value *result)
{
    *result = value_null();
    if (args[0].type != TYPE_TIME || args[1].type != TYPE_TEXT || args[1].size > TERM_TEXT_MAX)
        return VARVE_OK;
    struct varve_str format = value_str(args[1]), zone;
    struct zone_time t = zone_local(call->zone, args[0].as.i);
    zone_offset(call->zone, args[0].as.i, &zone);
    size_t room = format.size * (PIECE_MAX / 2), to = 0;
    char *bytes = arena_alloc(call->texts, room + PIECE_MAX);
    if (!bytes)
        return fail_nomem(call->err, room);
    for (size_t i = 0; i < format.size; i++) {
        int n = format.data[i] == '%' && i + 1 < format.size
                    ? print_piece(format.data[i + 1], &t, zone, bytes + to)
                    : -1;
        if (n >= 0) {
            to += (size_t)n;
            i++;
        } else {
            bytes[to++] = format.data[i];
        }
    }
    *result = to > TERM_TEXT_MAX ? value_null() : value_text((struct varve_str){bytes, to});
    return VARVE_OK;
}
