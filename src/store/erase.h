/* SPDX-License-Identifier: Apache-2.0
 *
 * erase.h -- takes rows out of the store for good: those of a user who is to be forgotten.
 *
 * Everything is sealed first; then the days that hold such rows are built anew without them, in one
 * change.  The old bytes are garbage from then on, in month files and in pages of main.mdb, until
 * the store is compacted: house_compact() leaves none of them.
 *
 * What arrives again later is taken as new.
 */
#ifndef STORE_ERASE_H
#define STORE_ERASE_H

#include "store/store.h"

enum varve_status store_erase(struct store *store, const struct varve_erasure *what,
                              struct varve_erased *erased, struct varve_err *err) VARVE_CHECKED;

#endif
