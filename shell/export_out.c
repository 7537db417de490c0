/* SPDX-License-Identifier: Apache-2.0
 *
 * export_out.c -- the buffer behind an export, and how numbers are written into it.
 *
 * Numbers are written so that they read back as what they were: integers by
 * their digits, amounts of 1e-9 as the decimal fraction they are, doubles with as
 * few digits as bring back the same bits.  The C library's printf is asked only for
 * doubles; a locale is never set, so its decimal point is a point.
 */
#include "export_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_AT ((size_t)1 << 18)

void out_init(struct out *out, int fd)
{
    *out = (struct out){.fd = fd};
}

void out_free(struct out *out)
{
    free(out->data);
    *out = (struct out){.fd = -1};
}

static void write_all(struct out *out)
{
    size_t done = 0;
    while (done < out->used && out->error == 0) {
        ssize_t n = write(out->fd, out->data + done, out->used - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            out->error = n == 0 ? EIO : errno;
    }
    out->flushed += done;
    out->used = 0;
}

bool out_flush(struct out *out)
{
    if (out->fd >= 0)
        write_all(out);
    return out->error == 0;
}

/* Room for `size` more bytes, or NULL after a failure. */
static char *reserve(struct out *out, size_t size)
{
    if (out->fd >= 0 && out->used >= FLUSH_AT)
        write_all(out);
    if (out->error)
        return NULL;
    if (!out->data || out->room - out->used < size) {
        size_t room = out->room ? out->room : 4096;
        while (room - out->used < size)
            room *= 2;
        char *data = realloc(out->data, room);
        if (!data) {
            out->error = ENOMEM;
            return NULL;
        }
        out->data = data;
        out->room = room;
    }
    return out->data + out->used;
}

void out_bytes(struct out *out, const char *bytes, size_t size)
{
    char *to = reserve(out, size);
    if (!to || size == 0)
        return;
    memcpy(to, bytes, size);
    out->used += size;
}

void out_text(struct out *out, const char *text)
{
    out_bytes(out, text, strlen(text));
}

/* What was written last is in the buffer still, unless nothing can be written any more. */
void out_back(struct out *out)
{
    out->used -= out->used > 0;
}

/* ---- texts ------------------------------------------------------------- */

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void escape(struct out *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *shorts = c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : NULL;
    if (shorts) {
        out_bytes(out, shorts, 2);
        return;
    }
    char text[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    out_bytes(out, text, sizeof text);
}

void out_json(struct out *out, struct varve_str text)
{
    size_t from = 0;
    out_bytes(out, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        if (!needs_escape((unsigned char)text.data[i]))
            continue;
        out_bytes(out, text.data + from, i - from);
        escape(out, (unsigned char)text.data[i]);
        from = i + 1;
    }
    out_bytes(out, text.data + from, text.size - from);
    out_bytes(out, "\"", 1);
}

/* ---- numbers ----------------------------------------------------------- */

#define DIGITS 24

/* The digits of a number at the end of text[DIGITS]; answers where they begin. */
static char *digits_of(uint64_t value, char text[DIGITS])
{
    char *at = text + DIGITS;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return at;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

void out_int(struct out *out, int64_t value)
{
    char text[DIGITS];
    char *at = digits_of(magnitude(value), text);
    if (value < 0)
        *--at = '-';
    out_bytes(out, at, (size_t)(text + DIGITS - at));
}

void out_nano(struct out *out, int64_t value)
{
    uint64_t all = magnitude(value), rest = all % 1000000000;
    char text[DIGITS], fraction[10] = ".";
    char *at = digits_of(all / 1000000000, text);
    if (value < 0)
        *--at = '-';
    out_bytes(out, at, (size_t)(text + DIGITS - at));
    if (rest == 0)
        return;
    for (int i = 9; i > 0; i--, rest /= 10)
        fraction[i] = (char)('0' + rest % 10);
    size_t size = sizeof fraction;
    while (fraction[size - 1] == '0')
        size--;
    out_bytes(out, fraction, size);
}

void out_double(struct out *out, double value)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (memcmp(&back, &value, sizeof back) == 0)
            break;
    }
    out_text(out, text);
    /* "-0" would be read as the integer, which has no sign. */
    if (strcmp(text, "-0") == 0)
        out_text(out, ".0");
}
