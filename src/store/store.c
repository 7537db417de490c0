/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c -- keeping what is in memory in step with what main.mdb says.
 *
 * Any number of processes write one main.mdb.  LMDB's lock makes them take
 * turns; whoever has the turn first looks at the state record and catches up with
 * what the others did.  As long as only entries were added, they are read
 * and added; when days were sealed (the epoch differs) or a commit failed, the
 * head is read anew.
 */
#include "store/store.h"

#include "base/clock.h"
#include "base/directory.h"

/* ---- names of event tables --------------------------------------------- */

uint32_t store_table_number(const struct store *store, struct varve_str name)
{
    for (size_t i = 0; i < store->tables.count; i++)
        if (str_equal(store->tables.names[i], name))
            return (uint32_t)(i + 1);
    return 0;
}

enum varve_status
store_add_table_name(struct store *store, struct varve_str name, struct varve_err *err)
{
    struct table_names *t = &store->tables;
    TRY(mem_grow(&store->mem, (void **)&t->names, &t->capacity, t->count + 1, sizeof *t->names,
                 err));
    char *copy = arena_copy(&t->arena, name.data, name.size);
    if (!copy)
        return fail_nomem(err, name.size);
    t->names[t->count++] = (struct varve_str){copy, name.size};
    return VARVE_OK;
}

/* Called for each "T" record in order; those known already are the same. */
static enum varve_status
learn_table(void *context, uint32_t number, struct varve_str name, struct varve_err *err)
{
    struct store *store = context;
    if (number <= store->tables.count)
        return VARVE_OK;
    if (number != store->tables.count + 1)
        return fail(err, VARVE_CORRUPT, "main.mdb", "the name of event table %zu is missing",
                    store->tables.count + 1);
    return store_add_table_name(store, name, err);
}

/* Called for each "M" record in order.  Of a known one the unit may be new. */
static enum varve_status learn_metric(void *context, uint32_t number,
                                      const struct metric_record *metric, struct varve_err *err)
{
    struct store *store = context;
    uint32_t id;
    enum varve_status status = rowset_metric(&store->metrics, metric->name, metric->unit,
                                             metric->kind, metric->scale, &id, err);
    if (status == VARVE_INVALID || (status == VARVE_OK && id + 1 != number))
        return fail(err, VARVE_CORRUPT, "main.mdb", "metric %u is not what it was", number);
    return status;
}

/* ---- in step with the file --------------------------------------------- */

void store_unsync(struct store *store)
{
    store->synced = false;
}

static enum varve_status reload_catalogue(struct store *store, struct txn *txn,
                                          const struct state *state, struct varve_err *err)
{
    struct catalogue *fresh;
    struct identity identity; /* the format may be a newer one by now */
    const struct catalogue_names names = {learn_table, learn_metric, store};
    TRY(identity_get(txn, &identity, err));
    store->identity.format = identity.format;
    TRY(catalogue_load(txn, state, &store->mem, &names, &fresh, err));
    catalogue_drop(store->catalogue);
    store->catalogue = fresh;
    sealed_refresh(&store->sealed, fresh);
    return VARVE_OK;
}

enum varve_status store_sync(struct store *store, struct txn *txn, struct varve_err *err)
{
    struct state now;
    TRY(state_get(txn, &now, err));
    bool anew =
        !store->synced || now.epoch != store->state.epoch || now.next_seq < store->head.next_seq;
    store->synced = false;
    if (anew) {
        views_clear(&store->views);
        TRY(head_reset(&store->head, err));
        /* Names whose transaction failed are unlearnt with everything else. */
        store->tables.count = 0;
        arena_clear(&store->tables.arena);
        TRY(rowset_clear(&store->metrics, err));
    }
    if (anew || now.records_sum != store->state.records_sum ||
        now.epoch != store->catalogue->epoch) /* an append may have sealed days */
        TRY(reload_catalogue(store, txn, &now, err));
    TRY(head_catch_up(&store->head, txn, &now, store->catalogue, store->identity.seed, store->texts,
                      err));
    store->state = now;
    store->synced = true;
    return VARVE_OK;
}

static bool known_kind(const struct store *store, struct varve_str name, enum varve_kind *kind)
{
    uint32_t id = store->synced ? rowset_find_metric(&store->metrics, name) : HASH_NONE;
    if (id == HASH_NONE)
        return false;
    *kind = (enum varve_kind)store->metrics.metrics[id].kind;
    return true;
}

/* What a name means never changes, but another process may have given one its meaning. */
bool store_metric_kind(struct store *store, struct varve_str name, enum varve_kind *kind)
{
    struct txn *txn;
    pthread_mutex_lock(&store->lock);
    bool known = known_kind(store, name, kind);
    if (!known && store_begin_read(store, &txn, NULL) == VARVE_OK) {
        enum varve_status status = store_sync(store, txn, NULL);
        txn_abort(txn);
        known = status == VARVE_OK && known_kind(store, name, kind);
    }
    pthread_mutex_unlock(&store->lock);
    return known;
}

enum varve_status store_settle_name(struct store *store, struct varve_err *err)
{
    if (store->name_unsure)
        TRY(directory_sync(env_path(store->main), err));
    store->name_unsure = false;
    return VARVE_OK;
}

enum varve_status store_begin_read(struct store *store, struct txn **txn, struct varve_err *err)
{
    enum varve_status status = env_begin_read(store->main, txn, err);
    if (status != VARVE_IO || !env_is_dead(store->main))
        return status;
    store_unsync(store);
    TRY(env_reopen(store->main, err));
    return env_begin_read(store->main, txn, err);
}

enum varve_status
store_begin(struct store *store, size_t need, struct txn **txn, struct varve_err *err)
{
    if (store->read_only)
        return fail(err, VARVE_READONLY, store->path, "the store is open for reading only");
    TRY(store_settle_name(store, err));
    enum varve_status status = env_begin_write(store->main, txn, need, err);
    if (status == VARVE_IO) {
        store_unsync(store);
        TRY(env_reopen(store->main, err));
        status = env_begin_write(store->main, txn, need, err);
    }
    TRY(status);
    status = store_sync(store, *txn, err);
    if (status != VARVE_OK)
        txn_abort(*txn);
    return status;
}

/* After a commit that the disk refused, its pages may stand under the older meta page.  Opening the
 * file again and one commit more leave two sound ones; if that fails too, the next transaction
 * tries again. */
static void heal(struct store *store)
{
    struct txn *txn;
    struct state state;
    if (env_reopen(store->main, NULL) != VARVE_OK ||
        env_begin_write(store->main, &txn, 1 << 16, NULL) != VARVE_OK)
        return;
    if (state_get(txn, &state, NULL) == VARVE_OK && state_put(txn, &state, NULL) == VARVE_OK)
        (void)!txn_commit(txn, NULL);
    else
        txn_abort(txn);
}

/* What is written may be what older libraries cannot read: from the first commit on a store is of
 * this library's format. */
static enum varve_status put_format(struct store *store, struct txn *txn, struct varve_err *err)
{
    struct identity identity = store->identity;
    if (identity.format >= VARVE_FORMAT)
        return VARVE_OK;
    identity.format = VARVE_FORMAT;
    return identity_put(txn, &identity, err);
}

enum varve_status
store_commit(struct store *store, struct txn *txn, struct state *state, struct varve_err *err)
{
    enum varve_status status = put_format(store, txn, err);
    if (status == VARVE_OK)
        status = state_put(txn, state, err);
    if (status == VARVE_OK)
        status = txn_commit(txn, err);
    else
        txn_abort(txn);
    if (status == VARVE_OK) {
        store->state = *state;
        store->identity.format = VARVE_FORMAT;
    } else {
        store_unsync(store);
    }
    if (status != VARVE_OK && env_is_dead(store->main))
        heal(store);
    return status;
}
