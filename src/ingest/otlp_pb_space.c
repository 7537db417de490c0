/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_space.c -- a bump allocator with a cap, for what protobuf-c unpacks.
 *
 * Freeing does nothing: a block is read and then forgotten as a whole.  Chunks
 * double; what is left when a block is done is one chunk of moderate size, so a door that
 * takes one body after the other soon asks for no more memory.
 *
 * Invariant: the chunks together never hold more than `cap` bytes.
 */
#include "ingest/otlp_pb_space.h"

#include <protobuf-c/protobuf-c.h>

enum { FIRST = 256 << 10, LARGEST = 8 << 20, KEPT = 4 << 20 };

struct space_chunk {
    struct space_chunk *next;
    size_t size; /* of all of it */
};

_Static_assert(sizeof(struct space_chunk) % 8 == 0, "what follows the head is aligned");

void space_init(struct space *space, struct mem *mem, size_t cap)
{
    *space = (struct space){.mem = mem, .cap = cap, .wanted = FIRST};
}

static bool grow(struct space *space, size_t need)
{
    need += sizeof(struct space_chunk);
    size_t left = space->cap - space->total;
    if (need > left) {
        space->over = true;
        return false;
    }
    size_t size = need > space->wanted ? need : space->wanted;
    if (size > left)
        size = left;
    struct space_chunk *chunk = mem_alloc(space->mem, size);
    if (!chunk) {
        space->nomem = true;
        return false;
    }
    *chunk = (struct space_chunk){space->chunks, size};
    space->chunks = chunk;
    space->at = (uint8_t *)(chunk + 1);
    space->end = (uint8_t *)chunk + size;
    space->total += size;
    if (space->wanted < LARGEST)
        space->wanted *= 2;
    return true;
}

void *space_alloc(struct space *space, size_t size)
{
    if (size > space->cap) {
        space->over = true;
        return NULL;
    }
    size_t taken = (size + 7) & ~(size_t)7;
    if ((!space->at || taken > (size_t)(space->end - space->at)) && !grow(space, taken))
        return NULL;
    uint8_t *block = space->at;
    space->at += taken;
    return block;
}

void space_clear(struct space *space)
{
    struct space_chunk *kept = space->chunks;
    if (kept && (kept->next || kept->size > KEPT)) {
        size_t wanted = space->total < KEPT ? space->total : KEPT;
        space_free(space);
        space->wanted = wanted > FIRST ? wanted : FIRST;
        return;
    }
    space->at = kept ? (uint8_t *)(kept + 1) : NULL;
    space->over = space->nomem = false;
}

void space_free(struct space *space)
{
    for (struct space_chunk *c = space->chunks, *next; c; c = next) {
        next = c->next;
        mem_free(space->mem, c, c->size);
    }
    space_init(space, space->mem, space->cap);
}

static void *allocate(void *context, size_t size)
{
    return space_alloc(context, size);
}

static void release(void *context, void *pointer)
{
    (void)context;
    (void)pointer;
}

ProtobufCAllocator space_allocator(struct space *space)
{
    return (ProtobufCAllocator){allocate, release, space};
}
