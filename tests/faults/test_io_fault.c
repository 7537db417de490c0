/* SPDX-License-Identifier: Apache-2.0
 *
 * test_io_fault.c -- the hooks see every call, and a commit of LMDB survives each of its faults.
 */
#include "io_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/unit.h"
#include "files.h"
#include "lmdb_toy.h"

static char root[FILES_PATH];

static const char *in_root(const char *name)
{
    static char paths[4][FILES_PATH + 40];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

#define assert_counted(call, n)                             \
    do {                                                    \
        io_fault_arm(root, IO_FAULT_EIO, IO_FAULT_ONCE, 0); \
        assert_true((call) >= 0);                           \
        assert_int_equal(io_fault_operations(), n);         \
        io_fault_arm(root, IO_FAULT_EIO, IO_FAULT_ONCE, 1); \
        if (n) {                                            \
            assert_int_equal((call), -1);                   \
            assert_int_equal(errno, EIO);                   \
            assert_int_equal(io_fault_fired(), 1);          \
        }                                                   \
        io_fault_disarm();                                  \
    } while (0)

static void test_every_call_is_seen(void **state)
{
    (void)state;
    char a[] = "abcd", b[] = "efgh";
    struct iovec two[] = {{a, 4}, {b, 4}};
    int fd = open(in_root("f"), O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_counted(write(fd, a, 4), 1);
    assert_counted(pwrite(fd, a, 4, 0), 1);
    assert_counted(pwrite64(fd, a, 4, 0), 1);
    assert_counted(writev(fd, two, 2), 1);
    assert_counted(pwritev(fd, two, 2, 0), 1);
    assert_counted(fsync(fd), 1);
    assert_counted(fdatasync(fd), 1);
    assert_counted(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 1);
    assert_counted(ftruncate(fd, 100), 1);
    assert_counted(fallocate(fd, 0, 0, 200), 1);
    close(fd);
    assert_counted(close(open(in_root("f"), O_RDONLY)), 0);
    assert_counted(close(open(in_root("f"), O_RDWR | O_CREAT, 0600)), 0);
    io_fault_arm(root, IO_FAULT_EIO, IO_FAULT_ONCE, 0);
    close(open(in_root("f"), O_RDWR | O_TRUNC)); /* takes bytes away */
    close(open(in_root("f"), O_RDWR | O_TRUNC)); /* has none to take */
    assert_int_equal(io_fault_operations(), 1);
    io_fault_disarm();
    unlink(in_root("f"));
}

static int create_and_remove(void)
{
    int fd = open(in_root("new"), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        return -1;
    close(fd);
    return unlink(in_root("new"));
}

static void test_names_are_seen(void **state)
{
    (void)state;
    char before[FILES_PATH];
    assert_counted(create_and_remove(), 2);
    unlink(in_root("new"));
    io_fault_arm(root, IO_FAULT_EIO, IO_FAULT_ONCE, 0);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(mkdir("sub", 0700), 0);
    int fd = openat(AT_FDCWD, "sub/x", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    assert_int_equal(link("sub/x", "./y"), 0);
    assert_int_equal(rename("y", "sub/../z"), 0);
    assert_int_equal(unlink("z"), 0);
    assert_int_equal(unlink("sub/x"), 0);
    assert_int_equal(rmdir("sub/"), 0);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(io_fault_operations(), 8);
    io_fault_disarm();
}

static void test_other_directories_are_left_alone(void **state)
{
    (void)state;
    char other[FILES_PATH + 8];
    snprintf(other, sizeof other, "%s-not", root);
    io_fault_arm(root, IO_FAULT_EIO, IO_FAULT_STICKY, 1);
    files_write(other, "abc", 3);
    assert_int_equal(unlink(other), 0);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(write(pipe_ends[1], "x", 1), 1);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    assert_int_equal(io_fault_operations(), 0);
    io_fault_disarm();
}

static void test_short_writes(void **state)
{
    (void)state;
    char a[] = "abcdef", b[] = "ghij", back[10];
    struct iovec two[] = {{a, 6}, {b, 4}};
    int fd = open(in_root("s"), O_RDWR | O_CREAT, 0600);
    io_fault_arm(root, IO_FAULT_SHORT, IO_FAULT_STICKY, 2);
    assert_int_equal(writev(fd, two, 2), 10);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(pwritev(fd, two, 2, 20), 5);
    assert_int_equal(pwrite(fd, a, 6, 40), -1);
    assert_int_equal(errno, ENOSPC);
    assert_string_equal(io_fault_text(), "write s 20+10: short");
    io_fault_disarm();
    assert_int_equal(pread(fd, back, 10, 20), 5);
    assert_memory_equal(back, "abcde", 5);
    close(fd);
    unlink(in_root("s"));
}

/* Every fault of a commit: the error is told, and the database is at the batch before or, if the
 * commit said so, at this one. */
static void commit_under_faults(enum io_fault_kind kind, enum io_fault_mode mode)
{
    char text[GUARD_TEXT], db[FILES_PATH];
    MDB_env *env;
    uint64_t last = 0, batch = 1, rounds = 0, failed = 0;
    snprintf(db, sizeof db, "%s", in_root("db"));
    assert_int_equal(mkdir(db, 0700), 0);
    assert_int_equal(toy_open(db, 0, &env), 0);
    assert_int_equal(toy_commit(env, batch), 0);
    for (io_fault_start(db, kind, mode); io_fault_next(); rounds++) {
        int rc = toy_commit(env, batch + 1);
        bool fired = io_fault_fired() > 0;
        io_fault_disarm();
        mdb_env_close(env);
        assert_int_equal(rc != 0, fired);
        failed += rc != 0;
        assert_int_equal(toy_check(db, &last, text), 0);
        assert_int_equal(last, rc ? batch : batch + 1);
        batch = last;
        assert_int_equal(toy_open(db, 0, &env), 0);
    }
    mdb_env_close(env);
    assert_true(failed >= 2 && failed == rounds - 1);
    files_remove(db);
}

static void test_lmdb_commit(void **state)
{
    (void)state;
    for (int kind = IO_FAULT_EIO; kind <= IO_FAULT_SHORT; kind++) {
        commit_under_faults((enum io_fault_kind)kind, IO_FAULT_ONCE);
        commit_under_faults((enum io_fault_kind)kind, IO_FAULT_STICKY);
    }
}

static int make_root(void **state)
{
    (void)state;
    files_temp(root, "io-fault");
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
        cmocka_unit_test(test_every_call_is_seen),
        cmocka_unit_test(test_names_are_seen),
        cmocka_unit_test(test_other_directories_are_left_alone),
        cmocka_unit_test(test_short_writes),
        cmocka_unit_test(test_lmdb_commit),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
