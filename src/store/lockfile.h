/* SPDX-License-Identifier: Apache-2.0
 *
 * lockfile.h -- who is using the store: byte locks on the file `lock`.
 *
 * The kernel lets go of a lock when its holder dies, however it dies, so there
 * is nothing stale to clean up.  Open-file-description locks are used: they
 * belong to the descriptor, not to the process, and closing another descriptor of
 * the same file does not lose them.
 *
 *   byte 0          shared: an open handle;   exclusive: shrinking main.mdb
 *   byte 1          exclusive: sealing, compacting, retention (one at a time)
 *   byte 16 + e     shared: a snapshot of catalogue epoch e
 *
 * Invariant: a file that the catalogue stopped naming at epoch e is unlinked
 * only when nobody holds a byte in [16, 16 + e).
 */
#ifndef STORE_LOCKFILE_H
#define STORE_LOCKFILE_H

#include "base/mem.h"

struct lock {
    int fd; /* -1: not held */
};

/* Opens the lock file of a store, making it where it is missing, and takes the shared open lock.
 * read_only: where the file can neither be found nor made nobody can be writing; fd is -1 then.
 * VARVE_BUSY: somebody holds the lock exclusively. */
enum varve_status lock_open_store(struct lock *lock, const char *directory, int read_only,
                                  struct varve_err *err) VARVE_CHECKED;
/* Each of these opens a descriptor of its own.  VARVE_BUSY: somebody else holds it, also another
 * handle or thread of this process. */
enum varve_status
lock_house(struct lock *lock, const char *directory, struct varve_err *err) VARVE_CHECKED;
/* Where there is no lock file (see lock_open_store) fd is -1 and the status VARVE_OK. */
enum varve_status lock_epoch(struct lock *lock, const char *directory, uint64_t epoch,
                             struct varve_err *err) VARVE_CHECKED;
/* Makes the open lock exclusive, VARVE_BUSY (and still shared) if another handle has the store
 * open; lock_share makes it shared again. */
enum varve_status lock_exclude(struct lock *open_lock, struct varve_err *err) VARVE_CHECKED;
enum varve_status lock_share(struct lock *open_lock, struct varve_err *err) VARVE_CHECKED;
/* Whether any snapshot of an epoch below `epoch` is alive, in whatever process. */
enum varve_status lock_epochs_below(const char *directory, uint64_t epoch, int *alive,
                                    struct varve_err *err) VARVE_CHECKED;
/* Also where nothing is held. A zeroed struct lock is not valid: set fd to -1. */
void lock_release(struct lock *lock);

/* The registry that keeps one process from opening one store twice.  By device and inode; 64 at
 * most (VARVE_LIMIT).  What a parent process registered does not count in its child. */
enum varve_status registry_add(const char *directory, struct varve_err *err) VARVE_CHECKED;
/* directory: the same text as in registry_add, even if the directory has gone since. */
void registry_remove(const char *directory);

#endif
