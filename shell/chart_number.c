/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_number.c -- values in pictures: with separators, units and readable durations.
 *
 * Columns in seconds are shown as durations, whether the library knows them as such or as numbers
 * with the unit "s".  Units are those of OTLP: the braces of {token} are left out, and so are the
 * units that only say that something is counted.
 */
#include <math.h>
#include <string.h>

#include "cell.h"
#include "chart.h"

static bool unit_is(struct varve_str unit, const char *text)
{
    return unit.size == strlen(text) && memcmp(unit.data, text, unit.size) == 0;
}

bool chart_is_duration(const struct varve_column_info *column, const struct varve_cell *cell)
{
    return (cell && cell->type == VARVE_CELL_DURATION) || unit_is(column->unit, "s");
}

struct varve_str chart_unit(const struct varve_column_info *column, bool is_duration)
{
    struct varve_str unit = column->unit;
    if (is_duration || unit_is(unit, "1") || unit_is(unit, "count"))
        unit.size = 0;
    if (unit.size > 2 && unit.data[0] == '{' && unit.data[unit.size - 1] == '}') {
        unit.data++;
        unit.size -= 2;
    }
    return unit;
}

static const struct {
    double seconds;
    const char *name;
} parts[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};

/* Below a minute: three digits that count. */
static void short_duration(double seconds, const char *sign, char text[CHART_TEXT])
{
    static const char *const names[] = {"s", "ms", "us", "ns"};
    int i = 0;
    for (; i < 3 && seconds < 0.9995; i++)
        seconds *= 1000;
    int digits = seconds >= 99.95 ? 0 : seconds >= 9.995 ? 1 : 2;
    char number[CHART_TEXT / 2];
    snprintf(number, sizeof number, "%.*f", digits, seconds);
    while (strchr(number, '.') && strchr("0.", number[strlen(number) - 1])) {
        bool is_point = number[strlen(number) - 1] == '.';
        number[strlen(number) - 1] = '\0';
        if (is_point)
            break;
    }
    snprintf(text, CHART_TEXT, "%s%s%s", sign, number, names[i]);
}

void chart_duration(double seconds, char text[CHART_TEXT])
{
    const char *sign = seconds < 0 ? "-" : "";
    double size = fabs(seconds);
    if (size == 0) {
        snprintf(text, CHART_TEXT, "0s");
    } else if (size < 59.95) {
        short_duration(size, sign, text);
    } else if (size >= 1e12) {
        snprintf(text, CHART_TEXT, "%s%.3gd", sign, size / 86400);
    } else {
        /* Two units: the larger one is cut, the smaller one rounded. */
        int i = size >= 86370 ? 0 : size >= 3599.5 ? 1 : 2;
        double small = round(size / parts[i + 1].seconds);
        double ratio = parts[i].seconds / parts[i + 1].seconds;
        double large = floor(small / ratio), rest = small - large * ratio;
        if (rest > 0)
            snprintf(text, CHART_TEXT, "%s%.0f%s%02.0f%s", sign, large, parts[i].name, rest,
                     parts[i + 1].name);
        else
            snprintf(text, CHART_TEXT, "%s%.0f%s", sign, large, parts[i].name);
    }
}

void chart_number(const struct chart *chart, const struct varve_column_info *column,
                  const struct varve_cell *cell, char text[CHART_TEXT])
{
    char pretty[CELL_TEXT];
    if (!cell || cell->type == VARVE_CELL_NULL) {
        snprintf(text, CHART_TEXT, "-");
    } else if (chart_is_duration(column, cell) && !isnan(chart_value(cell))) {
        chart_duration(chart_value(cell), text);
    } else {
        cell_pretty(cell, column, chart->style, pretty);
        snprintf(text, CHART_TEXT, "%.*s", CHART_TEXT - 1, pretty);
    }
}

struct varve_cell chart_sum(const struct varve_cell *sum, const struct varve_cell *cell)
{
    struct varve_cell result = *sum;
    if (isnan(chart_value(cell)))
        return result;
    if (sum->type == VARVE_CELL_NULL)
        return *cell;
    bool is_exact = sum->type == cell->type && sum->type != VARVE_CELL_FLOAT;
    if (is_exact && !__builtin_add_overflow(sum->as.i, cell->as.i, &result.as.i))
        return result;
    result.type = VARVE_CELL_FLOAT;
    result.as.f = chart_value(sum) + chart_value(cell);
    return result;
}
