/* SPDX-License-Identifier: Apache-2.0
 *
 * sealed_events.c -- sets of identities of sealed events, made when needed.
 *
 * A set is an open-addressing table of the identities themselves, made in one go at the size it
 * needs.  The identity of all zeros stands for a free slot and is kept as another.
 */
#include "store/sealed_events.h"

#include "base/clock.h"

void sealed_events_init(struct sealed_events *sealed, struct mem *mem, struct segfiles *files,
                        struct text_codec *texts, uint64_t seed)
{
    *sealed = (struct sealed_events){.mem = mem, .files = files, .texts = texts, .seed = seed};
}

static void index_free(struct sealed_events *sealed, struct event_index *index)
{
    mem_free(sealed->mem, index->slots, index->capacity * sizeof *index->slots);
    *index = (struct event_index){.generation = 0};
}

void sealed_events_free(struct sealed_events *sealed)
{
    for (int i = 0; i < EVENT_INDEXES; i++)
        index_free(sealed, &sealed->indexes[i]);
}

/* ---- one set -------------------------------------------------------------- */

static bool is_free(const struct h128 *slot)
{
    return (slot->lo | slot->hi) == 0;
}

/* The slot of an identity, which has been made other than zero, or the free one where it would
 * go. */
static struct h128 *find(const struct event_index *index, struct h128 identity)
{
    size_t at = (size_t)((hash_wide)identity.lo * index->capacity >> 64);
    while (!is_free(&index->slots[at]) && !h128_equal(index->slots[at], identity))
        at = at + 1 == index->capacity ? 0 : at + 1;
    return &index->slots[at];
}

static struct h128 other_than_zero(struct h128 identity)
{
    identity.hi += is_free(&identity);
    return identity;
}

static enum varve_status fill(struct sealed_events *sealed, struct event_index *index,
                              const struct h128 *identities, size_t count, struct varve_err *err)
{
    index->capacity = count + count / 3 + 1;
    size_t bytes = mem_array(index->capacity, sizeof *index->slots);
    index->slots = mem_zalloc(sealed->mem, bytes);
    if (!index->slots) {
        index->capacity = 0;
        return fail_nomem(err, bytes);
    }
    for (size_t i = 0; i < count; i++) {
        struct h128 identity = other_than_zero(identities[i]);
        *find(index, identity) = identity;
    }
    return VARVE_OK;
}

static enum varve_status
add_identities(struct sealed_events *sealed, struct segfile *file, const struct day_record *day,
               struct arena *arena, struct event_index *index, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    struct table table;
    const struct h128 *identities;
    char place[INSTANT_TEXT];
    struct segment_id id = {day->day, day->table, day->generation};
    day_text(day->day, place);
    TRY(segfile_get(file, id, &bytes, &size, err));
    TRY(table_open(&table, arena, sealed->texts, bytes, size,
                   segment_seed(sealed->seed, day->day, day->table, day->generation), place, err));
    TRY(table_identities(&table, arena, sealed->seed, &identities, err));
    return fill(sealed, index, identities, table.rows, err);
}

static enum varve_status index_make(struct sealed_events *sealed, const struct day_record *day,
                                    struct event_index *index, struct varve_err *err)
{
    struct segfile *file;
    struct arena arena;
    struct segfile_id id = {month_of_day(day->day), day->file_generation};
    TRY(segfile_acquire(sealed->files, id, &file, err));
    arena_init(&arena, sealed->mem, 1 << 16);
    enum varve_status status = add_identities(sealed, file, day, &arena, index, err);
    arena_free(&arena);
    segfile_release(sealed->files, file);
    if (status == VARVE_OK) {
        index->day = day->day;
        index->table = day->table;
        index->generation = day->generation;
    }
    return status;
}

/* ---- those that stay ------------------------------------------------------- */

/* Brings the set of that day and table to the front; generation 0: it has to be made, in place
 * of an older one of theirs, or of the one used longest ago. */
static struct event_index *to_front(struct sealed_events *sealed, const struct day_record *day)
{
    int at = 0;
    while (at < EVENT_INDEXES - 1 &&
           (sealed->indexes[at].day != day->day || sealed->indexes[at].table != day->table ||
            sealed->indexes[at].generation == 0))
        at++;
    struct event_index index = sealed->indexes[at];
    memmove(sealed->indexes + 1, sealed->indexes, (size_t)at * sizeof index);
    if (index.day != day->day || index.table != day->table || index.generation != day->generation)
        index_free(sealed, &index);
    sealed->indexes[0] = index;
    return &sealed->indexes[0];
}

/* What does not fit beside a new set goes, the one used longest ago first. */
static void make_room(struct sealed_events *sealed, uint64_t rows)
{
    uint64_t slots = rows + rows / 3;
    for (int i = 1; i < EVENT_INDEXES; i++) {
        slots += sealed->indexes[i].capacity;
        if (slots > EVENT_INDEXES_SLOTS)
            index_free(sealed, &sealed->indexes[i]);
    }
}

enum varve_status
sealed_events_has(struct sealed_events *sealed, const struct day_record *day, int64_t time,
                  struct h128 identity, bool *has, struct varve_err *err)
{
    *has = false;
    if (time < day->first || time > day->last)
        return VARVE_OK;
    struct event_index *index = to_front(sealed, day);
    if (index->generation == 0) {
        make_room(sealed, day->rows);
        TRY(index_make(sealed, day, index, err));
    }
    *has = !is_free(find(index, other_than_zero(identity)));
    return VARVE_OK;
}
