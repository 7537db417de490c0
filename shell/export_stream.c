/* SPDX-License-Identifier: Apache-2.0
 *
 * export_stream.c -- readings from increments.
 *
 * A reading is the sum of a stream's increments up to its end, counted from the
 * newest baseline.  What comes in again must not only mean the same but be the
 * same, in the store it came from and in an empty one:
 *
 *   - rows of one end are one reading, adjustments included;
 *   - a baseline beside an increment is the reading after a fall, and a lower
 *     reading says just that.  If it is no lower than what came before, an earlier
 *     first reading arrived after it and took its place: such readings go first, newest first, as
 *     they did then;
 *   - a baseline alone that is not the stream's first reading says what is no longer kept: the
 *     increments go on without it, on a lower level, where readings known already stay known;
 *   - a counter that began at zero at a time nobody knows (VARVE_FROM_ZERO) has baselines where a
 *     day or a fall begins, each beside its increment; a day without one counts from zero anew;
 *   - doubles: a receiver subtracts what a store has subtracted before, so of the doubles next to
 *     the sum the one is taken that gives the increment back, if it is no larger than the sum.
 *
 * A counter whose start is known counts from zero whatever baselines say: they only
 * tell what was forgotten.
 */
#include "export_stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What all rows of one end say. */
struct step {
    int64_t end;
    bool has_row, has_base;
    struct reading increment, base;
};

static struct reading whole(int64_t i)
{
    return (struct reading){.i = i, .f = (double)i};
}

static struct reading broken(double f)
{
    return (struct reading){.is_float = true, .f = f};
}

struct reading reading_of(const struct gathered_row *row)
{
    double f;
    if (!row->is_float)
        return whole(row->value);
    memcpy(&f, &row->value, sizeof f);
    return broken(f);
}

struct reading reading_add(struct reading a, struct reading b)
{
    int64_t i;
    if (!a.is_float && !b.is_float && !__builtin_add_overflow(a.i, b.i, &i))
        return whole(i);
    return broken(a.f + b.f);
}

static bool is_below(struct reading a, struct reading b)
{
    return !a.is_float && !b.is_float ? a.i < b.i : a.f < b.f;
}

/* Takes the rows of one end; answers how many. */
static size_t take_step(const struct gathered_row *rows, size_t count, struct step *step)
{
    size_t n = 0;
    *step = (struct step){.end = rows[0].end};
    for (; n < count && rows[n].end == step->end; n++) {
        struct reading value = reading_of(&rows[n]);
        if (rows[n].form == VARVE_FORM_BASELINE) { /* of several the largest counts */
            if (!step->has_base || is_below(step->base, value))
                step->base = value;
            step->has_base = true;
            continue;
        }
        step->has_row = true;
        step->increment = reading_add(step->increment, value);
    }
    return n;
}

/* The double that, with `said` taken away, is `increment` again. */
static struct reading rise(struct reading said, struct reading increment, struct reading reached)
{
    struct reading next = reading_add(said, increment);
    if (!next.is_float)
        return next;
    const double tries[] = {next.f, nextafter(next.f, -HUGE_VAL), nextafter(next.f, HUGE_VAL)};
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        if (tries[i] - said.f == increment.f && tries[i] <= reached.f)
            return broken(tries[i]);
    return next.f <= reached.f ? next : reached;
}

static bool put(struct readings *readings, int64_t end, struct reading value)
{
    if (readings->count == readings->room) {
        size_t room = readings->room ? readings->room * 2 : 256;
        struct reading *list = realloc(readings->list, room * sizeof *list);
        if (!list)
            return false;
        readings->list = list;
        readings->room = room;
    }
    value.end = end;
    readings->list[readings->count++] = value;
    return true;
}

/* What a walk over the steps knows. */
struct walk {
    struct reading reached; /* in the store's own account */
    struct reading said;    /* in what was written */
    bool begun, from_start;
};

/* Whether the step is a first reading that was overtaken; moves the account on. */
static bool account(struct walk *walk, const struct step *step)
{
    bool overtaken = false;
    if (walk->from_start || !step->has_base)
        walk->reached = reading_add(walk->reached, step->increment);
    else {
        overtaken = step->has_row && walk->begun && !is_below(step->base, walk->reached);
        walk->reached = step->base;
    }
    walk->begun = true;
    return overtaken;
}

/* First readings that were overtaken, the newest first. */
static bool put_overtaken(const struct gathered_row *rows, size_t count, bool from_start,
                          struct readings *readings)
{
    struct walk walk = {.from_start = from_start};
    struct step step;
    for (size_t i = 0; i < count;) {
        i += take_step(rows + i, count - i, &step);
        if (account(&walk, &step) && !put(readings, step.end, step.base))
            return false;
    }
    for (size_t i = 0, j = readings->count; i + 1 < j; i++) {
        struct reading swap = readings->list[i];
        readings->list[i] = readings->list[--j];
        readings->list[j] = swap;
    }
    return true;
}

/* What the step's reading is, if it has one. */
static bool say(struct walk *walk, const struct step *step, bool is_first)
{
    if (!walk->from_start && step->has_base) {
        if (step->has_row || is_first || is_below(step->base, walk->said)) {
            walk->said = step->base;
            return true;
        }
        return false;
    }
    if (!step->has_row)
        return false;
    walk->said = rise(walk->said, step->increment, walk->reached);
    return true;
}

/* Days as UTC has them, of times after 1970. */
static bool is_new_day(int64_t before, int64_t end)
{
    const int64_t day = INT64_C(86400000000000);
    return before / day != end / day;
}

static bool
from_zero_readings(const struct gathered_row *rows, size_t count, struct readings *readings)
{
    struct reading reached = whole(0);
    struct step step, before = {.has_row = false};
    for (size_t i = 0; i < count; before = step) {
        i += take_step(rows + i, count - i, &step);
        if (step.has_base)
            reached = step.base;
        else if (!before.has_row || is_new_day(before.end, step.end))
            reached = step.increment;
        else
            reached = reading_add(reached, step.increment);
        if (!put(readings, step.end, reached))
            return false;
    }
    return true;
}

bool stream_readings(const struct gathered_row *rows, size_t count, struct readings *readings)
{
    int64_t start = count ? rows[0].start : 0;
    struct walk walk = {.from_start = start != 0};
    struct step step;
    readings->count = 0;
    if (start == VARVE_FROM_ZERO)
        return from_zero_readings(rows, count, readings);
    if (!put_overtaken(rows, count, walk.from_start, readings))
        return false;
    for (size_t i = 0; i < count;) {
        bool is_first = i == 0;
        i += take_step(rows + i, count - i, &step);
        bool overtaken = account(&walk, &step);
        if (say(&walk, &step, is_first) && !overtaken && !put(readings, step.end, walk.said))
            return false;
    }
    return true;
}

void readings_free(struct readings *readings)
{
    free(readings->list);
    *readings = (struct readings){0};
}
