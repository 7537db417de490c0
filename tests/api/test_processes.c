/* SPDX-License-Identifier: Apache-2.0
 *
 * test_processes.c -- several processes on one store at once.
 *
 * Every batch of these tests adds up to WHOLE tokens and carries two events.  So whoever
 * sees half a batch, or one twice, has a sum that is no multiple of it.
 */
#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/prng.h"
#include "small.h"

enum { WHOLE = 1000, WRITERS = 3, READERS = 2, BATCHES = 60 };

/* What the processes of a test tell one another; in shared memory. */
struct board {
    atomic_int done, ready, go;
};

static struct board *board_new(void)
{
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(board != MAP_FAILED);
    return board;
}

static void board_free(struct board *board)
{
    munmap(board, sizeof *board);
}

static void wait_for(atomic_int *flag)
{
    for (int i = 0; i < 20000 && !*flag; i++)
        usleep(1000);
    assert_true(*flag);
}

/* Ends a child of a test; cmocka of the parent has no part in it. */
#define CHILD_MUST(call)                                                                     \
    do {                                                                                     \
        if ((call) != VARVE_OK) {                                                            \
            fprintf(stderr, "child: %s: %s: %s\n", #call, test_err.place, test_err.message); \
            _exit(3);                                                                        \
        }                                                                                    \
    } while (0)
#define CHILD_NEEDS(what)                                  \
    do {                                                   \
        if (!(what)) {                                     \
            fprintf(stderr, "child: not so: %s\n", #what); \
            _exit(4);                                      \
        }                                                  \
    } while (0)

static pid_t start(void)
{
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
    return child;
}

static void must_end_well(pid_t child)
{
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    if (how != 0)
        fail_msg("a child ended with %x", how);
}

/* ---- batches that add up --------------------------------------------------- */

/* Batch `number` of a writer: tokens of some users over several days, and two events. */
static void put_whole(varve_batch *batch, int writer, int number)
{
    struct varve_metric metric = {varve_str("tokens"), varve_str(""), VARVE_COUNTER};
    struct varve_metric count = {varve_str("readings"), varve_str(""), VARVE_COUNTER};
    uint32_t id, readings, set;
    int64_t left = WHOLE, now = T0 + number * SECOND * 60;
    char user[32];
    snprintf(user, sizeof user, "w%d-%d", writer, number % 5);
    struct varve_label label = {varve_str("user"), varve_str(user)};
    CHILD_MUST(varve_batch_metric(batch, &metric, &id, &test_err));
    CHILD_MUST(varve_batch_metric(batch, &count, &readings, &test_err));
    CHILD_MUST(varve_batch_labels(batch, 0, &label, 1, &set, &test_err));
    for (int i = 0; i < 7; i++) {
        int64_t part = i == 6 ? left : left / 3;
        int64_t end = now + i * SECOND + (i % 3 ? 0 : (number % 20) * DAY);
        CHILD_MUST(varve_batch_counter(batch, id, set, VARVE_DELTA, end - 1, end, varve_int(part),
                                       &test_err));
        left -= part;
    }
    /* One counter of all writers, in whatever order its readings come; it ends at the largest. */
    CHILD_MUST(varve_batch_counter(batch, readings, 0, VARVE_CUMULATIVE, T0, now + 1 + writer,
                                   varve_int(number + 1), &test_err));
    struct varve_field field = {varve_str("user"), varve_text(varve_str(user))};
    for (int i = 0; i < 2; i++)
        CHILD_MUST(
            varve_batch_event(batch, varve_str("e"), now + i + 10 * writer, &field, 1, &test_err));
}

static void seal_or_busy(varve *db, int64_t until)
{
    enum varve_status status = varve_seal(db, until, NULL, &test_err);
    if (status != VARVE_BUSY)
        CHILD_MUST(status);
}

static varve *open_store(const char *path, uint64_t seal_rows)
{
    const struct varve_options options = {.flags = seal_rows ? 0 : VARVE_NO_AUTOSEAL,
                                          .seal_rows = seal_rows};
    varve *db;
    CHILD_MUST(varve_open(path, &options, &db, &test_err));
    return db;
}

static void compact_or_busy(varve *db)
{
    enum varve_status status = varve_compact(db, NULL, &test_err);
    if (status != VARVE_BUSY)
        CHILD_MUST(status);
}

static void write_batches(const char *path, int writer, int batches)
{
    varve *db = open_store(path, writer == 0 ? 100 : 0);
    varve_batch *batch;
    CHILD_MUST(varve_batch_new(db, &batch, &test_err));
    for (int i = 0; i < batches; i++) {
        put_whole(batch, writer, i);
        CHILD_MUST(varve_append(db, batch, NULL, &test_err));
        if (i % 4 == 1) /* a retry of what has arrived */
            CHILD_MUST(varve_append(db, batch, NULL, &test_err));
        varve_batch_clear(batch);
        if (i % 17 == writer * 5)
            seal_or_busy(db, i % 2 ? INT64_MAX : T0 + 3 * DAY);
    }
    varve_batch_free(batch);
    varve_close(db);
}

struct totals {
    int64_t tokens, readings;
    uint64_t events;
};

static int add_rows(void *context, const struct varve_table_info *info)
{
    *(uint64_t *)context += info->rows;
    return 0;
}

static int64_t sum_of(varve_snapshot *snapshot, const char *metric)
{
    varve_scan *scan;
    struct varve_runs runs;
    struct varve_query q = {.source = varve_str(metric), .since = INT64_MIN, .until = INT64_MAX};
    enum varve_status status = varve_scan_open(snapshot, &q, &scan, &test_err);
    int64_t sum = 0;
    if (status == VARVE_NOTFOUND)
        return 0;
    CHILD_MUST(status);
    while ((status = varve_scan_runs(scan, &runs, &test_err)) == VARVE_OK)
        for (uint32_t r = 0; r < runs.runs; r++)
            sum += runs.sums[r];
    CHILD_NEEDS(status == VARVE_DONE);
    varve_scan_close(scan);
    return sum;
}

static struct totals totals_of(varve_snapshot *snapshot)
{
    struct totals t = {sum_of(snapshot, "tokens"), sum_of(snapshot, "readings"), 0};
    CHILD_MUST(varve_visit_tables(snapshot, add_rows, &t.events, &test_err));
    CHILD_NEEDS(t.tokens % WHOLE == 0);
    CHILD_NEEDS(t.events == 2 * (uint64_t)(t.tokens / WHOLE));
    return t;
}

static struct totals totals_now(varve *db)
{
    varve_snapshot *snapshot;
    CHILD_MUST(varve_snapshot_open(db, &snapshot, &test_err));
    struct totals t = totals_of(snapshot);
    varve_snapshot_close(snapshot);
    return t;
}

/* Looks again and again until all is written: sums are whole and never fall. */
static void read_until_done(const char *path, struct board *board)
{
    varve *db = open_store(path, 0);
    struct totals before = {0, 0, 0};
    while (!board->done) {
        struct totals now = totals_now(db);
        CHILD_NEEDS(now.tokens >= before.tokens && now.readings >= before.readings);
        before = now;
    }
    varve_close(db);
}

static void test_many_processes(void **state)
{
    (void)state;
    struct small s;
    struct board *board = board_new();
    pid_t writers[WRITERS], readers[READERS];
    small_make(&s);
    small_close(&s);
    for (int i = 0; i < READERS; i++)
        if ((readers[i] = start()) == 0) {
            read_until_done(s.path, board);
            _exit(0);
        }
    for (int i = 0; i < WRITERS; i++)
        if ((writers[i] = start()) == 0) {
            write_batches(s.path, i, BATCHES);
            _exit(0);
        }
    for (int i = 0; i < WRITERS; i++)
        must_end_well(writers[i]);
    board->done = 1;
    for (int i = 0; i < READERS; i++)
        must_end_well(readers[i]);
    small_open(&s, 0);
    struct totals t = totals_now(s.db);
    assert_int_equal(t.tokens, WRITERS * BATCHES * WHOLE);
    assert_int_equal(t.readings, BATCHES);
    MUST(varve_compact(s.db, NULL, &test_err));
    t = totals_now(s.db);
    assert_int_equal(t.tokens, WRITERS * BATCHES * WHOLE);
    assert_int_equal(t.readings, BATCHES);
    small_close(&s);
    small_verify(&s);
    files_remove(s.path);
    board_free(board);
}

/* ---- those who die ----------------------------------------------------------- */

/* Writers are killed at any time; what they had been told is there, and never half a batch. */
static void test_killed_writers(void **state)
{
    (void)state;
    struct small s;
    struct prng prng = prng_start(5);
    int64_t before = 0;
    small_make(&s);
    small_close(&s);
    for (int i = 0; i < 12; i++) {
        pid_t child = start();
        if (child == 0) {
            write_batches(s.path, i, 1000);
            _exit(0);
        }
        usleep(5000 + (unsigned)prng_below(&prng, 40000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        small_open(&s, 0);
        struct totals t = totals_now(s.db);
        assert_true(t.tokens >= before);
        before = t.tokens;
        small_close(&s);
    }
    assert_true(before > 0);
    small_verify(&s);
    small_open(&s, 0);
    MUST(varve_compact(s.db, NULL, &test_err));
    assert_int_equal(totals_now(s.db).tokens, before);
    small_close(&s);
    small_verify(&s);
    files_remove(s.path);
}

/* ---- snapshots of other processes --------------------------------------------- */

static int count_months(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *e; (e = readdir(directory));)
        count += strncmp(e->d_name, "seg-", 4) == 0 && !strstr(e->d_name, "lock");
    closedir(directory);
    return count;
}

static uint64_t main_bytes(const char *path)
{
    char name[FILES_PATH + 16];
    struct stat st;
    snprintf(name, sizeof name, "%s/main.mdb", path);
    assert_int_equal(stat(name, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

/* Builds a day anew: its month's file grows by what it held before. */
static int64_t put_layer(struct small *s, const char *metric, int layer)
{
    for (int i = 0; i < 1500; i++) {
        char labels[64];
        unsigned noise = ((unsigned)i + 1) * 2654435761u;
        snprintf(labels, sizeof labels, "session=%08x-%08x", noise, noise * 40503u ^ 0x5bd1e995u);
        small_delta(s, metric, "", labels, T0 + layer, varve_int(layer + 1));
    }
    small_append(s);
    seal_or_busy(s->db, INT64_MAX);
    return 1500 * (layer + 1);
}

/* Opens a snapshot, waits, and reads what it stood for. */
static void hold_snapshot(const char *path, struct board *board, int64_t sum)
{
    varve *db = open_store(path, 0);
    varve_snapshot *snapshot;
    CHILD_MUST(varve_snapshot_open(db, &snapshot, &test_err));
    board->ready = 1;
    while (!board->go)
        usleep(500);
    CHILD_NEEDS(sum_of(snapshot, "tokens") == sum);
    varve_snapshot_close(snapshot);
    board->done = 1;
    while (board->go == 1)
        usleep(500);
    varve_close(db);
}

/* A snapshot keeps the months it reads until it is closed, or until its process is dead. */
static void test_months_live(void **state)
{
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        struct small s;
        struct board *board = board_new();
        struct varve_compacted c;
        int64_t sum = 0;
        small_make(&s);
        for (int i = 0; i < 6; i++)
            sum += put_layer(&s, "tokens", i);
        small_close(&s);
        pid_t child = start();
        if (child == 0) {
            hold_snapshot(s.path, board, sum);
            _exit(0);
        }
        wait_for(&board->ready);
        small_open(&s, 0);
        MUST(varve_compact(s.db, &c, &test_err));
        assert_int_equal(c.main_skipped, 1);
        assert_int_equal(count_months(s.path), 2); /* the old one is still read */
        assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), sum);
        if (killed) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
        } else {
            board->go = 1;
            wait_for(&board->done);
        }
        sum += put_layer(&s, "tokens", 6); /* whoever changes something next sweeps */
        assert_int_equal(count_months(s.path), 1);
        assert_int_equal(small_increase(&s, "tokens", T0, INT64_MAX), sum);
        if (!killed) {
            board->go = 2;
            must_end_well(child);
        }
        MUST(varve_compact(s.db, &c, &test_err));
        assert_int_equal(c.main_skipped, 0);
        small_close(&s);
        small_verify(&s);
        files_remove(s.path);
        board_free(board);
    }
}

static uint64_t size_after_work(struct small *s)
{
    for (int i = 0; i < 200; i++) {
        put_whole(s->batch, 0, i);
        small_append(s);
        if (i % 40 == 39)
            MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
    }
    return main_bytes(s->path);
}

/* A snapshot that is open for long does not make main.mdb grow. */
static void test_no_growth(void **state)
{
    (void)state;
    struct small alone, read;
    struct board *board = board_new();
    small_make(&alone);
    uint64_t usual = size_after_work(&alone);
    small_remove(&alone);
    small_make(&read);
    small_close(&read);
    pid_t child = start();
    if (child == 0) {
        hold_snapshot(read.path, board, 0);
        _exit(0);
    }
    wait_for(&board->ready);
    small_open(&read, 0);
    uint64_t size = size_after_work(&read);
    if (size > usual + usual / 4)
        fail_msg("main.mdb has %llu bytes, %llu without a reader", (unsigned long long)size,
                 (unsigned long long)usual);
    board->go = 2;
    must_end_well(child);
    small_remove(&read);
    board_free(board);
}

/* ---- verifying and backing up a store at work ---------------------------------- */

static void work_until_done(const char *path, struct board *board)
{
    struct small s = {.db = NULL};
    snprintf(s.path, sizeof s.path, "%s", path);
    small_open(&s, 0);
    for (int i = 0; !board->done; i++) {
        put_whole(s.batch, 7, i);
        small_append(&s);
        put_layer(&s, "noise", i);
        if (i % 4 == 3) /* months are written anew, old ones go, and main.mdb is replaced */
            compact_or_busy(s.db);
        board->ready = i > 3;
    }
    small_close(&s);
}

static void print_finding(void *context, const struct varve_err *finding)
{
    (void)context;
    print_error("%s: %s\n", finding->place, finding->message);
}

static void test_at_work(void **state)
{
    (void)state;
    struct small s, copy = {.db = NULL};
    struct board *board = board_new();
    char root[FILES_PATH];
    files_temp(root, "varve-copies");
    small_make(&s);
    small_close(&s);
    pid_t child = start();
    if (child == 0) {
        work_until_done(s.path, board);
        _exit(0);
    }
    wait_for(&board->ready);
    for (int i = 0; i < 12; i++) {
        struct varve_verified v;
        for (int k = 0; k < 10; k++)
            MUST(varve_verify(s.path, print_finding, NULL, &v, &test_err));
        s.db = open_store(s.path, 0);
        snprintf(copy.path, sizeof copy.path, "%.4000s/%d", root, i);
        MUST(varve_backup(s.db, copy.path, &test_err));
        varve_close(s.db);
        s.db = NULL;
        small_verify(&copy);
        small_open(&copy, VARVE_RDONLY);
        assert_true(totals_now(copy.db).tokens > 0);
        small_close(&copy);
    }
    board->done = 1;
    must_end_well(child);
    small_verify(&s);
    files_remove(root);
    files_remove(s.path);
    board_free(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_processes), cmocka_unit_test(test_killed_writers),
        cmocka_unit_test(test_months_live),    cmocka_unit_test(test_no_growth),
        cmocka_unit_test(test_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
