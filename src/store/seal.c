/* SPDX-License-Identifier: Apache-2.0
 *
 * seal.c -- builds days out of journal rows.
 */
#include "store/seal.h"

#include "base/clock.h"
#include "store/change.h"

/* So many times seal_rows may wait for a day that holds much already. */
#define SEAL_PATIENCE 4

/* Rows of one (day, table) on their way into a segment. */
struct sealing {
    int32_t day;
    uint32_t table;
    struct rowset rows;
    struct eventset events;
};

struct seal_job {
    struct store *store;
    struct change change;
    struct sealing *parts;
    size_t count;
    struct segment_builder segments;
    struct table_builder tables;
    struct varve_sealed sealed;
};

/* ---- under the lock: copying rows out of the head ----------------------- */

static enum varve_status copy_rows(struct sealing *to, const struct rowset *from,
                                   const struct part *part, uint32_t *map, struct varve_err *err)
{
    TRY(rowset_init(&to->rows, from->mem, from->texts.seed, err));
    memset(map, 0xff, from->series_count * sizeof *map);
    for (uint32_t i = 0; i < part->count; i++) {
        struct row row = from->rows[part->index[i]];
        if (map[row.series] == HASH_NONE)
            TRY(rowset_import(&to->rows, from, row.series, &map[row.series], err));
        row.series = map[row.series];
        TRY(rowset_row(&to->rows, &row, err));
    }
    return VARVE_OK;
}

static enum varve_status copy_events(struct sealing *to, const struct eventset *from,
                                     const struct part *part, struct varve_err *err)
{
    TRY(eventset_init(&to->events, from->mem, from->texts.seed, err));
    for (uint32_t i = 0; i < part->count; i++)
        TRY(eventset_import(&to->events, from, &from->events[part->index[i]], err));
    return VARVE_OK;
}

static enum varve_status
copy_parts(struct seal_job *job, const struct partition *parts, struct varve_err *err)
{
    struct store *store = job->store;
    const struct head *head = &store->head;
    uint32_t *map =
        arena_alloc(&store->scratch, mem_array(head->rows.series_count + 1, sizeof *map));
    job->parts = mem_zalloc(&store->mem, mem_array(parts->count, sizeof *job->parts));
    if (!job->parts || !map)
        return fail_nomem(err, parts->count * sizeof *job->parts);
    job->count = parts->count;
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *p = &parts->parts[i];
        struct sealing *s = &job->parts[i];
        s->day = p->day;
        if (p->events) {
            s->table = store_table_number(store, intern_text(&head->events.texts, p->table));
            TRY(copy_events(s, &head->events, p, err));
        } else {
            TRY(copy_rows(s, &head->rows, p, map, err));
        }
    }
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

/* Adds what the day holds already. */
static enum varve_status load_old(struct seal_job *job, struct sealing *part,
                                  const struct day_record *old, struct varve_err *err)
{
    struct store *store = job->store;
    struct segfile_id file_id = {month_of_day(old->day), old->file_generation};
    struct segment_id id = {old->day, old->table, old->generation};
    uint64_t seed = segment_seed(store->identity.seed, old->day, old->table, old->generation);
    struct segfile *file;
    struct arena arena;
    const uint8_t *bytes;
    size_t size;
    char place[INSTANT_TEXT];
    enum varve_status status;
    day_text(old->day, place);
    TRY(segfile_acquire(store->files, file_id, &file, err));
    arena_init(&arena, &store->mem, 1 << 16);
    TRYOUT(segfile_get(file, id, &bytes, &size, err));
    if (part->table == 0) {
        struct segment segment;
        TRYOUT(segment_open(&segment, &arena, job->segments.texts, bytes, size, seed, place, err));
        TRYOUT(segment_load(&segment, &part->rows, err));
    } else {
        struct table table;
        TRYOUT(table_open(&table, &arena, job->tables.texts, bytes, size, seed, place, err));
        TRYOUT(table_load(&table, &part->events, err));
    }
out:
    arena_free(&arena);
    segfile_release(store->files, file);
    return status;
}

/* The generation must be new in the month's file, where a crash may have left one that the
 * catalogue never named, even of a day that it does not know. */
static enum varve_status next_generation(const struct seal_job *job, const struct move *move,
                                         uint64_t *generation, struct varve_err *err)
{
    uint64_t newest = 0;
    struct segfile_id file = {month_of_day(move->record.day), 0};
    file.generation = change_month_file(&job->change, file.month);
    if (file.generation != 0)
        TRY(segfile_newest(job->store->files, file, move->record.day, move->record.table, &newest,
                           err));
    *generation = (newest > move->old.generation ? newest : move->old.generation) + 1;
    return VARVE_OK;
}

/* What the catalogue says of a segment is what the segment says of itself. */
static enum varve_status
describe(struct seal_job *job, struct move *move, uint64_t seed, struct varve_err *err)
{
    struct arena arena;
    struct day_record *record = &move->record;
    const struct blob *blob;
    struct segment segment;
    struct table table;
    enum varve_status status;
    arena_init(&arena, &job->store->mem, 1 << 12);
    record->points = record->series = 0;
    if (record->table == 0) {
        TRYOUT(segment_open(&segment, &arena, job->segments.texts, move->bytes.data,
                            move->bytes.size, seed, "seal", err));
        blob = &segment.blob;
        for (uint32_t m = 0; m < segment.metric_count; m++) {
            record->points += segment.metrics[m].points;
            record->series += segment.metrics[m].series;
        }
    } else {
        TRYOUT(table_open(&table, &arena, job->tables.texts, move->bytes.data, move->bytes.size,
                          seed, "seal", err));
        blob = &table.blob;
        record->points = table.rows;
    }
    record->rows = blob->head.rows;
    record->first = blob->head.first;
    record->last = blob->head.last;
out:
    arena_free(&arena);
    return status;
}

static enum varve_status
seal_part(struct seal_job *job, struct sealing *part, struct varve_err *err)
{
    struct store *store = job->store;
    struct move *move;
    job->sealed.rows += part->table ? part->events.count : part->rows.row_count;
    TRY(change_add(&job->change, part->day, part->table, &move, err));
    TRY(next_generation(job, move, &move->record.generation, err));
    if (move->had_old)
        TRY(load_old(job, part, &move->old, err));
    move->record.watermark = job->change.watermark;
    uint64_t seed =
        segment_seed(store->identity.seed, part->day, part->table, move->record.generation);
    if (part->table == 0)
        TRY(segment_build(&job->segments, &part->rows, NULL, part->rows.row_count, seed,
                          &move->bytes, err));
    else
        TRY(table_build(&job->tables, &part->events, NULL, part->events.count, seed, &move->bytes,
                        err));
    TRY(buf_status(&move->bytes, err));
    return describe(job, move, seed, err);
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
    TRY(segment_builder_init(&job->segments, &job->store->mem, err));
    TRY(table_builder_init(&job->tables, &job->store->mem, err));
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
    segment_builder_free(&job->segments);
    table_builder_free(&job->tables);
    if (job->change.store)
        change_free(&job->change);
}

enum varve_status
store_seal(struct store *store, int32_t before, struct varve_sealed *sealed, struct varve_err *err)
{
    struct lock house;
    struct seal_job job = {.store = store};
    if (store->read_only)
        return fail(err, VARVE_READONLY, store->path, "the store is open for reading only");
    TRY(lock_house(&house, store->path, err));
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
    lock_release(&house);
    return status;
}

/* ---- sealing by itself -------------------------------------------------- */

/* What sealing everything would be about. */
struct prospect {
    int32_t newest;  /* the newest day */
    uint64_t rows;   /* all that wait */
    uint64_t sealed; /* rows that their days hold already, and that are built anew with them */
    uint64_t rows_before, sealed_before; /* those of days before the newest */
};

static enum varve_status look_ahead(struct store *store, struct prospect *p, struct varve_err *err)
{
    struct partition parts;
    const struct head *head = &store->head;
    *p = (struct prospect){.newest = INT32_MIN};
    arena_clear(&store->scratch);
    TRY(partition(&head->rows, &head->events, head_mark(head), INT32_MAX, &store->scratch, &parts,
                  err));
    if (parts.count > 0)
        p->newest = parts.parts[parts.count - 1].day;
    for (size_t i = 0; i < parts.count; i++) {
        const struct part *part = &parts.parts[i];
        uint32_t table =
            part->events ? store_table_number(store, intern_text(&head->events.texts, part->table))
                         : 0;
        const struct day_record *old = catalogue_find(store->catalogue, part->day, table);
        bool is_before = part->day < p->newest;
        p->rows += part->count;
        p->sealed += old ? old->rows : 0;
        p->rows_before += is_before ? part->count : 0;
        p->sealed_before += is_before && old ? old->rows : 0;
    }
    return VARVE_OK;
}

/* A day that grows for hours would be built anew again and again: the more it holds, the more rows
 * have to wait for it, up to some times what usually makes an append seal, if there is memory. */
static bool is_worth_it(const struct store *store, const struct prospect *p, bool whole_days)
{
    uint64_t rows = whole_days ? p->rows_before : p->rows;
    uint64_t sealed = whole_days ? p->sealed_before : p->sealed;
    size_t cap = store->mem.cap;
    bool is_tight = cap && atomic_load(&store->mem.used) > cap / 4;
    return sealed <= 2 * rows || is_tight || p->rows >= SEAL_PATIENCE * store->seal_rows;
}

enum varve_status store_seal_some(struct store *store, bool *waits, struct varve_err *err)
{
    struct prospect p = {.newest = INT32_MIN};
    *waits = false;
    pthread_mutex_lock(&store->lock);
    enum varve_status status = store->synced ? look_ahead(store, &p, err) : VARVE_OK;
    pthread_mutex_unlock(&store->lock);
    TRY(status);
    bool whole_days = p.rows_before * 2 >= p.rows;
    *waits = !is_worth_it(store, &p, whole_days);
    if (*waits)
        return VARVE_OK;
    return store_seal(store, whole_days ? p.newest : INT32_MAX, NULL, err);
}
