/* SPDX-License-Identifier: Apache-2.0
 *
 * vql_grammar.c -- random SELECTs of groups, as text and as the tree that naive.c evaluates.
 *
 * What is sorted or ranked by is exact: doubles that differ in the last bit have no order.
 */
#include "vql_grammar.h"

#include <stdarg.h>

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

/* ---- clauses ---------------------------------------------------------------------------- */

/* What was said since `from` becomes a clause, to be put somewhere. */
static void cut(struct gen *g, size_t from, struct clauses *clauses)
{
    snprintf(clauses->texts[clauses->count++], sizeof clauses->texts[0], "%s", g->text + from);
    g->size = from;
    g->text[from] = '\0';
}

static const char *key_name(const struct gen *g, size_t k)
{
    int key = g->select->keys[k];
    return key >= FIELDS ? g->computed_text[0] : label_names[key];
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
    if (g->is_computed && s->key_count)
        s->keys[dice(g, (unsigned)s->key_count)] = FIELDS;
}

/* An expression into text that is said later. */
static struct scalar *compute(struct gen *g, char want, char *text, size_t room)
{
    size_t from = g->size;
    struct scalar *s = scalar(g, want, 2);
    while (s->kind == CONSTANT || s->function == FUNCTION_NEG || /* BY 1 is an item, BY -1 none */
           g->size - from >= room) {
        g->size = from;
        s = scalar(g, want, 2);
    }
    snprintf(text, room, "%s", g->text + from);
    g->size = from;
    g->text[from] = '\0';
    return s;
}

/* Events with an expression to group by and one to aggregate. */
static void compute_columns(struct gen *g)
{
    struct select *s = g->select;
    g->is_tame = g->is_computed = true;
    struct scalar *key = compute(g, "WTB"[dice(g, 3)], g -> computed_text[0], 1500);
    struct scalar *value = compute(g, "NW"[dice(g, 2)], g -> computed_text[1], 1500);
    rows_free(&g->computed);
    g->computed.columns = FIELDS + 2;
    for (size_t i = 0; i < s->from->count; i++) {
        struct varve_cell *row = rows_add(&g->computed);
        memcpy(row, s->from->cells[i], FIELDS * sizeof *row);
        row[FIELDS] = scalar_value(key, row, s->width.zone);
        row[FIELDS + 1] = scalar_value(value, row, s->width.zone);
    }
    s->from = &g->computed;
    g->keys_by_alias = dice(g, 2);
}

static void say_keys(struct gen *g)
{
    const struct select *s = g->select;
    for (size_t k = 0; k < s->key_count; k++) {
        say(g, k ? ", " : dice(g, 2) ? "BY " : "GROUP BY ");
        say(g, "%s", s->keys[k] >= FIELDS && g->keys_by_alias ? "k0" : key_name(g, k));
    }
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
    static const char *const others[] = {"other", "All the rest", "haiku", "core", "ann@a.org"};
    struct select *s = g->select;
    if (s->key_count == 0 || dice(g, 4))
        return;
    s->top = 1 + dice(g, 3);
    s->bottom = dice(g, 4) == 0;
    say(g, "%s %zu BY ", s->bottom ? "BOTTOM" : "TOP", s->top);
    s->rank = dice(g, 2) ? alias(g, 0) : simple(g, about, true);
    s->has_other = dice(g, 2);
    s->other = intern(others[dice(g, 5)]);
    if (s->has_other && strcmp(s->other, "other") == 0)
        say(g, " WITH OTHER");
    else if (s->has_other)
        say(g, " WITH OTHER '%s'", s->other);
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

/* ---- statements -------------------------------------------------------------------------- */

static void say_items(struct gen *g, struct subject about)
{
    struct select *s = g->select;
    size_t count = 1 + dice(g, 3);
    say(g, s->distinct ? "SELECT DISTINCT " : "SELECT ");
    if (s->width.kind != NO_BUCKETS && dice(g, 8) == 0)
        say(g, "time, ");
    for (size_t k = 0; k < s->key_count; k++)
        if (s->keys[k] >= FIELDS && g->keys_by_alias)
            say(g, "%s AS k0, ", key_name(g, k));
        else if (dice(g, 6) == 0)
            say(g, "%s, ", key_name(g, k));
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
    g->is_computed = false;
    choose_times(g, session_zone, !about->has_rows);
    if (!about->has_metrics && g->from_metric < 0 && dice(g, 3) == 0)
        compute_columns(g);
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
    *s = (struct select){.order_item = -1, .limit = -1, .since = s->since, .until = s->until};
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
