/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_world.c -- what naive.c stands on: cells, lists of rows, conditions, and a world of points
 * and events out of a seed.
 */
#include "naive_world.h"

#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MINUTE (60 * SECOND)

const char *const label_names[LABELS] = {"session_id", "user_email", "model", "team", "type"};
const char *const field_names[FIELDS] = {"time",   "user_email", "model", "team",
                                         "amount", "ms",         "ok"};

/* ---- cells ----------------------------------------------------------------- */

const char *intern(const char *text)
{
    static struct kept {
        struct kept *next;
        char text[];
    } * kept[1 << 14];
    uint32_t hash = 0;
    for (const char *at = text; *at; at++)
        hash = hash * 31 + (unsigned char)*at;
    struct kept **at = &kept[hash % (1 << 14)];
    while (*at && strcmp((*at)->text, text) != 0)
        at = &(*at)->next;
    if (!*at) {
        *at = calloc(1, sizeof **at + strlen(text) + 1);
        assert_non_null(*at);
        memcpy((*at)->text, text, strlen(text) + 1);
    }
    return (*at)->text;
}

struct varve_cell cell_text(const char *text)
{
    struct varve_cell cell = {.type = VARVE_CELL_NULL};
    if (!text)
        return cell;
    cell.type = VARVE_CELL_TEXT;
    cell.as.s = varve_str(text);
    return cell;
}

static long double number(struct varve_cell c)
{
    if (c.type == VARVE_CELL_FLOAT)
        return (long double)c.as.f;
    return c.type == VARVE_CELL_NANO ? (long double)c.as.i / 1e9L : (long double)c.as.i;
}

int compare_cells(struct varve_cell a, struct varve_cell b)
{
    if (a.type == VARVE_CELL_NULL || b.type == VARVE_CELL_NULL)
        return (a.type == VARVE_CELL_NULL) - (b.type == VARVE_CELL_NULL);
    if (a.type == VARVE_CELL_TEXT && b.type == VARVE_CELL_TEXT) {
        size_t size = a.as.s.size < b.as.s.size ? a.as.s.size : b.as.s.size;
        int c = memcmp(a.as.s.data, b.as.s.data, size);
        return c ? c : (a.as.s.size > b.as.s.size) - (a.as.s.size < b.as.s.size);
    }
    if ((a.type == VARVE_CELL_BOOL) != (b.type == VARVE_CELL_BOOL))
        return a.type == VARVE_CELL_BOOL ? -1 : 1;
    if (a.type == b.type && a.type != VARVE_CELL_FLOAT)
        return (a.as.i > b.as.i) - (a.as.i < b.as.i);
    return (number(a) > number(b)) - (number(a) < number(b));
}

/* ---- rows ------------------------------------------------------------------ */

struct varve_cell *rows_add(struct rows *rows)
{
    if (rows->count == rows->room) {
        rows->room = rows->room * 2 + 64;
        rows->cells = realloc(rows->cells, rows->room * sizeof *rows->cells);
        assert_non_null(rows->cells);
    }
    memset(rows->cells[rows->count], 0, sizeof *rows->cells);
    return rows->cells[rows->count++];
}

void rows_free(struct rows *rows)
{
    free(rows->cells);
    *rows = (struct rows){.columns = 0};
}

static struct {
    size_t column, columns;
    bool descending;
} sorting;

static int compare_rows(const void *left, const void *right)
{
    const struct varve_cell *x = left, *y = right;
    struct varve_cell a = x[sorting.column], b = y[sorting.column];
    int c = compare_cells(a, b);
    if (sorting.descending && a.type != VARVE_CELL_NULL && b.type != VARVE_CELL_NULL)
        c = -c;
    for (size_t k = 0; c == 0 && k < sorting.columns; k++)
        c = compare_cells(x[k], y[k]);
    return c;
}

void rows_sort(struct rows *rows, size_t column, bool descending)
{
    sorting.column = column;
    sorting.columns = rows->columns;
    sorting.descending = descending;
    if (rows->count)
        qsort(rows->cells, rows->count, sizeof *rows->cells, compare_rows);
}

/* ---- conditions ------------------------------------------------------------ */

static bool text_matches(const struct condition *c, const struct varve_cell *cell)
{
    for (int i = 0; i < c->text_count; i++) {
        size_t size = strlen(c->texts[i]);
        bool starts = cell->as.s.size >= size && memcmp(cell->as.s.data, c->texts[i], size) == 0;
        if (starts && (c->number || cell->as.s.size == size))
            return true;
    }
    return false;
}

int condition_holds(const struct condition *c, const struct varve_cell *columns)
{
    const struct varve_cell *cell = &columns[c->column];
    int a = 0, b = 0;
    if (c->kind == ALWAYS)
        return 1;
    if (c->kind == AND || c->kind == OR || c->kind == NOT)
        a = condition_holds(c->a, columns);
    if (c->kind == AND || c->kind == OR)
        b = condition_holds(c->b, columns);
    if (c->kind == NOT)
        return a < 0 ? -1 : !a;
    if (c->kind == AND)
        return a == 0 || b == 0 ? 0 : a < 0 || b < 0 ? -1 : 1;
    if (c->kind == OR)
        return a == 1 || b == 1 ? 1 : a < 0 || b < 0 ? -1 : 0;
    if (c->kind == IS_NULL)
        return cell->type == VARVE_CELL_NULL;
    if (cell->type == VARVE_CELL_NULL)
        return -1;
    if (c->kind == IS_TRUE)
        return cell->as.i != 0;
    if (c->kind == ABOVE)
        return number(*cell) > (long double)c->number;
    return text_matches(c, cell) == (c->kind != DIFFERENT && c->kind != NOT_MATCHES);
}

/* ---- a world --------------------------------------------------------------- */

static const struct {
    const char *name, *unit;
    enum varve_kind kind;
    int scale;
    enum { PER_INTERVAL, SINCE_START, SINCE_NOBODY_KNOWS, READING } form;
    bool whole;
} kinds[METRICS] = {
    {"claude_code.token.usage", "tokens", VARVE_COUNTER, 0, PER_INTERVAL, true},
    {"claude_code.cost.usage", "USD", VARVE_COUNTER, 9, PER_INTERVAL, false},
    {"claude_code.commit.count", "", VARVE_COUNTER, 0, SINCE_START, true},
    {"work.done", "", VARVE_COUNTER, 0, SINCE_NOBODY_KNOWS, true},
    {"queue.depth", "", VARVE_GAUGE, 0, READING, true},
    {"cpu.load", "", VARVE_GAUGE, 0, READING, false},
};
static const char *const users[] = {"ann@a.org", "bob@a.org", "cy@b.org", "dora@b.org"};
static const char *const models[] = {"opus-4", "opus-4-fast", "sonnet-4", "haiku"};
static const char *const types[] = {"input", "output", "cacheRead"};
static const char *const stored_labels[LABELS] = {"session.id", "user.email", "model", NULL,
                                                  "type"};

static const char *pick(struct prng *prng, const char *const *texts, size_t count)
{
    return texts[prng_below(prng, count)];
}

static const char *team_of(const char *user)
{
    if (!user || strncmp(user, "dora", 4) == 0)
        return NULL;
    return user[0] == 'c' ? "apps" : "core";
}

/* One reading or increment, told to the store and to the model. */
static void tell(struct small *small, struct model *model, int metric, const struct labels *labels,
                 int64_t start, int64_t end, struct varve_value value)
{
    char flat[LABELS_TEXT];
    snprintf(flat, sizeof flat, "%s", labels->text);
    for (char *at = flat; *at; at++)
        if (*at == '\n')
            *at = at[1] ? ',' : '\0';
    uint32_t set = small_labels(small, VARVE_NO_LABELS, flat);
    uint32_t id = small_metric(small, kinds[metric].name, kinds[metric].unit, kinds[metric].kind);
    enum varve_temporality form =
        kinds[metric].form == PER_INTERVAL ? VARVE_DELTA : VARVE_CUMULATIVE;
    if (kinds[metric].kind == VARVE_GAUGE) {
        MUST(varve_batch_gauge(small->batch, id, set, end, value, &test_err));
        model_gauge(model, kinds[metric].name, kinds[metric].scale, labels, end, value);
        return;
    }
    MUST(varve_batch_counter(small->batch, id, set, form, start, end, value, &test_err));
    model_counter(model, kinds[metric].name, kinds[metric].scale, labels, form, start, end, value);
}

static struct varve_value some_value(struct prng *prng, int metric, int64_t *total)
{
    int64_t step = (int64_t)prng_below(prng, 1000);
    if (kinds[metric].form == SINCE_START || kinds[metric].form == SINCE_NOBODY_KNOWS) {
        *total = prng_below(prng, 8) == 0 ? step / 10 : *total + step % 20; /* some fall */
        return varve_int(*total);
    }
    if (kinds[metric].scale)
        return varve_float((double)step / 1000 + 0.0001);
    return kinds[metric].whole ? varve_int(step) : varve_float((double)(2 * step + 1) / 16);
}

/* Readings that come days late, when their neighbours are sealed. */
struct late {
    int metric;
    struct labels labels;
    int64_t start, end;
    struct varve_value value;
};
static struct late lates[200];
static size_t late_count;

/* A session's series of one metric. */
static void tell_series(struct prng *prng, struct small *small, struct model *model, int metric,
                        const struct labels *labels, int64_t from, int64_t until)
{
    bool has_start = kinds[metric].form == SINCE_START;
    int64_t total = 0, start = has_start ? from : 0, last = from;
    while (last < until) {
        int64_t at = last + (int64_t)prng_below(prng, (uint64_t)(until - from) / 6) + SECOND;
        if (prng_below(prng, 3) == 0)
            at -= at % (15 * MINUTE); /* on the edge of a bucket */
        at = at > last ? at : last + 1;
        if (has_start && prng_below(prng, 7) == 0)
            start = last; /* began anew */
        last = at;
        struct varve_value value = some_value(prng, metric, &total);
        int64_t began = kinds[metric].form == PER_INTERVAL ? at - SECOND : start;
        if (kinds[metric].form != SINCE_NOBODY_KNOWS && late_count < 200 &&
            prng_below(prng, 8) == 0)
            lates[late_count++] = (struct late){metric, *labels, began, at, value};
        else
            tell(small, model, metric, labels, began, at, value);
    }
}

static void tell_late(struct small *small, struct model *model)
{
    for (size_t i = 0; i < late_count; i++)
        tell(small, model, lates[i].metric, &lates[i].labels, lates[i].start, lates[i].end,
             lates[i].value);
    late_count = 0;
}

static void tell_session(struct prng *prng, struct small *small, struct model *model, int number,
                         int64_t since, int64_t until)
{
    char name[16];
    struct labels labels = {""};
    int64_t from = since + (int64_t)prng_below(prng, (uint64_t)(until - since - HOUR));
    int64_t end = from + HOUR + (int64_t)prng_below(prng, 20 * HOUR);
    snprintf(name, sizeof name, "s%d", number);
    labels_set(&labels, stored_labels[LABEL_SESSION], name);
    if (number < 4 || prng_below(prng, 6))
        labels_set(&labels, stored_labels[LABEL_USER], pick(prng, users, 4));
    if (number < 4 || prng_below(prng, 6))
        labels_set(&labels, stored_labels[LABEL_MODEL], pick(prng, models, 4));
    for (int metric = 0; metric < METRICS; metric++) {
        if (number >= 4 && prng_below(prng, 3) == 0)
            continue;
        if (metric == 0)
            labels_set(&labels, "type", pick(prng, types, 3));
        tell_series(prng, small, model, metric, &labels, from, end < until ? end : until);
        if (metric == 0) { /* a second one of the session, of all users the same type */
            labels_set(&labels, "type", "input");
            tell_series(prng, small, model, metric, &labels, from + 1, until);
            labels_set(&labels, "type", "");
        }
    }
}

/* ---- events ---------------------------------------------------------------- */

static void tell_event(struct prng *prng, struct small *small, struct rows *events, int64_t time)
{
    struct varve_field fields[FIELDS];
    struct varve_cell *row = rows_add(events);
    size_t n = 0;
    row[FIELD_TIME] = (struct varve_cell){.type = VARVE_CELL_TIME, .as.i = time};
    if (prng_below(prng, 6)) {
        const char *user = pick(prng, users, 4);
        row[FIELD_USER] = cell_text(intern(user));
        row[FIELD_TEAM] = cell_text(team_of(user));
        fields[n++] = (struct varve_field){varve_str("user.email"), varve_text(varve_str(user))};
    }
    if (prng_below(prng, 6)) {
        const char *model = pick(prng, models, 4);
        row[FIELD_MODEL] = cell_text(intern(model));
        fields[n++] = (struct varve_field){varve_str("model"), varve_text(varve_str(model))};
    }
    if (prng_below(prng, 4)) {
        double amount = (double)(2 * prng_below(prng, 200) + 1) / 8;
        row[FIELD_COST] = (struct varve_cell){.type = VARVE_CELL_FLOAT, .as.f = amount};
        fields[n++] = (struct varve_field){varve_str("amount"), varve_float(amount)};
    }
    if (prng_below(prng, 8)) {
        int64_t ms = (int64_t)prng_below(prng, 60) - 10;
        row[FIELD_MS] = (struct varve_cell){.type = VARVE_CELL_INT, .as.i = ms};
        fields[n++] = (struct varve_field){varve_str("ms"), varve_int(ms)};
    }
    if (prng_below(prng, 8)) {
        int ok = (int)prng_below(prng, 2);
        row[FIELD_OK] = (struct varve_cell){.type = VARVE_CELL_BOOL, .as.i = ok};
        fields[n++] = (struct varve_field){varve_str("ok"), varve_bool(ok)};
    }
    MUST(varve_batch_event(small->batch, varve_str("api_call"), time, fields, n, &test_err));
}

static void tell_events(struct prng *prng, struct small *small, struct naive_world *world)
{
    int64_t length = world->until - world->since;
    for (int i = 0; i < 160; i++) {
        int64_t time = world->since + (int64_t)prng_below(prng, (uint64_t)length);
        if (prng_below(prng, 3) == 0)
            time -= time % HOUR;
        bool taken = false;
        for (size_t k = 0; k < world->events.count; k++)
            taken |= world->events.cells[k][FIELD_TIME].as.i == time;
        if (!taken)
            tell_event(prng, small, &world->events, time);
    }
    rows_sort(&world->events, FIELD_TIME, false);
}

/* ---- putting it together --------------------------------------------------- */

static struct varve_cell cell_of_exact(struct exact n, int scale)
{
    if (n.grains == 0)
        return (struct varve_cell){.type = scale ? VARVE_CELL_NANO : VARVE_CELL_INT,
                                   .as.i = (int64_t)n.whole};
    double f = (double)(int64_t)n.whole + ldexp((double)n.grains, -72);
    return (struct varve_cell){.type = VARVE_CELL_FLOAT, .as.f = f};
}

static int compare_points(const void *left, const void *right)
{
    const struct point *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static void list_points(struct model *model, struct naive_world *world, int metric)
{
    struct series_list *list = &world->metrics[metric];
    struct row_answer *rows;
    const char *names[3000];
    int series = 0;
    list->name = kinds[metric].name;
    list->is_gauge = kinds[metric].kind == VARVE_GAUGE;
    list->has_starts = kinds[metric].form == SINCE_START;
    list->count = model_rows(model, list->name, INT64_MIN, INT64_MAX, &rows);
    assert_true(list->count < sizeof names / sizeof *names);
    list->points = calloc(list->count + 1, sizeof *list->points);
    for (size_t i = 0; i < list->count; i++) {
        struct point *p = &list->points[i];
        const char *labels = intern(rows[i].labels.text);
        for (p->series = 0; p->series < series && names[p->series] != labels;)
            p->series++;
        names[p->series] = labels;
        series += p->series == series;
        p->start = rows[i].start;
        p->end = rows[i].end;
        p->value = cell_of_exact(rows[i].value, kinds[metric].scale);
        for (int k = 0; k < LABELS; k++) {
            const char *text =
                stored_labels[k] ? labels_get(&rows[i].labels, stored_labels[k]) : "";
            p->labels[k] = cell_text(*text ? intern(text) : NULL);
        }
        if (p->labels[LABEL_USER].type == VARVE_CELL_TEXT)
            p->labels[LABEL_TEAM] = cell_text(team_of(p->labels[LABEL_USER].as.s.data));
    }
    qsort(list->points, list->count, sizeof *list->points, compare_points);
    free(rows);
}

/* The same as rows, by time and then by all columns. */
static void list_readings(struct naive_world *world, int metric)
{
    const struct series_list *list = &world->metrics[metric];
    struct rows *rows = &world->readings[metric];
    *rows = (struct rows){.columns = FIELDS};
    for (size_t i = 0; i < list->count; i++) {
        const struct point *p = &list->points[i];
        struct varve_cell *row = rows_add(rows);
        row[FIELD_TIME] = (struct varve_cell){.type = VARVE_CELL_TIME, .as.i = p->end};
        row[FIELD_USER] = p->labels[LABEL_USER];
        row[FIELD_MODEL] = p->labels[LABEL_MODEL];
        row[FIELD_TEAM] = p->labels[LABEL_TEAM];
        row[FIELD_COST] = p->value;
    }
    rows_sort(rows, FIELD_TIME, false);
}

static void make_roster(struct small *small)
{
    char path[FILES_PATH + 16], text[FILES_PATH + 80];
    snprintf(path, sizeof path, "%s.csv", small->path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "user.email,team\n");
    for (size_t i = 0; i < 3; i++)
        fprintf(file, "%s,%s\n", users[i], team_of(users[i]));
    fclose(file);
    snprintf(text, sizeof text, "CREATE LOOKUP roster FROM '%s' ON user_email", path);
    varve_result *result;
    MUST(varve_run(small->db, varve_str(text), NULL, &result, NULL, &test_err));
    varve_result_free(result);
    unlink(path);
}

void naive_world_make(struct naive_world *world, struct prng *prng, struct small *small)
{
    /* Days at which clocks change, in New York and in Berlin, there and back. */
    static const int64_t days[] = {INT64_C(1772755200), INT64_C(1774569600), INT64_C(1792713600),
                                   INT64_C(1793318400)};
    struct model *model = model_new();
    *world = (struct naive_world){.events.columns = FIELDS};
    world->since = days[prng_below(prng, 4)] * SECOND;
    world->until = world->since + (int64_t)(3 + prng_below(prng, 3)) * DAY;
    int sessions = 8 + (int)prng_below(prng, 6);
    for (int i = 0; i < sessions; i++) {
        tell_session(prng, small, model, i, world->since, world->until);
        if (i == sessions / 2) {
            small_append(small);
            MUST(varve_seal(small->db, INT64_MAX, NULL, &test_err));
        }
    }
    tell_events(prng, small, world);
    tell_late(small, model);
    small_append(small);
    if (prng_below(prng, 3) == 0)
        MUST(varve_seal(small->db, world->since + 2 * DAY, NULL, &test_err));
    for (int metric = 0; metric < METRICS; metric++) {
        list_points(model, world, metric);
        list_readings(world, metric);
    }
    model_free(model);
    make_roster(small);
}

void naive_world_free(struct naive_world *world)
{
    for (int metric = 0; metric < METRICS; metric++)
        free(world->metrics[metric].points);
    for (int metric = 0; metric < METRICS; metric++)
        rows_free(&world->readings[metric]);
    rows_free(&world->events);
}
