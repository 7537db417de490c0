/* SPDX-License-Identifier: Apache-2.0
 *
 * kill_loop.c -- kill -9 at random moments, and a ledger of what had been promised.
 *
 * The parent reads the pipe while the child lives, so that it never blocks, and
 * until its end after the kill: what the child managed to write counts.
 */
#include "kill_loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_WITHIN_US = 10000000 };

struct kill_ledger {
    int fd;
};

struct round {
    pid_t child;
    int fd;
    bool from_ready; /* the time to live has not started yet */
    int64_t lives_us, deadline;
    uint64_t acked;
};

static void say(struct kill_ledger *ledger, uint64_t n)
{
    if (write(ledger->fd, &n, sizeof n) != (ssize_t)sizeof n)
        _exit(98);
}

void kill_ready(struct kill_ledger *ledger)
{
    say(ledger, 0);
}

void kill_ack(struct kill_ledger *ledger, uint64_t n)
{
    say(ledger, n);
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void start(const struct kill_loop *loop, struct round *round)
{
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0 || (round->child = fork()) < 0) {
        perror("kill_loop");
        exit(99);
    }
    if (round->child == 0) {
        close(ends[0]);
        _exit(loop->work(loop->context, round->acked, &(struct kill_ledger){ends[1]}) ? 97 : 0);
    }
    close(ends[1]);
    round->fd = ends[0];
}

/* One read; false at the end of the pipe.  Writes of eight bytes arrive whole. */
static bool listen_once(struct round *round)
{
    uint64_t numbers[512];
    ssize_t n = read(round->fd, numbers, sizeof numbers);
    if (n < 0)
        return errno == EINTR;
    for (ssize_t i = 0; i < n / (ssize_t)sizeof *numbers; i++) {
        if (numbers[i] > round->acked)
            round->acked = numbers[i];
        if (numbers[i] == 0 && round->from_ready) {
            round->from_ready = false;
            round->deadline = now_us() + round->lives_us;
        }
    }
    return n > 0;
}

/* Until the time is up (true) or the child has ended by itself. */
static bool wait_for_deadline(struct round *round)
{
    for (;;) {
        int64_t left = round->deadline - now_us();
        if (left <= 0)
            return true;
        struct timespec timeout = {left / 1000000, left % 1000000 * 1000};
        struct pollfd pipe_end = {.fd = round->fd, .events = POLLIN};
        if (ppoll(&pipe_end, 1, &timeout, NULL) > 0 && !listen_once(round))
            return false;
    }
}

/* NULL, or how the child ended that was not killed by us. */
static const char *run_round(const struct kill_loop *loop, struct round *round, bool *killed)
{
    int status = 0;
    round->deadline = now_us() + (round->from_ready ? READY_WITHIN_US : round->lives_us);
    start(loop, round);
    *killed = wait_for_deadline(round);
    if (*killed)
        kill(round->child, SIGKILL);
    while (listen_once(round))
        ;
    close(round->fd);
    while (waitpid(round->child, &status, 0) < 0 && errno == EINTR)
        ;
    if (*killed && round->from_ready)
        return "the worker was never ready";
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return NULL;
    *killed = false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? NULL : "the worker failed or crashed";
}

struct job {
    const struct kill_loop *loop;
    uint64_t acked;
};

static int run_check(void *context, char text[GUARD_TEXT])
{
    struct job *job = context;
    return job->loop->check(job->loop->context, job->acked, text) ? 1 : 0;
}

void kill_loop_run(const struct kill_loop *loop, struct kill_result *result)
{
    struct round round = {.acked = 0};
    unsigned most = loop->most_us ? loop->most_us : 16000;
    *result = (struct kill_result){0};
    for (unsigned i = 0; i < loop->rounds; i++) {
        char text[GUARD_TEXT] = "";
        bool killed;
        round.lives_us = (int64_t)(mix(loop->seed * 1000003 + i) % (most + 1));
        round.from_ready = i % 2;
        const char *wrong = run_round(loop, &round, &killed);
        if (wrong)
            snprintf(text, sizeof text, "%s", wrong);
        else if (guard_run(run_check, &(struct job){loop, round.acked}, 60, 0, text) != 0)
            wrong = text;
        result->killed += killed;
        if (wrong && result->bad++ == 0) {
            result->first_bad = i;
            memcpy(result->text, text, sizeof text);
        }
        result->rounds++;
    }
    result->acked = round.acked;
}

void kill_print(FILE *to, const char *label, const struct kill_result *result)
{
    fprintf(to, "%s: %u rounds, %u killed, %" PRIu64 " acknowledged, %u bad\n", label,
            result->rounds, result->killed, result->acked, result->bad);
    if (result->bad)
        fprintf(to, "%s: first bad round %u: %s\n", label, result->first_bad, result->text);
}
