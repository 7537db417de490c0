/* SPDX-License-Identifier: Apache-2.0
 *
 * directory.h -- directories that are there after a power cut, and how much room they take.
 *
 * A file's name is on disk only when its directory has been synced; that holds
 * for new files, new directories and renamed ones alike.
 */
#ifndef BASE_DIRECTORY_H
#define BASE_DIRECTORY_H

#include "err.h"

/* Syncs the directory that holds `path`, so that the name of path is safe. */
enum varve_status directory_sync(const char *path, struct varve_err *err) VARVE_CHECKED;
/* Makes a directory and what is missing above it, mode 0700, names synced.  There already is
 * fine. */
enum varve_status directory_make(const char *path, struct varve_err *err) VARVE_CHECKED;
/* Syncs the names of all directories on the way to `path`, its own included: one that is there may
 * have been made by a process that was killed before it could.  What may not be read is left
 * out. */
enum varve_status directory_sync_way(const char *path, struct varve_err *err) VARVE_CHECKED;
/* What the files in a directory take up on disk; 0 if it cannot be read. */
uint64_t directory_bytes(const char *path);

#endif
