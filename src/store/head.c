/* SPDX-License-Identifier: Apache-2.0
 *
 * head.c -- the journal in memory, with chains of rows per series and streams
 * per counter.
 *
 * Most points are newer than everything their series has here and are told new
 * by one comparison.  A late one walks the chain of its series, back to where it would have been in
 * time; when such walks have become long, rows are found by the hash of their identity instead, in
 * a table that is made then and kept up from then on.
 */
#include "store/head.h"

#include <stdio.h>

#include "base/clock.h"
#include "store/sealed.h"

/* Chains may cost so much a row, and some more; the table costs about the same. */
enum { CHAIN_PATIENCE = 8, CHAIN_PATIENCE_MORE = 1024 };

enum varve_status
head_init(struct head *head, struct mem *mem, uint64_t seed, struct varve_err *err)
{
    memset(head, 0, sizeof *head);
    head->mem = mem;
    head->seed = seed;
    head->next_seq = 1;
    hash_table_init(&head->stream_table, mem);
    hash_table_init(&head->event_table, mem);
    hash_table_init(&head->row_table, mem);
    TRY(rowset_init(&head->rows, mem, seed, err));
    return eventset_init(&head->events, mem, seed, err);
}

void head_free(struct head *head)
{
    if (!head->mem)
        return;
    rowset_free(&head->rows);
    eventset_free(&head->events);
    hash_table_free(&head->stream_table);
    hash_table_free(&head->event_table);
    hash_table_free(&head->row_table);
    mem_free(head->mem, head->series, head->series_capacity * sizeof *head->series);
    mem_free(head->mem, head->previous, head->previous_capacity * sizeof *head->previous);
    mem_free(head->mem, head->streams, head->stream_capacity * sizeof *head->streams);
    mem_free(head->mem, head->entries, head->entry_capacity * sizeof *head->entries);
    mem_free(head->mem, head->days, head->day_capacity * sizeof *head->days);
    memset(head, 0, sizeof *head);
}

enum varve_status head_reset(struct head *head, struct varve_err *err)
{
    struct mem *mem = head->mem;
    uint64_t seed = head->seed;
    head_free(head);
    return head_init(head, mem, seed, err);
}

/* ---- adding ------------------------------------------------------------ */

static enum varve_status cover_series(struct head *head, struct varve_err *err)
{
    TRY(mem_grow(head->mem, (void **)&head->series, &head->series_capacity, head->rows.series_count,
                 sizeof *head->series, err));
    for (; head->indexed_series < head->rows.series_count; head->indexed_series++)
        head->series[head->indexed_series] = (struct head_series){INT64_MIN, HASH_NONE};
    return VARVE_OK;
}

static void cover_row(struct head *head, size_t at)
{
    struct row *row = &head->rows.rows[at];
    struct head_series *s = &head->series[row->series];
    head->previous[at] = s->last_row;
    s->last_row = (uint32_t)at;
    row->is_newest = row->end >= s->last_end;
    if (row->is_newest)
        s->last_end = row->end;
}

/* Brings chains up to date with rows that came into the rowset. */
static enum varve_status cover_rows(struct head *head, struct varve_err *err)
{
    if (head->indexed_series < head->rows.series_count)
        TRY(cover_series(head, err));
    if (head->previous_capacity < head->rows.row_count)
        TRY(mem_grow(head->mem, (void **)&head->previous, &head->previous_capacity,
                     head->rows.row_count, sizeof *head->previous, err));
    for (; head->indexed_rows < head->rows.row_count; head->indexed_rows++)
        cover_row(head, head->indexed_rows);
    return VARVE_OK;
}

enum varve_status head_add_row(struct head *head, const struct row *row, struct varve_err *err)
{
    if (head->rows.row_count >= HASH_NONE - 1)
        return fail(err, VARVE_LIMIT, "journal",
                    "too many rows are waiting to be sealed: call varve_seal");
    TRY(rowset_row(&head->rows, row, err));
    return cover_rows(head, err);
}

enum varve_status head_add_event(struct head *head, const struct eventset *from,
                                 const struct event *event, uint32_t *texts, struct varve_err *err)
{
    TRY(eventset_import_mapped(&head->events, from, event, texts, err));
    if (hash_table_get(&head->event_table, event->identity) != HASH_NONE)
        return VARVE_OK;
    return hash_table_add(&head->event_table, event->identity, 1, err);
}

struct stretch head_mark(const struct head *head)
{
    return (struct stretch){0, head->rows.row_count, 0, head->events.count};
}

/* Counts rows or events of one day and table. */
static enum varve_status
count_day(struct head *head, int32_t day, uint32_t table, uint64_t count, struct varve_err *err)
{
    for (size_t i = head->day_count; i-- > 0;)
        if (head->days[i].day == day && head->days[i].table == table) {
            head->days[i].count += count;
            return VARVE_OK;
        }
    TRY(mem_grow(head->mem, (void **)&head->days, &head->day_capacity, head->day_count + 1,
                 sizeof *head->days, err));
    head->days[head->day_count++] = (struct head_day){day, table, count};
    return VARVE_OK;
}

/* Most rows are of the day of the one before them. */
static enum varve_status
count_rows(struct head *head, struct head_entry *entry, struct varve_err *err)
{
    const struct row *rows = head->rows.rows;
    size_t to = entry->stretch.row_to;
    for (size_t i = entry->stretch.row_from, next; i < to; i = next) {
        int32_t day = day_of(rows[i].end);
        int64_t first = day_start(day), end = day_start(day + 1);
        for (next = i + 1; next < to && rows[next].end >= first && rows[next].end < end;)
            next++;
        entry->last_day = day > entry->last_day ? day : entry->last_day;
        TRY(count_day(head, day, 0, next - i, err));
    }
    return VARVE_OK;
}

enum varve_status
head_entry_done(struct head *head, uint64_t seq, struct stretch from, struct varve_err *err)
{
    TRY(mem_grow(head->mem, (void **)&head->entries, &head->entry_capacity, head->entry_count + 1,
                 sizeof *head->entries, err));
    struct stretch all = head_mark(head);
    struct head_entry entry = {
        seq, {from.row_to, all.row_to, from.event_to, all.event_to}, INT32_MIN};
    TRY(count_rows(head, &entry, err));
    for (size_t i = entry.stretch.event_from; i < entry.stretch.event_to; i++) {
        const struct event *event = &head->events.events[i];
        int32_t day = day_of(event->time);
        entry.last_day = day > entry.last_day ? day : entry.last_day;
        TRY(count_day(head, day, event->table + 1, 1, err));
    }
    head->entries[head->entry_count++] = entry;
    head->next_seq = seq + 1;
    return VARVE_OK;
}

/* ---- reading the journal ----------------------------------------------- */

static struct h128 stream_key(const struct head *head, uint32_t series, int64_t start)
{
    struct h128 when = {(uint64_t)start, 1};
    return h128_pair(head->rows.series[series].hash, when);
}

/* Rows from `from` on were written by others: what their streams had reached here is out of
 * date. */
static void forget_streams(struct head *head, size_t from)
{
    for (size_t i = from; head->stream_count > 0 && i < head->rows.row_count; i++) {
        const struct row *row = &head->rows.rows[i];
        if (row->mode == ROW_DELTA || row->mode == ROW_GAUGE)
            continue;
        uint32_t known =
            hash_table_get(&head->stream_table, stream_key(head, row->series, row->start));
        if (known != HASH_NONE)
            head->streams[known].is_loaded = 0;
    }
}

/* One part of an entry, decoded into the head. */
static enum varve_status
load_part(struct head *head, const struct journal_part *part, uint64_t seed,
          struct text_codec *texts, struct arena *arena, const char *place, struct varve_err *err)
{
    if (part->table == 0) {
        struct segment segment;
        TRY(segment_open(&segment, arena, texts, part->bytes, part->size, seed, place, err));
        size_t from = head->rows.row_count;
        TRY(segment_load(&segment, &head->rows, err));
        forget_streams(head, from);
        return cover_rows(head, err);
    }
    struct table table;
    size_t from = head->events.count;
    TRY(table_open(&table, arena, texts, part->bytes, part->size, seed, place, err));
    TRY(table_load(&table, &head->events, err));
    for (size_t i = from; i < head->events.count; i++)
        if (hash_table_get(&head->event_table, head->events.events[i].identity) == HASH_NONE)
            TRY(hash_table_add(&head->event_table, head->events.events[i].identity, 1, err));
    return VARVE_OK;
}

static enum varve_status
load_entry(struct head *head, const struct buf *entry, uint64_t seq,
           const struct catalogue *catalogue, int64_t floor, uint64_t store_seed,
           struct text_codec *texts, struct arena *arena, struct varve_err *err)
{
    struct stretch from = head_mark(head);
    struct journal_cursor cursor = {0, 0};
    struct journal_part part;
    while (journal_part(entry, &cursor, &part)) {
        const struct day_record *sealed = catalogue_find(catalogue, part.day, part.table);
        if ((sealed && seq <= sealed->watermark) || day_start(part.day) < floor)
            continue;
        char place[80], day[INSTANT_TEXT];
        day_text(part.day, day);
        snprintf(place, sizeof place, "main.mdb, journal %llu, %s", (unsigned long long)seq, day);
        TRY(load_part(head, &part, part_seed(store_seed, part.day, part.table, seq), texts, arena,
                      place, err));
        arena_clear(arena);
    }
    return head_entry_done(head, seq, from, err);
}

enum varve_status head_catch_up(struct head *head, struct txn *txn, const struct state *state,
                                const struct catalogue *catalogue, uint64_t store_seed,
                                struct text_codec *texts, struct varve_err *err)
{
    struct buf entry;
    struct arena arena;
    enum varve_status status = VARVE_OK;
    bool from_start = head->next_seq <= state->first_seq;
    uint64_t found = 0;
    buf_init(&entry, head->mem, JOURNAL_ENTRY_MAX);
    arena_init(&arena, head->mem, 1 << 16);
    for (uint64_t seq = head->next_seq; seq < state->next_seq; seq++) {
        status = journal_next(txn, &seq, err);
        if (status == VARVE_NOTFOUND || (status == VARVE_OK && seq >= state->next_seq)) {
            status = VARVE_OK;
            break;
        }
        TRYOUT(status);
        TRYOUT(journal_get(txn, seq, &entry, err));
        TRYOUT(
            load_entry(head, &entry, seq, catalogue, state->floor, store_seed, texts, &arena, err));
        found++;
    }
    if (from_start && found != state->entries) {
        status = fail(err, VARVE_CORRUPT, "main.mdb",
                      "the journal has %llu entries where the state says %llu",
                      (unsigned long long)found, (unsigned long long)state->entries);
        goto out;
    }
    head->next_seq = state->next_seq;
out:
    arena_free(&arena);
    buf_free(&entry);
    return status;
}

/* ---- questions --------------------------------------------------------- */

static struct h128 row_identity(const struct head *head, const struct row *row)
{
    struct h128 what = {(uint64_t)row->value, (uint64_t)row->mode << 1 | row->is_float};
    struct h128 when = {(uint64_t)row->start, (uint64_t)row->end};
    return h128_pair(h128_pair(head->rows.series[row->series].hash, when), what);
}

/* The table's keys are identities; equal rows (an ADJUST twice, say) are entered once. */
static enum varve_status
find_by_identity(struct head *head, const struct row *row, bool *has, struct varve_err *err)
{
    for (; head->row_table_to < head->rows.row_count; head->row_table_to++) {
        struct h128 key = row_identity(head, &head->rows.rows[head->row_table_to]);
        if (hash_table_get(&head->row_table, key) == HASH_NONE)
            TRY(hash_table_add(&head->row_table, key, (uint32_t)head->row_table_to, err));
    }
    *has = hash_table_get(&head->row_table, row_identity(head, row)) != HASH_NONE;
    return VARVE_OK;
}

enum varve_status
head_has(struct head *head, const struct row *row, bool *has, struct varve_err *err)
{
    *has = false;
    if (row->series >= head->indexed_series || row->end > head->series[row->series].last_end)
        return VARVE_OK;
    if (head->row_table_to > 0)
        return find_by_identity(head, row, has, err);
    size_t patience = head->rows.row_count * CHAIN_PATIENCE + CHAIN_PATIENCE_MORE;
    for (uint32_t at = head->series[row->series].last_row; at != HASH_NONE;
         at = head->previous[at]) {
        const struct row *known = &head->rows.rows[at];
        if (row_same(known, row)) {
            *has = true;
            return VARVE_OK;
        }
        if (known->is_newest && known->end < row->end)
            return VARVE_OK; /* as are all before it */
        if (++head->walked > patience)
            return find_by_identity(head, row, has, err);
    }
    return VARVE_OK;
}

enum varve_status head_collect(const struct head *head, uint32_t series, int64_t start,
                               struct row_list *rows, struct varve_err *err)
{
    if (series >= head->indexed_series)
        return VARVE_OK;
    for (uint32_t at = head->series[series].last_row; at != HASH_NONE; at = head->previous[at]) {
        const struct row *row = &head->rows.rows[at];
        if (row->start == start && row->mode != ROW_DELTA && row->mode != ROW_GAUGE)
            TRY(row_list_add(rows, row, err));
    }
    return VARVE_OK;
}

enum varve_status head_stream(struct head *head, uint32_t series, int64_t start, uint32_t *stream,
                              bool *fresh, struct varve_err *err)
{
    struct h128 key = stream_key(head, series, start);
    *stream = hash_table_get(&head->stream_table, key);
    if (*stream == HASH_NONE) {
        TRY(mem_grow(head->mem, (void **)&head->streams, &head->stream_capacity,
                     head->stream_count + 1, sizeof *head->streams, err));
        TRY(hash_table_add(&head->stream_table, key, (uint32_t)head->stream_count, err));
        *stream = (uint32_t)head->stream_count++;
        head->streams[*stream] = (struct stream){0};
    }
    struct stream *s = &head->streams[*stream];
    *fresh = !s->is_loaded;
    if (*fresh)
        *s = (struct stream){
            .series = series, .start = start, .last_end = INT64_MIN, .is_loaded = 1};
    return VARVE_OK;
}

bool head_has_day(const struct head *head, int32_t day)
{
    for (size_t i = 0; i < head->day_count; i++)
        if (head->days[i].day == day && head->days[i].table == 0)
            return head->days[i].count > 0;
    return false;
}

bool head_has_event(const struct head *head, struct h128 identity)
{
    return hash_table_get(&head->event_table, identity) != HASH_NONE;
}
