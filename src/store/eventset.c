/* SPDX-License-Identifier: Apache-2.0
 *
 * eventset.c -- taking events in: checking, interning, identity.
 *
 * Names repeat from event to event, and so do most texts, so they go through a
 * small table of the names seen last and the text each had, indexed by a few
 * bytes of the name; a hit costs a comparison and saves the check of UTF-8, the hash and
 * the search.
 *
 * An identity is the sum of the hashes of the cells, mixed with table and
 * time.  The sum makes it free of order; the type is hashed with the value, so
 * 1 and 1.0 and "1" are three values, and an empty text is not an absent one.
 *
 * Invariant: every text in the set is valid UTF-8, and a failed call adds no event
 * (texts it had interned stay until the set is cleared; nothing refers to them).
 */
#include "store/eventset.h"

#include "base/bytes.h"
#include "base/err.h"

#include <stdio.h>
#include <string.h>

enum varve_status
eventset_init(struct eventset *set, struct mem *mem, uint64_t seed, struct varve_err *err)
{
    memset(set, 0, sizeof *set);
    set->mem = mem;
    arena_init(&set->arena, mem, 1 << 14);
    return intern_init(&set->texts, mem, seed, err);
}

void eventset_free(struct eventset *set)
{
    mem_free(set->mem, set->events, set->capacity * sizeof *set->events);
    set->events = NULL;
    set->count = set->capacity = 0;
    intern_free(&set->texts);
    arena_free(&set->arena);
}

enum varve_status eventset_clear(struct eventset *set, struct varve_err *err)
{
    set->count = 0;
    memset(set->recent, 0, sizeof set->recent);
    arena_clear(&set->arena);
    return intern_clear(&set->texts, err);
}

enum varve_status eventset_reserve(struct eventset *set, size_t more, struct varve_err *err)
{
    if (more > SIZE_MAX - set->count)
        return fail_nomem(err, SIZE_MAX);
    void *events = set->events;
    TRY(mem_grow(set->mem, &events, &set->capacity, set->count + more, sizeof *set->events, err));
    set->events = events;
    return VARVE_OK;
}

/* ---- identity ---- */

struct h128 identity_of_value(uint32_t type, int64_t bits, struct h128 text, uint64_t seed)
{
    if (type == VARVE_TEXT)
        return h128_pair((struct h128){VARVE_TEXT, VARVE_TEXT}, text);
    uint8_t bytes[12];
    store32(bytes, type);
    store64(bytes + 4, (uint64_t)bits);
    return hash128(bytes, sizeof bytes, seed);
}

struct h128 identity_of_cell(struct h128 name, struct h128 value)
{
    return h128_pair(name, value);
}

struct h128 identity_of_event(struct h128 table, int64_t time, struct h128 cells, uint64_t seed)
{
    uint8_t bytes[8];
    store64(bytes, (uint64_t)time);
    return h128_pair(h128_pair(table, hash128(bytes, sizeof bytes, seed)), cells);
}

static struct h128 identity_of(const struct eventset *set, uint32_t table, int64_t time,
                               const struct cell *cells, size_t count)
{
    const struct interned *texts = set->texts.items;
    uint64_t seed = set->texts.seed;
    struct h128 sum = {0, 0};
    for (size_t i = 0; i < count; i++) {
        struct h128 text = {0, 0};
        if (cells[i].type == VARVE_TEXT)
            text = texts[cells[i].bits].hash;
        struct h128 value = identity_of_value(cells[i].type, cells[i].bits, text, seed);
        sum = h128_add(sum, identity_of_cell(texts[cells[i].column].hash, value));
    }
    return identity_of_event(texts[table].hash, time, sum, seed);
}

/* ---- names and values ---- */

/* What is being looked at: a field of the event, or (fields NULL) the table's name. */
struct subject {
    const struct varve_field *fields;
    size_t field;
    size_t slot; /* of its name, in set->recent */
};

static enum varve_status
check_name(struct varve_str name, const struct subject *subject, struct varve_err *err)
{
    char what[48] = "the name of the table";
    if (subject->fields)
        snprintf(what, sizeof what, "the name of field %zu of the event", subject->field + 1);
    if (name.size == 0)
        return fail(err, VARVE_INVALID, "", "%s is empty; give it one", what);
    if (name.size > EVENT_NAME_MAX)
        return fail(err, VARVE_LIMIT, "", "%s has %zu bytes; at most %d are allowed", what,
                    name.size, EVENT_NAME_MAX);
    if (!str_is_utf8(name))
        return fail(err, VARVE_INVALID, "", "%s is not valid UTF-8", what);
    return VARVE_OK;
}

static enum varve_status name_id(struct eventset *set, struct varve_str name,
                                 struct subject *subject, uint32_t *id, struct varve_err *err)
{
    subject->slot = intern_slot(name);
    uint32_t known = set->recent[subject->slot].name;
    if (known && str_equal(intern_text(&set->texts, known), name)) {
        *id = known;
        return VARVE_OK;
    }
    TRY(check_name(name, subject, err));
    TRY(intern_put(&set->texts, name, id, err));
    set->recent[subject->slot].name = *id;
    return VARVE_OK;
}

static enum varve_status
check_text(struct varve_str name, struct varve_str text, struct varve_err *err)
{
    if (text.size > EVENT_TEXT_MAX)
        return fail(err, VARVE_LIMIT, "",
                    "field \"%.*s\" of the event has a text of %zu bytes; at most %d are allowed",
                    STR_ARG(name), text.size, EVENT_TEXT_MAX);
    if (!str_is_utf8(text))
        return fail(err, VARVE_INVALID, "",
                    "the text of field \"%.*s\" of the event is not valid UTF-8", STR_ARG(name));
    return VARVE_OK;
}

static enum varve_status
text_id(struct eventset *set, const struct subject *subject, uint32_t *id, struct varve_err *err)
{
    const struct varve_field *field = &subject->fields[subject->field];
    uint32_t *known = &set->recent[subject->slot].text;
    if (str_equal(intern_text(&set->texts, *known), field->value.as.s)) {
        *id = *known;
        return VARVE_OK;
    }
    TRY(check_text(field->name, field->value.as.s, err));
    TRY(intern_put(&set->texts, field->value.as.s, id, err));
    *known = *id;
    return VARVE_OK;
}

static enum varve_status
make_cell(struct eventset *set, struct subject *subject, struct cell *cell, struct varve_err *err)
{
    uint32_t text;
    const struct varve_field *field = &subject->fields[subject->field];
    TRY(name_id(set, field->name, subject, &cell->column, err));
    cell->type = (uint32_t)field->value.type;
    switch (field->value.type) {
    case VARVE_INT:
        cell->bits = field->value.as.i;
        return VARVE_OK;
    case VARVE_BOOL:
        cell->bits = field->value.as.i != 0;
        return VARVE_OK;
    case VARVE_FLOAT:
        memcpy(&cell->bits, &field->value.as.f, sizeof cell->bits);
        return VARVE_OK;
    case VARVE_TEXT:
        TRY(text_id(set, subject, &text, err));
        cell->bits = text;
        return VARVE_OK;
    case VARVE_NULL:
        break;
    }
    return fail(err, VARVE_INVALID, "",
                "field \"%.*s\" of the event has type %d, which is no type of a value",
                STR_ARG(field->name), (int)field->value.type);
}

/* ---- adding ---- */

/* By column number.  Events of one sender come in one order, so this is mostly a look. */
static void sort_cells(struct cell *cells, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct cell cell = cells[i];
        size_t at = i;
        for (; at > 0 && cells[at - 1].column > cell.column; at--)
            cells[at] = cells[at - 1];
        cells[at] = cell;
    }
}

/* The event of these cells, which are sorted. */
static enum varve_status
put_event(struct eventset *set, struct event event, const struct cell *cells, struct varve_err *err)
{
    TRY(eventset_reserve(set, 1, err));
    size_t bytes = event.cells * sizeof *cells;
    struct cell *copy = arena_alloc(&set->arena, bytes);
    if (!copy)
        return fail_nomem(err, bytes);
    memcpy(copy, cells, bytes);
    event.cell = copy;
    set->events[set->count++] = event;
    return VARVE_OK;
}

enum varve_status
eventset_add(struct eventset *set, struct varve_str table, int64_t time,
             const struct varve_field *fields, size_t count, struct varve_err *err)
{
    struct cell cells[EVENT_CELLS_MAX];
    struct subject subject = {NULL, 0, 0};
    struct event event = {.time = time};
    TRY(name_id(set, table, &subject, &event.table, err));
    subject.fields = fields;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value.type == VARVE_NULL)
            continue;
        if (event.cells == EVENT_CELLS_MAX)
            return fail(err, VARVE_LIMIT, "",
                        "the event has more than %d fields; \"%.*s\" is one too many",
                        EVENT_CELLS_MAX, STR_ARG(fields[i].name));
        subject.field = i;
        TRY(make_cell(set, &subject, &cells[event.cells++], err));
    }
    sort_cells(cells, event.cells);
    for (size_t i = 1; i < event.cells; i++)
        if (cells[i].column == cells[i - 1].column)
            return fail(err, VARVE_INVALID, "", "field \"%.*s\" is given twice in one event",
                        STR_ARG(intern_text(&set->texts, cells[i].column)));
    event.identity = identity_of(set, event.table, time, cells, event.cells);
    return put_event(set, event, cells, err);
}

/* The text of another set's number. */
static enum varve_status
import_text(struct eventset *set, const struct eventset *from, uint32_t text, uint32_t *texts,
            uint32_t *id, struct varve_err *err)
{
    const struct interned *item = &from->texts.items[text];
    if (texts && texts[text] != HASH_NONE) {
        *id = texts[text];
        return VARVE_OK;
    }
    TRY(intern_put_hash(&set->texts, item->text, item->hash, id, err));
    if (texts)
        texts[text] = *id;
    return VARVE_OK;
}

enum varve_status
eventset_import_mapped(struct eventset *set, const struct eventset *from, const struct event *event,
                       uint32_t *texts, struct varve_err *err)
{
    struct cell cells[EVENT_CELLS_MAX];
    struct event copy = *event;
    if (set->texts.seed != from->texts.seed || event->cells > EVENT_CELLS_MAX)
        return fail(err, VARVE_MISUSE, "", "the event is of a set with another seed");
    TRY(import_text(set, from, event->table, texts, &copy.table, err));
    for (size_t i = 0; i < event->cells; i++) {
        uint32_t text;
        cells[i] = event->cell[i];
        TRY(import_text(set, from, event->cell[i].column, texts, &cells[i].column, err));
        if (cells[i].type != VARVE_TEXT)
            continue;
        TRY(import_text(set, from, (uint32_t)event->cell[i].bits, texts, &text, err));
        cells[i].bits = text;
    }
    sort_cells(cells, copy.cells);
    return put_event(set, copy, cells, err);
}

enum varve_status eventset_import(struct eventset *set, const struct eventset *from,
                                  const struct event *event, struct varve_err *err)
{
    return eventset_import_mapped(set, from, event, NULL, err);
}
