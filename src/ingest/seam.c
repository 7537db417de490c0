/* SPDX-License-Identifier: Apache-2.0
 *
 * seam.c -- closing braces and what is right behind them, compared in vectors.
 *
 * One loop for vectors of two sizes: those that every processor of an architecture has, or that the
 * compiler makes of words, and those of AVX2, which are used where the processor says that it
 * has them.
 */
#include "ingest/seam.h"

#include <string.h>

/* 0x20 is what ] and } differ in. */
#define SKIP(lanes)                                                             \
    for (; end - p > SEAM_BLOCK; p += SEAM_BLOCK) {                             \
        lanes found = {0}, here, next;                                          \
        for (size_t i = 0; i < SEAM_BLOCK; i += sizeof found) {                 \
            memcpy(&here, p + i, sizeof here);                                  \
            memcpy(&next, p + i + 1, sizeof next);                              \
            lanes usual = (lanes)((next | 0x20) == '}') | (lanes)(next == ','); \
            found |= (lanes)(here == '}') & ~usual;                             \
        }                                                                       \
        uint64_t words[sizeof found / 8], any = 0;                              \
        memcpy(words, &found, sizeof words);                                    \
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)               \
            any |= words[i];                                                    \
        if (any)                                                                \
            break;                                                              \
    }

typedef uint8_t lanes_of_16 __attribute__((vector_size(16)));

const uint8_t *seam_skip_plain(const uint8_t *p, const uint8_t *end)
{
    SKIP(lanes_of_16)
    return p;
}

#if defined(__x86_64__)
typedef uint8_t lanes_of_32 __attribute__((vector_size(32)));

__attribute__((target("avx2"))) static const uint8_t *
skip_avx2(const uint8_t *p, const uint8_t *end)
{
    SKIP(lanes_of_32)
    return p;
}
#endif

const uint8_t *seam_skip(const uint8_t *p, const uint8_t *end)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return skip_avx2(p, end);
#endif
    return seam_skip_plain(p, end);
}
