/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_parts.c -- MEASURE with several segments read at once.
 *
 * Every part has groups, units and sums of its own.  Sums are exact, so they are the same whichever
 * way they are cut; groups and units are met in the order in which one thread alone would have
 * met them, so even the order of rows is the same.  The bounds of the buckets are the whole's.
 */
#include "exec/measure_private.h"
#include "exec/parts.h"

/* ---- reading ------------------------------------------------------------------------ */

static enum varve_status run_part(struct op_part *part, struct varve_err *err)
{
    const struct measure *whole = part->parts->whole->state;
    const struct metric_source *source = part->parts->context;
    struct op *op = arena_zalloc(&part->exec.arena, sizeof *op);
    if (!op)
        return fail_nomem(err, sizeof *op);
    *op = (struct op){.node = whole->node, .kind = &op_measure, .exec = &part->exec};
    op->is_open = true;
    part->op = op;
    TRY(measure_make(op, whole, err));
    struct measure *m = op->state;
    TRY(measure_prepare(m, err));
    TRY(input_open_part(&m->input, &whole->input, source, part->from, part->until, err));
    m->offset = source->offset;
    return measure_read(m, err);
}

/* ---- putting together ---------------------------------------------------------------- */

/* The first part is what the whole begins with. */
static bool adopt(struct measure *m, struct measure *from)
{
    if (group_keys_count(m->groups) > 0)
        return false;
    struct measure had = *m;
    m->groups = from->groups;
    m->labels = from->labels;
    m->unit_table = from->unit_table;
    m->units = from->units;
    m->unit_count = from->unit_count;
    m->unit_capacity = from->unit_capacity;
    m->cells = from->cells;
    m->points = from->points;
    from->groups = had.groups;
    from->labels = had.labels;
    from->unit_table = had.unit_table;
    from->units = had.units;
    from->unit_count = had.unit_count;
    from->unit_capacity = had.unit_capacity;
    from->cells = had.cells;
    from->points = had.points;
    group_keys_forget(m->groups);
    if (m->labels)
        group_keys_forget(m->labels);
    return true;
}

/* What the numbers of a part are in the whole. */
struct translation {
    uint32_t *groups, *labels, *units;
};

static enum varve_status
merge_groups(struct group_keys *into, const struct group_keys *from, struct arena *arena,
             uint32_t **numbers, struct varve_err *err)
{
    size_t count = from ? group_keys_count(from) : 0;
    *numbers = arena_alloc(arena, mem_array(count + 1, sizeof **numbers));
    if (!*numbers)
        return fail_nomem(err, count * sizeof **numbers);
    return from ? group_keys_merge(into, from, *numbers, err) : VARVE_OK;
}

static enum varve_status
merge_units(struct measure *m, const struct measure *from, struct arena *arena,
            struct translation *t, struct varve_err *err)
{
    struct h128 *keys = arena_zalloc(arena, mem_array(from->unit_count + 1, sizeof *keys));
    t->units = arena_alloc(arena, mem_array(from->unit_count + 1, sizeof *t->units));
    if (!keys || !t->units)
        return fail_nomem(err, from->unit_count * sizeof *keys);
    for (size_t i = 0; i < from->unit_table.capacity; i++) {
        const struct hash_slot *slot = &from->unit_table.slots[i];
        if (slot->used)
            keys[hash_slot_value(slot)] = hash_slot_key(slot);
    }
    for (size_t i = 0; i < from->unit_count; i++) {
        struct unit unit = from->units[i];
        unit.group = t->groups[unit.group];
        if (m->labels)
            unit.label = t->labels[unit.label];
        TRY(measure_unit(m, unit, keys[i], &t->units[i], err));
        TRY(measure_worked(m, 1, err));
    }
    return VARVE_OK;
}

static enum varve_status
merge_sums(struct measure *m, struct measure *from, const uint32_t *units, struct varve_err *err)
{
    for (uint32_t unit = 0; unit < from->cells.span_count; unit++) {
        TRY(cells_merge(&m->cells, units[unit], &from->cells, unit, err));
        TRY(measure_worked(m, 1 + from->cells.spans[unit].count, err));
    }
    return VARVE_OK;
}

static enum varve_status
merge_kept(struct measure *m, struct measure *from, struct arena *arena, struct varve_err *err)
{
    struct translation t;
    TRY(merge_groups(m->groups, from->groups, arena, &t.groups, err));
    TRY(merge_groups(m->labels, from->labels, arena, &t.labels, err));
    TRY(merge_units(m, from, arena, &t, err));
    bool is_group = m->unit_kind == UNIT_IS_GROUP && !m->is_muting;
    const uint32_t *units = is_group ? t.groups : t.units;
    return m->is_additive ? merge_sums(m, from, units, err) : points_merge(m, from, units, err);
}

static enum varve_status merge_part(struct op_part *part, struct varve_err *err)
{
    struct measure *m = part->parts->whole->state, *from = part->op->state;
    struct arena arena;
    enum varve_status status = VARVE_OK;
    arena_init(&arena, m->exec->mem, 1 << 12);
    if (!adopt(m, from))
        status = merge_kept(m, from, &arena, err);
    arena_free(&arena);
    if (from->has_scale)
        m->scale = from->scale;
    return status;
}

enum varve_status measure_in_parts(struct measure *m, const struct metric_source *source,
                                   bool *done, struct varve_err *err)
{
    struct parts parts = {.whole = m->op,
                          .scan = m->is_alone ? NULL : m->input.scan,
                          .run = run_part,
                          .merge = merge_part,
                          .context = source};
    enum varve_status status = parts_run(&parts, done, err);
    m->is_shared |= *done;
    return status;
}
