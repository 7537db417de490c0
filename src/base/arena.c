/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.c -- a bump allocator over a list of chunks.
 *
 * The first chunk of the list is the one in use.  A request that is large for
 * a chunk gets one of its own, put second, so that what is left of the first is not
 * wasted.  New chunks double up to 1 MiB: an arena that is filled and cleared
 * again and again ends with one chunk that holds a whole round.
 */
#include "base/arena.h"

#include <string.h>

enum { ALIGNMENT = 16, GROW_UNTIL = 1 << 20 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    _Alignas(ALIGNMENT) unsigned char data[];
};

void arena_init(struct arena *arena, struct mem *mem, size_t chunk)
{
    *arena = (struct arena){.mem = mem, .chunk = chunk < 256 ? 256 : chunk};
}

static struct arena_chunk *chunk_new(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct arena_chunk))
        return NULL;
    struct arena_chunk *chunk = mem_alloc(arena->mem, sizeof *chunk + size);
    if (chunk)
        chunk->size = size;
    return chunk;
}

static void chunk_free(struct arena *arena, struct arena_chunk *chunk)
{
    mem_free(arena->mem, chunk, sizeof *chunk + chunk->size);
}

static void *alloc_own_chunk(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = chunk_new(arena, size);
    if (!chunk)
        return NULL;
    chunk->next = arena->chunks->next;
    arena->chunks->next = chunk;
    return chunk->data;
}

static void *alloc_new_chunk(struct arena *arena, size_t size)
{
    size_t wanted = arena->size < GROW_UNTIL / 2 ? arena->size * 2 : GROW_UNTIL;
    if (wanted < arena->chunk)
        wanted = arena->chunk;
    if (arena->chunks && size > wanted / 4)
        return alloc_own_chunk(arena, size);
    struct arena_chunk *chunk = chunk_new(arena, wanted < size ? size : wanted);
    if (!chunk)
        return NULL;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->size = chunk->size;
    arena->used = size;
    return chunk->data;
}

static void *alloc_aligned(struct arena *arena, size_t size, size_t alignment)
{
    size_t start = (arena->used + alignment - 1) & ~(alignment - 1);
    if (!arena->chunks || start > arena->size || size > arena->size - start)
        return alloc_new_chunk(arena, size);
    arena->used = start + size;
    return arena->chunks->data + start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return alloc_aligned(arena, size, ALIGNMENT);
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    void *pointer = arena_alloc(arena, size);
    return pointer ? memset(pointer, 0, size) : NULL;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    char *copy = alloc_aligned(arena, size, 1);
    if (copy && size)
        memcpy(copy, bytes, size);
    return copy;
}

void arena_clear(struct arena *arena)
{
    arena->used = 0;
    if (!arena->chunks || !arena->chunks->next)
        return;
    size_t total = 0;
    for (struct arena_chunk *c = arena->chunks, *next; c; c = next) {
        next = c->next;
        total += c->size;
        chunk_free(arena, c);
    }
    arena->chunks = NULL;
    arena->size = 0;
    if (total > arena->chunk)
        arena->chunk = total;
}

void arena_free(struct arena *arena)
{
    for (struct arena_chunk *c = arena->chunks, *next; c; c = next) {
        next = c->next;
        chunk_free(arena, c);
    }
    arena->chunks = NULL;
    arena->size = arena->used = 0;
}
