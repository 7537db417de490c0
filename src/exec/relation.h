/* SPDX-License-Identifier: Apache-2.0
 *
 * relation.h -- rows kept in memory: cells in row order, texts copied once each.
 *
 * Used where all rows have to be seen before the first can be given on.  A relation owns its
 * cells and texts; rows are numbered in the order in which they were added, and relation_sort
 * changes that order.  A cell may also hold a text of somebody else that lives longer.
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
    bool is_view;        /* cells are somebody else's */
    struct arena texts;
    uint64_t text_bytes;        /* in texts */
    struct value *recent;       /* texts copied lately, not to copy them again */
    struct vector *out_vectors; /* what relation_batch points into */
    struct value *out_cells;
    uint32_t out_rows; /* for how many there is room */
    /* Asked now and then while rows are sorted; NULL: never. */
    enum varve_status (*check)(void *context, struct varve_err *err);
    void *check_context;
};

void relation_init(struct relation *relation, struct mem *mem, uint32_t columns);
void relation_free(struct relation *relation); /* an all-zero one is fine */
void relation_clear(struct relation *relation);
/* The same rows once more, so that several can read them at a time, each batch by batch.  `of` must
 * outlive the view and not change. */
void relation_view(struct relation *view, struct mem *mem, const struct relation *of);
/* All rows from `rows` on go; texts are kept. */
void relation_cut(struct relation *relation, uint64_t rows);
uint64_t relation_bytes(const struct relation *relation);

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

/* How rows are sorted: by the given columns, then by all from the left, ascending; NULL last in
 * either direction.  Rows that are the same in all that counts go by the types of their values, so
 * that the order never depends on how they came. */
struct row_order {
    const uint32_t *by;
    const bool *descending; /* NULL: none is */
    uint32_t count, columns;
};
int row_compare(const struct row_order *order, const struct value *a, const struct value *b);
/* Whether two rows have the same values in `count` columns; NULL is the same as NULL. */
bool row_equal(const struct value *a, const struct value *b, uint32_t count);

/* By the order above. */
enum varve_status
relation_sort(struct relation *relation, const uint32_t *by, const bool *descending, uint32_t count,
              struct varve_err *err) VARVE_CHECKED;

/* Rows [from, from + 1024) as a batch; VARVE_DONE behind the last. */
enum varve_status relation_batch(struct relation *relation, uint64_t from, struct batch *batch,
                                 struct varve_err *err) VARVE_CHECKED;

#endif
