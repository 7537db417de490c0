/* SPDX-License-Identifier: Apache-2.0
 *
 * snapshot.c -- takes snapshots and opens their segments.
 */
#include "store/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/text_codec.h"

#define EPOCH_TRIES 100

static uint32_t number_of_table(void *context, struct varve_str name)
{
    return store_table_number(context, name);
}

static int compare_sources(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return (x->memory != NULL) - (y->memory != NULL);
}

static size_t count_memory(const struct views *views)
{
    size_t n = 0;
    for (size_t i = 0; i < views->count; i++)
        n += views->list[i].count;
    return n;
}

static void add_memory(struct snapshot *s, const struct views *views)
{
    for (size_t i = 0; i < views->count; i++)
        for (size_t k = 0; k < views->list[i].count; k++) {
            struct memseg *m = views->list[i].segments[k];
            atomic_fetch_add(&m->references, 1);
            s->held[s->held_count++] = m;
            s->sources[s->source_count++] = (struct source){.day = m->day,
                                                            .table = m->table,
                                                            .rows = m->rows,
                                                            .seed = m->seed,
                                                            .first = m->first,
                                                            .last = m->last,
                                                            .memory = m};
        }
}

static void add_sealed(struct snapshot *s, const struct store *store)
{
    for (size_t i = 0; i < store->catalogue->count; i++) {
        const struct day_record *d = &store->catalogue->days[i];
        s->sources[s->source_count++] = (struct source){
            .day = d->day,
            .table = d->table,
            .file_generation = d->file_generation,
            .generation = d->generation,
            .rows = d->rows,
            .seed = segment_seed(store->identity.seed, d->day, d->table, d->generation),
            .first = d->first,
            .last = d->last};
    }
}

/* Under the lock, with store and transaction in step. */
static enum varve_status take(struct snapshot *s, struct varve_err *err)
{
    struct store *store = s->store;
    struct view_tools tools = {&store->head,    &store->segment_builder, &store->table_builder,
                               &store->scratch, number_of_table,         store};
    TRY(views_cover(&store->views, &tools, err));
    size_t memory = count_memory(&store->views);
    s->sources =
        arena_alloc(&s->arena, mem_array(store->catalogue->count + memory + 1, sizeof *s->sources));
    s->held = arena_alloc(&s->arena, mem_array(memory + 1, sizeof *s->held));
    s->tables = arena_alloc(&s->arena, mem_array(store->tables.count + 1, sizeof *s->tables));
    if (!s->sources || !s->held || !s->tables)
        return fail_nomem(err, store->catalogue->count * sizeof *s->sources);
    for (size_t i = 0; i < store->tables.count; i++) {
        struct varve_str name = store->tables.names[i];
        s->tables[i] = (struct varve_str){arena_copy(&s->arena, name.data, name.size), name.size};
        if (!s->tables[i].data)
            return fail_nomem(err, name.size);
    }
    s->table_count = store->tables.count;
    add_sealed(s, store);
    add_memory(s, &store->views);
    qsort(s->sources, s->source_count, sizeof *s->sources, compare_sources);
    return VARVE_OK;
}

static enum varve_status current_epoch(struct store *store, uint64_t *epoch, struct varve_err *err)
{
    struct txn *txn;
    TRY(store_begin_read(store, &txn, err));
    enum varve_status status = store_sync(store, txn, err);
    txn_abort(txn);
    *epoch = store->state.epoch;
    return status;
}

/* The epoch is locked first and looked at again: nobody can have unlinked its files in between. */
static enum varve_status lock_and_take(struct snapshot *s, struct varve_err *err)
{
    struct store *store = s->store;
    uint64_t epoch, again;
    TRY(current_epoch(store, &epoch, err));
    for (int tries = 0; tries < EPOCH_TRIES; tries++, epoch = again) {
        if (store->open_lock.fd >= 0)
            TRY(lock_epoch(&s->epoch, store->path, epoch, err));
        TRY(current_epoch(store, &again, err));
        if (again == epoch)
            return take(s, err);
        lock_release(&s->epoch);
    }
    return fail(err, VARVE_BUSY, store->path,
                "the catalogue changes faster than a snapshot can be taken");
}

enum varve_status snapshot_open(struct store *store, struct snapshot **out, struct varve_err *err)
{
    struct snapshot *s = mem_zalloc(&store->mem, sizeof *s);
    if (!s)
        return fail_nomem(err, sizeof *s);
    s->store = store;
    s->epoch.fd = -1;
    s->mem = &store->mem;
    arena_init(&s->arena, &store->mem, 1 << 14);
    enum varve_status status = text_codec_make(&s->texts, &store->mem, err);
    if (status == VARVE_OK) {
        pthread_mutex_lock(&store->lock);
        status = lock_and_take(s, err);
        pthread_mutex_unlock(&store->lock);
    }
    if (status == VARVE_OK)
        *out = s;
    else
        snapshot_close(s);
    return status;
}

enum varve_status
snapshot_view(struct snapshot *whole, struct snapshot **view, struct varve_err *err)
{
    struct mem *mem = &whole->store->mem;
    struct snapshot *s = mem_zalloc(mem, sizeof *s);
    if (!s)
        return fail_nomem(err, sizeof *s);
    s->store = whole->store;
    s->whole = whole;
    s->epoch.fd = -1;
    s->sources = whole->sources;
    s->source_count = whole->source_count;
    s->tables = whole->tables;
    s->table_count = whole->table_count;
    s->mem = whole->mem;
    arena_init(&s->arena, mem, 1 << 14);
    enum varve_status status = text_codec_make(&s->texts, mem, err);
    if (status == VARVE_OK)
        *view = s;
    else
        snapshot_close(s);
    return status;
}

void snapshot_close(struct snapshot *s)
{
    if (!s)
        return;
    struct mem *mem = &s->store->mem;
    for (size_t i = 0; i < s->held_count; i++)
        memseg_drop(s->held[i]);
    for (size_t i = 0; i < s->pin_count; i++)
        segfile_release(s->store->files, s->pins[i].file);
    mem_free(mem, s->pins, s->pin_capacity * sizeof *s->pins);
    lock_release(&s->epoch);
    text_codec_free(s->texts);
    arena_free(&s->arena);
    mem_free(mem, s, sizeof *s);
}

/* ---- opening sources --------------------------------------------------- */

static enum varve_status
pin_file(struct snapshot *s, struct segfile_id id, struct segfile **file, struct varve_err *err)
{
    for (size_t i = 0; i < s->pin_count; i++)
        if (s->pins[i].id.month == id.month && s->pins[i].id.generation == id.generation) {
            *file = s->pins[i].file;
            return VARVE_OK;
        }
    TRY(mem_grow(&s->store->mem, (void **)&s->pins, &s->pin_capacity, s->pin_count + 1,
                 sizeof *s->pins, err));
    TRY(segfile_acquire(s->store->files, id, file, err));
    s->pins[s->pin_count++] = (struct pin){id, *file};
    return VARVE_OK;
}

enum varve_status
snapshot_bytes(struct snapshot *snapshot, const struct source *source, const uint8_t **bytes,
               size_t *size, char place[64], struct varve_err *err)
{
    char day[INSTANT_TEXT];
    day_text(source->day, day);
    if (source->memory) {
        snprintf(place, 64, "journal, %s", day);
        *bytes = source->memory->bytes;
        *size = source->memory->size;
        return VARVE_OK;
    }
    struct segfile *file;
    struct segfile_id file_id = {month_of_day(source->day), source->file_generation};
    struct segment_id id = {source->day, source->table, source->generation};
    snprintf(place, 64, "sealed %s, table %u", day, source->table);
    TRY(pin_file(snapshot, file_id, &file, err));
    return segfile_get(file, id, bytes, size, err);
}

enum varve_status
snapshot_segment(struct snapshot *snapshot, struct source *source, struct arena *arena,
                 struct segment *segment, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    char place[64];
    TRY(snapshot_bytes(snapshot, source, &bytes, &size, place, err));
    return segment_open_again(segment, arena, snapshot->texts, bytes, size, source->seed, place,
                              &source->seen, err);
}

enum varve_status snapshot_table(struct snapshot *snapshot, const struct source *source,
                                 struct arena *arena, struct table *table, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    char place[64];
    TRY(snapshot_bytes(snapshot, source, &bytes, &size, place, err));
    return table_open(table, arena, snapshot->texts, bytes, size, source->seed, place, err);
}

enum varve_status snapshot_check(struct snapshot *s, struct varve_err *err)
{
    return s->check ? s->check(s->check_context, err) : VARVE_OK;
}

uint32_t snapshot_table_number(const struct snapshot *snapshot, struct varve_str name)
{
    for (size_t i = 0; i < snapshot->table_count; i++)
        if (str_equal(snapshot->tables[i], name))
            return (uint32_t)(i + 1);
    return 0;
}
