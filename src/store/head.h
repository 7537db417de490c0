/* SPDX-License-Identifier: Apache-2.0
 *
 * head.h -- the unsealed part of the store in memory, and what appending needs
 * to know about it.
 *
 * The head is the journal, decoded: rows and events in order of arrival, and an
 * entry for each journal entry that says which of them are its own.  Beside
 * them it keeps, per series, the newest end and a chain of rows, and per counter
 * stream -- (series, start), law L4 -- what the counter has reached.
 *
 * Invariants: rows and events are only ever appended until head_reset; the head
 * can be thrown away at any time and read again from the journal, and so it is after
 * every failed commit and every seal.
 */
#ifndef STORE_HEAD_H
#define STORE_HEAD_H

#include "store/catalogue.h"
#include "store/journal.h"
#include "store/partition.h"
#include "store/segment.h"
#include "store/table.h"

struct head_series {
    int64_t last_end;  /* of any of its rows here; INT64_MIN: none */
    uint32_t last_row; /* the chain: last_row, previous[last_row], ...; HASH_NONE ends it */
};

/* A counter's reading: what (series, start) had reached at last_end. */
struct stream {
    uint32_t series;
    uint8_t is_float, has_reading;
    uint8_t is_loaded;  /* what the store's rows say of it is in here */
    uint8_t is_waiting; /* while a batch is admitted: for rows of it that were put off */
    int64_t start, last_end;
    int64_t reading; /* or the bits of a double */
};

struct head_entry {
    uint64_t seq;
    struct stretch stretch;
    int32_t last_day; /* of its unsealed rows */
};

/* How many rows or events of a day and a table are here. */
struct head_day {
    int32_t day;
    uint32_t table; /* as events name theirs, counted from 1; 0: rows */
    uint64_t count;
};

struct head {
    struct mem *mem;
    uint64_t seed;
    struct rowset rows;
    struct eventset events;
    uint64_t next_seq;          /* entries below are in */
    struct head_series *series; /* one a series of rows */
    uint32_t *previous;         /* one a row */
    struct stream *streams;
    struct hash_table stream_table; /* by series hash and start */
    struct hash_table event_table;  /* identities of the events */
    struct hash_table
        row_table;       /* identities of rows; filled once chains have cost more than that */
    size_t row_table_to; /* rows [0, row_table_to) are in it */
    size_t walked;       /* rows that were looked at in chains, all in all */
    struct head_entry *entries;
    struct head_day *days; /* of all entries, in no order */
    size_t day_count, day_capacity;
    size_t series_capacity, previous_capacity, stream_count, stream_capacity, entry_count,
        entry_capacity;
    size_t indexed_rows, indexed_series; /* those that series and previous cover */
};

enum varve_status
head_init(struct head *head, struct mem *mem, uint64_t seed, struct varve_err *err) VARVE_CHECKED;
void head_free(struct head *head);
/* Empty, and at seq 1: everything is to be read again.  After a failure, of head_init too, it can
 * only be reset again or freed. */
enum varve_status head_reset(struct head *head, struct varve_err *err) VARVE_CHECKED;

/* Adds a row or an event as the newest. */
enum varve_status
head_add_row(struct head *head, const struct row *row, struct varve_err *err) VARVE_CHECKED;
enum varve_status
head_add_event(struct head *head, const struct eventset *from, const struct event *event,
               uint32_t *texts, /* as eventset_import_mapped has them */
               struct varve_err *err) VARVE_CHECKED;
/* Closes the entry whose rows and events are those from `from` on. */
enum varve_status head_entry_done(struct head *head, uint64_t seq, struct stretch from,
                                  struct varve_err *err) VARVE_CHECKED;
struct stretch head_mark(const struct head *head); /* everything: [0, now) */

/* Reads journal entries [head->next_seq, state->next_seq), leaving out the parts that the catalogue
 * has sealed. */
enum varve_status head_catch_up(struct head *head, struct txn *txn, const struct state *state,
                                const struct catalogue *catalogue, uint64_t store_seed,
                                struct text_codec *texts, struct varve_err *err) VARVE_CHECKED;

/* Whether the series has exactly this row here. */
enum varve_status
head_has(struct head *head, const struct row *row, bool *has, struct varve_err *err) VARVE_CHECKED;
/* Appends the CUMULATIVE, ADJUST and BASE rows of (series, start). */
struct row_list;
enum varve_status head_collect(const struct head *head, uint32_t series, int64_t start,
                               struct row_list *rows, struct varve_err *err) VARVE_CHECKED;
/* The stream of (series, start); *fresh: it knows nothing yet, or another process has written to it
 * since, and the caller loads it. */
enum varve_status head_stream(struct head *head, uint32_t series, int64_t start, uint32_t *stream,
                              bool *fresh, struct varve_err *err) VARVE_CHECKED;
/* Whether it has rows of that day. */
bool head_has_day(const struct head *head, int32_t day);
bool head_has_event(const struct head *head, struct h128 identity);

#endif
