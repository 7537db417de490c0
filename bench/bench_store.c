/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_store.c -- what the store costs: append, seal, size, open, memory, grouped sums.
 *
 * The set is thirty days of a hundred developers, and the same with five
 * times as many.  Each phase runs in a child process, so that its peak memory
 * is its own.  Times are of the calls into the library; making the telemetry is not
 * counted.  What was summed is compared with what was generated: a benchmark
 * that got another total fails.
 *
 *   bench_store [DIRECTORY [DEVELOPERS [DAYS]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "codec/int_block.h"
#include "gen/gen.h"
#include "varve.h"

#define BATCH_POINTS 5000
#define REPEAT 15

static struct varve_err err;

static void must(enum varve_status status, const char *what)
{
    if (status == VARVE_OK)
        return;
    fprintf(stderr, "bench_store: %s: %s: %s: %s\n", what, varve_status_name(status), err.place,
            err.message);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What writing came to. */
struct outcome {
    uint64_t points, series, tokens, cost_nanos;
    double append, seal, compact, slowest_seal;
    double append_cpu, seal_cpu; /* without the waiting for the disk and for other programs */
    uint64_t bytes_sealed, bytes_compacted;
};

/* How the children tell each other. */
static char outcome_path[3100];

static void save_outcome(const struct outcome *o)
{
    FILE *f = fopen(outcome_path, "wb");
    if (!f || fwrite(o, sizeof *o, 1, f) != 1 || fclose(f) != 0)
        exit(1);
}

static void load_outcome(struct outcome *o)
{
    FILE *f = fopen(outcome_path, "rb");
    if (!f || fread(o, sizeof *o, 1, f) != 1)
        exit(1);
    fclose(f);
}

/* ---- writing ------------------------------------------------------------ */

static struct varve_label *fill(struct varve_label *to, const struct gen_label *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *to++ = (struct varve_label){varve_str(from[i].key), varve_str(from[i].value)};
    return to;
}

/* The metrics' names in the batch, asked for when an export begins. */
static uint32_t metric_of(varve_batch *batch, unsigned metric)
{
    const struct gen_metric_info *info = &gen_metrics[metric];
    struct varve_metric m = {varve_str(info->name), varve_str(info->unit), VARVE_COUNTER};
    uint32_t id;
    must(varve_batch_metric(batch, &m, &id, &err), "metric");
    return id;
}

/* As a receiver would: what all points of a session share, then what each has of its own. */
static void add_export(varve_batch *batch, const struct gen_export *e)
{
    struct varve_label labels[GEN_COMMON_LABELS + GEN_OWN_LABELS];
    struct gen_label own[GEN_OWN_LABELS];
    const struct gen_session *session = NULL;
    unsigned metric = GEN_METRICS;
    uint32_t id = 0, set = 0, all;
    for (size_t i = 0; i < e->point_count; i++) {
        const struct gen_point *p = &e->points[i];
        if (p->session != session) {
            session = p->session;
            fill(labels, session->common, session->common_count);
            must(varve_batch_labels(batch, VARVE_NO_LABELS, labels, session->common_count, &set,
                                    &err),
                 "labels");
        }
        if (p->metric != metric)
            id = metric_of(batch, metric = p->metric);
        size_t count = gen_point_labels(p, own);
        fill(labels, own, count);
        must(varve_batch_labels(batch, set, labels, count, &all, &err), "labels");
        must(varve_batch_counter(batch, id, all, VARVE_DELTA, p->start, p->end,
                                 varve_float(p->value), &err),
             "counter");
    }
}

struct writing {
    varve *db;
    varve_batch *batch;
    struct outcome *o;
    size_t waiting; /* points in the batch */
};

static void append(struct writing *w)
{
    struct varve_appended appended;
    if (!w->waiting)
        return;
    must(varve_append(w->db, w->batch, &appended, &err), "append");
    varve_batch_clear(w->batch);
    w->o->points += appended.points;
    w->waiting = 0;
}

static void seal(struct writing *w)
{
    double began = now(), cpu_began = cpu();
    must(varve_seal(w->db, INT64_MAX, NULL, &err), "seal");
    double took = now() - began;
    w->o->seal += took;
    w->o->seal_cpu += cpu() - cpu_began;
    w->o->slowest_seal = took > w->o->slowest_seal ? took : w->o->slowest_seal;
}

static void take_export(struct writing *w, const struct gen_export *e)
{
    double began = now();
    if (w->waiting + e->point_count > BATCH_POINTS)
        append(w);
    add_export(w->batch, e);
    w->waiting += e->point_count;
    w->o->append += now() - began;
    for (size_t i = 0; i < e->point_count; i++) {
        const struct gen_point *p = &e->points[i];
        w->o->tokens += p->metric == GEN_TOKENS ? (uint64_t)p->exact : 0;
        w->o->cost_nanos += p->metric == GEN_COST ? (uint64_t)p->exact : 0;
    }
}

/* What the world itself takes, which is not to be counted. */
static double cpu_of_generating(const struct gen_options *load)
{
    double began = cpu();
    struct gen_world *world = gen_world_new(load);
    while (world && gen_world_next(world))
        ;
    gen_world_free(world);
    return cpu() - began;
}

/* Appends all exports, and seals when a day is over. */
static void write_world(struct writing *w, const struct gen_options *load)
{
    double began = cpu();
    struct gen_world *world = gen_world_new(load);
    const struct gen_export *e;
    int64_t day = 0;
    if (!world)
        exit(1);
    while ((e = gen_world_next(world))) {
        if (day && e->time / GEN_DAY != day) {
            double append_began = now();
            append(w);
            w->o->append += now() - append_began;
            seal(w);
        }
        day = e->time / GEN_DAY;
        take_export(w, e);
    }
    append(w);
    seal(w);
    if (gen_world_failed(world))
        exit(1);
    gen_world_free(world);
    w->o->append_cpu = cpu() - began - w->o->seal_cpu - cpu_of_generating(load);
}

static void write_store(const char *path, const struct gen_options *load)
{
    struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    struct outcome o = {0};
    struct varve_compacted compacted;
    struct varve_stats stats;
    struct writing w = {.o = &o};
    must(varve_open(path, &options, &w.db, &err), "open");
    must(varve_batch_new(w.db, &w.batch, &err), "batch");
    write_world(&w, load);
    must(varve_stats(w.db, &stats, &err), "stats");
    o.bytes_sealed = stats.bytes;
    o.series = stats.series;
    double began = now();
    must(varve_compact(w.db, &compacted, &err), "compact");
    o.compact = now() - began;
    o.bytes_compacted = compacted.bytes_after;
    varve_batch_free(w.batch);
    varve_close(w.db);
    save_outcome(&o);
}

/* ---- reading ------------------------------------------------------------ */

__extension__ typedef __int128 i128;

/* Groups of one label: a small table from texts to sums, found by hash. */
#define GROUPS 4096
struct groups {
    char names[GROUPS][64]; /* empty: free */
    i128 sums[GROUPS];
    unsigned count;
};

static unsigned group_of(struct groups *g, struct varve_str name)
{
    unsigned at = 5381;
    for (size_t i = 0; i < name.size; i++)
        at = at * 33 + (unsigned char)name.data[i];
    for (;; at++) {
        char *known = g->names[at %= GROUPS];
        if (strlen(known) == name.size && memcmp(known, name.data, name.size) == 0 && name.size > 0)
            return at;
        if (!*known) {
            if (++g->count == GROUPS || name.size >= sizeof g->names[0])
                exit(1);
            memcpy(known, name.data, name.size);
            known[name.size] = '\0';
            return at;
        }
    }
}

/* sum by (key) of a metric over a range; answers the points it covered. */
static uint64_t sum_by(varve_snapshot *snapshot, const char *metric, const char *key, int64_t since,
                       int64_t until, unsigned flags, struct groups *groups)
{
    struct varve_str column = varve_str(key);
    struct varve_query query = {.source = varve_str(metric),
                                .since = since,
                                .until = until,
                                .columns = &column,
                                .column_count = 1,
                                .flags = flags};
    struct varve_runs runs;
    varve_scan *scan;
    enum varve_status status;
    static uint32_t map[1 << 16];
    uint32_t segment = 0;
    uint64_t points = 0;
    memset(groups, 0, sizeof *groups);
    must(varve_scan_open(snapshot, &query, &scan, &err), "scan");
    while ((status = varve_scan_runs(scan, &runs, &err)) == VARVE_OK) {
        const struct varve_column *c = &runs.columns[0];
        if (runs.segment != segment) {
            for (uint32_t i = 1; i < c->dictionary->count; i++)
                map[i] = group_of(groups, c->dictionary->texts[i]);
            segment = runs.segment;
        }
        for (uint32_t r = 0; r < runs.runs; r++) {
            groups->sums[map[c->codes[r]]] += runs.sums[r];
            points += runs.points[r];
        }
    }
    if (status != VARVE_DONE)
        must(status, "scan");
    varve_scan_close(scan);
    return points;
}

static void expect(const struct groups *groups, uint64_t total, const char *what)
{
    i128 sum = 0;
    for (unsigned i = 0; i < GROUPS; i++)
        sum += groups->sums[i];
    if (sum == (i128)total)
        return;
    fprintf(stderr, "bench_store: %s add up to %.0f, not %.0f\n", what, (double)sum, (double)total);
    exit(1);
}

/* The shortest of some repetitions, in seconds. */
static double time_sum(varve_snapshot *s, const char *metric, const char *key, int64_t since,
                       unsigned flags, struct groups *groups, uint64_t *points)
{
    double best = 1e9;
    for (int i = 0; i < REPEAT; i++) {
        double began = now();
        *points = sum_by(s, metric, key, since, INT64_MAX, flags, groups);
        double took = now() - began;
        best = took < best ? took : best;
    }
    return best;
}

static void report_sum(const char *what, double seconds, uint64_t points)
{
    printf("  %-46s %9.3f ms   %8.2f G values/s\n", what, seconds * 1e3,
           (double)points / seconds / 1e9);
}

static void read_store(const char *path, const struct gen_options *load)
{
    static struct groups groups;
    struct varve_options options = {.flags = VARVE_RDONLY};
    struct outcome o;
    double best_open = 1e9, best_first = 1e9;
    varve *db = NULL;
    varve_snapshot *s = NULL;
    uint64_t points;
    int64_t last_day = load->end - GEN_DAY;
    load_outcome(&o);
    for (int i = 0; i < REPEAT; i++) {
        double began = now();
        must(varve_open(path, &options, &db, &err), "open");
        double opened = now() - began;
        must(varve_snapshot_open(db, &s, &err), "snapshot");
        points = sum_by(s, "claude_code.cost.usage", "user.email", last_day, INT64_MAX, 0, &groups);
        double first = now() - began;
        best_open = opened < best_open ? opened : best_open;
        best_first = first < best_first ? first : best_first;
        varve_snapshot_close(s);
        varve_close(db);
    }
    printf("  %-46s %9.3f ms\n", "open", best_open * 1e3);
    printf("  %-46s %9.3f ms\n", "open, and cost by user of the last day", best_first * 1e3);
    must(varve_open(path, &options, &db, &err), "open");
    must(varve_snapshot_open(db, &s, &err), "snapshot");
    double t = time_sum(s, "claude_code.token.usage", "model", INT64_MIN, 0, &groups, &points);
    expect(&groups, o.tokens, "tokens from headers");
    report_sum("tokens by model, from run headers", t, points);
    t = time_sum(s, "claude_code.token.usage", "model", INT64_MIN, VARVE_DECODE, &groups, &points);
    expect(&groups, o.tokens, "tokens");
    char what[80];
    snprintf(what, sizeof what, "tokens by model, values decoded (%s)", int_block_kernel());
    report_sum(what, t, points);
    int_block_use_scalar(1);
    t = time_sum(s, "claude_code.token.usage", "model", INT64_MIN, VARVE_DECODE, &groups, &points);
    snprintf(what, sizeof what, "tokens by model, values decoded (%s)", int_block_kernel());
    report_sum(what, t, points);
    int_block_use_scalar(0);
    t = time_sum(s, "claude_code.cost.usage", "user.email", INT64_MIN, VARVE_DECODE, &groups,
                 &points);
    expect(&groups, o.cost_nanos, "nano-dollars");
    report_sum("cost by user, values decoded", t, points);
    varve_snapshot_close(s);
    varve_close(db);
}

/* ---- phases in processes of their own ------------------------------------ */

static long run_phase(void (*phase)(const char *, const struct gen_options *), const char *path,
                      const struct gen_options *load)
{
    struct rusage usage;
    int how;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        phase(path, load);
        fflush(stdout);
        _exit(0);
    }
    if (child < 0 || wait4(child, &how, 0, &usage) < 0 || !WIFEXITED(how) ||
        WEXITSTATUS(how) != 0) {
        fprintf(stderr, "bench_store: a phase failed\n");
        exit(1);
    }
    return usage.ru_maxrss;
}

static void report_rate(const char *what, double seconds, double cpu_seconds, double points)
{
    printf("  %-46s %9.3f s    %8.2f M points/s   (%.3f s of them computing)\n", what, seconds,
           points / seconds / 1e6, cpu_seconds);
}

static void report_writing(const struct outcome *o, long peak_kb)
{
    double points = (double)o->points;
    report_rate("append, durable, batches of 5,000", o->append, o->append_cpu, points);
    report_rate("seal, day by day", o->seal, o->seal_cpu, points);
    report_rate("both", o->append + o->seal, o->append_cpu + o->seal_cpu, points);
    printf("  %-46s %9.0f ms\n", "slowest seal", o->slowest_seal * 1e3);
    printf("  %-46s %9.2f MB   %8.3f bytes/point\n", "sealed, all files as allocated",
           (double)o->bytes_sealed / 1e6, (double)o->bytes_sealed / points);
    printf("  %-46s %9.2f MB   %8.3f bytes/point   (%.0f ms)\n", "compacted",
           (double)o->bytes_compacted / 1e6, (double)o->bytes_compacted / points, o->compact * 1e3);
    printf("  %-46s %9.1f MB\n", "peak memory, generator included", (double)peak_kb / 1024);
}

static void measure(const char *directory, unsigned developers, unsigned days)
{
    char path[3000], command[8192];
    struct gen_options load = {.days = days,
                               .developers = developers,
                               .sessions = 8,
                               .points = 20,
                               .seed = 42,
                               .end = (20727 + days) * GEN_DAY}; /* from 2026-10-01 on */
    struct outcome o;
    snprintf(path, sizeof path, "%s/bench-%ld-%u.varve", directory, (long)getpid(), developers);
    snprintf(outcome_path, sizeof outcome_path, "%s.outcome", path);
    long peak = run_phase(write_store, path, &load);
    load_outcome(&o);
    printf("%u developers, %u days: %llu series, %llu points\n", developers, days,
           (unsigned long long)o.series, (unsigned long long)o.points);
    report_writing(&o, peak);
    peak = run_phase(read_store, path, &load);
    printf("  %-46s %9.1f MB\n", "peak memory of reading", (double)peak / 1024);
    snprintf(command, sizeof command, "rm -rf '%s' '%s'", path, outcome_path);
    if (system(command) != 0)
        fprintf(stderr, "bench_store: cannot remove %s\n", path);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    unsigned developers = argc > 2 ? (unsigned)atoi(argv[2]) : 100,
             days = argc > 3 ? (unsigned)atoi(argv[3]) : 30;
    measure(directory, developers, days);
    if (argc <= 2)
        measure(directory, 5 * developers, days);
    return 0;
}
