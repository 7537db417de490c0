/* SPDX-License-Identifier: Apache-2.0
 *
 * hash.h -- XXH3 with a seed, and a table from 128-bit hashes to small numbers.
 *
 * Stores choose a secret seed when they are made, so nobody who only sends
 * data can make two series collide.  128-bit hashes are taken as identity.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "mem.h"

struct h128 {
    uint64_t lo, hi;
};

__extension__ typedef unsigned __int128 hash_wide;

uint64_t hash64(const void *bytes, size_t size, uint64_t seed);
struct h128 hash128(const void *bytes, size_t size, uint64_t seed);

static inline int h128_equal(struct h128 a, struct h128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

/* Mixes two hashes into one; order matters. */
static inline struct h128 h128_pair(struct h128 a, struct h128 b)
{
    hash_wide x = (hash_wide)(a.lo ^ 0x9e3779b97f4a7c15u) * (b.lo | 1);
    hash_wide y = (hash_wide)(a.hi ^ 0xd6e8feb86659fd93u) * (b.hi | 1);
    return (struct h128){(uint64_t)x ^ (uint64_t)(x >> 64) ^ b.hi,
                         (uint64_t)y ^ (uint64_t)(y >> 64) ^ a.lo ^ b.lo};
}

/* Sums of hashes identify sets: order does not matter, and members come and go. */
static inline struct h128 h128_add(struct h128 a, struct h128 b)
{
    return (struct h128){a.lo + b.lo, a.hi + b.hi};
}

static inline struct h128 h128_sub(struct h128 a, struct h128 b)
{
    return (struct h128){a.lo - b.lo, a.hi - b.hi};
}

/* Open addressing, linear probing, load at most 3/4.  Values are < UINT32_MAX.  A slot keeps 96
 * bits of its key, which are as good as all: tables are read at random, so what counts is how much
 * of them is in the cache. */
struct hash_slot {
    uint64_t lo;
    uint32_t hi;
    uint32_t used; /* the value + 1; 0: free */
};
/* What is kept of a key. */
static inline struct h128 hash_kept(struct h128 key)
{
    return (struct h128){key.lo, (uint32_t)key.hi};
}
static inline struct h128 hash_slot_key(const struct hash_slot *slot)
{
    return (struct h128){slot->lo, slot->hi};
}

static inline uint32_t hash_slot_value(const struct hash_slot *slot)
{
    return slot->used - 1;
}

struct hash_table {
    struct mem *mem;
    struct hash_slot *slots;
    size_t capacity, count; /* capacity: 0 or a power of two */
};

#define HASH_NONE UINT32_MAX

void hash_table_init(struct hash_table *table, struct mem *mem);
void hash_table_clear(struct hash_table *table); /* empty, memory kept */
void hash_table_free(struct hash_table *table);
/* The value of a key, or HASH_NONE. */
uint32_t hash_table_get(const struct hash_table *table, struct h128 key);
/* Adds a key that is not there yet.  On VARVE_NOMEM nothing has changed. */
enum varve_status hash_table_add(struct hash_table *table, struct h128 key, uint32_t value,
                                 struct varve_err *err) VARVE_CHECKED;

#endif
