/* SPDX-License-Identifier: Apache-2.0
 *
 * names.h -- what Claude Code calls things: one catalogue of metrics, labels,
 * event attributes and their spellings.
 *
 * The catalogue is the text file names.txt beside this header; the build turns
 * it into tables.  Here they are looked up.  A name that the catalogue does not know
 * is nobody's mistake: it stands for itself.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include <stdbool.h>
#include "base/str.h"

struct name_metric {
    struct varve_str name;          /* as OTLP has it: claude_code.cost.usage */
    struct varve_str short_name;    /* cost */
    struct varve_str unit;          /* as OTLP has it, may be empty */
    struct varve_str help;          /* one line */
    uint8_t kind;                   /* enum varve_kind */
    bool session_scoped;            /* a series with a session.id counts from zero in it */
    const struct varve_str *labels; /* those of its own, beside the standard ones */
    size_t label_count;
};

/* The metric that any spelling means, or NULL: the OTLP name, the short one, every form of
 * Prometheus' names in the wild. */
const struct name_metric *names_metric(struct varve_str spelling);
/* All of them, in the order of the file. */
const struct name_metric *names_metrics(size_t *count);

/* The OTLP name of a label in any spelling: user_email is user.email.  A label that is not known is
 * its own name. */
struct varve_str names_label(struct varve_str spelling);

/* The table of an event by the name it came under: without `claude_code.` before it. */
struct varve_str names_table(struct varve_str event);

/* What the values of an event's attribute are, however they were sent. */
enum name_type { NAME_ANY, NAME_TEXT, NAME_INT, NAME_FLOAT, NAME_BOOL };
enum name_type names_attribute(struct varve_str table, struct varve_str attribute);

/* The rules that keep prompts, tool input and bodies out of a store: lines as rules.h has them. */
struct varve_str names_privacy_rules(void);

#endif
