/* SPDX-License-Identifier: Apache-2.0
 *
 * reseal.c -- checksums for bytes that have been tampered with.
 *
 * It walks the directory twice: once to find where it ends, since sections begin
 * behind it, and once to fill in the checksum of each group of sections.  It
 * reads the directory by itself and shares no code with the library's reader.
 */
#include "reseal.h"

#include "base/bytes.h"
#include "base/hash.h"

/* Walks the directory.  With out NULL only its end is found; else the checksums of the groups,
 * whose sections begin at `sections`, are written to it.  NULL: this is no directory. */
static const uint8_t *
walk(const uint8_t *bytes, size_t size, uint8_t *out, size_t sections, uint64_t seed)
{
    struct reader r = reader_over(bytes, size);
    read_bytes(&r, 6); /* magic, kind, version */
    for (int i = 0; i < 3; i++)
        read_varint(&r); /* rows, first, last */
    uint64_t count = read_varint(&r);
    size_t group = 0; /* bytes of the group so far */
    for (uint64_t i = 0; i < count && !r.bad; i++) {
        uint64_t id = read_varint(&r);
        if (id & 2)
            read_varint(&r);
        uint64_t section = read_varint(&r);
        if (section > size || group + section > size)
            return NULL;
        group += (size_t)section;
        if (!(id & 1))
            continue;
        const uint8_t *at = read_bytes(&r, 8);
        if (out && at) {
            if (group > size - sections)
                return NULL;
            store64(out + (at - bytes), hash64(bytes + sections, group, seed));
            sections += group;
        }
        group = 0;
    }
    return r.bad || reader_left(&r) < 8 ? NULL : r.at;
}

bool reseal(uint8_t *bytes, size_t size, uint64_t seed)
{
    const uint8_t *end = walk(bytes, size, NULL, 0, seed);
    if (!end)
        return false;
    size_t directory = (size_t)(end - bytes);
    walk(bytes, size, bytes, directory + 8, seed);
    store64(bytes + directory, hash64(bytes, directory, seed));
    return true;
}
