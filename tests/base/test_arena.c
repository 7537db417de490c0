/* SPDX-License-Identifier: Apache-2.0
 *
 * test_arena.c -- pieces keep their bytes, chunks come back, faults leak nothing.
 */
#include "base/arena.h"

#include <string.h>

#include "../faults/alloc_fault.h"
#include "prng.h"
#include "unit.h"

struct piece {
    unsigned char *at, fill;
    size_t size;
};

static void check_pieces(const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < pieces[i].size; j++)
            assert_int_equal(pieces[i].at[j], pieces[i].fill);
}

static size_t random_size(struct prng *prng)
{
    uint64_t kind = prng_below(prng, 20);
    return prng_below(prng, kind == 0 ? 20000 : kind == 1 ? 1 : 100);
}

static void test_pieces_stay(void **state)
{
    (void)state;
    struct prng prng = prng_start(11);
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    struct mem mem;
    mem_init(&mem, &fault.allocator, 0);
    struct arena arena;
    arena_init(&arena, &mem, 1000);
    static struct piece pieces[2000];
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < 2000; i++) {
            size_t size = random_size(&prng);
            unsigned char fill = (unsigned char)i;
            unsigned char from[20000];
            memset(from, fill, size);
            bool aligned = prng_below(&prng, 2);
            unsigned char *p = aligned ? arena_alloc(&arena, size)
                                       : (unsigned char *)arena_copy(&arena, from, size);
            assert_non_null(p);
            if (aligned) {
                assert_int_equal((uintptr_t)p % 16, 0);
                memset(p, fill, size);
            }
            pieces[i] = (struct piece){p, fill, size};
        }
        check_pieces(pieces, 2000);
        arena_clear(&arena);
        assert_true(fault.live_blocks <= 1);
    }
    arena_free(&arena);
    assert_int_equal(mem.used, 0);
    assert_true(alloc_fault_is_clean(&fault));
}

static void test_clear_settles_in_one_chunk(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    struct mem mem;
    mem_init(&mem, &fault.allocator, 0);
    struct arena arena;
    arena_init(&arena, &mem, 256);
    for (int round = 0; round < 4; round++) {
        if (round == 3)
            alloc_fault_arm(&fault, ALLOC_FAULT_NEVER, 0);
        for (int i = 0; i < 1000; i++)
            assert_non_null(arena_alloc(&arena, 64));
        arena_clear(&arena);
    }
    assert_int_equal(fault.requests, 0);
    arena_clear(&arena);
    arena_free(&arena);
    arena_free(&arena);
    assert_true(alloc_fault_is_clean(&fault));
}

static void test_edges(void **state)
{
    (void)state;
    struct mem mem;
    mem_init(&mem, NULL, 10000);
    struct arena arena;
    arena_init(&arena, &mem, 100);
    assert_non_null(arena_copy(&arena, NULL, 0));
    assert_non_null(arena_alloc(&arena, 0));
    char *a = arena_copy(&arena, "abc", 3), *b = arena_copy(&arena, "de", 2);
    assert_ptr_equal(a + 3, b);
    assert_memory_equal(a, "abcde", 5);
    const char *z = arena_zalloc(&arena, 40);
    for (int i = 0; i < 40; i++)
        assert_int_equal(z[i], 0);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 20));
    assert_null(arena_alloc(&arena, 10001));
    assert_non_null(arena_alloc(&arena, 1));
    assert_memory_equal(a, "abcde", 5);
    arena_free(&arena);
    assert_int_equal(mem.used, 0);
}

static void test_faults(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_STICKY); alloc_fault_next(&fault);) {
        struct mem mem;
        mem_init(&mem, &fault.allocator, 0);
        struct arena arena;
        arena_init(&arena, &mem, 256);
        for (size_t i = 0; i < 60; i++) {
            unsigned char *p = arena_alloc(&arena, i * 10);
            if (p)
                memset(p, 1, i * 10);
        }
        arena_clear(&arena);
        arena_free(&arena);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_stay),
        cmocka_unit_test(test_clear_settles_in_one_chunk),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
