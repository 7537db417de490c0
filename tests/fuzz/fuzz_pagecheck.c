/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_pagecheck.c -- damaged LMDB files: pagecheck survives all of them, and LMDB
 * those that pass.
 *
 *   byte 0     even: the rest are changes, of 5 bytes each, to a good file
 *              odd: the rest is the file
 *   a change   page (1) | offset (2) | how (1) | value (1)
 *
 * A file that passes is read through LMDB from end to end, and written to. Of a changed file
 * each record must then be as it was, or found damaged; unless the
 * newest transaction's number was changed, which pagecheck does not promise to see.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "store/env.h"
#include "store/pagecheck.h"

enum { PAGE = 4096, PAGES_MAX = 64, RECORDS = 120 };

static struct mem mem;
static char directory[256], path[272];
static int fd = -1;
static uint8_t good[PAGES_MAX * PAGE];
static size_t good_size;

static struct env_key record_key(unsigned i)
{
    struct env_key key = {.size = (uint8_t)(3 + i % 4 * 5)};
    memset(key.bytes, 0x40, sizeof key.bytes);
    key.bytes[0] = (uint8_t)i;
    return key;
}

static size_t record_value(unsigned i, uint8_t bytes[6000])
{
    size_t size = i % 17 == 5 ? 100 * (size_t)i % 6000 : 40 + i % 50;
    memset(bytes, (int)i, size);
    return size;
}

static void clean_up(void)
{
    char lock[288];
    snprintf(lock, sizeof lock, "%s-lock", path);
    unlink(lock);
    unlink(path);
    rmdir(directory);
}

static void put_all(struct env *env, unsigned from, unsigned step)
{
    struct txn *txn;
    uint8_t bytes[6000];
    MUST(env_begin_write(env, &txn, 1 << 20, NULL) == VARVE_OK);
    for (unsigned i = from; i < RECORDS; i += step) {
        struct env_key key = record_key(i);
        MUST(txn_put(txn, &key, bytes, record_value(i, bytes), NULL) == VARVE_OK);
    }
    MUST(txn_commit(txn, NULL) == VARVE_OK);
}

static void build(void)
{
    struct env *env;
    mem_init(&mem, NULL, 0);
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%.200s/varve-fuzz.XXXXXX",
             base && *base ? base : "/tmp");
    MUST(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a.mdb", directory);
    atexit(clean_up);
    MUST(env_open(&env, &mem, path, ENV_CREATE, 1 << 20, NULL) == VARVE_OK);
    put_all(env, 0, 1);
    put_all(env, 2, 3); /* so that there is a free list */
    put_all(env, 1, 11);
    env_close(env);
    fd = open(path, O_RDWR | O_CLOEXEC);
    MUST(fd >= 0);
    ssize_t n = pread(fd, good, sizeof good, 0);
    MUST(n > 0 && (size_t)n < sizeof good);
    good_size = (size_t)n;
}

static size_t change(uint8_t *bytes, size_t size, const uint8_t *data, size_t left)
{
    for (; left >= 5; data += 5, left -= 5) {
        size_t at = data[0] % (good_size / PAGE) * PAGE + load16(data + 1) % PAGE;
        switch (data[3] % 5) {
        case 0:
            bytes[at] = data[4];
            break;
        case 1:
            bytes[at] ^= (uint8_t)(1u << data[4] % 8);
            break;
        case 2:
            bytes[at] = (uint8_t)(bytes[at] + (int8_t)data[4]);
            break;
        case 3: /* a page number or an offset from elsewhere */
            at &= ~(size_t)7;
            memcpy(bytes + at, good + (size_t)data[4] * 8 % good_size, 8);
            break;
        default:
            if (data[4] < 8)
                size = at;
        }
    }
    return size;
}

static uint64_t newest_txnid(const uint8_t *bytes)
{
    uint64_t a = load64(bytes + 144), b = load64(bytes + PAGE + 144);
    return a > b ? a : b;
}

/* Whether every record is as it was, or one is found damaged. */
static bool read_all(struct env *env)
{
    struct txn *txn;
    struct walk *walk;
    struct env_key from = {.size = 0}, key;
    struct env_value value;
    uint8_t expected[6000];
    unsigned found = 0;
    bool damaged = false, differs = false;
    if (env_begin_read(env, &txn, NULL) != VARVE_OK)
        return true;
    MUST(walk_begin(txn, &from, 0, &walk, NULL) == VARVE_OK);
    for (;; found++) {
        enum varve_status status = walk_next(walk, true, &key, &value, NULL);
        if (status == VARVE_DONE)
            break;
        MUST(status == VARVE_OK || status == VARVE_CORRUPT);
        damaged |= status == VARVE_CORRUPT;
        if (status == VARVE_CORRUPT || found >= RECORDS)
            continue;
        struct env_key want = record_key(found);
        size_t size = record_value(found, expected);
        differs |= key.size != want.size || memcmp(key.bytes, want.bytes, key.size) != 0 ||
                   value.size != size || memcmp(value.data, expected, size) != 0;
    }
    walk_end(walk);
    for (unsigned i = 0; i < RECORDS; i++) {
        key = record_key(i);
        damaged |= txn_get(txn, &key, true, &value, NULL) == VARVE_CORRUPT;
    }
    txn_abort(txn);
    return damaged || (!differs && found == RECORDS);
}

static void write_some(struct env *env)
{
    struct txn *txn;
    static const uint8_t bytes[5000];
    if (env_begin_write(env, &txn, 1 << 20, NULL) != VARVE_OK)
        return;
    for (unsigned i = 0; i < RECORDS; i++) {
        struct env_key key = record_key(i);
        enum varve_status status =
            i % 3 ? txn_put(txn, &key, bytes, i % 3 * 2500, NULL) : txn_delete(txn, &key, NULL);
        if (status != VARVE_OK && status != VARVE_NOTFOUND)
            break;
    }
    txn_abort(txn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[PAGES_MAX * PAGE];
    struct env *env;
    uint8_t value[64];
    uint64_t txnid;
    if (fd < 0)
        build();
    if (size == 0 || size > sizeof bytes)
        return 0;
    bool whole = data[0] & 1;
    size_t now = whole ? size - 1 : good_size;
    memcpy(bytes, whole ? data + 1 : good, now);
    if (!whole)
        now = change(bytes, good_size, data + 1, size - 1);
    MUST(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, now, 0) == (ssize_t)now);
    for (unsigned meta = 0; meta < 2; meta++) {
        size_t room = sizeof value;
        struct env_key key = record_key(7);
        (void)!pagecheck_find(&mem, fd, "a", meta, key.bytes, key.size, value, &room, &txnid, NULL);
        MUST(room <= sizeof value);
    }
    if (pagecheck(&mem, fd, "a", 0, NULL, NULL) == VARVE_OK &&
        env_open(&env, &mem, path, ENV_NOCHECK, 1 << 20, NULL) == VARVE_OK) {
        bool well = read_all(env);
        MUST(well || whole || newest_txnid(bytes) != newest_txnid(good));
        write_some(env);
        env_close(env);
    }
    MUST(mem.used == 0);
    return 0;
}
