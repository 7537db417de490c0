/* SPDX-License-Identifier: Apache-2.0
 *
 * change.h -- replacing sealed days: write beside, then flip.
 *
 * Sealing, compacting and forgetting all do the same thing: some (day, table)
 * get another segment, or none.  A struct change collects that; change_write
 * puts the new segments into month files, synced, where nobody sees them;
 * change_flip makes them the truth in one transaction on main.mdb and trims the journal.
 * A crash before the flip leaves garbage that the next change does not
 * mind; after it, everything is done.
 *
 * A month file whose garbage outweighs what is alive is written anew on the
 * way: its living segments go into the file of the next generation.
 *
 * The caller holds the house lock from before it looked at the catalogue until after the flip.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/store.h"

struct move {
    struct day_record record; /* what is to be; rows 0: the day goes */
    bool had_old;
    struct day_record old;
    struct buf bytes; /* the new segment; empty: copied from the old place */
};
struct change {
    struct store *store;
    struct catalogue *catalogue; /* held; what the change starts from */
    struct move *moves;          /* by (day, table) */
    size_t count, capacity;
    int32_t sealed_before; /* days below are sealed up to `watermark` when this is done */
    uint64_t watermark;
    int64_t floor;       /* INT64_MIN: stays */
    bool leaves_journal; /* none of its entries has become superfluous */
    bool rewrite;        /* write every month file that has any garbage anew */
    uint64_t bytes_written;
};

/* catalogue is held until change_free. */
void change_init(struct change *change, struct store *store, struct catalogue *catalogue);
void change_free(struct change *change);
/* A new move for (day, table), with `old` from the catalogue and record a copy of it (or zeroed).
 * Moves must be added in order of (day, table).  Good until the next one is added. */
enum varve_status change_add(struct change *change, int32_t day, uint32_t table, struct move **move,
                             struct varve_err *err) VARVE_CHECKED;
/* The generation of the file that the catalogue names for a month; 0: there is none. */
uint32_t change_month_file(const struct change *change, int32_t month);
/* Whether a month's file holds enough of what is not alive to be worth writing anew. */
bool change_has_garbage(struct change *change, int32_t month);
/* Gives every move its file and generation and writes the segments.  May add moves (rewritten
 * months). */
enum varve_status change_write(struct change *change, struct varve_err *err) VARVE_CHECKED;
/* Makes them the truth as part of a transaction that the caller commits; he unsyncs the store then,
 * unless the change leaves the journal as it is. */
enum varve_status change_put(struct change *change, struct txn *txn, struct state *state,
                             struct varve_err *err) VARVE_CHECKED;
/* The same in a transaction of its own.  Takes store->lock itself. */
enum varve_status change_flip(struct change *change, struct varve_err *err) VARVE_CHECKED;
/* Unlinks month files that neither the catalogue nor a living snapshot names.  Failing is no
 * failure: it is tried again after the next change.  Puts the reserve back in place.  Answers the
 * number of files removed. */
uint64_t change_sweep(struct store *store);

#endif
