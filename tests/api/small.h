/* SPDX-License-Identifier: Apache-2.0
 *
 * small.h -- a store for a test that knows every point of it, filled one line at a time.
 */
#ifndef TESTS_SMALL_H
#define TESTS_SMALL_H

#include <stdlib.h>
#include <string.h>

#include "../base/unit.h"
#include "../faults/files.h"
#include "ask.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define T0 INT64_C(1789344000000000000) /* 2026-09-14T00:00:00Z */

/* The call fails as it should, and its message and place together have these words. */
#define REFUSED(wanted, words, call) refused((call), wanted, words, #call, __FILE__, __LINE__)
void refused(enum varve_status status, enum varve_status wanted, const char *words,
             const char *call, const char *file, int line);

struct small {
    char path[FILES_PATH];
    varve *db;
    varve_batch *batch;
    uint64_t seal_rows;  /* that make it seal by itself; 0: only when told to */
    uint64_t max_memory; /* 0: any */
};

/* A new store in a directory of its own; it seals only when told to. */
void small_make(struct small *small);
void small_make_sealing(struct small *small, uint64_t seal_rows);
void small_open(struct small *small, unsigned flags); /* the store is there and closed */
void small_reopen(struct small *small);               /* closed, sound, and open again */
void small_close(struct small *small);                /* what is in the batch is lost */
void small_remove(struct small *small);

/* Into the batch.  labels: "key=value,key=value". */
uint32_t small_labels(struct small *small, uint32_t parent, const char *labels);
uint32_t
small_metric(struct small *small, const char *name, const char *unit, enum varve_kind kind);
void small_delta(struct small *small, const char *metric, const char *unit, const char *labels,
                 int64_t end, struct varve_value value);
void small_reading(struct small *small, const char *metric, const char *unit, const char *labels,
                   int64_t start, int64_t end, struct varve_value value);
/* Tokens [from, to) of a day, one a second, of five users in turn. */
void small_tokens(struct small *small, int64_t day, int from, int to);
/* Appends the batch and clears it. */
struct varve_appended small_append(struct small *small);

/* The increase of a metric of integers, over all its series. */
int64_t small_increase(struct small *small, const char *metric, int64_t since, int64_t until);
struct varve_stats small_stats(struct small *small);
void small_verify(struct small *small); /* closed, and sound */

#endif
