/* SPDX-License-Identifier: Apache-2.0
 *
 * prom_text.h -- the door for OpenMetrics and Prometheus' text format.
 *
 * Lines come one by one.  Samples are collected until what their start times
 * are is known: an OpenMetrics `_created` line may follow the sample it is about.
 * Names become OTLP's where the catalogue knows them.
 *
 * A counter starts at the `_created` time of its series that bears the sample's own timestamp, else
 * at the last one that is not after the sample; where there is none the start is not known, and the
 * intake decides what that means.
 */
#ifndef INGEST_PROM_TEXT_H
#define INGEST_PROM_TEXT_H

#include "ingest/intake.h"

struct prom_text;

/* seed: of the hashes, the store's. */
enum varve_status prom_text_new(struct mem *mem, uint64_t seed, struct intake *intake,
                                struct prom_text **door, struct varve_err *err) VARVE_CHECKED;
void prom_text_free(struct prom_text *door); /* NULL is fine */

/* A new page; samples without a timestamp are of `time`.  input says in what timestamps are:
 * VARVE_INPUT_OPENMETRICS seconds, VARVE_INPUT_PROMETHEUS milliseconds, else they are told by their
 * size.  place lives as long as the page. */
void prom_text_begin(struct prom_text *door, enum varve_input input, const char *place,
                     int64_t time);
/* One line without its newline. A line that cannot be read is counted as rejected. */
enum varve_status
prom_text_line(struct prom_text *door, struct varve_str line, struct varve_err *err) VARVE_CHECKED;
/* A line that could not even be handed over. */
void prom_text_lost(struct prom_text *door, const char *message);
/* Gives what there is to the intake, with a pause. */
enum varve_status prom_text_end(struct prom_text *door, struct varve_err *err) VARVE_CHECKED;

#endif
