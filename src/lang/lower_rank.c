/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_rank.c -- TOP and COMPARE TO: the same SELECT, built once more.
 *
 * TOP ranks the groups over the whole range, without buckets, into a named result: keys, value,
 * ordinal.  What is measured keeps these groups only (or makes one of all the others), and the
 * ordinal is joined to put the rows in order; the others have none and come last.
 *
 * COMPARE TO builds the items for the earlier range, moves its buckets onto those of the SELECT and
 * joins both.  Keeping is the same on both sides.
 */
#include "lang/lower_private.h"

/* ---- TOP ---------------------------------------------------------------------- */

static enum varve_status rank_columns(struct selecting *s, uint32_t value, struct node **node)
{
    struct lower *l = s->lower;
    struct node *made;
    TRY(lower_node_new(l, NODE_PICK, s->ast->top.place, *node, s->key_count + 1, &made));
    TRY(lower_alloc(l, &made->as.pick.from, made->column_count, sizeof(uint32_t)));
    for (uint32_t i = 0; i <= s->key_count; i++) {
        made->as.pick.from[i] = i < s->key_count ? i : value;
        made->columns[i] = (*node)->columns[made->as.pick.from[i]];
    }
    made->columns[s->key_count].name = STR("value");
    made->key_count = s->key_count;
    *node = made;
    return VARVE_OK;
}

static enum varve_status rank_cut(struct selecting *s, struct node **node)
{
    struct lower *l = s->lower;
    const struct top *top = &s->ast->top;
    uint32_t *by, count = (*node)->column_count;
    bool *descending;
    TRY(lower_alloc(l, &by, 1, sizeof *by));
    TRY(lower_alloc(l, &descending, 1, sizeof *descending));
    *by = s->key_count;
    *descending = !top->bottom;
    TRY(lower_node_sort(l, top->place, by, descending, 1, node));
    TRY(lower_node_over(l, NODE_LIMIT, top->place, *node, 1, node));
    (*node)->as.limit.count = top->count;
    (*node)->as.limit.numbered = true;
    (*node)->columns[count] = (struct column_info){STR("ordinal"), TYPE_INT, {0}};
    return VARVE_OK;
}

enum varve_status lower_build_top(struct selecting *s, struct keep *keep)
{
    struct lower *l = s->lower;
    const struct top *top = &s->ast->top;
    bool uses[LOWER_SLOTS_MAX] = {0};
    struct frame frame = {.range = s->span.range, .uses = uses};
    struct layout layout = {0};
    struct term **terms;
    struct node *node;
    if (!s->rank)
        return VARVE_OK;
    lower_mark_slots(s->rank, uses);
    TRY(lower_build_core(s, &frame, &layout, &node));
    TRY(lower_alloc(l, &terms, 1, sizeof(struct term *)));
    TRY(lower_place_term(l, s->rank, &layout, &terms[0]));
    uint32_t value = terms[0]->index;
    if (terms[0]->kind != TERM_COLUMN) {
        value = node->column_count;
        TRY(lower_node_compute(l, terms, &STR("value"), 1, &node));
    }
    TRY(rank_columns(s, value, &node));
    TRY(rank_cut(s, &node));
    *keep = (struct keep){.is_set = true, .other = top->other};
    keep->label = top->label.size ? top->label : STR("other");
    return lower_add_named(l, node, &keep->named);
}

static enum varve_status align_two(struct lower *l, struct place place, struct node *left,
                                   struct node *right, struct align_input how, struct node **node)
{
    uint32_t keys = right->has_bucket + right->key_count, more = right->column_count - keys;
    struct node *made;
    TRY(lower_node_over(l, NODE_ALIGN, place, left, more, &made));
    TRY(lower_alloc(l, &made->inputs, 2, sizeof(struct node *)));
    TRY(lower_alloc(l, &made->as.align.inputs, 2, sizeof(struct align_input)));
    made->input_count = 2;
    made->inputs[0] = left;
    made->inputs[1] = right;
    made->as.align.inputs[0] = (struct align_input){left->has_bucket, true, true};
    made->as.align.inputs[1] = how;
    memcpy(made->columns + left->column_count, right->columns + keys, more * sizeof *made->columns);
    *node = made;
    return VARVE_OK;
}

enum varve_status
lower_join_top(struct selecting *s, const struct keep *keep, struct node **node, uint32_t *column)
{
    struct lower *l = s->lower;
    struct place place = s->ast->top.place;
    struct node *ranks;
    const struct node *named = l->plan->named[keep->named];
    TRY(lower_node_new(l, NODE_NAMED, place, NULL, named->column_count, &ranks));
    ranks->as.named.number = keep->named;
    ranks->key_count = named->key_count;
    memcpy(ranks->columns, named->columns, named->column_count * sizeof *named->columns);
    TRY(align_two(l, place, *node, ranks, (struct align_input){false, true, false}, node));
    *column = (*node)->column_count - 1;
    return VARVE_OK;
}

/* ---- COMPARE TO ----------------------------------------------------------------- */

/* The earlier side: bucket, keys and items, on the buckets of the SELECT. */
static enum varve_status
build_earlier(struct selecting *s, const struct frame *frame, struct node **node)
{
    struct lower *l = s->lower;
    struct place place = s->ast->compare.place;
    bool uses[LOWER_SLOTS_MAX];
    struct frame earlier = *frame;
    struct layout layout = {0};
    struct node *made;
    uint32_t at = 0, keys = (frame->bucket.kind != BUCKET_NONE) + s->key_count;
    memcpy(uses, s->anchors, sizeof uses);
    for (uint32_t i = 0; i < s->item_count; i++)
        if (!s->items[i].is_key)
            lower_mark_slots(s->items[i].term, uses);
    earlier.uses = uses;
    TRY(lower_earlier(s, &earlier.range));
    TRY(lower_build_items(s, &earlier, &layout, node));
    TRY(lower_node_new(l, NODE_PICK, place, *node, keys + s->item_count, &made));
    TRY(lower_alloc(l, &made->as.pick.from, keys + s->item_count, sizeof(uint32_t)));
    made->has_bucket = (*node)->has_bucket;
    made->key_count = s->key_count;
    for (; at < keys; at++)
        made->as.pick.from[at] = at;
    for (uint32_t i = 0; i < s->item_count; i++)
        if (!s->items[i].is_key)
            made->as.pick.from[at++] = layout.items[i];
    made->column_count = at;
    for (uint32_t i = 0; i < at; i++)
        made->columns[i] = (*node)->columns[made->as.pick.from[i]];
    *node = made;
    if (!made->has_bucket)
        return VARVE_OK;
    TRY(lower_node_over(l, NODE_SHIFT, place, made, 0, node));
    (*node)->as.shift.bucket = frame->bucket;
    (*node)->as.shift.from = earlier.range;
    (*node)->as.shift.to = frame->range;
    return VARVE_OK;
}

static bool has_difference(const struct out_item *out)
{
    enum value_type type = out->term->type;
    return type == TYPE_NULL || type == TYPE_INT || type == TYPE_NANO || type == TYPE_FLOAT ||
           type == TYPE_DURATION;
}

/* NAME_change and NAME_pct of an item. */
static enum varve_status difference(struct selecting *s, uint32_t item, uint32_t now,
                                    uint32_t before, struct term **change, struct term **pct)
{
    struct lower *l = s->lower;
    struct place place = s->ast->compare.place;
    enum value_type type = s->items[item].term->type;
    struct term *a, *b, *hundred;
    TRY(lower_term_column(l, place, now, type, &a));
    TRY(lower_term_column(l, place, before, type, &b));
    TRY(lower_term_call2(l, place, FUNCTION_SUB, a, b, change));
    TRY(lower_term_const(l, place, value_int(TYPE_INT, 100), &hundred));
    TRY(lower_term_column(l, place, now, type, &a));
    TRY(lower_term_column(l, place, before, type, &b));
    TRY(lower_term_call2(l, place, FUNCTION_SUB, a, b, &a));
    if (type != TYPE_DURATION)
        TRY(lower_term_call2(l, place, FUNCTION_MUL, hundred, a, &a));
    TRY(lower_term_column(l, place, before, type, &b));
    TRY(lower_term_call2(l, place, FUNCTION_DIV, a, b, pct));
    if (type == TYPE_DURATION)
        TRY(lower_term_call2(l, place, FUNCTION_MUL, hundred, *pct, pct));
    return VARVE_OK;
}

static enum varve_status
compute_differences(struct selecting *s, struct layout *layout, struct node **node)
{
    struct lower *l = s->lower;
    struct term **terms;
    struct varve_str *names;
    uint32_t count = 0, base = (*node)->column_count;
    TRY(lower_alloc(l, &terms, 2 * (size_t)s->item_count, sizeof(struct term *)));
    TRY(lower_alloc(l, &names, 2 * (size_t)s->item_count, sizeof *names));
    for (uint32_t i = 0; i < s->item_count; i++) {
        if (s->items[i].is_key || !has_difference(&s->items[i]))
            continue;
        uint32_t *places = &layout->compares[3 * i];
        TRY(difference(s, i, layout->items[i], places[0], &terms[count], &terms[count + 1]));
        TRY(lower_join(l, s->items[i].name, "_change", &names[count]));
        TRY(lower_join(l, s->items[i].name, "_pct", &names[count + 1]));
        places[1] = base + count++;
        places[2] = base + count++;
    }
    TRY(lower_node_compute(l, terms, names, count, node));
    for (uint32_t i = 0; i < s->item_count; i++)
        if (!s->items[i].is_key && has_difference(&s->items[i]))
            (*node)->columns[layout->compares[3 * i + 2]].unit = STR("%");
    return VARVE_OK;
}

enum varve_status lower_build_compare(struct selecting *s, const struct frame *frame,
                                      struct layout *layout, struct node **node)
{
    struct lower *l = s->lower;
    struct node *earlier = NULL;
    if (!s->has_compare)
        return VARVE_OK;
    TRY(build_earlier(s, frame, &earlier));
    uint32_t at = (*node)->column_count;
    struct align_input how = {earlier->has_bucket, true, true};
    TRY(align_two(l, s->ast->compare.place, *node, earlier, how, node));
    for (uint32_t i = 0; i < s->item_count; i++) {
        if (s->items[i].is_key)
            continue;
        TRY(lower_join(l, s->items[i].name, "_prev", &(*node)->columns[at].name));
        layout->compares[3 * i] = at++;
    }
    return compute_differences(s, layout, node);
}
