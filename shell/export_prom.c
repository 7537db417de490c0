/* SPDX-License-Identifier: Apache-2.0
 *
 * export_prom.c -- the families of an OpenMetrics page.
 *
 * A counter of this store is many counters with a start each, of several processes.  The text
 * knows one counter a label set, so theirs are added up: each sample is the sum of
 * all increments up to its time, and counts from the first start that is known.
 *
 * Families and label sets must stand together, which takes a label set's rows of all
 * days at once: they are gathered, in passes.  X_bucket, X_count and X_sum are one
 * histogram, X.  Names that become the same are told apart by a number at the end.
 */
#include "export_prom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "export_promname.h"

static bool is_equal(struct varve_str a, struct varve_str b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct varve_str *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* ---- what belongs together --------------------------------------------- */

static bool cut_suffix(struct varve_str *name, const char *suffix)
{
    size_t size = strlen(suffix);
    if (name->size <= size || memcmp(name->data + name->size - size, suffix, size) != 0)
        return false;
    name->size -= size;
    return true;
}

static const struct export_metric *
find_part(const struct export *export, struct varve_str base, const char *suffix)
{
    for (size_t i = 0; i < export->metric_count; i++) {
        const struct export_metric *m = &export->metrics[i];
        struct varve_str name = m->name;
        if (m->kind == VARVE_COUNTER && cut_suffix(&name, suffix) && is_equal(name, base))
            return m;
    }
    return NULL;
}

static bool is_histogram(const struct export_metric *metric)
{
    struct varve_str base = metric->name;
    return metric->kind == VARVE_HISTOGRAM && cut_suffix(&base, "_bucket");
}

/* Whether the metric is written with its histogram's buckets. */
static bool is_taken(const struct export *export, const struct export_metric *metric)
{
    struct varve_str base = metric->name;
    if (metric->kind != VARVE_COUNTER ||
        (!cut_suffix(&base, "_count") && !cut_suffix(&base, "_sum")))
        return false;
    for (size_t i = 0; i < export->metric_count; i++) {
        struct varve_str name = export->metrics[i].name;
        if (is_histogram(&export->metrics[i]) && cut_suffix(&name, "_bucket") &&
            is_equal(name, base))
            return true;
    }
    return false;
}

/* ---- a family ---------------------------------------------------------- */

static void family_free(struct prom_family *family)
{
    for (size_t k = 0; family->labels && k < family->key_count; k++)
        out_free(&family->labels[k]);
    free(family->labels);
    free(family->same);
    free(family->keys);
    out_free(&family->name);
}

static bool list_keys(struct prom_family *family)
{
    size_t count = 0;
    for (size_t p = 0; p < PARTS; p++)
        count += family->parts[p] ? family->parts[p]->key_count : 0;
    family->keys = calloc(count + 1, sizeof *family->keys);
    if (!family->keys)
        return false;
    count = 0;
    for (size_t p = 0; p < PARTS; p++)
        for (size_t k = 0; family->parts[p] && k < family->parts[p]->key_count; k++)
            family->keys[count++] = family->parts[p]->keys[k];
    if (count > 1)
        qsort(family->keys, count, sizeof *family->keys, compare_keys);
    for (size_t k = 0; k < count; k++)
        if (family->key_count == 0 ||
            !is_equal(family->keys[k], family->keys[family->key_count - 1]))
            family->keys[family->key_count++] = family->keys[k];
    return true;
}

static bool name_keys(struct prom_family *family)
{
    family->labels = calloc(family->key_count + 1, sizeof *family->labels);
    family->same = calloc(family->key_count + 1, sizeof *family->same);
    if (!family->labels || !family->same)
        return false;
    for (size_t k = 0; k < family->key_count; k++) {
        struct out *label = &family->labels[k];
        out_init(label, -1);
        promname_label(label, family->keys[k]);
        for (family->same[k] = 0; family->same[k] < k; family->same[k]++) {
            const struct out *other = &family->labels[family->same[k]];
            if (other->used == label->used && memcmp(other->data, label->data, label->used) == 0)
                break;
        }
        if (label->error)
            return false;
    }
    return true;
}

/* The names that families had so far, each with a newline around it. */
static bool is_used(const struct out *used, const struct out *name)
{
    for (size_t at = 0; at + name->used + 2 <= used->used; at++)
        if (used->data[at] == '\n' && used->data[at + name->used + 1] == '\n' &&
            memcmp(used->data + at + 1, name->data, name->used) == 0)
            return true;
    return false;
}

static void make_unique(struct prom_family *family, struct out *used)
{
    size_t size = family->name.used;
    char number[24];
    for (unsigned n = 2; !family->name.error && is_used(used, &family->name); n++) {
        snprintf(number, sizeof number, "_%u", n);
        family->name.used = size;
        out_text(&family->name, number);
    }
    out_text(used, used->used ? "" : "\n");
    out_bytes(used, family->name.data, family->name.used);
    out_text(used, "\n");
    if (family->name.used != size)
        fprintf(stderr, "note: '%.*s' is written as %.*s, another metric has its name\n",
                (int)family->parts[0]->name.size, family->parts[0]->name.data,
                (int)family->name.used, family->name.data);
}

static void put_comment(struct out *out, const char *word, const struct out *name)
{
    out_text(out, word);
    out_bytes(out, name->data, name->used);
    out_text(out, " ");
}

static void put_head(struct out *out, const struct prom_family *family, struct varve_str unit)
{
    const struct export_metric *m = family->parts[0];
    bool counts = m->kind == VARVE_COUNTER || m->kind == VARVE_HISTOGRAM;
    put_comment(out, "# TYPE ", &family->name);
    out_text(out, family->is_histogram ? "histogram\n" : counts ? "counter\n" : "gauge\n");
    if (unit.size > 0) {
        put_comment(out, "# UNIT ", &family->name);
        out_str(out, unit);
        out_text(out, "\n");
    }
    struct varve_str help = m->name;
    if (family->is_histogram)
        cut_suffix(&help, "_bucket");
    put_comment(out, "# HELP ", &family->name);
    promname_escape(out, help);
    out_text(out, m->kind == VARVE_UPDOWN ? " (sum of changes)\n" : "\n");
}

static bool family_make(const struct export *export, const struct export_metric *metric,
                        struct prom_family *family, struct out *used)
{
    struct varve_str base = metric->name, unit = metric->unit;
    *family = (struct prom_family){.parts = {metric}, .is_histogram = is_histogram(metric)};
    out_init(&family->name, -1);
    if (family->is_histogram && cut_suffix(&base, "_bucket")) {
        family->parts[PART_COUNT] = find_part(export, base, "_count");
        family->parts[PART_SUM] = find_part(export, base, "_sum");
    }
    if (!list_keys(family) || !name_keys(family))
        return false;
    promname_family(&family->name, base, unit, metric->kind, &unit);
    if (!family->name.error)
        make_unique(family, used);
    if (family->name.error || used->error)
        return false;
    if (unit.size > 0 &&
        (family->name.used < unit.size ||
         memcmp(family->name.data + family->name.used - unit.size, unit.data, unit.size) != 0))
        unit.size = 0;
    put_head(export->out, family, unit);
    return true;
}

/* ---- all of them ------------------------------------------------------- */

static enum varve_status put_part(const struct export *export, const struct prom_family *family,
                                  struct gather *gather, struct varve_err *err)
{
    const struct varve_query range = {.since = export->since, .until = export->until};
    enum varve_status status = VARVE_OK;
    for (uint32_t p = 0; status == VARVE_OK && p < PARTS; p++)
        if (family->parts[p])
            status = gather_scan(gather, export->snapshot, &range, family->parts[p]->name, p, err);
    if (status == VARVE_OK)
        gather_sort(gather);
    for (size_t from = 0, to; status == VARVE_OK && from < gather->series_count; from = to) {
        for (to = from + 1; to < gather->series_count; to++)
            if (!gather_akin(gather, &gather->series[from], &gather->series[to]))
                break;
        status = prom_samples(export, family, gather, from, to, err);
    }
    return status;
}

static enum varve_status
put_family(const struct export *export, const struct prom_family *family, struct varve_err *err)
{
    struct gather gather;
    uint64_t rows = 0, series = 0;
    enum varve_status status = VARVE_OK;
    gather_init(&gather, family->keys, family->key_count, ~0u);
    for (size_t k = 0; family->is_histogram && k < family->key_count; k++)
        if (is_equal(family->keys[k], varve_str("le")))
            gather.le = k;
    for (size_t p = 0; p < PARTS; p++)
        if (family->parts[p]) {
            rows += family->parts[p]->rows;
            series += family->parts[p]->series;
        }
    uint32_t parts = gather_parts(&gather, rows, series);
    for (uint32_t part = 0; status == VARVE_OK && part < parts; part++) {
        gather_begin(&gather, part, parts);
        status = put_part(export, family, &gather, err);
    }
    gather_free(&gather);
    export_finished(export, 2 * rows);
    return status;
}

enum varve_status export_openmetrics(const struct export *export, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    struct out used;
    out_init(&used, -1);
    for (size_t i = 0; status == VARVE_OK && i < export->metric_count; i++) {
        struct prom_family family;
        if (is_taken(export, &export->metrics[i]))
            continue;
        if (family_make(export, &export->metrics[i], &family, &used))
            status = put_family(export, &family, err);
        else
            status = export_no_memory(err);
        family_free(&family);
    }
    out_free(&used);
    if (status == VARVE_OK)
        out_text(export->out, "# EOF\n");
    return status;
}
