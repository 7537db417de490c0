/* SPDX-License-Identifier: Apache-2.0
 *
 * full_disk.h -- a small file system of its own, to fill it for real.
 *
 * The body runs in a child that has its own view of the mounts, so nothing is left
 * mounted, whatever happens.  Root can do this everywhere; without root, tmpfs works
 * where the kernel lets users make namespaces.
 */
#ifndef FAULTS_FULL_DISK_H
#define FAULTS_FULL_DISK_H

#include <stddef.h>

#include "guard.h"

enum full_disk_kind {
    FULL_DISK_TMPFS,
    FULL_DISK_EXT4 /* on a loop device; needs root and mkfs.ext4 */
};

enum { FULL_DISK_SKIPPED = 77 }; /* mounting is not allowed here; text says why */

/* Runs body(context, directory, text) with an empty file system of `bytes` bytes mounted at
 * `directory`; answers what it answered, FULL_DISK_SKIPPED or a guard_outcome. */
int full_disk_run(enum full_disk_kind kind, size_t bytes,
                  int (*body)(void *context, const char *directory, char text[GUARD_TEXT]),
                  void *context, char text[GUARD_TEXT]);

/* Fills the file system until `leave` bytes are left (0: none), and gives the room back. */
void full_disk_fill(const char *directory, size_t leave);
void full_disk_release(const char *directory);

#endif
