/* SPDX-License-Identifier: Apache-2.0
 *
 * str.h -- small helpers on struct varve_str, the text with a length.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <string.h>
#include "varve.h"

#define STR(literal) ((struct varve_str){(literal), sizeof(literal) - 1})

static inline bool str_equal(struct varve_str a, struct varve_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* By bytes, then by length. */
static inline int str_compare(struct varve_str a, struct varve_str b)
{
    size_t n = a.size < b.size ? a.size : b.size;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    return c ? c : (a.size > b.size) - (a.size < b.size);
}

bool str_is_utf8(struct varve_str s);
/* Makes a text that is shown to people harmless: bytes that are no UTF-8 and control characters,
 * which a terminal may obey, become question marks. */
void str_clean(char *text);
/* How far apart two names are: characters added, dropped, replaced or swapped
 * with their neighbour, for "did you mean".  A name of over 64 characters is
 * either equal (0) or at least 65 away. */
unsigned str_distance(struct varve_str a, struct varve_str b);

/* How many bytes of s to show: at most `most`, and no half character at the end. */
static inline size_t str_cut(struct varve_str s, size_t most)
{
    if (s.size <= most)
        return s.size;
    while (most > 0 && ((unsigned char)s.data[most] & 0xc0) == 0x80)
        most--;
    return most;
}

/* A printf argument pair for "%.*s", cut at 60 bytes. */
#define STR_ARG(s) (int)str_cut((s), 60), ((s).data ? (s).data : "")

#endif
