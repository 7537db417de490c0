/* SPDX-License-Identifier: Apache-2.0
 *
 * wrapped.h -- where on the terminal a line lies that is wider than it.
 */
#ifndef SHELL_WRAPPED_H
#define SHELL_WRAPPED_H

#include <stddef.h>
#include <wchar.h>

/* How many rows the end of a text is below its beginning, now that the terminal has `width` columns
 * and has broken anew what was drawn when it had `old_width`.  It began behind a prompt of so many
 * columns.  The first `redrawn` characters were drawn in one go, the others as they were typed. */
int wrapped_rows(const wchar_t *text, size_t size, int prompt, size_t redrawn, int old_width,
                 int width);

#endif
