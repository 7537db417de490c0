/* SPDX-License-Identifier: Apache-2.0
 *
 * test_source_json.c -- where a stream of JSON is cut, against a look at every byte.
 *
 * Lines are made of braces, brackets, spaces and filling, with seams at every place of a block.
 */
#include "ingest/seam.h"
#include "ingest/source.h"

#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "feed.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether something stands behind a closing brace that cannot follow one inside a value. */
static bool seam_of(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (line[i] != '}')
            continue;
        size_t next = i + 1;
        while (next < size && is_space(line[next]))
            next++;
        if (next < size && !strchr(",]}", line[next]))
            return true;
    }
    return false;
}

/* The size of the value at the front; 0: it does not end. */
static size_t value_of(const char *line, size_t size)
{
    bool in_string = false;
    size_t depth = 0;
    for (size_t i = 0; i < size; i++) {
        char c = line[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static void check(const char *line, size_t size)
{
    struct mem mem;
    struct source source;
    struct varve_str body;
    char *text = malloc(size + 4);
    assert_non_null(text);
    memcpy(text, line, size);
    memcpy(text + size, "\n{}\n", 4);
    size_t expected = seam_of(line, size) ? value_of(line, size) : size;
    struct feed feed = feed_over(text, size + 4, 0);
    mem_init(&mem, NULL, 0);
    source_init(&source, &mem, feed_read, &feed);
    enum varve_status status = source_json(&source, &body, NULL);
    if (expected > 0) {
        if (status != VARVE_OK || body.size != expected)
            fail_msg("%d, %zu of %zu: %.*s", status, body.size, expected, (int)size, line);
        assert_memory_equal(body.data, line, expected);
    } else {
        assert_true(status == VARVE_INVALID || (status == VARVE_OK && body.size > size));
    }
    source_free(&source);
    free(text);
}

/* Where a byte-by-byte look finds something unusual behind a brace, neither build passes over it,
 * and both pass over all blocks that have none. */
static void check_skip(const char *line, size_t size)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memcpy(bytes, line, size);
    const uint8_t *expected = bytes, *end = bytes + size;
    for (; end - expected > SEAM_BLOCK; expected += SEAM_BLOCK) {
        bool unusual = false;
        for (const uint8_t *p = expected; p < expected + SEAM_BLOCK; p++)
            unusual |= *p == '}' && p[1] != ',' && p[1] != ']' && p[1] != '}';
        if (unusual)
            break;
    }
    assert_ptr_equal(seam_skip(bytes, end), expected);
    assert_ptr_equal(seam_skip_plain(bytes, end), expected);
    free(bytes);
}

static void test_blocks(void **state)
{
    struct prng prng = prng_start(23);
    char line[400];
    (void)state;
    for (size_t i = 0; i < 300000; i++) {
        const size_t size = 1 + prng_below(&prng, sizeof line);
        memset(line, 'x', size);
        for (uint64_t n = prng_below(&prng, 4); n > 0 && size > 1; n--) {
            char *p = line + prng_below(&prng, size - 1);
            p[0] = "}}]"[prng_below(&prng, 3)];
            p[1] = prng_below(&prng, 4) ? ",]}"[prng_below(&prng, 3)] : (char)prng_next(&prng);
        }
        check_skip(line, size);
    }
}

/* One closing brace at each place, and each byte behind it. */
static void test_every_place(void **state)
{
    char line[300];
    (void)state;
    for (size_t size = 8; size < 140; size++)
        for (size_t at = 1; at + 2 < size; at++)
            for (size_t k = 0; k < 8; k++) {
                memset(line, '1', size);
                line[0] = '{';
                line[size - 1] = '}';
                line[at] = '}';
                line[at + 1] = ",]}=x {["[k];
                check(line, size);
            }
}

/* Spaces behind it, over the ends of blocks. */
static void test_spaces(void **state)
{
    char line[400];
    (void)state;
    for (size_t at = 1; at < 140; at += 3)
        for (size_t spaces = 1; spaces < 200; spaces += 7)
            for (size_t k = 0; k < 3; k++) {
                const size_t size = at + spaces + 20;
                memset(line, '1', size);
                line[0] = '{';
                line[size - 1] = '}';
                line[at] = '}';
                memset(line + at + 1, ' ', spaces);
                line[at + 1 + spaces] = ",x{"[k];
                check(line, size);
            }
}

/* Many values in one line are not searched from end to end for each of them. */
static void test_many_in_a_line(void **state)
{
    enum { VALUES = 2 << 20 };
    struct mem mem;
    struct source source;
    struct varve_str body;
    size_t bodies = 0;
    char *text = malloc(2 * VALUES);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < VALUES; i++)
        memcpy(text + 2 * i, "{}", 2);
    struct feed feed = feed_over(text, 2 * VALUES, 0);
    mem_init(&mem, NULL, 0);
    source_init(&source, &mem, feed_read, &feed);
    while (source_json(&source, &body, NULL) == VARVE_OK)
        bodies += body.size == 2;
    assert_int_equal(bodies, VALUES);
    source_free(&source);
    free(text);
}

static void test_random_lines(void **state)
{
    static const char bytes[] = "{}[],\": ax\\}},}]}";
    struct prng prng = prng_start(5);
    size_t seams = 0, rounds = 60000;
    char line[520];
    (void)state;
    for (size_t i = 0; i < rounds; i++) {
        const size_t size = 2 + prng_below(&prng, sizeof line - 2);
        const uint64_t rare = 1 + prng_below(&prng, 60);
        for (size_t k = 0; k < size; k++)
            line[k] = prng_below(&prng, rare) ? 'a' : bytes[prng_below(&prng, sizeof bytes - 1)];
        line[0] = '{';
        line[size - 1] = '}';
        seams += seam_of(line, size);
        check(line, size);
    }
    assert_true(seams > rounds / 10 && seams < rounds * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),       cmocka_unit_test(test_every_place),
        cmocka_unit_test(test_spaces),       cmocka_unit_test(test_many_in_a_line),
        cmocka_unit_test(test_random_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
