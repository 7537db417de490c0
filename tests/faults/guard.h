/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.h -- running a check that may crash or hang, in a child.
 *
 * Damaged files kill LMDB; the check of one state must not end the test of all.
 */
#ifndef FAULTS_GUARD_H
#define FAULTS_GUARD_H

#include <stddef.h>

enum { GUARD_TEXT = 400 };
enum guard_outcome {
    GUARD_CRASHED = -1, /* a signal, exit() or a sanitizer ended it; text says which */
    GUARD_HUNG = -2     /* and was killed */
};

/* Runs check(context, text) in a child and answers what it answered (0 or more), or a
 * guard_outcome.  `text` is what it wrote there, for the report.  quiet: stderr goes nowhere. */
int guard_run(int (*check)(void *context, char text[GUARD_TEXT]), void *context, unsigned seconds,
              int quiet, char text[GUARD_TEXT]);

#endif
