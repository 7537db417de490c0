/* SPDX-License-Identifier: Apache-2.0
 *
 * export_promname.h -- what Prometheus calls a metric and its labels.
 */
#ifndef SHELL_EXPORT_PROMNAME_H
#define SHELL_EXPORT_PROMNAME_H

#include "export_out.h"

/* The family of a metric as collectors name it: underscores, the unit in words at the end, no
 * "total".  *unit is the unit's word if the name ends in it, else empty.  All into `name`, which is
 * emptied first. */
void promname_family(struct out *name, struct varve_str metric, struct varve_str unit,
                     enum varve_kind kind, struct varve_str *unit_word);
/* A label's name. */
void promname_label(struct out *name, struct varve_str label);
/* A label's value or a help text, with its escapes, without quotes. */
void promname_escape(struct out *out, struct varve_str text);

#endif
