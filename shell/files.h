/* SPDX-License-Identifier: Apache-2.0
 *
 * files.h -- the files that paths on the command line mean.
 *
 * A file means itself, "-" standard input, a directory all files below it, by
 * name, without those whose name begins with a dot.  The list owns its paths.
 */
#ifndef SHELL_FILES_H
#define SHELL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file {
    char *path;    /* "-": standard input */
    uint64_t size; /* 0 where it is not known before reading */
    bool named;    /* by the user, not met in a directory */
};

struct files {
    struct file *items;
    size_t count, capacity;
    uint64_t bytes;  /* of all */
    bool is_bounded; /* their sizes are known */
};

/* False after a message: something that is not there or cannot be read, or no memory. */
bool files_add(struct files *files, const char *path);
void files_free(struct files *files);

#endif
