/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h -- the events of one table and day (or journal entry) as columns.
 *
 * Rows are sorted by user, session and time (the columns named in table_write.c,
 * where the table has them), then by identity, so that equal labels stand together
 * and the same rows give the same bytes.
 *
 * A column has one class a segment, the narrowest that holds all its cells
 * without loss: BOOL, INT, FLOAT, TEXT.  Ints and doubles together become FLOAT
 * when every int is a whole double, else TEXT; anything beside text becomes
 * TEXT.  The cells' own types are kept where they differ from the class (TYPES), so that
 * what went in comes out and identities can be recomputed.
 *
 * The class is how a column is seen by queries.  In a TEXT column with numbers in
 * it the numbers are stored as numbers, and only seen as their decimal text.
 *
 * Sections of the blob (docs/format-tables.md has the bytes):
 *
 *   META          name of the table; per column: name, class, whether mixed, cells
 *   TIME          per row
 *   PRESENT [c]   per row 0/1, only where some rows lack the column
 *   TYPES   [c]   per cell its type, only where they are mixed
 *   INTS    [c]   cells of INT and BOOL columns; INT and BOOL cells of mixed TEXT columns
 *   FLOATS  [c]   cells of FLOAT columns; FLOAT cells of mixed TEXT columns
 *   DICT    [c]   distinct texts of TEXT columns, ascending or in order of first appearance
 *   CODES   [c]   cells of TEXT columns that are texts, as indices into DICT
 *
 * TIME, INTS (but of BOOL columns) and FLOATS keep block statistics where they
 * have more than one block, so that scans can skip blocks.
 *
 * What this module does not do: drop events sent twice; look at days or time zones.
 */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include "store/blob.h"
#include "store/column.h"
#include "store/eventset.h"

enum {
    TABLE_ROWS_MAX = 1 << 24, /* a segment */
    TABLE_COLUMNS_MAX = 4096
};

/* What building needs again and again; one a handle, used under its lock. */
struct table_builder {
    struct mem *mem;
    struct arena scratch;
    struct blob_writer writer;
    struct buf work; /* bytes on trial */
    struct text_codec *texts;
};
enum varve_status table_builder_init(struct table_builder *builder, struct mem *mem,
                                     struct varve_err *err) VARVE_CHECKED;
void table_builder_free(struct table_builder *builder);
/* Appends the blob of the events index[0..count) of the set (all events if index is NULL), all of
 * one table, to out.  VARVE_LIMIT: too many rows or columns; nothing was appended. */
enum varve_status
table_build(struct table_builder *builder, const struct eventset *set, const uint32_t *index,
            size_t count, uint64_t seed, struct buf *out, struct varve_err *err) VARVE_CHECKED;

struct table_column {
    struct varve_str name;
    uint8_t type;   /* enum varve_type of the class */
    uint8_t mixed;  /* 1: some cells are of another type */
    uint32_t cells; /* rows that have it */
};
struct table {
    struct blob blob;
    struct arena *arena;
    struct text_codec *texts;
    struct varve_str name;
    uint32_t rows, column_count;
    struct table_column *columns; /* ascending by name */
    struct column time;
};
/* A view over bytes that must outlive it, as the arena must. */
enum varve_status
table_open(struct table *table, struct arena *arena, struct text_codec *texts, const uint8_t *bytes,
           size_t size, uint64_t seed, const char *place, struct varve_err *err) VARVE_CHECKED;
uint32_t table_find_column(const struct table *table, struct varve_str name); /* or UINT32_MAX */

/* One column of the whole segment, decoded into the arena; entries per row, absent rows are 0.
 * present: one bit a row, NULL when every row has it. */
struct table_values {
    uint8_t type;
    const uint64_t *present;
    const int64_t *ints;   /* INT, BOOL */
    const double *floats;  /* FLOAT */
    const uint32_t *codes; /* TEXT: 0 = absent */
    const struct varve_str
        *texts;           /* TEXT: texts[code], distinct but for texts[0], which is empty */
    uint32_t text_count;  /* texts[0] included */
    const uint8_t *types; /* each cell's own, where some are of another type; 0 = absent; or NULL */
};
enum varve_status table_values(struct table *table, uint32_t column, struct arena *arena,
                               struct table_values *values, struct varve_err *err) VARVE_CHECKED;
enum varve_status table_times(struct table *table, struct arena *arena, const int64_t **times,
                              struct varve_err *err) VARVE_CHECKED;
/* Adds every event to a set, in the order of the rows; none on failure. */
enum varve_status
table_load(struct table *table, struct eventset *set, struct varve_err *err) VARVE_CHECKED;
/* The identities of all rows (for finding events sent again); array in the arena.  seed: that of
 * the sets. */
enum varve_status
table_identities(struct table *table, struct arena *arena, uint64_t seed,
                 const struct h128 **identities, struct varve_err *err) VARVE_CHECKED;
/* Reads everything and checks what the builder promises: order, classes, counts, statistics,
 * distinct dictionaries, times inside the head, and no section too many. */
enum varve_status table_verify(struct table *table, struct varve_err *err) VARVE_CHECKED;

#endif
