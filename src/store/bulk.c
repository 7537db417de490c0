/* SPDX-License-Identifier: Apache-2.0
 *
 * bulk.c -- segments of days straight from a batch.
 *
 * The rows of a day are brought together series by series.  Those of most series come in order of
 * time, so none of them can be there twice; those of others are sorted, and equal ones then stand
 * beside each other.
 */
#include "store/bulk.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/rebuild.h"

/* A batch must bring this share of what makes an append seal, and so must its newest day, which may
 * have more to come; those before it must bring that. */
enum { SHARE = 4, SHARE_OF_PAST = 64 };

enum { CHUNK = 1 << 16 };

/* A row and where it stands in the batch. */
struct placed {
    struct row row;
    uint32_t at;
};

struct work {
    struct bulk *bulk;
    const struct rowset *rows;
    struct partition parts;
    uint32_t *ends, *order; /* of one day's rows: where those of each series end, and which */
    uint8_t *taken;         /* a byte for each row of the batch */
    struct placed *room;    /* for sorting those of one series */
    size_t room_count;
};

static void *take(struct work *work, size_t count, size_t size, struct varve_err *err)
{
    void *memory = arena_alloc(&work->bulk->arena, mem_array(count + 1, size));
    if (!memory)
        fail_nomem(err, count * size);
    return memory;
}

/* ---- which days ---------------------------------------------------------- */

static bool has_readings(const struct rowset *rows, const struct part *part)
{
    for (uint32_t i = 0; i < part->count; i++)
        if (rows->rows[part->index[i]].mode == ROW_CUMULATIVE)
            return true;
    return false;
}

static bool is_unknown(const struct store *store, const struct catalogue *catalogue, int32_t day)
{
    return !catalogue_find(catalogue, day, 0) && !head_has_day(&store->head, day) &&
           day_start(day) >= store->state.floor;
}

/* Leaves those parts that are large and of points that stand for themselves. */
static void leave_large(struct work *work, uint64_t seal_rows)
{
    struct partition *parts = &work->parts;
    size_t left = 0, count = parts->count;
    for (size_t i = 0; i < count; i++) {
        const struct part *part = &parts->parts[i];
        uint64_t least = seal_rows / (i + 1 < count ? SHARE_OF_PAST : SHARE);
        if (part->count >= least && !has_readings(work->rows, part))
            parts->parts[left++] = *part;
    }
    parts->count = left;
}

/* Leaves those that nobody knows, as the catalogue stands that the change starts from. */
static enum varve_status
leave_unknown(struct work *work, struct store *store, struct varve_err *err)
{
    struct txn *txn;
    size_t left = 0;
    TRY(store_begin_read(store, &txn, err));
    enum varve_status status = store_sync(store, txn, err);
    txn_abort(txn);
    TRY(status);
    change_init(&work->bulk->change, store, store->catalogue);
    work->bulk->change.leaves_journal = true;
    for (size_t i = 0; i < work->parts.count; i++)
        if (is_unknown(store, store->catalogue, work->parts.parts[i].day))
            work->parts.parts[left++] = work->parts.parts[i];
    work->parts.count = left;
    return VARVE_OK;
}

static enum varve_status choose(struct work *work, struct store *store, struct varve_err *err)
{
    const struct stretch all = {0, work->rows->row_count, 0, 0};
    TRY(partition(work->rows, NULL, all, INT32_MAX, &work->bulk->arena, &work->parts, err));
    leave_large(work, store->seal_rows);
    if (work->parts.count == 0)
        return VARVE_OK;
    pthread_mutex_lock(&store->lock);
    enum varve_status status = leave_unknown(work, store, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- the rows of a day, each of them once --------------------------------- */

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->row.end != y->row.end)
        return x->row.end < y->row.end ? -1 : 1;
    if (x->row.start != y->row.start)
        return x->row.start < y->row.start ? -1 : 1;
    if (x->row.value != y->row.value)
        return x->row.value < y->row.value ? -1 : 1;
    if (x->row.mode != y->row.mode)
        return x->row.mode < y->row.mode ? -1 : 1;
    if (x->row.is_float != y->row.is_float)
        return x->row.is_float < y->row.is_float ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static bool in_order(const struct row *rows, const uint32_t *order, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (rows[order[i]].end <= rows[order[i - 1]].end)
            return false;
    return true;
}

/* Answers how many are left of the rows of one series. */
static enum varve_status
leave_once(struct work *work, uint32_t *order, size_t count, size_t *left, struct varve_err *err)
{
    const struct row *rows = work->rows->rows;
    *left = count;
    if (in_order(rows, order, count))
        return VARVE_OK;
    if (count > work->room_count) {
        work->room_count = count * 2;
        work->room = take(work, work->room_count, sizeof *work->room, err);
        if (!work->room)
            return VARVE_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        work->room[i] = (struct placed){rows[order[i]], order[i]};
    qsort(work->room, count, sizeof *work->room, compare_placed);
    *left = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !row_same(&work->room[i].row, &work->room[i - 1].row))
            order[(*left)++] = work->room[i].at;
    return VARVE_OK;
}

/* What is left of the day stands at the front of work->order, `count` of it. */
static enum varve_status
rows_of_day(struct work *work, const struct part *part, size_t *count, struct varve_err *err)
{
    size_t to = 0;
    rowset_by_series(work->rows, part->index, part->count, work->ends, work->order);
    for (size_t s = 0, from = 0; s < work->rows->series_count; from = work->ends[s++]) {
        size_t left;
        TRY(leave_once(work, work->order + from, work->ends[s] - from, &left, err));
        if (to < from)
            memmove(work->order + to, work->order + from, left * sizeof *work->order);
        to += left;
    }
    work->bulk->points += to;
    work->bulk->duplicates += part->count - to;
    for (uint32_t i = 0; i < part->count; i++)
        work->taken[part->index[i]] = 1;
    *count = to;
    return VARVE_OK;
}

/* ---- building -------------------------------------------------------------- */

static enum varve_status make_room(struct work *work, struct varve_err *err)
{
    struct bulk *bulk = work->bulk;
    int32_t *days = take(work, work->parts.count, sizeof *days, err);
    work->ends = take(work, work->rows->series_count, sizeof *work->ends, err);
    work->order = take(work, work->rows->row_count, sizeof *work->order, err);
    work->taken = take(work, work->rows->row_count, sizeof *work->taken, err);
    if (!days || !work->ends || !work->order || !work->taken)
        return VARVE_NOMEM;
    memset(work->taken, 0, work->rows->row_count);
    for (size_t i = 0; i < work->parts.count; i++)
        days[i] = work->parts.parts[i].day;
    bulk->days = days;
    return VARVE_OK;
}

/* The days are built, so what their rows were brought into order in is free. */
static void note_rest(struct work *work)
{
    struct bulk *bulk = work->bulk;
    for (size_t i = 0; i < work->rows->row_count; i++)
        if (!work->taken[i])
            work->order[bulk->rest_count++] = (uint32_t)i;
    bulk->rest = work->order;
}

static enum varve_status
build_days(struct work *work, struct rebuild *rebuild, struct varve_err *err)
{
    struct change *change = &work->bulk->change;
    for (size_t i = 0; i < work->parts.count; i++) {
        const struct part *part = &work->parts.parts[i];
        struct move *move;
        size_t count;
        TRY(rows_of_day(work, part, &count, err));
        TRY(change_add(change, part->day, 0, &move, err));
        TRY(rebuild_points(rebuild, change, move, work->rows, work->order, count, err));
    }
    return change_write(change, err);
}

static enum varve_status build(struct work *work, struct store *store, struct varve_err *err)
{
    struct rebuild rebuild = {.store = NULL};
    TRY(choose(work, store, err));
    if (work->parts.count == 0)
        return VARVE_OK;
    TRY(make_room(work, err));
    enum varve_status status = rebuild_init(&rebuild, store, err);
    if (status == VARVE_OK)
        status = build_days(work, &rebuild, err);
    rebuild_free(&rebuild);
    if (status == VARVE_OK) {
        note_rest(work);
        work->bulk->day_count = work->parts.count;
    }
    return status;
}

/* ---- from beginning to end -------------------------------------------------- */

static void let_go(struct bulk *bulk)
{
    if (bulk->change.store)
        change_free(&bulk->change);
    if (bulk->arena.mem)
        arena_free(&bulk->arena);
    lock_release(&bulk->house);
    *bulk = (struct bulk){.house = {-1}};
}

void bulk_begin(struct bulk *bulk, struct store *store, const struct rowset *rows)
{
    struct work work = {.bulk = bulk, .rows = rows};
    *bulk = (struct bulk){.house = {-1}};
    if (store->read_only || !store->autoseal || rows->row_count < store->seal_rows / SHARE ||
        lock_house(&bulk->house, store->path, NULL) != VARVE_OK)
        return;
    arena_init(&bulk->arena, &store->mem, CHUNK);
    if (build(&work, store, NULL) != VARVE_OK || bulk->day_count == 0)
        let_go(bulk);
}

bool bulk_holds(const struct bulk *bulk, const struct store *store)
{
    if (bulk->day_count == 0 || store->state.epoch != bulk->change.catalogue->epoch)
        return false;
    for (size_t i = 0; i < bulk->day_count; i++)
        if (!is_unknown(store, store->catalogue, bulk->days[i]))
            return false;
    return true;
}

enum varve_status
bulk_put(struct bulk *bulk, struct txn *txn, struct state *state, struct varve_err *err)
{
    struct change *change = &bulk->change;
    for (size_t i = 0; i < change->count; i++) /* days that are only copied keep theirs */
        if (!change->moves[i].had_old)
            change->moves[i].record.watermark = state->next_seq - 1;
    return change_put(change, txn, state, err);
}

void bulk_end(struct bulk *bulk)
{
    struct store *store = bulk->change.store;
    if (bulk->day_count == 0)
        return;
    change_sweep(store);
    let_go(bulk);
}
