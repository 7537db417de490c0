/* SPDX-License-Identifier: Apache-2.0
 *
 * test_scan_op.c -- rows of tables and metrics against the rows that went in.
 *
 * Events of some days go in in any order, some sealed, some not, with attributes that change their
 * type.  What a scan gives has to be what went in, filtered here once more, sorted.
 */
#include "../base/unit.h"

#include "exec/scan_op.h"

#include <stdlib.h>

#include "../base/prng.h"
#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "small_store.h"

#define T0 INT64_C(1789344000000000000) /* a midnight */

enum { COLUMNS = 5, EVENTS = 2500, DAYS = 5 };
static const char *const names[COLUMNS] = {"time", "id", "model", "n", "ok"};

struct world {
    struct prng prng;
    struct small_store small;
    struct plans plans;
    struct relation rows; /* time, id, model, n, ok */
    struct lookup lookup;
    struct lookups lookups;
};

static struct value any_n(struct world *w, bool varies)
{
    static const char *const texts[] = {"7", "x", "2.5", "true", ""};
    uint64_t kind = varies ? prng_below(&w->prng, 5) : 0;
    const char *text = texts[prng_below(&w->prng, 5)];
    int64_t number = (int64_t)prng_below(&w->prng, 5);
    switch (kind) {
    case 1:
        return value_float((double)number / 2);
    case 2:
        return value_text((struct varve_str){text, strlen(text)});
    case 3:
        return value_int(TYPE_BOOL, number & 1);
    case 4:
        return value_null();
    default:
        return value_int(TYPE_INT, number);
    }
}

static void add_events(struct world *w)
{
    static const char *const models[] = {"opus", "sonnet", "haiku", "opus-mini"};
    for (int i = 0; i < EVENTS; i++) {
        struct value *row = relation_add(&w->rows, NULL);
        assert_non_null(row);
        int64_t day = (int64_t)prng_below(&w->prng, DAYS);
        int64_t second = (int64_t)prng_below(&w->prng, 300) * 288; /* many at the same time */
        row[0] = value_int(TYPE_TIME, T0 + day * NS_PER_DAY + second * NS_PER_SECOND);
        row[1] = value_int(TYPE_INT, i);
        const char *model = models[prng_below(&w->prng, 4)];
        if (prng_below(&w->prng, 5))
            row[2] = value_text((struct varve_str){model, strlen(model)});
        row[3] = any_n(w, day != 1);
        if (prng_below(&w->prng, 3))
            row[4] = value_int(TYPE_BOOL, (int64_t)prng_below(&w->prng, 2));
        small_store_event(&w->small, "tool_result", row[0].as.i, names + 1, row + 1, COLUMNS - 1);
        if (prng_below(&w->prng, 400) == 0) {
            small_store_append(&w->small);
            if (prng_below(&w->prng, 2))
                small_store_seal(&w->small);
        }
    }
    small_store_append(&w->small);
    small_store_read(&w->small);
}

static void set_up(struct world *w, uint64_t seed)
{
    *w = (struct world){.prng = prng_start(seed)};
    small_store_make(&w->small);
    plans_begin(&w->plans);
    relation_init(&w->rows, &w->plans.mem, COLUMNS);
    assert_int_equal(lookup_parse(STR("family"), STR("model"),
                                  STR("model,maker,size\nopus,A,large\nhaiku,A,small\n"
                                      "sonnet,B,\n7,C,number\n"),
                                  &w->plans.arena, &w->lookup, NULL),
                     VARVE_OK);
    w->lookups = (struct lookups){&w->lookup, 1};
    w->small.lookups = &w->lookups;
}

static void tear_down(struct world *w)
{
    relation_free(&w->rows);
    plans_end(&w->plans);
    small_store_end(&w->small);
}

static void *get(struct world *w, size_t size)
{
    void *memory = arena_zalloc(&w->plans.arena, size);
    assert_non_null(memory);
    return memory;
}

/* A scan of the given columns of the table; 5 is the maker, a virtual label of the model. */
static struct node *
scan_of(struct world *w, const uint32_t *columns, uint32_t count, struct time_range range)
{
    struct node *node = plans_node(&w->plans, NODE_SCAN, count, 0, NULL);
    node->as.scan.source = STR("tool_result");
    node->as.scan.read = get(w, count * sizeof *node->as.scan.read);
    node->as.scan.read_count = count;
    node->as.scan.range = range;
    for (uint32_t i = 0; i < count; i++) {
        struct column_ref *ref = &node->as.scan.read[i];
        const char *name = columns[i] == 5 ? "model" : names[columns[i]];
        ref->name = (struct varve_str){name, strlen(name)};
        if (columns[i] == 5) {
            ref->lookup = STR("family");
            ref->field = STR("maker");
        }
    }
    return node;
}

static struct value maker_of(struct value model)
{
    if (value_is_null(model))
        return model;
    struct varve_str name = value_str(model);
    if (str_equal(name, STR("opus")) || str_equal(name, STR("haiku")))
        return value_text(STR("A"));
    return str_equal(name, STR("sonnet")) ? value_text(STR("B")) : value_null();
}

struct test_filter {
    struct label_filter filter;
    const char *values;  /* with commas */
    const char *passing; /* "|a|b|", texts that pass; "||" the missing one */
    bool is_virtual;
};
static const struct test_filter filters[] = {
    {{.op = MATCH_EQ}, "opus,haiku", "|opus|haiku|", false},
    {{.op = MATCH_EQ}, "", "||", false},
    {{.op = MATCH_NE}, "opus", "|sonnet|haiku|opus-mini||", false},
    {{.op = MATCH_RE}, "opus.*", "|opus|opus-mini|", false},
    {{.op = MATCH_RE}, ".*", "|opus|sonnet|haiku|opus-mini||", false},
    {{.op = MATCH_NRE}, ".+", "||", false},
    {{.op = MATCH_EQ}, "A", "|opus|haiku|", true},
    {{.op = MATCH_NE}, "A", "|sonnet|opus-mini||", true},
    {{.op = MATCH_RE}, "A|", "|opus|haiku|opus-mini||", true},
};
enum { FILTERS = sizeof filters / sizeof *filters };

static void add_filter(struct world *w, struct node *node, const struct test_filter *f)
{
    struct label_filter *filter = get(w, sizeof *filter);
    struct varve_str *values = get(w, 4 * sizeof *values);
    const char *at = f->values;
    *filter = f->filter;
    filter->label.name = STR("model");
    if (f->is_virtual) {
        filter->label.lookup = STR("family");
        filter->label.field = STR("maker");
    }
    filter->values = values;
    do {
        size_t size = strcspn(at, ",");
        values[filter->value_count++] = (struct varve_str){at, size};
        at += size;
    } while (*at++ == ',');
    node->as.scan.filters = filter;
    node->as.scan.filter_count = 1;
}

static bool passes(const struct test_filter *f, struct value model)
{
    char wanted[40];
    snprintf(wanted, sizeof wanted, "|%.*s|", (int)model.size,
             value_is_null(model) ? "" : model.as.s);
    return !f || strstr(f->passing, wanted) != NULL;
}

static void expect(struct world *w, struct relation *expected, const uint32_t *columns,
                   uint32_t count, struct time_range range, const struct test_filter *f)
{
    static const uint32_t by[] = {0};
    relation_init(expected, &w->plans.mem, count);
    for (uint64_t i = 0; i < w->rows.rows; i++) {
        const struct value *row = relation_row(&w->rows, i);
        if (row[0].as.i < range.since || row[0].as.i >= range.until || !passes(f, row[2]))
            continue;
        struct value *cells = relation_add(expected, NULL);
        assert_non_null(cells);
        for (uint32_t c = 0; c < count; c++)
            cells[c] = columns[c] == 5 ? maker_of(row[2]) : row[columns[c]];
    }
    assert_int_equal(relation_sort(expected, by, NULL, 1, NULL), VARVE_OK);
}

static void same_rows(const struct relation *got, const struct relation *expected)
{
    assert_int_equal(got->rows, expected->rows);
    for (uint64_t i = 0; i < got->rows; i++)
        for (uint32_t c = 0; c < got->columns; c++) {
            struct value a = relation_row(got, i)[c], b = relation_row(expected, i)[c];
            if (a.type != b.type || value_compare(a, b) != 0)
                fail_msg("row %d, column %u: type %u, not %u, or another value", (int)i, c, a.type,
                         b.type);
        }
}

static void run(struct world *w, struct node *root, struct relation *result)
{
    struct mem mem;
    struct varve_err err;
    mem_init(&mem, NULL, 0);
    if (small_store_run(&w->small, &w->plans, root, &mem, result, &err) != VARVE_OK)
        fail_msg("%s: %s", err.place, err.message);
    assert_int_equal(mem.used, 0);
}

static uint32_t some_columns(struct world *w, uint32_t columns[6])
{
    uint32_t count = 1;
    columns[0] = 0;
    for (uint32_t c = 1; c < 6; c++)
        if (prng_below(&w->prng, 2))
            columns[count++] = c;
    return count;
}

static struct time_range some_range(struct world *w)
{
    int64_t a = T0 + (int64_t)prng_below(&w->prng, DAYS * 86400) * NS_PER_SECOND;
    int64_t b = T0 + (int64_t)prng_below(&w->prng, DAYS * 86400) * NS_PER_SECOND;
    if (prng_below(&w->prng, 4) == 0)
        return (struct time_range){INT64_MIN, INT64_MAX};
    return (struct time_range){a < b ? a : b, a < b ? b : a};
}

static void events_come_in_order(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, 51);
    add_events(&w);
    for (int round = 0; round < 60; round++) {
        uint32_t columns[6], count = some_columns(&w, columns);
        struct time_range range = some_range(&w);
        uint64_t which = prng_below(&w.prng, FILTERS + 1);
        const struct test_filter *f = which < FILTERS ? &filters[which] : NULL;
        struct node *node = scan_of(&w, columns, count, range);
        struct relation got, expected;
        if (f)
            add_filter(&w, node, f);
        run(&w, node, &got);
        expect(&w, &expected, columns, count, range, f);
        same_rows(&got, &expected);
        relation_free(&got);
        relation_free(&expected);
        w.plans.plan.node_count = 0;
    }
    tear_down(&w);
}

/* Calls the operator itself, as something above it would that does not mind the order. */
static void any_order_gives_the_same_rows(void **state)
{
    (void)state;
    static const uint32_t by[] = {0};
    struct world w;
    set_up(&w, 52);
    add_events(&w);
    for (int round = 0; round < 30; round++) {
        uint32_t columns[6], count = some_columns(&w, columns), codes = 0;
        struct time_range range = some_range(&w);
        const struct test_filter *f = &filters[prng_below(&w.prng, FILTERS)];
        struct node *node = scan_of(&w, columns, count, range);
        struct relation got, expected;
        struct mem mem;
        struct exec *exec;
        struct batch batch;
        struct varve_err err;
        enum varve_status status;
        add_filter(&w, node, f);
        mem_init(&mem, NULL, 0);
        relation_init(&got, &w.plans.mem, count);
        w.plans.plan.root = node;
        assert_int_equal(exec_open(&w.plans.plan, w.small.snapshot, &w.lookups, &w.plans.options,
                                   &mem, &exec, &err),
                         VARVE_OK);
        scan_op_any_order(exec->root);
        while ((status = op_next(exec->root, &batch, &err)) == VARVE_OK) {
            assert_true(batch.segment > 0);
            for (uint32_t c = 0; c < count; c++)
                codes += batch.columns[c].form == VECTOR_CODES;
            assert_int_equal(relation_add_batch(&got, &batch, NULL), VARVE_OK);
        }
        assert_int_equal(status, VARVE_DONE);
        exec_close(exec);
        assert_int_equal(mem.used, 0);
        assert_int_equal(relation_sort(&got, by, NULL, 1, NULL), VARVE_OK);
        expect(&w, &expected, columns, count, range, f);
        same_rows(&got, &expected);
        for (uint32_t c = 0; c < count; c++)
            assert_true(columns[c] != 2 || got.rows == 0 || codes > 0);
        relation_free(&got);
        relation_free(&expected);
        w.plans.plan.node_count = 0;
    }
    tear_down(&w);
}

static struct node *
metric_scan(struct world *w, const char *metric, const char *const *labels, uint32_t count)
{
    struct node *node = plans_node(&w->plans, NODE_SCAN, 3 + count, 0, NULL);
    node->as.scan.source = (struct varve_str){metric, strlen(metric)};
    node->as.scan.is_metric = true;
    node->as.scan.read = get(w, (3 + count) * sizeof *node->as.scan.read);
    node->as.scan.read_count = 3 + count;
    node->as.scan.range = (struct time_range){INT64_MIN, INT64_MAX};
    for (uint32_t i = 0; i < count; i++)
        node->as.scan.read[3 + i].name = (struct varve_str){labels[i], strlen(labels[i])};
    return node;
}

static void add_delta(struct world *w, uint32_t metric, const char *labels, int64_t minute,
                      struct varve_value value)
{
    struct varve_err err;
    int64_t end = T0 + minute * 60 * NS_PER_SECOND;
    assert_int_equal(batch_counter(&w->small.batch, metric, small_store_labels(&w->small, labels),
                                   VARVE_DELTA, end - 60 * NS_PER_SECOND, end, value, &err),
                     VARVE_OK);
}

static void metrics_come_with_labels(void **state)
{
    (void)state;
    static const char *const labels[] = {"model", "type"};
    struct world w;
    struct relation got;
    struct varve_value value = {.type = VARVE_FLOAT, .as.f = 0.25};
    set_up(&w, 53);
    uint32_t cost = small_store_metric(&w.small, "cost", "USD", VARVE_COUNTER);
    add_delta(&w, cost, "model=opus,type=b", 2000, value);
    add_delta(&w, cost, "model=opus", 5, value);
    small_store_append(&w.small);
    small_store_seal(&w.small);
    cost = small_store_metric(&w.small, "cost", "USD", VARVE_COUNTER);
    value.as.f = 1e-9;
    add_delta(&w, cost, "model=haiku", 5, value);
    small_store_append(&w.small);
    small_store_read(&w.small);
    struct node *node = metric_scan(&w, "cost", labels, 2);
    add_filter(&w, node, &filters[0]);
    run(&w, node, &got);
    assert_string_equal(plans_print(&w.plans, &got),
                        "@1789344300000000000 @1789344240000000000 1n haiku -; "
                        "@1789344300000000000 @1789344240000000000 250000000n opus -; "
                        "@1789464000000000000 @1789463940000000000 250000000n opus b");
    relation_free(&got);
    tear_down(&w);
}

/* What comes late to a cumulative counter moves a part of an increment; the sum stays. */
static void adjustments_are_increments(void **state)
{
    (void)state;
    struct world w;
    struct relation got;
    struct varve_err err;
    int64_t sum = 0, early = 0;
    set_up(&w, 54);
    static const int64_t readings[][2] = {{10, 100}, {20, 150}, {15, 120}, {5, 30}};
    for (int i = 0; i < 4; i++) {
        uint32_t tokens = small_store_metric(&w.small, "tokens", "", VARVE_COUNTER);
        struct varve_value value = {.type = VARVE_INT, .as.i = readings[i][1]};
        assert_int_equal(batch_counter(&w.small.batch, tokens, small_store_labels(&w.small, "a=b"),
                                       VARVE_CUMULATIVE, T0, T0 + readings[i][0] * NS_PER_SECOND,
                                       value, &err),
                         VARVE_OK);
        small_store_append(&w.small);
    }
    small_store_read(&w.small);
    run(&w, metric_scan(&w, "tokens", NULL, 0), &got);
    for (uint64_t i = 0; i < got.rows; i++) {
        const struct value *row = relation_row(&got, i);
        assert_int_equal(row[2].type, TYPE_INT);
        sum += row[2].as.i;
        early += row[0].as.i <= T0 + 15 * NS_PER_SECOND ? row[2].as.i : 0;
    }
    assert_int_equal(sum, 150);
    assert_int_equal(early, 120);
    relation_free(&got);
    tear_down(&w);
}

static void memory_is_that_of_a_day(void **state)
{
    (void)state;
    struct world w;
    struct relation got;
    static const uint32_t columns[] = {0, 1, 2, 3, 4};
    set_up(&w, 55);
    add_events(&w);
    run(&w, scan_of(&w, columns, 5, (struct time_range){INT64_MIN, INT64_MAX}), &got);
    assert_int_equal(got.rows, EVENTS);
    /* Doubling the capacity of cells on the way holds them one and a half times. */
    size_t day = (size_t)EVENTS / DAYS * COLUMNS * sizeof(struct value);
    assert_true(w.plans.peak < day * 5);
    relation_free(&got);
    tear_down(&w);
}

static void wrong_plans_are_refused(void **state)
{
    (void)state;
    struct world w;
    struct relation got;
    struct mem mem;
    struct varve_err err;
    static const uint32_t columns[] = {0, 5};
    mem_init(&mem, NULL, 0);
    set_up(&w, 56);
    add_events(&w);
    struct node *node = scan_of(&w, columns, 2, (struct time_range){INT64_MIN, INT64_MAX});
    node->as.scan.read[1].field = STR("shoe");
    assert_int_equal(small_store_run(&w.small, &w.plans, node, &mem, &got, &err), VARVE_NOTFOUND);
    node->as.scan.read[1].lookup = STR("feet");
    assert_int_equal(small_store_run(&w.small, &w.plans, node, &mem, &got, &err), VARVE_NOTFOUND);
    node = scan_of(&w, columns, 1, (struct time_range){INT64_MIN, INT64_MAX});
    struct label_filter filter = {.label.name = STR("model"), .op = MATCH_RE, .value_count = 1};
    const struct varve_str pattern = STR("(");
    filter.values = &pattern;
    node->as.scan.filters = &filter;
    node->as.scan.filter_count = 1;
    assert_int_equal(small_store_run(&w.small, &w.plans, node, &mem, &got, &err), VARVE_INVALID);
    assert_int_equal(mem.used, 0);
    tear_down(&w);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    static const uint32_t columns[] = {0, 2, 3, 5};
    struct world w;
    struct alloc_fault fault;
    set_up(&w, 57);
    add_events(&w);
    int64_t noon = T0 + NS_PER_DAY / 2;
    struct node *node = scan_of(&w, columns, 4, (struct time_range){noon, noon + NS_PER_DAY});
    add_filter(&w, node, &filters[7]);
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct relation got;
        struct mem mem;
        mem_init(&mem, &fault.allocator, 0);
        enum varve_status status = small_store_run(&w.small, &w.plans, node, &mem, &got, NULL);
        assert_true(status == VARVE_OK || status == VARVE_NOMEM);
        relation_free(&got);
        assert_true(alloc_fault_is_clean(&fault));
    }
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_order),     cmocka_unit_test(any_order_gives_the_same_rows),
        cmocka_unit_test(metrics_come_with_labels), cmocka_unit_test(adjustments_are_increments),
        cmocka_unit_test(memory_is_that_of_a_day),  cmocka_unit_test(wrong_plans_are_refused),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
