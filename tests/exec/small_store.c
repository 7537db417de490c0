/* SPDX-License-Identifier: Apache-2.0
 *
 * small_store.c -- see small_store.h.
 */
#include "../base/unit.h"

#include "small_store.h"

#include "store/seal.h"

static void must(enum varve_status status, const struct varve_err *err)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s: %s", status_name(status), err->place, err->message);
}

static struct varve_str text_of(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

void small_store_make(struct small_store *small)
{
    struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    struct varve_err err;
    *small = (struct small_store){.store = NULL};
    files_temp(small->path, "varve-exec");
    must(store_open(&small->store, small->path, &options, &err), &err);
    must(batch_init(&small->batch, &small->store->mem, small->store->identity.seed, &err), &err);
}

void small_store_end(struct small_store *small)
{
    snapshot_close(small->snapshot);
    batch_free(&small->batch);
    store_close(small->store);
    files_remove(small->path);
}

static struct varve_value varve_value_of(struct value cell)
{
    struct varve_value value = {.type = VARVE_TEXT, .as.s = value_str(cell)};
    if (cell.type == TYPE_FLOAT)
        value = (struct varve_value){.type = VARVE_FLOAT, .as.f = cell.as.f};
    else if (cell.type != TYPE_TEXT)
        value = (struct varve_value){.type = cell.type == TYPE_BOOL ? VARVE_BOOL : VARVE_INT,
                                     .as.i = cell.as.i};
    return value;
}

void small_store_event(struct small_store *small, const char *table, int64_t time,
                       const char *const *names, const struct value *cells, size_t count)
{
    struct varve_field fields[16];
    struct varve_err err;
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (!value_is_null(cells[i]))
            fields[used++] = (struct varve_field){text_of(names[i]), varve_value_of(cells[i])};
    must(batch_event(&small->batch, text_of(table), time, fields, used, &err), &err);
}

uint32_t small_store_labels(struct small_store *small, const char *labels)
{
    struct varve_label given[16];
    struct varve_err err;
    size_t count = 0;
    uint32_t set;
    while (*labels) {
        size_t key = strcspn(labels, "="), value = strcspn(labels + key + 1, ",");
        given[count++] = (struct varve_label){{labels, key}, {labels + key + 1, value}};
        labels += key + 1 + value;
        labels += *labels == ',';
    }
    must(batch_labels(&small->batch, 0, given, count, &set, &err), &err);
    return set;
}

uint32_t small_store_metric(struct small_store *small, const char *name, const char *unit,
                            enum varve_kind kind)
{
    struct varve_metric metric = {text_of(name), text_of(unit), kind};
    struct varve_err err;
    uint32_t id;
    must(batch_metric(&small->batch, &metric, &id, &err), &err);
    return id;
}

void small_store_append(struct small_store *small)
{
    struct varve_appended appended;
    struct varve_err err;
    must(store_append(small->store, &small->batch.rows, &small->batch.events, &appended, &err),
         &err);
    batch_clear(&small->batch);
}

void small_store_seal(struct small_store *small)
{
    struct varve_sealed sealed;
    struct varve_err err;
    must(store_seal(small->store, INT32_MAX, &sealed, &err), &err);
}

void small_store_read(struct small_store *small)
{
    struct varve_err err;
    snapshot_close(small->snapshot);
    small->snapshot = NULL;
    must(snapshot_open(small->store, &small->snapshot, &err), &err);
}

static enum varve_status
collect(struct plans *plans, struct exec *exec, struct relation *result, struct varve_err *err)
{
    struct batch batch;
    enum varve_status status;
    while ((status = exec_next(exec, &batch, err)) == VARVE_OK) {
        assert_true(batch_count(&batch) > 0);
        must(relation_add_batch(result, &batch, err), err);
    }
    memcpy(plans->stats, exec->stats, plans->plan.node_count * sizeof *plans->stats);
    return status == VARVE_DONE ? VARVE_OK : status;
}

enum varve_status small_store_run(struct small_store *small, struct plans *plans, struct node *root,
                                  struct mem *mem, struct relation *result, struct varve_err *err)
{
    struct exec *exec;
    plans->plan.root = root;
    plans->stats = arena_zalloc(&plans->arena, plans->plan.node_count * sizeof *plans->stats);
    assert_non_null(plans->stats);
    relation_init(result, &plans->mem, root->column_count);
    enum varve_status status =
        exec_open(&plans->plan, small->snapshot, small->lookups, &plans->options, mem, &exec, err);
    if (status != VARVE_OK)
        return status;
    for (uint32_t i = 0; i < plans->plan.named_count; i++)
        if (plans->named[i].mem)
            exec_give(exec, i, &plans->named[i]);
    status = collect(plans, exec, result, err);
    plans->peak = mem->peak;
    exec_close(exec);
    return status;
}
