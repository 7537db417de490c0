/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_help.c -- `varve help`: the overview, and one command at length.
 *
 * Both are printed from the table in command.c; only what is true of all
 * commands is written here.
 */
#include <stdio.h>
#include "command.h"

void help_overview(FILE *stream)
{
    fputs("usage: varve COMMAND [-d STORE] ...\n\n", stream);
    for (size_t i = 0; i < command_count; i++)
        fprintf(stream, "  %-8s  %s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "  -d, --db STORE   the store's directory; default $VARVE_DB, else\n"
          "                   $XDG_DATA_HOME/varve/telemetry.varve\n"
          "  --version        the version of program and library\n"
          "\n"
          "Exit status: 0 done, 1 failed, 2 wrong use, 130 interrupted.  'varve help COMMAND' says "
          "more.\n",
          stream);
}

void help_command(const struct command *command)
{
    printf("usage: varve %s %s\n\n%s.\n\n%s", command->name, command->usage, command->summary,
           command->help);
}

enum exit_status cmd_help(const struct args *args)
{
    if (args->count == 1) {
        help_overview(stdout);
        return EXIT_DONE;
    }
    const struct command *command = command_find(args->words[1]);
    if (!command)
        return EXIT_USAGE;
    help_command(command);
    return EXIT_DONE;
}
