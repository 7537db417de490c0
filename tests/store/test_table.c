/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table.c -- what goes into a table segment comes out, and queries see it right.
 *
 * The oracle is the events themselves: a loaded row must be one of them, cell by
 * cell, and a column of values must be what its loaded cells say.
 */
#include "table_oracle.h"

#include "../base/unit.h"
#include "random_events.h"
#include "sample_events.h"
#include "store/number_text.h"
#include "store/table_format.h"

#include <math.h>
#include <string.h>

static void test_random(void **state)
{
    (void)state;
    struct prng prng = prng_start(2026);
    for (int round = 0; round < 150; round++) {
        bench_clear();
        random_events(&bench.set, &prng, round % 10 ? 60 : 2500);
        bench_round_trip();
        check_loaded();
        check_identities();
        check_order();
        check_values();
    }
}

/* ---- the same bytes ---- */

/* The same events in another order, with other interned numbers. */
static void shuffled(struct prng *prng, struct eventset *copy)
{
    size_t count = bench.set.count;
    uint32_t *order = calloc(count, sizeof *order);
    uint32_t id;
    assert_non_null(order);
    for (size_t i = 0; i < count; i++) {
        size_t j = prng_below(prng, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
    for (size_t i = bench.set.texts.count; i-- > 0;)
        if (prng_below(prng, 3) == 0)
            assert_int_equal(
                intern_put(&copy->texts, intern_text(&bench.set.texts, (uint32_t)i), &id, NULL),
                VARVE_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(eventset_import(copy, &bench.set, &bench.set.events[order[i]], NULL),
                         VARVE_OK);
    free(order);
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct prng prng = prng_start(11);
    for (int round = 0; round < 30; round++) {
        bench_clear();
        random_events(&bench.set, &prng, 300);
        bench_round_trip();
        struct eventset copy;
        struct buf again;
        buf_init(&again, &bench.mem, 1 << 24);
        assert_int_equal(eventset_init(&copy, &bench.mem, SEED, NULL), VARVE_OK);
        shuffled(&prng, &copy);
        assert_int_equal(table_build(&bench.builder, &copy, NULL, copy.count, PLACE, &again, NULL),
                         VARVE_OK);
        assert_int_equal(again.size, bench.bytes.size);
        assert_memory_equal(again.data, bench.bytes.data, again.size);
        /* And what was loaded builds what it was loaded from. */
        buf_clear(&again);
        assert_int_equal(table_build(&bench.builder, &bench.loaded, NULL, bench.loaded.count, PLACE,
                                     &again, NULL),
                         VARVE_OK);
        assert_int_equal(again.size, bench.bytes.size);
        assert_memory_equal(again.data, bench.bytes.data, again.size);
        buf_free(&again);
        eventset_free(&copy);
    }
}

/* Part of a set, and two segments behind each other in one buffer. */
static void test_index(void **state)
{
    (void)state;
    struct prng prng = prng_start(12);
    uint32_t index[50];
    random_events(&bench.set, &prng, 1);
    while (bench.set.count < 100)
        random_events(&bench.set, &prng, 100);
    for (uint32_t i = 0; i < 50; i++)
        index[i] = 2 * i;
    buf_put8(&bench.bytes, 0xaa);
    assert_int_equal(table_build(&bench.builder, &bench.set, index, 50, PLACE, &bench.bytes, NULL),
                     VARVE_OK);
    assert_int_equal(bench.bytes.data[0], 0xaa);
    assert_int_equal(table_open(&bench.table, &bench.arena, bench.builder.texts,
                                bench.bytes.data + 1, bench.bytes.size - 1, PLACE, "", NULL),
                     VARVE_OK);
    assert_int_equal(bench.table.rows, 50);
    assert_int_equal(table_load(&bench.table, &bench.loaded, NULL), VARVE_OK);
    for (size_t i = 0; i < 50; i++) {
        bool found = false;
        for (size_t j = 0; j < 50 && !found; j++)
            found = equal_events(&bench.set.events[index[j]], &bench.loaded.events[i]);
        assert_true(found);
    }
}

/* ---- classes ---- */

static struct varve_value value_of(uint32_t type, double number)
{
    struct varve_value value = {.type = (enum varve_type)type};
    if (type == VARVE_FLOAT)
        value.as.f = number;
    else if (type == VARVE_TEXT)
        value.as.s = STR("t");
    else
        value.as.i = (int64_t)number;
    return value;
}

static void test_classes(void **state)
{
    (void)state;
    static const struct {
        uint8_t a, b;
        double x, y;
        uint8_t class;
    } cases[] = {
        {VARVE_INT, VARVE_INT, 1, 2, VARVE_INT},      {VARVE_BOOL, VARVE_BOOL, 0, 1, VARVE_BOOL},
        {VARVE_BOOL, VARVE_INT, 1, 2, VARVE_INT},     {VARVE_FLOAT, VARVE_INT, 0.5, 2, VARVE_FLOAT},
        {VARVE_FLOAT, VARVE_BOOL, 1, 1, VARVE_FLOAT}, {VARVE_TEXT, VARVE_TEXT, 0, 0, VARVE_TEXT},
        {VARVE_TEXT, VARVE_INT, 0, 1, VARVE_TEXT},    {VARVE_TEXT, VARVE_BOOL, 0, 1, VARVE_TEXT},
        {VARVE_TEXT, VARVE_FLOAT, 0, 1, VARVE_TEXT},  {VARVE_FLOAT, VARVE_FLOAT, 1, 2, VARVE_FLOAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench_clear();
        struct varve_field x = {STR("c"), value_of(cases[i].a, cases[i].x)};
        struct varve_field y = {STR("c"), value_of(cases[i].b, cases[i].y)};
        assert_int_equal(eventset_add(&bench.set, STR("t"), 1, &x, 1, NULL), VARVE_OK);
        assert_int_equal(eventset_add(&bench.set, STR("t"), 2, &y, 1, NULL), VARVE_OK);
        bench_round_trip();
        assert_int_equal(bench.table.columns[0].type, cases[i].class);
        assert_int_equal(bench.table.columns[0].mixed, cases[i].a != cases[i].b);
        check_loaded();
        check_values();
    }
}

/* An int no double can hold beside a double: texts, and both come back bit for bit. */
static void test_wide_int(void **state)
{
    (void)state;
    struct varve_field x = {STR("c"), {.type = VARVE_INT, .as.i = (INT64_C(1) << 53) + 1}};
    struct varve_field y = {STR("c"), {.type = VARVE_FLOAT, .as.f = 0.1}};
    assert_int_equal(eventset_add(&bench.set, STR("t"), 1, &x, 1, NULL), VARVE_OK);
    assert_int_equal(eventset_add(&bench.set, STR("t"), 2, &y, 1, NULL), VARVE_OK);
    bench_round_trip();
    check_loaded();
    struct table_values values;
    assert_int_equal(table_values(&bench.table, 0, &bench.arena, &values, NULL), VARVE_OK);
    assert_int_equal(values.type, VARVE_TEXT);
    assert_true(str_equal(values.texts[values.codes[0]], STR("9007199254740993")));
    assert_true(str_equal(values.texts[values.codes[1]], STR("0.1")));
}

/* A number and the text that looks like it: one group to a query, two values to the store. */
static void test_shared_code(void **state)
{
    (void)state;
    struct varve_value of[] = {value_of(VARVE_INT, 5),
                               value_of(VARVE_FLOAT, 5),
                               {.type = VARVE_TEXT, .as.s = STR("5")},
                               {.type = VARVE_TEXT, .as.s = STR("")}};
    for (int i = 0; i < 4; i++) {
        struct varve_field field = {STR("c"), of[i]};
        assert_int_equal(eventset_add(&bench.set, STR("t"), i, &field, 1, NULL), VARVE_OK);
    }
    assert_int_equal(eventset_add(&bench.set, STR("t"), 4, NULL, 0, NULL), VARVE_OK);
    bench_round_trip();
    check_loaded();
    struct table_values values;
    assert_int_equal(table_values(&bench.table, 0, &bench.arena, &values, NULL), VARVE_OK);
    assert_int_equal(values.text_count, 3);
    assert_int_equal(values.codes[0], values.codes[1]);
    assert_int_equal(values.codes[0], values.codes[2]);
    assert_int_not_equal(values.codes[3], 0);
    assert_int_equal(values.texts[values.codes[3]].size, 0);
    assert_int_equal(values.codes[4], 0);
}

static void test_number_text(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {1, "1"},
                 {-0.0, "-0"},
                 {1e15, "1000000000000000"},
                 {1e22, "1e+22"},
                 {5e-324, "5e-324"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {(double)INFINITY, "Inf"},
                 {-(double)INFINITY, "-Inf"},
                 {(double)NAN, "NaN"},
                 {-123.5, "-123.5"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"}};
    char text[NUMBER_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = number_text(VARVE_FLOAT, bits_of_double(cases[i].value), text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(size, strlen(text));
    }
    assert_int_equal(number_text(VARVE_INT, INT64_MIN, text), 20);
    assert_string_equal(text, "-9223372036854775808");
    assert_int_equal(number_text(VARVE_BOOL, 1, text), 4);
    assert_string_equal(text, "true");
}

/* ---- limits ---- */

static void test_refusals(void **state)
{
    (void)state;
    struct varve_err err;
    assert_int_equal(table_build(&bench.builder, &bench.set, NULL, 0, PLACE, &bench.bytes, &err),
                     VARVE_MISUSE);
    assert_int_equal(eventset_add(&bench.set, STR("t"), 1, NULL, 0, NULL), VARVE_OK);
    assert_int_equal(eventset_add(&bench.set, STR("u"), 1, NULL, 0, NULL), VARVE_OK);
    assert_int_equal(table_build(&bench.builder, &bench.set, NULL, 2, PLACE, &bench.bytes, &err),
                     VARVE_MISUSE);
    assert_int_equal(table_build(&bench.builder, &bench.set, NULL, TABLE_ROWS_MAX + 1, PLACE,
                                 &bench.bytes, &err),
                     VARVE_LIMIT);
    bench_clear();
    for (int i = 0; i <= TABLE_COLUMNS_MAX; i++) {
        char name[16];
        struct varve_field field = {{name, (size_t)snprintf(name, sizeof name, "c%d", i)},
                                    value_of(VARVE_INT, i)};
        if (i == TABLE_COLUMNS_MAX) {
            bench_round_trip();
            check_loaded();
            buf_clear(&bench.bytes);
        }
        assert_int_equal(eventset_add(&bench.set, STR("t"), 1, &field, 1, NULL), VARVE_OK);
    }
    assert_int_equal(
        table_build(&bench.builder, &bench.set, NULL, bench.set.count, PLACE, &bench.bytes, &err),
        VARVE_LIMIT);
    assert_string_equal(err.message,
                        "the events of one table and day have more than 4096 different "
                        "fields; \"c4096\" is one too many");
    assert_int_equal(bench.bytes.size, 0);
}

/* Long texts: more than one text block can hold. */
static void test_long_texts(void **state)
{
    (void)state;
    struct prng prng = prng_start(8);
    static char text[EVENT_TEXT_MAX];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + prng_below(&prng, 26));
    for (int i = 0; i < 20; i++) {
        text[i]++;
        struct varve_field field = {STR("body"), {.type = VARVE_TEXT, .as.s = {text, sizeof text}}};
        assert_int_equal(eventset_add(&bench.set, STR("t"), i, &field, 1, NULL), VARVE_OK);
    }
    bench_round_trip();
    check_loaded();
    check_values();
}

/* ---- size ---- */

/* The bytes of all sections of a column, or (UINT32_MAX) of META, TIME and the directory. */
static size_t column_size(uint32_t column)
{
    size_t size = 0;
    for (uint32_t i = 0; i < bench.table.blob.sections; i++) {
        const struct blob_entry *entry = &bench.table.blob.entries[i];
        if (entry->id > TABLE_TIME && (entry->index == column || column == UINT32_MAX))
            size += entry->size;
    }
    return column == UINT32_MAX ? bench.bytes.size - size : size;
}

static void test_size(void **state)
{
    (void)state;
    struct prng prng = {2026};
    sample_api_requests(&bench.set, &prng, 20000);
    bench_round_trip();
    double bytes = (double)bench.bytes.size / 20000, ids = 0;
    print_message("# %-24s %7.3f bytes an event\n", "head, META and TIME",
                  (double)column_size(UINT32_MAX) / 20000);
    for (uint32_t c = 0; c < bench.table.column_count; c++) {
        struct varve_str name = bench.table.columns[c].name;
        double size = (double)column_size(c) / 20000;
        print_message("# %-24.*s %7.3f\n", (int)name.size, name.data, size);
        if (str_equal(name, STR("request_id")))
            ids = size;
    }
    print_message("# %-24s %7.3f\n", "all", bytes);
    assert_true(ids < 19);
    assert_true(bytes - ids < 25);
}

/* ---- the page on the format ---- */

static void test_example(void **state)
{
    (void)state;
    const int64_t first = 1791417600000000000;
    struct varve_field fields[] = {{STR("model"), {.type = VARVE_TEXT, .as.s = STR("opus")}},
                                   {STR("cost"), {.type = VARVE_FLOAT, .as.f = 0.25}}};
    struct varve_field whole = {STR("cost"), value_of(VARVE_INT, 3)};
    struct varve_str name = STR("api_request");
    uint8_t bytes[256];
    size_t size = read_example(bytes, sizeof bytes);
    assert_int_equal(eventset_add(&bench.set, name, first, fields, 2, NULL), VARVE_OK);
    assert_int_equal(eventset_add(&bench.set, name, first + 5000000, &whole, 1, NULL), VARVE_OK);
    fields[1].value.as.f = 1.5;
    assert_int_equal(eventset_add(&bench.set, name, first + 9000000, fields, 2, NULL), VARVE_OK);
    assert_int_equal(table_open(&bench.table, &bench.arena, bench.builder.texts, bytes, size, 0,
                                "example", NULL),
                     VARVE_OK);
    assert_int_equal(table_verify(&bench.table, NULL), VARVE_OK);
    assert_int_equal(table_load(&bench.table, &bench.loaded, NULL), VARVE_OK);
    check_loaded();
    check_values();
    assert_int_equal(table_build(&bench.builder, &bench.set, NULL, 3, 0, &bench.bytes, NULL),
                     VARVE_OK);
    assert_int_equal(bench.bytes.size, size);
    assert_memory_equal(bench.bytes.data, bytes, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_same_bytes, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_index, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_classes, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_wide_int, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_shared_code, bench_setup, bench_teardown),
        cmocka_unit_test(test_number_text),
        cmocka_unit_test_setup_teardown(test_refusals, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_long_texts, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_size, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_example, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
