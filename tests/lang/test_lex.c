/* SPDX-License-Identifier: Apache-2.0
 *
 * test_lex.c -- tokens, the end of statements in scripts, words.
 *
 * A text's tokens are written as one letter each with what they say, so that a table
 * of texts is the whole test.
 */
#include "../base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/lex.h"
#include "lang/words.h"

/* w word, q quoted, s string, i int, f float, d duration, t date, m mark, o open, b bad. */
static const char letters[] = ".wqsifdtmob";

static void show_tokens(const char *text, char *out, size_t room)
{
    struct lexer lexer;
    size_t used = 0;
    lex_begin(&lexer, text, (uint32_t)strlen(text));
    for (struct token token; (token = lex_next(&lexer)).kind != TOKEN_END;) {
        const int size = (int)(token.place.until - token.place.from);
        used += (size_t)snprintf(out + used, room - used, "%s%c:%.*s", used ? " " : "",
                                 letters[token.kind], size, text + token.place.from);
        assert_true(used < room);
        if (token.kind == TOKEN_MARK)
            assert_int_equal(token.mark, MARK(text[token.place.from],
                                              size == 2 ? text[token.place.from + 1] : 0));
    }
    out[used] = '\0';
}

static void test_tokens(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", ""},
        {"  \t\n -- x", ""},
        {"a b.c _d a.b.c e1", "w:a w:b.c w:_d w:a.b.c w:e1"},
        {"job:x:rate5m a. .b a..b", "w:job:x:rate5m w:a b:. b:. w:b w:a b:. b:. w:b"},
        {"'a' '' 'it''s' '\"'", "s:'a' s:'' s:'it''s' s:'\"'"},
        {"\"a\" \"\"\"\" 'a\\'", "q:\"a\" q:\"\"\"\" s:'a\\'"},
        {"1 1_000 0x1F 007", "i:1 i:1_000 i:0x1F i:007"},
        {"1.5 .5 1e6 1E-6 1.5e+10 1_0.2_5", "f:1.5 f:.5 f:1e6 f:1E-6 f:1.5e+10 f:1_0.2_5"},
        {"90s 15m 1h30m 7d 2w 2y 10ms 5us 7ns 1y2w3d", "d:90s d:15m d:1h30m d:7d d:2w d:2y d:10ms "
                                                       "d:5us d:7ns d:1y2w3d"},
        {"1m1h 1h30 1mo 5M 1s1s", "b:1m1h b:1h30 b:1mo b:5M b:1s1s"},
        {"12x 1__0 1_ 0x 1e 1.5x", "b:12x b:1__0 b:1_ b:0x b:1e b:1.5x"},
        {"1. 1.e5 1.5.2", "i:1 b:. i:1 b:. w:e5 f:1.5 f:.2"},
        {"2026-10-03", "t:2026-10-03"},
        {"2026-10-03T08:15:18.137Z 2026-10-03t08:15", "t:2026-10-03T08:15:18.137Z "
                                                      "t:2026-10-03t08:15"},
        {"2026-10-03T08:15+02:00-1d", "t:2026-10-03T08:15+02:00 m:- d:1d"},
        {"2026-10-03T08 2026-10-031 2026-10",
         "b:2026-10-03T08 i:2026 m:- i:10 m:- i:031 i:2026 m:- "
         "i:10"},
        {"2026-10-03T08:15:18. 2026-10-03-7d", "t:2026-10-03T08:15:18 b:. t:2026-10-03 m:- d:7d"},
        {"()[]{},;*/%+-=<>@", "m:( m:) m:[ m:] m:{ m:} m:, m:; m:* m:/ m:% m:+ m:- m:= m:<> m:@"},
        {"== != <> <= >= =~ !~ || === <==", "m:== m:!= m:<> m:<= m:>= m:=~ m:!~ m:|| m:== m:= m:<= "
                                            "m:="},
        {"! | & $ # \xc3\xa9x \x01", "b:! b:| b:& b:$ b:# b:\xc3\xa9 w:x b:\x01"},
        {"a--b\nc", "w:a w:c"},
        {"a/* ' */b/**/c", "w:a w:b w:c"},
        {"a - -b", "w:a m:- m:- w:b"},
        {"a 'b", "w:a o:'b"},
        {"a \"b''", "w:a o:\"b''"},
        {"a /* b */* /* c", "w:a m:* o:/* c"},
        {"'a''", "o:'a''"},
        {"/*/", "o:/*/"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char shown[400];
        show_tokens(texts[i][0], shown, sizeof shown);
        assert_string_equal(shown, texts[i][1]);
    }
}

/* A token's place is exact, whatever was before it, and the end stays the end. */
static void test_places(void **state)
{
    (void)state;
    struct lexer lexer;
    lex_begin(&lexer, "a -- b\n  <= ", 12);
    assert_int_equal(lex_next(&lexer).place.until, 1);
    const struct token token = lex_next(&lexer);
    assert_int_equal(token.place.from, 9);
    assert_int_equal(token.place.until, 11);
    for (int i = 0; i < 3; i++) {
        const struct token end = lex_next(&lexer);
        assert_int_equal(end.kind, TOKEN_END);
        assert_int_equal(end.place.from, 12);
    }
}

/* Nothing is read behind the size. */
static void test_sizes(void **state)
{
    (void)state;
    static const char text[] =
        "1h30m 2026-10-03T08:15:18.137+02:00 'a''b' x.y <= /* z */ 0x1f 1e+5";
    for (uint32_t size = 0; size < sizeof text; size++) {
        char *copy = malloc(size ? size : 1);
        struct lexer lexer;
        assert_non_null(copy);
        memcpy(copy, text, size);
        lex_begin(&lexer, copy, size);
        while (lex_next(&lexer).kind != TOKEN_END)
            continue;
        free(copy);
    }
}

/* | is where a statement ends; the last one of a text is complete if the text ends in |. */
static void test_statements(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "select 1;| select 2",
        "select ';';|select \";\" -- ;\n;|",
        "select 'a\\';| b ';",
        "select 1 /* ; */;| -- ;",
        "sum(x{a=\"b;\\\";\"});|up # ;\n;|",
        "up{a='\\';'};|",
        "up{a=`;\\`};|",
        "up -- 1;|up",
        "PROMQL up{a='\\';'};|promql x;|",
        "lint up{a='\\';'};|lint select 'a\\';|",
        "explain up{a='\\';'};|explain promql up{a='\\';'};|explain analyze up{a='\\';'};|",
        "explain select 'a\\';|explain promql select 'a\\';|explain analyze select 'a\\';|",
        "create alert a as sum(x{b='\\';'}) > 5 message 'it''s;' check every 1m;|",
        "create alert a as select b message 'a\\';|",
        "create panel p as up{a='\\';'};|",
        "create lookup a from ';' on b;|",
        ";|;|",
        "# only ; a comment\n;|",
        "select 'open;",
        "select 1 /* open;",
        "up{a=\"open;",
        "sum(;|",
        "",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        char text[200];
        uint32_t ends[10], count = 0, size = 0, at = 0;
        for (const char *c = scripts[i]; *c; c++) {
            if (*c == '|')
                ends[count++] = size;
            else
                text[size++] = *c;
        }
        for (uint32_t n = 0; n <= count; n++) {
            bool complete = true;
            at = lex_statement(text, size, at, &complete);
            if (complete != (n < count) || at != (n < count ? ends[n] : size))
                fail_msg("%s: statement %u ends at %u", scripts[i], n, at);
        }
    }
}

/* Where an alert goes on behind its PromQL, marked by |. */
static void test_promql_ends(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "up > 5 |CHECK EVERY 5m",
        "up > 5 |for 5m",
        "sum by (check) (x) |When value > 3",
        "a / on(b) c |ON /* x */ EMPTY ok",
        "a / on () c |message 'x'",
        "sum(for 5m) + check + message + on (x)|",
        "up{when=\"x\"} # when\n + 1 |when x",
        "up |; when",
        "x # check every|",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[100];
        bool open;
        const size_t end = strcspn(texts[i], "|");
        snprintf(text, sizeof text, "%.*s%s", (int)end, texts[i], texts[i] + end + 1);
        assert_int_equal(lex_promql(text, (uint32_t)strlen(text), 0, true, &open), end);
        assert_false(open);
    }
}

static void test_words(void **state)
{
    (void)state;
    static const enum word clauses[] = {WORD_FROM, WORD_SINCE, WORD_BETWEEN, WORD_BY};
    for (int i = 0; i < WORDS; i++) {
        const char *text = word_text((enum word)i);
        assert_int_equal(word_find((struct varve_str){text, strlen(text)}), i);
    }
    assert_int_equal(word_find(STR("SeLeCt")), WORD_SELECT);
    assert_int_equal(word_find(STR("selects")), WORDS);
    assert_int_equal(word_find(STR("")), WORDS);
    assert_int_equal(word_find(STR("a_name_that_is_long")), WORDS);
    assert_true(word_begins_statement(WORD_PROMQL) && word_begins_statement(WORD_SELECT));
    assert_false(word_begins_statement(WORD_FROM) || word_begins_statement(WORDS));
    assert_int_equal(word_nearest(STR("sinse"), clauses, 4), WORD_SINCE);
    assert_int_equal(word_nearest(STR("form"), clauses, 4), WORD_FROM);
    assert_int_equal(word_nearest(STR("betwen"), clauses, 4), WORD_BETWEEN);
    assert_int_equal(word_nearest(STR("usd"), clauses, 4), WORDS);
    assert_int_equal(word_nearest(STR("b"), clauses, 4), WORDS);
}

static void test_errors(void **state)
{
    (void)state;
    struct lang_error error;
    const struct place place = {3, 5};
    assert_int_equal(lang_fail(NULL, VARVE_INVALID, place, "x"), VARVE_INVALID);
    assert_int_equal(lang_fail(&error, VARVE_LIMIT, place, "%d", 12), VARVE_LIMIT);
    assert_string_equal(error.message, "12");
    assert_int_equal(error.place.from, 3);
    assert_int_equal(error.place.until, 5);
    /* 278 + 1 bytes fit; the character that would be cut is left out. */
    (void)lang_fail(&error, VARVE_INVALID, place, "%278s\xe2\x82\xac and more", "");
    assert_int_equal(strlen(error.message), 278);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),      cmocka_unit_test(test_places),
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_statements),
        cmocka_unit_test(test_promql_ends), cmocka_unit_test(test_words),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
