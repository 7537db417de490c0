/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_export.c -- `varve export`: what went in comes out.
 *
 * The store is opened for reading and one snapshot is exported, whatever is
 * written meanwhile.  Output that could not be written is a failure; a file is
 * there as a whole or not at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "export_file.h"
#include "export_list.h"
#include "place.h"
#include "text.h"
#include "when.h"

enum format { FORMAT_OTLP_JSON, FORMAT_OPENMETRICS };

struct task {
    enum format format;
    const char *path; /* NULL: standard output */
    struct varve_str *metrics;
    size_t metric_count;
};

/* ---- what is asked for -------------------------------------------------- */

static bool read_format(const char *name, enum format *format)
{
    static const char *const names[] = {"otlp-json", "openmetrics"}; /* by enum format */
    for (int i = 0; name && i < 2; i++)
        if (strcmp(name, names[i]) == 0) {
            *format = (enum format)i;
            return true;
        }
    if (name)
        fprintf(stderr, "error: --format: '%s' cannot be written; ", name);
    else
        fputs("error: varve export needs --format; ", stderr);
    fputs("expected otlp-json or openmetrics\n", stderr);
    return false;
}

static bool read_time(const char *option, const char *text, int64_t *instant)
{
    if (!text || when_parse(text, when_now(), instant))
        return true;
    fprintf(
        stderr,
        "error: %s: '%s' is not a time; expected 2026-10-08, 2026-10-08T08:15:18Z, Unix seconds "
        "or an age such as -7d\n",
        option, text);
    return false;
}

static bool read_task(const struct args *args, struct task *task, struct export *export)
{
    *task = (struct task){.path = ARG_VALUE(args, OUT)};
    *export = (struct export){.since = INT64_MIN, .until = INT64_MAX};
    if (!read_format(ARG_VALUE(args, FORMAT), &task->format) ||
        !read_time("--since", ARG_VALUE(args, SINCE), &export->since) ||
        !read_time("--until", ARG_VALUE(args, UNTIL), &export->until))
        return false;
    if (export->since >= export->until) {
        fputs("error: nothing lies between --since and --until; --since must be the earlier one\n",
              stderr);
        return false;
    }
    export->narrowed = ARG_VALUE(args, SINCE) != NULL;
    task->metrics = calloc((size_t)args->metric_count + 1, sizeof *task->metrics);
    if (!task->metrics) {
        fputs("error: out of memory\n", stderr);
        return false;
    }
    for (int i = 0; i < args->metric_count; i++)
        task->metrics[task->metric_count++] = varve_metric_name(varve_str(args->metrics[i]));
    return true;
}

/* ---- doing it ----------------------------------------------------------- */

static bool has_metric(const struct export *export, struct varve_str name)
{
    for (size_t i = 0; i < export->metric_count; i++)
        if (export->metrics[i].name.size == name.size &&
            memcmp(export->metrics[i].name.data, name.data, name.size) == 0)
            return true;
    return false;
}

/* A metric that was asked for and is not there: the library names the nearest. */
static enum varve_status
check_metrics(const struct task *task, const struct export *export, struct varve_err *err)
{
    for (size_t i = 0; i < task->metric_count; i++) {
        const struct varve_query query = {.source = task->metrics[i], .until = INT64_MAX};
        varve_scan *scan;
        if (has_metric(export, task->metrics[i]))
            continue;
        enum varve_status status = varve_scan_open(export->snapshot, &query, &scan, err);
        if (status != VARVE_OK)
            return status;
        varve_scan_close(scan);
        *err = (struct varve_err){.status = VARVE_NOTFOUND};
        snprintf(err->message, sizeof err->message, "'%.*s' is a table, not a metric",
                 (int)task->metrics[i].size, task->metrics[i].data);
        return VARVE_NOTFOUND;
    }
    return VARVE_OK;
}

static void tell_left_out(const struct export *export)
{
    uint64_t events = 0;
    for (size_t i = 0; i < export->table_count; i++)
        events += export->tables[i].rows;
    if (events > 0)
        fprintf(stderr,
                "note: OpenMetrics has no events: %zu tables with %" PRIu64
                " rows were left out (--format otlp-json has them)\n",
                export->table_count, events);
}

/* An empty answer says why. */
static void tell_empty(const struct export *export)
{
    bool any = export->metric_count + export->table_count > 0;
    if (export->out->flushed + export->out->used == 0)
        fprintf(stderr, "note: %s\n",
                any ? "nothing lies in that range; varve stats tells what the store covers"
                    : "the store is empty");
}

static enum varve_status
write_all(const struct task *task, struct export *export, struct varve_err *err)
{
    bool is_text = task->format == FORMAT_OPENMETRICS;
    enum varve_status status = export_list(export, task->metrics, task->metric_count, err);
    if (status == VARVE_OK)
        status = check_metrics(task, export, err);
    if (status == VARVE_OK)
        status = is_text ? export_openmetrics(export, err) : export_otlp_metrics(export, err);
    if (status == VARVE_OK && !is_text)
        status = export_otlp_events(export, err);
    if (!out_flush(export->out) && status == VARVE_OK)
        status = export_step(export, 0, err);
    progress_end(&export->meter->bar);
    if (status == VARVE_OK && is_text)
        tell_left_out(export);
    if (status == VARVE_OK)
        tell_empty(export);
    export_list_free(export);
    return status;
}

/* ---- to where ----------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* So that no half file is left behind; a second Ctrl-C ends the program at once. */
static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static enum exit_status cannot_write(const char *place, int number)
{
    fprintf(stderr, "error: %s: cannot write the export: %s\n", place, strerror(number));
    return EXIT_FAILED;
}

static enum exit_status run(const struct args *args, const struct task *task, struct export *export,
                            varve *db, const char *place)
{
    struct varve_err err = {0};
    progress_begin(&export->meter->bar, 0, args->seen & ARG(QUIET));
    enum varve_status status = varve_snapshot_open(db, &export->snapshot, &err);
    if (status == VARVE_OK) {
        status = write_all(task, export, &err);
        varve_snapshot_close(export->snapshot);
    }
    if (status == VARVE_OK)
        return EXIT_DONE;
    if (status == VARVE_INTERRUPTED)
        return EXIT_INTERRUPTED;
    if (export->out->error && export->out->error != ENOMEM)
        return cannot_write(place, export->out->error);
    text_error(&err);
    return EXIT_FAILED;
}

static enum exit_status
open_and_run(const struct args *args, const struct task *task, struct export *export)
{
    struct export_meter meter = {.interrupted = &interrupted};
    struct export_file file;
    struct out out;
    varve *db;
    const char *place = task->path ? task->path : "standard output";
    /* Before the store, which would be given the number of a standard output that is closed. */
    if (!export_file_open(&file, task->path))
        return cannot_write(place, errno);
    if (task->path)
        catch_interrupts();
    enum exit_status result = place_open(args, VARVE_RDONLY, &db);
    if (result == EXIT_DONE) {
        out_init(&out, file.fd);
        export->out = &out;
        export->meter = &meter;
        result = run(args, task, export, db, place);
        out_free(&out);
        varve_close(db);
    }
    if (!export_file_close(&file, result == EXIT_DONE))
        return cannot_write(place, errno);
    return result;
}

enum exit_status cmd_export(const struct args *args)
{
    struct task task;
    struct export export;
    if (!read_task(args, &task, &export))
        return EXIT_USAGE;
    enum exit_status result = open_and_run(args, &task, &export);
    free(task.metrics);
    return result;
}
