/* SPDX-License-Identifier: Apache-2.0
 *
 * workload.h -- the telemetry that benchmarks are measured on, made from a seed.
 *
 * A number of developers hold some sessions a working day; a session exports
 * every minute what its counters gained: tokens of four types and their cost.
 * Some sessions use a second, small model beside the first.  Token counts are
 * log-normal; cost follows from them by list prices and carries the noise of
 * binary fractions, as the real thing does.
 *
 * Exports come in the order of their times, as a receiver sees them.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

struct workload {
    unsigned developers, days, sessions, points;
    uint64_t seed;
    int64_t first_day; /* its midnight, in nanoseconds */
};

enum { TOKEN_INPUT, TOKEN_OUTPUT, TOKEN_CACHE_READ, TOKEN_CACHE_CREATION, TOKEN_TYPES };
extern const char *const token_type_names[TOKEN_TYPES];

struct export
{
    int64_t start, end;
    uint32_t developer, stream; /* stream: session and model of the day */
    const char *session, *model;
    double tokens[TOKEN_TYPES];
    double cost;
};

struct developer {
    char id[65], email[40], account[37];
    const char *terminal;
};

/* One day of it, ready to be read export by export. */
struct workday {
    struct export *exports;
    size_t count;
    char (*sessions)[37];
    struct developer *people;
    uint64_t streams;    /* (session, model) pairs: five series each */
    uint64_t tokens;     /* what all of the day's tokens add up to */
    uint64_t cost_nanos; /* and the cost, rounded point by point */
};

int workday_make(struct workday *day, const struct workload *load, unsigned number);
void workday_free(struct workday *day);

#endif
