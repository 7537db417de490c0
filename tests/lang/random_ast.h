/* SPDX-License-Identifier: Apache-2.0
 *
 * random_ast.h -- statements that nobody wrote: trees that the parser could have made.
 */
#ifndef TESTS_LANG_RANDOM_AST_H
#define TESTS_LANG_RANDOM_AST_H

#include "base/arena.h"
#include "lang/ast.h"

struct random_ast {
    uint64_t state;
    struct arena *arena;
};

/* NULL: no memory. */
struct statement *random_statement(struct random_ast *random);
uint64_t random_next(struct random_ast *random);

#endif
