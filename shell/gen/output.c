/* SPDX-License-Identifier: Apache-2.0
 *
 * output.c -- the files of a generated world.
 *
 * A directory is known to be the output of an earlier run by its truth.json,
 * which is written first, as a mark, and last, with all that is true.  Only in
 * such a directory are files removed, and only those named as this writes
 * them; what else is there is never touched.
 */
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "encode.h"

#define FILE_BUFFER (1u << 18)
#define PATH_ROOM 4096
#define MARK "{\"generator\":1,"

__attribute__((format(printf, 2, 3))) static bool fail(struct output *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(out->message, sizeof out->message, format, list);
    va_end(list);
    return false;
}

static bool path_of(struct output *out, const char *name, char path[PATH_ROOM])
{
    if (snprintf(path, PATH_ROOM, "%s/%s", out->directory, name) < PATH_ROOM)
        return true;
    return fail(out, "the path of the directory is too long");
}

/* ---- the directory ---------------------------------------------------------- */

static bool make_directories(struct output *out)
{
    char path[PATH_ROOM];
    struct stat there;
    if (!path_of(out, "", path))
        return false;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            return fail(out, "cannot make the directory %s: %s", path, strerror(errno));
        if (stat(path, &there) != 0)
            return fail(out, "cannot make the directory %s: %s", path, strerror(errno));
        if (!S_ISDIR(there.st_mode))
            return fail(out, "%s is not a directory", path);
        *slash = '/';
    }
    return true;
}

static bool is_ours(const char *name)
{
    static const char *const patterns[] = {"metrics-[0-9]*-[0-9]*-[0-9]*.",
                                           "logs-[0-9]*-[0-9]*-[0-9]*."};
    static const char *const extensions[] = {"otlp", "jsonl", "openmetrics"};
    char pattern[64];
    if (strcmp(name, "truth.json") == 0 || strcmp(name, "truth.json.new") == 0)
        return true;
    for (unsigned i = 0; i < 6; i++) {
        snprintf(pattern, sizeof pattern, "%s%s", patterns[i % 2], extensions[i / 2]);
        if (fnmatch(pattern, name, 0) == 0)
            return true;
    }
    return false;
}

static bool has_mark(struct output *out)
{
    char path[PATH_ROOM], head[sizeof MARK] = "";
    FILE *f = path_of(out, "truth.json", path) ? fopen(path, "rb") : NULL;
    if (!f)
        return false;
    size_t size = fread(head, 1, sizeof MARK - 1, f);
    fclose(f);
    return size == sizeof MARK - 1 && memcmp(head, MARK, size) == 0;
}

/* What is in the directory that is not ours, up to five names of it. */
static unsigned list_others(DIR *dir, bool marked, char *list, size_t room)
{
    unsigned count = 0;
    const struct dirent *entry;
    list[0] = '\0';
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (marked && is_ours(name)))
            continue;
        if (count++ < 5) {
            size_t size = strlen(list);
            snprintf(list + size, room - size, "\n  %s%s", name,
                     is_ours(name) ? " (would be overwritten)" : "");
        }
    }
    return count;
}

static bool remove_ours(struct output *out, DIR *dir)
{
    const struct dirent *entry;
    while ((entry = readdir(dir)))
        if (is_ours(entry->d_name) && unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            return fail(out, "cannot remove %s/%s: %s", out->directory, entry->d_name,
                        strerror(errno));
    return true;
}

static bool write_mark(struct output *out)
{
    char path[PATH_ROOM];
    FILE *f = path_of(out, "truth.json", path) ? fopen(path, "wb") : NULL;
    if (!f || fputs(MARK "\"complete\":false}\n", f) < 0 || fclose(f) != 0)
        return fail(out, "cannot write %s/truth.json: %s", out->directory, strerror(errno));
    return true;
}

bool output_prepare(struct output *out, const char *directory, const char *extension, bool force)
{
    char list[600];
    *out = (struct output){.directory = directory, .extension = extension, .day = -1};
    if (!make_directories(out))
        return false;
    DIR *dir = opendir(directory);
    if (!dir)
        return fail(out, "cannot read the directory %s: %s", directory, strerror(errno));
    unsigned others = list_others(dir, has_mark(out), list, sizeof list);
    bool good = true;
    if (others && !force)
        good = fail(out,
                    "%s has files in it that are not of an earlier 'varve gen':%s%s\n  "
                    "give another --out, or --force to write beside them",
                    directory, list, others > 5 ? "\n  ..." : "");
    rewinddir(dir);
    good = good && remove_ours(out, dir);
    closedir(dir);
    return good && write_mark(out);
}

/* ---- files ------------------------------------------------------------------- */

static FILE *create(struct output *out, const char *name)
{
    char path[PATH_ROOM];
    FILE *f = path_of(out, name, path) ? fopen(path, "wb") : NULL;
    if (!f) {
        fail(out, "cannot write %s/%s: %s", out->directory, name, strerror(errno));
        return NULL;
    }
    setvbuf(f, NULL, _IOFBF, FILE_BUFFER);
    return f;
}

static void
name_file(struct output *out, enum output_kind kind, unsigned number, int64_t day, char name[64])
{
    char date[32];
    event_timestamp(day * GEN_DAY, date);
    snprintf(name, 64, "%s-%.10s-%02u.%s", kind == OUTPUT_METRICS ? "metrics" : "logs", date,
             number, out->extension);
}

bool output_finish(struct output *out)
{
    bool good = true;
    for (unsigned kind = 0; kind < OUTPUT_KINDS; kind++)
        for (unsigned i = 0; i < OUTPUT_SHARDS; i++) {
            FILE *f = out->open[kind][i];
            out->open[kind][i] = NULL;
            if (f && fclose(f) != 0 && good)
                good = fail(out, "cannot write %s/%s: %s", out->directory, out->names[kind][i],
                            strerror(errno));
        }
    return good;
}

void output_abandon(struct output *out)
{
    for (unsigned kind = 0; kind < OUTPUT_KINDS; kind++)
        for (unsigned i = 0; i < OUTPUT_SHARDS; i++)
            if (out->open[kind][i])
                fclose(out->open[kind][i]);
}

bool output_append(struct output *out, enum output_kind kind, unsigned shard, int64_t day,
                   const void *data, size_t size)
{
    if (day != out->day) {
        if (!output_finish(out))
            return false;
        out->day = day;
    }
    if (!out->open[kind][shard]) {
        char *name = out->names[kind][shard];
        name_file(out, kind, shard, day, name);
        if (!(out->open[kind][shard] = create(out, name)))
            return false;
        out->files++;
    }
    out->bytes += size;
    if (fwrite(data, 1, size, out->open[kind][shard]) == size)
        return true;
    return fail(out, "cannot write %s/%s: %s", out->directory, out->names[kind][shard],
                strerror(errno));
}

FILE *output_create(struct output *out, unsigned number, int64_t day)
{
    char name[64];
    name_file(out, OUTPUT_METRICS, number, day, name);
    out->files++;
    return create(out, name);
}

bool output_close(struct output *out, FILE *file)
{
    bool bad = ferror(file);
    long size = ftell(file);
    out->bytes += size > 0 ? (uint64_t)size : 0;
    if (fclose(file) == 0 && !bad)
        return true;
    return fail(out, "cannot write in %s: %s", out->directory, strerror(errno));
}

FILE *output_truth(struct output *out)
{
    return create(out, "truth.json.new");
}

bool output_truth_done(struct output *out, FILE *file)
{
    char from[PATH_ROOM], to[PATH_ROOM];
    if (!path_of(out, "truth.json.new", from) || !path_of(out, "truth.json", to)) {
        fclose(file);
        return false;
    }
    bool bad = ferror(file);
    if (fclose(file) != 0 || bad || rename(from, to) != 0)
        return fail(out, "cannot write %s: %s", to, strerror(errno));
    return true;
}
