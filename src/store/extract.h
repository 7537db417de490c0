/* SPDX-License-Identifier: Apache-2.0
 *
 * extract.h -- some rows of a rowset as a rowset of their own, to be built from.
 */
#ifndef STORE_EXTRACT_H
#define STORE_EXTRACT_H

#include "store/rowset.h"

/* Numbers of a rowset and what they are in what is taken out of it; of one extract at a time. */
struct extract_maps {
    uint64_t *series, *sets, *texts; /* epoch << 32 | number, by number in the rowset */
    uint32_t epoch;
};

/* For any number of extracts of a rowset that does not change meanwhile; in the arena. */
enum varve_status extract_begin(struct extract_maps *maps, const struct rowset *from,
                                struct arena *arena, struct varve_err *err) VARVE_CHECKED;
/* Fills *to, which need not be initialised, with the rows rows[index[0..count)] and all that they
 * name.  Rows of one series stand together, in the order they had.  The result has no tables:
 * nothing may be looked up in it or added to it.  Memory that is only needed meanwhile is taken
 * from the arena.  Whatever comes of it, rowset_free frees it. */
enum varve_status extract_rows(struct extract_maps *maps, struct rowset *to,
                               const struct rowset *from, const uint32_t *index, uint32_t count,
                               struct arena *arena, struct varve_err *err) VARVE_CHECKED;

#endif
