/* SPDX-License-Identifier: Apache-2.0
 *
 * test_describe.c -- what a name means in a snapshot: the newest segment that knows it answers,
 * sealed or not, and no more are opened than that takes.
 */
#include "store/describe.h"

#include <stdio.h>

#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "scratch.h"
#include "store/batch.h"
#include "store/seal.h"

#define T0 INT64_C(1789344000000000000) /* 2026-09-14 */
#define OK(call)                                                         \
    do {                                                                 \
        if ((call) != VARVE_OK)                                          \
            fail_msg("%s: %s: %s", #call, f->err.place, f->err.message); \
    } while (0)

struct fixture {
    struct scratch scratch;
    struct store *store;
    struct write_batch batch;
    struct snapshot *snapshot;
    struct varve_err err;
    int asked, stop_after; /* segments; 0: never */
};

static struct varve_str text_of(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

static struct varve_value text_value(const char *text)
{
    return (struct varve_value){.type = VARVE_TEXT, .as.s = text_of(text)};
}

static struct varve_value int_value(int64_t value)
{
    return (struct varve_value){.type = VARVE_INT, .as.i = value};
}

static struct varve_value float_value(double value)
{
    return (struct varve_value){.type = VARVE_FLOAT, .as.f = value};
}

static enum varve_status check(void *context, struct varve_err *err)
{
    struct fixture *f = context;
    f->asked++;
    if (f->stop_after && f->asked >= f->stop_after)
        return fail(err, VARVE_INTERRUPTED, "", "stopped");
    return VARVE_OK;
}

static void set_up(struct fixture *f)
{
    const struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    *f = (struct fixture){.store = NULL};
    scratch_make(&f->scratch);
    OK(store_open(&f->store, f->scratch.directory, &options, &f->err));
    OK(batch_init(&f->batch, &f->store->mem, f->store->identity.seed, &f->err));
}

static void tear_down(struct fixture *f)
{
    snapshot_close(f->snapshot);
    batch_free(&f->batch);
    store_close(f->store);
    scratch_remove(&f->scratch);
}

static void add_gauge(struct fixture *f, const char *name, const char *unit, const char *key,
                      const char *value, int day)
{
    const struct varve_metric metric = {text_of(name), text_of(unit), VARVE_GAUGE};
    const struct varve_label label = {text_of(key), text_of(value)};
    uint32_t id, set;
    OK(batch_metric(&f->batch, &metric, &id, &f->err));
    OK(batch_labels(&f->batch, 0, &label, 1, &set, &f->err));
    OK(batch_gauge(&f->batch, id, set, T0 + day * NS_PER_DAY, int_value(1), &f->err));
}

static void add_event(struct fixture *f, const char *table, const char *column,
                      struct varve_value value, int day)
{
    const struct varve_field field = {text_of(column), value};
    OK(batch_event(&f->batch, text_of(table), T0 + day * NS_PER_DAY, &field, 1, &f->err));
}

/* Appends what was added, seals it if asked to, and reads from there on. */
static void next(struct fixture *f, bool seal)
{
    struct varve_appended appended;
    struct varve_sealed sealed;
    OK(store_append(f->store, &f->batch.rows, &f->batch.events, &appended, &f->err));
    batch_clear(&f->batch);
    if (seal)
        OK(store_seal(f->store, INT32_MAX, &sealed, &f->err));
    snapshot_close(f->snapshot);
    f->snapshot = NULL;
    OK(snapshot_open(f->store, &f->snapshot, &f->err));
    f->snapshot->check = check;
    f->snapshot->check_context = f;
}

/* Segments it took; -1: no such metric. */
static int metric_is(struct fixture *f, const char *name, const char *unit, int scale)
{
    struct arena arena;
    struct described_metric metric;
    arena_init(&arena, &f->store->mem, 1 << 10);
    f->asked = 0;
    f->err.message[0] = 0;
    enum varve_status status =
        describe_metric(f->snapshot, text_of(name), &arena, &metric, &f->err);
    if (status == VARVE_OK) {
        assert_true(str_equal(metric.unit, text_of(unit)));
        assert_int_equal(metric.kind, VARVE_GAUGE);
        assert_int_equal(metric.scale, scale);
    } else {
        assert_int_equal(status, VARVE_NOTFOUND);
        assert_int_equal(f->err.message[0], 0);
    }
    arena_free(&arena);
    return status == VARVE_OK ? f->asked : -1;
}

static bool has_label(struct fixture *f, const char *metric, const char *label)
{
    bool found;
    f->asked = 0;
    OK(describe_label(f->snapshot, text_of(metric), text_of(label), &found, &f->err));
    return found;
}

static enum varve_type column_type(struct fixture *f, const char *table, const char *column)
{
    bool found;
    enum varve_type type;
    f->asked = 0;
    OK(describe_column(f->snapshot, text_of(table), text_of(column), &found, &type, &f->err));
    assert_true(found || type == VARVE_NULL);
    return type;
}

/* Three days, the last not sealed: `old` was last seen on the first, `new` comes with the third. */
static void fill(struct fixture *f)
{
    set_up(f);
    for (int day = 0; day < 3; day++) {
        add_gauge(f, "always", "By", day == 1 ? "middle" : "edge", "x", day);
        if (day == 0)
            add_gauge(f, "old", "USD", "gone", "x", day);
        if (day == 2)
            add_gauge(f, "new", "", "fresh", "x", day);
        add_event(f, "work", "size", day == 0 ? int_value(1) : float_value(0.5), day);
        add_event(f, "work", day == 0 ? "first" : "later", text_value("t"), day);
        next(f, day < 2);
    }
}

static void test_newest_first(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    fill(f);
    assert_int_equal(metric_is(f, "always", "By", 0), 1);
    assert_int_equal(metric_is(f, "new", "", 0), 1);
    assert_int_equal(metric_is(f, "old", "USD", 9), 3);
    assert_int_equal(metric_is(f, "none", "", 0), -1);
    assert_int_equal(f->asked, 3);
    assert_int_equal(metric_is(f, "work", "", 0), -1);
    assert_int_equal(metric_is(f, "", "", 0), -1);
    tear_down(f);
}

/* A label is the metric's: that another metric of the segment has it does not count. */
static void test_labels(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    fill(f);
    assert_true(has_label(f, "always", "edge"));
    assert_int_equal(f->asked, 1);
    assert_true(has_label(f, "always", "middle"));
    assert_int_equal(f->asked, 2);
    assert_true(has_label(f, "old", "gone"));
    assert_false(has_label(f, "always", "gone"));
    assert_int_equal(f->asked, 3);
    assert_false(has_label(f, "new", "edge"));
    assert_false(has_label(f, "none", "edge"));
    assert_false(has_label(f, "always", ""));
    assert_false(has_label(f, "work", "size"));
    tear_down(f);
}

static void test_columns(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    fill(f);
    assert_int_equal(column_type(f, "work", "size"), VARVE_FLOAT);
    assert_int_equal(f->asked, 1);
    assert_int_equal(column_type(f, "work", "later"), VARVE_TEXT);
    assert_int_equal(column_type(f, "work", "first"), VARVE_TEXT);
    assert_int_equal(f->asked, 3);
    assert_int_equal(column_type(f, "work", "none"), VARVE_NULL);
    assert_int_equal(column_type(f, "none", "size"), VARVE_NULL);
    assert_int_equal(f->asked, 0);
    assert_int_equal(column_type(f, "always", "edge"), VARVE_NULL);
    tear_down(f);
}

/* More runs than are looked at in one go; only the very last has the label, or none. */
static void test_many_series(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    set_up(f);
    for (int i = 0; i < 3 * BLOCK_VALUES; i++) {
        char value[16];
        snprintf(value, sizeof value, "v%04d", i);
        add_gauge(f, "many", "", "id", value, 0);
    }
    add_gauge(f, "many", "", "zz", "only", 0);
    add_gauge(f, "other", "", "elsewhere", "x", 0);
    next(f, true);
    assert_true(has_label(f, "many", "id"));
    assert_true(has_label(f, "many", "zz"));
    assert_false(has_label(f, "many", "elsewhere"));
    assert_false(has_label(f, "other", "zz"));
    tear_down(f);
}

static void test_stopped(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    struct described_metric metric;
    struct arena arena;
    bool found;
    fill(f);
    arena_init(&arena, &f->store->mem, 1 << 10);
    for (f->stop_after = 1; f->stop_after <= 3; f->stop_after++) {
        f->asked = 0;
        assert_int_equal(describe_metric(f->snapshot, STR("none"), &arena, &metric, &f->err),
                         VARVE_INTERRUPTED);
        f->asked = 0;
        assert_int_equal(describe_label(f->snapshot, STR("always"), STR("none"), &found, &f->err),
                         VARVE_INTERRUPTED);
        assert_int_equal(f->asked, f->stop_after);
    }
    arena_free(&arena);
    tear_down(f);
}

/* An empty store, and memory that runs out. */
static void test_edges(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    struct alloc_fault fault;
    set_up(f);
    next(f, false);
    assert_int_equal(metric_is(f, "always", "", 0), -1);
    assert_false(has_label(f, "always", "edge"));
    assert_int_equal(column_type(f, "work", "size"), VARVE_NULL);
    tear_down(f);

    fill(f);
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct mem mem;
        struct arena arena;
        struct described_metric metric;
        bool found;
        enum varve_type type;
        mem_init(&mem, &fault.allocator, 0);
        arena_init(&arena, &mem, 1 << 10);
        f->snapshot->mem = &mem;
        enum varve_status status =
            describe_metric(f->snapshot, STR("old"), &arena, &metric, &f->err);
        if (status == VARVE_OK)
            status = describe_label(f->snapshot, STR("old"), STR("gone"), &found, &f->err);
        if (status == VARVE_OK)
            status =
                describe_column(f->snapshot, STR("work"), STR("first"), &found, &type, &f->err);
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        arena_free(&arena);
        f->snapshot->mem = &f->store->mem;
        assert_true(alloc_fault_is_clean(&fault));
    }
    tear_down(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_first), cmocka_unit_test(test_labels),
        cmocka_unit_test(test_columns),      cmocka_unit_test(test_many_series),
        cmocka_unit_test(test_stopped),      cmocka_unit_test(test_edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
