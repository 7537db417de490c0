/* SPDX-License-Identifier: Apache-2.0
 *
 * command.h -- the table of commands, from which dispatch, help and "did you mean" are made.
 */
#ifndef SHELL_COMMAND_H
#define SHELL_COMMAND_H

#include <stddef.h>
#include <stdio.h>
#include "args.h"

/* What the program says to the one who called it. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* a statement or an input failed */
    EXIT_USAGE = 2,  /* wrong use */
    EXIT_INTERRUPTED = 130
};

#define WORDS_ANY (-1) /* as `most`: no bound */

struct command {
    const char *name;
    const char *usage;   /* what follows the name */
    const char *summary; /* one line, no full stop */
    const char *help;    /* paragraphs, each line ended */
    uint64_t options;    /* of ARG(); --help always goes */
    int least, most;     /* words after the command; most may be WORDS_ANY */
    enum exit_status (*run)(const struct args *args);
};

extern const struct command commands[];
extern const size_t command_count;

/* NULL after a message that names the nearest command. */
const struct command *command_find(const char *name);
/* "error: ..." about a command's words, with its usage; answers EXIT_USAGE. */
enum exit_status command_misused(const struct command *command, const char *problem);

enum exit_status cmd_stats(const struct args *args);
enum exit_status cmd_verify(const struct args *args);
enum exit_status cmd_compact(const struct args *args);
enum exit_status cmd_seal(const struct args *args);
enum exit_status cmd_backup(const struct args *args);
enum exit_status cmd_retain(const struct args *args);
enum exit_status cmd_ingest(const struct args *args);
enum exit_status cmd_settings(const struct args *args);
enum exit_status cmd_gen(const struct args *args);
enum exit_status cmd_export(const struct args *args);
enum exit_status cmd_help(const struct args *args);

/* The list of commands, for `varve help` and for a `varve` without any. */
void help_overview(FILE *stream);
void help_command(const struct command *command);

#endif
