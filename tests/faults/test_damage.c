/* SPDX-License-Identifier: Apache-2.0
 *
 * test_damage.c -- damage changes one file, by seed, where it says.
 */
#include "damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "files.h"

static char root[FILES_PATH];

static void path_of(char path[FILES_PATH + 40], const char *name)
{
    snprintf(path, FILES_PATH + 40, "%s/%s", root, name);
}

static uint8_t *read_in(const char *directory, const char *name, size_t *size)
{
    char path[FILES_PATH + 240];
    snprintf(path, sizeof path, "%s/%s/%s", root, directory, name);
    return files_read(path, size);
}

/* How many files differ, and that the one that does is the one named. */
static int count_changed(const struct damage *damage)
{
    static const char *const names[] = {"big", "lock.mdb", "sub/small", "zeros", "empty"};
    int changed = 0;
    for (size_t i = 0; i < 5; i++) {
        size_t n, m;
        uint8_t *a = read_in("whole", names[i], &n), *b = read_in("copy", names[i], &m);
        if (n != m || memcmp(a, b, n) != 0) {
            changed++;
            assert_string_equal(names[i], damage->file);
            assert_true(damage->offset <= n);
            assert_memory_equal(a, b, damage->kind == DAMAGE_SWAP ? 0 : damage->offset);
        }
        free(a);
        free(b);
    }
    return changed;
}

static void test_every_kind_changes_one_file(void **state)
{
    (void)state;
    char whole[FILES_PATH + 40], copy[FILES_PATH + 40], again[FILES_PATH + 40];
    int seen[DAMAGE_KINDS] = {0};
    path_of(whole, "whole");
    path_of(copy, "copy");
    path_of(again, "again");
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct damage damage, twin;
        enum damage_kind kind = (enum damage_kind)(seed % (DAMAGE_KINDS + 1));
        files_copy(whole, copy);
        files_copy(whole, again);
        assert_true(damage_make(copy, "lock", seed, kind, &damage));
        assert_true(damage_make(again, "lock", seed, kind, &twin));
        assert_int_equal(count_changed(&damage), 1);
        assert_string_equal(damage.text, twin.text);
        assert_true(files_same(copy, again));
        assert_true(strstr(damage.text, damage.file) == damage.text);
        seen[damage.kind]++;
        files_remove(copy);
        files_remove(again);
    }
    for (int i = 0; i < DAMAGE_KINDS; i++)
        assert_true(seen[i] > 10);
}

static void test_nothing_to_damage(void **state)
{
    (void)state;
    char whole[FILES_PATH + 40];
    struct damage damage;
    path_of(whole, "whole");
    assert_false(damage_make(whole, "", 1, DAMAGE_ANY, &damage));
}

static void make_file(const char *name, const void *bytes, size_t size)
{
    char path[FILES_PATH + 40];
    path_of(path, name);
    files_write(path, bytes, size);
}

static int make_root(void **state)
{
    (void)state;
    struct prng prng = prng_start(9);
    static uint8_t bytes[40000], zeros[8192];
    char whole[FILES_PATH + 40], sub[FILES_PATH + 40];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)prng_next(&prng);
    files_temp(root, "damage");
    path_of(whole, "whole");
    path_of(sub, "whole/sub");
    if (mkdir(whole, 0700) != 0 || mkdir(sub, 0700) != 0)
        return -1;
    make_file("whole/big", bytes, sizeof bytes);
    make_file("whole/lock.mdb", bytes, 8192);
    make_file("whole/sub/small", bytes, 1000);
    make_file("whole/zeros", zeros, sizeof zeros);
    make_file("whole/empty", "", 0);
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    files_remove(root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_changes_one_file),
        cmocka_unit_test(test_nothing_to_damage),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
