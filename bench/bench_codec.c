/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_codec.c -- how fast the codecs are on one core, with data as Claude Code makes it.
 *
 * Both builds of the kernels run in turn within one process, so that what else
 * the machine does hits both alike, and of several repetitions the fastest
 * counts.  Blocks are in the cache: this measures the loops, not the memory.
 *
 *   flat      numbers below 2^20, all equally likely: no exceptions
 *   tokens    log-normal counts around 2^11, some far above
 *   cost      log-normal nano-dollars around 2^27, in steps of 50
 *   times     nanoseconds, a minute apart, with a jitter of 256 ms
 *   decimals  doubles with 3 digits after the point
 *   noise     doubles with nothing to save
 *
 * "sums" adds up ranges of 20 values, a session's share of a block.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "codec/float_block.h"
#include "codec/int_block.h"

#define BLOCKS 16
#define VALUES (BLOCKS * BLOCK_VALUES)
#define REPEATS 15
#define ROUNDS 20
#define RANGE 20
#define RANGES ((BLOCK_VALUES + RANGE - 1) / RANGE)

static union {
    int64_t ints[VALUES];
    double doubles[VALUES];
} source;
static union {
    int64_t ints[BLOCK_VALUES];
    double doubles[BLOCK_VALUES];
} target; /* one block: what decodes blocks uses them at once */
static uint8_t bytes[BLOCKS][2 * 8 * BLOCK_VALUES];
static size_t sizes[BLOCKS];
static int64_t sums[RANGES];
static uint16_t ends[RANGES];
static uint64_t seed;

static uint64_t next(void)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = seed;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Sums of 12 uniform numbers are nearly normal: mean 0, deviation 1. */
static double normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)(next() >> 11) * 0x1p-53;
    return sum;
}

/* 2^x, straight between whole x: near enough to make up data. */
static double power_of_two(double x)
{
    const int whole = (int)x;
    return (double)(UINT64_C(1) << whole) * (1 + x - whole);
}

static void make_flat(void)
{
    for (size_t i = 0; i < VALUES; i++)
        source.ints[i] = (int64_t)(next() >> 44);
}

static void make_tokens(void)
{
    for (size_t i = 0; i < VALUES; i++)
        source.ints[i] = (int64_t)power_of_two(11 + 1.2 * normal());
}

static void make_cost(void)
{
    for (size_t i = 0; i < VALUES; i++)
        source.ints[i] = 50 * (int64_t)power_of_two(21.5 + 1.2 * normal());
}

static void make_times(void)
{
    int64_t t = INT64_C(1790000000000);
    for (size_t i = 0; i < VALUES; i++) {
        t += 60000 - 128 + (int64_t)(next() % 256);
        source.ints[i] = t * 1000000;
    }
}

static void make_decimals(void)
{
    for (size_t i = 0; i < VALUES; i++)
        source.doubles[i] = (double)(int64_t)power_of_two(14 + normal()) / 1000;
}

static void make_noise(void)
{
    for (size_t i = 0; i < VALUES; i++)
        source.doubles[i] = 100 + normal();
}

static void int_encode(void)
{
    for (size_t b = 0; b < BLOCKS; b++)
        sizes[b] = int_block_encode(bytes[b], source.ints + b * BLOCK_VALUES, BLOCK_VALUES);
}

static void must(enum varve_status status)
{
    if (status != VARVE_OK) {
        fprintf(stderr, "bench_codec: decoding failed\n");
        exit(1);
    }
}

static void int_decode(void)
{
    for (size_t b = 0; b < BLOCKS; b++)
        must(int_block_decode(target.ints, BLOCK_VALUES, bytes[b], sizes[b]));
}

static void int_sums(void)
{
    for (size_t b = 0; b < BLOCKS; b++)
        must(int_block_sums(sums, ends, RANGES, 0, BLOCK_VALUES, bytes[b], sizes[b]));
}

static void float_encode(void)
{
    for (size_t b = 0; b < BLOCKS; b++)
        sizes[b] = float_block_encode(bytes[b], source.doubles + b * BLOCK_VALUES, BLOCK_VALUES);
}

static void float_decode(void)
{
    for (size_t b = 0; b < BLOCKS; b++)
        must(float_block_decode(target.doubles, BLOCK_VALUES, bytes[b], sizes[b]));
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double time_of(void (*work)(void))
{
    const double start = seconds();
    for (int i = 0; i < ROUNDS; i++)
        work();
    return seconds() - start;
}

/* Millions of values a second, [0] with the best kernels, [1] with the scalar ones. */
static void measure(double rates[2], void (*work)(void))
{
    double least[2] = {1e9, 1e9};
    for (int i = 0; i < 2 * REPEATS; i++) {
        int_block_use_scalar(i % 2);
        const double t = time_of(work);
        least[i % 2] = t < least[i % 2] ? t : least[i % 2];
    }
    int_block_use_scalar(0);
    for (int i = 0; i < 2; i++)
        rates[i] = (double)ROUNDS * VALUES / least[i] / 1e6;
}

struct set {
    const char *name;
    void (*make)(void);
    void (*encode)(void);
    void (*decode)(void);
    void (*add)(void);
};

static void run(const struct set *set)
{
    double encode[2], decode[2], add[2] = {0, 0};
    set->make();
    measure(encode, set->encode);
    measure(decode, set->decode);
    if (memcmp(source.ints + VALUES - BLOCK_VALUES, &target, sizeof target) != 0) {
        fprintf(stderr, "bench_codec: %s does not come back\n", set->name);
        exit(1);
    }
    if (set->add)
        measure(add, set->add);
    size_t size = 0;
    for (size_t b = 0; b < BLOCKS; b++)
        size += sizes[b];
    printf("%-10s %8.2f %8.0f %8.0f %8.0f %8.0f %8.0f %8.0f\n", set->name,
           8.0 * (double)size / VALUES, encode[0], encode[1], decode[0], decode[1], add[0], add[1]);
}

int main(void)
{
    static const struct set sets[] = {
        {"flat", make_flat, int_encode, int_decode, int_sums},
        {"tokens", make_tokens, int_encode, int_decode, int_sums},
        {"cost", make_cost, int_encode, int_decode, int_sums},
        {"times", make_times, int_encode, int_decode, int_sums},
        {"decimals", make_decimals, float_encode, float_decode, NULL},
        {"noise", make_noise, float_encode, float_decode, NULL},
    };
    for (size_t r = 0; r < RANGES; r++)
        ends[r] = (uint16_t)(r + 1 < RANGES ? (r + 1) * RANGE : BLOCK_VALUES);
    printf("codecs, million values a second, kernels %s and scalar\n", int_block_kernel());
    printf("%-10s %8s %17s %17s %17s\n", "data", "bits", "encode", "decode", "sums");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        run(&sets[i]);
    return 0;
}
