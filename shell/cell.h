/* SPDX-License-Identifier: Apache-2.0
 *
 * cell.h -- one value as text: exactly for programs, readably for people.
 */
#ifndef SHELL_CELL_H
#define SHELL_CELL_H

#include "output.h"

#define CELL_TEXT 96

/* Of a cell that is no TEXT: what programs read back to the same value.  Durations are seconds,
 * times RFC 3339 in UTC; NULL is empty. */
size_t cell_exact(const struct varve_cell *cell, char text[CELL_TEXT]);
/* Of a cell that is no TEXT, for people: 1,234,567 and 1,234.57, as the column's unit asks. */
size_t cell_pretty(const struct varve_cell *cell, const struct varve_column_info *column,
                   const struct style *style, char text[CELL_TEXT]);
/* Of any cell, as the style has it; a text as it is, the rest in `text`. */
struct varve_str cell_shown(const struct style *style, const struct varve_column_info *column,
                            const struct varve_cell *cell, char text[CELL_TEXT]);
/* How many columns of a terminal a text takes up; control characters take none. */
int text_width(struct varve_str text);
/* How many bytes of the text fit into so many columns. */
size_t text_fit(struct varve_str text, int columns);
bool cell_is_number(const struct varve_cell *cell);

#endif
