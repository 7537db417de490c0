/* SPDX-License-Identifier: Apache-2.0
 *
 * text_block_enc.c -- text blocks from texts.
 *
 * Compression is tried whenever there are bytes to compress and kept if it is
 * smaller; equal texts give equal bytes with the same version of zstd.
 */
#include <assert.h>

#include "codec/bits.h"
#include "codec/text_block.h"
#include "codec/text_format.h"

#define LEVEL 3

/* SIZE_MAX if it is over the limit. */
static size_t total_size(const struct varve_str *texts, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        if (texts[i].size > TEXT_BLOCK_MAX - total)
            return SIZE_MAX;
        total += texts[i].size;
    }
    return total;
}

size_t text_block_bound(const struct varve_str *texts, size_t n)
{
    const size_t total = total_size(texts, n);
    if (total == SIZE_MAX)
        return 0;
    return 1 + 10 + int_block_bound(n) +
           ZSTD_compressBound(total); /* UUIDs take less than their text */
}

/* ---- UUIDs ------------------------------------------------------------ */

/* 1 more than a lower-case digit is worth; 0: it is none. */
static const uint8_t hex_digits[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool parse_uuid(uint8_t *bytes, struct varve_str text)
{
    const char *p = text.data;
    if (text.size != UUID_TEXT || p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
        return false;
    unsigned none = 0; /* its upper bits, once a digit was none */
    for (size_t i = 0; i < UUID_BYTES; i++) {
        const unsigned high = hex_digits[(uint8_t)p[uuid_text_at(i)]] - 1u;
        const unsigned low = hex_digits[(uint8_t)p[uuid_text_at(i) + 1]] - 1u;
        none |= high | low;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return none < 16;
}

/* Answers 0 if one of the texts is no UUID. */
static size_t encode_uuids(uint8_t *dst, const struct varve_str *texts, size_t n)
{
    dst[0] = TEXT_UUIDS;
    for (size_t i = 0; i < n; i++)
        if (!parse_uuid(dst + 1 + UUID_BYTES * i, texts[i]))
            return 0;
    return 1 + UUID_BYTES * n;
}

/* ---- others ----------------------------------------------------------- */

static uint8_t *put_lengths(uint8_t *dst, const struct varve_str *texts, size_t n)
{
    int64_t lengths[BLOCK_VALUES];
    uint8_t size_bytes[10];
    for (size_t i = 0; i < n; i++)
        lengths[i] = (int64_t)texts[i].size;
    const size_t size = int_block_encode(dst + sizeof size_bytes, lengths, n);
    const size_t width = varint_put(size_bytes, size);
    memcpy(dst, size_bytes, width);
    memmove(dst + width, dst + sizeof size_bytes, size);
    return dst + width + size;
}

/* Puts the texts in a row. */
static void join(char *dst, const struct varve_str *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (texts[i].size > 0) {
            memcpy(dst, texts[i].data, texts[i].size);
            dst += texts[i].size;
        }
}

/* Answers how many bytes of dst were written; *compressed says whether they are a frame. */
static enum varve_status
put_bytes(struct text_codec *codec, uint8_t *dst, size_t *written, bool *compressed,
          const struct varve_str *texts, size_t n, size_t total)
{
    *written = 0;
    *compressed = false;
    if (total == 0)
        return VARVE_OK;
    ZSTD_CCtx *compressor = text_codec_compressor(codec);
    char *bytes = text_codec_scratch(codec, total);
    if (!compressor || !bytes)
        return VARVE_NOMEM;
    join(bytes, texts, n);
    const size_t size =
        ZSTD_compressCCtx(compressor, dst, ZSTD_compressBound(total), bytes, total, LEVEL);
    if (ZSTD_isError(size))
        return VARVE_NOMEM; /* with room for all, it can fail of nothing else */
    *compressed = size < total;
    if (!*compressed)
        memcpy(dst, bytes, total);
    *written = *compressed ? size : total;
    return VARVE_OK;
}

enum varve_status text_block_encode(struct text_codec *codec, uint8_t *dst, size_t *size,
                                    const struct varve_str *texts, size_t n)
{
    assert(n > 0 && n <= BLOCK_VALUES);
    const size_t total = total_size(texts, n);
    size_t written;
    bool compressed;
    if (total == SIZE_MAX)
        return VARVE_LIMIT;
    *size = total == UUID_TEXT * n ? encode_uuids(dst, texts, n) : 0;
    if (*size > 0)
        return VARVE_OK;
    uint8_t *p = put_lengths(dst + 1, texts, n);
    TRY(put_bytes(codec, p, &written, &compressed, texts, n, total));
    dst[0] = compressed ? TEXT_ZSTD : TEXT_PLAIN;
    *size = (size_t)(p - dst) + written;
    return VARVE_OK;
}
