/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_json.h -- the door for OTLP in JSON.
 *
 * The same bodies as in otlp_pb.h in OTLP's JSON form: lowerCamelCase names in
 * any order, 64-bit numbers as numbers or strings, ids in hexadecimal, unknown
 * fields skipped.  A body is checked to be JSON within LIMIT_DEPTH and LIMIT_MESSAGES before
 * anything of it is taken.  Attributes stay text until somebody needs to know what they say.
 */
#ifndef INGEST_OTLP_JSON_H
#define INGEST_OTLP_JSON_H

#include "ingest/otlp_pb.h"

struct otlp_json;

enum varve_status otlp_json_new(struct mem *mem, struct intake *intake, struct otlp_json **door,
                                struct varve_err *err) VARVE_CHECKED;
void otlp_json_free(struct otlp_json *door); /* NULL is fine */

/* One body, as otlp_pb_body.  An array of bodies is taken as its bodies. */
enum varve_status otlp_json_body(struct otlp_json *door, enum otlp_signal signal, const char *text,
                                 size_t size, bool *refused, struct varve_err *err) VARVE_CHECKED;

#endif
