/* SPDX-License-Identifier: Apache-2.0
 *
 * place.c -- which store is meant, and opening it.
 *
 * The default follows the XDG base directories: data of the user, found again
 * by every command without a word on the command line.  Nothing is created
 * here; a store comes into being with the first write.
 */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

bool place_find(const struct args *args, char path[PLACE_PATH])
{
    const char *given = ARG_VALUE(args, DB) ? ARG_VALUE(args, DB) : environment("VARVE_DB");
    const char *data = environment("XDG_DATA_HOME"), *home = environment("HOME");
    int size;
    if (given)
        size = snprintf(path, PLACE_PATH, "%s", given);
    else if (data && data[0] == '/') /* a relative one is to be ignored, says the XDG page */
        size = snprintf(path, PLACE_PATH, "%s/varve/telemetry.varve", data);
    else if (home)
        size = snprintf(path, PLACE_PATH, "%s/.local/share/varve/telemetry.varve", home);
    else {
        fprintf(stderr, "error: which store? give -d STORE or set VARVE_DB\n");
        return false;
    }
    if (size >= PLACE_PATH) {
        fprintf(stderr, "error: the path of the store is longer than %d bytes\n", PLACE_PATH - 1);
        return false;
    }
    return true;
}

static bool is_ours(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lock") == 0 ||
           strcmp(name, "reserve") == 0 || strstr(name, ".mdb") != NULL;
}

/* A store is not made among other files: who names such a directory means another one.  False
 * after a message. */
static bool may_be_made(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry = NULL;
    bool is_store = false, others = false;
    if (!directory && errno == ENOTDIR) {
        fprintf(stderr, "error: %s is not a directory, and a store is one\n", path);
        return false;
    }
    if (!directory)
        return true; /* the library knows better */
    while ((entry = readdir(directory)) != NULL) {
        is_store = is_store || strcmp(entry->d_name, "main.mdb") == 0;
        others = others || !is_ours(entry->d_name);
    }
    closedir(directory);
    if (is_store || !others)
        return true;
    fprintf(stderr,
            "error: %s has files in it, and none is a store's; name a new directory or an empty "
            "one\n",
            path);
    return false;
}

enum exit_status place_open(const struct args *args, unsigned flags, varve **db)
{
    char path[PLACE_PATH];
    return place_find(args, path) ? place_open_path(path, flags, db) : EXIT_USAGE;
}

enum exit_status place_open_path(const char *path, unsigned flags, varve **db)
{
    struct varve_options options = {.flags = flags};
    struct varve_err err = {0};
    if ((flags & VARVE_CREATE) && !may_be_made(path))
        return EXIT_FAILED;
    if (varve_open(path, &options, db, &err) == VARVE_OK)
        return EXIT_DONE;
    text_error(&err);
    if (err.status == VARVE_CORRUPT)
        fprintf(stderr, "  'varve verify -d %s' names all that is damaged\n", path);
    return EXIT_FAILED;
}
