/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h -- telemetry out of a seed: points and events in the order in which they are sent.
 *
 * Sessions of a few users write counters of all kinds, gauges and events.  Some
 * points come twice, some late, some by two writers at once.  What is of a
 * counter without a start is always in order, because only that has a right answer.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "../base/prng.h"
#include "model.h"

struct world_metric {
    const char *name, *unit;
    enum varve_kind kind;
    enum varve_temporality temporality;
    int scale;
    bool in_order;  /* a counter without a start */
    bool from_zero; /* a counter that began at zero, nobody knows when */
};
extern const struct world_metric world_metrics[];
extern const size_t world_metric_count;
extern const char *const world_keys[]; /* all labels there are */
extern const size_t world_key_count;
extern const char *const world_tables[];
extern const size_t world_table_count;
extern const char *const world_fields[]; /* of all tables, in order */
extern const size_t world_field_count;

struct item {
    const struct world_metric *metric; /* NULL: an event */
    const char *table;
    struct labels labels;
    int64_t start, end;
    struct varve_value value;
    unsigned has; /* fields of an event: 1 cost, 2 model, 4 ok, 8 tokens */
    int64_t tokens;
    int model, ok;
    int64_t order; /* items are sent in this order */
};
struct world {
    struct item *items;
    size_t count, room;
    int64_t first, last; /* about where the points lie */
};

struct world_shape {
    unsigned sessions, days;
    int64_t lateness; /* the usual delay is below this */
    bool shuffled;    /* everything in any order */
    bool dense;       /* one session with thousands of points a series */
};

void world_make(struct world *world, struct prng *prng, const struct world_shape *shape);
void world_free(struct world *world);
/* Appends items [from, to) as one batch; what was appended must add up. */
void world_send(const struct world *world, varve *db, size_t from, size_t to,
                struct varve_appended *appended);
void world_tell(const struct world *world, struct model *model, size_t from, size_t to);

#endif
