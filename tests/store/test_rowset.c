/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rowset.c -- metrics, label sets, series and rows in memory.
 */
#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "store/rowset.h"

#include <stdio.h>
#include <string.h>

enum { SEED = 42 };

static struct mem mem;
static struct rowset set;

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    return rowset_init(&set, &mem, SEED, NULL) != VARVE_OK;
}

static int teardown(void **state)
{
    (void)state;
    rowset_free(&set);
    return mem.used != 0;
}

static struct varve_str text(const char *zero_terminated)
{
    return (struct varve_str){zero_terminated, strlen(zero_terminated)};
}

/* "a=1,b=2" over a parent. */
static enum varve_status
derive(uint32_t parent, const char *spelled, uint32_t *id, struct varve_err *err)
{
    static char room[200];
    struct varve_label label[16];
    size_t count = 0;
    snprintf(room, sizeof room, "%s", spelled);
    for (char *p = strtok(room, ","); p; p = strtok(NULL, ",")) {
        char *equals = strchr(p, '=');
        *equals = 0;
        label[count++] = (struct varve_label){text(p), text(equals + 1)};
    }
    return rowset_labels(&set, parent, label, count, id, err);
}

static uint32_t labels(uint32_t parent, const char *spelled)
{
    uint32_t id = UINT32_MAX;
    assert_int_equal(derive(parent, spelled, &id, NULL), VARVE_OK);
    return id;
}

static void expect(uint32_t id, const char *spelled)
{
    char found[200] = "";
    size_t at = 0;
    for (uint32_t i = 0; i < set.sets[id].count; i++) {
        struct varve_str key = intern_text(&set.texts, set.sets[id].pairs[i].key);
        struct varve_str value = intern_text(&set.texts, set.sets[id].pairs[i].value);
        at += (size_t)snprintf(found + at, sizeof found - at, "%s%.*s=%.*s", i ? "," : "",
                               (int)key.size, key.data, (int)value.size, value.data);
    }
    assert_string_equal(found, spelled);
}

static void test_sets_are_what_they_hold(void **state)
{
    (void)state;
    uint32_t ab = labels(0, "b=2,a=1");
    expect(ab, "a=1,b=2");
    assert_int_equal(labels(0, "a=1,b=2"), ab);
    assert_int_equal(labels(labels(0, "a=1"), "b=2"), ab);
    assert_int_equal(labels(labels(0, "b=2"), "a=1"), ab);
    assert_int_equal(labels(labels(0, "a=9,b=2"), "a=1"), ab);
    assert_int_equal(labels(labels(0, "a=1,b=2,c=3"), "c="), ab);
    assert_int_equal(labels(ab, ""), ab);
    assert_int_equal(labels(ab, "d="), ab);
    assert_int_equal(labels(ab, "a=1"), ab);
    assert_int_equal(labels(ab, "a=,b="), 0);
    assert_int_equal(labels(0, ""), 0);
    assert_int_equal(labels(0, "x="), 0);
    assert_int_not_equal(labels(0, "a=2,b=1"), ab);
    assert_int_not_equal(labels(0, "b=1,a=2"), labels(0, "a=b,1=2"));
    expect(labels(ab, "aa=0,Z=9,b=7"), "Z=9,a=1,aa=0,b=7");
    assert_true(str_equal(rowset_label(&set, ab, STR("b")), STR("2")));
    assert_int_equal(rowset_label(&set, ab, STR("c")).size, 0);
    assert_int_equal(rowset_label(&set, ab, STR("never seen")).size, 0);
}

/* Against an oracle: an array of values by key. */
static void test_random_sets(void **state)
{
    (void)state;
    struct prng prng = prng_start(4711);
    static const char *const keys[] = {"a", "b", "c", "dd", "e", "user.id", "z"};
    enum { KEYS = 7, SETS = 400 };
    static char held[SETS][KEYS];
    static uint32_t ids[SETS];
    memset(held[0], 0, KEYS);
    ids[0] = 0;
    for (int n = 1; n < SETS; n++) {
        int parent = (int)prng_below(&prng, (uint64_t)n);
        struct varve_label label[KEYS];
        char values[KEYS][2];
        size_t count = 0;
        memcpy(held[n], held[parent], KEYS);
        uint64_t which = prng_next(&prng);
        for (int k = KEYS; k-- > 0;) {
            if (!(which >> k & 1))
                continue;
            held[n][k] = (char)(prng_below(&prng, 3) ? '0' + prng_below(&prng, 3) : 0);
            memcpy(values[k], (char[2]){held[n][k], 0}, 2);
            label[count++] = (struct varve_label){text(keys[k]), text(values[k])};
        }
        assert_int_equal(rowset_labels(&set, ids[parent], label, count, &ids[n], NULL), VARVE_OK);
        for (int other = 0; other < n; other++)
            assert_int_equal(memcmp(held[n], held[other], KEYS) == 0, ids[n] == ids[other]);
        for (int k = 0; k < KEYS; k++) {
            struct varve_str value = rowset_label(&set, ids[n], text(keys[k]));
            assert_int_equal(value.size, held[n][k] != 0);
            assert_true(value.size == 0 || value.data[0] == held[n][k]);
        }
    }
}

static void test_wrong_labels(void **state)
{
    (void)state;
    struct varve_err err;
    uint32_t id = 77, parent = labels(0, "a=1");
    size_t sets = set.set_count;
    assert_int_equal(derive(0, "a=1,b=2,a=3", &id, &err), VARVE_INVALID);
    assert_string_equal(err.message, "label a is given twice");
    assert_int_equal(derive(parent, "a=1,a=1", &id, &err), VARVE_INVALID);
    assert_int_equal(derive(parent, "c=1,c=", &id, &err), VARVE_INVALID);
    struct varve_label nameless = {STR(""), STR("x")};
    assert_int_equal(rowset_labels(&set, 0, &nameless, 1, &id, &err), VARVE_INVALID);
    assert_string_equal(err.message, "a label without a name");
    assert_int_equal(derive(12345, "a=1", &id, &err), VARVE_MISUSE);
    assert_int_equal(id, 77);
    assert_int_equal(set.set_count, sets);
}

static void test_many_labels(void **state)
{
    (void)state;
    static char room[ROWSET_LABELS + 1][8];
    static struct varve_label label[ROWSET_LABELS + 1];
    struct varve_err err;
    uint32_t id, half;
    for (int i = 0; i <= ROWSET_LABELS; i++) {
        snprintf(room[i], sizeof room[i], "k%d", i * 7919 % 5000);
        label[i] = (struct varve_label){text(room[i]), STR("v")};
    }
    assert_int_equal(rowset_labels(&set, 0, label, ROWSET_LABELS + 1, &id, &err), VARVE_LIMIT);
    assert_int_equal(rowset_labels(&set, 0, label, ROWSET_LABELS, &id, &err), VARVE_OK);
    assert_int_equal(set.sets[id].count, ROWSET_LABELS);
    assert_int_equal(rowset_labels(&set, 0, label, 500, &half, &err), VARVE_OK);
    uint32_t other;
    assert_int_equal(rowset_labels(&set, half, label + 500, ROWSET_LABELS - 500, &other, &err),
                     VARVE_OK);
    assert_int_equal(other, id);
    assert_int_equal(rowset_labels(&set, id, label + ROWSET_LABELS, 1, &other, &err), VARVE_LIMIT);
}

static void test_metrics(void **state)
{
    (void)state;
    struct varve_err err;
    uint32_t a, b;
    assert_int_equal(rowset_metric(&set, STR("cost"), STR(""), 1, 9, &a, &err), VARVE_OK);
    assert_int_equal(rowset_metric(&set, STR("cost"), STR("USD"), 1, 9, &b, &err), VARVE_OK);
    assert_int_equal(a, b);
    assert_true(str_equal(intern_text(&set.texts, set.metrics[a].unit), STR("USD")));
    assert_int_equal(rowset_metric(&set, STR("cost"), STR("EUR"), 1, 9, &b, &err), VARVE_OK);
    assert_true(str_equal(intern_text(&set.texts, set.metrics[a].unit), STR("USD")));
    assert_int_equal(rowset_metric(&set, STR("cost"), STR("USD"), 2, 9, &b, &err), VARVE_INVALID);
    assert_string_equal(err.message, "metric cost is of kind 2 here and of kind 1 before");
    assert_int_equal(rowset_metric(&set, STR("cost"), STR("USD"), 1, 0, &b, &err), VARVE_INVALID);
    assert_string_equal(err.message, "metric cost counts in units of 1e-0 here and of 1e-9 before");
    assert_int_equal(rowset_metric(&set, STR("tokens"), STR(""), 1, 0, &b, &err), VARVE_OK);
    assert_int_equal(b, a + 1);
}

static void test_series_and_import(void **state)
{
    (void)state;
    struct rowset other;
    uint32_t metric, series, again, first, id;
    assert_int_equal(rowset_init(&other, &mem, SEED, NULL), VARVE_OK);
    assert_int_equal(rowset_metric(&other, STR("other"), STR("x"), 2, 0, &metric, NULL), VARVE_OK);
    assert_int_equal(rowset_metric(&set, STR("m"), STR("unit"), 1, 9, &metric, NULL), VARVE_OK);
    uint32_t s = labels(labels(0, "q=1,z=2"), "k=3");
    assert_int_equal(rowset_series(&set, metric, s, &series, NULL), VARVE_OK);
    assert_int_equal(rowset_series(&set, metric, s, &again, NULL), VARVE_OK);
    assert_int_equal(series, again);
    assert_int_equal(rowset_series(&set, metric, 0, &first, NULL), VARVE_OK);
    assert_int_not_equal(first, series);
    assert_int_equal(rowset_series(&set, 99, s, &id, NULL), VARVE_MISUSE);
    assert_int_equal(rowset_series(&set, metric, 999, &id, NULL), VARVE_MISUSE);

    assert_int_equal(rowset_import(&other, &set, series, &id, NULL), VARVE_OK);
    assert_int_equal(rowset_import(&other, &set, series, &again, NULL), VARVE_OK);
    assert_int_equal(id, again);
    assert_int_equal(other.series_count, 1);
    assert_true(h128_equal(other.series[id].hash, set.series[series].hash));
    const struct rowset_metric *m = &other.metrics[other.series[id].metric];
    assert_true(str_equal(intern_text(&other.texts, m->name), STR("m")));
    assert_true(str_equal(intern_text(&other.texts, m->unit), STR("unit")));
    assert_int_equal(m->kind, 1);
    assert_int_equal(m->scale, 9);
    assert_true(str_equal(rowset_label(&other, other.series[id].set, STR("k")), STR("3")));
    assert_int_equal(rowset_find(&other, set.series[series].hash), id);
    assert_int_equal(rowset_find(&other, set.series[first].hash), HASH_NONE);
    assert_int_equal(rowset_import(&other, &set, 99, &id, NULL), VARVE_MISUSE);
    rowset_free(&other);
}

static void test_clear(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        uint32_t metric, series;
        assert_int_equal(rowset_clear(&set, NULL), VARVE_OK);
        assert_int_equal(rowset_metric(&set, STR("m"), STR(""), 1, 0, &metric, NULL), VARVE_OK);
        assert_int_equal(metric, 0);
        assert_int_equal(labels(0, "a=1"), 1);
        assert_int_equal(rowset_series(&set, metric, 1, &series, NULL), VARVE_OK);
        assert_int_equal(series, 0);
        for (int i = 0; i < 100; i++) {
            struct row row = {.series = series, .end = i};
            assert_int_equal(rowset_row(&set, &row, NULL), VARVE_OK);
        }
        assert_int_equal(set.row_count, 100);
        assert_int_equal(set.rows[99].end, 99);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct mem tight;
        struct rowset rows;
        mem_init(&tight, &fault.allocator, 0);
        enum varve_status status = rowset_init(&rows, &tight, SEED, NULL);
        for (int i = 0; i < 60 && status == VARVE_OK; i++) {
            char room[20];
            uint32_t metric, id, series = 0;
            snprintf(room, sizeof room, "v%d", i);
            struct varve_label label = {STR("k"), text(room)};
            status = rowset_metric(&rows, text(room), STR("u"), 1, 0, &metric, NULL);
            if (status == VARVE_OK)
                status = rowset_labels(&rows, 0, &label, 1, &id, NULL);
            if (status == VARVE_OK)
                status = rowset_series(&rows, metric, id, &series, NULL);
            struct row row = {.series = series};
            if (status == VARVE_OK)
                status = rowset_row(&rows, &row, NULL);
        }
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        rowset_free(&rows);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sets_are_what_they_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_sets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metrics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_series_and_import, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
