/* SPDX-License-Identifier: Apache-2.0
 *
 * prom_page.h -- what is known on a page of text: types of families, metrics, sets of labels.
 *
 * Samples refer to metrics and label sets by number.  Everything here is bounded: the page says
 * when it is full, and the door then gives its samples away and empties it.
 */
#ifndef INGEST_PROM_PAGE_H
#define INGEST_PROM_PAGE_H

#include "base/arena.h"
#include "base/hash.h"
#include "ingest/prom_line.h"

enum prom_role {
    PROM_GAUGE,
    PROM_QUANTILE, /* a gauge; NaN says that there is nothing to tell */
    PROM_COUNTER,
    PROM_CREATED /* no metric: the value is a start time */
};

struct prom_metric {
    struct varve_str name;       /* as it stood */
    struct varve_str otlp, unit; /* what the intake is told */
    enum prom_role role;
    struct h128 key; /* of the name without suffixes: the same for a counter and its _created */
    uint32_t first, last; /* the door's list of samples */
};

struct prom_set {
    struct varve_str text; /* as it stood */
    struct h128 hash;      /* of it */
    struct h128 series;    /* of the labels but le and quantile, in any order */
};

struct prom_family {
    struct varve_str unit;
    uint8_t type;
};

struct prom_page {
    struct mem *mem;
    uint64_t seed, epoch; /* of names: what was found under one does not hold in another */
    struct arena names, texts;
    size_t name_bytes, text_bytes;
    struct hash_table family_table, metric_table, set_table;
    struct prom_family *families;
    struct prom_metric *metrics;
    struct prom_set *sets;
    size_t family_count, family_capacity, metric_count, metric_capacity, set_count, set_capacity;
    char *scratch; /* for names and values with escapes */
    size_t scratch_size;
    uint32_t last; /* the metric of the last sample */
};

void prom_page_init(struct prom_page *page, struct mem *mem, uint64_t seed);
void prom_page_free(struct prom_page *page);
/* Forgets types and metrics.  No sample may refer to them. */
void prom_page_clear(struct prom_page *page);
bool prom_page_names_full(const struct prom_page *page);
bool prom_page_sets_full(const struct prom_page *page);
/* Forgets all label sets but those of `count` samples, whose numbers stand `stride` bytes behind
 * each other and become new ones. */
enum varve_status prom_page_shrink(struct prom_page *page, uint32_t *sets, size_t stride,
                                   size_t count, struct varve_err *err) VARVE_CHECKED;

/* A TYPE or UNIT line.  *known is false when the type is none. */
enum varve_status prom_page_comment(struct prom_page *page, const struct prom_line *line,
                                    bool *known, struct varve_err *err) VARVE_CHECKED;
/* The metric of a sample. */
enum varve_status prom_page_metric(struct prom_page *page, const struct prom_line *line,
                                   uint32_t *metric, struct varve_err *err) VARVE_CHECKED;
/* The set of labels whose text this is, or HASH_NONE. */
uint32_t prom_page_find(const struct prom_page *page, const struct prom_line *line);
/* The same, made if it is new. */
enum varve_status prom_page_set(struct prom_page *page, const struct prom_line *line, uint32_t *set,
                                struct varve_err *err) VARVE_CHECKED;
/* Room for at least `size` bytes, or NULL. */
char *prom_page_scratch(struct prom_page *page, size_t size);

#endif
