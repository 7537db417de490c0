/* SPDX-License-Identifier: Apache-2.0
 *
 * test_group_parts.c -- statements over the events of many days, with several threads: every kind
 * of aggregate gives the same bits, in the same order, also when memory runs out on the way.
 */
#include "../base/unit.h"

#include "../base/prng.h"
#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "whole.h"

#define FIRST_DAY INT64_C(1791158400000000000) /* Monday 2026-10-05 */

enum { DAYS = 14, EVENTS = 60 };

static const char *const statements[] = {
    "SELECT count(*) AS n, sum(cost_usd), avg(cost_usd), avg(duration_ms) FROM api_request "
    "BY model SINCE 30d",
    "SELECT sum(cost_usd) AS s FROM api_request SINCE 30d",
    "SELECT count(*) AS n, sum(duration_ms) FROM api_request WHERE duration_ms > 40 EVERY day "
    "SINCE 30d",
    "SELECT quantile(duration_ms, 0.9), median(cost_usd), stddev(duration_ms) FROM api_request "
    "BY model SINCE 30d EVERY week",
    "SELECT min(duration_ms), max(cost_usd), min(user.email), max(session.id) FROM api_request "
    "BY model SINCE 30d",
    "SELECT list(model), count(DISTINCT session.id), sum(DISTINCT duration_ms) FROM api_request "
    "BY user.email SINCE 30d",
    "SELECT count(*) AS n FROM api_request BY session.id, user.email SINCE 30d",
    "SELECT sum(duration_ms) AS s FROM api_request BY user.email SINCE 30d TOP 2 BY s WITH OTHER",
    "SELECT first(duration_ms), last(model), count(*) AS n FROM api_request BY user.email SINCE "
    "30d",
    "SELECT count(*) AS n FROM api_request WHERE model = 'none' SINCE 30d",
};
enum { STATEMENTS = sizeof statements / sizeof *statements };

static struct small_store small;

/* Costs that few doubles do not sum up exactly, and days on which a column is missing. */
static void make_store(struct prng *prng)
{
    static const char *const names[] = {"cost_usd", "duration_ms", "model", "session.id",
                                        "user.email"};
    static const double sizes[] = {1e-300, 1e300, 0.1, 1e17, 1e-20, -1e300, 3, 1e150};
    small_store_make(&small);
    for (int day = 0; day < DAYS; day++) {
        for (int i = 0; i < EVENTS; i++) {
            char model[8], session[16], user[8];
            snprintf(model, sizeof model, "m%d", (int)prng_below(prng, 4));
            snprintf(session, sizeof session, "s%d", day * 5 + (int)prng_below(prng, 9));
            snprintf(user, sizeof user, "u%d", (int)prng_below(prng, 5));
            const struct value cells[] = {
                value_float(sizes[prng_below(prng, 8)] * (double)prng_below(prng, 100)),
                prng_below(prng, 5) ? value_int(TYPE_INT, (int64_t)prng_below(prng, 90))
                                    : value_null(),
                day == 7 ? value_null() : value_text((struct varve_str){model, strlen(model)}),
                value_text((struct varve_str){session, strlen(session)}),
                value_text((struct varve_str){user, strlen(user)})};
            small_store_event(&small, "api_request",
                              FIRST_DAY + day * NS_PER_DAY + i * NS_PER_SECOND, names, cells, 5);
        }
        small_store_append(&small);
        if (day % 3 == 1) /* the last days stay in the journal */
            small_store_seal(&small);
    }
    small_store_read(&small);
}

static enum varve_status
run(const char *text, unsigned threads, const struct varve_allocator *allocator, struct mem *mem,
    struct relation *rows, char message[600])
{
    const struct whole_options options = {
        .now = FIRST_DAY + 20 * NS_PER_DAY, .run = {.threads = threads}, .allocator = allocator};
    return whole_run(&small, &options, text, mem, rows, message);
}

static void must_run(const char *text, unsigned threads, struct mem *mem, struct relation *rows)
{
    char message[600];
    if (run(text, threads, NULL, mem, rows, message) != VARVE_OK)
        fail_msg("%s\n  %s", text, message);
}

static bool is_same(const struct relation *a, const struct relation *b)
{
    bool same = a->rows == b->rows && a->columns == b->columns;
    for (uint64_t r = 0; same && r < a->rows; r++)
        for (uint32_t c = 0; same && c < a->columns; c++) {
            struct value x = relation_row(a, r)[c], y = relation_row(b, r)[c];
            same = x.type == y.type &&
                   (x.type == TYPE_TEXT ? str_equal(value_str(x), value_str(y)) : x.as.i == y.as.i);
        }
    return same;
}

static void test_same_bits(void **state)
{
    (void)state;
    struct prng prng = prng_start(11);
    struct mem mem;
    mem_init(&mem, NULL, 0);
    make_store(&prng);
    for (size_t i = 0; i < STATEMENTS; i++) {
        struct relation want, rows;
        must_run(statements[i], 1, &mem, &want);
        for (unsigned threads = 2; threads < 11; threads++) {
            must_run(statements[i], threads, &mem, &rows);
            if (!is_same(&want, &rows))
                fail_msg("%s: other rows with %u threads", statements[i], threads);
            relation_free(&rows);
        }
        relation_free(&want);
    }
    small_store_end(&small);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct prng prng = prng_start(12);
    struct alloc_fault fault;
    struct mem mem;
    mem_init(&mem, NULL, 0);
    alloc_fault_init(&fault);
    make_store(&prng);
    for (size_t i = 0; i < STATEMENTS; i++) {
        struct relation want;
        must_run(statements[i], 1, &mem, &want);
        for (int mode = ALLOC_FAULT_ONCE; mode <= ALLOC_FAULT_STICKY; mode++)
            for (uint64_t nth = 1, failed = 1; failed > 0; nth += 1 + nth / 16) {
                char message[600];
                struct relation rows;
                alloc_fault_arm(&fault, (enum alloc_fault_mode)mode, nth);
                enum varve_status status =
                    run(statements[i], 3, &fault.allocator, &mem, &rows, message);
                failed = fault.failed;
                if (status != VARVE_OK && (status != VARVE_NOMEM || !failed))
                    fail_msg("%s, request %u: %s", statements[i], (unsigned)nth, message);
                if (status == VARVE_OK && !is_same(&want, &rows))
                    fail_msg("%s, request %u: other rows", statements[i], (unsigned)nth);
                relation_free(&rows);
            }
        relation_free(&want);
    }
    assert_true(alloc_fault_is_clean(&fault));
    small_store_end(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits),
                                       cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
