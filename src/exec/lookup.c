/* SPDX-License-Identifier: Apache-2.0
 *
 * lookup.c -- reads a lookup's CSV and finds values in it.
 *
 * The rows become one array of texts, sorted by their key, and are found by halving: a
 * lookup is asked once for each entry of a dictionary, not once a row.
 */
#include "exec/lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/names.h"

enum { FIELDS_MOST = 64, ROWS_MOST = 1 << 20 };

/* row[0] is the key, behind it come the fields; `number` keeps the order of the file. */
struct lookup_row {
    const struct varve_str *texts;
    uint64_t number;
};
struct lookup_table {
    struct lookup_row *rows;
    uint64_t count;
};

/* ---- CSV ------------------------------------------------------------------- */

struct csv {
    const char *at, *end;
    uint64_t line;
    struct varve_str name; /* of the lookup, for messages */
    struct arena *arena;
    struct varve_err *err;
};

static enum varve_status bad(const struct csv *csv, const char *what)
{
    char place[96];
    snprintf(place, sizeof place, "lookup %.*s, line %llu", STR_ARG(csv->name),
             (unsigned long long)csv->line);
    return fail(csv->err, VARVE_INVALID, place, "%s", what);
}

/* A field in quotes: doubled quotes stand for one. */
static enum varve_status quoted_field(struct csv *csv, struct varve_str *field)
{
    const char *from = ++csv->at;
    size_t size = 0;
    /* As long as what is left to the closing quote, at most. */
    const char *p = from;
    while (p < csv->end && (*p != '"' || (p + 1 < csv->end && p[1] == '"')))
        p += *p == '"' ? 2 : 1;
    if (p >= csv->end)
        return bad(csv, "a quoted field does not end");
    char *text = arena_alloc(csv->arena, (size_t)(p - from) + 1);
    if (!text)
        return fail_nomem(csv->err, (size_t)(p - from));
    for (const char *q = from; q < p; q += *q == '"' ? 2 : 1) {
        text[size++] = *q;
        csv->line += *q == '\n';
    }
    csv->at = p + 1;
    *field = (struct varve_str){text, size};
    if (csv->at < csv->end && !strchr(",\r\n", *csv->at))
        return bad(csv, "something follows a quoted field; put a comma there");
    return VARVE_OK;
}

static enum varve_status read_field(struct csv *csv, struct varve_str *field)
{
    if (csv->at < csv->end && *csv->at == '"')
        return quoted_field(csv, field);
    const char *from = csv->at;
    while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\n' && *csv->at != '\r')
        csv->at++;
    *field = (struct varve_str){from, (size_t)(csv->at - from)};
    return VARVE_OK;
}

/* The fields of a line into the array; *count 0 at the end of the file. */
static enum varve_status
read_line(struct csv *csv, struct varve_str *fields, uint32_t most, uint32_t *count)
{
    *count = 0;
    while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r'))
        csv->line += *csv->at++ == '\n'; /* empty lines are none */
    if (csv->at == csv->end)
        return VARVE_OK;
    for (;;) {
        if (*count == most)
            return bad(csv, "it has more fields than the header, or more than 64");
        TRY(read_field(csv, &fields[(*count)++]));
        if (csv->at == csv->end || *csv->at != ',')
            return VARVE_OK;
        csv->at++;
    }
}

/* ---- the table ---------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct lookup_row *x = a, *y = b;
    int c = str_compare(x->texts[0], y->texts[0]);
    return c ? c : (x->number > y->number) - (x->number < y->number);
}

/* Of rows with one key the first in the file counts. */
static void sort_rows(struct lookup_table *table)
{
    uint64_t n = 0;
    qsort(table->rows, table->count, sizeof *table->rows, by_key);
    for (uint64_t i = 0; i < table->count; i++)
        if (n == 0 || !str_equal(table->rows[n - 1].texts[0], table->rows[i].texts[0]))
            table->rows[n++] = table->rows[i];
    table->count = n;
}

static enum varve_status
read_header(struct csv *csv, struct lookup *lookup, uint32_t *key, uint32_t *columns)
{
    struct varve_str header[FIELDS_MOST];
    TRY(read_line(csv, header, FIELDS_MOST, columns));
    *key = UINT32_MAX;
    for (uint32_t i = 0; i < *columns; i++)
        if (*key == UINT32_MAX && str_equal(names_label(header[i]), lookup->on))
            *key = i;
    if (*columns < 2 || *key == UINT32_MAX) {
        char what[200];
        snprintf(what, sizeof what,
                 "the header needs a column '%.*s' and at least one other; it begins '%.*s'",
                 STR_ARG(lookup->on), STR_ARG(*columns ? header[0] : STR("")));
        return bad(csv, what);
    }
    lookup->fields = arena_alloc(csv->arena, *columns * sizeof *lookup->fields);
    if (!lookup->fields)
        return fail_nomem(csv->err, *columns * sizeof *lookup->fields);
    for (uint32_t i = 0; i < *columns; i++) {
        if (i == *key)
            continue;
        if (header[i].size == 0)
            return bad(csv, "a column of the header has no name");
        for (uint32_t k = 0; k < lookup->field_count; k++)
            if (str_equal(lookup->fields[k], header[i]))
                return bad(csv, "two columns of the header have the same name");
        lookup->fields[lookup->field_count++] = header[i];
    }
    return VARVE_OK;
}

/* Keeps a line's fields with the key in front. */
static enum varve_status keep_row(struct csv *csv, const struct varve_str *line, uint32_t columns,
                                  uint32_t key, struct lookup_row *row)
{
    struct varve_str *texts = arena_alloc(csv->arena, columns * sizeof *texts);
    if (!texts)
        return fail_nomem(csv->err, columns * sizeof *texts);
    uint32_t n = 0;
    texts[n++] = line[key];
    for (uint32_t i = 0; i < columns; i++)
        if (i != key)
            texts[n++] = line[i];
    row->texts = texts;
    return VARVE_OK;
}

static uint64_t count_lines(struct varve_str text)
{
    uint64_t n = 1;
    for (size_t i = 0; i < text.size; i++)
        n += text.data[i] == '\n' || text.data[i] == '\r';
    return n;
}

enum varve_status lookup_parse(struct varve_str name, struct varve_str on, struct varve_str csv,
                               struct arena *arena, struct lookup *lookup, struct varve_err *err)
{
    struct csv reader = {csv.data, csv.data + csv.size, 1, name, arena, err};
    if (csv.size > LOOKUP_BYTES_MAX)
        return fail(err, VARVE_LIMIT, "lookup", "the file is larger than %u MB",
                    LOOKUP_BYTES_MAX >> 20);
    if (!str_is_utf8(csv))
        return bad(&reader, "the file is not UTF-8");
    if (csv.size >= 3 && memcmp(csv.data, "\xef\xbb\xbf", 3) == 0)
        reader.at += 3; /* what some programs put in front */
    *lookup = (struct lookup){.name = name, .on = names_label(on)};
    uint32_t key, columns;
    TRY(read_header(&reader, lookup, &key, &columns));
    uint64_t most = count_lines(csv);
    struct lookup_table *table = arena_zalloc(arena, sizeof *table);
    struct lookup_row *rows = arena_alloc(arena, mem_array(most, sizeof *rows));
    if (!table || !rows || most > ROWS_MOST)
        return most > ROWS_MOST ? bad(&reader, "the file has more than a million lines")
                                : fail_nomem(err, most * sizeof *rows);
    table->rows = rows;
    for (;;) {
        struct varve_str line[FIELDS_MOST];
        uint32_t count;
        TRY(read_line(&reader, line, columns, &count));
        if (count == 0)
            break;
        if (count < columns)
            return bad(&reader, "it has fewer fields than the header");
        TRY(keep_row(&reader, line, columns, key, &rows[table->count]));
        rows[table->count].number = table->count;
        table->count++;
    }
    sort_rows(table);
    lookup->table = table;
    lookup->rows = table->count;
    return VARVE_OK;
}

/* ---- finding --------------------------------------------------------------------- */

const struct lookup *lookup_find(const struct lookups *lookups, struct varve_str name)
{
    for (uint32_t i = 0; i < lookups->count; i++)
        if (str_equal(lookups->items[i].name, name))
            return &lookups->items[i];
    return NULL;
}

uint32_t lookup_field(const struct lookup *lookup, struct varve_str field)
{
    uint32_t i = 0;
    while (i < lookup->field_count && !str_equal(lookup->fields[i], field))
        i++;
    return i;
}

struct varve_str lookup_value(const struct lookup *lookup, uint32_t field, struct varve_str key)
{
    uint64_t low = 0, high = lookup->table->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int c = str_compare(lookup->table->rows[middle].texts[0], key);
        if (c == 0)
            return lookup->table->rows[middle].texts[1 + field];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return STR("");
}
