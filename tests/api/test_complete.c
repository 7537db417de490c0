/* SPDX-License-Identifier: Apache-2.0
 *
 * test_complete.c -- what is offered at a place of an unfinished statement.
 *
 * A statement is written with the place marked by a bar; what is offered is compared as a list of
 * words.  Cut and broken statements must be answered too, whatever with.
 */
#include <stdio.h>

#include "small.h"

static struct small small;
static bool no_store; /* asked without one */

struct offered {
    char text[1 << 16];
    size_t size, from;
    int count, most;
};

static int take(void *context, enum varve_completion kind, struct varve_str word)
{
    struct offered *o = context;
    assert_in_range(kind, VARVE_COMPLETE_KEYWORD, VARVE_COMPLETE_VALUE);
    if (o->size + word.size + 2 < sizeof o->text)
        o->size += (size_t)snprintf(o->text + o->size, sizeof o->text - o->size, "%.*s ",
                                    (int)word.size, word.data);
    return ++o->count == o->most;
}

static const struct offered *ask_for(const char *marked)
{
    static struct offered offered;
    char text[512];
    const char *bar = strchr(marked, '|');
    size_t at = (size_t)(bar - marked);
    snprintf(text, sizeof text, "%.*s%s", (int)at, marked, bar + 1);
    offered = (struct offered){.most = -1};
    MUST(varve_complete(no_store ? NULL : small.db, varve_str(text), at, &offered.from, take,
                        &offered, &test_err));
    return &offered;
}

/* Exactly these words, each with a space behind it. */
static void offers(const char *marked, const char *words)
{
    const struct offered *o = ask_for(marked);
    if (strcmp(o->text, words) != 0)
        print_error("%s\n", marked);
    assert_string_equal(o->text, words);
}

/* These are among them. */
static void has(const char *marked, const char *word)
{
    char with_spaces[128], all[sizeof ask_for(marked)->text + 2];
    snprintf(with_spaces, sizeof with_spaces, " %s ", word);
    snprintf(all, sizeof all, " %s", ask_for(marked)->text);
    if (!strstr(all, with_spaces))
        print_error("%s: %s is not in%s\n", marked, word, all);
    assert_non_null(strstr(all, with_spaces));
}

static int make_store(void **state)
{
    (void)state;
    small_make(&small);
    for (int i = 0; i < 3; i++)
        small_delta(&small, "claude_code.cost.usage", "USD", "model=opus,user.email=a@b", T0 + i,
                    varve_float(1));
    small_delta(&small, "claude_code.cost.usage", "USD", "model=o'neill", T0 + 9, varve_float(1));
    small_delta(&small, "claude_code.token.usage", "", "type=input", T0 + 1, varve_int(1));
    small_delta(&small, "own-metric", "", "where=here", T0 + 1, varve_int(1));
    struct varve_field fields[] = {{varve_str("tool_name"), varve_text(varve_str("Bash"))},
                                   {varve_str("duration_ms"), varve_int(5)}};
    MUST(varve_batch_event(small.batch, varve_str("tool_result"), T0, fields, 2, &test_err));
    small_append(&small);
    return 0;
}

static int remove_store(void **state)
{
    (void)state;
    small_close(&small);
    small_remove(&small);
    return 0;
}

static void test_keywords(void **state)
{
    (void)state;
    offers("SEL|", "SELECT ");
    offers("sel|", "select ");
    offers("SHOW TAB|", "TABLES ");
    offers("SELECT increase(cost) SINCE 7d EVERY |", "DAY WEEK MONTH QUARTER YEAR AUTO ");
    offers("SELECT increase(cost) DUR|", "DURING ");
    offers("SELECT increase(cost) DURING |", "TODAY YESTERDAY THIS LAST ");
    offers("SELECT 1 GROUP |", "BY ");
    assert_int_equal(ask_for("  SHOW me|")->from, 7);
}

static void test_names(void **state)
{
    (void)state;
    offers("SELECT increase(cos|", "cost ");
    offers("SELECT increase(claude_code.c|", "claude_code.cost.usage ");
    has("SELECT increase(|", "tokens");
    has("SELECT increase(|", "\"own-metric\"");
    has("SELECT incr|", "increase");
    has("SELECT quan|", "quantile");
    offers("SELECT count(*) FROM |", "tool_result ");
    has("DESCRIBE |", "tool_result");
    has("DESCRIBE |", "cost");
    has("SELECT count(*), du| FROM tool_result", "duration_ms");
}

static void test_labels(void **state)
{
    (void)state;
    offers("SELECT increase(cost{|", "model user_email ");
    offers("SELECT increase(cost{model='opus', |", "model user_email ");
    offers("SELECT increase(cost) BY mod|", "model ");
    offers("SELECT increase(cost) BY user.|", "user.email ");
    offers("SELECT increase(tokens) / increase(cost) BY ty|", "type ");
    offers("SHOW VALUES OF mod| IN cost", "model ");
    has("SELECT count(*) FROM tool_result BY |", "tool_name");
    offers("SELECT increase(nothing{|", "");
}

static void test_values(void **state)
{
    (void)state;
    offers("SELECT increase(cost{model=|", "'opus' 'o''neill' ");
    offers("SELECT increase(cost{model='op|", "'opus' ");
    offers("SELECT increase(cost{model='op|'}) SINCE 7d", "'opus' ");
    offers("SELECT increase(cost{user_email=|", "'a@b' ");
    offers("SELECT increase(cost) WHERE model = |", "'opus' 'o''neill' ");
    offers("SELECT count(*) FROM tool_result WHERE tool_name IN ('Bash', |", "'Bash' ");
    offers("SELECT count(*) FROM tool_result WHERE tool_name IN (|", "'Bash' ");
    assert_int_equal(ask_for("SELECT increase(cost{model='op|")->from, 27);
}

static void test_no_store(void **state)
{
    (void)state;
    no_store = true;
    offers("SEL|", "SELECT ");
    offers("SHOW TAB|", "TABLES ");
    has("SELECT incr|", "increase");
    has("SELECT increase(|", "cost");
    has("SELECT increase(|", "tokens");
    offers("SELECT increase(claude_code.cos|", "claude_code.cost.usage ");
    offers("SELECT increase(cost) DUR|", "DURING ");
    offers("SELECT count(*) FROM |", "");
    offers("SELECT increase(cost{|", "");
    offers("SELECT increase(cost{model=|", "");
    offers("SELECT increase(cost) BY mod|", "");
    offers("SHOW VALUES OF mod| IN cost", "");
    no_store = false;
}

/* What this version cannot run is not offered. */
static void test_known_only(void **state)
{
    (void)state;
    offers("LIN|", "");
    offers("SHOW PAN|", "");
    offers("CREATE |", "VIEW LOOKUP OR ");
}

static void test_stops(void **state)
{
    struct offered offered = {.most = 2};
    size_t from;
    (void)state;
    MUST(varve_complete(small.db, varve_str("SELECT "), 7, &from, take, &offered, &test_err));
    assert_int_equal(offered.count, 2);
    REFUSED(VARVE_INVALID, "behind the text",
            varve_complete(small.db, varve_str("SEL"), 4, &from, take, &offered, &test_err));
}

/* Every place of statements that are cut, doubled and broken. */
static void test_anywhere(void **state)
{
    static const char *const texts[] = {
        ("SELECT increase(cost{model='opus',user_email=~\"a.*\"}) AS x, count(*) FROM tool_result "
         "WHERE tool_name IN ('Bash', 'x') AND NOT model IS NULL BY model EVERY day FILL 0"),
        "{{{}}} ,,(= = IN IN (, IN NOT IN '",
        "\"a\"\"b\" = \"open",
        "-- comment\nSHOW VALUES OF",
        "= 'x' LIKE LIKE \377\376 {",
        ""};
    struct offered offered;
    char text[512];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t at = 0; at <= strlen(texts[i]); at++)
            for (int cut = 0; cut < 2; cut++) {
                size_t from, size = cut ? at : strlen(texts[i]);
                memcpy(text, texts[i], size);
                offered = (struct offered){.most = -1};
                MUST(varve_complete(small.db, (struct varve_str){text, size}, at, &from, take,
                                    &offered, &test_err));
                assert_true(from <= at);
                MUST(varve_complete(NULL, (struct varve_str){text, size}, at, &from, take, &offered,
                                    &test_err));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keywords), cmocka_unit_test(test_names),
        cmocka_unit_test(test_labels),   cmocka_unit_test(test_values),
        cmocka_unit_test(test_no_store), cmocka_unit_test(test_known_only),
        cmocka_unit_test(test_stops),    cmocka_unit_test(test_anywhere)};
    return cmocka_run_group_tests(tests, make_store, remove_store);
}
