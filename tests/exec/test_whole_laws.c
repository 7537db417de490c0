/* SPDX-License-Identifier: Apache-2.0
 *
 * test_whole_laws.c -- what has to hold between the answers to different statements, whatever is in
 * the store: parts add up to the whole, to the last digit (L1, L2), a grid is complete, TOP and the
 * others are everything, COMPARE TO is the same question about another range, orders are total.
 */
#include "../base/unit.h"

#include <stdio.h>
#include "../base/prng.h"
#include "base/clock.h"
#include "whole.h"

#define DAY INT64_C(1791158400000000000) /* Monday 2026-10-05 */
#define HOUR (3600 * NS_PER_SECOND)

static struct small_store small;
static struct mem mem;
static struct prng prng;

static const struct {
    const char *name, *unit;
} metrics[] = {{"claude_code.cost.usage", "USD"},
               {"claude_code.token.usage", "tokens"},
               {"claude_code.commit.count", ""}};

static void add_points(uint32_t count)
{
    static const char *const models[] = {"opus", "sonnet", "haiku", "other"};
    struct varve_err err;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t which = (uint32_t)prng_below(&prng, 3), user = (uint32_t)prng_below(&prng, 5);
        uint32_t metric =
            small_store_metric(&small, metrics[which].name, metrics[which].unit, VARVE_COUNTER);
        char labels[200];
        int size = snprintf(labels, sizeof labels, "session.id=s%u,user.email=u%u,repository=r%u",
                            user * 3 + (unsigned)prng_below(&prng, 3), user,
                            (unsigned)prng_below(&prng, 3));
        if (which < 2 && prng_below(&prng, 9))
            snprintf(labels + size, sizeof labels - (size_t)size, ",model=%s",
                     models[prng_below(&prng, 4)]);
        uint32_t set = small_store_labels(&small, labels);
        int64_t time = DAY + (int64_t)prng_below(&prng, 72) * HOUR;
        if (prng_below(&prng, 4))
            time += (int64_t)prng_below(&prng, (uint64_t)HOUR);
        struct varve_value value = {.type = VARVE_INT, .as.i = (int64_t)prng_below(&prng, 1000)};
        if (which == 0)
            value = (struct varve_value){.type = VARVE_FLOAT,
                                         .as.f = (double)prng_below(&prng, 100000) / 1e4};
        assert_int_equal(
            batch_counter(&small.batch, metric, set, VARVE_DELTA, time - HOUR, time, value, &err),
            VARVE_OK);
    }
}

static int begin(void **state)
{
    (void)state;
    prng = prng_start(20261005);
    mem_init(&mem, NULL, 0);
    small_store_make(&small);
    add_points(300);
    small_store_append(&small);
    small_store_seal(&small);
    add_points(100);
    small_store_append(&small);
    small_store_read(&small);
    return 0;
}

static int end(void **state)
{
    (void)state;
    small_store_end(&small);
    return mem.used != 0;
}

/* ---- asking -------------------------------------------------------------------------- */

/* A random range within the three days, at full hours or between. */
struct span {
    int64_t since, until;
    char text[80];
};

static struct span span_of(int64_t since, int64_t until)
{
    struct span span = {.since = since, .until = until};
    char a[INSTANT_TEXT], b[INSTANT_TEXT];
    instant_text(since, a);
    instant_text(until, b);
    snprintf(span.text, sizeof span.text, "BETWEEN '%s' AND '%s'", a, b);
    return span;
}

static struct span random_span(void)
{
    int64_t unit = prng_below(&prng, 2) ? HOUR : HOUR / 60;
    int64_t since = DAY + (int64_t)prng_below(&prng, (uint64_t)(40 * HOUR / unit)) * unit;
    return span_of(since,
                   since + (1 + (int64_t)prng_below(&prng, (uint64_t)(40 * HOUR / unit))) * unit);
}

static struct relation ask(const char *format, const char *a, const char *b, const char *c)
{
    const struct whole_options options = {.now = DAY + 72 * HOUR};
    struct relation rows;
    char text[600], message[600];
    size_t at = 0;
    const char *next[] = {a, b, c};
    for (int i = 0; *format; format++) { /* a $ is the next of the parts */
        assert_true(at + 200 < sizeof text);
        if (*format == '$')
            at += (size_t)snprintf(text + at, sizeof text - at, "%s", next[i++]);
        else
            text[at++] = *format;
    }
    text[at] = 0;
    if (whole_run(&small, &options, text, &mem, &rows, message) != VARVE_OK)
        fail_msg("%s: %s", text, message);
    return rows;
}

/* The sum of a column; amounts are exact, so there is no tolerance. */
static int64_t sum_of(const struct relation *rows, uint32_t column)
{
    int64_t sum = 0;
    for (uint64_t i = 0; i < rows->rows; i++) {
        struct value value = relation_row(rows, i)[column];
        assert_true(value.type == TYPE_INT || value.type == TYPE_NANO || value.type == TYPE_NULL);
        sum += value_is_null(value) ? 0 : value.as.i;
    }
    return sum;
}

static int64_t ask_sum(const char *format, const char *a, const char *b, const char *c)
{
    struct relation rows = ask(format, a, b, c);
    int64_t sum = rows.rows ? sum_of(&rows, rows.columns - 1) : 0;
    relation_free(&rows);
    return sum;
}

static const char *random_metric(void)
{
    static const char *const names[] = {"cost", "tokens", "commits"};
    return names[prng_below(&prng, 3)];
}

static const char *random_keys(void)
{
    static const char *const keys[] = {"user_email", "repository", "session_id, repository",
                                       "repository, user_email"};
    return keys[prng_below(&prng, 4)];
}

static const char *random_bucket(void)
{
    static const char *const buckets[] = {"1h", "7h", "25m", "day", "1d", "day TZ 'Asia/Tokyo'"};
    return buckets[prng_below(&prng, 6)];
}

/* ---- the laws -------------------------------------------------------------------------- */

enum { ROUNDS = 60 };

static void test_parts_add_up(void **state)
{
    (void)state;
    int64_t everything = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct span span = random_span();
        const char *metric = random_metric(), *range = span.text, *keys = random_keys();
        int64_t whole = ask_sum("SELECT increase($) $", metric, range, "");
        everything += whole;
        assert_int_equal(whole, ask_sum("SELECT increase($) $ BY $", metric, range, keys));
        assert_int_equal(whole,
                         ask_sum("SELECT increase($) $ EVERY $", metric, range, random_bucket()));
        char both[60];
        snprintf(both, sizeof both, "BY %s EVERY %s", keys, random_bucket());
        assert_int_equal(whole, ask_sum("SELECT increase($) $ $", metric, range, both));
        snprintf(both, sizeof both, "BY %s TOP %d BY 1 * x WITH OTHER", keys,
                 (int)prng_below(&prng, 5) + 1);
        assert_int_equal(whole, ask_sum("SELECT increase($) AS x $ $", metric, range, both));
        int64_t middle = span.since + (span.until - span.since) / (60 * NS_PER_SECOND) / 2 *
                                          (60 * NS_PER_SECOND);
        struct span left = span_of(span.since, middle), right = span_of(middle, span.until);
        assert_int_equal(
            whole,
            (middle > span.since ? ask_sum("SELECT increase($) $", metric, left.text, "") : 0) +
                ask_sum("SELECT increase($) $", metric, right.text, ""));
    }
    assert_true(everything > 0);
}

static bool cells_equal(struct value a, struct value b)
{
    return a.type == b.type && value_compare(a, b) == 0;
}

/* The row of the keys, or NULL. */
static const struct value *
find_row(const struct relation *rows, const struct value *key, uint32_t count)
{
    for (uint64_t i = 0; i < rows->rows; i++)
        if (row_equal(relation_row(rows, i), key, count))
            return relation_row(rows, i);
    return NULL;
}

static void test_grids_are_complete(void **state)
{
    (void)state;
    const char *const text =
        "SELECT increase($) AS x, increase(tokens) AS t BY repository $ EVERY $";
    for (int round = 0; round < ROUNDS; round++) {
        struct span span = random_span();
        const char *metric = random_metric(), *bucket = random_bucket();
        char none[60];
        snprintf(none, sizeof none, "%s FILL none", bucket);
        struct relation grid = ask(text, metric, span.text, bucket);
        struct relation rows = ask(text, metric, span.text, none);
        struct relation groups =
            ask("SELECT increase($) AS x, increase(tokens) AS t BY repository $", metric, span.text,
                "");
        struct relation buckets = ask("SELECT increase($) $ EVERY $", metric, span.text, bucket);
        assert_int_equal(grid.rows, groups.rows * buckets.rows);
        const struct row_order order = {.columns = 2};
        uint64_t found = 0;
        for (uint64_t i = 0; i < grid.rows; i++) {
            const struct value *row = relation_row(&grid, i), *same = find_row(&rows, row, 2);
            assert_true(i == 0 || row_compare(&order, relation_row(&grid, i - 1), row) < 0);
            assert_non_null(find_row(&buckets, row, 1));
            assert_non_null(find_row(&groups, row + 1, 1));
            found += same != NULL;
            for (uint32_t c = 2; c < 4; c++)
                assert_true(same ? cells_equal(row[c], same[c]) : value_is_null(row[c]));
        }
        assert_int_equal(found, rows.rows);
        relation_free(&grid);
        relation_free(&rows);
        relation_free(&groups);
        relation_free(&buckets);
    }
}

static void test_top_is_the_start_of_the_order(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct span span = random_span();
        const char *metric = random_metric(), *keys = random_keys();
        char top[60], limit[60];
        int n = 1 + (int)prng_below(&prng, 6);
        snprintf(top, sizeof top, "BY %s TOP %d BY x", keys, n);
        snprintf(limit, sizeof limit, "BY %s ORDER BY x DESC LIMIT %d", keys, n);
        struct relation a = ask("SELECT increase($) AS x $ $", metric, span.text, top);
        struct relation b = ask("SELECT increase($) AS x $ $", metric, span.text, limit);
        assert_int_equal(a.rows, b.rows);
        for (uint64_t i = 0; i < a.rows; i++)
            assert_true(row_equal(relation_row(&a, i), relation_row(&b, i), a.columns));
        relation_free(&a);
        relation_free(&b);
    }
}

static void test_compare_is_the_same_question(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct span span = random_span();
        int64_t length = span.until - span.since;
        struct span earlier = span_of(span.since - length, span.since);
        const char *metric = random_metric(), *keys = random_keys();
        struct relation both =
            ask("SELECT increase($) AS x $ BY $ COMPARE TO previous", metric, span.text, keys);
        struct relation now = ask("SELECT increase($) AS x $ BY $", metric, span.text, keys);
        struct relation before = ask("SELECT increase($) AS x $ BY $", metric, earlier.text, keys);
        uint32_t n = now.columns - 1;
        uint64_t rows = now.rows;
        for (uint64_t i = 0; i < before.rows; i++)
            rows += !find_row(&now, relation_row(&before, i), n);
        assert_int_equal(both.rows, rows);
        for (uint64_t i = 0; i < both.rows; i++) {
            const struct value *row = relation_row(&both, i);
            const struct value *a = find_row(&now, row, n), *b = find_row(&before, row, n);
            assert_true(cells_equal(row[n], a ? a[n] : value_null()));
            assert_true(cells_equal(row[n + 1], b ? b[n] : value_null()));
            if (a && b && !value_is_null(a[n]) && !value_is_null(b[n]))
                assert_int_equal(row[n + 2].as.i, a[n].as.i - b[n].as.i);
            else
                assert_true(value_is_null(row[n + 2]));
        }
        relation_free(&both);
        relation_free(&now);
        relation_free(&before);
    }
}

/* Measures beside each other are what each is alone. */
static void test_joined_is_what_is_apart(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct span span = random_span();
        const char *keys = round % 2 ? "user_email" : "repository, session_id";
        struct relation all = ask("SELECT increase(cost) AS c, increase(tokens) AS t, "
                                  "increase(commits) AS m, total(c) AS sum $ BY $",
                                  span.text, keys, "");
        static const char *const names[] = {"cost", "tokens", "commits"};
        uint32_t n = all.columns - 4;
        uint64_t least = 0;
        for (uint32_t c = 0; c < 3; c++) {
            struct relation one = ask("SELECT increase($) $ BY $", names[c], span.text, keys);
            least = one.rows > least ? one.rows : least;
            for (uint64_t i = 0; i < one.rows; i++)
                assert_non_null(find_row(&all, relation_row(&one, i), n));
            for (uint64_t i = 0; i < all.rows; i++) {
                const struct value *row = relation_row(&all, i), *found = find_row(&one, row, n);
                assert_true(cells_equal(row[n + c], found ? found[n] : value_null()));
            }
            relation_free(&one);
        }
        assert_true(all.rows >= least);
        int64_t total = ask_sum("SELECT increase(cost) $", span.text, "", "");
        for (uint64_t i = 0; i < all.rows; i++)
            assert_true(value_is_null(relation_row(&all, i)[n + 3])
                            ? total == 0
                            : relation_row(&all, i)[n + 3].as.i == total);
        relation_free(&all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_grids_are_complete),
        cmocka_unit_test(test_top_is_the_start_of_the_order),
        cmocka_unit_test(test_compare_is_the_same_question),
        cmocka_unit_test(test_joined_is_what_is_apart),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
