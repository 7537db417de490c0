/* SPDX-License-Identifier: Apache-2.0
 *
 * env_open.c -- bringing an LMDB file up: creation, suspicion, mapping.
 *
 * A new file is made under another name, synced and then linked to its own,
 * so a crash leaves either no file or a good one, and of two processes that
 * make the same file one wins and both use it.
 *
 * An existing file is mapped only after its meta pages have passed, and used
 * only after the whole structure has.  LMDB is opened with its safest
 * settings: no WRITEMAP, no NOSYNC, no NOMETASYNC.  NOTLS ties a reader's slot
 * to its transaction instead of its thread.
 *
 * LMDB keeps its reader table and write lock in "<path>-lock".  Where that
 * file cannot be made or written, a file that is only read is opened without.
 */
#include "store/env_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/directory.h"
#include "base/hash.h"
#include "store/pagecheck.h"

enum { READERS = 512, MODE = 0600, LOCK_PAGE = 4096, STATE_TRIES = 100 };
enum { MIB = 1 << 20 };
#define DEFAULT_MAP ((size_t)1 << 30)
#define OUR_LMDB_FLAGS (MDB_NOSUBDIR | MDB_NOTLS)

static enum varve_status status_of(int code)
{
    switch (code) {
    case MDB_NOTFOUND:
        return VARVE_NOTFOUND;
    case MDB_MAP_FULL:
    case EFBIG:
        return VARVE_FULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_BAD_VALSIZE:
    case MDB_INCOMPATIBLE:
        return VARVE_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return VARVE_VERSION;
    case MDB_READERS_FULL:
    case MDB_TXN_FULL:
    case MDB_CURSOR_FULL:
        return VARVE_LIMIT;
    case MDB_BAD_TXN:
    case MDB_BAD_DBI:
    case MDB_BAD_RSLOT:
        return VARVE_MISUSE;
    default:
        return VARVE_IO;
    }
}

static const char *remedy_of(int code)
{
    switch (code) {
    case MDB_MAP_FULL:
        return "; the file has outgrown its map";
    case MDB_READERS_FULL:
        return "; too many snapshots are open in all processes together";
    case MDB_PANIC:
        return "; the disk failed before: close the store and open it again";
    case EACCES:
        return "; check the owner and the permissions";
    default:
        return status_of(code) == VARVE_CORRUPT ? "; verify the store and restore it from a backup"
                                                : "";
    }
}

enum varve_status
env_fail(const struct env *env, int code, const char *doing, struct varve_err *err)
{
    if (code > 0 && code != EFBIG)
        return fail_errno(err, VARVE_IO, code, env->name, "%s%s", doing, remedy_of(code));
    return fail(err, status_of(code), env->name, "%s: %s%s", doing, mdb_strerror(code),
                remedy_of(code));
}

uint64_t env_sum(const void *key, size_t key_size, const void *bytes, size_t size)
{
    return hash64(bytes, size, hash64(key, key_size, 0));
}

size_t env_map_for(const struct env *env, size_t used)
{
    size_t size = env->map_floor;
    if (used > ENV_MAP_MAX / 4)
        return used > ENV_MAP_MAX ? used : ENV_MAP_MAX;
    if (!(env->flags & ENV_FIXED_MAP) && size < 4 * used)
        size = 4 * used;
    if (size < used + MIB)
        size = used + MIB;
    size = (size + MIB - 1) & ~(size_t)(MIB - 1);
    return size < ENV_MAP_MAX ? size : ENV_MAP_MAX;
}

/* Writes an empty LMDB file, synced. */
static int write_new_file(const char *path, size_t map_size)
{
    MDB_env *mdb;
    int code = mdb_env_create(&mdb);
    if (code != 0)
        return code;
    code = mdb_env_set_mapsize(mdb, map_size);
    if (code == 0)
        code = mdb_env_open(mdb, path, OUR_LMDB_FLAGS | MDB_NOLOCK, MODE);
    if (code == 0)
        code = mdb_env_sync(mdb, 1);
    mdb_env_close(mdb);
    return code;
}

static enum varve_status create_file(const struct env *env, struct varve_err *err)
{
    size_t size = env->path_size + 32;
    char *fresh = mem_alloc(env->mem, size);
    if (!fresh)
        return fail_nomem(err, size);
    snprintf(fresh, size, "%s-new.%ld", env->path, (long)getpid());
    unlink(fresh);
    enum varve_status status = VARVE_OK;
    int code = write_new_file(fresh, MIB);
    if (code != 0)
        status = env_fail(env, code, "making the file", err);
    else if (link(fresh, env->path) != 0 && errno != EEXIST)
        status = fail_errno(err, VARVE_IO, errno, env->name, "making the file");
    unlink(fresh);
    if (status == VARVE_OK)
        status = directory_sync(env->path, err);
    mem_free(env->mem, fresh, size);
    return status;
}

/* Looks at the file before LMDB does.  *size: its bytes. */
static enum varve_status
suspect_file(const struct env *env, unsigned flags, size_t *size, struct varve_err *err)
{
    struct stat st;
    int fd = open(env->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && (flags & ENV_CREATE)) {
        TRY(create_file(env, err));
        fd = open(env->path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0 && errno == ENOENT)
        return fail(err, VARVE_NOTFOUND, env->name, "there is no such file");
    if (fd < 0)
        return fail_errno(err, VARVE_IO, errno, env->name, "opening the file");
    enum varve_status status = VARVE_OK;
    if (fstat(fd, &st) != 0)
        status = fail_errno(err, VARVE_IO, errno, env->name, "looking at the file");
    else if (!S_ISREG(st.st_mode))
        status = fail(err, VARVE_INVALID, env->name, "this is not a regular file");
    else
        status = pagecheck_metas(fd, env->name, err);
    if (status == VARVE_OK)
        *size = (size_t)st.st_size;
    close(fd);
    return status;
}

/* LMDB writes to its lock file through a map, and a store into a hole of a file on a full disk is a
 * SIGBUS.  So its first page, with the locks and the slots of 60 readers, gets its place here.  A
 * file that cannot be written is for LMDB to judge. */
static int place_lock_file(const struct env *env)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s-lock", env->path) >= (int)sizeof path)
        return ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, MODE);
    int code = fd < 0 ? errno : posix_fallocate(fd, 0, LOCK_PAGE);
    if (fd >= 0)
        close(fd);
    return code == ENOSPC || code == EDQUOT ? code : 0;
}

/* One attempt; on failure nothing is left. */
static int open_mdb(struct env *env, unsigned extra, size_t map_size)
{
    unsigned flags = OUR_LMDB_FLAGS | extra | (env->flags & ENV_RDONLY ? MDB_RDONLY : 0);
    int code = mdb_env_create(&env->mdb);
    if (code != 0) {
        env->mdb = NULL;
        return code;
    }
    code = mdb_env_set_maxreaders(env->mdb, READERS);
    if (code == 0)
        code = mdb_env_set_mapsize(env->mdb, map_size);
    if (code == 0 && !(extra & MDB_NOLOCK))
        code = place_lock_file(env);
    if (code == 0)
        code = mdb_env_open(env->mdb, env->path, flags, MODE);
    if (code != 0)
        env_lower(env);
    env->map_size = map_size;
    env->no_lock = (extra & MDB_NOLOCK) != 0;
    return code;
}

/* What mmap says when address space runs out (valgrind says EINVAL). */
static bool is_no_room(int code)
{
    return code == ENOMEM || code == EINVAL;
}

/* Without a lock file if need be, and with a smaller map where address space is short. */
static enum varve_status map_file(struct env *env, size_t size, struct varve_err *err)
{
    size_t map_size = env_map_for(env, size);
    unsigned extra = 0;
    int code = open_mdb(env, extra, map_size);
    if ((code == EACCES || code == EROFS || code == EPERM) && (env->flags & ENV_RDONLY)) {
        extra = MDB_NOLOCK;
        code = open_mdb(env, extra, map_size);
    }
    while (is_no_room(code) && map_size / 2 > 2 * size + 16 * MIB) {
        map_size /= 2;
        code = open_mdb(env, extra, map_size);
    }
    if (is_no_room(code))
        code = ENOMEM;
    return code == 0 ? VARVE_OK : env_fail(env, code, "opening the file", err);
}

/* The handle of the unnamed database, from a transaction; and the check of what that sees. */
static enum varve_status examine(struct env *env, bool check, struct varve_err *err)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn), fd;
    if (code != 0)
        return env_fail(env, code, "reading the file", err);
    enum varve_status status = VARVE_OK;
    code = mdb_dbi_open(txn, NULL, 0, &env->dbi);
    if (code == 0)
        code = mdb_env_get_fd(env->mdb, &fd);
    if (code != 0)
        status = env_fail(env, code, "reading the file", err);
    else if (check)
        status = pagecheck(env->mem, fd, env->name, mdb_txn_id(txn), NULL, err);
    mdb_txn_abort(txn);
    return status;
}

enum varve_status env_raise(struct env *env, unsigned flags, struct varve_err *err)
{
    size_t size = 0;
    int dead;
    MDB_stat stat;
    enum varve_status status = VARVE_BUSY;
    TRY(suspect_file(env, flags, &size, err));
    TRY(map_file(env, size, err));
    if (!env->no_lock)
        mdb_reader_check(env->mdb, &dead);
    for (int i = 0; status == VARVE_BUSY && i < STATE_TRIES; i++)
        status = examine(env, !(flags & ENV_NOCHECK), err);
    if (status == VARVE_OK && mdb_env_stat(env->mdb, &stat) == 0)
        env->page_size = stat.ms_psize;
    if (status != VARVE_OK)
        env_lower(env);
    return status;
}

void env_lower(struct env *env)
{
    if (env->mdb)
        mdb_env_close(env->mdb);
    env->mdb = NULL;
}

static void destroy(struct env *env)
{
    env_lower(env);
    pthread_cond_destroy(&env->changed);
    pthread_mutex_destroy(&env->mutex);
    mem_free(env->mem, env->path, env->path_size);
    mem_free(env->mem, env, sizeof *env);
}

static enum varve_status construct(struct env **result, struct mem *mem, const char *path,
                                   unsigned flags, size_t map_size, struct varve_err *err)
{
    struct env *env = mem_zalloc(mem, sizeof *env);
    size_t path_size = strlen(path) + 1;
    char *copy = mem_alloc(mem, path_size);
    pthread_condattr_t attributes;
    if (!env || !copy) {
        mem_free(mem, copy, path_size);
        mem_free(mem, env, sizeof *env);
        return fail_nomem(err, path_size + sizeof *env);
    }
    memcpy(copy, path, path_size);
    env->mem = mem;
    env->path = copy;
    env->path_size = path_size;
    env->name = strrchr(copy, '/') ? strrchr(copy, '/') + 1 : copy;
    env->flags = flags;
    env->map_floor = map_size ? map_size : DEFAULT_MAP;
    pthread_mutex_init(&env->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&env->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    *result = env;
    return VARVE_OK;
}

enum varve_status env_open(struct env **env, struct mem *mem, const char *path, unsigned flags,
                           size_t map_size, struct varve_err *err)
{
    struct env *made = NULL;
    TRY(construct(&made, mem, path, flags, map_size, err));
    enum varve_status status = env_raise(made, flags, err);
    if (status != VARVE_OK) {
        destroy(made);
        return status;
    }
    *env = made;
    return VARVE_OK;
}

void env_close(struct env *env)
{
    if (env)
        destroy(env);
}

const char *env_path(const struct env *env)
{
    return env->path;
}

size_t env_page_size(const struct env *env)
{
    return env->page_size;
}

uint64_t env_disk_bytes(const struct env *env)
{
    struct stat st;
    return stat(env->path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}
