/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_op.h -- SCAN: the rows of a table or a metric, in the order of time.
 *
 * Ordering costs: rows are given as they lie in their segments, with the segments' dictionaries,
 * when the operator above says that any order will do.
 */
#ifndef EXEC_SCAN_OP_H
#define EXEC_SCAN_OP_H

#include "exec/exec.h"
#include "store/scan.h"

/* To be called in open: the rows of this input may come in any order.  Says so to a SCAN, also
 * through operators that keep the order of their input; others ignore it. */
void scan_op_any_order(struct op *input);

/* For an operator in parts (parts.h): the SCAN of a table whose rows may come in any order, below
 * operators that look at one row at a time; NULL: there is none. */
struct op *scan_op_below(struct op *input);
/* Opens what it is to read; *scan NULL: that is nothing. */
enum varve_status
scan_op_begin(struct op *op, const struct scan **scan, struct varve_err *err) VARVE_CHECKED;
/* Makes it read the sources [from, until) of another one's scan. */
enum varve_status scan_op_part(struct op *op, const struct scan *whole, size_t from, size_t until,
                               struct varve_err *err) VARVE_CHECKED;

#endif
