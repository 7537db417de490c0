/* SPDX-License-Identifier: Apache-2.0
 *
 * chart_pen.h -- writes lines of a picture: columns, colours, no spaces at the end.
 */
#ifndef SHELL_CHART_PEN_H
#define SHELL_CHART_PEN_H

#include <stdbool.h>
#include <stdio.h>
#include "varve.h"

enum { PEN_SERIES = 8, PEN_SHADES = 5 };

enum pen_colour {
    PEN_PLAIN,
    PEN_DIM,
    PEN_BOLD,
    PEN_FIRST_SERIES,
    PEN_FIRST_SHADE = PEN_FIRST_SERIES + PEN_SERIES,
    PEN_COLOURS = PEN_FIRST_SHADE + PEN_SHADES
};

struct pen {
    FILE *stream;
    bool colour, utf8;
    int column;            /* where the next character goes */
    int spaces;            /* in front of it, not yet written */
    enum pen_colour ink;   /* asked for */
    enum pen_colour shown; /* what the terminal has been told */
};

void pen_ink(struct pen *pen, enum pen_colour colour);
/* A text of ours: what it is in UTF-8 and what stands for it in ASCII, both `width` columns. */
void pen_mark(struct pen *pen, const char *utf8, const char *ascii, int width);
void pen_ascii(struct pen *pen, const char *text);
void pen_space(struct pen *pen, int count);
/* Spaces up to a column; nothing if it has passed. */
void pen_to(struct pen *pen, int column);
/* ASCII that ends in front of a column. */
void pen_right(struct pen *pen, int column, const char *text);
/* A text of the data in at most so many columns: without control characters, cut where it is too
 * long. */
void pen_data(struct pen *pen, struct varve_str text, int most);
void pen_line_end(struct pen *pen);

#endif
