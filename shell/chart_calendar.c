/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_calendar.c -- days as a calendar: a column a week, Monday at the top.
 *
 * A day has one of five shades, which divide the values evenly by number, so that a single large
 * day does not make all others pale.  Where there are zeros, they have the palest shade to
 * themselves.  A day without a value is blank.  Weeks that do not fit beside each other go on in
 * another band below.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "chart.h"

enum { LEAST_DAYS = 28, MOST_DAYS = 3700, MARGIN = 5 };

struct calendar {
    struct chart *chart;
    struct pen *pen;
    const struct chart_series *series;
    int64_t first, last; /* days */
    int64_t monday;      /* of the first week */
    int weeks, cell, weeks_a_band;
    double *values; /* from monday on, a day each; NaN: none */
    double limits[PEN_SHADES - 1];
};

static int64_t day_of(const struct chart *chart, const struct chart_point *point)
{
    return local_day(local_split(chart->style->local, point->time));
}

/* Midnight does not exist everywhere every day; then the day begins at one. */
bool chart_is_calendar(const struct chart *chart, const struct chart_series *series)
{
    bool has_neighbours = false;
    if (series->count < LEAST_DAYS)
        return false;
    for (size_t p = 0; p < series->count; p++) {
        struct local_time t = local_split(chart->style->local, series->points[p].time);
        if (t.hour > 1 || t.minute || t.second)
            return false;
        if (p == 0)
            continue;
        int64_t gap = local_day(t) - day_of(chart, &series->points[p - 1]);
        if (gap < 1)
            return false;
        has_neighbours |= gap == 1;
    }
    int64_t days =
        day_of(chart, &series->points[series->count - 1]) - day_of(chart, &series->points[0]);
    return has_neighbours && days <= MOST_DAYS;
}

/* ---- shades ------------------------------------------------------------------------ */

static int compare_values(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* limits[i] is the least value of shade i + 1. */
static bool find_limits(struct calendar *c)
{
    double *sorted = calloc(c->series->count, sizeof *sorted);
    size_t count = 0;
    bool has_zero = false, has_negative = false;
    if (!sorted)
        return false;
    for (size_t p = 0; p < c->series->count; p++) {
        double value = c->series->points[p].value;
        has_zero |= value == 0;
        has_negative |= value < 0;
        if (!isnan(value))
            sorted[count++] = value;
    }
    qsort(sorted, count, sizeof *sorted, compare_values);
    size_t zeros = 0;
    while (has_zero && !has_negative && zeros < count && sorted[zeros] == 0)
        zeros++;
    size_t rest = count - zeros, parts = zeros ? PEN_SHADES - 1 : PEN_SHADES;
    for (size_t i = 0; i < PEN_SHADES - 1; i++) {
        size_t at = zeros ? zeros + rest * i / parts : rest * (i + 1) / parts;
        c->limits[i] = at < count ? sorted[at] : (double)INFINITY;
    }
    free(sorted);
    return true;
}

static int shade_of(const struct calendar *c, double value)
{
    int shade = 0;
    while (shade < PEN_SHADES - 1 && value >= c->limits[shade])
        shade++;
    return shade;
}

/* With colours the blocks are whole; without, they tell the shades themselves. */
static void put_shade(const struct calendar *c, int shade)
{
    static const char *const utf8[PEN_SHADES] = {"·", "░", "▒", "▓", "█"};
    static const char *const ascii[PEN_SHADES] = {".", ":", "-", "=", "#"};
    pen_ink(c->pen, (enum pen_colour)(PEN_FIRST_SHADE + shade));
    pen_mark(c->pen, c->pen->colour ? "█" : utf8[shade], ascii[shade], 1);
}

/* ---- a band ------------------------------------------------------------------------ */

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char day_names[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/* The month that begins in a week, or none; a January is named by its year. */
static bool month_in(const struct calendar *c, int week, char name[8])
{
    for (int d = 0; d < 7; d++) {
        struct local_time t = local_of_day(c->monday + 7 * (int64_t)week + d);
        if (t.day != 1 || c->monday + 7 * (int64_t)week + d > c->last)
            continue;
        if (t.month == 1)
            snprintf(name, 8, "%04d", t.year % 10000);
        else
            snprintf(name, 8, "%s", month_names[t.month - 1]);
        return true;
    }
    return false;
}

static void put_months(const struct calendar *c, int from, int to)
{
    char name[8], other[8];
    int soon = (4 + c->cell - 1) / c->cell; /* weeks that a name takes up */
    pen_ink(c->pen, PEN_PLAIN);
    for (int week = from; week < to; week++) {
        bool is_begin = month_in(c, week, name);
        if (!is_begin && week == from) {
            struct local_time t = local_of_day(c->monday + 7 * (int64_t)week);
            is_begin = true;
            for (int w = week + 1; w <= week + soon; w++)
                is_begin &= !month_in(c, w, other);
            snprintf(name, sizeof name, "%s", month_names[t.month - 1]);
        }
        int at = MARGIN + (week - from) * c->cell;
        if (is_begin && (c->pen->column == 0 || at > c->pen->column) &&
            at + (int)strlen(name) <= c->chart->width) {
            pen_to(c->pen, at);
            pen_ascii(c->pen, name);
        }
    }
    pen_line_end(c->pen);
}

static void put_band(const struct calendar *c, int from, int to)
{
    put_months(c, from, to);
    for (int d = 0; d < 7; d++) {
        pen_space(c->pen, 1);
        pen_ink(c->pen, PEN_DIM);
        pen_ascii(c->pen, day_names[d]);
        pen_to(c->pen, MARGIN);
        for (int week = from; week < to; week++) {
            double value = c->values[7 * week + d];
            for (int i = 0; i < c->cell; i++)
                if (isnan(value))
                    pen_space(c->pen, 1);
                else
                    put_shade(c, shade_of(c, value));
        }
        pen_line_end(c->pen);
    }
}

/* ---- around it --------------------------------------------------------------------- */

static void put_title(const struct calendar *c)
{
    struct pen *pen = c->pen;
    const struct varve_column_info *column = c->series->column;
    char range[CHART_TEXT];
    int room = c->chart->width - MARGIN;
    struct local_time a = local_of_day(c->first), b = local_of_day(c->last);
    snprintf(range, sizeof range, "%04d-%02d-%02d .. %04d-%02d-%02d", a.year, a.month, a.day,
             b.year, b.month, b.day);
    int end = MARGIN + c->cell * (c->weeks < c->weeks_a_band ? c->weeks : c->weeks_a_band);
    int least = (int)strlen(range) + 2;
    pen_to(pen, MARGIN);
    pen_ink(pen, PEN_BOLD);
    pen_data(pen, column->name, room - (int)strlen(range) - 2);
    pen_ink(pen, PEN_DIM);
    pen_right(pen, end > pen->column + least ? end : pen->column + least, range);
    pen_line_end(pen);
}

static void put_named(const struct calendar *c, const char *name, const struct varve_cell *cell)
{
    const struct varve_column_info *column = c->series->column;
    char text[CHART_TEXT];
    pen_ink(c->pen, PEN_DIM);
    pen_ascii(c->pen, name);
    pen_space(c->pen, 1);
    pen_ink(c->pen, PEN_PLAIN);
    chart_number(c->chart, column, cell, text);
    pen_ascii(c->pen, text);
}

/* Sum, least and most, and what the shades mean. */
static void put_total(const struct calendar *c)
{
    struct pen *pen = c->pen;
    const struct chart_series *s = c->series;
    struct varve_cell sum = {.type = VARVE_CELL_NULL};
    for (size_t p = 0; p < s->count; p++)
        sum = chart_sum(&sum, s->points[p].cell);
    pen_to(pen, MARGIN);
    put_named(c, "total", &sum);
    struct varve_str unit = chart_unit(s->column, chart_is_duration(s->column, s->last));
    pen_space(pen, unit.size > 0);
    pen_data(pen, unit, 16);
    pen_space(pen, 3);
    put_named(c, "min", s->least);
    pen_space(pen, 3);
    put_named(c, "max", s->most);
    if (pen->column + 3 + 5 + PEN_SHADES + 5 > c->chart->width) {
        pen_line_end(pen);
        pen_to(pen, MARGIN);
    } else {
        pen_space(pen, 3);
    }
    pen_ink(pen, PEN_DIM);
    pen_ascii(pen, "less ");
    for (int shade = 0; shade < PEN_SHADES; shade++)
        put_shade(c, shade);
    pen_ink(pen, PEN_DIM);
    pen_ascii(pen, " more");
    pen_line_end(pen);
}

static bool fill(struct calendar *c)
{
    size_t days = 7 * (size_t)c->weeks;
    c->values = calloc(days, sizeof *c->values);
    if (!c->values || !find_limits(c))
        return false;
    for (size_t i = 0; i < days; i++)
        c->values[i] = (double)NAN;
    for (size_t p = 0; p < c->series->count; p++)
        c->values[day_of(c->chart, &c->series->points[p]) - c->monday] = c->series->points[p].value;
    return true;
}

enum varve_status
chart_calendar(struct chart *chart, const struct chart_series *series, struct varve_err *err)
{
    struct calendar c = {.chart = chart, .pen = &chart->pen, .series = series};
    int room = chart->width - MARGIN;
    c.first = day_of(chart, &series->points[0]);
    c.last = day_of(chart, &series->points[series->count - 1]);
    c.monday = c.first - local_weekday(c.first);
    c.weeks = (int)((c.last - c.monday) / 7) + 1;
    c.cell = 2 * c.weeks <= room ? 2 : 1;
    c.weeks_a_band = room / c.cell;
    if (!fill(&c)) {
        free(c.values);
        return chart_nomem(err);
    }
    put_title(&c);
    for (int week = 0; week < c.weeks; week += c.weeks_a_band)
        put_band(&c, week, week + c.weeks_a_band < c.weeks ? week + c.weeks_a_band : c.weeks);
    put_total(&c);
    free(c.values);
    return VARVE_OK;
}
