/* SPDX-License-Identifier: Apache-2.0
 *
 * test_partition.c -- rows and events taken apart by day and table, against counting by hand.
 */
#include "store/partition.h"

#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "base/clock.h"
#include "base/err.h"

struct fixture {
    struct mem mem;
    struct arena arena;
    struct rowset rows;
    struct eventset events;
    struct varve_err err;
};

static void set_up(struct fixture *f)
{
    mem_init(&f->mem, NULL, 0);
    arena_init(&f->arena, &f->mem, 1 << 12);
    assert_int_equal(rowset_init(&f->rows, &f->mem, 1, &f->err), VARVE_OK);
    assert_int_equal(eventset_init(&f->events, &f->mem, 1, &f->err), VARVE_OK);
}

static void tear_down(struct fixture *f)
{
    rowset_free(&f->rows);
    eventset_free(&f->events);
    arena_free(&f->arena);
    assert_int_equal(atomic_load(&f->mem.used), 0);
}

static void add_row(struct fixture *f, int64_t end)
{
    struct row row = {.end = end};
    assert_int_equal(rowset_row(&f->rows, &row, &f->err), VARVE_OK);
}

static void add_event(struct fixture *f, const char *table, int64_t time)
{
    struct varve_str name = {table, strlen(table)};
    assert_int_equal(eventset_add(&f->events, name, time, NULL, 0, &f->err), VARVE_OK);
}

static int64_t time_of(const struct fixture *f, const struct part *p, uint32_t i)
{
    return p->events ? f->events.events[p->index[i]].time : f->rows.rows[p->index[i]].end;
}

static void check_part(const struct fixture *f, const struct part *p)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    assert_true(p->count > 0);
    for (uint32_t i = 0; i < p->count; i++) {
        int64_t time = time_of(f, p, i);
        assert_true(i == 0 || p->index[i] > p->index[i - 1]);
        assert_int_equal(day_of(time), p->day);
        if (p->events)
            assert_int_equal(f->events.events[p->index[i]].table, p->table);
        first = time < first ? time : first;
        last = time > last ? time : last;
    }
    assert_true(p->first == first && p->last == last);
}

/* All of the stretch below the day is there once: parts are distinct, sorted, and enough. */
static void check(struct fixture *f, struct stretch s, int32_t before)
{
    struct partition parts;
    size_t want = 0, got = 0;
    assert_int_equal(partition(&f->rows, &f->events, s, before, &f->arena, &parts, &f->err),
                     VARVE_OK);
    for (size_t i = s.row_from; i < s.row_to; i++)
        want += day_of(f->rows.rows[i].end) < before;
    for (size_t i = s.event_from; i < s.event_to; i++)
        want += day_of(f->events.events[i].time) < before;
    for (size_t i = 0; i < parts.count; i++) {
        const struct part *p = &parts.parts[i], *q = p - 1;
        check_part(f, p);
        assert_true(p->day < before);
        got += p->count;
        if (i > 0)
            assert_true(q->day < p->day ||
                        (q->day == p->day && (q->events < p->events || q->table < p->table)));
        for (uint32_t k = 0; k < p->count; k++)
            assert_true(p->events ? p->index[k] >= s.event_from && p->index[k] < s.event_to
                                  : p->index[k] >= s.row_from && p->index[k] < s.row_to);
    }
    assert_int_equal(got, want);
    arena_clear(&f->arena);
}

static void test_random(void **state)
{
    (void)state;
    static const char *const tables[] = {"a", "b", "c"};
    struct prng prng = prng_start(21);
    for (int round = 0; round < 60; round++) {
        struct fixture f;
        set_up(&f);
        uint64_t days = 1 + prng_below(&prng, 40); /* few groups, or many */
        for (int i = 0; i < 200; i++) {
            /* also before 1970: days are counted down from zero */
            int64_t time = (int64_t)prng_below(&prng, days * (uint64_t)NS_PER_DAY) - 2 * NS_PER_DAY;
            if (prng_below(&prng, 2))
                add_row(&f, time);
            else
                add_event(&f, tables[prng_below(&prng, 3)], time);
        }
        size_t rows = f.rows.row_count, events = f.events.count;
        check(&f, (struct stretch){0, rows, 0, events}, INT32_MAX);
        check(&f, (struct stretch){0, rows, 0, events}, 3);
        check(&f, (struct stretch){rows / 3, rows / 2, events / 4, events}, INT32_MAX);
        check(&f, (struct stretch){0, rows, 0, events}, -100);
        tear_down(&f);
    }
}

static void test_edges(void **state)
{
    (void)state;
    struct fixture f;
    struct partition parts;
    set_up(&f);
    check(&f, (struct stretch){0, 0, 0, 0}, INT32_MAX);
    add_row(&f, NS_PER_DAY - 1);
    add_row(&f, NS_PER_DAY);
    add_event(&f, "e", NS_PER_DAY);
    struct stretch all = {0, 2, 0, 1};
    assert_int_equal(partition(&f.rows, &f.events, all, INT32_MAX, &f.arena, &parts, &f.err),
                     VARVE_OK);
    assert_int_equal(parts.count, 3);
    assert_true(parts.parts[0].day == 0 && parts.parts[1].day == 1 && parts.parts[2].day == 1);
    assert_true(!parts.parts[1].events && parts.parts[2].events);
    add_row(&f, INT64_MAX);
    add_row(&f, INT64_MIN);
    add_row(&f, INT64_MAX);
    check(&f, (struct stretch){0, 5, 0, 1}, INT32_MAX);
    check(&f, (struct stretch){0, 5, 0, 1}, 1);
    tear_down(&f);
}

/* Rows of one day, and how little it takes that they are not. */
static void test_one_day(void **state)
{
    (void)state;
    struct prng prng = prng_start(22);
    for (int64_t day = -2; day < 3; day++) {
        struct fixture f;
        set_up(&f);
        for (int i = 0; i < 50; i++)
            add_row(&f, day * NS_PER_DAY + (int64_t)prng_below(&prng, (uint64_t)NS_PER_DAY));
        add_row(&f, day * NS_PER_DAY);
        add_row(&f, (day + 1) * NS_PER_DAY - 1);
        check(&f, (struct stretch){7, 52, 0, 0}, INT32_MAX);
        check(&f, (struct stretch){7, 52, 0, 0}, (int32_t)day);
        check(&f, (struct stretch){0, 52, 0, 0}, (int32_t)day + 1);
        add_row(&f, (day + 1) * NS_PER_DAY);
        check(&f, (struct stretch){0, 53, 0, 0}, INT32_MAX);
        check(&f, (struct stretch){0, 53, 0, 0}, (int32_t)day + 1);
        add_event(&f, "e", day * NS_PER_DAY);
        check(&f, (struct stretch){0, 52, 0, 1}, INT32_MAX);
        tear_down(&f);
    }
}

/* As many groups as are counted, and one more, that of the last row. */
static void test_the_bound(void **state)
{
    (void)state;
    for (int64_t days = 63; days <= 66; days++) {
        struct fixture f;
        set_up(&f);
        for (int64_t i = 0; i < 2 * days; i++)
            add_row(&f, (i * 7 % days) * NS_PER_DAY + i);
        add_event(&f, "e", 0);
        check(&f, (struct stretch){0, f.rows.row_count, 0, 1}, INT32_MAX);
        check(&f, (struct stretch){0, f.rows.row_count, 0, 1}, 64);
        check(&f, (struct stretch){0, f.rows.row_count, 0, 0}, 65);
        tear_down(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_edges),
                                       cmocka_unit_test(test_one_day),
                                       cmocka_unit_test(test_the_bound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
