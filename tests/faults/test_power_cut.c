/* SPDX-License-Identifier: Apache-2.0
 *
 * test_power_cut.c -- the simulated power cut, tested by what is known to hold and not to hold.
 *
 * Plain LMDB in its default mode must come through every state with all it had
 * acknowledged; LMDB without syncing, and the same log with the syncs ignored, must be found
 * damaged.  A tester that cannot fail proves nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/unit.h"
#include "files.h"
#include "io_hook.h"
#include "lmdb_toy.h"
#include "power_disk.h"
#include "power_record.h"
#include "power_replay.h"

static char root[FILES_PATH], db[FILES_PATH + 8], log_path[FILES_PATH + 8];

static int make_root(void **state)
{
    (void)state;
    files_temp(root, "power-cut");
    snprintf(db, sizeof db, "%s/db", root);
    snprintf(log_path, sizeof log_path, "%s/log", root);
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    files_remove(root);
    return 0;
}

/* ---- LMDB ------------------------------------------------------------------------ */

/* 40 batches; the first is there when recording starts, since LMDB never syncs the directory. */
static void record_lmdb(unsigned flags)
{
    MDB_env *env;
    files_remove(db);
    assert_int_equal(mkdir(db, 0700), 0);
    assert_int_equal(toy_open(db, flags, &env), 0);
    assert_int_equal(toy_commit(env, 1), 0);
    power_record_start(db, log_path);
    for (uint64_t batch = 2; batch <= 40; batch++) {
        assert_int_equal(toy_commit(env, batch), 0);
        power_mark(batch);
    }
    power_record_stop();
    mdb_env_close(env);
}

static enum power_verdict
check_lmdb(void *context, const char *directory, uint64_t acked, char text[GUARD_TEXT])
{
    uint64_t last = 0;
    (void)context;
    if (toy_check(directory, &last, text) != 0)
        return POWER_CORRUPT;
    if (last >= acked)
        return POWER_OK;
    snprintf(text, GUARD_TEXT, "at batch %d, but %d was acknowledged", (int)last, (int)acked);
    return POWER_LOST;
}

static struct power_result replay(const char *label, const struct power_options *options)
{
    struct power_result result;
    if (power_replay(log_path, options, check_lmdb, NULL, &result) != 0)
        fail_msg("%s", result.text);
    power_print(stdout, label, &result);
    return result;
}

static void test_lmdb_survives(void **state)
{
    (void)state;
    record_lmdb(0);
    struct power_result r =
        replay("# LMDB as it is", &(struct power_options){.states = 120, .seed = 7});
    assert_int_equal(r.states, 120);
    assert_int_equal(r.count[POWER_OK], 120);
}

static void test_ignored_syncs_are_found(void **state)
{
    (void)state;
    struct power_options options = {.states = 40, .seed = 7, .ignore_syncs = true};
    record_lmdb(0);
    struct power_result r = replay("# LMDB, syncs ignored", &options);
    assert_true(r.count[POWER_CORRUPT] + r.count[POWER_LOST] > 12);
    /* The same state again, alone. */
    options.only_one = true;
    options.only = r.first_bad;
    struct power_result again = replay("# its first bad state", &options);
    assert_int_equal(again.states, 1);
    assert_int_equal(again.count[POWER_OK], 0);
    assert_string_equal(again.text, r.text);
}

static void test_nosync_is_found(void **state)
{
    (void)state;
    record_lmdb(MDB_NOSYNC);
    struct power_result r =
        replay("# LMDB, MDB_NOSYNC", &(struct power_options){.states = 40, .seed = 7});
    assert_true(r.count[POWER_CORRUPT] > 5);
    record_lmdb(MDB_NOMETASYNC);
    r = replay("# LMDB, MDB_NOMETASYNC", &(struct power_options){.states = 40, .seed = 7});
    assert_int_equal(r.count[POWER_CORRUPT], 0);
    assert_true(r.count[POWER_LOST] > 3);
}

/* ---- files and names ------------------------------------------------------------- */

/* What a state holds, as a text: "a=11122 b=.." in the order of names. */
static void describe(const char *directory, char text[GUARD_TEXT])
{
    struct files_list list = files_list(directory);
    size_t n = 0;
    text[0] = 0;
    for (size_t i = 0; i < list.count; i++) {
        char path[FILES_PATH + 40];
        size_t size;
        snprintf(path, sizeof path, "%s/%s", directory, list.names[i]);
        uint8_t *bytes = files_read(path, &size);
        n += (size_t)snprintf(text + n, GUARD_TEXT - n, "%s=", list.names[i]);
        for (size_t k = 0; k < size; k += 4096)
            n += (size_t)snprintf(text + n, GUARD_TEXT - n, "%c", bytes[k] ? bytes[k] : '0');
        n += (size_t)snprintf(text + n, GUARD_TEXT - n, " ");
        free(bytes);
    }
    files_list_free(&list);
}

enum { MOST_STATES = 64 };

struct seen {
    char states[MOST_STATES][GUARD_TEXT];
    int count;
};

static bool has(const struct seen *seen, const char *text)
{
    for (int i = 0; i < seen->count; i++)
        if (strcmp(seen->states[i], text) == 0)
            return true;
    return false;
}

/* All states the disk may be in when all of the log has happened. */
static struct seen all_states(void)
{
    struct seen seen = {.count = 0};
    size_t size;
    char directory[FILES_PATH + 16];
    uint8_t *bytes = files_read(log_path, &size);
    struct power_disk *disk = power_disk_new(false, false);
    for (size_t at = 0; at < size;) {
        const struct power_entry *entry = (const void *)(bytes + at);
        assert_null(power_disk_do(disk, entry));
        at += sizeof *entry + entry->bytes;
    }
    snprintf(directory, sizeof directory, "%s/state", root);
    for (uint64_t seed = 0; seed < 600; seed++) {
        char text[GUARD_TEXT];
        power_disk_crash(disk, seed, directory);
        describe(directory, text);
        files_remove(directory);
        if (!has(&seen, text)) {
            assert_true(seen.count < MOST_STATES);
            strcpy(seen.states[seen.count++], text);
        }
    }
    power_disk_free(disk);
    free(bytes);
    return seen;
}

static void start_empty(void)
{
    files_remove(db);
    assert_int_equal(mkdir(db, 0700), 0);
    power_record_start(db, log_path);
}

static const char *in_db(const char *name)
{
    static char paths[4][FILES_PATH + 40];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", db, name);
    return path;
}

static void fill(int fd, char c, int page, int pages)
{
    char bytes[3 * 4096];
    memset(bytes, c, sizeof bytes);
    assert_int_equal(pwrite(fd, bytes, (size_t)pages * 4096, page * 4096L), pages * 4096);
}

static void sync_db(void)
{
    int fd = open(db, O_RDONLY | O_DIRECTORY);
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

static void test_blocks(void **state)
{
    (void)state;
    start_empty();
    int fd = open(in_db("a"), O_RDWR | O_CREAT, 0600);
    sync_db();
    fill(fd, '1', 0, 3);
    assert_int_equal(fdatasync(fd), 0);
    fill(fd, '2', 0, 2);
    fill(fd, '3', 1, 2);
    close(fd);
    power_record_stop();
    struct seen seen = all_states();
    /* Block 0 is 1 or 2, block 1 is 1, 2 or 3, block 2 is 1 or 3, and never anything else. */
    assert_int_equal(seen.count, 12);
    assert_true(has(&seen, "a=111 ") && has(&seen, "a=233 ") && has(&seen, "a=121 "));
    assert_false(has(&seen, "a=311 "));
}

static void test_durable_writes(void **state)
{
    (void)state;
    start_empty();
    int fd = open(in_db("a"), O_RDWR | O_CREAT, 0600);
    int durable = open(in_db("a"), O_WRONLY | O_DSYNC);
    sync_db();
    fill(fd, '1', 0, 2);
    fill(durable, '2', 0, 1);
    fill(fd, '3', 0, 1);
    close(fd);
    close(durable);
    power_record_stop();
    struct seen seen = all_states();
    assert_true(has(&seen, "a=2 ") && has(&seen, "a=21 ") && has(&seen, "a=3 "));
    for (int i = 0; i < seen.count; i++)
        assert_true(seen.states[i][2] == '2' || seen.states[i][2] == '3');
}

/* The usual way to replace a file, without the sync of its bytes, and with it. */
static void replace(bool sync_bytes, bool sync_name)
{
    start_empty();
    int fd = open(in_db("a"), O_RDWR | O_CREAT, 0600);
    fill(fd, '1', 0, 1);
    fsync(fd);
    close(fd);
    sync_db();
    fd = open(in_db("b"), O_RDWR | O_CREAT, 0600);
    fill(fd, '2', 0, 1);
    if (sync_bytes)
        fsync(fd);
    close(fd);
    assert_int_equal(rename(in_db("b"), in_db("a")), 0);
    if (sync_name)
        sync_db();
    power_record_stop();
}

static void test_names(void **state)
{
    (void)state;
    replace(false, false);
    struct seen seen = all_states();
    assert_true(has(&seen, "a=1 ") && has(&seen, "a=2 ") && has(&seen, "a= "));
    assert_true(has(&seen, "a=1 b=2 ") && has(&seen, "a=1 b= "));
    replace(true, false);
    seen = all_states();
    assert_int_equal(seen.count, 3);
    assert_true(has(&seen, "a=1 ") && has(&seen, "a=2 ") && has(&seen, "a=1 b=2 "));
    replace(true, true);
    seen = all_states();
    assert_int_equal(seen.count, 1);
    assert_true(has(&seen, "a=2 "));
}

static void test_directories_and_removal(void **state)
{
    (void)state;
    start_empty();
    assert_int_equal(mkdir(in_db("d"), 0700), 0);
    int fd = open(in_db("d/x"), O_RDWR | O_CREAT, 0600);
    fill(fd, '1', 0, 1);
    fsync(fd);
    close(fd);
    sync_db();
    power_record_stop();
    struct seen seen = all_states();
    assert_int_equal(seen.count, 2); /* d is there, d/x was never synced as a name */
    assert_true(has(&seen, "") && has(&seen, "d/x=1 "));
    power_record_start(db, log_path);
    assert_int_equal(link(in_db("d/x"), in_db("y")), 0);
    assert_int_equal(unlink(in_db("d/x")), 0);
    sync_db();
    power_record_stop();
    seen = all_states();
    assert_int_equal(seen.count, 2);
    assert_true(has(&seen, "d/x=1 y=1 ") && has(&seen, "y=1 "));
}

static void test_growing_and_shrinking(void **state)
{
    (void)state;
    start_empty();
    int fd = open(in_db("a"), O_RDWR | O_CREAT, 0600);
    sync_db();
    fill(fd, '1', 0, 2);
    fsync(fd);
    assert_int_equal(ftruncate(fd, 4096), 0);
    close(fd);
    power_record_stop();
    struct seen seen = all_states();
    assert_int_equal(seen.count, 2);
    assert_true(has(&seen, "a=11 ") && has(&seen, "a=1 "));
    power_record_start(db, log_path);
    fd = open(in_db("a"), O_RDWR);
    fill(fd, '2', 1, 1);
    close(fd);
    power_record_stop();
    seen = all_states();
    assert_true(has(&seen, "a=1 ") && has(&seen, "a=12 ") && has(&seen, "a=10 "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_durable_writes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_directories_and_removal),
        cmocka_unit_test(test_growing_and_shrinking),
        cmocka_unit_test(test_lmdb_survives),
        cmocka_unit_test(test_ignored_syncs_are_found),
        cmocka_unit_test(test_nosync_is_found),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
