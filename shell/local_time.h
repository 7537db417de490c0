/* SPDX-License-Identifier: Apache-2.0
 *
 * local_time.h -- the calendar and the clock of a zone.
 */
#ifndef SHELL_LOCAL_TIME_H
#define SHELL_LOCAL_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include "varve.h"

/* Which zone the routines below mean, from begin to end.  The C library knows one zone at a time:
 * begin and end are for programs with a single thread, and do not nest. */
struct local_zone {
    char *before; /* what TZ was; NULL: not set */
    bool is_changed;
};
/* An empty name is UTC.  False: no memory, and then it is UTC. */
bool local_begin(struct local_zone *zone, struct varve_str name);
void local_end(struct local_zone *zone);

struct local_time {
    int year, month, day; /* 1..12, 1..31 */
    int hour, minute, second;
};
struct local_time local_split(int64_t instant);
/* Fields beyond their range carry over: day 0 is the last one of the month before. */
int64_t local_instant(struct local_time time);

/* Days since 1970-01-01 in the calendar, which knows no zones. */
int64_t local_day(struct local_time time);
struct local_time local_of_day(int64_t day);
/* 0 is Monday. */
int local_weekday(int64_t day);

#endif
