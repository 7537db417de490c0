/* SPDX-License-Identifier: Apache-2.0
 *
 * seal.h -- from journal rows to the columns of a day.
 *
 * For every (day, table) with unsealed rows: the rows and the day's present
 * segment, if there is one, are put together and built anew under a new
 * generation.  Late data is nothing special: it rebuilds its day (L6).
 *
 * The rows are copied out of the head under the store's lock; building and
 * writing happen outside of it, so readers and writers go on.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "store/store.h"

/* Seals all rows of days below `before`.  VARVE_BUSY: another thread or process holds the house
 * lock. */
enum varve_status store_seal(struct store *store, int32_t before, struct varve_sealed *sealed,
                             struct varve_err *err) VARVE_CHECKED;
/* The same for who holds the house lock already. */
enum varve_status store_seal_held(struct store *store, int32_t before, struct varve_sealed *sealed,
                                  struct varve_err *err) VARVE_CHECKED;
/* What an append does when the journal has grown: whole days if they make up half of it, else
 * everything; *waits: not yet, because far more than that has to be built anew.  Busy is fine. */
enum varve_status
store_seal_some(struct store *store, bool *waits, struct varve_err *err) VARVE_CHECKED;

#endif
