/* SPDX-License-Identifier: Apache-2.0
 *
 * pair_map.c -- an open-addressing table of pairs of numbers; the slots hold numbers only, so that
 * growing moves four bytes a slot and the pairs stay in the order in which they were met.
 */
#include "exec/pair_map.h"

enum { FIRST_SLOTS = 64 };
#define PAIRS_MAX (UINT32_MAX - 2)

void pair_map_init(struct pair_map *map, struct mem *mem)
{
    *map = (struct pair_map){.mem = mem};
}

void pair_map_free(struct pair_map *map)
{
    if (!map->mem)
        return;
    mem_free(map->mem, map->pairs, map->capacity * sizeof *map->pairs);
    mem_free(map->mem, map->slots, map->slot_count * sizeof *map->slots);
    *map = (struct pair_map){.mem = NULL};
}

uint64_t pair_map_bytes(const struct pair_map *map)
{
    return map->capacity * sizeof *map->pairs + map->slot_count * sizeof *map->slots;
}

static size_t first_slot(const struct pair_map *map, uint64_t pair)
{
    uint64_t x = pair * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(x ^ x >> 32) & (map->slot_count - 1);
}

static enum varve_status grow(struct pair_map *map, struct varve_err *err)
{
    size_t old_count = map->slot_count, count = old_count ? old_count * 2 : FIRST_SLOTS;
    uint32_t *old = map->slots, *slots = mem_zalloc(map->mem, mem_array(count, sizeof *slots));
    if (!slots)
        return fail_nomem(err, count * sizeof *slots);
    map->slots = slots;
    map->slot_count = count;
    for (uint32_t i = 0; i < map->count; i++) {
        size_t at = first_slot(map, map->pairs[i]);
        while (slots[at])
            at = (at + 1) & (count - 1);
        slots[at] = i + 1;
    }
    mem_free(map->mem, old, old_count * sizeof *old);
    return VARVE_OK;
}

enum varve_status pair_map_number(struct pair_map *map, uint32_t left, uint32_t right,
                                  uint32_t *number, struct varve_err *err)
{
    uint64_t pair = (uint64_t)left << 32 | right;
    if (((uint64_t)map->count + 1) * 4 > (uint64_t)map->slot_count * 3)
        TRY(grow(map, err));
    size_t at = first_slot(map, pair);
    for (; map->slots[at]; at = (at + 1) & (map->slot_count - 1))
        if (map->pairs[map->slots[at] - 1] == pair) {
            *number = map->slots[at] - 1;
            return VARVE_OK;
        }
    if (map->count >= PAIRS_MAX)
        return fail(err, VARVE_LIMIT, "query", "over four billion groups or distinct values");
    TRY(mem_grow(map->mem, (void **)&map->pairs, &map->capacity, (size_t)map->count + 1,
                 sizeof *map->pairs, err));
    map->pairs[map->count] = pair;
    map->slots[at] = map->count + 1;
    *number = map->count++;
    return VARVE_OK;
}
