/* SPDX-License-Identifier: Apache-2.0
 *
 * power_record.c -- writes down what a program does to a directory.
 *
 * Files are known by inode number, since a descriptor stays with its file when the name
 * moves; operations on names give the inode of the directory.  An entry is
 * appended after its call returned, in one write, so the log's order is one in
 * which the calls may have taken effect, and an entry that something else
 * waited for precedes it.
 */
#include "power_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"
#include "io_hook.h"

static int log_fd = -1;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "power_record: %s: %s\n", what, strerror(errno));
    abort();
}

/* One append; the kernel keeps those of several threads and processes apart.  Zeros fill the entry
 * up to a multiple of eight bytes. */
static void append(struct power_entry *entry, const struct iovec *parts, int count)
{
    static char zeros[8];
    struct iovec all[IOV_MAX];
    if (count > IOV_MAX - 2)
        die("too many parts");
    all[0] = (struct iovec){entry, sizeof *entry};
    entry->bytes = 0;
    for (int i = 0; i < count; i++) {
        all[i + 1] = parts[i];
        entry->bytes += parts[i].iov_len;
    }
    all[count + 1] = (struct iovec){zeros, -entry->bytes & 7};
    entry->bytes += all[count + 1].iov_len;
    ssize_t whole = (ssize_t)(sizeof *entry + entry->bytes);
    if (syscall(SYS_writev, (long)log_fd, all, (long)(count + 2)) != whole)
        die("the log cannot be written");
}

static struct iovec part(const void *bytes, size_t size)
{
    struct iovec iov = {.iov_len = size};
    memcpy(&iov.iov_base, &bytes, sizeof bytes);
    return iov;
}

static uint64_t ino_of(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        die(path);
    return st.st_ino;
}

/* The inode of a path's directory, and its last name. */
static uint64_t parent_of(const char *path, const char **name)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    *name = slash + 1;
    return ino_of(slash == path ? "/" : directory);
}

static void record_name(enum power_kind kind, const struct io_event *event)
{
    const char *name, *name2 = "";
    struct power_entry entry = {.kind = kind};
    bool linked = kind == POWER_LINK;
    entry.parent = parent_of(linked ? event->path2 : event->path, &name);
    if (kind == POWER_RENAME)
        entry.parent2 = parent_of(event->path2, &name2);
    else if (kind != POWER_REMOVE)
        entry.ino = ino_of(linked ? event->path2 : event->path);
    entry.name = (uint32_t)strlen(name);
    entry.name2 = (uint32_t)strlen(name2);
    append(&entry, (struct iovec[]){part(name, entry.name), part(name2, entry.name2)}, 2);
}

static void record_bytes(enum power_kind kind, const struct io_event *event)
{
    struct stat st;
    if (fstat(event->fd, &st) != 0)
        die(event->path);
    struct power_entry entry = {.kind = kind,
                                .durable = event->durable,
                                .ino = st.st_ino,
                                .offset = event->offset,
                                .size = event->size};
    if (kind == POWER_TRUNCATE)
        entry.size = (uint64_t)st.st_size;
    if (kind != POWER_WRITE) {
        append(&entry, NULL, 0);
        return;
    }
    struct iovec parts[IOV_MAX];
    int count = 0;
    for (uint64_t left = event->size; left > 0; count++) {
        parts[count] = event->parts[count];
        if (parts[count].iov_len > left)
            parts[count].iov_len = left;
        left -= parts[count].iov_len;
    }
    append(&entry, parts, count);
}

static void after(const struct io_event *event)
{
    switch (event->op) {
    case IO_WRITE:
        record_bytes(POWER_WRITE, event);
        break;
    case IO_SYNC:
        record_bytes(POWER_SYNC, event);
        break;
    case IO_TRUNCATE:
    case IO_ALLOCATE:
        record_bytes(POWER_TRUNCATE, event);
        break;
    case IO_CREATE:
        record_name(POWER_CREATE, event);
        break;
    case IO_MKDIR:
        record_name(POWER_MKDIR, event);
        break;
    case IO_LINK:
        record_name(POWER_LINK, event);
        break;
    case IO_RENAME:
        record_name(POWER_RENAME, event);
        break;
    case IO_REMOVE:
        record_name(POWER_REMOVE, event);
        break;
    default:
        break;
    }
}

static void record_base(const char *path, uint64_t parent, const char *name)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        die(path);
    struct power_entry entry = {.kind = S_ISDIR(st.st_mode) ? POWER_BASE_DIR : POWER_BASE_FILE,
                                .ino = st.st_ino,
                                .parent = parent,
                                .name = (uint32_t)strlen(name)};
    if (!S_ISDIR(st.st_mode)) {
        size_t size;
        uint8_t *bytes = files_read(path, &size);
        entry.size = size;
        append(&entry, (struct iovec[]){part(name, entry.name), part(bytes, size)}, 2);
        free(bytes);
        return;
    }
    append(&entry, (struct iovec[]){part(name, entry.name)}, 1);
    struct dirent **children;
    int count = scandir(path, &children, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char child[PATH_MAX];
        const char *child_name = children[i]->d_name;
        if (snprintf(child, sizeof child, "%s/%s", path, child_name) >= PATH_MAX)
            die(path);
        if (strcmp(child_name, ".") != 0 && strcmp(child_name, "..") != 0)
            record_base(child, st.st_ino, child_name);
        free(children[i]);
    }
    free(children);
}

void power_record_start(const char *directory, const char *log)
{
    static const struct io_observer observer = {NULL, after};
    log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        die(log);
    record_base(directory, 0, "");
    io_hook_set(IO_SLOT_RECORD, directory, &observer);
}

void power_mark(uint64_t value)
{
    struct power_entry entry = {.kind = POWER_MARK, .offset = value};
    if (log_fd >= 0)
        append(&entry, NULL, 0);
}

void power_record_stop(void)
{
    io_hook_set(IO_SLOT_RECORD, NULL, NULL);
    if (log_fd >= 0)
        close(log_fd);
    log_fd = -1;
}
