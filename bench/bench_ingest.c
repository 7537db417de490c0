/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_ingest.c -- what the doors cost, stage by stage, and what they hold.
 *
 * `varve gen` writes the files once; each stage then does all that the one before it
 * did and a little more, so the cost of a stage is a difference:
 *
 *   read      the files, cut into bodies
 *   scan      and checked, by wire_scan; JSON is checked where it is looked up
 *   look up   and taken apart, label sets found or made, batches filled and thrown away
 *   append    and appended: built into the segment of its day, committed, durable.  Waiting is
 *             told apart: for the disk, and for whatever else the machine has to do.
 *   seal      and what was not in a segment yet is
 *
 * The last two are measured again with automatic sealing switched off: then everything goes through
 * the journal first, as points do that come a few at a time.
 *
 * Stages are measured in processor time, the whole way by the clock on the wall, too, in a process
 * of its own: for one day and for ten, to see whether memory grows, and for a day with events.
 * What was ingested is compared with what was generated: other numbers end the program.
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
static uint64_t expected_points, expected_events;

/* The files of a set in order of their names, and what truth.json says they hold. */
static void list_files(const char *directory)
{
    char command[1800], line[512];
    snprintf(command, sizeof command,
             "cd '%s' && ls -d \"$PWD\"/metrics-* && (ls -d \"$PWD\"/logs-* 2>/dev/null; "
             "grep -o '^\"points\":[0-9]*,\"events\":[0-9]*' truth.json)",
             directory);
    FILE *list = popen(command, "r");
    path_count = 0;
    expected_points = expected_events = 0;
    while (list && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "\"points\":%llu,\"events\":%llu", (unsigned long long *)&expected_points,
                   (unsigned long long *)&expected_events) != 2 &&
            path_count < PATHS)
            memcpy(paths[path_count++], line, sizeof line);
    }
    if (!list || pclose(list) != 0 || path_count == 0 || expected_points == 0) {
        fprintf(stderr, "bench_ingest: no generated files in %s\n", directory);
        exit(1);
    }
}

/* The last of the days is a Friday. */
static void
generate(const char *set, const char *format, unsigned developers, int days, const char *more)
{
    char command[2048];
    snprintf(command, sizeof command,
             "./varve gen -q --days %d --developers %u --seed 42 --end 2026-10-31 --format %s %s "
             "--out '%s'",
             days, developers, format, more, set);
    must_run(command);
    list_files(set);
}

static void discard_path(const char *path)
{
    char command[700];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    must_run(command);
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
static enum varve_status count_batch(void *context, struct write_batch *batch,
                                     struct varve_appended *appended, struct varve_err *e)
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
                                     .append = count_batch,
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

static void take_protobuf(struct doors *doors, enum stage stage, struct varve_str body)
{
    const uint8_t *bytes = (const uint8_t *)body.data;
    bool refused = false;
    if (stage == STAGE_LOOK_UP)
        must(otlp_pb_body(doors->protobuf, OTLP_METRICS, bytes, body.size, &refused, &err),
             "protobuf door");
    else if (stage >= STAGE_SCAN)
        must(wire_scan(bytes, body.size, wire_guess(bytes, body.size), &err), "scan");
    must(refused ? VARVE_INVALID : VARVE_OK, "a body was refused");
}

static void take_json(struct doors *doors, enum stage stage, struct varve_str body)
{
    bool refused = false;
    if (stage == STAGE_LOOK_UP)
        must(otlp_json_body(doors->json, OTLP_METRICS, body.data, body.size, &refused, &err),
             "JSON door");
    must(refused ? VARVE_INVALID : VARVE_OK, "a body was refused");
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
    for (;;) {
        status =
            json ? source_json(&source, &body, &err) : source_body(&source, framing, &body, &err);
        if (status != VARVE_OK)
            break;
        doors->bytes += body.size;
        if (json)
            take_json(doors, stage, body);
        else
            take_protobuf(doors, stage, body);
    }
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

struct span_of_time {
    double cpu, wall;
};

struct whole {
    struct span_of_time append, seal;
    struct varve_ingested totals;
    long peak_kb;
};

static struct span_of_time now(void)
{
    return (struct span_of_time){seconds_of(CLOCK_PROCESS_CPUTIME_ID), seconds_of(CLOCK_MONOTONIC)};
}

static struct span_of_time since(struct span_of_time began)
{
    struct span_of_time t = now();
    return (struct span_of_time){t.cpu - began.cpu, t.wall - began.wall};
}

static void ingest_all(const char *store, unsigned flags, enum varve_input input, struct whole *w)
{
    struct varve_options options = {.flags = VARVE_CREATE | flags};
    varve *db;
    varve_ingest *ingest;
    must(varve_open(store, &options, &db, &err), "open");
    must(varve_ingest_new(db, NULL, &ingest, &err), "ingest");
    struct span_of_time began = now();
    for (size_t i = 0; i < path_count; i++) {
        int fd = open(paths[i], O_RDONLY);
        must(varve_ingest_stream(ingest, input, paths[i], 0, read_file, &fd, &err), paths[i]);
        close(fd);
    }
    must(varve_ingest_flush(ingest, &err), "flush");
    w->append = since(began);
    began = now();
    must(varve_seal(db, INT64_MAX, NULL, &err), "seal");
    w->seal = since(began);
    varve_ingest_totals(ingest, &w->totals);
    varve_ingest_free(ingest);
    varve_close(db);
}

/* In a child, so that its peak memory is its own. */
static void
run_whole_once(const char *store, unsigned flags, enum varve_input input, struct whole *w)
{
    int ends[2], status;
    struct rusage usage;
    fflush(stdout);
    if (pipe(ends) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        ingest_all(store, flags, input, w);
        _exit(write(ends[1], w, sizeof *w) == (ssize_t)sizeof *w ? 0 : 1);
    }
    close(ends[1]);
    bool told = child > 0 && read(ends[0], w, sizeof *w) == (ssize_t)sizeof *w;
    close(ends[0]);
    if (wait4(child, &status, 0, &usage) != child || status != 0 || !told)
        exit(1);
    w->peak_kb = usage.ru_maxrss;
    if (w->totals.appended.points != expected_points ||
        w->totals.appended.events != expected_events || w->totals.rejected != 0) {
        fprintf(stderr, "bench_ingest: %llu points of %llu, %llu events of %llu, %llu rejected\n",
                (unsigned long long)w->totals.appended.points, (unsigned long long)expected_points,
                (unsigned long long)w->totals.appended.events, (unsigned long long)expected_events,
                (unsigned long long)w->totals.rejected);
        exit(1);
    }
    discard_path(store);
}

static double total_cpu(const struct whole *w)
{
    return w->append.cpu + w->seal.cpu;
}

/* The best of some. */
static void
run_whole(const char *store, unsigned flags, enum varve_input input, int rounds, struct whole *w)
{
    run_whole_once(store, flags, input, w);
    while (--rounds > 0) {
        struct whole next;
        run_whole_once(store, flags, input, &next);
        if (total_cpu(&next) < total_cpu(w))
            *w = next;
    }
}

/* ---- telling ------------------------------------------------------------------ */

static void tell_stage(const char *name, double seconds, double before)
{
    double points = (double)expected_points;
    printf("  %-30s %8.2f M points/s %8.0f ns a point, %6.0f more\n", name, points / seconds / 1e6,
           seconds / points * 1e9, (seconds - before) / points * 1e9);
    fflush(stdout);
}

static void tell_whole(const char *name, const struct whole *w)
{
    double records = (double)(expected_points + expected_events);
    printf("  %-30s %8.2f M records/s of processor time, %.2f M by the wall; %.0f MB\n", name,
           records / total_cpu(w) / 1e6, records / (w->append.wall + w->seal.wall) / 1e6,
           (double)w->peak_kb / 1024);
    fflush(stdout);
}

/* What appending and sealing add to what was taken `before`. */
static void tell_append(const char *append, const char *seal, const struct whole *w, double before)
{
    tell_stage(append, w->append.cpu, before);
    tell_stage("+ wait, by the wall", w->append.wall, w->append.cpu);
    tell_stage(seal, total_cpu(w), w->append.cpu);
}

/* Stage by stage. */
static void measure_stages(const char *format, enum varve_input input, const char *store)
{
    static const char *const names[] = {"read and cut", "+ scan", "+ look up"};
    bool json = input == VARVE_INPUT_OTLP_JSON;
    double before = 0;
    uint64_t bytes = 0;
    struct whole w;
    for (enum stage s = STAGE_READ; s < STAGES; s++) {
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
    run_whole(store, 0, input, 3, &w);
    tell_append("+ append", "+ seal what is left", &w, before);
    tell_whole("a day, durable and sealed", &w);
    run_whole(store, VARVE_NO_AUTOSEAL, input, 3, &w);
    tell_append("or append to the journal", "+ seal it all", &w, before);
    tell_whole("a day by way of the journal", &w);
}

static void
measure(const char *directory, const char *format, enum varve_input input, unsigned developers)
{
    char set[600], store[620];
    struct whole w;
    snprintf(set, sizeof set, "%s/bench-ingest-%ld", directory, (long)getpid());
    snprintf(store, sizeof store, "%s.varve", set);
    generate(set, format, developers, 1, "");
    measure_stages(format, input, store);
    discard_path(set);
    generate(set, format, developers, 10, "");
    run_whole(store, 0, input, 1, &w);
    printf("  ten days: %llu points\n", (unsigned long long)expected_points);
    tell_whole("ten days, durable and sealed", &w);
    discard_path(set);
    generate(set, format, developers / 4 + 1, 1, "--events");
    run_whole(store, 0, input, 1, &w);
    printf("  a quarter of the developers: %llu points and %llu events\n",
           (unsigned long long)expected_points, (unsigned long long)expected_events);
    tell_whole("a day with events", &w);
    discard_path(set);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    unsigned developers = argc > 2 ? (unsigned)atoi(argv[2]) : 400;
    measure(directory, "otlp", VARVE_INPUT_OTLP, developers);
    measure(directory, "otlp-json", VARVE_INPUT_OTLP_JSON, developers / 4 + 1);
    return 0;
}
