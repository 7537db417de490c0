/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_float_block.c -- float blocks: any doubles come back bit for bit, any bytes do no harm.
 *
 *   bytes 0-1  n - 1
 *   byte 2     how values are made of the rest: bits 0-2 bytes a value, bit 3 as bits of a double
 *              or as an integer, bits 4-7 the power of ten that divides the integer
 *
 * The values must come back.  Then all from byte 2 on is decoded as a block;
 * what that gives must come back too.
 */
#include "fuzz.h"

#include <string.h>

#include "base/bytes.h"
#include "codec/float_block.h"

static void make_values(double *values, size_t n, uint8_t how, const uint8_t *data, size_t size)
{
    const size_t width = 1 + (how & 7);
    double divisor = 1;
    for (int i = 0; i < how >> 4; i++)
        divisor *= 10;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = 0;
        for (size_t b = 0; b < width; b++, at++)
            v |= (uint64_t)(size > 0 ? data[at % size] : 0) << (8 * b);
        if (how & 8)
            values[i] = (double)(int64_t)v / divisor;
        else
            memcpy(&values[i], &v, sizeof v);
    }
}

static void round_trip(const double *values, size_t n)
{
    double decoded[BLOCK_VALUES];
    uint8_t *bytes = malloc(float_block_bound(n));
    MUST(bytes);
    const size_t size = float_block_encode(bytes, values, n);
    MUST(size <= float_block_bound(n) && size <= 1 + 8 * n);
    MUST(float_block_decode(decoded, n, bytes, size) == VARVE_OK);
    MUST(memcmp(decoded, values, n * sizeof *values) == 0);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double values[BLOCK_VALUES];
    if (size < 3)
        return 0;
    const size_t n = 1 + load16(data) % BLOCK_VALUES;
    make_values(values, n, data[2], data + 3, size - 3);
    round_trip(values, n);
    if (float_block_decode(values, n, data + 2, size - 2) == VARVE_OK)
        round_trip(values, n);
    return 0;
}
