/* SPDX-License-Identifier: Apache-2.0
 *
 * bulk.h -- days that a batch brings nearly whole go straight into segments.
 *
 * Whoever loads history brings batches of a hundred thousand rows of a day that the store has
 * nothing of.  Such rows need no journal, no head and no second building: their segment is built
 * from the batch, and becomes the truth in the transaction that takes the rest of the batch into
 * the journal.  So a batch is still in the store as a whole or not at all.
 *
 * A day is taken so when the batch has many rows of it, none of them a reading of a counter, which
 * would have to be compared with others, and neither the head nor the catalogue knows the day.
 * What the head knows is looked at again in the transaction: if somebody else has written to such a
 * day meanwhile, nothing is taken, and the segments are garbage like that of a crash.
 *
 * The house stays locked from bulk_begin to bulk_end.  When it is locked already, or anything
 * fails, no day is taken, which is no failure: the journal is there for all rows.
 */
#ifndef STORE_BULK_H
#define STORE_BULK_H

#include "store/change.h"

struct bulk {
    struct lock house;
    struct change change;
    struct arena arena;
    const int32_t *days;  /* those that are taken */
    size_t day_count;     /* 0: none, and nothing is held */
    const uint32_t *rest; /* the rows that are of no such day, ascending */
    size_t rest_count;
    uint64_t points, duplicates;
};

/* Builds and writes the days that can be taken.  The caller holds no lock. */
void bulk_begin(struct bulk *bulk, struct store *store, const struct rowset *rows);
/* Whether they still can.  The caller holds store->lock and a write transaction, in step. */
bool bulk_holds(const struct bulk *bulk, const struct store *store);
/* Makes them the truth with the transaction.  The head stays as it is. */
enum varve_status bulk_put(struct bulk *bulk, struct txn *txn, struct state *state,
                           struct varve_err *err) VARVE_CHECKED;
/* Lets go of everything.  The caller holds no lock. */
void bulk_end(struct bulk *bulk);

#endif
