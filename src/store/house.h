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

#endif
