/* SPDX-License-Identifier: Apache-2.0
 *
 * test_buckets.c -- every instant of a range is in one bucket, whatever the calendar.
 */
#include "exec/buckets.h"

#include <stdlib.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "base/str.h"

#define HOUR (3600 * NS_PER_SECOND)
#define T0 INT64_C(1789344000000000000) /* 2026-09-14T00:00:00Z */

struct fixture {
    struct mem mem;
    struct arena arena;
    struct varve_err err;
};

static void set_up(struct fixture *f)
{
    mem_init(&f->mem, NULL, 0);
    arena_init(&f->arena, &f->mem, 1 << 12);
}

static void tear_down(struct fixture *f)
{
    arena_free(&f->arena);
    assert_int_equal(atomic_load(&f->mem.used), 0);
}

static struct buckets
make(struct fixture *f, struct bucket bucket, const struct zone *zone, int64_t since, int64_t until)
{
    struct buckets b;
    assert_int_equal(
        buckets_make(&bucket, zone, (struct time_range){since, until}, &f->arena, &b, &f->err),
        VARVE_OK);
    return b;
}

static struct bucket fixed(int64_t width)
{
    return (struct bucket){.kind = BUCKET_FIXED, .width = width};
}

/* What the header promises of all buckets, and of some instants. */
static void check(struct buckets *b, struct prng *prng)
{
    struct time_range range = b->range;
    assert_true(b->starts[0] <= range.since && b->starts[1] > range.since);
    assert_true(b->starts[b->count] >= range.until && b->starts[b->count - 1] < range.until);
    for (uint32_t i = 0; i < b->count; i++) {
        struct time_range part = buckets_part(b, i);
        assert_true(b->starts[i] < b->starts[i + 1] && part.since < part.until);
        assert_int_equal(buckets_find(b, part.since), i);
        assert_int_equal(buckets_find(b, part.until - 1), i);
    }
    for (int i = 0; i < 200; i++) {
        uint64_t length = (uint64_t)range.until - (uint64_t)range.since;
        int64_t t = (int64_t)((uint64_t)range.since + prng_below(prng, length));
        uint32_t n = buckets_find(b, t);
        assert_true(n < b->count && b->starts[n] <= t && t < b->starts[n + 1]);
    }
    if (range.since > INT64_MIN)
        assert_int_equal(buckets_find(b, range.since - 1), UINT32_MAX);
    assert_int_equal(buckets_find(b, range.until), UINT32_MAX);
}

static void test_fixed(void **state)
{
    (void)state;
    struct fixture f;
    struct prng prng = prng_start(1);
    set_up(&f);
    struct buckets b = make(&f, fixed(HOUR), NULL, T0, T0 + 24 * HOUR);
    assert_int_equal(b.count, 24);
    assert_true(b.starts[0] == T0 && b.starts[24] == T0 + 24 * HOUR);
    b = make(&f, fixed(HOUR), NULL, T0 + 1, T0 + HOUR + 1);
    assert_int_equal(b.count, 2);
    assert_true(b.starts[0] == T0); /* its own start, though the range begins later */
    for (int i = 0; i < 300; i++) {
        int64_t width = 1 + (int64_t)prng_below(&prng, UINT64_C(1) << prng_below(&prng, 50));
        int64_t since = (int64_t)(prng_next(&prng) >> prng_below(&prng, 60)) -
                        (int64_t)(prng_next(&prng) >> (1 + prng_below(&prng, 60)));
        int64_t until;
        if (__builtin_add_overflow(since, 1 + (int64_t)prng_below(&prng, 40) * width / 3, &until))
            continue;
        b = make(&f, fixed(width), NULL, since, until);
        check(&b, &prng);
        arena_clear(&f.arena);
    }
    tear_down(&f);
}

static void test_ends_of_time(void **state)
{
    (void)state;
    struct fixture f;
    struct prng prng = prng_start(2);
    struct buckets b;
    struct bucket narrow = fixed(1000);
    set_up(&f);
    b = make(&f, fixed(NS_PER_DAY * 365), NULL, INT64_MIN, INT64_MAX);
    check(&b, &prng);
    b = make(&f, fixed(INT64_MAX), NULL, INT64_MIN, INT64_MAX);
    check(&b, &prng);
    b = make(&f, fixed(1), NULL, INT64_MAX - 5, INT64_MAX);
    check(&b, &prng);
    assert_int_equal(buckets_make(&narrow, NULL, (struct time_range){INT64_MIN, INT64_MAX},
                                  &f.arena, &b, &f.err),
                     VARVE_LIMIT);
    narrow.width = 0;
    assert_int_equal(buckets_make(&narrow, NULL, (struct time_range){0, 10}, &f.arena, &b, &f.err),
                     VARVE_INVALID);
    tear_down(&f);
}

static void test_none(void **state)
{
    (void)state;
    struct fixture f;
    struct prng prng = prng_start(3);
    set_up(&f);
    struct buckets b = make(&f, (struct bucket){0}, NULL, T0 + 5, T0 + 5 + HOUR);
    assert_int_equal(b.count, 1);
    check(&b, &prng);
    b = make(&f, (struct bucket){0}, NULL, T0, T0); /* of nothing: one all the same */
    assert_int_equal(b.count, 1);
    assert_int_equal(buckets_find(&b, T0), UINT32_MAX);
    b = make(&f, fixed(HOUR), NULL, T0, T0 - 1);
    assert_int_equal(b.count, 0);
    assert_int_equal(buckets_find(&b, T0), UINT32_MAX);
    tear_down(&f);
}

/* Days over both changes of the clock, in a zone where midnight may not exist, too. */
static void test_calendar(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu",
                                        "Africa/Cairo"};
    struct fixture f;
    struct prng prng = prng_start(4);
    set_up(&f);
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        const struct zone *zone;
        struct varve_str name = {zones[z], strlen(zones[z])};
        assert_int_equal(zone_open(name, &f.arena, &zone, &f.err), VARVE_OK);
        for (unsigned unit = UNIT_HOUR; unit < CALENDAR_UNITS; unit++) {
            int64_t since = zone_instant(zone, 2016 + (int)prng_below(&prng, 9), 1, 5, 3, 30, 0, 7);
            struct bucket bucket = {.kind = BUCKET_CALENDAR, .unit = unit};
            struct buckets b = make(&f, bucket, zone, since, since + 400 * NS_PER_DAY);
            check(&b, &prng);
            for (uint32_t i = 0; i < b.count; i++)
                assert_true(period_start(zone, unit, b.starts[i]) == b.starts[i]);
        }
    }
    const struct zone *berlin;
    assert_int_equal(zone_open(STR("Europe/Berlin"), &f.arena, &berlin, &f.err), VARVE_OK);
    int64_t since = zone_instant(berlin, 2026, 10, 24, 0, 0, 0, 0);
    struct bucket day = {.kind = BUCKET_CALENDAR, .unit = UNIT_DAY};
    struct buckets b = make(&f, day, berlin, since, since + 72 * HOUR);
    assert_int_equal(b.count, 3);
    assert_true(b.starts[1] - b.starts[0] == 24 * HOUR && b.starts[2] - b.starts[1] == 25 * HOUR);
    tear_down(&f);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct fixture f;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct buckets b;
        struct bucket hours = fixed(HOUR), days = {.kind = BUCKET_CALENDAR, .unit = UNIT_DAY};
        struct time_range range = {T0, T0 + 1000 * HOUR};
        mem_init(&f.mem, &fault.allocator, 0);
        arena_init(&f.arena, &f.mem, 64);
        enum varve_status a = buckets_make(&hours, NULL, range, &f.arena, &b, &f.err);
        enum varve_status c = buckets_make(&days, zone_utc(), range, &f.arena, &b, &f.err);
        assert_int_equal((a == VARVE_NOMEM) + (c == VARVE_NOMEM), fault.failed);
        tear_down(&f);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fixed),
                                       cmocka_unit_test(test_ends_of_time),
                                       cmocka_unit_test(test_none), cmocka_unit_test(test_calendar),
                                       cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
