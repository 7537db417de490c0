/* SPDX-License-Identifier: Apache-2.0
 *
 * env.c -- transactions: who may begin one, and how the map grows.
 *
 * LMDB replaces its map only while the process has no transaction open, so
 * transactions are counted.  A thread that needs a larger map gives up its
 * own, shuts the gate (`moving`), waits until the count is zero, replaces the
 * map and begins again.  Writers of one process also queue here rather than at
 * LMDB's lock, which makes a second write transaction of one thread an
 * error instead of a deadlock.
 *
 * Room is made before a write transaction's first put: for the bytes announced,
 * rounded up to pages, and for a copy of every tree page there is.  So MDB_MAP_FULL
 * is practically impossible.
 */
#include "store/env_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include "base/directory.h"
#include "store/pagecheck.h"

enum { PATIENCE = 10, CHECK_READERS_EVERY = 64, BEGIN_TRIES = 100 };
/* Tree pages of the free list and the like. */
#define WRITE_SLACK ((size_t)4 << 20)

static struct timespec deadline(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += PATIENCE;
    return at;
}

/* ---- the gate ---- */

static enum varve_status enter(struct env *env, bool write, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    pthread_mutex_lock(&env->mutex);
    if (write && env->writing && pthread_equal(env->writer, pthread_self())) {
        pthread_mutex_unlock(&env->mutex);
        return fail(err, VARVE_MISUSE, env->name,
                    "this thread has a write transaction open already");
    }
    while (env->moving || (write && env->writing))
        pthread_cond_wait(&env->changed, &env->mutex);
    if (env->health == ENV_LOST || (write && env->health == ENV_NO_WRITES)) {
        status = fail(err, VARVE_IO, env->name,
                      "the disk failed before: close the store and open it again");
    } else {
        env->open++;
        if (write) {
            env->writing = true;
            env->writer = pthread_self();
        }
    }
    pthread_mutex_unlock(&env->mutex);
    return status;
}

static void leave(struct env *env, bool write)
{
    pthread_mutex_lock(&env->mutex);
    env->open--;
    if (write)
        env->writing = false;
    pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->mutex);
}

/* Shuts the gate and waits until nothing is open; the mutex is held on return, the gate only on
 * success. */
static enum varve_status shut(struct env *env, struct varve_err *err)
{
    struct timespec until = deadline();
    pthread_mutex_lock(&env->mutex);
    while (env->moving)
        pthread_cond_wait(&env->changed, &env->mutex);
    env->moving = true;
    while (env->open > 0) {
        if (pthread_cond_timedwait(&env->changed, &env->mutex, &until) != ETIMEDOUT)
            continue;
        env->moving = false;
        pthread_cond_broadcast(&env->changed);
        return fail(err, VARVE_BUSY, env->name,
                    "the map has to be replaced, but a transaction has been open for %d seconds",
                    PATIENCE);
    }
    return VARVE_OK;
}

static void unshut(struct env *env)
{
    env->moving = false;
    pthread_cond_broadcast(&env->changed);
}

static size_t used_bytes(const struct env *env)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    return (info.me_last_pgno + 1) * env->page_size;
}

/* Replaces the map by one for at least `want` bytes.  The caller is in, with no transaction, and
 * stays in whatever happens. */
static enum varve_status move_map(struct env *env, size_t want, struct varve_err *err)
{
    pthread_mutex_lock(&env->mutex);
    env->open--;
    pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->mutex);
    enum varve_status status = shut(env, err);
    env->open++;
    if (status == VARVE_OK && env->health == ENV_LOST)
        status = fail(err, VARVE_IO, env->name, "the environment was lost; open the store again");
    if (status == VARVE_OK) {
        size_t used = used_bytes(env), size = env_map_for(env, used > want ? used : want);
        int code = size > env->map_size ? mdb_env_set_mapsize(env->mdb, size) : 0;
        if (code != 0) { /* the old map is gone by now */
            env->health = ENV_LOST;
            status = env_fail(env, code, "growing the map", err);
        } else if (size > env->map_size) {
            env->map_size = size;
        }
        unshut(env);
    }
    pthread_mutex_unlock(&env->mutex);
    return status;
}

bool env_is_dead(struct env *env)
{
    pthread_mutex_lock(&env->mutex);
    bool dead = env->health != ENV_FINE;
    pthread_mutex_unlock(&env->mutex);
    return dead;
}

static off_t meta_place(const struct env *env, uint64_t txnid)
{
    return (off_t)((txnid & 1) * env->page_size + ENV_META_AT);
}

static void remember_meta(struct env *env, struct txn *txn)
{
    int fd;
    env->before.txnid = mdb_txn_id(txn->mdb);
    env->before.wanted = false;
    if (mdb_env_get_fd(env->mdb, &fd) != 0 ||
        pread(fd, env->before.bytes, ENV_META_SIZE, meta_place(env, env->before.txnid)) !=
            ENV_META_SIZE)
        env->before.txnid = 0;
}

/* When LMDB cannot write its meta page it puts the old number back, but not the old trees: the
 * commit that failed looks as if its number were damaged.  Here the old page comes back, unless
 * another process has written since, which does the same.  If the disk fails still, it stays in the
 * system's cache at least. */
static void restore_meta(struct env *env)
{
    MDB_txn *txn;
    int fd;
    if (!env->before.wanted)
        return;
    env->before.wanted = false;
    if (mdb_txn_begin(env->mdb, NULL, 0, &txn) != 0)
        return;
    if (mdb_txn_id(txn) == env->before.txnid && mdb_env_get_fd(env->mdb, &fd) == 0 &&
        pwrite(fd, env->before.bytes, ENV_META_SIZE, meta_place(env, env->before.txnid)) > 0)
        (void)!fdatasync(fd);
    mdb_txn_abort(txn);
}

enum varve_status env_reopen(struct env *env, struct varve_err *err)
{
    enum varve_status status = shut(env, err);
    if (status == VARVE_OK) {
        env_lower(env);
        status = env_raise(env, env->flags & ~(unsigned)(ENV_CREATE | ENV_NOCHECK), err);
        env->health = status == VARVE_OK ? ENV_FINE : ENV_LOST;
        if (status == VARVE_OK)
            restore_meta(env);
        unshut(env);
    }
    pthread_mutex_unlock(&env->mutex);
    return status;
}

static void fall_ill(struct env *env)
{
    pthread_mutex_lock(&env->mutex);
    if (env->health == ENV_FINE)
        env->health = ENV_NO_WRITES;
    pthread_mutex_unlock(&env->mutex);
}

/* ---- beginning ---- */

/* Begins LMDB's transaction, with a larger map when another process has made the file larger than
 * ours. */
static enum varve_status begin(struct env *env, struct txn *txn, struct varve_err *err)
{
    for (;;) {
        int code = mdb_txn_begin(env->mdb, NULL, txn->write ? 0 : MDB_RDONLY, &txn->mdb);
        if (code == 0)
            return VARVE_OK;
        if (code == MDB_PANIC)
            fall_ill(env);
        if (code != MDB_MAP_RESIZED)
            return env_fail(env, code, "beginning a transaction", err);
        if (env->flags & ENV_FIXED_MAP)
            return fail(err, VARVE_LIMIT, env->name,
                        "another process has made the file larger than this one can map; "
                        "close the store and open it again");
        TRY(move_map(env, 0, err));
    }
}

/* The bytes a map must have for what the transaction may write: every value on pages of its own or
 * among others, and each tree page copied once. */
static size_t wanted_bytes(struct env *env, struct txn *txn, size_t need)
{
    MDB_stat stat;
    size_t trees = 0;
    if (mdb_stat(txn->mdb, env->dbi, &stat) == 0)
        trees = (stat.ms_branch_pages + stat.ms_leaf_pages) * env->page_size;
    if (need > ENV_MAP_MAX)
        return SIZE_MAX;
    return used_bytes(env) + 2 * need + trees + WRITE_SLACK;
}

static enum varve_status
begin_with_room(struct env *env, struct txn *txn, size_t need, struct varve_err *err)
{
    for (;;) {
        TRY(begin(env, txn, err));
        size_t want = wanted_bytes(env, txn, need);
        if (want <= env->map_size)
            return VARVE_OK;
        mdb_txn_abort(txn->mdb);
        txn->mdb = NULL;
        if (env->flags & ENV_FIXED_MAP)
            return fail(err, VARVE_LIMIT, env->name,
                        "the file would become larger than its map of %zu MiB",
                        env->map_size >> 20);
        if (want > ENV_MAP_MAX)
            return fail(err, VARVE_FULL, env->name, "the file would become larger than %zu GiB",
                        ENV_MAP_MAX >> 30);
        TRY(move_map(env, want, err));
    }
}

/* A reader takes the number of the newest commit first and then reads its meta page.  If it is
 * held up between the two while others commit, the page is of a later commit than the number: the
 * tree is sound, but not the one the number names.  Then it begins once more. */
static enum varve_status begin_reading(struct env *env, struct txn *txn, struct varve_err *err)
{
    MDB_envinfo info;
    for (int tries = 0;; tries++) {
        TRY(begin(env, txn, err));
        bool overtaken = mdb_env_info(env->mdb, &info) == MDB_SUCCESS &&
                         info.me_last_txnid > mdb_txn_id(txn->mdb) + 1;
        if (!overtaken || tries == BEGIN_TRIES)
            return VARVE_OK;
        mdb_txn_abort(txn->mdb);
        txn->mdb = NULL;
    }
}

static enum varve_status
begin_any(struct env *env, struct txn **result, bool write, size_t need, struct varve_err *err)
{
    struct txn *txn = mem_zalloc(env->mem, sizeof *txn);
    if (!txn)
        return fail_nomem(err, sizeof *txn);
    txn->env = env;
    txn->write = write;
    enum varve_status status = enter(env, write, err);
    if (status != VARVE_OK) {
        mem_free(env->mem, txn, sizeof *txn);
        return status;
    }
    status = write ? begin_with_room(env, txn, need, err) : begin_reading(env, txn, err);
    if (status != VARVE_OK) {
        leave(env, write);
        mem_free(env->mem, txn, sizeof *txn);
        return status;
    }
    *result = txn;
    return VARVE_OK;
}

enum varve_status env_begin_read(struct env *env, struct txn **txn, struct varve_err *err)
{
    return begin_any(env, txn, false, 0, err);
}

enum varve_status
env_begin_write(struct env *env, struct txn **txn, size_t need, struct varve_err *err)
{
    int dead;
    if (env->flags & ENV_RDONLY)
        return fail(err, VARVE_READONLY, env->name, "the file is open for reading only");
    TRY(begin_any(env, txn, true, need, err));
    remember_meta(env, *txn);
    /* Slots of readers that died keep pages from being used again. */
    if (env->writes_begun++ % CHECK_READERS_EVERY == 0)
        mdb_reader_check(env->mdb, &dead);
    return VARVE_OK;
}

/* ---- ending ---- */

static void dispose(struct txn *txn)
{
    struct env *env = txn->env;
    leave(env, txn->write);
    mem_free(env->mem, txn, sizeof *txn);
}

/* LMDB reports a write that the disk had too little room for as EIO. */
static bool disk_is_full(const struct env *env)
{
    struct statvfs fs;
    return statvfs(env->path, &fs) == 0 && fs.f_bavail * fs.f_frsize < WRITE_SLACK;
}

/* When a meta page could not be written LMDB refuses everything from then on, whatever the
 * reason. */
static bool has_panicked(struct env *env)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (code == 0)
        mdb_txn_abort(txn);
    return code == MDB_PANIC;
}

static enum varve_status commit_failed(struct env *env, int code, struct varve_err *err)
{
    bool panic = has_panicked(env);
    env->before.wanted = panic && env->before.txnid != 0;
    if (panic || (code != ENOSPC && code != EDQUOT && code != ENOMEM && code != EFBIG &&
                  code != MDB_MAP_FULL))
        fall_ill(env);
    if (code == EIO && disk_is_full(env))
        return fail(err, VARVE_FULL, env->name, "the disk is full; nothing was written: make room");
    return env_fail(env, code, "committing; nothing was written", err);
}

enum varve_status txn_commit(struct txn *txn, struct varve_err *err)
{
    if (txn->cursor)
        mdb_cursor_close(txn->cursor);
    enum varve_status status = VARVE_OK;
    int code = mdb_txn_commit(txn->mdb);
    if (code != 0)
        status = commit_failed(txn->env, code, err);
    dispose(txn);
    return status;
}

void txn_abort(struct txn *txn)
{
    if (!txn)
        return;
    if (txn->cursor)
        mdb_cursor_close(txn->cursor);
    mdb_txn_abort(txn->mdb);
    dispose(txn);
}

uint64_t txn_id(const struct txn *txn)
{
    return mdb_txn_id(txn->mdb);
}

bool txn_writes(const struct txn *txn)
{
    return txn->write;
}

/* ---- the whole file ---- */

enum varve_status
env_copy(struct env *env, const char *path, bool compacting, struct varve_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(err, VARVE_IO, errno, path, "making the copy");
    enum varve_status status = enter(env, false, err);
    if (status == VARVE_OK) {
        int code = mdb_env_copyfd2(env->mdb, fd, compacting ? MDB_CP_COMPACT : 0);
        leave(env, false);
        if (code != 0)
            status = env_fail(env, code, "copying the file", err);
    }
    if (status == VARVE_OK && fsync(fd) != 0)
        status = fail_errno(err, VARVE_IO, errno, path, "syncing the copy");
    close(fd);
    if (status == VARVE_OK)
        status = directory_sync(path, err);
    if (status != VARVE_OK)
        unlink(path);
    return status;
}

enum varve_status
env_check(struct env *env, struct txn *txn, struct pagecheck_result *result, struct varve_err *err)
{
    int fd, code = mdb_env_get_fd(env->mdb, &fd);
    if (code != 0)
        return env_fail(env, code, "checking the file", err);
    if (txn->write)
        return fail(err, VARVE_MISUSE, env->name, "only what is committed can be checked");
    return pagecheck(env->mem, fd, env->name, txn_id(txn), result, err);
}
