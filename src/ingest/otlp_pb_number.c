/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_number.c -- points that are one number, and the label sets of all points.
 *
 * A day has millions of them, so they are read from the wire where they lie.  Most have attributes
 * whose very bytes were met before: these are hashed, not read, and the intake knows the
 * label set; only for a new hash they are taken apart.  Senders write the attributes of a
 * point one behind the other, so what is hashed is one run of bytes; attributes with something
 * between them are copied together first.
 *
 * The points of a request begin with the same attributes, of the user, the session and the account,
 * which are long; short ones follow, of the model and the type.  So up to the last long one
 * bytes are compared with those of the point before, and neither stepped through nor hashed again
 * when they are the same.
 *
 * A point that does not parse costs only itself.
 */
#include "ingest/otlp_pb_private.h"

struct number {
    int64_t start, time;
    uint64_t flags;
    struct varve_value value; /* VARVE_NULL: none */
    struct point_run run;     /* of the attributes */
    size_t head;              /* how much of the run is up to its last long attribute */
    bool is_head_known;       /* the run begins with the door's head, byte by byte */
    bool scattered;           /* they do not lie together: run is that of the first ones */
};

enum { LONG_ATTRIBUTE = 32 };

/* ---- label sets ---- */

static enum varve_status read_run(struct otlp_pb *door, struct point_run run, struct varve_err *err)
{
    struct wire wire = wire_over(run.bytes, run.size);
    struct wire_field field;
    values_clear(&door->values);
    while (wire_next(&wire, &field) == WIRE_FIELD)
        TRY(values_attribute(&door->values, field.data, field.size, LIMIT_ATTRIBUTES, err));
    return VARVE_OK;
}

/* One attribute.  *plain is false when it is out of the ordinary. */
static enum varve_status add_attribute(struct otlp_pb *door, const struct wire_field *field,
                                       bool *plain, struct varve_err *err)
{
    struct values *values = &door->values;
    struct h128 hash = hash128(field->data, field->size, door->seed);
    if (intake_pairs_find(door->intake, hash))
        return VARVE_OK;
    values_clear(values);
    enum varve_status status =
        values_attribute(values, field->data, field->size, LIMIT_ATTRIBUTES, err);
    *plain = status == VARVE_OK;
    if (!*plain)
        return status == VARVE_INVALID ? VARVE_OK : status;
    values_settle(values);
    return intake_pairs_add(door->intake, hash, &values->fields[0], plain, err);
}

/* A new label set of attributes most of which are known; the first `head` bytes are the door's
 * head.  *plain is false when one is out of the ordinary, and nothing was said of that yet. */
static enum varve_status
labels_of_known(struct otlp_pb *door, struct point_run run, size_t head, struct h128 hash,
                uint32_t *labels, bool *plain, struct varve_err *err)
{
    struct wire wire = wire_over(run.bytes, run.size);
    struct wire_field field;
    *plain = intake_pairs_begin(door->intake);
    if (*plain && head > 0 && intake_pairs_again(door->intake, door->head.hash)) {
        wire.at += head;
        head = 0;
    }
    while (*plain && wire_next(&wire, &field) == WIRE_FIELD) {
        TRY(add_attribute(door, &field, plain, err));
        if (*plain && head > 0 && wire.at == run.bytes + head)
            intake_pairs_head(door->intake, door->head.hash);
    }
    return *plain ? intake_pairs_labels(door->intake, hash, labels, plain, err) : VARVE_OK;
}

static struct h128 hash_of(const struct otlp_pb *door, struct point_run run)
{
    return hash128(run.size ? run.bytes : (const uint8_t *)"", run.size, door->seed);
}

/* The label set of attributes whose bytes have this hash. */
static enum varve_status
find_labels(struct otlp_pb *door, struct point_run run, size_t head, struct h128 hash,
            uint32_t *labels, bool *usable, struct varve_err *err)
{
    *usable = true;
    if (intake_find_labels(door->intake, hash, labels))
        return VARVE_OK;
    TRY(labels_of_known(door, run, head, hash, labels, usable, err));
    if (*usable)
        return VARVE_OK;
    TRY(otlp_pb_judge(door, read_run(door, run, err), 1, usable));
    if (!*usable)
        return VARVE_OK;
    return intake_labels(door->intake, hash, door->values.fields, door->values.count, labels,
                         usable, err);
}

enum varve_status otlp_pb_labels(struct otlp_pb *door, struct point_run run, uint32_t *labels,
                                 bool *usable, struct varve_err *err)
{
    return find_labels(door, run, 0, hash_of(door, run), labels, usable, err);
}

/* ---- points ---- */

#define FIXED(number) ((number) << 3 | WIRE_I64)

/* Times and values, as far as nothing else comes between. */
static void read_fixed(struct wire *wire, struct number *number)
{
    const uint8_t *at = wire->at;
    for (; wire->end - at >= 9; at += 9) {
        uint64_t bits = load64(at + 1);
        switch (at[0]) {
        case FIXED(2):
            number->start = intake_time(bits);
            continue;
        case FIXED(3):
            number->time = intake_time(bits);
            continue;
        case FIXED(4):
            number->value.type = VARVE_FLOAT;
            memcpy(&number->value.as.f, &bits, sizeof bits);
            continue;
        case FIXED(6):
            number->value.type = VARVE_INT;
            number->value.as.i = (int64_t)bits;
            continue;
        default:
            break;
        }
        break;
    }
    wire->at = at;
}

/* An attribute that stands in [from, until). */
static bool add_to_run(struct number *number, const struct wire_field *field, const uint8_t *from,
                       const uint8_t *until)
{
    struct point_run *run = &number->run;
    if (field->type != WIRE_LEN)
        return false;
    if (run->size == 0)
        run->bytes = from;
    if (run->bytes + run->size == from)
        run->size += (size_t)(until - from);
    else
        number->scattered = true;
    return true;
}

/* What read_fixed has left; times and values are there only if their type is wrong. */
static bool read_field(struct number *number, const struct wire_field *field, const uint8_t *from,
                       const uint8_t *until)
{
    switch (field->number) {
    case 2:
    case 3:
    case 4:
    case 6:
        return false;
    case POINT_ATTRIBUTES:
        return add_to_run(number, field, from, until);
    case 8:
        number->flags = field->value;
        return field->type == WIRE_VARINT;
    default:
        return true;
    }
}

/* Steps over attributes as wire_step_over does, and notes where the last long one ends. */
static void step_over_attributes(struct wire *wire, struct number *number)
{
    const uint8_t *at = wire->at, *head = NULL;
    while (wire->end - at >= 2 && at[0] == (POINT_ATTRIBUTES << 3 | WIRE_LEN) && at[1] < 0x80 &&
           at[1] <= wire->end - at - 2) {
        bool is_long = at[1] >= LONG_ATTRIBUTE;
        at += 2 + at[1];
        head = is_long ? at : head;
    }
    number->run.size += (size_t)(at - wire->at);
    if (head)
        number->head = (size_t)(head - number->run.bytes);
    wire->at = at;
}

/* Takes the head of the point before if this one has it, too. */
static bool take_head(const struct point_head *head, struct wire *wire, struct number *number)
{
    if (head->size == 0 || number->run.size > 0 || (size_t)(wire->end - wire->at) < head->size ||
        memcmp(wire->at, head->bytes, head->size) != 0)
        return false;
    number->run = (struct point_run){wire->at, head->size};
    number->head = head->size;
    wire->at += head->size;
    step_over_attributes(wire, number);
    number->is_head_known = true;
    return true;
}

static bool read_number(const struct point_head *head, struct wire wire, struct number *number)
{
    struct wire_field field = {.value = 0};
    *number = (struct number){.value = {.type = VARVE_NULL}};
    for (;;) {
        read_fixed(&wire, number);
        if (take_head(head, &wire, number))
            continue;
        const uint8_t *from = wire.at;
        enum wire_next next = wire_next(&wire, &field);
        if (next != WIRE_FIELD)
            return next == WIRE_END;
        if (!read_field(number, &field, from, wire.at))
            return false;
        if (field.number == POINT_ATTRIBUTES && !number->scattered)
            step_over_attributes(&wire, number);
    }
}

/* Hashes the head by itself, if it is another one than that of the point before. */
static struct h128 hash_of_number(struct otlp_pb *door, const struct number *number)
{
    struct point_head *head = &door->head;
    struct point_run run = number->run;
    if (number->head == 0)
        return hash_of(door, run);
    if (head->size != number->head ||
        (!number->is_head_known && memcmp(head->bytes, run.bytes, head->size) != 0)) {
        *head = (struct point_head){run.bytes, number->head, {0, 0}};
        head->hash = hash_of(door, (struct point_run){run.bytes, number->head});
    }
    run = (struct point_run){run.bytes + number->head, run.size - number->head};
    return h128_pair(head->hash, hash_of(door, run));
}

static enum varve_status
gather(struct otlp_pb *door, struct wire wire, struct point_run *run, struct varve_err *err)
{
    struct wire_field field;
    const uint8_t *from = wire.at;
    buf_clear(&door->together);
    while (wire_next(&wire, &field) == WIRE_FIELD) {
        if (field.number == POINT_ATTRIBUTES)
            buf_put(&door->together, from, (size_t)(wire.at - from));
        from = wire.at;
    }
    *run = (struct point_run){door->together.data, door->together.size};
    return buf_status(&door->together, err);
}

static enum varve_status
take_number(struct otlp_pb *door, struct wire point, bool has_start, struct varve_err *err)
{
    struct number number;
    uint32_t labels;
    bool usable;
    if (!read_number(&door->head, point, &number)) {
        intake_reject(door->intake, REJECT_RECORD, 1, "a point that is not well-formed protobuf");
        return VARVE_OK;
    }
    if (number.flags & NO_RECORDED_VALUE)
        return VARVE_OK;
    if (number.value.type == VARVE_NULL) {
        intake_reject(door->intake, REJECT_VALUE, 1, "a point without a value");
        return VARVE_OK;
    }
    if (number.scattered) {
        TRY(gather(door, point, &number.run, err));
        number.head = 0;
    }
    struct h128 hash = hash_of_number(door, &number);
    TRY(find_labels(door, number.run, number.head, hash, &labels, &usable, err));
    if (!usable)
        return VARVE_OK;
    return intake_number(door->intake, labels, has_start ? number.start : 0, number.time,
                         number.value, err);
}

enum varve_status otlp_pb_reading(struct otlp_pb *door, struct wire point, struct varve_err *err)
{
    return take_number(door, point, false, err);
}

enum varve_status otlp_pb_sum(struct otlp_pb *door, struct wire point, struct varve_err *err)
{
    return take_number(door, point, true, err);
}
