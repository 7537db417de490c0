/* SPDX-License-Identifier: Apache-2.0
 *
 * test_api.c -- the doors of the library: opening, handles, batches, numbers on their way in.
 *
 * Every error is looked at with its words: what a message says is part of the interface.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/prng.h"
#include "small.h"
#include "store/catalogue.h"
#include "store/lockfile.h"

/* ---- names and values --------------------------------------------------- */

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(varve_version(), VARVE_VERSION_TEXT);
#define X(name, number, text)                                             \
    assert_int_equal(VARVE_##name, number);                               \
    assert_string_equal(varve_status_name(VARVE_##name), "VARVE_" #name); \
    assert_string_equal(varve_status_text(VARVE_##name), text);
    VARVE_STATUS_MAP(X)
#undef X
    assert_non_null(varve_status_name((enum varve_status)99));
    assert_non_null(varve_status_text((enum varve_status) - 1));
    assert_int_equal(varve_str("").size, 0);
    assert_int_equal(varve_str("größe").size, 7);
    assert_int_equal(varve_str(NULL).size, 0);
    assert_int_equal(varve_int(-7).as.i, -7);
    assert_int_equal(varve_bool(42).as.i, 1);
    assert_true(varve_float(0.1).as.f == 0.1);
    assert_int_equal(varve_text(varve_str("x")).type, VARVE_TEXT);
}

/* ---- opening ------------------------------------------------------------ */

static void test_open_refused(void **state)
{
    (void)state;
    char root[FILES_PATH], path[FILES_PATH + 16], longer[8192];
    varve *db = (varve *)(void *)&root, *before = db;
    const struct varve_options create = {.flags = VARVE_CREATE}, reading = {.flags = VARVE_RDONLY};
    const struct varve_options both = {.flags = VARVE_CREATE | VARVE_RDONLY};
    files_temp(root, "varve-open");
    REFUSED(VARVE_INVALID, "no path", varve_open(NULL, NULL, &db, &test_err));
    REFUSED(VARVE_INVALID, "no path", varve_open("", &create, &db, &test_err));
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    REFUSED(VARVE_INVALID, "longer", varve_open(longer, &create, &db, &test_err));
    snprintf(path, sizeof path, "%s/none", root);
    REFUSED(VARVE_NOTFOUND, path, varve_open(path, NULL, &db, &test_err));
    REFUSED(VARVE_NOTFOUND, path, varve_open(path, &reading, &db, &test_err));
    REFUSED(VARVE_NOTFOUND, path, varve_open(path, &both, &db, &test_err));
    REFUSED(VARVE_NOTFOUND, "no store", varve_open(root, NULL, &db, &test_err));
    assert_int_equal(access(path, F_OK), -1); /* asking made nothing */
    snprintf(path, sizeof path, "%s/file", root);
    files_write(path, "text", 4);
    REFUSED(VARVE_IO, path, varve_open(path, NULL, &db, &test_err));
    REFUSED(VARVE_IO, path, varve_open(path, &create, &db, &test_err));
    snprintf(path, sizeof path, "%s/main.mdb", root);
    files_write(path, "this is no store, but a text that somebody put there", 52);
    REFUSED(VARVE_CORRUPT, "main.mdb", varve_open(root, NULL, &db, &test_err));
    assert_int_equal(varve_open(root, NULL, &db, NULL), VARVE_CORRUPT);
    assert_ptr_equal(db, before); /* results are left alone on failure */
    files_remove(root);
}

static void test_open_twice(void **state)
{
    (void)state;
    struct small s;
    char other[FILES_PATH + 8];
    varve *second;
    small_make(&s);
    REFUSED(VARVE_BUSY, "open already", varve_open(s.path, NULL, &second, &test_err));
    snprintf(other, sizeof other, "%s/.", s.path);
    REFUSED(VARVE_BUSY, "open already", varve_open(other, NULL, &second, &test_err));
    small_close(&s);
    MUST(varve_open(other, NULL, &second, &test_err)); /* no options: what is there */
    varve_close(second);
    small_open(&s, 0);
    small_remove(&s);
}

static void test_create(void **state)
{
    (void)state;
    char root[FILES_PATH], path[FILES_PATH + 16];
    const struct varve_options create = {.flags = VARVE_CREATE};
    varve *db, *other;
    struct varve_stats stats;
    files_temp(root, "varve-create");
    snprintf(path, sizeof path, "%s/a/b//c/", root);
    MUST(varve_open(path, &create, &db, &test_err));
    MUST(varve_open(root, &create, &other, &test_err)); /* two stores, one in the other */
    MUST(varve_stats(db, &stats, &test_err));
    assert_int_equal(stats.points + stats.events + stats.series + stats.days + stats.segments, 0);
    assert_true(stats.oldest == INT64_MAX && stats.newest == INT64_MIN);
    assert_int_equal(stats.format, VARVE_FORMAT);
    assert_int_equal(stats.files, 1);
    assert_true(stats.bytes > 0 && stats.memory > 0 && stats.memory_peak >= stats.memory);
    varve_close(db);
    varve_close(other);
    MUST(varve_open(path, &create, &db, &test_err)); /* it is there: nothing to create */
    varve_close(db);
    varve_close(NULL);
    files_remove(root);
}

static void test_newer_format(void **state)
{
    (void)state;
    struct small s;
    char path[FILES_PATH + 16];
    struct mem mem;
    struct env *env;
    struct txn *txn;
    struct identity identity;
    struct state now;
    varve *db;
    small_make(&s);
    small_close(&s);
    snprintf(path, sizeof path, "%s/main.mdb", s.path);
    mem_init(&mem, NULL, 0);
    MUST(env_open(&env, &mem, path, 0, 0, &test_err));
    for (int i = 0; i < 2; i++) { /* under both meta pages */
        MUST(env_begin_write(env, &txn, 1 << 16, &test_err));
        if (i == 0)
            MUST(identity_get(txn, &identity, &test_err));
        identity.format = VARVE_FORMAT + 1;
        MUST(state_get_any(txn, &now, &test_err));
        MUST(identity_put(txn, &identity, &test_err));
        MUST(state_put(txn, &now, &test_err));
        MUST(txn_commit(txn, &test_err));
    }
    env_close(env);
    REFUSED(VARVE_VERSION, "format 3", varve_open(s.path, NULL, &db, &test_err));
    REFUSED(VARVE_VERSION, "use a newer varve", varve_open(s.path, NULL, &db, &test_err));
    files_remove(s.path);
}

static void test_read_only(void **state)
{
    (void)state;
    struct small s;
    struct varve_appended appended;
    small_make(&s);
    small_delta(&s, "tokens", "", "user=a", T0, varve_int(7));
    small_append(&s);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    small_delta(&s, "tokens", "", "user=b", T0, varve_int(8));
    small_append(&s);
    small_close(&s);
    small_open(&s, VARVE_RDONLY);
    assert_int_equal(small_increase(&s, "tokens", T0, T0 + 1), 15);
    assert_int_equal(small_stats(&s).points, 2);
    small_delta(&s, "tokens", "", "user=c", T0, varve_int(9));
    REFUSED(VARVE_READONLY, "reading only", varve_append(s.db, s.batch, &appended, &test_err));
    REFUSED(VARVE_READONLY, "reading only", varve_seal(s.db, INT64_MAX, NULL, &test_err));
    REFUSED(VARVE_READONLY, "reading only", varve_compact(s.db, NULL, &test_err));
    REFUSED(VARVE_READONLY, "reading only", varve_retain(s.db, T0, NULL, &test_err));
    assert_int_equal(small_increase(&s, "tokens", T0, T0 + 1), 15);
    small_remove(&s);
}

/* A directory that may not be written at all.  For root nothing is forbidden: nothing to see. */
static void test_read_only_directory(void **state)
{
    (void)state;
    struct small s;
    char lock[FILES_PATH + 16];
    small_make(&s);
    small_delta(&s, "tokens", "", "", T0, varve_int(7));
    small_append(&s);
    small_close(&s);
    snprintf(lock, sizeof lock, "%s/lock", s.path);
    unlink(lock);
    snprintf(lock, sizeof lock, "%s/main.mdb-lock", s.path);
    unlink(lock);
    chmod(s.path, 0500);
    small_open(&s, VARVE_RDONLY);
    assert_int_equal(small_increase(&s, "tokens", T0, T0 + 1), 7);
    small_close(&s);
    chmod(s.path, 0700);
    files_remove(s.path);
}

/* ---- handles ------------------------------------------------------------ */

static void test_null_handles(void **state)
{
    (void)state;
    varve_batch *batch;
    varve_snapshot *snapshot;
    varve_scan *scan;
    struct varve_stats stats;
    struct varve_query query = {.source = varve_str("x")};
    struct varve_rows rows;
    struct varve_runs runs;
    REFUSED(VARVE_MISUSE, "NULL", varve_batch_new(NULL, &batch, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_append(NULL, NULL, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_snapshot_open(NULL, &snapshot, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_scan_open(NULL, &query, &scan, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_scan_rows(NULL, &rows, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_scan_runs(NULL, &runs, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_seal(NULL, 0, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_compact(NULL, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_retain(NULL, 0, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_backup(NULL, "x", &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_stats(NULL, &stats, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_visit_metrics(NULL, NULL, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_visit_tables(NULL, NULL, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_visit_labels(NULL, query.source, NULL, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_visit_columns(NULL, query.source, NULL, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "NULL",
            varve_visit_values(NULL, query.source, query.source, NULL, NULL, &test_err));
    REFUSED(VARVE_INVALID, "no path", varve_verify(NULL, NULL, NULL, NULL, &test_err));
    assert_int_equal(varve_stats(NULL, &stats, NULL), VARVE_MISUSE);
    varve_batch_free(NULL);
    varve_batch_clear(NULL);
    varve_snapshot_close(NULL);
    varve_scan_close(NULL);
}

static void test_null_batch(void **state)
{
    (void)state;
    struct varve_metric metric = {varve_str("m"), varve_str(""), VARVE_COUNTER};
    uint32_t id = 77;
    REFUSED(VARVE_MISUSE, "NULL", varve_batch_metric(NULL, &metric, &id, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_batch_labels(NULL, 0, NULL, 0, &id, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_batch_gauge(NULL, 0, 0, T0, varve_int(1), &test_err));
    REFUSED(VARVE_MISUSE, "NULL",
            varve_batch_counter(NULL, 0, 0, VARVE_DELTA, 0, T0, varve_int(1), &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_batch_event(NULL, metric.name, T0, NULL, 0, &test_err));
    assert_int_equal(id, 77);
}

/* What the child of a fork does with what it inherited; the number of the first wrong answer. */
static int misuse_in_child(struct small *s, varve_snapshot *snapshot, varve_scan *scan)
{
    varve_batch *batch;
    varve_snapshot *own;
    varve_scan *second;
    varve *db;
    struct varve_stats stats;
    struct varve_rows rows;
    struct varve_runs runs;
    struct varve_query query = {.source = varve_str("tokens"), .until = INT64_MAX};
    if (varve_batch_new(s->db, &batch, NULL) != VARVE_MISUSE)
        return 1;
    if (varve_append(s->db, s->batch, NULL, &test_err) != VARVE_MISUSE ||
        !strstr(test_err.message, "fork"))
        return 2;
    if (varve_snapshot_open(s->db, &own, NULL) != VARVE_MISUSE)
        return 3;
    if (varve_scan_open(snapshot, &query, &second, NULL) != VARVE_MISUSE ||
        varve_scan_rows(scan, &rows, NULL) != VARVE_MISUSE ||
        varve_scan_runs(scan, &runs, NULL) != VARVE_MISUSE)
        return 4;
    if (varve_stats(s->db, &stats, NULL) != VARVE_MISUSE ||
        varve_seal(s->db, 0, NULL, NULL) != VARVE_MISUSE ||
        varve_compact(s->db, NULL, NULL) != VARVE_MISUSE ||
        varve_retain(s->db, 0, NULL, NULL) != VARVE_MISUSE ||
        varve_backup(s->db, "x", NULL) != VARVE_MISUSE)
        return 5;
    if (varve_visit_metrics(snapshot, NULL, NULL, NULL) != VARVE_MISUSE ||
        varve_visit_tables(snapshot, NULL, NULL, NULL) != VARVE_MISUSE)
        return 6;
    varve_scan_close(scan); /* closing what is not its own does nothing */
    varve_snapshot_close(snapshot);
    varve_batch_free(s->batch);
    varve_close(s->db);
    if (varve_open(s->path, NULL, &db, NULL) != VARVE_OK)
        return 7;
    if (varve_stats(db, &stats, NULL) != VARVE_OK || stats.points != 1)
        return 8;
    varve_close(db);
    return 0;
}

static void test_fork_misuse(void **state)
{
    (void)state;
    struct small s;
    varve_snapshot *snapshot;
    varve_scan *scan;
    struct varve_rows rows;
    struct varve_query query = {.source = varve_str("tokens"), .until = INT64_MAX};
    int how = -1, alive = 0;
    small_make(&s);
    small_delta(&s, "tokens", "", "", T0, varve_int(7));
    small_append(&s);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    MUST(varve_snapshot_open(s.db, &snapshot, &test_err));
    MUST(varve_scan_open(snapshot, &query, &scan, &test_err));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(misuse_in_child(&s, snapshot, scan));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    /* And the parent's go on as if nothing had been: the snapshot still holds its files. */
    MUST(lock_epochs_below(s.path, 1000, &alive, &test_err));
    assert_int_equal(alive, 1);
    MUST(varve_scan_rows(scan, &rows, &test_err));
    assert_int_equal(rows.rows, 1);
    varve_scan_close(scan);
    varve_snapshot_close(snapshot);
    small_delta(&s, "tokens", "", "", T0 + 1, varve_int(1));
    assert_int_equal(small_append(&s).points, 1);
    small_remove(&s);
}

/* ---- batches ------------------------------------------------------------ */

static void test_empty_batch(void **state)
{
    (void)state;
    struct small s;
    struct varve_appended a;
    small_make(&s);
    MUST(varve_append(s.db, s.batch, &a, &test_err));
    assert_int_equal(a.points + a.events + a.duplicates + a.ambiguous + a.baselines + a.expired, 0);
    small_metric(&s, "tokens", "", VARVE_COUNTER); /* a name and no point is nothing yet */
    MUST(varve_append(s.db, s.batch, NULL, &test_err));
    assert_int_equal(small_stats(&s).journal_rows, 0);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    MUST(varve_compact(s.db, NULL, &test_err));
    small_close(&s);
    small_verify(&s);
    small_open(&s, 0);
    small_remove(&s);
}

static void test_batch_again(void **state)
{
    (void)state;
    struct small s, other;
    struct varve_appended a;
    small_make(&s);
    small_make(&other);
    small_delta(&s, "tokens", "", "user=a", T0, varve_int(5));
    MUST(varve_append(s.db, s.batch, &a, &test_err));
    assert_int_equal(a.points, 1);
    small_delta(&s, "tokens", "", "user=a", T0 + 1, varve_int(6)); /* it is not cleared by itself */
    MUST(varve_append(s.db, s.batch, &a, &test_err));
    assert_true(a.points == 1 && a.duplicates == 1);
    REFUSED(VARVE_MISUSE, "not of this store", varve_append(other.db, s.batch, &a, &test_err));
    REFUSED(VARVE_MISUSE, "not of this store", varve_append(s.db, NULL, &a, &test_err));
    varve_batch_clear(s.batch);
    REFUSED(VARVE_MISUSE, "not of this batch",
            varve_batch_counter(s.batch, 0, 0, VARVE_DELTA, 0, T0, varve_int(1), &test_err));
    small_delta(&s, "tokens", "", "user=b", T0, varve_int(7));
    assert_int_equal(small_append(&s).points, 1);
    assert_int_equal(small_increase(&s, "tokens", 0, INT64_MAX), 18);
    small_remove(&other);
    small_remove(&s);
}

static void test_metric_refused(void **state)
{
    (void)state;
    struct small s;
    uint32_t id = 99;
    char longer[300];
    struct varve_metric m = {varve_str("m"), varve_str(""), VARVE_COUNTER};
    small_make(&s);
    memset(longer, 'n', sizeof longer);
    m.name = varve_str("");
    REFUSED(VARVE_INVALID, "metric", varve_batch_metric(s.batch, &m, &id, &test_err));
    m.name = (struct varve_str){longer, 257};
    REFUSED(VARVE_INVALID, "257", varve_batch_metric(s.batch, &m, &id, &test_err));
    m.name = varve_str("\xc3(");
    REFUSED(VARVE_INVALID, "UTF-8", varve_batch_metric(s.batch, &m, &id, &test_err));
    m.name = varve_str("m");
    m.unit = (struct varve_str){longer, 257};
    REFUSED(VARVE_INVALID, "unit", varve_batch_metric(s.batch, &m, &id, &test_err));
    m.unit = varve_str("");
    m.kind = (enum varve_kind)0;
    REFUSED(VARVE_INVALID, "kind", varve_batch_metric(s.batch, &m, &id, &test_err));
    assert_int_equal(id, 99);
    m.kind = VARVE_COUNTER;
    MUST(varve_batch_metric(s.batch, &m, &id, &test_err));
    uint32_t again = 98;
    m.unit = varve_str("tokens"); /* a unit may come later */
    MUST(varve_batch_metric(s.batch, &m, &again, &test_err));
    assert_int_equal(id, again);
    m.kind = VARVE_GAUGE;
    REFUSED(VARVE_INVALID, "metric", varve_batch_metric(s.batch, &m, &again, &test_err));
    m.name = (struct varve_str){longer, 256};
    MUST(varve_batch_metric(s.batch, &m, &again, &test_err));
    small_remove(&s);
}

static void test_labels_refused(void **state)
{
    (void)state;
    struct small s;
    uint32_t set = 99;
    static char text[5000], keys[200][16];
    struct varve_label many[200], l = {varve_str("k"), varve_str("v")};
    struct varve_label twice[] = {{varve_str("k"), varve_str("1")},
                                  {varve_str("k"), varve_str("2")}};
    small_make(&s);
    memset(text, 'v', sizeof text);
    REFUSED(VARVE_MISUSE, "not of this batch",
            varve_batch_labels(s.batch, 9, &l, 1, &set, &test_err));
    REFUSED(VARVE_INVALID, "twice", varve_batch_labels(s.batch, 0, twice, 2, &set, &test_err));
    l.key = varve_str("");
    REFUSED(VARVE_INVALID, "label", varve_batch_labels(s.batch, 0, &l, 1, &set, &test_err));
    l.key = varve_str("\xff");
    REFUSED(VARVE_INVALID, "UTF-8", varve_batch_labels(s.batch, 0, &l, 1, &set, &test_err));
    l = (struct varve_label){varve_str("k"), varve_str("\xe2\x82")};
    REFUSED(VARVE_INVALID, "'k'", varve_batch_labels(s.batch, 0, &l, 1, &set, &test_err));
    l.value = (struct varve_str){text, 4097};
    REFUSED(VARVE_LIMIT, "4097", varve_batch_labels(s.batch, 0, &l, 1, &set, &test_err));
    l.value.size = 4096;
    MUST(varve_batch_labels(s.batch, 0, &l, 1, &set, &test_err));
    for (int i = 0; i < 200; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        many[i] = (struct varve_label){varve_str(keys[i]), varve_str("v")};
    }
    REFUSED(VARVE_LIMIT, "128", varve_batch_labels(s.batch, 0, many, 129, &set, &test_err));
    MUST(varve_batch_labels(s.batch, 0, many, 128, &set, &test_err));
    uint32_t same = set;
    MUST(varve_batch_labels(s.batch, set, many, 128, &same, &test_err)); /* the same ones replace */
    assert_int_equal(same, set);
    REFUSED(VARVE_LIMIT, "128", varve_batch_labels(s.batch, set, many + 128, 1, &same, &test_err));
    small_remove(&s);
}

static void test_points_refused(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    varve_batch *b = s.batch;
    uint32_t c = small_metric(&s, "c", "", VARVE_COUNTER),
             g = small_metric(&s, "g", "", VARVE_GAUGE);
    uint32_t usd = small_metric(&s, "usd", "USD", VARVE_COUNTER);
    const struct varve_value one = varve_int(1), text = varve_text(varve_str("1"));
    const enum varve_temporality delta = VARVE_DELTA, odd = (enum varve_temporality)3;
    struct varve_err *e = &test_err;
    REFUSED(VARVE_MISUSE, "metric 9", varve_batch_counter(b, 9, 0, delta, 0, T0, one, e));
    REFUSED(VARVE_MISUSE, "set 5", varve_batch_counter(b, c, 5, delta, 0, T0, one, e));
    REFUSED(VARVE_INVALID, "delta or", varve_batch_counter(b, c, 0, odd, 0, T0, one, e));
    REFUSED(VARVE_INVALID, "finite",
            varve_batch_counter(b, c, 0, delta, 0, T0, varve_float((double)NAN), e));
    REFUSED(VARVE_INVALID, "finite",
            varve_batch_gauge(b, g, 0, T0, varve_float(-(double)INFINITY), e));
    REFUSED(VARVE_INVALID, "negative",
            varve_batch_counter(b, c, 0, delta, 0, T0, varve_int(-1), e));
    REFUSED(VARVE_INVALID, "negative",
            varve_batch_counter(b, c, 0, VARVE_CUMULATIVE, T0, T0, varve_float(-1e-300), e));
    REFUSED(VARVE_INVALID, "number", varve_batch_counter(b, c, 0, delta, 0, T0, text, e));
    REFUSED(VARVE_INVALID, "number", varve_batch_gauge(b, g, 0, T0, varve_bool(1), e));
    REFUSED(VARVE_INVALID, "start", varve_batch_counter(b, c, 0, delta, T0 + 1, T0, one, e));
    REFUSED(VARVE_INVALID, "start", varve_batch_counter(b, c, 0, delta, 5, T0, one, e));
    REFUSED(VARVE_INVALID, "time", varve_batch_counter(b, c, 0, delta, 0, 5, one, e));
    REFUSED(VARVE_INVALID, "time", varve_batch_gauge(b, g, 0, INT64_MAX, one, e));
    REFUSED(VARVE_INVALID, "gauge", varve_batch_counter(b, g, 0, delta, 0, T0, one, e));
    REFUSED(VARVE_INVALID, "counter", varve_batch_gauge(b, c, 0, T0, one, e));
    REFUSED(VARVE_INVALID, "fit",
            varve_batch_counter(b, usd, 0, delta, 0, T0, varve_float(9.3e9), e));
    REFUSED(VARVE_INVALID, "fit",
            varve_batch_counter(b, usd, 0, delta, 0, T0, varve_int(INT64_MAX), e));
    MUST(varve_batch_counter(b, c, 0, delta, T0, T0, one, e));
    MUST(varve_batch_counter(b, c, 0, delta, 0, T0, varve_int(2), e));
    MUST(varve_batch_gauge(b, g, 0, T0, varve_float(-1e-300), e));
    struct varve_appended a = small_append(&s); /* what was refused left nothing behind */
    assert_true(a.points == 3 && a.duplicates == 0);
    small_remove(&s);
}

static void test_events_refused(void **state)
{
    (void)state;
    struct small s;
    static char text[(1 << 20) + 1];
    struct varve_field f[] = {{varve_str("a"), varve_int(1)}, {varve_str("a"), varve_int(2)}};
    struct varve_str t = varve_str("events");
    struct varve_err *e = &test_err;
    small_make(&s);
    memset(text, 'x', sizeof text);
    REFUSED(VARVE_INVALID, "table", varve_batch_event(s.batch, varve_str(""), T0, f, 1, e));
    REFUSED(VARVE_INVALID, "table", varve_batch_event(s.batch, varve_str("\x80"), T0, f, 1, e));
    REFUSED(VARVE_INVALID, "time", varve_batch_event(s.batch, t, 0, f, 1, e));
    REFUSED(VARVE_INVALID, "\"a\" is given twice", varve_batch_event(s.batch, t, T0, f, 2, e));
    f[1].value = (struct varve_value){VARVE_NULL, {0}};
    MUST(varve_batch_event(s.batch, t, T0, f, 2, e)); /* nothing twice is once */
    f[0].name = varve_str("");
    REFUSED(VARVE_INVALID, "field 1", varve_batch_event(s.batch, t, T0, f, 1, e));
    f[0] = (struct varve_field){varve_str("b"), varve_text(varve_str("\xf0\x9f"))};
    REFUSED(VARVE_INVALID, "\"b\"", varve_batch_event(s.batch, t, T0, f, 1, e));
    f[0].value.as.s = (struct varve_str){text, sizeof text};
    REFUSED(VARVE_LIMIT, "1048577", varve_batch_event(s.batch, t, T0, f, 1, e));
    f[0].value.type = (enum varve_type)9;
    REFUSED(VARVE_INVALID, "type 9", varve_batch_event(s.batch, t, T0, f, 1, e));
    f[0].value = varve_float((double)NAN);
    MUST(varve_batch_event(s.batch, t, T0, f, 1, e)); /* an event may say anything */
    assert_int_equal(small_append(&s).events, 2);
    small_remove(&s);
}

/* ---- numbers ------------------------------------------------------------ */

/* Amounts of money sent as one batch each; their sum in nanos. */
static int64_t money(struct small *s, const double *amounts, size_t count)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "money%d", number++);
    for (size_t i = 0; i < count; i++)
        small_delta(s, name, "USD", "", T0 + (int64_t)i, varve_float(amounts[i]));
    small_append(s);
    return small_increase(s, name, 0, INT64_MAX);
}

static int64_t one_amount(struct small *s, double amount)
{
    return money(s, &amount, 1);
}

static void test_money(void **state)
{
    (void)state;
    struct small s;
    const double tenths[] = {0.1, 0.2};
    small_make(&s);
    assert_int_equal(money(&s, tenths, 2), 300000000);
    assert_int_equal(one_amount(&s, 0.1 + 0.2), 300000000);
    assert_int_equal(one_amount(&s, 0.018472600000000002), 18472600);
    assert_int_equal(one_amount(&s, 0.0184726), 18472600);
    assert_int_equal(one_amount(&s, 0x1p-10), 976562);  /* 976562.5: a true half goes to even */
    assert_int_equal(one_amount(&s, 0x3p-10), 2929688); /* 2929687.5 */
    assert_int_equal(one_amount(&s, nextafter(0x1p-10, 1)), 976563);
    assert_int_equal(one_amount(&s, nextafter(0x3p-10, 0)), 2929687);
    assert_int_equal(one_amount(&s, 0.0), 0);
    assert_int_equal(one_amount(&s, DBL_MIN), 0);
    assert_int_equal(one_amount(&s, 9.1e9), INT64_C(9100000000000000000));
    small_remove(&s);
}

/* Every double is rounded as the model does in integers: the nearest, a half to even. */
static void test_money_random(void **state)
{
    (void)state;
    struct small s;
    enum { COUNT = 20000 };
    struct prng prng = prng_start(77);
    struct ask ask = {.source = "money", .until = INT64_MAX};
    struct row_answer *rows;
    static double sent[COUNT];
    small_make(&s);
    for (int i = 0; i < COUNT; i++) {
        double v = (double)(prng_next(&prng) >> (32 + prng_below(&prng, 32)));
        v += 0.5 * (double)prng_below(&prng, 2);
        sent[i] = v / 1e9;
        if (prng_below(&prng, 3) == 0)
            sent[i] = (double)(prng_below(&prng, 1 << 22) * 2 + 1) / 1024;
        uint64_t steps = prng_below(&prng, 3);
        while (steps-- > 0)
            sent[i] = nextafter(sent[i], prng_below(&prng, 2) ? 1e10 : 0);
        small_delta(&s, "money", "EUR", "", T0 + i, varve_float(sent[i]));
    }
    small_append(&s);
    MUST(varve_snapshot_open(s.db, &ask.snapshot, &test_err));
    assert_int_equal(ask_rows(&ask, &rows), COUNT);
    for (int i = 0; i < COUNT; i++)
        if (rows[i].value.whole != nanos_of_double(sent[i]))
            fail_msg("%a is %lld nanos, should be %lld", sent[i], (long long)rows[i].value.whole,
                     (long long)nanos_of_double(sent[i]));
    varve_snapshot_close(ask.snapshot);
    free(rows);
    small_remove(&s);
}

/* One row of a metric as it comes out. */
static struct varve_value out_again(struct small *s, const char *metric, int *scale)
{
    varve_snapshot *snapshot;
    varve_scan *scan;
    struct varve_rows rows;
    struct varve_query query = {.source = varve_str(metric), .until = INT64_MAX};
    MUST(varve_snapshot_open(s->db, &snapshot, &test_err));
    MUST(varve_scan_open(snapshot, &query, &scan, &test_err));
    MUST(varve_scan_rows(scan, &rows, &test_err));
    assert_int_equal(rows.rows, 1);
    struct varve_value v = rows.ints ? varve_int(rows.ints[0]) : varve_float(rows.floats[0]);
    *scale = rows.scale;
    varve_scan_close(scan);
    varve_snapshot_close(snapshot);
    return v;
}

static void test_number_forms(void **state)
{
    (void)state;
    const struct {
        const char *unit;
        enum varve_kind kind;
        struct varve_value in, out;
        int scale;
    } cases[] = {
        {"", VARVE_COUNTER, varve_float(3), varve_int(3), 0},
        {"", VARVE_COUNTER, varve_float(0.1), varve_float(0.1), 0},
        {"", VARVE_COUNTER, varve_int(INT64_MAX), varve_int(INT64_MAX), 0},
        {"", VARVE_COUNTER, varve_float(9007199254740992.0), varve_int(9007199254740992), 0},
        {"", VARVE_COUNTER, varve_float(1e300), varve_float(1e300), 0},
        {"", VARVE_COUNTER, varve_float(5e-324), varve_float(5e-324), 0},
        {"", VARVE_GAUGE, varve_float(-0.0), varve_float(-0.0), 0},
        {"", VARVE_GAUGE, varve_int(INT64_MIN), varve_int(INT64_MIN), 0},
        {"usd", VARVE_COUNTER, varve_float(0.25), varve_float(0.25), 0}, /* no currency */
        {"GBP", VARVE_GAUGE, varve_float(-0.25), varve_int(-250000000), 9},
        {"USD", VARVE_COUNTER, varve_int(3), varve_int(3000000000), 9},
        {"s", VARVE_COUNTER, varve_float(1.5), varve_int(1500000000), 9},
        {"s", VARVE_GAUGE, varve_float(1.5), varve_float(1.5), 0},
        {"ms", VARVE_COUNTER, varve_float(1.5), varve_float(1.5), 0},
    };
    struct small s;
    small_make(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[16];
        int scale;
        snprintf(name, sizeof name, "n%zu", i);
        uint32_t id = small_metric(&s, name, cases[i].unit, cases[i].kind);
        if (cases[i].kind == VARVE_GAUGE)
            MUST(varve_batch_gauge(s.batch, id, 0, T0, cases[i].in, &test_err));
        else
            MUST(varve_batch_counter(s.batch, id, 0, VARVE_DELTA, 0, T0, cases[i].in, &test_err));
        small_append(&s);
        struct varve_value out = out_again(&s, name, &scale);
        assert_int_equal(out.type, cases[i].out.type);
        assert_memory_equal(&out.as, &cases[i].out.as, 8);
        assert_int_equal(scale, cases[i].scale);
    }
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_open_refused),
        cmocka_unit_test(test_open_twice),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_newer_format),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_read_only_directory),
        cmocka_unit_test(test_null_handles),
        cmocka_unit_test(test_null_batch),
        cmocka_unit_test(test_fork_misuse),
        cmocka_unit_test(test_empty_batch),
        cmocka_unit_test(test_batch_again),
        cmocka_unit_test(test_metric_refused),
        cmocka_unit_test(test_labels_refused),
        cmocka_unit_test(test_points_refused),
        cmocka_unit_test(test_events_refused),
        cmocka_unit_test(test_money),
        cmocka_unit_test(test_money_random),
        cmocka_unit_test(test_number_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
