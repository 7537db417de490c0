/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_verify.c -- `varve verify`: names all damage.
 *
 * Findings are the result, so they go to standard output, one a line, followed
 * by one line on what was read.  Only not being able to look at all is an error
 * on standard error.
 */
#include <stdio.h>
#include "command.h"
#include "place.h"
#include "text.h"

static void report(void *context, const struct varve_err *finding)
{
    (void)context;
    printf("%s: %s\n", finding->place[0] ? finding->place : "store", finding->message);
}

static void summary(const char *verdict, const struct varve_verified *seen)
{
    char files[TEXT_NUMBER], values[TEXT_NUMBER], bytes[TEXT_NUMBER], rows[TEXT_NUMBER];
    printf("%s: %s files, %s values, %s bytes, %s rows read\n", verdict,
           text_count(seen->files, files), text_count(seen->values, values),
           text_count(seen->bytes, bytes), text_count(seen->rows, rows));
}

enum exit_status cmd_verify(const struct args *args)
{
    char path[PLACE_PATH];
    struct varve_verified seen = {0};
    struct varve_err err = {0};
    if (!place_find(args, path))
        return EXIT_USAGE;
    switch (varve_verify(path, report, NULL, &seen, &err)) {
    case VARVE_OK:
        summary("sound", &seen);
        return EXIT_DONE;
    case VARVE_CORRUPT:
        if (seen.findings == 0) /* damage that leaves nothing to look at */
            text_error(&err);
        summary("damaged", &seen);
        return EXIT_FAILED;
    default:
        text_error(&err);
        return EXIT_FAILED;
    }
}
