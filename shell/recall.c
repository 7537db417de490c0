/* SPDX-License-Identifier: Apache-2.0
 *
 * recall.c -- the statements of earlier days.
 *
 * In the file a newline inside an entry is \n and a backslash \\, so an entry is a line.  When the
 * file has grown well beyond what is kept it is replaced by its newest part, through a new file
 * and a rename: at no moment is there half a history.
 */
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_ENTRIES = 5000, LONGEST_ENTRY = 1 << 16, FILE_MOST = 4 << 20 };

/* ---- where ----------------------------------------------------------------------- */

static bool find_path(char *path, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;
    if (state && state[0] == '/')
        n = snprintf(path, size, "%s/varve/history", state);
    else if (home && home[0])
        n = snprintf(path, size, "%s/.local/state/varve/history", home);
    else
        return false;
    return n > 0 && (size_t)n < size;
}

static void make_directories(const char *path)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *at = copy + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(copy, 0700);
        *at = '/';
    }
}

/* ---- the list ---------------------------------------------------------------------- */

static bool push(struct recall *list, char *entry)
{
    if (list->count == MOST_ENTRIES) {
        free(list->entries[0]);
        memmove(list->entries, list->entries + 1, (MOST_ENTRIES - 1) * sizeof *list->entries);
        list->count--;
    }
    if (list->count == list->capacity) {
        size_t capacity = 2 * list->capacity + 64;
        char **entries = realloc(list->entries, capacity * sizeof *entries);
        if (!entries)
            return false;
        list->entries = entries;
        list->capacity = capacity;
    }
    list->entries[list->count++] = entry;
    return true;
}

static char *unescaped(const char *line, size_t size)
{
    char *entry = malloc(size + 1), *to = entry;
    for (size_t i = 0; entry && i < size; i++) {
        bool escaped = line[i] == '\\' && i + 1 < size;
        i += escaped;
        *to++ = (char)(escaped && line[i] == 'n' ? '\n' : line[i]);
    }
    if (entry)
        *to = '\0';
    return entry;
}

static void put_escaped(FILE *file, const char *entry)
{
    for (; *entry; entry++) {
        if (*entry == '\n')
            fputs("\\n", file);
        else if (*entry == '\\')
            fputs("\\\\", file);
        else
            fputc(*entry, file);
    }
    fputc('\n', file);
}

/* ---- the file ------------------------------------------------------------------------ */

/* The newest entries alone, in a new file under the old name. */
static void replace_file(const struct recall *list)
{
    char path[4120];
    snprintf(path, sizeof path, "%s.%ld", list->path, (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file)
        return;
    for (size_t i = 0; i < list->count; i++)
        put_escaped(file, list->entries[i]);
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    if (failed || rename(path, list->path) != 0)
        unlink(path);
}

void recall_load(struct recall *list)
{
    char *line = NULL;
    size_t capacity = 0, lines = 0, bytes = 0;
    ssize_t n;
    *list = (struct recall){0};
    if (!find_path(list->path, sizeof list->path)) {
        list->path[0] = '\0';
        return;
    }
    FILE *file = fopen(list->path, "re");
    if (!file)
        return;
    while ((n = getline(&line, &capacity, file)) > 0) {
        size_t size = (size_t)n - (line[n - 1] == '\n');
        bytes += (size_t)n;
        lines++;
        if (size == 0 || size > 2 * (size_t)LONGEST_ENTRY || memchr(line, '\0', size))
            continue;
        char *entry = unescaped(line, size);
        if (!entry || !push(list, entry))
            free(entry);
    }
    free(line);
    fclose(file);
    if (lines > 2 * (size_t)MOST_ENTRIES || bytes > FILE_MOST)
        replace_file(list);
}

bool recall_add(struct recall *list, struct varve_str entry)
{
    if (entry.size == 0 || entry.size > LONGEST_ENTRY || memchr(entry.data, '\0', entry.size))
        return false;
    const char *last = list->count > 0 ? list->entries[list->count - 1] : "";
    if (strlen(last) == entry.size && memcmp(last, entry.data, entry.size) == 0)
        return false;
    char *copy = strndup(entry.data, entry.size);
    if (!copy || !push(list, copy)) {
        free(copy);
        return false;
    }
    if (!list->path[0])
        return true;
    make_directories(list->path);
    int fd = open(list->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (!file)
        return true;
    put_escaped(file, copy);
    fclose(file);
    return true;
}

void recall_free(struct recall *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i]);
    free(list->entries);
    *list = (struct recall){0};
}
