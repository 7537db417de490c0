/* SPDX-License-Identifier: Apache-2.0
 *
 * test_int_kernels.c -- each build of the loops against a field-by-field reading of the layout.
 *
 * The reference knows only where bit b of field i lies.  AVX2 is skipped, and
 * says so, where the machine or the build has none.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/bits.h"
#include "codec/int_block.h"
#include "codec/int_kernels.h"

#include "../base/prng.h"
#include "../base/unit.h"

#define VALUES (LANES * LANE_ROWS)

static const struct int_kernels *kernels[2] = {&int_kernels_scalar};
static size_t kernel_count = 1;

static uint32_t mask32(unsigned width)
{
    return (uint32_t)bit_mask(width);
}

/* Bit b of field i is bit row * width + b of lane i % 32, whose words lie 128 bytes apart. */
static uint32_t field_at(const uint8_t *bytes, unsigned width, size_t i)
{
    uint32_t v = 0;
    for (unsigned b = 0; b < width; b++) {
        const size_t bit = i / LANES * width + b;
        const size_t byte = bit / 32 * ROW_BYTES + i % LANES * 4 + bit % 32 / 8;
        v |= (uint32_t)(bytes[byte] >> bit % 8 & 1) << b;
    }
    return v;
}

static void test_unpack_follows_the_layout(void **state)
{
    (void)state;
    struct prng prng = prng_start(1);
    for (unsigned width = 0; width <= 32; width++)
        for (size_t rows = 1; rows <= LANE_ROWS; rows += rows < 29 ? 4 : 1) {
            const size_t size = lane_words(rows, width) * ROW_BYTES;
            uint8_t *bytes = malloc(size + 1); /* the kernels read no byte more */
            uint32_t out[VALUES];
            assert_non_null(bytes);
            for (size_t i = 0; i < size; i++)
                bytes[i + 1] = (uint8_t)prng_next(&prng);
            for (size_t k = 0; k < kernel_count; k++) {
                kernels[k]->unpack(out, bytes + 1, width, rows);
                for (size_t i = 0; i < rows * LANES; i++)
                    assert_int_equal(out[i], field_at(bytes + 1, width, i));
            }
            free(bytes);
        }
}

static void test_pack_and_back(void **state)
{
    (void)state;
    struct prng prng = prng_start(2);
    uint32_t in[VALUES], out[VALUES];
    uint8_t bytes[2][VALUES * 4 + 1];
    for (unsigned width = 0; width <= 32; width++)
        for (size_t rows = 1; rows <= LANE_ROWS; rows++) {
            const size_t size = lane_words(rows, width) * ROW_BYTES;
            for (size_t i = 0; i < rows * LANES; i++)
                in[i] = (uint32_t)prng_next(&prng); /* bits over the width are left out */
            for (size_t k = 0; k < kernel_count; k++) {
                bytes[k][size] = 0xa5;
                kernels[k]->pack(bytes[k], in, width, rows);
                assert_int_equal(bytes[k][size], 0xa5);
                kernels[k]->unpack(out, bytes[k], width, rows);
                for (size_t i = 0; i < rows * LANES; i++)
                    assert_int_equal(out[i], in[i] & mask32(width));
            }
            if (kernel_count == 2)
                assert_memory_equal(bytes[0], bytes[1], size);
        }
}

static void test_widen_and_join(void **state)
{
    (void)state;
    static const uint64_t factors[] = {1, 2, 50, 0xffffffff, UINT64_C(1) << 32, UINT64_MAX};
    struct prng prng = prng_start(3);
    uint32_t low[VALUES], high[VALUES];
    int64_t out[VALUES];
    for (size_t f = 0; f < sizeof factors / sizeof *factors; f++) {
        const uint64_t base = prng_next(&prng);
        for (size_t i = 0; i < VALUES; i++) {
            low[i] = (uint32_t)prng_next(&prng) | (i % 3 ? 0 : ~0u);
            high[i] = (uint32_t)prng_next(&prng);
        }
        for (size_t k = 0; k < kernel_count; k++) {
            kernels[k]->widen(out, low, LANE_ROWS, base, factors[f]);
            for (size_t i = 0; i < VALUES; i++)
                assert_int_equal(out[i], base + factors[f] * low[i]);
            kernels[k]->join(out, low, high, LANE_ROWS, base, factors[f]);
            for (size_t i = 0; i < VALUES; i++)
                assert_int_equal(out[i], base + factors[f] * ((uint64_t)high[i] << 32 | low[i]));
        }
    }
}

static void test_prefix(void **state)
{
    (void)state;
    for (size_t k = 0; k < kernel_count; k++) {
        int64_t values[4] = {1, INT64_MAX, -3, 0};
        kernels[k]->prefix(values, 4, 5);
        assert_int_equal(values[0], 6);
        assert_int_equal(values[1], INT64_MIN + 5);
        assert_int_equal(values[2], INT64_MIN + 2);
        assert_int_equal(values[3], INT64_MIN + 2);
    }
}

/* Ends that ascend to n, by steps of 0 to longest. */
static size_t make_ranges(uint16_t *ends, size_t first, size_t n, size_t longest, struct prng *prng)
{
    size_t count = 0;
    for (size_t at = first; count < VALUES && at < n; count++) {
        at += prng_below(prng, longest + 1);
        ends[count] = (uint16_t)(at < n ? at : n);
    }
    return count;
}

static void check_ranges(const struct int_kernels *k, const uint32_t *u, unsigned width,
                         size_t first, const uint16_t *ends, size_t ranges)
{
    const uint64_t base = UINT64_C(0x123456789), factor = 50;
    int64_t sums[VALUES], values[VALUES];
    for (size_t i = 0; i < VALUES; i++)
        values[i] = (int64_t)(base + factor * u[i]);
    for (size_t r = 0; r < ranges; r++)
        sums[r] = (int64_t)r;
    k->sum_ranges(sums, ends, ranges, first, u, width, base, factor);
    for (size_t r = 0, at = first; r < ranges; r++) {
        int64_t sum = (int64_t)r;
        for (; at < ends[r]; at++)
            sum += values[at];
        assert_int_equal(sums[r], sum);
        sums[r] = (int64_t)r;
    }
    k->sum_values(sums, ends, ranges, first, values);
    for (size_t r = 0, at = first; r < ranges; r++) {
        int64_t sum = (int64_t)r;
        for (; at < ends[r]; at++)
            sum += values[at];
        assert_int_equal(sums[r], sum);
    }
}

/* The largest fields, so that too narrow a sum would overflow, and slack that would show. */
static void test_sums_do_not_overflow(void **state)
{
    (void)state;
    static const size_t longest[] = {1, 4, 8, 31, 32, 33, 64, 400, VALUES};
    struct prng prng = prng_start(4);
    uint32_t u[VALUES + SUM_SLACK];
    uint16_t ends[VALUES];
    memset(u, 0xff, sizeof u);
    for (unsigned width = 0; width <= 32; width++)
        for (size_t l = 0; l < sizeof longest / sizeof *longest; l++) {
            const size_t first = prng_below(&prng, 3) ? 0 : prng_below(&prng, VALUES);
            for (size_t i = 0; i < VALUES; i++)
                u[i] = mask32(width) - (uint32_t)(i % 7 == 1 && width > 0);
            const size_t ranges = make_ranges(ends, first, VALUES, longest[l], &prng);
            for (size_t k = 0; k < kernel_count; k++)
                check_ranges(kernels[k], u, width, first, ends, ranges);
        }
}

static void test_extent_and_changes(void **state)
{
    (void)state;
    struct prng prng = prng_start(5);
    int64_t values[VALUES];
    for (size_t n = 1; n <= VALUES; n += 1 + n / 16)
        for (unsigned bits = 0; bits < 64; bits += 7) {
            int64_t min = INT64_MAX, max = INT64_MIN;
            size_t changes = 0;
            for (size_t i = 0; i < n; i++) {
                values[i] = (int64_t)prng_next(&prng) >> bits;
                min = values[i] < min ? values[i] : min;
                max = values[i] > max ? values[i] : max;
                changes += i > 0 && values[i] != values[i - 1];
            }
            for (size_t k = 0; k < kernel_count; k++) {
                int64_t low, high;
                kernels[k]->extent(values, n, &low, &high);
                assert_int_equal(low, min);
                assert_int_equal(high, max);
                assert_int_equal(kernels[k]->changes(values, n), changes);
            }
        }
}

static void test_choice(void **state)
{
    (void)state;
    int_block_use_scalar(1);
    assert_string_equal(int_block_kernel(), "scalar");
    int_block_use_scalar(0);
    assert_string_equal(int_block_kernel(), kernel_count == 2 ? "avx2" : "scalar");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unpack_follows_the_layout),
        cmocka_unit_test(test_pack_and_back),
        cmocka_unit_test(test_widen_and_join),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_sums_do_not_overflow),
        cmocka_unit_test(test_extent_and_changes),
        cmocka_unit_test(test_choice),
    };
    if (int_kernels() != &int_kernels_scalar)
        kernels[kernel_count++] = int_kernels();
    printf("# kernels: %s\n", kernel_count == 2 ? "scalar and avx2" : "scalar only");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
