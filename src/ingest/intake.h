/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.h -- what a record means, whatever door it came through.
 *
 * Doors (OTLP protobuf, OTLP JSON, text) take bytes apart and call here with one
 * record after the other: a resource, a scope, a metric, its points; log records and spans.
 * Here names become metrics and tables, attributes become labels and typed fields, rules drop and
 * hash, and what is left goes into a batch.  Both OTLP doors say the same things in the same
 * order, so a body means the same in either form.
 *
 * Labels of a point are those of its resource, its scope and its own; the inner ones win.  Most
 * points repeat the attributes of an earlier one byte by byte: a door hashes them as they
 * stand and asks intake_find_labels; only when that does not know them it takes them apart.
 *
 * A record that cannot be used is counted in the report and VARVE_OK returned; any other status
 * means that nothing more can be taken (no memory, no disk), and is final.
 *
 * Strings and arrays given here are only read during the call.
 */
#ifndef INGEST_INTAKE_H
#define INGEST_INTAKE_H

#include "base/arena.h"
#include "base/hash.h"
#include "ingest/limits.h"
#include "ingest/report.h"
#include "ingest/rules.h"
#include "store/batch.h"

enum intake_shape { SHAPE_GAUGE = 1, SHAPE_SUM, SHAPE_HISTOGRAM, SHAPE_SUMMARY };

/* A metric as it was sent.  The name may be any spelling. */
struct intake_metric {
    struct varve_str name, unit;
    enum intake_shape shape;
    int temporality; /* of sums and histograms: enum varve_temporality; 0: not said */
    bool monotonic;  /* of sums */
};

struct intake_buckets {
    int64_t start, end;
    uint64_t count;
    bool has_sum;
    double sum;
    const double *bounds; /* rising; one fewer than counts */
    size_t bound_count;
    const uint64_t *counts; /* per bucket, not accumulated; none: only sum and count are known */
    size_t bucket_count;
};

struct intake_quantiles {
    int64_t start, end;
    uint64_t count;
    double sum;
    const double *quantiles, *values;
    size_t quantile_count;
};

/* A log record.  Its name is the first there is of the attribute event.name, `name` and a body that
 * looks like a name. */
struct intake_event {
    int64_t time, observed;  /* 0: not said */
    struct varve_str name;   /* LogRecord.event_name */
    struct varve_value body; /* VARVE_NULL: none; what is no scalar comes as JSON text */
    struct varve_str severity;
    int64_t severity_number;            /* 0: none */
    struct varve_str trace_id, span_id; /* hexadecimal; empty: none */
    const struct varve_field *attributes;
    size_t attribute_count;
};

struct intake_span {
    int64_t start, end;
    struct varve_str name;
    struct varve_str trace_id, span_id, parent_id; /* hexadecimal */
    int64_t kind;                                  /* of OTLP's SpanKind */
    int64_t status_code;                           /* 0 unset, 1 ok, 2 error */
    struct varve_str status_message;
    const struct varve_field *attributes;
    size_t attribute_count;
};

/* What happened during the span that was given last. */
struct intake_span_event {
    int64_t time;
    struct varve_str name;
    const struct varve_field *attributes;
    size_t attribute_count;
};

struct intake;

/* Where batches go when they are full.  Adds to *appended. */
typedef enum varve_status intake_append(void *context, struct write_batch *batch,
                                        struct varve_appended *appended, struct varve_err *err);

/* What the store says a metric is; false: it does not know the name.  A batch whose metrics
 * contradict it, in kind or in scale, would be refused as a whole.  The texts live until the next
 * call. */
typedef bool intake_known(void *context, struct varve_str name, struct varve_metric *metric);

struct intake_options {
    struct mem *mem;
    uint64_t seed; /* of the store: of its hashes */
    const struct rules *rules;
    struct report *report;
    intake_append *append;
    intake_known *known;
    void *context;       /* of both */
    uint64_t batch_rows; /* at most; 0: LIMIT_BATCH_ROWS */
};

enum varve_status intake_new(const struct intake_options *options, struct intake **intake,
                             struct varve_err *err) VARVE_CHECKED;
/* What was not flushed is gone. */
void intake_free(struct intake *intake);

/* Where the records that follow stand, for messages: "FILE, body 3" or "FILE, line 17". */
void intake_place(struct intake *intake, const char *place, const char *unit, uint64_t number);
void intake_reject(struct intake *intake, enum reject_reason reason, uint64_t count,
                   const char *message);

/* A resource, then a scope of it.  A text door calls both with nothing.  The scope's name and
 * version become labels unless the scope is one of Claude Code's, which says nothing new. */
enum varve_status intake_resource(struct intake *intake, const struct varve_field *attributes,
                                  size_t count, struct varve_err *err) VARVE_CHECKED;
enum varve_status intake_scope(struct intake *intake, struct varve_str name,
                               struct varve_str version, const struct varve_field *attributes,
                               size_t count, struct varve_err *err) VARVE_CHECKED;

/* Resource and scope by the hash of their bytes: whether they were named so since the last flush,
 * and need not be given again.  For metrics only: events have the attributes themselves. */
bool intake_find_around(struct intake *intake, struct h128 hash);
/* Names those that were given last. */
void intake_name_around(struct intake *intake, struct h128 hash);

/* The metric of the points that follow.  *wanted is false when a rule drops it or it cannot be
 * used: then the door says how many points it has with intake_skip, and goes on with the next
 * metric. */
enum varve_status intake_metric(struct intake *intake, const struct intake_metric *metric,
                                bool *wanted, struct varve_err *err) VARVE_CHECKED;
void intake_skip(struct intake *intake, uint64_t points);

/* The label set of attributes whose bytes have this hash, if this resource and scope has made it
 * since the last flush (for this metric, where rules tell metrics apart). */
bool intake_find_labels(struct intake *intake, struct h128 hash, uint32_t *labels);
/* Makes it.  *usable is false after a rejection. */
enum varve_status
intake_labels(struct intake *intake, struct h128 hash, const struct varve_field *attributes,
              size_t count, uint32_t *labels, bool *usable, struct varve_err *err) VARVE_CHECKED;

/* The same attribute by attribute, for a door that meets the bytes of most of them again and again:
 * begin, then find each by the hash of its bytes, or add it, and at last ask for the labels.  When
 * *plain is false, or begin is, something is out of the ordinary: call intake_labels instead. */
bool intake_pairs_begin(struct intake *intake);
bool intake_pairs_find(struct intake *intake, struct h128 hash);
/* Where many sets begin with the same attributes: right after begin, asks whether the pairs of
 * attributes whose bytes have this hash are still at hand, and takes them; or, when these have been
 * given one by one, says so. */
bool intake_pairs_again(struct intake *intake, struct h128 hash);
void intake_pairs_head(struct intake *intake, struct h128 hash);
enum varve_status
intake_pairs_add(struct intake *intake, struct h128 hash, const struct varve_field *field,
                 bool *plain, struct varve_err *err) VARVE_CHECKED;
enum varve_status intake_pairs_labels(struct intake *intake, struct h128 hash, uint32_t *labels,
                                      bool *plain, struct varve_err *err) VARVE_CHECKED;

/* Points of the metric at hand.  A gauge has no start. */
enum varve_status intake_number(struct intake *intake, uint32_t labels, int64_t start, int64_t end,
                                struct varve_value value, struct varve_err *err) VARVE_CHECKED;
enum varve_status
intake_histogram(struct intake *intake, uint32_t labels, const struct intake_buckets *buckets,
                 struct varve_err *err) VARVE_CHECKED;
enum varve_status
intake_summary(struct intake *intake, uint32_t labels, const struct intake_quantiles *quantiles,
               struct varve_err *err) VARVE_CHECKED;

enum varve_status intake_event(struct intake *intake, const struct intake_event *event,
                               struct varve_err *err) VARVE_CHECKED;
enum varve_status intake_span(struct intake *intake, const struct intake_span *span,
                              struct varve_err *err) VARVE_CHECKED;
enum varve_status intake_span_event(struct intake *intake, const struct intake_span_event *event,
                                    struct varve_err *err) VARVE_CHECKED;

/* Appends the batch, or most of it, if it has grown large, its day is over or it has waited long.
 * To be called between resources only: label sets, the resource and the scope are forgotten. */
enum varve_status intake_pause(struct intake *intake, struct varve_err *err) VARVE_CHECKED;
/* Looks at the clock, for the next intake_pause.  To be called when more bytes have come. */
void intake_tick(struct intake *intake);
/* Appends whatever there is. */
enum varve_status intake_flush(struct intake *intake, struct varve_err *err) VARVE_CHECKED;

struct intake_counts {
    uint64_t batches;
    uint64_t series;  /* distinct ones met */
    uint64_t dropped; /* points and events that rules dropped */
    struct varve_appended appended;
};
const struct intake_counts *intake_counts(const struct intake *intake);

/* A time as OTLP has it: what does not fit is no time anyway. */
static inline int64_t intake_time(uint64_t nanos)
{
    return nanos > INT64_MAX ? INT64_MAX : (int64_t)nanos;
}

#endif
