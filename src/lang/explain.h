/* SPDX-License-Identifier: Apache-2.0
 *
 * explain.h -- a plan as lines of text, one a node, inputs indented below.
 */
#ifndef LANG_EXPLAIN_H
#define LANG_EXPLAIN_H

#include "base/buf.h"
#include "lang/plan.h"

/* What came of running a node; EXPLAIN ANALYZE prints it behind the node. */
struct node_stats {
    uint64_t rows, batches;
    int64_t nanos; /* with its inputs */
    struct varve_scan_stats scan;
    uint64_t bytes; /* of memory */
};

/* stats: one a node by its number, or NULL. */
void explain_plan(struct buf *out, const struct plan *plan, const struct node_stats *stats);
void explain_term(struct buf *out, const struct term *term, const struct column_info *columns);

#endif
