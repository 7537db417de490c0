/* SPDX-License-Identifier: Apache-2.0
 *
 * text_format.h -- what the encoder and the decoder of text blocks agree on.
 *
 *   plain    +----+======+=========+=======+
 *            | 00 | size | lengths | bytes |
 *            +----+======+=========+=======+
 *
 *   zstd     +----+======+=========+=======+
 *            | 01 | size | lengths | frame |
 *            +----+======+=========+=======+
 *
 *   UUIDs    +----+==============+
 *            | 02 | n * 16 bytes |
 *            +----+==============+
 *
 * Every byte of it is explained in docs/format-codecs.md.
 */
#ifndef CODEC_TEXT_FORMAT_H
#define CODEC_TEXT_FORMAT_H

#include "codec/text_codec.h"

enum text_shape { TEXT_PLAIN = 0, TEXT_ZSTD = 1, TEXT_UUIDS = 2 };

#define UUID_TEXT 36
#define UUID_BYTES 16

/* Where in a UUID's text its byte i starts: there is a dash before bytes 4, 6, 8 and 10. */
static inline size_t uuid_text_at(size_t i)
{
    return 2 * i + (i >= 4) + (i >= 6) + (i >= 8) + (i >= 10);
}

#endif
