/* SPDX-License-Identifier: Apache-2.0
 *
 * partition.c -- takes rows and events apart by day and table.
 *
 * Nearly all stretches are of a day or two and a few tables: their rows are counted and put into
 * their groups in two passes.  Where there are many groups, each row becomes an item of its
 * group and position, and the items are sorted.
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

/* ---- few groups: counted, not sorted -------------------------------------- */

/* More groups than this are sorted. */
enum { FEW = 64, LEFT_OUT = 255 };

struct bucket {
    uint64_t group;
    uint32_t count, at;
    int64_t first, last;
};
struct buckets {
    struct bucket bucket[FEW];
    size_t count;
    uint8_t *which; /* of each row, then of each event */
};

/* The bucket of a group; FEW: there are too many. */
static size_t bucket_of(struct buckets *b, uint64_t group)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->bucket[i].group == group)
            return i;
    if (b->count == FEW)
        return FEW;
    b->bucket[b->count] = (struct bucket){group, 0, 0, INT64_MAX, INT64_MIN};
    return b->count++;
}

static void count_one(struct bucket *bucket, int64_t time)
{
    bucket->count++;
    bucket->first = time < bucket->first ? time : bucket->first;
    bucket->last = time > bucket->last ? time : bucket->last;
}

/* Whether there are few groups; most rows are of the day of the one before them. */
static bool count_all(const struct rowset *rows, const struct eventset *events, struct stretch s,
                      int32_t before, struct buckets *b)
{
    uint8_t *which = b->which;
    int64_t from = 0, to = 0;
    size_t at = LEFT_OUT;
    for (size_t i = s.row_from; i < s.row_to; i++) {
        int64_t end = rows->rows[i].end;
        if (end < from || end >= to) {
            int32_t day = day_of(end);
            from = day_start(day);
            to = day_start(day + 1);
            at = day < before ? bucket_of(b, group_of(day, 0)) : LEFT_OUT;
            if (at == FEW)
                return false;
        }
        *which++ = (uint8_t)at;
        if (at != LEFT_OUT)
            count_one(&b->bucket[at], end);
    }
    for (size_t i = s.event_from; i < s.event_to; i++) {
        const struct event *event = &events->events[i];
        int32_t day = day_of(event->time);
        at = day < before ? bucket_of(b, group_of(day, event->table + 1)) : LEFT_OUT;
        if (at == FEW)
            return false;
        *which++ = (uint8_t)at;
        if (at != LEFT_OUT)
            count_one(&b->bucket[at], event->time);
    }
    return true;
}

static int compare_groups(const void *a, const void *b)
{
    uint64_t x = (*(const struct bucket *const *)a)->group,
             y = (*(const struct bucket *const *)b)->group;
    return (x > y) - (x < y);
}

/* The parts in order of their groups, each with room for its positions. */
static void make_parts(struct buckets *b, uint32_t *index, struct part *parts)
{
    struct bucket *order[FEW];
    uint32_t at = 0;
    for (size_t i = 0; i < b->count; i++)
        order[i] = &b->bucket[i];
    qsort(order, b->count, sizeof *order, compare_groups);
    for (size_t i = 0; i < b->count; i++) {
        struct bucket *o = order[i];
        uint32_t table = (uint32_t)o->group;
        parts[i] = (struct part){(int32_t)((uint32_t)(o->group >> 32) ^ 0x80000000u),
                                 table > 0,
                                 table ? table - 1 : 0,
                                 o->count,
                                 index + at,
                                 o->first,
                                 o->last};
        o->at = at;
        at += o->count;
    }
}

static enum varve_status put_counted(struct buckets *b, struct stretch s, struct arena *arena,
                                     struct partition *result, struct varve_err *err)
{
    size_t total = 0;
    for (size_t i = 0; i < b->count; i++)
        total += b->bucket[i].count;
    uint32_t *index = arena_alloc(arena, mem_array(total + 1, sizeof *index));
    struct part *parts = arena_alloc(arena, mem_array(b->count + 1, sizeof *parts));
    if (!index || !parts)
        return fail_nomem(err, total * sizeof *index);
    make_parts(b, index, parts);
    const uint8_t *which = b->which;
    for (size_t i = s.row_from; i < s.row_to; i++, which++)
        if (*which != LEFT_OUT)
            index[b->bucket[*which].at++] = (uint32_t)i;
    for (size_t i = s.event_from; i < s.event_to; i++, which++)
        if (*which != LEFT_OUT)
            index[b->bucket[*which].at++] = (uint32_t)i;
    *result = (struct partition){parts, b->count};
    return VARVE_OK;
}

/* ---- one group ------------------------------------------------------------ */

/* Whether a stretch is nothing but rows of one day, as nearly all are. */
static bool is_one_day(const struct rowset *rows, struct stretch s, struct part *part)
{
    if (s.event_to > s.event_from || s.row_to == s.row_from)
        return false;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = s.row_from; i < s.row_to; i++) {
        int64_t end = rows->rows[i].end;
        first = end < first ? end : first;
        last = end > last ? end : last;
    }
    *part = (struct part){.day = day_of(first),
                          .count = (uint32_t)(s.row_to - s.row_from),
                          .first = first,
                          .last = last};
    return day_of(last) == part->day;
}

static enum varve_status put_one_day(const struct part *one, struct stretch s, struct arena *arena,
                                     struct partition *result, struct varve_err *err)
{
    uint32_t *index = arena_alloc(arena, mem_array(one->count, sizeof *index));
    struct part *part = arena_alloc(arena, sizeof *part);
    if (!index || !part)
        return fail_nomem(err, one->count * sizeof *index);
    for (uint32_t i = 0; i < one->count; i++)
        index[i] = (uint32_t)s.row_from + i;
    *part = *one;
    part->index = index;
    *result = (struct partition){part, 1};
    return VARVE_OK;
}

enum varve_status
partition(const struct rowset *rows, const struct eventset *events, struct stretch stretch,
          int32_t before, struct arena *arena, struct partition *result, struct varve_err *err)
{
    size_t most = stretch.row_to - stretch.row_from + stretch.event_to - stretch.event_from;
    struct buckets few;
    struct part one;
    if (is_one_day(rows, stretch, &one) && one.day < before)
        return put_one_day(&one, stretch, arena, result, err);
    few.count = 0;
    few.which = arena_alloc(arena, most + 1);
    if (!few.which)
        return fail_nomem(err, most);
    if (count_all(rows, events, stretch, before, &few))
        return put_counted(&few, stretch, arena, result, err);
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
