/* SPDX-License-Identifier: Apache-2.0
 *
 * test_full_disk.c -- a commit of LMDB on a disk that is really full, and after.
 */
#include "full_disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/unit.h"
#include "files.h"
#include "lmdb_toy.h"

/* Fills the disk, sees commits fail, gives the room back, sees them succeed. */
static int cycle(MDB_env *env, const char *directory, char text[GUARD_TEXT])
{
    uint64_t last;
    full_disk_fill(directory, 0);
    int rc = 0;
    for (int i = 0; i < 40 && rc == 0; i++) { /* free pages within the file come first */
        rc = toy_last(env, &last);
        if (rc == 0)
            rc = toy_commit(env, last + 1);
    }
    if (rc == 0) {
        snprintf(text, GUARD_TEXT, "40 commits succeeded on a full disk");
        return 1;
    }
    full_disk_release(directory);
    rc = toy_last(env, &last);
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = toy_commit(env, last + 1 + (uint64_t)i);
    if (rc)
        snprintf(text, GUARD_TEXT, "with room again: %s", mdb_strerror(rc));
    return rc ? 1 : 0;
}

static int body(void *context, const char *directory, char text[GUARD_TEXT])
{
    char db[FILES_PATH + 40];
    MDB_env *env;
    uint64_t last;
    int bad = 0;
    (void)context;
    snprintf(db, sizeof db, "%s/db", directory);
    if (mkdir(db, 0700) != 0 || toy_open(db, 0, &env) != 0 || toy_commit(env, 1) != 0) {
        snprintf(text, GUARD_TEXT, "cannot start");
        return 1;
    }
    for (int i = 0; i < 3 && !bad; i++)
        bad = cycle(env, directory, text);
    mdb_env_close(env);
    return bad || toy_check(db, &last, text) != 0;
}

static void run(enum full_disk_kind kind, const char *name)
{
    char text[GUARD_TEXT];
    int answer = full_disk_run(kind, 8 << 20, body, NULL, text);
    if (answer == FULL_DISK_SKIPPED) {
        print_message("# %s: %s\n", name, text);
        skip();
    }
    if (answer != 0)
        fail_msg("%s: %s (%d)", name, text, answer);
}

static void test_tmpfs(void **state)
{
    (void)state;
    run(FULL_DISK_TMPFS, "tmpfs");
}

static void test_ext4(void **state)
{
    (void)state;
    run(FULL_DISK_EXT4, "ext4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tmpfs),
        cmocka_unit_test(test_ext4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
