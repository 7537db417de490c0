/* SPDX-License-Identifier: Apache-2.0
 *
 * lang_error.c -- saying what is wrong with a statement, and where.
 *
 * The caller shows the statement with a caret under the place, so a message
 * names what was found and what was expected and leaves positions out.
 */
#include "lang/lex.h"

#include <stdarg.h>
#include <stdio.h>

enum varve_status lang_fail(struct lang_error *error, enum varve_status status, struct place place,
                            const char *format, ...)
{
    if (!error)
        return status;
    char message[sizeof error->message + 4];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const struct varve_str whole = {message, strlen(message)};
    const size_t size = str_cut(whole, sizeof error->message - 1);
    memcpy(error->message, message, size);
    error->message[size] = '\0';
    error->place = place;
    return status;
}
