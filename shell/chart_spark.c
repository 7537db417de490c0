/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_spark.c -- a row a set of keys, with a small picture of its values over time.
 *
 * All rows share the times, one bucket a character; what is missing is a gap, and zero is the
 * lowest mark.  Each row has its own scale, from zero to its largest value, for its shape; how
 * large it is stand beside it as least, largest and last value.  Where there are more buckets than
 * columns, neighbours are drawn as their mean, and a note says so.  The largest rows come first.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "chart.h"

enum { MOST_ROWS = 50, LEAST_MARKS = 16, LEVELS = 8 };

enum { LEAST, MOST, LAST, FIGURES };
static const char *const figure_names[FIGURES] = {"min", "max", "last"};

struct sparks {
    struct chart *chart;
    struct pen *pen;
    struct chart_series *series; /* the largest first */
    size_t rows, left_out;
    int64_t *times; /* of all series, each once */
    size_t time_count;
    int labels, marks, width[FIGURES];
    double *sums;
    size_t *counts; /* of the row that is being drawn, one a mark */
};

/* ---- times ------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool find_times(struct sparks *sparks, const struct chart_series_set *set)
{
    size_t points = sparks->chart->rows, count = 0;
    sparks->times = calloc(points, sizeof *sparks->times);
    if (!sparks->times)
        return false;
    for (size_t i = 0; i < points; i++)
        sparks->times[i] = set->points[i].time;
    qsort(sparks->times, points, sizeof *sparks->times, compare_times);
    for (size_t i = 0; i < points; i++)
        if (i == 0 || sparks->times[i] != sparks->times[i - 1])
            sparks->times[count++] = sparks->times[i];
    sparks->time_count = count;
    return true;
}

static size_t bucket_of(const struct sparks *sparks, int64_t time)
{
    const int64_t *found =
        bsearch(&time, sparks->times, sparks->time_count, sizeof time, compare_times);
    return found ? (size_t)(found - sparks->times) : 0;
}

/* ---- rows -------------------------------------------------------------------------- */

static int compare_series(const void *a, const void *b)
{
    const struct chart_series *x = a, *y = b;
    double p = fabs(x->sum), q = fabs(y->sum);
    if (p != q)
        return p > q ? -1 : 1;
    return (x->first_row > y->first_row) - (x->first_row < y->first_row);
}

static void figure(const struct sparks *sparks, size_t row, int which, char text[CHART_TEXT])
{
    const struct chart_series *s = &sparks->series[row];
    const struct varve_cell *const cells[FIGURES] = {s->least, s->most, s->last};
    chart_number(sparks->chart, s->column, cells[which], text);
}

static void measure(struct sparks *sparks)
{
    char text[CHART_TEXT];
    int figures = 0, width = sparks->chart->width;
    for (int f = 0; f < FIGURES; f++) {
        sparks->width[f] = (int)strlen(figure_names[f]);
        for (size_t row = 0; row < sparks->rows; row++) {
            figure(sparks, row, f, text);
            if ((int)strlen(text) > sparks->width[f])
                sparks->width[f] = (int)strlen(text);
        }
        figures += sparks->width[f] + 2;
    }
    for (size_t row = 0; row < sparks->rows; row++) {
        int label = chart_keys_width(sparks->chart, sparks->series[row].first_row);
        sparks->labels = label > sparks->labels ? label : sparks->labels;
    }
    if (sparks->labels > width / 3)
        sparks->labels = width / 3;
    size_t room = LEAST_MARKS;
    if (width - figures - sparks->labels - 2 > LEAST_MARKS)
        room = (size_t)(width - figures - sparks->labels - 2);
    sparks->marks = (int)(sparks->time_count < room ? sparks->time_count : room);
}

/* ---- drawing ----------------------------------------------------------------------- */

static void put_mark(struct pen *pen, int level)
{
    static const char utf8[LEVELS][4] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char ascii[LEVELS][2] = {"_", ".", ".", "-", "-", "=", "=", "#"};
    pen_mark(pen, utf8[level], ascii[level], 1);
}

/* Zero and less than nothing alone have the lowest mark. */
static int level_of(double value, double least, double most)
{
    if (value <= least || most <= least)
        return 0;
    int level = (int)ceil((value - least) / (most - least) * (LEVELS - 1) - 1e-9);
    return level < 1 ? 1 : level < LEVELS ? level : LEVELS - 1;
}

static void put_marks(const struct sparks *sparks, const struct chart_series *s)
{
    size_t marks = (size_t)sparks->marks;
    double least = 0, most = 0;
    memset(sparks->sums, 0, marks * sizeof *sparks->sums);
    memset(sparks->counts, 0, marks * sizeof *sparks->counts);
    for (size_t p = 0; p < s->count; p++) {
        size_t mark = bucket_of(sparks, s->points[p].time) * marks / sparks->time_count;
        if (isnan(s->points[p].value))
            continue;
        sparks->counts[mark]++;
        sparks->sums[mark] +=
            (s->points[p].value - sparks->sums[mark]) / (double)sparks->counts[mark];
    }
    for (size_t m = 0; m < marks; m++) {
        least = fmin(least, sparks->sums[m]);
        most = fmax(most, sparks->sums[m]);
    }
    pen_ink(sparks->pen, PEN_FIRST_SERIES);
    for (size_t m = 0; m < marks; m++)
        if (sparks->counts[m])
            put_mark(sparks->pen, level_of(sparks->sums[m], least, most));
        else
            pen_space(sparks->pen, 1);
    pen_ink(sparks->pen, PEN_PLAIN);
}

static int figures_start(const struct sparks *sparks)
{
    return sparks->labels + 2 + sparks->marks;
}

static void put_row(const struct sparks *sparks, size_t row)
{
    struct pen *pen = sparks->pen;
    char text[CHART_TEXT];
    chart_keys_put(sparks->chart, pen, sparks->series[row].first_row, sparks->labels);
    pen_to(pen, sparks->labels + 2);
    put_marks(sparks, &sparks->series[row]);
    int at = figures_start(sparks);
    for (int f = 0; f < FIGURES; f++) {
        figure(sparks, row, f, text);
        at += 2 + sparks->width[f];
        pen_right(pen, at, text);
    }
    pen_line_end(pen);
}

static void put_title(const struct sparks *sparks)
{
    struct pen *pen = sparks->pen;
    const struct chart_series *s = &sparks->series[0];
    struct varve_str unit = chart_unit(s->column, chart_is_duration(s->column, s->last));
    char range[CHART_TEXT];
    pen_ink(pen, PEN_BOLD);
    pen_data(pen, s->column->name, sparks->chart->width / 2);
    pen_ink(pen, PEN_PLAIN);
    if (unit.size) {
        pen_ascii(pen, " (");
        pen_data(pen, unit, 16);
        pen_ascii(pen, ")");
    }
    pen_ink(pen, PEN_DIM);
    pen_space(pen, 2);
    pen_to(pen, sparks->labels + 2);
    int at = figures_start(sparks);
    int64_t first = sparks->times[0], last = sparks->times[sparks->time_count - 1];
    time_range(sparks->chart->style->local, first, last, false, range);
    if (pen->column + (int)strlen(range) > at)
        time_range(sparks->chart->style->local, first, last, true, range);
    pen_ascii(pen, range);
    if (pen->column > at + 2) {
        pen_line_end(pen);
        pen_ink(pen, PEN_DIM);
    }
    for (int f = 0; f < FIGURES; f++) {
        at += 2 + sparks->width[f];
        pen_right(pen, at, figure_names[f]);
    }
    pen_line_end(pen);
}

static void put_notes(const struct sparks *sparks)
{
    char text[CHART_TEXT];
    size_t marks = (size_t)sparks->marks;
    if (sparks->time_count > marks) {
        snprintf(text, sizeof text, "each mark is the mean of up to %zu buckets",
                 (sparks->time_count + marks - 1) / marks);
        pen_ink(sparks->pen, PEN_DIM);
        pen_ascii(sparks->pen, text);
        pen_line_end(sparks->pen);
    }
    if (sparks->left_out) {
        snprintf(text, sizeof text, "%zu more with smaller sums are left out", sparks->left_out);
        pen_ink(sparks->pen, PEN_DIM);
        pen_ascii(sparks->pen, text);
        pen_line_end(sparks->pen);
    }
}

enum varve_status
chart_sparks(struct chart *chart, struct chart_series_set *set, struct varve_err *err)
{
    struct sparks sparks = {.chart = chart, .pen = &chart->pen, .series = set->series};
    sparks.rows = set->count < MOST_ROWS ? set->count : MOST_ROWS;
    sparks.left_out = set->count - sparks.rows;
    qsort(set->series, set->count, sizeof *set->series, compare_series);
    bool done = find_times(&sparks, set);
    if (done) {
        measure(&sparks);
        sparks.sums = calloc((size_t)sparks.marks, sizeof *sparks.sums);
        sparks.counts = calloc((size_t)sparks.marks, sizeof *sparks.counts);
        done = sparks.sums && sparks.counts;
    }
    if (done) {
        put_title(&sparks);
        for (size_t row = 0; row < sparks.rows; row++)
            put_row(&sparks, row);
        put_notes(&sparks);
    }
    free(sparks.times);
    free(sparks.sums);
    free(sparks.counts);
    return done ? VARVE_OK : chart_nomem(err);
}
