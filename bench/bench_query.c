/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_query.c -- what questions cost once they are plans: MEASURE over a store of generated
 * telemetry.
 *
 * It works below the public interface, on plans made by hand, so that neither parsing nor printing
 * is counted.  Totals are compared with what was generated: a benchmark that got another one fails.
 * Every question is asked of one thread and of two.
 *
 *   bench_query [DIRECTORY [DEVELOPERS [DAYS]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exec/exec.h"
#include "gen/gen.h"
#include "varve.h"

#define BATCH_POINTS 5000
#define REPEAT 15
#define HOUR INT64_C(3600000000000)

__extension__ typedef __int128 i128;

static struct varve_err err;

static void must(enum varve_status status, const char *what)
{
    if (status == VARVE_OK)
        return;
    fprintf(stderr, "bench_query: %s: %s: %s: %s\n", what, varve_status_name(status), err.place,
            err.message);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the store ------------------------------------------------------------------ */

struct totals {
    int64_t tokens, cost_nanos;
};

static void add_point(varve_batch *batch, const struct gen_point *p, struct totals *totals)
{
    const struct gen_metric_info *info = &gen_metrics[p->metric];
    struct varve_metric metric = {varve_str(info->name), varve_str(info->unit), VARVE_COUNTER};
    struct varve_label labels[GEN_COMMON_LABELS + GEN_OWN_LABELS];
    struct gen_label own[GEN_OWN_LABELS];
    size_t count = gen_point_labels(p, own), n = 0;
    uint32_t id, set;
    for (size_t i = 0; i < p->session->common_count; i++)
        labels[n++] = (struct varve_label){varve_str(p->session->common[i].key),
                                           varve_str(p->session->common[i].value)};
    for (size_t i = 0; i < count; i++)
        labels[n++] = (struct varve_label){varve_str(own[i].key), varve_str(own[i].value)};
    must(varve_batch_metric(batch, &metric, &id, &err), "metric");
    must(varve_batch_labels(batch, VARVE_NO_LABELS, labels, n, &set, &err), "labels");
    must(varve_batch_counter(batch, id, set, VARVE_DELTA, p->start, p->end, varve_float(p->value),
                             &err),
         "counter");
    totals->tokens += p->metric == GEN_TOKENS ? (int64_t)p->exact : 0;
    totals->cost_nanos += p->metric == GEN_COST ? (int64_t)p->exact : 0;
}

static void append(varve *db, varve_batch *batch, size_t *waiting)
{
    if (*waiting)
        must(varve_append(db, batch, NULL, &err), "append");
    varve_batch_clear(batch);
    *waiting = 0;
}

static void make_store(const char *path, const struct gen_options *load, struct totals *totals)
{
    struct varve_options options = {.flags = VARVE_CREATE};
    struct gen_world *world = gen_world_new(load);
    const struct gen_export *e;
    varve *db;
    varve_batch *batch;
    size_t waiting = 0;
    must(varve_open(path, &options, &db, &err), "open");
    must(varve_batch_new(db, &batch, &err), "batch");
    while (world && (e = gen_world_next(world))) {
        for (size_t i = 0; i < e->point_count; i++)
            add_point(batch, &e->points[i], totals);
        waiting += e->point_count;
        if (waiting >= BATCH_POINTS)
            append(db, batch, &waiting);
    }
    append(db, batch, &waiting);
    if (!world || gen_world_failed(world))
        exit(1);
    must(varve_compact(db, NULL, &err), "compact");
    gen_world_free(world);
    varve_batch_free(batch);
    varve_close(db);
}

/* ---- questions -------------------------------------------------------------------- */

#define TOKENS "claude_code.token.usage"
#define COST "claude_code.cost.usage"

/* What all rows of the answer have to add up to. */
enum known { UNKNOWN, ALL_TOKENS, ALL_COST };

struct question {
    const char *what, *metric;
    enum rollup function;
    enum aggregate_kind aggregate;
    const char *of, *keys[2]; /* labels; NULL: none */
    struct bucket bucket;
    bool last_day; /* else everything */
    int64_t window;
    enum known known;
};

#define ALL                 \
    {                       \
        .kind = BUCKET_NONE \
    }
#define DAYS(where)                                                                    \
    {                                                                                  \
        .kind = BUCKET_CALENDAR, .unit = UNIT_DAY, .zone = { where, sizeof where - 1 } \
    }
#define EVERY(nanos)                           \
    {                                          \
        .kind = BUCKET_FIXED, .width = (nanos) \
    }

static const struct question questions[] = {
    {"tokens by model",
     TOKENS,
     ROLLUP_INCREASE,
     AGGREGATE_SUM,
     NULL,
     {"model"},
     ALL,
     false,
     0,
     ALL_TOKENS},
    {"cost by user, 24 hours",
     COST,
     ROLLUP_INCREASE,
     AGGREGATE_SUM,
     NULL,
     {"user.email"},
     ALL,
     true,
     0,
     UNKNOWN},
    {"cost by user",
     COST,
     ROLLUP_INCREASE,
     AGGREGATE_SUM,
     NULL,
     {"user.email"},
     ALL,
     false,
     0,
     ALL_COST},
    {"tokens by type, every day",
     TOKENS,
     ROLLUP_INCREASE,
     AGGREGATE_SUM,
     NULL,
     {"type"},
     DAYS("UTC"),
     false,
     0,
     ALL_TOKENS},
    {"tokens by type, every day in Berlin",
     TOKENS,
     ROLLUP_INCREASE,
     AGGREGATE_SUM,
     NULL,
     {"type"},
     DAYS("Europe/Berlin"),
     false,
     0,
     ALL_TOKENS},
    {"tokens by type, every hour",
     TOKENS,
     ROLLUP_INCREASE,
     AGGREGATE_SUM,
     NULL,
     {"type"},
     EVERY(HOUR),
     false,
     0,
     ALL_TOKENS},
    {"tokens of 5 hours, every 5 minutes, 24 hours",
     TOKENS,
     ROLLUP_INCREASE,
     AGGREGATE_SUM,
     NULL,
     {NULL},
     EVERY(HOUR / 12),
     true,
     5 * HOUR,
     UNKNOWN},
    {"tokens by session and user",
     TOKENS,
     ROLLUP_INCREASE,
     AGGREGATE_SUM,
     NULL,
     {"session.id", "user.email"},
     ALL,
     false,
     0,
     ALL_TOKENS},
    {"sessions, every day",
     TOKENS,
     ROLLUP_SEEN,
     AGGREGATE_COUNT,
     "session.id",
     {NULL},
     DAYS("UTC"),
     false,
     0,
     UNKNOWN},
    {"the largest series by user",
     TOKENS,
     ROLLUP_INCREASE,
     AGGREGATE_MAX,
     NULL,
     {"user.email"},
     ALL,
     false,
     0,
     UNKNOWN},
    {"the largest increment by user",
     TOKENS,
     ROLLUP_MAX_OF,
     AGGREGATE_MAX,
     NULL,
     {"user.email"},
     ALL,
     false,
     0,
     UNKNOWN},
};

struct run {
    struct snapshot *snapshot;
    struct mem *mem;
    const struct gen_options *load;
    const struct totals *totals;
};

struct asking {
    struct plan plan;
    struct node node;
    struct metric_source source;
    struct column_ref labels[3];
    struct term columns[3], *keys[2];
    struct column_info infos[4];
};

static void make_plan(struct asking *a, const struct run *run, const struct question *q)
{
    int64_t end = run->load->end;
    struct node *n = &a->node;
    uint32_t labels = 0;
    *a = (struct asking){.plan = {.root = &a->node, .node_count = 1, .zone = {"UTC", 3}}};
    a->source.name = varve_str(q->metric);
    a->source.kind = VARVE_COUNTER;
    n->kind = NODE_MEASURE;
    n->columns = a->infos;
    n->as.measure.sources = &a->source;
    n->as.measure.source_count = 1;
    n->as.measure.labels = a->labels;
    n->as.measure.keys = a->keys;
    for (uint32_t k = 0; k < 2 && q->keys[k]; k++) {
        a->labels[labels].name = varve_str(q->keys[k]);
        a->keys[n->key_count++] = &a->columns[labels++];
    }
    n->as.measure.aggregate.kind = q->aggregate;
    if (q->of) {
        a->labels[labels].name = varve_str(q->of);
        n->as.measure.aggregate.distinct = true;
        n->as.measure.aggregate.of = &a->columns[labels++];
    }
    for (uint32_t i = 0; i < labels; i++)
        a->columns[i] = (struct term){.kind = TERM_COLUMN, .type = TYPE_TEXT, .index = i};
    n->as.measure.label_count = labels;
    n->as.measure.function = q->function;
    n->as.measure.bucket = q->bucket;
    n->as.measure.range = (struct time_range){end - GEN_DAY, end};
    if (!q->last_day) /* sessions that begin on the last day go on behind it */
        n->as.measure.range =
            (struct time_range){end - (run->load->days + 7) * GEN_DAY, end + 2 * GEN_DAY};
    n->as.measure.window = q->window;
    n->has_bucket = q->bucket.kind != BUCKET_NONE;
    n->column_count = n->has_bucket + n->key_count + 1;
}

static uint64_t ask(const struct run *run, const struct question *q, unsigned threads)
{
    struct asking a;
    struct exec_options options = {.threads = threads};
    struct exec *exec;
    struct batch batch;
    enum varve_status status;
    uint64_t rows = 0;
    i128 sum = 0;
    make_plan(&a, run, q);
    must(exec_open(&a.plan, run->snapshot, NULL, &options, run->mem, &exec, &err), q->what);
    while ((status = exec_next(exec, &batch, &err)) == VARVE_OK) {
        for (uint32_t i = 0; i < batch_count(&batch); i++)
            sum += vector_value(&batch.columns[batch.column_count - 1], batch_row(&batch, i)).as.i;
        rows += batch_count(&batch);
    }
    if (status != VARVE_DONE)
        must(status, q->what);
    exec_close(exec);
    int64_t total = q->known == ALL_COST ? run->totals->cost_nanos : run->totals->tokens;
    if (q->known != UNKNOWN && sum != total) {
        fprintf(stderr, "bench_query: %s: %.0f, not %.0f\n", q->what, (double)sum, (double)total);
        exit(1);
    }
    return rows;
}

/* The best time of one thread and of two, in turns, so that a busy moment meets both. */
static void report(const struct run *run, const struct question *q)
{
    double best[2] = {1e9, 1e9};
    uint64_t rows[2] = {0, 0};
    for (int i = 0; i < REPEAT; i++)
        for (unsigned t = 0; t < 2; t++) {
            double began = now();
            rows[t] = ask(run, q, t + 1);
            double took = now() - began;
            best[t] = took < best[t] ? took : best[t];
        }
    if (rows[0] != rows[1]) {
        fprintf(stderr, "bench_query: %s: other rows with two threads\n", q->what);
        exit(1);
    }
    printf("  %-46s %9.3f ms %9.3f ms %8llu rows\n", q->what, best[0] * 1e3, best[1] * 1e3,
           (unsigned long long)rows[0]);
}

static void ask_all(const char *path, const struct gen_options *load, const struct totals *totals)
{
    struct varve_options options = {.flags = VARVE_RDONLY};
    struct store *store;
    struct mem mem;
    struct run run = {.mem = &mem, .load = load, .totals = totals};
    mem_init(&mem, NULL, 0);
    must(store_open(&store, path, &options, &err), "open");
    must(snapshot_open(store, &run.snapshot, &err), "snapshot");
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        report(&run, &questions[i]);
    printf("  %-46s %9.1f MB\n", "peak memory of the executor", (double)mem.peak / 1e6);
    snapshot_close(run.snapshot);
    store_close(store);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    unsigned developers = argc > 2 ? (unsigned)atoi(argv[2]) : 100,
             days = argc > 3 ? (unsigned)atoi(argv[3]) : 30;
    struct gen_options load = {.days = days,
                               .developers = developers,
                               .sessions = 8,
                               .points = 20,
                               .seed = 42,
                               .end = (20727 + days) * GEN_DAY};
    struct totals totals = {0, 0};
    char path[3000], command[3100];
    snprintf(path, sizeof path, "%s/bench-query-%ld.varve", directory, (long)getpid());
    make_store(path, &load, &totals);
    printf("%u developers, %u days: plans, best of %d\n", developers, days, REPEAT);
    printf("  %-46s %12s %12s\n", "", "one thread", "two");
    ask_all(path, &load, &totals);
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command) == 0 ? 0 : 1;
}
