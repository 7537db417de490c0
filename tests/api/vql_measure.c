/* SPDX-License-Identifier: Apache-2.0
 *
 * vql_measure.c -- random values of a group: conditions on its rows, roll-ups, aggregates, and what
 * is computed of them.
 */
#include "vql_grammar.h"

#define MINUTE (60 * SECOND)

struct expr *new_expr(struct gen *g, enum expr_kind kind)
{
    assert_true(g->expr_count < sizeof g->exprs / sizeof *g->exprs);
    struct expr *e = &g->exprs[g->expr_count++];
    *e = (struct expr){.kind = kind, .column = -1};
    return e;
}

struct condition *new_condition(struct gen *g)
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
    if (field >= FIELDS)
        return g->computed_text[field - FIELDS];
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
    if (g->is_computed && (e->aggregate != SUM || !exact) && dice(g, 2))
        e->column = FIELDS + 1;
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

struct expr *simple(struct gen *g, struct subject about, bool exact)
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

struct expr *alias(struct gen *g, size_t item)
{
    struct expr *e = new_expr(g, ALIAS);
    e->number = (int64_t)item;
    say(g, "%s", g->select->items[item].name);
    return e;
}

size_t some_item(struct gen *g, size_t count)
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

struct expr *item_expr(struct gen *g, struct subject about, size_t i)
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
