/* SPDX-License-Identifier: Apache-2.0
 *
 * check_faults.c -- the fault simulations of the store: one line a fault, PASS or FAIL.
 *
 *     check_faults                 all of them, two at a time
 *     check_faults power damage    these
 *     check_faults power=137       only state 137 of it, to look at a failure again
 *
 * The environment says how much: VARVE_FAULT_KILLS, VARVE_FAULT_STATES, VARVE_FAULT_DAMAGES,
 * VARVE_FAULT_CYCLES; how many lines at a time: VARVE_FAULT_JOBS; and where to begin:
 * VARVE_FAULT_SEED.  The same seed tries the same faults, but a store has a random id and times
 * of its own, so its bytes differ from run to run.
 *
 * Each line is made in a child process.  One that crashes or does not end is a FAIL that says
 * what was being tried.
 */
#include "check_faults.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_SECONDS = 3600 };

struct fault {
    const char *name, *variable;
    uint64_t count;
    bool (*check)(const struct fault_run *run);
};
/* Those that take longest come first. */
static const struct fault faults[] = {
    {"power", "VARVE_FAULT_STATES", 10000, check_power},
    {"kills", "VARVE_FAULT_KILLS", 2000, check_kills},
    {"damage", "VARVE_FAULT_DAMAGES", 5000, check_damage},
    {"io", NULL, 0, check_io},
    {"alloc", NULL, 0, check_alloc},
    {"full", "VARVE_FAULT_CYCLES", 20, check_full},
};
enum { FAULTS = sizeof faults / sizeof *faults };

struct job {
    bool wanted, only_one;
    uint64_t only;
    pid_t child;
    char *texts; /* the line and what is being tried, shared with the child */
    struct timespec began;
};

/* ---- what the checks use ---------------------------------------------------------- */

void fault_say(const struct fault_run *run, const char *format, ...)
{
    size_t length = strlen(run->line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->line + length, FAULT_LINE - length, format, arguments);
    va_end(arguments);
}

void fault_try(const struct fault_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->doing, FAULT_LINE, format, arguments);
    va_end(arguments);
}

uint64_t fault_random(uint64_t seed, uint64_t n)
{
    uint64_t x = (seed + 1) * UINT64_C(0xd1b54a32d192ed03) + n * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* ---- running -------------------------------------------------------------------- */

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = variable ? getenv(variable) : NULL;
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void start(const struct fault *fault, struct job *job)
{
    void *texts = mmap(NULL, 2 * (size_t)FAULT_LINE, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (texts == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    job->texts = texts;
    clock_gettime(CLOCK_MONOTONIC, &job->began);
    fflush(NULL);
    job->child = fork();
    if (job->child < 0) {
        perror("fork");
        exit(1);
    }
    if (job->child > 0)
        return;
    const struct fault_run run = {.seed = number_of("VARVE_FAULT_SEED", 1),
                                  .count = number_of(fault->variable, fault->count),
                                  .only_one = job->only_one,
                                  .only = job->only,
                                  .line = job->texts,
                                  .doing = job->texts + FAULT_LINE};
    alarm(LONGEST_SECONDS);
    bool good = fault->check(&run);
    fflush(NULL);
    _exit(good ? 0 : 1);
}

static bool report(const struct fault *fault, const struct job *job, int status)
{
    struct timespec now;
    const char *doing = job->texts + FAULT_LINE;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    printf("%s: %s: %s", good ? "PASS" : "FAIL", fault->name, job->texts);
    if (WIFSIGNALED(status))
        printf("%s: %s", WTERMSIG(status) == SIGALRM ? "hung" : strsignal(WTERMSIG(status)), doing);
    else if (WEXITSTATUS(status) > 1)
        printf("ended early: %s", doing);
    printf(", seed %" PRIu64 ", %d s\n", number_of("VARVE_FAULT_SEED", 1),
           (int)(now.tv_sec - job->began.tv_sec));
    fflush(stdout);
    return good;
}

/* Waits for one of the children. */
static bool finish(struct job *jobs)
{
    int status;
    pid_t child = wait(&status);
    for (int i = 0; i < FAULTS; i++)
        if (child > 0 && jobs[i].child == child)
            return report(&faults[i], &jobs[i], status);
    return child < 0 && errno == EINTR;
}

static bool run_all(struct job *jobs)
{
    uint64_t most = number_of("VARVE_FAULT_JOBS", 2), running = 0;
    bool good = true;
    for (int i = 0; i < FAULTS; i++) {
        if (!jobs[i].wanted)
            continue;
        for (; running >= most && running > 0; running--)
            good &= finish(jobs);
        start(&faults[i], &jobs[i]);
        running++;
    }
    for (; running > 0; running--)
        good &= finish(jobs);
    return good;
}

/* "power" or "power=137" */
static bool want(struct job *jobs, const char *text)
{
    size_t length = strcspn(text, "=");
    for (int i = 0; i < FAULTS; i++) {
        if (strlen(faults[i].name) != length || strncmp(faults[i].name, text, length) != 0)
            continue;
        jobs[i].wanted = true;
        jobs[i].only_one = text[length] == '=';
        if (jobs[i].only_one)
            jobs[i].only = strtoull(text + length + 1, NULL, 0);
        return true;
    }
    fprintf(stderr, "there is no fault %s\n", text);
    return false;
}

int main(int argc, char **argv)
{
    struct job jobs[FAULTS] = {{0}};
    for (int i = 1; i < argc; i++)
        if (!want(jobs, argv[i]))
            return 2;
    for (int i = 0; argc == 1 && i < FAULTS; i++)
        jobs[i].wanted = true;
    return run_all(jobs) ? 0 : 1;
}
