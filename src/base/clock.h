/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h -- instants, UTC days and months, and their texts.
 *
 * An instant is int64 nanoseconds since 1970, which reaches from 1677 to 2262.
 * A day is the number of the UTC day since 1970-01-01; a month is
 * year * 12 + (month - 1).  Proleptic Gregorian, no leap seconds.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "err.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_DAY (86400 * NS_PER_SECOND)

int32_t day_of(int64_t instant); /* floor, also before 1970 */
int64_t day_start(int32_t day);  /* saturates at the ends of int64 */
int32_t month_of_day(int32_t day);
int32_t month_first_day(int32_t month);
void civil_of_day(int32_t day, int *year, int *month, int *mday);
int32_t day_of_civil(int year, int month, int mday);

#define INSTANT_TEXT 32
/* "2026-10-08T08:15:18.137Z": milliseconds, or all nine digits when there are finer ones. */
void instant_text(int64_t instant, char text[INSTANT_TEXT]);
void day_text(int32_t day, char text[INSTANT_TEXT]);     /* "2026-10-08" */
void month_text(int32_t month, char text[INSTANT_TEXT]); /* "2026-10" */
/* RFC 3339 with any offset and up to nine digits, "2026-10-08", or Unix seconds with a fraction. */
enum varve_status
instant_parse(const char *text, size_t size, int64_t *instant, struct varve_err *err) VARVE_CHECKED;

int64_t clock_now(void);       /* the wall clock */
int64_t clock_monotonic(void); /* for measuring */

#endif
