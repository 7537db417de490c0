/* SPDX-License-Identifier: Apache-2.0
 *
 * setting.h -- small texts kept in the store under names, and a secret.
 *
 *   "S" hash   the name's bytes (2) | the name | the value; hash: of the name, 128 bits, by the
 *              store's seed
 *   "K"        32 random bytes, made when they are first asked for
 *
 * Both are records like those of the catalogue: checksummed, counted by I2, changed in a
 * commit of their own, seen by other processes from their next transaction on.  A setting
 * without a value is no setting.
 */
#ifndef STORE_SETTING_H
#define STORE_SETTING_H

#include "base/arena.h"
#include "store/env.h"

struct store;

enum {
    SETTING_NAME_MAX = 256, /* bytes */
    SETTING_VALUE_MAX = 64 << 10,
    SETTINGS_MAX = 4096,
    SECRET_SIZE = 32
};

/* Whether this is what a record "S" or "K" may be. */
bool setting_sound(const struct env_key *key, struct env_value value);

/* The caller holds no lock of the store. */

/* A value of size 0 removes the setting. VARVE_INVALID: no name, or not UTF-8; VARVE_LIMIT: too
 * long or too many. */
enum varve_status store_setting_put(struct store *store, struct varve_str name,
                                    struct varve_str value, struct varve_err *err) VARVE_CHECKED;
/* The value, in the arena.  VARVE_NOTFOUND (with err left alone): it is not set. */
enum varve_status store_setting_get(struct store *store, struct varve_str name, struct arena *arena,
                                    struct varve_str *value, struct varve_err *err) VARVE_CHECKED;
/* All settings of one moment, by name; the callback returns 0 to go on. */
enum varve_status
store_visit_settings(struct store *store,
                     int (*visit)(void *, struct varve_str name, struct varve_str value),
                     void *context, struct varve_err *err) VARVE_CHECKED;
/* VARVE_NOTFOUND: there is none yet, and the store is open for reading only. */
enum varve_status
store_secret(struct store *store, uint8_t secret[SECRET_SIZE], struct varve_err *err) VARVE_CHECKED;

#endif
