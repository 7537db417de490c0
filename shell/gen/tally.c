/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.c -- sums by (number, two names), for a few hundred of them.
 *
 * Names are constants of the program, so they are told apart by their address
 * while counting, which is quick; names that are equal but lie at two
 * addresses come together when the tally is sorted.
 */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

static size_t place(const struct tally *t, unsigned number, const char *a, const char *b)
{
    uint64_t h = ((uint64_t)(uintptr_t)a * 31 + (uint64_t)(uintptr_t)b) * 31 + number;
    size_t at = (size_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (t->capacity - 1);
    for (;; at = (at + 1) & (t->capacity - 1)) {
        const struct tally_entry *e = &t->entries[at];
        if (!e->a || (e->a == a && e->b == b && e->number == number))
            return at;
    }
}

static bool grow(struct tally *t)
{
    struct tally bigger = {.capacity = t->capacity ? 2 * t->capacity : 512, .count = t->count};
    bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
    if (!bigger.entries)
        return false;
    for (size_t i = 0; i < t->capacity; i++) {
        const struct tally_entry *e = &t->entries[i];
        if (e->a)
            bigger.entries[place(&bigger, e->number, e->a, e->b)] = *e;
    }
    free(t->entries);
    *t = bigger;
    return true;
}

bool tally_add(struct tally *t, unsigned number, const char *a, const char *b, int64_t value)
{
    if (2 * t->count >= t->capacity && !grow(t))
        return false;
    struct tally_entry *e = &t->entries[place(t, number, a, b)];
    if (!e->a) {
        *e = (struct tally_entry){.a = a, .b = b, .number = number};
        t->count++;
    }
    e->sum += value;
    return true;
}

static int compare(const void *x, const void *y)
{
    const struct tally_entry *e = x, *f = y;
    if (e->number != f->number)
        return e->number < f->number ? -1 : 1;
    int order = strcmp(e->a, f->a);
    return order ? order : strcmp(e->b, f->b);
}

void tally_sort(struct tally *t)
{
    size_t n = 0, joined = 0;
    for (size_t i = 0; i < t->capacity; i++)
        if (t->entries[i].a)
            t->entries[n++] = t->entries[i];
    if (n)
        qsort(t->entries, n, sizeof *t->entries, compare);
    for (size_t i = 0; i < n; i++) {
        if (joined && compare(&t->entries[joined - 1], &t->entries[i]) == 0)
            t->entries[joined - 1].sum += t->entries[i].sum;
        else
            t->entries[joined++] = t->entries[i];
    }
    t->count = joined;
}

void tally_free(struct tally *t)
{
    free(t->entries);
    *t = (struct tally){0};
}
