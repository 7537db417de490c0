/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_rows.c -- keeps the rows of a result and sorts them into series.
 *
 * A picture needs all its values before its first line is drawn, so they are kept, up to a cap.
 * Texts are copied: those of a result live only until its next rows.  Rows with keys are sorted by
 * keys and time; each stretch of equal keys is a series.  Nothing here is a matrix of keys and
 * times, which could be much larger than the rows it comes from.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "chart.h"

enum { KEYS_BYTES = 512 };

/* ---- keeping ----------------------------------------------------------------------- */

struct chart_texts {
    struct chart_texts *next;
    char bytes[];
};

enum varve_status chart_nomem(struct varve_err *err)
{
    if (err)
        *err = (struct varve_err){.status = VARVE_NOMEM, .message = "out of memory"};
    return VARVE_NOMEM;
}

static enum varve_status too_many(struct varve_err *err)
{
    if (err) {
        *err = (struct varve_err){.status = VARVE_LIMIT};
        snprintf(err->message, sizeof err->message,
                 "more than %d values are too many for a chart; aggregate: a longer EVERY, fewer "
                 "keys in BY, or TOP",
                 CHART_CELLS);
    }
    return VARVE_LIMIT;
}

/* The texts of these cells become ones of the chart. */
static bool copy_texts(struct chart *chart, struct varve_cell *cells, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        if (cells[i].type == VARVE_CELL_TEXT)
            size += cells[i].as.s.size;
    struct chart_texts *texts = malloc(sizeof *texts + size);
    if (!texts)
        return false;
    texts->next = chart->texts;
    chart->texts = texts;
    char *to = texts->bytes;
    for (size_t i = 0; i < count; i++)
        if (cells[i].type == VARVE_CELL_TEXT) {
            if (cells[i].as.s.size)
                memcpy(to, cells[i].as.s.data, cells[i].as.s.size);
            cells[i].as.s.data = to;
            to += cells[i].as.s.size;
        }
    return true;
}

static enum varve_status
keep(struct chart *chart, const struct varve_cell *cells, size_t rows, struct varve_err *err)
{
    size_t kept = chart->rows * chart->column_count;
    if (rows > (CHART_CELLS - kept) / chart->column_count)
        return too_many(err);
    size_t count = rows * chart->column_count;
    if (kept + count > chart->cell_capacity) {
        size_t capacity = 2 * (kept + count);
        struct varve_cell *larger = realloc(chart->cells, capacity * sizeof *larger);
        if (!larger)
            return chart_nomem(err);
        chart->cells = larger;
        chart->cell_capacity = capacity;
    }
    if (count == 0)
        return VARVE_OK;
    memcpy(chart->cells + kept, cells, count * sizeof *cells);
    if (!copy_texts(chart, chart->cells + kept, count))
        return chart_nomem(err);
    chart->rows += rows;
    return VARVE_OK;
}

enum varve_status chart_collect(struct chart *chart, const struct rows *rows, struct varve_err *err)
{
    const struct varve_cell *cells;
    size_t count;
    enum varve_status status;
    while ((status = rows->next(rows->context, &cells, &count, err)) == VARVE_OK) {
        status = keep(chart, cells, count, err);
        if (status)
            return status;
    }
    return status == VARVE_DONE ? VARVE_OK : status;
}

void chart_clear(struct chart *chart)
{
    while (chart->texts) {
        struct chart_texts *next = chart->texts->next;
        free(chart->texts);
        chart->texts = next;
    }
    free(chart->cells);
    chart->cells = NULL;
}

const struct varve_cell *chart_cell(const struct chart *chart, size_t row, size_t column)
{
    return &chart->cells[row * chart->column_count + column];
}

double chart_value(const struct varve_cell *cell)
{
    double value = (double)NAN;
    if (cell->type == VARVE_CELL_INT)
        value = (double)cell->as.i;
    else if (cell->type == VARVE_CELL_NANO || cell->type == VARVE_CELL_DURATION)
        value = (double)cell->as.i / 1e9;
    else if (cell->type == VARVE_CELL_FLOAT)
        value = cell->as.f;
    if (!isfinite(value))
        return (double)NAN;
    return fmax(-1e300, fmin(1e300, value)); /* so that differences are finite */
}

/* ---- keys -------------------------------------------------------------------------- */

static bool is_key_column(const struct chart *chart, size_t column)
{
    return chart->columns[column].is_key && chart->columns[column].type != VARVE_CELL_TIME;
}

static struct varve_str
key_text(const struct chart *chart, const struct varve_cell *cell, char text[CELL_TEXT])
{
    if (cell->type == VARVE_CELL_TEXT)
        return cell->as.s;
    if (cell->type != VARVE_CELL_NULL)
        return (struct varve_str){text, cell_exact(cell, text)};
    const char *null = chart->style->null;
    return null && null[0] ? varve_str(null) : varve_str("NULL");
}

bool chart_has_keys(const struct chart *chart)
{
    for (size_t c = 0; c < chart->column_count; c++)
        if (is_key_column(chart, c))
            return true;
    return false;
}

/* Appends; what does not fit is cut at a character. */
static size_t append(char *to, size_t size, struct varve_str text)
{
    size_t room = KEYS_BYTES - size;
    size_t count = text.size < room ? text.size : room;
    while (count > 0 && count < text.size && ((unsigned char)text.data[count] & 0xc0) == 0x80)
        count--;
    if (count)
        memcpy(to + size, text.data, count);
    return size + count;
}

static struct varve_str keys_text(const struct chart *chart, size_t row, char keys[KEYS_BYTES])
{
    char text[CELL_TEXT];
    size_t size = 0;
    bool is_first = true;
    for (size_t c = 0; c < chart->column_count; c++) {
        if (!is_key_column(chart, c))
            continue;
        size = append(keys, size, varve_str(is_first ? "" : " / "));
        size = append(keys, size, key_text(chart, chart_cell(chart, row, c), text));
        is_first = false;
    }
    return (struct varve_str){keys, size};
}

int chart_keys_width(const struct chart *chart, size_t row)
{
    char keys[KEYS_BYTES];
    int width = text_width(keys_text(chart, row, keys));
    return width < CHART_TEXT ? width : CHART_TEXT;
}

void chart_keys_put(const struct chart *chart, struct pen *pen, size_t row, int most)
{
    char keys[KEYS_BYTES];
    pen_data(pen, keys_text(chart, row, keys), most);
}

static int compare_cells(const struct varve_cell *a, const struct varve_cell *b)
{
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (a->type == VARVE_CELL_NULL)
        return 0;
    if (a->type == VARVE_CELL_FLOAT)
        return (a->as.f > b->as.f) - (a->as.f < b->as.f);
    if (a->type != VARVE_CELL_TEXT)
        return (a->as.i > b->as.i) - (a->as.i < b->as.i);
    size_t size = a->as.s.size < b->as.s.size ? a->as.s.size : b->as.s.size;
    int order = size ? memcmp(a->as.s.data, b->as.s.data, size) : 0;
    return order ? order : (a->as.s.size > b->as.s.size) - (a->as.s.size < b->as.s.size);
}

static int compare_keys(const struct chart *chart, size_t a, size_t b)
{
    int order = 0;
    for (size_t c = 0; c < chart->column_count && order == 0; c++)
        if (is_key_column(chart, c))
            order = compare_cells(chart_cell(chart, a, c), chart_cell(chart, b, c));
    return order;
}

/* ---- series ------------------------------------------------------------------------ */

struct row_ref {
    const struct chart *chart;
    size_t row;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row_ref *x = a, *y = b;
    int order = compare_keys(x->chart, x->row, y->row);
    if (order == 0)
        order = compare_cells(chart_cell(x->chart, x->row, 0), chart_cell(y->chart, y->row, 0));
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int compare_first_rows(const void *a, const void *b)
{
    const struct chart_series *x = a, *y = b;
    return (x->first_row > y->first_row) - (x->first_row < y->first_row);
}

static void add_point(const struct chart *chart, struct chart_series *series,
                      struct chart_point *point, size_t row)
{
    size_t column = (size_t)(series->column - chart->columns);
    const struct varve_cell *cell = chart_cell(chart, row, column);
    *point = (struct chart_point){chart_cell(chart, row, 0)->as.i, chart_value(cell), cell};
    if (row < series->first_row)
        series->first_row = row;
    series->count++;
    if (isnan(point->value))
        return;
    series->sum += point->value;
    series->last = cell;
    if (!series->least || point->value < chart_value(series->least))
        series->least = cell;
    if (!series->most || point->value > chart_value(series->most))
        series->most = cell;
}

static void column_series(const struct chart *chart, const struct row_ref *refs, size_t column,
                          struct chart_series_set *set, struct chart_point **to)
{
    struct chart_series *series = NULL;
    for (size_t i = 0; i < chart->rows; i++) {
        if (i == 0 || compare_keys(chart, refs[i - 1].row, refs[i].row) != 0) {
            series = &set->series[set->count++];
            *series = (struct chart_series){
                .column = &chart->columns[column], .first_row = refs[i].row, .points = *to};
        }
        add_point(chart, series, (*to)++, refs[i].row);
    }
}

bool chart_series(const struct chart *chart, struct chart_series_set *set)
{
    size_t most = chart->rows * chart->column_count;
    *set = (struct chart_series_set){.points = calloc(most, sizeof *set->points),
                                     .series = calloc(most, sizeof *set->series)};
    struct row_ref *refs = calloc(chart->rows, sizeof *refs);
    struct chart_point *to = set->points;
    if (!set->points || !set->series || !refs) {
        free(refs);
        chart_series_clear(set);
        return false;
    }
    for (size_t i = 0; i < chart->rows; i++)
        refs[i] = (struct row_ref){chart, i};
    qsort(refs, chart->rows, sizeof *refs, compare_rows);
    for (size_t c = 0; c < chart->column_count; c++) {
        size_t before = set->count;
        if (chart->columns[c].is_key)
            continue;
        column_series(chart, refs, c, set, &to);
        qsort(set->series + before, set->count - before, sizeof *set->series, compare_first_rows);
    }
    free(refs);
    return true;
}

void chart_series_clear(struct chart_series_set *set)
{
    free(set->points);
    free(set->series);
    *set = (struct chart_series_set){0};
}
