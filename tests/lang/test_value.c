/* SPDX-License-Identifier: Apache-2.0
 *
 * test_value.c -- the order of values against decimal texts, hashes, and what values look like.
 *
 * The oracle writes numbers out in full, with all digits that a double has behind the point, and
 * compares the texts digit by digit.
 */
#include "lang/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "base/number.h"

enum { DIGITS = 1100, ROOM = DIGITS + 400 };

static struct varve_str text_of(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

static void in_full(struct value v, char text[ROOM])
{
    if (v.type == TYPE_FLOAT) {
        snprintf(text, ROOM, "%.*f", DIGITS, v.as.f);
        return;
    }
    uint64_t size = v.as.i < 0 ? -(uint64_t)v.as.i : (uint64_t)v.as.i;
    const char *sign = v.as.i < 0 ? "-" : "";
    int n;
    if (v.type == TYPE_INT)
        n = snprintf(text, ROOM, "%s%" PRIu64 ".", sign, size);
    else
        n = snprintf(text, ROOM, "%s%" PRIu64 ".%09" PRIu64, sign, size / 1000000000,
                     size % 1000000000);
    size_t behind = strlen(strchr(text, '.') + 1);
    memset(text + n, '0', DIGITS - behind);
    text[(size_t)n + DIGITS - behind] = 0;
}

static int oracle(struct value a, struct value b)
{
    char left[ROOM], right[ROOM];
    bool a_nan = a.type == TYPE_FLOAT && isnan(a.as.f),
         b_nan = b.type == TYPE_FLOAT && isnan(b.as.f);
    if (a_nan || b_nan)
        return a_nan - b_nan;
    if (a.type == TYPE_FLOAT && isinf(a.as.f))
        return a.as.f > 0 ? !(b.type == TYPE_FLOAT && b.as.f == a.as.f)
                          : -!(b.type == TYPE_FLOAT && b.as.f == a.as.f);
    if (b.type == TYPE_FLOAT && isinf(b.as.f))
        return b.as.f > 0 ? -1 : 1;
    in_full(a, left);
    in_full(b, right);
    bool minus = left[0] == '-';
    if (strspn(left, "-0.") == strlen(left) && strspn(right, "-0.") == strlen(right))
        return 0;
    if (minus != (right[0] == '-')) {
        /* -0 has a sign, too, and is no less than anything but what is above zero */
        bool left_zero = strspn(left, "-0.") == strlen(left);
        bool right_zero = strspn(right, "-0.") == strlen(right);
        if (left_zero)
            return right[0] == '-' ? 1 : -1;
        if (right_zero)
            return minus ? -1 : 1;
        return minus ? -1 : 1;
    }
    size_t p = strlen(left), q = strlen(right);
    int c = p != q ? (p > q) - (p < q) : strcmp(left, right);
    c = (c > 0) - (c < 0);
    return minus ? -c : c;
}

static double near_edges(struct prng *prng)
{
    static const double edges[] = {0,
                                   1,
                                   0.5,
                                   1e-9,
                                   0.1,
                                   1e9,
                                   0x1p53,
                                   0x1p63,
                                   0x1p62,
                                   0x1p-9,
                                   0x1p-30,
                                   9.223372036854775807e9,
                                   1e300,
                                   5e-324,
                                   0x1p-1022,
                                   1.0 / 3,
                                   123456789.123456789};
    double d = edges[prng_below(prng, sizeof edges / sizeof *edges)];
    for (uint64_t n = prng_below(prng, 3); n > 0; n--)
        d = nextafter(d, prng_below(prng, 2) ? HUGE_VAL : -HUGE_VAL);
    return prng_below(prng, 2) ? d : -d;
}

static struct value any_number(struct prng *prng)
{
    uint64_t word = prng_next(prng);
    switch (prng_below(prng, 9)) {
    case 0:
        return value_int(TYPE_INT, (int64_t)word >> prng_below(prng, 64));
    case 1:
        return value_int(TYPE_NANO, (int64_t)word >> prng_below(prng, 64));
    case 2:
        return value_int(TYPE_NANO, ((int64_t)(word % 19) - 9) * 1000000000);
    case 3:
        return value_int(TYPE_NANO, ((int64_t)(word % 4097) - 2048) * 1953125);
    case 4: {
        double d;
        memcpy(&d, &word, sizeof d);
        return value_float(d);
    }
    case 5:
        return value_float((double)((int64_t)(word % 4097) - 2048) / 512);
    case 6:
        return value_int(prng_below(prng, 2) ? TYPE_INT : TYPE_NANO,
                         word & 1 ? INT64_MAX - (int64_t)(word >> 62)
                                  : INT64_MIN + (int64_t)(word >> 62));
    case 7:
        return value_int(TYPE_INT, (int64_t)(word % 21) - 10);
    default:
        return value_float(near_edges(prng));
    }
}

/* The double nearest to an exact number, or its neighbour. */
static struct value beside(struct prng *prng, struct value v)
{
    double d = value_double(v);
    if (prng_below(prng, 2))
        d = nextafter(d, prng_below(prng, 2) ? HUGE_VAL : -HUGE_VAL);
    return value_float(d);
}

static void numbers_are_compared_by_their_worth(void **state)
{
    (void)state;
    struct prng prng = prng_start(20261);
    for (int i = 0; i < 20000; i++) {
        struct value a = any_number(&prng);
        struct value b = prng_below(&prng, 3) ? any_number(&prng) : beside(&prng, a);
        int expected = oracle(a, b), got = value_compare(a, b);
        if ((got > 0) - (got < 0) != expected) {
            char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX];
            value_print(a, left);
            value_print(b, right);
            fail_msg("%s %s and %s %s: %d, not %d", value_type_name(a.type), left,
                     value_type_name(b.type), right, got, expected);
        }
        got = value_compare(b, a);
        assert_int_equal((got > 0) - (got < 0), -expected);
        if (expected == 0)
            assert_true(value_hash(a) == value_hash(b));
    }
}

static struct value any_value(struct prng *prng)
{
    static const char *const texts[] = {"", "a", "ab", "b", "\xc3\xa4"};
    int64_t i = (int64_t)prng_below(prng, 5) - 2;
    switch (prng_below(prng, 6)) {
    case 0:
        return value_null();
    case 1:
        return value_int(TYPE_BOOL, i & 1);
    case 2:
        return value_int(TYPE_TIME, i);
    case 3:
        return value_int(TYPE_DURATION, i);
    case 4:
        return value_text(text_of(texts[prng_below(prng, 5)]));
    default:
        return any_number(prng);
    }
}

static void the_order_is_total(void **state)
{
    (void)state;
    struct prng prng = prng_start(20262);
    for (int i = 0; i < 100000; i++) {
        struct value a = any_value(&prng), b = any_value(&prng), c = any_value(&prng);
        assert_int_equal(value_compare(a, a), 0);
        if (value_compare(a, b) <= 0 && value_compare(b, c) <= 0)
            assert_true(value_compare(a, c) <= 0);
        if (value_compare(a, b) == 0)
            assert_true(value_hash(a) == value_hash(b));
    }
    struct value sorts[] = {value_int(TYPE_BOOL, 1),
                            value_int(TYPE_INT, -5),
                            value_float((double)NAN),
                            value_int(TYPE_TIME, -9),
                            value_int(TYPE_DURATION, -9),
                            value_text(STR("")),
                            value_null()};
    for (size_t i = 1; i < sizeof sorts / sizeof *sorts; i++)
        assert_true(value_compare(sorts[i - 1], sorts[i]) < 0);
}

static void hashes_differ(void **state)
{
    (void)state;
    uint64_t bits = 0;
    for (int64_t i = 1; i < 1000; i++) {
        assert_true(value_hash(value_int(TYPE_INT, i)) != value_hash(value_int(TYPE_INT, i - 1)));
        assert_true(value_hash(value_int(TYPE_TIME, i)) != value_hash(value_int(TYPE_INT, i)));
        bits |= value_hash(value_int(TYPE_NANO, i)) ^ value_hash(value_int(TYPE_NANO, i - 1));
    }
    assert_true(bits == UINT64_MAX);
}

static void decimals_are_rounded_once(void **state)
{
    (void)state;
    struct prng prng = prng_start(20263);
    for (int i = 0; i < 20000; i++) {
        struct value v = value_int(TYPE_NANO, (int64_t)prng_next(&prng) >> prng_below(&prng, 64));
        char text[VALUE_TEXT_MAX];
        value_print(v, text);
        assert_true(strtod(text, NULL) == value_double(v));
    }
    assert_true(value_double(value_int(TYPE_DURATION, INT64_C(1500000000))) == 1.5);
    assert_true(isnan(value_double(value_text(STR("1")))));
}

static void doubles_read_back(void **state)
{
    (void)state;
    struct prng prng = prng_start(20264);
    for (int i = 0; i < 20000; i++) {
        struct value v = any_number(&prng);
        if (v.type != TYPE_FLOAT || !isfinite(v.as.f))
            continue;
        char text[VALUE_TEXT_MAX], shorter[64];
        size_t length = value_print(v, text);
        assert_int_equal(length, strlen(text));
        double back;
        assert_true(number_parse((struct varve_str){text, length}, &back));
        assert_true(back == v.as.f);
        snprintf(shorter, sizeof shorter, "%.14g", v.as.f);
        if (strtod(shorter, NULL) == v.as.f && !(fabs(v.as.f) < 0x1p53 && floor(v.as.f) == v.as.f))
            assert_true(strlen(text) <= strlen(shorter));
    }
}

static void texts(void **state)
{
    (void)state;
    static const struct {
        enum value_type type;
        int64_t i;
        const char *text;
    } cases[] = {
        {TYPE_NULL, 0, "NULL"},
        {TYPE_BOOL, 1, "true"},
        {TYPE_BOOL, 0, "false"},
        {TYPE_INT, INT64_MIN, "-9223372036854775808"},
        {TYPE_NANO, 0, "0"},
        {TYPE_NANO, 250000000, "0.25"},
        {TYPE_NANO, -1, "-0.000000001"},
        {TYPE_NANO, INT64_C(12000000000), "12"},
        {TYPE_NANO, INT64_MIN, "-9223372036.854775808"},
        {TYPE_TIME, INT64_C(1791446400137000000), "2026-10-08T08:00:00.137Z"},
        {TYPE_DURATION, 0, "0s"},
        {TYPE_DURATION, INT64_C(5400000000000), "1h30m"},
        {TYPE_DURATION, INT64_C(-90061001002003), "-1d1h1m1s1ms2us3ns"},
        {TYPE_DURATION, INT64_MIN, "-106751d23h47m16s854ms775us808ns"},
    };
    char text[VALUE_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = value_print(value_int(cases[i].type, cases[i].i), text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
    }
    value_print(value_float(0.1), text);
    assert_string_equal(text, "0.1");
    value_print(value_float(5e-324), text);
    assert_string_equal(text, "5e-324");
    assert_int_equal(value_print(value_text(STR("x")), text), 0);
}

static void numbers_are_read(void **state)
{
    (void)state;
    double d;
    int64_t i;
    assert_true(number_parse(STR(" -1.5e3\n"), &d) && d == -1500);
    assert_true(number_parse(STR(".5"), &d) && d == 0.5);
    assert_true(number_parse(STR("5."), &d) && d == 5);
    assert_true(number_parse(STR("-inf"), &d) && isinf(d) && d < 0);
    assert_true(number_parse(STR("NaN"), &d) && isnan(d));
    static const char *const bad[] = {"",     " ",   ".",  "1e",    "0x1p3", "1,5", "1 2",
                                      "inf1", "--1", "e5", "1e999", "1.2.3", "1e+", "-nan"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_false(number_parse(text_of(bad[k]), &d));
    char zeros[302];
    memset(zeros, '0', sizeof zeros);
    assert_true(number_parse((struct varve_str){zeros, 300}, &d) && d == 0);
    assert_false(number_parse((struct varve_str){zeros, 301}, &d));
    assert_true(number_parse_int(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(number_parse_int(STR("+7 "), &i) && i == 7);
    assert_false(number_parse_int(STR("9223372036854775808"), &i));
    assert_false(number_parse_int(STR("7.0"), &i));
    assert_false(number_parse_int(STR("-"), &i));
    assert_false(number_parse_int(STR(""), &i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_compared_by_their_worth),
        cmocka_unit_test(the_order_is_total),
        cmocka_unit_test(hashes_differ),
        cmocka_unit_test(decimals_are_rounded_once),
        cmocka_unit_test(doubles_read_back),
        cmocka_unit_test(texts),
        cmocka_unit_test(numbers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
