/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h -- what was refused, counted by reason.
 *
 * One bad record is one count here and never costs the good ones beside it.
 * The first of each reason is kept with its place, in words.
 */
#ifndef INGEST_REPORT_H
#define INGEST_REPORT_H

#include "base/err.h"

/* One line a reason: its symbol, and its name in `varve ingest --json`. */
#define REJECT_MAP(X)                                                          \
    X(BODY, "unreadable body")    /* one a body, whatever it held */           \
    X(RECORD, "malformed record") /* attributes or fields that do not parse */ \
    X(DEPTH, "nested too deep")                                                \
    X(LABELS, "too many or too long labels")                                   \
    X(UTF8, "not valid UTF-8")                                                 \
    X(EXPONENTIAL, "exponential histogram")                                    \
    X(HISTOGRAM, "inconsistent histogram")                                     \
    X(TEMPORALITY, "unknown temporality")                                      \
    X(METRIC, "unusable metric") /* no name, no data, a kind that changed */   \
    X(VALUE, "unusable value")   /* not finite, negative, too large */         \
    X(TIME, "unusable time")                                                   \
    X(NAME, "event without a name")                                            \
    X(LINE, "malformed line")                                                  \
    X(FIELDS, "unusable field")

enum reject_reason {
#define X(symbol, text) REJECT_##symbol,
    REJECT_MAP(X)
#undef X
        REJECT_REASONS
};

struct report {
    uint64_t counts[REJECT_REASONS];
    char first[REJECT_REASONS][256]; /* "PLACE: MESSAGE" of the first one */
};

const char *reject_reason_text(enum reject_reason reason);
/* place and message may be NULL. */
void report_reject(struct report *report, enum reject_reason reason, uint64_t count,
                   const char *place, const char *message);
uint64_t report_rejected(const struct report *report);

#endif
