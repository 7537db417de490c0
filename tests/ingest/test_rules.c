/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rules.c -- what rules say and which texts are none; globs against a slow matcher; the
 * built-in rules; hashes.
 */
#include "ingest/rules.h"

#include "../base/unit.h"
#include "../faults/alloc_fault.h"

#include <stdio.h>

static struct mem mem;
static const uint8_t secret[RULES_SECRET] = "a secret of thirty-two bytes ...";

static struct varve_str str(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return mem.used != 0;
}

static struct rules *rules_of(const char *text)
{
    struct rules *rules;
    struct varve_err err;
    if (rules_new(&mem, str(text), secret, &rules, &err) != VARVE_OK)
        fail_msg("%s: %s", err.place, err.message);
    return rules;
}

/* ---- what they say ---- */

static const struct {
    const char *rules, *source, *label;
    enum rule_source kind;
    enum rule_verdict verdict;
} labels[] = {
    {"", "claude_code.cost.usage", "user.email", RULE_METRIC, RULE_KEEP},
    {"drop label user.email", "claude_code.cost.usage", "user.email", RULE_METRIC, RULE_DROP},
    {"drop label user_email", "api_request", "user.email", RULE_TABLE, RULE_DROP},
    {"drop label user.email", "api_request", "user_email", RULE_TABLE, RULE_DROP},
    {"hash label user.*", "api_request", "user.email", RULE_TABLE, RULE_HASH},
    {"hash label user.*", "api_request", "users", RULE_TABLE, RULE_KEEP},
    {"keep label user.id; hash label user.*", "x", "user.id", RULE_METRIC, RULE_KEEP},
    {"keep label user.id; hash label user.*", "x", "user.email", RULE_METRIC, RULE_HASH},
    {"drop label model in cost", "claude_code.cost.usage", "model", RULE_METRIC, RULE_DROP},
    {"drop label model in cost", "claude_code.token.usage", "model", RULE_METRIC, RULE_KEEP},
    {"drop label model in claude_code_cost_usage_USD_total", "claude_code.cost.usage", "model",
     RULE_METRIC, RULE_DROP},
    {"drop label model in claude_code.*", "claude_code.cost.usage", "model", RULE_METRIC,
     RULE_DROP},
    {"drop label model in claude_code_*", "claude_code.cost.usage", "model", RULE_METRIC,
     RULE_DROP},
    {"drop label model in claude_code.api_*", "api_request", "model", RULE_TABLE, RULE_DROP},
    {"drop label model in claude_code_api_request", "api_request", "model", RULE_TABLE, RULE_DROP},
    {"drop label model in api_?equest", "api_request", "model", RULE_TABLE, RULE_DROP},
    {"drop label model in metric *", "api_request", "model", RULE_TABLE, RULE_KEEP},
    {"drop label model in metric *", "other", "model", RULE_METRIC, RULE_DROP},
    {"drop label model in table *", "other", "model", RULE_METRIC, RULE_KEEP},
    {"drop label model in table *", "other", "model", RULE_TABLE, RULE_DROP},
    {"drop label model in table", "table", "model", RULE_TABLE, RULE_DROP},
    {"drop label model in metric", "metric", "model", RULE_METRIC, RULE_DROP},
    /* The built-in ones, and what comes before them. */
    {"", "user_prompt", "prompt", RULE_TABLE, RULE_DROP},
    {"", "user_prompt", "prompt_text", RULE_TABLE, RULE_DROP},
    {"", "user_prompt", "prompt_length", RULE_TABLE, RULE_KEEP},
    {"", "user_prompt", "prompt.id", RULE_TABLE, RULE_KEEP},
    {"", "assistant_response", "response", RULE_TABLE, RULE_DROP},
    {"", "assistant_response", "response_length", RULE_TABLE, RULE_KEEP},
    {"", "feedback_survey", "response", RULE_TABLE, RULE_KEEP},
    {"", "http_requests", "response", RULE_METRIC, RULE_KEEP},
    {"", "redis_commands", "command", RULE_METRIC, RULE_KEEP},
    {"", "anything", "command", RULE_TABLE, RULE_DROP},
    {"", "tool_result", "tool_input", RULE_TABLE, RULE_DROP},
    {"", "tool_result", "tool_input_size_bytes", RULE_TABLE, RULE_KEEP},
    {"", "tool_decision", "tool_parameters", RULE_TABLE, RULE_DROP},
    {"", "tool_result", "error", RULE_TABLE, RULE_DROP},
    {"", "api_error", "error", RULE_TABLE, RULE_KEEP},
    {"", "api_request_body", "body", RULE_TABLE, RULE_DROP},
    {"", "api_request_body", "body_ref", RULE_TABLE, RULE_DROP},
    {"", "api_request_body", "body_length", RULE_TABLE, RULE_KEEP},
    {"", "api_request_body", "request_body_id", RULE_TABLE, RULE_KEEP},
    {"", "api_request", "request_id", RULE_TABLE, RULE_KEEP},
    {"", "span_interaction", "user_prompt", RULE_TABLE, RULE_DROP},
    {"", "span_interaction", "user_prompt_length", RULE_TABLE, RULE_KEEP},
    {"", "span_tool", "full_command", RULE_TABLE, RULE_DROP},
    {"", "span_tool", "file_path", RULE_TABLE, RULE_DROP},
    {"", "span_event", "whatever", RULE_TABLE, RULE_DROP},
    {"", "span_event", "duration_ms", RULE_TABLE, RULE_KEEP},
    {"", "span_llm_request", "gen_ai.prompt.0.content", RULE_TABLE, RULE_DROP},
    {"", "span_llm_request", "gen_ai.usage.prompt_tokens", RULE_TABLE, RULE_KEEP},
    {"", "span_llm_request", "gen_ai.response.id", RULE_TABLE, RULE_KEEP},
    {"keep label prompt in user_prompt", "user_prompt", "prompt", RULE_TABLE, RULE_KEEP},
    {"keep label prompt in user_prompt", "another", "prompt", RULE_TABLE, RULE_DROP},
    {"hash label prompt", "user_prompt", "prompt", RULE_TABLE, RULE_HASH},
};

static void test_labels(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct rules *rules = rules_of(labels[i].rules);
        enum rule_verdict verdict =
            rules_label(rules, labels[i].kind, str(labels[i].source), str(labels[i].label));
        if (verdict != labels[i].verdict)
            fail_msg("'%s': label %s in %s: verdict %d", labels[i].rules, labels[i].label,
                     labels[i].source, verdict);
        rules_free(rules);
    }
}

static void test_metrics_and_tables(void **state)
{
    (void)state;
    struct rules *rules =
        rules_of("# first\n keep metric cost # this one\n\tdrop metric "
                 "claude_code_*;drop table claude_code.hook_*\r\n\n;;\n"
                 "keep table hook_registered; # ; drop table *\ndrop metric tmp?");
    assert_int_equal(rules_metric(rules, STR("claude_code.cost.usage")), RULE_KEEP);
    assert_int_equal(rules_metric(rules, STR("claude_code.token.usage")), RULE_DROP);
    assert_int_equal(rules_metric(rules, STR("tmp1")), RULE_DROP);
    assert_int_equal(rules_metric(rules, STR("tmp\xc3\xa9")), RULE_DROP);
    assert_int_equal(rules_metric(rules, STR("tmp12")), RULE_KEEP);
    assert_int_equal(rules_metric(rules, STR("hook_registered")), RULE_KEEP);
    assert_int_equal(rules_table(rules, STR("hook_registered")), RULE_DROP);
    assert_int_equal(rules_table(rules, STR("api_request")), RULE_KEEP);
    assert_int_equal(rules_table(rules, STR("system_prompt")), RULE_DROP);
    rules_free(rules);
}

static void test_dependence(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        bool depends;
    } cases[] = {
        {"", false},
        {"drop label a; hash label b", false},
        {"drop metric cost", false},
        {"drop label a in table b", false},
        {"drop label a in b", true},
        {"drop label a in metric *", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules *rules = rules_of(cases[i].rules);
        assert_int_equal(rules_depend_on_source(rules), cases[i].depends);
        rules_free(rules);
    }
}

/* ---- what is no rule ---- */

static const struct {
    const char *text, *place, *message;
} wrong[] = {
    {"remove label x", "rules, line 1", "'remove' where keep, drop or hash was expected"},
    {"keep", "rules, line 1", "the rule ends where label, metric or table was expected"},
    {"hash metric x", "rules, line 1", "'metric' where label was expected"},
    {"keep label a\n\n# c\ndrop label", "rules, line 4", "the rule ends where a name was expected"},
    {"drop label a b", "rules, line 1", "'b' where the end of the rule was expected"},
    {"drop label a in", "rules, line 1", "the rule ends where a metric or a table was expected"},
    {"drop label a in b c", "rules, line 1", "'c' where the end of the rule was expected"},
    {"drop label a in table b c d e f g", "rules, line 1",
     "'c' where the end of the rule was expected"},
    {"drop metric a in b", "rules, line 1", "'in' where the end of the rule was expected"},
    {"drop label \xff", "rules", "the rules are not valid UTF-8 text"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct varve_err err = {0};
        struct rules *rules = NULL;
        assert_int_equal(rules_check(&mem, str(wrong[i].text), &err), VARVE_INVALID);
        assert_string_equal(err.place, wrong[i].place);
        assert_string_equal(err.message, wrong[i].message);
        assert_int_equal(rules_new(&mem, str(wrong[i].text), secret, &rules, NULL), VARVE_INVALID);
        assert_null(rules);
    }
    assert_int_equal(rules_check(&mem, (struct varve_str){"keep label a\0b", 14}, NULL),
                     VARVE_INVALID);
    static char large[RULES_MAX + 1];
    memset(large, '\n', sizeof large);
    assert_int_equal(rules_check(&mem, (struct varve_str){large, sizeof large}, NULL), VARVE_LIMIT);
    assert_int_equal(rules_check(&mem, (struct varve_str){large, RULES_MAX}, NULL), VARVE_OK);
    assert_int_equal(rules_check(&mem, (struct varve_str){NULL, 0}, NULL), VARVE_OK);
}

/* ---- globs ---- */

static bool slowly(const char *glob, const char *text)
{
    if (*glob == '*')
        return slowly(glob + 1, text) || (*text && slowly(glob, text + 1));
    if (!*glob || !*text)
        return !*glob && !*text;
    return (*glob == '?' || *glob == *text) && slowly(glob + 1, text + 1);
}

static void letters(uint64_t *random, const char *alphabet, char *text, size_t most)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    size_t size = (*random >> 33) % most + 1, kinds = strlen(alphabet);
    for (size_t i = 0; i < size; i++) {
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        text[i] = alphabet[(*random >> 33) % kinds];
    }
    text[size] = '\0';
}

static void test_globs(void **state)
{
    (void)state;
    uint64_t random = 4711;
    unsigned matches = 0;
    for (int round = 0; round < 3000; round++) {
        char glob[10], text[12], rule[40];
        letters(&random, "ab*?", glob, 8);
        snprintf(rule, sizeof rule, "drop metric %s", glob);
        struct rules *rules = rules_of(rule);
        for (int i = 0; i < 20; i++) {
            letters(&random, "ab", text, 10);
            bool is_match = rules_metric(rules, str(text)) == RULE_DROP;
            matches += is_match;
            if (is_match != slowly(glob, text))
                fail_msg("%s against %s", glob, text);
        }
        rules_free(rules);
    }
    assert_true(matches > 3000 && matches < 57000);
}

/* ---- hashes ---- */

/* The first is as another implementation of HMAC has it. */

static void test_hashes(void **state)
{
    (void)state;
    char one[RULES_HASHED + 1] = {0}, two[RULES_HASHED + 1] = {0};
    struct rules *rules = rules_of("");
    rules_hash(rules, STR("a@example.com"), one);
    assert_string_equal(one, "h:cd2eab43902078abe96c52ffdd35361c");
    rules_hash(rules, STR("b@example.com"), two);
    assert_string_not_equal(one, two);
    rules_hash(rules, (struct varve_str){one, RULES_HASHED}, two); /* hashed before */
    assert_memory_equal(two, one, RULES_HASHED);
    rules_hash(rules, STR("h:cd2eab43902078abe96c52ffdd35361C"), two);
    assert_string_not_equal(two, "h:cd2eab43902078abe96c52ffdd35361C");
    rules_free(rules);
    uint8_t other[RULES_SECRET];
    memcpy(other, secret, sizeof other);
    other[31] ^= 1;
    assert_int_equal(rules_new(&mem, STR(""), other, &rules, NULL), VARVE_OK);
    rules_hash(rules, STR("a@example.com"), two);
    assert_string_not_equal(one, two);
    rules_free(rules);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct mem failing;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct rules *rules = NULL;
        mem_init(&failing, &fault.allocator, 0);
        enum varve_status status =
            rules_new(&failing, STR("drop label a; drop label b in c"), secret, &rules, NULL);
        assert_true(status == VARVE_OK || (status == VARVE_NOMEM && !rules));
        rules_free(rules);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),     cmocka_unit_test(test_metrics_and_tables),
        cmocka_unit_test(test_dependence), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_globs),      cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
