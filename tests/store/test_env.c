/* SPDX-License-Identifier: Apache-2.0
 *
 * test_env.c -- one LMDB file: values against a model, growth, threads,
 * other processes, damage, full disks and missing memory.
 */
#include "store/env.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "base/bytes.h"
#include "store/pagecheck.h"

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "scratch.h"

#define OK(expression) assert_ok((expression), &err, __LINE__)

static struct scratch scratch;
static struct mem mem;
static struct varve_err err;

static void assert_ok(enum varve_status status, const struct varve_err *e, int line)
{
    if (status != VARVE_OK)
        fail_msg("line %d: %s: %s: %s", line, status_name(status), e->place, e->message);
}

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    scratch_make(&scratch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return mem.used == 0 ? 0 : -1;
}

static struct env *open_env(const char *name, unsigned flags, size_t map_size)
{
    struct env *env = NULL;
    OK(env_open(&env, &mem, scratch_path(&scratch, name), flags, map_size, &err));
    return env;
}

static struct env_key number_key(uint64_t number)
{
    struct env_key key = {.size = 8};
    store64be(key.bytes, number);
    return key;
}

static void put_one(struct env *env, uint64_t number, const void *bytes, size_t size)
{
    struct txn *txn = NULL;
    struct env_key key = number_key(number);
    OK(env_begin_write(env, &txn, size, &err));
    OK(txn_put(txn, &key, bytes, size, &err));
    OK(txn_commit(txn, &err));
}

static uint64_t get_number(struct env *env, uint64_t number)
{
    struct txn *txn = NULL;
    struct env_value value = {NULL, 0};
    struct env_key key = number_key(number);
    OK(env_begin_read(env, &txn, &err));
    OK(txn_get(txn, &key, true, &value, &err));
    assert_int_equal(value.size, 8);
    uint64_t result = load64(value.data);
    txn_abort(txn);
    return result;
}

static void put_number(struct env *env, uint64_t number, uint64_t value)
{
    uint8_t bytes[8];
    store64(bytes, value);
    put_one(env, number, bytes, 8);
}

static void check_all(struct env *env)
{
    struct txn *txn = NULL;
    OK(env_begin_read(env, &txn, &err));
    OK(env_check(env, txn, NULL, &err));
    txn_abort(txn);
}

/* ---- the model: few keys, random values that follow from a number ---- */

enum { MODEL_KEYS = 400 };
struct model {
    uint32_t stamp[MODEL_KEYS]; /* 0: not there */
};

static size_t stamp_size(uint32_t stamp)
{
    struct prng p = {stamp};
    switch (prng_below(&p, 8)) {
    case 0:
        return (size_t)prng_below(&p, 3);
    case 1:
        return 1990 + (size_t)prng_below(&p, 60); /* around where large values begin */
    case 2:
        return 4060 + (size_t)prng_below(&p, 30);
    case 3:
        return (size_t)prng_below(&p, 40000);
    default:
        return (size_t)prng_below(&p, 200);
    }
}

static void stamp_bytes(uint32_t stamp, uint8_t *bytes, size_t size)
{
    struct prng p = {stamp ^ UINT64_C(0xabcdef00000000)};
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)prng_next(&p);
}

/* Keys of different lengths with common beginnings. */
static struct env_key model_key(unsigned i)
{
    struct env_key key = {.size = (uint8_t)(2 + i % 7 * 9)};
    memset(key.bytes, 'k', sizeof key.bytes);
    key.bytes[0] = (uint8_t)(i / 100);
    key.bytes[1] = (uint8_t)(i / 7 % 15 * 17);
    key.bytes[key.size - 1] = (uint8_t)i;
    if (key.size == 2)
        key.size = 3, key.bytes[2] = (uint8_t)i;
    return key;
}

static int key_order(const struct env_key *a, const struct env_key *b)
{
    int c = memcmp(a->bytes, b->bytes, a->size < b->size ? a->size : b->size);
    return c ? c : a->size - b->size;
}

static void assert_value(uint32_t stamp, const struct env_value *value)
{
    static uint8_t expected[64 << 10];
    assert_int_not_equal(stamp, 0);
    assert_int_equal(value->size, stamp_size(stamp));
    stamp_bytes(stamp, expected, value->size);
    assert_memory_equal(value->data, expected, value->size);
}

static unsigned model_sorted(const struct model *model, unsigned *order)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        struct env_key key = model_key(i);
        if (!model->stamp[i])
            continue;
        unsigned at = n++;
        for (; at > 0; at--) {
            struct env_key before = model_key(order[at - 1]);
            if (key_order(&before, &key) < 0)
                break;
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    return n;
}

static void assert_walk(struct txn *txn, const struct model *model, const unsigned *order,
                        unsigned n, unsigned from, size_t prefix)
{
    struct env_key start = model_key(from), key;
    struct env_value value;
    struct walk *walk = NULL;
    OK(walk_begin(txn, &start, prefix, &walk, &err));
    for (unsigned i = 0; i < n; i++) {
        struct env_key expected = model_key(order[i]);
        if (key_order(&expected, &start) < 0 || memcmp(expected.bytes, start.bytes, prefix) != 0)
            continue;
        OK(walk_next(walk, true, &key, &value, &err));
        assert_int_equal(key_order(&key, &expected), 0);
        assert_value(model->stamp[order[i]], &value);
    }
    assert_int_equal(walk_next(walk, true, &key, &value, &err), VARVE_DONE);
    assert_int_equal(walk_next(walk, true, &key, &value, &err), VARVE_DONE);
    walk_end(walk);
}

static void assert_seeks(struct txn *txn, const struct model *model, const unsigned *order,
                         unsigned n, unsigned from, size_t prefix)
{
    struct env_key start = model_key(from), key = start;
    struct env_value value;
    int up = -1, down = -1;
    for (unsigned i = 0; i < n; i++) {
        struct env_key have = model_key(order[i]);
        if (memcmp(have.bytes, start.bytes, prefix) != 0)
            continue;
        if (up < 0 && key_order(&have, &start) >= 0)
            up = (int)order[i];
        if (key_order(&have, &start) <= 0)
            down = (int)order[i];
    }
    enum varve_status status = txn_seek(txn, &key, prefix, true, &value, &err);
    assert_int_equal(status, up < 0 ? VARVE_NOTFOUND : VARVE_OK);
    if (up >= 0)
        assert_value(model->stamp[up], &value);
    key = start;
    status = txn_seek_back(txn, &key, prefix, true, &value, &err);
    assert_int_equal(status, down < 0 ? VARVE_NOTFOUND : VARVE_OK);
    if (down >= 0) {
        struct env_key expected = model_key((unsigned)down);
        assert_int_equal(key_order(&key, &expected), 0);
        assert_value(model->stamp[down], &value);
    }
}

static void assert_model(struct txn *txn, const struct model *model, struct prng *p)
{
    unsigned order[MODEL_KEYS], n = model_sorted(model, order);
    assert_walk(txn, model, order, n, order[0], 0);
    for (int i = 0; i < 10; i++) {
        unsigned from = (unsigned)prng_below(p, MODEL_KEYS);
        assert_walk(txn, model, order, n, from, (size_t)prng_below(p, 3));
        assert_seeks(txn, model, order, n, from, (size_t)prng_below(p, 3));
    }
}

static void change_one(struct txn *txn, struct model *model, struct prng *p)
{
    static uint8_t bytes[64 << 10];
    unsigned i = (unsigned)prng_below(p, MODEL_KEYS);
    struct env_key key = model_key(i);
    if (prng_below(p, 3) == 0) {
        enum varve_status status = txn_delete(txn, &key, &err);
        assert_int_equal(status, model->stamp[i] ? VARVE_OK : VARVE_NOTFOUND);
        model->stamp[i] = 0;
        return;
    }
    model->stamp[i] = (uint32_t)prng_next(p) | 1;
    size_t size = stamp_size(model->stamp[i]), half = size / 2;
    stamp_bytes(model->stamp[i], bytes, size);
    if (prng_below(p, 2) == 0) {
        OK(txn_put(txn, &key, bytes, size, &err));
        return;
    }
    struct env_part parts[] = {{bytes, half}, {NULL, 0}, {bytes + half, size - half}};
    OK(txn_put_parts(txn, &key, parts, 3, &err));
}

static void test_against_model(void **state)
{
    (void)state;
    struct prng p = prng_start(20261008);
    struct model now = {.stamp = {1}}, then;
    uint8_t first[64 << 10];
    struct txn *txn = NULL;
    struct env *env = open_env("a.mdb", ENV_CREATE, 0);
    struct env_key key = model_key(0);
    stamp_bytes(1, first, stamp_size(1));
    OK(env_begin_write(env, &txn, 0, &err));
    OK(txn_put(txn, &key, first, stamp_size(1), &err));
    OK(txn_commit(txn, &err));
    for (int round = 0; round < 60; round++) {
        OK(env_begin_write(env, &txn, 1 << 20, &err));
        then = now;
        for (uint64_t n = 1 + prng_below(&p, 60); n > 0; n--)
            change_one(txn, &now, &p);
        if (round % 8 == 0)
            assert_model(txn, &now, &p);
        if (prng_below(&p, 5) == 0) {
            txn_abort(txn);
            now = then;
        } else {
            OK(txn_commit(txn, &err));
        }
        if (prng_below(&p, 10) == 0)
            OK(env_reopen(env, &err));
        OK(env_begin_read(env, &txn, &err));
        OK(env_check(env, txn, NULL, &err));
        assert_model(txn, &now, &p);
        txn_abort(txn);
    }
    env_close(env);
}

static void test_walk_while_deleting(void **state)
{
    (void)state;
    struct txn *txn = NULL;
    struct walk *walk = NULL;
    struct env_value value;
    struct env_key key = number_key(0);
    struct env *env = open_env("a.mdb", ENV_CREATE, 0);
    uint8_t bytes[700] = {0};
    OK(env_begin_write(env, &txn, 300 * sizeof bytes, &err));
    for (uint64_t i = 0; i < 300; i++) {
        key = number_key(i);
        OK(txn_put(txn, &key, bytes, sizeof bytes, &err));
    }
    OK(txn_commit(txn, &err));
    OK(env_begin_write(env, &txn, 0, &err));
    struct env_key from = number_key(10);
    OK(walk_begin(txn, &from, 0, &walk, &err));
    for (uint64_t i = 10; i < 300; i++) {
        OK(walk_next(walk, true, &key, &value, &err));
        assert_int_equal(load64be(key.bytes), i);
        OK(txn_delete(txn, &key, &err));
    }
    assert_int_equal(walk_next(walk, true, &key, &value, &err), VARVE_DONE);
    walk_end(walk);
    OK(txn_commit(txn, &err));
    key = number_key(1000);
    OK(env_begin_read(env, &txn, &err));
    OK(txn_seek_back(txn, &key, 0, true, &value, &err));
    assert_int_equal(load64be(key.bytes), 9);
    struct env_key none = {.size = 0};
    OK(txn_seek(txn, &none, 0, true, &value, &err));
    assert_int_equal(load64be(none.bytes), 0);
    txn_abort(txn);
    check_all(env);
    env_close(env);
}

static void test_snapshot_isolation(void **state)
{
    (void)state;
    struct txn *old = NULL;
    struct env_value value;
    struct env_key key = number_key(1);
    struct env *env = open_env("a.mdb", ENV_CREATE, 0);
    put_number(env, 1, 7);
    OK(env_begin_read(env, &old, &err));
    OK(env_check(env, old, NULL, &err));
    for (uint64_t i = 0; i < 50; i++)
        put_number(env, 1, 100 + i);
    OK(txn_get(old, &key, true, &value, &err));
    assert_int_equal(load64(value.data), 7);
    assert_int_equal(txn_id(old), 1);
    /* its meta page has been written over */
    assert_int_equal(env_check(env, old, NULL, &err), VARVE_BUSY);
    txn_abort(old);
    assert_int_equal(get_number(env, 1), 149);
    env_close(env);
}

static void test_misuse(void **state)
{
    (void)state;
    struct env *env = open_env("a.mdb", ENV_CREATE, 0), *reader;
    struct txn *txn = NULL, *second = NULL;
    struct env_key key = number_key(1), empty = {.size = 0};
    OK(env_begin_write(env, &txn, 0, &err));
    assert_int_equal(env_begin_write(env, &second, 0, &err), VARVE_MISUSE);
    assert_int_equal(txn_put(txn, &empty, "", 0, &err), VARVE_MISUSE);
    assert_int_equal(env_check(env, txn, NULL, &err), VARVE_MISUSE);
    struct env_part parts[] = {{NULL, ENV_VALUE_MAX}, {NULL, 1}};
    assert_int_equal(txn_put_parts(txn, &key, parts, 2, &err), VARVE_LIMIT);
    OK(txn_put(txn, &key, "x", 1, &err));
    OK(txn_commit(txn, &err));
    OK(env_begin_read(env, &txn, &err));
    assert_int_equal(txn_put(txn, &key, "", 0, &err), VARVE_MISUSE);
    assert_int_equal(txn_delete(txn, &key, &err), VARVE_MISUSE);
    txn_abort(txn);
    txn_abort(NULL);
    env_close(env);
    env_close(NULL);
    reader = open_env("a.mdb", ENV_RDONLY, 0);
    assert_int_equal(env_begin_write(reader, &txn, 0, &err), VARVE_READONLY);
    assert_string_equal(err.place, "a.mdb");
    env_close(reader);
}

/* ---- opening ---- */

static void assert_refused(const char *name, unsigned flags, enum varve_status expected)
{
    struct env *env = NULL;
    assert_int_equal(env_open(&env, &mem, scratch_path(&scratch, name), flags, 0, &err), expected);
    assert_null(env);
    assert_string_not_equal(err.message, "");
}

static void test_open_refusals(void **state)
{
    (void)state;
    assert_refused("none.mdb", 0, VARVE_NOTFOUND);
    assert_refused("none.mdb", ENV_RDONLY, VARVE_NOTFOUND);
    assert_refused("none/none.mdb", ENV_CREATE, VARVE_IO);
    assert_refused(".", 0, VARVE_INVALID);
    uint8_t junk[8192] = "this is no store";
    scratch_write(scratch_path(&scratch, "junk"), junk, sizeof junk);
    assert_refused("junk", ENV_CREATE, VARVE_CORRUPT);
    scratch_write(scratch_path(&scratch, "empty"), junk, 0);
    assert_refused("empty", ENV_CREATE, VARVE_CORRUPT);
    assert_int_equal(scratch_count(&scratch), 2);
    env_close(open_env("a.mdb", ENV_CREATE, 0));
    uint8_t *bytes;
    size_t size = scratch_read(scratch_path(&scratch, "a.mdb"), &bytes);
    assert_int_equal(size, 8192);
    bytes[16 + 4] = 2;
    scratch_write(scratch_path(&scratch, "newer"), bytes, size);
    assert_refused("newer", 0, VARVE_VERSION);
    free(bytes);
}

static void test_new_file(void **state)
{
    (void)state;
    struct stat st;
    umask(0);
    env_close(open_env("a.mdb", ENV_CREATE, 0));
    assert_int_equal(scratch_count(&scratch), 2); /* and its lock file */
    assert_int_equal(stat(scratch_path(&scratch, "a.mdb"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct env *env = open_env("a.mdb", 0, 0);
    assert_int_equal(env_page_size(env) % 4096, 0);
    assert_true(env_disk_bytes(env) <= 16384);
    struct txn *txn = NULL;
    struct env_value value;
    struct env_key key = number_key(5);
    OK(env_begin_read(env, &txn, &err));
    assert_int_equal(txn_id(txn), 0);
    assert_int_equal(txn_get(txn, &key, true, &value, &err), VARVE_NOTFOUND);
    assert_int_equal(txn_seek(txn, &key, 0, true, &value, &err), VARVE_NOTFOUND);
    assert_int_equal(txn_seek_back(txn, &key, 0, true, &value, &err), VARVE_NOTFOUND);
    txn_abort(txn);
    check_all(env);
    env_close(env);
}

/* Several processes make one file at once, and each adds a record. */
static void test_creation_race(void **state)
{
    (void)state;
    enum { CHILDREN = 6 };
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            struct env *env = NULL;
            struct txn *txn = NULL;
            struct env_key key = number_key((uint64_t)i);
            bool ok = env_open(&env, &mem, scratch_path(&scratch, "a.mdb"), ENV_CREATE, 0, &err) ==
                          VARVE_OK &&
                      env_begin_write(env, &txn, 0, &err) == VARVE_OK &&
                      txn_put(txn, &key, "x", 1, &err) == VARVE_OK &&
                      txn_commit(txn, &err) == VARVE_OK;
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0, how; i < CHILDREN; i++) {
        wait(&how);
        assert_int_equal(how, 0);
    }
    assert_int_equal(scratch_count(&scratch), 2);
    struct env *env = open_env("a.mdb", 0, 0);
    struct txn *txn = NULL;
    struct env_value value;
    OK(env_begin_read(env, &txn, &err));
    assert_int_equal(txn_id(txn), CHILDREN);
    for (uint64_t i = 0; i < CHILDREN; i++) {
        struct env_key key = number_key(i);
        OK(txn_get(txn, &key, true, &value, &err));
    }
    txn_abort(txn);
    env_close(env);
}

/* A directory nobody may write to: the file opens without LMDB's lock file. */
static void test_read_only_media(void **state)
{
    (void)state;
    struct env *env = open_env("a.mdb", ENV_CREATE, 0);
    put_number(env, 1, 42);
    env_close(env);
    unlink(scratch_path(&scratch, "a.mdb-lock"));
    chmod(scratch_path(&scratch, "a.mdb"), 0444);
    chmod(scratch.directory, 0555);
    pid_t child = fork();
    if (child == 0) {
        struct txn *txn = NULL;
        struct env_value value;
        struct env_key key = number_key(1);
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        bool ok = env_open(&env, &mem, scratch_path(&scratch, "a.mdb"), ENV_RDONLY, 0, &err) ==
                      VARVE_OK &&
                  env_begin_read(env, &txn, &err) == VARVE_OK &&
                  txn_get(txn, &key, true, &value, &err) == VARVE_OK && load64(value.data) == 42;
        if (!ok)
            fprintf(stderr, "%s: %s\n", err.place, err.message);
        txn_abort(txn);
        env_close(env);
        _exit(ok ? 0 : 1);
    }
    int how;
    waitpid(child, &how, 0);
    assert_int_equal(how, 0);
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_against_model),
        TEST(test_walk_while_deleting),
        TEST(test_snapshot_isolation),
        TEST(test_misuse),
        TEST(test_open_refusals),
        TEST(test_new_file),
        TEST(test_creation_race),
        TEST(test_read_only_media),
        TEST(test_growth),
        TEST(test_growth_by_another_process),
        TEST(test_fixed_map),
        TEST(test_threads),
        TEST(test_checksum),
        TEST(test_peek),
        TEST(test_copy),
        TEST(test_full_disk),
        TEST(test_killed_writers),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
