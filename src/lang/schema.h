/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h -- what the binder asks about a store: which names there are and what they mean.
 *
 * An interface, so that this floor knows no store and can be tested and fuzzed with a made-up
 * one.  It is asked for what a statement names and nothing else, because listing the labels of a
 * metric means opening all of its days.
 *
 * Texts that it hands out live as long as the schema.  VARVE_NOTFOUND needs no message: the binder
 * makes one with the help of the lists.
 */
#ifndef LANG_SCHEMA_H
#define LANG_SCHEMA_H

#include "lang/value.h"

enum source_kind { SOURCE_METRIC, SOURCE_TABLE, SOURCE_VIEW };

struct schema_source {
    enum source_kind kind;
    struct varve_str name;  /* the store's: claude_code.cost.usage */
    enum varve_kind metric; /* of a METRIC */
    int scale;              /* of a METRIC: 9: exact decimals */
    struct varve_str unit;  /* of a METRIC */
    struct varve_str text;  /* of a VIEW: the statement it stands for */
};

struct schema_column {
    struct varve_str name;          /* the store's: user.email */
    enum value_type type;           /* TYPE_NULL: it varies */
    struct varve_str lookup, field; /* of a virtual label: `name` is what is looked up */
};

struct schema {
    void *context;
    /* The metric, table or view that a name means in any spelling. */
    enum varve_status (*source)(void *context, struct varve_str name, struct schema_source *source,
                                struct varve_err *err);
    /* The column or label that a name means in any spelling; of a metric: only one that some series
     * of it has, or a virtual one that is made of such a one. */
    enum varve_status (*column)(void *context, const struct schema_source *source,
                                struct varve_str name, struct schema_column *column,
                                struct varve_err *err);
    /* All of them, for messages and for *; the callback returns 0 to go on. */
    enum varve_status (*visit_sources)(void *context,
                                       int (*visit)(void *, const struct schema_source *),
                                       void *visit_context, struct varve_err *err);
    enum varve_status (*visit_columns)(void *context, const struct schema_source *source,
                                       int (*visit)(void *, const struct schema_column *),
                                       void *visit_context, struct varve_err *err);
    /* The text of a setting.  VARVE_NOTFOUND: not set. */
    enum varve_status (*setting)(void *context, struct varve_str name, struct varve_str *value,
                                 struct varve_err *err);
};

#endif
