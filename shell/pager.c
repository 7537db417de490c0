/* SPDX-License-Identifier: Apache-2.0
 *
 * pager.c -- results that are taller than the terminal.
 *
 * What is written is held until it has more lines than the terminal; only then is the pager
 * started.  A short result reaches the terminal as if there were no pager.  When the reader leaves
 * early the rest is dropped, and `closed` tells the statement that it may stop.
 */
#include "pager.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_in_path(const char *name)
{
    char path[4096];
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t size = strcspn(at, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)size, at, name);
        if (size > 0 && access(path, X_OK) == 0)
            return true;
        at += size + (at[size] == ':');
    }
    return false;
}

/* NULL: none. An empty $PAGER, and cat, mean that none is wanted. */
static const char *find_command(void)
{
    const char *command = getenv("PAGER");
    if (command)
        return command[0] && strcmp(command, "cat") != 0 ? command : NULL;
    return is_in_path("less") ? "less -S" : NULL;
}

static void write_all(struct pager *p, int fd, const char *bytes, size_t size)
{
    while (size > 0 && !p->closed) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            p->closed = true;
            return;
        }
        bytes += n;
        size -= (size_t)n;
    }
}

static void run_child(const char *command, int input)
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    dup2(input, STDIN_FILENO);
    setenv("LESS", "FRX", 0);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static void start(struct pager *p)
{
    int ends[2];
    const char *command = find_command();
    if (!command || pipe(ends) != 0) {
        p->height = 0;
        return;
    }
    fflush(stdout);
    p->child = fork();
    if (p->child == 0) {
        close(ends[1]);
        run_child(command, ends[0]);
    }
    close(ends[0]);
    p->pipe = ends[1];
    if (p->child < 0) {
        close(ends[1]);
        p->child = 0;
        p->height = 0;
    }
}

static bool hold(struct pager *p, const char *bytes, size_t size)
{
    if (p->size + size > p->capacity) {
        size_t capacity = 2 * p->capacity + size + 4096;
        char *larger = realloc(p->held, capacity);
        if (!larger)
            return false;
        p->held = larger;
        p->capacity = capacity;
    }
    memcpy(p->held + p->size, bytes, size);
    p->size += size;
    return true;
}

/* height 0: it goes to the terminal after all. */
static void pass_on(struct pager *p)
{
    write_all(p, p->child > 0 ? p->pipe : STDOUT_FILENO, p->held, p->size);
    p->size = 0;
}

static ssize_t take(void *cookie, const char *bytes, size_t size)
{
    struct pager *p = cookie;
    for (size_t i = 0; i < size; i++)
        p->lines += bytes[i] == '\n';
    bool was_held = p->child == 0 && p->height > 0;
    if (was_held && p->lines >= p->height - 1)
        start(p);
    if (!hold(p, bytes, size)) {
        pass_on(p);
        write_all(p, p->child > 0 ? p->pipe : STDOUT_FILENO, bytes, size);
    } else if (p->child > 0 || p->height == 0) {
        pass_on(p);
    }
    return (ssize_t)size;
}

FILE *pager_begin(struct pager *p, int height)
{
    *p = (struct pager){.height = height};
    if (!find_command())
        return NULL;
    p->stream = fopencookie(p, "w", (cookie_io_functions_t){.write = take});
    return p->stream;
}

void pager_end(struct pager *p)
{
    fflush(stdout);
    fclose(p->stream);
    p->stream = NULL;
    pass_on(p);
    if (p->child > 0) {
        int status;
        close(p->pipe);
        while (waitpid(p->child, &status, 0) < 0 && errno == EINTR)
            ;
    }
    free(p->held);
    p->held = NULL;
}
