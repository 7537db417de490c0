/* SPDX-License-Identifier: Apache-2.0
 *
 * ask.h -- asks a store through the public interface, in the terms of the model.
 *
 * Everything here ends the test with a message when the store reports an error
 * that was not expected, or breaks a promise of varve.h about the shape of its answers.
 */
#ifndef TESTS_ASK_H
#define TESTS_ASK_H

#include "model.h"

/* VARVE_OK, or the test fails and the error is printed. */
#define MUST(call) must_ok((call), &test_err, #call, __FILE__, __LINE__)
extern _Thread_local struct varve_err test_err;
void must_ok(enum varve_status status, const struct varve_err *err, const char *call,
             const char *file, int line);

struct ask {
    varve_snapshot *snapshot;
    const char *source;
    int64_t since, until;
    const struct varve_filter *filters;
    size_t filter_count;
    const char *const *keys; /* labels, or the fields of events */
    size_t key_count;
    unsigned flags;
};

/* A source that the store does not know has no rows.  Adjustments are added to their rows, which
 * must be there.  Sorted; free() them. */
size_t ask_rows(const struct ask *ask, struct row_answer **rows);
/* The same, by sums of runs. */
size_t ask_groups(const struct ask *ask, struct group_answer **groups);
size_t ask_events(const struct ask *ask, struct event_answer **events);

/* A scan that is read a batch at a time, with other things between. */
struct slow_scan {
    varve_scan *scan;
    const char *const *keys;
    size_t key_count;
    struct row_answer *rows;
    bool *adjustments;
    size_t count, room;
    bool done;
};
void slow_scan_open(struct slow_scan *slow, const struct ask *ask);
void slow_scan_step(struct slow_scan *slow);
/* The rest, sorted and adjusted; closes the scan. */
size_t slow_scan_finish(struct slow_scan *slow, struct row_answer **rows);

#endif
