/* SPDX-License-Identifier: Apache-2.0
 *
 * cell.c -- one value as text.
 *
 * Readable numbers keep what matters: money two digits below one unit and more where the
 * amount is small, floats four significant digits behind a rounded point, counts all
 * digits.  Nothing here is used for what a program reads.
 */
#include "cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define NANO INT64_C(1000000000)

bool cell_is_number(const struct varve_cell *cell)
{
    return cell->type == VARVE_CELL_INT || cell->type == VARVE_CELL_NANO ||
           cell->type == VARVE_CELL_FLOAT || cell->type == VARVE_CELL_DURATION;
}

size_t cell_exact(const struct varve_cell *cell, char text[CELL_TEXT])
{
    struct varve_cell seconds = *cell;
    text[0] = '\0';
    if (cell->type == VARVE_CELL_NULL)
        return 0;
    if (cell->type == VARVE_CELL_DURATION) /* nanoseconds are 1e-9 of a second */
        seconds.type = VARVE_CELL_NANO;
    return varve_cell_print(&seconds, text);
}

/* ---- for people --------------------------------------------------------------- */

/* Commas between the groups of three digits before the point. */
static size_t with_commas(const char *digits, char text[CELL_TEXT])
{
    size_t sign = digits[0] == '-', n = sign, at = 0;
    while (digits[n] >= '0' && digits[n] <= '9')
        n++;
    for (size_t i = 0; digits[i] && at < CELL_TEXT - 2; i++) {
        if (i > sign && i < n && (n - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return at;
}

static size_t show_double(double value, int digits, char text[CELL_TEXT])
{
    char plain[CELL_TEXT];
    double size = fabs(value);
    if (!isfinite(value) || (size != 0 && (size >= 1e15 || size < 1e-4)))
        return (size_t)snprintf(text, CELL_TEXT, "%.5g", value);
    snprintf(plain, sizeof plain, "%.*f", digits, value);
    return with_commas(plain, text);
}

/* So many digits that small values are not shown as nothing. */
static int digits_for(double value, int usual)
{
    double size = fabs(value);
    if (size == 0 || size >= 1)
        return usual;
    return usual + (size < 0.1) + 2 * (size < 0.01);
}

static size_t show_duration(int64_t nanoseconds, char text[CELL_TEXT])
{
    struct varve_cell cell = {.type = VARVE_CELL_DURATION, .as.i = nanoseconds};
    return varve_cell_print(&cell, text);
}

/* In the style's zone.  Buckets to the minute or second, events to the millisecond. */
static size_t show_time(int64_t instant, const struct varve_column_info *column,
                        const struct style *style, char text[CELL_TEXT])
{
    struct varve_local at;
    if (!style->local) {
        struct varve_cell cell = {.type = VARVE_CELL_TIME, .as.i = instant};
        return varve_cell_print(&cell, text);
    }
    varve_zone_local(style->local, instant, &at);
    size_t size = (size_t)snprintf(text, CELL_TEXT, "%04d-%02d-%02d %02d:%02d", at.year, at.month,
                                   at.day, at.hour, at.minute);
    if (column->is_key && at.second == 0 && at.nanosecond == 0)
        return size;
    size += (size_t)snprintf(text + size, CELL_TEXT - size, ":%02d", at.second);
    if (!column->is_key || at.nanosecond > 0)
        size += (size_t)snprintf(text + size, CELL_TEXT - size, ".%03d", at.nanosecond / 1000000);
    return size;
}

static bool unit_is(const struct varve_column_info *column, const char *unit)
{
    return column->unit.size == strlen(unit) &&
           memcmp(column->unit.data, unit, column->unit.size) == 0;
}

size_t cell_pretty(const struct varve_cell *cell, const struct varve_column_info *column,
                   const struct style *style, char text[CELL_TEXT])
{
    char plain[CELL_TEXT];
    double value;
    switch (cell->type) {
    case VARVE_CELL_NULL:
        return (size_t)snprintf(text, CELL_TEXT, "%s", style->null);
    case VARVE_CELL_INT:
        cell_exact(cell, plain);
        return with_commas(plain, text);
    case VARVE_CELL_NANO:
        value = (double)cell->as.i / 1e9;
        if (cell->as.i % NANO == 0 && unit_is(column, "s"))
            return show_double(value, 0, text);
        return show_double(value, digits_for(value, 2), text);
    case VARVE_CELL_FLOAT:
        value = cell->as.f;
        return show_double(value, fabs(value) >= 1000 ? 1 : digits_for(value, 3), text);
    case VARVE_CELL_DURATION:
        return show_duration(cell->as.i, text);
    case VARVE_CELL_TIME:
        return show_time(cell->as.i, column, style, text);
    case VARVE_CELL_BOOL:
    case VARVE_CELL_TEXT:
        break;
    }
    return cell_exact(cell, text);
}

struct varve_str cell_shown(const struct style *style, const struct varve_column_info *column,
                            const struct varve_cell *cell, char text[CELL_TEXT])
{
    if (cell->type == VARVE_CELL_TEXT)
        return cell->as.s;
    if (cell->type == VARVE_CELL_NULL)
        return (struct varve_str){style->null, strlen(style->null)};
    size_t size = style->pretty ? cell_pretty(cell, column, style, text) : cell_exact(cell, text);
    return (struct varve_str){text, size};
}

/* ---- width ------------------------------------------------------------------------ */

/* The columns of the character at a place; *size: its bytes. */
static int character_width(struct varve_str text, size_t at, size_t *size)
{
    wchar_t wide;
    mbstate_t state = {0};
    unsigned char c = (unsigned char)text.data[at];
    *size = 1;
    if (c < 0x80)
        return c >= 0x20 && c != 0x7f;
    size_t n = mbrtowc(&wide, text.data + at, text.size - at, &state);
    if (n == 0 || n > 4)
        return 1;
    *size = n;
    int width = wcwidth(wide);
    return width < 0 ? 0 : width;
}

int text_width(struct varve_str text)
{
    int width = 0;
    for (size_t at = 0, size; at < text.size; at += size)
        width += character_width(text, at, &size);
    return width;
}

size_t text_fit(struct varve_str text, int columns)
{
    size_t at = 0, size;
    for (; at < text.size; at += size) {
        columns -= character_width(text, at, &size);
        if (columns < 0)
            break;
    }
    return at;
}
