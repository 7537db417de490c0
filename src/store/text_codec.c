/* SPDX-License-Identifier: Apache-2.0
 *
 * text_codec.c -- between a codec that frees by pointer and memory that is freed by size.
 *
 * Each piece the codec asks for gets a head that remembers how large it is.
 * The head is as long as the strictest alignment, so what follows stays aligned.
 */
#include "store/text_codec.h"

#include <stdint.h>
#include <string.h>

enum { HEAD = 16 };
_Static_assert(HEAD >= sizeof(size_t) && HEAD % _Alignof(max_align_t) == 0, "the head aligns");

static void *take(void *context, size_t size)
{
    if (size > SIZE_MAX - HEAD)
        return NULL;
    size += HEAD;
    char *piece = mem_alloc(context, size);
    if (!piece)
        return NULL;
    memcpy(piece, &size, sizeof size);
    return piece + HEAD;
}

static void give_back(void *context, void *pointer)
{
    if (!pointer)
        return;
    char *piece = (char *)pointer - HEAD;
    size_t size;
    memcpy(&size, piece, sizeof size);
    mem_free(context, piece, size);
}

enum varve_status text_codec_make(struct text_codec **codec, struct mem *mem, struct varve_err *err)
{
    struct text_codec *made = text_codec_new(take, give_back, mem);
    if (!made)
        return fail(err, VARVE_NOMEM, "", "no memory for compressing texts");
    *codec = made;
    return VARVE_OK;
}
