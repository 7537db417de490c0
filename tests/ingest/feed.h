/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.h -- bytes in memory as a stream that comes in pieces.
 */
#ifndef TESTS_FEED_H
#define TESTS_FEED_H

#include <errno.h>
#include <string.h>

#include "varve.h"

struct feed {
    const void *bytes;
    size_t size, at;
    size_t piece; /* how many bytes a read gives at most; 0: all that fit */
    int failure;  /* errno of the read at the end, 0: the end */
};

static inline struct feed feed_over(const void *bytes, size_t size, size_t piece)
{
    return (struct feed){bytes, size, 0, piece, 0};
}

static inline ptrdiff_t feed_read(void *context, void *buffer, size_t size)
{
    struct feed *feed = context;
    size_t n = feed->size - feed->at;
    n = n < size ? n : size;
    n = feed->piece > 0 && n > feed->piece ? feed->piece : n;
    if (n == 0 && feed->failure) {
        errno = feed->failure;
        return -1;
    }
    if (n > 0)
        memcpy(buffer, (const char *)feed->bytes + feed->at, n);
    feed->at += n;
    return (ptrdiff_t)n;
}

#endif
