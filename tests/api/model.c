/* SPDX-License-Identifier: Apache-2.0
 *
 * model.c -- a list of points, and answers worked out from all of it every time.
 *
 * As slow and as plain as it may be: whoever reads this should see at once that it is right.
 */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRAIN_BITS 72
#define GRAINS ((wide)1 << GRAIN_BITS)
#define NS_A_DAY INT64_C(86400000000000)

static void *must(void *pointer)
{
    if (!pointer) {
        fprintf(stderr, "the model has no memory\n");
        abort();
    }
    return pointer;
}

/* ---- numbers ----------------------------------------------------------- */

struct exact exact_of_int(int64_t i)
{
    return (struct exact){i, 0};
}

/* v as m * 2^e with m odd (or 0). */
static int64_t mantissa(double v, int *e)
{
    int64_t m = (int64_t)ldexp(frexp(v, e), 53);
    *e -= 53;
    while (m != 0 && m % 2 == 0) {
        m /= 2;
        ++*e;
    }
    return m;
}

struct exact exact_of_double(double f)
{
    int e;
    wide m = mantissa(f, &e);
    if (m == 0)
        return (struct exact){0, 0};
    if (e < -GRAIN_BITS || e > 60) {
        fprintf(stderr, "%a is beyond the numbers of the model\n", f);
        abort();
    }
    if (e >= 0)
        return (struct exact){m * ((wide)1 << e), 0};
    wide unit = (wide)1 << -e, whole = m / unit;
    if (whole * unit > m)
        whole--;
    return (struct exact){whole, (m - whole * unit) * ((wide)1 << (GRAIN_BITS + e))};
}

void exact_add(struct exact *to, struct exact n)
{
    to->whole += n.whole;
    to->grains += n.grains;
    if (to->grains >= GRAINS) {
        to->grains -= GRAINS;
        to->whole++;
    }
}

struct exact exact_minus(struct exact a, struct exact b)
{
    struct exact n = {a.whole - b.whole, a.grains - b.grains};
    if (n.grains < 0) {
        n.grains += GRAINS;
        n.whole--;
    }
    return n;
}

int exact_compare(struct exact a, struct exact b)
{
    if (a.whole != b.whole)
        return a.whole < b.whole ? -1 : 1;
    return (a.grains > b.grains) - (a.grains < b.grains);
}

void exact_text(struct exact n, char text[80])
{
    char digits[48];
    size_t at = sizeof digits;
    bool negative = n.whole < 0;
    wide rest = negative ? -n.whole : n.whole;
    digits[--at] = '\0';
    do
        digits[--at] = (char)('0' + (int)(rest % 10));
    while ((rest /= 10) > 0);
    double part = ldexp((double)(int64_t)(n.grains >> 10), 10 - GRAIN_BITS);
    snprintf(text, 80, "%s%s + %.17g", negative ? "-" : "", digits + at, part);
}

/* m * 2^e * 10^9 = p * 2^e with an exact p of at most 83 bits. */
wide nanos_of_double(double v)
{
    int e;
    wide p = (wide)mantissa(v, &e) * 1000000000;
    if (e >= 0)
        return p * ((wide)1 << e);
    if (e < -120)
        return 0;
    wide unit = (wide)1 << -e, down = p / unit;
    if (down * unit > p)
        down--;
    wide twice = (p - down * unit) * 2;
    if (twice > unit || (twice == unit && down % 2 != 0))
        down++;
    return down;
}

/* ---- labels ------------------------------------------------------------ */

static void add_line(struct labels *labels, const char *key, const char *between, const char *value)
{
    size_t at = strlen(labels->text), need = strlen(key) + strlen(between) + strlen(value) + 2;
    if (need > LABELS_TEXT - at) {
        fprintf(stderr, "too many labels for the model\n");
        abort();
    }
    snprintf(labels->text + at, LABELS_TEXT - at, "%s%s%s\n", key, between, value);
}

void labels_set(struct labels *labels, const char *key, const char *value)
{
    struct labels old = *labels;
    size_t key_size = strlen(key);
    bool done = value[0] == '\0';
    labels->text[0] = '\0';
    for (char *line = old.text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        size_t name = strcspn(line, "=");
        int order = strncmp(line, key, name < key_size ? name : key_size);
        if (order == 0)
            order = (name > key_size) - (name < key_size);
        if (order > 0 && !done) {
            add_line(labels, key, "=", value);
            done = true;
        }
        if (order != 0)
            add_line(labels, line, "", "");
    }
    if (!done)
        add_line(labels, key, "=", value);
}

const char *labels_get(const struct labels *labels, const char *key)
{
    static char values[4][LABELS_TEXT];
    static int turn;
    size_t size = strlen(key);
    turn = (turn + 1) % 4;
    for (const char *line = labels->text; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, key, size) == 0 && line[size] == '=') {
            snprintf(values[turn], LABELS_TEXT, "%.*s", (int)strcspn(line + size + 1, "\n"),
                     line + size + 1);
            return values[turn];
        }
    return "";
}

/* ---- the list ---------------------------------------------------------- */

struct point {
    char metric[48];
    struct labels labels;
    int mode; /* 'd', 'c', 'g'; 0: no row; -1: the end of a list */
    int64_t start, end;
    struct exact value;
    bool expired; /* its day has been forgotten */
};
struct event {
    char table[48];
    struct event_answer event;
    bool expired;
};
struct model {
    struct point *points;
    size_t point_count, point_room;
    struct event *events;
    size_t event_count, event_room;
    int64_t floor;
};

struct model *model_new(void)
{
    struct model *model = must(calloc(1, sizeof *model));
    model->floor = INT64_MIN;
    return model;
}

struct model *model_copy(const struct model *model)
{
    struct model *copy = must(malloc(sizeof *copy));
    *copy = *model;
    copy->points = must(calloc(model->point_room + 1, sizeof *copy->points));
    copy->events = must(calloc(model->event_room + 1, sizeof *copy->events));
    if (model->point_count)
        memcpy(copy->points, model->points, model->point_count * sizeof *copy->points);
    if (model->event_count)
        memcpy(copy->events, model->events, model->event_count * sizeof *copy->events);
    return copy;
}

void model_free(struct model *model)
{
    if (!model)
        return;
    free(model->points);
    free(model->events);
    free(model);
}

static struct exact value_of(struct varve_value value, int scale)
{
    if (scale == 9 && value.type == VARVE_FLOAT)
        return (struct exact){nanos_of_double(value.as.f), 0};
    if (scale == 9)
        return (struct exact){(wide)value.as.i * 1000000000, 0};
    return value.type == VARVE_FLOAT ? exact_of_double(value.as.f) : exact_of_int(value.as.i);
}

static void add_point(struct model *model, const struct point *point)
{
    if (point->end < model->floor)
        return;
    if (model->point_count == model->point_room) {
        model->point_room = model->point_room * 2 + 64;
        model->points = must(realloc(model->points, model->point_room * sizeof *model->points));
    }
    model->points[model->point_count++] = *point;
}

void model_counter(struct model *model, const char *metric, int scale, const struct labels *labels,
                   enum varve_temporality temporality, int64_t start, int64_t end,
                   struct varve_value value)
{
    struct point point = {.labels = *labels,
                          .mode = temporality == VARVE_DELTA ? 'd' : 'c',
                          .start = start,
                          .end = end,
                          .value = value_of(value, scale)};
    snprintf(point.metric, sizeof point.metric, "%s", metric);
    add_point(model, &point);
}

void model_gauge(struct model *model, const char *metric, int scale, const struct labels *labels,
                 int64_t time, struct varve_value value)
{
    struct point point = {
        .labels = *labels, .mode = 'g', .end = time, .value = value_of(value, scale)};
    snprintf(point.metric, sizeof point.metric, "%s", metric);
    add_point(model, &point);
}

void model_event(struct model *model, const char *table, int64_t time, const char *text)
{
    struct event event = {.event = {.time = time}};
    if (time < model->floor)
        return;
    snprintf(event.table, sizeof event.table, "%s", table);
    snprintf(event.event.text, sizeof event.event.text, "%s", text);
    if (model->event_count == model->event_room) {
        model->event_room = model->event_room * 2 + 64;
        model->events = must(realloc(model->events, model->event_room * sizeof *model->events));
    }
    model->events[model->event_count++] = event;
}

void model_forget(struct model *model, int64_t before)
{
    int64_t floor = before - before % NS_A_DAY;
    if (floor <= model->floor)
        return;
    model->floor = floor;
    for (size_t i = 0; i < model->point_count; i++)
        model->points[i].expired |= model->points[i].end < floor;
    for (size_t i = 0; i < model->event_count; i++)
        model->events[i].expired |= model->events[i].event.time < floor;
}

/* ---- answers ----------------------------------------------------------- */

/* By stream, then end, then value. */
static int compare_points(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    int order = strcmp(x->metric, y->metric);
    if (order == 0)
        order = strcmp(x->labels.text, y->labels.text);
    if (order == 0)
        order = x->mode - y->mode;
    if (order == 0)
        order = (x->start > y->start) - (x->start < y->start);
    if (order == 0)
        order = (x->end > y->end) - (x->end < y->end);
    return order ? order : exact_compare(x->value, y->value);
}

static bool same_stream(const struct point *a, const struct point *b)
{
    return strcmp(a->metric, b->metric) == 0 && strcmp(a->labels.text, b->labels.text) == 0 &&
           a->mode == b->mode && a->start == b->start;
}

/* Turns the readings of one stream into increments; what makes no row gets the mode 0. */
static void readings_to_increments(struct point *points, size_t count)
{
    struct exact reached = {0, 0};
    bool known = points[0].start != 0, from_zero = points[0].start == VARVE_FROM_ZERO;
    for (size_t i = 0; i < count; i++) {
        struct exact reading = points[i].value;
        if (i + 1 < count && points[i + 1].end == points[i].end && known) {
            points[i].mode = 0; /* a larger one of the same end follows */
            continue;
        }
        if (i == 0 && !known) {
            points[i].mode = 0;
            reached = reading;
        } else if (exact_compare(reading, reached) >= 0) {
            points[i].value = exact_minus(reading, reached);
            reached = reading;
        } else if (known && !from_zero) {
            points[i].value = exact_of_int(0);
        } else {
            reached = reading; /* a reset: all of it is new */
        }
    }
}

/* All points as rows, sorted; what is no row has the mode 0 or is expired. */
static struct point *all_rows(const struct model *model)
{
    size_t count = model->point_count, kept = 0;
    struct point *points = must(calloc(count + 1, sizeof *points));
    if (count)
        memcpy(points, model->points, count * sizeof *points);
    qsort(points, count, sizeof *points, compare_points);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_points(&points[kept - 1], &points[i]) != 0)
            points[kept++] = points[i];
    for (size_t i = 0, end; i < kept; i = end) {
        for (end = i + 1; end < kept && same_stream(&points[i], &points[end]); end++)
            ;
        if (points[i].mode == 'c')
            readings_to_increments(points + i, end - i);
    }
    points[kept].mode = -1; /* the end */
    return points;
}

size_t model_rows(const struct model *model, const char *metric, int64_t since, int64_t until,
                  struct row_answer **rows)
{
    struct point *points = all_rows(model);
    size_t count = 0;
    *rows = must(calloc(model->point_count + 1, sizeof **rows));
    for (const struct point *p = points; p->mode >= 0; p++)
        if (p->mode > 0 && !p->expired && strcmp(p->metric, metric) == 0 && p->end >= since &&
            p->end < until)
            (*rows)[count++] = (struct row_answer){p->labels, p->start, p->end, p->value};
    free(points);
    qsort(*rows, count, sizeof **rows, compare_row_answers);
    return count;
}

uint64_t model_points(const struct model *model)
{
    struct point *points = all_rows(model);
    uint64_t count = 0;
    for (const struct point *p = points; p->mode >= 0; p++)
        count += p->mode > 0 && !p->expired;
    free(points);
    return count;
}

size_t model_events(const struct model *model, const char *table, int64_t since, int64_t until,
                    struct event_answer **events)
{
    size_t count = 0, kept = 0;
    *events = must(calloc(model->event_count + 1, sizeof **events));
    for (size_t i = 0; i < model->event_count; i++) {
        const struct event *e = &model->events[i];
        if (!e->expired && (!table || strcmp(e->table, table) == 0) && e->event.time >= since &&
            e->event.time < until)
            (*events)[count++] = e->event;
    }
    qsort(*events, count, sizeof **events, compare_event_answers);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_event_answers(&(*events)[kept - 1], &(*events)[i]) != 0)
            (*events)[kept++] = (*events)[i];
    return kept;
}

uint64_t model_event_count(const struct model *model)
{
    uint64_t count = 0;
    for (size_t i = 0; i < model->event_count; i++) {
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = strcmp(model->events[k].table, model->events[i].table) != 0 ||
                    compare_event_answers(&model->events[k].event, &model->events[i].event) != 0;
        count += first && !model->events[i].expired;
    }
    return count;
}

size_t group_rows(const struct row_answer *rows, size_t count, const char *const *keys,
                  size_t key_count, struct group_answer **groups)
{
    size_t group_count = 0;
    *groups = must(calloc(count + 1, sizeof **groups));
    for (size_t i = 0; i < count; i++) {
        struct labels labels = {""};
        for (size_t k = 0; k < key_count; k++)
            labels_set(&labels, keys[k], labels_get(&rows[i].labels, keys[k]));
        size_t g = 0;
        while (g < group_count && strcmp((*groups)[g].labels.text, labels.text) != 0)
            g++;
        if (g == group_count)
            (*groups)[group_count++] = (struct group_answer){.labels = labels};
        exact_add(&(*groups)[g].sum, rows[i].value);
        (*groups)[g].points++;
    }
    qsort(*groups, group_count, sizeof **groups, compare_group_answers);
    return group_count;
}

int compare_row_answers(const void *a, const void *b)
{
    const struct row_answer *x = a, *y = b;
    int order = strcmp(x->labels.text, y->labels.text);
    if (order == 0)
        order = (x->start > y->start) - (x->start < y->start);
    if (order == 0)
        order = (x->end > y->end) - (x->end < y->end);
    return order ? order : exact_compare(x->value, y->value);
}

int compare_group_answers(const void *a, const void *b)
{
    const struct group_answer *x = a, *y = b;
    return strcmp(x->labels.text, y->labels.text);
}

int compare_event_answers(const void *a, const void *b)
{
    const struct event_answer *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return strcmp(x->text, y->text);
}
