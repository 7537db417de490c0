/* SPDX-License-Identifier: Apache-2.0
 *
 * test_exec.c -- plans are run, stopped and closed: what is no plan is refused, limits are named
 * with their remedy, named results are made once and in order, and the operators that pass rows on
 * do so without keeping them.
 */
#include "../base/unit.h"

#include "../base/prng.h"
#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "plans.h"

static struct plans plans;

static int setup(void **state)
{
    (void)state;
    plans_begin(&plans);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    plans_end(&plans);
    return 0;
}

/* Runs a plan that has to fail; the message has to have the words. */
static void refused(struct node *root, enum varve_status expected, const char *words)
{
    struct mem mem;
    struct relation result;
    struct varve_err err = {0};
    mem_init(&mem, NULL, 0);
    assert_int_equal(plans_run(&plans, root, &mem, &result, &err), expected);
    if (!strstr(err.message, words))
        fail_msg("'%s' lacks '%s'", err.message, words);
    relation_free(&result);
    assert_int_equal(mem.used, 0);
}

/* Numbers from 0 in rows of one column. */
static struct node *numbers(uint64_t count)
{
    uint32_t number;
    struct node *node = plans_source(&plans, 1, &number);
    for (uint64_t i = 0; i < count; i++) {
        struct value *row = relation_add(&plans.named[number], NULL);
        assert_non_null(row);
        *row = value_int(TYPE_INT, (int64_t)i);
    }
    return node;
}

/* ---- plans that are none ---------------------------------------- */

static void test_what_is_no_plan(void **state)
{
    (void)state;
    refused(NULL, VARVE_MISUSE, "not a node");
    struct node *node = plans_node(&plans, NODE_KINDS, 0, 0, NULL);
    refused(node, VARVE_MISUSE, "not a node");
    node->kind = NODE_SORT;
    refused(node, VARVE_MISUSE, "SORT has 0 inputs, not 1");
    node->kind = NODE_VALUES;
    node->number = 1000;
    refused(node, VARVE_MISUSE, "not a node");
}

static void test_columns_that_are_not_there(void **state)
{
    (void)state;
    struct node *input = plans_given(&plans, 2, "1 2; 3 4");
    struct node *pick = plans_over(&plans, NODE_PICK, 1, input);
    pick->as.pick.from = (uint32_t[]){2};
    refused(pick, VARVE_MISUSE, "column 2 of 2");
    struct node *sort = plans_over(&plans, NODE_SORT, 2, input);
    sort->as.sort.by = (uint32_t[]){7};
    sort->as.sort.count = 1;
    refused(sort, VARVE_MISUSE, "column 7 of 2");
    struct node *compute = plans_over(&plans, NODE_COMPUTE, 4, input);
    refused(compute, VARVE_MISUSE, "COMPUTE has 4 columns, not 2");
    struct node *limit = plans_over(&plans, NODE_LIMIT, 2, input);
    limit->as.limit.numbered = true;
    refused(limit, VARVE_MISUSE, "LIMIT has 2 columns, not 3");
    struct node *named = plans_node(&plans, NODE_NAMED, 1, 0, NULL);
    named->as.named.number = 1;
    refused(named, VARVE_MISUSE, "NAMED 1 of 1");
    named->as.named.number = 0;
    refused(named, VARVE_MISUSE, "NAMED made 2 columns, not 1");
}

static void test_too_deep(void **state)
{
    (void)state;
    struct node *node = plans_node(&plans, NODE_VALUES, 0, 0, NULL);
    for (int i = 0; i < 400; i++)
        node = plans_over(&plans, NODE_DISTINCT, 0, node);
    assert_string_equal(plans_result(&plans, node), "");
    for (int i = 0; i < 200; i++)
        node = plans_over(&plans, NODE_DISTINCT, 0, node);
    refused(node, VARVE_LIMIT, "nests more than 500 steps");
}

/* ---- named results ---------------------------------------- */

static void test_named_results(void **state)
{
    (void)state;
    struct node *given = plans_given(&plans, 1, "3; 1; 2");
    /* named 1: the given rows, sorted; named 2: two of them; the root reads both. */
    struct node *sort = plans_over(&plans, NODE_SORT, 0, given);
    struct node *first = plans_node(&plans, NODE_NAMED, 1, 0, NULL);
    first->as.named.number = 1;
    struct node *limit = plans_over(&plans, NODE_LIMIT, 0, first);
    limit->as.limit.count = 2;
    plans.named_nodes[1] = sort;
    plans.named_nodes[2] = limit;
    plans.plan.named_count = 3;
    struct node *second = plans_node(&plans, NODE_NAMED, 1, 0, NULL);
    second->as.named.number = 2;
    struct node *again = plans_node(&plans, NODE_NAMED, 1, 0, NULL);
    again->as.named.number = 2;
    struct node *all = plans_node(&plans, NODE_SET, 0, 2, (struct node *[]){second, again});
    all->as.set.op = SET_UNION_ALL;
    assert_string_equal(plans_result(&plans, all), "1; 1; 2; 2");
    assert_int_equal(plans.stats[sort->number].rows, 3);
    assert_int_equal(plans.stats[given->number].batches, 1);
    /* One that needs a later one. */
    first->as.named.number = 2;
    refused(all, VARVE_MISUSE, "read before it is made");
    plans.plan.named_count = 4;
    first->as.named.number = 1;
    refused(all, VARVE_MISUSE, "named result 3 was not given");
}

/* ---- stopping ---------------------------------------- */

static int stop_after(void *context)
{
    int *left = context;
    return --*left < 0;
}

static void test_stopping(void **state)
{
    (void)state;
    uint32_t number;
    struct prng prng = prng_start(4);
    struct node *rows = plans_source(&plans, 1, &number);
    for (int i = 0; i < 100000; i++)
        *relation_add(&plans.named[number], NULL) =
            value_int(TYPE_INT, (int64_t)prng_below(&prng, 1000000));
    struct node *sort = plans_over(&plans, NODE_SORT, 0, rows);
    int asked = 10000;
    plans.options.stop = stop_after;
    plans.options.stop_context = &asked;
    assert_non_null(plans_result(&plans, sort));
    asked = 10000 - asked;
    assert_true(asked > 2 * 98 + 20); /* also while it sorts */
    for (int after = 0; after < asked; after += 1 + after / 20) {
        int left = after;
        plans.options.stop = stop_after;
        plans.options.stop_context = &left;
        refused(sort, VARVE_INTERRUPTED, "stopped");
        assert_int_equal(left, -1);
    }
}

static void test_deadline(void **state)
{
    (void)state;
    struct node *rows = numbers(10000);
    plans.options.deadline = clock_monotonic() - 1;
    plans.options.timeout = 5 * NS_PER_SECOND;
    refused(rows, VARVE_LIMIT, "took longer than 5 s (--timeout)");
    plans.options.timeout = NS_PER_SECOND / 4;
    refused(rows, VARVE_LIMIT, "took longer than 0.25 s (--timeout)");
    plans.options.deadline = clock_monotonic() + 1000 * NS_PER_SECOND;
    assert_non_null(plans_result(&plans, rows));
}

static void test_row_cap(void **state)
{
    (void)state;
    struct node *rows = numbers(2000);
    plans.options.max_rows = 2000;
    assert_non_null(plans_result(&plans, rows));
    plans.options.max_rows = 1999;
    refused(rows, VARVE_LIMIT, "more than 1999 rows; add a LIMIT or allow more (--max-rows)");
}

static void test_memory_cap(void **state)
{
    (void)state;
    struct mem mem;
    struct relation result;
    struct varve_err err;
    struct node *sort = plans_over(&plans, NODE_SORT, 0, numbers(200000));
    mem_init(&mem, NULL, 1 << 20);
    assert_int_equal(plans_run(&plans, sort, &mem, &result, &err), VARVE_LIMIT);
    assert_non_null(strstr(err.message, "more than 1 MiB of memory"));
    assert_non_null(strstr(err.message, "--max-memory"));
    assert_int_equal(mem.used, 0);
    relation_free(&result);
}

/* ---- operators that pass rows on ---------------------------------------- */

static void test_values_and_compute(void **state)
{
    (void)state;
    struct node *values = plans_node(&plans, NODE_VALUES, 0, 0, NULL);
    struct node *compute = plans_over(&plans, NODE_COMPUTE, 2, values);
    struct term *one = plans_const(&plans, value_int(TYPE_INT, 1));
    struct term *terms[] = {plans_call(&plans, FUNCTION_ADD, one, one), plans_column(&plans, 0)};
    compute->as.compute.terms = terms;
    compute->as.compute.term_count = 2;
    assert_string_equal(plans_result(&plans, compute), "2 2");
}

static void test_compute_pick_filter(void **state)
{
    (void)state;
    struct node *rows = plans_given(&plans, 2, "1 a; 2 b; - c; 4 d");
    struct node *compute = plans_over(&plans, NODE_COMPUTE, 3, rows);
    struct term *ten = plans_const(&plans, value_int(TYPE_INT, 10));
    struct term *term = plans_call(&plans, FUNCTION_MUL, plans_column(&plans, 0), ten);
    compute->as.compute.terms = &term;
    compute->as.compute.term_count = 1;
    assert_string_equal(plans_result(&plans, compute), "1 a 10; 2 b 20; - c -; 4 d 40");
    struct node *filter = plans_over(&plans, NODE_FILTER, 0, compute);
    filter->as.filter.condition = plans_call(&plans, FUNCTION_GT, plans_column(&plans, 2),
                                             plans_const(&plans, value_int(TYPE_INT, 10)));
    assert_string_equal(plans_result(&plans, filter), "2 b 20; 4 d 40");
    struct node *pick = plans_over(&plans, NODE_PICK, 3, filter);
    pick->as.pick.from = (uint32_t[]){2, 1, 1};
    assert_string_equal(plans_result(&plans, pick), "20 b b; 40 d d");
    struct node *limit = plans_over(&plans, NODE_LIMIT, 4, pick);
    limit->as.limit.count = -1;
    limit->as.limit.skip = 1;
    limit->as.limit.numbered = true;
    assert_string_equal(plans_result(&plans, limit), "40 d d 1");
}

static void test_limit(void **state)
{
    (void)state;
    struct node *rows = numbers(5000);
    struct node *filter = plans_over(&plans, NODE_FILTER, 0, rows); /* every third */
    struct term *rest = plans_call(&plans, FUNCTION_MOD, plans_column(&plans, 0),
                                   plans_const(&plans, value_int(TYPE_INT, 3)));
    filter->as.filter.condition =
        plans_call(&plans, FUNCTION_EQ, rest, plans_const(&plans, value_int(TYPE_INT, 0)));
    static const struct {
        int64_t count, skip;
        uint64_t rows, batches;
    } cases[] = {{0, 0, 0, 0},     {1, 0, 1, 1},         {5, 338, 5, 2},
                 {5, 337, 5, 1},   {1000, 400, 1000, 5}, {-1, 1600, 67, 5},
                 {10, 1660, 7, 5}, {3, 1000000, 0, 5},   {-1, -5, 1667, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mem mem;
        struct relation result;
        struct node *limit = plans_over(&plans, NODE_LIMIT, 2, filter);
        limit->as.limit.count = cases[i].count;
        limit->as.limit.skip = cases[i].skip;
        limit->as.limit.numbered = true;
        mem_init(&mem, NULL, 0);
        assert_int_equal(plans_run(&plans, limit, &mem, &result, NULL), VARVE_OK);
        assert_int_equal(result.rows, cases[i].rows);
        assert_int_equal(plans.stats[rows->number].batches, cases[i].batches);
        int64_t skip = cases[i].skip < 0 ? 0 : cases[i].skip;
        for (uint64_t r = 0; r < result.rows; r++) {
            assert_int_equal(relation_row(&result, r)[0].as.i, 3 * (skip + (int64_t)r));
            assert_int_equal(relation_row(&result, r)[1].as.i, r + 1);
        }
        relation_free(&result);
    }
}

static void test_passing_takes_no_memory(void **state)
{
    (void)state;
    struct node *rows = numbers(300000);
    struct node *filter = plans_over(&plans, NODE_FILTER, 0, rows);
    filter->as.filter.condition = plans_call(&plans, FUNCTION_GE, plans_column(&plans, 0),
                                             plans_const(&plans, value_int(TYPE_INT, 10)));
    struct node *limit = plans_over(&plans, NODE_LIMIT, 0, filter);
    limit->as.limit.count = 290000;
    struct mem mem;
    struct relation result;
    mem_init(&mem, NULL, 1 << 18);
    assert_int_equal(plans_run(&plans, limit, &mem, &result, NULL), VARVE_OK);
    assert_int_equal(result.rows, 289990 + 10);
    assert_int_equal(plans.stats[limit->number].rows, 290000);
    assert_true(plans.stats[limit->number].nanos >= plans.stats[filter->number].nanos);
    relation_free(&result);
}

/* ---- no memory ---------------------------------------- */

static struct node *plan_of_everything(void)
{
    struct node *named = plans_given(&plans, 3, "@0 a 1; @10 b 2; @20 a 3; @20 c 4; @30 - 5");
    struct node *a = plans_over(&plans, NODE_FILTER, 0, named);
    a->as.filter.condition = plans_call(&plans, FUNCTION_LT, plans_column(&plans, 2),
                                        plans_const(&plans, value_int(TYPE_INT, 5)));
    struct node *b = plans_given(&plans, 3, "@10 a 1n; @30 z 2n");
    struct node *align = plans_node(&plans, NODE_ALIGN, 4, 2, (struct node *[]){a, b});
    align->as.align.inputs = (struct align_input[]){{true, true, true}, {true, true, true}};
    struct align_input *inputs = arena_alloc(&plans.arena, 2 * sizeof *inputs);
    memcpy(inputs, align->as.align.inputs, 2 * sizeof *inputs);
    align->as.align.inputs = inputs;
    align->has_bucket = true;
    align->key_count = 1;
    struct node *grid = plans_over(&plans, NODE_GRID, 0, align);
    grid->has_bucket = true;
    grid->key_count = 1;
    grid->as.grid.bucket = (struct bucket){.kind = BUCKET_FIXED, .width = 10};
    grid->as.grid.range = (struct time_range){0, 40};
    struct node *fill = plans_over(&plans, NODE_FILL, 0, grid);
    struct fill *fills = arena_zalloc(&plans.arena, 4 * sizeof *fills);
    fills[2].kind = FILL_PREV;
    fills[3].kind = FILL_LINEAR;
    fill->as.fill.fills = fills;
    fill->has_bucket = true;
    fill->key_count = 1;
    struct node *shift = plans_over(&plans, NODE_SHIFT, 0, fill);
    shift->has_bucket = true;
    shift->key_count = 1;
    shift->as.shift.bucket = grid->as.grid.bucket;
    shift->as.shift.from = grid->as.grid.range;
    shift->as.shift.to = (struct time_range){100, 140};
    struct node *again = plans_over(&plans, NODE_DISTINCT, 0, shift);
    struct node *set = plans_node(&plans, NODE_SET, 0, 2, (struct node *[]){again, align});
    set->as.set.op = SET_UNION;
    struct node *sort = plans_over(&plans, NODE_SORT, 0, set);
    uint32_t *by = arena_zalloc(&plans.arena, sizeof *by);
    bool *descending = arena_zalloc(&plans.arena, sizeof *descending);
    *by = 1;
    *descending = true;
    sort->as.sort.by = by;
    sort->as.sort.descending = descending;
    sort->as.sort.count = 1;
    struct node *limit = plans_over(&plans, NODE_LIMIT, 5, sort);
    limit->as.limit.count = 7;
    limit->as.limit.numbered = true;
    return limit;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct node *root = plan_of_everything();
    const char *expected = plans_result(&plans, root);
    assert_string_equal(expected, "@30 z - 2n 1; @100 z - - 2; @110 z - - 3; @120 z - - 4; "
                                  "@130 z - 2n 5; @20 c 4 - 6; @100 c - - 7");
    alloc_fault_init(&fault);
    int rounds = 0;
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault); rounds++) {
        struct mem mem;
        struct relation result;
        struct varve_err err = {0};
        mem_init(&mem, &fault.allocator, 0);
        enum varve_status status = plans_run(&plans, root, &mem, &result, &err);
        assert_true(status == VARVE_OK || (status == VARVE_NOMEM && err.message[0]));
        if (status == VARVE_OK)
            assert_string_equal(plans_print(&plans, &result), expected);
        relation_free(&result);
        assert_true(alloc_fault_is_clean(&fault));
        assert_int_equal(mem.used, 0);
    }
    assert_true(rounds > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_no_plan),
        TEST(test_columns_that_are_not_there),
        TEST(test_too_deep),
        TEST(test_named_results),
        TEST(test_stopping),
        TEST(test_deadline),
        TEST(test_row_cap),
        TEST(test_memory_cap),
        TEST(test_values_and_compute),
        TEST(test_compute_pick_filter),
        TEST(test_limit),
        TEST(test_passing_takes_no_memory),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
