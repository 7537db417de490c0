/* SPDX-License-Identifier: Apache-2.0
 *
 * openmetrics.c -- exports as OpenMetrics text, with time stamps.
 *
 * The text wants all samples of a metric together, families in turn and each
 * counter's samples in the order of their times.  So the points of a process
 * are held until it ends, and then go, family by family, to one of a few
 * files in memory, which are written out when they are large enough.
 *
 * Two processes of one session have the same label sets, and one text cannot
 * hold both without mixing them up.  They go to different files: a file keeps
 * the sessions it has, and takes none twice.  Their _created times tell them
 * apart.  What resources know (os, version) is left out.
 */
#include "openmetrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "encode.h"

#define BUCKETS 1024
#define OPEN_FILES 4
#define FILE_LIMIT (6u << 20)

struct text {
    char *data;
    size_t size, capacity;
};

/* One that has not ended. */
struct waiting {
    struct waiting *next;
    uint64_t process;
    struct gen_point *points;
    size_t count, capacity;
};

struct page {
    struct text families[GEN_METRICS];
    uint64_t *sessions; /* their seeds */
    size_t session_count, session_capacity, size;
};

struct exposition {
    struct output *out;
    struct waiting *buckets[BUCKETS];
    struct page pages[OPEN_FILES];
    int64_t day; /* of the files being filled */
    unsigned number;
    bool failed;
};

/* ---- text ------------------------------------------------------------------- */

static bool put(struct text *t, const char *data, size_t size)
{
    if (t->capacity - t->size < size) {
        size_t capacity = 2 * (t->capacity + size) + 4096;
        char *bigger = realloc(t->data, capacity);
        if (!bigger)
            return false;
        t->data = bigger;
        t->capacity = capacity;
    }
    memcpy(t->data + t->size, data, size);
    t->size += size;
    return true;
}

/* Label sets are short; they are put together on the stack. */
struct labels {
    char text[2400];
    size_t size;
};

static void add_label(struct labels *l, const char *key, const char *value)
{
    l->size += (size_t)snprintf(l->text + l->size, sizeof l->text - l->size, "%s%s=\"%s\"",
                                l->size > 1 ? "," : "", key, value);
}

static void add_labels(struct labels *l, const struct gen_label *labels, size_t count)
{
    char key[40];
    for (size_t i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%s", labels[i].key);
        for (char *dot = key; (dot = strchr(dot, '.'));)
            *dot = '_';
        add_label(l, key, labels[i].value);
    }
}

static void make_labels(struct labels *l, const struct gen_point *p)
{
    struct gen_label own[GEN_OWN_LABELS];
    l->text[0] = '{';
    l->size = 1;
    add_labels(l, p->session->common, p->session->common_count);
    add_labels(l, own, gen_point_labels(p, own));
    add_label(l, "otel_scope_name", METRIC_SCOPE);
    add_label(l, "otel_scope_version", p->session->version);
    l->text[l->size++] = '}';
}

static bool put_sample(struct text *t, const char *family, const char *suffix,
                       const struct labels *l, const char *value, int64_t time)
{
    char tail[96];
    int size = snprintf(tail, sizeof tail, " %s %" PRId64 ".%09" PRId64 "\n", value,
                        time / GEN_SECOND, time % GEN_SECOND);
    return put(t, family, strlen(family)) && put(t, suffix, strlen(suffix)) &&
           put(t, l->text, l->size) && put(t, tail, (size_t)size);
}

/* ---- pages ------------------------------------------------------------------ */

static bool same_counter(const struct gen_point *a, const struct gen_point *b)
{
    return a->session == b->session && a->slot == b->slot;
}

/* Points of one counter, in the order of their times. */
static bool put_counter(struct page *page, const struct gen_point *points, size_t count)
{
    const char *family = gen_metrics[points->metric].prometheus;
    struct text *to = &page->families[points->metric];
    struct labels labels;
    char value[40];
    size_t before = to->size;
    make_labels(&labels, points);
    snprintf(value, sizeof value, "%" PRId64 ".%09" PRId64, points->start / GEN_SECOND,
             points->start % GEN_SECOND);
    bool good = put_sample(to, family, "_created", &labels, value, points->end);
    for (size_t i = 0; good && i < count; i++) {
        shortest_double(points[i].value, value);
        good = put_sample(to, family, "_total", &labels, value, points[i].end);
    }
    page->size += to->size - before;
    return good;
}

static bool has_session(const struct page *page, uint64_t seed)
{
    for (size_t i = 0; i < page->session_count; i++)
        if (page->sessions[i] == seed)
            return true;
    return false;
}

static bool add_session(struct page *page, uint64_t seed)
{
    if (has_session(page, seed))
        return true;
    if (page->session_count == page->session_capacity) {
        size_t capacity = 2 * page->session_capacity + 64;
        uint64_t *sessions = realloc(page->sessions, capacity * sizeof *sessions);
        if (!sessions)
            return false;
        page->sessions = sessions;
        page->session_capacity = capacity;
    }
    page->sessions[page->session_count++] = seed;
    return true;
}

static bool flush(struct exposition *x, struct page *page)
{
    if (!page->session_count)
        return true;
    FILE *f = output_create(x->out, x->number++, x->day);
    if (!f)
        return false;
    for (unsigned m = 0; m < GEN_METRICS; m++) {
        const struct gen_metric_info *info = &gen_metrics[m];
        struct text *t = &page->families[m];
        if (!t->size)
            continue;
        fprintf(f, "# TYPE %s counter\n", info->prometheus);
        if (info->prometheus_unit[0])
            fprintf(f, "# UNIT %s %s\n", info->prometheus, info->prometheus_unit);
        fprintf(f, "# HELP %s %s\n", info->prometheus, info->description);
        fwrite(t->data, 1, t->size, f);
        t->size = 0;
    }
    fputs("# EOF\n", f);
    page->session_count = page->size = 0;
    return output_close(x->out, f);
}

/* A page with none of the sessions of these points, where need be by writing one out. */
static struct page *choose_page(struct exposition *x, const struct waiting *w)
{
    for (unsigned i = 0; i < OPEN_FILES; i++) {
        struct page *page = &x->pages[(w->process + i) % OPEN_FILES];
        size_t at = 0;
        while (at < w->count && ((at && w->points[at].session == w->points[at - 1].session) ||
                                 !has_session(page, w->points[at].session->seed)))
            at++;
        if (at == w->count)
            return page;
    }
    struct page *page = &x->pages[w->process % OPEN_FILES];
    return flush(x, page) ? page : NULL;
}

/* ---- processes ---------------------------------------------------------------- */

static struct waiting **find(struct exposition *x, uint64_t process)
{
    struct waiting **at = &x->buckets[process % BUCKETS];
    while (*at && (*at)->process != process)
        at = &(*at)->next;
    return at;
}

static bool keep(struct waiting *w, const struct gen_export *e)
{
    if (w->capacity - w->count < e->point_count) {
        size_t capacity = 2 * w->capacity + e->point_count;
        struct gen_point *points = realloc(w->points, capacity * sizeof *points);
        if (!points)
            return false;
        w->points = points;
        w->capacity = capacity;
    }
    if (e->point_count)
        memcpy(w->points + w->count, e->points, e->point_count * sizeof *e->points);
    w->count += e->point_count;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct gen_point *x = a, *y = b;
    if (x->metric != y->metric)
        return x->metric < y->metric ? -1 : 1;
    if (x->session->seed != y->session->seed)
        return x->session->seed < y->session->seed ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static bool write_process(struct exposition *x, struct waiting *w)
{
    if (!w->count)
        return true;
    qsort(w->points, w->count, sizeof *w->points, compare);
    struct page *page = choose_page(x, w);
    if (!page)
        return false;
    for (size_t at = 0, end; at < w->count; at = end) {
        for (end = at + 1; end < w->count && same_counter(&w->points[at], &w->points[end]);)
            end++;
        if (!add_session(page, w->points[at].session->seed) ||
            !put_counter(page, w->points + at, end - at))
            return false;
    }
    return page->size < FILE_LIMIT || flush(x, page);
}

bool exposition_finish(struct exposition *x)
{
    for (unsigned i = 0; i < OPEN_FILES; i++)
        if (!flush(x, &x->pages[i]))
            return false;
    return true;
}

bool exposition_add(struct exposition *x, const struct gen_export *e)
{
    struct waiting **at = find(x, e->process), *w = *at;
    if (e->time / GEN_DAY != x->day) {
        if (!exposition_finish(x))
            return false;
        x->day = e->time / GEN_DAY;
        x->number = 0;
    }
    if (!w) {
        if (!(w = *at = calloc(1, sizeof *w)))
            return false;
        w->process = e->process;
    }
    if (!keep(w, e))
        return false;
    if (!e->last)
        return true;
    bool good = write_process(x, w);
    *at = w->next;
    free(w->points);
    free(w);
    return good;
}

struct exposition *exposition_new(struct output *out)
{
    struct exposition *x = calloc(1, sizeof *x);
    if (x) {
        x->out = out;
        x->day = -1;
    }
    return x;
}

void exposition_free(struct exposition *x)
{
    if (!x)
        return;
    for (unsigned i = 0; i < BUCKETS; i++)
        while (x->buckets[i]) {
            struct waiting *w = x->buckets[i];
            x->buckets[i] = w->next;
            free(w->points);
            free(w);
        }
    for (unsigned i = 0; i < OPEN_FILES; i++) {
        for (unsigned m = 0; m < GEN_METRICS; m++)
            free(x->pages[i].families[m].data);
        free(x->pages[i].sessions);
    }
    free(x);
}
