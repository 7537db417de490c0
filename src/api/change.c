/* SPDX-License-Identifier: Apache-2.0
 *
 * change.c -- SET, CREATE, DROP and DELETE: statements that change what a store holds.
 *
 * A definition is checked before it is kept: a view has to be a sound query, a lookup sound
 * CSV.  That the names in a view mean something is seen when it is used, because what there is
 * changes.
 */
#include "api/change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lang/print.h"
#include "store/erase.h"
#include "store/setting.h"

static void note(struct running *run, const char *what, struct varve_str name, const char *more)
{
    snprintf(run->result->note, sizeof run->result->note, "%s %.*s%s", what, STR_ARG(name), more);
}

/* ---- SET ------------------------------------------------------------------------ */

/* What a constant says, as a setting keeps it. */
static enum varve_status constant_text(struct running *run, const struct expr *value,
                                       struct varve_str *text, struct varve_err *err)
{
    struct buf *out = &run->result->text;
    switch (value->kind) {
    case EXPR_NULL: /* SET name = NULL removes it */
        *text = STR("");
        return VARVE_OK;
    case EXPR_TEXT:
    case EXPR_NAME:
        *text = value->text;
        return VARVE_OK;
    case EXPR_INT:
    case EXPR_FLOAT:
    case EXPR_BOOL:
    case EXPR_DURATION:
    case EXPR_UNARY:
        print_expr(out, value);
        *text = (struct varve_str){(const char *)out->data, out->size};
        return buf_status(out, err);
    default:
        return lang_fail(run->error, VARVE_INVALID, value->place,
                         "a setting is a number or a text, such as 'quota'");
    }
}

enum varve_status change_set(struct running *run, struct varve_err *err)
{
    const struct statement *s = run->statement;
    struct varve_str text;
    TRY(constant_text(run, s->value, &text, err));
    TRY(varve_set((varve *)(void *)run->result->store, s->name, text, err));
    note(run, text.size > 0 ? "set" : "unset", s->name, "");
    return VARVE_OK;
}

/* ---- CREATE --------------------------------------------------------------------- */

static enum varve_status create_view(struct running *run, struct varve_err *err)
{
    const struct create *c = &run->statement->create;
    struct varve_result *r = run->result;
    if (c->body->kind != STATEMENT_QUERY)
        return lang_fail(run->error, VARVE_INVALID, c->body->place,
                         "a view is made of a SELECT; this is another statement");
    print_statement(&r->text, c->body);
    TRY(buf_status(&r->text, err));
    TRY(view_put(r->store, c->name, (struct varve_str){(const char *)r->text.data, r->text.size},
                 c->replace, err));
    note(run, "view", c->name, " is kept");
    return VARVE_OK;
}

static enum varve_status read_file(struct varve_str path, struct buf *out, struct varve_err *err)
{
    char name[4096];
    if (path.size >= sizeof name)
        return fail(err, VARVE_INVALID, "", "the file's name is too long");
    memcpy(name, path.data, path.size);
    name[path.size] = 0;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, VARVE_IO, errno, name, "cannot be opened");
    enum varve_status status = VARVE_OK;
    while (status == VARVE_OK && out->size <= LOOKUP_BYTES_MAX) {
        uint8_t *room = buf_room(out, 1 << 16);
        ssize_t n = room ? read(fd, room, 1 << 16) : 0;
        if (n > 0)
            buf_added(out, (size_t)n);
        else if (n < 0 && errno != EINTR)
            status = fail_errno(err, VARVE_IO, errno, name, "cannot be read");
        else if (n == 0)
            break;
    }
    close(fd);
    return status == VARVE_OK ? buf_status(out, err) : status;
}

static enum varve_status create_lookup(struct running *run, struct varve_err *err)
{
    const struct create *c = &run->statement->create;
    struct varve_result *r = run->result;
    struct lookup lookup;
    char more[64];
    if (c->on_count != 1)
        return lang_fail(run->error, VARVE_INVALID, c->name_place,
                         "a lookup is ON one label, such as user_email");
    TRY(read_file(c->file, &r->text, err));
    TRY(lookup_put(r->store, c->name, c->on[0],
                   (struct varve_str){(const char *)r->text.data, r->text.size}, c->replace,
                   &lookup, &r->arena, err));
    snprintf(more, sizeof more, " is kept: %llu rows", (unsigned long long)lookup.rows);
    note(run, "lookup", c->name, more);
    return VARVE_OK;
}

static enum varve_status unknown_object(struct running *run, struct varve_err *err)
{
    (void)err;
    return lang_fail(run->error, VARVE_INVALID, run->statement->place,
                     "this version keeps views and lookups, and no panels and alerts");
}

static enum varve_status drop_view(struct running *run, struct varve_err *err)
{
    return view_drop(run->result->store, run->statement->create.name, err);
}

static enum varve_status drop_lookup(struct running *run, struct varve_err *err)
{
    return lookup_drop(run->result->store, run->statement->create.name, err);
}

static const struct {
    enum varve_status (*create)(struct running *run, struct varve_err *err);
    enum varve_status (*drop)(struct running *run, struct varve_err *err);
} objects[] = {
    [OBJECT_VIEW] = {create_view, drop_view},
    [OBJECT_PANEL] = {unknown_object, unknown_object},
    [OBJECT_ALERT] = {unknown_object, unknown_object},
    [OBJECT_LOOKUP] = {create_lookup, drop_lookup},
};

enum varve_status change_create(struct running *run, struct varve_err *err)
{
    return objects[run->statement->create.object].create(run, err);
}

enum varve_status change_drop(struct running *run, struct varve_err *err)
{
    TRY(objects[run->statement->create.object].drop(run, err));
    note(run, "dropped", run->statement->create.name, "");
    return VARVE_OK;
}

/* ---- DELETE ----------------------------------------------------------------------- */

enum varve_status change_delete(struct running *run, struct varve_err *err)
{
    struct varve_result *r = run->result;
    struct schema schema = store_schema(&r->names);
    struct lower_options options = {.now = r->options.now, .zone = r->options.zone};
    struct erasure e;
    struct varve_erased erased;
    TRY(result_snapshot(r, err));
    TRY(lower_erasure(run->statement, &schema, &options, &r->arena, &e, run->error, err));
    struct varve_filter *filters = arena_zalloc(&r->arena, e.filter_count * sizeof *filters);
    if (!filters)
        return fail_nomem(err, e.filter_count * sizeof *filters);
    for (uint32_t i = 0; i < e.filter_count; i++)
        filters[i] = (struct varve_filter){e.filters[i].label.name, 0, e.filters[i].values,
                                           e.filters[i].value_count};
    const struct varve_erasure what = {e.source, e.since, INT64_MAX, filters, e.filter_count};
    TRY(store_erase(r->store, &what, &erased, err));
    snprintf(r->note, sizeof r->note,
             "deleted %llu points and %llu events; `varve compact` takes them out of the files",
             (unsigned long long)erased.points, (unsigned long long)erased.events);
    return VARVE_OK;
}
