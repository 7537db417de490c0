/* SPDX-License-Identifier: Apache-2.0
 *
 * text_codec.c -- the lasting part of text coding: contexts and scratch.
 *
 * A compression context is some hundreds of kilobytes, so a codec that only
 * reads never makes one.  zstd takes its memory from the caller's functions by
 * an interface that it calls static-only, though its shared library has it; it
 * has been the same since zstd 1.0.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include "codec/text_codec.h"

struct text_codec {
    void *(*alloc)(void *, size_t);
    void (*release)(void *, void *);
    void *context;
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    char *scratch;
    size_t scratch_size;
};

struct text_codec *
text_codec_new(void *(*alloc)(void *, size_t), void (*release)(void *, void *), void *context)
{
    struct text_codec *codec = alloc(context, sizeof *codec);
    if (codec)
        *codec = (struct text_codec){.alloc = alloc, .release = release, .context = context};
    return codec;
}

void text_codec_free(struct text_codec *codec)
{
    if (!codec)
        return;
    ZSTD_freeCCtx(codec->compressor);
    ZSTD_freeDCtx(codec->decompressor);
    if (codec->scratch)
        codec->release(codec->context, codec->scratch);
    codec->release(codec->context, codec);
}

ZSTD_CCtx *text_codec_compressor(struct text_codec *codec)
{
    const ZSTD_customMem memory = {codec->alloc, codec->release, codec->context};
    if (!codec->compressor)
        codec->compressor = ZSTD_createCCtx_advanced(memory);
    return codec->compressor;
}

ZSTD_DCtx *text_codec_decompressor(struct text_codec *codec)
{
    const ZSTD_customMem memory = {codec->alloc, codec->release, codec->context};
    if (!codec->decompressor)
        codec->decompressor = ZSTD_createDCtx_advanced(memory);
    return codec->decompressor;
}

char *text_codec_scratch(struct text_codec *codec, size_t size)
{
    if (size <= codec->scratch_size)
        return codec->scratch;
    if (codec->scratch)
        codec->release(codec->context, codec->scratch);
    codec->scratch = codec->alloc(codec->context, size);
    codec->scratch_size = codec->scratch ? size : 0;
    return codec->scratch;
}
