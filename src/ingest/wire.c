/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.c -- a look at a whole OTLP body before anything of it is unpacked.
 *
 * protobuf-c recurses as deep as a sender nests and allocates as much as he
 * claims to need, so nothing reaches it that has not been walked through here.  The walk
 * follows a table: for each kind of message, which fields it has, of what wire type, and which
 * of them are messages again.  The table is a tree a few levels deep, so the depth of the walk is
 * that of the table, whatever the sender does.
 *
 * Unknown fields are stepped over.  A known field of another wire type is an error here: it would
 * be one in protobuf-c.  What stays bytes when a body is unpacked is only counted.
 */
#include "ingest/wire.h"

#include <stdio.h>

/* Attributes of one message that nobody sends by mistake; a record is judged by its own limits
 * long before, this one only bounds what an unpacked record may take. */
enum { MOST_ATTRIBUTES = 4096 };

enum { FIELDS = 17, DEPTH = 8 };

enum kind {
    NO_KIND, /* not a message, or one that nobody unpacks */
    METRICS_REQUEST,
    LOGS_REQUEST,
    TRACES_REQUEST,
    METRICS_BLOCK,
    LOGS_BLOCK,
    TRACES_BLOCK,
    METRICS_SCOPE,
    LOGS_SCOPE,
    TRACES_SCOPE,
    RESOURCE,
    SCOPE,
    METRIC,
    GAUGE,
    SUM,
    HISTOGRAM,
    EXPONENTIAL,
    SUMMARY,
    HISTOGRAM_POINT,
    SUMMARY_POINT,
    QUANTILE,
    LOG_RECORD,
    SPAN,
    SPAN_EVENT,
    STATUS,
    MESSAGES,   /* how many kinds of messages there are */
    ATTRIBUTE,  /* bytes that are counted */
    POINT_BYTES /* a point that stays bytes */
};

static const char *const names[MESSAGES] = {
    [METRICS_REQUEST] = "metrics request",
    [LOGS_REQUEST] = "logs request",
    [TRACES_REQUEST] = "traces request",
    [METRICS_BLOCK] = "ResourceMetrics",
    [LOGS_BLOCK] = "ResourceLogs",
    [TRACES_BLOCK] = "ResourceSpans",
    [METRICS_SCOPE] = "ScopeMetrics",
    [LOGS_SCOPE] = "ScopeLogs",
    [TRACES_SCOPE] = "ScopeSpans",
    [RESOURCE] = "Resource",
    [SCOPE] = "InstrumentationScope",
    [METRIC] = "Metric",
    [GAUGE] = "Gauge",
    [SUM] = "Sum",
    [HISTOGRAM] = "Histogram",
    [EXPONENTIAL] = "ExponentialHistogram",
    [SUMMARY] = "Summary",
    [HISTOGRAM_POINT] = "HistogramDataPoint",
    [SUMMARY_POINT] = "SummaryDataPoint",
    [QUANTILE] = "ValueAtQuantile",
    [LOG_RECORD] = "LogRecord",
    [SPAN] = "Span",
    [SPAN_EVENT] = "Span.Event",
    [STATUS] = "Status",
};

struct rule {
    uint8_t types; /* wire types it may have, a bit each; 0: an unknown field */
    uint8_t kind;
};

/* clang-format off */
#define VARINT {1 << WIRE_VARINT, NO_KIND}
#define I64 {1 << WIRE_I64, NO_KIND}
#define I32 {1 << WIRE_I32, NO_KIND}
#define BYTES {1 << WIRE_LEN, NO_KIND}
#define NUMBERS {1 << WIRE_LEN | 1 << WIRE_I64, NO_KIND} /* in one piece, or one by one */
#define OF(kind) {1 << WIRE_LEN, kind}
/* clang-format on */

static const struct rule rules[MESSAGES][FIELDS] = {
    [METRICS_REQUEST] = {[1] = OF(METRICS_BLOCK)},
    [LOGS_REQUEST] = {[1] = OF(LOGS_BLOCK)},
    [TRACES_REQUEST] = {[1] = OF(TRACES_BLOCK)},
    [METRICS_BLOCK] = {[1] = OF(RESOURCE), [2] = OF(METRICS_SCOPE), [3] = BYTES},
    [LOGS_BLOCK] = {[1] = OF(RESOURCE), [2] = OF(LOGS_SCOPE), [3] = BYTES},
    [TRACES_BLOCK] = {[1] = OF(RESOURCE), [2] = OF(TRACES_SCOPE), [3] = BYTES},
    [METRICS_SCOPE] = {[1] = OF(SCOPE), [2] = OF(METRIC), [3] = BYTES},
    [LOGS_SCOPE] = {[1] = OF(SCOPE), [2] = OF(LOG_RECORD), [3] = BYTES},
    [TRACES_SCOPE] = {[1] = OF(SCOPE), [2] = OF(SPAN), [3] = BYTES},
    [RESOURCE] = {[1] = OF(ATTRIBUTE), [2] = VARINT},
    [SCOPE] = {[1] = BYTES, [2] = BYTES, [3] = OF(ATTRIBUTE), [4] = VARINT},
    [METRIC] = {[1] = BYTES,
                [2] = BYTES,
                [3] = BYTES,
                [5] = OF(GAUGE),
                [7] = OF(SUM),
                [9] = OF(HISTOGRAM),
                [10] = OF(EXPONENTIAL),
                [11] = OF(SUMMARY),
                [12] = BYTES},
    [GAUGE] = {[1] = OF(POINT_BYTES)},
    [SUM] = {[1] = OF(POINT_BYTES), [2] = VARINT, [3] = VARINT},
    [HISTOGRAM] = {[1] = OF(HISTOGRAM_POINT), [2] = VARINT},
    [EXPONENTIAL] = {[1] = OF(POINT_BYTES), [2] = VARINT},
    [SUMMARY] = {[1] = OF(SUMMARY_POINT)},
    [HISTOGRAM_POINT] = {[2] = I64,
                         [3] = I64,
                         [4] = I64,
                         [5] = I64,
                         [6] = NUMBERS,
                         [7] = NUMBERS,
                         [8] = BYTES,
                         [9] = OF(ATTRIBUTE),
                         [10] = VARINT,
                         [11] = I64,
                         [12] = I64},
    [SUMMARY_POINT] =
        {[2] = I64,
         [3] = I64,
         [4] = I64,
         [5] = I64,
         [6] = OF(QUANTILE),
         [7] = OF(ATTRIBUTE),
         [8] = VARINT},
    [QUANTILE] = {[1] = I64, [2] = I64},
    [LOG_RECORD] = {[1] = I64,
                    [2] = VARINT,
                    [3] = BYTES,
                    [5] = BYTES,
                    [6] = OF(ATTRIBUTE),
                    [7] = VARINT,
                    [8] = I32,
                    [9] = BYTES,
                    [10] = BYTES,
                    [11] = I64,
                    [12] = BYTES},
    [SPAN] = {[1] = BYTES,
              [2] = BYTES,
              [3] = BYTES,
              [4] = BYTES,
              [5] = BYTES,
              [6] = VARINT,
              [7] = I64,
              [8] = I64,
              [9] = OF(ATTRIBUTE),
              [10] = VARINT,
              [11] = OF(SPAN_EVENT),
              [12] = VARINT,
              [13] = BYTES,
              [14] = VARINT,
              [15] = OF(STATUS),
              [16] = I32},
    [SPAN_EVENT] = {[1] = I64, [2] = BYTES, [3] = OF(ATTRIBUTE), [4] = VARINT},
    [STATUS] = {[2] = BYTES, [3] = VARINT},
};

bool wire_varint_slow(struct wire *wire, unsigned most, uint64_t *value)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < most && wire->at + i < wire->end; i++) {
        uint8_t byte = wire->at[i];
        if (i == 9 && byte > 1)
            return false;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            wire->at += i + 1;
            *value = v;
            return true;
        }
    }
    return false;
}

/* ---- what a body holds ---- */

enum { IS_METRIC = 1, IS_LOG = 2, IS_SPAN = 4 };

/* Which of them a message may be, of those in `may`; *named says whether it has a field 1 that is
 * a text. */
static unsigned leaf_may_be(struct wire leaf, unsigned may, bool *named)
{
    static const struct {
        unsigned bit;
        enum kind kind;
    } leaves[] = {{IS_METRIC, METRIC}, {IS_LOG, LOG_RECORD}, {IS_SPAN, SPAN}};
    struct wire_field field;
    while (wire_next(&leaf, &field) == WIRE_FIELD) {
        if (field.number >= FIELDS)
            continue;
        *named |= field.number == 1 && field.type == WIRE_LEN;
        for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
            unsigned types = rules[leaves[i].kind][field.number].types;
            if (types != 0 && !(types >> field.type & 1))
                may &= ~leaves[i].bit;
        }
    }
    return may;
}

enum wire_signal wire_guess(const uint8_t *bytes, size_t size)
{
    unsigned may = IS_METRIC | IS_LOG | IS_SPAN;
    bool named = false, any = false;
    struct wire levels[3] = {wire_over(bytes, size)};
    struct wire_field field;
    /* Down by request, block and scope to the leaves, until only one signal is left. */
    for (unsigned level = 0; (may & (may - 1)) != 0;) {
        if (wire_next(&levels[level], &field) != WIRE_FIELD) {
            if (level-- == 0)
                break;
            continue;
        }
        if (field.type != WIRE_LEN || field.number != (level == 0 ? 1 : 2))
            continue;
        struct wire inner = wire_over(field.data, field.size);
        if (level < 2) {
            levels[++level] = inner;
        } else {
            may = leaf_may_be(inner, may, &named);
            any |= field.size > 0;
        }
    }
    if (may == 0)
        return WIRE_NEITHER;
    /* Undecided: what has a text in field 1 has a name or an id, and a log record has none. */
    if (!any || (may & IS_METRIC && (named || !(may & IS_LOG))))
        return WIRE_METRICS;
    return may & IS_LOG && !(named && may & IS_SPAN) ? WIRE_LOGS : WIRE_TRACES;
}

/* ---- the scan ---- */

struct frame {
    struct wire rest;
    enum kind kind;
    size_t attributes;
};

struct scan {
    const uint8_t *bytes;
    struct frame frames[DEPTH];
    unsigned depth; /* of the frame at hand */
    size_t messages;
};

static enum varve_status wrong(const struct scan *scan, const char *what, struct varve_err *err)
{
    const struct frame *frame = &scan->frames[scan->depth];
    return fail(err, VARVE_INVALID, "", "byte %zu, in a %s: %s",
                (size_t)(frame->rest.at - scan->bytes), names[frame->kind], what);
}

static enum varve_status too_many(const char *what, unsigned most, struct varve_err *err)
{
    return fail(err, VARVE_LIMIT, "", "more than %u %s; send smaller bodies", most, what);
}

static enum varve_status
wrong_type(const struct scan *scan, const struct wire_field *field, struct varve_err *err)
{
    char what[80];
    snprintf(what, sizeof what, "field %u has the wire type %u, which OTLP gives it not",
             (unsigned)field->number, (unsigned)field->type);
    return wrong(scan, what, err);
}

/* A field that has a rule with more to it than a wire type. */
static enum varve_status
enter(struct scan *scan, const struct wire_field *field, enum kind kind, struct varve_err *err)
{
    struct frame *frame = &scan->frames[scan->depth];
    size_t more = kind > MESSAGES ? wire_step_over(&frame->rest, field->number) : 0;
    if (kind == ATTRIBUTE) {
        frame->attributes += 1 + more;
        if (frame->attributes > MOST_ATTRIBUTES)
            return too_many("attributes of one record", MOST_ATTRIBUTES, err);
        return VARVE_OK;
    }
    scan->messages += 1 + more;
    if (scan->messages > LIMIT_MESSAGES)
        return too_many("messages in one body", LIMIT_MESSAGES, err);
    if (kind != POINT_BYTES)
        scan->frames[++scan->depth] = (struct frame){wire_over(field->data, field->size), kind, 0};
    return VARVE_OK;
}

static enum varve_status
scan_field(struct scan *scan, const struct wire_field *field, struct varve_err *err)
{
    if (field->number >= FIELDS)
        return VARVE_OK;
    struct rule rule = rules[scan->frames[scan->depth].kind][field->number];
    if (rule.types == 0)
        return VARVE_OK;
    if (!(rule.types >> field->type & 1))
        return wrong_type(scan, field, err);
    if (rule.kind != NO_KIND)
        return enter(scan, field, rule.kind, err);
    if (rule.types >> WIRE_I64 & 1 && field->size % 8 != 0)
        return wrong(scan, "packed numbers end within a number", err);
    return VARVE_OK;
}

enum varve_status
wire_scan(const uint8_t *bytes, size_t size, enum wire_signal signal, struct varve_err *err)
{
    static const enum kind requests[] = {METRICS_REQUEST, LOGS_REQUEST, TRACES_REQUEST};
    if (size > LIMIT_BODY)
        return too_many("bytes in one body", LIMIT_BODY, err);
    if (signal == WIRE_NEITHER)
        return fail(err, VARVE_INVALID, "", "neither metrics nor logs nor traces of OTLP");
    struct scan scan = {.bytes = bytes};
    scan.frames[0] = (struct frame){wire_over(bytes, size), requests[signal], 0};
    struct wire_field field = {.data = NULL};
    for (;;) {
        switch (wire_next(&scan.frames[scan.depth].rest, &field)) {
        case WIRE_FIELD:
            TRY(scan_field(&scan, &field, err));
            break;
        case WIRE_END:
            if (scan.depth-- == 0)
                return VARVE_OK;
            break;
        case WIRE_MALFORMED:
            return wrong(&scan, "no field of protobuf begins here, or it has no end", err);
        }
    }
}
