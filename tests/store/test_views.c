/* SPDX-License-Identifier: Apache-2.0
 *
 * test_views.c -- segments in memory: all of the head, in few pieces, alive while somebody reads.
 */
#include "store/views.h"

#include <stdlib.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "base/clock.h"
#include "store/text_codec.h"

#define T0 INT64_C(1789344000000000000)
#define OK(call) assert_int_equal((call), VARVE_OK)

struct fixture {
    struct mem mem;
    struct head head;
    struct views views;
    struct segment_builder segments;
    struct table_builder tables;
    struct arena arena;
    struct text_codec *texts;
    struct varve_err err;
    struct view_tools tools;
    int64_t sum; /* of all rows of the head */
};

static uint32_t table_number(void *context, struct varve_str name)
{
    (void)context, (void)name;
    return 1;
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.sum = 0};
    mem_init(&f->mem, NULL, 0);
    OK(head_init(&f->head, &f->mem, 3, &f->err));
    views_init(&f->views, &f->mem);
    OK(segment_builder_init(&f->segments, &f->mem, &f->err));
    OK(table_builder_init(&f->tables, &f->mem, &f->err));
    OK(text_codec_make(&f->texts, &f->mem, &f->err));
    arena_init(&f->arena, &f->mem, 1 << 14);
    f->tools =
        (struct view_tools){&f->head, &f->segments, &f->tables, &f->arena, table_number, NULL};
}

static void tear_down(struct fixture *f)
{
    views_clear(&f->views);
    head_free(&f->head);
    segment_builder_free(&f->segments);
    table_builder_free(&f->tables);
    text_codec_free(f->texts);
    arena_free(&f->arena);
    assert_int_equal(atomic_load(&f->mem.used), 0);
}

static void add_rows(struct fixture *f, size_t count)
{
    uint32_t metric, series;
    OK(rowset_metric(&f->head.rows, STR("m"), STR(""), VARVE_COUNTER, 0, &metric, &f->err));
    OK(rowset_series(&f->head.rows, metric, 0, &series, &f->err));
    for (size_t i = 0; i < count; i++) {
        int64_t n = (int64_t)f->head.rows.row_count;
        struct row row = {.series = series, .end = T0 + n * NS_PER_SECOND * 600, .value = n};
        OK(head_add_row(&f->head, &row, &f->err));
        f->sum += n;
    }
}

static void add_event(struct fixture *f)
{
    struct eventset one;
    OK(eventset_init(&one, &f->mem, 3, &f->err));
    OK(eventset_add(&one, STR("e"), T0 + (int64_t)f->head.events.count, NULL, 0, &f->err));
    OK(head_add_event(&f->head, &one, &one.events[0], NULL, &f->err));
    eventset_free(&one);
}

/* Adds the values of a segment up and counts its rows. */
static int64_t sum_of(struct fixture *f, const struct memseg *m)
{
    struct segment segment;
    struct arena arena;
    const int64_t *sums;
    int64_t sum = 0;
    arena_init(&arena, &f->mem, 1 << 12);
    OK(segment_open(&segment, &arena, f->texts, m->bytes, m->size, m->seed, "view", &f->err));
    assert_int_equal(segment.blob.head.rows, m->rows);
    OK(segment_int_sums(&segment, 0, &arena, &sums, &f->err));
    for (uint32_t r = 0; r < segment.metrics[0].int_runs; r++)
        sum += sums[r];
    arena_free(&arena);
    return sum;
}

static void check(struct fixture *f)
{
    int64_t sum = 0;
    size_t rows = 0, events = 0;
    OK(views_cover(&f->views, &f->tools, &f->err));
    for (size_t i = 0; i < f->views.count; i++) {
        const struct view *v = &f->views.list[i];
        for (size_t k = 0; k < v->count; k++) {
            const struct memseg *m = v->segments[k];
            assert_int_equal(day_of(m->first), m->day);
            assert_int_equal(day_of(m->last), m->day);
            if (m->events) {
                events += m->rows;
                assert_int_equal(m->table, 1);
                continue;
            }
            rows += m->rows;
            sum += sum_of(f, m);
        }
    }
    assert_int_equal(rows, f->head.rows.row_count);
    assert_int_equal(events, f->head.events.count);
    assert_true(sum == f->sum);
}

static void test_cover(void **state)
{
    (void)state;
    struct fixture f;
    struct prng prng = prng_start(31);
    set_up(&f);
    check(&f); /* of nothing */
    for (int i = 0; i < 300; i++) {
        add_rows(&f, (size_t)prng_below(&prng, 4));
        if (prng_below(&prng, 3) == 0)
            add_event(&f);
        if (prng_below(&prng, 2))
            check(&f);
        size_t all = f.head.rows.row_count + f.head.events.count, most = 1;
        for (size_t n = 1; n < all; n *= 2)
            most++;
        assert_true(f.views.count <= most); /* few, however often one looks */
    }
    check(&f);
    size_t views = f.views.count;
    check(&f); /* nothing new, nothing built */
    assert_int_equal(f.views.count, views);
    tear_down(&f);
}

/* A reader keeps its segments while the views are merged, cleared and built anew. */
static void test_held(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    add_rows(&f, 10);
    check(&f);
    struct memseg *held = f.views.list[0].segments[0];
    int64_t sum = sum_of(&f, held);
    atomic_fetch_add(&held->references, 1);
    add_rows(&f, 30); /* the first stretch is built anew with it */
    check(&f);
    assert_true(f.views.list[0].segments[0] != held);
    assert_true(sum_of(&f, held) == sum);
    views_clear(&f.views);
    assert_int_equal(f.views.count, 0);
    assert_true(sum_of(&f, held) == sum);
    memseg_drop(held);
    memseg_drop(NULL);
    check(&f);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cover), cmocka_unit_test(test_held)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
