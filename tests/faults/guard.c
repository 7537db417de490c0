/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.c -- running a check that may crash or hang, in a child.
 *
 * The answer comes back through a shared page, so that the exit status of a sanitizer
 * or of an exit() deep in a library cannot be taken for one.
 */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct page {
    bool finished;
    int answer;
    char text[GUARD_TEXT];
};

static struct page *shared_page(void)
{
    static struct page *page;
    if (!page) {
        void *p =
            mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) {
            perror("mmap");
            exit(99);
        }
        page = p;
    }
    memset(page, 0, sizeof *page);
    return page;
}

static int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* No words, no core files, no long report of a sanitizer about a crash that is only counted. */
static void be_quiet(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    int null = open("/dev/null", O_WRONLY);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        signal(deadly[i], SIG_DFL);
}

int guard_run(int (*check)(void *context, char text[GUARD_TEXT]), void *context, unsigned seconds,
              int quiet, char text[GUARD_TEXT])
{
    struct page *page = shared_page();
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(99);
    }
    if (child == 0) {
        if (quiet)
            be_quiet();
        signal(SIGALRM, SIG_DFL);
        alarm(seconds);
        page->answer = check(context, page->text);
        page->finished = true;
        fflush(NULL);
        _exit(0);
    }
    int status = wait_for(child);
    memcpy(text, page->text, GUARD_TEXT);
    text[GUARD_TEXT - 1] = 0;
    if (page->finished)
        return page->answer;
    bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    size_t length = strlen(text);
    snprintf(text + length, GUARD_TEXT - length, "%s%s", length ? "; " : "",
             hung                  ? "hung"
             : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                   : "exited");
    return hung ? GUARD_HUNG : GUARD_CRASHED;
}
