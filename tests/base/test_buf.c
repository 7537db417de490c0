/* SPDX-License-Identifier: Apache-2.0
 *
 * test_buf.c -- appending, the cap, and errors that stick.
 */
#include "base/buf.h"

#include "../faults/alloc_fault.h"
#include "prng.h"
#include "unit.h"

static void test_appends(void **state)
{
    (void)state;
    struct mem mem;
    struct varve_err err;
    mem_init(&mem, NULL, 0);
    struct buf buf;
    buf_init(&buf, &mem, 1 << 20);
    buf_put8(&buf, 0xab);
    buf_put16(&buf, 0x1234);
    buf_put32(&buf, 0xdeadbeef);
    buf_put64(&buf, 0x0102030405060708);
    buf_put_varint(&buf, 300);
    buf_put(&buf, "xyz", 3);
    buf_put(&buf, NULL, 0);
    uint8_t *room = buf_room(&buf, 100);
    assert_non_null(room);
    room[0] = '!';
    buf_added(&buf, 1);
    assert_int_equal(buf_status(&buf, &err), VARVE_OK);
    static const char want[] = "\xab\x34\x12\xef\xbe\xad\xde\x08\x07\x06\x05\x04\x03\x02\x01"
                               "\xac\x02xyz!";
    assert_int_equal(buf.size, sizeof want - 1);
    assert_memory_equal(buf.data, want, sizeof want - 1);
    buf_clear(&buf);
    assert_int_equal(buf.size, 0);
    buf_free(&buf);
    buf_free(&buf);
    assert_int_equal(mem.used, 0);
}

static void test_grows_to_the_cap_and_no_further(void **state)
{
    (void)state;
    struct mem mem;
    struct varve_err err;
    mem_init(&mem, NULL, 0);
    for (size_t cap = 1; cap < 700; cap += 7) {
        struct buf buf;
        buf_init(&buf, &mem, cap);
        for (size_t i = 0; i < cap; i++)
            buf_put8(&buf, (uint8_t)i);
        assert_int_equal(buf_status(&buf, &err), VARVE_OK);
        assert_true(buf.size == cap && buf.capacity <= cap);
        for (size_t i = 0; i < cap; i++)
            assert_int_equal(buf.data[i], (uint8_t)i);
        buf_put8(&buf, 0);
        assert_int_equal(buf_status(&buf, &err), VARVE_LIMIT);
        assert_int_equal(buf.size, 0);
        buf_put8(&buf, 0);
        assert_null(buf_room(&buf, 0));
        assert_int_equal(buf.size, 0);
        buf_clear(&buf);
        buf_put8(&buf, 0);
        assert_int_equal(buf_status(&buf, NULL), VARVE_OK);
        assert_null(buf_room(&buf, SIZE_MAX));
        assert_int_equal(buf_status(&buf, NULL), VARVE_LIMIT);
        buf_free(&buf);
    }
    assert_int_equal(mem.used, 0);
}

/* A buffer gives what it was given, or nothing and an error. */
static void test_faults(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct varve_err err;
    alloc_fault_init(&fault);
    int refused = 0;
    for (alloc_fault_start(&fault, ALLOC_FAULT_STICKY); alloc_fault_next(&fault);) {
        struct mem mem;
        mem_init(&mem, &fault.allocator, 0);
        struct buf buf;
        buf_init(&buf, &mem, SIZE_MAX);
        for (uint32_t i = 0; i < 500; i++)
            buf_put32(&buf, i);
        if (buf_status(&buf, &err) == VARVE_OK) {
            assert_int_equal(buf.size, 2000);
        } else {
            assert_int_equal(err.status, VARVE_NOMEM);
            assert_int_equal(buf.size, 0);
            refused++;
        }
        buf_free(&buf);
        assert_true(alloc_fault_is_clean(&fault));
    }
    assert_true(refused > 3);
}

static void test_near_the_memory_cap_it_takes_what_it_needs(void **state)
{
    (void)state;
    struct mem mem;
    mem_init(&mem, NULL, 300);
    struct buf buf;
    buf_init(&buf, &mem, 1000);
    for (int i = 0; i < 300; i++)
        buf_put8(&buf, 1);
    assert_int_equal(buf_status(&buf, NULL), VARVE_OK);
    buf_put8(&buf, 1);
    assert_int_equal(buf_status(&buf, NULL), VARVE_NOMEM);
    buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_grows_to_the_cap_and_no_further),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_near_the_memory_cap_it_takes_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
