/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_cells.c -- sums by unit and bucket.
 *
 * A unit has cells only from the first of its buckets to the last one: a session lives for an hour
 * and is no matrix of thirty days.  Spans grow by at least as much as they are long, so moving
 * them costs no more than filling them; what they leave behind is not used again.
 *
 * Windows that slide are added up as differences: a value is added where the windows that hold it
 * begin and taken off behind the last of them, exactly, floats too; cells_accumulate makes sums of
 * that.
 */
#include "exec/measure_private.h"

void cells_init(struct cells *cells, struct mem *mem, uint32_t buckets)
{
    *cells = (struct cells){.mem = mem, .buckets = buckets};
}

void cells_free(struct cells *c)
{
    if (!c->mem)
        return;
    mem_free(c->mem, c->cells, c->capacity * sizeof *c->cells);
    mem_free(c->mem, c->spans, c->span_capacity * sizeof *c->spans);
    mem_free(c->mem, c->floats, c->float_capacity * sizeof *c->floats);
    *c = (struct cells){0};
}

static enum varve_status add_spans(struct cells *c, uint32_t unit, struct varve_err *err)
{
    TRY(mem_grow(c->mem, (void **)&c->spans, &c->span_capacity, (size_t)unit + 1, sizeof *c->spans,
                 err));
    while (c->span_count <= unit)
        c->spans[c->span_count++] = (struct span){0};
    return VARVE_OK;
}

/* A place for a longer span, with the cells it had. */
static enum varve_status move(struct cells *c, struct span *span, uint32_t first, uint32_t count,
                              uint32_t room, struct varve_err *err)
{
    TRY(mem_grow(c->mem, (void **)&c->cells, &c->capacity, c->count + room, sizeof *c->cells, err));
    struct sum_cell *to = c->cells + c->count;
    memset(to, 0, room * sizeof *to);
    if (span->count)
        memcpy(to + (span->first - first), c->cells + span->at, span->count * sizeof *to);
    *span = (struct span){c->count, first, count, room};
    c->count += room;
    return VARVE_OK;
}

enum varve_status
cells_reach(struct cells *c, uint32_t unit, uint32_t first, uint32_t last, struct varve_err *err)
{
    if (unit >= c->span_count)
        TRY(add_spans(c, unit, err));
    struct span *span = &c->spans[unit];
    if (span->count == 0)
        return move(c, span, first, last - first + 1, last - first + 1, err);
    uint32_t begin = span->first, end = span->first + span->count - 1;
    if (first >= begin && last <= end)
        return VARVE_OK;
    if (first >= begin && last - begin < span->room) {
        span->count = last - begin + 1;
        return VARVE_OK;
    }
    if (first < begin) /* as far again to the left */
        begin = span->count > first ? 0 : first - span->count + 1;
    if (last > end)
        end = last;
    uint64_t room = (uint64_t)(end - begin + 1) + span->count;
    if (room > c->buckets - begin)
        room = c->buckets - begin;
    return move(c, span, begin, end - begin + 1, (uint32_t)room, err);
}

static enum varve_status need_float(struct cells *c, struct sum_cell *cell, struct varve_err *err)
{
    if (!cell->floats) {
        TRY(mem_grow(c->mem, (void **)&c->floats, &c->float_capacity, c->float_count + 1,
                     sizeof *c->floats, err));
        fsum_clear(&c->floats[c->float_count]);
        cell->floats = (uint32_t)++c->float_count;
    }
    return VARVE_OK;
}

enum varve_status cells_add_float(struct cells *c, struct sum_cell *cell, double value, int sign,
                                  struct varve_err *err)
{
    TRY(need_float(c, cell, err));
    fsum_add(&c->floats[cell->floats - 1], sign < 0 ? -value : value);
    cell->float_points += (uint32_t)sign;
    return VARVE_OK;
}

enum varve_status cells_merge(struct cells *c, uint32_t unit, const struct cells *from,
                              uint32_t from_unit, struct varve_err *err)
{
    const struct span *span = &from->spans[from_unit];
    if (span->count == 0)
        return VARVE_OK;
    TRY(cells_reach(c, unit, span->first, span->first + span->count - 1, err));
    for (uint32_t i = 0; i < span->count; i++) {
        const struct sum_cell *add = &from->cells[span->at + i];
        const struct span *to = &c->spans[unit];
        struct sum_cell *cell = &c->cells[to->at + (span->first + i - to->first)];
        cell->sum += add->sum;
        cell->points += add->points;
        cell->float_points += add->float_points;
        if (!add->floats)
            continue;
        TRY(need_float(c, cell, err));
        fsum_merge(&c->floats[cell->floats - 1], &from->floats[add->floats - 1]);
    }
    return VARVE_OK;
}

enum varve_status cells_accumulate(struct cells *c, uint32_t unit, struct varve_err *err)
{
    struct span *span = &c->spans[unit];
    for (uint32_t i = 1; i < span->count; i++) {
        struct sum_cell *before = &c->cells[span->at + i - 1], *cell = before + 1;
        cell->sum += before->sum;
        cell->points += before->points;
        cell->float_points += before->float_points;
        if (!before->floats)
            continue;
        TRY(need_float(c, cell, err));
        fsum_merge(&c->floats[cell->floats - 1], &c->floats[before->floats - 1]);
    }
    return VARVE_OK;
}
