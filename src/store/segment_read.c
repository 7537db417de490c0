/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_read.c -- opening a segment; its keys, codes and dictionaries.
 *
 * Opening reads what names things and how many there are; everything else
 * waits until it is asked for.
 *
 * The bytes are hostile.  What bounds a lie: a block of 1024 values has two bytes at least, so a
 * blob cannot hold more rows than 512 times its size; there are no more runs than
 * rows, no more timelines and no more values of a label than runs.
 * Nothing is allocated before its count has passed these tests.
 */
#include "store/segment_view.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_A_BYTE = BLOCK_VALUES / 2, METRIC_SHORTEST = 6, KEY_SHORTEST = 2 };

enum varve_status
segment_damaged(const struct segment *segment, struct varve_err *err, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return fail(err, VARVE_CORRUPT, segment->blob.place, "%s", text);
}

enum varve_status
segment_array(struct arena *arena, size_t count, size_t size, void *array, struct varve_err *err)
{
    size_t bytes = mem_array(count, size);
    void *memory = bytes || count == 0 ? arena_alloc(arena, bytes) : NULL;
    if (!memory)
        return fail_nomem(err, bytes);
    memcpy(array, &memory, sizeof memory);
    return VARVE_OK;
}

enum varve_status
segment_open_ints(struct segment *segment, enum segment_section id, uint32_t index, uint32_t count,
                  struct column *column, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    *column = (struct column){.place = segment->blob.place, .type = COLUMN_INTS};
    enum varve_status status =
        blob_section(&segment->blob, (uint16_t)id, (uint16_t)index, &bytes, &size, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK;
    TRY(status);
    TRY(column_open(column, bytes, size, COLUMN_INTS, segment->blob.place, err));
    if (column->count != count || count == 0)
        return segment_damaged(segment, err, "section %u.%u has %u values, expected %u",
                               (unsigned)id, index, column->count, count);
    return VARVE_OK;
}

enum varve_status segment_int_range(const struct column *column, uint32_t from, uint32_t count,
                                    int64_t *values, struct varve_err *err)
{
    if (column->count > 0)
        return column_int_range(column, from, count, values, err);
    memset(values, 0, count * sizeof *values);
    return VARVE_OK;
}

/* ---- opening ------------------------------------------------------------- */

static enum varve_status
read_metrics(struct segment *segment, struct reader *r, struct varve_err *err)
{
    uint64_t runs = 0;
    for (uint32_t m = 0; m < segment->metric_count; m++) {
        struct segment_metric *metric = &segment->metrics[m];
        *metric = (struct segment_metric){.kind = read8(r), .scale = read8(r)};
        metric->points = read_varint(r);
        uint64_t series = read_varint(r), ints = read_varint(r), floats = read_varint(r);
        uint64_t most = segment->blob.head.rows - runs;
        if (r->bad || ints > most || floats > most - ints || series > ints + floats ||
            metric->points > segment->blob.head.rows)
            return segment_damaged(segment, err, "metric %u claims more than there is", m);
        metric->first_run = (uint32_t)runs;
        metric->series = (uint32_t)series;
        metric->int_runs = (uint32_t)ints;
        metric->float_runs = (uint32_t)floats;
        runs += ints + floats;
    }
    segment->run_count = (uint32_t)runs;
    if (segment->time_count > runs)
        return segment_damaged(segment, err, "%u timelines for %u runs", segment->time_count,
                               segment->run_count);
    return VARVE_OK;
}

/* How many keys there are from a key to its root; 3 where there are more, or no root. */
static int depth(const struct segment *segment, uint32_t k)
{
    int steps = 0;
    while (segment->key[k].kind >= SEGMENT_DERIVED && steps < 3) {
        k = segment->key[k].kind - SEGMENT_DERIVED;
        steps++;
    }
    return steps == 0 || segment->key[k].kind == SEGMENT_ROOT ? steps : 3;
}

static enum varve_status
read_keys(struct segment *segment, struct reader *r, uint32_t *words, struct varve_err *err)
{
    uint64_t word = segment->metric_count * (uint64_t)2 + segment->key_count;
    for (uint32_t k = 0; k < segment->key_count; k++) {
        struct segment_key *key = &segment->key[k];
        *key = (struct segment_key){0};
        uint64_t kind = read_varint(r), values = read_varint(r);
        bool own = values & 1;
        values >>= 1;
        if (r->bad || values == 0 || values > segment->run_count ||
            (kind == SEGMENT_CONSTANT && values != 1) ||
            (kind >= SEGMENT_DERIVED &&
             (kind - SEGMENT_DERIVED <= k || kind - SEGMENT_DERIVED >= segment->key_count)))
            return segment_damaged(segment, err, "label key %u is damaged", k);
        key->kind = (uint32_t)kind;
        key->values = (uint32_t)values;
        key->first_word = own ? UINT32_MAX : (uint32_t)word;
        word += own ? 0 : values;
        if (word > COLUMN_MOST)
            return segment_damaged(segment, err, "more words than a column can hold");
    }
    for (uint32_t k = 0; k < segment->key_count; k++)
        if (depth(segment, k) > 2)
            return segment_damaged(segment, err, "label key %u follows from no root", k);
    *words = (uint32_t)word;
    return VARVE_OK;
}

static enum varve_status read_meta(struct segment *segment, uint32_t *words, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    enum varve_status status = blob_section(&segment->blob, SEGMENT_META, 0, &bytes, &size, err);
    if (status == VARVE_NOTFOUND)
        return segment_damaged(segment, err, "it has no section that describes it");
    TRY(status);
    struct reader r = reader_over(bytes, size);
    uint64_t metrics = read_varint(&r), keys = read_varint(&r), times = read_varint(&r);
    if (r.bad || metrics > size / METRIC_SHORTEST || keys > size / KEY_SHORTEST ||
        times > segment->blob.head.rows)
        return segment_damaged(segment, err, "its counts are damaged");
    segment->metric_count = (uint32_t)metrics;
    segment->key_count = (uint32_t)keys;
    segment->time_count = (uint32_t)times;
    TRY(segment_array(segment->arena, metrics, sizeof *segment->metrics, &segment->metrics, err));
    TRY(segment_array(segment->arena, keys, sizeof *segment->keys, &segment->keys, err));
    TRY(segment_array(segment->arena, keys, sizeof *segment->key, &segment->key, err));
    TRY(read_metrics(segment, &r, err));
    TRY(read_keys(segment, &r, words, err));
    if (reader_left(&r) > 0)
        return segment_damaged(segment, err, "bytes behind its description");
    return VARVE_OK;
}

static enum varve_status
read_words(struct segment *segment, uint32_t expected, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    struct column column;
    struct varve_str *words;
    if (expected == 0)
        return VARVE_OK;
    enum varve_status status = blob_section(&segment->blob, SEGMENT_WORDS, 0, &bytes, &size, err);
    if (status == VARVE_NOTFOUND)
        return segment_damaged(segment, err, "its names are missing");
    TRY(status);
    TRY(column_open(&column, bytes, size, COLUMN_TEXTS, segment->blob.place, err));
    if (column.count != expected)
        return segment_damaged(segment, err, "%u names and words, expected %u", column.count,
                               expected);
    TRY(column_all_texts(&column, segment->texts, segment->arena, &words, err));
    segment->words = words;
    for (uint32_t m = 0; m < segment->metric_count; m++) {
        segment->metrics[m].name = *words++;
        segment->metrics[m].unit = segment->words[segment->metric_count + m];
    }
    words += segment->metric_count;
    for (uint32_t k = 0; k < segment->key_count; k++)
        segment->keys[k] = *words++;
    return VARVE_OK;
}

enum varve_status segment_open(struct segment *segment, struct arena *arena,
                               struct text_codec *texts, const uint8_t *bytes, size_t size,
                               uint64_t seed, const char *place, struct varve_err *err)
{
    return segment_open_again(segment, arena, texts, bytes, size, seed, place, NULL, err);
}

enum varve_status
segment_open_again(struct segment *segment, struct arena *arena, struct text_codec *texts,
                   const uint8_t *bytes, size_t size, uint64_t seed, const char *place,
                   uint64_t *seen, struct varve_err *err)
{
    *segment = (struct segment){.arena = arena, .texts = texts};
    TRY(blob_open(&segment->blob, arena, bytes, size, seed, place, err));
    segment->blob.seen = seen;
    uint32_t rows = segment->blob.head.rows, words = 0;
    if (segment->blob.head.kind != BLOB_METRICS)
        return segment_damaged(segment, err, "a blob of kind %u, expected metrics",
                               segment->blob.head.kind);
    if (rows > SEGMENT_ROWS_MOST || rows / ROWS_A_BYTE > size)
        return segment_damaged(segment, err, "%u rows in %zu bytes cannot be", rows, size);
    TRY(read_meta(segment, &words, err));
    return read_words(segment, words, err);
}

uint32_t segment_find_metric(const struct segment *segment, struct varve_str name)
{
    for (uint32_t m = 0; m < segment->metric_count; m++)
        if (str_equal(segment->metrics[m].name, name))
            return m;
    return UINT32_MAX;
}

uint32_t segment_find_key(const struct segment *segment, struct varve_str key)
{
    for (uint32_t k = 0; k < segment->key_count; k++)
        if (str_equal(segment->keys[k], key))
            return k;
    return UINT32_MAX;
}

/* ---- codes and dictionaries ---------------------------------------------- */

/* Codes [from, from + count) of a column, none of them above `most`. */
static enum varve_status
read_codes(const struct segment *segment, const struct column *column, uint32_t most, uint32_t from,
           uint32_t count, uint32_t *codes, struct varve_err *err)
{
    int64_t block[BLOCK_VALUES];
    while (count > 0) {
        uint32_t n = BLOCK_VALUES - from % BLOCK_VALUES;
        n = n < count ? n : count;
        TRY(segment_int_range(column, from, n, block, err));
        uint64_t bad = 0;
        for (uint32_t i = 0; i < n; i++) {
            codes[i] = (uint32_t)block[i];
            bad |= (uint64_t)block[i] > most;
        }
        if (bad)
            return segment_damaged(segment, err, "a code above %u, the last there is", most);
        from += n;
        codes += n;
        count -= n;
    }
    return VARVE_OK;
}

static enum varve_status open_key(struct segment *segment, uint32_t k, struct varve_err *err)
{
    struct segment_key *key = &segment->key[k];
    if (key->opened || key->kind == SEGMENT_CONSTANT)
        return VARVE_OK;
    uint32_t count = segment->run_count;
    const struct segment_key *parent = NULL;
    if (key->kind >= SEGMENT_DERIVED) {
        parent = &segment->key[key->kind - SEGMENT_DERIVED];
        count = parent->values + 1;
    }
    TRY(segment_open_ints(segment, SEGMENT_CODES, k, count, &key->codes, err));
    if (parent && key->codes.count == 0 && parent->values > key->values)
        return segment_damaged(segment, err, "the map of label key %u is missing", k);
    if (parent && key->codes.count > 0) {
        TRY(segment_array(segment->arena, count, sizeof *key->map, &key->map, err));
        TRY(read_codes(segment, &key->codes, key->values, 0, count, key->map, err));
    }
    key->opened = true;
    return VARVE_OK;
}

enum varve_status segment_codes(struct segment *segment, uint32_t key, uint32_t from,
                                uint32_t count, uint32_t *codes, struct varve_err *err)
{
    if (key >= segment->key_count || from > segment->run_count || count > segment->run_count - from)
        return fail(err, VARVE_MISUSE, segment->blob.place, "codes of key %u, runs %u and on", key,
                    from);
    struct segment_key *k = &segment->key[key];
    TRY(open_key(segment, key, err));
    if (k->kind == SEGMENT_CONSTANT) {
        for (uint32_t i = 0; i < count; i++)
            codes[i] = 1;
        return VARVE_OK;
    }
    if (k->kind == SEGMENT_ROOT)
        return read_codes(segment, &k->codes, k->values, from, count, codes, err);
    TRY(segment_codes(segment, k->kind - SEGMENT_DERIVED, from, count, codes, err));
    for (uint32_t i = 0; i < count && k->map; i++)
        codes[i] = k->map[codes[i]];
    return VARVE_OK;
}

static enum varve_status read_dictionary(struct segment *segment, uint32_t k, struct arena *arena,
                                         const struct varve_str **texts, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    struct column column;
    struct varve_str *all;
    enum varve_status status =
        blob_section(&segment->blob, SEGMENT_DICT, (uint16_t)k, &bytes, &size, err);
    if (status == VARVE_NOTFOUND)
        return segment_damaged(segment, err, "the dictionary of label key %u is missing", k);
    TRY(status);
    TRY(column_open(&column, bytes, size, COLUMN_TEXTS, segment->blob.place, err));
    if (column.count != segment->key[k].values)
        return segment_damaged(segment, err, "%u values of label key %u, expected %u", column.count,
                               k, segment->key[k].values);
    TRY(column_all_texts(&column, segment->texts, arena, &all, err));
    *texts = all;
    return VARVE_OK;
}

enum varve_status
segment_dictionary(struct segment *segment, uint32_t key, struct arena *arena,
                   const struct varve_str **texts, uint32_t *count, struct varve_err *err)
{
    if (key >= segment->key_count)
        return fail(err, VARVE_MISUSE, segment->blob.place, "label key %u of %u", key,
                    segment->key_count);
    const struct segment_key *k = &segment->key[key];
    const struct varve_str *values = NULL;
    if (k->first_word != UINT32_MAX)
        values = segment->words + k->first_word;
    else
        TRY(read_dictionary(segment, key, arena, &values, err));
    struct varve_str *all = NULL;
    TRY(segment_array(arena, k->values + (size_t)1, sizeof *all, &all, err));
    all[0] = STR("");
    memcpy(all + 1, values, k->values * sizeof *all);
    *texts = all;
    *count = k->values + 1;
    return VARVE_OK;
}
