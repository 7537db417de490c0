/* SPDX-License-Identifier: Apache-2.0
 *
 * test_batch.c -- what a batch refuses, the form in which it keeps numbers, and what a name means.
 */
#include "store/batch.h"

#include <math.h>

#include "../base/unit.h"
#include "base/str.h"
#include "scratch.h"
#include "store/store.h"

#define T INT64_C(1789344000000000000) /* 2026-09-14 */
#define OK(call) assert_int_equal((call), VARVE_OK)
#define INVALID(call) assert_int_equal((call), VARVE_INVALID)

struct fixture {
    struct mem mem;
    struct write_batch batch;
    struct varve_err err;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.err = {.status = VARVE_OK}};
    mem_init(&f->mem, NULL, 0);
    OK(batch_init(&f->batch, &f->mem, 7, &f->err));
}

static void tear_down(struct fixture *f)
{
    batch_free(&f->batch);
    assert_int_equal(atomic_load(&f->mem.used), 0);
}

static uint32_t
metric_of(struct fixture *f, const char *name, const char *unit, enum varve_kind kind)
{
    struct varve_metric metric = {{name, strlen(name)}, {unit, strlen(unit)}, kind};
    uint32_t id;
    OK(batch_metric(&f->batch, &metric, &id, &f->err));
    return id;
}

static struct varve_value whole(int64_t i)
{
    return (struct varve_value){VARVE_INT, {.i = i}};
}

static struct varve_value real(double v)
{
    return (struct varve_value){VARVE_FLOAT, {.f = v}};
}

static void test_counters(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct write_batch *b = &f.batch;
    struct varve_err *err = &f.err;
    uint32_t m = metric_of(&f, "m", "", VARVE_COUNTER);
    OK(batch_counter(b, m, 0, VARVE_DELTA, 0, T, whole(1), err));
    OK(batch_counter(b, m, 0, VARVE_DELTA, T - 1, T, real(1), err));
    OK(batch_counter(b, m, 0, VARVE_CUMULATIVE, VARVE_FROM_ZERO, T, whole(1), err));
    INVALID(batch_counter(b, m, 0, VARVE_DELTA, VARVE_FROM_ZERO, T, whole(1), err));
    INVALID(batch_counter(b, m, 0, VARVE_CUMULATIVE, 2, T, whole(1), err));
    INVALID(batch_counter(b, m, 0, VARVE_CUMULATIVE, T + 1, T, whole(1), err));
    INVALID(batch_counter(b, m, 0, VARVE_DELTA, 0, T, whole(-1), err));
    INVALID(batch_counter(b, m, 0, VARVE_DELTA, 0, T, real((double)NAN), err));
    INVALID(batch_counter(b, m, 0, VARVE_DELTA, 0, 5, whole(1), err));
    INVALID(batch_counter(b, m, 0, (enum varve_temporality)3, 0, T, whole(1), err));
    INVALID(batch_gauge(b, m, 0, T, whole(1), err));
    assert_int_equal(batch_counter(b, m + 1, 0, VARVE_DELTA, 0, T, whole(1), err), VARVE_MISUSE);
    assert_int_equal(batch_gauge(b, m + 1, 0, T, whole(1), err), VARVE_MISUSE);
    assert_int_equal(b->rows.row_count, 3);
    assert_true(b->rows.rows[1].value == 1 && !b->rows.rows[1].is_float);
    tear_down(&f);
}

static void test_updown(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    uint32_t m = metric_of(&f, "m", "EUR", VARVE_UPDOWN);
    OK(batch_counter(&f.batch, m, 0, VARVE_DELTA, T - 1, T, real(-0.5), &f.err));
    OK(batch_counter(&f.batch, m, 0, VARVE_DELTA, T - 1, T, whole(-3), &f.err));
    INVALID(batch_counter(&f.batch, m, 0, VARVE_CUMULATIVE, T - 1, T, whole(3), &f.err));
    assert_non_null(strstr(f.err.message, "gauge"));
    INVALID(batch_gauge(&f.batch, m, 0, T, whole(1), &f.err));
    assert_int_equal(f.batch.rows.row_count, 2);
    assert_int_equal(f.batch.rows.rows[0].value, -500000000);
    assert_int_equal(f.batch.rows.rows[1].value, -3000000000);
    struct varve_metric other = {STR("n"), STR(""), (enum varve_kind)5};
    INVALID(batch_metric(&f.batch, &other, &m, &f.err));
    batch_clear(&f.batch);
    assert_true(f.batch.rows.row_count == 0 && !f.batch.broken);
    tear_down(&f);
}

/* ---- what a name means in a store ------------------------------------------ */

static void append_metric(struct store *store, const char *name, enum varve_kind kind)
{
    struct varve_err err;
    struct write_batch batch;
    struct varve_metric metric = {{name, strlen(name)}, {NULL, 0}, kind};
    uint32_t id;
    OK(batch_init(&batch, &store->mem, store->identity.seed, &err));
    OK(batch_metric(&batch, &metric, &id, &err));
    if (kind == VARVE_GAUGE)
        OK(batch_gauge(&batch, id, 0, T, whole(1), &err));
    else
        OK(batch_counter(&batch, id, 0, VARVE_DELTA, 0, T, whole(1), &err));
    OK(store_append(store, &batch.rows, &batch.events, NULL, &err));
    batch_free(&batch);
}

static void test_kind(void **state)
{
    (void)state;
    struct scratch scratch;
    struct store *store;
    struct varve_err err;
    struct varve_options options = {.flags = VARVE_CREATE};
    enum varve_kind kind;
    scratch_make(&scratch);
    OK(store_open(&store, scratch.directory, &options, &err));
    assert_false(store_metric_kind(store, STR("up"), &kind));
    append_metric(store, "up", VARVE_UPDOWN);
    assert_true(store_metric_kind(store, STR("up"), &kind) && kind == VARVE_UPDOWN);
    assert_false(store_metric_kind(store, STR("u"), &kind));
    store_close(store);
    options.flags = VARVE_RDONLY; /* never synced in this handle */
    OK(store_open(&store, scratch.directory, &options, &err));
    assert_true(store_metric_kind(store, STR("up"), &kind) && kind == VARVE_UPDOWN);
    store_close(store);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_updown),
        cmocka_unit_test(test_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
