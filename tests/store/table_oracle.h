/* SPDX-License-Identifier: Apache-2.0
 *
 * table_oracle.h -- a store in small, and what must be true of the table segments in it.
 */
#ifndef TESTS_TABLE_ORACLE_H
#define TESTS_TABLE_ORACLE_H

#include <stdbool.h>

#include "store/table.h"

enum { SEED = 42, PLACE = 1000 };

struct bench {
    struct mem mem;
    struct eventset set, loaded;
    struct table_builder builder;
    struct buf bytes;
    struct arena arena;
    struct table table;
};
extern struct bench bench;

int bench_setup(void **state);
int bench_teardown(void **state);
void bench_clear(void);
/* Fails the test with the error, if it is one. */
void bench_ok(enum varve_status status, const struct varve_err *err);
/* Builds bench.set, opens, verifies and loads it into bench.loaded. */
void bench_round_trip(void);

/* An event of the set and a loaded one. */
bool equal_events(const struct event *a, const struct event *b);
/* Every loaded event is one of the set, and as many are alike. */
void check_loaded(void);
/* table_identities, the order of rows, table_values and table_times agree with what was loaded. */
void check_identities(void);
void check_order(void);
void check_values(void);

/* The bytes of the example in docs/format-tables.md: in its last chapter, what stands before the
 * bars.  Answers how many. */
size_t read_example(uint8_t *bytes, size_t room);

#endif
