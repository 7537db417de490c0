/* SPDX-License-Identifier: Apache-2.0
 *
 * test_err.c -- statuses, messages, errno and cutting.
 */
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "unit.h"

static void test_texts(void **state)
{
    (void)state;
    assert_string_equal(status_name(VARVE_OK), "VARVE_OK");
    assert_string_equal(status_name(VARVE_CORRUPT), "VARVE_CORRUPT");
    assert_string_equal(status_text(VARVE_CORRUPT), "damaged bytes were found");
    assert_string_equal(status_name(VARVE_INTERRUPTED), "VARVE_INTERRUPTED");
    for (int i = -3; i < 100; i++) {
        assert_non_null(status_name((enum varve_status)i));
        assert_non_null(status_text((enum varve_status)i));
    }
    assert_string_equal(status_name((enum varve_status)99), "VARVE_?");
}

static void test_fail_fills(void **state)
{
    (void)state;
    struct varve_err err;
    memset(&err, 0x5a, sizeof err);
    assert_int_equal(fail(&err, VARVE_CORRUPT, "main.mdb", "page %d is %s", 7, "bad"),
                     VARVE_CORRUPT);
    assert_int_equal(err.status, VARVE_CORRUPT);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.place, "main.mdb");
    assert_string_equal(err.message, "page 7 is bad");
    assert_int_equal(fail(NULL, VARVE_LIMIT, "x", "%s", "y"), VARVE_LIMIT);
}

static void test_fail_wraps_itself(void **state)
{
    (void)state;
    struct varve_err err;
    fail(&err, VARVE_IO, "inner", "cannot read");
    fail(&err, VARVE_IO, err.place, "month 2026-10: %s", err.message);
    assert_string_equal(err.place, "inner");
    assert_string_equal(err.message, "month 2026-10: cannot read");
}

static void test_errno(void **state)
{
    (void)state;
    struct varve_err err;
    assert_int_equal(fail_errno(&err, VARVE_IO, EIO, "f", "cannot write"), VARVE_IO);
    assert_int_equal(err.sys, EIO);
    assert_string_equal(err.message, "cannot write: Input/output error");
    assert_int_equal(fail_errno(&err, VARVE_IO, ENOSPC, "f", "x"), VARVE_FULL);
    assert_int_equal(err.status, VARVE_FULL);
    assert_int_equal(fail_errno(NULL, VARVE_IO, EDQUOT, "f", "x"), VARVE_FULL);
    assert_int_equal(fail_errno(&err, VARVE_IO, ENOMEM, "f", "x"), VARVE_NOMEM);
    assert_int_equal(fail_nomem(&err, 77), VARVE_NOMEM);
    assert_string_equal(err.message, "no memory for 77 bytes");
}

/* Wherever the cut falls, what is left is UTF-8 and at most three bytes short. */
static void test_cut_keeps_characters_whole(void **state)
{
    (void)state;
    static const char *const characters[] = {"a", "\u00e9", "\u20ac", "\U0001f600"};
    for (size_t c = 0; c < 4; c++)
        for (int lead = 0; lead < 4; lead++) {
            char text[1200] = "";
            memset(text, 'x', (size_t)lead);
            while (strlen(text) < 1100)
                strcat(text, characters[c]);
            struct varve_err err;
            fail(&err, VARVE_INVALID, text, "%s", text);
            size_t length = strlen(err.message);
            assert_true(length < sizeof err.message && length + 4 >= sizeof err.message);
            assert_true(str_is_utf8((struct varve_str){err.message, length}));
            assert_true(strlen(err.place) + 4 >= sizeof err.place);
            assert_true(str_is_utf8((struct varve_str){err.place, strlen(err.place)}));
            fail_errno(&err, VARVE_IO, EIO, "", "%s", text);
            assert_true(str_is_utf8((struct varve_str){err.message, strlen(err.message)}));
        }
}

/* Messages quote what was found, which may be anything. */
static void test_messages_are_clean(void **state)
{
    (void)state;
    struct varve_err err;
    fail(&err, VARVE_INVALID, "a\nb", "found '%s'", "\x1b[2J\x87\u20ac\xc2\x9b\x7f\xe2\x82");
    assert_string_equal(err.place, "a?b");
    assert_string_equal(err.message, "found '?[2J?\u20ac???\?\?'");
}

static enum varve_status tries(enum varve_status first, int *reached)
{
    TRY(first);
    *reached = 1;
    return VARVE_OK;
}

static enum varve_status tries_out(enum varve_status first, int *cleaned)
{
    enum varve_status status = VARVE_OK;
    TRYOUT(first);
    TRYOUT(VARVE_DONE);
out:
    (*cleaned)++;
    return status;
}

static void test_macros(void **state)
{
    (void)state;
    int reached = 0, cleaned = 0;
    assert_int_equal(tries(VARVE_IO, &reached), VARVE_IO);
    assert_int_equal(reached, 0);
    assert_int_equal(tries(VARVE_OK, &reached), VARVE_OK);
    assert_int_equal(reached, 1);
    assert_int_equal(tries_out(VARVE_FULL, &cleaned), VARVE_FULL);
    assert_int_equal(tries_out(VARVE_OK, &cleaned), VARVE_DONE);
    assert_int_equal(cleaned, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_fail_fills),
        cmocka_unit_test(test_fail_wraps_itself),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_cut_keeps_characters_whole),
        cmocka_unit_test(test_messages_are_clean),
        cmocka_unit_test(test_macros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
