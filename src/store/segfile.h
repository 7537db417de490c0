/* SPDX-License-Identifier: Apache-2.0
 *
 * segfile.h -- the month files: `seg-2026-10.3.mdb` is month 2026-10, file generation 3.
 *
 * A month file is an LMDB file whose values are segments: the sealed columns
 * of one (day, table) under one generation.  It is written in one synced
 * transaction a seal and never changed otherwise.
 *
 * Invariant: a value in a month file is never deleted or overwritten.  So a
 * pointer into it stays good as long as the env is open, beyond the
 * transaction that found it, and the file's free list stays short.  Garbage
 * (replaced generations) goes when the live values are copied into the next
 * file generation and the old file is unlinked.
 *
 *   key    day (4, big-endian, sign bit flipped) | table id (4) | generation (8)
 *   value  size (8) | a segment, which carries its own checksums | zeros
 *
 * Small segments are padded to half a page, so each has pages of its own that LMDB
 * never copies.  A segment begins at a multiple of 32 bytes.
 *
 * A struct segfiles is the process's set of open month files, shared by all
 * threads of a handle; files are reference-counted and stay open (a few at most idle)
 * because opening costs more than a query.
 */
#ifndef STORE_SEGFILE_H
#define STORE_SEGFILE_H

#include "store/env.h"

struct segfiles;
struct segfile; /* one open month file */

struct segfile_id {
    int32_t month;
    uint32_t generation;
};
struct segment_id {
    int32_t day;
    uint32_t table; /* 0: the metrics; else the number of an event table */
    uint64_t generation;
};
struct segment_blob {
    struct segment_id id;
    const uint8_t *bytes;
    size_t size;
};

enum varve_status segfiles_new(struct segfiles **files, struct mem *mem, const char *directory,
                               int read_only, struct varve_err *err) VARVE_CHECKED;
void segfiles_free(struct segfiles *files);
/* The open file, counted; VARVE_NOTFOUND when it is gone, VARVE_CORRUPT when its structure is
 * damaged. The structure is checked when a file is opened, not again while it stays open. */
enum varve_status segfile_acquire(struct segfiles *files, struct segfile_id id,
                                  struct segfile **file, struct varve_err *err) VARVE_CHECKED;
void segfile_release(struct segfiles *files, struct segfile *file); /* NULL is fine */
/* The bytes of a segment, good until segfile_release.  VARVE_CORRUPT (not NOTFOUND) when it is not
 * there: only ask for what the catalogue names. */
enum varve_status segfile_get(struct segfile *file, struct segment_id id, const uint8_t **bytes,
                              size_t *size, struct varve_err *err) VARVE_CHECKED;
/* Writes segments in one synced transaction; makes the file if it is new.  Refuses to overwrite
 * (VARVE_MISUSE). After VARVE_OK they are on disk, after anything else none is.  VARVE_LIMIT: the
 * file would become larger than its map of 8 GiB; compact it.  VARVE_FULL: the disk is full.
 * VARVE_IO: it failed; the file is opened anew once nobody holds it. */
enum varve_status
segfile_put(struct segfiles *files, struct segfile_id id, const struct segment_blob *blobs,
            size_t count, struct varve_err *err) VARVE_CHECKED;
/* The newest generation stored for (day, table), also those a crash left behind; 0 when there is
 * none or no file. */
enum varve_status
segfile_newest(struct segfiles *files, struct segfile_id id, int32_t day, uint32_t table,
               uint64_t *generation, struct varve_err *err) VARVE_CHECKED;
/* Removes the file and its lock file, and closes it, now or when its last user releases it.  Not
 * there is fine. */
enum varve_status
segfile_unlink(struct segfiles *files, struct segfile_id id, struct varve_err *err) VARVE_CHECKED;
/* Names of month files in the directory, for finding those the catalogue does not know; stops when
 * visit returns other than 0. */
enum varve_status segfiles_list(struct segfiles *files, int (*visit)(void *, struct segfile_id),
                                void *context, struct varve_err *err) VARVE_CHECKED;
/* Whether a commit to the file has failed in a way after which it is only read, as long as somebody
 * uses it: what is to be written must go into another file. */
bool segfile_refuses_writes(struct segfiles *files, struct segfile_id id);
/* Bytes allocated on disk; 0 when there is no such file. */
uint64_t segfile_disk_bytes(struct segfiles *files, struct segfile_id id);
/* Copies the file under its own name into another directory, synced. */
enum varve_status segfile_copy(struct segfiles *files, struct segfile_id id, const char *directory,
                               struct varve_err *err) VARVE_CHECKED;
/* Closes all idle files, so that they are checked anew when next acquired. */
void segfiles_close_idle(struct segfiles *files);

#endif
