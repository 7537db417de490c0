/* SPDX-License-Identifier: Apache-2.0
 *
 * random_values.h -- values of all sorts for tests of the exec floor, few enough distinct ones that
 * equal ones meet, and the ones that are awkward to compare.
 */
#ifndef TESTS_EXEC_RANDOM_VALUES_H
#define TESTS_EXEC_RANDOM_VALUES_H

#include <math.h>
#include "../base/prng.h"
#include "lang/value.h"

static inline struct value random_number(struct prng *prng)
{
    static const double floats[] = {0.0,      -0.0,        0.5, -1.5, 9007199254740992.0,
                                    HUGE_VAL, (double)NAN, 2.0};
    static const int64_t ints[] = {0, 1, 2, -1, 9007199254740993, INT64_MAX, INT64_MIN, 7};
    switch (prng_below(prng, 4)) {
    case 0:
        return value_float(floats[prng_below(prng, 8)]);
    case 1:
        return value_int(TYPE_NANO, ((int64_t)prng_below(prng, 9) - 4) * 500000000);
    case 2:
        return value_int(TYPE_INT, ints[prng_below(prng, 8)]);
    default:
        return value_int(TYPE_INT, (int64_t)prng_below(prng, 5) - 2);
    }
}

static inline struct value random_text(struct prng *prng)
{
    static const char *const texts[] = {"",
                                        "a",
                                        "b",
                                        "ab",
                                        "claude-opus-4-6",
                                        "claude-opus-4-5",
                                        "\xc3\xa9t",
                                        "long text",
                                        "long text.",
                                        "x\xf0\x9f\x98\x80"};
    const char *text = texts[prng_below(prng, 10)];
    return value_text((struct varve_str){text, strlen(text)});
}

static inline struct value random_value(struct prng *prng)
{
    switch (prng_below(prng, 8)) {
    case 0:
        return value_null();
    case 1:
        return value_int(TYPE_BOOL, (int64_t)prng_below(prng, 2));
    case 2:
        return value_int(TYPE_TIME, (int64_t)prng_below(prng, 4) - 2);
    case 3:
        return value_int(TYPE_DURATION, (int64_t)prng_below(prng, 3) * 1000);
    case 4:
    case 5:
        return random_text(prng);
    default:
        return random_number(prng);
    }
}

#endif
