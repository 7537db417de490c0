/* SPDX-License-Identifier: Apache-2.0
 *
 * term_functions_text.c -- texts, patterns and LIKE.
 *
 * Places in a text are counted in characters of UTF-8, from 1.  What is no text is taken as what it
 * looks like, so that text functions work on attributes that are numbers in some rows.  A result of
 * over TERM_TEXT_MAX bytes is NULL: nested replacing could fill any memory.
 */
#include "exec/term_private.h"

struct varve_str term_text(struct value value, char buffer[VALUE_TEXT_MAX])
{
    if (value.type == TYPE_TEXT)
        return value_str(value);
    return (struct varve_str){buffer, value_print(value, buffer)};
}

enum varve_status term_own(struct call *call, const char *bytes, size_t size, struct value *result)
{
    *result = value_null();
    if (size > TERM_TEXT_MAX)
        return VARVE_OK;
    char *copy = arena_copy(call->texts, bytes, size);
    if (!copy)
        return fail_nomem(call->err, size);
    *result = value_text((struct varve_str){copy, size});
    return VARVE_OK;
}

/* A part of an argument as a result: in place if that is a text, else copied. */
static enum varve_status
part_of(struct call *call, struct value whole, struct varve_str part, struct value *result)
{
    if (whole.type != TYPE_TEXT)
        return term_own(call, part.data, part.size, result);
    *result = value_text(part);
    return VARVE_OK;
}

/* Room for a result of `size` bytes; NULL with *result NULL if that is too long. */
static enum varve_status room(struct call *call, size_t size, char **bytes, struct value *result)
{
    *bytes = NULL;
    *result = value_null();
    if (size > TERM_TEXT_MAX)
        return VARVE_OK;
    *bytes = arena_alloc(call->texts, size + 1);
    if (!*bytes)
        return fail_nomem(call->err, size);
    *result = value_text((struct varve_str){*bytes, size});
    return VARVE_OK;
}

enum varve_status term_to_text(struct call *call, const struct value *args, struct value *result)
{
    char buffer[VALUE_TEXT_MAX];
    return part_of(call, args[0], term_text(args[0], buffer), result);
}

enum varve_status term_concat(struct call *call, const struct value *args, struct value *result)
{
    char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX], *bytes;
    struct varve_str a = term_text(args[0], left), b = term_text(args[1], right);
    TRY(room(call, a.size + b.size, &bytes, result));
    if (bytes) {
        if (a.size)
            memcpy(bytes, a.data, a.size);
        if (b.size)
            memcpy(bytes + a.size, b.data, b.size);
    }
    return VARVE_OK;
}

/* ---- patterns ---------------------------------------------------------------------- */

static enum varve_status
match(struct call *call, const struct value *args, bool wanted, struct value *result)
{
    char buffer[VALUE_TEXT_MAX];
    bool matches;
    *result = value_null();
    if (!call->regex)
        return VARVE_OK;
    TRY(regex_match(call->regex, term_text(args[0], buffer), &matches, call->err));
    *result = value_int(TYPE_BOOL, matches == wanted);
    return VARVE_OK;
}

enum varve_status term_match(struct call *call, const struct value *args, struct value *result)
{
    return match(call, args, true, result);
}

enum varve_status term_nomatch(struct call *call, const struct value *args, struct value *result)
{
    return match(call, args, false, result);
}

/* Bytes behind the character at `at`. */
static size_t next_character(struct varve_str s, size_t at)
{
    at++;
    while (at < s.size && ((unsigned char)s.data[at] & 0xc0) == 0x80)
        at++;
    return at;
}

/* Only the last % that was met can have to take more: what stands before it has matched as early as
 * it can. */
static bool is_like(struct varve_str text, struct varve_str pattern)
{
    size_t t = 0, p = 0, star = SIZE_MAX, from = 0;
    while (t < text.size) {
        if (p < pattern.size && pattern.data[p] == '%') {
            star = p++;
            from = t;
        } else if (p < pattern.size && pattern.data[p] == '_') {
            t = next_character(text, t);
            p++;
        } else if (p < pattern.size && pattern.data[p] == text.data[t]) {
            t++;
            p++;
        } else if (star != SIZE_MAX) {
            t = from = next_character(text, from);
            p = star + 1;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '%')
        p++;
    return p == pattern.size;
}

static enum varve_status like(const struct value *args, bool wanted, struct value *result)
{
    char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX];
    bool matches = is_like(term_text(args[0], left), term_text(args[1], right));
    *result = value_int(TYPE_BOOL, matches == wanted);
    return VARVE_OK;
}

enum varve_status term_like(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    return like(args, true, result);
}

enum varve_status term_notlike(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    return like(args, false, result);
}

/* Where `what` is in the text from `at` on; SIZE_MAX: nowhere. */
static size_t find(struct varve_str text, struct varve_str what, size_t at)
{
    if (what.size == 0)
        return at;
    const char *found =
        at < text.size ? memmem(text.data + at, text.size - at, what.data, what.size) : NULL;
    return found ? (size_t)(found - text.data) : SIZE_MAX;
}

enum varve_status term_contains(struct call *call, const struct value *args, struct value *result)
{
    char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX];
    struct varve_str text = term_text(args[0], left), what = term_text(args[1], right);
    (void)call;
    *result = value_int(TYPE_BOOL, find(text, what, 0) != SIZE_MAX);
    return VARVE_OK;
}

enum varve_status term_starts(struct call *call, const struct value *args, struct value *result)
{
    char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX];
    struct varve_str text = term_text(args[0], left), what = term_text(args[1], right);
    (void)call;
    bool is = what.size <= text.size && str_equal((struct varve_str){text.data, what.size}, what);
    *result = value_int(TYPE_BOOL, is);
    return VARVE_OK;
}

enum varve_status term_ends(struct call *call, const struct value *args, struct value *result)
{
    char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX];
    struct varve_str text = term_text(args[0], left), what = term_text(args[1], right);
    (void)call;
    bool is = what.size <= text.size &&
              str_equal((struct varve_str){text.data + text.size - what.size, what.size}, what);
    *result = value_int(TYPE_BOOL, is);
    return VARVE_OK;
}

/* ---- changing texts ----------------------------------------------------------------- */

static enum varve_status
recased(struct call *call, struct value value, char first, char to, struct value *result)
{
    char buffer[VALUE_TEXT_MAX], *bytes;
    struct varve_str text = term_text(value, buffer);
    TRY(room(call, text.size, &bytes, result));
    for (size_t i = 0; bytes && i < text.size; i++) {
        unsigned letter = (unsigned)(text.data[i] - first);
        bytes[i] = letter < 26 ? (char)(to + (int)letter) : text.data[i];
    }
    return VARVE_OK;
}

enum varve_status term_lower(struct call *call, const struct value *args, struct value *result)
{
    return recased(call, args[0], 'A', 'a', result);
}

enum varve_status term_upper(struct call *call, const struct value *args, struct value *result)
{
    return recased(call, args[0], 'a', 'A', result);
}

enum varve_status term_length(struct call *call, const struct value *args, struct value *result)
{
    char buffer[VALUE_TEXT_MAX];
    struct varve_str text = term_text(args[0], buffer);
    int64_t characters = 0;
    (void)call;
    for (size_t at = 0; at < text.size; at = next_character(text, at))
        characters++;
    *result = value_int(TYPE_INT, characters);
    return VARVE_OK;
}

/* Characters [from, until), the first one is 1. */
static struct varve_str characters(struct varve_str text, int64_t from, int64_t until)
{
    size_t at = 0;
    int64_t number = 1;
    for (; at < text.size && number < from; number++)
        at = next_character(text, at);
    size_t start = at;
    for (; at < text.size && number < until; number++)
        at = next_character(text, at);
    return (struct varve_str){text.data + start, at - start};
}

enum varve_status term_substr(struct call *call, const struct value *args, struct value *result)
{
    char buffer[VALUE_TEXT_MAX];
    int64_t from, count = INT64_MAX, until;
    struct varve_str text = term_text(args[0], buffer);
    *result = value_null();
    if (!term_whole(args[1], &from) || (call->count > 2 && !term_whole(args[2], &count)))
        return VARVE_OK;
    if (__builtin_add_overflow(from, count, &until))
        until = INT64_MAX;
    return part_of(call, args[0], characters(text, from, count < 0 ? from : until), result);
}

enum varve_status term_replace(struct call *call, const struct value *args, struct value *result)
{
    char buffers[3][VALUE_TEXT_MAX], *bytes;
    struct varve_str text = term_text(args[0], buffers[0]);
    struct varve_str what = term_text(args[1], buffers[1]), by = term_text(args[2], buffers[2]);
    size_t count = 0, at = 0, to = 0, found;
    if (what.size == 0)
        return part_of(call, args[0], text, result);
    while ((found = find(text, what, at)) != SIZE_MAX) {
        count++;
        at = found + what.size;
    }
    TRY(room(call, text.size - count * what.size + count * by.size, &bytes, result));
    for (at = 0; bytes && (found = find(text, what, at)) != SIZE_MAX; at = found + what.size) {
        memcpy(bytes + to, text.data + at, found - at);
        to += found - at;
        if (by.size)
            memcpy(bytes + to, by.data, by.size);
        to += by.size;
    }
    if (bytes && text.size > at)
        memcpy(bytes + to, text.data + at, text.size - at);
    return VARVE_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

enum varve_status term_trim(struct call *call, const struct value *args, struct value *result)
{
    char buffer[VALUE_TEXT_MAX];
    struct varve_str text = term_text(args[0], buffer);
    while (text.size && is_blank(text.data[0]))
        text.data++, text.size--;
    while (text.size && is_blank(text.data[text.size - 1]))
        text.size--;
    return part_of(call, args[0], text, result);
}

enum varve_status term_split(struct call *call, const struct value *args, struct value *result)
{
    char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX];
    struct varve_str text = term_text(args[0], left), separator = term_text(args[1], right);
    int64_t n;
    size_t at = 0, end;
    *result = value_null();
    if (!term_whole(args[2], &n) || n < 1)
        return VARVE_OK;
    for (;; at = end + separator.size) {
        end = separator.size ? find(text, separator, at) : SIZE_MAX;
        if (--n == 0)
            break;
        if (end == SIZE_MAX)
            return VARVE_OK;
    }
    size_t size = (end == SIZE_MAX ? text.size : end) - at;
    return part_of(call, args[0], (struct varve_str){text.data + at, size}, result);
}
