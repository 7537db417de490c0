/* SPDX-License-Identifier: Apache-2.0
 *
 * views.h -- unsealed rows as segments in memory, so that readers know one thing only.
 *
 * A reader never looks into the head, which moves; it reads segments built from
 * stretches of it.  A stretch that was built stays; when rows have come since, they are
 * built too, together with earlier stretches that are not much longer (as
 * one adds binary numbers), so there are few segments and a row is built again only
 * a logarithmic number of times.
 *
 * Segments are counted: a snapshot keeps those it was made with.  Used under the store's lock,
 * but memseg_drop, which any thread may call.
 */
#ifndef STORE_VIEWS_H
#define STORE_VIEWS_H

#include <stdatomic.h>
#include "store/head.h"

struct memseg {
    atomic_uint references;
    struct mem *mem;
    int32_t day;
    bool events;
    uint32_t table; /* number of the event table, 0 for metrics */
    uint32_t rows;
    int64_t first, last;
    uint64_t seed;
    size_t size, capacity;
    uint8_t *bytes;
};
struct view {
    struct stretch stretch;
    struct memseg **segments;
    size_t count;
};
struct views {
    struct mem *mem;
    struct view *list;
    size_t count, capacity;
};
/* What views_cover builds with. */
struct view_tools {
    const struct head *head;
    struct segment_builder *segments;
    struct table_builder *tables;
    struct arena *arena;
    uint32_t (*table_number)(void *context, struct varve_str name);
    void *context;
};

void views_init(struct views *views, struct mem *mem);
void views_clear(struct views *views);
/* Afterwards the views hold every row and event of the head. */
enum varve_status views_cover(struct views *views, const struct view_tools *tools,
                              struct varve_err *err) VARVE_CHECKED;
void memseg_drop(struct memseg *segment);

#endif
