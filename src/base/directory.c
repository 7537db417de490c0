/* SPDX-License-Identifier: Apache-2.0
 *
 * directory.c -- makes, syncs and measures directories.
 */
#include "base/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum varve_status directory_sync(const char *path, struct varve_err *err)
{
    char parent[PATH_MAX];
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    while (size > 0 && path[size - 1] != '/')
        size--;
    if (size >= sizeof parent)
        return fail(err, VARVE_LIMIT, "", "the path is longer than %zu bytes", sizeof parent);
    memcpy(parent, size ? path : ".", size ? size : 1);
    parent[size ? size : 1] = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, VARVE_IO, errno, parent, "cannot open the directory");
    int bad = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return bad ? fail_errno(err, VARVE_IO, bad, parent, "cannot sync the directory") : VARVE_OK;
}

enum varve_status directory_make(const char *path, struct varve_err *err)
{
    char partial[PATH_MAX];
    size_t size = strlen(path);
    if (size >= sizeof partial)
        return fail(err, VARVE_LIMIT, "", "the path is longer than %zu bytes", sizeof partial);
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, 0700) == 0)
            TRY(directory_sync(partial, err));
        else if (errno != EEXIST)
            return fail_errno(err, VARVE_IO, errno, partial, "cannot make the directory");
    }
    return VARVE_OK;
}

enum varve_status directory_sync_way(const char *path, struct varve_err *err)
{
    char partial[PATH_MAX];
    size_t size = strlen(path);
    if (size >= sizeof partial)
        return fail(err, VARVE_LIMIT, "", "the path is longer than %zu bytes", sizeof partial);
    for (size_t i = 1; i <= size; i++) {
        struct varve_err why;
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(partial, path, i);
        partial[i] = '\0';
        enum varve_status status = directory_sync(partial, &why);
        if (status == VARVE_OK || why.sys == EACCES || why.sys == EPERM)
            continue;
        if (err)
            *err = why;
        return status;
    }
    return VARVE_OK;
}

uint64_t directory_bytes(const char *path)
{
    uint64_t bytes = 0;
    DIR *directory = opendir(path);
    if (!directory)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct stat st;
        if (fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
            bytes += (uint64_t)st.st_blocks * 512;
    }
    closedir(directory);
    return bytes;
}
