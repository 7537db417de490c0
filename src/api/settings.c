/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.c -- the public interface: settings.
 *
 * What is set under the names that the program itself uses is checked here before it is kept.
 */
#include "api/api.h"
#include "base/str.h"
#include "ingest/rules.h"
#include "store/setting.h"

enum varve_status
varve_set(varve *db, struct varve_str name, struct varve_str value, struct varve_err *err)
{
    struct store *store = store_of(db);
    TRY(api_check(store, "varve_set", err));
    if (str_equal(name, STR("rules")) && value.size > 0)
        TRY(rules_check(&store->mem, value, err));
    return store_setting_put(store, name, value, err);
}

enum varve_status
varve_visit_settings(varve *db, int (*visit)(void *, struct varve_str name, struct varve_str value),
                     void *context, struct varve_err *err)
{
    TRY(api_check(store_of(db), "varve_visit_settings", err));
    return store_visit_settings(store_of(db), visit, context, err);
}
