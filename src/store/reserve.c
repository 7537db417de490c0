/* SPDX-License-Identifier: Apache-2.0
 *
 * reserve.c -- keeps and gives up the file `reserve`.
 */
#include "store/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static void reserve_path(const char *directory, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/reserve", directory);
}

int reserve_keep(const char *directory)
{
    char path[PATH_MAX];
    reserve_path(directory, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST;
    int bad = posix_fallocate(fd, 0, RESERVE_BYTES);
    close(fd);
    if (bad)
        unlink(path);
    return bad == 0;
}

int reserve_give_up(const char *directory)
{
    char path[PATH_MAX];
    reserve_path(directory, path);
    return unlink(path) == 0;
}
