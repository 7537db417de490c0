/* SPDX-License-Identifier: Apache-2.0
 *
 * test_text_block.c -- texts come back, UUIDs shrink, false claims are refused.
 *
 * The allocator counts what is out and can fail on the n-th call.
 */
#include "codec/text_block.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "codec/text_format.h"

#include "../base/prng.h"
#include "../base/unit.h"

struct heap {
    size_t out;
    size_t calls, fail_at; /* fail_at 0: never */
};

static void *heap_alloc(void *context, size_t size)
{
    struct heap *heap = context;
    if (++heap->calls == heap->fail_at)
        return NULL;
    heap->out++;
    return malloc(size);
}

static void heap_release(void *context, void *pointer)
{
    struct heap *heap = context;
    heap->out -= pointer != NULL;
    free(pointer);
}

static struct heap heap;
static struct text_codec *codec;

static int set_up(void **state)
{
    (void)state;
    heap = (struct heap){0};
    codec = text_codec_new(heap_alloc, heap_release, &heap);
    return codec ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    text_codec_free(codec);
    return heap.out == 0 ? 0 : -1;
}

/* Decodes from and into heap blocks of exactly the size; texts point into *room, to be freed. */
static enum varve_status
decode_exact(struct varve_str *texts, size_t n, char **room, const uint8_t *bytes, size_t size)
{
    size_t need = 0;
    uint8_t *src = malloc(size + 1);
    assert_non_null(src);
    memcpy(src + 1, bytes, size);
    *room = NULL;
    enum varve_status status = text_block_heap(src + 1, size, n, &need);
    if (status == VARVE_OK) {
        assert_true(need <= TEXT_BLOCK_MAX);
        *room = need > 0 ? malloc(need) : NULL;
        status = text_block_decode(codec, texts, n, *room, need, src + 1, size);
    }
    free(src);
    return status;
}

static void assert_same(const struct varve_str *a, const struct varve_str *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(a[i].size, b[i].size);
        assert_non_null(a[i].data);
        assert_memory_equal(a[i].data, b[i].data, a[i].size);
    }
}

static size_t check(const struct varve_str *texts, size_t n, unsigned *shape)
{
    const size_t bound = text_block_bound(texts, n);
    uint8_t *bytes[2] = {malloc(bound), malloc(bound)};
    struct varve_str decoded[BLOCK_VALUES];
    size_t size = 0;
    char *room;
    for (int i = 0; i < 2; i++) {
        assert_non_null(bytes[i]);
        assert_int_equal(text_block_encode(codec, bytes[i], &size, texts, n), VARVE_OK);
        assert_true(size <= bound);
    }
    assert_memory_equal(bytes[0], bytes[1], size);
    assert_int_equal(decode_exact(decoded, n, &room, bytes[0], size), VARVE_OK);
    assert_same(decoded, texts, n);
    *shape = bytes[0][0];
    free(room);
    free(bytes[0]);
    free(bytes[1]);
    return size;
}

#define POOL (BLOCK_VALUES * 64)
static char pool[POOL];
static struct varve_str texts[BLOCK_VALUES];

/* n texts of up to `longest` characters of an alphabet. */
static void make_texts(size_t n, size_t longest, unsigned alphabet, struct prng *prng)
{
    for (size_t i = 0; i < POOL; i++)
        pool[i] = (char)('a' + (int)prng_below(prng, alphabet));
    for (size_t i = 0; i < n; i++)
        texts[i] = (struct varve_str){pool + i * 64, prng_below(prng, longest + 1)};
}

static void make_uuids(size_t n, struct prng *prng)
{
    for (size_t i = 0; i < n; i++) {
        char *p = pool + i * 64;
        for (size_t c = 0; c < UUID_TEXT; c++)
            p[c] = c == 8 || c == 13 || c == 18 || c == 23
                       ? '-'
                       : "0123456789abcdef"[prng_below(prng, 16)];
        texts[i] = (struct varve_str){p, UUID_TEXT};
    }
}

static void test_every_length(void **state)
{
    (void)state;
    struct prng prng = prng_start(31);
    unsigned shape;
    for (size_t n = 1; n <= BLOCK_VALUES; n += 1 + n / 32) {
        make_texts(n, prng_below(&prng, 60), 2 + (unsigned)prng_below(&prng, 24), &prng);
        check(texts, n, &shape);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    struct prng prng = prng_start(32);
    unsigned shape;
    make_uuids(BLOCK_VALUES, &prng);
    assert_int_equal(check(texts, BLOCK_VALUES, &shape), 1 + 16 * BLOCK_VALUES);
    assert_int_equal(shape, TEXT_UUIDS);
    make_texts(BLOCK_VALUES, 60, 4, &prng);
    assert_true(check(texts, BLOCK_VALUES, &shape) < 30 * BLOCK_VALUES / 2);
    assert_int_equal(shape, TEXT_ZSTD);
    for (size_t i = 0; i < POOL; i++)
        pool[i] = (char)prng_next(&prng);
    check(texts, BLOCK_VALUES, &shape);
    assert_int_equal(shape, TEXT_PLAIN);
}

static void test_what_only_looks_like_uuids(void **state)
{
    (void)state;
    static const char spoilers[] = "ABCDEFgG-:`/@ \0";
    struct prng prng = prng_start(33);
    unsigned shape;
    for (size_t i = 0; i < 200; i++) {
        make_uuids(4, &prng);
        char *c = pool + prng_below(&prng, 4) * 64 + prng_below(&prng, UUID_TEXT);
        const char spoiler = spoilers[prng_below(&prng, sizeof spoilers - 1)];
        *c = *c == spoiler ? 'x' : spoiler;
        check(texts, 4, &shape);
        assert_int_not_equal(shape, TEXT_UUIDS);
    }
}

static void test_empty_texts(void **state)
{
    (void)state;
    unsigned shape;
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        texts[i] = (struct varve_str){"", 0};
    assert_int_equal(check(texts, BLOCK_VALUES, &shape), 1 + 1 + 2);
    texts[0].data = NULL;
    uint8_t bytes[2000];
    size_t size;
    assert_int_equal(text_block_encode(codec, bytes, &size, texts, 1), VARVE_OK);
}

static void test_long_texts(void **state)
{
    (void)state;
    char *text = calloc(1, TEXT_BLOCK_MAX);
    assert_non_null(text);
    unsigned shape;
    size_t size = 0;
    uint8_t byte;
    texts[0] = (struct varve_str){text, TEXT_BLOCK_MAX - 1};
    texts[1] = (struct varve_str){text, 1};
    assert_true(check(texts, 2, &shape) < 10000);
    texts[1].size = 2;
    assert_int_equal(text_block_bound(texts, 2), 0);
    assert_int_equal(text_block_encode(codec, &byte, &size, texts, 2), VARVE_LIMIT);
    texts[1].size = SIZE_MAX;
    assert_int_equal(text_block_bound(texts, 2), 0);
    free(text);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    struct prng prng = prng_start(34);
    static uint8_t bytes[2 * POOL];
    struct varve_str decoded[BLOCK_VALUES];
    size_t size, failures = 0;
    make_texts(BLOCK_VALUES, 60, 4, &prng);
    for (size_t fail_at = 1;; fail_at++) {
        struct heap small = {.fail_at = fail_at};
        struct text_codec *c = text_codec_new(heap_alloc, heap_release, &small);
        enum varve_status status = c ? VARVE_OK : VARVE_NOMEM;
        if (status == VARVE_OK)
            status = text_block_encode(c, bytes, &size, texts, BLOCK_VALUES);
        if (status == VARVE_OK)
            status = text_block_decode(c, decoded, BLOCK_VALUES, pool, POOL, bytes, size);
        text_codec_free(c);
        assert_int_equal(small.out, 0);
        if (status == VARVE_OK)
            break;
        assert_int_equal(status, VARVE_NOMEM);
        failures++;
    }
    assert_true(failures >= 4); /* the codec, two contexts, the scratch */
}

static void test_damage_does_no_harm(void **state)
{
    (void)state;
    struct prng prng = prng_start(35);
    static uint8_t bytes[2 * POOL];
    struct varve_str decoded[BLOCK_VALUES];
    size_t size, refused = 0;
    char *room;
    for (int round = 0; round < 2000; round++) {
        const size_t n = 1 + prng_below(&prng, 100);
        if (prng_below(&prng, 8) == 0)
            make_uuids(n, &prng);
        else
            make_texts(n, 1 + prng_below(&prng, 60), 3, &prng);
        assert_int_equal(text_block_encode(codec, bytes, &size, texts, n), VARVE_OK);
        assert_int_equal(decode_exact(decoded, n, &room, bytes, prng_below(&prng, size)),
                         VARVE_CORRUPT);
        free(room);
        bytes[prng_below(&prng, size)] ^= (uint8_t)(1u << prng_below(&prng, 8));
        const enum varve_status status = decode_exact(decoded, n, &room, bytes, size);
        assert_true(status == VARVE_OK || status == VARVE_CORRUPT);
        refused += status == VARVE_CORRUPT;
        free(room);
    }
    assert_in_range(refused, 100, 1900);
}

static void test_false_claims_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[40] = {TEXT_PLAIN, 5, 0};
    struct varve_str decoded[2];
    size_t need;
    /* Two texts of 8 MiB are just allowed, of 8 MiB + 1 not, of -1 neither. */
    bytes[1] = (uint8_t)(1 + varint_put(bytes + 3, zigzag(TEXT_BLOCK_MAX / 2)));
    assert_int_equal(text_block_heap(bytes, 2u + bytes[1], 2, &need), VARVE_OK);
    assert_int_equal(need, TEXT_BLOCK_MAX);
    varint_put(bytes + 3, zigzag(TEXT_BLOCK_MAX / 2 + 1));
    assert_int_equal(text_block_heap(bytes, 2u + bytes[1], 2, &need), VARVE_CORRUPT);
    assert_int_equal(text_block_heap((uint8_t[]){TEXT_PLAIN, 2, 0, 1}, 4, 2, &need), VARVE_CORRUPT);
    /* Bytes that are not there, one too many, an unknown shape, a heap that is too small. */
    const uint8_t good[] = {TEXT_PLAIN, 2, 0, 2, 'a', 'b'};
    char room[8];
    assert_int_equal(text_block_decode(codec, decoded, 2, room, 2, good, 6), VARVE_OK);
    assert_int_equal(text_block_decode(codec, decoded, 2, room, 1, good, 6), VARVE_CORRUPT);
    assert_int_equal(text_block_decode(codec, decoded, 2, room, 2, good, 5), VARVE_CORRUPT);
    assert_int_equal(text_block_decode(codec, decoded, 1, room, 2, good, 6), VARVE_CORRUPT);
    assert_int_equal(
        text_block_decode(codec, decoded, 2, room, 2, (uint8_t[]){3, 2, 0, 2, 0, 0}, 6),
        VARVE_CORRUPT);
    const uint8_t uuid[18] = {TEXT_UUIDS};
    char longer[UUID_TEXT];
    assert_int_equal(text_block_decode(codec, decoded, 1, longer, 36, uuid, 17), VARVE_OK);
    assert_int_equal(text_block_decode(codec, decoded, 1, longer, 36, uuid, 16), VARVE_CORRUPT);
    assert_int_equal(text_block_decode(codec, decoded, 1, longer, 36, uuid, 18), VARVE_CORRUPT);
    assert_int_equal(text_block_decode(codec, decoded, 1, longer, 35, uuid, 17), VARVE_CORRUPT);
    assert_int_equal(text_block_heap(good, 6, 0, &need), VARVE_CORRUPT);
    assert_int_equal(text_block_heap(good, 6, BLOCK_VALUES + 1, &need), VARVE_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_only_looks_like_uuids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_runs_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_does_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_false_claims_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
