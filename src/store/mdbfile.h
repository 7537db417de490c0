/* SPDX-License-Identifier: Apache-2.0
 *
 * mdbfile.h -- reads the pages of an LMDB file and believes nothing in them.
 *
 * LMDB 0.9, data format 1, 64-bit little-endian.  A page begins
 *
 *   number (8) | pad (2) | kind (2) | lower (2) | upper (2)       tree pages
 *   number (8) | pad (2) | kind (2) | count (4)                   large values
 *
 * then come 2-byte offsets of nodes up to `lower`, and from `upper` to the
 * end the nodes themselves, packed without gaps:
 *
 *   size or child (4) | flags or child's high bits (2) | key size (2) | key | value
 *
 * Pages 0 and 1 are the meta pages: transaction N writes page N % 2.
 *
 * Everything is read by pread, so a file that is cut off or on a failing disk
 * gives an error and not a signal.  Invariant: a struct mdbpage exists only for a page
 * whose every node lies inside it; mdbpage_node cannot go astray.
 */
#ifndef STORE_MDBFILE_H
#define STORE_MDBFILE_H

#include <stdbool.h>
#include "base/mem.h"

#define MDBFILE_NONE UINT64_MAX /* the root of an empty tree */
#define MDBFILE_DEPTH_MAX 32    /* LMDB's cursors hold no more */
#define MDBFILE_KEY_MAX 511
#define MDBFILE_PAGE_MIN 4096u
#define MDBFILE_PAGE_MAX 32768u
/* No file of this project may be larger; it bounds what a damaged meta page can make us
 * allocate. */
#define MDBFILE_BYTES_MAX (UINT64_C(64) << 30)

struct mdbtree {
    uint32_t pad;
    uint16_t flags, depth;
    uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
};
struct mdbmeta {
    uint64_t map_size, last_page, txnid;
    struct mdbtree free, main;
};
struct mdbfile {
    int fd;
    const char *name; /* for messages */
    uint64_t size;
    uint32_t page_size;
    struct mdbmeta meta[2];
};

/* Reads and judges what does not move: the size, and of both meta pages the magic, the version,
 * the kind, the page size and the trees' flags.  The pair is one that was on disk at one moment,
 * even when somebody is writing.  VARVE_VERSION: an LMDB format unknown here. */
enum varve_status
mdbfile_open(struct mdbfile *file, int fd, const char *name, struct varve_err *err) VARVE_CHECKED;
/* The meta page LMDB would use. */
unsigned mdbfile_newest(const struct mdbfile *file);
/* Whether the two belong to transactions that followed one another. */
enum varve_status
mdbfile_check_pair(const struct mdbfile *file, struct varve_err *err) VARVE_CHECKED;
/* Whether the numbers of one meta page are possible. */
enum varve_status
mdbfile_check_meta(const struct mdbfile *file, unsigned which, struct varve_err *err) VARVE_CHECKED;

struct mdbpage {
    const uint8_t *bytes;
    uint64_t number;
    bool leaf;
    unsigned nodes; /* at least 1 */
};
struct mdbnode {
    const uint8_t *key;
    size_t key_size;
    uint64_t child;      /* of a branch */
    const uint8_t *data; /* of a leaf: the value; NULL: it has pages of its own, from `child` on */
    uint32_t size;
};

/* Reads tree page `number` into buffer (page_size bytes) and checks all of it. */
enum varve_status mdbfile_page(const struct mdbfile *file, uint64_t number, uint8_t *buffer,
                               struct mdbpage *page, struct varve_err *err) VARVE_CHECKED;
void mdbpage_node(const struct mdbpage *page, unsigned index, struct mdbnode *node);
/* How many pages the large value of `size` bytes at page `number` has taken; all are inside the
 * file. */
enum varve_status mdbfile_overflow(const struct mdbfile *file, uint64_t number, uint32_t size,
                                   uint64_t *pages, struct varve_err *err) VARVE_CHECKED;
/* size bytes from offset, all of them or VARVE_CORRUPT. */
enum varve_status mdbfile_read(const struct mdbfile *file, uint64_t offset, void *buffer,
                               size_t size, struct varve_err *err) VARVE_CHECKED;
/* VARVE_CORRUPT with "<file>, page <number>" as the place. */
enum varve_status mdbfile_damage(const struct mdbfile *file, uint64_t page, struct varve_err *err,
                                 const char *format, ...) VARVE_PRINTF(4, 5);

#endif
