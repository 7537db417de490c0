/* SPDX-License-Identifier: Apache-2.0
 *
 * source_json.c -- JSON values cut out of a stream: one a line, or spread over lines.
 *
 * A body on a line of its own is the rule: a line from `{` to `}` with an open brace or nothing
 * behind it is a whole value, or no JSON in any way of reading, and is found by looking for
 * newlines and closing braces only (seam.h).  All else is scanned for brackets and strings, each
 * byte once.
 *
 * Text has no newlines inside strings, so a missing quote ends with its line.  A bracket that is
 * missing is only found at the end of the stream: then what began is given up, and each line that
 * begins with a brace counts as a value from there on, so that nothing is scanned again and again.
 *
 * Whether it is JSON at all is for the door to say.
 */
#include "base/err.h"
#include "ingest/limits.h"
#include "ingest/seam.h"
#include "ingest/source.h"

enum { AHEAD = 4096, FIRST_PIECE = 2048, LAST_PIECE = 32 << 10 };

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* To the first byte that is no space, from `at` on; VARVE_DONE when there is none. */
static enum varve_status find_text(struct source *s, size_t *at, size_t most, struct varve_err *err)
{
    for (size_t i = *at;; i++) {
        if (i >= source_left(s)) {
            TRY(source_need(s, i + 1, err));
            if (i >= source_left(s)) {
                *at = i;
                return VARVE_DONE;
            }
        }
        if (i - *at >= most || !is_space(source_at(s)[i])) {
            *at = i;
            return VARVE_OK;
        }
    }
}

/* Between values: what has been passed is taken at once, whatever its length. */
static enum varve_status skip_space(struct source *s, struct varve_err *err)
{
    for (;;) {
        size_t at = 0;
        const enum varve_status status = find_text(s, &at, AHEAD, err);
        source_take(s, at);
        if (status != VARVE_OK || at < AHEAD)
            return status;
    }
}

/* The mark that some editors put before all text. */
static enum varve_status skip_mark(struct source *s, struct varve_err *err)
{
    TRY(source_need(s, 3, err));
    if (s->bytes == source_left(s) && s->bytes >= 3 && memcmp(source_at(s), "\xef\xbb\xbf", 3) == 0)
        source_take(s, 3);
    return VARVE_OK;
}

/* ---- one value, one line -------------------------------------------------- */

/* Whether something follows a closing brace that does not follow one inside a value.  Inside of
 * strings it may, which costs a scan and nothing else.  *closed is kept from piece to piece of a
 * line: nothing but spaces was behind the last brace. */
static bool has_seam(const uint8_t *p, const uint8_t *end, bool *closed)
{
    for (;;) {
        if (*closed) {
            while (p < end && is_space(*p))
                p++;
            if (p == end)
                return false;
            if (*p != ',' && *p != ']' && *p != '}')
                return true;
            *closed = false;
        }
        p = seam_skip(p, end);
        const uint8_t *stop = end - p > SEAM_BLOCK ? p + SEAM_BLOCK : end;
        const uint8_t *brace = memchr(p, '}', (size_t)(stop - p));
        if (!brace && stop == end)
            return false;
        *closed = brace != NULL;
        p = brace ? brace + 1 : stop;
    }
}

/* Sets *size to the length of the line at the front when that is a whole value, else to 0.  Short
 * pieces first: what is all in one line is not searched from one end to the other for each value
 * in it. */
static enum varve_status whole_line(struct source *s, size_t *size, struct varve_err *err)
{
    const uint8_t *newline = NULL;
    size_t end = 0, piece = FIRST_PIECE;
    bool closed = false;
    *size = 0;
    if (source_at(s)[0] != '{')
        return VARVE_OK;
    while (!newline) {
        const size_t left = source_left(s);
        if (end == left) {
            if (s->ended || left > LIMIT_BODY)
                break;
            TRY(source_need(s, left + 1, err));
            continue;
        }
        const uint8_t *from = source_at(s) + end;
        const size_t now = left - end < piece ? left - end : piece;
        newline = memchr(from, '\n', now);
        if (!s->by_lines && has_seam(from, newline ? newline : from + now, &closed))
            return VARVE_OK;
        end += newline ? (size_t)(newline - from) : now;
        piece = piece < LAST_PIECE ? 2 * piece : piece;
    }
    size_t text = end;
    while (is_space(source_at(s)[text - 1]))
        text--;
    if (text > LIMIT_BODY || source_at(s)[text - 1] != '}')
        return VARVE_OK;
    if (newline && !s->by_lines) {
        const enum varve_status status = find_text(s, &end, AHEAD, err);
        if (status > VARVE_DONE)
            return status;
        if (status == VARVE_OK && source_at(s)[end] != '{' && source_at(s)[end] != '[')
            return VARVE_OK;
    }
    *size = text;
    return VARVE_OK;
}

/* ---- a value over several lines ------------------------------------------ */

struct scan_state {
    size_t at;      /* scanned so far */
    size_t restart; /* the first line after the value's own that begins with a brace; 0: none */
    uint64_t depth;
    bool in_string, escaped, closed, broken;
};

/* To the end of a string, if it is there. */
static void scan_string(struct scan_state *scan, const uint8_t *text, size_t size)
{
    size_t i = scan->at;
    for (; i < size; i++) {
        const uint8_t c = text[i];
        if (scan->escaped) {
            scan->escaped = false;
        } else if (c == '\\') {
            scan->escaped = true;
        } else if (c == '"') {
            scan->in_string = false;
            break;
        }
        if (c == '\n') {
            scan->broken = true;
            break;
        }
    }
    scan->at = i < size ? i + 1 : i;
}

static void scan_text(struct scan_state *scan, const uint8_t *text, size_t size)
{
    while (scan->at < size && !scan->closed && !scan->broken) {
        if (scan->in_string) {
            scan_string(scan, text, size);
            continue;
        }
        const uint8_t c = text[scan->at++];
        if (c == '"') {
            scan->in_string = true;
        } else if (c == '{' || c == '[') {
            if (c == '{' && scan->restart == 0 && scan->at > 1 && text[scan->at - 2] == '\n')
                scan->restart = scan->at - 1;
            scan->depth++;
        } else if (c == '}' || c == ']') {
            scan->closed = --scan->depth == 0;
        }
    }
}

/* Gives up `size` bytes, and goes on at the next line that begins with a brace. */
static enum varve_status find_step(struct source *s, size_t size, struct varve_err *err)
{
    source_take(s, size);
    for (;;) {
        TRY(source_need(s, 2, err));
        const size_t left = source_left(s);
        if (left == 0)
            return VARVE_OK;
        const uint8_t *newline = memchr(source_at(s), '\n', left);
        if (!newline) {
            source_take(s, left);
            continue;
        }
        source_take(s, (size_t)(newline - source_at(s)));
        TRY(source_need(s, 2, err));
        if (source_left(s) > 1 && source_at(s)[1] == '{')
            return VARVE_OK;
        source_take(s, 1);
    }
}

/* What could not be read is passed over; the status is the failure's, unless that fails too. */
static enum varve_status
give_up(struct source *s, size_t size, enum varve_status failure, struct varve_err *err)
{
    TRY(find_step(s, size, err));
    return failure;
}

static enum varve_status scan_value(struct source *s, struct varve_str *body, struct varve_err *err)
{
    struct scan_state scan = {0};
    for (;;) {
        const size_t left = source_left(s);
        scan_text(&scan, source_at(s), left < LIMIT_BODY ? left : LIMIT_BODY);
        if (scan.closed) {
            *body = (struct varve_str){(const char *)source_at(s), scan.at};
            source_take(s, scan.at);
            return VARVE_OK;
        }
        if (scan.broken) {
            s->by_lines = scan.restart > 0;
            return give_up(s, scan.restart ? scan.restart - 1 : scan.at - 1,
                           fail(err, VARVE_INVALID, "", "a string of JSON does not end"), err);
        }
        if (s->ended || left >= LIMIT_BODY)
            break;
        TRY(source_need(s, left + 1, err));
    }
    const enum varve_status status =
        s->ended && source_left(s) <= LIMIT_BODY
            ? fail(err, VARVE_INVALID, "", "the JSON value is cut off after %zu bytes",
                   source_left(s))
            : fail(err, VARVE_LIMIT, "", "a JSON value of more than %d bytes", LIMIT_BODY);
    s->by_lines = true;
    return give_up(s, scan.restart ? scan.restart - 1 : scan.at, status, err);
}

/* One line that has to be a value. */
static enum varve_status line_value(struct source *s, struct varve_str *body, struct varve_err *err)
{
    size_t size;
    TRY(whole_line(s, &size, err));
    if (size == 0)
        return give_up(s, 1, fail(err, VARVE_INVALID, "", "the line is no JSON value"), err);
    *body = (struct varve_str){(const char *)source_at(s), size};
    source_take(s, size);
    return VARVE_OK;
}

enum varve_status source_json(struct source *source, struct varve_str *body, struct varve_err *err)
{
    size_t size;
    TRY(skip_mark(source, err));
    TRY(skip_space(source, err));
    const uint8_t first = source_at(source)[0];
    if (first != '{' && first != '[')
        return give_up(source, 0,
                       fail(err, VARVE_INVALID, "",
                            first > 0x20 && first < 0x7f
                                ? "expected a JSON object or array, found '%c'"
                                : "expected a JSON object or array, found byte %02x",
                            first),
                       err);
    if (source->by_lines)
        return line_value(source, body, err);
    TRY(whole_line(source, &size, err));
    if (size == 0)
        return scan_value(source, body, err);
    *body = (struct varve_str){(const char *)source_at(source), size};
    source_take(source, size);
    return VARVE_OK;
}
