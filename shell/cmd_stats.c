/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_stats.c -- `varve stats`: what is in a store.
 *
 * The JSON keys are an interface that scripts rely on: keys may be added, never
 * renamed or dropped.  An empty store has no oldest and newest time and no
 * bytes a point, and says null.  There are no tiers in this format, so the
 * list of tiers is empty.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include "command.h"
#include "place.h"
#include "text.h"

static double bytes_per_point(const struct varve_stats *stats)
{
    return (double)stats->bytes / (double)stats->points;
}

static bool is_empty(const struct varve_stats *stats)
{
    return stats->points == 0 && stats->events == 0;
}

static void json_number(const char *key, uint64_t value)
{
    printf("\"%s\":%" PRIu64 ",", key, value);
}

static void json_time(const char *key, int64_t instant, bool empty)
{
    char text[TEXT_TIME];
    if (empty)
        printf("\"%s\":null,", key);
    else
        printf("\"%s\":\"%s\",", key, text_time(instant, text));
}

static void print_json(const struct varve_stats *stats)
{
    putchar('{');
    json_number("points", stats->points);
    json_number("events", stats->events);
    json_number("series", stats->series);
    json_number("bytes", stats->bytes);
    if (stats->points)
        printf("\"bytes_per_point\":%.4f,", bytes_per_point(stats));
    else
        fputs("\"bytes_per_point\":null,", stdout);
    json_time("oldest", stats->oldest, is_empty(stats));
    json_time("newest", stats->newest, is_empty(stats));
    json_number("journal_rows", stats->journal_rows);
    json_number("days", stats->days);
    json_number("segments", stats->segments);
    json_number("files", stats->files);
    json_number("ambiguous", stats->ambiguous);
    json_number("baselines", stats->baselines);
    printf("\"format\":%d,\"tiers\":[]}\n", stats->format);
}

static void row(const char *name, const char *value)
{
    printf("%-14s  %s\n", name, value);
}

static void count_row(const char *name, uint64_t value)
{
    char text[TEXT_NUMBER];
    row(name, text_count(value, text));
}

static void print_text(const struct varve_stats *stats, const char *path)
{
    char text[TEXT_TIME];
    row("store", path);
    count_row("points", stats->points);
    count_row("events", stats->events);
    count_row("series", stats->series);
    row("oldest", is_empty(stats) ? "-" : text_time(stats->oldest, text));
    row("newest", is_empty(stats) ? "-" : text_time(stats->newest, text));
    count_row("bytes", stats->bytes);
    if (stats->points)
        snprintf(text, sizeof text, "%.2f", bytes_per_point(stats));
    row("bytes a point", stats->points ? text : "-");
    count_row("journal rows", stats->journal_rows);
    count_row("sealed days", stats->days);
    count_row("segments", stats->segments);
    count_row("files", stats->files);
    if (stats->ambiguous)
        count_row("ambiguous", stats->ambiguous);
    if (stats->baselines)
        count_row("baselines", stats->baselines);
}

enum exit_status cmd_stats(const struct args *args)
{
    varve *db;
    char path[PLACE_PATH];
    struct varve_stats stats;
    struct varve_err err = {0};
    if (!place_find(args, path))
        return EXIT_USAGE;
    enum exit_status opened = place_open(args, VARVE_RDONLY, &db);
    if (opened != EXIT_DONE)
        return opened;
    enum varve_status status = varve_stats(db, &stats, &err);
    varve_close(db);
    if (status != VARVE_OK) {
        text_error(&err);
        return EXIT_FAILED;
    }
    if (args->seen & ARG(JSON))
        print_json(&stats);
    else
        print_text(&stats, path);
    return EXIT_DONE;
}
