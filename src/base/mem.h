/* SPDX-License-Identifier: Apache-2.0
 *
 * mem.h -- where all memory comes from: the caller's allocator, counted and capped.
 *
 * Every allocation is freed with the size it was made with, so the allocator
 * needs no headers and `used` is exact.  Crossing the cap looks like an
 * allocator that has nothing left.  A struct mem may be used by several threads.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include "err.h"

struct mem {
    struct varve_allocator allocator;
    size_t cap; /* 0: none */
    atomic_size_t used, peak;
    atomic_bool was_refused; /* the cap has refused something */
};

/* allocator NULL or with resize NULL: the C library's. */
void mem_init(struct mem *mem, const struct varve_allocator *allocator, size_t cap);
/* NULL when there is no memory, or size is 0. */
void *mem_alloc(struct mem *mem, size_t size);
void *mem_zalloc(struct mem *mem, size_t size);
void *mem_resize(struct mem *mem, void *pointer, size_t old_size, size_t new_size);
void mem_free(struct mem *mem, void *pointer, size_t size);
/* count * size, or 0 on overflow (which mem_alloc then refuses). */
size_t mem_array(size_t count, size_t size);

/* Grows *pointer (elements of `size` bytes, *capacity of them) to hold at
 * least `need`, doubling.  On VARVE_NOMEM nothing has changed. */
enum varve_status mem_grow(struct mem *mem, void **pointer, size_t *capacity, size_t need,
                           size_t size, struct varve_err *err) VARVE_CHECKED;

#endif
