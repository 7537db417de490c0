/* SPDX-License-Identifier: Apache-2.0
 *
 * source_sniff.c -- what a stream holds, told from its first bytes.
 *
 * Nothing is taken for telemetry because it might be: JSON must name one of OTLP's requests,
 * text must have a line that is a sample or one of the comments with a meaning, and protobuf must
 * parse as far as two messages deep.
 */
#include "base/bytes.h"
#include "ingest/prom_line.h"
#include "ingest/source.h"

enum { FRAMES_ENOUGH = 8, LINES_ENOUGH = 8 };

/* ---- protobuf ------------------------------------------------------------ */

/* The next field: false when it is malformed; *cut when the bytes end inside it. */
static bool next_field(struct reader *r, uint64_t *tag, struct reader *inside, bool *cut)
{
    uint64_t size = 0;
    *tag = read_varint(r);
    switch (*tag & 7) {
    case 0:
        (void)read_varint(r);
        break;
    case 1:
        size = 8;
        break;
    case 2:
        size = read_varint(r);
        break;
    case 5:
        size = 4;
        break;
    default:
        return false;
    }
    if (*tag >> 3 == 0 || *tag >> 3 >= 1u << 29)
        return false;
    if (r->bad) {
        *cut = true;
        return reader_left(r) < 10;
    }
    *cut = size > reader_left(r);
    const size_t have = *cut ? reader_left(r) : (size_t)size;
    *inside = reader_over(r->at, have);
    r->at += have;
    return true;
}

/* A resource with its metrics, logs or spans; open: bytes are missing at its end. */
static bool is_block(struct reader block, bool open)
{
    while (reader_left(&block) > 0) {
        struct reader inside;
        uint64_t tag;
        bool cut = false;
        if (!next_field(&block, &tag, &inside, &cut))
            return false;
        if (tag != 0x0a && tag != 0x12 && tag != 0x1a && tag >> 3 < 1000)
            return false;
        if (cut)
            return open;
    }
    return true;
}

/* How many blocks make sense in a body; open: bytes are missing at its end. */
static unsigned count_blocks(struct reader body, bool open, bool *whole)
{
    unsigned count = 0;
    *whole = true;
    while (reader_left(&body) > 0 && count < FRAMES_ENOUGH) {
        struct reader block;
        uint64_t tag;
        bool cut = false;
        *whole = next_field(&body, &tag, &block, &cut) && (!cut || open);
        if (!*whole || (cut && body.bad))
            break;
        *whole = tag == 0x0a && is_block(block, cut);
        if (!*whole)
            break;
        count++;
        if (cut)
            break;
    }
    return count;
}

static unsigned count_frames(struct reader stream, bool ended, bool varint)
{
    unsigned count = 0;
    while (reader_left(&stream) > 0 && count < FRAMES_ENOUGH) {
        uint64_t size;
        if (varint) {
            size = read_varint(&stream);
        } else {
            const uint8_t *p = read_bytes(&stream, 4);
            size = p ? (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3] : 0;
        }
        /* Nobody sends 2 GB in one piece; the varint of a long body, of four bytes, looks so. */
        if (stream.bad || size > INT32_MAX)
            break;
        const size_t left = reader_left(&stream), have = size < left ? (size_t)size : left;
        bool whole;
        const unsigned blocks =
            count_blocks(reader_over(stream.at, have), size > left && !ended, &whole);
        if (!whole || (size > left && ended && count == 0 && blocks == 0))
            break;
        stream.at += have;
        count += blocks > 0;
        if (size == 0 && count == 0 && !varint)
            break;
    }
    return count;
}

unsigned sniff_framing(const uint8_t *bytes, size_t size, bool ended, enum source_framing framing)
{
    bool whole;
    if (framing == FRAME_BARE)
        return count_blocks(reader_over(bytes, size), !ended, &whole);
    return count_frames(reader_over(bytes, size), ended, framing == FRAME_VARINT);
}

/* ---- JSON ----------------------------------------------------------------- */

static bool is_request_key(struct varve_str key)
{
    static const char *const keys[] = {"resourceMetrics",  "resourceLogs",  "resourceSpans",
                                       "resource_metrics", "resource_logs", "resource_spans"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (str_equal(key, (struct varve_str){keys[i], strlen(keys[i])}))
            return true;
    return false;
}

/* The string that begins at bytes[at]; its end, or `size`. */
static size_t string_end(const uint8_t *bytes, size_t at, size_t size)
{
    for (at++; at < size && bytes[at] != '"'; at++)
        at += bytes[at] == '\\';
    return at < size ? at : size;
}

static size_t skip_blank(const uint8_t *bytes, size_t at, size_t size)
{
    while (at < size &&
           (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' || bytes[at] == '\n'))
        at++;
    return at;
}

/* Whether a key of the outermost object, or of those in an outermost array, is a request's. */
static bool is_request(const uint8_t *bytes, size_t size)
{
    const unsigned outermost = bytes[0] == '[' ? 2 : 1;
    unsigned depth = 0;
    const size_t second = skip_blank(bytes, 1, size);
    if (second < size && bytes[second] == '}')
        return true;
    for (size_t at = 0; at < size; at++) {
        const uint8_t c = bytes[at];
        if (c == '"') {
            const size_t end = string_end(bytes, at, size);
            const struct varve_str key = {(const char *)bytes + at + 1, end - at - (end > at)};
            const size_t next = skip_blank(bytes, end + 1 < size ? end + 1 : size, size);
            if (depth == outermost && next < size && bytes[next] == ':' && is_request_key(key))
                return true;
            at = end;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) {
            return false;
        }
    }
    return false;
}

/* `{"` begins a sample of text, too, when it goes on like one. */
static bool is_braced_sample(const uint8_t *bytes, size_t size)
{
    const size_t quote = skip_blank(bytes, 1, size);
    if (bytes[0] != '{' || quote >= size || bytes[quote] != '"')
        return false;
    const size_t end = string_end(bytes, quote, size);
    const size_t next = skip_blank(bytes, end < size ? end + 1 : size, size);
    return next < size && (bytes[next] == ',' || bytes[next] == '}');
}

/* ---- text ----------------------------------------------------------------- */

static bool is_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == 0x7f ||
            (bytes[i] < 0x20 && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r'))
            return false;
    return true;
}

static enum varve_input sniff_text(const uint8_t *bytes, size_t size, bool ended)
{
    unsigned others = 0;
    bool found = false;
    struct prom_line line;
    for (size_t at = 0; at < size;) {
        const uint8_t *newline = memchr(bytes + at, '\n', size - at);
        const size_t end = newline ? (size_t)(newline - bytes) : size;
        if (!newline && !ended)
            break;
        prom_line_parse(&line, (struct varve_str){(const char *)bytes + at, end - at});
        if (line.kind == PROM_UNIT || line.kind == PROM_EOF)
            return VARVE_INPUT_OPENMETRICS;
        found =
            found || line.kind == PROM_SAMPLE || line.kind == PROM_TYPE || line.kind == PROM_HELP;
        if (line.kind == PROM_BAD && ++others >= LINES_ENOUGH && !found)
            break;
        at = end + 1;
    }
    return found ? VARVE_INPUT_PROMETHEUS : VARVE_INPUT_ANY;
}

/* ---- all of them ---------------------------------------------------------- */

static const char *sniff_packed(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *hint;
    } packed[] = {
        {"\x1f\x8b", 2, "gzip: unpack it first, as in: zcat FILE | varve ingest -"},
        {"\x28\xb5\x2f\xfd", 4, "zstd: unpack it first, as in: zstdcat FILE | varve ingest -"},
        {"\xfd"
         "7zXZ",
         6, "xz: unpack it first, as in: xzcat FILE | varve ingest -"},
        {"BZh", 3, "bzip2: unpack it first, as in: bzcat FILE | varve ingest -"},
        {"PK\x03\x04", 4, "zip: unpack it first"},
        {"\xff\xfe", 2, "UTF-16: convert it to UTF-8 first, with iconv(1)"},
        {"\xfe\xff", 2, "UTF-16: convert it to UTF-8 first, with iconv(1)"},
    };
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (size >= packed[i].size && memcmp(bytes, packed[i].magic, packed[i].size) == 0)
            return packed[i].hint;
    return NULL;
}

enum varve_input sniff_bytes(const uint8_t *bytes, size_t size, bool ended, const char **hint)
{
    *hint = sniff_packed(bytes, size);
    if (*hint)
        return VARVE_INPUT_ANY;
    size_t at = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    at = skip_blank(bytes, at, size);
    if (at < size && (bytes[at] == '{' || bytes[at] == '[') &&
        !is_braced_sample(bytes + at, size - at))
        return is_request(bytes + at, size - at) ? VARVE_INPUT_OTLP_JSON : VARVE_INPUT_ANY;
    if (is_text(bytes, size))
        return sniff_text(bytes, size, ended);
    for (int framing = FRAME_BARE; framing <= FRAME_BE32; framing++)
        if (sniff_framing(bytes, size, ended, (enum source_framing)framing) > 0)
            return VARVE_INPUT_OTLP;
    return VARVE_INPUT_ANY;
}

enum varve_status source_sniff(struct source *source, enum varve_input *input, const char **hint,
                               struct varve_err *err)
{
    TRY(source_need(source, SNIFF_BYTES, err));
    const size_t left = source_left(source), size = left < SNIFF_BYTES ? left : SNIFF_BYTES;
    *input = sniff_bytes(source_at(source), size, left == size && source->ended, hint);
    return VARVE_OK;
}
