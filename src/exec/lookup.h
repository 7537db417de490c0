/* SPDX-License-Identifier: Apache-2.0
 *
 * lookup.h -- small tables of the user's that make virtual labels.
 *
 * CREATE LOOKUP team FROM 'roster.csv' ON user_email keeps the file's rows in the store.  The
 * column the lookup is ON is the key, every other column is a virtual label under its header's
 * name: of a row with that user.email, `team` is what the file says, and NULL if it says nothing.
 * The first row of a key counts.
 */
#ifndef EXEC_LOOKUP_H
#define EXEC_LOOKUP_H

#include "base/arena.h"
#include "base/str.h"

#define LOOKUP_BYTES_MAX (8u << 20)

struct lookup {
    struct varve_str name;
    struct varve_str on;      /* the label it is ON, under the store's name */
    struct varve_str *fields; /* its virtual labels */
    uint32_t field_count;
    uint64_t rows;
    struct lookup_table *table;
};

struct lookups {
    struct lookup *items; /* by name */
    uint32_t count;
};

/* Reads CSV (RFC 4180, a header line, UTF-8) whose header has `on`, in any spelling.  Into the
 * arena. VARVE_INVALID names the line. */
enum varve_status
lookup_parse(struct varve_str name, struct varve_str on, struct varve_str csv, struct arena *arena,
             struct lookup *lookup, struct varve_err *err) VARVE_CHECKED;
const struct lookup *lookup_find(const struct lookups *lookups, struct varve_str name);
/* The value of a field for a key; an empty text where there is none. */
struct varve_str lookup_value(const struct lookup *lookup, uint32_t field, struct varve_str key);
/* The number of a field, or field_count. */
uint32_t lookup_field(const struct lookup *lookup, struct varve_str field);

#endif
