/* SPDX-License-Identifier: Apache-2.0
 *
 * intern.c -- texts as small numbers, each text once.
 *
 * A text is found by its 128-bit hash alone: the seed is secret and the hash
 * wide, so equal hashes are taken to be equal texts and no bytes are compared.
 * The hash is kept beside the text because the hashes of labels and series are
 * made from it.
 *
 * Invariant: items[0] is the empty text, which is in the table like any other.
 */
#include "store/intern.h"

#include "base/err.h"

enum { TEXT_CHUNK = 4096 };

enum varve_status
intern_init(struct intern *intern, struct mem *mem, uint64_t seed, struct varve_err *err)
{
    *intern = (struct intern){.mem = mem, .seed = seed};
    arena_init(&intern->arena, mem, TEXT_CHUNK);
    hash_table_init(&intern->table, mem);
    enum varve_status status = intern_clear(intern, err);
    if (status != VARVE_OK)
        intern_free(intern);
    return status;
}

void intern_free(struct intern *intern)
{
    mem_free(intern->mem, intern->items, intern->capacity * sizeof *intern->items);
    hash_table_free(&intern->table);
    arena_free(&intern->arena);
    intern->items = NULL;
    intern->count = intern->capacity = 0;
}

enum varve_status intern_clear(struct intern *intern, struct varve_err *err)
{
    arena_clear(&intern->arena);
    hash_table_clear(&intern->table);
    intern->count = 0;
    uint32_t id;
    return intern_put(intern, STR(""), &id, err);
}

static enum varve_status add(struct intern *intern, struct varve_str text, struct h128 hash,
                             uint32_t *id, struct varve_err *err)
{
    if (intern->count >= HASH_NONE)
        return fail(err, VARVE_LIMIT, "", "more than %u different texts at once", HASH_NONE);
    if (intern->count == intern->capacity)
        TRY(mem_grow(intern->mem, (void **)&intern->items, &intern->capacity, intern->count + 1,
                     sizeof *intern->items, err));
    char *copy = arena_copy(&intern->arena, text.data, text.size);
    if (!copy)
        return fail_nomem(err, text.size);
    uint32_t next = (uint32_t)intern->count;
    TRY(hash_table_add(&intern->table, hash, next, err));
    intern->items[next] = (struct interned){{copy, text.size}, hash};
    intern->count++;
    *id = next;
    return VARVE_OK;
}

enum varve_status intern_put_hash(struct intern *intern, struct varve_str text, struct h128 hash,
                                  uint32_t *id, struct varve_err *err)
{
    uint32_t known = hash_table_get(&intern->table, hash);
    if (known == HASH_NONE)
        return add(intern, text, hash, id, err);
    *id = known;
    return VARVE_OK;
}

enum varve_status
intern_put(struct intern *intern, struct varve_str text, uint32_t *id, struct varve_err *err)
{
    struct h128 hash = hash128(text.data, text.size, intern->seed);
    return intern_put_hash(intern, text, hash, id, err);
}

uint32_t intern_find(const struct intern *intern, struct varve_str text)
{
    return hash_table_get(&intern->table, hash128(text.data, text.size, intern->seed));
}
