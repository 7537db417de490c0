/* SPDX-License-Identifier: Apache-2.0
 *
 * catalogue.h -- the records of main.mdb that are not the journal.
 *
 *   "A"             identity: format, store id, seed; written once
 *   "C" day table   one sealed (day, table): which segment in which file, and what is in it
 *   "K"             a secret of the store, once somebody has asked for it (setting.h)
 *   "M" number      what a metric's name means: unit, kind, scale
 *   "S" hash        a setting (setting.h)
 *   "T" number      the name of an event table
 *   "Z"             the state, changed by every commit
 *
 * Invariants
 *   I1  The state carries the number of the transaction that wrote it, so an
 *       older state that damage brought back to light is recognised.
 *   I2  The state carries the count and the sum of hashes of all records but "A", "Z" and the
 *       journal's, so one that vanished or came back is recognised.
 *   I3  A journal part (seq, day, table) is sealed iff seq <= watermark of "C" day table.
 *       A reader counts a part exactly once: from the journal or from the segment.
 *   I4  epoch grows whenever a "C" record changes, and only then.
 *
 * A struct catalogue is one epoch's "C" records in memory: immutable, counted,
 * shared by snapshots.
 */
#ifndef STORE_CATALOGUE_H
#define STORE_CATALOGUE_H

#include <stdatomic.h>
#include "store/env.h"

struct identity {
    uint32_t format;
    uint8_t id[16];
    uint64_t seed;
    int64_t created;
};

struct state {
    uint64_t txnid;
    uint64_t first_seq,
        next_seq;     /* the journal holds entries [first_seq, next_seq), some of them gone */
    uint64_t entries; /* how many of them are there */
    uint64_t epoch;
    uint64_t records, records_sum; /* of "C", "K", "M", "S" and "T" */
    uint64_t tables;               /* numbers 1..tables have a "T" record */
    uint64_t ambiguous, baselines;
    int64_t floor; /* rows before this instant have been forgotten and are not taken again */
};

struct day_record {
    int32_t day;
    uint32_t table; /* 0: metrics */
    uint32_t file_generation;
    uint64_t generation, watermark;
    uint64_t rows, points, series, bytes;
    int64_t first, last;
};

/* The first description of a name.  Only an empty unit may be filled in later. */
struct metric_record {
    struct varve_str name, unit;
    uint8_t kind, scale;
};

struct catalogue {
    atomic_uint references;
    struct mem *mem;
    uint64_t epoch;
    struct day_record *days; /* by (day, table) */
    size_t count, capacity;
};

enum varve_status
identity_get(struct txn *txn, struct identity *identity, struct varve_err *err) VARVE_CHECKED;
enum varve_status
identity_put(struct txn *txn, const struct identity *identity, struct varve_err *err) VARVE_CHECKED;
/* Checks I1 against the transaction it reads in. */
enum varve_status
state_get(struct txn *txn, struct state *state, struct varve_err *err) VARVE_CHECKED;
/* Without I1: for a copy, whose commits are counted anew. */
enum varve_status
state_get_any(struct txn *txn, struct state *state, struct varve_err *err) VARVE_CHECKED;
/* Sets txnid and writes.  The last put of every write transaction. */
enum varve_status
state_put(struct txn *txn, struct state *state, struct varve_err *err) VARVE_CHECKED;
/* The key and size of the state record, for looking at both meta pages of a damaged file. */
void state_key(struct env_key *key);
/* The transaction number inside a stored state record, or 0 if it is not one. */
uint64_t state_record_txnid(const uint8_t *bytes, size_t size);

/* Puts or removes a record and keeps I2 in *state.  `old` is what is there now, or NULL. */
enum varve_status
catalogue_put(struct txn *txn, struct state *state, const struct day_record *old,
              const struct day_record *record, struct varve_err *err) VARVE_CHECKED;
enum varve_status
catalogue_remove(struct txn *txn, struct state *state, const struct day_record *old,
                 struct varve_err *err) VARVE_CHECKED;
enum varve_status table_put(struct txn *txn, struct state *state, uint32_t number,
                            struct varve_str name, struct varve_err *err) VARVE_CHECKED;

/* old_unit: that of the record it replaces, or NULL for a new one. */
enum varve_status metric_put(struct txn *txn, struct state *state, uint32_t number,
                             const struct metric_record *metric, const struct varve_str *old_unit,
                             struct varve_err *err) VARVE_CHECKED;

/* Puts, replaces or (size 0) removes a record that is neither of these, and keeps I2. */
enum varve_status
record_replace(struct txn *txn, struct state *state, const struct env_key *key, const void *bytes,
               size_t size, struct varve_err *err) VARVE_CHECKED;

/* What to do with the names that are read; each is called in order of number. */
struct catalogue_names {
    enum varve_status (*table)(void *context, uint32_t number, struct varve_str name,
                               struct varve_err *err);
    enum varve_status (*metric)(void *context, uint32_t number, const struct metric_record *metric,
                                struct varve_err *err);
    void *context;
};
/* Loads all records and checks I2.  names may be NULL. */
enum varve_status catalogue_load(struct txn *txn, const struct state *state, struct mem *mem,
                                 const struct catalogue_names *names, struct catalogue **catalogue,
                                 struct varve_err *err) VARVE_CHECKED;
struct catalogue *catalogue_hold(struct catalogue *catalogue);
void catalogue_drop(struct catalogue *catalogue); /* NULL is fine */
const struct day_record *
catalogue_find(const struct catalogue *catalogue, int32_t day, uint32_t table);
/* The index of the first record of a day >= day. */
size_t catalogue_from(const struct catalogue *catalogue, int32_t day);
/* The seed of a sealed segment's checksums, and of a journal part's. */
uint64_t segment_seed(uint64_t store_seed, int32_t day, uint32_t table, uint64_t generation);
uint64_t part_seed(uint64_t store_seed, int32_t day, uint32_t table, uint64_t seq);

#endif
