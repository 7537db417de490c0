/* SPDX-License-Identifier: Apache-2.0
 *
 * test_align.c -- ALIGN joins what was measured apart, against a naive model: for every key that
 * an input adds there is one row, with the values of each input that has the key.
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

/* Columns: bucket and keys, and what each input has beside its part of them. */
static struct node *align_of(bool has_bucket, uint32_t keys, uint32_t columns, uint32_t count,
                             struct node *const *nodes, const struct align_input *how)
{
    struct node *node = plans_node(&plans, NODE_ALIGN, columns, count, nodes);
    struct align_input *inputs = arena_alloc(&plans.arena, (count + 1) * sizeof *inputs);
    memcpy(inputs, how, count * sizeof *inputs);
    node->as.align.inputs = inputs;
    node->has_bucket = has_bucket;
    node->key_count = keys;
    return node;
}

static void test_full_outer(void **state)
{
    (void)state;
    struct node *a = plans_given(&plans, 3, "@10 b 1; @0 b 2; @0 a 3; @10 - 4");
    struct node *b = plans_given(&plans, 4, "@10 b 5 x; @20 a 6 y");
    const struct align_input how[] = {{true, true, true}, {true, true, true}};
    struct node *align = align_of(true, 1, 5, 2, (struct node *[]){a, b}, how);
    assert_string_equal(plans_result(&plans, align), "@0 a 3 - -; @0 b 2 - -; @10 b 1 5 x; "
                                                     "@10 - 4 - -; @20 a - 6 y");
    struct node *other = align_of(true, 1, 5, 2, (struct node *[]){b, a}, how);
    assert_string_equal(plans_result(&plans, other), "@0 a - - 3; @0 b - - 2; @10 b 5 x 1; "
                                                     "@10 - - - 4; @20 a 6 y -");
}

/* A total over all groups, by bucket; a rank by keys; a total of everything. */
static void test_parts_of_the_key(void **state)
{
    (void)state;
    struct node *total = plans_given(&plans, 2, "@0 30; @10 40; @20 50");
    struct node *a = plans_given(&plans, 3, "@0 b 1; @0 a 2; @10 a 3; @30 c 4");
    struct node *rank = plans_given(&plans, 2, "a 1; b 2; z 3");
    struct node *all = plans_given(&plans, 1, "120");
    const struct align_input how[] = {
        {true, false, false}, {true, true, true}, {false, true, false}, {false, false, false}};
    struct node *align = align_of(true, 1, 6, 4, (struct node *[]){total, a, rank, all}, how);
    assert_string_equal(plans_result(&plans, align),
                        "@0 a 30 2 1 120; @0 b 30 1 2 120; @10 a 40 3 1 120; @30 c - 4 - 120");
}

static void test_one_row(void **state)
{
    (void)state;
    struct node *a = plans_given(&plans, 1, "5"), *none = plans_given(&plans, 2, "");
    const struct align_input how[] = {{true, true, true}, {true, true, true}, {true, true, false}};
    struct node *align = align_of(false, 0, 4, 3, (struct node *[]){a, none, a}, how);
    assert_string_equal(plans_result(&plans, align), "5 - - 5");
    assert_string_equal(plans_result(&plans, align_of(false, 0, 2, 1, &none, how)), "- -");
    assert_string_equal(plans_result(&plans, align_of(false, 0, 0, 0, NULL, how)), "");
    assert_int_equal(plans.stats[plans.plan.node_count - 1].rows, 1);
    /* With keys there is nothing where nothing is. */
    none = plans_given(&plans, 3, "");
    assert_string_equal(plans_result(&plans, align_of(true, 1, 3, 1, &none, how)), "");
}

static void test_plans_that_are_none(void **state)
{
    (void)state;
    struct mem mem;
    struct relation result;
    struct varve_err err;
    struct node *a = plans_given(&plans, 2, "@0 5");
    const struct align_input part = {true, false, true}, full = {true, true, true};
    struct node *nodes[] = {
        align_of(true, 1, 3, 1, &a, &part), /* adds rows, but has no keys */
        align_of(true, 2, 3, 1, &a, &full), /* fewer columns than its keys */
        align_of(true, 0, 3, 1, &a, &full), /* one column too many */
    };
    for (int i = 0; i < 3; i++) {
        mem_init(&mem, NULL, 0);
        assert_int_equal(plans_run(&plans, nodes[i], &mem, &result, &err), VARVE_MISUSE);
        assert_int_equal(mem.used, 0);
        relation_free(&result);
    }
}

/* ---- against what it means ---------------------------------------- */

enum { INPUTS = 4, KEYS_MAX = 2 };

struct world {
    bool has_bucket;
    uint32_t keys, count, width; /* of the whole key */
    struct align_input how[INPUTS];
    struct node *nodes[INPUTS];
    uint32_t number[INPUTS], key_at[INPUTS], key_count[INPUTS], values[INPUTS];
};

static struct value random_key(struct prng *prng, bool is_time)
{
    if (is_time)
        return value_int(TYPE_TIME, 10 * (int64_t)prng_below(prng, 4));
    if (prng_below(prng, 3) == 0)
        return random_text(prng);
    return prng_below(prng, 4) ? value_int(TYPE_INT, (int64_t)prng_below(prng, 3)) : value_null();
}

/* The row that has these values in its first columns, or NULL. */
static const struct value *
find(const struct relation *relation, const struct value *key, uint32_t count)
{
    for (uint64_t i = 0; i < relation->rows; i++)
        if (row_equal(relation_row(relation, i), key, count))
            return relation_row(relation, i);
    return NULL;
}

static void fill_input(const struct world *world, uint32_t input, struct prng *prng)
{
    struct relation *relation = &plans.named[world->number[input]];
    for (uint64_t rows = prng_below(prng, 30); rows > 0; rows--) {
        struct value key[KEYS_MAX + 1];
        for (uint32_t c = 0; c < world->key_count[input]; c++)
            key[c] = random_key(prng, world->key_at[input] + c == 0 && world->has_bucket);
        if (find(relation, key, world->key_count[input]))
            continue;
        struct value *row = relation_add(relation, NULL);
        assert_non_null(row);
        for (uint32_t c = 0; c < relation->columns; c++)
            row[c] = c < world->key_count[input] ? key[c] : random_value(prng);
    }
}

static struct world make_world(struct prng *prng)
{
    struct world world = {.has_bucket = prng_below(prng, 2),
                          .keys = (uint32_t)prng_below(prng, KEYS_MAX + 1),
                          .count = 1 + (uint32_t)prng_below(prng, INPUTS)};
    world.width = world.has_bucket + world.keys;
    for (uint32_t i = 0; i < world.count; i++) {
        bool is_full = prng_below(prng, 2);
        bool bucket = is_full || prng_below(prng, 2), keys = is_full || prng_below(prng, 2);
        keys |= world.keys == 0;
        world.key_count[i] = (world.has_bucket && bucket) + (keys ? world.keys : 0);
        world.key_at[i] = world.has_bucket && !bucket;
        bool adds = world.key_count[i] == world.width && prng_below(prng, 4);
        world.how[i] = (struct align_input){bucket, keys, adds};
        world.values[i] = (uint32_t)prng_below(prng, 3);
        world.nodes[i] =
            plans_source(&plans, world.key_count[i] + world.values[i], &world.number[i]);
        fill_input(&world, i, prng);
    }
    return world;
}

/* One row of the result: each input's values, or NULLs. */
static void check_row(const struct world *world, const struct value *row)
{
    uint32_t at = world->width;
    for (uint32_t i = 0; i < world->count; i++) {
        const struct value *found =
            find(&plans.named[world->number[i]], row + world->key_at[i], world->key_count[i]);
        for (uint32_t c = 0; c < world->values[i]; c++, at++) {
            struct value expected = found ? found[world->key_count[i] + c] : value_null();
            assert_int_equal(row[at].type, expected.type);
            assert_int_equal(value_compare(row[at], expected), 0);
        }
    }
}

static void check_result(const struct world *world, const struct relation *result)
{
    const struct row_order order = {.columns = world->width};
    for (uint64_t i = 0; i < result->rows; i++) {
        const struct value *row = relation_row(result, i);
        check_row(world, row);
        bool is_added = world->width == 0;
        for (uint32_t in = 0; in < world->count; in++)
            is_added |= world->how[in].adds_rows &&
                        find(&plans.named[world->number[in]], row, world->width);
        assert_true(is_added);
        assert_true(i == 0 || row_compare(&order, relation_row(result, i - 1), row) < 0);
    }
    for (uint32_t in = 0; in < world->count; in++)
        for (uint64_t i = 0; world->how[in].adds_rows && i < plans.named[world->number[in]].rows;
             i++)
            assert_non_null(
                find(result, relation_row(&plans.named[world->number[in]], i), world->width));
    if (world->width == 0)
        assert_int_equal(result->rows, 1);
}

static void test_against_naive(void **state)
{
    (void)state;
    struct prng prng = prng_start(2024);
    for (int round = 0; round < 400; round++) {
        plans_end(&plans);
        plans_begin(&plans);
        struct world world = make_world(&prng);
        uint32_t columns = world.width;
        for (uint32_t i = 0; i < world.count; i++)
            columns += world.values[i];
        struct node *align =
            align_of(world.has_bucket, world.keys, columns, world.count, world.nodes, world.how);
        align->column_count = columns;
        struct mem mem;
        struct relation result;
        struct varve_err err = {0};
        mem_init(&mem, NULL, 0);
        if (plans_run(&plans, align, &mem, &result, &err) != VARVE_OK)
            fail_msg("%s", err.message);
        check_result(&world, &result);
        relation_free(&result);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_full_outer),          TEST(test_parts_of_the_key), TEST(test_one_row),
        TEST(test_plans_that_are_none), TEST(test_against_naive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
