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

struct live_file {
    uint8_t *bytes; /* what is there */
    uint8_t *live;  /* 1 for each that means something; NULL: nothing of the file does */
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

#endif
