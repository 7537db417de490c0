/* SPDX-License-Identifier: Apache-2.0
 *
 * kill_loop.h -- kill -9 at random moments, and a ledger of what had been promised.
 *
 * Each round a child works and writes into the ledger, a pipe, every number it was told
 * is safe; it is killed at a random moment; then another child checks.  The files live on
 * from round to round, so recovery itself is killed, too.
 */
#ifndef FAULTS_KILL_LOOP_H
#define FAULTS_KILL_LOOP_H

#include <stdint.h>
#include <stdio.h>

#include "guard.h"

struct kill_ledger;

/* "I am set up": every other round the time to live starts here rather than at fork(). */
void kill_ready(struct kill_ledger *ledger);
/* "n is safe."  Numbers grow, over all rounds, from 1 on. */
void kill_ack(struct kill_ledger *ledger, uint64_t n);

struct kill_loop {
    unsigned rounds;
    unsigned most_us; /* the time to live is random from 0 to this; 0: 16,000 */
    uint64_t seed;
    void *context;
    /* Works on, where the last round got to; acked is the last number in the ledger.  Usually
     * endless; what it answers other than 0 is a failure of the round. */
    int (*work)(void *context, uint64_t acked, struct kill_ledger *ledger);
    /* 0: all that was acked is there and nothing is wrong; else text says what. */
    int (*check)(void *context, uint64_t acked, char text[GUARD_TEXT]);
};

struct kill_result {
    unsigned rounds, killed, bad;
    uint64_t acked;
    unsigned first_bad;
    char text[GUARD_TEXT]; /* of the first bad round */
};

void kill_loop_run(const struct kill_loop *loop, struct kill_result *result);
/* "kill: 200 rounds, 198 killed, 15310 acknowledged, 0 bad" */
void kill_print(FILE *to, const char *label, const struct kill_result *result);

#endif
