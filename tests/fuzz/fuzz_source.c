/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_source.c -- streams are cut the same however they arrive, and never outside of themselves.
 *
 *   byte 0   how the rest is cut: a framing, JSON, lines; or told from the content
 *   byte 1   how many bytes come at once, beside all and one
 */
#include "fuzz.h"

#include "../ingest/feed.h"
#include "base/hash.h"
#include "ingest/limits.h"
#include "ingest/source.h"

enum how { JSON = FRAME_BE32 + 1, LINES, SNIFFED };

static enum varve_status next(struct source *source, int how, struct varve_str *body)
{
    if (how == JSON)
        return source_json(source, body, NULL);
    if (how == LINES)
        return source_line(source, body, NULL);
    return source_body(source, (enum source_framing)how, body, NULL);
}

static int told(struct source *source)
{
    enum varve_input input;
    enum source_framing framing;
    const char *hint;
    MUST(source_sniff(source, &input, &hint, NULL) == VARVE_OK);
    MUST(!hint || input == VARVE_INPUT_ANY);
    MUST(source_framing(source, &framing, NULL) == VARVE_OK);
    if (input == VARVE_INPUT_OTLP)
        return (int)framing;
    return input == VARVE_INPUT_OTLP_JSON ? JSON : LINES;
}

/* A hash of all that comes out, in order. */
static struct h128 cut(int how, const uint8_t *data, size_t size, size_t piece)
{
    struct mem mem;
    struct source source;
    struct feed feed = feed_over(data, size, piece);
    struct h128 all = {0, 0};
    size_t bytes = 0;
    mem_init(&mem, NULL, 0);
    source_init(&source, &mem, feed_read, &feed);
    if (how == SNIFFED) {
        how = told(&source);
        all.lo = (uint64_t)how;
    }
    for (size_t turns = 0;; turns++) {
        struct varve_str body = {"", 0};
        const enum varve_status status = next(&source, how, &body);
        if (status == VARVE_DONE)
            break;
        MUST(status == VARVE_OK || status == VARVE_INVALID || status == VARVE_LIMIT);
        MUST(turns <= size);
        bytes += body.size;
        all = h128_pair(all, hash128(body.data, body.size, (uint64_t)status));
    }
    MUST(bytes <= size && source.bytes == feed.at);
    source_free(&source);
    MUST(mem.used == 0);
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const int how = data[0] % (SNIFFED + 1);
    const struct h128 whole = cut(how, data + 2, size - 2, 0);
    MUST(h128_equal(whole, cut(how, data + 2, size - 2, 1)));
    MUST(h128_equal(whole, cut(how, data + 2, size - 2, 1u + data[1])));
    return 0;
}
