/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest.h -- the doors of one store, put together: what varve_ingest is.
 *
 * Finds out what a stream or a body is, cuts it, gives the pieces to their door,
 * and the batches that come out of the intake to the store.
 */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "ingest/intake.h"
#include "store/store.h"

struct ingest;

enum varve_status ingest_new(struct store *store, const struct varve_ingest_options *options,
                             struct ingest **ingest, struct varve_err *err) VARVE_CHECKED;
void ingest_free(struct ingest *ingest);
const struct store *ingest_store(const struct ingest *ingest);
enum varve_status ingest_body(struct ingest *ingest, enum varve_input input, const char *place,
                              const void *bytes, size_t size, struct varve_err *err) VARVE_CHECKED;
enum varve_status
ingest_stream(struct ingest *ingest, enum varve_input input, const char *place, int64_t time,
              varve_read *read, void *context, struct varve_err *err) VARVE_CHECKED;
enum varve_status ingest_flush(struct ingest *ingest, struct varve_err *err) VARVE_CHECKED;
void ingest_totals(const struct ingest *ingest, struct varve_ingested *totals);
int ingest_visit_rejected(const struct ingest *ingest,
                          int (*visit)(void *, const struct varve_rejected *), void *context);

#endif
