/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json_memo.c -- a value that is known must be one that would have been read.
 *
 * Random texts are read with a memo that remembers all the ones before, and without.
 */
#include "ingest/json_memo.h"

#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"

static struct json at_depth(const char *text, size_t size, unsigned depth)
{
    struct json json;
    json_start(&json, text, size);
    json.depth = depth;
    return json;
}

/* Reads the value as a door does; whether it was known. */
static bool read_value(struct json_memo *memo, struct json *json, struct json_value *value,
                       struct json_memo_mark *mark)
{
    if (json_memo_find(memo, json, value, mark))
        return true;
    (void)json_value(json, value);
    assert_int_equal(json_memo_add(memo, mark, value, NULL), VARVE_OK);
    return false;
}

/* Whether it was known.  The text lies in memory of just its size. */
static bool check(struct json_memo *memo, const char *text, size_t size, unsigned depth)
{
    char *copy = malloc(size ? size : 1);
    struct json_memo_mark mark;
    struct json_value value, expected;
    assert_non_null(copy);
    if (size)
        memcpy(copy, text, size);
    struct json json = at_depth(copy, size, depth), plain = at_depth(copy, size, depth);
    bool known = read_value(memo, &json, &value, &mark);
    if (json_value(&plain, &expected)) {
        struct h128 hash = hash128(expected.text, expected.size, memo->seed);
        assert_null(json.expected);
        assert_ptr_equal(json.at, plain.at);
        assert_ptr_equal(value.text, expected.text);
        assert_int_equal(value.size, expected.size);
        assert_int_equal(value.type, expected.type);
        assert_true(h128_equal(json_memo_hash(memo, &mark, &value), hash));
    } else {
        assert_false(known);
        assert_ptr_equal(json.at, plain.at);
        assert_string_equal(json.expected, plain.expected);
    }
    free(copy);
    return known;
}

static bool check_text(struct json_memo *memo, const char *text)
{
    return check(memo, text, strlen(text), 0);
}

static void test_what_is_known(void **state)
{
    static const char *const known[] = {"[]",
                                        "[1]",
                                        " [\"a\",{\"b\":null}]",
                                        "{\"a\":[]}",
                                        "{\"a\":[1,{\"b\":2}]}",
                                        "{\"a\":[{\"b\":2}],\"c\":3}",
                                        "{\"a\":\"]\"}"};
    static const char *const unknown[] = {"",
                                          "1",
                                          "\"]\"",
                                          "{}",
                                          "[[]]",
                                          "[\"]\"]",
                                          "[\"\\\"]\"]",
                                          "{\"a\":{\"b\":[]}}",
                                          "{\"a\":[],\"b\":\"}\"}",
                                          "[",
                                          "[1,]",
                                          "[1}]",
                                          "{\"a\":[]]}"};
    struct mem mem;
    struct json_memo memo;
    (void)state;
    mem_init(&mem, NULL, 0);
    json_memo_init(&memo, &mem, 7);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            assert_int_equal(check_text(&memo, known[i]), round > 0);
        for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
            assert_false(check_text(&memo, unknown[i]));
    }
    /* What follows does not matter. */
    assert_true(check_text(&memo, "[1],2"));
    assert_true(check_text(&memo, "[1]]"));
    json_memo_free(&memo);
    assert_int_equal(mem.used, 0);
}

/* What is known in one place may be too deep in another. */
static void test_depth(void **state)
{
    struct mem mem;
    struct json_memo memo;
    const char *text = "[{\"a\":{\"b\":{}}}]";
    (void)state;
    mem_init(&mem, NULL, 0);
    json_memo_init(&memo, &mem, 7);
    for (int round = 0; round < 3; round++)
        for (unsigned depth = JSON_DEPTH - 8; depth <= JSON_DEPTH; depth++) {
            bool known = check(&memo, text, strlen(text), depth);
            assert_int_equal(known, round > 0 && depth + 4 <= JSON_DEPTH);
        }
    json_memo_free(&memo);
}

static size_t random_text(struct prng *prng, char *text, size_t most)
{
    static const char *const parts[] = {"[",  "]",      "{",       "}",     "\"",      ",",
                                        "1",  "\"a\":", "[",       "]",     "{",       "}",
                                        "[]", "{}",     "\"a\":[", "\\",    " ",       ",",
                                        "]",  "null",   "\"]",     "[1,2]", "[\"x\"]", "\"k\":1"};
    size_t size = 0;
    for (uint64_t n = 1 + prng_below(prng, 9); n > 0; n--) {
        const char *part = parts[prng_below(prng, sizeof parts / sizeof *parts)];
        size_t part_size = strlen(part);
        if (size + part_size > most)
            break;
        memcpy(text + size, part, part_size);
        size += part_size;
    }
    return size;
}

static void test_random_texts(void **state)
{
    struct prng prng = prng_start(11);
    struct mem mem;
    struct json_memo memo;
    size_t known = 0;
    char text[128];
    (void)state;
    mem_init(&mem, NULL, 0);
    json_memo_init(&memo, &mem, prng_next(&prng));
    for (size_t i = 0; i < 300000; i++) {
        size_t size = random_text(&prng, text + 1, sizeof text - 1);
        text[0] = prng_below(&prng, 4) ? '[' : '{';
        known += check(&memo, text, size + 1, (unsigned)prng_below(&prng, 2));
    }
    assert_true(known > 10000);
    json_memo_free(&memo);
    assert_int_equal(mem.used, 0);
}

/* Of a great many the last are known, and the memory has an end. */
static void test_many(void **state)
{
    enum { MANY = 300000 };
    struct mem mem;
    struct json_memo memo;
    size_t known = 0;
    char text[32];
    (void)state;
    mem_init(&mem, NULL, 0);
    json_memo_init(&memo, &mem, 3);
    for (int i = 0; i < MANY; i++)
        assert_false(check(&memo, text, (size_t)snprintf(text, sizeof text, "[%d]", i), 0));
    assert_true(mem.peak <= 1 << 20);
    for (int i = MANY - 10000; i < MANY; i++)
        known += check(&memo, text, (size_t)snprintf(text, sizeof text, "[%d]", i), 0);
    assert_true(known > 7000);
    json_memo_free(&memo);
    assert_int_equal(mem.used, 0);
}

/* An object is not searched for its end from one end of a body to the other. */
static void test_far_brackets(void **state)
{
    struct mem mem;
    struct json_memo memo;
    struct json_memo_mark mark;
    struct json_value value;
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);
    (void)state;
    assert_non_null(text);
    memset(text, ' ', SIZE);
    memcpy(text, "{}", 2);
    text[SIZE - 2] = ']';
    text[SIZE - 1] = '}';
    mem_init(&mem, NULL, 0);
    json_memo_init(&memo, &mem, 3);
    struct json json = at_depth(text, SIZE, 0);
    assert_false(json_memo_find(&memo, &json, &value, &mark));
    assert_int_equal(mark.size, 0);
    free(text);
    json_memo_free(&memo);
}

static void test_out_of_memory(void **state)
{
    struct alloc_fault fault;
    uint64_t rounds = 0;
    (void)state;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault); rounds++) {
        struct mem mem;
        struct json_memo memo;
        struct json_memo_mark mark;
        struct json_value value;
        enum varve_status status = VARVE_OK;
        mem_init(&mem, &fault.allocator, 0);
        json_memo_init(&memo, &mem, 5);
        for (int i = 0; i < 1000 && status == VARVE_OK; i++) {
            char text[32];
            struct json json = at_depth(text, (size_t)snprintf(text, sizeof text, "[%d]", i), 0);
            assert_false(json_memo_find(&memo, &json, &value, &mark));
            assert_true(json_value(&json, &value));
            status = json_memo_add(&memo, &mark, &value, NULL);
        }
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        json_memo_free(&memo);
        assert_true(alloc_fault_is_clean(&fault));
    }
    assert_true(rounds > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_known), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_random_texts),  cmocka_unit_test(test_many),
        cmocka_unit_test(test_far_brackets),  cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
