/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.h -- memory that is freed together.
 *
 * A bump allocator over chunks that never move, so pointers stay good until
 * arena_clear or arena_free.  A chunk is at least `chunk` bytes.
 * arena_clear keeps a single chunk for the next round, and gives several back for one as large as
 * all of them, so that a round that is repeated settles on one.  A zeroed struct arena
 * with mem set is not valid: call arena_init.  The allocator must align as
 * malloc does.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "mem.h"

struct arena_chunk;
struct arena {
    struct mem *mem;
    struct arena_chunk *chunks; /* the one in use first */
    size_t used, size;          /* of the chunk in use */
    size_t chunk;               /* how large a new chunk is at least */
};

void arena_init(struct arena *arena, struct mem *mem, size_t chunk);
void *arena_alloc(struct arena *arena, size_t size); /* aligned to 16; NULL: no memory */
void *arena_zalloc(struct arena *arena, size_t size);
/* A copy of the bytes; aligned to 1, so that texts lie close.  size 0 gives a valid pointer. */
char *arena_copy(struct arena *arena, const void *bytes, size_t size);
void arena_clear(struct arena *arena);
void arena_free(struct arena *arena);

#endif
