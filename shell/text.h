/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h -- numbers, times and names as people and programs read them.
 */
#ifndef SHELL_TEXT_H
#define SHELL_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "varve.h"

#define TEXT_NUMBER 32
/* "1234567", or "1,234,567" where standard output is a terminal. */
const char *text_count(uint64_t value, char text[TEXT_NUMBER]);

#define TEXT_TIME 48
/* "2026-10-08T08:15:18.137Z"; cut, not rounded, to the millisecond. */
const char *text_time(int64_t instant, char text[TEXT_TIME]);

/* The name that is at most two edits (and under half the word) away from `word`, or NULL. */
const char *text_nearest(const char *word, const char *const *names, size_t count);

/* A text broken between its words into lines of so many columns, all but the first indented; 0: one
 * line.  No newline behind it. */
void text_words(FILE *stream, struct varve_str text, int columns, int indent);

/* "error: PLACE: MESSAGE" on standard error, in lines that fit into a terminal. */
void text_error(const struct varve_err *err);

#endif
