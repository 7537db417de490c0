/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_private.h -- what the files of the protobuf door share.
 *
 * otlp_pb.c takes a body apart into blocks, and those of logs and traces into scopes, whose records
 * otlp_pb_records.c gives to the intake.  otlp_pb_metrics.c walks through blocks of metrics down to
 * points, which are read in otlp_pb_number.c and otlp_pb_distribution.c.
 */
#ifndef INGEST_OTLP_PB_PRIVATE_H
#define INGEST_OTLP_PB_PRIVATE_H

#include <protobuf-c/protobuf-c.h>
#include "ingest/otlp_pb.h"
#include "ingest/otlp_pb_space.h"
#include "ingest/otlp_pb_value.h"
#include "ingest/wire.h"

struct Otlp__LogRecord;
struct Otlp__Resource;
struct Otlp__Scope;
struct Otlp__Span;

/* Messages that were sent in pieces, joined. */
enum { JOINED_RESOURCE, JOINED_SCOPE, JOINED_DATA, JOINED_MESSAGES };

/* The attributes that the points of a request begin with: of the last one, in the body at hand or
 * in data that were joined. */
struct point_head {
    const uint8_t *bytes;
    size_t size; /* 0: none */
    struct h128 hash;
};

struct otlp_pb {
    struct mem *mem;
    struct intake *intake;
    uint64_t seed;      /* of the hashes of attributes, which live as long as a block */
    struct space space; /* the block at hand */
    struct point_head head;
    struct buf together; /* attributes that did not lie together, brought together */
    struct buf joined[JOINED_MESSAGES];
    struct values values;
    double quantiles[LIMIT_BUCKETS], quantile_values[LIMIT_BUCKETS];
};

/* Attributes as protobuf-c leaves them. */
struct attributes {
    const ProtobufCBinaryData *items;
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

/* Unpacks a message into the space, where it lives until the next is unpacked.  VARVE_LIMIT and
 * VARVE_INVALID are the body's fault. */
enum varve_status
otlp_pb_unpack(struct otlp_pb *door, const ProtobufCMessageDescriptor *descriptor,
               struct wire message, ProtobufCMessage **made, struct varve_err *err) VARVE_CHECKED;

/* A resource or a scope whose records count `records`; NULL: none.  *usable is false when these
 * were rejected. */
enum varve_status
otlp_pb_resource(struct otlp_pb *door, const struct Otlp__Resource *resource, uint64_t records,
                 bool *usable, struct varve_err *err) VARVE_CHECKED;
enum varve_status
otlp_pb_scope(struct otlp_pb *door, const struct Otlp__Scope *scope, uint64_t records, bool *usable,
              struct varve_err *err) VARVE_CHECKED;
/* A ResourceMetrics. */
enum varve_status
otlp_pb_metrics(struct otlp_pb *door, struct wire bytes, struct varve_err *err) VARVE_CHECKED;

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
/* One point of the metric at hand: of a gauge, of a sum, which only it has a start, and so on. */
enum varve_status
otlp_pb_reading(struct otlp_pb *door, struct wire point, struct varve_err *err) VARVE_CHECKED;
enum varve_status
otlp_pb_sum(struct otlp_pb *door, struct wire point, struct varve_err *err) VARVE_CHECKED;
enum varve_status
otlp_pb_histogram(struct otlp_pb *door, struct wire point, struct varve_err *err) VARVE_CHECKED;
enum varve_status
otlp_pb_summary(struct otlp_pb *door, struct wire point, struct varve_err *err) VARVE_CHECKED;

enum varve_status otlp_pb_record(struct otlp_pb *door, const struct Otlp__LogRecord *record,
                                 struct varve_err *err) VARVE_CHECKED;
enum varve_status otlp_pb_span(struct otlp_pb *door, const struct Otlp__Span *span,
                               struct varve_err *err) VARVE_CHECKED;

#endif
