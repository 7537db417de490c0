/* SPDX-License-Identifier: Apache-2.0
 *
 * spend.c -- what was spent, by a label, to the last nano-dollar.
 *
 *     spend STORE [LABEL [SINCE UNTIL]]        days as 2026-10-05; UNTIL is not included
 *
 * Money comes out of the store as whole numbers of 10^-9 dollars, so the sums are
 * sums of integers.  The scan hands out runs: a series, a stretch of time, and
 * its sum, which for runs wholly in the range is read from a header instead of
 * from rows.  Labels come as codes into a dictionary of the segment: they are
 * turned into groups once a segment, not once a run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <varve.h>

struct group {
    char *name;
    int64_t nanos;
    uint64_t points;
};

struct report {
    struct group *groups;
    size_t count;
    uint32_t *of_code; /* the segment's codes as indices of groups */
    uint32_t segment;
    int started;
};

static void *must(void *pointer)
{
    if (!pointer) {
        fprintf(stderr, "spend: out of memory\n");
        exit(1);
    }
    return pointer;
}

static uint32_t find_group(struct report *report, struct varve_str text)
{
    for (size_t i = 0; i < report->count; i++)
        if (strlen(report->groups[i].name) == text.size &&
            memcmp(report->groups[i].name, text.data, text.size) == 0)
            return (uint32_t)i;
    report->groups = must(realloc(report->groups, (report->count + 1) * sizeof *report->groups));
    char *name = must(malloc(text.size + 1));
    if (text.size)
        memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    report->groups[report->count] = (struct group){.name = name};
    return (uint32_t)report->count++;
}

/* Code 0 is "no such label" and has the empty text. */
static void map_codes(struct report *report, const struct varve_dictionary *dictionary)
{
    report->of_code = must(realloc(report->of_code, dictionary->count * sizeof(uint32_t)));
    for (uint32_t code = 0; code < dictionary->count; code++)
        report->of_code[code] = find_group(report, dictionary->texts[code]);
}

static void add_runs(struct report *report, const struct varve_runs *runs)
{
    const struct varve_column *label = runs->columns;
    int labelled = label->type == VARVE_TEXT; /* else no run of this batch has the label */
    if (labelled && (!report->started || report->segment != runs->segment)) {
        map_codes(report, label->dictionary);
        report->segment = runs->segment;
        report->started = 1;
    }
    uint32_t nameless = labelled ? 0 : find_group(report, varve_str(""));
    for (uint32_t r = 0; r < runs->runs; r++) {
        struct group *group =
            &report->groups[labelled ? report->of_code[label->codes[r]] : nameless];
        group->points += runs->points[r];
        if (__builtin_add_overflow(group->nanos, runs->sums[r], &group->nanos)) {
            fprintf(stderr, "spend: more than 9 billion dollars in one group\n");
            exit(1);
        }
    }
}

static enum varve_status add_up(struct report *report, varve_snapshot *snapshot,
                                const struct varve_query *query, struct varve_err *err)
{
    varve_scan *scan;
    struct varve_runs runs;
    enum varve_status status = varve_scan_open(snapshot, query, &scan, err);
    if (status != VARVE_OK)
        return status;
    while ((status = varve_scan_runs(scan, &runs, err)) == VARVE_OK) {
        if (runs.scale != 9 || !runs.sums) {
            fprintf(stderr, "spend: the cost in this store is not held in nano-dollars\n");
            exit(1);
        }
        add_runs(report, &runs);
    }
    varve_scan_close(scan);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static int by_money(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    return x->nanos != y->nanos ? (x->nanos < y->nanos) - (x->nanos > y->nanos)
                                : strcmp(x->name, y->name);
}

static void print_money(const char *name, int64_t nanos, uint64_t points)
{
    const int64_t dollar = 1000000000;
    printf("%-24s %6" PRId64 ".%09" PRId64 " USD  %8" PRIu64 " points\n", name, nanos / dollar,
           nanos % dollar, points);
}

static void print_report(struct report *report)
{
    int64_t nanos = 0;
    uint64_t points = 0;
    if (report->count)
        qsort(report->groups, report->count, sizeof *report->groups, by_money);
    for (size_t i = 0; i < report->count; i++) {
        const struct group *group = &report->groups[i];
        /* The dictionary may know texts that no run in the range has. */
        if (group->points || group->nanos)
            print_money(group->name[0] ? group->name : "(none)", group->nanos, group->points);
        nanos += group->nanos;
        points += group->points;
    }
    print_money("total", nanos, points);
}

static void free_report(struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->groups[i].name);
    free(report->groups);
    free(report->of_code);
}

/* Midnight UTC of a day given as 2026-10-05. */
static int64_t parse_day(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    if (!end || *end) {
        fprintf(stderr, "spend: '%s' is not a day such as 2026-10-05\n", text);
        exit(2);
    }
    return timegm(&tm) * INT64_C(1000000000);
}

int main(int argc, char **argv)
{
    const struct varve_options options = {.flags = VARVE_RDONLY};
    struct varve_str label = varve_str(argc > 2 ? argv[2] : "user.email");
    struct varve_query query = {.source = varve_str("claude_code.cost.usage"),
                                .since = INT64_MIN,
                                .until = INT64_MAX,
                                .columns = &label,
                                .column_count = 1};
    struct report report = {0};
    struct varve_err err = {0};
    varve *db = NULL;
    varve_snapshot *snapshot = NULL;
    if (argc < 2 || argc > 5 || argv[1][0] == '-' || argc == 4) {
        fprintf(stderr, "usage: spend STORE [LABEL [SINCE UNTIL]]\n");
        return 2;
    }
    if (argc == 5) {
        query.since = parse_day(argv[3]);
        query.until = parse_day(argv[4]);
    }
    enum varve_status status = varve_open(argv[1], &options, &db, &err);
    if (status == VARVE_OK)
        status = varve_snapshot_open(db, &snapshot, &err);
    if (status == VARVE_OK)
        status = add_up(&report, snapshot, &query, &err);
    varve_snapshot_close(snapshot);
    varve_close(db);
    if (status == VARVE_OK)
        print_report(&report);
    else
        fprintf(stderr, "spend: %s: %s\n", err.place, err.message);
    free_report(&report);
    return status == VARVE_OK ? 0 : 1;
}
