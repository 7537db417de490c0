/* SPDX-License-Identifier: Apache-2.0
 *
 * change.c -- writes replaced days into month files and flips the catalogue.
 */
#include "store/change.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/reserve.h"

/* A month's file is written anew when it holds more than this many times what is alive, and a
 * bit. */
#define GARBAGE_FACTOR 2
#define GARBAGE_SLACK (1u << 20)

void change_init(struct change *change, struct store *store, struct catalogue *catalogue)
{
    *change = (struct change){.store = store,
                              .catalogue = catalogue_hold(catalogue),
                              .sealed_before = INT32_MIN,
                              .floor = INT64_MIN};
}

void change_free(struct change *change)
{
    for (size_t i = 0; i < change->count; i++)
        buf_free(&change->moves[i].bytes);
    mem_free(&change->store->mem, change->moves, change->capacity * sizeof *change->moves);
    catalogue_drop(change->catalogue);
    memset(change, 0, sizeof *change);
}

enum varve_status change_add(struct change *change, int32_t day, uint32_t table, struct move **move,
                             struct varve_err *err)
{
    struct store *store = change->store;
    TRY(mem_grow(&store->mem, (void **)&change->moves, &change->capacity, change->count + 1,
                 sizeof *change->moves, err));
    const struct day_record *old = catalogue_find(change->catalogue, day, table);
    struct move *m = &change->moves[change->count++];
    *m = (struct move){.had_old = old != NULL};
    if (old)
        m->old = m->record = *old;
    m->record.day = day;
    m->record.table = table;
    buf_init(&m->bytes, &store->mem, UINT32_MAX);
    *move = m;
    return VARVE_OK;
}

/* ---- writing ----------------------------------------------------------- */

static bool stays(const struct move *move)
{
    return move->record.rows > 0;
}

static struct move *find_move(struct change *change, int32_t day, uint32_t table)
{
    for (size_t i = 0; i < change->count; i++)
        if (change->moves[i].record.day == day && change->moves[i].record.table == table)
            return &change->moves[i];
    return NULL;
}

/* What the month's present file is, and what will be alive of it and of the change. */
struct month_plan {
    int32_t month;
    uint32_t file_generation; /* 0: there is no file */
    uint64_t alive, staying;  /* bytes; bytes of days the change does not touch */
};

uint32_t change_month_file(const struct change *change, int32_t month)
{
    uint32_t generation = 0;
    size_t i = catalogue_from(change->catalogue, month_first_day(month));
    for (; i < change->catalogue->count; i++) {
        const struct day_record *d = &change->catalogue->days[i];
        if (month_of_day(d->day) != month)
            break;
        if (d->file_generation > generation)
            generation = d->file_generation;
    }
    return generation;
}

static void plan_month(struct change *change, int32_t month, struct month_plan *plan)
{
    *plan =
        (struct month_plan){.month = month, .file_generation = change_month_file(change, month)};
    size_t i = catalogue_from(change->catalogue, month_first_day(month));
    for (; i < change->catalogue->count; i++) {
        const struct day_record *d = &change->catalogue->days[i];
        if (month_of_day(d->day) != month)
            break;
        if (!find_move(change, d->day, d->table))
            plan->staying += d->bytes;
    }
    plan->alive = plan->staying;
    for (size_t m = 0; m < change->count; m++)
        if (month_of_day(change->moves[m].record.day) == month && stays(&change->moves[m]))
            plan->alive += change->moves[m].bytes.size ? change->moves[m].bytes.size
                                                       : change->moves[m].old.bytes;
}

static bool wants_rewrite(struct change *change, const struct month_plan *plan)
{
    struct segfile_id id = {plan->month, plan->file_generation};
    if (plan->file_generation == 0)
        return false;
    if (segfile_refuses_writes(change->store->files, id))
        return true;
    uint64_t present = segfile_disk_bytes(change->store->files, id);
    uint64_t after = present + plan->alive - plan->staying;
    if (change->rewrite)
        return after > plan->alive + plan->alive / 8 + (64u << 10);
    return after > GARBAGE_FACTOR * plan->alive + GARBAGE_SLACK;
}

bool change_has_garbage(struct change *change, int32_t month)
{
    struct month_plan plan;
    plan_month(change, month, &plan);
    return wants_rewrite(change, &plan);
}

static int compare_moves(const void *a, const void *b)
{
    const struct day_record *x = &((const struct move *)a)->record,
                            *y = &((const struct move *)b)->record;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return (x->table > y->table) - (x->table < y->table);
}

/* The living days of a month become moves too, to be copied as they are. */
static enum varve_status add_staying(struct change *change, int32_t month, struct varve_err *err)
{
    size_t i = catalogue_from(change->catalogue, month_first_day(month));
    for (; i < change->catalogue->count; i++) {
        const struct day_record *d = &change->catalogue->days[i];
        struct move *move;
        if (month_of_day(d->day) != month)
            break;
        if (!find_move(change, d->day, d->table))
            TRY(change_add(change, d->day, d->table, &move, err));
    }
    qsort(change->moves, change->count, sizeof *change->moves, compare_moves);
    return VARVE_OK;
}

static enum varve_status
write_month(struct change *change, size_t from, size_t to, uint32_t file_generation,
            struct segfile *old_file, struct varve_err *err)
{
    struct store *store = change->store;
    struct segfile_id id = {month_of_day(change->moves[from].record.day), file_generation};
    struct segment_blob *blobs = mem_alloc(&store->mem, (to - from) * sizeof *blobs);
    enum varve_status status = VARVE_OK;
    size_t count = 0;
    if (!blobs)
        return fail_nomem(err, (to - from) * sizeof *blobs);
    for (size_t i = from; i < to; i++) {
        struct move *m = &change->moves[i];
        if (!stays(m))
            continue;
        /* A segment that is only copied keeps its generation, which its checksums are bound to. */
        m->record.file_generation = file_generation;
        if (m->bytes.size > 0)
            m->record.bytes = m->bytes.size;
        struct segment_blob *b = &blobs[count++];
        b->id = (struct segment_id){m->record.day, m->record.table, m->record.generation};
        b->bytes = m->bytes.data;
        b->size = m->bytes.size;
        if (m->bytes.size == 0)
            TRYOUT(segfile_get(old_file, b->id, &b->bytes, &b->size, err));
        change->bytes_written += b->size;
    }
    if (count > 0)
        TRYOUT(segfile_put(store->files, id, blobs, count, err));
    for (size_t i = from; i < to; i++)
        buf_free(&change->moves[i].bytes);
out:
    mem_free(&store->mem, blobs, (to - from) * sizeof *blobs);
    return status;
}

/* The newest file generation in the directory may be one that a crash left behind. */
struct newest_file {
    int32_t month;
    uint32_t generation;
};

static int note_newest(void *context, struct segfile_id id)
{
    struct newest_file *newest = context;
    if (id.month == newest->month && id.generation > newest->generation)
        newest->generation = id.generation;
    return 0;
}

static enum varve_status
next_file(struct change *change, int32_t month, uint32_t *generation, struct varve_err *err)
{
    struct newest_file newest = {month, 0};
    TRY(segfiles_list(change->store->files, note_newest, &newest, err));
    *generation = newest.generation + 1;
    return VARVE_OK;
}

static size_t month_end(const struct change *change, size_t from)
{
    int32_t month = month_of_day(change->moves[from].record.day);
    size_t to = from;
    while (to < change->count && month_of_day(change->moves[to].record.day) == month)
        to++;
    return to;
}

static enum varve_status
change_month(struct change *change, size_t from, size_t *to, struct varve_err *err)
{
    struct store *store = change->store;
    struct month_plan plan;
    struct segfile *old_file = NULL;
    enum varve_status status = VARVE_OK;
    plan_month(change, month_of_day(change->moves[from].record.day), &plan);
    uint32_t generation = plan.file_generation;
    if (wants_rewrite(change, &plan)) {
        struct segfile_id old = {plan.month, plan.file_generation};
        TRY(add_staying(change, plan.month, err));
        TRY(segfile_acquire(store->files, old, &old_file, err));
        generation = 0;
    }
    if (generation == 0)
        TRYOUT(next_file(change, plan.month, &generation, err));
    *to = month_end(change, from);
    status = write_month(change, from, *to, generation, old_file, err);
out:
    if (old_file)
        segfile_release(store->files, old_file);
    return status;
}

/* A month's file whose disk failed is of no use to LMDB until it has been closed, so nothing here
 * may keep it open. */
static void let_go(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    sealed_let_go(&store->sealed);
    pthread_mutex_unlock(&store->lock);
}

/* Appends put it back when there is room again. */
static int give_up_reserve(struct store *store)
{
    store->has_reserve = false;
    return reserve_give_up(store->path);
}

enum varve_status change_write(struct change *change, struct varve_err *err)
{
    for (size_t from = 0, to; from < change->count; from = to) {
        to = from;
        enum varve_status status = change_month(change, from, &to, err);
        if (status == VARVE_FULL || status == VARVE_IO)
            let_go(change->store);
        if (status == VARVE_FULL && give_up_reserve(change->store))
            status = change_month(change, from, &to, err);
        TRY(status);
    }
    return VARVE_OK;
}

/* ---- the flip ---------------------------------------------------------- */

/* An entry goes when all its rows are sealed or forgotten: the head knows only those that are
 * neither. */
static enum varve_status
trim(struct change *change, struct txn *txn, struct state *state, struct varve_err *err)
{
    struct head *head = &change->store->head;
    int32_t floor_day = change->floor == INT64_MIN ? INT32_MIN : day_of(change->floor);
    uint64_t first = state->next_seq;
    for (size_t i = 0; i < head->entry_count; i++) {
        const struct head_entry *e = &head->entries[i];
        bool sealed = e->seq <= change->watermark && e->last_day < change->sealed_before;
        if (sealed || e->last_day == INT32_MIN || e->last_day < floor_day) {
            TRY(journal_delete(txn, e->seq, err));
            state->entries--;
        } else if (e->seq < first) {
            first = e->seq;
        }
    }
    state->first_seq = first;
    return VARVE_OK;
}

static enum varve_status
put_records(struct change *change, struct txn *txn, struct state *state, struct varve_err *err)
{
    for (size_t i = 0; i < change->count; i++) {
        const struct move *m = &change->moves[i];
        const struct day_record *old = m->had_old ? &m->old : NULL;
        if (stays(m))
            TRY(catalogue_put(txn, state, old, &m->record, err));
        else if (old)
            TRY(catalogue_remove(txn, state, old, err));
    }
    return VARVE_OK;
}

enum varve_status
change_put(struct change *change, struct txn *txn, struct state *state, struct varve_err *err)
{
    if (state->epoch != change->catalogue->epoch)
        return fail(err, VARVE_BUSY, "main.mdb",
                    "the catalogue changed while the house was locked");
    if (change->floor > state->floor)
        state->floor = change->floor;
    TRY(put_records(change, txn, state, err));
    if (!change->leaves_journal)
        TRY(trim(change, txn, state, err));
    state->epoch++;
    return VARVE_OK;
}

static enum varve_status try_flip(struct change *change, struct varve_err *err)
{
    struct store *store = change->store;
    struct txn *txn;
    TRY(store_begin(store, 1 << 20, &txn, err));
    struct state state = store->state;
    enum varve_status status = change_put(change, txn, &state, err);
    if (status == VARVE_OK)
        status = store_commit(store, txn, &state, err);
    else
        txn_abort(txn);
    /* What was sealed is no longer the head's; the next transaction reads it anew. */
    store_unsync(store);
    return status;
}

enum varve_status change_flip(struct change *change, struct varve_err *err)
{
    struct store *store = change->store;
    pthread_mutex_lock(&store->lock);
    enum varve_status status = try_flip(change, err);
    if (status == VARVE_FULL && give_up_reserve(store))
        status = try_flip(change, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- sweeping ---------------------------------------------------------- */

struct sweeping {
    struct store *store;
    const struct catalogue *catalogue;
    struct segfile_id doomed[64];
    size_t count;
};

static bool is_named(const struct catalogue *catalogue, struct segfile_id id)
{
    size_t i = catalogue_from(catalogue, month_first_day(id.month));
    for (; i < catalogue->count && month_of_day(catalogue->days[i].day) == id.month; i++)
        if (catalogue->days[i].file_generation == id.generation)
            return true;
    return false;
}

static int note_doomed(void *context, struct segfile_id id)
{
    struct sweeping *s = context;
    if (!is_named(s->catalogue, id))
        s->doomed[s->count++] = id;
    return s->count == sizeof s->doomed / sizeof *s->doomed;
}

uint64_t change_sweep(struct store *store)
{
    struct sweeping s = {.store = store};
    struct txn *txn;
    struct catalogue *catalogue = NULL;
    uint64_t epoch = 0, removed = 0;
    int alive = 1;
    pthread_mutex_lock(&store->lock);
    if (store_begin_read(store, &txn, NULL) == VARVE_OK) {
        if (store_sync(store, txn, NULL) == VARVE_OK) {
            catalogue = catalogue_hold(store->catalogue);
            epoch = store->state.epoch;
        }
        txn_abort(txn);
    }
    pthread_mutex_unlock(&store->lock);
    s.catalogue = catalogue;
    if (catalogue && lock_epochs_below(store->path, epoch, &alive, NULL) == VARVE_OK && !alive &&
        segfiles_list(store->files, note_doomed, &s, NULL) == VARVE_OK)
        for (size_t i = 0; i < s.count; i++)
            removed += segfile_unlink(store->files, s.doomed[i], NULL) == VARVE_OK;
    catalogue_drop(catalogue);
    store->has_reserve = reserve_keep(store->path);
    return removed;
}
