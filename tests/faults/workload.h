/* SPDX-License-Identifier: Apache-2.0
 *
 * workload.h -- batches that follow from their number, and a reader that knows what must be there.
 *
 * Batch n is the same whenever it is made: points of four kinds of metrics, readings of a
 * cumulative counter (some of them late), events, now and then a large one, and one point on
 * an ancient day.  The time of a point says which point of which batch it is, so a scan tells
 * without any book-keeping what is missing, what is there twice and what nobody ever sent.
 * After some batches the house is kept: days are sealed, the store is compacted, ancient days
 * are forgotten; that, too, follows from the number.
 *
 * So the state of a store is told by one number: the last batch that was acknowledged.
 */
#ifndef FAULTS_WORKLOAD_H
#define FAULTS_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "varve.h"

/* ---- what is in a batch ---- */

enum work_metric {
    WORK_TOKENS,  /* whole increments */
    WORK_COST,    /* dollars: nano-dollars in the store */
    WORK_SECONDS, /* increments that are doubles */
    WORK_LOAD,    /* a gauge */
    WORK_KINDS,
    WORK_TOTAL = WORK_KINDS, /* a cumulative counter */
    WORK_ANCIENT,            /* one point a batch, on a day that will be forgotten */
    WORK_METRICS
};
enum { WORK_ITEMS = 64, WORK_TABLES = 2, WORK_LABEL = 32, WORK_BODY = 3000 };

extern const char *const work_metric_names[WORK_METRICS];
extern const char *const work_table_names[WORK_TABLES];

struct work_point {
    enum work_metric metric;
    int64_t start, end;
    struct varve_value value;
    int64_t stored; /* the integer the store keeps of it, unless it is a double */
    char session[WORK_LABEL], model[WORK_LABEL];
};
struct work_event {
    unsigned table;
    int64_t time, number;
    double ratio;
    bool has_ratio, ok;
    char body[WORK_BODY];
};

/* Points 0 .. work_points(n) - 1 are of the four kinds. */
unsigned work_points(uint64_t n);
void work_point(uint64_t n, unsigned k, struct work_point *point);
void work_ancient(uint64_t n, struct work_point *point);
unsigned work_events(uint64_t n);
void work_event(uint64_t n, unsigned k, struct work_event *event);
/* Readings of the cumulative counter in batch n: slots[], at most two; and a slot's. */
unsigned work_slots(uint64_t n, uint64_t slots[2]);
int64_t work_slot_time(uint64_t slot);
bool work_slot_of(int64_t time, uint64_t *slot);
int64_t work_slot_value(uint64_t slot);
/* All points of the batch, and all its items. */
unsigned work_point_count(uint64_t n);

/* Which point or event has this time: false if none could. */
bool work_item_of(int64_t time, uint64_t *n, unsigned *k);
/* What the retention after batch n forgets: days before this time. INT64_MIN: there is none. */
int64_t work_floor(uint64_t n);

/* ---- doing it ---- */

/* Appends batch n.  VARVE_OK also means that what the store said of it adds up: all new or all
 * seen before. */
enum varve_status work_append(varve *db, uint64_t n, struct varve_err *err);
/* What comes after batch n, if anything. */
enum varve_status work_house(varve *db, uint64_t n, struct varve_err *err);
/* What of it must have been done when batch n + 1 is appended: a process that takes over from one
 * that died cannot know whether it had been. */
enum varve_status work_resume(varve *db, uint64_t n, struct varve_err *err);
/* Both for batches from .. to; *done: the last batch that was acknowledged. */
enum varve_status
work_run(varve *db, uint64_t from, uint64_t to, uint64_t *done, struct varve_err *err);

/* ---- looking at it ---- */

enum work_verdict {
    WORK_RIGHT,
    WORK_WRONG, /* something is missing, there twice, or was never sent */
    WORK_ERROR  /* the store reported an error, which is in the text */
};
/* Reads all there is.  Every batch up to `acked` must be there exactly once; the next one may be
 * there as a whole; nothing else.  The house was kept after every batch below `acked`, and maybe
 * after that.  *last: the last batch that is there. */
enum work_verdict
work_check(varve *db, uint64_t acked, uint64_t *last, char text[GUARD_TEXT], struct varve_err *err);
/* Opens, checks, closes. */
enum work_verdict work_check_store(const char *path, unsigned flags, uint64_t acked, uint64_t *last,
                                   char text[GUARD_TEXT]);
/* varve_verify; the first finding goes into the text. */
bool work_verify(const char *path, char text[GUARD_TEXT]);
/* "VARVE_CORRUPT: main.mdb, page 7: ..." */
void work_error_text(const char *doing, const struct varve_err *err, char text[GUARD_TEXT]);

#endif
