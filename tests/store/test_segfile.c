/* SPDX-License-Identifier: Apache-2.0
 *
 * test_segfile.c -- month files: names, segments that never move, sharing,
 * removal, threads, processes and missing memory.
 */
#include "store/segfile.h"

#include <pthread.h>
#include <sys/wait.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "scratch.h"

#define OK(expression) assert_ok((expression), &err, __LINE__)

static struct scratch scratch;
static struct mem mem;
static struct varve_err err;
static const struct segfile_id october = {2026 * 12 + 9, 3};

static void assert_ok(enum varve_status status, const struct varve_err *e, int line)
{
    if (status != VARVE_OK)
        fail_msg("line %d: %s: %s: %s", line, status_name(status), e->place, e->message);
}

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    scratch_make(&scratch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return mem.used == 0 ? 0 : -1;
}

static struct segfiles *open_set(int read_only)
{
    struct segfiles *files = NULL;
    OK(segfiles_new(&files, &mem, scratch.directory, read_only, &err));
    return files;
}

static void fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    struct prng p = {seed};
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)prng_next(&p);
}

static size_t size_for(uint64_t seed)
{
    struct prng p = {seed ^ UINT64_C(0x5151)};
    return (size_t)(prng_below(&p, 3) ? prng_below(&p, 300) : prng_below(&p, 30000));
}

static void put_seeded(struct segfiles *files, struct segfile_id file, int32_t day, uint32_t table,
                       uint64_t generation)
{
    static uint8_t bytes[1 << 16];
    struct segment_blob blob = {{day, table, generation}, bytes, size_for(generation)};
    fill(bytes, blob.size, generation);
    OK(segfile_put(files, file, &blob, 1, &err));
}

static void assert_seeded(const uint8_t *bytes, size_t size, uint64_t seed)
{
    static uint8_t expected[1 << 16];
    assert_int_equal(size, size_for(seed));
    fill(expected, size, seed);
    assert_memory_equal(bytes, expected, size);
}

/* Pointers to segments, most of them small, stay good while the file grows. */
static void test_segments_stay(void **state)
{
    (void)state;
    enum { COUNT = 150 };
    const uint8_t *bytes[COUNT];
    size_t sizes[COUNT];
    struct segfiles *files = open_set(0);
    struct segfile *file = NULL;
    for (uint64_t g = 0; g < COUNT; g++) {
        put_seeded(files, october, (int32_t)(g % 7) - 3, (uint32_t)(g % 3), g);
        if (!file)
            OK(segfile_acquire(files, october, &file, &err));
        struct segment_id id = {(int32_t)(g % 7) - 3, (uint32_t)(g % 3), g};
        OK(segfile_get(file, id, &bytes[g], &sizes[g], &err));
        assert_int_equal((uintptr_t)bytes[g] % 32, 0);
        for (uint64_t i = 0; i <= g; i += 13)
            assert_seeded(bytes[i], sizes[i], i);
    }
    for (uint64_t g = 0; g < COUNT; g++)
        assert_seeded(bytes[g], sizes[g], g);
    segfile_release(files, file);
    segfiles_close_idle(files);
    OK(segfile_acquire(files, october, &file, &err));
    for (uint64_t g = 0; g < COUNT; g++) {
        struct segment_id id = {(int32_t)(g % 7) - 3, (uint32_t)(g % 3), g};
        OK(segfile_get(file, id, &bytes[g], &sizes[g], &err));
        assert_seeded(bytes[g], sizes[g], g);
    }
    segfile_release(files, file);
    segfiles_free(files);
}

/* Another process forgets the month and begins it anew: the name is the same, the file is not. */
static void test_name_comes_back(void **state)
{
    (void)state;
    struct segfiles *files = open_set(0), *other;
    struct segfile *file = NULL, *old = NULL;
    const uint8_t *bytes;
    size_t size;
    for (int used = 0; used < 2; used++) {
        uint64_t generation = 2 * (uint64_t)used + 1;
        put_seeded(files, october, 5, 0, generation);
        if (used)
            OK(segfile_acquire(files, october, &old, &err));
        other = open_set(0);
        OK(segfile_unlink(other, october, &err));
        put_seeded(other, october, 6, 0, generation + 1);
        segfiles_free(other);
        OK(segfile_acquire(files, october, &file, &err));
        OK(segfile_get(file, (struct segment_id){6, 0, generation + 1}, &bytes, &size, &err));
        assert_seeded(bytes, size, generation + 1);
        segfile_release(files, file);
    }
    /* What was in use stays good. */
    OK(segfile_get(old, (struct segment_id){5, 0, 3}, &bytes, &size, &err));
    assert_seeded(bytes, size, 3);
    segfile_release(files, old);
    segfiles_free(files);
}

static void test_put_refuses(void **state)
{
    (void)state;
    struct segfiles *files = open_set(0), *reader;
    struct segment_blob blobs[2] = {{{5, 0, 1}, (const uint8_t *)"one", 3},
                                    {{5, 0, 2}, (const uint8_t *)"two", 3}};
    struct segfile *file = NULL;
    const uint8_t *bytes;
    size_t size;
    OK(segfile_put(files, october, blobs, 1, &err));
    blobs[0].id.generation = 3;
    blobs[1].id.generation = 1;
    assert_int_equal(segfile_put(files, october, blobs, 2, &err), VARVE_MISUSE);
    OK(segfile_acquire(files, october, &file, &err));
    assert_int_equal(segfile_get(file, blobs[0].id, &bytes, &size, &err), VARVE_CORRUPT);
    assert_string_equal(err.place, "seg-2026-10.3.mdb");
    assert_string_equal(err.message, "the segment of day 1970-01-06, table 0, generation 3 is not "
                                     "there; restore the file from a backup");
    OK(segfile_get(file, blobs[1].id, &bytes, &size, &err));
    assert_memory_equal(bytes, "one", size);
    segfile_release(files, file);
    segfiles_free(files);
    reader = open_set(1);
    assert_int_equal(segfile_put(reader, october, blobs, 1, &err), VARVE_READONLY);
    assert_int_equal(segfile_unlink(reader, october, &err), VARVE_READONLY);
    OK(segfile_acquire(reader, october, &file, &err));
    OK(segfile_get(file, blobs[1].id, &bytes, &size, &err));
    assert_int_equal(size, 3);
    segfile_release(reader, file);
    segfile_release(reader, NULL);
    segfiles_free(reader);
    segfiles_free(NULL);
}

static void test_newest(void **state)
{
    (void)state;
    struct segfiles *files = open_set(0);
    uint64_t newest = 99;
    OK(segfile_newest(files, october, 5, 0, &newest, &err));
    assert_int_equal(newest, 0);
    assert_int_equal(scratch_count(&scratch), 0);
    put_seeded(files, october, 5, 0, 7);
    put_seeded(files, october, 5, 0, 9);
    put_seeded(files, october, 5, 1, 11);
    put_seeded(files, october, -1, 0, 13);
    put_seeded(files, october, 6, 0, UINT64_MAX);
    const struct {
        int32_t day;
        uint32_t table;
        uint64_t newest;
    } cases[] = {{5, 0, 9}, {5, 1, 11},         {5, 2, 0}, {-1, 0, 13},
                 {0, 0, 0}, {6, 0, UINT64_MAX}, {7, 0, 0}, {-2, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OK(segfile_newest(files, october, cases[i].day, cases[i].table, &newest, &err));
        assert_true(newest == cases[i].newest);
    }
    segfiles_free(files);
}

static int note_id(void *context, struct segfile_id id)
{
    uint64_t *sum = context;
    *sum += (uint64_t)id.month * 1000 + id.generation + (UINT64_C(1) << 40);
    return 0;
}

static int stop_at_once(void *context, struct segfile_id id)
{
    (void)id;
    ++*(int *)context;
    return 1;
}

static void test_list(void **state)
{
    (void)state;
    const char *strangers[] = {
        "seg-2026-10.mdb",          "seg-2026-10.03.mdb",         "seg-2026-13.1.mdb",
        "seg-2026-1.1.mdb",         "seg-2026-10.1.mdb-lock",     "seg-2026-10.1.mdbx",
        "seg-+026-10.1.mdb",        "seg-2026-10.4294967296.mdb", "seg- 026-10.1.mdb",
        "seg-2026-10.-1.mdb",       "xseg-2026-10.1.mdb",         "main.mdb",
        "seg-2026-10.1.mdb-new.12", "seg-2026-00.1.mdb"};
    struct segfiles *files = open_set(0);
    uint64_t sum = 0;
    int calls = 0;
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        scratch_write(scratch_path(&scratch, strangers[i]), "", 0);
    OK(segfiles_list(files, note_id, &sum, &err));
    assert_int_equal(sum, 0);
    put_seeded(files, october, 1, 0, 1);
    put_seeded(files, (struct segfile_id){2026 * 12 + 11, UINT32_MAX}, 1, 0, 1);
    put_seeded(files, (struct segfile_id){1970 * 12, 0}, 1, 0, 1);
    assert_int_equal(access(scratch_path(&scratch, "seg-2026-12.4294967295.mdb"), F_OK), 0);
    OK(segfiles_list(files, note_id, &sum, &err));
    assert_true(sum == (UINT64_C(3) << 40) +
                           (uint64_t)(2026 * 12 + 9 + 2026 * 12 + 11 + 1970 * 12) * 1000 + 3 +
                           UINT32_MAX);
    OK(segfiles_list(files, stop_at_once, &calls, &err));
    assert_int_equal(calls, 1);
    struct segfile *file;
    assert_int_equal(segfile_acquire(files, (struct segfile_id){-1, 0}, &file, &err), VARVE_LIMIT);
    assert_int_equal(segfile_acquire(files, (struct segfile_id){10000 * 12, 0}, &file, &err),
                     VARVE_LIMIT);
    segfiles_free(files);
}

static void test_unlink(void **state)
{
    (void)state;
    struct segfiles *files = open_set(0);
    struct segfile *old = NULL, *file = NULL;
    const uint8_t *bytes;
    size_t size;
    OK(segfile_unlink(files, october, &err));
    put_seeded(files, october, 1, 0, 1);
    assert_true(segfile_disk_bytes(files, october) >= 8192);
    OK(segfile_acquire(files, october, &old, &err));
    OK(segfile_get(old, (struct segment_id){1, 0, 1}, &bytes, &size, &err));
    OK(segfile_unlink(files, october, &err));
    assert_int_equal(scratch_count(&scratch), 0);
    assert_int_equal(segfile_disk_bytes(files, october), 0);
    assert_int_equal(segfile_acquire(files, october, &file, &err), VARVE_NOTFOUND);
    put_seeded(files, october, 1, 0, 2); /* a new file under the old name */
    assert_seeded(bytes, size, 1);
    OK(segfile_get(old, (struct segment_id){1, 0, 1}, &bytes, &size, &err));
    segfile_release(files, old);
    OK(segfile_acquire(files, october, &file, &err));
    OK(segfile_get(file, (struct segment_id){1, 0, 2}, &bytes, &size, &err));
    assert_seeded(bytes, size, 2);
    segfile_release(files, file);
    OK(segfile_unlink(files, october, &err));
    assert_int_equal(scratch_count(&scratch), 0);
    segfiles_free(files);
}

/* More files than may stay open idle; each is found again. */
static void test_many_files(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    struct segfiles *files = open_set(0);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            struct segfile_id id = {2000 * 12 + (int32_t)i, 1};
            struct segfile *file = NULL;
            const uint8_t *bytes;
            size_t size;
            if (round == 0)
                put_seeded(files, id, (int32_t)i, 0, i);
            OK(segfile_acquire(files, id, &file, &err));
            OK(segfile_get(file, (struct segment_id){(int32_t)i, 0, i}, &bytes, &size, &err));
            assert_seeded(bytes, size, i);
            segfile_release(files, file);
        }
    }
    segfiles_free(files);
}

static void test_copy(void **state)
{
    (void)state;
    struct segfiles *files = open_set(0), *copies = NULL;
    struct segfile *file = NULL;
    const uint8_t *bytes;
    size_t size;
    struct scratch other;
    scratch_make(&other);
    put_seeded(files, october, 1, 0, 1);
    put_seeded(files, october, 1, 0, 2);
    OK(segfile_copy(files, october, other.directory, &err));
    assert_int_equal(segfile_copy(files, october, other.directory, &err), VARVE_IO);
    assert_int_equal(segfile_copy(files, (struct segfile_id){1, 1}, other.directory, &err),
                     VARVE_NOTFOUND);
    segfiles_free(files);
    OK(segfiles_new(&copies, &mem, other.directory, 1, &err));
    OK(segfile_acquire(copies, october, &file, &err));
    OK(segfile_get(file, (struct segment_id){1, 0, 2}, &bytes, &size, &err));
    assert_seeded(bytes, size, 2);
    segfile_release(copies, file);
    segfiles_free(copies);
    scratch_remove(&other);
}

static void test_damage(void **state)
{
    (void)state;
    struct segfiles *files = open_set(0);
    struct segfile *file = NULL;
    uint8_t *bytes;
    put_seeded(files, october, 1, 0, 1);
    segfiles_close_idle(files);
    size_t size = scratch_read(scratch_path(&scratch, "seg-2026-10.3.mdb"), &bytes);
    for (size_t page = 2; page < size / 4096; page++)
        bytes[page * 4096 + 12] ^= 2; /* a leaf's lower bound, a large value's count */
    scratch_write(scratch_path(&scratch, "seg-2026-10.3.mdb"), bytes, size);
    assert_int_equal(segfile_acquire(files, october, &file, &err), VARVE_CORRUPT);
    assert_non_null(strstr(err.place, "seg-2026-10.3.mdb, page "));
    scratch_write(scratch_path(&scratch, "seg-2026-10.3.mdb"), bytes, 8192);
    assert_int_equal(segfile_acquire(files, october, &file, &err), VARVE_CORRUPT);
    assert_non_null(strstr(err.message, "cut off"));
    free(bytes);
    segfiles_free(files);
}

/* ---- threads and processes ---- */

static void *use_files(void *context)
{
    struct segfiles *files = context;
    struct varve_err e;
    struct prng p = {(uint64_t)(uintptr_t)&e};
    static _Atomic uint32_t generations = 1;
    for (int i = 0; i < 60; i++) {
        struct segfile_id id = {2000 * 12 + (int32_t)prng_below(&p, 30), 1};
        uint64_t generation = generations++;
        struct segment_blob blob = {{1, 0, generation}, (const uint8_t *)&generation, 8};
        struct segfile *file;
        const uint8_t *bytes;
        size_t size;
        if (i % 4 == 0 && segfile_put(files, id, &blob, 1, &e) != VARVE_OK)
            return context;
        if (segfile_newest(files, id, 1, 0, &generation, &e) != VARVE_OK)
            return context;
        if (generation == 0)
            continue;
        if (segfile_acquire(files, id, &file, &e) != VARVE_OK)
            return context;
        if (segfile_get(file, (struct segment_id){1, 0, generation}, &bytes, &size, &e) !=
                VARVE_OK ||
            size != 8 || memcmp(bytes, &generation, 8) != 0)
            return context;
        segfile_release(files, file);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct segfiles *files = open_set(0);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, use_files, files);
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
    segfiles_free(files);
}

/* A reader keeps its pointers while another process adds to the file. */
static void test_two_processes(void **state)
{
    (void)state;
    struct segfiles *files = open_set(0);
    struct segfile *file = NULL;
    const uint8_t *bytes, *more;
    size_t size, more_size;
    int how;
    put_seeded(files, october, 1, 0, 1);
    OK(segfile_acquire(files, october, &file, &err));
    OK(segfile_get(file, (struct segment_id){1, 0, 1}, &bytes, &size, &err));
    pid_t child = fork();
    if (child == 0) {
        struct segfiles *mine = open_set(0);
        for (uint64_t g = 2; g < 60; g++)
            put_seeded(mine, october, 1, 0, g);
        segfiles_free(mine);
        _exit(0);
    }
    waitpid(child, &how, 0);
    assert_int_equal(how, 0);
    assert_seeded(bytes, size, 1);
    for (uint64_t g = 1; g < 60; g++) {
        OK(segfile_get(file, (struct segment_id){1, 0, g}, &more, &more_size, &err));
        assert_seeded(more, more_size, g);
    }
    segfile_release(files, file);
    segfiles_free(files);
}

static enum varve_status everything(struct mem *m)
{
    struct segfiles *files = NULL;
    struct segfile *file = NULL;
    struct segment_blob blob = {{1, 0, 1}, (const uint8_t *)"abc", 3};
    uint64_t newest;
    const uint8_t *bytes;
    size_t size;
    enum varve_status status;
    TRYOUT(segfiles_new(&files, m, scratch.directory, 0, &err));
    TRYOUT(segfile_put(files, october, &blob, 1, &err));
    segfiles_close_idle(files);
    TRYOUT(segfile_newest(files, october, 1, 0, &newest, &err));
    TRYOUT(segfile_acquire(files, october, &file, &err));
    TRYOUT(segfile_get(file, blob.id, &bytes, &size, &err));
out:
    if (files)
        segfile_release(files, file);
    segfiles_free(files);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct mem m;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        mem_init(&m, &fault.allocator, 0);
        enum varve_status status = everything(&m);
        /* a file that cannot be opened is tried again after idle ones were closed */
        assert_true(status == VARVE_OK || (status == VARVE_NOMEM && fault.failed));
        assert_true(alloc_fault_is_clean(&fault));
        unlink(scratch_path(&scratch, "seg-2026-10.3.mdb"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_segments_stay), TEST(test_put_refuses),     TEST(test_newest),
        TEST(test_list),          TEST(test_unlink),          TEST(test_many_files),
        TEST(test_copy),          TEST(test_damage),          TEST(test_threads),
        TEST(test_two_processes), TEST(test_name_comes_back), TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
