/* SPDX-License-Identifier: Apache-2.0
 *
 * test_int_block.c -- integer blocks: they come back, they are small, and damage does no harm.
 *
 * Every round trip runs with both builds of the kernels, which must agree in
 * each byte and each sum; decoders get their input in a heap block of exactly
 * its size, so that a sanitizer sees a read beyond it.
 */
#include "codec/int_block.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/unit.h"
#include "shapes.h"

#define BOUND_MAX 9000

/* A copy at an odd address with nothing behind it; *block is to be freed. */
static uint8_t *exact_copy(uint8_t **block, const uint8_t *bytes, size_t size)
{
    *block = malloc(size + 1);
    assert_non_null(*block);
    memcpy(*block + 1, bytes, size);
    return *block + 1;
}

/* ---- round trips ------------------------------------------------------ */

static void
check_sums(const int64_t *values, size_t n, const uint8_t *bytes, size_t size, struct prng *prng)
{
    static const size_t longest[] = {1, 4, 40, 400, 1024};
    uint16_t ends[BLOCK_VALUES];
    int64_t sums[2][BLOCK_VALUES], expected[BLOCK_VALUES];
    const size_t first = prng_below(prng, 2) ? 0 : prng_below(prng, n + 1);
    const size_t most = longest[prng_below(prng, 5)];
    size_t ranges = 0;
    for (size_t at = first; ranges < BLOCK_VALUES && at < n; ranges++) {
        uint64_t sum = prng_next(prng);
        sums[0][ranges] = sums[1][ranges] = (int64_t)sum;
        for (size_t left = prng_below(prng, most + 1); left > 0 && at < n; left--, at++)
            sum += (uint64_t)values[at];
        ends[ranges] = (uint16_t)at;
        expected[ranges] = (int64_t)sum;
    }
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        assert_int_equal(int_block_sums(sums[scalar], ends, ranges, first, n, bytes, size),
                         VARVE_OK);
        assert_memory_equal(sums[scalar], expected, ranges * sizeof *expected);
    }
}

static size_t check(const int64_t *values, size_t n, struct prng *prng)
{
    uint8_t bytes[2][BOUND_MAX], *block;
    int64_t decoded[BLOCK_VALUES];
    size_t size = 0;
    const size_t bound = int_block_bound(n);
    assert_true(bound < BOUND_MAX);
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        memset(bytes[scalar], scalar ? 0x5a : 0xa5, BOUND_MAX);
        size = int_block_encode(bytes[scalar], values, n);
        assert_true(size <= bound);
        for (size_t i = size; i < BOUND_MAX; i++)
            assert_int_equal(bytes[scalar][i], scalar ? 0x5a : 0xa5);
    }
    assert_memory_equal(bytes[0], bytes[1], size);
    const uint8_t *src = exact_copy(&block, bytes[0], size);
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        memset(decoded, 0x77, sizeof decoded);
        assert_int_equal(int_block_decode(decoded, n, src, size), VARVE_OK);
        assert_memory_equal(decoded, values, n * sizeof *values);
    }
    check_sums(values, n, src, size, prng);
    free(block);
    return size;
}

static void test_every_shape_and_length(void **state)
{
    (void)state;
    struct prng prng = prng_start(11);
    int64_t values[BLOCK_VALUES];
    for (size_t n = 1; n <= BLOCK_VALUES; n++)
        for (size_t i = n % 3; i<shape_count; i += n> 70 && n < 1000 ? 3 : 1) {
            shapes[i].make(values, n, &prng);
            check(values, n, &prng);
        }
}

static void test_every_width(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 31, 32, 33, 64, 100, 511, 1000, 1023, 1024};
    struct prng prng = prng_start(12);
    int64_t values[BLOCK_VALUES];
    for (unsigned bits = 0; bits <= 64; bits++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            const uint64_t base = prng_next(&prng);
            for (size_t i = 0; i < lengths[l]; i++)
                values[i] = (int64_t)(base + number_of_bits(&prng, bits));
            check(values, lengths[l], &prng);
        }
}

/* ---- sizes ------------------------------------------------------------ */

static void test_what_is_regular_is_small(void **state)
{
    (void)state;
    struct prng prng = prng_start(13);
    int64_t values[BLOCK_VALUES];
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = 0;
    assert_int_equal(check(values, BLOCK_VALUES, &prng), 2);
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = INT64_MIN;
    assert_int_equal(check(values, BLOCK_VALUES, &prng), 11);
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = 1790000000000 + 60000 * (int64_t)i;
    assert_true(check(values, BLOCK_VALUES, &prng) <= 16);
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = (int64_t)(i / 100) * 1000003;
    assert_true(check(values, BLOCK_VALUES, &prng) <= 32);
}

static void test_factor_is_taken_out(void **state)
{
    (void)state;
    static const int64_t factors[] = {2, 3, 50, 1000, 1000000, 7000003, 1 << 20};
    struct prng prng = prng_start(14);
    int64_t values[BLOCK_VALUES];
    for (size_t f = 0; f < sizeof factors / sizeof *factors; f++) {
        for (size_t i = 0; i < BLOCK_VALUES; i++)
            values[i] = -12345 + factors[f] * (int64_t)prng_below(&prng, 1024);
        assert_true(check(values, BLOCK_VALUES, &prng) <= 1280 + 16);
    }
}

/* Ten bits a value, and an exception costs less than 10 bytes wherever it lies. */
static void test_outliers_cost_little(void **state)
{
    (void)state;
    static const int64_t far[] = {0, INT64_MIN, INT64_MAX, -1000000};
    struct prng prng = prng_start(15);
    int64_t values[BLOCK_VALUES];
    for (size_t f = 0; f < sizeof far / sizeof *far; f++)
        for (size_t count = 1; count <= 32; count *= 2) {
            for (size_t i = 0; i < BLOCK_VALUES; i++)
                values[i] = (INT64_C(1) << 40) + (int64_t)prng_below(&prng, 1024);
            for (size_t i = 0; i < count; i++)
                values[prng_below(&prng, BLOCK_VALUES)] = far[f];
            assert_true(check(values, BLOCK_VALUES, &prng) <= 1280 + 32 + 10 * count);
        }
}

static void test_low_outliers_cost_little_in_steps_too(void **state)
{
    (void)state;
    struct prng prng = prng_start(20);
    int64_t values[BLOCK_VALUES];
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = 4096 * ((INT64_C(1) << 20) + (int64_t)prng_below(&prng, 1024));
    for (size_t i = 0; i < 64; i++)
        values[i * 16] = 4096 * (int64_t)i; /* where an even sample would look */
    assert_true(check(values, BLOCK_VALUES, &prng) <= 1280 + 32 + 4 * 64);
}

static void test_runs_are_found(void **state)
{
    (void)state;
    struct prng prng = prng_start(21);
    int64_t values[BLOCK_VALUES];
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        values[i] = i % 8 ? values[i - 1] : (int64_t)number_of_bits(&prng, 40);
    /* 128 values of 40 bits and their lengths, which are the same. */
    assert_true(check(values, BLOCK_VALUES, &prng) <= 128 * 5 + 32);
}

static void test_differences_survive_new_sessions(void **state)
{
    (void)state;
    struct prng prng = prng_start(16);
    int64_t values[BLOCK_VALUES];
    uint64_t at = 0;
    for (size_t i = 0; i < BLOCK_VALUES; i++, at += 60000 - 50 + prng_below(&prng, 100)) {
        if (i % 20 == 0)
            at = UINT64_C(1790000000000) + prng_below(&prng, 86400000);
        values[i] = (int64_t)at;
    }
    /* 7 bits a value and less than 8 bytes a session; as they are they would take 27 bits. */
    assert_true(check(values, BLOCK_VALUES, &prng) <= 1024 * 7 / 8 + 52 * 8);
}

static void test_short_blocks_waste_no_rows(void **state)
{
    (void)state;
    struct prng prng = prng_start(17);
    int64_t values[BLOCK_VALUES];
    for (size_t n = 1; n < BLOCK_VALUES; n++) {
        for (size_t i = 0; i < n; i++)
            values[i] = (int64_t)prng_below(&prng, 32);
        assert_true(check(values, n, &prng) <= 8 + (n * 5 / 8 + 1) * 9 / 8);
    }
}

/* ---- damage ----------------------------------------------------------- */

/* Both builds say the same of any bytes; answers whether they decode. */
static bool decode_any(const uint8_t *bytes, size_t size, size_t n)
{
    int64_t decoded[2][BLOCK_VALUES], sums[2][3];
    enum varve_status status[2], sum_status[2];
    const uint16_t ends[3] = {(uint16_t)(n / 4), (uint16_t)(n / 2), (uint16_t)n};
    uint8_t *block;
    const uint8_t *src = exact_copy(&block, bytes, size);
    memset(decoded, 0, sizeof decoded);
    memset(sums, 0, sizeof sums);
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        status[scalar] = int_block_decode(decoded[scalar], n, src, size);
        sum_status[scalar] = int_block_sums(sums[scalar], ends, 3, 0, n, src, size);
        assert_int_equal(status[scalar], sum_status[scalar]);
    }
    free(block);
    assert_true(status[0] == status[1] && (status[0] == VARVE_OK || status[0] == VARVE_CORRUPT));
    if (status[0] != VARVE_OK)
        return false;
    assert_memory_equal(decoded[0], decoded[1], n * sizeof **decoded);
    assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
    uint64_t sum = 0;
    for (size_t i = n / 4; i < n / 2; i++)
        sum += (uint64_t)decoded[0][i];
    assert_int_equal(sums[0][1], sum);
    return true;
}

static void test_cut_and_grown_blocks_are_refused(void **state)
{
    (void)state;
    struct prng prng = prng_start(18);
    int64_t values[BLOCK_VALUES];
    uint8_t bytes[BOUND_MAX];
    for (size_t i = 0; i < shape_count; i++)
        for (size_t n = 1; n <= BLOCK_VALUES; n = n * 3 + 1) {
            shapes[i].make(values, n, &prng);
            const size_t size = int_block_encode(bytes, values, n);
            bytes[size] = 0;
            assert_false(decode_any(bytes, size + 1, n));
            for (size_t cut = 0; cut < size; cut += 1 + cut / 32)
                assert_false(decode_any(bytes, cut, n));
            assert_false(decode_any(bytes, size - 1, n));
        }
}

static void test_flipped_bits_do_no_harm(void **state)
{
    (void)state;
    struct prng prng = prng_start(19);
    int64_t values[BLOCK_VALUES];
    uint8_t bytes[BOUND_MAX];
    size_t decoded = 0;
    for (int round = 0; round < 4000; round++) {
        const size_t n = 1 + prng_below(&prng, prng_below(&prng, 4) ? 100 : BLOCK_VALUES);
        shapes[prng_below(&prng, shape_count)].make(values, n, &prng);
        const size_t size = int_block_encode(bytes, values, n);
        const size_t reach = prng_below(&prng, 2) && size > 16 ? 16 : size;
        for (uint64_t flips = 1 + prng_below(&prng, 3); flips > 0; flips--)
            bytes[prng_below(&prng, reach)] ^= (uint8_t)(1u << prng_below(&prng, 8));
        decoded += decode_any(bytes, size, n);
    }
    assert_in_range(decoded, 100, 3900); /* or the test tests one outcome only */
}

static void test_wrong_heads_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint8_t bytes[16];
    } bad[] = {
        {0, {0}},
        {2, {0x03, 0}},                                /* no such shape */
        {2, {0x10, 0}},                                /* a constant of differences */
        {2, {0x41, 0}},                                /* no such flag */
        {5, {0x01, 0, 0, 0, 0}},                       /* factor 0 */
        {5, {0x01, 0, 1, 65, 0}},                      /* 65 bits */
        {6, {0x01, 0, 1, 0, 5, 1}},                    /* five exceptions of four values */
        {9, {0x01, 0, 1, 0, 1, 0, 0, 0, 0}},           /* exceptions of no bits */
        {9, {0x01, 0, 1, 0, 1, 65, 0, 0, 0}},          /* exceptions of 65 bits */
        {9, {0x01, 0, 1, 0, 1, 1, 4, 0, 1}},           /* the exception is value 4 of 0..3 */
        {11, {0x01, 0, 1, 0, 2, 1, 2, 0, 2, 0, 3}},    /* the same exception twice */
        {11, {0x01, 0, 1, 0, 2, 1, 2, 0, 1, 0, 3}},    /* exceptions in the wrong order */
        {6, {0x02, 1, 2, 0x02, 1, 2}},                 /* runs of runs */
        {7, {0x02, 1, 2, 0, 6, 0, 6}},                 /* a run of 3 for 4 values */
        {7, {0x02, 2, 2, 0, 6, 0, 0}},                 /* runs of no length */
        {11, {0x02, 2, 2, 0, 6, 0x21, 0, 4, 1, 0, 1}}, /* one of 4 and one of none */
        {7, {0x02, 0, 2, 0, 6, 0, 8}},                 /* no runs */
    };
    static const uint8_t good[] = {0x01, 0, 1, 0, 2, 1, 1, 0, 2, 0, 3};
    assert_true(decode_any(good, sizeof good, 4));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(decode_any(bad[i].bytes, bad[i].size, 4));
    assert_false(decode_any((const uint8_t[]){0, 0}, 2, 0));
    assert_int_equal(int_block_decode(NULL, BLOCK_VALUES + 1, good, sizeof good), VARVE_CORRUPT);
}

static void test_wrong_ranges_are_refused(void **state)
{
    (void)state;
    static const uint8_t block[] = {0, 2};
    int64_t sums[2] = {0, 0};
    assert_int_equal(int_block_sums(sums, (uint16_t[]){3, 5}, 2, 1, 5, block, 2), VARVE_OK);
    assert_int_equal(sums[0], 2);
    assert_int_equal(sums[1], 2);
    assert_int_equal(int_block_sums(sums, (uint16_t[]){3, 6}, 2, 0, 5, block, 2), VARVE_CORRUPT);
    assert_int_equal(int_block_sums(sums, (uint16_t[]){3, 2}, 2, 0, 5, block, 2), VARVE_CORRUPT);
    assert_int_equal(int_block_sums(sums, (uint16_t[]){3, 5}, 2, 4, 5, block, 2), VARVE_CORRUPT);
    assert_int_equal(int_block_sums(sums, NULL, 0, 6, 5, block, 2), VARVE_CORRUPT);
    assert_int_equal(int_block_sums(sums, NULL, 0, 5, 5, block, 2), VARVE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shape_and_length),
        cmocka_unit_test(test_every_width),
        cmocka_unit_test(test_what_is_regular_is_small),
        cmocka_unit_test(test_factor_is_taken_out),
        cmocka_unit_test(test_outliers_cost_little),
        cmocka_unit_test(test_low_outliers_cost_little_in_steps_too),
        cmocka_unit_test(test_runs_are_found),
        cmocka_unit_test(test_differences_survive_new_sessions),
        cmocka_unit_test(test_short_blocks_waste_no_rows),
        cmocka_unit_test(test_cut_and_grown_blocks_are_refused),
        cmocka_unit_test(test_flipped_bits_do_no_harm),
        cmocka_unit_test(test_wrong_heads_are_refused),
        cmocka_unit_test(test_wrong_ranges_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
