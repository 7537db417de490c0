/* SPDX-License-Identifier: Apache-2.0
 *
 * env_unit.h -- what the tests of env share: an env in a scratch directory, and records
 * that are numbers.
 */
#ifndef TESTS_ENV_UNIT_H
#define TESTS_ENV_UNIT_H

#include "base/bytes.h"
#include "store/env.h"

#include "../base/unit.h"
#include "scratch.h"

#define OK(expression) assert_ok((expression), &err, __LINE__)

static struct scratch scratch;
static struct mem mem;
static struct varve_err err;

static inline void assert_ok(enum varve_status status, const struct varve_err *e, int line)
{
    if (status != VARVE_OK)
        fail_msg("line %d: %s: %s: %s", line, status_name(status), e->place, e->message);
}

static inline int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    scratch_make(&scratch);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return mem.used == 0 ? 0 : -1;
}

static inline struct env *open_env(const char *name, unsigned flags, size_t map_size)
{
    struct env *env = NULL;
    OK(env_open(&env, &mem, scratch_path(&scratch, name), flags, map_size, &err));
    return env;
}

static inline struct env_key number_key(uint64_t number)
{
    struct env_key key = {.size = 8};
    store64be(key.bytes, number);
    return key;
}

static inline void put_one(struct env *env, uint64_t number, const void *bytes, size_t size)
{
    struct txn *txn = NULL;
    struct env_key key = number_key(number);
    OK(env_begin_write(env, &txn, size, &err));
    OK(txn_put(txn, &key, bytes, size, &err));
    OK(txn_commit(txn, &err));
}

static inline uint64_t get_number(struct env *env, uint64_t number)
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

static inline void put_number(struct env *env, uint64_t number, uint64_t value)
{
    uint8_t bytes[8];
    store64(bytes, value);
    put_one(env, number, bytes, 8);
}

static inline void check_all(struct env *env)
{
    struct txn *txn = NULL;
    OK(env_begin_read(env, &txn, &err));
    OK(env_check(env, txn, NULL, &err));
    txn_abort(txn);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
