/* SPDX-License-Identifier: Apache-2.0
 *
 * plain.c -- values as JSON text.
 *
 * Escapes only what JSON demands: quotes, backslashes and control characters.
 * All else stands as it is, so the text is as short as it can be, and the same from every door.
 *
 * Failures stick to the buffer (buf.h); nothing here looks at them.
 */
#include "ingest/plain.h"

#include "store/number_text.h"

#include <math.h>
#include <stdio.h>

/* What stands for a character after the backslash; 0: it stands for itself. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return c < 0x20 ? 'u' : 0;
    }
}

void plain_text(struct buf *out, struct varve_str text)
{
    size_t from = 0;
    buf_put8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        char escape = escape_of((unsigned char)text.data[i]), code[8];
        if (!escape)
            continue;
        buf_put(out, text.data + from, i - from);
        if (escape == 'u')
            buf_put(out, code,
                    (size_t)snprintf(code, sizeof code, "\\u%04x", (unsigned)text.data[i]));
        else
            buf_put(out, (char[]){'\\', escape}, 2);
        from = i + 1;
    }
    buf_put(out, text.data + from, text.size - from);
    buf_put8(out, '"');
}

static void put_literal(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text));
}

void plain_value(struct buf *out, struct varve_value value)
{
    char number[NUMBER_TEXT];
    int64_t bits = value.as.i;
    switch (value.type) {
    case VARVE_TEXT:
        plain_text(out, value.as.s);
        return;
    case VARVE_FLOAT:
        if (!isfinite(value.as.f)) {
            put_literal(out, isnan(value.as.f)  ? "\"NaN\""
                             : value.as.f > 0.0 ? "\"Infinity\""
                                                : "\"-Infinity\"");
            return;
        }
        memcpy(&bits, &value.as.f, sizeof bits);
        buf_put(out, number, number_text(VARVE_FLOAT, bits, number));
        return;
    case VARVE_INT:
    case VARVE_BOOL:
        buf_put(out, number, number_text(value.type, bits, number));
        return;
    case VARVE_NULL:
        break;
    }
    put_literal(out, "null");
}

void plain_base64(struct buf *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= n > 2 ? bytes[i + 2] : 0;
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '='};
        buf_put(out, four, sizeof four);
    }
}

void plain_hex(struct buf *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++)
        buf_put(out, (char[]){digits[bytes[i] >> 4], digits[bytes[i] & 15]}, 2);
}
