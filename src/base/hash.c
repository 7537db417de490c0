/* SPDX-License-Identifier: Apache-2.0
 *
 * hash.c -- XXH3, and an open-addressing table whose keys are hashes already.
 *
 * The low word of the key is the place to start looking: the keys come from a
 * seeded hash, so nobody outside can choose them to collide.  There is no
 * deletion, hence no tombstones, and a run of used slots ends at the first free one.
 */
#include "base/hash.h"

#include "base/err.h"

#include <assert.h>
#include <string.h>

/* Hashing what lies in a day's telemetry is a tenth of reading it: as part of this file XXH3 takes
 * half of the time that calls into the library do, which is built for any processor. */
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash64(const void *bytes, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, size, seed);
}

struct h128 hash128(const void *bytes, size_t size, uint64_t seed)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(bytes, size, seed);
    return (struct h128){h.low64, h.high64};
}

void hash_table_init(struct hash_table *table, struct mem *mem)
{
    *table = (struct hash_table){.mem = mem};
}

void hash_table_clear(struct hash_table *table)
{
    if (table->count)
        memset(table->slots, 0, table->capacity * sizeof *table->slots);
    table->count = 0;
}

void hash_table_free(struct hash_table *table)
{
    mem_free(table->mem, table->slots, table->capacity * sizeof *table->slots);
    table->slots = NULL;
    table->capacity = table->count = 0;
}

/* The slot of the key, or the free one where it would go. */
static struct hash_slot *find(struct hash_slot *slots, size_t capacity, struct h128 key)
{
    size_t mask = capacity - 1, i = (size_t)key.lo & mask;
    while (slots[i].used && !(slots[i].lo == key.lo && slots[i].hi == (uint32_t)key.hi))
        i = (i + 1) & mask;
    return &slots[i];
}

uint32_t hash_table_get(const struct hash_table *table, struct h128 key)
{
    if (table->count == 0)
        return HASH_NONE;
    const struct hash_slot *slot = find(table->slots, table->capacity, key);
    return hash_slot_value(slot); /* of a free one HASH_NONE */
}

static enum varve_status grow(struct hash_table *table, struct varve_err *err)
{
    size_t capacity = table->capacity ? table->capacity * 2 : 16;
    size_t bytes = mem_array(capacity, sizeof *table->slots);
    struct hash_slot *slots = mem_zalloc(table->mem, bytes);
    if (!slots)
        return fail_nomem(err, bytes);
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i].used)
            *find(slots, capacity, hash_slot_key(&table->slots[i])) = table->slots[i];
    mem_free(table->mem, table->slots, table->capacity * sizeof *table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return VARVE_OK;
}

enum varve_status
hash_table_add(struct hash_table *table, struct h128 key, uint32_t value, struct varve_err *err)
{
    assert(value != HASH_NONE);
    if (table->count >= table->capacity / 4 * 3)
        TRY(grow(table, err));
    struct hash_slot *slot = find(table->slots, table->capacity, key);
    assert(!slot->used);
    *slot = (struct hash_slot){key.lo, (uint32_t)key.hi, value + 1};
    table->count++;
    return VARVE_OK;
}
