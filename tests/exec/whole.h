/* SPDX-License-Identifier: Apache-2.0
 *
 * whole.h -- a statement from its text to its rows, over a small store whose names are those of the
 * made-up schema.
 */
#ifndef TESTS_EXEC_WHOLE_H
#define TESTS_EXEC_WHOLE_H

#include "small_store.h"

struct whole_options {
    int64_t now;
    struct exec_options run;
    const struct varve_allocator *allocator; /* of the run alone; NULL: the C library's */
};

/* *rows is made with `mem` and is to be freed, also after a failure, which message tells of. */
enum varve_status
whole_run(struct small_store *small, const struct whole_options *options, const char *text,
          struct mem *mem, struct relation *rows, char message[600]);

#endif
