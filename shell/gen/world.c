/* SPDX-License-Identifier: Apache-2.0
 *
 * world.c -- all processes of all developers, in the order of their exports.
 *
 * A heap holds the processes that run or are about to, ordered by the time of
 * their next export.  Days are planned one at a time, when the heap has
 * reached them: which sessions begin on a day follows from the seed and the
 * day alone, so memory does not grow with the number of days.
 *
 * The day of the plan is UTC's, but people live by their own clocks: a day's
 * sessions are those of three local days that begin on it.
 */
#include <stdlib.h>
#include <string.h>
#include "process.h"

struct gen_world {
    struct gen_options options;
    struct gen_developer *developers;
    struct process **heap;
    size_t count, capacity;
    unsigned planned; /* days */
    uint64_t processes;
    int64_t first;
    struct event_log *log;
    struct gen_export export;
    struct gen_point points[PROCESS_SETS * SLOTS];
    struct process *over; /* the one of the last export, if that was its last */
    bool failed;
};

/* The last second is kept free, so that exits and their events are within the days. */
#define MARGIN GEN_SECOND

/* ---- the heap -------------------------------------------------------------- */

static bool earlier(const struct process *a, const struct process *b)
{
    return a->next != b->next ? a->next < b->next : a->number < b->number;
}

static void sift_down(struct gen_world *w, size_t at)
{
    struct process *p = w->heap[at];
    for (size_t child; (child = 2 * at + 1) < w->count; at = child) {
        if (child + 1 < w->count && earlier(w->heap[child + 1], w->heap[child]))
            child++;
        if (!earlier(w->heap[child], p))
            break;
        w->heap[at] = w->heap[child];
    }
    w->heap[at] = p;
}

static bool push(struct gen_world *w, struct process *p)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 256;
        struct process **heap = realloc(w->heap, capacity * sizeof *heap);
        if (!heap)
            return false;
        w->heap = heap;
        w->capacity = capacity;
    }
    size_t at = w->count++;
    for (; at > 0 && earlier(p, w->heap[(at - 1) / 2]); at = (at - 1) / 2)
        w->heap[at] = w->heap[(at - 1) / 2];
    w->heap[at] = p;
    return true;
}

static void drop_first(struct gen_world *w)
{
    w->heap[0] = w->heap[--w->count];
    if (w->count)
        sift_down(w, 0);
}

/* ---- plans ----------------------------------------------------------------- */

/* Takes over one hold on the session. */
static bool
start_process(struct gen_world *w, struct gen_session *s, const struct process_plan *plan)
{
    /* What would begin in the last two minutes is left out, but for a session's first. */
    if (plan->start > w->options.end - 120 * GEN_SECOND) {
        session_release(s);
        return true;
    }
    struct process *p = process_new(s, plan);
    if (!p) {
        session_release(s);
        return false;
    }
    p->number = w->processes++;
    process_schedule(p, w->options.end - MARGIN);
    if (push(w, p))
        return true;
    process_free(p);
    return false;
}

/* Short, ordinary or long, so that the average is what was asked for. */
static unsigned draw_length(struct chance *c, unsigned average, unsigned *idle_permille)
{
    unsigned kind = chance_below(c, 100);
    *idle_permille = 60;
    if (kind < 15)
        return 1;
    if (kind < 85) {
        unsigned thousandths = average * (250 + chance_below(c, 1120));
        return 1 + (thousandths + chance_below(c, 1000)) / 1000 - (thousandths >= 1000);
    }
    *idle_permille = 130;
    return average * 2 + chance_below(c, average + 1) + (average == 1);
}

/* A session is continued after a restart, resumed in a second terminal, or the next day. */
static bool
plan_more(struct gen_world *w, struct chance *c, struct gen_session *s, struct process_plan *plan)
{
    unsigned shape = chance_below(c, 1000);
    struct process_plan next = *plan;
    int64_t minutes;
    next.ordinal = 1;
    next.clears = false;
    next.start_type = START_CONTINUE;
    if (shape < 40 && plan->active > 1) { /* restart */
        next.active = plan->active / 2;
        plan->active -= next.active;
        minutes = plan->active + 30 + chance_below(c, 30);
    } else if (shape < 80 && plan->active > 1) { /* two at once */
        next.active = (plan->active + 1) / 2;
        next.start_type = START_RESUME;
        minutes = chance_below(c, plan->active);
    } else if (shape < 92) { /* the day after */
        next.start_type = START_RESUME;
        minutes = 20 * 60 + chance_below(c, 240);
    } else {
        return true;
    }
    next.start = plan->start + (minutes * 60 + 7 + chance_below(c, 30)) * GEN_SECOND +
                 chance_below(c, 1000) * GEN_MILLISECOND;
    return start_process(w, session_hold(s), &next);
}

static bool plan_session(struct gen_world *w, const struct gen_developer *d, int64_t local_day,
                         unsigned k, int64_t start)
{
    struct chance c = {chance_mix(d->seed ^ 0x5e55, (uint64_t)local_day * 4096 + k)};
    struct process_plan plan = {.start = start, .start_type = START_FRESH};
    if (start > w->options.end - 120 * GEN_SECOND)
        return true;
    struct gen_session *s = session_new(d, chance_next(&c), start);
    if (!s)
        return false;
    plan.active = draw_length(&c, w->options.points, &plan.idle_permille);
    plan.clears = plan.active > 3 && chance_permille(&c, 60);
    if (!plan_more(w, &c, s, &plan)) {
        session_release(s);
        return false;
    }
    return start_process(w, s, &plan);
}

static bool plan_day(struct gen_world *w)
{
    int64_t midnight = w->first + w->planned++ * GEN_DAY;
    for (unsigned i = 0; i < w->options.developers; i++) {
        const struct gen_developer *d = &w->developers[i];
        for (int64_t day = midnight / GEN_DAY - 1; day <= midnight / GEN_DAY + 1; day++) {
            unsigned sessions = developer_sessions(d, day, w->options.sessions);
            for (unsigned k = 0; k < sessions; k++) {
                int64_t start = developer_start(d, day, k);
                if (start >= midnight && start < midnight + GEN_DAY &&
                    !plan_session(w, d, day, k, start))
                    return false;
            }
        }
    }
    return true;
}

/* Everything that could export before the heap's first is planned. */
static bool plan_ahead(struct gen_world *w)
{
    while (w->planned < w->options.days &&
           (w->count == 0 || w->heap[0]->next >= w->first + w->planned * GEN_DAY))
        if (!plan_day(w))
            return false;
    return true;
}

/* ---- exports --------------------------------------------------------------- */

static void fill_export(struct gen_world *w, struct process *p)
{
    w->export = (struct gen_export){.session = p->session,
                                    .process = p->number,
                                    .process_seed = p->seed,
                                    .ordinal = p->ordinal,
                                    .last = p->last,
                                    .time = p->next,
                                    .points = w->points};
    w->export.point_count = process_collect(p, w->options.cumulative, w->points);
    if (w->log) {
        w->export.events = w->log->events;
        w->export.event_count = w->log->count;
    }
}

/* Runs the first process of the heap to its next export and puts it back in its place. */
static bool advance(struct gen_world *w)
{
    struct process *p = w->heap[0];
    if (w->log)
        log_clear(w->log);
    if (!process_run(p, w->log))
        return false;
    fill_export(w, p);
    if (p->last) {
        drop_first(w);
        w->over = p;
    } else {
        process_schedule(p, w->options.end - MARGIN);
        sift_down(w, 0);
    }
    return true;
}

const struct gen_export *gen_world_next(struct gen_world *w)
{
    do {
        if (w->over)
            process_free(w->over);
        w->over = NULL;
        if (w->failed || !plan_ahead(w) || (w->count && !advance(w))) {
            w->failed = true;
            return NULL;
        }
        if (!w->over && !w->count)
            return NULL;
    } while (!w->export.point_count && !w->export.event_count && !w->export.last);
    return &w->export;
}

/* ---- begin and end ----------------------------------------------------------- */

struct gen_world *gen_world_new(const struct gen_options *options)
{
    struct gen_world *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->options = *options;
    w->first = options->end - options->days * GEN_DAY;
    w->developers = calloc(options->developers, sizeof *w->developers);
    w->log = options->events ? malloc(sizeof *w->log) : NULL;
    if (!w->developers || (options->events && !w->log)) {
        gen_world_free(w);
        return NULL;
    }
    for (unsigned i = 0; i < options->developers; i++)
        developer_make(&w->developers[i], options->seed, i);
    return w;
}

void gen_world_free(struct gen_world *w)
{
    if (!w)
        return;
    if (w->over)
        process_free(w->over);
    for (size_t i = 0; i < w->count; i++)
        process_free(w->heap[i]);
    free(w->heap);
    free(w->developers);
    free(w->log);
    free(w);
}

bool gen_world_failed(const struct gen_world *world)
{
    return world->failed;
}

const char *gen_developer_email(const struct gen_world *world, unsigned number)
{
    return world->developers[number].email;
}

const char *gen_developer_team(const struct gen_world *world, unsigned number)
{
    const char *team = world->developers[number].team;
    return team ? team : "";
}
