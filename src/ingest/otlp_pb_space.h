/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_space.h -- where one block of a body is unpacked: an arena with a cap, as protobuf-c
 * wants it.
 *
 * It differs from base/arena.h in its cap, in telling the cap from the end of all memory,
 * and in keeping little between bodies.
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

void space_init(struct space *space, struct mem *mem, size_t cap);
void *space_alloc(struct space *space, size_t size); /* aligned to 8; NULL: `over` or `nomem` */
void space_clear(struct space *space);
void space_free(struct space *space);
/* protobuf-c's view of it. */
struct ProtobufCAllocator space_allocator(struct space *space);

#endif
