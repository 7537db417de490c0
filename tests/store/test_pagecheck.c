/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pagecheck.c -- the promise of pagecheck: what it lets pass, LMDB can
 * read without dying, and every difference is seen by a checksum.
 *
 * Files are damaged bit by bit and page by page.  Whatever pagecheck calls
 * good is then read through LMDB, and written to, in a child process; the child must
 * live, and find either the same records or a record that is damaged.
 */
#include "store/pagecheck.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "base/bytes.h"
#include "store/env.h"

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "scratch.h"

/* Sanitizers are slow: there not every bit is flipped. */
#if defined(__SANITIZE_ADDRESS__)
#define BIT_STEP 7
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BIT_STEP 7
#endif
#endif
#ifndef BIT_STEP
#define BIT_STEP 1
#endif

#define OK(expression) assert_ok((expression), &err, __LINE__)

enum { PAGE = 4096, RECORDS = 150, VALUE_MAX = 20000, TREE_PAGES = 40 };

static struct scratch scratch;
static struct mem mem;
static struct varve_err err;

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

/* ---- a file with known records ---- */

struct world {
    int fd;
    uint8_t *bytes; /* the file as it should be */
    size_t size;
    uint32_t seeds[RECORDS]; /* of the values; 0: the record is not there */
    size_t tree[TREE_PAGES], tree_pages;
};

static struct env_key record_key(unsigned i)
{
    struct env_key key = {.size = (uint8_t)(6 + i % 5 * 4)};
    memset(key.bytes, 0x55, sizeof key.bytes);
    key.bytes[0] = (uint8_t)(i >> 8);
    key.bytes[1] = (uint8_t)i;
    return key;
}

static size_t value_of(uint32_t seed, uint8_t *bytes)
{
    struct prng p = {seed};
    size_t size =
        (size_t)(prng_below(&p, 16) ? 20 + prng_below(&p, 60) : prng_below(&p, VALUE_MAX));
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)prng_next(&p);
    return size;
}

static void change_record(struct txn *txn, struct world *world, unsigned i, uint32_t seed)
{
    static uint8_t bytes[VALUE_MAX];
    struct env_key key = record_key(i);
    if (seed == 0 && world->seeds[i] != 0)
        OK(txn_delete(txn, &key, &err));
    if (seed != 0)
        OK(txn_put(txn, &key, bytes, value_of(seed, bytes), &err));
    world->seeds[i] = seed;
}

static void end_world(struct world *world)
{
    close(world->fd);
    free(world->bytes);
}

static void poke(const struct world *world, size_t at, const void *bytes, size_t size)
{
    if (pwrite(world->fd, bytes, size, (off_t)at) != (ssize_t)size)
        abort();
}

static void flip(const struct world *world, size_t bit)
{
    uint8_t byte = world->bytes[bit / 8] ^ (uint8_t)(1u << bit % 8);
    poke(world, bit / 8, &byte, 1);
}

static void unflip(const struct world *world, size_t bit)
{
    poke(world, bit / 8, &world->bytes[bit / 8], 1);
}

static bool passes(const struct world *world)
{
    enum varve_status status = pagecheck(&mem, world->fd, "a.mdb", 0, NULL, &err);
    if (status != VARVE_OK && status != VARVE_CORRUPT && status != VARVE_VERSION)
        assert_ok(status, &err, __LINE__);
    return status == VARVE_OK;
}

/* The pages of both trees; there are old ones among the free pages, where nothing matters. */
static void find_tree_pages(struct world *world)
{
    for (size_t page = 2; page < world->size / PAGE; page++) {
        const uint8_t *p = world->bytes + page * PAGE;
        unsigned kind = load16(p + 10);
        if (load64(p) != page || (kind != 1 && kind != 2))
            continue;
        flip(world, page * PAGE * 8);
        if (!passes(world) && world->tree_pages < TREE_PAGES)
            world->tree[world->tree_pages++] = page;
        unflip(world, page * PAGE * 8);
    }
}

static void build_world(struct world *world, uint64_t seed)
{
    struct prng p = prng_start(seed);
    struct env *env = NULL;
    struct txn *txn = NULL;
    *world = (struct world){.fd = -1};
    OK(env_open(&env, &mem, scratch_path(&scratch, "a.mdb"), ENV_CREATE, 0, &err));
    for (int round = 0; round < 4; round++) {
        OK(env_begin_write(env, &txn, RECORDS * VALUE_MAX, &err));
        for (unsigned i = 0; i < RECORDS; i++)
            if (round == 0 || prng_below(&p, 8) == 0)
                change_record(txn, world, i, prng_below(&p, 4) ? (uint32_t)prng_next(&p) | 1 : 0);
        OK(txn_commit(txn, &err));
    }
    env_close(env);
    world->size = scratch_read(scratch_path(&scratch, "a.mdb"), &world->bytes);
    world->fd = open(scratch.path, O_RDWR | O_CLOEXEC);
    OK(pagecheck(&mem, world->fd, "a.mdb", 0, NULL, &err));
    find_tree_pages(world);
    assert_in_range(world->tree_pages, 4, TREE_PAGES - 1);
}

/* ---- reading everything, as a child process ---- */

/* Same records as there should be, or a record found damaged. */
static bool reads_well(struct env *env, const struct world *world)
{
    static uint8_t expected[VALUE_MAX];
    struct txn *txn = NULL;
    struct walk *walk = NULL;
    struct env_key from = {.size = 0}, key;
    struct env_value value;
    bool damaged = false, differs = false;
    unsigned i = 0;
    if (env_begin_read(env, &txn, &err) != VARVE_OK)
        return true;
    if (walk_begin(txn, &from, 0, &walk, &err) != VARVE_OK)
        return false;
    for (;;) {
        enum varve_status status = walk_next(walk, true, &key, &value, &err);
        if (status == VARVE_DONE)
            break;
        damaged |= status == VARVE_CORRUPT;
        if (status != VARVE_OK && status != VARVE_CORRUPT)
            return false;
        if (status != VARVE_OK)
            continue;
        while (i < RECORDS && world->seeds[i] == 0)
            i++;
        if (i == RECORDS) {
            differs = true;
            break;
        }
        struct env_key want = record_key(i);
        size_t size = value_of(world->seeds[i++], expected);
        differs |= want.size != key.size || memcmp(want.bytes, key.bytes, key.size) != 0 ||
                   size != value.size || memcmp(expected, value.data, size) != 0;
    }
    while (i < RECORDS && world->seeds[i] == 0)
        i++;
    walk_end(walk);
    txn_abort(txn);
    return damaged || (!differs && i == RECORDS);
}

/* Lookups go by another way through the pages than a walk. */
static bool looks_up_well(struct env *env, const struct world *world, bool *damaged)
{
    static uint8_t expected[VALUE_MAX];
    struct txn *txn = NULL;
    bool well = true;
    if (env_begin_read(env, &txn, &err) != VARVE_OK)
        return true;
    for (unsigned i = 0; i < RECORDS; i++) {
        struct env_key key = record_key(i);
        struct env_value value;
        enum varve_status status = txn_get(txn, &key, true, &value, &err);
        *damaged |= status == VARVE_CORRUPT;
        if (status == VARVE_OK)
            well &= world->seeds[i] != 0 && value_of(world->seeds[i], expected) == value.size &&
                    memcmp(expected, value.data, value.size) == 0;
    }
    txn_abort(txn);
    return well;
}

/* Touches every leaf, takes free pages, splits and merges; nothing is committed. */
static void write_all_over(struct env *env)
{
    static uint8_t bytes[6000];
    struct txn *txn = NULL;
    if (env_begin_write(env, &txn, RECORDS * sizeof bytes, &err) != VARVE_OK)
        return;
    for (unsigned i = 0; i < RECORDS; i++) {
        struct env_key key = record_key(i);
        enum varve_status status = i % 3 == 0 ? txn_delete(txn, &key, &err)
                                              : txn_put(txn, &key, bytes, i % 3 * 2900, &err);
        if (status != VARVE_OK && status != VARVE_NOTFOUND)
            break;
    }
    txn_abort(txn);
}

/* What is on disk now passed pagecheck.  0: it kept the promise. */
static int try_file(const struct world *world)
{
    struct env *env = NULL;
    bool damaged = false;
    enum varve_status status = env_open(&env, &mem, scratch.path, ENV_NOCHECK, 1 << 22, &err);
    if (status != VARVE_OK)
        return status == VARVE_CORRUPT ? 0 : 1;
    int result = 0;
    if (!reads_well(env, world))
        result = 2;
    else if (!looks_up_well(env, world, &damaged) && !damaged)
        result = 3;
    write_all_over(env);
    env_close(env);
    return result;
}

/* Runs try_file in a child for each of the damages that `apply` makes, many to a child. */
static void assert_promise(const struct world *world, const size_t *list, size_t count,
                           void (*apply)(const struct world *, size_t),
                           void (*undo)(const struct world *, size_t))
{
    size_t *done =
        mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(done, MAP_FAILED);
    *done = 0;
    int how = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(600);
        for (; *done < count; ++*done) {
            apply(world, list[*done]);
            int result = try_file(world);
            undo(world, list[*done]);
            if (result != 0)
                _exit(result);
        }
        _exit(0);
    }
    waitpid(child, &how, 0);
    if (how != 0)
        fail_msg("damage %zu passed pagecheck; then the reader ended with %s %d", list[*done],
                 WIFSIGNALED(how) ? "signal" : "code",
                 WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    munmap(done, sizeof *done);
}

/* ---- what is whole passes ---- */

/* LMDB's own ways: overwriting, splitting, merging, readers that pin pages, long free lists. */
static void test_whole_files_pass(void **state)
{
    (void)state;
    enum { KEYS = 900 };
    struct prng p = prng_start(4711);
    struct env *env = NULL;
    struct txn *txn = NULL, *reader = NULL;
    static uint8_t bytes[60000];
    bool there[KEYS] = {false};
    OK(env_open(&env, &mem, scratch_path(&scratch, "a.mdb"), ENV_CREATE, 0, &err));
    int fd = open(scratch.path, O_RDONLY | O_CLOEXEC);
    for (int round = 0; round < 150; round++) {
        uint64_t style = prng_below(&p, 6), entries = 0;
        OK(env_begin_write(env, &txn, 1 << 24, &err));
        for (uint64_t n = style == 0 ? KEYS : prng_below(&p, 120); n > 0; n--) {
            unsigned i = (unsigned)(style == 0 ? n - 1 : prng_below(&p, KEYS));
            struct env_key key = {.size = 4};
            store32(key.bytes, i * 2654435761u);
            if (style == 0 || prng_below(&p, 3) == 0) {
                assert_int_equal(txn_delete(txn, &key, &err), there[i] ? VARVE_OK : VARVE_NOTFOUND);
                there[i] = false;
                continue;
            }
            size_t size = (size_t)prng_below(&p, style < 3 ? 100 : style < 5 ? 4000 : sizeof bytes);
            OK(txn_put(txn, &key, bytes, size, &err));
            there[i] = true;
            if (prng_below(&p, 4) == 0) /* once more: smaller or larger, in the same transaction */
                OK(txn_put(txn, &key, bytes, (size_t)prng_below(&p, 2 * size + 1) % sizeof bytes,
                           &err));
        }
        OK(txn_commit(txn, &err));
        for (unsigned i = 0; i < KEYS; i++)
            entries += there[i];
        struct pagecheck_result result;
        OK(pagecheck(&mem, fd, "a.mdb", 0, &result, &err));
        assert_int_equal(result.entries, entries);
        assert_true(result.free_pages < result.pages);
        if (prng_below(&p, 10) == 0) {
            txn_abort(reader);
            OK(env_begin_read(env, &reader, &err));
        }
    }
    txn_abort(reader);
    close(fd);
    env_close(env);
}

/* A transaction takes pages at the end of the file and gives them back without writing them. */
static void test_file_shorter_than_its_pages(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    struct env *env = NULL;
    struct txn *txn = NULL;
    struct stat st;
    struct pagecheck_result result;
    OK(env_open(&env, &mem, scratch_path(&scratch, "a.mdb"), ENV_CREATE, 0, &err));
    for (unsigned i = 0; i < 8; i++) { /* so that there is a free list to give pages back to */
        struct env_key key = record_key(i);
        OK(env_begin_write(env, &txn, 0, &err));
        OK(txn_put(txn, &key, bytes, 10, &err));
        OK(txn_commit(txn, &err));
    }
    OK(env_begin_write(env, &txn, 1 << 20, &err));
    for (unsigned i = 0; i < 10; i++) {
        struct env_key key = record_key(i);
        OK(txn_put(txn, &key, bytes, sizeof bytes, &err));
    }
    for (unsigned i = 1; i < 10; i++) {
        struct env_key key = record_key(i);
        OK(txn_delete(txn, &key, &err));
    }
    OK(txn_commit(txn, &err));
    env_close(env);
    OK(env_open(&env, &mem, scratch.path, 0, 0, &err));
    env_close(env);
    int fd = open(scratch.path, O_RDONLY | O_CLOEXEC);
    OK(pagecheck(&mem, fd, "a.mdb", 0, &result, &err));
    assert_int_equal(fstat(fd, &st), 0);
    assert_true((uint64_t)st.st_size < result.pages * PAGE);
    close(fd);
}

/* ---- damage ---- */

static void test_every_bit_of_every_tree_page(void **state)
{
    (void)state;
    struct world world;
    build_world(&world, 1);
    size_t all = 0, count = 0, *passed = calloc(world.tree_pages * PAGE * 8, sizeof *passed);
    for (size_t i = 0; i < world.tree_pages; i++) {
        for (size_t bit = world.tree[i] * PAGE * 8; bit < (world.tree[i] + 1) * PAGE * 8;
             bit += BIT_STEP) {
            flip(&world, bit);
            /* the bits of values and of unused room pass; a sample of them is read */
            if (passes(&world) && all++ % (64 / BIT_STEP) == 0)
                passed[count++] = bit;
            unflip(&world, bit);
        }
    }
    assert_true(passes(&world));
    printf("# %zu tree pages, %zu of %zu bits pass, %zu are read\n", world.tree_pages, all,
           world.tree_pages * PAGE * 8 / BIT_STEP, count);
    assert_in_range(count, 100, 20000);
    assert_promise(&world, passed, count, flip, unflip);
    free(passed);
    end_world(&world);
}

/* Of the meta pages, with what LMDB reads first. */
static void test_every_bit_of_the_meta_pages(void **state)
{
    (void)state;
    struct world world;
    size_t passed[2 * 152 * 8], count = 0;
    build_world(&world, 2);
    unsigned newest = load64(world.bytes + 16 + 128) < load64(world.bytes + PAGE + 16 + 128);
    for (size_t page = 0; page < 2; page++) {
        for (size_t i = 0; i < 152 * 8; i++) {
            size_t bit = page * PAGE * 8 + i;
            flip(&world, bit);
            /* LMDB would go back to the older state; a copy of the number inside the tree tells */
            bool hides = page == newest && i / 8 >= 16 + 128;
            if (passes(&world) && !hides)
                passed[count++] = bit;
            unflip(&world, bit);
        }
    }
    /* padding, the map's size and what only the older state needs */
    assert_in_range(count, 50, 1200);
    assert_promise(&world, passed, count, flip, unflip);
    end_world(&world);
}

/* A damaged transaction number is either seen by pagecheck or by looking into both trees. */
static void test_hidden_commit(void **state)
{
    (void)state;
    struct env *env = NULL;
    struct txn *txn = NULL;
    struct env_key key = {.size = 1, .bytes = {'s'}};
    OK(env_open(&env, &mem, scratch_path(&scratch, "a.mdb"), ENV_CREATE, 0, &err));
    for (uint64_t i = 1; i < 24; i++) {
        uint8_t number[8];
        store64(number, i);
        OK(env_begin_write(env, &txn, 8, &err));
        OK(txn_put(txn, &key, number, 8, &err));
        OK(txn_commit(txn, &err));
    }
    env_close(env);
    struct world world = {.fd = open(scratch.path, O_RDWR | O_CLOEXEC)};
    world.size = scratch_read(scratch.path, &world.bytes);
    size_t hidden = 0;
    for (size_t bit = 0; bit < 2 * 64; bit++) {
        size_t at = (bit / 64 * PAGE + 16 + 128) * 8 + bit % 64;
        bool seen = false;
        flip(&world, at);
        if (passes(&world)) {
            hidden++;
            for (unsigned meta = 0; meta < 2; meta++) {
                uint8_t value[16];
                size_t size = sizeof value;
                uint64_t txnid;
                OK(pagecheck_find(&mem, world.fd, "a.mdb", meta, "s", 1, value, &size, &txnid,
                                  &err));
                assert_int_equal(size, 16);
                seen |= load64(value + 8) != txnid;
            }
            assert_true(seen);
        }
        unflip(&world, at);
    }
    assert_in_range(hidden, 1, 4);
    end_world(&world);
}

static size_t truncated_at;
static void cut(const struct world *world, size_t size)
{
    truncated_at = size;
    if (ftruncate(world->fd, (off_t)size) != 0)
        abort();
}
static void uncut(const struct world *world, size_t size)
{
    poke(world, size, world->bytes + size, world->size - size);
}

static void test_truncation(void **state)
{
    (void)state;
    struct world world;
    build_world(&world, 3);
    size_t passed[4096] = {0}, count = 0;
    for (size_t size = 0; size < world.size; size += size < 3 * PAGE ? 512 : PAGE / 2) {
        cut(&world, size);
        if (passes(&world))
            passed[count++] = size; /* what is missing is free */
        uncut(&world, size);
    }
    assert_promise(&world, passed, count, cut, uncut);
    for (size_t i = 0; i < count; i++)
        assert_true(passed[i] > world.size / 2);
    end_world(&world);
}

/* Whole pages: zeros, ones, noise, the bytes of another page. */
static void replace_page(const struct world *world, size_t damage)
{
    size_t pages = world->size / PAGE, page = damage / 5 % pages;
    uint8_t bytes[PAGE];
    struct prng p = {damage};
    switch (damage % 5) {
    case 0:
        memset(bytes, 0, PAGE);
        break;
    case 1:
        memset(bytes, 0xff, PAGE);
        break;
    case 2:
        for (size_t i = 0; i < PAGE; i++)
            bytes[i] = (uint8_t)prng_next(&p);
        break;
    case 3:
        memcpy(bytes, world->bytes + prng_below(&p, pages) * PAGE, PAGE);
        break;
    default: /* of another tree page, with the right number on it */
        memcpy(bytes, world->bytes + world->tree[prng_below(&p, world->tree_pages)] * PAGE, PAGE);
        store64(bytes, page);
    }
    poke(world, page * PAGE, bytes, PAGE);
}

static void restore_page(const struct world *world, size_t damage)
{
    size_t page = damage / 5 % (world->size / PAGE);
    poke(world, page * PAGE, world->bytes + page * PAGE, PAGE);
}

static void test_replaced_pages(void **state)
{
    (void)state;
    struct world world;
    size_t passed[6000], count = 0;
    build_world(&world, 4);
    assert_true(world.size / PAGE * 10 < 6000);
    for (size_t damage = 0; damage < world.size / PAGE * 10; damage++) {
        replace_page(&world, damage);
        if (passes(&world))
            passed[count++] = damage;
        restore_page(&world, damage);
    }
    assert_true(count > 0); /* free pages, pages inside large values */
    assert_promise(&world, passed, count, replace_page, restore_page);
    end_world(&world);
}

/* Several changes at once, aimed at the fields that lead somewhere. */
static void scramble(const struct world *world, size_t damage)
{
    struct prng p = {damage ^ UINT64_C(0x77000000)};
    for (uint64_t n = 1 + prng_below(&p, 3); n > 0; n--) {
        size_t page = world->tree[prng_below(&p, world->tree_pages)];
        const uint8_t *from = world->bytes + page * PAGE;
        size_t nodes = (size_t)(load16(from + 12) - 16) / 2, at = 10 + 2 * prng_below(&p, 3);
        uint8_t number[2];
        if (prng_below(&p, 4) != 0) {
            size_t slot = 16 + 2 * prng_below(&p, nodes);
            at = prng_below(&p, 2) ? slot : load16(from + slot) + 2 * prng_below(&p, 8);
        }
        store16(number, (uint16_t)(prng_below(&p, 2) ? prng_below(&p, 64)
                                                     : load16(from + at) + 2 - prng_below(&p, 5)));
        poke(world, page * PAGE + (at < PAGE - 2 ? at : PAGE - 2), number, 2);
    }
}

static void unscramble(const struct world *world, size_t damage)
{
    (void)damage;
    for (size_t i = 0; i < world->tree_pages; i++)
        poke(world, world->tree[i] * PAGE, world->bytes + world->tree[i] * PAGE, PAGE);
}

static void test_scrambled_fields(void **state)
{
    (void)state;
    struct world world;
    size_t passed[4000], count = 0;
    build_world(&world, 5);
    for (size_t damage = 0; damage < 4000; damage++) {
        scramble(&world, damage);
        if (passes(&world))
            passed[count++] = damage;
        unscramble(&world, damage);
    }
    printf("# %zu of 4000 pass\n", count);
    assert_in_range(count, 1, 2000);
    assert_promise(&world, passed, count < 300 ? count : 300, scramble, unscramble);
    end_world(&world);
}

static void test_messages(void **state)
{
    (void)state;
    struct world world;
    build_world(&world, 6);
    size_t page = world.tree[0];
    char place[64];
    snprintf(place, sizeof place, "a.mdb, page %zu", page);
    flip(&world, page * PAGE * 8 + 9);
    assert_false(passes(&world));
    assert_string_equal(err.place, place);
    assert_non_null(strstr(err.message, "the page carries the number "));
    unflip(&world, page * PAGE * 8 + 9);
    assert_int_equal(pagecheck(&mem, world.fd, "a.mdb", 2, NULL, &err), VARVE_BUSY);
    assert_int_equal(pagecheck(&mem, world.fd, "a.mdb", 1000, NULL, &err), VARVE_CORRUPT);
    assert_int_equal(pagecheck(&mem, -1, "a.mdb", 0, NULL, &err), VARVE_IO);
    assert_int_equal(pagecheck_metas(world.fd, "a.mdb", NULL), VARVE_OK);
    flip(&world, 16 * 8);
    assert_int_equal(pagecheck_metas(world.fd, "a.mdb", NULL), VARVE_CORRUPT);
    unflip(&world, 16 * 8);
    end_world(&world);
}

static void test_find(void **state)
{
    (void)state;
    struct world world;
    static uint8_t expected[VALUE_MAX], value[VALUE_MAX];
    uint64_t txnid;
    build_world(&world, 7);
    for (unsigned i = 0; i < RECORDS; i++) {
        struct env_key key = record_key(i);
        size_t size = sizeof value;
        enum varve_status status = pagecheck_find(&mem, world.fd, "a.mdb", 0, key.bytes, key.size,
                                                  value, &size, &txnid, &err);
        if (world.seeds[i] == 0) {
            assert_int_equal(status, VARVE_NOTFOUND);
            continue;
        }
        size_t want = value_of(world.seeds[i], expected);
        assert_int_equal(status, want > 2020 ? VARVE_LIMIT : VARVE_OK);
        if (status != VARVE_OK)
            continue;
        assert_int_equal(txnid, 4);
        assert_int_equal(size, want + ENV_SUM_SIZE);
        assert_memory_equal(value + ENV_SUM_SIZE, expected, want);
    }
    end_world(&world);
}

/* Another process commits all the time; no state it leaves is called damaged. */
static void test_live_file(void **state)
{
    (void)state;
    struct env *env = NULL;
    struct txn *txn = NULL;
    int ends[2], overtaken = 0;
    env_close(NULL);
    assert_int_equal(pipe(ends), 0);
    OK(env_open(&env, &mem, scratch_path(&scratch, "a.mdb"), ENV_CREATE, 0, &err));
    env_close(env);
    pid_t child = fork();
    if (child == 0) {
        struct world world = {.fd = -1};
        struct prng p = {9};
        OK(env_open(&env, &mem, scratch.path, 0, 0, &err));
        for (uint64_t n = 0;; n++) {
            OK(env_begin_write(env, &txn, RECORDS * VALUE_MAX, &err));
            for (int i = 0; i < 4; i++)
                change_record(txn, &world, (unsigned)prng_below(&p, RECORDS),
                              prng_below(&p, 4) ? (uint32_t)prng_next(&p) | 1 : 0);
            OK(txn_commit(txn, &err));
            if (n == 20 && write(ends[1], "x", 1) != 1)
                _exit(1);
        }
    }
    char byte;
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    for (int round = 0; round < 40; round++) {
        OK(env_open(&env, &mem, scratch.path, round & 1 ? ENV_RDONLY : 0, 0, &err));
        for (int i = 0; i < 10; i++) {
            OK(env_begin_read(env, &txn, &err));
            usleep(i % 4 == 0 ? 700 : 0);
            enum varve_status status = env_check(env, txn, NULL, &err);
            if (status != VARVE_BUSY)
                OK(status);
            overtaken += status == VARVE_BUSY;
            txn_abort(txn);
        }
        env_close(env);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    assert_true(overtaken < 400);
    OK(env_open(&env, &mem, scratch.path, 0, 0, &err));
    env_close(env);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct world world;
    struct alloc_fault fault;
    struct mem m;
    build_world(&world, 8);
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        uint8_t value[16];
        size_t size = sizeof value;
        uint64_t txnid;
        mem_init(&m, &fault.allocator, 0);
        enum varve_status status = pagecheck(&m, world.fd, "a.mdb", 0, NULL, &err);
        if (status == VARVE_OK) {
            status =
                pagecheck_find(&m, world.fd, "a.mdb", 0, "none", 4, value, &size, &txnid, &err);
            status = status == VARVE_NOTFOUND ? VARVE_OK : status;
        }
        assert_int_equal(status, fault.failed ? VARVE_NOMEM : VARVE_OK);
        assert_true(alloc_fault_is_clean(&fault));
    }
    end_world(&world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole_files_pass),
        TEST(test_file_shorter_than_its_pages),
        TEST(test_every_bit_of_every_tree_page),
        TEST(test_every_bit_of_the_meta_pages),
        TEST(test_hidden_commit),
        TEST(test_truncation),
        TEST(test_replaced_pages),
        TEST(test_scrambled_fields),
        TEST(test_messages),
        TEST(test_find),
        TEST(test_live_file),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
