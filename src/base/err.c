/* SPDX-License-Identifier: Apache-2.0
 *
 * err.c -- filling struct varve_err, and the texts of the statuses.
 *
 * A message is made in a buffer of its own and copied at the end, so that a
 * caller may wrap an error in itself: fail(err, ..., "%s: %s", x, err->message).
 * Texts that do not fit are cut; the cut never leaves half a character, since
 * everything the library hands out is UTF-8.  What was found may be anything: control
 * characters of a hostile file do not reach the terminal of who reads the message.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct status_entry {
    const char *name, *text;
};

static const struct status_entry statuses[] = {
#define X(name, number, text) [number] = {"VARVE_" #name, text},
    VARVE_STATUS_MAP(X)
#undef X
};

static const struct status_entry *entry_of(enum varve_status status)
{
    static const struct status_entry unknown = {"VARVE_?", "a status this library does not know"};
    size_t number = (size_t)status;
    return number < sizeof statuses / sizeof *statuses ? &statuses[number] : &unknown;
}

const char *status_name(enum varve_status status)
{
    return entry_of(status)->name;
}

const char *status_text(enum varve_status status)
{
    return entry_of(status)->text;
}

/* Drops a character of UTF-8 that the end of the buffer has cut in two. */
static void trim_half_character(char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (want > length - start + 1)
        text[start - 1] = 0;
}

static void copy_text(char *to, size_t room, const char *from)
{
    size_t length = strnlen(from, room);
    if (length < room) {
        memmove(to, from, length + 1);
        return;
    }
    memmove(to, from, room - 1);
    to[room - 1] = 0;
    trim_half_character(to, room - 1);
}

VARVE_PRINTF(5, 0)
static void fill(struct varve_err *err, enum varve_status status, int sys, const char *place,
                 const char *format, va_list arguments)
{
    char message[sizeof err->message + 1];
    int length = vsnprintf(message, sizeof message, format, arguments);
    if (length < 0)
        message[length = 0] = 0;
    if (sys != 0 && (size_t)length < sizeof message) {
        char text[96];
        const char *reason = strerror_r(sys, text, sizeof text);
        snprintf(message + length, sizeof message - (size_t)length, ": %s", reason);
    }
    copy_text(err->place, sizeof err->place, place ? place : "");
    copy_text(err->message, sizeof err->message, message);
    str_clean(err->place);
    str_clean(err->message);
    err->status = status;
    err->sys = sys;
}

enum varve_status
fail(struct varve_err *err, enum varve_status status, const char *place, const char *format, ...)
{
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        fill(err, status, 0, place, format, arguments);
        va_end(arguments);
    }
    return status;
}

enum varve_status fail_errno(struct varve_err *err, enum varve_status status, int sys,
                             const char *place, const char *format, ...)
{
    if (sys == ENOSPC || sys == EDQUOT)
        status = VARVE_FULL;
    else if (sys == ENOMEM)
        status = VARVE_NOMEM;
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        fill(err, status, sys, place, format, arguments);
        va_end(arguments);
    }
    return status;
}

enum varve_status fail_nomem(struct varve_err *err, size_t size)
{
    return fail(err, VARVE_NOMEM, "", "no memory for %zu bytes", size);
}
