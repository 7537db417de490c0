/* SPDX-License-Identifier: Apache-2.0
 *
 * events.c -- looks into the event tables of a store.
 *
 *     events STORE                       the tables and their text columns
 *     events STORE TABLE COLUMN ...      rows, tab-separated, the time first
 *
 * Rows come 1024 at a time, column by column: a column says of what type its values
 * are in this batch, and a bitmap says which rows have one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <varve.h>

#define COLUMNS 32

static int print_label(void *context, const struct varve_count_info *info)
{
    (void)context;
    printf("  %.*s (%" PRIu64 " values)\n", (int)info->text.size, info->text.data, info->count);
    return 0;
}

/* Tables are listed first and asked for their columns afterwards: a callback does not call back
 * into its own snapshot. */
struct tables {
    char names[64][80];
    uint64_t rows[64];
    int count;
};

static int remember_table(void *context, const struct varve_table_info *info)
{
    struct tables *tables = context;
    char *name = tables->names[tables->count];
    snprintf(name, sizeof tables->names[0], "%.*s", (int)info->name.size, info->name.data);
    tables->rows[tables->count] = info->rows;
    return ++tables->count == 64;
}

static enum varve_status list_tables(varve_snapshot *snapshot, struct varve_err *err)
{
    struct tables tables = {.count = 0};
    enum varve_status status = varve_visit_tables(snapshot, remember_table, &tables, err);
    for (int i = 0; status == VARVE_OK && i < tables.count; i++) {
        printf("%s: %" PRIu64 " rows\n", tables.names[i], tables.rows[i]);
        status = varve_visit_labels(snapshot, varve_str(tables.names[i]), print_label, NULL, err);
    }
    return status;
}

static void print_time(int64_t instant)
{
    const int64_t second = 1000000000;
    int64_t nanos = (instant % second + second) % second;
    time_t seconds = (time_t)((instant - nanos) / second);
    struct tm utc;
    char text[40];
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    printf("%s.%03dZ", text, (int)(nanos / 1000000));
}

static int is_present(const struct varve_column *column, uint32_t row)
{
    return column->type != VARVE_NULL &&
           (!column->present || (column->present[row / 64] >> (row % 64) & 1));
}

static void print_value(const struct varve_column *column, uint32_t row)
{
    struct varve_str text;
    putchar('\t');
    if (!is_present(column, row))
        return;
    switch (column->type) {
    case VARVE_TEXT:
        text = column->dictionary->texts[column->codes[row]];
        printf("%.*s", (int)text.size, text.data);
        break;
    case VARVE_INT:
        printf("%" PRId64, column->ints[row]);
        break;
    case VARVE_BOOL:
        fputs(column->ints[row] ? "true" : "false", stdout);
        break;
    case VARVE_FLOAT:
        printf("%.17g", column->floats[row]);
        break;
    case VARVE_NULL:
        break;
    }
}

static enum varve_status
print_rows(varve_snapshot *snapshot, const struct varve_query *query, struct varve_err *err)
{
    varve_scan *scan;
    struct varve_rows rows;
    enum varve_status status = varve_scan_open(snapshot, query, &scan, err);
    if (status != VARVE_OK)
        return status;
    while ((status = varve_scan_rows(scan, &rows, err)) == VARVE_OK)
        for (uint32_t row = 0; row < rows.rows; row++) {
            print_time(rows.end[row]);
            for (size_t c = 0; c < query->column_count; c++)
                print_value(&rows.columns[c], row);
            putchar('\n');
        }
    varve_scan_close(scan);
    return status == VARVE_DONE ? VARVE_OK : status;
}

int main(int argc, char **argv)
{
    const struct varve_options options = {.flags = VARVE_RDONLY};
    struct varve_str columns[COLUMNS];
    struct varve_query query = {.since = INT64_MIN, .until = INT64_MAX, .columns = columns};
    struct varve_err err = {0};
    varve *db = NULL;
    varve_snapshot *snapshot = NULL;
    if (argc < 2 || argc > 3 + COLUMNS || argv[1][0] == '-') {
        fprintf(stderr, "usage: events STORE [TABLE COLUMN ...]\n");
        return 2;
    }
    for (int i = 3; i < argc; i++)
        columns[query.column_count++] = varve_str(argv[i]);
    enum varve_status status = varve_open(argv[1], &options, &db, &err);
    if (status == VARVE_OK)
        status = varve_snapshot_open(db, &snapshot, &err);
    if (status == VARVE_OK && argc == 2)
        status = list_tables(snapshot, &err);
    else if (status == VARVE_OK) {
        query.source = varve_str(argv[2]);
        status = print_rows(snapshot, &query, &err);
    }
    varve_snapshot_close(snapshot);
    varve_close(db);
    if (status != VARVE_OK) {
        fprintf(stderr, "events: %s: %s\n", err.place, err.message);
        return 1;
    }
    return 0;
}
