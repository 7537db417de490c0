/* SPDX-License-Identifier: Apache-2.0
 *
 * live_bytes.c -- walks the newest commit of undamaged LMDB files and marks keys and values.
 *
 * Of a month's file only the segments that the catalogue names count, and of those not the
 * checksum and the padding around them: a segment has checksums of its own, and those are
 * the ones that are looked at.
 *
 * What is not marked may matter all the same: pointers, sizes and numbers in the heads of
 * pages.  Damage there shows, or it does not matter.
 */
#include "live_bytes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "store/mdbfile.h"
#include "store/store.h"

enum { PAGE_HEAD = 16, SUM = 8, SEGMENT_HEAD = 8 };

struct walk {
    struct mdbfile file;
    const struct catalogue *catalogue; /* of a month's file; NULL for main.mdb */
    uint8_t *live;
};

static void demand(bool yes)
{
    if (yes)
        return;
    fprintf(stderr, "live_bytes: the undamaged store cannot be read\n");
    abort();
}

static void mark(struct walk *w, uint64_t from, uint64_t size, int as)
{
    demand(from + size <= w->file.size);
    memset(w->live + from, as, size);
}

/* day (4, sign flipped) | table (4) | generation (8) */
static bool is_named(const struct walk *w, const struct mdbnode *node)
{
    demand(node->key_size == 16);
    uint64_t place = load64be(node->key);
    int32_t day = (int32_t)((uint32_t)(place >> 32) ^ UINT32_C(0x80000000));
    const struct day_record *record = catalogue_find(w->catalogue, day, (uint32_t)place);
    return record && record->generation == load64be(node->key + 8);
}

static void mark_leaf(struct walk *w, const struct mdbnode *node, uint64_t key, uint64_t value)
{
    uint8_t head[SEGMENT_HEAD];
    if (!w->catalogue) {
        mark(w, key, node->key_size, LIVE_KEY);
        mark(w, value, node->size, LIVE_VALUE);
    } else if (is_named(w, node)) {
        demand(mdbfile_read(&w->file, value + SUM, head, sizeof head, NULL) == VARVE_OK);
        mark(w, key, node->key_size, LIVE_KEY);
        mark(w, value + SUM, SEGMENT_HEAD + load64(head), LIVE_VALUE);
    }
}

static void walk_page(struct walk *w, uint64_t number)
{
    uint64_t size = w->file.page_size;
    uint8_t *bytes = malloc(size);
    struct mdbpage page;
    demand(bytes && mdbfile_page(&w->file, number, bytes, &page, NULL) == VARVE_OK);
    for (unsigned i = 0; i < page.nodes; i++) {
        struct mdbnode node;
        mdbpage_node(&page, i, &node);
        uint64_t key = number * size + (uint64_t)(node.key - bytes);
        uint64_t value = node.data ? key + node.key_size : node.child * size + PAGE_HEAD;
        if (page.leaf)
            mark_leaf(w, &node, key, value);
        else
            walk_page(w, node.child);
    }
    free(bytes);
}

static void mark_file(const char *path, const struct catalogue *catalogue, struct live_file *to)
{
    struct walk w = {.catalogue = catalogue, .live = calloc(1, to->size)};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    demand(w.live && fd >= 0 && mdbfile_open(&w.file, fd, "file", NULL) == VARVE_OK);
    uint64_t root = w.file.meta[mdbfile_newest(&w.file)].main.root;
    if (root != MDBFILE_NONE)
        walk_page(&w, root);
    close(fd);
    to->live = w.live;
}

/* A month's file that is left over has no segment that is named under its generation. */
static void mark_all(struct live_map *map, const char *directory, const struct catalogue *catalogue)
{
    for (size_t i = 0; i < map->names.count; i++) {
        char path[2 * FILES_PATH];
        const char *name = map->names.names[i], *dot = strrchr(name, '.');
        snprintf(path, sizeof path, "%s/%s", directory, name);
        map->files[i].bytes = files_read(path, &map->files[i].size);
        if (dot && strcmp(dot, ".mdb") == 0)
            mark_file(path, strncmp(name, "seg-", 4) == 0 ? catalogue : NULL, &map->files[i]);
    }
}

struct live_map live_map_of(const char *directory)
{
    struct live_map map = {.names = files_list(directory)};
    struct varve_options options = {.flags = VARVE_RDONLY};
    struct store *store = NULL;
    struct txn *txn;
    map.files = calloc(map.names.count, sizeof *map.files);
    demand(map.files && store_open(&store, directory, &options, NULL) == VARVE_OK);
    demand(store_begin_read(store, &txn, NULL) == VARVE_OK);
    demand(store_sync(store, txn, NULL) == VARVE_OK);
    txn_abort(txn);
    mark_all(&map, directory, store->catalogue);
    store_close(store);
    return map;
}

void live_map_free(struct live_map *map)
{
    for (size_t i = 0; i < map->names.count; i++) {
        free(map->files[i].bytes);
        free(map->files[i].live);
    }
    free(map->files);
    files_list_free(&map->names);
}

bool live_map_hit(const struct live_map *map, const char *name, const char *copy)
{
    size_t i = 0, size;
    char path[2 * FILES_PATH];
    while (i < map->names.count && strcmp(map->names.names[i], name) != 0)
        i++;
    if (i == map->names.count || !map->files[i].live)
        return false;
    const struct live_file *file = &map->files[i];
    snprintf(path, sizeof path, "%s/%s", copy, name);
    uint8_t *bytes = files_read(path, &size);
    bool hit = false;
    for (size_t at = 0; at < file->size && !hit; at++)
        hit = file->live[at] && (at >= size || bytes[at] != file->bytes[at]);
    free(bytes);
    return hit;
}

/* The file with live bytes that the seed chooses, and how many of the kind it has. */
static size_t choose_file(const struct live_map *map, uint64_t seed, int kind, size_t *count)
{
    for (size_t tries = 0;; tries++) {
        size_t i = (size_t)((seed + tries) % map->names.count);
        const struct live_file *file = &map->files[i];
        *count = 0;
        for (size_t at = 0; file->live && at < file->size; at++)
            *count += file->live[at] == kind;
        if (*count > 0)
            return i;
        demand(tries < map->names.count);
    }
}

const char *
live_map_flip(const struct live_map *map, const char *copy, uint64_t seed, uint64_t *offset)
{
    char path[2 * FILES_PATH];
    int kind = seed % 2 ? LIVE_KEY : LIVE_VALUE;
    size_t count, at = 0;
    size_t i = choose_file(map, seed >> 1, kind, &count);
    struct live_file *file = &map->files[i];
    for (uint64_t left = (seed >> 8) % count; file->live[at] != kind || left-- > 0;)
        at++;
    snprintf(path, sizeof path, "%s/%s", copy, map->names.names[i]);
    uint8_t bit = (uint8_t)(1u << (seed >> 40) % 8);
    file->bytes[at] ^= bit;
    files_write(path, file->bytes, file->size);
    file->bytes[at] ^= bit;
    *offset = at;
    return map->names.names[i];
}
