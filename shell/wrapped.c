/* SPDX-License-Identifier: Apache-2.0
 *
 * wrapped.c -- where on the terminal a line lies that is wider than it.
 *
 * A terminal that gets another size breaks its lines anew, and nearly all do by now.  What it takes
 * for one line depends on how it was drawn: a row that was written to its last column goes on in
 * the next one, a row that was left by a newline ends.  libedit leaves a row that way when it
 * draws the whole and the row ends in blanks, which it does not write.  Where that cannot be known
 * the answer is rather too small, so that what stands above is never drawn over.
 */
#include "wrapped.h"

#include <stdbool.h>

struct wrapped {
    int old_width, width;
    int column; /* in the row as it was drawn */
    int blanks; /* at its end */
    int line;   /* cells of what the terminal takes for one line */
    int rows;   /* of the lines before it, as they lie now */
};

static void end_line(struct wrapped *w, int cells)
{
    w->rows += cells > 0 ? (cells + w->width - 1) / w->width : 1;
    w->line = w->column = w->blanks = 0;
}

/* A row is full. */
static void end_row(struct wrapped *w, bool is_redrawn)
{
    if (is_redrawn && w->blanks > 0)
        end_line(w, w->line - w->blanks);
    w->column = w->blanks = 0;
}

static int cells_of(wchar_t c, int column)
{
    int cells = wcwidth(c);
    if (c == L'\t')
        return 8 - column % 8;
    return cells < 0 ? 2 : cells; /* ^A */
}

int wrapped_rows(const wchar_t *text, size_t size, int prompt, size_t redrawn, int old_width,
                 int width)
{
    struct wrapped w = {.old_width = old_width, .width = width, .column = prompt, .line = prompt};
    if (old_width <= 0 || width <= 0)
        return 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == L'\n') {
            end_line(&w, w.line);
            continue;
        }
        int cells = cells_of(text[i], w.column);
        if (w.column + cells > old_width)
            end_row(&w, i <= redrawn);
        w.column += cells;
        w.line += cells;
        w.blanks = text[i] == L' ' ? w.blanks + 1 : 0;
    }
    if (w.column >= old_width)
        end_row(&w, size <= redrawn);
    return w.rows + w.line / width;
}
