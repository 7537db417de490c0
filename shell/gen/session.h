/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h -- a session: its labels, and the counters it can have.
 *
 * A session has at most 64 counters, each in a slot of its own, so sets of
 * them are bits of one word.  Slots are in the order of the metrics.  What a
 * slot's labels are follows from the session alone, so two processes of one
 * session have identical label sets.
 */
#ifndef GEN_SESSION_H
#define GEN_SESSION_H

#include "gen.h"
#include "models.h"
#include "people.h"

/* A way of asking the API: all requests of it have the same labels. */
struct gen_stream {
    int model;
    bool fast, auxiliary, subagent;
    const char *source; /* query_source in metrics */
    const char *detail; /* query_source in events, which is finer */
    const char *effort, *agent, *skill, *plugin, *marketplace, *mcp_server, *mcp_tool;
    unsigned lines; /* which of the two pairs of slots counts its lines */
};

enum {
    STREAM_MAIN,
    STREAM_OTHER, /* fast, or another model */
    STREAM_AGENT,
    STREAM_SMALL,
    STREAM_SKILL,
    STREAM_MCP,
    STREAM_CUSTOM,
    STREAM_EFFORT,
    STREAMS
};

enum start_type { START_FRESH, START_RESUME, START_CONTINUE, START_TYPES };
enum decision { DECISION_CONFIG, DECISION_ONCE, DECISION_REJECT, DECISIONS };

#define LINE_PAIRS 3
#define DECISION_TOOLS 2
enum {
    SLOT_SESSION = 0,
    SLOT_LINES = SLOT_SESSION + START_TYPES,
    SLOT_PULL_REQUEST = SLOT_LINES + 2 * LINE_PAIRS,
    SLOT_COMMIT,
    SLOT_COST,
    SLOT_TOKENS = SLOT_COST + STREAMS,
    SLOT_DECISION = SLOT_TOKENS + STREAMS * TOKEN_TYPES, /* of the session's first language */
    SLOT_ACTIVE = SLOT_DECISION + DECISION_TOOLS * DECISIONS,
    SLOTS = SLOT_ACTIVE + 2
};
_Static_assert(SLOTS <= 64, "the slots of a session fit one word");

extern const char *const decision_tools[DECISION_TOOLS];
extern const char *const decision_names[DECISIONS], *const decision_sources[DECISIONS];
extern const uint8_t slot_metrics[SLOTS];

/* NULL: out of memory.  `when` is the start: the day decides on models and version. */
struct gen_session *session_new(const struct gen_developer *d, uint64_t seed, int64_t when);
struct gen_session *session_hold(struct gen_session *session);
void session_release(struct gen_session *session);

#endif
