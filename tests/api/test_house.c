/* SPDX-License-Identifier: Apache-2.0
 *
 * test_house.c -- keeping house: seal, compact, forget, back up, verify, figures.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "small.h"
#include "store/lockfile.h"

/* A number of points at one time: "tokens" of that many users. */
static void put_users(struct small *s, int64_t end, int users, int64_t value)
{
    for (int i = 0; i < users; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "user=u%d", i);
        small_delta(s, "tokens", "", labels, end, varve_int(value));
    }
}

static int count_months(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *e; (e = readdir(directory));)
        count += strncmp(e->d_name, "seg-", 4) == 0 && !strstr(e->d_name, "lock");
    closedir(directory);
    return count;
}

/* ---- sealing ------------------------------------------------------------- */

static void test_seal(void **state)
{
    (void)state;
    struct small s;
    struct varve_sealed sealed;
    small_make(&s);
    MUST(varve_seal(s.db, INT64_MAX, &sealed, &test_err));
    assert_int_equal(sealed.days + sealed.rows + sealed.bytes, 0);
    put_users(&s, T0 + HOUR, 3, 1);
    put_users(&s, T0 + DAY, 3, 10);
    put_users(&s, T0 + 30 * DAY, 3, 100);
    struct varve_field field = {varve_str("ok"), varve_bool(1)};
    MUST(varve_batch_event(s.batch, varve_str("e"), T0 + HOUR, &field, 1, &test_err));
    small_append(&s);
    assert_int_equal(small_stats(&s).journal_rows, 10);
    MUST(varve_seal(s.db, T0 + DAY - 1, &sealed, &test_err)); /* the day has not ended by then */
    assert_int_equal(sealed.rows, 0);
    MUST(varve_seal(s.db, T0 + DAY, &sealed, &test_err));
    assert_true(sealed.days == 1 && sealed.rows == 4 && sealed.bytes > 0);
    assert_int_equal(small_stats(&s).journal_rows, 6);
    MUST(varve_seal(s.db, T0 + 30 * DAY + HOUR, &sealed, &test_err));
    assert_true(sealed.days == 1 && sealed.rows == 3);
    MUST(varve_seal(s.db, INT64_MAX, &sealed, &test_err));
    assert_true(sealed.days == 1 && sealed.rows == 3);
    struct varve_stats stats = small_stats(&s);
    assert_true(stats.points == 9 && stats.events == 1 && stats.journal_rows == 0);
    assert_true(stats.days == 3 && stats.segments == 4 && stats.files == 3);
    assert_true(stats.oldest == T0 + HOUR && stats.newest == T0 + 30 * DAY);
    assert_int_equal(count_months(s.path), 2);
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), 333);
    small_close(&s);
    small_verify(&s);
    small_open(&s, 0);
    small_remove(&s);
}

static void test_house_is_locked(void **state)
{
    (void)state;
    struct small s;
    struct lock house;
    small_make(&s);
    put_users(&s, T0, 1, 1);
    small_append(&s);
    MUST(lock_house(&house, s.path, &test_err));
    REFUSED(VARVE_BUSY, "sealed", varve_seal(s.db, INT64_MAX, NULL, &test_err));
    REFUSED(VARVE_BUSY, "sealed", varve_compact(s.db, NULL, &test_err));
    REFUSED(VARVE_BUSY, "sealed", varve_retain(s.db, T0, NULL, &test_err));
    put_users(&s, T0 + 1, 1, 1); /* readers and writers go on */
    small_append(&s);
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), 2);
    lock_release(&house);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    small_remove(&s);
}

/* L6: a late point rebuilds its day, and nothing else. */
static void test_late_days(void **state)
{
    (void)state;
    struct small s;
    struct varve_sealed sealed;
    small_make(&s);
    for (int day = 0; day < 20; day++)
        put_users(&s, T0 + day * DAY + HOUR, 5, day + 1);
    small_append(&s);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    put_users(&s, T0 + 3 * DAY + 2 * HOUR, 2, 1000);
    put_users(&s, T0 + 3 * DAY + HOUR, 5, 4); /* known */
    struct varve_appended a = small_append(&s);
    assert_true(a.points == 2 && a.duplicates == 5);
    MUST(varve_seal(s.db, INT64_MAX, &sealed, &test_err));
    assert_true(sealed.days == 1 && sealed.rows == 2);
    for (int day = 0; day < 20; day++)
        assert_int_equal(small_increase(&s, "tokens", T0 + day * DAY, T0 + (day + 1) * DAY),
                         5 * (day + 1) + (day == 3 ? 2000 : 0));
    small_remove(&s);
}

/* Names and what they mean: the first description is kept, wherever the rows are by now. */
static void test_kinds_must_agree(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct small s;
        struct varve_appended a;
        small_make(&s);
        small_delta(&s, "m", "", "", T0, varve_int(1));
        small_append(&s);
        if (sealed)
            MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
        uint32_t gauge = small_metric(&s, "m", "", VARVE_GAUGE);
        MUST(varve_batch_gauge(s.batch, gauge, 0, T0, varve_int(5), &test_err));
        REFUSED(VARVE_INVALID, "kind", varve_append(s.db, s.batch, &a, &test_err));
        varve_batch_clear(s.batch);
        small_delta(&s, "m", "USD", "", T0 + 1, varve_int(1)); /* another scale */
        REFUSED(VARVE_INVALID, "m", varve_append(s.db, s.batch, &a, &test_err));
        varve_batch_clear(s.batch);
        small_delta(&s, "m", "tokens", "", T0 + 1, varve_int(1)); /* a unit where there was none */
        small_append(&s);
        MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
        assert_int_equal(small_increase(&s, "m", T0, INT64_MAX), 2);
        small_close(&s);
        small_verify(&s);
        small_open(&s, 0);
        small_remove(&s);
    }
}

struct sender {
    pthread_t thread;
    struct small *small;
    int number, good, bad;
};

/* Every third batch of a sender is one that the store must refuse. */
static void *send_some(void *context)
{
    struct sender *sender = context;
    for (int i = 0; i < 60; i++) {
        struct small s = *sender->small;
        struct varve_err err;
        MUST(varve_batch_new(s.db, &s.batch, &test_err));
        if (i % 3 == 0) {
            uint32_t id = small_metric(&s, "tokens", "", VARVE_GAUGE);
            MUST(varve_batch_gauge(s.batch, id, 0, T0 + i, varve_int(1), &test_err));
        } else {
            small_delta(&s, "tokens", "", sender->number % 2 ? "user=a" : "user=b",
                        T0 + sender->number * SECOND + i, varve_int(1));
        }
        enum varve_status status = varve_append(s.db, s.batch, NULL, &err);
        sender->good += status == VARVE_OK;
        sender->bad += status == VARVE_INVALID;
        varve_batch_free(s.batch);
    }
    return NULL;
}

/* Appends share commits, but a bad batch is its sender's matter alone. */
static void test_bad_neighbour(void **state)
{
    (void)state;
    struct small s;
    struct sender senders[6];
    small_make(&s);
    put_users(&s, T0, 1, 1);
    small_append(&s);
    for (int i = 0; i < 6; i++) {
        senders[i] = (struct sender){.small = &s, .number = i};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_some, &senders[i]), 0);
    }
    for (int i = 0; i < 6; i++)
        pthread_join(senders[i].thread, NULL);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(senders[i].good, 40);
        assert_int_equal(senders[i].bad, 20);
    }
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), 241);
    small_remove(&s);
}

/* ---- compacting ----------------------------------------------------------- */

static void test_compact(void **state)
{
    (void)state;
    struct small s;
    struct varve_compacted c;
    int64_t sum = 0;
    small_make(&s);
    for (int round = 0; round < 12; round++) { /* one day, built anew again and again */
        put_users(&s, T0 + round * SECOND, 2000, round);
        small_append(&s);
        sum += 2000 * round;
        MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    }
    MUST(varve_compact(s.db, &c, &test_err));
    assert_int_equal(c.main_skipped, 0);
    assert_true(c.bytes_after < c.bytes_before);
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), sum);
    uint64_t smallest = c.bytes_after;
    MUST(varve_compact(s.db, &c, &test_err)); /* nothing to do */
    assert_true(c.bytes_after <= smallest + 4096 * 4);
    put_users(&s, T0 + HOUR, 1, 1); /* main.mdb has been replaced: writing goes on in the new one */
    small_append(&s);
    small_close(&s);
    small_verify(&s);
    small_open(&s, 0);
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), sum + 1);
    small_remove(&s);
}

/* ---- forgetting ----------------------------------------------------------- */

static void test_retain(void **state)
{
    (void)state;
    struct small s;
    struct varve_retained r;
    varve_snapshot *before;
    small_make(&s);
    for (int day = 0; day < 40; day++)
        put_users(&s, T0 + day * DAY + HOUR, 2, 1);
    small_append(&s);
    MUST(varve_seal(s.db, T0 + 30 * DAY, NULL, &test_err)); /* some stays in the journal */
    assert_int_equal(count_months(s.path), 2);
    MUST(varve_snapshot_open(s.db, &before, &test_err));
    MUST(varve_retain(s.db, T0 + 20 * DAY + HOUR, &r, &test_err)); /* a day is dropped whole */
    assert_true(r.days == 20 && r.rows == 40);
    assert_int_equal(r.files, 0); /* the snapshot still reads it */
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 40);
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, T0 + 20 * DAY), 0);
    struct ask ask = {.snapshot = before, .source = "tokens", .until = INT64_MAX};
    struct group_answer *groups;
    assert_int_equal(ask_groups(&ask, &groups), 1);
    assert_int_equal((int64_t)groups[0].sum.whole, 80);
    free(groups);
    varve_snapshot_close(before);
    put_users(&s, T0 + 19 * DAY, 2, 1); /* too late */
    put_users(&s, T0 + 20 * DAY, 2, 1);
    struct varve_appended a = small_append(&s);
    assert_true(a.expired == 2 && a.points == 2);
    struct varve_field f = {varve_str("x"), varve_int(1)};
    MUST(varve_batch_event(s.batch, varve_str("e"), T0, &f, 1, &test_err));
    assert_int_equal(small_append(&s).expired, 1);
    MUST(varve_retain(s.db, T0, &r, &test_err)); /* the floor does not sink */
    assert_int_equal(r.days, 0);
    put_users(&s, T0 + 19 * DAY, 2, 1);
    assert_int_equal(small_append(&s).expired, 2);
    MUST(varve_retain(s.db, T0 + 35 * DAY, &r, &test_err)); /* of the journal too */
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 10);
    MUST(varve_compact(s.db, NULL, &test_err));
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 10);
    assert_int_equal(count_months(s.path), 1);
    small_close(&s);
    small_verify(&s);
    small_open(&s, 0);
    assert_int_equal(small_stats(&s).points, 10);
    small_remove(&s);
}

/* A counter that lives longer than what is kept: what was counted before is not counted again. */
static void test_retain_under_a_counter(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct small s;
        small_make(&s);
        small_reading(&s, "c", "", "", T0, T0 + HOUR, varve_int(100));
        small_reading(&s, "c", "", "", T0, T0 + DAY + HOUR, varve_int(150));
        small_append(&s);
        if (sealed)
            MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
        MUST(varve_retain(s.db, T0 + DAY, NULL, &test_err));
        assert_int_equal(small_increase(&s, "c", INT64_MIN, INT64_MAX), 50);
        small_reading(&s, "c", "", "", T0, T0 + 2 * DAY, varve_int(170));
        small_append(&s);
        small_reading(&s, "c", "", "", T0, T0 + 2 * DAY + HOUR, varve_int(175));
        small_append(&s);
        int64_t sum = small_increase(&s, "c", INT64_MIN, INT64_MAX);
        if (sum > 75) /* less may be lost with what is forgotten, more is a lie */
            fail_msg("%lld counted, 75 is all there was", (long long)sum);
        assert_true(sum >= 55);
        small_remove(&s);
    }
}

/* ---- backup ----------------------------------------------------------------- */

static void test_backup(void **state)
{
    (void)state;
    struct small s, copy = {.db = NULL};
    char root[FILES_PATH];
    small_make(&s);
    files_temp(root, "varve-backup");
    put_users(&s, T0, 10, 1);
    small_reading(&s, "c", "", "", T0, T0 + HOUR, varve_int(100));
    small_append(&s);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    put_users(&s, T0 + 40 * DAY, 10, 10);
    small_append(&s);
    REFUSED(VARVE_INVALID, "new directory", varve_backup(s.db, root, &test_err));
    REFUSED(VARVE_INVALID, "path", varve_backup(s.db, "", &test_err));
    REFUSED(VARVE_INVALID, "path", varve_backup(s.db, NULL, &test_err));
    snprintf(copy.path, sizeof copy.path, "%.4000s/none/copy", root);
    REFUSED(VARVE_IO, "none", varve_backup(s.db, copy.path, &test_err));
    snprintf(copy.path, sizeof copy.path, "%.4000s/copy", root);
    MUST(varve_backup(s.db, copy.path, &test_err));
    put_users(&s, T0 + 41 * DAY, 10, 1000); /* goes to the one and not to the other */
    small_append(&s);
    small_verify(&copy);
    small_open(&copy, 0);
    assert_int_equal(small_increase(&copy, "tokens", T0, INT64_MAX), 110);
    small_reading(&copy, "c", "", "", T0, T0 + 2 * HOUR, varve_int(130)); /* it goes on by itself */
    put_users(&copy, T0, 10, 1);
    struct varve_appended a = small_append(&copy);
    assert_true(a.points == 1 && a.duplicates == 10);
    assert_int_equal(small_increase(&copy, "c", T0, INT64_MAX), 130);
    MUST(varve_compact(copy.db, NULL, &test_err));
    small_close(&copy);
    small_verify(&copy);
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), 10110);
    assert_int_equal(small_increase(&s, "c", T0, INT64_MAX), 100);
    files_remove(root);
    small_remove(&s);
}

/* ---- verify ------------------------------------------------------------------ */

struct findings {
    int count;
    char text[1024];
};

static void note(void *context, const struct varve_err *finding)
{
    struct findings *f = context;
    size_t at = strlen(f->text);
    f->count++;
    snprintf(f->text + at, sizeof f->text - at, "%s: %s\n", finding->place, finding->message);
}

static void flip(const char *path, const char *name, size_t offset)
{
    char file[FILES_PATH + 64];
    size_t size;
    snprintf(file, sizeof file, "%s/%s", path, name);
    uint8_t *bytes = files_read(file, &size);
    assert_true(offset < size);
    bytes[offset] ^= 0x10;
    files_write(file, bytes, size);
    free(bytes);
}

/* Where in a file a text stands that is in it once. */
static size_t find_text(const char *path, const char *name, const char *text)
{
    char file[FILES_PATH + 64];
    size_t size, found = 0;
    snprintf(file, sizeof file, "%s/%s", path, name);
    uint8_t *bytes = files_read(file, &size);
    for (size_t i = 0; i + strlen(text) <= size && !found; i++)
        if (memcmp(bytes + i, text, strlen(text)) == 0)
            found = i;
    free(bytes);
    assert_true(found > 0);
    return found;
}

static void test_verify(void **state)
{
    (void)state;
    struct small s;
    struct varve_verified v;
    struct findings f = {0};
    varve *db;
    small_make(&s);
    put_users(&s, T0, 10, 1);
    small_delta(&s, "damaged.metric", "", "", T0, varve_int(1));
    small_append(&s);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    small_delta(&s, "journal.metric", "", "", T0 + DAY, varve_int(1));
    small_append(&s);
    REFUSED(VARVE_BUSY, "open already", varve_verify(s.path, note, &f, &v, &test_err));
    small_close(&s);
    MUST(varve_verify(s.path, note, &f, &v, &test_err));
    assert_true(f.count == 0 && v.findings == 0 && v.files == 2);
    assert_true(v.rows == 12 && v.values > 3 && v.bytes > 100);
    flip(s.path, "seg-2026-09.1.mdb", find_text(s.path, "seg-2026-09.1.mdb", "damaged.metric"));
    REFUSED(VARVE_CORRUPT, "1 finding", varve_verify(s.path, note, &f, &v, &test_err));
    assert_true(f.count == 1 && v.findings == 1);
    assert_non_null(strstr(f.text, "2026-09-14")); /* it is named, and the rest is sound */
    flip(s.path, "main.mdb", find_text(s.path, "main.mdb", "journal.metric"));
    f = (struct findings){0};
    REFUSED(VARVE_CORRUPT, "findings", varve_verify(s.path, note, &f, &v, &test_err));
    assert_true(f.count >= 2);
    assert_non_null(strstr(f.text, "main.mdb"));
    assert_int_equal(varve_verify(s.path, NULL, NULL, NULL, NULL), VARVE_CORRUPT);
    enum varve_status status = varve_open(s.path, NULL, &db, &test_err);
    if (status == VARVE_OK) { /* the damage is met later: then it is named, not answered */
        varve_snapshot *snapshot;
        REFUSED(VARVE_CORRUPT, "main.mdb", varve_snapshot_open(db, &snapshot, &test_err));
        varve_close(db);
    }
    REFUSED(VARVE_NOTFOUND, "none", varve_verify("/tmp/none/none", note, &f, &v, &test_err));
    files_remove(s.path);
}

/* Damage in one month is no hindrance to reading another. */
static void test_damage_is_named(void **state)
{
    (void)state;
    struct small s;
    varve_snapshot *snapshot;
    varve_scan *scan;
    struct varve_rows rows;
    struct varve_query q = {.source = varve_str("tokens"), .until = T0 + DAY};
    small_make(&s);
    put_users(&s, T0, 10, 1);
    put_users(&s, T0 + 30 * DAY, 10, 10);
    small_append(&s);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    small_close(&s);
    flip(s.path, "seg-2026-09.1.mdb", find_text(s.path, "seg-2026-09.1.mdb", "tokens"));
    small_open(&s, 0);
    assert_int_equal(small_increase(&s, "tokens", T0 + 30 * DAY, INT64_MAX), 100);
    MUST(varve_snapshot_open(s.db, &snapshot, &test_err));
    enum varve_status status = varve_scan_open(snapshot, &q, &scan, &test_err);
    if (status == VARVE_OK) {
        status = varve_scan_rows(scan, &rows, &test_err);
        varve_scan_close(scan);
    }
    REFUSED(VARVE_CORRUPT, "2026-09-14", status);
    varve_snapshot_close(snapshot);
    small_remove(&s);
}

/* ---- figures ------------------------------------------------------------------ */

static void test_stats(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    small_reading(&s, "c", "", "", T0, T0 + HOUR, varve_int(100));
    small_reading(&s, "c", "", "", T0, T0 + 2 * HOUR, varve_int(90));
    small_reading(&s, "u", "", "", 0, T0 + HOUR, varve_int(5));
    struct varve_appended a = small_append(&s);
    assert_true(a.points == 2 && a.ambiguous == 1 && a.baselines == 1);
    for (int sealed = 0; sealed < 2; sealed++) {
        struct varve_stats stats = small_stats(&s);
        assert_true(stats.points == 2 && stats.ambiguous == 1 && stats.baselines == 1);
        assert_true(stats.oldest == T0 + HOUR && stats.newest == T0 + 2 * HOUR);
        assert_int_equal(stats.journal_rows, sealed ? 0 : 3);
        assert_int_equal(stats.series, 2);
        MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    }
    small_reading(&s, "c", "", "", T0, T0 + HOUR, varve_int(100)); /* a duplicate is no series */
    small_append(&s);
    assert_int_equal(small_stats(&s).series, 2);
    small_remove(&s);
}

static void test_max_memory(void **state)
{
    (void)state;
    struct small s;
    const struct varve_options little = {.flags = VARVE_NO_AUTOSEAL, .max_memory = 1 << 20};
    varve_snapshot *snapshot;
    small_make(&s);
    put_users(&s, T0, 20000, 1);
    small_append(&s);
    small_close(&s);
    enum varve_status status = varve_open(s.path, &little, &s.db, &test_err);
    if (status == VARVE_OK) {
        REFUSED(VARVE_NOMEM, "memory", varve_snapshot_open(s.db, &snapshot, &test_err));
        varve_close(s.db);
    } else {
        assert_int_equal(status, VARVE_NOMEM);
    }
    small_open(&s, 0);
    assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), 20000);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seal),
        cmocka_unit_test(test_house_is_locked),
        cmocka_unit_test(test_late_days),
        cmocka_unit_test(test_kinds_must_agree),
        cmocka_unit_test(test_bad_neighbour),
        cmocka_unit_test(test_compact),
        cmocka_unit_test(test_retain),
        cmocka_unit_test(test_retain_under_a_counter),
        cmocka_unit_test(test_backup),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_damage_is_named),
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_max_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
