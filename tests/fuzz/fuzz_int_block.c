/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_int_block.c -- integer blocks: any values come back, any bytes do no harm.
 *
 *   bytes 0-1  n - 1
 *   byte 2     how values are made of the rest: bits 0-2 bytes a value, bit 3 add them up,
 *              bits 4-5 multiply
 *
 * The values must come back from what both builds of the kernels encode, which
 * must be the same.  Then all from byte 2 on is decoded as a block: both builds
 * must say the same, and sums must be the sums of the values.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "codec/int_block.h"

static void make_values(int64_t *values, size_t n, uint8_t how, const uint8_t *data, size_t size)
{
    static const uint64_t factors[] = {1, 50, 1000000, UINT64_C(1) << 33};
    const size_t width = 1 + (how & 7);
    uint64_t sum = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = 0;
        for (size_t b = 0; b < width; b++, at++)
            v |= (uint64_t)(size > 0 ? data[at % size] : 0) << (8 * b);
        v *= factors[how >> 4 & 3];
        sum = how & 8 ? sum + v : v;
        values[i] = (int64_t)sum;
    }
}

static void check_sums(const int64_t *values, size_t n, const uint8_t *bytes, size_t size)
{
    uint16_t ends[BLOCK_VALUES];
    int64_t sums[BLOCK_VALUES] = {0};
    const size_t first = size % n;
    size_t ranges = 0;
    for (size_t at = first; at < n; ranges++) {
        at += 1 + bytes[ranges % size] % 40;
        ends[ranges] = (uint16_t)(at < n ? at : n);
    }
    MUST(int_block_sums(sums, ends, ranges, first, n, bytes, size) == VARVE_OK);
    for (size_t r = 0, at = first; r < ranges; r++) {
        uint64_t sum = 0;
        for (; at < ends[r]; at++)
            sum += (uint64_t)values[at];
        MUST((uint64_t)sums[r] == sum);
    }
}

static void round_trip(const int64_t *values, size_t n)
{
    uint8_t *bytes[2];
    int64_t decoded[BLOCK_VALUES];
    size_t size[2];
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        bytes[scalar] = malloc(int_block_bound(n));
        MUST(bytes[scalar]);
        size[scalar] = int_block_encode(bytes[scalar], values, n);
        MUST(size[scalar] <= int_block_bound(n));
    }
    MUST(size[0] == size[1] && memcmp(bytes[0], bytes[1], size[0]) == 0);
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        MUST(int_block_decode(decoded, n, bytes[0], size[0]) == VARVE_OK);
        MUST(memcmp(decoded, values, n * sizeof *values) == 0);
        check_sums(values, n, bytes[0], size[0]);
    }
    free(bytes[0]);
    free(bytes[1]);
}

static void decode_any(size_t n, const uint8_t *data, size_t size)
{
    int64_t values[2][BLOCK_VALUES], sum = 0;
    enum varve_status status[2];
    const uint16_t end = (uint16_t)n;
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        status[scalar] = int_block_decode(values[scalar], n, data, size);
        MUST(status[scalar] == int_block_sums(&sum, &end, 1, 0, n, data, size));
    }
    MUST(status[0] == status[1]);
    if (status[0] != VARVE_OK)
        return;
    MUST(memcmp(values[0], values[1], n * sizeof **values) == 0);
    for (int scalar = 0; scalar < 2; scalar++) {
        int_block_use_scalar(scalar);
        check_sums(values[0], n, data, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t values[BLOCK_VALUES];
    if (size < 3)
        return 0;
    const size_t n = 1 + load16(data) % BLOCK_VALUES;
    make_values(values, n, data[2], data + 3, size - 3);
    round_trip(values, n);
    decode_any(n, data + 2, size - 2);
    return 0;
}
