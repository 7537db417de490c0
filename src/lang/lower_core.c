/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_core.c -- slots become nodes: a MEASURE each, one GROUP for the rows of FROM, and an
 * ALIGN that joins them on bucket and keys, and a GRID over it where there are buckets.
 *
 * The same slots may be built for several frames; only those that a frame uses are.  Equal slots
 * are one.  What is measured without keys (total) or at one instant (@) adds values to the rows
 * that the others make, and no rows.
 */
#include "lang/lower_private.h"

/* ---- slots -------------------------------------------------------------------- */

static bool aggregate_equal(const struct aggregate *a, const struct aggregate *b)
{
    return a->kind == b->kind && a->distinct == b->distinct && lower_term_equal(a->of, b->of) &&
           lower_term_equal(a->filter, b->filter) &&
           memcmp(&a->quantile, &b->quantile, sizeof a->quantile) == 0;
}

static bool labels_equal(const struct columns *a, const struct columns *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!str_equal(a->columns[i].name, b->columns[i].name) ||
            !str_equal(a->columns[i].lookup, b->columns[i].lookup) ||
            !str_equal(a->columns[i].field, b->columns[i].field))
            return false;
    return true;
}

/* Keys and WHERE are the SELECT's, so they are equal where the labels are. */
static bool slot_equal(const struct slot *a, const struct slot *b)
{
    if (a->is_measure != b->is_measure || a->total != b->total ||
        !aggregate_equal(&a->aggregate, &b->aggregate))
        return false;
    if (!a->is_measure)
        return true;
    if (a->function != b->function || a->window != b->window || a->has_at != b->has_at ||
        a->at != b->at || a->source_count != b->source_count ||
        !labels_equal(&a->labels, &b->labels))
        return false;
    for (uint32_t i = 0; i < a->source_count; i++) {
        const struct metric_source *x = &a->sources[i], *y = &b->sources[i];
        if (!str_equal(x->name, y->name) || x->offset != y->offset ||
            !lower_filters_equal(x->filters, x->filter_count, y->filters, y->filter_count))
            return false;
    }
    return true;
}

enum varve_status lower_slot_add(struct selecting *s, struct slot *slot, uint32_t *number)
{
    for (uint32_t i = 0; i < s->slot_count; i++)
        if (slot_equal(&s->slots[i], slot)) {
            *number = i;
            return VARVE_OK;
        }
    if (s->slot_count == LOWER_SLOTS_MAX)
        return lower_fail(s->lower, VARVE_LIMIT, slot->place,
                          "a SELECT measures at most %d columns", LOWER_SLOTS_MAX);
    if (!s->slots)
        TRY(lower_alloc(s->lower, &s->slots, LOWER_SLOTS_MAX, sizeof *s->slots));
    for (uint32_t i = 0; slot->keys && i < s->key_count; i++)
        if (s->from.kind == FROM_NONE)
            s->keys[i].info.type = slot->keys[i]->type;
    s->slots[s->slot_count] = *slot;
    *number = s->slot_count++;
    return VARVE_OK;
}

enum varve_status lower_slot_term(const struct scope *scope, struct slot *slot, struct term **term)
{
    struct selecting *s = scope->select;
    uint32_t number;
    TRY(lower_slot_add(s, slot, &number));
    return lower_term_column(s->lower, slot->place, SYMBOL_SLOT + number,
                             s->slots[number].info.type, term);
}

/* ---- nodes -------------------------------------------------------------------- */

/* The columns of a key, with or without the keys. */
static void set_key(struct selecting *s, bool has_bucket, bool has_keys, struct node *node)
{
    uint32_t at = 0;
    node->has_bucket = has_bucket;
    node->key_count = has_keys ? s->key_count : 0;
    if (has_bucket)
        node->columns[at++] = (struct column_info){STR("time"), TYPE_TIME, {0}};
    for (uint32_t i = 0; i < node->key_count; i++)
        node->columns[at++] = s->keys[i].info;
}

static enum varve_status build_measure(struct selecting *s, const struct frame *frame,
                                       const struct slot *slot, struct node **node)
{
    bool has_bucket = frame->bucket.kind != BUCKET_NONE && !slot->has_at;
    uint32_t keys = slot->total ? 0 : s->key_count;
    struct node *made;
    TRY(lower_node_new(s->lower, NODE_MEASURE, slot->place, NULL, has_bucket + keys + 1, &made));
    set_key(s, has_bucket, !slot->total, made);
    made->columns[has_bucket + keys] = slot->info;
    made->as.measure.sources = slot->sources;
    made->as.measure.source_count = slot->source_count;
    made->as.measure.labels = slot->labels.columns;
    made->as.measure.label_count = slot->labels.count;
    made->as.measure.where = slot->where;
    made->as.measure.keys = slot->keys;
    made->as.measure.function = slot->function;
    made->as.measure.window = slot->window;
    made->as.measure.aggregate = slot->aggregate;
    made->as.measure.range = frame->range;
    if (has_bucket)
        made->as.measure.bucket = frame->bucket;
    if (slot->has_at)
        made->as.measure.range = (struct time_range){slot->at, slot->at};
    if (keys)
        made->as.measure.keep = frame->keep;
    *node = made;
    return VARVE_OK;
}

/* Buckets of a result may begin before the range that it was asked for. */
static struct time_range rows_range(const struct selecting *s, struct time_range range)
{
    if (s->from.kind == FROM_NAMED && s->from.inherits && s->from.span.since < range.since)
        range.since = s->from.span.since;
    return range;
}

static bool is_of_group(const struct slot *slot, bool total)
{
    return !slot->is_measure && slot->total == total;
}

/* All aggregates over the rows of FROM, with keys or without. */
static enum varve_status
build_group(struct selecting *s, const struct frame *frame, bool total, struct node **node)
{
    struct lower *l = s->lower;
    struct term **keys;
    struct node *made;
    bool has_bucket = frame->bucket.kind != BUCKET_NONE;
    uint32_t count = 0, key_count = total ? 0 : s->key_count;
    for (uint32_t i = 0; i < s->slot_count; i++)
        count += is_of_group(&s->slots[i], total) && frame->uses[i];
    TRY(lower_build_rows(s, frame->range, &made));
    TRY(lower_node_new(l, NODE_GROUP, s->from.place, made, has_bucket + key_count + count, &made));
    set_key(s, has_bucket, !total, made);
    TRY(lower_alloc(l, &made->as.group.aggregates, count, sizeof(struct aggregate)));
    TRY(lower_alloc(l, &keys, key_count, sizeof(struct term *)));
    for (uint32_t i = 0; i < key_count; i++)
        keys[i] = s->keys[i].row_term;
    made->as.group.keys = keys;
    made->as.group.range = rows_range(s, frame->range);
    if (key_count)
        made->as.group.keep = frame->keep;
    for (uint32_t i = 0; i < s->slot_count; i++) {
        if (!is_of_group(&s->slots[i], total) || !frame->uses[i])
            continue;
        uint32_t at = made->as.group.aggregate_count++;
        made->as.group.aggregates[at] = s->slots[i].aggregate;
        made->columns[has_bucket + key_count + at] = s->slots[i].info;
    }
    if (has_bucket) {
        enum varve_status status = lower_columns_find(l, &s->rows, STR("time"), s->ast->every.place,
                                                      &made->as.group.time_column);
        if (status == VARVE_NOTFOUND)
            return lower_fail(l, VARVE_INVALID, s->ast->every.place,
                              "'%.*s' has no column 'time' to make buckets of",
                              STR_ARG(s->from.written));
        TRY(status);
        made->as.group.bucket = frame->bucket;
    }
    *node = made;
    return VARVE_OK;
}

/* ---- joining -------------------------------------------------------------------- */

struct joining {
    struct selecting *s;
    const struct frame *frame;
    struct layout *layout;
    struct node *inputs[LOWER_SLOTS_MAX + 2];
    struct align_input how[LOWER_SLOTS_MAX + 2];
    uint32_t count, column; /* the next one of the result */
};

static void join_input(struct joining *joining, struct node *node, bool total)
{
    bool buckets = joining->frame->bucket.kind != BUCKET_NONE;
    struct align_input *how = &joining->how[joining->count];
    how->has_bucket = node->has_bucket;
    how->has_keys = !total || joining->s->key_count == 0;
    how->adds_rows = how->has_keys && node->has_bucket == buckets;
    joining->inputs[joining->count++] = node;
}

static enum varve_status join_groups(struct joining *joining, bool total)
{
    struct selecting *s = joining->s;
    struct node *node = NULL;
    TRY(build_group(s, joining->frame, total, &node));
    join_input(joining, node, total);
    for (uint32_t i = 0; i < s->slot_count; i++)
        if (is_of_group(&s->slots[i], total) && joining->frame->uses[i])
            joining->layout->slots[i] = joining->column++;
    return VARVE_OK;
}

/* Whether the slot makes groups, or only gives values to those that others make. */
static bool makes_groups(const struct frame *frame, const struct slot *slot)
{
    return !slot->total && !(slot->has_at && frame->bucket.kind != BUCKET_NONE);
}

static enum varve_status join_slots(struct joining *joining, bool groups)
{
    struct selecting *s = joining->s;
    bool grouped = false;
    for (uint32_t i = 0; i < s->slot_count; i++) {
        struct slot *slot = &s->slots[i];
        struct node *node;
        if (!joining->frame->uses[i] || makes_groups(joining->frame, slot) != groups)
            continue;
        if (slot->is_measure) {
            TRY(build_measure(s, joining->frame, slot, &node));
            join_input(joining, node, slot->total);
            joining->layout->slots[i] = joining->column++;
        } else if (!grouped) {
            TRY(join_groups(joining, slot->total));
            grouped = true;
        }
    }
    return VARVE_OK;
}

/* Appends the inputs [from, until) to *node, or to nothing where it is NULL. */
static enum varve_status
align(struct joining *joining, uint32_t from, uint32_t until, struct node **node)
{
    struct selecting *s = joining->s;
    struct lower *l = s->lower;
    bool has_bucket = joining->frame->bucket.kind != BUCKET_NONE;
    uint32_t first = *node ? 1 : 0, count = first + until - from;
    uint32_t at = *node ? (*node)->column_count : has_bucket + s->key_count, columns = at;
    struct node *made;
    for (uint32_t i = from; i < until; i++) {
        const struct node *input = joining->inputs[i];
        columns += input->column_count - input->has_bucket - input->key_count;
    }
    TRY(lower_node_new(l, NODE_ALIGN, s->ast->place, NULL, columns, &made));
    set_key(s, has_bucket, true, made);
    TRY(lower_alloc(l, &made->inputs, count, sizeof(struct node *)));
    TRY(lower_alloc(l, &made->as.align.inputs, count, sizeof(struct align_input)));
    made->input_count = count;
    if (*node) {
        made->inputs[0] = *node;
        made->as.align.inputs[0] = (struct align_input){has_bucket, true, true};
        memcpy(made->columns, (*node)->columns, at * sizeof *made->columns);
    }
    for (uint32_t i = from; i < until; i++) {
        const struct node *input = joining->inputs[i];
        made->inputs[first + i - from] = joining->inputs[i];
        made->as.align.inputs[first + i - from] = joining->how[i];
        for (uint32_t c = input->has_bucket + input->key_count; c < input->column_count; c++)
            made->columns[at++] = input->columns[c];
    }
    *node = made;
    return VARVE_OK;
}

static enum varve_status
build_grid(struct selecting *s, const struct frame *frame, struct node **node)
{
    TRY(lower_node_over(s->lower, NODE_GRID, s->ast->every.place, *node, 0, node));
    (*node)->as.grid.bucket = frame->bucket;
    (*node)->as.grid.range = frame->range;
    return VARVE_OK;
}

/* What adds no rows is joined above GRID, so that the rows that GRID adds have it, too. */
static enum varve_status join(struct joining *joining, struct node **node)
{
    struct selecting *s = joining->s;
    bool has_grid = joining->frame->bucket.kind != BUCKET_NONE && s->ast->fill.kind != FILL_NONE;
    uint32_t makers = 0, below;
    while (makers < joining->count && joining->how[makers].adds_rows)
        makers++;
    below = has_grid ? makers : joining->count;
    *node = NULL;
    if (below == 1 && makers == 1)
        *node = joining->inputs[0];
    else
        TRY(align(joining, 0, below, node));
    if (has_grid)
        TRY(build_grid(s, joining->frame, node));
    return below < joining->count ? align(joining, below, joining->count, node) : VARVE_OK;
}

/* Something has to make the groups: if nothing that is used does, the first that would. */
static bool anything_grouped(const struct selecting *s, const struct frame *frame, bool *uses)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t i = s->slot_count; i-- > 0;) {
        if (!makes_groups(frame, &s->slots[i]))
            continue;
        if (frame->uses[i])
            return true;
        first = i;
    }
    if (first != UINT32_MAX)
        uses[first] = true;
    return first != UINT32_MAX;
}

enum varve_status lower_build_core(struct selecting *s, const struct frame *frame,
                                   struct layout *layout, struct node **node)
{
    struct lower *l = s->lower;
    bool uses[LOWER_SLOTS_MAX];
    struct frame used = *frame;
    struct joining *joining;
    memcpy(uses, frame->uses, sizeof uses);
    used.uses = uses;
    TRY(lower_alloc(l, &joining, 1, sizeof *joining));
    TRY(lower_alloc(l, &layout->slots, LOWER_SLOTS_MAX, sizeof *layout->slots));
    TRY(lower_alloc(l, &layout->items, s->item_count, sizeof *layout->items));
    TRY(lower_alloc(l, &layout->compares, 3 * (size_t)s->item_count, sizeof *layout->compares));
    layout->has_bucket = frame->bucket.kind != BUCKET_NONE;
    joining->s = s;
    joining->frame = &used;
    joining->layout = layout;
    joining->column = layout->has_bucket + s->key_count;
    if (!anything_grouped(s, frame, uses)) {
        if (s->from.kind == FROM_NONE)
            return lower_fail(
                l, VARVE_INVALID, s->ast->place,
                frame->bucket.kind == BUCKET_NONE
                    ? "nothing is measured here: name a metric, or say FROM"
                    : "nothing is measured by bucket here: name a metric without @, or say FROM");
        TRY(join_groups(joining, false));
    }
    TRY(join_slots(joining, true));
    TRY(join_slots(joining, false));
    return join(joining, node);
}
