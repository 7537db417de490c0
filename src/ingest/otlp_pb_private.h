/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_private.h -- what the files of the protobuf door share.
 *
 * otlp_pb.c takes a body apart into blocks and scopes; otlp_pb_metrics.c, otlp_pb_number.c and
 * otlp_pb_records.c give what is in a scope to the intake.
 */
#ifndef INGEST_OTLP_PB_PRIVATE_H
#define INGEST_OTLP_PB_PRIVATE_H

#include "ingest/otlp_pb.h"
#include "ingest/otlp_pb_space.h"
#include "ingest/otlp_pb_value.h"
#include "ingest/wire.h"

struct otlp_pb {
    struct mem *mem;
    struct intake *intake;
    uint64_t seed;       /* of the hashes of attributes, which live as long as a block */
    struct space space;  /* the block at hand */
    struct buf together; /* attributes that did not lie together, brought together */
    struct values values;
    double quantiles[LIMIT_BUCKETS], quantile_values[LIMIT_BUCKETS];
};

/* Attributes as protobuf-c leaves them. */
struct attributes {
    const struct ProtobufCBinaryData *items;
    size_t count;
};

/* A fresh record of these attributes in door->values, `most` at most; the caller may have it settle
 * with a body.  *usable is false when it cannot be used, and `count` records were rejected. */
enum varve_status
otlp_pb_attributes(struct otlp_pb *door, struct attributes attributes, size_t most, uint64_t count,
                   bool *usable, struct varve_err *err) VARVE_CHECKED;
/* What became of reading attributes: counts the record when they were VARVE_INVALID. */
enum varve_status otlp_pb_judge(struct otlp_pb *door, enum varve_status status, uint64_t count,
                                bool *usable) VARVE_CHECKED;

struct Otlp__Metric;
struct Otlp__LogRecord;
struct Otlp__Span;

/* The attributes of a point as they stand on the wire: fields POINT_ATTRIBUTES, and nothing between
 * them.  Equal bytes are equal attributes. */
struct point_run {
    const uint8_t *bytes;
    size_t size;
};
enum { POINT_ATTRIBUTES = 7, NO_RECORDED_VALUE = 1 };

/* The label set of these attributes.  *usable is false when the point was rejected. */
enum varve_status otlp_pb_labels(struct otlp_pb *door, struct point_run run, uint32_t *labels,
                                 bool *usable, struct varve_err *err) VARVE_CHECKED;
/* One point of a gauge or a sum.  Only the latter has a start. */
enum varve_status otlp_pb_number(struct otlp_pb *door, const struct ProtobufCBinaryData *point,
                                 bool has_start, struct varve_err *err) VARVE_CHECKED;

size_t otlp_pb_points(const struct Otlp__Metric *metric);
enum varve_status otlp_pb_metric(struct otlp_pb *door, const struct Otlp__Metric *metric,
                                 struct varve_err *err) VARVE_CHECKED;
enum varve_status otlp_pb_record(struct otlp_pb *door, const struct Otlp__LogRecord *record,
                                 struct varve_err *err) VARVE_CHECKED;
enum varve_status otlp_pb_span(struct otlp_pb *door, const struct Otlp__Span *span,
                               struct varve_err *err) VARVE_CHECKED;

#endif
