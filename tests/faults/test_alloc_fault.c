/* SPDX-License-Identifier: Apache-2.0
 *
 * test_alloc_fault.c -- the allocator that fails on order fails on order, and notices mistakes.
 */
#include "alloc_fault.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/unit.h"

static void *ask(struct alloc_fault *fault, void *p, size_t old_size, size_t new_size)
{
    return fault->allocator.resize(fault->allocator.context, p, old_size, new_size);
}

static void test_rounds(void **state)
{
    (void)state;
    for (int mode = ALLOC_FAULT_ONCE; mode <= ALLOC_FAULT_STICKY; mode++) {
        struct alloc_fault fault;
        alloc_fault_init(&fault);
        int rounds = 0;
        for (alloc_fault_start(&fault, (enum alloc_fault_mode)mode); alloc_fault_next(&fault);) {
            rounds++;
            for (int i = 1; i <= 4; i++) {
                void *p = ask(&fault, NULL, 0, 10);
                bool must_fail = mode == ALLOC_FAULT_ONCE ? i == rounds : i >= rounds;
                assert_int_equal(p == NULL, must_fail);
                if (p)
                    ask(&fault, p, 10, 0);
            }
            assert_true(alloc_fault_is_clean(&fault));
        }
        assert_int_equal(rounds, 5);
        void *p = ask(&fault, NULL, 0, 10);
        assert_non_null(p);
        ask(&fault, p, 10, 0);
    }
}

static void test_resizing_moves_and_keeps(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    char *a = ask(&fault, NULL, 0, 4);
    memcpy(a, "abc", 4);
    alloc_fault_arm(&fault, ALLOC_FAULT_ONCE, 1);
    assert_null(ask(&fault, a, 4, 100));
    assert_string_equal(a, "abc");
    char *b = ask(&fault, a, 4, 100);
    assert_true(b && b != a);
    assert_string_equal(b, "abc");
    assert_int_equal(fault.live_bytes, 100);
    ask(&fault, b, 100, 0);
    assert_true(alloc_fault_is_clean(&fault));
}

/* The messages of the three mistakes are not for the log of the tests. */
static void test_mistakes_are_noticed(void **state)
{
    (void)state;
    struct alloc_fault fault;
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    assert_non_null(freopen("/dev/null", "w", stderr));
    alloc_fault_init(&fault);
    char *leaked = ask(&fault, NULL, 0, 8);
    bool clean_with_leak = alloc_fault_is_clean(&fault);
    fault.mistakes = 0;
    ask(&fault, leaked, 7, 0);
    uint64_t wrong_size = fault.mistakes;
    char *overrun = ask(&fault, NULL, 0, 8);
    memcpy(overrun + 8, "!", 1);
    ask(&fault, overrun, 8, 0);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_false(clean_with_leak);
    assert_int_equal(wrong_size, 1);
    assert_int_equal(fault.mistakes, 2);
    assert_int_equal(fault.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_resizing_moves_and_keeps),
        cmocka_unit_test(test_mistakes_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
