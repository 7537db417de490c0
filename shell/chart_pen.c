/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_pen.c -- writes lines of a picture.
 *
 * Spaces are only counted, and are written when something follows them; so no line ends in one.
 * Escape sequences are written when a character needs another colour than the last one had, so
 * none are wasted on spaces.  Without colour there are none at all.
 */
#include "chart_pen.h"

#include <string.h>

#include "cell.h"

static const char *const codes[PEN_COLOURS] = {
    "",         "2",       "1",                                               /* plain, dim, bold */
    "36",       "33",      "35",      "32",      "34",      "31", "96", "93", /* series */
    "38;5;238", "38;5;22", "38;5;28", "38;5;34", "38;5;46",                   /* shades */
};

void pen_ink(struct pen *pen, enum pen_colour colour)
{
    pen->ink = colour;
}

static void show(struct pen *pen, enum pen_colour colour)
{
    if (!pen->colour || pen->shown == colour)
        return;
    if (pen->shown != PEN_PLAIN)
        fputs("\033[0m", pen->stream);
    if (colour != PEN_PLAIN)
        fprintf(pen->stream, "\033[%sm", codes[colour]);
    pen->shown = colour;
}

/* Makes ready for a character. */
static void flush(struct pen *pen)
{
    if (pen->spaces > 0) {
        show(pen, PEN_PLAIN);
        fprintf(pen->stream, "%*s", pen->spaces, "");
        pen->spaces = 0;
    }
    show(pen, pen->ink);
}

void pen_space(struct pen *pen, int count)
{
    if (count > 0) {
        pen->spaces += count;
        pen->column += count;
    }
}

void pen_to(struct pen *pen, int column)
{
    pen_space(pen, column - pen->column);
}

void pen_mark(struct pen *pen, const char *utf8, const char *ascii, int width)
{
    const char *text = pen->utf8 ? utf8 : ascii;
    if (text[0] == ' ' && text[1] == '\0') {
        pen_space(pen, 1);
        return;
    }
    flush(pen);
    fputs(text, pen->stream);
    pen->column += width;
}

void pen_ascii(struct pen *pen, const char *text)
{
    for (; *text; text++) {
        if (*text == ' ') {
            pen_space(pen, 1);
            continue;
        }
        flush(pen);
        fputc(*text, pen->stream);
        pen->column++;
    }
}

void pen_right(struct pen *pen, int column, const char *text)
{
    pen_to(pen, column - (int)strlen(text));
    pen_ascii(pen, text);
}

/* How many bytes of a control character stand there; 0: none. */
static size_t control_at(struct varve_str text, size_t at)
{
    unsigned char c = (unsigned char)text.data[at];
    if (c < 0x20 || c == 0x7f)
        return 1;
    bool is_c1 = c == 0xc2 && at + 1 < text.size && (unsigned char)text.data[at + 1] < 0xa0;
    return is_c1 ? 2 : 0;
}

void pen_data(struct pen *pen, struct varve_str text, int most)
{
    int width = text_width(text);
    bool is_cut = width > most;
    if (most <= 0)
        return;
    if (is_cut) {
        text.size = text_fit(text, most - 1);
        width = text_width(text);
    }
    for (size_t at = 0, skip; at < text.size; at += skip ? skip : 1) {
        skip = control_at(text, at);
        if (skip)
            continue;
        if (text.data[at] == ' ') {
            pen->spaces++;
        } else {
            flush(pen);
            fputc(text.data[at], pen->stream);
        }
    }
    pen->column += width;
    if (is_cut)
        pen_mark(pen, "…", "~", 1);
}

void pen_line_end(struct pen *pen)
{
    show(pen, PEN_PLAIN);
    fputc('\n', pen->stream);
    pen->ink = PEN_PLAIN;
    pen->column = pen->spaces = 0;
}
