/* SPDX-License-Identifier: Apache-2.0
 *
 * encode.c -- what both encodings of OTLP need: groups of points, times and numbers as text.
 *
 * Dates are computed here and not by the C library, because every event has
 * one and gmtime() takes longer than all the rest of an event.
 */
#include "encode.h"

#include <stdio.h>
#include <stdlib.h>

void next_metric(const struct gen_export *e, size_t first, size_t *end)
{
    size_t at = first + 1;
    while (at < e->point_count && e->points[at].metric == e->points[first].metric)
        at++;
    *end = at;
}

static char *digits(char *to, unsigned value, unsigned count)
{
    for (unsigned i = count; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + count;
}

/* The civil date of a day since 1970, by counting years from March. */
static char *put_date(char *to, int64_t day)
{
    int64_t shifted = day + 719468, era = shifted / 146097;
    unsigned of_era = (unsigned)(shifted - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;
    unsigned civil_month = month < 10 ? month + 3 : month - 9;
    to = digits(to, year + (unsigned)era * 400 + (civil_month <= 2), 4);
    *to++ = '-';
    to = digits(to, civil_month, 2);
    *to++ = '-';
    return digits(to, of_year - (153 * month + 2) / 5 + 1, 2);
}

void event_timestamp(int64_t time, char text[32])
{
    unsigned ms = (unsigned)(time % GEN_DAY / GEN_MILLISECOND);
    char *to = put_date(text, time / GEN_DAY);
    *to++ = 'T';
    to = digits(to, ms / 3600000, 2);
    *to++ = ':';
    to = digits(to, ms / 60000 % 60, 2);
    *to++ = ':';
    to = digits(to, ms / 1000 % 60, 2);
    *to++ = '.';
    to = digits(to, ms % 1000, 3);
    *to++ = 'Z';
    *to = '\0';
}

size_t shortest_double(double value, char text[40])
{
    if (value < 1e15 && value == (double)(int64_t)value)
        return (size_t)snprintf(text, 40, "%lld", (long long)value);
    int size = 0;
    for (int precision = 15; precision <= 17; precision++) {
        size = snprintf(text, 40, "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return (size_t)size;
}
