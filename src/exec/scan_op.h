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

/* To be called in open: the rows of this input may come in any order.  Says so to a SCAN, also
 * through operators that keep the order of their input; others ignore it. */
void scan_op_any_order(struct op *input);

#endif
