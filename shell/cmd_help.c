/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_help.c -- `varve help`: the overview, and one command at length.
 *
 * Both are printed from the table in command.c; only what is true of all
 * commands is written here.
 */
#include <stdio.h>
#include "command.h"
#include "output.h"

void help_overview(FILE *stream)
{
    fputs("usage: varve COMMAND [-d STORE] ...\n"
          "       varve [-d STORE] [options] [STORE]            the interactive shell; a pipe is "
          "run\n"
          "       varve [-d STORE] [options] -c STATEMENT ...   statements\n"
          "       varve [-d STORE] [options] -f FILE ...        scripts\n\n",
          stream);
    for (size_t i = 0; i < command_count; i++)
        fprintf(stream, "  %-8s  %s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "  -d, --db STORE     the store's directory; default $VARVE_DB, else\n"
          "                     $XDG_DATA_HOME/varve/telemetry.varve\n"
          "  -c, --command S    run a statement, or a command such as .mode; may be repeated\n"
          "  -f, --file FILE    run a script; - is standard input\n"
          "  -m, --mode MODE    how results are shown:",
          stream);
    for (int i = 0; i < OUTPUT_MODES; i++)
        fprintf(stream, "%s%s", i > 0 && i % 5 == 0 ? "\n                     " : " ",
                output_formats[i].name);
    fputs("\n"
          "  --now TIME         the time that `now` means\n"
          "  --tz ZONE          of days and months, and of times in tables; default UTC\n"
          "  --timeout D        a statement that takes longer fails; 30s, 2m\n"
          "  --max-rows N       one with more rows fails\n"
          "  --max-memory SIZE  one that needs more fails; 500M, 2G\n"
          "  --threads N        that read at once; default as many as processors, up to 8\n"
          "  --keep-going       the rest of a script is run after an error\n"
          "  --no-rc            the interactive shell without $XDG_CONFIG_HOME/varve/rc\n"
          "  -q, --quiet        no greeting, no progress on the terminal\n"
          "  --version          the version of program and library\n"
          "\n"
          "Environment: VARVE_DB, PAGER, NO_COLOR, CLICOLOR_FORCE, XDG_{DATA,CONFIG,STATE}_HOME.\n"
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
