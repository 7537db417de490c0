/* SPDX-License-Identifier: Apache-2.0
 *
 * test_progress.c -- how far a statement is, as its caller is told.
 */
#include <pthread.h>
#include <stdio.h>

#include "small.h"

enum { DAYS = 6, ROWS = 3000 };

/* A sealed day each, with a metric and a table. */
static void make(struct small *s)
{
    struct varve_sealed sealed;
    small_make(s);
    for (int day = 0; day < DAYS; day++) {
        for (int i = 0; i < ROWS; i++) {
            int64_t time = T0 + day * DAY + i * SECOND;
            const struct varve_field size = {varve_str("size"), varve_int(i)};
            small_delta(s, "spent", "", i % 2 ? "user=a" : "user=b", time, varve_int(i));
            MUST(varve_batch_event(s->batch, varve_str("work"), time, &size, 1, &test_err));
        }
        small_append(s);
    }
    MUST(varve_seal(s->db, INT64_MAX, &sealed, &test_err));
}

struct told {
    struct varve_progress last;
    uint64_t planned, calls;
    pthread_t caller;
};

/* Figures only grow, never beyond what was planned, and come on the thread that asked. */
static void tell(void *context, const struct varve_progress *p)
{
    struct told *told = context;
    assert_true(pthread_equal(told->caller, pthread_self()));
    assert_true(p->segments >= told->last.segments && p->rows >= told->last.rows);
    assert_true(p->planned == 0 || p->segments <= p->planned);
    if (p->planned > 0) {
        assert_true(told->planned == 0 || told->planned == p->planned);
        told->planned = p->planned;
    }
    told->last = *p;
    told->calls++;
}

static struct told run(struct small *s, const char *statement, unsigned threads)
{
    struct told told = {.caller = pthread_self()};
    const struct varve_run_options options = {
        .now = T0 + DAYS * DAY, .progress = tell, .progress_context = &told, .threads = threads};
    varve_result *result;
    const struct varve_cell *cells;
    size_t n;
    enum varve_status status;
    MUST(varve_run(s->db, varve_str(statement), &options, &result, NULL, &test_err));
    do
        status = varve_result_next(result, &cells, &n, &test_err);
    while (status == VARVE_OK);
    assert_int_equal(status, VARVE_DONE);
    varve_result_free(result);
    return told;
}

static const struct {
    const char *statement;
    uint64_t planned, rows; /* rows: at least so many have been looked at when it is last told */
} cases[] = {
    {"SELECT size FROM work SINCE 6d", DAYS, (DAYS - 1) * ROWS},
    {"SELECT sum(size) AS x FROM work SINCE 6d", DAYS, (DAYS - 1) * ROWS},
    {"SELECT sum(size) AS x FROM work SINCE 2d", 2, ROWS},
    {"SELECT increase(spent) AS x BY user EVERY 10m SINCE 6d", DAYS, (DAYS - 1) * ROWS},
    {"SELECT increase(spent) AS x SINCE 3d COMPARE TO previous", DAYS, 0},
    {"SELECT increase(spent, 2d) AS x EVERY day SINCE 3d", 5, 0},
    {"WITH w AS (SELECT size FROM work SINCE 6d) SELECT sum(size) AS x FROM w", DAYS, 0},
    {"SELECT 1 AS x", 0, 0},
    {"SELECT increase(nothing_of_it) AS x SINCE 6d", 0, 0},
};

static void test_figures(void **state)
{
    struct small s;
    (void)state;
    make(&s);
    small_delta(&s, "nothing_of_it", "", "", T0 - 90 * DAY, varve_int(1));
    small_append(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct told told = run(&s, cases[i].statement, 1);
        bool is_reading = cases[i].rows > 0;
        if ((cases[i].planned > 0 && told.planned != cases[i].planned) ||
            told.last.rows < cases[i].rows || (is_reading && told.calls < DAYS) ||
            (is_reading && told.last.segments + 1 < cases[i].planned))
            fail_msg("%s: %llu of %llu segments, %llu rows in %llu calls", cases[i].statement,
                     (unsigned long long)told.last.segments, (unsigned long long)told.planned,
                     (unsigned long long)told.last.rows, (unsigned long long)told.calls);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(&s, cases[i].statement, 4);
    small_close(&s);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_figures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
