/* SPDX-License-Identifier: Apache-2.0
 *
 * io_fault.h -- the n-th file operation fails, for n = 1, 2, 3 ...
 *
 *     for (io_fault_start(dir, IO_FAULT_EIO, IO_FAULT_ONCE); io_fault_next();) {
 *         ... the operation: succeeds or says so ...
 *         io_fault_disarm();
 *         ... look at the files without faults: old state or new one ...
 *     }
 *
 * The last round is the first in which nothing failed.  Only operations on files
 * below `dir` count.  Link io_fault.c and io_hook.c.
 */
#ifndef FAULTS_IO_FAULT_H
#define FAULTS_IO_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum io_fault_kind {
    IO_FAULT_EIO,    /* any operation */
    IO_FAULT_ENOSPC, /* all but removals */
    IO_FAULT_SHORT,  /* writes only: half is written; when sticky, ENOSPC from then on */
    IO_FAULT_SYNC    /* EIO, but only for what promises to be on disk: syncs and O_DSYNC writes */
};
enum io_fault_mode { IO_FAULT_ONCE, IO_FAULT_STICKY };

void io_fault_start(const char *dir, enum io_fault_kind kind, enum io_fault_mode mode);
bool io_fault_next(void);

/* Without the loop: the nth operation from now on; nth 0 only counts. */
void io_fault_arm(const char *dir, enum io_fault_kind kind, enum io_fault_mode mode, uint64_t nth);
void io_fault_disarm(void);

/* Since the last arming, also after io_fault_disarm. */
uint64_t io_fault_operations(void);
uint64_t io_fault_fired(void);
/* What failed first: "write main.mdb 8192+4096: EIO"; "" when nothing did. */
const char *io_fault_text(void);

#endif
