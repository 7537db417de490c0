/* SPDX-License-Identifier: Apache-2.0
 *
 * test_whole.c -- statements from their text to their rows: parsed, lowered and run over a small
 * store of one morning.
 *
 * What is expected was worked out by hand from the points below and the rules of the language, not
 * from what the program says.  Each statement is asked of the journal and again of the sealed day.
 */
#include "../base/unit.h"

#include <stdio.h>
#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "whole.h"

#define DAY INT64_C(1791158400000000000) /* Monday 2026-10-05 */
#define MINUTE (60 * NS_PER_SECOND)

static struct small_store small;
static struct mem mem;
static struct arena arena;
static struct lookups lookups;

/* ---- the morning ------------------------------------------------------------------ */

/* Increments of a delta counter: minute of the day at which they end, and how much. */
static const struct {
    const char *metric, *unit, *labels;
    double minute, amount;
} increments[] = {
#define S1 "session.id=s1,user.email=ann,model=opus,repository=r1"
#define S2 "session.id=s2,user.email=bob,model=sonnet,repository=r1"
#define S3 "session.id=s3,user.email=ann,model=haiku,repository=r2"
#define S4 "session.id=s4,user.email=cy,model=opus,repository=r2"
    {"claude_code.cost.usage", "USD", S1, 30, 0.50},
    {"claude_code.cost.usage", "USD", S1, 60, 0.25}, /* of the second hour */
    {"claude_code.cost.usage", "USD", S1, 190, 1.25},
    {"claude_code.cost.usage", "USD", S2, 10, 0.10},
    {"claude_code.cost.usage", "USD", S2, 179, 0.20},
    {"claude_code.cost.usage", "USD", S3, 300, 0.05},
    {"claude_code.cost.usage", "USD", S4, 359, 0.15},
    {"claude_code.cost.usage", "USD", S4, 400, 9.00},
    {"claude_code.token.usage", "tokens", S1 ",type=input", 30, 1000},
    {"claude_code.token.usage", "tokens", S1 ",type=output", 30, 200},
    {"claude_code.token.usage", "tokens", S1 ",type=output", 190, 300},
    {"claude_code.token.usage", "tokens", S2 ",type=input", 10, 500},
    {"claude_code.commit.count", "", "session.id=s1,user.email=ann,repository=r1", 90, 1},
    {"claude_code.commit.count", "", "session.id=s3,user.email=ann,repository=r2", 301, 2},
};

static const struct {
    const char *host;
    double minute, value;
} readings[] = {{"a", 5, 3}, {"a", 65, 7}, {"b", 30, 10}, {"a", 200, 1}};

static const struct {
    double minute;
    const char *tool;
    int64_t duration;
    bool success;
} events[] = {
    {15, "Bash", 100, true}, {20, "Edit", 40, true},  {70, "Bash", 300, false},
    {80, "Bash", 200, true}, {200, "Read", 10, true}, {500, "Edit", 60, true},
};

static int64_t at_minute(double minute)
{
    return DAY + (int64_t)(minute * (double)MINUTE);
}

static void add_points(void)
{
    struct varve_err err;
    for (size_t i = 0; i < sizeof increments / sizeof *increments; i++) {
        uint32_t metric =
            small_store_metric(&small, increments[i].metric, increments[i].unit, VARVE_COUNTER);
        uint32_t set = small_store_labels(&small, increments[i].labels);
        int64_t end = at_minute(increments[i].minute);
        struct varve_value value = {.type = VARVE_FLOAT, .as.f = increments[i].amount};
        assert_int_equal(
            batch_counter(&small.batch, metric, set, VARVE_DELTA, end - MINUTE, end, value, &err),
            VARVE_OK);
    }
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        char labels[40];
        uint32_t metric = small_store_metric(&small, "queue.depth", "", VARVE_GAUGE);
        snprintf(labels, sizeof labels, "host=%s", readings[i].host);
        uint32_t set = small_store_labels(&small, labels);
        struct varve_value value = {.type = VARVE_INT, .as.i = (int64_t)readings[i].value};
        assert_int_equal(
            batch_gauge(&small.batch, metric, set, at_minute(readings[i].minute), value, &err),
            VARVE_OK);
    }
}

static void add_events(void)
{
    static const char *const names[] = {"tool_name", "duration_ms", "success"};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const struct value cells[] = {
            value_text((struct varve_str){events[i].tool, strlen(events[i].tool)}),
            value_int(TYPE_INT, events[i].duration), value_int(TYPE_BOOL, events[i].success)};
        small_store_event(&small, "tool_result", at_minute(events[i].minute), names, cells, 3);
    }
}

static void make_lookups(void)
{
    static struct lookup roster;
    struct varve_err err;
    mem_init(&mem, NULL, 0);
    arena_init(&arena, &mem, 1024);
    assert_int_equal(lookup_parse(STR("roster"), STR("user.email"),
                                  STR("user.email,team\nann,core\nbob,core\n"), &arena, &roster,
                                  &err),
                     VARVE_OK);
    lookups = (struct lookups){&roster, 1};
    small.lookups = &lookups;
}

static int make_store(void **state)
{
    (void)state;
    small_store_make(&small);
    make_lookups();
    add_points();
    add_events();
    small_store_append(&small);
    return 0;
}

static int end_store(void **state)
{
    (void)state;
    small_store_end(&small);
    arena_free(&arena);
    return mem.used != 0;
}

/* ---- a statement ---------------------------------------------------------------------- */

static int print_cell(struct value value, char *text, size_t size)
{
    char printed[VALUE_TEXT_MAX];
    if (value.type == TYPE_TEXT)
        return snprintf(text, size, "%.*s", (int)value.size, value.as.s);
    if (value.type == TYPE_NULL)
        return snprintf(text, size, "-");
    if (value.type == TYPE_TIME) {
        instant_text(value.as.i, printed);
        return snprintf(text, size, "%.8s", printed + 8); /* 05T01:00 */
    }
    value_print(value, printed);
    return snprintf(text, size, "%s", printed);
}

static void print_rows(const struct relation *rows, char *text, size_t size)
{
    size_t at = 0;
    text[0] = 0;
    for (uint64_t i = 0; i < rows->rows; i++)
        for (uint32_t c = 0; c < rows->columns; c++) {
            at += (size_t)snprintf(text + at, size - at, "%s", c ? " " : i ? "; " : "");
            at += (size_t)print_cell(relation_row(rows, i)[c], text + at, size - at);
            assert_true(at < size);
        }
}

/* How statements are run; changed by the tests of failures. */
static struct whole_options run_options = {.now = DAY + 360 * MINUTE};

static enum varve_status run_text(const char *text, char *printed, size_t size)
{
    struct relation rows;
    char message[600];
    enum varve_status status = whole_run(&small, &run_options, text, &mem, &rows, message);
    print_rows(&rows, printed, size);
    if (status != VARVE_OK)
        snprintf(printed, size, "%s", message);
    relation_free(&rows);
    return status;
}

struct question {
    const char *text, *answer;
};

static void ask(const struct question *questions, size_t count)
{
    static char printed[10000];
    int wrong = 0;
    small_store_read(&small);
    for (size_t i = 0; i < count; i++) {
        (void)run_text(questions[i].text, printed, sizeof printed);
        if (strcmp(printed, questions[i].answer) == 0)
            continue;
        print_message("%s\n  should be %s\n  but is    %s\n", questions[i].text,
                      questions[i].answer, printed);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}
#define ASK(questions) ask(questions, sizeof(questions) / sizeof *(questions))

/* ---- the questions ---------------------------------------------------------------------- */

#define MORNING " BETWEEN '2026-10-05' AND '2026-10-05T06:00:00Z'"

static const struct question of_metrics[] = {
    {"SELECT increase(cost)" MORNING, "2.5"},
    {"SELECT increase(cost) AS usd, increase(commits) AS c, usd / c" MORNING,
     "2.5 3 0.8333333333333334"},
    {"SELECT increase(cost) AS usd BY model" MORNING, "haiku 0.05; opus 2.15; sonnet 0.3"},
    {"SELECT increase(cost) AS usd, increase(tokens) AS t BY user_email" MORNING,
     "ann 2.05 1500; bob 0.3 500; cy 0.15 -"},
    {"SELECT increase(cost) AS usd, increase(tokens) FILL 0 AS t BY user_email" MORNING,
     "ann 2.05 1500; bob 0.3 500; cy 0.15 0"},
    {"SELECT increase(cost) AS usd, usd / increase(tokens) BY user_email" MORNING
     " HAVING usd > 0.2",
     "ann 2.05 0.0013666666666666666; bob 0.3 0.0006"},
    {"SELECT increase(cost) AS usd BY model" MORNING " ORDER BY usd DESC LIMIT 2",
     "opus 2.15; sonnet 0.3"},
    {"SELECT increase(cost) AS usd BY model" MORNING " ORDER BY usd DESC LIMIT 2 SKIP 1",
     "sonnet 0.3; haiku 0.05"},
    {"SELECT increase(cost{model='opus'}) AS o, increase(cost{model!='opus'}) AS n" MORNING,
     "2.15 0.35"},
    {"SELECT increase(cost) AS usd BY model SINCE '2026-10-04' UNTIL '2026-10-05'", ""},
    {"SELECT increase(cost) AS usd SINCE '2026-10-04' UNTIL '2026-10-05'", "-"},
};

static void test_metrics(void **state)
{
    (void)state;
    ASK(of_metrics);
}

static const struct question of_buckets[] = {
    {"SELECT increase(cost) AS usd" MORNING " EVERY 1h",
     "05T00:00 0.6; 05T01:00 0.25; 05T02:00 0.2; 05T03:00 1.25; 05T04:00 -; 05T05:00 0.2"},
    {"SELECT increase(cost) AS usd" MORNING " EVERY 1h FILL 0",
     "05T00:00 0.6; 05T01:00 0.25; 05T02:00 0.2; 05T03:00 1.25; 05T04:00 0; 05T05:00 0.2"},
    {"SELECT increase(cost) AS usd" MORNING " EVERY 1h FILL none",
     "05T00:00 0.6; 05T01:00 0.25; 05T02:00 0.2; 05T03:00 1.25; 05T05:00 0.2"},
    {"SELECT increase(cost) AS usd" MORNING " EVERY 1h FILL prev",
     "05T00:00 0.6; 05T01:00 0.25; 05T02:00 0.2; 05T03:00 1.25; 05T04:00 1.25; 05T05:00 0.2"},
    {"SELECT increase(cost) AS usd" MORNING " EVERY 1h FILL linear",
     "05T00:00 0.6; 05T01:00 0.25; 05T02:00 0.2; 05T03:00 1.25; 05T04:00 0.725; 05T05:00 0.2"},
    {"SELECT increase(cost) AS usd BY model" MORNING " EVERY 3h",
     "05T00:00 haiku -; 05T00:00 opus 0.75; 05T00:00 sonnet 0.3; "
     "05T03:00 haiku 0.05; 05T03:00 opus 1.4; 05T03:00 sonnet -"},
    {"SELECT increase(cost) AS usd, increase(commits) AS c BY repository" MORNING " EVERY 3h",
     "05T00:00 r1 1.05 1; 05T00:00 r2 - -; 05T03:00 r1 1.25 -; 05T03:00 r2 0.2 2"},
    {"SELECT increase(cost) AS usd SINCE '2026-10-05T01:30:00Z' UNTIL '2026-10-05T04:00:00Z' "
     "EVERY 1h",
     "05T01:00 -; 05T02:00 0.2; 05T03:00 1.25"},
    {"SELECT increase(cost) AS usd SINCE '2026-10-04' UNTIL '2026-10-06' EVERY day",
     "04T00:00 -; 05T00:00 11.5"},
    {"SELECT increase(cost) AS usd SINCE '2026-10-04' UNTIL '2026-10-06' EVERY day "
     "TZ 'America/New_York'",
     "04T04:00 2.3; 05T04:00 9.2"},
    {"SELECT last(queue.depth) AS d BY host" MORNING " EVERY 2h FILL prev",
     "05T00:00 a 7; 05T00:00 b 10; 05T02:00 a 1; 05T02:00 b 10; 05T04:00 a 1; 05T04:00 b 10"},
    {"SELECT max(max_of(queue.depth)) AS m, min(min_of(queue.depth)) AS l" MORNING, "10 1"},
};

static void test_buckets(void **state)
{
    (void)state;
    ASK(of_buckets);
}

static const struct question of_shares[] = {
    {"SELECT increase(cost) AS usd, total(usd) AS everything BY model" MORNING,
     "haiku 0.05 2.5; opus 2.15 2.5; sonnet 0.3 2.5"},
    {"SELECT share(increase(cost)) AS part BY model" MORNING, "haiku 0.02; opus 0.86; sonnet 0.12"},
    {"SELECT increase(cost) AS usd BY model" MORNING " TOP 2 BY usd", "opus 2.15; sonnet 0.3"},
    {"SELECT increase(cost) AS usd BY model" MORNING " BOTTOM 1 BY usd WITH OTHER 'the rest'",
     "haiku 0.05; the rest 2.45"},
    {"SELECT increase(cost) AS usd, share(usd) AS part BY model" MORNING " TOP 1 BY usd WITH OTHER",
     "opus 2.15 0.86; other 0.35 0.14"},
    {"SELECT increase(cost) AS usd BY model" MORNING " EVERY 3h TOP 1 BY usd WITH OTHER",
     "05T00:00 opus 0.75; 05T00:00 other 0.3; 05T03:00 opus 1.4; 05T03:00 other 0.05"},
    /* The rows that GRID adds have the bucket's total, and what @ measured for their group. */
    {"SELECT increase(cost) AS usd, total(usd), increase(cost @ 2026-10-05T03:00:00Z, 3h) "
     "BY model" MORNING " EVERY 3h",
     "05T00:00 haiku - 1.05 -; 05T00:00 opus 0.75 1.05 0.75; 05T00:00 sonnet 0.3 1.05 0.3; "
     "05T03:00 haiku 0.05 1.45 -; 05T03:00 opus 1.4 1.45 0.75; 05T03:00 sonnet - 1.45 0.3"},
    {"SELECT increase(cost) AS usd BY user_email BETWEEN '2026-10-05T03:00:00Z' AND "
     "'2026-10-05T06:00:00Z' COMPARE TO previous",
     "ann 1.3 0.75 0.55 73.33333333333333; bob - 0.3 - -; cy 0.15 - - -"},
    /* The earlier side, too, has the groups of what is inside total(). */
    {"SELECT increase(commits) AS n, total(increase(cost)) AS c BY user_email BETWEEN "
     "'2026-10-05T03:00:00Z' AND '2026-10-05T06:00:00Z' COMPARE TO previous",
     "ann 2 1 1 100 1.45 1.05 0.4 38.095238095238095; bob - - - - - 1.05 - -; "
     "cy - - - - 1.45 - - -"},
    {"SELECT increase(cost) AS usd BETWEEN '2026-10-05T02:00:00Z' AND '2026-10-05T04:00:00Z' "
     "EVERY 1h COMPARE TO 2h AGO",
     "05T02:00 0.2 0.6 -0.4 -66.66666666666667; 05T03:00 1.25 0.25 1 400"},
};

static void test_shares(void **state)
{
    (void)state;
    ASK(of_shares);
}

static const struct question of_rows[] = {
    {"SELECT 1 + 1, 'x' || 'y'", "2 xy"},
    {"SELECT time, tool_name, duration_ms FROM tool_result" MORNING " WHERE success",
     "05T00:15 Bash 100; 05T00:20 Edit 40; 05T01:20 Bash 200; 05T03:20 Read 10"},
    {"SELECT DISTINCT tool_name FROM tool_result SINCE '2026-10-05'", "Bash; Edit; Read"},
    {"SELECT tool_name, duration_ms FROM tool_result" MORNING " ORDER BY duration_ms DESC LIMIT 2",
     "Bash 300; Bash 200"},
    {"SELECT tool_name FROM tool_result" MORNING " WHERE success UNION SELECT 'Write'",
     "Bash; Edit; Read; Write"},
    {"SELECT tool_name FROM tool_result" MORNING " EXCEPT SELECT tool_name FROM tool_result" MORNING
     " WHERE NOT success ORDER BY tool_name DESC",
     "Read; Edit"},
    {"WITH slow AS (SELECT tool_name, duration_ms AS d FROM tool_result" MORNING
     " WHERE duration_ms > 50) SELECT d, tool_name FROM slow WHERE d < 300 ORDER BY d DESC",
     "200 Bash; 100 Bash"},
};

static void test_rows(void **state)
{
    (void)state;
    ASK(of_rows);
}

static const struct question of_groups[] = {
    {"SELECT count(*), avg(duration_ms) FROM tool_result" MORNING, "5 130"},
    {"SELECT count(*) AS n, max(duration_ms) BY tool_name FROM tool_result" MORNING,
     "Bash 3 300; Edit 1 40; Read 1 10"},
    {"SELECT count(*) FILTER (WHERE success) / count(*) AS ok FROM tool_result" MORNING " EVERY 1h",
     "05T00:00 1; 05T01:00 0.5; 05T02:00 -; 05T03:00 1; 05T04:00 -; 05T05:00 -"},
    {"SELECT count(*) AS n, increase(cost) AS usd FROM tool_result" MORNING " EVERY 3h",
     "05T00:00 4 1.05; 05T03:00 1 1.45"},
    {"SELECT count(DISTINCT session_id) AS sessions, increase(cost) AS usd" MORNING " EVERY 3h",
     "05T00:00 2 1.05; 05T03:00 3 1.45"},
    {"SELECT increase(cost) / count(DISTINCT session_id) AS per_session" MORNING, "0.625"},
};

static void test_groups(void **state)
{
    (void)state;
    ASK(of_groups);
}

static const struct question of_windows[] = {
    /* Half-open: 00:30 is in, 03:10 is not. */
    {"SELECT increase(cost{session_id='s1'}) BETWEEN '2026-10-05T00:30:00Z' AND "
     "'2026-10-05T03:10:00Z'",
     "0.75"},
    {"SELECT rate(cost{session_id='s1'}) BETWEEN '2026-10-05T00:00:00Z' AND "
     "'2026-10-05T00:50:00Z'",
     "0.00016666666666666666"},
    {"SELECT increase(cost, 2h) AS usd" MORNING " EVERY 2h",
     "05T00:00 0.85; 05T02:00 1.45; 05T04:00 0.2"},
    {"SELECT increase(cost, 4h) AS usd" MORNING " EVERY 2h",
     "05T00:00 0.85; 05T02:00 2.3; 05T04:00 1.65"},
    {"SELECT increase(cost OFFSET 2h) AS usd" MORNING " EVERY 2h",
     "05T00:00 -; 05T02:00 0.85; 05T04:00 1.45"},
    {"SELECT increase(cost) AS usd, increase(cost OFFSET 2h) AS before" MORNING " EVERY 2h",
     "05T00:00 0.85 -; 05T02:00 1.45 0.85; 05T04:00 0.2 1.45"},
    {"SELECT increase(cost, 30m) AS usd BY model AT '2026-10-05T00:40:00Z'",
     "opus 0.5; sonnet 0.1"},
};

static void test_windows(void **state)
{
    (void)state;
    ASK(of_windows);
}

static const struct question of_alerts[] = {
    {"SELECT increase(cost) AS usd BY user_email SINCE 24h HAVING usd > 1", "ann 2.05"},
    {"SELECT rate(cost, 15m) AS now15, rate(cost OFFSET 15m, 1h) AS base AT now "
     "HAVING now15 > 3 * base AND base > 0",
     "0.00016666666666666666 1.388888888888889e-05"},
    {"SELECT rate(cost, 15m) AS now15, rate(cost OFFSET 15m, 1h) AS base AT now "
     "HAVING now15 > 13 * base AND base > 0",
     ""},
    {"SELECT share(increase(cost)) AS part BY model SINCE 24h HAVING part > 0.8", "opus 0.86"},
    {"SELECT increase(tokens) AS t, increase(commits) FILL 0 AS c SINCE 2h "
     "HAVING t IS NULL AND c = 2",
     "- 2"},
    {"SELECT increase(tokens) AS t BY session_id, user_email SINCE 24h HAVING t > 600",
     "s1 ann 1500"},
};

static void test_alerts(void **state)
{
    (void)state;
    ASK(of_alerts);
}

static const struct question of_grids[] = {
    {"SELECT increase(cost) AS usd, increase(tokens) FILL prev AS t BY repository" MORNING
     " EVERY 3h FILL 0",
     "05T00:00 r1 1.05 1700; 05T00:00 r2 0 -; 05T03:00 r1 1.25 300; 05T03:00 r2 0.2 -"},
    {"SELECT increase(tokens) AS t BY type, model" MORNING " EVERY 3h FILL none",
     "05T00:00 input opus 1000; 05T00:00 input sonnet 500; 05T00:00 output opus 200; "
     "05T03:00 output opus 300"},
    {"SELECT increase(cost) AS usd BY model" MORNING " EVERY 3h HAVING usd > 0.1 "
     "ORDER BY usd DESC LIMIT 2",
     "05T03:00 opus 1.4; 05T00:00 opus 0.75"},
    {"SELECT increase(cost) AS usd, upper(user_email) AS who BY who" MORNING,
     "ANN 2.05; BOB 0.3; CY 0.15"},
    {"SELECT increase(cost) AS usd BY team" MORNING, "core 2.35; - 0.15"},
    {"SELECT increase(cost) AS usd BY team" MORNING " WHERE team = 'core' EVERY 3h",
     "05T00:00 core 1.05; 05T03:00 core 1.3"},
};

static void test_grids(void **state)
{
    (void)state;
    ASK(of_grids);
}

/* ---- failures ------------------------------------------------------------------------------ */

static const char *const long_ones[] = {
    "SELECT increase(cost) AS usd, share(usd) AS part, increase(tokens) FILL prev AS t BY model, "
    "team" MORNING " EVERY 1h TOP 2 BY usd WITH OTHER HAVING usd > 0 ORDER BY t DESC LIMIT 5",
    "WITH slow AS (SELECT tool_name, max(duration_ms) AS most, count(*) AS n FROM tool_result "
    "BY tool_name" MORNING ") SELECT tool_name FROM slow WHERE most > 50 UNION SELECT DISTINCT "
    "tool_name FROM tool_result" MORNING,
    "SELECT quantile(duration_ms, 0.9) AS slow, increase(cost) AS usd FROM tool_result" MORNING
    " EVERY 2h FILL linear COMPARE TO 2h AGO",
    ("SELECT avg(last(queue.depth)) AS d, count(DISTINCT host) AS n BY host" MORNING),
};
#define LONG_ONES (sizeof long_ones / sizeof *long_ones)

static void test_no_memory(void **state)
{
    (void)state;
    static char expected[10000], printed[10000];
    small_store_read(&small);
    for (size_t i = 0; i < LONG_ONES; i++) {
        struct alloc_fault fault;
        alloc_fault_init(&fault);
        if (run_text(long_ones[i], expected, sizeof expected) != VARVE_OK)
            fail_msg("%s", expected);
        run_options.allocator = &fault.allocator;
        for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
            enum varve_status status = run_text(long_ones[i], printed, sizeof printed);
            if (status != VARVE_NOMEM) {
                assert_int_equal(status, VARVE_OK);
                assert_string_equal(printed, expected);
            }
            assert_true(alloc_fault_is_clean(&fault));
        }
        run_options.allocator = NULL;
    }
}

static int stop_after(void *context)
{
    return --*(int *)context < 0;
}

static void test_stopping(void **state)
{
    (void)state;
    static char expected[10000], printed[10000];
    small_store_read(&small);
    for (size_t i = 0; i < LONG_ONES; i++) {
        if (run_text(long_ones[i], expected, sizeof expected) != VARVE_OK)
            fail_msg("%s", expected);
        enum varve_status status = VARVE_INTERRUPTED;
        int left = 0;
        run_options.run = (struct exec_options){.stop = stop_after, .stop_context = &left};
        for (int after = 0; status == VARVE_INTERRUPTED; after++) {
            left = after;
            status = run_text(long_ones[i], printed, sizeof printed);
        }
        run_options.run = (struct exec_options){0};
        assert_int_equal(status, VARVE_OK);
        assert_string_equal(printed, expected);
    }
}

static int seal(void **state)
{
    (void)state;
    small_store_seal(&small);
    return 0;
}

int main(void)
{
#define ALL_TESTS                                                                                  \
    cmocka_unit_test(test_metrics), cmocka_unit_test(test_buckets), cmocka_unit_test(test_shares), \
        cmocka_unit_test(test_rows), cmocka_unit_test(test_groups),                                \
        cmocka_unit_test(test_windows), cmocka_unit_test(test_alerts),                             \
        cmocka_unit_test(test_grids), cmocka_unit_test(test_no_memory),                            \
        cmocka_unit_test(test_stopping)
    const struct CMUnitTest journal[] = {ALL_TESTS}, sealed[] = {ALL_TESTS};
    int failed = cmocka_run_group_tests_name("of the journal", journal, make_store, NULL);
    return cmocka_run_group_tests_name("sealed", sealed, seal, end_store) + failed;
}
