/* SPDX-License-Identifier: Apache-2.0
 *
 * export_world_events.c -- events for the stores of export_world, and what is in its tables.
 *
 * Columns that OTLP has a place for hold what fits there and what does not; others hold
 * values of any type, so that most columns are mixed.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "export_world.h"

/* ---- making ------------------------------------------------------------- */

static const char *const tables[] = {"thing", "log", "span_thing", "span", "span_event"};
static const char *const names[] = {
    "n",      "note",     "flag", "trace_id",    "span_id",         "kind",     "parent_span_id",
    "status", "severity", "name", "duration_ns", "severity_number", "odd name", "session.id"};
enum { TABLES = sizeof tables / sizeof tables[0], NAMES = sizeof names / sizeof names[0] };

static struct varve_value any_value(void)
{
    static const double floats[] = {0.5, -1.0 / 3, 1e300, 7, -0.0, 9007199254740993.0};
    static const int64_t ints[] = {0, 7, -1, INT64_MAX, INT64_MIN, INT64_C(9007199254740993)};
    static const char *const texts[] = {"", "7", "0.5", "true", "a \"b\"\n\\", "\xc3\xa9"};
    switch (world_chance(4)) {
    case 0:
        return varve_int(ints[world_chance(6)]);
    case 1:
        return varve_float(floats[world_chance(6)]);
    case 2:
        return varve_bool((int)world_chance(2));
    default:
        return varve_text(varve_str(texts[world_chance(6)]));
    }
}

/* What OTLP has a place for. */
static struct varve_value fitting_value(const char *name)
{
    static const char *const kinds[] = {"server", "client", "producer", "consumer"};
    if (strcmp(name, "trace_id") == 0)
        return varve_text(varve_str("0123456789abcdef0123456789abcdef"));
    if (strstr(name, "span_id"))
        return varve_text(varve_str(world_chance(2) ? "00000000000000ff" : "0123456789ABCDEF"));
    if (strcmp(name, "kind") == 0)
        return varve_text(varve_str(kinds[world_chance(4)]));
    if (strcmp(name, "status") == 0)
        return varve_text(varve_str(world_chance(2) ? "ok" : "error"));
    if (strcmp(name, "severity") == 0)
        return varve_text(varve_str("INFO"));
    if (strcmp(name, "duration_ns") == 0 || strcmp(name, "severity_number") == 0)
        return varve_int((int64_t)world_chance(30));
    return any_value();
}

void world_event(varve_batch *batch)
{
    const char *table = tables[world_chance(TABLES)];
    struct varve_field fields[NAMES];
    struct varve_err err = {0};
    size_t count = 0;
    /* Of what happens in spans only some attributes are kept, so only a few are made up. */
    bool is_kept = strcmp(table, "span_event") == 0;
    for (size_t i = 0; i < NAMES; i++) {
        bool known = strcmp(names[i], "name") == 0 || strcmp(names[i], "trace_id") == 0;
        if (world_chance(3) == 0 || (is_kept && !known))
            continue;
        fields[count].name = varve_str(names[i]);
        fields[count++].value = world_chance(4) ? fitting_value(names[i]) : any_value();
    }
    world_must(varve_batch_event(batch, varve_str(table), world_moment(), fields, count, &err),
               &err);
}

/* ---- showing ------------------------------------------------------------ */

struct columns {
    struct varve_str list[64];
    char texts[64][64];
    size_t count;
};

static int add_column(void *context, const struct varve_count_info *info)
{
    struct columns *columns = context;
    char *copy = columns->texts[columns->count];
    if (columns->count == 64 || info->text.size > 64)
        return 1;
    memcpy(copy, info->text.data, info->text.size);
    columns->list[columns->count++] = (struct varve_str){copy, info->text.size};
    return 0;
}

static bool is_there(const struct varve_column *column, uint32_t row)
{
    if (column->type == VARVE_NULL)
        return false;
    if (column->type == VARVE_TEXT)
        return column->codes[row] != 0;
    return !column->present || (column->present[row / 64] >> (row % 64) & 1);
}

/* By its own type, whatever the column sees it as, which depends on what else is there. */
static void show_cell(const struct varve_column *column, uint32_t row)
{
    static const char letters[] = "-ifbt"; /* by enum varve_type */
    uint8_t type = column->types ? column->types[row] : (uint8_t)column->type;
    char text[64] = "";
    struct varve_str seen = {"", 0};
    if (column->type == VARVE_TEXT)
        seen = column->dictionary->texts[column->codes[row]];
    memcpy(text, seen.data, seen.size < sizeof text ? seen.size : sizeof text - 1);
    putchar(letters[type]);
    putchar(':');
    if (type == VARVE_TEXT)
        world_text(stdout, seen);
    else if (type == VARVE_BOOL && column->type == VARVE_TEXT)
        putchar(text[0] == 't' ? '1' : '0');
    else if (type == VARVE_FLOAT && column->type == VARVE_TEXT)
        printf("%.17g", strtod(text, NULL));
    else if (column->type == VARVE_TEXT)
        fputs(text, stdout);
    else if (column->type == VARVE_FLOAT)
        printf(type == VARVE_FLOAT ? "%.17g" : "%.0f", column->floats[row]);
    else
        printf("%" PRId64, column->ints[row]);
}

static int show_table(void *context, const struct varve_table_info *info)
{
    varve_snapshot *snapshot = context;
    struct varve_err err = {0};
    struct columns columns = {.count = 0};
    world_must(varve_visit_columns(snapshot, info->name, add_column, &columns, &err), &err);
    const struct varve_query query = {.source = info->name,
                                      .since = INT64_MIN,
                                      .until = INT64_MAX,
                                      .columns = columns.list,
                                      .column_count = columns.count};
    struct varve_rows rows;
    varve_scan *scan;
    enum varve_status status;
    world_must(varve_scan_open(snapshot, &query, &scan, &err), &err);
    while ((status = varve_scan_rows(scan, &rows, &err)) == VARVE_OK)
        for (uint32_t row = 0; row < rows.rows; row++) {
            printf("event %.*s %" PRId64, (int)info->name.size, info->name.data, rows.end[row]);
            for (size_t c = 0; c < columns.count; c++) {
                if (!is_there(&rows.columns[c], row))
                    continue;
                printf(" %.*s=", (int)columns.list[c].size, columns.list[c].data);
                show_cell(&rows.columns[c], row);
            }
            putchar('\n');
        }
    if (status != VARVE_DONE)
        world_must(status, &err);
    varve_scan_close(scan);
    return 0;
}

void world_show_events(varve_snapshot *snapshot)
{
    struct varve_err err = {0};
    world_must(varve_visit_tables(snapshot, show_table, snapshot, &err), &err);
}
