/* SPDX-License-Identifier: Apache-2.0
 *
 * export_out.h -- where an export is written: bytes, numbers and texts into a buffer, and the
 * buffer into a file descriptor.
 *
 * The first failure is kept and everything after it is ignored, so callers ask once in a while.
 */
#ifndef SHELL_EXPORT_OUT_H
#define SHELL_EXPORT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "varve.h"

struct out {
    int fd; /* -1: everything stays in the buffer */
    char *data;
    size_t used, room;
    uint64_t flushed; /* bytes written before those in the buffer */
    int error;        /* errno of the first failure; ENOMEM when the buffer could not grow */
};

void out_init(struct out *out, int fd);
void out_free(struct out *out);
/* Writes what is left.  False if anything failed since out_init. */
bool out_flush(struct out *out);

void out_bytes(struct out *out, const char *bytes, size_t size);
void out_text(struct out *out, const char *text);
static inline void out_str(struct out *out, struct varve_str text)
{
    out_bytes(out, text.data, text.size);
}
/* Takes the last byte back, a comma too many. */
void out_back(struct out *out);
/* With quotes, and everything that JSON wants escaped. */
void out_json(struct out *out, struct varve_str text);

void out_int(struct out *out, int64_t value);
/* value * 1e-9, exactly, without needless zeros: "0.24682275", "-3". */
void out_nano(struct out *out, int64_t value);
/* The shortest digits that read back to the same bits; only of finite numbers. */
void out_double(struct out *out, double value);

#endif
