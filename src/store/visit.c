/* SPDX-License-Identifier: Apache-2.0
 *
 * visit.c -- lists of metrics, tables, labels and values.
 *
 * Names are interned as they turn up in the segments, with a number or two
 * beside each; at the end they are sorted and handed out.
 */
#include "store/visit.h"

#include <stdlib.h>

#include "store/scan.h"

/* Texts with a count each, and for labels the set of their distinct values. */
struct tally {
    struct intern names;
    uint64_t *counts;
    size_t capacity;
};

static enum varve_status
tally_init(struct tally *tally, struct mem *mem, uint64_t seed, struct varve_err *err)
{
    memset(tally, 0, sizeof *tally);
    return intern_init(&tally->names, mem, seed, err);
}

static void tally_free(struct tally *tally)
{
    mem_free(tally->names.mem, tally->counts, tally->capacity * sizeof *tally->counts);
    intern_free(&tally->names);
}

/* Id 0 is the empty text, which is no name; its count is never asked for. */
static enum varve_status
tally_add(struct tally *tally, struct varve_str name, uint64_t count, struct varve_err *err)
{
    uint32_t id;
    size_t before = tally->capacity;
    TRY(intern_put(&tally->names, name, &id, err));
    TRY(mem_grow(tally->names.mem, (void **)&tally->counts, &tally->capacity, tally->names.count,
                 sizeof *tally->counts, err));
    if (tally->capacity > before)
        memset(tally->counts + before, 0, (tally->capacity - before) * sizeof *tally->counts);
    tally->counts[id] += count;
    return VARVE_OK;
}

static int by_name(const void *a, const void *b)
{
    return str_compare(((const struct varve_count_info *)a)->text,
                       ((const struct varve_count_info *)b)->text);
}

static int by_count(const void *a, const void *b)
{
    const struct varve_count_info *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return by_name(a, b);
}

static enum varve_status tally_visit(struct tally *tally, int (*order)(const void *, const void *),
                                     int (*visit)(void *, const struct varve_count_info *),
                                     void *context, struct varve_err *err)
{
    size_t n = 0, size = tally->names.count * sizeof(struct varve_count_info);
    struct varve_count_info *items = mem_alloc(tally->names.mem, size);
    if (!items)
        return fail_nomem(err, size);
    for (uint32_t id = 1; id < tally->names.count; id++)
        if (tally->counts[id] > 0)
            items[n++] =
                (struct varve_count_info){intern_text(&tally->names, id), tally->counts[id]};
    qsort(items, n, sizeof *items, order);
    for (size_t i = 0; i < n && visit(context, &items[i]) == 0; i++)
        ;
    mem_free(tally->names.mem, items, size);
    return VARVE_OK;
}

/* ---- metrics ----------------------------------------------------------- */

struct listed_metric {
    struct varve_metric_info info;
    int32_t first_day, last_day; /* that have points of it */
};
struct metric_list {
    struct intern names;
    struct listed_metric *metrics; /* by id */
    size_t capacity;
};

static enum varve_status add_metric(struct metric_list *list, const struct segment_metric *m,
                                    struct source *source, struct varve_err *err)
{
    uint32_t id, unit;
    size_t before = list->capacity;
    TRY(intern_put(&list->names, m->name, &id, err));
    TRY(intern_put(&list->names, m->unit, &unit, err));
    TRY(mem_grow(list->names.mem, (void **)&list->metrics, &list->capacity, list->names.count,
                 sizeof *list->metrics, err));
    if (list->capacity > before)
        memset(list->metrics + before, 0, (list->capacity - before) * sizeof *list->metrics);
    struct listed_metric *metric = &list->metrics[id];
    struct varve_metric_info *info = &metric->info;
    if (info->metric.kind == 0) {
        *info =
            (struct varve_metric_info){.oldest = INT64_MAX, .newest = INT64_MIN, .scale = m->scale};
        info->metric.kind = (enum varve_kind)m->kind;
    }
    info->metric.name = intern_text(&list->names, id);
    if (m->unit.size > 0)
        info->metric.unit = intern_text(&list->names, unit);
    if (info->points == 0)
        metric->first_day = source->day; /* sources come in the order of their days */
    if (m->points > 0)
        metric->last_day = source->day;
    info->points += m->points;
    info->series += m->series;
    return VARVE_OK;
}

/* The oldest and the newest point of a metric are in its first and its last day. */
static enum varve_status date_metric(struct listed_metric *metric, struct segment *segment,
                                     struct arena *arena, struct varve_err *err)
{
    struct segment_runs runs;
    struct varve_metric_info *info = &metric->info;
    uint32_t m = segment_find_metric(segment, info->metric.name);
    if (m == UINT32_MAX)
        return VARVE_OK;
    TRY(segment_runs(segment, m, arena, &runs, err));
    for (uint32_t r = 0; r < runs.count; r++) {
        if (runs.mode[r] == ROW_ADJUST || runs.mode[r] == ROW_BASE)
            continue;
        if (runs.first[r] < info->oldest)
            info->oldest = runs.first[r];
        if (runs.last[r] > info->newest)
            info->newest = runs.last[r];
    }
    return VARVE_OK;
}

static enum varve_status
date_metrics(struct snapshot *s, struct metric_list *list, struct varve_err *err)
{
    struct arena arena;
    enum varve_status status = VARVE_OK;
    arena_init(&arena, s->mem, 1 << 14);
    for (size_t i = 0; i < s->source_count; i++) {
        struct segment segment;
        bool is_open = false;
        TRYOUT(snapshot_check(s, err));
        for (size_t id = 1; id < list->names.count; id++) {
            struct listed_metric *m = &list->metrics[id];
            int32_t day = s->sources[i].day;
            if (m->info.points == 0 || s->sources[i].table != 0 ||
                (day != m->first_day && day != m->last_day))
                continue;
            if (!is_open) {
                arena_clear(&arena);
                TRYOUT(snapshot_segment(s, &s->sources[i], &arena, &segment, err));
            }
            is_open = true;
            TRYOUT(date_metric(m, &segment, &arena, err));
        }
    }
out:
    arena_free(&arena);
    return status;
}

static enum varve_status
list_metrics(struct snapshot *s, struct metric_list *list, struct varve_err *err)
{
    struct arena arena;
    enum varve_status status = VARVE_OK;
    arena_init(&arena, s->mem, 1 << 14);
    for (size_t i = 0; i < s->source_count; i++) {
        struct segment segment;
        if (s->sources[i].table != 0)
            continue;
        TRYOUT(snapshot_check(s, err));
        arena_clear(&arena);
        TRYOUT(snapshot_segment(s, &s->sources[i], &arena, &segment, err));
        for (uint32_t m = 0; m < segment.metric_count; m++)
            TRYOUT(add_metric(list, &segment.metrics[m], &s->sources[i], err));
    }
out:
    arena_free(&arena);
    return status == VARVE_OK ? date_metrics(s, list, err) : status;
}

static int metrics_by_name(const void *a, const void *b)
{
    return str_compare(((const struct listed_metric *)a)->info.metric.name,
                       ((const struct listed_metric *)b)->info.metric.name);
}

enum varve_status
visit_metrics(struct snapshot *snapshot, int (*visit)(void *, const struct varve_metric_info *),
              void *context, struct varve_err *err)
{
    struct metric_list list = {.capacity = 0};
    struct mem *mem = snapshot->mem;
    TRY(intern_init(&list.names, mem, snapshot->store->identity.seed, err));
    enum varve_status status = list_metrics(snapshot, &list, err);
    if (status == VARVE_OK) {
        size_t n = 0;
        for (size_t id = 1; id < list.names.count; id++)
            if (list.metrics[id].info.metric.kind != 0) /* the others are units */
                list.metrics[n++] = list.metrics[id];
        if (n > 1) /* of none there is no array */
            qsort(list.metrics, n, sizeof *list.metrics, metrics_by_name);
        for (size_t i = 0; i < n && visit(context, &list.metrics[i].info) == 0; i++)
            ;
    }
    mem_free(mem, list.metrics, list.capacity * sizeof *list.metrics);
    intern_free(&list.names);
    return status;
}

enum varve_status
visit_tables(struct snapshot *s, int (*visit)(void *, const struct varve_table_info *),
             void *context, struct varve_err *err)
{
    (void)err;
    for (uint32_t t = 1; t <= s->table_count; t++) {
        struct varve_table_info info = {s->tables[t - 1], 0, INT64_MAX, INT64_MIN};
        for (size_t i = 0; i < s->source_count; i++) {
            if (s->sources[i].table != t)
                continue;
            info.rows += s->sources[i].rows;
            if (s->sources[i].first < info.oldest)
                info.oldest = s->sources[i].first;
            if (s->sources[i].last > info.newest)
                info.newest = s->sources[i].last;
        }
        if (info.rows > 0 && visit(context, &info) != 0)
            break;
    }
    return VARVE_OK;
}

/* ---- labels and values -------------------------------------------------- */

/* What is asked of each segment: with a label, its values; without, the labels, or the columns of a
 * table. */
struct question {
    struct snapshot *snapshot;
    struct varve_str source, label;
    bool values, columns, found;
    struct tally tally;
    struct intern seen; /* label NUL value, for counting distinct values of labels */
    uint64_t counted;   /* values so far */
    struct arena arena;
};

enum { CHECK_EVERY = 1 << 12 }; /* values that are counted between two questions whether to go on */

/* Counts a label once for each value it is met with the first time. */
static enum varve_status count_value(struct question *q, struct varve_str label,
                                     struct varve_str value, struct varve_err *err)
{
    char *both = arena_alloc(&q->arena, label.size + 1 + value.size);
    size_t before = q->seen.count;
    uint32_t id;
    if (++q->counted % CHECK_EVERY == 0)
        TRY(snapshot_check(q->snapshot, err));
    if (!both)
        return fail_nomem(err, label.size + value.size);
    memcpy(both, label.data, label.size);
    both[label.size] = '\0';
    memcpy(both + label.size + 1, value.data, value.size);
    TRY(intern_put(&q->seen, (struct varve_str){both, label.size + 1 + value.size}, &id, err));
    return q->seen.count > before ? tally_add(&q->tally, label, 1, err) : VARVE_OK;
}

static enum varve_status ask_segment_key(struct question *q, struct segment *segment, uint32_t key,
                                         const struct segment_runs *runs, struct varve_err *err)
{
    const struct varve_str *texts;
    uint32_t count;
    TRY(segment_dictionary(segment, key, &q->arena, &texts, &count, err));
    uint32_t *codes = arena_alloc(&q->arena, mem_array(runs->count + 1, sizeof *codes));
    uint64_t *points = arena_zalloc(&q->arena, mem_array(count, sizeof *points));
    if (!codes || !points)
        return fail_nomem(err, runs->count * sizeof *codes);
    TRY(segment_codes(segment, key, segment->metrics[runs->metric].first_run, runs->count, codes,
                      err));
    /* A series of which there is only a baseline has labels, but no points. */
    for (uint32_t r = 0; r < runs->count; r++)
        if (runs->mode[r] != ROW_ADJUST && (!q->values || runs->mode[r] != ROW_BASE))
            points[codes[r]] += runs->rows[r];
    for (uint32_t i = 1; i < count; i++) {
        if (points[i] == 0)
            continue;
        if (q->values)
            TRY(tally_add(&q->tally, texts[i], points[i], err));
        else
            TRY(count_value(q, segment->keys[key], texts[i], err));
    }
    return VARVE_OK;
}

static enum varve_status
ask_segment(struct question *q, struct source *source, struct varve_err *err)
{
    struct segment segment;
    struct segment_runs runs;
    TRY(snapshot_segment(q->snapshot, source, &q->arena, &segment, err));
    uint32_t metric = segment_find_metric(&segment, q->source);
    if (metric == UINT32_MAX)
        return VARVE_OK;
    q->found = true;
    TRY(segment_runs(&segment, metric, &q->arena, &runs, err));
    for (uint32_t k = 0; k < segment.key_count; k++)
        if (!q->values || str_equal(segment.keys[k], q->label))
            TRY(ask_segment_key(q, &segment, k, &runs, err));
    return VARVE_OK;
}

static enum varve_status
ask_column(struct question *q, struct table *table, uint32_t column, struct varve_err *err)
{
    struct table_values v;
    TRY(table_values(table, column, &q->arena, &v, err));
    uint64_t *rows = arena_zalloc(&q->arena, mem_array(v.text_count + 1, sizeof *rows));
    if (!rows)
        return fail_nomem(err, v.text_count * sizeof *rows);
    for (uint32_t r = 0; r < table->rows; r++)
        rows[v.codes[r]]++;
    for (uint32_t i = 1; i < v.text_count; i++) {
        if (q->values)
            TRY(tally_add(&q->tally, v.texts[i], rows[i], err));
        else
            TRY(count_value(q, table->columns[column].name, v.texts[i], err));
    }
    return VARVE_OK;
}

static enum varve_status ask_table(struct question *q, struct source *source, struct varve_err *err)
{
    struct table table;
    TRY(snapshot_table(q->snapshot, source, &q->arena, &table, err));
    q->found = true;
    for (uint32_t c = 0; q->columns && c < table.column_count; c++)
        TRY(tally_add(&q->tally, table.columns[c].name, table.columns[c].cells, err));
    for (uint32_t c = 0; !q->columns && c < table.column_count; c++)
        if (table.columns[c].type == VARVE_TEXT &&
            (!q->values || str_equal(table.columns[c].name, q->label)))
            TRY(ask_column(q, &table, c, err));
    return VARVE_OK;
}

static enum varve_status ask_all(struct question *q, struct varve_err *err)
{
    struct snapshot *s = q->snapshot;
    uint32_t table = snapshot_table_number(s, q->source);
    for (size_t i = 0; i < s->source_count; i++) {
        TRY(snapshot_check(s, err));
        arena_clear(&q->arena);
        if (s->sources[i].table == 0)
            TRY(ask_segment(q, &s->sources[i], err));
        else if (s->sources[i].table == table)
            TRY(ask_table(q, &s->sources[i], err));
    }
    if (!q->found)
        return scan_unknown(s, "list", q->source, &q->arena, err);
    return VARVE_OK;
}

static enum varve_status
ask(struct question *q, int (*visit)(void *, const struct varve_count_info *), void *context,
    struct varve_err *err)
{
    struct mem *mem = q->snapshot->mem;
    TRY(tally_init(&q->tally, mem, q->snapshot->store->identity.seed, err));
    arena_init(&q->arena, mem, 1 << 14);
    enum varve_status status = intern_init(&q->seen, mem, q->snapshot->store->identity.seed, err);
    if (status == VARVE_OK) {
        status = ask_all(q, err);
        if (status == VARVE_OK)
            status = tally_visit(&q->tally, q->values ? by_count : by_name, visit, context, err);
        intern_free(&q->seen);
    }
    arena_free(&q->arena);
    tally_free(&q->tally);
    return status;
}

enum varve_status visit_labels(struct snapshot *snapshot, struct varve_str source,
                               int (*visit)(void *, const struct varve_count_info *), void *context,
                               struct varve_err *err)
{
    struct question q = {.snapshot = snapshot, .source = source};
    return ask(&q, visit, context, err);
}

enum varve_status visit_columns(struct snapshot *snapshot, struct varve_str table,
                                int (*visit)(void *, const struct varve_count_info *),
                                void *context, struct varve_err *err)
{
    struct question q = {.snapshot = snapshot, .source = table, .columns = true};
    return ask(&q, visit, context, err);
}

enum varve_status
visit_values(struct snapshot *snapshot, struct varve_str source, struct varve_str label,
             int (*visit)(void *, const struct varve_count_info *), void *context,
             struct varve_err *err)
{
    struct question q = {.snapshot = snapshot, .source = source, .label = label, .values = true};
    return ask(&q, visit, context, err);
}
