/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_canvas.h -- a grid of dots, two across and four down in each character.
 */
#ifndef SHELL_CHART_CANVAS_H
#define SHELL_CHART_CANVAS_H

#include <stdint.h>

#include "chart_pen.h"

enum { DOTS_ACROSS = 2, DOTS_DOWN = 4 };

struct canvas {
    int columns, rows; /* of characters */
    uint8_t *dots;     /* a byte a character: the dots as braille numbers them */
    uint8_t *owner;    /* whose the character is: the last that drew there; 0: nobody's */
};

/* False: no memory. */
bool canvas_init(struct canvas *canvas, int columns, int rows);
void canvas_clear(struct canvas *canvas);
/* Dots count from the top left corner.  What lies outside is not drawn. */
void canvas_dot(struct canvas *canvas, int x, int y, int owner);
/* A point that no line leads to: four dots, to be seen. */
void canvas_spot(struct canvas *canvas, int x, int y, int owner);
void canvas_line(struct canvas *canvas, int x0, int y0, int x1, int y1, int owner);
/* One character; `letter` is what an owned one is in ASCII, or 0 for strokes after its dots.
 * False, and nothing written, if it has no dots. */
bool canvas_put(const struct canvas *canvas, struct pen *pen, int column, int row, char letter);
int canvas_owner(const struct canvas *canvas, int column, int row);

#endif
