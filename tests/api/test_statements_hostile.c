/* SPDX-License-Identifier: Apache-2.0
 *
 * test_statements_hostile.c -- statements made to take long, and queries that are told to stop.
 *
 * Work is counted by the memory that a statement takes: what it does grows with that.  Only the
 * bound that nothing may hang is of time, and wide.
 */
#include <stdio.h>
#include <time.h>

#include "small.h"

enum { STATEMENT = 64 << 10, MOST_SECONDS = 5 };
#define MOST_BYTES (UINT64_C(64) << 20)

struct hostile {
    const char *before, *open, *inside, *close, *after;
    unsigned times; /* 0: as often as 64 kB hold */
};

static const struct hostile statements[] = {
    {"SELECT ", "(", "1", ")", " AS x", 0},
    {"SELECT ", "(", "", "", "", 0},
    {"SELECT ", "-", "1", "", " AS x", 0},
    {"SELECT ", "NOT ", "true", "", " AS x", 0},
    {"SELECT ", "1+", "1", "", " AS x", 0},
    {"SELECT ", "1^", "1", "", " AS x", 0},
    {"SELECT ", "1,", "1", "", "", 0},
    {"SELECT ", "increase(spent),", "1", "", "", 1000},
    {"SELECT increase(spent) AS x WHERE ", "user='a' AND ", "user='a'", "", "", 0},
    {"SELECT increase(spent) AS x WHERE ", "(user='a' OR ", "user='b'", ")", "", 0},
    {"SELECT increase(spent) AS x WHERE user IN (", "'a',", "'b'", "", ")", 0},
    {"SELECT increase(spent{", "user='a',", "user='a'", "", "}) AS x", 0},
    {"SELECT increase(spent{", "user=~'a.*',", "user='a'", "", "}) AS x", 0},
    {"SELECT ", "CASE WHEN true THEN ", "1", " ELSE 2 END", " AS x", 0},
    {"SELECT ", "share(", "increase(spent)", ")", " AS x BY user", 60},
    {"SELECT ", "share(", "increase(spent)", ")", " AS x BY user", 0},
    {"SELECT ", "total(", "increase(spent)", ")", " AS x BY user", 60},
    {"SELECT ", "sum(", "size", ")", " AS x FROM work", 0},
    {"", "SELECT increase(spent) AS x UNION ", "SELECT increase(spent) AS x", "", "", 0},
    {"SELECT increase(spent) AS x BY ", "user,", "user", "", "", 0},
    {"SELECT increase(spent) AS x BY ", "user,", "user", "", " SINCE 2d", 20},
    {"SELECT increase(spent) AS x ORDER BY ", "x,", "x", "", "", 0},
    {"SELECT increase(spent) AS x SINCE now", "-1d", "", "", "", 0},
    {"SELECT ", "9", "", "", " AS x", 0},
    {"SELECT '", "''", "", "", "' AS x", 0},
    {"SELECT increase(", "a", "", "", ") AS x", 0},
    {"SELECT x FROM ", "(SELECT x FROM ", "work", ")", "", 0},
    {"", "/*", "", "", "", 0},
    {"", ";", "", "", "", 0},
    {"", "SELECT ", "", "", "", 0},
    {"", "EXPLAIN ", "SELECT 1", "", "", 0},
    {"", "CREATE VIEW v AS ", "SELECT 1", "", "", 0},
    {"SELECT increase(spent) AS x WHERE user =~ '", "(", "", "", "'", 0},
    {"SELECT increase(spent) AS x WHERE user =~ '", "(a*)*", "", "", "b'", 0},
    {"SELECT increase(spent) AS x WHERE user =~ '", "a?", "", "", "'", 0},
    {"SELECT increase(spent) AS x WHERE user =~ '", "a{1000}", "", "", "'", 0},
    {"SELECT increase(spent) AS x WHERE user LIKE '", "%a", "", "", "'", 0},
};

static void repeat(char *text, size_t *size, const char *part, unsigned times)
{
    size_t length = strlen(part);
    for (unsigned i = 0; i < times; i++, *size += length)
        memcpy(text + *size, part, length);
}

/* Its length; the text has room for 64 kB and a little. */
static size_t write_statement(const struct hostile *h, char *text)
{
    size_t size = 0, fixed = strlen(h->before) + strlen(h->inside) + strlen(h->after);
    size_t each = strlen(h->open) + strlen(h->close);
    unsigned times = h->times ? h->times : (unsigned)((STATEMENT - fixed) / each);
    repeat(text, &size, h->before, 1);
    repeat(text, &size, h->open, times);
    repeat(text, &size, h->inside, 1);
    repeat(text, &size, h->close, times);
    repeat(text, &size, h->after, 1);
    assert_true(size <= STATEMENT || h->times);
    return size;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* To its end, whatever that is; the memory is the handle's. */
static enum varve_status run(struct small *s, struct varve_str text,
                             const struct varve_run_options *options, struct varve_err *err)
{
    varve_result *result;
    const struct varve_cell *cells;
    size_t n;
    enum varve_status status = varve_run(s->db, text, options, &result, NULL, err);
    if (status != VARVE_OK)
        return status;
    do
        status = varve_result_next(result, &cells, &n, err);
    while (status == VARVE_OK);
    varve_result_free(result);
    return status;
}

static void make(struct small *s)
{
    small_make(s);
    for (int i = 0; i < 1000; i++) {
        char label[32];
        snprintf(label, sizeof label, "user=u%d", i);
        small_delta(s, "spent", "", label, T0 + i * SECOND, varve_int(i));
        const struct varve_field size = {varve_str("size"), varve_int(i)};
        MUST(varve_batch_event(s->batch, varve_str("work"), T0 + i * SECOND, &size, 1, &test_err));
    }
    small_append(s);
}

static void test_hostile(void **state)
{
    const struct varve_run_options options = {.now = T0 + DAY, .max_memory = MOST_BYTES};
    char *text = malloc(2 * STATEMENT);
    struct small s;
    (void)state;
    assert_non_null(text);
    make(&s);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        double began = seconds();
        size_t size = write_statement(&statements[i], text);
        struct varve_err err = {.message = ""};
        enum varve_status status = run(&s, (struct varve_str){text, size}, &options, &err);
        if (status == VARVE_LIMIT && strstr(err.message, "--max-memory"))
            fail_msg("%.60s: takes more than 64 MiB", text);
        if (status != VARVE_DONE && !err.message[0])
            fail_msg("%.60s: %s without a message", text, varve_status_name(status));
        if (seconds() - began > MOST_SECONDS)
            fail_msg("%.60s: takes %g s", text, seconds() - began);
    }
    free(text);
    small_close(&s);
    small_remove(&s);
}

/* Aliases that double each other, and WITHs that do. */
static void test_doubling(void **state)
{
    const struct varve_run_options options = {.now = T0 + DAY, .max_memory = MOST_BYTES};
    char text[8192] = "SELECT increase(spent) AS a0";
    struct small s;
    (void)state;
    make(&s);
    size_t size = strlen(text);
    for (int i = 0; i < 60; i++)
        size +=
            (size_t)snprintf(text + size, sizeof text - size, ", a%d + a%d AS a%d", i, i, i + 1);
    REFUSED(VARVE_LIMIT, "", run(&s, varve_str(text), &options, &test_err));
    assert_null(strstr(test_err.message, "--max-memory"));
    size = (size_t)snprintf(text, sizeof text, "WITH w0 AS (SELECT increase(spent) AS c)");
    for (int i = 1; i < 64; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 ", w%d AS (SELECT c FROM w%d UNION SELECT c FROM w%d)", i, i - 1,
                                 i - 1);
    snprintf(text + size, sizeof text - size, " SELECT c FROM w63");
    assert_int_equal(run(&s, varve_str(text), &options, &test_err), VARVE_DONE);
    small_close(&s);
    small_remove(&s);
}

/* ---- stopping --------------------------------------------------------------------- */

static const char *const queries[] = {
    "SELECT increase(spent) AS x BY user EVERY 1m SINCE 1d",
    "SELECT rate(spent, 6h) AS x BY user EVERY 1m SINCE 1d FILL none",
    "SELECT median(size) AS x, list(size) AS l FROM work EVERY 1m BY size SINCE 1d",
    "SELECT * FROM work ORDER BY size DESC SINCE 1d",
    "SELECT size FROM work UNION SELECT size FROM work",
    "SHOW SERIES spent",
    "SHOW CARDINALITY",
    "SHOW VALUES OF user",
    "DESCRIBE spent",
    "EXPLAIN ANALYZE SELECT max_of(spent, 6h) AS x EVERY 1m SINCE 1d",
};

static int stop_later(void *context)
{
    int *left = context;
    return --*left < 0;
}

/* Whenever a query is told to stop, it stops: it asks hardly once more. */
static void test_stop(void **state)
{
    struct small s;
    (void)state;
    make(&s);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        for (int after = 0;; after = 2 * after + 1) {
            int left = after;
            const struct varve_run_options options = {
                .now = T0 + DAY, .stop = stop_later, .stop_context = &left};
            enum varve_status status = run(&s, varve_str(queries[i]), &options, &test_err);
            if (status == VARVE_DONE && after > 0)
                break;
            if (status != VARVE_INTERRUPTED || left < -3)
                fail_msg("%s: %s, asked %d times more", queries[i], varve_status_name(status),
                         -1 - left);
        }
    small_close(&s);
    small_remove(&s);
}

static void test_limits(void **state)
{
    const struct varve_run_options in_no_time = {.now = T0 + DAY, .timeout = 1};
    const struct varve_run_options few_rows = {.now = T0 + DAY, .max_rows = 1};
    struct small s;
    (void)state;
    make(&s);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        REFUSED(VARVE_LIMIT, "--timeout", run(&s, varve_str(queries[i]), &in_no_time, &test_err));
    for (size_t i = 0; i < 5; i++)
        REFUSED(VARVE_LIMIT, "--max-rows", run(&s, varve_str(queries[i]), &few_rows, &test_err));
    small_close(&s);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_doubling),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
