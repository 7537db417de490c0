/* SPDX-License-Identifier: Apache-2.0
 *
 * encode.h -- exports as the bodies of OTLP requests, in protobuf and in JSON.
 *
 * An encoder has one buffer that any body fits; a body is in it until the
 * next.  All sessions that one encoder is given belong to it: it keeps their
 * labels, encoded, with them.
 */
#ifndef GEN_ENCODE_H
#define GEN_ENCODE_H

#include "gen.h"

#define ENCODER_ROOM (4u << 20)

struct encoder {
    unsigned char *buffer; /* of ENCODER_ROOM bytes */
    unsigned char *at;     /* where the next byte goes (JSON), or the last one went (protobuf) */
    bool cumulative;
};

struct body {
    const unsigned char *data;
    size_t size;
};

#define EVENT_SCOPE "com.anthropic.claude_code.events"
#define METRIC_SCOPE "com.anthropic.claude_code"

/* The points of an export; its events first .. first+count-1. */
struct body proto_metrics(struct encoder *to, const struct gen_export *e);
struct body proto_logs(struct encoder *to, const struct gen_export *e, size_t first, size_t count);
struct body json_metrics(struct encoder *to, const struct gen_export *e);
struct body json_logs(struct encoder *to, const struct gen_export *e, size_t first, size_t count);

/* The points first .. *end-1 of an export are of one metric. */
void next_metric(const struct gen_export *e, size_t first, size_t *end);
/* "2026-10-08T08:15:18.137Z" */
void event_timestamp(int64_t time, char text[32]);
/* The shortest decimal that reads back as the same double. */
size_t shortest_double(double value, char text[40]);

#endif
