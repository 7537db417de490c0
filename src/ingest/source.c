/* SPDX-License-Identifier: Apache-2.0
 *
 * source.c -- the window over a stream, lines, and protobuf bodies in their framings.
 *
 * The window is filled as far as somebody asks and no further than the bytes that come: a length
 * that promises a gigabyte costs nothing until it is sent.  What has been taken makes room for what
 * follows, by moving the rest to the front when at least a quarter is free, so that each
 * byte is moved a bounded number of times.
 *
 * Bodies of a bare protobuf stream are cut between top-level fields, into about CUT_BYTES or a
 * single field: messages behind each other are one message with more fields.
 */
#include "ingest/source.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/err.h"
#include "ingest/limits.h"

enum { FIRST_WINDOW = 128 << 10, SLACK = 128 << 10, CUT_BYTES = 4 << 20, HEADER_MAX = 20 };

void source_init(struct source *source, struct mem *mem, varve_read *read, void *context)
{
    *source = (struct source){.mem = mem, .read = read, .context = context};
}

void source_free(struct source *source)
{
    mem_free(source->mem, source->data, source->capacity);
    *source = (struct source){.mem = source->mem, .ended = true};
}

/* ---- the window --------------------------------------------------------- */

static enum varve_status make_room(struct source *s, struct varve_err *err)
{
    const size_t most = (size_t)LIMIT_BODY + SLACK, left = source_left(s);
    if (left == 0) {
        s->from = s->until = 0;
    } else if (s->from > 0 && (s->from >= s->capacity / 4 || s->capacity == most)) {
        memmove(s->data, s->data + s->from, left);
        s->from = 0;
        s->until = left;
    }
    if (s->until < s->capacity)
        return VARVE_OK;
    size_t wanted = s->capacity ? s->capacity * 2 : FIRST_WINDOW;
    wanted = wanted < most ? wanted : most;
    uint8_t *grown = mem_resize(s->mem, s->data, s->capacity, wanted);
    if (!grown)
        return fail_nomem(err, wanted);
    s->data = grown;
    s->capacity = wanted;
    return VARVE_OK;
}

/* One call of the reader.  Bytes that nobody wants any more are not kept. */
static enum varve_status fill(struct source *s, struct varve_err *err)
{
    if (s->until == s->capacity || s->from == s->until)
        TRY(make_room(s, err));
    const size_t room = s->capacity - s->until;
    const ptrdiff_t got = s->read(s->context, s->data + s->until, room);
    if (got < 0) {
        if (errno == EINTR)
            return VARVE_OK;
        if (errno == ECANCELED)
            return fail(err, VARVE_INTERRUPTED, "", "reading was stopped");
        return fail_errno(err, VARVE_IO, errno, "", "reading failed");
    }
    if ((size_t)got > room)
        return fail(err, VARVE_MISUSE, "", "the reader says it filled %zu bytes of a buffer of %zu",
                    (size_t)got, room);
    if (got == 0)
        s->ended = true;
    s->until += (size_t)got;
    s->bytes += (uint64_t)got;
    return VARVE_OK;
}

enum varve_status source_need(struct source *source, size_t size, struct varve_err *err)
{
    if (size > (size_t)LIMIT_BODY + SLACK)
        return fail(err, VARVE_LIMIT, "", "more than %d MiB in one piece", LIMIT_BODY >> 20);
    while (source_left(source) < size && !source->ended)
        TRY(fill(source, err));
    return VARVE_OK;
}

/* Drops what is still to come of a body that was refused. */
static enum varve_status skip_refused(struct source *s, struct varve_err *err)
{
    while (s->skip > 0) {
        TRY(source_need(s, 1, err));
        uint64_t left = source_left(s);
        if (left == 0) {
            s->skip = 0;
            return fail(err, VARVE_INVALID, "", "the stream ends inside a body");
        }
        const uint64_t now = left < s->skip ? left : s->skip;
        source_take(s, (size_t)now);
        s->skip -= now;
    }
    return VARVE_OK;
}

/* ---- lines -------------------------------------------------------------- */

static enum varve_status skip_line(struct source *s, struct varve_err *err)
{
    for (;;) {
        const uint8_t *end = source_left(s) ? memchr(source_at(s), '\n', source_left(s)) : NULL;
        source_take(s, end ? (size_t)(end - source_at(s)) + 1 : source_left(s));
        if (end)
            break;
        TRY(source_need(s, 1, err));
        if (source_left(s) == 0)
            break;
    }
    return fail(err, VARVE_LIMIT, "", "a line of more than %d bytes", LIMIT_LINE);
}

enum varve_status source_line(struct source *source, struct varve_str *line, struct varve_err *err)
{
    const uint8_t *end = NULL;
    for (size_t seen = 0;;) {
        const size_t left = source_left(source);
        if (left > seen)
            end = memchr(source_at(source) + seen, '\n', left - seen);
        if (end || (source->ended && left > 0))
            break;
        if (source->ended)
            return VARVE_DONE;
        if (left > LIMIT_LINE)
            return skip_line(source, err);
        seen = left;
        TRY(source_need(source, left + 1, err));
    }
    size_t size = end ? (size_t)(end - source_at(source)) : source_left(source);
    if (size > LIMIT_LINE)
        return skip_line(source, err);
    const char *text = (const char *)source_at(source);
    source_take(source, size + (end != NULL));
    if (size > 0 && text[size - 1] == '\r')
        size--;
    *line = (struct varve_str){text, size};
    return VARVE_OK;
}

/* ---- protobuf bodies ----------------------------------------------------- */

/* The varint at `at` bytes into the unread part; *size is 0 when there is none. */
static uint64_t peek_varint(const struct source *s, size_t at, size_t *size)
{
    struct reader reader = reader_over(source_at(s) + at, source_left(s) - at);
    const uint64_t value = read_varint(&reader);
    *size = reader.bad ? 0 : source_left(s) - at - reader_left(&reader);
    return value;
}

/* How long the field at `at` is, with its tag; 0: it is none. */
static uint64_t field_size(const struct source *s, size_t at)
{
    size_t tag_size, more;
    const uint64_t tag = peek_varint(s, at, &tag_size);
    if (tag_size == 0 || tag >> 3 == 0 || tag >> 3 >= 1u << 29)
        return 0;
    switch (tag & 7) {
    case 0:
        (void)peek_varint(s, at + tag_size, &more);
        return more ? tag_size + more : 0;
    case 1:
        return tag_size + 8;
    case 2: {
        const uint64_t size = peek_varint(s, at + tag_size, &more);
        return more && size < UINT64_MAX / 2 ? tag_size + more + size : 0;
    }
    case 5:
        return tag_size + 4;
    default:
        return 0;
    }
}

static enum varve_status truncated(struct source *s, uint64_t claimed, struct varve_err *err)
{
    const size_t left = source_left(s);
    source_take(s, left);
    return fail(err, VARVE_INVALID, "", "a body of %llu bytes is cut off after %zu",
                (unsigned long long)claimed, left);
}

static enum varve_status too_long(struct source *s, uint64_t size, struct varve_err *err)
{
    s->skip = size;
    return fail(err, VARVE_LIMIT, "", "a body of %llu bytes: at most %d are read",
                (unsigned long long)size, LIMIT_BODY);
}

static enum varve_status bare_body(struct source *s, struct varve_str *body, struct varve_err *err)
{
    size_t size = 0;
    while (size < CUT_BYTES) {
        TRY(source_need(s, size + HEADER_MAX, err));
        if (source_left(s) == size)
            break;
        const uint64_t field = field_size(s, size);
        if (size > 0 && (field == 0 || field > CUT_BYTES - size))
            break;
        if (field == 0) {
            const size_t left = source_left(s);
            source_take(s, left);
            s->skip = UINT64_MAX;
            return fail(err, VARVE_INVALID, "", "these bytes are no protobuf message");
        }
        if (field > LIMIT_BODY)
            return too_long(s, field, err);
        TRY(source_need(s, size + (size_t)field, err));
        if (source_left(s) < size + field) {
            if (size > 0)
                break;
            return truncated(s, field, err);
        }
        size += (size_t)field;
    }
    if (size == 0)
        return VARVE_DONE;
    *body = (struct varve_str){(const char *)source_at(s), size};
    source_take(s, size);
    return VARVE_OK;
}

static enum varve_status framed_body(struct source *s, enum source_framing framing,
                                     struct varve_str *body, struct varve_err *err)
{
    size_t header = 4;
    uint64_t size;
    TRY(source_need(s, HEADER_MAX, err));
    const size_t left = source_left(s);
    if (left == 0)
        return VARVE_DONE;
    if (framing == FRAME_VARINT) {
        size = peek_varint(s, 0, &header);
    } else {
        const uint8_t *p = source_at(s);
        header = left < 4 ? 0 : 4;
        size =
            header ? (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3] : 0;
    }
    if (header == 0) {
        source_take(s, left);
        s->skip = UINT64_MAX;
        return fail(err, VARVE_INVALID, "", "expected the length of a body");
    }
    source_take(s, header);
    if (size > LIMIT_BODY)
        return too_long(s, size, err);
    TRY(source_need(s, (size_t)size, err));
    if (source_left(s) < size)
        return truncated(s, size, err);
    *body = (struct varve_str){(const char *)source_at(s), (size_t)size};
    source_take(s, (size_t)size);
    return VARVE_OK;
}

enum varve_status source_body(struct source *source, enum source_framing framing,
                              struct varve_str *body, struct varve_err *err)
{
    if (source->skip == UINT64_MAX) {
        source->ended = true;
        source->from = source->until;
        return VARVE_DONE;
    }
    TRY(skip_refused(source, err));
    if (framing == FRAME_BARE)
        return bare_body(source, body, err);
    return framed_body(source, framing, body, err);
}

enum varve_status
source_framing(struct source *source, enum source_framing *framing, struct varve_err *err)
{
    static const enum source_framing order[] = {FRAME_BARE, FRAME_BE32, FRAME_VARINT};
    unsigned best = 0;
    TRY(source_need(source, SNIFF_BYTES, err));
    *framing = FRAME_BARE;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const size_t left = source_left(source);
        const size_t size = left < SNIFF_BYTES ? left : SNIFF_BYTES;
        const unsigned found = sniff_framing(size ? source_at(source) : (const uint8_t *)"", size,
                                             left == size && source->ended, order[i]);
        if (found > best)
            *framing = order[i];
        best = found > best ? found : best;
    }
    return VARVE_OK;
}
