/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c -- how a program writes into a store: counters, a gauge and events.
 *
 *     record STORE [DAYS [DEVELOPERS]]
 *
 * Plays Claude Code at work: each developer has three sessions a day of twenty
 * minutes, each session sends its counters once a minute as increments.  The
 * numbers come from a fixed seed, so a second run sends the very same points:
 * the store recognises them, and nothing is counted twice.  The last line is what
 * was spent, added up here in whole nano-dollars; `spend` must say the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <varve.h>

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)
#define FIRST_DAY (INT64_C(20731) * DAY) /* 2026-10-05 */
#define SESSIONS 3
#define MINUTES 20

struct recorder {
    varve *db;
    varve_batch *batch;
    uint32_t sessions, tokens, cost, memory; /* metrics */
    uint64_t random;
    int64_t spent; /* nano-dollars */
    struct varve_appended total;
    struct varve_err err;
};

/* A small linear congruential generator: the same numbers everywhere. */
static int64_t draw(struct recorder *recorder, int64_t below)
{
    recorder->random =
        recorder->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)(recorder->random >> 33) % below;
}

/* What the batch says about itself is needed once a batch: clearing it forgets the numbers. */
static enum varve_status describe(struct recorder *recorder)
{
    const struct {
        struct varve_metric metric;
        uint32_t *id;
    } metrics[] = {
        {{varve_str("claude_code.session.count"), varve_str(""), VARVE_COUNTER},
         &recorder->sessions},
        {{varve_str("claude_code.token.usage"), varve_str("tokens"), VARVE_COUNTER},
         &recorder->tokens},
        {{varve_str("claude_code.cost.usage"), varve_str("USD"), VARVE_COUNTER}, &recorder->cost},
        {{varve_str("process.memory.usage"), varve_str("By"), VARVE_GAUGE}, &recorder->memory},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        enum varve_status status =
            varve_batch_metric(recorder->batch, &metrics[i].metric, metrics[i].id, &recorder->err);
        if (status != VARVE_OK)
            return status;
    }
    return VARVE_OK;
}

/* The labels every point of a session carries; others are derived from this set. */
static enum varve_status label_session(struct recorder *recorder, int developer, uint32_t *set)
{
    static const char *const terminals[] = {"vscode", "iTerm.app", "tmux"};
    char user[64], session[40];
    snprintf(user, sizeof user, "dev%03d@example.com", developer);
    /* A statement for each draw: in which order arguments are computed is the compiler's choice,
     * and another order would be another session. */
    unsigned low = (unsigned)draw(recorder, INT64_C(1) << 30);
    unsigned middle = (unsigned)draw(recorder, 1 << 16);
    unsigned version = (unsigned)draw(recorder, 1 << 12);
    unsigned variant = (unsigned)draw(recorder, 1 << 12);
    uint64_t node = (uint64_t)draw(recorder, INT64_C(1) << 30);
    snprintf(session, sizeof session, "%08x-%04x-4%03x-8%03x-%012" PRIx64, low, middle, version,
             variant, node);
    const struct varve_label labels[] = {
        {varve_str("user.email"), varve_str(user)},
        {varve_str("session.id"), varve_str(session)},
        {varve_str("terminal.type"), varve_str(terminals[developer % 3])},
    };
    return varve_batch_labels(recorder->batch, VARVE_NO_LABELS, labels, 3, set, &recorder->err);
}

/* One minute of tokens of one type; adds their price to *nanos. */
static enum varve_status count_tokens(struct recorder *recorder, uint32_t set, const char *type,
                                      int64_t price, int64_t most, int64_t end, int64_t *nanos)
{
    const struct varve_label label = {varve_str("type"), varve_str(type)};
    uint32_t typed;
    int64_t tokens = draw(recorder, most);
    enum varve_status status =
        varve_batch_labels(recorder->batch, set, &label, 1, &typed, &recorder->err);
    if (status != VARVE_OK)
        return status;
    *nanos += tokens * price;
    return varve_batch_counter(recorder->batch, recorder->tokens, typed, VARVE_DELTA,
                               end - 60 * SECOND, end, varve_int(tokens), &recorder->err);
}

static enum varve_status
log_request(struct recorder *recorder, const char *model, int64_t time, int64_t nanos)
{
    const struct varve_field fields[] = {
        {varve_str("model"), varve_text(varve_str(model))},
        {varve_str("cost_usd"), varve_float((double)nanos / 1e9)},
        {varve_str("duration_ms"), varve_int(800 + draw(recorder, 9000))},
    };
    return varve_batch_event(recorder->batch, varve_str("api_request"), time, fields, 3,
                             &recorder->err);
}

/* One export, as Claude Code makes it once a minute. */
static enum varve_status
export_minute(struct recorder *recorder, uint32_t set, const char *model, int64_t end)
{
    static const struct {
        const char *type;
        int64_t price, most; /* nano-dollars a token, tokens a minute */
    } kinds[] = {{"input", 3000, 900},
                 {"output", 15000, 1500},
                 {"cacheRead", 300, 90000},
                 {"cacheCreation", 3750, 4000}};
    const struct varve_label label = {varve_str("model"), varve_str(model)};
    int64_t nanos = 0;
    uint32_t with_model;
    enum varve_status status =
        varve_batch_labels(recorder->batch, set, &label, 1, &with_model, &recorder->err);
    for (size_t i = 0; status == VARVE_OK && i < 4; i++)
        status = count_tokens(recorder, with_model, kinds[i].type, kinds[i].price, kinds[i].most,
                              end, &nanos);
    if (status == VARVE_OK)
        status = varve_batch_counter(recorder->batch, recorder->cost, with_model, VARVE_DELTA,
                                     end - 60 * SECOND, end, varve_float((double)nanos / 1e9),
                                     &recorder->err);
    if (status == VARVE_OK)
        status = varve_batch_gauge(recorder->batch, recorder->memory, set, end,
                                   varve_int(200000000 + draw(recorder, 90000000)), &recorder->err);
    if (status == VARVE_OK)
        status = log_request(recorder, model, end, nanos);
    recorder->spent += nanos;
    return status;
}

static enum varve_status play_session(struct recorder *recorder, int developer, int64_t start)
{
    static const char *const models[] = {"claude-sonnet-4-5", "claude-opus-4-5",
                                         "claude-haiku-4-5"};
    const char *model = models[draw(recorder, 3)];
    uint32_t set;
    enum varve_status status = label_session(recorder, developer, &set);
    if (status == VARVE_OK)
        status = varve_batch_counter(recorder->batch, recorder->sessions, set, VARVE_DELTA, start,
                                     start + 60 * SECOND, varve_int(1), &recorder->err);
    for (int minute = 1; status == VARVE_OK && minute <= MINUTES; minute++)
        status = export_minute(recorder, set, model, start + minute * 60 * SECOND);
    return status;
}

/* Appends what the batch holds.  A full disk is waited for: nothing was written, and what is sent
 * again is not counted twice. */
static enum varve_status append(struct recorder *recorder)
{
    struct varve_appended appended;
    enum varve_status status;
    for (int attempt = 0;; attempt++) {
        status = varve_append(recorder->db, recorder->batch, &appended, &recorder->err);
        if (status != VARVE_FULL || attempt == 5)
            break;
        fprintf(stderr, "record: %s; trying again\n", recorder->err.message);
        sleep(1u << attempt);
    }
    if (status != VARVE_OK)
        return status;
    recorder->total.points += appended.points;
    recorder->total.events += appended.events;
    recorder->total.duplicates += appended.duplicates;
    varve_batch_clear(recorder->batch);
    return VARVE_OK;
}

static enum varve_status play(struct recorder *recorder, int days, int developers)
{
    for (int day = 0; day < days; day++)
        for (int developer = 0; developer < developers; developer++) {
            enum varve_status status = describe(recorder);
            for (int session = 0; status == VARVE_OK && session < SESSIONS; session++) {
                int64_t start = FIRST_DAY + day * DAY + (8 + 3 * session) * 3600 * SECOND;
                start += draw(recorder, 3600) * SECOND;
                status = play_session(recorder, developer, start);
            }
            if (status == VARVE_OK)
                status = append(recorder);
            if (status != VARVE_OK)
                return status;
        }
    return VARVE_OK;
}

int main(int argc, char **argv)
{
    const struct varve_options options = {.flags = VARVE_CREATE};
    struct recorder recorder = {.random = 20261005};
    int days = argc > 2 ? atoi(argv[2]) : 5, developers = argc > 3 ? atoi(argv[3]) : 4;
    if (argc < 2 || argc > 4 || argv[1][0] == '-' || days < 1 || developers < 1) {
        fprintf(stderr, "usage: record STORE [DAYS [DEVELOPERS]]\n");
        return 2;
    }
    enum varve_status status = varve_open(argv[1], &options, &recorder.db, &recorder.err);
    if (status == VARVE_OK)
        status = varve_batch_new(recorder.db, &recorder.batch, &recorder.err);
    if (status == VARVE_OK)
        status = play(&recorder, days, developers);
    varve_batch_free(recorder.batch);
    varve_close(recorder.db);
    if (status != VARVE_OK) {
        fprintf(stderr, "record: %s: %s\n", recorder.err.place, recorder.err.message);
        return 1;
    }
    printf("%" PRIu64 " new points, %" PRIu64 " new events, %" PRIu64 " seen before\n",
           recorder.total.points, recorder.total.events, recorder.total.duplicates);
    printf("spent %" PRId64 ".%09" PRId64 " USD\n", recorder.spent / SECOND,
           recorder.spent % SECOND);
    return 0;
}
