/* SPDX-License-Identifier: Apache-2.0
 *
 * intern.h -- texts as small numbers, each text once.
 *
 * Ids count from 0 in order of first appearance; id 0 is always the empty
 * text.  Texts live in the arena until intern_clear.
 */
#ifndef STORE_INTERN_H
#define STORE_INTERN_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/str.h"

struct interned {
    struct varve_str text;
    struct h128 hash;
};
struct intern {
    struct mem *mem;
    struct arena arena;
    struct hash_table table;
    struct interned *items;
    size_t count, capacity;
    uint64_t seed;
};

enum varve_status intern_init(struct intern *intern, struct mem *mem, uint64_t seed,
                              struct varve_err *err) VARVE_CHECKED;
void intern_free(struct intern *intern);
enum varve_status
intern_clear(struct intern *intern, struct varve_err *err) VARVE_CHECKED; /* only "" is left */
enum varve_status intern_put(struct intern *intern, struct varve_str text, uint32_t *id,
                             struct varve_err *err) VARVE_CHECKED;
/* The same for a text whose hash (by this seed) is known. */
enum varve_status intern_put_hash(struct intern *intern, struct varve_str text, struct h128 hash,
                                  uint32_t *id, struct varve_err *err) VARVE_CHECKED;
/* The id of a text, or HASH_NONE. */
uint32_t intern_find(const struct intern *intern, struct varve_str text);
static inline struct varve_str intern_text(const struct intern *intern, uint32_t id)
{
    return intern->items[id].text;
}

/* A number below INTERN_SLOTS from a few bytes of a name: where what was seen of it last is kept.
 * */
enum { INTERN_SLOTS = 256 };
static inline size_t intern_slot(struct varve_str name)
{
    const unsigned char *p = (const unsigned char *)name.data;
    uint32_t mix = (uint32_t)name.size;
    if (name.size >= 4)
        mix += load32(p) ^ load32(p + name.size - 4) * 0x85ebca6bu;
    else if (name.size)
        mix += p[0] | (uint32_t)p[name.size - 1] << 8;
    return (mix * 0x9e3779b1u) >> 24;
}

#endif
