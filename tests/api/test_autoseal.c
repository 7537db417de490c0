/* SPDX-License-Identifier: Apache-2.0
 *
 * test_autoseal.c -- appends that seal by themselves, and when they wait with it.
 *
 * A day that holds much already is not built anew for a few rows more: they wait in the journal,
 * where they count like any others, until they are worth it.
 */
#include "small.h"

#define SEAL_ROWS 100
#define STEP 20

/* STEP points of a day, one batch, and how many rows wait in the journal then. */
static uint64_t step(struct small *s, int64_t day, uint64_t *points)
{
    for (int i = 0; i < STEP; i++)
        small_delta(s, "tokens", "", "user=u", day + (int64_t)(*points + (uint64_t)i) * SECOND,
                    varve_int(1));
    assert_int_equal(small_append(s).points, STEP);
    *points += STEP;
    assert_int_equal(small_increase(s, "tokens", T0, INT64_MAX), *points);
    return small_stats(s).journal_rows;
}

/* Steps until the journal has been sealed; the most rows that waited. */
static uint64_t grow_until_sealed(struct small *s, int64_t day, uint64_t *points)
{
    uint64_t most = 0, rows;
    for (int i = 0; (rows = step(s, day, points)) > 0; i++) {
        most = rows > most ? rows : most;
        assert_true(i < 4 * SEAL_ROWS / STEP + 1);
    }
    return most + STEP;
}

static void test_a_growing_day_waits(void **state)
{
    (void)state;
    struct small s;
    uint64_t points = 0, seals = 0, most = 0;
    small_make_sealing(&s, SEAL_ROWS);
    while (points < 4000) {
        most = grow_until_sealed(&s, T0, &points);
        assert_in_range(most, 4 * SEAL_ROWS, 4 * SEAL_ROWS + STEP + SEAL_ROWS / 4);
        seals++;
    }
    assert_in_range(seals, 4000 / most, 4000 / (4 * SEAL_ROWS) + 1);
    /* Tomorrow is the newest day now. */
    assert_in_range(grow_until_sealed(&s, T0 + DAY, &points), 4 * SEAL_ROWS,
                    4 * SEAL_ROWS + STEP + SEAL_ROWS / 4);
    /* Rows of a day that is over wait too, and those of the next do not hurry them. */
    uint64_t late = points, rows = step(&s, T0, &points);
    for (int i = 0; i < 6; i++)
        rows = step(&s, T0, &points);
    assert_int_equal(rows, points - late);
    rows = step(&s, T0 + DAY, &points);
    assert_int_equal(rows, points - late);
    small_close(&s);
    small_verify(&s);
    small_open(&s, 0);
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), points);
    small_remove(&s);
}

/* A day that is over is sealed when the next one has begun, and that one is not. */
static void test_days_that_ended_are_sealed(void **state)
{
    (void)state;
    struct small s;
    uint64_t points = 0, rows = 0;
    small_make_sealing(&s, SEAL_ROWS);
    for (int day = 0; day < 5; day++) {
        while (rows < SEAL_ROWS + STEP)
            rows = step(&s, T0 + day * DAY, &points);
        do
            rows = step(&s, T0 + (day + 1) * DAY, &points);
        while (rows >= SEAL_ROWS);
        struct varve_stats stats = small_stats(&s);
        assert_int_equal(stats.days, day + 1);
        assert_int_equal(stats.segments, day + 1);
        assert_int_equal(stats.files, 2);
    }
    small_close(&s);
    small_verify(&s);
    small_remove(&s);
}

static void test_what_waits_survives(void **state)
{
    (void)state;
    struct small s;
    uint64_t points = 0, rows = 0;
    small_make_sealing(&s, SEAL_ROWS);
    while (points < 1000)
        rows = step(&s, T0, &points);
    while (rows < SEAL_ROWS + STEP)
        rows = step(&s, T0, &points);
    for (int i = 0; i < 5; i++) { /* closing seals nothing, and what waited goes on waiting */
        small_close(&s);
        small_verify(&s);
        small_open(&s, 0);
        assert_int_equal(small_stats(&s).journal_rows, rows);
        assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), points);
        assert_int_equal(step(&s, T0, &points), rows + STEP);
        rows += STEP;
    }
    grow_until_sealed(&s, T0, &points);
    rows = step(&s, T0, &points);
    assert_int_equal(rows, STEP);
    struct varve_sealed sealed;
    MUST(varve_seal(s.db, INT64_MAX, &sealed, &test_err)); /* who asks does not wait */
    assert_true(sealed.rows == STEP && small_stats(&s).journal_rows == 0);
    assert_int_equal(small_stats(&s).points, points);
    small_remove(&s);
}

/* With little memory left nothing waits. */
static void test_tight_memory(void **state)
{
    (void)state;
    struct small s;
    uint64_t points = 0;
    small_make_sealing(&s, SEAL_ROWS);
    while (points < 2000)
        step(&s, T0, &points);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    for (int i = 0; i < 9; i++)
        assert_int_equal(step(&s, T0, &points), (i + 1) * STEP);
    uint64_t memory = small_stats(&s).memory, rows = 9 * STEP;
    for (uint64_t quarters = 20; quarters > 11 && rows > 0; quarters--) {
        small_close(&s);
        s.max_memory = memory / 4 * quarters;
        small_open(&s, 0);
        rows = step(&s, T0, &points);
    }
    assert_int_equal(rows, 0);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_growing_day_waits),
        cmocka_unit_test(test_days_that_ended_are_sealed),
        cmocka_unit_test(test_what_waits_survives),
        cmocka_unit_test(test_tight_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
