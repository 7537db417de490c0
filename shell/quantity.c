/* SPDX-License-Identifier: Apache-2.0
 *
 * quantity.c -- amounts as typed behind an option.
 */
#include "quantity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool quantity_count(const char *text, uint64_t *count)
{
    char *end;
    errno = 0;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *count = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static const struct {
    const char *name;
    int64_t nanoseconds;
} units[] = {
    {"ms", INT64_C(1000000)},      {"s", INT64_C(1000000000)},     {"m", INT64_C(60000000000)},
    {"h", INT64_C(3600000000000)}, {"d", INT64_C(86400000000000)}, {"w", INT64_C(604800000000000)},
};

static int64_t unit_of(const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strlen(units[i].name) == size && memcmp(units[i].name, text, size) == 0)
            return units[i].nanoseconds;
    return 0;
}

bool quantity_duration(const char *text, int64_t *nanoseconds)
{
    int64_t sum = 0;
    if (!*text)
        return false;
    while (*text) {
        char *end;
        errno = 0;
        if (*text < '0' || *text > '9')
            return false;
        unsigned long long number = strtoull(text, &end, 10);
        size_t size = strspn(end, "abcdefghijklmnopqrstuvwxyz");
        int64_t unit = size == 0 && *end == '\0' ? INT64_C(1000000000) : unit_of(end, size);
        int64_t part;
        if (errno || unit == 0 || number > INT64_MAX ||
            __builtin_mul_overflow((int64_t)number, unit, &part) ||
            __builtin_add_overflow(sum, part, &sum))
            return false;
        text = end + size;
    }
    *nanoseconds = sum;
    return sum > 0;
}

bool quantity_size(const char *text, uint64_t *bytes)
{
    static const char letters[] = "kMGT";
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9')
        return false;
    *bytes = strtoull(text, &end, 10);
    if (errno)
        return false;
    if (*end == '\0')
        return true;
    const char *letter = *end == 'K' ? letters : strchr(letters, *end);
    if (!letter ||
        (end[1] != '\0' && strcasecmp(end + 1, "b") != 0 && strcasecmp(end + 1, "ib") != 0))
        return false;
    return !__builtin_mul_overflow(*bytes, UINT64_C(1) << (10 * (letter - letters + 1)), bytes);
}
