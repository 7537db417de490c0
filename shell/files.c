/* SPDX-License-Identifier: Apache-2.0
 *
 * files.c -- walks directories, in the order of names so that two runs are alike.
 *
 * Links to files are followed, links to directories inside a directory are not:
 * a walk ends.  Whatever is no regular file is passed over in a directory and taken when it was
 * named: a pipe is a fine thing to read from.
 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 64

static bool complain(const char *path, int error)
{
    fprintf(stderr, "error: %s: %s\n", path, strerror(error));
    return false;
}

/* Takes over `path`. */
static bool add_file(struct files *files, char *path, const struct stat *about, bool named)
{
    if (files->count == files->capacity) {
        size_t capacity = files->capacity ? 2 * files->capacity : 64;
        struct file *items = realloc(files->items, capacity * sizeof *items);
        if (!items) {
            free(path);
            return complain("the list of files", ENOMEM);
        }
        files->items = items;
        files->capacity = capacity;
    }
    bool is_regular = about && S_ISREG(about->st_mode);
    uint64_t size = is_regular ? (uint64_t)about->st_size : 0;
    files->is_bounded = (files->count == 0 || files->is_bounded) && is_regular;
    files->items[files->count++] = (struct file){path, size, named};
    files->bytes += size;
    return true;
}

static char *join(const char *directory, const char *name)
{
    size_t size = strlen(directory), more = strlen(name);
    bool slash = size > 0 && directory[size - 1] == '/';
    char *path = malloc(size + more + 2);
    if (path) {
        memcpy(path, directory, size);
        if (!slash)
            path[size++] = '/';
        memcpy(path + size, name, more + 1);
    }
    return path;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool add_directory(struct files *files, const char *path, int depth);

/* Takes over `path`. */
static bool add_entry(struct files *files, char *path, int depth)
{
    struct stat link, about;
    bool done = true;
    if (lstat(path, &link) != 0 || stat(path, &about) != 0)
        done = errno == ENOENT || complain(path, errno); /* gone meanwhile, or a dead link */
    else if (S_ISREG(about.st_mode))
        return add_file(files, path, &about, false);
    else if (S_ISDIR(link.st_mode))
        done = add_directory(files, path, depth + 1);
    free(path);
    return done;
}

static bool add_directory(struct files *files, const char *path, int depth)
{
    struct dirent **entries;
    if (depth > DEPTH_MAX)
        return complain(path, ELOOP);
    int count = scandir(path, &entries, is_visible, alphasort);
    if (count < 0)
        return complain(path, errno);
    bool done = true;
    for (int i = 0; i < count; i++) {
        char *entry = done ? join(path, entries[i]->d_name) : NULL;
        if (done && !entry)
            done = complain(path, ENOMEM);
        if (done)
            done = add_entry(files, entry, depth);
        free(entries[i]);
    }
    free(entries);
    return done;
}

bool files_add(struct files *files, const char *path)
{
    struct stat about;
    bool is_input = strcmp(path, "-") == 0;
    if (!is_input && stat(path, &about) != 0)
        return complain(path, errno);
    if (!is_input && S_ISDIR(about.st_mode))
        return add_directory(files, path, 0);
    char *copy = strdup(path);
    return copy ? add_file(files, copy, is_input ? NULL : &about, true) : complain(path, ENOMEM);
}

void files_free(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->items[i].path);
    free(files->items);
}
