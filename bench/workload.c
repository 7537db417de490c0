/* SPDX-License-Identifier: Apache-2.0
 *
 * workload.c -- makes working days of telemetry.
 *
 * Every number is drawn from a generator seeded by (seed, day), so a day can
 * be made without those before it and is the same each time.
 */
#include "workload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

const char *const token_type_names[TOKEN_TYPES] = {"input", "output", "cacheRead", "cacheCreation"};

/* Median and spread of the tokens one export reports, and what a token costs in dollars. */
static const struct {
    double median, sigma;
} sizes[TOKEN_TYPES] = {{90, 0.7}, {1900, 0.8}, {150000, 0.7}, {11000, 0.8}};

static const struct {
    const char *name;
    double prices[TOKEN_TYPES];
} models[] = {
    {"claude-opus-5-5", {4e-6, 20e-6, 0.2e-6, 5e-6}},
    {"claude-sonnet-5-5", {2e-6, 10e-6, 0.1e-6, 2.5e-6}},
    {"claude-opus-4-8", {5e-6, 25e-6, 0.5e-6, 6.25e-6}},
    {"claude-haiku-4-5", {1e-6, 5e-6, 0.1e-6, 1.25e-6}},
};
#define MAIN_MODELS 3
#define SMALL_MODEL 3

static const char *const terminals[] = {"vscode", "iTerm.app", "tmux", "ghostty", "WarpTerminal"};

/* ---- chance ------------------------------------------------------------ */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double next_unit(uint64_t *state)
{
    return (double)(next_random(state) >> 11) * 0x1p-53;
}

static double next_normal(uint64_t *state)
{
    double u = 1 - next_unit(state), v = next_unit(state);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void make_uuid(uint64_t *state, char text[37])
{
    uint64_t a = next_random(state), b = next_random(state);
    snprintf(text, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
             (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
             (unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

/* ---- people and sessions ----------------------------------------------- */

static void make_developer(struct developer *d, const struct workload *load, unsigned number)
{
    uint64_t state = load->seed ^ (UINT64_C(0xd1ce) << 32) ^ number * UINT64_C(0x2545f4914f6cdd1d);
    for (int i = 0; i < 4; i++)
        snprintf(d->id + 16 * i, 17, "%016llx", (unsigned long long)next_random(&state));
    snprintf(d->email, sizeof d->email, "developer.%u@example.com", number);
    make_uuid(&state, d->account);
    d->terminal = terminals[next_random(&state) % (sizeof terminals / sizeof *terminals)];
}

/* The exports of one (session, model): one a minute, each a little late or early. */
static void make_stream(struct workday *day, const struct workload *load, uint64_t *state,
                        unsigned developer, const char *session, unsigned model, int64_t start)
{
    int64_t previous = start;
    double scale = exp(0.4 * next_normal(state));
    for (unsigned k = 1; k <= load->points; k++) {
        struct export *e = &day->exports[day->count++];
        int64_t jitter = (int64_t)(next_unit(state) * 240) * MILLISECOND;
        *e = (struct export){.start = previous,
                             .end = start + k * 60 * SECOND + jitter,
                             .developer = developer,
                             .stream = (uint32_t)day->streams,
                             .session = session,
                             .model = models[model].name};
        for (int t = 0; t < TOKEN_TYPES; t++) {
            e->tokens[t] =
                1 + floor(scale * sizes[t].median * exp(sizes[t].sigma * next_normal(state)));
            e->cost += e->tokens[t] * models[model].prices[t];
            day->tokens += (uint64_t)e->tokens[t];
        }
        day->cost_nanos += (uint64_t)llround(e->cost * 1e9);
        previous = e->end;
    }
    day->streams++;
}

static int compare_exports(const void *a, const void *b)
{
    const struct export *x = a, *y = b;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return (x->stream > y->stream) - (x->stream < y->stream);
}

int workday_make(struct workday *day, const struct workload *load, unsigned number)
{
    size_t sessions = (size_t)load->developers * load->sessions;
    uint64_t state = load->seed * UINT64_C(0x9e3779b97f4a7c15) + number;
    int64_t midnight = load->first_day + number * 86400 * SECOND;
    memset(day, 0, sizeof *day);
    day->exports = malloc(2 * sessions * load->points * sizeof *day->exports);
    day->sessions = malloc(sessions * sizeof *day->sessions);
    day->people = malloc(load->developers * sizeof *day->people);
    if (!day->exports || !day->sessions || !day->people)
        return -1;
    for (unsigned d = 0; d < load->developers; d++)
        make_developer(&day->people[d], load, d);
    for (size_t s = 0; s < sessions; s++) {
        unsigned developer = (unsigned)(s / load->sessions);
        int64_t start = midnight + (8 * 3600 + (int64_t)(next_unit(&state) * 36000)) * SECOND +
                        (int64_t)(next_unit(&state) * 1000) * MILLISECOND;
        make_uuid(&state, day->sessions[s]);
        make_stream(day, load, &state, developer, day->sessions[s], developer % MAIN_MODELS, start);
        if (next_unit(&state) < 0.3)
            make_stream(day, load, &state, developer, day->sessions[s], SMALL_MODEL,
                        start + 137 * MILLISECOND);
    }
    qsort(day->exports, day->count, sizeof *day->exports, compare_exports);
    return 0;
}

void workday_free(struct workday *day)
{
    free(day->exports);
    free(day->sessions);
    free(day->people);
}
