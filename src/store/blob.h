/* SPDX-License-Identifier: Apache-2.0
 *
 * blob.h -- the container of a segment: numbered sections behind a directory,
 * all of it under checksums.
 *
 *   "VARV" | kind (1) | version (1)
 *   rows | first | last - first | sections                               (varints)
 *   sections x { id, has index, ends group | [index] | size              (varints)
 *                | [XXH3-64 of the group (8)] }
 *   XXH3-64 of all the above (8)
 *   the sections, in the order of the directory, without gaps
 *
 * Sections that follow each other share a checksum until they are 4 KiB
 * together: a journal entry has thirty sections of a few bytes, and a checksum
 * each would cost more than they do.  A group's checksum is verified the first
 * time one of its sections is asked for, so a reader pays for what it reads.
 *
 * All checksums are seeded.  The seed binds a blob to its place (day, table, generation), so
 * a page that turns up in the wrong place is damage, not data.
 *
 * Invariant: blob_section never returns unverified bytes.
 */
#ifndef STORE_BLOB_H
#define STORE_BLOB_H

#include "base/arena.h"
#include "base/buf.h"

enum blob_kind { BLOB_METRICS = 1, BLOB_TABLE = 2 };

#define BLOB_VERSION 1
#define BLOB_GROUP \
    4096 /* bytes of sections that share a checksum, at least, but for the last group */

struct blob_head {
    uint8_t kind;
    uint32_t rows;
    int64_t first, last; /* end times (metrics) or times (tables) of the rows */
};

/* Writing: sections are appended one after another to one buffer. */
struct blob_writer {
    struct buf body;      /* the sections */
    struct buf directory; /* id (2), index (2), size (4) of each */
    uint32_t sections;
    size_t open_at; /* where the section being written starts */
};
void blob_writer_init(struct blob_writer *writer, struct mem *mem);
void blob_writer_free(struct blob_writer *writer);
void blob_writer_clear(struct blob_writer *writer);
/* Begins a section; what is put into writer->body until blob_section_end is its content. */
void blob_section_begin(struct blob_writer *writer);
void blob_section_end(struct blob_writer *writer, uint16_t id, uint16_t index);
/* The finished blob is appended to out. */
enum varve_status blob_finish(struct blob_writer *writer, const struct blob_head *head,
                              uint64_t seed, struct buf *out, struct varve_err *err) VARVE_CHECKED;

/* Reading. */
struct blob_entry {
    uint16_t id, index;
    uint32_t offset, size, group;
};
struct blob_group {
    uint64_t checksum;
    uint32_t offset, size;
    int verified;
};
struct blob {
    const uint8_t *bytes;
    size_t size;
    struct blob_head head;
    uint32_t sections, groups;
    struct blob_entry *entries; /* in the arena */
    struct blob_group *group;
    uint64_t *seen; /* a bit for each of the first 64 groups that were verified before; or NULL */
    uint64_t seed;
    char place[64]; /* for messages, such as "day 2026-10-08, metrics" */
};
/* VARVE_VERSION: written by a newer library. */
enum varve_status
blob_open(struct blob *blob, struct arena *arena, const uint8_t *bytes, size_t size, uint64_t seed,
          const char *place, struct varve_err *err) VARVE_CHECKED;
/* VARVE_NOTFOUND: the blob has no such section (err is left alone). VARVE_CORRUPT: its checksum
 * differs. */
enum varve_status
blob_section(struct blob *blob, uint16_t id, uint16_t index, const uint8_t **bytes, size_t *size,
             struct varve_err *err) VARVE_CHECKED;
/* Verifies every section. */
enum varve_status blob_verify(struct blob *blob, struct varve_err *err) VARVE_CHECKED;

#endif
