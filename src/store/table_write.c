/* SPDX-License-Identifier: Apache-2.0
 *
 * table_write.c -- events to a table segment.
 *
 * Two passes over the events: the first counts the cells of each column, then
 * the rows are put in order, and the second deals the cells out to their
 * columns.  Each column is then written by itself (table_encode.c).
 *
 * The rows are sorted by user and session, since that is what events have in
 * common with their neighbours, then by time, and where that does not decide,
 * by identity, which depends on nothing but the event.  Columns stand in the
 * order of their names.  Interned numbers decide nothing.
 *
 * Invariant: the same events in any order, interned in any order, give the same bytes.
 */
#include "base/err.h"
#include "store/sort.h"
#include "store/table_encode.h"
#include "store/text_codec.h"

#include <string.h>

const struct varve_str table_sort_columns[TABLE_SORT_COLUMNS] = {
    {"user.id", 7}, {"user.email", 10}, {"session.id", 10}};

enum { SCRATCH_KEPT = 4 << 20 };

struct row_key {
    uint32_t rank[TABLE_SORT_COLUMNS]; /* 0: no text */
    uint32_t event;
    int64_t time;
};

/* One build; all of it in the builder's scratch. */
struct build {
    struct table_builder *builder;
    const struct eventset *set;
    uint32_t rows;
    struct row_key *keys;
    uint32_t *order;          /* of keys */
    struct gathered *columns; /* by first sight, later by name */
    uint32_t column_count, column_capacity;
    uint32_t *local; /* by interned name: 1 + index into columns */
    struct encoder encoder;
};

enum varve_status
table_builder_init(struct table_builder *builder, struct mem *mem, struct varve_err *err)
{
    memset(builder, 0, sizeof *builder);
    builder->mem = mem;
    arena_init(&builder->scratch, mem, 1 << 16);
    blob_writer_init(&builder->writer, mem);
    buf_init(&builder->work, mem, UINT32_MAX);
    return text_codec_make(&builder->texts, mem, err);
}

void table_builder_free(struct table_builder *builder)
{
    if (builder->texts)
        text_codec_free(builder->texts);
    builder->texts = NULL;
    buf_free(&builder->work);
    blob_writer_free(&builder->writer);
    arena_free(&builder->scratch);
}

static void *take(struct build *build, size_t count, size_t size)
{
    size_t bytes = mem_array(count, size);
    return bytes == 0 && count != 0 ? NULL : arena_alloc(&build->builder->scratch, bytes);
}

/* ---- first pass: which columns, how many cells ---- */

static enum varve_status
column_of(struct build *build, uint32_t name, struct gathered **column, struct varve_err *err)
{
    uint32_t at = build->local[name];
    if (at == 0) {
        if (build->column_count == TABLE_COLUMNS_MAX)
            return fail(err, VARVE_LIMIT, "",
                        "the events of one table and day have more than %d different fields; "
                        "\"%.*s\" is one too many",
                        TABLE_COLUMNS_MAX, STR_ARG(intern_text(&build->set->texts, name)));
        build->columns[build->column_count] = (struct gathered){.name = name, .whole = 1};
        at = build->local[name] = ++build->column_count;
    }
    *column = &build->columns[at - 1];
    return VARVE_OK;
}

static enum varve_status count_cells(struct build *build, struct varve_err *err)
{
    const struct event *events = build->set->events;
    for (uint32_t row = 0; row < build->rows; row++) {
        const struct event *event = &events[build->keys[row].event];
        if (event->table != events[build->keys[0].event].table)
            return fail(err, VARVE_MISUSE, "", "a segment is to be made of events of two tables");
        for (uint32_t i = 0; i < event->cells; i++) {
            const struct cell *cell = &event->cell[i];
            struct gathered *column = NULL;
            TRY(column_of(build, cell->column, &column, err));
            column->cells++;
            column->types |= TYPE_BIT(cell->type);
            if (cell->type == VARVE_INT && !table_is_whole(cell->bits))
                column->whole = 0;
        }
    }
    return VARVE_OK;
}

/* ---- the order of the rows ---- */

static const struct cell *find_cell(const struct event *event, uint32_t column)
{
    for (uint32_t i = 0; i < event->cells && event->cell[i].column <= column; i++)
        if (event->cell[i].column == column)
            return &event->cell[i];
    return NULL;
}

/* The ranks of the rows by their texts in sort column k. */
static void rank_rows(struct build *build, int k)
{
    uint32_t column = intern_find(&build->set->texts, table_sort_columns[k]);
    int64_t *ids = build->encoder.ints;
    size_t n = 0;
    if (column == HASH_NONE || build->local[column] == 0)
        return;
    for (uint32_t row = 0; row < build->rows; row++) {
        const struct cell *cell = find_cell(&build->set->events[build->keys[row].event], column);
        if (!cell || cell->type != VARVE_TEXT)
            continue;
        build->keys[row].rank[k] = 1;
        ids[n++] = cell->bits;
    }
    encoder_rank(&build->encoder, ids, n);
    n = 0;
    for (uint32_t row = 0; row < build->rows; row++)
        if (build->keys[row].rank[k])
            build->keys[row].rank[k] = 1 + (uint32_t)ids[n++];
}

#define COMPARE(a, b)                  \
    do {                               \
        if ((a) != (b))                \
            return (a) < (b) ? -1 : 1; \
    } while (0)

static int compare_rows(const void *context, uint32_t a, uint32_t b)
{
    const struct build *build = context;
    const struct row_key *x = &build->keys[a], *y = &build->keys[b];
    for (int k = 0; k < TABLE_SORT_COLUMNS; k++)
        COMPARE(x->rank[k], y->rank[k]);
    COMPARE(x->time, y->time);
    struct h128 p = build->set->events[x->event].identity;
    struct h128 q = build->set->events[y->event].identity;
    COMPARE(p.hi, q.hi);
    COMPARE(p.lo, q.lo);
    return 0;
}

static void order_rows(struct build *build)
{
    for (int k = 0; k < TABLE_SORT_COLUMNS; k++)
        rank_rows(build, k);
    for (uint32_t row = 0; row < build->rows; row++)
        build->order[row] = row;
    sort_numbers(build->order, build->encoder.scratch, build->rows, compare_rows, build);
}

/* ---- second pass: cells to columns ---- */

static int compare_names(const void *context, uint32_t a, uint32_t b)
{
    const struct build *build = context;
    const struct intern *texts = &build->set->texts;
    return str_compare(intern_text(texts, build->columns[a].name),
                       intern_text(texts, build->columns[b].name));
}

/* Puts the columns into the order of their names, and gives them room for their cells. */
static enum varve_status prepare_columns(struct build *build, struct varve_err *err)
{
    uint32_t count = build->column_count;
    size_t cells = 0;
    uint32_t *order = take(build, count, sizeof *order * 2);
    struct gathered *sorted = take(build, count, sizeof *sorted);
    if (!order || !sorted)
        return fail_nomem(err, count * sizeof *sorted);
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
        cells += build->columns[i].cells;
    }
    sort_numbers(order, order + count, count, compare_names, build);
    uint32_t *rows = take(build, cells, sizeof *rows);
    uint8_t *types = take(build, cells, sizeof *types);
    int64_t *bits = take(build, cells, sizeof *bits);
    if (!rows || !types || !bits)
        return fail_nomem(err, cells * sizeof *bits);
    for (uint32_t i = 0; i < count; i++) {
        struct gathered *column = &sorted[i];
        *column = build->columns[order[i]];
        column->rows = rows;
        column->type = types;
        column->bits = bits;
        rows += column->cells;
        types += column->cells;
        bits += column->cells;
        build->local[column->name] = i + 1;
    }
    build->columns = sorted;
    return VARVE_OK;
}

static void deal_out(struct build *build)
{
    for (uint32_t row = 0; row < build->rows; row++) {
        const struct event *event = &build->set->events[build->keys[build->order[row]].event];
        for (uint32_t i = 0; i < event->cells; i++) {
            const struct cell *cell = &event->cell[i];
            struct gathered *column = &build->columns[build->local[cell->column] - 1];
            uint32_t at = column->filled++;
            column->rows[at] = row;
            column->type[at] = (uint8_t)cell->type;
            column->bits[at] = cell->bits;
        }
    }
}

/* ---- writing ---- */

static void put_str(struct buf *out, struct varve_str text)
{
    buf_put_varint(out, text.size);
    buf_put(out, text.data, text.size);
}

static enum varve_status put_meta(struct build *build, struct varve_err *err)
{
    const struct intern *texts = &build->set->texts;
    struct blob_writer *writer = &build->builder->writer;
    blob_section_begin(writer);
    put_str(&writer->body, intern_text(texts, build->set->events[build->keys[0].event].table));
    buf_put_varint(&writer->body, build->column_count);
    for (uint32_t i = 0; i < build->column_count; i++) {
        const struct gathered *column = &build->columns[i];
        uint8_t class = table_class(column->types, column->whole);
        int mixed = column->types != TYPE_BIT(class);
        put_str(&writer->body, intern_text(texts, column->name));
        buf_put8(&writer->body, (uint8_t)(class | (mixed ? TABLE_MIXED : 0)));
        buf_put_varint(&writer->body, column->cells);
    }
    blob_section_end(writer, TABLE_META, 0);
    return buf_status(&writer->body, err);
}

static enum varve_status
put_times(struct build *build, struct blob_head *head, struct varve_err *err)
{
    struct blob_writer *writer = &build->builder->writer;
    int64_t *times = build->encoder.ints;
    head->first = INT64_MAX;
    head->last = INT64_MIN;
    for (uint32_t row = 0; row < build->rows; row++) {
        int64_t time = times[row] = build->keys[build->order[row]].time;
        head->first = time < head->first ? time : head->first;
        head->last = time > head->last ? time : head->last;
    }
    blob_section_begin(writer);
    TRY(column_put_ints(&writer->body, times, build->rows, TABLE_STATS(build->rows), err));
    blob_section_end(writer, TABLE_TIME, 0);
    return VARVE_OK;
}

static enum varve_status
put_all(struct build *build, uint64_t seed, struct buf *out, struct varve_err *err)
{
    struct blob_head head = {.kind = BLOB_TABLE, .rows = build->rows};
    blob_writer_clear(&build->builder->writer);
    TRY(put_meta(build, err));
    TRY(put_times(build, &head, err));
    for (uint32_t i = 0; i < build->column_count; i++)
        TRY(encoder_put(&build->encoder, &build->columns[i], (uint16_t)i, err));
    return blob_finish(&build->builder->writer, &head, seed, out, err);
}

static enum varve_status prepare(struct build *build, const uint32_t *index, struct varve_err *err)
{
    size_t names = build->set->texts.count;
    size_t columns = names < TABLE_COLUMNS_MAX ? names : TABLE_COLUMNS_MAX;
    build->keys = take(build, build->rows, sizeof *build->keys);
    build->order = take(build, build->rows, sizeof *build->order);
    build->local = take(build, names, sizeof *build->local);
    build->columns = take(build, columns, sizeof *build->columns);
    if (!build->keys || !build->order || !build->local || !build->columns)
        return fail_nomem(err, build->rows * sizeof *build->keys + names * sizeof *build->local);
    memset(build->local, 0, names * sizeof *build->local);
    for (uint32_t row = 0; row < build->rows; row++) {
        uint32_t event = index ? index[row] : row;
        build->keys[row] = (struct row_key){.event = event, .time = build->set->events[event].time};
    }
    return encoder_init(&build->encoder, build->builder, &build->set->texts, build->rows, err);
}

static enum varve_status run(struct build *build, const uint32_t *index, uint64_t seed,
                             struct buf *out, struct varve_err *err)
{
    TRY(prepare(build, index, err));
    TRY(count_cells(build, err));
    order_rows(build);
    TRY(prepare_columns(build, err));
    deal_out(build);
    return put_all(build, seed, out, err);
}

/* Keeps the memory of an everyday build for the next one, and no more. */
static void let_go(struct table_builder *builder)
{
    arena_clear(&builder->scratch);
    if (builder->scratch.size > SCRATCH_KEPT)
        arena_free(&builder->scratch);
    if (builder->work.capacity > SCRATCH_KEPT)
        buf_free(&builder->work);
    if (builder->writer.body.capacity > SCRATCH_KEPT)
        buf_free(&builder->writer.body);
}

enum varve_status
table_build(struct table_builder *builder, const struct eventset *set, const uint32_t *index,
            size_t count, uint64_t seed, struct buf *out, struct varve_err *err)
{
    if (count == 0)
        return fail(err, VARVE_MISUSE, "", "a segment is to be made of no events");
    if (count > TABLE_ROWS_MAX)
        return fail(err, VARVE_LIMIT, "",
                    "%zu events of one table and day; at most %d are possible", count,
                    TABLE_ROWS_MAX);
    struct build build = {.builder = builder, .set = set, .rows = (uint32_t)count};
    enum varve_status status = run(&build, index, seed, out, err);
    let_go(builder);
    return status;
}
