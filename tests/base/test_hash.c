/* SPDX-License-Identifier: Apache-2.0
 *
 * test_hash.c -- known hashes, the algebra of sets, and the table against a plain list.
 */
#include "base/hash.h"

#include "../faults/alloc_fault.h"
#include "prng.h"
#include "unit.h"

/* Stores hold these hashes: they must never change. */
static void test_known_values(void **state)
{
    (void)state;
    assert_int_equal(hash64("", 0, 0), 0x2d06800538d394c2);
    struct h128 h = hash128("", 0, 0);
    assert_int_equal(h.hi, 0x99aa06d3014798d8);
    assert_int_equal(h.lo, 0x6001c324468d497f);
    assert_int_not_equal(hash64("abc", 3, 0), hash64("abc", 3, 1));
    assert_false(h128_equal(hash128("abc", 3, 0), hash128("abc", 3, 1)));
}

static void test_sets(void **state)
{
    (void)state;
    struct h128 a = hash128("a", 1, 9), b = hash128("b", 1, 9), c = hash128("c", 1, 9);
    assert_true(h128_equal(h128_add(h128_add(a, b), c), h128_add(h128_add(c, a), b)));
    assert_true(h128_equal(h128_sub(h128_add(h128_add(a, b), c), b), h128_add(a, c)));
    assert_false(h128_equal(h128_pair(a, b), h128_pair(b, a)));
    assert_false(h128_equal(h128_add(h128_pair(a, b), h128_pair(c, c)),
                            h128_add(h128_pair(a, c), h128_pair(c, b))));
    assert_false(h128_equal(h128_add(a, a), (struct h128){0, 0}));
}

/* 60 k pairs of small alphabets: no two give the same 128 bits, nor the same low 64. */
static void test_pairs_spread(void **state)
{
    (void)state;
    struct mem mem;
    mem_init(&mem, NULL, 0);
    struct hash_table table;
    hash_table_init(&table, &mem);
    for (uint32_t i = 0; i < 245; i++)
        for (uint32_t j = 0; j < 245; j++) {
            struct h128 pair = h128_pair(hash128(&i, sizeof i, 5), hash128(&j, sizeof j, 5));
            pair.hi = 0;
            assert_int_equal(hash_table_get(&table, pair), HASH_NONE);
            assert_int_equal(hash_table_add(&table, pair, i, NULL), VARVE_OK);
        }
    hash_table_free(&table);
}

static void check_all(const struct hash_table *table, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(hash_table_get(table, hash128(&i, sizeof i, 3)), i);
    for (uint32_t i = count; i < count + 1000; i++)
        assert_int_equal(hash_table_get(table, hash128(&i, sizeof i, 3)), HASH_NONE);
}

static void test_table(void **state)
{
    (void)state;
    struct mem mem;
    mem_init(&mem, NULL, 0);
    struct hash_table table;
    hash_table_init(&table, &mem);
    check_all(&table, 0);
    for (uint32_t i = 0; i < 50000; i++) {
        assert_int_equal(hash_table_add(&table, hash128(&i, sizeof i, 3), i, NULL), VARVE_OK);
        assert_true(table.count <= table.capacity / 4 * 3);
    }
    check_all(&table, 50000);
    size_t used = mem.used;
    hash_table_clear(&table);
    assert_int_equal(mem.used, used);
    check_all(&table, 0);
    hash_table_free(&table);
    hash_table_free(&table);
    assert_int_equal(mem.used, 0);
}

/* Keys that all start in the last slot: the run wraps around the end. */
static void test_colliding_keys(void **state)
{
    (void)state;
    struct mem mem;
    mem_init(&mem, NULL, 0);
    struct hash_table table;
    hash_table_init(&table, &mem);
    for (uint32_t i = 0; i < 500; i++) {
        struct h128 key = {UINT64_MAX, i};
        assert_int_equal(hash_table_get(&table, key), HASH_NONE);
        assert_int_equal(hash_table_add(&table, key, i, NULL), VARVE_OK);
    }
    for (uint32_t i = 0; i < 500; i++)
        assert_int_equal(hash_table_get(&table, (struct h128){UINT64_MAX, i}), i);
    hash_table_free(&table);
}

static void test_faults(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct varve_err err;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_STICKY); alloc_fault_next(&fault);) {
        struct mem mem;
        mem_init(&mem, &fault.allocator, 0);
        struct hash_table table;
        hash_table_init(&table, &mem);
        uint32_t added = 0;
        while (added < 200 &&
               hash_table_add(&table, hash128(&added, sizeof added, 3), added, &err) == VARVE_OK)
            added++;
        assert_true(added == 200 || err.status == VARVE_NOMEM);
        assert_int_equal(table.count, added);
        check_all(&table, added);
        hash_table_free(&table);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),   cmocka_unit_test(test_sets),
        cmocka_unit_test(test_pairs_spread),   cmocka_unit_test(test_table),
        cmocka_unit_test(test_colliding_keys), cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
