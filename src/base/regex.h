/* SPDX-License-Identifier: Apache-2.0
 *
 * regex.h -- patterns that a whole text has to match, as PromQL has them.
 *
 * Patterns without special characters, sets of them (a|b|c), prefixes (a.*) and "anything" are
 * answered without a regex engine; the rest by PCRE2 with its own memory from `mem` and limits on
 * matching, depth and heap.  What RE2 refuses (look-around, back-references, possessive
 * quantifiers, ...) is refused, so that a pattern means the same everywhere.
 *
 * A pattern that reaches a limit is an error, never a wrong answer.
 */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <stdbool.h>
#include "base/arena.h"

struct regex;

/* The pattern is copied.  dot_all: . matches a line feed too (PromQL 3).  VARVE_INVALID: the
 * message says what and at which byte. */
enum varve_status regex_new(struct mem *mem, struct varve_str pattern, bool dot_all,
                            struct regex **regex, struct varve_err *err) VARVE_CHECKED;
void regex_free(struct regex *regex); /* NULL is fine */
/* VARVE_LIMIT: the pattern takes too long on this text. */
enum varve_status regex_match(struct regex *regex, struct varve_str text, bool *matches,
                              struct varve_err *err) VARVE_CHECKED;

#endif
