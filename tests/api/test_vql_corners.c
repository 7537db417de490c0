/* SPDX-License-Identifier: Apache-2.0
 *
 * test_vql_corners.c -- statements where several things meet: late readings in lists of rows,
 * gauges at one instant, the memory of what needs few points, and the edges of clauses.
 */
#include <stdio.h>
#include <time.h>

#include "small.h"

static int64_t at(int month, int day)
{
    struct tm tm = {.tm_year = 126, .tm_mon = month - 1, .tm_mday = day};
    return (int64_t)timegm(&tm) * SECOND;
}

/* ---- asking ------------------------------------------------------------------------ */

struct corner {
    const char *text, *answer; /* rows as "a b; c d", or words of the message */
};

static size_t print_cell(const struct varve_cell *cell, char *text, size_t size)
{
    char printed[VARVE_CELL_TEXT_MAX];
    if (cell->type == VARVE_CELL_TEXT)
        return (size_t)snprintf(text, size, "%.*s", (int)cell->as.s.size, cell->as.s.data);
    varve_cell_print(cell, printed);
    if (cell->type == VARVE_CELL_TIME)
        return (size_t)snprintf(text, size, "%.11s", printed + 5); /* 10-25T22:00 */
    return (size_t)snprintf(text, size, "%s", printed);
}

static const char *session_zone = "UTC";

static void ask(struct small *s, const char *text, char *answer, size_t size)
{
    struct varve_run_options options = {.now = at(11, 10), .zone = varve_str(session_zone)};
    const struct varve_cell *cells;
    varve_result *result;
    size_t rows, columns, to = 0;
    enum varve_status status =
        varve_run(s->db, varve_str(text), &options, &result, NULL, &test_err);
    answer[0] = '\0';
    if (status == VARVE_OK) {
        varve_result_columns(result, &columns);
        while ((status = varve_result_next(result, &cells, &rows, &test_err)) == VARVE_OK)
            for (size_t i = 0; i < rows * columns && to + 100 < size; i++) {
                const char *between = i % columns ? " " : to ? "; " : "";
                to += (size_t)snprintf(answer + to, size - to, "%s", between);
                to += print_cell(&cells[i], answer + to, size - to);
            }
        varve_result_free(result);
    }
    if (status != VARVE_OK && status != VARVE_DONE)
        snprintf(answer, size, "error: %s", test_err.message);
}

static void ask_all(struct small *s, const struct corner *corners, size_t count)
{
    char answer[4000];
    int wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const struct corner *c = &corners[i];
        ask(s, c->text, answer, sizeof answer);
        if (strncmp(answer, "error: ", 7) == 0 ? strstr(answer, c->answer) != NULL
                                               : strcmp(answer, c->answer) == 0)
            continue;
        print_error("%s\n  should be %s\n  is        %s\n", c->text, c->answer, answer);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}
#define ASK_ALL(small, corners) ask_all(small, corners, sizeof(corners) / sizeof *(corners))

/* ---- late readings ------------------------------------------------------------------- */

#define MAY " SINCE '2026-05-01' UNTIL '2026-06-01'"

/* Readings of one counter and of its twin, then one of the middle that was on its way for days:
 * 10 at the end of 5 May are 4 and 6. */
static void put_late(struct small *s)
{
    small_reading(s, "done", "", "user=ann", at(5, 1), at(5, 2), varve_int(1));
    small_reading(s, "done", "", "user=ann", at(5, 1), at(5, 5), varve_int(11));
    small_reading(s, "done", "", "user=bob", at(5, 1), at(5, 5), varve_int(3));
    small_reading(s, "load", "", "user=ann", at(5, 1), at(5, 2), varve_float(0.5));
    small_reading(s, "load", "", "user=ann", at(5, 1), at(5, 5), varve_int(3));
    small_append(s);
    MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
    small_reading(s, "done", "", "user=ann", at(5, 1), at(5, 3), varve_int(5));
    small_reading(s, "load", "", "user=ann", at(5, 1), at(5, 3), varve_float(0.75));
    small_append(s);
}

static const struct corner late[] = {
    {"SELECT time, user, value FROM done" MAY,
     "05-02T00:00 ann 1; 05-03T00:00 ann 4; 05-05T00:00 bob 3; 05-05T00:00 ann 6"},
    {"SELECT value FROM done WHERE value < 0" MAY, ""},
    {"SELECT value FROM done WHERE value > 3" MAY, "4; 6"},
    {"SELECT count(*), min(value), max(value), avg(value), sum(value) FROM done" MAY,
     "4 1 6 3.5 14"},
    {"SELECT count(*), median(value) FROM done WHERE user =~ 'a.*'" MAY, "3 4"},
    {"SELECT max(value) FROM done BY user" MAY, "ann 6; bob 3"},
    {"SELECT value FROM done ORDER BY value DESC LIMIT 2" MAY, "6; 4"},
    {"SELECT value FROM done SINCE '2026-05-04' UNTIL '2026-05-06'", "3; 6"},
    {"SELECT time, value FROM load" MAY, "05-02T00:00 0.5; 05-03T00:00 0.25; 05-05T00:00 2.25"},
    {"SELECT count(*), max(value), sum(value) FROM load" MAY, "3 2.25 3"},
};

static void test_late_readings(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    put_late(&s);
    ASK_ALL(&s, late);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    ASK_ALL(&s, late);
    MUST(varve_compact(s.db, NULL, &test_err));
    ASK_ALL(&s, late);
    small_remove(&s);
}

/* ---- gauges -------------------------------------------------------------------------- */

static void put_gauges(struct small *s)
{
    uint32_t id = small_metric(s, "depth", "", VARVE_GAUGE);
    for (int day = 1; day <= 9; day++)
        for (int user = 0; user < 2; user++) {
            uint32_t labels = small_labels(s, VARVE_NO_LABELS, user ? "user=ann" : "user=bob");
            MUST(varve_batch_gauge(s->batch, id, labels, at(5, day), varve_int(10 * day + user),
                                   &test_err));
        }
    small_append(s);
}

static const struct corner gauges[] = {
    {"SELECT depth" MAY, "181"},
    {"SELECT depth BY user" MAY, "ann 91; bob 90"},
    {"SELECT depth @ 2026-05-04" MAY, "61"},
    {"SELECT max(depth @ 2026-05-04) BY user" MAY, "ann 31; bob 30"},
    {"SELECT last(depth @ 2026-05-04), depth @ 2026-05-04" MAY, "61 61"},
    {"SELECT depth @ 2026-05-04 - 1d, depth @ 2026-05-04 - seen(depth)" MAY, "41 43"},
    {"SELECT depth @ 2026-05-04 EVERY day" MAY, "needs a window: last(depth, 1h)"},
    {"SELECT depth AT 2026-05-04", "needs a window: last(depth, 1h)"},
    {"SELECT last(depth, 1d) AT 2026-05-04", "61"},
};

static void test_gauges(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    put_gauges(&s);
    ASK_ALL(&s, gauges);
    small_remove(&s);
}

/* ---- zones ----------------------------------------------------------------------------- */

static void put_calls(struct small *s)
{
    for (int day = 1; day <= 9; day++) {
        struct varve_field field = {varve_str("ms"), varve_int(10 * day)};
        MUST(varve_batch_event(s->batch, varve_str("calls"), at(5, day) + 2 * HOUR, &field, 1,
                               &test_err));
    }
    small_append(s);
}

#define THE_FIFTH " FROM calls DURING '2026-05-05' EVERY day"

/* What a SELECT says of clocks is of its own zone, whoever reads it; so are the dates in it. */
static const struct corner clocks[] = {
    {"SELECT hour(time) AS h BY hour(time)" THE_FIFTH " TZ 'Asia/Tokyo'", "05-04T15:00 11"},
    {"SELECT hour(time) AS h BY hour(time)" THE_FIFTH " TZ 'Asia/Tokyo' UNION ALL "
     "SELECT hour(time) AS h BY hour(time)" THE_FIFTH " TZ 'America/New_York' UNION ALL "
     "SELECT hour(time) AS h BY hour(time)" THE_FIFTH,
     "05-04T15:00 11; 05-05T00:00 2; 05-05T04:00 22"},
    {"WITH w AS (SELECT hour(time) AS h BY hour(time)" THE_FIFTH " TZ 'Asia/Tokyo') "
     "SELECT h, hour(time) AS utc FROM w",
     "11 15"},
    {"CREATE VIEW tokyo AS SELECT count(*) AS n BY hour(time) AS h" THE_FIFTH " TZ 'Asia/Tokyo'",
     "AS"},
    {"CREATE VIEW tokyo AS SELECT hour(time) AS h, count(*) AS n BY h" THE_FIFTH " TZ 'Asia/Tokyo'",
     ""},
    {"CREATE VIEW late AS SELECT time, h FROM tokyo WHERE h > 10", ""},
    {"SELECT h, hour(time) AS utc FROM late", "11 15"},
    {"SELECT ms FROM calls WHERE time >= 2026-05-08T02:00" MAY, "80; 90"},
    {"SELECT ms FROM calls WHERE time >= 2026-05-08T02:00Z" MAY, "80; 90"},
    {"SELECT 2026-05-08, start_of('day', 2026-05-08T07:00)", "05-08T00:00 05-08T00:00"},
};

static const struct corner clocks_in_berlin[] = {
    {"SELECT ms FROM calls WHERE time >= 2026-05-08T04:00" MAY, "80; 90"},
    {"SELECT ms FROM calls WHERE time >= '2026-05-08 04:00'" MAY, "80; 90"},
    {"SELECT ms FROM calls WHERE time > '2026-05-08 04:00'" MAY, "90"},
    {"SELECT ms FROM calls WHERE time > '2026-05-08T02:00:00Z'" MAY, "90"},
    {"SELECT ms FROM calls WHERE time BETWEEN 2026-05-08 AND 2026-05-08T03:59" MAY, ""},
    {"SELECT 2026-05-08, start_of('day', 2026-05-08T07:00)", "05-07T22:00 05-07T22:00"},
    {"SELECT h, hour(time) AS berlin FROM late", "11 17"},
};

static void test_clocks(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    put_calls(&s);
    ASK_ALL(&s, clocks);
    session_zone = "Europe/Berlin";
    ASK_ALL(&s, clocks_in_berlin);
    session_zone = "UTC";
    small_remove(&s);
}

/* ---- the others of TOP ------------------------------------------------------------------ */

static void put_teams(struct small *s)
{
    static const char *const teams[] = {"team=other", "team=apps", "team=core", "team=web"};
    for (int i = 0; i < 4; i++)
        small_delta(s, "work", "", teams[i], at(5, 2), varve_int(8 >> i));
    small_append(s);
}

static const struct corner others[] = {
    {"SELECT increase(work) AS n BY team TOP 1 BY n WITH OTHER" MAY, "other 8; other (rest) 7"},
    {"SELECT increase(work) AS n BY team TOP 2 BY n WITH OTHER 'apps'" MAY,
     "other 8; apps 4; apps (rest) 3"},
    {"SELECT increase(work) AS n BY team BOTTOM 1 BY n WITH OTHER" MAY, "web 1; other 14"},
    {"SELECT increase(work) AS n, share(n) BY team TOP 3 BY n WITH OTHER 'web'" MAY,
     "other 8 0.5333333333333333; apps 4 0.26666666666666666; core 2 0.13333333333333333; "
     "web 1 0.06666666666666667"},
};

static void test_others(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    put_teams(&s);
    ASK_ALL(&s, others);
    small_remove(&s);
}

/* ---- edges of clauses --------------------------------------------------------------------- */

#define EVER " SINCE 290y"
#define MAY_DAYS(from, until) " SINCE 2026-05-0" from " UNTIL 2026-05-" until " EVERY day"

static void put_edges(struct small *s)
{
    for (int day = 1; day <= 9; day++) {
        struct varve_field fields[] = {
            {varve_str("user"), varve_text(varve_str(day % 3 ? "ann" : "bob"))},
            {varve_str("ms"), varve_int(10 * day)}};
        small_delta(s, "done", "", day % 2 ? "user=ann" : "user=bob", at(5, day) + HOUR,
                    varve_int(day));
        MUST(varve_batch_event(s->batch, varve_str("calls"), at(5, day) + 2 * HOUR, fields,
                               day == 7 ? 1 : 2, &test_err));
    }
    for (int k = 0; k < 3; k++) {
        struct varve_field field = {varve_str("big"), varve_int(INT64_MAX)};
        MUST(varve_batch_event(s->batch, varve_str("bigs"), at(5, 1) + k, &field, 1, &test_err));
    }
    small_append(s);
}

static const struct corner edges[] = {
    /* time */
    {"SELECT increase(done) SINCE '1678-01-01' UNTIL '2261-01-01' EVERY year FILL none",
     "01-01T00:00 45"},
    {"SELECT increase(done) SINCE '1678-01-01' UNTIL '2261-01-01' EVERY 1h", "2000000 buckets"},
    {"SELECT increase(done) DURING '1678' COMPARE TO previous", "NULL NULL NULL NULL"},
    {"SELECT increase(done) SINCE 290y COMPARE TO previous", "times reach from 1678 to 2261"},
    {"SELECT increase(done OFFSET -290y) SINCE 290y", "NULL"},
    {"SELECT increase(done, 290y) SINCE 1d EVERY 12h", "11-09T00:00 45; 11-09T12:00 45"},
    {"SELECT increase(done @ '2261-12-31')" EVER, "45"},
    {"SELECT last(done, 30d) AS x AT 2026-05-05 COMPARE TO 2d AGO", "7 3 4 133.33333333333334"},
    /* order and limits */
    {"SELECT ms FROM calls" EVER " ORDER BY ms DESC LIMIT 2 SKIP 7", "10; NULL"},
    {"SELECT ms FROM calls" EVER " ORDER BY ms LIMIT 0", ""},
    {"SELECT count(*) AS n FROM calls" EVER " LIMIT 0", ""},
    {"SELECT increase(done) AS d BY user" EVER
     " LIMIT 9223372036854775807 SKIP 9223372036854775807",
     ""},
    {"SELECT user, ms FROM calls" EVER " ORDER BY 1 DESC, 2 LIMIT 2", "bob 30; bob 60"},
    {"SELECT ms * 2 AS ms FROM calls WHERE ms > 70" EVER " ORDER BY ms DESC", "180; 160"},
    {"SELECT increase(done) AS d BY user" EVER " ORDER BY share(d) DESC, user", "ann 25; bob 20"},
    {"SELECT increase(done) AS d BY user" EVER " TOP 0 BY d", "TOP keeps at least one group"},
    {"SELECT sum(ms) AS t FROM calls BY user, ms" EVER " TOP 1 BY t WITH OTHER",
     "bob 90 90; other NULL 290"},
    /* sets */
    {"SELECT 1 UNION SELECT 1.0", "1"},
    {"SELECT 1 UNION SELECT '1'", "1; 1"},
    {"SELECT NULL UNION SELECT NULL", "NULL"},
    {"SELECT NULL EXCEPT SELECT NULL", ""},
    {"SELECT 1 AS a UNION ALL SELECT 1 EXCEPT SELECT 1", ""},
    {"SELECT 1 AS a UNION ALL SELECT 'x' UNION ALL SELECT NULL UNION ALL SELECT TRUE UNION ALL "
     "SELECT 1h ORDER BY a DESC",
     "x; 1h; 1; true; NULL"},
    /* WITH */
    {"WITH a AS (WITH a AS (SELECT 5 AS x) SELECT x * 2 AS y FROM a) SELECT y FROM a", "10"},
    {"WITH a AS (SELECT x FROM a) SELECT 1 FROM a", "unknown table 'a'"},
    {"WITH a AS (SELECT time, ms FROM calls), b AS (SELECT time, ms FROM a WHERE ms > 20) "
     "SELECT count(*) FROM b SINCE 2026-05-03 UNTIL 2026-05-05",
     "2"},
    {"WITH a AS (SELECT time, ms FROM calls) SELECT count(*) AS n FROM a SINCE 2026-05-03 UNTIL "
     "2026-05-05 UNION ALL SELECT count(*) FROM a SINCE 2026-05-01 UNTIL 2026-05-09",
     "2; 8"},
    {"WITH a AS (SELECT increase(done) AS d EVERY day) SELECT sum(d) AS s FROM a" MAY_DAYS(
         "4", "06") " COMPARE TO 2d AGO",
     "05-04T00:00 4 2 2 100; 05-05T00:00 5 3 2 66.66666666666667"},
    /* NULL */
    {"SELECT count(*) AS n FROM calls WHERE user NOT IN ('ann', NULL)" EVER, "0"},
    {"SELECT count(*) AS n FROM calls WHERE user = NULL" EVER, "0"},
    {"SELECT sum(ms) - sum(ms) AS z, share(z) FROM calls BY user" EVER, "ann 0 NULL; bob 0 NULL"},
    {"SELECT sum(ms) FILTER (WHERE ms > 1000), count(ms) FILTER (WHERE ms > 1000) FROM calls" EVER,
     "NULL 0"},
    /* totals and aliases */
    {"SELECT increase(done) AS d BY user" EVER " HAVING total(d) > 40 AND user = 'ann'", "ann 25"},
    {"SELECT total(increase(done) + 1) AS t, increase(done) + 1 AS u BY user" EVER,
     "ann 46 26; bob 46 21"},
    {"SELECT sum(ms) AS ms, ms * 2 AS d FROM calls BY user" EVER, "ann 200 400; bob 180 360"},
    {"SELECT increase(done) AS d, d FILL 7 AS e, d FILL prev AS f, f + 1 AS g" MAY_DAYS("9", "11"),
     "05-09T00:00 9 9 9 10; 05-10T00:00 NULL 7 9 10"},
    /* numbers that do not fit */
    {"SELECT sum(big), max(big), stddev(big) FROM bigs" EVER,
     "2.7670116110564327e+19 9223372036854775807 0"},
    {"SELECT max(time) - min(time) AS d FROM calls BY user" EVER " COMPARE TO 1d AGO",
     "ann 7d 7d 0s 0; bob 6d 6d 0s 0"},
};

static void test_edges(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    put_edges(&s);
    ASK_ALL(&s, edges);
    small_remove(&s);
}

/* ---- a field of several types ------------------------------------------------------------ */

static void put_mixed(struct small *s)
{
    const struct varve_value values[] = {varve_int(5),
                                         varve_float(5),
                                         varve_text(varve_str("5")),
                                         varve_text(varve_str("5.0")),
                                         varve_text(varve_str("abc")),
                                         varve_bool(1),
                                         varve_float(2.5)};
    for (int k = 0; k < 7; k++) {
        struct varve_field fields[] = {{varve_str("k"), varve_int(k)},
                                       {varve_str("mix"), values[k]}};
        MUST(varve_batch_event(s->batch, varve_str("calls"), at(5, 1) + k, fields, 2, &test_err));
    }
    small_append(s);
}

static const struct corner mixed[] = {
    {"SELECT k, mix FROM calls" MAY, "0 5; 1 5; 2 5; 3 5.0; 4 abc; 5 true; 6 2.5"},
    {"SELECT k FROM calls WHERE mix = '5'" MAY, "0; 1; 2"},
    {"SELECT k FROM calls WHERE NOT (mix != '5')" MAY, "0; 1; 2"},
    {"SELECT k FROM calls WHERE mix = '5.0'" MAY, "0; 1; 3"},
    {"SELECT k FROM calls WHERE NOT (mix != '5.0')" MAY, "0; 1; 3"},
    {"SELECT k FROM calls WHERE mix IN ('5.0', 'abc')" MAY, "0; 1; 3; 4"},
    {"SELECT k FROM calls WHERE mix = 'TRUE'" MAY, "5"},
    {"SELECT k FROM calls WHERE NOT (mix != 'TRUE')" MAY, "5"},
    {"SELECT k FROM calls WHERE mix = 'abc'" MAY, "4"},
    {"SELECT k FROM calls WHERE mix =~ '5.*'" MAY, "0; 1; 2; 3"},
    {"SELECT count(*) AS n BY mix FROM calls WHERE mix = '2.50'" MAY, "2.5 1"},
};

static void test_mixed(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    put_mixed(&s);
    ASK_ALL(&s, mixed);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    ASK_ALL(&s, mixed);
    small_remove(&s);
}

/* ---- memory ---------------------------------------------------------------------------- */

enum { MANY = 100000 };

/* A gauge and a counter with many points in one series each. */
static void put_many(struct small *s)
{
    uint32_t gauge = small_metric(s, "level", "", VARVE_GAUGE);
    uint32_t counter = small_metric(s, "steps", "", VARVE_COUNTER);
    uint32_t labels = small_labels(s, VARVE_NO_LABELS, "user=ann");
    for (int i = 0; i < MANY; i++) {
        int64_t end = at(5, 1) + (int64_t)i * SECOND / 2;
        MUST(varve_batch_gauge(s->batch, gauge, labels, end, varve_int(i * 7919 % 10007),
                               &test_err));
        MUST(varve_batch_counter(s->batch, counter, labels, VARVE_CUMULATIVE, at(4, 30), end,
                                 varve_int(i + 1), &test_err));
    }
    small_append(s);
    MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
}

static bool fits_in(struct small *s, uint64_t bytes, const char *text)
{
    struct varve_run_options options = {.now = at(11, 10), .max_memory = bytes};
    const struct varve_cell *cells;
    varve_result *result;
    size_t rows;
    enum varve_status status =
        varve_run(s->db, varve_str(text), &options, &result, NULL, &test_err);
    while (status == VARVE_OK)
        status = varve_result_next(result, &cells, &rows, &test_err);
    if (status != VARVE_DONE)
        assert_int_equal(status, VARVE_LIMIT);
    varve_result_free(result);
    return status == VARVE_DONE;
}

/* What needs few points of a series keeps few. */
static void test_memory(void **state)
{
    (void)state;
    static const char *const few[] = {"min_of", "max_of", "avg_of", "first", "last", "increase"};
    static const char *const metrics[] = {"level", "steps"};
    struct small s;
    char text[200];
    small_make(&s);
    put_many(&s);
    for (size_t i = 0; i < 2 * sizeof few / sizeof *few; i++) {
        snprintf(text, sizeof text, "SELECT %s(%s)" MAY, few[i / 2], metrics[i % 2]);
        assert_true(fits_in(&s, 2000000, text));
    }
    assert_true(fits_in(&s, 2000000, "SELECT delta(level) BY user EVERY 1h" MAY));
    assert_false(fits_in(&s, 2000000, "SELECT changes(level)" MAY));
    assert_true(fits_in(&s, 50000000, "SELECT changes(level)" MAY));
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_readings), cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_clocks),        cmocka_unit_test(test_others),
        cmocka_unit_test(test_mixed),         cmocka_unit_test(test_edges),
        cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
