/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_metrics.c -- metrics and their points.
 *
 * Most points have attributes whose very bytes were met before, so they are
 * hashed, not read: the intake knows the label set, and only for a new hash they are taken apart.
 * The hash is one of the bytes and the sizes of all attributes in their order.  As they are
 * unpacked one behind the other with their sizes between them (otlp_pb_space.h), it is mostly one
 * run over memory; where something lies between them they are copied together first.
 */
#include "ingest/otlp_pb_private.h"

#include "ingest/otlp.pb-c.h"

enum { NO_RECORDED_VALUE = 1 };

static const uint8_t *block_of(const ProtobufCBinaryData *item)
{
    return item->data - SPACE_HEADER;
}

/* Whether they lie one behind the other; *size is then that of all of them. */
static bool lie_together(struct attributes attributes, size_t *size)
{
    size_t total = 0;
    if (attributes.items[0].len == 0)
        return false;
    const uint8_t *from = block_of(&attributes.items[0]);
    for (size_t i = 0; i < attributes.count; i++) {
        const ProtobufCBinaryData *item = &attributes.items[i];
        if (item->len == 0 || block_of(item) != from + total)
            return false;
        total += SPACE_HEADER + space_rounded(item->len);
    }
    *size = total;
    return true;
}

static enum varve_status hash_scattered(struct otlp_pb *door, struct attributes attributes,
                                        struct h128 *hash, struct varve_err *err)
{
    struct buf *out = &door->together;
    static const uint8_t zeros[8];
    buf_clear(out);
    for (size_t i = 0; i < attributes.count; i++) {
        const ProtobufCBinaryData *item = &attributes.items[i];
        uint64_t header = item->len;
        buf_put(out, &header, sizeof header);
        buf_put(out, item->data, item->len);
        buf_put(out, zeros, space_rounded(item->len) - item->len);
    }
    TRY(buf_status(out, err));
    *hash = hash128(out->data, out->size, door->seed);
    return VARVE_OK;
}

static enum varve_status hash_of(struct otlp_pb *door, struct attributes attributes,
                                 struct h128 *hash, struct varve_err *err)
{
    size_t size;
    if (attributes.count == 0)
        *hash = hash128("", 0, door->seed);
    else if (lie_together(attributes, &size))
        *hash = hash128(block_of(&attributes.items[0]), size, door->seed);
    else
        return hash_scattered(door, attributes, hash, err);
    return VARVE_OK;
}

/* The label set of a point. */
static enum varve_status labels_of(struct otlp_pb *door, struct attributes attributes,
                                   uint32_t *labels, bool *usable, struct varve_err *err)
{
    struct h128 hash;
    *usable = true;
    TRY(hash_of(door, attributes, &hash, err));
    if (intake_find_labels(door->intake, hash, labels))
        return VARVE_OK;
    TRY(otlp_pb_attributes(door, attributes, LIMIT_ATTRIBUTES, 1, usable, err));
    if (!*usable)
        return VARVE_OK;
    return intake_labels(door->intake, hash, door->values.fields, door->values.count, labels,
                         usable, err);
}

static enum varve_status take_number(struct otlp_pb *door, const Otlp__NumberPoint *point,
                                     bool has_start, struct varve_err *err)
{
    struct varve_value value;
    uint32_t labels;
    bool usable;
    if (point->flags & NO_RECORDED_VALUE)
        return VARVE_OK;
    if (point->value_case == OTLP__NUMBER_POINT__VALUE_AS_DOUBLE) {
        value = (struct varve_value){.type = VARVE_FLOAT, .as.f = point->as_double};
    } else if (point->value_case == OTLP__NUMBER_POINT__VALUE_AS_INT) {
        value = (struct varve_value){.type = VARVE_INT, .as.i = point->as_int};
    } else {
        intake_reject(door->intake, REJECT_VALUE, 1, "a point without a value");
        return VARVE_OK;
    }
    struct attributes attributes = {point->attributes, point->n_attributes};
    TRY(labels_of(door, attributes, &labels, &usable, err));
    if (!usable)
        return VARVE_OK;
    return intake_number(door->intake, labels, has_start ? intake_time(point->start) : 0,
                         intake_time(point->time), value, err);
}

static enum varve_status
take_buckets(struct otlp_pb *door, const Otlp__HistogramPoint *point, struct varve_err *err)
{
    struct attributes attributes = {point->attributes, point->n_attributes};
    struct intake_buckets buckets = {.start = intake_time(point->start),
                                     .end = intake_time(point->time),
                                     .count = point->count,
                                     .bounds = point->bounds,
                                     .bound_count = point->n_bounds,
                                     .counts = point->counts,
                                     .bucket_count = point->n_counts};
    uint32_t labels;
    bool usable;
    if (point->flags & NO_RECORDED_VALUE)
        return VARVE_OK;
    if (point->if_sum_case == OTLP__HISTOGRAM_POINT__IF_SUM_SUM) {
        buckets.has_sum = true;
        buckets.sum = point->sum;
    }
    TRY(labels_of(door, attributes, &labels, &usable, err));
    return usable ? intake_histogram(door->intake, labels, &buckets, err) : VARVE_OK;
}

static enum varve_status
take_quantiles(struct otlp_pb *door, const Otlp__SummaryPoint *point, struct varve_err *err)
{
    struct attributes attributes = {point->attributes, point->n_attributes};
    struct intake_quantiles quantiles = {.start = intake_time(point->start),
                                         .end = intake_time(point->time),
                                         .count = point->count,
                                         .sum = point->sum,
                                         .quantiles = door->quantiles,
                                         .values = door->quantile_values,
                                         .quantile_count = point->n_quantiles};
    uint32_t labels;
    bool usable;
    if (point->flags & NO_RECORDED_VALUE)
        return VARVE_OK;
    if (point->n_quantiles > LIMIT_BUCKETS) {
        intake_reject(door->intake, REJECT_HISTOGRAM, 1, "more quantiles than a summary may have");
        return VARVE_OK;
    }
    for (size_t i = 0; i < point->n_quantiles; i++) {
        door->quantiles[i] = point->quantiles[i]->quantile;
        door->quantile_values[i] = point->quantiles[i]->value;
    }
    TRY(labels_of(door, attributes, &labels, &usable, err));
    return usable ? intake_summary(door->intake, labels, &quantiles, err) : VARVE_OK;
}

static enum varve_status
take_points(struct otlp_pb *door, const Otlp__Metric *metric, struct varve_err *err)
{
    for (size_t i = 0; metric->gauge && i < metric->gauge->n_points; i++)
        TRY(take_number(door, metric->gauge->points[i], false, err));
    for (size_t i = 0; metric->sum && i < metric->sum->n_points; i++)
        TRY(take_number(door, metric->sum->points[i], true, err));
    for (size_t i = 0; metric->histogram && i < metric->histogram->n_points; i++)
        TRY(take_buckets(door, metric->histogram->points[i], err));
    for (size_t i = 0; metric->summary && i < metric->summary->n_points; i++)
        TRY(take_quantiles(door, metric->summary->points[i], err));
    return VARVE_OK;
}

size_t otlp_pb_points(const Otlp__Metric *metric)
{
    return (metric->gauge ? metric->gauge->n_points : 0) +
           (metric->sum ? metric->sum->n_points : 0) +
           (metric->histogram ? metric->histogram->n_points : 0) +
           (metric->summary ? metric->summary->n_points : 0) +
           (metric->exponential ? metric->exponential->n_points : 0);
}

/* What the metric is; false when it is nothing, or several things at once. */
static bool describe(const Otlp__Metric *metric, struct intake_metric *what)
{
    *what = (struct intake_metric){.name = {(const char *)metric->name.data, metric->name.len},
                                   .unit = {(const char *)metric->unit.data, metric->unit.len}};
    if (!!metric->gauge + !!metric->sum + !!metric->histogram + !!metric->summary != 1)
        return false;
    if (metric->gauge) {
        what->shape = SHAPE_GAUGE;
    } else if (metric->sum) {
        what->shape = SHAPE_SUM;
        what->temporality = metric->sum->temporality;
        what->monotonic = metric->sum->monotonic;
    } else if (metric->histogram) {
        what->shape = SHAPE_HISTOGRAM;
        what->temporality = metric->histogram->temporality;
    } else {
        what->shape = SHAPE_SUMMARY;
    }
    return true;
}

enum varve_status
otlp_pb_metric(struct otlp_pb *door, const Otlp__Metric *metric, struct varve_err *err)
{
    struct intake_metric what;
    bool wanted;
    size_t points = otlp_pb_points(metric);
    if (metric->exponential) {
        if (points > 0)
            intake_reject(
                door->intake, REJECT_EXPONENTIAL, points,
                "exponential histograms are not kept; have the sender use explicit buckets");
        return VARVE_OK;
    }
    if (!describe(metric, &what)) {
        intake_reject(door->intake, REJECT_METRIC, points ? points : 1,
                      "a metric without data, or of several kinds");
        return VARVE_OK;
    }
    TRY(intake_metric(door->intake, &what, &wanted, err));
    if (wanted)
        return take_points(door, metric, err);
    intake_skip(door->intake, points);
    return VARVE_OK;
}
