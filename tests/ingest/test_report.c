/* SPDX-License-Identifier: Apache-2.0
 *
 * test_report.c -- refusals are counted by reason, and the first of each is told with its
 * place, whole characters only.
 */
#include "ingest/report.h"

#include "../base/unit.h"
#include "base/str.h"

static void test_first_and_counts(void **state)
{
    (void)state;
    struct report report = {0};
    assert_int_equal(report_rejected(&report), 0);
    report_reject(&report, REJECT_TIME, 2, "file, line 3", "the time is 0");
    report_reject(&report, REJECT_TIME, 5, "file, line 4", "another");
    report_reject(&report, REJECT_NAME, 1, NULL, "no name");
    report_reject(&report, REJECT_LINE, 1, "file, line 5", NULL);
    report_reject(&report, REJECT_BODY, 0, "nowhere", "nothing");
    assert_int_equal(report.counts[REJECT_TIME], 7);
    assert_string_equal(report.first[REJECT_TIME], "file, line 3: the time is 0");
    assert_string_equal(report.first[REJECT_NAME], "no name");
    assert_string_equal(report.first[REJECT_LINE], "file, line 5");
    assert_string_equal(report.first[REJECT_BODY], "");
    assert_int_equal(report_rejected(&report), 9);
}

static void test_long_messages_end_between_characters(void **state)
{
    (void)state;
    char place[200], message[280];
    struct report report = {0};
    memset(place, 'p', sizeof place - 1);
    place[sizeof place - 1] = '\0';
    for (size_t i = 0; i + 2 < sizeof message; i += 2)
        memcpy(message + i, "\xc3\xa9", 3);
    for (size_t cut = 0; cut < 2; cut++) {
        report_reject(&report, (enum reject_reason)cut, 1, place + cut, message);
        const char *first = report.first[cut];
        assert_true(str_is_utf8((struct varve_str){first, strlen(first)}));
        assert_true(strlen(first) >= sizeof report.first[0] - 2);
    }
}

static void test_every_reason_has_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < REJECT_REASONS; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(reject_reason_text((enum reject_reason)i),
                                    reject_reason_text((enum reject_reason)j));
    assert_string_equal(reject_reason_text(REJECT_EXPONENTIAL), "exponential histogram");
    assert_string_equal(reject_reason_text(REJECT_REASONS), "unknown reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_counts),
        cmocka_unit_test(test_long_messages_end_between_characters),
        cmocka_unit_test(test_every_reason_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
