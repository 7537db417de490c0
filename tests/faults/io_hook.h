/* SPDX-License-Identifier: Apache-2.0
 *
 * io_hook.h -- every call of this program that changes files, seen and refused.
 *
 * A program that links io_hook.c calls its write, pwrite, writev, fdatasync, open, rename, ... in
 * place of the C library's, and so do the shared libraries it uses (LMDB among them).  Nothing has
 * to be preloaded.  An observer hears of each call below one directory before it is made, and may
 * refuse it, and again after it succeeded.
 *
 * Not seen: what the C library does within itself (stdio), and stores through a
 * writable mapping.  64-bit Linux only.
 */
#ifndef FAULTS_IO_HOOK_H
#define FAULTS_IO_HOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum io_op {
    IO_WRITE,    /* write, pwrite, writev, pwritev */
    IO_SYNC,     /* fsync, fdatasync */
    IO_RANGE,    /* sync_file_range, msync: promise nothing, but may fail */
    IO_TRUNCATE, /* ftruncate, O_TRUNC of a file that had bytes */
    IO_ALLOCATE, /* fallocate */
    IO_CREATE,   /* open with O_CREAT of a file that was not there */
    IO_MKDIR,
    IO_LINK,
    IO_RENAME,
    IO_REMOVE, /* unlink, rmdir */
    IO_OPS
};

struct io_event {
    enum io_op op;
    int fd;            /* -1 for operations on names */
    const char *path;  /* absolute */
    const char *path2; /* the new name of IO_LINK and IO_RENAME */
    uint64_t offset;   /* IO_WRITE, IO_ALLOCATE */
    uint64_t size;     /* IO_WRITE; the new size of IO_TRUNCATE; end - offset of IO_ALLOCATE */
    const struct iovec *parts; /* of IO_WRITE; `size` bytes count */
    bool durable;              /* the descriptor is O_DSYNC or O_SYNC */
};

/* What `before` may answer besides 0 (go on) and an errno (refuse). */
#define IO_HOOK_SHORT (-1) /* IO_WRITE only: write the first half */

struct io_observer {
    int (*before)(const struct io_event *event);
    void (*after)(const struct io_event *event);
};

/* Two observers at most, one a slot, each with its directory.  observer NULL: none. */
enum io_slot { IO_SLOT_FAULT, IO_SLOT_RECORD, IO_SLOTS };
void io_hook_set(enum io_slot slot, const char *directory, const struct io_observer *observer);

/* "write", "sync", ... */
const char *io_op_name(enum io_op op);

#endif
