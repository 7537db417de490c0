/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_input.h -- the rows of one scan of the store, as batches.
 *
 * The columns are those of the node, then those that only filters need.  Equalities are given to
 * the scan; patterns and conditions on virtual labels are programs over the batch, which decide
 * once a dictionary entry.
 */
#ifndef EXEC_SCAN_INPUT_H
#define EXEC_SCAN_INPUT_H

#include "exec/exec.h"
#include "exec/scan_adjust.h"
#include "exec/term.h"
#include "store/scan.h"

/* Where a column of the batch comes from. */
enum scan_from { FROM_TIME, FROM_START, FROM_VALUE, FROM_COLUMN };
struct scan_column {
    enum scan_from from;
    uint32_t number; /* COLUMN: of the scan */
    const struct lookup *lookup;
    uint32_t field;
    struct varve_str *texts; /* of the lookup, for the dictionary at hand */
    size_t capacity;
    uint32_t segment; /* that texts are for */
    struct varve_dictionary dictionary;
    uint32_t *codes;      /* BATCH_ROWS of them */
    struct value *values; /* the same, where types vary */
};

struct scan_input {
    struct exec *exec;
    const struct node *node;
    struct scan *scan; /* NULL: none is open */
    struct varve_query query;
    struct varve_str *names; /* query.columns */
    struct scan_column *columns;
    struct vector *vectors;
    uint32_t column_count;
    struct program **filters;
    uint32_t filter_count;
    uint32_t segment, scan_segment; /* segment counts those of all scans */
    struct scan_adjust *adjust;     /* of the range at hand; NULL: nothing */
    uint32_t own_names;             /* columns of the scan before the labels that it needs */
    struct value *values;           /* BATCH_ROWS of them, once there was something */
    uint16_t selected[BATCH_ROWS];
};

/* All of it is in the exec's arena, but for what scan_input_free frees. */
enum varve_status
scan_input_init(struct scan_input *in, struct op *op, struct varve_err *err) VARVE_CHECKED;
void scan_input_free(struct scan_input *in);
/* Begins to read [since, until); a scan that is open is closed. */
enum varve_status scan_input_open(struct scan_input *in, int64_t since, int64_t until,
                                  struct varve_err *err) VARVE_CHECKED;
/* Begins to read some of the sources of a table's scan, which has been opened by another one of the
 * same node and has not begun. */
enum varve_status
scan_input_open_part(struct scan_input *in, const struct scan *whole, size_t from, size_t until,
                     struct varve_err *err) VARVE_CHECKED;
void scan_input_close(struct scan_input *in);
/* Rows that pass the filters; there may be none selected. */
enum varve_status
scan_input_next(struct scan_input *in, struct batch *batch, struct varve_err *err) VARVE_CHECKED;

#endif
