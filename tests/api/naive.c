/* SPDX-License-Identifier: Apache-2.0
 *
 * naive.c -- statements answered by loops over lists; see naive.h.
 *
 * A row of the answer is a bucket and a group.  Which rows there are is asked of every value that
 * can make one; then each item is evaluated for each row from nothing but the lists.
 */
#include "naive_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/unit.h"

/* ---- which rows there are -------------------------------------------------- */

struct groups {
    struct group *groups;
    size_t count, room;
};

static void
groups_add(const struct work *w, struct groups *groups, const struct varve_cell *columns)
{
    struct group group;
    if (!group_of(w, columns, &group))
        return;
    for (size_t i = 0; i < groups->count; i++)
        if (same_group(w, &groups->groups[i], &group))
            return;
    if (groups->count == groups->room) {
        groups->room = groups->room * 2 + 16;
        groups->groups = realloc(groups->groups, groups->room * sizeof group);
        assert_non_null(groups->groups);
    }
    groups->groups[groups->count++] = group;
}

static void
add_measured(const struct work *w, const struct expr *e, struct span span, struct groups *groups)
{
    static struct series series;
    size_t at = 0;
    while (next_series(&w->world->metrics[e->metric], span_of(w, e, span), &at, &series))
        if (is_counted(w, e, series.first))
            groups_add(w, groups, series.first->labels);
}

/* count(DISTINCT label) is of every metric of the statement, in the bucket whatever the window. */
static void
add_seen(const struct work *w, const struct expr *in, struct span span, struct groups *groups)
{
    if (!in)
        return;
    add_seen(w, in->a, span, groups);
    add_seen(w, in->b, span, groups);
    struct expr seen = *in;
    seen.window = 0;
    if (in->kind == MEASURED && !in->has_at)
        add_measured(w, &seen, span, groups);
}

static void
add_groups(const struct work *w, const struct expr *e, struct span span, struct groups *groups)
{
    const struct select *s = w->select;
    if (!e)
        return;
    add_groups(w, e->a, span, groups);
    add_groups(w, e->b, span, groups);
    if (e->kind == ALIAS)
        add_groups(w, s->items[e->number].expr, span, groups);
    if (e->kind == MEASURED && !(e->has_at && has_buckets(w)))
        add_measured(w, e, span, groups);
    for (size_t i = 0; e->kind == OF_ROWS && i < s->from->count; i++) {
        const struct varve_cell *row = s->from->cells[i];
        if (condition_holds(&s->where, row) == 1 &&
            (!s->from_is_timed || (row[0].as.i >= span.from && row[0].as.i < span.to)))
            groups_add(w, groups, row);
    }
    for (size_t i = 0; e->kind == DISTINCT_LABEL && i < s->item_count; i++)
        add_seen(w, s->items[i].expr, span, groups);
    if (e->kind == DISTINCT_LABEL)
        add_seen(w, s->rank, span, groups);
}

static void
all_groups(const struct work *w, const struct expr *only, struct span span, struct groups *groups)
{
    const struct select *s = w->select;
    add_groups(w, only, span, groups);
    for (size_t i = 0; !only && i < s->item_count; i++)
        add_groups(w, s->items[i].expr, span, groups);
}

/* ---- the rows of one range ------------------------------------------------- */

struct line {
    int64_t time;
    struct span bucket;
    struct group group;
    size_t ordinal; /* of TOP; others last */
    struct varve_cell items[ITEMS_MOST];
};
struct lines {
    struct line *lines;
    size_t count, room;
};

static size_t ordinal_of(const struct work *w, const struct group *group)
{
    for (size_t i = 0; i < w->kept_count; i++)
        if (!group->is_other && same_keys(w->select, group->keys, w->kept[i].keys))
            return i;
    return SIZE_MAX;
}

static void lines_add(const struct work *w, struct lines *lines, int64_t time, struct span bucket,
                      const struct group *group)
{
    if (lines->count == lines->room) {
        lines->room = lines->room * 2 + 16;
        lines->lines = realloc(lines->lines, lines->room * sizeof *lines->lines);
        assert_non_null(lines->lines);
    }
    lines->lines[lines->count++] = (struct line){
        .time = time, .bucket = bucket, .group = *group, .ordinal = ordinal_of(w, group)};
}

/* Rows of one bucket; all: groups of the whole range, or NULL. */
static void add_bucket(const struct work *w, int64_t time, struct span bucket,
                       const struct groups *all, struct lines *lines)
{
    struct groups own = {.count = 0};
    all_groups(w, NULL, bucket, &own);
    if (w->select->key_count == 0 && (all || !has_buckets(w)) && own.count == 0)
        groups_add(w, &own, (struct varve_cell[FIELDS]){{.type = VARVE_CELL_NULL}});
    const struct groups *shown = all && w->select->key_count ? all : &own;
    for (size_t i = 0; i < shown->count; i++)
        lines_add(w, lines, time, bucket, &shown->groups[i]);
    free(own.groups);
}

/* Those of every bucket: a window reaches beyond its own. */
static void groups_of_range(const struct work *w, struct span range, struct groups *groups)
{
    int64_t next, start = bucket_start(&w->select->width, range.from, &next);
    for (; start < range.to; start = next) {
        bucket_start(&w->select->width, start, &next);
        struct span bucket = {start < range.from ? range.from : start,
                              next > range.to ? range.to : next};
        all_groups(w, NULL, bucket, groups);
    }
}

static void make_lines(const struct work *w, struct span range, struct lines *lines)
{
    const struct select *s = w->select;
    struct groups all = {.count = 0};
    bool is_grid = s->fill.kind != FILL_NOT;
    if (!has_buckets(w)) {
        add_bucket(w, 0, range, NULL, lines);
        return;
    }
    if (range.from >= range.to)
        return;
    if (is_grid)
        groups_of_range(w, range, &all);
    int64_t next, start = bucket_start(&s->width, range.from, &next);
    for (; start < range.to; start = next) {
        bucket_start(&s->width, start, &next);
        struct span bucket = {start < range.from ? range.from : start,
                              next > range.to ? range.to : next};
        add_bucket(w, start, bucket, is_grid ? &all : NULL, lines);
    }
    free(all.groups);
}

/* The nearest line of the group before (step -1) or behind (1) that has a value; -1: none. */
static long
neighbour(const struct work *w, const struct lines *lines, const bool *had, long i, int step)
{
    const struct group *group = &lines->lines[i].group;
    for (long k = i + step; k >= 0 && k < (long)lines->count; k += step)
        if (had[k] && same_group(w, &lines->lines[k].group, group))
            return k;
    return -1;
}

static void fill_one(struct lines *lines, size_t item, const struct fill *fill, long at,
                     long before, long behind)
{
    struct line *line = &lines->lines[at];
    struct varve_cell from = before < 0 ? nothing : lines->lines[before].items[item];
    if (before < 0)
        return;
    int64_t since = line->time - lines->lines[before].time;
    if (fill->kind == FILL_WITH_PREVIOUS && (fill->within == 0 || since <= fill->within))
        line->items[item] = from;
    if (fill->kind != FILL_ON_A_LINE || behind < 0 || from.type == VARVE_CELL_TEXT)
        return;
    double low = number_of(from), high = number_of(lines->lines[behind].items[item]);
    double part = (double)since / (double)(lines->lines[behind].time - lines->lines[before].time);
    line->items[item] =
        (struct varve_cell){.type = VARVE_CELL_FLOAT, .as.f = low + (high - low) * part};
}

/* NULLs from what was there before any was filled; lines are by time. */
static void
fill_from_neighbours(const struct work *w, struct lines *lines, size_t item, const struct fill *how)
{
    bool *had = calloc(lines->count + 1, sizeof *had);
    assert_non_null(had);
    for (size_t i = 0; i < lines->count; i++)
        had[i] = !is_null(lines->lines[i].items[item]);
    for (long i = 0; i < (long)lines->count; i++)
        if (!had[i])
            fill_one(lines, item, how, i, neighbour(w, lines, had, i, -1),
                     neighbour(w, lines, had, i, 1));
    free(had);
}

static void make_items(const struct work *w, struct lines *lines)
{
    const struct select *s = w->select;
    for (size_t item = 0; item < s->item_count; item++) {
        const struct fill *fill = &s->items[item].fill;
        for (size_t i = 0; i < lines->count; i++) {
            struct line *line = &lines->lines[i];
            line->items[item] = filled(
                fill, evaluate(w, s->items[item].expr, line->bucket, &line->group, line->items));
        }
        if (fill->kind >= FILL_WITH_PREVIOUS)
            fill_from_neighbours(w, lines, item, fill);
    }
}

/* ---- TOP and COMPARE TO ---------------------------------------------------- */

/* A name that no group has that is kept. */
static void name_others(struct work *w)
{
    const struct select *s = w->select;
    char name[200];
    bool is_taken = true;
    snprintf(name, sizeof name, "%s", s->other);
    while (is_taken) {
        struct varve_cell keys[KEYS_MOST] = {cell_text(intern(name))};
        is_taken = false;
        for (size_t i = 0; i < w->kept_count; i++)
            is_taken |= same_keys(s, w->kept[i].keys, keys);
        w->other = intern(name);
        strcat(name, " (rest)");
    }
}

static void rank(struct work *w)
{
    const struct select *s = w->select;
    struct span range = {s->since, s->until};
    struct groups groups = {.count = 0};
    w->no_buckets = true;
    all_groups(w, s->rank, range, &groups);
    struct rows order = {.columns = 2};
    for (size_t i = 0; i < groups.count; i++) {
        struct varve_cell *row = rows_add(&order);
        row[s->key_count] = evaluate(w, s->rank, range, &groups.groups[i], NULL);
        memcpy(row, groups.groups[i].keys, s->key_count * sizeof *row);
    }
    order.columns = s->key_count + 1;
    rows_sort(&order, s->key_count, !s->bottom);
    struct group *kept = calloc(s->top + 1, sizeof *kept);
    assert_non_null(kept);
    for (size_t i = 0; i < s->top && i < order.count; i++, w->kept_count++)
        memcpy(kept[i].keys, order.cells[i], s->key_count * sizeof *order.cells[i]);
    w->kept = kept;
    w->no_buckets = false;
    name_others(w);
    free(groups.groups);
    rows_free(&order);
}

/* The n-th bucket of the earlier range becomes the n-th of the range; -1: there is none. */
static int64_t moved(const struct select *s, int64_t time)
{
    int64_t from, to, next_from, next_to;
    if (s->width.kind == NO_BUCKETS)
        return 0;
    from = bucket_start(&s->width, s->compare_since, &next_from);
    to = bucket_start(&s->width, s->since, &next_to);
    while (from != time && to < s->until) {
        from = bucket_start(&s->width, next_from, &next_from);
        to = bucket_start(&s->width, next_to, &next_to);
    }
    return to < s->until ? to : -1;
}

static struct line *
line_of(const struct work *w, struct lines *lines, int64_t time, const struct group *group)
{
    for (size_t i = 0; i < lines->count; i++)
        if (lines->lines[i].time == time && same_group(w, &lines->lines[i].group, group))
            return &lines->lines[i];
    return NULL;
}

/* Rows that only the earlier side has. */
static void join_earlier(const struct work *w, struct lines *now, struct lines *earlier)
{
    size_t kept = 0;
    for (size_t i = 0; i < earlier->count; i++) {
        struct line line = earlier->lines[i];
        line.time = moved(w->select, line.time);
        if (line.time >= 0)
            earlier->lines[kept++] = line;
    }
    earlier->count = kept;
    for (size_t i = 0; i < kept; i++) {
        const struct line *line = &earlier->lines[i];
        if (!line_of(w, now, line->time, &line->group))
            lines_add(w, now, line->time, line->bucket, &line->group);
    }
}

/* ---- the answer ------------------------------------------------------------ */

static struct varve_cell *add_items(const struct work *w, const struct line *line,
                                    struct lines *earlier, struct varve_cell *at)
{
    const struct select *s = w->select;
    const struct line *before =
        s->has_compare ? line_of(w, earlier, line->time, &line->group) : NULL;
    for (size_t i = 0; i < s->item_count; i++) {
        struct varve_cell now = line->items[i], then = before ? before->items[i] : nothing;
        struct varve_cell hundred = cell_of(VARVE_CELL_INT, 100);
        *at++ = now;
        if (!s->has_compare)
            continue;
        *at++ = then;
        if (s->items[i].is_text)
            continue;
        struct varve_cell change = calculate(SUBTRACTED, now, then);
        *at++ = change;
        *at++ = calculate(DIVIDED, calculate(MULTIPLIED, hundred, change), then);
    }
    return at;
}

static void
put_line(const struct work *w, const struct line *line, struct lines *earlier, struct rows *rows)
{
    const struct select *s = w->select;
    if (condition_holds(&s->having, line->items) != 1)
        return;
    struct varve_cell *row = rows_add(rows), *at = row;
    size_t ordinal = s->distinct ? 0 : line->ordinal; /* DISTINCT is sorted by what it shows */
    *at++ = cell_of(VARVE_CELL_INT, (int64_t)(ordinal == SIZE_MAX ? 1000 : ordinal));
    if (s->width.kind != NO_BUCKETS)
        *at++ = cell_of(VARVE_CELL_TIME, line->time);
    for (size_t k = 0; k < s->key_count; k++)
        *at++ = line->group.keys[k];
    add_items(w, line, earlier, at);
}

/* Of the first items. */
static size_t columns_of(const struct select *s, size_t items)
{
    size_t columns = 0;
    for (size_t i = 0; i < items; i++)
        columns += !s->has_compare ? 1 : s->items[i].is_text ? 2 : 4;
    return columns;
}

/* By bucket, ordinal and keys, or by an item and then these; the ordinal in column 0 goes away. */
static void put_in_order(const struct select *s, struct rows *rows)
{
    bool has_time = s->width.kind != NO_BUCKETS;
    if (s->order_item >= 0) {
        size_t column = 1 + has_time + s->key_count + columns_of(s, (size_t)s->order_item);
        for (size_t i = 0; i < rows->count; i++)
            rows->cells[i][0] = nothing;
        rows_sort(rows, column + (size_t)s->order_part, s->descending);
    } else {
        rows_sort(rows, has_time ? 1 : 0, false);
    }
    for (size_t i = 0; i < rows->count; i++)
        memmove(rows->cells[i], rows->cells[i] + 1, (CELLS_MOST - 1) * sizeof **rows->cells);
    rows->columns--;
    size_t skip = (size_t)s->skip < rows->count ? (size_t)s->skip : rows->count;
    rows->count -= skip;
    if (rows->count)
        memmove(rows->cells, rows->cells + skip, rows->count * sizeof *rows->cells);
    if (s->limit >= 0 && rows->count > (size_t)s->limit)
        rows->count = (size_t)s->limit;
}

void naive_select(const struct naive_world *world, const struct select *s, struct rows *rows)
{
    struct work w = {.world = world, .select = s};
    struct lines now = {.count = 0}, earlier = {.count = 0};
    *rows = (struct rows){.columns = 1 + (s->width.kind != NO_BUCKETS) + s->key_count +
                                     columns_of(s, s->item_count)};
    if (s->rank)
        rank(&w);
    make_lines(&w, (struct span){s->since, s->until}, &now);
    make_items(&w, &now);
    if (s->has_compare) {
        make_lines(&w, (struct span){s->compare_since, s->compare_until}, &earlier);
        make_items(&w, &earlier);
        join_earlier(&w, &now, &earlier);
    }
    for (size_t i = 0; i < now.count; i++)
        put_line(&w, &now.lines[i], &earlier, rows);
    put_in_order(s, rows);
    for (size_t i = 0; i < s->item_count; i++)
        snprintf(rows->names[rows->columns - s->item_count + i], sizeof rows->names[0], "%s",
                 s->items[i].name);
    free((void *)(uintptr_t)w.kept);
    free(now.lines);
    free(earlier.lines);
}
