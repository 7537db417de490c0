/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_metrics.c -- metrics, and their points that are distributions.
 *
 * Points that are one number are read in otlp_pb_number.c.  A metric of several kinds, which
 * OTLP does not know but the wire can say, is rejected with all its points.
 */
#include "ingest/otlp_pb_private.h"

#include "ingest/otlp.pb-c.h"

/* Attributes that were unpacked, written as they stood on the wire. */
static enum varve_status run_of(struct otlp_pb *door, const ProtobufCBinaryData *attributes,
                                size_t count, struct point_run *run, struct varve_err *err)
{
    struct buf *out = &door->together;
    buf_clear(out);
    for (size_t i = 0; i < count; i++) {
        buf_put8(out, POINT_ATTRIBUTES << 3 | WIRE_LEN);
        buf_put_varint(out, attributes[i].len);
        buf_put(out, attributes[i].data, attributes[i].len);
    }
    *run = (struct point_run){out->data, out->size};
    return buf_status(out, err);
}

static enum varve_status
take_buckets(struct otlp_pb *door, const Otlp__HistogramPoint *point, struct varve_err *err)
{
    struct intake_buckets buckets = {.start = intake_time(point->start),
                                     .end = intake_time(point->time),
                                     .count = point->count,
                                     .bounds = point->bounds,
                                     .bound_count = point->n_bounds,
                                     .counts = point->counts,
                                     .bucket_count = point->n_counts};
    struct point_run run;
    uint32_t labels;
    bool usable;
    if (point->flags & NO_RECORDED_VALUE)
        return VARVE_OK;
    if (point->if_sum_case == OTLP__HISTOGRAM_POINT__IF_SUM_SUM) {
        buckets.has_sum = true;
        buckets.sum = point->sum;
    }
    TRY(run_of(door, point->attributes, point->n_attributes, &run, err));
    TRY(otlp_pb_labels(door, run, &labels, &usable, err));
    return usable ? intake_histogram(door->intake, labels, &buckets, err) : VARVE_OK;
}

static enum varve_status
take_quantiles(struct otlp_pb *door, const Otlp__SummaryPoint *point, struct varve_err *err)
{
    struct intake_quantiles quantiles = {.start = intake_time(point->start),
                                         .end = intake_time(point->time),
                                         .count = point->count,
                                         .sum = point->sum,
                                         .quantiles = door->quantiles,
                                         .values = door->quantile_values,
                                         .quantile_count = point->n_quantiles};
    struct point_run run;
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
    TRY(run_of(door, point->attributes, point->n_attributes, &run, err));
    TRY(otlp_pb_labels(door, run, &labels, &usable, err));
    return usable ? intake_summary(door->intake, labels, &quantiles, err) : VARVE_OK;
}

static enum varve_status
take_points(struct otlp_pb *door, const Otlp__Metric *metric, struct varve_err *err)
{
    for (size_t i = 0; metric->gauge && i < metric->gauge->n_points; i++)
        TRY(otlp_pb_number(door, &metric->gauge->points[i], false, err));
    for (size_t i = 0; metric->sum && i < metric->sum->n_points; i++)
        TRY(otlp_pb_number(door, &metric->sum->points[i], true, err));
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
