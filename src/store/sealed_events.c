/* SPDX-License-Identifier: Apache-2.0
 *
 * sealed_events.c -- tables of identities of sealed events, made when needed.
 */
#include "store/sealed_events.h"

#include "base/clock.h"

void sealed_events_init(struct sealed_events *sealed, struct mem *mem, struct segfiles *files,
                        struct text_codec *texts, uint64_t seed)
{
    *sealed = (struct sealed_events){.mem = mem, .files = files, .texts = texts, .seed = seed};
    for (int i = 0; i < EVENT_INDEXES; i++)
        hash_table_init(&sealed->indexes[i].identities, mem);
}

void sealed_events_free(struct sealed_events *sealed)
{
    for (int i = 0; i < EVENT_INDEXES; i++)
        hash_table_free(&sealed->indexes[i].identities);
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
    for (uint32_t i = 0; i < table.rows; i++)
        if (hash_table_get(&index->identities, identities[i]) == HASH_NONE)
            TRY(hash_table_add(&index->identities, identities[i], 1, err));
    return VARVE_OK;
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

enum varve_status
sealed_events_has(struct sealed_events *sealed, const struct day_record *day, int64_t time,
                  struct h128 identity, bool *has, struct varve_err *err)
{
    *has = false;
    if (time < day->first || time > day->last)
        return VARVE_OK;
    int at = 0;
    while (at < EVENT_INDEXES &&
           (sealed->indexes[at].day != day->day || sealed->indexes[at].table != day->table ||
            sealed->indexes[at].generation != day->generation))
        at++;
    bool missing = at == EVENT_INDEXES;
    struct event_index index = sealed->indexes[missing ? EVENT_INDEXES - 1 : at];
    memmove(sealed->indexes + 1, sealed->indexes,
            (size_t)(missing ? EVENT_INDEXES - 1 : at) * sizeof index);
    if (missing) {
        hash_table_clear(&index.identities);
        index.generation = 0;
        sealed->indexes[0] = index;
        TRY(index_make(sealed, day, &sealed->indexes[0], err));
    } else {
        sealed->indexes[0] = index;
    }
    *has = hash_table_get(&sealed->indexes[0].identities, identity) != HASH_NONE;
    return VARVE_OK;
}
