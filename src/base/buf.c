/* SPDX-License-Identifier: Apache-2.0
 *
 * buf.c -- bytes that grow, up to a cap.
 *
 * Invariant: size <= capacity <= cap, and size is 0 once status is an error, so a
 * writer that forgets to look at the status cannot store half a record.
 */
#include "base/buf.h"

#include "base/err.h"

#include <assert.h>

void buf_init(struct buf *buf, struct mem *mem, size_t cap)
{
    *buf = (struct buf){.mem = mem, .cap = cap, .status = VARVE_OK};
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->status = VARVE_OK;
}

void buf_free(struct buf *buf)
{
    mem_free(buf->mem, buf->data, buf->capacity);
    buf->data = NULL;
    buf->size = buf->capacity = 0;
    buf->status = VARVE_OK;
}

static uint8_t *refuse(struct buf *buf, enum varve_status status)
{
    buf->size = 0;
    buf->status = status;
    return NULL;
}

/* Doubles; a buffer near its cap, or near the end of memory, takes just what it needs. */
static uint8_t *grow(struct buf *buf, size_t n)
{
    size_t need = buf->size + n;
    size_t wanted = buf->capacity < 64 ? 64 : buf->capacity;
    while (wanted < need && wanted <= buf->cap / 2)
        wanted *= 2;
    if (wanted < need || wanted > buf->cap)
        wanted = buf->cap;
    uint8_t *data = mem_resize(buf->mem, buf->data, buf->capacity, wanted);
    if (!data && wanted > need)
        data = mem_resize(buf->mem, buf->data, buf->capacity, wanted = need);
    if (!data)
        return refuse(buf, VARVE_NOMEM);
    buf->data = data;
    buf->capacity = wanted;
    return data + buf->size;
}

uint8_t *buf_room(struct buf *buf, size_t n)
{
    if (buf->status != VARVE_OK)
        return NULL;
    if (n > buf->cap - buf->size)
        return refuse(buf, VARVE_LIMIT);
    if (n <= buf->capacity - buf->size && buf->data)
        return buf->data + buf->size;
    return grow(buf, n);
}

void buf_added(struct buf *buf, size_t n)
{
    if (buf->status != VARVE_OK)
        return;
    assert(n <= buf->capacity - buf->size);
    buf->size += n;
}

void buf_put(struct buf *buf, const void *bytes, size_t n)
{
    uint8_t *room = n ? buf_room(buf, n) : NULL;
    if (room) {
        memcpy(room, bytes, n);
        buf->size += n;
    }
}

void buf_put8(struct buf *buf, uint8_t v)
{
    uint8_t *room = buf_room(buf, 1);
    if (room) {
        *room = v;
        buf->size += 1;
    }
}

void buf_put16(struct buf *buf, uint16_t v)
{
    uint8_t *room = buf_room(buf, 2);
    if (room) {
        store16(room, v);
        buf->size += 2;
    }
}

void buf_put32(struct buf *buf, uint32_t v)
{
    uint8_t *room = buf_room(buf, 4);
    if (room) {
        store32(room, v);
        buf->size += 4;
    }
}

void buf_put64(struct buf *buf, uint64_t v)
{
    uint8_t *room = buf_room(buf, 8);
    if (room) {
        store64(room, v);
        buf->size += 8;
    }
}

void buf_put_varint(struct buf *buf, uint64_t v)
{
    uint8_t bytes[10];
    buf_put(buf, bytes, varint_put(bytes, v));
}

enum varve_status buf_status(const struct buf *buf, struct varve_err *err)
{
    if (buf->status == VARVE_LIMIT)
        return fail(err, VARVE_LIMIT, "", "more than the %zu bytes a buffer may hold", buf->cap);
    if (buf->status == VARVE_NOMEM)
        return fail(err, VARVE_NOMEM, "", "no memory to grow a buffer of %zu bytes", buf->capacity);
    return buf->status;
}
