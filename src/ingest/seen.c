/* SPDX-License-Identifier: Apache-2.0
 *
 * seen.c -- a set of 64-bit hashes that only grows.
 *
 * Open addressing with linear probing.  A hash belongs at its place in proportion: hash / 2^64 of
 * the way through the table, so the table may have any size, and grows by a quarter when it is
 * seven eighths full, instead of doubling.  It is asked only for what is new to a batch, so long
 * probes cost nothing that shows.
 *
 * The hash 0 stands for a free slot and is counted as if it were 1.
 */
#include "ingest/seen.h"

#include "base/hash.h"

enum { FIRST_SLOTS = 256 };

void seen_init(struct seen *seen, struct mem *mem)
{
    *seen = (struct seen){.mem = mem};
}

void seen_free(struct seen *seen)
{
    mem_free(seen->mem, seen->slots, seen->capacity * sizeof *seen->slots);
    seen_init(seen, seen->mem);
}

static size_t place_of(size_t capacity, uint64_t hash)
{
    return (size_t)((hash_wide)hash * capacity >> 64);
}

/* The slot where the hash is, or would be. */
static size_t slot_of(const uint64_t *slots, size_t capacity, uint64_t hash)
{
    size_t at = place_of(capacity, hash);
    while (slots[at] != 0 && slots[at] != hash)
        at = at + 1 == capacity ? 0 : at + 1;
    return at;
}

static enum varve_status grow(struct seen *seen, struct varve_err *err)
{
    size_t capacity = seen->capacity ? seen->capacity + seen->capacity / 4 : FIRST_SLOTS;
    size_t size = mem_array(capacity, sizeof *seen->slots);
    uint64_t *slots = mem_zalloc(seen->mem, size);
    if (!slots)
        return fail_nomem(err, size);
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->slots[i])
            slots[slot_of(slots, capacity, seen->slots[i])] = seen->slots[i];
    mem_free(seen->mem, seen->slots, seen->capacity * sizeof *seen->slots);
    seen->slots = slots;
    seen->capacity = capacity;
    return VARVE_OK;
}

void seen_ahead(const struct seen *seen, uint64_t hash)
{
    if (seen->capacity)
        __builtin_prefetch(&seen->slots[place_of(seen->capacity, hash)], 1);
}

enum varve_status seen_add(struct seen *seen, uint64_t hash, struct varve_err *err)
{
    hash += hash == 0;
    if (seen->count >= seen->capacity - seen->capacity / 8)
        TRY(grow(seen, err));
    size_t at = slot_of(seen->slots, seen->capacity, hash);
    seen->count += seen->slots[at] == 0;
    seen->slots[at] = hash;
    return VARVE_OK;
}
