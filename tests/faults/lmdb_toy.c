/* SPDX-License-Identifier: Apache-2.0
 *
 * lmdb_toy.c -- a tiny LMDB database that knows what it must hold.
 */
#include "lmdb_toy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VALUES = 5, KEPT = 20, SMALL = 600, LARGE = 9000 };

static char last_name[] = "last";

int toy_open(const char *directory, unsigned flags, MDB_env **env)
{
    int rc = mdb_env_create(env);
    if (rc)
        return rc;
    mdb_env_set_mapsize(*env, 64 << 20);
    rc = mdb_env_open(*env, directory, flags, 0600);
    if (rc)
        mdb_env_close(*env);
    return rc;
}

static size_t value_of(uint64_t batch, int i, unsigned char bytes[LARGE])
{
    size_t size = i == VALUES - 1 ? LARGE : SMALL;
    for (size_t k = 0; k < size; k++)
        bytes[k] = (unsigned char)(batch * 131 + (uint64_t)i * 17 + k * 7 + (k >> 8));
    return size;
}

static MDB_val key_of(uint64_t batch, int i, char text[40])
{
    int n = snprintf(text, 40, "%010" PRIu64 "-%d", batch, i);
    return (MDB_val){(size_t)n, text};
}

static int get_last(MDB_txn *txn, MDB_dbi dbi, uint64_t *last)
{
    MDB_val key = {sizeof last_name, last_name}, value;
    int rc = mdb_get(txn, dbi, &key, &value);
    *last = 0;
    if (rc == 0 && value.mv_size == sizeof *last)
        memcpy(last, value.mv_data, sizeof *last);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int begin(MDB_env *env, unsigned flags, MDB_txn **txn, MDB_dbi *dbi)
{
    int rc = mdb_txn_begin(env, NULL, flags, txn);
    if (rc)
        return rc;
    rc = mdb_dbi_open(*txn, NULL, 0, dbi);
    if (rc)
        mdb_txn_abort(*txn);
    return rc;
}

int toy_last(MDB_env *env, uint64_t *last)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    int rc = begin(env, MDB_RDONLY, &txn, &dbi);
    if (rc)
        return rc;
    rc = get_last(txn, dbi, last);
    mdb_txn_abort(txn);
    return rc;
}

static int put_batch(MDB_txn *txn, MDB_dbi dbi, uint64_t batch)
{
    unsigned char bytes[LARGE];
    char text[40];
    MDB_val last_key = {sizeof last_name, last_name}, last = {sizeof batch, &batch};
    for (int i = 0; i < VALUES; i++) {
        MDB_val key = key_of(batch, i, text), value = {value_of(batch, i, bytes), bytes};
        int rc = mdb_put(txn, dbi, &key, &value, 0);
        if (rc == 0 && batch > KEPT) {
            key = key_of(batch - KEPT, i, text);
            rc = mdb_del(txn, dbi, &key, NULL);
        }
        if (rc)
            return rc;
    }
    return mdb_put(txn, dbi, &last_key, &last, 0);
}

int toy_commit(MDB_env *env, uint64_t batch)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    int rc = begin(env, 0, &txn, &dbi);
    if (rc)
        return rc;
    rc = put_batch(txn, dbi, batch);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int verify(MDB_txn *txn, MDB_dbi dbi, uint64_t *last, char text[GUARD_TEXT])
{
    MDB_stat stat;
    unsigned char bytes[LARGE];
    int rc = get_last(txn, dbi, last);
    if (rc == 0)
        rc = mdb_stat(txn, dbi, &stat);
    if (rc) {
        snprintf(text, GUARD_TEXT, "%s", mdb_strerror(rc));
        return rc;
    }
    uint64_t first = *last > KEPT ? *last - KEPT + 1 : 1, count = 0;
    for (uint64_t batch = first; batch <= *last; batch++)
        for (int i = 0; i < VALUES; i++, count++) {
            char name[40];
            MDB_val key = key_of(batch, i, name), value;
            size_t size = value_of(batch, i, bytes);
            rc = mdb_get(txn, dbi, &key, &value);
            if (rc == 0 && value.mv_size == size && memcmp(value.mv_data, bytes, size) == 0)
                continue;
            snprintf(text, GUARD_TEXT, "value %s of %" PRIu64 ": %s", name, *last,
                     rc ? mdb_strerror(rc) : "other bytes");
            return -1;
        }
    if (stat.ms_entries == count + (*last > 0))
        return 0;
    snprintf(text, GUARD_TEXT, "%zu entries at %" PRIu64, stat.ms_entries, *last);
    return -1;
}

int toy_verify(MDB_env *env, uint64_t *last, char text[GUARD_TEXT])
{
    MDB_txn *txn;
    MDB_dbi dbi;
    int rc = begin(env, MDB_RDONLY, &txn, &dbi);
    if (rc) {
        snprintf(text, GUARD_TEXT, "%s", mdb_strerror(rc));
        return rc;
    }
    rc = verify(txn, dbi, last, text);
    mdb_txn_abort(txn);
    return rc;
}

int toy_check(const char *directory, uint64_t *last, char text[GUARD_TEXT])
{
    MDB_env *env;
    int rc = toy_open(directory, 0, &env);
    if (rc) {
        snprintf(text, GUARD_TEXT, "open: %s", mdb_strerror(rc));
        return rc;
    }
    rc = toy_verify(env, last, text);
    mdb_env_close(env);
    return rc;
}
