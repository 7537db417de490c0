/* SPDX-License-Identifier: Apache-2.0
 *
 * rowset.h -- metric rows in memory: what a batch, the unsealed head and a
 * day that is being rebuilt have in common.
 *
 * Metrics, label sets and series are kept once each and have small numbers;
 * a row is 32 bytes.  Numbers and pointers stay good until rowset_clear.
 *
 * A row holds an increment (or a gauge's reading).  Its mode says how start is
 * meant:
 *
 *   DELTA       value was added in (start, end]
 *   CUMULATIVE  value was added by end to the counter of (series, start); start 0: unknown,
 *               VARVE_FROM_ZERO: see admit.h
 *   GAUGE       value was read at end; start is 0
 *   ADJUST      value corrects the CUMULATIVE row of the same (series, start, end);
 *               it vanishes when both come together in a segment
 *   BASE        not an increment: the reading that a counter without a known start had at end;
 *               increments with a later end count from it
 *
 * Invariants: the hash of a series depends on its metric's name and its labels only, not on
 * order of arrival; label sets have their pairs sorted by key text, no key twice, no empty
 * value; a CUMULATIVE (series, start) has one row per end at most once a segment is built, unless
 * adding them up would not be exact.
 */
#ifndef STORE_ROWSET_H
#define STORE_ROWSET_H

#include <stdbool.h>
#include "base/err.h"
#include "store/intern.h"

#define ROWSET_LABELS 1024 /* labels of a set, at most */

enum row_mode {
    ROW_DELTA = 0,
    ROW_CUMULATIVE = 1,
    ROW_GAUGE = 2,
    ROW_ADJUST = 3,
    ROW_BASE = 4,
    ROW_MODES
};

struct row {
    uint32_t series;
    uint8_t mode;      /* enum row_mode */
    uint8_t is_float;  /* value is the bits of a double */
    uint8_t is_newest; /* in the head: no row of its series before it has a later end */
    int64_t start, end;
    int64_t value;
};

/* Whether both say the same. */
static inline bool row_same(const struct row *a, const struct row *b)
{
    return a->series == b->series && a->end == b->end && a->start == b->start &&
           a->value == b->value && a->mode == b->mode && a->is_float == b->is_float;
}

struct rowset_metric {
    uint32_t name, unit; /* interned */
    uint8_t kind;        /* enum varve_kind */
    uint8_t scale;       /* 0 or 9 */
};
struct label_pair {
    uint32_t key, value; /* interned */
};
struct label_set {
    const struct label_pair *pairs; /* sorted by key text */
    uint32_t count;
    uint32_t series; /* perhaps one of this set: that asked for last */
    struct h128 hash;
};
struct rowset_series {
    uint32_t metric, set;
    struct h128 hash;
};

/* A label on its way into a set: its share of the set's hash is none where an empty value removes
 * it. */
struct rowset_pair {
    struct label_pair ids;
    struct h128 hash;
};

/* How a set that was put together lately came from its parent and its own pairs: the keys of both
 * as they were given, and where among the sorted ones each stands; an inherited one that is
 * replaced stands nowhere. */
enum { ROWSET_SHAPE = 64, ROWSET_SHAPES = 64, ROWSET_REPLACED = 255 };
struct rowset_shape {
    uint32_t inherited, own; /* both 0: none */
    uint32_t keys[ROWSET_SHAPE];
    uint8_t place[ROWSET_SHAPE];
};

struct rowset {
    struct mem *mem;
    struct arena arena; /* pairs of label sets */
    struct intern texts;
    struct hash_table metric_table, set_table, series_table;
    struct rowset_metric *metrics;
    struct label_set *sets; /* set 0 is empty */
    struct rowset_series *series;
    struct row *rows;
    size_t metric_count, metric_capacity, set_count, set_capacity, series_count, series_capacity;
    size_t row_count, row_capacity;
    struct {
        uint32_t key, value; /* of a label put into a set lately; 0: none */
    } recent[INTERN_SLOTS];
    struct rowset_shape shapes[ROWSET_SHAPES];
    uint32_t likely_series; /* the one after that asked for last: senders repeat themselves */
};

enum varve_status rowset_init(struct rowset *rowset, struct mem *mem, uint64_t seed,
                              struct varve_err *err) VARVE_CHECKED;
void rowset_free(struct rowset *rowset);
enum varve_status rowset_clear(struct rowset *rowset, struct varve_err *err) VARVE_CHECKED;

/* The rows that index says (NULL: the first `count`) series by series, those of each in the order
 * they were given: order has room for them, ends for one more than there are series, and says where
 * those of each end. */
void rowset_by_series(const struct rowset *rowset, const uint32_t *index, size_t count,
                      uint32_t *ends, uint32_t *order);

/* The metric of that name; made if new.  VARVE_INVALID when the kind or scale differs from the
 * known one; an empty known unit is filled in. */
enum varve_status
rowset_metric(struct rowset *rowset, struct varve_str name, struct varve_str unit, uint8_t kind,
              uint8_t scale, uint32_t *id, struct varve_err *err) VARVE_CHECKED;
/* The metric of that name, or HASH_NONE. */
uint32_t rowset_find_metric(const struct rowset *rowset, struct varve_str name);
/* Labels over a parent, as varve_batch_labels describes.  Keys of the given labels must differ and
 * not be empty (VARVE_INVALID); empty values remove.  No more than ROWSET_LABELS. */
enum varve_status
rowset_labels(struct rowset *rowset, uint32_t parent, const struct varve_label *labels,
              size_t count, uint32_t *set, struct varve_err *err) VARVE_CHECKED;
/* The same in two steps, for those who keep pairs: a label interned, which stays good until
 * rowset_clear, and the set with these.  No more than ROWSET_LABELS. */
enum varve_status rowset_pair(struct rowset *rowset, const struct varve_label *label,
                              struct rowset_pair *pair, struct varve_err *err) VARVE_CHECKED;
enum varve_status
rowset_derive(struct rowset *rowset, uint32_t parent, const struct rowset_pair *pairs, size_t count,
              uint32_t *set, struct varve_err *err) VARVE_CHECKED;
/* Whether a set was made lately with this very label: what was checked then is still true. */
bool rowset_knows_label(const struct rowset *rowset, const struct varve_label *label);
/* The set of these pairs of interned texts: sorted by key text, no key twice, no value empty.
 * hash is the sum of the hashes of the pairs. */
enum varve_status rowset_set(struct rowset *rowset, const struct label_pair *pairs, uint32_t count,
                             struct h128 hash, uint32_t *set, struct varve_err *err) VARVE_CHECKED;
/* The same for a set that is not there, whose pairs stay where they are. */
enum varve_status
rowset_add_set(struct rowset *rowset, const struct label_pair *pairs, size_t count,
               struct h128 hash, uint32_t *set, struct varve_err *err) VARVE_CHECKED;
enum varve_status rowset_series(struct rowset *rowset, uint32_t metric, uint32_t set,
                                uint32_t *series, struct varve_err *err) VARVE_CHECKED;
/* Makes room for that many more rows. */
enum varve_status
rowset_grow(struct rowset *rowset, size_t rows, struct varve_err *err) VARVE_CHECKED;
VARVE_CHECKED static inline enum varve_status
rowset_row(struct rowset *rowset, const struct row *row, struct varve_err *err)
{
    if (rowset->row_count == rowset->row_capacity)
        TRY(rowset_grow(rowset, 1, err));
    rowset->rows[rowset->row_count++] = *row;
    return VARVE_OK;
}
/* The series of another rowset in this one: metric, labels and all.  Both must have the same
 * seed. */
enum varve_status rowset_import(struct rowset *rowset, const struct rowset *from, uint32_t series,
                                uint32_t *id, struct varve_err *err) VARVE_CHECKED;
/* The same for many series of one other rowset: texts has an entry for each of its texts, at first
 * HASH_NONE, and remembers their numbers here. */
enum varve_status
rowset_import_mapped(struct rowset *rowset, const struct rowset *from, uint32_t series,
                     uint32_t *texts, uint32_t *id, struct varve_err *err) VARVE_CHECKED;
/* The series with that hash, or HASH_NONE. */
uint32_t rowset_find(const struct rowset *rowset, struct h128 hash);
/* The value of a label in a set, or the empty text. */
struct varve_str rowset_label(const struct rowset *rowset, uint32_t set, struct varve_str key);

#endif
