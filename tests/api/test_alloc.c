/* SPDX-License-Identifier: Apache-2.0
 *
 * test_alloc.c -- memory that runs out at every place where it can.
 *
 * Each test does something with a store again and again, and each time one more request for memory
 * is the one that fails: once alone, and once with all that follow.  The call
 * says VARVE_NOMEM or gets by without; nothing leaks; and what the store holds afterwards is what
 * it
 * held before, or what it was to hold, and sound.
 */
#include <stdio.h>

#include "../faults/alloc_fault.h"
#include "small.h"

/* What an operation does once memory fails somewhere in it. */
struct trial {
    struct alloc_fault fault;
    char path[FILES_PATH];
    varve *db;
    uint64_t rounds;
};

static bool is_fine(enum varve_status status)
{
    if (status != VARVE_OK && status != VARVE_NOMEM)
        fail_msg("%s: %s: %s", varve_status_name(status), test_err.place, test_err.message);
    return status == VARVE_OK;
}

static varve *open_with(const struct alloc_fault *fault, const char *path, unsigned flags)
{
    const struct varve_options options = {.flags = flags | VARVE_NO_AUTOSEAL,
                                          .allocator = fault->allocator};
    varve *db = NULL;
    return is_fine(varve_open(path, &options, &db, &test_err)) ? db : NULL;
}

/* Two metrics, labels, an event, several days; `layer` tells batches apart. */
static bool put_some(varve_batch *batch, int layer)
{
    struct varve_metric tokens = {varve_str("tokens"), varve_str("tokens"), VARVE_COUNTER};
    struct varve_metric load = {varve_str("load"), varve_str(""), VARVE_COUNTER};
    uint32_t id, cumulative, base, set;
    struct varve_label user = {varve_str("user"), varve_str("ann")};
    if (!is_fine(varve_batch_metric(batch, &tokens, &id, &test_err)) ||
        !is_fine(varve_batch_metric(batch, &load, &cumulative, &test_err)) ||
        !is_fine(varve_batch_labels(batch, 0, &user, 1, &base, &test_err)))
        return false;
    for (int i = 0; i < 12; i++) {
        char text[16];
        snprintf(text, sizeof text, "s%d", i % 5);
        struct varve_label session = {varve_str("session"), varve_str(text)};
        int64_t end = T0 + i * DAY / 4 + layer * SECOND;
        if (!is_fine(varve_batch_labels(batch, base, &session, 1, &set, &test_err)) ||
            !is_fine(varve_batch_counter(batch, id, set, VARVE_DELTA, 0, end, varve_int(1),
                                         &test_err)) ||
            !is_fine(varve_batch_counter(batch, cumulative, base, VARVE_CUMULATIVE, T0, end + 1,
                                         varve_float(i + layer / 4.0), &test_err)))
            return false;
        struct varve_field field = {varve_str("text"), varve_text(varve_str(text))};
        if (!is_fine(varve_batch_event(batch, varve_str("events"), end, &field, 1, &test_err)))
            return false;
    }
    return true;
}

/* Layers 0 .. layers - 1, the first of them sealed. */
static void make_store(const char *path, int layers)
{
    const struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    varve *db;
    varve_batch *batch;
    MUST(varve_open(path, &options, &db, &test_err));
    MUST(varve_batch_new(db, &batch, &test_err));
    for (int layer = 0; layer < layers; layer++) {
        assert_true(put_some(batch, layer));
        MUST(varve_append(db, batch, NULL, &test_err));
        varve_batch_clear(batch);
        if (layer == 0)
            MUST(varve_seal(db, INT64_MAX, NULL, &test_err));
    }
    varve_batch_free(batch);
    varve_close(db);
}

/* The layers a store holds.  Looking at it closely takes a process, so it is done now and then. */
static int layers_of(const char *path)
{
    static unsigned turn;
    struct small s = {.db = NULL};
    struct varve_verified verified;
    snprintf(s.path, sizeof s.path, "%s", path);
    if (turn++ % 8 == 0)
        MUST(varve_verify(path, NULL, NULL, &verified, &test_err));
    small_open(&s, 0);
    int64_t tokens = small_increase(&s, "tokens", INT64_MIN, INT64_MAX);
    struct varve_stats stats = small_stats(&s);
    assert_int_equal(tokens % 12, 0);
    assert_int_equal(stats.events, tokens);
    assert_int_equal(stats.points, 2 * tokens);
    small_close(&s);
    return (int)(tokens / 12);
}

/* Runs the operation with the n-th request failing, for every n, on a fresh copy each time if it
 * `changes` the store.  before, after: how many layers there may be afterwards. */
static void
try_all(const char *name, void (*operation)(struct trial *), bool changes, int before, int after)
{
    char master[FILES_PATH];
    files_temp(master, "varve-alloc");
    make_store(master, before);
    for (int mode = ALLOC_FAULT_ONCE; mode <= ALLOC_FAULT_STICKY; mode++) {
        struct trial t = {.rounds = 0};
        alloc_fault_init(&t.fault);
        snprintf(t.path, sizeof t.path, "%s", master);
        for (alloc_fault_start(&t.fault, (enum alloc_fault_mode)mode);
             alloc_fault_next(&t.fault);) {
            t.rounds++;
            if (changes) {
                snprintf(t.path, sizeof t.path, "%.4000s.copy", master);
                files_copy(master, t.path);
            }
            operation(&t);
            assert_null(t.db);
            if (!alloc_fault_is_clean(&t.fault))
                fail_msg("%s: request %llu of the allocator", name,
                         (unsigned long long)t.fault.nth);
            if (changes) {
                int layers = layers_of(t.path);
                if (layers != before && layers != after)
                    fail_msg("%s: %d layers after request %llu", name, layers,
                             (unsigned long long)t.fault.nth);
                files_remove(t.path);
            }
        }
        assert_true(t.rounds > 5);
    }
    assert_int_equal(layers_of(master), before);
    files_remove(master);
}

/* Opens without failures, does it, and closes.  What fails is only what is between. */
static varve *open_first(struct trial *t, unsigned flags)
{
    enum alloc_fault_mode mode = t->fault.mode;
    uint64_t nth = t->fault.nth;
    alloc_fault_arm(&t->fault, ALLOC_FAULT_NEVER, 0);
    varve *db = open_with(&t->fault, t->path, flags);
    assert_non_null(db);
    alloc_fault_arm(&t->fault, mode, nth);
    return db;
}

/* After a failure the handle must be as good as new once there is memory again. */
static void must_recover(struct trial *t, varve *db)
{
    enum alloc_fault_mode mode = t->fault.mode;
    uint64_t nth = t->fault.nth, requests = t->fault.requests, failed = t->fault.failed;
    struct varve_stats stats;
    alloc_fault_arm(&t->fault, ALLOC_FAULT_NEVER, 0);
    MUST(varve_stats(db, &stats, &test_err));
    assert_int_equal(stats.points, 2 * stats.events);
    alloc_fault_arm(&t->fault, mode, nth);
    t->fault.requests = requests;
    t->fault.failed = failed;
}

/* ---- the operations -------------------------------------------------------- */

static void do_open(struct trial *t)
{
    varve *db = open_with(&t->fault, t->path, 0);
    varve_close(db);
}

static void test_open(void **state)
{
    (void)state;
    try_all("open", do_open, false, 3, 3);
}

/* Making a store that fails half way leaves nothing that a second try would stumble over. */
static void test_create(void **state)
{
    (void)state;
    struct trial t = {.rounds = 0};
    files_temp(t.path, "varve-alloc");
    alloc_fault_init(&t.fault);
    for (uint64_t nth = 1, failed = 1; failed > 0; nth++) {
        struct small s = {.db = NULL};
        snprintf(s.path, sizeof s.path, "%.4000s/new", t.path);
        alloc_fault_arm(&t.fault, ALLOC_FAULT_ONCE, nth);
        varve_close(open_with(&t.fault, s.path, VARVE_CREATE));
        failed = t.fault.failed;
        assert_true(alloc_fault_is_clean(&t.fault));
        small_open(&s, VARVE_CREATE);
        assert_int_equal(small_stats(&s).points, 0);
        small_close(&s);
        files_remove(s.path);
    }
    files_remove(t.path);
}

static void do_append(struct trial *t)
{
    varve *db = open_first(t, 0);
    varve_batch *batch;
    struct varve_appended appended;
    bool done = false;
    if (is_fine(varve_batch_new(db, &batch, &test_err))) {
        if (put_some(batch, 2))
            done = is_fine(varve_append(db, batch, &appended, &test_err));
        if (done)
            assert_int_equal(appended.points + appended.duplicates, 24);
        must_recover(t, db);
        varve_batch_free(batch);
    }
    varve_close(db);
    if (done)
        assert_int_equal(layers_of(t->path), 3);
}

static void test_append(void **state)
{
    (void)state;
    try_all("append", do_append, true, 2, 3);
}

/* A batch that failed may be sent again as it is. */
static void do_append_again(struct trial *t)
{
    varve *db = open_first(t, 0);
    varve_batch *batch;
    if (is_fine(varve_batch_new(db, &batch, &test_err))) {
        if (put_some(batch, 2) && !is_fine(varve_append(db, batch, NULL, &test_err))) {
            uint64_t failed = t->fault.failed, nth = t->fault.nth;
            enum alloc_fault_mode mode = t->fault.mode;
            alloc_fault_arm(&t->fault, ALLOC_FAULT_NEVER, 0);
            MUST(varve_append(db, batch, NULL, &test_err));
            alloc_fault_arm(&t->fault, mode, nth);
            t->fault.failed = failed;
        }
        varve_batch_clear(batch);
        varve_batch_free(batch);
    }
    varve_close(db);
}

static void test_append_again(void **state)
{
    (void)state;
    try_all("append again", do_append_again, true, 2, 3);
}

static void do_seal(struct trial *t)
{
    varve *db = open_first(t, 0);
    is_fine(varve_seal(db, INT64_MAX, NULL, &test_err));
    must_recover(t, db);
    varve_close(db);
}

static void test_seal(void **state)
{
    (void)state;
    try_all("seal", do_seal, true, 2, 2);
}

static void do_compact(struct trial *t)
{
    varve *db = open_first(t, 0);
    is_fine(varve_compact(db, NULL, &test_err));
    must_recover(t, db);
    varve_close(db);
}

static void test_compact(void **state)
{
    (void)state;
    try_all("compact", do_compact, true, 2, 2);
}

static void do_retain(struct trial *t)
{
    varve *db = open_first(t, 0);
    is_fine(varve_retain(db, T0 - DAY, NULL, &test_err));
    must_recover(t, db);
    varve_close(db);
}

static void test_retain(void **state)
{
    (void)state;
    try_all("retain", do_retain, true, 2, 2);
}

static void do_backup(struct trial *t)
{
    char path[FILES_PATH + 8];
    varve *db = open_first(t, 0);
    snprintf(path, sizeof path, "%.4000s.backup", t->path);
    bool done = is_fine(varve_backup(db, path, &test_err));
    must_recover(t, db);
    varve_close(db);
    if (done)
        assert_int_equal(layers_of(path), 2);
    files_remove(path);
}

static void test_backup(void **state)
{
    (void)state;
    try_all("backup", do_backup, false, 2, 2);
}

/* ---- reading ----------------------------------------------------------------- */

/* One scan to its end; *sum is what it saw.  False: no memory. */
static bool
scan_all(varve_snapshot *snapshot, const char *source, bool by_rows, unsigned flags, int64_t *sum)
{
    varve_scan *scan;
    const struct varve_str ann = varve_str("ann"),
                           columns[] = {varve_str("session"), varve_str("text")};
    const struct varve_filter filter = {varve_str("user"), 0, &ann, 1};
    bool is_table = strcmp(source, "events") == 0;
    struct varve_query q = {varve_str(source), T0 + HOUR, T0 + 2 * DAY, &filter, is_table ? 0 : 1,
                            columns,           2,         flags};
    enum varve_status status = varve_scan_open(snapshot, &q, &scan, &test_err);
    if (!is_fine(status))
        return false;
    *sum = 0;
    do {
        struct varve_rows rows;
        struct varve_runs runs;
        status = by_rows ? varve_scan_rows(scan, &rows, &test_err)
                         : varve_scan_runs(scan, &runs, &test_err);
        for (uint32_t i = 0; status == VARVE_OK && by_rows && i < rows.rows; i++)
            *sum += rows.ints ? rows.ints[i] : 1;
        for (uint32_t i = 0; status == VARVE_OK && !by_rows && i < runs.runs; i++)
            *sum += runs.sums ? runs.sums[i] : 1;
    } while (status == VARVE_OK);
    varve_scan_close(scan);
    return status == VARVE_DONE || is_fine(status);
}

static int count_calls(void *context, const struct varve_count_info *info)
{
    *(int *)context += (int)info->count;
    return 0;
}

static int count_metrics(void *context, const struct varve_metric_info *info)
{
    *(int *)context += (int)info->points;
    return 0;
}

static int count_tables(void *context, const struct varve_table_info *info)
{
    *(int *)context += (int)info->rows;
    return 0;
}

static void read_snapshot(varve_snapshot *snapshot)
{
    int64_t sum;
    int points = 0, rows = 0, labels = 0, values = 0;
    const struct varve_str tokens = varve_str("tokens"), session = varve_str("session");
    const struct varve_str events = varve_str("events"), text = varve_str("text");
    for (int by_rows = 0; by_rows < 2; by_rows++)
        for (unsigned flags = 0; flags <= VARVE_DECODE; flags += VARVE_DECODE) {
            if (scan_all(snapshot, "tokens", by_rows, flags, &sum))
                assert_int_equal(sum, 2 * 7);
            scan_all(snapshot, "load", by_rows, flags, &sum);
        }
    if (scan_all(snapshot, "events", true, 0, &sum))
        assert_int_equal(sum, 2 * 7);
    if (is_fine(varve_visit_metrics(snapshot, count_metrics, &points, &test_err)))
        assert_int_equal(points, 48);
    if (is_fine(varve_visit_tables(snapshot, count_tables, &rows, &test_err)))
        assert_int_equal(rows, 24);
    if (is_fine(varve_visit_labels(snapshot, tokens, count_calls, &labels, &test_err)))
        assert_int_equal(labels, 6); /* one user, five sessions */
    if (is_fine(varve_visit_values(snapshot, tokens, session, count_calls, &values, &test_err)))
        assert_int_equal(values, 24);
    values = 0;
    if (is_fine(varve_visit_columns(snapshot, events, count_calls, &values, &test_err)))
        assert_int_not_equal(values, 0);
    values = 0;
    if (is_fine(varve_visit_values(snapshot, events, text, count_calls, &values, &test_err)))
        assert_int_equal(values, 24);
}

static void do_read(struct trial *t)
{
    varve *db = open_first(t, 0);
    varve_snapshot *snapshot;
    struct varve_stats stats;
    if (is_fine(varve_snapshot_open(db, &snapshot, &test_err))) {
        read_snapshot(snapshot);
        varve_snapshot_close(snapshot);
    }
    if (is_fine(varve_stats(db, &stats, &test_err)))
        assert_int_equal(stats.points, 48);
    must_recover(t, db);
    varve_close(db);
}

static void test_read(void **state)
{
    (void)state;
    try_all("read", do_read, false, 2, 2);
}

static int is_one(void *context, struct varve_str name, struct varve_str value)
{
    ++*(int *)context;
    assert_int_equal(name.size + value.size, 2);
    return 0;
}

static void do_settings(struct trial *t)
{
    varve *db = open_first(t, 0);
    int before = 0, after = 0;
    bool is_set = is_fine(varve_set(db, varve_str("a"), varve_str("1"), &test_err));
    if (is_fine(varve_visit_settings(db, is_one, &before, &test_err)))
        assert_int_equal(before, is_set);
    if (is_fine(varve_set(db, varve_str("a"), varve_str(""), &test_err)) &&
        is_fine(varve_visit_settings(db, is_one, &after, &test_err)))
        assert_int_equal(after, 0);
    must_recover(t, db);
    varve_close(db);
}

static void test_settings(void **state)
{
    (void)state;
    try_all("settings", do_settings, true, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),   cmocka_unit_test(test_create),
        cmocka_unit_test(test_append), cmocka_unit_test(test_append_again),
        cmocka_unit_test(test_seal),   cmocka_unit_test(test_compact),
        cmocka_unit_test(test_retain), cmocka_unit_test(test_backup),
        cmocka_unit_test(test_read),   cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
