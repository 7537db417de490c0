/* SPDX-License-Identifier: Apache-2.0
 *
 * test_late_events.c -- what comes late: sent again, it is known; what is new is taken, however
 * many tables and days there are at once, and in whatever order points come.
 */
#include "small.h"

#include <stdio.h>

#define TABLES 70 /* more than stay known */
#define DAYS 3
#define EVENTS 4 /* of a table on a day */

static void put_event(struct small *s, int table, int64_t time, int64_t n)
{
    char name[16];
    struct varve_field fields[] = {{varve_str("n"), varve_int(n)},
                                   {varve_str("of"), varve_text(varve_str("somebody"))}};
    snprintf(name, sizeof name, "t%d", table);
    MUST(varve_batch_event(s->batch, varve_str(name), time, fields, 2, &test_err));
}

/* Every day, table and number once, those numbers from `first` on; neighbours differ in table and
 * day. */
static void put_all(struct small *s, int first, int count)
{
    for (int n = first; n < first + count; n++)
        for (int table = 0; table < TABLES; table++)
            for (int day = 0; day < DAYS; day++)
                put_event(s, table, T0 + day * DAY + (n % EVENTS) * HOUR, n);
}

static void test_many_tables(void **state)
{
    (void)state;
    struct small s;
    struct varve_appended a;
    const int each = TABLES * DAYS;
    small_make(&s);
    put_all(&s, 0, EVENTS);
    assert_int_equal(small_append(&s).events, each * EVENTS);
    for (int round = 0; round < 3; round++) {
        MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
        put_all(&s, 0, EVENTS + round);
        a = small_append(&s);
        assert_true(a.events == 0 && a.duplicates == (uint64_t)each * (uint64_t)(EVENTS + round));
        put_all(&s, EVENTS + round - 1, 2); /* one of each is new */
        a = small_append(&s);
        assert_true(a.events == (uint64_t)each && a.duplicates == (uint64_t)each);
        if (round == 1) {
            small_close(&s);
            small_open(&s, 0);
        }
    }
    assert_int_equal(small_stats(&s).events, each * (EVENTS + 3));
    small_close(&s);
    small_verify(&s);
    small_open(&s, 0);
    small_remove(&s);
}

/* Days that are forgotten take no more events, and get no table for them. */
static void test_forgotten(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    put_event(&s, 1, T0 + 5 * DAY, 1);
    small_append(&s);
    MUST(varve_retain(s.db, T0 + 2 * DAY, NULL, &test_err));
    put_event(&s, 2, T0, 1);
    put_event(&s, 1, T0 + 5 * DAY, 1);
    put_event(&s, 1, T0 + 5 * DAY, 2);
    struct varve_appended a = small_append(&s);
    assert_true(a.expired == 1 && a.duplicates == 1 && a.events == 1);
    assert_int_equal(small_stats(&s).events, 2);
    small_remove(&s);
}

/* In no order, so that many points are older than many that are there, and then all again. */
static void test_points_in_no_order(void **state)
{
    (void)state;
    enum { POINTS = 5000, STRIDE = 1777 }; /* without a common divisor */
    struct small s;
    small_make(&s);
    for (int round = 0; round < 3; round++) {
        struct varve_appended all = {0};
        for (int i = 0; i < POINTS; i++) {
            int at = (int)((long)i * STRIDE % POINTS);
            small_delta(&s, "tokens", "", at % 3 ? "user=u" : "user=v", T0 + at * SECOND,
                        varve_int(at));
            if (i % 1000 == 999) {
                struct varve_appended a = small_append(&s);
                all.points += a.points;
                all.duplicates += a.duplicates;
            }
        }
        assert_int_equal(all.points, round == 0 ? POINTS : 0);
        assert_int_equal(all.duplicates, round == 0 ? 0 : POINTS);
        if (round == 1)
            MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    }
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), (long)POINTS * (POINTS - 1) / 2);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_tables),
        cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_points_in_no_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
