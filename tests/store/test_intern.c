/* SPDX-License-Identifier: Apache-2.0
 *
 * test_intern.c -- texts as numbers.
 */
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "store/intern.h"

#include <stdio.h>
#include <string.h>

enum { SEED = 42 };

static uint32_t put(struct intern *intern, struct varve_str text)
{
    uint32_t id = UINT32_MAX;
    assert_int_equal(intern_put(intern, text, &id, NULL), VARVE_OK);
    return id;
}

static struct varve_str numbered(char *room, size_t size, unsigned number)
{
    int length = snprintf(room, size, "text number %u", number);
    return (struct varve_str){room, (size_t)length};
}

static void test_numbers_count_up(void **state)
{
    (void)state;
    struct mem mem;
    struct intern intern;
    char room[40];
    mem_init(&mem, NULL, 0);
    assert_int_equal(intern_init(&intern, &mem, SEED, NULL), VARVE_OK);
    assert_int_equal(put(&intern, STR("")), 0);
    assert_int_equal(put(&intern, (struct varve_str){NULL, 0}), 0);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 1; i < 5000; i++)
            assert_int_equal(put(&intern, numbered(room, sizeof room, i)), i);
    assert_int_equal(intern.count, 5000);
    for (unsigned i = 1; i < 5000; i++) {
        struct varve_str text = numbered(room, sizeof room, i);
        assert_true(str_equal(intern_text(&intern, i), text));
        assert_true(intern_text(&intern, i).data != room);
        assert_int_equal(intern_find(&intern, text), i);
        assert_true(h128_equal(intern.items[i].hash, hash128(text.data, text.size, SEED)));
    }
    assert_int_equal(intern_find(&intern, STR("text number 5000")), HASH_NONE);
    intern_free(&intern);
    assert_int_equal(mem.used, 0);
}

/* Texts are bytes: zeros and letters with accents have no meaning. */
static void test_any_bytes(void **state)
{
    (void)state;
    struct mem mem;
    struct intern intern;
    mem_init(&mem, NULL, 0);
    assert_int_equal(intern_init(&intern, &mem, SEED, NULL), VARVE_OK);
    uint32_t a = put(&intern, STR("a"));
    assert_int_not_equal(put(&intern, STR("a\0")), a);
    assert_int_not_equal(put(&intern, STR("A")), a);
    assert_int_equal(put(&intern, STR("größe")), put(&intern, STR("größe")));
    assert_int_equal(intern.count, 5);
    intern_free(&intern);
}

static void test_clear(void **state)
{
    (void)state;
    struct mem mem;
    struct intern intern;
    char room[40];
    mem_init(&mem, NULL, 0);
    assert_int_equal(intern_init(&intern, &mem, SEED, NULL), VARVE_OK);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(intern.count, 1);
        assert_int_equal(intern_find(&intern, STR("text number 7")), HASH_NONE);
        for (unsigned i = 1; i < 100; i++)
            assert_int_equal(put(&intern, numbered(room, sizeof room, i)), i);
        assert_int_equal(intern_clear(&intern, NULL), VARVE_OK);
    }
    assert_int_equal(intern_find(&intern, STR("")), 0);
    intern_free(&intern);
    assert_int_equal(mem.used, 0);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct mem mem;
        struct intern intern;
        char room[40];
        mem_init(&mem, &fault.allocator, 0);
        enum varve_status status = intern_init(&intern, &mem, SEED, NULL);
        for (unsigned i = 1; i < 500 && status == VARVE_OK; i++) {
            struct varve_str text = numbered(room, sizeof room, i);
            uint32_t id;
            size_t count = intern.count;
            status = intern_put(&intern, text, &id, NULL);
            assert_int_equal(intern.count, count + (status == VARVE_OK));
            assert_int_equal(intern_find(&intern, text), status == VARVE_OK ? i : HASH_NONE);
        }
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        intern_free(&intern);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_count_up),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
