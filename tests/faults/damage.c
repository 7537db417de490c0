/* SPDX-License-Identifier: Apache-2.0
 *
 * damage.c -- damages one file of a directory, by seed, and says how.
 *
 * A kind that does not fit the file (swapping the pages of a file of one page) or
 * changes nothing (zeroing zeros) is tried again elsewhere, and after some tries
 * a bit is flipped instead, which always works.
 */
#include "damage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

enum { PAGE = 4096, TRIES = 50 };

struct victim {
    uint8_t *bytes;
    size_t size;
    uint64_t random;
};

static uint64_t next(struct victim *v)
{
    uint64_t x = v->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* 0 .. below - 1; 0 for below 0. */
static size_t pick(struct victim *v, size_t below)
{
    return below ? (size_t)(next(v) % below) : 0;
}

static void noise(struct victim *v, size_t offset, size_t size)
{
    for (size_t i = 0; i < size; i++)
        v->bytes[offset + i] = (uint8_t)next(v);
}

static void flip_bits(struct victim *v, struct damage *d)
{
    size_t count = 1 + pick(v, 8);
    d->offset = v->size;
    for (size_t i = 0; i < count; i++) {
        size_t at = pick(v, v->size);
        v->bytes[at] ^= (uint8_t)(1u << pick(v, 8));
        if (at < d->offset)
            d->offset = at;
    }
    d->size = count;
    snprintf(d->text, sizeof d->text, "%s: %zu bits flipped from %" PRIu64 " on", d->file, count,
             d->offset);
}

static void zero_page(struct victim *v, struct damage *d)
{
    size_t page = pick(v, (v->size + PAGE - 1) / PAGE);
    d->offset = page * PAGE;
    d->size = v->size - d->offset < PAGE ? v->size - d->offset : PAGE;
    memset(v->bytes + d->offset, 0, d->size);
    snprintf(d->text, sizeof d->text, "%s: page %zu zeroed", d->file, page);
}

static void swap_pages(struct victim *v, struct damage *d)
{
    size_t pages = v->size / PAGE, a = pick(v, pages), b = pick(v, pages);
    uint8_t kept[PAGE];
    if (pages < 2)
        return;
    memcpy(kept, v->bytes + a * PAGE, PAGE);
    memcpy(v->bytes + a * PAGE, v->bytes + b * PAGE, PAGE);
    memcpy(v->bytes + b * PAGE, kept, PAGE);
    d->offset = a * PAGE;
    d->size = PAGE;
    snprintf(d->text, sizeof d->text, "%s: pages %zu and %zu swapped", d->file, a, b);
}

static void cut_off(struct victim *v, struct damage *d)
{
    size_t size = pick(v, v->size);
    if (next(v) % 2)
        size -= size % PAGE;
    d->offset = size;
    d->size = v->size - size;
    snprintf(d->text, sizeof d->text, "%s: cut to %zu of %zu bytes", d->file, size, v->size);
    v->size = size;
}

static void spoil_header(struct victim *v, struct damage *d)
{
    size_t page = pick(v, v->size / PAGE);
    d->offset = page * PAGE;
    d->size = v->size - d->offset < 16 ? v->size - d->offset : 16;
    noise(v, d->offset, d->size);
    snprintf(d->text, sizeof d->text, "%s: header of page %zu overwritten", d->file, page);
}

static void spoil_run(struct victim *v, struct damage *d)
{
    d->offset = pick(v, v->size);
    d->size = 1 + pick(v, 5000);
    if (d->size > v->size - d->offset)
        d->size = v->size - d->offset;
    noise(v, d->offset, d->size);
    snprintf(d->text, sizeof d->text, "%s: %" PRIu64 " bytes at %" PRIu64 " overwritten", d->file,
             d->size, d->offset);
}

static void (*const kinds[])(struct victim *, struct damage *) = {
    [DAMAGE_BITS] = flip_bits,   [DAMAGE_ZERO] = zero_page,      [DAMAGE_SWAP] = swap_pages,
    [DAMAGE_TRUNCATE] = cut_off, [DAMAGE_HEADER] = spoil_header, [DAMAGE_NOISE] = spoil_run,
};

static void damage_file(const char *path, uint64_t seed, enum damage_kind kind, struct damage *d)
{
    size_t size;
    uint8_t *before = files_read(path, &size);
    struct victim v = {malloc(size), size, seed};
    if (!v.bytes)
        abort();
    for (int i = 0;; i++) {
        memcpy(v.bytes, before, size);
        v.size = size;
        d->kind = i >= TRIES           ? DAMAGE_BITS
                  : kind == DAMAGE_ANY ? (enum damage_kind)pick(&v, DAMAGE_KINDS)
                                       : kind;
        kinds[d->kind](&v, d);
        if (v.size != size || memcmp(v.bytes, before, size) != 0)
            break;
    }
    files_write(path, v.bytes, v.size);
    free(v.bytes);
    free(before);
}

static bool
may_damage(const char *directory, const char *name, const char *skip, char path[FILES_PATH])
{
    size_t size;
    snprintf(path, FILES_PATH, "%s/%s", directory, name);
    if (skip && strstr(name, skip))
        return false;
    free(files_read(path, &size));
    return size > 0;
}

bool damage_make(const char *directory, const char *skip, uint64_t seed, enum damage_kind kind,
                 struct damage *damage)
{
    char path[FILES_PATH];
    struct files_list list = files_list(directory);
    struct victim v = {.random = seed ^ UINT64_C(0x64616d616765)};
    size_t first = pick(&v, list.count);
    bool done = false;
    *damage = (struct damage){.text = ""};
    for (size_t i = 0; i < list.count && !done; i++) {
        const char *name = list.names[(first + i) % list.count];
        if (!may_damage(directory, name, skip, path))
            continue;
        snprintf(damage->file, sizeof damage->file, "%s", name);
        damage_file(path, next(&v), kind, damage);
        done = true;
    }
    files_list_free(&list);
    return done;
}
