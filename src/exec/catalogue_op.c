/* SPDX-License-Identifier: Apache-2.0
 *
 * catalogue_op.c -- CATALOGUE: what SHOW lists, each from the list that the store keeps of it.
 *
 * A list is made whole into a relation and sorted by its first column, unless it says how.
 */
#include "exec/catalogue_op.h"

#include "exec/definitions.h"
#include "store/setting.h"
#include "store/visit.h"

int listing_add(struct listing *l, const struct value *cells)
{
    if (l->status != VARVE_OK)
        return 1;
    struct value *row = relation_add(&l->rows, l->err);
    l->status = row ? VARVE_OK : VARVE_NOMEM;
    for (uint32_t c = 0; l->status == VARVE_OK && c < l->node->column_count; c++) {
        row[c] = cells[c];
        l->status = relation_own(&l->rows, &row[c], l->err);
    }
    return l->status != VARVE_OK;
}

static struct value count_value(uint64_t count)
{
    return value_int(TYPE_INT, (int64_t)count);
}

/* A time that there is none of is NULL. */
static struct value time_value(int64_t instant)
{
    return instant == INT64_MAX || instant == INT64_MIN ? value_null()
                                                        : value_int(TYPE_TIME, instant);
}

static struct value literal(const char *text)
{
    return value_text((struct varve_str){text, strlen(text)});
}

/* ---- metrics and tables -------------------------------------------------------- */

const char *listing_kind(enum varve_kind kind)
{
    static const char *const names[] = {
        [VARVE_COUNTER] = "counter",
        [VARVE_GAUGE] = "gauge",
        [VARVE_HISTOGRAM] = "histogram",
        [VARVE_UPDOWN] = "up-down counter",
    };
    return names[kind];
}

static int add_metric(void *context, const struct varve_metric_info *info)
{
    const struct value cells[] = {
        value_text(info->metric.name), literal(listing_kind(info->metric.kind)),
        value_text(info->metric.unit), count_value(info->series),
        count_value(info->points),     time_value(info->oldest),
        time_value(info->newest)};
    return listing_add(context, cells);
}

static enum varve_status list_metrics(struct listing *l, struct varve_err *err)
{
    return visit_metrics(l->exec->snapshot, add_metric, l, err);
}

static int add_table(void *context, const struct varve_table_info *info)
{
    const struct value cells[] = {value_text(info->name), count_value(info->rows),
                                  time_value(info->oldest), time_value(info->newest)};
    return listing_add(context, cells);
}

static enum varve_status list_tables(struct listing *l, struct varve_err *err)
{
    return visit_tables(l->exec->snapshot, add_table, l, err);
}

/* ---- labels -------------------------------------------------------------------- */

/* Names of metrics and tables, kept while others are asked about them. */
struct name_list {
    struct listing *listing;
    struct varve_str *names;
    bool *is_metric;
    size_t count, capacity;
};

static int keep_name(struct name_list *list, struct varve_str name, bool is_metric)
{
    struct arena *arena = &list->listing->arena;
    if (list->count == list->capacity) {
        size_t capacity = 2 * list->capacity + 32;
        struct varve_str *names = arena_alloc(arena, mem_array(capacity, sizeof *names));
        bool *metrics = arena_alloc(arena, capacity);
        if (!names || !metrics)
            goto failed;
        for (size_t i = 0; i < list->count; i++) {
            names[i] = list->names[i];
            metrics[i] = list->is_metric[i];
        }
        list->names = names;
        list->is_metric = metrics;
        list->capacity = capacity;
    }
    const char *copy = arena_copy(arena, name.data, name.size);
    if (!copy)
        goto failed;
    list->is_metric[list->count] = is_metric;
    list->names[list->count++] = (struct varve_str){copy, name.size};
    return 0;
failed:
    list->listing->status = fail_nomem(list->listing->err, name.size);
    return 1;
}

static int keep_metric(void *context, const struct varve_metric_info *info)
{
    return keep_name(context, info->metric.name, true);
}
static int keep_table(void *context, const struct varve_table_info *info)
{
    return keep_name(context, info->name, false);
}
static int keep_label(void *context, const struct varve_count_info *info)
{
    return keep_name(context, info->text, true);
}

/* All metrics and tables, or the one that is asked about. */
static enum varve_status sources(struct listing *l, struct name_list *list, struct varve_err *err)
{
    *list = (struct name_list){.listing = l};
    if (l->node->as.catalogue.of.size > 0) {
        keep_name(list, l->node->as.catalogue.of, l->node->as.catalogue.of_is_metric);
        return l->status;
    }
    TRY(visit_metrics(l->exec->snapshot, keep_metric, list, err));
    TRY(l->status);
    TRY(visit_tables(l->exec->snapshot, keep_table, list, err));
    return l->status;
}

enum varve_status listing_columns(struct listing *l, struct varve_str of, bool is_metric,
                                  struct varve_str **names, size_t *count, struct varve_err *err)
{
    struct name_list list = {.listing = l};
    enum varve_status status = is_metric
                                   ? visit_labels(l->exec->snapshot, of, keep_label, &list, err)
                                   : visit_columns(l->exec->snapshot, of, keep_label, &list, err);
    *names = list.names;
    *count = list.count;
    if (status == VARVE_NOTFOUND)
        return VARVE_OK; /* known, but without data */
    return status == VARVE_OK ? l->status : status;
}

/* One label of one source. */
struct label_visit {
    struct listing *listing;
    struct varve_str source;
};

static int add_cardinality(void *context, const struct varve_count_info *info)
{
    struct label_visit *v = context;
    const struct value cells[] = {value_text(v->source), value_text(info->text),
                                  count_value(info->count)};
    return listing_add(v->listing, cells);
}

static int add_label(void *context, const struct varve_count_info *info)
{
    struct label_visit *v = context;
    const struct value cells[] = {value_text(info->text), count_value(info->count)};
    return listing_add(v->listing, cells);
}

static enum varve_status
each_label(struct listing *l, int (*add)(void *, const struct varve_count_info *),
           struct varve_err *err)
{
    struct name_list list;
    TRY(sources(l, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        struct label_visit v = {l, list.names[i]};
        TRY(exec_check(l->exec, err));
        enum varve_status status = visit_labels(l->exec->snapshot, v.source, add, &v, err);
        if (status != VARVE_NOTFOUND)
            TRY(status);
        TRY(l->status);
    }
    return VARVE_OK;
}

/* A label of several sources stands once, with the most values that one of them has. */
static enum varve_status list_labels(struct listing *l, struct varve_err *err)
{
    const uint32_t by[] = {0, 1};
    const bool descending[] = {false, true};
    uint64_t kept = 0;
    TRY(each_label(l, add_label, err));
    TRY(relation_sort(&l->rows, by, descending, 2, err));
    for (uint64_t i = 0; i < l->rows.rows; i++) {
        struct value *row = relation_row(&l->rows, i);
        if (kept > 0 && value_compare(relation_row(&l->rows, kept - 1)[0], row[0]) == 0)
            continue;
        struct value *to = relation_row(&l->rows, kept++);
        to[0] = row[0];
        to[1] = row[1];
    }
    relation_cut(&l->rows, kept);
    return VARVE_OK;
}

static enum varve_status list_cardinality(struct listing *l, struct varve_err *err)
{
    const uint32_t by = 2;
    const bool descending = true;
    TRY(each_label(l, add_cardinality, err));
    l->is_sorted = true;
    return relation_sort(&l->rows, &by, &descending, 1, err);
}

/* ---- what the user has defined ----------------------------------------------------- */

static int add_view(void *context, const struct definition *view)
{
    const struct value cells[] = {value_text(view->name), value_text(view->text)};
    return listing_add(context, cells);
}

static enum varve_status list_views(struct listing *l, struct varve_err *err)
{
    return views_visit(l->exec->snapshot->store, add_view, l, err);
}

static int add_setting(void *context, struct varve_str name, struct varve_str value)
{
    const struct value cells[] = {value_text(name), value_text(value)};
    return memchr(name.data, '/', name.size) ? 0 : listing_add(context, cells);
}

static enum varve_status list_settings(struct listing *l, struct varve_err *err)
{
    return store_visit_settings(l->exec->snapshot->store, add_setting, l, err);
}

static enum varve_status list_lookups(struct listing *l, struct varve_err *err)
{
    struct lookups lookups;
    TRY(lookups_load(l->exec->snapshot->store, &l->arena, &lookups, err));
    for (uint32_t i = 0; i < lookups.count; i++) {
        const struct lookup *lookup = &lookups.items[i];
        struct buf fields;
        buf_init(&fields, l->exec->mem, 1 << 20);
        for (uint32_t f = 0; f < lookup->field_count; f++) {
            buf_put(&fields, ", ", f > 0 ? 2 : 0);
            buf_put(&fields, lookup->fields[f].data, lookup->fields[f].size);
        }
        const struct value cells[] = {
            value_text(lookup->name), value_text(lookup->on),
            value_text((struct varve_str){(const char *)fields.data, fields.size}),
            count_value(lookup->rows)};
        enum varve_status status = buf_status(&fields, err);
        if (status == VARVE_OK && listing_add(l, cells) != 0)
            status = l->status;
        buf_free(&fields);
        TRY(status);
    }
    return VARVE_OK;
}

/* ---- how it is kept ------------------------------------------------------------------ */

/* What is sealed and what waits in the journal. */
static enum varve_status list_tiers(struct listing *l, struct varve_err *err)
{
    struct snapshot *s = l->exec->snapshot;
    struct tier {
        uint64_t rows, bytes;
        int64_t oldest, newest;
    } tiers[2] = {{0, 0, INT64_MAX, INT64_MIN}, {0, 0, INT64_MAX, INT64_MIN}};
    for (size_t i = 0; i < s->source_count; i++) {
        const struct source *source = &s->sources[i];
        struct tier *tier = &tiers[source->memory != NULL];
        const uint8_t *bytes;
        size_t size;
        char place[64];
        TRY(snapshot_bytes(s, source, &bytes, &size, place, err));
        tier->rows += source->rows;
        tier->bytes += size;
        tier->oldest = source->first < tier->oldest ? source->first : tier->oldest;
        tier->newest = source->last > tier->newest ? source->last : tier->newest;
    }
    for (int i = 0; i < 2; i++) {
        const struct value cells[] = {literal(i ? "journal" : "raw"), count_value(tiers[i].rows),
                                      count_value(tiers[i].bytes), time_value(tiers[i].oldest),
                                      time_value(tiers[i].newest)};
        if (listing_add(l, cells) != 0)
            return l->status;
    }
    l->is_sorted = true;
    return VARVE_OK;
}

/* Everything is kept until it is told to go. */
static enum varve_status list_retention(struct listing *l, struct varve_err *err)
{
    const struct value cells[] = {literal("raw"), value_null()};
    (void)err;
    listing_add(l, cells);
    return l->status;
}

/* An empty list would say that there could be some. */
static enum varve_status list_unknown(struct listing *l, struct varve_err *err)
{
    (void)l;
    return fail(err, VARVE_INVALID, "SHOW",
                "this version keeps views and lookups, and no panels, dashboards and alerts");
}

/* ---- the operator --------------------------------------------------------------------- */

static enum varve_status (*const lists[SHOW_KINDS + 1])(struct listing *, struct varve_err *) = {
    [SHOW_METRICS] = list_metrics,     [SHOW_TABLES] = list_tables,
    [SHOW_LABELS] = list_labels,       [SHOW_VALUES] = list_values,
    [SHOW_SERIES] = list_series,       [SHOW_CARDINALITY] = list_cardinality,
    [SHOW_PANELS] = list_unknown,      [SHOW_DASHBOARDS] = list_unknown,
    [SHOW_ALERTS] = list_unknown,      [SHOW_LOOKUPS] = list_lookups,
    [SHOW_VIEWS] = list_views,         [SHOW_TIERS] = list_tiers,
    [SHOW_RETENTION] = list_retention, [SHOW_SETTINGS] = list_settings,
    [SHOW_KINDS] = list_description,
};

static enum varve_status open_listing(struct op *op, struct varve_err *err)
{
    struct listing *l = arena_zalloc(&op->exec->arena, sizeof *l);
    if (!l)
        return fail_nomem(err, sizeof *l);
    op->state = l;
    *l = (struct listing){.op = op, .exec = op->exec, .node = op->node};
    op_relation(op, &l->rows, op->node->column_count);
    arena_init(&l->arena, op->exec->mem, 1 << 12);
    return VARVE_OK;
}

static enum varve_status make(struct listing *l, struct varve_err *err)
{
    const uint32_t by = 0;
    l->err = err;
    l->is_made = true;
    TRY(lists[l->node->as.catalogue.what](l, err));
    TRY(l->status);
    return l->is_sorted ? VARVE_OK : relation_sort(&l->rows, &by, NULL, 1, err);
}

static enum varve_status next_listing(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct listing *l = op->state;
    if (!l->is_made)
        TRY(make(l, err));
    TRY(relation_batch(&l->rows, l->at, batch, err));
    l->at += batch->rows;
    return VARVE_OK;
}

static void close_listing(struct op *op)
{
    struct listing *l = op->state;
    if (!l)
        return;
    relation_free(&l->rows);
    arena_free(&l->arena);
}

const struct op_kind op_catalogue = {open_listing, next_listing, close_listing};
