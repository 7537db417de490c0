/* SPDX-License-Identifier: Apache-2.0
 *
 * table_oracle.c -- the events themselves as the oracle of tables.
 *
 * A loaded row must be one of the events that went in, cell by cell; rows must stand in
 * their order; and a column of values must be what its loaded cells say, by the
 * rules of classes, which are spelt out here once more.
 */
#include "table_oracle.h"

#include "../base/unit.h"
#include "base/hash.h"
#include "store/number_text.h"
#include "store/table_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench bench;

int bench_setup(void **state)
{
    (void)state;
    mem_init(&bench.mem, NULL, 0);
    buf_init(&bench.bytes, &bench.mem, 1 << 30);
    arena_init(&bench.arena, &bench.mem, 1 << 14);
    return eventset_init(&bench.set, &bench.mem, SEED, NULL) != VARVE_OK ||
           eventset_init(&bench.loaded, &bench.mem, SEED, NULL) != VARVE_OK ||
           table_builder_init(&bench.builder, &bench.mem, NULL) != VARVE_OK;
}

int bench_teardown(void **state)
{
    (void)state;
    eventset_free(&bench.set);
    eventset_free(&bench.loaded);
    table_builder_free(&bench.builder);
    buf_free(&bench.bytes);
    arena_free(&bench.arena);
    return bench.mem.used != 0;
}

void bench_ok(enum varve_status status, const struct varve_err *err)
{
    if (status != VARVE_OK)
        fail_msg("status %d: %s: %s", status, err->place, err->message);
}

void bench_clear(void)
{
    assert_int_equal(eventset_clear(&bench.set, NULL), VARVE_OK);
    assert_int_equal(eventset_clear(&bench.loaded, NULL), VARVE_OK);
    buf_clear(&bench.bytes);
    arena_clear(&bench.arena);
}

void bench_round_trip(void)
{
    struct varve_err err = {0};
    bench_ok(
        table_build(&bench.builder, &bench.set, NULL, bench.set.count, PLACE, &bench.bytes, &err),
        &err);
    bench_ok(table_open(&bench.table, &bench.arena, bench.builder.texts, bench.bytes.data,
                        bench.bytes.size, PLACE, "day 2026-10-08, table mixed", &err),
             &err);
    bench_ok(table_verify(&bench.table, &err), &err);
    bench_ok(table_load(&bench.table, &bench.loaded, &err), &err);
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

bool equal_events(const struct event *a, const struct event *b)
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

void check_loaded(void)
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

void check_identities(void)
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

void check_order(void)
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

void check_values(void)
{
    struct varve_err err = {0};
    for (uint32_t c = 0; c < bench.table.column_count; c++) {
        struct table_values values;
        struct varve_str name = bench.table.columns[c].name;
        assert_int_equal(table_find_column(&bench.table, name), c);
        bench_ok(table_values(&bench.table, c, &bench.arena, &values, &err), &err);
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

size_t read_example(uint8_t *bytes, size_t room)
{
    const char *root = getenv("VARVE_SRC");
    char path[512], line[512];
    size_t size = 0;
    bool example = false;
    snprintf(path, sizeof path, "%s/docs/format-tables.md", root ? root : ".");
    FILE *page = fopen(path, "r");
    if (!page)
        fail_msg("%s cannot be read", path);
    while (fgets(line, sizeof line, page)) {
        char *bar = strchr(line, '|'), *at = line, *end;
        example = example || strcmp(line, "## 4. An example\n") == 0;
        if (!example || strncmp(line, "    ", 4) != 0 || !bar)
            continue;
        for (*bar = 0;; at = end) {
            unsigned long byte = strtoul(at, &end, 16);
            if (end == at)
                break;
            assert_true(byte < 256 && size < room);
            bytes[size++] = (uint8_t)byte;
        }
    }
    fclose(page);
    return size;
}
