/* SPDX-License-Identifier: Apache-2.0
 *
 * test_column.c -- columns of any length: whole, by the block and by the range; and damaged ones.
 */
#include "../base/prng.h"
#include "../base/unit.h"
#include "base/fsum.h"
#include "base/str.h"
#include "store/column.h"
#include "store/text_codec.h"

#include <math.h>
#include <string.h>

enum { MOST = 5000 };

static struct mem mem;
static struct buf out;
static struct arena arena;
static struct text_codec *codec;
static int64_t ints[MOST], more_ints[MOST];
static double floats[MOST], more_floats[MOST];

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    buf_init(&out, &mem, 1 << 28);
    arena_init(&arena, &mem, 4096);
    return text_codec_make(&codec, &mem, NULL) != VARVE_OK;
}

static int teardown(void **state)
{
    (void)state;
    buf_free(&out);
    arena_free(&arena);
    text_codec_free(codec);
    return mem.used != 0;
}

static void open_column(struct column *column, uint8_t type)
{
    struct varve_err err = {0};
    if (column_open(column, out.data, out.size, type, "test", &err) != VARVE_OK)
        fail_msg("%s", err.message);
}

static const size_t sizes[] = {0, 1, 2, 63, 1023, 1024, 1025, 2048, 2049, 4999};

static void check_int_stats(const struct column *column)
{
    for (uint32_t b = 0; b < column->blocks; b++) {
        struct block_stats stats;
        const int64_t *v = ints + (size_t)b * BLOCK_VALUES;
        int64_t min = INT64_MAX, max = INT64_MIN;
        i128 sum = 0;
        for (uint32_t i = 0; i < column_block_size(column, b); i++) {
            min = v[i] < min ? v[i] : min;
            max = v[i] > max ? v[i] : max;
            sum += v[i];
        }
        assert_int_equal(column_block_stats(column, b, &stats), VARVE_OK);
        assert_int_equal(stats.min, min);
        assert_int_equal(stats.max, max);
        assert_true(stats.sum == sum);
    }
}

static void check_int_ranges(const struct column *column, struct prng *prng)
{
    for (int round = 0; round < 50; round++) {
        uint32_t from = (uint32_t)prng_below(prng, column->count + (uint64_t)1);
        uint32_t n = (uint32_t)prng_below(prng, column->count - from + (uint64_t)1);
        assert_int_equal(column_int_range(column, from, n, more_ints, NULL), VARVE_OK);
        assert_memory_equal(more_ints, ints + from, n * sizeof *ints);
    }
    assert_int_equal(column_int_range(column, column->count, 1, more_ints, NULL), VARVE_CORRUPT);
    assert_int_equal(column_int_range(column, 1, UINT32_MAX, more_ints, NULL), VARVE_CORRUPT);
}

static void test_ints(void **state)
{
    (void)state;
    struct prng prng = prng_start(1);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int round = 0; round < 8; round++) {
            struct column column;
            struct block_stats none;
            uint64_t bits = round == 0 ? 64 : prng_below(&prng, 64);
            for (size_t i = 0; i < sizes[s]; i++)
                ints[i] = bits ? (int64_t)(prng_next(&prng) >> (64 - bits)) : 5;
            buf_clear(&out);
            assert_int_equal(column_put_ints(&out, ints, sizes[s], round % 2, NULL), VARVE_OK);
            open_column(&column, COLUMN_INTS);
            assert_int_equal(column.count, sizes[s]);
            check_int_ranges(&column, &prng);
            if (round % 2)
                check_int_stats(&column);
            else
                assert_int_equal(column_block_stats(&column, 0, &none), VARVE_NOTFOUND);
        }
}

static void test_int_sums(void **state)
{
    (void)state;
    struct prng prng = prng_start(2);
    struct column column;
    for (size_t i = 0; i < 3000; i++)
        ints[i] = (int64_t)prng_below(&prng, 100000);
    buf_clear(&out);
    assert_int_equal(column_put_ints(&out, ints, 3000, 1, NULL), VARVE_OK);
    open_column(&column, COLUMN_INTS);
    const uint16_t ends[] = {20, 20, 500, 900};
    int64_t sums[4] = {1, 2, 3, 4}, expected[4] = {1, 2, 3, 4};
    for (size_t r = 0, at = 7; r < 4; r++)
        for (; at < ends[r]; at++)
            expected[r] += ints[1024 + at];
    assert_int_equal(column_sums(&column, 1, sums, ends, 4, 7, NULL), VARVE_OK);
    assert_memory_equal(sums, expected, sizeof sums);
    assert_int_equal(column_sums(&column, 3, sums, ends, 4, 7, NULL), VARVE_CORRUPT);
}

static void test_floats(void **state)
{
    (void)state;
    struct prng prng = prng_start(3);
    for (size_t s = 1; s < sizeof sizes / sizeof *sizes; s++) {
        struct column column;
        struct block_stats stats;
        for (size_t i = 0; i < sizes[s]; i++)
            floats[i] = (double)prng_below(&prng, 100000) / 100;
        floats[sizes[s] / 2] = -0.0;
        buf_clear(&out);
        assert_int_equal(column_put_floats(&out, floats, sizes[s], 1, NULL), VARVE_OK);
        open_column(&column, COLUMN_FLOATS);
        for (int round = 0; round < 50; round++) {
            uint32_t from = (uint32_t)prng_below(&prng, column.count + (uint64_t)1);
            uint32_t n = (uint32_t)prng_below(&prng, column.count - from + (uint64_t)1);
            assert_int_equal(column_float_range(&column, from, n, more_floats, NULL), VARVE_OK);
            assert_memory_equal(more_floats, floats + from, n * sizeof *floats);
        }
        for (uint32_t b = 0; b < column.blocks; b++) {
            struct fsum sum;
            double high, low, min = HUGE_VAL, max = -HUGE_VAL;
            fsum_clear(&sum);
            for (uint32_t i = 0; i < column_block_size(&column, b); i++) {
                double v = floats[b * BLOCK_VALUES + i];
                fsum_add(&sum, v);
                min = v < min ? v : min;
                max = v > max ? v : max;
            }
            int exact = fsum_split(&sum, &high, &low);
            assert_int_equal(column_block_stats(&column, b, &stats), VARVE_OK);
            assert_int_equal(stats.fexact, exact);
            assert_true(stats.fmin == min && stats.fmax == max);
            assert_true(stats.fsum_high == high && stats.fsum_low == low);
        }
    }
}

/* Statistics leave out what is no number, unless there is nothing else. */
static void test_nans(void **state)
{
    (void)state;
    struct column column;
    struct block_stats stats;
    const double some[] = {(double)NAN, 3, 1, (double)NAN, 2}, none[] = {(double)NAN};
    buf_clear(&out);
    assert_int_equal(column_put_floats(&out, some, 5, 1, NULL), VARVE_OK);
    open_column(&column, COLUMN_FLOATS);
    assert_int_equal(column_block_stats(&column, 0, &stats), VARVE_OK);
    assert_true(stats.fmin == 1 && stats.fmax == 3 && isnan(stats.fsum_high));
    buf_clear(&out);
    assert_int_equal(column_put_floats(&out, none, 1, 1, NULL), VARVE_OK);
    open_column(&column, COLUMN_FLOATS);
    assert_int_equal(column_block_stats(&column, 0, &stats), VARVE_OK);
    assert_true(isnan(stats.fmin) && isnan(stats.fmax));
}

static void test_texts(void **state)
{
    (void)state;
    static struct varve_str texts[MOST];
    static char room[MOST][24];
    struct prng prng = prng_start(4);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct column column;
        struct varve_str *all;
        for (size_t i = 0; i < sizes[s]; i++) {
            int n = snprintf(room[i], sizeof room[i], "%" PRIu64, prng_below(&prng, 1000000));
            texts[i] = (struct varve_str){room[i], prng_below(&prng, 9) ? (size_t)n : 0};
        }
        buf_clear(&out);
        arena_clear(&arena);
        assert_int_equal(column_put_texts(&out, codec, texts, sizes[s], NULL), VARVE_OK);
        open_column(&column, COLUMN_TEXTS);
        assert_int_equal(column_all_texts(&column, codec, &arena, &all, NULL), VARVE_OK);
        for (size_t i = 0; i < sizes[s]; i++)
            assert_true(str_equal(all[i], texts[i]));
    }
}

/* Texts of a block that are too long for one text block are cut into parts. */
static void test_long_texts(void **state)
{
    (void)state;
    enum { LONG = 7 << 20, COUNT = 9 };
    static char heap[LONG + 16];
    struct varve_str texts[COUNT], *all;
    struct column column;
    struct varve_err err;
    for (size_t i = 0; i < sizeof heap; i++)
        heap[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < COUNT; i++)
        texts[i] = (struct varve_str){heap + i, i == 4 ? 0 : LONG};
    buf_clear(&out);
    arena_clear(&arena);
    assert_int_equal(column_put_texts(&out, codec, texts, COUNT, NULL), VARVE_OK);
    open_column(&column, COLUMN_TEXTS);
    assert_int_equal(column.blocks, 1);
    assert_int_equal(column_all_texts(&column, codec, &arena, &all, NULL), VARVE_OK);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(str_equal(all[i], texts[i]));
    texts[3].size = TEXT_BLOCK_MAX + (size_t)1;
    buf_clear(&out);
    assert_int_equal(column_put_texts(&out, codec, texts, COUNT, &err), VARVE_LIMIT);
    assert_string_equal(err.message, "a text of 16777217 bytes, at most 16777216 are possible");
    arena_free(&arena);
}

/* Columns stand one behind the other in a buffer; what a column costs is its head and its
 * blocks. */
static void test_sizes(void **state)
{
    (void)state;
    struct column column;
    for (size_t i = 0; i < 3000; i++)
        ints[i] = 7;
    buf_clear(&out);
    assert_int_equal(column_put_ints(&out, ints, 10, 0, NULL), VARVE_OK);
    size_t first = out.size;
    assert_true(first <= 3);
    assert_int_equal(column_put_ints(&out, ints, 3000, 0, NULL), VARVE_OK);
    assert_true(out.size - first <= 3 + 2 * 4 + 3 * 2);
    assert_int_equal(
        column_open(&column, out.data + first, out.size - first, COLUMN_INTS, "", NULL), VARVE_OK);
    assert_int_equal(column_int_range(&column, 0, 3000, more_ints, NULL), VARVE_OK);
    assert_memory_equal(ints, more_ints, 3000 * sizeof *ints);
    struct varve_err err;
    assert_int_equal(column_put_ints(&out, ints, COLUMN_MOST + (size_t)1, 0, &err), VARVE_LIMIT);
}

/* Any bytes may be refused or decoded; nothing is read beyond them (a sanitizer watches). */
static void test_damage(void **state)
{
    (void)state;
    struct prng prng = prng_start(6);
    int64_t block[BLOCK_VALUES];
    struct varve_err err;
    for (size_t i = 0; i < 3000; i++)
        ints[i] = (int64_t)prng_below(&prng, 1000);
    buf_clear(&out);
    assert_int_equal(column_put_ints(&out, ints, 3000, 1, NULL), VARVE_OK);
    for (int round = 0; round < 3000; round++) {
        size_t size = prng_below(&prng, 4) ? out.size : (size_t)prng_below(&prng, out.size);
        uint8_t *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, out.data, size);
        for (int n = 0; n < 3 && size > 0; n++)
            copy[prng_below(&prng, prng_below(&prng, 2) ? (size < 40 ? size : 40) : size)] =
                (uint8_t)prng_next(&prng);
        struct column column;
        if (column_open(&column, copy, size, COLUMN_INTS, "test", &err) == VARVE_OK) {
            assert_true(column.count <= COLUMN_MOST && column.blocks <= size);
            for (uint32_t b = 0; b < column.blocks; b++) {
                struct block_stats stats;
                if (column_ints(&column, b, block, &err) != VARVE_OK)
                    assert_int_equal(err.status, VARVE_CORRUPT);
                enum varve_status status = column_block_stats(&column, b, &stats);
                assert_true(status != VARVE_NOTFOUND || !column.stats);
            }
        }
        free(copy);
    }
}

static void test_wrong_type(void **state)
{
    (void)state;
    struct column column;
    struct varve_err err;
    buf_clear(&out);
    assert_int_equal(column_put_ints(&out, ints, 10, 0, NULL), VARVE_OK);
    assert_int_equal(column_open(&column, out.data, out.size, COLUMN_TEXTS, "a place", &err),
                     VARVE_CORRUPT);
    assert_string_equal(err.message, "a column of type 0, expected 2");
    assert_string_equal(err.place, "a place");
    assert_int_equal(column_open(&column, out.data, 0, COLUMN_INTS, "a place", &err),
                     VARVE_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ints),       cmocka_unit_test(test_int_sums),
        cmocka_unit_test(test_floats),     cmocka_unit_test(test_nans),
        cmocka_unit_test(test_texts),      cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_sizes),      cmocka_unit_test(test_damage),
        cmocka_unit_test(test_wrong_type),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
