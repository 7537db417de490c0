/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_canvas.c -- a grid of dots.
 *
 * The braille characters U+2800 to U+28FF are all sets of eight dots, a bit a dot:
 *
 *     0 3
 *     1 4
 *     2 5
 *     6 7
 *
 * A character has one colour, so where lines cross it belongs to the one drawn last.  In ASCII
 * a character becomes the stroke that looks most like its dots.
 */
#include "chart_canvas.h"

#include <stdlib.h>

static const uint8_t bits[DOTS_DOWN][DOTS_ACROSS] = {
    {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

bool canvas_init(struct canvas *canvas, int columns, int rows)
{
    size_t count = (size_t)columns * (size_t)rows;
    *canvas = (struct canvas){.columns = columns, .rows = rows};
    canvas->dots = calloc(count, 1);
    canvas->owner = calloc(count, 1);
    if (canvas->dots && canvas->owner)
        return true;
    canvas_clear(canvas);
    return false;
}

void canvas_clear(struct canvas *canvas)
{
    free(canvas->dots);
    free(canvas->owner);
    *canvas = (struct canvas){0};
}

static size_t place(const struct canvas *canvas, int column, int row)
{
    return (size_t)row * (size_t)canvas->columns + (size_t)column;
}

void canvas_dot(struct canvas *canvas, int x, int y, int owner)
{
    int column = x / DOTS_ACROSS, row = y / DOTS_DOWN;
    if (x < 0 || y < 0 || column >= canvas->columns || row >= canvas->rows)
        return;
    canvas->dots[place(canvas, column, row)] |= bits[y % DOTS_DOWN][x % DOTS_ACROSS];
    canvas->owner[place(canvas, column, row)] = (uint8_t)owner;
}

void canvas_spot(struct canvas *canvas, int x, int y, int owner)
{
    int left = x - x % 2, top = y - y % 2; /* in one character */
    for (int i = 0; i < 4; i++)
        canvas_dot(canvas, left + i % 2, top + i / 2, owner);
}

/* As many dots as the longer side has, evenly along both. */
void canvas_line(struct canvas *canvas, int x0, int y0, int x1, int y1, int owner)
{
    int across = x1 - x0, down = y1 - y0;
    int steps = abs(across) > abs(down) ? abs(across) : abs(down);
    canvas_dot(canvas, x0, y0, owner);
    for (int i = 1; i <= steps; i++) {
        int half_x = across < 0 ? -steps / 2 : steps / 2;
        int half_y = down < 0 ? -steps / 2 : steps / 2;
        canvas_dot(canvas, x0 + (across * i + half_x) / steps, y0 + (down * i + half_y) / steps,
                   owner);
    }
}

int canvas_owner(const struct canvas *canvas, int column, int row)
{
    return canvas->owner[place(canvas, column, row)];
}

static char stroke(uint8_t dots)
{
    bool upper = dots & 0x1b, lower = dots & 0xe4;
    bool upper_left = dots & 0x03, upper_right = dots & 0x18;
    bool lower_left = dots & 0x44, lower_right = dots & 0xa0;
    if (dots == 0x1b || dots == 0xe4)
        return 'o';
    if (!lower)
        return dots & 0x09 ? '\'' : '-';
    if (!upper)
        return dots & 0xc0 ? '.' : '-';
    if (upper_right && lower_left && !upper_left && !lower_right)
        return '/';
    if (upper_left && lower_right && !upper_right && !lower_left)
        return '\\';
    return dots & 0xc9 ? '|' : '-'; /* only the middle: a level line */
}

bool canvas_put(const struct canvas *canvas, struct pen *pen, int column, int row, char letter)
{
    uint8_t dots = canvas->dots[place(canvas, column, row)];
    if (!dots)
        return false;
    char ascii[2] = {letter ? letter : stroke(dots), '\0'};
    char utf8[4] = {(char)0xe2, (char)(0xa0 | dots >> 6), (char)(0x80 | (dots & 0x3f)), '\0'};
    pen_mark(pen, utf8, ascii, 1);
    return true;
}
