/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_rows.c -- a SELECT that lists rows: of a table, of a metric, of another query, or the one
 * row of SELECT 1 + 1.
 *
 * Rows come in the order of time unless ORDER BY says otherwise, and stream: nothing here keeps
 * them but SORT and DISTINCT.
 */
#include "lang/lower_private.h"

struct listing {
    struct selecting *s;
    uint32_t *shown; /* columns of the node below, in order */
    struct varve_str *names;
    uint32_t count, capacity, name_capacity;
    struct term **terms; /* to be computed */
    struct varve_str *term_names;
    uint32_t term_count;
    struct term *having;
};

static enum varve_status show(struct listing *listing, uint32_t column, struct varve_str name)
{
    struct lower *l = listing->s->lower;
    TRY(lower_grow(l, &listing->shown, &listing->capacity, listing->count, sizeof *listing->shown));
    TRY(lower_grow(l, &listing->names, &listing->name_capacity, listing->count,
                   sizeof *listing->names));
    listing->shown[listing->count] = column;
    listing->names[listing->count++] = name;
    return VARVE_OK;
}

/* The number that a computed column will have is known once all are bound: from UINT32_MAX down. */
static uint32_t add_term(struct listing *listing, struct term *term, struct varve_str name)
{
    if (term->kind == TERM_COLUMN)
        return term->index;
    listing->terms[listing->term_count] = term;
    listing->term_names[listing->term_count] = name;
    return UINT32_MAX - listing->term_count++;
}

static uint32_t settle(const struct listing *listing, uint32_t column, uint32_t base)
{
    return column > UINT32_MAX - listing->term_count ? base + (UINT32_MAX - column) : column;
}

static enum varve_status list_all(struct listing *listing, struct place place)
{
    struct columns *rows = &listing->s->rows;
    uint32_t *indices, count;
    TRY(lower_columns_all(listing->s->lower, rows, place, &indices, &count));
    for (uint32_t i = 0; i < count; i++)
        TRY(show(listing, indices[i], lower_columns_info(rows, indices[i])->name));
    return VARVE_OK;
}

static enum varve_status list_item(struct listing *listing, uint32_t i)
{
    struct selecting *s = listing->s;
    struct lower *l = s->lower;
    struct out_item *out = &s->items[i];
    struct scope scope = {.select = s,
                          .columns = &s->rows,
                          .clause = "a list of rows",
                          .aliases = i,
                          .alias_first = true};
    if (out->ast->expr->kind == EXPR_STAR) {
        if (s->from.kind == FROM_NONE)
            return lower_fail(l, VARVE_INVALID, out->ast->place, "'*' of what? Say FROM");
        return list_all(listing, out->ast->place);
    }
    if (out->fill.kind == FILL_PREV || out->fill.kind == FILL_LINEAR)
        return lower_fail(l, VARVE_INVALID, out->fill.place,
                          "FILL takes values from other buckets: it needs EVERY");
    TRY(lower_bind(&scope, out->ast->expr, &out->term));
    TRY(lower_fill_number(l, out, &out->term));
    return show(listing, add_term(listing, out->term, out->name), out->name);
}

static enum varve_status bind_listing(struct listing *listing)
{
    struct selecting *s = listing->s;
    struct lower *l = s->lower;
    struct scope scope = {
        .select = s, .columns = &s->rows, .clause = "WHERE", .aliases = s->item_count};
    uint32_t most = s->item_count + s->ast->order_count;
    TRY(lower_alloc(l, &listing->terms, most, sizeof(struct term *)));
    TRY(lower_alloc(l, &listing->term_names, most, sizeof *listing->term_names));
    TRY(lower_where(&scope, s->ast->where, &s->where));
    for (uint32_t i = 0; i < s->item_count; i++)
        TRY(list_item(listing, i));
    scope.alias_first = true;
    scope.clause = s->ast->having_is_when ? "WHEN" : "HAVING";
    if (s->ast->having) {
        TRY(lower_bind(&scope, s->ast->having, &listing->having));
        TRY(lower_term_condition(l, listing->having, scope.clause));
    }
    return VARVE_OK;
}

/* ORDER BY position, alias or expression: the column to sort by. */
static enum varve_status
order_column(struct listing *listing, const struct expr *e, uint32_t *column)
{
    struct selecting *s = listing->s;
    struct lower *l = s->lower;
    struct scope scope = {.select = s,
                          .columns = &s->rows,
                          .clause = "ORDER BY",
                          .aliases = s->item_count,
                          .alias_first = true};
    struct term *term;
    struct varve_str name;
    if (e->kind == EXPR_INT) {
        if (e->integer < 1 || (uint64_t)e->integer > listing->count)
            return lower_fail(l, VARVE_INVALID, e->place, "there is no item %lld to sort by",
                              (long long)e->integer);
        *column = listing->shown[e->integer - 1];
        return VARVE_OK;
    }
    TRY(lower_bind(&scope, e, &term));
    for (uint32_t i = 0; i < listing->term_count; i++)
        if (lower_term_equal(term, listing->terms[i])) {
            *column = UINT32_MAX - i;
            return VARVE_OK;
        }
    TRY(lower_text(l, e, &name));
    *column = add_term(listing, term, name);
    return VARVE_OK;
}

static enum varve_status pick_shown(struct listing *listing, struct node **node)
{
    struct lower *l = listing->s->lower;
    struct node *made;
    TRY(lower_node_new(l, NODE_PICK, listing->s->ast->place, *node, listing->count, &made));
    made->as.pick.from = listing->shown;
    for (uint32_t i = 0; i < listing->count; i++) {
        made->columns[i] = (*node)->columns[listing->shown[i]];
        made->columns[i].name = listing->names[i];
    }
    *node = made;
    return lower_node_unique(l, made);
}

static enum varve_status
sort_distinct(struct listing *listing, uint32_t *by, bool *descending, struct node **node)
{
    const struct select *ast = listing->s->ast;
    struct lower *l = listing->s->lower;
    for (uint32_t i = 0; i < ast->order_count; i++) {
        uint32_t at = 0;
        while (at < listing->count && listing->shown[at] != by[i])
            at++;
        if (at == listing->count)
            return lower_fail(l, VARVE_INVALID, ast->orders[i].expr->place,
                              "SELECT DISTINCT is sorted by what it shows only");
        by[i] = at;
    }
    TRY(pick_shown(listing, node));
    TRY(lower_node_over(l, NODE_DISTINCT, ast->place, *node, 0, node));
    TRY(lower_node_sort(l, ast->place, by, descending, ast->order_count, node));
    return lower_node_limit(l, ast, node);
}

static enum varve_status finish(struct listing *listing, uint32_t *by, struct node **node)
{
    const struct select *ast = listing->s->ast;
    struct lower *l = listing->s->lower;
    uint32_t base = (*node)->column_count;
    bool *descending;
    TRY(lower_alloc(l, &descending, ast->order_count, sizeof *descending));
    TRY(lower_node_compute(l, listing->terms, listing->term_names, listing->term_count, node));
    for (uint32_t i = 0; i < listing->count; i++)
        listing->shown[i] = settle(listing, listing->shown[i], base);
    for (uint32_t i = 0; i < ast->order_count; i++) {
        by[i] = settle(listing, by[i], base);
        descending[i] = ast->orders[i].descending;
    }
    if (ast->distinct)
        return sort_distinct(listing, by, descending, node);
    if (ast->order_count)
        TRY(lower_node_sort(l, ast->orders[0].expr->place, by, descending, ast->order_count, node));
    TRY(lower_node_limit(l, ast, node));
    return pick_shown(listing, node);
}

enum varve_status lower_rows(struct selecting *s, struct query_result *result)
{
    struct lower *l = s->lower;
    struct listing *listing;
    uint32_t *by;
    TRY(lower_alloc(l, &listing, 1, sizeof *listing));
    listing->s = s;
    TRY(bind_listing(listing));
    TRY(lower_alloc(l, &by, s->ast->order_count, sizeof *by));
    for (uint32_t i = 0; i < s->ast->order_count; i++)
        TRY(order_column(listing, s->ast->orders[i].expr, &by[i]));
    TRY(lower_build_rows(s, s->span.range, &result->node));
    TRY(lower_node_filter(l, listing->having, &result->node));
    return finish(listing, by, &result->node);
}
