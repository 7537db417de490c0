/* SPDX-License-Identifier: Apache-2.0
 *
 * test_relation.c -- rows kept in memory: what goes in comes out, in any form of vector; sorting
 * agrees with a naive sort and does not depend on how the rows came; texts are shared; no memory is
 * an answer like any other.
 */
#include "../base/unit.h"

#include "../faults/alloc_fault.h"
#include "exec/relation.h"
#include "random_values.h"

static struct mem mem;

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return mem.used != 0;
}

/* The same to the bit, texts by their bytes. */
static bool same(struct value a, struct value b)
{
    if (a.type != b.type)
        return false;
    if (a.type == TYPE_TEXT)
        return str_equal(value_str(a), value_str(b));
    return a.type == TYPE_NULL || a.as.i == b.as.i;
}

static void fill(struct relation *relation, struct prng *prng, uint64_t rows)
{
    struct varve_err err;
    for (uint64_t i = 0; i < rows; i++) {
        struct value *row = relation_add(relation, &err);
        assert_non_null(row);
        for (uint32_t c = 0; c < relation->columns; c++) {
            struct value value = random_value(prng);
            assert_int_equal(relation_own(relation, &value, &err), VARVE_OK);
            row[c] = value;
        }
    }
}

/* ---- rows in, rows out ---------------------------------------- */

static void test_batches(void **state)
{
    (void)state;
    struct prng prng = prng_start(11);
    struct varve_err err;
    struct relation a, b;
    relation_init(&a, &mem, 3);
    relation_init(&b, &mem, 3);
    fill(&a, &prng, 2500);
    struct batch batch;
    uint64_t from = 0;
    for (; relation_batch(&a, from, &batch, &err) == VARVE_OK; from += batch.rows) {
        assert_int_equal(batch.rows, a.rows - from < 1024 ? a.rows - from : 1024);
        assert_int_equal(relation_add_batch(&b, &batch, &err), VARVE_OK);
    }
    assert_int_equal(from, 2500);
    assert_int_equal(b.rows, 2500);
    for (uint64_t i = 0; i < 2500 * 3; i++)
        assert_true(same(a.cells[i], b.cells[i]));
    assert_int_equal(relation_batch(&a, 2500, &batch, &err), VARVE_DONE);
    assert_int_equal(relation_batch(&a, 2499, &batch, &err), VARVE_OK);
    assert_int_equal(batch.rows, 1);
    relation_free(&a);
    relation_free(&b);
}

static void test_forms_of_vectors(void **state)
{
    (void)state;
    struct varve_err err;
    static const struct varve_str texts[] = {{"", 0}, {"red", 3}, {"blue", 4}};
    const struct varve_dictionary dictionary = {texts, 3};
    const uint32_t codes[] = {1, 0, 2, 1};
    const int64_t ints[] = {5, 6, 7, 8};
    const double floats[] = {0.5, 1.5, 2.5, 3.5};
    const struct value values[] = {value_int(TYPE_BOOL, 1), value_text(STR("own")), value_null(),
                                   value_int(TYPE_NANO, 1)};
    const uint64_t present = 0xd; /* not row 1 */
    const uint16_t selected[] = {1, 3};
    struct vector columns[] = {
        {.form = VECTOR_CODES, .codes = codes, .dictionary = &dictionary},
        {.form = VECTOR_INTS, .type = TYPE_TIME, .ints = ints, .present = &present},
        {.form = VECTOR_FLOATS, .floats = floats},
        {.form = VECTOR_VALUES, .values = values},
        {.form = VECTOR_CONST, .value = value_text(STR("const"))},
    };
    struct batch batch = {.rows = 4,
                          .column_count = 5,
                          .columns = columns,
                          .selected = selected,
                          .selected_count = 2};
    struct relation relation;
    relation_init(&relation, &mem, 5);
    assert_int_equal(relation_add_batch(&relation, &batch, &err), VARVE_OK);
    assert_int_equal(relation.rows, 2);
    const struct value expected[] = {
        value_null(),
        value_null(),
        value_float(1.5),
        value_text(STR("own")),
        value_text(STR("const")),
        value_text(STR("red")),
        value_int(TYPE_TIME, 8),
        value_float(3.5),
        value_int(TYPE_NANO, 1),
        value_text(STR("const")),
    };
    for (int i = 0; i < 10; i++) {
        assert_true(same(relation.cells[i], expected[i]));
        assert_true(relation.cells[i].type != TYPE_TEXT ||
                    relation.cells[i].as.s != expected[i].as.s);
    }
    batch.selected_count = 0;
    assert_int_equal(relation_add_batch(&relation, &batch, &err), VARVE_OK);
    assert_int_equal(relation.rows, 2);
    relation_free(&relation);
}

static void test_rows_without_columns(void **state)
{
    (void)state;
    struct varve_err err;
    struct relation relation;
    struct batch batch = {0};
    relation_init(&relation, &mem, 0);
    assert_int_equal(relation_batch(&relation, 0, &batch, &err), VARVE_DONE);
    for (int i = 0; i < 20; i++)
        assert_non_null(relation_add(&relation, &err));
    assert_int_equal(relation_sort(&relation, NULL, NULL, 0, &err), VARVE_OK);
    assert_int_equal(relation_batch(&relation, 0, &batch, &err), VARVE_OK);
    assert_int_equal(batch.rows, 20);
    assert_int_equal(batch.column_count, 0);
    relation_free(&relation);
    struct relation zero = {0};
    relation_free(&zero);
}

static void test_texts_are_shared(void **state)
{
    (void)state;
    struct varve_err err;
    struct relation relation;
    relation_init(&relation, &mem, 1);
    char text[64];
    for (int i = 0; i < 100000; i++) {
        int size = snprintf(text, sizeof text, "a model with a rather long name %d", i % 20);
        struct value value = value_text((struct varve_str){text, (size_t)size});
        struct value *row = relation_add(&relation, &err);
        assert_non_null(row);
        assert_int_equal(relation_own(&relation, &value, &err), VARVE_OK);
        *row = value;
    }
    assert_true(relation.text_bytes < 100000);
    for (int i = 0; i < 100000; i++) {
        int size = snprintf(text, sizeof text, "a model with a rather long name %d", i % 20);
        assert_true(
            str_equal(value_str(relation.cells[i]), (struct varve_str){text, (size_t)size}));
    }
    relation_clear(&relation);
    struct value value = value_text(STR("a model with a rather long name 7"));
    assert_int_equal(relation_own(&relation, &value, &err), VARVE_OK);
    assert_true(str_equal(value_str(value), STR("a model with a rather long name 7")));
    relation_free(&relation);
}

static void test_views_read_side_by_side(void **state)
{
    (void)state;
    struct prng prng = prng_start(3);
    struct varve_err err;
    struct relation relation, a, b;
    relation_init(&relation, &mem, 2);
    fill(&relation, &prng, 2000);
    relation_view(&a, &mem, &relation);
    relation_view(&b, &mem, &relation);
    struct batch one, two;
    assert_int_equal(relation_batch(&a, 0, &one, &err), VARVE_OK);
    assert_int_equal(relation_batch(&b, 1000, &two, &err), VARVE_OK);
    assert_int_equal(two.rows, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(same(vector_value(&one.columns[1], i), relation_row(&relation, i)[1]));
        assert_true(same(vector_value(&two.columns[0], i), relation_row(&relation, 1000 + i)[0]));
    }
    relation_free(&a);
    relation_free(&b);
    relation_free(&relation);
}

/* ---- sorting ---------------------------------------- */

static void shuffle(struct relation *relation, struct prng *prng)
{
    for (uint64_t i = relation->rows; i > 1; i--) {
        struct value *a = relation_row(relation, i - 1);
        struct value *b = relation_row(relation, prng_below(prng, i));
        for (uint32_t c = 0; c < relation->columns; c++) {
            struct value swap = a[c];
            a[c] = b[c];
            b[c] = swap;
        }
    }
}

/* What the order is, said once more and slowly. */
static int
naive_compare(const struct relation *relation, const struct value *a, const struct value *b,
              const uint32_t *by, const bool *descending, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct value x = a[by[i]], y = b[by[i]];
        int c = value_compare(x, y);
        if (x.type != TYPE_NULL && y.type != TYPE_NULL && descending[i])
            c = value_compare(y, x);
        if (c)
            return c;
    }
    for (uint32_t i = 0; i < relation->columns; i++) {
        int c = value_compare(a[i], b[i]);
        if (c)
            return c;
    }
    return 0;
}

static void test_sort_against_naive(void **state)
{
    (void)state;
    struct prng prng = prng_start(42);
    struct varve_err err;
    for (int round = 0; round < 300; round++) {
        struct relation a, b;
        uint32_t columns = 1 + (uint32_t)prng_below(&prng, 4);
        uint64_t rows = prng_below(&prng, round < 250 ? 40 : 1500);
        relation_init(&a, &mem, columns);
        relation_init(&b, &mem, columns);
        fill(&a, &prng, rows);
        struct batch batch;
        for (uint64_t from = 0; relation_batch(&a, from, &batch, &err) == VARVE_OK; from += 1024)
            assert_int_equal(relation_add_batch(&b, &batch, &err), VARVE_OK);
        shuffle(&b, &prng);
        uint32_t by[3], count = (uint32_t)prng_below(&prng, 4);
        bool descending[3];
        for (uint32_t i = 0; i < count; i++) {
            by[i] = (uint32_t)prng_below(&prng, columns);
            descending[i] = prng_below(&prng, 2);
        }
        assert_int_equal(relation_sort(&a, by, descending, count, &err), VARVE_OK);
        assert_int_equal(relation_sort(&b, by, descending, count, &err), VARVE_OK);
        for (uint64_t i = 1; i < rows; i++)
            assert_true(naive_compare(&a, relation_row(&a, i - 1), relation_row(&a, i), by,
                                      descending, count) <= 0);
        for (uint64_t i = 0; i < rows * columns; i++)
            assert_true(same(a.cells[i], b.cells[i]));
        relation_free(&a);
        relation_free(&b);
    }
}

/* Nothing is lost: the rows of a permutation of numbers come back as the numbers. */
static void test_sort_keeps_rows(void **state)
{
    (void)state;
    struct prng prng = prng_start(5);
    struct varve_err err;
    for (int round = 0; round < 4; round++) {
        struct relation relation;
        relation_init(&relation, &mem, 2);
        for (int64_t i = 0; i < 5000; i++) {
            struct value *row = relation_add(&relation, &err);
            assert_non_null(row);
            row[0] = value_int(TYPE_INT, i);
            row[1] = value_int(TYPE_INT, -i);
        }
        if (round > 1)
            shuffle(&relation, &prng);
        const uint32_t by = 1;
        const bool descending = round % 2;
        assert_int_equal(relation_sort(&relation, &by, &descending, 1, &err), VARVE_OK);
        for (int64_t i = 0; i < 5000; i++) {
            const struct value *row = relation_row(&relation, (uint64_t)i);
            assert_int_equal(row[0].as.i, descending ? i : 4999 - i);
            assert_int_equal(row[0].as.i, -row[1].as.i);
        }
        relation_free(&relation);
    }
}

static void test_null_is_last(void **state)
{
    (void)state;
    struct varve_err err;
    for (int descending = 0; descending < 2; descending++) {
        struct relation relation;
        relation_init(&relation, &mem, 1);
        for (int i = 0; i < 5; i++) {
            struct value *row = relation_add(&relation, &err);
            assert_non_null(row);
            *row = i % 2 ? value_null() : value_int(TYPE_INT, i);
        }
        assert_int_equal(relation_sort(&relation, &(uint32_t){0}, &(bool){descending}, 1, &err),
                         VARVE_OK);
        assert_int_equal(relation.cells[0].as.i, descending ? 4 : 0);
        assert_int_equal(relation.cells[2].as.i, descending ? 0 : 4);
        assert_true(value_is_null(relation.cells[3]) && value_is_null(relation.cells[4]));
        relation_free(&relation);
    }
}

/* ---- no memory ---------------------------------------- */

static enum varve_status make_and_sort(struct relation *relation, struct varve_err *err)
{
    struct prng prng = {9};
    for (int i = 0; i < 100; i++) {
        struct value *row = relation_add(relation, err);
        if (!row)
            return VARVE_NOMEM;
        for (int c = 0; c < 2; c++) {
            struct value value = random_value(&prng);
            TRY(relation_own(relation, &value, err));
            row[c] = value;
        }
    }
    TRY(relation_sort(relation, NULL, NULL, 0, err));
    struct batch batch;
    return relation_batch(relation, 0, &batch, err);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    int rounds = 0;
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault); rounds++) {
        struct mem failing;
        struct varve_err err = {0};
        struct relation relation;
        mem_init(&failing, &fault.allocator, 0);
        relation_init(&relation, &failing, 2);
        enum varve_status status = make_and_sort(&relation, &err);
        assert_true(status == VARVE_OK || (status == VARVE_NOMEM && err.message[0]));
        relation_free(&relation);
        assert_true(alloc_fault_is_clean(&fault));
        assert_int_equal(failing.used, 0);
    }
    assert_true(rounds > 6);
}

static void test_memory_cap(void **state)
{
    (void)state;
    struct mem capped;
    struct varve_err err;
    struct relation relation;
    mem_init(&capped, NULL, 100000);
    relation_init(&relation, &capped, 4);
    uint64_t rows = 0;
    while (relation_add(&relation, &err))
        rows++;
    assert_int_equal(err.status, VARVE_NOMEM);
    assert_true(rows > 500 && rows < 1563);
    assert_true(capped.peak <= 100000);
    relation_free(&relation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_forms_of_vectors),
        cmocka_unit_test(test_rows_without_columns),
        cmocka_unit_test(test_texts_are_shared),
        cmocka_unit_test(test_views_read_side_by_side),
        cmocka_unit_test(test_sort_against_naive),
        cmocka_unit_test(test_sort_keeps_rows),
        cmocka_unit_test(test_null_is_last),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_memory_cap),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
