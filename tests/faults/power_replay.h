/* SPDX-License-Identifier: Apache-2.0
 *
 * power_replay.h -- the states a directory may be in after the power went.
 *
 * From a log of power_record it makes up crashes: a moment, and at that moment
 * a choice of what had reached the disk.  Sure is what was synced; of the rest,
 * the call that was under way included,
 *
 *   - every block (4096 or 512 bytes) of a file holds any of the contents it had since;
 *   - the file may be as short as it was or as long as it got;
 *   - each operation on a name has happened or not, unless its directory was
 *     synced since: syncing a file says nothing about its name.
 *
 * Each state is made as a directory and checked in a child process.
 */
#ifndef FAULTS_POWER_REPLAY_H
#define FAULTS_POWER_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "guard.h"

/* What a checker answers; a crash or a hang of it counts as POWER_CORRUPT. */
enum power_verdict { POWER_OK, POWER_CORRUPT, POWER_LOST, POWER_VERDICTS };

/* directory: the state, which may be changed.  acked: the last power_mark before the crash, 0 if
 * there was none.  text: what was wrong. */
typedef enum power_verdict
power_check(void *context, const char *directory, uint64_t acked, char text[GUARD_TEXT]);

struct power_options {
    uint64_t states;      /* how many to try */
    uint64_t seed;        /* state i of a seed is always the same */
    bool ignore_syncs;    /* as if the program had never synced: the checker must find damage */
    bool names_with_file; /* syncing a file makes its name durable too, as ext4 does */
    bool only_one;        /* only the state `only` */
    uint64_t only;
    unsigned seconds; /* a check that takes longer hangs; 0: 20 */
};

struct power_result {
    uint64_t states, entries;
    uint64_t count[POWER_VERDICTS];
    uint64_t first_bad; /* number of the first state that is not POWER_OK */
    char text[GUARD_TEXT];
};

/* 0, or -1 when the log itself makes no sense (text says why). */
int power_replay(const char *log, const struct power_options *options, power_check *check,
                 void *context, struct power_result *result);
/* "power cut: 2000 states of 5312 calls: 0 corrupt, 0 lost", and the first bad one. */
void power_print(FILE *to, const char *label, const struct power_result *result);

#endif
