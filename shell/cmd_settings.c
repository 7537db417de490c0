/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_settings.c -- `varve settings`: small texts that a store keeps under names.
 *
 * Without words: all of them.  With a name: its value, as it stands.  With a
 * name and a value: set it; an empty value removes it, and "-" reads it from standard input.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "place.h"
#include "text.h"

#define VALUE_MAX (1u << 20) /* more than any store takes: the library says what it takes */

struct wanted {
    struct varve_str name; /* data NULL: all */
    bool found;
};

/* A value of several lines begins on a line of its own, indented. */
static void print_setting(struct varve_str name, struct varve_str value)
{
    bool lines = memchr(value.data, '\n', value.size) != NULL;
    printf("%.*s = %s", (int)name.size, name.data, lines ? "\n  " : "");
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] != '\n')
            putchar(value.data[i]);
        else if (i + 1 < value.size)
            fputs("\n  ", stdout);
    }
    putchar('\n');
}

static int visit(void *context, struct varve_str name, struct varve_str value)
{
    struct wanted *wanted = context;
    if (!wanted->name.data) {
        print_setting(name, value);
        return 0;
    }
    if (name.size != wanted->name.size || memcmp(name.data, wanted->name.data, name.size) != 0)
        return 0;
    wanted->found = true;
    fwrite(value.data, 1, value.size, stdout);
    if (value.size == 0 || value.data[value.size - 1] != '\n')
        putchar('\n');
    return 1;
}

static enum exit_status show(const struct args *args, const char *name)
{
    struct wanted wanted = {.found = false};
    struct varve_err err = {0};
    varve *db;
    enum exit_status opened = place_open(args, VARVE_RDONLY, &db);
    if (opened != EXIT_DONE)
        return opened;
    if (name)
        wanted.name = varve_str(name);
    enum varve_status status = varve_visit_settings(db, visit, &wanted, &err);
    varve_close(db);
    if (status != VARVE_OK) {
        text_error(&err);
        return EXIT_FAILED;
    }
    if (name && !wanted.found) {
        fprintf(stderr, "error: '%s' is not set\n", name);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* False after a message. */
static bool read_value(char **text, struct varve_str *value)
{
    *text = malloc(VALUE_MAX);
    if (!*text) {
        fprintf(stderr, "error: out of memory\n");
        return false;
    }
    size_t size = fread(*text, 1, VALUE_MAX, stdin);
    if (ferror(stdin)) {
        fprintf(stderr, "error: standard input: %s\n", strerror(errno));
        return false;
    }
    *value = (struct varve_str){*text, size};
    return true;
}

/* A rule that is kept under a name nobody reads keeps nothing out. */
static void remark(const char *name)
{
    static const char *const known[] = {"rules"};
    const char *nearest = text_nearest(name, known, 1);
    if (nearest && strcmp(name, nearest) != 0)
        fprintf(stderr, "note: '%s' is kept, but means nothing to varve (did you mean '%s'?)\n",
                name, nearest);
}

static enum exit_status set(const struct args *args, const char *name, const char *given)
{
    struct varve_str value = varve_str(given);
    struct varve_err err = {0};
    char *text = NULL;
    varve *db;
    enum exit_status status = EXIT_FAILED;
    if (strcmp(given, "-") == 0 && !read_value(&text, &value))
        goto out;
    status = place_open(args, VARVE_CREATE, &db);
    if (status != EXIT_DONE)
        goto out;
    if (varve_set(db, varve_str(name), value, &err) != VARVE_OK) {
        text_error(&err);
        status = EXIT_FAILED;
    } else {
        remark(name);
    }
    varve_close(db);
out:
    free(text);
    return status;
}

enum exit_status cmd_settings(const struct args *args)
{
    if (args->count > 2)
        return set(args, args->words[1], args->words[2]);
    return show(args, args->count == 2 ? args->words[1] : NULL);
}
