/* SPDX-License-Identifier: Apache-2.0
 *
 * buf.h -- bytes that grow, up to a cap.
 *
 * Errors stick: after a failed append the buffer holds nothing and every
 * further call fails with the same status, so a writer may append a whole
 * record and look once, with buf_status.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "bytes.h"
#include "mem.h"

struct buf {
    struct mem *mem;
    uint8_t *data;
    size_t size, capacity, cap;
    enum varve_status status;
};

void buf_init(struct buf *buf, struct mem *mem, size_t cap);
void buf_clear(struct buf *buf); /* empty again, status OK, memory kept */
void buf_free(struct buf *buf);
/* Room for n more bytes at the end, not yet counted; NULL on failure.  buf_added counts them. */
uint8_t *buf_room(struct buf *buf, size_t n);
void buf_added(struct buf *buf, size_t n);
void buf_put(struct buf *buf, const void *bytes, size_t n);
void buf_put8(struct buf *buf, uint8_t v);
void buf_put16(struct buf *buf, uint16_t v);
void buf_put32(struct buf *buf, uint32_t v);
void buf_put64(struct buf *buf, uint64_t v);
void buf_put_varint(struct buf *buf, uint64_t v);
/* VARVE_OK, VARVE_NOMEM or VARVE_LIMIT, with a message. */
enum varve_status buf_status(const struct buf *buf, struct varve_err *err) VARVE_CHECKED;

#endif
