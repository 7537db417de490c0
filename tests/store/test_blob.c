/* SPDX-License-Identifier: Apache-2.0
 *
 * test_blob.c -- the container: sections come out as they went in, or not at all.
 */
#include "../base/prng.h"
#include "../base/unit.h"
#include "base/hash.h"
#include "reseal.h"
#include "store/blob.h"

#include <string.h>

enum { SEED = 77, SECTIONS = 40 };

static struct mem mem;
static struct buf out;
static struct arena arena;
static struct blob_writer writer;

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    buf_init(&out, &mem, 1 << 24);
    arena_init(&arena, &mem, 4096);
    blob_writer_init(&writer, &mem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_free(&out);
    arena_free(&arena);
    blob_writer_free(&writer);
    return mem.used != 0;
}

/* A section whose bytes follow from id, index and size. */
static void put(uint16_t id, uint16_t index, size_t size)
{
    blob_section_begin(&writer);
    for (size_t i = 0; i < size; i++)
        buf_put8(&writer.body, (uint8_t)(id * 31u + index * 7u + i));
    blob_section_end(&writer, id, index);
}

static void expect(struct blob *blob, uint16_t id, uint16_t index, size_t size)
{
    const uint8_t *bytes;
    size_t found;
    assert_int_equal(blob_section(blob, id, index, &bytes, &found, NULL), VARVE_OK);
    assert_int_equal(found, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], (uint8_t)(id * 31u + index * 7u + i));
}

static void finish(const struct blob_head *head)
{
    struct varve_err err;
    buf_clear(&out);
    if (blob_finish(&writer, head, SEED, &out, &err) != VARVE_OK)
        fail_msg("%s", err.message);
    blob_writer_clear(&writer);
}

static void open_blob(struct blob *blob)
{
    struct varve_err err;
    arena_clear(&arena);
    if (blob_open(blob, &arena, out.data, out.size, SEED, "day 2026-10-08", &err) != VARVE_OK)
        fail_msg("%s", err.message);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct prng prng = prng_start(1);
    const int64_t edges[] = {INT64_MIN, INT64_MAX, 0, -1, INT64_C(1791417600000000000)};
    for (int round = 0; round < 200; round++) {
        size_t sizes[SECTIONS];
        uint32_t sections = (uint32_t)prng_below(&prng, SECTIONS);
        struct blob_head head = {BLOB_TABLE, (uint32_t)prng_next(&prng),
                                 edges[prng_below(&prng, 5)], edges[prng_below(&prng, 5)]};
        for (uint32_t i = 0; i < sections; i++) {
            sizes[i] = (size_t)prng_below(&prng, UINT64_C(1) << prng_below(&prng, 14));
            put((uint16_t)(i * 1601), (uint16_t)(i % 3 * 21845), sizes[i]);
        }
        finish(&head);
        struct blob blob;
        open_blob(&blob);
        assert_int_equal(blob.sections, sections);
        assert_int_equal(blob.head.kind, BLOB_TABLE);
        assert_int_equal(blob.head.rows, head.rows);
        assert_int_equal(blob.head.first, head.first);
        assert_int_equal(blob.head.last, head.last);
        for (uint32_t i = sections; i-- > 0;)
            expect(&blob, (uint16_t)(i * 1601), (uint16_t)(i % 3 * 21845), sizes[i]);
        assert_int_equal(blob_verify(&blob, NULL), VARVE_OK);
        const uint8_t *bytes;
        size_t size;
        assert_int_equal(blob_section(&blob, 3, 3, &bytes, &size, NULL), VARVE_NOTFOUND);
    }
}

static void small_blob(void)
{
    const struct blob_head head = {BLOB_METRICS, 5, 1000, 2000};
    put(1, 0, 100);
    put(2, 0, 5000); /* ends the first group */
    put(2, 1, 0);
    put(300, 7, 200);
    finish(&head);
}

/* Small sections share a checksum. */
static void test_groups(void **state)
{
    (void)state;
    struct blob blob;
    small_blob();
    open_blob(&blob);
    assert_int_equal(blob.groups, 2);
    assert_int_equal(blob.entries[1].group, 0);
    assert_int_equal(blob.entries[2].group, 1);
    const struct blob_head head = {BLOB_METRICS, 5, 1000, 2000};
    for (uint16_t i = 0; i < 30; i++)
        put(i, 0, 10);
    finish(&head);
    assert_true(out.size <= 30 * 10 + 30 * 2 + 40);
}

/* Damage in one group does not take the others with it. */
static void test_only_what_is_damaged(void **state)
{
    (void)state;
    struct blob blob;
    struct varve_err err;
    const uint8_t *bytes;
    size_t size;
    small_blob();
    out.data[out.size - 1] ^= 1;
    open_blob(&blob);
    expect(&blob, 1, 0, 100);
    expect(&blob, 2, 0, 5000);
    assert_int_equal(blob_section(&blob, 300, 7, &bytes, &size, &err), VARVE_CORRUPT);
    assert_string_equal(err.place, "day 2026-10-08");
    assert_non_null(strstr(err.message, "(section 300.7) does not match"));
    assert_int_equal(blob_section(&blob, 2, 1, &bytes, &size, &err), VARVE_CORRUPT);
    assert_int_equal(blob_verify(&blob, &err), VARVE_CORRUPT);
}

static void test_every_bit(void **state)
{
    (void)state;
    small_blob();
    for (size_t bit = 0; bit < out.size * 8; bit++) {
        struct blob blob;
        struct varve_err err;
        arena_clear(&arena);
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum varve_status status = blob_open(&blob, &arena, out.data, out.size, SEED, "here", &err);
        if (status == VARVE_OK)
            status = blob_verify(&blob, &err);
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (status != VARVE_CORRUPT && status != VARVE_VERSION)
            fail_msg("bit %zu: status %d", bit, status);
    }
    for (size_t size = 0; size < out.size; size++) {
        struct blob blob;
        arena_clear(&arena);
        assert_int_equal(blob_open(&blob, &arena, out.data, size, SEED, "here", NULL),
                         VARVE_CORRUPT);
    }
}

static void test_place_and_version(void **state)
{
    (void)state;
    struct blob blob;
    struct varve_err err;
    small_blob();
    assert_int_equal(blob_open(&blob, &arena, out.data, out.size, SEED + 1, "there", &err),
                     VARVE_CORRUPT);
    assert_non_null(strstr(err.message, "written for another place"));
    out.data[5] = 9;
    assert_int_equal(blob_open(&blob, &arena, out.data, out.size, SEED, "there", &err),
                     VARVE_VERSION);
    assert_string_equal(err.message, "blob version 9, this library knows 1; use a newer library");
}

/* A directory that says anything, with its checksum right: no section lies outside. */
static void test_forged_directory(void **state)
{
    (void)state;
    struct prng prng = prng_start(3);
    small_blob();
    size_t directory = out.size - 5300;
    int opened = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t copy[6000];
        struct blob blob;
        memcpy(copy, out.data, out.size);
        for (int n = 0; n < 3; n++)
            copy[6 + prng_below(&prng, directory - 6)] = (uint8_t)prng_next(&prng);
        if (!reseal(copy, out.size, SEED))
            continue;
        arena_clear(&arena);
        if (blob_open(&blob, &arena, copy, out.size, SEED, "", NULL) != VARVE_OK)
            continue;
        opened++;
        for (uint32_t i = 0; i < blob.sections; i++)
            assert_true(blob.entries[i].offset <= out.size &&
                        blob.entries[i].size <= out.size - blob.entries[i].offset);
        assert_int_equal(blob_verify(&blob, NULL), VARVE_OK);
    }
    assert_true(opened > 100);
}

static void test_errors_stick(void **state)
{
    (void)state;
    struct mem little;
    struct blob_writer tight;
    const struct blob_head head = {BLOB_METRICS, 0, 0, 0};
    mem_init(&little, NULL, 300);
    blob_writer_init(&tight, &little);
    blob_section_begin(&tight);
    for (int i = 0; i < 1000; i++)
        buf_put8(&tight.body, 1);
    blob_section_end(&tight, 1, 0);
    blob_section_begin(&tight);
    blob_section_end(&tight, 2, 0);
    buf_clear(&out);
    assert_int_equal(blob_finish(&tight, &head, SEED, &out, NULL), VARVE_NOMEM);
    assert_int_equal(out.size, 0);
    blob_writer_free(&tight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),           cmocka_unit_test(test_groups),
        cmocka_unit_test(test_only_what_is_damaged), cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_place_and_version),    cmocka_unit_test(test_forged_directory),
        cmocka_unit_test(test_errors_stick),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
