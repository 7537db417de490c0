/* SPDX-License-Identifier: Apache-2.0
 *
 * rebuild.h -- builds the segment of a day anew from rows.
 *
 * Sealing adds rows to what a day holds, erasing takes some away; here is what both need: to
 * load a sealed day, and to make the new segment, its generation and its record in the catalogue
 * out of rows.
 */
#ifndef STORE_REBUILD_H
#define STORE_REBUILD_H

#include "store/change.h"

struct rebuild {
    struct store *store;
    struct segment_builder segments;
    struct table_builder tables;
};

/* The rows of one (day, table): of metrics or events, whichever the table is. */
struct day_rows {
    struct rowset *points;
    struct eventset *events;
    bool is_extract; /* the points: they are used up */
};

/* An all-zero one may be freed, too. */
enum varve_status
rebuild_init(struct rebuild *rebuild, struct store *store, struct varve_err *err) VARVE_CHECKED;
void rebuild_free(struct rebuild *rebuild);
/* Adds the rows of a sealed day. */
enum varve_status rebuild_load(struct rebuild *rebuild, const struct day_record *day,
                               struct day_rows *rows, struct varve_err *err) VARVE_CHECKED;
/* Fills the move's bytes and record; the caller sets the watermark. */
enum varve_status
rebuild_day(struct rebuild *rebuild, const struct change *change, struct move *move,
            const struct day_rows *rows, struct varve_err *err) VARVE_CHECKED;
/* The same of some rows, those that index says. */
enum varve_status
rebuild_points(struct rebuild *rebuild, const struct change *change, struct move *move,
               const struct rowset *rows, const uint32_t *index, size_t count,
               struct varve_err *err) VARVE_CHECKED;

#endif
