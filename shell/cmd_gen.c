/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_gen.c -- `varve gen`: synthetic telemetry, and what its totals must be.
 *
 * Here the options are read and judged; the world itself and its files are
 * made in gen/.  Nothing of the library is used, so that the truth about the
 * totals is not the engine's own opinion of itself.
 */
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "gen/write.h"
#include "text.h"
#include "when.h"

/* An option that is a number within a range; `value` is left alone if it was not given. */
static bool
number(uint64_t option, const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    if (!text)
        return true;
    uint64_t v = 0;
    const char *at = text;
    bool good = *at != '\0';
    for (; good && *at; at++)
        good = *at >= '0' && *at <= '9' && !__builtin_mul_overflow(v, 10u, &v) &&
               !__builtin_add_overflow(v, (unsigned)(*at - '0'), &v);
    if (good && v >= least && v <= most) {
        *value = v;
        return true;
    }
    fprintf(stderr, "error: %s is a number from %llu to %llu, not '%s'\n", args_option_name(option),
            (unsigned long long)least, (unsigned long long)most, text);
    return false;
}

static bool small_number(uint64_t option, const char *text, unsigned most, unsigned *value)
{
    uint64_t v = *value;
    if (!number(option, text, 1, most, &v))
        return false;
    *value = (unsigned)v;
    return true;
}

static bool read_end(const char *text, unsigned days, int64_t *end)
{
    if (!text)
        return true;
    bool known = when_parse(text, when_now(), end);
    /* Not before 2010 and not after 2200, so that no sum of times overflows. */
    if (known && *end % GEN_DAY == 0 && *end / GEN_DAY - days >= 14610 && *end / GEN_DAY <= 84000)
        return true;
    fprintf(stderr,
            "error: --end is a day such as 2026-11-01, with all days between 2010 and 2199, "
            "not '%s'\n",
            text);
    return false;
}

static bool read_format(const struct args *args, enum gen_format *format)
{
    if (!ARG_VALUE(args, FORMAT))
        return true;
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(ARG_VALUE(args, FORMAT), gen_format_names[i]) == 0) {
            *format = (enum gen_format)i;
            return true;
        }
    fprintf(stderr, "error: --format is otlp, otlp-json or openmetrics, not '%s'\n",
            ARG_VALUE(args, FORMAT));
    return false;
}

static bool read_temporality(const struct args *args, enum gen_format format, bool *cumulative)
{
    *cumulative = format == GEN_OPENMETRICS;
    if (!ARG_VALUE(args, TEMPORALITY))
        return true;
    if (strcmp(ARG_VALUE(args, TEMPORALITY), "cumulative") == 0) {
        *cumulative = true;
        return true;
    }
    if (strcmp(ARG_VALUE(args, TEMPORALITY), "delta") != 0)
        fprintf(stderr, "error: --temporality is delta or cumulative, not '%s'\n",
                ARG_VALUE(args, TEMPORALITY));
    else if (format == GEN_OPENMETRICS)
        fputs("error: --temporality delta does not go with --format openmetrics, which is always "
              "cumulative\n",
              stderr);
    else
        return true;
    return false;
}

static bool read_options(const struct args *args, struct gen_options *o, enum gen_format *format)
{
    if (!small_number(ARG(DAYS), ARG_VALUE(args, DAYS), 3660, &o->days) ||
        !small_number(ARG(DEVELOPERS), ARG_VALUE(args, DEVELOPERS), 100000, &o->developers) ||
        !small_number(ARG(SESSIONS), ARG_VALUE(args, SESSIONS), 200, &o->sessions) ||
        !small_number(ARG(POINTS), ARG_VALUE(args, POINTS), 600, &o->points) ||
        !number(ARG(SEED), ARG_VALUE(args, SEED), 0, UINT64_MAX, &o->seed) ||
        !read_end(ARG_VALUE(args, END), o->days, &o->end) || !read_format(args, format) ||
        !read_temporality(args, *format, &o->cumulative))
        return false;
    o->events = (args->seen & ARG(EVENTS)) != 0;
    if (o->events && *format == GEN_OPENMETRICS) {
        fputs("error: --events does not go with --format openmetrics, which has none\n", stderr);
        return false;
    }
    return true;
}

static void report(const struct gen_written *w, const char *directory)
{
    char points[TEXT_NUMBER], events[TEXT_NUMBER], files[TEXT_NUMBER], bytes[TEXT_NUMBER];
    printf("%s points and %s events in %s files of %s bytes; the truth is in %s/truth.json\n",
           text_count(w->truth.points, points), text_count(w->truth.events, events),
           text_count(w->files, files), text_count(w->bytes, bytes), directory);
}

enum exit_status cmd_gen(const struct args *args)
{
    struct gen_options options = {.days = 30,
                                  .developers = 25,
                                  .sessions = 8,
                                  .points = 20,
                                  .seed = 1,
                                  .end = 20758 * GEN_DAY}; /* 2026-11-01 */
    enum gen_format format = GEN_OTLP;
    struct gen_written written;
    if (!ARG_VALUE(args, OUT)) {
        fputs("error: where to? give --out DIR\n", stderr);
        return EXIT_USAGE;
    }
    if (!read_options(args, &options, &format))
        return EXIT_USAGE;
    if (!gen_write(&options, format, ARG_VALUE(args, OUT), (args->seen & ARG(FORCE)) != 0,
                   &written)) {
        fprintf(stderr, "error: %s\n", written.message);
        return EXIT_FAILED;
    }
    if (!(args->seen & ARG(QUIET)))
        report(&written, ARG_VALUE(args, OUT));
    return EXIT_DONE;
}
