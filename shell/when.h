/* SPDX-License-Identifier: Apache-2.0
 *
 * when.h -- a point in time as typed: 2026-10-08T08:15:18Z, 2026-10-08, 1791447318.5, -7d, now.
 */
#ifndef SHELL_WHEN_H
#define SHELL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* False if the text is no time, or one before 1677 or after 2262; nothing is printed. */
bool when_parse(const char *text, int64_t now, int64_t *instant);
int64_t when_now(void);

#endif
