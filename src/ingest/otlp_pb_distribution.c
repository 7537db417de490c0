/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_distribution.c -- points of histograms and summaries, unpacked by protobuf-c.
 *
 * A point that would not fit into the space is rejected by itself.
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
give_buckets(struct otlp_pb *door, const Otlp__HistogramPoint *point, struct varve_err *err)
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
give_quantiles(struct otlp_pb *door, const Otlp__SummaryPoint *point, struct varve_err *err)
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

/* *made is NULL when the point was rejected. */
static enum varve_status
unpack_point(struct otlp_pb *door, const ProtobufCMessageDescriptor *descriptor, struct wire point,
             void *made, struct varve_err *err)
{
    ProtobufCMessage **message = made;
    struct varve_err why = {0};
    enum varve_status status = otlp_pb_unpack(door, descriptor, point, message, &why);
    if (status == VARVE_OK)
        return VARVE_OK;
    *message = NULL;
    if (status != VARVE_INVALID && status != VARVE_LIMIT)
        return fail(err, status, why.place, "%s", why.message);
    intake_reject(door->intake, REJECT_HISTOGRAM, 1,
                  "a histogram or summary that takes more memory than one may");
    return VARVE_OK;
}

enum varve_status otlp_pb_histogram(struct otlp_pb *door, struct wire point, struct varve_err *err)
{
    Otlp__HistogramPoint *made;
    TRY(unpack_point(door, &otlp__histogram_point__descriptor, point, &made, err));
    return made ? give_buckets(door, made, err) : VARVE_OK;
}

enum varve_status otlp_pb_summary(struct otlp_pb *door, struct wire point, struct varve_err *err)
{
    Otlp__SummaryPoint *made;
    TRY(unpack_point(door, &otlp__summary_point__descriptor, point, &made, err));
    return made ? give_quantiles(door, made, err) : VARVE_OK;
}
