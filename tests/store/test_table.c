/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table.c -- what goes into a table segment comes out, and queries see it right.
 *
 * The oracle is the events themselves: a loaded row must be one of them, cell by
 * cell, and a column of values must be what its loaded cells say.
 */
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "base/hash.h"
#include "random_events.h"
#include "reseal.h"
#include "sample_events.h"
#include "store/number_text.h"
#include "store/table_format.h"
#include "store/text_codec.h"

#include <math.h>
#include <string.h>

enum { SEED = 42, PLACE = 1000 };

/* A store in small: events, a builder, the bytes, the reader of them. */
struct bench {
    struct mem mem;
    struct eventset set, loaded;
    struct table_builder builder;
    struct buf bytes;
    struct arena arena;
    struct table table;
};
static struct bench bench;

static int setup(void **state)
{
    (void)state;
    mem_init(&bench.mem, NULL, 0);
    buf_init(&bench.bytes, &bench.mem, 1 << 30);
    arena_init(&bench.arena, &bench.mem, 1 << 14);
    return eventset_init(&bench.set, &bench.mem, SEED, NULL) != VARVE_OK ||
           eventset_init(&bench.loaded, &bench.mem, SEED, NULL) != VARVE_OK ||
           table_builder_init(&bench.builder, &bench.mem, NULL) != VARVE_OK;
}

static int teardown(void **state)
{
    (void)state;
    eventset_free(&bench.set);
    eventset_free(&bench.loaded);
    table_builder_free(&bench.builder);
    buf_free(&bench.bytes);
    arena_free(&bench.arena);
    return bench.mem.used != 0;
}

static void ok(enum varve_status status, const struct varve_err *err)
{
    if (status != VARVE_OK)
        fail_msg("status %d: %s: %s", status, err->place, err->message);
}

static void clear(void)
{
    assert_int_equal(eventset_clear(&bench.set, NULL), VARVE_OK);
    assert_int_equal(eventset_clear(&bench.loaded, NULL), VARVE_OK);
    buf_clear(&bench.bytes);
    arena_clear(&bench.arena);
}

/* Builds, opens, verifies and loads. */
static void round_trip(void)
{
    struct varve_err err = {0};
    ok(table_build(&bench.builder, &bench.set, NULL, bench.set.count, PLACE, &bench.bytes, &err),
       &err);
    ok(table_open(&bench.table, &bench.arena, bench.builder.texts, bench.bytes.data,
                  bench.bytes.size, PLACE, "day 2026-10-08, table mixed", &err),
       &err);
    ok(table_verify(&bench.table, &err), &err);
    ok(table_load(&bench.table, &bench.loaded, &err), &err);
}

/* ---- the same events ---- */

static const struct cell *
cell_of(const struct eventset *set, const struct event *event, struct varve_str name)
{
    for (uint32_t i = 0; i < event->cells; i++)
        if (str_equal(intern_text(&set->texts, event->cell[i].column), name))
            return &event->cell[i];
    return NULL;
}

static bool equal_cells(const struct cell *a, const struct cell *b)
{
    if (a->type != b->type)
        return false;
    if (a->type != VARVE_TEXT)
        return a->bits == b->bits;
    return str_equal(intern_text(&bench.set.texts, (uint32_t)a->bits),
                     intern_text(&bench.loaded.texts, (uint32_t)b->bits));
}

static bool equal_events(const struct event *a, const struct event *b)
{
    if (a->time != b->time || a->cells != b->cells || !h128_equal(a->identity, b->identity) ||
        !str_equal(intern_text(&bench.set.texts, a->table),
                   intern_text(&bench.loaded.texts, b->table)))
        return false;
    for (uint32_t i = 0; i < a->cells; i++) {
        const struct cell *cell =
            cell_of(&bench.loaded, b, intern_text(&bench.set.texts, a->cell[i].column));
        if (!cell || !equal_cells(&a->cell[i], cell))
            return false;
        if (i > 0 && b->cell[i - 1].column >= b->cell[i].column)
            return false;
    }
    return true;
}

/* Every loaded event is one of the set, and as many are alike. */
static void check_loaded(void)
{
    struct hash_table first;
    size_t count = bench.set.count;
    int *alike = calloc(count, sizeof *alike);
    assert_non_null(alike);
    hash_table_init(&first, &bench.mem);
    assert_int_equal(bench.loaded.count, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t at = hash_table_get(&first, bench.set.events[i].identity);
        if (at == HASH_NONE)
            assert_int_equal(
                hash_table_add(&first, bench.set.events[i].identity, at = (uint32_t)i, NULL),
                VARVE_OK);
        alike[at]++;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t at = hash_table_get(&first, bench.loaded.events[i].identity);
        assert_int_not_equal(at, HASH_NONE);
        assert_true(equal_events(&bench.set.events[at], &bench.loaded.events[i]));
        alike[at]--;
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(alike[i], 0);
    hash_table_free(&first);
    free(alike);
}

static void check_identities(void)
{
    const struct h128 *identities;
    assert_int_equal(table_identities(&bench.table, &bench.arena, SEED, &identities, NULL),
                     VARVE_OK);
    for (size_t i = 0; i < bench.loaded.count; i++)
        assert_true(h128_equal(identities[i], bench.loaded.events[i].identity));
}

/* ---- the order of rows ---- */

static struct varve_str text_in(const struct event *event, struct varve_str column, bool *has)
{
    const struct cell *cell = cell_of(&bench.loaded, event, column);
    *has = cell && cell->type == VARVE_TEXT;
    return *has ? intern_text(&bench.loaded.texts, (uint32_t)cell->bits) : STR("");
}

static int compare_events(const struct event *a, const struct event *b)
{
    static const struct varve_str sort_columns[] = {
        {"user.id", 7}, {"user.email", 10}, {"session.id", 10}};
    for (int k = 0; k < 3; k++) {
        bool a_has, b_has;
        struct varve_str x = text_in(a, sort_columns[k], &a_has);
        struct varve_str y = text_in(b, sort_columns[k], &b_has);
        int order = a_has != b_has ? a_has - b_has : str_compare(x, y);
        if (order)
            return order;
    }
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->identity.hi != b->identity.hi)
        return a->identity.hi < b->identity.hi ? -1 : 1;
    return (a->identity.lo > b->identity.lo) - (a->identity.lo < b->identity.lo);
}

static void check_order(void)
{
    for (size_t i = 1; i < bench.loaded.count; i++)
        assert_true(compare_events(&bench.loaded.events[i - 1], &bench.loaded.events[i]) <= 0);
}

/* ---- what queries see ---- */

static uint8_t naive_class(uint32_t column)
{
    bool ints = false, floats = false, bools = false, texts = false, wide = false;
    for (size_t row = 0; row < bench.loaded.count; row++) {
        const struct cell *cell =
            cell_of(&bench.loaded, &bench.loaded.events[row], bench.table.columns[column].name);
        if (!cell)
            continue;
        ints |= cell->type == VARVE_INT;
        floats |= cell->type == VARVE_FLOAT;
        bools |= cell->type == VARVE_BOOL;
        texts |= cell->type == VARVE_TEXT;
        /* Whole: at most 53 digits from the first 1 to the last. */
        uint64_t size = cell->bits < 0 ? -(uint64_t)cell->bits : (uint64_t)cell->bits;
        while (size && !(size & 1))
            size >>= 1;
        wide |= cell->type == VARVE_INT && size >> 53;
    }
    if (texts || (ints && floats && wide))
        return VARVE_TEXT;
    return floats ? VARVE_FLOAT : ints ? VARVE_INT : bools ? VARVE_BOOL : VARVE_NULL;
}

static void check_text(const struct table_values *values, uint32_t code, const struct cell *cell)
{
    assert_true(code > 0 && code < values->text_count);
    struct varve_str text = values->texts[code];
    char expected[NUMBER_TEXT];
    if (cell->type == VARVE_TEXT) {
        assert_true(str_equal(text, intern_text(&bench.loaded.texts, (uint32_t)cell->bits)));
        return;
    }
    size_t size = number_text((enum varve_type)cell->type, cell->bits, expected);
    assert_true(str_equal(text, (struct varve_str){expected, size}));
}

static void check_value(const struct table_values *values, size_t row, const struct cell *cell)
{
    bool present = !values->present || (values->present[row / 64] >> (row % 64) & 1);
    int64_t bits = 0;
    assert_int_equal(present, cell != NULL);
    if (values->ints)
        bits = values->ints[row];
    if (values->floats)
        bits = bits_of_double(values->floats[row]);
    if (values->codes)
        bits = values->codes[row];
    if (!cell)
        assert_int_equal(bits, 0);
    else if (values->type == VARVE_TEXT)
        check_text(values, values->codes[row], cell);
    else if (values->type == VARVE_FLOAT && cell->type != VARVE_FLOAT)
        assert_int_equal(bits, bits_of_double((double)cell->bits));
    else
        assert_int_equal(bits, cell->bits);
}

static void check_distinct(const struct table_values *values)
{
    struct hash_table seen;
    hash_table_init(&seen, &bench.mem);
    assert_int_equal(values->texts[0].size, 0);
    for (uint32_t i = 1; i < values->text_count; i++) {
        struct h128 hash = hash128(values->texts[i].data, values->texts[i].size, 9);
        assert_int_equal(hash_table_get(&seen, hash), HASH_NONE);
        assert_int_equal(hash_table_add(&seen, hash, i, NULL), VARVE_OK);
    }
    hash_table_free(&seen);
}

static void check_values(void)
{
    struct varve_err err = {0};
    for (uint32_t c = 0; c < bench.table.column_count; c++) {
        struct table_values values;
        struct varve_str name = bench.table.columns[c].name;
        assert_int_equal(table_find_column(&bench.table, name), c);
        ok(table_values(&bench.table, c, &bench.arena, &values, &err), &err);
        assert_int_equal(values.type, naive_class(c));
        assert_int_equal((values.ints != NULL) + (values.floats != NULL) + (values.codes != NULL),
                         1);
        for (size_t row = 0; row < bench.loaded.count; row++)
            check_value(&values, row, cell_of(&bench.loaded, &bench.loaded.events[row], name));
        if (values.codes)
            check_distinct(&values);
    }
    const int64_t *times;
    assert_int_equal(table_times(&bench.table, &bench.arena, &times, NULL), VARVE_OK);
    for (size_t row = 0; row < bench.loaded.count; row++)
        assert_int_equal(times[row], bench.loaded.events[row].time);
    assert_int_equal(table_find_column(&bench.table, STR("no such")), UINT32_MAX);
}

static void test_random(void **state)
{
    (void)state;
    struct prng prng = prng_start(2026);
    for (int round = 0; round < 150; round++) {
        clear();
        random_events(&bench.set, &prng, round % 10 ? 60 : 2500);
        round_trip();
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
        clear();
        random_events(&bench.set, &prng, 300);
        round_trip();
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
        clear();
        struct varve_field x = {STR("c"), value_of(cases[i].a, cases[i].x)};
        struct varve_field y = {STR("c"), value_of(cases[i].b, cases[i].y)};
        assert_int_equal(eventset_add(&bench.set, STR("t"), 1, &x, 1, NULL), VARVE_OK);
        assert_int_equal(eventset_add(&bench.set, STR("t"), 2, &y, 1, NULL), VARVE_OK);
        round_trip();
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
    round_trip();
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
    round_trip();
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
    clear();
    for (int i = 0; i <= TABLE_COLUMNS_MAX; i++) {
        char name[16];
        struct varve_field field = {{name, (size_t)snprintf(name, sizeof name, "c%d", i)},
                                    value_of(VARVE_INT, i)};
        if (i == TABLE_COLUMNS_MAX) {
            round_trip();
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
    round_trip();
    check_loaded();
    check_values();
}

/* ---- damage ---- */

static void test_every_byte(void **state)
{
    (void)state;
    struct prng prng = prng_start(17);
    random_events(&bench.set, &prng, 40);
    round_trip();
    for (size_t i = 0; i < bench.bytes.size; i++) {
        uint8_t flip = (uint8_t)(1u << prng_below(&prng, 8));
        struct table table;
        bench.bytes.data[i] ^= flip;
        arena_clear(&bench.arena);
        enum varve_status status = table_open(&table, &bench.arena, bench.builder.texts,
                                              bench.bytes.data, bench.bytes.size, PLACE, "", NULL);
        if (status == VARVE_OK)
            status = table_verify(&table, NULL);
        assert_true(status == VARVE_CORRUPT || status == VARVE_VERSION);
        bench.bytes.data[i] ^= flip;
    }
    struct table table;
    for (size_t size = 0; size < bench.bytes.size; size++)
        assert_int_equal(table_open(&table, &bench.arena, bench.builder.texts, bench.bytes.data,
                                    size, PLACE, "", NULL),
                         VARVE_CORRUPT);
    assert_int_equal(table_open(&table, &bench.arena, bench.builder.texts, bench.bytes.data,
                                bench.bytes.size, PLACE + 1, "", NULL),
                     VARVE_CORRUPT);
}

/* Everything a reader can do; errors are fine, crashes are not. */
static void use(const uint8_t *bytes, size_t size)
{
    struct table table;
    struct table_values values;
    const struct h128 *identities;
    arena_clear(&bench.arena);
    assert_int_equal(eventset_clear(&bench.loaded, NULL), VARVE_OK);
    if (table_open(&table, &bench.arena, bench.builder.texts, bytes, size, PLACE, "", NULL) !=
        VARVE_OK)
        return;
    enum varve_status load = table_load(&table, &bench.loaded, NULL);
    assert_int_equal(bench.loaded.count, load == VARVE_OK ? table.rows : 0);
    enum varve_status find = table_identities(&table, &bench.arena, SEED, &identities, NULL);
    enum varve_status verify = table_verify(&table, NULL);
    for (uint32_t c = 0; c < table.column_count; c++)
        if (table_values(&table, c, &bench.arena, &values, NULL) != VARVE_OK)
            assert_int_not_equal(verify, VARVE_OK);
    if (verify == VARVE_OK)
        assert_true(load == VARVE_OK && find == VARVE_OK);
}

static void test_resealed(void **state)
{
    (void)state;
    struct prng prng = prng_start(19);
    random_events(&bench.set, &prng, 60);
    round_trip();
    size_t size = bench.bytes.size;
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    for (int round = 0; round < 3000; round++) {
        memcpy(copy, bench.bytes.data, size);
        for (uint64_t n = 1 + prng_below(&prng, 3); n > 0; n--)
            copy[prng_below(&prng, size)] = (uint8_t)prng_next(&prng);
        if (reseal(copy, size, PLACE))
            use(copy, size);
    }
    free(copy);
}

/* ---- no memory ---- */

static enum varve_status everything(struct mem *mem, struct varve_err *err)
{
    struct table_builder builder;
    struct eventset set;
    struct buf bytes;
    struct arena arena;
    struct table table;
    struct table_values values;
    const struct h128 *identities;
    enum varve_status status;
    buf_init(&bytes, mem, 1 << 20);
    arena_init(&arena, mem, 1 << 12);
    TRY(table_builder_init(&builder, mem, err));
    TRYOUT(eventset_init(&set, mem, SEED, err));
    status = table_build(&builder, &bench.set, NULL, bench.set.count, PLACE, &bytes, err);
    if (status == VARVE_OK) {
        assert_int_equal(bytes.size, bench.bytes.size);
        assert_memory_equal(bytes.data, bench.bytes.data, bytes.size);
    }
    if (status == VARVE_OK)
        status = table_open(&table, &arena, builder.texts, bytes.data, bytes.size, PLACE, "", err);
    for (uint32_t c = 0; status == VARVE_OK && c < table.column_count; c++)
        status = table_values(&table, c, &arena, &values, err);
    if (status == VARVE_OK)
        status = table_identities(&table, &arena, SEED, &identities, err);
    if (status == VARVE_OK)
        status = table_verify(&table, err);
    if (status == VARVE_OK)
        status = table_load(&table, &set, err);
    assert_int_equal(set.count, status == VARVE_OK ? bench.set.count : 0);
    eventset_free(&set);
out:
    table_builder_free(&builder);
    arena_free(&arena);
    buf_free(&bytes);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct prng prng = prng_start(23);
    random_events(&bench.set, &prng, 1);
    while (bench.set.count < 40)
        random_events(&bench.set, &prng, 40);
    round_trip();
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct mem mem;
        struct varve_err err = {0};
        mem_init(&mem, &fault.allocator, 0);
        enum varve_status status = everything(&mem, &err);
        /* A buffer that cannot double may still get what it needs. */
        assert_true(status == VARVE_OK || (status == VARVE_NOMEM && fault.failed));
        assert_int_equal(err.status, status);
        assert_true(alloc_fault_is_clean(&fault));
    }
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
    round_trip();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_index, setup, teardown),
        cmocka_unit_test_setup_teardown(test_classes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wide_int, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared_code, setup, teardown),
        cmocka_unit_test(test_number_text),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resealed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_size, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
