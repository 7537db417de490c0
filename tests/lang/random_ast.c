/* SPDX-License-Identifier: Apache-2.0
 *
 * random_ast.c -- statements that nobody wrote: trees that the parser could have made.
 *
 * Every kind of node, clause and statement comes up, with names that are keywords, texts full
 * of quotes and numbers at the ends of their ranges.  What the parser never makes is left out: the
 * FILL of a whole SELECT right behind an item without a name, which is the item's.
 *
 * Memory comes from the arena and is taken to be there: the tests give it enough.
 */
#include "random_ast.h"

#include <stdio.h>
#include <stdlib.h>

static struct expr *expr(struct random_ast *r, int depth);
static struct query *query(struct random_ast *r, int depth);

/* ---- dice ------------------------------------------------------------------------------- */

uint64_t random_next(struct random_ast *r)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t below(struct random_ast *r, uint32_t count)
{
    return (uint32_t)(random_next(r) % count);
}

static bool one_in(struct random_ast *r, uint32_t count)
{
    return below(r, count) == 0;
}

static void *new (struct random_ast *r, size_t size)
{
    void *memory = arena_zalloc(r->arena, size);
    if (!memory)
        abort();
    return memory;
}

#define PICK(r, array) ((array)[below((r), (uint32_t)(sizeof(array) / sizeof *(array)))])

static struct varve_str name(struct random_ast *r)
{
    static const char *const names[] = {
        "cost",   "tokens", "user.email", "type",     "model",    "time",   "day",  "select",
        "from",   "top",    "limit",      "check",    "my-thing", "a\"b",   "of",   "now",
        "for",    "x y",    "12",         "\xc3\xa9", "desc",     "values", "when", "a.b:c",
        "offset", "fill",   "by",         "null",     "to",       "new",    "_",    "--"};
    const char *text = PICK(r, names);
    return (struct varve_str){text, strlen(text)};
}

static struct varve_str text(struct random_ast *r)
{
    static const char *const texts[] = {"",           "it's",         "'",  "''", "a\"b",
                                        "-- no",      "/*",           "\\", ";",  "input|output",
                                        "line\nline", "\xe2\x82\xac", ".*"};
    const char *chosen = PICK(r, texts);
    return (struct varve_str){chosen, strlen(chosen)};
}

static int64_t integer(struct random_ast *r)
{
    static const int64_t edges[] = {0, 1, -1, 5, INT64_MAX, INT64_MIN, 1000000, -42};
    return one_in(r, 2) ? PICK(r, edges) : (int64_t)(random_next(r) >> below(r, 64));
}

static int64_t duration(struct random_ast *r)
{
    static const int64_t some[] = {NS_PER_SECOND,       900 * NS_PER_SECOND, NS_PER_DAY,
                                   7 * NS_PER_DAY,      INT64_MAX,           1,
                                   5400 * NS_PER_SECOND};
    return one_in(r, 2) ? PICK(r, some) : (int64_t)(random_next(r) >> (1 + below(r, 63))) | 1;
}

static double number(struct random_ast *r)
{
    static const double some[] = {0.0, -0.0, 0.5, 1e6, 1e300, 5e-324, 12345678901234567890.0, 1e22};
    double d;
    const uint64_t bits = random_next(r);
    memcpy(&d, &bits, sizeof d);
    return one_in(r, 2) || !__builtin_isfinite(d) ? PICK(r, some) : d;
}

/* ---- times ------------------------------------------------------------------------------ */

static struct when *when(struct random_ast *r)
{
    static const char *const times[] = {"2026-10-03",   "2026-10-03T08:15:18.137Z",
                                        "1790000000",   "2024-02-29T23:59:59+02:00",
                                        "1790000000.5", "0"};
    struct when *w = new (r, sizeof *w);
    w->kind = (enum when_kind)below(r, 4);
    w->unit = (enum calendar_unit)(UNIT_HOUR + (int)below(r, 6));
    w->nanos = duration(r);
    const char *chosen = PICK(r, times);
    w->text = (struct varve_str){chosen, strlen(chosen)};
    if (one_in(r, 3))
        w->shift = one_in(r, 2) ? duration(r) : -duration(r);
    return w;
}

static struct range range(struct random_ast *r)
{
    static const char *const periods[] = {"2026", "2026-10", "2026-Q3", "2026-10-03"};
    struct range range = {.kind = (enum range_kind)below(r, 5)};
    const char *chosen = PICK(r, periods);
    if (range.kind == RANGE_DURING) {
        range.during.kind = (enum period_kind)below(r, 5);
        range.during.unit = (enum calendar_unit)(UNIT_WEEK + (int)below(r, 4));
        range.during.text = (struct varve_str){chosen, strlen(chosen)};
    } else if (range.kind != RANGE_UNSET) {
        range.since = when(r);
        if (range.kind == RANGE_BETWEEN || (range.kind == RANGE_SINCE && one_in(r, 2)))
            range.until = when(r);
    }
    return range;
}

static struct every every(struct random_ast *r)
{
    struct every every = {.kind = (enum every_kind)below(r, 4)};
    every.duration = duration(r);
    every.unit = (enum calendar_unit)(UNIT_DAY + (int)below(r, 5));
    if (every.kind != EVERY_UNSET && one_in(r, 3))
        every.zone = STR("Europe/Paris");
    return every;
}

/* ---- expressions ------------------------------------------------------------------------ */

static const struct selector *selector(struct random_ast *r)
{
    struct selector *s = new (r, sizeof *s);
    const uint32_t count = below(r, 3);
    struct matcher *matchers = new (r, (count + 1) * sizeof *matchers);
    s->name = name(r);
    s->matchers = matchers;
    s->matcher_count = count;
    for (uint32_t i = 0; i < count; i++)
        matchers[i] = (struct matcher){
            .label = name(r), .value = text(r), .op = (enum matcher_op)below(r, 4)};
    s->has_offset = one_in(r, 3);
    s->offset = one_in(r, 4) ? -duration(r) : duration(r);
    s->at = one_in(r, 3) ? when(r) : NULL;
    return s;
}

static void add_args(struct random_ast *r, struct expr *e, uint32_t count, int depth)
{
    e->args = new (r, (count + 1) * sizeof(struct expr *));
    e->arg_count = count;
    for (uint32_t i = 0; i < count; i++)
        e->args[i] = expr(r, depth - 1);
}

static void call(struct random_ast *r, struct expr *e, int depth)
{
    static const char *const functions[] = {"sum", "count", "rate", "if", "replace", "last"};
    const char *chosen = PICK(r, functions);
    e->text = (struct varve_str){chosen, strlen(chosen)};
    add_args(r, e, below(r, 4), depth);
    if (e->arg_count > 0 && one_in(r, 4))
        e->flags |= EXPR_DISTINCT;
    if (e->arg_count == 1 && one_in(r, 3))
        e->args[0]->kind = EXPR_STAR, e->args[0]->arg_count = 0, e->args[0]->flags = 0,
        e->args[0]->filter = NULL;
    if (one_in(r, 4))
        e->filter = expr(r, depth - 1);
}

static void operation(struct random_ast *r, struct expr *e, int depth)
{
    static const enum operator unary[] = {OPERATOR_NOT, OPERATOR_NEG, OPERATOR_POS, OPERATOR_ISNULL,
                                          OPERATOR_NOTNULL};
    if (e->kind == EXPR_UNARY)
        e->op = PICK(r, unary);
    else
        do
            e->op = (enum operator)below(r, OPERATOR_NEG);
        while (e->op == OPERATOR_NOT);
    add_args(r, e, e->kind == EXPR_UNARY ? 1 : 2, depth);
}

static void branch(struct random_ast *r, struct expr *e, int depth)
{
    static const enum expr_kind kinds[] = {EXPR_CALL,   EXPR_UNARY, EXPR_BINARY,  EXPR_BINARY,
                                           EXPR_BINARY, EXPR_IN,    EXPR_BETWEEN, EXPR_CASE};
    e->kind = PICK(r, kinds);
    if (e->kind == EXPR_CALL) {
        call(r, e, depth);
    } else if (e->kind == EXPR_UNARY || e->kind == EXPR_BINARY) {
        operation(r, e, depth);
    } else if (e->kind == EXPR_CASE) {
        e->flags = below(r, 4) * EXPR_OPERAND; /* EXPR_OPERAND and EXPR_ELSE, or not */
        add_args(r, e, 2 + 2 * below(r, 2) + !!(e->flags & EXPR_OPERAND) + !!(e->flags & EXPR_ELSE),
                 depth);
    } else {
        e->flags = below(r, 2) ? EXPR_NEGATED : 0;
        add_args(r, e, e->kind == EXPR_BETWEEN ? 3 : 2 + below(r, 3), depth);
    }
}

static void leaf(struct random_ast *r, struct expr *e)
{
    static const enum expr_kind kinds[] = {EXPR_NULL, EXPR_BOOL,   EXPR_INT,     EXPR_FLOAT,
                                           EXPR_TEXT, EXPR_TIME,   EXPR_NAME,    EXPR_NAME,
                                           EXPR_NAME, EXPR_METRIC, EXPR_DURATION};
    e->kind = PICK(r, kinds);
    e->number = number(r);
    e->text = e->kind == EXPR_NAME ? name(r) : text(r);
    if (e->kind == EXPR_BOOL)
        e->integer = below(r, 2);
    else if (e->kind == EXPR_DURATION)
        e->integer = one_in(r, 3) ? -duration(r) : duration(r);
    else
        e->integer = integer(r);
    if (e->kind == EXPR_TIME && one_in(r, 2))
        e->flags = EXPR_LOCAL;
    if (e->kind == EXPR_METRIC)
        e->selector = selector(r);
}

static struct expr *expr(struct random_ast *r, int depth)
{
    struct expr *e = new (r, sizeof *e);
    if (depth <= 0 || one_in(r, 4))
        leaf(r, e);
    else
        branch(r, e, depth);
    return e;
}

/* ---- queries ---------------------------------------------------------------------------- */

static struct fill fill(struct random_ast *r)
{
    struct fill fill = {.kind = (enum fill_kind)below(r, 6)};
    if (fill.kind == FILL_PREV && one_in(r, 2))
        fill.within = duration(r);
    fill.number = new (r, sizeof *fill.number);
    fill.number->kind = one_in(r, 2) ? EXPR_INT : EXPR_FLOAT;
    fill.number->integer = integer(r);
    fill.number->number = number(r);
    return fill;
}

static void items(struct random_ast *r, struct select *s, int depth)
{
    s->item_count = 1 + below(r, 3);
    s->items = new (r, s->item_count * sizeof *s->items);
    for (uint32_t i = 0; i < s->item_count; i++) {
        struct item *item = &s->items[i];
        item->expr = expr(r, depth);
        if (one_in(r, 3))
            item->fill = fill(r);
        if (one_in(r, 2) || i + 1 == s->item_count)
            item->alias = name(r);
    }
    if (one_in(r, 6)) {
        s->items[0] = (struct item){.expr = new (r, sizeof(struct expr))};
        s->items[0].expr->kind = EXPR_STAR;
    }
}

static void groups(struct random_ast *r, struct select *s, int depth)
{
    if (one_in(r, 2)) {
        s->by_count = 1 + below(r, 2);
        s->by = new (r, s->by_count * sizeof *s->by);
        for (uint32_t i = 0; i < s->by_count; i++)
            s->by[i] = expr(r, depth);
    }
    if (one_in(r, 3)) {
        s->order_count = 1 + below(r, 2);
        s->orders = new (r, s->order_count * sizeof *s->orders);
        for (uint32_t i = 0; i < s->order_count; i++)
            s->orders[i] = (struct order){expr(r, depth), one_in(r, 2)};
    }
    if (one_in(r, 4))
        s->top = (struct top){.by = expr(r, depth),
                              .bottom = one_in(r, 2),
                              .count = 1 + below(r, 9),
                              .other = one_in(r, 2)};
    if (s->top.other && one_in(r, 2))
        s->top.label = text(r);
}

static void one_select(struct random_ast *r, struct select *s, int depth)
{
    s->distinct = one_in(r, 4);
    items(r, s, depth);
    if (one_in(r, 2))
        s->from = name(r);
    s->where = one_in(r, 2) ? expr(r, depth) : NULL;
    s->having = one_in(r, 4) ? expr(r, depth) : NULL;
    s->range = range(r);
    s->every = every(r);
    groups(r, s, depth);
    if (one_in(r, 3))
        s->fill = fill(r);
    s->compare.kind = (enum compare_kind)below(r, 3);
    s->compare.ago = duration(r);
    s->has_limit = one_in(r, 3);
    s->limit = s->has_limit ? below(r, 100) : 0;
    s->skip = s->has_limit ? below(r, 3) : 0;
}

static struct query *query(struct random_ast *r, int depth)
{
    struct query *q = new (r, sizeof *q);
    q->with_count = depth > 1 && one_in(r, 4) ? 1 + below(r, 2) : 0;
    q->withs = new (r, (q->with_count + 1) * sizeof *q->withs);
    for (uint32_t i = 0; i < q->with_count; i++)
        q->withs[i] = (struct with){.name = name(r), .query = query(r, depth - 1)};
    q->part_count = one_in(r, 4) ? 2 + below(r, 2) : 1;
    q->parts = new (r, q->part_count * sizeof *q->parts);
    for (uint32_t i = 0; i < q->part_count; i++) {
        q->parts[i].op = i ? (enum set_op)(1 + below(r, 4)) : SET_NONE;
        one_select(r, &q->parts[i].select, depth);
    }
    return q;
}

/* ---- statements ------------------------------------------------------------------------- */

static void show(struct random_ast *r, struct statement *s)
{
    struct show *show = &s->show;
    show->kind = (enum show_kind)below(r, SHOW_KINDS);
    if (s->kind == STATEMENT_SHOW_NEW) {
        show->kind = SHOW_VALUES;
        show->since = when(r);
        show->versus = when(r);
    }
    if (show->kind == SHOW_VALUES)
        show->label = name(r);
    const bool may = show->kind == SHOW_VALUES || show->kind == SHOW_LABELS;
    if (show->kind == SHOW_SERIES || show->since || (may && one_in(r, 2)))
        show->of = name(r);
}

static void promql(struct random_ast *r, struct statement *s)
{
    static const char *const texts[] = {"up", "sum by (a) (rate(x{b=\"it's;\\\"\"}[5m])) > 5",
                                        "select + 1", "a / on() group_left sum(a)", "--5"};
    const char *chosen = PICK(r, texts);
    s->kind = STATEMENT_PROMQL;
    s->text = (struct varve_str){chosen, strlen(chosen)};
}

static struct statement *inner(struct random_ast *r, bool may_be_promql)
{
    struct statement *s = new (r, sizeof *s);
    if (may_be_promql && one_in(r, 2)) {
        promql(r, s);
    } else {
        s->kind = STATEMENT_QUERY;
        s->query = query(r, 2);
    }
    return s;
}

static void alert(struct random_ast *r, struct create *c)
{
    struct select *first = c->body->query ? &c->body->query->parts[0].select : NULL;
    c->alert.check_every = duration(r);
    c->alert.for_duration = one_in(r, 2) ? duration(r) : 0;
    c->alert.on_empty = below(r, 3);
    c->alert.has_message = one_in(r, 2);
    if (c->alert.has_message)
        c->alert.message = text(r);
    if (!first)
        c->alert.when = one_in(r, 2) ? expr(r, 3) : NULL;
    else if (c->body->query->part_count == 1)
        first->having_is_when = first->having != NULL;
}

static void create(struct random_ast *r, struct create *c)
{
    c->object = (enum object_kind)below(r, 4);
    c->replace = one_in(r, 2);
    c->name = name(r);
    if (c->object == OBJECT_LOOKUP) {
        c->file = text(r);
        c->on_count = 1 + below(r, 3);
        c->on = new (r, c->on_count * sizeof *c->on);
        for (uint32_t i = 0; i < c->on_count; i++)
            c->on[i] = name(r);
        return;
    }
    c->body = inner(r, c->object != OBJECT_VIEW);
    if (c->object == OBJECT_ALERT)
        alert(r, c);
}

static void explain(struct random_ast *r, struct statement *s)
{
    s->analyze = one_in(r, 2);
    s->inner = inner(r, true);
    s->promql = !s->analyze && s->inner->kind == STATEMENT_QUERY && one_in(r, 2);
}

static void others(struct random_ast *r, struct statement *s)
{
    s->name = name(r);
    if (s->kind == STATEMENT_IMPORT)
        s->name = one_in(r, 2) ? STR("RULES") : STR("GRAFANA");
    else if ((s->kind == STATEMENT_DELETE || s->kind == STATEMENT_ALTER_RETENTION) && one_in(r, 4))
        s->name = STR("");
    s->text = text(r);
    s->duration = one_in(r, 3) ? INT64_MAX : duration(r);
    s->value = expr(r, 3);
    s->where = expr(r, 3);
    s->since = one_in(r, 2) ? when(r) : NULL;
    s->create.object = (enum object_kind)below(r, 4);
    s->create.name = name(r);
}

struct statement *random_statement(struct random_ast *r)
{
    struct statement *s = new (r, sizeof *s);
    s->kind = one_in(r, 2) ? STATEMENT_QUERY : (enum statement_kind)below(r, STATEMENT_PROMQL + 1);
    switch (s->kind) {
    case STATEMENT_QUERY:
        s->query = query(r, 4);
        break;
    case STATEMENT_SHOW:
    case STATEMENT_SHOW_NEW:
        show(r, s);
        break;
    case STATEMENT_EXPLAIN:
        explain(r, s);
        break;
    case STATEMENT_LINT:
        s->inner = inner(r, true);
        break;
    case STATEMENT_CREATE:
        create(r, &s->create);
        break;
    case STATEMENT_PROMQL:
        promql(r, s);
        break;
    default:
        others(r, s);
        break;
    }
    return s;
}
