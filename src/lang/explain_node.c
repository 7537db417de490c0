/* SPDX-License-Identifier: Apache-2.0
 *
 * explain_node.c -- what one node of a plan does, as a part of its line.
 *
 * Times are UTC.  Ranges are written as from .. until.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "lang/explain_private.h"
#include "lang/print.h"

/* ---- parts -------------------------------------------------------------------- */

static const char *const rollup_names[] = {
#define X(symbol, name, help) name,
    ROLLUP_MAP(X)
#undef X
};
static const char *const aggregate_names[] = {
#define X(symbol, name, arguments, help) name,
    AGGREGATE_MAP(X)
#undef X
};

static void put_range(struct buf *out, struct time_range range)
{
    char text[INSTANT_TEXT];
    instant_text(range.since, text);
    explain_put(out, range.since == range.until ? " at " : " from ");
    explain_put(out, text);
    if (range.since == range.until)
        return;
    instant_text(range.until, text);
    explain_put(out, " until ");
    explain_put(out, text);
}

static void put_bucket(struct buf *out, const struct bucket *bucket)
{
    if (bucket->kind == BUCKET_NONE)
        return;
    explain_put(out, " every ");
    if (bucket->kind == BUCKET_FIXED) {
        print_duration(out, bucket->width);
        return;
    }
    explain_put(out, calendar_unit_names[bucket->unit]);
    explain_put(out, " in ");
    explain_str(out, bucket->zone);
}

static void put_column(struct buf *out, const struct column_ref *column)
{
    if (column->lookup.size) {
        explain_name(out, column->lookup);
        explain_put(out, ".");
        explain_name(out, column->field);
        explain_put(out, " of ");
    }
    explain_name(out, column->name);
}

static void put_filters(struct buf *out, const struct label_filter *filters, uint32_t count)
{
    static const char *const marks[] = {
        [MATCH_EQ] = "=", [MATCH_NE] = "!=", [MATCH_RE] = "=~", [MATCH_NRE] = "!~"};
    explain_put(out, count ? "{" : "");
    for (uint32_t i = 0; i < count; i++) {
        explain_put(out, i ? ", " : "");
        put_column(out, &filters[i].label);
        explain_put(out, marks[filters[i].op]);
        for (uint32_t k = 0; k < filters[i].value_count; k++) {
            explain_put(out, k ? "|" : "");
            explain_text(out, filters[i].values[k]);
        }
    }
    explain_put(out, count ? "}" : "");
}

static void put_terms(struct buf *out, const char *before, struct term *const *terms,
                      uint32_t count, const struct column_info *columns)
{
    for (uint32_t i = 0; i < count; i++) {
        explain_put(out, i ? ", " : before);
        explain_term(out, terms[i], columns);
    }
}

static void put_keep(struct buf *out, const struct keep *keep)
{
    char text[48];
    if (!keep->is_set)
        return;
    snprintf(text, sizeof text, " keep #%" PRIu32, keep->named);
    explain_put(out, text);
    if (keep->other) {
        explain_put(out, " others ");
        explain_text(out, keep->label);
    }
}

/* inner: what the aggregate is of, where that is no term. */
static void put_aggregate(struct buf *out, const struct aggregate *aggregate, const char *inner,
                          const struct column_info *columns)
{
    char text[32];
    explain_put(out, aggregate_names[aggregate->kind]);
    explain_put(out, aggregate->distinct ? "(DISTINCT " : "(");
    if (aggregate->of)
        explain_term(out, aggregate->of, columns);
    else
        explain_put(out, inner);
    if (aggregate->kind == AGGREGATE_QUANTILE) {
        snprintf(text, sizeof text, ", %g", aggregate->quantile);
        explain_put(out, text);
    }
    explain_put(out, ")");
    if (aggregate->filter) {
        explain_put(out, " FILTER (WHERE ");
        explain_term(out, aggregate->filter, columns);
        explain_put(out, ")");
    }
}

static void put_columns(struct buf *out, const struct node *node, uint32_t from)
{
    for (uint32_t i = from; i < node->column_count; i++) {
        explain_put(out, i > from ? ", " : " ");
        explain_name(out, node->columns[i].name);
    }
}

/* ---- nodes -------------------------------------------------------------------- */

/* The labels of a measure as columns, so that terms over them have names. */
#define LABELS_MAX 64
static void explain_measure(struct buf *out, const struct node *node)
{
    struct column_info labels[LABELS_MAX] = {0};
    uint32_t count = node->as.measure.label_count;
    for (uint32_t i = 0; i < count && i < LABELS_MAX; i++)
        labels[i].name = node->as.measure.labels[i].lookup.size ? node->as.measure.labels[i].field
                                                                : node->as.measure.labels[i].name;
    explain_put(out, " ");
    bool shows = count <= LABELS_MAX;
    if (shows)
        put_aggregate(out, &node->as.measure.aggregate, rollup_names[node->as.measure.function],
                      labels);
    if (node->as.measure.aggregate.of)
        explain_put(out, " seen");
    for (uint32_t i = 0; i < node->as.measure.source_count; i++) {
        const struct metric_source *source = &node->as.measure.sources[i];
        explain_put(out, i ? ", " : " of ");
        explain_name(out, source->name);
        put_filters(out, source->filters, source->filter_count);
        if (source->offset) {
            explain_put(out, source->offset < 0 ? " offset -" : " offset ");
            print_duration(out, source->offset < 0 ? -source->offset : source->offset);
        }
    }
    if (node->as.measure.window) {
        explain_put(out, " over ");
        print_duration(out, node->as.measure.window);
    }
    if (shows && node->as.measure.where)
        put_terms(out, " where ", &node->as.measure.where, 1, labels);
    if (shows)
        put_terms(out, " by ", node->as.measure.keys, node->key_count, labels);
    put_bucket(out, &node->as.measure.bucket);
    put_range(out, node->as.measure.range);
    put_keep(out, &node->as.measure.keep);
}

static void explain_scan(struct buf *out, const struct node *node)
{
    explain_put(out, " ");
    explain_name(out, node->as.scan.source);
    put_filters(out, node->as.scan.filters, node->as.scan.filter_count);
    for (uint32_t i = 0; i < node->as.scan.read_count; i++) {
        explain_put(out, i ? ", " : " read ");
        put_column(out, &node->as.scan.read[i]);
    }
    put_range(out, node->as.scan.range);
}

static void explain_group(struct buf *out, const struct node *node)
{
    const struct column_info *columns = node->inputs[0]->columns;
    for (uint32_t i = 0; i < node->as.group.aggregate_count; i++) {
        explain_put(out, i ? ", " : " ");
        put_aggregate(out, &node->as.group.aggregates[i], "*", columns);
    }
    put_terms(out, " by ", node->as.group.keys, node->key_count, columns);
    put_bucket(out, &node->as.group.bucket);
    put_range(out, node->as.group.range);
    put_keep(out, &node->as.group.keep);
}

static void explain_align(struct buf *out, const struct node *node)
{
    put_columns(out, node, node->has_bucket + node->key_count);
    for (uint32_t i = 0; i < node->input_count; i++) {
        const struct align_input *how = &node->as.align.inputs[i];
        bool bucket = how->has_bucket && node->has_bucket;
        bool keys = how->has_keys && node->key_count;
        explain_put(out, i ? ", " : " on ");
        explain_put(out, bucket && keys ? "bucket and keys"
                         : bucket       ? "bucket"
                         : keys         ? "keys"
                                        : "all");
        explain_put(out, how->adds_rows ? "" : " (adds no rows)");
    }
}

static void explain_fill(struct buf *out, const struct node *node)
{
    bool any = false;
    for (uint32_t i = 0; i < node->column_count; i++) {
        const struct fill *fill = &node->as.fill.fills[i];
        if (fill->kind != FILL_PREV && fill->kind != FILL_LINEAR)
            continue;
        explain_put(out, any ? ", " : " ");
        explain_name(out, node->columns[i].name);
        explain_put(out, fill->kind == FILL_PREV ? " prev" : " linear");
        if (fill->kind == FILL_PREV && fill->within) {
            explain_put(out, " within ");
            print_duration(out, fill->within);
        }
        any = true;
    }
}

static void explain_compute(struct buf *out, const struct node *node)
{
    const struct node *input = node->inputs[0];
    for (uint32_t i = 0; i < node->as.compute.term_count; i++) {
        explain_put(out, i ? ", " : " ");
        explain_name(out, node->columns[input->column_count + i].name);
        explain_put(out, " = ");
        explain_term(out, node->as.compute.terms[i], input->columns);
    }
}

static void explain_pick(struct buf *out, const struct node *node)
{
    for (uint32_t i = 0; i < node->column_count; i++) {
        struct varve_str from = node->inputs[0]->columns[node->as.pick.from[i]].name;
        explain_put(out, i ? ", " : " ");
        explain_name(out, node->columns[i].name);
        if (str_equal(from, node->columns[i].name))
            continue;
        explain_put(out, " = ");
        explain_name(out, from);
    }
}

static void explain_sort(struct buf *out, const struct node *node)
{
    for (uint32_t i = 0; i < node->as.sort.count; i++) {
        explain_put(out, i ? ", " : " by ");
        explain_name(out, node->columns[node->as.sort.by[i]].name);
        explain_put(out, node->as.sort.descending[i] ? " desc" : "");
    }
}

static void explain_limit(struct buf *out, const struct node *node)
{
    char text[96];
    if (node->as.limit.count >= 0)
        snprintf(text, sizeof text, " %" PRId64, node->as.limit.count);
    else
        snprintf(text, sizeof text, " all");
    explain_put(out, text);
    snprintf(text, sizeof text, " skip %" PRId64, node->as.limit.skip);
    explain_put(out, node->as.limit.skip ? text : "");
    explain_put(out, node->as.limit.numbered ? " numbered" : "");
}

static void explain_set(struct buf *out, const struct node *node)
{
    static const char *const names[] = {[SET_NONE] = "",
                                        [SET_UNION] = " union",
                                        [SET_UNION_ALL] = " union all",
                                        [SET_EXCEPT] = " except",
                                        [SET_INTERSECT] = " intersect"};
    explain_put(out, names[node->as.set.op]);
}

static void explain_catalogue(struct buf *out, const struct node *node)
{
    static const char *const names[] = {
#define X(name) #name,
        SHOW_MAP(X)
#undef X
            "DESCRIBE"};
    explain_put(out, node->as.catalogue.only_new ? " new " : " ");
    explain_put(out, names[node->as.catalogue.what]);
    if (node->as.catalogue.label.name.size) {
        explain_put(out, " of ");
        put_column(out, &node->as.catalogue.label);
    }
    if (node->as.catalogue.of.size) {
        explain_put(out, " in ");
        explain_name(out, node->as.catalogue.of);
    }
    if (!node->as.catalogue.only_new)
        return;
    put_range(out, node->as.catalogue.range);
    explain_put(out, " versus");
    put_range(out, node->as.catalogue.versus);
}

void explain_node(struct buf *out, const struct plan *plan, const struct node *node)
{
    char text[32];
    static void (*const kinds[NODE_KINDS])(struct buf *, const struct node *) = {
        [NODE_MEASURE] = explain_measure,    [NODE_SCAN] = explain_scan,
        [NODE_GROUP] = explain_group,        [NODE_ALIGN] = explain_align,
        [NODE_FILL] = explain_fill,          [NODE_COMPUTE] = explain_compute,
        [NODE_PICK] = explain_pick,          [NODE_SORT] = explain_sort,
        [NODE_LIMIT] = explain_limit,        [NODE_SET] = explain_set,
        [NODE_CATALOGUE] = explain_catalogue};
    (void)plan;
    if (kinds[node->kind]) {
        kinds[node->kind](out, node);
    } else if (node->kind == NODE_GRID) {
        put_bucket(out, &node->as.grid.bucket);
        put_range(out, node->as.grid.range);
    } else if (node->kind == NODE_SHIFT) {
        put_bucket(out, &node->as.shift.bucket);
        put_range(out, node->as.shift.from);
        explain_put(out, " to");
        put_range(out, node->as.shift.to);
    } else if (node->kind == NODE_FILTER) {
        explain_put(out, " ");
        explain_term(out, node->as.filter.condition, node->inputs[0]->columns);
    } else if (node->kind == NODE_NAMED) {
        snprintf(text, sizeof text, " #%" PRIu32, node->as.named.number);
        explain_put(out, text);
    }
}
