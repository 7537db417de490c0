/* SPDX-License-Identifier: Apache-2.0
 *
 * kept.h -- the last result, kept so that it can be shown again in another mode.
 */
#ifndef SHELL_KEPT_H
#define SHELL_KEPT_H

#include "output.h"

struct kept_block; /* texts */

struct kept {
    struct varve_column_info *columns;
    size_t column_count;
    struct varve_cell *cells;
    size_t count, capacity; /* cells */
    struct kept_block *blocks;
    size_t bytes;       /* of all of it */
    struct rows source; /* while it is being filled */
    size_t shown;       /* cells, while it is shown again */
    bool is_there;      /* there is one, all of it */
    bool is_too_large;  /* there was one, but it is more than is kept */
};

/* Rows that are those of `from`, and are kept as they pass.  What was kept before is gone. */
struct rows kept_record(struct kept *kept, const struct rows *from);
/* The kept rows, from the first. */
struct rows kept_rows(struct kept *kept);
void kept_clear(struct kept *kept);

#endif
