/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table_damage.c -- table segments that are broken, forged or short of memory.
 *
 * A flipped byte anywhere is reported.  Behind checksums that were made right
 * again each kind of damage gets its own message, and each promise of the
 * builder that is broken is found by table_verify.
 */
#include "table_oracle.h"

#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "random_events.h"
#include "reseal.h"
#include "store/table_format.h"

#include <stdlib.h>
#include <string.h>

/* ---- any damage ---- */

static void test_every_byte(void **state)
{
    (void)state;
    struct prng prng = prng_start(17);
    random_events(&bench.set, &prng, 40);
    bench_round_trip();
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
    bench_round_trip();
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
    bench_round_trip();
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

/* ---- each damage by its name ---- */

/* What opening and verifying say of bytes whose checksums are made right first. */
static const char *verdict(uint8_t *bytes, size_t size, uint64_t seed)
{
    static struct varve_err err;
    struct table table;
    memset(&err, 0, sizeof err);
    assert_true(reseal(bytes, size, seed));
    arena_clear(&bench.arena);
    enum varve_status status =
        table_open(&table, &bench.arena, bench.builder.texts, bytes, size, seed, "here", &err);
    if (status == VARVE_OK)
        status = table_verify(&table, &err);
    if (status == VARVE_OK)
        return "sound";
    assert_int_equal(status, VARVE_CORRUPT);
    assert_string_equal(err.place, "here");
    return err.message;
}

/* One byte of the example in docs/format-tables.md is replaced. */
static void test_names_of_damage(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t from, to;
        const char *says;
    } cases[] = {
        {4, 0x02, 0x02, "sound"},
        {4, 0x02, 0x01, "it is no segment of events"},
        {6, 0x03, 0x00, "an impossible number of rows"},
        {6, 0x03, 0x04, "section TIME has another number of values than it should"},
        {16, 0xc0, 0xc1, "its head names other times than its rows have"},
        {21, 0x04, 0x28, "section META is missing"},
        {23, 0x08, 0x28, "section TIME is missing"},
        {25, 0x10, 0x28, "column \"cost\": section TYPES is missing"},
        {66, 0x02, 0x7f, "the head of section META is damaged"},
        {66, 0x02, 0x01, "bytes behind the last column in section META"},
        {68, 'c', 'z', "a column in section META is damaged"},
        {68, 'c', 0xff, "a column in section META is damaged"},
        {72, 0x0a, 0x02, "sections that belong to no column"},
        {72, 0x0a, 0x09, "column \"cost\": a type that cannot be there"},
        {72, 0x0a, 0x0c, "column \"cost\": section INTS is missing"},
        {73, 0x03, 0x04, "a column in section META is damaged"},
        {73, 0x03, 0x00, "a column in section META is damaged"},
        {80, 0x04, 0x05, "a column in section META is damaged"},
        {81, 0x02, 0x03,
         "column \"model\": section CODES has another number of values than it should"},
        {98, 0x50, 0xa0, "its rows are out of order"},
        {106, 0x05, 0x07, "column \"cost\": section TYPES where all cells are of one type"},
        {102, 0x02, 0x08, "column \"cost\": a type that cannot be there"},
        {116, 0xb0, 0xa0, "column \"cost\": an int that is not whole"},
        {124, 0x05, 0x07, "column \"model\": section PRESENT and META count cells differently"},
        {120, 0x00, 0x02, "column \"model\": section PRESENT has more than 0 and 1"},
        {127, 0x00, 0x02, "column \"model\": section CODES has a code beyond DICT"},
        {128, 0x00, 0x02, "column \"model\": section DICT does not begin with its order"},
        {135, 'o', 0xff, "column \"model\": section DICT has a text that is none"},
    };
    uint8_t bytes[256];
    size_t size = read_example(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t copy[256];
        memcpy(copy, bytes, size);
        assert_int_equal(copy[cases[i].at], cases[i].from);
        copy[cases[i].at] = cases[i].to;
        assert_string_equal(verdict(copy, size, 0), cases[i].says);
    }
}

/* The bytes of a section of the table that bench_round_trip has opened. */
static uint8_t *section(enum table_section id)
{
    for (uint32_t i = 0; i < bench.table.blob.sections; i++)
        if (bench.table.blob.entries[i].id == (uint16_t)id)
            return bench.bytes.data + bench.table.blob.entries[i].offset;
    fail_msg("no section %d", (int)id);
    return NULL;
}

static void add_text(const char *text, int64_t time)
{
    struct varve_field field = {STR("c"), {.type = VARVE_TEXT, .as.s = {text, strlen(text)}}};
    assert_int_equal(eventset_add(&bench.set, STR("t"), time, &field, 1, NULL), VARVE_OK);
}

static void test_dictionaries(void **state)
{
    (void)state;
    add_text("a", 1);
    add_text("a", 2);
    add_text("b", 3);
    add_text("b", 4);
    bench_round_trip();
    uint8_t *bytes = bench.bytes.data, *order = section(TABLE_DICT), *codes = section(TABLE_CODES);
    size_t size = bench.bytes.size;
    assert_memory_equal(codes, "\x20\x21\x00\x01\x01\x00\x0c", 7); /* 0, 0, 1, 1 */
    assert_memory_equal(bytes + size - 2, "ab", 2);
    bytes[size - 1] = 'a';
    assert_string_equal(verdict(bytes, size, PLACE),
                        "column \"c\": a text that is in section DICT twice");
    bytes[size - 1] = 'A';
    assert_string_equal(verdict(bytes, size, PLACE), "column \"c\": section DICT is not ascending");
    *order = DICT_APPEARANCE;
    assert_string_equal(verdict(bytes, size, PLACE), "sound");
    codes[6] = 0x03; /* 1, 1, 0, 0 */
    assert_string_equal(verdict(bytes, size, PLACE),
                        "column \"c\": section DICT is not in order of appearance");
    codes[6] = 0x00;
    assert_string_equal(verdict(bytes, size, PLACE),
                        "column \"c\": a text in section DICT that no cell has");
}

static void test_statistics(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++)
        add_text("x", i);
    bench_round_trip();
    /* count and flags (2), directory (4), then the least time of the first block */
    uint8_t *time = section(TABLE_TIME);
    assert_int_equal(bench.table.time.stats, 1);
    assert_int_equal(time[6], 0);
    time[6] = 2;
    assert_string_equal(verdict(bench.bytes.data, bench.bytes.size, PLACE),
                        "statistics that are not those of their block");
}

/* Rows in the order of a text, then of time; each swap is found. */
static void test_order(void **state)
{
    (void)state;
    const char *const users[] = {"u", "v"};
    for (int i = 0; i < 2; i++) {
        struct varve_field field = {STR("user.id"), {.type = VARVE_TEXT, .as.s = {users[i], 1}}};
        assert_int_equal(eventset_add(&bench.set, STR("t"), 5 - i, &field, 1, NULL), VARVE_OK);
    }
    bench_round_trip();
    uint8_t *bytes = bench.bytes.data, *order = section(TABLE_DICT);
    size_t size = bench.bytes.size;
    assert_int_equal(*order, DICT_APPEARANCE);
    assert_memory_equal(bytes + size - 2, "uv", 2);
    memcpy(bytes + size - 2, "vu", 2);
    assert_string_equal(verdict(bytes, size, PLACE), "its rows are out of order");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_byte, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_resealed, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_names_of_damage, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_dictionaries, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_statistics, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_order, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
