/* SPDX-License-Identifier: Apache-2.0
 *
 * power_disk.c -- a disk that remembers what is sure and what is not.
 *
 * A file is an image (sure) and a list of open operations on it, in order.  A sync
 * works them into the image.  A write through an O_DSYNC descriptor stays in the
 * list as a sure one: the blocks it touches cannot be older than it.
 *
 * A crash picks for each block how many of the open operations had reached it:
 * that is what a page cache can leave behind, one content a block had at some
 * time, blocks independent of each other.
 *
 * Names are a list of (directory, name, inode), sure, and a list of open
 * operations on them, each of which a crash applies or not; a sync of the directory
 * makes its operations sure.
 */
#include "power_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"

struct open_op {
    const struct power_entry *entry;
    bool sure; /* O_DSYNC */
};

struct node {
    uint64_t ino;
    bool is_dir;
    uint8_t *image;
    uint64_t size, capacity;
    struct open_op *ops;
    size_t count, room;
};

struct name {
    uint64_t parent;
    const char *text; /* in the log */
    uint32_t length;
    size_t node;
};

struct name_op {
    const struct power_entry *entry;
    size_t node;
    bool synced, synced2;
};

struct power_disk {
    bool ignore_syncs, names_with_file;
    struct node *nodes; /* a later node of the same ino replaces the earlier */
    size_t node_count, node_room;
    struct name *names;
    size_t name_count, name_room;
    struct name_op *ops;
    size_t op_count, op_room;
    /* The state before power_disk_begin. */
    bool under_way;
    size_t begun_nodes, begun_ops, begun_node, begun_node_ops;
};

enum { NO_NODE = -1 };

static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? *room * 2 : 16;
    void *more = realloc(items, *room * size);
    if (!more)
        abort();
    return more;
}

struct power_disk *power_disk_new(bool ignore_syncs, bool names_with_file)
{
    struct power_disk *disk = calloc(1, sizeof *disk);
    if (!disk)
        abort();
    disk->ignore_syncs = ignore_syncs;
    disk->names_with_file = names_with_file;
    return disk;
}

void power_disk_free(struct power_disk *disk)
{
    for (size_t i = 0; i < disk->node_count; i++) {
        free(disk->nodes[i].image);
        free(disk->nodes[i].ops);
    }
    free(disk->nodes);
    free(disk->names);
    free(disk->ops);
    free(disk);
}

static const char *name_of(const struct power_entry *entry)
{
    return (const char *)(entry + 1);
}

static const uint8_t *data_of(const struct power_entry *entry)
{
    return (const uint8_t *)(entry + 1) + entry->name + entry->name2;
}

/* ---- nodes ----------------------------------------------------------------- */

static long node_by_ino(const struct power_disk *disk, uint64_t ino)
{
    for (size_t i = disk->node_count; i-- > 0;)
        if (disk->nodes[i].ino == ino)
            return (long)i;
    return NO_NODE;
}

static size_t node_new(struct power_disk *disk, uint64_t ino, bool is_dir)
{
    disk->nodes = grown(disk->nodes, disk->node_count, &disk->node_room, sizeof *disk->nodes);
    disk->nodes[disk->node_count] = (struct node){.ino = ino, .is_dir = is_dir};
    return disk->node_count++;
}

static void image_size(struct node *node, uint64_t size)
{
    if (size > node->capacity) {
        uint64_t capacity = node->capacity * 2 > size ? node->capacity * 2 : size;
        node->image = realloc(node->image, capacity);
        if (!node->image)
            abort();
        node->capacity = capacity;
    }
    if (size > node->size)
        memset(node->image + node->size, 0, size - node->size);
    node->size = size;
}

static void image_write(struct node *node, uint64_t offset, const uint8_t *bytes, uint64_t size)
{
    if (size == 0)
        return;
    if (offset + size > node->size)
        image_size(node, offset + size);
    memcpy(node->image + offset, bytes, size);
}

static void node_settle(struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct power_entry *e = node->ops[i].entry;
        if (e->kind == POWER_TRUNCATE)
            image_size(node, e->size);
        else
            image_write(node, e->offset, data_of(e), e->size);
    }
    node->count = 0;
}

static void node_add(struct node *node, const struct power_entry *entry, bool sure)
{
    node->ops = grown(node->ops, node->count, &node->room, sizeof *node->ops);
    node->ops[node->count++] = (struct open_op){entry, sure};
}

/* ---- names ----------------------------------------------------------------- */

static bool same_name(const struct name *name, uint64_t parent, const char *text, uint32_t length)
{
    return name->parent == parent && name->length == length &&
           memcmp(name->text, text, length) == 0;
}

/* The list of names, sure or of one state. */
struct names {
    struct name *items;
    size_t count, room;
};

static long
names_find(const struct names *names, uint64_t parent, const char *text, uint32_t length)
{
    for (size_t i = 0; i < names->count; i++)
        if (same_name(&names->items[i], parent, text, length))
            return (long)i;
    return -1;
}

static void names_set(struct names *names, struct name name)
{
    long at = names_find(names, name.parent, name.text, name.length);
    if (at < 0) {
        names->items = grown(names->items, names->count, &names->room, sizeof *names->items);
        at = (long)names->count++;
    }
    names->items[at] = name;
}

static void
names_drop(struct names *names, uint64_t parent, const char *text, uint32_t length, size_t node)
{
    long at = names_find(names, parent, text, length);
    if (at >= 0 && names->items[at].node == node)
        names->items[at] = names->items[--names->count];
}

static void names_apply(struct names *names, const struct name_op *op)
{
    const struct power_entry *e = op->entry;
    const char *text = name_of(e);
    if (e->kind == POWER_RENAME) {
        names_drop(names, e->parent, text, e->name, op->node);
        names_set(names, (struct name){e->parent2, text + e->name, e->name2, op->node});
    } else if (e->kind == POWER_REMOVE) {
        names_drop(names, e->parent, text, e->name, op->node);
    } else {
        names_set(names, (struct name){e->parent, text, e->name, op->node});
    }
}

static struct names sure_names(const struct power_disk *disk)
{
    return (struct names){disk->names, disk->name_count, disk->name_room};
}

static void set_sure_names(struct power_disk *disk, const struct names *names)
{
    disk->names = names->items;
    disk->name_count = names->count;
    disk->name_room = names->room;
}

/* What a name means to the running program: with all that is open. */
static long
node_by_name(const struct power_disk *disk, uint64_t parent, const char *text, uint32_t length)
{
    for (size_t i = disk->op_count; i-- > 0;) {
        const struct power_entry *e = disk->ops[i].entry;
        struct name one = {e->parent, name_of(e), e->name, 0};
        struct name two = {e->parent2, name_of(e) + e->name, e->name2, 0};
        bool second = e->kind == POWER_RENAME && same_name(&two, parent, text, length);
        if (second)
            return (long)disk->ops[i].node;
        if (same_name(&one, parent, text, length))
            return e->kind == POWER_RENAME || e->kind == POWER_REMOVE ? NO_NODE
                                                                      : (long)disk->ops[i].node;
    }
    struct names names = sure_names(disk);
    long at = names_find(&names, parent, text, length);
    return at < 0 ? NO_NODE : (long)names.items[at].node;
}

static void settle_names(struct power_disk *disk)
{
    struct names names = sure_names(disk);
    size_t kept = 0;
    for (size_t i = 0; i < disk->op_count; i++) {
        struct name_op *op = &disk->ops[i];
        if (op->synced && (op->synced2 || op->entry->kind != POWER_RENAME))
            names_apply(&names, op);
        else
            disk->ops[kept++] = *op;
    }
    disk->op_count = kept;
    set_sure_names(disk, &names);
}

static void sync_directory(struct power_disk *disk, uint64_t ino)
{
    for (size_t i = 0; i < disk->op_count; i++) {
        struct name_op *op = &disk->ops[i];
        op->synced |= op->entry->parent == ino;
        op->synced2 |= op->entry->parent2 == ino;
    }
    settle_names(disk);
}

/* Names are durable in the order in which they were made: with those of the file, all before. */
static void sync_names_of(struct power_disk *disk, size_t node)
{
    bool sure = false;
    for (size_t i = disk->op_count; i-- > 0;) {
        sure |= disk->ops[i].node == node;
        if (sure)
            disk->ops[i].synced = disk->ops[i].synced2 = true;
    }
    settle_names(disk);
}

/* ---- entries ----------------------------------------------------------------- */

static const char *do_base(struct power_disk *disk, const struct power_entry *entry)
{
    struct names names = sure_names(disk);
    size_t node = node_new(disk, entry->ino, entry->kind == POWER_BASE_DIR);
    if (entry->kind == POWER_BASE_FILE)
        image_write(&disk->nodes[node], 0, data_of(entry), entry->size);
    names_set(&names, (struct name){entry->parent, name_of(entry), entry->name, node});
    set_sure_names(disk, &names);
    return NULL;
}

static const char *do_name(struct power_disk *disk, const struct power_entry *entry)
{
    struct name_op op = {.entry = entry};
    if (entry->kind == POWER_CREATE || entry->kind == POWER_MKDIR) {
        op.node = node_new(disk, entry->ino, entry->kind == POWER_MKDIR);
    } else {
        long node = entry->kind == POWER_LINK
                        ? node_by_ino(disk, entry->ino)
                        : node_by_name(disk, entry->parent, name_of(entry), entry->name);
        if (node < 0)
            return "an operation on a name nobody made";
        op.node = (size_t)node;
    }
    disk->ops = grown(disk->ops, disk->op_count, &disk->op_room, sizeof *disk->ops);
    disk->ops[disk->op_count++] = op;
    return NULL;
}

static const char *do_sync(struct power_disk *disk, size_t node)
{
    if (disk->ignore_syncs)
        return NULL;
    if (disk->nodes[node].is_dir) {
        sync_directory(disk, disk->nodes[node].ino);
        return NULL;
    }
    node_settle(&disk->nodes[node]);
    if (disk->names_with_file)
        sync_names_of(disk, node);
    return NULL;
}

const char *power_disk_do(struct power_disk *disk, const struct power_entry *entry)
{
    if (entry->kind == POWER_MARK)
        return NULL;
    if (entry->kind == POWER_BASE_DIR || entry->kind == POWER_BASE_FILE)
        return do_base(disk, entry);
    if (entry->kind >= POWER_CREATE)
        return do_name(disk, entry);
    long node = node_by_ino(disk, entry->ino);
    if (node < 0)
        return "an operation on a file nobody made";
    if (entry->kind == POWER_SYNC)
        return do_sync(disk, (size_t)node);
    node_add(&disk->nodes[node], entry, entry->durable && !disk->ignore_syncs);
    return NULL;
}

const char *power_disk_begin(struct power_disk *disk, const struct power_entry *entry)
{
    disk->under_way = true;
    disk->begun_nodes = disk->node_count;
    disk->begun_ops = disk->op_count;
    long node = node_by_ino(disk, entry->ino);
    bool writes = entry->kind == POWER_WRITE || entry->kind == POWER_TRUNCATE;
    disk->begun_node = writes && node >= 0 ? (size_t)node : 0;
    disk->begun_node_ops = disk->node_count ? disk->nodes[disk->begun_node].count : 0;
    if (writes && node >= 0)
        node_add(&disk->nodes[node], entry, false);
    else if (entry->kind >= POWER_CREATE && entry->kind != POWER_MARK)
        return do_name(disk, entry);
    return NULL;
}

void power_disk_forget(struct power_disk *disk)
{
    if (!disk->under_way)
        return;
    disk->under_way = false;
    disk->node_count = disk->begun_nodes;
    disk->op_count = disk->begun_ops;
    if (disk->node_count)
        disk->nodes[disk->begun_node].count = disk->begun_node_ops;
}

/* ---- crashing ------------------------------------------------------------------ */

/* How much of what is open had reached the disk. */
enum luck { NOTHING, EVERYTHING, ANY_VERSION, MOST, FEW, UP_TO_A_MOMENT, LUCKS };

struct choice {
    uint64_t seed;
    enum luck luck;
    uint64_t block; /* bytes */
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = a + b * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x632be59bd9b4e019);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* How many of `count` open operations had reached the thing with this number. */
static size_t reached(const struct choice *choice, uint64_t thing, size_t count)
{
    uint64_t r = mix(choice->seed, thing);
    switch (choice->luck) {
    case NOTHING:
        return 0;
    case EVERYTHING:
        return count;
    case MOST:
        return r % 16 ? count : 0;
    case FEW:
        return r % 16 ? 0 : count;
    case UP_TO_A_MOMENT:
        return mix(choice->seed, count) % (count + 1);
    default:
        return r % (count + 1);
    }
}

/* The last sure operation that touches a block, as a number of operations. */
static size_t surely_reached(const struct node *node, uint64_t block, uint64_t block_size)
{
    for (size_t i = node->count; i-- > 0;) {
        const struct power_entry *e = node->ops[i].entry;
        if (node->ops[i].sure && e->kind == POWER_WRITE && e->offset / block_size <= block &&
            block <= (e->offset + e->size - 1) / block_size)
            return i + 1;
    }
    return 0;
}

static void crash_write(struct node *image, const struct node *node, size_t op, size_t thing,
                        const struct choice *choice)
{
    const struct power_entry *e = node->ops[op].entry;
    for (uint64_t done = 0; done < e->size;) {
        uint64_t at = e->offset + done, block = at / choice->block;
        uint64_t size = (block + 1) * choice->block - at;
        if (size > e->size - done)
            size = e->size - done;
        size_t count = reached(choice, mix(thing, block), node->count);
        size_t sure = surely_reached(node, block, choice->block);
        if (op < (count > sure ? count : sure))
            image_write(image, at, data_of(e) + done, size);
        done += size;
    }
}

static struct node crash_file(const struct node *node, size_t thing, const struct choice *choice)
{
    struct node image = {.ino = node->ino};
    uint64_t longest = node->size;
    image_write(&image, 0, node->image ? node->image : (const uint8_t *)"", node->size);
    size_t sizes = reached(choice, mix(thing, UINT64_MAX), node->count);
    for (size_t i = 0; i < node->count; i++) {
        const struct power_entry *e = node->ops[i].entry;
        if (e->kind == POWER_WRITE)
            crash_write(&image, node, i, thing, choice);
        else if (i < sizes)
            image_size(&image, e->size);
        if (e->kind == POWER_WRITE && i < sizes && e->offset + e->size > longest)
            longest = e->offset + e->size;
        else if (e->kind == POWER_TRUNCATE && i < sizes)
            longest = e->size;
    }
    /* The length may have been written without the bytes. */
    if (longest > image.size && mix(choice->seed, thing) % 4 == 0)
        image_size(&image, longest);
    return image;
}

static void make_tree(const struct power_disk *disk, const struct names *names, uint64_t parent,
                      const char *path, const struct choice *choice)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->items[i];
        if (name->parent != parent)
            continue;
        char child[FILES_PATH];
        int n = snprintf(child, sizeof child, "%s%s%.*s", path, name->length ? "/" : "",
                         (int)name->length, name->text);
        const struct node *node = &disk->nodes[name->node];
        if (n >= FILES_PATH)
            abort();
        if (node->is_dir) {
            if (mkdir(child, 0700) != 0)
                abort();
            make_tree(disk, names, node->ino, child, choice);
            continue;
        }
        struct node image = crash_file(node, name->node, choice);
        files_write(child, image.image, image.size);
        free(image.image);
    }
}

void power_disk_crash(const struct power_disk *disk, uint64_t seed, const char *directory)
{
    struct choice choice = {.seed = mix(seed, 1),
                            .luck = (enum luck)(mix(seed, 2) % LUCKS),
                            .block = mix(seed, 3) % 2 ? 4096 : 512};
    struct names names = {.room = disk->name_count};
    names.items = malloc((names.room + 1) * sizeof *names.items);
    if (!names.items)
        abort();
    if (disk->name_count)
        memcpy(names.items, disk->names, disk->name_count * sizeof *names.items);
    names.count = disk->name_count;
    size_t moment = mix(seed, 4) % (disk->op_count + 1);
    for (size_t i = 0; i < disk->op_count; i++) {
        bool happened = choice.luck == UP_TO_A_MOMENT
                            ? i < moment
                            : reached(&choice, mix(i, UINT64_C(0x6e616d6573)), 1) == 1;
        if (happened)
            names_apply(&names, &disk->ops[i]);
    }
    make_tree(disk, &names, 0, directory, &choice);
    free(names.items);
}
