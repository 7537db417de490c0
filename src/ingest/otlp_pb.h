/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb.h -- the door for OTLP in protobuf.
 *
 * A body is an Export{Metrics,Logs,Trace}ServiceRequest.  Before anything is
 * unpacked the wire is scanned (wire.h): what does not parse, is nested too deep or claims more
 * messages than LIMIT_MESSAGES is refused whole, and nothing of it has been taken.  Then metrics
 * are walked where they lie, and one resource after the other of logs and traces is unpacked by
 * protobuf-c into an arena with a cap.  Attributes stay bytes until somebody needs to know what
 * they say.
 */
#ifndef INGEST_OTLP_PB_H
#define INGEST_OTLP_PB_H

#include "ingest/intake.h"

enum otlp_signal { OTLP_ANY, OTLP_METRICS, OTLP_LOGS, OTLP_TRACES };

struct otlp_pb;

enum varve_status otlp_pb_new(struct mem *mem, struct intake *intake, struct otlp_pb **door,
                              struct varve_err *err) VARVE_CHECKED;
void otlp_pb_free(struct otlp_pb *door); /* NULL is fine */

/* One body.  OTLP_ANY: told from what it holds.  *refused, with the reason in *err, when it cannot
 * be read; then VARVE_OK is returned.  Any other status is final, as in intake.h.  An empty body is
 * a request for nothing. */
enum varve_status otlp_pb_body(struct otlp_pb *door, enum otlp_signal signal, const uint8_t *bytes,
                               size_t size, bool *refused, struct varve_err *err) VARVE_CHECKED;

#endif
