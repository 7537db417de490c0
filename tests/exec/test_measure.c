/* SPDX-License-Identifier: Apache-2.0
 *
 * test_measure.c -- MEASURE answers what the model does, however the rows came to lie.
 *
 * A round makes a small world, appends it in some order and in several batches, seals in between,
 * and asks random questions of every kind.  The same world in another order, sealed in another
 * way, has to give the same bits.
 *
 *     VARVE_TEST_SEED    repeats the round with that seed (and those after it)
 *     VARVE_TEST_ROUNDS  that many rounds
 */
#include <math.h>
#include <stdlib.h>

#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "../faults/files.h"
#include "measure_model.h"
#include "store/batch.h"
#include "store/seal.h"

#define HOUR (3600 * NS_PER_SECOND)
#define MINUTE (60 * NS_PER_SECOND)

static struct varve_err err;
static uint64_t round_seed;

#define OK(call) assert_ok((call), __LINE__)
static void assert_ok(enum varve_status status, int line)
{
    if (status != VARVE_OK)
        fail_msg("seed %" PRIu64 ", line %d: %s: %s: %s", round_seed, line, status_name(status),
                 err.place, err.message);
}

/* ---- a store of the world ------------------------------------------------------------- */

struct fixture {
    char directory[FILES_PATH], path[FILES_PATH + 8];
    struct store *store;
    struct snapshot *snapshot;
    struct mem mem; /* of the executor */
    struct arena arena;
    const struct zone *berlin;
};

static void add_row(struct write_batch *batch, const struct model_point *p)
{
    const struct model_metric_info *info = &model_metrics[p->metric];
    struct varve_metric metric = {info->name, info->unit, info->kind};
    struct varve_label labels[MODEL_LABELS];
    uint32_t id, set;
    for (unsigned l = 0; l < MODEL_LABELS; l++)
        labels[l] = (struct varve_label){model_labels[l], model_text(l, p->labels[l])};
    OK(batch_metric(batch, &metric, &id, &err));
    OK(batch_labels(batch, VARVE_NO_LABELS, labels, MODEL_LABELS, &set, &err));
    if (info->kind == VARVE_GAUGE)
        OK(batch_gauge(batch, id, set, p->end, model_sent(p), &err));
    else
        OK(batch_counter(batch, id, set,
                         p->form == VARVE_FORM_DELTA ? VARVE_DELTA : VARVE_CUMULATIVE, p->start,
                         p->end, model_sent(p), &err));
}

/* In random order, in a few batches; seals some of the time. */
static void append_all(struct fixture *f, const struct model *model, struct prng *prng)
{
    static uint32_t order[MODEL_ROWS];
    struct write_batch batch;
    struct varve_appended appended;
    bool shuffled = prng_below(prng, 4) > 0;
    for (uint32_t i = 0; i < model->count; i++) {
        uint32_t j = shuffled ? (uint32_t)prng_below(prng, i + 1) : i;
        order[i] = order[j];
        order[j] = i;
    }
    OK(batch_init(&batch, &f->store->mem, f->store->identity.seed, &err));
    for (size_t i = 0, waiting = 0; i < model->count; i++) {
        add_row(&batch, &model->rows[order[i]]);
        if (++waiting < model->count / 4 && i + 1 < model->count)
            continue;
        OK(store_append(f->store, &batch.rows, &batch.events, &appended, &err));
        assert_int_equal(appended.duplicates + appended.ambiguous, 0);
        batch_clear(&batch);
        waiting = 0;
        if (prng_below(prng, 3) == 0)
            OK(store_seal(f->store, day_of(model->first) + (int32_t)prng_below(prng, 7), NULL,
                          &err));
    }
    batch_free(&batch);
}

static void open_world(struct fixture *f, const struct model *model, struct prng *prng)
{
    struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    *f = (struct fixture){.store = NULL};
    mem_init(&f->mem, NULL, 0);
    arena_init(&f->arena, &f->mem, 1 << 12);
    files_temp(f->directory, "measure");
    snprintf(f->path, sizeof f->path, "%s/store", f->directory);
    OK(store_open(&f->store, f->path, &options, &err));
    append_all(f, model, prng);
    OK(snapshot_open(f->store, &f->snapshot, &err));
    OK(zone_open(STR("Europe/Berlin"), &f->arena, &f->berlin, &err));
}

static void close_world(struct fixture *f)
{
    snapshot_close(f->snapshot);
    store_close(f->store);
    files_remove(f->directory);
    arena_free(&f->arena);
    assert_int_equal(atomic_load(&f->mem.used), 0);
}

/* ---- from questions to plans ------------------------------------------------------------- */

struct plan_of {
    struct plan plan;
    struct node node;
    struct node *named;
    struct metric_source source;
    struct label_filter filter;
    struct varve_str matcher_values[2];
    struct column_ref labels[MODEL_LABELS];
    struct column_info columns[MODEL_LABELS + 2];
    struct term columns_of[MODEL_LABELS], constants[2], conditions[2];
    struct term *keys[MODEL_LABELS], *arguments[2][2];
};

static struct term *equals(struct plan_of *p, unsigned which, unsigned label, unsigned value)
{
    p->constants[which] =
        (struct term){.kind = TERM_CONST, .value = value_text(model_text(label, value))};
    p->arguments[which][0] = &p->columns_of[label];
    p->arguments[which][1] = &p->constants[which];
    p->conditions[which] = (struct term){.kind = TERM_CALL,
                                         .type = TYPE_BOOL,
                                         .function = FUNCTION_EQ,
                                         .args = p->arguments[which],
                                         .arg_count = 2};
    return &p->conditions[which];
}

static void make_plan(struct plan_of *p, const struct question *q)
{
    static const struct varve_str patterns[4] = {{"", 0}, {"[a-z]1", 6}, {".?2|x+", 6}, {".*3", 3}};
    *p = (struct plan_of){.plan = {.node_count = 1, .zone = {"Europe/Berlin", 13}}};
    p->plan.root = &p->node;
    p->source.name = model_metrics[q->metric].name;
    p->source.kind = model_metrics[q->metric].kind;
    p->source.offset = q->offset;
    for (unsigned l = 0; l < MODEL_LABELS; l++) {
        p->labels[l].name = model_labels[l];
        p->columns_of[l] = (struct term){.kind = TERM_COLUMN, .type = TYPE_TEXT, .index = l};
    }
    if (q->matched < MODEL_LABELS) {
        bool is_pattern = q->op == MATCH_RE || q->op == MATCH_NRE;
        p->matcher_values[0] =
            is_pattern ? patterns[q->matcher_value] : model_text(q->matched, q->matcher_value);
        p->matcher_values[1] = STR("nobody");
        p->filter = (struct label_filter){.label = p->labels[q->matched],
                                          .op = q->op,
                                          .values = p->matcher_values,
                                          .value_count = is_pattern ? 1 : 2};
        p->source.filters = &p->filter;
        p->source.filter_count = 1;
    }
    struct node *n = &p->node;
    n->kind = NODE_MEASURE;
    n->has_bucket = q->bucket.kind != BUCKET_NONE;
    n->key_count = q->key_count;
    n->columns = p->columns;
    n->column_count = n->has_bucket + n->key_count + 1;
    for (unsigned k = 0; k < q->key_count; k++)
        p->keys[k] = &p->columns_of[q->keys[k]];
    n->as.measure.sources = &p->source;
    n->as.measure.source_count = 1;
    n->as.measure.labels = p->labels;
    n->as.measure.label_count = MODEL_LABELS;
    n->as.measure.keys = p->keys;
    n->as.measure.function = q->function;
    n->as.measure.window = q->window;
    n->as.measure.bucket = q->bucket;
    n->as.measure.bucket.zone = STR("Europe/Berlin");
    n->as.measure.range = q->range;
    n->as.measure.aggregate = q->aggregate;
    if (q->of_label < MODEL_LABELS)
        n->as.measure.aggregate.of = &p->columns_of[q->of_label];
    if (q->filter_label < MODEL_LABELS)
        n->as.measure.aggregate.filter = equals(p, 0, q->filter_label, q->filter_value);
    if (q->where_label < MODEL_LABELS)
        n->as.measure.where = equals(p, 1, q->where_label, q->where_value);
}

/* ---- random questions ---------------------------------------------------------------------- */

static void some_aggregate(struct question *q, struct prng *prng)
{
    static const enum aggregate_kind kinds[] = {
        AGGREGATE_SUM,   AGGREGATE_SUM,    AGGREGATE_AVG,    AGGREGATE_MIN,     AGGREGATE_MAX,
        AGGREGATE_COUNT, AGGREGATE_MEDIAN, AGGREGATE_STDDEV, AGGREGATE_QUANTILE};
    q->aggregate.kind = kinds[prng_below(prng, sizeof kinds / sizeof *kinds)];
    q->aggregate.quantile = (double)prng_below(prng, 101) / 100;
    q->aggregate.distinct = prng_below(prng, 6) == 0;
    if (prng_below(prng, 5) == 0) {
        static const enum aggregate_kind of_labels[] = {AGGREGATE_COUNT, AGGREGATE_LIST,
                                                        AGGREGATE_MIN, AGGREGATE_MAX};
        q->aggregate.kind = of_labels[prng_below(prng, 4)];
        q->of_label = (unsigned)prng_below(prng, MODEL_LABELS);
    } else if (prng_below(prng, 8) == 0 && q->function != ROLLUP_RATE &&
               q->function != ROLLUP_AVG_OF) {
        q->aggregate.kind = AGGREGATE_LIST;
    }
    if (prng_below(prng, 4) == 0) {
        q->filter_label = (unsigned)prng_below(prng, MODEL_LABELS);
        q->filter_value = 1 + (unsigned)prng_below(prng, 3);
    }
}

static void some_times(struct question *q, const struct model *model, struct prng *prng)
{
    static const int64_t widths[] = {HOUR, 7 * HOUR, 24 * HOUR, 20 * MINUTE};
    static const int64_t windows[] = {0, 0, 5 * HOUR, 90 * MINUTE, 72 * HOUR, MINUTE};
    uint64_t length = (uint64_t)(model->last - model->first) + 2 * NS_PER_DAY;
    int64_t a = model->first - NS_PER_DAY + (int64_t)prng_below(prng, length),
            b = model->first - NS_PER_DAY + (int64_t)prng_below(prng, length);
    if (prng_below(prng, 3) == 0) {
        a = model->first - NS_PER_DAY;
        b = model->last + NS_PER_DAY;
    }
    q->range = (struct time_range){a < b ? a : b, 1 + (a < b ? b : a)};
    q->bucket.kind = (enum bucket_kind)prng_below(prng, 3);
    if (q->bucket.kind == BUCKET_FIXED)
        q->bucket.width = widths[prng_below(prng, 4)];
    if (q->bucket.kind == BUCKET_CALENDAR)
        q->bucket.unit = (enum calendar_unit)(UNIT_HOUR + (int)prng_below(prng, 4));
    q->window = windows[prng_below(prng, 6)];
    if (prng_below(prng, 4) == 0)
        q->offset = (int64_t)prng_below(prng, 48 * HOUR) - 24 * HOUR;
}

static struct question
some_question(const struct fixture *f, const struct model *model, struct prng *prng)
{
    struct question q = {.of_label = MODEL_LABELS,
                         .filter_label = MODEL_LABELS,
                         .matched = MODEL_LABELS,
                         .where_label = MODEL_LABELS,
                         .zone = f->berlin};
    q.metric = model->rows[prng_below(prng, model->count)].metric;
    q.function = (enum rollup)prng_below(prng, ROLLUPS);
    if (prng_below(prng, 3) == 0)
        q.function = ROLLUP_INCREASE;
    some_aggregate(&q, prng);
    some_times(&q, model, prng);
    unsigned first = (unsigned)prng_below(prng, MODEL_LABELS);
    q.key_count = (unsigned)prng_below(prng, MODEL_LABELS + 1);
    for (unsigned k = 0; k < q.key_count; k++)
        q.keys[k] = (first + k) % MODEL_LABELS;
    if (prng_below(prng, 3) == 0) {
        q.matched = (unsigned)prng_below(prng, MODEL_LABELS);
        q.op = (enum matcher_op)prng_below(prng, 4);
        q.matcher_value = (unsigned)prng_below(prng, 4);
    }
    if (prng_below(prng, 4) == 0) {
        q.where_label = (unsigned)prng_below(prng, MODEL_LABELS);
        q.where_value = 1 + (unsigned)prng_below(prng, 3);
    }
    return q;
}

/* ---- answers ------------------------------------------------------------------------------- */

static void describe(const struct question *q)
{
    static const char *const functions[] = {
#define X(symbol, name, help) name,
        ROLLUP_MAP(X)
#undef X
    };
    static const char *const aggregates[] = {
#define X(symbol, name, arguments, help) name,
        AGGREGATE_MAP(X)
#undef X
    };
    print_error("seed %" PRIu64 ": %s(%s%s(%.*s, window %lld s)) of %u filter %u=%u, "
                "%u keys %u %u %u, bucket %d/%lld s/%d, [%lld, %lld), offset %lld, "
                "match %u %d %u, where %u=%u\n",
                round_seed, aggregates[q->aggregate.kind], q->aggregate.distinct ? "distinct " : "",
                functions[q->function], STR_ARG(model_metrics[q->metric].name),
                (long long)(q->window / NS_PER_SECOND), q->of_label, q->filter_label,
                q->filter_value, q->key_count, q->keys[0], q->keys[1], q->keys[2],
                (int)q->bucket.kind, (long long)(q->bucket.width / NS_PER_SECOND),
                (int)q->bucket.unit, (long long)q->range.since, (long long)q->range.until,
                (long long)q->offset, q->matched, (int)q->op, q->matcher_value, q->where_label,
                q->where_value);
}

/* All rows of a plan as they come; stats (if not NULL): what its node has to say of them. */
static enum varve_status fetch(struct fixture *f, struct plan_of *p, unsigned threads,
                               struct relation *rows, struct node_stats *stats)
{
    struct exec *exec = NULL;
    struct batch batch;
    struct exec_options options = {.threads = threads};
    enum varve_status status =
        exec_open(&p->plan, f->snapshot, NULL, &options, &f->mem, &exec, &err);
    while (status == VARVE_OK) {
        status = exec_next(exec, &batch, &err);
        if (status == VARVE_OK)
            status = relation_add_batch(rows, &batch, &err);
    }
    if (stats && status == VARVE_DONE)
        *stats = exec->stats[0];
    exec_close(exec);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* In order of bucket and keys; keys as the model has them. */
static enum varve_status
run_plan(struct fixture *f, struct plan_of *p, unsigned threads, struct relation *rows)
{
    static const uint32_t by[] = {0, 1, 2, 3, 4};
    TRY(fetch(f, p, threads, rows, NULL));
    return relation_sort(rows, by, NULL, p->node.column_count, &err);
}

static bool same_value(struct value want, struct value got, bool is_near)
{
    if (want.type != got.type)
        return false;
    if (want.type != TYPE_FLOAT)
        return value_compare(want, got) == 0;
    double scale = fabs(want.as.f) > fabs(got.as.f) ? fabs(want.as.f) : fabs(got.as.f);
    return want.as.f == got.as.f || (is_near && fabs(want.as.f - got.as.f) <= scale * 1e-12);
}

static void print_value(const char *who, struct value v)
{
    char text[VALUE_TEXT_MAX];
    if (v.type == TYPE_TEXT)
        print_error("%s '%.*s'\n", who, STR_ARG(value_str(v)));
    else
        print_error("%s %.*s (%s)\n", who, (int)value_print(v, text), text,
                    value_type_name(v.type));
}

/* Whether the relation's row is for the answer's bucket and keys. */
static bool
is_row_of(const struct value *cells, const struct model_answer *a, const struct question *q)
{
    bool same = true;
    if (q->bucket.kind != BUCKET_NONE)
        same = cells++->as.i == a->time;
    for (unsigned k = 0; k < q->key_count; k++)
        same &= a->keys[k] ? cells[k].type == TYPE_TEXT &&
                                 str_equal(value_str(cells[k]), model_text(q->keys[k], a->keys[k]))
                           : value_is_null(cells[k]);
    return same;
}

/* Every answer has its row and there are as many of both: NULLs sort elsewhere than zeros do. */
static void compare(const struct question *q, struct model_answer *answers, size_t count,
                    const struct relation *rows)
{
    if (rows->rows != count) {
        describe(q);
        fail_msg("%llu rows, should be %zu", (unsigned long long)rows->rows, count);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t r = 0;
        while (r < rows->rows && !is_row_of(relation_row(rows, r), &answers[i], q))
            r++;
        const struct value *cells = r < rows->rows ? relation_row(rows, r) : NULL;
        if (cells && same_value(answers[i].value, cells[rows->columns - 1], answers[i].is_near))
            continue;
        describe(q);
        print_error("answer %zu of %zu, bucket %lld, keys %u %u %u\n", i, count,
                    (long long)answers[i].time, answers[i].keys[0], answers[i].keys[1],
                    answers[i].keys[2]);
        print_value("should be", answers[i].value);
        if (cells)
            print_value("is", cells[rows->columns - 1]);
        fail_msg("%s", cells ? "values differ" : "a row is missing");
    }
}

static void free_answers(struct model_answer *answers, size_t count, const struct question *q)
{
    for (size_t i = 0; i < count; i++)
        if (q->aggregate.kind == AGGREGATE_LIST && answers[i].value.type == TYPE_TEXT)
            free((void *)(uintptr_t)answers[i].value.as.s);
    free(answers);
}

/* The same bits in the same order. */
static void same_relations(const struct question *q, const struct relation *a,
                           const struct relation *b, const char *what)
{
    bool same = a->rows == b->rows;
    for (uint64_t i = 0; same && i < a->rows * a->columns; i++) {
        struct value x = a->cells[i], y = b->cells[i];
        same = x.type == y.type &&
               (x.type == TYPE_TEXT ? str_equal(value_str(x), value_str(y)) : x.as.i == y.as.i);
    }
    if (same)
        return;
    describe(q);
    fail_msg("%s give another answer", what);
}

/* L2: whatever the number of threads the rows are the same, bit for bit, in the same order; and so
 * are the figures of EXPLAIN ANALYZE. */
static void same_with_threads(struct fixture *f, const struct question *q, struct plan_of *plan)
{
    static const unsigned threads[] = {1, 2, 3, 8};
    struct relation rows[4];
    struct node_stats stats[4];
    for (int i = 0; i < 4; i++) {
        relation_init(&rows[i], &f->mem, plan->node.column_count);
        OK(fetch(f, plan, threads[i], &rows[i], &stats[i]));
        same_relations(q, &rows[0], &rows[i], "more threads");
        assert_memory_equal(&stats[0].scan, &stats[i].scan, sizeof stats[0].scan);
        assert_true(stats[0].rows == stats[i].rows && stats[0].bytes == stats[i].bytes);
    }
    for (int i = 0; i < 4; i++)
        relation_free(&rows[i]);
}

static void test_questions(void **state)
{
    (void)state;
    static struct model model;
    const char *seed = getenv("VARVE_TEST_SEED"), *rounds = getenv("VARVE_TEST_ROUNDS");
    uint64_t first = seed && *seed ? strtoull(seed, NULL, 0) : 4200;
    unsigned count = rounds && *rounds ? (unsigned)strtoul(rounds, NULL, 0) : 12;
    printf("# VARVE_TEST_SEED=%" PRIu64 "\n", first);
    for (unsigned i = 0; i < count; i++) {
        struct prng prng = {round_seed = first + i};
        struct fixture f[2];
        model_make(&model, &prng);
        open_world(&f[0], &model, &prng);
        open_world(&f[1], &model, &prng);
        for (int n = 0; n < 60; n++) {
            struct question q = some_question(&f[0], &model, &prng);
            struct model_answer *answers;
            struct relation rows[2];
            struct plan_of plan;
            size_t answer_count = model_ask(&model, &q, &answers);
            make_plan(&plan, &q);
            for (int k = 0; k < 2; k++) {
                relation_init(&rows[k], &f[k].mem, plan.node.column_count);
                enum varve_status status = run_plan(&f[k], &plan, 1, &rows[k]);
                if (status != VARVE_OK)
                    describe(&q);
                OK(status);
                compare(&q, answers, answer_count, &rows[k]);
            }
            same_relations(&q, &rows[0], &rows[1], "the same rows in another order");
            same_with_threads(&f[n & 1], &q, &plan);
            relation_free(&rows[0]);
            relation_free(&rows[1]);
            free_answers(answers, answer_count, &q);
        }
        close_world(&f[0]);
        close_world(&f[1]);
    }
}

/* ---- laws -------------------------------------------------------------------------------- */

/* The only value of a plan that makes one row. */
static struct value ask_one(struct fixture *f, const struct question *q)
{
    struct relation rows;
    struct plan_of plan;
    make_plan(&plan, q);
    relation_init(&rows, &f->mem, plan.node.column_count);
    OK(run_plan(f, &plan, 1, &rows));
    assert_int_equal(rows.rows, 1);
    struct value value = relation_row(&rows, 0)[0];
    relation_free(&rows);
    return value;
}

static struct question plain_question(enum model_metric metric, int64_t since, int64_t until)
{
    return (struct question){.metric = metric,
                             .of_label = MODEL_LABELS,
                             .filter_label = MODEL_LABELS,
                             .matched = MODEL_LABELS,
                             .where_label = MODEL_LABELS,
                             .range = {since, until}};
}

/* L2: the parts of a range add up to the whole, to the last bit. */
static void test_parts(void **state)
{
    (void)state;
    static struct model model;
    static const enum model_metric metrics[] = {MONEY, FLOATS, MIXED, READINGS, UPDOWN};
    struct prng prng = prng_start(round_seed = 77);
    struct fixture f;
    do
        model_make(&model, &prng);
    while (model.count < MODEL_ROWS / 2);
    open_world(&f, &model, &prng);
    for (int i = 0; i < 60; i++) {
        struct question q = plain_question(metrics[i % 5], model.first, model.last);
        struct value whole = ask_one(&f, &q);
        i128 ints = 0;
        double doubles = 0; /* exact: all values are multiples of 1/1024 and small */
        q.range.until = q.range.since;
        while (q.range.until < model.last) {
            q.range.since = q.range.until;
            q.range.until += 1 + (int64_t)prng_below(&prng, 2 * NS_PER_DAY);
            struct value part = ask_one(&f, &q);
            if (part.type == TYPE_FLOAT)
                doubles += part.as.f;
            else if (!value_is_null(part))
                ints += part.as.i;
        }
        if (whole.type == TYPE_FLOAT)
            assert_true(whole.as.f == doubles + (double)ints);
        else
            assert_true(doubles == 0 && ints == whole.as.i);
    }
    close_world(&f);
}

static void test_ratio(void **state)
{
    (void)state;
    struct prng prng = prng_start(5);
    for (int i = 0; i < 100000; i++) {
        int64_t a = (int64_t)(prng_next(&prng) >> (11 + prng_below(&prng, 52))),
                b = 1 + (int64_t)(prng_next(&prng) >> (12 + prng_below(&prng, 51)));
        a = i & 1 ? -a : a;
        assert_true(number_ratio(a, b) == (double)a / (double)b); /* IEEE 754 rounds once, too */
    }
    assert_true(number_ratio((i128)1 << 100, 1) == ldexp(1, 100));
    assert_true(number_ratio(((i128)1 << 53) + 1, 2) == 4503599627370496.0); /* a tie, to even */
    assert_true(number_ratio(((i128)1 << 60) + 1, 128) == 9007199254740992.0);
}

/* ---- what a plan may have beside ------------------------------------------------------------- */

/* One in which every user spends money, and somebody who is none. */
static void small_world(struct fixture *f, struct model *model)
{
    struct prng prng = {round_seed = 99};
    unsigned users;
    do {
        model_make(model, &prng);
        users = 0;
        for (size_t i = 0; i < model->count; i++)
            if (model->rows[i].metric == MONEY)
                users |= 1u << model->rows[i].labels[0];
    } while (model->count > 700 || users != 31);
    open_world(f, model, &prng);
}

/* What the users of a team spent, asked by team and by a filter on it. */
static void test_virtual_labels(void **state)
{
    (void)state;
    static struct model model;
    struct fixture f;
    struct lookups lookups = {.count = 1};
    small_world(&f, &model);
    lookups.items = arena_zalloc(&f.arena, sizeof *lookups.items);
    OK(lookup_parse(STR("team"), STR("user"), STR("user,team\nu1,red\nu2,blue\nu3,red\nu4,\n"),
                    &f.arena, lookups.items, &err));
    i128 sums[3] = {0, 0, 0}; /* red, blue, none */
    for (size_t i = 0; i < model.count; i++)
        if (model.rows[i].metric == MONEY)
            sums[(int[]){2, 0, 1, 0, 2}[model.rows[i].labels[0]]] += model.rows[i].value;
    struct question q = plain_question(MONEY, model.first, model.last);
    for (unsigned i = 0; i < 6; i++) {
        unsigned by_filter = i % 3;
        struct plan_of p;
        struct exec *exec;
        struct batch batch;
        struct exec_options options = {.threads = 1 + i / 3};
        struct varve_str red = STR("red"), pattern = STR("r.d|b.*");
        q.key_count = 1;
        make_plan(&p, &q);
        p.labels[0].lookup = STR("team");
        p.labels[0].field = STR("team");
        p.filter = (struct label_filter){.label = p.labels[0],
                                         .op = by_filter == 1 ? MATCH_EQ : MATCH_NRE,
                                         .values = by_filter == 1 ? &red : &pattern,
                                         .value_count = 1};
        p.source.filters = &p.filter;
        p.source.filter_count = by_filter > 0;
        OK(exec_open(&p.plan, f.snapshot, &lookups, &options, &f.mem, &exec, &err));
        OK(exec_next(exec, &batch, &err));
        assert_int_equal(batch.rows, by_filter ? 1 : 3);
        for (uint32_t r = 0; r < batch.rows; r++) {
            struct value team = vector_value(&batch.columns[0], r);
            size_t which = value_is_null(team) ? 2 : !str_equal(value_str(team), red);
            assert_true(vector_value(&batch.columns[1], r).as.i == sums[which]);
            assert_true(by_filter != 1 || which == 0);
            assert_true(by_filter != 2 || which == 2);
        }
        exec_close(exec);
    }
    close_world(&f);
}

/* The groups that a TOP keeps, and the others as one. */
static void test_keep(void **state)
{
    (void)state;
    static struct model model;
    struct fixture f;
    struct relation kept;
    small_world(&f, &model);
    relation_init(&kept, &f.mem, 1);
    relation_add(&kept, &err)[0] = value_text(STR("u2"));
    relation_add(&kept, &err)[0] = value_null();
    struct question q = plain_question(MONEY, model.first, model.last);
    struct value whole = ask_one(&f, &q);
    for (unsigned i = 0; i < 6; i++) {
        bool other = i & 1;
        struct plan_of p;
        struct exec *exec;
        struct batch batch;
        struct exec_options options = {.threads = 1 + i / 2};
        i128 sum = 0;
        q.key_count = 1;
        make_plan(&p, &q);
        p.plan.named = &p.named;
        p.plan.named_count = 1;
        p.node.as.measure.keep =
            (struct keep){.is_set = true, .other = other, .label = STR("the rest")};
        OK(exec_open(&p.plan, f.snapshot, NULL, &options, &f.mem, &exec, &err));
        exec_give(exec, 0, &kept);
        OK(exec_next(exec, &batch, &err));
        assert_int_equal(batch.rows, 2 + other);
        for (uint32_t r = 0; r < batch.rows; r++)
            sum += vector_value(&batch.columns[1], r).as.i;
        assert_true(other == (sum == whole.as.i));
        exec_close(exec);
    }
    relation_free(&kept);
    close_world(&f);
}

/* count(DISTINCT label) over the series of several metrics. */
static void test_several_metrics(void **state)
{
    (void)state;
    static struct model model;
    struct fixture f;
    struct plan_of p;
    struct relation rows;
    struct metric_source sources[2];
    bool seen[16] = {false};
    int64_t want = 0;
    small_world(&f, &model);
    for (size_t i = 0; i < model.count; i++) {
        const struct model_point *row = &model.rows[i];
        if ((row->metric == MONEY || row->metric == GAUGE) && row->labels[2] &&
            !seen[row->labels[2]]) {
            seen[row->labels[2]] = true;
            want++;
        }
    }
    struct question q = plain_question(MONEY, model.first, model.last);
    q.function = ROLLUP_SEEN;
    q.of_label = 2;
    q.aggregate.kind = AGGREGATE_COUNT;
    q.aggregate.distinct = true;
    make_plan(&p, &q);
    sources[0] = sources[1] = p.source;
    sources[1].name = model_metrics[GAUGE].name;
    sources[1].kind = VARVE_GAUGE;
    p.node.as.measure.sources = sources;
    p.node.as.measure.source_count = 2;
    for (unsigned threads = 1; threads < 4; threads++) {
        relation_init(&rows, &f.mem, 1);
        OK(run_plan(&f, &p, threads, &rows));
        assert_true(relation_row(&rows, 0)[0].as.i == want);
        relation_free(&rows);
    }
    p.node.as.measure.aggregate.of = NULL;
    relation_init(&rows, &f.mem, 1);
    assert_int_equal(run_plan(&f, &p, 2, &rows), VARVE_MISUSE);
    relation_free(&rows);
    close_world(&f);
}

/* ---- without memory -------------------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    (void)state;
    static struct model model;
    struct alloc_fault fault;
    struct prng prng = {round_seed = 1234};
    struct fixture f;
    small_world(&f, &model);
    snapshot_close(f.snapshot);
    store_close(f.store);
    alloc_fault_init(&fault);
    struct varve_options options = {.flags = VARVE_RDONLY, .allocator = fault.allocator};
    OK(store_open(&f.store, f.path, &options, &err));
    OK(snapshot_open(f.store, &f.snapshot, &err));
    for (int i = 0; i < 12; i++) {
        struct question q = some_question(&f, &model, &prng);
        struct plan_of plan;
        struct model_answer *answers;
        size_t answer_count = model_ask(&model, &q, &answers);
        make_plan(&plan, &q);
        for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
            struct mem usual = f.mem, other;
            struct relation rows;
            mem_init(&f.mem, &fault.allocator, 0);
            mem_init(&other, NULL, 0);
            relation_init(&rows, &other, plan.node.column_count);
            enum varve_status status = run_plan(&f, &plan, (unsigned)i % 3 + 1, &rows);
            if (status != VARVE_NOMEM || !fault.failed) /* what only saves time may fail */
                OK(status);
            if (status == VARVE_OK)
                compare(&q, answers, answer_count, &rows);
            relation_free(&rows);
            assert_int_equal(atomic_load(&f.mem.used), 0);
            f.mem = usual;
            assert_int_equal(fault.mistakes, 0);
        }
        free_answers(answers, answer_count, &q);
    }
    snapshot_close(f.snapshot);
    store_close(f.store);
    assert_true(alloc_fault_is_clean(&fault));
    files_remove(f.directory);
    arena_free(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_ratio),     cmocka_unit_test(test_virtual_labels),
        cmocka_unit_test(test_keep),      cmocka_unit_test(test_several_metrics),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
