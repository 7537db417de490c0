/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h -- protobuf's wire format: a reader of fields, and a check of whole OTLP bodies.
 *
 * wire_scan runs before anything is unpacked.  What passes it is well formed down to histograms,
 * records, spans and their events, has the wire types that OTLP gives its fields, and
 * holds no more messages than LIMIT_MESSAGES.  Points that are one number, attributes, bodies of
 * log records and fields that varve does not know are checked to lie within their message, not what
 * they hold: nobody unpacks them, and whoever reads them uses the reader here.
 */
#ifndef INGEST_WIRE_H
#define INGEST_WIRE_H

#include "base/bytes.h"
#include "base/err.h"
#include "ingest/limits.h"

enum wire_type { WIRE_VARINT = 0, WIRE_I64 = 1, WIRE_LEN = 2, WIRE_I32 = 5 };

enum wire_signal { WIRE_METRICS, WIRE_LOGS, WIRE_TRACES, WIRE_NEITHER };

/* The fields of a message that were not read yet. */
struct wire {
    const uint8_t *at, *end;
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;      /* of a varint */
    const uint8_t *data; /* of the others */
    size_t size;
};

enum wire_next { WIRE_END, WIRE_FIELD, WIRE_MALFORMED };

/* A field costs a few nanoseconds, and a point is made of a dozen: calls would double that. */
#define WIRE_INLINE __attribute__((always_inline)) static inline

static inline struct wire wire_over(const uint8_t *bytes, size_t size)
{
    return (struct wire){bytes, size ? bytes + size : bytes};
}

/* A varint of at most `most` bytes; false when it is longer, cut off or does not fit. */
bool wire_varint_slow(struct wire *wire, unsigned most, uint64_t *value);
WIRE_INLINE bool wire_varint(struct wire *wire, unsigned most, uint64_t *value)
{
    const uint8_t *at = wire->at;
    if (wire->end - at >= 2) { /* nearly all have one byte or two */
        size_t longer = at[0] >> 7;
        if (!longer || at[1] < 0x80) {
            *value = (at[0] & 0x7fu) | (uint64_t)at[1] * longer << 7;
            wire->at = at + 1 + longer;
            return true;
        }
    }
    return wire_varint_slow(wire, most, value);
}

WIRE_INLINE enum wire_next wire_piece(struct wire *wire, struct wire_field *field, size_t size)
{
    if (size > (size_t)(wire->end - wire->at))
        return WIRE_MALFORMED;
    field->data = wire->at;
    field->size = size;
    wire->at += size;
    return WIRE_FIELD;
}

/* The next field.  Groups, which nobody has written for a decade, are malformed. */
WIRE_INLINE enum wire_next wire_next(struct wire *wire, struct wire_field *field)
{
    uint64_t tag, size;
    if (wire->at == wire->end)
        return WIRE_END;
    if (!wire_varint(wire, 5, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
        return WIRE_MALFORMED;
    field->number = (uint32_t)tag >> 3;
    field->type = (enum wire_type)(tag & 7);
    switch (field->type) {
    case WIRE_VARINT:
        return wire_varint(wire, 10, &field->value) ? WIRE_FIELD : WIRE_MALFORMED;
    case WIRE_I64:
        return wire_piece(wire, field, 8);
    case WIRE_LEN:
        return wire_varint(wire, 5, &size) ? wire_piece(wire, field, size) : WIRE_MALFORMED;
    case WIRE_I32:
        return wire_piece(wire, field, 4);
    }
    return WIRE_MALFORMED;
}

/* Steps over the fields that follow with this number and a length, which are mostly more of what
 * was just read, and counts them.  The first thing that is none, or longer than 16 KB, is left to
 * wire_next. */
static inline size_t wire_step_over(struct wire *wire, uint32_t number)
{
    const uint8_t *at = wire->at;
    size_t count = 0;
    while (wire->end - at >= 3 && number < 16 && at[0] == (number << 3 | WIRE_LEN)) {
        size_t longer = at[1] >> 7;
        if (longer && at[2] >= 0x80)
            break;
        size_t size = (at[1] & 0x7fu) | (size_t)at[2] * longer << 7;
        if (size > (size_t)(wire->end - at) - 2 - longer)
            break;
        at += 2 + longer + size;
        count++;
    }
    wire->at = at;
    return count;
}

/* What a body holds, told from the wire types of its innermost messages; metrics when nothing
 * tells, as in a body without any. */
enum wire_signal wire_guess(const uint8_t *bytes, size_t size);

/* VARVE_INVALID or VARVE_LIMIT, with the byte where it was seen, when the body is not fit to be
 * unpacked. */
enum varve_status wire_scan(const uint8_t *bytes, size_t size, enum wire_signal signal,
                            struct varve_err *err) VARVE_CHECKED;

#endif
