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

#endif
