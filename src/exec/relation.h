/* SPDX-License-Identifier: Apache-2.0
 *
 * relation.h -- rows kept in memory: cells in row order, texts copied once each.
 *
 * Used where all rows have to be seen before the first can be given on.  A relation owns its
 * cells and texts; rows are numbered in the order in which they were added, and relation_sort
 * changes that order.
 */
#ifndef EXEC_RELATION_H
#define EXEC_RELATION_H

#include "base/arena.h"
#include "exec/vector.h"

struct relation {
    struct mem *mem;
    uint32_t columns;
    uint64_t rows, capacity;
    struct value *cells; /* rows * columns */
    struct arena texts;
    struct vector *out_vectors; /* what relation_batch points into */
    struct value *out_cells;
};

void relation_init(struct relation *relation, struct mem *mem, uint32_t columns);
void relation_free(struct relation *relation); /* an all-zero one is fine */
void relation_clear(struct relation *relation);

/* A new row of NULLs at the end; its cells, good until the next row is added.  NULL: no memory. */
struct value *relation_add(struct relation *relation, struct varve_err *err);
/* The value with its text copied, to be put into a cell. */
enum varve_status
relation_own(struct relation *relation, struct value *value, struct varve_err *err) VARVE_CHECKED;
/* All selected rows of a batch. */
enum varve_status relation_add_batch(struct relation *relation, const struct batch *batch,
                                     struct varve_err *err) VARVE_CHECKED;
static inline struct value *relation_row(const struct relation *relation, uint64_t row)
{
    return relation->cells + row * relation->columns;
}

/* By the given columns, then by all the others from the left; NULL last in either direction. */
enum varve_status
relation_sort(struct relation *relation, const uint32_t *by, const bool *descending, uint32_t count,
              struct varve_err *err) VARVE_CHECKED;

/* Rows [from, from + 1024) as a batch; VARVE_DONE behind the last. */
enum varve_status relation_batch(struct relation *relation, uint64_t from, struct batch *batch,
                                 struct varve_err *err) VARVE_CHECKED;

#endif
