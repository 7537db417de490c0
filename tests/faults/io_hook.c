/* SPDX-License-Identifier: Apache-2.0
 *
 * io_hook.c -- every call of this program that changes files, seen and refused.
 *
 * Functions of the main program take precedence over those of the same name in
 * shared libraries; this file defines the ones below and makes the real calls
 * with syscall(2).  While no observer is set they cost a load and a branch.
 *
 * Paths: a descriptor's comes from /proc/self/fd, a name's from the real path of
 * its directory.  The observer's directory is compared as a prefix of either.
 */
#include "io_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOOK __attribute__((visibility("default")))

_Static_assert(sizeof(off_t) == 8, "offsets have 64 bits");

struct watch {
    const struct io_observer *observer;
    char directory[PATH_MAX];
    size_t length;
};

static struct watch watches[IO_SLOTS];
static bool active;

void io_hook_set(enum io_slot slot, const char *directory, const struct io_observer *observer)
{
    struct watch *watch = &watches[slot];
    watch->observer = NULL;
    if (observer && !realpath(directory, watch->directory)) {
        perror(directory);
        abort();
    }
    watch->length = strlen(watch->directory);
    watch->observer = observer;
    active = watches[0].observer || watches[1].observer;
}

const char *io_op_name(enum io_op op)
{
    static const char *const names[] = {"write",  "sync",  "range", "truncate", "allocate",
                                        "create", "mkdir", "link",  "rename",   "remove"};
    return names[op];
}

/* ---- telling the observers ------------------------------------------------ */

static bool watched(const struct watch *watch, const char *path)
{
    return watch->observer && path && strncmp(path, watch->directory, watch->length) == 0 &&
           (path[watch->length] == '/' || path[watch->length] == 0);
}

static bool concerns(const struct watch *watch, const struct io_event *event)
{
    return watched(watch, event->path) || watched(watch, event->path2);
}

static bool any_concerned(const struct io_event *event)
{
    return concerns(&watches[0], event) || concerns(&watches[1], event);
}

static int ask(const struct io_event *event)
{
    int answer = 0;
    for (int i = 0; i < IO_SLOTS && answer == 0; i++)
        if (concerns(&watches[i], event) && watches[i].observer->before)
            answer = watches[i].observer->before(event);
    return answer;
}

static void tell(const struct io_event *event)
{
    int saved = errno;
    for (int i = 0; i < IO_SLOTS; i++)
        if (concerns(&watches[i], event) && watches[i].observer->after)
            watches[i].observer->after(event);
    errno = saved;
}

static int refuse(int error)
{
    errno = error;
    return -1;
}

/* The path behind a descriptor; NULL when nobody watches or it has none. */
static const char *path_of(int fd, char path[PATH_MAX])
{
    if (!active || fd < 0)
        return NULL;
    int saved = errno;
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    errno = saved;
    if (n <= 0 || path[0] != '/')
        return NULL;
    path[n] = 0;
    return path;
}

/* The absolute path of a name: its directory's real path, and the name. */
static const char *path_at(int directory, const char *name, char path[PATH_MAX])
{
    char at[PATH_MAX], start[PATH_MAX];
    if (!active)
        return NULL;
    int saved = errno;
    const char *base = name[0] == '/'          ? ""
                       : directory == AT_FDCWD ? getcwd(start, sizeof start)
                                               : path_of(directory, start);
    int n = base ? snprintf(at, sizeof at, "%s/%s", base, name) : -1;
    bool known = n > 0 && (size_t)n < sizeof at;
    if (known) {
        while (n > 1 && at[n - 1] == '/')
            at[--n] = 0;
        char *slash = strrchr(at, '/');
        *slash = 0;
        known = realpath(slash == at ? "/" : at, path) != NULL;
        size_t length = known ? strlen(path) : 0;
        known = known && snprintf(path + length, PATH_MAX - length, "%s%s", length == 1 ? "" : "/",
                                  slash + 1) > 0;
    }
    errno = saved;
    return known ? path : NULL;
}

static bool is_durable(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_DSYNC);
}

/* ---- bytes ------------------------------------------------------------------ */

static ssize_t raw_write(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (offset >= 0)
        return syscall(SYS_pwritev, fd, parts, (long)count, offset, 0L);
    if (count == 1)
        return syscall(SYS_write, fd, parts->iov_base, parts->iov_len);
    return syscall(SYS_writev, fd, parts, (long)count);
}

/* The first `size` bytes of the parts; answers how many parts that is. */
static int shorten(struct iovec *to, const struct iovec *parts, size_t size)
{
    int count = 0;
    while (size > 0) {
        to[count] = parts[count];
        if (to[count].iov_len > size)
            to[count].iov_len = size;
        size -= to[count++].iov_len;
    }
    return count;
}

static ssize_t hooked_write(int fd, const struct iovec *parts, int count, off_t offset)
{
    char path[PATH_MAX];
    struct io_event event = {IO_WRITE, .fd = fd, .path = path_of(fd, path), .parts = parts};
    if (!any_concerned(&event) || count > IOV_MAX)
        return raw_write(fd, parts, count, offset);
    for (int i = 0; i < count; i++)
        event.size += parts[i].iov_len;
    event.offset = (uint64_t)(offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR));
    event.durable = is_durable(fd);
    int answer = ask(&event);
    struct iovec half[IOV_MAX];
    if (answer == IO_HOOK_SHORT && event.size < 2)
        answer = ENOSPC;
    if (answer > 0)
        return refuse(answer);
    if (answer == IO_HOOK_SHORT) {
        count = shorten(half, parts, event.size / 2);
        parts = half;
    }
    ssize_t written = raw_write(fd, parts, count, offset);
    if (written > 0) {
        event.size = (uint64_t)written;
        if (offset < 0) /* O_APPEND writes elsewhere than the position was */
            event.offset = (uint64_t)(lseek(fd, 0, SEEK_CUR) - written);
        tell(&event);
    }
    return written;
}

HOOK ssize_t write(int fd, const void *bytes, size_t size)
{
    struct iovec part = {.iov_len = size};
    memcpy(&part.iov_base, &bytes, sizeof bytes);
    return active ? hooked_write(fd, &part, 1, -1) : raw_write(fd, &part, 1, -1);
}

HOOK ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    struct iovec part = {.iov_len = size};
    memcpy(&part.iov_base, &bytes, sizeof bytes);
    if (offset < 0)
        return refuse(EINVAL);
    return active ? hooked_write(fd, &part, 1, offset) : raw_write(fd, &part, 1, offset);
}

HOOK ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return active ? hooked_write(fd, parts, count, -1)
                  : syscall(SYS_writev, fd, parts, (long)count);
}

HOOK ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (offset < 0)
        return refuse(EINVAL);
    return active ? hooked_write(fd, parts, count, offset) : raw_write(fd, parts, count, offset);
}

HOOK ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

HOOK ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(fd, parts, count, offset);
}

/* ---- other calls on descriptors ---------------------------------------------- */

/* Asks, makes the call, tells. */
static int hooked_call(struct io_event *event, long number, long a, long b, long c)
{
    char path[PATH_MAX];
    event->path = path_of(event->fd, path);
    if (!any_concerned(event))
        return (int)syscall(number, event->fd, a, b, c);
    event->durable = is_durable(event->fd);
    int answer = ask(event);
    if (answer != 0)
        return refuse(answer > 0 ? answer : EIO);
    int result = (int)syscall(number, event->fd, a, b, c);
    if (result == 0)
        tell(event);
    return result;
}

HOOK int fsync(int fd)
{
    return hooked_call(&(struct io_event){IO_SYNC, .fd = fd}, SYS_fsync, 0, 0, 0);
}

HOOK int fdatasync(int fd)
{
    return hooked_call(&(struct io_event){IO_SYNC, .fd = fd}, SYS_fdatasync, 0, 0, 0);
}

HOOK int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    return hooked_call(&(struct io_event){IO_RANGE, .fd = fd}, SYS_sync_file_range, offset, size,
                       (long)flags);
}

HOOK int ftruncate(int fd, off_t size)
{
    return hooked_call(&(struct io_event){IO_TRUNCATE, .fd = fd, .size = (uint64_t)size},
                       SYS_ftruncate, size, 0, 0);
}

HOOK int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

HOOK int fallocate(int fd, int mode, off_t offset, off_t size)
{
    struct io_event event = {IO_ALLOCATE, .fd = fd, .offset = (uint64_t)offset,
                             .size = (uint64_t)size};
    return hooked_call(&event, SYS_fallocate, mode, offset, size);
}

HOOK int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
    return fallocate(fd, mode, offset, size);
}

/* The file behind a mapping is not known here; faults count it for any directory watched. */
HOOK int msync(void *address, size_t size, int flags)
{
    struct io_event event = {IO_RANGE, .fd = -1, .path = watches[IO_SLOT_FAULT].directory};
    int answer = active && watches[IO_SLOT_FAULT].observer ? ask(&event) : 0;
    if (answer != 0)
        return refuse(answer > 0 ? answer : EIO);
    return (int)syscall(SYS_msync, address, size, (long)flags);
}

/* ---- names --------------------------------------------------------------------- */

static int raw_open(int directory, const char *name, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, (long)directory, name, (long)flags, (long)mode);
}

static int hooked_open(int directory, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    struct stat st;
    if (!active || !(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE)
        return raw_open(directory, name, flags, mode);
    struct io_event event = {.fd = -1, .path = path_at(directory, name, path)};
    if (!any_concerned(&event))
        return raw_open(directory, name, flags, mode);
    int saved = errno;
    bool there = fstatat(directory, name, &st, 0) == 0;
    errno = saved;
    bool truncates = there && (flags & O_TRUNC) && st.st_size > 0;
    bool creates = !there && (flags & O_CREAT);
    event.op = creates ? IO_CREATE : IO_TRUNCATE;
    int answer = creates || truncates ? ask(&event) : 0;
    if (answer != 0)
        return refuse(answer > 0 ? answer : EIO);
    int fd = raw_open(directory, name, flags, mode);
    if (fd >= 0 && (creates || truncates)) {
        event.fd = fd;
        tell(&event);
    }
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(directory, name, flags)                      \
    do {                                                  \
        va_list arguments;                                \
        va_start(arguments, flags);                       \
        mode_t mode = mode_of(flags, arguments);          \
        va_end(arguments);                                \
        return hooked_open(directory, name, flags, mode); \
    } while (0)

HOOK int open(const char *name, int flags, ...)
{
    OPEN(AT_FDCWD, name, flags);
}

HOOK int open64(const char *name, int flags, ...)
{
    OPEN(AT_FDCWD, name, flags);
}

HOOK int openat(int directory, const char *name, int flags, ...)
{
    OPEN(directory, name, flags);
}

HOOK int openat64(int directory, const char *name, int flags, ...)
{
    OPEN(directory, name, flags);
}

HOOK int creat(const char *name, mode_t mode)
{
    return hooked_open(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

struct names {
    int directory, directory2;
    const char *name, *name2;
};

/* The same for calls on one or two names; `before` is told first because removal forgets. */
static int hooked_names(enum io_op op, const struct names *n, long number, long flags)
{
    char path[PATH_MAX], path2[PATH_MAX];
    struct io_event event = {op, .fd = -1, .path = path_at(n->directory, n->name, path)};
    if (n->name2)
        event.path2 = path_at(n->directory2, n->name2, path2);
    int answer = any_concerned(&event) ? ask(&event) : 0;
    if (answer != 0)
        return refuse(answer > 0 ? answer : EIO);
    int result = n->name2 ? (int)syscall(number, (long)n->directory, n->name, (long)n->directory2,
                                         n->name2, flags)
                          : (int)syscall(number, (long)n->directory, n->name, flags);
    if (result == 0 && any_concerned(&event))
        tell(&event);
    return result;
}

HOOK int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    return hooked_names(IO_RENAME, &(struct names){from_at, to_at, from, to}, SYS_renameat2,
                        (long)flags);
}

HOOK int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return renameat2(from_at, from, to_at, to, 0);
}

HOOK int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

HOOK int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    return hooked_names(IO_LINK, &(struct names){from_at, to_at, from, to}, SYS_linkat, flags);
}

HOOK int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

HOOK int unlinkat(int at, const char *name, int flags)
{
    return hooked_names(IO_REMOVE, &(struct names){at, 0, name, NULL}, SYS_unlinkat, flags);
}

HOOK int unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}

HOOK int rmdir(const char *name)
{
    return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

HOOK int mkdirat(int at, const char *name, mode_t mode)
{
    return hooked_names(IO_MKDIR, &(struct names){at, 0, name, NULL}, SYS_mkdirat, (long)mode);
}

HOOK int mkdir(const char *name, mode_t mode)
{
    return mkdirat(AT_FDCWD, name, mode);
}
