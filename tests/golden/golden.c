/* SPDX-License-Identifier: Apache-2.0
 *
 * golden.c -- makes and reads the stores that later versions must be able to read.
 *
 *   golden make DIRECTORY   writes a store with one of everything: every kind, mode and type of
 * value, days sealed, days still in the journal, a late reading, a forgotten day golden dump
 * DIRECTORY   everything a reader can see, as text
 *
 * The stores beside this file were made once, by the version that introduced their format; what
 * dump says of them is beside them too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "varve.h"

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)
#define MONDAY (INT64_C(1793577600) * SECOND) /* 2026-11-02 */

static struct varve_err err;

static void must(enum varve_status status)
{
    if (status == VARVE_OK)
        return;
    fprintf(stderr, "golden: %s: %s: %s\n", varve_status_name(status), err.place, err.message);
    exit(1);
}

/* ---- making ------------------------------------------------------------- */

static uint32_t metric(varve_batch *b, const char *name, const char *unit, enum varve_kind kind)
{
    struct varve_metric m = {varve_str(name), varve_str(unit), kind};
    uint32_t id;
    must(varve_batch_metric(b, &m, &id, &err));
    return id;
}

static uint32_t labels(varve_batch *b, uint32_t parent, const char *key, const char *value)
{
    struct varve_label l = {varve_str(key), varve_str(value)};
    uint32_t set;
    must(varve_batch_labels(b, parent, &l, 1, &set, &err));
    return set;
}

static void add_counters(varve_batch *b, int64_t day)
{
    static const char *const sessions[] = {"89c8bdde-913f-407f-8959-51fffb5cc27c",
                                           "0b0e2c43-7b64-4b3d-9f0a-5a0a6f4a9d11"};
    uint32_t cost = metric(b, "claude_code.cost.usage", "USD", VARVE_COUNTER);
    uint32_t tokens = metric(b, "claude_code.token.usage", "tokens", VARVE_COUNTER);
    uint32_t active = metric(b, "claude_code.active_time.total", "s", VARVE_COUNTER);
    for (int s = 0; s < 2; s++) {
        uint32_t set = labels(b, VARVE_NO_LABELS, "session.id", sessions[s]);
        set = labels(b, set, "user.email", s ? "b@example.com" : "\xc3\xa4@example.com");
        uint32_t input = labels(b, set, "type", "input"), output = labels(b, set, "type", "output");
        int64_t start = day + (9 + s) * 3600 * SECOND, end = start;
        for (int i = 1; i <= 5; i++, start = end) {
            end = start + 60 * SECOND + i * 1000000;
            must(varve_batch_counter(b, cost, set, VARVE_DELTA, start, end,
                                     varve_float(0.0184726 * i), &err));
            must(varve_batch_counter(b, tokens, input, VARVE_DELTA, start, end, varve_float(9 * i),
                                     &err));
            must(varve_batch_counter(b, tokens, output, VARVE_DELTA, start, end, varve_int(2067),
                                     &err));
            must(varve_batch_counter(b, active, set, VARVE_CUMULATIVE, day + 9 * 3600 * SECOND, end,
                                     varve_float(2.174 * i), &err));
        }
    }
}

static void add_others(varve_batch *b, int64_t day)
{
    uint32_t gauge = metric(b, "process.memory", "By", VARVE_GAUGE);
    uint32_t odd = metric(b, "odd.numbers", "1", VARVE_COUNTER);
    uint32_t scraped = metric(b, "scraped.without.start", "", VARVE_COUNTER);
    uint32_t bucket = metric(b, "latency", "ms", VARVE_HISTOGRAM);
    uint32_t set = labels(b, VARVE_NO_LABELS, "host", "a");
    for (int i = 1; i <= 3; i++) {
        int64_t t = day + 12 * 3600 * SECOND + i * SECOND + 7;
        must(varve_batch_gauge(b, gauge, set, t, varve_float(i * 1.5e9 + 0.25), &err));
        must(varve_batch_gauge(b, gauge, VARVE_NO_LABELS, t, varve_int(-i), &err));
        must(varve_batch_counter(b, odd, set, VARVE_DELTA, t - 1, t, varve_float(0.1 * i), &err));
        must(varve_batch_counter(b, scraped, set, VARVE_CUMULATIVE, 0, t,
                                 varve_int(day == MONDAY ? 100 + i : 4 - i), &err));
        must(varve_batch_counter(b, bucket, labels(b, set, "le", i == 3 ? "+Inf" : "100"),
                                 VARVE_CUMULATIVE, day, t, varve_int(i), &err));
    }
}

static void add_events(varve_batch *b, int64_t day)
{
    for (int i = 0; i < 4; i++) {
        struct varve_field fields[] = {
            {varve_str("user.email"),
             varve_text(varve_str(i & 1 ? "b@example.com" : "\xc3\xa4@example.com"))},
            {varve_str("success"), varve_bool(i & 1)},
            {varve_str("duration_ms"), varve_int(62 + i)},
            {varve_str("cost_usd"),
             i == 2 ? (struct varve_value){VARVE_NULL, {0}} : varve_float(0.01 * i)},
            {varve_str("changing"), i & 1 ? varve_text(varve_str("42")) : varve_int(42)},
            {varve_str("empty"), varve_text(varve_str(""))},
        };
        must(varve_batch_event(b, varve_str(i < 3 ? "tool_result" : "user_prompt"),
                               day + i * 3600 * SECOND, fields, sizeof fields / sizeof *fields,
                               &err));
    }
}

static void append_day(varve *db, int64_t day)
{
    varve_batch *b;
    must(varve_batch_new(db, &b, &err));
    add_counters(b, day);
    add_others(b, day);
    add_events(b, day);
    must(varve_append(db, b, NULL, &err));
    varve_batch_free(b);
}

/* A reading that comes after those that followed it. */
static void append_late(varve *db)
{
    varve_batch *b;
    int64_t start = MONDAY + 9 * 3600 * SECOND;
    must(varve_batch_new(db, &b, &err));
    uint32_t set = labels(b, VARVE_NO_LABELS, "session.id", "89c8bdde-913f-407f-8959-51fffb5cc27c");
    set = labels(b, set, "user.email", "\xc3\xa4@example.com");
    uint32_t active = metric(b, "claude_code.active_time.total", "s", VARVE_COUNTER);
    must(varve_batch_counter(b, active, set, VARVE_CUMULATIVE, start, start + 90 * SECOND,
                             varve_float(3), &err));
    must(varve_append(db, b, NULL, &err));
    varve_batch_free(b);
}

/* What the second format has brought. */
static void append_format_2(varve *db, int64_t day)
{
    varve_batch *b;
    must(varve_batch_new(db, &b, &err));
    uint32_t pending = metric(b, "pending.changes", "EUR", VARVE_UPDOWN);
    uint32_t total = metric(b, "session.total", "tokens", VARVE_COUNTER);
    uint32_t set = labels(b, VARVE_NO_LABELS, "session.id", "89c8bdde-913f-407f-8959-51fffb5cc27c");
    for (int i = 1; i <= 3; i++) {
        int64_t end = day + 13 * 3600 * SECOND + i * SECOND;
        must(varve_batch_counter(b, pending, set, VARVE_DELTA, end - SECOND, end,
                                 varve_float(i == 2 ? -0.25 : i), &err));
        must(varve_batch_counter(b, total, set, VARVE_CUMULATIVE, VARVE_FROM_ZERO, end,
                                 varve_int(i == 3 ? 40 : (day - MONDAY) / DAY * 1000 + i * 50),
                                 &err));
    }
    must(varve_append(db, b, NULL, &err));
    varve_batch_free(b);
}

static void set(varve *db, const char *name, const char *value)
{
    must(varve_set(db, varve_str(name), varve_str(value), &err));
}

static void make(const char *path)
{
    struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    varve *db;
    must(varve_open(path, &options, &db, &err));
    append_day(db, MONDAY - 3 * DAY);
    append_day(db, MONDAY);
    append_format_2(db, MONDAY);
    set(db, "team", "platform \xc3\xa4");
    set(db, "rules", "drop label secret.*");
    must(varve_seal(db, INT64_MAX, NULL, &err));
    must(varve_retain(db, MONDAY, NULL, &err));
    append_day(db, MONDAY + DAY);
    append_late(db);
    append_format_2(db, MONDAY + DAY);
    varve_close(db);
}

/* ---- dumping ------------------------------------------------------------ */

static int print_metric(void *context, const struct varve_metric_info *info)
{
    (void)context;
    printf("metric %.*s unit '%.*s' kind %d scale %d points %llu from %lld to %lld\n",
           (int)info->metric.name.size, info->metric.name.data, (int)info->metric.unit.size,
           info->metric.unit.data, (int)info->metric.kind, info->scale,
           (unsigned long long)info->points, (long long)info->oldest, (long long)info->newest);
    return 0;
}

static int print_table(void *context, const struct varve_table_info *info)
{
    (void)context;
    printf("table %.*s rows %llu from %lld to %lld\n", (int)info->name.size, info->name.data,
           (unsigned long long)info->rows, (long long)info->oldest, (long long)info->newest);
    return 0;
}

static int print_setting(void *context, struct varve_str name, struct varve_str value)
{
    (void)context;
    printf("setting %.*s is '%.*s'\n", (int)name.size, name.data, (int)value.size, value.data);
    return 0;
}

static void print_cell(const struct varve_column *c, uint32_t at)
{
    if (c->type == VARVE_NULL || (c->present && !(c->present[at / 64] >> (at % 64) & 1)))
        printf(" -");
    else if (c->type == VARVE_TEXT)
        printf(" '%.*s'", (int)c->dictionary->texts[c->codes[at]].size,
               c->dictionary->texts[c->codes[at]].data);
    else if (c->type == VARVE_FLOAT)
        printf(" %.17g", c->floats[at]);
    else
        printf(" %lld", (long long)c->ints[at]);
}

static void print_row(const struct varve_rows *rows, uint32_t run, uint32_t r, size_t columns)
{
    if (rows->start)
        printf("  %lld %lld", (long long)rows->start[r], (long long)rows->end[r]);
    else
        printf("  %lld", (long long)rows->end[r]);
    if (rows->ints)
        printf(" %lld", (long long)rows->ints[r]);
    else if (rows->floats)
        printf(" %.17g", rows->floats[r]);
    for (size_t c = 0; c < columns; c++)
        print_cell(&rows->columns[c], rows->runs ? run : r);
    if (rows->runs && rows->run_form[run] == VARVE_FORM_ADJUSTMENT)
        printf(" adjustment");
    if (rows->runs && rows->run_form[run] == VARVE_FORM_BASELINE)
        printf(" baseline");
    printf("\n");
}

static void print_rows(varve_snapshot *s, const char *source, const char *const *names,
                       size_t columns, unsigned flags)
{
    struct varve_str wanted[8];
    for (size_t i = 0; i < columns; i++)
        wanted[i] = varve_str(names[i]);
    struct varve_query query = {.source = varve_str(source),
                                .since = INT64_MIN,
                                .until = INT64_MAX,
                                .columns = wanted,
                                .column_count = columns,
                                .flags = flags};
    struct varve_rows rows;
    varve_scan *scan;
    enum varve_status status;
    printf("rows of %s\n", source);
    must(varve_scan_open(s, &query, &scan, &err));
    while ((status = varve_scan_rows(scan, &rows, &err)) == VARVE_OK)
        for (uint32_t r = 0, run = 0; r < rows.rows; r++) {
            while (rows.runs && rows.run_start[run + 1] <= r)
                run++;
            print_row(&rows, run, r, columns);
        }
    if (status != VARVE_DONE)
        must(status);
    varve_scan_close(scan);
}

static void dump(const char *path)
{
    static const char *const session[] = {"session.id", "user.email", "type"};
    static const char *const host[] = {"host", "le"};
    static const char *const event[] = {"user.email", "success",  "duration_ms",
                                        "cost_usd",   "changing", "empty"};
    static const char *const of_sessions[] = {"claude_code.cost.usage", "claude_code.token.usage",
                                              "claude_code.active_time.total"};
    static const char *const of_hosts[] = {"process.memory", "odd.numbers", "scraped.without.start",
                                           "latency"};
    struct varve_stats stats;
    varve *db;
    varve_snapshot *s;
    must(varve_open(path, NULL, &db, &err));
    must(varve_snapshot_open(db, &s, &err));
    must(varve_visit_metrics(s, print_metric, NULL, &err));
    must(varve_visit_tables(s, print_table, NULL, &err));
    for (size_t i = 0; i < 3; i++)
        print_rows(s, of_sessions[i], session, 3, 0);
    for (size_t i = 0; i < 4; i++)
        print_rows(s, of_hosts[i], host, 2, 0);
    print_rows(s, "tool_result", event, 6, 0);
    print_rows(s, "user_prompt", event, 6, 0);
    must(varve_stats(db, &stats, &err));
    if (stats.format >= 2) {
        print_rows(s, "pending.changes", session, 1, 0);
        print_rows(s, "session.total", session, 1, VARVE_BASELINES);
        print_rows(s, "scraped.without.start", host, 2, VARVE_BASELINES);
        must(varve_visit_settings(db, print_setting, NULL, &err));
    }
    varve_snapshot_close(s);
    varve_close(db);
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "make") != 0 && strcmp(argv[1], "dump") != 0)) {
        fprintf(stderr, "usage: golden make|dump DIRECTORY\n");
        return 2;
    }
    if (strcmp(argv[1], "make") == 0)
        make(argv[2]);
    else
        dump(argv[2]);
    return 0;
}
