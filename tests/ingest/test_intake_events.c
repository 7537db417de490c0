/* SPDX-License-Identifier: Apache-2.0
 *
 * test_intake_events.c -- what log records, spans and what happens in spans become; that nothing
 * anybody wrote gets into a batch unasked; and what happens without memory.
 */
#include "intake_unit.h"

#include "../faults/alloc_fault.h"

#include <stdio.h>
#include <string.h>

static struct unit unit;

static int begin(void **state)
{
    (void)state;
    unit = (struct unit){.known_count = 0};
    return 0;
}

static void open_with(const char *rules)
{
    assert_int_equal(unit_open(&unit, NULL, rules), VARVE_OK);
    assert_int_equal(unit_plain(&unit), VARVE_OK);
}

static struct varve_value text_of(const char *text)
{
    return (struct varve_value){.type = VARVE_TEXT, .as.s = unit_str(text)};
}

/* An event at second 5 with these attributes. */
static struct intake_event event_of(const struct varve_field *attributes, size_t count)
{
    return (struct intake_event){
        .time = UNIT_AT(5), .attributes = attributes, .attribute_count = count};
}

static void give(struct intake_event event)
{
    assert_int_equal(intake_event(unit.intake, &event, NULL), VARVE_OK);
}

/* ---- names ---- */

static void test_names(void **state)
{
    (void)state;
    open_with("");
    struct varve_field named[] = {unit_text("event.name", "api_request"), unit_int("n", 1)};
    struct varve_field longer[] = {unit_text("n", "1"),
                                   unit_text("event.name", "claude_code.api_error")};
    struct intake_event event = event_of(named, 2);
    event.body = text_of("claude_code.api_request");
    event.name = STR("other");
    give(event);
    give(event_of(longer, 2));
    event = event_of(NULL, 0);
    event.name = STR("claude_code.by_name");
    event.body = text_of("hello world");
    give(event);
    event.name = STR("");
    event.body = text_of("claude_code.by-body.2");
    give(event);
    unit_check(&unit, "api_request @5 n=1i\n"
                      "api_error @5 n=\"1\"\n"
                      "by_name @5\n"
                      "by-body.2 @5\n");
    /* Without a name. */
    static const char *const free_text[] = {
        "hello world", "", "2nd", "a/b",
        "a123456789b123456789c123456789d123456789e123456789f123456789g1234"};
    for (size_t i = 0; i < 5; i++) {
        event.body = text_of(free_text[i]);
        event.severity_number = 9;
        give(event);
    }
    unit_rejected(&unit, REJECT_NAME, 5);
    event = event_of(named + 1, 1);
    event.body = text_of("hello world");
    event.severity = STR("WARN");
    event.severity_number = 13;
    event.trace_id = STR("0011");
    event.span_id = STR("22");
    give(event);
    unit_check(&unit, "log @5 n=1i severity=\"WARN\" severity_number=13i span_id=\"22\" "
                      "trace_id=\"0011\"\n");
    static char large[400];
    memset(large, 'n', sizeof large - 1);
    event.name = unit_str(large);
    give(event);
    event.name = STR("\xff");
    give(event);
    unit_rejected(&unit, REJECT_NAME, 6);
    unit_rejected(&unit, REJECT_UTF8, 1);
    unit_check(&unit, "");
    unit_close(&unit);
}

static void test_body_is_kept_on_demand(void **state)
{
    (void)state;
    open_with("keep label body");
    struct intake_event event = event_of(NULL, 0);
    event.body = text_of("hello world");
    give(event);
    event.name = STR("n");
    event.body = (struct varve_value){.type = VARVE_INT, .as.i = 3};
    give(event);
    unit_check(&unit, "log @5 body=\"hello world\"\n"
                      "n @5 body=3i\n");
    unit_close(&unit);
}

static void test_times(void **state)
{
    (void)state;
    open_with("");
    struct varve_field same[] = {unit_text("event.name", "e"),
                                 unit_text("event.timestamp", "2025-12-01T00:00:05.000Z")};
    struct varve_field other[] = {unit_text("event.name", "e"),
                                  unit_text("event.timestamp", "2025-12-01T00:00:05.001Z")};
    struct varve_field odd[] = {unit_text("event.name", "e"), unit_text("event.timestamp", "soon")};
    give(event_of(same, 2));
    give(event_of(other, 2));
    struct intake_event event = event_of(same, 2);
    event.time = UNIT_AT(5) + 999999;
    give(event);
    event.time = 0;
    event.observed = UNIT_AT(6);
    give(event);
    event.observed = 0;
    give(event);
    event = event_of(odd, 2);
    give(event);
    unit_check(&unit, "e @5\n"
                      "e @5 event.timestamp=\"2025-12-01T00:00:05.001Z\"\n"
                      "e @5.001\n"
                      "e @6 event.timestamp=\"2025-12-01T00:00:05.000Z\"\n"
                      "e @5\n"
                      "e @5 event.timestamp=\"soon\"\n");
    event.time = 0;
    give(event);
    event.time = 7;
    give(event);
    event.time = INT64_MAX;
    give(event);
    unit_rejected(&unit, REJECT_TIME, 3);
    unit_check(&unit, "");
    unit_close(&unit);
}

/* ---- fields ---- */

static void test_types(void **state)
{
    (void)state;
    open_with("");
    struct varve_field attributes[] = {unit_text("event.name", "e"),
                                       unit_text("a_ms", "62"),
                                       unit_text("b_ms", "-9223372036854775808"),
                                       unit_text("c_ms", "9223372036854775808"),
                                       unit_text("d_ms", "6x"),
                                       unit_text("e_ms", ""),
                                       unit_text("f_ms", "1.5"),
                                       unit_float("g_ms", 7),
                                       unit_float("h_ms", 7.5),
                                       unit_text("i_ms", "2.0"),
                                       unit_text("j_ms", " 2"),
                                       unit_int("cost_usd", 2),
                                       unit_text("is_a", "true"),
                                       unit_text("is_b", "false"),
                                       unit_text("is_c", "True"),
                                       unit_bool("is_d", true),
                                       unit_int("is_e", 1),
                                       unit_text("other", "5"),
                                       unit_float("whole", 5),
                                       unit_text("empty", ""),
                                       {STR("null"), {.type = VARVE_NULL}}};
    give(event_of(attributes, sizeof attributes / sizeof *attributes));
    attributes[11] = unit_text("cost_usd", "0.018472600000000002");
    give(event_of(attributes + 11, 1));
    struct varve_field cost[] = {attributes[0], attributes[11]};
    give(event_of(cost, 2));
    unit_check(&unit,
               "e @5 a_ms=62i b_ms=-9223372036854775808i c_ms=9.2233720368547758e+18 "
               "cost_usd=2 d_ms=\"6x\" e_ms=\"\" empty=\"\" f_ms=1.5 g_ms=7i h_ms=7.5 i_ms=2i "
               "is_a=true is_b=false is_c=\"True\" is_d=true is_e=1i j_ms=\" 2\" other=\"5\" "
               "whole=5\n"
               "log @5 cost_usd=0.018472600000000002\n"
               "e @5 cost_usd=0.018472600000000002\n");
    unit_close(&unit);
}

static void test_inner_fields_win(void **state)
{
    (void)state;
    open_with("hash label user.*; drop table secret");
    struct varve_field outer[] = {unit_text("a", "resource"), unit_text("b", "resource"),
                                  unit_text("c", "resource")};
    struct varve_field middle[] = {unit_text("b", "scope"), unit_text("c", "scope")};
    struct varve_field inner[] = {unit_text("event.name", "e"), unit_text("c", "record"),
                                  unit_int("user.id", 7), unit_text("user_email", "u"),
                                  unit_text("c", "again")};
    struct varve_field secret[] = {unit_text("event.name", "claude_code.secret")};
    assert_int_equal(intake_resource(unit.intake, outer, 3, NULL), VARVE_OK);
    assert_int_equal(intake_scope(unit.intake, STR("lib"), STR(""), middle, 2, NULL), VARVE_OK);
    give(event_of(inner, 5));
    give(event_of(secret, 1));
    unit_check(&unit, "e @5 a=\"resource\" b=\"scope\" c=\"again\" otel.scope.name=\"lib\" "
                      "user.id=\"h:dbc7621035be323a5837f916c378feee\" "
                      "user_email=\"h:3dcbceb2685ed5ba8e8d589d4310046f\"\n");
    assert_int_equal(intake_counts(unit.intake)->dropped, 1);
    unit_close(&unit);
}

static void test_unusable_fields(void **state)
{
    (void)state;
    open_with("");
    static char name[300], text[EVENT_TEXT_MAX + 2], names[600][8];
    memset(name, 'x', sizeof name - 1);
    memset(text, 'x', sizeof text - 1);
    struct varve_field bad[] = {unit_text("event.name", "e"), unit_text("", "x"),
                                unit_text(name, "x"),         unit_text("large", text),
                                unit_text("bytes", "\xff"),   unit_text("\xfe", "name"),
                                unit_text("good", "x")};
    give(event_of(bad, 7));
    unit_rejected(&unit, REJECT_FIELDS, 3);
    unit_rejected(&unit, REJECT_UTF8, 2);
    unit_check(&unit, "e @5 good=\"x\"\n");
    static struct varve_field many[601];
    many[0] = bad[0];
    for (int i = 0; i < 600; i++) {
        snprintf(names[i], sizeof names[i], "k%d", i);
        many[i + 1] = unit_int(names[i], i);
    }
    give(event_of(many, 601));
    unit_rejected(&unit, REJECT_FIELDS, 3 + 600 - 512);
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    assert_non_null(strstr(unit.lines, "k511=511i"));
    assert_null(strstr(unit.lines, "k512="));
    unit_close(&unit);
}

/* Many names, of many tables: what is remembered of them is forgotten in time. */
static void test_many_names(void **state)
{
    (void)state;
    unit.batch_rows = 100;
    open_with("hash label x");
    size_t settled = 0;
    for (int i = 0; i < 60000; i++) {
        char table[20], name[20];
        snprintf(table, sizeof table, "t%d", i / 2);
        snprintf(name, sizeof name, "n%d", i);
        struct varve_field attributes[] = {unit_text("event.name", table), unit_int(name, i)};
        give(event_of(attributes, 2));
        assert_int_equal(intake_pause(unit.intake, NULL), VARVE_OK);
        unit.size = 0;
        if (i == 40000)
            settled = unit.mem.peak;
    }
    assert_int_equal(unit.mem.peak, settled);
    assert_int_equal(intake_counts(unit.intake)->appended.events, 60000);
    unit_close(&unit);
}

/* ---- spans ---- */

static void test_spans(void **state)
{
    (void)state;
    open_with("");
    struct varve_field attributes[] = {unit_text("duration_ms", "12"), unit_bool("success", true),
                                       unit_text("full_command", "rm"),
                                       unit_text("tool_name", "Bash")};
    struct varve_field inner[] = {unit_int("attempt", 2), unit_text("output", "x"),
                                  unit_text("anything", "x")};
    struct intake_span span = {.start = UNIT_AT(1),
                               .end = UNIT_AT(3),
                               .name = STR("claude_code.tool.blocked_on_user"),
                               .trace_id = STR("aa"),
                               .span_id = STR("bb"),
                               .parent_id = STR("cc"),
                               .kind = 1,
                               .attributes = attributes,
                               .attribute_count = 4};
    struct intake_span_event event = {UNIT_AT(2), STR("gen_ai.request.attempt"), inner, 3};
    struct varve_field resource = unit_text("team", "t");
    assert_int_equal(intake_resource(unit.intake, &resource, 1, NULL), VARVE_OK);
    assert_int_equal(intake_span(unit.intake, &span, NULL), VARVE_OK);
    assert_int_equal(intake_span_event(unit.intake, &event, NULL), VARVE_OK);
    span.name = STR("GET /path");
    span.kind = 3;
    span.status_code = 2;
    span.status_message = STR("failed");
    span.end = 0;
    span.parent_id = STR("");
    span.attribute_count = 0;
    assert_int_equal(intake_span(unit.intake, &span, NULL), VARVE_OK);
    span.start = 0;
    span.end = UNIT_AT(3);
    span.name = STR("claude_code.llm_request");
    span.status_code = 1;
    span.status_message = STR("");
    assert_int_equal(intake_span(unit.intake, &span, NULL), VARVE_OK);
    unit_check(&unit,
               "span_tool_blocked_on_user @1 duration_ms=12i duration_ns=2000000000i "
               "parent_span_id=\"cc\" span_id=\"bb\" success=true team=\"t\" tool_name=\"Bash\" "
               "trace_id=\"aa\"\n"
               "span_event @2 attempt=2i name=\"gen_ai.request.attempt\" "
               "span=\"tool_blocked_on_user\" span_id=\"bb\" trace_id=\"aa\"\n"
               "span @1 kind=\"client\" name=\"GET /path\" span_id=\"bb\" status=\"error\" "
               "status_message=\"failed\" team=\"t\" trace_id=\"aa\"\n"
               "span_llm_request @3 kind=\"client\" span_id=\"bb\" status=\"ok\" team=\"t\" "
               "trace_id=\"aa\"\n");
    span.end = 0;
    event.time = 0;
    assert_int_equal(intake_span(unit.intake, &span, NULL), VARVE_OK);
    assert_int_equal(intake_span_event(unit.intake, &event, NULL), VARVE_OK);
    unit_rejected(&unit, REJECT_TIME, 2);
    unit_close(&unit);
}

/* ---- privacy ---- */

#define CANARY "canary in the mine"

/* Everything Claude Code can be told to send that somebody wrote, or a tool said. */
static const char *const content[][2] = {
    {"user_prompt", "prompt"},
    {"user_prompt", "prompt_text"},
    {"assistant_response", "response"},
    {"api_request_body", "body"},
    {"api_request_body", "body_ref"},
    {"api_response_body", "body"},
    {"api_response_body", "body_ref"},
    {"tool_decision", "tool_parameters"},
    {"tool_result", "tool_parameters"},
    {"tool_result", "tool_input"},
    {"tool_result", "error"},
    {"hook_execution_start", "hook_definitions"},
    {"hook_execution_complete", "hook_definitions"},
    {"managed_settings_resolved", "managed_settings.settings"},
    {"system_prompt", "anything"},
    {"system_prompt", "system_prompt"},
    {"interaction", "user_prompt"},
    {"tool", "full_command"},
    {"tool", "file_path"},
    {"tool", "tool_input"},
    {"tool", "output"},
    {"tool.execution", "error"},
    {"tool.execution", "tool_output"},
    {"llm_request", "response"},
    {"llm_request", "system_prompt"},
    {"llm_request", "gen_ai.input.messages"},
    {"llm_request", "gen_ai.output.messages"},
    {"llm_request", "gen_ai.prompt.0.content"},
    {"llm_request", "gen_ai.completion"},
    {"llm_request", "gen_ai.system_instructions"},
    {"llm_request", "gen_ai.tool.call.arguments"},
    {"tool.output", "output"},
    {"tool.output", "content"},
    {"tool.output", "whatever"},
};

/* As an event, or as a span and what happens in one. */
static void give_content(const char *name, const char *attribute)
{
    struct varve_field fields[] = {unit_text("event.name", name), unit_text(attribute, CANARY)};
    struct intake_event event = event_of(fields, 2);
    struct intake_span span = {.start = UNIT_AT(1),
                               .end = UNIT_AT(2),
                               .name = unit_str(name),
                               .status_code = 2,
                               .status_message =
                                   strncmp(name, "tool", 4) == 0 ? STR(CANARY) : STR("x"),
                               .attributes = fields + 1,
                               .attribute_count = 1};
    struct intake_span_event inner = {UNIT_AT(1), unit_str(name), fields + 1, 1};
    event.body = text_of(CANARY);
    bool is_span = strchr(name, '.') || strcmp(name, "tool") == 0 ||
                   strcmp(name, "interaction") == 0 || strcmp(name, "llm_request") == 0;
    bool is_inner = strcmp(name, "tool.output") == 0;
    if (is_span) {
        if (!is_inner)
            assert_int_equal(intake_span(unit.intake, &span, NULL), VARVE_OK);
        assert_int_equal(intake_span_event(unit.intake, &inner, NULL), VARVE_OK);
    } else {
        assert_int_equal(intake_event(unit.intake, &event, NULL), VARVE_OK);
    }
}

static bool has_text(const struct intern *texts, const char *part)
{
    for (size_t i = 0; i < texts->count; i++)
        if (memmem(texts->items[i].text.data, texts->items[i].text.size, part, strlen(part)))
            return true;
    return false;
}

static bool canary_is_there;

static enum varve_status look(void *context, struct write_batch *batch,
                              struct varve_appended *appended, struct varve_err *err)
{
    (void)context;
    (void)err;
    appended->events += batch->events.count;
    canary_is_there =
        has_text(&batch->events.texts, CANARY) || has_text(&batch->rows.texts, CANARY);
    return VARVE_OK;
}

/* Whether the canary gets through these rules. */
static bool gets_through(const char *rules, const char *name, const char *attribute)
{
    struct unit bare = {.known_count = 0};
    static const uint8_t secret[RULES_SECRET] = "s";
    mem_init(&bare.mem, NULL, 0);
    assert_int_equal(rules_new(&bare.mem, unit_str(rules), secret, &bare.rules, NULL), VARVE_OK);
    struct intake_options options = {
        .mem = &bare.mem, .rules = bare.rules, .report = &bare.report, .append = look};
    assert_int_equal(intake_new(&options, &bare.intake, NULL), VARVE_OK);
    unit = bare;
    give_content(name, attribute);
    canary_is_there = false;
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    intake_free(unit.intake);
    rules_free(unit.rules);
    unit.intake = NULL;
    return canary_is_there;
}

static void test_privacy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof content / sizeof *content; i++) {
        if (gets_through("", content[i][0], content[i][1]))
            fail_msg("%s of %s is written down unasked", content[i][1], content[i][0]);
        if (gets_through("hash label *", content[i][0], content[i][1]))
            fail_msg("%s of %s is written down in clear", content[i][1], content[i][0]);
        if (!gets_through("keep table *; keep label *", content[i][0], content[i][1]))
            fail_msg("%s of %s cannot be kept", content[i][1], content[i][0]);
    }
    assert_true(gets_through("keep label prompt in user_prompt", "user_prompt", "prompt"));
    assert_false(gets_through("keep label prompt in user_prompt", "user_prompt", "prompt_text"));
    assert_true(gets_through("", "api_error", "error"));
}

/* ---- without memory ---- */

static enum varve_status everything(struct unit *world)
{
    static const double bounds[] = {1, 2};
    static const uint64_t counts[] = {1, 2, 3};
    struct varve_field fields[] = {unit_text("event.name", "user_prompt"), unit_int("n", 5),
                                   unit_text("user.email", "e"), unit_text("session.id", "s"),
                                   unit_text("prompt_length", "30")};
    struct intake_event event = event_of(fields, 5);
    struct intake_span span = {
        .start = UNIT_AT(1), .name = STR("a.b"), .attributes = fields, .attribute_count = 5};
    struct intake_span_event inner = {UNIT_AT(1), STR("x"), fields, 5};
    struct intake_metric cost = {STR("cost"), STR(""), SHAPE_SUM, VARVE_CUMULATIVE, true};
    struct intake_metric time = {STR("time"), STR("s"), SHAPE_HISTOGRAM, VARVE_DELTA, true};
    struct intake_buckets buckets = {.end = UNIT_AT(1),
                                     .count = 6,
                                     .bounds = bounds,
                                     .bound_count = 2,
                                     .counts = counts,
                                     .bucket_count = 3};
    bool wanted;
    struct intake *intake = world->intake;
    TRY(intake_resource(intake, fields + 1, 2, NULL));
    TRY(intake_scope(intake, STR("x"), STR("1"), fields + 1, 2, NULL));
    TRY(unit_number(world, &cost, fields + 2, 3, 0, UNIT_AT(1),
                    (struct varve_value){.type = VARVE_FLOAT, .as.f = 0.5}));
    TRY(intake_metric(intake, &time, &wanted, NULL));
    assert_true(wanted);
    TRY(intake_histogram(intake, VARVE_NO_LABELS, &buckets, NULL));
    TRY(intake_event(intake, &event, NULL));
    TRY(intake_span(intake, &span, NULL));
    return intake_span_event(intake, &inner, NULL);
}

static void check_no_memory(enum alloc_fault_mode mode)
{
    struct alloc_fault fault;
    unsigned failures = 0;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, mode); alloc_fault_next(&fault);) {
        struct unit world = {.known_count = 1,
                             .known = {{STR("time_sum"), STR(""), VARVE_COUNTER}}};
        enum varve_status status =
            unit_open(&world, &fault.allocator, "hash label user.*; drop label n in table e");
        if (status == VARVE_OK)
            status = everything(&world);
        if (status == VARVE_OK)
            status = intake_flush(world.intake, NULL);
        assert_true(status == VARVE_OK || status == VARVE_NOMEM);
        failures += status != VARVE_OK;
        if (status == VARVE_OK) {
            assert_int_equal(report_rejected(&world.report), 0);
            assert_int_equal(intake_counts(world.intake)->appended.points, 5);
            assert_int_equal(intake_counts(world.intake)->appended.events, 3);
        }
        unit_close(&world);
        assert_true(alloc_fault_is_clean(&fault));
    }
    assert_true(failures > 20);
}

static void test_no_memory(void **state)
{
    (void)state;
    check_no_memory(ALLOC_FAULT_ONCE);
    check_no_memory(ALLOC_FAULT_STICKY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_names, begin),
        cmocka_unit_test_setup(test_body_is_kept_on_demand, begin),
        cmocka_unit_test_setup(test_times, begin),
        cmocka_unit_test_setup(test_types, begin),
        cmocka_unit_test_setup(test_inner_fields_win, begin),
        cmocka_unit_test_setup(test_unusable_fields, begin),
        cmocka_unit_test_setup(test_many_names, begin),
        cmocka_unit_test_setup(test_spans, begin),
        cmocka_unit_test_setup(test_privacy, begin),
        cmocka_unit_test_setup(test_no_memory, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
