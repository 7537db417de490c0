/* SPDX-License-Identifier: Apache-2.0
 *
 * row_index.c -- a hash table of row numbers beside a relation.
 *
 * A slot has 32 bits of the key's hash, so that the key itself is looked at only where it is
 * probably the same one.  Nothing is ever removed.
 */
#include "exec/row_index.h"

void row_index_init(struct row_index *index, struct mem *mem, const struct relation *relation,
                    uint32_t first, uint32_t count)
{
    *index = (struct row_index){.relation = relation, .mem = mem, .first = first, .count = count};
}

void row_index_free(struct row_index *index)
{
    if (index->mem)
        mem_free(index->mem, index->slots, index->capacity * sizeof *index->slots);
    *index = (struct row_index){0};
}

static uint32_t key_hash(const struct value *key, uint32_t count)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++) {
        hash = (hash ^ value_hash(key[i])) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash ^ hash >> 32);
}

/* The slot of this key, or the empty one where it would be. */
static struct row_slot *
slot_of(const struct row_index *index, uint32_t hash, const struct value *key)
{
    size_t mask = index->capacity - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        struct row_slot *slot = &index->slots[at];
        if (!slot->row)
            return slot;
        if (slot->hash == hash &&
            row_equal(relation_row(index->relation, slot->row - 1) + index->first, key,
                      index->count))
            return slot;
    }
}

uint64_t row_index_find(const struct row_index *index, const struct value *key)
{
    if (!index->used)
        return NO_ROW;
    const struct row_slot *slot = slot_of(index, key_hash(key, index->count), key);
    return slot->row ? slot->row - 1 : NO_ROW;
}

static enum varve_status grow(struct row_index *index, struct varve_err *err)
{
    size_t capacity = index->capacity ? index->capacity * 2 : 64;
    size_t bytes = mem_array(capacity, sizeof *index->slots);
    struct row_slot *slots = bytes ? mem_zalloc(index->mem, bytes) : NULL;
    if (!slots)
        return fail_nomem(err, bytes);
    for (size_t i = 0; i < index->capacity; i++) {
        if (!index->slots[i].row)
            continue;
        size_t at = index->slots[i].hash & (capacity - 1);
        while (slots[at].row)
            at = (at + 1) & (capacity - 1);
        slots[at] = index->slots[i];
    }
    mem_free(index->mem, index->slots, index->capacity * sizeof *index->slots);
    index->slots = slots;
    index->capacity = capacity;
    return VARVE_OK;
}

enum varve_status row_index_add(struct row_index *index, uint64_t row, struct varve_err *err)
{
    if (row >= UINT32_MAX)
        return fail(err, VARVE_LIMIT, "", "more than %u groups", UINT32_MAX);
    if (index->used >= index->capacity / 4 * 3)
        TRY(grow(index, err));
    const struct value *key = relation_row(index->relation, row) + index->first;
    uint32_t hash = key_hash(key, index->count);
    *slot_of(index, hash, key) = (struct row_slot){hash, (uint32_t)row + 1};
    index->used++;
    return VARVE_OK;
}

enum varve_status row_index_add_all(struct row_index *index, struct varve_err *err)
{
    const struct relation *relation = index->relation;
    for (uint64_t row = 0; row < relation->rows; row++) {
        if (relation->check && row % BATCH_ROWS == 0)
            TRY(relation->check(relation->check_context, err));
        if (row_index_find(index, relation_row(relation, row) + index->first) == NO_ROW)
            TRY(row_index_add(index, row, err));
    }
    return VARVE_OK;
}
