/* SPDX-License-Identifier: Apache-2.0
 *
 * test_segment_damage.c -- segments whose bytes are not what was written, and too little memory.
 *
 * A flipped bit is found by a checksum.  Bytes with their checksums made right again, as somebody
 * might forge them, may say anything, but reading them does no harm.
 */
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "random_rows.h"
#include "reseal.h"
#include "store/segment.h"
#include "store/text_codec.h"

#include <string.h>

enum { SEED = 42, PLACE = 1000, MEMORY = 256 << 20 };

/* A blob of up to `most` rows in memory of the C library. */
static size_t make_blob(uint64_t seed, size_t most, uint8_t **bytes)
{
    struct mem mem;
    struct rowset set;
    struct segment_builder builder;
    struct buf out;
    struct prng prng = {seed};
    mem_init(&mem, NULL, 0);
    buf_init(&out, &mem, 1 << 28);
    assert_int_equal(rowset_init(&set, &mem, SEED, NULL), VARVE_OK);
    assert_int_equal(segment_builder_init(&builder, &mem, NULL), VARVE_OK);
    random_rows(&set, &prng, most);
    assert_int_equal(segment_build(&builder, &set, NULL, 0, PLACE, &out, NULL), VARVE_OK);
    size_t size = out.size;
    *bytes = malloc(size);
    assert_non_null(*bytes);
    memcpy(*bytes, out.data, size);
    segment_builder_free(&builder);
    rowset_free(&set);
    buf_free(&out);
    assert_int_equal(mem.used, 0);
    return size;
}

/* What reading needs. */
struct eye {
    struct mem mem;
    struct arena arena;
    struct text_codec *texts;
    struct rowset rows;
};

static void eye_open(struct eye *eye)
{
    mem_init(&eye->mem, NULL, MEMORY);
    arena_init(&eye->arena, &eye->mem, 1 << 14);
    assert_int_equal(text_codec_make(&eye->texts, &eye->mem, NULL), VARVE_OK);
    assert_int_equal(rowset_init(&eye->rows, &eye->mem, SEED, NULL), VARVE_OK);
}

static void eye_close(struct eye *eye)
{
    rowset_free(&eye->rows);
    text_codec_free(eye->texts);
    arena_free(&eye->arena);
    assert_int_equal(eye->mem.used, 0);
}

/* Opens, verifies, and reads in every way; answers what verifying said. */
static enum varve_status
read_all(struct eye *eye, const uint8_t *bytes, size_t size, struct varve_err *err)
{
    struct segment segment;
    arena_clear(&eye->arena);
    assert_int_equal(rowset_clear(&eye->rows, NULL), VARVE_OK);
    enum varve_status status =
        segment_open(&segment, &eye->arena, eye->texts, bytes, size, PLACE, "here", err);
    if (status != VARVE_OK)
        return status;
    enum varve_status verified = segment_verify(&segment, err);
    for (uint32_t m = 0; m < segment.metric_count; m++) {
        struct segment_runs runs;
        const int64_t *sums;
        const double *high, *low;
        int64_t starts[100], ends[100];
        if (segment_runs(&segment, m, &eye->arena, &runs, NULL) == VARVE_OK)
            for (uint32_t r = 0; r < runs.count; r++) {
                uint32_t n = runs.rows[r] < 100 ? runs.rows[r] : 100;
                status = segment_times(&segment, runs.time[r], 0, n, starts, ends, NULL);
                assert_true(verified != VARVE_OK || status == VARVE_OK);
            }
        status = segment_int_sums(&segment, m, &eye->arena, &sums, NULL);
        assert_true(verified != VARVE_OK || status == VARVE_OK);
        status = segment_float_sums(&segment, m, &eye->arena, &high, &low, NULL);
        assert_true(verified != VARVE_OK || status == VARVE_OK);
    }
    status = segment_load(&segment, &eye->rows, NULL);
    assert_int_equal(eye->rows.row_count, status == VARVE_OK ? segment.blob.head.rows : 0);
    assert_true(verified != VARVE_OK || status == VARVE_OK);
    return verified;
}

static void test_every_bit_is_watched(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t size = make_blob(5, 60, &bytes);
    struct eye eye;
    struct varve_err err;
    eye_open(&eye);
    assert_int_equal(read_all(&eye, bytes, size, &err), VARVE_OK);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= (uint8_t)(1u << i % 8);
        enum varve_status status = read_all(&eye, bytes, size, &err);
        if (status != VARVE_CORRUPT && status != VARVE_VERSION)
            fail_msg("byte %zu of %zu: status %d", i, size, status);
        assert_string_equal(err.place, "here");
        bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t n = 0; n < size; n++)
        assert_int_not_equal(read_all(&eye, bytes, n, &err), VARVE_OK);
    eye_close(&eye);
    free(bytes);
}

/* The seed binds a blob to its place. */
static void test_wrong_place(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t size = make_blob(6, 60, &bytes);
    struct eye eye;
    struct segment segment;
    struct varve_err err;
    eye_open(&eye);
    assert_int_equal(
        segment_open(&segment, &eye.arena, eye.texts, bytes, size, PLACE + 1, "there", &err),
        VARVE_CORRUPT);
    assert_non_null(strstr(err.message, "written for another place"));
    eye_close(&eye);
    free(bytes);
}

/* Forged bytes: refused or read, never harmful; and mostly it is noticed that they are wrong. */
static void test_forged(void **state)
{
    (void)state;
    struct prng prng = prng_start(99);
    struct eye eye;
    int tried = 0, noticed = 0;
    eye_open(&eye);
    for (int blob = 0; blob < 12; blob++) {
        uint8_t *bytes, *copy;
        size_t size = make_blob(prng_next(&prng), (size_t)8 << blob % 8, &bytes);
        copy = malloc(size);
        assert_non_null(copy);
        for (int round = 0; round < 150; round++) {
            memcpy(copy, bytes, size);
            for (uint64_t n = 1 + prng_below(&prng, 3); n > 0; n--)
                copy[prng_below(&prng, size)] =
                    prng_below(&prng, 2) ? (uint8_t)prng_next(&prng) : 0xff;
            if (!reseal(copy, size, PLACE) || memcmp(copy, bytes, size) == 0)
                continue;
            tried++;
            noticed += read_all(&eye, copy, size, NULL) != VARVE_OK;
        }
        free(copy);
        free(bytes);
    }
    eye_close(&eye);
    assert_true(tried > 1000);
    assert_true(noticed > tried / 2); /* a changed text is as good as another */
}

/* A claim must be paid for in bytes before memory is. */
static void test_false_claims(void **state)
{
    (void)state;
    uint8_t forged[16 + 8 + 8 + 20] = "VARV\1\1\xff\xff\xff\xff\x0f"; /* 4 G rows */
    forged[13] = 1;                                                   /* one section: */
    forged[14] = 1 << 2 | 1; /* META, the last of its group, */
    forged[15] = 20;         /* of 20 bytes */
    struct eye eye;
    eye_open(&eye);
    assert_true(reseal(forged, sizeof forged, PLACE));
    struct varve_err err = {0};
    assert_int_equal(read_all(&eye, forged, sizeof forged, &err), VARVE_CORRUPT);
    assert_string_equal(err.message, "4294967295 rows in 52 bytes cannot be");
    assert_true(eye.mem.peak < 1 << 20);
    eye_close(&eye);
}

static void build_and_read(struct alloc_fault *fault)
{
    struct mem mem;
    struct rowset set = {0}, loaded = {0};
    struct segment_builder builder = {0};
    struct segment segment;
    struct arena arena;
    struct buf out;
    struct prng prng = {8};
    mem_init(&mem, NULL, 0);
    assert_int_equal(rowset_init(&set, &mem, SEED, NULL), VARVE_OK);
    random_rows(&set, &prng, 200);
    struct mem tight;
    mem_init(&tight, &fault->allocator, 0);
    buf_init(&out, &tight, 1 << 28);
    arena_init(&arena, &tight, 256);
    enum varve_status status = segment_builder_init(&builder, &tight, NULL);
    if (status == VARVE_OK)
        status = segment_build(&builder, &set, NULL, 0, PLACE, &out, NULL);
    if (status == VARVE_OK)
        status = rowset_init(&loaded, &tight, SEED, NULL);
    if (status == VARVE_OK)
        status = segment_open(&segment, &arena, builder.texts, out.data, out.size, PLACE, "", NULL);
    if (status == VARVE_OK)
        status = segment_verify(&segment, NULL);
    if (status == VARVE_OK)
        status = segment_load(&segment, &loaded, NULL);
    assert_true(status == VARVE_OK || status == VARVE_NOMEM);
    assert_true(status == VARVE_OK || fault->failed > 0);
    if (loaded.mem)
        rowset_free(&loaded);
    segment_builder_free(&builder);
    arena_free(&arena);
    buf_free(&out);
    rowset_free(&set);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    int rounds = 0;
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault); rounds++) {
        build_and_read(&fault);
        assert_true(alloc_fault_is_clean(&fault));
    }
    assert_true(rounds > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_is_watched),
        cmocka_unit_test(test_wrong_place),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_false_claims),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
