/* SPDX-License-Identifier: Apache-2.0
 *
 * test_parse.c -- statements to trees and back.
 *
 * What the grammar takes and how it refuses stands in parse.txt.  Here: that file
 * is read, random trees survive being printed, the bounds hold, places are right, and without
 * memory there is an error and no leak.
 */
#include "../base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "lang/parse.h"
#include "lang/print.h"
#include "random_ast.h"

enum { LINE_BYTES = 4096, CASE_BYTES = 16384 };

struct bench {
    struct mem mem;
    struct arena arena;
    struct buf text;
};

static void bench_open(struct bench *b)
{
    mem_init(&b->mem, NULL, 0);
    arena_init(&b->arena, &b->mem, 4096);
    buf_init(&b->text, &b->mem, 64 << 20);
}

static void bench_close(struct bench *b)
{
    buf_free(&b->text);
    arena_free(&b->arena);
    assert_int_equal(b->mem.used, 0);
}

static enum varve_status
parse(struct bench *b, const char *text, struct statement **statement, struct lang_error *error)
{
    return parse_statement(text, strlen(text), &b->arena, statement, error);
}

static struct statement *parsed(struct bench *b, const char *text)
{
    struct statement *statement;
    struct lang_error error;
    if (parse(b, text, &statement, &error) != VARVE_OK)
        fail_msg("%s: %s", text, error.message);
    return statement;
}

/* ---- parse.txt -------------------------------------------------------------------------- */

struct example {
    int line;
    char statement[CASE_BYTES], canonical[CASE_BYTES], caret[LINE_BYTES], message[LINE_BYTES];
};

static void append(char *to, size_t room, const char *line)
{
    const size_t size = strlen(to);
    assert_true(size + strlen(line) + 2 < room);
    snprintf(to + size, room - size, "%s%s", size ? "\n" : "", line);
}

/* The next example; false: there are no more. */
static bool read_example(FILE *file, struct example *example, int *line_number)
{
    char line[LINE_BYTES];
    *example = (struct example){.line = 0};
    while (fgets(line, sizeof line, file)) {
        ++*line_number;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' && example->line)
            return true;
        if (line[0] == '\0' || line[0] == '#')
            continue;
        if (!example->line)
            example->line = *line_number;
        if (line[0] == '>')
            append(example->statement, CASE_BYTES, line + 2);
        else if (line[0] == '=')
            append(example->canonical, CASE_BYTES, line + 2);
        else if (line[0] == '^')
            append(example->caret, LINE_BYTES, line + 2);
        else
            append(example->message, LINE_BYTES, line + 2);
    }
    return example->line > 0;
}

static void check_refusal(const struct example *example, enum varve_status status,
                          const struct lang_error *error)
{
    char message[LINE_BYTES];
    const size_t column = strspn(example->caret, " "), width = strlen(example->caret) - column;
    const char *name = status_name(status);
    snprintf(message, sizeof message, "%s: %s", name + strlen("VARVE_"), error->message);
    if (strcmp(message, example->message) != 0)
        fail_msg("parse.txt:%d: %s", example->line, message);
    const size_t size = error->place.until - error->place.from;
    if (error->place.from != column || (size ? size : 1) != width)
        fail_msg("parse.txt:%d: the place is %u to %u", example->line, error->place.from,
                 error->place.until);
}

static void check_example(const struct example *example)
{
    struct bench b;
    struct statement *statement = NULL;
    struct lang_error error;
    bench_open(&b);
    const enum varve_status status = parse(&b, example->statement, &statement, &error);
    if (example->message[0] && status == VARVE_OK)
        fail_msg("parse.txt:%d: it was taken", example->line);
    if (example->message[0]) {
        check_refusal(example, status, &error);
    } else if (status != VARVE_OK) {
        fail_msg("parse.txt:%d: %s", example->line, error.message);
    } else {
        print_statement(&b.text, statement);
        buf_put8(&b.text, 0);
        assert_int_equal(buf_status(&b.text, NULL), VARVE_OK);
        if (strcmp((char *)b.text.data, example->canonical) != 0)
            fail_msg("parse.txt:%d: %s", example->line, (char *)b.text.data);
        assert_true(ast_equal(statement, parsed(&b, example->canonical)));
    }
    bench_close(&b);
}

static void test_examples(void **state)
{
    (void)state;
    static struct example example;
    char path[LINE_BYTES];
    const char *root = getenv("VARVE_SRC");
    int line = 0, count = 0;
    snprintf(path, sizeof path, "%s/tests/lang/parse.txt", root ? root : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (; read_example(file, &example, &line); count++)
        check_example(&example);
    fclose(file);
    assert_true(count > 200);
}

/* ---- trees ------------------------------------------------------------------------------ */

static void test_random_trees(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct random_ast random = {seed, &b.arena};
        const struct statement *statement = random_statement(&random);
        struct statement *again;
        struct lang_error error;
        print_statement(&b.text, statement);
        assert_int_equal(buf_status(&b.text, NULL), VARVE_OK);
        const enum varve_status status =
            parse_statement((char *)b.text.data, b.text.size, &b.arena, &again, &error);
        if (status != VARVE_OK || !ast_equal(statement, again))
            fail_msg("seed %llu: %s: %.*s", (unsigned long long)seed,
                     status == VARVE_OK ? "not equal" : error.message, (int)b.text.size,
                     (char *)b.text.data);
        buf_clear(&b.text);
        arena_clear(&b.arena);
    }
    bench_close(&b);
}

/* Each pair differs in one thing, and ast_equal sees it. */
static void test_not_equal(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"select a", "select b"},
        {"select a", "select distinct a"},
        {"select a", "select a, a"},
        {"select a as b", "select a as c"},
        {"select a fill 0", "select a fill 0.0"},
        {"select 0.0", "select -0.0"},
        {"select a since 1h", "select a since 2h"},
        {"select a since 1h", "select a since 1h until now"},
        {"select a since now", "select a since now - 1h"},
        {"select a since start of day", "select a since start of week"},
        {"select a during this week", "select a during last week"},
        {"select a during '2026'", "select a during '2025'"},
        {"select a every day", "select a every week"},
        {"select a every day", "select a every day tz 'UTC'"},
        {"select a compare to 1d ago", "select a compare to 2d ago"},
        {"select a top 5 by a", "select a bottom 5 by a"},
        {"select a top 5 by a", "select a top 5 by a with other"},
        {"select a order by a", "select a order by a desc"},
        {"select a limit 1", "select a limit 1 skip 1"},
        {"select a{b='c'}", "select a{b!='c'}"},
        {"select a offset 1h", "select a offset -1h"},
        {"select f(a)", "select f(distinct a)"},
        {"select f(a)", "select f(a) filter (where b)"},
        {"select a in (1)", "select a not in (1)"},
        {"select case when a then b else c end", "select case when a then b end"},
        {"select case a when b then c end", "select case when b then c else a end"},
        {"select a union select b", "select a union all select b"},
        {"with x as (select a) select b", "with x as (select c) select b"},
        {"explain select a", "explain analyze select a"},
        {"explain select a", "explain promql select a"},
        {"create alert a as select b when c check every 1m",
         "create alert a as select b having c check every 1m"},
        {"create alert a as select b check every 1m",
         "create alert a as select b for 1m check every 1m"},
        {"create alert a as up when b check every 1m", "create alert a as up check every 1m"},
        {"create view a as select b", "create or replace view a as select b"},
        {"create lookup a from 'b' on c", "create lookup a from 'b' on d"},
        {"alter retention a to 1d", "alter retention a to forever"},
        {"delete from a where b", "delete from * where b"},
        {"set a = 1", "set a = 2"},
        {"drop view a", "drop panel a"},
        {"show labels", "show labels of a"},
    };
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (ast_equal(parsed(&b, pairs[i][0]), parsed(&b, pairs[i][1])))
            fail_msg("%s; %s", pairs[i][0], pairs[i][1]);
    assert_true(ast_equal(parsed(&b, "select \"a\""), parsed(&b, "SELECT a;")));
    bench_close(&b);
}

/* ---- places ----------------------------------------------------------------------------- */

static void assert_place(const char *text, struct place place, const char *what)
{
    const int size = (int)(place.until - place.from);
    if (strlen(what) != (size_t)size || memcmp(text + place.from, what, (size_t)size) != 0)
        fail_msg("'%.*s', not '%s'", size, text + place.from, what);
}

static void test_places(void **state)
{
    (void)state;
    static const char text[] =
        "select a, 2 + rate(cost{x='y'} offset 1h, 5m) as r from tab where not b = 'c' "
        "since 7d until now - 1h every 1h by m top 5 by r with other -- end";
    struct bench b;
    bench_open(&b);
    const struct statement *statement = parsed(&b, text);
    const struct select *select = &statement->query->parts[0].select;
    const struct expr *sum = select->items[1].expr, *call = sum->args[1];
    assert_place(text, statement->place,
                 "select a, 2 + rate(cost{x='y'} offset 1h, 5m) as r from "
                 "tab where not b = 'c' since 7d until now - 1h every 1h "
                 "by m top 5 by r with other");
    assert_place(text, select->items[1].place, "2 + rate(cost{x='y'} offset 1h, 5m) as r");
    assert_place(text, sum->place, "2 + rate(cost{x='y'} offset 1h, 5m)");
    assert_place(text, call->place, "rate(cost{x='y'} offset 1h, 5m)");
    assert_place(text, call->args[0]->place, "cost{x='y'} offset 1h");
    assert_place(text, call->args[0]->selector->matchers[0].place, "x='y'");
    assert_place(text, call->args[1]->place, "5m");
    assert_place(text, select->from_place, "tab");
    assert_place(text, select->where->place, "not b = 'c'");
    assert_place(text, select->range.place, "since 7d until now - 1h");
    assert_place(text, select->range.until->place, "now - 1h");
    assert_place(text, select->every.place, "every 1h");
    assert_place(text, select->top.place, "top 5 by r with other");
    assert_int_equal(sum->height, 3);
    bench_close(&b);
}

/* PromQL is handed on byte for byte, so that its own messages can point into the statement. */
static void test_promql(void **state)
{
    (void)state;
    static const char text[] = "create alert a as # why\n sum(x) # é\n > 5 \n check every 1m";
    struct bench b;
    bench_open(&b);
    const struct statement *body = parsed(&b, text)->create.body;
    assert_int_equal(body->kind, STATEMENT_PROMQL);
    assert_int_equal(body->text.size, body->place.until - body->place.from);
    assert_memory_equal(body->text.data, "sum(x)     \n > 5", body->text.size);
    assert_memory_equal(text + body->place.from, "sum(x)", 6);
    assert_memory_equal(parsed(&b, "PROMQL\n--5")->text.data, "--5", 3);
    bench_close(&b);
    assert_true(parse_is_vql(" -- x\n select", 13));
    assert_true(parse_is_vql("PROMQL up", 9));
    assert_false(parse_is_vql("up", 2));
    assert_false(parse_is_vql("selects", 7));
    assert_false(parse_is_vql("", 0));
}

/* ---- bounds ----------------------------------------------------------------------------- */

/* head, then `piece` again and again up to `size` bytes, then tail. */
static char *repeated(const char *head, const char *piece, const char *tail, size_t size)
{
    char *text = malloc(size + strlen(head) + strlen(piece) + strlen(tail) + 1);
    assert_non_null(text);
    char *at = stpcpy(text, head);
    while ((size_t)(at - text) < size)
        at = stpcpy(at, piece);
    stpcpy(at, tail);
    return text;
}

/* 64 kB of anything are parsed or refused at once; the time is generous for slow machines. */
static void test_linear(void **state)
{
    (void)state;
    static const struct {
        const char *head, *piece, *tail;
        enum varve_status status;
    } texts[] = {
        {"select ", "(", "", VARVE_LIMIT},
        {"select ", "- ", "1", VARVE_LIMIT},
        {"select ", "not ", "a", VARVE_LIMIT},
        {"select ", "f(", "", VARVE_LIMIT},
        {"select ", "case when ", "", VARVE_LIMIT},
        {"select ", "a[", "", VARVE_INVALID},
        {"", "lint ", "select a", VARVE_LIMIT},
        {"", "explain ", "select a", VARVE_LIMIT},
        {"", "with a as (", "", VARVE_LIMIT},
        {"select 1", " + 1", "", VARVE_LIMIT},
        {"select a", " or a", "", VARVE_LIMIT},
        {"select a", ", a", "", VARVE_OK},
        {"select a in (1", ", 1", ")", VARVE_OK},
        {"select f(1", ", 1", ")", VARVE_OK},
        {"select a{", "b='c', ", "}", VARVE_OK},
        {"select 1", " union select 1", "", VARVE_OK},
        {"select a since now", " + 1ns", "", VARVE_OK},
        {"select a -- ", "/* ", "", VARVE_OK},
        {"select a ", "/* */ ", "", VARVE_OK},
        {"select '", "''", "'", VARVE_OK},
        {"select a ", "/* ", "", VARVE_INCOMPLETE},
        {"select ", "a", "", VARVE_OK},
        {"select 1", "1", "", VARVE_INVALID},
        {"select 1.", "1", "", VARVE_INVALID},
        {"create alert a as ", "for -- ", "\n1", VARVE_INCOMPLETE},
        {"create alert a as ", "on ", "", VARVE_INCOMPLETE},
        {"", "(", "", VARVE_INCOMPLETE},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bench b;
        struct statement *statement;
        struct lang_error error = {{0, 0}, ""};
        char *text = repeated(texts[i].head, texts[i].piece, texts[i].tail, 64 << 10);
        bench_open(&b);
        const int64_t begin = clock_monotonic();
        const enum varve_status status = parse(&b, text, &statement, &error);
        const int64_t elapsed = clock_monotonic() - begin;
        if (status != texts[i].status || elapsed > NS_PER_SECOND)
            fail_msg("'%s' again and again: %d (%s), %lld us", texts[i].piece, status,
                     error.message, (long long)elapsed / 1000);
        free(text);
        bench_close(&b);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct bench b;
    struct statement *statement;
    struct lang_error error;
    char *text = repeated("select ", " ", "a", PARSE_BYTES);
    bench_open(&b);
    assert_int_equal(parse_statement(text, PARSE_BYTES + 1, &b.arena, &statement, &error),
                     VARVE_LIMIT);
    assert_int_equal(parse_statement("select 'a\xff'", 11, &b.arena, &statement, &error),
                     VARVE_INVALID);
    assert_int_equal(error.place.from, 9);
    assert_int_equal(parse_statement("select \xc3\xa9 \xe2\x82", 12, &b.arena, &statement, &error),
                     VARVE_INVALID);
    assert_int_equal(error.place.from, 10);
    assert_int_equal(parse_statement("select '\0'", 10, &b.arena, &statement, &error),
                     VARVE_INVALID);
    assert_int_equal(error.place.from, 8);
    assert_int_equal(parse_statement("selct a", 7, &b.arena, &statement, NULL), VARVE_INVALID);
    assert_int_equal(parse_statement("", 0, &b.arena, &statement, &error), VARVE_INCOMPLETE);
    free(text);
    bench_close(&b);
}

/* ---- without memory --------------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "with x as (select f(a, 'b''c', 1h) filter (where d{e=\"f\"} @ now > 1) as g from t since "
        "'2026-10-03' every 1h tz 'UTC' by a, b, c, d, e top 5 by g with other 'h' order by a) "
        "select case a when 1 then 2 else 3 end fill 0 from x during 2026 union select 1",
        "create or replace alert a as sum(x) when b > 1 message 'c' check every 1m",
        "create lookup a from 'b' on c",
        "delete from a where b in ('c') since 1h",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct alloc_fault fault;
        alloc_fault_init(&fault);
        for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
            struct mem mem;
            struct arena arena;
            struct statement *statement;
            struct lang_error error;
            mem_init(&mem, &fault.allocator, 0);
            arena_init(&arena, &mem, 16);
            const enum varve_status status =
                parse_statement(texts[i], strlen(texts[i]), &arena, &statement, &error);
            assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
            arena_free(&arena);
            assert_true(alloc_fault_is_clean(&fault));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),  cmocka_unit_test(test_random_trees),
        cmocka_unit_test(test_not_equal), cmocka_unit_test(test_places),
        cmocka_unit_test(test_promql),    cmocka_unit_test(test_linear),
        cmocka_unit_test(test_bounds),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
