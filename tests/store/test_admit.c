/* SPDX-License-Identifier: Apache-2.0
 *
 * test_admit.c -- readings become increments: the same ones in whatever order they come.
 *
 * Small sets of readings are fed in all of their orders.  A row's value is what the head holds for
 * its end with all adjustments, and it must be what the definition says: the rise of the
 * running maximum.
 */
#include "store/admit.h"

#include <stdlib.h>
#include <string.h>

#include "../base/unit.h"
#include "base/clock.h"

#define BASE_TIME INT64_C(1789344000000000000)
#define START (BASE_TIME - 5)
enum { MOST = 8, ENDS = 12 };

struct reading {
    int end; /* steps after BASE_TIME */
    double value;
};

struct fixture {
    struct mem mem;
    struct head head;
    struct sealed sealed;
    struct catalogue catalogue; /* of no days */
    struct varve_appended appended;
    struct varve_err err;
    int64_t floor;
    int64_t step; /* from one end to the next */
};

#define OK(call) assert_int_equal((call), VARVE_OK)

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.floor = INT64_MIN, .step = 1};
    mem_init(&f->mem, NULL, 0);
    OK(head_init(&f->head, &f->mem, 7, &f->err));
    sealed_init(&f->sealed, &f->mem, NULL, NULL, 7);
}

static void tear_down(struct fixture *f)
{
    sealed_free(&f->sealed);
    head_free(&f->head);
    assert_int_equal(atomic_load(&f->mem.used), 0);
}

/* Whole numbers as integers, as the door makes them. */
static int64_t bits_of(double value, bool *is_float)
{
    int64_t bits = (int64_t)value;
    *is_float = (double)bits != value;
    if (*is_float)
        memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double value_of(const struct row *row)
{
    double value = (double)row->value;
    if (row->is_float)
        memcpy(&value, &row->value, sizeof value);
    return value;
}

static void feed(struct fixture *f, enum row_mode mode, int64_t start, struct reading reading)
{
    struct rowset batch;
    uint32_t metric, series;
    bool is_float;
    OK(rowset_init(&batch, &f->mem, 7, &f->err));
    OK(rowset_metric(&batch, STR("m"), STR(""), VARVE_COUNTER, 0, &metric, &f->err));
    OK(rowset_series(&batch, metric, 0, &series, &f->err));
    struct row row = {.series = series,
                      .mode = (uint8_t)mode,
                      .start = start,
                      .end = BASE_TIME + reading.end * f->step};
    row.value = bits_of(reading.value, &is_float);
    row.is_float = is_float;
    OK(rowset_row(&batch, &row, &f->err));
    struct admit admit = {.mem = &f->mem,
                          .head = &f->head,
                          .sealed = &f->sealed,
                          .catalogue = &f->catalogue,
                          .floor = f->floor,
                          .appended = &f->appended};
    OK(admit_rows(&admit, &batch, NULL, batch.row_count, &f->err));
    rowset_free(&batch);
}

/* What the head says now: per end whether there is a row, and its value. */
struct rows {
    bool there[ENDS];
    double value[ENDS];
};

static struct rows rows_of(const struct fixture *f)
{
    struct rows rows = {{false}, {0}};
    const struct rowset *set = &f->head.rows;
    for (size_t i = 0; i < set->row_count; i++) {
        const struct row *row = &set->rows[i];
        int64_t end = (row->end - BASE_TIME) / f->step;
        assert_true(end >= 0 && end < ENDS);
        if (row->mode == ROW_BASE)
            continue;
        if (row->mode == ROW_CUMULATIVE) {
            assert_false(rows.there[end]); /* one row an end */
            rows.there[end] = true;
        }
        rows.value[end] += value_of(row);
    }
    return rows;
}

/* ---- all orders ------------------------------------------------------------ */

typedef void (*each_order)(void *context, const struct reading *readings, size_t count);

static void
permute(struct reading *readings, size_t count, size_t fixed, each_order visit, void *context)
{
    if (fixed == count) {
        visit(context, readings, count);
        return;
    }
    for (size_t i = fixed; i < count; i++) {
        struct reading first = readings[fixed];
        readings[fixed] = readings[i];
        readings[i] = first;
        permute(readings, count, fixed + 1, visit, context);
        first = readings[fixed];
        readings[fixed] = readings[i];
        readings[i] = first;
    }
}

/* The definition: at each end the largest reading; a row is what the maximum so far rises by. */
static struct rows rise_of_maximum(const struct reading *readings, size_t count)
{
    struct rows rows = {{false}, {0}};
    double reached = 0;
    for (int end = 0; end < ENDS; end++) {
        double most = reached;
        for (size_t i = 0; i < count; i++)
            if (readings[i].end == end) {
                rows.there[end] = true;
                most = readings[i].value > most ? readings[i].value : most;
            }
        rows.value[end] = most - reached;
        reached = most;
    }
    return rows;
}

static void
must_be(const struct rows *got, const struct rows *want, const struct reading *order, size_t count)
{
    for (int end = 0; end < ENDS; end++)
        if (got->there[end] != want->there[end] || got->value[end] != want->value[end]) {
            for (size_t i = 0; i < count; i++)
                print_error("(%d, %g) ", order[i].end, order[i].value);
            fail_msg("gives %g at %d, should be %g", got->value[end], end, want->value[end]);
        }
}

static void check_known_start(void *context, const struct reading *order, size_t count)
{
    struct fixture f;
    struct rows want = rise_of_maximum(order, count);
    (void)context;
    set_up(&f);
    for (size_t i = 0; i < count; i++) {
        feed(&f, ROW_CUMULATIVE, START, order[i]);
        struct rows so_far = rows_of(&f), right = rise_of_maximum(order, i + 1);
        must_be(&so_far, &right, order, i + 1);
    }
    assert_int_equal(f.appended.points + f.appended.duplicates, count);
    for (size_t i = 0; i < count; i++) { /* L3: all of it once more */
        size_t rows = f.head.rows.row_count;
        feed(&f, ROW_CUMULATIVE, START, order[i]);
        assert_int_equal(f.head.rows.row_count, rows);
    }
    struct rows again = rows_of(&f);
    must_be(&again, &want, order, count);
    tear_down(&f);
}

static void test_known_start(void **state)
{
    (void)state;
    struct reading sets[][5] = {
        {{1, 10}, {2, 20}, {3, 30}, {4, 40}, {5, 50}},
        {{1, 10}, {2, 30}, {3, 20}, {4, 25}, {5, 40}}, /* a second writer below the first */
        {{1, 50}, {2, 40}, {3, 30}, {4, 20}, {5, 10}}, /* nothing after the first counts */
        {{1, 10}, {1, 20}, {2, 15}, {2, 30}, {3, 30}}, /* several at one end */
        {{1, 10}, {1, 10}, {2, 10}, {2, 10}, {3, 11}}, /* the same twice */
        {{1, 0}, {2, 0}, {3, 0.5}, {4, 1}, {5, 1}},    /* fractions beside whole numbers */
        {{1, 0.25}, {2, 1}, {3, 1.5}, {4, 0.75}, {5, 4}},
        {{1, 2.5}, {2, 2}, {3, 3}, {3, 2.75}, {4, 3.25}},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        permute(sets[i], 5, 0, check_known_start, NULL);
}

/* Without a start: what only rises has one answer, whatever comes first. */
static void check_rising(void *context, const struct reading *order, size_t count)
{
    const struct reading *in_order = context;
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < count; i++)
        feed(&f, ROW_CUMULATIVE, 0, order[i]);
    struct rows got = rows_of(&f), want = {{false}, {0}};
    for (size_t i = 1; i < count; i++) {
        want.there[in_order[i].end] = true;
        want.value[in_order[i].end] = in_order[i].value - in_order[i - 1].value;
    }
    must_be(&got, &want, order, count);
    assert_int_equal(f.appended.points + f.appended.baselines, count);
    tear_down(&f);
}

static void test_unknown_start_rising(void **state)
{
    (void)state;
    struct reading rising[] = {{1, 5}, {2, 7}, {4, 7}, {6, 12}, {7, 12.5}}, copy[5];
    memcpy(copy, rising, sizeof copy);
    permute(copy, 5, 0, check_rising, rising);
}

static void test_unknown_start_resets(void **state)
{
    (void)state;
    struct fixture f;
    const struct reading readings[] = {{1, 100}, {2, 130}, {3, 20}, {4, 50}, {5, 5}};
    set_up(&f);
    for (size_t i = 0; i < 5; i++)
        feed(&f, ROW_CUMULATIVE, 0, readings[i]);
    struct rows got = rows_of(&f);
    const struct rows want = {{false, false, true, true, true, true}, {0, 0, 30, 20, 30, 5}};
    must_be(&got, &want, readings, 5);
    assert_true(f.appended.baselines == 1 && f.appended.points == 4 && f.appended.ambiguous == 0);
    for (size_t i = 0; i < 5; i++)
        feed(&f, ROW_CUMULATIVE, 0, readings[i]);
    assert_int_equal(f.appended.duplicates, 5);
    tear_down(&f);
}

/* ---- from zero ------------------------------------------------------------------- */

/* The definition: at each end the largest reading; a row is what it is more than the one before, or
 * all of it where it is less. */
static struct rows rise_from_zero(const struct reading *readings, size_t count)
{
    struct rows rows = {{false}, {0}};
    double before = 0;
    for (int end = 0; end < ENDS; end++) {
        double most = -1;
        for (size_t i = 0; i < count; i++)
            if (readings[i].end == end && readings[i].value > most)
                most = readings[i].value;
        if (most < 0)
            continue;
        rows.there[end] = true;
        rows.value[end] = most >= before ? most - before : most;
        before = most;
    }
    return rows;
}

/* After each reading, and again when all comes once more; with a head that forgets what it knows
 * of streams in between, as it does when another process has written. */
static void check_from_zero(void *context, const struct reading *order, size_t count)
{
    struct fixture f;
    set_up(&f);
    f.step = *(const int64_t *)context;
    for (size_t i = 0; i < 2 * count; i++) {
        size_t rows = f.head.rows.row_count;
        feed(&f, ROW_CUMULATIVE, VARVE_FROM_ZERO, order[i % count]);
        struct rows got = rows_of(&f), want = rise_from_zero(order, i < count ? i + 1 : count);
        must_be(&got, &want, order, i < count ? i + 1 : count);
        assert_true(i < count || f.head.rows.row_count == rows);
        if (i % 2)
            f.head.streams[0].is_loaded = 0;
    }
    assert_int_equal(f.appended.points + f.appended.duplicates, 2 * count);
    assert_true(f.appended.baselines == 0 && f.appended.ambiguous == 0);
    tear_down(&f);
}

static void test_from_zero(void **state)
{
    (void)state;
    struct reading sets[][5] = {
        {{1, 10}, {2, 20}, {3, 30}, {4, 40}, {5, 50}},
        {{1, 10}, {2, 30}, {3, 20}, {4, 25}, {5, 5}}, /* twice anew */
        {{1, 50}, {2, 40}, {3, 30}, {4, 20}, {5, 10}},
        {{1, 10}, {1, 20}, {2, 15}, {2, 30}, {3, 30}}, /* several at one end */
        {{1, 10}, {2, 5}, {2, 8}, {2, 12}, {3, 10}},
        {{1, 0}, {2, 0}, {3, 0.5}, {4, 1}, {5, 0.25}}, /* fractions beside whole numbers */
    };
    const int64_t steps[] = {1, NS_PER_DAY / 2, NS_PER_DAY, 40 * NS_PER_DAY};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
            permute(sets[i], 5, 0, check_from_zero, (void *)(uintptr_t)&steps[k]);
}

/* What has been forgotten is no baseline; and what the oldest reading that is left counted from is
 * known from it. */
static void test_from_zero_floor(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.step = NS_PER_DAY / 4;
    f.floor = BASE_TIME + NS_PER_DAY;
    feed(&f, ROW_CUMULATIVE, VARVE_FROM_ZERO, (struct reading){3, 10});
    assert_int_equal(f.appended.expired, 1);
    feed(&f, ROW_CUMULATIVE, VARVE_FROM_ZERO, (struct reading){5, 100});
    struct rows got = rows_of(&f);
    assert_true(got.value[5] == 100 && f.appended.baselines == 0);
    tear_down(&f);
    set_up(&f);
    f.step = NS_PER_DAY / 4;
    feed(&f, ROW_CUMULATIVE, VARVE_FROM_ZERO, (struct reading){3, 70});
    feed(&f, ROW_CUMULATIVE, VARVE_FROM_ZERO, (struct reading){6, 100});
    /* The first day goes. */
    struct rowset *rows = &f.head.rows;
    assert_true(rows->row_count == 3 && rows->rows[1].mode == ROW_BASE);
    rows->rows[0].start = 7;
    feed(&f, ROW_CUMULATIVE, VARVE_FROM_ZERO, (struct reading){5, 90});
    got = rows_of(&f);
    assert_true(got.value[5] == 20 && got.value[6] == 10);
    tear_down(&f);
}

/* ---- what stands for itself --------------------------------------------------- */

static void test_points(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; i < 300; i++) { /* more than a chain is patient with */
            feed(&f, ROW_DELTA, START, (struct reading){(i * 7) % ENDS, i});
            feed(&f, ROW_GAUGE, 0, (struct reading){(i * 5) % ENDS, i % 50 - 25.5});
        }
    assert_int_equal(f.appended.points, 300 + 300);
    assert_int_equal(f.appended.duplicates, 600);
    feed(&f, ROW_DELTA, START + 1, (struct reading){0, 0}); /* another start is another point */
    feed(&f, ROW_DELTA, 0, (struct reading){0, 0});
    assert_int_equal(f.appended.points, 602);
    tear_down(&f);
}

/* ---- the floor -------------------------------------------------------------------- */

static void test_floor(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.floor = BASE_TIME + 3;
    feed(&f, ROW_DELTA, 0, (struct reading){2, 1});
    feed(&f, ROW_CUMULATIVE, START, (struct reading){2, 100});
    assert_true(f.appended.expired == 2 && f.head.rows.row_count == 0);
    /* It began before the floor: what it has counted until now may have been forgotten. */
    feed(&f, ROW_CUMULATIVE, START, (struct reading){5, 100});
    feed(&f, ROW_CUMULATIVE, START, (struct reading){7, 130});
    feed(&f, ROW_CUMULATIVE, START, (struct reading){6, 120}); /* late */
    feed(&f, ROW_CUMULATIVE, START, (struct reading){4, 90});  /* before the base */
    feed(&f, ROW_CUMULATIVE, START, (struct reading){8, 110}); /* and no reset */
    struct rows got = rows_of(&f);
    const struct rows want = {{false, false, false, false, false, true, true, true, true},
                              {0, 0, 0, 0, 0, 10, 20, 10, 0}};
    must_be(&got, &want, NULL, 0);
    assert_int_equal(f.appended.ambiguous, 1);
    feed(&f, ROW_CUMULATIVE, BASE_TIME + 3, (struct reading){9, 40}); /* this one is whole */
    got = rows_of(&f);
    assert_true(got.value[9] == 40);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_start),
        cmocka_unit_test(test_unknown_start_rising),
        cmocka_unit_test(test_unknown_start_resets),
        cmocka_unit_test(test_from_zero),
        cmocka_unit_test(test_from_zero_floor),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
