/* SPDX-License-Identifier: Apache-2.0
 *
 * test_env.c -- one LMDB file: values, seeks and walks against a model, rules
 * of use, and opening.
 */
#include <sys/wait.h>

#include "../base/prng.h"
#include "env_unit.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_against_model), TEST(test_walk_while_deleting), TEST(test_snapshot_isolation),
        TEST(test_misuse),        TEST(test_open_refusals),       TEST(test_new_file),
        TEST(test_creation_race), TEST(test_read_only_media),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
