/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_select.c -- a SELECT: what it is about (rows or groups), and one of groups from FROM to
 * LIMIT.
 *
 * Everything is bound before anything is built, because WHERE, HAVING, TOP and ORDER BY add to what
 * is measured and read.  The order of the nodes is: core with its grid, items, comparison, HAVING,
 * the order of TOP, SORT, LIMIT, the columns that are shown.
 */
#include "lang/lower_private.h"

/* ---- rows or groups -------------------------------------------------------------- */

static enum varve_status is_grouping(struct selecting *s, const struct expr *e, bool *is)
{
    struct schema_source metric;
    uint32_t index;
    if (!e || *is)
        return VARVE_OK;
    if (e->kind == EXPR_METRIC)
        *is = true;
    if (e->kind == EXPR_CALL)
        *is = lower_rollup_find(e->text) != ROLLUPS ||
              lower_aggregate_find(e->text) != AGGREGATES || lower_name_is(e->text, "total") ||
              lower_name_is(e->text, "share");
    if (e->kind == EXPR_NAME && lower_alias_find(s, s->item_count, e->text) == UINT32_MAX) {
        *is = s->from.kind == FROM_NONE;
        if (!*is &&
            lower_columns_find(s->lower, &s->rows, e->text, e->place, &index) == VARVE_NOTFOUND)
            return lower_is_metric(s->lower, e->text, &metric, is);
    }
    for (uint32_t i = 0; i < e->arg_count; i++)
        TRY(is_grouping(s, e->args[i], is));
    return VARVE_OK;
}

static enum varve_status is_grouped(struct selecting *s, bool *is)
{
    *is = s->ast->by_count > 0 || s->ast->every.kind != EVERY_UNSET;
    for (uint32_t i = 0; i < s->item_count; i++)
        TRY(is_grouping(s, s->items[i].ast->expr, is));
    for (uint32_t i = 0; i < s->ast->order_count; i++)
        TRY(is_grouping(s, s->ast->orders[i].expr, is));
    return is_grouping(s, s->ast->having, is);
}

/* ---- what is said beside the items -------------------------------------------------- */

static enum varve_status set_items(struct selecting *s)
{
    const struct select *ast = s->ast;
    struct lower *l = s->lower;
    if (ast->item_count > LOWER_ITEMS_MAX || ast->by_count > LOWER_ITEMS_MAX ||
        ast->order_count > LOWER_ITEMS_MAX)
        return lower_fail(l, VARVE_LIMIT, ast->place,
                          "a SELECT has at most %d items, keys and columns to sort by",
                          LOWER_ITEMS_MAX);
    TRY(lower_alloc(l, &s->items, ast->item_count, sizeof *s->items));
    s->item_count = ast->item_count;
    for (uint32_t i = 0; i < s->item_count; i++) {
        struct out_item *out = &s->items[i];
        out->ast = &ast->items[i];
        out->fill = out->ast->fill.kind == FILL_UNSET ? ast->fill : out->ast->fill;
        TRY(lower_item_name(l, out->ast, &out->name));
    }
    return VARVE_OK;
}

/* A result has its own range, or takes that of the SELECT that reads it. */
static enum varve_status set_from(struct selecting *s, const struct time_range *inherited)
{
    struct lower *l = s->lower;
    struct time_range hull = s->span.range, earlier;
    const struct time_range *offered = s->span.is_set ? &hull : inherited;
    if (s->ast->compare.kind != COMPARE_UNSET) {
        TRY(lower_earlier(s, &earlier));
        hull.since = earlier.since < hull.since ? earlier.since : hull.since;
        offered = &hull;
    }
    TRY(lower_from(l, s->ast, offered, &s->from));
    TRY(lower_columns_begin(l, &s->rows, &s->from));
    if (s->from.kind != FROM_NAMED)
        return VARVE_OK;
    bool has_time = s->from.span.since <= s->from.span.until;
    if (s->ast->compare.kind != COMPARE_UNSET) {
        s->from.inherits = false;
        s->span.is_set = true;
    } else if (!s->span.is_set && !inherited && !s->from.inherits && has_time) {
        s->span.range = s->from.span;
    }
    if (s->span.is_set && !s->from.inherits && !has_time)
        return lower_fail(l, VARVE_INVALID,
                          s->ast->range.kind == RANGE_UNSET ? s->ast->compare.place
                                                            : s->ast->range.place,
                          "'%.*s' has a range of its own and no column 'time' to choose from",
                          STR_ARG(s->from.written));
    return VARVE_OK;
}

static enum varve_status check_clauses(struct selecting *s, bool grouped)
{
    const struct select *ast = s->ast;
    struct lower *l = s->lower;
    if (!grouped && ast->compare.kind != COMPARE_UNSET)
        return lower_fail(l, VARVE_INVALID, ast->compare.place,
                          "COMPARE TO compares what is measured, and this SELECT lists rows");
    if (ast->top.place.from != ast->top.place.until && ast->by_count == 0)
        return lower_fail(l, VARVE_INVALID, ast->top.place,
                          "%s ranks groups: say BY; rows are sorted by ORDER BY and cut by LIMIT",
                          ast->top.bottom ? "BOTTOM" : "TOP");
    if (s->span.is_at && s->from.kind != FROM_NONE && s->from.kind != FROM_NAMED)
        return lower_fail(l, VARVE_INVALID, ast->range.place,
                          "AT is one instant, in which a table has no rows: say SINCE");
    return VARVE_OK;
}

/* ---- binding a SELECT of groups ------------------------------------------------------ */

/* The item that BY names, by its alias or position; columns of FROM come first. */
static enum varve_status key_alias(struct selecting *s, const struct expr *e, uint32_t *item)
{
    struct lower *l = s->lower;
    uint32_t index;
    *item = UINT32_MAX;
    if (e->kind == EXPR_INT) {
        if (e->integer < 1 || (uint64_t)e->integer > s->item_count)
            return lower_fail(l, VARVE_INVALID, e->place, "there is no item %lld to group by",
                              (long long)e->integer);
        *item = (uint32_t)e->integer - 1;
        return VARVE_OK;
    }
    if (e->kind != EXPR_NAME)
        return VARVE_OK;
    if (s->from.kind != FROM_NONE) {
        enum varve_status status = lower_columns_find(l, &s->rows, e->text, e->place, &index);
        if (status != VARVE_NOTFOUND)
            return status;
    }
    *item = lower_alias_find(s, s->item_count, e->text);
    if (*item != UINT32_MAX && lower_expr_same(s->items[*item].ast->expr, e))
        *item = UINT32_MAX;
    return VARVE_OK;
}

static enum varve_status bind_key(struct selecting *s, uint32_t i)
{
    struct lower *l = s->lower;
    struct key *key = &s->keys[i];
    const struct expr *e = s->ast->by[i];
    struct scope scope = {.select = s, .columns = &s->rows, .clause = "BY"};
    uint32_t item;
    TRY(lower_text(l, e, &key->name));
    TRY(key_alias(s, e, &item));
    key->expr = item == UINT32_MAX ? e : s->items[item].ast->expr;
    key->aliases = item == UINT32_MAX ? s->item_count : item;
    if (e->kind == EXPR_INT)
        key->name = s->items[item].name;
    if (key->expr->kind == EXPR_STAR)
        return lower_fail(l, VARVE_INVALID, e->place, "'*' is no key");
    key->info.name = key->name;
    if (lower_is_of_group(key->expr))
        return lower_no_groups(&scope, e->place, "what is measured in a group");
    if (s->from.kind == FROM_NONE)
        return VARVE_OK;
    scope.aliases = key->aliases;
    TRY(lower_bind(&scope, key->expr, &key->row_term));
    key->info.type = key->row_term->type;
    if (lower_columns_infos(&s->rows))
        key->info.unit = lower_term_unit(key->row_term, lower_columns_infos(&s->rows));
    return VARVE_OK;
}

static enum varve_status bind_where(struct selecting *s)
{
    struct scope scope = {.select = s, .columns = &s->rows, .clause = "WHERE"};
    scope.aliases = s->item_count;
    if (s->from.kind == FROM_NONE && s->ast->by_count + s->item_count == 0)
        return VARVE_OK;
    return lower_where(&scope, s->ast->where, &s->where);
}

static enum varve_status bind_order(struct selecting *s, const struct expr *e, struct term **term)
{
    struct lower *l = s->lower;
    struct scope scope = {
        .select = s, .clause = "ORDER BY", .aliases = s->item_count, .is_done = true};
    if (e->kind != EXPR_INT)
        return lower_bind(&scope, e, term);
    if (e->integer < 1 || (uint64_t)e->integer > s->item_count)
        return lower_fail(l, VARVE_INVALID, e->place, "there is no item %lld to sort by",
                          (long long)e->integer);
    uint32_t item = (uint32_t)e->integer - 1;
    return lower_bind_alias(&scope, item, e->place, term);
}

static enum varve_status bind_groups(struct selecting *s)
{
    const struct select *ast = s->ast;
    struct lower *l = s->lower;
    struct scope scope = {.select = s, .clause = "HAVING", .aliases = s->item_count};
    s->bucket_name = STR("time");
    s->has_compare = ast->compare.kind != COMPARE_UNSET;
    TRY(lower_alloc(l, &s->keys, ast->by_count, sizeof *s->keys));
    for (; s->key_count < ast->by_count; s->key_count++)
        TRY(bind_key(s, s->key_count));
    if (s->from.kind != FROM_NONE)
        TRY(bind_where(s));
    TRY(lower_bind_items(s));
    if (ast->top.by) {
        scope.has_no_bucket = true;
        TRY(lower_bind(&scope, ast->top.by, &s->rank));
        scope.has_no_bucket = false;
    }
    scope.is_done = true;
    if (ast->having) {
        TRY(lower_bind(&scope, ast->having, &s->having));
        TRY(lower_term_condition(l, s->having, ast->having_is_when ? "WHEN" : "HAVING"));
    }
    TRY(lower_alloc(l, &s->orders, ast->order_count, sizeof(struct term *)));
    for (uint32_t i = 0; i < ast->order_count; i++)
        TRY(bind_order(s, ast->orders[i].expr, &s->orders[i]));
    return VARVE_OK;
}

/* ---- building it ------------------------------------------------------------------------ */

/* Whether rows come by bucket and keys already: ALIGN and GRID have sorted them. */
static bool is_in_order(const struct node *node)
{
    while (node->kind == NODE_COMPUTE || node->kind == NODE_FILTER || node->kind == NODE_FILL)
        node = node->inputs[0];
    return node->kind == NODE_ALIGN || node->kind == NODE_GRID;
}

/* Sorts by the terms of ORDER BY, or by the ordinals of TOP, or by bucket and keys. */
static enum varve_status
build_order(struct selecting *s, const struct layout *layout, uint32_t ordinal, struct node **node)
{
    struct lower *l = s->lower;
    uint32_t *by, count = s->ast->order_count, computed = 0;
    bool *descending;
    struct term **terms;
    struct varve_str *names;
    TRY(lower_alloc(l, &by, count + 2, sizeof *by));
    TRY(lower_alloc(l, &descending, count + 2, sizeof *descending));
    TRY(lower_alloc(l, &terms, count, sizeof(struct term *)));
    TRY(lower_alloc(l, &names, count, sizeof *names));
    for (uint32_t i = 0; i < count; i++) {
        struct term *term;
        TRY(lower_place_term(l, s->orders[i], layout, &term));
        descending[i] = s->ast->orders[i].descending;
        by[i] = term->index;
        if (term->kind == TERM_COLUMN)
            continue;
        by[i] = (*node)->column_count + computed;
        TRY(lower_text(l, s->ast->orders[i].expr, &names[computed]));
        terms[computed++] = term;
    }
    TRY(lower_node_compute(l, terms, names, computed, node));
    if (count == 0 && ordinal != UINT32_MAX) {
        if ((*node)->has_bucket)
            by[count++] = 0;
        by[count++] = ordinal;
    }
    if (count == 0 && (is_in_order(*node) || !((*node)->has_bucket || (*node)->key_count)))
        return VARVE_OK;
    return lower_node_sort(l, s->ast->order_count ? s->ast->orders[0].expr->place : s->ast->place,
                           by, descending, count, node);
}

/* The columns that are shown: bucket, keys, items and what COMPARE TO adds to each. */
static enum varve_status
build_columns(struct selecting *s, const struct layout *layout, struct node **node)
{
    struct lower *l = s->lower;
    struct node *input = *node, *made;
    uint32_t at = 0, most = 1 + s->key_count + 4 * s->item_count;
    uint32_t keys = layout->has_bucket + s->key_count;
    TRY(lower_node_new(l, NODE_PICK, s->ast->place, input, most, &made));
    TRY(lower_alloc(l, &made->as.pick.from, most, sizeof(uint32_t)));
    for (; at < keys; at++) {
        made->as.pick.from[at] = at;
        made->columns[at] = input->columns[at];
    }
    if (layout->has_bucket)
        made->columns[0].name = s->bucket_name;
    for (uint32_t i = 0; i < s->item_count; i++) {
        if (s->items[i].is_key)
            continue;
        made->as.pick.from[at] = layout->items[i];
        made->columns[at] = input->columns[layout->items[i]];
        made->columns[at++].name = s->items[i].name;
        for (uint32_t k = 0; s->has_compare && k < 3; k++)
            if (layout->compares[3 * i + k]) {
                made->as.pick.from[at] = layout->compares[3 * i + k];
                made->columns[at++] = input->columns[layout->compares[3 * i + k]];
            }
    }
    made->column_count = at;
    made->has_bucket = input->has_bucket;
    made->key_count = s->key_count;
    *node = made;
    return lower_node_unique(l, made);
}

/* SELECT DISTINCT is sorted by what it shows. */
static enum varve_status
build_distinct(struct selecting *s, const struct layout *layout, struct node **node)
{
    struct lower *l = s->lower;
    const struct node *pick = *node;
    uint32_t *by, count = s->ast->order_count;
    bool *descending;
    TRY(lower_alloc(l, &by, count, sizeof *by));
    TRY(lower_alloc(l, &descending, count, sizeof *descending));
    for (uint32_t i = 0; i < count; i++) {
        const struct term *term = s->orders[i];
        uint32_t at = 0, column = lower_place_symbol(term->index, layout);
        while (at < pick->column_count && pick->as.pick.from[at] != column)
            at++;
        if (term->kind != TERM_COLUMN || at == pick->column_count)
            return lower_fail(l, VARVE_INVALID, term->place,
                              "SELECT DISTINCT is sorted by what it shows only");
        by[i] = at;
        descending[i] = s->ast->orders[i].descending;
    }
    TRY(lower_node_over(l, NODE_DISTINCT, s->ast->place, *node, 0, node));
    return lower_node_sort(l, s->ast->place, by, descending, count, node);
}

static void mark_all(const struct selecting *s, bool *uses)
{
    memcpy(uses, s->anchors, sizeof s->anchors);
    for (uint32_t i = 0; i < s->item_count; i++)
        lower_mark_slots(s->items[i].term, uses);
    lower_mark_slots(s->having, uses);
    for (uint32_t i = 0; i < s->ast->order_count; i++)
        lower_mark_slots(s->orders[i], uses);
}

static enum varve_status build_groups(struct selecting *s, struct node **node)
{
    struct lower *l = s->lower;
    bool uses[LOWER_SLOTS_MAX] = {0};
    struct frame frame = {.range = s->span.range, .bucket = s->bucket, .uses = uses};
    struct layout layout = {0};
    struct term *having;
    uint32_t ordinal = UINT32_MAX;
    mark_all(s, uses);
    TRY(lower_build_top(s, &frame.keep));
    TRY(lower_build_items(s, &frame, &layout, node));
    TRY(lower_build_compare(s, &frame, &layout, node));
    if (s->having) {
        TRY(lower_place_term(l, s->having, &layout, &having));
        TRY(lower_node_filter(l, having, node));
    }
    if (s->ast->distinct) {
        TRY(build_columns(s, &layout, node));
        TRY(build_distinct(s, &layout, node));
        return lower_node_limit(l, s->ast, node);
    }
    if (s->rank)
        TRY(lower_join_top(s, &frame.keep, node, &ordinal));
    TRY(build_order(s, &layout, ordinal, node));
    TRY(lower_node_limit(l, s->ast, node));
    return build_columns(s, &layout, node);
}

/* ---- a SELECT ------------------------------------------------------------------------------ */

/* The times that the rows of the result hold, if they hold any. */
static void set_span(const struct selecting *s, struct query_result *result)
{
    const struct node *node = result->node;
    result->span = (struct time_range){1, 0};
    for (uint32_t i = 0; i < node->column_count; i++)
        if (node->columns[i].type == TYPE_TIME && str_equal(node->columns[i].name, STR("time")))
            result->span = s->span.range;
    if (result->span.since > result->span.until)
        return;
    if (s->from.kind == FROM_NAMED && s->from.inherits && s->from.span.since < result->span.since)
        result->span.since = s->from.span.since;
    if (s->bucket.kind != BUCKET_NONE)
        result->span.since = lower_bucket_start(s, result->span.since);
}

enum varve_status lower_select(struct lower *l, const struct select *ast,
                               const struct time_range *inherited, struct query_result *result)
{
    struct selecting *s;
    bool grouped = false;
    const struct zone *zone = l->select_zone;
    struct varve_str zone_name = l->select_zone_name;
    TRY(lower_alloc(l, &s, 1, sizeof *s));
    s->lower = l;
    s->ast = ast;
    s->zone = l->zone;
    s->zone_name = l->zone_name;
    if (ast->every.zone.size) {
        s->zone_name = ast->every.zone;
        TRY(lower_zone(l, s->zone_name, ast->every.place, &s->zone));
    }
    l->select_zone = s->zone;
    l->select_zone_name = s->zone_name;
    TRY(set_items(s));
    TRY(lower_span(s, inherited));
    bool is_set = s->span.is_set;
    TRY(set_from(s, inherited));
    TRY(lower_bucket(s));
    TRY(is_grouped(s, &grouped));
    TRY(check_clauses(s, grouped));
    if (grouped) {
        TRY(bind_groups(s));
        TRY(build_groups(s, &result->node));
    } else {
        TRY(lower_rows(s, result));
    }
    result->range = s->span.range;
    result->bucket = s->bucket;
    result->zone = s->zone_name;
    result->inherits = !is_set && (s->from.kind != FROM_NAMED || s->from.inherits);
    result->depends = !is_set && (s->from.kind != FROM_NAMED || s->from.depends);
    set_span(s, result);
    l->select_zone = zone;
    l->select_zone_name = zone_name;
    return VARVE_OK;
}
