/* SPDX-License-Identifier: Apache-2.0
 *
 * test_vql_answers.c -- statements whose rows are known: the rules of the language (R1 to R10),
 * days at which clocks change, why an answer is empty (L8), and one state for one statement while
 * others append (L9).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "small.h"

static int64_t at(int month, int day)
{
    struct tm tm = {.tm_year = 126, .tm_mon = month - 1, .tm_mday = day};
    return (int64_t)timegm(&tm) * SECOND;
}

/* ---- asking ------------------------------------------------------------------------ */

static size_t print_cell(const struct varve_cell *cell, char *text, size_t size)
{
    char printed[VARVE_CELL_TEXT_MAX];
    varve_cell_print(cell, printed);
    if (cell->type == VARVE_CELL_TIME)
        return (size_t)snprintf(text, size, "%.11s", printed + 5); /* 10-25T22:00 */
    return (size_t)snprintf(text, size, "%s", printed);
}

/* The rows, as "a b; c d"; and the note. */
static void ask(struct small *s, const char *text, const char *zone, char *answer, char *note)
{
    struct varve_run_options options = {.now = at(11, 10), .zone = varve_str(zone)};
    const struct varve_cell *cells;
    struct varve_result_info info;
    varve_result *result;
    size_t rows, columns, to = 0;
    enum varve_status status;
    answer[0] = '\0';
    MUST(varve_run(s->db, varve_str(text), &options, &result, NULL, &test_err));
    varve_result_columns(result, &columns);
    while ((status = varve_result_next(result, &cells, &rows, &test_err)) == VARVE_OK)
        for (size_t i = 0; i < rows * columns; i++) {
            to += (size_t)sprintf(answer + to, "%s", i % columns ? " " : to ? "; " : "");
            to += print_cell(&cells[i], answer + to, 1000);
        }
    if (status != VARVE_DONE)
        fail_msg("%s: %s %s", text, test_err.place, test_err.message);
    varve_result_info(result, &info);
    snprintf(note, 300, "%.*s", (int)info.note.size, info.note.data);
    varve_result_free(result);
}

/* ---- the rules of the language, R1 to R10 -------------------------------------------- */

#define MAY " SINCE '2026-05-01' UNTIL '2026-06-01'"

static const struct {
    const char *rule, *text, *answer; /* or words of the message */
} rules[] = {
    {"R1", "SELECT increase(done) AS d, increase(made) AS m, d / m BY user" MAY,
     "ann 1 NULL NULL; bob 2 4 0.5; cy 5 8 0.625; dora NULL 3 NULL"},
    {"R1", "SELECT increase(done) AS d, increase(made) AS m BY user FILL 0" MAY,
     "ann 1 0; bob 2 4; cy 5 8; dora 0 3"},
    {"R1", "SELECT increase(done) / 0, increase(done) / NULL" MAY, "NULL NULL"},
    {"R2", "SELECT increase(done)" MAY, "8"},
    {"R2", "SELECT increase(done) SINCE '2026-05-01' UNTIL '2026-05-03'", "1"},
    {"R2", "SELECT increase(done) SINCE '2026-05-03' UNTIL '2026-06-01'", "7"},
    {"R3", "SELECT sum(done)", "'done' is a counter"},
    {"R3", "SELECT max(done) BY user", "do you mean increase(done)"},
    {"R4", "SELECT increase(done)", "16"},
    {"R6", "SELECT increase(done) AS d, avg(increase(done)) BY user TOP 1 BY d WITH OTHER" MAY,
     "cy 5 5; other 3 1.5"},
    {"R6", "SELECT increase(done) AS d BY user EVERY day FILL none TOP 1 BY d WITH OTHER" MAY,
     "05-01T00:00 other 1; 05-03T00:00 other 2; 05-05T00:00 cy 5"},
    {"R7", "SELECT increase(made) AS m BY user EVERY day FILL none" MAY,
     "05-03T00:00 bob 4; 05-03T00:00 dora 3; 05-04T00:00 cy 8"},
    {"R7", "SELECT increase(made) AS m BY user ORDER BY m DESC" MAY, "cy 8; bob 4; dora 3"},
    {"R8", "SELECT count(DISTINCT user), increase(done)" MAY, "3 8"},
    {"R8", "SELECT count(DISTINCT user), increase(done), increase(made)" MAY, "4 8 15"},
    {"R8", "SELECT count(DISTINCT user), increase(done) FROM calls" MAY, "1 8"},
    {"R9", "SELECT increase(done) AS d, d * 2 AS e BY user HAVING e > 3 TOP 2 BY e" MAY,
     "cy 5 10; bob 2 4"},
    {"R10", "SELECT increase(done) BY colour", "has no label 'colour'"},
    {"R10", "SELECT increase(done{colour='red'})", "it has host, user"},
    {"R10", "SELECT increase(done) BY host" MAY, "h1 2; NULL 6"},
};

static void put_rules(struct small *s)
{
    struct varve_field field = {varve_str("user"), varve_text(varve_str("eve"))};
    small_delta(s, "done", "", "user=ann", at(5, 1), varve_int(1));
    small_delta(s, "done", "", "user=bob,host=h1", at(5, 3), varve_int(2));
    small_delta(s, "done", "", "user=cy", at(5, 5), varve_int(5));
    small_delta(s, "done", "", "user=ann", at(11, 9) + HOUR, varve_int(16));
    small_delta(s, "done", "", "user=ann", at(11, 9) - 1, varve_int(32));
    small_delta(s, "made", "", "user=dora", at(5, 3), varve_int(3));
    small_delta(s, "made", "", "user=bob", at(5, 3), varve_int(4));
    small_delta(s, "made", "", "user=cy", at(5, 4), varve_int(8));
    MUST(varve_batch_event(s->batch, varve_str("calls"), at(5, 2), &field, 1, &test_err));
    small_append(s);
}

/* R5 is test_clocks. */
static void test_rules(void **state)
{
    (void)state;
    struct small s;
    char answer[4000], note[300];
    struct varve_run_options options = {.now = at(11, 10)};
    int wrong = 0;
    small_make(&s);
    put_rules(&s);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        varve_result *result = NULL;
        bool refused = varve_run(s.db, varve_str(rules[i].text), &options, &result, NULL,
                                 &test_err) != VARVE_OK;
        varve_result_free(result);
        snprintf(answer, sizeof answer, "%s", test_err.message);
        if (!refused)
            ask(&s, rules[i].text, "UTC", answer, note);
        if (refused ? strstr(answer, rules[i].answer) != NULL
                    : strcmp(answer, rules[i].answer) == 0)
            continue;
        print_error("%s: %s\n  should be %s\n  is        %s\n", rules[i].rule, rules[i].text,
                    rules[i].answer, answer);
        wrong++;
    }
    small_remove(&s);
    assert_int_equal(wrong, 0);
}

/* ---- clocks that change --------------------------------------------------------------- */

/* An increment of 1 every half hour, a quarter past the beginning, around each of these days. */
static void put_half_hours(struct small *s)
{
    static const int days[][2] = {{3, 8}, {3, 29}, {4, 5}, {9, 6}, {10, 25}, {11, 1}};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        int64_t from = at(days[i][0], days[i][1]) - 3 * DAY;
        for (int64_t t = from; t < from + 6 * DAY; t += HOUR / 2)
            small_delta(s, "halves", "", "", t + HOUR / 4, varve_int(1));
    }
    small_append(s);
}

static const struct {
    const char *text, *zone, *answer;
} clocks[] = {
    /* Berlin: a day of 23 hours, and one of 25. */
    {"SELECT increase(halves) SINCE '2026-03-28' UNTIL '2026-03-31' EVERY day", "Europe/Berlin",
     "03-27T23:00 48; 03-28T23:00 46; 03-29T22:00 48"},
    {"SELECT increase(halves) SINCE '2026-10-24' UNTIL '2026-10-27' EVERY day", "Europe/Berlin",
     "10-23T22:00 48; 10-24T22:00 50; 10-25T23:00 48"},
    {"SELECT increase(halves) DURING '2026-03-29'", "Europe/Berlin", "46"},
    {"SELECT increase(halves) DURING '2026-10-25'", "Europe/Berlin", "50"},
    /* Hours are elapsed time: all of them are there, once, and full. */
    {"SELECT increase(halves) SINCE 2026-10-25T00:00:00Z UNTIL 2026-10-25T03:00:00Z EVERY 1h",
     "Europe/Berlin", "10-25T00:00 2; 10-25T01:00 2; 10-25T02:00 2"},
    {"SELECT increase(halves) SINCE '2026-03-29 01:00' UNTIL '2026-03-29 04:00' EVERY 1h",
     "Europe/Berlin", "03-29T00:00 2; 03-29T01:00 2"},
    /* A local time that comes twice is the first; one that does not exist is the end of the gap. */
    {"SELECT increase(halves) SINCE '2026-10-25 02:30' UNTIL '2026-10-25 04:00'", "Europe/Berlin",
     "5"},
    {"SELECT increase(halves) SINCE '2026-03-29 02:30' UNTIL '2026-03-29 04:00'", "Europe/Berlin",
     "2"},
    {"SELECT increase(halves) AS n DURING '2026-10-25' COMPARE TO previous", "Europe/Berlin",
     "50 48 2 4.166666666666667"},
    {"SELECT increase(halves) AS n SINCE '2026-10-25' UNTIL '2026-10-26' COMPARE TO 1d AGO",
     "Europe/Berlin", "50 48 2 4.166666666666667"},
    /* New York. */
    {"SELECT increase(halves) SINCE '2026-03-07' UNTIL '2026-03-10' EVERY day", "America/New_York",
     "03-07T05:00 48; 03-08T05:00 46; 03-09T04:00 48"},
    {"SELECT increase(halves) SINCE '2026-10-31' UNTIL '2026-11-03' EVERY day TZ "
     "'America/New_York'",
     "UTC", "10-31T04:00 48; 11-01T04:00 50; 11-02T05:00 48"},
    /* Half an hour: India, and Lord Howe, whose clock changes by half an hour. */
    {"SELECT increase(halves) SINCE '2026-10-24' UNTIL '2026-10-26' EVERY day", "Asia/Kolkata",
     "10-23T18:30 48; 10-24T18:30 48"},
    {"SELECT increase(halves) SINCE '2026-04-04' UNTIL '2026-04-07' EVERY day",
     "Australia/Lord_Howe", "04-03T13:00 48; 04-04T13:00 49; 04-05T13:30 48"},
    /* Midnights that do not exist: the day begins at one. */
    {"SELECT increase(halves) SINCE '2026-03-28' UNTIL '2026-03-31' EVERY day", "Asia/Beirut",
     "03-27T22:00 48; 03-28T22:00 46; 03-29T21:00 48"},
    {"SELECT increase(halves) SINCE '2026-09-05' UNTIL '2026-09-08' EVERY day", "America/Santiago",
     "09-05T04:00 48; 09-06T04:00 46; 09-07T03:00 48"},
    {"SELECT increase(halves) DURING '2026-09-06'", "America/Santiago", "46"},
    /* Weeks and months over a change. */
    {"SELECT increase(halves) SINCE '2026-10-23' UNTIL '2026-10-28' EVERY week", "Europe/Berlin",
     "10-18T22:00 146; 10-25T23:00 96"},
    {"SELECT increase(halves) SINCE '2026-10-31' UNTIL '2026-11-03' EVERY month",
     "America/New_York", "10-01T04:00 48; 11-01T04:00 98"},
};

static void test_clocks(void **state)
{
    (void)state;
    struct small s;
    char answer[4000], note[300];
    int wrong = 0;
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
        skip();
    small_make(&s);
    put_half_hours(&s);
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        ask(&s, clocks[i].text, clocks[i].zone, answer, note);
        if (strcmp(answer, clocks[i].answer) == 0)
            continue;
        print_error("%s in %s\n  should be %s\n  is        %s\n", clocks[i].text, clocks[i].zone,
                    clocks[i].answer, answer);
        wrong++;
    }
    small_remove(&s);
    assert_int_equal(wrong, 0);
}

/* ---- L8: why there is nothing ---------------------------------------------------- */

static const struct {
    const char *text, *note; /* words of it; "": there is none */
} empty[] = {
    {"SELECT increase(done) SINCE '2026-01-01' UNTIL '2026-01-02'",
     "'done' has no points from 2026-01-01T00:00:00.000Z until 2026-01-02T00:00:00.000Z: its "
     "oldest is of 2026-05-01T00:00:00.000Z, its newest of 2026-05-03T00:00:00.000Z"},
    {"SELECT increase(done) BY user SINCE '2026-06-01'", "'done' has no points from 2026-06-01"},
    {"SELECT increase(done) SINCE '2026-06-01' EVERY day", "'done' has no points"},
    {"SELECT increase(done OFFSET 90d) SINCE '2026-05-01' UNTIL '2026-05-03'",
     "from 2026-01-31T00:00:00.000Z until 2026-02-02"},
    {"SELECT increase(done{user='cy'}) SINCE '2026-05-01'",
     "nothing that fits from 2026-05-01T00:00:00.000Z until 2026-11-10T00:00:00.000Z; the points "
     "of 'done' reach from 2026-05-01"},
    {"SELECT increase(cost) SINCE '2026-05-01'",
     "nothing of 'claude_code.cost.usage' is stored yet"},
    {"SELECT increase(cost) AS usd, increase(tokens{type='input'}, 1h) BY model SINCE 7d EVERY day",
     "nothing of"},
    {"SELECT value FROM cost SINCE '2026-05-01'", "nothing of 'claude_code.cost.usage'"},
    {"SELECT ok FROM calls SINCE '2026-05-01' UNTIL '2026-05-02'", "'calls' has no events from"},
    {"SELECT increase(done) AS n BY user SINCE '2026-05-01' HAVING n > 1000", "nothing that fits"},
    {"WITH w AS (SELECT increase(done) AS n BY user SINCE '2026-06-01') SELECT user FROM w",
     "'done' has no points"},
    /* Answers are not explained, nor is what has no source. */
    {"SELECT increase(done) SINCE '2026-05-01'", ""},
    {"SELECT count(*) FROM calls SINCE '2026-05-01' UNTIL '2026-05-02'", ""},
    {"SELECT NULL", ""},
};

static void test_empty_answers(void **state)
{
    (void)state;
    struct small s;
    char answer[4000], note[300];
    small_make(&s);
    ask(&s, "SELECT increase(cost) SINCE 7d", "UTC", answer, note);
    assert_string_equal(note, "the store holds nothing yet");
    small_delta(&s, "done", "", "user=ann", at(5, 1), varve_int(1));
    small_delta(&s, "done", "", "user=bob", at(5, 3), varve_int(2));
    struct varve_field field = {varve_str("ok"), varve_bool(1)};
    MUST(varve_batch_event(s.batch, varve_str("calls"), at(5, 2), &field, 1, &test_err));
    small_append(&s);
    for (int sealed = 0; sealed < 2; sealed++) {
        for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
            ask(&s, empty[i].text, "UTC", answer, note);
            if (!strstr(note, empty[i].note) || (note[0] && !empty[i].note[0]))
                fail_msg("%s\n  should say: %s\n  says:       %s", empty[i].text, empty[i].note,
                         note);
        }
        MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    }
    small_remove(&s);
}

/* ---- L9: one state ------------------------------------------------------------- */

struct writer {
    struct small *small;
    atomic_bool stop;
};

/* Each batch gives both metrics the same. */
static void *append_pairs(void *context)
{
    struct writer *writer = context;
    struct small s = *writer->small;
    MUST(varve_batch_new(s.db, &s.batch, &test_err));
    for (int64_t i = 1; i < 4000 && !atomic_load(&writer->stop); i++) {
        small_delta(&s, "left", "", "user=ann", at(5, 1) + i * SECOND, varve_int(i));
        small_delta(&s, "right", "", "user=ann", at(5, 1) + i * SECOND, varve_int(i));
        small_append(&s);
        if (i % 50 == 0)
            MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    }
    varve_batch_free(s.batch);
    return NULL;
}

static void test_one_state(void **state)
{
    (void)state;
    struct small s;
    struct writer writer = {.small = &s};
    pthread_t thread;
    char answer[4000], note[300], last[4000] = "";
    int changes = 0;
    small_make(&s);
    small_delta(&s, "left", "", "user=ann", at(5, 1), varve_int(1));
    small_delta(&s, "right", "", "user=ann", at(5, 1), varve_int(1));
    small_append(&s);
    assert_int_equal(pthread_create(&thread, NULL, append_pairs, &writer), 0);
    for (int i = 0; i < 20000 && changes < 60; i++) {
        ask(&s,
            "SELECT increase(left) AS l, increase(right) AS r, l - r AS nought, "
            "total(increase(left)) - r SINCE '2026-05-01'",
            "UTC", answer, note);
        const char *tail = answer + strlen(answer) - 4;
        assert_string_equal(tail, " 0 0");
        changes += strcmp(answer, last) != 0;
        snprintf(last, sizeof last, "%s", answer);
    }
    atomic_store(&writer.stop, true);
    pthread_join(thread, NULL);
    small_remove(&s);
    assert_true(changes > 10); /* there was something to disagree about */
}

/* ---- limits -------------------------------------------------------------------- */

static void test_timeout(void **state)
{
    (void)state;
    struct small s;
    struct varve_run_options options = {.now = at(11, 10), .timeout = 1};
    varve_result *result = NULL;
    const struct varve_cell *cells;
    size_t rows;
    small_make(&s);
    small_delta(&s, "done", "", "user=ann", at(5, 1), varve_int(1));
    small_append(&s);
    enum varve_status status =
        varve_run(s.db, varve_str("SELECT increase(done) SINCE '2026-05-01'"), &options, &result,
                  NULL, &test_err);
    while (status == VARVE_OK)
        status = varve_result_next(result, &cells, &rows, &test_err);
    varve_result_free(result);
    assert_int_equal(status, VARVE_LIMIT);
    assert_non_null(strstr(test_err.message, "longer than 1e-09 s"));
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),         cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_empty_answers), cmocka_unit_test(test_one_state),
        cmocka_unit_test(test_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
