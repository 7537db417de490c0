/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.h -- sums by (number, two names), for a few hundred of them.
 */
#ifndef GEN_TALLY_H
#define GEN_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally_entry {
    const char *a, *b; /* constants; a == NULL: a free place */
    unsigned number;
    int64_t sum;
};

struct tally {
    struct tally_entry *entries;
    size_t capacity, count;
};

/* False: out of memory. */
bool tally_add(struct tally *t, unsigned number, const char *a, const char *b, int64_t value);
/* Joins entries of equal names and sorts by number, a, b; nothing may be added after. */
void tally_sort(struct tally *t);
void tally_free(struct tally *t);

#endif
