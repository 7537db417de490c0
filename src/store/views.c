/* SPDX-License-Identifier: Apache-2.0
 *
 * views.c -- builds and merges the in-memory segments of the head.
 */
#include "store/views.h"

#define VIEW_SEED UINT64_C(0x766965777365)

void views_init(struct views *views, struct mem *mem)
{
    *views = (struct views){.mem = mem};
}

void memseg_drop(struct memseg *segment)
{
    if (!segment || atomic_fetch_sub(&segment->references, 1) != 1)
        return;
    mem_free(segment->mem, segment->bytes, segment->capacity);
    mem_free(segment->mem, segment, sizeof *segment);
}

static void view_drop(struct views *views, struct view *view)
{
    for (size_t i = 0; i < view->count; i++)
        memseg_drop(view->segments[i]);
    mem_free(views->mem, view->segments, view->count * sizeof *view->segments);
    view->segments = NULL;
    view->count = 0;
}

void views_clear(struct views *views)
{
    for (size_t i = 0; i < views->count; i++)
        view_drop(views, &views->list[i]);
    mem_free(views->mem, views->list, views->capacity * sizeof *views->list);
    views_init(views, views->mem);
}

static enum varve_status
build_part(struct views *views, const struct view_tools *tools, const struct part *part,
           struct memseg **out, struct varve_err *err)
{
    struct buf bytes;
    enum varve_status status;
    struct memseg *segment = mem_zalloc(views->mem, sizeof *segment);
    if (!segment)
        return fail_nomem(err, sizeof *segment);
    buf_init(&bytes, views->mem, SIZE_MAX / 2);
    if (part->events)
        TRYOUT(table_build(tools->tables, &tools->head->events, part->index, part->count, VIEW_SEED,
                           &bytes, err));
    else
        TRYOUT(segment_build(tools->segments, &tools->head->rows, part->index, part->count,
                             VIEW_SEED, &bytes, err));
    atomic_init(&segment->references, 1);
    segment->mem = views->mem;
    segment->day = part->day;
    segment->events = part->events;
    segment->table = part->events
                         ? tools->table_number(tools->context,
                                               intern_text(&tools->head->events.texts, part->table))
                         : 0;
    segment->rows = part->count;
    segment->first = part->first;
    segment->last = part->last;
    segment->seed = VIEW_SEED;
    segment->size = bytes.size;
    segment->capacity = bytes.capacity;
    segment->bytes = bytes.data;
    *out = segment;
    return VARVE_OK;
out:
    buf_free(&bytes);
    mem_free(views->mem, segment, sizeof *segment);
    return status;
}

static enum varve_status
build_view(struct views *views, const struct view_tools *tools, struct stretch stretch,
           struct view *view, struct varve_err *err)
{
    struct partition parts;
    *view = (struct view){stretch, NULL, 0};
    arena_clear(tools->arena);
    TRY(partition(&tools->head->rows, &tools->head->events, stretch, INT32_MAX, tools->arena,
                  &parts, err));
    if (parts.count == 0)
        return VARVE_OK;
    view->segments = mem_zalloc(views->mem, parts.count * sizeof *view->segments);
    if (!view->segments)
        return fail_nomem(err, parts.count * sizeof *view->segments);
    view->count = parts.count;
    for (size_t i = 0; i < parts.count; i++) {
        enum varve_status status =
            build_part(views, tools, &parts.parts[i], &view->segments[i], err);
        if (status != VARVE_OK) {
            view_drop(views, view);
            return status;
        }
    }
    return VARVE_OK;
}

static size_t stretch_size(struct stretch s)
{
    return s.row_to - s.row_from + s.event_to - s.event_from;
}

enum varve_status
views_cover(struct views *views, const struct view_tools *tools, struct varve_err *err)
{
    struct stretch all = head_mark(tools->head), rest = all;
    size_t keep = views->count;
    if (keep > 0) {
        rest.row_from = views->list[keep - 1].stretch.row_to;
        rest.event_from = views->list[keep - 1].stretch.event_to;
    }
    if (stretch_size(rest) == 0)
        return VARVE_OK;
    for (; keep > 0 && stretch_size(views->list[keep - 1].stretch) <= 2 * stretch_size(rest);
         keep--) {
        rest.row_from = views->list[keep - 1].stretch.row_from;
        rest.event_from = views->list[keep - 1].stretch.event_from;
    }
    struct view view;
    TRY(mem_grow(views->mem, (void **)&views->list, &views->capacity, views->count + 1,
                 sizeof *views->list, err));
    TRY(build_view(views, tools, rest, &view, err));
    for (size_t i = keep; i < views->count; i++)
        view_drop(views, &views->list[i]);
    views->list[keep] = view;
    views->count = keep + 1;
    return VARVE_OK;
}
