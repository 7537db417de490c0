/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_lines.c -- lines over time.
 *
 * Series of one unit share a panel and its scale; panels stand one below the other over the same
 * times, so no line is measured by another one's unit.  A line breaks where a value is missing:
 * at a NULL, and at a gap in the times.  Lines bear letters at the right edge, because colours may
 * be missing or hard to tell; a legend says what they are, and their last, least and largest value.
 * Where there are more series than can be told apart, the largest are drawn and a note says so.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "chart.h"
#include "chart_canvas.h"

enum { LETTERS = 8 };

struct plot {
    struct chart *chart;
    struct pen *pen;
    const struct chart_series *series[PEN_SERIES];
    int panel_of[PEN_SERIES];
    int count, panels;
    size_t left_out;
    int64_t first, last; /* times */
    int64_t step;        /* the least between two points of a series; 0: there are no two */
    int label_width, columns, edge;
    bool by_keys;
};

struct panel {
    struct scale scale;
    int rows, rows_a_tick;
    struct canvas canvas;
    struct varve_str unit;
};

/* ---- which series, and when -------------------------------------------------------- */

static int compare_sums(const void *a, const void *b)
{
    const struct chart_series *const *x = a, *const *y = b;
    double p = fabs((*x)->sum), q = fabs((*y)->sum);
    if (p != q)
        return p > q ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

static int compare_places(const void *a, const void *b)
{
    const struct chart_series *const *x = a, *const *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* All, or all but the smallest, in the order in which they came. */
static bool choose(struct plot *plot, const struct chart_series_set *set)
{
    const struct chart_series **all = calloc(set->count, sizeof *all);
    if (!all)
        return false;
    for (size_t i = 0; i < set->count; i++)
        all[i] = &set->series[i];
    plot->count = (int)set->count;
    if (set->count > PEN_SERIES) {
        qsort(all, set->count, sizeof *all, compare_sums);
        plot->count = PEN_SERIES - 1;
        plot->left_out = set->count - (PEN_SERIES - 1);
        qsort(all, PEN_SERIES - 1, sizeof *all, compare_places);
    }
    for (int i = 0; i < plot->count; i++)
        plot->series[i] = all[i];
    free(all);
    return true;
}

static bool same(struct varve_str a, struct varve_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool is_duration(const struct chart_series *series)
{
    return chart_is_duration(series->column, series->last);
}

static struct varve_str unit_of(const struct chart_series *series)
{
    return chart_unit(series->column, is_duration(series));
}

static void assign_panels(struct plot *plot)
{
    for (int i = 0; i < plot->count; i++) {
        plot->panel_of[i] = plot->panels;
        for (int j = 0; j < i; j++)
            if (is_duration(plot->series[i]) == is_duration(plot->series[j]) &&
                same(unit_of(plot->series[i]), unit_of(plot->series[j])))
                plot->panel_of[i] = plot->panel_of[j];
        plot->panels += plot->panel_of[i] == plot->panels;
    }
}

static void find_times(struct plot *plot)
{
    plot->first = INT64_MAX;
    plot->last = INT64_MIN;
    for (int i = 0; i < plot->count; i++) {
        const struct chart_series *s = plot->series[i];
        for (size_t p = 0; p < s->count; p++) {
            int64_t gap = 0;
            if (s->points[p].time < plot->first)
                plot->first = s->points[p].time;
            if (s->points[p].time > plot->last)
                plot->last = s->points[p].time;
            if (p > 0 && !__builtin_sub_overflow(s->points[p].time, s->points[p - 1].time, &gap) &&
                gap > 0 && (plot->step == 0 || gap < plot->step))
                plot->step = gap;
        }
    }
}

/* ---- places in the picture --------------------------------------------------------- */

static int x_of(const struct plot *plot, int64_t time)
{
    double all = (double)plot->last - (double)plot->first;
    double part = (double)time - (double)plot->first;
    int dots = plot->columns * DOTS_ACROSS;
    return all > 0 ? (int)(part / all * (dots - 1) + 0.5) : dots / 2;
}

/* A tick is in the middle of its row of characters, and so is a value that equals it. */
static int y_of(const struct panel *panel, double value)
{
    double part = (value - panel->scale.least) / panel->scale.step / panel->scale.intervals;
    return (int)((1 - part) * (panel->rows - 1) * DOTS_DOWN + 1.5);
}

static void open_panel(const struct plot *plot, int number, struct panel *panel)
{
    double least = (double)INFINITY, most = -(double)INFINITY;
    int rows = plot->panels > 1 ? 7 : plot->chart->width / 6;
    bool in_seconds = false;
    *panel = (struct panel){0};
    for (int i = 0; i < plot->count; i++) {
        const struct chart_series *s = plot->series[i];
        if (plot->panel_of[i] != number)
            continue;
        in_seconds = is_duration(s);
        panel->unit = unit_of(s);
        if (s->least) {
            least = fmin(least, chart_value(s->least));
            most = fmax(most, chart_value(s->most));
        }
    }
    if (least > most)
        least = most = 0;
    rows = rows < 7 ? 7 : rows > 16 ? 16 : rows;
    int intervals = (rows - 1) / 2 < 5 ? (rows - 1) / 2 : 5;
    panel->scale = scale_of(least, most, intervals, in_seconds);
    panel->rows_a_tick = (rows - 1 + panel->scale.intervals / 2) / panel->scale.intervals;
    panel->rows = panel->rows_a_tick * panel->scale.intervals + 1;
}

/* Whether a line leads from the point before to this one. */
static bool goes_on(const struct plot *plot, const struct chart_series *s, size_t p)
{
    if (p == 0 || p >= s->count || isnan(s->points[p].value) || isnan(s->points[p - 1].value))
        return false;
    double gap = (double)s->points[p].time - (double)s->points[p - 1].time;
    return gap <= 1.5 * (double)plot->step;
}

static void draw_series(const struct plot *plot, struct panel *panel, int number)
{
    const struct chart_series *s = plot->series[number];
    int before_x = 0, before_y = 0;
    for (size_t p = 0; p < s->count; p++) {
        if (isnan(s->points[p].value))
            continue;
        int x = x_of(plot, s->points[p].time), y = y_of(panel, s->points[p].value);
        if (goes_on(plot, s, p))
            canvas_line(&panel->canvas, before_x, before_y, x, y, number + 1);
        else if (!goes_on(plot, s, p + 1))
            canvas_spot(&panel->canvas, x, y, number + 1);
        before_x = x;
        before_y = y;
    }
}

/* The series whose lines end in a row; their number. */
static int
ends_in(const struct plot *plot, const struct panel *panel, int number, int row, int found[LETTERS])
{
    int count = 0;
    for (int i = 0; i < plot->count; i++)
        if (plot->panel_of[i] == number && plot->series[i]->last &&
            y_of(panel, chart_value(plot->series[i]->last)) / DOTS_DOWN == row)
            found[count++] = i;
    return count;
}

/* The widths of all panels' labels and letters, so that the panels stand in line. */
static void measure(struct plot *plot)
{
    int found[LETTERS];
    for (int n = 0; n < plot->panels; n++) {
        struct panel panel;
        char text[CHART_TEXT];
        open_panel(plot, n, &panel);
        for (int i = 0; i <= panel.scale.intervals; i++) {
            scale_label(&panel.scale, i, text);
            if ((int)strlen(text) > plot->label_width)
                plot->label_width = (int)strlen(text);
        }
        for (int row = 0; plot->count > 1 && row < panel.rows; row++) {
            int count = ends_in(plot, &panel, n, row, found);
            if (count > plot->edge)
                plot->edge = count;
        }
    }
    plot->columns = plot->chart->width - plot->label_width - 2 - (plot->edge ? plot->edge + 1 : 0);
}

/* ---- writing ----------------------------------------------------------------------- */

static void put_title(const struct plot *plot, const struct panel *panel, int number)
{
    struct pen *pen = plot->pen;
    char range[CHART_TEXT];
    const struct chart_series *only = NULL;
    int members = 0, end = plot->chart->width;
    for (int i = 0; i < plot->count; i++)
        if (plot->panel_of[i] == number && members++ == 0)
            only = plot->series[i];
    time_range(plot->chart->style->local, plot->first, plot->last, false, range);
    bool has_range = number == 0;
    int room = end - plot->label_width - 2 - (has_range ? (int)strlen(range) + 2 : 0);
    pen_to(pen, plot->label_width + 1);
    pen_ink(pen, PEN_BOLD);
    if (only && (members == 1 || plot->by_keys))
        pen_data(pen, only->column->name, room);
    pen_ink(pen, PEN_PLAIN);
    bool has_name = pen->column > plot->label_width + 1;
    if (panel->unit.size) {
        pen_ascii(pen, has_name ? " (" : "");
        pen_data(pen, panel->unit, room - (pen->column - plot->label_width));
        pen_ascii(pen, has_name ? ")" : "");
    }
    pen_ink(pen, PEN_DIM);
    if (has_range)
        pen_right(pen, end, range);
    pen_line_end(pen);
}

static void put_cells(const struct plot *plot, const struct panel *panel, int row)
{
    struct pen *pen = plot->pen;
    int tick = (panel->rows - 1 - row) / panel->rows_a_tick;
    bool is_zero = (panel->rows - 1 - row) % panel->rows_a_tick == 0 &&
                   scale_tick(&panel->scale, tick) == 0 && row != panel->rows - 1 && row != 0;
    for (int c = 0; c < plot->columns; c++) {
        int owner = canvas_owner(&panel->canvas, c, row);
        char letter = plot->count > 1 && owner ? (char)('a' + owner - 1) : '\0';
        pen_ink(pen, owner ? (enum pen_colour)(PEN_FIRST_SERIES + owner - 1) : PEN_DIM);
        if (canvas_put(&panel->canvas, pen, c, row, letter))
            continue;
        if (is_zero && c < plot->columns - 1)
            pen_mark(pen, "┈", c % 2 ? " " : ".", 1);
        else
            pen_space(pen, 1);
    }
}

static void put_rows(const struct plot *plot, const struct panel *panel, int number)
{
    struct pen *pen = plot->pen;
    char label[CHART_TEXT];
    int found[LETTERS];
    for (int row = 0; row < panel->rows; row++) {
        int from_bottom = panel->rows - 1 - row;
        bool is_tick = from_bottom % panel->rows_a_tick == 0;
        if (is_tick) {
            scale_label(&panel->scale, from_bottom / panel->rows_a_tick, label);
            pen_right(pen, plot->label_width, label);
        }
        pen_to(pen, plot->label_width + 1);
        pen_ink(pen, PEN_DIM);
        pen_mark(pen, is_tick ? "┤" : "│", is_tick ? "+" : "|", 1);
        put_cells(plot, panel, row);
        int count = plot->count > 1 ? ends_in(plot, panel, number, row, found) : 0;
        pen_space(pen, 1);
        for (int i = 0; i < count; i++) {
            char letter[2] = {(char)('a' + found[i]), '\0'};
            pen_ink(pen, (enum pen_colour)(PEN_FIRST_SERIES + found[i]));
            pen_ascii(pen, letter);
        }
        pen_line_end(pen);
    }
}

static void put_time_axis(const struct plot *plot, bool has_labels)
{
    struct pen *pen = plot->pen;
    struct time_tick ticks[TIME_TICKS];
    int count =
            time_ticks(plot->chart->style->local, plot->first, plot->last, plot->columns, ticks),
        i = 0;
    pen_to(pen, plot->label_width + 1);
    pen_ink(pen, PEN_DIM);
    pen_mark(pen, "└", "+", 1);
    for (int c = 0; c < plot->columns; c++) {
        while (i < count - 1 && x_of(plot, ticks[i].time) / DOTS_ACROSS < c)
            i++;
        bool is_tick = x_of(plot, ticks[i].time) / DOTS_ACROSS == c;
        pen_mark(pen, is_tick ? "┬" : "─", is_tick ? "+" : "-", 1);
    }
    pen_line_end(pen);
    for (i = 0; has_labels && i < count; i++) {
        int width = (int)strlen(ticks[i].label);
        int at = plot->label_width + 2 + x_of(plot, ticks[i].time) / DOTS_ACROSS - width / 2;
        if (at + width > plot->chart->width)
            at = plot->chart->width - width;
        if (at < pen->column + 2 && pen->column > 0)
            continue;
        pen_to(pen, at);
        pen_ascii(pen, ticks[i].label);
    }
    if (has_labels)
        pen_line_end(pen);
}

/* ---- the legend -------------------------------------------------------------------- */

enum { LAST, LEAST, MOST, FIGURES };
static const char *const figure_names[FIGURES] = {"last ", "min ", "max "};

static void
figure(const struct plot *plot, const struct chart_series *s, int which, char text[CHART_TEXT])
{
    const struct varve_cell *const cells[FIGURES] = {s->last, s->least, s->most};
    chart_number(plot->chart, s->column, cells[which], text);
}

static int name_width(const struct plot *plot, const struct chart_series *s)
{
    return plot->by_keys ? chart_keys_width(plot->chart, s->first_row)
                         : text_width(s->column->name);
}

struct legend {
    int indent, names, figures, width[FIGURES];
};

static void put_legend_row(const struct plot *plot, int i, const struct legend *legend)
{
    struct pen *pen = plot->pen;
    const struct chart_series *s = plot->series[i];
    char letter[2] = {(char)('a' + i), '\0'}, text[CHART_TEXT];
    pen_to(pen, legend->indent);
    pen_ink(pen, (enum pen_colour)(PEN_FIRST_SERIES + i));
    if (plot->count > 1) {
        pen_ascii(pen, letter);
        pen_space(pen, 1);
    }
    int start = pen->column;
    pen_ink(pen, PEN_PLAIN);
    if (plot->by_keys)
        chart_keys_put(plot->chart, pen, s->first_row, legend->names);
    else
        pen_data(pen, s->column->name, legend->names);
    int at = start + legend->names;
    for (int f = 0; f < legend->figures; f++) {
        figure(plot, s, f, text);
        pen_to(pen, at + 2);
        pen_ink(pen, PEN_DIM);
        pen_ascii(pen, figure_names[f]);
        pen_ink(pen, PEN_PLAIN);
        at += 2 + (int)strlen(figure_names[f]) + legend->width[f];
        pen_right(pen, at, text);
    }
    pen_space(pen, 1);
    pen_data(pen, unit_of(s), 20);
    pen_line_end(pen);
}

/* Names give way first, then the indent, then figures. */
static void fit_legend(const struct plot *plot, struct legend *legend, int units)
{
    int room = plot->chart->width - (plot->count > 1 ? 2 : 0) - (units ? 1 + units : 0);
    int names = legend->names;
    for (int f = 0; f < FIGURES; f++)
        room -= 2 + (int)strlen(figure_names[f]) + legend->width[f];
    legend->indent = plot->label_width + 1;
    if (names > 12)
        names = 12;
    if (room - legend->indent < names)
        legend->indent = 1;
    for (legend->figures = FIGURES; legend->figures > 1 && room - legend->indent < names;) {
        int f = --legend->figures;
        room += 2 + (int)strlen(figure_names[f]) + legend->width[f];
    }
    if (legend->names > room - legend->indent)
        legend->names = room - legend->indent;
}

static void put_legend(const struct plot *plot)
{
    struct legend legend = {0};
    int units = 0;
    char text[CHART_TEXT];
    for (int i = 0; i < plot->count; i++) {
        const struct chart_series *s = plot->series[i];
        int name = name_width(plot, s), unit = text_width(unit_of(s));
        legend.names = name > legend.names ? name : legend.names;
        units = unit > units ? unit : units;
        for (int f = 0; f < FIGURES; f++) {
            figure(plot, s, f, text);
            if ((int)strlen(text) > legend.width[f])
                legend.width[f] = (int)strlen(text);
        }
    }
    fit_legend(plot, &legend, units < 20 ? units : 20);
    for (int i = 0; i < plot->count; i++)
        put_legend_row(plot, i, &legend);
    if (plot->left_out) {
        snprintf(text, sizeof text, "%zu more with smaller sums are left out", plot->left_out);
        pen_to(plot->pen, legend.indent);
        pen_ink(plot->pen, PEN_DIM);
        pen_ascii(plot->pen, text);
        pen_line_end(plot->pen);
    }
}

enum varve_status
chart_lines(struct chart *chart, struct chart_series_set *set, struct varve_err *err)
{
    struct plot plot = {.chart = chart, .pen = &chart->pen};
    if (!choose(&plot, set))
        return chart_nomem(err);
    plot.by_keys = chart_has_keys(chart);
    assign_panels(&plot);
    find_times(&plot);
    measure(&plot);
    for (int n = 0; n < plot.panels; n++) {
        struct panel panel;
        open_panel(&plot, n, &panel);
        if (!canvas_init(&panel.canvas, plot.columns, panel.rows))
            return chart_nomem(err);
        for (int i = plot.count - 1; i >= 0; i--)
            if (plot.panel_of[i] == n)
                draw_series(&plot, &panel, i);
        put_title(&plot, &panel, n);
        put_rows(&plot, &panel, n);
        put_time_axis(&plot, n == plot.panels - 1);
        canvas_clear(&panel.canvas);
    }
    put_legend(&plot);
    return VARVE_OK;
}
