/* SPDX-License-Identifier: Apache-2.0
 *
 * int_plan.h -- how to encode a block: the numbers of its head, chosen to make it small.
 */
#ifndef CODEC_INT_PLAN_H
#define CODEC_INT_PLAN_H

#include "codec/int_block.h"
#include "codec/int_format.h"

struct int_plan {
    struct int_head head;
    bool constant;      /* all values are head.base */
    bool fields_signed; /* some values lie below the base */
    size_t size;        /* of the encoded block */
    size_t cost;        /* the size, and what decoding its exceptions is worth */
};

/* v = base + factor * u modulo 2^64 for the u that int_fields() makes, in u64.  A plan for the
 * values as they are: head.differences is false. */
struct int_plan int_plan_values(const int64_t *values, size_t n);

/* What a head takes, byte 0 included. */
size_t int_head_size(const struct int_head *h);

/* The fields of the values under a plan. */
void int_fields(uint64_t *fields, const int64_t *values, size_t n, const struct int_plan *plan);

#endif
