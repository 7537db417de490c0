/* SPDX-License-Identifier: Apache-2.0
 *
 * test_parts.c -- work in parts, on several threads: the pool, and MEASURE being stopped, short of
 * memory or of threads, and over damaged segments while others are at work.
 *
 * That the answers are the same is tested where answers are: test_measure.c, tests/api.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "base/clock.h"
#include "exec/pool.h"
#include "small_store.h"

/* How many threads can be started from now on. */
static atomic_int startable = 1000;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *context)
{
    if (atomic_fetch_sub(&startable, 1) <= 0)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, start, context);
}

/* ---- the pool ---------------------------------------------------------------------- */

#define PARTS 40

struct job {
    atomic_uint ran[PARTS];
    bool fails[PARTS];
    atomic_uint at_work, most;
};

static void doze(void)
{
    nanosleep(&(struct timespec){0, 20000}, NULL);
}

static enum varve_status
run_one(void *context, struct pool *pool, uint32_t part, struct varve_err *err)
{
    struct job *job = context;
    unsigned at_work = ++job->at_work;
    if (at_work > job->most)
        job->most = at_work;
    job->ran[part]++;
    doze();
    job->at_work--;
    if (!pool_wants(pool, part))
        return fail(err, VARVE_INTERRUPTED, "", "not wanted");
    return job->fails[part] ? fail(err, VARVE_CORRUPT, "", "part %u", part) : VARVE_OK;
}

static enum varve_status go_on(void *context, struct varve_err *err)
{
    (void)context;
    (void)err;
    return VARVE_OK;
}

static void test_every_part_once(void **state)
{
    (void)state;
    struct varve_err err;
    for (unsigned threads = 0; threads < 100; threads += 1 + threads / 4)
        for (unsigned room = 0; room < 3; room++) {
            static struct job job;
            job = (struct job){.most = 0};
            startable = room < 2 ? (int)room : 1000;
            const struct pool_job parts = {PARTS, threads, run_one, go_on, &job};
            assert_int_equal(pool_run(&parts, &err), VARVE_OK);
            for (int i = 0; i < PARTS; i++)
                assert_int_equal(job.ran[i], 1);
            assert_true(job.most <= (threads ? threads : 1));
            assert_true(room == 2 || job.most <= room + 1);
        }
    startable = 1000;
}

/* What is told is what one thread would have met first. */
static void test_first_failure(void **state)
{
    (void)state;
    struct prng prng = prng_start(6);
    for (int round = 0; round < 300; round++) {
        static struct job job;
        struct varve_err err;
        char want[20];
        uint32_t first = PARTS;
        job = (struct job){.most = 0};
        for (uint32_t i = PARTS; i-- > 0;) {
            job.fails[i] = prng_below(&prng, 10) == 0;
            first = job.fails[i] ? i : first;
        }
        const struct pool_job parts = {PARTS, 1 + (unsigned)round % 6, run_one, go_on, &job};
        enum varve_status status = pool_run(&parts, &err);
        assert_int_equal(status, first < PARTS ? VARVE_CORRUPT : VARVE_OK);
        snprintf(want, sizeof want, "part %u", first);
        if (first < PARTS)
            assert_string_equal(err.message, want);
    }
}

struct endless {
    atomic_uint begun;
    unsigned asked;
};

/* The threads go on until nobody wants them; the caller's has nothing to do and asks. */
static enum varve_status
run_for_ever(void *context, struct pool *pool, uint32_t part, struct varve_err *err)
{
    struct endless *job = context;
    bool is_caller = pool_is_caller(pool);
    job->begun += !is_caller;
    while (is_caller ? job->begun == 0 : pool_wants(pool, part))
        doze();
    return is_caller ? VARVE_OK : fail(err, VARVE_IO, "", "something else");
}

static enum varve_status stop_soon(void *context, struct varve_err *err)
{
    struct endless *job = context;
    return ++job->asked < 3 ? VARVE_OK : fail(err, VARVE_LIMIT, "", "enough");
}

static void test_stopped(void **state)
{
    (void)state;
    struct varve_err err;
    struct endless job = {.asked = 0};
    const struct pool_job parts = {3, 3, run_for_ever, stop_soon, &job};
    assert_int_equal(pool_run(&parts, &err), VARVE_LIMIT);
    assert_string_equal(err.message, "enough");
    assert_true(job.asked >= 3);
}

/* ---- a store of many days ------------------------------------------------------------ */

enum { DAYS = 24, SESSIONS = 40 };

static void make_store(struct small_store *small)
{
    small_store_make(small);
    for (int day = 0; day < DAYS; day++) {
        uint32_t metric = small_store_metric(small, "m", "", VARVE_COUNTER);
        for (int s = 0; s < SESSIONS; s++) {
            char labels[40];
            struct varve_err err;
            snprintf(labels, sizeof labels, "s=s%d,user=u%d", day * 10 + s, s % 7);
            int64_t start = (20000 + day) * NS_PER_DAY + s * NS_PER_SECOND;
            for (int i = 1; i < 30; i++)
                assert_int_equal(
                    batch_counter(&small->batch, metric, small_store_labels(small, labels),
                                  VARVE_DELTA, start, start + i * NS_PER_SECOND,
                                  (struct varve_value){.type = VARVE_FLOAT, .as.f = i * 0.1}, &err),
                    VARVE_OK);
        }
        small_store_append(small);
        small_store_seal(small);
    }
    small_store_read(small);
}

struct asking {
    struct plan plan;
    struct node node;
    struct metric_source source;
    struct column_ref labels[1];
    struct term column, *keys[1];
    struct column_info infos[2];
};

static void make_plan(struct asking *a, enum rollup function, enum aggregate_kind aggregate)
{
    struct node *n = &a->node;
    *a = (struct asking){.plan = {.root = &a->node, .node_count = 1, .zone = {"UTC", 3}}};
    a->source = (struct metric_source){.name = STR("m"), .kind = VARVE_COUNTER};
    a->labels[0].name = STR("s");
    a->column = (struct term){.kind = TERM_COLUMN, .type = TYPE_TEXT};
    a->keys[0] = &a->column;
    *n = (struct node){.kind = NODE_MEASURE, .columns = a->infos, .column_count = 2};
    n->key_count = 1;
    n->as.measure.sources = &a->source;
    n->as.measure.source_count = 1;
    n->as.measure.labels = a->labels;
    n->as.measure.label_count = 1;
    n->as.measure.keys = a->keys;
    n->as.measure.function = function;
    n->as.measure.aggregate.kind = aggregate;
    /* the range cuts runs, so that they are decoded */
    n->as.measure.range =
        (struct time_range){20000 * NS_PER_DAY + 5 * NS_PER_SECOND, (20000 + DAYS) * NS_PER_DAY};
}

/* The rows as they come. */
static enum varve_status
ask(struct small_store *small, struct asking *a, const struct exec_options *options,
    struct mem *mem, struct relation *rows, struct varve_err *err)
{
    static struct mem own;
    struct exec *exec = NULL;
    struct batch batch;
    mem_init(&own, NULL, 0);
    relation_init(rows, &own, 2);
    small->snapshot->mem = mem;
    enum varve_status status = exec_open(&a->plan, small->snapshot, NULL, options, mem, &exec, err);
    while (status == VARVE_OK && (status = exec_next(exec, &batch, err)) == VARVE_OK)
        status = relation_add_batch(rows, &batch, err);
    exec_close(exec);
    small->snapshot->mem = &small->store->mem;
    assert_int_equal(mem->used, 0);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static const struct {
    enum rollup function;
    enum aggregate_kind aggregate;
} questions[] = {{ROLLUP_INCREASE, AGGREGATE_SUM},
                 {ROLLUP_INCREASE, AGGREGATE_MAX},
                 {ROLLUP_MAX_OF, AGGREGATE_SUM},
                 {ROLLUP_SEEN, AGGREGATE_COUNT}};
enum { QUESTIONS = sizeof questions / sizeof *questions };

/* ---- being stopped -------------------------------------------------------------------- */

struct stopper {
    pthread_t caller;
    unsigned asked, most;
};

static int stop_after(void *context)
{
    struct stopper *stopper = context;
    assert_true(pthread_equal(stopper->caller, pthread_self()));
    return ++stopper->asked > stopper->most;
}

static void test_interrupted(void **state)
{
    (void)state;
    struct small_store small;
    make_store(&small);
    for (size_t i = 0; i < QUESTIONS; i++) {
        enum varve_status status = VARVE_INTERRUPTED;
        struct stopper stopper = {pthread_self(), 0, 0};
        const struct exec_options options = {
            .threads = 3, .stop = stop_after, .stop_context = &stopper};
        for (; status == VARVE_INTERRUPTED; stopper.most += 1 + stopper.most / 4) {
            struct asking a;
            struct relation rows;
            struct varve_err err;
            struct mem mem;
            mem_init(&mem, NULL, 0);
            make_plan(&a, questions[i].function, questions[i].aggregate);
            stopper.asked = 0;
            status = ask(&small, &a, &options, &mem, &rows, &err);
            assert_true(status == VARVE_INTERRUPTED || status == VARVE_OK);
            if (status == VARVE_INTERRUPTED)
                assert_string_equal(err.message, "the query was stopped");
            relation_free(&rows);
        }
        assert_true(stopper.most > 0);
    }
    small_store_end(&small);
}

static void test_deadline(void **state)
{
    (void)state;
    struct small_store small;
    make_store(&small);
    bool in_time = false, late = false;
    for (int64_t room = -1; room < 60 * NS_PER_SECOND && !in_time; room = room * 3 / 2 + 2000) {
        struct asking a;
        struct relation rows;
        struct varve_err err;
        struct mem mem;
        const struct exec_options options = {.threads = 3, .deadline = clock_monotonic() + room};
        mem_init(&mem, NULL, 0);
        make_plan(&a, ROLLUP_INCREASE, AGGREGATE_MAX);
        enum varve_status status = ask(&small, &a, &options, &mem, &rows, &err);
        assert_true(status == VARVE_LIMIT || status == VARVE_OK);
        in_time = status == VARVE_OK;
        late |= status == VARVE_LIMIT && strstr(err.message, "too long");
        relation_free(&rows);
    }
    assert_true(in_time && late);
    small_store_end(&small);
}

/* ---- with little ------------------------------------------------------------------------ */

static void assert_same(const struct relation *a, const struct relation *b)
{
    assert_int_equal(a->rows, b->rows);
    for (uint64_t r = 0; r < a->rows; r++) {
        const struct value *x = relation_row(a, r), *y = relation_row(b, r);
        assert_true(str_equal(value_str(x[0]), value_str(y[0])));
        assert_true(x[1].type == y[1].type && x[1].as.i == y[1].as.i);
    }
}

/* What one thread can answer, several can: they make do with its memory. */
static void test_memory(void **state)
{
    (void)state;
    struct small_store small;
    make_store(&small);
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct asking a;
        struct relation want, rows;
        struct varve_err err;
        struct mem mem;
        unsigned answered = 0;
        make_plan(&a, questions[i].function, questions[i].aggregate);
        mem_init(&mem, NULL, 0);
        assert_int_equal(ask(&small, &a, &(struct exec_options){0}, &mem, &want, &err), VARVE_OK);
        /* the arenas of several queries settle on other sizes */
        size_t peak = mem.peak + mem.peak / 8;
        for (size_t cap = peak / 4; cap < 4 * peak; cap += peak / 4) {
            mem_init(&mem, NULL, cap);
            enum varve_status status =
                ask(&small, &a, &(struct exec_options){.threads = 8}, &mem, &rows, &err);
            assert_true(mem.peak <= cap);
            assert_true(status == VARVE_OK || (status == VARVE_LIMIT && cap < peak));
            if (status == VARVE_OK)
                assert_same(&want, &rows);
            answered += status == VARVE_OK;
            relation_free(&rows);
        }
        assert_true(answered >= 12);
        relation_free(&want);
    }
    small_store_end(&small);
}

static void test_few_threads(void **state)
{
    (void)state;
    struct small_store small;
    make_store(&small);
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct asking a;
        struct relation want, rows;
        struct varve_err err;
        struct mem mem;
        mem_init(&mem, NULL, 0);
        make_plan(&a, questions[i].function, questions[i].aggregate);
        assert_int_equal(ask(&small, &a, &(struct exec_options){0}, &mem, &want, &err), VARVE_OK);
        for (int room = 0; room < 3; room++) {
            startable = room;
            assert_int_equal(
                ask(&small, &a, &(struct exec_options){.threads = 4}, &mem, &rows, &err), VARVE_OK);
            assert_true(startable <= 0);
            assert_same(&want, &rows);
            relation_free(&rows);
        }
        startable = 1000;
        relation_free(&want);
    }
    small_store_end(&small);
}

/* ---- damage --------------------------------------------------------------------------------- */

/* Some of the bytes of the month files, where LMDB keeps none of its own. */
static void damage(const struct small_store *small)
{
    char pattern[FILES_PATH + 20];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/seg-*.mdb", small->path);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int fd = open(found.gl_pathv[i], O_RDWR);
        off_t size = lseek(fd, 0, SEEK_END);
        for (off_t at = size / 3; at < size; at += 256) {
            uint8_t byte;
            if (at % 4096 < 64)
                continue;
            assert_int_equal(pread(fd, &byte, 1, at), 1);
            byte ^= 0x40;
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        }
        close(fd);
    }
    globfree(&found);
}

/* Several days are damaged; the first is told of, whoever finds which first. */
static void test_damage(void **state)
{
    (void)state;
    struct small_store small;
    make_store(&small);
    struct asking a;
    struct relation rows;
    struct varve_err want, err;
    struct mem mem;
    mem_init(&mem, NULL, 0);
    make_plan(&a, ROLLUP_INCREASE, AGGREGATE_SUM);
    assert_int_equal(ask(&small, &a, &(struct exec_options){.threads = 2}, &mem, &rows, &err),
                     VARVE_OK);
    relation_free(&rows);
    damage(&small);
    for (unsigned threads = 1; threads < 20; threads++) {
        small_store_read(&small); /* what has been verified is not verified again by one snapshot */
        enum varve_status status = ask(&small, &a, &(struct exec_options){.threads = threads}, &mem,
                                       &rows, threads == 1 ? &want : &err);
        assert_int_equal(status, VARVE_CORRUPT);
        relation_free(&rows);
        if (threads == 1)
            continue;
        assert_string_equal(err.place, want.place);
        assert_string_equal(err.message, want.message);
    }
    small_store_end(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_part_once), cmocka_unit_test(test_first_failure),
        cmocka_unit_test(test_stopped),         cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_deadline),        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_few_threads),     cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
