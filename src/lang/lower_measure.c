/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_measure.c -- roll-ups and aggregates become slots: values to be measured once a group.
 *
 * A roll-up that stands alone is put together over its series: sums of sums, the least of
 * minima, the mean of means.  An aggregate takes one roll-up, or an expression over the rows of
 * FROM.  Without FROM, count(DISTINCT label) and list(label) are over the series that all metrics
 * of the SELECT have in the group.
 */
#include "lang/lower_private.h"

static const enum aggregate_kind natural[ROLLUPS] = {
    [ROLLUP_MIN_OF] = AGGREGATE_MIN,
    [ROLLUP_MAX_OF] = AGGREGATE_MAX,
    [ROLLUP_AVG_OF] = AGGREGATE_AVG /* the others: SUM */
};

static const char *const rollup_names[ROLLUPS] = {
#define X(symbol, name, help) [ROLLUP_##symbol] = name,
    ROLLUP_MAP(X)
#undef X
};

static enum varve_status
is_counter_error(struct lower *l, struct varve_str name, struct place place)
{
    return lower_fail(l, VARVE_INVALID, place,
                      "'%.*s' is a counter, which only ever grows: do you mean increase(%.*s), "
                      "rate(%.*s) or last(%.*s)?",
                      STR_ARG(name), STR_ARG(name), STR_ARG(name), STR_ARG(name));
}

/* The name of a metric that stands there, or an empty text. */
static struct varve_str metric_name(const struct expr *e)
{
    if (e->kind == EXPR_METRIC)
        return e->selector->name;
    return e->kind == EXPR_NAME ? e->text : (struct varve_str){0};
}

/* ---- selectors ---------------------------------------------------------------- */

static enum varve_status bind_selector(const struct scope *scope, const struct expr *e,
                                       const struct schema_source *metric, struct slot *slot)
{
    struct selecting *s = scope->select;
    struct lower *l = s->lower;
    const struct selector *selector = e->selector;
    TRY(lower_alloc(l, &slot->label_source, 1, sizeof *slot->label_source));
    *slot->label_source = (struct source){
        .kind = FROM_METRIC, .place = e->place, .written = metric_name(e), .schema = *metric};
    TRY(lower_alloc(l, &slot->sources, 1, sizeof *slot->sources));
    slot->source_count = 1;
    slot->sources[0] = (struct metric_source){
        .place = lower_place(l, e->place), .name = metric->name, .kind = metric->metric};
    if (!selector)
        return VARVE_OK;
    TRY(lower_matchers(l, slot->label_source, selector, &slot->sources[0]));
    slot->sources[0].offset = selector->has_offset ? selector->offset : 0;
    if (!selector->at)
        return VARVE_OK;
    slot->has_at = true;
    return lower_when(l, s->zone, selector->at, &slot->at);
}

/* At one instant the range has no place, only its length; where buckets have one, nothing has. */
static enum varve_status
window_at(const struct scope *scope, const struct expr *e, const char *function, struct slot *slot)
{
    struct selecting *s = scope->select;
    struct lower *l = s->lower;
    const struct expr *of = e->kind == EXPR_CALL ? e->args[0] : e;
    if (s->span.is_at || (slot->has_at && s->bucket.kind != BUCKET_NONE))
        return lower_fail(l, VARVE_INVALID, e->place,
                          "%s is one instant, so the roll-up needs a window: %s(%.*s, 1h)",
                          s->span.is_at ? "AT" : "@", function, STR_ARG(metric_name(of)));
    if (slot->has_at &&
        __builtin_sub_overflow(s->span.range.until, s->span.range.since, &slot->window))
        return lower_fail(l, VARVE_LIMIT, e->place, "the range is too long");
    return VARVE_OK;
}

/* The window of a roll-up, and whether it needs one. */
static enum varve_status bind_window(const struct scope *scope, const struct expr *call,
                                     const char *function, struct slot *slot)
{
    struct lower *l = scope->select->lower;
    if (call->kind == EXPR_CALL && call->arg_count > 1) {
        const struct expr *window = call->args[1];
        if (window->kind != EXPR_DURATION || window->integer <= 0)
            return lower_fail(l, VARVE_INVALID, window->place,
                              "a window is a duration above zero: %.*s(%.*s, 1h)",
                              STR_ARG(call->text), STR_ARG(metric_name(call->args[0])));
        slot->window = window->integer;
        return VARVE_OK;
    }
    return window_at(scope, call, function, slot);
}

/* ---- slots --------------------------------------------------------------------- */

static enum varve_status rollup_unit(struct lower *l, const struct schema_source *metric,
                                     enum rollup function, struct varve_str *unit)
{
    *unit = metric->unit;
    if (function == ROLLUP_SEEN || function == ROLLUP_RESETS || function == ROLLUP_CHANGES)
        *unit = (struct varve_str){0};
    return function == ROLLUP_RATE && unit->size ? lower_join(l, *unit, "/s", unit) : VARVE_OK;
}

static enum value_type rollup_type(const struct schema_source *metric, enum rollup function)
{
    if (function == ROLLUP_SEEN || function == ROLLUP_RESETS || function == ROLLUP_CHANGES)
        return TYPE_INT;
    if (function == ROLLUP_RATE || function == ROLLUP_AVG_OF)
        return TYPE_FLOAT;
    return lower_metric_type(metric);
}

static void set_aggregate_info(const struct aggregate *aggregate, struct column_info *info)
{
    switch (aggregate->kind) {
    case AGGREGATE_COUNT:
        *info = (struct column_info){info->name, TYPE_INT, {0}};
        break;
    case AGGREGATE_LIST:
        *info = (struct column_info){info->name, TYPE_TEXT, {0}};
        break;
    case AGGREGATE_AVG:
    case AGGREGATE_MEDIAN:
    case AGGREGATE_QUANTILE:
    case AGGREGATE_STDDEV:
        if (info->type != TYPE_DURATION)
            info->type = TYPE_FLOAT;
        break;
    default:
        break;
    }
}

/* Keys, WHERE and FILTER over the labels of a measure. */
static enum varve_status
bind_labels(const struct scope *scope, const struct expr *filter, struct slot *slot)
{
    struct selecting *s = scope->select;
    struct lower *l = s->lower;
    struct scope labels = {.select = s, .columns = &slot->labels, .clause = "WHERE"};
    struct condition where = {0};
    labels.aliases = s->item_count;
    TRY(lower_where(&labels, s->ast->where, &where));
    slot->where = where.rest;
    for (uint32_t i = 0; where.filter_count && i < slot->source_count; i++) {
        struct metric_source *source = &slot->sources[i];
        uint32_t count = source->filter_count + where.filter_count;
        struct label_filter *all;
        TRY(lower_alloc(l, &all, count, sizeof *all));
        if (source->filter_count)
            memcpy(all, source->filters, source->filter_count * sizeof *all);
        memcpy(all + source->filter_count, where.filters, where.filter_count * sizeof *all);
        source->filters = all;
        source->filter_count = count;
    }
    if (filter) {
        labels.clause = "FILTER";
        TRY(lower_bind(&labels, filter, &slot->aggregate.filter));
        TRY(lower_term_condition(l, slot->aggregate.filter, "FILTER"));
    }
    if (slot->total)
        return VARVE_OK;
    labels.clause = "BY";
    TRY(lower_alloc(l, &slot->keys, s->key_count, sizeof(struct term *)));
    for (uint32_t i = 0; i < s->key_count; i++) {
        labels.aliases = s->keys[i].aliases;
        TRY(lower_bind(&labels, s->keys[i].expr, &slot->keys[i]));
    }
    return VARVE_OK;
}

static enum varve_status total_name(struct lower *l, struct varve_str *name)
{
    const size_t more = sizeof "total()" - 1;
    char *text;
    TRY(lower_alloc(l, &text, name->size + more, 1));
    memcpy(text, "total(", more - 1);
    if (name->size)
        memcpy(text + more - 1, name->data, name->size);
    text[name->size + more - 1] = ')';
    *name = (struct varve_str){text, name->size + more};
    return VARVE_OK;
}

static enum varve_status slot_begin(const struct scope *scope, const struct expr *e,
                                    enum aggregate_kind kind, struct slot *slot)
{
    *slot =
        (struct slot){.total = scope->total, .place = lower_place(scope->select->lower, e->place)};
    slot->aggregate.kind = kind;
    slot->aggregate.place = slot->place;
    TRY(lower_text(scope->select->lower, e, &slot->info.name));
    if (!scope->total)
        return VARVE_OK;
    return total_name(scope->select->lower, &slot->info.name);
}

/* A metric under a roll-up: `call` says its arguments, or is the metric itself. */
static enum varve_status
bind_measure(const struct scope *scope, const struct expr *call, enum rollup function,
             const struct expr *filter, struct slot *slot)
{
    struct lower *l = scope->select->lower;
    const struct expr *of = call->kind == EXPR_CALL && call->arg_count ? call->args[0] : call;
    struct schema_source metric;
    struct varve_str name = metric_name(of);
    if (call->kind == EXPR_CALL && (call->arg_count < 1 || call->arg_count > 2))
        return lower_fail(l, VARVE_INVALID, call->place,
                          "%.*s() takes a metric and maybe a window, found %u arguments",
                          STR_ARG(call->text), (unsigned)call->arg_count);
    if (name.size == 0)
        return lower_fail(l, VARVE_INVALID, of->place, "%.*s() takes a metric: %.*s(cost)",
                          STR_ARG(call->text), STR_ARG(call->text));
    if (call->kind == EXPR_CALL && call->flags & EXPR_DISTINCT)
        return lower_fail(l, VARVE_INVALID, call->place, "DISTINCT belongs to aggregates");
    TRY(lower_find_metric(l, name, of->place, &metric));
    if (function == ROLLUP_DELTA && metric.metric != VARVE_GAUGE)
        return lower_fail(l, VARVE_INVALID, call->place,
                          "delta() is of gauges, and '%.*s' is a counter: say increase(%.*s)",
                          STR_ARG(name), STR_ARG(name));
    slot->is_measure = true;
    slot->function = function;
    slot->info.type = rollup_type(&metric, function);
    TRY(rollup_unit(l, &metric, function, &slot->info.unit));
    set_aggregate_info(&slot->aggregate, &slot->info);
    TRY(bind_selector(scope, of, &metric, slot));
    TRY(bind_window(scope, call, rollup_names[function], slot));
    slot->labels.source = slot->label_source;
    return bind_labels(scope, filter, slot);
}

enum varve_status
lower_bind_rollup(const struct scope *scope, const struct expr *e, struct term **term)
{
    enum rollup function = lower_rollup_find(e->text);
    struct slot slot;
    TRY(slot_begin(scope, e, natural[function], &slot));
    TRY(bind_measure(scope, e, function, e->filter, &slot));
    return lower_slot_term(scope, &slot, term);
}

/* A metric that stands alone: the last value of a gauge. */
enum varve_status
lower_bind_metric(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct lower *l = scope->select->lower;
    struct schema_source metric;
    struct slot slot;
    TRY(lower_find_metric(l, metric_name(e), e->place, &metric));
    if (metric.metric != VARVE_GAUGE)
        return is_counter_error(l, metric_name(e), e->place);
    TRY(slot_begin(scope, e, AGGREGATE_SUM, &slot));
    TRY(bind_measure(scope, e, ROLLUP_LAST, NULL, &slot));
    return lower_slot_term(scope, &slot, term);
}

enum varve_status lower_is_rollup_call(const struct scope *scope, const struct expr *e, bool *is)
{
    struct selecting *s = scope->select;
    enum rollup function = lower_rollup_find(e->text);
    uint32_t index;
    *is = e->kind == EXPR_CALL && function != ROLLUPS;
    if (!*is || (function != ROLLUP_FIRST && function != ROLLUP_LAST) ||
        s->from.kind == FROM_NONE || e->arg_count != 1 || e->args[0]->kind == EXPR_METRIC)
        return VARVE_OK;
    *is = false;
    if (e->args[0]->kind != EXPR_NAME)
        return VARVE_OK;
    enum varve_status status =
        lower_columns_find(s->lower, &s->rows, e->args[0]->text, e->place, &index);
    *is = status == VARVE_NOTFOUND;
    return *is ? VARVE_OK : status;
}

/* ---- count(DISTINCT label) and list(label) over series ---------------------------- */

static enum varve_status seen_add(struct selecting *s, const struct expr *e)
{
    struct lower *l = s->lower;
    struct scope scope = {.select = s};
    struct schema_source metric;
    struct slot slot = {0};
    bool is;
    TRY(lower_is_metric(l, metric_name(e), &metric, &is));
    if (!is)
        return VARVE_OK;
    TRY(bind_selector(&scope, e, &metric, &slot));
    if (slot.has_at)
        return VARVE_OK;
    for (uint32_t i = 0; i < s->seen_count; i++)
        if (str_equal(s->seen[i].name, slot.sources->name) &&
            s->seen[i].offset == slot.sources->offset &&
            lower_filters_equal(s->seen[i].filters, s->seen[i].filter_count, slot.sources->filters,
                                slot.sources->filter_count))
            return VARVE_OK;
    TRY(lower_grow(l, &s->seen, &s->seen_capacity, s->seen_count, sizeof *s->seen));
    s->seen[s->seen_count++] = *slot.sources;
    return VARVE_OK;
}

/* Metrics anywhere in the expression: selectors, and names that are no aliases. */
static enum varve_status seen_collect(struct selecting *s, const struct expr *e)
{
    if (!e)
        return VARVE_OK;
    if (e->kind == EXPR_METRIC ||
        (e->kind == EXPR_NAME && lower_alias_find(s, s->item_count, e->text) == UINT32_MAX))
        return seen_add(s, e);
    for (uint32_t i = 0; i < e->arg_count; i++)
        TRY(seen_collect(s, e->args[i]));
    return VARVE_OK;
}

static enum varve_status find_seen(struct selecting *s)
{
    if (s->has_seen)
        return VARVE_OK;
    s->has_seen = true;
    for (uint32_t i = 0; i < s->item_count; i++)
        TRY(seen_collect(s, s->items[i].ast->expr));
    for (uint32_t i = 0; i < s->ast->order_count; i++)
        TRY(seen_collect(s, s->ast->orders[i].expr));
    TRY(seen_collect(s, s->ast->top.by));
    return seen_collect(s, s->ast->having);
}

static enum varve_status
bind_seen(const struct scope *scope, const struct expr *e, struct slot *slot, struct term **term)
{
    struct selecting *s = scope->select;
    struct lower *l = s->lower;
    struct scope labels = {.select = s, .columns = &slot->labels, .clause = "an aggregate"};
    TRY(find_seen(s));
    if (s->seen_count == 0)
        return lower_fail(l, VARVE_INVALID, e->place,
                          "nothing to count in: say FROM a table, or name a metric in the SELECT");
    if (s->span.is_at)
        return lower_fail(l, VARVE_INVALID, e->place,
                          "AT is one instant, in which no series has a point: say SINCE");
    TRY(lower_alloc(l, &slot->label_source, 1, sizeof *slot->label_source));
    TRY(lower_alloc(l, &slot->sources, s->seen_count, sizeof *slot->sources));
    memcpy(slot->sources, s->seen, s->seen_count * sizeof *slot->sources);
    slot->source_count = s->seen_count;
    slot->is_measure = true;
    slot->function = ROLLUP_SEEN;
    slot->labels.source = slot->label_source;
    slot->info.type = slot->aggregate.kind == AGGREGATE_LIST ? TYPE_TEXT : TYPE_INT;
    /* Labels are looked for in each of the metrics, last in the first, whose numbers stay. */
    for (uint32_t i = s->seen_count; i-- > 0;) {
        *slot->label_source = (struct source){
            .kind = FROM_METRIC, .place = slot->sources[i].place, .written = slot->sources[i].name};
        TRY(lower_find_metric(l, slot->sources[i].name, e->place, &slot->label_source->schema));
        slot->labels.count = 0;
        TRY(lower_bind(&labels, e->args[0], &slot->aggregate.of));
        struct metric_source *sources = slot->sources;
        slot->source_count = i ? 0 : s->seen_count;
        TRY(bind_labels(scope, e->filter, slot));
        slot->sources = sources;
    }
    return lower_slot_term(scope, slot, term);
}

/* ---- aggregates --------------------------------------------------------------------- */

static enum varve_status
check_aggregate(struct lower *l, const struct expr *e, struct aggregate *aggregate)
{
    uint32_t takes = aggregate->kind == AGGREGATE_QUANTILE ? 2 : 1;
    if (e->arg_count != takes)
        return lower_fail(l, VARVE_INVALID, e->place, "%.*s() takes %u argument%s, found %u",
                          STR_ARG(e->text), (unsigned)takes, takes == 1 ? "" : "s",
                          (unsigned)e->arg_count);
    aggregate->distinct = e->flags & EXPR_DISTINCT;
    if (e->args[0]->kind == EXPR_STAR && aggregate->kind != AGGREGATE_COUNT)
        return lower_fail(l, VARVE_INVALID, e->args[0]->place, "'*' is for count(*) only");
    if (e->args[0]->kind == EXPR_STAR && aggregate->distinct)
        return lower_fail(l, VARVE_INVALID, e->place, "count(DISTINCT *) has no meaning");
    if (takes == 1)
        return VARVE_OK;
    const struct expr *q = e->args[1];
    aggregate->quantile = q->kind == EXPR_INT ? (double)q->integer : q->number;
    if ((q->kind != EXPR_INT && q->kind != EXPR_FLOAT) ||
        !(aggregate->quantile >= 0 && aggregate->quantile <= 1))
        return lower_fail(l, VARVE_INVALID, q->place,
                          "the second argument of quantile() is a number from 0 to 1");
    return VARVE_OK;
}

static enum varve_status
check_aggregated(struct lower *l, const struct expr *e, const struct aggregate *aggregate)
{
    enum value_type type = aggregate->of->type;
    bool any = aggregate->kind == AGGREGATE_MIN || aggregate->kind == AGGREGATE_MAX ||
               aggregate->kind == AGGREGATE_COUNT || aggregate->kind == AGGREGATE_LIST ||
               aggregate->kind == AGGREGATE_FIRST || aggregate->kind == AGGREGATE_LAST;
    if (any || type == TYPE_NULL || type == TYPE_INT || type == TYPE_NANO || type == TYPE_FLOAT ||
        type == TYPE_DURATION)
        return VARVE_OK;
    return lower_fail(l, VARVE_INVALID, e->args[0]->place, "%.*s() needs numbers, found %s",
                      STR_ARG(e->text), value_type_name(type));
}

/* Over the rows of FROM. */
static enum varve_status bind_over_rows(const struct scope *scope, const struct expr *e,
                                        struct slot *slot, struct term **term)
{
    struct selecting *s = scope->select;
    struct scope row = {.select = s, .columns = &s->rows, .clause = "an aggregate"};
    row.aliases = scope->aliases;
    slot->info.type = TYPE_INT;
    if (e->args[0]->kind != EXPR_STAR) {
        TRY(lower_bind(&row, e->args[0], &slot->aggregate.of));
        TRY(check_aggregated(s->lower, e, &slot->aggregate));
        slot->info.type = slot->aggregate.of->type;
        if (s->rows.infos || s->from.kind == FROM_NAMED)
            slot->info.unit = lower_term_unit(slot->aggregate.of, lower_columns_infos(&s->rows));
    }
    set_aggregate_info(&slot->aggregate, &slot->info);
    if (e->filter) {
        row.clause = "FILTER";
        TRY(lower_bind(&row, e->filter, &slot->aggregate.filter));
        TRY(lower_term_condition(s->lower, slot->aggregate.filter, "FILTER"));
    }
    return lower_slot_term(scope, slot, term);
}

/* Without FROM, where the argument is neither a roll-up nor a metric. */
static enum varve_status no_rows(const struct scope *scope, const struct expr *e)
{
    struct lower *l = scope->select->lower;
    if (e->args[0]->kind == EXPR_STAR)
        return lower_fail(l, VARVE_INVALID, e->place,
                          "count(*) counts the rows of a table: say FROM");
    if (e->args[0]->kind == EXPR_NAME &&
        lower_alias_find(scope->select, scope->aliases, e->args[0]->text) == UINT32_MAX)
        return lower_unknown_source(l, "metric", e->args[0]->text, e->args[0]->place);
    return lower_fail(l, VARVE_INVALID, e->args[0]->place,
                      "%.*s() takes one roll-up of a metric, or a column of a table after FROM",
                      STR_ARG(e->text));
}

enum varve_status
lower_bind_aggregate(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct selecting *s = scope->select;
    struct lower *l = s->lower;
    struct schema_source metric;
    struct slot slot;
    uint32_t index;
    bool is;
    TRY(slot_begin(scope, e, lower_aggregate_find(e->text), &slot));
    TRY(check_aggregate(l, e, &slot.aggregate));
    const struct expr *of = e->args[0];
    TRY(lower_is_rollup_call(scope, of, &is));
    if (is && of->filter)
        return lower_fail(l, VARVE_INVALID, of->place, "FILTER stands behind the aggregate");
    if (is) {
        TRY(bind_measure(scope, of, lower_rollup_find(of->text), e->filter, &slot));
        return lower_slot_term(scope, &slot, term);
    }
    if (of->kind == EXPR_NAME && s->from.kind != FROM_NONE) {
        enum varve_status status = lower_columns_find(l, &s->rows, of->text, of->place, &index);
        if (status != VARVE_NOTFOUND)
            return status == VARVE_OK ? bind_over_rows(scope, e, &slot, term) : status;
    }
    is = of->kind == EXPR_METRIC;
    if (of->kind == EXPR_NAME && lower_alias_find(s, scope->aliases, of->text) == UINT32_MAX)
        TRY(lower_is_metric(l, of->text, &metric, &is));
    if (is) {
        TRY(lower_find_metric(l, metric_name(of), of->place, &metric));
        if (metric.metric != VARVE_GAUGE)
            return is_counter_error(l, metric_name(of), of->place);
        TRY(bind_measure(scope, of, ROLLUP_LAST, e->filter, &slot));
        return lower_slot_term(scope, &slot, term);
    }
    if (s->from.kind != FROM_NONE)
        return bind_over_rows(scope, e, &slot, term);
    if ((slot.aggregate.kind == AGGREGATE_COUNT && slot.aggregate.distinct) ||
        (slot.aggregate.kind == AGGREGATE_LIST && of->kind != EXPR_STAR))
        return bind_seen(scope, e, &slot, term);
    return no_rows(scope, e);
}
