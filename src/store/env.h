/* SPDX-License-Identifier: Apache-2.0
 *
 * env.h -- one LMDB file, made safe to use.
 *
 * The only module that calls LMDB.  What it adds:
 *
 *  - Damage: before a file is trusted, its meta pages are judged and its trees
 *    are walked by pagecheck, which cannot crash.
 *  - Checksums: every value is stored as XXH3-64 of (key, bytes) and then the bytes;
 *    txn_get answers VARVE_CORRUPT for one that does not match.
 *  - Errors: LMDB's numbers become statuses with the file's name; a full disk and a full map
 *    are VARVE_FULL.
 *  - Room: the map grows before a transaction begins, never under one.
 *  - Durability: always the default synced commit.  After a failed commit the
 *    file is at its last good commit; if the disk failed, nothing more is written
 *    until env_reopen.
 *  - Creation: a new file appears under its name whole and synced, or not at all.
 *
 * Keys are 1 to 64 bytes.  One unnamed database a file, no DUPSORT, no nested transactions.
 * A file is opened at most once in a process: the caller sees to it.
 *
 * A thread may begin a write transaction only while it has no transaction of the same env
 * open: the map may have to grow, which waits until no transaction is open in this process.
 */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include <stdbool.h>
#include "base/mem.h"

struct env;
struct txn;

#define ENV_KEY_MAX 64
#define ENV_SUM_SIZE 8 /* bytes of checksum before each value */
/* A value of this many bytes or fewer, its checksum included, costs one overflow page at most, and
 * the page can be used again for any other such value and never fragments the free list. */
#define ENV_PAGE_VALUE (4096 - 16)
#define ENV_VALUE_MAX (UINT32_C(1) << 31)
#define ENV_MAP_MAX ((size_t)64 << 30)

enum env_flags {
    ENV_RDONLY = 1,
    ENV_CREATE = 2,
    ENV_NOCHECK = 4, /* the caller has just written it or is verify itself */
    /* The map never moves, so pointers into it stay good as long as the env is open.  A
     * transaction that does not fit the map is VARVE_LIMIT. */
    ENV_FIXED_MAP = 8
};

/* map_size: at least that much; 0: 1 GiB.  Always room for four times the file.
 * VARVE_NOTFOUND: no such file.  VARVE_CORRUPT: its structure is damaged. */
enum varve_status env_open(struct env **env, struct mem *mem, const char *path, unsigned flags,
                           size_t map_size, struct varve_err *err) VARVE_CHECKED;
void env_close(struct env *env); /* NULL is fine */
/* Closes and opens again after a disk failed or LMDB gave up; waits for open transactions
 * (VARVE_BUSY after ten seconds).  Pointers into the map are dead afterwards.  When it fails it
 * may be tried again. */
enum varve_status env_reopen(struct env *env, struct varve_err *err) VARVE_CHECKED;
/* Whether writing needs env_reopen first. */
bool env_is_dead(struct env *env);
const char *env_path(const struct env *env);
size_t env_page_size(const struct env *env);
/* Bytes allocated on disk, by stat. */
uint64_t env_disk_bytes(const struct env *env);

/* Read transactions may be used by any thread (MDB_NOTLS), one at a time. */
enum varve_status
env_begin_read(struct env *env, struct txn **txn, struct varve_err *err) VARVE_CHECKED;
/* Waits for the write lock, also against other processes, and makes the map large enough for
 * values of `need` bytes in all and for copies of every tree page.  The same thread must end what
 * it began. VARVE_FULL: the file would become larger than ENV_MAP_MAX; VARVE_LIMIT: than a fixed
 * map. VARVE_BUSY: the map has to grow, but for ten seconds a transaction of this process has been
 * open. */
enum varve_status env_begin_write(struct env *env, struct txn **txn, size_t need,
                                  struct varve_err *err) VARVE_CHECKED;
/* Commits and frees; on failure nothing was written (VARVE_FULL, VARVE_IO). */
enum varve_status txn_commit(struct txn *txn, struct varve_err *err) VARVE_CHECKED;
void txn_abort(struct txn *txn); /* NULL is fine */
/* The number of the commit: the one that is read, or the one that a write transaction will be. */
uint64_t txn_id(const struct txn *txn);
bool txn_writes(const struct txn *txn);

struct env_key {
    uint8_t bytes[ENV_KEY_MAX];
    uint8_t size;
};

/* A value checked and without its checksum; points into the map.  It lives as long as a read
 * transaction, or in a write transaction until the next txn_put or txn_delete.  VARVE_NOTFOUND
 * (with err left alone): no such key. check false leaves the checksum unread: for values that
 * carry their own, inside. */
struct env_value {
    const uint8_t *data;
    size_t size;
};
enum varve_status txn_get(struct txn *txn, const struct env_key *key, bool check,
                          struct env_value *value, struct varve_err *err) VARVE_CHECKED;
/* After any failure but VARVE_LIMIT the transaction can only be aborted. */
enum varve_status txn_put(struct txn *txn, const struct env_key *key, const void *bytes,
                          size_t size, struct varve_err *err) VARVE_CHECKED;
/* A value in pieces, written straight to its place; bytes NULL stands for zeros. */
struct env_part {
    const void *bytes;
    size_t size;
};
enum varve_status
txn_put_parts(struct txn *txn, const struct env_key *key, const struct env_part *parts,
              size_t count, struct varve_err *err) VARVE_CHECKED;
/* Deleting what is not there is VARVE_NOTFOUND. */
enum varve_status
txn_delete(struct txn *txn, const struct env_key *key, struct varve_err *err) VARVE_CHECKED;
/* The first key >= *key whose first `prefix` bytes are those of *key; the found key is stored back.
 * VARVE_NOTFOUND: none. */
enum varve_status txn_seek(struct txn *txn, struct env_key *key, size_t prefix, bool check,
                           struct env_value *value, struct varve_err *err) VARVE_CHECKED;
/* The same, but the last such key <= *key. */
enum varve_status txn_seek_back(struct txn *txn, struct env_key *key, size_t prefix, bool check,
                                struct env_value *value, struct varve_err *err) VARVE_CHECKED;

/* Walks the keys >= *from with its first `prefix` bytes, in order.  In a write transaction
 * anything may be put or deleted between two steps; the walk goes on behind the last key it
 * gave. */
struct walk;
enum varve_status walk_begin(struct txn *txn, const struct env_key *from, size_t prefix,
                             struct walk **walk, struct varve_err *err) VARVE_CHECKED;
/* VARVE_DONE at the end.  After VARVE_CORRUPT for one value (*key is set) the next call goes on
 * behind it. */
enum varve_status walk_next(struct walk *walk, bool check, struct env_key *key,
                            struct env_value *value, struct varve_err *err) VARVE_CHECKED;
void walk_end(struct walk *walk); /* before the transaction ends; NULL is fine */

/* Copies the file as it is in one consistent state to a new file `path`; compacting leaves free
 * pages out (and makes LMDB run a thread while it copies).  The copy and its directory are synced;
 * on failure it is removed. */
enum varve_status
env_copy(struct env *env, const char *path, bool compacting, struct varve_err *err) VARVE_CHECKED;

/* Checks the structure of the state a read transaction sees; see pagecheck.h.  VARVE_BUSY: it
 * began too long ago, begin a new one.  result may be NULL. */
struct pagecheck_result;
enum varve_status env_check(struct env *env, struct txn *txn, struct pagecheck_result *result,
                            struct varve_err *err) VARVE_CHECKED;
/* The checked value of a small record in the tree of meta page 0 or 1, and that meta page's
 * transaction; see pagecheck_find.  Hold a read transaction meanwhile. */
enum varve_status
env_peek(struct env *env, unsigned meta, const struct env_key *key, uint8_t *bytes, size_t *size,
         uint64_t *txnid, struct varve_err *err) VARVE_CHECKED;

#endif
