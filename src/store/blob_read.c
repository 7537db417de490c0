/* SPDX-License-Identifier: Apache-2.0
 *
 * blob_read.c -- a blob's sections, each verified before it is given out.
 *
 * The directory is read before its checksum can be looked at, because the
 * checksum stands behind it; nothing is believed until it was found right.
 * Entries take at least two bytes each, so what opening allocates is bounded by the
 * size of the blob.
 */
#include "base/err.h"
#include "base/hash.h"
#include "store/blob.h"

#include <stdio.h>

enum { CHECKSUM = 8, SHORTEST_ENTRY = 2 };

static enum varve_status damaged(const struct blob *blob, const char *what, struct varve_err *err)
{
    return fail(err, VARVE_CORRUPT, blob->place, "%s (a blob of %zu bytes)", what, blob->size);
}

static enum varve_status read_head(struct blob *blob, struct reader *r, struct varve_err *err)
{
    const uint8_t *magic = read_bytes(r, 4);
    blob->head.kind = read8(r);
    uint8_t version = read8(r);
    if (r->bad || memcmp(magic, "VARV", 4) != 0)
        return damaged(blob, "it does not begin with VARV", err);
    if (version != BLOB_VERSION)
        return fail(err, VARVE_VERSION, blob->place,
                    "blob version %u, this library knows %u; use a newer library", version,
                    BLOB_VERSION);
    uint64_t rows = read_varint(r);
    blob->head.first = unzigzag(read_varint(r));
    blob->head.last = (int64_t)((uint64_t)blob->head.first + read_varint(r));
    uint64_t sections = read_varint(r);
    if (r->bad || rows > UINT32_MAX || sections > UINT16_MAX ||
        sections > reader_left(r) / SHORTEST_ENTRY)
        return damaged(blob, "its head is damaged", err);
    blob->head.rows = (uint32_t)rows;
    blob->sections = (uint32_t)sections;
    return VARVE_OK;
}

/* Offsets count from the first section here. */
static void read_entries(struct blob *blob, struct reader *r, uint64_t *total)
{
    struct blob_group *group = blob->group;
    uint32_t in_group = 0;
    *total = 0;
    for (uint32_t i = 0; i < blob->sections && !r->bad; i++) {
        uint64_t id = read_varint(r);
        uint64_t index = id & 2 ? read_varint(r) : 0, size = read_varint(r);
        if (id >> 2 > UINT16_MAX || index > UINT16_MAX || *total + size > blob->size) {
            r->bad = true;
            return;
        }
        if (in_group++ == 0)
            *group = (struct blob_group){.offset = (uint32_t)*total};
        blob->entries[i] = (struct blob_entry){(uint16_t)(id >> 2), (uint16_t)index,
                                               (uint32_t)*total, (uint32_t)size, blob->groups};
        group->size += (uint32_t)size;
        *total += size;
        if (id & 1) {
            group++->checksum = read64(r);
            blob->groups++;
            in_group = 0;
        }
    }
    if (in_group != 0)
        r->bad = true;
}

static enum varve_status
check_directory(struct blob *blob, struct reader *r, uint64_t total, struct varve_err *err)
{
    const uint8_t *end = r->at;
    uint64_t checksum = read64(r);
    if (r->bad)
        return damaged(blob, "its directory is damaged", err);
    if (checksum != hash64(blob->bytes, (size_t)(end - blob->bytes), blob->seed))
        return damaged(blob,
                       "the checksum of its directory does not match: it is damaged, or was "
                       "written for another place",
                       err);
    if (total != reader_left(r))
        return damaged(blob, "its sections do not add up to its size", err);
    uint32_t base = (uint32_t)(r->at - blob->bytes);
    for (uint32_t i = 0; i < blob->sections; i++)
        blob->entries[i].offset += base;
    for (uint32_t i = 0; i < blob->groups; i++)
        blob->group[i].offset += base;
    return VARVE_OK;
}

enum varve_status blob_open(struct blob *blob, struct arena *arena, const uint8_t *bytes,
                            size_t size, uint64_t seed, const char *place, struct varve_err *err)
{
    *blob = (struct blob){.bytes = bytes, .size = size, .seed = seed};
    snprintf(blob->place, sizeof blob->place, "%s", place);
    if (size > UINT32_MAX)
        return damaged(blob, "it is too long", err);
    struct reader r = reader_over(bytes, size);
    TRY(read_head(blob, &r, err));
    size_t entries = blob->sections * sizeof *blob->entries;
    size_t groups = blob->sections * sizeof *blob->group;
    blob->entries = arena_alloc(arena, entries);
    blob->group = arena_alloc(arena, groups);
    if (!blob->entries || !blob->group)
        return fail_nomem(err, entries + groups);
    uint64_t total;
    read_entries(blob, &r, &total);
    return check_directory(blob, &r, total, err);
}

static enum varve_status
verify_group(struct blob *blob, const struct blob_entry *entry, struct varve_err *err)
{
    struct blob_group *group = &blob->group[entry->group];
    uint64_t bit = blob->seen && entry->group < 64 ? UINT64_C(1) << entry->group : 0;
    if (group->verified || (bit && (*blob->seen & bit)))
        return VARVE_OK;
    if (hash64(blob->bytes + group->offset, group->size, blob->seed) != group->checksum)
        return fail(err, VARVE_CORRUPT, blob->place,
                    "the checksum of bytes %u to %u (section %u.%u) does not match", group->offset,
                    group->offset + group->size, entry->id, entry->index);
    group->verified = 1;
    if (bit)
        *blob->seen |= bit;
    return VARVE_OK;
}

enum varve_status blob_section(struct blob *blob, uint16_t id, uint16_t index,
                               const uint8_t **bytes, size_t *size, struct varve_err *err)
{
    for (uint32_t i = 0; i < blob->sections; i++) {
        const struct blob_entry *entry = &blob->entries[i];
        if (entry->id != id || entry->index != index)
            continue;
        TRY(verify_group(blob, entry, err));
        *bytes = blob->bytes + entry->offset;
        *size = entry->size;
        return VARVE_OK;
    }
    return VARVE_NOTFOUND;
}

enum varve_status blob_verify(struct blob *blob, struct varve_err *err)
{
    for (uint32_t i = 0; i < blob->sections; i++)
        TRY(verify_group(blob, &blob->entries[i], err));
    return VARVE_OK;
}
