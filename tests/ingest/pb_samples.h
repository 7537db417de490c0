/* SPDX-License-Identifier: Apache-2.0
 *
 * pb_samples.h -- OTLP bodies with every field that varve reads, and what a door must say of them.
 */
#ifndef TESTS_PB_SAMPLES_H
#define TESTS_PB_SAMPLES_H

#include "pb_make.h"

/* Each writes one body and answers the lines (fake_intake.h) it must lead to. */
const char *pb_sample_metrics(struct pb *pb);
const char *pb_sample_logs(struct pb *pb);
const char *pb_sample_traces(struct pb *pb);

/* The begin of a body up to its leaves, with neither resource nor scope; pb_sample_up ends all. */
void pb_sample_down(struct pb *pb);
void pb_sample_up(struct pb *pb);
/* The begin of a monotonic delta sum "m" within that. */
void pb_sample_sum(struct pb *pb);
/* A point of it, with times 1 and 2 and the integer; its attributes may follow. */
void pb_sample_begin_point(struct pb *pb, int64_t value);

#endif
