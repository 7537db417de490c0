/* SPDX-License-Identifier: Apache-2.0
 *
 * alloc_fault.c -- an allocator that fails on order and watches its callers.
 *
 *     | size, magic | bytes of the caller | tail |
 *
 * The head tells whether a block is returned with the size it was made with; the
 * tail tells whether somebody wrote past its end.
 */
#include "alloc_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIVE UINT64_C(0x616c6c6f63207631)
#define DEAD UINT64_C(0x6465616420626c6b)
#define TAIL UINT64_C(0x7461696c20636865)

struct head {
    _Alignas(16) uint64_t size;
    uint64_t magic;
};

static void mistake(struct alloc_fault *fault, const char *what, size_t is, size_t should)
{
    fault->mistakes++;
    fprintf(stderr, "alloc_fault: %s: %zu, should be %zu\n", what, is, should);
}

static void *block_new(struct alloc_fault *fault, size_t size)
{
    const uint64_t tail = TAIL;
    struct head *head = malloc(sizeof *head + size + sizeof tail);
    if (!head)
        return NULL;
    head->size = size;
    head->magic = LIVE;
    unsigned char *bytes = (unsigned char *)(head + 1);
    memset(bytes, 0xa5, size);
    memcpy(bytes + size, &tail, sizeof tail);
    fault->live_blocks++;
    fault->live_bytes += size;
    return bytes;
}

/* The size of a block that the caller says has old_size bytes. */
static size_t block_check(struct alloc_fault *fault, const void *pointer, size_t old_size)
{
    const struct head *head = (const struct head *)pointer - 1;
    uint64_t tail;
    if (head->magic != LIVE) {
        mistake(fault, "not a live block; size given", old_size, 0);
        abort();
    }
    if (head->size != old_size)
        mistake(fault, "wrong size given for a block", old_size, head->size);
    memcpy(&tail, (const unsigned char *)pointer + head->size, sizeof tail);
    if (tail != TAIL)
        mistake(fault, "written past the end of a block", head->size + 1, head->size);
    return head->size;
}

static void block_free(struct alloc_fault *fault, void *pointer, size_t size)
{
    struct head *head = (struct head *)pointer - 1;
    fault->live_blocks--;
    fault->live_bytes -= size;
    head->magic = DEAD;
    memset(pointer, 0xdd, size);
    free(head);
}

static bool must_fail(struct alloc_fault *fault)
{
    uint64_t n = ++fault->requests;
    bool fails = (fault->mode == ALLOC_FAULT_ONCE && n == fault->nth) ||
                 (fault->mode == ALLOC_FAULT_STICKY && n >= fault->nth);
    fault->failed += fails;
    return fails;
}

static void *
resize_locked(struct alloc_fault *fault, void *pointer, size_t old_size, size_t new_size)
{
    size_t held = pointer ? block_check(fault, pointer, old_size) : 0;
    if (new_size == 0) {
        if (pointer)
            block_free(fault, pointer, held);
        return NULL;
    }
    void *moved = must_fail(fault) ? NULL : block_new(fault, new_size);
    if (moved && pointer) {
        memcpy(moved, pointer, held < new_size ? held : new_size);
        block_free(fault, pointer, held);
    }
    return moved;
}

static void *resize(void *context, void *pointer, size_t old_size, size_t new_size)
{
    struct alloc_fault *fault = context;
    pthread_mutex_lock(&fault->lock);
    void *result = resize_locked(fault, pointer, old_size, new_size);
    pthread_mutex_unlock(&fault->lock);
    return result;
}

void alloc_fault_init(struct alloc_fault *fault)
{
    *fault = (struct alloc_fault){.allocator = {resize, fault}};
    pthread_mutex_init(&fault->lock, NULL);
}

void alloc_fault_arm(struct alloc_fault *fault, enum alloc_fault_mode mode, uint64_t nth)
{
    pthread_mutex_lock(&fault->lock);
    fault->mode = mode;
    fault->nth = nth;
    fault->requests = fault->failed = 0;
    pthread_mutex_unlock(&fault->lock);
}

void alloc_fault_start(struct alloc_fault *fault, enum alloc_fault_mode mode)
{
    alloc_fault_arm(fault, mode, 0);
    fault->looping = false;
}

bool alloc_fault_next(struct alloc_fault *fault)
{
    if (fault->looping && fault->failed == 0) {
        alloc_fault_arm(fault, ALLOC_FAULT_NEVER, 0);
        return fault->looping = false;
    }
    alloc_fault_arm(fault, fault->mode, fault->nth + 1);
    return fault->looping = true;
}

bool alloc_fault_is_clean(struct alloc_fault *fault)
{
    pthread_mutex_lock(&fault->lock);
    if (fault->live_blocks)
        mistake(fault, "leaked bytes", fault->live_bytes, 0);
    bool clean = fault->mistakes == 0;
    pthread_mutex_unlock(&fault->lock);
    return clean;
}
