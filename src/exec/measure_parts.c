/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_parts.c -- MEASURE with several segments read at once.
 *
 * The segments of a range are cut into parts, each a stretch of neighbours, and every part is
 * measured by itself: it opens, verifies and decodes its segments, and has groups, units and
 * sums of its own.  Then one thread puts the parts together in their order.  Sums are exact, so
 * they are the same whichever way they are cut (L2); groups and units are met in the order in
 * which one thread alone would have met them, so even the order of rows is the same.
 *
 * A part shares with others only what nobody changes: the plan, the named results, the lookups, the
 * bounds of the buckets; and the count of memory, which may be shared.
 *
 * Several parts hold more at once than one thread would.  When the memory does not suffice for that
 * the operator begins anew with one thread (measure.c), so that no answer depends on how
 * many there are.
 */
#include "exec/measure_private.h"
#include "exec/pool.h"

/* What is worth a part: so many segments, or so many rows.  Opening a segment costs as much as some
 * rows. */
enum { PART_SEGMENTS = 2, PART_ROWS = 1 << 17, SEGMENT_ROWS = 4096 };

struct measure_part {
    struct measure_parts *parts;
    struct pool *pool;
    uint32_t number;
    size_t from, until; /* of the snapshot's sources */
    struct exec exec;
    struct op op; /* its state is the struct measure of the part */
};
struct measure_parts {
    struct measure *whole;
    const struct metric_source *source;
    struct measure_part *items;
    uint32_t count;
};

/* ---- cutting ---------------------------------------------------------------------- */

static uint64_t weight_of(const struct source *source, const struct scan *scan)
{
    bool is_read = source->table == 0 && source->last >= scan->since && source->first < scan->until;
    return is_read ? source->rows + SEGMENT_ROWS : 0;
}

/* Stretches of about the same weight. */
static void cut(struct measure_parts *parts, uint32_t most, uint64_t total)
{
    const struct snapshot *snapshot = parts->whole->exec->snapshot;
    const struct scan *scan = parts->whole->input.scan;
    uint64_t weight = 0;
    size_t from = 0;
    for (size_t i = 0; i < snapshot->source_count; i++) {
        uint64_t own = weight_of(&snapshot->sources[i], scan);
        weight += own;
        if (own == 0 || weight < total / most * (parts->count + 1) || parts->count + 1 == most)
            continue;
        parts->items[parts->count++] = (struct measure_part){.from = from, .until = i + 1};
        from = i + 1;
    }
    if (from < snapshot->source_count)
        parts->items[parts->count++] =
            (struct measure_part){.from = from, .until = snapshot->source_count};
    for (uint32_t p = 0; p < parts->count; p++) {
        parts->items[p].parts = parts;
        parts->items[p].number = p;
    }
}

/* How many parts it is worth, and what all of it weighs. */
static uint32_t plan_parts(const struct measure *m, uint64_t *total)
{
    const struct snapshot *snapshot = m->exec->snapshot;
    uint64_t segments = 0, threads = m->exec->options.threads, worth;
    *total = 0;
    for (size_t i = 0; m->input.scan && threads > 1 && i < snapshot->source_count; i++) {
        uint64_t own = weight_of(&snapshot->sources[i], m->input.scan);
        segments += own > 0;
        *total += own;
    }
    worth = segments / PART_SEGMENTS;
    if (worth < *total / PART_ROWS)
        worth = segments < *total / PART_ROWS ? segments : *total / PART_ROWS;
    return (uint32_t)(worth < threads ? worth : threads);
}

/* ---- reading ------------------------------------------------------------------------ */

static int part_stop(void *context)
{
    struct measure_part *part = context;
    const struct exec_options *options = &part->parts->whole->exec->options;
    if (pool_is_caller(part->pool) && options->stop && options->stop(options->stop_context)) {
        struct varve_err err;
        pool_stop(part->pool, fail(&err, VARVE_INTERRUPTED, "", "the query was stopped"), &err);
    }
    return !pool_wants(part->pool, part->number);
}

static enum varve_status
run_part(void *context, struct pool *pool, uint32_t number, struct varve_err *err)
{
    struct measure_parts *parts = context;
    struct measure_part *part = &parts->items[number];
    const struct measure *whole = parts->whole;
    part->pool = pool;
    TRY(exec_share(whole->exec, part_stop, part, &part->exec, err));
    part->op = (struct op){.node = whole->node, .kind = &op_measure, .exec = &part->exec};
    TRY(measure_make(&part->op, whole, err));
    struct measure *m = part->op.state;
    TRY(measure_prepare(m, err));
    TRY(input_open_part(&m->input, &whole->input, parts->source, part->from, part->until, err));
    m->offset = whole->offset;
    return measure_read(m, err);
}

static enum varve_status check_whole(void *context, struct varve_err *err)
{
    const struct measure_parts *parts = context;
    return exec_check(parts->whole->exec, err);
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
    for (size_t i = 0; i < from->unit_table.capacity; i++)
        if (from->unit_table.slots[i].used)
            keys[from->unit_table.slots[i].value] = from->unit_table.slots[i].key;
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

static enum varve_status
merge_part(struct measure *m, struct measure_part *part, struct arena *arena, struct varve_err *err)
{
    struct measure *from = part->op.state;
    const uint32_t node = m->node->number;
    if (!adopt(m, from))
        TRY(merge_kept(m, from, arena, err));
    if (from->has_scale)
        m->scale = from->scale;
    scan_stats_add(&m->exec->stats[node].scan, &part->exec.stats[node].scan);
    return VARVE_OK;
}

static void close_part(struct measure_part *part)
{
    if (part->op.state)
        op_measure.close(&part->op);
    exec_unshare(&part->exec);
}

static enum varve_status merge_parts(struct measure_parts *parts, struct varve_err *err)
{
    struct arena arena;
    enum varve_status status = VARVE_OK;
    arena_init(&arena, parts->whole->exec->mem, 1 << 12);
    for (uint32_t p = 0; p < parts->count && status == VARVE_OK; p++) {
        arena_clear(&arena);
        status = merge_part(parts->whole, &parts->items[p], &arena, err);
        close_part(&parts->items[p]); /* its memory is what the next one grows into */
    }
    arena_free(&arena);
    return status;
}

enum varve_status measure_in_parts(struct measure *m, const struct metric_source *source,
                                   bool *done, struct varve_err *err)
{
    uint64_t total;
    struct measure_parts parts = {m, source, NULL, 0};
    uint32_t most = plan_parts(m, &total);
    *done = most > 1 && !m->is_alone;
    if (!*done)
        return VARVE_OK;
    size_t size = most * sizeof *parts.items;
    parts.items = mem_zalloc(m->exec->mem, size);
    if (!parts.items)
        return fail_nomem(err, size);
    m->is_shared = true;
    cut(&parts, most, total);
    struct pool_job job = {parts.count, m->exec->options.threads, run_part, check_whole, &parts};
    enum varve_status status = pool_run(&job, err);
    if (status == VARVE_OK)
        status = merge_parts(&parts, err);
    for (uint32_t p = 0; p < parts.count; p++)
        close_part(&parts.items[p]);
    mem_free(m->exec->mem, parts.items, size);
    return status;
}
