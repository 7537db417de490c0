/* SPDX-License-Identifier: Apache-2.0
 *
 * env_value.c -- values in and out of a transaction, with their checksums.
 *
 *   stored value   XXH3-64 over key and bytes (8) | bytes
 *
 * The key is part of the sum, so a value that turns up under another key is
 * damage.  Values are written into LMDB's page directly (MDB_RESERVE) and
 * summed there, so large ones are copied once.
 *
 * A walk in a read transaction steps a cursor; in a write transaction it
 * seeks anew behind the last key, because puts and deletes move what a cursor
 * stands on.
 */
#include "store/env_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "base/bytes.h"
#include "store/pagecheck.h"

struct walk {
    struct txn *txn;
    MDB_cursor *cursor;
    struct env_key last; /* where it stands; size 0 before a walk from the first key of all */
    uint8_t prefix[ENV_KEY_MAX];
    size_t prefix_size;
    bool begun, ended;
};

/* The first bytes of a key as hexadecimal, for messages. */
static void key_text(const void *key, size_t size, char text[64])
{
    const uint8_t *p = key;
    size_t at = 0;
    for (size_t i = 0; i < size && at + 6 < 64; i++)
        at += (size_t)snprintf(text + at, 64 - at, "%02x", p[i]);
    if (size * 2 > at)
        snprintf(text + at, 64 - at, "...");
}

static enum varve_status
damaged(const struct env *env, MDB_val key, const char *what, struct varve_err *err)
{
    char text[64] = "";
    key_text(key.mv_data, key.mv_size, text);
    return fail(
        err, VARVE_CORRUPT, env->name,
        "the record %s (%zu bytes of key) %s; verify the store and restore it from a backup", text,
        key.mv_size, what);
}

static MDB_val key_of(const struct env_key *key)
{
    union {
        const void *in;
        void *out; /* LMDB does not write to it */
    } bytes = {key->bytes};
    return (MDB_val){key->size, bytes.out};
}

static enum varve_status take(const struct env *env, MDB_val key, MDB_val stored, bool check,
                              struct env_value *value, struct varve_err *err)
{
    if (stored.mv_size < ENV_SUM_SIZE)
        return damaged(env, key, "is too short for a checksum", err);
    const uint8_t *bytes = (const uint8_t *)stored.mv_data + ENV_SUM_SIZE;
    size_t size = stored.mv_size - ENV_SUM_SIZE;
    if (check && load64(stored.mv_data) != env_sum(key.mv_data, key.mv_size, bytes, size))
        return damaged(env, key, "does not match its checksum", err);
    *value = (struct env_value){bytes, size};
    return VARVE_OK;
}

enum varve_status txn_get(struct txn *txn, const struct env_key *key, bool check,
                          struct env_value *value, struct varve_err *err)
{
    MDB_val k = key_of(key), stored;
    int code = mdb_get(txn->mdb, txn->env->dbi, &k, &stored);
    if (code == MDB_NOTFOUND)
        return VARVE_NOTFOUND;
    if (code != 0)
        return env_fail(txn->env, code, "reading a record", err);
    return take(txn->env, k, stored, check, value, err);
}

/* ---- writing ---- */

static enum varve_status
may_write(const struct txn *txn, const struct env_key *key, struct varve_err *err)
{
    if (!txn->write)
        return fail(err, VARVE_MISUSE, txn->env->name, "this transaction only reads");
    if (key->size == 0 || key->size > ENV_KEY_MAX)
        return fail(err, VARVE_MISUSE, txn->env->name, "a key of %d bytes", key->size);
    return VARVE_OK;
}

enum varve_status txn_put_parts(struct txn *txn, const struct env_key *key,
                                const struct env_part *parts, size_t count, struct varve_err *err)
{
    size_t size = 0;
    TRY(may_write(txn, key, err));
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > ENV_VALUE_MAX - size)
            return fail(err, VARVE_LIMIT, txn->env->name, "a value may have %u bytes at most",
                        ENV_VALUE_MAX);
        size += parts[i].size;
    }
    MDB_val k = key_of(key), stored = {size + ENV_SUM_SIZE, NULL};
    int code = mdb_put(txn->mdb, txn->env->dbi, &k, &stored, MDB_RESERVE);
    if (code != 0)
        return env_fail(txn->env, code, "writing a record", err);
    uint8_t *to = stored.mv_data, *at = to + ENV_SUM_SIZE;
    for (size_t i = 0; i < count; at += parts[i++].size) {
        if (!parts[i].bytes)
            memset(at, 0, parts[i].size);
        else if (parts[i].size > 0)
            memcpy(at, parts[i].bytes, parts[i].size);
    }
    store64(to, env_sum(key->bytes, key->size, to + ENV_SUM_SIZE, size));
    return VARVE_OK;
}

enum varve_status txn_put(struct txn *txn, const struct env_key *key, const void *bytes,
                          size_t size, struct varve_err *err)
{
    return txn_put_parts(txn, key, &(struct env_part){bytes, size}, 1, err);
}

enum varve_status txn_delete(struct txn *txn, const struct env_key *key, struct varve_err *err)
{
    TRY(may_write(txn, key, err));
    MDB_val k = key_of(key);
    int code = mdb_del(txn->mdb, txn->env->dbi, &k, NULL);
    if (code == MDB_NOTFOUND)
        return VARVE_NOTFOUND;
    return code == 0 ? VARVE_OK : env_fail(txn->env, code, "deleting a record", err);
}

/* ---- seeking ---- */

static enum varve_status cursor_of(struct txn *txn, struct varve_err *err)
{
    if (txn->cursor)
        return VARVE_OK;
    int code = mdb_cursor_open(txn->mdb, txn->env->dbi, &txn->cursor);
    return code == 0 ? VARVE_OK : env_fail(txn->env, code, "seeking", err);
}

/* The first key >= *key; an empty key stands before all. */
static int seek_code(MDB_cursor *cursor, const struct env_key *key, MDB_val *k, MDB_val *stored)
{
    *k = key_of(key);
    return mdb_cursor_get(cursor, k, stored, key->size == 0 ? MDB_FIRST : MDB_SET_RANGE);
}

static int
seek_back_code(MDB_cursor *cursor, const struct env_key *key, MDB_val *k, MDB_val *stored)
{
    int code = seek_code(cursor, key, k, stored);
    if (code == MDB_NOTFOUND)
        return mdb_cursor_get(cursor, k, stored, MDB_LAST);
    if (code != 0 || (k->mv_size == key->size && memcmp(k->mv_data, key->bytes, key->size) == 0))
        return code;
    return mdb_cursor_get(cursor, k, stored, MDB_PREV);
}

/* What a cursor found, if its prefix is right. */
static enum varve_status found(const struct env *env, int code, MDB_val k, MDB_val stored,
                               const uint8_t *prefix, size_t prefix_size, bool check,
                               struct env_key *key, struct env_value *value, struct varve_err *err)
{
    if (code == MDB_NOTFOUND)
        return VARVE_NOTFOUND;
    if (code != 0)
        return env_fail(env, code, "seeking", err);
    if (k.mv_size < prefix_size || memcmp(k.mv_data, prefix, prefix_size) != 0)
        return VARVE_NOTFOUND;
    if (k.mv_size > ENV_KEY_MAX)
        return damaged(env, k, "has a key that is too long", err);
    key->size = (uint8_t)k.mv_size;
    memcpy(key->bytes, k.mv_data, k.mv_size);
    return take(env, k, stored, check, value, err);
}

enum varve_status txn_seek(struct txn *txn, struct env_key *key, size_t prefix, bool check,
                           struct env_value *value, struct varve_err *err)
{
    struct env_key wanted = *key;
    MDB_val k, stored;
    TRY(cursor_of(txn, err));
    int code = seek_code(txn->cursor, key, &k, &stored);
    return found(txn->env, code, k, stored, wanted.bytes, prefix, check, key, value, err);
}

enum varve_status txn_seek_back(struct txn *txn, struct env_key *key, size_t prefix, bool check,
                                struct env_value *value, struct varve_err *err)
{
    struct env_key wanted = *key;
    MDB_val k, stored;
    TRY(cursor_of(txn, err));
    int code = seek_back_code(txn->cursor, key, &k, &stored);
    return found(txn->env, code, k, stored, wanted.bytes, prefix, check, key, value, err);
}

/* ---- walking ---- */

enum varve_status walk_begin(struct txn *txn, const struct env_key *from, size_t prefix,
                             struct walk **result, struct varve_err *err)
{
    struct walk *walk = mem_zalloc(txn->env->mem, sizeof *walk);
    if (!walk)
        return fail_nomem(err, sizeof *walk);
    walk->txn = txn;
    walk->last = *from;
    walk->prefix_size = prefix;
    memcpy(walk->prefix, from->bytes, prefix);
    int code = mdb_cursor_open(txn->mdb, txn->env->dbi, &walk->cursor);
    if (code != 0) {
        mem_free(txn->env->mem, walk, sizeof *walk);
        return env_fail(txn->env, code, "walking", err);
    }
    *result = walk;
    return VARVE_OK;
}

static int step(struct walk *walk, MDB_val *k, MDB_val *stored)
{
    if (walk->begun && !walk->txn->write)
        return mdb_cursor_get(walk->cursor, k, stored, MDB_NEXT);
    int code = seek_code(walk->cursor, &walk->last, k, stored);
    bool same = walk->begun && code == 0 && k->mv_size == walk->last.size &&
                memcmp(k->mv_data, walk->last.bytes, k->mv_size) == 0;
    return same ? mdb_cursor_get(walk->cursor, k, stored, MDB_NEXT) : code;
}

enum varve_status walk_next(struct walk *walk, bool check, struct env_key *key,
                            struct env_value *value, struct varve_err *err)
{
    MDB_val k, stored;
    if (walk->ended)
        return VARVE_DONE;
    int code = step(walk, &k, &stored);
    walk->begun = true;
    enum varve_status status = found(walk->txn->env, code, k, stored, walk->prefix,
                                     walk->prefix_size, check, &walk->last, value, err);
    if (status == VARVE_NOTFOUND) {
        walk->ended = true;
        return VARVE_DONE;
    }
    *key = walk->last;
    return status;
}

void walk_end(struct walk *walk)
{
    if (!walk)
        return;
    mdb_cursor_close(walk->cursor);
    mem_free(walk->txn->env->mem, walk, sizeof *walk);
}

/* ---- peeking ---- */

enum varve_status env_peek(struct env *env, unsigned meta, const struct env_key *key,
                           uint8_t *bytes, size_t *size, uint64_t *txnid, struct varve_err *err)
{
    uint8_t stored[512];
    size_t stored_size = sizeof stored;
    struct env_value value;
    int fd, code = mdb_env_get_fd(env->mdb, &fd);
    if (code != 0)
        return env_fail(env, code, "reading a record", err);
    TRY(pagecheck_find(env->mem, fd, env->name, meta, key->bytes, key->size, stored, &stored_size,
                       txnid, err));
    TRY(take(env, key_of(key), (MDB_val){stored_size, stored}, true, &value, err));
    if (value.size > *size)
        return fail(err, VARVE_LIMIT, env->name, "a record of %zu bytes where %zu were expected",
                    value.size, *size);
    memcpy(bytes, value.data, value.size);
    *size = value.size;
    return VARVE_OK;
}
