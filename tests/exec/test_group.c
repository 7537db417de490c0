/* SPDX-License-Identifier: Apache-2.0
 *
 * test_group.c -- groups and aggregates against a model that keeps all rows.
 *
 * The model finds the rows of every group by looking at all of them, and computes aggregates from
 * plain lists of values.  Its numbers are such that doubles add up exactly; sums of any doubles
 * are compared with themselves over the same rows in another order.
 */
#include "../base/unit.h"

#include <math.h>
#include <stdlib.h>

#include "../base/prng.h"
#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "small_store.h"

#define T0 INT64_C(1789344000000000000) /* a midnight */

enum { TIME, MODEL, USER, N, OK, COLUMNS };
enum { ROWS_MOST = 400, AGGREGATES_MOST = 6, CELLS_MOST = ROWS_MOST + 1 };

struct model_cell {
    struct value keys[3]; /* bucket, keys */
    uint32_t rows[ROWS_MOST], count;
};

struct world {
    struct prng prng;
    struct plans plans;
    struct relation rows;
    struct model_cell *cells;
    uint32_t cell_count;
    struct node *group;
};

static void *get(struct world *w, size_t size)
{
    void *memory = arena_zalloc(&w->plans.arena, size);
    assert_non_null(memory);
    return memory;
}

static struct value some_text(struct world *w, const char *const *texts, uint64_t count)
{
    const char *text = texts[prng_below(&w->prng, count)];
    return text ? value_text((struct varve_str){text, strlen(text)}) : value_null();
}

/* Numbers of all types that doubles can add up, and what is no number. */
static struct value some_n(struct world *w)
{
    int64_t i = (int64_t)prng_below(&w->prng, 9) - 4;
    switch (prng_below(&w->prng, 8)) {
    case 0:
        return value_null();
    case 1:
        return value_float((double)i / 2);
    case 2:
        return value_int(TYPE_NANO, i * 500000000);
    case 3:
        return prng_below(&w->prng, 4) ? value_int(TYPE_INT, i * 1000) : value_text(STR("x"));
    default:
        return value_int(TYPE_INT, i);
    }
}

static void fill(struct world *w, uint32_t rows)
{
    static const char *const models[] = {"opus", "Opus", "sonnet", NULL};
    static const char *const users[] = {"a", "b", "c", "d", "e", NULL};
    relation_init(&w->rows, &w->plans.mem, COLUMNS);
    for (uint32_t i = 0; i < rows; i++) {
        struct value *row = relation_add(&w->rows, NULL);
        assert_non_null(row);
        row[TIME] =
            value_int(TYPE_TIME, T0 + (int64_t)prng_below(&w->prng, 4 * 86400) * NS_PER_SECOND);
        row[MODEL] = some_text(w, models, 4);
        row[USER] = some_text(w, users, 6);
        row[N] = some_n(w);
        if (prng_below(&w->prng, 4))
            row[OK] = value_int(TYPE_BOOL, (int64_t)prng_below(&w->prng, 2));
    }
}

/* ---- plans ---------------------- */

static struct term *some_of(struct world *w, enum aggregate_kind kind)
{
    bool any = kind == AGGREGATE_MIN || kind == AGGREGATE_MAX || kind == AGGREGATE_COUNT ||
               kind == AGGREGATE_LIST || kind >= AGGREGATE_FIRST;
    if (kind == AGGREGATE_COUNT && prng_below(&w->prng, 3) == 0)
        return NULL;
    if (any && prng_below(&w->prng, 2))
        return plans_column(&w->plans, prng_below(&w->prng, 2) ? MODEL : USER);
    if (prng_below(&w->prng, 3) == 0)
        return plans_call(&w->plans, FUNCTION_ADD, plans_column(&w->plans, N),
                          plans_const(&w->plans, value_int(TYPE_INT, 1)));
    return plans_column(&w->plans, N);
}

static void some_aggregate(struct world *w, struct aggregate *a)
{
    *a = (struct aggregate){.kind = (enum aggregate_kind)prng_below(&w->prng, AGGREGATES)};
    a->of = some_of(w, a->kind);
    a->distinct = a->of && prng_below(&w->prng, 3) == 0;
    a->quantile = (double)prng_below(&w->prng, 21) / 20;
    if (prng_below(&w->prng, 3) == 0)
        a->filter = plans_column(&w->plans, OK);
}

static struct node *some_group(struct world *w, struct node *input)
{
    uint32_t keys = (uint32_t)prng_below(&w->prng, 3);
    uint32_t count = 1 + (uint32_t)prng_below(&w->prng, AGGREGATES_MOST);
    enum bucket_kind kind = (enum bucket_kind)prng_below(&w->prng, 3);
    struct node *node =
        plans_over(&w->plans, NODE_GROUP, (kind != BUCKET_NONE) + keys + count, input);
    node->has_bucket = kind != BUCKET_NONE;
    node->key_count = keys;
    node->as.group.keys = get(w, 2 * sizeof(struct term *));
    node->as.group.aggregates = get(w, count * sizeof *node->as.group.aggregates);
    node->as.group.aggregate_count = count;
    node->as.group.time_column = TIME;
    node->as.group.bucket =
        (struct bucket){.kind = kind,
                        .width = (int64_t)(1 + prng_below(&w->prng, 20)) * 3600 * NS_PER_SECOND,
                        .unit = UNIT_DAY,
                        .zone = STR("UTC")};
    node->as.group.range = (struct time_range){T0 + 7000 * NS_PER_SECOND, T0 + 3 * NS_PER_DAY};
    for (uint32_t k = 0; k < keys; k++) {
        struct term *column = plans_column(&w->plans, k ? USER : MODEL);
        node->as.group.keys[k] = k || prng_below(&w->prng, 2)
                                     ? column
                                     : plans_call(&w->plans, FUNCTION_LOWER, column, NULL);
    }
    for (uint32_t i = 0; i < count; i++)
        some_aggregate(w, &node->as.group.aggregates[i]);
    return node;
}

/* ---- the model ---------------------- */

static struct value key_of(const struct world *w, const struct term *term, const struct value *row)
{
    (void)w;
    if (term->kind == TERM_COLUMN)
        return row[term->index];
    struct value v = row[term->args[0]->index];
    if (term->function == FUNCTION_LOWER)
        return v.type == TYPE_TEXT && v.as.s[0] == 'O' ? value_text(STR("opus")) : v;
    if (v.type == TYPE_INT)
        return value_int(TYPE_INT, v.as.i + 1);
    if (v.type == TYPE_NANO)
        return value_int(TYPE_NANO, v.as.i + 1000000000);
    return v.type == TYPE_FLOAT ? value_float(v.as.f + 1) : value_null();
}

static bool bucket_of(const struct node *node, struct value time, struct value *bucket)
{
    int64_t width =
        node->as.group.bucket.kind == BUCKET_FIXED ? node->as.group.bucket.width : NS_PER_DAY;
    if (time.as.i < node->as.group.range.since || time.as.i >= node->as.group.range.until)
        return false;
    *bucket = value_int(TYPE_TIME, time.as.i / width * width);
    return true;
}

static struct model_cell *find_cell(struct world *w, const struct value *keys, uint32_t count)
{
    for (uint32_t i = 0; i < w->cell_count; i++)
        if (row_equal(w->cells[i].keys, keys, count))
            return &w->cells[i];
    struct model_cell *cell = &w->cells[w->cell_count++];
    memset(cell, 0, sizeof *cell);
    for (uint32_t k = 0; k < count; k++)
        cell->keys[k] = keys[k];
    return cell;
}

static void find_cells(struct world *w)
{
    const struct node *node = w->group;
    uint32_t keys = node->has_bucket + node->key_count;
    w->cells = get(w, CELLS_MOST * sizeof *w->cells);
    w->cell_count = 0;
    if (keys == 0)
        find_cell(w, NULL, 0);
    for (uint32_t i = 0; i < w->rows.rows; i++) {
        struct value key[3];
        const struct value *row = relation_row(&w->rows, i);
        if (node->has_bucket && !bucket_of(node, row[TIME], &key[0]))
            continue;
        for (uint32_t k = 0; k < node->key_count; k++)
            key[node->has_bucket + k] = key_of(w, node->as.group.keys[k], row);
        struct model_cell *cell = find_cell(w, key, keys);
        cell->rows[cell->count++] = i;
    }
}

static int by_value(const void *a, const void *b)
{
    return value_compare(*(const struct value *)a, *(const struct value *)b);
}

static uint32_t list_values(struct world *w, const struct model_cell *cell,
                            const struct aggregate *a, struct value values[ROWS_MOST])
{
    bool once = a->kind == AGGREGATE_LIST ||
                (a->distinct && a->kind != AGGREGATE_FIRST && a->kind != AGGREGATE_LAST);
    uint32_t count = 0;
    for (uint32_t i = 0; i < cell->count; i++) {
        const struct value *row = relation_row(&w->rows, cell->rows[i]);
        struct value v = a->of ? key_of(w, a->of, row) : value_int(TYPE_INT, 1);
        bool dropped = a->filter && !(row[OK].type == TYPE_BOOL && row[OK].as.i);
        for (uint32_t k = 0; once && k < count; k++)
            if (value_compare(values[k], v) == 0) {
                dropped = true;
                if (v.type < values[k].type)
                    values[k] = v;
            }
        if (!dropped && !value_is_null(v))
            values[count++] = v;
    }
    return count;
}

static struct value sum_of(const struct value *values, uint32_t count)
{
    double sum = 0;
    uint32_t type = TYPE_INT;
    for (uint32_t i = 0; i < count; i++) {
        sum += value_double(values[i]);
        type = values[i].type > type ? values[i].type : type;
    }
    if (count == 0)
        return value_null();
    if (type == TYPE_FLOAT)
        return value_float(sum);
    return value_int((enum value_type)type, (int64_t)(type == TYPE_INT ? sum : sum * 1e9));
}

static struct value quantile_of(struct value *values, uint32_t count, double q)
{
    double at = q * (double)(count - 1);
    qsort(values, count, sizeof *values, by_value);
    double low = value_double(values[(size_t)at]), part = at - floor(at);
    double high = value_double(values[(size_t)ceil(at)]);
    return value_float(part > 0 ? low + (high - low) * part : low);
}

static struct value deviation_of(const struct value *values, uint32_t count)
{
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += value_double(values[i]);
        squares += value_double(values[i]) * value_double(values[i]);
    }
    double mean = sum / count, variance = squares / count - mean * mean;
    return value_float(sqrt(variance > 0 ? variance : 0));
}

static struct value list_of(struct world *w, struct value *values, uint32_t count)
{
    char *text = get(w, (size_t)count * 50 + 1), *to = text;
    qsort(values, count, sizeof *values, by_value);
    for (uint32_t i = 0; i < count; i++) {
        char printed[VALUE_TEXT_MAX] = "";
        value_print(values[i], printed);
        if (values[i].type == TYPE_TEXT)
            snprintf(printed, sizeof printed, "%.*s", (int)values[i].size, values[i].as.s);
        to += sprintf(to, "%s%s", i ? "," : "", printed);
    }
    return count ? value_text((struct varve_str){text, strlen(text)}) : value_null();
}

static struct value extreme_of(const struct value *values, uint32_t count, int sign)
{
    struct value best = count ? values[0] : value_null();
    for (uint32_t i = 1; i < count; i++) {
        int c = value_compare(values[i], best);
        c = c ? c : (int)values[i].type - (int)best.type;
        if (c * sign > 0)
            best = values[i];
    }
    return best;
}

static struct value
expected_of(struct world *w, const struct model_cell *cell, const struct aggregate *a)
{
    struct value values[ROWS_MOST], sum;
    uint32_t count = list_values(w, cell, a, values), numbers = 0;
    switch (a->kind) {
    case AGGREGATE_COUNT:
        return value_int(TYPE_INT, count);
    case AGGREGATE_MIN:
        return extreme_of(values, count, -1);
    case AGGREGATE_MAX:
        return extreme_of(values, count, 1);
    case AGGREGATE_FIRST:
        return count ? values[0] : value_null();
    case AGGREGATE_LAST:
        return count ? values[count - 1] : value_null();
    case AGGREGATE_LIST:
        return list_of(w, values, count);
    default:
        break;
    }
    for (uint32_t i = 0; i < count; i++)
        if (value_is_number(values[i]))
            values[numbers++] = values[i];
    sum = sum_of(values, numbers);
    if (numbers == 0 || a->kind == AGGREGATE_SUM)
        return sum;
    if (a->kind == AGGREGATE_AVG)
        return value_float(value_double(sum) / numbers);
    if (a->kind == AGGREGATE_STDDEV)
        return deviation_of(values, numbers);
    return quantile_of(values, numbers, a->kind == AGGREGATE_MEDIAN ? 0.5 : a->quantile);
}

/* ---- comparing ---------------------- */

static bool is_near(struct value a, struct value b)
{
    return a.type == TYPE_FLOAT && b.type == TYPE_FLOAT &&
           fabs(a.as.f - b.as.f) <= 1e-6 * (1 + fabs(b.as.f));
}

static void check(struct world *w, const struct relation *got)
{
    const struct node *node = w->group;
    uint32_t keys = node->has_bucket + node->key_count;
    find_cells(w);
    assert_int_equal(got->rows, w->cell_count);
    for (uint64_t r = 0; r < got->rows; r++) {
        const struct value *row = relation_row(got, r);
        uint32_t before = w->cell_count;
        const struct model_cell *cell = find_cell(w, row, keys);
        assert_int_equal(w->cell_count, before);
        for (uint32_t i = 0; i < node->as.group.aggregate_count; i++) {
            const struct aggregate *a = &node->as.group.aggregates[i];
            struct value v = row[keys + i], wanted = expected_of(w, cell, a);
            /* a distinct value that comes in several types may have the type of either */
            bool same = value_compare(v, wanted) == 0 && (v.type == wanted.type || a->distinct);
            if (!same && !(a->kind == AGGREGATE_STDDEV && is_near(v, wanted))) {
                char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX];
                value_print(v, left);
                value_print(wanted, right);
                fail_msg("aggregate %d%s: %s %s, not %s %s", a->kind,
                         a->distinct ? " distinct" : "", value_type_name(v.type), left,
                         value_type_name(wanted.type), right);
            }
        }
    }
}

static void begin(struct world *w, uint64_t seed)
{
    *w = (struct world){.prng = prng_start(seed)};
}

static struct node *give_rows(struct world *w)
{
    uint32_t number;
    struct node *source = plans_source(&w->plans, COLUMNS, &number);
    for (uint64_t i = 0; i < w->rows.rows; i++) {
        struct value *row = relation_add(&w->plans.named[number], NULL);
        assert_non_null(row);
        memcpy(row, relation_row(&w->rows, i), COLUMNS * sizeof *row);
    }
    return source;
}

static void run(struct world *w, struct relation *result)
{
    struct mem mem;
    struct varve_err err = {0};
    mem_init(&mem, NULL, 0);
    if (plans_run(&w->plans, w->group, &mem, result, &err) != VARVE_OK)
        fail_msg("%s", err.message);
    assert_int_equal(mem.used, 0);
}

static void groups_are_those_of_the_model(void **state)
{
    (void)state;
    struct world w;
    begin(&w, 61);
    for (int round = 0; round < 250; round++) {
        struct relation got;
        plans_begin(&w.plans);
        fill(&w, (uint32_t)prng_below(&w.prng, round % 8 ? 40 : ROWS_MOST));
        w.group = some_group(&w, give_rows(&w));
        run(&w, &got);
        check(&w, &got);
        relation_free(&got);
        relation_free(&w.rows);
        plans_end(&w.plans);
    }
}

/* ---- over a store: dictionaries, and any order ---------------------- */

static struct node *scan_all(struct world *w)
{
    static const char *const names[COLUMNS] = {"time", "model", "user", "n", "ok"};
    struct node *node = plans_node(&w->plans, NODE_SCAN, COLUMNS, 0, NULL);
    node->as.scan.source = STR("e");
    node->as.scan.read = get(w, COLUMNS * sizeof *node->as.scan.read);
    node->as.scan.read_count = COLUMNS;
    node->as.scan.range = (struct time_range){INT64_MIN, INT64_MAX};
    for (uint32_t i = 0; i < COLUMNS; i++)
        node->as.scan.read[i].name = (struct varve_str){names[i], strlen(names[i])};
    return node;
}

static void put_events(struct world *w, struct small_store *small)
{
    static const char *const names[] = {"model", "user", "n", "ok", "id"};
    for (uint32_t i = 0; i < w->rows.rows; i++) {
        struct value cells[5], *row = relation_row(&w->rows, i);
        row[TIME].as.i += i; /* so that first and last are certain */
        if (row[N].type == TYPE_NANO)
            row[N] = value_null();
        memcpy(cells, row + 1, 4 * sizeof *cells);
        cells[4] = value_int(TYPE_INT, i);
        small_store_event(small, "e", row[TIME].as.i, names, cells, 5);
        if (prng_below(&w->prng, 60) == 0) {
            small_store_append(small);
            if (prng_below(&w->prng, 2))
                small_store_seal(small);
        }
    }
    small_store_append(small);
    small_store_read(small);
}

static void sort_rows(struct relation *rows)
{
    static const uint32_t by[] = {TIME};
    assert_int_equal(relation_sort(rows, by, NULL, 1, NULL), VARVE_OK);
}

static void stored_rows_are_grouped(void **state)
{
    (void)state;
    struct world w;
    begin(&w, 62);
    for (int store = 0; store < 3; store++) {
        struct small_store small;
        small_store_make(&small);
        plans_begin(&w.plans);
        fill(&w, ROWS_MOST);
        put_events(&w, &small);
        sort_rows(&w.rows);
        for (int round = 0; round < 60; round++) {
            struct relation got;
            struct mem mem;
            struct varve_err err = {0};
            mem_init(&mem, NULL, 0);
            w.plans.plan.node_count = 0;
            w.group = some_group(&w, scan_all(&w));
            if (small_store_run(&small, &w.plans, w.group, &mem, &got, &err) != VARVE_OK)
                fail_msg("%s: %s", err.place, err.message);
            assert_int_equal(mem.used, 0);
            check(&w, &got);
            relation_free(&got);
        }
        relation_free(&w.rows);
        plans_end(&w.plans);
        small_store_end(&small);
    }
}

/* ---- exactness ---------------------- */

static struct value any_double(struct prng *prng)
{
    double d = (double)(int64_t)prng_next(prng);
    return value_float(ldexp(d, (int)prng_below(prng, 120) - 100));
}

static void shuffle(struct prng *prng, struct relation *rows)
{
    for (uint64_t i = rows->rows; i > 1; i--) {
        struct value held[COLUMNS];
        struct value *a = relation_row(rows, i - 1), *b = relation_row(rows, prng_below(prng, i));
        memcpy(held, a, sizeof held);
        memcpy(a, b, sizeof held);
        memcpy(b, held, sizeof held);
    }
}

/* Bit by bit, also with NaN, infinities and zeros of both signs. */
static void order_plays_no_part(void **state)
{
    (void)state;
    static const enum aggregate_kind kinds[] = {
        AGGREGATE_SUM, AGGREGATE_AVG,    AGGREGATE_MIN,  AGGREGATE_MAX,   AGGREGATE_QUANTILE,
        AGGREGATE_SUM, AGGREGATE_STDDEV, AGGREGATE_LIST, AGGREGATE_MEDIAN};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    struct world w;
    begin(&w, 63);
    for (int round = 0; round < 60; round++) {
        char first[2000] = "";
        plans_begin(&w.plans);
        fill(&w, 100);
        for (uint32_t i = 0; i < 100; i++) {
            struct value *n = &relation_row(&w.rows, i)[N];
            uint64_t kind = prng_below(&w.prng, round % 2 ? 8 : 4);
            *n = kind < 3    ? any_double(&w.prng)
                 : kind == 3 ? value_int(TYPE_NANO, (int64_t)prng_next(&w.prng))
                 : kind == 4 ? value_int(TYPE_INT, (int64_t)(prng_next(&w.prng) % 3))
                 : kind == 5 ? value_float(prng_below(&w.prng, 2) ? -0.0 : 0.0)
                 : kind == 6 ? value_float(prng_below(&w.prng, 30) ? 2.0 : (double)NAN)
                             : value_int(TYPE_NANO, (int64_t)(prng_next(&w.prng) % 3) * 1000000000);
        }
        for (int order = 0; order < 4; order++) {
            struct relation got;
            char printed[2000];
            size_t at = 0;
            w.plans.plan.node_count = 0;
            shuffle(&w.prng, &w.rows);
            w.group = plans_over(&w.plans, NODE_GROUP, KINDS, give_rows(&w));
            w.group->as.group.aggregate_count = KINDS;
            w.group->as.group.aggregates = get(&w, KINDS * sizeof(struct aggregate));
            for (uint32_t i = 0; i < KINDS; i++)
                w.group->as.group.aggregates[i] =
                    (struct aggregate){.kind = kinds[i],
                                       .distinct = i == 5,
                                       .quantile = 0.37,
                                       .of = plans_column(&w.plans, N)};
            run(&w, &got);
            for (uint32_t i = 0; i < KINDS; i++) {
                struct value v = relation_row(&got, 0)[i];
                if (v.type == TYPE_TEXT)
                    at += (size_t)snprintf(printed + at, sizeof printed - at, "%.*s ",
                                           v.size < 1000 ? (int)v.size : 1000, v.as.s);
                else
                    at += (size_t)snprintf(printed + at, sizeof printed - at, "%u:%016llx ", v.type,
                                           (unsigned long long)v.as.i);
            }
            if (order == 0)
                strcpy(first, printed);
            assert_string_equal(printed, first);
            relation_free(&got);
        }
        relation_free(&w.rows);
        plans_end(&w.plans);
    }
}

static const char *grouped(struct plans *plans, const char *rows, uint32_t columns,
                           enum aggregate_kind kind, enum value_type type)
{
    struct node *node = plans_over(plans, NODE_GROUP, 1, plans_given(plans, columns, rows));
    struct aggregate *a = arena_zalloc(&plans->arena, sizeof *a);
    assert_non_null(a);
    a->kind = kind;
    a->of = plans_column(plans, 0);
    a->of->type = type;
    node->as.group.aggregates = a;
    node->as.group.aggregate_count = 1;
    return plans_result(plans, node);
}

static void sums_are_exact(void **state)
{
    (void)state;
    struct plans p;
    plans_begin(&p);
    assert_string_equal(grouped(&p, "9223372036854775807; -1; 1", 1, AGGREGATE_SUM, TYPE_INT),
                        "9223372036854775807");
    assert_string_equal(grouped(&p, "9223372036854775807; 1", 1, AGGREGATE_SUM, TYPE_INT),
                        "9.2233720368547758e+18f");
    assert_string_equal(grouped(&p, "100000000n; 200000000n; 1", 1, AGGREGATE_SUM, TYPE_NULL),
                        "1300000000n");
    assert_string_equal(grouped(&p, "1e100f; 1f; -1e100f", 1, AGGREGATE_SUM, TYPE_FLOAT), "1f");
    assert_string_equal(grouped(&p, "1e100f; 1e50f; 1f; 1e-50f; 1e-100f; 1e-150f; -1e100f; -1e50f",
                                1, AGGREGATE_SUM, TYPE_FLOAT),
                        "1f");
    assert_string_equal(
        grouped(&p, "1e308f; 1e308f; -1e308f; -1e308f; 3f", 1, AGGREGATE_SUM, TYPE_FLOAT), "3f");
    assert_string_equal(grouped(&p, "-0f; -0f", 1, AGGREGATE_SUM, TYPE_FLOAT), "0f");
    assert_string_equal(grouped(&p, "1; 2; 2", 1, AGGREGATE_AVG, TYPE_INT), "1.6666666666666667f");
    plans_end(&p);
    plans_begin(&p); /* a plan has room for few relations */
    assert_string_equal(grouped(&p, "", 1, AGGREGATE_SUM, TYPE_INT), "-");
    assert_string_equal(grouped(&p, "", 1, AGGREGATE_COUNT, TYPE_INT), "0");
    plans_end(&p);
}

static struct value of_durations(struct plans *plans, enum aggregate_kind kind)
{
    uint32_t number;
    struct relation result;
    struct mem mem;
    struct node *source = plans_source(plans, 1, &number);
    static const int64_t nanos[] = {10, 11, 14, 2};
    for (size_t i = 0; i < 4; i++) {
        struct value *row = relation_add(&plans->named[number], NULL);
        assert_non_null(row);
        *row = value_int(i == 3 ? TYPE_INT : TYPE_DURATION, nanos[i]);
    }
    struct aggregate a = {.kind = kind, .of = plans_column(plans, 0)};
    a.of->type = TYPE_DURATION;
    struct node *node = plans_over(plans, NODE_GROUP, 1, source);
    node->as.group.aggregates = &a;
    node->as.group.aggregate_count = 1;
    mem_init(&mem, NULL, 0);
    assert_int_equal(plans_run(plans, node, &mem, &result, NULL), VARVE_OK);
    struct value v = relation_row(&result, 0)[0];
    relation_free(&result);
    return v;
}

static void durations_stay_durations(void **state)
{
    (void)state;
    static const struct {
        enum aggregate_kind kind;
        int64_t nanos;
    } cases[] = {
        {AGGREGATE_SUM, 35}, {AGGREGATE_AVG, 12}, {AGGREGATE_MEDIAN, 11}, {AGGREGATE_STDDEV, 2}};
    struct plans p;
    plans_begin(&p);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v = of_durations(&p, cases[i].kind);
        assert_int_equal(v.type, TYPE_DURATION);
        assert_int_equal(v.as.i, cases[i].nanos);
    }
    plans_end(&p);
}

/* ---- TOP's groups, memory, wrong plans ---------------------- */

static void others_are_one_group(void **state)
{
    (void)state;
    struct plans p;
    uint32_t number;
    plans_begin(&p);
    struct node *kept = plans_source(&p, 1, &number);
    (void)kept;
    plans_rows(&p, &p.named[number], "b");
    struct node *node =
        plans_over(&p, NODE_GROUP, 2, plans_given(&p, 2, "a 1; b 2; c 4; b 8; a 16; - 32"));
    struct aggregate sum = {.kind = AGGREGATE_SUM, .of = plans_column(&p, 1)};
    struct term *key = plans_column(&p, 0);
    node->key_count = 1;
    node->as.group.keys = &key;
    node->as.group.aggregates = &sum;
    node->as.group.aggregate_count = 1;
    node->as.group.keep =
        (struct keep){.is_set = true, .other = true, .named = number, .label = STR("rest")};
    assert_string_equal(plans_result(&p, node), "rest 53; b 10");
    node->as.group.keep.other = false;
    assert_string_equal(plans_result(&p, node), "b 10");
    plans_end(&p);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    struct world w;
    struct alloc_fault fault;
    begin(&w, 64);
    alloc_fault_init(&fault);
    for (int round = 0; round < 12; round++) {
        plans_begin(&w.plans);
        fill(&w, 60);
        w.group = some_group(&w, give_rows(&w));
        for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
            struct relation got;
            struct mem mem;
            mem_init(&mem, &fault.allocator, 0);
            enum varve_status status = plans_run(&w.plans, w.group, &mem, &got, NULL);
            assert_true(status == VARVE_OK || status == VARVE_NOMEM);
            if (status == VARVE_OK)
                check(&w, &got);
            relation_free(&got);
            assert_true(alloc_fault_is_clean(&fault));
        }
        relation_free(&w.rows);
        plans_end(&w.plans);
    }
}

static void wrong_plans_are_refused(void **state)
{
    (void)state;
    struct plans p;
    struct relation got;
    struct mem mem;
    struct varve_err err;
    struct aggregate nothing = {.kind = AGGREGATE_SUM};
    mem_init(&mem, NULL, 0);
    plans_begin(&p);
    struct node *node = plans_over(&p, NODE_GROUP, 2, plans_given(&p, 1, "1"));
    node->as.group.aggregates = &nothing;
    node->as.group.aggregate_count = 1;
    assert_int_equal(plans_run(&p, node, &mem, &got, &err), VARVE_MISUSE);
    node->column_count = 1;
    assert_int_equal(plans_run(&p, node, &mem, &got, &err), VARVE_MISUSE);
    nothing.kind = AGGREGATE_COUNT;
    node->as.group.bucket.kind = BUCKET_FIXED;
    assert_int_equal(plans_run(&p, node, &mem, &got, &err), VARVE_MISUSE);
    assert_int_equal(mem.used, 0);
    plans_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_those_of_the_model),
        cmocka_unit_test(stored_rows_are_grouped),
        cmocka_unit_test(order_plays_no_part),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(durations_stay_durations),
        cmocka_unit_test(others_are_one_group),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(wrong_plans_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
