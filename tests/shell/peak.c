/* SPDX-License-Identifier: Apache-2.0
 *
 * peak.c -- `peak FILE COMMAND ...` runs a command, writes the KiB of memory that it had at most
 * into the file, and ends as it ended.  No test itself.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    FILE *file = argc > 2 ? fopen(argv[1], "w") : NULL;
    if (!file) {
        fputs("usage: peak FILE COMMAND ...\n", stderr);
        return 2;
    }
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 1;
    fprintf(file, "%ld\n", usage.ru_maxrss);
    if (fclose(file) != 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
