/* SPDX-License-Identifier: Apache-2.0
 *
 * definitions.c -- views and lookups as settings with a slash in their names.
 */
#include "exec/definitions.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
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

/* The record of a lookup that is there, or one of no pieces. */
static enum varve_status old_record(struct store *store, struct varve_str name, struct arena *arena,
                                    struct record *record, struct varve_err *err)
{
    struct setting_name setting;
    struct varve_str text;
    *record = (struct record){0};
    enum varve_status status =
        store_setting_get(store, named(&setting, "lookup", name), arena, &text, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK;
    TRY(status);
    return parse_record(text, record)
               ? VARVE_OK
               : fail(err, VARVE_CORRUPT, "lookup", "the record of '%.*s' is none", STR_ARG(name));
}

static enum varve_status drop_pieces(struct store *store, struct varve_str name,
                                     const struct record *record, struct varve_err *err)
{
    struct setting_name setting;
    for (uint64_t i = 0; i < record->pieces; i++)
        TRY(store_setting_put(store, piece_name(&setting, name, record->generation, i), STR(""),
                              err));
    return VARVE_OK;
}

/* ---- lookups: all of them ----------------------------------------------------------- */

struct lookup_list {
    struct arena *arena;
    struct definition *items;
    uint32_t count, capacity;
    enum varve_status status;
};

static int list_lookup(void *context, struct varve_str name, struct varve_str value)
{
    struct lookup_list *list = context;
    struct varve_str short_name = behind(name, STR("lookup/"));
    if (short_name.size == 0)
        return 0;
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct definition *items = arena_alloc(list->arena, capacity * sizeof *items);
        if (items && list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    const char *name_copy = arena_copy(list->arena, short_name.data, short_name.size);
    const char *text_copy = arena_copy(list->arena, value.data, value.size);
    if (!list->items || !name_copy || !text_copy) {
        list->status = VARVE_NOMEM;
        return 1;
    }
    list->items[list->count++] =
        (struct definition){{name_copy, short_name.size}, {text_copy, value.size}};
    return 0;
}

static enum varve_status
read_pieces(struct store *store, struct varve_str name, const struct record *record,
            struct arena *arena, struct varve_str *csv, struct varve_err *err)
{
    struct setting_name setting;
    char *text = arena_alloc(arena, record->pieces * SETTING_VALUE_MAX + 1);
    if (!text)
        return fail_nomem(err, record->pieces * SETTING_VALUE_MAX);
    size_t size = 0;
    for (uint64_t i = 0; i < record->pieces; i++) {
        struct varve_str piece;
        enum varve_status status = store_setting_get(
            store, piece_name(&setting, name, record->generation, i), arena, &piece, err);
        if (status == VARVE_NOTFOUND)
            return fail(err, VARVE_CORRUPT, "lookup",
                        "a piece of '%.*s' is missing: create it anew", STR_ARG(name));
        TRY(status);
        memcpy(text + size, piece.data, piece.size);
        size += piece.size;
    }
    *csv = (struct varve_str){text, size};
    return VARVE_OK;
}

enum varve_status lookups_load(struct store *store, struct arena *arena, struct lookups *lookups,
                               struct varve_err *err)
{
    struct lookup_list list = {.arena = arena};
    TRY(store_visit_settings(store, list_lookup, &list, err));
    if (list.status != VARVE_OK)
        return fail_nomem(err, list.count * sizeof *list.items);
    *lookups = (struct lookups){.count = 0};
    lookups->items = arena_alloc(arena, (list.count + 1) * sizeof *lookups->items);
    if (!lookups->items)
        return fail_nomem(err, list.count * sizeof *lookups->items);
    for (uint32_t i = 0; i < list.count; i++) {
        struct record record;
        struct varve_str csv;
        if (!parse_record(list.items[i].text, &record))
            return fail(err, VARVE_CORRUPT, "lookup", "the record of '%.*s' is none",
                        STR_ARG(list.items[i].name));
        TRY(read_pieces(store, list.items[i].name, &record, arena, &csv, err));
        TRY(lookup_parse(list.items[i].name, record.on, csv, arena,
                         &lookups->items[lookups->count++], err));
    }
    return VARVE_OK;
}

/* ---- lookups: changing ---------------------------------------------------------------- */

enum varve_status
lookup_put(struct store *store, struct varve_str name, struct varve_str on, struct varve_str csv,
           bool replace, struct lookup *lookup, struct arena *arena, struct varve_err *err)
{
    struct record old;
    struct setting_name setting;
    char text[400];
    TRY(check_new(store, "lookup", name, replace, err));
    TRY(lookup_parse(name, on, csv, arena, lookup, err));
    TRY(old_record(store, name, arena, &old, err));
    struct record new = {old.generation + 1, 0, lookup->on};
    for (size_t at = 0; at < csv.size; new.pieces++) {
        /* A piece is valid UTF-8 by itself. */
        size_t n = str_cut((struct varve_str){csv.data + at, csv.size - at}, PIECE);
        TRY(store_setting_put(store, piece_name(&setting, name, new.generation, new.pieces),
                              (struct varve_str){csv.data + at, n}, err));
        at += n;
    }
    int n = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %.*s", new.generation, new.pieces,
                     (int)new.on.size, new.on.data);
    if (n < 0 || (size_t)n >= sizeof text)
        return fail(err, VARVE_LIMIT, "lookup", "the label's name is too long");
    TRY(store_setting_put(store, named(&setting, "lookup", name),
                          (struct varve_str){text, (size_t)n}, err));
    return drop_pieces(store, name, &old, err);
}

enum varve_status lookup_drop(struct store *store, struct varve_str name, struct varve_err *err)
{
    struct record old;
    struct arena arena;
    struct setting_name setting;
    TRY(check_there(store, "lookup", name, err));
    arena_init(&arena, &store->mem, 1 << 10);
    enum varve_status status = old_record(store, name, &arena, &old, err);
    if (status == VARVE_OK)
        status = store_setting_put(store, named(&setting, "lookup", name), STR(""), err);
    if (status == VARVE_OK)
        status = drop_pieces(store, name, &old, err);
    arena_free(&arena);
    return status;
}
