/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_table.c -- table segments under attack.
 *
 * The first byte says what the rest is:
 *
 *   0  a blob, as somebody might have forged it: its checksums are made right
 *   1  a seed (2) for events, and changes { offset (2) | value (1) } to the blob made of them,
 *      whose checksums are made right again
 *   2  events, field by field
 *
 * A forged blob may be refused, but nothing may be read out of bounds, take memory
 * out of proportion, or be loaded by half; and one that table_verify calls sound must be
 * readable in every way.  Events must come out as they went in.
 */
#include "fuzz.h"

#include "../store/random_events.h"
#include "../store/reseal.h"
#include "base/bytes.h"
#include "store/table.h"

enum { SEED = 42, PLACE = 1000, MEMORY = 512 << 20 };

struct bench {
    struct mem mem;
    struct eventset set, loaded;
    struct table_builder builder;
    struct buf bytes, again;
    struct arena arena;
};

static void begin(struct bench *b)
{
    mem_init(&b->mem, NULL, MEMORY);
    arena_init(&b->arena, &b->mem, 1 << 14);
    buf_init(&b->bytes, &b->mem, 1 << 26);
    buf_init(&b->again, &b->mem, 1 << 26);
    MUST(eventset_init(&b->set, &b->mem, SEED, NULL) == VARVE_OK);
    MUST(eventset_init(&b->loaded, &b->mem, SEED, NULL) == VARVE_OK);
    MUST(table_builder_init(&b->builder, &b->mem, NULL) == VARVE_OK);
}

static void end(struct bench *b)
{
    eventset_free(&b->set);
    eventset_free(&b->loaded);
    table_builder_free(&b->builder);
    buf_free(&b->bytes);
    buf_free(&b->again);
    arena_free(&b->arena);
    MUST(b->mem.used == 0);
}

/* Every way of reading.  Answers what table_verify says. */
static enum varve_status use(struct bench *b, const uint8_t *bytes, size_t size)
{
    struct table table;
    struct table_values values;
    const struct h128 *identities = NULL;
    const int64_t *times;
    enum varve_status status =
        table_open(&table, &b->arena, b->builder.texts, bytes, size, PLACE, "fuzz", NULL);
    if (status != VARVE_OK)
        return status;
    enum varve_status verify = table_verify(&table, NULL);
    for (uint32_t c = 0; c < table.column_count; c++) {
        status = table_values(&table, c, &b->arena, &values, NULL);
        MUST(verify != VARVE_OK || status != VARVE_CORRUPT);
    }
    status = table_times(&table, &b->arena, &times, NULL);
    MUST(verify != VARVE_OK || status != VARVE_CORRUPT);
    enum varve_status found = table_identities(&table, &b->arena, SEED, &identities, NULL);
    MUST(verify != VARVE_OK || found != VARVE_CORRUPT);
    status = table_load(&table, &b->loaded, NULL);
    MUST(b->loaded.count == (status == VARVE_OK ? table.rows : 0));
    for (size_t i = 0; found == VARVE_OK && i < b->loaded.count; i++)
        MUST(h128_equal(identities[i], b->loaded.events[i].identity));
    return verify;
}

/* Builds the loaded events, and their copy: the same bytes. */
static void build_again(struct bench *b, size_t expected)
{
    MUST(b->loaded.count == expected);
    MUST(table_build(&b->builder, &b->loaded, NULL, expected, PLACE, &b->again, NULL) == VARVE_OK);
    MUST(b->again.size == b->bytes.size &&
         memcmp(b->again.data, b->bytes.data, b->again.size) == 0);
}

static void forged(struct bench *b, const uint8_t *data, size_t size)
{
    buf_put(&b->bytes, data, size);
    if (size > 0 && reseal(b->bytes.data, size, PLACE))
        use(b, b->bytes.data, size);
}

static void changed(struct bench *b, const uint8_t *data, size_t size)
{
    struct reader r = reader_over(data, size);
    struct prng prng = {read16(&r)};
    random_events(&b->set, &prng, 40);
    MUST(table_build(&b->builder, &b->set, NULL, b->set.count, PLACE, &b->bytes, NULL) == VARVE_OK);
    int touched = 0;
    while (reader_left(&r) >= 3) {
        size_t at = read16(&r) % b->bytes.size;
        uint8_t value = read8(&r);
        touched |= b->bytes.data[at] != value;
        b->bytes.data[at] = value;
    }
    if (reseal(b->bytes.data, b->bytes.size, PLACE))
        use(b, b->bytes.data, b->bytes.size);
    if (!touched)
        build_again(b, b->set.count);
}

/* One field: byte (name 4 bits, type 2 bits), value. */
static struct varve_field read_field(struct reader *r)
{
    static const char *const names[] = {"user.id", "user.email", "session.id", "a", "b", "c",
                                        "d",       "e",          "f",          "g", "h", "i",
                                        "j",       "größe",      "z.z.z.z",    "k"};
    uint8_t byte = read8(r);
    struct varve_field field = {.name = {names[byte & 15], strlen(names[byte & 15])}};
    uint64_t bits;
    switch (byte >> 4 & 3) {
    case 0:
        field.value = (struct varve_value){.type = VARVE_INT, .as.i = unzigzag(read_varint(r))};
        break;
    case 1:
        field.value.type = VARVE_FLOAT;
        bits = read64(r);
        memcpy(&field.value.as.f, &bits, sizeof bits);
        break;
    case 2:
        field.value = (struct varve_value){.type = VARVE_BOOL, .as.i = read8(r)};
        break;
    default:
        field.value.type = VARVE_TEXT;
        field.value.as.s.size = read8(r) & 63;
        field.value.as.s.data = (const char *)read_bytes(r, field.value.as.s.size);
        if (r->bad)
            field.value.as.s.size = 0;
    }
    return field;
}

static void given(struct bench *b, const uint8_t *data, size_t size)
{
    struct reader r = reader_over(data, size);
    struct varve_field fields[16];
    while (reader_left(&r) > 0 && !r.bad) {
        uint8_t count = read8(&r) & 15;
        int64_t time = unzigzag(read_varint(&r));
        for (uint8_t i = 0; i < count; i++)
            fields[i] = read_field(&r);
        size_t before = b->set.count;
        enum varve_status status = eventset_add(&b->set, STR("t"), time, fields, count, NULL);
        MUST(status == VARVE_OK || status == VARVE_INVALID);
        MUST(b->set.count == before + (status == VARVE_OK));
    }
    if (b->set.count == 0)
        return;
    MUST(table_build(&b->builder, &b->set, NULL, b->set.count, PLACE, &b->bytes, NULL) == VARVE_OK);
    MUST(use(b, b->bytes.data, b->bytes.size) == VARVE_OK);
    struct h128 sum = {0, 0};
    for (size_t i = 0; i < b->set.count; i++) {
        sum = h128_add(sum, b->set.events[i].identity);
        sum = h128_sub(sum, b->loaded.events[i].identity);
    }
    MUST(sum.lo == 0 && sum.hi == 0);
    build_again(b, b->set.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct bench *, const uint8_t *, size_t) = {forged, changed,
                                                                             given};
    if (size < 3 || data[0] > 2)
        return 0;
    struct bench bench;
    begin(&bench);
    kinds[data[0]](&bench, data + 1, size - 1);
    end(&bench);
    return 0;
}
