/* SPDX-License-Identifier: Apache-2.0
 *
 * scratch.h -- a directory of its own for each test, and raw access to files in it.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
    char directory[256];
    char path[512]; /* of what scratch_path made last */
};

static inline void scratch_make(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch->directory, sizeof scratch->directory, "%.200s/varve-test.XXXXXX",
             base && *base ? base : "/tmp");
    if (!mkdtemp(scratch->directory)) {
        perror(scratch->directory);
        abort();
    }
}

static inline const char *scratch_path(struct scratch *scratch, const char *name)
{
    snprintf(scratch->path, sizeof scratch->path, "%s/%s", scratch->directory, name);
    return scratch->path;
}

/* How many names there are in the directory. */
static inline int scratch_count(const struct scratch *scratch)
{
    int count = 0;
    DIR *dir = opendir(scratch->directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return count;
}

/* Removes the files in the directory and, if it is empty then, the directory. */
static inline void scratch_remove(struct scratch *scratch)
{
    chmod(scratch->directory, 0700);
    DIR *dir = opendir(scratch->directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(scratch->directory);
}

static inline size_t scratch_read(const char *path, uint8_t **bytes)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        abort();
    *bytes = malloc((size_t)st.st_size + 1);
    if (!*bytes || read(fd, *bytes, (size_t)st.st_size) != st.st_size)
        abort();
    close(fd);
    return (size_t)st.st_size;
}

static inline void scratch_write(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    close(fd);
}

#endif
