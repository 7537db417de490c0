/* SPDX-License-Identifier: Apache-2.0
 *
 * work.c -- what happens in one interval of a process: prompts, requests, tools, edits.
 *
 * An interval is cut into turns, a turn into sixteenths, so that things happen
 * in their order and before the collection.  Each request is priced by the
 * list of its day, twice: in integers, which is the truth, and in doubles as
 * the program itself does it, which is what is reported.
 */
#include "process.h"

struct turn {
    int64_t from, sixteenth;
};

static int64_t at(const struct turn *turn, int sixteenths)
{
    return turn->from + turn->sixteenth * sixteenths;
}

static const struct gen_stream *stream_of(const struct process *p, unsigned stream)
{
    return &p->sets[p->set_count - 1]->session->streams[stream];
}

/* A counter of things, one up. */
static void count(struct process *p, unsigned slot, int64_t when, int64_t things)
{
    process_record(p, slot, when, things, (double)things);
}

static void active_time(struct process *p, unsigned slot, int64_t when, int64_t ms)
{
    process_record(p, slot, when, ms * 1000000, (double)ms / 1000);
}

/* ---- requests -------------------------------------------------------------- */

static void draw_tokens(struct process *p, const struct gen_stream *stream, int64_t *tokens)
{
    struct chance *c = &p->chance;
    if (stream->auxiliary) {
        tokens[TOKEN_INPUT] = 40 + chance_about(c, 320, 256);
        tokens[TOKEN_OUTPUT] = 5 + chance_about(c, 40, 200);
        tokens[TOKEN_CACHE_READ] = tokens[TOKEN_CACHE_CREATION] = 0;
        return;
    }
    tokens[TOKEN_INPUT] = 2 + chance_about(c, 5, 400);
    tokens[TOKEN_OUTPUT] = 8 + chance_about(c, 420, 330);
    tokens[TOKEN_CACHE_CREATION] = 100 + chance_about(c, 2300, 330);
    tokens[TOKEN_CACHE_READ] = stream->subagent ? chance_about(c, 26000, 200) : p->context;
    int64_t limit = model_prompt_limit(stream->model) - tokens[TOKEN_INPUT];
    if (tokens[TOKEN_CACHE_CREATION] > limit / 2)
        tokens[TOKEN_CACHE_CREATION] = limit / 2;
    limit -= tokens[TOKEN_CACHE_CREATION];
    if (tokens[TOKEN_CACHE_READ] > limit)
        tokens[TOKEN_CACHE_READ] = limit;
}

static void price(struct request *r, const struct process *p, int64_t when)
{
    bool hour = p->session->developer->hour_cache;
    struct prices prices = model_prices(r->stream->model, when, hour, r->stream->fast);
    r->nano = 0;
    r->dollars = 0;
    for (int t = 0; t < TOKEN_TYPES; t++) {
        r->nano += r->tokens[t] * prices.nano[t];
        r->dollars += (double)r->tokens[t] / 1e6 * ((double)prices.nano[t] / 1e3);
    }
}

static void grow_context(struct process *p, const struct request *r, int64_t when)
{
    p->context += r->tokens[TOKEN_CACHE_CREATION] + r->tokens[TOKEN_OUTPUT];
    if (p->context < 165000)
        return;
    int64_t after = 22000 + chance_below(&p->chance, 14000);
    tell_compaction(p, when, p->context, after);
    p->context = after;
}

static void request(struct process *p, unsigned stream, int64_t when)
{
    struct request r = {.stream = stream_of(p, stream)};
    draw_tokens(p, r.stream, r.tokens);
    price(&r, p, when);
    r.duration_ms = 400 + chance_about(&p->chance, 5200, 220);
    for (unsigned t = 0; t < TOKEN_TYPES; t++)
        if (r.tokens[t])
            count(p, SLOT_TOKENS + stream * TOKEN_TYPES + t, when, r.tokens[t]);
    process_record(p, SLOT_COST + stream, when, r.nano, r.dollars);
    active_time(p, SLOT_ACTIVE + 1, when, r.duration_ms);
    tell_request(p, when, &r);
    if (!r.stream->auxiliary && !r.stream->subagent)
        grow_context(p, &r, when);
}

/* ---- tools ----------------------------------------------------------------- */

static void
edit(struct process *p, const struct gen_stream *stream, int64_t when, struct tool_use *use)
{
    struct chance *c = &p->chance;
    unsigned tool = chance_permille(c, 230);
    unsigned decision = chance_permille(c, 620)   ? DECISION_CONFIG
                        : chance_permille(c, 850) ? DECISION_ONCE
                                                  : DECISION_REJECT;
    use->name = decision_tools[tool];
    use->decision = decision_names[decision];
    use->source = decision_sources[decision];
    count(p, SLOT_DECISION + tool * DECISIONS + decision, when, 1);
    if (decision == DECISION_REJECT)
        return;
    unsigned slot = SLOT_LINES + 2 * stream->lines;
    count(p, slot, when, 1 + chance_about(c, 9, 420));
    if (tool == 0)
        count(p, slot + 1, when, 1 + chance_about(c, 4, 420));
}

static void shell(struct process *p, int64_t when)
{
    if (chance_permille(&p->chance, 45))
        count(p, SLOT_COMMIT, when, 1);
    if (chance_permille(&p->chance, 7))
        count(p, SLOT_PULL_REQUEST, when, 1);
}

static void tool(struct process *p, unsigned stream, int64_t decided, int64_t done)
{
    static const char *const names[] = {"Read", "Bash", "Edit", "Grep", "Glob"};
    static const uint16_t weights[] = {30, 28, 26, 10, 6};
    struct tool_use use = {.decision = "accept", .source = "config"};
    unsigned kind = chance_weighted(&p->chance, weights, 5);
    use.name = names[kind];
    use.duration_ms = 3 + chance_about(&p->chance, kind == 1 ? 900 : 40, 400);
    if (stream == STREAM_MCP) {
        use.name = "mcp_tool";
        use.mcp = true;
    } else if (kind == 2) {
        edit(p, stream_of(p, stream), decided, &use);
    } else if (kind == 1) {
        shell(p, done);
    }
    active_time(p, SLOT_ACTIVE + 1, done, use.duration_ms);
    tell_tool(p, decided, done, &use);
}

/* ---- turns ----------------------------------------------------------------- */

static void prompt(struct process *p, int64_t when)
{
    tell_prompt(p, when);
    active_time(p, SLOT_ACTIVE, when, 500 + chance_about(&p->chance, 5200, 260));
}

static void take_turn(struct process *p, const struct turn *turn)
{
    struct chance *c = &p->chance;
    if (!p->prompt[0] || chance_permille(c, 300))
        prompt(p, at(turn, 2));
    /* Requests of a kind come in bursts: a subagent works until it is done. */
    if (p->stream == STREAM_SMALL || !chance_permille(c, 550))
        p->stream = chance_weighted(c, p->weights, STREAMS);
    unsigned stream = p->stream;
    if (chance_permille(c, 12)) {
        tell_error(p, at(turn, 5), stream_of(p, stream));
        return;
    }
    request(p, stream, at(turn, 7));
    if (stream == STREAM_SMALL)
        return;
    unsigned tools = chance_permille(c, 720) ? 1 + chance_permille(c, 150) : 0;
    for (unsigned i = 0; i < tools; i++)
        tool(p, stream, at(turn, 9 + 3 * (int)i), at(turn, 11 + 3 * (int)i));
}

static void begin(struct process *p, const struct series_set *set, int64_t when)
{
    bool cleared = set != p->sets[0];
    count(p, SLOT_SESSION + (cleared ? START_FRESH : p->start_type), when, 1);
    if (!cleared)
        tell_start(p, when);
}

void process_work(struct process *p)
{
    const struct series_set *set = p->sets[p->set_count - 1];
    int64_t length = p->next - p->previous;
    unsigned turns = 1 + chance_below(&p->chance, length < 30 * GEN_SECOND ? 2 : 5);
    p->prompt_text = NULL;
    tell_begin(p);
    if (!set->ever)
        begin(p, set, p->previous + length / 100);
    for (unsigned i = 0; i < turns; i++) {
        int64_t slice = length / turns;
        struct turn turn = {p->previous + i * slice + chance_below(&p->chance, 1000000) % slice,
                            (slice - slice / 8) / 16};
        take_turn(p, &turn);
    }
}
