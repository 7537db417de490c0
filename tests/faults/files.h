/* SPDX-License-Identifier: Apache-2.0
 *
 * files.h -- directories of files for the fault tests: make, copy, compare, remove.
 *
 * These end the program with a message when the file system lets them down: a
 * test that cannot set up its files has nothing to say.
 */
#ifndef FAULTS_FILES_H
#define FAULTS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILES_PATH = 4096 };

/* A new empty directory, in memory where there is /dev/shm. */
void files_temp(char path[FILES_PATH], const char *label);
void files_remove(const char *path);                 /* a tree; one that is not there is fine */
void files_copy(const char *from, const char *to);   /* a tree to a place that is not there yet */
bool files_same(const char *a, const char *b);       /* the same names and the same bytes */
uint8_t *files_read(const char *path, size_t *size); /* free() it */
void files_write(const char *path, const void *bytes, size_t size);

/* Every file below path, by its path relative to it, in the order of names. */
struct files_list {
    char **names;
    size_t count;
};
struct files_list files_list(const char *path);
void files_list_free(struct files_list *list);

#endif
