/* SPDX-License-Identifier: Apache-2.0
 *
 * erase.c -- days built anew without the rows that go.
 *
 * Of metrics the filters are asked once a series, of events once an event.  A day in which nothing
 * matches is left alone; one in which nothing is left goes.
 */
#include "store/erase.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/house.h"
#include "store/rebuild.h"
#include "store/seal.h"

struct erasing {
    const struct varve_erasure *request;
    struct change change;
    struct rebuild rebuild;
    struct varve_erased erased;
};

/* ---- what goes ------------------------------------------------------------------ */

static bool passes(const struct varve_filter *filter, struct varve_str text)
{
    for (size_t i = 0; i < filter->count; i++)
        if (str_equal(filter->values[i], text))
            return !filter->negate;
    return filter->negate;
}

static bool in_range(const struct varve_erasure *request, int64_t time)
{
    return time >= request->since && time < request->until;
}

static bool series_goes(const struct varve_erasure *request, const struct rowset *rows,
                        const struct rowset_series *series)
{
    struct varve_str metric = intern_text(&rows->texts, rows->metrics[series->metric].name);
    if (request->source.size > 0 && !str_equal(request->source, metric))
        return false;
    for (size_t i = 0; i < request->filter_count; i++)
        if (!passes(&request->filters[i], rowset_label(rows, series->set, request->filters[i].key)))
            return false;
    return true;
}

/* A cell that is not there is the empty text; of numbers only integers are compared. */
static bool event_passes(const struct eventset *events, const struct event *event,
                         const struct varve_filter *filter)
{
    char number[32];
    const struct cell *cell = event->cell, *end = cell + event->cells;
    while (cell < end && !str_equal(intern_text(&events->texts, cell->column), filter->key))
        cell++;
    if (cell == end)
        return passes(filter, STR(""));
    if (cell->type == VARVE_TEXT)
        return passes(filter, intern_text(&events->texts, (uint32_t)cell->bits));
    if (cell->type != VARVE_INT)
        return false;
    int n = snprintf(number, sizeof number, "%" PRId64, cell->bits);
    return passes(filter, (struct varve_str){number, (size_t)n});
}

static bool event_goes(const struct varve_erasure *request, const struct eventset *events,
                       const struct event *event)
{
    if (!in_range(request, event->time))
        return false;
    for (size_t i = 0; i < request->filter_count; i++)
        if (!event_passes(events, event, &request->filters[i]))
            return false;
    return true;
}

/* ---- what stays ------------------------------------------------------------------ */

/* The rows that stay, into a new set; *gone counts the points of the others. */
static enum varve_status
stay_points(const struct erasing *e, const struct rowset *all, struct rowset *stay,
            uint64_t *rows_gone, uint64_t *gone, struct varve_err *err)
{
    struct mem *mem = all->mem;
    size_t size = mem_array(all->series_count + 1, sizeof(uint32_t));
    uint32_t *map = mem_alloc(mem, size); /* series -> that in the new set */
    bool *goes = mem_zalloc(mem, all->series_count + 1);
    enum varve_status status = map && goes ? VARVE_OK : fail_nomem(err, size);
    for (size_t s = 0; status == VARVE_OK && s < all->series_count; s++) {
        goes[s] = series_goes(e->request, all, &all->series[s]);
        map[s] = HASH_NONE;
    }
    for (size_t i = 0; status == VARVE_OK && i < all->row_count; i++) {
        struct row row = all->rows[i];
        if (goes[row.series] && in_range(e->request, row.end)) {
            ++*rows_gone;
            *gone += row.mode != ROW_ADJUST && row.mode != ROW_BASE;
            continue;
        }
        if (map[row.series] == HASH_NONE)
            status = rowset_import(stay, all, row.series, &map[row.series], err);
        row.series = map[row.series];
        if (status == VARVE_OK)
            status = rowset_row(stay, &row, err);
    }
    mem_free(mem, map, map ? size : 0);
    mem_free(mem, goes, goes ? all->series_count + 1 : 0);
    return status;
}

static enum varve_status stay_events(const struct erasing *e, const struct eventset *all,
                                     struct eventset *stay, uint64_t *gone, struct varve_err *err)
{
    for (size_t i = 0; i < all->count; i++) {
        if (event_goes(e->request, all, &all->events[i]))
            ++*gone;
        else
            TRY(eventset_import(stay, all, &all->events[i], err));
    }
    return VARVE_OK;
}

/* ---- a day ------------------------------------------------------------------------- */

/* Adds the move for a day of which something goes. */
static enum varve_status
erase_day(struct erasing *e, const struct day_record *day, const struct day_rows *all,
          struct day_rows *stay, struct varve_err *err)
{
    struct move *move;
    uint64_t rows = 0, gone = 0;
    if (day->table == 0)
        TRY(stay_points(e, all->points, stay->points, &rows, &gone, err));
    else
        TRY(stay_events(e, all->events, stay->events, &rows, err));
    if (rows == 0)
        return VARVE_OK;
    e->erased.days++;
    e->erased.points += gone;
    e->erased.events += day->table ? rows : 0;
    TRY(change_add(&e->change, day->day, day->table, &move, err));
    if ((day->table ? stay->events->count : stay->points->row_count) == 0) {
        move->record.rows = 0;
        return VARVE_OK;
    }
    return rebuild_day(&e->rebuild, &e->change, move, stay, err);
}

static enum varve_status
visit_points(struct erasing *e, const struct day_record *day, struct varve_err *err)
{
    struct store *store = e->rebuild.store;
    struct rowset all = {.mem = NULL}, stay = {.mem = NULL};
    struct day_rows from = {.points = &all}, to = {.points = &stay};
    enum varve_status status;
    TRYOUT(rowset_init(&all, &store->mem, store->identity.seed, err));
    TRYOUT(rowset_init(&stay, &store->mem, store->identity.seed, err));
    TRYOUT(rebuild_load(&e->rebuild, day, &from, err));
    TRYOUT(erase_day(e, day, &from, &to, err));
out:
    if (all.mem)
        rowset_free(&all);
    if (stay.mem)
        rowset_free(&stay);
    return status;
}

static enum varve_status
visit_events(struct erasing *e, const struct day_record *day, struct varve_err *err)
{
    struct store *store = e->rebuild.store;
    struct eventset all = {.mem = NULL}, stay = {.mem = NULL};
    struct day_rows from = {.events = &all}, to = {.events = &stay};
    enum varve_status status;
    TRYOUT(eventset_init(&all, &store->mem, store->identity.seed, err));
    TRYOUT(eventset_init(&stay, &store->mem, store->identity.seed, err));
    TRYOUT(rebuild_load(&e->rebuild, day, &from, err));
    TRYOUT(erase_day(e, day, &from, &to, err));
out:
    if (all.mem)
        eventset_free(&all);
    if (stay.mem)
        eventset_free(&stay);
    return status;
}

/* ---- all days ------------------------------------------------------------------------ */

/* Whether a (day, table) can hold what goes.  store->lock is held for the names of tables. */
static bool may_hold(const struct erasing *e, uint32_t table_number, bool only_table,
                     const struct day_record *day)
{
    const struct varve_erasure *r = e->request;
    if (day->last < r->since || day->first >= r->until)
        return false;
    if (r->source.size == 0)
        return true;
    return only_table ? day->table == table_number : day->table == 0;
}

static enum varve_status visit_days(struct erasing *e, struct varve_err *err)
{
    struct store *store = e->rebuild.store;
    pthread_mutex_lock(&store->lock);
    uint32_t table = store_table_number(store, e->request->source);
    pthread_mutex_unlock(&store->lock);
    const struct catalogue *catalogue = e->change.catalogue;
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct day_record *day = &catalogue->days[i];
        if (may_hold(e, table, table > 0, day))
            TRY(day->table ? visit_events(e, day, err) : visit_points(e, day, err));
    }
    return VARVE_OK;
}

static enum varve_status start(struct erasing *e, struct store *store, struct varve_err *err)
{
    struct catalogue *catalogue;
    TRY(house_catalogue(store, &catalogue, err));
    change_init(&e->change, store, catalogue);
    catalogue_drop(catalogue);
    return rebuild_init(&e->rebuild, store, err);
}

enum varve_status store_erase(struct store *store, const struct varve_erasure *request,
                              struct varve_erased *erased, struct varve_err *err)
{
    struct lock house;
    struct erasing e = {.request = request};
    if (store->read_only)
        return fail(err, VARVE_READONLY, store->path, "the store is open for reading only");
    if (request->filter_count == 0)
        return fail(err, VARVE_MISUSE, "erase", "nothing says what is to go");
    TRY(house_wait(store, &house, err));
    enum varve_status status = store_seal_held(store, INT32_MAX, NULL, err);
    if (status == VARVE_OK)
        status = start(&e, store, err);
    if (status == VARVE_OK)
        status = visit_days(&e, err);
    if (status == VARVE_OK && e.change.count > 0) {
        status = change_write(&e.change, err);
        if (status == VARVE_OK)
            status = change_flip(&e.change, err);
    }
    if (status == VARVE_OK) {
        change_sweep(store);
        *erased = e.erased;
    }
    rebuild_free(&e.rebuild);
    if (e.change.store)
        change_free(&e.change);
    lock_release(&house);
    return status;
}
