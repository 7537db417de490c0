/* SPDX-License-Identifier: Apache-2.0
 *
 * zone_file.c -- finds and reads the compiled files of the tz database (TZif, RFC 8536).
 *
 * A file has the same data twice: with 32-bit times for old readers, which is stepped over, and
 * with 64-bit times and a rule behind them.  A file of version 1 has only the first.
 * Files are hostile like all else: every count is checked against the size.
 */
#include "base/zone_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"

enum { HEADER = 44, FILE_MOST = 1 << 20, TYPE_SIZE = 6, OFFSET_LIMIT = 26 * 3600 };

struct counts {
    uint32_t isut, isstd, leap, times, types, chars;
};

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static int64_t big64(const uint8_t *p)
{
    return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

static bool read_counts(const uint8_t *p, size_t size, struct counts *c)
{
    if (size < HEADER || memcmp(p, "TZif", 4) != 0)
        return false;
    *c = (struct counts){big32(p + 20), big32(p + 24), big32(p + 28),
                         big32(p + 32), big32(p + 36), big32(p + 40)};
    return c->isut <= FILE_MOST && c->isstd <= FILE_MOST && c->leap <= FILE_MOST &&
           c->times <= FILE_MOST && c->types <= 256 && c->types > 0 && c->chars <= FILE_MOST;
}

static size_t data_size(const struct counts *c, size_t time_size)
{
    return (size_t)c->times * (time_size + 1) + (size_t)c->types * TYPE_SIZE + c->chars +
           (size_t)c->leap * (time_size + 4) + c->isstd + c->isut;
}

/* ---- the data ---------------------------------------------------------------- */

static bool
read_types(const uint8_t *p, const struct counts *c, struct arena *arena, struct zone *zone)
{
    const uint8_t *chars = p + (size_t)c->types * TYPE_SIZE;
    char *names = arena_copy(arena, chars, c->chars);
    struct zone_type *types = arena_alloc(arena, c->types * sizeof *types);
    if (!names || !types)
        return false;
    for (uint32_t i = 0; i < c->types; i++) {
        const uint8_t *type = p + (size_t)i * TYPE_SIZE;
        uint32_t at = type[5] < c->chars ? type[5] : c->chars;
        types[i].offset = (int32_t)big32(type);
        types[i].abbreviation.data = names + at;
        types[i].abbreviation.size = strnlen(names + at, c->chars - at);
    }
    zone->types = types;
    zone->type_count = c->types;
    return true;
}

static enum varve_status damaged(struct varve_err *err)
{
    return fail(err, VARVE_CORRUPT, "time zone", "this is no sound file of the tz database");
}

static enum varve_status read_data(const uint8_t *p, const struct counts *c, size_t time_size,
                                   struct arena *arena, struct zone *zone, struct varve_err *err)
{
    const uint8_t *which = p + c->times * time_size;
    int64_t *at = arena_alloc(arena, (c->times + 1) * sizeof *at);
    uint8_t *type_of = arena_alloc(arena, c->times + 1);
    if (!at || !type_of || !read_types(which + c->times, c, arena, zone))
        return fail_nomem(err, data_size(c, time_size));
    for (uint32_t i = 0; i < c->times; i++) {
        at[i] = time_size == 8 ? big64(p + i * 8u) : (int32_t)big32(p + i * 4u);
        type_of[i] = which[i];
        if (type_of[i] >= c->types || (i > 0 && at[i] <= at[i - 1]))
            return damaged(err);
    }
    for (uint32_t i = 0; i < c->types; i++)
        if (zone->types[i].offset > OFFSET_LIMIT || zone->types[i].offset < -OFFSET_LIMIT)
            return damaged(err);
    zone->at = at;
    zone->type_of = type_of;
    zone->count = c->times;
    return VARVE_OK;
}

/* Behind the 64-bit data: the rule between two line feeds; an empty one is none. */
static enum varve_status read_rule(const uint8_t *p, size_t size, struct arena *arena,
                                   struct zone *zone, struct varve_err *err)
{
    const uint8_t *end = size > 1 && p[0] == '\n' ? memchr(p + 1, '\n', size - 1) : NULL;
    if (!end)
        return damaged(err);
    struct varve_str text = {NULL, (size_t)(end - p) - 1};
    text.data = arena_copy(arena, p + 1, text.size);
    if (!text.data)
        return fail_nomem(err, text.size);
    zone->has_rule = text.size > 0;
    return !zone->has_rule || zone_rule_parse(text, &zone->rule) ? VARVE_OK : damaged(err);
}

enum varve_status zone_read(const uint8_t *bytes, size_t size, struct arena *arena,
                            const struct zone **result, struct varve_err *err)
{
    struct counts c;
    if (!read_counts(bytes, size, &c) || data_size(&c, 4) > size - HEADER)
        return damaged(err);
    struct zone *zone = arena_zalloc(arena, sizeof *zone);
    if (!zone)
        return fail_nomem(err, sizeof *zone);
    *result = zone;
    if (bytes[4] < '2')
        return read_data(bytes + HEADER, &c, 4, arena, zone, err);
    size_t skip = HEADER + data_size(&c, 4);
    bytes += skip;
    size -= skip;
    if (!read_counts(bytes, size, &c) || data_size(&c, 8) > size - HEADER)
        return damaged(err);
    TRY(read_data(bytes + HEADER, &c, 8, arena, zone, err));
    skip = HEADER + data_size(&c, 8);
    return read_rule(bytes + skip, size - skip, arena, zone, err);
}

/* ---- finding the file ---------------------------------------------------------- */

static bool is_zone_name(struct varve_str name)
{
    if (name.size == 0 || name.size > 100 || name.data[0] == '/' || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && !strchr("_+-/.", c))
            return false;
        if (c == '.' && i > 0 && (name.data[i - 1] == '.' || name.data[i - 1] == '/'))
            return false;
    }
    return true;
}

static enum varve_status
read_whole(int fd, struct arena *arena, uint8_t **bytes, size_t *size, struct varve_err *err)
{
    *size = 0;
    *bytes = arena_alloc(arena, FILE_MOST);
    if (!*bytes)
        return fail_nomem(err, FILE_MOST);
    while (*size < FILE_MOST) {
        ssize_t n = read(fd, *bytes + *size, FILE_MOST - *size);
        if (n == 0)
            return VARVE_OK;
        if (n < 0 && errno != EINTR)
            return fail_errno(err, VARVE_IO, errno, "time zone", "cannot be read");
        *size += n > 0 ? (size_t)n : 0;
    }
    return damaged(err);
}

static enum varve_status unknown(struct varve_str name, bool has_database, struct varve_err *err)
{
    return has_database
               ? fail(err, VARVE_NOTFOUND, "time zone",
                      "there is no zone '%.*s'; zones are named like Europe/Berlin or UTC",
                      STR_ARG(name))
               : fail(err, VARVE_NOTFOUND, "time zone",
                      "this machine has no tz database, so only UTC is known (Debian: tzdata)");
}

enum varve_status zone_open(struct varve_str name, struct arena *arena, const struct zone **zone,
                            struct varve_err *err)
{
    if (name.size == 0 || str_equal(name, STR("UTC"))) {
        *zone = zone_utc();
        return VARVE_OK;
    }
    const char *directory = getenv("TZDIR");
    directory = directory && *directory ? directory : "/usr/share/zoneinfo";
    char path[512];
    int n = snprintf(path, sizeof path, "%s/%.*s", directory, (int)name.size, name.data);
    if (!is_zone_name(name) || n < 0 || (size_t)n >= sizeof path)
        return unknown(name, true, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return unknown(name, access(directory, F_OK) == 0, err);
    struct arena scratch;
    arena_init(&scratch, arena->mem, FILE_MOST);
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum varve_status status = read_whole(fd, &scratch, &bytes, &size, err);
    close(fd);
    if (status == VARVE_IO && err && err->sys == EISDIR)
        status = unknown(name, true, err);
    else if (status == VARVE_OK)
        status = zone_read(bytes, size, arena, zone, err);
    arena_free(&scratch);
    return status;
}

/* ---- the system's own zone ------------------------------------------------------- */

static struct varve_str copied(struct arena *arena, const char *text)
{
    struct varve_str name = {text, strcspn(text, "\r\n \t")};
    if (!is_zone_name(name))
        return STR("UTC");
    name.data = arena_copy(arena, name.data, name.size);
    return name.data ? name : STR("UTC");
}

struct varve_str zone_system_name(struct arena *arena)
{
    char text[256] = "";
    const char *tz = getenv("TZ");
    if (tz && *tz)
        return copied(arena, *tz == ':' ? tz + 1 : tz);
    ssize_t n = readlink("/etc/localtime", text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    const char *inside = strstr(text, "zoneinfo/");
    if (inside)
        return copied(arena, inside + strlen("zoneinfo/"));
    int fd = open("/etc/timezone", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return STR("UTC");
    n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    close(fd);
    return copied(arena, text);
}
