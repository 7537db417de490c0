/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_text_block.c -- text blocks: any texts come back, any bytes do no harm.
 *
 *   bytes 0-1  n - 1
 *   byte 2     the length of a text is a byte of the rest modulo this (0: 36, made of hex digits)
 *
 * Then all from byte 2 on is decoded as a block; what that gives must come back
 * too.
 */
#include "fuzz.h"

#include <string.h>

#include "base/bytes.h"
#include "codec/text_block.h"

#define TEXT_MAX 256

static char pool[BLOCK_VALUES * TEXT_MAX];

static void *plain_alloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void plain_release(void *context, void *pointer)
{
    (void)context;
    free(pointer);
}

static void make_uuid(char *p, const uint8_t *data, size_t size, size_t at)
{
    for (size_t i = 0; i < 36; i++) {
        const uint8_t byte = size > 0 ? data[(at + i) % size] : 0;
        p[i] = "0123456789abcdef"[byte & 15];
        if (i == 8 || i == 13 || i == 18 || i == 23)
            p[i] = byte == 0xff ? 'x' : '-';
    }
}

static void
make_texts(struct varve_str *texts, size_t n, uint8_t most, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        char *p = pool + i * TEXT_MAX;
        const uint8_t byte = size > 0 ? data[i % size] : 0;
        texts[i] = (struct varve_str){p, most ? byte % most : 36u};
        if (most == 0)
            make_uuid(p, data, size, i * 7);
        for (size_t c = 0; most > 0 && c < texts[i].size; c++)
            p[c] = (char)data[(i * 13 + c) % size];
    }
}

static void round_trip(struct text_codec *codec, const struct varve_str *texts, size_t n)
{
    struct varve_str decoded[BLOCK_VALUES];
    const size_t bound = text_block_bound(texts, n);
    uint8_t *bytes = malloc(bound);
    size_t size, need;
    MUST(bytes && bound > 0);
    MUST(text_block_encode(codec, bytes, &size, texts, n) == VARVE_OK);
    MUST(size <= bound);
    MUST(text_block_heap(bytes, size, n, &need) == VARVE_OK);
    char *heap = malloc(need + 1);
    MUST(heap);
    MUST(text_block_decode(codec, decoded, n, heap, need, bytes, size) == VARVE_OK);
    for (size_t i = 0; i < n; i++)
        MUST(decoded[i].size == texts[i].size &&
             memcmp(decoded[i].data, texts[i].data, texts[i].size) == 0);
    free(heap);
    free(bytes);
}

static void decode_any(struct text_codec *codec, size_t n, const uint8_t *data, size_t size)
{
    struct varve_str texts[BLOCK_VALUES];
    size_t need;
    if (text_block_heap(data, size, n, &need) != VARVE_OK || need > 1u << 20)
        return; /* larger ones are as right, but slow */
    char *heap = malloc(need + 1);
    MUST(heap);
    if (text_block_decode(codec, texts, n, heap, need, data, size) == VARVE_OK)
        round_trip(codec, texts, n);
    free(heap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct text_codec *codec;
    struct varve_str texts[BLOCK_VALUES];
    if (!codec)
        codec = text_codec_new(plain_alloc, plain_release, NULL);
    MUST(codec);
    if (size < 3)
        return 0;
    const size_t n = 1 + load16(data) % BLOCK_VALUES;
    make_texts(texts, n, data[2], data + 3, size - 3);
    round_trip(codec, texts, n);
    decode_any(codec, n, data + 2, size - 2);
    return 0;
}
