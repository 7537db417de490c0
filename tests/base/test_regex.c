/* SPDX-License-Identifier: Apache-2.0
 *
 * test_regex.c -- patterns that match as a whole; what RE2 refuses is refused; limits are errors.
 */
#include "base/regex.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct mem mem;

static int set_up(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    return mem.used == 0 ? 0 : -1;
}

static struct varve_str str(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

static bool matches(const char *pattern, const char *text, bool dot_all)
{
    struct regex *regex = NULL;
    bool result = false;
    struct varve_err err = {.message = ""};
    if (regex_new(&mem, str(pattern), dot_all, &regex, &err) != VARVE_OK)
        fail_msg("'%s' is refused: %s", pattern, err.message);
    assert_int_equal(regex_match(regex, str(text), &result, &err), VARVE_OK);
    regex_free(regex);
    return result;
}

static void test_matches(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool result;
    } cases[] = {
        {"opus", "opus", true},
        {"opus", "opus-4", false},
        {"", "", true},
        {"", "x", false},
        {"a|b|", "b", true},
        {"a|b|", "", true},
        {"a|b|", "ab", false},
        {".*", "", true},
        {".+", "", false},
        {".+", "x", true},
        {"claude-.*", "claude-", true},
        {"claude-.+", "claude-", false},
        {"claude-.*", "cl", false},
        {"a.c", "abc", true},
        {"a.c", "a\nc", false},
        {".*", "a\nb", false},
        {"foo$", "foo\n", false},
        {"(?i)CLAUDE-.*", "claude-x", true},
        {".*example\\.com", "a@example.com", true},
        {".*example\\.com", "a@example_com", false},
        {"(a|ab)(c|bcd)", "abcd", true},
        {"x{2,3}", "xx", true},
        {"x{,3}", "x{,3}", true},
        {"\\d+", "123", true},
        {"[\\d_-]+", "1-2_3", true},
        {"a\\sb", "a b", true},
        {"a\\sb", "a\vb", false},
        {"\\v", "\v", true},
        {"\\v", "\n", false},
        {"[[:word:]]+", "a_1", true},
        {"\\Qa.b\\E", "a.b", true},
        {"\\Qa.b\\E", "axb", false},
        {"(?P<n>a)b", "ab", true},
        {"[]a]+", "]a", true},
        {"[[]", "[", true},
        {"gr\xc3\xbc.", "gr\xc3\xbc\xc3\x9f", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (matches(cases[i].pattern, cases[i].text, false) != cases[i].result)
            fail_msg("'%s' on '%s'", cases[i].pattern, cases[i].text);
    assert_true(matches(".*", "a\nb", true));
    assert_true(matches("a.c", "a\nc", true));
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "a(?=b)",  "a(?!b)",  "(?<=a)b", "(?<!a)b", "(a)\\1", "(?>a)",     "a++",     "a*+",
        "a?+",     "a{2}+",   "a**",     "(?#x)a",  "\\Ka",   "\\R",       "\\h",     "\\cA",
        "a\\Z",    "\\C",     "\\e",     "\\N",     "\\X",    "(?R)",      "(*FAIL)", "(?|a|b)",
        "a{1001}", "a{2000}", "(",       "[a",      "\\",     "a{1,1001}", "*a",      "(?'n'a)"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct regex *regex = NULL;
        struct varve_err err = {.message = ""};
        if (regex_new(&mem, str(patterns[i]), false, &regex, &err) != VARVE_INVALID)
            fail_msg("'%s' is not refused", patterns[i]);
        assert_true(err.message[0]);
    }
    struct regex *regex = NULL;
    assert_int_equal(regex_new(&mem, str("\xff"), false, &regex, NULL), VARVE_INVALID);
}

/* What would take exponential time is an error. */
static void test_limit(void **state)
{
    (void)state;
    struct regex *regex = NULL;
    bool result;
    struct varve_err err;
    char text[64];
    memset(text, 'a', sizeof text);
    assert_int_equal(regex_new(&mem, str("(a|aa)+[bc]"), false, &regex, &err), VARVE_OK);
    assert_int_equal(regex_match(regex, (struct varve_str){text, sizeof text}, &result, &err),
                     VARVE_LIMIT);
    assert_non_null(strstr(err.message, "simpler"));
    regex_free(regex);
}

/* Without memory it fails cleanly, wherever that is. */
static void test_no_memory(void **state)
{
    (void)state;
    enum varve_status status = VARVE_NOMEM;
    for (size_t cap = 64; status != VARVE_OK; cap += 64) {
        struct mem small;
        mem_init(&small, NULL, cap);
        struct regex *regex = NULL;
        status = regex_new(&small, str("(a|b)+[cd]?x.*"), false, &regex, NULL);
        assert_true(status == VARVE_OK || status == VARVE_NOMEM);
        regex_free(regex);
        assert_int_equal(small.used, 0);
        assert_true(cap < 4 << 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
