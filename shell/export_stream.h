/* SPDX-License-Identifier: Apache-2.0
 *
 * export_stream.h -- from the increments of a counter back to what was read from it.
 */
#ifndef SHELL_EXPORT_STREAM_H
#define SHELL_EXPORT_STREAM_H

#include <stddef.h>
#include "export_gather.h"

struct reading {
    int64_t end;
    bool is_float;
    int64_t i; /* set unless is_float */
    double f;  /* always set */
};

struct readings {
    struct reading *list;
    size_t count, room;
};

/* The readings of one (series, start) from all its rows, sorted by end, in the order in which they
 * have to come in again.  False: no memory. */
bool stream_readings(const struct gathered_row *rows, size_t count, struct readings *readings);
void readings_free(struct readings *readings);

/* Integers stay integers while they fit. */
struct reading reading_of(const struct gathered_row *row);
struct reading reading_add(struct reading a, struct reading b);

#endif
