/* SPDX-License-Identifier: Apache-2.0
 *
 * str.c -- checking and cleaning UTF-8, and the distance between two names.
 *
 * str_is_utf8 accepts exactly the well-formed sequences of the Unicode
 * standard (table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
 * The range of the second byte decides all three.
 */
#include "base/str.h"

#include "base/bytes.h"

enum { DISTANCE_CHARACTERS = 64 };

/* How long the character at p is, with `left` bytes there; 0: it is not well-formed. */
static size_t character(const unsigned char *p, size_t left)
{
    unsigned lead = p[0];
    if (lead < 0x80)
        return 1;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < length)
        return 0;
    unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

bool str_is_utf8(struct varve_str s)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t i = 0;
    while (i < s.size) {
        while (s.size - i >= 8 && !(load64(p + i) & UINT64_C(0x8080808080808080)))
            i += 8;
        if (i == s.size)
            break;
        size_t length = character(p + i, s.size - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

void str_clean(char *text)
{
    unsigned char *p = (unsigned char *)text;
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = character(p, left);
        bool is_control = p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && length && p[1] < 0xa0);
        if (length == 0 || is_control) {
            length = length ? length : 1;
            memset(p, '?', length);
        }
        p += length;
        left -= length;
    }
}

/* The characters of s as numbers, at most DISTANCE_CHARACTERS + 1; a stray byte counts as one. */
static size_t decode(struct varve_str s, uint32_t *out)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t count = 0;
    for (size_t i = 0; i < s.size && count <= DISTANCE_CHARACTERS; count++) {
        size_t length = character(p + i, s.size - i);
        uint32_t code = length ? 0 : 0x80000000;
        for (size_t end = i + (length ? length : 1); i < end; i++)
            code = code << 8 | p[i];
        out[count] = code;
    }
    return count;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned str_distance(struct varve_str a, struct varve_str b)
{
    uint32_t x[DISTANCE_CHARACTERS + 1], y[DISTANCE_CHARACTERS + 1];
    unsigned rows[3][DISTANCE_CHARACTERS + 1];
    size_t n = decode(a, x), m = decode(b, y);
    if (n > DISTANCE_CHARACTERS || m > DISTANCE_CHARACTERS)
        return str_equal(a, b) ? 0 : (unsigned)(n > m ? n : m);
    for (unsigned j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(above[j], row[j - 1]) + 1;
            row[j] = least(row[j], above[j - 1] + (x[i - 1] != y[j - 1]));
            if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
                row[j] = least(row[j], twice[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}
