/* SPDX-License-Identifier: Apache-2.0
 *
 * pb_make.h -- a small writer of protobuf bodies, right ones and wrong ones.
 *
 *     struct pb pb = {0};
 *     pb_begin(&pb, 1);                         a message in field 1
 *     pb_attribute(&pb, 1, "key", pb_a_text("value"));
 *     pb_end(&pb);                              its length is put before it
 *     ... pb.data, pb.size ...
 *     pb_free(&pb);
 *
 * Without memory it stops the program: it is for tests.
 */
#ifndef TESTS_PB_MAKE_H
#define TESTS_PB_MAKE_H

#include <stddef.h>
#include <stdint.h>
#include "varve.h"

enum { PB_DEPTH = 24 };

struct pb {
    uint8_t *data;
    size_t size, capacity;
    size_t open[PB_DEPTH]; /* where the messages that are not ended yet begin */
    unsigned depth;
};

void pb_free(struct pb *pb);
void pb_clear(struct pb *pb);

/* Bytes as they are, and tags by themselves. */
void pb_raw(struct pb *pb, const void *bytes, size_t size);
void pb_tag(struct pb *pb, uint32_t field, unsigned wire_type);

void pb_varint(struct pb *pb, uint32_t field, uint64_t value);
void pb_fixed64(struct pb *pb, uint32_t field, uint64_t value);
void pb_fixed32(struct pb *pb, uint32_t field, uint32_t value);
void pb_double(struct pb *pb, uint32_t field, double value);
void pb_bytes(struct pb *pb, uint32_t field, const void *bytes, size_t size);
void pb_text(struct pb *pb, uint32_t field, const char *text);
void pb_begin(struct pb *pb, uint32_t field);
void pb_end(struct pb *pb);

/* An AnyValue; VARVE_NULL is an empty one. */
void pb_any(struct pb *pb, uint32_t field, struct varve_value value);
/* A KeyValue. */
void pb_attribute(struct pb *pb, uint32_t field, const char *key, struct varve_value value);
struct varve_value pb_a_text(const char *text);
struct varve_value pb_an_int(int64_t value);
struct varve_value pb_a_double(double value);
struct varve_value pb_a_bool(int value);

/* An AnyValue of lists inside each other, `depth` of them, in the field. */
void pb_nested(struct pb *pb, uint32_t field, unsigned depth);

#endif
