/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.c -- entries of the journal in chunks of one page each.
 *
 * Large values need contiguous free pages, and a free list that has been
 * punched full of holes makes LMDB search it for long.  Values that take one
 * page each never have that problem, so an entry is cut into such pieces.
 */
#include "store/journal.h"

#include <stdio.h>

#define KEY_SIZE 11
#define PIECE (ENV_PAGE_VALUE - ENV_SUM_SIZE)
#define HEAD_SIZE 6
#define PART_SIZE 16

static struct env_key chunk_key(uint64_t seq, unsigned chunk)
{
    struct env_key key = {.size = KEY_SIZE};
    key.bytes[0] = 'J';
    store64be(key.bytes + 1, seq);
    key.bytes[9] = (uint8_t)(chunk >> 8);
    key.bytes[10] = (uint8_t)chunk;
    return key;
}

static const char *entry_place(uint64_t seq, char place[40])
{
    snprintf(place, 40, "main.mdb, journal %llu", (unsigned long long)seq);
    return place;
}

void journal_begin(struct buf *out, uint32_t parts)
{
    uint8_t *head = buf_room(out, HEAD_SIZE + (size_t)parts * PART_SIZE);
    if (!head)
        return;
    memset(head, 0, HEAD_SIZE + (size_t)parts * PART_SIZE);
    store16(head + 4, (uint16_t)parts);
    buf_added(out, HEAD_SIZE + (size_t)parts * PART_SIZE);
}

void journal_part_done(struct buf *out, uint32_t part, int32_t day, uint32_t table, uint32_t rows,
                       size_t size)
{
    if (out->status != VARVE_OK)
        return;
    uint8_t *p = out->data + HEAD_SIZE + (size_t)part * PART_SIZE;
    store32(p, (uint32_t)day);
    store32(p + 4, table);
    store32(p + 8, rows);
    store32(p + 12, (uint32_t)size);
}

enum varve_status
journal_put(struct txn *txn, uint64_t seq, struct buf *entry, struct varve_err *err)
{
    TRY(buf_status(entry, err));
    if (entry->size > JOURNAL_ENTRY_MAX)
        return fail(err, VARVE_LIMIT, "append",
                    "the batch takes %zu bytes, at most %u are taken at once: split it",
                    entry->size, JOURNAL_ENTRY_MAX);
    store32(entry->data, (uint32_t)entry->size);
    unsigned chunk = 0;
    for (size_t at = 0; at < entry->size; at += PIECE, chunk++) {
        struct env_key key = chunk_key(seq, chunk);
        size_t n = entry->size - at < PIECE ? entry->size - at : PIECE;
        TRY(txn_put(txn, &key, entry->data + at, n, err));
    }
    return VARVE_OK;
}

static uint32_t entry_parts(const struct buf *buffer)
{
    return buffer->size < HEAD_SIZE ? 0 : load16(buffer->data + 4);
}

/* The parts' sizes must fill the entry to the last byte. */
static enum varve_status check_entry(const struct buf *b, uint64_t seq, struct varve_err *err)
{
    char place[40];
    size_t parts = entry_parts(b), total = HEAD_SIZE + parts * PART_SIZE;
    for (size_t i = 0; total <= b->size && i < parts; i++)
        total += load32(b->data + HEAD_SIZE + i * PART_SIZE + 12);
    if (total != b->size)
        return fail(err, VARVE_CORRUPT, entry_place(seq, place),
                    "the parts do not add up to the entry's size");
    return VARVE_OK;
}

/* Whoever asks knows that the entry is there: a chunk that is not is damage. */
static enum varve_status
missing(uint64_t seq, unsigned chunk, enum varve_status status, struct varve_err *err)
{
    char place[40];
    if (status != VARVE_NOTFOUND)
        return status;
    return fail(err, VARVE_CORRUPT, entry_place(seq, place), "chunk %u is missing", chunk);
}

static enum varve_status get_chunk(struct txn *txn, uint64_t seq, unsigned chunk,
                                   struct env_value *value, struct varve_err *err)
{
    struct env_key key = chunk_key(seq, chunk);
    return missing(seq, chunk, txn_get(txn, &key, true, value, err), err);
}

enum varve_status
journal_get(struct txn *txn, uint64_t seq, struct buf *buffer, struct varve_err *err)
{
    char place[40];
    struct env_value value;
    TRY(get_chunk(txn, seq, 0, &value, err));
    buf_clear(buffer);
    size_t size = value.size >= HEAD_SIZE ? load32(value.data) : 0;
    if (size < HEAD_SIZE || size > JOURNAL_ENTRY_MAX)
        return fail(err, VARVE_CORRUPT, entry_place(seq, place), "an entry cannot have %zu bytes",
                    size);
    for (unsigned chunk = 1;; chunk++) {
        size_t want = size - buffer->size < PIECE ? size - buffer->size : PIECE;
        if (value.size != want)
            return fail(err, VARVE_CORRUPT, entry_place(seq, place),
                        "chunk %u has %zu bytes instead of %zu", chunk - 1, value.size, want);
        buf_put(buffer, value.data, value.size);
        TRY(buf_status(buffer, err));
        if (buffer->size == size)
            break;
        TRY(get_chunk(txn, seq, chunk, &value, err));
    }
    return check_entry(buffer, seq, err);
}

bool journal_part(const struct buf *buffer, struct journal_cursor *cursor,
                  struct journal_part *part)
{
    uint32_t parts = entry_parts(buffer);
    if (cursor->index >= parts)
        return false;
    if (cursor->at == 0)
        cursor->at = HEAD_SIZE + (size_t)parts * PART_SIZE;
    const uint8_t *p = buffer->data + HEAD_SIZE + (size_t)cursor->index++ * PART_SIZE;
    *part = (struct journal_part){(int32_t)load32(p), load32(p + 4), load32(p + 8), load32(p + 12),
                                  buffer->data + cursor->at};
    cursor->at += part->size;
    return true;
}

enum varve_status journal_next(struct txn *txn, uint64_t *seq, struct varve_err *err)
{
    struct env_key key = chunk_key(*seq, 0);
    struct env_value value;
    TRY(txn_seek(txn, &key, 1, false, &value, err));
    char place[40];
    if (key.size != KEY_SIZE)
        return fail(err, VARVE_CORRUPT, "main.mdb", "a journal key has %u bytes", key.size);
    if (key.bytes[9] != 0 || key.bytes[10] != 0)
        return fail(err, VARVE_CORRUPT, entry_place(load64be(key.bytes + 1), place),
                    "chunk 0 is missing");
    *seq = load64be(key.bytes + 1);
    return VARVE_OK;
}

enum varve_status journal_delete(struct txn *txn, uint64_t seq, struct varve_err *err)
{
    struct env_value value;
    TRY(get_chunk(txn, seq, 0, &value, err));
    size_t size = value.size >= HEAD_SIZE ? load32(value.data) : 0;
    unsigned chunks = (unsigned)((size + PIECE - 1) / PIECE);
    for (unsigned chunk = 0; chunk < chunks; chunk++) {
        struct env_key key = chunk_key(seq, chunk);
        TRY(missing(seq, chunk, txn_delete(txn, &key, err), err));
    }
    return VARVE_OK;
}
