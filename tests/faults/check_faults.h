/* SPDX-License-Identifier: Apache-2.0
 *
 * check_faults.h -- the fault simulations of the store, one function a line of the report.
 */
#ifndef FAULTS_CHECK_FAULTS_H
#define FAULTS_CHECK_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "varve.h"

enum { FAULT_LINE = 1200 };

struct fault_run {
    uint64_t seed;
    uint64_t count; /* how many, where that is a matter of choice */
    bool only_one;  /* only the one with this number, to look at a failure again */
    uint64_t only;
    char *doing; /* what is being tried at the moment, should it crash: FAULT_LINE bytes */
    char *line;  /* the report: FAULT_LINE bytes */
};

/* Each answers whether all was well, and writes what it did into the line. */
bool check_kills(const struct fault_run *run);
bool check_power(const struct fault_run *run);
bool check_io(const struct fault_run *run);
bool check_full(const struct fault_run *run);
bool check_alloc(const struct fault_run *run);
bool check_damage(const struct fault_run *run);

/* A sentence more in the line. */
void fault_say(const struct fault_run *run, const char *format, ...) VARVE_PRINTF(2, 3);
/* The same for what is being tried; it replaces the last. */
void fault_try(const struct fault_run *run, const char *format, ...) VARVE_PRINTF(2, 3);
uint64_t fault_random(uint64_t seed, uint64_t n);

#endif
