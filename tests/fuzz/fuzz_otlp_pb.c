/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_otlp_pb.c -- the protobuf door under attack: the input is a body.
 *
 * It is given to the door as each signal, and as one to be told.  A body that is refused must have
 * left no trace in the intake; one that is taken must say the same when it is sent
 * again, and behind itself: a body twice is its blocks twice.  (Of one that is refused this says
 * nothing: what it lacks at its end may be found at its beginning.)  Memory stays within bounds,
 * and none is left over.
 */
#include "fuzz.h"

#include <string.h>

#include "../ingest/fake_intake.h"
#include "ingest/otlp_pb.h"

#define MOST_MEMORY ((size_t)256 << 20)

struct bench {
    struct mem mem;
    struct intake *intake;
    struct otlp_pb *door;
};

/* What the intake hears, to be freed; NULL when the body is refused. */
static char *heard(struct bench *b, enum otlp_signal signal, const uint8_t *data, size_t size)
{
    struct varve_err err = {0};
    bool refused;
    fake_intake_clear(b->intake);
    MUST(otlp_pb_body(b->door, signal, data, size, &refused, &err) == VARVE_OK);
    const char *lines = fake_intake_lines(b->intake);
    MUST(b->mem.peak <= MOST_MEMORY);
    if (refused) {
        MUST(*lines == '\0' && err.message[0] != '\0');
        return NULL;
    }
    char *copy = strdup(lines);
    MUST(copy != NULL);
    return copy;
}

static void give(struct bench *b, enum otlp_signal signal, const uint8_t *data, size_t size)
{
    char *once = heard(b, signal, data, size);
    char *again = heard(b, signal, data, size);
    MUST(!once == !again && (!once || strcmp(once, again) == 0));
    uint8_t *both = malloc(2 * size + 1);
    MUST(both != NULL);
    if (size > 0) {
        memcpy(both, data, size);
        memcpy(both + size, data, size);
    }
    char *twice = heard(b, signal, both, 2 * size);
    free(both);
    if (once) {
        MUST(twice != NULL);
        size_t n = strlen(once);
        MUST(strlen(twice) == 2 * n && memcmp(twice, once, n) == 0 && strcmp(twice + n, once) == 0);
    }
    free(once);
    free(again);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum otlp_signal signals[] = {OTLP_ANY, OTLP_METRICS, OTLP_LOGS, OTLP_TRACES};
    struct bench bench;
    mem_init(&bench.mem, NULL, 0);
    MUST(intake_new(NULL, &bench.intake, NULL) == VARVE_OK);
    MUST(otlp_pb_new(&bench.mem, bench.intake, &bench.door, NULL) == VARVE_OK);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        give(&bench, signals[i], data, size);
    otlp_pb_free(bench.door);
    intake_free(bench.intake);
    MUST(bench.mem.used == 0);
    return 0;
}
