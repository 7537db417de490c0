/* SPDX-License-Identifier: Apache-2.0
 *
 * ast_equal.c -- whether two trees say the same: all but their places, and whether a name was
 * written in double quotes.
 *
 * Only what a kind uses is compared.  Floats are compared by their bits.  The
 * recursion is as deep as the trees, which the parser bounds.
 */
#include "lang/print.h"

static bool expr_equal(const struct expr *a, const struct expr *b);
static bool query_equal(const struct query *a, const struct query *b);

/* Both are there and equal, or both are not. */
static bool expr_or_none_equal(const struct expr *a, const struct expr *b)
{
    return a && b ? expr_equal(a, b) : a == b;
}

/* ---- times -------------------------------------------------------------------------- */

static bool when_equal(const struct when *a, const struct when *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->shift != b->shift)
        return false;
    switch (a->kind) {
    case WHEN_AGO:
        return a->nanos == b->nanos;
    case WHEN_TIME:
        return str_equal(a->text, b->text);
    case WHEN_START_OF:
        return a->unit == b->unit;
    default:
        return true;
    }
}

static bool period_equal(const struct period *a, const struct period *b)
{
    const bool has_unit = a->kind == PERIOD_THIS || a->kind == PERIOD_LAST;
    return a->kind == b->kind && (!has_unit || a->unit == b->unit) &&
           (a->kind != PERIOD_NAMED || str_equal(a->text, b->text));
}

static bool range_equal(const struct range *a, const struct range *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == RANGE_DURING)
        return period_equal(&a->during, &b->during);
    return when_equal(a->since, b->since) && when_equal(a->until, b->until);
}

/* ---- expressions ----------------------------------------------------------------------- */

static bool selector_equal(const struct selector *a, const struct selector *b)
{
    if (!str_equal(a->name, b->name) || a->matcher_count != b->matcher_count ||
        a->has_offset != b->has_offset || (a->has_offset && a->offset != b->offset) ||
        !when_equal(a->at, b->at))
        return false;
    for (uint32_t i = 0; i < a->matcher_count; i++)
        if (a->matchers[i].op != b->matchers[i].op ||
            !str_equal(a->matchers[i].label, b->matchers[i].label) ||
            !str_equal(a->matchers[i].value, b->matchers[i].value))
            return false;
    return true;
}

/* What the node itself says. */
static bool payload_equal(const struct expr *a, const struct expr *b)
{
    switch (a->kind) {
    case EXPR_BOOL:
    case EXPR_INT:
    case EXPR_DURATION:
    case EXPR_TIME:
        return a->integer == b->integer;
    case EXPR_FLOAT:
        return memcmp(&a->number, &b->number, sizeof a->number) == 0;
    case EXPR_TEXT:
    case EXPR_NAME:
    case EXPR_CALL:
        return str_equal(a->text, b->text);
    case EXPR_METRIC:
        return selector_equal(a->selector, b->selector);
    case EXPR_UNARY:
    case EXPR_BINARY:
        return a->op == b->op;
    default:
        return true;
    }
}

static bool expr_equal(const struct expr *a, const struct expr *b)
{
    const unsigned flags = ~(unsigned)EXPR_QUOTED;
    if (a->kind != b->kind || (a->flags & flags) != (b->flags & flags) ||
        a->arg_count != b->arg_count || !payload_equal(a, b) ||
        !expr_or_none_equal(a->filter, b->filter))
        return false;
    for (uint32_t i = 0; i < a->arg_count; i++)
        if (!expr_equal(a->args[i], b->args[i]))
            return false;
    return true;
}

/* ---- queries ------------------------------------------------------------------------------ */

static bool fill_equal(const struct fill *a, const struct fill *b)
{
    return a->kind == b->kind && (a->kind != FILL_PREV || a->within == b->within) &&
           (a->kind != FILL_NUMBER || expr_equal(a->number, b->number));
}

static bool items_equal(const struct select *a, const struct select *b)
{
    if (a->distinct != b->distinct || a->item_count != b->item_count)
        return false;
    for (uint32_t i = 0; i < a->item_count; i++)
        if (!expr_equal(a->items[i].expr, b->items[i].expr) ||
            !fill_equal(&a->items[i].fill, &b->items[i].fill) ||
            !str_equal(a->items[i].alias, b->items[i].alias))
            return false;
    return true;
}

static bool every_equal(const struct every *a, const struct every *b)
{
    return a->kind == b->kind && (a->kind != EVERY_DURATION || a->duration == b->duration) &&
           (a->kind != EVERY_CALENDAR || a->unit == b->unit) && str_equal(a->zone, b->zone);
}

static bool compare_equal(const struct compare *a, const struct compare *b)
{
    return a->kind == b->kind && (a->kind != COMPARE_AGO || a->ago == b->ago);
}

static bool top_equal(const struct top *a, const struct top *b)
{
    return expr_or_none_equal(a->by, b->by) &&
           (!a->by || (a->bottom == b->bottom && a->count == b->count && a->other == b->other &&
                       str_equal(a->label, b->label)));
}

static bool by_equal(const struct select *a, const struct select *b)
{
    if (a->by_count != b->by_count || a->order_count != b->order_count)
        return false;
    for (uint32_t i = 0; i < a->by_count; i++)
        if (!expr_equal(a->by[i], b->by[i]))
            return false;
    for (uint32_t i = 0; i < a->order_count; i++)
        if (a->orders[i].descending != b->orders[i].descending ||
            !expr_equal(a->orders[i].expr, b->orders[i].expr))
            return false;
    return true;
}

static bool limit_equal(const struct select *a, const struct select *b)
{
    return a->has_limit == b->has_limit &&
           (!a->has_limit || (a->limit == b->limit && a->skip == b->skip));
}

static bool select_equal(const struct select *a, const struct select *b)
{
    return items_equal(a, b) && str_equal(a->from, b->from) &&
           expr_or_none_equal(a->where, b->where) && expr_or_none_equal(a->having, b->having) &&
           a->having_is_when == b->having_is_when && range_equal(&a->range, &b->range) &&
           every_equal(&a->every, &b->every) && by_equal(a, b) && fill_equal(&a->fill, &b->fill) &&
           compare_equal(&a->compare, &b->compare) && top_equal(&a->top, &b->top) &&
           limit_equal(a, b);
}

static bool query_equal(const struct query *a, const struct query *b)
{
    if (a->with_count != b->with_count || a->part_count != b->part_count)
        return false;
    for (uint32_t i = 0; i < a->with_count; i++)
        if (!str_equal(a->withs[i].name, b->withs[i].name) ||
            !query_equal(a->withs[i].query, b->withs[i].query))
            return false;
    for (uint32_t i = 0; i < a->part_count; i++)
        if (a->parts[i].op != b->parts[i].op ||
            !select_equal(&a->parts[i].select, &b->parts[i].select))
            return false;
    return true;
}

/* ---- statements ---------------------------------------------------------------------------- */

static bool show_equal(const struct show *a, const struct show *b)
{
    return a->kind == b->kind && str_equal(a->label, b->label) && str_equal(a->of, b->of) &&
           when_equal(a->since, b->since) && when_equal(a->versus, b->versus);
}

static bool alert_equal(const struct alert *a, const struct alert *b)
{
    return a->for_duration == b->for_duration && a->check_every == b->check_every &&
           a->on_empty == b->on_empty && a->has_message == b->has_message &&
           str_equal(a->message, b->message) && expr_or_none_equal(a->when, b->when);
}

static bool lookup_equal(const struct create *a, const struct create *b)
{
    if (!str_equal(a->file, b->file) || a->on_count != b->on_count)
        return false;
    for (uint32_t i = 0; i < a->on_count; i++)
        if (!str_equal(a->on[i], b->on[i]))
            return false;
    return true;
}

static bool create_equal(const struct create *a, const struct create *b)
{
    if (a->object != b->object || a->replace != b->replace || !str_equal(a->name, b->name))
        return false;
    if (a->object == OBJECT_LOOKUP)
        return lookup_equal(a, b);
    return ast_equal(a->body, b->body) &&
           (a->object != OBJECT_ALERT || alert_equal(&a->alert, &b->alert));
}

bool ast_equal(const struct statement *a, const struct statement *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case STATEMENT_QUERY:
        return query_equal(a->query, b->query);
    case STATEMENT_SHOW:
    case STATEMENT_SHOW_NEW:
        return show_equal(&a->show, &b->show);
    case STATEMENT_DESCRIBE:
        return str_equal(a->name, b->name);
    case STATEMENT_EXPLAIN:
        return a->analyze == b->analyze && a->promql == b->promql && ast_equal(a->inner, b->inner);
    case STATEMENT_LINT:
        return ast_equal(a->inner, b->inner);
    case STATEMENT_CREATE:
        return create_equal(&a->create, &b->create);
    case STATEMENT_DROP:
        return a->create.object == b->create.object && str_equal(a->create.name, b->create.name);
    case STATEMENT_ALTER_RETENTION:
        return str_equal(a->name, b->name) && a->duration == b->duration;
    case STATEMENT_IMPORT:
        return str_equal(a->name, b->name) && str_equal(a->text, b->text);
    case STATEMENT_DELETE:
        return str_equal(a->name, b->name) && expr_or_none_equal(a->where, b->where) &&
               when_equal(a->since, b->since);
    case STATEMENT_SET:
        return str_equal(a->name, b->name) && expr_equal(a->value, b->value);
    case STATEMENT_PROMQL:
        return str_equal(a->text, b->text);
    }
    return false;
}
