/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_pb_value.h -- attributes and bodies in protobuf, taken apart.
 *
 * Their bytes were not looked at before (wire.h), so here everything may be wrong, and costs the
 * one record it is in.  Scalars point into the bytes they were read from; what becomes
 * text (lists, maps, bytes) lives in the struct until values_clear.
 */
#ifndef INGEST_OTLP_PB_VALUE_H
#define INGEST_OTLP_PB_VALUE_H

#include "base/buf.h"
#include "ingest/limits.h"
#include "ingest/report.h"

struct ProtobufCBinaryData;

struct values {
    struct varve_field fields[LIMIT_FIELDS];
    size_t count;
    struct varve_value body;
    /* Why the record cannot be used, once a function answered VARVE_INVALID. */
    enum reject_reason reason;
    const char *problem;
    struct buf text;
    size_t
        text_at[LIMIT_FIELDS + 1]; /* where in it a value's text begins; the last is the body's */
};

void values_init(struct values *values, struct mem *mem);
void values_free(struct values *values);

/* Gives back memory that only a strange record needed. */
void values_trim(struct values *values);

/* No attributes and no body. */
void values_clear(struct values *values);
/* These add a body and attributes (up to `most`, which is no more than LIMIT_FIELDS) to what was
 * read since values_clear.  VARVE_INVALID: the record cannot be used, see reason and
 * problem. */
enum varve_status values_body(struct values *values, const struct ProtobufCBinaryData *any,
                              struct varve_err *err) VARVE_CHECKED;
enum varve_status values_attribute(struct values *values, const uint8_t *bytes, size_t size,
                                   size_t most, struct varve_err *err) VARVE_CHECKED;
enum varve_status
values_attributes(struct values *values, const struct ProtobufCBinaryData *attributes, size_t count,
                  size_t most, struct varve_err *err) VARVE_CHECKED;
/* Makes fields and body ready to be read.  Call it last. */
void values_settle(struct values *values);

#endif
