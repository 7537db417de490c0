/* SPDX-License-Identifier: Apache-2.0
 *
 * group_agg.h -- the aggregates of a GROUP: one accumulator each, with a state a cell.
 *
 * A cell is a row of the result.  What an accumulator answers depends on the values it was given
 * and not on their order, to the last bit; only the first and the last value are those of the
 * rows that came first and last.
 */
#ifndef EXEC_GROUP_AGG_H
#define EXEC_GROUP_AGG_H

#include "base/fsum.h"
#include "exec/exec.h"
#include "exec/group_key.h"
#include "exec/pair_map.h"
#include "exec/term.h"

enum accumulator_kind {
    ACCUMULATE_COUNT,
    ACCUMULATE_SUM,   /* sum, avg */
    ACCUMULATE_VALUE, /* one of the values: min, max, first, last */
    ACCUMULATE_ALL,   /* all of them, as doubles: quantiles, stddev */
    ACCUMULATE_SET    /* the distinct ones: list */
};

struct accumulator {
    const struct aggregate *aggregate;
    enum accumulator_kind kind;
    bool is_distinct, is_duration;
    uint32_t shares; /* number of the accumulator that collects the same values, or its own */
    struct mem *mem;
    struct exec *exec;
    struct program *of, *filter; /* NULL: a column; all rows */
    /* by cell */
    void *states;
    size_t capacity;
    /* exact sums of doubles, for the cells that need them */
    struct fsum *floats;
    size_t float_count, float_capacity;
    struct arena chunks; /* all values */
    uint64_t *scratch;   /* those of one cell */
    size_t scratch_capacity;
    /* distinct values: their numbers, and which cells have them */
    struct group_keys *numbers;
    uint8_t *types; /* by number: the least type of equal values */
    size_t type_capacity, type_count;
    struct pair_map pairs; /* (cell, number) */
    uint32_t *order;       /* pairs by cell, then by value */
    uint32_t next;         /* of order: where the cell at hand begins */
};

/* Where the rows of a batch go. */
struct cell_rows {
    const struct batch *batch; /* selected: rows that have a cell */
    const uint32_t *cells;     /* by row */
    uint32_t cell_count;       /* so far */
};

/* Accumulators of the node in the exec's arena; accumulators_free also after a failure. */
enum varve_status accumulators_init(struct accumulator *accumulators, const struct node *node,
                                    struct exec *exec, struct varve_err *err) VARVE_CHECKED;
void accumulators_free(struct accumulator *accumulators, uint32_t count);
enum varve_status accumulator_take(struct accumulator *accumulator, const struct cell_rows *rows,
                                   struct varve_err *err) VARVE_CHECKED;
/* Adds what another one of the same aggregate has taken, before either has finished.  cells[i]:
 * what its cell i of `count` is here; cell_count: how many there are here. */
enum varve_status accumulator_merge(struct accumulator *accumulator, const struct accumulator *from,
                                    const uint32_t *cells, uint32_t count, uint32_t cell_count,
                                    struct varve_err *err) VARVE_CHECKED;
/* The same where nothing has been taken here: takes over what the other one has, for no work. */
void accumulator_adopt(struct accumulator *accumulator, struct accumulator *from);
/* When all rows have been taken, with the number of cells there are. */
enum varve_status accumulator_finish(struct accumulator *accumulator, uint32_t cell_count,
                                     struct varve_err *err) VARVE_CHECKED;
/* The value of a cell; cells are asked for in ascending order, each once.  all: the accumulators of
 * the node.  Texts that are made are in the arena. */
enum varve_status
accumulator_result(struct accumulator *all, uint32_t number, uint32_t cell, struct arena *arena,
                   struct value *result, struct varve_err *err) VARVE_CHECKED;
/* Without the exact sums that few doubles do not hold: how many there are depends on the order of
 * the rows. */
uint64_t accumulator_bytes(const struct accumulator *accumulator);

/* ---- between the files of this module ------------------------------------------- */

#define CHUNK_MOST 1024u
struct chunk {
    struct chunk *next; /* older */
    uint32_t used, room;
    uint64_t keys[]; /* doubles as integers of the same order */
};
struct all_state {
    uint64_t count;
    struct chunk *last;
};
/* Few doubles hold the exact sum of the doubles of most cells; where they do not, one of
 * accumulator.floats does. */
#define SUM_PARTS 4
struct sum_state {
    value_wide ints, nanos;
    uint64_t count;
    double parts[SUM_PARTS]; /* from the least to the greatest; they do not overlap */
    uint32_t floats;         /* number + 1 of the exact sum; 0: the parts are it */
    uint8_t part_count;
    bool has_nanos, has_floats;
};

/* The value of a pair (cell, value). */
struct value accumulator_pair_value(const struct accumulator *accumulator, uint32_t pair);

#endif
