/* SPDX-License-Identifier: Apache-2.0
 *
 * vql_grammar.c -- random SELECTs of groups, as text and as the tree that naive.c evaluates.
 *
 * What is sorted or ranked by is exact: doubles that differ in the last bit have no order.
 */
#include "vql_grammar.h"

#include <stdarg.h>
#include <time.h>

#define MINUTE (60 * SECOND)

struct clauses {
    char texts[12][900];
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

static void say_time(struct gen *g, int64_t instant)
{
    struct tm tm;
    time_t second = (time_t)(instant / SECOND);
    char text[40];
    gmtime_r(&second, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    say(g, "%s.%09lldZ", text, (long long)(instant % SECOND));
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
    if (g->only_fields && dice(g, 2)) {
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

static const char *const rollup_names[ROLLUPS] = {
    "increase", "rate", "delta", "first", "last", "min_of", "max_of", "avg_of", "seen", "changes"};
static const char *const aggregate_names[AGGREGATES] = {"",       "sum",   "avg",    "min",
                                                        "max",    "count", "median", "quantile",
                                                        "stddev", "list",  "first",  "last"};
static const char *const metric_names[METRICS] = {
    "tokens", "cost", "claude_code.commit.count", "work.done", "queue.depth", "cpu.load"};

static void say_metric(struct gen *g, struct expr *e)
{
    const struct select *s = g->select;
    if (strchr(metric_names[e->metric], '.'))
        say(g, "\"%s\"", metric_names[e->metric]);
    else
        say(g, "%s", metric_names[e->metric]);
    if (dice(g, 3) == 0) {
        e->matcher.column = e->metric == 0 && dice(g, 2) ? LABEL_TYPE : (int)(1 + dice(g, 2));
        say(g, "{");
        text_condition(g, &e->matcher, true);
        say(g, "}");
    }
    if (dice(g, 6) == 0) {
        e->offset = (int64_t)(1 + dice(g, 30)) * HOUR;
        say(g, " OFFSET %lldh", (long long)(e->offset / HOUR));
    }
    if (dice(g, 8) == 0) {
        e->has_at = true;
        e->at = s->since + (int64_t)prng_below(g->prng, (uint64_t)(s->until - s->since));
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

/* plain: no @, because it is to make rows. */
static struct expr *measure(struct gen *g, bool plain, bool exact)
{
    static const enum rollup of_counters[] = {INCREASE, INCREASE, INCREASE, SEEN,   LAST,   RATE,
                                              FIRST,    MIN_OF,   MAX_OF,   AVG_OF, CHANGES};
    static const enum rollup of_gauges[] = {LAST,   LAST,   DELTA,  SEEN,     FIRST,  RATE,
                                            MIN_OF, MAX_OF, AVG_OF, INCREASE, CHANGES};
    struct expr *e = new_expr(g, MEASURED);
    e->metric = (int)dice(g, METRICS);
    bool is_gauge = g->world->metrics[e->metric].is_gauge;
    e->rollup = (is_gauge ? of_gauges : of_counters)[dice(g, exact ? 5 : 11)];
    if (dice(g, 3) == 0)
        e->aggregate =
            exact ? (enum aggregate)(MIN + dice(g, 3)) : (enum aggregate)(SUM + dice(g, 8));
    e->distinct = e->aggregate != NATURAL && dice(g, 4) == 0;
    e->quantile = 0.25 * dice(g, 5);
    if (e->aggregate)
        say(g, "%s(%s", aggregate_names[e->aggregate], e->distinct ? "DISTINCT " : "");
    say(g, "%s(", rollup_names[e->rollup]);
    size_t at = g->size;
    say_metric(g, e);
    if (plain && e->has_at) {
        e->has_at = false;
        g->size = (size_t)(strstr(g->text + at, " @ ") - g->text);
        g->text[g->size] = '\0';
    }
    bool needs = e->has_at && g->select->width.kind != NO_BUCKETS;
    if (needs || dice(g, 6) == 0) {
        e->window = (int64_t)(1 + dice(g, 40)) * 30 * MINUTE;
        say(g, ", %lldm", (long long)(e->window / MINUTE));
    }
    say(g, ")");
    if (e->aggregate == QUANTILE)
        say(g, ", %g", e->quantile);
    if (e->aggregate) {
        say(g, ")");
        g->only_labels = true;
        say_filter(g, e);
        g->only_labels = false;
    }
    return e;
}

static struct expr *of_rows(struct gen *g, bool exact)
{
    static const enum aggregate exact_ones[] = {COUNT, SUM, MIN, MAX};
    struct expr *e = new_expr(g, OF_ROWS);
    e->aggregate = exact ? exact_ones[dice(g, 4)] : (enum aggregate)(SUM + dice(g, 11));
    if (e->aggregate == LIST)
        e->aggregate = COUNT;
    e->column = dice(g, 2) ? FIELD_COST : FIELD_MS;
    if (e->aggregate == COUNT)
        e->column = dice(g, 2) ? -1 : (int)(1 + dice(g, 6));
    e->distinct = e->column >= 0 && e->aggregate < FIRST_ROW && dice(g, 4) == 0;
    e->quantile = 0.25 * dice(g, 5);
    say(g, "%s(%s%s", aggregate_names[e->aggregate], e->distinct ? "DISTINCT " : "",
        e->column < 0 ? "*" : field_names[e->column]);
    if (e->aggregate == QUANTILE)
        say(g, ", %g", e->quantile);
    say(g, ")");
    g->only_fields = true;
    say_filter(g, e);
    g->only_fields = false;
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
    unsigned what = i == 0 ? dice(g, 2) : dice(g, 8), op = dice(g, 4);
    switch (what) {
    case 2: /* a ratio or so */
        op = op == 3 ? 2 : op;
        a = simple(g, about, false);
        say(g, " %c ", operators[op]);
        e = simple(g, about, false);
        return binary(g, kinds[op], a, e);
    case 3:
        a = alias(g, dice(g, (unsigned)i));
        say(g, " %c ", operators[op]);
        e = number(g);
        return binary(g, kinds[op], a, e);
    case 4:
    case 5:
        say(g, what == 4 ? "share(" : "total(");
        e = binary(g, what == 4 ? SHARE : TOTAL,
                   dice(g, 2) ? alias(g, dice(g, (unsigned)i)) : simple(g, about, true), NULL);
        say(g, ")");
        return e;
    case 6:
        say(g, "coalesce(");
        e = binary(g, COALESCED, simple(g, about, false), NULL);
        e->number = 7;
        say(g, ", 7)");
        return e;
    case 7:
        if (about.has_rows)
            break;
        e = new_expr(g, DISTINCT_LABEL);
        e->column = (int)dice(g, 4);
        say(g, "count(DISTINCT %s)", label_names[e->column]);
        return e;
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

void choose_range(struct gen *g)
{
    struct select *s = g->select;
    uint64_t length = (uint64_t)(g->world->until - g->world->since + DAY);
    s->since = g->world->since - DAY / 2 + (int64_t)prng_below(g->prng, length);
    s->until = g->world->since - DAY / 2 + (int64_t)prng_below(g->prng, length);
    if (s->since > s->until) {
        int64_t held = s->since;
        s->since = s->until;
        s->until = held;
    }
    if (dice(g, 3)) {
        s->since -= s->since % HOUR;
        s->until -= s->until % HOUR;
    }
    if (s->until <= s->since)
        s->until = s->since + HOUR;
}

const char *const zones[ZONES] = {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"};

static void choose_width(struct gen *g, const char *session_zone)
{
    static const int64_t widths[] = {HOUR, 3 * HOUR, 6 * HOUR, 90 * MINUTE, 12 * HOUR};
    struct select *s = g->select;
    s->width = (struct width){.kind = NO_BUCKETS, .zone = session_zone};
    if (dice(g, 2))
        return;
    s->width.kind = dice(g, 2) ? FIXED : (int)(DAYS + dice(g, 3));
    s->width.nanos = widths[dice(g, 5)];
    while (s->width.kind == FIXED && (s->until - s->since) / s->width.nanos > 40)
        s->width.nanos *= 2;
    if (s->width.nanos >= DAY)
        s->width.nanos = 12 * HOUR;
}

static void say_width(struct gen *g)
{
    static const char *const names[] = {"", "", "day", "week", "month"};
    struct select *s = g->select;
    if (s->width.kind == NO_BUCKETS)
        return;
    if (s->width.kind == FIXED)
        say(g, "EVERY %lldm", (long long)(s->width.nanos / MINUTE));
    else
        say(g, "EVERY %s", names[s->width.kind]);
    if (dice(g, 2)) {
        s->width.zone = zones[dice(g, 4)];
        say(g, " TZ '%s'", s->width.zone);
    }
}

static void say_keys(struct gen *g, struct subject about)
{
    struct select *s = g->select;
    s->key_count = dice(g, 3);
    for (size_t k = 0; k < s->key_count; k++) {
        int first = about.has_rows ? 1 : 0;
        s->keys[k] = first + (int)dice(g, (unsigned)(4 - first));
        if (k == 1 && s->keys[1] == s->keys[0])
            s->key_count = 1;
    }
    if (s->key_count)
        say(g, dice(g, 2) ? "BY %s" : "GROUP BY %s", label_names[s->keys[0]]);
    if (s->key_count == 2)
        say(g, ", %s", label_names[s->keys[1]]);
}

static void say_compare(struct gen *g)
{
    struct select *s = g->select;
    int64_t n = 1 + (int64_t)dice(g, 2);
    if (dice(g, 6))
        return;
    s->has_compare = true;
    switch (dice(g, 3)) {
    case 0:
        say(g, "COMPARE TO previous");
        s->compare_until = s->since;
        s->compare_since = s->since - (s->until - s->since);
        return;
    case 1:
        say(g, "COMPARE TO %lldd AGO", (long long)n);
        s->compare_since = days_later(s->width.zone, s->since, (int)-n);
        s->compare_until = days_later(s->width.zone, s->until, (int)-n);
        return;
    default:
        n = 5 * n + 3;
        say(g, "COMPARE TO %lldh AGO", (long long)n);
        s->compare_since = s->since - n * HOUR;
        s->compare_until = s->until - n * HOUR;
    }
}

static void say_fill(struct gen *g)
{
    struct select *s = g->select;
    s->fill = (enum fill)dice(g, s->width.kind == NO_BUCKETS ? 3 : 4);
    if (s->fill == FILL_WITH_NULL)
        return;
    s->fill_number = (int64_t)dice(g, 5);
    if (s->fill == FILL_NOT)
        say(g, "FILL none");
    else if (s->fill == FILL_WITH_PREVIOUS)
        say(g, "FILL prev");
    else
        say(g, "FILL %lld", (long long)s->fill_number);
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
    if (s->has_other)
        say(g, " WITH OTHER");
}

static void say_having(struct gen *g)
{
    struct select *s = g->select;
    if (dice(g, 5))
        return;
    s->having_above = (int64_t)dice(g, 30);
    say(g, "HAVING ");
    s->having = alias(g, dice(g, (unsigned)s->item_count));
    say(g, " > %lld", (long long)s->having_above);
}

static void say_order(struct gen *g)
{
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
    say(g, "ORDER BY %s%s", s->items[s->order_item].name, s->descending ? " DESC" : "");
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

void say_range(struct gen *g, bool between)
{
    const struct select *s = g->select;
    say(g, between ? "BETWEEN " : "SINCE ");
    say_time(g, s->since);
    say(g, between ? " AND " : " UNTIL ");
    say_time(g, s->until);
}

/* ---- statements -------------------------------------------------------------------------- */

static void say_items(struct gen *g, struct subject about)
{
    struct select *s = g->select;
    size_t count = 1 + dice(g, 3);
    for (size_t i = 0; i < count; i++) {
        say(g, i ? ", " : "SELECT ");
        g->is_exact[i] = false;
        struct expr *e = item_expr(g, about, i);
        s->items[i].expr = e;
        snprintf(s->items[i].name, sizeof s->items[i].name, "x%u", (unsigned)i);
        say(g, " AS x%zu", i);
        s->item_count = i + 1;
    }
}

/* A SELECT of groups; simple: to be read by another. */
void say_select(struct gen *g, struct select *s, const char *session_zone, bool inner)
{
    static const struct subject subjects[] = {
        {true, false}, {true, false}, {false, true}, {true, true}};
    struct subject about = subjects[dice(g, 4)];
    static struct clauses clauses;
    clauses.count = 0;
    *s = (struct select){.order_item = -1, .limit = -1};
    g->select = s;
    if (about.has_rows) {
        s->from = &g->world->events;
        s->from_is_timed = true;
    }
    choose_range(g);
    choose_width(g, session_zone);
    say_items(g, about);
    bool between = dice(g, 3) == 0; /* behind an expression it would be part of that */
    if (between) {
        say(g, " ");
        say_range(g, true);
    }
    size_t from = g->size;
    if (about.has_rows)
        say(g, "FROM api_call");
    cut(g, from, &clauses);
    say_where(g, about);
    cut(g, from, &clauses);
    if (!between)
        say_range(g, false);
    cut(g, from, &clauses);
    say_width(g);
    cut(g, from, &clauses);
    say_keys(g, about);
    cut(g, from, &clauses);
    say_fill(g);
    cut(g, from, &clauses);
    if (!inner) {
        say_compare(g);
        cut(g, from, &clauses);
        say_top(g, about);
        cut(g, from, &clauses);
        say_order(g);
        cut(g, from, &clauses);
        say_limit(g);
        cut(g, from, &clauses);
    }
    say_having(g);
    cut(g, from, &clauses);
    while (clauses.count > 0) {
        unsigned at = dice(g, (unsigned)clauses.count);
        if (clauses.texts[at][0])
            say(g, " %s", clauses.texts[at]);
        memmove(clauses.texts[at], clauses.texts[--clauses.count], sizeof clauses.texts[0]);
    }
}
