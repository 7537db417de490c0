/* SPDX-License-Identifier: Apache-2.0
 *
 * mdbfile.c -- LMDB's page format, read with bounds.
 *
 * Only what LMDB 0.9 writes passes: the nodes of a page must fill the space
 * behind `upper` exactly, without gaps and without touching, because LMDB
 * packs them so and moves them by their sizes when it deletes one.
 *
 * Both meta pages are read twice, until two readings agree.  Since
 * transaction numbers only grow, two equal readings mean that nothing was
 * written in between, so the pair is one that was there at one moment.
 *
 * What it does not look at: how pages hang together (pagecheck.c), and the
 * padding bytes that LMDB leaves as they happened to be in memory.
 */
#include "store/mdbfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"

enum { KIND_BRANCH = 1, KIND_LEAF = 2, KIND_OVERFLOW = 4, KIND_META = 8 };
enum { NODE_BIG = 1 };
enum { TREE_INTEGER_KEYS = 0x08, ENV_ONE_FILE = 0x4000 };
enum { HEAD = 16, META_SIZE = HEAD + 136, NODE_HEAD = 8 };

#define MDB_MAGIC_NUMBER UINT32_C(0xBEEFC0DE)
#define MDB_FORMAT_NUMBER 1u

enum varve_status mdbfile_damage(const struct mdbfile *file, uint64_t page, struct varve_err *err,
                                 const char *format, ...)
{
    char place[sizeof err->place], text[sizeof err->message];
    va_list arguments;
    snprintf(place, sizeof place, "%.80s, page %" PRIu64, file->name, page);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return fail(err, VARVE_CORRUPT, place, "%s", text);
}

enum varve_status mdbfile_read(const struct mdbfile *file, uint64_t offset, void *buffer,
                               size_t size, struct varve_err *err)
{
    uint8_t *to = buffer;
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(file->fd, to + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, VARVE_IO, errno, file->name, "reading at byte %" PRIu64,
                              offset + done);
        if (n == 0)
            return fail(
                err, VARVE_CORRUPT, file->name,
                "the file ends at byte %" PRIu64
                " inside something that is in use: it was cut off; restore it from a backup",
                offset + done);
        done += (size_t)n;
    }
    return VARVE_OK;
}

static struct mdbtree load_tree(const uint8_t *p)
{
    return (struct mdbtree){.pad = load32(p),
                            .flags = load16(p + 4),
                            .depth = load16(p + 6),
                            .branch_pages = load64(p + 8),
                            .leaf_pages = load64(p + 16),
                            .overflow_pages = load64(p + 24),
                            .entries = load64(p + 32),
                            .root = load64(p + 40)};
}

static enum varve_status
read_meta_pair(const struct mdbfile *file, uint8_t pages[2][META_SIZE], struct varve_err *err)
{
    TRY(mdbfile_read(file, 0, pages[0], META_SIZE, err));
    uint32_t page_size = load32(pages[0] + HEAD + 24);
    if (page_size < MDBFILE_PAGE_MIN || page_size > MDBFILE_PAGE_MAX ||
        (page_size & (page_size - 1)) != 0)
        return mdbfile_damage(file, 0, err, "this is not a store file: the page size would be %u",
                              page_size);
    return mdbfile_read(file, page_size, pages[1], META_SIZE, err);
}

/* What must hold of each meta page whatever transaction it is of. */
static enum varve_status
load_meta(struct mdbfile *file, unsigned which, const uint8_t *page, struct varve_err *err)
{
    const uint8_t *p = page + HEAD;
    struct mdbmeta *meta = &file->meta[which];
    if (load32(p) != MDB_MAGIC_NUMBER || load64(page) != which || load16(page + 10) != KIND_META)
        return mdbfile_damage(file, which, err, "this is not a store file or its head is damaged");
    if (load32(p + 4) != MDB_FORMAT_NUMBER)
        return fail(err, VARVE_VERSION, file->name,
                    "the file has LMDB format %u, this library reads format %u", load32(p + 4),
                    MDB_FORMAT_NUMBER);
    *meta = (struct mdbmeta){.map_size = load64(p + 16),
                             .free = load_tree(p + 24),
                             .main = load_tree(p + 72),
                             .last_page = load64(p + 120),
                             .txnid = load64(p + 128)};
    if (load64(p + 8) != 0 || (meta->free.flags & ~ENV_ONE_FILE) != TREE_INTEGER_KEYS ||
        meta->main.flags != 0 || meta->main.pad != 0)
        return mdbfile_damage(file, which, err, "the meta page has flags this library never sets");
    if (meta->free.pad != file->page_size)
        return mdbfile_damage(file, which, err, "the meta pages disagree about the page size");
    return VARVE_OK;
}

enum varve_status
mdbfile_open(struct mdbfile *file, int fd, const char *name, struct varve_err *err)
{
    uint8_t pages[2][2][META_SIZE];
    struct stat st;
    *file = (struct mdbfile){.fd = fd, .name = name};
    TRY(read_meta_pair(file, pages[0], err));
    for (unsigned round = 1;; round++) {
        TRY(read_meta_pair(file, pages[round & 1], err));
        if (memcmp(pages[0], pages[1], sizeof pages[0]) == 0)
            break;
        if (round == 1000)
            return fail(err, VARVE_BUSY, name, "somebody writes faster than the head can be read");
    }
    if (fstat(fd, &st) != 0)
        return fail_errno(err, VARVE_IO, errno, name, "looking at the file");
    file->size = (uint64_t)st.st_size;
    file->page_size = load32(pages[0][0] + HEAD + 24);
    TRY(load_meta(file, 0, pages[0][0], err));
    return load_meta(file, 1, pages[0][1], err);
}

unsigned mdbfile_newest(const struct mdbfile *file)
{
    return file->meta[0].txnid < file->meta[1].txnid;
}

static bool is_fresh(const struct mdbmeta *meta)
{
    return meta->txnid == 0 && meta->last_page == 1 && meta->free.root == MDBFILE_NONE &&
           meta->main.root == MDBFILE_NONE;
}

enum varve_status mdbfile_check_pair(const struct mdbfile *file, struct varve_err *err)
{
    uint64_t a = file->meta[0].txnid, b = file->meta[1].txnid;
    /* No commit has ever succeeded; one that failed in its last write has left its trees under the
     * number 0 in the second meta page, which nobody looks at. */
    if (is_fresh(&file->meta[0]) && b == 0)
        return VARVE_OK;
    if (a % 2 != 0 || b % 2 != 1 || (a + 1 != b && b + 1 != a))
        return mdbfile_damage(file, mdbfile_newest(file), err,
                              "the two meta pages are of transactions %" PRIu64 " and %" PRIu64
                              ", which never follow one another: one of them is damaged",
                              a, b);
    return VARVE_OK;
}

static bool tree_is_possible(const struct mdbtree *tree, uint64_t last_page)
{
    if (tree->root == MDBFILE_NONE)
        return (tree->depth | tree->branch_pages | tree->leaf_pages | tree->overflow_pages |
                tree->entries) == 0;
    return tree->root >= 2 && tree->root <= last_page && tree->depth >= 1 &&
           tree->depth <= MDBFILE_DEPTH_MAX;
}

enum varve_status
mdbfile_check_meta(const struct mdbfile *file, unsigned which, struct varve_err *err)
{
    const struct mdbmeta *meta = &file->meta[which];
    uint64_t most = MDBFILE_BYTES_MAX / file->page_size;
    if (meta->last_page < 1 || meta->last_page >= most ||
        !tree_is_possible(&meta->free, meta->last_page) ||
        !tree_is_possible(&meta->main, meta->last_page))
        return mdbfile_damage(file, which, err, "the meta page holds impossible numbers");
    return VARVE_OK;
}

/* Marks [from, to) of the page, in units of two bytes; false if any of it was marked before. */
static bool claim(uint64_t *map, unsigned from, unsigned to)
{
    for (unsigned at = from / 2, end = to / 2; at < end;) {
        unsigned bit = at % 64, n = end - at < 64 - bit ? end - at : 64 - bit;
        uint64_t mask = (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1) << bit;
        if (map[at / 64] & mask)
            return false;
        map[at / 64] |= mask;
        at += n;
    }
    return true;
}

/* The bytes a node takes, or 0 if it cannot be one. */
static unsigned node_size(const uint8_t *node, bool leaf, unsigned room)
{
    unsigned flags = load16(node + 4), key_size = load16(node + 6);
    uint64_t size = NODE_HEAD + (uint64_t)key_size;
    if (key_size > MDBFILE_KEY_MAX)
        return 0;
    if (leaf) {
        if (key_size == 0 || (flags & ~(unsigned)NODE_BIG) != 0)
            return 0;
        size += flags & NODE_BIG ? 8 : load32(node);
    }
    size = (size + 1) & ~UINT64_C(1);
    return size <= room ? (unsigned)size : 0;
}

static enum varve_status check_nodes(const struct mdbfile *file, const struct mdbpage *page,
                                     unsigned upper, struct varve_err *err)
{
    uint64_t claimed[MDBFILE_PAGE_MAX / 128] = {0};
    uint64_t total = 0;
    for (unsigned i = 0; i < page->nodes; i++) {
        unsigned at = load16(page->bytes + HEAD + 2 * i);
        if (at < upper || at % 2 != 0 || at + NODE_HEAD > file->page_size)
            return mdbfile_damage(file, page->number, err, "entry %u lies outside its page", i);
        unsigned size = node_size(page->bytes + at, page->leaf, file->page_size - at);
        if (size == 0)
            return mdbfile_damage(file, page->number, err, "entry %u has an impossible size", i);
        if (!claim(claimed, at, at + size))
            return mdbfile_damage(file, page->number, err, "entry %u overlaps another", i);
        total += size;
    }
    if (total != file->page_size - upper)
        return mdbfile_damage(file, page->number, err, "the entries do not fill their space");
    return VARVE_OK;
}

enum varve_status mdbfile_page(const struct mdbfile *file, uint64_t number, uint8_t *buffer,
                               struct mdbpage *page, struct varve_err *err)
{
    if (number < 2 || number >= MDBFILE_BYTES_MAX / file->page_size)
        return mdbfile_damage(file, number, err, "a tree names this impossible page");
    TRY(mdbfile_read(file, number * file->page_size, buffer, file->page_size, err));
    unsigned kind = load16(buffer + 10), lower = load16(buffer + 12), upper = load16(buffer + 14);
    if (load64(buffer) != number)
        return mdbfile_damage(file, number, err, "the page carries the number %" PRIu64,
                              load64(buffer));
    if (kind != KIND_BRANCH && kind != KIND_LEAF)
        return mdbfile_damage(file, number, err, "the page is of kind %#x, not part of a tree",
                              kind);
    if (lower < HEAD + 2 || lower % 2 != 0 || lower > upper || upper > file->page_size)
        return mdbfile_damage(file, number, err, "the bounds %u and %u of the page are impossible",
                              lower, upper);
    *page = (struct mdbpage){buffer, number, kind == KIND_LEAF, (lower - HEAD) / 2};
    return check_nodes(file, page, upper, err);
}

void mdbpage_node(const struct mdbpage *page, unsigned index, struct mdbnode *node)
{
    const uint8_t *p = page->bytes + load16(page->bytes + HEAD + 2 * index);
    unsigned flags = load16(p + 4);
    *node = (struct mdbnode){.key = p + NODE_HEAD, .key_size = load16(p + 6)};
    if (!page->leaf) {
        node->child = load32(p) | (uint64_t)flags << 32;
        return;
    }
    node->size = load32(p);
    if (flags & NODE_BIG)
        node->child = load64(node->key + node->key_size);
    else
        node->data = node->key + node->key_size;
}

enum varve_status mdbfile_overflow(const struct mdbfile *file, uint64_t number, uint32_t size,
                                   uint64_t *pages, struct varve_err *err)
{
    uint8_t head[HEAD];
    uint64_t most = MDBFILE_BYTES_MAX / file->page_size;
    if (number < 2 || number >= most)
        return mdbfile_damage(file, number, err, "a tree names this impossible page");
    TRY(mdbfile_read(file, number * file->page_size, head, sizeof head, err));
    uint64_t count = load32(head + 12), need = (HEAD + (uint64_t)size - 1) / file->page_size + 1;
    if (load64(head) != number || load16(head + 10) != KIND_OVERFLOW)
        return mdbfile_damage(file, number, err, "the page does not begin a large value");
    if (count < need || count >= most)
        return mdbfile_damage(file, number, err,
                              "a value of %u bytes cannot lie on %" PRIu64 " pages", size, count);
    if ((number + count) * file->page_size > file->size)
        return mdbfile_damage(file, number, err,
                              "the value ends at byte %" PRIu64 ", the file at byte %" PRIu64
                              ": it was cut off; restore it from a backup",
                              (number + count) * file->page_size, file->size);
    *pages = count;
    return VARVE_OK;
}
