/* SPDX-License-Identifier: Apache-2.0
 *
 * house.h -- keeping house: retention, compaction, backup, figures.
 */
#ifndef STORE_HOUSE_H
#define STORE_HOUSE_H

#include "store/store.h"

enum varve_status house_retain(struct store *store, int64_t before, struct varve_retained *retained,
                               struct varve_err *err) VARVE_CHECKED;
enum varve_status house_compact(struct store *store, struct varve_compacted *compacted,
                                struct varve_err *err) VARVE_CHECKED;
enum varve_status
house_backup(struct store *store, const char *path, struct varve_err *err) VARVE_CHECKED;
enum varve_status
house_stats(struct store *store, struct varve_stats *stats, struct varve_err *err) VARVE_CHECKED;

/* ---- for those that change days ---------------------------------------- */

/* The catalogue as it is now, held.  The head is in step with it. */
enum varve_status house_catalogue(struct store *store, struct catalogue **catalogue,
                                  struct varve_err *err) VARVE_CHECKED;
/* The lock of the house; waits some seconds for whoever has it. */
enum varve_status
house_wait(struct store *store, struct lock *house, struct varve_err *err) VARVE_CHECKED;

#endif
