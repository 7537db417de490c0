/* SPDX-License-Identifier: Apache-2.0
 *
 * float_block_dec.c -- float blocks to doubles.
 *
 * A decimal is its integer divided by a power of ten.  Both are exact doubles
 * and the division is rounded correctly, so the quotient is the double nearest
 * to the decimal, which is what reading "2.174" gave the sender.
 */
#include "codec/float_block.h"
#include "codec/float_format.h"

static enum varve_status decode_raw(double *values, size_t n, struct reader *r)
{
    const uint8_t *p = read_bytes(r, 8 * n);
    if (r->bad || reader_left(r) > 0)
        return VARVE_CORRUPT;
    for (size_t i = 0; i < n; i++)
        values[i] = double_of_bits(load64(p + 8 * i));
    return VARVE_OK;
}

static enum varve_status decode_decimal(double *values, size_t n, struct reader *r)
{
    int64_t integers[BLOCK_VALUES];
    const unsigned power = read8(r);
    const uint64_t exceptions = read_varint(r);
    if (r->bad || power > FLOAT_MAX_POWER || exceptions > n)
        return VARVE_CORRUPT;
    const uint8_t *positions = read_bytes(r, 2 * (size_t)exceptions);
    const uint8_t *raw = read_bytes(r, 8 * (size_t)exceptions);
    if (r->bad)
        return VARVE_CORRUPT;
    TRY(int_block_decode(integers, n, r->at, reader_left(r)));
    const double divisor = float_power_of_ten[power];
    for (size_t i = 0; i < n; i++)
        values[i] = (double)integers[i] / divisor;
    size_t next = 0;
    for (size_t i = 0; i < exceptions; i++) {
        const size_t at = load16(positions + 2 * i);
        if (at < next || at >= n)
            return VARVE_CORRUPT;
        values[at] = double_of_bits(load64(raw + 8 * i));
        next = at + 1;
    }
    return VARVE_OK;
}

static enum varve_status decode_xor(double *values, size_t n, struct reader *r)
{
    struct bit_reader bits = bit_reader_over(r->at, reader_left(r));
    uint64_t value = bits_get(&bits, 64);
    unsigned trailing = 0, width = 0;
    values[0] = double_of_bits(value);
    for (size_t i = 1; i < n; i++) {
        if (bits_get(&bits, 1)) {
            if (bits_get(&bits, 1)) {
                trailing = (unsigned)bits_get(&bits, 6);
                width = (unsigned)bits_get(&bits, 6) + 1;
            }
            if (width == 0 || trailing + width > 64)
                return VARVE_CORRUPT;
            value ^= bits_get(&bits, width) << trailing;
        }
        values[i] = double_of_bits(value);
    }
    return bits.bad || bits.end - bits.at >= 8 ? VARVE_CORRUPT : VARVE_OK;
}

enum varve_status float_block_decode(double *values, size_t n, const uint8_t *src, size_t size)
{
    struct reader r = reader_over(src, size);
    if (n == 0 || n > BLOCK_VALUES || size == 0)
        return VARVE_CORRUPT;
    switch (read8(&r)) {
    case FLOAT_RAW:
        return decode_raw(values, n, &r);
    case FLOAT_DECIMAL:
        return decode_decimal(values, n, &r);
    case FLOAT_XOR:
        return decode_xor(values, n, &r);
    default:
        return VARVE_CORRUPT;
    }
}
