/* SPDX-License-Identifier: Apache-2.0
 *
 * limits.h -- how much a sender may ask for.
 *
 * Whatever crosses one of these is refused with VARVE_LIMIT or counted as
 * rejected; nothing grows with what a sender claims, only with what it sends, and
 * that up to here.
 */
#ifndef INGEST_LIMITS_H
#define INGEST_LIMITS_H

enum {
    LIMIT_BODY = 64 << 20,        /* bytes of one body: an OTLP request, a JSON value */
    LIMIT_DEPTH = 32,             /* messages, arrays or objects inside each other */
    LIMIT_MESSAGES = 1000000,     /* in one body: resources, metrics, points, records, spans */
    LIMIT_ATTRIBUTES = 128,       /* of one resource, scope or point; a record may have more: */
    LIMIT_FIELDS = 512,           /* of one event */
    LIMIT_BUCKETS = 1024,         /* of one histogram, and quantiles of a summary */
    LIMIT_LINE = 1 << 20,         /* bytes of a line of text */
    LIMIT_UNPACKED = 160 << 20,   /* bytes of memory that one body may become */
    LIMIT_BATCH_ROWS = 1 << 20,   /* points collected before they are appended, of a day */
    LIMIT_BATCH_SMALL = 96 << 10, /* all else that is collected before it is appended */
    LIMIT_BATCH_BYTES = 128 << 20 /* of memory that a batch may need more than the one before */
};

#endif
