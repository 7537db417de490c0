/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_model.h -- a small world of counters and gauges, and what MEASURE has to say of it,
 * worked out in the plainest way: every bucket looks at every row.
 *
 * Values are whole numbers of 1/1024 (or of 1e-9, for money), so that plain 128-bit sums are
 * exact for doubles, too.
 */
#ifndef TESTS_MEASURE_MODEL_H
#define TESTS_MEASURE_MODEL_H

#include "../base/prng.h"
#include "exec/measure_private.h"

#define MODEL_LABELS 3
#define MODEL_ROWS 1200

enum model_metric { TOKENS, MONEY, FLOATS, MIXED, READINGS, GAUGE, UPDOWN, MODEL_METRICS };
struct model_metric_info {
    struct varve_str name, unit;
    enum varve_kind kind;
    int scale;
};
extern const struct model_metric_info model_metrics[MODEL_METRICS];
extern const struct varve_str model_labels[MODEL_LABELS];

/* A point as it is sent.  Label values are small numbers; 0: the label is missing. */
struct model_point {
    enum model_metric metric;
    uint8_t labels[MODEL_LABELS];
    enum varve_form form;
    int64_t start, end;
    i128 sent;  /* in units of 1e-9 or 1/1024 */
    i128 value; /* the increment; what was sent, where that is one */
    bool is_float;
};
struct model {
    struct model_point rows[MODEL_ROWS];
    size_t count;
    int64_t first, last; /* all ends are in between */
};

void model_make(struct model *model, struct prng *prng);
/* "u1": a value of a label. */
struct varve_str model_text(unsigned label, unsigned value);
struct varve_value model_sent(const struct model_point *point);

/* ---- questions ------------------------------------------------------------------ */

struct question {
    enum model_metric metric;
    enum rollup function;
    struct aggregate aggregate;      /* of: label of_label, if that is not MODEL_LABELS */
    unsigned of_label, filter_label; /* MODEL_LABELS: none */
    unsigned filter_value;
    unsigned keys[MODEL_LABELS], key_count;
    unsigned matched; /* label of a matcher; MODEL_LABELS: none */
    enum matcher_op op;
    unsigned matcher_value;
    unsigned where_label, where_value; /* where_label MODEL_LABELS: none */
    struct bucket bucket;
    const struct zone *zone;
    struct time_range range;
    int64_t window, offset;
};

struct model_answer {
    int64_t time;
    uint8_t keys[MODEL_LABELS];
    struct value value;
    bool is_near; /* value is right up to a few units of the last place */
};
/* In the order of time and keys; free() it. */
size_t
model_ask(const struct model *model, const struct question *q, struct model_answer **answers);

#endif
