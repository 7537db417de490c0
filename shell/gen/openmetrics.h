/* SPDX-License-Identifier: Apache-2.0
 *
 * openmetrics.h -- exports as OpenMetrics text, with time stamps.
 */
#ifndef GEN_OPENMETRICS_H
#define GEN_OPENMETRICS_H

#include "gen.h"
#include "output.h"

struct exposition;

/* NULL: out of memory. */
struct exposition *exposition_new(struct output *out);
void exposition_free(struct exposition *x);
/* False: out of memory, or out->message says what. */
bool exposition_add(struct exposition *x, const struct gen_export *e);
/* Writes what is held. */
bool exposition_finish(struct exposition *x);

#endif
