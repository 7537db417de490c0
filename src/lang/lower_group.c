/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_group.c -- what stands in an expression about a group: aliases, keys, metrics, sugar.
 *
 * A name is the bucket's time, an alias of an earlier item, a key or a metric, in this order.  An
 * expression that is a key is that key.  total(x) is x measured once more without keys;
 * share(x) is x / total(x).
 */
#include "lang/lower_private.h"

/* ---- aliases ------------------------------------------------------------------ */

static enum varve_status key_column(const struct scope *scope, uint32_t symbol, struct place place,
                                    enum value_type type, struct term **term)
{
    struct lower *l = scope->select->lower;
    if (scope->total && symbol != SYMBOL_BUCKET)
        return lower_fail(l, VARVE_INVALID, place,
                          "total() is over all groups, so a key of BY has no value in it");
    return lower_term_column(l, place, symbol, type, term);
}

enum varve_status
lower_bind_alias(const struct scope *scope, uint32_t item, struct place place, struct term **term)
{
    struct selecting *s = scope->select;
    const struct out_item *out = &s->items[item];
    struct scope inner = *scope;
    inner.aliases = item;
    bool is_column = !scope->columns && !scope->total && out->term &&
                     (scope->is_done || (out->is_filled && !scope->has_no_bucket));
    if (!scope->columns && out->is_key)
        return key_column(
            scope, out->key, place,
            out->key == SYMBOL_BUCKET ? TYPE_TIME : s->keys[out->key - SYMBOL_KEY].info.type, term);
    if (is_column)
        return lower_term_column(s->lower, place, SYMBOL_ITEM + item, out->term->type, term);
    if (out->ast->expr->kind == EXPR_STAR)
        return lower_fail(s->lower, VARVE_INVALID, place, "'*' has no alias");
    if (scope->columns && lower_is_of_group(out->ast->expr))
        return lower_no_groups(scope, place, "what is measured in a group");
    TRY(lower_bind(&inner, out->ast->expr, term));
    return scope->columns ? VARVE_OK : lower_fill_number(s->lower, out, term);
}

/* ---- names -------------------------------------------------------------------- */

/* NAME_prev, NAME_change and NAME_pct of COMPARE TO. */
static bool find_compare(const struct scope *scope, struct varve_str name, uint32_t *symbol)
{
    static const char *const suffixes[] = {"_prev", "_change", "_pct"};
    const struct selecting *s = scope->select;
    for (uint32_t i = 0; scope->is_done && s->has_compare && i < s->item_count; i++)
        for (uint32_t k = 0; k < 3; k++) {
            size_t size = s->items[i].name.size, more = strlen(suffixes[k]);
            if (!s->items[i].is_key && name.size == size + more &&
                memcmp(name.data, s->items[i].name.data, size) == 0 &&
                memcmp(name.data + size, suffixes[k], more) == 0) {
                *symbol = SYMBOL_COMPARE + 3 * i + k;
                return true;
            }
        }
    return false;
}

static uint32_t find_key(const struct selecting *s, const struct expr *e)
{
    for (uint32_t i = 0; i < s->key_count; i++)
        if (lower_expr_same(s->keys[i].expr, e) ||
            (e->kind == EXPR_NAME && (lower_name_alike(s->keys[i].name, e->text) ||
                                      (s->keys[i].expr->kind == EXPR_NAME &&
                                       lower_name_alike(s->keys[i].expr->text, e->text)))))
            return i;
    return UINT32_MAX;
}

static enum varve_status
bind_other_name(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct selecting *s = scope->select;
    struct schema_source metric;
    uint32_t index;
    bool is;
    if (s->from.kind != FROM_NONE) {
        enum varve_status status =
            lower_columns_find(s->lower, &s->rows, e->text, e->place, &index);
        if (status == VARVE_OK)
            return lower_fail(s->lower, VARVE_INVALID, e->place,
                              "'%.*s' is neither in BY nor inside an aggregate", STR_ARG(e->text));
        if (status != VARVE_NOTFOUND)
            return status;
    }
    TRY(lower_is_metric(s->lower, e->text, &metric, &is));
    return is ? lower_bind_metric(scope, e, term) : lower_unknown_name(scope, e->text, e->place);
}

static enum varve_status
bind_group_name(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct selecting *s = scope->select;
    uint32_t symbol, item = lower_alias_find(s, scope->aliases, e->text);
    if (item != UINT32_MAX)
        return lower_bind_alias(scope, item, e->place, term);
    if (find_compare(scope, e->text, &symbol)) {
        const struct term *of = s->items[(symbol - SYMBOL_COMPARE) / 3].term;
        bool is_pct = (symbol - SYMBOL_COMPARE) % 3 == 2;
        return lower_term_column(s->lower, e->place, symbol, is_pct ? TYPE_FLOAT : of->type, term);
    }
    if (s->bucket.kind != BUCKET_NONE && lower_name_is(e->text, "time")) {
        if (scope->has_no_bucket)
            return lower_fail(s->lower, VARVE_INVALID, e->place,
                              "TOP ranks over the whole range, where there is no bucket's time");
        return key_column(scope, SYMBOL_BUCKET, e->place, TYPE_TIME, term);
    }
    return bind_other_name(scope, e, term);
}

/* ---- calls -------------------------------------------------------------------- */

static enum varve_status
bind_total(const struct scope *scope, const struct expr *e, struct term **term)
{
    struct selecting *s = scope->select;
    struct scope inner = *scope;
    struct term *own;
    bool share = lower_name_is(e->text, "share");
    if (e->arg_count != 1 || e->args[0]->kind == EXPR_STAR || e->filter)
        return lower_fail(s->lower, VARVE_INVALID, e->place, "%s() takes one value of the group",
                          share ? "share" : "total");
    /* Without total, too: its groups are those that the total is shown in. */
    TRY(lower_bind(scope, e->args[0], &own));
    if (!scope->is_done && !scope->has_no_bucket)
        lower_mark_slots(own, s->anchors);
    inner.total = s->key_count > 0;
    inner.is_done = false;
    TRY(lower_bind(&inner, e->args[0], term));
    if (share)
        return lower_term_call2(s->lower, e->place, FUNCTION_DIV, own, *term, term);
    return VARVE_OK;
}

static enum varve_status
bind_group_call(const struct scope *scope, const struct expr *e, struct term **term)
{
    bool rollup;
    if (lower_name_is(e->text, "total") || lower_name_is(e->text, "share"))
        return bind_total(scope, e, term);
    TRY(lower_is_rollup_call(scope, e, &rollup));
    if (rollup)
        return lower_bind_rollup(scope, e, term);
    if (lower_aggregate_find(e->text) != AGGREGATES)
        return lower_bind_aggregate(scope, e, term);
    return VARVE_OK;
}

enum varve_status
lower_bind_grouped(const struct scope *scope, const struct expr *e, struct term **term)
{
    const struct selecting *s = scope->select;
    bool is_name = e->kind == EXPR_NAME;
    if (e->kind < EXPR_NAME)
        return VARVE_OK;
    uint32_t key = is_name && lower_alias_find(s, scope->aliases, e->text) != UINT32_MAX
                       ? UINT32_MAX
                       : find_key(s, e);
    if (key != UINT32_MAX)
        return key_column(scope, SYMBOL_KEY + key, e->place, s->keys[key].info.type, term);
    switch (e->kind) {
    case EXPR_NAME:
        return bind_group_name(scope, e, term);
    case EXPR_METRIC:
        return lower_bind_metric(scope, e, term);
    case EXPR_CALL:
        return bind_group_call(scope, e, term);
    default:
        return VARVE_OK;
    }
}
