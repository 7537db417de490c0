/* SPDX-License-Identifier: Apache-2.0
 *
 * lockfile.c -- open-file-description locks on single bytes of an empty file,
 * and the table of stores this process has open.
 *
 * The kernel gives such locks on bytes that the file does not have, so the
 * file stays empty whatever the epoch.  A lock is given up explicitly before its
 * descriptor is closed: a child that was forked meanwhile has a copy of the
 * descriptor, which would keep the lock.
 *
 * Does not wait for anything: what is taken is VARVE_BUSY at once.
 */
#include "store/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"

enum { BYTE_OPEN = 0, BYTE_HOUSE = 1, BYTE_EPOCHS = 16 };
#define EPOCH_MAX ((uint64_t)INT64_MAX - BYTE_EPOCHS - 1)

/* A descriptor of the lock file, for reading at least; -1 in *fd where there can be no file. */
static enum varve_status
open_file(const char *directory, bool must_write, int *fd, struct varve_err *err)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/lock", directory);
    if (n < 0 || (size_t)n >= sizeof path)
        return fail(err, VARVE_LIMIT, directory, "the path is longer than %d bytes", PATH_MAX);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd >= 0)
        return VARVE_OK;
    if (!must_write && (errno == EROFS || errno == EACCES || errno == EPERM)) {
        *fd = open(path, O_RDONLY | O_CLOEXEC);
        if (*fd >= 0 || errno == ENOENT)
            return VARVE_OK;
    }
    return fail_errno(err, errno == ENOENT ? VARVE_NOTFOUND : VARVE_IO, errno, path,
                      "opening the lock file");
}

static enum varve_status
set_lock(int fd, short type, off_t byte, const char *held, struct varve_err *err)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int code;
    do
        code = fcntl(fd, F_OFD_SETLK, &lock);
    while (code != 0 && errno == EINTR);
    if (code == 0)
        return VARVE_OK;
    if (errno == EAGAIN || errno == EACCES)
        return fail(err, VARVE_BUSY, "lock", "%s", held);
    if (errno == EBADF)
        return fail(err, VARVE_READONLY, "lock", "the store may only be read here");
    if (errno == EINVAL)
        return fail(err, VARVE_IO, "lock",
                    "this system has no open-file-description locks (Linux 3.15 and later has)");
    return fail_errno(err, VARVE_IO, errno, "lock",
                      "locking; is the store on a network file system?");
}

static enum varve_status take(struct lock *lock, const char *directory, bool must_write, short type,
                              off_t byte, const char *held, struct varve_err *err)
{
    int fd = -1;
    lock->fd = -1;
    TRY(open_file(directory, must_write, &fd, err));
    if (fd < 0)
        return VARVE_OK;
    enum varve_status status = set_lock(fd, type, byte, held, err);
    if (status == VARVE_OK)
        lock->fd = fd;
    else
        close(fd);
    return status;
}

enum varve_status
lock_open_store(struct lock *lock, const char *directory, int read_only, struct varve_err *err)
{
    return take(lock, directory, !read_only, F_RDLCK, BYTE_OPEN,
                "another process is rewriting the store; try again in a moment", err);
}

enum varve_status lock_house(struct lock *lock, const char *directory, struct varve_err *err)
{
    return take(lock, directory, true, F_WRLCK, BYTE_HOUSE,
                "the store is being sealed or compacted already; try again later", err);
}

enum varve_status
lock_epoch(struct lock *lock, const char *directory, uint64_t epoch, struct varve_err *err)
{
    lock->fd = -1;
    if (epoch > EPOCH_MAX)
        return fail(err, VARVE_LIMIT, "lock", "there can be no so late epoch");
    return take(lock, directory, false, F_RDLCK, BYTE_EPOCHS + (off_t)epoch,
                "the snapshot's epoch is locked", err);
}

enum varve_status lock_exclude(struct lock *open_lock, struct varve_err *err)
{
    if (open_lock->fd < 0)
        return fail(err, VARVE_READONLY, "lock", "the store may only be read here");
    return set_lock(open_lock->fd, F_WRLCK, BYTE_OPEN, "another process has the store open", err);
}

enum varve_status lock_share(struct lock *open_lock, struct varve_err *err)
{
    if (open_lock->fd < 0)
        return VARVE_OK;
    return set_lock(open_lock->fd, F_RDLCK, BYTE_OPEN, "another process has the store open", err);
}

enum varve_status
lock_epochs_below(const char *directory, uint64_t epoch, int *alive, struct varve_err *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = BYTE_EPOCHS};
    int fd = -1;
    *alive = 0;
    if (epoch == 0)
        return VARVE_OK;
    lock.l_len = (off_t)(epoch < EPOCH_MAX ? epoch : EPOCH_MAX);
    TRY(open_file(directory, false, &fd, err));
    if (fd < 0)
        return VARVE_OK;
    int code = fcntl(fd, F_OFD_GETLK, &lock) != 0 ? errno : 0;
    close(fd);
    if (code != 0)
        return fail_errno(err, VARVE_IO, code, "lock", "looking for snapshots");
    *alive = lock.l_type != F_UNLCK;
    return VARVE_OK;
}

void lock_release(struct lock *lock)
{
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    if (lock->fd < 0)
        return;
    fcntl(lock->fd, F_OFD_SETLK, &all);
    close(lock->fd);
    lock->fd = -1;
}

/* ---- the registry ---- */

struct entry {
    bool used;
    pid_t pid; /* a child has a copy of its parent's table, which is not its own */
    dev_t device;
    ino_t inode;
    struct h128 text; /* of the path as it was given */
};
static struct entry entries[64];
static pthread_mutex_t entries_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_live(const struct entry *entry)
{
    return entry->used && entry->pid == getpid();
}

enum varve_status registry_add(const char *directory, struct varve_err *err)
{
    struct stat st;
    struct entry *room = NULL;
    if (stat(directory, &st) != 0)
        return fail_errno(err, errno == ENOENT ? VARVE_NOTFOUND : VARVE_IO, errno, directory,
                          "looking at the store's directory");
    enum varve_status status = VARVE_OK;
    pthread_mutex_lock(&entries_mutex);
    for (size_t i = 0; i < sizeof entries / sizeof *entries && status == VARVE_OK; i++) {
        struct entry *e = &entries[i];
        if (!is_live(e))
            room = room ? room : e;
        else if (e->device == st.st_dev && e->inode == st.st_ino)
            status = fail(err, VARVE_BUSY, directory,
                          "this process has the store open already; use that handle");
    }
    if (status == VARVE_OK && !room)
        status = fail(err, VARVE_LIMIT, directory, "this process has 64 stores open; close one");
    if (status == VARVE_OK)
        *room = (struct entry){true, getpid(), st.st_dev, st.st_ino,
                               hash128(directory, strlen(directory), 0)};
    pthread_mutex_unlock(&entries_mutex);
    return status;
}

void registry_remove(const char *directory)
{
    struct stat st;
    struct h128 text = hash128(directory, strlen(directory), 0);
    bool known = stat(directory, &st) == 0;
    struct entry *found = NULL;
    pthread_mutex_lock(&entries_mutex);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        struct entry *e = &entries[i];
        if (!is_live(e) || !h128_equal(e->text, text))
            continue;
        bool same = known && e->device == st.st_dev && e->inode == st.st_ino;
        if (same || !found)
            found = e;
        if (same)
            break;
    }
    if (found)
        found->used = false;
    pthread_mutex_unlock(&entries_mutex);
}
