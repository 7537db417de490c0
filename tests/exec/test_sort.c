/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sort.c -- SORT, DISTINCT and SET against what they mean, said slowly: the order of a result
 * is total and does not depend on that of the input, a SORT under a LIMIT gives the first rows of
 * the whole order, and takes memory for them alone.
 */
#include "../base/unit.h"

#include "plans.h"
#include "random_values.h"

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

/* ---- by hand ---------------------------------------- */

static struct node *sort_by(struct node *input, uint32_t column, bool descending)
{
    struct node *node = plans_over(&plans, NODE_SORT, 0, input);
    uint32_t *by = arena_alloc(&plans.arena, sizeof *by);
    bool *down = arena_alloc(&plans.arena, sizeof *down);
    *by = column;
    *down = descending;
    node->as.sort.by = by;
    node->as.sort.descending = down;
    node->as.sort.count = 1;
    return node;
}

static struct node *limit_of(struct node *input, int64_t count, int64_t skip)
{
    struct node *node = plans_over(&plans, NODE_LIMIT, 0, input);
    node->as.limit.count = count;
    node->as.limit.skip = skip;
    return node;
}

static struct node *set_of(enum set_op op, struct node *a, struct node *b)
{
    struct node *node = plans_node(&plans, NODE_SET, 0, 2, (struct node *[]){a, b});
    node->as.set.op = op;
    return node;
}

static void test_sort(void **state)
{
    (void)state;
    struct node *rows = plans_given(&plans, 2, "2 b; 1 c; - a; 2 a; 1.5f z; 1500000000n y");
    assert_string_equal(plans_result(&plans, sort_by(rows, 0, false)),
                        "1 c; 1500000000n y; 1.5f z; 2 a; 2 b; - a");
    assert_string_equal(plans_result(&plans, sort_by(rows, 0, true)),
                        "2 a; 2 b; 1500000000n y; 1.5f z; 1 c; - a");
    assert_string_equal(plans_result(&plans, limit_of(sort_by(rows, 0, true), 2, 1)),
                        "2 b; 1500000000n y");
}

static void test_sets(void **state)
{
    (void)state;
    struct node *a = plans_given(&plans, 2, "2 b; 1 -; 2 b; - a; 1 -; 3 x");
    struct node *b = plans_given(&plans, 2, "2.0f b; 1 -; 4 q; 4 q");
    assert_string_equal(plans_result(&plans, plans_over(&plans, NODE_DISTINCT, 0, a)),
                        "1 -; 2 b; 3 x; - a");
    assert_string_equal(plans_result(&plans, set_of(SET_UNION_ALL, a, b)),
                        "1 -; 1 -; 1 -; 2 b; 2 b; 2f b; 3 x; 4 q; 4 q; - a");
    assert_string_equal(plans_result(&plans, set_of(SET_UNION, b, a)), "1 -; 2 b; 3 x; 4 q; - a");
    assert_string_equal(plans_result(&plans, set_of(SET_EXCEPT, a, b)), "3 x; - a");
    assert_string_equal(plans_result(&plans, set_of(SET_INTERSECT, a, b)), "1 -; 2 b");
    assert_string_equal(plans_result(&plans, set_of(SET_INTERSECT, b, a)), "1 -; 2f b");
    assert_string_equal(plans_result(&plans, set_of(SET_EXCEPT, b, a)), "4 q");
    assert_string_equal(plans_result(&plans, set_of(SET_EXCEPT, a, a)), "");
}

static void test_sides_of_different_width(void **state)
{
    (void)state;
    struct mem mem;
    struct relation result;
    struct varve_err err = {0};
    struct node *a = plans_given(&plans, 1, "1"), *b = plans_given(&plans, 2, "1 2");
    mem_init(&mem, NULL, 0);
    struct node *set = set_of(SET_UNION, a, b);
    assert_int_equal(plans_run(&plans, set, &mem, &result, &err), VARVE_INVALID);
    assert_non_null(strstr(err.message, "2 and 1"));
    relation_free(&result);
}

/* ---- against what it means ---------------------------------------- */

static bool same(const struct value *a, const struct value *b, uint32_t count)
{
    const struct row_order order = {.columns = count};
    return row_compare(&order, a, b) == 0;
}

static void fill_random(uint32_t number, struct prng *prng, uint64_t rows)
{
    struct relation *relation = &plans.named[number];
    for (uint64_t i = 0; i < rows; i++) {
        struct value *row = relation_add(relation, NULL);
        assert_non_null(row);
        for (uint32_t c = 0; c < relation->columns; c++) {
            row[c] = prng_below(prng, 3) ? value_int(TYPE_INT, (int64_t)prng_below(prng, 4))
                                         : random_value(prng);
            if (row[c].type == TYPE_FLOAT && row[c].as.f != row[c].as.f)
                row[c] = value_null(); /* one NaN is like the other */
        }
    }
}

static struct relation run(struct node *root)
{
    struct mem mem;
    struct relation result;
    struct varve_err err;
    mem_init(&mem, NULL, 0);
    assert_int_equal(plans_run(&plans, root, &mem, &result, &err), VARVE_OK);
    assert_int_equal(mem.used, 0);
    return result;
}

/* The first of a SORT are the first of all of them. */
static void test_bounded_sort(void **state)
{
    (void)state;
    struct prng prng = prng_start(77);
    static const uint64_t sizes[] = {0, 1, 10, 1030, 5000, 9000};
    for (int round = 0; round < 40; round++) {
        uint32_t number;
        plans_end(&plans);
        plans_begin(&plans);
        struct node *rows = plans_source(&plans, 3, &number);
        fill_random(number, &prng, sizes[round % 6]);
        struct node *sort = sort_by(rows, (uint32_t)prng_below(&prng, 3), prng_below(&prng, 2));
        struct relation all = run(sort);
        struct node *pick = plans_over(&plans, NODE_PICK, 3, sort);
        pick->as.pick.from = (uint32_t[]){0, 1, 2};
        int64_t count = 1 + (int64_t)prng_below(&prng, round % 2 ? 20 : 3000);
        int64_t skip = (int64_t)prng_below(&prng, 3);
        struct relation first = run(limit_of(round % 3 ? pick : sort, count, skip));
        uint64_t expected = all.rows < (uint64_t)skip ? 0 : all.rows - (uint64_t)skip;
        if (expected > (uint64_t)count)
            expected = (uint64_t)count;
        assert_int_equal(first.rows, expected);
        for (uint64_t i = 0; i < expected; i++)
            assert_true(same(relation_row(&first, i), relation_row(&all, i + (uint64_t)skip), 3));
        relation_free(&all);
        relation_free(&first);
    }
}

static void test_bounded_sort_is_flat(void **state)
{
    (void)state;
    struct prng prng = prng_start(8);
    uint32_t number;
    char text[40];
    struct node *rows = plans_source(&plans, 2, &number);
    for (int i = 0; i < 400000; i++) { /* ever larger ones: each is a new first */
        struct value *row = relation_add(&plans.named[number], NULL);
        assert_non_null(row);
        int size = snprintf(text, sizeof text, "session %d of some length, it is", i);
        const char *copy = arena_copy(&plans.arena, text, (size_t)size);
        row[0] = value_int(TYPE_INT, i + (int64_t)prng_below(&prng, 3));
        row[1] = value_text((struct varve_str){copy, (size_t)size});
    }
    struct relation first = run(limit_of(sort_by(rows, 0, true), 10, 0));
    assert_int_equal(first.rows, 10);
    assert_true(relation_row(&first, 0)->as.i >= 399999);
    assert_true(plans.peak < 2000000);
    relation_free(&first);
}

static uint64_t count_equal(const struct relation *relation, const struct value *row)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < relation->rows; i++)
        count += row_equal(relation_row(relation, i), row, relation->columns);
    return count;
}

/* How often a row has to come in the result of a SET. */
static uint64_t expected_count(enum set_op op, uint64_t a, uint64_t b)
{
    switch (op) {
    case SET_UNION_ALL:
        return a + b;
    case SET_UNION:
        return a + b > 0;
    case SET_EXCEPT:
        return a > 0 && b == 0;
    case SET_INTERSECT:
        return a > 0 && b > 0;
    case SET_NONE:
        break;
    }
    return a > 0; /* DISTINCT */
}

static void check_set(const struct relation *result, enum set_op op)
{
    const struct row_order order = {.columns = 2};
    uint64_t total = 0;
    for (uint64_t i = 1; i < result->rows; i++)
        assert_true(row_compare(&order, relation_row(result, i - 1), relation_row(result, i)) <= 0);
    for (int side = 0; side < 2; side++)
        for (uint64_t i = 0; i < plans.named[side].rows; i++) {
            const struct value *row = relation_row(&plans.named[side], i);
            uint64_t expected = expected_count(op, count_equal(&plans.named[0], row),
                                               count_equal(&plans.named[1], row));
            assert_int_equal(count_equal(result, row), expected);
            total += expected;
        }
    assert_true(total >= result->rows); /* nothing else is in it */
    for (uint64_t i = 0; i < result->rows; i++)
        assert_true(count_equal(&plans.named[0], relation_row(result, i)) +
                        count_equal(&plans.named[1], relation_row(result, i)) >
                    0);
}

static void test_sets_against_naive(void **state)
{
    (void)state;
    struct prng prng = prng_start(31);
    for (int round = 0; round < 150; round++) {
        uint32_t a, b;
        plans_end(&plans);
        plans_begin(&plans);
        struct node *left = plans_source(&plans, 2, &a);
        struct node *right = plans_source(&plans, 2, &b);
        fill_random(a, &prng, prng_below(&prng, 60));
        fill_random(b, &prng, prng_below(&prng, 60));
        for (enum set_op op = SET_NONE; op <= SET_INTERSECT; op++) {
            struct node *node = op == SET_NONE ? plans_over(&plans, NODE_DISTINCT, 0, left)
                                               : set_of(op, left, right);
            struct relation result = run(node);
            check_set(&result, op);
            relation_free(&result);
        }
    }
}

/* The other way round the rows are the same to the last type. */
static void test_union_does_not_depend_on_sides(void **state)
{
    (void)state;
    struct prng prng = prng_start(32);
    uint32_t a, b;
    struct node *left = plans_source(&plans, 2, &a), *right = plans_source(&plans, 2, &b);
    fill_random(a, &prng, 300);
    fill_random(b, &prng, 300);
    for (enum set_op op = SET_UNION; op <= SET_UNION_ALL; op++) {
        struct relation one = run(set_of(op, left, right)), two = run(set_of(op, right, left));
        assert_int_equal(one.rows, two.rows);
        for (uint64_t i = 0; i < one.rows; i++)
            assert_true(same(relation_row(&one, i), relation_row(&two, i), 2));
        relation_free(&one);
        relation_free(&two);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_sort),
        TEST(test_sets),
        TEST(test_sides_of_different_width),
        TEST(test_bounded_sort),
        TEST(test_bounded_sort_is_flat),
        TEST(test_sets_against_naive),
        TEST(test_union_does_not_depend_on_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
