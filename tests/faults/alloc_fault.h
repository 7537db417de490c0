/* SPDX-License-Identifier: Apache-2.0
 *
 * alloc_fault.h -- an allocator that fails on order and watches its callers.
 *
 * Every test of an operation that allocates looks like this:
 *
 *     struct alloc_fault fault;
 *     alloc_fault_init(&fault);
 *     for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
 *         ... run it with fault.allocator: it succeeds or says VARVE_NOMEM ...
 *         ... undo everything ...
 *         assert_true(alloc_fault_is_clean(&fault));
 *     }
 *
 * The n-th round fails the n-th request; the last round is the first in which no
 * request failed.  Resizing always moves the block, so a stale pointer shows up
 * under a sanitizer, and freed blocks are overwritten.  Thread-safe; the struct must
 * not move while it is in use.
 */
#ifndef FAULTS_ALLOC_FAULT_H
#define FAULTS_ALLOC_FAULT_H

#include <pthread.h>
#include <stdbool.h>
#include "varve.h"

enum alloc_fault_mode {
    ALLOC_FAULT_NEVER,
    ALLOC_FAULT_ONCE,  /* the n-th request fails, the next ones succeed */
    ALLOC_FAULT_STICKY /* the n-th and all later ones fail */
};

struct alloc_fault {
    struct varve_allocator allocator; /* give this to the code under test */
    enum alloc_fault_mode mode;
    uint64_t nth;      /* which request fails, from 1 */
    uint64_t requests; /* since alloc_fault_arm; only those for memory, not frees */
    uint64_t failed;   /* of these */
    uint64_t mistakes; /* wrong sizes, overruns: each is also told on stderr */
    size_t live_blocks, live_bytes;
    bool looping;
    pthread_mutex_t lock;
};

void alloc_fault_init(struct alloc_fault *fault);
/* Counts requests from 1 again and fails the nth; mistakes and live blocks stay. */
void alloc_fault_arm(struct alloc_fault *fault, enum alloc_fault_mode mode, uint64_t nth);
/* The loop over n. */
void alloc_fault_start(struct alloc_fault *fault, enum alloc_fault_mode mode);
bool alloc_fault_next(struct alloc_fault *fault);
/* Nothing leaked, no wrong size, no overrun. */
bool alloc_fault_is_clean(struct alloc_fault *fault);

#endif
