/* SPDX-License-Identifier: Apache-2.0
 *
 * seam.h -- a look for the end of a value inside a line of JSON, many bytes at a time.
 */
#ifndef INGEST_SEAM_H
#define INGEST_SEAM_H

#include <stdint.h>

enum { SEAM_BLOCK = 64 };

/* Passes over blocks in which each closing brace has a comma or a closing bracket right behind it.
 * The answer is where something else is behind a brace within SEAM_BLOCK bytes, or where no more
 * than those are left. */
const uint8_t *seam_skip(const uint8_t *p, const uint8_t *end);
/* The same on any processor. */
const uint8_t *seam_skip_plain(const uint8_t *p, const uint8_t *end);

#endif
