/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bulk.c -- days that a batch brings nearly whole, and that go straight into segments.
 *
 * That they did is seen from how little waits in the journal.  Whatever stands in the way (a batch
 * that is refused, a house that is locked, others who bring the same days, no memory), a batch is
 * in the store once and as a whole, or not at all.  test_bulk_twins.c compares what is in it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../faults/alloc_fault.h"
#include "small.h"
#include "store/lockfile.h"

/* A batch of 80 rows is large then, and its newest day too; of others 5 are enough. */
enum { SEAL_ROWS = 320, LARGE = 300 };

static uint64_t waiting(struct small *s)
{
    return small_stats(s).journal_rows;
}

static int64_t tokens(struct small *s)
{
    return small_increase(s, "tokens", INT64_MIN, INT64_MAX);
}

/* ---- a day and nothing else -------------------------------------------------- */

static void test_a_whole_day(void **state)
{
    (void)state;
    struct small s;
    small_make_sealing(&s, SEAL_ROWS);
    for (int again = 0; again < 3; again++) {
        small_tokens(&s, T0, 0, LARGE);
        struct varve_appended a = small_append(&s);
        assert_int_equal(a.points, again ? 0 : LARGE);
        assert_int_equal(a.duplicates, again ? LARGE : 0);
        struct varve_stats stats = small_stats(&s);
        assert_true(stats.journal_rows == 0 && stats.days == 1 && stats.segments == 1);
        assert_true(stats.points == LARGE && stats.series == 5 && stats.files == 2);
        assert_int_equal(tokens(&s), LARGE);
        if (again)
            small_reopen(&s);
    }
    small_tokens(&s, T0, LARGE / 2, 2 * LARGE); /* the day is known now: what is new of it waits */
    struct varve_appended a = small_append(&s);
    assert_true(a.points == LARGE && a.duplicates == LARGE / 2);
    assert_int_equal(waiting(&s), LARGE);
    for (int day = 1; day < 40; day++) /* two more months; the last day may have more to come */
        small_tokens(&s, T0 + day * DAY, 0, 10);
    assert_int_equal(small_append(&s).points, 390);
    assert_int_equal(waiting(&s), LARGE + 10);
    assert_int_equal(small_stats(&s).days, 39);
    assert_int_equal(tokens(&s), 2 * LARGE + 390);
    small_reopen(&s);
    assert_int_equal(waiting(&s), LARGE + 10);
    assert_int_equal(tokens(&s), 2 * LARGE + 390);
    small_remove(&s);
}

/* Small batches, and days of few rows, have nothing to gain from it; who wants to seal when it
 * suits him is not surprised by segments. */
static void test_little_goes_the_usual_way(void **state)
{
    (void)state;
    struct small s;
    small_make_sealing(&s, SEAL_ROWS);
    small_tokens(&s, T0, 0, 50);
    small_append(&s);
    assert_int_equal(waiting(&s), 50);
    small_tokens(&s, T0 + DAY, 0, LARGE);
    small_tokens(&s, T0 + 2 * DAY, 0, 2);
    small_append(&s);
    assert_int_equal(waiting(&s), 52);
    assert_int_equal(small_stats(&s).segments, 1);
    assert_int_equal(tokens(&s), LARGE + 52);
    small_remove(&s);
    small_make(&s);
    small_tokens(&s, T0, 0, LARGE);
    small_append(&s);
    assert_int_equal(waiting(&s), LARGE);
    small_remove(&s);
}

/* What was read before goes on being read as it was. */
static void test_open_snapshots_stay(void **state)
{
    (void)state;
    struct small s;
    small_make_sealing(&s, SEAL_ROWS);
    small_tokens(&s, T0, 0, 10);
    small_append(&s);
    struct ask ask = {.source = "tokens", .since = INT64_MIN, .until = INT64_MAX};
    struct row_answer *rows;
    MUST(varve_snapshot_open(s.db, &ask.snapshot, &test_err));
    for (int day = 1; day < 4; day++) {
        small_tokens(&s, T0 + day * DAY, 0, LARGE);
        small_append(&s);
        assert_int_equal(ask_rows(&ask, &rows), 10);
        free(rows);
        assert_int_equal(tokens(&s), 10 + day * LARGE);
    }
    varve_snapshot_close(ask.snapshot);
    small_remove(&s);
}

/* ---- batches that are refused --------------------------------------------------- */

static void test_contradictions(void **state)
{
    (void)state;
    struct small s;
    small_make_sealing(&s, SEAL_ROWS);
    small_tokens(&s, T0, 0, 10);
    small_append(&s);
    struct varve_stats before = small_stats(&s);
    for (int i = 0; i < 3; i++) {
        uint32_t gauge = small_metric(&s, "tokens", "", VARVE_GAUGE);
        for (int k = 0; k < LARGE; k++) {
            int64_t time = T0 + DAY + k * SECOND;
            small_delta(&s, "more", "", "user=u1", time, varve_int(1));
            MUST(varve_batch_gauge(s.batch, gauge, 0, time, varve_int(5), &test_err));
        }
        REFUSED(VARVE_INVALID, "kind", varve_append(s.db, s.batch, NULL, &test_err));
        varve_batch_clear(s.batch);
        struct varve_stats after = small_stats(&s);
        assert_true(after.points == before.points && after.days == before.days);
        assert_true(after.segments == before.segments && after.series == before.series);
        assert_true(after.journal_rows == before.journal_rows);
        assert_int_equal(small_increase(&s, "more", INT64_MIN, INT64_MAX), 0);
        if (i == 1)
            small_reopen(&s);
    }
    small_tokens(&s, T0 + DAY, 0, LARGE);
    assert_int_equal(small_append(&s).points, LARGE);
    assert_int_equal(waiting(&s), 10);
    assert_int_equal(tokens(&s), LARGE + 10);
    /* A name that was never written down may mean anything. */
    uint32_t more = small_metric(&s, "more", "", VARVE_GAUGE);
    MUST(varve_batch_gauge(s.batch, more, 0, T0, varve_int(5), &test_err));
    assert_int_equal(small_append(&s).points, 1);
    small_reopen(&s);
    assert_int_equal(tokens(&s), LARGE + 10);
    small_remove(&s);
}

/* ---- others at work --------------------------------------------------------------- */

static void test_house_is_locked(void **state)
{
    (void)state;
    struct small s;
    struct lock house;
    small_make_sealing(&s, SEAL_ROWS);
    MUST(lock_house(&house, s.path, &test_err));
    small_tokens(&s, T0, 0, LARGE);
    assert_int_equal(small_append(&s).points, LARGE);
    assert_int_equal(waiting(&s), LARGE);
    assert_int_equal(tokens(&s), LARGE);
    lock_release(&house);
    small_tokens(&s, T0, 0, LARGE);
    small_tokens(&s, T0 + DAY, 0, LARGE);
    struct varve_appended a = small_append(&s);
    assert_true(a.points == LARGE && a.duplicates == LARGE);
    assert_int_equal(waiting(&s), LARGE);
    assert_int_equal(tokens(&s), 2 * LARGE);
    small_reopen(&s);
    assert_int_equal(tokens(&s), 2 * LARGE);
    small_remove(&s);
}

enum { RACE_DAYS = 40, RACERS = 3 };

/* Everybody brings the same days, and half of a day more that is only its own; whether each of them
 * was counted right. */
static bool race(struct small *s, int racer)
{
    bool good = true;
    char own[32];
    snprintf(own, sizeof own, "racer=%d", racer);
    for (int day = 0; day < RACE_DAYS; day++) {
        small_tokens(s, T0 + day * DAY, 0, 100);
        for (int i = 0; i < 50; i++)
            small_delta(s, "tokens", "", own, T0 + day * DAY + i * SECOND, varve_int(1));
        struct varve_appended a = small_append(s);
        good = good && a.points + a.duplicates == 150 && a.points >= 50;
    }
    return good;
}

static void check_race(struct small *s)
{
    assert_int_equal(small_stats(s).points, RACE_DAYS * (100 + 50 * RACERS));
    for (int day = 0; day < RACE_DAYS; day++)
        assert_int_equal(small_increase(s, "tokens", T0 + day * DAY, T0 + (day + 1) * DAY),
                         100 + 50 * RACERS);
}

static bool race_alone(const char *path, int racer)
{
    struct small s = {.seal_rows = SEAL_ROWS};
    snprintf(s.path, sizeof s.path, "%s", path);
    small_open(&s, 0);
    bool good = race(&s, racer);
    small_close(&s);
    return good;
}

static void test_processes_race(void **state)
{
    (void)state;
    struct small s;
    pid_t racers[RACERS];
    small_make_sealing(&s, SEAL_ROWS);
    small_close(&s);
    fflush(stdout);
    for (int i = 0; i < RACERS; i++)
        if ((racers[i] = fork()) == 0)
            _exit(race_alone(s.path, i) ? 0 : 4);
    for (int i = 0; i < RACERS; i++) {
        int how = -1;
        assert_int_equal(waitpid(racers[i], &how, 0), racers[i]);
        assert_int_equal(how, 0);
    }
    small_verify(&s);
    small_open(&s, 0);
    check_race(&s);
    small_remove(&s);
}

struct racer {
    pthread_t thread;
    struct small small; /* the store is that of all */
    int number;
    bool good;
    atomic_int *left; /* who still races */
};

static void *race_along(void *context)
{
    struct racer *racer = context;
    racer->good = race(&racer->small, racer->number);
    --*racer->left;
    return NULL;
}

/* With somebody who keeps house, and who reads: no batch is ever seen in part. */
static void test_threads_race(void **state)
{
    (void)state;
    struct small s;
    struct racer racers[RACERS];
    atomic_int left = RACERS;
    small_make_sealing(&s, SEAL_ROWS);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.small = {.db = s.db}, .number = i, .left = &left};
        MUST(varve_batch_new(s.db, &racers[i].small.batch, &test_err));
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race_along, &racers[i]), 0);
    }
    int64_t points = 0;
    while (left > 0) {
        int64_t now = tokens(&s);
        assert_true(now >= points && now % 50 == 0);
        points = now;
        enum varve_status status = varve_seal(s.db, T0 + points / 250 * DAY, NULL, &test_err);
        if (status != VARVE_BUSY)
            MUST(status);
    }
    for (int i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_true(racers[i].good);
        varve_batch_free(racers[i].small.batch);
    }
    check_race(&s);
    small_reopen(&s);
    check_race(&s);
    small_remove(&s);
}

/* ---- no memory ------------------------------------------------------------------------ */

/* Two large days, a small one, and one that the store knows. */
static void put_some(struct small *s)
{
    small_tokens(s, T0, 0, 20);
    small_tokens(s, T0 + DAY, 0, 80);
    small_tokens(s, T0 + 2 * DAY, 0, 3);
    small_tokens(s, T0 + 30 * DAY, 0, 80);
}

/* The batch with the n-th request for memory refused, and once more with none; whether one was. */
static bool
append_without(struct small *s, struct alloc_fault *fault, enum alloc_fault_mode mode, uint64_t nth)
{
    const struct varve_options options = {.seal_rows = SEAL_ROWS, .allocator = fault->allocator};
    struct varve_appended first = {0}, second;
    alloc_fault_arm(fault, ALLOC_FAULT_NEVER, 0);
    MUST(varve_open(s->path, &options, &s->db, &test_err));
    MUST(varve_batch_new(s->db, &s->batch, &test_err));
    put_some(s);
    alloc_fault_arm(fault, mode, nth);
    enum varve_status status = varve_append(s->db, s->batch, &first, &test_err);
    bool was = fault->failed > 0;
    alloc_fault_arm(fault, ALLOC_FAULT_NEVER, 0);
    if (status != VARVE_NOMEM)
        MUST(status);
    assert_true(was || status == VARVE_OK);
    assert_int_equal(first.points, status == VARVE_OK ? 173 : 0);
    assert_int_equal(tokens(s), 10 + first.points);
    assert_int_equal(small_stats(s).points, 10 + first.points);
    if (!was)
        assert_int_equal(waiting(s), 10 + 10 + 3);
    MUST(varve_append(s->db, s->batch, &second, &test_err));
    assert_int_equal(second.points, 173 - first.points);
    assert_int_equal(second.duplicates, 10 + first.points);
    assert_int_equal(tokens(s), 183);
    small_close(s);
    assert_true(alloc_fault_is_clean(fault));
    return was;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct small master, s;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    small_make_sealing(&master, SEAL_ROWS);
    small_tokens(&master, T0, 0, 10);
    small_append(&master);
    small_close(&master);
    for (int mode = ALLOC_FAULT_ONCE; mode <= ALLOC_FAULT_STICKY; mode++) {
        bool was = true;
        uint64_t nth;
        for (nth = 1; was; nth++) {
            s = (struct small){.db = NULL};
            snprintf(s.path, sizeof s.path, "%.4000s.copy", master.path);
            files_copy(master.path, s.path);
            was = append_without(&s, &fault, (enum alloc_fault_mode)mode, nth);
            if (nth % 16 == 1)
                small_verify(&s);
            small_open(&s, 0);
            assert_int_equal(tokens(&s), 183);
            small_remove(&s);
        }
        assert_true(nth > 20);
    }
    files_remove(master.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_day),
        cmocka_unit_test(test_little_goes_the_usual_way),
        cmocka_unit_test(test_open_snapshots_stay),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_house_is_locked),
        cmocka_unit_test(test_processes_race),
        cmocka_unit_test(test_threads_race),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
