/* SPDX-License-Identifier: Apache-2.0
 *
 * test_str.c -- UTF-8 against the definition, distances against the recursion.
 */
#include "base/str.h"

#include "prng.h"
#include "unit.h"

/* Decodes without any cleverness, then asks whether the number may be written like that. */
static bool is_utf8_by_definition(const uint8_t *p, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t i = 0; i < size;) {
        size_t length = p[i] < 0x80         ? 1
                        : p[i] >> 5 == 0x06 ? 2
                        : p[i] >> 4 == 0x0e ? 3
                        : p[i] >> 3 == 0x1e ? 4
                                            : 0;
        if (length == 0 || i + length > size)
            return false;
        uint32_t code = length == 1 ? p[i] : p[i] & (0x7fu >> length);
        for (size_t k = 1; k < length; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            code = code << 6 | (p[i + k] & 0x3f);
        }
        if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return false;
        i += length;
    }
    return true;
}

static bool is_utf8(const void *bytes, size_t size)
{
    return str_is_utf8((struct varve_str){bytes, size});
}

/* All texts of one to three bytes, and all of four that start as four-byte ones do. */
static void test_all_short_texts(void **state)
{
    (void)state;
    uint8_t b[4];
    for (uint32_t x = 0; x < 1 << 24; x++) {
        b[0] = (uint8_t)(x >> 16);
        b[1] = (uint8_t)(x >> 8);
        b[2] = (uint8_t)x;
        if ((x & 0xffff) == 0 && is_utf8(b, 1) != is_utf8_by_definition(b, 1))
            fail_msg("%02x", b[0]);
        if ((x & 0xff) == 0 && is_utf8(b, 2) != is_utf8_by_definition(b, 2))
            fail_msg("%02x %02x", b[0], b[1]);
        if (is_utf8(b, 3) != is_utf8_by_definition(b, 3))
            fail_msg("%02x %02x %02x", b[0], b[1], b[2]);
    }
    for (uint32_t x = 0; x < 1 << 20; x++) {
        b[0] = (uint8_t)(0xf0 | x >> 17);
        b[1] = (uint8_t)(x >> 9);
        b[2] = (uint8_t)((x >> 1 & 0xf0) | 0x0f);
        b[3] = (uint8_t)(x << 3);
        if (is_utf8(b, 4) != is_utf8_by_definition(b, 4))
            fail_msg("%02x %02x %02x %02x", b[0], b[1], b[2], b[3]);
    }
}

/* One wrong byte anywhere in a long text is found, also after the fast way over ASCII. */
static void test_long_texts(void **state)
{
    (void)state;
    char text[100];
    for (size_t size = 0; size < sizeof text; size++) {
        memset(text, 'a', sizeof text);
        assert_true(is_utf8(text, size));
        for (size_t at = 0; at < size; at++) {
            text[at] = (char)0x80;
            assert_false(is_utf8(text, size));
            text[at] = 'a';
        }
    }
    struct prng prng = prng_start(3);
    static const char *const pieces[] = {
        "abcdefgh",     "x",    "\u00e9",          "\u20ac", "\U0001f600",
        "\xed\xa0\x80", "\xc3", "\xf4\x90\x80\x80"};
    for (int i = 0; i < 50000; i++) {
        size_t n = 0;
        for (int k = 0; k < 10; k++) {
            const char *piece = pieces[prng_below(&prng, k == 9 ? 8 : 5)];
            memcpy(text + n, piece, strlen(piece));
            n += strlen(piece);
        }
        assert_int_equal(is_utf8(text, n), is_utf8_by_definition((const uint8_t *)text, n));
    }
    assert_true(is_utf8(NULL, 0));
}

static void test_compare(void **state)
{
    (void)state;
    assert_true(str_equal(STR("a"), STR("a")));
    assert_false(str_equal(STR("a"), STR("ab")));
    assert_true(str_equal(STR(""), (struct varve_str){NULL, 0}));
    assert_true(str_compare(STR("a"), STR("b")) < 0);
    assert_true(str_compare(STR("ab"), STR("a")) > 0);
    assert_true(str_compare(STR("\xff"), STR("a")) > 0);
    assert_int_equal(str_compare((struct varve_str){NULL, 0}, STR("")), 0);
}

static unsigned by_recursion(const char *a, size_t n, const char *b, size_t m)
{
    if (n == 0 || m == 0)
        return (unsigned)(n + m);
    unsigned best = by_recursion(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
    unsigned other = by_recursion(a, n - 1, b, m) + 1;
    best = other < best ? other : best;
    other = by_recursion(a, n, b, m - 1) + 1;
    best = other < best ? other : best;
    if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1]) {
        other = by_recursion(a, n - 2, b, m - 2) + 1;
        best = other < best ? other : best;
    }
    return best;
}

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(str_distance(STR("cost"), STR("cost")), 0);
    assert_int_equal(str_distance(STR("cost"), STR("csot")), 1);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(str_distance(STR(""), STR("abc")), 3);
    assert_int_equal(str_distance(STR("caf\u00e9"), STR("cafe")), 1);
    assert_int_equal(str_distance(STR("\xff"), STR("\xfe")), 1);
    struct prng prng = prng_start(4);
    for (int i = 0; i < 1500; i++) {
        char a[6], b[6];
        size_t n = prng_below(&prng, 6), m = prng_below(&prng, 6);
        for (int k = 0; k < 6; k++) {
            a[k] = (char)('a' + prng_below(&prng, 3));
            b[k] = (char)('a' + prng_below(&prng, 3));
        }
        struct varve_str x = {a, n}, y = {b, m};
        assert_int_equal(str_distance(x, y), by_recursion(a, n, b, m));
        assert_int_equal(str_distance(y, x), str_distance(x, y));
    }
}

static void test_distance_of_long_names(void **state)
{
    (void)state;
    char a[5000], b[5000];
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    struct varve_str x = {a, sizeof a}, y = {b, sizeof b}, z = {a, 64};
    assert_int_equal(str_distance(x, y), 0);
    b[4999] = 'b';
    assert_true(str_distance(x, y) >= 65);
    assert_true(str_distance(x, z) >= 65);
    assert_int_equal(str_distance(z, z), 0);
    b[0] = 'b';
    assert_int_equal(str_distance(z, (struct varve_str){b, 64}), 1);
}

static void test_cut(void **state)
{
    (void)state;
    struct varve_str s = STR("ab\u20acd");
    assert_int_equal(str_cut(s, 100), 6);
    assert_int_equal(str_cut(s, 5), 5);
    assert_int_equal(str_cut(s, 4), 2);
    assert_int_equal(str_cut(s, 3), 2);
    assert_int_equal(str_cut(s, 2), 2);
    assert_int_equal(str_cut(s, 0), 0);
    char shown[20];
    snprintf(shown, sizeof shown, "%.*s", STR_ARG(((struct varve_str){NULL, 0})));
    assert_string_equal(shown, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_short_texts),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_distance_of_long_names),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
