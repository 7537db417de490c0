/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_adjust.h -- the rows of a metric as they are meant: late readings moved where they belong.
 */
#ifndef EXEC_SCAN_ADJUST_H
#define EXEC_SCAN_ADJUST_H

#include "exec/exec.h"
#include "store/scan.h"

struct scan_adjust;

/* Whether there may be late readings of the query's metric in its range. */
enum varve_status scan_adjust_any(struct exec *exec, const struct varve_query *query, bool *any,
                                  struct varve_err *err) VARVE_CHECKED;

/* What is to be taken from rows of the query's range; NULL if there is nothing, as a rule. */
enum varve_status
scan_adjust_find(struct exec *exec, const struct varve_query *query, struct scan_adjust **adjust,
                 struct varve_err *err) VARVE_CHECKED;
void scan_adjust_free(struct scan_adjust *adjust);
/* The labels that a scan has to read in addition to its columns: behind them, in this order. */
uint32_t scan_adjust_labels(const struct scan_adjust *adjust, const struct varve_str **names);
/* The values of the rows into `values` (BATCH_ROWS of them), and the rows that are some into
 * `selected`.  first: the column that the labels begin at. */
void scan_adjust_rows(struct scan_adjust *adjust, const struct varve_rows *rows, uint32_t first,
                      struct value *values, uint16_t *selected, uint32_t *count);

#endif
