/* SPDX-License-Identifier: Apache-2.0
 *
 * prom_page.c -- what is known on a page of text.
 *
 * What a sample is follows from its name and the type of its family: `x_total` and `x_created`
 * belong to the counter x, `x_bucket` to the histogram x.  Client libraries write `_created` also
 * as a family of its own, a gauge, behind the counter's; it is a start time all the same.  Where
 * there is no type the suffix `_total` and the catalogue of names tell a counter.
 *
 * A metric is worked out once for each name and found by the hash of the name from then on; the
 * line before mostly had the same one.  A type that changes makes a new epoch: the same name leads
 * to a new metric, while samples that wait keep theirs.
 */
#include "ingest/prom_page.h"

#include "base/names.h"

enum {
    METRICS_MAX = 16 << 10,
    SETS_MAX = 128 << 10,
    TEXTS_MAX = 16 << 20,
    NAMES_MAX = 8 << 20,
};

enum type { TYPE_NONE, GAUGE, COUNTER, HISTOGRAM, SUMMARY, GAUGE_HISTOGRAM, INFO, UNKNOWN };

void prom_page_init(struct prom_page *page, struct mem *mem, uint64_t seed)
{
    *page = (struct prom_page){.mem = mem, .seed = seed, .last = HASH_NONE};
    arena_init(&page->names, mem, 4096);
    arena_init(&page->texts, mem, 16384);
    hash_table_init(&page->family_table, mem);
    hash_table_init(&page->metric_table, mem);
    hash_table_init(&page->set_table, mem);
}

void prom_page_free(struct prom_page *page)
{
    arena_free(&page->names);
    arena_free(&page->texts);
    hash_table_free(&page->family_table);
    hash_table_free(&page->metric_table);
    hash_table_free(&page->set_table);
    mem_free(page->mem, page->families, page->family_capacity * sizeof *page->families);
    mem_free(page->mem, page->metrics, page->metric_capacity * sizeof *page->metrics);
    mem_free(page->mem, page->sets, page->set_capacity * sizeof *page->sets);
    mem_free(page->mem, page->scratch, page->scratch_size);
}

static enum varve_status
add_set(struct prom_page *page, const struct prom_set *set, uint32_t *number, struct varve_err *err)
{
    TRY(mem_grow(page->mem, (void **)&page->sets, &page->set_capacity, page->set_count + 1,
                 sizeof *page->sets, err));
    TRY(hash_table_add(&page->set_table, set->hash, (uint32_t)page->set_count, err));
    *number = (uint32_t)page->set_count;
    page->sets[page->set_count++] = *set;
    page->text_bytes += set->text.size;
    return VARVE_OK;
}

void prom_page_clear(struct prom_page *page)
{
    page->last = HASH_NONE;
    page->family_count = page->metric_count = page->name_bytes = 0;
    hash_table_clear(&page->family_table);
    hash_table_clear(&page->metric_table);
    arena_clear(&page->names);
}

bool prom_page_names_full(const struct prom_page *page)
{
    return page->metric_count >= METRICS_MAX || page->family_count >= 4 * METRICS_MAX ||
           page->name_bytes >= NAMES_MAX;
}

bool prom_page_sets_full(const struct prom_page *page)
{
    return page->set_count >= SETS_MAX || page->text_bytes >= TEXTS_MAX;
}

enum varve_status prom_page_shrink(struct prom_page *page, uint32_t *sets, size_t stride,
                                   size_t count, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    struct arena texts;
    struct prom_set *old = page->sets;
    const size_t capacity = page->set_capacity;
    arena_init(&texts, page->mem, 16384);
    page->sets = NULL;
    page->set_capacity = page->set_count = page->text_bytes = 0;
    hash_table_clear(&page->set_table);
    for (size_t i = 0; i < count; i++) {
        uint32_t *number = (uint32_t *)(void *)((char *)sets + i * stride);
        struct prom_set set = old[*number];
        *number = hash_table_get(&page->set_table, set.hash);
        if (*number != HASH_NONE)
            continue;
        set.text.data = arena_copy(&texts, set.text.size ? set.text.data : "", set.text.size);
        if (!set.text.data)
            TRYOUT(fail_nomem(err, set.text.size));
        TRYOUT(add_set(page, &set, number, err));
    }
out:
    mem_free(page->mem, old, capacity * sizeof *old);
    arena_free(&page->texts);
    page->texts = texts;
    return status;
}

char *prom_page_scratch(struct prom_page *page, size_t size)
{
    if (page->scratch_size < size || !page->scratch) {
        const size_t wanted = size < 1024 ? 1024 : size;
        char *grown = mem_resize(page->mem, page->scratch, page->scratch_size, wanted);
        if (!grown)
            return NULL;
        page->scratch = grown;
        page->scratch_size = wanted;
    }
    return page->scratch;
}

static enum varve_status
copy_name(struct prom_page *page, struct varve_str *text, struct varve_err *err)
{
    char *copy = arena_copy(&page->names, text->data ? text->data : "", text->size);
    if (!copy)
        return fail_nomem(err, text->size);
    page->name_bytes += text->size;
    text->data = copy;
    return VARVE_OK;
}

/* The name of a line without escapes, good until the next one. */
static enum varve_status plain_name(struct prom_page *page, const struct prom_line *line,
                                    struct varve_str *name, struct varve_err *err)
{
    *name = line->name;
    if (!line->escaped)
        return VARVE_OK;
    char *scratch = prom_page_scratch(page, name->size);
    if (!scratch)
        return fail_nomem(err, name->size);
    *name = prom_unescape(*name, scratch);
    return VARVE_OK;
}

/* ---- families ------------------------------------------------------------- */

static enum type type_of(struct varve_str text)
{
    static const struct {
        const char *word;
        enum type type;
    } types[] = {{"counter", COUNTER},     {"gauge", GAUGE},
                 {"histogram", HISTOGRAM}, {"summary", SUMMARY},
                 {"untyped", UNKNOWN},     {"unknown", UNKNOWN},
                 {"info", INFO},           {"gaugehistogram", GAUGE_HISTOGRAM},
                 {"stateset", GAUGE}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_equal(text, (struct varve_str){types[i].word, strlen(types[i].word)}))
            return types[i].type;
    return TYPE_NONE;
}

static struct h128 name_hash(const struct prom_page *page, struct varve_str name)
{
    return hash128(name.data, name.size, page->seed);
}

static const struct prom_family *find_family(const struct prom_page *page, struct varve_str name)
{
    const uint32_t at = hash_table_get(&page->family_table, name_hash(page, name));
    return at == HASH_NONE ? NULL : &page->families[at];
}

static enum varve_status make_family(struct prom_page *page, struct varve_str name,
                                     struct prom_family **family, struct varve_err *err)
{
    const struct h128 hash = name_hash(page, name);
    uint32_t at = hash_table_get(&page->family_table, hash);
    if (at == HASH_NONE) {
        TRY(mem_grow(page->mem, (void **)&page->families, &page->family_capacity,
                     page->family_count + 1, sizeof *page->families, err));
        at = (uint32_t)page->family_count;
        TRY(hash_table_add(&page->family_table, hash, at, err));
        page->families[page->family_count++] = (struct prom_family){.unit = STR("")};
    }
    *family = &page->families[at];
    return VARVE_OK;
}

enum varve_status prom_page_comment(struct prom_page *page, const struct prom_line *line,
                                    bool *known, struct varve_err *err)
{
    struct prom_family *family;
    struct varve_str name;
    const enum type type = line->kind == PROM_TYPE ? type_of(line->text) : TYPE_NONE;
    *known = line->kind != PROM_TYPE || type != TYPE_NONE;
    if (!*known)
        return VARVE_OK;
    TRY(plain_name(page, line, &name, err));
    TRY(make_family(page, name, &family, err));
    if (line->kind == PROM_UNIT) {
        struct varve_str unit = line->text;
        if (!str_equal(unit, family->unit)) {
            TRY(copy_name(page, &unit, err));
            family->unit = unit;
            page->epoch++;
        }
    } else if (family->type != type) {
        page->epoch += family->type != TYPE_NONE;
        family->type = (uint8_t)type;
    }
    page->last = HASH_NONE;
    return VARVE_OK;
}

/* ---- what a sample is ------------------------------------------------------ */

static bool ends_with(struct varve_str name, const char *suffix, struct varve_str *base)
{
    const size_t size = strlen(suffix);
    if (name.size <= size || memcmp(name.data + name.size - size, suffix, size) != 0)
        return false;
    *base = (struct varve_str){name.data, name.size - size};
    return true;
}

/* A short name such as `cost` is for people to type; in text it is somebody else's metric. */
static const struct name_metric *known_metric(struct varve_str name)
{
    const struct name_metric *entry = names_metric(name);
    return entry && str_equal(name, entry->short_name) ? NULL : entry;
}

/* "x" and "x_total" in the first bytes of a longer name: the family they have, if it counts. */
static bool has_start(const struct prom_page *page, struct varve_str base, struct varve_str total)
{
    const struct varve_str names[] = {base, total};
    for (size_t i = 0; i < 2; i++) {
        const struct prom_family *family = find_family(page, names[i]);
        if (family && family->type != TYPE_NONE && family->type != UNKNOWN)
            return family->type == COUNTER || family->type == HISTOGRAM || family->type == SUMMARY;
        const uint32_t metric = hash_table_get(
            &page->metric_table, hash128(names[i].data, names[i].size, page->seed + page->epoch));
        if (metric != HASH_NONE && page->metrics[metric].role == PROM_COUNTER)
            return true;
        const struct name_metric *entry = known_metric(names[i]);
        if (entry && entry->kind == VARVE_COUNTER)
            return true;
    }
    return false;
}

/* Whether `name` says when something was created; base is what. */
static enum varve_status is_created(struct prom_page *page, struct varve_str name,
                                    struct varve_str *base, bool *is, struct varve_err *err)
{
    *is = false;
    if (!ends_with(name, "_created", base))
        return VARVE_OK;
    struct varve_str total = {NULL, base->size + 6};
    char *text = arena_copy(&page->names, base->data, total.size);
    if (!text)
        return fail_nomem(err, total.size);
    memcpy(text + base->size, "_total", 6);
    page->name_bytes += total.size;
    total.data = text;
    *is = has_start(page, *base, total);
    return VARVE_OK;
}

/* A part of a histogram or summary, or the total of a counter. */
static const struct prom_family *find_part(const struct prom_page *page, struct varve_str name,
                                           struct prom_metric *metric, struct varve_str *base)
{
    static const struct {
        const char *suffix;
        uint8_t type, role;
        bool unit;
    } parts[] = {
        {"_total", COUNTER, PROM_COUNTER, true},
        {"_bucket", HISTOGRAM, PROM_COUNTER, false},
        {"_count", HISTOGRAM, PROM_COUNTER, false},
        {"_sum", HISTOGRAM, PROM_COUNTER, true},
        {"_count", SUMMARY, PROM_COUNTER, false},
        {"_sum", SUMMARY, PROM_COUNTER, true},
        {"_info", INFO, PROM_GAUGE, false},
        {"_bucket", GAUGE_HISTOGRAM, PROM_GAUGE, false},
        {"_gcount", GAUGE_HISTOGRAM, PROM_GAUGE, false},
        {"_gsum", GAUGE_HISTOGRAM, PROM_GAUGE, true},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!ends_with(name, parts[i].suffix, base))
            continue;
        const struct prom_family *family = find_family(page, *base);
        if (!family || family->type != parts[i].type)
            continue;
        metric->role = (enum prom_role)parts[i].role;
        metric->unit = parts[i].unit ? family->unit : STR("");
        return family;
    }
    return NULL;
}

/* A sample of a name that no type speaks of. */
static enum prom_role untyped_role(struct varve_str name)
{
    struct varve_str base;
    const struct name_metric *entry = known_metric(name);
    if (!entry && ends_with(name, "_total", &base))
        return PROM_COUNTER;
    return entry && entry->kind == VARVE_COUNTER ? PROM_COUNTER : PROM_GAUGE;
}

static enum varve_status
work_out(struct prom_page *page, struct prom_metric *metric, struct varve_err *err)
{
    struct varve_str name = metric->name, base;
    bool created;
    metric->unit = STR("");
    TRY(is_created(page, name, &base, &created, err));
    const struct prom_family *family = find_family(page, name);
    if (created) {
        metric->role = PROM_CREATED;
    } else if (family && family->type != TYPE_NONE && family->type != UNKNOWN) {
        metric->role = family->type == COUNTER   ? PROM_COUNTER
                       : family->type == SUMMARY ? PROM_QUANTILE
                                                 : PROM_GAUGE;
        metric->unit = family->unit;
        if (!ends_with(name, "_total", &base))
            base = name;
    } else if (!find_part(page, name, metric, &base)) {
        metric->role = untyped_role(name);
        metric->unit = family ? family->unit : STR("");
        if (!ends_with(name, "_total", &base))
            base = name;
    }
    metric->key = hash128(base.data, base.size, page->seed + 1);
    /* The catalogue knows some names only without what the format adds. */
    const struct name_metric *entry = known_metric(name);
    metric->otlp = name;
    if (!entry && ends_with(name, "_total", &base) && (entry = known_metric(base)) != NULL)
        metric->otlp = base;
    if (entry)
        metric->unit = entry->unit;
    return VARVE_OK;
}

enum varve_status prom_page_metric(struct prom_page *page, const struct prom_line *line,
                                   uint32_t *metric, struct varve_err *err)
{
    struct varve_str name;
    TRY(plain_name(page, line, &name, err));
    const struct h128 hash = hash128(name.data, name.size, page->seed + page->epoch);
    uint32_t at = page->last;
    if (at == HASH_NONE || !str_equal(page->metrics[at].name, name))
        at = hash_table_get(&page->metric_table, hash);
    if (at == HASH_NONE) {
        struct prom_metric made = {.name = name, .first = HASH_NONE, .last = HASH_NONE};
        TRY(copy_name(page, &made.name, err));
        TRY(work_out(page, &made, err));
        TRY(mem_grow(page->mem, (void **)&page->metrics, &page->metric_capacity,
                     page->metric_count + 1, sizeof *page->metrics, err));
        at = (uint32_t)page->metric_count;
        TRY(hash_table_add(&page->metric_table, hash, at, err));
        page->metrics[page->metric_count++] = made;
    }
    *metric = page->last = at;
    return VARVE_OK;
}

/* ---- sets of labels -------------------------------------------------------- */

/* Between the braces of a name without one stands the name, too: that is another language. */
static struct h128 set_hash(const struct prom_page *page, const struct prom_line *line)
{
    const bool named = line->text.size > 0 && line->name.data >= line->text.data &&
                       line->name.data < line->text.data + line->text.size;
    return hash128(line->text.data ? line->text.data : "", line->text.size,
                   page->seed + (named ? 3 : 2));
}

uint32_t prom_page_find(const struct prom_page *page, const struct prom_line *line)
{
    return hash_table_get(&page->set_table, set_hash(page, line));
}

static struct h128 series_hash(const struct prom_page *page, struct varve_str text, char *scratch)
{
    struct prom_labels labels = {.text = text, .scratch = scratch};
    struct prom_label label;
    struct h128 sum = {0, 0};
    while (prom_label_next(&labels, &label))
        if (!str_equal(label.key, STR("le")) && !str_equal(label.key, STR("quantile")))
            sum = h128_add(sum, h128_pair(hash128(label.key.data, label.key.size, page->seed),
                                          hash128(label.value.data, label.value.size, page->seed)));
    return sum;
}

enum varve_status prom_page_set(struct prom_page *page, const struct prom_line *line, uint32_t *set,
                                struct varve_err *err)
{
    struct prom_set made = {.text = line->text, .hash = set_hash(page, line)};
    *set = hash_table_get(&page->set_table, made.hash);
    if (*set != HASH_NONE)
        return VARVE_OK;
    char *scratch = prom_page_scratch(page, line->text.size);
    char *copy = arena_copy(&page->texts, line->text.size ? line->text.data : "", line->text.size);
    if (!scratch || !copy)
        return fail_nomem(err, line->text.size);
    made.text.data = copy;
    made.series = series_hash(page, made.text, scratch);
    return add_set(page, &made, set, err);
}
