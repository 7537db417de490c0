/* SPDX-License-Identifier: Apache-2.0
 *
 * table_read.c -- opening a table segment, and the sections of its columns.
 *
 * Opening reads META and the directory of TIME, nothing else; a column is read
 * when it is asked for.  What queries see is made in table_values.c, what went
 * in is made again in table_load.c.
 *
 * Invariant: nothing that is read is believed.  Counts are those that META and
 * the head name, codes lie in their dictionaries, texts are UTF-8; and a column takes
 * memory only for values it has bytes for.
 */
#include "base/err.h"
#include "base/str.h"
#include "store/table_format.h"

#include <stdio.h>
#include <string.h>

enum { SHORTEST_COLUMN = 4 }; /* in META: a name of one byte */

enum varve_status table_damaged(const struct table *table, const struct table_column *column,
                                const char *what, struct varve_err *err)
{
    if (!column)
        return fail(err, VARVE_CORRUPT, table->blob.place, "%s", what);
    return fail(err, VARVE_CORRUPT, table->blob.place, "column \"%.*s\": %s", STR_ARG(column->name),
                what);
}

/* ---- opening ---- */

static struct varve_str read_name(struct reader *r)
{
    uint64_t size = read_varint(r);
    if (size == 0 || size > EVENT_NAME_MAX)
        r->bad = true;
    const char *bytes = (const char *)read_bytes(r, r->bad ? 0 : (size_t)size);
    struct varve_str name = {bytes, r->bad ? 0 : (size_t)size};
    if (!str_is_utf8(name))
        r->bad = true;
    return name;
}

static void read_column(const struct table *table, struct reader *r, struct table_column *column)
{
    column->name = read_name(r);
    uint8_t byte = read8(r);
    uint64_t cells = read_varint(r);
    column->type = byte & TABLE_CLASS;
    column->mixed = (byte & TABLE_MIXED) != 0;
    column->cells = (uint32_t)cells;
    if (byte > (TABLE_CLASS | TABLE_MIXED) || column->type < VARVE_INT ||
        column->type > VARVE_TEXT || cells == 0 || cells > table->rows)
        r->bad = true;
}

static enum varve_status read_meta(struct table *table, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    enum varve_status status = blob_section(&table->blob, TABLE_META, 0, &bytes, &size, err);
    if (status == VARVE_NOTFOUND)
        return table_damaged(table, NULL, "section META is missing", err);
    TRY(status);
    struct reader r = reader_over(bytes, size);
    table->name = read_name(&r);
    uint64_t count = read_varint(&r);
    if (r.bad || count > TABLE_COLUMNS_MAX || count > reader_left(&r) / SHORTEST_COLUMN)
        return table_damaged(table, NULL, "the head of section META is damaged", err);
    table->column_count = (uint32_t)count;
    table->columns = arena_alloc(table->arena, (size_t)count * sizeof *table->columns);
    if (!table->columns)
        return fail_nomem(err, (size_t)count * sizeof *table->columns);
    for (uint32_t i = 0; i < count; i++) {
        struct table_column *column = &table->columns[i];
        read_column(table, &r, column);
        if (r.bad || (i > 0 && str_compare(column[-1].name, column->name) >= 0))
            return table_damaged(table, NULL, "a column in section META is damaged", err);
    }
    if (reader_left(&r) > 0)
        return table_damaged(table, NULL, "bytes behind the last column in section META", err);
    return VARVE_OK;
}

enum varve_status
table_open(struct table *table, struct arena *arena, struct text_codec *texts, const uint8_t *bytes,
           size_t size, uint64_t seed, const char *place, struct varve_err *err)
{
    *table = (struct table){.arena = arena, .texts = texts};
    TRY(blob_open(&table->blob, arena, bytes, size, seed, place, err));
    table->rows = table->blob.head.rows;
    if (table->blob.head.kind != BLOB_TABLE)
        return table_damaged(table, NULL, "it is no segment of events", err);
    if (table->rows == 0 || table->rows > TABLE_ROWS_MAX)
        return table_damaged(table, NULL, "an impossible number of rows", err);
    TRY(read_meta(table, err));
    return table_section(table, TABLE_TIME, 0, COLUMN_INTS, table->rows, &table->time, err);
}

uint32_t table_find_column(const struct table *table, struct varve_str name)
{
    uint32_t from = 0, to = table->column_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int order = str_compare(table->columns[middle].name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return UINT32_MAX;
}

/* ---- sections ---- */

static const char *const section_names[] = {
    [TABLE_META] = "META",   [TABLE_TIME] = "TIME",   [TABLE_PRESENT] = "PRESENT",
    [TABLE_TYPES] = "TYPES", [TABLE_INTS] = "INTS",   [TABLE_FLOATS] = "FLOATS",
    [TABLE_DICT] = "DICT",   [TABLE_CODES] = "CODES",
};

/* Damage of a section; TIME belongs to no column. */
static enum varve_status section_damaged(const struct table *table, enum table_section id,
                                         uint32_t index, const char *what, struct varve_err *err)
{
    char text[96];
    const struct table_column *column = id == TABLE_TIME ? NULL : &table->columns[index];
    snprintf(text, sizeof text, "section %s %s", section_names[id], what);
    return table_damaged(table, column, text, err);
}

enum varve_status
table_section(struct table *table, enum table_section id, uint32_t index, enum column_type type,
              uint32_t count, struct column *column, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    enum varve_status status =
        blob_section(&table->blob, (uint16_t)id, (uint16_t)index, &bytes, &size, err);
    if (status == VARVE_NOTFOUND)
        return section_damaged(table, id, index, "is missing", err);
    TRY(status);
    TRY(column_open(column, bytes, size, (uint8_t)type, table->blob.place, err));
    if (column->count != count)
        return section_damaged(table, id, index, "has another number of values than it should",
                               err);
    return VARVE_OK;
}

enum varve_status table_present(struct table *table, uint32_t column, struct arena *arena,
                                const uint64_t **present, struct varve_err *err)
{
    struct column ints;
    int64_t block[BLOCK_VALUES];
    uint32_t row = 0, cells = 0;
    *present = NULL;
    if (table->columns[column].cells == table->rows)
        return VARVE_OK;
    TRY(table_section(table, TABLE_PRESENT, column, COLUMN_INTS, table->rows, &ints, err));
    uint64_t *bits = arena_zalloc(arena, (table->rows / 64 + 1) * sizeof *bits);
    if (!bits)
        return fail_nomem(err, table->rows / 8);
    for (uint32_t b = 0; b < ints.blocks; b++) {
        TRY(column_ints(&ints, b, block, err));
        for (uint32_t i = 0, n = column_block_size(&ints, b); i < n; i++, row++) {
            if (block[i] & ~INT64_C(1))
                return section_damaged(table, TABLE_PRESENT, column, "has more than 0 and 1", err);
            bits[row / 64] |= (uint64_t)block[i] << (row % 64);
            cells += (uint32_t)block[i];
        }
    }
    if (cells != table->columns[column].cells)
        return section_damaged(table, TABLE_PRESENT, column, "and META count cells differently",
                               err);
    *present = bits;
    return VARVE_OK;
}

enum varve_status table_dictionary(struct table *table, uint32_t column, struct arena *arena,
                                   struct table_dict *dict, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    struct column texts;
    enum varve_status status =
        blob_section(&table->blob, TABLE_DICT, (uint16_t)column, &bytes, &size, err);
    if (status == VARVE_NOTFOUND)
        return section_damaged(table, TABLE_DICT, column, "is missing", err);
    TRY(status);
    if (size == 0 || bytes[0] > DICT_APPEARANCE)
        return section_damaged(table, TABLE_DICT, column, "does not begin with its order", err);
    dict->order = bytes[0];
    TRY(column_open(&texts, bytes + 1, size - 1, COLUMN_TEXTS, table->blob.place, err));
    if (texts.count == 0 || texts.count > table->columns[column].cells)
        return section_damaged(table, TABLE_DICT, column, "has none or too many texts", err);
    size_t room = (1 + (size_t)texts.blocks * BLOCK_VALUES) * sizeof(struct varve_str);
    struct varve_str *all = arena_alloc(arena, room);
    if (!all)
        return fail_nomem(err, room);
    all[0] = (struct varve_str){"", 0};
    for (uint32_t b = 0; b < texts.blocks; b++)
        TRY(column_texts(&texts, table->texts, b, arena, all + 1 + (size_t)b * BLOCK_VALUES, err));
    dict->texts = all;
    dict->count = 1 + texts.count;
    for (uint32_t i = 1; i < dict->count; i++)
        if (all[i].size > EVENT_TEXT_MAX || !str_is_utf8(all[i]))
            return section_damaged(table, TABLE_DICT, column, "has a text that is none", err);
    return VARVE_OK;
}

enum varve_status table_codes(struct table *table, uint32_t column, uint32_t count,
                              const struct table_dict *dict, uint32_t *codes, struct varve_err *err)
{
    struct column ints;
    int64_t block[BLOCK_VALUES];
    TRY(table_section(table, TABLE_CODES, column, COLUMN_INTS, count, &ints, err));
    for (uint32_t b = 0; b < ints.blocks; b++) {
        TRY(column_ints(&ints, b, block, err));
        uint32_t n = column_block_size(&ints, b);
        for (uint32_t i = 0; i < n; i++) {
            if ((uint64_t)block[i] >= dict->count - 1)
                return section_damaged(table, TABLE_CODES, column, "has a code beyond DICT", err);
            codes[(size_t)b * BLOCK_VALUES + i] = (uint32_t)block[i] + 1;
        }
    }
    return VARVE_OK;
}
