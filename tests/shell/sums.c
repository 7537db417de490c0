/* SPDX-License-Identifier: Apache-2.0
 *
 * sums.c -- prints what a store's counters add up to, by one label each, for test_ingest.
 *
 *   sums STORE < LINES      a line is METRIC LABEL; the label may be `day`
 *
 * One line a group: METRIC LABEL VALUE TOTAL, separated by tabs, in integers of the metric's scale.
 * Nothing is taken from headers: every row is added up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "varve.h"

__extension__ typedef __int128 wide;

#define GROUPS 4096

struct group {
    char name[128];
    wide sum;
};

static struct varve_err err;
static struct group groups[GROUPS];
static size_t group_count;

static void must(enum varve_status status)
{
    if (status == VARVE_OK)
        return;
    fprintf(stderr, "sums: %s: %s\n", err.place, err.message);
    exit(1);
}

static void add(const char *name, size_t size, int64_t value)
{
    size_t i = 0;
    while (i < group_count &&
           (strlen(groups[i].name) != size || memcmp(groups[i].name, name, size) != 0))
        i++;
    if (i == GROUPS || size >= sizeof groups[i].name)
        exit(1);
    if (i == group_count) {
        memcpy(groups[i].name, name, size);
        group_count++;
    }
    groups[i].sum += value;
}

static void add_run(const struct varve_rows *rows, uint32_t run, int by_day)
{
    struct varve_str text = {"", 0};
    const struct varve_column *column = &rows->columns[0];
    if (!by_day && column->dictionary)
        text = column->dictionary->texts[column->codes[run]];
    for (uint32_t i = rows->run_start[run]; i < rows->run_start[run + 1]; i++) {
        char day[32];
        if (by_day) {
            time_t seconds = (time_t)(rows->end[i] / 1000000000);
            struct tm utc;
            gmtime_r(&seconds, &utc);
            text = (struct varve_str){day, strftime(day, sizeof day, "%Y-%m-%d", &utc)};
        }
        add(text.data, text.size, rows->ints[i]);
    }
}

static void sum_by(varve_snapshot *snapshot, const char *metric, const char *label)
{
    struct varve_str column = varve_str(label);
    struct varve_query query = {.source = varve_str(metric),
                                .since = INT64_MIN,
                                .until = INT64_MAX,
                                .columns = &column,
                                .column_count = 1,
                                .flags = VARVE_DECODE};
    struct varve_rows rows;
    varve_scan *scan;
    enum varve_status status;
    group_count = 0;
    memset(groups, 0, sizeof groups);
    must(varve_scan_open(snapshot, &query, &scan, &err));
    while ((status = varve_scan_rows(scan, &rows, &err)) == VARVE_OK)
        for (uint32_t run = 0; run < rows.runs; run++) {
            if (!rows.ints) {
                fprintf(stderr, "sums: %s has values that are no integers\n", metric);
                exit(1);
            }
            add_run(&rows, run, strcmp(label, "day") == 0);
        }
    must(status == VARVE_DONE ? VARVE_OK : status);
    varve_scan_close(scan);
    for (size_t i = 0; i < group_count; i++)
        printf("%s\t%s\t%s\t%" PRId64 "\n", metric, label, groups[i].name, (int64_t)groups[i].sum);
}

int main(int argc, char **argv)
{
    char metric[256], label[256];
    varve *db;
    varve_snapshot *snapshot;
    struct varve_options options = {.flags = VARVE_RDONLY};
    if (argc != 2)
        return 2;
    must(varve_open(argv[1], &options, &db, &err));
    must(varve_snapshot_open(db, &snapshot, &err));
    while (scanf("%255s %255s", metric, label) == 2)
        sum_by(snapshot, metric, label);
    varve_snapshot_close(snapshot);
    varve_close(db);
    return 0;
}
