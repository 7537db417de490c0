/* SPDX-License-Identifier: Apache-2.0
 *
 * source.h -- a stream of bytes of any length, cut into bodies and lines.
 *
 * Holds a window of what is being read; it grows only as far as one body needs.
 * What a length says is believed only as bytes arrive.  What is cut depends on the bytes alone,
 * never on the pieces in which they came.
 */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include "base/mem.h"
#include "base/str.h"

struct source {
    struct mem *mem;
    varve_read *read;
    void *context;
    uint8_t *data; /* the window */
    size_t capacity;
    size_t from, until; /* the unread part of the window */
    bool ended;
    bool by_lines;  /* each line is taken for a whole JSON value from here on */
    uint64_t skip;  /* bytes to come that belong to a body which was refused */
    uint64_t bytes; /* read so far */
};

/* read may answer -1 with errno ECANCELED to stop: VARVE_INTERRUPTED.  After EINTR it is called
 * again. */
void source_init(struct source *source, struct mem *mem, varve_read *read, void *context);
void source_free(struct source *source);

/* At least `size` unread bytes in the window, or all there are when the stream ends before; at most
 * LIMIT_BODY and a little may be asked for. */
enum varve_status
source_need(struct source *source, size_t size, struct varve_err *err) VARVE_CHECKED;
static inline const uint8_t *source_at(const struct source *source)
{
    return source->data + source->from;
}
static inline size_t source_left(const struct source *source)
{
    return source->until - source->from;
}
static inline void source_take(struct source *source, size_t size)
{
    source->from += size;
}

/* What there is to cut.  Each sets *body to the next one, which lives until the next call, or
 * answers VARVE_DONE at the end.  VARVE_INVALID and VARVE_LIMIT: what is there cannot be cut; call
 * again for what follows, which answers VARVE_DONE where nothing can be found any more. */

/* How protobuf bodies follow each other in a stream. */
enum source_framing {
    FRAME_BARE,   /* nothing between: a concatenation of bodies is a body, cut between resources */
    FRAME_VARINT, /* each behind its length as a varint */
    FRAME_BE32    /* each behind its length in four bytes, big-endian: the Collector's files */
};
/* Told from the first bytes: the framing under which they make sense; FRAME_BARE if none does. */
enum varve_status source_framing(struct source *source, enum source_framing *framing,
                                 struct varve_err *err) VARVE_CHECKED;
/* A body that is longer than LIMIT_BODY is VARVE_LIMIT, and skipped as its bytes arrive. */
enum varve_status source_body(struct source *source, enum source_framing framing,
                              struct varve_str *body, struct varve_err *err) VARVE_CHECKED;
/* The next JSON value that is an object or an array; what stands between is white space.  After
 * VARVE_INVALID and VARVE_LIMIT reading goes on at the next line that begins with a brace. */
enum varve_status
source_json(struct source *source, struct varve_str *body, struct varve_err *err) VARVE_CHECKED;
/* The next line, without its end.  VARVE_LIMIT: it was longer than LIMIT_LINE and is skipped. */
enum varve_status
source_line(struct source *source, struct varve_str *line, struct varve_err *err) VARVE_CHECKED;

/* What a stream holds, from its first SNIFF_BYTES; VARVE_INPUT_ANY when it is nothing known.  *hint
 * is advice on what is packed or encoded, else NULL.  VARVE_INPUT_OPENMETRICS only when it says
 * so. */
#define SNIFF_BYTES ((size_t)64 << 10)
enum varve_status source_sniff(struct source *source, enum varve_input *input, const char **hint,
                               struct varve_err *err) VARVE_CHECKED;
/* The same of bytes in memory; ended: there are no more behind them. */
enum varve_input sniff_bytes(const uint8_t *bytes, size_t size, bool ended, const char **hint);
/* How many frames make sense one behind the other, up to a few. */
unsigned sniff_framing(const uint8_t *bytes, size_t size, bool ended, enum source_framing framing);

#endif
