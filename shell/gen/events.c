/* SPDX-License-Identifier: Apache-2.0
 *
 * events.c -- what a process tells about its work beside its counters.
 *
 * The types on the wire are those that were seen: numbers of api_request are
 * numbers, those of tool_result, user_prompt and the hooks are texts, success
 * is the text "true" but is_plugin is a true boolean.  What only events know
 * (ids, durations of hooks) is drawn from a stream of chance of its own, so a
 * world has the same metrics with events and without.
 */
#include "events.h"

#include <assert.h>
#include <string.h>
#include "process.h"

/* ---- the log -------------------------------------------------------------- */

void log_clear(struct event_log *log)
{
    log->count = log->field_count = log->text_size = 0;
}

static char *room(struct event_log *log, size_t size)
{
    char *to = log->text + log->text_size;
    assert(log->text_size + size <= LOG_TEXT);
    log->text_size += size;
    return to;
}

static void event(struct process *p, const char *name, int64_t when)
{
    struct event_log *log = p->log;
    assert(log->count < LOG_EVENTS);
    log->events[log->count++] = (struct gen_event){
        .name = name,
        .session = p->sets[p->set_count - 1]->session,
        .time = when - when % GEN_MILLISECOND,
        .sequence = p->sequence++,
        .prompt = p->prompt_text,
        .fields = log->fields + log->field_count,
    };
}

static struct gen_field *field(struct process *p, const char *key, enum gen_field_type type)
{
    struct event_log *log = p->log;
    struct gen_event *e = &log->events[log->count - 1];
    assert(log->field_count < LOG_FIELDS && e->count < GEN_EVENT_FIELDS);
    struct gen_field *f = &log->fields[log->field_count++];
    e->count++;
    *f = (struct gen_field){.key = key, .type = type};
    return f;
}

static void text(struct process *p, const char *key, const char *value)
{
    if (value)
        field(p, key, GEN_TEXT)->s = value;
}

static void integer(struct process *p, const char *key, int64_t value)
{
    field(p, key, GEN_INT)->i = value;
}

static void number_text(struct process *p, const char *key, int64_t value)
{
    field(p, key, GEN_NUMBER_TEXT)->i = value;
}

static void boolean(struct process *p, const char *key, bool value)
{
    field(p, key, GEN_BOOL)->i = value;
}

static void money(struct process *p, const char *key, int64_t nano, double dollars)
{
    struct gen_field *f = field(p, key, GEN_MONEY);
    f->i = nano;
    f->f = dollars;
}

static const char *new_uuid(struct process *p)
{
    char *to = room(p->log, 37);
    chance_uuid(&p->decor, to);
    return to;
}

/* An id such as req_011CQ... */
static const char *new_id(struct process *p, const char *prefix)
{
    size_t size = strlen(prefix);
    char *to = room(p->log, size + 23);
    memcpy(to, prefix, size);
    chance_id(&p->decor, to + size, 22);
    return to;
}

static int64_t about(struct process *p, int64_t median)
{
    return chance_about(&p->decor, median, 250);
}

void tell_begin(struct process *p)
{
    if (!p->log || !p->prompt[0])
        return;
    char *to = room(p->log, sizeof p->prompt);
    memcpy(to, p->prompt, sizeof p->prompt);
    p->prompt_text = to;
}

/* ---- hooks ---------------------------------------------------------------- */

static void hook_fields(struct process *p, const char *hook, const char *name, int64_t hooks)
{
    text(p, "hook_event", hook);
    text(p, "hook_name", name);
    number_text(p, "num_hooks", hooks);
    text(p, "managed_only", "false");
    text(p, "hook_source", "merged");
}

static void hooks(struct process *p, int64_t when, const char *hook, const char *name)
{
    if (!p->session->developer->hooks)
        return;
    bool failed = chance_permille(&p->decor, 20);
    event(p, "hook_execution_start", when);
    hook_fields(p, hook, name, 2);
    event(p, "hook_execution_complete", when + GEN_MILLISECOND);
    hook_fields(p, hook, name, 2);
    number_text(p, "num_success", failed ? 1 : 2);
    number_text(p, "num_blocking", 0);
    number_text(p, "num_non_blocking_error", failed);
    number_text(p, "num_cancelled", 0);
    number_text(p, "total_duration_ms", 1 + about(p, 40));
}

/* ---- events ---------------------------------------------------------------- */

void tell_start(struct process *p, int64_t when)
{
    const struct gen_developer *d = p->session->developer;
    if (!p->log)
        return;
    if (d->hooks)
        for (int i = 0; i < 2; i++) {
            event(p, "hook_registered", when);
            text(p, "hook_event", i ? "PreToolUse" : "UserPromptSubmit");
            text(p, "hook_type", "command");
            text(p, "hook_source", "userSettings");
            text(p, "safe_mode", "false");
        }
    if (d->skills) {
        event(p, "plugin_loaded", when + GEN_MILLISECOND);
        text(p, "plugin.name", "third-party");
        text(p, "marketplace.name", "third-party");
        text(p, "plugin.scope", "user");
        boolean(p, "has_hooks", false);
        boolean(p, "has_mcp", true);
        integer(p, "skill_path_count", 3);
        integer(p, "command_path_count", 1);
    }
    if (d->mcp) {
        bool failed = chance_permille(&p->decor, 60);
        event(p, "mcp_server_connection", when + 2 * GEN_MILLISECOND);
        text(p, "status", failed ? "failed" : "connected");
        text(p, "transport_type", "stdio");
        text(p, "server_scope", "user");
        number_text(p, "duration_ms", about(p, 1300));
        text(p, "error_code", failed ? "-32000" : NULL);
        boolean(p, "is_plugin", d->skills);
    }
    if (chance_permille(&p->decor, 30)) {
        event(p, "internal_error", when + 3 * GEN_MILLISECOND);
        text(p, "error_name", "TypeError");
        text(p, "error_code", "ENOENT");
    }
}

void tell_prompt(struct process *p, int64_t when)
{
    chance_uuid(&p->decor, p->prompt);
    if (!p->log)
        return;
    tell_begin(p);
    bool command = chance_permille(&p->decor, 90);
    event(p, "user_prompt", when);
    number_text(p, "prompt_length", 3 + about(p, 90));
    text(p, "prompt", "<REDACTED>");
    text(p, "prompt_text", "<REDACTED>");
    text(p, "message.uuid", new_uuid(p));
    text(p, "command_name", command ? "review" : NULL);
    text(p, "command_source", command ? "builtin" : NULL);
    if (chance_permille(&p->decor, 250))
        field(p, "workspace.host_paths", GEN_LIST)->s = "/home/dev/project";
    hooks(p, when + GEN_MILLISECOND, "UserPromptSubmit", "UserPromptSubmit");
    if (chance_permille(&p->decor, 120)) {
        event(p, "at_mention", when + 2 * GEN_MILLISECOND);
        text(p, "mention_type", chance_permille(&p->decor, 800) ? "file" : "directory");
        text(p, "success", "true");
    }
    if (chance_permille(&p->decor, 40)) {
        event(p, "permission_mode_changed", when + 3 * GEN_MILLISECOND);
        text(p, "from_mode", "default");
        text(p, "to_mode", chance_permille(&p->decor, 500) ? "plan" : "acceptEdits");
        text(p, "trigger", "shift_tab");
    }
}

static void attribution(struct process *p, const struct gen_stream *stream)
{
    text(p, "query_source", stream->detail);
    text(p, "effort", stream->effort);
    text(p, "agent.name", stream->agent);
    text(p, "skill.name", stream->skill);
    text(p, "plugin.name", stream->plugin);
    text(p, "marketplace.name", stream->marketplace);
    text(p, "mcp_server.name", stream->mcp_server);
    text(p, "mcp_tool.name", stream->mcp_tool);
}

static void
tell_answer(struct process *p, int64_t when, const struct request *r, const char *request_id)
{
    event(p, "assistant_response", when + GEN_MILLISECOND);
    integer(p, "response_length", 1 + r->tokens[TOKEN_OUTPUT] * 3);
    text(p, "response", "<REDACTED>");
    text(p, "model", model_name(r->stream->model));
    text(p, "request_id", request_id);
    text(p, "message.uuid", new_uuid(p));
    text(p, "query_source", r->stream->detail);
}

static void tell_subagent(struct process *p, int64_t when, const struct request *r)
{
    const char *model = model_name(r->stream->model);
    event(p, "subagent_completed", when + 2 * GEN_MILLISECOND);
    text(p, "agent_type", r->stream->agent);
    text(p, "agent.source", "built-in");
    boolean(p, "is_built_in", r->stream->agent[0] == 'E');
    boolean(p, "is_async", false);
    integer(p, "total_tokens", r->tokens[TOKEN_INPUT] + r->tokens[TOKEN_OUTPUT]);
    integer(p, "total_tool_uses", chance_below(&p->decor, 30));
    integer(p, "duration_ms", r->duration_ms * 3);
    text(p, "model", model);
    text(p, "final_model", model);
    boolean(p, "model_swapped", false);
}

void tell_request(struct process *p, int64_t when, const struct request *r)
{
    if (!p->log)
        return;
    const char *request_id = new_id(p, "req_011C");
    int64_t first = 200 + about(p, 900);
    event(p, "api_request", when);
    text(p, "model", model_name(r->stream->model));
    integer(p, "input_tokens", r->tokens[TOKEN_INPUT]);
    integer(p, "output_tokens", r->tokens[TOKEN_OUTPUT]);
    integer(p, "cache_read_tokens", r->tokens[TOKEN_CACHE_READ]);
    integer(p, "cache_creation_tokens", r->tokens[TOKEN_CACHE_CREATION]);
    money(p, "cost_usd", r->nano, r->dollars);
    integer(p, "cost_usd_micros", (r->nano + 500) / 1000);
    integer(p, "duration_ms", r->duration_ms);
    integer(p, "ttft_ms", first < r->duration_ms ? first : r->duration_ms);
    text(p, "request_id", request_id);
    if (!p->session->developer->api_key)
        text(p, "client_request_id", new_uuid(p));
    text(p, "speed", r->stream->fast ? "fast" : "normal");
    attribution(p, r->stream);
    if (!r->stream->auxiliary)
        tell_answer(p, when, r, request_id);
    if (r->stream->subagent && chance_permille(&p->decor, 300))
        tell_subagent(p, when, r);
    if (r->stream->skill) {
        event(p, "skill_activated", when + 2 * GEN_MILLISECOND);
        text(p, "skill.name", "custom_skill");
        text(p, "invocation_trigger", "claude-proactive");
        text(p, "skill.source", r->stream->plugin ? "plugin" : "bundled");
    }
}

void tell_error(struct process *p, int64_t when, const struct gen_stream *stream)
{
    if (!p->log)
        return;
    bool connection = chance_permille(&p->decor, 200);
    event(p, "api_error", when);
    text(p, "model", model_name(stream->model));
    text(p, "error", connection ? "Connection error." : "Overloaded");
    if (!connection)
        integer(p, "status_code", 529);
    integer(p, "duration_ms", 1000 + about(p, 30000));
    integer(p, "attempt", chance_permille(&p->decor, 600) ? 11 : 1);
    text(p, "speed", stream->fast ? "fast" : "normal");
    attribution(p, stream);
}

void tell_tool(struct process *p, int64_t decided, int64_t done, const struct tool_use *use)
{
    if (!p->log)
        return;
    const char *id = new_id(p, "toolu_01");
    bool success = !chance_permille(&p->decor, 50);
    hooks(p, decided - 2 * GEN_MILLISECOND, "PreToolUse", "PreToolUse");
    event(p, "tool_decision", decided);
    text(p, "tool_name", use->name);
    text(p, "tool_use_id", id);
    text(p, "decision", use->decision);
    text(p, "source", use->source);
    text(p, "tool_source", use->mcp ? "mcp" : "builtin");
    if (use->decision[0] == 'r')
        return;
    event(p, "tool_result", done);
    text(p, "tool_name", use->name);
    text(p, "tool_use_id", id);
    text(p, "success", success ? "true" : "false");
    number_text(p, "duration_ms", use->duration_ms);
    text(p, "error_type", success ? NULL : "Error");
    number_text(p, "tool_input_size_bytes", 20 + about(p, 160));
    number_text(p, "tool_result_size_bytes", about(p, 1800));
    hooks(p, done + GEN_MILLISECOND, "PostToolUse", "PostToolUse");
}

void tell_compaction(struct process *p, int64_t when, int64_t before, int64_t after)
{
    if (!p->log)
        return;
    event(p, "compaction", when);
    text(p, "trigger", chance_permille(&p->decor, 700) ? "auto" : "manual");
    text(p, "success", "true");
    integer(p, "duration_ms", 4000 + about(p, 20000));
    integer(p, "pre_tokens", before);
    integer(p, "post_tokens", after);
}
