/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.c -- the public interface: filling a batch and appending it.
 *
 * What may go in is decided by the store's own batch; here is only whether there is one.
 */
#include "api/api.h"

enum varve_status varve_batch_new(varve *db, varve_batch **batch, struct varve_err *err)
{
    struct store *store = store_of(db);
    TRY(api_check(store, "varve_batch_new", err));
    struct varve_batch *b = mem_zalloc(&store->mem, sizeof *b);
    if (!b)
        return fail_nomem(err, sizeof *b);
    b->store = store;
    enum varve_status status = batch_init(&b->batch, &store->mem, store->identity.seed, err);
    if (status != VARVE_OK)
        mem_free(&store->mem, b, sizeof *b);
    else
        *batch = b;
    return status;
}

void varve_batch_clear(varve_batch *batch)
{
    if (batch)
        batch_clear(&batch->batch);
}

void varve_batch_free(varve_batch *batch)
{
    if (!batch)
        return;
    struct mem *mem = batch->batch.rows.mem;
    batch_free(&batch->batch);
    mem_free(mem, batch, sizeof *batch);
}

static enum varve_status
check_batch(const varve_batch *batch, const char *what, struct varve_err *err)
{
    return batch ? VARVE_OK : fail(err, VARVE_MISUSE, what, "the batch is NULL");
}

enum varve_status varve_batch_metric(varve_batch *batch, const struct varve_metric *metric,
                                     uint32_t *id, struct varve_err *err)
{
    TRY(check_batch(batch, "metric", err));
    return batch_metric(&batch->batch, metric, id, err);
}

enum varve_status
varve_batch_labels(varve_batch *batch, uint32_t parent, const struct varve_label *labels,
                   size_t count, uint32_t *set, struct varve_err *err)
{
    TRY(check_batch(batch, "labels", err));
    return batch_labels(&batch->batch, parent, labels, count, set, err);
}

enum varve_status varve_batch_counter(varve_batch *batch, uint32_t metric, uint32_t set,
                                      enum varve_temporality temporality, int64_t start,
                                      int64_t end, struct varve_value value, struct varve_err *err)
{
    TRY(check_batch(batch, "point", err));
    return batch_counter(&batch->batch, metric, set, temporality, start, end, value, err);
}

enum varve_status varve_batch_gauge(varve_batch *batch, uint32_t metric, uint32_t set, int64_t time,
                                    struct varve_value value, struct varve_err *err)
{
    TRY(check_batch(batch, "point", err));
    return batch_gauge(&batch->batch, metric, set, time, value, err);
}

enum varve_status
varve_batch_event(varve_batch *batch, struct varve_str table, int64_t time,
                  const struct varve_field *fields, size_t count, struct varve_err *err)
{
    TRY(check_batch(batch, "event", err));
    return batch_event(&batch->batch, table, time, fields, count, err);
}

enum varve_status
varve_append(varve *db, varve_batch *batch, struct varve_appended *appended, struct varve_err *err)
{
    TRY(api_check(store_of(db), "varve_append", err));
    if (!batch || batch->store != store_of(db))
        return fail(err, VARVE_MISUSE, "varve_append", "the batch is not of this store");
    if (batch->batch.broken)
        return fail(err, VARVE_MISUSE, "varve_append", "the batch could not be cleared: free it");
    return store_append(store_of(db), &batch->batch.rows, &batch->batch.events, appended, err);
}
