/* SPDX-License-Identifier: Apache-2.0
 *
 * test_change.c -- write beside, then flip: what a crash between the two leaves is no hindrance.
 */
#include "store/change.h"

#include <stdlib.h>

#include "../base/unit.h"
#include "base/clock.h"
#include "scratch.h"
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
    struct varve_err err;
};

static void open_store(struct fixture *f)
{
    const struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    OK(store_open(&f->store, f->scratch.directory, &options, &f->err));
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.store = NULL};
    scratch_make(&f->scratch);
    open_store(f);
}

static void tear_down(struct fixture *f)
{
    store_close(f->store);
    scratch_remove(&f->scratch);
}

/* One append of a row on each of the days given. */
static void append_days(struct fixture *f, const int *days, size_t count, int64_t nanosecond)
{
    struct rowset rows;
    struct eventset events;
    uint32_t metric, series;
    uint64_t seed = f->store->identity.seed;
    OK(rowset_init(&rows, &f->store->mem, seed, &f->err));
    OK(eventset_init(&events, &f->store->mem, seed, &f->err));
    OK(rowset_metric(&rows, STR("m"), STR(""), VARVE_COUNTER, 0, &metric, &f->err));
    OK(rowset_series(&rows, metric, 0, &series, &f->err));
    for (size_t i = 0; i < count; i++) {
        struct row row = {
            .series = series, .end = T0 + days[i] * NS_PER_DAY + nanosecond, .value = 1};
        OK(rowset_row(&rows, &row, &f->err));
    }
    OK(store_append(f->store, &rows, &events, NULL, &f->err));
    rowset_free(&rows);
    eventset_free(&events);
}

static void append_day(struct fixture *f, int day, int64_t nanosecond)
{
    append_days(f, &day, 1, nanosecond);
}

static void sync_store(struct fixture *f)
{
    struct txn *txn;
    OK(env_begin_read(f->store->main, &txn, &f->err));
    OK(store_sync(f->store, txn, &f->err));
    txn_abort(txn);
}

static uint64_t rows_sealed(struct fixture *f)
{
    uint64_t rows = 0;
    sync_store(f);
    for (size_t i = 0; i < f->store->catalogue->count; i++)
        rows += f->store->catalogue->days[i].rows;
    return rows;
}

/* What a crash between writing and flipping leaves: a segment of garbage that the catalogue does
 * not name, in the month's file or in one of its own. */
static void write_and_crash(struct fixture *f, int day, uint64_t generation)
{
    struct change change;
    struct move *move;
    sync_store(f);
    change_init(&change, f->store, f->store->catalogue);
    OK(change_add(&change, day_of(T0) + day, 0, &move, &f->err));
    move->record.generation = generation;
    move->record.rows = 1;
    buf_put(&move->bytes, "not even a segment", 18);
    OK(change_write(&change, &f->err));
    change_free(&change);
}

static int count_months(const struct fixture *f)
{
    int count = 0;
    DIR *directory = opendir(f->scratch.directory);
    assert_non_null(directory);
    for (struct dirent *e; (e = readdir(directory));)
        count += strncmp(e->d_name, "seg-", 4) == 0 && !strstr(e->d_name, "lock");
    closedir(directory);
    return count;
}

static void crash_and_seal(struct fixture *f, int day, uint64_t generation, uint64_t rows)
{
    write_and_crash(f, day, generation);
    assert_int_equal(rows_sealed(f), rows);
    store_close(f->store);
    open_store(f);
    append_day(f, day, (int64_t)rows);
    OK(store_seal(f->store, INT32_MAX, NULL, &f->err));
    assert_int_equal(rows_sealed(f), rows + 1);
}

static void test_crash_before_flip(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    set_up(f);
    crash_and_seal(f, 0, 1, 0); /* in a month that has no file yet */
    crash_and_seal(f, 0, 2, 1); /* over a day that is there */
    crash_and_seal(f, 1, 1, 2); /* a new day in the month's file */
    crash_and_seal(f, 1, 3, 3);
    crash_and_seal(f, 30, 1, 4); /* the next month */
    for (uint64_t i = 1; i < 5; i++)
        write_and_crash(f, 2, i); /* again and again at one place, before ever a flip */
    crash_and_seal(f, 2, 5, 5);
    assert_int_equal(count_months(f), 2); /* files that nobody names are swept */
    tear_down(f);
}

/* Who flips must have started from what is still so. */
static void test_flip_is_late(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    struct change change;
    struct move *move;
    set_up(f);
    append_day(f, 0, 0);
    sync_store(f);
    change_init(&change, f->store, f->store->catalogue);
    OK(store_seal(f->store, INT32_MAX, NULL, &f->err));
    OK(change_add(&change, day_of(T0), 0, &move, &f->err));
    move->record.rows = 0;
    assert_int_equal(change_flip(&change, &f->err), VARVE_BUSY);
    change_free(&change);
    assert_int_equal(rows_sealed(f), 1);
    tear_down(f);
}

/* An entry stays in the journal until its last day is sealed; what is sealed of it is not read
 * again. */
static void test_trim(void **state)
{
    (void)state;
    struct fixture fixture, *f = &fixture;
    const int two[] = {0, 5}, first = 0;
    set_up(f);
    append_days(f, two, 2, 1);
    append_days(f, &first, 1, 2);
    append_days(f, two, 2, 3);
    OK(store_seal(f->store, day_of(T0) + 1, NULL, &f->err));
    sync_store(f);
    assert_int_equal(f->store->state.entries, 2);
    assert_int_equal(f->store->state.first_seq, 1);
    assert_int_equal(f->store->head.rows.row_count, 2); /* those of day 5 */
    assert_int_equal(rows_sealed(f), 3);
    append_days(f, &first, 1, 4); /* late: behind the watermark */
    store_close(f->store);
    open_store(f);
    sync_store(f);
    assert_int_equal(f->store->head.rows.row_count, 3);
    OK(store_seal(f->store, day_of(T0) + 1, NULL, &f->err));
    assert_int_equal(rows_sealed(f), 4);
    OK(store_seal(f->store, INT32_MAX, NULL, &f->err));
    assert_int_equal(rows_sealed(f), 6);
    assert_int_equal(f->store->state.entries, 0);
    assert_int_equal(f->store->head.rows.row_count, 0);
    append_day(f, 5, 9);
    OK(store_seal(f->store, INT32_MAX, NULL, &f->err));
    assert_int_equal(rows_sealed(f), 7);
    tear_down(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crash_before_flip),
        cmocka_unit_test(test_flip_is_late),
        cmocka_unit_test(test_trim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
