/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_axis.c -- where ticks stand and what is written at them.
 *
 * Numbers are divided in steps of 1, 2 or 5 times a power of ten, durations in steps that divide
 * minutes, hours and days.  Times have their ticks at moments of the local calendar: full minutes
 * and hours, midnights, Mondays, firsts of months and years, found through the fields of the
 * calendar, so that days of 23 and 25 hours come out right.
 */
#include <math.h>
#include <string.h>

#include "chart.h"

#define SECOND INT64_C(1000000000)

/* ---- numbers ----------------------------------------------------------------------- */

/* The next larger 1, 2 or 5 times a power of ten. */
static double nice_step(double step)
{
    double power = pow(10, floor(log10(step)));
    double digits = step / power;
    return power * (digits <= 1.0000001   ? 1
                    : digits <= 2.0000001 ? 2
                    : digits <= 5.0000001 ? 5
                                          : 10);
}

static double nice_duration(double step)
{
    static const double steps[] = {1,     2,     5,     10,    15,     30,    60,
                                   120,   300,   600,   900,   1800,   3600,  7200,
                                   10800, 21600, 43200, 86400, 172800, 432000};
    if (step <= 0.5)
        return nice_step(step);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (step <= steps[i] * 1.0000001)
            return steps[i];
    return 86400 * nice_step(step / 86400);
}

/* Where the axis has to go to: down (or up) to zero unless the values are all far from it. */
static void widen(double *least, double *most)
{
    double size = fmax(fabs(*least), fabs(*most));
    bool is_flat = *most - *least <= 1e-9 * size;
    if (size == 0) {
        *most = 1;
    } else if (*least > 0 && (is_flat || *least <= 0.6 * *most)) {
        *least = 0;
    } else if (*most < 0 && (is_flat || *most >= 0.6 * *least)) {
        *most = 0;
    }
}

struct scale scale_of(double least, double most, int intervals, bool is_duration)
{
    struct scale scale = {.is_duration = is_duration};
    widen(&least, &most);
    double wanted = (most - least) / intervals;
    for (;;) {
        scale.step = is_duration ? nice_duration(wanted) : nice_step(wanted);
        double first = floor(least / scale.step + 1e-9), last = ceil(most / scale.step - 1e-9);
        scale.least = first * scale.step;
        scale.intervals = last > first ? (int)(last - first) : 1;
        if (scale.intervals <= intervals)
            return scale;
        wanted = scale.step * 1.1;
    }
}

double scale_tick(const struct scale *scale, int i)
{
    double value = scale->least + i * scale->step;
    return fabs(value) < scale->step / 2 ? 0 : value;
}

/* How many digits behind the point a step of this size needs. */
static int digits_of(double step)
{
    int digits = (int)-floor(log10(step) + 1e-6);
    return digits > 0 ? digits : 0;
}

void scale_label(const struct scale *scale, int i, char text[CHART_TEXT])
{
    static const struct {
        double size;
        const char *name;
    } prefixes[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    double value = scale_tick(scale, i);
    double most = fmax(fabs(scale->least), fabs(scale_tick(scale, scale->intervals)));
    if (scale->is_duration) {
        chart_duration(value, text);
        return;
    }
    if (value == 0 || most >= 1e15 || scale->step < 1e-5) {
        snprintf(text, CHART_TEXT, "%.6g", value);
        return;
    }
    size_t p = 0;
    while (prefixes[p].size > 1 && most < (prefixes[p].size == 1e3 ? 1e4 : prefixes[p].size))
        p++;
    if (digits_of(scale->step / prefixes[p].size) > 2)
        p = sizeof prefixes / sizeof prefixes[0] - 1;
    double size = prefixes[p].size;
    snprintf(text, CHART_TEXT, "%.*f%s", digits_of(scale->step / size), value / size,
             prefixes[p].name);
}

/* ---- times ------------------------------------------------------------------------- */

enum field { IN_SECONDS, IN_MINUTES, IN_HOURS, IN_DAYS, IN_WEEKS, IN_MONTHS, IN_YEARS };

struct time_step {
    enum field field;
    int count;
    double seconds;
    int width; /* of a label, with a gap behind it */
};
static const struct time_step time_steps[] = {
    {IN_SECONDS, 1, 1, 11},      {IN_SECONDS, 2, 2, 11},       {IN_SECONDS, 5, 5, 11},
    {IN_SECONDS, 10, 10, 11},    {IN_SECONDS, 15, 15, 11},     {IN_SECONDS, 30, 30, 11},
    {IN_MINUTES, 1, 60, 9},      {IN_MINUTES, 2, 120, 9},      {IN_MINUTES, 5, 300, 9},
    {IN_MINUTES, 10, 600, 9},    {IN_MINUTES, 15, 900, 9},     {IN_MINUTES, 30, 1800, 9},
    {IN_HOURS, 1, 3600, 9},      {IN_HOURS, 2, 7200, 9},       {IN_HOURS, 3, 10800, 9},
    {IN_HOURS, 6, 21600, 9},     {IN_HOURS, 12, 43200, 9},     {IN_DAYS, 1, 86400, 9},
    {IN_DAYS, 2, 172800, 9},     {IN_WEEKS, 1, 604800, 9},     {IN_WEEKS, 2, 1209600, 9},
    {IN_MONTHS, 1, 2629746, 6},  {IN_MONTHS, 2, 5259492, 6},   {IN_MONTHS, 3, 7889238, 6},
    {IN_MONTHS, 6, 15778476, 6}, {IN_YEARS, 1, 31556952, 7},   {IN_YEARS, 2, 63113904, 7},
    {IN_YEARS, 5, 157784760, 7}, {IN_YEARS, 10, 315569520, 7}, {IN_YEARS, 50, 1577847600, 7},
};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The last moment of that kind not after a time. */
static struct local_time round_down(struct local_time t, const struct time_step *step)
{
    int n = step->count;
    int64_t day = local_day(t);
    switch (step->field) {
    case IN_SECONDS:
        t.second -= t.second % n;
        return t;
    case IN_MINUTES:
        return (struct local_time){t.year, t.month, t.day, t.hour, t.minute - t.minute % n, 0};
    case IN_HOURS:
        return (struct local_time){t.year, t.month, t.day, t.hour - t.hour % n, 0, 0};
    case IN_DAYS:
        return local_of_day(day - ((day % n) + n) % n);
    case IN_WEEKS: /* weeks are counted from 1970-01-05, a Monday */
        day -= local_weekday(day);
        return local_of_day(day - 7 * ((((day - 4) / 7) % n + n) % n));
    case IN_MONTHS:
        return (struct local_time){.year = t.year, .month = t.month - (t.month - 1) % n, .day = 1};
    case IN_YEARS:
        break;
    }
    return (struct local_time){.year = t.year - t.year % n, .month = 1, .day = 1};
}

static struct local_time add_step(struct local_time t, const struct time_step *step)
{
    t.second += step->field == IN_SECONDS ? step->count : 0;
    t.minute += step->field == IN_MINUTES ? step->count : 0;
    t.hour += step->field == IN_HOURS ? step->count : 0;
    t.day += (step->field == IN_DAYS ? 1 : step->field == IN_WEEKS ? 7 : 0) * step->count;
    t.month += step->field == IN_MONTHS ? step->count : 0;
    t.year += step->field == IN_YEARS ? step->count : 0;
    return t;
}

static void label_of(const varve_zone *zone, int64_t time, enum field field, char label[16])
{
    struct local_time t = local_split(zone, time);
    const char *month = months[(t.month + 11) % 12];
    bool is_midnight = t.hour == 0 && t.minute == 0 && t.second == 0;
    if (field == IN_YEARS || (field == IN_MONTHS && t.month == 1))
        snprintf(label, 16, "%d", t.year);
    else if (field == IN_MONTHS)
        snprintf(label, 16, "%s", month);
    else if (field >= IN_DAYS || is_midnight)
        snprintf(label, 16, "%s %d", month, t.day);
    else if (field == IN_SECONDS)
        snprintf(label, 16, "%02d:%02d:%02d", t.hour, t.minute, t.second);
    else
        snprintf(label, 16, "%02d:%02d", t.hour, t.minute);
}

/* Times that no tick divides: one point, or parts of a second. */
static int tick_at_first(const varve_zone *zone, int64_t first, struct time_tick ticks[TIME_TICKS])
{
    struct local_time t = local_split(zone, first);
    bool is_second = t.second != 0 || first % SECOND != 0;
    ticks[0].time = first;
    label_of(zone, first, is_second ? IN_SECONDS : IN_MINUTES, ticks[0].label);
    return 1;
}

int time_ticks(const varve_zone *zone, int64_t first, int64_t last, int columns,
               struct time_tick ticks[TIME_TICKS])
{
    double seconds = ((double)last - (double)first) / 1e9;
    size_t count = sizeof time_steps / sizeof time_steps[0], s = 0;
    while (s < count - 1 && seconds / time_steps[s].seconds * time_steps[s].width > columns)
        s++;
    const struct time_step *step = &time_steps[s];
    struct local_time at = round_down(local_split(zone, first), step);
    int n = 0;
    if (first == last)
        return tick_at_first(zone, first, ticks);
    for (int i = 0; i < 4 * TIME_TICKS && n < TIME_TICKS; i++, at = add_step(at, step)) {
        int64_t time = local_instant(zone, at);
        if (time > last)
            break;
        if (time < first || (n > 0 && time <= ticks[n - 1].time))
            continue;
        ticks[n].time = time;
        label_of(zone, time, step->field, ticks[n++].label);
    }
    return n > 0 ? n : tick_at_first(zone, first, ticks);
}

static void moment(const varve_zone *zone, int64_t time, bool is_day, char text[CHART_TEXT / 2])
{
    struct local_time t = local_split(zone, time);
    int size = snprintf(text, CHART_TEXT / 2, "%04d-%02d-%02d", t.year % 10000, t.month, t.day);
    if (!is_day && size > 0 && size < 12)
        snprintf(text + size, 10, t.second ? " %02d:%02d:%02d" : " %02d:%02d", t.hour, t.minute,
                 t.second);
}

static bool is_midnight(const varve_zone *zone, int64_t time)
{
    struct local_time t = local_split(zone, time);
    return t.hour == 0 && t.minute == 0 && t.second == 0;
}

void time_range(const varve_zone *zone, int64_t first, int64_t last, bool is_short,
                char text[CHART_TEXT])
{
    char a[CHART_TEXT / 2], b[CHART_TEXT / 2];
    bool is_day = is_short || (is_midnight(zone, first) && is_midnight(zone, last));
    moment(zone, first, is_day, a);
    moment(zone, last, is_day, b);
    snprintf(text, CHART_TEXT, first == last ? "%s" : "%s .. %s", a, b);
}
