/* SPDX-License-Identifier: Apache-2.0
 *
 * test_group_key.c -- equal keys are one group, in whatever form they come.
 */
#include "exec/group_key.h"

#include <stdlib.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"

#define TEXTS 40
#define KEYS 3

/* A segment: dictionaries with the same texts in an order of its own. */
struct segment {
    struct varve_dictionary dictionaries[KEYS];
    struct varve_str texts[KEYS][TEXTS + 1];
};

struct fixture {
    struct mem mem;
    struct varve_err err;
    char names[TEXTS][8];
    struct segment segment;
    uint32_t segment_number, key_count;
    struct vector vectors[KEYS];
    uint32_t codes[KEYS][BATCH_ROWS];
    struct value cells[KEYS][BATCH_ROWS];
    int64_t ints[KEYS][BATCH_ROWS];
    uint64_t present[BATCH_ROWS / 64];
    uint16_t selected[BATCH_ROWS];
    uint32_t groups[BATCH_ROWS];
    /* the model: rows that stand for groups */
    struct value seen[4096][KEYS];
    uint32_t seen_count;
};

static struct varve_str text_of(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

static void set_up(struct fixture *f, uint32_t key_count)
{
    *f = (struct fixture){.key_count = key_count};
    mem_init(&f->mem, NULL, 0);
    for (int i = 0; i < TEXTS; i++)
        snprintf(f->names[i], sizeof f->names[i], "t%d", i);
}

static void new_segment(struct fixture *f, struct prng *prng)
{
    f->segment_number++;
    for (uint32_t k = 0; k < KEYS; k++) {
        uint32_t n = 1 + (uint32_t)prng_below(prng, TEXTS);
        uint64_t first = prng_below(prng, TEXTS);
        f->segment.texts[k][0] = STR("");
        for (uint32_t i = 0; i < n; i++)
            f->segment.texts[k][i + 1] = text_of(f->names[(first + 7 * i) % TEXTS]);
        f->segment.dictionaries[k] = (struct varve_dictionary){f->segment.texts[k], n + 1};
    }
}

/* A column of some form; the names of a segment come as plain values, too. */
static void fill_vector(struct fixture *f, uint32_t k, unsigned form, struct prng *prng)
{
    struct vector *v = &f->vectors[k];
    *v = (struct vector){.form = form};
    if (form == VECTOR_CONST)
        v->value = value_text(text_of(f->names[prng_below(prng, TEXTS)]));
    v->codes = f->codes[k];
    v->dictionary = &f->segment.dictionaries[k];
    v->values = f->cells[k];
    v->ints = f->ints[k];
    v->type = TYPE_INT;
    v->present = form == VECTOR_INTS ? f->present : NULL;
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        f->codes[k][i] = (uint32_t)prng_below(prng, v->dictionary->count);
        f->ints[k][i] = (int64_t)prng_below(prng, 5);
        struct value *cell = &f->cells[k][i];
        switch (prng_below(prng, 4)) {
        case 0:
            *cell = value_null();
            break;
        case 1:
            *cell = value_float((double)prng_below(prng, 5));
            break;
        case 2:
            *cell = value_int(TYPE_NANO, (int64_t)prng_below(prng, 5) * 1000000000);
            break;
        default:
            *cell = value_text(text_of(f->names[prng_below(prng, TEXTS)]));
            break;
        }
    }
}

static struct batch fill_batch(struct fixture *f, struct prng *prng)
{
    struct batch batch = {.rows = 1 + (uint32_t)prng_below(prng, BATCH_ROWS),
                          .segment = f->segment_number};
    bool codes = prng_below(prng, 2);
    for (uint32_t i = 0; i < BATCH_ROWS / 64; i++)
        f->present[i] = prng_next(prng);
    for (uint32_t k = 0; k < f->key_count; k++)
        fill_vector(f, k,
                    codes ? VECTOR_CODES
                          : (unsigned[]){VECTOR_CONST, VECTOR_VALUES, VECTOR_INTS,
                                         VECTOR_CODES}[prng_below(prng, 4)],
                    prng);
    if (prng_below(prng, 2)) {
        batch.selected = f->selected;
        for (uint32_t i = 0; i < batch.rows; i++)
            if (prng_below(prng, 3) == 0)
                f->selected[batch.selected_count++] = (uint16_t)i;
    }
    return batch;
}

/* The number that the row's keys got in the model, in the order of meeting. */
static uint32_t model_group(struct fixture *f, uint32_t row)
{
    struct value keys[KEYS];
    for (uint32_t k = 0; k < f->key_count; k++)
        keys[k] = vector_value(&f->vectors[k], row);
    for (uint32_t g = 0; g < f->seen_count; g++) {
        bool same = true;
        for (uint32_t k = 0; k < f->key_count && same; k++)
            same = value_compare(f->seen[g][k], keys[k]) == 0;
        if (same)
            return g;
    }
    if (f->seen_count == 4096)
        return UINT32_MAX;
    for (uint32_t k = 0; k < f->key_count; k++) {
        f->seen[f->seen_count][k] = keys[k];
        if (keys[k].type == TYPE_TEXT) /* the segment goes */
            f->seen[f->seen_count][k].as.s = f->names[strtoul(keys[k].as.s + 1, NULL, 10)];
    }
    return f->seen_count++;
}

static void test_groups(void **state)
{
    (void)state;
    struct prng prng = prng_start(11);
    static struct fixture f;
    for (uint32_t key_count = 0; key_count <= KEYS; key_count++) {
        struct group_keys *keys;
        set_up(&f, key_count);
        assert_int_equal(group_keys_new(&f.mem, key_count, NULL, NULL, &keys, &f.err), VARVE_OK);
        for (int round = 0; round < 12 && f.seen_count < 2000; round++) {
            if (round % 3 == 0)
                new_segment(&f, &prng);
            struct batch batch = fill_batch(&f, &prng);
            assert_int_equal(group_keys_find(keys, &batch, f.vectors, f.groups, &f.err), VARVE_OK);
            for (uint32_t i = 0; i < batch_count(&batch); i++) {
                uint32_t group = model_group(&f, batch_row(&batch, i));
                if (group != UINT32_MAX)
                    assert_int_equal(f.groups[batch_row(&batch, i)], group);
            }
        }
        for (uint32_t g = 0; g < f.seen_count; g++)
            for (uint32_t k = 0; k < key_count; k++)
                assert_int_equal(value_compare(group_keys_values(keys, g)[k], f.seen[g][k]), 0);
        assert_true(group_keys_count(keys) >= f.seen_count);
        group_keys_free(keys);
        assert_int_equal(atomic_load(&f.mem.used), 0);
    }
}

/* ---- keeping ---------------------------------------------------------------- */

static void add_kept(struct relation *kept, const char *text, int64_t number, struct varve_err *err)
{
    struct value *cells = relation_add(kept, err);
    assert_non_null(cells);
    cells[0] = text ? value_text(text_of(text)) : value_null();
    cells[1] = value_int(TYPE_INT, number);
    cells[2] = value_int(TYPE_INT, 77); /* what follows the keys says nothing */
}

static void test_keep(void **state)
{
    (void)state;
    static struct fixture f;
    struct relation kept;
    set_up(&f, 2);
    relation_init(&kept, &f.mem, 3);
    add_kept(&kept, "a", 1, &f.err);
    add_kept(&kept, NULL, 2, &f.err);
    add_kept(&kept, "unmet", 3, &f.err);
    struct value texts[6] = {value_text(STR("b")), value_text(STR("a")), value_text(STR("a")),
                             value_null(),         value_null(),         value_text(STR("a"))};
    int64_t numbers[6] = {1, 1, 2, 2, 1, 1};
    const struct vector vectors[2] = {{.form = VECTOR_VALUES, .values = texts},
                                      {.form = VECTOR_INTS, .type = TYPE_INT, .ints = numbers}};
    const struct batch batch = {.rows = 6};
    for (int other = 0; other < 2; other++) {
        struct keep keep = {.is_set = true, .other = other, .label = STR("rest")};
        struct group_keys *keys;
        assert_int_equal(group_keys_new(&f.mem, 2, &keep, &kept, &keys, &f.err), VARVE_OK);
        assert_int_equal(group_keys_find(keys, &batch, vectors, f.groups, &f.err), VARVE_OK);
        const uint32_t with[6] = {0, 1, 0, 2, 0, 1},
                       without[6] = {NO_GROUP, 0, NO_GROUP, 1, NO_GROUP, 0};
        assert_memory_equal(f.groups, other ? with : without, sizeof with);
        assert_int_equal(group_keys_count(keys), 2 + other);
        for (uint32_t g = 0; g < group_keys_count(keys); g++)
            assert_int_equal(group_keys_is_other(keys, g), other && g == 0);
        if (other) {
            const struct value *rest = group_keys_values(keys, 0);
            assert_true(str_equal(value_str(rest[0]), STR("rest")));
            assert_true(value_is_null(rest[1]));
        }
        group_keys_free(keys);
    }
    relation_free(&kept);
    assert_int_equal(atomic_load(&f.mem.used), 0);
}

static void test_no_memory(void **state)
{
    (void)state;
    static struct fixture f;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct prng prng = {5};
        struct group_keys *keys = NULL;
        struct relation kept;
        struct mem plain;
        set_up(&f, 2);
        mem_init(&plain, NULL, 0);
        relation_init(&kept, &plain, 3);
        add_kept(&kept, "t1", 1, &f.err);
        mem_init(&f.mem, &fault.allocator, 0);
        struct keep keep = {.is_set = true, .other = true, .label = STR("rest")};
        enum varve_status status = group_keys_new(&f.mem, 2, &keep, &kept, &keys, &f.err);
        new_segment(&f, &prng);
        for (int round = 0; round < 3 && status == VARVE_OK; round++) {
            struct batch batch = fill_batch(&f, &prng);
            status = group_keys_find(keys, &batch, f.vectors, f.groups, &f.err);
        }
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        if (keys)
            group_keys_free(keys);
        assert_true(alloc_fault_is_clean(&fault));
        relation_free(&kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups), cmocka_unit_test(test_keep),
                                       cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
