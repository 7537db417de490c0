/* SPDX-License-Identifier: Apache-2.0
 *
 * admit.h -- from what was sent to what is stored: the one place where
 * duplicates are dropped and readings become increments.
 *
 * Delta points and gauges: (series, start, end, value) seen before is a
 * duplicate, anything else is new; which came first plays no part (L3).
 *
 * Cumulative readings of one (series, start): the counter's value at a time is
 * the largest reading up to then, and a row's increment is what that maximum rose by.  It is a
 * function of the set of readings, not of their order: a late reading takes its
 * share from the rows after it by ADJUST rows.  A reading below the maximum
 * adds nothing and is counted as ambiguous: a second writer with the same
 * start, or a sender that reset without saying so.
 *
 * Without a start (0) the first reading is a baseline (a BASE row), and a fall is a
 * reset: counting goes on from zero, as Prometheus has it.
 *
 * VARVE_FROM_ZERO as the start: not known, but the counter was at zero before its first reading,
 * which counts in full.  At each end the largest reading counts; a row's increment is what was read
 * more than at the end before, or all of it where less was read.  A counter that was silent for
 * longer than seven days that have data is taken for a new one: what came before a reading is
 * searched no further, and no further than the newest day that has some of it.  So a new session
 * costs a look at the filters of a week.  What has been forgotten (below) does not make a baseline.
 *
 * A counter that began before what is kept (the floor) has a baseline too: part of what it counted
 * has been forgotten, and must not be counted again.
 */
#ifndef STORE_ADMIT_H
#define STORE_ADMIT_H

#include "store/head.h"
#include "store/sealed.h"

/* A reading that has to wait for the end of its batch. */
struct late_row {
    uint32_t stream, position; /* among those that wait */
    struct row row;
};

struct admit {
    struct mem *mem;
    struct head *head;
    struct sealed *sealed;
    const struct catalogue *catalogue;
    int64_t floor;
    struct varve_appended *appended;
    const struct day_record *day; /* the last one looked up, for the next point */
    int64_t day_from, day_to;     /* its instants */
    struct late_row *late;
    size_t late_count, late_capacity;
};

/* Adds what is new in the batch to the head, of the rows that index says (NULL: the first `count`).
 * On failure the head has to be reset. */
enum varve_status admit_rows(struct admit *admit, const struct rowset *batch, const uint32_t *index,
                             size_t count, struct varve_err *err) VARVE_CHECKED;

#endif
