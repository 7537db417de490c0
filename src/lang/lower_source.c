/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_source.c -- what is read: metrics, tables and results, and which of their columns.
 *
 * A struct columns collects the columns that expressions name, each once, and gives them numbers;
 * what nobody names is not read.  The rows of a table or a metric begin with `time`, those of a
 * metric go on with `start` and `value`.  Results of other queries have all of their columns.
 */
#include "lang/lower_private.h"

enum varve_status
lower_find_source(struct lower *l, struct varve_str name, struct schema_source *source)
{
    return l->schema->source(l->schema->context, name, source, l->err);
}

enum varve_status lower_find_metric(struct lower *l, struct varve_str name, struct place place,
                                    struct schema_source *source)
{
    enum varve_status status = lower_find_source(l, name, source);
    if (status == VARVE_NOTFOUND)
        return lower_unknown_source(l, "metric", name, place);
    TRY(status);
    if (source->kind != SOURCE_METRIC)
        return lower_fail(l, VARVE_INVALID, place, "'%.*s' is a %s, not a metric: say FROM %.*s",
                          STR_ARG(name), source->kind == SOURCE_TABLE ? "table" : "view",
                          STR_ARG(name));
    return VARVE_OK;
}

enum varve_status
lower_is_metric(struct lower *l, struct varve_str name, struct schema_source *source, bool *is)
{
    enum varve_status status = lower_find_source(l, name, source);
    *is = status == VARVE_OK && source->kind == SOURCE_METRIC;
    return status == VARVE_NOTFOUND ? VARVE_OK : status;
}

/* Counters' values are integers or exact decimals; a gauge's may be anything. */
enum value_type lower_metric_type(const struct schema_source *source)
{
    if (source->kind != SOURCE_METRIC || source->metric == VARVE_GAUGE)
        return TYPE_NULL;
    return source->scale == 9 ? TYPE_NANO : TYPE_INT;
}

/* Names of columns in any spelling: user_email is user.email. */
bool lower_name_alike(struct varve_str a, struct varve_str b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if ((a.data[i] == '.' ? '_' : a.data[i]) != (b.data[i] == '.' ? '_' : b.data[i]))
            return false;
    return true;
}

/* ---- labels -------------------------------------------------------------------- */

static enum varve_status
schema_find(struct lower *l, const struct source *source, struct varve_str name, struct place place,
            struct column_ref *column, enum value_type *type)
{
    struct schema_column found = {0};
    TRY(l->schema->column(l->schema->context, &source->schema, name, &found, l->err));
    *column = (struct column_ref){lower_place(l, place), found.name, found.lookup, found.field};
    *type = found.lookup.size ? TYPE_TEXT : found.type;
    return VARVE_OK;
}

enum varve_status
lower_find_label(struct lower *l, const struct source *source, struct varve_str name,
                 struct place place, struct column_ref *label, enum value_type *type)
{
    enum varve_status status = schema_find(l, source, name, place, label, type);
    return status == VARVE_NOTFOUND ? lower_unknown_column(l, source, name, place) : status;
}

static enum varve_status
columns_add(struct lower *l, struct columns *columns, const struct column_ref *column,
            const struct column_info *info, uint32_t *index)
{
    uint32_t capacity = columns->capacity;
    TRY(lower_grow(l, &columns->columns, &columns->capacity, columns->count,
                   sizeof *columns->columns));
    TRY(lower_grow(l, &columns->infos, &capacity, columns->count, sizeof *columns->infos));
    columns->columns[columns->count] = *column;
    columns->infos[columns->count] = *info;
    *index = columns->count++;
    return VARVE_OK;
}

static enum varve_status
columns_fixed(struct lower *l, struct columns *columns, struct varve_str name, enum value_type type,
              struct varve_str unit)
{
    uint32_t index;
    return columns_add(l, columns, &(struct column_ref){.name = name},
                       &(struct column_info){name, type, unit}, &index);
}

/* The columns that rows of the source have before those that are asked for. */
enum varve_status
lower_columns_begin(struct lower *l, struct columns *columns, const struct source *source)
{
    struct varve_str none = {0};
    *columns = (struct columns){.source = source};
    if (source->kind == FROM_NONE || source->kind == FROM_NAMED)
        return VARVE_OK;
    TRY(columns_fixed(l, columns, STR("time"), TYPE_TIME, none));
    if (source->kind == FROM_TABLE)
        return VARVE_OK;
    TRY(columns_fixed(l, columns, STR("start"), TYPE_TIME, none));
    return columns_fixed(l, columns, STR("value"), lower_metric_type(&source->schema),
                         source->schema.unit);
}

static enum varve_status
named_find(const struct source *source, struct varve_str name, uint32_t *index)
{
    const struct node *node = source->node;
    for (int exact = 1; exact >= 0; exact--)
        for (uint32_t i = 0; i < node->column_count; i++)
            if (exact ? str_equal(node->columns[i].name, name)
                      : lower_name_alike(node->columns[i].name, name)) {
                *index = i;
                return VARVE_OK;
            }
    return VARVE_NOTFOUND;
}

enum varve_status lower_columns_find(struct lower *l, struct columns *columns,
                                     struct varve_str name, struct place place, uint32_t *index)
{
    struct column_ref column;
    enum value_type type = TYPE_NULL;
    if (columns->source->kind == FROM_NAMED)
        return named_find(columns->source, name, index);
    for (uint32_t i = 0; i < columns->count && columns->columns[i].place.until == 0; i++)
        if (str_equal(columns->columns[i].name, name)) {
            *index = i;
            return VARVE_OK;
        }
    TRY(schema_find(l, columns->source, name, place, &column, &type));
    for (uint32_t i = 0; i < columns->count; i++)
        if (str_equal(columns->columns[i].name, column.name) &&
            str_equal(columns->columns[i].lookup, column.lookup) &&
            str_equal(columns->columns[i].field, column.field)) {
            *index = i;
            return VARVE_OK;
        }
    struct varve_str shown = column.lookup.size ? column.field : column.name;
    return columns_add(l, columns, &column, &(struct column_info){shown, type, {0}}, index);
}

uint32_t lower_columns_count(const struct columns *columns)
{
    return columns->source->kind == FROM_NAMED ? columns->source->node->column_count
                                               : columns->count;
}

const struct column_info *lower_columns_infos(const struct columns *columns)
{
    return columns->source->kind == FROM_NAMED ? columns->source->node->columns : columns->infos;
}

const struct column_info *lower_columns_info(const struct columns *columns, uint32_t index)
{
    return lower_columns_infos(columns) + index;
}

/* ---- all of them ------------------------------------------------------------------ */

struct all_visit {
    struct lower *l;
    struct varve_str *names;
    uint32_t count, capacity;
    enum varve_status status;
};

static int all_visit(void *context, const struct schema_column *column)
{
    struct all_visit *visit = context;
    struct lower *l = visit->l;
    struct varve_str name = column->lookup.size ? column->field : column->name;
    visit->status =
        lower_grow(l, &visit->names, &visit->capacity, visit->count, sizeof *visit->names);
    if (visit->status == VARVE_OK)
        visit->status = lower_join(l, name, "", &visit->names[visit->count++]);
    return visit->status != VARVE_OK;
}

/* Asks for every column that the source has; those that all of its rows have come first. */
enum varve_status lower_columns_all(struct lower *l, struct columns *columns, struct place place,
                                    uint32_t **indices, uint32_t *count)
{
    struct all_visit visit = {.l = l};
    uint32_t fixed = lower_columns_count(columns);
    *count = 0;
    if (columns->source->kind != FROM_NAMED) {
        fixed = columns->source->kind == FROM_METRIC ? 3 : 1;
        TRY(l->schema->visit_columns(l->schema->context, &columns->source->schema, all_visit,
                                     &visit, l->err));
        TRY(visit.status);
    }
    TRY(lower_alloc(l, indices, fixed + visit.count, sizeof **indices));
    for (uint32_t i = 0; i < fixed; i++)
        (*indices)[(*count)++] = i;
    for (uint32_t i = 0; i < visit.count; i++) {
        enum varve_status status =
            lower_columns_find(l, columns, visit.names[i], place, &(*indices)[*count]);
        if (status != VARVE_OK && status != VARVE_NOTFOUND)
            return status;
        *count += status == VARVE_OK;
    }
    return VARVE_OK;
}

/* ---- nodes ---------------------------------------------------------------------- */

static enum varve_status
build_scan(struct selecting *s, struct time_range range, struct node **node)
{
    struct lower *l = s->lower;
    struct columns *rows = &s->rows;
    TRY(lower_node_new(l, NODE_SCAN, s->from.place, NULL, rows->count, node));
    (*node)->as.scan.source = s->from.schema.name;
    (*node)->as.scan.is_metric = s->from.kind == FROM_METRIC;
    (*node)->as.scan.read = rows->columns;
    (*node)->as.scan.read_count = rows->count;
    (*node)->as.scan.filters = s->where.filters;
    (*node)->as.scan.filter_count = s->where.filter_count;
    (*node)->as.scan.range = range;
    memcpy((*node)->columns, rows->infos, rows->count * sizeof *rows->infos);
    return VARVE_OK;
}

/* A result has a range of its own, unless it took this one: then its rows are asked for theirs. */
static enum varve_status
range_condition(struct selecting *s, struct time_range range, struct term **condition)
{
    struct lower *l = s->lower;
    struct place place = s->from.place;
    struct term *time, *edge, *from, *until;
    uint32_t index;
    *condition = NULL;
    if (s->from.inherits || !s->span.is_set || s->from.span.since > s->from.span.until)
        return VARVE_OK;
    TRY(named_find(&s->from, STR("time"), &index));
    TRY(lower_term_column(l, place, index, TYPE_TIME, &time));
    TRY(lower_term_const(l, place, value_int(TYPE_TIME, range.since), &edge));
    TRY(lower_term_call2(l, place, FUNCTION_GE, time, edge, &from));
    TRY(lower_term_column(l, place, index, TYPE_TIME, &time));
    TRY(lower_term_const(l, place, value_int(TYPE_TIME, range.until), &edge));
    TRY(lower_term_call2(l, place, FUNCTION_LT, time, edge, &until));
    return lower_term_and(l, from, until, condition);
}

enum varve_status lower_build_rows(struct selecting *s, struct time_range range, struct node **node)
{
    struct lower *l = s->lower;
    struct term *condition;
    if (s->from.kind == FROM_NONE) {
        TRY(lower_node_new(l, NODE_VALUES, s->ast->place, NULL, 0, node));
    } else if (s->from.kind == FROM_NAMED) {
        const struct node *named = s->from.node;
        TRY(lower_node_new(l, NODE_NAMED, s->from.place, NULL, named->column_count, node));
        (*node)->as.named.number = s->from.named;
        memcpy((*node)->columns, named->columns, named->column_count * sizeof *named->columns);
        TRY(range_condition(s, range, &condition));
        TRY(lower_node_filter(l, condition, node));
    } else {
        TRY(build_scan(s, range, node));
    }
    return lower_node_filter(l, s->where.rest, node);
}
