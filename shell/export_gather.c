/* SPDX-License-Identifier: Apache-2.0
 *
 * export_gather.c -- gathers the rows of a metric by series.
 *
 * Texts of labels are kept once; a series is the numbers of its texts, found
 * by a hash of the texts themselves, so that which series belong to a part does not
 * depend on how a store numbers anything.  The codes of a segment's dictionaries are
 * translated as they are met, and only for series of the part at hand.
 * Rows lie in order of arrival, chained by series.
 */
#include "export_gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define CHUNK ((size_t)64 << 10)

struct gather_chunk {
    struct gather_chunk *next;
    size_t used, room;
    char data[];
};

/* One column of the segment at hand: what its codes mean. */
struct code_map {
    uint64_t *hashes; /* of the texts; filled when the segment changes */
    uint32_t *texts;  /* numbers in the gather, NONE: not yet asked for */
    size_t room;
};
struct gather_segment {
    uint32_t number;
    bool known;
    struct code_map *columns; /* one a key */
    uint32_t *texts;          /* of the run at hand */
};

/* ---- memory ------------------------------------------------------------ */

static enum varve_status no_memory(struct varve_err *err)
{
    err->status = VARVE_NOMEM;
    err->place[0] = '\0';
    snprintf(err->message, sizeof err->message, "out of memory while gathering series");
    return VARVE_NOMEM;
}

static void *gather_alloc(struct gather *gather, size_t size)
{
    struct gather_chunk *chunk = gather->chunks;
    size = (size + 7) & ~(size_t)7;
    if (!chunk || chunk->room - chunk->used < size) {
        size_t room = size > CHUNK ? size : CHUNK;
        chunk = malloc(sizeof *chunk + room);
        if (!chunk)
            return NULL;
        *chunk = (struct gather_chunk){gather->chunks, 0, room};
        gather->chunks = chunk;
    }
    void *memory = chunk->data + chunk->used;
    chunk->used += size;
    return memory;
}

/* Room for one more entry in an array of `count`. */
static bool grow(void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room ? *room + *room / 2 : 1024;
    void *larger = realloc(*array, wanted * size);
    if (!larger)
        return false;
    *array = larger;
    *room = wanted;
    return true;
}

static void free_chunks(struct gather *gather)
{
    while (gather->chunks) {
        struct gather_chunk *next = gather->chunks->next;
        free(gather->chunks);
        gather->chunks = next;
    }
}

void gather_init(struct gather *gather, const struct varve_str *keys, size_t key_count,
                 unsigned forms)
{
    *gather = (struct gather){
        .keys = keys, .key_count = key_count, .le = key_count, .forms = forms, .parts = 1};
}

static void free_segment(struct gather *gather)
{
    struct gather_segment *segment = gather->segment;
    if (!segment)
        return;
    for (size_t i = 0; segment->columns && i < gather->key_count; i++) {
        free(segment->columns[i].hashes);
        free(segment->columns[i].texts);
    }
    free(segment->columns);
    free(segment->texts);
    free(segment);
}

void gather_free(struct gather *gather)
{
    free_chunks(gather);
    free_segment(gather);
    free(gather->texts);
    free(gather->text_hashes);
    free(gather->series);
    free(gather->rows);
    free(gather->scratch);
    free(gather->text_table);
    free(gather->series_table);
    *gather = (struct gather){0};
}

uint32_t gather_parts(const struct gather *gather, uint64_t rows, uint64_t series)
{
    const uint64_t text = 64; /* what a text of its own costs a series, roughly */
    uint64_t each = sizeof(struct gathered_series) + gather->key_count * sizeof(uint32_t) + text;
    uint64_t bytes = rows * sizeof(struct gathered_row) + series * each;
    return (uint32_t)(bytes / GATHER_BYTES + 1);
}

void gather_begin(struct gather *gather, uint32_t part, uint32_t parts)
{
    free_chunks(gather);
    gather->text_count = gather->series_count = gather->row_count = 0;
    if (gather->text_table)
        memset(gather->text_table, 0, gather->text_slots * sizeof *gather->text_table);
    if (gather->series_table)
        memset(gather->series_table, 0, gather->series_slots * sizeof *gather->series_table);
    if (gather->segment)
        gather->segment->known = false;
    gather->part = part;
    gather->parts = parts;
}

/* ---- texts ------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static uint64_t hash_text(struct varve_str text)
{
    uint64_t hash = text.size;
    size_t i = 0;
    for (; i + 8 <= text.size; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof word);
        hash = mix(hash ^ word);
    }
    uint64_t rest = 0;
    for (; i < text.size; i++)
        rest = rest << 8 | (unsigned char)text.data[i];
    return mix(hash ^ rest);
}

/* Doubles a table that is half full; entries' hashes stand `stride` bytes apart. */
static bool
make_room(uint32_t **table, size_t *slots, size_t count, const char *hashes, size_t stride)
{
    if (*table && count * 2 < *slots)
        return true;
    size_t size = *slots ? *slots * 2 : 1024;
    uint32_t *larger = calloc(size, sizeof *larger);
    if (!larger)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t hash;
        memcpy(&hash, hashes + i * stride, sizeof hash);
        size_t at = hash & (size - 1);
        while (larger[at])
            at = (at + 1) & (size - 1);
        larger[at] = (uint32_t)i + 1;
    }
    free(*table);
    *table = larger;
    *slots = size;
    return true;
}

static bool add_text(struct gather *gather, struct varve_str text, uint64_t hash)
{
    size_t room = gather->text_room;
    char *copy = gather_alloc(gather, text.size);
    if (!copy || !grow((void **)&gather->texts, &room, gather->text_count, sizeof *gather->texts) ||
        !grow((void **)&gather->text_hashes, &gather->text_room, gather->text_count,
              sizeof *gather->text_hashes))
        return false;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    gather->texts[gather->text_count] = (struct varve_str){copy, text.size};
    gather->text_hashes[gather->text_count++] = hash;
    return true;
}

/* The number of a text, or NONE: no memory. */
static uint32_t put_text(struct gather *gather, struct varve_str text, uint64_t hash)
{
    if (!make_room(&gather->text_table, &gather->text_slots, gather->text_count,
                   (const char *)gather->text_hashes, sizeof *gather->text_hashes))
        return NONE;
    size_t mask = gather->text_slots - 1, at = hash & mask;
    for (; gather->text_table[at]; at = (at + 1) & mask) {
        uint32_t i = gather->text_table[at] - 1;
        if (gather->text_hashes[i] == hash && gather->texts[i].size == text.size &&
            memcmp(gather->texts[i].data, text.data, text.size) == 0)
            return i;
    }
    if (!add_text(gather, text, hash))
        return NONE;
    gather->text_table[at] = (uint32_t)gather->text_count;
    return (uint32_t)gather->text_count - 1;
}

/* ---- the segment at hand ----------------------------------------------- */

static bool make_segment(struct gather *gather)
{
    struct gather_segment *segment = calloc(1, sizeof *segment);
    gather->segment = segment;
    if (!segment)
        return false;
    segment->columns = calloc(gather->key_count + 1, sizeof *segment->columns);
    segment->texts = calloc(gather->key_count + 1, sizeof *segment->texts);
    return segment->columns && segment->texts;
}

static bool learn_dictionary(struct code_map *map, const struct varve_dictionary *dictionary)
{
    if (dictionary->count > map->room) {
        uint64_t *hashes = realloc(map->hashes, dictionary->count * sizeof *hashes);
        map->hashes = hashes ? hashes : map->hashes;
        uint32_t *texts = realloc(map->texts, dictionary->count * sizeof *texts);
        map->texts = texts ? texts : map->texts;
        if (!hashes || !texts)
            return false;
        map->room = dictionary->count;
    }
    for (uint32_t i = 0; i < dictionary->count; i++) {
        map->hashes[i] = hash_text(dictionary->texts[i]);
        map->texts[i] = NONE;
    }
    return true;
}

static bool enter_segment(struct gather *gather, const struct varve_rows *rows)
{
    if (!gather->segment && !make_segment(gather))
        return false;
    struct gather_segment *segment = gather->segment;
    if (segment->known && segment->number == rows->segment)
        return true;
    segment->known = true;
    segment->number = rows->segment;
    for (size_t k = 0; k < gather->key_count; k++)
        if (rows->columns[k].type == VARVE_TEXT &&
            !learn_dictionary(&segment->columns[k], rows->columns[k].dictionary))
            return false;
    return true;
}

/* ---- series ------------------------------------------------------------ */

/* *shared leaves `le` out: what stays together in a part. */
static uint64_t
hash_run(const struct gather *gather, const struct varve_rows *rows, uint32_t run, uint64_t *shared)
{
    uint64_t hash = 0, le = 0;
    for (size_t k = 0; k < gather->key_count; k++) {
        const struct varve_column *column = &rows->columns[k];
        if (column->type != VARVE_TEXT || column->codes[run] == 0)
            continue;
        uint64_t part = mix(gather->segment->columns[k].hashes[column->codes[run]] +
                            (k + 1) * UINT64_C(0x9e3779b97f4a7c15));
        if (k == gather->le)
            le = part;
        else
            hash += part;
    }
    *shared = mix(hash);
    return mix(hash + le);
}

static bool number_texts(struct gather *gather, const struct varve_rows *rows, uint32_t run)
{
    struct gather_segment *segment = gather->segment;
    for (size_t k = 0; k < gather->key_count; k++) {
        const struct varve_column *column = &rows->columns[k];
        segment->texts[k] = 0;
        if (column->type != VARVE_TEXT || column->codes[run] == 0)
            continue;
        uint32_t code = column->codes[run];
        struct code_map *map = &segment->columns[k];
        if (map->texts[code] == NONE)
            map->texts[code] = put_text(gather, column->dictionary->texts[code], map->hashes[code]);
        if (map->texts[code] == NONE)
            return false;
        segment->texts[k] = map->texts[code];
    }
    return true;
}

static bool add_series(struct gather *gather, uint64_t hash, uint32_t tag)
{
    size_t size = gather->key_count * sizeof(uint32_t);
    uint32_t *texts = gather_alloc(gather, size);
    if (!texts || !grow((void **)&gather->series, &gather->series_room, gather->series_count,
                        sizeof *gather->series))
        return false;
    memcpy(texts, gather->segment->texts, size);
    gather->series[gather->series_count++] =
        (struct gathered_series){hash, tag, texts, NONE, NONE, 0};
    return true;
}

/* The series whose texts are those of the run at hand, or NONE: no memory. */
static uint32_t put_series(struct gather *gather, uint64_t hash, uint32_t tag)
{
    size_t size = gather->key_count * sizeof(uint32_t);
    hash += tag;
    if (!make_room(&gather->series_table, &gather->series_slots, gather->series_count,
                   (const char *)gather->series, sizeof *gather->series))
        return NONE;
    size_t mask = gather->series_slots - 1, at = hash & mask;
    for (; gather->series_table[at]; at = (at + 1) & mask) {
        const struct gathered_series *s = &gather->series[gather->series_table[at] - 1];
        if (s->hash == hash && s->tag == tag && memcmp(s->texts, gather->segment->texts, size) == 0)
            return gather->series_table[at] - 1;
    }
    if (!add_series(gather, hash, tag))
        return NONE;
    gather->series_table[at] = (uint32_t)gather->series_count;
    return (uint32_t)gather->series_count - 1;
}

/* ---- rows -------------------------------------------------------------- */

static bool
add_rows(struct gather *gather, const struct varve_rows *rows, uint32_t run, uint32_t number)
{
    struct gathered_series *series = &gather->series[number];
    for (uint32_t r = rows->run_start[run]; r < rows->run_start[run + 1]; r++) {
        uint32_t at = (uint32_t)gather->row_count;
        if (at == NONE || !grow((void **)&gather->rows, &gather->row_room, gather->row_count,
                                sizeof *gather->rows))
            return false;
        struct gathered_row *row = &gather->rows[gather->row_count++];
        *row = (struct gathered_row){rows->start[r], rows->end[r],        0,
                                     NONE,           rows->run_form[run], rows->floats != NULL};
        memcpy(&row->value, rows->floats ? (const void *)&rows->floats[r] : &rows->ints[r],
               sizeof row->value);
        if (series->rows++ == 0)
            series->first = at;
        else
            gather->rows[series->last].next = at;
        series->last = at;
    }
    return true;
}

static bool take_rows(struct gather *gather, const struct varve_rows *rows, uint32_t tag)
{
    if (!enter_segment(gather, rows))
        return false;
    if (gather->text_count == 0 && !add_text(gather, varve_str(""), 0))
        return false;
    for (uint32_t run = 0; run < rows->runs; run++) {
        uint64_t shared;
        if (!(gather->forms >> rows->run_form[run] & 1))
            continue;
        uint64_t hash = hash_run(gather, rows, run, &shared);
        if ((shared >> 20) % gather->parts != gather->part)
            continue;
        uint32_t series = number_texts(gather, rows, run) ? put_series(gather, hash, tag) : NONE;
        if (series == NONE || !add_rows(gather, rows, run, series))
            return false;
    }
    return true;
}

enum varve_status
gather_scan(struct gather *gather, varve_snapshot *snapshot, const struct varve_query *range,
            struct varve_str metric, uint32_t tag, struct varve_err *err)
{
    struct varve_query query = *range;
    struct varve_rows rows;
    varve_scan *scan;
    query.source = metric;
    query.columns = gather->keys;
    query.column_count = gather->key_count;
    query.flags |= VARVE_BASELINES;
    if (gather->segment)
        gather->segment->known = false;
    enum varve_status status = varve_scan_open(snapshot, &query, &scan, err);
    if (status != VARVE_OK)
        return status;
    while ((status = varve_scan_rows(scan, &rows, err)) == VARVE_OK)
        if (!take_rows(gather, &rows, tag)) {
            status = no_memory(err);
            break;
        }
    varve_scan_close(scan);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* ---- order ------------------------------------------------------------- */

static int compare_str(struct varve_str a, struct varve_str b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_kin(const struct gather *gather, const uint32_t *a, const uint32_t *b)
{
    for (size_t k = 0; k < gather->key_count; k++) {
        if (k == gather->le || a[k] == b[k])
            continue;
        return compare_str(gather->texts[a[k]], gather->texts[b[k]]);
    }
    return 0;
}

bool gather_akin(const struct gather *gather, const struct gathered_series *a,
                 const struct gathered_series *b)
{
    return compare_kin(gather, a->texts, b->texts) == 0;
}

/* "+Inf" is the largest, which strtod knows. */
static int compare_bounds(struct varve_str a, struct varve_str b)
{
    char text[2][64] = {"", ""};
    memcpy(text[0], a.data, a.size < 63 ? a.size : 63);
    memcpy(text[1], b.data, b.size < 63 ? b.size : 63);
    double x = strtod(text[0], NULL), y = strtod(text[1], NULL);
    return x != y ? (x > y) - (x < y) : compare_str(a, b);
}

static int compare_series(const void *a, const void *b, void *context)
{
    const struct gather *gather = context;
    const struct gathered_series *x = a, *y = b;
    int order = compare_kin(gather, x->texts, y->texts);
    if (order == 0 && x->tag != y->tag)
        return (x->tag > y->tag) - (x->tag < y->tag);
    if (order == 0 && gather->le < gather->key_count)
        return compare_bounds(gather_label(gather, x, gather->le),
                              gather_label(gather, y, gather->le));
    return order;
}

void gather_sort(struct gather *gather)
{
    if (gather->series_count > 1)
        qsort_r(gather->series, gather->series_count, sizeof *gather->series, compare_series,
                gather);
}

static int compare_rows(const void *a, const void *b, void *by_start)
{
    const struct gathered_row *x = a, *y = b;
    if (*(const bool *)by_start && x->start != y->start)
        return (x->start > y->start) - (x->start < y->start);
    if (x->end != y->end)
        return (x->end > y->end) - (x->end < y->end);
    return (x->next > y->next) - (x->next < y->next);
}

struct gathered_row *
gather_rows(struct gather *gather, const struct gathered_series *series, bool by_start)
{
    bool sorted = true;
    if (series->rows > gather->scratch_room) {
        struct gathered_row *rows = realloc(gather->scratch, series->rows * sizeof *rows);
        if (!rows)
            return NULL;
        gather->scratch = rows;
        gather->scratch_room = series->rows;
    }
    uint32_t at = series->first;
    for (uint32_t i = 0; i < series->rows; i++) {
        gather->scratch[i] = gather->rows[at];
        at = gather->scratch[i].next;
        gather->scratch[i].next = i;
        sorted = sorted && (i == 0 || compare_rows(&gather->scratch[i - 1], &gather->scratch[i],
                                                   &by_start) <= 0);
    }
    if (!sorted)
        qsort_r(gather->scratch, series->rows, sizeof *gather->scratch, compare_rows, &by_start);
    return gather->scratch;
}
