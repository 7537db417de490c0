/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c -- a session: its labels, and the counters it can have.
 *
 * The streams are made so that no two have the same labels: each differs from
 * all others in its source, its model or an attribute only it has.  The two
 * streams whose edits count lines share a pair of slots where they share the
 * model, because a line counter knows the model and nothing finer.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

const struct gen_metric_info gen_metrics[GEN_METRICS] = {
    {"claude_code.session.count", "", "Count of CLI sessions started", "claude_code_session_count",
     "", 0},
    {"claude_code.lines_of_code.count", "",
     "Count of lines of code modified, with the 'type' attribute indicating whether lines were "
     "added or removed",
     "claude_code_lines_of_code_count", "", 0},
    {"claude_code.pull_request.count", "", "Number of pull requests created",
     "claude_code_pull_request_count", "", 0},
    {"claude_code.commit.count", "", "Number of git commits created", "claude_code_commit_count",
     "", 0},
    {"claude_code.cost.usage", "USD", "Cost of the Claude Code session",
     "claude_code_cost_usage_USD", "USD", 9},
    {"claude_code.token.usage", "tokens", "Number of tokens used", "claude_code_token_usage_tokens",
     "tokens", 0},
    {"claude_code.code_edit_tool.decision", "",
     "Count of code editing tool permission decisions (accept/reject) for Edit, Write, and "
     "NotebookEdit tools",
     "claude_code_code_edit_tool_decision", "", 0},
    {"claude_code.active_time.total", "s", "Total active time in seconds",
     "claude_code_active_time_seconds", "seconds", 9},
};

const char *const decision_tools[DECISION_TOOLS] = {"Edit", "Write"};
const char *const decision_names[DECISIONS] = {"accept", "accept", "reject"};
const char *const decision_sources[DECISIONS] = {"config", "user_temporary", "user_reject"};

static const char *const start_types[START_TYPES] = {"fresh", "resume", "continue"};
static const char *const token_types[TOKEN_TYPES] = {"input", "output", "cacheRead",
                                                     "cacheCreation"};
static const char *const efforts[] = {"low", "medium", "high", "xhigh", "max"};

#define FOUR(x) x, x, x, x
#define EIGHT(x) FOUR(x), FOUR(x)
const uint8_t slot_metrics[SLOTS] = {
    GEN_SESSIONS,      GEN_SESSIONS,      GEN_SESSIONS,      FOUR(GEN_LINES),     GEN_LINES,
    GEN_LINES,         GEN_PULL_REQUESTS, GEN_COMMITS,       EIGHT(GEN_COST),     EIGHT(GEN_TOKENS),
    EIGHT(GEN_TOKENS), EIGHT(GEN_TOKENS), EIGHT(GEN_TOKENS), FOUR(GEN_DECISIONS), GEN_DECISIONS,
    GEN_DECISIONS,     GEN_ACTIVE,        GEN_ACTIVE,
};

static void make_streams(struct gen_session *s, struct chance *c, int64_t when)
{
    const struct gen_developer *d = s->developer;
    /* People have habits: most sessions of a developer use the model they like. */
    struct chance habit = {d->seed ^ 0x0de1};
    int main = model_choose(chance_permille(c, 750) ? &habit : c, MODEL_MAIN, when);
    int other = model_choose(c, MODEL_MAIN, when), small = model_choose(c, MODEL_SMALL, when);
    unsigned effort = 1 + chance_below(c, 3);
    struct gen_stream base = {
        .model = main, .source = "main", .detail = "repl_main_thread", .effort = efforts[effort]};
    for (int i = 0; i < STREAMS; i++)
        s->streams[i] = base;
    bool fast = d->fast && model_has_fast(main);
    s->streams[STREAM_OTHER].fast = fast;
    if (!fast) {
        s->streams[STREAM_OTHER].model = other;
        if (other == main)
            s->streams[STREAM_OTHER].effort = efforts[effort == 1 ? 4 : 0];
    }
    s->streams[STREAM_AGENT] = (struct gen_stream){.model = chance_permille(c, 500)   ? main
                                                            : chance_permille(c, 500) ? other
                                                                                      : small,
                                                   .subagent = true,
                                                   .source = "subagent",
                                                   .detail = "Explore",
                                                   .effort = efforts[effort],
                                                   .agent = "Explore"};
    s->streams[STREAM_SMALL] = (struct gen_stream){.model = small,
                                                   .auxiliary = true,
                                                   .source = "auxiliary",
                                                   .detail = "generate_session_title"};
    s->streams[STREAM_SKILL].skill = chance_permille(c, 500) ? "commit" : "third-party";
    if (s->streams[STREAM_SKILL].skill[0] == 't') {
        s->streams[STREAM_SKILL].plugin = "third-party";
        s->streams[STREAM_SKILL].marketplace = "third-party";
    }
    s->streams[STREAM_MCP].mcp_server = chance_permille(c, 500) ? "github" : "custom";
    s->streams[STREAM_MCP].mcp_tool =
        s->streams[STREAM_MCP].mcp_server[0] == 'g' ? "create_pull_request" : "custom";
    s->streams[STREAM_CUSTOM] = s->streams[STREAM_AGENT];
    s->streams[STREAM_CUSTOM].agent = s->streams[STREAM_CUSTOM].detail = "custom";
    s->streams[STREAM_EFFORT].effort = efforts[effort + 1];
    for (unsigned i = 0; i < STREAMS; i++)
        for (unsigned j = LINE_PAIRS; j-- > 0;)
            if (s->streams[j].model == s->streams[i].model)
                s->streams[i].lines = j;
}

static void add(struct gen_label *labels, unsigned *count, const char *key, const char *value)
{
    if (value && value[0])
        labels[(*count)++] = (struct gen_label){key, value};
}

static void make_labels(struct gen_session *s)
{
    const struct gen_developer *d = s->developer;
    unsigned *n = &s->common_count, *r = &s->resource_count;
    add(s->common, n, "team.id", d->team);
    add(s->common, n, "department", d->department);
    add(s->common, n, "cost_center", d->cost_center);
    memcpy(s->resource, s->common, *n * sizeof s->common[0]);
    *r = *n;
    add(s->common, n, "user.id", d->id);
    add(s->common, n, "session.id", s->id);
    if (!d->api_key) {
        add(s->common, n, "organization.id", d->organization);
        add(s->common, n, "user.email", d->email);
        add(s->common, n, "user.account_uuid", d->account_uuid);
        add(s->common, n, "user.account_id", d->account_id);
    }
    add(s->common, n, "terminal.type", d->terminal);
    add(s->resource, r, "host.arch", d->arch);
    add(s->resource, r, "os.type", d->os);
    add(s->resource, r, "os.version", d->os_version);
    add(s->resource, r, "service.name", "claude-code");
    add(s->resource, r, "service.version", s->version);
}

struct gen_session *session_new(const struct gen_developer *d, uint64_t seed, int64_t when)
{
    struct chance c = {seed};
    struct gen_session *s = calloc(1, sizeof *s);
    struct gen_stream *streams = calloc(STREAMS, sizeof *streams);
    if (!s || !streams) {
        free(s);
        free(streams);
        return NULL;
    }
    s->developer = d;
    s->seed = seed;
    s->streams = streams;
    s->users = 1;
    s->today = s->counted = s->sample = -1;
    chance_uuid(&c, s->id);
    developer_version(d, when / GEN_DAY, s->version);
    make_streams(s, &c, when);
    make_labels(s);
    return s;
}

struct gen_session *session_hold(struct gen_session *session)
{
    session->users++;
    return session;
}

void session_release(struct gen_session *session)
{
    if (!session || --session->users)
        return;
    free(session->streams);
    free(session);
}

/* ---- the labels of a slot ------------------------------------------------- */

static size_t stream_labels(const struct gen_stream *stream, struct gen_label *labels)
{
    unsigned n = 0;
    add(labels, &n, "model", model_name(stream->model));
    add(labels, &n, "query_source", stream->source);
    add(labels, &n, "speed", stream->fast ? "fast" : NULL);
    add(labels, &n, "effort", stream->effort);
    add(labels, &n, "agent.name", stream->agent);
    add(labels, &n, "skill.name", stream->skill);
    add(labels, &n, "plugin.name", stream->plugin);
    add(labels, &n, "marketplace.name", stream->marketplace);
    add(labels, &n, "mcp_server.name", stream->mcp_server);
    add(labels, &n, "mcp_tool.name", stream->mcp_tool);
    return n;
}

static size_t decision_labels(const struct gen_session *s, unsigned k, struct gen_label *labels)
{
    unsigned n = 0;
    add(labels, &n, "tool_name", decision_tools[k / DECISIONS]);
    add(labels, &n, "decision", decision_names[k % DECISIONS]);
    add(labels, &n, "source", decision_sources[k % DECISIONS]);
    add(labels, &n, "language", s->developer->languages[k / DECISIONS]);
    return n;
}

size_t gen_point_labels(const struct gen_point *point, struct gen_label labels[GEN_OWN_LABELS])
{
    const struct gen_session *s = point->session;
    unsigned slot = point->slot;
    size_t n = 0;
    switch ((enum gen_metric)point->metric) {
    case GEN_SESSIONS:
        labels[n++] = (struct gen_label){"start_type", start_types[slot - SLOT_SESSION]};
        break;
    case GEN_LINES:
        slot -= SLOT_LINES;
        labels[n++] = (struct gen_label){"type", slot % 2 ? "removed" : "added"};
        labels[n++] = (struct gen_label){"model", model_name(s->streams[slot / 2].model)};
        break;
    case GEN_COST:
        return stream_labels(&s->streams[slot - SLOT_COST], labels);
    case GEN_TOKENS:
        slot -= SLOT_TOKENS;
        n = stream_labels(&s->streams[slot / TOKEN_TYPES], labels);
        labels[n++] = (struct gen_label){"type", token_types[slot % TOKEN_TYPES]};
        break;
    case GEN_DECISIONS:
        return decision_labels(s, slot - SLOT_DECISION, labels);
    case GEN_ACTIVE:
        labels[n++] = (struct gen_label){"type", slot == SLOT_ACTIVE ? "user" : "cli"};
        break;
    case GEN_PULL_REQUESTS:
    case GEN_COMMITS:
    case GEN_METRICS:
        break;
    }
    return n;
}

int gen_point_model(const struct gen_point *point)
{
    const struct gen_stream *streams = point->session->streams;
    switch ((enum gen_metric)point->metric) {
    case GEN_LINES:
        return streams[(point->slot - SLOT_LINES) / 2].model;
    case GEN_COST:
        return streams[point->slot - SLOT_COST].model;
    case GEN_TOKENS:
        return streams[(point->slot - SLOT_TOKENS) / TOKEN_TYPES].model;
    default:
        return GEN_NO_MODEL;
    }
}

unsigned gen_model_count(void)
{
    return models_count();
}

const char *gen_model_name(unsigned model)
{
    return model_name((int)model);
}

unsigned gen_developer_number(const struct gen_session *session)
{
    return session->developer->number;
}
