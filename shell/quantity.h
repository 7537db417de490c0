/* SPDX-License-Identifier: Apache-2.0
 *
 * quantity.h -- amounts as typed behind an option: 30s, 10000, 500M.
 */
#ifndef SHELL_QUANTITY_H
#define SHELL_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/* All: false if the text is no such thing, or does not fit; nothing is printed. */
bool quantity_duration(const char *text, int64_t *nanoseconds); /* 1h30m, 250ms; "30": seconds */
bool quantity_count(const char *text, uint64_t *count);
bool quantity_size(const char *text, uint64_t *bytes); /* 65536, 64k, 500M, 2G; powers of 1024 */

#endif
