/* SPDX-License-Identifier: Apache-2.0
 *
 * seen.h -- an exact count of distinct things, by their 64-bit hashes.
 *
 * Holds every hash, in 9 to 12 bytes each once there are a thousand.
 */
#ifndef INGEST_SEEN_H
#define INGEST_SEEN_H

#include "base/mem.h"

struct seen {
    struct mem *mem;
    uint64_t *slots; /* 0: free */
    size_t capacity, count;
};

void seen_init(struct seen *seen, struct mem *mem);
void seen_free(struct seen *seen);
/* Asks for the memory where the hash belongs, some time before it is added. */
void seen_ahead(const struct seen *seen, uint64_t hash);
/* On VARVE_NOMEM nothing has changed. */
enum varve_status seen_add(struct seen *seen, uint64_t hash, struct varve_err *err) VARVE_CHECKED;

#endif
