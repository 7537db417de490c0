/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_filter.c -- conditions that a scan decides on dictionaries: matchers, and parts of WHERE.
 *
 * A filter takes a missing label for the empty text, as PromQL does.  WHERE takes it for NULL, as
 * SQL does, and a row counts only if its condition is true.  So a condition becomes a filter
 * only where both agree, or where the filter can be made to: != also refuses the empty text,
 * and a pattern is taken over if it does not say yes to the empty text.  What stays behind is
 * evaluated row by row.
 *
 * Columns of tables may hold the empty text without being missing: there != stays behind.  They may
 * also hold numbers and truths among texts, to which '5.0' and 'TRUE' are equal, whatever their own
 * text is: a text that could be meant so stays behind.
 */
#include "base/number.h"
#include "lang/lower_private.h"

static enum varve_status
filter_add(struct lower *l, struct condition *condition, const struct label_filter *filter)
{
    TRY(lower_grow(l, &condition->filters, &condition->filter_capacity, condition->filter_count,
                   sizeof *condition->filters));
    condition->filters[condition->filter_count++] = *filter;
    return VARVE_OK;
}

enum varve_status lower_matchers(struct lower *l, const struct source *metric,
                                 const struct selector *selector, struct metric_source *source)
{
    struct label_filter *filters;
    bool empty;
    TRY(lower_alloc(l, &filters, selector->matcher_count, sizeof *filters));
    for (uint32_t i = 0; i < selector->matcher_count; i++) {
        const struct matcher *matcher = &selector->matchers[i];
        struct varve_str *value;
        enum value_type type;
        TRY(lower_find_label(l, metric, matcher->label, matcher->place, &filters[i].label, &type));
        if (matcher->op == MATCH_RE || matcher->op == MATCH_NRE)
            TRY(lower_pattern(l, matcher->value, matcher->place, &empty));
        TRY(lower_alloc(l, &value, 1, sizeof *value));
        *value = matcher->value;
        filters[i].place = lower_place(l, matcher->place);
        filters[i].op = matcher->op;
        filters[i].values = value;
        filters[i].value_count = 1;
    }
    source->filters = filters;
    source->filter_count = selector->matcher_count;
    return VARVE_OK;
}

static bool filter_equal(const struct label_filter *a, const struct label_filter *b)
{
    if (a->op != b->op || a->value_count != b->value_count ||
        !str_equal(a->label.name, b->label.name) || !str_equal(a->label.lookup, b->label.lookup) ||
        !str_equal(a->label.field, b->label.field))
        return false;
    for (uint32_t i = 0; i < a->value_count; i++)
        if (!str_equal(a->values[i], b->values[i]))
            return false;
    return true;
}

bool lower_filters_equal(const struct label_filter *a, uint32_t a_count,
                         const struct label_filter *b, uint32_t b_count)
{
    if (a_count != b_count)
        return false;
    for (uint32_t i = 0; i < a_count; i++)
        if (!filter_equal(&a[i], &b[i]))
            return false;
    return true;
}

/* ---- WHERE -------------------------------------------------------------------- */

/* A column and constant texts: what a filter could be made of. */
struct simple {
    const struct expr *column;
    struct expr *const *values;
    uint32_t count;
    enum matcher_op op;
};

static bool is_simple(const struct expr *e, struct simple *simple)
{
    static const struct {
        enum operator op;
        enum matcher_op match;
    } pairs[] = {{OPERATOR_EQ, MATCH_EQ},
                 {OPERATOR_NE, MATCH_NE},
                 {OPERATOR_MATCH, MATCH_RE},
                 {OPERATOR_NOMATCH, MATCH_NRE}};
    if (e->kind == EXPR_IN) {
        *simple = (struct simple){e->args[0], e->args + 1, e->arg_count - 1,
                                  e->flags & EXPR_NEGATED ? MATCH_NE : MATCH_EQ};
    } else {
        size_t i = 0;
        while (i < 4 && (e->kind != EXPR_BINARY || e->op != pairs[i].op))
            i++;
        if (i == 4)
            return false;
        *simple = (struct simple){e->args[0], e->args + 1, 1, pairs[i].match};
    }
    for (uint32_t i = 0; i < simple->count; i++)
        if (simple->values[i]->kind != EXPR_TEXT || simple->values[i]->text.size == 0)
            return false;
    return simple->column->kind == EXPR_NAME;
}

static bool may_be_other(struct varve_str text)
{
    double number;
    return number_parse(text, &number) || lower_name_is(text, "true") ||
           lower_name_is(text, "false");
}

/* Whether the filter says what the condition says. */
static enum varve_status agrees(const struct scope *scope, const struct simple *simple, bool *yes)
{
    bool empty = false;
    const struct expr *pattern = simple->values[0];
    bool is_metric = scope->columns->source->kind == FROM_METRIC;
    *yes = is_metric || simple->op != MATCH_NE;
    for (uint32_t i = 0; i < simple->count && simple->op == MATCH_EQ && !is_metric; i++)
        *yes = *yes && !may_be_other(simple->values[i]->text);
    if (simple->op != MATCH_RE && simple->op != MATCH_NRE)
        return VARVE_OK;
    TRY(lower_pattern(scope->select->lower, pattern->text, pattern->place, &empty));
    *yes = simple->op == MATCH_NRE ? empty : !empty;
    return VARVE_OK;
}

static enum varve_status
take_over(const struct scope *scope, const struct expr *e, struct condition *into, bool *taken)
{
    struct lower *l = scope->select->lower;
    const struct source *source = scope->columns->source;
    struct simple simple;
    struct label_filter filter = {.place = lower_place(l, e->place)};
    enum value_type type;
    *taken = false;
    if (source->kind == FROM_NAMED || source->kind == FROM_NONE || !is_simple(e, &simple))
        return VARVE_OK;
    struct varve_str name = simple.column->text;
    struct schema_column found = {0};
    enum varve_status status =
        l->schema->column(l->schema->context, &source->schema, name, &found, l->err);
    if (status == VARVE_NOTFOUND || lower_name_is(name, "time"))
        return VARVE_OK;
    TRY(status);
    TRY(lower_find_label(l, source, name, simple.column->place, &filter.label, &type));
    if (type != TYPE_TEXT)
        return VARVE_OK;
    TRY(agrees(scope, &simple, taken));
    if (!*taken)
        return VARVE_OK;
    struct varve_str *values;
    TRY(lower_alloc(l, &values, simple.count + 1, sizeof *values));
    for (uint32_t i = 0; i < simple.count; i++)
        values[i] = simple.values[i]->text;
    filter.op = simple.op;
    filter.values = values;
    filter.value_count = simple.count + (simple.op == MATCH_NE);
    return filter_add(l, into, &filter);
}

enum varve_status
lower_where(const struct scope *scope, const struct expr *where, struct condition *condition)
{
    struct lower *l = scope->select->lower;
    struct term *term;
    bool taken;
    if (!where)
        return VARVE_OK;
    if (where->kind == EXPR_BINARY && where->op == OPERATOR_AND) {
        TRY(lower_where(scope, where->args[0], condition));
        return lower_where(scope, where->args[1], condition);
    }
    TRY(take_over(scope, where, condition, &taken));
    if (taken)
        return VARVE_OK;
    TRY(lower_bind(scope, where, &term));
    TRY(lower_term_condition(l, term, scope->clause));
    return lower_term_and(l, condition->rest, term, &condition->rest);
}
