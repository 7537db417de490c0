/* SPDX-License-Identifier: Apache-2.0
 *
 * plain.h -- attribute values that are no scalars, as JSON text.
 *
 * A label or a field holds one scalar.  Lists and maps become the JSON text a
 * person would write for them, ["a",1,{"b":true}], the same text whichever door
 * they came through; bytes become base64.  The door walks the value and writes the
 * brackets, commas and colons itself.
 */
#ifndef INGEST_PLAIN_H
#define INGEST_PLAIN_H

#include "base/buf.h"
#include "base/str.h"

/* With quotes and escapes; what is not UTF-8 is the caller's to refuse. */
void plain_text(struct buf *out, struct varve_str text);
/* A scalar: text, number, true, false; VARVE_NULL is null.  Doubles read back to the same bits;
 * those that JSON has no number for are "NaN", "Infinity", "-Infinity". */
void plain_value(struct buf *out, struct varve_value value);
void plain_base64(struct buf *out, const uint8_t *bytes, size_t size); /* without quotes */
void plain_hex(struct buf *out, const uint8_t *bytes, size_t size);    /* without quotes */

#endif
