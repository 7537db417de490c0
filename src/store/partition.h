/* SPDX-License-Identifier: Apache-2.0
 *
 * partition.h -- rows and events sorted apart by (day, table).
 *
 * Segments, journal parts and sealed days all hold one table of one day; this
 * is the one place that takes a mixed stretch of rows apart.
 */
#ifndef STORE_PARTITION_H
#define STORE_PARTITION_H

#include "store/eventset.h"
#include "store/rowset.h"

struct part {
    int32_t day;
    bool events;    /* index points into the eventset, else the rowset */
    uint32_t table; /* interned name of the events' table */
    uint32_t count;
    const uint32_t *index; /* ascending */
    int64_t first, last;   /* ends, or times */
};
struct partition {
    struct part *parts;
    size_t count;
};
struct stretch {
    size_t row_from, row_to, event_from, event_to;
};

/* Parts of a stretch with day < before, ordered by day, rows first; all memory in the arena. */
enum varve_status partition(const struct rowset *rows, const struct eventset *events,
                            struct stretch stretch, int32_t before, struct arena *arena,
                            struct partition *result, struct varve_err *err) VARVE_CHECKED;

#endif
