/* SPDX-License-Identifier: Apache-2.0
 *
 * small_store.h -- a store for tests of operators that read one, and plans run over it.
 */
#ifndef TESTS_EXEC_SMALL_STORE_H
#define TESTS_EXEC_SMALL_STORE_H

#include "../faults/files.h"
#include "exec/exec.h"
#include "plans.h"
#include "store/batch.h"

struct small_store {
    char path[FILES_PATH];
    struct store *store;
    struct write_batch batch;
    struct snapshot *snapshot;
    const struct lookups *lookups;
};

void small_store_make(struct small_store *small);
void small_store_end(struct small_store *small);
/* An event of the table whose fields are cells; NULL cells are left out. */
void small_store_event(struct small_store *small, const char *table, int64_t time,
                       const char *const *names, const struct value *cells, size_t count);
/* "a=x,b=y" */
uint32_t small_store_labels(struct small_store *small, const char *labels);
uint32_t small_store_metric(struct small_store *small, const char *name, const char *unit,
                            enum varve_kind kind);
void small_store_append(struct small_store *small); /* what the batch has, and clears it */
void small_store_seal(struct small_store *small);
void small_store_read(struct small_store *small); /* a new snapshot */

/* As plans_run, over the snapshot. */
enum varve_status
small_store_run(struct small_store *small, struct plans *plans, struct node *root, struct mem *mem,
                struct relation *result, struct varve_err *err) VARVE_CHECKED;

#endif
