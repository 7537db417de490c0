/* SPDX-License-Identifier: Apache-2.0
 *
 * setting.c -- settings and the secret as records of main.mdb.
 *
 * There are few of them and they change rarely: nothing is kept in memory, every question
 * reads the file.  Each call first brings the store in step with the transaction, which
 * checks the state and, where records have changed, that all of them are there (I1, I2).
 */
#include "store/setting.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "store/store.h"

#define PLACE "setting"
#define HEAD 2

static struct env_key setting_key(const struct store *store, struct varve_str name)
{
    struct env_key key = {.size = 17};
    struct h128 hash = hash128(name.data, name.size, store->identity.seed);
    key.bytes[0] = 'S';
    store64be(key.bytes + 1, hash.hi);
    store64be(key.bytes + 9, hash.lo);
    return key;
}

static const struct env_key secret_key = {.bytes = {'K'}, .size = 1};

static bool decode(struct env_value record, struct varve_str *name, struct varve_str *value)
{
    if (record.size < HEAD)
        return false;
    size_t size = load16(record.data), both = record.size - HEAD;
    const char *texts = (const char *)record.data + HEAD;
    if (size == 0 || size > SETTING_NAME_MAX || size >= both || both - size > SETTING_VALUE_MAX)
        return false;
    *name = (struct varve_str){texts, size};
    *value = (struct varve_str){texts + size, both - size};
    return str_is_utf8(*name) && str_is_utf8(*value);
}

bool setting_sound(const struct env_key *key, struct env_value value)
{
    struct varve_str name, text;
    if (key->bytes[0] == 'K')
        return key->size == 1 && value.size == SECRET_SIZE;
    return key->size == 17 && decode(value, &name, &text);
}

static enum varve_status damaged(struct varve_err *err)
{
    return fail(err, VARVE_CORRUPT, "main.mdb",
                "a setting's record is not one: restore from a backup");
}

/* Begins to read a state that has been checked.  The caller holds the lock. */
static enum varve_status begin(struct store *store, struct txn **txn, struct varve_err *err)
{
    TRY(store_begin_read(store, txn, err));
    enum varve_status status = store_sync(store, *txn, err);
    if (status != VARVE_OK)
        txn_abort(*txn);
    return status;
}

/* ---- putting ------------------------------------------------------------ */

static enum varve_status check(struct varve_str name, struct varve_str value, struct varve_err *err)
{
    if (name.size == 0 || !str_is_utf8(name))
        return fail(err, VARVE_INVALID, PLACE, "a name must be valid UTF-8, and not empty");
    if (name.size > SETTING_NAME_MAX)
        return fail(err, VARVE_INVALID, PLACE, "a name of %zu bytes: 1 to %d are allowed",
                    name.size, SETTING_NAME_MAX);
    if (value.size > SETTING_VALUE_MAX)
        return fail(err, VARVE_LIMIT, PLACE, "a value of %zu bytes: at most %d are kept",
                    value.size, SETTING_VALUE_MAX);
    if (!str_is_utf8(value))
        return fail(err, VARVE_INVALID, PLACE, "the value is not valid UTF-8");
    return VARVE_OK;
}

/* Whether there is room for one more. */
static enum varve_status check_count(struct txn *txn, struct varve_err *err)
{
    struct walk *walk;
    struct env_key key = {.bytes = {'S'}, .size = 1};
    struct env_value value;
    size_t count = 0;
    enum varve_status status;
    TRY(walk_begin(txn, &key, 1, &walk, err));
    while ((status = walk_next(walk, false, &key, &value, err)) == VARVE_OK)
        count++;
    walk_end(walk);
    if (status != VARVE_DONE)
        return status;
    if (count >= SETTINGS_MAX)
        return fail(err, VARVE_LIMIT, PLACE, "there are %zu settings already", count);
    return VARVE_OK;
}

static enum varve_status
put(struct store *store, struct txn *txn, struct state *state, struct varve_str name,
    struct varve_str value, bool *same, struct varve_err *err)
{
    uint8_t *bytes = arena_alloc(&store->scratch, HEAD + name.size + value.size);
    struct env_key key = setting_key(store, name);
    struct env_value old;
    size_t size = value.size > 0 ? HEAD + name.size + value.size : 0;
    if (!bytes)
        return fail_nomem(err, HEAD + name.size + value.size);
    store16(bytes, (uint16_t)name.size);
    memcpy(bytes + HEAD, name.data, name.size);
    if (value.size > 0)
        memcpy(bytes + HEAD + name.size, value.data, value.size);
    enum varve_status status = txn_get(txn, &key, true, &old, err);
    if (status != VARVE_OK && status != VARVE_NOTFOUND)
        return status;
    bool there = status == VARVE_OK;
    *same = there ? old.size == size && memcmp(old.data, bytes, size) == 0 : size == 0;
    if (*same)
        return VARVE_OK;
    if (!there)
        TRY(check_count(txn, err));
    return record_replace(txn, state, &key, bytes, size, err);
}

/* Under the lock. */
static enum varve_status commit_put(struct store *store, struct varve_str name,
                                    struct varve_str value, struct varve_err *err)
{
    struct txn *txn;
    bool same = false;
    arena_clear(&store->scratch);
    TRY(store_begin(store, value.size + (64 << 10), &txn, err));
    struct state state = store->state;
    enum varve_status status = put(store, txn, &state, name, value, &same, err);
    if (status == VARVE_OK && !same)
        return store_commit(store, txn, &state, err);
    txn_abort(txn);
    return status;
}

enum varve_status store_setting_put(struct store *store, struct varve_str name,
                                    struct varve_str value, struct varve_err *err)
{
    TRY(check(name, value, err));
    pthread_mutex_lock(&store->lock);
    enum varve_status status = commit_put(store, name, value, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- asking -------------------------------------------------------------- */

static enum varve_status
copy_text(struct arena *arena, struct varve_str from, struct varve_str *to, struct varve_err *err)
{
    *to = (struct varve_str){arena_copy(arena, from.data, from.size), from.size};
    return to->data ? VARVE_OK : fail_nomem(err, from.size);
}

static enum varve_status get(struct store *store, struct txn *txn, struct varve_str name,
                             struct arena *arena, struct varve_str *value, struct varve_err *err)
{
    struct env_key key = setting_key(store, name);
    struct env_value record;
    struct varve_str found, text;
    TRY(txn_get(txn, &key, true, &record, err));
    if (!decode(record, &found, &text) || !str_equal(found, name))
        return damaged(err);
    return copy_text(arena, text, value, err);
}

enum varve_status store_setting_get(struct store *store, struct varve_str name, struct arena *arena,
                                    struct varve_str *value, struct varve_err *err)
{
    struct txn *txn;
    pthread_mutex_lock(&store->lock);
    enum varve_status status = begin(store, &txn, err);
    if (status == VARVE_OK) {
        status = get(store, txn, name, arena, value, err);
        txn_abort(txn);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}

struct setting {
    struct varve_str name, value;
};
struct settings {
    struct setting *list;
    size_t count;
};

static int compare_names(const void *a, const void *b)
{
    return str_compare(((const struct setting *)a)->name, ((const struct setting *)b)->name);
}

/* Copies all of them; a store that has more than it may is damaged. */
static enum varve_status
collect(struct txn *txn, struct arena *arena, struct settings *all, struct varve_err *err)
{
    struct walk *walk;
    struct env_key key = {.bytes = {'S'}, .size = 1};
    struct env_value record;
    enum varve_status status;
    *all = (struct settings){arena_alloc(arena, SETTINGS_MAX * sizeof *all->list), 0};
    if (!all->list)
        return fail_nomem(err, SETTINGS_MAX * sizeof *all->list);
    TRY(walk_begin(txn, &key, 1, &walk, err));
    while ((status = walk_next(walk, true, &key, &record, err)) == VARVE_OK) {
        struct setting s, *to = &all->list[all->count];
        status = all->count < SETTINGS_MAX && decode(record, &s.name, &s.value) ? VARVE_OK
                                                                                : damaged(err);
        if (status == VARVE_OK)
            status = copy_text(arena, s.name, &to->name, err);
        if (status == VARVE_OK)
            status = copy_text(arena, s.value, &to->value, err);
        if (status != VARVE_OK)
            break;
        all->count++;
    }
    walk_end(walk);
    return status == VARVE_DONE ? VARVE_OK : status;
}

enum varve_status
store_visit_settings(struct store *store,
                     int (*visit)(void *, struct varve_str name, struct varve_str value),
                     void *context, struct varve_err *err)
{
    struct arena arena;
    struct settings all;
    struct txn *txn;
    arena_init(&arena, &store->mem, 1 << 14);
    pthread_mutex_lock(&store->lock);
    enum varve_status status = begin(store, &txn, err);
    if (status == VARVE_OK) {
        status = collect(txn, &arena, &all, err);
        txn_abort(txn);
    }
    pthread_mutex_unlock(&store->lock);
    if (status == VARVE_OK) {
        qsort(all.list, all.count, sizeof *all.list, compare_names);
        for (size_t i = 0; i < all.count; i++)
            if (visit(context, all.list[i].name, all.list[i].value) != 0)
                break;
    }
    arena_free(&arena);
    return status;
}

/* ---- the secret ---------------------------------------------------------- */

static enum varve_status
read_secret(struct txn *txn, uint8_t secret[SECRET_SIZE], struct varve_err *err)
{
    struct env_value value;
    TRY(txn_get(txn, &secret_key, true, &value, err));
    if (value.size != SECRET_SIZE)
        return damaged(err);
    memcpy(secret, value.data, SECRET_SIZE);
    return VARVE_OK;
}

static enum varve_status
make_secret(struct store *store, uint8_t secret[SECRET_SIZE], struct varve_err *err)
{
    struct txn *txn;
    uint8_t fresh[SECRET_SIZE];
    if (getrandom(fresh, sizeof fresh, 0) != (ssize_t)sizeof fresh)
        return fail_errno(err, VARVE_IO, errno, store->path, "no random bytes for a secret");
    TRY(store_begin(store, 64 << 10, &txn, err));
    struct state state = store->state;
    enum varve_status status = read_secret(txn, secret, err); /* another process was faster? */
    if (status == VARVE_NOTFOUND)
        status = record_replace(txn, &state, &secret_key, fresh, sizeof fresh, err);
    if (status != VARVE_OK || state.records == store->state.records) {
        txn_abort(txn);
        return status;
    }
    TRY(store_commit(store, txn, &state, err));
    memcpy(secret, fresh, SECRET_SIZE);
    return VARVE_OK;
}

enum varve_status
store_secret(struct store *store, uint8_t secret[SECRET_SIZE], struct varve_err *err)
{
    struct txn *txn;
    pthread_mutex_lock(&store->lock);
    enum varve_status status = begin(store, &txn, err);
    if (status == VARVE_OK) {
        status = read_secret(txn, secret, err);
        txn_abort(txn);
    }
    if (status == VARVE_NOTFOUND)
        status = store->read_only
                     ? fail(err, VARVE_NOTFOUND, store->path,
                            "the store has no secret yet, and is open for reading only")
                     : make_secret(store, secret, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}
