/* SPDX-License-Identifier: Apache-2.0
 *
 * test_lower.c -- statements and the plans that are made of them, as text.
 *
 * lower.txt has a statement, a line of two dashes, and what EXPLAIN says of its plan or where and
 * why it is refused; an empty line ends it.  The time is always 2026-10-08T12:30:00Z.  With
 * LOWER_UPDATE=FILE in the environment the answers are written to FILE, in the same form.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "lang/explain.h"
#include "lang/lower.h"
#include "lang/parse.h"
#include "made_up_schema.h"
#include "plan_check.h"

static const struct lower_options options = {.now = INT64_C(1791462600) * NS_PER_SECOND};

static enum varve_status make_plan(struct arena *arena, const char *text, size_t size,
                                   struct plan **plan, struct lang_error *error)
{
    struct statement *statement;
    struct varve_err err = {0};
    enum varve_status status = parse_statement(text, size, arena, &statement, error);
    if (status != VARVE_OK)
        return status;
    if (statement->kind == STATEMENT_CREATE)
        statement = statement->create.body;
    return lower_statement(statement, &made_up_schema, &options, arena, plan, error, &err);
}

/* The plan as text, with its columns; or the error. */
static void answer(const char *text, size_t size, struct buf *out)
{
    struct mem mem;
    struct arena arena;
    struct plan *plan;
    struct lang_error error = {0};
    char line[400];
    mem_init(&mem, NULL, 0);
    arena_init(&arena, &mem, 4096);
    enum varve_status status = make_plan(&arena, text, size, &plan, &error);
    if (status == VARVE_OK) {
        const char *wrong = plan_check(plan);
        if (wrong)
            fail_msg("%.*s: %s", (int)size, text, wrong);
        explain_plan(out, plan, NULL);
        for (uint32_t i = 0; i < plan->root->column_count; i++) {
            const struct column_info *column = &plan->root->columns[i];
            snprintf(line, sizeof line, "%s%.*s %s%s%.*s", i ? ", " : "= ", STR_ARG(column->name),
                     value_type_name(column->type), column->unit.size ? " " : "",
                     STR_ARG(column->unit));
            buf_put(out, line, strlen(line));
        }
        buf_put8(out, '\n');
    } else {
        snprintf(line, sizeof line, "%s %u-%u: %s\n", status_name(status) + 6,
                 (unsigned)error.place.from, (unsigned)error.place.until, error.message);
        buf_put(out, line, strlen(line));
    }
    arena_free(&arena);
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s cannot be opened", path);
    char *text = malloc(1 << 20);
    assert_non_null(text);
    *size = fread(text, 1, 1 << 20, file);
    fclose(file);
    return text;
}

/* Behind the next occurrence of what ends a part; the end of the text if there is none. */
static const char *find_end(const char *at, const char *end, const char *what, size_t *length)
{
    size_t size = strlen(what);
    for (const char *p = at; p + size <= end; p++)
        if (memcmp(p, what, size) == 0) {
            *length = (size_t)(p - at);
            return p + size;
        }
    *length = (size_t)(end - at);
    return end;
}

static void
check_block(const char *statement, size_t size, const char *expected, size_t length, FILE *update)
{
    struct mem mem;
    struct buf out;
    mem_init(&mem, NULL, 0);
    buf_init(&out, &mem, 1 << 20);
    answer(statement, size, &out);
    assert_int_equal(buf_status(&out, NULL), VARVE_OK);
    if (update)
        fprintf(update, "%.*s\n--\n%.*s\n", (int)size, statement, (int)out.size,
                (const char *)out.data);
    else if (out.size != length + 1 || memcmp(out.data, expected, length) != 0)
        fail_msg("%.*s\nexpected:\n%.*s\nfound:\n%.*s", (int)size, statement, (int)length, expected,
                 (int)out.size, (const char *)out.data);
    buf_free(&out);
}

static void test_statements(void **state)
{
    char path[1024];
    size_t size, length, expected;
    const char *to = getenv("LOWER_UPDATE"), *source = getenv("VARVE_SRC");
    FILE *update = to ? fopen(to, "wb") : NULL;
    unsigned blocks = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/tests/lang/lower.txt", source ? source : ".");
    char *text = read_file(path, &size);
    const char *at = text, *end = text + size;
    while (at < end) {
        if (*at == '#' || *at == '\n') {
            const char *next = find_end(at, end, "\n", &length);
            if (update)
                fprintf(update, "%.*s", *at == '#' ? (int)length + 2 : 0, at);
            at = next;
            continue;
        }
        const char *answer_at = find_end(at, end, "\n--\n", &length);
        const char *next = find_end(answer_at - 1, end, "\n\n", &expected);
        check_block(at, length, answer_at, expected ? expected - 1 : 0, update);
        at = next;
        blocks++;
    }
    assert_true(blocks > 100);
    if (update)
        fclose(update);
    free(text);
}

/* The n-th request for memory fails: that is said, or did no harm. */
static void test_no_memory(void **state)
{
    static const char *const statements[] = {
        "WITH d AS (SELECT increase(cost) AS usd BY model EVERY day SINCE 30d) "
        "SELECT avg(usd), share(max(usd)) FROM d BY model UNION SELECT tool_name, 1, 2 FROM "
        "failures",
        "SELECT increase(cost) AS usd, increase(tokens{type=~'a|b'}) FILL prev AS t, share(usd) "
        "WHERE model =~ 'x.*' BY team EVERY day TZ 'Europe/Paris' SINCE 9d COMPARE TO previous "
        "HAVING usd > 1 TOP 3 BY usd WITH OTHER ORDER BY usd_pct DESC LIMIT 3",
        "SELECT *, lower(tool_name) AS l FROM failures ORDER BY l LIMIT 3",
        "SELECT count(DISTINCT session_id), increase(cost) BY modle"};
    struct alloc_fault fault;
    (void)state;
    alloc_fault_init(&fault);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        enum varve_status usual = VARVE_OK, status = VARVE_OK;
        unsigned refused = 0;
        for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
            struct mem mem;
            struct arena arena;
            struct plan *plan;
            struct lang_error error;
            mem_init(&mem, &fault.allocator, 0);
            arena_init(&arena, &mem, 256);
            status = make_plan(&arena, statements[i], strlen(statements[i]), &plan, &error);
            if (status != VARVE_NOMEM)
                usual = status;
            assert_true(status == VARVE_NOMEM || status == usual);
            refused += status == VARVE_NOMEM;
            arena_free(&arena);
            assert_true(alloc_fault_is_clean(&fault));
        }
        assert_int_equal(status, i == 3 ? VARVE_NOTFOUND : VARVE_OK);
        assert_true(refused > 3);
    }
}

/* Chains of aliases that double or deepen are refused, in time. */
static void test_bounds(void **state)
{
    static char text[1 << 17];
    struct mem mem;
    struct lang_error error;
    struct plan *plan;
    (void)state;
    mem_init(&mem, NULL, 0);
    for (int doubles = 0; doubles < 2; doubles++) {
        struct arena arena;
        size_t at = (size_t)snprintf(text, sizeof text, "SELECT increase(cost) AS a0");
        for (int i = 1; i < 900; i++)
            at += (size_t)snprintf(text + at, sizeof text - at,
                                   doubles ? ", a%d + a%d AS a%d" : ", -a%d + 0 * %d AS a%d", i - 1,
                                   i - 1, i);
        arena_init(&arena, &mem, 4096);
        assert_int_equal(make_plan(&arena, text, at, &plan, &error), VARVE_LIMIT);
        arena_free(&arena);
    }
}

/* The 65th measure is one too many. */
static void test_measures(void **state)
{
    static char text[1 << 14];
    struct mem mem;
    struct lang_error error;
    struct plan *plan;
    (void)state;
    mem_init(&mem, NULL, 0);
    for (int count = 64; count <= 65; count++) {
        struct arena arena;
        size_t at = (size_t)snprintf(text, sizeof text, "SELECT increase(cost, 1s)");
        for (int i = 2; i <= count; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, ", increase(cost, %ds)", i);
        arena_init(&arena, &mem, 4096);
        assert_int_equal(make_plan(&arena, text, at, &plan, &error),
                         count == 64 ? VARVE_OK : VARVE_LIMIT);
        arena_free(&arena);
    }
    assert_string_equal(error.message, "a SELECT measures at most 64 columns");
}

static void test_stats(void **state)
{
    static const char text[] = "SELECT increase(cost) AS usd";
    struct mem mem;
    struct arena arena;
    struct plan *plan;
    struct lang_error error;
    struct buf out;
    struct node_stats stats[2] = {{.rows = 1, .batches = 1, .nanos = 1500000},
                                  {.rows = 7, .batches = 2, .scan.runs = 3, .bytes = 99}};
    (void)state;
    mem_init(&mem, NULL, 0);
    arena_init(&arena, &mem, 4096);
    buf_init(&out, &mem, 1 << 16);
    assert_int_equal(make_plan(&arena, text, sizeof text - 1, &plan, &error), VARVE_OK);
    assert_int_equal(plan->node_count, 2);
    explain_plan(&out, plan, stats);
    buf_put8(&out, 0);
    assert_int_equal(buf_status(&out, NULL), VARVE_OK);
    assert_non_null(strstr((const char *)out.data, "(1 rows, 1 batches, 1.500 ms)\n"));
    assert_non_null(strstr((const char *)out.data, "3 runs, 0 from headers, 0 blocks decoded, "
                                                   "0 points read, 99 bytes)\n"));
    buf_free(&out);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_bounds),     cmocka_unit_test(test_measures),
        cmocka_unit_test(test_stats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
