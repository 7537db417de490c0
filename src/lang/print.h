/* SPDX-License-Identifier: Apache-2.0
 *
 * print.h -- a tree as text: the canonical form of a statement.
 *
 * Keywords in capitals, clauses in a fixed order, parentheses only where they
 * change the meaning.  Parsing the text gives a tree that ast_equal says is equal.
 */
#ifndef LANG_PRINT_H
#define LANG_PRINT_H

#include "base/buf.h"
#include "lang/ast.h"

void print_statement(struct buf *out, const struct statement *statement);
void print_query(struct buf *out, const struct query *query);
void print_expr(struct buf *out, const struct expr *expr);
void print_duration(struct buf *out, int64_t nanos); /* 1h30m */
/* Equal but for places. */
bool ast_equal(const struct statement *a, const struct statement *b);

#endif
