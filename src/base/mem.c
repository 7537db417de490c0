/* SPDX-License-Identifier: Apache-2.0
 *
 * mem.c -- the caller's allocator with an exact count and a cap.
 *
 * Bytes are taken from the cap before the allocator is asked and given back
 * when it has nothing, so the sum of what several threads hold never exceeds
 * the cap, not even for a moment.
 *
 * Invariant: `used` is the sum of the sizes of all live allocations.
 */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *system_resize(void *context, void *pointer, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(pointer);
        return NULL;
    }
    return realloc(pointer, new_size);
}

void mem_init(struct mem *mem, const struct varve_allocator *allocator, size_t cap)
{
    if (allocator && allocator->resize)
        mem->allocator = *allocator;
    else
        mem->allocator = (struct varve_allocator){system_resize, NULL};
    mem->cap = cap;
    atomic_init(&mem->used, 0);
    atomic_init(&mem->peak, 0);
    atomic_init(&mem->was_refused, false);
}

static int take(struct mem *mem, size_t size)
{
    size_t most = mem->cap ? mem->cap : PTRDIFF_MAX;
    size_t used = atomic_load_explicit(&mem->used, memory_order_relaxed);
    do {
        if (used > most || size > most - used) {
            atomic_store_explicit(&mem->was_refused, true, memory_order_relaxed);
            return 0;
        }
    } while (!atomic_compare_exchange_weak_explicit(&mem->used, &used, used + size,
                                                    memory_order_relaxed, memory_order_relaxed));
    size_t peak = atomic_load_explicit(&mem->peak, memory_order_relaxed);
    while (peak < used + size &&
           !atomic_compare_exchange_weak_explicit(&mem->peak, &peak, used + size,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
    return 1;
}

static void give_back(struct mem *mem, size_t size)
{
    atomic_fetch_sub_explicit(&mem->used, size, memory_order_relaxed);
}

void *mem_alloc(struct mem *mem, size_t size)
{
    return mem_resize(mem, NULL, 0, size);
}

void *mem_zalloc(struct mem *mem, size_t size)
{
    void *pointer = mem_resize(mem, NULL, 0, size);
    return pointer ? memset(pointer, 0, size) : NULL;
}

void *mem_resize(struct mem *mem, void *pointer, size_t old_size, size_t new_size)
{
    if (!pointer)
        old_size = 0;
    if (new_size == 0) {
        mem_free(mem, pointer, old_size);
        return NULL;
    }
    if (new_size > old_size && !take(mem, new_size - old_size))
        return NULL;
    void *resized = mem->allocator.resize(mem->allocator.context, pointer, old_size, new_size);
    if (!resized && new_size > old_size)
        give_back(mem, new_size - old_size);
    if (resized && new_size < old_size)
        give_back(mem, old_size - new_size);
    return resized;
}

void mem_free(struct mem *mem, void *pointer, size_t size)
{
    if (!pointer)
        return;
    mem->allocator.resize(mem->allocator.context, pointer, size, 0);
    give_back(mem, size);
}

size_t mem_array(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? 0 : bytes;
}

enum varve_status mem_grow(struct mem *mem, void **pointer, size_t *capacity, size_t need,
                           size_t size, struct varve_err *err)
{
    if (need <= *capacity)
        return VARVE_OK;
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < need && wanted <= SIZE_MAX / 2)
        wanted *= 2;
    if (wanted < need)
        wanted = need;
    size_t bytes = mem_array(wanted, size);
    void *grown = bytes ? mem_resize(mem, *pointer, *capacity * size, bytes) : NULL;
    if (!grown)
        return fail_nomem(err, bytes ? bytes : SIZE_MAX);
    *pointer = grown;
    *capacity = wanted;
    return VARVE_OK;
}
