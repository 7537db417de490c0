/* SPDX-License-Identifier: Apache-2.0
 *
 * catalogue_op.h -- what the files of CATALOGUE share: lists of what there is.
 */
#ifndef EXEC_CATALOGUE_OP_H
#define EXEC_CATALOGUE_OP_H

#include "exec/exec.h"
#include "store/scan.h"

/* A list on its way into a relation. */
struct listing {
    struct op *op;
    struct exec *exec;
    const struct node *node;
    struct relation rows;
    struct arena arena;
    uint64_t at;              /* rows given out */
    bool is_made, is_sorted;  /* rows are in the order in which they are to be given */
    enum varve_status status; /* of a callback that failed */
    struct varve_err *err;
};

/* Adds a row of the node's columns, texts copied.  Answers 0, or 1 with listing->status set, as
 * the callbacks of lists do. */
int listing_add(struct listing *listing, const struct value *cells);

/* "counter". */
const char *listing_kind(enum varve_kind kind);

enum varve_status list_values(struct listing *listing, struct varve_err *err) VARVE_CHECKED;
enum varve_status list_series(struct listing *listing, struct varve_err *err) VARVE_CHECKED;
enum varve_status list_description(struct listing *listing, struct varve_err *err) VARVE_CHECKED;

/* The names of all labels of a metric, or all columns of a table, in the listing's arena. */
enum varve_status
listing_columns(struct listing *listing, struct varve_str of, bool is_metric,
                struct varve_str **names, size_t *count, struct varve_err *err) VARVE_CHECKED;

#endif
