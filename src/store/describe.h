/* SPDX-License-Identifier: Apache-2.0
 *
 * describe.h -- what one name means in a snapshot, without listing all there are.
 *
 * The segments are asked from the newest to the oldest and the first that knows ends the search, so
 * that a question about a name in use opens one segment.  The lists of visit.h count, and open all.
 */
#ifndef STORE_DESCRIBE_H
#define STORE_DESCRIBE_H

#include "store/snapshot.h"

struct described_metric {
    enum varve_kind kind;
    int scale;
    struct varve_str unit; /* in the arena given */
};

/* VARVE_NOTFOUND, with err left alone: no segment has it. */
enum varve_status
describe_metric(struct snapshot *snapshot, struct varve_str name, struct arena *arena,
                struct described_metric *metric, struct varve_err *err) VARVE_CHECKED;
/* Whether some series of the metric has the label. */
enum varve_status
describe_label(struct snapshot *snapshot, struct varve_str metric, struct varve_str label,
               bool *found, struct varve_err *err) VARVE_CHECKED;
/* Whether some row of the table has the column, and what it is where it was met last. */
enum varve_status
describe_column(struct snapshot *snapshot, struct varve_str table, struct varve_str column,
                bool *found, enum varve_type *type, struct varve_err *err) VARVE_CHECKED;

#endif
