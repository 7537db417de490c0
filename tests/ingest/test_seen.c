/* SPDX-License-Identifier: Apache-2.0
 *
 * test_seen.c -- distinct hashes are counted exactly, wherever they lie, in little memory.
 */
#include "ingest/seen.h"

#include "../base/unit.h"
#include "../faults/alloc_fault.h"

#include <string.h>

static uint64_t mixed(uint64_t number)
{
    number = (number ^ number >> 31) * 0x9e3779b97f4a7c15u;
    return (number ^ number >> 29) * 0xbf58476d1ce4e5b9u;
}

static void test_counts(void **state)
{
    (void)state;
    struct mem mem;
    struct seen seen;
    mem_init(&mem, NULL, 0);
    seen_init(&seen, &mem);
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(seen_add(&seen, mixed(i + 1), NULL), VARVE_OK);
        assert_int_equal(seen_add(&seen, mixed(i / 3 + 1), NULL), VARVE_OK);
        assert_int_equal(seen.count, i + 1);
        if (i > 1000)
            assert_true(mem.used <= 12 * seen.count);
    }
    seen_free(&seen);
    assert_int_equal(mem.used, 0);
}

/* All at the end of the table, so that probes go round it. */
static void test_crowds(void **state)
{
    (void)state;
    struct mem mem;
    struct seen seen;
    mem_init(&mem, NULL, 0);
    seen_init(&seen, &mem);
    for (int again = 0; again < 2; again++)
        for (uint64_t i = 0; i < 2000; i++)
            assert_int_equal(seen_add(&seen, UINT64_MAX - i, NULL), VARVE_OK);
    assert_int_equal(seen.count, 2000);
    assert_int_equal(seen_add(&seen, 0, NULL), VARVE_OK);
    assert_int_equal(seen_add(&seen, 0, NULL), VARVE_OK);
    assert_int_equal(seen.count, 2001);
    seen_free(&seen);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct mem mem;
    struct seen seen;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        mem_init(&mem, &fault.allocator, 0);
        seen_init(&seen, &mem);
        for (uint64_t i = 1; i < 600; i++) {
            enum varve_status status = seen_add(&seen, mixed(i), NULL);
            if (status != VARVE_OK) /* nothing has changed: once more */
                status = seen_add(&seen, mixed(i), NULL);
            assert_int_equal(status, VARVE_OK);
            assert_int_equal(seen.count, i);
        }
        seen_free(&seen);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_crowds),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
