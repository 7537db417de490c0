/* SPDX-License-Identifier: Apache-2.0
 *
 * files.c -- directories of files for the fault tests.
 *
 * Plain recursion over directories; links and special files do not occur.
 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void die(const char *what, const char *path)
{
    fprintf(stderr, "cannot %s %s: %s\n", what, path, strerror(errno));
    exit(99);
}

static void join(char out[FILES_PATH], const char *directory, const char *name)
{
    if (snprintf(out, FILES_PATH, "%s/%s", directory, name) >= FILES_PATH) {
        errno = ENAMETOOLONG;
        die("name", name);
    }
}

void files_temp(char path[FILES_PATH], const char *label)
{
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
    static unsigned number;
    do
        snprintf(path, FILES_PATH, "%s/varve-%s-%ld-%u", root ? root : "/tmp", label,
                 (long)getpid(), number++);
    while (mkdir(path, 0700) != 0 && errno == EEXIST && number < 1000);
    if (access(path, W_OK) != 0)
        die("make", path);
}

static bool is_directory(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

typedef void visit_fn(const char *directory, const char *name, void *context);

static void each_entry(const char *directory, visit_fn *visit, void *context)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    if (count < 0)
        die("list", directory);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            visit(directory, name, context);
        free(entries[i]);
    }
    free(entries);
}

static void remove_entry(const char *directory, const char *name, void *context)
{
    char path[FILES_PATH];
    (void)context;
    join(path, directory, name);
    files_remove(path);
}

void files_remove(const char *path)
{
    if (is_directory(path)) {
        each_entry(path, remove_entry, NULL);
        if (rmdir(path) != 0)
            die("remove", path);
    } else if (unlink(path) != 0 && errno != ENOENT) {
        die("remove", path);
    }
}

static void copy_entry(const char *directory, const char *name, void *context)
{
    char from[FILES_PATH], to[FILES_PATH];
    join(from, directory, name);
    join(to, context, name);
    files_copy(from, to);
}

void files_copy(const char *from, const char *to)
{
    if (!is_directory(from)) {
        size_t size;
        uint8_t *bytes = files_read(from, &size);
        files_write(to, bytes, size);
        free(bytes);
        return;
    }
    char target[FILES_PATH];
    snprintf(target, sizeof target, "%s", to);
    if (mkdir(to, 0700) != 0)
        die("make", to);
    each_entry(from, copy_entry, target);
}

uint8_t *files_read(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        die("read", path);
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    size_t got = 0;
    while (bytes && got < (size_t)st.st_size) {
        ssize_t n = read(fd, bytes + got, (size_t)st.st_size - got);
        if (n <= 0)
            die("read", path);
        got += (size_t)n;
    }
    if (!bytes)
        die("hold", path);
    close(fd);
    *size = got;
    return bytes;
}

void files_write(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        die("write", path);
    const uint8_t *from = bytes;
    while (size > 0) {
        ssize_t n = write(fd, from, size);
        if (n <= 0)
            die("write", path);
        from += n;
        size -= (size_t)n;
    }
    if (close(fd) != 0)
        die("write", path);
}

struct lister {
    struct files_list list;
    size_t root;
};

static void list_entry(const char *directory, const char *name, void *context)
{
    struct lister *lister = context;
    char path[FILES_PATH];
    join(path, directory, name);
    if (is_directory(path)) {
        each_entry(path, list_entry, lister);
        return;
    }
    struct files_list *list = &lister->list;
    char **names = realloc(list->names, (list->count + 1) * sizeof *names);
    if (!names || !(names[list->count] = strdup(path + lister->root)))
        die("list", path);
    list->names = names;
    list->count++;
}

struct files_list files_list(const char *path)
{
    struct lister lister = {.root = strlen(path) + 1};
    each_entry(path, list_entry, &lister);
    return lister.list;
}

void files_list_free(struct files_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct files_list){NULL, 0};
}

static bool same_file(const char *a, const char *b)
{
    size_t n, m;
    uint8_t *x = files_read(a, &n), *y = files_read(b, &m);
    bool same = n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

bool files_same(const char *a, const char *b)
{
    struct files_list x = files_list(a), y = files_list(b);
    bool same = x.count == y.count;
    for (size_t i = 0; same && i < x.count; i++) {
        char p[FILES_PATH], q[FILES_PATH];
        join(p, a, x.names[i]);
        join(q, b, y.names[i]);
        same = strcmp(x.names[i], y.names[i]) == 0 && same_file(p, q);
    }
    files_list_free(&x);
    files_list_free(&y);
    return same;
}
