/* SPDX-License-Identifier: Apache-2.0
 *
 * text_block_dec.c -- text blocks to texts.
 *
 * Nothing is decompressed before the lengths are known to add up to no more
 * than the limit, and then only into so much room: a frame that holds more, or
 * less, is refused.
 */
#include "codec/bits.h"
#include "codec/text_block.h"
#include "codec/text_format.h"

/* The lengths and their total; leaves r at the bytes. */
static enum varve_status read_lengths(int64_t *lengths, size_t *total, size_t n, struct reader *r)
{
    const uint64_t size = read_varint(r);
    if (r->bad || size > reader_left(r))
        return VARVE_CORRUPT;
    TRY(int_block_decode(lengths, n, read_bytes(r, (size_t)size), (size_t)size));
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        if (lengths[i] < 0 || lengths[i] > (int64_t)(TEXT_BLOCK_MAX - *total))
            return VARVE_CORRUPT;
        *total += (size_t)lengths[i];
    }
    return VARVE_OK;
}

enum varve_status text_block_heap(const uint8_t *src, size_t size, size_t n, size_t *heap)
{
    int64_t lengths[BLOCK_VALUES];
    struct reader r = reader_over(src, size);
    if (n == 0 || n > BLOCK_VALUES || size == 0)
        return VARVE_CORRUPT;
    switch (read8(&r)) {
    case TEXT_UUIDS:
        if (reader_left(&r) != UUID_BYTES * n)
            return VARVE_CORRUPT;
        *heap = UUID_TEXT * n;
        return VARVE_OK;
    case TEXT_PLAIN:
    case TEXT_ZSTD:
        return read_lengths(lengths, heap, n, &r);
    default:
        return VARVE_CORRUPT;
    }
}

static void print_uuid(char *text, const uint8_t *bytes)
{
    static const char digits[] = "0123456789abcdef";
    memset(text, '-', UUID_TEXT);
    for (size_t i = 0; i < UUID_BYTES; i++) {
        text[uuid_text_at(i)] = digits[bytes[i] >> 4];
        text[uuid_text_at(i) + 1] = digits[bytes[i] & 15];
    }
}

static enum varve_status
decode_uuids(struct varve_str *texts, size_t n, char *heap, size_t heap_size, struct reader *r)
{
    const uint8_t *bytes = read_bytes(r, UUID_BYTES * n);
    if (r->bad || reader_left(r) > 0 || heap_size < UUID_TEXT * n)
        return VARVE_CORRUPT;
    for (size_t i = 0; i < n; i++) {
        print_uuid(heap + UUID_TEXT * i, bytes + UUID_BYTES * i);
        texts[i] = (struct varve_str){heap + UUID_TEXT * i, UUID_TEXT};
    }
    return VARVE_OK;
}

/* Fills all of the `total` bytes at heap. */
static enum varve_status
unpack_bytes(struct text_codec *codec, char *heap, size_t total, struct reader *r)
{
    const size_t size = reader_left(r);
    const uint8_t *bytes = read_bytes(r, size);
    ZSTD_DCtx *decompressor = text_codec_decompressor(codec);
    if (!decompressor)
        return VARVE_NOMEM;
    return ZSTD_decompressDCtx(decompressor, heap, total, bytes, size) == total ? VARVE_OK
                                                                                : VARVE_CORRUPT;
}

static enum varve_status copy_bytes(char *heap, size_t total, struct reader *r)
{
    const uint8_t *bytes = read_bytes(r, total);
    if (r->bad || reader_left(r) > 0)
        return VARVE_CORRUPT;
    if (total > 0)
        memcpy(heap, bytes, total);
    return VARVE_OK;
}

static enum varve_status
decode_others(struct text_codec *codec, struct varve_str *texts, size_t n, char *heap,
              size_t heap_size, struct reader *r, bool compressed)
{
    int64_t lengths[BLOCK_VALUES];
    size_t total;
    TRY(read_lengths(lengths, &total, n, r));
    if (heap_size < total || (compressed && total == 0))
        return VARVE_CORRUPT;
    if (compressed)
        TRY(unpack_bytes(codec, heap, total, r));
    else
        TRY(copy_bytes(heap, total, r));
    for (size_t i = 0, at = 0; i < n; i++) {
        texts[i] = (struct varve_str){total > 0 ? heap + at : "", (size_t)lengths[i]};
        at += (size_t)lengths[i];
    }
    return VARVE_OK;
}

enum varve_status text_block_decode(struct text_codec *codec, struct varve_str *texts, size_t n,
                                    char *heap, size_t heap_size, const uint8_t *src, size_t size)
{
    struct reader r = reader_over(src, size);
    if (n == 0 || n > BLOCK_VALUES || size == 0)
        return VARVE_CORRUPT;
    switch (read8(&r)) {
    case TEXT_UUIDS:
        return decode_uuids(texts, n, heap, heap_size, &r);
    case TEXT_PLAIN:
        return decode_others(codec, texts, n, heap, heap_size, &r, false);
    case TEXT_ZSTD:
        return decode_others(codec, texts, n, heap, heap_size, &r, true);
    default:
        return VARVE_CORRUPT;
    }
}
