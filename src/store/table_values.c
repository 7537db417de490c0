/* SPDX-License-Identifier: Apache-2.0
 *
 * table_values.c -- columns of a table segment as queries see them.
 *
 * The cells of a column lie close together on disk; they are decoded to the
 * front of an array of one entry a row and then moved apart, the last one first,
 * to the rows that have them.
 *
 * Numbers in a column of texts get their texts here and share the code of an
 * equal text, so that a query which groups by the column sees one group.
 */
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/number_text.h"
#include "store/table_format.h"

/* ---- one type ---- */

static void spread_ints(int64_t *values, const uint64_t *present, uint32_t rows, uint32_t cells)
{
    for (uint32_t row = rows; row-- > 0;)
        values[row] = bit_of(present, row) ? values[--cells] : 0;
}

static void spread_floats(double *values, const uint64_t *present, uint32_t rows, uint32_t cells)
{
    for (uint32_t row = rows; row-- > 0;)
        values[row] = bit_of(present, row) ? values[--cells] : 0;
}

static void spread_codes(uint32_t *values, const uint64_t *present, uint32_t rows, uint32_t cells)
{
    for (uint32_t row = rows; row-- > 0;)
        values[row] = bit_of(present, row) ? values[--cells] : 0;
}

static enum varve_status int_values(struct table *table, uint32_t index, struct arena *arena,
                                    struct table_values *values, struct varve_err *err)
{
    const struct table_column *column = &table->columns[index];
    struct column ints;
    TRY(table_section(table, TABLE_INTS, index, COLUMN_INTS, column->cells, &ints, err));
    int64_t *array = arena_alloc(arena, table->rows * sizeof *array);
    if (!array)
        return fail_nomem(err, table->rows * sizeof *array);
    TRY(column_int_range(&ints, 0, column->cells, array, err));
    uint64_t all = 0;
    for (uint32_t i = 0; column->type == VARVE_BOOL && i < column->cells; i++)
        all |= (uint64_t)array[i];
    if (all > 1)
        return table_damaged(table, column, "a bool is neither 0 nor 1", err);
    if (values->present)
        spread_ints(array, values->present, table->rows, column->cells);
    values->ints = array;
    return VARVE_OK;
}

static enum varve_status float_values(struct table *table, uint32_t index, struct arena *arena,
                                      struct table_values *values, struct varve_err *err)
{
    uint32_t cells = table->columns[index].cells;
    struct column floats;
    TRY(table_section(table, TABLE_FLOATS, index, COLUMN_FLOATS, cells, &floats, err));
    double *array = arena_alloc(arena, table->rows * sizeof *array);
    if (!array)
        return fail_nomem(err, table->rows * sizeof *array);
    TRY(column_float_range(&floats, 0, cells, array, err));
    if (values->present)
        spread_floats(array, values->present, table->rows, cells);
    values->floats = array;
    return VARVE_OK;
}

static enum varve_status text_values(struct table *table, uint32_t index, struct arena *arena,
                                     struct table_values *values, struct varve_err *err)
{
    uint32_t cells = table->columns[index].cells;
    struct table_dict dict;
    TRY(table_dictionary(table, index, arena, &dict, err));
    uint32_t *codes = arena_alloc(arena, table->rows * sizeof *codes);
    if (!codes)
        return fail_nomem(err, table->rows * sizeof *codes);
    TRY(table_codes(table, index, cells, &dict, codes, err));
    if (values->present)
        spread_codes(codes, values->present, table->rows, cells);
    values->codes = codes;
    values->texts = dict.texts;
    values->text_count = dict.count;
    return VARVE_OK;
}

/* The cells' own types where they are mixed. */
static enum varve_status own_types(struct table *table, uint32_t index, struct arena *arena,
                                   struct table_values *values, struct varve_err *err)
{
    struct table_cells cells;
    if (!table->columns[index].mixed)
        return VARVE_OK;
    TRY(table_cells(table, index, arena, &cells, err));
    uint8_t *types = arena_zalloc(arena, table->rows);
    if (!types)
        return fail_nomem(err, table->rows);
    for (uint32_t row = 0, cell = 0; row < table->rows && cell < cells.count; row++)
        if (!values->present || bit_of(values->present, row))
            types[row] = cells.types ? cells.types[cell++] : values->type;
    values->types = types;
    return VARVE_OK;
}

/* ---- numbers among texts ---- */

/* The texts seen so far and their codes. */
struct legend {
    struct hash_table table;
    struct arena *arena;
    struct varve_str *texts;
    uint32_t count;
};

static struct h128 hash_of(struct varve_str text)
{
    return hash128(text.data, text.size, 0);
}

static enum varve_status
legend_code(struct legend *legend, struct varve_str text, uint32_t *code, struct varve_err *err)
{
    struct h128 hash = hash_of(text);
    *code = hash_table_get(&legend->table, hash);
    if (*code != HASH_NONE)
        return VARVE_OK;
    text.data = arena_copy(legend->arena, text.data, text.size);
    if (!text.data)
        return fail_nomem(err, text.size);
    TRY(hash_table_add(&legend->table, hash, legend->count, err));
    *code = legend->count;
    legend->texts[legend->count++] = text;
    return VARVE_OK;
}

/* Codes of the cells; texts of the dictionary keep theirs. */
static enum varve_status number_codes(struct legend *legend, const struct table_cells *cells,
                                      uint32_t *codes, struct varve_err *err)
{
    for (uint32_t i = 0; i < cells->text_count; i++) {
        legend->texts[legend->count] = cells->texts[i];
        if (hash_table_get(&legend->table, hash_of(cells->texts[i])) == HASH_NONE)
            TRY(hash_table_add(&legend->table, hash_of(cells->texts[i]), legend->count, err));
        legend->count++;
    }
    for (uint32_t i = 0; i < cells->count; i++) {
        char text[NUMBER_TEXT];
        if (cells->types[i] == VARVE_TEXT) {
            codes[i] = (uint32_t)cells->bits[i] + 1;
            continue;
        }
        size_t size = number_text((enum varve_type)cells->types[i], cells->bits[i], text);
        TRY(legend_code(legend, (struct varve_str){text, size}, &codes[i], err));
    }
    return VARVE_OK;
}

static enum varve_status mixed_text_values(struct table *table, uint32_t index, struct arena *arena,
                                           struct table_values *values, struct varve_err *err)
{
    struct table_cells cells;
    TRY(table_cells(table, index, arena, &cells, err));
    struct legend legend = {.arena = arena, .count = 1};
    size_t room = mem_array(1 + (size_t)cells.text_count + cells.count, sizeof *legend.texts);
    uint32_t *codes = arena_alloc(arena, table->rows * sizeof *codes);
    legend.texts = arena_alloc(arena, room);
    if (!codes || !legend.texts)
        return fail_nomem(err, room);
    legend.texts[0] = (struct varve_str){"", 0};
    hash_table_init(&legend.table, arena->mem);
    enum varve_status status = number_codes(&legend, &cells, codes, err);
    hash_table_free(&legend.table);
    TRY(status);
    if (values->present)
        spread_codes(codes, values->present, table->rows, cells.count);
    values->codes = codes;
    values->texts = legend.texts;
    values->text_count = legend.count;
    return VARVE_OK;
}

/* ---- all ---- */

enum varve_status table_values(struct table *table, uint32_t column, struct arena *arena,
                               struct table_values *values, struct varve_err *err)
{
    const struct table_column *head = &table->columns[column];
    *values = (struct table_values){.type = head->type};
    TRY(table_present(table, column, arena, &values->present, err));
    TRY(own_types(table, column, arena, values, err));
    switch (head->type) {
    case VARVE_TEXT:
        return head->mixed ? mixed_text_values(table, column, arena, values, err)
                           : text_values(table, column, arena, values, err);
    case VARVE_FLOAT:
        return float_values(table, column, arena, values, err);
    default:
        return int_values(table, column, arena, values, err);
    }
}

enum varve_status
table_times(struct table *table, struct arena *arena, const int64_t **times, struct varve_err *err)
{
    int64_t *array = arena_alloc(arena, table->rows * sizeof *array);
    if (!array)
        return fail_nomem(err, table->rows * sizeof *array);
    TRY(column_int_range(&table->time, 0, table->rows, array, err));
    *times = array;
    return VARVE_OK;
}
