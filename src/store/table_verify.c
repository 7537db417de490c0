/* SPDX-License-Identifier: Apache-2.0
 *
 * table_verify.c -- whether a table segment is what its builder would have made.
 *
 * Checksums find bytes that changed; this also finds segments that were built
 * wrong: rows out of order, classes wider than their cells need,
 * dictionaries with a text twice or a text nobody uses, statistics that are not those of
 * their blocks, sections no column owns.  Any of these would make a query
 * answer wrongly without anybody noticing.
 *
 * It does not compare compressed bytes, since another version of the compressor may
 * make others, nor the order of rows that only their identities decide, since
 * the seed of identities is the store's.
 */
#include "base/err.h"
#include "base/fsum.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/table_format.h"

#include <math.h>
#include <string.h>

/* ---- statistics ---- */

static enum varve_status
check_int_block(const struct column *column, uint32_t block, const struct block_stats *stats,
                int *right, struct varve_err *err)
{
    int64_t values[BLOCK_VALUES];
    TRY(column_ints(column, block, values, err));
    int64_t min = values[0], max = values[0];
    i128 sum = 0;
    for (uint32_t i = 0, n = column_block_size(column, block); i < n; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
        sum += values[i];
    }
    *right = stats->min == min && stats->max == max && stats->sum == sum;
    return VARVE_OK;
}

static int same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static enum varve_status
check_float_block(const struct column *column, uint32_t block, const struct block_stats *stats,
                  int *right, struct varve_err *err)
{
    double values[BLOCK_VALUES], min = (double)NAN, max = (double)NAN, high, low;
    struct fsum sum;
    fsum_clear(&sum);
    TRY(column_floats(column, block, values, err));
    for (uint32_t i = 0, n = column_block_size(column, block); i < n; i++) {
        fsum_add(&sum, values[i]);
        if (isnan(values[i]))
            continue;
        min = !(min <= values[i]) ? values[i] : min;
        max = !(max >= values[i]) ? values[i] : max;
    }
    int exact = fsum_split(&sum, &high, &low);
    *right = same(stats->fmin, min) && same(stats->fmax, max) && same(stats->fsum_high, high) &&
             same(stats->fsum_low, low) && stats->fexact == exact;
    return VARVE_OK;
}

/* Every block of a column that needs statistics has them, and they are its own.  owner NULL: of
 * TIME. */
static enum varve_status check_stats(const struct table *table, const struct table_column *owner,
                                     const struct column *column, struct varve_err *err)
{
    if (column->stats != TABLE_STATS(column->count))
        return table_damaged(table, owner, "statistics where there should be none, or none", err);
    for (uint32_t b = 0; column->stats && b < column->blocks; b++) {
        struct block_stats stats;
        int right = 0;
        if (column_block_stats(column, b, &stats) != VARVE_OK)
            return table_damaged(table, owner, "statistics that cannot be read", err);
        if (column->type == COLUMN_INTS)
            TRY(check_int_block(column, b, &stats, &right, err));
        else
            TRY(check_float_block(column, b, &stats, &right, err));
        if (!right)
            return table_damaged(table, owner, "statistics that are not those of their block", err);
    }
    return VARVE_OK;
}

/* ---- one column ---- */

static enum varve_status
check_class(const struct table *table, uint32_t index, const struct table_cells *cells,
            unsigned *types, struct varve_err *err)
{
    const struct table_column *column = &table->columns[index];
    int whole = 1;
    *types = cells->types ? 0 : TYPE_BIT(column->type);
    for (uint32_t i = 0; cells->types && i < cells->count; i++) {
        *types |= TYPE_BIT(cells->types[i]);
        if (cells->types[i] == VARVE_INT && !table_is_whole(cells->bits[i]))
            whole = 0;
    }
    if (table_class(*types, whole) != column->type)
        return table_damaged(table, column, "a class other than its cells need", err);
    if ((*types != TYPE_BIT(column->type)) != column->mixed)
        return table_damaged(table, column, "section TYPES where all cells are of one type", err);
    return VARVE_OK;
}

/* The texts differ from each other and stand in the order they are said to stand in. */
static enum varve_status
check_order(const struct table *table, uint32_t index, const struct table_cells *cells,
            struct hash_table *seen, struct varve_err *err)
{
    const struct table_column *column = &table->columns[index];
    for (uint32_t i = 0; i < cells->text_count; i++) {
        struct h128 hash = hash128(cells->texts[i].data, cells->texts[i].size, 0);
        if (hash_table_get(seen, hash) != HASH_NONE)
            return table_damaged(table, column, "a text that is in section DICT twice", err);
        TRY(hash_table_add(seen, hash, i, err));
        if (cells->dict_order == DICT_ASCENDING && i > 0 &&
            str_compare(cells->texts[i - 1], cells->texts[i]) > 0)
            return table_damaged(table, column, "section DICT is not ascending", err);
    }
    return VARVE_OK;
}

/* Every text is used, and where they stand as they appear, each first after those before it. */
static enum varve_status check_use(const struct table *table, uint32_t index, struct arena *scratch,
                                   const struct table_cells *cells, struct varve_err *err)
{
    const struct table_column *column = &table->columns[index];
    uint32_t used = 0;
    uint8_t *seen = arena_zalloc(scratch, cells->text_count);
    if (!seen)
        return fail_nomem(err, cells->text_count);
    for (uint32_t i = 0; i < cells->count; i++) {
        if (cells->types && cells->types[i] != VARVE_TEXT)
            continue;
        if (seen[cells->bits[i]])
            continue;
        if (cells->dict_order == DICT_APPEARANCE && cells->bits[i] != used)
            return table_damaged(table, column, "section DICT is not in order of appearance", err);
        seen[cells->bits[i]] = 1;
        used++;
    }
    if (used != cells->text_count)
        return table_damaged(table, column, "a text in section DICT that no cell has", err);
    return VARVE_OK;
}

/* INTS and FLOATS of a column that has them; which, follows from class and types. */
static enum varve_status
check_numbers(struct table *table, uint32_t index, const struct table_cells *cells, unsigned types,
              struct varve_err *err)
{
    const struct table_column *column = &table->columns[index];
    struct column numbers;
    uint32_t ints = 0, floats = 0;
    for (uint32_t i = 0; i < cells->count && cells->types; i++) {
        floats += cells->types[i] == VARVE_FLOAT;
        ints += cells->types[i] == VARVE_INT || cells->types[i] == VARVE_BOOL;
    }
    if (column->type == VARVE_INT || (column->type == VARVE_TEXT && ints)) {
        uint32_t n = column->type == VARVE_INT ? cells->count : ints;
        TRY(table_section(table, TABLE_INTS, index, COLUMN_INTS, n, &numbers, err));
        TRY(check_stats(table, column, &numbers, err));
    }
    if (column->type == VARVE_FLOAT || (types & TYPE_BIT(VARVE_FLOAT))) {
        uint32_t n = column->type == VARVE_FLOAT ? cells->count : floats;
        TRY(table_section(table, TABLE_FLOATS, index, COLUMN_FLOATS, n, &numbers, err));
        TRY(check_stats(table, column, &numbers, err));
    }
    return VARVE_OK;
}

static uint32_t sections_of(const struct table *table, uint32_t index, unsigned types)
{
    const struct table_column *column = &table->columns[index];
    uint32_t n = (column->cells < table->rows) + column->mixed;
    if (column->type != VARVE_TEXT)
        return n + 1;
    n += (types & (TYPE_BIT(VARVE_INT) | TYPE_BIT(VARVE_BOOL))) != 0;
    n += (types & TYPE_BIT(VARVE_FLOAT)) != 0;
    return n + (types & TYPE_BIT(VARVE_TEXT) ? 2 : 0);
}

static enum varve_status check_column(struct table *table, uint32_t index, struct arena *scratch,
                                      uint32_t *sections, struct varve_err *err)
{
    struct table_cells cells;
    unsigned types;
    struct hash_table seen;
    TRY(table_cells(table, index, scratch, &cells, err));
    TRY(check_class(table, index, &cells, &types, err));
    *sections += sections_of(table, index, types);
    TRY(check_numbers(table, index, &cells, types, err));
    if (!(types & TYPE_BIT(VARVE_TEXT)))
        return VARVE_OK;
    hash_table_init(&seen, scratch->mem);
    enum varve_status status = check_order(table, index, &cells, &seen, err);
    hash_table_free(&seen);
    TRY(status);
    return check_use(table, index, scratch, &cells, err);
}

/* ---- the order of the rows ---- */

/* Compares each row with the one before in one sort column; what is undecided so far has order
 * 0, decided and in order -1, decided and out of order 1. */
static enum varve_status compare_by(struct table *table, uint32_t column, struct arena *scratch,
                                    int8_t *order, struct varve_err *err)
{
    struct table_cells cells;
    const struct varve_str *before = NULL, *text;
    TRY(table_cells(table, column, scratch, &cells, err));
    for (uint32_t row = 0, i = 0; row < table->rows; row++, before = text) {
        text = NULL;
        if (!cells.present || bit_of(cells.present, row)) {
            uint8_t type = cells.types ? cells.types[i] : table->columns[column].type;
            text = type == VARVE_TEXT ? &cells.texts[cells.bits[i]] : NULL;
            i++;
        }
        if (row == 0 || order[row] != 0 || before == text)
            continue;
        int c = !before ? -1 : !text ? 1 : str_compare(*before, *text);
        order[row] = (int8_t)((c > 0) - (c < 0));
    }
    return VARVE_OK;
}

static enum varve_status
check_rows(struct table *table, struct arena *scratch, int8_t *order, struct varve_err *err)
{
    const int64_t *times;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (int k = 0; k < TABLE_SORT_COLUMNS; k++) {
        uint32_t column = table_find_column(table, table_sort_columns[k]);
        arena_clear(scratch);
        if (column != UINT32_MAX)
            TRY(compare_by(table, column, scratch, order, err));
    }
    arena_clear(scratch);
    TRY(table_times(table, scratch, &times, err));
    for (uint32_t row = 0; row < table->rows; row++) {
        first = times[row] < first ? times[row] : first;
        last = times[row] > last ? times[row] : last;
        if (order[row] > 0 || (row > 0 && order[row] == 0 && times[row - 1] > times[row]))
            return table_damaged(table, NULL, "its rows are out of order", err);
    }
    if (first != table->blob.head.first || last != table->blob.head.last)
        return table_damaged(table, NULL, "its head names other times than its rows have", err);
    return VARVE_OK;
}

/* ---- all ---- */

static enum varve_status verify(struct table *table, struct arena *scratch, struct varve_err *err)
{
    uint32_t sections = 2; /* META, TIME */
    TRY(check_stats(table, NULL, &table->time, err));
    for (uint32_t c = 0; c < table->column_count; c++) {
        arena_clear(scratch);
        TRY(check_column(table, c, scratch, &sections, err));
    }
    if (sections != table->blob.sections)
        return table_damaged(table, NULL, "sections that belong to no column", err);
    int8_t *order = mem_zalloc(scratch->mem, table->rows);
    if (!order)
        return fail_nomem(err, table->rows);
    enum varve_status status = check_rows(table, scratch, order, err);
    mem_free(scratch->mem, order, table->rows);
    return status;
}

enum varve_status table_verify(struct table *table, struct varve_err *err)
{
    struct arena scratch;
    TRY(blob_verify(&table->blob, err));
    arena_init(&scratch, table->arena->mem, 1 << 14);
    enum varve_status status = verify(table, &scratch, err);
    arena_free(&scratch);
    return status;
}
