/* SPDX-License-Identifier: Apache-2.0
 *
 * export_world.c -- stores for test_export, made from a seed, and their content as lines.
 *
 *   export_world make SEED STORE    every kind of counter: deltas, readings with a start, without
 *                                   one and from zero, resets, late readings, several writers
 *                                   with the same labels, days; gauges; histograms; odd texts;
 *                                   events
 *   export_world small STORE        a few points of each kind, always the same
 *   export_world dump STORE         one line a row, baseline and event, to be sorted; adjustments
 *                                   are in their rows
 *   export_world totals STORE       one line a metric: name, points, what they add up to
 */
#include "export_world.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400000000000)
#define BEGIN (INT64_C(20000) * DAY)

static struct varve_err err;

void world_must(enum varve_status status, const struct varve_err *error)
{
    if (status == VARVE_OK)
        return;
    fprintf(stderr, "export_world: %s: %s\n", error->place, error->message);
    exit(1);
}

static void must(enum varve_status status)
{
    world_must(status, &err);
}

static void *need(void *memory)
{
    if (!memory)
        exit(1);
    return memory;
}

/* ---- chance ------------------------------------------------------------- */

static uint64_t state;

uint64_t world_chance(uint64_t below)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = state;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 31) % below;
}

/* Of several days, often the same one twice; in milliseconds, and sometimes finer. */
int64_t world_moment(void)
{
    int64_t time =
        BEGIN + (int64_t)world_chance(4) * DAY + (int64_t)world_chance(300) * 1000000 * 60000 / 2;
    return world_chance(10) ? time : time + (int64_t)world_chance(3000000);
}

/* ---- points ------------------------------------------------------------- */

enum metric {
    DELTA,
    COST,
    TOKENS,
    STARTED,
    BARE,
    BROKEN,
    GAUGE,
    UPDOWN,
    BUCKET,
    COUNT,
    SUM,
    METRICS
};
static const struct {
    const char *name, *unit;
    enum varve_kind kind;
} metrics[METRICS] = {{"some.delta", "By", VARVE_COUNTER},
                      {"claude_code.cost.usage", "USD", VARVE_COUNTER},
                      {"claude_code.token.usage", "tokens", VARVE_COUNTER},
                      {"some.started", "", VARVE_COUNTER},
                      {"some.bare.total", "s", VARVE_COUNTER},
                      {"some.broken", "{thing}", VARVE_COUNTER},
                      {"some.gauge", "1", VARVE_GAUGE},
                      {"some.updown", "", VARVE_UPDOWN},
                      {"wait_bucket", "", VARVE_HISTOGRAM},
                      {"wait_count", "", VARVE_COUNTER},
                      {"wait_sum", "", VARVE_COUNTER}};

struct world {
    varve_batch *batch;
    int64_t day; /* of this batch: readings without a start come in a day at a time */
    uint32_t metric[METRICS];
};

static const char *const odd_texts[] = {"plain",
                                        "with \"quotes\"",
                                        "back\\slash",
                                        "new\nline",
                                        "\xc3\xa9t\xc3\xa9",
                                        "{a=\"b\"} 1",
                                        "tab\there",
                                        ","};

static uint32_t labels(struct world *world, bool in_session, const char *le)
{
    struct varve_label list[5];
    char session[16];
    size_t n = 0;
    uint32_t set;
    if (in_session) {
        snprintf(session, sizeof session, "s-%d", (int)world_chance(3));
        list[n++] = (struct varve_label){varve_str("session.id"), varve_str(session)};
    }
    if (world_chance(3) == 0 && !le)
        list[n++] =
            (struct varve_label){varve_str("odd text"), varve_str(odd_texts[world_chance(8)])};
    if (world_chance(4) == 0)
        list[n++] = (struct varve_label){varve_str("user.email"), varve_str("a@b.example")};
    if (le)
        list[n++] = (struct varve_label){varve_str("le"), varve_str(le)};
    must(varve_batch_labels(world->batch, VARVE_NO_LABELS, list, n, &set, &err));
    return set;
}

static struct varve_value number(enum metric metric)
{
    static const double odd[] = {
        0.1, 1e-300, 1e22, 1.0 / 3, 4611686018427387904.0, 0.30000000000000004};
    if (metric == COST || metric == BARE)
        return varve_float((double)world_chance(UINT64_C(1) << 40) / 1e9);
    if (metric == BROKEN)
        return varve_float((double)world_chance(1000000) / 1024);
    if (metric == GAUGE && world_chance(3) == 0)
        return varve_float(-(double)world_chance(1000) / 7);
    if (metric == UPDOWN)
        return varve_int((int64_t)world_chance(1000) - 500);
    if (metric == DELTA && world_chance(5) == 0)
        return varve_float(odd[world_chance(6)]);
    if (metric == DELTA && world_chance(50) == 0)
        return varve_int(INT64_C(1) << 60 | (int64_t)world_chance(1000));
    return varve_int((int64_t)world_chance(world_chance(4) ? 2000 : 20));
}

static void
counter(struct world *world, enum metric metric, uint32_t set, enum varve_temporality temporality,
        int64_t start, int64_t end, struct varve_value value)
{
    must(varve_batch_counter(world->batch, world->metric[metric], set, temporality, start, end,
                             value, &err));
}

/* What a counter without a start reads, which begins again each day; the readings of a day come in
 * any order. */
static void bare(struct world *world, enum metric metric, uint32_t set)
{
    static const double rates[METRICS] = {[BARE] = 0.001000001, [BROKEN] = 1.0 / 1024};
    int64_t offset = world_moment() % DAY;
    double value = (double)(offset / 1000000) * rates[metric];
    counter(world, metric, set, VARVE_CUMULATIVE, 0, world->day + offset, varve_float(value));
}

/* All parts of a histogram, as its point had them. */
static void histogram(struct world *world)
{
    static const char *const bounds[] = {"0.5", "2.5", "10", "+Inf"};
    int64_t end = world_moment();
    for (int i = 0; i < 4; i++)
        counter(world, BUCKET, labels(world, false, bounds[i]), VARVE_DELTA, end - 1000, end,
                varve_int((int64_t)world_chance(3) * i));
    counter(world, COUNT, labels(world, false, NULL), VARVE_DELTA, end - 1000, end, varve_int(6));
    counter(world, SUM, labels(world, false, NULL), VARVE_DELTA, end - 1000, end, varve_float(0.7));
}

static void point(struct world *world)
{
    enum metric metric = (enum metric)world_chance(METRICS - 2);
    int64_t end = world_moment(),
            start = world_chance(3) ? end - (int64_t)world_chance((uint64_t)DAY) : 0;
    uint32_t set = labels(world, metric == TOKENS || world_chance(2), NULL);
    struct varve_value value = number(metric);
    switch (metric) {
    case GAUGE:
        must(varve_batch_gauge(world->batch, world->metric[GAUGE], set, end, value, &err));
        break;
    case TOKENS:
        counter(world, metric, set, VARVE_CUMULATIVE, VARVE_FROM_ZERO, end, value);
        break;
    case STARTED: /* a few processes, some of them at the same time */
        start = BEGIN - DAY - (int64_t)world_chance(3) * 1000;
        counter(world, metric, set, VARVE_CUMULATIVE, start, end, value);
        break;
    case BARE:
        bare(world, metric, set);
        break;
    case BROKEN:
        if (world_chance(2))
            bare(world, metric, set);
        else
            counter(world, metric, set, VARVE_CUMULATIVE, BEGIN - DAY, end, value);
        break;
    case BUCKET:
        histogram(world);
        break;
    default:
        counter(world, metric, set, VARVE_DELTA, start, end, value);
    }
}

static void name_metrics(struct world *world)
{
    varve_batch_clear(world->batch);
    for (int m = 0; m < METRICS; m++) {
        const struct varve_metric metric = {varve_str(metrics[m].name), varve_str(metrics[m].unit),
                                            metrics[m].kind};
        must(varve_batch_metric(world->batch, &metric, &world->metric[m], &err));
    }
}

static void make(const char *path)
{
    const struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    struct world world;
    varve *db;
    must(varve_open(path, &options, &db, &err));
    must(varve_batch_new(db, &world.batch, &err));
    for (uint64_t i = 0, batches = 2 + world_chance(8); i < batches; i++) {
        struct varve_appended appended;
        struct varve_sealed sealed;
        world.day = BEGIN + (int64_t)(i * 4 / batches) * DAY;
        name_metrics(&world);
        for (uint64_t points = world_chance(300); points > 0; points--)
            point(&world);
        for (uint64_t events = world_chance(100); events > 0; events--)
            world_event(world.batch);
        must(varve_append(db, world.batch, &appended, &err));
        if (world_chance(3) == 0)
            must(varve_seal(db, INT64_MAX, &sealed, &err));
    }
    varve_batch_free(world.batch);
    varve_close(db);
}

static uint32_t label(struct world *world, uint32_t parent, const char *key, const char *value)
{
    const struct varve_label pair = {varve_str(key), varve_str(value)};
    uint32_t set;
    must(varve_batch_labels(world->batch, parent, &pair, 1, &set, &err));
    return set;
}

static void small(const char *path)
{
    const struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    const int64_t at = BEGIN, minute = INT64_C(60000000000);
    struct varve_appended appended;
    struct world w;
    varve *db;
    must(varve_open(path, &options, &db, &err));
    must(varve_batch_new(db, &w.batch, &err));
    name_metrics(&w);
    uint32_t session = label(&w, VARVE_NO_LABELS, "session.id", "s-1");
    uint32_t typed = label(&w, session, "type", "input");
    uint32_t odd = label(&w, VARVE_NO_LABELS, "odd text", "a \"b\" \\ \n");
    counter(&w, COST, session, VARVE_DELTA, at, at + minute, varve_float(0.018472600000000002));
    counter(&w, COST, session, VARVE_DELTA, 0, at + 2 * minute, varve_int(3));
    counter(&w, TOKENS, typed, VARVE_CUMULATIVE, VARVE_FROM_ZERO, at + minute, varve_int(100));
    counter(&w, TOKENS, typed, VARVE_CUMULATIVE, VARVE_FROM_ZERO, at + 2 * minute, varve_int(30));
    counter(&w, DELTA, odd, VARVE_DELTA, at, at + minute, varve_float(1.0 / 3));
    counter(&w, DELTA, odd, VARVE_DELTA, at, at + minute + 400000, varve_int(7));
    counter(&w, DELTA, odd, VARVE_DELTA, at, at + minute + 700000, varve_int(1));
    for (int process = 0; process < 2; process++) {
        counter(&w, STARTED, odd, VARVE_CUMULATIVE, at + process, at + minute, varve_int(5));
        counter(&w, STARTED, odd, VARVE_CUMULATIVE, at + process, at + 2 * minute, varve_int(9));
        counter(&w, STARTED, odd, VARVE_CUMULATIVE, at + process, at + 3 * minute, varve_int(8));
    }
    counter(&w, BARE, VARVE_NO_LABELS, VARVE_CUMULATIVE, 0, at + 2 * minute, varve_float(2.5));
    counter(&w, BARE, VARVE_NO_LABELS, VARVE_CUMULATIVE, 0, at + 3 * minute, varve_float(4));
    counter(&w, BARE, VARVE_NO_LABELS, VARVE_CUMULATIVE, 0, at + minute, varve_float(2));
    counter(&w, BARE, VARVE_NO_LABELS, VARVE_CUMULATIVE, 0, at + 4 * minute, varve_float(1));
    must(varve_batch_gauge(w.batch, w.metric[GAUGE], odd, at, varve_float(-0.25), &err));
    must(varve_batch_gauge(w.batch, w.metric[GAUGE], odd, at + minute, varve_int(2), &err));
    counter(&w, UPDOWN, odd, VARVE_DELTA, 0, at, varve_int(4));
    counter(&w, UPDOWN, odd, VARVE_DELTA, at, at + minute, varve_int(-6));
    for (int b = 0; b < 2; b++)
        counter(&w, BUCKET, label(&w, odd, "le", b ? "+Inf" : "2.5"), VARVE_DELTA, at, at + minute,
                varve_int(1 + b));
    counter(&w, COUNT, odd, VARVE_DELTA, at, at + minute, varve_int(2));
    counter(&w, SUM, odd, VARVE_DELTA, at, at + minute, varve_float(10.75));
    must(varve_append(db, w.batch, &appended, &err));
    varve_batch_free(w.batch);
    varve_close(db);
}

/* ---- what is in a store --------------------------------------------------- */

struct line {
    char *text; /* all but the value */
    bool is_float, is_base;
    int64_t whole;
    double broken;
};
static struct line *lines;
static size_t line_count, line_room;

static struct line *new_line(void)
{
    if (line_count == line_room) {
        line_room = line_room ? line_room * 2 : 1024;
        lines = need(realloc(lines, line_room * sizeof *lines));
    }
    lines[line_count] = (struct line){.text = NULL};
    return &lines[line_count++];
}

static int by_text(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x > y) - (x < y);
}

/* Adjustments into their rows; of several baselines of one end the largest counts. */
static void fold(void)
{
    size_t n = 0;
    if (line_count > 1)
        qsort(lines, line_count, sizeof *lines, by_text);
    for (size_t i = 0; i < line_count; i++) {
        struct line *last = n > 0 ? &lines[n - 1] : NULL;
        if (!last || strncmp(lines[i].text, "delta", 5) == 0 ||
            strncmp(lines[i].text, "gauge", 5) == 0 || strcmp(last->text, lines[i].text) != 0) {
            lines[n++] = lines[i];
        } else if (lines[i].is_base) {
            if (lines[i].broken > last->broken) {
                last->is_float = lines[i].is_float;
                last->whole = lines[i].whole;
                last->broken = lines[i].broken;
            }
            free(lines[i].text);
        } else {
            last->is_float |= lines[i].is_float;
            last->whole += lines[i].whole;
            last->broken += lines[i].broken;
            free(lines[i].text);
        }
    }
    line_count = n;
}

struct keys {
    struct varve_str list[64];
    char *texts[64];
    size_t count;
};

static int add_key(void *context, const struct varve_count_info *info)
{
    struct keys *keys = context;
    char *copy = need(malloc(info->text.size + 1));
    memcpy(copy, info->text.data, info->text.size);
    keys->texts[keys->count] = copy;
    keys->list[keys->count++] = (struct varve_str){copy, info->text.size};
    return 0;
}

void world_text(FILE *to, struct varve_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\n' || text.data[i] == '\\')
            fprintf(to, "\\%02x", text.data[i]);
        else
            fputc(text.data[i], to);
}

static void put_row(const char *name, const struct keys *keys, const struct varve_rows *rows,
                    uint32_t run, uint32_t r)
{
    static const char *const forms[] = {"delta", "total", "gauge", "total", "base"};
    struct line *line = new_line();
    size_t size;
    FILE *to = need(open_memstream(&line->text, &size));
    fprintf(to, "%s %s {", forms[rows->run_form[run]], name);
    for (size_t k = 0; k < keys->count; k++) {
        const struct varve_column *column = &rows->columns[k];
        if (column->type == VARVE_NULL || column->codes[run] == 0)
            continue;
        world_text(to, keys->list[k]);
        fputc('=', to);
        world_text(to, column->dictionary->texts[column->codes[run]]);
        fputc(',', to);
    }
    fprintf(to, "} %" PRId64 " %" PRId64, rows->start[r], rows->end[r]);
    fclose(to);
    line = &lines[line_count - 1];
    line->is_base = rows->run_form[run] == VARVE_FORM_BASELINE;
    line->is_float = rows->floats != NULL;
    line->whole = rows->ints ? rows->ints[r] : 0;
    line->broken = rows->floats ? rows->floats[r] : (double)rows->ints[r];
}

/* Where a counter from zero has baselines depends on the order of arrival; what was read and
 * counted does not. */
static bool is_told(const struct varve_rows *rows, uint32_t run, uint32_t r)
{
    return rows->run_form[run] != VARVE_FORM_BASELINE || rows->start[r] != VARVE_FROM_ZERO;
}

static int read_metric(void *context, const struct varve_metric_info *info)
{
    varve_snapshot *snapshot = context;
    struct keys keys = {.count = 0};
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)info->metric.name.size, info->metric.name.data);
    must(varve_visit_labels(snapshot, info->metric.name, add_key, &keys, &err));
    const struct varve_query query = {.source = info->metric.name,
                                      .since = INT64_MIN,
                                      .until = INT64_MAX,
                                      .columns = keys.list,
                                      .column_count = keys.count,
                                      .flags = VARVE_BASELINES};
    struct varve_rows rows;
    varve_scan *scan;
    enum varve_status status;
    must(varve_scan_open(snapshot, &query, &scan, &err));
    while ((status = varve_scan_rows(scan, &rows, &err)) == VARVE_OK)
        for (uint32_t run = 0; run < rows.runs; run++)
            for (uint32_t r = rows.run_start[run]; r < rows.run_start[run + 1]; r++)
                if (is_told(&rows, run, r))
                    put_row(name, &keys, &rows, run, r);
    if (status != VARVE_DONE)
        must(status);
    varve_scan_close(scan);
    for (size_t k = 0; k < keys.count; k++)
        free(keys.texts[k]);
    return 0;
}

static void print_value(const struct line *line)
{
    if (line->is_float)
        printf(" %.17g\n", line->broken);
    else
        printf(" %" PRId64 "\n", line->whole);
}

/* The lines are in order of form, then metric; of one metric there may be several forms. */
static void print_totals(void)
{
    struct line sums[64];
    size_t count = 0;
    for (size_t i = 0; i < line_count; i++) {
        char name[128];
        size_t at = 0;
        if (lines[i].is_base || strncmp(lines[i].text, "gauge", 5) == 0)
            continue;
        sscanf(lines[i].text, "%*s %127s", name);
        while (at < count && strcmp(sums[at].text, name) != 0)
            at++;
        if (at == count)
            sums[count++] = (struct line){.text = need(strdup(name))};
        sums[at].is_float |= lines[i].is_float;
        sums[at].whole += lines[i].whole;
        sums[at].broken += lines[i].broken;
    }
    for (size_t i = 0; i < count; i++) {
        printf("%s", sums[i].text);
        print_value(&sums[i]);
        free(sums[i].text);
    }
}

static void show(const char *path, bool totals)
{
    const struct varve_options options = {.flags = VARVE_RDONLY};
    varve_snapshot *snapshot;
    varve *db;
    must(varve_open(path, &options, &db, &err));
    must(varve_snapshot_open(db, &snapshot, &err));
    must(varve_visit_metrics(snapshot, read_metric, snapshot, &err));
    fold();
    for (size_t i = 0; !totals && i < line_count; i++) {
        printf("%s", lines[i].text);
        print_value(&lines[i]);
    }
    if (totals)
        print_totals();
    else
        world_show_events(snapshot);
    varve_snapshot_close(snapshot);
    varve_close(db);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "make") == 0) {
        state = strtoull(argv[2], NULL, 10);
        make(argv[3]);
    } else if (argc == 3 && strcmp(argv[1], "small") == 0)
        small(argv[2]);
    else if (argc == 3)
        show(argv[2], strcmp(argv[1], "totals") == 0);
    else
        return 2;
    return fflush(stdout) != 0;
}
