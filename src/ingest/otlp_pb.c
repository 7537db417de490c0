/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb.c -- OTLP in protobuf: a body, block by block.
 *
 * A body is first judged as a whole (wire.h), then walked block by block, one a resource.  Blocks
 * of metrics are walked on (otlp_pb_metrics.c); those of logs and traces are unpacked into the
 * space, given to the intake scope by scope, and forgotten.
 *
 * A body that is refused has left no trace.  All that can go wrong after the first block was given
 * to the intake is that a later one does not fit into the space; so blocks so large that this
 * could be are unpacked on trial before anything is taken.  That doubles the work for bodies with
 * several blocks of over a megabyte, which nobody sends.
 */
#include "ingest/otlp_pb_private.h"

#include <sys/random.h>
#include "ingest/otlp.pb-c.h"

/* Two bytes on the wire, an empty message, may become a hundred times as many: its struct, the
 * pointer to it, protobuf-c's notes. */
enum {
    LARGE_BLOCK = LIMIT_UNPACKED / 160,
    MOST_TOGETHER = LIMIT_BODY * 2,
    KEPT_TOGETHER = 1 << 20
};

enum varve_status
otlp_pb_new(struct mem *mem, struct intake *intake, struct otlp_pb **door, struct varve_err *err)
{
    struct otlp_pb *made = mem_zalloc(mem, sizeof *made);
    if (!made)
        return fail_nomem(err, sizeof *made);
    made->mem = mem;
    made->intake = intake;
    /* Without a seed the hashes are as good, but to somebody who means ill. */
    if (getrandom(&made->seed, sizeof made->seed, GRND_NONBLOCK) < 0)
        made->seed = 0;
    space_init(&made->space, mem, LIMIT_UNPACKED);
    buf_init(&made->together, mem, MOST_TOGETHER);
    for (size_t i = 0; i < JOINED_MESSAGES; i++)
        buf_init(&made->joined[i], mem, LIMIT_BODY);
    values_init(&made->values, mem);
    *door = made;
    return VARVE_OK;
}

void otlp_pb_free(struct otlp_pb *door)
{
    if (!door)
        return;
    space_free(&door->space);
    buf_free(&door->together);
    for (size_t i = 0; i < JOINED_MESSAGES; i++)
        buf_free(&door->joined[i]);
    values_free(&door->values);
    mem_free(door->mem, door, sizeof *door);
}

/* ---- attributes ---- */

enum varve_status
otlp_pb_judge(struct otlp_pb *door, enum varve_status status, uint64_t count, bool *usable)
{
    *usable = status == VARVE_OK;
    if (status == VARVE_OK)
        values_settle(&door->values);
    if (status != VARVE_INVALID)
        return status;
    if (count > 0)
        intake_reject(door->intake, door->values.reason, count, door->values.problem);
    return VARVE_OK;
}

enum varve_status
otlp_pb_attributes(struct otlp_pb *door, struct attributes attributes, size_t most, uint64_t count,
                   bool *usable, struct varve_err *err)
{
    values_clear(&door->values);
    enum varve_status status =
        values_attributes(&door->values, attributes.items, attributes.count, most, err);
    return otlp_pb_judge(door, status, count, usable);
}

enum varve_status otlp_pb_resource(struct otlp_pb *door, const Otlp__Resource *resource,
                                   uint64_t records, bool *usable, struct varve_err *err)
{
    struct attributes attributes = {NULL, 0};
    if (resource)
        attributes = (struct attributes){resource->attributes, resource->n_attributes};
    TRY(otlp_pb_attributes(door, attributes, LIMIT_ATTRIBUTES, records, usable, err));
    if (!*usable)
        return VARVE_OK;
    return intake_resource(door->intake, door->values.fields, door->values.count, err);
}

enum varve_status otlp_pb_scope(struct otlp_pb *door, const Otlp__Scope *scope, uint64_t records,
                                bool *usable, struct varve_err *err)
{
    struct attributes attributes = {NULL, 0};
    struct varve_str name = {"", 0}, version = {"", 0};
    if (scope) {
        attributes = (struct attributes){scope->attributes, scope->n_attributes};
        name = (struct varve_str){(const char *)scope->name.data, scope->name.len};
        version = (struct varve_str){(const char *)scope->version.data, scope->version.len};
    }
    TRY(otlp_pb_attributes(door, attributes, LIMIT_ATTRIBUTES, records, usable, err));
    if (!*usable)
        return VARVE_OK;
    return intake_scope(door->intake, name, version, door->values.fields, door->values.count, err);
}

/* ---- blocks ---- */

static uint64_t spans_of(const Otlp__TracesScope *scope)
{
    uint64_t records = scope->n_spans;
    for (size_t i = 0; i < scope->n_spans; i++)
        records += scope->spans[i]->n_events;
    return records;
}

static enum varve_status
take_logs(struct otlp_pb *door, const ProtobufCMessage *message, struct varve_err *err)
{
    const Otlp__LogsBlock *block = (const Otlp__LogsBlock *)message;
    uint64_t records = 0;
    bool usable;
    for (size_t i = 0; i < block->n_scopes; i++)
        records += block->scopes[i]->n_records;
    TRY(otlp_pb_resource(door, block->resource, records, &usable, err));
    for (size_t i = 0; usable && i < block->n_scopes; i++) {
        const Otlp__LogsScope *scope = block->scopes[i];
        bool use;
        TRY(otlp_pb_scope(door, scope->scope, scope->n_records, &use, err));
        for (size_t r = 0; use && r < scope->n_records; r++)
            TRY(otlp_pb_record(door, scope->records[r], err));
    }
    return VARVE_OK;
}

static enum varve_status
take_traces(struct otlp_pb *door, const ProtobufCMessage *message, struct varve_err *err)
{
    const Otlp__TracesBlock *block = (const Otlp__TracesBlock *)message;
    uint64_t records = 0;
    bool usable;
    for (size_t i = 0; i < block->n_scopes; i++)
        records += spans_of(block->scopes[i]);
    TRY(otlp_pb_resource(door, block->resource, records, &usable, err));
    for (size_t i = 0; usable && i < block->n_scopes; i++) {
        const Otlp__TracesScope *scope = block->scopes[i];
        bool use;
        TRY(otlp_pb_scope(door, scope->scope, spans_of(scope), &use, err));
        for (size_t s = 0; use && s < scope->n_spans; s++)
            TRY(otlp_pb_span(door, scope->spans[s], err));
    }
    return VARVE_OK;
}

/* What is different from signal to signal: metrics are walked where they lie, the others unpacked
 * first. */
struct signal {
    const ProtobufCMessageDescriptor *block;
    enum varve_status (*take)(struct otlp_pb *, const ProtobufCMessage *, struct varve_err *);
};

static const struct signal signals[] = {
    [WIRE_METRICS] = {NULL, NULL},
    [WIRE_LOGS] = {&otlp__logs_block__descriptor, take_logs},
    [WIRE_TRACES] = {&otlp__traces_block__descriptor, take_traces},
};

enum varve_status
otlp_pb_unpack(struct otlp_pb *door, const ProtobufCMessageDescriptor *descriptor,
               struct wire message, ProtobufCMessage **made, struct varve_err *err)
{
    ProtobufCAllocator allocator = space_allocator(&door->space);
    size_t size = (size_t)(message.end - message.at);
    /* A large one begins from nothing, so that the trial and the act go alike. */
    if (size > LARGE_BLOCK)
        space_free(&door->space);
    else
        space_clear(&door->space);
    *made = protobuf_c_message_unpack(descriptor, &allocator, size, message.at);
    if (*made)
        return VARVE_OK;
    if (door->space.nomem)
        return fail_nomem(err, door->space.total);
    if (door->space.over)
        return fail(err, VARVE_LIMIT, "",
                    "one resource of it would take more than %d MiB of memory; send smaller bodies",
                    LIMIT_UNPACKED >> 20);
    return fail(err, VARVE_INVALID, "", "protobuf-c could not unpack it");
}

/* Whether all blocks but the first, which may still fail, can be unpacked. */
static enum varve_status try_blocks(struct otlp_pb *door, const struct signal *signal,
                                    struct wire body, struct varve_err *err)
{
    struct wire_field field = {.data = NULL};
    ProtobufCMessage *block;
    bool first = true;
    while (signal->block && wire_next(&body, &field) == WIRE_FIELD) {
        if (field.number != 1)
            continue;
        if (!first && field.size > LARGE_BLOCK)
            TRY(otlp_pb_unpack(door, signal->block, wire_over(field.data, field.size), &block,
                               err));
        first = false;
    }
    return VARVE_OK;
}

static enum varve_status take_block(struct otlp_pb *door, const struct signal *signal,
                                    struct wire bytes, size_t *taken, struct varve_err *err)
{
    ProtobufCMessage *block;
    if (signal->block)
        TRY(otlp_pb_unpack(door, signal->block, bytes, &block, err));
    ++*taken;
    return signal->block ? signal->take(door, block, err) : otlp_pb_metrics(door, bytes, err);
}

/* *taken counts the blocks that the intake has begun to see. */
static enum varve_status take_blocks(struct otlp_pb *door, const struct signal *signal,
                                     struct wire body, size_t *taken, struct varve_err *err)
{
    struct wire_field field = {.data = NULL};
    TRY(try_blocks(door, signal, body, err));
    while (wire_next(&body, &field) == WIRE_FIELD) {
        if (field.number != 1)
            continue;
        TRY(take_block(door, signal, wire_over(field.data, field.size), taken, err));
        TRY(intake_pause(door->intake, err));
    }
    return VARVE_OK;
}

static enum wire_signal signal_of(enum otlp_signal signal, const uint8_t *bytes, size_t size)
{
    switch (signal) {
    case OTLP_METRICS:
        return WIRE_METRICS;
    case OTLP_LOGS:
        return WIRE_LOGS;
    case OTLP_TRACES:
        return WIRE_TRACES;
    case OTLP_ANY:
        break;
    }
    return wire_guess(bytes, size);
}

static void trim(struct buf *buf)
{
    if (buf->capacity > KEPT_TOGETHER)
        buf_free(buf);
}

enum varve_status otlp_pb_body(struct otlp_pb *door, enum otlp_signal signal, const uint8_t *bytes,
                               size_t size, bool *refused, struct varve_err *err)
{
    enum wire_signal known = signal_of(signal, bytes, size);
    enum varve_status status = wire_scan(bytes, size, known, err);
    size_t taken = 0;
    door->head.size = 0;
    if (status == VARVE_OK)
        status = take_blocks(door, &signals[known], wire_over(bytes, size), &taken, err);
    space_clear(&door->space);
    values_trim(&door->values);
    trim(&door->together);
    for (size_t i = 0; i < JOINED_MESSAGES; i++)
        trim(&door->joined[i]);
    *refused = taken == 0 && (status == VARVE_INVALID || status == VARVE_LIMIT);
    return *refused ? VARVE_OK : status;
}
