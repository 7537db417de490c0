/* SPDX-License-Identifier: Apache-2.0
 *
 * text_block.h -- up to 1024 texts: UUIDs as 16 bytes, the rest by zstd.
 *
 * If every text is a lower-case UUID (36 characters) they are kept as 16 bytes
 * each.  Else there is an integer block of lengths and the bytes in a row,
 * compressed with zstd where that makes them smaller.  The decoder knows the
 * decoded size before it starts and refuses one over TEXT_BLOCK_MAX.  A text is
 * any bytes; that it is UTF-8 is the business of those who use it.
 *
 *   byte 0   shape: 0 plain, 1 zstd, 2 UUIDs
 *   ...      see docs/format-codecs.md
 */
#ifndef CODEC_TEXT_BLOCK_H
#define CODEC_TEXT_BLOCK_H

#include "codec/int_block.h"

#define TEXT_BLOCK_MAX (16u << 20)

/* zstd's contexts and scratch, made when they are first needed and used again.  All memory comes
 * from the caller's functions, which get `context` first.  One thread at a time. */
struct text_codec;
/* NULL: no memory. */
struct text_codec *text_codec_new(void *(*alloc)(void *context, size_t size),
                                  void (*release)(void *context, void *pointer), void *context);
/* NULL is fine. */
void text_codec_free(struct text_codec *codec);

/* The most bytes that n (1..1024) texts take; 0 if together they are longer than TEXT_BLOCK_MAX. */
size_t text_block_bound(const struct varve_str *texts, size_t n);
/* dst has text_block_bound.  VARVE_NOMEM; VARVE_LIMIT if the bound was 0. */
enum varve_status text_block_encode(struct text_codec *codec, uint8_t *dst, size_t *size,
                                    const struct varve_str *texts, size_t n) VARVE_CHECKED;
/* How many bytes of heap decoding needs; VARVE_CORRUPT if the claim is over the maximum. */
enum varve_status
text_block_heap(const uint8_t *src, size_t size, size_t n, size_t *heap) VARVE_CHECKED;
/* Decodes exactly n texts from `size` bytes, which must all be used.  The texts point into heap,
 * which has the size text_block_heap said (any pointer if that is 0).  VARVE_CORRUPT or
 * VARVE_NOMEM, after which texts and heap hold anything. */
enum varve_status
text_block_decode(struct text_codec *codec, struct varve_str *texts, size_t n, char *heap,
                  size_t heap_size, const uint8_t *src, size_t size) VARVE_CHECKED;

#endif
