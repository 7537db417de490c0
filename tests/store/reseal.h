/* SPDX-License-Identifier: Apache-2.0
 *
 * reseal.h -- makes a damaged blob look sound, so that tests get past its checksums.
 */
#ifndef TESTS_RESEAL_H
#define TESTS_RESEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Computes all checksums of a blob anew, in place.  False: the directory cannot be read as one,
 * and nothing was changed. */
bool reseal(uint8_t *bytes, size_t size, uint64_t seed);

#endif
