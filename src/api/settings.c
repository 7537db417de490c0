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
    if (name.size > 0 && memchr(name.data, '/', name.size))
        return fail(err, VARVE_INVALID, "setting",
                    "'%.*s' has a slash; such names are the program's own", STR_ARG(name));
    if (str_equal(name, STR("rules")) && value.size > 0)
        TRY(rules_check(&store->mem, value, err));
    return store_setting_put(store, name, value, err);
}

struct visible {
    int (*visit)(void *, struct varve_str name, struct varve_str value);
    void *context;
};

/* Definitions are kept as settings with a slash in their names; they are listed by SHOW. */
static int visit_visible(void *context, struct varve_str name, struct varve_str value)
{
    const struct visible *v = context;
    return memchr(name.data, '/', name.size) ? 0 : v->visit(v->context, name, value);
}

enum varve_status
varve_visit_settings(varve *db, int (*visit)(void *, struct varve_str name, struct varve_str value),
                     void *context, struct varve_err *err)
{
    TRY(api_check(store_of(db), "varve_visit_settings", err));
    struct visible visible = {visit, context};
    return store_visit_settings(store_of(db), visit_visible, &visible, err);
}
