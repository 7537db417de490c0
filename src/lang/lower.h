/* SPDX-License-Identifier: Apache-2.0
 *
 * lower.h -- from the tree of a VQL query to its plan: names are resolved, types checked, times
 * computed, sugar taken out.
 *
 * What a SELECT means is decided here and nowhere else:
 *
 *  - Without roll-ups, aggregates, BY and EVERY it lists rows: SCAN, FILTER, COMPUTE, PICK.
 *  - Else every roll-up becomes a MEASURE, all aggregates of the FROM table one GROUP, equal
 *    ones only once; ALIGN joins them, GRID adds the buckets that have nothing, COMPUTE makes the
 *    items.
 *  - total(x) measures the inside of x once more without keys.  TOP ranks by the same plan without
 *    buckets, and names the groups that MEASURE and GROUP keep.  COMPARE TO is the same plan
 *    over another range, shifted and joined.
 */
#ifndef LANG_LOWER_H
#define LANG_LOWER_H

#include "lang/plan.h"
#include "lang/schema.h"

/* What a statement's words depend on beside the store. */
struct lower_options {
    int64_t now;
    struct varve_str zone; /* of calendars; empty: UTC */
    int64_t since;         /* the range when a statement has none: now - since; 0: 24 h */
};

/* QUERY, SHOW, SHOW NEW and DESCRIBE statements.  All of the plan lies in the arena.
 * VARVE_INVALID, VARVE_NOTFOUND, VARVE_LIMIT with *error; other failures of the schema with *err.
 * */
enum varve_status
lower_statement(const struct statement *statement, const struct schema *schema,
                const struct lower_options *options, struct arena *arena, struct plan **plan,
                struct lang_error *error, struct varve_err *err) VARVE_CHECKED;

/* What a DELETE takes away: rows of the source whose labels have one of the values each. */
struct erasure {
    struct varve_str source; /* empty: all metrics and tables */
    int64_t since;
    struct label_filter *filters; /* all of them EQ */
    uint32_t filter_count;
};
enum varve_status
lower_erasure(const struct statement *statement, const struct schema *schema,
              const struct lower_options *options, struct arena *arena, struct erasure *erasure,
              struct lang_error *error, struct varve_err *err) VARVE_CHECKED;

#endif
