/* SPDX-License-Identifier: Apache-2.0
 *
 * partition.c -- takes rows and events apart by day and table.
 *
 * Each row becomes one 64-bit number, its day and table above its position;
 * sorting those numbers groups them and keeps the order inside a group.  Nearly all
 * stretches are of one day, and are seen to be sorted already.
 */
#include "store/partition.h"

#include <stdlib.h>

#include "base/clock.h"

struct item {
    uint64_t group; /* day, then table */
    uint32_t position;
    int64_t time;
};

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

/* Tables count from 1 here, so that rows (0) come first. */
static uint64_t group_of(int32_t day, uint32_t table)
{
    return (uint64_t)((uint32_t)day ^ 0x80000000u) << 32 | table;
}

static bool is_sorted(const struct item *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (items[i].group < items[i - 1].group)
            return false;
    return true;
}

static size_t gather(const struct rowset *rows, const struct eventset *events, struct stretch s,
                     int32_t before, struct item *items)
{
    size_t n = 0;
    for (size_t i = s.row_from; i < s.row_to; i++) {
        int32_t day = day_of(rows->rows[i].end);
        if (day < before)
            items[n++] = (struct item){group_of(day, 0), (uint32_t)i, rows->rows[i].end};
    }
    for (size_t i = s.event_from; i < s.event_to; i++) {
        int32_t day = day_of(events->events[i].time);
        if (day < before)
            items[n++] = (struct item){group_of(day, events->events[i].table + 1), (uint32_t)i,
                                       events->events[i].time};
    }
    return n;
}

static size_t count_groups(const struct item *items, size_t n)
{
    size_t groups = n > 0;
    for (size_t i = 1; i < n; i++)
        groups += items[i].group != items[i - 1].group;
    return groups;
}

static void fill_parts(const struct item *items, size_t n, uint32_t *index, struct part *part)
{
    for (size_t i = 0; i < n; i++) {
        index[i] = items[i].position;
        if (i == 0 || items[i].group != items[i - 1].group) {
            part += i > 0;
            uint32_t table = (uint32_t)items[i].group;
            *part = (struct part){(int32_t)((uint32_t)(items[i].group >> 32) ^ 0x80000000u),
                                  table > 0,
                                  table ? table - 1 : 0,
                                  0,
                                  index + i,
                                  items[i].time,
                                  items[i].time};
        }
        part->count++;
        if (items[i].time < part->first)
            part->first = items[i].time;
        if (items[i].time > part->last)
            part->last = items[i].time;
    }
}

enum varve_status
partition(const struct rowset *rows, const struct eventset *events, struct stretch stretch,
          int32_t before, struct arena *arena, struct partition *result, struct varve_err *err)
{
    size_t most = stretch.row_to - stretch.row_from + stretch.event_to - stretch.event_from;
    struct item *items = arena_alloc(arena, mem_array(most + 1, sizeof *items));
    if (!items)
        return fail_nomem(err, most * sizeof *items);
    size_t n = gather(rows, events, stretch, before, items);
    if (!is_sorted(items, n))
        qsort(items, n, sizeof *items, compare_items);
    size_t groups = count_groups(items, n);
    uint32_t *index = arena_alloc(arena, mem_array(n + 1, sizeof *index));
    struct part *parts = arena_alloc(arena, mem_array(groups + 1, sizeof *parts));
    if (!index || !parts)
        return fail_nomem(err, n * sizeof *index);
    fill_parts(items, n, index, parts);
    *result = (struct partition){parts, groups};
    return VARVE_OK;
}
