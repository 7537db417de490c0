/* SPDX-License-Identifier: Apache-2.0
 *
 * export_world.h -- between the files of export_world.
 */
#ifndef TESTS_SHELL_EXPORT_WORLD_H
#define TESTS_SHELL_EXPORT_WORLD_H

#include <stdint.h>
#include <stdio.h>
#include "varve.h"

/* Ends the program where a call failed. */
void world_must(enum varve_status status, const struct varve_err *err);
/* A number below that, from the seed. */
uint64_t world_chance(uint64_t below);
/* Of several days, often the same one twice. */
int64_t world_moment(void);
/* Without line breaks. */
void world_text(FILE *to, struct varve_str text);

/* An event or a span with odd cells. */
void world_event(varve_batch *batch);
/* One line an event of all tables. */
void world_show_events(varve_snapshot *snapshot);

#endif
