/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c -- counting refusals.
 *
 * A count a reason, and the place and message of the first of each.  Later ones of the same reason
 * only count, so a file of a million bad lines costs a million additions.
 *
 * Nothing here allocates or fails; a struct report of zeros is an empty one.
 */
#include "ingest/report.h"

#include "base/str.h"

#include <stdio.h>

const char *reject_reason_text(enum reject_reason reason)
{
    static const char *const texts[] = {
#define X(symbol, text) text,
        REJECT_MAP(X)
#undef X
    };
    return (unsigned)reason < REJECT_REASONS ? texts[reason] : "unknown reason";
}

void report_reject(struct report *report, enum reject_reason reason, uint64_t count,
                   const char *place, const char *message)
{
    if (count == 0)
        return;
    bool is_first = report->counts[reason] == 0;
    report->counts[reason] += count;
    if (!is_first)
        return;
    char whole[600];
    bool both = place && *place && message && *message;
    snprintf(whole, sizeof whole, "%s%s%s", place ? place : "", both ? ": " : "",
             message ? message : "");
    str_clean(whole);
    size_t size =
        str_cut((struct varve_str){whole, strlen(whole)}, sizeof report->first[reason] - 1);
    memcpy(report->first[reason], whole, size);
    report->first[reason][size] = '\0';
}

uint64_t report_rejected(const struct report *report)
{
    uint64_t sum = 0;
    for (int i = 0; i < REJECT_REASONS; i++)
        sum += report->counts[i];
    return sum;
}
