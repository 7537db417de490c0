/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c -- the program `varve`: finds the command and runs it.
 *
 * Results go to standard output, all else to standard error.  A result that
 * could not be written is a failure, because a script that got half of it must
 * know; a reader that has seen enough (`varve stats | head -1`) ends the program
 * quietly by SIGPIPE.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "args.h"
#include "command.h"
#include "session.h"
#include "varve.h"

/* The first option that was given and that the command does not take. */
static uint64_t surplus_option(const struct command *command, const struct args *args)
{
    uint64_t surplus = args->seen & ~(command->options | ARG(HELP));
    return surplus & -surplus;
}

static enum exit_status run(const struct command *command, const struct args *args)
{
    char problem[64];
    uint64_t surplus = surplus_option(command, args);
    if (args->seen & ARG(HELP)) {
        help_command(command);
        return EXIT_DONE;
    }
    if (surplus) {
        snprintf(problem, sizeof problem, "takes no %s", args_option_name(surplus));
        return command_misused(command, problem);
    }
    if (args->count - 1 < command->least)
        return command_misused(command, "needs one thing more");
    if (command->most != WORDS_ANY && args->count - 1 > command->most) {
        snprintf(problem, sizeof problem, "does not expect '%.30s'",
                 args->words[command->most + 1]);
        return command_misused(command, problem);
    }
    return command->run(args);
}

/* `varve STORE`: one word that is a directory and no command. */
static bool is_store(const struct args *args)
{
    struct stat stat_buffer;
    if (args->count != 1 || stat(args->words[0], &stat_buffer) != 0)
        return false;
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(args->words[0], commands[i].name) == 0)
            return false;
    return S_ISDIR(stat_buffer.st_mode);
}

static enum exit_status dispatch(const struct args *args)
{
    if (args->count == 0 && (args->seen & ARG(VERSION))) {
        printf("varve %s\n", varve_version());
        return EXIT_DONE;
    }
    if (args->count == 0 && (args->seen & ARG(HELP))) {
        help_overview(stdout);
        return EXIT_DONE;
    }
    if (args->count == 0)
        return cmd_statements(args);
    const struct command *command = command_find(args->words[0]);
    return command ? run(command, args) : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct args args;
    /* A parent may have had it ignored, and then every write would be an error to report. */
    signal(SIGPIPE, SIG_DFL);
    bool parsed = args_parse(&args, argc, argv);
    if (parsed && !(args.seen & ARG(DB)) && is_store(&args)) {
        args.values[ARG_NUMBER_DB] = args.words[0];
        args.seen |= ARG(DB);
        args.count = 0;
    }
    enum exit_status status = parsed ? dispatch(&args) : EXIT_USAGE;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "error: cannot write the results: %s\n", strerror(errno));
        status = EXIT_FAILED;
    }
    args_free(&args);
    return status;
}
