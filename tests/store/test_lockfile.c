/* SPDX-License-Identifier: Apache-2.0
 *
 * test_lockfile.c -- locks between handles, between processes, after death and
 * after fork; and the registry.
 */
#include "store/lockfile.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "../base/unit.h"
#include "scratch.h"

static struct scratch scratch;
static struct varve_err err;

static int setup(void **state)
{
    (void)state;
    scratch_make(&scratch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return 0;
}

static void test_house_is_exclusive(void **state)
{
    (void)state;
    struct lock a = {-1}, b = {-1};
    assert_int_equal(lock_house(&a, scratch.directory, &err), VARVE_OK);
    assert_int_equal(lock_house(&b, scratch.directory, &err), VARVE_BUSY);
    assert_int_equal(b.fd, -1);
    lock_release(&b);
    lock_release(&a);
    lock_release(&a);
    assert_int_equal(lock_house(&b, scratch.directory, &err), VARVE_OK);
    lock_release(&b);
}

static void test_open_and_exclude(void **state)
{
    (void)state;
    struct lock a = {-1}, b = {-1}, c = {-1};
    assert_int_equal(lock_open_store(&a, scratch.directory, 0, &err), VARVE_OK);
    assert_int_equal(lock_open_store(&b, scratch.directory, 1, &err), VARVE_OK);
    assert_int_equal(lock_exclude(&a, &err), VARVE_BUSY);
    /* the failed attempt has not cost the shared lock */
    assert_int_equal(lock_exclude(&b, &err), VARVE_BUSY);
    lock_release(&b);
    assert_int_equal(lock_exclude(&a, &err), VARVE_OK);
    assert_int_equal(lock_open_store(&c, scratch.directory, 0, &err), VARVE_BUSY);
    assert_int_equal(lock_house(&c, scratch.directory, &err), VARVE_OK);
    lock_release(&c);
    assert_int_equal(lock_share(&a, &err), VARVE_OK);
    assert_int_equal(lock_open_store(&c, scratch.directory, 0, &err), VARVE_OK);
    lock_release(&c);
    lock_release(&a);
}

static int alive_below(uint64_t epoch)
{
    int alive = -1;
    assert_int_equal(lock_epochs_below(scratch.directory, epoch, &alive, &err), VARVE_OK);
    return alive;
}

static void test_epochs(void **state)
{
    (void)state;
    struct lock a = {-1}, b = {-1}, c = {-1}, house = {-1};
    assert_false(alive_below(UINT64_MAX));
    assert_int_equal(lock_house(&house, scratch.directory, &err), VARVE_OK);
    assert_int_equal(lock_epoch(&a, scratch.directory, 5, &err), VARVE_OK);
    assert_int_equal(lock_epoch(&b, scratch.directory, 5, &err), VARVE_OK);
    assert_int_equal(lock_epoch(&c, scratch.directory, UINT64_C(1) << 40, &err), VARVE_OK);
    assert_false(alive_below(0));
    assert_false(alive_below(5));
    assert_true(alive_below(6));
    lock_release(&a);
    assert_true(alive_below(6));
    lock_release(&b);
    assert_false(alive_below(6));
    assert_false(alive_below(UINT64_C(1) << 40));
    assert_true(alive_below((UINT64_C(1) << 40) + 1));
    assert_true(alive_below(UINT64_MAX));
    lock_release(&c);
    assert_false(alive_below(UINT64_MAX));
    assert_int_equal(lock_epoch(&a, scratch.directory, UINT64_MAX, &err), VARVE_LIMIT);
    assert_int_equal(lock_epoch(&a, scratch.directory, 0, &err), VARVE_OK);
    assert_true(alive_below(1));
    lock_release(&a);
    lock_release(&house);
}

/* What a process held is free when it is killed. */
static void test_death(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    struct lock a = {-1};
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct lock house, epoch, open;
        if (lock_house(&house, scratch.directory, &err) != VARVE_OK ||
            lock_epoch(&epoch, scratch.directory, 9, &err) != VARVE_OK ||
            lock_open_store(&open, scratch.directory, 0, &err) != VARVE_OK)
            _exit(1);
        if (write(ends[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(lock_house(&a, scratch.directory, &err), VARVE_BUSY);
    assert_true(alive_below(10));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    assert_false(alive_below(10));
    assert_int_equal(lock_house(&a, scratch.directory, &err), VARVE_OK);
    lock_release(&a);
    assert_int_equal(lock_open_store(&a, scratch.directory, 0, &err), VARVE_OK);
    assert_int_equal(lock_exclude(&a, &err), VARVE_OK);
    lock_release(&a);
}

/* A child that was forked while a lock was held does not keep it. */
static void test_fork(void **state)
{
    (void)state;
    int ends[2];
    struct lock a = {-1};
    assert_int_equal(lock_house(&a, scratch.directory, &err), VARVE_OK);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    lock_release(&a);
    assert_int_equal(lock_house(&a, scratch.directory, &err), VARVE_OK);
    lock_release(&a);
    assert_int_equal(write(ends[1], "x", 1), 1);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void test_read_only_media(void **state)
{
    (void)state;
    struct lock a = {-1}, b = {-1};
    char missing[300];
    snprintf(missing, sizeof missing, "%s/none", scratch.directory);
    assert_int_equal(lock_open_store(&a, missing, 0, &err), VARVE_NOTFOUND);
    chmod(scratch.directory, 0555);
    pid_t child = fork();
    if (child == 0) {
        int alive = 1;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        bool ok = lock_open_store(&a, scratch.directory, 0, &err) == VARVE_IO &&
                  lock_open_store(&a, scratch.directory, 1, &err) == VARVE_OK && a.fd == -1 &&
                  lock_exclude(&a, &err) == VARVE_READONLY && lock_share(&a, &err) == VARVE_OK &&
                  lock_epoch(&b, scratch.directory, 3, &err) == VARVE_OK && b.fd == -1 &&
                  lock_house(&b, scratch.directory, &err) == VARVE_IO &&
                  lock_epochs_below(scratch.directory, 9, &alive, &err) == VARVE_OK && !alive;
        lock_release(&a);
        lock_release(&b);
        _exit(ok ? 0 : 1);
    }
    int how;
    waitpid(child, &how, 0);
    assert_int_equal(how, 0);
}

static void test_registry(void **state)
{
    (void)state;
    char other[300], moved[300], long_way[300];
    snprintf(other, sizeof other, "%s/store", scratch.directory);
    snprintf(moved, sizeof moved, "%s/moved", scratch.directory);
    snprintf(long_way, sizeof long_way, "%s/../%s", scratch.directory,
             strrchr(scratch.directory, '/') + 1);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(registry_add(scratch.directory, &err), VARVE_OK);
    assert_int_equal(registry_add(scratch.directory, &err), VARVE_BUSY);
    assert_int_equal(registry_add(long_way, &err), VARVE_BUSY);
    assert_int_equal(registry_add(other, &err), VARVE_OK);
    pid_t child = fork();
    if (child == 0)
        _exit(registry_add(other, &err) == VARVE_OK && registry_add(other, &err) == VARVE_BUSY ? 0
                                                                                               : 1);
    int how;
    waitpid(child, &how, 0);
    assert_int_equal(how, 0);
    registry_remove(scratch.directory);
    assert_int_equal(registry_add(long_way, &err), VARVE_OK);
    registry_remove(long_way);
    /* the store moves and another takes its name: each is removed as what it was added as */
    assert_int_equal(rename(other, moved), 0);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(registry_add(moved, &err), VARVE_BUSY);
    assert_int_equal(registry_add(other, &err), VARVE_OK);
    registry_remove(other);
    assert_int_equal(registry_add(other, &err), VARVE_OK);
    assert_int_equal(registry_add(moved, &err), VARVE_BUSY);
    registry_remove(other);
    assert_int_equal(rmdir(other), 0);
    registry_remove(other);
    assert_int_equal(registry_add(moved, &err), VARVE_OK);
    registry_remove(moved);
    assert_int_equal(rmdir(moved), 0);
    assert_int_equal(registry_add(moved, &err), VARVE_NOTFOUND);
}

static void test_registry_is_full(void **state)
{
    (void)state;
    char path[300];
    for (int i = 0; i < 65; i++) {
        snprintf(path, sizeof path, "%s/%d", scratch.directory, i);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(registry_add(path, &err), i < 64 ? VARVE_OK : VARVE_LIMIT);
    }
    for (int i = 0; i < 65; i++) {
        snprintf(path, sizeof path, "%s/%d", scratch.directory, i);
        registry_remove(path);
        rmdir(path);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_house_is_exclusive),
        TEST(test_open_and_exclude),
        TEST(test_epochs),
        TEST(test_death),
        TEST(test_fork),
        TEST(test_read_only_media),
        TEST(test_registry),
        TEST(test_registry_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
