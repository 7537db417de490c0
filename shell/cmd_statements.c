/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_statements.c -- `varve` without a command: statements of -c and -f, of a pipe, of a person.
 */
#include <string.h>
#include <unistd.h>

#include "interactive.h"
#include "place.h"

static const uint64_t takes = ARG(DB) | ARG(NOW) | ARG(COMMAND) | ARG(FILE) | ARG(MODE) | ARG(TZ) |
                              ARG(TIMEOUT) | ARG(MAX_ROWS) | ARG(MAX_MEMORY) | ARG(THREADS) |
                              ARG(KEEP_GOING) | ARG(NO_RC) | ARG(QUIET);

static void interrupted(int number)
{
    (void)number;
    session_interrupted = 1;
}

static enum exit_status run_all(struct session *session, const struct args *args)
{
    enum exit_status worst = EXIT_DONE;
    for (int i = 0; i < args->statement_count && !session->quit; i++) {
        struct varve_str text = varve_str(args->statements[i]);
        size_t used;
        enum exit_status status = args->is_file[i] ? session_file(session, args->statements[i])
                                                   : session_text(session, text, true, &used);
        if (status == EXIT_DONE)
            continue;
        worst = worst == EXIT_DONE ? status : worst;
        if (!session->keep_going || status == EXIT_INTERRUPTED)
            return status;
    }
    return worst;
}

enum exit_status cmd_statements(const struct args *args)
{
    struct session session;
    struct sigaction action = {.sa_handler = interrupted};
    uint64_t surplus = args->seen & ~takes;
    if (surplus) {
        fprintf(stderr, "error: %s goes with a command; see 'varve help'\n",
                args_option_name(surplus & -surplus));
        return EXIT_USAGE;
    }
    bool interactive = args->statement_count == 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    enum exit_status status = session_begin(&session, args, interactive);
    if (status != EXIT_DONE)
        return status;
    sigaction(SIGINT, &action, NULL);
    if (args->statement_count > 0)
        status = run_all(&session, args);
    else
        status = interactive ? interactive_run(&session) : session_file(&session, "-");
    if (session_interrupted && status == EXIT_DONE)
        status = EXIT_INTERRUPTED;
    session_end(&session);
    return status;
}
