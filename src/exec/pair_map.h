/* SPDX-License-Identifier: Apache-2.0
 *
 * pair_map.h -- numbers, from 0, for pairs of numbers in the order in which they are met.
 */
#ifndef EXEC_PAIR_MAP_H
#define EXEC_PAIR_MAP_H

#include "base/mem.h"

struct pair_map {
    struct mem *mem;
    uint64_t *pairs; /* by number: left << 32 | right */
    size_t capacity;
    uint32_t count;
    uint32_t *slots; /* number + 1; open addressing, at most 3/4 full */
    size_t slot_count;
};

void pair_map_init(struct pair_map *map, struct mem *mem);
void pair_map_free(struct pair_map *map); /* an all-zero one is fine */
uint64_t pair_map_bytes(const struct pair_map *map);
/* VARVE_LIMIT: four billion pairs. */
enum varve_status pair_map_number(struct pair_map *map, uint32_t left, uint32_t right,
                                  uint32_t *number, struct varve_err *err) VARVE_CHECKED;

#endif
