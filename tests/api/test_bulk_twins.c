/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bulk_twins.c -- a store that takes days straight into segments, and one that does not.
 *
 * Which way a day came in must not show.  So both are given the same batches, and both have to
 * count the same, append by append, and to hold the same rows, as they are, reopened and sealed:
 * the one seals by itself and takes large days straight, the other has nothing but a journal until
 * it is told to seal.
 */
#include <stdio.h>

#include "../base/prng.h"
#include "small.h"

/* A batch of 100 rows is large then, and its newest day too; of others 6 are enough. */
enum { SEAL_ROWS = 400, LARGE = 300 };

static uint64_t waiting(struct small *s)
{
    return small_stats(s).journal_rows;
}

static int64_t tokens(struct small *s)
{
    return small_increase(s, "tokens", INT64_MIN, INT64_MAX);
}

/* ---- two stores that must not differ --------------------------------------- */

static const struct {
    const char *name, *unit;
    enum varve_kind kind;
} metrics[] = {
    {"tokens", "", VARVE_COUNTER}, {"cost", "USD", VARVE_COUNTER}, {"load", "", VARVE_GAUGE},
    {"queue", "", VARVE_UPDOWN},   {"total", "", VARVE_COUNTER},   {"life", "", VARVE_COUNTER},
};
enum { TOKENS, COST, LOAD, QUEUE, TOTAL, LIFE, METRICS };

/* Of LOAD a reading, of TOTAL and LIFE a cumulative one, of the others a delta. */
struct point {
    int metric, user;
    int64_t start, end;
    struct varve_value value;
};

struct twins {
    struct small bulk, plain;
};

static void twins_make(struct twins *t)
{
    small_make_sealing(&t->bulk, SEAL_ROWS);
    small_make(&t->plain);
}

static void twins_remove(struct twins *t)
{
    small_remove(&t->bulk);
    small_remove(&t->plain);
}

static void put_point(struct small *s, const struct point *p)
{
    char labels[32];
    snprintf(labels, sizeof labels, "user=u%d", p->user);
    uint32_t set = small_labels(s, VARVE_NO_LABELS, labels);
    uint32_t id =
        small_metric(s, metrics[p->metric].name, metrics[p->metric].unit, metrics[p->metric].kind);
    bool is_reading = p->metric == TOTAL || p->metric == LIFE;
    if (p->metric == LOAD)
        MUST(varve_batch_gauge(s->batch, id, set, p->end, p->value, &test_err));
    else
        MUST(varve_batch_counter(s->batch, id, set, is_reading ? VARVE_CUMULATIVE : VARVE_DELTA,
                                 p->start, p->end, p->value, &test_err));
}

static void twins_put(struct twins *t, struct point p)
{
    put_point(&t->bulk, &p);
    put_point(&t->plain, &p);
}

static void twins_event(struct twins *t, int64_t time, int64_t number)
{
    const struct varve_field field = {varve_str("n"), varve_int(number)};
    MUST(varve_batch_event(t->bulk.batch, varve_str("e"), time, &field, 1, &test_err));
    MUST(varve_batch_event(t->plain.batch, varve_str("e"), time, &field, 1, &test_err));
}

/* What the one with the segments says; the other must say the same. */
static struct varve_appended twins_append(struct twins *t)
{
    struct varve_appended a = small_append(&t->bulk), b = small_append(&t->plain);
    assert_int_equal(a.points, b.points);
    assert_int_equal(a.duplicates, b.duplicates);
    assert_int_equal(a.events, b.events);
    assert_int_equal(a.ambiguous, b.ambiguous);
    assert_int_equal(a.baselines, b.baselines);
    assert_int_equal(a.expired, b.expired);
    return a;
}

static size_t rows_of(struct small *s, const char *metric, struct row_answer **rows)
{
    static const char *const user[] = {"user"};
    struct ask ask = {
        .source = metric, .since = INT64_MIN, .until = INT64_MAX, .keys = user, .key_count = 1};
    MUST(varve_snapshot_open(s->db, &ask.snapshot, &test_err));
    size_t count = ask_rows(&ask, rows);
    varve_snapshot_close(ask.snapshot);
    return count;
}

static struct exact increase(struct small *s, const char *metric, int64_t since, int64_t until)
{
    struct ask ask = {.source = metric, .since = since, .until = until};
    struct group_answer *groups;
    struct exact sum = exact_of_int(0);
    MUST(varve_snapshot_open(s->db, &ask.snapshot, &test_err));
    if (ask_groups(&ask, &groups) > 0)
        sum = groups[0].sum;
    varve_snapshot_close(ask.snapshot);
    free(groups);
    return sum;
}

static void compare_rows(struct twins *t, const char *metric)
{
    struct row_answer *a, *b;
    size_t count = rows_of(&t->bulk, metric, &a);
    assert_int_equal(count, rows_of(&t->plain, metric, &b));
    for (size_t i = 0; i < count; i++)
        if (compare_row_answers(&a[i], &b[i]) != 0)
            fail_msg("%s: row %zu of %zu differs: %s of %lld, %s of %lld", metric, i, count,
                     a[i].labels.text, (long long)a[i].end, b[i].labels.text, (long long)b[i].end);
    free(a);
    free(b);
}

static void compare_events(struct twins *t)
{
    struct event_answer *events[2];
    size_t counts[2];
    for (int i = 0; i < 2; i++) {
        static const char *const n[] = {"n"};
        struct ask ask = {
            .source = "e", .since = INT64_MIN, .until = INT64_MAX, .keys = n, .key_count = 1};
        MUST(varve_snapshot_open(i ? t->plain.db : t->bulk.db, &ask.snapshot, &test_err));
        counts[i] = ask_events(&ask, &events[i]);
        varve_snapshot_close(ask.snapshot);
    }
    assert_int_equal(counts[0], counts[1]);
    for (size_t i = 0; i < counts[0]; i++)
        assert_int_equal(compare_event_answers(&events[0][i], &events[1][i]), 0);
    free(events[0]);
    free(events[1]);
}

static void twins_compare(struct twins *t)
{
    struct varve_stats a = small_stats(&t->bulk), b = small_stats(&t->plain);
    for (int m = 0; m < METRICS; m++)
        compare_rows(t, metrics[m].name);
    compare_events(t);
    assert_int_equal(a.points, b.points);
    assert_int_equal(a.events, b.events);
    assert_int_equal(a.ambiguous, b.ambiguous);
    assert_int_equal(a.baselines, b.baselines);
    assert_int_equal(a.oldest, b.oldest);
    assert_int_equal(a.newest, b.newest);
}

/* As they are, after reopening, and sealed. */
static void twins_compare_all(struct twins *t)
{
    twins_compare(t);
    small_reopen(&t->bulk);
    twins_compare(t);
    MUST(varve_seal(t->bulk.db, INT64_MAX, NULL, &test_err));
    MUST(varve_seal(t->plain.db, INT64_MAX, NULL, &test_err));
    twins_compare(t);
    assert_int_equal(small_stats(&t->bulk).days, small_stats(&t->plain).days);
    assert_int_equal(small_stats(&t->bulk).series, small_stats(&t->plain).series);
    small_reopen(&t->bulk);
    twins_compare(t);
}

/* ---- rows that are there twice ------------------------------------------------ */

static void
put_odd(struct twins *t, int user, int64_t second, int64_t length, struct varve_value value)
{
    int64_t end = T0 + HOUR + second * SECOND;
    for (int m = TOKENS; m <= QUEUE; m++)
        twins_put(t, (struct point){m, user, end - length, end, value});
}

static void put_twice(struct twins *t)
{
    for (int i = 0; i < 30; i++) /* in order, each once and each twice */
        for (int twice = 0; twice < 1 + i % 2; twice++)
            put_odd(t, 1, i, SECOND, varve_int(i));
    for (int i = 0; i < 60; i++) /* backwards, some of them thrice */
        put_odd(t, 2, 59 - i / (i < 30 ? 3 : 1), SECOND, varve_int(7));
    for (int i = 0; i < 40; i++) /* one end, several values, starts and types */
        put_odd(t, 3, 5, (1 + i % 2) * SECOND, i % 5 ? varve_int(i % 8) : varve_float(i % 3 + 0.5));
    for (int i = 0; i < 12; i++) /* an integer either way, and two zeros */
        put_odd(t, 4, i % 2, SECOND, i % 3 ? varve_float(i % 3 == 1 ? 0.0 : -0.0) : varve_int(0));
    for (int i = 0; i < 20; i++) /* the same of several users */
        put_odd(t, i % 4, 100, SECOND, varve_float(0.1));
    for (int i = 0; i < 50; i++) /* in and out of order by turns */
        put_odd(t, 5, (i * 17) % 23, SECOND, varve_int(i % 4));
}

static void test_twice_in_a_batch(void **state)
{
    (void)state;
    struct twins t;
    twins_make(&t);
    put_twice(&t);
    struct varve_appended a = twins_append(&t), again;
    assert_int_equal(waiting(&t.bulk), 0);
    assert_true(a.points > 100 && a.duplicates > 100);
    put_twice(&t);
    again = twins_append(&t);
    assert_int_equal(again.points, 0);
    assert_int_equal(again.duplicates, a.points + a.duplicates);
    assert_int_equal(waiting(&t.bulk), 0);
    twins_compare_all(&t);
    twins_remove(&t);
}

/* ---- batches of many things ---------------------------------------------------- */

static void twins_day(struct twins *t, int64_t day, int from, int to)
{
    small_tokens(&t->bulk, day, from, to);
    small_tokens(&t->plain, day, from, to);
}

/* Days 0 known to the head, 1 sealed, 2 new and large, 3 new and of counters, 4 new and small. */
static void put_mixed(struct twins *t)
{
    twins_day(t, T0, 10, 60);
    twins_day(t, T0 + DAY, 20, 70);
    for (int i = 0; i < 200; i++) {
        int64_t end = T0 + 2 * DAY + (i % 40) * HOUR / 2;
        twins_put(t, (struct point){i % 4, i / 40, end - SECOND, end, varve_int(i)});
    }
    for (int i = 0; i < 20; i++) {
        int64_t end = T0 + 3 * DAY + i * HOUR;
        twins_put(t, (struct point){TOTAL, 0, T0 + 2 * DAY, end, varve_int(100 + i)});
        twins_put(t, (struct point){COST, 1, end - SECOND, end, varve_float(i / 8.0)});
    }
    twins_day(t, T0 + 4 * DAY, 0, 3);
    for (int i = 0; i < 7; i++)
        twins_event(t, T0 + i * DAY, i);
}

static void test_mixed(void **state)
{
    (void)state;
    struct twins t;
    twins_make(&t);
    twins_day(&t, T0 + DAY, 0, 40);
    twins_append(&t);
    MUST(varve_seal(t.bulk.db, INT64_MAX, NULL, &test_err));
    twins_day(&t, T0, 0, 30);
    twins_append(&t);
    assert_int_equal(waiting(&t.bulk), 30);
    put_mixed(&t);
    struct varve_appended a = twins_append(&t);
    assert_true(a.points == 30 + 30 + 200 + 40 + 3 && a.duplicates == 40 && a.events == 7);
    assert_int_equal(waiting(&t.bulk), 30 + 30 + 30 + 40 + 3 + 7); /* all but the large day */
    assert_int_equal(waiting(&t.plain), 40 + waiting(&t.bulk) + 200);
    twins_compare(&t);
    small_reopen(&t.bulk);
    assert_int_equal(waiting(&t.bulk), 140);
    put_mixed(&t);
    a = twins_append(&t);
    assert_true(a.points == 0 && a.events == 0 && a.duplicates == 350);
    assert_int_equal(waiting(&t.bulk), 140);
    twins_compare_all(&t);
    twins_remove(&t);
}

/* Days that were forgotten do not come back, however large they are. */
static void test_forgotten_days(void **state)
{
    (void)state;
    struct twins t;
    twins_make(&t);
    twins_day(&t, T0, 0, LARGE);
    twins_day(&t, T0 + 9 * DAY, 0, LARGE);
    twins_append(&t);
    MUST(varve_retain(t.bulk.db, T0 + 5 * DAY, NULL, &test_err));
    MUST(varve_retain(t.plain.db, T0 + 5 * DAY, NULL, &test_err));
    twins_day(&t, T0, 0, LARGE);
    twins_day(&t, T0 + 4 * DAY, 0, LARGE);
    twins_day(&t, T0 + 5 * DAY, 0, LARGE);
    struct varve_appended a = twins_append(&t);
    assert_true(a.points == LARGE && a.expired == 2 * LARGE);
    assert_int_equal(waiting(&t.bulk), 0);
    assert_int_equal(tokens(&t.bulk), 2 * LARGE);
    twins_compare_all(&t);
    twins_remove(&t);
}

/* ---- by chance ---------------------------------------------------------------------- */

enum { BATCHES = 200, PAST = 4096 };

struct chance {
    struct prng prng;
    struct twins twins;
    struct point past[PAST]; /* some of what was sent */
    size_t count;
};

static int64_t below(struct chance *c, uint64_t limit)
{
    return (int64_t)prng_below(&c->prng, limit);
}

static struct varve_value any_value(struct chance *c)
{
    int64_t n = below(c, 6);
    return below(c, 4) ? varve_int(n) : varve_float((double)n / 4);
}

/* A point of a day.  Readings of `total` rise with time, those of `life` do not, and end before it
 * matters how far back they are looked for. */
static struct point any_point(struct chance *c, int64_t day, bool with_readings)
{
    struct point p = {.metric = (int)below(c, with_readings ? METRICS : TOTAL)};
    p.user = (int)below(c, 6);
    p.end = day + 60 * SECOND + below(c, 3000) * (below(c, 3) ? 28 * SECOND : SECOND);
    p.start = p.end - below(c, 3) * SECOND;
    p.value = any_value(c);
    if (p.metric == TOTAL) {
        p.start = T0;
        p.value = varve_int((p.end - T0) / (100 * SECOND) + below(c, 3));
    } else if (p.metric == LIFE) {
        p.user += 10 * (int)((p.end - T0) / (5 * DAY));
        p.start = VARVE_FROM_ZERO;
        p.value = varve_int(below(c, 1000));
    }
    return p;
}

static void give_any(struct chance *c, const struct point *p)
{
    twins_put(&c->twins, *p);
    c->past[c->count++ % PAST] = *p;
}

/* Several days from `first` on, now and then a much older one, and what was sent before. */
static void any_batch(struct chance *c, int64_t first)
{
    int64_t days = 1 + below(c, 3), size = below(c, 3) ? 100 + below(c, 250) : 1 + below(c, 60);
    bool with_readings = below(c, 3) == 0;
    bool in_order = below(c, 2) == 0;
    int64_t end = 0;
    for (int64_t i = 0; i < size; i++) {
        int64_t day = first + (in_order ? i * days / size : below(c, (uint64_t)days)) * DAY;
        struct point p = any_point(c, day, with_readings);
        if (c->count > 0 && below(c, 12) == 0)
            p = c->past[(uint64_t)below(c, PAST) % (c->count < PAST ? c->count : PAST)];
        else if (in_order && p.metric < TOTAL && p.end < end && end < day + DAY)
            p.end = end;
        end = p.end;
        give_any(c, &p);
        if (below(c, 40) == 0)
            give_any(c, &p);
        if (below(c, 80) == 0)
            twins_event(&c->twins, p.end, i);
    }
}

static void any_chore(struct chance *c)
{
    struct twins *t = &c->twins;
    int64_t chore = below(c, 30);
    if (chore == 0)
        small_reopen(&t->bulk);
    else if (chore == 1 || waiting(&t->bulk) > SEAL_ROWS / 2)
        MUST(varve_seal(t->bulk.db, INT64_MAX, NULL, &test_err));
    else if (chore == 2)
        MUST(varve_seal(t->plain.db, INT64_MAX, NULL, &test_err));
    else if (chore == 3)
        MUST(varve_compact(t->bulk.db, NULL, &test_err));
    else if (chore == 4)
        twins_compare(t);
}

/* Of every day on its own. */
static void compare_increases(struct twins *t, int days)
{
    for (int day = 0; day < days; day++)
        for (int m = 0; m < METRICS; m++) {
            int64_t since = T0 + day * DAY;
            struct exact a = increase(&t->bulk, metrics[m].name, since, since + DAY);
            struct exact b = increase(&t->plain, metrics[m].name, since, since + DAY);
            if (exact_compare(a, b) != 0)
                fail_msg("%s of day %d: %lld and %lld", metrics[m].name, day, (long long)a.whole,
                         (long long)b.whole);
        }
}

/* So few rows wait that nothing was sealed, but not all of the batch is among them. */
static bool went_straight(uint64_t before, uint64_t after, const struct varve_appended *a)
{
    uint64_t came = a->points + a->events;
    return before + came < SEAL_ROWS && after < before + came;
}

static void test_by_chance(void **state)
{
    (void)state;
    static struct chance c;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        int straight = 0;
        c = (struct chance){.prng = prng_start(seed)};
        twins_make(&c.twins);
        for (int i = 0; i < BATCHES; i++) {
            any_batch(&c, T0 + (i / 2 + below(&c, 4)) * DAY);
            uint64_t before = waiting(&c.twins.bulk);
            struct varve_appended a = twins_append(&c.twins);
            straight += went_straight(before, waiting(&c.twins.bulk), &a);
            any_chore(&c);
        }
        if (straight < 10)
            fail_msg("only %d batches had days that went straight", straight);
        compare_increases(&c.twins, BATCHES / 2 + 7);
        twins_compare_all(&c.twins);
        twins_remove(&c.twins);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twice_in_a_batch),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_forgotten_days),
        cmocka_unit_test(test_by_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
