/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_store.c -- a store whose files were damaged, opened and read in this very process.
 *
 *   byte 0     bit 0: checksums of the changed records of main.mdb are made right again
 *              bit 1: the store is written to as well
 *   a change   file (1) | offset (3) | what to exclusive-or (1), as many as there are
 *
 * All is read: rows, sums, events, lists.  The answer must be the right one or an error that says
 * where the damage is; with checksums made right it may be any, but nothing may be touched that is
 * not there.  LMDB, which believes its files, must never be led astray.
 *
 * The store is made once, tiny, and always with the same id, so an input means nearly the same in
 * every run: only the time of creation differs.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../faults/files.h"
#include "../faults/workload.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "fuzz.h"
#include "store/mdbfile.h"

enum { BATCHES = 10, FILES_MAX = 8, RECORDS_MAX = 400, SUM = 8, PAGE_HEAD = 16 };
enum { MAKE_SUMS_RIGHT = 1, WRITE_TOO = 2 };

static struct file {
    char name[64];
    uint8_t *good, *bad;
    size_t size;
} files[FILES_MAX];
static size_t file_count;

/* Where main.mdb has its records. */
static struct record {
    size_t key, key_size, value, size;
} records[RECORDS_MAX];
static size_t record_count;

static char root[FILES_PATH], path[FILES_PATH + 8];

/* In place of the system's: the store's id and seed. */
ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    (void)flags;
    memset(buffer, 0x5a, size);
    return (ssize_t)size;
}

/* ---- making it ---------------------------------------------------------------- */

static void clean_up(void)
{
    files_remove(root);
}

static void find_records(const struct mdbfile *file, uint64_t number)
{
    uint8_t *bytes = malloc(file->page_size);
    struct mdbpage page;
    MUST(bytes && mdbfile_page(file, number, bytes, &page, NULL) == VARVE_OK);
    for (unsigned i = 0; i < page.nodes; i++) {
        struct mdbnode node;
        mdbpage_node(&page, i, &node);
        if (!page.leaf) {
            find_records(file, node.child);
            continue;
        }
        size_t key = number * file->page_size + (size_t)(node.key - bytes);
        MUST(record_count < RECORDS_MAX);
        records[record_count++] = (struct record){
            key, node.key_size,
            node.data ? key + node.key_size : node.child * file->page_size + PAGE_HEAD, node.size};
    }
    free(bytes);
}

static void load_main(const char *name)
{
    struct mdbfile file;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && mdbfile_open(&file, fd, "main.mdb", NULL) == VARVE_OK);
    find_records(&file, file.meta[mdbfile_newest(&file)].main.root);
    close(fd);
}

static void load_files(void)
{
    struct files_list list = files_list(path);
    for (size_t i = 0; i < list.count; i++) {
        const char *dot = strrchr(list.names[i], '.');
        char name[2 * FILES_PATH];
        if (!dot || strcmp(dot, ".mdb") != 0)
            continue;
        MUST(file_count < FILES_MAX && strlen(list.names[i]) < sizeof files->name);
        struct file *file = &files[file_count++];
        snprintf(file->name, sizeof file->name, "%s", list.names[i]);
        snprintf(name, sizeof name, "%s/%s", path, list.names[i]);
        file->good = files_read(name, &file->size);
        file->bad = files_read(name, &file->size);
        if (strcmp(file->name, "main.mdb") == 0)
            load_main(name);
    }
    files_list_free(&list);
    MUST(record_count > 0 && file_count > 1);
}

static void build(void)
{
    struct varve_options options = {.flags = VARVE_CREATE};
    varve *db;
    uint64_t done = 0;
    files_temp(root, "fuzz-store");
    atexit(clean_up);
    snprintf(path, sizeof path, "%s/db", root);
    MUST(varve_open(path, &options, &db, NULL) == VARVE_OK);
    MUST(work_run(db, 1, BATCHES - 2, &done, NULL) == VARVE_OK);
    MUST(varve_compact(db, NULL, NULL) == VARVE_OK);
    MUST(work_run(db, BATCHES - 1, BATCHES, &done, NULL) == VARVE_OK);
    varve_close(db);
    load_files();
}

/* ---- damaging it -------------------------------------------------------------- */

static void write_file(const struct file *file, const uint8_t *bytes)
{
    char name[2 * FILES_PATH];
    snprintf(name, sizeof name, "%s/%s", path, file->name);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    MUST(fd >= 0 && pwrite(fd, bytes, file->size, 0) == (ssize_t)file->size &&
         ftruncate(fd, (off_t)file->size) == 0);
    close(fd);
}

static void make_sums_right(uint8_t *bytes)
{
    for (size_t i = 0; i < record_count; i++) {
        const struct record *r = &records[i];
        uint64_t sum =
            hash64(bytes + r->value + SUM, r->size - SUM, hash64(bytes + r->key, r->key_size, 0));
        store64(bytes + r->value, sum);
    }
}

static void damage(const uint8_t *data, size_t size, bool sums)
{
    for (size_t i = 0; i < file_count; i++)
        memcpy(files[i].bad, files[i].good, files[i].size);
    for (; size >= 5; data += 5, size -= 5) {
        struct file *file = &files[data[0] % file_count];
        size_t offset = data[1] | (size_t)data[2] << 8 | (size_t)data[3] << 16;
        file->bad[offset % file->size] ^= data[4];
    }
    for (size_t i = 0; i < file_count; i++) {
        if (sums && strcmp(files[i].name, "main.mdb") == 0)
            make_sums_right(files[i].bad);
        if (memcmp(files[i].bad, files[i].good, files[i].size) != 0)
            write_file(&files[i], files[i].bad);
    }
}

static void restore(bool everything)
{
    if (everything)
        files_remove(path);
    if (everything)
        MUST(mkdir(path, 0700) == 0);
    for (size_t i = 0; i < file_count; i++)
        if (everything || memcmp(files[i].bad, files[i].good, files[i].size) != 0)
            write_file(&files[i], files[i].good);
}

/* ---- using it ----------------------------------------------------------------- */

static void fill_up(varve *db, bool must_work)
{
    uint64_t done = BATCHES, last;
    char text[GUARD_TEXT];
    struct varve_err err = {0};
    bool worked = work_run(db, BATCHES + 1, BATCHES + 2, &done, NULL) == VARVE_OK;
    worked &= varve_seal(db, INT64_MAX, NULL, NULL) == VARVE_OK;
    worked &= varve_compact(db, NULL, NULL) == VARVE_OK;
    MUST(worked || !must_work);
    if (must_work)
        MUST(work_check(db, done, &last, text, &err) == WORK_RIGHT);
}

static void use(bool sums, bool writes)
{
    struct varve_options options = {.flags = writes ? 0 : VARVE_RDONLY, .max_memory = 1u << 28};
    struct varve_err err = {0};
    char text[GUARD_TEXT] = "";
    enum work_verdict verdict = WORK_ERROR;
    uint64_t last;
    varve *db;
    if (varve_open(path, &options, &db, &err) == VARVE_OK) {
        verdict = work_check(db, BATCHES, &last, text, &err);
        if (writes)
            fill_up(db, verdict == WORK_RIGHT && !sums);
        varve_close(db);
    }
    if (sums || verdict == WORK_RIGHT)
        return;
    if (verdict == WORK_WRONG)
        fprintf(stderr, "wrong: %s\n", text);
    MUST(verdict == WORK_ERROR);
    MUST(err.status == VARVE_CORRUPT || err.status == VARVE_VERSION);
    MUST(err.place[0] && err.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (file_count == 0)
        build();
    if (size == 0)
        return 0;
    bool sums = data[0] & MAKE_SUMS_RIGHT, writes = data[0] & WRITE_TOO;
    damage(data + 1, size - 1, sums);
    use(sums, writes);
    restore(writes);
    return 0;
}
