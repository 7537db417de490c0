/* SPDX-License-Identifier: Apache-2.0
 *
 * test_vql_alloc.c -- statements whose memory runs out at every place where it can.
 *
 * Each statement runs again and again, and each time one more request for memory fails: once
 * alone, and once with all that follow.  It answers as it should or says that there is no memory,
 * nothing leaks, the handle goes on, and the store is sound.  So it is with a cap as well.
 */
#include <stdio.h>

#include "../faults/alloc_fault.h"
#include "small.h"

static const char *const readings[] = {
    "SELECT increase(spent) AS t BY user EVERY 6h SINCE 3d ORDER BY t DESC",
    "SELECT increase(spent) AS t, share(t) AS s BY session SINCE 3d TOP 2 BY t WITH OTHER",
    "SELECT increase(spent) AS t SINCE 1d COMPARE TO previous",
    "SELECT last(spent) AS l, max_of(spent, 1d) AS m EVERY day SINCE 3d FILL prev",
    "SELECT count(*) AS n, median(size) AS m, list(name) AS l FROM work BY user SINCE 3d",
    "SELECT * FROM work WHERE name =~ 'a.*|b.*' AND upper(name) LIKE '%1' SINCE 3d LIMIT 3",
    "WITH w AS (SELECT name FROM work SINCE 3d) SELECT name FROM w UNION SELECT user FROM work",
    "SELECT DISTINCT team FROM work SINCE 3d",
    "SELECT t FROM total_view",
    "SELECT time, value FROM steps SINCE 3d LIMIT 2",
    "SELECT count(*) AS n, max(value) AS m FROM steps BY user SINCE 3d",
    "SELECT avg_of(spent) AS a, first(spent) AS f, max_of(steps) AS m BY user EVERY 6h SINCE 3d",
    "SELECT hour(time) AS h, count(*) AS n FROM work BY h EVERY day TZ 'Asia/Tokyo' SINCE 3d",
    "EXPLAIN ANALYZE SELECT count(DISTINCT name) AS n FROM work BY user SINCE 3d",
    "SHOW METRICS",
    "SHOW CARDINALITY",
    "SHOW SERIES spent",
    "SHOW VALUES OF user",
    "SHOW LOOKUPS",
    "DESCRIBE spent",
};

static const char roster[] = "user,team\nann,red\nbob,\"blue \"\"sky\"\"\"\n";
static char roster_path[FILES_PATH];

static void write_roster(void)
{
    FILE *file = fopen(roster_path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(roster, 1, sizeof roster - 1, file), sizeof roster - 1);
    assert_int_equal(fclose(file), 0);
}

static enum varve_status
run(varve *db, const char *text, uint64_t max_memory, uint64_t *rows, struct varve_err *err)
{
    const struct varve_run_options options = {.now = T0 + 2 * DAY, .max_memory = max_memory};
    const struct varve_cell *cells;
    varve_result *result;
    size_t n;
    *rows = 0;
    enum varve_status status = varve_run(db, varve_str(text), &options, &result, NULL, err);
    if (status != VARVE_OK)
        return status;
    while ((status = varve_result_next(result, &cells, &n, err)) == VARVE_OK)
        *rows += n;
    varve_result_free(result);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static void must_run(varve *db, const char *text)
{
    uint64_t rows;
    if (run(db, text, 0, &rows, &test_err) != VARVE_OK)
        fail_msg("%s: %s", text, test_err.message);
}

static void add_event(struct small *s, const char *user, const char *name, int64_t time)
{
    const struct varve_field fields[] = {{varve_str("user"), varve_text(varve_str(user))},
                                         {varve_str("name"), varve_text(varve_str(name))},
                                         {varve_str("size"), varve_int(time % 7)}};
    MUST(varve_batch_event(s->batch, varve_str("work"), time, fields, 3, &test_err));
}

/* Readings of a counter, one of which comes when the others are sealed. */
static void add_late(struct small *s, bool is_late)
{
    for (int i = 1; i < 4; i++)
        if ((i == 2) == is_late)
            small_reading(s, "steps", "", "user=ann", T0, T0 + i * HOUR, varve_float(i * 1.5));
}

static void make_store(struct small *s)
{
    char text[FILES_PATH + 80];
    small_make(s);
    add_late(s, false);
    for (int i = 0; i < 12; i++) {
        int64_t time = T0 + i * DAY / 6;
        small_delta(s, "spent", "tokens", i % 2 ? "user=ann,session=1" : "user=bob,session=2", time,
                    varve_int(i));
        add_event(s, i % 2 ? "ann" : "bob", i % 3 ? "a1" : "b2", time + 1);
        if (i == 8) {
            small_append(s);
            MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
        }
    }
    add_late(s, true);
    small_append(s);
    snprintf(roster_path, sizeof roster_path, "%.4000s.csv", s->path);
    write_roster();
    snprintf(text, sizeof text, "CREATE LOOKUP team FROM '%s' ON user", roster_path);
    must_run(s->db, text);
    must_run(s->db, "CREATE VIEW total_view AS SELECT increase(spent) AS t SINCE 3d");
}

static varve *open_with(const struct alloc_fault *fault, const char *path)
{
    const struct varve_options options = {.flags = VARVE_NO_AUTOSEAL,
                                          .allocator = fault->allocator};
    varve *db;
    MUST(varve_open(path, &options, &db, &test_err));
    return db;
}

/* The n-th request fails, for every n; the statement succeeds or says so. */
static void fail_everywhere(struct alloc_fault *fault, varve *db, const char *text)
{
    uint64_t rows, right;
    must_run(db, text);
    assert_int_equal(run(db, text, 0, &right, &test_err), VARVE_OK);
    const size_t bytes = fault->live_bytes;
    for (int mode = ALLOC_FAULT_ONCE; mode <= ALLOC_FAULT_STICKY; mode++)
        for (uint64_t nth = 1, failed = 1; failed > 0; nth++) {
            alloc_fault_arm(fault, (enum alloc_fault_mode)mode, nth);
            enum varve_status status = run(db, text, 0, &rows, &test_err);
            failed = fault->failed;
            alloc_fault_arm(fault, ALLOC_FAULT_NEVER, 0);
            if (status != VARVE_OK && status != VARVE_NOMEM)
                fail_msg("%s, request %llu: %s: %s", text, (unsigned long long)nth,
                         varve_status_name(status), test_err.message);
            if (status == VARVE_OK && rows != right)
                fail_msg("%s, request %llu: %llu rows", text, (unsigned long long)nth,
                         (unsigned long long)rows);
            if (fault->live_bytes != bytes)
                fail_msg("%s, request %llu: %zu bytes instead of %zu", text,
                         (unsigned long long)nth, fault->live_bytes, bytes);
        }
}

static void test_readings(void **state)
{
    struct small s;
    struct alloc_fault fault;
    (void)state;
    make_store(&s);
    small_close(&s);
    alloc_fault_init(&fault);
    varve *db = open_with(&fault, s.path);
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
        fail_everywhere(&fault, db, readings[i]);
    varve_close(db);
    assert_true(alloc_fault_is_clean(&fault));
    small_verify(&s);
    files_remove(roster_path);
    small_remove(&s);
}

/* What changes something has done it or has not. */
static void test_changes(void **state)
{
    struct small s;
    struct alloc_fault fault;
    char create[FILES_PATH + 80];
    (void)state;
    make_store(&s);
    small_close(&s);
    snprintf(create, sizeof create, "CREATE OR REPLACE LOOKUP team FROM '%s' ON user", roster_path);
    const char *const changes[] = {
        create, "CREATE OR REPLACE VIEW total_view AS SELECT increase(spent) AS t SINCE 2d",
        "SET quota = 12", "SET quota = NULL", "DELETE FROM work WHERE user = 'nobody'"};
    alloc_fault_init(&fault);
    varve *db = open_with(&fault, s.path);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        fail_everywhere(&fault, db, changes[i]);
        must_run(db, "SELECT DISTINCT team FROM work SINCE 3d");
        must_run(db, "SELECT t FROM total_view");
    }
    varve_close(db);
    assert_true(alloc_fault_is_clean(&fault));
    small_verify(&s);
    files_remove(roster_path);
    small_remove(&s);
}

/* Every cap is kept, and one that is too small is a limit whose message says what to do. */
static void test_caps(void **state)
{
    struct small s;
    (void)state;
    make_store(&s);
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        bool was_enough = false;
        for (uint64_t cap = 1; cap <= 64 << 20; cap *= 4) {
            uint64_t rows;
            enum varve_status status = run(s.db, readings[i], cap, &rows, &test_err);
            assert_true(!was_enough || status == VARVE_OK);
            was_enough = status == VARVE_OK;
            if (!was_enough && (status != VARVE_LIMIT || !strstr(test_err.message, "--max-memory")))
                fail_msg("%s, %llu bytes: %s: %s", readings[i], (unsigned long long)cap,
                         varve_status_name(status), test_err.message);
        }
        assert_true(was_enough);
    }
    files_remove(roster_path);
    small_close(&s);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
