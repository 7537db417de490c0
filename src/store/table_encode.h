/* SPDX-License-Identifier: Apache-2.0
 *
 * table_encode.h -- one column of a table segment into its sections; for table_write.c.
 */
#ifndef STORE_TABLE_ENCODE_H
#define STORE_TABLE_ENCODE_H

#include "store/table_format.h"

/* The cells of one column, in the order of the rows. */
struct gathered {
    uint32_t name;   /* interned */
    uint32_t cells;  /* how many there are */
    uint32_t filled; /* how many have been put */
    unsigned types;  /* TYPE_BIT of each type among them */
    int whole;       /* every INT is a double without loss */
    uint32_t *rows;
    uint8_t *type;
    int64_t *bits;
};

/* What encoding needs, once for all columns; every array has room for `rows` entries. */
struct encoder {
    struct table_builder *builder;
    const struct interned *texts; /* of the set */
    uint32_t rows;
    int64_t *ints;
    double *floats;
    uint32_t *number;  /* by interned text: UINT32_MAX, or where it is in a list of distinct ones */
    uint32_t *list;    /* distinct texts by first appearance */
    uint32_t *order;   /* the list by bytes */
    uint32_t *scratch; /* for sorting and ranks */
};

/* Memory for it, from the builder's scratch. */
enum varve_status
encoder_init(struct encoder *encoder, struct table_builder *builder, const struct intern *texts,
             uint32_t rows, struct varve_err *err) VARVE_CHECKED;
/* Finds the distinct texts among n ids: list has them by first appearance, and each id becomes its
 * place in the list.  Answers how many there are. */
size_t encoder_distinct(struct encoder *encoder, int64_t *ids, size_t n);
/* The same, then sorts them: each id becomes its rank, and order has the list by bytes. */
size_t encoder_rank(struct encoder *encoder, int64_t *ids, size_t n);
/* The sections of a column. */
enum varve_status encoder_put(struct encoder *encoder, const struct gathered *column,
                              uint16_t index, struct varve_err *err) VARVE_CHECKED;

#endif
