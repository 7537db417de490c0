/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_ingest.c -- `varve ingest`: files, directories and pipes into a store.
 *
 * A file that was named must be telemetry; one met in a directory that is
 * none, such as the truth.json beside what `varve gen` wrote, is passed over.
 * A file that cannot be read is told and the others are taken; what was taken
 * before an error or an interruption is appended and counted.  That nothing was
 * taken is said, with the reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "command.h"
#include "files.h"
#include "place.h"
#include "progress.h"
#include "text.h"
#include "when.h"

/* As many points as make it worth sealing days that are over right away. */
#define SEAL_POINTS 50000

struct work {
    varve *db;
    varve_ingest *ingest;
    enum varve_input input;
    int64_t now;
    bool has_now;
    struct progress progress;
    uint64_t bytes, files, skipped;
    bool failed;
};

/* ---- reading ----------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

/* The first Ctrl-C ends the reading, and what has been read is kept; a second one ends the program.
 */
static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

struct input {
    struct work *work;
    const char *path;
    int fd;
};

static ptrdiff_t read_input(void *context, void *buffer, size_t size)
{
    struct input *input = context;
    ssize_t n;
    do {
        if (interrupted) {
            errno = ECANCELED;
            return -1;
        }
        n = read(input->fd, buffer, size);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        input->work->bytes += (uint64_t)n;
        progress_show(&input->work->progress, input->work->bytes, input->path);
    }
    return n;
}

/* ---- one file ---------------------------------------------------------- */

static void tell(struct work *work, const struct varve_err *err)
{
    progress_end(&work->progress);
    text_error(err);
    work->failed = true;
}

/* When samples without a time of their own were taken: as the file was written. */
static int64_t time_of(const struct work *work, int fd)
{
    struct stat about;
    if (work->has_now || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        return work->now;
    return about.st_mtim.tv_sec * INT64_C(1000000000) + about.st_mtim.tv_nsec;
}

static bool goes_on_after(enum varve_status status)
{
    return status == VARVE_OK || status == VARVE_INVALID || status == VARVE_LIMIT ||
           status == VARVE_NOTFOUND;
}

/* False when nothing more can be taken. */
static bool take_file(struct work *work, const struct file *file)
{
    struct varve_err err = {0};
    bool is_input = strcmp(file->path, "-") == 0;
    const char *name = is_input ? "standard input" : file->path;
    int fd = is_input ? STDIN_FILENO : open(file->path, O_RDONLY | O_CLOEXEC);
    struct input input = {work, name, fd};
    if (fd < 0) {
        progress_end(&work->progress);
        fprintf(stderr, "error: %s: %s\n", name, strerror(errno));
        work->failed = true;
        return true;
    }
    enum varve_status status = varve_ingest_stream(work->ingest, work->input, name,
                                                   time_of(work, fd), read_input, &input, &err);
    if (!is_input)
        close(fd);
    bool passed_over =
        !file->named && (status == VARVE_NOTFOUND || (status == VARVE_OK && file->size == 0));
    if (passed_over)
        work->skipped++;
    else
        work->files++;
    if (status != VARVE_OK && !passed_over && !interrupted)
        tell(work, &err);
    return goes_on_after(status) && !interrupted;
}

static void take_all(struct work *work, const struct files *files)
{
    struct varve_err err = {0};
    struct varve_ingested totals;
    bool going = true;
    for (size_t i = 0; i < files->count && going; i++)
        going = take_file(work, &files->items[i]);
    if (varve_ingest_flush(work->ingest, &err) != VARVE_OK) {
        tell(work, &err);
        return;
    }
    varve_ingest_totals(work->ingest, &totals);
    /* Days that are over will not grow much more; another process may be sealing already. */
    if (totals.appended.points + totals.appended.events >= SEAL_POINTS && !interrupted) {
        enum varve_status status = varve_seal(work->db, work->now, NULL, &err);
        if (status != VARVE_OK && status != VARVE_BUSY)
            tell(work, &err);
    }
}

/* ---- telling ------------------------------------------------------------ */

static void json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static int json_reason(void *context, const struct varve_rejected *rejected)
{
    bool *first = context;
    printf("%s{\"reason\":", *first ? ",\"reasons\":[" : ",");
    json_text(rejected->reason);
    printf(",\"count\":%" PRIu64 ",\"first\":", rejected->count);
    json_text(rejected->first);
    putchar('}');
    *first = false;
    return 0;
}

static void print_json(const struct work *work, const struct varve_ingested *t, double seconds)
{
    bool first = true;
    printf("{\"files\":%" PRIu64 ",\"batches\":%" PRIu64 ",\"points\":%" PRIu64
           ",\"events\":%" PRIu64 ",\"series\":%" PRIu64,
           work->files, t->batches, t->appended.points, t->appended.events, t->series);
    printf(",\"duplicates\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"dropped\":%" PRIu64
           ",\"ambiguous\":%" PRIu64 ",\"baselines\":%" PRIu64 ",\"expired\":%" PRIu64,
           t->appended.duplicates, t->rejected, t->dropped, t->appended.ambiguous,
           t->appended.baselines, t->appended.expired);
    printf(",\"skipped\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"seconds\":%.3f", work->skipped,
           work->bytes, seconds);
    varve_visit_rejected(work->ingest, json_reason, &first);
    puts(first ? "}" : "]}");
}

static void count_line(uint64_t count, const char *what, bool always)
{
    char text[TEXT_NUMBER];
    if (count || always)
        printf("%12s  %s\n", text_count(count, text), what);
}

static int reason_line(void *context, const struct varve_rejected *rejected)
{
    char text[TEXT_NUMBER];
    (void)context;
    printf("%12s    %s; the first: %s\n", text_count(rejected->count, text), rejected->reason,
           rejected->first);
    return 0;
}

static void print_text(const struct work *work, const struct varve_ingested *t, double seconds)
{
    count_line(t->appended.points, "new points", true);
    count_line(t->appended.events, "new events", true);
    count_line(t->series, "series", true);
    count_line(t->appended.duplicates, "seen before", true);
    count_line(t->appended.baselines, "first readings without a start, kept as baselines", false);
    count_line(t->appended.ambiguous, "readings below what their counter had reached", false);
    count_line(t->appended.expired, "older than what the store keeps", false);
    count_line(t->dropped, "kept out by the store's rules", false);
    count_line(t->rejected, "rejected", true);
    varve_visit_rejected(work->ingest, reason_line, NULL);
    printf("%12" PRIu64 "  %s, %.1f MB in %.2f s", work->files, work->files == 1 ? "file" : "files",
           (double)work->bytes / 1e6, seconds);
    if (work->skipped)
        printf("; %" PRIu64 " %s no telemetry", work->skipped,
               work->skipped == 1 ? "file was" : "files were");
    putchar('\n');
}

/* What a person should know who expected something else. */
static void remark(struct work *work, const struct varve_ingested *t)
{
    const struct varve_appended *a = &t->appended;
    bool used = t->dropped || a->points || a->events || a->duplicates || a->ambiguous ||
                a->baselines || a->expired;
    if (interrupted)
        fputs("interrupted: what was read is kept; given once more, it is not counted twice\n",
              stderr);
    else if (work->files == 0)
        fprintf(stderr, "note: %s\n",
                work->skipped ? "none of the files in there is telemetry"
                              : "there are no files in there");
    else if (t->rejected && !used && !work->failed) {
        fputs("error: nothing could be used; the reasons are beside the counts\n", stderr);
        work->failed = true;
    }
}

static void report(struct work *work, bool json, int64_t began)
{
    struct varve_ingested totals;
    double seconds = (double)(when_now() - began) / 1e9;
    varve_ingest_totals(work->ingest, &totals);
    remark(work, &totals);
    if (json)
        print_json(work, &totals, seconds);
    else
        print_text(work, &totals, seconds);
}

/* ---- the command -------------------------------------------------------- */

/* False after a message. */
static bool find_input(const char *name, enum varve_input *input)
{
    const char *names[VARVE_INPUT_PROMETHEUS];
    for (int i = VARVE_INPUT_OTLP; i <= VARVE_INPUT_PROMETHEUS; i++) {
        names[i - 1] = varve_input_name((enum varve_input)i);
        *input = (enum varve_input)i;
        if (strcmp(name, names[i - 1]) == 0)
            return true;
    }
    const char *nearest = text_nearest(name, names, VARVE_INPUT_PROMETHEUS);
    fprintf(stderr, "error: unknown format '%s'", name);
    if (nearest)
        fprintf(stderr, " (did you mean '%s'?)\n", nearest);
    else
        fprintf(stderr, "; there are otlp, otlp-json, openmetrics and prometheus\n");
    return false;
}

static enum exit_status run(struct work *work, const struct args *args, const struct files *files)
{
    struct varve_err err = {0};
    int64_t began = when_now();
    enum exit_status opened = place_open(args, VARVE_CREATE, &work->db);
    if (opened != EXIT_DONE)
        return opened;
    if (varve_ingest_new(work->db, NULL, &work->ingest, &err) != VARVE_OK) {
        tell(work, &err);
    } else {
        catch_interrupts();
        progress_begin(&work->progress, files->is_bounded ? files->bytes : 0,
                       args->seen & ARG(QUIET));
        take_all(work, files);
        progress_end(&work->progress);
        report(work, args->seen & ARG(JSON), began);
    }
    varve_ingest_free(work->ingest);
    varve_close(work->db);
    if (interrupted)
        return EXIT_INTERRUPTED;
    return work->failed ? EXIT_FAILED : EXIT_DONE;
}

enum exit_status cmd_ingest(const struct args *args)
{
    struct work work = {.now = when_now()};
    struct files files = {0};
    bool found = true;
    if (ARG_VALUE(args, FORMAT) && !find_input(ARG_VALUE(args, FORMAT), &work.input))
        return EXIT_USAGE;
    if (ARG_VALUE(args, NOW)) {
        work.has_now = true;
        if (!when_parse(ARG_VALUE(args, NOW), work.now, &work.now)) {
            fprintf(stderr, "error: --now: '%s' is not a time\n", ARG_VALUE(args, NOW));
            return EXIT_USAGE;
        }
    }
    for (int i = 1; i < args->count && found; i++)
        found = files_add(&files, args->words[i]);
    enum exit_status status = found ? run(&work, args, &files) : EXIT_FAILED;
    files_free(&files);
    return status;
}
