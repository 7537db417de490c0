/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_space.h -- where one block of a body is unpacked: an arena with a cap, as protobuf-c
 * wants it.
 *
 * Each allocation lies directly behind the one before it as { size | bytes, filled up with zeros
 * to a multiple of 8 }.  The attributes of a point are unpacked one after the other,
 * so what they are can be hashed where it lies, sizes and all, at once.
 */
#ifndef INGEST_OTLP_PB_SPACE_H
#define INGEST_OTLP_PB_SPACE_H

#include <stdbool.h>
#include "base/mem.h"

struct ProtobufCAllocator;
struct space_chunk;

struct space {
    struct mem *mem;
    struct space_chunk *chunks; /* the one in use first */
    uint8_t *at, *end;          /* what is free of it */
    size_t total, cap;          /* of all chunks */
    size_t wanted;              /* how large the next chunk is at least */
    bool over, nomem;           /* why an allocation failed */
};

enum { SPACE_HEADER = 8 };

static inline size_t space_rounded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

void space_init(struct space *space, struct mem *mem, size_t cap);
void *space_alloc(struct space *space, size_t size); /* aligned to 8; NULL: `over` or `nomem` */
void space_clear(struct space *space);
void space_free(struct space *space);
/* protobuf-c's view of it. */
struct ProtobufCAllocator space_allocator(struct space *space);

#endif
