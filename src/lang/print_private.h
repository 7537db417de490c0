/* SPDX-License-Identifier: Apache-2.0
 *
 * print_private.h -- what the two halves of the printer share.
 */
#ifndef LANG_PRINT_PRIVATE_H
#define LANG_PRINT_PRIVATE_H

#include "lang/print.h"

void print_text(struct buf *out, const char *text);
void print_string(struct buf *out, struct varve_str s);  /* 'it''s' */
void print_name(struct buf *out, struct varve_str name); /* in double quotes where it has to be */
void print_int(struct buf *out, int64_t value);
void print_when(struct buf *out, const struct when *when);
/* Where a BETWEEN clause may follow. */
void print_bare_expr(struct buf *out, const struct expr *expr);

#endif
