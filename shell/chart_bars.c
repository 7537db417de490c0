/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_bars.c -- a bar a row, for keys with one number.
 *
 * The order is the result's: TOP and ORDER BY have put it right.  Bars end in eighths of a
 * character; what is not zero has a bar to be seen.  Where values are below zero, bars go both
 * ways from a common line, to the left in halves, as there are no finer characters for that.  The
 * share of each row in the sum stands behind it where the values add up to something.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "cell.h"
#include "chart.h"

enum { LEAST_BAR = 10 };

struct bars {
    struct chart *chart;
    struct pen *pen;
    const struct varve_column_info *column;
    size_t at;     /* of the column of numbers */
    size_t key_at; /* of the first key */
    double least, most, sum;
    bool has_share;
    int labels, values, units, columns;
    int zero; /* the bars' columns left of zero */
};

static const char *const eighths[8] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

static const struct varve_cell *number(const struct bars *bars, size_t row)
{
    return chart_cell(bars->chart, row, bars->at);
}

static struct varve_str unit(const struct bars *bars, const struct varve_cell *cell)
{
    return chart_unit(bars->column, chart_is_duration(bars->column, cell));
}

static int at_most(int value, int limit)
{
    return value < limit ? value : limit;
}

static void measure(struct bars *bars)
{
    const struct chart *chart = bars->chart;
    char text[CHART_TEXT];
    for (size_t row = 0; row < chart->rows; row++) {
        const struct varve_cell *cell = number(bars, row);
        double value = chart_value(cell);
        int label = chart_keys_width(chart, row);
        int units = text_width(unit(bars, cell));
        chart_number(chart, bars->column, cell, text);
        bars->labels = label > bars->labels ? label : bars->labels;
        bars->values = (int)strlen(text) > bars->values ? (int)strlen(text) : bars->values;
        bars->units = units > bars->units ? units : bars->units;
        if (isnan(value))
            continue;
        bars->least = fmin(bars->least, value);
        bars->most = fmax(bars->most, value);
        bars->sum += value;
    }
    struct varve_str name = bars->column->unit;
    bool is_percent = name.size == 1 && name.data[0] == '%';
    bars->has_share =
        bars->least >= 0 && bars->sum > 0 && isfinite(bars->sum) && !is_percent && chart->rows > 1;
    bars->units = at_most(bars->units, 16);
    int rest = 2 + bars->values + (bars->units ? 1 + bars->units : 0) + (bars->has_share ? 8 : 0);
    bars->labels = at_most(bars->labels, chart->width / 3);
    bars->columns = chart->width - bars->labels - 1 - rest;
    if (bars->columns < LEAST_BAR)
        bars->columns = LEAST_BAR;
    if (bars->least < 0)
        bars->zero = (int)lround(-bars->least / (bars->most - bars->least) * (bars->columns - 1));
}

static void put_many(struct pen *pen, const char *utf8, const char *ascii, int count)
{
    for (int i = 0; i < count; i++)
        pen_mark(pen, utf8, ascii, 1);
}

/* To the right from where the pen is. */
static void put_bar(struct pen *pen, double part, int columns)
{
    int length = (int)(part * columns * 8 + 0.5);
    if (!pen->utf8) {
        length = (int)(part * columns + 0.5);
        put_many(pen, "", "#", length > 0 ? length : part > 0);
        return;
    }
    length = length == 0 && part > 0 ? 1 : length;
    put_many(pen, "█", "", length / 8);
    if (length % 8)
        pen_mark(pen, eighths[length % 8], "", 1);
}

/* Left of the line at zero. */
static void put_bar_below(struct pen *pen, double part, int columns)
{
    int halves = (int)(part * columns * 2 + 0.5);
    halves = halves == 0 && columns > 0 && part > 0 ? 1 : halves;
    pen_space(pen, columns - (halves + 1) / 2);
    if (halves % 2)
        pen_mark(pen, "▐", "#", 1);
    put_many(pen, "█", "#", halves / 2);
}

static void put_bars(const struct bars *bars, double value, enum pen_colour ink)
{
    struct pen *pen = bars->pen;
    int start = pen->column, columns = bars->columns;
    if (bars->least < 0) {
        pen_ink(pen, ink);
        if (value < 0)
            put_bar_below(pen, value / bars->least, bars->zero);
        pen_to(pen, start + bars->zero);
        pen_ink(pen, PEN_DIM);
        pen_mark(pen, "│", "|", 1);
        columns -= bars->zero + 1;
    }
    pen_ink(pen, ink);
    if (value > 0)
        put_bar(pen, value / bars->most, columns);
    pen_to(pen, start + bars->columns);
}

/* The row that TOP ... WITH OTHER adds: the last, named "other" or so. */
static bool is_rest(const struct bars *bars, size_t row)
{
    const struct varve_cell *key = chart_cell(bars->chart, row, bars->key_at);
    if (row == 0 || row != bars->chart->rows - 1 || key->type != VARVE_CELL_TEXT)
        return false;
    struct varve_str text = key->as.s;
    return (text.size >= 5 && strncasecmp(text.data, "other", 5) == 0) ||
           (text.size >= 9 && strncasecmp(text.data, "all other", 9) == 0);
}

static void put_row(const struct bars *bars, size_t row)
{
    struct pen *pen = bars->pen;
    const struct varve_cell *cell = number(bars, row);
    double value = chart_value(cell);
    char text[CHART_TEXT];
    bool is_dim = is_rest(bars, row);
    enum pen_colour ink = is_dim ? PEN_DIM : PEN_PLAIN;
    pen_ink(pen, ink);
    chart_keys_put(bars->chart, pen, row, bars->labels);
    pen_to(pen, bars->labels + 1);
    put_bars(bars, value, is_dim ? PEN_DIM : PEN_FIRST_SERIES);
    pen_ink(pen, ink);
    chart_number(bars->chart, bars->column, cell, text);
    int at = bars->labels + 1 + bars->columns + 2 + bars->values;
    pen_right(pen, at, text);
    if (bars->units) {
        pen_space(pen, 1);
        pen_data(pen, cell->type == VARVE_CELL_NULL ? varve_str("") : unit(bars, cell),
                 bars->units);
        at += 1 + bars->units;
    }
    if (bars->has_share && !isnan(value)) {
        snprintf(text, sizeof text, "%.1f%%", 100 * value / bars->sum);
        pen_ink(pen, PEN_DIM);
        pen_right(pen, at + 8, text);
    }
    pen_line_end(pen);
}

enum varve_status chart_bars(struct chart *chart, struct varve_err *err)
{
    struct bars bars = {.chart = chart, .pen = &chart->pen};
    (void)err;
    while (chart->columns[bars.at].is_key)
        bars.at++;
    while (!chart->columns[bars.key_at].is_key)
        bars.key_at++;
    bars.column = &chart->columns[bars.at];
    measure(&bars);
    pen_to(bars.pen, bars.labels + 1);
    pen_ink(bars.pen, PEN_BOLD);
    pen_data(bars.pen, bars.column->name, chart->width - bars.labels - 1);
    pen_line_end(bars.pen);
    for (size_t row = 0; row < chart->rows; row++)
        put_row(&bars, row);
    return VARVE_OK;
}
