/* SPDX-License-Identifier: Apache-2.0
 *
 * seal.c -- builds days out of journal rows.
 */
#include "store/seal.h"

#include "base/clock.h"
#include "store/extract.h"
#include "store/rebuild.h"

/* So many times seal_rows may wait for a day that holds much already. */
#define SEAL_PATIENCE 4

/* Rows of one (day, table) on their way into a segment. */
struct sealing {
    int32_t day;
    uint32_t table;
    bool is_extract;
    struct rowset rows;
    struct eventset events;
};

struct seal_job {
    struct store *store;
    struct change change;
    struct sealing *parts;
    size_t count;
    struct rebuild rebuild;
    struct varve_sealed sealed;
};

/* ---- under the lock: copying rows out of the head ----------------------- */

/* From numbers in the head to numbers in a part. */
struct maps {
    uint32_t *series, *texts; /* texts of rows, or of events */
};

/* The map of so many texts, empty; NULL: the part is so small that clearing it would cost more. */
static uint32_t *clear_texts(const struct maps *maps, size_t count, const struct part *part)
{
    if (count / 8 > part->count)
        return NULL;
    memset(maps->texts, 0xff, count * sizeof *maps->texts);
    return maps->texts;
}

static enum varve_status
copy_rows(struct sealing *to, const struct rowset *from, const struct part *part,
          const struct maps *maps, struct varve_err *err)
{
    uint32_t *map = maps->series, *texts = clear_texts(maps, from->texts.count, part);
    TRY(rowset_init(&to->rows, from->mem, from->texts.seed, err));
    TRY(rowset_grow(&to->rows, part->count, err));
    memset(map, 0xff, from->series_count * sizeof *map);
    for (uint32_t i = 0; i < part->count; i++) {
        struct row row = from->rows[part->index[i]];
        uint32_t *series = &map[row.series];
        if (*series == HASH_NONE)
            TRY(rowset_import_mapped(&to->rows, from, row.series, texts, series, err));
        row.series = *series;
        TRY(rowset_row(&to->rows, &row, err));
    }
    return VARVE_OK;
}

static enum varve_status
copy_events(struct sealing *to, const struct eventset *from, const struct part *part,
            const struct maps *maps, struct varve_err *err)
{
    uint32_t *texts = clear_texts(maps, from->texts.count, part);
    TRY(eventset_init(&to->events, from->mem, from->texts.seed, err));
    TRY(eventset_reserve(&to->events, part->count, err));
    for (uint32_t i = 0; i < part->count; i++)
        TRY(eventset_import_mapped(&to->events, from, &from->events[part->index[i]], texts, err));
    return VARVE_OK;
}

static enum varve_status
make_maps(const struct head *head, struct arena *arena, struct maps *maps, struct varve_err *err)
{
    size_t texts = head->rows.texts.count;
    if (texts < head->events.texts.count)
        texts = head->events.texts.count;
    maps->series = arena_alloc(arena, mem_array(head->rows.series_count + 1, sizeof(uint32_t)));
    maps->texts = arena_alloc(arena, mem_array(texts, sizeof(uint32_t)));
    return maps->series && maps->texts ? VARVE_OK : fail_nomem(err, texts * sizeof(uint32_t));
}

/* Rows of a day that has nothing sealed are only built from; those of others are added to. */
static enum varve_status
copy_part(struct seal_job *job, struct sealing *to, const struct part *part,
          const struct maps *maps, struct extract_maps *extract, struct varve_err *err)
{
    struct store *store = job->store;
    const struct head *head = &store->head;
    to->day = part->day;
    if (part->events) {
        to->table = store_table_number(store, intern_text(&head->events.texts, part->table));
        return copy_events(to, &head->events, part, maps, err);
    }
    if (catalogue_find(job->change.catalogue, part->day, 0))
        return copy_rows(to, &head->rows, part, maps, err);
    to->is_extract = true;
    return extract_rows(extract, &to->rows, &head->rows, part->index, part->count, &store->scratch,
                        err);
}

static enum varve_status
copy_parts(struct seal_job *job, const struct partition *parts, struct varve_err *err)
{
    struct store *store = job->store;
    const struct head *head = &store->head;
    struct maps maps;
    struct extract_maps extract;
    TRY(make_maps(head, &store->scratch, &maps, err));
    TRY(extract_begin(&extract, &head->rows, &store->scratch, err));
    job->parts = mem_zalloc(&store->mem, mem_array(parts->count, sizeof *job->parts));
    if (!job->parts)
        return fail_nomem(err, parts->count * sizeof *job->parts);
    job->count = parts->count;
    for (size_t i = 0; i < parts->count; i++)
        TRY(copy_part(job, &job->parts[i], &parts->parts[i], &maps, &extract, err));
    return VARVE_OK;
}

static enum varve_status collect_locked(struct seal_job *job, int32_t before, struct varve_err *err)
{
    struct store *store = job->store;
    struct partition parts;
    struct txn *txn;
    TRY(store_begin_read(store, &txn, err));
    enum varve_status status = store_sync(store, txn, err);
    txn_abort(txn);
    TRY(status);
    change_init(&job->change, store, store->catalogue);
    job->change.sealed_before = before;
    job->change.watermark = store->state.next_seq - 1;
    arena_clear(&store->scratch);
    TRY(partition(&store->head.rows, &store->head.events, head_mark(&store->head), before,
                  &store->scratch, &parts, err));
    if (parts.count == 0)
        return VARVE_OK;
    return copy_parts(job, &parts, err);
}

/* ---- without the lock: building ----------------------------------------- */

static enum varve_status
seal_part(struct seal_job *job, struct sealing *part, struct varve_err *err)
{
    struct move *move;
    struct day_rows rows = {&part->rows, &part->events, part->is_extract};
    job->sealed.rows += part->table ? part->events.count : part->rows.row_count;
    TRY(change_add(&job->change, part->day, part->table, &move, err));
    if (move->had_old)
        TRY(rebuild_load(&job->rebuild, &move->old, &rows, err));
    move->record.watermark = job->change.watermark;
    return rebuild_day(&job->rebuild, &job->change, move, &rows, err);
}

static void sealing_free(struct sealing *part)
{
    if (part->rows.mem)
        rowset_free(&part->rows);
    if (part->events.mem)
        eventset_free(&part->events);
    memset(part, 0, sizeof *part);
}

static enum varve_status build_all(struct seal_job *job, struct varve_err *err)
{
    TRY(rebuild_init(&job->rebuild, job->store, err));
    for (size_t i = 0; i < job->count; i++) {
        TRY(seal_part(job, &job->parts[i], err));
        job->sealed.days += i == 0 || job->parts[i].day != job->change.moves[i - 1].record.day;
        sealing_free(&job->parts[i]);
    }
    TRY(change_write(&job->change, err));
    job->sealed.bytes = job->change.bytes_written;
    return change_flip(&job->change, err);
}

static void job_free(struct seal_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        sealing_free(&job->parts[i]);
    mem_free(&job->store->mem, job->parts, job->count * sizeof *job->parts);
    rebuild_free(&job->rebuild);
    if (job->change.store)
        change_free(&job->change);
}

enum varve_status store_seal_held(struct store *store, int32_t before, struct varve_sealed *sealed,
                                  struct varve_err *err)
{
    struct seal_job job = {.store = store};
    pthread_mutex_lock(&store->lock);
    enum varve_status status = collect_locked(&job, before, err);
    pthread_mutex_unlock(&store->lock);
    if (status == VARVE_OK && job.count > 0)
        status = build_all(&job, err);
    if (status == VARVE_OK) {
        change_sweep(store);
        if (sealed)
            *sealed = job.sealed;
    }
    job_free(&job);
    return status;
}

enum varve_status
store_seal(struct store *store, int32_t before, struct varve_sealed *sealed, struct varve_err *err)
{
    struct lock house;
    if (store->read_only)
        return fail(err, VARVE_READONLY, store->path, "the store is open for reading only");
    TRY(lock_house(&house, store->path, err));
    enum varve_status status = store_seal_held(store, before, sealed, err);
    lock_release(&house);
    return status;
}

/* ---- sealing by itself -------------------------------------------------- */

/* What sealing everything would be about. */
struct prospect {
    int32_t newest;         /* the newest day */
    uint64_t rows;          /* all that wait */
    uint64_t rows_before;   /* those of days before the newest */
    uint64_t sealed_before; /* what these days hold already, and is built anew with them */
};

static void look_ahead(const struct store *store, struct prospect *p)
{
    const struct head *head = &store->head;
    *p = (struct prospect){.newest = INT32_MIN};
    for (size_t i = 0; i < head->day_count; i++)
        p->newest = head->days[i].day > p->newest ? head->days[i].day : p->newest;
    for (size_t i = 0; i < head->day_count; i++) {
        const struct head_day *d = &head->days[i];
        p->rows += d->count;
        if (d->day == p->newest)
            continue;
        uint32_t table =
            d->table ? store_table_number(store, intern_text(&head->events.texts, d->table - 1))
                     : 0;
        const struct day_record *old = catalogue_find(store->catalogue, d->day, table);
        p->rows_before += d->count;
        p->sealed_before += old ? old->rows : 0;
    }
}

/* A day that grows for hours would be built anew again and again, so the newest day waits for its
 * end, as long as some times what usually makes an append seal is not there, and there is memory.
 * Days before it wait until what came for them is worth building them anew. */
static bool is_worth_it(const struct store *store, const struct prospect *p, bool whole_days)
{
    size_t cap = store->mem.cap;
    bool is_tight = cap && atomic_load(&store->mem.used) > cap / 4;
    return is_tight || p->rows >= SEAL_PATIENCE * store->seal_rows ||
           (whole_days && p->sealed_before <= 2 * p->rows_before);
}

enum varve_status store_seal_some(struct store *store, bool *waits, struct varve_err *err)
{
    struct prospect p = {.newest = INT32_MIN};
    *waits = false;
    pthread_mutex_lock(&store->lock);
    if (store->synced)
        look_ahead(store, &p);
    pthread_mutex_unlock(&store->lock);
    bool whole_days = p.rows_before * 2 >= p.rows;
    *waits = !is_worth_it(store, &p, whole_days);
    if (*waits)
        return VARVE_OK;
    return store_seal(store, whole_days ? p.newest : INT32_MAX, NULL, err);
}
