/* SPDX-License-Identifier: Apache-2.0
 *
 * definitions.c -- views and lookups as settings with a slash in their names.
 */
#include "exec/definitions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "store/house.h"
#include "store/setting.h"

enum { NAME_MOST = 64, PIECE = 60000 };

static bool is_name(struct varve_str name)
{
    if (name.size == 0 || name.size > NAME_MOST)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '.' || c == '-' || (unsigned char)c >= 0x80))
            return false;
    }
    return true;
}

static enum varve_status check_name(struct varve_str name, struct varve_err *err)
{
    if (is_name(name))
        return VARVE_OK;
    return fail(err, VARVE_INVALID, "name",
                "'%.*s' cannot be a name; use up to %d letters, digits, _ - and .", STR_ARG(name),
                NAME_MOST);
}

/* A setting's name made of parts, in a buffer of the caller's. */
struct setting_name {
    char text[200];
};

static struct varve_str named(struct setting_name *name, const char *kind, struct varve_str what)
{
    int n = snprintf(name->text, sizeof name->text, "%s/%.*s", kind, (int)what.size, what.data);
    return (struct varve_str){name->text, (size_t)n};
}

static struct varve_str
piece_name(struct setting_name *name, struct varve_str what, uint64_t generation, uint64_t piece)
{
    int n = snprintf(name->text, sizeof name->text, "lookup/%.*s/%" PRIu64 "/%" PRIu64,
                     (int)what.size, what.data, generation, piece);
    return (struct varve_str){name->text, (size_t)n};
}

/* What follows "view/" in a name without another slash; size 0: it is none. */
static struct varve_str behind(struct varve_str name, struct varve_str prefix)
{
    if (name.size <= prefix.size || memcmp(name.data, prefix.data, prefix.size) != 0)
        return STR("");
    name.data += prefix.size;
    name.size -= prefix.size;
    return memchr(name.data, '/', name.size) ? STR("") : name;
}

/* ---- views -------------------------------------------------------------------- */

struct view_visit {
    int (*visit)(void *, const struct definition *);
    void *context;
};

static int visit_view(void *context, struct varve_str name, struct varve_str value)
{
    const struct view_visit *v = context;
    struct definition view = {behind(name, STR("view/")), value};
    return view.name.size > 0 ? v->visit(v->context, &view) : 0;
}

enum varve_status views_visit(struct store *store, int (*visit)(void *, const struct definition *),
                              void *context, struct varve_err *err)
{
    struct view_visit v = {visit, context};
    return store_visit_settings(store, visit_view, &v, err);
}

enum varve_status view_find(struct store *store, struct varve_str name, struct arena *arena,
                            struct varve_str *text, struct varve_err *err)
{
    struct setting_name setting;
    if (!is_name(name))
        return VARVE_NOTFOUND;
    return store_setting_get(store, named(&setting, "view", name), arena, text, err);
}

/* VARVE_OK: there is a setting of this name. */
static enum varve_status
has_setting(struct store *store, struct varve_str name, struct varve_err *err)
{
    struct arena arena;
    struct varve_str value;
    arena_init(&arena, &store->mem, 1 << 10);
    enum varve_status status = store_setting_get(store, name, &arena, &value, err);
    arena_free(&arena);
    return status;
}

/* Whether a definition may be made: VARVE_OK. */
static enum varve_status check_new(struct store *store, const char *kind, struct varve_str name,
                                   bool replace, struct varve_err *err)
{
    struct setting_name setting;
    TRY(check_name(name, err));
    enum varve_status status = has_setting(store, named(&setting, kind, name), err);
    if (status == VARVE_NOTFOUND || (status == VARVE_OK && replace))
        return VARVE_OK;
    if (status != VARVE_OK)
        return status;
    return fail(err, VARVE_INVALID, kind, "there is a %s '%.*s' already; CREATE OR REPLACE does it",
                kind, STR_ARG(name));
}

enum varve_status view_put(struct store *store, struct varve_str name, struct varve_str text,
                           bool replace, struct varve_err *err)
{
    struct setting_name setting;
    TRY(check_new(store, "view", name, replace, err));
    return store_setting_put(store, named(&setting, "view", name), text, err);
}

static enum varve_status
check_there(struct store *store, const char *kind, struct varve_str name, struct varve_err *err)
{
    struct setting_name setting;
    enum varve_status status =
        is_name(name) ? has_setting(store, named(&setting, kind, name), err) : VARVE_NOTFOUND;
    if (status == VARVE_NOTFOUND)
        return fail(err, status, kind, "there is no %s '%.*s'", kind, STR_ARG(name));
    return status;
}

enum varve_status view_drop(struct store *store, struct varve_str name, struct varve_err *err)
{
    struct setting_name setting;
    TRY(check_there(store, "view", name, err));
    return store_setting_put(store, named(&setting, "view", name), STR(""), err);
}

/* ---- lookups: the record ----------------------------------------------------------- */

struct record {
    uint64_t generation, pieces;
    struct varve_str on;
};

static bool parse_record(struct varve_str text, struct record *record)
{
    char copy[400];
    int used = 0;
    if (text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    if (sscanf(copy, "%" SCNu64 " %" SCNu64 " %n", &record->generation, &record->pieces, &used) < 2)
        return false;
    record->on = (struct varve_str){text.data + used, text.size - (size_t)used};
    return record->on.size > 0 && record->pieces <= LOOKUP_BYTES_MAX / PIECE + 1;
}

/* ---- lookups: all of them ----------------------------------------------------------- */

/* Records and pieces as they were at one moment, by name. */
struct lookup_settings {
    struct arena *arena;
    struct definition *items;
    size_t count, capacity;
    enum varve_status status;
};

static bool begins_with(struct varve_str text, struct varve_str prefix)
{
    return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

static int take_setting(void *context, struct varve_str name, struct varve_str value)
{
    struct lookup_settings *all = context;
    if (!begins_with(name, STR("lookup/")))
        return 0;
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 16;
        struct definition *items = arena_alloc(all->arena, capacity * sizeof *items);
        if (items && all->count > 0)
            memcpy(items, all->items, all->count * sizeof *items);
        all->items = items;
        all->capacity = capacity;
    }
    const char *name_copy = arena_copy(all->arena, name.data, name.size);
    const char *text_copy = arena_copy(all->arena, value.data, value.size);
    if (!all->items || !name_copy || !text_copy) {
        all->status = VARVE_NOMEM;
        return 1;
    }
    all->items[all->count++] = (struct definition){{name_copy, name.size}, {text_copy, value.size}};
    return 0;
}

static enum varve_status take_settings(struct store *store, struct arena *arena,
                                       struct lookup_settings *all, struct varve_err *err)
{
    *all = (struct lookup_settings){.arena = arena};
    TRY(store_visit_settings(store, take_setting, all, err));
    return all->status == VARVE_OK ? VARVE_OK : fail_nomem(err, all->count * sizeof *all->items);
}

static int compare_definitions(const void *a, const void *b)
{
    return str_compare(((const struct definition *)a)->name, ((const struct definition *)b)->name);
}

static const struct definition *
find_setting(const struct lookup_settings *all, struct varve_str name)
{
    const struct definition wanted = {.name = name};
    if (all->count == 0)
        return NULL;
    return bsearch(&wanted, all->items, all->count, sizeof wanted, compare_definitions);
}

static enum varve_status
join_pieces(const struct lookup_settings *all, struct varve_str name, const struct record *record,
            struct varve_str *csv, struct varve_err *err)
{
    struct setting_name setting;
    char *text = arena_alloc(all->arena, record->pieces * SETTING_VALUE_MAX + 1);
    if (!text)
        return fail_nomem(err, record->pieces * SETTING_VALUE_MAX);
    size_t size = 0;
    for (uint64_t i = 0; i < record->pieces; i++) {
        const struct definition *piece =
            find_setting(all, piece_name(&setting, name, record->generation, i));
        if (!piece)
            return fail(err, VARVE_CORRUPT, "lookup",
                        "a piece of '%.*s' is missing; CREATE OR REPLACE makes it anew",
                        STR_ARG(name));
        memcpy(text + size, piece->text.data, piece->text.size);
        size += piece->text.size;
    }
    *csv = (struct varve_str){text, size};
    return VARVE_OK;
}

enum varve_status lookups_load(struct store *store, struct arena *arena, struct lookups *lookups,
                               struct varve_err *err)
{
    struct lookup_settings all;
    TRY(take_settings(store, arena, &all, err));
    *lookups = (struct lookups){.count = 0};
    lookups->items = arena_alloc(arena, (all.count + 1) * sizeof *lookups->items);
    if (!lookups->items)
        return fail_nomem(err, all.count * sizeof *lookups->items);
    for (size_t i = 0; i < all.count; i++) {
        struct record record;
        struct varve_str csv, name = behind(all.items[i].name, STR("lookup/"));
        if (name.size == 0)
            continue;
        if (!parse_record(all.items[i].text, &record))
            return fail(err, VARVE_CORRUPT, "lookup",
                        "the record of '%.*s' is none; CREATE OR REPLACE makes it anew",
                        STR_ARG(name));
        TRY(join_pieces(&all, name, &record, &csv, err));
        TRY(lookup_parse(name, record.on, csv, arena, &lookups->items[lookups->count++], err));
    }
    return VARVE_OK;
}

/* ---- lookups: changing ---------------------------------------------------------------- */

/* What there is of one lookup. */
struct lookup_state {
    struct lookup_settings all;
    struct varve_str prefix; /* of its pieces */
    struct record record;    /* of no pieces if there is none, or if it is not sound */
    uint64_t newest;         /* generation that has left anything */
};

/* The generation and the number that a setting's name has behind the prefix. */
static bool
parse_piece(struct varve_str name, struct varve_str prefix, uint64_t *generation, uint64_t *number)
{
    char copy[64];
    int used = 0;
    if (!begins_with(name, prefix) || name.size - prefix.size >= sizeof copy)
        return false;
    memcpy(copy, name.data + prefix.size, name.size - prefix.size);
    copy[name.size - prefix.size] = 0;
    return sscanf(copy, "%" SCNu64 "/%" SCNu64 "%n", generation, number, &used) == 2 &&
           (size_t)used == name.size - prefix.size;
}

static enum varve_status look_at(struct store *store, struct varve_str name, struct arena *arena,
                                 struct lookup_state *state, struct varve_err *err)
{
    struct setting_name setting;
    uint64_t generation, number;
    *state = (struct lookup_state){.newest = 0};
    TRY(take_settings(store, arena, &state->all, err));
    const struct definition *record = find_setting(&state->all, named(&setting, "lookup", name));
    if (record && !parse_record(record->text, &state->record))
        state->record = (struct record){0};
    state->newest = state->record.generation;
    int n = snprintf(setting.text, sizeof setting.text, "lookup/%.*s/", (int)name.size, name.data);
    state->prefix = (struct varve_str){arena_copy(arena, setting.text, (size_t)n), (size_t)n};
    if (!state->prefix.data)
        return fail_nomem(err, (size_t)n);
    for (size_t i = 0; i < state->all.count; i++)
        if (parse_piece(state->all.items[i].name, state->prefix, &generation, &number) &&
            generation > state->newest)
            state->newest = generation;
    return VARVE_OK;
}

/* Removes the pieces that the record does not name: what has been replaced, and what a process left
 * that did not come to its record. */
static enum varve_status drop_others(struct store *store, const struct lookup_state *state,
                                     const struct record *record, struct varve_err *err)
{
    uint64_t generation, number;
    for (size_t i = 0; i < state->all.count; i++) {
        struct varve_str name = state->all.items[i].name;
        if (parse_piece(name, state->prefix, &generation, &number) &&
            (generation != record->generation || number >= record->pieces))
            TRY(store_setting_put(store, name, STR(""), err));
    }
    return VARVE_OK;
}

static enum varve_status
put_pieces(struct store *store, struct varve_str name, struct varve_str csv, struct record *record,
           struct varve_err *err)
{
    struct setting_name setting;
    for (size_t at = 0; at < csv.size; record->pieces++) {
        /* A piece is valid UTF-8 by itself. */
        size_t n = str_cut((struct varve_str){csv.data + at, csv.size - at}, PIECE);
        TRY(store_setting_put(store, piece_name(&setting, name, record->generation, record->pieces),
                              (struct varve_str){csv.data + at, n}, err));
        at += n;
    }
    return VARVE_OK;
}

/* Changes of lookups come one behind the other, for each clears away what it does not know. */
static enum varve_status lock(struct store *store, struct lock *house, struct varve_err *err)
{
    if (store->read_only)
        return fail(err, VARVE_READONLY, store->path, "the store is open for reading only");
    return house_wait(store, house, err);
}

static enum varve_status replace(struct store *store, struct varve_str name, struct varve_str csv,
                                 struct varve_str on, struct arena *arena, struct varve_err *err)
{
    struct lookup_state state;
    struct setting_name setting;
    char text[400];
    TRY(look_at(store, name, arena, &state, err));
    TRY(drop_others(store, &state, &state.record, err));
    struct record new = {state.newest + 1, 0, on};
    TRY(put_pieces(store, name, csv, &new, err));
    int n = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %.*s", new.generation, new.pieces,
                     (int)on.size, on.data);
    if (n < 0 || (size_t)n >= sizeof text)
        return fail(err, VARVE_LIMIT, "lookup", "the label's name is too long");
    TRY(store_setting_put(store, named(&setting, "lookup", name),
                          (struct varve_str){text, (size_t)n}, err));
    return drop_others(store, &state, &new, err);
}

enum varve_status
lookup_put(struct store *store, struct varve_str name, struct varve_str on, struct varve_str csv,
           bool may_replace, struct lookup *lookup, struct arena *arena, struct varve_err *err)
{
    struct lock house;
    TRY(lookup_parse(name, on, csv, arena, lookup, err));
    TRY(lock(store, &house, err));
    enum varve_status status = check_new(store, "lookup", name, may_replace, err);
    if (status == VARVE_OK)
        status = replace(store, name, csv, lookup->on, arena, err);
    lock_release(&house);
    return status;
}

static enum varve_status
drop_all(struct store *store, struct varve_str name, struct arena *arena, struct varve_err *err)
{
    struct lookup_state state;
    struct setting_name setting;
    const struct record none = {0};
    TRY(look_at(store, name, arena, &state, err));
    TRY(store_setting_put(store, named(&setting, "lookup", name), STR(""), err));
    return drop_others(store, &state, &none, err);
}

enum varve_status lookup_drop(struct store *store, struct varve_str name, struct varve_err *err)
{
    struct arena arena;
    struct lock house;
    TRY(lock(store, &house, err));
    arena_init(&arena, &store->mem, 1 << 10);
    enum varve_status status = check_there(store, "lookup", name, err);
    if (status == VARVE_OK)
        status = drop_all(store, name, &arena, err);
    arena_free(&arena);
    lock_release(&house);
    return status;
}
