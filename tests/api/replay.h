/* SPDX-License-Identifier: Apache-2.0
 *
 * replay.h -- readings of counters as the bodies in which they arrive.
 *
 * A test lists readings in the order in which they were sent; here they become OTLP in protobuf and
 * in JSON, and a page of OpenMetrics where that can say it.
 */
#ifndef TESTS_REPLAY_H
#define TESTS_REPLAY_H

#include "../ingest/feed.h"
#include "small.h"

struct reading {
    const char *session; /* the label session.id */
    int64_t start, end;  /* start 0: not said */
    double value;
    enum varve_temporality temporality;
};

enum replay_form { REPLAY_PROTOBUF, REPLAY_JSON, REPLAY_TEXT, REPLAY_FORMS };

struct replay {
    const char *metric, *text_name; /* of OTLP, and of text without _total */
    const char *unit;
    const struct reading *readings;
    size_t count;
};

/* A body; free() it. NULL: the form cannot say it. */
char *replay_body(const struct replay *replay, enum replay_form form, size_t *size);
enum varve_input replay_input(enum replay_form form);

/* The body into the store, and flushed. */
struct varve_ingested
replay_into(varve *db, enum varve_input input, const void *bytes, size_t size, size_t piece);

/* The sum over all series must be `total`, in the metric's own units of 10^-scale, whatever the
 * form, also after everything has been sent again and after the store was sealed. */
void replay_check(const struct replay *replay, int64_t total);

#endif
