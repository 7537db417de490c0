/* SPDX-License-Identifier: Apache-2.0
 *
 * names_of_store.c -- answers the binder's questions from a snapshot, the catalogue of names and
 * the user's definitions.
 */
#include "api/names_of_store.h"

#include "base/names.h"
#include "store/batch.h"
#include "store/describe.h"
#include "store/setting.h"
#include "store/visit.h"

static enum varve_status kept(struct arena *arena, struct varve_str *text, struct varve_err *err)
{
    char *copy = arena_copy(arena, text->data, text->size);
    if (!copy)
        return fail_nomem(err, text->size);
    text->data = copy;
    return VARVE_OK;
}

/* ---- sources ------------------------------------------------------------------- */

static struct schema_source known_metric(const struct name_metric *metric)
{
    enum varve_kind kind = (enum varve_kind)metric->kind;
    return (struct schema_source){.kind = SOURCE_METRIC,
                                  .name = metric->name,
                                  .metric = kind,
                                  .scale = metric_scale(metric->unit, kind),
                                  .unit = metric->unit};
}

static enum varve_status look_for_source(struct store_names *names, struct varve_str name,
                                         struct schema_source *source, struct varve_err *err)
{
    const struct name_metric *known = names_metric(name);
    struct described_metric metric;
    *source = (struct schema_source){.kind = SOURCE_METRIC, .name = known ? known->name : name};
    TRY(kept(names->arena, &source->name, err));
    enum varve_status status =
        describe_metric(names->snapshot, source->name, names->arena, &metric, err);
    if (status != VARVE_NOTFOUND) {
        source->metric = metric.kind;
        source->scale = metric.scale;
        source->unit = metric.unit;
        return status;
    }
    struct varve_str spellings[] = {name, names_table(name)};
    for (size_t i = 0; i < 2; i++) {
        uint32_t number = snapshot_table_number(names->snapshot, spellings[i]);
        source->kind = SOURCE_TABLE;
        source->name = number ? names->snapshot->tables[number - 1] : name;
        if (number)
            return VARVE_OK;
    }
    *source = (struct schema_source){.kind = SOURCE_VIEW, .name = name};
    TRY(kept(names->arena, &source->name, err));
    status = view_find(names->store, name, names->arena, &source->text, err);
    if (status != VARVE_NOTFOUND || !known)
        return status;
    *source = known_metric(known);
    return VARVE_OK;
}

/* More names than this are looked for each time. */
enum { KNOWN_MOST = 100 };

struct known_source {
    struct known_source *next;
    struct varve_str name;
    struct schema_source source;
};

static enum varve_status find_source(void *context, struct varve_str name,
                                     struct schema_source *source, struct varve_err *err)
{
    struct store_names *names = context;
    for (const struct known_source *known = names->sources; known; known = known->next)
        if (str_equal(known->name, name)) {
            *source = known->source;
            return VARVE_OK;
        }
    TRY(look_for_source(names, name, source, err));
    if (names->known++ >= KNOWN_MOST)
        return VARVE_OK;
    struct known_source *known = arena_alloc(names->arena, sizeof *known);
    if (!known)
        return fail_nomem(err, sizeof *known);
    *known = (struct known_source){names->sources, name, *source};
    TRY(kept(names->arena, &known->name, err));
    names->sources = known;
    return VARVE_OK;
}

struct source_visit {
    int (*visit)(void *, const struct schema_source *);
    void *context;
    bool stopped;
};

static int visit_metric(void *context, const struct varve_metric_info *info)
{
    struct source_visit *v = context;
    struct schema_source source = {.kind = SOURCE_METRIC,
                                   .name = info->metric.name,
                                   .metric = info->metric.kind,
                                   .scale = info->scale,
                                   .unit = info->metric.unit};
    v->stopped = v->visit(v->context, &source) != 0;
    return v->stopped;
}

static int visit_table(void *context, const struct varve_table_info *info)
{
    struct source_visit *v = context;
    struct schema_source source = {.kind = SOURCE_TABLE, .name = info->name};
    v->stopped = v->visit(v->context, &source) != 0;
    return v->stopped;
}

static int visit_view(void *context, const struct definition *view)
{
    struct source_visit *v = context;
    struct schema_source source = {.kind = SOURCE_VIEW, .name = view->name, .text = view->text};
    v->stopped = v->visit(v->context, &source) != 0;
    return v->stopped;
}

/* Metrics that are known go under their short names too, because that is what people type. */
static enum varve_status
visit_sources(void *context, int (*visit)(void *, const struct schema_source *),
              void *visit_context, struct varve_err *err)
{
    struct store_names *names = context;
    struct source_visit v = {visit, visit_context, false};
    size_t count;
    const struct name_metric *known = names_metrics(&count);
    for (size_t i = 0; i < count; i++) {
        struct schema_source source = known_metric(&known[i]);
        source.name = known[i].short_name;
        if (source.name.size > 0 && visit(visit_context, &source) != 0)
            return VARVE_OK;
    }
    TRY(visit_metrics(names->snapshot, visit_metric, &v, err));
    if (!v.stopped)
        TRY(visit_tables(names->snapshot, visit_table, &v, err));
    return v.stopped ? VARVE_OK : views_visit(names->store, visit_view, &v, err);
}

/* ---- columns --------------------------------------------------------------------- */

enum varve_status names_need_lookups(struct store_names *names, struct varve_err *err)
{
    if (!names->has_lookups)
        TRY(lookups_load(names->store, names->arena, &names->lookups, err));
    names->has_lookups = true;
    return VARVE_OK;
}

/* A column of the source's own under exactly this name. */
static enum varve_status
own_column(struct store_names *names, const struct schema_source *source, struct varve_str name,
           struct schema_column *column, struct varve_err *err)
{
    bool found = false;
    enum varve_type type = VARVE_TEXT;
    *column = (struct schema_column){.name = name, .type = TYPE_TEXT};
    TRY(kept(names->arena, &column->name, err));
    if (source->kind == SOURCE_TABLE) {
        TRY(describe_column(names->snapshot, source->name, name, &found, &type, err));
        column->type = type == VARVE_TEXT ? TYPE_TEXT : TYPE_NULL;
        if (!found && str_equal(name, STR("time"))) {
            column->type = TYPE_TIME;
            found = true;
        }
    } else {
        struct described_metric metric;
        enum varve_status status = describe_label(names->snapshot, source->name, name, &found, err);
        /* Of a metric without data nobody knows the labels. */
        if (status == VARVE_OK && !found) {
            status = describe_metric(names->snapshot, source->name, names->arena, &metric, err);
            found = status == VARVE_NOTFOUND;
        }
        if (status != VARVE_OK && status != VARVE_NOTFOUND)
            return status;
    }
    return found ? VARVE_OK : VARVE_NOTFOUND;
}

/* Lookups are read only for a name that the telemetry does not have by itself, and hide none. */
static enum varve_status
look_for_column(struct store_names *names, const struct schema_source *source,
                struct varve_str name, struct schema_column *column, struct varve_err *err)
{
    struct varve_str label = names_label(name);
    enum varve_status status = own_column(names, source, label, column, err);
    if (status != VARVE_NOTFOUND)
        return status;
    TRY(names_need_lookups(names, err));
    for (uint32_t i = 0; i < names->lookups.count; i++) {
        const struct lookup *lookup = &names->lookups.items[i];
        uint32_t field = lookup_field(lookup, name);
        if (field == lookup->field_count)
            continue;
        TRY(own_column(names, source, lookup->on, column, err));
        column->lookup = lookup->name;
        column->field = lookup->fields[field];
        column->type = TYPE_TEXT;
        return VARVE_OK;
    }
    return str_equal(label, name) ? VARVE_NOTFOUND : own_column(names, source, name, column, err);
}

struct known_column {
    struct known_column *next;
    enum source_kind kind;
    struct varve_str source, name;
    struct schema_column column;
};

static enum varve_status
find_column(void *context, const struct schema_source *source, struct varve_str name,
            struct schema_column *column, struct varve_err *err)
{
    struct store_names *names = context;
    for (const struct known_column *known = names->columns; known; known = known->next)
        if (known->kind == source->kind && str_equal(known->name, name) &&
            str_equal(known->source, source->name)) {
            *column = known->column;
            return VARVE_OK;
        }
    TRY(look_for_column(names, source, name, column, err));
    if (names->known++ >= KNOWN_MOST)
        return VARVE_OK;
    struct known_column *known = arena_alloc(names->arena, sizeof *known);
    if (!known)
        return fail_nomem(err, sizeof *known);
    *known = (struct known_column){names->columns, source->kind, source->name, name, *column};
    TRY(kept(names->arena, &known->name, err));
    TRY(kept(names->arena, &known->source, err));
    names->columns = known;
    return VARVE_OK;
}

struct column_visit {
    int (*visit)(void *, const struct schema_column *);
    void *context;
    enum value_type type;
    bool stopped;
};

static int visit_column(void *context, const struct varve_count_info *info)
{
    struct column_visit *v = context;
    struct schema_column column = {.name = info->text, .type = v->type};
    v->stopped = v->visit(v->context, &column) != 0;
    return v->stopped;
}

/* The columns of a lookup that the source can be asked for, because it has what the lookup is ON.
 * */
static enum varve_status
visit_fields(struct store_names *names, const struct schema_source *source,
             const struct lookup *lookup, struct column_visit *v, struct varve_err *err)
{
    struct schema_column column;
    enum varve_status status = own_column(names, source, lookup->on, &column, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK;
    TRY(status);
    for (uint32_t f = 0; f < lookup->field_count && !v->stopped; f++) {
        column.lookup = lookup->name;
        column.field = lookup->fields[f];
        v->stopped = v->visit(v->context, &column) != 0;
    }
    return VARVE_OK;
}

static enum varve_status visit_schema_columns(void *context, const struct schema_source *source,
                                              int (*visit)(void *, const struct schema_column *),
                                              void *visit_context, struct varve_err *err)
{
    struct store_names *names = context;
    bool is_table = source->kind == SOURCE_TABLE;
    struct column_visit v = {visit, visit_context, is_table ? TYPE_NULL : TYPE_TEXT, false};
    enum varve_status status =
        is_table ? visit_columns(names->snapshot, source->name, visit_column, &v, err)
                 : visit_labels(names->snapshot, source->name, visit_column, &v, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK; /* known, but without data */
    TRY(status);
    TRY(names_need_lookups(names, err));
    for (uint32_t i = 0; i < names->lookups.count && !v.stopped; i++)
        TRY(visit_fields(names, source, &names->lookups.items[i], &v, err));
    return VARVE_OK;
}

/* ---- settings --------------------------------------------------------------------- */

static enum varve_status
find_setting(void *context, struct varve_str name, struct varve_str *value, struct varve_err *err)
{
    struct store_names *names = context;
    return store_setting_get(names->store, name, names->arena, value, err);
}

struct schema store_schema(struct store_names *names)
{
    return (struct schema){.context = names,
                           .source = find_source,
                           .column = find_column,
                           .visit_sources = visit_sources,
                           .visit_columns = visit_schema_columns,
                           .setting = find_setting};
}
