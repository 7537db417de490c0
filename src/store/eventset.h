/* SPDX-License-Identifier: Apache-2.0
 *
 * eventset.h -- events in memory: rows of cells, per table.
 *
 * An event is a time and some named cells.  Its identity is the 128-bit hash of
 * table, time and all cells, whatever their order: the same event sent twice is one.
 * Cells are kept sorted by column number.  Everything lives until eventset_clear.
 *
 * Who finds and drops events sent again is the caller, by their identities.
 */
#ifndef STORE_EVENTSET_H
#define STORE_EVENTSET_H

#include "store/intern.h"

enum {
    EVENT_NAME_MAX = 256, /* bytes of a table's or field's name */
    EVENT_TEXT_MAX = 1 << 20,
    EVENT_CELLS_MAX = 512
};

struct cell {
    uint32_t column; /* interned name */
    uint32_t type;   /* enum varve_type: INT, FLOAT, BOOL, TEXT */
    int64_t bits;    /* the integer, the bits of the double, or the interned text */
};
struct event {
    uint32_t table; /* interned name */
    uint32_t cells;
    int64_t time;
    const struct cell *cell;
    struct h128 identity;
};
struct eventset {
    struct mem *mem;
    struct arena arena;
    struct intern texts;
    struct event *events;
    size_t count, capacity;
    /* Names seen lately and the text each had: most events look much like the last one. */
    struct {
        uint32_t name, text;
    } recent[INTERN_SLOTS];
};

enum varve_status eventset_init(struct eventset *set, struct mem *mem, uint64_t seed,
                                struct varve_err *err) VARVE_CHECKED;
void eventset_free(struct eventset *set);
enum varve_status eventset_clear(struct eventset *set, struct varve_err *err) VARVE_CHECKED;
/* VARVE_NULL fields are left out; a name given twice is VARVE_INVALID.  Whole doubles stay doubles.
 * On failure there is no new event. */
enum varve_status
eventset_add(struct eventset *set, struct varve_str table, int64_t time,
             const struct varve_field *fields, size_t count, struct varve_err *err) VARVE_CHECKED;
/* A copy of an event of another set (same seed). */
enum varve_status eventset_import(struct eventset *set, const struct eventset *from,
                                  const struct event *event, struct varve_err *err) VARVE_CHECKED;
/* The same for many events of one other set: texts has an entry for each of its texts, at first
 * HASH_NONE, and remembers their numbers here; NULL: it does not. */
enum varve_status
eventset_import_mapped(struct eventset *set, const struct eventset *from, const struct event *event,
                       uint32_t *texts, struct varve_err *err) VARVE_CHECKED;

/* ---- for readers of segments ---- */

/* Room for `more` events, so that adding them cannot fail. */
enum varve_status
eventset_reserve(struct eventset *set, size_t more, struct varve_err *err) VARVE_CHECKED;
/* An identity is made of parts, so that a segment's can be found column by column:
 * of each cell's value, of the cell (name and value), of the event (table, time, sum of cells).
 * text: the hash of the text of a TEXT value; else ignored. */
struct h128 identity_of_value(uint32_t type, int64_t bits, struct h128 text, uint64_t seed);
struct h128 identity_of_cell(struct h128 name, struct h128 value);
struct h128 identity_of_event(struct h128 table, int64_t time, struct h128 cells, uint64_t seed);

#endif
