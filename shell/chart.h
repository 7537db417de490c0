/* SPDX-License-Identifier: Apache-2.0
 *
 * chart.h -- the rows of a result as a picture: what the kinds of pictures share.
 */
#ifndef SHELL_CHART_H
#define SHELL_CHART_H

#include "chart_pen.h"
#include "local_time.h"
#include "output.h"

enum {
    CHART_CELLS = 200000, /* more are not collected */
    CHART_WIDTH = 80,     /* where the style has none */
    CHART_LEAST_WIDTH = 40,
    CHART_TEXT = 64
};

/* All rows, with texts of their own. */
struct chart {
    const struct style *style;
    const struct varve_column_info *columns;
    size_t column_count;
    struct varve_cell *cells;
    size_t rows, cell_capacity;
    struct chart_texts *texts;
    int width;
    struct pen pen;
};

/* ---- rows (chart_rows.c) ----------------------------------------------------------- */

/* VARVE_LIMIT: there are more than CHART_CELLS. */
enum varve_status
chart_collect(struct chart *chart, const struct rows *rows, struct varve_err *err);
void chart_clear(struct chart *chart);
const struct varve_cell *chart_cell(const struct chart *chart, size_t row, size_t column);
enum varve_status chart_nomem(struct varve_err *err);

/* A value as the pictures take it: seconds of durations, whole units of exact decimals; NaN for
 * what is no number, or none that can be drawn. */
double chart_value(const struct varve_cell *cell);

/* The points of one line: of one column, and of one set of keys. */
struct chart_point {
    int64_t time;
    double value; /* NaN: nothing there */
    const struct varve_cell *cell;
};
struct chart_series {
    const struct varve_column_info *column;
    size_t first_row; /* whose keys are the series' */
    const struct chart_point *points;
    size_t count;
    double sum;
    const struct varve_cell *last, *least, *most; /* NULL where there is no value */
};
struct chart_series_set {
    struct chart_point *points;
    struct chart_series *series;
    size_t count;
};
/* One series a column of numbers, or, where rows have other keys than the time, one a set of keys
 * (and then there is one column of numbers).  Points are in the order of their times, series in the
 * order in which they came.  False: no memory. */
bool chart_series(const struct chart *chart, struct chart_series_set *set);
void chart_series_clear(struct chart_series_set *set);
bool chart_has_keys(const struct chart *chart);
/* The texts of a row's keys, the time left out: "a / b".  At most CHART_TEXT columns. */
void chart_keys_put(const struct chart *chart, struct pen *pen, size_t row, int most);
int chart_keys_width(const struct chart *chart, size_t row);

/* ---- numbers (chart_number.c) ------------------------------------------------------ */

/* With separators, without the unit; durations bear theirs. */
void chart_number(const struct chart *chart, const struct varve_column_info *column,
                  const struct varve_cell *cell, char text[CHART_TEXT]);
/* "USD", "tokens"; empty for counts, ratios and durations. */
struct varve_str chart_unit(const struct varve_column_info *column, bool is_duration);
bool chart_is_duration(const struct varve_column_info *column, const struct varve_cell *cell);
/* "1h30m", "12.5s", "250ms"; at most two units. */
void chart_duration(double seconds, char text[CHART_TEXT]);
/* The sum of numbers; exact as long as it fits. */
struct varve_cell chart_sum(const struct varve_cell *sum, const struct varve_cell *cell);

/* ---- axes (chart_axis.c) ----------------------------------------------------------- */

/* Ticks at least + i * step, for i up to `intervals`. */
struct scale {
    double least, step;
    int intervals;
    bool is_duration;
};
/* A scale of at most so many intervals (2 or more) that holds both numbers. */
struct scale scale_of(double least, double most, int intervals, bool is_duration);
double scale_tick(const struct scale *scale, int i);
void scale_label(const struct scale *scale, int i, char text[CHART_TEXT]);

struct time_tick {
    int64_t time;
    char label[16];
};
enum { TIME_TICKS = 64 };
/* Moments of the calendar between two times, so that so many labels have room; never none. */
int time_ticks(const varve_zone *zone, int64_t first, int64_t last, int columns,
               struct time_tick ticks[TIME_TICKS]);
/* "2026-10-08 00:00 .. 2026-10-09 23:00"; the days alone where both are midnights, or if short. */
void time_range(const varve_zone *zone, int64_t first, int64_t last, bool is_short,
                char text[CHART_TEXT]);

/* ---- the pictures ------------------------------------------------------------------ */

enum varve_status
chart_lines(struct chart *chart, struct chart_series_set *set, struct varve_err *err);
enum varve_status
chart_sparks(struct chart *chart, struct chart_series_set *set, struct varve_err *err);
enum varve_status chart_bars(struct chart *chart, struct varve_err *err);
/* Whether the times are midnights, and enough of them. */
bool chart_is_calendar(const struct chart *chart, const struct chart_series *series);
enum varve_status
chart_calendar(struct chart *chart, const struct chart_series *series, struct varve_err *err);

#endif
