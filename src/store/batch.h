/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.h -- points and events on their way in: the one gate to the store.
 *
 * Everything that comes in, through the public interface or through a door, is
 * checked here, once, and numbers take the form in which the store keeps them.
 * What is refused is VARVE_INVALID or VARVE_LIMIT with a reason and leaves the batch as it
 * was.  Numbers handed out (metrics, label sets) are good until batch_clear.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/eventset.h"
#include "store/rowset.h"

struct write_batch {
    struct rowset rows;
    struct eventset events;
    bool broken; /* could not be cleared: only batch_free is left */
};

enum varve_status batch_init(struct write_batch *batch, struct mem *mem, uint64_t seed,
                             struct varve_err *err) VARVE_CHECKED;
void batch_clear(struct write_batch *batch);
void batch_free(struct write_batch *batch);

/* 9: amounts in this unit are kept as whole numbers of 1e-9; else 0. */
int metric_scale(struct varve_str unit, enum varve_kind kind);

/* All as their public namesakes in varve.h describe. */
enum varve_status batch_metric(struct write_batch *batch, const struct varve_metric *metric,
                               uint32_t *id, struct varve_err *err) VARVE_CHECKED;
enum varve_status
batch_labels(struct write_batch *batch, uint32_t parent, const struct varve_label *labels,
             size_t count, uint32_t *set, struct varve_err *err) VARVE_CHECKED;
/* The same for labels one by one, as rowset.h has it: what is checked of a label is checked when
 * its pair is made. */
enum varve_status batch_pair(struct write_batch *batch, const struct varve_label *label,
                             struct rowset_pair *pair, struct varve_err *err) VARVE_CHECKED;
enum varve_status
batch_derive(struct write_batch *batch, uint32_t parent, const struct rowset_pair *pairs,
             size_t count, uint32_t *set, struct varve_err *err) VARVE_CHECKED;
enum varve_status batch_counter(struct write_batch *batch, uint32_t metric, uint32_t set,
                                enum varve_temporality temporality, int64_t start, int64_t end,
                                struct varve_value value, struct varve_err *err) VARVE_CHECKED;
enum varve_status
batch_gauge(struct write_batch *batch, uint32_t metric, uint32_t set, int64_t time,
            struct varve_value value, struct varve_err *err) VARVE_CHECKED;
enum varve_status
batch_event(struct write_batch *batch, struct varve_str table, int64_t time,
            const struct varve_field *fields, size_t count, struct varve_err *err) VARVE_CHECKED;

#endif
