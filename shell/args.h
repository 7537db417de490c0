/* SPDX-License-Identifier: Apache-2.0
 *
 * args.h -- the command line, taken apart.
 *
 * Options may stand before or after the command and its words.  Which options a
 * command takes is its own affair: `seen` says which were given.
 */
#ifndef SHELL_ARGS_H
#define SHELL_ARGS_H

#include <stdbool.h>

enum arg_option { ARG_DB = 1, ARG_JSON = 2, ARG_UNTIL = 4, ARG_HELP = 8, ARG_VERSION = 16 };

#define ARGS_WORDS 16

struct args {
    const char *db, *until;
    unsigned seen;                 /* of enum arg_option */
    const char *words[ARGS_WORDS]; /* the command and what follows it */
    int count;
};

/* False after a message on standard error: an unknown option, a missing value, too many words. */
bool args_parse(struct args *args, int argc, char **argv);
/* The long name of an option, such as "--json". */
const char *args_option_name(enum arg_option option);

#endif
