/* SPDX-License-Identifier: Apache-2.0
 *
 * snapshot.h -- one committed state of the store, as a list of segments (L9).
 *
 * A snapshot is taken in one read transaction that ends at once, so it never
 * holds pages of main.mdb.  What it keeps is the epoch's catalogue, the
 * in-memory segments of unsealed rows, and a lock on its epoch, which keeps
 * the month files it names from being unlinked.
 *
 * Invariant: the sources of a snapshot hold every row committed before it exactly
 * once, and no other.
 */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "store/store.h"

/* One segment: a sealed one, or one in memory. */
struct source {
    int32_t day;
    uint32_t table; /* 0: metrics */
    uint32_t file_generation;
    uint64_t generation;
    uint64_t rows, seed;
    int64_t first, last;
    struct memseg *memory; /* NULL: sealed */
    uint64_t seen;         /* what of it has been verified; see segment_open_again */
};

/* Whether a source may have rows of the table, or of metrics, in [since, until). */
static inline bool
source_is_in(const struct source *source, uint32_t table, int64_t since, int64_t until)
{
    return source->table == table && source->last >= since && source->first < until;
}

struct pin {
    struct segfile_id id;
    struct segfile *file;
};

struct snapshot {
    struct store *store;
    struct snapshot *whole; /* of a view: what it views; NULL: it is none */
    struct lock epoch;
    struct source *sources; /* by day, sealed before unsealed */
    size_t source_count;
    struct memseg **held;
    size_t held_count;
    struct varve_str *tables; /* names of event tables, by number - 1 */
    size_t table_count;
    struct pin *pins;
    size_t pin_count, pin_capacity;
    struct text_codec *texts;
    struct arena arena;
    /* Of who reads it: the memory that scans and lists take, the store's unless another is put
     * here, and what is asked now and then while a list is made; NULL: nothing. */
    struct mem *mem;
    enum varve_status (*check)(void *context, struct varve_err *err);
    void *check_context;
    /* What scans have gone through so far, for who wants to know how far they are. */
    _Atomic uint64_t sources_read, rows_read;
};

enum varve_status
snapshot_open(struct store *store, struct snapshot **snapshot, struct varve_err *err) VARVE_CHECKED;
/* A view of a snapshot, for another thread: it reads the same sources by means of its own.  The
 * snapshot outlives its views; a source is read through one of them at a time. */
enum varve_status
snapshot_view(struct snapshot *whole, struct snapshot **view, struct varve_err *err) VARVE_CHECKED;
void snapshot_close(struct snapshot *snapshot); /* of a view, too */

/* The bytes of a source, good until the snapshot is closed. place needs 64 bytes. */
enum varve_status
snapshot_bytes(struct snapshot *snapshot, const struct source *source, const uint8_t **bytes,
               size_t *size, char place[64], struct varve_err *err) VARVE_CHECKED;
/* Opens a source as what it is. */
enum varve_status
snapshot_segment(struct snapshot *snapshot, struct source *source, struct arena *arena,
                 struct segment *segment, struct varve_err *err) VARVE_CHECKED;
enum varve_status
snapshot_table(struct snapshot *snapshot, const struct source *source, struct arena *arena,
               struct table *table, struct varve_err *err) VARVE_CHECKED;
/* Whether who reads it wants to go on. */
enum varve_status snapshot_check(struct snapshot *snapshot, struct varve_err *err) VARVE_CHECKED;
/* The number of an event table, or 0. */
uint32_t snapshot_table_number(const struct snapshot *snapshot, struct varve_str name);

#endif
