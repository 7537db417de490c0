/* SPDX-License-Identifier: Apache-2.0
 *
 * test_eventset.c -- what an event is: limits, names, identity, copies.
 */
#include "store/eventset.h"

#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "sample_events.h"

#include <math.h>
#include <string.h>

enum { SEED = 77 };

static struct mem mem;
static struct eventset set;

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    return eventset_init(&set, &mem, SEED, NULL) != VARVE_OK;
}

static int teardown(void **state)
{
    (void)state;
    eventset_free(&set);
    return mem.used != 0;
}

static struct varve_str str(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

static struct varve_field int_of(const char *name, int64_t value)
{
    return (struct varve_field){str(name), {.type = VARVE_INT, .as.i = value}};
}

static struct varve_field float_of(const char *name, double value)
{
    return (struct varve_field){str(name), {.type = VARVE_FLOAT, .as.f = value}};
}

static struct varve_field text_of(const char *name, const char *value)
{
    return (struct varve_field){str(name), {.type = VARVE_TEXT, .as.s = str(value)}};
}

static struct varve_field null_of(const char *name)
{
    return (struct varve_field){str(name), {.type = VARVE_NULL}};
}

static struct h128 add(int64_t time, const struct varve_field *fields, size_t count)
{
    assert_int_equal(eventset_add(&set, STR("t"), time, fields, count, NULL), VARVE_OK);
    return set.events[set.count - 1].identity;
}

static void test_cells(void **state)
{
    (void)state;
    struct varve_field fields[] = {int_of("a", -1),
                                   null_of("b"),
                                   float_of("c", 2.0),
                                   text_of("d", ""),
                                   {STR("e"), {.type = VARVE_BOOL, .as.i = 7}}};
    add(99, fields, 5);
    const struct event *event = &set.events[0];
    assert_int_equal(event->cells, 4);
    assert_int_equal(event->time, 99);
    assert_int_equal(event->cell[0].bits, -1);
    assert_int_equal(event->cell[1].type, VARVE_FLOAT);
    assert_int_equal(event->cell[1].bits, 0x4000000000000000);
    assert_int_equal(event->cell[2].type, VARVE_TEXT);
    assert_int_equal(event->cell[2].bits, 0);
    assert_int_equal(event->cell[3].bits, 1);
    for (uint32_t i = 1; i < event->cells; i++)
        assert_true(event->cell[i - 1].column < event->cell[i].column);
    add(100, NULL, 0);
    assert_int_equal(set.events[1].cells, 0);
}

/* Stores hold identities: this one must never change. */
static void test_known_identity(void **state)
{
    (void)state;
    struct varve_field fields[] = {int_of("a", 1), float_of("b", 0.5), text_of("c", "x")};
    struct h128 identity = add(1791417600000000000, fields, 3);
    assert_int_equal(identity.hi, UINT64_C(0x648b09a345084a5f));
    assert_int_equal(identity.lo, UINT64_C(0x219cbc32fc301959));
}

static void test_identity(void **state)
{
    (void)state;
    struct varve_field ab[] = {int_of("a", 1), text_of("b", "x")};
    struct varve_field ba[] = {text_of("b", "x"), null_of("z"), int_of("a", 1)};
    struct h128 base = add(5, ab, 2);
    assert_true(h128_equal(base, add(5, ba, 3)));
    assert_false(h128_equal(base, add(6, ab, 2)));
    assert_false(h128_equal(base, add(5, ab, 1)));
    /* Each of these is another value of `a`, and one is no value. */
    struct varve_field others[] = {int_of("a", 1),
                                   float_of("a", 1.0),
                                   text_of("a", "1"),
                                   int_of("a", 0),
                                   float_of("a", 0.0),
                                   float_of("a", -0.0),
                                   text_of("a", ""),
                                   int_of("aa", 1),
                                   text_of("a", "b"),
                                   text_of("b", "a"),
                                   {STR("a"), {.type = VARVE_BOOL, .as.i = 1}},
                                   null_of("a")};
    size_t first = set.count, count = sizeof others / sizeof *others;
    for (size_t i = 0; i < count; i++)
        add(5, &others[i], 1);
    for (size_t i = first; i < first + count; i++)
        for (size_t j = first; j < i; j++)
            assert_false(h128_equal(set.events[i].identity, set.events[j].identity));
    /* The table takes part. */
    assert_int_equal(eventset_add(&set, STR("u"), 5, ab, 2, NULL), VARVE_OK);
    assert_false(h128_equal(base, set.events[set.count - 1].identity));
}

static void refused(enum varve_status wanted, struct varve_str table,
                    const struct varve_field *fields, size_t count, const char *message)
{
    struct varve_err err = {0};
    size_t before = set.count;
    assert_int_equal(eventset_add(&set, table, 1, fields, count, &err), wanted);
    assert_string_equal(err.message, message);
    assert_int_equal(set.count, before);
}

static void test_refusals(void **state)
{
    (void)state;
    char long_name[258];
    memset(long_name, 'n', 257);
    long_name[257] = 0;
    struct varve_field twice[] = {int_of("a", 1), int_of("b", 1), text_of("a", "2")};
    refused(VARVE_INVALID, STR("t"), twice, 3, "field \"a\" is given twice in one event");
    struct varve_field name[] = {int_of("a", 1), int_of("", 1)};
    refused(VARVE_INVALID, STR("t"), name, 2,
            "the name of field 2 of the event is empty; give it one");
    name[1].name = str(long_name);
    refused(VARVE_LIMIT, STR("t"), name, 2,
            "the name of field 2 of the event has 257 bytes; at most 256 are allowed");
    name[1].name = STR("a\xff");
    refused(VARVE_INVALID, STR("t"), name, 2,
            "the name of field 2 of the event is not valid UTF-8");
    struct varve_field text = text_of("a", "\xc3");
    refused(VARVE_INVALID, STR("t"), &text, 1,
            "the text of field \"a\" of the event is not valid UTF-8");
    struct varve_field type = {STR("a"), {.type = (enum varve_type)9}};
    refused(VARVE_INVALID, STR("t"), &type, 1,
            "field \"a\" of the event has type 9, which is no type of a value");
    refused(VARVE_INVALID, STR(""), NULL, 0, "the name of the table is empty; give it one");
    refused(VARVE_LIMIT, str(long_name), NULL, 0,
            "the name of the table has 257 bytes; at most 256 are allowed");
    refused(VARVE_INVALID, STR("\x80"), NULL, 0, "the name of the table is not valid UTF-8");
}

static void test_limits(void **state)
{
    (void)state;
    static struct varve_field fields[EVENT_CELLS_MAX + 2];
    static char names[EVENT_CELLS_MAX + 2][16];
    static char text[EVENT_TEXT_MAX + 1];
    for (int i = 0; i < EVENT_CELLS_MAX + 2; i++) {
        snprintf(names[i], sizeof names[i], "f%d", EVENT_CELLS_MAX + 1 - i);
        fields[i] = int_of(names[i], i);
    }
    fields[3].value.type = VARVE_NULL;
    add(1, fields, EVENT_CELLS_MAX + 1);
    assert_int_equal(set.events[0].cells, EVENT_CELLS_MAX);
    refused(VARVE_LIMIT, STR("t"), fields, EVENT_CELLS_MAX + 2,
            "the event has more than 512 fields; \"f0\" is one too many");
    memset(text, 'x', sizeof text);
    struct varve_field field = {STR("body"), {.type = VARVE_TEXT, .as.s = {text, sizeof text}}};
    refused(VARVE_LIMIT, STR("t"), &field, 1,
            "field \"body\" of the event has a text of 1048577 bytes; at most 1048576 are allowed");
    field.value.as.s.size--;
    add(1, &field, 1);
}

/* Many names that share a slot of the small table of names, in changing order. */
static void test_names(void **state)
{
    (void)state;
    struct prng prng = prng_start(3);
    static char names[2000][16];
    for (int i = 0; i < 2000; i++)
        snprintf(names[i], sizeof names[i], "n%d", i);
    for (int round = 0; round < 500; round++) {
        struct varve_field fields[8];
        size_t from = prng_below(&prng, 2000 - 8);
        for (size_t i = 0; i < 8; i++)
            fields[i] = int_of(names[from + i], (int64_t)(from + i));
        add(round, fields, 8);
        const struct event *event = &set.events[set.count - 1];
        for (uint32_t i = 0; i < event->cells; i++) {
            struct varve_str name = intern_text(&set.texts, event->cell[i].column);
            assert_true(str_equal(name, str(names[event->cell[i].bits])));
        }
    }
}

static void same_event(const struct eventset *a, const struct event *x, const struct eventset *b,
                       const struct event *y)
{
    assert_int_equal(x->time, y->time);
    assert_int_equal(x->cells, y->cells);
    assert_true(h128_equal(x->identity, y->identity));
    for (uint32_t i = 0; i < x->cells; i++) {
        struct varve_str name = intern_text(&a->texts, x->cell[i].column);
        uint32_t j = 0;
        while (j < y->cells && !str_equal(name, intern_text(&b->texts, y->cell[j].column)))
            j++;
        assert_true(j < y->cells);
        assert_int_equal(x->cell[i].type, y->cell[j].type);
        if (x->cell[i].type == VARVE_TEXT)
            assert_true(str_equal(intern_text(&a->texts, (uint32_t)x->cell[i].bits),
                                  intern_text(&b->texts, (uint32_t)y->cell[j].bits)));
        else
            assert_int_equal(x->cell[i].bits, y->cell[j].bits);
    }
}

static void test_import(void **state)
{
    (void)state;
    struct prng prng = prng_start(5);
    struct eventset copy, other;
    sample_api_requests(&set, &prng, 200);
    assert_int_equal(eventset_init(&copy, &mem, SEED, NULL), VARVE_OK);
    for (size_t i = set.count; i-- > 0;)
        assert_int_equal(eventset_import(&copy, &set, &set.events[i], NULL), VARVE_OK);
    for (size_t i = 0; i < set.count; i++)
        same_event(&set, &set.events[i], &copy, &copy.events[set.count - 1 - i]);
    assert_int_equal(eventset_init(&other, &mem, SEED + 1, NULL), VARVE_OK);
    assert_int_equal(eventset_import(&other, &set, &set.events[0], NULL), VARVE_MISUSE);
    eventset_free(&other);
    assert_int_equal(eventset_clear(&copy, NULL), VARVE_OK);
    assert_int_equal(copy.count, 0);
    assert_int_equal(eventset_import(&copy, &set, &set.events[7], NULL), VARVE_OK);
    same_event(&set, &set.events[7], &copy, &copy.events[0]);
    eventset_free(&copy);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct mem counted;
        struct eventset few;
        struct varve_err err = {0};
        mem_init(&counted, &fault.allocator, 0);
        enum varve_status status = eventset_init(&few, &counted, SEED, &err);
        if (status == VARVE_OK) {
            for (int i = 0; i < 40 && status == VARVE_OK; i++) {
                struct varve_field fields[] = {int_of("a", i), text_of("b", i % 3 ? "x" : "y")};
                status = eventset_add(&few, STR("t"), i, fields, 2, &err);
                assert_int_equal(few.count, i + (status == VARVE_OK));
            }
            eventset_free(&few);
        }
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        assert_int_equal(err.status, status);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cells, setup, teardown),
        cmocka_unit_test_setup_teardown(test_known_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_import, setup, teardown),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
