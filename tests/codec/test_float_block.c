/* SPDX-License-Identifier: Apache-2.0
 *
 * test_float_block.c -- doubles come back bit for bit, whatever they are.
 *
 * Values are compared as bits: NaN payloads and -0.0 count.  Decoders get
 * their input in a heap block of exactly its size.
 */
#include "codec/float_block.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec/float_format.h"

#include "../base/prng.h"
#include "../base/unit.h"

#define BOUND_MAX 20000

static enum varve_status decode_exact(double *values, size_t n, const uint8_t *bytes, size_t size)
{
    uint8_t *block = malloc(size + 1);
    double *room = malloc(n * sizeof *room + 1);
    assert_true(block && room);
    memcpy(block + 1, bytes, size);
    const enum varve_status status = float_block_decode(room, n, block + 1, size);
    if (status == VARVE_OK)
        memcpy(values, room, n * sizeof *room);
    free(block);
    free(room);
    return status;
}

/* Answers the size; *shape is byte 0. */
static size_t check(const double *values, size_t n, unsigned *shape)
{
    uint8_t bytes[2][BOUND_MAX];
    double decoded[BLOCK_VALUES];
    size_t size = 0;
    for (int i = 0; i < 2; i++) {
        memset(bytes[i], i ? 0x5a : 0xa5, BOUND_MAX);
        size = float_block_encode(bytes[i], values, n);
        assert_true(size <= float_block_bound(n) && float_block_bound(n) < BOUND_MAX);
        assert_int_equal(bytes[i][float_block_bound(n)], i ? 0x5a : 0xa5);
    }
    assert_memory_equal(bytes[0], bytes[1], size);
    assert_true(size <= 1 + 8 * n);
    assert_int_equal(decode_exact(decoded, n, bytes[0], size), VARVE_OK);
    assert_memory_equal(decoded, values, n * sizeof *values);
    *shape = bytes[0][0];
    return size;
}

static void test_decimals(void **state)
{
    (void)state;
    struct prng prng = prng_start(21);
    double values[BLOCK_VALUES];
    unsigned shape;
    for (unsigned power = 0; power <= 9; power++) {
        for (size_t i = 0; i < BLOCK_VALUES; i++) {
            char text[40];
            snprintf(text, sizeof text, "%d.%09d", (int)prng_below(&prng, 100),
                     (int)prng_below(&prng, 1000000000));
            text[strlen(text) - 9 + power] = 0;
            values[i] = strtod(text, NULL);
        }
        const size_t size = check(values, BLOCK_VALUES, &shape);
        assert_int_equal(shape, FLOAT_DECIMAL);
        /* 100 and each decimal digit take their logarithm, rounded up. */
        assert_true(size <= 24 + 128 * (7 + power * 3322 / 1000 + 1));
    }
}

static void test_decimals_with_exceptions(void **state)
{
    (void)state;
    struct prng prng = prng_start(22);
    double values[BLOCK_VALUES];
    unsigned shape;
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = (double)prng_below(&prng, 4096) / 1000;
    values[0] = -0.0;
    values[1] = double_of_bits(UINT64_C(0x7ff8000000001234));
    values[100] = double_of_bits(UINT64_C(0xfff0000000000001));
    values[500] = DBL_MAX;
    values[501] = -DBL_TRUE_MIN;
    values[700] = 1.0 / 3;
    values[1023] = -1.0 / 0.0;
    assert_true(check(values, BLOCK_VALUES, &shape) <= 128 * 12 + 24 + 7 * 10);
    assert_int_equal(shape, FLOAT_DECIMAL);
}

static void test_neighbours(void **state)
{
    (void)state;
    struct prng prng = prng_start(23);
    double values[BLOCK_VALUES];
    unsigned shape;
    double at = 1.0 / 3;
    for (size_t i = 0; i < BLOCK_VALUES; i++) {
        if (prng_below(&prng, 4) == 0)
            at = double_of_bits(bits_of_double(at) ^ prng_below(&prng, 4096) << 20);
        values[i] = at;
    }
    assert_true(check(values, BLOCK_VALUES, &shape) < 8 * BLOCK_VALUES / 8);
    assert_int_equal(shape, FLOAT_XOR);
}

static void test_any_bits(void **state)
{
    (void)state;
    struct prng prng = prng_start(24);
    double values[BLOCK_VALUES];
    unsigned shape;
    for (size_t n = 1; n <= BLOCK_VALUES; n++) {
        for (size_t i = 0; i < n; i++)
            values[i] = double_of_bits(prng_next(&prng));
        check(values, n, &shape);
    }
    assert_int_equal(shape, FLOAT_RAW);
}

static void test_every_length_of_mixtures(void **state)
{
    (void)state;
    static const double odd[] = {
        0.0,     -0.0,    1.0,          -1.5,    0.1,      1e15,   4503599627370496.0, 1e16, -1e300,
        DBL_MIN, DBL_MAX, DBL_TRUE_MIN, 1.0 / 3, 0x1.8p52, -0x1p63};
    struct prng prng = prng_start(25);
    double values[BLOCK_VALUES];
    unsigned shape;
    for (size_t n = 1; n <= BLOCK_VALUES; n++) {
        const uint64_t odd_ones = 1 + prng_below(&prng, 30);
        for (size_t i = 0; i < n; i++)
            values[i] = prng_below(&prng, odd_ones)
                            ? (double)prng_below(&prng, 1000) / 100
                            : odd[prng_below(&prng, sizeof odd / sizeof *odd)];
        check(values, n, &shape);
    }
}

static void test_constants_are_small(void **state)
{
    (void)state;
    double values[BLOCK_VALUES];
    unsigned shape;
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = 2.174;
    assert_int_equal(check(values, BLOCK_VALUES, &shape), 6);
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = 1.0 / 0.0;
    assert_int_equal(check(values, BLOCK_VALUES, &shape), 1 + 8 + BLOCK_VALUES / 8);
}

static void test_damage_does_no_harm(void **state)
{
    (void)state;
    struct prng prng = prng_start(26);
    double values[BLOCK_VALUES], decoded[BLOCK_VALUES];
    uint8_t bytes[BOUND_MAX];
    size_t refused = 0;
    for (int round = 0; round < 3000; round++) {
        const size_t n = 1 + prng_below(&prng, 200);
        const uint64_t kind = prng_below(&prng, 3);
        for (size_t i = 0; i < n; i++)
            values[i] = kind == 0   ? (double)prng_below(&prng, 100000) / 1000
                        : kind == 1 ? 1.0 / 3 + (double)prng_below(&prng, 16)
                                    : double_of_bits(prng_next(&prng));
        const size_t size = float_block_encode(bytes, values, n);
        assert_int_equal(decode_exact(decoded, n, bytes, prng_below(&prng, size)), VARVE_CORRUPT);
        bytes[size] = 0;
        assert_int_equal(decode_exact(decoded, n, bytes, size + 1), VARVE_CORRUPT);
        const size_t reach = prng_below(&prng, 2) && size > 12 ? 12 : size;
        bytes[prng_below(&prng, reach)] ^= (uint8_t)(1u << prng_below(&prng, 8));
        const enum varve_status status = decode_exact(decoded, n, bytes, size);
        assert_true(status == VARVE_OK || status == VARVE_CORRUPT);
        refused += status == VARVE_CORRUPT;
    }
    assert_in_range(refused, 100, 2900);
}

static void test_wrong_heads_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint8_t bytes[32];
    } bad[] = {
        {0, {0}},
        {9, {3}},                                            /* no such shape */
        {5, {1, 16, 0, 0, 2}},                               /* 10^16 */
        {5, {1, 0, 3, 0, 2}},                                /* 3 exceptions of 2 */
        {15, {1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}}, /* value 2 of 0..1 */
        {25, {1, 0, 2, 1, 0, 1, 0, [23] = 0, [24] = 2}},     /* the same one twice */
        {10, {2, 0, 0, 0, 0, 0, 0, 0, 0, 1}},                /* no place before the first */
        {11, {2, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}},       /* 64 bits from 63 on */
        {11, {2, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x01}},       /* 2 bits from 63 on */
        {11, {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},             /* a byte too many */
    };
    double decoded[BLOCK_VALUES];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(decode_exact(decoded, 2, bad[i].bytes, bad[i].size), VARVE_CORRUPT);
    assert_int_equal(float_block_decode(decoded, 0, bad[1].bytes, 1), VARVE_CORRUPT);
    assert_int_equal(float_block_decode(decoded, BLOCK_VALUES + 1, bad[1].bytes, 1), VARVE_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_decimals_with_exceptions),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_any_bits),
        cmocka_unit_test(test_every_length_of_mixtures),
        cmocka_unit_test(test_constants_are_small),
        cmocka_unit_test(test_damage_does_no_harm),
        cmocka_unit_test(test_wrong_heads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
