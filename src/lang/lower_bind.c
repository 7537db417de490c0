/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_bind.c -- expressions: names become columns, operators become calls.
 *
 * One walk serves all clauses; a scope says what names mean.  In a row a name is a column, else an
 * alias of an item; in a group (lower_group.c) it is an alias, a key or a metric.  CASE becomes
 * ifs, BETWEEN two comparisons, NOT IN the opposite of IN.
 */
#include <stdlib.h>
#include <strings.h>

#include "lang/lower_private.h"

bool lower_name_is(struct varve_str name, const char *word)
{
    return strlen(word) == name.size && strncasecmp(word, name.data, name.size) == 0;
}

enum rollup lower_rollup_find(struct varve_str name)
{
    static const char *const names[] = {
#define X(symbol, text, help) text,
        ROLLUP_MAP(X)
#undef X
    };
    int i = 0;
    while (i < ROLLUPS && !lower_name_is(name, names[i]))
        i++;
    return (enum rollup)i;
}

enum aggregate_kind lower_aggregate_find(struct varve_str name)
{
    static const char *const names[] = {
#define X(symbol, text, arguments, help) text,
        AGGREGATE_MAP(X)
#undef X
    };
    int i = 0;
    while (i < AGGREGATES && !lower_name_is(name, names[i]))
        i++;
    return (enum aggregate_kind)i;
}

/* Two expressions that say the same, wherever they stand.  Metrics never do. */
bool lower_expr_same(const struct expr *a, const struct expr *b)
{
    if (!a || !b)
        return a == b;
    bool call = a->kind == EXPR_CALL;
    if (a->kind != b->kind || a->op != b->op || a->integer != b->integer ||
        (a->flags & ~(unsigned)EXPR_QUOTED) != (b->flags & ~(unsigned)EXPR_QUOTED) ||
        memcmp(&a->number, &b->number, sizeof a->number) != 0 || a->selector || b->selector ||
        a->arg_count != b->arg_count || a->text.size != b->text.size)
        return false;
    if (call ? strncasecmp(a->text.data, b->text.data, a->text.size) != 0
             : !str_equal(a->text, b->text))
        return false;
    for (uint32_t i = 0; i < a->arg_count; i++)
        if (!lower_expr_same(a->args[i], b->args[i]))
            return false;
    return lower_expr_same(a->filter, b->filter);
}

uint32_t lower_alias_find(const struct selecting *s, uint32_t count, struct varve_str name)
{
    while (count-- > 0)
        if (s->items[count].ast->alias.size && str_equal(s->items[count].ast->alias, name))
            return count;
    return UINT32_MAX;
}

/* Whether it says something about a group: a roll-up, an aggregate, a metric. */
bool lower_is_of_group(const struct expr *e)
{
    if (e->kind == EXPR_METRIC)
        return true;
    if (e->kind == EXPR_CALL &&
        (lower_rollup_find(e->text) != ROLLUPS || lower_aggregate_find(e->text) != AGGREGATES ||
         lower_name_is(e->text, "total") || lower_name_is(e->text, "share")))
        return true;
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (lower_is_of_group(e->args[i]))
            return true;
    return false;
}

enum varve_status lower_no_groups(const struct scope *scope, struct place place, const char *what)
{
    struct lower *l = scope->select->lower;
    if (strcmp(scope->clause, "WHERE") == 0)
        return lower_fail(l, VARVE_INVALID, place,
                          "%s cannot stand in WHERE, which is about rows: HAVING is about groups",
                          what);
    return lower_fail(l, VARVE_INVALID, place, "%s cannot stand inside %s", what, scope->clause);
}

/* ---- names -------------------------------------------------------------------- */

static enum varve_status
bind_row_name(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct selecting *s = scope->select;
    struct lower *l = s->lower;
    uint32_t index, item = lower_alias_find(s, scope->aliases, e->text);
    if (scope->alias_first && item != UINT32_MAX)
        return lower_bind_alias(scope, item, e->place, term);
    enum varve_status status = VARVE_NOTFOUND;
    if (scope->columns->source->kind != FROM_NONE)
        status = lower_columns_find(l, scope->columns, e->text, e->place, &index);
    if (status == VARVE_OK)
        return lower_term_column(l, e->place, index,
                                 lower_columns_info(scope->columns, index)->type, term);
    if (status != VARVE_NOTFOUND)
        return status;
    if (item != UINT32_MAX)
        return lower_bind_alias(scope, item, e->place, term);
    if (scope->columns->source->kind == FROM_NONE)
        return lower_unknown_name(scope, e->text, e->place);
    if (lower_name_is(e->text, "time"))
        return lower_fail(l, VARVE_INVALID, e->place,
                          "%s is about series, which have no time: the range is SINCE, buckets "
                          "are EVERY",
                          scope->clause);
    return lower_unknown_column(l, scope->columns->source, e->text, e->place);
}

/* ---- calls in rows --------------------------------------------------------------- */

/* setting('quota'): a constant; a number if its text is one. */
static enum varve_status
bind_setting(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct lower *l = scope->select->lower;
    struct varve_str text;
    char number[64], *end = number;
    if (e->arg_count != 1 || e->args[0]->kind != EXPR_TEXT)
        return lower_fail(l, VARVE_INVALID, e->place,
                          "setting() takes the name of a setting: "
                          "setting('quota_5h')");
    struct varve_str name = e->args[0]->text;
    enum varve_status status = l->schema->setting(l->schema->context, name, &text, l->err);
    if (status == VARVE_NOTFOUND)
        return lower_fail(l, VARVE_NOTFOUND, e->args[0]->place,
                          "the setting '%.*s' is not set: say SET %.*s = value", STR_ARG(name),
                          STR_ARG(name));
    TRY(status);
    TRY(lower_join(l, text, "", &text));
    bool numeric = text.size > 0 && text.size < sizeof number;
    bool whole = numeric;
    for (size_t i = 0; numeric && i < text.size; i++) {
        numeric = strchr("+-.0123456789eE", text.data[i]) != NULL && text.data[i];
        whole =
            whole && ((text.data[i] >= '0' && text.data[i] <= '9') || (i == 0 && text.size > 1));
    }
    if (!numeric || text.size > 18)
        whole = false;
    if (!numeric)
        return lower_term_const(l, e->place, value_text(text), term);
    memcpy(number, text.data, text.size);
    number[text.size] = 0;
    double value = strtod(number, &end);
    if (*end || end == number)
        return lower_term_const(l, e->place, value_text(text), term);
    if (whole)
        return lower_term_const(l, e->place, value_int(TYPE_INT, strtoll(number, NULL, 10)), term);
    return lower_term_const(l, e->place, value_float(value), term);
}

enum varve_status lower_bind_function(const struct scope *scope, const struct expr *e,
                                      enum function function, struct term **term)
{
    struct lower *l = scope->select->lower;
    struct term **args;
    if (e->filter || e->flags & EXPR_DISTINCT)
        return lower_fail(l, VARVE_INVALID, e->place,
                          "%s belongs to aggregates, and %.*s() is none",
                          e->filter ? "FILTER" : "DISTINCT", STR_ARG(e->text));
    TRY(lower_alloc(l, &args, e->arg_count, sizeof(struct term *)));
    for (uint32_t i = 0; i < e->arg_count; i++)
        TRY(lower_bind(scope, e->args[i], &args[i]));
    return lower_term_call(l, e->place, function, args, e->arg_count, term);
}

static enum varve_status
bind_row_call(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct lower *l = scope->select->lower;
    enum function function = function_find(e->text);
    if (function != FUNCTIONS)
        return lower_bind_function(scope, e, function, term);
    if (lower_rollup_find(e->text) != ROLLUPS)
        return lower_no_groups(scope, e->place, "a roll-up");
    if (lower_aggregate_find(e->text) != AGGREGATES || lower_name_is(e->text, "total") ||
        lower_name_is(e->text, "share"))
        return lower_no_groups(scope, e->place, "an aggregate");
    return lower_unknown_function(l, e->text, e->place);
}

/* ---- operators -------------------------------------------------------------------- */

static enum function operator_function(enum operator op)
{
    static const enum function functions[OPERATORS] = {
        [OPERATOR_OR] = FUNCTION_OR,           [OPERATOR_AND] = FUNCTION_AND,
        [OPERATOR_NOT] = FUNCTION_NOT,         [OPERATOR_EQ] = FUNCTION_EQ,
        [OPERATOR_NE] = FUNCTION_NE,           [OPERATOR_LT] = FUNCTION_LT,
        [OPERATOR_LE] = FUNCTION_LE,           [OPERATOR_GT] = FUNCTION_GT,
        [OPERATOR_GE] = FUNCTION_GE,           [OPERATOR_MATCH] = FUNCTION_MATCH,
        [OPERATOR_NOMATCH] = FUNCTION_NOMATCH, [OPERATOR_LIKE] = FUNCTION_LIKE,
        [OPERATOR_NOTLIKE] = FUNCTION_NOTLIKE, [OPERATOR_CONCAT] = FUNCTION_CONCAT,
        [OPERATOR_ADD] = FUNCTION_ADD,         [OPERATOR_SUB] = FUNCTION_SUB,
        [OPERATOR_MUL] = FUNCTION_MUL,         [OPERATOR_DIV] = FUNCTION_DIV,
        [OPERATOR_MOD] = FUNCTION_MOD,         [OPERATOR_NEG] = FUNCTION_NEG,
        [OPERATOR_ISNULL] = FUNCTION_ISNULL,   [OPERATOR_NOTNULL] = FUNCTION_NOTNULL};
    return functions[op];
}

static enum varve_status
bind_operator(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct term *args[2] = {0};
    if (e->op == OPERATOR_POS)
        return lower_bind(scope, e->args[0], term);
    for (uint32_t i = 0; i < e->arg_count; i++)
        TRY(lower_bind(scope, e->args[i], &args[i]));
    return lower_term_call(scope->select->lower, e->place, operator_function(e->op), args,
                           e->arg_count, term);
}

static enum varve_status negate(const struct scope *scope, const struct expr *e, struct term **term)
{
    if (!(e->flags & EXPR_NEGATED))
        return VARVE_OK;
    return lower_term_call(scope->select->lower, e->place, FUNCTION_NOT, term, 1, term);
}

static enum varve_status
bind_in(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct lower *l = scope->select->lower;
    struct term **args;
    TRY(lower_alloc(l, &args, e->arg_count, sizeof(struct term *)));
    for (uint32_t i = 0; i < e->arg_count; i++)
        TRY(lower_bind(scope, e->args[i], &args[i]));
    TRY(lower_term_call(l, e->place, FUNCTION_IN, args, e->arg_count, term));
    return negate(scope, e, term);
}

static enum varve_status
bind_between(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct lower *l = scope->select->lower;
    struct term *value, *edge, *low, *high;
    TRY(lower_bind(scope, e->args[0], &value));
    TRY(lower_bind(scope, e->args[1], &edge));
    TRY(lower_term_call2(l, e->place, FUNCTION_GE, value, edge, &low));
    TRY(lower_bind(scope, e->args[0], &value));
    TRY(lower_bind(scope, e->args[2], &edge));
    TRY(lower_term_call2(l, e->place, FUNCTION_LE, value, edge, &high));
    TRY(lower_term_and(l, low, high, term));
    return negate(scope, e, term);
}

/* From the last WHEN to the first, each an if() around what follows it. */
static enum varve_status
bind_case(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct lower *l = scope->select->lower;
    uint32_t first = e->flags & EXPR_OPERAND ? 1 : 0;
    uint32_t last = e->arg_count - (e->flags & EXPR_ELSE ? 1 : 0);
    struct term *rest, *args[3];
    if (e->flags & EXPR_ELSE)
        TRY(lower_bind(scope, e->args[last], &rest));
    else
        TRY(lower_term_const(l, e->place, value_null(), &rest));
    for (uint32_t i = last; i >= first + 2; i -= 2) {
        TRY(lower_bind(scope, e->args[i - 2], &args[0]));
        if (first) {
            struct term *operand;
            TRY(lower_bind(scope, e->args[0], &operand));
            TRY(lower_term_call2(l, e->place, FUNCTION_EQ, operand, args[0], &args[0]));
        }
        TRY(lower_bind(scope, e->args[i - 1], &args[1]));
        args[2] = rest;
        TRY(lower_term_call(l, e->place, FUNCTION_IF, args, 3, &rest));
    }
    *term = rest;
    return VARVE_OK;
}

/* ---- the walk ---------------------------------------------------------------------- */

/* A time that names no zone is one of the SELECT's zone. */
static int64_t instant_of(const struct lower *l, const struct expr *e)
{
    if (!(e->flags & EXPR_LOCAL))
        return e->integer;
    struct zone_time t = zone_local(zone_utc(), e->integer);
    return zone_instant(l->select_zone, t.year, t.month, t.day, t.hour, t.minute, t.second,
                        t.nanosecond);
}

static enum varve_status bind_literal(struct lower *l, const struct expr *e, struct term **term)
{
    switch (e->kind) {
    case EXPR_BOOL:
        return lower_term_const(l, e->place, value_int(TYPE_BOOL, e->integer), term);
    case EXPR_INT:
        return lower_term_const(l, e->place, value_int(TYPE_INT, e->integer), term);
    case EXPR_FLOAT:
        return lower_term_const(l, e->place, value_float(e->number), term);
    case EXPR_TEXT:
        return lower_term_const(l, e->place, value_text(e->text), term);
    case EXPR_DURATION:
        return lower_term_const(l, e->place, value_int(TYPE_DURATION, e->integer), term);
    case EXPR_TIME:
        return lower_term_const(l, e->place, value_int(TYPE_TIME, instant_of(l, e)), term);
    default:
        return lower_term_const(l, e->place, value_null(), term);
    }
}

static enum varve_status
bind_kind(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct lower *l = scope->select->lower;
    switch (e->kind) {
    case EXPR_NAME:
        return bind_row_name(scope, e, term);
    case EXPR_STAR:
        return lower_fail(l, VARVE_INVALID, e->place,
                          "'*' stands alone as an item, or in count(*)");
    case EXPR_METRIC:
        return lower_no_groups(scope, e->place, "a metric");
    case EXPR_CALL:
        if (lower_name_is(e->text, "setting"))
            return bind_setting(scope, e, term);
        return bind_row_call(scope, e, term);
    case EXPR_UNARY:
    case EXPR_BINARY:
        return bind_operator(scope, e, term);
    case EXPR_IN:
        return bind_in(scope, e, term);
    case EXPR_BETWEEN:
        return bind_between(scope, e, term);
    case EXPR_CASE:
        return bind_case(scope, e, term);
    default:
        return bind_literal(l, e, term);
    }
}

enum varve_status lower_bind(const struct scope *scope, const struct expr *expr, struct term **term)
{
    struct lower *l = scope->select->lower;
    if (++l->depth > TERM_DEPTH_MAX)
        return lower_fail(l, VARVE_LIMIT, expr->place,
                          "an expression nests deeper than %d once aliases are put in",
                          TERM_DEPTH_MAX);
    *term = NULL;
    if (!scope->columns)
        TRY(lower_bind_grouped(scope, expr, term));
    if (!*term)
        TRY(bind_kind(scope, expr, term));
    l->depth--;
    return VARVE_OK;
}
