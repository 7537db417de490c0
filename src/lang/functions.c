/* SPDX-License-Identifier: Apache-2.0
 *
 * functions.c -- the table of functions, made from its one line each, and the way in by name.
 */
#include "lang/functions.h"

#include <string.h>
#include <strings.h>

const struct function_info function_table[FUNCTIONS] = {
#define X(symbol, name, least, most, result, help) {name, least, most, RESULT_##result, help},
    FUNCTION_MAP(X)
#undef X
};

enum function function_find(struct varve_str name)
{
    for (int i = FUNCTION_IF; i < FUNCTIONS; i++)
        if (strlen(function_table[i].name) == name.size &&
            strncasecmp(function_table[i].name, name.data, name.size) == 0)
            return (enum function)i;
    return FUNCTIONS;
}
