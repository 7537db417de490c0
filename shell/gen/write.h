/* SPDX-License-Identifier: Apache-2.0
 *
 * write.h -- a generated world as files, and the truth about them.
 */
#ifndef GEN_WRITE_H
#define GEN_WRITE_H

#include "output.h"
#include "truth.h"

enum gen_format { GEN_OTLP, GEN_OTLP_JSON, GEN_OPENMETRICS };
/* What --format calls them. */
extern const char *const gen_format_names[3];

struct gen_written {
    struct truth_summary truth;
    uint64_t files, bytes;
    char message[OUTPUT_MESSAGE]; /* where gen_write() answers false */
};

bool gen_write(const struct gen_options *options, enum gen_format format, const char *directory,
               bool force, struct gen_written *written);

#endif
