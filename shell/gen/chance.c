/* SPDX-License-Identifier: Apache-2.0
 *
 * chance.c -- numbers drawn from a seed, in integers only.
 *
 * The generator is splitmix64: a counter whose every value is scrambled.  What
 * is log-normal here is two to the power of a sum of four uniform numbers, the
 * power taken by a parabola between whole exponents; good enough for token
 * counts, and the same bits everywhere, which exp() does not promise.
 */
#include "chance.h"

#include <string.h>

static uint64_t scramble(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t chance_next(struct chance *c)
{
    return scramble(c->state += UINT64_C(0x9e3779b97f4a7c15));
}

uint64_t chance_mix(uint64_t a, uint64_t b)
{
    return scramble(scramble(a + UINT64_C(0x9e3779b97f4a7c15)) ^
                    (b + UINT64_C(0xd1b54a32d192ed03)));
}

uint32_t chance_below(struct chance *c, uint32_t bound)
{
    return (uint32_t)((chance_next(c) >> 32) * bound >> 32);
}

bool chance_permille(struct chance *c, uint32_t permille)
{
    return chance_below(c, 1000) < permille;
}

/* 2^(x / 65536), times 65536, for 0 <= x < 65536. */
static int64_t power_of_two(int64_t x)
{
    return 65536 + (x * (43025 + (22511 * x >> 16)) >> 16);
}

int64_t chance_about(struct chance *c, int64_t median, uint32_t spread)
{
    uint64_t r = chance_next(c);
    int64_t sum = (int64_t)((r & 0xffff) + (r >> 16 & 0xffff) + (r >> 32 & 0xffff) + (r >> 48));
    /* sum - 131070 has a standard deviation of 37837; make it 65536 * spread / 256. */
    int64_t x = (sum - 131070) * (int64_t)spread * 443 / 65536;
    int64_t whole = x >> 16, scaled = median * power_of_two(x & 0xffff) >> 16;
    if (whole >= 0)
        return scaled << (whole < 16 ? whole : 16);
    return scaled >> (whole > -40 ? -whole : 40);
}

unsigned chance_weighted(struct chance *c, const uint16_t *weights, unsigned count)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += weights[i];
    uint32_t at = chance_below(c, sum);
    for (unsigned i = 0; i < count; i++) {
        if (at < weights[i])
            return i;
        at -= weights[i];
    }
    return count - 1;
}

static char *put_hex(char *to, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; value >>= 4)
        to[i] = "0123456789abcdef"[value & 15];
    return to + digits;
}

void chance_hex(struct chance *c, char *text, unsigned digits)
{
    for (; digits > 16; digits -= 16)
        text = put_hex(text, chance_next(c), 16);
    *put_hex(text, chance_next(c), digits) = '\0';
}

void chance_uuid(struct chance *c, char text[37])
{
    uint64_t a = chance_next(c), b = chance_next(c);
    char *to = put_hex(text, a >> 32, 8);
    *to++ = '-';
    to = put_hex(to, a >> 16, 4);
    *to++ = '-';
    to = put_hex(to, 0x4000 | (a & 0xfff), 4);
    *to++ = '-';
    to = put_hex(to, 0x8000 | (b >> 48 & 0x3fff), 4);
    *to++ = '-';
    *put_hex(to, b, 12) = '\0';
}

void chance_id(struct chance *c, char *text, unsigned letters)
{
    static const char alphabet[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz_-";
    uint64_t bits = 0;
    for (unsigned i = 0; i < letters; i++) {
        if (i % 10 == 0)
            bits = chance_next(c);
        text[i] = alphabet[(bits & 63) % (sizeof alphabet - 3)];
        bits >>= 6;
    }
    text[letters] = '\0';
}
