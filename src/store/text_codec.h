/* SPDX-License-Identifier: Apache-2.0
 *
 * text_codec.h -- a codec of texts whose memory is counted as everything else's.
 */
#ifndef STORE_TEXT_CODEC_H
#define STORE_TEXT_CODEC_H

#include "base/mem.h"
#include "codec/text_block.h"

/* Free it with text_codec_free; mem must outlive it. */
enum varve_status
text_codec_make(struct text_codec **codec, struct mem *mem, struct varve_err *err) VARVE_CHECKED;

#endif
