/* SPDX-License-Identifier: Apache-2.0
 *
 * env_private.h -- what the three halves of env.h share: env_open.c brings a file up
 * and down, env.c begins and ends transactions, env_value.c reads and writes in them.
 */
#ifndef STORE_ENV_PRIVATE_H
#define STORE_ENV_PRIVATE_H

#include <lmdb.h>
#include <pthread.h>
#include "store/env.h"

enum env_health {
    ENV_FINE,
    ENV_NO_WRITES, /* the disk failed in a commit: what is there can still be read */
    ENV_LOST       /* there is no LMDB environment */
};

/* What LMDB writes of a meta page: from its offset 32 on. */
#define ENV_META_AT 32
#define ENV_META_SIZE 120

struct env {
    struct mem *mem;
    char *path;
    size_t path_size;
    const char *name; /* the last part of path, for messages */
    unsigned flags;
    size_t map_floor, map_size;
    size_t page_size;
    bool no_lock; /* nobody can be writing: there is no table of readers */
    MDB_env *mdb;
    MDB_dbi dbi;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    unsigned open; /* transactions of this process, and threads that wait for one */
    bool writing;  /* one of them writes, or waits to */
    pthread_t writer;
    bool moving; /* the map is being replaced: nobody may begin */
    enum env_health health;
    unsigned writes_begun;

    /* The meta page that the write transaction at hand would replace; the writer's. */
    struct {
        uint64_t txnid;
        bool wanted; /* its commit failed: what LMDB left there is to go */
        uint8_t bytes[ENV_META_SIZE];
    } before;
};

struct txn {
    struct env *env;
    MDB_txn *mdb;
    MDB_cursor *cursor; /* for txn_seek; made when first needed */
    bool write;
};

/* Turns LMDB's number (or errno) into a status and a message that begins with `doing`. */
enum varve_status
env_fail(const struct env *env, int code, const char *doing, struct varve_err *err);
/* How large a map should be for a file of `used` bytes. */
size_t env_map_for(const struct env *env, size_t used);
/* Opens env->mdb (which must be NULL), checks the file; on failure env->mdb is NULL again. */
enum varve_status env_raise(struct env *env, unsigned flags, struct varve_err *err) VARVE_CHECKED;
void env_lower(struct env *env);
/* XXH3-64 over the key and then the bytes. */
uint64_t env_sum(const void *key, size_t key_size, const void *bytes, size_t size);

#endif
