/* SPDX-License-Identifier: Apache-2.0
 *
 * process.h -- a process: one run of the program, from start to exit.
 *
 * It belongs to a session that others may hold too (resumed in a second
 * terminal, continued after a restart), counts on its own, and may begin a
 * second session of its own (/clear).
 */
#ifndef GEN_PROCESS_H
#define GEN_PROCESS_H

#include "chance.h"
#include "events.h"
#include "gen.h"
#include "session.h"

struct series {
    double delta, total; /* since the last export, since the start */
    int64_t exact;       /* delta, in integers */
    int64_t first;       /* recording since the last export */
    int64_t began;       /* the first recording of all */
};

/* The counters of one session in one process.  A set bit is a slot. */
struct series_set {
    struct gen_session *session;
    uint64_t now, last, ever; /* recorded in this interval, in the one before, in any */
    struct series series[SLOTS];
};

#define PROCESS_SETS 3

struct process {
    int64_t next; /* when it exports next */
    uint64_t number, seed;
    struct chance chance, decor;           /* what happens; what only events tell */
    struct gen_session *session;           /* that it was started with */
    struct series_set *sets[PROCESS_SETS]; /* the last one is the current */
    unsigned set_count, ordinal;
    enum start_type start_type;
    int64_t start, previous;
    int64_t tick; /* times are multiples of it: a millisecond, or a nanosecond */
    unsigned steps, active_left, idle_left, linger, idle_permille, clear_at;
    bool active, last;
    uint16_t weights[STREAMS];
    unsigned stream; /* of the last request */
    int64_t context; /* tokens that the next request reads from the cache */
    int64_t sequence;
    char prompt[37];
    const char *prompt_text; /* the same while an interval runs; NULL before the first */
    struct event_log *log;   /* NULL: no events */
};

/* How long a process of a session is to be. */
struct process_plan {
    int64_t start;
    unsigned active; /* minutes with anything in them, at least one */
    unsigned ordinal;
    enum start_type start_type;
    unsigned idle_permille; /* how often a pause follows a minute of work */
    bool clears;
};

/* NULL: out of memory.  Takes over one hold on the session. */
struct process *process_new(struct gen_session *session, const struct process_plan *plan);
void process_free(struct process *p);
/* Decides on the interval that follows; `limit` is an instant it does not reach. */
void process_schedule(struct process *p, int64_t limit);
/* Lives through the interval up to `next`.  False: out of memory. */
bool process_run(struct process *p, struct event_log *log);
/* Fills `points` (room for PROCESS_SETS * SLOTS) with what the interval's end exports. */
size_t process_collect(struct process *p, bool cumulative, struct gen_point *points);

/* Used by the work of an interval. */
void process_record(struct process *p, unsigned slot, int64_t when, int64_t exact, double value);
void process_work(struct process *p);

#endif
