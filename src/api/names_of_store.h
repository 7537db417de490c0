/* SPDX-License-Identifier: Apache-2.0
 *
 * names_of_store.h -- the schema of a snapshot: what the names in a statement mean.
 *
 * Names are tried in this order: a metric with data, in any spelling; a table; a view; a metric
 * that is known but has no data here, so that what never happened is zero rather than a mistake.
 * Of a column: the source's own, then the virtual ones of lookups.
 */
#ifndef API_NAMES_OF_STORE_H
#define API_NAMES_OF_STORE_H

#include "exec/definitions.h"
#include "lang/schema.h"
#include "store/snapshot.h"

/* All of it is of one statement; texts go into the arena. */
struct store_names {
    struct store *store;
    struct snapshot *snapshot;
    struct arena *arena;
    struct lookups lookups; /* read when they are first needed */
    bool has_lookups;
    /* Names that were found already, because a statement asks for the same few again and again. */
    struct known_source *sources;
    struct known_column *columns;
    uint32_t known;
};

struct schema store_schema(struct store_names *names);
enum varve_status
names_need_lookups(struct store_names *names, struct varve_err *err) VARVE_CHECKED;

#endif
