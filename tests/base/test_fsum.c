/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fsum.c -- exact sums against long addition on paper.
 *
 * The oracle shares nothing with the code: it keeps the positive and the negative
 * values apart in two byte-wise big numbers, subtracts them, prints the rest as
 * a hexadecimal floating-point text and lets strtod round it.
 */
#include "base/fsum.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "prng.h"
#include "unit.h"

enum { BIG_BYTES = 300 };

struct big {
    uint8_t bytes[BIG_BYTES]; /* units of 2^-1074, lowest first */
};

static void big_add(struct big *big, double v)
{
    int exponent;
    double fraction = frexp(fabs(v), &exponent);
    if (exponent < -1021) {
        fraction = ldexp(fraction, exponent + 1021);
        exponent = -1021;
    }
    uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
    int at = exponent - 53 + 1074;
    unsigned carry = 0;
    for (int i = 0; i < BIG_BYTES; i++) {
        unsigned digit = carry + big->bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            int from = i * 8 + bit - at;
            if (from >= 0 && from < 53 && mantissa >> from & 1)
                digit += 1u << bit;
        }
        big->bytes[i] = (uint8_t)digit;
        carry = digit >> 8;
    }
    assert_int_equal(carry, 0);
}

/* a - b; answers whether it is negative and leaves the magnitude in a. */
static bool big_subtract(struct big *a, const struct big *b)
{
    int i = BIG_BYTES - 1;
    while (i > 0 && a->bytes[i] == b->bytes[i])
        i--;
    bool negative = a->bytes[i] < b->bytes[i];
    const struct big x = negative ? *b : *a, y = negative ? *a : *b;
    int borrow = 0;
    for (i = 0; i < BIG_BYTES; i++) {
        int digit = x.bytes[i] - y.bytes[i] - borrow;
        borrow = digit < 0;
        a->bytes[i] = (uint8_t)(digit & 0xff);
    }
    return negative;
}

static double oracle(const double *values, size_t count)
{
    struct big plus = {{0}}, minus = {{0}};
    for (size_t i = 0; i < count; i++)
        big_add(values[i] < 0 ? &minus : &plus, values[i]);
    bool negative = big_subtract(&plus, &minus);
    char text[2 * BIG_BYTES + 20];
    size_t n = (size_t)sprintf(text, "%s0x", negative ? "-" : "");
    for (int i = BIG_BYTES - 1; i >= 0; i--)
        n += (size_t)sprintf(text + n, "%02x", plus.bytes[i]);
    sprintf(text + n, "p-1074");
    double v = strtod(text, NULL);
    return v == 0 ? 0.0 : v;
}

static double total(const double *values, size_t count)
{
    struct fsum sum;
    fsum_clear(&sum);
    for (size_t i = 0; i < count; i++)
        fsum_add(&sum, values[i]);
    return fsum_result(&sum);
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

#define assert_same(a, b) assert_int_equal(bits_of(a), bits_of(b))
#define SUM(...) \
    total((const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void test_hard_cases(void **state)
{
    (void)state;
    assert_same(total(NULL, 0), 0.0);
    assert_same(SUM(-0.0, -0.0), 0.0);
    assert_same(SUM(1e308, 1e308, -1e308), 1e308);
    assert_same(SUM(-1e308, -1e308, 1e308), -1e308);
    assert_same(SUM(0.1, 0.2, 0.3, -0.6), SUM(-0.6, 0.3, 0.2, 0.1));
    assert_same(SUM(1, 0x1p-53), 1.0);
    assert_same(SUM(1, 0x1p-53, 0x1p-106), 1 + 0x1p-52);
    assert_same(SUM(1, 0x1p-53, 0x1p-1074), 1 + 0x1p-52);
    assert_same(SUM(1, 0x1p-53, -0x1p-1074), 1.0);
    assert_same(SUM(1 + 0x1p-52, 0x1p-53), 1 + 0x1p-51);
    assert_same(SUM(1e100, 1, -1e100), 1.0);
    assert_same(SUM(0x1p-1074, 0x1p-1074), 0x1p-1073);
    assert_same(SUM(0x1p-1022, -0x1p-1074), 0x1.ffffffffffffep-1023);
    assert_same(SUM(0x1.ffffffffffffep-1023, 0x1p-1074), 0x1p-1022);
    assert_same(SUM(-0x1p-1074), -0x1p-1074);
}

static void test_overflow_is_decided_at_the_end(void **state)
{
    (void)state;
    const double most = 0x1.fffffffffffffp1023, half_ulp = 0x1p970;
    assert_same(SUM(most, most), HUGE_VAL);
    assert_same(SUM(-most, -most), -HUGE_VAL);
    assert_same(SUM(most, most, -most), most);
    assert_same(SUM(most, half_ulp), HUGE_VAL);
    assert_same(SUM(most, half_ulp, -0x1p-1074), most);
    assert_same(SUM(most, 0x1.fffffffffffffp969), most);
    struct fsum sum;
    fsum_clear(&sum);
    for (int i = 0; i < 100000; i++)
        fsum_add(&sum, -most);
    assert_same(fsum_result(&sum), -HUGE_VAL);
    for (int i = 0; i < 99999; i++)
        fsum_add(&sum, most);
    assert_same(fsum_result(&sum), -most);
}

static void test_specials(void **state)
{
    (void)state;
    assert_true(isnan(SUM(1, (double)NAN)));
    assert_true(isnan(SUM(HUGE_VAL, -HUGE_VAL)));
    assert_same(SUM(HUGE_VAL, 1, -1e308), HUGE_VAL);
    assert_same(SUM(1, -HUGE_VAL, -HUGE_VAL), -HUGE_VAL);
    struct fsum a, b;
    fsum_clear(&a);
    fsum_clear(&b);
    fsum_add(&a, HUGE_VAL);
    fsum_add(&b, -HUGE_VAL);
    fsum_merge(&a, &b);
    assert_true(isnan(fsum_result(&a)));
}

/* Values whose exponents lie within `spread` of each other, so that much cancels. */
static double random_double(struct prng *prng, uint64_t base, uint64_t spread)
{
    uint64_t exponent = (base + prng_below(prng, spread)) % 2047;
    uint64_t bits = (prng_next(prng) & ~(UINT64_C(0x7ff) << 52)) | exponent << 52;
    uint64_t round = prng_below(prng, 4);
    if (round == 0)
        bits &= ~UINT64_C(0xffffffffffff);
    if (round == 1)
        bits |= UINT64_C(0xffffffffffff);
    return from_bits(bits);
}

static void test_against_the_oracle(void **state)
{
    (void)state;
    struct prng prng = prng_start(42);
    for (int i = 0; i < 3000; i++) {
        double values[12];
        size_t count = 1 + prng_below(&prng, 12);
        uint64_t base = i % 3 == 0 ? 0 : i % 3 == 1 ? 2046 - 70 : prng_below(&prng, 2047);
        uint64_t spread = 1 + prng_below(&prng, i % 7 == 0 ? 2046 : 70);
        for (size_t j = 0; j < count; j++)
            values[j] = random_double(&prng, base, spread);
        assert_same(total(values, count), oracle(values, count));
    }
}

static void shuffle(struct prng *prng, double *values, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = prng_below(prng, i);
        double swap = values[i - 1];
        values[i - 1] = values[j];
        values[j] = swap;
    }
}

/* Any order and any grouping: the same bits. */
static void test_order_does_not_matter(void **state)
{
    (void)state;
    enum { COUNT = 100000, GROUPS = 37 };
    struct prng prng = prng_start(43);
    static double values[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        values[i] = random_double(&prng, 0, 2047);
    double want = total(values, COUNT);
    for (int round = 0; round < 4; round++) {
        static struct fsum groups[GROUPS];
        shuffle(&prng, values, COUNT);
        for (int g = 0; g < GROUPS; g++)
            fsum_clear(&groups[g]);
        for (size_t i = 0; i < COUNT; i++)
            fsum_add(&groups[prng_below(&prng, GROUPS)], values[i]);
        for (int g = GROUPS - 1; g > 0; g--)
            fsum_merge(&groups[prng_below(&prng, (uint64_t)g)], &groups[g]);
        assert_same(fsum_result(&groups[0]), want);
        assert_same(total(values, COUNT), want);
    }
    for (size_t i = 0; i < COUNT / 2; i++)
        values[COUNT / 2 + i] = -values[i];
    shuffle(&prng, values, COUNT);
    assert_same(total(values, COUNT), 0.0);
}

static void check_limbs(const struct fsum *sum)
{
    assert_true(sum->pending <= UINT32_C(1) << 30);
    for (int i = 0; i < FSUM_LIMBS - 1; i++)
        assert_true(llabs((long long)sum->limbs[i]) < ((long long)sum->pending + 1) << 32);
}

/* Long runs: the limbs stay within what `pending` says, and carries spread in time.  Doubling a
 * sum by merging it with itself reaches any number of additions quickly. */
static void test_carries_of_very_many_additions(void **state)
{
    (void)state;
    struct fsum sum, copy;
    fsum_clear(&sum);
    fsum_add(&sum, -0x1.fffffffffffffp100);
    for (int i = 0; i < 60; i++) {
        copy = sum;
        fsum_merge(&sum, &copy);
        check_limbs(&sum);
    }
    assert_same(fsum_result(&sum), -0x1.fffffffffffffp160);
    fsum_add(&sum, 0x1.fffffffffffffp160);
    assert_same(fsum_result(&sum), 0.0);
    for (int i = 0; i < 1000; i++) {
        fsum_add(&sum, 0x1.fffffffffffffp31);
        check_limbs(&sum);
    }
}

static void test_split(void **state)
{
    (void)state;
    struct fsum sum;
    double high, low;
    fsum_clear(&sum);
    fsum_add(&sum, 1);
    fsum_add(&sum, 0x1p-80);
    assert_int_equal(fsum_split(&sum, &high, &low), 1);
    assert_same(high, 1.0);
    assert_same(low, 0x1p-80);
    fsum_add(&sum, 0x1p-300);
    assert_int_equal(fsum_split(&sum, &high, &low), 0);
    assert_same(high, 1.0);
    fsum_clear(&sum);
    assert_int_equal(fsum_split(&sum, &high, &low), 1);
    assert_same(high, 0.0);
    fsum_add(&sum, -HUGE_VAL);
    assert_int_equal(fsum_split(&sum, &high, &low), 1);
    assert_same(high, -HUGE_VAL);
    assert_same(low, 0.0);
    fsum_clear(&sum);
    fsum_add(&sum, 0x1p1023);
    fsum_add(&sum, 0x1p1023);
    assert_int_equal(fsum_split(&sum, &high, &low), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hard_cases),
        cmocka_unit_test(test_overflow_is_decided_at_the_end),
        cmocka_unit_test(test_specials),
        cmocka_unit_test(test_against_the_oracle),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_carries_of_very_many_additions),
        cmocka_unit_test(test_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
