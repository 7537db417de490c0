/* SPDX-License-Identifier: Apache-2.0
 *
 * output_table.c -- tables in boxes, for people.
 *
 * The first rows are kept until the widths are known; those behind them are written as they
 * come, in the same widths, so that a table that is too long to look at takes no more
 * memory than one that is not.  Where the terminal is narrower than the table, the widest columns
 * of text give way, and what is cut ends in an ellipsis.  For people times then lose what is below
 * a second and texts the beginning that all of a column have, and of columns that do not fit all
 * the same the last are left out, which is said.  One column alone that is too wide, such as a
 * plan, is written as lines without a box.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cell.h"

/* Texts are cut to LEAST_WIDTH before columns are left out, and then no further than to
 * READABLE_WIDTH. */
enum { KEPT_ROWS = 10000, LEAST_WIDTH = 8, READABLE_WIDTH = 16 };

/* Texts of cells, one behind the other. */
struct kept_cell {
    size_t at, size;
};
struct kept {
    char *bytes;
    size_t size, capacity;
    struct kept_cell *cells;
    size_t count, cell_capacity;
};

struct table {
    FILE *stream;
    const struct style *style;
    const struct rows *rows;
    size_t shown; /* columns that there is room for */
    int *width;
    bool is_plain;            /* one column of lines that are too long for a box */
    bool is_tight;            /* times to the second, texts without their prefix */
    struct varve_str *prefix; /* that all kept texts of a column have; may be empty */
    bool *is_number;
    bool *is_day; /* a column of buckets that all begin at midnight: their dates say it all */
    struct kept kept;
    bool failed; /* no memory */
};

/* The strokes of a box: left, line, crossing, right. */
struct strokes {
    const char *left, *line, *cross, *right;
};
static const struct strokes strokes[2][3] = {
    {{"+", "-", "+", "+"}, {"+", "-", "+", "+"}, {"+", "-", "+", "+"}},
    {{"┌", "─", "┬", "┐"}, {"├", "─", "┼", "┤"}, {"└", "─", "┴", "┘"}},
};
enum { TOP, MIDDLE, BOTTOM };

static const char midnight[] = " 00:00";
enum { MIDNIGHT = sizeof midnight - 1 };

/* ---- keeping --------------------------------------------------------------------- */

static bool keep(struct kept *kept, struct varve_str text)
{
    if (kept->size + text.size + 1 > kept->capacity) {
        size_t capacity = 2 * kept->capacity + text.size + 4096;
        char *bytes = realloc(kept->bytes, capacity);
        if (!bytes)
            return false;
        kept->bytes = bytes;
        kept->capacity = capacity;
    }
    if (kept->count == kept->cell_capacity) {
        size_t capacity = 2 * kept->cell_capacity + 256;
        struct kept_cell *cells = realloc(kept->cells, capacity * sizeof *cells);
        if (!cells)
            return false;
        kept->cells = cells;
        kept->cell_capacity = capacity;
    }
    memcpy(kept->bytes + kept->size, text.data, text.size);
    kept->cells[kept->count++] = (struct kept_cell){kept->size, text.size};
    kept->size += text.size;
    return true;
}

static struct varve_str kept_cell(const struct kept *kept, size_t i)
{
    return (struct varve_str){kept->bytes + kept->cells[i].at, kept->cells[i].size};
}

/* ---- texts of cells --------------------------------------------------------------- */

static bool is_midnight(struct varve_str text)
{
    return text.size > MIDNIGHT &&
           memcmp(text.data + text.size - MIDNIGHT, midnight, MIDNIGHT) == 0;
}

static struct varve_str shown_of(const struct table *t, size_t column, struct varve_str text)
{
    if (t->is_day[column] && is_midnight(text))
        text.size -= MIDNIGHT;
    else if (t->is_tight && t->rows->columns[column].type == VARVE_CELL_TIME && text.size > 4 &&
             text.data[text.size - 4] == '.')
        text.size -= 4;
    return text;
}

/* Whether a text is shown without its beginning. */
static bool loses_prefix(const struct table *t, size_t column, struct varve_str text)
{
    struct varve_str prefix = t->prefix[column];
    return t->is_tight && prefix.size > 0 && text.size > prefix.size &&
           memcmp(text.data, prefix.data, prefix.size) == 0;
}

static int wanted_width(const struct table *t, size_t column, struct varve_str text)
{
    if (!loses_prefix(t, column, text))
        return text_width(text);
    text.data += t->prefix[column].size;
    text.size -= t->prefix[column].size;
    return 1 + text_width(text);
}

/* ---- drawing ---------------------------------------------------------------------- */

static const char *bar_of(const struct table *t)
{
    if (t->is_plain)
        return "";
    return t->style->utf8 ? "│" : "|";
}

static void rule(const struct table *t, int which)
{
    const struct strokes *s = &strokes[t->style->utf8][which];
    if (t->is_plain)
        return;
    fputs(s->left, t->stream);
    for (size_t c = 0; c < t->shown; c++) {
        fputs(c > 0 ? s->cross : "", t->stream);
        for (int i = 0; i < t->width[c] + 2; i++)
            fputs(s->line, t->stream);
    }
    fprintf(t->stream, "%s\n", s->right);
}

/* Control characters would spoil the table, or worse, reach the terminal. */
static void put_clean(FILE *stream, struct varve_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_c1 = c == 0xc2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xa0;
        if (c >= 0x20 && c != 0x7f && !is_c1)
            fputc(c, stream);
        i += is_c1;
    }
}

static void put_cell(const struct table *t, size_t column, struct varve_str text, bool right)
{
    int width = text_width(text), room = t->width[column];
    if (t->is_plain) {
        put_clean(t->stream, text);
        return;
    }
    const char *ellipsis = t->style->utf8 ? "…" : "~", *before = "", *behind = "";
    if (width > room && loses_prefix(t, column, text)) {
        width = wanted_width(t, column, text);
        text.data += t->prefix[column].size;
        text.size -= t->prefix[column].size;
        before = ellipsis;
    }
    if (width > room) {
        behind = ellipsis;
        text.size = text_fit(text, room - 1 - (before[0] ? 1 : 0));
        width = text_width(text) + 1 + (before[0] ? 1 : 0);
    }
    fprintf(t->stream, "%*s%s", right ? room - width + 1 : 1, "", before);
    put_clean(t->stream, text);
    fputs(behind, t->stream);
    fprintf(t->stream, "%*s", right ? 1 : room - width + 1, "");
}

static bool says(struct varve_str name, struct varve_str word)
{
    for (size_t i = 0; word.size > 1 && i + word.size <= name.size; i++)
        if (strncasecmp(name.data + i, word.data, word.size) == 0)
            return true;
    return false;
}

/* "usd" is unit enough for USD, "input tokens" for tokens. */
static struct varve_str unit_of(const struct table *t, size_t column)
{
    const struct varve_column_info *info = &t->rows->columns[column];
    struct varve_str unit = info->unit;
    if (unit.size > 2 && unit.data[0] == '{' && unit.data[unit.size - 1] == '}')
        unit = (struct varve_str){unit.data + 1, unit.size - 2};
    return t->style->pretty && !says(info->name, unit) ? unit : (struct varve_str){"", 0};
}

static int header_width(const struct table *t, size_t column)
{
    struct varve_str unit = unit_of(t, column);
    return text_width(t->rows->columns[column].name) + (unit.size > 0 ? 3 + text_width(unit) : 0);
}

/* NAME (UNIT), the unit dim; where that is too wide, as a cell is. */
static void put_title(const struct table *t, size_t column)
{
    struct varve_str name = t->rows->columns[column].name, unit = unit_of(t, column);
    int spare = t->width[column] - header_width(t, column);
    bool is_right = t->is_number[column], colour = t->style->colour;
    if (unit.size == 0 || spare < 0) {
        fputs(colour ? "\033[1m" : "", t->stream);
        put_cell(t, column, name, is_right);
        fputs(colour ? "\033[0m" : "", t->stream);
        return;
    }
    fprintf(t->stream, "%*s%s", is_right ? spare + 1 : 1, "", colour ? "\033[1m" : "");
    put_clean(t->stream, name);
    fputs(colour ? "\033[0m\033[2m (" : " (", t->stream);
    put_clean(t->stream, unit);
    fprintf(t->stream, ")%s%*s", colour ? "\033[0m" : "", is_right ? 1 : spare + 1, "");
}

static void put_header(const struct table *t)
{
    const char *bar = bar_of(t);
    if (t->is_plain)
        return;
    rule(t, TOP);
    for (size_t c = 0; c < t->shown; c++) {
        fputs(bar, t->stream);
        put_title(t, c);
    }
    fprintf(t->stream, "%s\n", bar);
    rule(t, MIDDLE);
}

/* ---- widths ------------------------------------------------------------------------ */

/* What each column would like to have. */
static void measure(struct table *t)
{
    size_t columns = t->rows->column_count;
    for (size_t c = 0; c < columns; c++)
        t->width[c] = header_width(t, c);
    for (size_t i = 0; i < t->kept.count; i++) {
        int width = wanted_width(t, i % columns, shown_of(t, i % columns, kept_cell(&t->kept, i)));
        if (width > t->width[i % columns])
            t->width[i % columns] = width;
    }
}

/* The beginning that all texts of a column have, up to a mark between words; nothing where all are
 * the same. */
static struct varve_str common_prefix(const struct table *t, size_t column)
{
    struct varve_str prefix = {"", 0};
    bool is_first = true, is_one = true;
    for (size_t i = column; i < t->kept.count; i += t->rows->column_count) {
        struct varve_str text = kept_cell(&t->kept, i);
        size_t n = 0;
        if (text.size == strlen(t->style->null) &&
            memcmp(text.data, t->style->null, text.size) == 0)
            continue;
        while (!is_first && n < prefix.size && n < text.size && prefix.data[n] == text.data[n])
            n++;
        is_one = is_first || (is_one && n == prefix.size && n == text.size);
        prefix = is_first ? text : (struct varve_str){prefix.data, n};
        is_first = false;
    }
    if (is_one)
        return (struct varve_str){"", 0};
    while (prefix.size > 0 && !strchr("._-/:", prefix.data[prefix.size - 1]))
        prefix.size--;
    return prefix;
}

static void tighten(struct table *t)
{
    t->is_tight = true;
    for (size_t c = 0; c < t->rows->column_count; c++)
        if (!t->is_number[c] && t->rows->columns[c].type != VARVE_CELL_TIME)
            t->prefix[c] = common_prefix(t, c);
    measure(t);
}

/* Takes from the widest texts until the table fits; false: it does not. */
static bool squeeze(struct table *t, int least)
{
    int total = 1;
    for (size_t c = 0; c < t->shown; c++)
        total += t->width[c] + 3;
    for (; t->style->width > 0 && total > t->style->width; total--) {
        size_t widest = t->shown;
        for (size_t c = 0; c < t->shown; c++)
            if (!t->is_number[c] && t->rows->columns[c].type != VARVE_CELL_TIME &&
                t->width[c] > least && (widest == t->shown || t->width[c] > t->width[widest]))
                widest = c;
        if (widest == t->shown)
            return false;
        t->width[widest]--;
    }
    return true;
}

static void fit(struct table *t)
{
    measure(t);
    if (!t->style->pretty) {
        (void)squeeze(t, LEAST_WIDTH);
        return;
    }
    int whole = t->width[0];
    if (squeeze(t, t->shown == 1 ? whole : READABLE_WIDTH))
        return;
    t->is_plain = t->shown == 1;
    if (t->is_plain)
        return;
    tighten(t);
    if (squeeze(t, LEAST_WIDTH))
        return;
    do {
        t->shown--;
        measure(t);
    } while (!squeeze(t, READABLE_WIDTH) && t->shown > 1);
}

/* The names of what is left out, as many as fit into the line. */
static void put_rest(const struct table *t)
{
    static const char hint[] = "; .width 0 shows all";
    size_t columns = t->rows->column_count, rest = columns - t->shown;
    const char *dim = t->style->colour ? "\033[2m" : "", *plain = t->style->colour ? "\033[0m" : "";
    int room = t->style->width - (int)strlen(hint);
    if (rest == 0)
        return;
    room -= fprintf(t->stream, "%s... %zu column%s more", dim, rest, rest == 1 ? "" : "s");
    for (size_t c = t->shown; c < columns; c++) {
        struct varve_str name = t->rows->columns[c].name;
        room -= text_width(name) + 2;
        if (room < (c + 1 < columns ? 5 : 0)) {
            fputs(c > t->shown ? ", ..." : "", t->stream);
            break;
        }
        fputs(c > t->shown ? ", " : ": ", t->stream);
        put_clean(t->stream, name);
    }
    fprintf(t->stream, "%s%s\n", hint, plain);
}

/* ---- the rows ------------------------------------------------------------------------ */

static void put_row(const struct table *t, const struct varve_cell *cells)
{
    char text[CELL_TEXT];
    const char *bar = bar_of(t);
    for (size_t c = 0; c < t->shown; c++) {
        fputs(bar, t->stream);
        put_cell(t, c, shown_of(t, c, cell_shown(t->style, &t->rows->columns[c], &cells[c], text)),
                 cell_is_number(&cells[c]) || t->is_number[c]);
    }
    fprintf(t->stream, "%s\n", bar);
}

static void put_kept(const struct table *t)
{
    const char *bar = bar_of(t);
    size_t columns = t->rows->column_count;
    for (size_t row = 0; row < t->kept.count; row += columns) {
        for (size_t c = 0; c < t->shown; c++) {
            fputs(bar, t->stream);
            put_cell(t, c, shown_of(t, c, kept_cell(&t->kept, row + c)), t->is_number[c]);
        }
        fprintf(t->stream, "%s\n", bar);
    }
}

/* A column is one of numbers if its first value that is not NULL is a number. */
static void keep_row(struct table *t, const struct varve_cell *cells, bool *is_known)
{
    char text[CELL_TEXT];
    for (size_t c = 0; c < t->rows->column_count; c++) {
        if (!is_known[c] && cells[c].type != VARVE_CELL_NULL) {
            is_known[c] = true;
            t->is_number[c] = cell_is_number(&cells[c]);
        }
        struct varve_str shown = cell_shown(t->style, &t->rows->columns[c], &cells[c], text);
        if (cells[c].type != VARVE_CELL_TIME || !is_midnight(shown))
            t->is_day[c] = false;
        t->failed |= !keep(&t->kept, shown);
    }
}

static void begin(struct table *t)
{
    fit(t);
    put_header(t);
    put_kept(t);
}

static enum varve_status draw(struct table *t, bool *is_known, struct varve_err *err)
{
    const struct varve_cell *cells;
    size_t count;
    uint64_t number = 0;
    enum varve_status status;
    while ((status = t->rows->next(t->rows->context, &cells, &count, err)) == VARVE_OK) {
        for (size_t i = 0; i < count && !ferror(t->stream) && !t->failed; i++, number++) {
            const struct varve_cell *row = cells + i * t->rows->column_count;
            if (number == KEPT_ROWS)
                begin(t);
            if (number < KEPT_ROWS)
                keep_row(t, row, is_known);
            else
                put_row(t, row);
        }
    }
    if (status != VARVE_DONE)
        return status;
    if (number <= KEPT_ROWS)
        begin(t);
    rule(t, BOTTOM);
    put_rest(t);
    return VARVE_OK;
}

enum varve_status
write_table(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err)
{
    struct table t = {.stream = stream, .style = style, .rows = rows, .shown = rows->column_count};
    const struct varve_cell *cells;
    size_t count = rows->column_count;
    if (count == 0) {
        enum varve_status none;
        while ((none = rows->next(rows->context, &cells, &count, err)) == VARVE_OK)
            ;
        return none == VARVE_DONE ? VARVE_OK : none;
    }
    bool *is_known = calloc(count, sizeof *is_known);
    t.width = calloc(count, sizeof *t.width);
    t.prefix = calloc(count, sizeof *t.prefix);
    t.is_number = calloc(count, sizeof *t.is_number);
    t.is_day = calloc(count, sizeof *t.is_day);
    t.failed = !is_known || !t.width || !t.prefix || !t.is_number || !t.is_day;
    for (size_t c = 0; c < count && !t.failed; c++)
        t.is_day[c] = rows->columns[c].is_key && style->pretty;
    enum varve_status status = t.failed ? VARVE_NOMEM : draw(&t, is_known, err);
    if (t.failed && err) {
        *err = (struct varve_err){.status = VARVE_NOMEM, .message = "out of memory"};
        status = VARVE_NOMEM;
    }
    free(t.kept.bytes);
    free(t.kept.cells);
    free(is_known);
    free(t.width);
    free(t.prefix);
    free(t.is_number);
    free(t.is_day);
    return status;
}
