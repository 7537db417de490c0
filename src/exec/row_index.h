/* SPDX-License-Identifier: Apache-2.0
 *
 * row_index.h -- finds the row of a relation that has a key in some columns beside each other.
 *
 * Keys are equal as value_compare has it, and NULL is equal to NULL.  The relation may grow, but
 * must not be sorted or moved while the index is in use.
 */
#ifndef EXEC_ROW_INDEX_H
#define EXEC_ROW_INDEX_H

#include "exec/relation.h"

#define NO_ROW UINT64_MAX

struct row_slot {
    uint32_t hash, row; /* row + 1; 0: empty */
};
struct row_index {
    const struct relation *relation;
    struct mem *mem;
    uint32_t first, count;  /* the columns of the key */
    struct row_slot *slots; /* open addressing, linear probing, load at most 3/4 */
    size_t capacity, used;  /* capacity: 0 or a power of two */
};

void row_index_init(struct row_index *index, struct mem *mem, const struct relation *relation,
                    uint32_t first, uint32_t count);
void row_index_free(struct row_index *index); /* an all-zero one is fine */
/* The row that has these values, `count` of them, or NO_ROW. */
uint64_t row_index_find(const struct row_index *index, const struct value *key);
/* Adds a row of the relation whose key is not there yet. */
enum varve_status
row_index_add(struct row_index *index, uint64_t row, struct varve_err *err) VARVE_CHECKED;
/* Adds all rows; of those with the same key the first. */
enum varve_status row_index_add_all(struct row_index *index, struct varve_err *err) VARVE_CHECKED;

#endif
