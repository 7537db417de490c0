/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.c -- hands the parts of a job to threads, in their order.
 *
 * Every thread takes the next part as long as there is one; so does the caller's, and when nothing
 * is left to take it waits, waking now and then to ask whether to go on.  When a part fails those
 * before it go on, because one of them may fail too and is the one to tell of; those behind it are
 * not wanted any more.
 *
 * Invariant: parts are taken in ascending order, so when one has failed all before it have begun.
 *
 * The threads take no signals: those are for the threads of the program.
 */
#include "exec/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS_MOST = 64, TICK_NANOS = 10000000 };

struct pool {
    const struct pool_job *job;
    pthread_t caller;
    pthread_mutex_t lock; /* guards what follows; unwanted is also read without it */
    pthread_cond_t idle;  /* a thread has found nothing more to do */
    uint32_t next, busy;
    atomic_uint unwanted; /* this part and those behind it */
    enum varve_status status;
    struct varve_err err;
};

bool pool_wants(struct pool *pool, uint32_t part)
{
    return part < atomic_load_explicit(&pool->unwanted, memory_order_relaxed);
}

bool pool_is_caller(const struct pool *pool)
{
    return pthread_equal(pool->caller, pthread_self());
}

/* Only what is before all that failed so far counts. */
static void
fail_at(struct pool *pool, uint32_t part, enum varve_status status, const struct varve_err *err)
{
    pthread_mutex_lock(&pool->lock);
    if (pool_wants(pool, part)) {
        atomic_store_explicit(&pool->unwanted, part, memory_order_relaxed);
        pool->status = status;
        pool->err = *err;
    }
    pthread_mutex_unlock(&pool->lock);
}

void pool_stop(struct pool *pool, enum varve_status status, const struct varve_err *err)
{
    fail_at(pool, 0, status, err);
}

static bool take_part(struct pool *pool, uint32_t *part)
{
    pthread_mutex_lock(&pool->lock);
    bool is_there = pool->next < pool->job->parts && pool_wants(pool, pool->next);
    *part = pool->next;
    pool->next += is_there;
    pthread_mutex_unlock(&pool->lock);
    return is_there;
}

static void run_parts(struct pool *pool)
{
    uint32_t part;
    while (take_part(pool, &part)) {
        struct varve_err err = {.status = VARVE_OK};
        enum varve_status status = pool->job->run(pool->job->context, pool, part, &err);
        if (status != VARVE_OK)
            fail_at(pool, part, status, &err);
    }
}

static void *work(void *context)
{
    struct pool *pool = context;
    run_parts(pool);
    pthread_mutex_lock(&pool->lock);
    pool->busy--;
    pthread_cond_signal(&pool->idle);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* How many could be started. */
static uint32_t start(struct pool *pool, pthread_t *threads, uint32_t most)
{
    uint32_t started = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pool->busy = most;
    while (started < most && pthread_create(&threads[started], NULL, work, pool) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&pool->lock);
    pool->busy -= most - started;
    pthread_mutex_unlock(&pool->lock);
    return started;
}

/* Until all threads have found nothing more to do. */
static void wait_for_all(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_NANOS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&pool->idle, &pool->lock, &until) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&pool->lock);
        struct varve_err err = {.status = VARVE_OK};
        enum varve_status status = pool->job->check(pool->job->context, &err);
        if (status != VARVE_OK)
            pool_stop(pool, status, &err);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}

static void init(struct pool *pool, const struct pool_job *job)
{
    pthread_condattr_t attributes;
    *pool = (struct pool){.job = job, .caller = pthread_self()};
    atomic_init(&pool->unwanted, UINT32_MAX);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->idle, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum varve_status pool_run(const struct pool_job *job, struct varve_err *err)
{
    struct pool pool;
    pthread_t threads[THREADS_MOST];
    uint32_t most = job->parts < job->threads ? job->parts : job->threads;
    init(&pool, job);
    most = most > THREADS_MOST ? THREADS_MOST : most;
    uint32_t started = most > 1 ? start(&pool, threads, most - 1) : 0;
    run_parts(&pool);
    wait_for_all(&pool);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&pool.idle);
    pthread_mutex_destroy(&pool.lock);
    if (pool.status != VARVE_OK && err)
        *err = pool.err;
    return pool.status;
}
