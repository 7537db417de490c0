/* SPDX-License-Identifier: Apache-2.0
 *
 * result.h -- what a statement came to: rows of a running plan, lines of text, or a note.
 *
 * A result owns everything its statement needed: the snapshot, the plan, the executor and the
 * memory of all of them, counted against the limit the caller gave.
 */
#ifndef API_RESULT_H
#define API_RESULT_H

#include <pthread.h>

#include "api/api.h"
#include "api/names_of_store.h"
#include "exec/exec.h"
#include "lang/lower.h"

struct varve_result {
    struct store *store;
    struct mem mem;
    struct arena arena;
    struct varve_run_options options;
    struct exec_options exec_options;
    int64_t began;
    struct snapshot *snapshot;
    struct store_names names;
    struct plan *plan;
    struct exec *exec;
    uint64_t planned; /* segments to read */
    pthread_t caller; /* the thread that waits for rows */
    struct varve_column_info *columns;
    size_t column_count;
    struct varve_cell *cells; /* BATCH_ROWS rows of them */
    struct buf text;          /* lines, given out as rows of one column */
    size_t text_at;
    bool has_text;
    bool has_values; /* a cell that is no key is not NULL */
    char note[280];
    uint64_t rows;
    int64_t nanoseconds;
};

/* The snapshot that is read: it takes the result's memory and asks whether to go on. */
enum varve_status result_snapshot(struct varve_result *result, struct varve_err *err) VARVE_CHECKED;
/* Of exec_options.stop: tells the caller how far it is and asks whether to go on. */
int result_stop(void *result);
/* In the arena of the result; the plan has been made. */
enum varve_status result_start(struct varve_result *result, struct varve_err *err) VARVE_CHECKED;
/* One text column, whose rows are the lines of result->text. */
enum varve_status
result_lines(struct varve_result *result, const char *column, struct varve_err *err) VARVE_CHECKED;
/* Adds up what all nodes have read. */
struct varve_scan_stats result_scan_stats(const struct varve_result *result);

#endif
