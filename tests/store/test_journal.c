/* SPDX-License-Identifier: Apache-2.0
 *
 * test_journal.c -- entries in chunks: what goes in comes out, and half an entry is damage.
 */
#include "store/journal.h"

#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "scratch.h"

#define CHUNK (ENV_PAGE_VALUE - ENV_SUM_SIZE)
#define HEADS(parts) (6 + 16 * (parts))

struct fixture {
    struct scratch scratch;
    struct mem mem;
    struct env *env;
    struct txn *txn;
    struct buf in, out;
    struct varve_err err;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.env = NULL};
    scratch_make(&f->scratch);
    mem_init(&f->mem, NULL, 0);
    assert_int_equal(
        env_open(&f->env, &f->mem, scratch_path(&f->scratch, "main.mdb"), ENV_CREATE, 0, &f->err),
        VARVE_OK);
    assert_int_equal(env_begin_write(f->env, &f->txn, 16 << 20, &f->err), VARVE_OK);
    buf_init(&f->in, &f->mem, JOURNAL_ENTRY_MAX + (1 << 20));
    buf_init(&f->out, &f->mem, JOURNAL_ENTRY_MAX);
}

static void tear_down(struct fixture *f)
{
    txn_abort(f->txn);
    buf_free(&f->in);
    buf_free(&f->out);
    env_close(f->env);
    assert_int_equal(atomic_load(&f->mem.used), 0);
    scratch_remove(&f->scratch);
}

/* An entry of one part with `size` bytes of noise. */
static void compose(struct fixture *f, size_t size, uint64_t seed)
{
    struct prng prng = {seed};
    buf_clear(&f->in);
    journal_begin(&f->in, 1);
    for (size_t i = 0; i < size; i++)
        buf_put8(&f->in, (uint8_t)prng_next(&prng));
    journal_part_done(&f->in, 0, -5, 7, 42, size);
}

static void put(struct fixture *f, uint64_t seq, size_t size)
{
    compose(f, size, seq);
    assert_int_equal(journal_put(f->txn, seq, &f->in, &f->err), VARVE_OK);
}

static void must_hold(struct fixture *f, uint64_t seq, size_t size)
{
    struct journal_cursor cursor = {0, 0};
    struct journal_part part;
    compose(f, size, seq);
    store32(f->in.data, (uint32_t)f->in.size);
    assert_int_equal(journal_get(f->txn, seq, &f->out, &f->err), VARVE_OK);
    assert_int_equal(f->out.size, f->in.size);
    assert_memory_equal(f->out.data, f->in.data, f->in.size);
    assert_true(journal_part(&f->out, &cursor, &part));
    assert_true(part.day == -5 && part.table == 7 && part.rows == 42 && part.size == size);
    assert_ptr_equal(part.bytes, f->out.data + HEADS(1));
    assert_false(journal_part(&f->out, &cursor, &part));
}

static void test_sizes(void **state)
{
    (void)state;
    struct fixture f;
    const size_t sizes[] = {0,          1,         CHUNK - HEADS(1) - 1, CHUNK - HEADS(1),
                            CHUNK,      CHUNK + 1, 2 * CHUNK - HEADS(1), 2 * CHUNK - HEADS(1) + 1,
                            40 * CHUNK, 1 << 20};
    const size_t count = sizeof sizes / sizeof *sizes;
    set_up(&f);
    for (size_t i = 0; i < count; i++)
        put(&f, 10 + 3 * i, sizes[i]);
    for (size_t i = 0; i < count; i++)
        must_hold(&f, 10 + 3 * i, sizes[i]);
    assert_int_equal(journal_get(f.txn, 11, &f.out, &f.err), VARVE_CORRUPT); /* who asks knows */
    assert_string_equal(f.err.message, "chunk 0 is missing");
    for (size_t i = 0; i < count; i += 2)
        assert_int_equal(journal_delete(f.txn, 10 + 3 * i, &f.err), VARVE_OK);
    uint64_t seq = 0;
    for (size_t i = 1; i < count; i += 2, seq++) { /* what is deleted is not in the way */
        assert_int_equal(journal_next(f.txn, &seq, &f.err), VARVE_OK);
        assert_int_equal(seq, 10 + 3 * i);
        must_hold(&f, seq, sizes[i]);
        assert_int_equal(journal_delete(f.txn, seq, &f.err), VARVE_OK);
    }
    seq = 0;
    assert_int_equal(journal_next(f.txn, &seq, &f.err), VARVE_NOTFOUND);
    struct env_key any = {.size = 0};
    struct env_value value; /* nothing of any entry is left */
    assert_int_equal(txn_seek(f.txn, &any, 0, false, &value, &f.err), VARVE_NOTFOUND);
    tear_down(&f);
}

static void test_many_parts(void **state)
{
    (void)state;
    struct fixture f;
    enum { PARTS = 1000 };
    struct journal_cursor cursor = {0, 0};
    struct journal_part part;
    set_up(&f);
    journal_begin(&f.in, PARTS);
    for (uint32_t i = 0; i < PARTS; i++) {
        for (uint32_t k = 0; k < i % 9; k++)
            buf_put8(&f.in, (uint8_t)i);
        journal_part_done(&f.in, i, (int32_t)i - 500, i, i + 1, i % 9);
    }
    assert_int_equal(journal_put(f.txn, 1, &f.in, &f.err), VARVE_OK);
    assert_int_equal(journal_get(f.txn, 1, &f.out, &f.err), VARVE_OK);
    for (uint32_t i = 0; i < PARTS; i++) {
        assert_true(journal_part(&f.out, &cursor, &part));
        assert_true(part.day == (int32_t)i - 500 && part.table == i && part.rows == i + 1);
        assert_int_equal(part.size, i % 9);
        for (uint32_t k = 0; k < part.size; k++)
            assert_int_equal(part.bytes[k], (uint8_t)i);
    }
    assert_false(journal_part(&f.out, &cursor, &part));
    tear_down(&f);
}

static void test_limit(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    journal_begin(&f.in, 1);
    assert_non_null(buf_room(&f.in, JOURNAL_ENTRY_MAX));
    memset(f.in.data + f.in.size, 0, JOURNAL_ENTRY_MAX);
    buf_added(&f.in, JOURNAL_ENTRY_MAX);
    assert_int_equal(journal_put(f.txn, 1, &f.in, &f.err), VARVE_LIMIT);
    assert_non_null(strstr(f.err.message, "split it"));
    tear_down(&f);
}

/* ---- damage --------------------------------------------------------------- */

static struct env_key chunk_key(uint64_t seq, unsigned chunk)
{
    struct env_key key = {.size = 11};
    key.bytes[0] = 'J';
    store64be(key.bytes + 1, seq);
    key.bytes[9] = (uint8_t)(chunk >> 8);
    key.bytes[10] = (uint8_t)chunk;
    return key;
}

static void must_be_damaged(struct fixture *f, uint64_t seq, const char *words)
{
    assert_int_equal(journal_get(f->txn, seq, &f->out, &f->err), VARVE_CORRUPT);
    assert_non_null(strstr(f->err.place, "journal"));
    if (!strstr(f->err.message, words))
        fail_msg("\"%s\" should have \"%s\"", f->err.message, words);
}

static void test_damage(void **state)
{
    (void)state;
    struct fixture f;
    struct env_key key;
    uint8_t bytes[CHUNK] = {0};
    set_up(&f);
    for (uint64_t seq = 1; seq <= 8; seq++)
        put(&f, seq, 3 * CHUNK);
    key = chunk_key(1, 2);
    assert_int_equal(txn_delete(f.txn, &key, &f.err), VARVE_OK);
    must_be_damaged(&f, 1, "chunk 2 is missing");
    key = chunk_key(2, 1);
    assert_int_equal(txn_put(f.txn, &key, bytes, CHUNK - 1, &f.err), VARVE_OK);
    must_be_damaged(&f, 2, "chunk 1 has");
    key = chunk_key(3, 3);
    assert_int_equal(txn_put(f.txn, &key, bytes, CHUNK, &f.err), VARVE_OK);
    must_be_damaged(&f, 3, "chunk 3 has");
    key = chunk_key(4, 0);
    store32(bytes, 5); /* shorter than a head */
    assert_int_equal(txn_put(f.txn, &key, bytes, CHUNK, &f.err), VARVE_OK);
    must_be_damaged(&f, 4, "cannot have 5 bytes");
    key = chunk_key(5, 0);
    store32(bytes, UINT32_MAX);
    assert_int_equal(txn_put(f.txn, &key, bytes, CHUNK, &f.err), VARVE_OK);
    must_be_damaged(&f, 5, "cannot have");
    key = chunk_key(6, 0);
    store32(bytes, 3 * CHUNK + HEADS(1));
    store16(bytes + 4, 65535); /* more heads than bytes */
    assert_int_equal(txn_put(f.txn, &key, bytes, CHUNK, &f.err), VARVE_OK);
    must_be_damaged(&f, 6, "do not add up");
    store16(bytes + 4, 1);
    store32(bytes + 6 + 12, 3 * CHUNK - 1); /* a part that leaves a byte over */
    key = chunk_key(7, 0);
    assert_int_equal(txn_put(f.txn, &key, bytes, CHUNK, &f.err), VARVE_OK);
    must_be_damaged(&f, 7, "do not add up");
    uint64_t seq = 8;
    key = chunk_key(8, 0); /* the other chunks tell that there was an entry */
    assert_int_equal(txn_delete(f.txn, &key, &f.err), VARVE_OK);
    assert_int_equal(journal_next(f.txn, &seq, &f.err), VARVE_CORRUPT);
    assert_string_equal(f.err.place, "main.mdb, journal 8");
    must_be_damaged(&f, 8, "chunk 0 is missing");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
