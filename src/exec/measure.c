/* SPDX-License-Identifier: Apache-2.0
 *
 * measure.c -- MEASURE: metrics in, one value per bucket and keys out.
 *
 * There are two ways through the data (measure_sums.c, measure_points.c) and two kinds of result.
 * Where increments of series add up to those of their group, sums are kept by group and are
 * the result.  Else every series, or every distinct value of a label, gives a value a bucket, and
 * the aggregate makes one of those of a group.
 *
 * The whole result is made when the first row is asked for, and kept in a relation.  Its rows
 * are in no particular order.  A row stands for a group and bucket in which some series had a
 * point; one that the aggregate's FILTER left nothing of is NULL.
 */
#include <assert.h>

#include "exec/measure_private.h"

/* Points, cells or entries between two questions whether to go on. */
enum { CHECK_EVERY = 1 << 15 };

/* ---- what is asked for ------------------------------------------------------------- */

static void choose_way(struct measure *m)
{
    const struct aggregate *a = &m->node->as.measure.aggregate;
    enum rollup f = m->node->as.measure.function;
    m->is_gauge = m->node->as.measure.sources[0].kind == VARVE_GAUGE;
    m->is_muting = a->filter != NULL;
    m->is_additive =
        f == ROLLUP_SEEN ||
        (!m->is_gauge && (f == ROLLUP_INCREASE || f == ROLLUP_RATE || f == ROLLUP_DELTA));
    m->unit_kind = UNIT_IS_SERIES;
    if (a->of && (a->distinct || a->kind == AGGREGATE_MIN || a->kind == AGGREGATE_MAX ||
                  a->kind == AGGREGATE_LIST))
        m->unit_kind = UNIT_IS_LABEL;
    else if (!a->of && m->is_additive && a->kind == AGGREGATE_SUM && !a->distinct)
        m->unit_kind = UNIT_IS_GROUP;
}

static enum varve_status check_node(const struct measure *m, struct varve_err *err)
{
    const struct node *node = m->node;
    enum aggregate_kind kind = node->as.measure.aggregate.kind;
    if (node->as.measure.source_count == 0 ||
        node->column_count != node->has_bucket + node->key_count + 1u ||
        node->has_bucket != (node->as.measure.bucket.kind != BUCKET_NONE) ||
        (node->as.measure.keep.is_set && node->as.measure.keep.named >= m->exec->plan->named_count))
        return fail(err, VARVE_MISUSE, "plan", "a MEASURE that does not fit together");
    if (kind == AGGREGATE_FIRST || kind == AGGREGATE_LAST)
        return fail(err, VARVE_INVALID, "query", "series have no order, so none is first or last");
    return VARVE_OK;
}

/* The rows that are asked for, and the times that have to be read for them. */
static enum varve_status make_buckets(struct measure *m, struct varve_err *err)
{
    const struct node *node = m->node;
    const struct bucket *bucket = &node->as.measure.bucket;
    struct time_range range = node->as.measure.range;
    const struct zone *zone = NULL;
    if (bucket->kind == BUCKET_CALENDAR)
        TRY(exec_zone(m->exec, bucket->zone, &zone, err));
    m->window = node->as.measure.window;
    if (bucket->kind == BUCKET_NONE && m->window) {
        range.since = time_minus(range.until, m->window);
        m->window = 0;
    }
    TRY(buckets_make(bucket, zone, range, &m->exec->arena, &m->buckets, err));
    m->ends = m->buckets;
    m->read = range;
    if (m->window && m->buckets.count > 0)
        m->read.since = time_minus(buckets_part(&m->buckets, 0).until, m->window);
    return VARVE_OK;
}

static enum varve_status make_programs(struct measure *m, struct varve_err *err)
{
    const struct node *node = m->node;
    struct exec *exec = m->exec;
    const struct aggregate *a = &node->as.measure.aggregate;
    size_t n = (size_t)node->key_count + 1;
    m->keys = arena_zalloc(&exec->arena, mem_array(n, sizeof *m->keys));
    m->key_vectors = arena_zalloc(&exec->arena, mem_array(n, sizeof *m->key_vectors));
    if (!m->keys || !m->key_vectors)
        return fail_nomem(err, n * sizeof *m->key_vectors);
    for (uint32_t k = 0; k < node->key_count; k++)
        if (node->as.measure.keys[k]->kind != TERM_COLUMN)
            TRY(exec_program(exec, node->as.measure.keys[k], &m->keys[k], err));
    if (a->of && a->of->kind != TERM_COLUMN)
        TRY(exec_program(exec, a->of, &m->of, err));
    if (a->filter)
        TRY(exec_program(exec, a->filter, &m->filter, err));
    return VARVE_OK;
}

/* Those of the whole, which nobody changes. */
static void share_buckets(struct measure *m, const struct measure *whole)
{
    m->buckets = whole->buckets;
    m->ends = whole->ends;
    m->window = whole->window;
    m->read = whole->read;
}

enum varve_status measure_make(struct op *op, const struct measure *whole, struct varve_err *err)
{
    struct exec *exec = op->exec;
    struct measure *m = mem_zalloc(exec->mem, sizeof *m);
    if (!m)
        return fail_nomem(err, sizeof *m);
    op->state = m;
    m->op = op;
    m->exec = exec;
    m->node = op->node;
    m->hashes.mem = exec->mem;
    hash_table_init(&m->unit_table, exec->mem);
    relation_init(&m->result, exec->mem, op->node->column_count);
    arena_init(&m->texts, exec->mem, 1 << 12);
    TRY(check_node(m, err));
    choose_way(m);
    if (m->node->as.measure.source_count > 1 && m->unit_kind != UNIT_IS_LABEL)
        return fail(err, VARVE_MISUSE, "plan", "one measure of several metrics");
    if (whole) {
        share_buckets(m, whole);
        m->is_folding = whole->is_folding;
    } else {
        TRY(make_buckets(m, err));
    }
    TRY(make_programs(m, err));
    cells_init(&m->cells, exec->mem, m->buckets.count);
    return input_init(&m->input, exec, op->node, err);
}

static enum varve_status measure_open(struct op *op, struct varve_err *err)
{
    return measure_make(op, NULL, err);
}

static void measure_close(struct op *op)
{
    struct measure *m = op->state;
    if (!m)
        return;
    struct mem *mem = op->exec->mem;
    input_free(&m->input);
    group_keys_free(m->groups);
    group_keys_free(m->labels);
    for (uint32_t k = 0; m->keys && k < m->node->key_count; k++)
        program_free(m->keys[k]);
    program_free(m->of);
    program_free(m->filter);
    series_hashes_free(&m->hashes);
    hash_table_free(&m->unit_table);
    mem_free(mem, m->units, m->unit_capacity * sizeof *m->units);
    cells_free(&m->cells);
    points_free(m->points, mem);
    mem_free(mem, m->stretch, sizeof *m->stretch);
    mem_free(mem, m->entries, m->entry_capacity * sizeof *m->entries);
    relation_free(&m->result);
    arena_free(&m->texts);
    mem_free(mem, m, sizeof *m);
    op->state = NULL;
}

/* ---- for the ways ---------------------------------------------------------------------- */

void measure_reach(struct measure *m, int64_t time, uint32_t *first, uint32_t *last)
{
    struct time_range range = m->buckets.range;
    uint32_t bucket = time < range.since && m->window ? 0 : buckets_find(&m->buckets, time);
    *first = bucket;
    *last = bucket;
    if (m->window && bucket != UINT32_MAX) {
        int64_t end = time_plus(time, m->window);
        if (end >= range.until)
            *last = m->buckets.count - 1;
        else /* the buckets that end before or where the one of `end` begins */
            *last = end < range.since ? UINT32_MAX : buckets_find(&m->ends, end) - 1;
    }
    if (*first == UINT32_MAX || *last == UINT32_MAX) {
        *first = 1;
        *last = 0;
    }
}

int64_t measure_length(const struct measure *m, uint32_t bucket)
{
    struct time_range part = buckets_part(&m->buckets, bucket);
    return m->window ? m->window : part.until - part.since;
}

enum varve_status measure_worked(struct measure *m, uint64_t work, struct varve_err *err)
{
    m->worked += work;
    if (m->worked < CHECK_EVERY)
        return VARVE_OK;
    m->worked = 0;
    return exec_check(m->exec, err);
}

static enum varve_status give_row(struct measure *m, uint32_t group, uint32_t bucket,
                                  struct value value, struct varve_err *err)
{
    const struct node *node = m->node;
    struct value *cell = relation_add(&m->result, err);
    if (!cell)
        return VARVE_NOMEM;
    if (m->result.rows % BATCH_ROWS == 0)
        TRY(exec_check(m->exec, err));
    if (node->has_bucket)
        *cell++ = value_int(TYPE_TIME, m->buckets.starts[bucket]);
    if (node->key_count)
        memcpy(cell, group_keys_values(m->groups, group), node->key_count * sizeof *cell);
    cell[node->key_count] = value;
    return VARVE_OK;
}

enum varve_status measure_give(struct measure *m, uint32_t number, uint32_t bucket,
                               struct value value, struct varve_err *err)
{
    if (m->unit_kind == UNIT_IS_GROUP && !m->is_muting)
        return give_row(m, number, bucket, value, err);
    const struct unit *unit = &m->units[number];
    if (m->node->as.measure.aggregate.of)
        value = group_keys_values(m->labels, unit->label)[0];
    TRY(mem_grow(m->exec->mem, (void **)&m->entries, &m->entry_capacity, m->entry_count + 1,
                 sizeof *m->entries, err));
    m->entries[m->entry_count++] =
        (struct entry){unit->group, bucket, unit->muted ? value_null() : value};
    return m->entry_count % BATCH_ROWS ? VARVE_OK : exec_check(m->exec, err);
}

/* ---- runs to units ------------------------------------------------------------------------ */

static enum varve_status
find_groups(struct measure *m, const struct batch *batch, struct varve_err *err)
{
    const struct node *node = m->node;
    for (uint32_t k = 0; k < node->key_count; k++)
        if (m->keys[k])
            TRY(program_run(m->keys[k], batch, &m->key_vectors[k], err));
        else
            m->key_vectors[k] = batch->columns[node->as.measure.keys[k]->index];
    return group_keys_find(m->groups, batch, m->key_vectors, m->row_groups, err);
}

static enum varve_status
find_labels(struct measure *m, const struct batch *batch, struct varve_err *err)
{
    const struct term *of = m->node->as.measure.aggregate.of;
    struct vector vector;
    if (!of)
        return VARVE_OK;
    if (m->of)
        TRY(program_run(m->of, batch, &vector, err));
    else
        vector = batch->columns[of->index];
    return group_keys_find(m->labels, batch, &vector, m->row_labels, err);
}

/* Which runs the aggregate's FILTER leaves out. */
static enum varve_status
find_muted(struct measure *m, const struct batch *batch, struct varve_err *err)
{
    uint32_t count;
    if (!m->filter)
        return VARVE_OK;
    memset(m->row_muted, 1, sizeof m->row_muted);
    TRY(program_select(m->filter, batch, m->unmuted, &count, err));
    for (uint32_t i = 0; i < count; i++)
        m->row_muted[m->unmuted[i]] = false;
    return VARVE_OK;
}

/* What a unit is known by. */
static struct h128 unit_key(const struct measure *m, struct unit unit, struct h128 series)
{
    if (m->unit_kind == UNIT_IS_SERIES)
        return series;
    uint64_t label = m->unit_kind == UNIT_IS_LABEL ? unit.label : 0;
    uint64_t key = (uint64_t)unit.group << 32 | label;
    uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
    return (struct h128){(mixed ^ mixed >> 32) << 1 | unit.muted, key};
}

enum varve_status measure_unit(struct measure *m, struct unit unit, struct h128 series,
                               uint32_t *number, struct varve_err *err)
{
    struct h128 key = unit_key(m, unit, series);
    *number = hash_table_get(&m->unit_table, key);
    if (*number != HASH_NONE)
        return VARVE_OK;
    if (m->unit_count >= HASH_NONE)
        return fail(err, VARVE_LIMIT, "query", "too many series: take a shorter range");
    TRY(mem_grow(m->exec->mem, (void **)&m->units, &m->unit_capacity, m->unit_count + 1,
                 sizeof *m->units, err));
    TRY(hash_table_add(&m->unit_table, key, (uint32_t)m->unit_count, err));
    *number = (uint32_t)m->unit_count;
    m->units[m->unit_count++] = unit;
    return VARVE_OK;
}

static enum varve_status
find_units(struct measure *m, const struct batch *batch, struct varve_err *err)
{
    uint32_t n = batch_count(batch);
    TRY(find_groups(m, batch, err));
    m->run_units = m->row_groups;
    if (m->unit_kind == UNIT_IS_GROUP && !m->is_muting)
        return VARVE_OK;
    TRY(find_labels(m, batch, err));
    TRY(find_muted(m, batch, err));
    if (m->unit_kind == UNIT_IS_SERIES)
        TRY(series_hash_runs(&m->hashes, &m->input, batch, err));
    m->run_units = m->row_units;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(batch, i);
        struct unit unit = {m->row_groups[row], m->row_labels[row], m->row_muted[row]};
        m->row_units[row] = NO_GROUP;
        if (unit.group != NO_GROUP)
            TRY(measure_unit(m, unit, m->hashes.of_run[row], &m->row_units[row], err));
    }
    return VARVE_OK;
}

/* ---- reading -------------------------------------------------------------------------------- */

enum varve_status measure_read(struct measure *m, struct varve_err *err)
{
    struct batch batch;
    enum varve_status status;
    m->at_hand = (struct time_range){0, 0};
    while ((status = input_next(&m->input, &batch, err)) == VARVE_OK) {
        TRY(exec_check(m->exec, err));
        if (batch_count(&batch) == 0)
            continue;
        m->scale = m->is_additive ? m->input.runs.scale : m->input.rows.scale;
        m->has_scale = true;
        TRY(find_units(m, &batch, err));
        TRY(m->is_additive ? sums_take(m, &batch, err) : points_take(m, &batch, err));
    }
    input_close(&m->input);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status
take_source(struct measure *m, const struct metric_source *source, struct varve_err *err)
{
    struct time_range range = {time_minus(m->read.since, source->offset),
                               time_minus(m->read.until, source->offset)};
    bool done;
    m->offset = source->offset;
    TRY(input_open(&m->input, source, range, !m->is_additive, m->unit_kind == UNIT_IS_SERIES, err));
    TRY(measure_in_parts(m, source, &done, err));
    if (!done)
        return measure_read(m, err);
    input_close(&m->input);
    return VARVE_OK;
}

enum varve_status measure_prepare(struct measure *m, struct varve_err *err)
{
    const struct keep *keep = &m->node->as.measure.keep;
    struct mem *mem = m->exec->mem;
    const struct relation *kept = keep->is_set ? m->exec->named[keep->named] : NULL;
    if (kept && kept->columns < m->node->key_count)
        return fail(err, VARVE_MISUSE, "plan", "the groups to keep have too few columns");
    TRY(group_keys_new(mem, m->node->key_count, keep, kept, &m->groups, err));
    if (m->node->as.measure.aggregate.of)
        TRY(group_keys_new(mem, 1, NULL, NULL, &m->labels, err));
    if (!m->is_additive)
        return points_new(m, err);
    m->stretch = mem_alloc(mem, sizeof *m->stretch);
    return m->stretch ? VARVE_OK : fail_nomem(err, sizeof *m->stretch);
}

/* ---- values to aggregates ------------------------------------------------------------------ */

/* Counts the entries of each group and bucket and says where they go: in `sum` of its cell. */
static enum varve_status
count_entries(struct measure *m, struct cells *places, struct varve_err *err)
{
    i128 at = 0;
    for (size_t i = 0; i < m->entry_count; i++) {
        struct sum_cell *cell;
        TRY(cells_at(places, m->entries[i].group, m->entries[i].bucket, &cell, err));
        cell->points++;
        TRY(measure_worked(m, 1, err));
    }
    for (uint32_t group = 0; group < places->span_count; group++) {
        TRY(measure_worked(m, places->spans[group].count, err));
        for (uint32_t i = 0; i < places->spans[group].count; i++) {
            struct sum_cell *cell = &places->cells[places->spans[group].at + i];
            cell->sum = at;
            at += cell->points;
        }
    }
    return VARVE_OK;
}

/* Puts the values in their places; `sum` is then where those of the next cell begin, and points
 * how many are not NULL. */
static enum varve_status
place_entries(struct measure *m, struct cells *places, struct value *values, struct varve_err *err)
{
    for (size_t i = 0; i < m->entry_count; i++) {
        const struct entry *e = &m->entries[i];
        const struct span *span = &places->spans[e->group];
        struct sum_cell *cell = &places->cells[span->at + (e->bucket - span->first)];
        if (!value_is_null(e->value))
            values[(size_t)cell->sum + cell->float_points++] = e->value;
        TRY(measure_worked(m, 1, err));
    }
    return VARVE_OK;
}

static enum varve_status aggregate_places(struct measure *m, const struct cells *places,
                                          struct value *values, struct varve_err *err)
{
    struct aggregate aggregate = m->node->as.measure.aggregate;
    if (m->unit_kind == UNIT_IS_LABEL)
        aggregate.distinct = false; /* they are: each has one unit */
    for (uint32_t group = 0; group < places->span_count; group++) {
        const struct span *span = &places->spans[group];
        for (uint32_t i = 0; i < span->count; i++) {
            const struct sum_cell *cell = &places->cells[span->at + i];
            struct value result;
            if (cell->points == 0)
                continue;
            TRY(aggregate_values(m->exec, &aggregate, values + (size_t)cell->sum,
                                 cell->float_points, &m->texts, &result, err));
            TRY(measure_worked(m, cell->float_points, err));
            TRY(give_row(m, group, span->first + i, result, err));
        }
    }
    return VARVE_OK;
}

static enum varve_status aggregate_entries(struct measure *m, struct varve_err *err)
{
    enum varve_status status;
    struct cells places;
    size_t size = (m->entry_count + 1) * sizeof(struct value);
    struct value *values = mem_alloc(m->exec->mem, size);
    cells_init(&places, m->exec->mem, m->buckets.count);
    if (!values)
        return fail_nomem(err, size);
    TRYOUT(count_entries(m, &places, err));
    TRYOUT(place_entries(m, &places, values, err));
    status = aggregate_places(m, &places, values, err);
out:
    cells_free(&places);
    mem_free(m->exec->mem, values, size);
    return status;
}

/* ---- the result ------------------------------------------------------------------------------ */

static enum varve_status give_nothing(struct measure *m, struct varve_err *err)
{
    bool counts = m->node->as.measure.aggregate.kind == AGGREGATE_COUNT;
    if (m->result.rows > 0 || m->node->has_bucket || m->node->key_count > 0)
        return VARVE_OK;
    return give_row(m, 0, 0, counts ? value_int(TYPE_INT, 0) : value_null(), err);
}

/* What is kept, whatever room has been made for it on the way: the same for any number of
 * threads. */
static void tell_bytes(struct measure *m)
{
    op_bytes(m->op, m->cells_kept * sizeof *m->cells.cells +
                        m->cells.float_count * sizeof *m->cells.floats +
                        m->entry_count * sizeof *m->entries + m->unit_count * sizeof *m->units +
                        relation_bytes(&m->result));
}

static enum varve_status make_result(struct measure *m, struct varve_err *err)
{
    TRY(measure_prepare(m, err));
    if (!m->is_additive)
        TRY(points_choose(m, err));
    for (uint32_t i = 0; i < m->node->as.measure.source_count; i++)
        if (m->read.since < m->read.until && m->buckets.count > 0)
            TRY(take_source(m, &m->node->as.measure.sources[i], err));
    TRY(m->is_additive ? sums_finish(m, err) : points_finish(m, err));
    TRY(aggregate_entries(m, err));
    TRY(give_nothing(m, err));
    tell_bytes(m);
    return VARVE_OK;
}

/* Several parts together hold more than one thread does: what they have no memory for it may have.
 * Nothing was said of what they have read. */
static enum varve_status begin_alone(struct op *op, struct varve_err *err)
{
    struct measure *m = op->state;
    bool may = m->is_shared && !m->is_alone;
    if (!may)
        return VARVE_NOMEM;
    op_measure.close(op);
    op->exec->stats[op->node->number].scan = (struct varve_scan_stats){0};
    TRY(measure_make(op, NULL, err));
    m = op->state;
    m->is_alone = true;
    return make_result(m, err);
}

static enum varve_status measure_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct measure *m = op->state;
    if (!m->is_ready) {
        enum varve_status status = make_result(m, err);
        if (status == VARVE_NOMEM)
            status = begin_alone(op, err);
        TRY(status);
        m = op->state;
    }
    m->is_ready = true;
    TRY(relation_batch(&m->result, m->given, batch, err));
    m->given += batch->rows;
    return VARVE_OK;
}

const struct op_kind op_measure = {measure_open, measure_next, measure_close};
