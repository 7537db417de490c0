/* SPDX-License-Identifier: Apache-2.0
 *
 * process.c -- a process: its minutes, and what it exports at the end of each.
 *
 * The reader of metrics collects once a minute, a few milliseconds late, and
 * once more at exit.  A delta's start is the collection before if the counter
 * was in that one too, else its first recording; a cumulative start is the
 * first recording in this process.  Counters of a session that was left by
 * /clear stay, and are repeated until the process exits.
 */
#include "process.h"

#include <stdlib.h>
#include <string.h>

static int64_t on_tick(const struct process *p, int64_t time)
{
    return time - time % p->tick;
}

/* ---- life ---------------------------------------------------------------- */

static void make_weights(struct process *p)
{
    const struct gen_developer *d = p->session->developer;
    struct chance c = {p->session->seed ^ 0x3e165};
    p->weights[STREAM_MAIN] = 60;
    p->weights[STREAM_SMALL] = chance_permille(&c, 600) ? 8 : 0;
    p->weights[STREAM_AGENT] = d->agents && chance_permille(&c, 450) ? 14 : 0;
    p->weights[STREAM_CUSTOM] = d->agents && chance_permille(&c, 80) ? 6 : 0;
    p->weights[STREAM_OTHER] = chance_permille(&c, d->fast ? 400 : 100) ? 12 : 0;
    p->weights[STREAM_SKILL] = d->skills && chance_permille(&c, 250) ? 6 : 0;
    p->weights[STREAM_MCP] = d->mcp && chance_permille(&c, 250) ? 6 : 0;
    p->weights[STREAM_EFFORT] = chance_permille(&c, 40) ? 10 : 0;
}

struct process *process_new(struct gen_session *session, const struct process_plan *plan)
{
    struct process *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->session = session;
    p->ordinal = plan->ordinal;
    p->seed = chance_mix(session->seed, 77 + plan->ordinal);
    p->chance.state = p->seed;
    p->decor.state = ~p->seed;
    p->start_type = plan->start_type;
    /* Most versions of the SDK tell milliseconds; some add what a finer clock says. */
    p->tick = chance_permille(&p->chance, 120) ? 1 : GEN_MILLISECOND;
    p->start = p->previous = on_tick(p, plan->start + chance_below(&p->chance, 1000000));
    p->active_left = plan->active;
    p->idle_permille = plan->idle_permille;
    p->linger = chance_permille(&p->chance, 200) ? 1 + chance_below(&p->chance, 10) : 0;
    p->clear_at = plan->clears ? 1 + plan->active / 2 : 0;
    p->context = 14000 + chance_below(&p->chance, 12000);
    make_weights(p);
    return p;
}

static bool add_set(struct process *p, struct gen_session *session)
{
    struct series_set *set = session ? calloc(1, sizeof *set) : NULL;
    if (!set) {
        session_release(session);
        return false;
    }
    set->session = session;
    p->sets[p->set_count++] = set;
    return true;
}

void process_free(struct process *p)
{
    for (unsigned i = 0; i < p->set_count; i++) {
        session_release(p->sets[i]->session);
        free(p->sets[i]);
    }
    session_release(p->session);
    free(p);
}

void process_schedule(struct process *p, int64_t limit)
{
    struct chance *c = &p->chance;
    p->steps++;
    p->active = p->idle_left == 0;
    if (!p->active) {
        p->idle_left--;
        p->last = p->active_left == 0 && p->idle_left == 0;
    } else {
        p->active_left--;
        p->last = p->active_left == 0 && p->linger == 0;
        if (p->active_left == 0)
            p->idle_left = p->linger;
        else if (chance_permille(c, p->idle_permille))
            p->idle_left = 1 + (unsigned)chance_about(c, 4, 256);
    }
    int64_t length = p->last ? 4 + chance_below(c, 55) : 60;
    p->next = on_tick(p, p->previous + length * GEN_SECOND + chance_below(c, 18000000));
    if (p->next >= limit) {
        p->next = on_tick(p, p->previous + (limit - p->previous) / 2) + GEN_MILLISECOND;
        p->last = true;
    }
}

/* /clear: a session of the process's own, with counters of its own. */
static bool clear(struct process *p)
{
    uint64_t seed = chance_mix(p->seed, p->steps);
    p->context = 14000 + chance_below(&p->chance, 4000);
    return add_set(p, session_new(p->session->developer, seed, p->start));
}

bool process_run(struct process *p, struct event_log *log)
{
    p->log = log;
    if (p->set_count == 0 && !add_set(p, session_hold(p->session)))
        return false;
    if (p->active && p->clear_at && p->steps > p->clear_at && p->set_count < PROCESS_SETS) {
        p->clear_at = 0;
        if (!clear(p))
            return false;
    }
    if (p->active)
        process_work(p);
    return true;
}

/* ---- counting ------------------------------------------------------------ */

void process_record(struct process *p, unsigned slot, int64_t when, int64_t exact, double value)
{
    struct series_set *set = p->sets[p->set_count - 1];
    struct series *s = &set->series[slot];
    uint64_t bit = UINT64_C(1) << slot;
    when = on_tick(p, when);
    if (!(set->now & bit)) {
        set->now |= bit;
        s->first = when;
        s->delta = 0;
        s->exact = 0;
    }
    if (!(set->ever & bit)) {
        set->ever |= bit;
        s->began = when;
    }
    s->delta += value;
    s->exact += exact;
}

static struct gen_point
make_point(const struct process *p, const struct series_set *set, unsigned slot, bool cumulative)
{
    const struct series *s = &set->series[slot];
    bool recorded = set->now >> slot & 1;
    bool before = set->last >> slot & 1;
    struct gen_point point = {.session = set->session,
                              .metric = slot_metrics[slot],
                              .slot = (uint8_t)slot,
                              .end = p->next,
                              .exact = recorded ? s->exact : 0};
    point.start = cumulative ? s->began : before ? p->previous : s->first;
    point.value = cumulative ? s->total : s->delta;
    return point;
}

static uint64_t metric_slots(unsigned metric)
{
    static uint64_t masks[GEN_METRICS];
    if (!masks[metric])
        for (unsigned slot = 0; slot < SLOTS; slot++)
            if (slot_metrics[slot] == metric)
                masks[metric] |= UINT64_C(1) << slot;
    return masks[metric];
}

static void end_interval(struct process *p)
{
    for (unsigned i = 0; i < p->set_count; i++) {
        p->sets[i]->last = p->sets[i]->now;
        p->sets[i]->now = 0;
    }
    p->previous = p->next;
}

size_t process_collect(struct process *p, bool cumulative, struct gen_point *points)
{
    size_t n = 0;
    for (unsigned i = 0; i < p->set_count; i++)
        for (uint64_t left = p->sets[i]->now; left; left &= left - 1) {
            struct series *s = &p->sets[i]->series[__builtin_ctzll(left)];
            s->total += s->delta;
        }
    for (unsigned metric = 0; metric < GEN_METRICS; metric++)
        for (unsigned i = 0; i < p->set_count; i++) {
            struct series_set *set = p->sets[i];
            uint64_t left = (cumulative ? set->ever : set->now) & metric_slots(metric);
            for (; left; left &= left - 1)
                points[n++] = make_point(p, set, (unsigned)__builtin_ctzll(left), cumulative);
        }
    end_interval(p);
    return n;
}
