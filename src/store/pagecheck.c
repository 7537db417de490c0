/* SPDX-License-Identifier: Apache-2.0
 *
 * pagecheck.c -- the walk over one committed state, and its book-keeping.
 *
 * One bit a page says whether the page has an owner: a tree, a large value or
 * the free list.  Claiming a page twice is damage of the worst kind, since
 * LMDB would one day write one owner's bytes over the other's.  At the end all
 * pages must be owned; LMDB itself calls a page without an owner damage when it
 * compacts.
 *
 * The free list may name pages behind the end of the file: LMDB counts pages
 * that a transaction took and gave back without ever writing them.  What is in
 * use must lie inside.
 *
 * Cost: one pread a tree page and one of 16 bytes a large value.
 */
#include "store/pagecheck.h"

#include <inttypes.h>
#include "base/bytes.h"
#include "store/mdbfile.h"

struct check {
    struct mdbfile file;
    struct mem *mem;
    const struct mdbmeta *meta;
    uint64_t *owned;   /* a bit a page */
    size_t owned_size; /* bytes */
    uint64_t owners;   /* bits set */
    uint8_t *pages;    /* a page for each level of the walk and one for free lists */
    size_t pages_size;
    uint64_t free_pages;
};

struct key {
    const uint8_t *bytes;
    size_t size;
};

struct walk_state {
    struct check *check;
    const struct mdbtree *tree;
    bool is_free;        /* the tree of the free list: keys are transaction numbers */
    struct mdbtree seen; /* the counts of the walk */
};

static enum varve_status own(struct check *c, uint64_t first, uint64_t count, struct varve_err *err)
{
    uint64_t last = c->meta->last_page;
    if (first < 2 || count > last || first > last - count + 1)
        return mdbfile_damage(&c->file, first, err,
                              "pages are in use behind the last one, %" PRIu64, last);
    for (uint64_t page = first; page < first + count; page++) {
        uint64_t bit = UINT64_C(1) << page % 64;
        if (c->owned[page / 64] & bit)
            return mdbfile_damage(&c->file, page, err,
                                  "the page is used twice, or both used and free");
        c->owned[page / 64] |= bit;
    }
    c->owners += count;
    return VARVE_OK;
}

/* As LMDB orders them: transaction numbers by value, all others by bytes and then by length. */
static int compare(const struct walk_state *w, struct key a, struct key b)
{
    if (w->is_free) {
        uint64_t x = load64(a.bytes), y = load64(b.bytes);
        return (x > y) - (x < y);
    }
    int c = memcmp(a.bytes, b.bytes, a.size < b.size ? a.size : b.size);
    return c ? c : (a.size > b.size) - (a.size < b.size);
}

/* Page numbers of a free-list record, `count` of them, falling from `*previous`. */
static enum varve_status own_list(struct walk_state *w, const uint8_t *numbers, uint64_t count,
                                  uint64_t *previous, uint64_t page, struct varve_err *err)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = load64(numbers + 8 * i);
        if (number >= *previous)
            return mdbfile_damage(&w->check->file, page, err, "the free pages are out of order");
        TRY(own(w->check, number, 1, err));
        *previous = number;
    }
    w->check->free_pages += count;
    return VARVE_OK;
}

/* A record of the free list: a count and as many page numbers.  LMDB may leave room behind them. */
static enum varve_status check_free_record(struct walk_state *w, const struct mdbnode *node,
                                           uint64_t page, struct varve_err *err)
{
    struct check *c = w->check;
    uint32_t page_size = c->file.page_size;
    uint8_t *buffer = c->pages + c->pages_size - page_size;
    uint64_t at = node->child * page_size + 16, previous = UINT64_MAX, left;
    uint8_t head[8];
    if (node->size < 8 || node->size % 8 != 0)
        return mdbfile_damage(&c->file, page, err, "a free list has %u bytes", node->size);
    if (node->data)
        memcpy(head, node->data, 8);
    else
        TRY(mdbfile_read(&c->file, at, head, 8, err));
    left = load64(head);
    if (left > node->size / 8 - 1)
        return mdbfile_damage(&c->file, page, err,
                              "a free list of %u bytes claims %" PRIu64 " pages", node->size, left);
    if (node->data)
        return own_list(w, node->data + 8, left, &previous, page, err);
    for (at += 8; left > 0;) {
        uint64_t n = left < page_size / 8 ? left : page_size / 8;
        TRY(mdbfile_read(&c->file, at, buffer, n * 8, err));
        TRY(own_list(w, buffer, n, &previous, page, err));
        at += n * 8;
        left -= n;
    }
    return VARVE_OK;
}

static enum varve_status
check_entry(struct walk_state *w, const struct mdbnode *node, uint64_t page, struct varve_err *err)
{
    struct check *c = w->check;
    w->seen.entries++;
    if (!node->data) {
        uint64_t pages;
        TRY(mdbfile_overflow(&c->file, node->child, node->size, &pages, err));
        TRY(own(c, node->child, pages, err));
        w->seen.overflow_pages += pages;
    }
    if (!w->is_free)
        return VARVE_OK;
    uint64_t txnid = load64(node->key);
    if (txnid == 0 || txnid > c->meta->txnid)
        return mdbfile_damage(&c->file, page, err,
                              "pages were freed by transaction %" PRIu64
                              ", the last one is %" PRIu64,
                              txnid, c->meta->txnid);
    return check_free_record(w, node, page, err);
}

/* Keys of the page must ascend and lie in [low, high); an absent bound has bytes NULL.  The first
 * key of a branch is never looked at by LMDB, nor here. */
static enum varve_status check_keys(struct walk_state *w, const struct mdbpage *page,
                                    struct key low, struct key high, struct varve_err *err)
{
    struct key last = low;
    bool equal_is_fine = true;
    for (unsigned i = page->leaf ? 0 : 1; i < page->nodes; i++) {
        struct mdbnode node;
        mdbpage_node(page, i, &node);
        struct key key = {node.key, node.key_size};
        if (key.size == 0 || (w->is_free && key.size != 8))
            return mdbfile_damage(&w->check->file, page->number, err,
                                  "entry %u has a key of %zu bytes", i, key.size);
        int order = last.bytes ? compare(w, last, key) : -1;
        if (order > 0 || (order == 0 && !equal_is_fine))
            return mdbfile_damage(&w->check->file, page->number, err, "entry %u is out of order",
                                  i);
        last = key;
        equal_is_fine = false;
    }
    if (high.bytes && last.bytes && compare(w, last, high) >= 0)
        return mdbfile_damage(&w->check->file, page->number, err,
                              "the last entry belongs to a later page");
    return VARVE_OK;
}

static enum varve_status walk_page(struct walk_state *w, uint64_t number, unsigned level,
                                   struct key low, struct key high, struct varve_err *err);

static enum varve_status
walk_children(struct walk_state *w, const struct mdbpage *page, unsigned level, struct key low,
              struct key high, struct varve_err *err)
{
    struct mdbnode node, next;
    mdbpage_node(page, 0, &node);
    for (unsigned i = 0; i < page->nodes; i++) {
        struct key from = low, to = high;
        if (i > 0)
            from = (struct key){node.key, node.key_size};
        if (i + 1 < page->nodes) {
            mdbpage_node(page, i + 1, &next);
            to = (struct key){next.key, next.key_size};
        }
        TRY(walk_page(w, node.child, level + 1, from, to, err));
        node = next;
    }
    return VARVE_OK;
}

static enum varve_status walk_page(struct walk_state *w, uint64_t number, unsigned level,
                                   struct key low, struct key high, struct varve_err *err)
{
    struct check *c = w->check;
    struct mdbpage page;
    TRY(own(c, number, 1, err));
    TRY(mdbfile_page(&c->file, number, c->pages + (size_t)level * c->file.page_size, &page, err));
    if (page.leaf != (level + 1 == w->tree->depth))
        return mdbfile_damage(&c->file, number, err,
                              "the page lies at the wrong depth of its tree");
    TRY(check_keys(w, &page, low, high, err));
    if (!page.leaf) {
        /* LMDB aborts on a branch with one child, except in the free list. */
        if (page.nodes < 2 && !w->is_free)
            return mdbfile_damage(&c->file, number, err, "the page branches to one page only");
        w->seen.branch_pages++;
        return walk_children(w, &page, level, low, high, err);
    }
    w->seen.leaf_pages++;
    for (unsigned i = 0; i < page.nodes; i++) {
        struct mdbnode node;
        mdbpage_node(&page, i, &node);
        TRY(check_entry(w, &node, number, err));
    }
    return VARVE_OK;
}

static enum varve_status
walk_tree(struct check *c, const struct mdbtree *tree, bool is_free, struct varve_err *err)
{
    struct walk_state w = {.check = c, .tree = tree, .is_free = is_free};
    struct key none = {NULL, 0};
    if (tree->root == MDBFILE_NONE)
        return VARVE_OK;
    TRY(walk_page(&w, tree->root, 0, none, none, err));
    if (w.seen.branch_pages != tree->branch_pages || w.seen.leaf_pages != tree->leaf_pages ||
        w.seen.overflow_pages != tree->overflow_pages || w.seen.entries != tree->entries)
        return mdbfile_damage(
            &c->file, c->meta->txnid & 1, err,
            "the meta page counts %" PRIu64 " pages and %" PRIu64 " entries, the tree has %" PRIu64
            " and %" PRIu64,
            tree->branch_pages + tree->leaf_pages + tree->overflow_pages, tree->entries,
            w.seen.branch_pages + w.seen.leaf_pages + w.seen.overflow_pages, w.seen.entries);
    return VARVE_OK;
}

static enum varve_status check_state(struct check *c, struct varve_err *err)
{
    enum varve_status status;
    c->owned_size = (size_t)(c->meta->last_page / 64 + 1) * 8;
    unsigned depth =
        c->meta->main.depth > c->meta->free.depth ? c->meta->main.depth : c->meta->free.depth;
    c->pages_size = (size_t)(depth + 1) * c->file.page_size;
    c->owned = mem_zalloc(c->mem, c->owned_size);
    c->pages = mem_alloc(c->mem, c->pages_size);
    if (!c->owned || !c->pages) {
        status = fail_nomem(err, c->owned_size + c->pages_size);
        goto out;
    }
    TRYOUT(walk_tree(c, &c->meta->free, true, err));
    TRYOUT(walk_tree(c, &c->meta->main, false, err));
    if (c->owners != c->meta->last_page - 1)
        status = mdbfile_damage(&c->file, c->meta->txnid & 1, err,
                                "%" PRIu64 " pages are neither used nor free",
                                c->meta->last_page - 1 - c->owners);
out:
    mem_free(c->mem, c->pages, c->pages_size);
    mem_free(c->mem, c->owned, c->owned_size);
    return status;
}

enum varve_status pagecheck(struct mem *mem, int fd, const char *name, uint64_t txnid,
                            struct pagecheck_result *result, struct varve_err *err)
{
    struct check c = {.mem = mem};
    TRY(mdbfile_open(&c.file, fd, name, err));
    TRY(mdbfile_check_pair(&c.file, err));
    unsigned which = txnid ? txnid & 1 : mdbfile_newest(&c.file);
    c.meta = &c.file.meta[which];
    if (txnid != 0 && c.meta->txnid != txnid) {
        if (c.meta->txnid > txnid)
            return fail(err, VARVE_BUSY, name, "transaction %" PRIu64 " has been overtaken", txnid);
        return mdbfile_damage(&c.file, which, err, "transaction %" PRIu64 " is not on disk", txnid);
    }
    TRY(mdbfile_check_meta(&c.file, which, err));
    TRY(check_state(&c, err));
    if (result)
        *result = (struct pagecheck_result){c.meta->txnid, c.meta->last_page + 1, c.free_pages,
                                            c.meta->main.entries};
    return VARVE_OK;
}

enum varve_status pagecheck_metas(int fd, const char *name, struct varve_err *err)
{
    struct mdbfile file;
    TRY(mdbfile_open(&file, fd, name, err));
    TRY(mdbfile_check_pair(&file, err));
    return mdbfile_check_meta(&file, mdbfile_newest(&file), err);
}

/* The child of a branch that may hold the key. */
static uint64_t child_for(const struct walk_state *w, const struct mdbpage *page, struct key key)
{
    struct mdbnode node;
    mdbpage_node(page, 0, &node);
    uint64_t child = node.child;
    for (unsigned i = 1; i < page->nodes; i++) {
        mdbpage_node(page, i, &node);
        if (compare(w, (struct key){node.key, node.key_size}, key) > 0)
            break;
        child = node.child;
    }
    return child;
}

static enum varve_status
find_in_leaf(const struct walk_state *w, const struct mdbpage *page, struct key key, uint8_t *value,
             size_t *value_size, struct varve_err *err)
{
    const char *name = w->check->file.name;
    for (unsigned i = 0; i < page->nodes; i++) {
        struct mdbnode node;
        mdbpage_node(page, i, &node);
        if (compare(w, (struct key){node.key, node.key_size}, key) != 0)
            continue;
        if (!node.data || node.size > *value_size)
            return fail(err, VARVE_LIMIT, name, "a record of %u bytes where %zu were expected",
                        node.size, *value_size);
        memcpy(value, node.data, node.size);
        *value_size = node.size;
        return VARVE_OK;
    }
    return fail(err, VARVE_NOTFOUND, name, "the tree has no such record");
}

static enum varve_status find(struct check *c, uint8_t *buffer, struct key key, uint8_t *value,
                              size_t *value_size, struct varve_err *err)
{
    struct walk_state w = {.check = c, .tree = &c->meta->main};
    struct mdbpage page;
    uint64_t number = w.tree->root;
    if (number == MDBFILE_NONE)
        return fail(err, VARVE_NOTFOUND, c->file.name, "the tree is empty");
    for (unsigned level = 0; level < w.tree->depth; level++) {
        TRY(mdbfile_page(&c->file, number, buffer, &page, err));
        if (page.leaf)
            return find_in_leaf(&w, &page, key, value, value_size, err);
        number = child_for(&w, &page, key);
    }
    return mdbfile_damage(&c->file, number, err, "the tree is deeper than its meta page says");
}

enum varve_status pagecheck_find(struct mem *mem, int fd, const char *name, unsigned meta,
                                 const void *key, size_t key_size, uint8_t *value,
                                 size_t *value_size, uint64_t *txnid, struct varve_err *err)
{
    struct check c = {.mem = mem};
    TRY(mdbfile_open(&c.file, fd, name, err));
    TRY(mdbfile_check_meta(&c.file, meta & 1, err));
    c.meta = &c.file.meta[meta & 1];
    uint8_t *buffer = mem_alloc(mem, c.file.page_size);
    if (!buffer)
        return fail_nomem(err, c.file.page_size);
    enum varve_status status =
        find(&c, buffer, (struct key){key, key_size}, value, value_size, err);
    mem_free(mem, buffer, c.file.page_size);
    if (status == VARVE_OK)
        *txnid = c.meta->txnid;
    return status;
}
