/* SPDX-License-Identifier: Apache-2.0
 *
 * local_time.h -- the calendar and the clock of a zone, in both directions.
 */
#ifndef SHELL_LOCAL_TIME_H
#define SHELL_LOCAL_TIME_H

#include <stdint.h>
#include "varve.h"

struct local_time {
    int year, month, day; /* 1..12, 1..31 */
    int hour, minute, second;
};
/* A zone that is NULL is UTC. */
struct local_time local_split(const varve_zone *zone, int64_t instant);
/* Fields beyond their range carry over: minute 75 is a quarter past.  A time that clocks skip is as
 * much later as they skip; of one that comes twice, either. */
int64_t local_instant(const varve_zone *zone, struct local_time time);

/* Days since 1970-01-01 in the calendar, which knows no zones. */
int64_t local_day(struct local_time time);
struct local_time local_of_day(int64_t day);
/* 0 is Monday. */
int local_weekday(int64_t day);

#endif
