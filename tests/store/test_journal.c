/* SPDX-License-Identifier: Apache-2.0
 *
 * test_journal.c -- entries of any size come back, and one that lacks a piece is named.
 */
#include "store/journal.h"

#include "env_unit.h"

/* An entry of two parts, the second of `size` bytes. */
static void put_entry(struct txn *txn, uint64_t seq, size_t size)
{
    struct buf entry;
    buf_init(&entry, &mem, JOURNAL_ENTRY_MAX);
    journal_begin(&entry, 2);
    buf_put(&entry, "one", 3);
    journal_part_done(&entry, 0, 20000, 0, 7, 3);
    for (size_t i = 0; i < size; i++)
        buf_put8(&entry, (uint8_t)(i * 31 + seq));
    journal_part_done(&entry, 1, -5, 3, 9, size);
    OK(journal_put(txn, seq, &entry, &err));
    buf_free(&entry);
}

static void expect_entry(struct txn *txn, uint64_t seq, size_t size)
{
    struct buf entry;
    struct journal_cursor cursor = {0, 0};
    struct journal_part part;
    buf_init(&entry, &mem, JOURNAL_ENTRY_MAX);
    OK(journal_get(txn, seq, &entry, &err));
    assert_true(journal_part(&entry, &cursor, &part));
    assert_int_equal(part.day, 20000);
    assert_int_equal(part.rows, 7);
    assert_memory_equal(part.bytes, "one", 3);
    assert_true(journal_part(&entry, &cursor, &part));
    assert_int_equal(part.day, -5);
    assert_int_equal(part.table, 3);
    assert_int_equal(part.size, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(part.bytes[i], (uint8_t)(i * 31 + seq));
    assert_false(journal_part(&entry, &cursor, &part));
    buf_free(&entry);
}

static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4000, 4031, 4032, 4033, 4034, 9000, 100000};
    struct env *env = open_env("j.mdb", ENV_CREATE, 0);
    struct txn *txn;
    uint64_t seq = 0, count = sizeof sizes / sizeof *sizes;
    OK(env_begin_write(env, &txn, 1 << 20, &err));
    for (uint64_t i = 0; i < count; i++)
        put_entry(txn, 10 + 2 * i, sizes[i]);
    OK(txn_commit(txn, &err));
    OK(env_begin_write(env, &txn, 1 << 20, &err));
    for (uint64_t i = 0; i < count; i++) {
        OK(journal_next(txn, &seq, &err));
        assert_int_equal(seq, 10 + 2 * i);
        expect_entry(txn, seq, sizes[i]);
        OK(journal_delete(txn, seq++, &err));
    }
    assert_int_equal(journal_next(txn, &seq, &err), VARVE_NOTFOUND);
    txn_abort(txn);
    env_close(env);
}

/* Takes one chunk of an entry away. */
static void remove_chunk(struct txn *txn, uint64_t seq, uint8_t chunk)
{
    struct env_key key = {.size = 11, .bytes = {'J'}};
    store64be(key.bytes + 1, seq);
    key.bytes[10] = chunk;
    OK(txn_delete(txn, &key, &err));
}

static void test_missing_chunks(void **state)
{
    (void)state;
    struct env *env = open_env("j.mdb", ENV_CREATE, 0);
    struct txn *txn;
    struct buf entry;
    uint64_t seq = 1;
    buf_init(&entry, &mem, JOURNAL_ENTRY_MAX);
    OK(env_begin_write(env, &txn, 1 << 20, &err));
    put_entry(txn, 1, 9000);
    remove_chunk(txn, 1, 2);
    assert_int_equal(journal_get(txn, 1, &entry, &err), VARVE_CORRUPT);
    assert_string_equal(err.message, "chunk 2 is missing");
    remove_chunk(txn, 1, 0);
    memset(&err, 0, sizeof err);
    assert_int_equal(journal_next(txn, &seq, &err), VARVE_CORRUPT);
    assert_string_equal(err.place, "main.mdb, journal 1");
    assert_string_equal(err.message, "chunk 0 is missing");
    txn_abort(txn);
    buf_free(&entry);
    env_close(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_chunks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
