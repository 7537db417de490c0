/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_items.c -- the items of a SELECT of groups: bound once, computed in every frame.
 *
 * Items that are no more than a measured column are that column.  Items that FILL from their
 * neighbours in time are computed and filled first, because later ones may use them; FILL with a
 * number is part of the item's expression.
 */
#include "lang/lower_private.h"

void lower_mark_slots(const struct term *term, bool *uses)
{
    if (!term)
        return;
    if (term->kind == TERM_COLUMN && term->index >= SYMBOL_SLOT && term->index < SYMBOL_ITEM)
        uses[term->index - SYMBOL_SLOT] = true;
    for (uint32_t i = 0; i < term->arg_count; i++)
        lower_mark_slots(term->args[i], uses);
}

enum varve_status lower_item_name(struct lower *l, const struct item *item, struct varve_str *name)
{
    *name = item->alias;
    return item->alias.size ? VARVE_OK : lower_text(l, item->expr, name);
}

/* ---- binding ------------------------------------------------------------------ */

enum varve_status
lower_fill_number(struct lower *l, const struct out_item *item, struct term **term)
{
    const struct expr *e = item->fill.number;
    struct term *number;
    if (item->fill.kind != FILL_NUMBER || !e)
        return VARVE_OK;
    bool negative = e->kind == EXPR_UNARY && e->op == OPERATOR_NEG;
    const struct expr *digits = e->kind == EXPR_UNARY ? e->args[0] : e;
    if (digits->kind == EXPR_INT)
        TRY(lower_term_const(l, e->place,
                             value_int(TYPE_INT, negative ? -digits->integer : digits->integer),
                             &number));
    else if (digits->kind == EXPR_FLOAT)
        TRY(lower_term_const(l, e->place, value_float(negative ? -digits->number : digits->number),
                             &number));
    else
        return lower_fail(l, VARVE_INVALID, e->place, "FILL takes a number");
    return lower_term_call2(l, item->fill.place, FUNCTION_COALESCE, *term, number, term);
}

/* One more than the highest level of the filled items that it uses. */
static uint32_t level_of(const struct selecting *s, const struct term *term)
{
    uint32_t level = 0;
    if (term->kind == TERM_COLUMN && term->index >= SYMBOL_ITEM)
        return s->items[term->index - SYMBOL_ITEM].level + 1;
    for (uint32_t i = 0; i < term->arg_count; i++) {
        uint32_t deeper = level_of(s, term->args[i]);
        level = deeper > level ? deeper : level;
    }
    return level;
}

static void rename_key(struct selecting *s, const struct out_item *out)
{
    if (out->ast->alias.size == 0)
        return;
    if (out->key == SYMBOL_BUCKET)
        s->bucket_name = out->ast->alias;
    else
        s->keys[out->key - SYMBOL_KEY].info.name = out->ast->alias;
}

static enum varve_status bind_item(struct selecting *s, uint32_t i)
{
    struct lower *l = s->lower;
    struct out_item *out = &s->items[i];
    struct scope scope = {.select = s, .clause = "an item", .aliases = i};
    if (out->ast->expr->kind == EXPR_STAR)
        return lower_fail(l, VARVE_INVALID, out->ast->place,
                          "'*' lists rows, and this SELECT is about groups: name the items");
    TRY(lower_bind(&scope, out->ast->expr, &out->term));
    if (out->term->kind == TERM_COLUMN && out->term->index < SYMBOL_SLOT) {
        out->is_key = true;
        out->key = out->term->index;
        rename_key(s, out);
        return VARVE_OK;
    }
    out->is_filled = out->fill.kind == FILL_PREV || out->fill.kind == FILL_LINEAR;
    if (out->is_filled && s->bucket.kind == BUCKET_NONE)
        return lower_fail(l, VARVE_INVALID, out->fill.place,
                          "FILL %s takes values from other buckets: it needs EVERY",
                          out->fill.kind == FILL_PREV ? "prev" : "linear");
    if (out->is_filled)
        out->level = level_of(s, out->term);
    return lower_fill_number(l, out, &out->term);
}

enum varve_status lower_bind_items(struct selecting *s)
{
    for (uint32_t i = 0; i < s->item_count; i++)
        TRY(bind_item(s, i));
    return VARVE_OK;
}

/* ---- building ----------------------------------------------------------------- */

/* Appends the items of a level (filled), or all that are left (UINT32_MAX). */
static enum varve_status
compute_items(struct selecting *s, uint32_t level, struct layout *layout, struct node **node)
{
    struct lower *l = s->lower;
    struct term **terms;
    struct varve_str *names;
    uint32_t count = 0;
    TRY(lower_alloc(l, &terms, s->item_count, sizeof(struct term *)));
    TRY(lower_alloc(l, &names, s->item_count, sizeof *names));
    for (uint32_t i = 0; i < s->item_count; i++) {
        struct out_item *out = &s->items[i];
        if (out->is_key ||
            (level == UINT32_MAX ? out->is_filled : !out->is_filled || out->level != level))
            continue;
        if (!out->is_filled && out->term->kind == TERM_COLUMN) {
            layout->items[i] = lower_place_symbol(out->term->index, layout);
            continue;
        }
        TRY(lower_place_term(l, out->term, layout, &terms[count]));
        names[count] = out->name;
        layout->items[i] = (*node)->column_count + count++;
    }
    return lower_node_compute(l, terms, names, count, node);
}

static enum varve_status
fill_level(struct selecting *s, uint32_t level, const struct layout *layout, struct node **node)
{
    struct fill *fills;
    struct place place = s->ast->fill.place;
    TRY(lower_alloc(s->lower, &fills, (*node)->column_count, sizeof *fills));
    for (uint32_t i = 0; i < s->item_count; i++)
        if (s->items[i].is_filled && s->items[i].level == level) {
            fills[layout->items[i]] = s->items[i].fill;
            place = s->items[i].fill.place;
        }
    TRY(lower_node_over(s->lower, NODE_FILL, place, *node, 0, node));
    (*node)->as.fill.fills = fills;
    return VARVE_OK;
}

enum varve_status lower_build_items(struct selecting *s, const struct frame *frame,
                                    struct layout *layout, struct node **node)
{
    uint32_t levels = 0;
    TRY(lower_build_core(s, frame, layout, node));
    for (uint32_t i = 0; i < s->item_count; i++)
        if (s->items[i].is_filled && s->items[i].level >= levels)
            levels = s->items[i].level + 1;
    for (uint32_t level = 0; level < levels; level++) {
        TRY(compute_items(s, level, layout, node));
        TRY(fill_level(s, level, layout, node));
    }
    return compute_items(s, UINT32_MAX, layout, node);
}
