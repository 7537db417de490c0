/* SPDX-License-Identifier: Apache-2.0
 *
 * export_file.c -- a file that is there as a whole or not at all.
 *
 * It is written beside its place under another name and renamed when all of it is
 * on disk, so what was there before stays until then, and half an export is never
 * taken for one.  What is no regular file (a pipe, a device) is written in place.
 */
#include "export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t usual_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* Beside what `path` leads to, which keeps its permissions if it is there. */
static bool open_beside(struct export_file *file, const char *path, const struct stat *about)
{
    static const char ending[] = ".XXXXXX";
    file->path = about ? realpath(path, NULL) : strdup(path);
    size_t size = file->path ? strlen(file->path) : 0;
    file->temporary = file->path ? malloc(size + sizeof ending) : NULL;
    if (!file->temporary)
        return false;
    memcpy(file->temporary, file->path, size);
    memcpy(file->temporary + size, ending, sizeof ending);
    file->fd = mkostemp(file->temporary, O_CLOEXEC);
    if (file->fd < 0)
        return false;
    if (fchmod(file->fd, about ? about->st_mode & 0777 : usual_mode()) == 0)
        return true;
    export_file_close(file, false);
    return false;
}

static void forget(struct export_file *file)
{
    int kept = errno;
    free(file->path);
    free(file->temporary);
    *file = (struct export_file){.fd = -1};
    errno = kept;
}

bool export_file_open(struct export_file *file, const char *path)
{
    struct stat about;
    *file = (struct export_file){.fd = STDOUT_FILENO};
    /* Where standard output is closed, the first file of the store would take its place. */
    if (!path)
        return fcntl(file->fd, F_GETFD) >= 0;
    bool exists = stat(path, &about) == 0;
    if (exists && !S_ISREG(about.st_mode)) {
        file->fd = open(path, O_WRONLY | O_CLOEXEC);
        return file->fd >= 0;
    }
    if (open_beside(file, path, exists ? &about : NULL))
        return true;
    forget(file);
    return false;
}

bool export_file_close(struct export_file *file, bool good)
{
    bool done = true;
    if (file->fd < 0 || (file->fd == STDOUT_FILENO && !file->temporary))
        return true;
    if (good && file->temporary)
        done = fdatasync(file->fd) == 0;
    int failure = errno;
    if (close(file->fd) != 0 && done) {
        done = false;
        failure = errno;
    }
    if (file->temporary && good && done && rename(file->temporary, file->path) != 0) {
        done = false;
        failure = errno;
    }
    if (file->temporary && !(good && done))
        unlink(file->temporary);
    errno = failure;
    forget(file);
    return done || !good;
}
