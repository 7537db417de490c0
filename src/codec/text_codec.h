/* SPDX-License-Identifier: Apache-2.0
 *
 * text_codec.h -- what text blocks need besides their bytes: zstd's contexts, and room to put
 * texts in a row.
 */
#ifndef CODEC_TEXT_CODEC_H
#define CODEC_TEXT_CODEC_H

#include <zstd.h>

#include "codec/text_block.h"

/* Made on first use; NULL: no memory. */
ZSTD_CCtx *text_codec_compressor(struct text_codec *codec);
ZSTD_DCtx *text_codec_decompressor(struct text_codec *codec);
/* At least size (> 0) bytes, valid until the next call. */
char *text_codec_scratch(struct text_codec *codec, size_t size);

#endif
