/* SPDX-License-Identifier: Apache-2.0
 *
 * export_file.h -- where the bytes of an export go: standard output, or a file that has its name
 * only once it is whole.
 */
#ifndef SHELL_EXPORT_FILE_H
#define SHELL_EXPORT_FILE_H

#include <stdbool.h>

struct export_file {
    int fd;
    char *path, *temporary; /* NULL: written in place */
};

/* path NULL: standard output.  False with errno set. */
bool export_file_open(struct export_file *file, const char *path);
/* Gives the file its name if `good`, else removes it.  False with errno set: it could not be
 * finished, and is removed. */
bool export_file_close(struct export_file *file, bool good);

#endif
