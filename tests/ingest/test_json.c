/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json.c -- the JSON reader against the grammar, against jansson, and against strtod.
 */
#include "ingest/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "json_oracle.h"

struct fixture {
    struct mem mem;
    struct buf line, theirs, text;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    mem_init(&f->mem, NULL, 0);
    buf_init(&f->line, &f->mem, 1 << 26);
    buf_init(&f->theirs, &f->mem, 1 << 26);
    buf_init(&f->text, &f->mem, 1 << 26);
    arena_init(&f->arena, &f->mem, 1 << 12);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    buf_free(&f->line);
    buf_free(&f->theirs);
    buf_free(&f->text);
    arena_free(&f->arena);
    int leaked = f->mem.used != 0;
    free(f);
    return leaked;
}

/* The text in memory of just its size, so that a byte read behind it is seen by a sanitizer. */
static enum oracle_answer ours(struct fixture *f, const void *text, size_t size)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size)
        memcpy(copy, text, size);
    buf_clear(&f->line);
    enum oracle_answer answer = oracle_ours(copy, size, &f->line);
    free(copy);
    assert_int_equal(buf_status(&f->line, NULL), VARVE_OK);
    return answer;
}

/* ---- a table of texts ---- */

struct text {
    const char *text;
    size_t size;
    bool good;
};

#define GOOD(text)                   \
    {                                \
        text, sizeof(text) - 1, true \
    }
#define BAD(text)                     \
    {                                 \
        text, sizeof(text) - 1, false \
    }

static const struct text texts[] = {
    GOOD("0"), GOOD("-0"), GOOD("1"), GOOD("-1"), GOOD("10"), GOOD("0.5"), GOOD("1e5"),
    GOOD("1E+5"), GOOD("1e-5"), GOOD("-0.0e-0"), GOOD("123456789012345678"), GOOD("1e00005"),
    BAD(""), BAD(" "), BAD("-"), BAD("+1"), BAD("01"), BAD("-01"), BAD("00"), BAD("1."), BAD(".5"),
    BAD("-.5"), BAD("1.e1"), BAD("1e"), BAD("1e+"), BAD("1E-"), BAD("1.5e"), BAD("1ee2"),
    BAD("1e1.5"), BAD("0x10"), BAD("1_000"), BAD("--1"), BAD("1-"), BAD("NaN"), BAD("Infinity"),
    BAD("-Infinity"), BAD("nan"), BAD("1 2"), BAD("1,"), BAD("1a"), BAD("1\0"), GOOD("true"),
    GOOD("false"), GOOD("null"), GOOD(" \t\r\n null \n"), BAD("tru"), BAD("truE"), BAD("True"),
    BAD("nul"), BAD("nulll"), BAD("falsey"), BAD("t"), BAD("\xc2\xa0null"), BAD("\xef\xbb\xbf{}"),
    BAD("\fnull"), BAD("\vnull"), BAD("null\0"), GOOD("\"\""), GOOD("\"a\""),
    GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), GOOD("\"\\u0041\\u00e9\""), GOOD("\"\\uD83D\\uDE00\""),
    GOOD("\"\\uaBcD\""), GOOD("\"\x7f\""), GOOD("\"\xc3\xa9\""), GOOD("\"\xe2\x82\xac\""),
    GOOD("\"\xf0\x9f\x98\x80\""), GOOD("\"\xed\x9f\xbf\""), GOOD("\"\xf4\x8f\xbf\xbf\""),
    GOOD("\"\\u0000\""), GOOD("\"/\""), GOOD("\"'\""),
    /* Half a pair is the reader's to judge: we replace it. */
    GOOD("\"\\ud83d\""), GOOD("\"\\ude00\""), GOOD("\"\\ud83d\\ud83d\\ude00\""),
    GOOD("\"\\ud83dx\""), GOOD("\"\\ud83d\\n\""), BAD("\""), BAD("\"a"), BAD("\"\\\""), BAD("\"\\"),
    BAD("\"\\x41\""), BAD("\"\\u\""), BAD("\"\\u123\""), BAD("\"\\u123"), BAD("\"\\u12g4\""),
    BAD("\"\\U0041\""), BAD("\"\\0\""), BAD("\"\\\0\""), BAD("\"\\'\""), BAD("\"\n\""),
    BAD("\"\t\""), BAD("\"\0\""), BAD("\"\x1f\""), BAD("\"a\"b"), BAD("'a'"), BAD("\"a\"\""),
    BAD("a"), BAD("\"\\a\""), BAD("\"\\ \""),
    /* JSON, but not UTF-8: refused when the text is asked for. */
    BAD("\"\x80\""), BAD("\"\xc3\""), BAD("\"\xc0\xaf\""), BAD("\"\xed\xa0\x80\""),
    BAD("\"\xf4\x90\x80\x80\""), BAD("\"\xff\""), BAD("{\"\xff\":1}"), GOOD("[]"), GOOD("[ ]"),
    GOOD("[1]"), GOOD("[1,2]"), GOOD("[ 1 , 2 ]"), GOOD("[[],[[]]]"), GOOD("[null,true,\"x\",{}]"),
    BAD("["), BAD("]"), BAD("[,"), BAD("[1"), BAD("[1,"), BAD("[1,]"), BAD("[,1]"), BAD("[1,,2]"),
    BAD("[1 2]"), BAD("[1;2]"), BAD("[1}"), BAD("[]]"), BAD("[[]"), BAD("[:]"), BAD("[\"a\":1]"),
    BAD("[a]"), BAD("[1]x"), BAD("[1],"), BAD("[\"\",]"), BAD("[-]"), BAD("[1,\n"), BAD("(1)"),
    GOOD("{}"), GOOD("{ }"), GOOD("{\"a\":1}"), GOOD("{\"\":0}"),
    GOOD("{ \"a\" : 1 , \"b\" : [] }"), GOOD("{\"a\":{\"b\":{\"c\":{}}}}"), GOOD("{\"a\\nb\":1}"),
    GOOD("{\"a\":1,\"a\":2}"), BAD("{"), BAD("}"), BAD("{\"a\""), BAD("{\"a\":"), BAD("{\"a\":1"),
    BAD("{\"a\":1,"), BAD("{\"a\":1,}"), BAD("{,}"), BAD("{\"a\"}"), BAD("{\"a\",1}"),
    BAD("{\"a\":}"), BAD("{a:1}"), BAD("{1:1}"), BAD("{\"a\":1 \"b\":2}"), BAD("{\"a\":1]"),
    BAD("{'a':1}"), BAD("{\"a\"::1}"), BAD("{\"a\":1}}"), BAD("{\"a\":1}#"),
    BAD("{\"a\":1,,\"b\":2}"), BAD("{:1}"), BAD("{null:1}"), BAD("{\"a\":1/**/}"), BAD("{\"a\" 1}"),
    BAD("{[]:1}"), BAD("{\"a\":1,2}"), BAD("//\n1"), GOOD("[1.7976931348623157e308]"),
    BAD("[1e309]"), BAD("[-1e999999999999]"), GOOD("[1e-999999999999]"),
    GOOD("[9223372036854775807]"), GOOD("[-9223372036854775808]"),
    BAD("[9223372036854775808]"), /* JSON, but no int64 */
};

/* Each alone, and inside of others, at every distance from the end of a block. */
static void test_texts(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct text *t = &texts[i];
        if (ours(f, t->text, t->size) != (t->good ? ORACLE_ACCEPTS : ORACLE_REFUSES))
            fail_msg("%zu: %s", i, t->text);
        for (size_t pad = 0; t->good && pad < 40; pad++) {
            static const char spaces[] = "                                        ";
            char text[256];
            int n = snprintf(text, sizeof text, "[\"%.*s\",{\"k\":%.*s}]", (int)pad, spaces,
                             (int)t->size, t->text);
            if (ours(f, text, (size_t)n) != ORACLE_ACCEPTS)
                fail_msg("%zu: %s", i, text);
        }
    }
}

static const char *error_of(const char *text, enum varve_status expected)
{
    static struct varve_err err;
    struct json json;
    struct json_value value;
    json_start(&json, text, strlen(text));
    assert_false(json_value(&json, &value) && json_end(&json));
    assert_int_equal(json_fail(&json, "x.json", &err), expected);
    assert_string_equal(err.place, "x.json");
    return err.message;
}

static void test_messages(void **state)
{
    (void)state;
    assert_string_equal(error_of("{\"a\" 1}", VARVE_INVALID),
                        "byte 5 of the JSON text: expected a colon");
    assert_string_equal(error_of("[1 2]", VARVE_INVALID),
                        "byte 3 of the JSON text: expected a comma or ]");
    assert_string_equal(error_of("{\"a\":1,}", VARVE_INVALID),
                        "byte 7 of the JSON text: expected a key in quotes");
    assert_string_equal(error_of("\"\\u12", VARVE_INVALID),
                        "byte 5 of the JSON text: expected four hexadecimal digits");
    assert_string_equal(error_of("1 x", VARVE_INVALID),
                        "byte 2 of the JSON text: expected the end of the text");
}

/* ---- jansson ---- */

static bool compare(struct fixture *f, const void *text, size_t size)
{
    buf_clear(&f->theirs);
    enum oracle_answer answer = ours(f, text, size);
    enum oracle_answer expected = oracle_ask(text, size, &f->theirs);
    if (expected == ORACLE_ABSENT || expected == ORACLE_SILENT)
        return expected == ORACLE_SILENT;
    if (answer != expected)
        fail_msg("they %s: %.*s", expected == ORACLE_ACCEPTS ? "accept" : "refuse", (int)size,
                 (const char *)text);
    if (answer == ORACLE_ACCEPTS &&
        (f->line.size != f->theirs.size || memcmp(f->line.data, f->theirs.data, f->line.size) != 0))
        fail_msg("%.*s\nours   %.*s\ntheirs %.*s", (int)size, (const char *)text, (int)f->line.size,
                 (const char *)f->line.data, (int)f->theirs.size, (const char *)f->theirs.data);
    return true;
}

static bool oracle_is_there(struct fixture *f)
{
    if (oracle_ask("0", 1, &f->theirs) != ORACLE_ABSENT)
        return true;
    print_message("built without jansson: nothing to compare with\n");
    return false;
}

static void put(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text));
}

static void random_space(struct prng *prng, struct buf *out)
{
    while (prng_below(prng, 8) == 0)
        buf_put(out, &" \t\n\r"[prng_below(prng, 4)], 1);
}

static void random_string(struct prng *prng, struct buf *out)
{
    static const char *const pieces[] = {"a",    "bcd",     "\xc3\xa9",         "\xe2\x82\xac",
                                         "\\n",  "\\u00e9", "\\ud83d\\ude00",   "\\\"",
                                         "\\\\", "\\/",     "\xf0\x9f\x98\x80", "0123456789abcdef",
                                         " ",    "\\u0001"};
    put(out, "\"");
    for (uint64_t n = prng_below(prng, 12); n > 0; n--)
        put(out, pieces[prng_below(prng, sizeof pieces / sizeof *pieces)]);
    put(out, "\"");
}

static void random_number(struct prng *prng, struct buf *out)
{
    char text[64];
    uint64_t bits = prng_next(prng);
    double real;
    switch (prng_below(prng, 5)) {
    case 0:
        snprintf(text, sizeof text, "%" PRId64, (int64_t)bits >> prng_below(prng, 64));
        break;
    case 1:
        memcpy(&real, &bits, sizeof real);
        snprintf(text, sizeof text, "%.17g", isfinite(real) ? real : 0.5);
        break;
    case 2:
        snprintf(text, sizeof text, "%.*f", (int)prng_below(prng, 12), (double)bits * 1e-15);
        break;
    case 3:
        snprintf(text, sizeof text, "%" PRIu64 "e%d", bits >> prng_below(prng, 64),
                 (int)prng_below(prng, 700) - 360);
        break;
    default:
        snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64, bits >> prng_below(prng, 64),
                 prng_next(prng) >> prng_below(prng, 64));
    }
    put(out, text);
}

static void random_value(struct prng *prng, struct buf *out, unsigned depth, unsigned *keys)
{
    static const char *const words[] = {"true", "false", "null"};
    uint64_t kind = prng_below(prng, depth > 5 ? 5 : 8), n = prng_below(prng, 5);
    random_space(prng, out);
    if (kind < 2) {
        random_string(prng, out);
    } else if (kind < 4) {
        random_number(prng, out);
    } else if (kind == 4) {
        put(out, words[prng_below(prng, 3)]);
    } else {
        bool object = kind == 5;
        put(out, object ? "{" : "[");
        for (uint64_t i = 0; i < n; i++) {
            char key[32];
            put(out, i ? "," : "");
            random_space(prng, out);
            snprintf(key, sizeof key, "\"k\\u00e9%u\":", ++*keys);
            put(out, object ? key : "");
            random_value(prng, out, depth + 1, keys);
        }
        random_space(prng, out);
        put(out, object ? "}" : "]");
    }
    random_space(prng, out);
}

static void random_text(struct prng *prng, struct buf *out)
{
    unsigned keys = 0;
    buf_clear(out);
    random_value(prng, out, 0, &keys);
    assert_int_equal(buf_status(out, NULL), VARVE_OK);
}

static void test_random_texts(void **state)
{
    struct fixture *f = *state;
    struct prng prng = prng_start(20261121);
    if (!oracle_is_there(f))
        skip();
    for (unsigned i = 0; i < 6000; i++) {
        random_text(&prng, &f->text);
        compare(f, f->text.data, f->text.size);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        compare(f, texts[i].text, texts[i].size);
}

/* Cut off after each byte, and with each bit turned. */
static void test_damage(void **state)
{
    struct fixture *f = *state;
    struct prng prng = prng_start(7);
    size_t done = 0;
    while (done < 40000) {
        random_text(&prng, &f->text);
        if (f->text.size > 400)
            continue;
        for (size_t size = 0; size < f->text.size; size++)
            compare(f, f->text.data, size);
        for (size_t bit = 0; bit < f->text.size * 8; bit++, done++) {
            f->text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            compare(f, f->text.data, f->text.size);
            f->text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

/* ---- depth ---- */

static void nest(struct buf *out, size_t depth, bool objects)
{
    buf_clear(out);
    for (size_t i = 0; i < depth; i++)
        put(out, objects ? "{\"a\":" : "[");
    put(out, objects ? "0" : "");
    for (size_t i = 0; i < depth; i++)
        put(out, objects ? "}" : "]");
    assert_int_equal(buf_status(out, NULL), VARVE_OK);
}

static void test_depth(void **state)
{
    struct fixture *f = *state;
    static const size_t depths[] = {1, JSON_DEPTH, JSON_DEPTH + 1, 5000, 1000000};
    struct json json;
    struct json_value value;
    for (int objects = 0; objects < 2; objects++) {
        for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
            bool good = depths[i] <= JSON_DEPTH;
            nest(&f->text, depths[i], objects);
            assert_int_equal(ours(f, f->text.data, f->text.size),
                             good ? ORACLE_ACCEPTS : ORACLE_REFUSES);
            json_start(&json, (const char *)f->text.data, f->text.size);
            assert_int_equal(json_value(&json, &value), good);
            assert_int_equal(json.status, good ? VARVE_OK : VARVE_LIMIT);
        }
    }
    /* Half walked, half passed over. */
    nest(&f->text, JSON_DEPTH, false);
    json_start(&json, (const char *)f->text.data, f->text.size);
    for (int i = 0; i < 10; i++)
        assert_true((i == 0 || json_element(&json)) && json_begin(&json));
    assert_true(json_element(&json) && json_value(&json, &value));
    assert_int_equal(value.size, 2 * (JSON_DEPTH - 10));
    for (int i = 0; i < 10; i++)
        assert_false(json_element(&json));
    assert_true(json_end(&json));
    nest(&f->text, JSON_DEPTH + 1, false);
    json_start(&json, (const char *)f->text.data, f->text.size);
    assert_true(json_begin(&json) && json_element(&json));
    assert_false(json_value(&json, &value));
    assert_int_equal(json.status, VARVE_LIMIT);
    assert_false(json_element(&json) || json_begin(&json) || json_end(&json));
}

/* ---- texts and numbers ---- */

static struct json_value value_of(const char *text)
{
    struct json json;
    struct json_value value;
    json_start(&json, text, strlen(text));
    assert_true(json_value(&json, &value) && json_end(&json));
    return value;
}

static void test_text(void **state)
{
    struct fixture *f = *state;
    static const char *const pairs[][2] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20ac\\uD83D\\uDE00!\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!"},
        {"\"a\\ud83d\"", "a\xef\xbf\xbd"},
        {"\"\\ude00a\"", "\xef\xbf\xbd"
                         "a"},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
        {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                               "A"},
        {"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct json_value value = value_of(pairs[i][0]);
        struct varve_str text, expected = {pairs[i][1], strlen(pairs[i][1])};
        assert_int_equal(json_text(&value, &f->arena, &text, NULL), VARVE_OK);
        assert_true(str_equal(text, expected) && json_is(&value, expected));
        assert_false(json_is(&value, STR("another")));
        expected.size -= expected.size > 0;
        assert_true(expected.size == 0 || !json_is(&value, expected));
    }
    struct json_value value = value_of("\"\\u0000\"");
    assert_true(json_is(&value, (struct varve_str){"", 1}));
    value = value_of("\"\xff\"");
    struct varve_str text;
    assert_int_equal(json_text(&value, &f->arena, &text, NULL), VARVE_INVALID);
    assert_int_equal(json_bytes(&value, &f->arena, &text, NULL), VARVE_OK);
    value = value_of("17");
    assert_int_equal(json_text(&value, &f->arena, &text, NULL), VARVE_INVALID);
    assert_false(json_is(&value, STR("17")));
}

static void test_text_out_of_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct json_value value = value_of("\"\\n\"");
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct mem mem;
        struct arena arena;
        struct varve_str text;
        mem_init(&mem, &fault.allocator, 0);
        arena_init(&arena, &mem, 64);
        enum varve_status status = json_text(&value, &arena, &text, NULL);
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        arena_free(&arena);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

struct integer {
    const char *text;
    bool is_int, is_uint;
    int64_t i;
    uint64_t u;
};

static void test_integers(void **state)
{
    (void)state;
    static const struct integer table[] = {
        {"0", true, true, 0, 0},
        {"-0", true, true, 0, 0},
        {"\"17\"", true, true, 17, 17},
        {"\"-17\"", true, false, -17, 0},
        {"9007199254740993", true, true, 9007199254740993, 9007199254740993},
        {"1778341836261000001", true, true, 1778341836261000001, 1778341836261000001},
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
        {"9223372036854775808", false, true, 0, UINT64_C(9223372036854775808)},
        {"-9223372036854775808", true, false, INT64_MIN, 0},
        {"-9223372036854775809", false, false, 0, 0},
        {"\"18446744073709551615\"", false, true, 0, UINT64_MAX},
        {"18446744073709551616", false, false, 0, 0},
        {"99999999999999999999", false, false, 0, 0},
        {"1e3", true, true, 1000, 1000},
        {"1.50e1", true, true, 15, 15},
        {"2.0", true, true, 2, 2},
        {"120e-1", true, true, 12, 12},
        {"0e999999999999", true, true, 0, 0},
        {"9.223372036854775807e18", true, true, INT64_MAX, INT64_MAX},
        {"1e19", false, true, 0, UINT64_C(10000000000000000000)},
        {"1e20", false, false, 0, 0},
        {"1.5", false, false, 0, 0},
        {"1e-1", false, false, 0, 0},
        {"1e-999999999999", false, false, 0, 0},
        {"1.00000000000000000000000001", false, false, 0, 0},
        {"\"\"", false, false, 0, 0},
        {"\" 1\"", false, false, 0, 0},
        {"\"1 \"", false, false, 0, 0},
        {"\"01\"", false, false, 0, 0},
        {"\"+1\"", false, false, 0, 0},
        {"\"0x1\"", false, false, 0, 0},
        {"\"one\"", false, false, 0, 0},
        {"\"\\u0031\"", false, false, 0, 0},
        {"\"null\"", false, false, 0, 0},
        {"true", false, false, 0, 0},
        {"null", false, false, 0, 0},
        {"[1]", false, false, 0, 0},
    };
    for (size_t n = 0; n < sizeof table / sizeof *table; n++) {
        const struct integer *t = &table[n];
        struct json_value value = value_of(t->text);
        int64_t i = 0;
        uint64_t u = 0;
        if (json_int64(&value, &i) != t->is_int || json_uint64(&value, &u) != t->is_uint ||
            i != t->i || u != t->u)
            fail_msg("%s: %" PRId64 " %" PRIu64, t->text, i, u);
    }
}

static void check_double(const char *text)
{
    struct json_value value = value_of(text);
    double number = 0, expected = strtod(text, NULL);
    bool there = json_double(&value, &number);
    if (there != isfinite(expected) || (there && memcmp(&number, &expected, sizeof number) != 0))
        fail_msg("%s: %.17g, should be %.17g", text, number, expected);
}

static const char *const doubles[] = {
    "0",
    "-0",
    "0.0",
    "-0e5",
    "1",
    "0.1",
    "0.24682275",
    "0.018472600000000002",
    "1e22",
    "1e23",
    "9007199254740993",
    "9007199254740992.5",
    "9007199254740993.0000000000000000000001",
    "5e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1e309",
    "1e999999999999999999999",
    "1e-999999999999999999999",
    "18446744073709551615",
    "18446744073709551616",
    "9999999999999999999",
    "0.000001",
    "123456789012345678901234567890",
    "8.5",
    "6929495644600919.5",
    "3.5e-19",
    "1e-19",
    "1e19",
    "9007199254740991.4999999999999999999999999999999999",
    "0e999999999999999999",
};

static void test_doubles(void **state)
{
    (void)state;
    struct prng prng = prng_start(99);
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
        check_double(doubles[i]);
    for (unsigned i = 0; i < 200000; i++) {
        char text[80];
        uint64_t bits = prng_next(&prng), more = prng_next(&prng);
        double real;
        memcpy(&real, &bits, sizeof real);
        if (i % 4 == 0 && isfinite(real))
            snprintf(text, sizeof text, "%.*g", (int)(more % 20) + 1, real);
        else if (i % 4 == 1)
            snprintf(text, sizeof text, "%" PRIu64 "e%d", bits >> more % 64, (int)(more >> 8) % 25);
        else if (i % 4 == 2) /* halfway between two doubles, and a little beside it */
            snprintf(text, sizeof text, "%" PRIu64 ".%ue-%u",
                     ((bits >> 11) | UINT64_C(1) << 52) * 2 + 1, (unsigned)(more % 3),
                     (unsigned)(more >> 8) % 3);
        else
            snprintf(text, sizeof text, "%" PRIu64 ".%020" PRIu64 "e%d", bits >> more % 64, more,
                     (int)(more >> 8) % 600 - 300);
        check_double(text);
    }
}

/* A number with thousands of digits, whose last one decides. */
static void test_long_doubles(void **state)
{
    struct fixture *f = *state;
    char text[4000];
    for (int last = 0; last < 2; last++) {
        buf_clear(&f->text);
        put(&f->text, "9007199254740993.");
        for (int i = 0; i < 3000; i++)
            put(&f->text, "0");
        put(&f->text, last ? "1" : "0");
        buf_put8(&f->text, 0);
        memcpy(text, f->text.data, f->text.size);
        check_double(text);
    }
    memset(text, '3', sizeof text);
    memcpy(text + sizeof text - 8, "e-3900", 7);
    check_double(text);
    struct json_value value = value_of("\"NaN\"");
    double number;
    assert_true(json_double(&value, &number) && isnan(number));
    value = value_of("\"-Infinity\"");
    assert_true(json_double(&value, &number) && isinf(number) && number < 0);
    value = value_of("\"Infinity\"");
    assert_true(json_double(&value, &number) && isinf(number) && number > 0);
    value = value_of("\"1.5\"");
    assert_true(json_double(&value, &number) && number == 1.5);
    value = value_of("\"inf\"");
    assert_false(json_double(&value, &number));
    value = value_of("true");
    assert_false(json_double(&value, &number));
}

/* Up to twenty digits with any byte among them. */
static void test_integer_bytes(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 20; size++)
        for (size_t at = 0; at < size; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[] = "12345678901234567890";
                text[at] = (char)byte;
                struct json_value value = {
                    .text = text, .size = (uint32_t)size, .type = JSON_STRING};
                uint64_t expected = 0, found = 1;
                bool good = (text[0] != '0' || size == 1);
                for (size_t i = 0; good && i < size; i++) {
                    good = text[i] >= '0' && text[i] <= '9' &&
                           !__builtin_mul_overflow(expected, 10u, &expected) &&
                           !__builtin_add_overflow(expected, (uint64_t)(text[i] - '0'), &expected);
                }
                /* 12e4567, 12.0 and such are for the others. */
                if (memchr("eE.-+\\", (int)byte, 6) != NULL)
                    continue;
                assert_int_equal(json_uint64(&value, &found), good);
                assert_true(!good || found == expected);
            }
}

/* The end of a string without escapes, against a look at each byte. */
static void test_plain_end(void **state)
{
    (void)state;
    for (size_t size = 0; size < 70; size++)
        for (size_t at = 0; at <= size; at++)
            for (unsigned byte = 0; byte < 256; byte += at % 16 == 15 ? 1 : 17) {
                char *text = malloc(size + 1);
                assert_non_null(text);
                memset(text, 'x', size);
                if (at < size)
                    text[at] = (char)byte;
                const char *expected = NULL;
                for (size_t i = 0; i < size; i++) {
                    if (text[i] == '"')
                        expected = text + i;
                    if (text[i] == '"' || text[i] == '\\' || (unsigned char)text[i] < 0x20)
                        break;
                }
                assert_ptr_equal(json_plain_end(text, text + size), expected);
                free(text);
            }
}

/* A key that is likely is passed over exactly when it stands there as it mostly does. */
static void test_likely_keys(void **state)
{
    static const struct json_key keys[] = {JSON_KEY("a"), JSON_KEY("sum"), JSON_KEY("value"),
                                           JSON_KEY("timeUnixNano"),
                                           JSON_KEY("aggregationTemporality")};
    (void)state;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (int fresh = 0; fresh < 2; fresh++)
            for (size_t left = 0; left < 12; left++)
                for (size_t at = 0; at < 40; at++) {
                    char text[64];
                    int n = snprintf(text, sizeof text, "%s%s%.*s", fresh ? "" : ",",
                                     keys[k].quoted, (int)left, "12345678}}}}");
                    if (at < (size_t)n)
                        text[at] ^= 4;
                    bool damaged = at < keys[k].size + !fresh;
                    char *copy = malloc((size_t)n);
                    assert_non_null(copy);
                    memcpy(copy, text, (size_t)n);
                    struct json json;
                    json_start(&json, copy, (size_t)n);
                    json.fresh = fresh;
                    bool found = json_may_be(&json) && json_member_is(&json, keys[k]);
                    assert_false(found && damaged);
                    /* Short ones at the end of a text may be left to others. */
                    assert_true(found || damaged || left < 8);
                    assert_ptr_equal(json.at, copy + (found ? keys[k].size + !fresh : 0));
                    free(copy);
                }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_texts),
        TEST(test_messages),
        TEST(test_random_texts),
        TEST(test_damage),
        TEST(test_depth),
        TEST(test_text),
        TEST(test_text_out_of_memory),
        TEST(test_integers),
        TEST(test_doubles),
        TEST(test_long_doubles),
        TEST(test_integer_bytes),
        TEST(test_plain_end),
        TEST(test_likely_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
