/* SPDX-License-Identifier: Apache-2.0
 *
 * handle.c -- the public interface: versions, statuses, values, the store's handle.
 */
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "store/erase.h"
#include "store/house.h"
#include "store/seal.h"
#include "store/verify.h"

const char *varve_version(void)
{
    return VARVE_VERSION_TEXT;
}

const char *varve_status_name(enum varve_status status)
{
    return status_name(status);
}

const char *varve_status_text(enum varve_status status)
{
    return status_text(status);
}

struct varve_str varve_str(const char *text)
{
    return (struct varve_str){text, text ? strlen(text) : 0};
}

struct varve_value varve_int(int64_t value)
{
    return (struct varve_value){VARVE_INT, {.i = value}};
}

struct varve_value varve_float(double value)
{
    return (struct varve_value){VARVE_FLOAT, {.f = value}};
}

struct varve_value varve_bool(int value)
{
    return (struct varve_value){VARVE_BOOL, {.i = value != 0}};
}

struct varve_value varve_text(struct varve_str value)
{
    return (struct varve_value){VARVE_TEXT, {.s = value}};
}

enum varve_status api_check(const struct store *store, const char *call, struct varve_err *err)
{
    if (!store)
        return fail(err, VARVE_MISUSE, call, "the handle is NULL");
    if (store->pid != getpid())
        return fail(err, VARVE_MISUSE, call,
                    "the handle was inherited by fork(): open the store in this process");
    return VARVE_OK;
}

enum varve_status
varve_open(const char *path, const struct varve_options *options, varve **db, struct varve_err *err)
{
    struct store *store;
    TRY(store_open(&store, path, options, err));
    *db = (varve *)(void *)store;
    return VARVE_OK;
}

void varve_close(varve *db)
{
    if (db && store_of(db)->pid == getpid())
        store_close(store_of(db));
}

enum varve_status
varve_seal(varve *db, int64_t until, struct varve_sealed *sealed, struct varve_err *err)
{
    TRY(api_check(store_of(db), "varve_seal", err));
    return store_seal(store_of(db), until == INT64_MAX ? INT32_MAX : day_of(until), sealed, err);
}

enum varve_status varve_compact(varve *db, struct varve_compacted *compacted, struct varve_err *err)
{
    TRY(api_check(store_of(db), "varve_compact", err));
    return house_compact(store_of(db), compacted, err);
}

enum varve_status
varve_retain(varve *db, int64_t before, struct varve_retained *retained, struct varve_err *err)
{
    TRY(api_check(store_of(db), "varve_retain", err));
    return house_retain(store_of(db), before, retained, err);
}

enum varve_status varve_erase(varve *db, const struct varve_erasure *what,
                              struct varve_erased *erased, struct varve_err *err)
{
    struct varve_erased ignored;
    TRY(api_check(store_of(db), "varve_erase", err));
    return store_erase(store_of(db), what, erased ? erased : &ignored, err);
}

enum varve_status varve_backup(varve *db, const char *path, struct varve_err *err)
{
    TRY(api_check(store_of(db), "varve_backup", err));
    return house_backup(store_of(db), path, err);
}

enum varve_status varve_stats(varve *db, struct varve_stats *stats, struct varve_err *err)
{
    TRY(api_check(store_of(db), "varve_stats", err));
    return house_stats(store_of(db), stats, err);
}

enum varve_status
varve_verify(const char *path, void (*report)(void *, const struct varve_err *), void *context,
             struct varve_verified *verified, struct varve_err *err)
{
    if (!path || !*path)
        return fail(err, VARVE_INVALID, "varve_verify", "no path given");
    return verify_store(path, report, context, verified, err);
}
