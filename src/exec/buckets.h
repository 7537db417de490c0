/* SPDX-License-Identifier: Apache-2.0
 *
 * buckets.h -- the buckets of a range, numbered from 0.
 *
 * Fixed ones begin at multiples of their width since 1970, calendar ones where the zone's
 * calendar says.  The first and the last may reach out of the range; their time is still their own
 * start, and what lies outside of the range does not count.
 */
#ifndef EXEC_BUCKETS_H
#define EXEC_BUCKETS_H

#include "base/zone.h"
#include "lang/plan.h"

#define BUCKETS_MAX 2000000u

struct buckets {
    struct time_range range;
    int64_t *starts; /* count + 1 of them, the last one is the end of the last bucket */
    uint32_t count;
    int64_t width; /* of FIXED ones, else 0 */
    uint32_t last; /* where the last answer was */
};

/* In the arena.  BUCKET_NONE: one bucket, the range.  VARVE_LIMIT: more than BUCKETS_MAX. */
enum varve_status
buckets_make(const struct bucket *bucket, const struct zone *zone, struct time_range range,
             struct arena *arena, struct buckets *buckets, struct varve_err *err) VARVE_CHECKED;
/* The bucket that holds an instant of the range; UINT32_MAX: it is outside of the range. */
uint32_t buckets_find(struct buckets *buckets, int64_t instant);
/* The part of a bucket that lies in the range. */
struct time_range buckets_part(const struct buckets *buckets, uint32_t bucket);

#endif
