/* SPDX-License-Identifier: Apache-2.0
 *
 * io_fault.c -- the n-th file operation fails.
 *
 * A failing operation is not made at all, except a short write, of which the first half
 * reaches the file.  The counters are atomic: threads may write while others do,
 * and exactly one of them meets the n-th operation.
 */
#include "io_fault.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "io_hook.h"

static struct {
    char directory[PATH_MAX];
    enum io_fault_kind kind;
    enum io_fault_mode mode;
    uint64_t nth;
    bool looping;
    atomic_uint_fast64_t operations, fired;
    char text[200];
} fault;

static bool counts(const struct io_event *event)
{
    switch (fault.kind) {
    case IO_FAULT_SHORT:
        return event->op == IO_WRITE;
    case IO_FAULT_SYNC:
        return event->op == IO_SYNC || (event->op == IO_WRITE && event->durable);
    case IO_FAULT_ENOSPC:
        return event->op != IO_REMOVE;
    default:
        return true;
    }
}

static void describe(const struct io_event *event)
{
    static const char *const kinds[] = {"EIO", "ENOSPC", "short", "EIO"};
    const char *name = strrchr(event->path, '/');
    snprintf(fault.text, sizeof fault.text, "%s %.100s %" PRIu64 "+%" PRIu64 ": %s",
             io_op_name(event->op), name ? name + 1 : event->path, event->offset, event->size,
             kinds[fault.kind]);
}

static int before(const struct io_event *event)
{
    if (!counts(event))
        return 0;
    uint64_t n = atomic_fetch_add(&fault.operations, 1) + 1;
    if (fault.nth == 0 || n < fault.nth || (fault.mode == IO_FAULT_ONCE && n > fault.nth))
        return 0;
    bool first = atomic_fetch_add(&fault.fired, 1) == 0;
    if (first)
        describe(event);
    if (fault.kind == IO_FAULT_SHORT)
        return first ? IO_HOOK_SHORT : ENOSPC;
    return fault.kind == IO_FAULT_ENOSPC ? ENOSPC : EIO;
}

void io_fault_arm(const char *dir, enum io_fault_kind kind, enum io_fault_mode mode, uint64_t nth)
{
    static const struct io_observer observer = {before, NULL};
    io_hook_set(IO_SLOT_FAULT, NULL, NULL);
    fault.kind = kind;
    fault.mode = mode;
    fault.nth = nth;
    fault.operations = fault.fired = 0;
    fault.text[0] = 0;
    io_hook_set(IO_SLOT_FAULT, dir, &observer);
}

void io_fault_disarm(void)
{
    io_hook_set(IO_SLOT_FAULT, NULL, NULL);
}

void io_fault_start(const char *dir, enum io_fault_kind kind, enum io_fault_mode mode)
{
    snprintf(fault.directory, sizeof fault.directory, "%s", dir);
    fault.kind = kind;
    fault.mode = mode;
    fault.nth = 0;
    fault.looping = false;
}

bool io_fault_next(void)
{
    io_fault_disarm();
    if (fault.looping && fault.fired == 0)
        return fault.looping = false;
    fault.looping = true;
    io_fault_arm(fault.directory, fault.kind, fault.mode, fault.nth + 1);
    return true;
}

uint64_t io_fault_operations(void)
{
    return fault.operations;
}

uint64_t io_fault_fired(void)
{
    return fault.fired;
}

const char *io_fault_text(void)
{
    return fault.text;
}
