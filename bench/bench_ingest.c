/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_ingest.c -- what the doors cost, stage by stage, and what they hold.
 *
 * `varve gen` writes the files once; each stage then does all that the one before it
 * did and a little more, so the cost of a stage is a difference:
 *
 *   read      the files, cut into bodies
 *   scan      and checked
 *   look up   and unpacked, their label sets found or made, batches filled and thrown away
 *   append    and appended: durable
 *   seal      and sealed into columns
 *
 * The last two are done by a process of their own for one and for ten days, to see whether memory
 * grows.  What was ingested is compared with what was generated: other numbers end the program.
 *
 *   bench_ingest [DIRECTORY [DEVELOPERS]]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ingest/otlp_json.h"
#include "ingest/source.h"
#include "ingest/wire.h"
#include "varve.h"

static struct varve_err err;

static void must(enum varve_status status, const char *what)
{
    if (status == VARVE_OK)
        return;
    fprintf(stderr, "bench_ingest: %s: %s: %s: %s\n", what, varve_status_name(status), err.place,
            err.message);
    exit(1);
}

static void must_run(const char *command)
{
    fflush(stdout);
    if (system(command) != 0) {
        fprintf(stderr, "bench_ingest: this failed: %s\n", command);
        exit(1);
    }
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the files ----------------------------------------------------------- */

#define PATHS 4096
static char paths[PATHS][512];
static size_t path_count;
static uint64_t expected_points;

/* The files of a set in order of their names, and how many points truth.json says they hold. */
static void list_files(const char *directory)
{
    char command[1200], line[512];
    snprintf(command, sizeof command,
             "ls -d '%s'/metrics-* && grep -o '\"points\":[0-9]*' '%s'/truth.json | head -1",
             directory, directory);
    FILE *list = popen(command, "r");
    path_count = 0;
    expected_points = 0;
    while (list && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "\"points\":%llu", (unsigned long long *)&expected_points) != 1 &&
            path_count < PATHS)
            memcpy(paths[path_count++], line, sizeof line);
    }
    if (!list || pclose(list) != 0 || path_count == 0 || expected_points == 0) {
        fprintf(stderr, "bench_ingest: no generated files in %s\n", directory);
        exit(1);
    }
}

static ptrdiff_t read_file(void *context, void *buffer, size_t size)
{
    return read(*(int *)context, buffer, size);
}

/* ---- the stages below the public interface -------------------------------- */

enum stage { STAGE_READ, STAGE_SCAN, STAGE_LOOK_UP, STAGES };

struct doors {
    struct mem mem;
    struct report report;
    struct rules *rules;
    struct intake *intake;
    struct otlp_pb *protobuf;
    struct otlp_json *json;
    uint64_t bytes;
};

/* What would be appended is only counted. */
static enum varve_status
discard(void *context, struct batch *batch, struct varve_appended *appended, struct varve_err *e)
{
    (void)context;
    (void)e;
    appended->points += batch->rows.row_count;
    return VARVE_OK;
}

static bool know_nothing(void *context, struct varve_str name, struct varve_metric *metric)
{
    (void)context;
    (void)name;
    (void)metric;
    return false;
}

static void doors_open(struct doors *doors)
{
    static const uint8_t secret[RULES_SECRET];
    *doors = (struct doors){.bytes = 0};
    mem_init(&doors->mem, NULL, 0);
    must(rules_new(&doors->mem, varve_str(""), secret, &doors->rules, &err), "rules");
    struct intake_options options = {.mem = &doors->mem,
                                     .seed = 1,
                                     .rules = doors->rules,
                                     .report = &doors->report,
                                     .append = discard,
                                     .known = know_nothing};
    must(intake_new(&options, &doors->intake, &err), "intake");
    must(otlp_pb_new(&doors->mem, doors->intake, &doors->protobuf, &err), "door");
    must(otlp_json_new(&doors->mem, doors->intake, &doors->json, &err), "door");
}

static void doors_close(struct doors *doors)
{
    otlp_json_free(doors->json);
    otlp_pb_free(doors->protobuf);
    intake_free(doors->intake);
    rules_free(doors->rules);
}

static void take_body(struct doors *doors, enum stage stage, bool json, struct varve_str body)
{
    const uint8_t *bytes = (const uint8_t *)body.data;
    bool refused = false;
    doors->bytes += body.size;
    if (stage == STAGE_SCAN && !json)
        must(wire_scan(bytes, body.size, wire_guess(bytes, body.size), &err), "scan");
    if (stage == STAGE_LOOK_UP && json)
        must(otlp_json_body(doors->json, OTLP_METRICS, body.data, body.size, &refused, &err),
             "JSON door");
    else if (stage == STAGE_LOOK_UP)
        must(otlp_pb_body(doors->protobuf, OTLP_METRICS, bytes, body.size, &refused, &err),
             "protobuf door");
    if (refused)
        must(VARVE_INVALID, "a body was refused");
}

static void take_path(struct doors *doors, enum stage stage, bool json, const char *path)
{
    struct source source;
    struct varve_str body;
    enum source_framing framing = FRAME_BARE;
    enum varve_status status;
    int fd = open(path, O_RDONLY);
    source_init(&source, &doors->mem, read_file, &fd);
    if (!json)
        must(source_framing(&source, &framing, &err), path);
    do {
        status =
            json ? source_json(&source, &body, &err) : source_body(&source, framing, &body, &err);
        if (status == VARVE_OK)
            take_body(doors, stage, json, body);
    } while (status == VARVE_OK);
    must(status == VARVE_DONE ? VARVE_OK : status, path);
    source_free(&source);
    close(fd);
}

/* Processor seconds for all files; the best of three. */
static double run_stage(enum stage stage, bool json, uint64_t *bytes)
{
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        struct doors doors;
        doors_open(&doors);
        double began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        for (size_t i = 0; i < path_count; i++)
            take_path(&doors, stage, json, paths[i]);
        must(intake_flush(doors.intake, &err), "flush");
        double took = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began;
        best = took < best ? took : best;
        if (stage == STAGE_LOOK_UP &&
            intake_counts(doors.intake)->appended.points < expected_points)
            must(VARVE_INVALID, "points are missing");
        *bytes = doors.bytes;
        doors_close(&doors);
    }
    return best;
}

/* ---- the whole way ---------------------------------------------------------- */

struct whole {
    double append_cpu, append_wall, seal_cpu, seal_wall;
    uint64_t points, duplicates, rejected, bytes;
    long peak_kb;
};

static void ingest_all(const char *store, enum varve_input input, struct whole *w)
{
    struct varve_options options = {.flags = VARVE_CREATE};
    struct varve_ingested totals;
    struct varve_stats stats;
    varve *db;
    varve_ingest *ingest;
    must(varve_open(store, &options, &db, &err), "open");
    must(varve_ingest_new(db, NULL, &ingest, &err), "ingest");
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC);
    for (size_t i = 0; i < path_count; i++) {
        int fd = open(paths[i], O_RDONLY);
        must(varve_ingest_stream(ingest, input, paths[i], 0, read_file, &fd, &err), paths[i]);
        close(fd);
    }
    must(varve_ingest_flush(ingest, &err), "flush");
    w->append_cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    w->append_wall = seconds_of(CLOCK_MONOTONIC) - wall;
    must(varve_seal(db, INT64_MAX, NULL, &err), "seal");
    w->seal_cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu - w->append_cpu;
    w->seal_wall = seconds_of(CLOCK_MONOTONIC) - wall - w->append_wall;
    varve_ingest_totals(ingest, &totals);
    must(varve_stats(db, &stats, &err), "stats");
    w->points = totals.appended.points;
    w->duplicates = totals.appended.duplicates;
    w->rejected = totals.rejected;
    w->bytes = stats.bytes;
    varve_ingest_free(ingest);
    varve_close(db);
}

/* In a child, so that its peak memory is its own. */
static void run_whole(const char *store, enum varve_input input, struct whole *w)
{
    int ends[2], status;
    struct rusage usage;
    char command[700];
    fflush(stdout);
    if (pipe(ends) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        ingest_all(store, input, w);
        _exit(write(ends[1], w, sizeof *w) == (ssize_t)sizeof *w ? 0 : 1);
    }
    close(ends[1]);
    bool told = child > 0 && read(ends[0], w, sizeof *w) == (ssize_t)sizeof *w;
    close(ends[0]);
    if (wait4(child, &status, 0, &usage) != child || status != 0 || !told)
        exit(1);
    w->peak_kb = usage.ru_maxrss;
    if (w->points != expected_points || w->rejected != 0) {
        fprintf(stderr, "bench_ingest: %llu points of %llu, %llu rejected\n",
                (unsigned long long)w->points, (unsigned long long)expected_points,
                (unsigned long long)w->rejected);
        exit(1);
    }
    snprintf(command, sizeof command, "rm -rf '%s'", store);
    must_run(command);
}

/* ---- telling ------------------------------------------------------------------ */

static void tell_stage(const char *name, double seconds, double before)
{
    double points = (double)expected_points;
    printf("  %-28s %8.2f M points/s %9.1f ns a point, %7.1f more\n", name, points / seconds / 1e6,
           seconds / points * 1e9, (seconds - before) / points * 1e9);
}

static void
measure(const char *directory, const char *format, enum varve_input input, unsigned developers)
{
    static const char *const names[STAGES] = {"read and cut", "+ scan", "+ unpack and look up"};
    bool json = input == VARVE_INPUT_OTLP_JSON;
    char set[600], store[600], command[2048];
    double before = 0;
    uint64_t bytes = 0;
    struct whole w, ten;
    snprintf(set, sizeof set, "%s/bench-ingest-%ld", directory, (long)getpid());
    snprintf(store, sizeof store, "%s.varve", set);
    for (int days = 1; days <= 10; days += 9) {
        snprintf(command, sizeof command,
                 "./varve gen --days %d --developers %u --seed 42 --format %s --out '%s' >&2", days,
                 developers, format, set);
        must_run(command);
        list_files(set);
        if (days == 1) {
            for (enum stage s = STAGE_READ; s < STAGES; s++) {
                /* The check of JSON is part of reading it. */
                if (json && s == STAGE_SCAN)
                    continue;
                double took = run_stage(s, json, &bytes);
                if (s == STAGE_READ)
                    printf("%s: %llu points, %.1f MB, %.0f bytes a point\n", format,
                           (unsigned long long)expected_points, (double)bytes / 1e6,
                           (double)bytes / (double)expected_points);
                tell_stage(names[s], took, before);
                before = took;
            }
            run_whole(store, input, &w);
            tell_stage("+ append, durable", w.append_cpu, before);
            tell_stage("+ seal", w.append_cpu + w.seal_cpu, w.append_cpu);
            printf("  %-28s %8.2f M points/s\n", "all, by the clock on the wall",
                   (double)expected_points / (w.append_wall + w.seal_wall) / 1e6);
        } else {
            run_whole(store, input, &ten);
            printf("  %-28s %8.2f M points/s\n", "ten days, by the wall",
                   (double)expected_points / (ten.append_wall + ten.seal_wall) / 1e6);
            printf("  %-28s %8.1f MB, and %.1f MB with ten times as much\n", "peak memory",
                   (double)w.peak_kb / 1024, (double)ten.peak_kb / 1024);
        }
        snprintf(command, sizeof command, "rm -rf '%s'", set);
        must_run(command);
    }
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    unsigned developers = argc > 2 ? (unsigned)atoi(argv[2]) : 400;
    measure(directory, "otlp", VARVE_INPUT_OTLP, developers);
    measure(directory, "otlp-json", VARVE_INPUT_OTLP_JSON, developers / 4 + 1);
    return 0;
}
