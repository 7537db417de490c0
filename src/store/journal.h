/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h -- what has been accepted and is not sealed yet.
 *
 * An entry is one append: a list of parts, each the rows of one (day, table) as
 * a segment blob, the same bytes that a sealed day has, only smaller.
 *
 *   key    "J" | seq (8, big-endian) | chunk (2, big-endian)
 *   value  a piece of the entry of at most one page, so that pages freed by
 *          trimming fit the next entry whatever its size
 *   entry  size (4) | parts (2) | parts x { day (4) | table (4) | rows (4) | size (4) } | the blobs
 *
 * Invariant: an entry is wholly there or not at all; seq numbers count up from 1 and
 * the state record says which are there, so a missing one is damage.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/buf.h"
#include "store/env.h"

#define JOURNAL_ENTRY_MAX (64u << 20)
#define JOURNAL_PARTS_MAX 65535u

struct journal_part {
    int32_t day;
    uint32_t table, rows, size;
    const uint8_t *bytes; /* in the entry's buffer */
};

/* Composing: journal_begin reserves the head for `parts` parts in out; each part's blob is then
 * appended to out and noted with journal_part_done. */
void journal_begin(struct buf *out, uint32_t parts);
void journal_part_done(struct buf *out, uint32_t part, int32_t day, uint32_t table, uint32_t rows,
                       size_t size);
/* Writes the composed entry. VARVE_LIMIT: it is over JOURNAL_ENTRY_MAX. */
enum varve_status
journal_put(struct txn *txn, uint64_t seq, struct buf *entry, struct varve_err *err) VARVE_CHECKED;
/* Reads an entry that journal_next has found into a buffer. */
enum varve_status
journal_get(struct txn *txn, uint64_t seq, struct buf *buffer, struct varve_err *err) VARVE_CHECKED;
/* The parts of an entry that journal_get has read, one a call from a zeroed cursor; false at the
 * end. */
struct journal_cursor {
    uint32_t index;
    size_t at;
};
bool journal_part(const struct buf *buffer, struct journal_cursor *cursor,
                  struct journal_part *part);
/* The smallest seq >= *seq that is there. VARVE_NOTFOUND: none. */
enum varve_status journal_next(struct txn *txn, uint64_t *seq, struct varve_err *err) VARVE_CHECKED;
enum varve_status
journal_delete(struct txn *txn, uint64_t seq, struct varve_err *err) VARVE_CHECKED;

#endif
