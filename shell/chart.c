/* SPDX-License-Identifier: Apache-2.0
 *
 * chart.c -- chooses the picture that suits the shape of a result.
 *
 *     time, one number, at least four weeks of days    calendar
 *     time, numbers                                    lines, a line a column
 *     time, one key of few values, one number          lines, a line a value
 *     time, other keys, one number                     sparks, a row a set of keys
 *     keys, one number                                 bars
 *     anything else                                    the table
 *
 * A shape is told by the columns, and, where their types vary, by the values.  The same rows, style
 * and width always make the same bytes.
 */
#include "chart.h"

#include "cell.h"

enum { MOST_LINES = 12 }; /* values of a key; with more, each gets a row of its own */

enum shape { SHAPE_TABLE, SHAPE_TIMES, SHAPE_TIMES_AND_KEYS, SHAPE_KEYS };

static bool may_be_number(enum varve_cell_type type)
{
    struct varve_cell cell = {.type = type};
    return type == VARVE_CELL_NULL || cell_is_number(&cell);
}

static enum shape shape_of(const struct rows *rows)
{
    const struct varve_column_info *columns = rows->columns;
    size_t keys = 0, numbers = 0;
    bool has_time =
        rows->column_count > 0 && columns[0].is_key && columns[0].type == VARVE_CELL_TIME;
    for (size_t c = has_time; c < rows->column_count; c++) {
        if (columns[c].is_key && columns[c].type == VARVE_CELL_TIME)
            return SHAPE_TABLE;
        if (!columns[c].is_key && !may_be_number(columns[c].type))
            return SHAPE_TABLE;
        keys += columns[c].is_key != 0;
        numbers += !columns[c].is_key;
    }
    if (numbers == 0 || (keys > 0 && numbers > 1))
        return SHAPE_TABLE;
    if (has_time)
        return keys > 0 ? SHAPE_TIMES_AND_KEYS : SHAPE_TIMES;
    return keys > 0 ? SHAPE_KEYS : SHAPE_TABLE;
}

/* What the types of the columns left open: that each value is a number, and each time is there. */
static bool has_shape(const struct chart *chart, enum shape shape)
{
    for (size_t row = 0; row < chart->rows; row++)
        for (size_t c = 0; c < chart->column_count; c++) {
            const struct varve_cell *cell = chart_cell(chart, row, c);
            bool is_time = shape != SHAPE_KEYS && c == 0;
            if (is_time && cell->type != VARVE_CELL_TIME)
                return false;
            if (!chart->columns[c].is_key && !may_be_number(cell->type))
                return false;
        }
    return true;
}

/* ---- the rows once more, for the table --------------------------------------------- */

struct again {
    const struct chart *chart;
    bool is_done;
};

static enum varve_status
next_again(void *context, const struct varve_cell **cells, size_t *count, struct varve_err *err)
{
    struct again *again = context;
    (void)err;
    if (again->is_done)
        return VARVE_DONE;
    again->is_done = true;
    *cells = again->chart->cells;
    *count = again->chart->rows;
    return VARVE_OK;
}

static enum varve_status table_again(FILE *stream, const struct chart *chart, struct varve_err *err)
{
    struct again again = {.chart = chart};
    struct rows rows = {.columns = chart->columns,
                        .column_count = chart->column_count,
                        .next = next_again,
                        .context = &again};
    return write_table(stream, chart->style, &rows, err);
}

/* ---- the choice -------------------------------------------------------------------- */

static enum varve_status draw_times(struct chart *chart, enum shape shape, struct varve_err *err)
{
    struct chart_series_set set;
    if (!chart_series(chart, &set))
        return chart_nomem(err);
    enum varve_status status;
    size_t keys = shape == SHAPE_TIMES ? 0 : chart->column_count - 2;
    if (set.count == 1 && keys == 0 && chart_is_calendar(chart, &set.series[0]))
        status = chart_calendar(chart, &set.series[0], err);
    else if (keys > 1 || (keys == 1 && set.count > MOST_LINES))
        status = chart_sparks(chart, &set, err);
    else
        status = chart_lines(chart, &set, err);
    chart_series_clear(&set);
    return status;
}

static enum varve_status
draw(FILE *stream, struct chart *chart, enum shape shape, struct varve_err *err)
{
    if (chart->rows == 0) {
        fputs("no rows\n", stream);
        return VARVE_OK;
    }
    if (!has_shape(chart, shape))
        return table_again(stream, chart, err);
    return shape == SHAPE_KEYS ? chart_bars(chart, err) : draw_times(chart, shape, err);
}

enum varve_status
write_chart(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err)
{
    enum shape shape = shape_of(rows);
    if (shape == SHAPE_TABLE)
        return write_table(stream, style, rows, err);
    struct chart chart = {.style = style,
                          .columns = rows->columns,
                          .column_count = rows->column_count,
                          .width = style->width > 0 ? style->width : CHART_WIDTH,
                          .pen = {.stream = stream, .colour = style->colour, .utf8 = style->utf8}};
    if (chart.width < CHART_LEAST_WIDTH)
        chart.width = CHART_LEAST_WIDTH;
    enum varve_status status = chart_collect(&chart, rows, err);
    if (status == VARVE_OK)
        status = draw(stream, &chart, shape, err);
    chart_clear(&chart);
    return status;
}
