/* SPDX-License-Identifier: Apache-2.0
 *
 * exec.h -- runs a plan over one snapshot.
 *
 * An operator a node.  Each is asked for batches by the one above it and asks those below.
 * Nodes that have to see everything first (GROUP, ALIGN, SORT, ...) keep it in relations; the
 * others pass batches on, so that a long list of rows takes no memory.  Memory is counted: all of
 * it comes from one struct mem with a cap.  Once a batch every operator calls exec_check, which
 * looks at the deadline and at the caller's wish to stop.
 *
 *   exec.c       opening, the table of operators, checks, statistics
 *   progress.c   how much there is to read
 *   pool.c       one job in parts, on several threads
 *   parts.c      an operator in parts that read some of the segments each
 *   term.c       bound expressions over batches
 *   relation*.c  rows kept in memory, their order; row_index.c: finding them by key
 *   group_key.c  from the keys of a row to the number of its group
 *   measure*.c   MEASURE         scan_op.c    SCAN
 *   group.c      GROUP           align.c      ALIGN
 *   grid.c       GRID, SHIFT     fill.c       FILL
 *   rows.c       VALUES, COMPUTE, PICK, FILTER, LIMIT, NAMED
 *   sort.c       SORT, DISTINCT, SET
 *   catalogue_op.c  CATALOGUE
 */
#ifndef EXEC_EXEC_H
#define EXEC_EXEC_H

#include <stdatomic.h>
#include "exec/lookup.h"
#include "exec/relation.h"
#include "exec/term.h"
#include "exec/vector.h"
#include "lang/explain.h"
#include "store/snapshot.h"

struct exec_options {
    int64_t deadline;           /* of clock_monotonic(); 0: none */
    int64_t timeout;            /* nanoseconds: what the deadline was made of, for the message */
    uint64_t max_rows;          /* of the result: one more is VARVE_LIMIT; 0: none */
    int (*stop)(void *context); /* asked once a batch; not 0: VARVE_INTERRUPTED; NULL: never */
    void *stop_context;
    unsigned threads; /* at most so many read segments at once; 0 and 1: the caller's alone */
};

struct exec;
struct op;

/* What a kind of node does when it is run.  open checks and prepares, reads nothing; its inputs are
 * open already.  next fills *batch, or answers VARVE_DONE.  close frees what open and next took; it
 * is called also when open failed.  All state is in op->state, of the arena or of exec->mem. */
struct op_kind {
    enum varve_status (*open)(struct op *op, struct varve_err *err);
    enum varve_status (*next)(struct op *op, struct batch *batch, struct varve_err *err);
    void (*close)(struct op *op);
};

struct op {
    const struct node *node;
    const struct op_kind *kind;
    struct exec *exec;
    struct op **inputs; /* node->input_count */
    void *state;
    bool is_open;
    uint64_t bound; /* a LIMIT above asks for so many rows and no more; 0: it is not known */
};

struct exec {
    const struct plan *plan;
    struct snapshot *snapshot;
    const struct lookups *lookups;
    const struct zone *zone; /* plan->zone */
    struct exec_options options;
    struct mem *mem;
    struct arena arena; /* lives as long as the exec */
    struct op *root;
    struct op **named_ops;    /* one a named result; NULL: given */
    struct relation **named;  /* NULL until they are made; before the root runs */
    struct node_stats *stats; /* one a node */
    struct exec_zone *zones;  /* opened so far */
    int64_t started;          /* of clock_monotonic() */
    uint64_t rows_out;
    uint32_t checks, named_count; /* named results made so far */
    enum varve_status status;     /* not VARVE_OK: how it ended */
};

/* The plan, the snapshot, the lookups and mem must outlive it. */
enum varve_status
exec_open(const struct plan *plan, struct snapshot *snapshot, const struct lookups *lookups,
          const struct exec_options *options, struct mem *mem, struct exec **exec,
          struct varve_err *err) VARVE_CHECKED;
/* A named result from outside, before the first exec_next; the plan's node for it is not run and
 * may be NULL.  The relation must outlive the exec and not change. */
void exec_give(struct exec *exec, uint32_t number, struct relation *relation);
/* The next rows of the result; VARVE_DONE when there are none.  The first call makes the named
 * results.  After a failure every call fails in the same way. */
enum varve_status
exec_next(struct exec *exec, struct batch *batch, struct varve_err *err) VARVE_CHECKED;
void exec_close(struct exec *exec); /* NULL is fine */
/* VARVE_INTERRUPTED or VARVE_LIMIT when it is time to stop, for who works without an exec. */
enum varve_status
exec_options_check(const struct exec_options *options, struct varve_err *err) VARVE_CHECKED;
/* How many segments the plan has to read, as far as that is known before. */
uint64_t exec_planned(const struct exec *exec);
/* Memory that the cap refused is a limit of the query, and the message says whose. */
enum varve_status
exec_explain_memory(const struct mem *mem, enum varve_status status, struct varve_err *err);

/* ---- for operators ---------------------------------------------------------- */

/* The next batch of an input, counted and timed. */
enum varve_status op_next(struct op *op, struct batch *batch, struct varve_err *err) VARVE_CHECKED;
/* VARVE_INTERRUPTED or VARVE_LIMIT when it is time to stop. */
enum varve_status exec_check(struct exec *exec, struct varve_err *err) VARVE_CHECKED;
/* Everything an input has, as a relation of its columns, which this makes anew; the caller frees
 * it, also after a failure. */
enum varve_status
op_collect(struct op *input, struct relation *relation, struct varve_err *err) VARVE_CHECKED;
/* A relation of an operator: made like relation_init, and asks exec_check while it is sorted. */
void op_relation(struct op *op, struct relation *relation, uint32_t columns);
/* For the statistics: how much memory an operator holds. */
void op_bytes(struct op *op, uint64_t bytes);
/* The zone of a bucket: UTC for FIXED. */
enum varve_status exec_zone(struct exec *exec, struct varve_str name, const struct zone **zone,
                            struct varve_err *err) VARVE_CHECKED;

/* A term compiled for an operator, in the zone that it names, else in that of the plan; it stops
 * when the query has to. */
enum varve_status exec_program(struct exec *exec, const struct term *term, struct program **program,
                               struct varve_err *err) VARVE_CHECKED;

/* The tree below a node, opened from below.  *made is set as soon as there is anything to close.
 * depth: of the node in the plan. */
enum varve_status op_make(struct exec *exec, const struct node *node, unsigned depth,
                          struct op **made, struct varve_err *err) VARVE_CHECKED;
void op_close(struct op *op); /* NULL is fine */

/* What an operator works with on another thread: the same plan, options, named results and memory,
 * a view of the snapshot, and all else of its own.  stop takes the place of the caller's.  The
 * whole outlives it and runs nothing meanwhile.  exec_unshare also after a failure. */
enum varve_status exec_share(const struct exec *whole, int (*stop)(void *context), void *context,
                             struct exec *share, struct varve_err *err) VARVE_CHECKED;
void exec_unshare(struct exec *share);

extern const struct op_kind op_values, op_measure, op_scan, op_group, op_align, op_grid, op_fill,
    op_shift, op_compute, op_pick, op_filter, op_sort, op_limit, op_distinct, op_set, op_named,
    op_catalogue;

#endif
