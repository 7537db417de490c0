/* SPDX-License-Identifier: Apache-2.0
 *
 * sealed.h -- finds the rows of one series in days that are sealed.
 *
 * Appending asks: has this point been seen?  What had this counter reached?
 * For points of days that are still in the journal the head knows.  For sealed
 * days this module opens the day's segment, indexes its runs by the hash of
 * their series, and decodes just the runs asked for.
 *
 * A few days stay indexed (the ones used last).  For every day ever looked at
 * a small Bloom filter stays, so that a new session is known to be absent from a month of
 * sealed days without opening them again.
 *
 * Used under the store's write lock.
 */
#ifndef STORE_SEALED_H
#define STORE_SEALED_H

#include "store/catalogue.h"
#include "store/segfile.h"
#include "store/segment.h"

struct sealed_index;
struct sealed_filter;
#define SEALED_INDEXES 8

struct sealed {
    struct mem *mem;
    struct segfiles *files;
    struct text_codec *texts;
    uint64_t seed;
    struct sealed_index *indexes[SEALED_INDEXES]; /* the one used last first */
    struct sealed_filter *filters;                /* sorted by day */
    size_t filter_count, filter_capacity;
    size_t kept_bytes; /* of rows that the indexes keep decoded, at most */
};

/* A growing list of rows; series is not set in them. */
struct row_list {
    struct mem *mem;
    struct row *rows;
    size_t count, capacity;
};
void row_list_free(struct row_list *list);
enum varve_status
row_list_add(struct row_list *list, const struct row *row, struct varve_err *err) VARVE_CHECKED;

void sealed_init(struct sealed *sealed, struct mem *mem, struct segfiles *files,
                 struct text_codec *texts, uint64_t seed);
void sealed_free(struct sealed *sealed);
/* Forgets days whose segment is not the one the catalogue names now. */
void sealed_refresh(struct sealed *sealed, const struct catalogue *catalogue);
/* Lets go of all files; what is asked for later is read anew. */
void sealed_let_go(struct sealed *sealed);

/* Whether the day holds exactly this row of that series. */
enum varve_status
sealed_has(struct sealed *sealed, const struct day_record *day, struct h128 series,
           const struct row *row, bool *has, struct varve_err *err) VARVE_CHECKED;
/* Appends the day's CUMULATIVE, ADJUST and BASE rows of (series, start). */
enum varve_status
sealed_collect(struct sealed *sealed, const struct day_record *day, struct h128 series,
               int64_t start, struct row_list *rows, struct varve_err *err) VARVE_CHECKED;

#endif
