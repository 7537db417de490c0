/* SPDX-License-Identifier: Apache-2.0
 *
 * output.h -- the files of a generated world.
 *
 * A day has several files of each kind, and what one process sends is spread
 * over days only, so files can be read in any order and none is the whole.
 */
#ifndef GEN_OUTPUT_H
#define GEN_OUTPUT_H

#include <stdio.h>
#include "gen.h"

#define OUTPUT_SHARDS 4
#define OUTPUT_MESSAGE 800

enum output_kind { OUTPUT_METRICS, OUTPUT_LOGS, OUTPUT_KINDS };

struct output {
    const char *directory, *extension;
    FILE *open[OUTPUT_KINDS][OUTPUT_SHARDS];
    char names[OUTPUT_KINDS][OUTPUT_SHARDS][64];
    int64_t day; /* that the open files are of */
    uint64_t files, bytes;
    char message[OUTPUT_MESSAGE]; /* what went wrong; filled where a function answers false */
};

/* Makes the directory where it is missing and empties it of what an earlier run wrote.  Refuses one
 * with anything else in it unless `force`. */
bool output_prepare(struct output *out, const char *directory, const char *extension, bool force);
/* Appends to the day's file of that number.  Days come in order. */
bool output_append(struct output *out, enum output_kind kind, unsigned shard, int64_t day,
                   const void *data, size_t size);
/* A file by itself; `number` has no limit. */
FILE *output_create(struct output *out, unsigned number, int64_t day);
bool output_close(struct output *out, FILE *file);
/* Closes what is open. */
bool output_finish(struct output *out);
/* Opens truth.json's successor and puts it in its place. */
FILE *output_truth(struct output *out);
bool output_truth_done(struct output *out, FILE *file);
/* After a failure: closes files without complaint. */
void output_abandon(struct output *out);

#endif
