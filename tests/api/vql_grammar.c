/* SPDX-License-Identifier: Apache-2.0
 *
 * vql_grammar.c -- random SELECTs of groups, as text and as the tree that naive.c evaluates.
 *
 * What is sorted or ranked by is exact: doubles that differ in the last bit have no order.
 */
#include "vql_grammar.h"

#include <stdarg.h>

#define MINUTE (60 * SECOND)

struct clauses {
    char texts[14][900];
    size_t count;
};

void say(struct gen *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(g->text + g->size, sizeof g->text - g->size, format, args);
    va_end(args);
    g->size += (size_t)n;
    assert_true(g->size < sizeof g->text);
}

unsigned dice(struct gen *g, unsigned sides)
{
    return (unsigned)prng_below(g->prng, sides);
}

struct expr *new_expr(struct gen *g, enum expr_kind kind)
{
    assert_true(g->expr_count < sizeof g->exprs / sizeof *g->exprs);
    struct expr *e = &g->exprs[g->expr_count++];
    *e = (struct expr){.kind = kind, .column = -1};
    return e;
}

static struct condition *new_condition(struct gen *g)
{
    assert_true(g->condition_count < sizeof g->conditions / sizeof *g->conditions);
    struct condition *c = &g->conditions[g->condition_count++];
    *c = (struct condition){.kind = ALWAYS};
    return c;
}

/* ---- conditions -------------------------------------------------------------------- */

static const char *const values[LABELS][4] = {
    [LABEL_SESSION] = {"s0", "s1", "s2", "s99"},
    [LABEL_USER] = {"ann@a.org", "bob@a.org", "cy@b.org", "dora@b.org"},
    [LABEL_MODEL] = {"opus-4", "opus-4-fast", "sonnet-4", "haiku"},
    [LABEL_TEAM] = {"core", "apps", "core", "none"},
    [LABEL_TYPE] = {"input", "output", "cacheRead", "input"},
};

/* name op value, on a text column; an operator of matchers only, if so asked. */
static void text_condition(struct gen *g, struct condition *c, bool is_matcher)
{
    const char *name = label_names[c->column];
    const char *const *some = values[c->column];
    c->texts[0] = some[dice(g, 4)];
    c->texts[1] = some[dice(g, 4)];
    c->text_count = 1;
    switch (dice(g, is_matcher ? 4 : 6)) {
    case 0:
        c->kind = EQUAL;
        say(g, "%s = '%s'", name, c->texts[0]);
        return;
    case 1:
        c->kind = DIFFERENT;
        say(g, "%s != '%s'", name, c->texts[0]);
        return;
    case 2:
        c->kind = MATCHES;
        c->text_count = 2;
        say(g, "%s =~ '%s|%s'", name, c->texts[0], c->texts[1]);
        return;
    case 3:
        c->kind = dice(g, 2) ? NOT_MATCHES : MATCHES;
        c->number = 1;
        say(g, "%s %s '%s.*'", name, c->kind == MATCHES ? "=~" : "!~", c->texts[0]);
        return;
    case 4:
        c->kind = ONE_OF;
        c->text_count = 2;
        say(g, "%s IN ('%s', '%s')", name, c->texts[0], c->texts[1]);
        return;
    default:
        c->kind = LIKE_START;
        c->number = 1;
        say(g, "%s LIKE '%s%%'", name, c->texts[0]);
    }
}

static void leaf(struct gen *g, struct condition *c)
{
    if (g->only_fields && g->from_metric >= 0 && dice(g, 2)) {
        c->column = FIELD_COST;
        c->kind = ABOVE;
        c->number = (int64_t)dice(g, 40);
        say(g, "value > %lld", (long long)c->number);
        return;
    }
    if (g->only_fields && g->from_metric < 0 && dice(g, 2)) {
        c->column = dice(g, 2) ? FIELD_MS : FIELD_OK;
        c->kind = c->column == FIELD_MS ? ABOVE : IS_TRUE;
        c->number = (int64_t)dice(g, 40);
        if (c->kind == ABOVE)
            say(g, "ms > %lld", (long long)c->number);
        else
            say(g, "ok");
        return;
    }
    c->column = g->only_labels && dice(g, 4) == 0 ? LABEL_SESSION : (int)(1 + dice(g, 3));
    if (dice(g, 8)) {
        text_condition(g, c, false);
        return;
    }
    c->kind = IS_NULL;
    say(g, "%s IS NULL", label_names[c->column]);
}

static void condition(struct gen *g, struct condition *c, unsigned depth)
{
    unsigned what = dice(g, depth == 0 ? 2 : 5);
    if (what < 2) {
        leaf(g, c);
        return;
    }
    c->kind = what == 2 ? NOT : what == 3 ? AND : OR;
    c->a = new_condition(g);
    say(g, c->kind == NOT ? "NOT (" : "(");
    condition(g, c->a, depth - 1);
    if (c->kind != NOT) {
        c->b = new_condition(g);
        say(g, c->kind == AND ? ") AND (" : ") OR (");
        condition(g, c->b, depth - 1);
    }
    say(g, ")");
}

/* ---- what is measured ------------------------------------------------------------------ */

static const char *const rollup_names[ROLLUPS] = {"increase", "rate",    "delta",  "first",
                                                  "last",     "min_of",  "max_of", "avg_of",
                                                  "seen",     "changes", "resets"};
static const char *const aggregate_names[AGGREGATES] = {"",       "sum",   "avg",    "min",
                                                        "max",    "count", "median", "quantile",
                                                        "stddev", "list",  "first",  "last"};
static const char *const metric_names[METRICS] = {
    "tokens", "cost", "claude_code.commit.count", "work.done", "queue.depth", "cpu.load"};

static void say_metric_name(struct gen *g, int metric)
{
    say(g, strchr(metric_names[metric], '.') ? "\"%s\"" : "%s", metric_names[metric]);
}

void say_source(struct gen *g)
{
    say(g, "FROM ");
    if (g->from_metric >= 0)
        say_metric_name(g, g->from_metric);
    else
        say(g, "api_call");
}

const char *column_name(const struct gen *g, int field)
{
    return field == FIELD_COST && g->from_metric >= 0 ? "value" : field_names[field];
}

static void say_metric(struct gen *g, struct expr *e)
{
    const struct select *s = g->select;
    say_metric_name(g, e->metric);
    if (dice(g, 3) == 0) {
        e->matcher.column = e->metric == 0 && dice(g, 2) ? LABEL_TYPE : (int)(1 + dice(g, 2));
        say(g, "{");
        text_condition(g, &e->matcher, true);
        say(g, "}");
    }
    if (dice(g, 6) == 0) {
        e->offset = ((int64_t)dice(g, 36) - 6) * HOUR;
        say(g, " OFFSET %lldh", (long long)(e->offset / HOUR));
    }
    if (dice(g, 8) == 0) {
        e->has_at = true;
        e->at = s->since + (int64_t)prng_below(g->prng, (uint64_t)(s->until - s->since + 1));
        say(g, " @ ");
        say_time(g, e->at);
    }
}

static void say_filter(struct gen *g, struct expr *e)
{
    if (dice(g, 4))
        return;
    struct condition *filter = new_condition(g);
    say(g, " FILTER (WHERE ");
    condition(g, filter, 1);
    say(g, ")");
    e->filter = filter;
}

/* aggregate(rollup(metric, window)); plain: no @, because it is to make rows. */
static void say_measure(struct gen *g, struct expr *e, bool plain)
{
    bool needs = g->is_instant;
    if (e->aggregate)
        say(g, "%s(%s", aggregate_names[e->aggregate], e->distinct ? "DISTINCT " : "");
    size_t from = g->size;
    say(g, "%s(", rollup_names[e->rollup]);
    size_t at = g->size;
    say_metric(g, e);
    if (plain && e->has_at) {
        e->has_at = false;
        g->size = (size_t)(strstr(g->text + at, " @ ") - g->text);
        g->text[g->size] = '\0';
    }
    needs |= e->has_at && g->select->width.kind != NO_BUCKETS;
    bool is_bare = e->rollup == LAST && g->world->metrics[e->metric].is_gauge && dice(g, 3) == 0;
    if (is_bare && !needs) { /* a gauge that stands alone */
        memmove(g->text + from, g->text + at, g->size - at + 1);
        g->size -= at - from;
    } else {
        if (needs || dice(g, 6) == 0) {
            e->window = (int64_t)(1 + dice(g, 40)) * 30 * MINUTE;
            say(g, ", %lldm", (long long)(e->window / MINUTE));
        }
        say(g, ")");
    }
    if (e->aggregate == QUANTILE)
        say(g, ", %g", e->quantile);
    if (e->aggregate) {
        say(g, ")");
        g->only_labels = true;
        say_filter(g, e);
        g->only_labels = false;
    }
}

static struct expr *measure(struct gen *g, bool plain, bool exact)
{
    static const enum rollup of_counters[] = {INCREASE, INCREASE, INCREASE, SEEN,
                                              LAST,     RESETS,   RATE,     FIRST,
                                              MIN_OF,   MAX_OF,   AVG_OF,   CHANGES};
    static const enum rollup of_gauges[] = {LAST,   LAST,   DELTA,  SEEN,     FIRST,   RATE,
                                            MIN_OF, MAX_OF, AVG_OF, INCREASE, CHANGES, RESETS};
    struct expr *e = new_expr(g, MEASURED);
    e->metric = (int)dice(g, METRICS);
    bool is_gauge = g->world->metrics[e->metric].is_gauge;
    e->rollup = (is_gauge ? of_gauges : of_counters)[dice(g, exact ? 5 : 12)];
    if (dice(g, 3) == 0)
        e->aggregate =
            exact ? (enum aggregate)(MIN + dice(g, 3)) : (enum aggregate)(SUM + dice(g, 8));
    e->distinct = e->aggregate != NATURAL && dice(g, 4) == 0;
    e->quantile = 0.25 * dice(g, 5);
    say_measure(g, e, plain);
    return e;
}

static void say_of_rows(struct gen *g, struct expr *e)
{
    e->distinct = e->column >= 0 && e->aggregate < FIRST_ROW && dice(g, 4) == 0;
    e->quantile = 0.25 * dice(g, 5);
    say(g, "%s(%s%s", aggregate_names[e->aggregate], e->distinct ? "DISTINCT " : "",
        e->column < 0 ? "*" : column_name(g, e->column));
    if (e->aggregate == QUANTILE)
        say(g, ", %g", e->quantile);
    say(g, ")");
    g->only_fields = true;
    say_filter(g, e);
    g->only_fields = false;
}

/* Rows of a metric come several at a time, and none of them is first. */
static struct expr *of_rows(struct gen *g, bool exact)
{
    static const enum aggregate exact_ones[] = {COUNT, SUM, MIN, MAX};
    struct expr *e = new_expr(g, OF_ROWS);
    unsigned most = g->from_metric >= 0 ? 9 : 11;
    e->aggregate = exact ? exact_ones[dice(g, 4)] : (enum aggregate)(SUM + dice(g, most));
    if (e->aggregate == LIST)
        e->aggregate = COUNT;
    e->column = dice(g, 2) || g->from_metric >= 0 ? FIELD_COST : FIELD_MS;
    if (e->aggregate == COUNT)
        e->column = dice(g, 2) ? -1 : (int)(1 + dice(g, g->from_metric >= 0 ? 4 : 6));
    say_of_rows(g, e);
    return e;
}

/* list(...), which is a text. */
static struct expr *list(struct gen *g, struct subject about)
{
    struct expr *e = new_expr(g, about.has_rows ? OF_ROWS : dice(g, 2) ? MEASURED : DISTINCT_LABEL);
    if (g->is_instant)
        e->kind = MEASURED;
    e->aggregate = LIST;
    if (e->kind == OF_ROWS) {
        e->column = (int)(1 + dice(g, g->from_metric >= 0 ? 4 : 5));
        say_of_rows(g, e);
    } else if (e->kind == MEASURED) {
        e->metric = (int)dice(g, METRICS);
        e->rollup = dice(g, 2) ? LAST : SEEN;
        say_measure(g, e, false);
    } else {
        e->column = (int)dice(g, 4);
        say(g, "list(%s)", label_names[e->column]);
    }
    return e;
}

static struct expr *simple(struct gen *g, struct subject about, bool exact)
{
    if (about.has_rows && (!about.has_metrics || dice(g, 2)))
        return of_rows(g, exact);
    return measure(g, exact, exact);
}

static struct expr *binary(struct gen *g, enum expr_kind kind, struct expr *a, struct expr *b)
{
    struct expr *e = new_expr(g, kind);
    e->a = a;
    e->b = b;
    return e;
}

static struct expr *alias(struct gen *g, size_t item)
{
    struct expr *e = new_expr(g, ALIAS);
    e->number = (int64_t)item;
    say(g, "%s", g->select->items[item].name);
    return e;
}

/* One of the first items that is a number; the very first one is. */
static size_t some_item(struct gen *g, size_t count)
{
    size_t item = dice(g, (unsigned)count);
    return g->select->items[item].is_text ? 0 : item;
}

static struct expr *number(struct gen *g)
{
    struct expr *e = new_expr(g, NUMBER);
    e->number = (int64_t)(1 + dice(g, 9));
    say(g, "%lld", (long long)e->number);
    return e;
}

static struct expr *item_expr(struct gen *g, struct subject about, size_t i)
{
    static const char operators[] = "+-/*";
    static const enum expr_kind kinds[] = {ADDED, SUBTRACTED, DIVIDED, MULTIPLIED};
    struct expr *e, *a;
    unsigned what = i == 0 ? dice(g, 2) : dice(g, 9), op = dice(g, 4);
    switch (what) {
    case 2: /* a ratio or so */
        op = op == 3 ? 2 : op;
        a = simple(g, about, false);
        say(g, " %c ", operators[op]);
        e = simple(g, about, false);
        return binary(g, kinds[op], a, e);
    case 3:
        a = alias(g, some_item(g, i));
        say(g, " %c ", operators[op]);
        e = number(g);
        return binary(g, kinds[op], a, e);
    case 4:
    case 5:
        say(g, what == 4 ? "share(" : "total(");
        e = binary(g, what == 4 ? SHARE : TOTAL,
                   dice(g, 2) ? alias(g, some_item(g, i)) : simple(g, about, true), NULL);
        say(g, ")");
        return e;
    case 6:
        say(g, "coalesce(");
        e = binary(g, COALESCED, simple(g, about, false), NULL);
        e->number = 7;
        say(g, ", 7)");
        return e;
    case 7:
        if (about.has_rows || g->is_instant)
            break;
        e = new_expr(g, DISTINCT_LABEL);
        e->column = (int)dice(g, 4);
        say(g, "count(DISTINCT %s)", label_names[e->column]);
        g->only_labels = true;
        say_filter(g, e);
        g->only_labels = false;
        return e;
    case 8:
        g->select->items[i].is_text = true;
        return list(g, about);
    default:
        break;
    }
    g->is_exact[i] = i == 0 || what == 0;
    return simple(g, about, g->is_exact[i]);
}

/* ---- clauses ---------------------------------------------------------------------------- */

/* What was said since `from` becomes a clause, to be put somewhere. */
static void cut(struct gen *g, size_t from, struct clauses *clauses)
{
    snprintf(clauses->texts[clauses->count++], sizeof clauses->texts[0], "%s", g->text + from);
    g->size = from;
    g->text[from] = '\0';
}

static void choose_keys(struct gen *g, struct subject about)
{
    struct select *s = g->select;
    s->key_count = dice(g, 3);
    for (size_t k = 0; k < s->key_count; k++) {
        int first = about.has_rows ? 1 : 0;
        s->keys[k] = first + (int)dice(g, (unsigned)(4 - first));
        if (k == 1 && s->keys[1] == s->keys[0])
            s->key_count = 1;
    }
}

static void say_keys(struct gen *g)
{
    const struct select *s = g->select;
    if (s->key_count)
        say(g, dice(g, 2) ? "BY %s" : "GROUP BY %s", label_names[s->keys[0]]);
    if (s->key_count == 2)
        say(g, ", %s", label_names[s->keys[1]]);
}

/* No text is filled with a number. */
static void choose_fill(struct gen *g, struct fill *fill, bool is_text)
{
    bool has_buckets = g->select->width.kind != NO_BUCKETS;
    fill->kind = (enum fill_kind)dice(g, has_buckets ? 5 : 3);
    if (is_text && fill->kind == FILL_WITH_NUMBER)
        fill->kind = FILL_WITH_NULL;
    fill->number = (int64_t)dice(g, 9) - 4;
    fill->within = dice(g, 2) ? (int64_t)(1 + dice(g, 60)) * HOUR : 0;
}

static void say_fill(struct gen *g, const struct fill *fill)
{
    static const char *const words[] = {"null", "none", "", "prev", "linear"};
    say(g, "FILL %s", words[fill->kind]);
    if (fill->kind == FILL_WITH_NUMBER)
        say(g, "%lld", (long long)fill->number);
    if (fill->kind == FILL_WITH_PREVIOUS && fill->within)
        say(g, " WITHIN %lldh", (long long)(fill->within / HOUR));
}

static void say_top(struct gen *g, struct subject about)
{
    struct select *s = g->select;
    if (s->key_count == 0 || dice(g, 4))
        return;
    s->top = 1 + dice(g, 3);
    s->bottom = dice(g, 4) == 0;
    say(g, "%s %zu BY ", s->bottom ? "BOTTOM" : "TOP", s->top);
    s->rank = dice(g, 2) ? alias(g, 0) : simple(g, about, true);
    s->has_other = dice(g, 2);
    s->other = intern(dice(g, 2) ? "other" : "All the rest");
    if (s->has_other)
        say(g, s->other[0] == 'o' ? " WITH OTHER" : " WITH OTHER 'All the rest'");
}

static void having(struct gen *g, struct condition *c, unsigned depth)
{
    static const char *const words[] = {[AND] = ") AND (", [OR] = ") OR ("};
    struct select *s = g->select;
    unsigned what = dice(g, depth ? 6 : 4);
    if (what < 4) {
        c->kind = what == 3 ? IS_NULL : ABOVE;
        c->column = (int)some_item(g, s->item_count);
        c->number = (int64_t)dice(g, 30);
        say(g, c->kind == IS_NULL ? "%s IS NULL" : "%s > %lld", s->items[c->column].name,
            (long long)c->number);
        return;
    }
    c->kind = what == 4 ? AND : OR;
    c->a = new_condition(g);
    c->b = new_condition(g);
    say(g, "(");
    having(g, c->a, depth - 1);
    say(g, "%s", words[c->kind]);
    having(g, c->b, depth - 1);
    say(g, ")");
}

static void say_having(struct gen *g)
{
    if (dice(g, 5))
        return;
    say(g, "HAVING ");
    having(g, &g->select->having, 1);
}

static void say_order(struct gen *g)
{
    static const char *const parts[] = {"", "_prev", "_change"};
    struct select *s = g->select;
    s->order_item = -1;
    if (dice(g, 4))
        return;
    for (size_t i = 0; i < s->item_count; i++)
        if (g->is_exact[i] && s->order_item < 0)
            s->order_item = (int)i;
    if (s->order_item < 0)
        return;
    s->descending = dice(g, 2);
    s->order_part = s->has_compare ? (int)dice(g, 3) : 0;
    say(g, "ORDER BY %s%s%s", s->items[s->order_item].name, parts[s->order_part],
        s->descending ? " DESC" : "");
}

static void say_limit(struct gen *g)
{
    struct select *s = g->select;
    s->limit = -1;
    if (dice(g, 6))
        return;
    s->limit = (int64_t)dice(g, 10);
    s->skip = (int64_t)dice(g, 4);
    say(g, "LIMIT %lld", (long long)s->limit);
    if (s->skip)
        say(g, " SKIP %lld", (long long)s->skip);
}

void say_where(struct gen *g, struct subject about)
{
    if (dice(g, 3))
        return;
    say(g, "WHERE ");
    g->only_labels = !about.has_rows;
    g->only_fields = !about.has_metrics;
    condition(g, &g->select->where, 2);
    g->only_labels = g->only_fields = false;
}

/* ---- statements -------------------------------------------------------------------------- */

static void say_items(struct gen *g, struct subject about)
{
    struct select *s = g->select;
    size_t count = 1 + dice(g, 3);
    say(g, s->distinct ? "SELECT DISTINCT " : "SELECT ");
    if (s->width.kind != NO_BUCKETS && dice(g, 8) == 0)
        say(g, "time, ");
    for (size_t k = 0; k < s->key_count; k++)
        if (dice(g, 6) == 0)
            say(g, "%s, ", label_names[s->keys[k]]);
    for (size_t i = 0; i < count; i++) {
        say(g, i ? ", " : "");
        g->is_exact[i] = false;
        struct expr *e = item_expr(g, about, i);
        s->items[i].expr = e;
        s->items[i].fill = s->fill;
        bool is_odd = s->items[i].is_text && s->fill.kind == FILL_WITH_NUMBER;
        if (is_odd || dice(g, 5) == 0) {
            choose_fill(g, &s->items[i].fill, s->items[i].is_text);
            say(g, " ");
            say_fill(g, &s->items[i].fill);
        }
        if (s->items[i].fill.kind == FILL_ON_A_LINE)
            g->is_exact[i] = false;
        snprintf(s->items[i].name, sizeof s->items[i].name, "x%u", (unsigned)i);
        say(g, " AS x%zu", i);
        s->item_count = i + 1;
    }
}

/* What it is about, and when. */
static void choose(struct gen *g, struct subject *about, const char *session_zone, bool inner)
{
    static const struct subject subjects[] = {
        {true, false}, {true, false}, {false, true}, {true, true}};
    struct select *s = g->select;
    *about = subjects[dice(g, 4)];
    g->from_metric = about->has_rows && dice(g, 3) == 0 ? (int)dice(g, METRICS) : -1;
    if (about->has_rows) {
        s->from = g->from_metric < 0 ? &g->world->events : &g->world->readings[g->from_metric];
        s->from_is_timed = true;
    }
    choose_times(g, session_zone, !about->has_rows);
    choose_keys(g, *about);
    if (dice(g, 2))
        choose_fill(g, &s->fill, false);
    s->distinct = !inner && dice(g, 12) == 0;
}

static void say_clauses(struct gen *g, struct subject about, bool inner, struct clauses *clauses)
{
    struct select *s = g->select;
    size_t from = g->size;
    if (about.has_rows)
        say_source(g);
    cut(g, from, clauses);
    say_where(g, about);
    cut(g, from, clauses);
    if (!g->range_is_between)
        say(g, "%s", g->range);
    cut(g, from, clauses);
    say(g, "%s", g->every);
    cut(g, from, clauses);
    say_keys(g);
    cut(g, from, clauses);
    if (s->fill.kind != FILL_WITH_NULL || dice(g, 6) == 0)
        say_fill(g, &s->fill);
    cut(g, from, clauses);
    if (!inner) {
        say_compare(g);
        cut(g, from, clauses);
        say_top(g, about);
        cut(g, from, clauses);
        say_order(g);
        cut(g, from, clauses);
        say_limit(g);
        cut(g, from, clauses);
    }
    say_having(g);
    cut(g, from, clauses);
}

/* A SELECT of groups; inner: to be read by another. */
void say_select(struct gen *g, struct select *s, const char *session_zone, bool inner)
{
    static struct clauses clauses;
    struct subject about;
    clauses.count = 0;
    *s = (struct select){.order_item = -1, .limit = -1};
    g->select = s;
    choose(g, &about, session_zone, inner);
    say_items(g, about);
    if (g->range_is_between) /* behind an expression it would be part of that */
        say(g, " %s", g->range);
    say_clauses(g, about, inner, &clauses);
    while (clauses.count > 0) {
        unsigned at = dice(g, (unsigned)clauses.count);
        if (clauses.texts[at][0])
            say(g, " %s", clauses.texts[at]);
        memmove(clauses.texts[at], clauses.texts[--clauses.count], sizeof clauses.texts[0]);
    }
}
