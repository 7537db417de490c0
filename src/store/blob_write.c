/* SPDX-License-Identifier: Apache-2.0
 *
 * blob_write.c -- sections into a blob.
 *
 * The sections grow one behind the other in `body`; what is known of them is
 * kept beside, because the directory, whose size depends on theirs, stands in
 * front.  Errors of the buffers stick and are looked at once, in blob_finish.
 *
 * Invariant: equal sections and head give equal bytes.  The reader is blob_read.c.
 */
#include "base/err.h"
#include "base/hash.h"
#include "store/blob.h"

enum { ENTRY = 8, SECTIONS_MOST = 65535 };

void blob_writer_init(struct blob_writer *writer, struct mem *mem)
{
    *writer = (struct blob_writer){0};
    buf_init(&writer->body, mem, UINT32_MAX / 2);
    buf_init(&writer->directory, mem, (size_t)SECTIONS_MOST * ENTRY);
}

void blob_writer_free(struct blob_writer *writer)
{
    buf_free(&writer->body);
    buf_free(&writer->directory);
}

void blob_writer_clear(struct blob_writer *writer)
{
    buf_clear(&writer->body);
    buf_clear(&writer->directory);
    writer->sections = 0;
}

void blob_section_begin(struct blob_writer *writer)
{
    writer->open_at = writer->body.size;
}

void blob_section_end(struct blob_writer *writer, uint16_t id, uint16_t index)
{
    if (writer->body.status != VARVE_OK)
        return;
    buf_put16(&writer->directory, id);
    buf_put16(&writer->directory, index);
    buf_put32(&writer->directory, (uint32_t)(writer->body.size - writer->open_at));
    writer->sections++;
}

static void put_entries(const struct blob_writer *writer, uint64_t seed, struct buf *out)
{
    size_t group_at = 0, at = 0;
    for (uint32_t i = 0; i < writer->sections; i++) {
        const uint8_t *entry = writer->directory.data + (size_t)i * ENTRY;
        uint16_t id = load16(entry), index = load16(entry + 2);
        uint32_t size = load32(entry + 4);
        at += size;
        int last = i + 1 == writer->sections || at - group_at >= BLOB_GROUP;
        buf_put_varint(out, (uint64_t)id << 2 | (index ? 2u : 0u) | (last ? 1u : 0u));
        if (index)
            buf_put_varint(out, index);
        buf_put_varint(out, size);
        if (last) {
            buf_put64(out, hash64(writer->body.data + group_at, at - group_at, seed));
            group_at = at;
        }
    }
}

enum varve_status blob_finish(struct blob_writer *writer, const struct blob_head *head,
                              uint64_t seed, struct buf *out, struct varve_err *err)
{
    TRY(buf_status(&writer->body, err));
    TRY(buf_status(&writer->directory, err));
    size_t start = out->size;
    buf_put(out, "VARV", 4);
    buf_put8(out, head->kind);
    buf_put8(out, BLOB_VERSION);
    buf_put_varint(out, head->rows);
    buf_put_varint(out, zigzag(head->first));
    buf_put_varint(out, (uint64_t)head->last - (uint64_t)head->first);
    buf_put_varint(out, writer->sections);
    put_entries(writer, seed, out);
    TRY(buf_status(out, err));
    buf_put64(out, hash64(out->data + start, out->size - start, seed));
    buf_put(out, writer->body.data, writer->body.size);
    return buf_status(out, err);
}
