/* SPDX-License-Identifier: Apache-2.0
 *
 * export_prom.h -- between the files of the OpenMetrics export.
 */
#ifndef SHELL_EXPORT_PROM_H
#define SHELL_EXPORT_PROM_H

#include "export.h"
#include "export_gather.h"

/* A histogram's parts; a counter or gauge has the first only. */
enum { PART_BUCKET, PART_COUNT, PART_SUM, PARTS };

struct prom_family {
    const struct export_metric *parts[PARTS]; /* parts[0] is always there */
    bool is_histogram;
    struct out name;
    struct varve_str *keys; /* of all parts, ascending */
    struct out *labels;     /* what the keys are called */
    size_t *same;           /* the first key that is called the same */
    size_t key_count;
};

/* A running total: exact as long as all are integers, else to the last bit but one. */
struct prom_sum {
    bool is_float;
    int64_t whole;
    double high, low;
};
void prom_sum_add(struct prom_sum *sum, const struct gathered_row *row);
void prom_sum_put(struct out *out, const struct prom_sum *sum, int scale);

/* The samples of series [from, to) of the gather, which differ in tag and `le` at most, over
 * `export`'s range. */
enum varve_status
prom_samples(const struct export *export, const struct prom_family *family, struct gather *gather,
             size_t from, size_t to, struct varve_err *err) VARVE_CHECKED;

#endif
