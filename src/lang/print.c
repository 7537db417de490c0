/* SPDX-License-Identifier: Apache-2.0
 *
 * print.c -- a tree as text: queries and statements in their canonical form.
 *
 * The order of clauses is fixed, and chosen so that none is read as part of
 * the one before it: a range that is a BETWEEN never follows a condition, and FILL comes last, for
 * behind an item it would be the item's.
 */
#include "lang/print.h"

#include "lang/parse.h"
#include "lang/print_private.h"

static void statement(struct buf *out, const struct statement *s);

static void text_and_name(struct buf *out, const char *text, struct varve_str name)
{
    print_text(out, text);
    print_name(out, name);
}

static void text_and_string(struct buf *out, const char *text, struct varve_str s)
{
    print_text(out, text);
    print_string(out, s);
}

static void text_and_when(struct buf *out, const char *text, const struct when *when)
{
    print_text(out, text);
    print_when(out, when);
}

static void text_and_duration(struct buf *out, const char *text, int64_t nanos)
{
    print_text(out, text);
    print_duration(out, nanos);
}

static void text_and_int(struct buf *out, const char *text, int64_t value)
{
    print_text(out, text);
    print_int(out, value);
}

static void text_and_expr(struct buf *out, const char *text, const struct expr *expr)
{
    print_text(out, text);
    print_expr(out, expr);
}

static void text_and_bare(struct buf *out, const char *text, const struct expr *expr)
{
    print_text(out, text);
    print_bare_expr(out, expr);
}

/* ---- clauses ------------------------------------------------------------------------ */

static void fill(struct buf *out, const struct fill *fill)
{
    switch (fill->kind) {
    case FILL_UNSET:
        break;
    case FILL_NONE:
        print_text(out, " FILL none");
        break;
    case FILL_NULL:
        print_text(out, " FILL null");
        break;
    case FILL_NUMBER:
        text_and_expr(out, " FILL ", fill->number);
        break;
    case FILL_LINEAR:
        print_text(out, " FILL linear");
        break;
    case FILL_PREV:
        print_text(out, " FILL prev");
        if (fill->within > 0)
            text_and_duration(out, " WITHIN ", fill->within);
        break;
    }
}

static void period(struct buf *out, const struct period *period)
{
    switch (period->kind) {
    case PERIOD_TODAY:
        print_text(out, " DURING today");
        break;
    case PERIOD_YESTERDAY:
        print_text(out, " DURING yesterday");
        break;
    case PERIOD_THIS:
    case PERIOD_LAST:
        print_text(out, period->kind == PERIOD_THIS ? " DURING this " : " DURING last ");
        print_text(out, calendar_unit_names[period->unit]);
        break;
    case PERIOD_NAMED:
        text_and_string(out, " DURING ", period->text);
        break;
    }
}

static void range(struct buf *out, const struct range *range)
{
    switch (range->kind) {
    case RANGE_UNSET:
        break;
    case RANGE_SINCE:
        text_and_when(out, " SINCE ", range->since);
        if (range->until)
            text_and_when(out, " UNTIL ", range->until);
        break;
    case RANGE_BETWEEN:
        text_and_when(out, " BETWEEN ", range->since);
        text_and_when(out, " AND ", range->until);
        break;
    case RANGE_DURING:
        period(out, &range->during);
        break;
    case RANGE_AT:
        text_and_when(out, " AT ", range->since);
        break;
    }
}

static void every(struct buf *out, const struct every *every)
{
    if (every->kind == EVERY_UNSET)
        return;
    print_text(out, " EVERY ");
    if (every->kind == EVERY_DURATION)
        print_duration(out, every->duration);
    else
        print_text(out, every->kind == EVERY_AUTO ? "auto" : calendar_unit_names[every->unit]);
    if (every->zone.size > 0)
        text_and_string(out, " TZ ", every->zone);
}

static void compare(struct buf *out, const struct compare *compare)
{
    if (compare->kind == COMPARE_PREVIOUS)
        print_text(out, " COMPARE TO previous");
    if (compare->kind != COMPARE_AGO)
        return;
    text_and_duration(out, " COMPARE TO ", compare->ago);
    print_text(out, " AGO");
}

static void top(struct buf *out, const struct top *top)
{
    if (!top->by)
        return;
    text_and_int(out, top->bottom ? " BOTTOM " : " TOP ", top->count);
    text_and_bare(out, " BY ", top->by);
    if (top->other)
        print_text(out, " WITH OTHER");
    if (top->other && top->label.size > 0)
        text_and_string(out, " ", top->label);
}

/* ---- queries --------------------------------------------------------------------------- */

static void items(struct buf *out, const struct select *select)
{
    print_text(out, select->distinct ? "SELECT DISTINCT" : "SELECT");
    for (uint32_t i = 0; i < select->item_count; i++) {
        const struct item *item = &select->items[i];
        text_and_bare(out, i ? ", " : " ", item->expr);
        fill(out, &item->fill);
        if (item->alias.size > 0)
            text_and_name(out, " AS ", item->alias);
    }
}

static void one_select(struct buf *out, const struct select *select, bool with_when)
{
    items(out, select);
    if (select->from.size > 0)
        text_and_name(out, " FROM ", select->from);
    range(out, &select->range);
    every(out, &select->every);
    if (select->where)
        text_and_expr(out, " WHERE ", select->where);
    for (uint32_t i = 0; i < select->by_count; i++)
        text_and_bare(out, i ? ", " : " BY ", select->by[i]);
    if (select->having && (with_when || !select->having_is_when))
        text_and_expr(out, " HAVING ", select->having);
    compare(out, &select->compare);
    top(out, &select->top);
    for (uint32_t i = 0; i < select->order_count; i++) {
        text_and_bare(out, i ? ", " : " ORDER BY ", select->orders[i].expr);
        print_text(out, select->orders[i].descending ? " DESC" : "");
    }
    if (select->has_limit)
        text_and_int(out, " LIMIT ", select->limit);
    if (select->has_limit && select->skip > 0)
        text_and_int(out, " SKIP ", select->skip);
    fill(out, &select->fill);
}

/* with_when: a WHEN is printed as the HAVING that it is. */
static void query(struct buf *out, const struct query *query, bool with_when)
{
    static const char *const ops[] = {"", " UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT "};
    for (uint32_t i = 0; i < query->with_count; i++) {
        text_and_name(out, i ? ", " : "WITH ", query->withs[i].name);
        print_text(out, " AS (");
        print_query(out, query->withs[i].query);
        print_text(out, ")");
    }
    print_text(out, query->with_count > 0 ? " " : "");
    for (uint32_t i = 0; i < query->part_count; i++) {
        print_text(out, ops[query->parts[i].op]);
        one_select(out, &query->parts[i].select, with_when);
    }
}

void print_query(struct buf *out, const struct query *q)
{
    query(out, q, true);
}

/* ---- statements --------------------------------------------------------------------------- */

static void show(struct buf *out, const struct show *show)
{
    static const char *const names[SHOW_KINDS] = {
#define X(name) #name,
        SHOW_MAP(X)
#undef X
    };
    print_text(out, show->since ? "SHOW NEW " : "SHOW ");
    print_text(out, names[show->kind]);
    if (show->label.size > 0)
        text_and_name(out, " OF ", show->label);
    if (show->of.size > 0)
        text_and_name(out, show->kind == SHOW_VALUES ? " IN " : " OF ", show->of);
    if (show->since) {
        text_and_when(out, " SINCE ", show->since);
        text_and_when(out, " VERSUS ", show->versus);
    }
}

static const char *object_name(enum object_kind object)
{
    static const char *const names[] = {"VIEW ", "PANEL ", "ALERT ", "LOOKUP "};
    return names[object];
}

static void alert(struct buf *out, const struct create *create)
{
    const struct alert *alert = &create->alert;
    const struct statement *body = create->body;
    const struct expr *when = alert->when;
    if (body->kind == STATEMENT_QUERY) {
        query(out, body->query, false);
        if (body->query->parts[0].select.having_is_when)
            when = body->query->parts[0].select.having;
    } else {
        statement(out, body);
    }
    if (when)
        text_and_expr(out, " WHEN ", when);
    if (alert->for_duration > 0)
        text_and_duration(out, " FOR ", alert->for_duration);
    text_and_duration(out, " CHECK EVERY ", alert->check_every);
    if (alert->on_empty != EMPTY_UNSET)
        print_text(out, alert->on_empty == EMPTY_OK ? " ON EMPTY ok" : " ON EMPTY alert");
    if (alert->has_message)
        text_and_string(out, " MESSAGE ", alert->message);
}

static void create(struct buf *out, const struct create *create)
{
    print_text(out, create->replace ? "CREATE OR REPLACE " : "CREATE ");
    text_and_name(out, object_name(create->object), create->name);
    if (create->object == OBJECT_LOOKUP) {
        text_and_string(out, " FROM ", create->file);
        for (uint32_t i = 0; i < create->on_count; i++)
            text_and_name(out, i ? ", " : " ON ", create->on[i]);
        return;
    }
    print_text(out, " AS ");
    if (create->object == OBJECT_ALERT)
        alert(out, create);
    else
        statement(out, create->body);
}

/* EXPLAIN PROMQL has two meanings, which the word behind it tells apart. */
static void explain(struct buf *out, const struct statement *s)
{
    print_text(out, s->analyze ? "EXPLAIN ANALYZE " : s->promql ? "EXPLAIN PROMQL " : "EXPLAIN ");
    if (s->inner->kind == STATEMENT_PROMQL &&
        parse_is_vql(s->inner->text.data, s->inner->text.size))
        print_text(out, s->analyze ? "" : "PROMQL ");
    statement(out, s->inner);
}

static void star_or_name(struct buf *out, const char *text, struct varve_str name)
{
    print_text(out, text);
    if (name.size == 0)
        print_text(out, "*");
    else
        print_name(out, name);
}

static void alter(struct buf *out, const struct statement *s)
{
    star_or_name(out, "ALTER RETENTION ", s->name);
    print_text(out, " TO ");
    if (s->duration == INT64_MAX)
        print_text(out, "forever");
    else
        print_duration(out, s->duration);
}

static void import(struct buf *out, const struct statement *s)
{
    print_text(out, "IMPORT ");
    buf_put(out, s->name.data, s->name.size);
    text_and_string(out, " ", s->text);
}

static void delete (struct buf *out, const struct statement *s)
{
    star_or_name(out, "DELETE FROM ", s->name);
    text_and_expr(out, " WHERE ", s->where);
    if (s->since)
        text_and_when(out, " SINCE ", s->since);
}

static void statement(struct buf *out, const struct statement *s)
{
    switch (s->kind) {
    case STATEMENT_QUERY:
        print_query(out, s->query);
        break;
    case STATEMENT_SHOW:
    case STATEMENT_SHOW_NEW:
        show(out, &s->show);
        break;
    case STATEMENT_DESCRIBE:
        text_and_name(out, "DESCRIBE ", s->name);
        break;
    case STATEMENT_EXPLAIN:
        explain(out, s);
        break;
    case STATEMENT_LINT:
        print_text(out, "LINT ");
        statement(out, s->inner);
        break;
    case STATEMENT_CREATE:
        create(out, &s->create);
        break;
    case STATEMENT_DROP:
        print_text(out, "DROP ");
        text_and_name(out, object_name(s->create.object), s->create.name);
        break;
    case STATEMENT_ALTER_RETENTION:
        alter(out, s);
        break;
    case STATEMENT_IMPORT:
        import(out, s);
        break;
    case STATEMENT_DELETE:
        delete (out, s);
        break;
    case STATEMENT_SET:
        text_and_name(out, "SET ", s->name);
        text_and_expr(out, " = ", s->value);
        break;
    case STATEMENT_PROMQL:
        print_text(out, "PROMQL ");
        buf_put(out, s->text.data, s->text.size);
        break;
    }
}

void print_statement(struct buf *out, const struct statement *s)
{
    statement(out, s);
}
