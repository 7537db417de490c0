/* SPDX-License-Identifier: Apache-2.0
 *
 * sort.c -- a merge sort over numbers.
 *
 * Top down, with insertion below a handful.  Only the left half is moved
 * aside, so the scratch is half as long, and two halves that are in order
 * already are left alone, which is the common case: what comes in comes nearly sorted.
 * The depth is the logarithm of the count.
 */
#include "store/sort.h"

#include <string.h>

enum { HANDFUL = 12 };

static void insertion(uint32_t *numbers, size_t count, sort_compare *compare, const void *context)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t number = numbers[i];
        size_t at = i;
        for (; at > 0 && compare(context, numbers[at - 1], number) > 0; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

void sort_numbers(uint32_t *numbers, uint32_t *scratch, size_t count, sort_compare *compare,
                  const void *context)
{
    if (count <= HANDFUL) {
        insertion(numbers, count, compare, context);
        return;
    }
    size_t half = count / 2;
    sort_numbers(numbers, scratch, half, compare, context);
    sort_numbers(numbers + half, scratch, count - half, compare, context);
    if (compare(context, numbers[half - 1], numbers[half]) <= 0)
        return;
    memcpy(scratch, numbers, half * sizeof *numbers);
    size_t left = 0, right = half, to = 0;
    while (left < half && right < count)
        numbers[to++] = compare(context, scratch[left], numbers[right]) <= 0 ? scratch[left++]
                                                                             : numbers[right++];
    memcpy(numbers + to, scratch + left, (half - left) * sizeof *numbers);
}
