/* SPDX-License-Identifier: Apache-2.0
 *
 * parse.h -- text to tree: a recursive-descent parser, expressions by a table of binding powers.
 *
 * Clauses of a SELECT come in any order, each at most once.  Nesting is bounded
 * by PARSE_DEPTH and the text by PARSE_BYTES, so no text takes more than linear time or overflows
 * the stack.  A statement that ends too early is VARVE_INCOMPLETE: a shell asks for more.
 */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H

#include "lang/ast.h"

#define PARSE_DEPTH 64   /* of parentheses, calls and queries inside each other */
#define PARSE_HEIGHT 400 /* of the tree of an expression: a + b + c is one of height 3 */
#define PARSE_BYTES (1u << 20)

/* One statement, with or without a semicolon behind it; anything after that is an error.
 * VARVE_INVALID, VARVE_INCOMPLETE, VARVE_LIMIT with *error; VARVE_NOMEM. */
enum varve_status
parse_statement(const char *text, size_t size, struct arena *arena, struct statement **statement,
                struct lang_error *error) VARVE_CHECKED;
/* Whether the text begins with a word of VQL (PROMQL is one), or is PromQL.  parse_statement
 * takes both. */
bool parse_is_vql(const char *text, size_t size);

#endif
