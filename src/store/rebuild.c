/* SPDX-License-Identifier: Apache-2.0
 *
 * rebuild.c -- builds the segment of a day anew from rows.
 */
#include "store/rebuild.h"

#include "base/clock.h"

enum varve_status rebuild_init(struct rebuild *rebuild, struct store *store, struct varve_err *err)
{
    rebuild->store = store;
    TRY(segment_builder_init(&rebuild->segments, &store->mem, err));
    return table_builder_init(&rebuild->tables, &store->mem, err);
}

void rebuild_free(struct rebuild *rebuild)
{
    segment_builder_free(&rebuild->segments);
    table_builder_free(&rebuild->tables);
}

enum varve_status rebuild_load(struct rebuild *rebuild, const struct day_record *day,
                               struct day_rows *rows, struct varve_err *err)
{
    struct store *store = rebuild->store;
    struct segfile_id file_id = {month_of_day(day->day), day->file_generation};
    struct segment_id id = {day->day, day->table, day->generation};
    uint64_t seed = segment_seed(store->identity.seed, day->day, day->table, day->generation);
    struct segfile *file;
    struct arena arena;
    const uint8_t *bytes;
    size_t size;
    char place[INSTANT_TEXT];
    enum varve_status status;
    day_text(day->day, place);
    TRY(segfile_acquire(store->files, file_id, &file, err));
    arena_init(&arena, &store->mem, 1 << 16);
    TRYOUT(segfile_get(file, id, &bytes, &size, err));
    if (day->table == 0) {
        struct segment segment;
        TRYOUT(
            segment_open(&segment, &arena, rebuild->segments.texts, bytes, size, seed, place, err));
        TRYOUT(segment_load(&segment, rows->points, err));
    } else {
        struct table table;
        TRYOUT(table_open(&table, &arena, rebuild->tables.texts, bytes, size, seed, place, err));
        TRYOUT(table_load(&table, rows->events, err));
    }
out:
    arena_free(&arena);
    segfile_release(store->files, file);
    return status;
}

/* The generation must be new in the month's file, where a crash may have left one that the
 * catalogue never named, even of a day that it does not know. */
static enum varve_status
next_generation(const struct change *change, struct move *move, struct varve_err *err)
{
    uint64_t newest = 0;
    struct segfile_id file = {month_of_day(move->record.day), 0};
    file.generation = change_month_file(change, file.month);
    if (file.generation != 0)
        TRY(segfile_newest(change->store->files, file, move->record.day, move->record.table,
                           &newest, err));
    move->record.generation = (newest > move->old.generation ? newest : move->old.generation) + 1;
    return VARVE_OK;
}

/* What the catalogue says of a segment is what the segment says of itself. */
static enum varve_status
describe(struct rebuild *rebuild, struct move *move, uint64_t seed, struct varve_err *err)
{
    struct arena arena;
    struct day_record *record = &move->record;
    const struct blob *blob;
    struct segment segment;
    struct table table;
    enum varve_status status;
    arena_init(&arena, &rebuild->store->mem, 1 << 12);
    record->points = record->series = 0;
    if (record->table == 0) {
        TRYOUT(segment_open(&segment, &arena, rebuild->segments.texts, move->bytes.data,
                            move->bytes.size, seed, "seal", err));
        blob = &segment.blob;
        for (uint32_t m = 0; m < segment.metric_count; m++) {
            record->points += segment.metrics[m].points;
            record->series += segment.metrics[m].series;
        }
    } else {
        TRYOUT(table_open(&table, &arena, rebuild->tables.texts, move->bytes.data, move->bytes.size,
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

static enum varve_status begin(const struct rebuild *rebuild, const struct change *change,
                               struct move *move, uint64_t *seed, struct varve_err *err)
{
    const struct day_record *record = &move->record;
    TRY(next_generation(change, move, err));
    *seed =
        segment_seed(rebuild->store->identity.seed, record->day, record->table, record->generation);
    return VARVE_OK;
}

static enum varve_status
finish(struct rebuild *rebuild, struct move *move, uint64_t seed, struct varve_err *err)
{
    TRY(buf_status(&move->bytes, err));
    return describe(rebuild, move, seed, err);
}

enum varve_status rebuild_points(struct rebuild *rebuild, const struct change *change,
                                 struct move *move, const struct rowset *rows,
                                 const uint32_t *index, size_t count, struct varve_err *err)
{
    uint64_t seed;
    TRY(begin(rebuild, change, move, &seed, err));
    TRY(segment_build(&rebuild->segments, rows, index, count, seed, &move->bytes, err));
    return finish(rebuild, move, seed, err);
}

enum varve_status rebuild_day(struct rebuild *rebuild, const struct change *change,
                              struct move *move, const struct day_rows *rows, struct varve_err *err)
{
    uint64_t seed;
    if (move->record.table == 0 && !rows->is_extract)
        return rebuild_points(rebuild, change, move, rows->points, NULL, 0, err);
    TRY(begin(rebuild, change, move, &seed, err));
    if (rows->is_extract)
        TRY(segment_build_extract(&rebuild->segments, rows->points, seed, &move->bytes, err));
    else
        TRY(table_build(&rebuild->tables, rows->events, NULL, rows->events->count, seed,
                        &move->bytes, err));
    return finish(rebuild, move, seed, err);
}
