/* SPDX-License-Identifier: Apache-2.0
 *
 * test_grid.c -- GRID, FILL and SHIFT: every group in every bucket, NULLs from their neighbours
 * in time, buckets by number; by hand, and against naive models over random rows.
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

static struct node *
grid_of(struct node *input, uint32_t keys, int64_t width, int64_t since, int64_t until)
{
    struct node *node = plans_over(&plans, NODE_GRID, 0, input);
    node->has_bucket = true;
    node->key_count = keys;
    node->as.grid.bucket = (struct bucket){.kind = BUCKET_FIXED, .width = width};
    node->as.grid.range = (struct time_range){since, until};
    return node;
}

/* The fill of the last column. */
static struct node *fill_of(struct node *input, uint32_t keys, enum fill_kind kind, int64_t within)
{
    struct node *node = plans_over(&plans, NODE_FILL, 0, input);
    struct fill *fills = arena_zalloc(&plans.arena, node->column_count * sizeof *fills);
    node->has_bucket = true;
    node->key_count = keys;
    fills[node->column_count - 1] = (struct fill){.kind = kind, .within = within};
    node->as.fill.fills = fills;
    return node;
}

/* ---- GRID ---------------------------------------- */

static void test_grid(void **state)
{
    (void)state;
    struct node *rows = plans_given(&plans, 3, "@20 b 1; @10 a 2; @10 - 3");
    assert_string_equal(plans_result(&plans, grid_of(rows, 1, 10, 5, 25)),
                        "@0 a -; @0 b -; @0 - -; @10 a 2; @10 b -; @10 - 3; "
                        "@20 a -; @20 b 1; @20 - -");
    /* Rows outside of the range and rows that come twice stay. */
    rows = plans_given(&plans, 3, "@90 a 1; @10 a 2; @10 a 3; - a 4; @0 a 5");
    assert_string_equal(plans_result(&plans, grid_of(rows, 1, 10, 10, 30)),
                        "@0 a 5; @10 a 2; @10 a 3; @20 a -; @90 a 1; - a 4");
}

static void test_grid_without_keys(void **state)
{
    (void)state;
    struct node *rows = plans_given(&plans, 2, "@10 7");
    assert_string_equal(plans_result(&plans, grid_of(rows, 0, 10, 0, 30)), "@0 -; @10 7; @20 -");
    struct node *none = plans_given(&plans, 2, "");
    assert_string_equal(plans_result(&plans, grid_of(none, 0, 10, 0, 30)), "@0 -; @10 -; @20 -");
    none = plans_given(&plans, 3, "");
    assert_string_equal(plans_result(&plans, grid_of(none, 1, 10, 0, 30)), "");
    assert_string_equal(plans_result(&plans, grid_of(rows, 0, 10, 30, 30)), "@10 7");
}

static void test_grid_of_calendar_days(void **state)
{
    (void)state;
    struct node *rows = plans_given(&plans, 2, "@1774738800000000000 5");
    struct node *grid =
        grid_of(rows, 0, 0, INT64_C(1774652400000000000), INT64_C(1774908000000000000));
    grid->as.grid.bucket =
        (struct bucket){.kind = BUCKET_CALENDAR, .unit = UNIT_DAY, .zone = STR("Europe/Berlin")};
    /* 2026-03-29 has 23 hours there. */
    assert_string_equal(plans_result(&plans, grid),
                        "@1774652400000000000 -; @1774738800000000000 5; @1774821600000000000 -");
}

static void test_grid_is_flat(void **state)
{
    (void)state;
    struct mem mem;
    struct relation result;
    struct node *rows = plans_given(&plans, 2, "@10 7");
    struct node *limit = plans_over(&plans, NODE_LIMIT, 0, grid_of(rows, 0, 10, 0, 1000000));
    limit->as.limit.count = 1;
    limit->as.limit.skip = 99999;
    mem_init(&mem, NULL, 2 << 20); /* the starts of the buckets take 800 kB */
    assert_int_equal(plans_run(&plans, limit, &mem, &result, NULL), VARVE_OK);
    assert_string_equal(plans_print(&plans, &result), "@999990 -");
    relation_free(&result);
}

/* ---- FILL ---------------------------------------- */

static void test_fill_prev(void **state)
{
    (void)state;
    struct node *rows = plans_given(&plans, 3,
                                    "@0 a -; @0 b 1n; @10 a 5; @10 b -; @20 a -; @20 b -; "
                                    "@30 a -; @30 b x; @40 a -");
    assert_string_equal(
        plans_result(&plans, fill_of(rows, 1, FILL_PREV, 0)),
        "@0 a -; @0 b 1n; @10 a 5; @10 b 1n; @20 a 5; @20 b 1n; @30 a 5; @30 b x; @40 a 5");
    assert_string_equal(
        plans_result(&plans, fill_of(rows, 1, FILL_PREV, 10)),
        "@0 a -; @0 b 1n; @10 a 5; @10 b 1n; @20 a 5; @20 b -; @30 a -; @30 b x; @40 a -");
    assert_string_equal(
        plans_result(&plans, fill_of(rows, 1, FILL_PREV, 25)),
        "@0 a -; @0 b 1n; @10 a 5; @10 b 1n; @20 a 5; @20 b 1n; @30 a 5; @30 b x; @40 a -");
}

static void test_fill_linear(void **state)
{
    (void)state;
    struct node *rows =
        plans_given(&plans, 2, "@0 -; @10 10; @20 -; @50 -; @60 20; @70 x; @80 -; @90 4; @100 -");
    assert_string_equal(plans_result(&plans, fill_of(rows, 0, FILL_LINEAR, 0)),
                        "@0 -; @10 10; @20 12f; @50 18f; @60 20; @70 x; @80 -; @90 4; @100 -");
}

static void test_fill_does_nothing(void **state)
{
    (void)state;
    const char *text = "@10 a 2; @0 a -; @20 a -";
    struct node *rows = plans_given(&plans, 3, text);
    static const enum fill_kind kinds[] = {FILL_UNSET, FILL_NONE, FILL_NULL, FILL_NUMBER};
    for (int i = 0; i < 4; i++)
        assert_string_equal(plans_result(&plans, fill_of(rows, 1, kinds[i], 0)), text);
    struct node *none = plans_given(&plans, 3, "");
    assert_string_equal(plans_result(&plans, fill_of(none, 1, FILL_PREV, 0)), "");
}

/* ---- SHIFT ---------------------------------------- */

static struct node *
shift_of(struct node *input, struct bucket bucket, struct time_range from, struct time_range to)
{
    struct node *node = plans_over(&plans, NODE_SHIFT, 0, input);
    node->has_bucket = true;
    node->key_count = 1;
    node->as.shift.bucket = bucket;
    node->as.shift.from = from;
    node->as.shift.to = to;
    return node;
}

static void test_shift(void **state)
{
    (void)state;
    const struct bucket tens = {.kind = BUCKET_FIXED, .width = 10};
    struct node *rows = plans_given(&plans, 3, "@0 a 1; @10 b 2; @20 c 3; @30 d 4; - e 5; @90 f 6");
    assert_string_equal(plans_result(&plans, shift_of(rows, tens, (struct time_range){5, 35},
                                                      (struct time_range){100, 130})),
                        "@100 a 1; @110 b 2; @120 c 3");
    assert_string_equal(plans_result(&plans, shift_of(rows, tens, (struct time_range){10, 40},
                                                      (struct time_range){207, 218})),
                        "@200 b 2; @210 c 3");
    assert_string_equal(plans_result(&plans, shift_of(rows, tens, (struct time_range){10, 10},
                                                      (struct time_range){200, 230})),
                        "");
}

/* February and March become March and April, whatever their lengths. */
static void test_shift_of_months(void **state)
{
    (void)state;
    const struct bucket months = {.kind = BUCKET_CALENDAR, .unit = UNIT_MONTH};
    struct node *rows = plans_given(&plans, 3,
                                    "@1769904000000000000 a 1; "
                                    "@1772323200000000000 a 2");
    assert_string_equal(
        plans_result(&plans, shift_of(rows, months,
                                      (struct time_range){INT64_C(1769904000000000000),
                                                          INT64_C(1774999999000000000)},
                                      (struct time_range){INT64_C(1772323200000000000),
                                                          INT64_C(1777000000000000000)})),
        "@1772323200000000000 a 1; @1775001600000000000 a 2");
}

/* ---- against what they mean ---------------------------------------- */

enum { WIDTH = 10, BUCKETS = 12 };

static struct relation run(struct node *root)
{
    struct mem mem;
    struct relation result;
    struct varve_err err = {0};
    mem_init(&mem, NULL, 0);
    if (plans_run(&plans, root, &mem, &result, &err) != VARVE_OK)
        fail_msg("%s", err.message);
    assert_int_equal(mem.used, 0);
    return result;
}

/* The value of a group in a bucket; false: there is no such row. */
static bool
value_at(const struct relation *relation, int64_t time, struct value key, struct value *value)
{
    for (uint64_t i = 0; i < relation->rows; i++) {
        const struct value *row = relation_row(relation, i);
        if (row[0].as.i == time && value_compare(row[1], key) == 0) {
            *value = row[2];
            return true;
        }
    }
    return false;
}

static uint32_t fill_random(struct relation *relation, struct prng *prng, struct value *keys)
{
    uint32_t groups = 0;
    for (int64_t bucket = 0; bucket < BUCKETS; bucket++)
        for (int64_t group = 0; group < 3; group++) {
            struct value there;
            if (prng_below(prng, 3))
                continue;
            struct value key = group ? value_int(TYPE_INT, group) : value_null();
            struct value *row = relation_add(relation, NULL);
            assert_non_null(row);
            row[0] = value_int(TYPE_TIME, bucket * WIDTH);
            row[1] = key;
            row[2] = prng_below(prng, 3) ? random_number(prng) : value_null();
            if (row[2].type == TYPE_FLOAT) /* no infinities: what is between them is not compared */
                row[2] = value_float((double)prng_below(prng, 9) / 4);
            uint32_t known = 0;
            while (known < groups && value_compare(keys[known], key))
                known++;
            if (known == groups)
                keys[groups++] = key;
            assert_true(value_at(relation, bucket * WIDTH, key, &there));
        }
    return groups;
}

/* What FILL makes of a group in a bucket. */
static struct value expected_fill(const struct relation *rows, int64_t time, struct value key,
                                  enum fill_kind kind, int64_t within)
{
    struct value before = value_null(), after = value_null(), value;
    int64_t back = time, ahead = time;
    for (; back >= 0; back -= WIDTH)
        if (value_at(rows, back, key, &before) && !value_is_null(before))
            break;
    for (; ahead < BUCKETS * WIDTH; ahead += WIDTH)
        if (value_at(rows, ahead, key, &after) && !value_is_null(after))
            break;
    if (back == time)
        return before;
    if (kind == FILL_PREV)
        return back >= 0 && (!within || time - back <= within) ? before : value_null();
    if (kind != FILL_LINEAR || back < 0 || ahead >= BUCKETS * WIDTH)
        return value_null();
    double share = (double)(time - back) / (double)(ahead - back);
    value =
        value_float(value_double(before) + (value_double(after) - value_double(before)) * share);
    return value;
}

static void
check_filled(const struct relation *result, const struct relation *rows, const struct value *keys,
             uint32_t groups, enum fill_kind kind, int64_t within)
{
    const struct row_order order = {.columns = 2};
    assert_int_equal(result->rows, groups * BUCKETS);
    for (uint64_t i = 1; i < result->rows; i++)
        assert_true(row_compare(&order, relation_row(result, i - 1), relation_row(result, i)) < 0);
    for (int64_t bucket = 0; bucket < BUCKETS; bucket++)
        for (uint32_t group = 0; group < groups; group++) {
            struct value is, should;
            should = expected_fill(rows, bucket * WIDTH, keys[group], kind, within);
            assert_true(value_at(result, bucket * WIDTH, keys[group], &is));
            assert_int_equal(is.type, should.type);
            assert_int_equal(value_compare(is, should), 0);
        }
}

static void test_against_naive(void **state)
{
    (void)state;
    struct prng prng = prng_start(99);
    static const enum fill_kind kinds[] = {FILL_NULL, FILL_PREV, FILL_LINEAR};
    for (int round = 0; round < 200; round++) {
        uint32_t number;
        struct value keys[3];
        plans_end(&plans);
        plans_begin(&plans);
        struct node *rows = plans_source(&plans, 3, &number);
        uint32_t groups = fill_random(&plans.named[number], &prng, keys);
        enum fill_kind kind = kinds[prng_below(&prng, 3)];
        int64_t within = (int64_t)prng_below(&prng, 4) * 15;
        struct node *grid = grid_of(rows, 1, WIDTH, 0, BUCKETS * WIDTH);
        struct relation result = run(fill_of(grid, 1, kind, within));
        check_filled(&result, &plans.named[number], keys, groups, kind, within);
        relation_free(&result);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_grid),
        TEST(test_grid_without_keys),
        TEST(test_grid_of_calendar_days),
        TEST(test_grid_is_flat),
        TEST(test_fill_prev),
        TEST(test_fill_linear),
        TEST(test_fill_does_nothing),
        TEST(test_shift),
        TEST(test_shift_of_months),
        TEST(test_against_naive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
