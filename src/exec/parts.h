/* SPDX-License-Identifier: Apache-2.0
 *
 * parts.h -- an operator in parts, each of which reads some of the segments on a thread of its own.
 *
 * The segments of a scan are cut into stretches of neighbours.  A part is the same operator, made
 * once more of the same node, with an exec of its own (exec_share), over one stretch; when all are
 * done one thread puts them together in their order.  Both halves are the operator's; it sees to
 * it that what comes out depends neither on how many parts there are nor on where they
 * were cut (L2).
 *
 * Several parts hold more memory at once than one thread would.  An operator for which that is too
 * much begins anew without parts, so that no answer depends on the number of threads.
 */
#ifndef EXEC_PARTS_H
#define EXEC_PARTS_H

#include "exec/exec.h"
#include "exec/pool.h"
#include "store/scan.h"

struct op_part {
    struct parts *parts;
    struct pool *pool;
    uint32_t number;
    size_t from, until; /* of the snapshot's sources */
    struct exec exec;
    struct op *op; /* made by run; closed when it has been merged */
};

struct parts {
    struct op *whole;
    const struct scan *scan; /* what the whole would read: open, and not begun; NULL: nothing */
    /* Makes part->op and reads the part's sources, on some thread. */
    enum varve_status (*run)(struct op_part *part, struct varve_err *err);
    /* Puts the part behind those before it, on the caller's. */
    enum varve_status (*merge)(struct op_part *part, struct varve_err *err);
    const void *context; /* of run */
    struct op_part *items;
    uint32_t count;
};

/* *done false: it is not worth it, and nothing has happened. */
enum varve_status parts_run(struct parts *parts, bool *done, struct varve_err *err) VARVE_CHECKED;

#endif
