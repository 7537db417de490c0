/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mem.c -- the count, the cap and growing, also under threads and faults.
 */
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

#include "../faults/alloc_fault.h"
#include "prng.h"
#include "unit.h"

static void test_counts(void **state)
{
    (void)state;
    struct mem mem;
    mem_init(&mem, NULL, 0);
    char *a = mem_alloc(&mem, 100);
    char *b = mem_zalloc(&mem, 50);
    assert_non_null(a);
    for (int i = 0; i < 50; i++)
        assert_int_equal(b[i], 0);
    assert_int_equal(mem.used, 150);
    a = mem_resize(&mem, a, 100, 300);
    assert_int_equal(mem.used, 350);
    a = mem_resize(&mem, a, 300, 10);
    assert_int_equal(mem.used, 60);
    assert_int_equal(mem.peak, 350);
    assert_null(mem_resize(&mem, a, 10, 0));
    mem_free(&mem, b, 50);
    mem_free(&mem, NULL, 12345);
    assert_int_equal(mem.used, 0);
    assert_null(mem_alloc(&mem, 0));
    assert_null(mem_alloc(&mem, SIZE_MAX));
    assert_int_equal(mem.used, 0);
}

static void test_cap(void **state)
{
    (void)state;
    struct mem mem;
    mem_init(&mem, NULL, 1000);
    char *a = mem_alloc(&mem, 1000);
    assert_non_null(a);
    memset(a, 7, 1000);
    assert_null(mem_alloc(&mem, 1));
    assert_null(mem_resize(&mem, a, 1000, 1001));
    assert_int_equal(a[999], 7);
    a = mem_resize(&mem, a, 1000, 400);
    assert_null(mem_alloc(&mem, 601));
    char *b = mem_alloc(&mem, 600);
    assert_non_null(b);
    assert_int_equal(mem.used, 1000);
    assert_int_equal(mem.peak, 1000);
    mem_free(&mem, a, 400);
    mem_free(&mem, b, 600);
    assert_null(mem_alloc(&mem, SIZE_MAX - 100));
    assert_int_equal(mem.used, 0);
}

static void test_array_overflow(void **state)
{
    (void)state;
    assert_int_equal(mem_array(3, 7), 21);
    assert_int_equal(mem_array(0, 7), 0);
    assert_int_equal(mem_array(SIZE_MAX / 2, 3), 0);
}

static void test_grow(void **state)
{
    (void)state;
    struct mem mem;
    struct varve_err err;
    mem_init(&mem, NULL, 4096);
    void *p = NULL;
    size_t capacity = 0;
    for (size_t need = 1; need <= 256; need++) {
        assert_int_equal(mem_grow(&mem, &p, &capacity, need, 8, &err), VARVE_OK);
        assert_true(capacity >= need && capacity < 2 * need + 8);
        assert_int_equal(mem.used, capacity * 8);
    }
    void *before = p;
    assert_int_equal(mem_grow(&mem, &p, &capacity, 1000, 8, &err), VARVE_NOMEM);
    assert_int_equal(mem_grow(&mem, &p, &capacity, SIZE_MAX, 8, &err), VARVE_NOMEM);
    assert_int_equal(mem_grow(&mem, &p, &capacity, SIZE_MAX / 8 + 1, 8, NULL), VARVE_NOMEM);
    assert_ptr_equal(p, before);
    assert_int_equal(mem.used, capacity * 8);
    mem_free(&mem, p, capacity * 8);
    assert_int_equal(mem.used, 0);
}

static void test_allocator_is_asked(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct mem mem;
        mem_init(&mem, &fault.allocator, 0);
        char *a = mem_alloc(&mem, 10);
        size_t size = a ? 10 : 0;
        char *b = a ? mem_resize(&mem, a, 10, 20) : NULL;
        if (b) {
            a = b;
            size = 20;
        }
        b = b ? mem_resize(&mem, a, 20, 5) : NULL;
        if (b) {
            a = b;
            size = 5;
        }
        assert_int_equal(mem.used, size);
        assert_int_equal(fault.live_bytes, size);
        mem_free(&mem, a, size);
        assert_int_equal(mem.used, 0);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

static void *churn(void *argument)
{
    struct mem *mem = argument;
    struct prng prng = {(uintptr_t)&prng};
    for (int i = 0; i < 20000; i++) {
        size_t size = 1 + prng_below(&prng, 400);
        void *p = mem_alloc(mem, size);
        if (atomic_load(&mem->used) > 1000)
            return mem;
        mem_free(mem, p, size);
    }
    return NULL;
}

static void test_threads_keep_the_cap(void **state)
{
    (void)state;
    struct mem mem;
    mem_init(&mem, NULL, 1000);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &mem), 0);
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
    assert_int_equal(mem.used, 0);
    assert_true(mem.peak <= 1000 && mem.peak > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_array_overflow),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_allocator_is_asked),
        cmocka_unit_test(test_threads_keep_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
