/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_private.h -- what the parts of the intake share.
 *
 *   intake.c         its life, the resource and the scope
 *   intake_batch.c   when batches are appended
 *   intake_metric.c  what a metric is
 *   intake_labels.c  the labels of its points
 *   intake_pairs.c   the same, attribute by attribute
 *   intake_points.c  points
 *   intake_fields.c  fields of events: rules, types, the inner ones win
 *   intake_events.c  log records and spans
 */
#ifndef INGEST_INTAKE_PRIVATE_H
#define INGEST_INTAKE_PRIVATE_H

#include "ingest/facts.h"
#include "ingest/intake.h"
#include "ingest/seen.h"

/* What Claude Code's own scopes are called begins so. */
#define OWN_SCOPE "com.anthropic.claude_code"

/* A copy of attributes. */
struct held {
    struct arena arena;
    struct varve_field *fields;
    size_t count;
};

/* What becomes of the points of a metric. */
enum metric_fate { FATE_WANTED, FATE_DROPPED, FATE_REFUSED };

/* A metric as it was sent, and what came of that. */
struct metered {
    struct varve_str name; /* OTLP's */
    enum metric_fate fate;
    enum reject_reason reason; /* of FATE_REFUSED, with */
    const char *message;
    enum intake_shape shape;
    enum varve_temporality temporality; /* of all but gauges */
    bool from_zero;                     /* series of a session count from zero */
    uint32_t number;                    /* in the batch: of the metric, or of NAME_bucket, */
    uint32_t sum, count;                /* NAME_sum and NAME_count */
};

/* A label set and the attributes it was made of. */
struct known_labels {
    struct h128 key;
    uint32_t set;
};

/* The pairs that attributes of these bytes became, the first `count` of those at hand. */
struct pairs_head {
    struct h128 hash;
    uint64_t batch; /* in which; 0: there are none */
    size_t count;
};

#define METRIC_NONE UINT32_MAX

struct intake {
    struct intake_options options;
    struct mem *mem;
    struct write_batch batch;
    struct rowset kept; /* rows for the next batch, while one is appended */
    int64_t newest;     /* end of any point of the batch */
    int64_t day_over;   /* a point as late as this ends a day; 0: not worked out yet */
    int64_t began;      /* the batch, by the clock for measuring; 0: not looked yet */
    size_t used_before; /* memory in use when the batch began */
    bool has_readings;  /* cumulative ones are among its points */
    bool is_due;        /* it has waited long enough */
    struct facts facts;
    struct seen seen;
    struct intake_counts counts;
    struct held resource, scope;
    struct arena scratch; /* of one call */

    /* The labels of resource and scope, as the metric at hand sees them. */
    bool base_is_made, base_was_told;
    uint32_t base, base_place;      /* label set; place of facts */
    struct h128 base_key;           /* told from all others in label_table */
    struct hash_table around_table; /* base sets, by the bytes of resource and scope */
    struct h128 around;             /* of those at hand, if they are named and */
    bool around_is_named;           /* their base set is not made yet */
    bool around_is_odd;             /* something was told of the resource or the scope */
    struct hash_table label_table; /* label sets that were made, by the bytes of their attributes */
    struct known_labels *labels_known;
    size_t labels_known_count, labels_known_capacity;
    size_t labels_likely;           /* the ones after those found last: senders repeat themselves */
    struct known_pair *known_pairs; /* labels by the bytes of their attributes; NULL: none yet */
    uint64_t batch_number;          /* counts batches from 1 */
    struct rowset_pair pairs[LIMIT_ATTRIBUTES]; /* of the set that is put together from such */
    size_t pair_count;
    struct pairs_head pairs_head;
    uint8_t
        *sessions; /* per label set: does it name a session?  0: not looked yet, 1: no, 2: yes */
    size_t session_capacity;

    struct hash_table metric_table; /* metrics as they were sent, since the last flush */
    struct metered *metrics;
    size_t metric_count, metric_capacity;
    struct arena metric_texts;
    uint32_t metric; /* at hand; METRIC_NONE */
    size_t series;   /* of the batch, that `seen` has */

    uint32_t mark; /* of the record at hand, in facts */
    struct varve_label labels[2 * (LIMIT_ATTRIBUTES + 2)];
    struct varve_field fields[LIMIT_FIELDS];
    size_t field_count, own_field_count;

    struct arena span_texts; /* of the span given last: */
    struct varve_str span_name, span_trace_id, span_id;

    char place[160], unit[24];
    uint64_t place_number;
};

/* intake.c */
struct varve_str intake_value_text(struct intake *intake, struct varve_value value);
struct varve_str intake_hashed(struct intake *intake, struct varve_str text);
/* A new record: nothing in facts is marked as its own, and their number is bounded. */
void intake_mark(struct intake *intake);
bool intake_is_time(int64_t time);
static inline bool intake_is_final(enum varve_status status)
{
    return status != VARVE_OK && status != VARVE_INVALID && status != VARVE_LIMIT;
}

void intake_forget_base(struct intake *intake);
/* A point that the batch has taken. */
static inline void intake_note(struct intake *intake, int64_t end)
{
    intake->newest = end > intake->newest ? end : intake->newest;
}

/* intake_labels.c: the labels of resource and scope for the metric at hand. */
enum varve_status intake_base(struct intake *intake, struct varve_err *err) VARVE_CHECKED;
/* The label that a value makes under a name of which a fact is known. */
enum varve_status
intake_label(struct intake *intake, const struct fact *fact, struct varve_value value,
             struct varve_label *label, struct varve_err *err) VARVE_CHECKED;
/* Whether a label names one of Claude Code's scopes, as text formats have it. */
bool intake_is_own_scope(struct varve_str name, struct varve_str value);
enum varve_status intake_remember_labels(struct intake *intake, struct h128 hash, uint32_t set,
                                         struct varve_err *err) VARVE_CHECKED;
/* intake_pairs.c */
void intake_pairs_free(struct intake *intake);

/* intake_fields.c: one event after the other. */
void intake_fields_begin(struct intake *intake);
enum varve_status intake_field(struct intake *intake, uint32_t place, struct varve_str name,
                               struct varve_value value, struct varve_err *err) VARVE_CHECKED;
/* The same for a text, unless it is empty. */
enum varve_status intake_text_field(struct intake *intake, uint32_t place, const char *name,
                                    struct varve_str text, struct varve_err *err) VARVE_CHECKED;
/* Those of the resource and the scope; to be given before the record's own. */
enum varve_status
intake_held_fields(struct intake *intake, uint32_t place, struct varve_err *err) VARVE_CHECKED;
/* The event with these fields, in the batch. */
enum varve_status intake_fields_end(struct intake *intake, struct varve_str table, int64_t time,
                                    struct varve_err *err) VARVE_CHECKED;

#endif
