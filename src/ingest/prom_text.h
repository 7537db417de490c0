/* SPDX-License-Identifier: Apache-2.0
 *
 * prom_text.h -- the door for OpenMetrics and Prometheus' text format.
 *
 * Lines come one by one.  Samples are collected until what their start times
 * are is known: an OpenMetrics `_created` line may follow the sample it is about.
 * Names become OTLP's where the catalogue knows them.
 *
 * A counter without a start time has its first value as a baseline, unless its metric is
 * session-scoped and the series names its session: then it counts from zero (VARVE_FROM_ZERO).
 */
#ifndef INGEST_PROM_TEXT_H
#define INGEST_PROM_TEXT_H

#include "ingest/intake.h"

struct prom_text;

enum varve_status prom_text_new(struct mem *mem, struct intake *intake, struct prom_text **door,
                                struct varve_err *err) VARVE_CHECKED;
void prom_text_free(struct prom_text *door); /* NULL is fine */

/* A new page; samples without a timestamp are of `time`. */
void prom_text_begin(struct prom_text *door, const char *place, int64_t time);
/* One line without its newline. A line that cannot be read is counted as rejected. */
enum varve_status
prom_text_line(struct prom_text *door, struct varve_str line, struct varve_err *err) VARVE_CHECKED;
enum varve_status prom_text_end(struct prom_text *door, struct varve_err *err) VARVE_CHECKED;

#endif
