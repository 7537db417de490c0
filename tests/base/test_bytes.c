/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bytes.c -- numbers as bytes, and the reader that cannot run over.
 */
#include "base/bytes.h"

#include "prng.h"
#include "unit.h"

static void test_order_of_bytes(void **state)
{
    (void)state;
    uint8_t b[9] = {0};
    store16(b + 1, 0x1234);
    assert_memory_equal(b + 1, "\x34\x12", 2);
    store32(b + 1, 0x89abcdef);
    assert_memory_equal(b + 1, "\xef\xcd\xab\x89", 4);
    store64(b + 1, 0x8123456789abcdef);
    assert_memory_equal(b + 1, "\xef\xcd\xab\x89\x67\x45\x23\x81", 8);
    assert_int_equal(load16(b + 1), 0xcdef);
    assert_int_equal(load32(b + 1), 0x89abcdef);
    assert_int_equal(load64(b + 1), 0x8123456789abcdef);
    store64be(b + 1, 0x8123456789abcdef);
    assert_memory_equal(b + 1, "\x81\x23\x45\x67\x89\xab\xcd\xef", 8);
    assert_int_equal(load64be(b + 1), 0x8123456789abcdef);
}

static void test_zigzag(void **state)
{
    (void)state;
    assert_int_equal(zigzag(0), 0);
    assert_int_equal(zigzag(-1), 1);
    assert_int_equal(zigzag(1), 2);
    assert_int_equal(zigzag(INT64_MAX), UINT64_MAX - 1);
    assert_int_equal(zigzag(INT64_MIN), UINT64_MAX);
    struct prng prng = prng_start(1);
    for (int i = 0; i < 10000; i++) {
        int64_t v = (int64_t)(prng_next(&prng) >> prng_below(&prng, 64));
        assert_int_equal(unzigzag(zigzag(v)), v);
        assert_int_equal(unzigzag(zigzag(-v)), -v);
    }
}

static void check_varint(uint64_t v)
{
    uint8_t b[10];
    size_t n = varint_put(b, v);
    assert_true(n >= 1 && n <= 10 && (n == 1 || v >> (7 * (n - 1)) != 0));
    struct reader r = reader_over(b, n);
    assert_int_equal(read_varint(&r), v);
    assert_false(r.bad);
    assert_int_equal(reader_left(&r), 0);
    r = reader_over(b, n - 1);
    assert_int_equal(read_varint(&r), 0);
    assert_true(r.bad);
}

static void test_varint(void **state)
{
    (void)state;
    for (int bit = 0; bit < 64; bit++) {
        check_varint((UINT64_C(1) << bit) - 1);
        check_varint(UINT64_C(1) << bit);
    }
    check_varint(UINT64_MAX);
    struct reader r = reader_over("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
    read_varint(&r);
    assert_true(r.bad);
    r = reader_over("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01", 11);
    read_varint(&r);
    assert_true(r.bad);
}

static void test_reader_stops(void **state)
{
    (void)state;
    struct reader r = reader_over("\1\2\0\3\0\0\0\4\0\0\0\0\0\0\0x", 16);
    assert_int_equal(read8(&r), 1);
    assert_int_equal(read16(&r), 2);
    assert_int_equal(read32(&r), 3);
    assert_int_equal(read64(&r), 4);
    assert_int_equal(reader_left(&r), 1);
    assert_false(r.bad);
    assert_int_equal(read16(&r), 0);
    assert_true(r.bad);
    assert_int_equal(read8(&r), 0);
    assert_null(read_bytes(&r, 0));
    assert_int_equal(reader_left(&r), 1);
    r = reader_over("ab", 2);
    assert_null(read_bytes(&r, SIZE_MAX));
    assert_true(r.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_bytes),
        cmocka_unit_test(test_zigzag),
        cmocka_unit_test(test_varint),
        cmocka_unit_test(test_reader_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
