/* SPDX-License-Identifier: Apache-2.0
 *
 * segfile.c -- the set of open month files, and segments in and out of them.
 *
 *   stored segment   size (8) | the segment | zeros up to half a page
 *
 * The padding makes LMDB give even the smallest segment pages of its own.  A value
 * that shared a page with others would move whenever one of them is added,
 * and pointers to it would die; on its own pages it stays where it is for
 * ever.  The map does not move either: it is made large once
 * (MAP_SIZE, virtual only), and a month that outgrows it must be compacted.
 *
 * The set is a short list under one mutex.  Files nobody uses stay open until
 * there are more than IDLE_MAX of them; the one unused for longest goes first.
 * A file that is unlinked while it is used is closed when its last user lets go; so is one whose
 * disk failed, and whoever asks for it next opens it anew.  A name may come back for another file,
 * when all days of a month have been forgotten and others follow; so a file is known by its inode.
 */
#include "store/segfile.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/clock.h"

enum { IDLE_MAX = 24, HEAD_SIZE = 8, NAME_SIZE = 40, MONTH_MAX = 9999 * 12 + 11 };
#define MAP_SIZE ((size_t)8 << 30)

struct segfile {
    struct segfile_id id;
    dev_t device;
    ino_t inode;
    struct env *env;
    unsigned users;
    uint64_t released; /* when, on the set's own clock */
    bool unlinked;
    struct segfile *next;
};

struct segfiles {
    struct mem *mem;
    char *directory;
    size_t directory_size;
    bool read_only;
    pthread_mutex_t mutex; /* guards what follows and the fields of every file but env */
    struct segfile *first;
    uint64_t clock;
};

/* ---- names ---- */

static void name_of(struct segfile_id id, char name[NAME_SIZE])
{
    char month[INSTANT_TEXT];
    month_text(id.month, month);
    snprintf(name, NAME_SIZE, "seg-%.20s.%" PRIu32 ".mdb", month, id.generation);
}

static enum varve_status path_of(const char *directory, struct segfile_id id, const char *suffix,
                                 char path[PATH_MAX], struct varve_err *err)
{
    char name[NAME_SIZE];
    if (id.month < 0 || id.month > MONTH_MAX)
        return fail(err, VARVE_LIMIT, directory, "there is no month number %" PRId32, id.month);
    name_of(id, name);
    int n = snprintf(path, PATH_MAX, "%s/%s%s", directory, name, suffix);
    if (n < 0 || n >= PATH_MAX)
        return fail(err, VARVE_LIMIT, directory, "the path is longer than %d bytes", PATH_MAX);
    return VARVE_OK;
}

/* Only names that name_of would write. */
static bool parse_name(const char *name, struct segfile_id *id)
{
    unsigned year, month;
    uint32_t generation;
    char again[NAME_SIZE];
    if (strlen(name) >= NAME_SIZE ||
        sscanf(name, "seg-%4u-%2u.%10" SCNu32, &year, &month, &generation) != 3 || month < 1 ||
        month > 12)
        return false;
    *id = (struct segfile_id){(int32_t)(year * 12 + month - 1), generation};
    name_of(*id, again);
    return strcmp(name, again) == 0;
}

/* ---- the set ---- */

enum varve_status segfiles_new(struct segfiles **result, struct mem *mem, const char *directory,
                               int read_only, struct varve_err *err)
{
    struct segfiles *files = mem_zalloc(mem, sizeof *files);
    size_t size = strlen(directory) + 1;
    char *copy = mem_alloc(mem, size);
    if (!files || !copy) {
        mem_free(mem, copy, size);
        mem_free(mem, files, sizeof *files);
        return fail_nomem(err, size + sizeof *files);
    }
    memcpy(copy, directory, size);
    files->mem = mem;
    files->directory = copy;
    files->directory_size = size;
    files->read_only = read_only != 0;
    pthread_mutex_init(&files->mutex, NULL);
    *result = files;
    return VARVE_OK;
}

static void drop(struct segfiles *files, struct segfile *file)
{
    struct segfile **at = &files->first;
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    env_close(file->env);
    mem_free(files->mem, file, sizeof *file);
}

/* Closes the idle file unused for longest while there are more than `most`. */
static unsigned trim(struct segfiles *files, unsigned most)
{
    unsigned dropped = 0;
    for (;;) {
        struct segfile *oldest = NULL;
        unsigned idle = 0;
        for (struct segfile *f = files->first; f; f = f->next) {
            if (f->users > 0)
                continue;
            idle++;
            if (!oldest || f->released < oldest->released)
                oldest = f;
        }
        if (idle <= most)
            return dropped;
        drop(files, oldest);
        dropped++;
    }
}

void segfiles_close_idle(struct segfiles *files)
{
    pthread_mutex_lock(&files->mutex);
    trim(files, 0);
    pthread_mutex_unlock(&files->mutex);
}

void segfiles_free(struct segfiles *files)
{
    if (!files)
        return;
    while (files->first)
        drop(files, files->first);
    pthread_mutex_destroy(&files->mutex);
    mem_free(files->mem, files->directory, files->directory_size);
    mem_free(files->mem, files, sizeof *files);
}

static struct segfile *find(struct segfiles *files, struct segfile_id id)
{
    struct segfile *f = files->first;
    while (f && (f->unlinked || f->id.month != id.month || f->id.generation != id.generation))
        f = f->next;
    return f;
}

static enum varve_status open_file(struct segfiles *files, struct segfile_id id, bool create,
                                   struct segfile **result, struct varve_err *err)
{
    char path[PATH_MAX];
    unsigned flags =
        ENV_FIXED_MAP | (files->read_only ? ENV_RDONLY : 0u) | (create ? ENV_CREATE : 0u);
    TRY(path_of(files->directory, id, "", path, err));
    struct segfile *file = mem_zalloc(files->mem, sizeof *file);
    if (!file)
        return fail_nomem(err, sizeof *file);
    enum varve_status status = env_open(&file->env, files->mem, path, flags, MAP_SIZE, err);
    if (status == VARVE_NOMEM && trim(files, 0) > 0) /* address space may be what is short */
        status = env_open(&file->env, files->mem, path, flags, MAP_SIZE, err);
    struct stat st = {0};
    if (status == VARVE_OK && stat(path, &st) != 0)
        status = fail_errno(err, VARVE_IO, errno, path, "looking at the file");
    if (status != VARVE_OK) {
        env_close(file->env);
        mem_free(files->mem, file, sizeof *file);
        return status;
    }
    file->id = id;
    file->device = st.st_dev;
    file->inode = st.st_ino;
    file->next = files->first;
    files->first = file;
    *result = file;
    return VARVE_OK;
}

/* Another process may have removed the file and made one of the same name since. */
static bool was_replaced(const struct segfiles *files, const struct segfile *file)
{
    char path[PATH_MAX];
    struct stat st;
    return path_of(files->directory, file->id, "", path, NULL) == VARVE_OK &&
           stat(path, &st) == 0 && (st.st_dev != file->device || st.st_ino != file->inode);
}

static enum varve_status acquire(struct segfiles *files, struct segfile_id id, bool create,
                                 struct segfile **result, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    pthread_mutex_lock(&files->mutex);
    struct segfile *file = find(files, id);
    if (file && was_replaced(files, file)) {
        file->unlinked = true;
        if (file->users == 0)
            drop(files, file);
        file = NULL;
    }
    if (!file)
        status = open_file(files, id, create, &file, err);
    if (status == VARVE_OK) {
        file->users++;
        *result = file;
    }
    pthread_mutex_unlock(&files->mutex);
    return status;
}

enum varve_status segfile_acquire(struct segfiles *files, struct segfile_id id,
                                  struct segfile **file, struct varve_err *err)
{
    return acquire(files, id, false, file, err);
}

void segfile_release(struct segfiles *files, struct segfile *file)
{
    if (!file)
        return;
    pthread_mutex_lock(&files->mutex);
    file->released = ++files->clock;
    if (--file->users == 0 && (file->unlinked || env_is_dead(file->env)))
        drop(files, file);
    trim(files, IDLE_MAX);
    pthread_mutex_unlock(&files->mutex);
}

/* ---- segments ---- */

static struct env_key key_of(struct segment_id id)
{
    struct env_key key = {.size = 16};
    uint32_t day = (uint32_t)id.day ^ UINT32_C(0x80000000);
    store64be(key.bytes, (uint64_t)day << 32 | id.table);
    store64be(key.bytes + 8, id.generation);
    return key;
}

static enum varve_status
missing(const struct segfile *file, struct segment_id id, const char *what, struct varve_err *err)
{
    char name[NAME_SIZE], day[INSTANT_TEXT];
    name_of(file->id, name);
    day_text(id.day, day);
    return fail(err, VARVE_CORRUPT, name,
                "the segment of day %s, table %" PRIu32 ", generation %" PRIu64
                " %s; restore the file from a backup",
                day, id.table, id.generation, what);
}

enum varve_status segfile_get(struct segfile *file, struct segment_id id, const uint8_t **bytes,
                              size_t *size, struct varve_err *err)
{
    struct txn *txn;
    struct env_key key = key_of(id);
    struct env_value value;
    TRY(env_begin_read(file->env, &txn, err));
    enum varve_status status = txn_get(txn, &key, false, &value, err);
    if (status == VARVE_NOTFOUND) {
        status = missing(file, id, "is not there", err);
    } else if (status == VARVE_OK) {
        if (value.size < HEAD_SIZE || load64(value.data) > value.size - HEAD_SIZE) {
            status = missing(file, id, "has an impossible size", err);
        } else {
            *bytes = value.data + HEAD_SIZE;
            *size = (size_t)load64(value.data);
        }
    }
    txn_abort(txn);
    return status;
}

static enum varve_status put_one(const struct segfile *file, struct txn *txn,
                                 const struct segment_blob *blob, struct varve_err *err)
{
    uint8_t head[HEAD_SIZE];
    struct env_key key = key_of(blob->id);
    struct env_value value;
    char name[NAME_SIZE];
    size_t least = env_page_size(file->env) / 2 - HEAD_SIZE;
    enum varve_status status = txn_get(txn, &key, false, &value, err);
    if (status == VARVE_OK) {
        name_of(file->id, name);
        return fail(err, VARVE_MISUSE, name, "generation %" PRIu64 " of a segment is there already",
                    blob->id.generation);
    }
    if (status != VARVE_NOTFOUND)
        return status;
    store64(head, blob->size);
    struct env_part parts[] = {{head, HEAD_SIZE},
                               {blob->bytes, blob->size},
                               {NULL, blob->size < least ? least - blob->size : 0}};
    return txn_put_parts(txn, &key, parts, 3, err);
}

static enum varve_status put_all(const struct segfile *file, const struct segment_blob *blobs,
                                 size_t count, struct varve_err *err)
{
    struct txn *txn;
    size_t need = 0;
    for (size_t i = 0; i < count; i++)
        need += blobs[i].size + 2 * env_page_size(file->env);
    enum varve_status status = env_begin_write(file->env, &txn, need, err);
    if (status == VARVE_LIMIT && err) {
        struct varve_err why = *err;
        return fail(err, VARVE_LIMIT, why.place, "%s; compact the store", why.message);
    }
    TRY(status);
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        status = put_one(file, txn, &blobs[i], err);
    if (status == VARVE_OK)
        return txn_commit(txn, err);
    txn_abort(txn);
    return status;
}

enum varve_status segfile_put(struct segfiles *files, struct segfile_id id,
                              const struct segment_blob *blobs, size_t count, struct varve_err *err)
{
    struct segfile *file;
    if (files->read_only)
        return fail(err, VARVE_READONLY, files->directory, "the store is open for reading only");
    TRY(acquire(files, id, true, &file, err));
    enum varve_status status = put_all(file, blobs, count, err);
    segfile_release(files, file);
    return status;
}

enum varve_status segfile_newest(struct segfiles *files, struct segfile_id id, int32_t day,
                                 uint32_t table, uint64_t *generation, struct varve_err *err)
{
    struct segfile *file;
    struct txn *txn;
    struct env_value value;
    struct env_key key = key_of((struct segment_id){day, table, UINT64_MAX});
    enum varve_status status = acquire(files, id, false, &file, err);
    if (status == VARVE_NOTFOUND) {
        *generation = 0;
        return VARVE_OK;
    }
    TRY(status);
    status = env_begin_read(file->env, &txn, err);
    if (status == VARVE_OK) {
        status = txn_seek_back(txn, &key, 8, false, &value, err);
        txn_abort(txn);
    }
    if (status == VARVE_OK || status == VARVE_NOTFOUND) {
        *generation = status == VARVE_OK ? load64be(key.bytes + 8) : 0;
        status = VARVE_OK;
    }
    segfile_release(files, file);
    return status;
}

/* ---- whole files ---- */

static enum varve_status remove_path(const struct segfiles *files, struct segfile_id id,
                                     const char *suffix, struct varve_err *err)
{
    char path[PATH_MAX];
    TRY(path_of(files->directory, id, suffix, path, err));
    if (unlink(path) != 0 && errno != ENOENT)
        return fail_errno(err, VARVE_IO, errno, path, "removing the file");
    return VARVE_OK;
}

enum varve_status
segfile_unlink(struct segfiles *files, struct segfile_id id, struct varve_err *err)
{
    if (files->read_only)
        return fail(err, VARVE_READONLY, files->directory, "the store is open for reading only");
    pthread_mutex_lock(&files->mutex);
    enum varve_status status = remove_path(files, id, "", err);
    if (status == VARVE_OK)
        status = remove_path(files, id, "-lock", err);
    struct segfile *file = status == VARVE_OK ? find(files, id) : NULL;
    if (file)
        file->unlinked = true;
    if (file && file->users == 0)
        drop(files, file);
    pthread_mutex_unlock(&files->mutex);
    return status;
}

enum varve_status segfiles_list(struct segfiles *files, int (*visit)(void *, struct segfile_id),
                                void *context, struct varve_err *err)
{
    DIR *dir = opendir(files->directory);
    if (!dir)
        return fail_errno(err, VARVE_IO, errno, files->directory, "listing the directory");
    int stop = 0, bad = 0;
    while (!stop) {
        struct segfile_id id;
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry) {
            bad = errno;
            break;
        }
        if (parse_name(entry->d_name, &id))
            stop = visit(context, id);
    }
    closedir(dir);
    if (bad != 0)
        return fail_errno(err, VARVE_IO, bad, files->directory, "listing the directory");
    return VARVE_OK;
}

bool segfile_refuses_writes(struct segfiles *files, struct segfile_id id)
{
    pthread_mutex_lock(&files->mutex);
    struct segfile *file = find(files, id);
    bool refuses = file && env_is_dead(file->env);
    pthread_mutex_unlock(&files->mutex);
    return refuses;
}

uint64_t segfile_disk_bytes(struct segfiles *files, struct segfile_id id)
{
    char path[PATH_MAX];
    struct stat st;
    if (path_of(files->directory, id, "", path, NULL) != VARVE_OK || stat(path, &st) != 0)
        return 0;
    return (uint64_t)st.st_blocks * 512;
}

enum varve_status segfile_copy(struct segfiles *files, struct segfile_id id, const char *directory,
                               struct varve_err *err)
{
    char path[PATH_MAX];
    struct segfile *file;
    TRY(path_of(directory, id, "", path, err));
    TRY(acquire(files, id, false, &file, err));
    enum varve_status status = env_copy(file->env, path, false, err);
    segfile_release(files, file);
    return status;
}
