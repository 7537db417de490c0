/* SPDX-License-Identifier: Apache-2.0
 *
 * random_events.c -- events that nobody would send and somebody will.
 *
 * A set has up to a dozen columns.  Each has a flavour, which says what its values
 * are made of, and a chance to be absent.  Time and the sort columns repeat a
 * lot, so that every rule of order gets to decide.
 */
#include "random_events.h"

#include <math.h>
#include <string.h>

enum flavour {
    INTS,
    WIDE_INTS,
    BOOLS,
    DECIMALS,
    ODD_DOUBLES,
    FEW_TEXTS,
    MANY_TEXTS,
    UUIDS,
    INTS_AND_BOOLS,
    WHOLE_NUMBERS,
    ANY_NUMBERS,
    ANYTHING,
    FLAVOURS
};

struct shape {
    const char *name;
    enum flavour flavour;
    uint64_t present; /* of 8 */
};

static const char *const column_names[] = {
    "user.id", "user.email", "session.id", "a",  "b",     "cost_usd",
    "model",   "prompt.id",  "request_id", "aa", "größe", "z.z",
};
enum { COLUMNS = sizeof column_names / sizeof *column_names };

static const char *const few_texts[] = {
    "", "x", "true", "5", "1.5", "NaN", "日本語", "x\n\"y", "-0",
};

static const uint64_t odd_doubles[] = {
    0x0000000000000000, 0x8000000000000000, 0x7ff0000000000000, 0xfff0000000000000,
    0x7ff8000000000000, 0x7ff8000000000001, 0xfff4000000000123, 0x0000000000000001,
    0x800fffffffffffff, 0x7fefffffffffffff, 0x3ff0000000000000, 0x43e0000000000000,
    0xc3e0000000000000, 0x4340000000000000,
};

static const int64_t edges[] = {
    INT64_MIN, INT64_MAX, -1, 0, 1, INT64_C(1) << 53, (INT64_C(1) << 53) + 1, INT64_MIN + 1};

static struct varve_value int_value(int64_t value)
{
    return (struct varve_value){.type = VARVE_INT, .as.i = value};
}

static struct varve_value float_value(double value)
{
    return (struct varve_value){.type = VARVE_FLOAT, .as.f = value};
}

static struct varve_value bits_value(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return float_value(value);
}

static struct varve_value text_value(const char *text, size_t size)
{
    return (struct varve_value){.type = VARVE_TEXT, .as.s = {text, size}};
}

/* room has 64 bytes for a text. */
static struct varve_value random_value(struct prng *prng, enum flavour flavour, char *room)
{
    const char *few = few_texts[prng_below(prng, sizeof few_texts / sizeof *few_texts)];
    switch (flavour) {
    case INTS:
        return int_value((int64_t)prng_below(prng, 5000) - 100);
    case WIDE_INTS:
        return int_value(prng_below(prng, 3) ? (int64_t)prng_next(prng)
                                             : edges[prng_below(prng, 8)]);
    case BOOLS:
        return (struct varve_value){.type = VARVE_BOOL, .as.i = (int64_t)prng_below(prng, 2)};
    case DECIMALS:
        return float_value((double)prng_below(prng, 1000000) / 1e4);
    case ODD_DOUBLES:
        return bits_value(prng_below(prng, 4) ? odd_doubles[prng_below(prng, 14)]
                                              : prng_next(prng));
    case FEW_TEXTS:
        return text_value(few, strlen(few));
    case MANY_TEXTS:
        return text_value(
            room, (size_t)snprintf(room, 64, "req_%06u", (unsigned)prng_below(prng, 500000)));
    case UUIDS:
        snprintf(room, 64, "%08x-0000-4000-8000-%012" PRIx64, (unsigned)prng_below(prng, 60),
                 prng_below(prng, 2) ? 7 : prng_next(prng) >> 16);
        return text_value(room, 36);
    case INTS_AND_BOOLS:
        return random_value(prng, prng_below(prng, 2) ? INTS : BOOLS, room);
    case WHOLE_NUMBERS:
        return prng_below(prng, 2) ? float_value((double)prng_below(prng, 90) / 2)
                                   : random_value(prng, INTS_AND_BOOLS, room);
    case ANY_NUMBERS:
        return random_value(prng, prng_below(prng, 2) ? WIDE_INTS : ODD_DOUBLES, room);
    default:
        return random_value(prng, (enum flavour)prng_below(prng, ANYTHING), room);
    }
}

static void random_event(struct eventset *set, struct prng *prng, const struct shape *shapes)
{
    struct varve_field fields[COLUMNS];
    char rooms[COLUMNS][64];
    size_t count = 0;
    for (size_t c = 0; c < COLUMNS; c++) {
        if (prng_below(prng, 8) >= shapes[c].present)
            continue;
        fields[count].name = (struct varve_str){shapes[c].name, strlen(shapes[c].name)};
        fields[count].value = random_value(prng, shapes[c].flavour, rooms[c]);
        count++;
    }
    int64_t time = 1791417600000000000 + (int64_t)prng_below(prng, 50) * 1000000;
    if (prng_below(prng, 500) == 0)
        time = edges[prng_below(prng, 8)];
    if (eventset_add(set, STR("mixed"), time, fields, count, NULL) != VARVE_OK)
        abort();
}

void random_events(struct eventset *set, struct prng *prng, size_t most)
{
    struct shape shapes[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) {
        shapes[c].name = column_names[c];
        shapes[c].flavour = (enum flavour)prng_below(prng, FLAVOURS);
        shapes[c].present = prng_below(prng, 2) ? 8 : prng_below(prng, 8);
    }
    for (size_t n = 1 + prng_below(prng, most); n > 0; n--)
        random_event(set, prng, shapes);
}
