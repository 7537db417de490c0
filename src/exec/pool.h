/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.h -- one job in parts, on several threads.
 *
 * The parts do not need each other; each leaves what it made where its caller finds it, and the
 * caller puts that together in the order of the parts.  Threads are started for one job and have
 * ended when it is done, so between two jobs a process has none of them.
 */
#ifndef EXEC_POOL_H
#define EXEC_POOL_H

#include <stdbool.h>
#include "base/err.h"

struct pool; /* one job at work */

struct pool_job {
    uint32_t parts, threads; /* threads: at most so many, that of the caller among them */
    /* Does a part.  It asks pool_wants now and then, and ends in some failure if not. */
    enum varve_status (*run)(void *context, struct pool *pool, uint32_t part,
                             struct varve_err *err);
    /* Whether to go on: asked on the caller's thread only, while it waits for the others. */
    enum varve_status (*check)(void *context, struct varve_err *err);
    void *context;
};

/* Returns when no part is at work any more.  The failure of a check, else that of the first part
 * which failed, as if the parts had been done one behind the other.  Where no thread can be
 * started, fewer do. */
enum varve_status pool_run(const struct pool_job *job, struct varve_err *err) VARVE_CHECKED;

/* ---- for the parts ------------------------------------------------------------------- */

/* Whether anybody wants the part yet. */
bool pool_wants(struct pool *pool, uint32_t part);
/* Whether this is the caller's thread. */
bool pool_is_caller(const struct pool *pool);
/* The caller's thread has been told to stop: no part is wanted any more. */
void pool_stop(struct pool *pool, enum varve_status status, const struct varve_err *err);

#endif
