/* SPDX-License-Identifier: Apache-2.0
 *
 * sort.h -- sorting numbers by what they stand for.
 *
 * The C library's qsort takes no context, and may call malloc; this does neither.
 */
#ifndef STORE_SORT_H
#define STORE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Below, at or above 0 as a stands before, beside or behind b. */
typedef int sort_compare(const void *context, uint32_t a, uint32_t b);

/* A stable merge sort; scratch has room for count / 2 numbers.  What is sorted already costs one
 * look at each neighbour. */
void sort_numbers(uint32_t *numbers, uint32_t *scratch, size_t count, sort_compare *compare,
                  const void *context);

#endif
