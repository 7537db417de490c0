/* SPDX-License-Identifier: Apache-2.0
 *
 * test_names.c -- every spelling of metrics and labels found in the wild, and the type of every
 * event attribute that is sent as something else than it is.
 */
#include "base/names.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct varve_str str(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

static void check_str(struct varve_str is, const char *should)
{
    if (!str_equal(is, str(should)))
        fail_msg("%.*s, should be %s", (int)is.size, is.data, should);
}

/* ---- metrics ---- */

static void check_spelling(const char *spelling, const char *name)
{
    const struct name_metric *metric = names_metric(str(spelling));
    if (!metric)
        fail_msg("%s is not known", spelling);
    else if (!str_equal(metric->name, str(name)))
        fail_msg("%s is %.*s, should be %s", spelling, STR_ARG(metric->name), name);
}

/* The name of each metric, then its forms under the several exporters and translators. */
static const char *const spellings[][12] = {
    {"claude_code.session.count", "claude_code_session_count_total", "claude_code_session_count",
     "claude_code_session_count_1_total", "sessions", "claude_code.session.count_total"},
    {"claude_code.lines_of_code.count", "claude_code_lines_of_code_count_total",
     "claude_code_lines_of_code_count", "claude_code_lines_of_code_count_1_total", "lines"},
    {"claude_code.pull_request.count", "claude_code_pull_request_count_total",
     "claude_code_pull_request_count", "claude_code_pull_request_count_1_total", "pull_requests"},
    {"claude_code.commit.count", "claude_code_commit_count_total", "claude_code_commit_count",
     "claude_code_commit_count_1_total", "commits"},
    {"claude_code.cost.usage", "claude_code_cost_usage_USD_total", "claude_code_cost_usage_USD",
     "claude_code_cost_usage_total", "claude_code_cost_usage", "claude_code_cost_usage_usd_total",
     "claude_code.cost.usage_USD_total", "cost"},
    {"claude_code.token.usage", "claude_code_token_usage_tokens_total",
     "claude_code_token_usage_tokens", "claude_code_token_usage_total", "claude_code_token_usage",
     "claude_code_token_usage_1_total", "claude_code.token.usage_tokens_total", "tokens"},
    {"claude_code.code_edit_tool.decision", "claude_code_code_edit_tool_decision_total",
     "claude_code_code_edit_tool_decision", "claude_code_code_edit_tool_decision_count_total",
     "decisions"},
    {"claude_code.active_time.total", "claude_code_active_time_seconds_total",
     "claude_code_active_time_seconds", "claude_code_active_time_total", "claude_code_active_time",
     "claude_code_active_time_total_s_total", "claude_code_active_time_total_seconds_total",
     "claude_code.active_time_seconds_total", "active_time"},
};

static void test_every_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        for (size_t j = 0; j < 12 && spellings[i][j]; j++) {
            char longer[200];
            check_spelling(spellings[i][j], spellings[i][0]);
            if (strncmp(spellings[i][j], "claude_code", 11) != 0)
                continue;
            static const char *const before[] = {"claude_code_", "otel_", "claude_code.",
                                                 "otel_claude_code_", "claude_code_claude_code_"};
            for (size_t k = 0; k < sizeof before / sizeof *before; k++) {
                snprintf(longer, sizeof longer, "%s%s", before[k], spellings[i][j]);
                check_spelling(longer, spellings[i][0]);
            }
        }
}

static void test_strangers(void **state)
{
    (void)state;
    static const char *const strangers[] = {"",
                                            "claude_code_",
                                            "claude_code_cost",
                                            "claude_code_cost_usage_EUR_total",
                                            "claude_code_cost_usage_total_total",
                                            "claude_code.cost.usage ",
                                            "Claude_code.cost.usage",
                                            "otel_cost",
                                            "claude_code_tokens",
                                            "my_claude_code_cost_usage",
                                            "otel_",
                                            "otel_otel_",
                                            "token.usage",
                                            "cos",
                                            "costs"};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (names_metric(str(strangers[i])))
            fail_msg("'%s' is taken for a metric", strangers[i]);
    char longest[4000];
    memset(longest, 'a', sizeof longest);
    for (size_t size = 0; size < sizeof longest; size++)
        assert_null(names_metric((struct varve_str){longest, size}));
    assert_null(names_metric((struct varve_str){NULL, 0}));
}

static void test_metrics(void **state)
{
    (void)state;
    size_t count;
    const struct name_metric *metrics = names_metrics(&count);
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(names_metric(metrics[i].name), &metrics[i]);
        assert_ptr_equal(names_metric(metrics[i].short_name), &metrics[i]);
        assert_int_equal(metrics[i].kind, VARVE_COUNTER);
        assert_true(metrics[i].session_scoped);
        assert_true(metrics[i].help.size > 10);
    }
    check_str(names_metric(STR("cost"))->unit, "USD");
    check_str(names_metric(STR("tokens"))->unit, "tokens");
    check_str(names_metric(STR("active_time"))->unit, "s");
    check_str(names_metric(STR("commits"))->unit, "");
    const struct name_metric *tokens = names_metric(STR("tokens"));
    assert_int_equal(tokens->label_count, 11);
    check_str(tokens->labels[0], "type");
    check_str(tokens->labels[10], "mcp_tool.name");
    assert_int_equal(names_metric(STR("commits"))->label_count, 0);
}

/* ---- labels ---- */

static const char *const dotted[] = {"user.id",
                                     "team.id",
                                     "session.id",
                                     "ccr.session.id",
                                     "app.version",
                                     "app.entrypoint",
                                     "organization.id",
                                     "user.email",
                                     "user.account_uuid",
                                     "user.account_id",
                                     "terminal.type",
                                     "vcs.repository.url.full",
                                     "vcs.owner.name",
                                     "vcs.repository.name",
                                     "vcs.provider.name",
                                     "user.groups",
                                     "identity.source",
                                     "agent.name",
                                     "skill.name",
                                     "plugin.name",
                                     "marketplace.name",
                                     "mcp_server.name",
                                     "mcp_tool.name",
                                     "host.arch",
                                     "os.type",
                                     "os.version",
                                     "wsl.version",
                                     "service.name",
                                     "service.version",
                                     "otel.scope.name",
                                     "otel.scope.version",
                                     "prompt.id",
                                     "event.sequence",
                                     "message.uuid",
                                     "workspace.host_paths",
                                     "workflow.run_id",
                                     "vcs.ref.head.revision",
                                     "marketplace.is_official",
                                     "install.trigger",
                                     "skill.source",
                                     "agent.source",
                                     "managed_settings.resolved_sha256",
                                     "span.type",
                                     "interaction.duration_ms",
                                     "llm_request.context",
                                     "gen_ai.request.model",
                                     "gen_ai.response.finish_reasons"};

static void test_labels(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dotted / sizeof *dotted; i++) {
        char under[100];
        size_t j = 0;
        for (; dotted[i][j]; j++)
            under[j] = (char)(dotted[i][j] == '.' ? '_' : dotted[i][j]);
        under[j] = '\0';
        check_str(names_label(str(under)), dotted[i]);
        check_str(names_label(str(dotted[i])), dotted[i]);
    }
    static const char *const own[] = {
        "model",      "type",        "query_source", "tool_name",   "job", "instance",
        "error_type", "cost_center", "user_emai",    "user_email_", "",    "start_type"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        check_str(names_label(str(own[i])), own[i]);
}

static void test_tables(void **state)
{
    (void)state;
    check_str(names_table(STR("claude_code.api_request")), "api_request");
    check_str(names_table(STR("api_request")), "api_request");
    check_str(names_table(STR("claude_code.claude_code.api_request")), "api_request");
    check_str(names_table(STR("claude_code.")), "claude_code.");
    check_str(names_table(STR("other.thing")), "other.thing");
    check_str(names_table(STR("")), "");
}

/* ---- attributes ---- */

static const struct {
    const char *table, *attribute;
    enum name_type type;
} types[] = {
    {"user_prompt", "prompt_length", NAME_INT},
    {"user_prompt", "prompt", NAME_ANY},
    {"user_prompt", "command_name", NAME_ANY},
    {"assistant_response", "response_length", NAME_INT},
    {"api_request", "cost_usd", NAME_FLOAT},
    {"api_request", "cost_usd_micros", NAME_INT},
    {"api_request", "duration_ms", NAME_INT},
    {"api_request", "ttft_ms", NAME_INT},
    {"api_request", "input_tokens", NAME_INT},
    {"api_request", "output_tokens", NAME_INT},
    {"api_request", "cache_read_tokens", NAME_INT},
    {"api_request", "cache_creation_tokens", NAME_INT},
    {"api_request", "event.sequence", NAME_INT},
    {"api_request", "request_id", NAME_ANY},
    {"api_request", "model", NAME_ANY},
    {"api_request", "session.id", NAME_ANY},
    {"api_error", "status_code", NAME_INT},
    {"api_error", "attempt", NAME_INT},
    {"api_error", "error", NAME_ANY},
    {"api_retries_exhausted", "total_attempts", NAME_INT},
    {"api_retries_exhausted", "total_retry_duration_ms", NAME_INT},
    {"api_refusal", "server_fallback_hop", NAME_BOOL},
    {"api_refusal", "has_category", NAME_BOOL},
    {"api_refusal", "has_explanation", NAME_BOOL},
    {"api_request_body", "body_length", NAME_INT},
    {"api_request_body", "body_truncated", NAME_BOOL},
    {"api_request_body", "request_body_id", NAME_ANY},
    {"tool_result", "success", NAME_BOOL},
    {"tool_result", "duration_ms", NAME_INT},
    {"tool_result", "tool_input_size_bytes", NAME_INT},
    {"tool_result", "tool_result_size_bytes", NAME_INT},
    {"tool_result", "tool_use_id", NAME_ANY},
    {"tool_result", "error_type", NAME_ANY},
    {"auth", "success", NAME_BOOL},
    {"auth", "status_code", NAME_INT},
    {"mcp_server_connection", "duration_ms", NAME_INT},
    {"mcp_server_connection", "is_plugin", NAME_BOOL},
    {"mcp_server_connection", "error_code", NAME_ANY},
    {"plugin_installed", "marketplace.is_official", NAME_BOOL},
    {"plugin_loaded", "has_hooks", NAME_BOOL},
    {"plugin_loaded", "has_mcp", NAME_BOOL},
    {"plugin_loaded", "host_owned_mcp", NAME_BOOL},
    {"plugin_loaded", "safe_mode", NAME_BOOL},
    {"plugin_loaded", "skill_path_count", NAME_INT},
    {"plugin_loaded", "plugin.version", NAME_ANY},
    {"at_mention", "success", NAME_BOOL},
    {"hook_execution_start", "num_hooks", NAME_INT},
    {"hook_execution_start", "managed_only", NAME_BOOL},
    {"hook_execution_complete", "num_success", NAME_INT},
    {"hook_execution_complete", "num_non_blocking_error", NAME_INT},
    {"hook_execution_complete", "total_duration_ms", NAME_INT},
    {"hook_execution_complete", "stdout_chars", NAME_INT},
    {"hook_execution_complete", "num_outputs_persisted", NAME_INT},
    {"compaction", "success", NAME_BOOL},
    {"compaction", "pre_tokens", NAME_INT},
    {"compaction", "post_tokens", NAME_INT},
    {"subagent_completed", "is_built_in", NAME_BOOL},
    {"subagent_completed", "is_async", NAME_BOOL},
    {"subagent_completed", "model_swapped", NAME_BOOL},
    {"subagent_completed", "total_tokens", NAME_INT},
    {"subagent_completed", "total_tool_uses", NAME_INT},
    {"feedback_survey", "enabled_via_override", NAME_BOOL},
    {"feedback_survey", "response", NAME_ANY},
    {"retention_sweep", "used_default", NAME_BOOL},
    {"retention_sweep", "period_days", NAME_INT},
    {"retention_sweep", "transcripts_deleted", NAME_INT},
    {"retention_sweep", "transcripts_exempted_desktop", NAME_INT},
    {"retention_sweep", "session_files_deleted", NAME_INT},
    {"retention_sweep", "artifacts_deleted", NAME_INT},
    {"retention_sweep", "files_retained_fresh", NAME_INT},
    {"retention_sweep", "files_past_cutoff", NAME_INT},
    {"retention_sweep", "error_count", NAME_INT},
    {"another", "period_days", NAME_ANY},
    {"managed_settings_resolved", "managed_settings.settings_truncated", NAME_BOOL},
    {"span_interaction", "user_prompt_length", NAME_INT},
    {"span_interaction", "interaction.sequence", NAME_INT},
    {"span_interaction", "interaction.duration_ms", NAME_INT},
    {"span_llm_request", "first_content_ms", NAME_INT},
    {"span_llm_request", "response.has_tool_call", NAME_BOOL},
    {"span_llm_request", "success", NAME_BOOL},
    {"span_tool", "result_tokens", NAME_INT},
    {"hook_plugin_metrics", "anything", NAME_ANY},
    {"", "", NAME_ANY},
    {"", "_ms", NAME_INT},
    {"", "ms", NAME_ANY},
    {"", "num_", NAME_INT},
};

static void test_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (names_attribute(str(types[i].table), str(types[i].attribute)) != types[i].type)
            fail_msg("%s in %s is not of type %d", types[i].attribute, types[i].table,
                     types[i].type);
}

/* What the rules do is tested with them; here, that they are whole lines. */
static void test_privacy_rules(void **state)
{
    (void)state;
    struct varve_str rules = names_privacy_rules();
    assert_true(rules.size > 100 && rules.data[rules.size - 1] == '\n');
    assert_non_null(strstr(rules.data, "drop label prompt\n"));
    assert_int_equal(strlen(rules.data), rules.size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_spelling), cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_metrics),        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_tables),         cmocka_unit_test(test_types),
        cmocka_unit_test(test_privacy_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
