/* SPDX-License-Identifier: Apache-2.0
 *
 * definitions.h -- what the user has defined in a store: views and lookups, kept as settings.
 *
 *   "view/NAME"          the statement's text
 *   "lookup/NAME"        generation, number of pieces, and the label it is ON
 *   "lookup/NAME/G/I"    piece I of generation G of the CSV: a setting holds 64 kB
 *
 * Names with a slash are not seen in the list of settings and cannot be set by hand.
 *
 * Invariant: a lookup's record names pieces that are all there; they are written before it and
 * removed after it.  Pieces that no record names are what a process left that was killed; the next
 * change of the lookup removes them.
 */
#ifndef EXEC_DEFINITIONS_H
#define EXEC_DEFINITIONS_H

#include "exec/lookup.h"
#include "store/store.h"

struct definition {
    struct varve_str name, text; /* of a view: the statement */
};

/* Calls back once a view, by name; the callback returns 0 to go on. */
enum varve_status views_visit(struct store *store, int (*visit)(void *, const struct definition *),
                              void *context, struct varve_err *err) VARVE_CHECKED;
/* VARVE_NOTFOUND with err left alone. */
enum varve_status view_find(struct store *store, struct varve_str name, struct arena *arena,
                            struct varve_str *text, struct varve_err *err) VARVE_CHECKED;
/* VARVE_INVALID: there is one, and replace is false. */
enum varve_status view_put(struct store *store, struct varve_str name, struct varve_str text,
                           bool replace, struct varve_err *err) VARVE_CHECKED;
/* VARVE_NOTFOUND with a message. */
enum varve_status
view_drop(struct store *store, struct varve_str name, struct varve_err *err) VARVE_CHECKED;

/* All lookups, into the arena. */
enum varve_status lookups_load(struct store *store, struct arena *arena, struct lookups *lookups,
                               struct varve_err *err) VARVE_CHECKED;
enum varve_status lookup_put(struct store *store, struct varve_str name, struct varve_str on,
                             struct varve_str csv, bool may_replace, struct lookup *lookup,
                             struct arena *arena, struct varve_err *err) VARVE_CHECKED;
enum varve_status
lookup_drop(struct store *store, struct varve_str name, struct varve_err *err) VARVE_CHECKED;

#endif
