/* SPDX-License-Identifier: Apache-2.0
 *
 * pagecheck.h -- walks the pages of an LMDB file without trusting any of them.
 *
 * LMDB follows page numbers, offsets and sizes it finds on disk; one flipped
 * bit there ends in SIGSEGV, SIGBUS, abort() or a wrong answer.  This walker
 * reads the same structures with bounds on everything: both meta pages, the
 * tree of the free list, the main tree, the extent of every large value.  It
 * proves, for one committed state, that
 *
 *  - both meta pages are plausible and belong to consecutive transactions;
 *  - every page reached carries its own number and the right kind, every node
 *    lies inside its page, keys ascend within and across pages, leaf depth is even;
 *  - the counts in the meta page (depth, branch, leaf, overflow pages, entries) are
 *    those of the walk;
 *  - no page is reached twice, none is both in use and free, none is free twice,
 *    and every page below the last is one or the other.
 *
 * What it does not look at: the bytes of values.  They carry checksums of their own.
 * And what it cannot see: the newest commit hidden by damage to its number, so that LMDB
 * goes back to the one before (keep a copy of the number inside the tree and compare, for
 * both meta pages: pagecheck_find); and an older version of a page, with the same keys and sound
 * values, in place of the newer one (keep a sum over the records that must not go back).
 *
 * It knows LMDB 0.9's data format version 1 with 4096-byte pages (any power of two the meta names
 * up to 32768), no sub-databases and no DUPSORT: what this project writes.
 */
#ifndef STORE_PAGECHECK_H
#define STORE_PAGECHECK_H

#include "base/mem.h"

struct pagecheck_result {
    uint64_t txnid, pages, free_pages, entries; /* pages: all, with the two meta pages */
};

/* fd: the data file; name is used for messages.  txnid: the state to check, which the caller keeps
 * alive by a read transaction; or 0 for the newest, when nobody is writing.  VARVE_BUSY: two
 * commits have happened since that transaction began, so the state's meta page is gone; begin a
 * new transaction and check that.  The name of the place is "<name>, page <number>". */
enum varve_status pagecheck(struct mem *mem, int fd, const char *name, uint64_t txnid,
                            struct pagecheck_result *result, struct varve_err *err) VARVE_CHECKED;

/* Only the meta pages: what must hold before mdb_env_open may map the file. */
enum varve_status pagecheck_metas(int fd, const char *name, struct varve_err *err) VARVE_CHECKED;

/* Looks a small value up in the tree of meta page `meta` (0 or 1), with the same distrust; LMDB
 * keeps the tree of the older one intact.  *value_size: the room, then the size.  *txnid is that
 * meta page's.  VARVE_NOTFOUND: the tree has no such key.  VARVE_LIMIT: the value does not fit.
 *
 * When commit T fails in its very last write, LMDB leaves its trees under the number T - 2 in the
 * older meta page, until the next commit.  So there VARVE_CORRUPT, or a value of commit T, is
 * not yet damage. */
enum varve_status
pagecheck_find(struct mem *mem, int fd, const char *name, unsigned meta, const void *key,
               size_t key_size, uint8_t *value, size_t *value_size, uint64_t *txnid,
               struct varve_err *err) VARVE_CHECKED;

#endif
