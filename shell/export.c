/* SPDX-License-Identifier: Apache-2.0
 *
 * export.c -- what is to be exported: the lists of metrics and tables with their labels.
 *
 * Lists are copied, because what a visit hands out lives only as long as the callback.  All
 * of it is small beside the rows: names, units and label keys.
 */
#include "export_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum varve_status export_no_memory(struct varve_err *err)
{
    *err = (struct varve_err){.status = VARVE_NOMEM};
    snprintf(err->message, sizeof err->message, "out of memory while exporting");
    return VARVE_NOMEM;
}

enum varve_status export_step(const struct export *export, uint64_t rows, struct varve_err *err)
{
    struct export_meter *meter = export->meter;
    meter->done += rows;
    double part = meter->work ? (double)meter->done / (double)meter->work : 0;
    progress_part(&meter->bar, export->out->flushed + export->out->used, part, "");
    *err = (struct varve_err){.status = VARVE_OK};
    if (*meter->interrupted)
        err->status = VARVE_INTERRUPTED;
    else if (export->out->error == ENOMEM)
        return export_no_memory(err);
    else if (export->out->error != 0)
        *err = (struct varve_err){.status = VARVE_IO, .sys = export->out->error};
    return err->status;
}

void export_finished(const struct export *export, uint64_t rows)
{
    export->meter->before += rows;
    export->meter->done = export->meter->before;
}

/* ---- copies ------------------------------------------------------------ */

static bool copy_str(struct varve_str *to, struct varve_str from)
{
    char *copy = malloc(from.size + 1);
    if (!copy)
        return false;
    if (from.size > 0)
        memcpy(copy, from.data, from.size);
    *to = (struct varve_str){copy, from.size};
    return true;
}

static void free_str(struct varve_str text)
{
    union {
        const char *shared;
        char *own;
    } pointer = {text.data};
    free(pointer.own);
}

/* One more entry, zeroed, in an array of `count`; NULL: no memory. */
static void *append(void **array, size_t *count, size_t size)
{
    char *larger = realloc(*array, (*count + 1) * size);
    if (!larger)
        return NULL;
    *array = larger;
    return memset(larger + size * (*count)++, 0, size);
}

/* ---- lists ------------------------------------------------------------- */

struct listing {
    struct export *export;
    const struct varve_str *wanted; /* metrics; all if none */
    size_t wanted_count;
    bool failed;
};

static bool is_wanted(const struct listing *listing, struct varve_str name)
{
    for (size_t i = 0; i < listing->wanted_count; i++)
        if (listing->wanted[i].size == name.size &&
            memcmp(listing->wanted[i].data, name.data, name.size) == 0)
            return true;
    return listing->wanted_count == 0;
}

static int add_metric(void *context, const struct varve_metric_info *info)
{
    struct listing *listing = context;
    struct export *export = listing->export;
    if (!is_wanted(listing, info->metric.name))
        return 0;
    struct export_metric *m =
        append((void **)&export->metrics, &export->metric_count, sizeof *export->metrics);
    listing->failed =
        !m || !copy_str(&m->name, info->metric.name) || !copy_str(&m->unit, info->metric.unit);
    if (listing->failed)
        return 1;
    m->kind = info->metric.kind;
    m->scale = info->scale;
    m->rows = info->points;
    m->series = info->series;
    export->meter->work += 2 * m->rows;
    return 0;
}

static int add_table(void *context, const struct varve_table_info *info)
{
    struct listing *listing = context;
    struct export *export = listing->export;
    struct export_table *t =
        append((void **)&export->tables, &export->table_count, sizeof *export->tables);
    listing->failed = !t || !copy_str(&t->name, info->name);
    if (listing->failed)
        return 1;
    t->rows = info->rows;
    export->meter->work += t->rows;
    return 0;
}

struct name_listing {
    struct varve_str *names;
    size_t count;
    bool failed;
};

static int add_name(void *context, const struct varve_count_info *info)
{
    struct name_listing *listing = context;
    struct varve_str *name = append((void **)&listing->names, &listing->count, sizeof *name);
    listing->failed = !name || !copy_str(name, info->text);
    return listing->failed;
}

static enum varve_status
list_keys(const struct export *export, struct export_metric *metric, struct varve_err *err)
{
    struct name_listing listing = {.names = NULL};
    enum varve_status status =
        varve_visit_labels(export->snapshot, metric->name, add_name, &listing, err);
    metric->keys = listing.names;
    metric->key_count = listing.count;
    return listing.failed ? export_no_memory(err) : status;
}

static enum varve_status
list_columns(const struct export *export, struct export_table *table, struct varve_err *err)
{
    struct name_listing listing = {.names = NULL};
    enum varve_status status =
        varve_visit_columns(export->snapshot, table->name, add_name, &listing, err);
    table->columns = listing.names;
    table->column_count = listing.count;
    return listing.failed ? export_no_memory(err) : status;
}

static void free_names(struct varve_str *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free_str(names[i]);
    free(names);
}

enum varve_status export_list(struct export *export, const struct varve_str *wanted, size_t count,
                              struct varve_err *err)
{
    struct listing listing = {export, wanted, count, false};
    enum varve_status status = varve_visit_metrics(export->snapshot, add_metric, &listing, err);
    if (status == VARVE_OK && count == 0 && !listing.failed)
        status = varve_visit_tables(export->snapshot, add_table, &listing, err);
    if (listing.failed)
        status = export_no_memory(err);
    for (size_t i = 0; status == VARVE_OK && i < export->metric_count; i++)
        status = list_keys(export, &export->metrics[i], err);
    for (size_t i = 0; status == VARVE_OK && i < export->table_count; i++)
        status = list_columns(export, &export->tables[i], err);
    return status;
}

void export_list_free(struct export *export)
{
    for (size_t i = 0; i < export->metric_count; i++) {
        struct export_metric *m = &export->metrics[i];
        free_str(m->name);
        free_str(m->unit);
        free_names(m->keys, m->key_count);
    }
    for (size_t i = 0; i < export->table_count; i++) {
        free_str(export->tables[i].name);
        free_names(export->tables[i].columns, export->tables[i].column_count);
    }
    free(export->metrics);
    free(export->tables);
}
