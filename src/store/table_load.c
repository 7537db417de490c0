/* SPDX-License-Identifier: Apache-2.0
 *
 * table_load.c -- the events of a table segment as they went in.
 *
 * Columns are decoded one at a time and dealt out to the rows: first it is
 * counted how many cells each row has, then every cell is put where it belongs.
 * Columns are taken in the order of their numbers in the set, so the cells of
 * a row come out sorted.  Identities are sums over cells and grow the same way,
 * with each text of a dictionary hashed once.
 *
 * Invariant: what is loaded has the identities of what was built, cell by cell of
 * the same type and the same bits.
 */
#include "base/err.h"
#include "store/table_format.h"

#include <string.h>

/* ---- the cells of one column ---- */

static enum varve_status cell_types(struct table *table, uint32_t index, struct arena *arena,
                                    const uint8_t **types, struct varve_err *err)
{
    static const unsigned allowed[] = {
        [VARVE_INT] = TYPE_BIT(VARVE_INT) | TYPE_BIT(VARVE_BOOL),
        [VARVE_FLOAT] = TYPE_BIT(VARVE_INT) | TYPE_BIT(VARVE_FLOAT) | TYPE_BIT(VARVE_BOOL),
        [VARVE_BOOL] = TYPE_BIT(VARVE_BOOL),
        [VARVE_TEXT] = TYPE_BIT(VARVE_INT) | TYPE_BIT(VARVE_FLOAT) | TYPE_BIT(VARVE_BOOL) |
                       TYPE_BIT(VARVE_TEXT),
    };
    const struct table_column *column = &table->columns[index];
    struct column ints;
    int64_t block[BLOCK_VALUES];
    *types = NULL;
    if (!column->mixed)
        return VARVE_OK;
    TRY(table_section(table, TABLE_TYPES, index, COLUMN_INTS, column->cells, &ints, err));
    uint8_t *array = arena_alloc(arena, column->cells);
    if (!array)
        return fail_nomem(err, column->cells);
    for (uint32_t b = 0; b < ints.blocks; b++) {
        TRY(column_ints(&ints, b, block, err));
        for (uint32_t i = 0, n = column_block_size(&ints, b); i < n; i++) {
            if (block[i] < VARVE_INT || block[i] > VARVE_TEXT ||
                !(allowed[column->type] & TYPE_BIT(block[i])))
                return table_damaged(table, column, "a type that cannot be there", err);
            array[(size_t)b * BLOCK_VALUES + i] = (uint8_t)block[i];
        }
    }
    *types = array;
    return VARVE_OK;
}

static uint32_t count_types(const struct table_cells *cells, unsigned types)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < cells->count; i++)
        n += (types & TYPE_BIT(cells->types[i])) != 0;
    return n;
}

/* INTS of n values into bits. */
static enum varve_status
read_ints(struct table *table, uint32_t index, uint32_t n, int64_t *bits, struct varve_err *err)
{
    struct column ints;
    TRY(table_section(table, TABLE_INTS, index, COLUMN_INTS, n, &ints, err));
    return column_int_range(&ints, 0, n, bits, err);
}

/* FLOATS of n values, their bits into bits. */
static enum varve_status
read_floats(struct table *table, uint32_t index, uint32_t n, int64_t *bits, struct varve_err *err)
{
    struct column floats;
    double block[BLOCK_VALUES];
    TRY(table_section(table, TABLE_FLOATS, index, COLUMN_FLOATS, n, &floats, err));
    for (uint32_t b = 0; b < floats.blocks; b++) {
        TRY(column_floats(&floats, b, block, err));
        memcpy(bits + (size_t)b * BLOCK_VALUES, block,
               column_block_size(&floats, b) * sizeof *block);
    }
    return VARVE_OK;
}

/* Texts of n cells: the dictionary, and indices into it. */
static enum varve_status
read_texts(struct table *table, uint32_t index, uint32_t n, struct arena *arena,
           struct table_cells *cells, int64_t *bits, struct varve_err *err)
{
    struct table_dict dict;
    TRY(table_dictionary(table, index, arena, &dict, err));
    uint32_t *codes = arena_alloc(arena, n * sizeof *codes);
    if (!codes)
        return fail_nomem(err, n * sizeof *codes);
    TRY(table_codes(table, index, n, &dict, codes, err));
    for (uint32_t i = 0; i < n; i++)
        bits[i] = codes[i] - 1;
    cells->texts = dict.texts + 1;
    cells->text_count = dict.count - 1;
    cells->dict_order = dict.order;
    return VARVE_OK;
}

/* The ints and bools that a column of doubles holds as whole doubles. */
static enum varve_status
undo_floats(const struct table *table, uint32_t index, const struct table_cells *cells,
            int64_t *bits, struct varve_err *err)
{
    for (uint32_t i = 0; i < cells->count; i++) {
        if (cells->types[i] == VARVE_FLOAT)
            continue;
        double value = double_of_bits(bits[i]);
        int64_t whole = value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : INT64_MAX;
        if (bits_of_double((double)whole) != bits[i])
            return table_damaged(table, &table->columns[index], "an int that is not whole", err);
        bits[i] = whole;
    }
    return VARVE_OK;
}

/* The streams of a column of texts with numbers in it, merged by their types. */
static enum varve_status
merge_texts(struct table *table, uint32_t index, struct arena *arena, struct table_cells *cells,
            int64_t *bits, struct varve_err *err)
{
    uint32_t n = 0, ints = count_types(cells, TYPE_BIT(VARVE_INT) | TYPE_BIT(VARVE_BOOL));
    uint32_t floats = count_types(cells, TYPE_BIT(VARVE_FLOAT));
    uint32_t texts = cells->count - ints - floats;
    int64_t *stream[3]; /* ints, floats, texts */
    int64_t *all = arena_alloc(arena, cells->count * sizeof *all);
    if (!all)
        return fail_nomem(err, cells->count * sizeof *all);
    stream[0] = all;
    stream[1] = all + ints;
    stream[2] = all + ints + floats;
    if (ints)
        TRY(read_ints(table, index, ints, stream[0], err));
    if (floats)
        TRY(read_floats(table, index, floats, stream[1], err));
    if (texts)
        TRY(read_texts(table, index, texts, arena, cells, stream[2], err));
    for (; n < cells->count; n++) {
        uint8_t type = cells->types[n];
        bits[n] = *stream[type == VARVE_TEXT ? 2 : type == VARVE_FLOAT ? 1 : 0]++;
    }
    return VARVE_OK;
}

static enum varve_status check_bools(const struct table *table, uint32_t index,
                                     const struct table_cells *cells, struct varve_err *err)
{
    const struct table_column *column = &table->columns[index];
    if (!cells->types && column->type != VARVE_BOOL)
        return VARVE_OK;
    for (uint32_t i = 0; i < cells->count; i++)
        if ((!cells->types || cells->types[i] == VARVE_BOOL) && (cells->bits[i] & ~INT64_C(1)))
            return table_damaged(table, column, "a bool is neither 0 nor 1", err);
    return VARVE_OK;
}

enum varve_status table_cells(struct table *table, uint32_t column, struct arena *arena,
                              struct table_cells *cells, struct varve_err *err)
{
    uint32_t n = table->columns[column].cells;
    uint8_t class = table->columns[column].type;
    *cells = (struct table_cells){.count = n};
    TRY(table_present(table, column, arena, &cells->present, err));
    TRY(cell_types(table, column, arena, &cells->types, err));
    int64_t *bits = arena_alloc(arena, n * sizeof *bits);
    if (!bits)
        return fail_nomem(err, n * sizeof *bits);
    cells->bits = bits;
    if (class == VARVE_TEXT && cells->types)
        TRY(merge_texts(table, column, arena, cells, bits, err));
    else if (class == VARVE_TEXT)
        TRY(read_texts(table, column, n, arena, cells, bits, err));
    else if (class == VARVE_FLOAT)
        TRY(read_floats(table, column, n, bits, err));
    else
        TRY(read_ints(table, column, n, bits, err));
    if (class == VARVE_FLOAT && cells->types)
        TRY(undo_floats(table, column, cells, bits, err));
    return check_bools(table, column, cells, err);
}

/* ---- identities ---- */

/* Adds what a column contributes to the identity of each row. */
static enum varve_status add_identities(struct table *table, uint32_t column, struct arena *arena,
                                        const struct table_cells *cells, uint64_t seed,
                                        struct h128 *sums, struct varve_err *err)
{
    struct varve_str name = table->columns[column].name;
    struct h128 name_hash = hash128(name.data, name.size, seed);
    struct h128 *texts = arena_alloc(arena, cells->text_count * sizeof *texts);
    if (!texts)
        return fail_nomem(err, cells->text_count * sizeof *texts);
    for (uint32_t i = 0; i < cells->text_count; i++) {
        struct h128 text = hash128(cells->texts[i].data, cells->texts[i].size, seed);
        texts[i] = identity_of_cell(name_hash, identity_of_value(VARVE_TEXT, 0, text, seed));
    }
    for (uint32_t row = 0, i = 0; row < table->rows; row++) {
        if (cells->present && !bit_of(cells->present, row))
            continue;
        uint32_t type = cells->types ? cells->types[i] : table->columns[column].type;
        int64_t bits = cells->bits[i++];
        struct h128 cell =
            type == VARVE_TEXT
                ? texts[bits]
                : identity_of_cell(name_hash,
                                   identity_of_value(type, bits, (struct h128){0, 0}, seed));
        sums[row] = h128_add(sums[row], cell);
    }
    return VARVE_OK;
}

static void
finish_identities(const struct table *table, const int64_t *times, uint64_t seed, struct h128 *sums)
{
    struct h128 name = hash128(table->name.data, table->name.size, seed);
    for (uint32_t row = 0; row < table->rows; row++)
        sums[row] = identity_of_event(name, times[row], sums[row], seed);
}

static enum varve_status identities(struct table *table, struct arena *scratch, uint64_t seed,
                                    struct h128 *sums, struct varve_err *err)
{
    const int64_t *times;
    for (uint32_t c = 0; c < table->column_count; c++) {
        struct table_cells cells;
        arena_clear(scratch);
        TRY(table_cells(table, c, scratch, &cells, err));
        TRY(add_identities(table, c, scratch, &cells, seed, sums, err));
    }
    arena_clear(scratch);
    TRY(table_times(table, scratch, &times, err));
    finish_identities(table, times, seed, sums);
    return VARVE_OK;
}

enum varve_status table_identities(struct table *table, struct arena *arena, uint64_t seed,
                                   const struct h128 **result, struct varve_err *err)
{
    struct h128 *sums = arena_zalloc(arena, table->rows * sizeof *sums);
    if (!sums)
        return fail_nomem(err, table->rows * sizeof *sums);
    struct arena scratch;
    arena_init(&scratch, arena->mem, 1 << 14);
    enum varve_status status = identities(table, &scratch, seed, sums, err);
    arena_free(&scratch);
    TRY(status);
    *result = sums;
    return VARVE_OK;
}

/* ---- loading ---- */

/* One load.  What lasts as long is in `kept`, what lasts a column in `scratch`. */
struct load {
    struct table *table;
    struct eventset *set;
    struct arena kept, scratch;
    uint32_t *names;  /* of the columns, interned */
    uint32_t *order;  /* columns by interned name */
    uint16_t *cells;  /* of each row */
    struct cell **at; /* where the next cell of each row goes */
    struct h128 *sums;
};

/* The names in the set; columns are put in the order of these. */
static enum varve_status load_names(struct load *load, struct varve_err *err)
{
    struct table *table = load->table;
    for (uint32_t c = 0; c < table->column_count; c++) {
        TRY(intern_put(&load->set->texts, table->columns[c].name, &load->names[c], err));
        uint32_t at = c;
        for (; at > 0 && load->names[load->order[at - 1]] > load->names[c]; at--)
            load->order[at] = load->order[at - 1];
        load->order[at] = c;
    }
    return VARVE_OK;
}

static enum varve_status count_cells(struct load *load, size_t *total, struct varve_err *err)
{
    struct table *table = load->table;
    *total = 0;
    for (uint32_t c = 0; c < table->column_count; c++) {
        const uint64_t *present;
        arena_clear(&load->scratch);
        TRY(table_present(table, c, &load->scratch, &present, err));
        *total += table->columns[c].cells;
        for (uint32_t row = 0; row < table->rows; row++)
            load->cells[row] += (uint16_t)(!present || bit_of(present, row));
    }
    for (uint32_t row = 0; row < table->rows; row++)
        if (load->cells[row] > EVENT_CELLS_MAX)
            return table_damaged(table, NULL, "a row with more cells than an event may have", err);
    return VARVE_OK;
}

static enum varve_status load_column(struct load *load, uint32_t column, struct varve_err *err)
{
    struct table *table = load->table;
    struct table_cells cells;
    arena_clear(&load->scratch);
    TRY(table_cells(table, column, &load->scratch, &cells, err));
    TRY(add_identities(table, column, &load->scratch, &cells, load->set->texts.seed, load->sums,
                       err));
    uint32_t *ids = arena_alloc(&load->scratch, cells.text_count * sizeof *ids);
    if (!ids)
        return fail_nomem(err, cells.text_count * sizeof *ids);
    for (uint32_t i = 0; i < cells.text_count; i++)
        TRY(intern_put(&load->set->texts, cells.texts[i], &ids[i], err));
    for (uint32_t row = 0, i = 0; row < table->rows; row++) {
        if (cells.present && !bit_of(cells.present, row))
            continue;
        uint32_t type = cells.types ? cells.types[i] : table->columns[column].type;
        int64_t bits = cells.bits[i++];
        *load->at[row]++ = (struct cell){.column = load->names[column],
                                         .type = type,
                                         .bits = type == VARVE_TEXT ? ids[bits] : bits};
    }
    return VARVE_OK;
}

static enum varve_status add_events(struct load *load, struct varve_err *err)
{
    struct table *table = load->table;
    struct eventset *set = load->set;
    const int64_t *times;
    uint32_t name;
    TRY(intern_put(&set->texts, table->name, &name, err));
    arena_clear(&load->scratch);
    TRY(table_times(table, &load->scratch, &times, err));
    TRY(eventset_reserve(set, table->rows, err));
    finish_identities(table, times, set->texts.seed, load->sums);
    for (uint32_t row = 0; row < table->rows; row++)
        set->events[set->count++] = (struct event){.table = name,
                                                   .cells = load->cells[row],
                                                   .time = times[row],
                                                   .cell = load->at[row] - load->cells[row],
                                                   .identity = load->sums[row]};
    return VARVE_OK;
}

static enum varve_status load_all(struct load *load, struct varve_err *err)
{
    struct table *table = load->table;
    size_t rows = table->rows, columns = table->column_count, total;
    load->names = arena_alloc(&load->kept, columns * sizeof *load->names);
    load->order = arena_alloc(&load->kept, columns * sizeof *load->order);
    load->cells = arena_zalloc(&load->kept, rows * sizeof *load->cells);
    load->at = arena_alloc(&load->kept, rows * sizeof(struct cell *));
    load->sums = arena_zalloc(&load->kept, rows * sizeof *load->sums);
    if (!load->names || !load->order || !load->cells || !load->at || !load->sums)
        return fail_nomem(err, rows * sizeof *load->sums);
    TRY(load_names(load, err));
    TRY(count_cells(load, &total, err));
    size_t bytes = mem_array(total, sizeof(struct cell));
    struct cell *cell = total && !bytes ? NULL : arena_alloc(&load->set->arena, bytes);
    if (!cell)
        return fail_nomem(err, bytes);
    for (size_t row = 0; row < rows; row++) {
        load->at[row] = cell;
        cell += load->cells[row];
    }
    for (uint32_t i = 0; i < columns; i++)
        TRY(load_column(load, load->order[i], err));
    return add_events(load, err);
}

enum varve_status table_load(struct table *table, struct eventset *set, struct varve_err *err)
{
    struct load load = {.table = table, .set = set};
    arena_init(&load.kept, set->mem, 1 << 14);
    arena_init(&load.scratch, set->mem, 1 << 14);
    enum varve_status status = load_all(&load, err);
    arena_free(&load.scratch);
    arena_free(&load.kept);
    return status;
}
