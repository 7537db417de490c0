/* SPDX-License-Identifier: Apache-2.0
 *
 * live_bytes.h -- which bytes of a store's files mean something.
 */
#ifndef FAULTS_LIVE_BYTES_H
#define FAULTS_LIVE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"

enum { LIVE_VALUE = 1, LIVE_KEY = 2 };

struct live_file {
    uint8_t *bytes; /* what is there */
    uint8_t *live;  /* of each: LIVE_KEY, LIVE_VALUE or 0; NULL: nothing of the file is alive */
    size_t size;
};
struct live_map {
    struct files_list names;
    struct live_file *files; /* one a name */
};

/* Of an undamaged store that nobody has open. */
struct live_map live_map_of(const char *directory);
void live_map_free(struct live_map *map);
/* Whether a byte that means something is another one, or gone, in the copy. */
bool live_map_hit(const struct live_map *map, const char *name, const char *copy);
/* Flips one bit that means something in the copy, every other seed one of a key; answers the name
 * of the file. */
const char *
live_map_flip(const struct live_map *map, const char *copy, uint64_t seed, uint64_t *offset);

#endif
