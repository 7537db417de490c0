/* SPDX-License-Identifier: Apache-2.0
 *
 * events.h -- what a process tells about its work beside its counters.
 *
 * A log holds the events of one interval.  All of these do nothing when the
 * process has no log.
 */
#ifndef GEN_EVENTS_H
#define GEN_EVENTS_H

#include "gen.h"
#include "models.h"

#define LOG_EVENTS 320
#define LOG_FIELDS (LOG_EVENTS * 12)
#define LOG_TEXT (LOG_EVENTS * 96)

struct event_log {
    struct gen_event events[LOG_EVENTS];
    struct gen_field fields[LOG_FIELDS];
    char text[LOG_TEXT];
    size_t count, field_count, text_size;
};

struct process;
struct gen_stream;

/* A request to the API that was answered. */
struct request {
    const struct gen_stream *stream;
    int64_t tokens[TOKEN_TYPES], nano;
    double dollars;
    int64_t duration_ms;
};

/* One use of a tool. */
struct tool_use {
    const char *name;
    const char *decision, *source;
    bool mcp;
    int64_t duration_ms;
};

void log_clear(struct event_log *log);
/* To be called once an interval, before its first event. */
void tell_begin(struct process *p);
void tell_start(struct process *p, int64_t when);
void tell_prompt(struct process *p, int64_t when);
void tell_request(struct process *p, int64_t when, const struct request *request);
void tell_error(struct process *p, int64_t when, const struct gen_stream *stream);
void tell_tool(struct process *p, int64_t decided, int64_t done, const struct tool_use *use);
void tell_compaction(struct process *p, int64_t when, int64_t before, int64_t after);

#endif
