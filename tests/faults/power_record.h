/* SPDX-License-Identifier: Apache-2.0
 *
 * power_record.h -- writes down what a program does to a directory, for power_replay.
 *
 *     power_record_start("/dev/shm/x/db", "/dev/shm/x/log");
 *     ... append; power_mark(1); append; power_mark(2); ...
 *     power_record_stop();
 *
 * What the directory holds at the start counts as safely on disk.  The log lies
 * outside of the directory.  Recording goes on in children of fork().  Link
 * power_record.c and io_hook.c.
 */
#ifndef FAULTS_POWER_RECORD_H
#define FAULTS_POWER_RECORD_H

#include <stdint.h>

void power_record_start(const char *directory, const char *log);
/* "The application was told that everything up to `value` is safe." Values grow. */
void power_mark(uint64_t value);
void power_record_stop(void);

/* ---- the log: entries one after the other, each followed by `bytes` bytes ---- */

enum power_kind {
    POWER_BASE_DIR,  /* there at the start: parent, ino, name; the first is the root, parent 0 */
    POWER_BASE_FILE, /* parent, ino, name, then its `size` bytes */
    POWER_WRITE,     /* ino, offset, the bytes */
    POWER_SYNC,      /* ino */
    POWER_TRUNCATE,  /* ino, size */
    POWER_CREATE,    /* parent, ino, name */
    POWER_MKDIR,     /* parent, ino, name */
    POWER_LINK,      /* parent, ino, name */
    POWER_RENAME,    /* parent, name, parent2, name2 */
    POWER_REMOVE,    /* parent, name */
    POWER_MARK       /* offset: the value */
};

struct power_entry {
    uint32_t kind;
    uint32_t durable;     /* POWER_WRITE through an O_DSYNC descriptor */
    uint32_t name, name2; /* lengths; the names come first in the bytes, without zeros */
    uint64_t ino, parent, parent2;
    uint64_t offset, size;
    uint64_t bytes; /* names, data and zeros up to a multiple of eight */
};

#endif
