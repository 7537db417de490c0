/* SPDX-License-Identifier: Apache-2.0
 *
 * long_sort.h -- sorts what may be much, and stops when the query has to.
 *
 * The C library's qsort knows no deadline, and takes memory that nobody has counted.
 */
#ifndef EXEC_LONG_SORT_H
#define EXEC_LONG_SORT_H

#include "exec/exec.h"

typedef int long_sort_compare(const void *context, const void *a, const void *b);

/* Stable.  After a failure every item is still there or twice: they are of no use. */
enum varve_status
long_sort(struct exec *exec, void *items, size_t count, size_t size, long_sort_compare *compare,
          const void *context, struct varve_err *err) VARVE_CHECKED;

#endif
