/* SPDX-License-Identifier: Apache-2.0
 *
 * test_format.c -- the examples of docs/format-codecs.md are true.
 *
 * An indented line that starts with "int ", "float " or "text " is an example:
 * bytes, a sign, values.  The bytes must decode to the values with both builds
 * of the kernels; after "=" the values must also encode to the bytes.  A repeat
 * "x31" follows a byte, a group of bytes in parentheses or a value.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/float_block.h"
#include "codec/int_block.h"
#include "codec/text_block.h"

#include "../base/unit.h"

#define BYTES_MAX 20000

struct example {
    uint8_t bytes[BYTES_MAX];
    size_t size;
    bool both_ways;
    const char *values; /* what stands after the sign */
};

/* The number after an x, or 1. */
static size_t repeat(const char **at)
{
    while (**at == ' ')
        ++*at;
    if (**at != 'x')
        return 1;
    char *end;
    const unsigned long count = strtoul(*at + 1, &end, 10);
    assert_in_range(count, 1, 1024);
    *at = end;
    return count;
}

/* One byte or one group; false at the sign. */
static bool parse_bytes(struct example *e, const char **at)
{
    const size_t from = e->size;
    char *end;
    while (**at == ' ')
        ++*at;
    if (**at == '=' || **at == '-')
        return false;
    const bool group = **at == '(';
    *at += group;
    do {
        assert_true(e->size < BYTES_MAX);
        e->bytes[e->size++] = (uint8_t)strtoul(*at, &end, 16);
        assert_ptr_equal(end, *at + 2);
        *at = end + (group && *end == ' ');
    } while (group && **at != ')');
    *at += group;
    const size_t length = e->size - from;
    for (size_t count = repeat(at); count > 1; count--) {
        assert_true(e->size + length <= BYTES_MAX);
        memcpy(e->bytes + e->size, e->bytes + from, length);
        e->size += length;
    }
    return true;
}

static void parse_example(struct example *e, const char *line)
{
    e->size = 0;
    while (parse_bytes(e, &line))
        ;
    e->both_ways = *line == '=';
    e->values = line + (e->both_ways ? 1 : 2);
}

static bool at_end(const char **at)
{
    while (**at == ' ')
        ++*at;
    return **at == 0 || **at == '\n';
}

static void check_bytes(const struct example *e, const uint8_t *bytes, size_t size)
{
    assert_int_equal(size, e->size);
    assert_memory_equal(bytes, e->bytes, size);
}

static void check_int(const struct example *e)
{
    int64_t values[BLOCK_VALUES], decoded[BLOCK_VALUES];
    uint8_t bytes[BYTES_MAX];
    size_t n = 0;
    for (const char *at = e->values; !at_end(&at);) {
        char *end;
        const int64_t value = strtoll(at, &end, 10);
        at = end;
        for (size_t count = repeat(&at); count > 0; count--)
            values[n++] = value;
    }
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        assert_int_equal(int_block_decode(decoded, n, e->bytes, e->size), VARVE_OK);
        assert_memory_equal(decoded, values, n * sizeof *values);
    }
    int_block_use_scalar(0);
    if (e->both_ways)
        check_bytes(e, bytes, int_block_encode(bytes, values, n));
}

static void check_float(const struct example *e)
{
    double values[BLOCK_VALUES], decoded[BLOCK_VALUES];
    uint8_t bytes[BYTES_MAX];
    size_t n = 0;
    for (const char *at = e->values; !at_end(&at); n++) {
        char *end;
        values[n] = strtod(at, &end);
        at = end;
    }
    assert_int_equal(float_block_decode(decoded, n, e->bytes, e->size), VARVE_OK);
    assert_memory_equal(decoded, values, n * sizeof *values);
    if (e->both_ways)
        check_bytes(e, bytes, float_block_encode(bytes, values, n));
}

static void *plain_alloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void plain_release(void *context, void *pointer)
{
    (void)context;
    free(pointer);
}

static void check_text(const struct example *e)
{
    struct varve_str texts[BLOCK_VALUES], decoded[BLOCK_VALUES];
    struct text_codec *codec = text_codec_new(plain_alloc, plain_release, NULL);
    uint8_t bytes[BYTES_MAX];
    char heap[BYTES_MAX];
    size_t n = 0, size, need;
    for (const char *at = e->values; !at_end(&at);) {
        const char *end = strchr(at + 1, '"');
        assert_true(*at == '"' && end);
        const struct varve_str text = {at + 1, (size_t)(end - at - 1)};
        at = end + 1;
        for (size_t count = repeat(&at); count > 0; count--)
            texts[n++] = text;
    }
    assert_int_equal(text_block_heap(e->bytes, e->size, n, &need), VARVE_OK);
    assert_true(need <= sizeof heap);
    assert_int_equal(text_block_decode(codec, decoded, n, heap, need, e->bytes, e->size), VARVE_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(decoded[i].size, texts[i].size);
        assert_memory_equal(decoded[i].data, texts[i].data, texts[i].size);
    }
    assert_int_equal(text_block_encode(codec, bytes, &size, texts, n), VARVE_OK);
    if (e->both_ways)
        check_bytes(e, bytes, size);
    text_codec_free(codec);
}

static void test_examples(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        void (*check)(const struct example *);
    } kinds[] = {{"    int ", check_int}, {"    float ", check_float}, {"    text ", check_text}};
    static char line[4096], path[4096];
    static struct example e;
    size_t found[3] = {0, 0, 0};
    const char *root = getenv("VARVE_SRC");
    snprintf(path, sizeof path, "%s/docs/format-codecs.md", root ? root : ".");
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s: %s (VARVE_SRC names the source tree)", path, strerror(errno));
    while (fgets(line, sizeof line, file))
        for (size_t i = 0; i < 3; i++)
            if (strncmp(line, kinds[i].start, strlen(kinds[i].start)) == 0) {
                printf("# %.60s\n", line + 4);
                parse_example(&e, line + strlen(kinds[i].start));
                kinds[i].check(&e);
                found[i]++;
            }
    fclose(file);
    assert_true(found[0] >= 10 && found[1] >= 3 && found[2] >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
