/* SPDX-License-Identifier: Apache-2.0
 *
 * test_replays.c -- what counters do in the wild, and what they must sum up to.
 *
 * Each test is a story that other stores tell wrong: the readings as they were sent, in every form
 * that can say them, and the exact total.
 */
#include <stdio.h>

#include "replay.h"

#define TOKENS                                                                          \
    .metric = "claude_code.token.usage", .text_name = "claude_code_token_usage_tokens", \
    .unit = "tokens"
#define COST \
    .metric = "claude_code.cost.usage", .text_name = "claude_code_cost_usage_USD", .unit = "USD"

#define CUMULATIVE VARVE_CUMULATIVE
#define REPLAY(kind, list)                                               \
    {                                                                    \
        kind, .readings = (list), .count = sizeof(list) / sizeof *(list) \
    }

/* Two processes share a session: one label set, two starts, readings that take turns. */
static void test_two_writers(void **state)
{
    enum { TURNS = 40 };
    struct reading readings[2 * TURNS];
    (void)state;
    for (int i = 0; i < TURNS; i++) {
        readings[2 * i] =
            (struct reading){"s", T0, T0 + 60 * (i + 1) * SECOND, 1000 + 10 * i, CUMULATIVE};
        readings[2 * i + 1] = (struct reading){
            "s", T0 + 30 * SECOND, T0 + (60 * (i + 1) + 31) * SECOND, 5 + i, CUMULATIVE};
    }
    const struct replay replay = REPLAY(TOKENS, readings);
    replay_check(&replay, 1000 + 10 * (TURNS - 1) + 5 + (TURNS - 1));
}

/* A counter that starts over hundreds of times, and says when. */
static void test_resets_with_starts(void **state)
{
    enum { RESETS = 300, EACH = 3 };
    struct reading readings[RESETS * EACH];
    int64_t total = 0;
    (void)state;
    for (int i = 0; i < RESETS; i++) {
        for (int k = 0; k < EACH; k++) {
            const int64_t start = T0 + i * 600 * SECOND;
            readings[i * EACH + k] = (struct reading){"s", start, start + (k + 1) * 60 * SECOND,
                                                      i % 7 + 100 * k, CUMULATIVE};
        }
        total += i % 7 + 100 * (EACH - 1);
    }
    const struct replay replay = REPLAY(TOKENS, readings);
    replay_check(&replay, total);
}

/* The same without a word about it: a fall is a reset, and the first reading of a session counts in
 * full, since a session begins at zero. */
static void test_resets_without_starts(void **state)
{
    enum { RESETS = 300, EACH = 3 };
    struct reading readings[RESETS * EACH];
    int64_t total = 0;
    (void)state;
    for (int i = 0; i < RESETS; i++) {
        for (int k = 0; k < EACH; k++)
            readings[i * EACH + k] = (struct reading){
                "s", 0, T0 + (i * 600 + (k + 1) * 60) * SECOND, 1 + i % 7 + 100 * k, CUMULATIVE};
        total += 1 + i % 7 + 100 * (EACH - 1);
    }
    const struct replay replay = REPLAY(TOKENS, readings);
    replay_check(&replay, total);
}

/* Sessions so short that each is seen once. */
static void test_single_samples(void **state)
{
    enum { SESSIONS = 200 };
    static char names[SESSIONS][16];
    struct reading said[SESSIONS], unsaid[SESSIONS];
    (void)state;
    for (int i = 0; i < SESSIONS; i++) {
        snprintf(names[i], sizeof names[i], "session-%d", i);
        said[i] = (struct reading){names[i], T0 + i * SECOND, T0 + (i + 5) * SECOND, 0.24682275,
                                   CUMULATIVE};
        unsaid[i] = said[i];
        unsaid[i].start = 0;
    }
    const struct replay with = REPLAY(COST, said), without = REPLAY(COST, unsaid);
    replay_check(&with, SESSIONS * INT64_C(246822750));
    replay_check(&without, SESSIONS * INT64_C(246822750));
}

/* The first value of a series is never zero: it has to count. */
static void test_first_values(void **state)
{
    const struct reading readings[] = {
        {"a", T0, T0 + 60 * SECOND, 0.018472600000000002, CUMULATIVE},
        {"a", T0, T0 + 120 * SECOND, 0.018472600000000002, CUMULATIVE},
        {"b", T0, T0 + 60 * SECOND, 0.000477, CUMULATIVE},
        {"b", T0, T0 + 120 * SECOND, 0.1, CUMULATIVE},
    };
    (void)state;
    const struct replay replay = REPLAY(COST, readings);
    replay_check(&replay, 18472600 + 100000000);
}

/* After /clear the process goes on under a new session and sends the old one, frozen, again and
 * again; the new one began in the same process at the same time. */
static void test_frozen_session(void **state)
{
    enum { EXPORTS = 60 };
    struct reading readings[2 * EXPORTS];
    size_t n = 0;
    (void)state;
    for (int i = 0; i < EXPORTS; i++) {
        const int64_t end = T0 + (i + 1) * 60 * SECOND;
        readings[n++] = (struct reading){"old", T0, end, i < 20 ? 10 * (i + 1) : 200, CUMULATIVE};
        if (i >= 20)
            readings[n++] =
                (struct reading){"new", T0 + 1200 * SECOND, end, 3 * (i - 19), CUMULATIVE};
    }
    const struct replay replay = {TOKENS, .readings = readings, .count = n};
    replay_check(&replay, 200 + 3 * (EXPORTS - 20));
}

/* Deltas whose windows do not meet: nothing happened between. */
static void test_gaps(void **state)
{
    enum { WINDOWS = 100 };
    struct reading readings[WINDOWS];
    int64_t total = 0;
    (void)state;
    for (int i = 0; i < WINDOWS; i++) {
        const int64_t end = T0 + i * i * 60 * SECOND + 60 * SECOND;
        readings[i] = (struct reading){"s", end - (7 + i % 50) * SECOND, end, i + 1, VARVE_DELTA};
        total += i + 1;
    }
    const struct replay replay = REPLAY(TOKENS, readings);
    replay_check(&replay, total);
}

/* Deltas of one export share their end and differ in their starts. */
static void test_one_end(void **state)
{
    const struct reading readings[] = {
        {"s", T0 + 1 * SECOND, T0 + 60 * SECOND, 9, VARVE_DELTA},
        {"s", T0 + 2 * SECOND, T0 + 60 * SECOND, 9, VARVE_DELTA},
        {"t", T0 + 1 * SECOND, T0 + 60 * SECOND, 2067, VARVE_DELTA},
    };
    (void)state;
    const struct replay replay = REPLAY(TOKENS, readings);
    replay_check(&replay, 9 + 9 + 2067);
}

/* The network failed after the receiver had taken it. */
static void test_sent_twice(void **state)
{
    const struct reading deltas[] = {
        {"s", T0, T0 + 60 * SECOND, 5, VARVE_DELTA},
        {"s", T0, T0 + 60 * SECOND, 5, VARVE_DELTA},
        {"s", T0 + 60 * SECOND, T0 + 120 * SECOND, 5, VARVE_DELTA},
    };
    const struct reading readings[] = {
        {"s", T0, T0 + 60 * SECOND, 5, CUMULATIVE},
        {"s", T0, T0 + 60 * SECOND, 5, CUMULATIVE},
        {"s", T0, T0 + 120 * SECOND, 11, CUMULATIVE},
        {"s", T0, T0 + 60 * SECOND, 5, CUMULATIVE},
    };
    (void)state;
    const struct replay one = REPLAY(TOKENS, deltas), two = REPLAY(TOKENS, readings);
    replay_check(&one, 10);
    replay_check(&two, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_resets_with_starts),
        cmocka_unit_test(test_resets_without_starts),
        cmocka_unit_test(test_single_samples),
        cmocka_unit_test(test_first_values),
        cmocka_unit_test(test_frozen_session),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_one_end),
        cmocka_unit_test(test_sent_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
