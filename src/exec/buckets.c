/* SPDX-License-Identifier: Apache-2.0
 *
 * buckets.c -- cuts a range into buckets, and finds the one of an instant.
 *
 * All starts are computed once and kept, so that calendars are asked once a bucket and not
 * once a row.  Finding guesses by a division where buckets are equally wide, and searches
 * elsewhere; rows mostly come in runs, so the last answer is tried before both.
 *
 * Near the ends of int64 the first or the last bucket is cut off there; the guess is checked, so
 * this costs speed and not truth.
 */
#include "exec/buckets.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* index * width, or the end of int64 on its side. */
static int64_t edge(int64_t index, int64_t width)
{
    int64_t product;
    if (__builtin_mul_overflow(index, width, &product))
        return index < 0 ? INT64_MIN : INT64_MAX;
    return product;
}

static enum varve_status too_many(struct varve_err *err)
{
    return fail(err, VARVE_LIMIT, "query",
                "the range has more than %u buckets: take wider ones, or a shorter range",
                BUCKETS_MAX);
}

static enum varve_status
make_starts(struct arena *arena, size_t count, struct buckets *buckets, struct varve_err *err)
{
    buckets->starts = arena_alloc(arena, mem_array(count + 1, sizeof *buckets->starts));
    if (!buckets->starts)
        return fail_nomem(err, (count + 1) * sizeof *buckets->starts);
    buckets->count = (uint32_t)count;
    return VARVE_OK;
}

static enum varve_status
make_fixed(int64_t width, struct arena *arena, struct buckets *buckets, struct varve_err *err)
{
    struct time_range range = buckets->range;
    if (width <= 0)
        return fail(err, VARVE_INVALID, "query", "buckets have to be longer than nothing");
    int64_t first = floor_div(range.since, width), last = floor_div(range.until - 1, width);
    uint64_t more = (uint64_t)last - (uint64_t)first;
    if (more >= BUCKETS_MAX)
        return too_many(err);
    TRY(make_starts(arena, (size_t)more + 1, buckets, err));
    for (uint32_t i = 0; i < buckets->count; i++)
        buckets->starts[i] = edge(first + i, width);
    buckets->starts[buckets->count] = last == INT64_MAX ? last : edge(last + 1, width);
    buckets->width = width;
    return VARVE_OK;
}

static enum varve_status
make_calendar(const struct bucket *bucket, const struct zone *zone, struct arena *arena,
              struct buckets *buckets, struct varve_err *err)
{
    struct time_range range = buckets->range;
    int64_t first = period_start(zone, bucket->unit, range.since);
    size_t count = 0;
    for (int64_t at = first; at < range.until; count++) {
        int64_t next = period_next(zone, bucket->unit, at);
        if (count == BUCKETS_MAX)
            return too_many(err);
        at = next > at ? next : INT64_MAX; /* time ends there */
    }
    TRY(make_starts(arena, count, buckets, err));
    buckets->starts[0] = first;
    for (size_t i = 0; i < count; i++) {
        int64_t next = period_next(zone, bucket->unit, buckets->starts[i]);
        buckets->starts[i + 1] = next > buckets->starts[i] ? next : INT64_MAX;
    }
    return VARVE_OK;
}

enum varve_status
buckets_make(const struct bucket *bucket, const struct zone *zone, struct time_range range,
             struct arena *arena, struct buckets *buckets, struct varve_err *err)
{
    struct buckets made = {.range = range};
    if (bucket->kind == BUCKET_NONE) {
        TRY(make_starts(arena, 1, &made, err));
        made.starts[0] = range.since;
        made.starts[1] = range.until;
    } else if (range.since >= range.until) {
        TRY(make_starts(arena, 0, &made, err));
        made.starts[0] = range.since;
    } else if (bucket->kind == BUCKET_FIXED) {
        TRY(make_fixed(bucket->width, arena, &made, err));
    } else {
        TRY(make_calendar(bucket, zone, arena, &made, err));
    }
    *buckets = made;
    return VARVE_OK;
}

static bool holds(const struct buckets *b, uint32_t bucket, int64_t instant)
{
    return instant >= b->starts[bucket] && instant < b->starts[bucket + 1];
}

/* The last bucket that begins at or before the instant; the first one does. */
static uint32_t search(const struct buckets *b, int64_t instant)
{
    uint32_t low = 0, high = b->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (b->starts[middle] <= instant)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t buckets_find(struct buckets *b, int64_t instant)
{
    if (instant < b->range.since || instant >= b->range.until)
        return UINT32_MAX;
    if (holds(b, b->last, instant))
        return b->last;
    if (b->width > 0) {
        uint64_t guess = ((uint64_t)instant - (uint64_t)b->starts[0]) / (uint64_t)b->width;
        if (guess < b->count && holds(b, (uint32_t)guess, instant))
            return b->last = (uint32_t)guess;
    }
    return b->last = search(b, instant);
}

struct time_range buckets_part(const struct buckets *b, uint32_t bucket)
{
    struct time_range part = {b->starts[bucket], b->starts[bucket + 1]};
    if (part.since < b->range.since)
        part.since = b->range.since;
    if (part.until > b->range.until)
        part.until = b->range.until;
    return part;
}
