/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_erase.c -- DELETE: what it takes away, as conditions on labels.
 *
 * Only conditions that can be decided on one label at a time are taken: label = 'text', label IN
 * (...), joined by AND.  What is deleted is gone, so nothing here guesses: anything else is an
 * error that says what may stand there.
 */
#include "base/names.h"
#include "lang/lower_private.h"

enum { FILTERS_MOST = 32 };

static enum varve_status refuse(struct lower *l, const struct expr *expr)
{
    return lower_fail(l, VARVE_INVALID, expr->place,
                      "DELETE takes label = 'text' and label IN ('text', ...), joined by AND");
}

static enum varve_status add_filter(struct lower *l, const struct expr *expr, struct erasure *e)
{
    const struct expr *label = expr->args[0];
    uint32_t count = expr->arg_count - 1;
    if (label->kind != EXPR_NAME || (expr->flags & EXPR_NEGATED) || e->filter_count == FILTERS_MOST)
        return refuse(l, expr);
    struct varve_str *values = arena_alloc(l->arena, count * sizeof *values);
    if (!values)
        return fail_nomem(l->err, count * sizeof *values);
    for (uint32_t i = 0; i < count; i++) {
        const struct expr *value = expr->args[i + 1];
        if (value->kind != EXPR_TEXT || value->text.size == 0)
            return refuse(l, value);
        values[i] = value->text;
    }
    e->filters[e->filter_count++] =
        (struct label_filter){.place = expr->place,
                              .label = {label->place, names_label(label->text), {0}, {0}},
                              .values = values,
                              .value_count = count};
    return VARVE_OK;
}

static enum varve_status conjuncts(struct lower *l, const struct expr *expr, struct erasure *e)
{
    if (expr->kind == EXPR_BINARY && expr->op == OPERATOR_AND) {
        TRY(conjuncts(l, expr->args[0], e));
        return conjuncts(l, expr->args[1], e);
    }
    bool is_equality = expr->kind == EXPR_BINARY && expr->op == OPERATOR_EQ;
    return is_equality || expr->kind == EXPR_IN ? add_filter(l, expr, e) : refuse(l, expr);
}

/* A source that is named has to have the labels; of all sources some may lack them. */
static enum varve_status
check_labels(struct lower *l, const struct statement *statement, struct erasure *e)
{
    struct source source = {.kind = FROM_TABLE, .place = statement->name_place};
    source.written = statement->name;
    enum varve_status status = lower_find_source(l, statement->name, &source.schema);
    if (status == VARVE_NOTFOUND || (status == VARVE_OK && source.schema.kind == SOURCE_VIEW))
        return lower_unknown_source(l, "metric or table", statement->name, statement->name_place);
    TRY(status);
    if (source.schema.kind == SOURCE_METRIC)
        source.kind = FROM_METRIC;
    e->source = source.schema.name;
    for (uint32_t i = 0; i < e->filter_count; i++) {
        enum value_type type;
        struct column_ref *label = &e->filters[i].label;
        TRY(lower_find_label(l, &source, label->name, label->place, label, &type));
        if (label->lookup.size > 0)
            return lower_fail(l, VARVE_INVALID, e->filters[i].place,
                              "'%.*s' is a label of a lookup; DELETE takes those of the telemetry",
                              STR_ARG(label->field));
    }
    return VARVE_OK;
}

static enum varve_status
erasure(struct lower *l, const struct statement *statement, struct erasure *e)
{
    *e = (struct erasure){.since = INT64_MIN};
    TRY(lower_zone(l, l->zone_name, statement->place, &l->zone));
    l->select_zone = l->zone;
    l->select_zone_name = l->zone_name;
    e->filters = arena_zalloc(l->arena, FILTERS_MOST * sizeof *e->filters);
    if (!e->filters)
        return fail_nomem(l->err, FILTERS_MOST * sizeof *e->filters);
    if (!statement->where)
        return lower_fail(l, VARVE_INVALID, statement->place,
                          "DELETE needs a WHERE; `varve retain` forgets whole days");
    TRY(conjuncts(l, statement->where, e));
    if (statement->name.size > 0)
        TRY(check_labels(l, statement, e));
    return statement->since ? lower_when(l, l->zone, statement->since, &e->since) : VARVE_OK;
}

enum varve_status
lower_erasure(const struct statement *statement, const struct schema *schema,
              const struct lower_options *options, struct arena *arena, struct erasure *result,
              struct lang_error *error, struct varve_err *err)
{
    struct lower l = {.schema = schema,
                      .options = options,
                      .arena = arena,
                      .error = error,
                      .err = err,
                      .zone_name = options->zone.size ? options->zone : STR("UTC")};
    return erasure(&l, statement, result);
}
