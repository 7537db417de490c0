/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h -- an open store: its files, its head, and the locks between threads.
 *
 * Locks, in the order in which they are taken:
 *
 *   queue_lock   the queue of appends waiting for a leader (append.c)
 *   lock         everything below it in struct store
 *   LMDB         the writer's lock of main.mdb, also between processes
 *
 * A thread that holds `lock` may begin a transaction on main.mdb; one that has a
 * transaction never waits for `lock`.  Transactions on main.mdb are short: nothing
 * outside this floor ever sees one.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <pthread.h>
#include <sys/types.h>

#include "store/admit.h"
#include "store/lockfile.h"
#include "store/sealed_events.h"
#include "store/views.h"

struct append_request;

struct table_names {
    struct varve_str *names; /* names[number - 1]; texts in the arena, never moved */
    size_t count, capacity;
    struct arena arena;
};

struct store {
    struct mem mem;
    char *path;
    size_t path_size;
    bool read_only, autoseal, registered;
    uint64_t seal_rows;
    uint64_t seal_at; /* rows in the head that make an append seal; more after a failure */
    pid_t pid;
    struct lock open_lock;
    struct identity identity;
    struct segfiles *files;

    pthread_mutex_t queue_lock;
    pthread_cond_t queue_moved;
    struct append_request *queue, **queue_end;
    bool has_leader;

    pthread_mutex_t lock;
    struct env *main;
    atomic_bool has_reserve; /* as far as this handle knows */
    bool name_unsure; /* main.mdb may be lost under its name until the directory has been synced */
    bool synced;      /* catalogue, tables and head belong to `state` */
    struct state state;
    struct catalogue *catalogue; /* never NULL once synced */
    struct table_names tables;
    struct rowset metrics; /* what their names mean, by number - 1; nothing else is in it */
    struct head head;
    struct views views;
    struct sealed sealed;
    struct sealed_events sealed_events;
    struct segment_builder segment_builder;
    struct table_builder table_builder;
    struct text_codec *texts;
    struct arena scratch;
    struct buf entry;
};

enum varve_status
store_open(struct store **store, const char *path, const struct varve_options *options,
           struct varve_err *err) VARVE_CHECKED;
void store_close(struct store *store);

/* All below: the caller holds store->lock. */

/* Brings catalogue, tables and head to what the transaction sees. */
enum varve_status
store_sync(struct store *store, struct txn *txn, struct varve_err *err) VARVE_CHECKED;
/* After a write that failed half way: what is in memory is no longer trusted. */
void store_unsync(struct store *store);
/* Makes sure that main.mdb is found after a power cut.  Nothing is acknowledged before. */
enum varve_status store_settle_name(struct store *store, struct varve_err *err) VARVE_CHECKED;
/* Begins to read main.mdb.  Like store_begin it opens the file again when LMDB has given it up. */
enum varve_status
store_begin_read(struct store *store, struct txn **txn, struct varve_err *err) VARVE_CHECKED;
/* Begins a write transaction and syncs.  Gives LMDB a second chance after it has declared main.mdb
 * dead. */
enum varve_status store_begin(struct store *store, size_t need, struct txn **txn,
                              struct varve_err *err) VARVE_CHECKED;
/* Writes the state and commits; on failure unsyncs. */
enum varve_status store_commit(struct store *store, struct txn *txn, struct state *state,
                               struct varve_err *err) VARVE_CHECKED;
/* The number of an event table, 0 if there is none of that name. */
uint32_t store_table_number(const struct store *store, struct varve_str name);
enum varve_status store_add_table_name(struct store *store, struct varve_str name,
                                       struct varve_err *err) VARVE_CHECKED;

/* The caller holds no lock. */

/* Whether the store knows a metric of that name, and of what kind it is.  Only looks into the file
 * when the name is not known yet; when that cannot be read nothing is known. */
bool store_metric_kind(struct store *store, struct varve_str name, enum varve_kind *kind);
enum varve_status
store_append(struct store *store, const struct rowset *rows, const struct eventset *events,
             struct varve_appended *appended, struct varve_err *err) VARVE_CHECKED;

#endif
