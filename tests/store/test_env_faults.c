/* SPDX-License-Identifier: Apache-2.0
 *
 * test_env_faults.c -- one LMDB file under pressure: a map that grows, threads,
 * other processes, damage, full disks, killed writers and missing memory.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../base/prng.h"
#include "../faults/alloc_fault.h"
#include "env_unit.h"

/* ---- the map ---- */

static void test_growth(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 20];
    struct env *env = open_env("a.mdb", ENV_CREATE, 1 << 20);
    for (uint64_t i = 0; i < 24; i++) {
        memset(bytes, (int)i, sizeof bytes);
        put_one(env, i, bytes, sizeof bytes);
    }
    struct txn *txn = NULL;
    struct env_value value;
    OK(env_begin_read(env, &txn, &err));
    for (uint64_t i = 0; i < 24; i++) {
        struct env_key key = number_key(i);
        OK(txn_get(txn, &key, true, &value, &err));
        assert_int_equal(value.size, sizeof bytes);
        assert_int_equal(value.data[12345], i);
    }
    txn_abort(txn);
    assert_int_equal(env_begin_write(env, &txn, ENV_MAP_MAX, &err), VARVE_FULL);
    assert_int_equal(env_begin_write(env, &txn, SIZE_MAX, &err), VARVE_FULL);
    put_number(env, 99, 1);
    check_all(env);
    env_close(env);
}

static void test_growth_by_another_process(void **state)
{
    (void)state;
    struct env *env = open_env("a.mdb", ENV_CREATE, 1 << 20);
    put_number(env, 1, 1);
    pid_t child = fork();
    if (child == 0) {
        static uint8_t bytes[1 << 20];
        struct env *mine = open_env("a.mdb", 0, 1 << 20);
        for (uint64_t i = 2; i < 20; i++)
            put_one(mine, i, bytes, sizeof bytes);
        put_number(mine, 1, 2);
        env_close(mine);
        _exit(0);
    }
    int how;
    waitpid(child, &how, 0);
    assert_int_equal(how, 0);
    assert_int_equal(get_number(env, 1), 2);
    put_number(env, 1, 3);
    check_all(env);
    env_close(env);
}

static void test_fixed_map(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 20];
    struct env *env = open_env("a.mdb", ENV_CREATE | ENV_FIXED_MAP, 16 << 20);
    struct env_value first, later;
    struct env_key key = number_key(0);
    struct txn *txn = NULL;
    bytes[5] = 77;
    put_one(env, 0, bytes, sizeof bytes);
    OK(env_begin_read(env, &txn, &err));
    OK(txn_get(txn, &key, true, &first, &err));
    txn_abort(txn);
    enum varve_status status = VARVE_OK;
    uint64_t n = 0;
    while (status == VARVE_OK && n++ < 20) {
        status = env_begin_write(env, &txn, sizeof bytes, &err);
        if (status != VARVE_OK)
            break;
        key = number_key(n);
        OK(txn_put(txn, &key, bytes, sizeof bytes, &err));
        OK(txn_commit(txn, &err));
    }
    assert_int_equal(status, VARVE_LIMIT);
    assert_in_range(n, 6, 13);
    key = number_key(0);
    OK(env_begin_read(env, &txn, &err));
    OK(txn_get(txn, &key, true, &later, &err));
    txn_abort(txn);
    assert_ptr_equal(first.data, later.data);
    assert_int_equal(first.data[5], 77);
    env_close(env);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 30 };

static void *add_numbers(void *context)
{
    struct env *env = context;
    struct varve_err e;
    for (int i = 0; i < ROUNDS; i++) {
        struct txn *txn;
        struct env_value value;
        struct env_key key = number_key(1), big = number_key(2);
        uint8_t bytes[8];
        if (env_begin_write(env, &txn, 1 << 20, &e) != VARVE_OK)
            return context;
        if (txn_get(txn, &key, true, &value, &e) != VARVE_OK)
            return context;
        uint64_t next = load64(value.data) + 1;
        store64(bytes, next);
        store64be(big.bytes, 10 + next);
        struct env_part zeros = {NULL, 1 << 18};
        if (txn_put(txn, &key, bytes, 8, &e) != VARVE_OK ||
            txn_put_parts(txn, &big, &zeros, 1, &e) != VARVE_OK || txn_commit(txn, &e) != VARVE_OK)
            return context;
    }
    return NULL;
}

static void *read_numbers(void *context)
{
    struct env *env = context;
    struct varve_err e;
    uint64_t last = 0;
    while (last < THREADS * ROUNDS) {
        struct txn *txn;
        struct env_value value, big_value;
        struct env_key key = number_key(1), big = number_key(0);
        if (env_begin_read(env, &txn, &e) != VARVE_OK ||
            txn_get(txn, &key, true, &value, &e) != VARVE_OK || load64(value.data) < last)
            return context;
        last = load64(value.data);
        store64be(big.bytes, 10 + last);
        if (last > 0 && txn_get(txn, &big, true, &big_value, &e) != VARVE_OK)
            return context;
        txn_abort(txn);
        usleep(200);
    }
    return NULL;
}

/* The map grows several times under readers and writers. */
static void test_threads(void **state)
{
    (void)state;
    pthread_t writers[THREADS], readers[2];
    struct env *env = open_env("a.mdb", ENV_CREATE, 1 << 20);
    void *bad;
    put_number(env, 1, 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, read_numbers, env);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&writers[i], NULL, add_numbers, env);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(writers[i], &bad);
        assert_null(bad);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(readers[i], &bad);
        assert_null(bad);
    }
    assert_int_equal(get_number(env, 1), THREADS * ROUNDS);
    check_all(env);
    env_close(env);
}

/* ---- damage, faults ---- */

static void test_checksum(void **state)
{
    (void)state;
    struct env *env = open_env("a.mdb", ENV_CREATE, 0);
    uint8_t text[3000], *bytes;
    memset(text, 'x', sizeof text);
    memcpy(text + 1500, "needle", 6);
    put_one(env, 1, text, sizeof text);
    put_one(env, 2, text, 1000);
    env_close(env);
    size_t size = scratch_read(scratch_path(&scratch, "a.mdb"), &bytes);
    uint8_t *at = memmem(bytes, size, "needle", 6);
    assert_non_null(at);
    *at ^= 4;
    scratch_write(scratch_path(&scratch, "a.mdb"), bytes, size);
    free(bytes);
    env = open_env("a.mdb", 0, 0);
    struct txn *txn = NULL;
    struct env_value value;
    struct env_key key = number_key(1);
    OK(env_begin_read(env, &txn, &err));
    assert_int_equal(txn_get(txn, &key, true, &value, &err), VARVE_CORRUPT);
    assert_string_equal(err.place, "a.mdb");
    assert_non_null(
        strstr(err.message, "0000000000000001 (8 bytes of key) does not match its checksum"));
    OK(txn_get(txn, &key, false, &value, &err));
    assert_int_equal(value.size, sizeof text);
    key = number_key(2);
    OK(txn_get(txn, &key, true, &value, &err));
    struct walk *walk = NULL;
    struct env_key from = {.size = 0};
    OK(walk_begin(txn, &from, 0, &walk, &err));
    assert_int_equal(walk_next(walk, true, &key, &value, &err), VARVE_CORRUPT);
    assert_int_equal(load64be(key.bytes), 1);
    OK(walk_next(walk, true, &key, &value, &err));
    assert_int_equal(load64be(key.bytes), 2);
    walk_end(walk);
    txn_abort(txn);
    env_close(env);
}

static void test_peek(void **state)
{
    (void)state;
    struct env *env = open_env("a.mdb", ENV_CREATE, 0);
    struct env_key key = number_key(3);
    uint8_t bytes[64];
    uint64_t txnid = 0;
    size_t size = sizeof bytes;
    assert_int_equal(env_peek(env, 0, &key, bytes, &size, &txnid, &err), VARVE_NOTFOUND);
    for (uint64_t i = 1; i <= 300; i++) {
        put_number(env, i, i);
        put_number(env, 3, i);
        for (unsigned meta = 0; meta < 2; meta++) {
            size = sizeof bytes;
            enum varve_status status = env_peek(env, meta, &key, bytes, &size, &txnid, &err);
            if (i == 1 && meta == 1) { /* transaction 1: before there was a record 3 */
                assert_int_equal(status, VARVE_NOTFOUND);
                continue;
            }
            OK(status);
            assert_int_equal(txnid, meta == 0 ? 2 * i : 2 * i - 1);
            assert_int_equal(size, 8);
            assert_int_equal(load64(bytes), meta == 0 ? i : i == 3 ? 3 : i - 1);
        }
    }
    size = 4;
    assert_int_equal(env_peek(env, 0, &key, bytes, &size, &txnid, &err), VARVE_LIMIT);
    env_close(env);
}

static void test_copy(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    struct env *env = open_env("a.mdb", ENV_CREATE, 0);
    struct stat st;
    for (uint64_t i = 0; i < 20; i++)
        put_one(env, i, bytes, sizeof bytes);
    for (uint64_t i = 0; i < 20; i++)
        put_one(env, i, "small", 5);
    put_number(env, 7, 7);
    OK(env_copy(env, scratch_path(&scratch, "full.mdb"), false, &err));
    OK(env_copy(env, scratch_path(&scratch, "small.mdb"), true, &err));
    assert_int_equal(env_copy(env, scratch_path(&scratch, "small.mdb"), true, &err), VARVE_IO);
    assert_int_equal(env_copy(env, scratch_path(&scratch, "no/small.mdb"), true, &err), VARVE_IO);
    assert_int_equal(stat(scratch_path(&scratch, "small.mdb"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_in_range(st.st_size, 3 * 4096, 5 * 4096);
    env_close(env);
    for (int i = 0; i < 2; i++) {
        env = open_env(i ? "full.mdb" : "small.mdb", 0, 0);
        assert_int_equal(get_number(env, 7), 7);
        put_number(env, 7, 8);
        check_all(env);
        env_close(env);
    }
}

/* A limit on the size of files stands for a full disk. */
static void test_full_disk(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    struct env *env = open_env("a.mdb", ENV_CREATE, 0);
    put_number(env, 1, 1);
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 1 << 20;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    uint64_t n = 1;
    enum varve_status status = VARVE_OK;
    while (status == VARVE_OK && n < 30) {
        struct txn *txn = NULL;
        struct env_key key = number_key(++n);
        OK(env_begin_write(env, &txn, sizeof bytes, &err));
        OK(txn_put(txn, &key, bytes, sizeof bytes, &err));
        status = txn_commit(txn, &err);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    assert_in_range(n, 9, 12);
    assert_true(status == VARVE_FULL || status == VARVE_IO); /* a write cut short is EIO to LMDB */
    assert_int_equal(env_is_dead(env), status == VARVE_IO);
    assert_int_equal(get_number(env, 1), 1);
    if (status == VARVE_IO) {
        struct txn *txn = NULL;
        assert_int_equal(env_begin_write(env, &txn, 0, &err), VARVE_IO);
        OK(env_reopen(env, &err));
        assert_false(env_is_dead(env));
    }
    check_all(env);
    put_number(env, n, 2);
    assert_int_equal(get_number(env, n), 2);
    check_all(env);
    env_close(env);
}

/* A writer that is killed leaves its last commit or the one it was about to acknowledge. */
static void test_killed_writers(void **state)
{
    (void)state;
    struct prng p = prng_start(77);
    uint64_t seen = 0;
    env_close(open_env("a.mdb", ENV_CREATE, 0));
    for (int round = 0; round < 12; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            struct env *env = open_env("a.mdb", 0, 0);
            for (uint64_t i = seen + 1;; i++) {
                put_number(env, 1 + i % 50, i);
                put_number(env, 0, i);
                if (write(ends[1], &i, sizeof i) != sizeof i)
                    _exit(1);
            }
        }
        close(ends[1]);
        usleep((useconds_t)(3000 + prng_below(&p, 20000)));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        for (uint64_t i; read(ends[0], &i, sizeof i) == sizeof i;)
            seen = i;
        close(ends[0]);
        struct env *env = open_env("a.mdb", 0, 0);
        if (seen > 0) {
            uint64_t have = get_number(env, 0);
            assert_in_range(have, seen, seen + 1);
            seen = have;
        }
        env_close(env);
    }
    assert_true(seen > 0);
}

static enum varve_status everything(struct mem *m, const char *path)
{
    struct env *env = NULL;
    struct txn *txn = NULL;
    struct walk *walk = NULL;
    struct env_value value;
    struct env_key key = number_key(1), from = {.size = 0};
    enum varve_status status;
    TRYOUT(env_open(&env, m, path, ENV_CREATE, 0, &err));
    TRYOUT(env_begin_write(env, &txn, 0, &err));
    TRYOUT(txn_put(txn, &key, "x", 1, &err));
    TRYOUT(walk_begin(txn, &from, 0, &walk, &err));
    TRYOUT(walk_next(walk, true, &key, &value, &err));
    walk_end(walk);
    walk = NULL;
    status = txn_commit(txn, &err);
    txn = NULL;
    TRYOUT(status);
    TRYOUT(env_reopen(env, &err));
    TRYOUT(env_begin_read(env, &txn, &err));
    TRYOUT(env_check(env, txn, NULL, &err));
out:
    walk_end(walk);
    txn_abort(txn);
    env_close(env);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct mem m;
    alloc_fault_init(&fault);
    uint64_t rounds = 0;
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault); rounds++) {
        mem_init(&m, &fault.allocator, 0);
        enum varve_status status = everything(&m, scratch_path(&scratch, "a.mdb"));
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        assert_true(alloc_fault_is_clean(&fault));
        unlink(scratch_path(&scratch, "a.mdb"));
    }
    assert_true(rounds > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_growth),         TEST(test_growth_by_another_process),
        TEST(test_fixed_map),      TEST(test_threads),
        TEST(test_checksum),       TEST(test_peek),
        TEST(test_copy),           TEST(test_full_disk),
        TEST(test_killed_writers), TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
