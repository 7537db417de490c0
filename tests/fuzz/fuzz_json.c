/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_json.c -- the JSON reader on any bytes.
 *
 * Passing over a value and taking it apart must agree about whether it is JSON and where it is not,
 * and what was handed out must be readable by itself (json_ours.c checks these).  Where
 * jansson is there it must be of the same opinion, and read the same values.
 */
#include "../ingest/json_oracle.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mem mem;
    struct buf line, theirs;
    if (size > 1 << 16)
        return 0;
    mem_init(&mem, NULL, 0);
    buf_init(&line, &mem, 1 << 22);
    buf_init(&theirs, &mem, 1 << 22);
    enum oracle_answer ours = oracle_ours((const char *)data, size, &line);
    enum oracle_answer expected = oracle_ask((const char *)data, size, &theirs);
    if (expected == ORACLE_REFUSES)
        MUST(ours == ORACLE_REFUSES);
    /* Too deep for us is not too deep for them. */
    if (expected == ORACLE_ACCEPTS && ours == ORACLE_ACCEPTS)
        MUST(line.size == theirs.size && memcmp(line.data, theirs.data, line.size) == 0);
    if (expected == ORACLE_ACCEPTS && ours == ORACLE_REFUSES) {
        size_t depth = 0, deepest = 0;
        for (size_t i = 0; i < size; i++) {
            depth += data[i] == '[' || data[i] == '{';
            depth -= depth > 0 && (data[i] == ']' || data[i] == '}');
            deepest = depth > deepest ? depth : deepest;
        }
        MUST(deepest > ORACLE_DEPTH);
    }
    buf_free(&line);
    buf_free(&theirs);
    MUST(mem.used == 0);
    return 0;
}
