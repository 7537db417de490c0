/* SPDX-License-Identifier: Apache-2.0
 *
 * append.c -- batches into the journal, several threads' in one synced commit.
 *
 * A thread that appends puts its batch into a queue.  If nobody leads, it
 * becomes the leader: it takes all that is queued, writes an entry for each in one
 * transaction, commits, and tells the others.  Batches that arrive meanwhile
 * wait for the next leader, so a commit is shared exactly when there is something to share.
 *
 * Days that a batch brings nearly whole do not go into the journal (bulk.h).
 *
 * Either the whole group is on disk or none of it.  After a failure each batch is
 * tried by itself, so that one that is not valid is refused alone.
 */
#include "store/store.h"

#include "base/clock.h"
#include "store/bulk.h"
#include "store/reserve.h"
#include "store/seal.h"

struct append_request {
    const struct rowset *rows;
    const struct eventset *events;
    struct varve_appended appended;
    enum varve_status status;
    struct varve_err err;
    bool done;
    struct append_request *next;
};

/* ---- one batch --------------------------------------------------------- */

static enum varve_status
table_number(struct store *store, struct txn *txn, struct state *state, struct varve_str name,
             uint32_t *number, struct varve_err *err)
{
    *number = store_table_number(store, name);
    if (*number != 0)
        return VARVE_OK;
    TRY(store_add_table_name(store, name, err));
    *number = (uint32_t)store->tables.count;
    return table_put(txn, state, *number, name, err);
}

/* A metric's first description is written down; a later one must agree, and may fill in the
 * unit. */
static enum varve_status describe(struct store *store, struct txn *txn, struct state *state,
                                  const struct metric_record *metric, struct varve_err *err)
{
    struct rowset *known = &store->metrics;
    size_t before = known->metric_count;
    uint32_t id;
    TRY(rowset_metric(known, metric->name, STR(""), metric->kind, metric->scale, &id, err));
    struct varve_str unit = intern_text(&known->texts, known->metrics[id].unit);
    if (id < before && (metric->unit.size == 0 || unit.size > 0))
        return VARVE_OK;
    TRY(rowset_metric(known, metric->name, metric->unit, metric->kind, metric->scale, &id, err));
    return metric_put(txn, state, id + 1, metric, id < before ? &unit : NULL, err);
}

/* Those of which the batch has something to keep. */
static enum varve_status describe_metrics(struct store *store, struct txn *txn, struct state *state,
                                          const struct rowset *batch, struct varve_err *err)
{
    arena_clear(&store->scratch);
    uint8_t *done = arena_zalloc(&store->scratch, batch->metric_count + 1);
    if (!done)
        return fail_nomem(err, batch->metric_count);
    size_t left = batch->metric_count;
    for (size_t i = 0; i < batch->row_count && left > 0; i++) {
        uint32_t metric = batch->series[batch->rows[i].series].metric;
        if (done[metric] || batch->rows[i].end < state->floor)
            continue;
        const struct rowset_metric *m = &batch->metrics[metric];
        const struct metric_record record = {intern_text(&batch->texts, m->name),
                                             intern_text(&batch->texts, m->unit), m->kind,
                                             m->scale};
        enum varve_status status = describe(store, txn, state, &record, err);
        if (status == VARVE_INVALID && err)
            return fail(err, status, "append", "%s", err->message);
        TRY(status);
        done[metric] = 1;
        left--;
    }
    return VARVE_OK;
}

/* Events of one day and table, those that are too old left out. */
static enum varve_status
admit_part(struct store *store, struct txn *txn, struct state *state, const struct eventset *batch,
           const struct part *part, uint32_t *texts, struct varve_appended *appended,
           struct varve_err *err)
{
    const struct day_record *day = NULL;
    uint32_t number = 0;
    for (uint32_t i = 0; i < part->count; i++) {
        const struct event *event = &batch->events[part->index[i]];
        if (event->time < state->floor) {
            appended->expired++;
            continue;
        }
        if (number == 0) {
            struct varve_str name = intern_text(&batch->texts, part->table);
            TRY(table_number(store, txn, state, name, &number, err));
            day = catalogue_find(store->catalogue, part->day, number);
        }
        bool seen = head_has_event(&store->head, event->identity);
        if (day && !seen)
            TRY(sealed_events_has(&store->sealed_events, day, event->time, event->identity, &seen,
                                  err));
        if (seen) {
            appended->duplicates++;
            continue;
        }
        TRY(head_add_event(&store->head, batch, event, texts, err));
        appended->events++;
    }
    return VARVE_OK;
}

/* Day by day and table by table: what has to be known of a sealed day is found out once. */
static enum varve_status admit_events(struct store *store, struct txn *txn, struct state *state,
                                      const struct append_request *request,
                                      struct varve_appended *appended, struct varve_err *err)
{
    struct stretch all = {0, 0, 0, request->events->count};
    struct partition parts;
    if (request->events->count == 0)
        return VARVE_OK;
    arena_clear(&store->scratch);
    TRY(partition(request->rows, request->events, all, INT32_MAX, &store->scratch, &parts, err));
    size_t size = request->events->texts.count * sizeof(uint32_t);
    uint32_t *texts = arena_alloc(&store->scratch, size);
    if (!texts)
        return fail_nomem(err, size);
    memset(texts, 0xff, size);
    for (size_t i = 0; i < parts.count; i++)
        TRY(admit_part(store, txn, state, request->events, &parts.parts[i], texts, appended, err));
    return VARVE_OK;
}

static enum varve_status
build_entry(struct store *store, uint64_t seq, const struct partition *parts, struct varve_err *err)
{
    struct buf *entry = &store->entry;
    if (parts->count > JOURNAL_PARTS_MAX)
        return fail(err, VARVE_LIMIT, "append",
                    "the batch has %zu days and tables, at most %u are taken: split it",
                    parts->count, JOURNAL_PARTS_MAX);
    buf_clear(entry);
    journal_begin(entry, (uint32_t)parts->count);
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct part *p = &parts->parts[i];
        struct varve_str name =
            p->events ? intern_text(&store->head.events.texts, p->table) : STR("");
        uint32_t table = p->events ? store_table_number(store, name) : 0;
        uint64_t seed = part_seed(store->identity.seed, p->day, table, seq);
        size_t before = entry->size;
        if (p->events)
            TRY(table_build(&store->table_builder, &store->head.events, p->index, p->count, seed,
                            entry, err));
        else
            TRY(segment_build(&store->segment_builder, &store->head.rows, p->index, p->count, seed,
                              entry, err));
        journal_part_done(entry, i, p->day, table, p->count, entry->size - before);
    }
    return buf_status(entry, err);
}

/* What came into the head since `from`, as an entry. */
static enum varve_status put_entry(struct store *store, struct txn *txn, struct state *state,
                                   struct stretch from, struct varve_err *err)
{
    struct stretch to = head_mark(&store->head);
    struct partition parts;
    if (to.row_to == from.row_to && to.event_to == from.event_to)
        return VARVE_OK;
    struct stretch added = {from.row_to, to.row_to, from.event_to, to.event_to};
    arena_clear(&store->scratch);
    TRY(partition(&store->head.rows, &store->head.events, added, INT32_MAX, &store->scratch, &parts,
                  err));
    TRY(build_entry(store, state->next_seq, &parts, err));
    TRY(journal_put(txn, state->next_seq, &store->entry, err));
    TRY(head_entry_done(&store->head, state->next_seq, from, err));
    if (state->entries++ == 0)
        state->first_seq = state->next_seq;
    state->next_seq++;
    return VARVE_OK;
}

/* bulk: the days that were taken out of the batch, or NULL. */
static enum varve_status
apply(struct store *store, struct txn *txn, struct state *state, struct append_request *request,
      struct bulk *bulk, struct varve_err *err)
{
    struct stretch from = head_mark(&store->head);
    request->appended = (struct varve_appended){0};
    if (bulk) {
        request->appended.points = bulk->points;
        request->appended.duplicates = bulk->duplicates;
    }
    struct admit admit = {.mem = &store->mem,
                          .head = &store->head,
                          .sealed = &store->sealed,
                          .catalogue = store->catalogue,
                          .floor = state->floor,
                          .appended = &request->appended};
    TRY(describe_metrics(store, txn, state, request->rows, err));
    TRY(admit_rows(&admit, request->rows, bulk ? bulk->rest : NULL,
                   bulk ? bulk->rest_count : request->rows->row_count, err));
    TRY(admit_events(store, txn, state, request, &request->appended, err));
    state->ambiguous += request->appended.ambiguous;
    state->baselines += request->appended.baselines;
    TRY(put_entry(store, txn, state, from, err));
    return bulk ? bulk_put(bulk, txn, state, err) : VARVE_OK;
}

/* ---- a group ----------------------------------------------------------- */

/* A generous guess of what the group's entries take in main.mdb. */
static size_t room_for(const struct append_request *group)
{
    size_t bytes = 1 << 20;
    for (; group; group = group->next)
        bytes += group->rows->row_count * 128 + group->rows->texts.arena.used * 2 +
                 group->events->count * 2048 + group->events->texts.arena.used * 2;
    return bytes;
}

/* bulk: days taken out of the only batch, NULL if there are several. */
static enum varve_status append_group(struct store *store, struct append_request *group,
                                      struct bulk *bulk, struct varve_err *err)
{
    struct txn *txn;
    TRY(store_begin(store, room_for(group), &txn, err));
    struct state state = store->state;
    enum varve_status status = VARVE_OK;
    if (bulk && !bulk_holds(bulk, store))
        bulk = NULL;
    for (struct append_request *r = group; r && status == VARVE_OK; r = r->next)
        status = apply(store, txn, &state, r, bulk, err);
    if (status != VARVE_OK) {
        txn_abort(txn);
        store_unsync(store);
        return status;
    }
    if (state.next_seq == store->state.next_seq && state.records_sum == store->state.records_sum) {
        txn_abort(txn); /* nothing was new */
        return VARVE_OK;
    }
    return store_commit(store, txn, &state, err);
}

/* Rows and events that are not sealed yet. */
static uint64_t waiting(const struct store *store)
{
    return store->synced ? store->head.rows.row_count + store->head.events.count : 0;
}

/* A batch that cannot be taken must not take its neighbours down: they are tried one by one. */
static void append_each(struct store *store, struct append_request *group)
{
    for (struct append_request *r = group, *next; r; r = next) {
        next = r->next;
        r->next = NULL;
        r->err = (struct varve_err){0};
        r->status = append_group(store, r, NULL, &r->err);
        r->next = next;
    }
}

/* Answers whether the journal has grown enough to be sealed. */
static bool lead(struct store *store, struct append_request *group)
{
    struct varve_err err = {0};
    struct bulk bulk = {.day_count = 0};
    if (!group->next)
        bulk_begin(&bulk, store, group->rows);
    pthread_mutex_lock(&store->lock);
    enum varve_status status = append_group(store, group, bulk.day_count > 0 ? &bulk : NULL, &err);
    for (struct append_request *r = group; r; r = r->next) {
        r->status = status;
        r->err = err;
    }
    if (status != VARVE_OK && group->next)
        append_each(store, group);
    if (status == VARVE_OK && !store->has_reserve)
        store->has_reserve = reserve_keep(store->path);
    bool is_full = status == VARVE_OK && store->autoseal && waiting(store) >= store->seal_at;
    pthread_mutex_unlock(&store->lock);
    bulk_end(&bulk);
    return is_full;
}

/* Done by who led, after all of the group have been told.  Failing to seal is no failure to append:
 * the journal grows on, and an append some way on tries again; so it does when it is too early. */
static void seal_by_itself(struct store *store)
{
    bool waits = false;
    bool done = store_seal_some(store, &waits, NULL) == VARVE_OK && !waits;
    pthread_mutex_lock(&store->lock);
    store->seal_at = done ? store->seal_rows : waiting(store) + store->seal_rows / 4;
    pthread_mutex_unlock(&store->lock);
}

enum varve_status
store_append(struct store *store, const struct rowset *rows, const struct eventset *events,
             struct varve_appended *appended, struct varve_err *err)
{
    struct append_request mine = {.rows = rows, .events = events};
    bool is_full = false;
    pthread_mutex_lock(&store->queue_lock);
    *store->queue_end = &mine;
    store->queue_end = &mine.next;
    while (store->has_leader && !mine.done)
        pthread_cond_wait(&store->queue_moved, &store->queue_lock);
    if (!mine.done) {
        struct append_request *group = store->queue;
        store->queue = NULL;
        store->queue_end = &store->queue;
        store->has_leader = true;
        pthread_mutex_unlock(&store->queue_lock);
        is_full = lead(store, group);
        pthread_mutex_lock(&store->queue_lock);
        for (struct append_request *r = group, *next; r; r = next) {
            next = r->next; /* r may be gone once it is done */
            r->done = true;
        }
        store->has_leader = false;
        pthread_cond_broadcast(&store->queue_moved);
    }
    pthread_mutex_unlock(&store->queue_lock);
    if (is_full)
        seal_by_itself(store);
    if (mine.status != VARVE_OK && err)
        *err = mine.err;
    if (mine.status == VARVE_OK && appended)
        *appended = mine.appended;
    return mine.status;
}
