/* SPDX-License-Identifier: Apache-2.0
 *
 * table_format.h -- what the writer and the readers of a table segment share; not for others.
 */
#ifndef STORE_TABLE_FORMAT_H
#define STORE_TABLE_FORMAT_H

#include "store/table.h"

enum table_section {
    TABLE_META = 1,
    TABLE_TIME = 2,
    TABLE_PRESENT = 3,
    TABLE_TYPES = 4,
    TABLE_INTS = 5,
    TABLE_FLOATS = 6,
    TABLE_DICT = 7,
    TABLE_CODES = 8
};

/* The byte of a column in META: its class, and whether cells of other types are in it. */
enum { TABLE_CLASS = 7, TABLE_MIXED = 8 };

/* The first byte of DICT: how its texts stand. */
enum { DICT_ASCENDING = 0, DICT_APPEARANCE = 1 };

/* Rows stand in the order of their texts in these columns; no text stands first. */
enum { TABLE_SORT_COLUMNS = 3 };
extern const struct varve_str table_sort_columns[TABLE_SORT_COLUMNS];

/* Whether a column of n numbers keeps block statistics: a single block would say little more
 * about itself than the head of the segment does, and most journal entries are that small. */
#define TABLE_STATS(n) ((n) > BLOCK_VALUES)

#define TYPE_BIT(type) (1u << (type))

/* The class of a column that has cells of these types (a bit each).  whole: every INT among them
 * is a double without loss. */
static inline uint8_t table_class(unsigned types, int whole)
{
    if ((types & TYPE_BIT(VARVE_TEXT)) ||
        ((types & TYPE_BIT(VARVE_FLOAT)) && (types & TYPE_BIT(VARVE_INT)) && !whole))
        return VARVE_TEXT;
    if (types & TYPE_BIT(VARVE_FLOAT))
        return VARVE_FLOAT;
    return types & TYPE_BIT(VARVE_INT) ? VARVE_INT : VARVE_BOOL;
}

/* Whether the int is a double without loss. */
static inline int table_is_whole(int64_t value)
{
    double d = (double)value;
    return d < 0x1p63 && (int64_t)d == value;
}

static inline int64_t bits_of_double(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double double_of_bits(int64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- reading ---- */

/* The cells of a column as they came in, one after another, without the rows that lack it. */
struct table_cells {
    uint32_t count;
    const uint64_t *present;       /* bit per row; NULL: every row has a cell */
    const uint8_t *types;          /* NULL: all are of the column's class */
    const int64_t *bits;           /* the int, the bits of the double, or an index into texts */
    const struct varve_str *texts; /* as in DICT */
    uint32_t text_count;
    uint8_t dict_order; /* DICT_ASCENDING, DICT_APPEARANCE */
};
enum varve_status table_cells(struct table *table, uint32_t column, struct arena *arena,
                              struct table_cells *cells, struct varve_err *err) VARVE_CHECKED;
/* A section of a column as `count` values. */
enum varve_status
table_section(struct table *table, enum table_section id, uint32_t index, enum column_type type,
              uint32_t count, struct column *column, struct varve_err *err) VARVE_CHECKED;
/* *present stays NULL where every row has the column. */
enum varve_status table_present(struct table *table, uint32_t column, struct arena *arena,
                                const uint64_t **present, struct varve_err *err) VARVE_CHECKED;
struct table_dict {
    const struct varve_str *texts; /* texts[0] is empty, as code 0 stands for no text */
    uint32_t count;                /* with texts[0] */
    uint8_t order;
};
enum varve_status table_dictionary(struct table *table, uint32_t column, struct arena *arena,
                                   struct table_dict *dict, struct varve_err *err) VARVE_CHECKED;
/* `count` codes into a dictionary, 1 and up. */
enum varve_status
table_codes(struct table *table, uint32_t column, uint32_t count, const struct table_dict *dict,
            uint32_t *codes, struct varve_err *err) VARVE_CHECKED;
/* VARVE_CORRUPT, naming the table and the column (NULL: none). */
enum varve_status table_damaged(const struct table *table, const struct table_column *column,
                                const char *what, struct varve_err *err);

static inline int bit_of(const uint64_t *bits, uint32_t i)
{
    return (int)(bits[i / 64] >> (i % 64) & 1);
}

#endif
