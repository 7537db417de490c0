/* SPDX-License-Identifier: Apache-2.0
 *
 * note.c -- why an answer is empty (L8).
 *
 * A query that gave no rows, or nothing but NULLs beside its keys, is looked at once more: of
 * each metric and table that it reads, is there any data at all, and does it lie in the range?  The
 * first of them that explains the emptiness is named, with its oldest and newest time.
 *
 * It reads the same snapshot as the query and never makes it fail: what goes wrong here
 * leaves the note empty.
 */
#include "api/note.h"

#include <stdio.h>

#include "store/visit.h"

enum { SOURCES_MOST = 16 };

/* What a plan reads, and what the store has of it. */
struct read_source {
    struct varve_str name;
    bool is_table;
    struct time_range range; /* of all that is read of it */
    uint64_t count;
    int64_t oldest, newest;
};
struct reading {
    struct read_source sources[SOURCES_MOST];
    size_t count;
    bool store_has_any;
};

/* ---- what is read ----------------------------------------------------------------- */

static int64_t minus(int64_t time, int64_t by)
{
    int64_t result;
    if (__builtin_sub_overflow(time, by, &result))
        return by > 0 ? INT64_MIN : INT64_MAX;
    return result;
}

static void
add_source(struct reading *reading, struct varve_str name, bool is_table, struct time_range range)
{
    for (size_t i = 0; i < reading->count; i++) {
        struct read_source *known = &reading->sources[i];
        if (!str_equal(known->name, name))
            continue;
        known->range.since = range.since < known->range.since ? range.since : known->range.since;
        known->range.until = range.until > known->range.until ? range.until : known->range.until;
        return;
    }
    if (reading->count < SOURCES_MOST)
        reading->sources[reading->count++] =
            (struct read_source){.name = name, .is_table = is_table, .range = range};
}

static void add_measure(struct reading *reading, const struct node *node)
{
    for (uint32_t i = 0; i < node->as.measure.source_count; i++) {
        const struct metric_source *source = &node->as.measure.sources[i];
        struct time_range range = node->as.measure.range;
        if (node->as.measure.window > 0 && node->as.measure.bucket.kind == BUCKET_NONE)
            range.since = minus(range.until, node->as.measure.window);
        else if (node->as.measure.window > 0)
            range.since = minus(range.since, node->as.measure.window);
        range.since = minus(range.since, source->offset);
        range.until = minus(range.until, source->offset);
        add_source(reading, source->name, false, range);
    }
}

/* Plans are at most as deep as statements, whose depth the parser limits. */
static void add_node(struct reading *reading, const struct node *node)
{
    if (!node)
        return;
    if (node->kind == NODE_MEASURE)
        add_measure(reading, node);
    if (node->kind == NODE_SCAN)
        add_source(reading, node->as.scan.source, !node->as.scan.is_metric, node->as.scan.range);
    for (uint32_t i = 0; i < node->input_count; i++)
        add_node(reading, node->inputs[i]);
}

/* ---- what there is ------------------------------------------------------------------ */

static void found(struct reading *reading, struct varve_str name, bool is_table, uint64_t count,
                  int64_t oldest, int64_t newest)
{
    reading->store_has_any |= count > 0;
    for (size_t i = 0; i < reading->count; i++) {
        struct read_source *source = &reading->sources[i];
        if (source->is_table != is_table || !str_equal(source->name, name))
            continue;
        source->count = count;
        source->oldest = oldest;
        source->newest = newest;
    }
}

static int see_metric(void *context, const struct varve_metric_info *info)
{
    found(context, info->metric.name, false, info->points, info->oldest, info->newest);
    return 0;
}

static int see_table(void *context, const struct varve_table_info *info)
{
    found(context, info->name, true, info->rows, info->oldest, info->newest);
    return 0;
}

/* ---- the note --------------------------------------------------------------------------- */

static void explain(const struct read_source *s, char *note, size_t size)
{
    char oldest[INSTANT_TEXT], newest[INSTANT_TEXT], since[INSTANT_TEXT], until[INSTANT_TEXT];
    const char *what = s->is_table ? "events" : "points";
    instant_text(s->oldest, oldest);
    instant_text(s->newest, newest);
    instant_text(s->range.since, since);
    instant_text(s->range.until, until);
    if (s->count == 0)
        snprintf(note, size, "nothing of '%.*s' is stored yet", STR_ARG(s->name));
    else if (s->newest < s->range.since || s->oldest >= s->range.until)
        snprintf(note, size,
                 "'%.*s' has no %s from %s until %s: its oldest is of %s, its newest of %s",
                 STR_ARG(s->name), what, since, until, oldest, newest);
    else
        snprintf(note, size,
                 "nothing that fits from %s until %s; the %s of '%.*s' reach from %s to %s", since,
                 until, what, STR_ARG(s->name), oldest, newest);
}

static bool explains(const struct read_source *s)
{
    return s->count == 0 || s->newest < s->range.since || s->oldest >= s->range.until;
}

void note_why_empty(const struct plan *plan, struct snapshot *snapshot, char *note, size_t size)
{
    struct reading reading = {.count = 0};
    for (uint32_t i = 0; i < plan->named_count; i++)
        add_node(&reading, plan->named[i]);
    add_node(&reading, plan->root);
    if (visit_metrics(snapshot, see_metric, &reading, NULL) != VARVE_OK ||
        visit_tables(snapshot, see_table, &reading, NULL) != VARVE_OK)
        return;
    if (!reading.store_has_any) {
        snprintf(note, size, "the store holds nothing yet");
        return;
    }
    for (size_t i = 0; i < reading.count; i++)
        if (explains(&reading.sources[i])) {
            explain(&reading.sources[i], note, size);
            return;
        }
    if (reading.count > 0)
        explain(&reading.sources[0], note, size);
}
