/* SPDX-License-Identifier: Apache-2.0
 *
 * api.h -- how the public handles are the store's objects.
 *
 * A varve is a struct store, a varve_snapshot a struct snapshot and a
 * varve_scan a struct scan under a public name; a varve_batch is this floor's own.
 * Every public function first asks whether the handle may be used here at all.
 */
#ifndef API_API_H
#define API_API_H

#include "store/batch.h"
#include "store/scan.h"

struct varve_batch {
    struct store *store;
    struct write_batch batch;
};

static inline struct store *store_of(varve *db)
{
    return (struct store *)(void *)db;
}

static inline struct snapshot *snapshot_of(varve_snapshot *snapshot)
{
    return (struct snapshot *)(void *)snapshot;
}

static inline struct scan *scan_of(varve_scan *scan)
{
    return (struct scan *)(void *)scan;
}

/* VARVE_MISUSE for NULL and for a handle inherited by fork. */
enum varve_status
api_check(const struct store *store, const char *call, struct varve_err *err) VARVE_CHECKED;

#endif
