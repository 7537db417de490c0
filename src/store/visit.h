/* SPDX-License-Identifier: Apache-2.0
 *
 * visit.h -- what there is: metrics, tables, labels and their values with counts.
 *
 * All lists are made from the segments of a snapshot: their descriptions and
 * dictionaries, never their rows.  Results are sorted by name; values by count, largest first.
 */
#ifndef STORE_VISIT_H
#define STORE_VISIT_H

#include "store/snapshot.h"

enum varve_status
visit_metrics(struct snapshot *snapshot, int (*visit)(void *, const struct varve_metric_info *),
              void *context, struct varve_err *err) VARVE_CHECKED;
enum varve_status
visit_tables(struct snapshot *snapshot, int (*visit)(void *, const struct varve_table_info *),
             void *context, struct varve_err *err) VARVE_CHECKED;
enum varve_status visit_labels(struct snapshot *snapshot, struct varve_str source,
                               int (*visit)(void *, const struct varve_count_info *), void *context,
                               struct varve_err *err) VARVE_CHECKED;
/* All columns of a table with how many rows have each. */
enum varve_status visit_columns(struct snapshot *snapshot, struct varve_str table,
                                int (*visit)(void *, const struct varve_count_info *),
                                void *context, struct varve_err *err) VARVE_CHECKED;
enum varve_status
visit_values(struct snapshot *snapshot, struct varve_str source, struct varve_str label,
             int (*visit)(void *, const struct varve_count_info *), void *context,
             struct varve_err *err) VARVE_CHECKED;

#endif
