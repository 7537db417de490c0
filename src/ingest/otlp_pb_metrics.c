/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_metrics.c -- blocks of metrics, walked where they lie.
 *
 * A block is a resource, which has scopes, which have metrics, which have points.  wire_scan has
 * seen to it that every field has its type and lies within its message, so the walk only looks for
 * what it needs.  Most blocks repeat the resource and the scope of an earlier one byte by byte;
 * these are hashed, and unpacked only when the intake does not know them.
 *
 * protobuf lets a message be sent in several pieces, which count as one with all their
 * fields; such pieces are put together first.  A metric of several kinds, which
 * OTLP does not know but the wire can say, is rejected with all its points.
 */
#include "ingest/otlp_pb_private.h"

#include "ingest/otlp.pb-c.h"

enum { BLOCK_RESOURCE = 1, BLOCK_SCOPES = 2, SCOPE_SCOPE = 1, SCOPE_METRICS = 2 };
enum { METRIC_NAME = 1, METRIC_UNIT = 3, METRIC_FIELDS = 12 };
enum { DATA_POINTS = 1, DATA_TEMPORALITY = 2, DATA_MONOTONIC = 3 };

static struct wire wire_within(const struct wire_field *field)
{
    return wire_over(field->data, field->size);
}

/* All pieces of the message in that field, one behind the other. */
static enum varve_status
join(struct wire outer, uint32_t number, struct buf *out, struct wire *whole, struct varve_err *err)
{
    struct wire_field field;
    buf_clear(out);
    while (wire_next(&outer, &field) == WIRE_FIELD)
        if (field.number == number)
            buf_put(out, field.data, field.size);
    *whole = wire_over(out->data, out->size);
    return buf_status(out, err);
}

/* The message in that field, an empty one if there is none; joined in `out` if need be. */
static enum varve_status message_in(struct wire outer, uint32_t number, struct buf *out,
                                    struct wire *message, struct varve_err *err)
{
    struct wire rest = outer;
    struct wire_field field;
    size_t pieces = 0;
    *message = wire_over((const uint8_t *)"", 0);
    while (wire_next(&rest, &field) == WIRE_FIELD) {
        if (field.number != number)
            wire_step_over(&rest, field.number);
        else if (pieces++ == 0)
            *message = wire_within(&field);
    }
    return pieces > 1 ? join(outer, number, out, message, err) : VARVE_OK;
}

static struct h128 hash_of(const struct otlp_pb *door, struct wire message)
{
    return hash128(message.at, (size_t)(message.end - message.at), door->seed);
}

/* ---- metrics ---- */

/* What a metric's data may be, by the number of their field.  The points of an exponential
 * histogram are only counted. */
struct kind {
    enum intake_shape shape;
    enum varve_status (*take)(struct otlp_pb *, struct wire point, struct varve_err *);
};

static const struct kind kinds[METRIC_FIELDS] = {
    [5] = {SHAPE_GAUGE, otlp_pb_reading},
    [7] = {SHAPE_SUM, otlp_pb_sum},
    [9] = {SHAPE_HISTOGRAM, otlp_pb_histogram},
    [11] = {SHAPE_SUMMARY, otlp_pb_summary},
};
enum { EXPONENTIAL = 10 };

struct metric {
    struct intake_metric what;
    struct wire data;
    uint32_t kind;   /* the field that the data are in; 0: none */
    unsigned pieces; /* of the data */
    bool is_mixed, is_exponential;
};

static struct varve_str text_of(const struct wire_field *field)
{
    return (struct varve_str){(const char *)field->data, field->size};
}

static void read_metric(struct wire rest, struct metric *metric)
{
    struct wire_field field;
    *metric = (struct metric){.what = {.name = {"", 0}, .unit = {"", 0}}};
    while (wire_next(&rest, &field) == WIRE_FIELD) {
        if (field.number == METRIC_NAME)
            metric->what.name = text_of(&field);
        else if (field.number == METRIC_UNIT)
            metric->what.unit = text_of(&field);
        else if (field.number == EXPONENTIAL)
            metric->is_exponential = true;
        else if (field.number < METRIC_FIELDS && kinds[field.number].take) {
            metric->is_mixed |= metric->kind != 0 && metric->kind != field.number;
            metric->kind = field.number;
            if (metric->pieces++ == 0)
                metric->data = wire_within(&field);
        }
    }
}

/* Where the data say how they are meant.  Gauges and summaries do not: what has such a number there
 * is a field that nobody knows, of any type. */
static void read_data(struct wire data, struct intake_metric *what)
{
    const bool has_temporality = what->shape == SHAPE_SUM || what->shape == SHAPE_HISTOGRAM;
    struct wire_field field;
    while (wire_next(&data, &field) == WIRE_FIELD) {
        if (field.number == DATA_POINTS)
            wire_step_over(&data, DATA_POINTS);
        else if (field.number == DATA_TEMPORALITY && has_temporality)
            what->temporality = (int)(int32_t)field.value;
        else if (field.number == DATA_MONOTONIC && what->shape == SHAPE_SUM)
            what->monotonic = field.value != 0;
    }
}

static uint64_t points_of_metric(struct wire metric)
{
    struct wire_field field, inner;
    uint64_t points = 0;
    while (wire_next(&metric, &field) == WIRE_FIELD) {
        if (field.number >= METRIC_FIELDS ||
            !(field.number == EXPONENTIAL || kinds[field.number].take))
            continue;
        struct wire data = wire_within(&field);
        while (wire_next(&data, &inner) == WIRE_FIELD)
            points += inner.number == DATA_POINTS;
    }
    return points;
}

static enum varve_status take_metric(struct otlp_pb *door, struct wire bytes, struct varve_err *err)
{
    struct metric metric;
    struct wire_field field;
    bool wanted;
    read_metric(bytes, &metric);
    if (metric.is_exponential) {
        uint64_t points = points_of_metric(bytes);
        if (points > 0)
            intake_reject(
                door->intake, REJECT_EXPONENTIAL, points,
                "exponential histograms are not kept; have the sender use explicit buckets");
        return VARVE_OK;
    }
    if (metric.kind == 0 || metric.is_mixed) {
        uint64_t points = points_of_metric(bytes);
        intake_reject(door->intake, REJECT_METRIC, points ? points : 1,
                      "a metric without data, or of several kinds");
        return VARVE_OK;
    }
    if (metric.pieces > 1) {
        door->head.size = 0; /* it may lie where these are joined */
        TRY(join(bytes, metric.kind, &door->joined[JOINED_DATA], &metric.data, err));
    }
    metric.what.shape = kinds[metric.kind].shape;
    read_data(metric.data, &metric.what);
    TRY(intake_metric(door->intake, &metric.what, &wanted, err));
    if (!wanted)
        intake_skip(door->intake, points_of_metric(bytes));
    while (wanted && wire_next(&metric.data, &field) == WIRE_FIELD)
        if (field.number == DATA_POINTS)
            TRY(kinds[metric.kind].take(door, wire_within(&field), err));
    return VARVE_OK;
}

/* ---- scopes and blocks ---- */

static uint64_t points_of_scope(struct wire scope)
{
    struct wire_field field;
    uint64_t points = 0;
    while (wire_next(&scope, &field) == WIRE_FIELD)
        if (field.number == SCOPE_METRICS)
            points += points_of_metric(wire_within(&field));
    return points;
}

static uint64_t points_of_block(struct wire block)
{
    struct wire_field field;
    uint64_t points = 0;
    while (wire_next(&block, &field) == WIRE_FIELD)
        if (field.number == BLOCK_SCOPES)
            points += points_of_scope(wire_within(&field));
    return points;
}

/* A block on its way in. */
struct block {
    struct wire all, resource;
    struct h128 hash; /* of the resource */
    bool is_given;    /* the intake has the resource at hand */
    bool is_bad;      /* it could not be used, and all points were rejected */
};

static enum varve_status
give_resource(struct otlp_pb *door, struct block *block, struct varve_err *err)
{
    ProtobufCMessage *resource;
    bool usable;
    if (block->is_given)
        return VARVE_OK;
    TRY(otlp_pb_unpack(door, &otlp__resource__descriptor, block->resource, &resource, err));
    TRY(otlp_pb_resource(door, (const Otlp__Resource *)resource, points_of_block(block->all),
                         &usable, err));
    block->is_given = usable;
    block->is_bad = !usable;
    return VARVE_OK;
}

/* Tells the intake what surrounds the metrics of a scope.  *usable is false when they are
 * rejected. */
static enum varve_status surround(struct otlp_pb *door, struct block *block, struct wire bytes,
                                  bool *usable, struct varve_err *err)
{
    struct wire scope;
    ProtobufCMessage *message;
    TRY(message_in(bytes, SCOPE_SCOPE, &door->joined[JOINED_SCOPE], &scope, err));
    struct h128 hash = h128_pair(block->hash, hash_of(door, scope));
    *usable = intake_find_around(door->intake, hash);
    if (*usable) {
        block->is_given = false;
        return VARVE_OK;
    }
    TRY(give_resource(door, block, err));
    if (block->is_bad)
        return VARVE_OK;
    TRY(otlp_pb_unpack(door, &otlp__scope__descriptor, scope, &message, err));
    TRY(otlp_pb_scope(door, (const Otlp__Scope *)message, points_of_scope(bytes), usable, err));
    if (*usable)
        intake_name_around(door->intake, hash);
    return VARVE_OK;
}

/* The metrics of one scope. */
static enum varve_status
take_scope(struct otlp_pb *door, struct block *block, struct wire scope, struct varve_err *err)
{
    struct wire_field field;
    bool usable;
    TRY(surround(door, block, scope, &usable, err));
    while (usable && wire_next(&scope, &field) == WIRE_FIELD)
        if (field.number == SCOPE_METRICS)
            TRY(take_metric(door, wire_within(&field), err));
    return VARVE_OK;
}

enum varve_status otlp_pb_metrics(struct otlp_pb *door, struct wire bytes, struct varve_err *err)
{
    struct block block = {.all = bytes};
    struct wire_field field;
    size_t scopes = 0;
    TRY(message_in(bytes, BLOCK_RESOURCE, &door->joined[JOINED_RESOURCE], &block.resource, err));
    block.hash = hash_of(door, block.resource);
    while (!block.is_bad && wire_next(&bytes, &field) == WIRE_FIELD) {
        if (field.number != BLOCK_SCOPES)
            continue;
        scopes++;
        TRY(take_scope(door, &block, wire_within(&field), err));
    }
    /* A resource that surrounds nothing is judged like others. */
    return scopes > 0 ? VARVE_OK : give_resource(door, &block, err);
}
